//! What the company asks Meta to send.

use serde_json::Value;

use super::templates;
use crate::provider::Provider;
use crate::wire::bounds::{bounded, choices};
use crate::wire::{list, maybe, number, text};
use crate::world::problem::{invalid, missing, out_of_bounds};
use crate::world::{
    Among, Card, Choice, Content, File, Problem, Question, Recipient, Sending, Shape, Wanted, World,
};

/// What the company asks for at `/messages`.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// To send a message.
    Send(Box<Sending>),
    /// To show what it thinks of a message.
    React {
        message: String,
        emoji: Option<String>,
        correlation: Option<String>,
    },
    /// To show that it has read one, and perhaps types.
    Read { message: String, types: bool },
}

/// Reads a request for `/messages`.
pub(super) fn read(world: &World, provider: Provider, body: &Value) -> Result<Asked, Problem> {
    if text(body, "messaging_product") != "whatsapp" {
        return Err(missing("messaging_product"));
    }
    if text(body, "status") == "read" {
        let message = maybe(body, "message_id").ok_or_else(|| missing("message_id"))?;
        let types = body.get("typing_indicator").is_some();
        return Ok(Asked::Read { message, types });
    }
    let to = recipient(body)?;
    let correlation = maybe(body, "biz_opaque_callback_data");
    let kind = maybe(body, "type").unwrap_or_else(|| "text".to_owned());
    let part = &body[kind.as_str()];
    if part.is_null() {
        return Err(missing(&kind));
    }
    if kind == "reaction" {
        let message = maybe(part, "message_id").ok_or_else(|| missing("message_id"))?;
        let emoji = part["emoji"]
            .as_str()
            .ok_or_else(|| missing("emoji"))?
            .to_owned();
        let emoji = Some(emoji);
        return Ok(Asked::React {
            message,
            emoji,
            correlation,
        });
    }
    let (content, link) = content(world, provider, &kind, part)?;
    Ok(Asked::Send(Box::new(Sending {
        provider,
        to,
        content,
        link,
        reply_to: maybe(&body["context"], "message_id"),
        correlation,
        status_url: None,
        own_id: None,
    })))
}

fn recipient(body: &Value) -> Result<Recipient, Problem> {
    if let Some(id) = maybe(body, "recipient") {
        return Ok(Recipient::UserId(id));
    }
    let to = maybe(body, "to").ok_or_else(|| missing("to"))?;
    let is_digit = |letter: &char| letter.is_ascii_digit();
    Ok(Recipient::Number(to.chars().filter(is_digit).collect()))
}

type Read = (Content, Option<String>);

fn content(world: &World, provider: Provider, kind: &str, part: &Value) -> Result<Read, Problem> {
    if let Some(shape) = Shape::of_word(kind) {
        let (file, link) = file(world, shape, part)?;
        return Ok((Content::File(file), link));
    }
    let content = match kind {
        "text" => Content::Text {
            text: bounded(part, "body", 4_096)?,
        },
        "location" => Content::Location {
            latitude: number(part, "latitude").ok_or_else(|| missing("latitude"))?,
            longitude: number(part, "longitude").ok_or_else(|| missing("longitude"))?,
            name: maybe(part, "name"),
            address: maybe(part, "address"),
        },
        "contacts" => Content::Contacts {
            cards: cards(part)?,
        },
        "interactive" => interactive(part)?,
        "template" => return templates::filled(world, provider, part),
        _ => return Err(Problem::usual(131_051)),
    };
    Ok((content, None))
}

/// A file, and the link to it where it has no id.
pub(super) fn file(
    world: &World,
    shape: Shape,
    part: &Value,
) -> Result<(File, Option<String>), Problem> {
    let (id, link) = (maybe(part, "id"), maybe(part, "link"));
    if id.is_none() && link.is_none() {
        return Err(missing("id or link"));
    }
    let caption = maybe(part, "caption");
    if caption.is_some() && matches!(shape, Shape::Audio | Shape::Sticker) {
        return Err(invalid(format!("{} has no caption", shape.word())));
    }
    if caption
        .as_ref()
        .is_some_and(|words| words.chars().count() > 1_024)
    {
        return Err(out_of_bounds("caption is longer than 1024 characters"));
    }
    let kept = id.as_deref().and_then(|id| world.file(id));
    let file = File {
        file: id.clone().unwrap_or_default(),
        shape,
        mime: kept.map(|kept| kept.mime.clone()).unwrap_or_default(),
        name: maybe(part, "filename"),
        caption,
        voice: shape == Shape::Audio && part["voice"] == Value::Bool(true),
        bytes: kept.map_or(0, |kept| u64::try_from(kept.bytes.len()).unwrap_or(0)),
        sha256: kept.map(|kept| kept.sha256.clone()).unwrap_or_default(),
    };
    Ok((file, link.filter(|_| id.is_none())))
}

fn cards(part: &Value) -> Result<Vec<Card>, Problem> {
    let cards: Vec<Card> = part
        .as_array()
        .into_iter()
        .flatten()
        .map(|card| Card {
            name: text(&card["name"], "formatted_name").to_owned(),
            phones: list(card, "phones")
                .iter()
                .filter_map(|phone| maybe(phone, "phone"))
                .collect(),
        })
        .collect();
    if cards.is_empty() || cards.iter().any(|card| card.name.is_empty()) {
        return Err(missing("contacts[0].name.formatted_name"));
    }
    Ok(cards)
}

fn interactive(part: &Value) -> Result<Content, Problem> {
    let kind = text(part, "type");
    let action = &part["action"];
    let body = bounded(&part["body"], "text", 1_024)?;
    match kind {
        "button" => {
            let buttons = list(action, "buttons").iter().map(|one| &one["reply"]);
            let options = choices(buttons, (3, 20, 256))?;
            question(part, Among::Buttons, body, None, options)
        }
        "list" => {
            let open = bounded(action, "button", 20)?;
            let sections = list(action, "sections").iter();
            let options = choices(sections.flat_map(|one| list(one, "rows")), (10, 24, 200))?;
            question(part, Among::List, body, Some(open), options)
        }
        "cta_url" => {
            let parameters = &action["parameters"];
            let title = bounded(parameters, "display_text", 20)?;
            let url = bounded(parameters, "url", 2_000)?;
            Ok(Content::Link { body, title, url })
        }
        "location_request_message" => Ok(Content::Asks {
            what: Wanted::Location,
            text: body,
        }),
        "request_contact_info" => Ok(Content::Asks {
            what: Wanted::Phone,
            text: body,
        }),
        _ => Err(Problem::usual(131_051)),
    }
}

fn question(
    part: &Value,
    among: Among,
    body: String,
    open: Option<String>,
    options: Vec<Choice>,
) -> Result<Content, Problem> {
    let header = &part["header"];
    let footer = maybe(&part["footer"], "text");
    if footer
        .as_ref()
        .is_some_and(|text| text.chars().count() > 60)
    {
        return Err(out_of_bounds("footer is longer than 60 characters"));
    }
    Ok(Content::Question(Question {
        among,
        header: maybe(header, "text").or_else(|| maybe(header, "type")),
        body,
        footer,
        open,
        options,
    }))
}

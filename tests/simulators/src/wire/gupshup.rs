//! Gupshup, version 2: forms with JSON in them, answers before the outcome, webhooks with an envelope of
//! its own.

use serde_json::{Value, json};

use super::meta::ascii;
use super::proof::Signing;
use super::{ApiAnswer, ApiRequest, News, linked_file, list, maybe, number, text, webhook};
use crate::demo;
use crate::provider::Provider;
use crate::world::delivery::Webhook;
use crate::world::problem::{invalid, missing};
use crate::world::template::{Button, Header, Part, Template};
use crate::world::{
    Among, Card, Choice, Content, Customer, File, Message, Problem, Progress, Question, Recipient,
    Sending, Shape, Target, World,
};

const GUPSHUP: Provider = Provider::Gupshup;

/// The webhooks that tell something: the event, and the bill where there is one.
pub(super) fn tell(
    world: &World,
    now_ms: i64,
    customer: Option<&Customer>,
    news: &News<'_>,
) -> Vec<Webhook> {
    let Some(target) = world.account(GUPSHUP).webhook.clone() else {
        return vec![];
    };
    let mut told = vec![];
    let mut push = |kind: &str, payload: Value, label: &str| {
        let body = json!({
            "app": demo::GUPSHUP_APP, "timestamp": now_ms, "version": 2, "type": kind,
            "payload": payload,
        });
        told.push(webhook(&target, ascii(&body), Signing::Shared, label));
    };
    match (news, customer) {
        (News::Wrote(message), Some(customer)) => {
            push(
                "message",
                received(world, now_ms, customer, message),
                "message",
            );
        }
        (News::Reacted { of, emoji, id }, Some(customer)) => {
            // What is taken back has an empty emoji.
            let reaction =
                json!({"emoji": emoji.unwrap_or_default(), "id": of.wamid, "gsId": of.own_id});
            let payload = envelope(customer, id, "reaction", reaction);
            push("message", payload, "reaction");
        }
        (News::Taken(message), Some(customer)) => {
            let session = matches!(message.content, Content::Template(_));
            let details = json!({
                "whatsappMessageId": message.wamid,
                "type": if session { "template" } else { "session" },
            });
            let payload = event(&message.own_id, "enqueued", customer, details);
            push("message-event", payload, "enqueued");
        }
        (News::Status(message, progress), Some(customer)) => {
            let Some(word) = progress.word().filter(|_| *progress <= Progress::Read) else {
                return vec![];
            };
            push(
                "message-event",
                status(now_ms, customer, message, *progress, word),
                word,
            );
            if *progress == Progress::Delivered {
                push("billing-event", bill(customer, message), "bill");
            }
        }
        (News::Template(template), _) => {
            let mut payload = json!({
                "id": template.id, "status": template.state.word(), "elementName": template.name,
                "languageCode": template.language, "type": "status-update",
            });
            if let Some(reason) = &template.reason {
                payload["rejectedReason"] = json!(reason);
            }
            push("template-event", payload, "template");
        }
        // Version 2 has no words for them.
        (
            News::Edited { .. }
            | News::Revoked { .. }
            | News::Echoed(_)
            | News::NumberChanged { .. },
            _,
        )
        | (News::Wrote(_) | News::Reacted { .. } | News::Taken(_) | News::Status(..), None) => {}
    }
    told
}

fn envelope(customer: &Customer, id: &str, kind: &str, payload: Value) -> Value {
    let dial_code = customer.wa_id.get(2..).unwrap_or_default();
    let country_code = customer.wa_id.get(..2).unwrap_or_default();
    json!({
        "id": id,
        "source": customer.wa_id,
        "type": kind,
        "payload": payload,
        "sender": {
            "phone": customer.wa_id, "name": customer.name,
            "country_code": country_code, "dial_code": dial_code,
        },
    })
}

fn received(world: &World, now_ms: i64, customer: &Customer, message: &Message) -> Value {
    let (kind, payload) = content(world, now_ms, &message.content);
    let mut told = envelope(customer, &message.wamid, kind, payload);
    if let Some(quoted) = message.reply_to.and_then(|id| world.message(id)) {
        told["context"] = json!({"id": quoted.wamid});
        // Only what the company sent has an id of Gupshup's.
        if quoted.is_ours() {
            told["context"]["gsId"] = json!(quoted.own_id);
        }
    }
    if message.forwarded {
        told["context"]["forwarded"] = json!(true);
    }
    told
}

fn content(world: &World, now_ms: i64, content: &Content) -> (&'static str, Value) {
    match content {
        Content::Text { text } => ("text", json!({"text": text})),
        Content::File(file) => of_file(world, now_ms, file),
        Content::Location {
            latitude,
            longitude,
            name,
            address,
        } => {
            let mut place =
                json!({"longitude": longitude.to_string(), "latitude": latitude.to_string()});
            set(&mut place, "name", name.as_deref());
            set(&mut place, "address", address.as_deref());
            ("location", place)
        }
        Content::Contacts { cards } => {
            let cards: Vec<Value> = cards.iter().map(card).collect();
            ("contact", json!({"contacts": cards}))
        }
        Content::Pressed {
            among,
            id,
            title,
            description,
        } => match among {
            Among::Template => (
                "quick_reply",
                json!({"text": title, "type": "button", "postbackText": id}),
            ),
            Among::Buttons => (
                "button_reply",
                json!({"title": title, "id": "", "reply": format!("{title} 1"), "postbackText": id}),
            ),
            Among::List => {
                let mut row = json!({
                    "title": title, "id": "", "reply": format!("{title} 1"), "postbackText": id,
                });
                set(&mut row, "description", description.as_deref());
                ("list_reply", row)
            }
        },
        Content::Unsupported { .. }
        | Content::Question(_)
        | Content::Link { .. }
        | Content::Template(_)
        | Content::Asks { .. }
        | Content::Notice { .. } => (
            "unsupported",
            json!({"text": "Message type is not supported"}),
        ),
    }
}

fn of_file(world: &World, now_ms: i64, file: &File) -> (&'static str, Value) {
    let kind = match file.shape {
        Shape::Document => "file",
        shape @ (Shape::Image | Shape::Video | Shape::Audio | Shape::Sticker) => shape.word(),
    };
    let mut payload = json!({
        "url": world.link(GUPSHUP, &file.file, now_ms),
        "contentType": file.mime,
        "urlExpiry": now_ms + crate::world::media::LINK_MS,
    });
    set(&mut payload, "caption", file.caption.as_deref());
    set(&mut payload, "name", file.name.as_deref());
    if file.voice {
        payload["voice"] = json!(true);
    }
    (kind, payload)
}

fn card(card: &Card) -> Value {
    let phone = |phone: &String| json!({"phone": phone, "type": "CELL"});
    let phones: Vec<Value> = card.phones.iter().map(phone).collect();
    json!({"name": {"formatted_name": card.name, "first_name": card.name}, "phones": phones})
}

fn event(id: &str, kind: &str, customer: &Customer, details: Value) -> Value {
    json!({"id": id, "type": kind, "destination": customer.wa_id, "payload": details})
}

fn status(
    now_ms: i64,
    customer: &Customer,
    message: &Message,
    progress: Progress,
    word: &str,
) -> Value {
    let mut told = match (&message.problem, progress) {
        (Some(problem), Progress::Failed) => {
            let details = json!({"code": code(problem), "reason": problem.details});
            // A message that failed has no id at WhatsApp.
            event(&message.own_id, word, customer, details)
        }
        _ => {
            let details = json!({"ts": now_ms.div_euclid(1_000)});
            event(&message.wamid, word, customer, details)
        }
    };
    told["gsId"] = json!(message.own_id);
    told
}

/// Gupshup's code for a problem: it has some of its own, and passes on Meta's otherwise.
fn code(problem: &Problem) -> u32 {
    match problem.code {
        131_026 => 1_002,
        131_042 => 1_003,
        131_047 => 1_005,
        131_053 => 1_010,
        132_015 => 4_005,
        other => other,
    }
}

fn bill(customer: &Customer, message: &Message) -> Value {
    let kind = if message.billable {
        "regular"
    } else {
        "free_customer_service"
    };
    json!({
        "deductions": {
            "type": kind, "model": "PMP", "source": "whatsapp", "billable": message.billable,
            "category": message.content.category(),
        },
        "references": {
            "id": message.wamid, "gsId": message.own_id, "destination": customer.wa_id,
        },
    })
}

/// Answers a request of the company's.
pub(super) fn handle(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let segments = request.segments();
    if let ("GET", ["files", token]) = (request.method.as_str(), &segments[..]) {
        let file = linked_file(world, now_ms, GUPSHUP, token);
        return file.unwrap_or_else(|| ApiAnswer::empty(404));
    }
    if request.header("apikey") != demo::GUPSHUP_API_KEY {
        return refusal(401);
    }
    match (request.method.as_str(), &segments[..]) {
        ("POST", ["wa", "api", "v1", "msg"]) => {
            answered(message(request).and_then(|sending| take(world, now_ms, sending)))
        }
        ("POST", ["wa", "api", "v1", "template", "msg"]) => {
            let sending = template(world, request);
            answered(
                sending.and_then(|sending| take(world, now_ms, Asked::Send(Box::new(sending)))),
            )
        }
        ("GET", ["wa", "app", id, "template"]) if *id == demo::GUPSHUP_APP_ID => listed(world),
        ("POST", ["wa", "app", id, "subscription"]) if *id == demo::GUPSHUP_APP_ID => {
            subscribe(world, request)
        }
        _ => refusal(404),
    }
}

/// What Gupshup says when it does not do what was asked.
pub(super) fn refusal(status: u16) -> ApiAnswer {
    let message = match status {
        401 => "Authentication Failed",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Internal Server Error",
    };
    let body = json!({"status": "error", "message": message});
    ApiAnswer::json(status, &body).labelled("error")
}

fn answered(taken: Result<String, Problem>) -> ApiAnswer {
    match taken {
        Ok(id) => {
            let body = json!({"status": "submitted", "messageId": id});
            ApiAnswer::json(202, &body).of_message()
        }
        Err(problem) => {
            // All the rest is told by a webhook, but for what is plainly wrong.
            let status = if problem.status() == 429 { 429 } else { 400 };
            let body = json!({"status": "error", "message": problem.details});
            ApiAnswer::json(status, &body).labelled("error")
        }
    }
}

enum Asked {
    Send(Box<Sending>),
    React { message: String, emoji: String },
}

fn take(world: &mut World, now_ms: i64, asked: Asked) -> Result<String, Problem> {
    match asked {
        Asked::Send(sending) => world.send(now_ms, *sending).map(|taken| taken.own_id),
        Asked::React { message, emoji } => {
            world.react(GUPSHUP, &message, Some(&emoji))?;
            Ok(world.uuid())
        }
    }
}

/// Who sends to whom; the app and the number must be ours.
fn destination(request: &ApiRequest) -> Result<Recipient, Problem> {
    let needed = |name: &str| request.form(name).ok_or_else(|| missing(name));
    if needed("channel")? != "whatsapp" {
        return Err(invalid("Invalid Channel"));
    }
    if needed("source")?.trim_start_matches('+') != demo::number(GUPSHUP) {
        return Err(invalid("Invalid Source Details"));
    }
    if needed("src.name")? != demo::GUPSHUP_APP {
        return Err(invalid("Invalid App Details"));
    }
    let to = needed("destination")?;
    Ok(Recipient::Number(to.trim_start_matches('+').to_owned()))
}

fn message(request: &ApiRequest) -> Result<Asked, Problem> {
    let to = destination(request)?;
    let body = request.form("message").ok_or_else(|| missing("message"))?;
    let body: Value = serde_json::from_str(&body).map_err(|_| invalid("Invalid Message"))?;
    if text(&body, "type") == "reaction" {
        return Ok(Asked::React {
            message: text(&body, "msgId").to_owned(),
            emoji: text(&body, "emoji").to_owned(),
        });
    }
    let (content, link) = asked(&body)?;
    Ok(Asked::Send(Box::new(Sending {
        provider: GUPSHUP,
        to,
        content,
        link,
        reply_to: maybe(&body["context"], "msgId"),
        correlation: None,
        status_url: None,
        own_id: None,
    })))
}

fn asked(body: &Value) -> Result<(Content, Option<String>), Problem> {
    let needed = |node: &Value, name: &str| maybe(node, name).ok_or_else(|| missing(name));
    let kind = text(body, "type");
    let file = |shape: Shape, url: &str| -> Result<(Content, Option<String>), Problem> {
        let link = needed(body, url)?;
        let file = File {
            file: String::new(),
            shape,
            mime: String::new(),
            name: maybe(body, "filename"),
            caption: maybe(body, "caption"),
            voice: false,
            bytes: 0,
            sha256: String::new(),
        };
        Ok((Content::File(file), Some(link)))
    };
    let content = match kind {
        "text" => {
            let text = needed(body, "text")?;
            if text.chars().count() > 4_096 {
                return Err(invalid("Message is longer than 4096 characters"));
            }
            Content::Text { text }
        }
        "image" => return file(Shape::Image, "originalUrl"),
        "video" => return file(Shape::Video, "url"),
        "audio" => return file(Shape::Audio, "url"),
        "file" => return file(Shape::Document, "url"),
        "sticker" => return file(Shape::Sticker, "url"),
        "location" => Content::Location {
            latitude: number(body, "latitude").ok_or_else(|| missing("latitude"))?,
            longitude: number(body, "longitude").ok_or_else(|| missing("longitude"))?,
            name: maybe(body, "name"),
            address: maybe(body, "address"),
        },
        "contact" => {
            let contact = &body["contact"];
            let phones = list(contact, "phones").iter();
            Content::Contacts {
                cards: vec![Card {
                    name: text(&contact["name"], "formattedName").to_owned(),
                    phones: phones.filter_map(|one| maybe(one, "phone")).collect(),
                }],
            }
        }
        "quick_reply" => {
            let content = &body["content"];
            Content::Question(Question {
                among: Among::Buttons,
                header: maybe(content, "header"),
                body: needed(content, "text")?,
                footer: maybe(content, "caption"),
                open: None,
                options: options(list(body, "options").iter(), 3, 20)?,
            })
        }
        "list" => {
            let items = list(body, "items").iter();
            let open = list(body, "globalButtons").first();
            Content::Question(Question {
                among: Among::List,
                header: maybe(body, "title"),
                body: needed(body, "body")?,
                footer: maybe(body, "footer"),
                open: open.and_then(|open| maybe(open, "title")),
                options: options(items.flat_map(|item| list(item, "options")), 10, 24)?,
            })
        }
        _ => return Err(invalid("Invalid Message Type")),
    };
    Ok((content, None))
}

fn options<'a>(
    found: impl Iterator<Item = &'a Value>,
    most: usize,
    title_max: usize,
) -> Result<Vec<Choice>, Problem> {
    let choices: Vec<Choice> = found
        .map(|one| Choice {
            id: maybe(one, "postbackText").unwrap_or_else(|| text(one, "title").to_owned()),
            title: text(one, "title").to_owned(),
            description: maybe(one, "description"),
        })
        .collect();
    let is_bad =
        |choice: &Choice| choice.title.is_empty() || choice.title.chars().count() > title_max;
    if choices.is_empty() || choices.len() > most || choices.iter().any(is_bad) {
        return Err(invalid("Invalid Options"));
    }
    Ok(choices)
}

/// A template by its id, with values in the order of header, words and buttons.
fn template(world: &World, request: &ApiRequest) -> Result<Sending, Problem> {
    let to = destination(request)?;
    let asked = request
        .form("template")
        .ok_or_else(|| missing("template"))?;
    let asked: Value = serde_json::from_str(&asked).map_err(|_| invalid("Invalid Template"))?;
    let id = text(&asked, "id");
    let mut templates = world.templates().iter();
    let template = templates.find(|one| one.provider == GUPSHUP && one.id == id);
    let template = template.ok_or_else(|| invalid("Template Not Found"))?;
    template.is_usable()?;
    let values: Vec<String> = list(&asked, "params")
        .iter()
        .map(|value| value.as_str().unwrap_or_default().to_owned())
        .collect();
    let counts = Counts::of(template);
    if values.len() != counts.all() {
        let details = format!(
            "{} params are needed, {} are given",
            counts.all(),
            values.len()
        );
        return Err(Problem::new(132_000, details));
    }
    let value = |at: Part, index: usize, _: &str| values.get(counts.before(at) + index).cloned();
    let mut filled = template.fill(value, |_| None)?;
    let mut link = None;
    if let Some(Header::File(shape)) = template.header {
        let above = request.form("message").ok_or_else(|| missing("message"))?;
        let above: Value = serde_json::from_str(&above).map_err(|_| invalid("Invalid Message"))?;
        let part = &above[shape.word()];
        link = Some(maybe(part, "link").ok_or_else(|| missing("link"))?);
        filled.file = Some(File {
            file: String::new(),
            shape,
            mime: String::new(),
            name: maybe(part, "filename"),
            caption: None,
            voice: false,
            bytes: 0,
            sha256: String::new(),
        });
    }
    Ok(Sending {
        provider: GUPSHUP,
        to,
        content: Content::Template(Box::new(filled)),
        link,
        reply_to: None,
        correlation: None,
        status_url: None,
        own_id: None,
    })
}

/// How many values each part of a template takes.
struct Counts {
    header: usize,
    body: usize,
    buttons: Vec<usize>,
}

impl Counts {
    fn of(template: &Template) -> Self {
        let count = |at| template.values_of(at).len();
        Self {
            header: count(Part::Header),
            body: count(Part::Body),
            buttons: (0..template.buttons.len())
                .map(|index| count(Part::Button(index)))
                .collect(),
        }
    }

    fn all(&self) -> usize {
        self.header + self.body + self.buttons.iter().sum::<usize>()
    }

    fn before(&self, at: Part) -> usize {
        match at {
            Part::Header => 0,
            Part::Body => self.header,
            Part::Button(index) => {
                self.header + self.body + self.buttons.iter().take(index).sum::<usize>()
            }
        }
    }
}

fn listed(world: &World) -> ApiAnswer {
    let templates = world.templates().iter();
    let templates = templates.filter(|template| template.provider == GUPSHUP);
    let templates: Vec<Value> = templates.map(written).collect();
    let body = json!({"status": "success", "templates": templates});
    ApiAnswer::json(200, &body).labelled("templates")
}

/// A template in Gupshup's list: much of it is JSON within a string.
fn written(template: &Template) -> Value {
    let mut container = json!({"data": template.body, "appId": demo::GUPSHUP_APP_ID});
    let kind = match &template.header {
        Some(Header::File(shape)) => shape.word().to_ascii_uppercase(),
        Some(Header::Text(text)) => {
            container["header"] = json!(text);
            "TEXT".to_owned()
        }
        None => "TEXT".to_owned(),
    };
    set(&mut container, "footer", template.footer.as_deref());
    if !template.buttons.is_empty() {
        container["buttons"] = json!(template.buttons);
    }
    let is_reply = |button: &Button| matches!(button, Button::QuickReply { .. });
    let has_replies = template.buttons.iter().any(is_reply);
    let mut written = json!({
        "id": template.id, "externalId": template.meta_id, "appId": demo::GUPSHUP_APP_ID,
        "elementName": template.name, "languageCode": template.language,
        "languagePolicy": "deterministic", "category": template.category,
        "status": template.state.word(), "templateType": kind, "data": template.body,
        "containerMeta": container.to_string(), "vertical": "loja", "quality": "HIGH",
        "buttonSupported": if has_replies { "QR" } else { "CTA" },
    });
    set(&mut written, "reason", template.reason.as_deref());
    written
}

fn subscribe(world: &mut World, request: &ApiRequest) -> ApiAnswer {
    let Some(url) = request.form("url") else {
        return refusal(400);
    };
    let meta = request.form("meta").unwrap_or_default();
    let meta: Value = serde_json::from_str(&meta).unwrap_or_default();
    let headers = meta["headers"].as_object().into_iter().flatten();
    let headers = headers
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    world.set_webhook(GUPSHUP, Some(Target { url, headers }));
    ApiAnswer::json(200, &json!({"status": "success"})).labelled("subscription")
}

fn set(node: &mut Value, field: &str, value: Option<&str>) {
    if let Some(value) = value {
        node[field] = json!(value);
    }
}

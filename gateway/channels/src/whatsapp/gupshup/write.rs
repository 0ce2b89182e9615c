//! What we send, in Gupshup's words: a form with JSON in it.

use serde_json::{Value, json};

use super::Config;
use crate::connector::Refusal;
use crate::event::{MediaKind, MediaSource};
use crate::send::{OutChoice, OutChoices, OutContent, OutMedia, OutTemplate, Outgoing};
use crate::whatsapp::CHOICES;
use crate::whatsapp::meta::write::{LIST_OPENS_WITH, digits, set};

pub(super) fn form(config: &Config, message: &Outgoing) -> Result<String, Refusal> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("channel", "whatsapp")
        .append_pair("source", &config.number)
        .append_pair("destination", &digits(&message.to)?)
        .append_pair("src.name", &config.app);
    if let OutContent::Template(template) = &message.content {
        form.append_pair("template", &values(template).to_string());
        if let Some(media) = &template.header_media {
            form.append_pair("message", &header(media)?.to_string());
        }
        return Ok(form.finish());
    }
    let mut body = content(&message.content)?;
    if let Some(reply_to) = &message.reply_to {
        body["context"] = json!({"msgId": reply_to});
    }
    form.append_pair("message", &body.to_string());
    Ok(form.finish())
}

fn content(content: &OutContent) -> Result<Value, Refusal> {
    Ok(match content {
        OutContent::Text { text, preview } => {
            json!({"type": "text", "text": text, "previewUrl": preview})
        }
        OutContent::Media(media) => file(media)?,
        OutContent::Location(place) => {
            let mut body = json!({
                "type": "location",
                "latitude": place.latitude.to_string(), "longitude": place.longitude.to_string(),
            });
            set(&mut body, "name", place.name.as_deref());
            set(&mut body, "address", place.address.as_deref());
            body
        }
        OutContent::Choices(question) => choices(question),
        OutContent::Reaction { message, emoji } => {
            let emoji = emoji.as_deref().unwrap_or_default();
            json!({"type": "reaction", "msgId": message, "emoji": emoji})
        }
        OutContent::Template(_) | OutContent::AskPhone { .. } | OutContent::AskLocation { .. } => {
            let what = content.what();
            return Err(Refusal::Unsupported { what });
        }
    })
}

fn link(media: &OutMedia) -> Result<&str, Refusal> {
    match &media.source {
        MediaSource::Url(url) => Ok(url),
        MediaSource::Id(_) => Err(Refusal::Invalid { field: "media" }),
    }
}

fn file(media: &OutMedia) -> Result<Value, Refusal> {
    let url = link(media)?;
    let mut body = match media.kind {
        MediaKind::Image => json!({"type": "image", "originalUrl": url, "previewUrl": url}),
        MediaKind::Video => json!({"type": "video", "url": url}),
        MediaKind::Audio => json!({"type": "audio", "url": url}),
        MediaKind::Sticker => json!({"type": "sticker", "url": url}),
        MediaKind::Document => json!({"type": "file", "url": url}),
    };
    let has_caption = !matches!(media.kind, MediaKind::Audio | MediaKind::Sticker);
    set(
        &mut body,
        "caption",
        media.caption.as_deref().filter(|_| has_caption),
    );
    let name = media.name.as_deref();
    set(
        &mut body,
        "filename",
        name.filter(|_| media.kind == MediaKind::Document),
    );
    Ok(body)
}

fn choices(question: &OutChoices) -> Value {
    let footer = question.footer.as_deref().unwrap_or_default();
    let option = |choice: &OutChoice| {
        let mut option = json!({"type": "text", "title": choice.title, "postbackText": choice.id});
        set(&mut option, "description", choice.description.as_deref());
        option
    };
    let options: Vec<Value> = question.choices.iter().map(option).collect();
    if CHOICES.as_buttons(question) {
        return json!({
            "type": "quick_reply",
            "content": {"type": "text", "text": question.body, "caption": footer},
            "options": options,
        });
    }
    let open = question.open.as_deref().unwrap_or(LIST_OPENS_WITH);
    json!({
        "type": "list", "title": "", "body": question.body, "footer": footer,
        "globalButtons": [{"type": "text", "title": open}],
        "items": [{"title": open, "options": options}],
    })
}

/// The values of a template in the order in which its gaps come: headline, words, buttons.
fn values(template: &OutTemplate) -> Value {
    let texts = template.header.iter().chain(&template.body);
    let texts = texts.map(|value| &value.text);
    let buttons = template.buttons.iter().map(|button| &button.value);
    let params: Vec<&String> = texts.chain(buttons).collect();
    json!({"id": template.id, "params": params})
}

fn header(media: &OutMedia) -> Result<Value, Refusal> {
    let kind = media.kind.as_str();
    let mut file = json!({"link": link(media)?});
    set(&mut file, "filename", media.name.as_deref());
    Ok(json!({"type": kind, kind: file}))
}

//! What we send, in Zenvia's words.

use serde_json::{Map, Value, json};

use crate::connector::Refusal;
use crate::event::{MediaKind, MediaSource};
use crate::proof::SECRET_HEADER;
use crate::send::{OutContent, OutMedia, OutTemplate, Outgoing};
use crate::whatsapp::meta::write::{digits, set};

pub(super) fn message(from: &str, message: &Outgoing) -> Result<Value, Refusal> {
    let content = content(&message.content)?;
    Ok(json!({"from": from, "to": digits(&message.to)?, "contents": [content]}))
}

pub(super) fn subscription(event: &str, webhook: &str, secret: &str) -> Value {
    let mut criteria = json!({"channel": "whatsapp"});
    set(
        &mut criteria,
        "direction",
        Some("IN").filter(|_| event == "MESSAGE"),
    );
    json!({
        "eventType": event,
        "webhook": {"url": webhook, "headers": {SECRET_HEADER: secret}},
        "criteria": criteria,
        "status": "ACTIVE",
    })
}

fn content(content: &OutContent) -> Result<Value, Refusal> {
    Ok(match content {
        OutContent::Text { text, .. } => json!({"type": "text", "text": text}),
        OutContent::Media(media) => file(media)?,
        OutContent::Location(place) => {
            let mut body = json!({
                "type": "location", "latitude": place.latitude, "longitude": place.longitude,
            });
            set(&mut body, "name", place.name.as_deref());
            set(&mut body, "address", place.address.as_deref());
            body
        }
        OutContent::Template(out) => template(out)?,
        OutContent::Choices(_)
        | OutContent::Reaction { .. }
        | OutContent::AskPhone { .. }
        | OutContent::AskLocation { .. } => {
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
    let mut body = json!({"type": "file", "fileUrl": link(media)?, "fileMimeType": media.mime});
    let has_caption = !matches!(media.kind, MediaKind::Audio | MediaKind::Sticker);
    set(
        &mut body,
        "fileCaption",
        media.caption.as_deref().filter(|_| has_caption),
    );
    set(&mut body, "fileName", media.name.as_deref());
    Ok(body)
}

/// All values of a template are fields by the names of its gaps; a file is one too.
fn template(out: &OutTemplate) -> Result<Value, Refusal> {
    let mut fields = Map::new();
    for value in out.header.iter().chain(&out.body) {
        fields.insert(value.name.clone(), value.text.clone().into());
    }
    for button in &out.buttons {
        if let Some(name) = &button.name {
            fields.insert(name.clone(), button.value.clone().into());
        }
    }
    if let Some(media) = &out.header_media {
        let field = match media.kind {
            MediaKind::Image | MediaKind::Sticker => "imageUrl",
            MediaKind::Video => "videoUrl",
            MediaKind::Audio | MediaKind::Document => "documentUrl",
        };
        fields.insert(field.to_owned(), link(media)?.into());
    }
    Ok(json!({"type": "template", "templateId": out.id, "fields": fields}))
}

//! What we send, in Zenvia's words.

use serde_json::{Map, Value, json};

use crate::connector::Refusal;
use crate::event::{MediaKind, MediaSource};
use crate::proof::SECRET_HEADER;
use crate::send::{OutChoice, OutChoices, OutContent, OutMedia, OutTemplate, Outgoing};
use crate::whatsapp::CHOICES;
use crate::whatsapp::meta::write::{LIST_OPENS_WITH, digits, set};

pub(super) fn message(from: &str, message: &Outgoing) -> Result<Value, Refusal> {
    let content = content(&message.content)?;
    let mut body = json!({"from": from, "to": digits(&message.to)?, "contents": [content]});
    // Comes back in statuses: how a message whose answer was lost is found again.
    body["externalId"] = message.message.as_str().into();
    if let Some(reply_to) = &message.reply_to {
        // As `read` names the contents of a message: the first has its id, others their place behind it.
        let (id, part) = reply_to.split_once('/').unwrap_or((reply_to, "0"));
        body["idRef"] = id.into();
        body["contentRef"] = part.parse::<u32>().unwrap_or(0).into();
    }
    Ok(body)
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
        OutContent::Choices(question) => choices(question),
        OutContent::AskPhone { text } => json!({"type": "contact_request", "body": text}),
        OutContent::Reaction { .. } | OutContent::AskLocation { .. } => {
            let what = content.what();
            return Err(Refusal::Unsupported { what });
        }
    })
}

fn choices(question: &OutChoices) -> Value {
    let option = |choice: &OutChoice| {
        let mut option = json!({"id": choice.id, "title": choice.title});
        set(&mut option, "description", choice.description.as_deref());
        option
    };
    let options: Vec<Value> = question.choices.iter().map(option).collect();
    let mut body = json!({"body": question.body});
    set(&mut body, "footer", question.footer.as_deref());
    if CHOICES.as_buttons(question) {
        body["type"] = "button".into();
        body["buttons"] = options.into();
        return body;
    }
    let open = question.open.as_deref().unwrap_or(LIST_OPENS_WITH);
    body["type"] = "list".into();
    body["button"] = open.into();
    // A section must have a title here; the only one has that of the button.
    body["sections"] = json!([{"title": open, "rows": options}]);
    body
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

//! What we send, in Meta's words.

use serde_json::{Map, Value, json};

use crate::connector::Refusal;
use crate::event::{MediaKind, MediaSource};
use crate::peer::{IdentityKind, PeerId};
use crate::send::{
    ButtonKind, OutChoices, OutContent, OutMedia, OutTemplate, Outgoing, Signal, TemplateValue,
};
use crate::whatsapp::meta::read::Scope;
use crate::whatsapp::{CHOICES, telephone};

/// The body of a message.
pub(crate) fn message(message: &Outgoing, scope: Scope<'_>) -> Result<Value, Refusal> {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), "whatsapp".into());
    body.insert("recipient_type".to_owned(), "individual".into());
    let is_code = matches!(&message.content, OutContent::Template(template)
        if template.category.eq_ignore_ascii_case("authentication"));
    let (field, id) = recipient(&message.to, scope)?;
    // Codes go to telephones alone (error 131062).
    if is_code && field != TO {
        return Err(Refusal::Address);
    }
    body.insert(field.to_owned(), id.into());
    let (kind, content) = content(&message.content);
    body.insert("type".to_owned(), kind.into());
    body.insert(kind.to_owned(), content);
    if let Some(reply_to) = &message.reply_to {
        body.insert("context".to_owned(), json!({"message_id": reply_to}));
    }
    // Comes back in statuses and echoes: how a message whose answer was lost is found again.
    let ours = message.message.as_str();
    body.insert("biz_opaque_callback_data".to_owned(), ours.into());
    Ok(Value::Object(body))
}

/// That a message was read, and perhaps that somebody types. Typing shows for 25 s at most.
pub(crate) fn signal(signal: &Signal) -> Value {
    let (message, typing) = match signal {
        Signal::Read { message, .. } => (message, false),
        Signal::Typing { message, .. } => (message, true),
    };
    let mut body =
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": message});
    if typing {
        body["typing_indicator"] = json!({"type": "text"});
    }
    body
}

/// The field in which a customer is named, and how.
fn recipient(to: &PeerId, scope: Scope<'_>) -> Result<(&'static str, String), Refusal> {
    if is_user(to, scope) {
        return Ok(("recipient", to.value.clone()));
    }
    digits(to).map(|digits| (TO, digits))
}

/// Whether an id is that of a user within our own portfolio: outside, it says nothing.
fn is_user(id: &PeerId, scope: Scope<'_>) -> bool {
    (id.kind == IdentityKind::WaBsuid && id.scope == scope.portfolio)
        || (id.kind == IdentityKind::WaParentBsuid && id.scope == scope.parent)
}

/// By which of their ids a customer is written to: by their telephone if they have one, for every kind of
/// message goes there.
pub(crate) fn address<'a>(ids: &'a [PeerId], scope: Scope<'_>) -> Option<&'a PeerId> {
    telephone(ids).or_else(|| ids.iter().find(|id| is_user(id, scope)))
}

/// A customer to be kept from writing.
pub(crate) fn block(customer: &PeerId, scope: Scope<'_>) -> Result<Value, Refusal> {
    let (field, id) = recipient(customer, scope)?;
    let field = if field == TO { "user" } else { "user_id" };
    Ok(json!({"messaging_product": "whatsapp", "block_users": [{field: id}]}))
}

/// The telephone of a customer in digits, as all providers take it.
pub(crate) fn digits(to: &PeerId) -> Result<String, Refusal> {
    let is_telephone = matches!(to.kind, IdentityKind::WaId | IdentityKind::Phone);
    let digits = to.value.strip_prefix('+').unwrap_or(&to.value);
    let is_number = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (is_telephone && is_number)
        .then(|| digits.to_owned())
        .ok_or(Refusal::Address)
}

fn content(content: &OutContent) -> (&'static str, Value) {
    match content {
        OutContent::Text { text, preview } => {
            ("text", json!({"body": text, "preview_url": preview}))
        }
        OutContent::Media(media) => (media.kind.as_str(), file(media)),
        OutContent::Location(place) => {
            let mut body = json!({"latitude": place.latitude, "longitude": place.longitude});
            set(&mut body, "name", place.name.as_deref());
            set(&mut body, "address", place.address.as_deref());
            ("location", body)
        }
        OutContent::Template(out) => ("template", template(out)),
        OutContent::Choices(question) => ("interactive", choices(question)),
        OutContent::Reaction { message, emoji } => {
            let emoji = emoji.as_deref().unwrap_or_default();
            ("reaction", json!({"message_id": message, "emoji": emoji}))
        }
        OutContent::AskPhone { text } => (
            "interactive",
            ask("request_contact_info", "request_contact_info", text),
        ),
        OutContent::AskLocation { text } => (
            "interactive",
            ask("location_request_message", "send_location", text),
        ),
    }
}

fn ask(kind: &str, action: &str, text: &str) -> Value {
    json!({"type": kind, "body": {"text": text}, "action": {"name": action}})
}

fn file(media: &OutMedia) -> Value {
    let mut body = match &media.source {
        MediaSource::Id(id) => json!({"id": id}),
        MediaSource::Url(url) => json!({"link": url}),
    };
    // Sound and stickers have no words below them; only documents have names.
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
    if media.kind == MediaKind::Audio && media.voice {
        body["voice"] = true.into();
    }
    body
}

fn choices(question: &OutChoices) -> Value {
    let mut body = json!({"body": {"text": question.body}});
    if let Some(footer) = &question.footer {
        body["footer"] = json!({"text": footer});
    }
    if CHOICES.as_buttons(question) {
        let button = |choice: &crate::send::OutChoice| json!({"type": "reply", "reply": {"id": choice.id, "title": choice.title}});
        let buttons: Vec<Value> = question.choices.iter().map(button).collect();
        body["type"] = "button".into();
        body["action"] = json!({"buttons": buttons});
        return body;
    }
    let row = |choice: &crate::send::OutChoice| {
        let mut row = json!({"id": choice.id, "title": choice.title});
        set(&mut row, "description", choice.description.as_deref());
        row
    };
    let rows: Vec<Value> = question.choices.iter().map(row).collect();
    let open = question.open.as_deref().unwrap_or(LIST_OPENS_WITH);
    body["type"] = "list".into();
    body["action"] = json!({"button": open, "sections": [{"rows": rows}]});
    body
}

fn template(out: &OutTemplate) -> Value {
    let mut components = vec![];
    if let Some(media) = &out.header_media {
        let kind = media.kind.as_str();
        let parameter =
            json!({"type": kind, kind: file(&OutMedia { caption: None, ..media.clone() })});
        components.push(json!({"type": "header", "parameters": [parameter]}));
    } else if !out.header.is_empty() {
        components.push(json!({"type": "header", "parameters": values(&out.header)}));
    }
    if !out.body.is_empty() {
        components.push(json!({"type": "body", "parameters": values(&out.body)}));
    }
    for button in &out.buttons {
        let (kind, field) = match button.kind {
            ButtonKind::QuickReply => ("payload", "payload"),
            ButtonKind::Url => ("text", "text"),
            ButtonKind::CopyCode => ("coupon_code", "coupon_code"),
        };
        components.push(json!({
            "type": "button", "sub_type": button.kind, "index": button.index.to_string(),
            "parameters": [{"type": kind, field: button.value}],
        }));
    }
    json!({"name": out.name, "language": {"code": out.language}, "components": components})
}

fn values(values: &[TemplateValue]) -> Vec<Value> {
    let value = |value: &TemplateValue| {
        let mut parameter = json!({"type": "text", "text": value.text});
        let is_place = value.name.bytes().all(|byte| byte.is_ascii_digit());
        let name = Some(value.name.as_str()).filter(|_| !is_place);
        set(&mut parameter, "parameter_name", name);
        parameter
    };
    values.iter().map(value).collect()
}

/// Sets a field that may be left out.
pub(crate) fn set(body: &mut Value, field: &str, value: Option<&str>) {
    if let Some(value) = value {
        body[field] = value.into();
    }
}

/// The field of a telephone.
const TO: &str = "to";

/// What opens a list whose maker said nothing; a word alike in Portuguese and Spanish.
pub(crate) const LIST_OPENS_WITH: &str = "Menu";

//! Another system of the company's, which speaks to the generic channel: it posts what its customers write,
//! and hears by webhook what happens.

use serde_json::{Value, json};

use super::proof::{Signing, standard};
use super::{ApiAnswer, ApiRequest, News, maybe, rfc3339, text, webhook};
use crate::provider::Provider;
use crate::world::delivery::Webhook;
use crate::world::{
    Content, Customer, File, Message, Notice, Progress, Recipient, Sending, Shape, Topic, World,
};

const ERP: Provider = Provider::Erp;

/// What the ERP posts: messages to `receive_hook`, whatever else happens to `events` beside it.
pub(super) fn tell(
    world: &World,
    now_ms: i64,
    customer: Option<&Customer>,
    news: &News<'_>,
) -> Option<Webhook> {
    let customer = customer?;
    let mut target = world.account(ERP).webhook.clone()?;
    let ticket = world.chat(ERP, &customer.id).ticket?;
    let (body, label) = match news {
        News::Wrote(message) => (
            received(world, now_ms, customer, &ticket, message),
            "message",
        ),
        News::Edited { of, text, .. } => {
            let body = json!({
                "external_conversation_id": ticket, "type": "message_edited",
                "external_message_id": of.own_id, "text": text,
            });
            (body, "edit")
        }
        News::Revoked { of, .. } => {
            let body = json!({
                "external_conversation_id": ticket, "type": "message_deleted",
                "external_message_id": of.own_id,
            });
            (body, "revoke")
        }
        News::Status(_, Progress::Read) => {
            let body = json!({
                "external_conversation_id": ticket, "type": "read", "sent_at": rfc3339(now_ms),
            });
            (body, "read")
        }
        News::Taken(_)
        | News::Status(..)
        | News::Reacted { .. }
        | News::Echoed(_)
        | News::NumberChanged { .. }
        | News::Template(_) => return None,
    };
    if label != "message" {
        target.url = target.url.replace("/receive_hook", "/events");
    }
    Some(webhook(
        &target,
        body.to_string().into_bytes(),
        Signing::Shared,
        label,
    ))
}

fn received(
    world: &World,
    now_ms: i64,
    customer: &Customer,
    ticket: &str,
    message: &Message,
) -> Value {
    let mut body = json!({
        "external_message_id": message.own_id,
        "external_conversation_id": ticket,
        "sent_at": rfc3339(message.at_ms),
        "customer": {
            "external_id": format!("C-{}", customer.id),
            "name": customer.name,
            "phone": format!("+{}", customer.phone),
        },
        "type": "text",
        "attributes": {"origem": "simulador"},
    });
    match &message.content {
        Content::Text { text } => body["text"] = json!(text),
        Content::File(file) => {
            body["type"] = json!("file");
            if let Some(caption) = &file.caption {
                body["text"] = json!(caption);
            }
            body["attachments"] = json!([{
                "url": world.link(ERP, &file.file, now_ms),
                "filename": file.name.as_deref().unwrap_or("arquivo"),
                "mime_type": file.mime.split(';').next().unwrap_or_default(),
                "size": file.bytes,
                "sha256": file.sha256,
            }]);
        }
        Content::Pressed { title, .. } => body["text"] = json!(title),
        Content::Location {
            latitude,
            longitude,
            name,
            ..
        } => {
            let name = name.as_deref().unwrap_or_default();
            body["text"] = json!(format!(
                "{name} https://maps.example/?q={latitude},{longitude}"
            ));
        }
        Content::Contacts { cards } => {
            let lines = cards.iter();
            let lines: Vec<String> = lines
                .map(|card| format!("{} {}", card.name, card.phones.join(" ")))
                .collect();
            body["text"] = json!(lines.join("\n"));
        }
        Content::Unsupported { what } => body["text"] = json!(format!("({what})")),
        Content::Question(_)
        | Content::Link { .. }
        | Content::Template(_)
        | Content::Asks { .. }
        | Content::Notice { .. } => body["text"] = json!(""),
    }
    if let Some(quoted) = message.reply_to.and_then(|id| world.message(id)) {
        body["reply_to_external_message_id"] = json!(quoted.own_id);
    }
    body
}

/// Answers what the company's own webhook posts.
pub(super) fn handle(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let segments = request.segments();
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["files", token]) => {
            super::linked_file(world, now_ms, ERP, token).unwrap_or_else(|| ApiAnswer::empty(404))
        }
        ("POST", ["webhook"]) => match genuine(world, request) {
            Ok(()) => noticed(world, now_ms, request),
            Err(why) => ApiAnswer::json(401, &json!({"error": why})).labelled("forged"),
        },
        _ => ApiAnswer::empty(404),
    }
}

/// Whether a notice is signed as Standard Webhooks says, with the secret of the channel. The time in it is
/// not compared with the simulated clock, which people move.
fn genuine(world: &World, request: &ApiRequest) -> Result<(), &'static str> {
    let secret = world.account(ERP).signing_secret.as_deref();
    let secret = secret.ok_or("the simulator was not told the secret of the channel")?;
    let [id, at, signatures] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| request.header(name));
    if id.is_empty() || at.parse::<i64>().is_err() {
        return Err("webhook-id and webhook-timestamp are missing");
    }
    let expected = standard(secret, id, at, &request.body);
    let is_signed = signatures.split(' ').any(|given| given == expected);
    is_signed.then_some(()).ok_or("the signature is another")
}

fn noticed(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let id = request.header("webhook-id").to_owned();
    let Some(body) = request.json() else {
        return ApiAnswer::empty(400);
    };
    let event = text(&body, "type").to_owned();
    let answer = ApiAnswer::empty(204).labelled(&event);
    if let Some(known) = world.notices.iter_mut().find(|notice| notice.id == id) {
        known.times += 1;
        return answer;
    }
    world.notices.push(Notice {
        id,
        at_ms: now_ms,
        times: 1,
        attendance: maybe(&body["attendance"], "id"),
        seq: body["seq"].as_i64(),
        event: event.clone(),
        body: body.clone(),
    });
    world.touch(Topic::State);
    show(world, now_ms, &event, &body);
    answer
}

/// Shows a notice to the customer that it is about.
fn show(world: &mut World, now_ms: i64, event: &str, body: &Value) {
    let ticket = text(body, "external_conversation_id");
    let mut chats = world.chats.iter();
    let chat = chats.find(|((provider, _), chat)| {
        *provider == ERP && !ticket.is_empty() && chat.ticket.as_deref() == Some(ticket)
    });
    let Some(((_, customer), _)) = chat else {
        return;
    };
    let customer = customer.clone();
    let attendance = &body["attendance"];
    let entry = world.chat_mut(ERP, &customer);
    if let Some(protocol) = maybe(attendance, "protocol") {
        entry.protocol = Some(protocol);
    }
    if let Some(status) = maybe(attendance, "status") {
        entry.status = Some(status);
    }
    let message = &body["message"];
    let (content, link) = if event == "message.created" {
        if text(message, "direction") != "outbound" {
            return;
        }
        written(message)
    } else if event.starts_with("attendance.") || event.starts_with("tabulation.") {
        let text = text(&attendance["service"], "name").to_owned();
        let event = event.to_owned();
        (Content::Notice { event, text }, None)
    } else {
        return;
    };
    let sending = Sending {
        provider: ERP,
        to: Recipient::Number(
            world
                .customers
                .get(&customer)
                .map(|customer| customer.wa_id.clone())
                .unwrap_or_default(),
        ),
        content,
        link,
        reply_to: maybe(message, "reply_to_external_message_id"),
        correlation: maybe(message, "id"),
        status_url: None,
        own_id: maybe(message, "id"),
    };
    // Its refusals are WhatsApp's, which is not in between here.
    let _ = world.send(now_ms, sending);
}

fn written(message: &Value) -> (Content, Option<String>) {
    let file = message["attachments"]
        .as_array()
        .and_then(|list| list.first());
    let words = maybe(message, "text");
    let Some(file) = file else {
        let text = words.unwrap_or_default();
        return (Content::Text { text }, None);
    };
    let mime = text(file, "mime_type").to_owned();
    let content = Content::File(File {
        file: String::new(),
        shape: Shape::of_mime(&mime),
        mime,
        name: maybe(file, "filename"),
        caption: words,
        voice: false,
        bytes: file["size"].as_u64().unwrap_or(0),
        sha256: text(file, "sha256").to_owned(),
    });
    (content, maybe(file, "url"))
}

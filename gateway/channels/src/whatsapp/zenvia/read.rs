//! Webhooks of Zenvia: a message, which may have several contents, or the status of one content.

use serde_json::Value;

use crate::connector::Unreadable;
use crate::event::{
    Choice, ChoiceKind, Content, Delivery, Echo, Event, EventKind, HealthLevel, Incoming, Media,
    MediaSource, Referral, Status, key,
};
use crate::failure::Failure;
use crate::health::{Fact, Finding};
use crate::json::{self, Fields};
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::send::Response;
use crate::whatsapp::errors::{self, Meaning, code_text};
use crate::whatsapp::meta::content;
use crate::whatsapp::{kind_of_mime, plausible};

pub(super) fn read(body: &[u8]) -> Result<Vec<Event>, Unreadable> {
    let root = json::parse(body)?;
    let kind = root
        .text("type")
        .ok_or(Unreadable::Shape("a webhook of Zenvia"))?;
    let message = root.at("message");
    let status = root.at("messageStatus");
    let times = [message, status, &root];
    let at_ms = times
        .iter()
        .find_map(|node| time_ms(&node.text("timestamp")?));
    let event = |(key, account, kind)| Event {
        key,
        account,
        at_ms,
        kind,
    };
    let found = match kind.as_str() {
        "MESSAGE" => messages(message),
        "MESSAGE_STATUS" => status_of(&root).into_iter().collect(),
        _ => vec![],
    };
    if found.is_empty() {
        let raw = root.clone();
        let key = key(&[&kind, &json::fingerprint(&root)]);
        let kind = EventKind::Unsupported { kind, raw };
        return Ok(vec![event((key, None, kind))]);
    }
    Ok(found.into_iter().map(event).collect())
}

type Found = (String, Option<String>, EventKind);

/// One event a content: what is sent as one message there is several here.
fn messages(message: &Value) -> Vec<Found> {
    let Some(id) = message.id("id") else {
        return vec![];
    };
    let is_ours = message.text("direction").as_deref() == Some("OUT");
    let (ours, theirs) = if is_ours {
        ("from", "to")
    } else {
        ("to", "from")
    };
    let visitor = message.at("visitor");
    let number = message.id(theirs);
    let number = number.map(|number| PeerId::new(IdentityKind::WaId, number));
    let peer = Peer {
        ids: number.into_iter().collect(),
        name: visitor.text("name").or_else(|| visitor.text("firstName")),
    };
    let reply_to = reply_to(message);
    let contents = message.list("contents").iter().enumerate();
    let found = contents.map(|(index, body)| {
        // The first has the id of the message, by which statuses and answers know it.
        let id = if index == 0 {
            id.clone()
        } else {
            format!("{id}/{index}")
        };
        let content = content_of(body);
        let peer = peer.clone();
        let key = key(&[&id]);
        let kind = if is_ours {
            EventKind::Echo(Echo {
                id,
                correlation: None,
                to: peer,
                content,
                reply_to: reply_to.clone(),
            })
        } else {
            EventKind::Message(Incoming {
                id,
                from: peer,
                content,
                attachments: vec![],
                reply_to: reply_to.clone(),
                forwarded: None,
                referral: referral(message.at("referral")),
            })
        };
        (key, message.id(ours), kind)
    });
    found.collect()
}

/// The message that it answers: by its id, and by the place of the content where it is not the first.
fn reply_to(message: &Value) -> Option<String> {
    let id = message.id("idRef")?;
    let part = message.whole("contentRef").filter(|part| *part > 0);
    Some(part.map_or_else(|| id.clone(), |part| format!("{id}/{part}")))
}

/// The advertisement that brought the customer.
fn referral(referral: &Value) -> Option<Referral> {
    let source = referral.at("source");
    let found = Referral {
        kind: source.text("type"),
        id: source.id("id"),
        url: source.text("url"),
        headline: referral.text("headline"),
        body: referral.text("body"),
        media_url: None,
        click: referral.text("ctwaId"),
    };
    (found != Referral::default()).then_some(found)
}

fn content_of(body: &Value) -> Content {
    let kind = body.text("type").unwrap_or_else(|| "?".to_owned());
    let content = match kind.as_str() {
        "text" => text(body),
        "file" => file(body),
        "location" => content::location(body),
        "contacts" => content::cards(body.list("contacts")),
        _ => None,
    };
    let raw = body.clone();
    content.unwrap_or(Content::Unsupported { kind, raw })
}

/// A press on a button comes as text with what we called the button.
fn text(body: &Value) -> Option<Content> {
    let text = body.text("text")?;
    Some(match body.text("payload") {
        Some(id) => Content::Choice(Choice {
            among: ChoiceKind::Buttons,
            id,
            title: text,
            answers: None,
        }),
        None => Content::Text { text },
    })
}

fn file(body: &Value) -> Option<Content> {
    let mime = body.text("fileMimeType");
    Some(Content::Media(Media {
        kind: kind_of_mime(mime.as_deref().unwrap_or_default()),
        source: MediaSource::Url(body.text("fileUrl")?),
        mime,
        name: body.text("fileName"),
        caption: body.text("fileCaption"),
        voice: false,
        sha256: None,
        bytes: None,
    }))
}

/// To where Zenvia calls with messages of WhatsApp and their statuses.
pub(super) fn subscriptions(response: &Response) -> Result<Vec<Finding>, Failure> {
    let body = json::parse(&response.body).unwrap_or_default();
    let list = body.as_array().filter(|_| response.status < 300);
    let list = list.ok_or_else(|| errors::of_http(response))?;
    let finding = |event: &str| {
        let is_it = |one: &&Value| {
            one.text("eventType").as_deref() == Some(event)
                && one.at("criteria").text("channel").as_deref() == Some("whatsapp")
                && one.text("status").as_deref() == Some("ACTIVE")
        };
        let url = list
            .iter()
            .find(is_it)
            .and_then(|one| one.at("webhook").text("url"));
        match url {
            Some(url) => Finding::new(Fact::Webhook, format!("{event} {url}"), HealthLevel::Note),
            None => Finding::new(Fact::Webhook, event, HealthLevel::Alarm),
        }
    };
    Ok(vec![finding("MESSAGE"), finding("MESSAGE_STATUS")])
}

fn status_of(root: &Value) -> Option<Found> {
    let message = root.id("messageId")?;
    let status = root.at("messageStatus");
    let word = status.text("code")?;
    let state = match word.as_str() {
        "SENT" => Delivery::Sent,
        "DELIVERED" => Delivery::Delivered,
        "READ" => Delivery::Read,
        "NOT_DELIVERED" | "REJECTED" => Delivery::Failed,
        _ => return None,
    };
    // One status a content: what is sent as one message may come to several ends.
    let part = root.whole("contentIndex");
    let part: u32 = part.and_then(|part| part.try_into().ok()).unwrap_or(0);
    let key = key(&[&message, &part.to_string(), &word]);
    let kind = EventKind::Status(Status {
        message,
        correlation: root.at("message").text("externalId"),
        state,
        failure: (state == Delivery::Failed).then(|| failure(status)),
        part,
        learned: vec![],
    });
    Some((key, None, kind))
}

/// Zenvia tells the reason in words, in which the code of WhatsApp may stand.
fn failure(status: &Value) -> Failure {
    let cause = status.list("causes").first().unwrap_or(&Value::Null);
    let texts = [
        cause.text("details"),
        cause.text("reason"),
        status.text("cause"),
        status.text("description"),
    ];
    let text = texts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let code = cause.whole("channelErrorCode").or_else(|| code_in(&text));
    let meaning = code.and_then(errors::meta).unwrap_or(Meaning::UNKNOWN);
    meaning.failure(code_text(code), &text)
}

/// A code of WhatsApp within words: six digits that mean something.
fn code_in(text: &str) -> Option<i64> {
    let numbers = text.split(|letter: char| !letter.is_ascii_digit());
    let six = numbers.filter(|digits| digits.len() == 6);
    six.filter_map(|digits| digits.parse().ok())
        .find(|code| errors::meta(*code).is_some())
}

/// RFC 3339 in milliseconds since 1970; none where it cannot be a time of theirs.
fn time_ms(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    plausible(time.as_millisecond())
}

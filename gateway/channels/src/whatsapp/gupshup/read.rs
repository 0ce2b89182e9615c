//! Webhooks of Gupshup.
//!
//! ```text
//!  { app, timestamp (ms), version: 2, type: message | message-event | billing-event | user-event …, payload }
//! ```

use serde_json::Value;

use crate::connector::Unreadable;
use crate::event::{
    Billed, Choice, ChoiceKind, Consent, Content, Delivery, Event, EventKind, Incoming, Media,
    MediaKind, MediaSource, Reaction, Side, Status, TemplateChange, TemplateNews, key,
};
use crate::json::{self, Fields};
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::whatsapp::errors::{self, Meaning};
use crate::whatsapp::meta::read::Scope;
use crate::whatsapp::meta::{content, news, read};
use crate::whatsapp::{either_ms, errors::code_text};

/// Reads a webhook of `app`, which is what an account is called here, whatever Meta calls it.
pub(super) fn read(body: &[u8], app: &str, scope: Scope<'_>) -> Result<Vec<Event>, Unreadable> {
    let root = json::parse(body)?;
    if root.get("object").is_some() {
        let mut events = read::events(&root, scope)?;
        let accounts = events.iter_mut().map(|event| &mut event.account);
        accounts.for_each(|account| *account = Some(app.to_owned()));
        return Ok(events);
    }
    let kind = root
        .text("type")
        .ok_or(Unreadable::Shape("a webhook of Gupshup"))?;
    let payload = root.at("payload");
    let read = match kind.as_str() {
        "message" => message(payload),
        "message-event" => status(payload),
        "billing-event" => billed(payload),
        "user-event" => consent(&root, payload),
        "template-event" | "account-event" | "system-event" => template(&root, payload),
        _ => None,
    };
    let (key, kind) = read.unwrap_or_else(|| {
        let raw = root.clone();
        let key = key(&[&kind, &json::fingerprint(&root)]);
        (key, EventKind::Unsupported { kind, raw })
    });
    // What is told of an event knows its time better than the envelope.
    let own = payload.at("payload").whole("ts");
    Ok(vec![Event {
        key,
        account: root.text("app"),
        at_ms: own.or_else(|| root.whole("timestamp")).and_then(either_ms),
        kind,
    }])
}

type Found = Option<(String, EventKind)>;

fn message(payload: &Value) -> Found {
    let id = payload.id("id")?;
    let body = payload.at("payload");
    let kind = payload.text("type").unwrap_or_else(|| "?".to_owned());
    let from = sender(payload);
    let context = payload.at("context");
    if let ("reaction", Some(of)) = (kind.as_str(), reacted_to(body)) {
        let (peer, by, emoji) = (from, Side::Customer, body.text("emoji"));
        #[rustfmt::skip]
        let reaction = Reaction { peer, by, message: of, emoji };
        return Some((key(&[&id]), EventKind::Reaction(reaction)));
    }
    let raw = || Content::Unsupported {
        kind: kind.clone(),
        raw: payload.clone(),
    };
    let incoming = Incoming {
        id: id.clone(),
        from,
        content: content_of(&kind, body).unwrap_or_else(raw),
        attachments: vec![],
        // Our own message is known by the id that Gupshup gave it when we sent it.
        reply_to: context.id("gsId").or_else(|| context.id("id")),
        forwarded: content::forwarded(context),
        referral: content::referral(payload.at("referral")),
    };
    Some((key(&[&id]), EventKind::Message(incoming)))
}

fn reacted_to(body: &Value) -> Option<String> {
    let ids = ["gsId", "msgId", "id"];
    ids.iter().find_map(|field| body.id(field))
}

fn sender(payload: &Value) -> Peer {
    let sender = payload.at("sender");
    let number = payload.id("source").or_else(|| sender.id("phone"));
    let number = number.map(|number| PeerId::new(IdentityKind::WaId, number));
    Peer {
        ids: number.into_iter().collect(),
        name: sender.text("name"),
    }
}

fn content_of(kind: &str, body: &Value) -> Option<Content> {
    let choice = |among, id: Option<String>, title: Option<String>| {
        let title = title?;
        let id = id.unwrap_or_else(|| title.clone());
        let answers = None;
        #[rustfmt::skip]
        let choice = Choice { among, id, title, answers };
        Some(Content::Choice(choice))
    };
    match kind {
        "text" => body.text("text").map(|text| Content::Text { text }),
        "image" => media(MediaKind::Image, body),
        "video" => media(MediaKind::Video, body),
        "audio" => media(MediaKind::Audio, body),
        "file" => media(MediaKind::Document, body),
        "sticker" => media(MediaKind::Sticker, body),
        "location" => content::location(body),
        "contact" => content::cards(body.list("contacts")),
        // `id` is what we called the question; the answer's own is the text that comes back.
        "button_reply" => choice(
            ChoiceKind::Buttons,
            body.id("postbackText"),
            body.text("title"),
        ),
        "list_reply" => choice(
            ChoiceKind::List,
            body.id("postbackText"),
            body.text("title"),
        ),
        "quick_reply" => choice(
            ChoiceKind::Template,
            body.id("postbackText"),
            body.text("text"),
        ),
        _ => None,
    }
}

fn media(kind: MediaKind, body: &Value) -> Option<Content> {
    Some(Content::Media(Media {
        kind,
        source: MediaSource::Url(body.text("url")?),
        mime: body.text("contentType"),
        // The file is named for documents; for the others it is a number of Gupshup's.
        name: body.text("name").filter(|_| kind == MediaKind::Document),
        caption: body.text("caption"),
        voice: body.flag("voice"),
        sha256: None,
        bytes: None,
    }))
}

fn status(payload: &Value) -> Found {
    let word = payload.text("type")?;
    let state = match word.as_str() {
        "enqueued" => Delivery::Accepted,
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "read" => Delivery::Read,
        "failed" => Delivery::Failed,
        _ => return None,
    };
    // A message that was refused at once has no other id than ours.
    let message = payload.id("gsId").or_else(|| payload.id("id"))?;
    let details = payload.at("payload");
    let failure = (state == Delivery::Failed).then(|| {
        let code = details.whole("code");
        let meaning = code.and_then(errors::gupshup).unwrap_or(Meaning::UNKNOWN);
        let reason = details.text("reason").unwrap_or_default();
        meaning.failure(code_text(code), &reason)
    });
    let status = Status {
        message: message.clone(),
        correlation: None,
        state,
        failure,
        part: 0,
        learned: vec![],
    };
    Some((key(&[&message, &word]), EventKind::Status(status)))
}

fn billed(payload: &Value) -> Found {
    let (deductions, references) = (payload.at("deductions"), payload.at("references"));
    let message = references.id("gsId").or_else(|| references.id("id"))?;
    let billed = Billed {
        message: message.clone(),
        correlation: None,
        category: deductions
            .text("category")
            .or_else(|| deductions.text("type"))?,
        // What is deducted is billable unless it says that it is not.
        billable: deductions.at("billable") != &Value::Bool(false),
        model: deductions.text("model"),
        ground: None,
    };
    Some((key(&[&message, "billed"]), EventKind::Billed(billed)))
}

fn consent(root: &Value, payload: &Value) -> Found {
    let marketing = match payload.text("type")?.as_str() {
        "opted-in" => true,
        "opted-out" => false,
        _ => return None,
    };
    let number = PeerId::new(IdentityKind::WaId, payload.id("phone")?);
    let (ids, name) = (vec![number], None);
    let peer = Peer { ids, name };
    let kind = EventKind::Consent(Consent { peer, marketing });
    Some((key(&["user-event", &json::fingerprint(root)]), kind))
}

fn template(root: &Value, payload: &Value) -> Found {
    let state = news::template_state(&payload.text("status")?)?;
    let reason = payload.text("rejectedReason");
    let news = TemplateNews {
        id: payload.id("id"),
        name: payload.text("elementName")?,
        language: payload.text("languageCode"),
        change: TemplateChange::State { state, reason },
    };
    let key = key(&["template-event", &json::fingerprint(root)]);
    Some((key, EventKind::Template(news)))
}

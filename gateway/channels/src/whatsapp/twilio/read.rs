//! Webhooks of Twilio: a form for each message and each status. Twilio tells no time.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::connector::{BODY_BYTES_MAX, Unreadable};
use crate::event::{
    Choice, ChoiceKind, Content, Delivery, Event, EventKind, Forwarded, Incoming, Location, Media,
    MediaSource, Referral, Status, key,
};
use crate::json::clean;
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::whatsapp::errors::{self, Meaning};
use crate::whatsapp::kind_of_mime;

use super::FIELDS_MAX;

pub(super) fn read(body: &[u8]) -> Result<Vec<Event>, Unreadable> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Unreadable::TooLong(body.len()));
    }
    let form = Form::read(body)?;
    let id = form.text("MessageSid").or_else(|| form.text("SmsSid"));
    let id = id.ok_or(Unreadable::Shape("a webhook of Twilio"))?;
    let word = form.text("MessageStatus").filter(|word| word != "received");
    let (key, account, kind) = match word {
        Some(word) => (key(&[&id, &word]), "From", status(&form, &id, &word)),
        None => (key(&[&id]), "To", EventKind::Message(message(&form, id))),
    };
    Ok(vec![Event {
        key,
        account: form.number(account),
        at_ms: None,
        kind,
    }])
}

/// The parameters; of one that is there twice, the first.
struct Form(BTreeMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let mut fields = BTreeMap::new();
        for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
            if count >= FIELDS_MAX {
                return Err(Unreadable::TooMany);
            }
            let value = clean(&value).unwrap_or_default();
            fields.entry(name.replace('\0', "")).or_insert(value);
        }
        Ok(Self(fields))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The digits of `whatsapp:+5511…`.
    fn number(&self, name: &str) -> Option<String> {
        let number = self.text(name)?;
        let number = number.strip_prefix("whatsapp:").unwrap_or(&number);
        let digits = number.strip_prefix('+').unwrap_or(number);
        Some(digits.to_owned())
    }

    fn raw(&self) -> Value {
        let fields = self.0.iter();
        fields
            .map(|(name, value)| (name.clone(), Value::from(value.clone())))
            .collect()
    }
}

fn message(form: &Form, id: String) -> Incoming {
    let number = form.text("WaId").or_else(|| form.number("From"));
    let number = number.map(|number| PeerId::new(IdentityKind::WaId, number));
    let mut files = files(form).into_iter();
    let content = choice(form)
        .or_else(|| location(form))
        .or_else(|| files.next().map(Content::Media))
        .or_else(|| form.text("Body").map(|text| Content::Text { text }));
    Incoming {
        id,
        from: Peer {
            ids: number.into_iter().collect(),
            name: form.text("ProfileName"),
        },
        content: content.unwrap_or_else(|| Content::Unsupported {
            kind: form.text("MessageType").unwrap_or_else(|| "?".to_owned()),
            raw: form.raw(),
        }),
        attachments: files.collect(),
        reply_to: form.text("OriginalRepliedMessageSid"),
        forwarded: forwarded(form),
        referral: referral(form),
    }
}

fn choice(form: &Form) -> Option<Content> {
    let (among, id, title) = if let Some(title) = form.text("ListTitle") {
        (ChoiceKind::List, form.text("ListId"), title)
    } else {
        let among = match form.text("MessageType").as_deref() {
            Some("interactive") => ChoiceKind::Buttons,
            _ => ChoiceKind::Template,
        };
        (among, form.text("ButtonPayload"), form.text("ButtonText")?)
    };
    Some(Content::Choice(Choice {
        among,
        id: id.unwrap_or_else(|| title.clone()),
        title,
        answers: None,
    }))
}

fn location(form: &Form) -> Option<Content> {
    let degrees = |name: &str| {
        let degrees: f64 = form.text(name)?.parse().ok()?;
        degrees.is_finite().then_some(degrees)
    };
    Some(Content::Location(Location {
        latitude: degrees("Latitude")?,
        longitude: degrees("Longitude")?,
        name: form.text("Label"),
        address: form.text("Address"),
    }))
}

/// The files; the words of the message stand below the first.
fn files(form: &Form) -> Vec<Media> {
    let count = form.text("NumMedia").and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(0);
    let file = |index: usize| {
        let mime = form.text(&format!("MediaContentType{index}"));
        Some(Media {
            kind: kind_of_mime(mime.as_deref().unwrap_or_default()),
            source: MediaSource::Url(form.text(&format!("MediaUrl{index}"))?),
            mime,
            name: None,
            caption: form.text("Body").filter(|_| index == 0),
            voice: false,
            sha256: None,
            bytes: None,
        })
    };
    (0..count.min(FILES_MAX)).filter_map(file).collect()
}

fn forwarded(form: &Form) -> Option<Forwarded> {
    let is = |name: &str| form.text(name).as_deref() == Some("true");
    if is("FrequentlyForwarded") {
        return Some(Forwarded::Often);
    }
    is("Forwarded").then_some(Forwarded::Once)
}

fn referral(form: &Form) -> Option<Referral> {
    let found = Referral {
        kind: form.text("ReferralSourceType"),
        id: form.text("ReferralSourceId"),
        url: form.text("ReferralSourceUrl"),
        headline: form.text("ReferralHeadline"),
        body: form.text("ReferralBody"),
        media_url: form.text("ReferralMediaUrl"),
        click: form.text("ReferralCtwaClid"),
    };
    (found != Referral::default()).then_some(found)
}

fn status(form: &Form, id: &str, word: &str) -> EventKind {
    let state = match word {
        "queued" | "accepted" | "scheduled" | "sending" => Delivery::Accepted,
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "read" => Delivery::Read,
        "failed" | "undelivered" | "canceled" => Delivery::Failed,
        _ => {
            let (kind, raw) = (format!("status {word}"), form.raw());
            return EventKind::Unsupported { kind, raw };
        }
    };
    let failure = (state == Delivery::Failed).then(|| {
        let code = form.text("ErrorCode").unwrap_or_else(|| "?".to_owned());
        let meaning = code.parse().ok().and_then(errors::twilio);
        let text = form.text("ErrorMessage").unwrap_or_default();
        meaning.unwrap_or(Meaning::UNKNOWN).failure(code, &text)
    });
    EventKind::Status(Status {
        message: id.to_owned(),
        correlation: None,
        state,
        failure,
        part: 0,
        learned: vec![],
    })
}

/// A message of Twilio has ten files at most.
const FILES_MAX: usize = 10;

//! Mail in the words that all channels share.
//!
//! An event says that a mail came and from whom, so that the same pipeline carries it; whatever only
//! mail has (its HTML, who had a copy, where it belongs) is read again from the bytes, which are kept.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::answer;
use super::document::Document;
use super::mail::{Address, File, FileKind, Kind, Mail};
use super::read::Unreadable;
use super::report::{Action, Bounce};
use super::subject::is_forward;
use crate::connector::Refusal;
use crate::event::{
    Consent, Content, Delivery, Event, EventKind, Forwarded, Health, HealthLevel, Incoming, Media,
    MediaKind, MediaSource, Status, key,
};
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::send::{OutContent, Outgoing};

/// What a mail tells.
///
/// The same mail, fetched twice or by two ways, has the same keys; another mail under the same
/// `Message-ID` has others, and is not lost.
pub fn of_mail(mail: &Mail) -> Vec<Event> {
    let at_ms = mail.date_ms;
    let event = |key: String, kind| Event {
        key,
        account: None,
        at_ms,
        kind,
    };
    let fingerprint = fingerprint(mail);
    match &mail.kind {
        Kind::Bounce(bounce) if !bounce.of.is_empty() => statuses(bounce)
            .map(|(recipient, status)| {
                event(
                    key(&["dsn", &fingerprint, recipient]),
                    EventKind::Status(status),
                )
            })
            .collect(),
        Kind::Receipt { of: Some(of) } => {
            let status = status(of, Delivery::Read);
            vec![event(
                key(&["mdn", &fingerprint]),
                EventKind::Status(status),
            )]
        }
        Kind::Complaint(complaint) => {
            let kind = match &complaint.recipient {
                Some(recipient) => EventKind::Consent(Consent {
                    peer: peer(recipient),
                    marketing: false,
                }),
                None => EventKind::Health(Health {
                    level: HealthLevel::Warning,
                    what: "complaint".to_owned(),
                    text: mail.subject.clone(),
                    raw: json!(complaint),
                }),
            };
            vec![event(key(&["arf", &fingerprint]), kind)]
        }
        Kind::Ordinary | Kind::AutoReply | Kind::Bounce(_) | Kind::Receipt { of: None } => {
            let id = mail
                .message_id
                .clone()
                .unwrap_or_else(|| fingerprint.clone());
            vec![event(
                key(&["mail", &fingerprint]),
                EventKind::Message(incoming(mail, id)),
            )]
        }
    }
}

/// Bytes that could not be read, as a message that people see: the file is there to be opened. Where
/// it was fetched is `place`, unique within the mailbox (`UIDVALIDITY/UID`, or the `UIDL`). Without bytes
/// there is no file.
pub fn of_unreadable(error: &Unreadable, raw: &[u8], place: &str) -> Event {
    let whole = Media {
        kind: MediaKind::Document,
        source: MediaSource::Id(RAW_FILE.to_owned()),
        mime: Some("message/rfc822".to_owned()),
        name: Some("mensagem.eml".to_owned()),
        caption: None,
        voice: false,
        sha256: Some(hex::encode(Sha256::digest(raw))),
        bytes: Some(raw.len() as u64),
    };
    let incoming = Incoming {
        id: place.to_owned(),
        from: Peer::default(),
        content: Content::Unsupported {
            kind: "mail".to_owned(),
            raw: json!({ "error": error.to_string() }),
        },
        attachments: if raw.is_empty() { vec![] } else { vec![whole] },
        reply_to: None,
        forwarded: None,
        referral: None,
    };
    Event {
        key: key(&["unreadable", place]),
        account: None,
        at_ms: None,
        kind: EventKind::Message(incoming),
    }
}

/// The bytes of a file that an event names by its id: of the mail as it was read, or all of `raw`.
pub fn file<'a>(mail: &'a Mail, raw: &'a [u8], id: &str) -> Option<&'a [u8]> {
    if id == RAW_FILE {
        return Some(raw);
    }
    let at: usize = id.strip_prefix(FILE_PREFIX)?.parse().ok()?;
    mail.files.get(at).map(|file| file.bytes.as_slice())
}

/// What a message of ours says, as the body of a mail.
///
/// # Errors
///
/// [`Refusal::Unsupported`] of what mail has not: templates, reactions, taps. [`Refusal::Address`] if
/// it is to go elsewhere than to an e-mail address.
pub fn body_of(outgoing: &Outgoing) -> Result<(Address, Document), Refusal> {
    if outgoing.to.kind != IdentityKind::Email {
        return Err(Refusal::Address);
    }
    let to = Address::parse(&outgoing.to.value).ok_or(Refusal::Address)?;
    let text = match &outgoing.content {
        OutContent::Text { text, .. } => text.clone(),
        OutContent::Media(media) => media.caption.clone().unwrap_or_default(),
        OutContent::Choices(choices) => {
            let mut text = choices.body.clone();
            for (at, choice) in choices.choices.iter().enumerate() {
                text.push_str(if at == 0 { "\n\n" } else { "\n" });
                text.push_str(&format!("{} - {}", at + 1, choice.title));
            }
            if let Some(footer) = &choices.footer {
                text.push_str(&format!("\n\n{footer}"));
            }
            text
        }
        OutContent::AskPhone { text } | OutContent::AskLocation { text } => text.clone(),
        OutContent::Location(place) => {
            let words = [place.name.clone(), place.address.clone()];
            let mut lines: Vec<String> = words.into_iter().flatten().collect();
            lines.push(format!("{}, {}", place.latitude, place.longitude));
            lines.join("\n")
        }
        OutContent::Template(_) | OutContent::Reaction { .. } => {
            let what = outgoing.content.what();
            return Err(Refusal::Unsupported { what });
        }
    };
    Ok((to, Document::from_text(&text)))
}

/// Who somebody is to mail.
pub fn peer(address: &Address) -> Peer {
    let id = PeerId::new(IdentityKind::Email, address.address.clone());
    Peer {
        ids: vec![id],
        name: address.name.clone(),
    }
}

/// The same for the same mail, whichever way it came: no field that servers add is in it.
fn fingerprint(mail: &Mail) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(mail.message_id.as_deref().unwrap_or_default().as_bytes());
    add(mail
        .author()
        .map_or("", |author| &author.address)
        .as_bytes());
    add(&mail.date_ms.unwrap_or_default().to_be_bytes());
    add(mail.subject.as_bytes());
    add(mail.text.as_bytes());
    for file in &mail.files {
        add(&file.bytes);
    }
    hex::encode(hash.finalize())
}

fn statuses(bounce: &Bounce) -> impl Iterator<Item = (&str, Status)> {
    let of = bounce.of.first().map_or("", String::as_str);
    bounce.recipients.iter().map(move |recipient| {
        let state = match recipient.action {
            Action::Failed => Delivery::Failed,
            Action::Delayed => Delivery::Accepted,
            Action::Relayed | Action::Expanded => Delivery::Sent,
            Action::Delivered => Delivery::Delivered,
        };
        let failure = answer::of_report(recipient);
        (
            recipient.address.as_str(),
            Status {
                failure,
                ..status(of, state)
            },
        )
    })
}

fn status(of: &str, state: Delivery) -> Status {
    // Our own ids begin with the message: see `token::message_id`.
    let correlation = of.split_once('.').map(|(message, _)| message.to_owned());
    Status {
        message: of.to_owned(),
        correlation,
        state,
        failure: None,
        part: 0,
        learned: vec![],
    }
}

fn incoming(mail: &Mail, id: String) -> Incoming {
    let files = mail.files.iter().enumerate();
    Incoming {
        id,
        from: mail.author().map(peer).unwrap_or_default(),
        content: Content::Text {
            text: mail.text.clone(),
        },
        attachments: files.map(|(at, file)| media(at, file)).collect(),
        reply_to: mail.in_reply_to.first().cloned(),
        forwarded: is_forward(&mail.subject).then_some(Forwarded::Once),
        referral: None,
    }
}

fn media(at: usize, file: &File) -> Media {
    let kind = match (&file.kind, file.mime.split('/').next()) {
        (FileKind::Plain, Some("image")) => MediaKind::Image,
        (FileKind::Plain, Some("video")) => MediaKind::Video,
        (FileKind::Plain, Some("audio")) => MediaKind::Audio,
        (_, _) => MediaKind::Document,
    };
    Media {
        kind,
        source: MediaSource::Id(format!("{FILE_PREFIX}{at}")),
        mime: Some(file.mime.clone()),
        name: file.name.clone(),
        caption: None,
        voice: false,
        sha256: Some(hex::encode(Sha256::digest(&file.bytes))),
        bytes: Some(file.bytes.len() as u64),
    }
}

/// The id of the whole mail among its files.
const RAW_FILE: &str = "raw";
/// The ids of the others: their place follows.
const FILE_PREFIX: &str = "file:";

//! What is posted to `receive_hook`: a message of a customer.

use std::collections::BTreeMap;

use desk::id::ServiceId;
use serde_json::Value;

use super::fields::{Fault, Faults, FieldFault, Reader, push};
use crate::connector::{BODY_BYTES_MAX, Unreadable};
use crate::event::{Content, Incoming, Media, MediaKind, MediaSource};
use crate::json;
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::send::host;

/// The longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// The most files of one message.
pub const ATTACHMENTS_MAX: usize = 20;
/// The most messages of one batch.
pub const BATCH_MAX: usize = 100;
/// The most fields of the caller's own, and the longest name and value, in characters.
pub const ATTRIBUTES_MAX: usize = 50;
const ATTRIBUTE_NAME_MAX: usize = 64;
const ATTRIBUTE_VALUE_MAX: usize = 1_000;
/// The longest id of theirs, in characters.
pub const ID_MAX: usize = 200;
const NAME_MAX: usize = 200;
const URL_MAX: usize = 2_000;

/// A message of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Their id of the conversation.
    pub conversation: String,
    /// The message; its id is theirs.
    pub message: Incoming,
    /// When it was written: milliseconds since 1970 (UTC).
    pub sent_at_ms: Option<i64>,
    /// The service that it is for; none is the channel's.
    pub service: Option<ServiceId>,
    /// How much it is to be preferred, from -10 to 10.
    pub priority: i64,
    /// Fields of the caller's own, shown to the agent.
    pub attributes: BTreeMap<String, String>,
    /// The same for the same body however it is spaced and ordered: the same id with another one is
    /// a conflict (409).
    pub fingerprint: String,
}

/// Reads what was posted to the generic channel `channel`.
///
/// # Errors
///
/// Every field that is wrong.
pub fn read(body: &[u8], channel: &str) -> Result<Received, Vec<FieldFault>> {
    let value = parsed(body)?;
    let mut faults = vec![];
    let received = of(String::new(), &value, channel, &mut faults);
    if faults.is_empty() {
        Ok(received)
    } else {
        Err(faults)
    }
}

/// Reads a batch: `{"messages": […]}`. All of it is taken, or none.
///
/// # Errors
///
/// Every field that is wrong.
pub fn read_batch(body: &[u8], channel: &str) -> Result<Vec<Received>, Vec<FieldFault>> {
    let value = parsed(body)?;
    let mut faults = vec![];
    let mut reader = Reader::new(String::new(), &value, &mut faults);
    let messages = reader.list("messages", BATCH_MAX, &mut faults);
    if messages.is_empty() && faults.is_empty() {
        push(&mut faults, "messages", Fault::Missing);
    }
    reader.end(&mut faults);
    let read = |(path, value)| of(path, value, channel, &mut faults);
    let received: Vec<Received> = messages.into_iter().map(read).collect();
    if faults.is_empty() {
        Ok(received)
    } else {
        Err(faults)
    }
}

/// The body as JSON; what is none is a fault of the whole.
pub(super) fn parsed(body: &[u8]) -> Result<Value, Vec<FieldFault>> {
    json::parse(body).map_err(|error| {
        let max = BODY_BYTES_MAX;
        let expected = "JSON, nested 64 levels deep at most";
        let fault = match error {
            Unreadable::TooLong(_) => Fault::TooLong { max },
            Unreadable::TooMany | Unreadable::Syntax(_) | Unreadable::Shape(_) => {
                Fault::Format { expected }
            }
        };
        let field = String::new();
        vec![FieldFault { field, fault }]
    })
}

fn of(path: String, value: &Value, channel: &str, faults: &mut Faults) -> Received {
    let mut reader = Reader::new(path, value, faults);
    let id = reader.needed("external_message_id", ID_MAX, faults);
    let conversation = reader.needed("external_conversation_id", ID_MAX, faults);
    let sent_at_ms = reader.time_ms("sent_at", faults);
    let from = customer(&mut reader, channel, faults);
    let service = service(&mut reader, faults);
    let expected = "a whole number from -10 to 10";
    let priority = reader.whole("priority", -10..=10, expected, faults);
    let (content, attachments) = content(&mut reader, faults);
    let reply_to = reader.text("reply_to_external_message_id", ID_MAX, faults);
    let attributes = attributes(&mut reader, faults);
    reader.end(faults);
    Received {
        conversation,
        message: Incoming {
            id,
            from,
            content,
            attachments,
            reply_to,
            forwarded: None,
            referral: None,
        },
        sent_at_ms,
        service,
        priority: priority.unwrap_or(0),
        attributes,
        fingerprint: json::fingerprint(value),
    }
}

fn customer(reader: &mut Reader<'_>, channel: &str, faults: &mut Faults) -> Peer {
    let path = reader.path("customer");
    let Some(value) = reader.value("customer") else {
        reader.missing("customer", faults);
        return Peer::default();
    };
    let before = faults.len();
    let mut reader = Reader::new(path, value, faults);
    let external = reader.text("external_id", ID_MAX, faults);
    let name = reader.text("name", NAME_MAX, faults);
    let email = reader.text("email", ID_MAX, faults);
    let phone = reader.text("phone", ID_MAX, faults);
    let document = document(&mut reader, faults);
    let is_email = |email: &String| {
        email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
    };
    if email.as_ref().is_some_and(|email| !is_email(email)) {
        let expected = "an e-mail address";
        push(faults, &reader.path("email"), Fault::Format { expected });
    }
    let digits = |phone: &String| phone.bytes().filter(u8::is_ascii_digit).count();
    if phone
        .as_ref()
        .is_some_and(|phone| !(8..=15).contains(&digits(phone)))
    {
        let expected = "a telephone, as in +5511987654321";
        push(faults, &reader.path("phone"), Fault::Format { expected });
    }
    let ids = [
        external.map(|id| PeerId::scoped(IdentityKind::Generic, channel, id)),
        document,
        phone.map(|phone| PeerId::new(IdentityKind::Phone, phone)),
        email.map(|email| PeerId::new(IdentityKind::Email, email)),
    ];
    let ids: Vec<PeerId> = ids.into_iter().flatten().collect();
    if ids.is_empty() && faults.len() == before {
        reader.missing("external_id", faults);
    }
    reader.end(faults);
    Peer { ids, name }
}

/// A CPF (11 digits) or a CNPJ (14 letters and digits). Their check digits are checked where the
/// identity is made.
fn document(reader: &mut Reader<'_>, faults: &mut Faults) -> Option<PeerId> {
    let text = reader.text("document", ID_MAX, faults)?;
    let is_written = |letter: &char| !matches!(letter, '.' | '-' | '/' | ' ');
    let bare: String = text.chars().filter(is_written).collect();
    let is_cpf = bare.len() == 11 && bare.bytes().all(|byte| byte.is_ascii_digit());
    let is_cnpj = bare.len() == 14 && bare.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_cpf {
        return Some(PeerId::new(IdentityKind::Cpf, bare));
    }
    if is_cnpj {
        return Some(PeerId::new(IdentityKind::Cnpj, bare.to_ascii_uppercase()));
    }
    let expected = "a CPF of 11 digits or a CNPJ of 14 letters and digits";
    push(faults, &reader.path("document"), Fault::Format { expected });
    None
}

fn service(reader: &mut Reader<'_>, faults: &mut Faults) -> Option<ServiceId> {
    let text = reader.text("service_id", ID_MAX, faults)?;
    let id = text.parse().ok();
    if id.is_none() {
        let expected = "the id of a service";
        push(
            faults,
            &reader.path("service_id"),
            Fault::Format { expected },
        );
    }
    id
}

/// The text, or the first file where there is no text.
fn content(reader: &mut Reader<'_>, faults: &mut Faults) -> (Content, Vec<Media>) {
    let before = faults.len();
    let kind = reader.text("type", ID_MAX, faults);
    if kind
        .as_deref()
        .is_some_and(|kind| !matches!(kind, "text" | "file"))
    {
        let expected = "text or file";
        push(faults, &reader.path("type"), Fault::Format { expected });
    }
    let text = reader.text("text", TEXT_BYTES_MAX, faults);
    if text
        .as_ref()
        .is_some_and(|text| text.len() > TEXT_BYTES_MAX)
    {
        let max = TEXT_BYTES_MAX;
        push(faults, &reader.path("text"), Fault::TooLong { max });
    }
    let list = reader.list("attachments", ATTACHMENTS_MAX, faults);
    let mut files: Vec<Media> = list
        .into_iter()
        .map(|(path, value)| attachment(path, value, faults))
        .collect();
    match text {
        Some(text) => (Content::Text { text }, files),
        None if !files.is_empty() => (Content::Media(files.remove(0)), files),
        None => {
            if faults.len() == before {
                reader.missing("text", faults);
            }
            let text = String::new();
            (Content::Text { text }, files)
        }
    }
}

fn attachment(path: String, value: &Value, faults: &mut Faults) -> Media {
    let before = faults.len();
    let mut reader = Reader::new(path, value, faults);
    let upload = reader.text("upload_id", ID_MAX, faults);
    let url = reader.text("url", URL_MAX, faults);
    let name = reader.text("filename", NAME_MAX, faults);
    let mime = reader.text("mime_type", ID_MAX, faults);
    let expected = "a number of bytes";
    let size = reader.whole("size", 0..=i64::MAX, expected, faults);
    let sha256 = reader.text("sha256", ID_MAX, faults);
    let is_hash =
        |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if sha256.as_ref().is_some_and(|hash| !is_hash(hash)) {
        let expected = "64 hexadecimal digits";
        push(faults, &reader.path("sha256"), Fault::Format { expected });
    }
    let source = match (upload, url) {
        (Some(id), None) => MediaSource::Id(id),
        (None, Some(url)) => {
            // Addresses inside are refused by whoever fetches it.
            if host(&url).is_none() {
                let expected = "a link of HTTP";
                push(faults, &reader.path("url"), Fault::Format { expected });
            }
            MediaSource::Url(url)
        }
        (None, None) => {
            if faults.len() == before {
                reader.missing("url", faults);
            }
            MediaSource::Url(String::new())
        }
        (Some(_), Some(_)) => {
            let expected = "left out, for there is an upload_id";
            push(faults, &reader.path("url"), Fault::Format { expected });
            MediaSource::Url(String::new())
        }
    };
    reader.end(faults);
    let kind = MediaKind::of_mime(mime.as_deref().unwrap_or_default());
    Media {
        kind,
        source,
        mime,
        name,
        caption: None,
        voice: false,
        sha256: sha256.map(|hash| hash.to_ascii_lowercase()),
        bytes: size.and_then(|size| size.try_into().ok()),
    }
}

/// Names with text, numbers or yes and no.
fn attributes(reader: &mut Reader<'_>, faults: &mut Faults) -> BTreeMap<String, String> {
    let path = reader.path("attributes");
    let mut attributes = BTreeMap::new();
    let Some(value) = reader.value("attributes") else {
        return attributes;
    };
    let Some(fields) = value.as_object() else {
        let expected = "an object";
        push(faults, &path, Fault::Type { expected });
        return attributes;
    };
    if fields.len() > ATTRIBUTES_MAX {
        let max = ATTRIBUTES_MAX;
        push(faults, &path, Fault::TooLong { max });
        return attributes;
    }
    for (name, value) in fields {
        let short: String = name.chars().take(ATTRIBUTE_NAME_MAX).collect();
        let field = format!("{path}.{short}");
        let text = match value {
            Value::String(text) => text.replace('\0', ""),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => {
                let expected = "text, a number, true or false";
                push(faults, &field, Fault::Type { expected });
                continue;
            }
        };
        let longest = [
            (short.len() < name.len(), ATTRIBUTE_NAME_MAX),
            (
                text.chars().count() > ATTRIBUTE_VALUE_MAX,
                ATTRIBUTE_VALUE_MAX,
            ),
        ];
        for (_, max) in longest.into_iter().filter(|(is_long, _)| *is_long) {
            push(faults, &field, Fault::TooLong { max });
        }
        attributes.insert(short.replace('\0', ""), text);
    }
    attributes
}

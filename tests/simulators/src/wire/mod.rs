//! The providers' words: requests of the company, and what it is told.
//!
//! Each provider has a file, or a folder. Pure: requests in, answers out.

mod bounds;
mod erp;
mod gupshup;
mod meta;
mod multipart;
pub mod proof;
mod twilio;
mod zenvia;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::provider::Provider;
use crate::world::delivery::Webhook;
use crate::world::template::Template;
use crate::world::{Customer, Message, Progress, Target, World};
use proof::Signing;

pub use meta::{Handshake, ascii};
pub(crate) use meta::{challenge, handshake};

/// Something that the company is told.
#[derive(Debug)]
pub(crate) enum News<'a> {
    /// A customer wrote.
    Wrote(&'a Message),
    /// The provider took a message of the company's.
    Taken(&'a Message),
    /// A message of the company's came so far.
    Status(&'a Message, Progress),
    /// A customer thinks something of a message.
    Reacted {
        of: &'a Message,
        emoji: Option<&'a str>,
        id: &'a str,
    },
    /// A customer wrote a message anew.
    Edited {
        of: &'a Message,
        text: &'a str,
        id: &'a str,
    },
    /// A customer took a message back.
    Revoked { of: &'a Message, id: &'a str },
    /// The company wrote on the telephone that has its number.
    Echoed(&'a Message),
    /// A customer has another number; who they were.
    NumberChanged { was: &'a Customer, id: &'a str },
    /// Meta says something of a template.
    Template(&'a Template),
}

/// What a provider tells the company of something; nothing where it has no words for it, or the company
/// named no webhook.
pub(crate) fn tell(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    customer: &str,
    news: &News<'_>,
) -> Vec<Webhook> {
    let customer = world.customers.get(customer).cloned();
    let customer = customer.as_ref();
    let told = match provider {
        Provider::Cloud | Provider::Dialog360 => {
            meta::tell(world, now_ms, provider, customer, news)
        }
        Provider::Gupshup => return gupshup::tell(world, now_ms, customer, news),
        Provider::Zenvia => zenvia::tell(world, now_ms, customer, news),
        Provider::Twilio => twilio::tell(world, now_ms, customer, news),
        Provider::Erp => erp::tell(world, now_ms, customer, news),
    };
    told.into_iter().collect()
}

/// A request of the company's to a provider.
#[derive(Clone, Debug, Default)]
pub struct ApiRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// Below the provider's prefix, with a slash at its beginning.
    pub path: String,
    /// Behind the question mark.
    pub query: String,
    /// With names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: Vec<u8>,
    /// Whether the address that it names answered the challenge, where it names one.
    pub handshake: Option<bool>,
}

impl ApiRequest {
    /// The segments of its path.
    fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|one| !one.is_empty()).collect()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A field of its query.
    fn asked(&self, name: &str) -> Option<String> {
        field(self.query.as_bytes(), name)
    }

    /// A field of its form.
    fn form(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// What a provider answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub body: Vec<u8>,
    /// Whether a message was taken: faults of answers strike those.
    pub(crate) took: bool,
    /// In one word, for the page.
    pub(crate) label: String,
}

impl ApiAnswer {
    fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            took: false,
            label: String::new(),
        }
    }

    fn file(mime: &str, bytes: &[u8]) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), mime.to_owned())],
            body: bytes.to_vec(),
            took: false,
            label: "file".to_owned(),
        }
    }

    fn empty(status: u16) -> Self {
        Self {
            status,
            headers: vec![],
            body: vec![],
            took: false,
            label: String::new(),
        }
    }

    fn labelled(self, label: &str) -> Self {
        let label = label.to_owned();
        Self { label, ..self }
    }

    fn of_message(self) -> Self {
        Self {
            took: (200..300).contains(&self.status),
            label: "message".to_owned(),
            ..self
        }
    }

    fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Answers a request of the company's to a provider.
pub fn handle(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    request: &ApiRequest,
) -> ApiAnswer {
    match provider {
        Provider::Cloud => meta::cloud(world, now_ms, request),
        Provider::Dialog360 => meta::dialog360(world, now_ms, request),
        Provider::Gupshup => gupshup::handle(world, now_ms, request),
        Provider::Zenvia => zenvia::handle(world, now_ms, request),
        Provider::Twilio => twilio::handle(world, now_ms, request),
        Provider::Erp => erp::handle(world, now_ms, request),
    }
}

/// What a provider answers that takes nothing: too many requests, or broken.
pub(crate) fn refusal(provider: Provider, status: u16, retry_after_s: Option<u32>) -> ApiAnswer {
    let answer = match provider {
        Provider::Cloud | Provider::Dialog360 => meta::refusal(status),
        Provider::Gupshup => gupshup::refusal(status),
        Provider::Zenvia => zenvia::refusal(status),
        Provider::Twilio => twilio::refusal(status),
        Provider::Erp => ApiAnswer::empty(status),
    };
    match retry_after_s {
        Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
        None => answer,
    }
}

/// Whether a request asks for a message to be sent, so that faults of sending strike it.
pub(crate) fn is_sending(provider: Provider, request: &ApiRequest) -> bool {
    let is_post = request.method == "POST";
    let last = request.segments().last().copied().unwrap_or_default();
    is_post
        && match provider {
            // Marks of reading come by the same way.
            Provider::Cloud | Provider::Dialog360 => {
                let asks = request.json().unwrap_or_default();
                matches!(last, "messages" | "marketing_messages") && asks.get("status").is_none()
            }
            Provider::Gupshup => last == "msg",
            Provider::Zenvia => last == "messages",
            Provider::Twilio => last == "Messages.json",
            Provider::Erp => false,
        }
}

/// A file under a short-lived link of a provider.
fn linked_file(world: &World, now_ms: i64, provider: Provider, token: &str) -> Option<ApiAnswer> {
    use crate::world::media;

    let id = media::of_token(&world.link_key, provider, token, now_ms)?;
    let kept = world.media.by_id(id)?;
    let name = kept
        .name
        .as_deref()
        .unwrap_or("arquivo")
        .replace(['"', '\r', '\n'], "");
    let disposition = format!("inline; filename=\"{name}\"");
    let is_plain = disposition.is_ascii();
    let answer = ApiAnswer::file(&kept.mime, &kept.bytes);
    Some(if is_plain {
        answer.with_header("content-disposition", disposition)
    } else {
        answer
    })
}

/// A webhook with a body of JSON.
fn webhook(target: &Target, body: Vec<u8>, signing: Signing, label: &str) -> Webhook {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let own = target.headers.iter();
    headers.extend(own.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    Webhook {
        url: target.url.clone(),
        headers,
        body,
        signing,
        label: label.to_owned(),
    }
}

/// A text in a node; empty where there is none.
fn text<'a>(node: &'a Value, field: &str) -> &'a str {
    node[field].as_str().unwrap_or_default()
}

/// A text in a node that may be missing.
fn maybe(node: &Value, field: &str) -> Option<String> {
    let text = text(node, field);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The elements of a list in a node.
fn list<'a>(node: &'a Value, field: &str) -> &'a [Value] {
    node[field].as_array().map_or(&[], Vec::as_slice)
}

/// A number that may be written as a text.
fn number(node: &Value, field: &str) -> Option<f64> {
    let value = &node[field];
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// A moment as RFC 3339 in UTC.
fn rfc3339(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.to_string()
}

/// Seconds since 1970, as Meta writes them: a text.
fn seconds(at_ms: i64) -> String {
    at_ms.div_euclid(1_000).to_string()
}

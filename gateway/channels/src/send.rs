//! What we ask of a channel, and the HTTP in which it is asked.

use std::fmt;

use desk::words;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connector::Headers;
use crate::event::{Location, MediaKind, MediaSource};
use crate::json::{self, Fields};
use crate::peer::PeerId;
use crate::secret::Secret;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Our id of it: given along where the provider gives it back.
    pub message: String,
    /// To whom.
    pub to: PeerId,
    /// What.
    pub content: OutContent,
    /// The provider's id of the message to which it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutContent {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Whether the first link is shown as a card.
        #[serde(default)]
        preview: bool,
    },
    /// A file.
    Media(OutMedia),
    /// A place.
    Location(Location),
    /// Words that were approved beforehand, with values in them.
    Template(OutTemplate),
    /// A question with answers to choose from.
    Choices(OutChoices),
    /// A reaction to a message.
    Reaction {
        /// The provider's id of that message.
        message: String,
        /// The reaction; none takes it away.
        #[serde(default)]
        emoji: Option<String>,
    },
    /// A question for the customer's telephone, answered by a tap.
    AskPhone {
        /// The question.
        text: String,
    },
    /// A question for where the customer is, answered by a tap.
    AskLocation {
        /// The question.
        text: String,
    },
}

impl OutContent {
    /// What it is called in an error.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Media(media) => media.kind.as_str(),
            Self::Location(_) => "location",
            Self::Template(_) => "template",
            Self::Choices(_) => "choices",
            Self::Reaction { .. } => "reaction",
            Self::AskPhone { .. } => "ask_phone",
            Self::AskLocation { .. } => "ask_location",
        }
    }
}

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutMedia {
    /// What it is to people.
    #[serde(rename = "media")]
    pub kind: MediaKind,
    /// Where the provider finds it: at a link that we serve, or uploaded beforehand.
    pub source: MediaSource,
    /// Its type, from its bytes.
    pub mime: String,
    /// Its length.
    pub bytes: u64,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Words below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Whether it is shown as spoken for this message.
    #[serde(default)]
    pub voice: bool,
}

/// A template with its values. Checked against the template itself before it comes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutTemplate {
    /// The provider's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is to the bill (`UTILITY`, `MARKETING` …). Empty where nobody said.
    #[serde(default)]
    pub category: String,
    /// Its language, as the provider writes it (`pt_BR`).
    pub language: String,
    /// The values in its headline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<TemplateValue>,
    /// The file above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_media: Option<OutMedia>,
    /// The values in its words, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<TemplateValue>,
    /// The values of its buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<TemplateButton>,
}

/// One value in a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateValue {
    /// What the template calls it: a name, or its place (`1`).
    pub name: String,
    /// The value.
    pub text: String,
}

/// The value of a button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateButton {
    /// Which, counted from 0.
    pub index: u32,
    /// What it does.
    pub kind: ButtonKind,
    /// What the template calls the value, where it stands in a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value: what comes back, or the end of the link.
    pub value: String,
}

words! {
    /// What a button of a template does.
    ButtonKind {
        /// It answers.
        QuickReply = "quick_reply",
        /// It opens a link, the end of which is a value.
        Url = "url",
        /// It copies a code.
        CopyCode = "copy_code",
    }
}

/// A question with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutChoices {
    /// The question.
    pub body: String,
    /// Small words below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// What opens the list, where there are too many answers for buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// The answers.
    pub choices: Vec<OutChoice>,
}

/// An answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutChoice {
    /// What comes back when it is chosen.
    pub id: String,
    /// What the customer sees.
    pub title: String,
    /// More of it, in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What is told to a customer besides messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A person of the company read this message (the provider's id) and everything before it.
    Read {
        /// The customer.
        to: PeerId,
        /// The message.
        message: String,
    },
    /// A person of the company types an answer to this message (the provider's id of the customer's
    /// last). Some channels tell at once that it was read.
    Typing {
        /// The customer.
        to: PeerId,
        /// The message.
        message: String,
    },
}

/// A request of HTTP for the shell to carry out.
///
/// Redirects are followed only to the same host, or without the secret headers. [`fmt::Debug`] shows
/// the method and the host, never a header, a path (some hold tokens) or what people wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Where.
    pub url: String,
    /// The headers.
    pub headers: Vec<Header>,
    /// What is sent along.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers or a body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: vec![],
            body: vec![],
        }
    }

    /// With a header that anybody may read.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = HeaderValue::Plain(value.into());
        self.headers.push(Header { name, value });
        self
    }

    /// With a header that nobody may read.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = HeaderValue::Secret(Secret::new(value));
        self.headers.push(Header { name, value });
        self
    }

    /// With a body and its type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut request = self.header("content-type", content_type);
        request.body = body.into();
        request
    }

    /// The value of a header, secret or not. For the shell that sends it, and for tests.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name == name)?;
        Some(match &header.value {
            HeaderValue::Plain(value) => value,
            HeaderValue::Secret(value) => value.expose(),
        })
    }

    /// The host and port that are asked.
    pub fn host(&self) -> &str {
        host(&self.url).unwrap_or("?")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} ({} bytes)",
            self.method,
            self.host(),
            self.body.len()
        )
    }
}

words! {
    /// The method of a request.
    Method {
        /// Reads.
        Get = "GET",
        /// Makes or does.
        Post = "POST",
        /// Replaces.
        Put = "PUT",
        /// Removes.
        Delete = "DELETE",
    }
}

/// A header of a request. Its name is in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: HeaderValue,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Anybody may read it.
    Plain(String),
    /// Nobody may read it; it goes to no other host.
    Secret(Secret),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// For how long it asks to be left alone, in milliseconds: see [`wait_ms`].
    pub retry_after_ms: Option<u64>,
    /// The body, of which the shell reads [`crate::connector::BODY_BYTES_MAX`] bytes at most.
    pub body: Vec<u8>,
}

/// The provider took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's id of it, which its statuses carry.
    pub id: String,
    /// Ids of the customer that the answer told us: how the ninth digit of a Brazilian mobile is
    /// learned.
    pub learned: Vec<PeerId>,
}

/// For how long an answer asks to be left alone, in milliseconds: `Retry-After` (RFC 9110 section
/// 10.2.3, seconds or a date), or Meta's account of what is used up, in minutes. The longer one counts.
/// `now_ms` is milliseconds since 1970 (UTC).
pub fn wait_ms(headers: &Headers, now_ms: i64) -> Option<u64> {
    let asked = headers.one("retry-after").map(str::trim);
    let asked_ms = asked.and_then(|asked| match asked.parse::<u64>() {
        Ok(seconds) => Some(seconds.saturating_mul(1_000)),
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(asked).ok()?;
            let left_ms = until.timestamp().as_millisecond().saturating_sub(now_ms);
            Some(u64::try_from(left_ms).unwrap_or(0))
        }
    });
    let usage = headers.one("x-business-use-case-usage");
    let usage = usage.and_then(|usage| json::parse(usage.as_bytes()).ok());
    let rows = usage.as_ref().and_then(Value::as_object).into_iter();
    let rows = rows.flat_map(|accounts| accounts.values().filter_map(Value::as_array));
    let minutes = rows
        .flatten()
        .filter_map(|row| row.whole("estimated_time_to_regain_access"));
    let minutes = minutes.filter_map(|minutes| u64::try_from(minutes).ok());
    let used_ms = minutes.filter(|minutes| *minutes > 0).max();
    asked_ms.max(used_ms.map(|minutes| minutes.saturating_mul(60_000)))
}

/// The host (and port) in a link of HTTP; none where it is no such link, or holds a user.
pub fn host(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let host = &rest[..end];
    (!host.is_empty() && !host.contains('@')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_printed_without_anything_that_is_secret() {
        let request = Request::new(
            Method::Post,
            "https://api.exemplo.com/bot123:T0KEN/send?to=55",
        )
        .secret_header("authorization", "Bearer T0KEN")
        .header("x-plain", "yes")
        .body("text/plain", "Oi, Ana");
        assert_eq!(format!("{request:?}"), "POST api.exemplo.com (7 bytes)");
        assert_eq!(request.header_value("authorization"), Some("Bearer T0KEN"));
        assert_eq!(request.header_value("content-type"), Some("text/plain"));
        assert!(!format!("{:?}", request.headers).contains("T0KEN"));
    }

    type Sent<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn an_answer_says_how_long_to_wait_in_seconds_by_a_date_or_by_what_is_used_up() {
        let usage = |minutes: &str| {
            format!(
                r#"{{"1":[{{"call_count":1}}],"2":[{{"estimated_time_to_regain_access":{minutes}}}]}}"#
            )
        };
        let (now_ms, soon) = (784_111_770_000, "Sun, 06 Nov 1994 08:49:37 GMT");
        let (after, used) = ("Retry-After", "X-Business-Use-Case-Usage");
        let (three, none) = (usage("3"), usage("0"));
        #[rustfmt::skip]
        let rows: [(Sent<'_>, Option<u64>); 13] = [
            (&[], None),
            (&[(after, "30")], Some(30_000)),
            (&[(after, " 0 ")], Some(0)),
            (&[(after, soon)], Some(7_000)),
            (&[(after, "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0)),
            (&[(after, "soon")], None),
            (&[(after, "-1")], None),
            (&[(after, "99999999999999999999")], None),
            (&[(after, "18446744073709551615")], Some(u64::MAX)),
            (&[(used, &three)], Some(180_000)),
            (&[(used, &none)], None),
            (&[(used, "{")], None),
            (&[(after, "5"), (used, &three)], Some(180_000)),
        ];
        for (headers, expected) in rows {
            let sent: Headers = headers.iter().copied().collect();
            assert_eq!(wait_ms(&sent, now_ms), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_host_of_a_link_is_what_stands_between_scheme_and_path() {
        #[rustfmt::skip]
        let rows = [
            ("https://graph.facebook.com/v25.0/1", Some("graph.facebook.com")),
            ("http://127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("https://a.com?x=/", Some("a.com")),
            ("https://a.com\\@b.com/", Some("a.com")),
            ("https://a.com@b.com/", None),
            ("https:///x", None),
            ("ftp://a.com/", None),
            ("", None),
        ];
        for (url, expected) in rows {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}

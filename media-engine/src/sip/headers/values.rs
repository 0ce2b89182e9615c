//! The small headers: numbers, words and lists.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Invalid, Params, scan};
use crate::sip::method::Method;

/// CSeq: the number and method of a request (RFC 3261 section 20.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// The number, below 2^31.
    pub number: u32,
    /// The method; in a response that of the request.
    pub method: Method,
}

impl CSeq {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// Where the number is 2^31 or more (RFC 3261 section 8.1.1.5) or the method is not a token.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        Self::parse_within(value, value)
    }

    pub(crate) fn parse_within(value: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        let (number, method) = scan::word(value);
        let number = scan::number(number)
            .filter(|number| *number < 1 << 31)
            .ok_or(Invalid("CSeq has no number below 2^31"))?;
        if !scan::is_token(method) {
            return Err(Invalid("CSeq has no method"));
        }
        Ok(Self {
            number,
            method: Method::from_token(method, source),
        })
    }
}

/// RAck: which reliable provisional response a PRACK confirms (RFC 3262 section 7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RAck {
    /// The RSeq of that response.
    pub rseq: u32,
    /// The CSeq of that response.
    pub cseq: CSeq,
}

impl RAck {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// Where it is not two numbers and a method.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        let (rseq, cseq) = scan::word(value);
        Ok(Self {
            rseq: scan::number(rseq).ok_or(Invalid("RAck has no response number"))?,
            cseq: CSeq::parse(&value.slice_ref(cseq))?,
        })
    }
}

/// A word with parameters: Content-Type, Event, Reason, Subscription-State, Content-Disposition …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word as written (`application/sdp`, `Q.850`, `active`).
    pub word: Bytes,
    /// What follows it.
    pub params: Params,
}

impl Word {
    /// Reads one value.
    ///
    /// # Errors
    ///
    /// Where there is no word or the parameters are malformed.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        Self::parse_element(value, value)
    }

    /// Reads the values of one header line, in order (Reason, Accept).
    pub fn parse_list(line: &Bytes) -> impl Iterator<Item = Result<Self, Invalid>> {
        scan::elements(line).map(|value| Self::parse_element(value, line))
    }

    fn parse_element(value: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        let (word, params) = cut_params(value);
        // A slash may have white space on both sides (RFC 3261 section 25.1, SLASH).
        let parts = || word.split(|byte| *byte == b'/').map(scan::trim);
        if parts().count() > 2 || !parts().all(scan::is_token) {
            return Err(Invalid("a word is not a token"));
        }
        Ok(Self {
            word: source.slice_ref(word),
            params: Params::parse(params, source)?,
        })
    }

    /// Whether the word is `text`, in any case and with any white space around its slash.
    pub fn is(&self, text: &str) -> bool {
        let written = self.word.iter().filter(|byte| !scan::is_white(**byte));
        written
            .map(u8::to_ascii_lowercase)
            .eq(text.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}

/// Session-Expires (RFC 4028 section 4); Min-SE has the same form without a refresher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires {
    /// The interval in seconds.
    pub seconds: u32,
    /// Who is to refresh, where that is said.
    pub refresher: Option<Refresher>,
}

/// Who refreshes a session (RFC 4028 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    /// Whoever sent the request.
    Uac,
    /// Whoever answers it.
    Uas,
}

impl Refresher {
    /// The word of the `refresher` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

impl SessionExpires {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// Where there is no number of seconds, or an unknown refresher.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        let (number, params) = cut_params(value);
        let params = Params::parse(params, value)?;
        let refresher = match params.get("refresher") {
            None => None,
            Some(word) if word.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(word) if word.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            Some(_) => return Err(Invalid("an unknown refresher")),
        };
        let seconds = seconds(number).ok_or(Invalid("no number of seconds"))?;
        Ok(Self { seconds, refresher })
    }
}

/// Replaces: the dialog that a new INVITE takes the place of (RFC 3891 section 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID of that dialog.
    pub call_id: Bytes,
    /// Our tag in it.
    pub to_tag: Bytes,
    /// The peer's tag in it.
    pub from_tag: Bytes,
    /// Only if it is not yet confirmed.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value, with its escapes already taken off where it stood in a URI.
    ///
    /// # Errors
    ///
    /// Where the Call-ID or one of the tags is missing.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        let (call_id, params) = cut_params(value);
        let params = Params::parse(params, value)?;
        if call_id.is_empty() {
            return Err(Invalid("Replaces has no Call-ID"));
        }
        let missing = Invalid("Replaces lacks a tag");
        Ok(Self {
            call_id: value.slice_ref(call_id),
            to_tag: params.get_bytes("to-tag").ok_or(missing)?,
            from_tag: params.get_bytes("from-tag").ok_or(missing)?,
            early_only: params.has("early-only"),
        })
    }
}

/// Why a request was sent or a call refused (RFC 3326).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Whose numbers these are: `SIP`, `Q.850` …
    pub protocol: Bytes,
    /// The number.
    pub cause: Option<u16>,
    /// The words.
    pub text: Option<String>,
}

impl Reason {
    /// Reads the values of one header line, in order.
    pub fn parse_list(line: &Bytes) -> impl Iterator<Item = Result<Self, Invalid>> {
        Word::parse_list(line).map(|word| {
            let Word { word, params } = word?;
            let text = params
                .unquoted("text")
                .map(|text| String::from_utf8_lossy(&text).into_owned());
            Ok(Self {
                protocol: word,
                cause: params.number("cause"),
                text,
            })
        })
    }
}

/// The comma-separated tokens of one header line: Allow, Supported, Require, Privacy (which uses
/// semicolons) … Empty elements are passed over.
pub fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b',' | b';'))
        .map(scan::trim)
        .filter(|token| !token.is_empty())
}

/// A number of seconds. One too large for 32 bits counts as their maximum, because it is a wish
/// that we cut down anyway; anything but digits is `None`.
pub fn seconds(value: &[u8]) -> Option<u32> {
    let digits = scan::trim(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(scan::number(digits).unwrap_or(u32::MAX))
}

/// Retry-After in seconds, without its comment and parameters (RFC 3261 section 20.33).
pub fn retry_after(value: &[u8]) -> Option<u32> {
    let end = value
        .iter()
        .position(|byte| matches!(byte, b'(' | b';'))
        .unwrap_or(value.len());
    seconds(&value[..end])
}

/// A value as text for people: folds become one space, bytes that are not UTF-8 are replaced.
pub fn text(value: &[u8]) -> Cow<'_, str> {
    match unfold(value) {
        Cow::Borrowed(value) => String::from_utf8_lossy(value),
        Cow::Owned(value) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
    }
}

/// A value with each fold, and the white space around it, turned into one space (RFC 3261
/// section 7.3.1).
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Cow::Borrowed(value);
    }
    let lines = value
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .map(scan::trim);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    Cow::Owned(lines.join(&b' '))
}

/// What stands before the first semicolon, trimmed, and the rest from it on.
fn cut_params(value: &[u8]) -> (&[u8], &[u8]) {
    let value = scan::trim(value);
    match value.iter().position(|byte| *byte == b';') {
        Some(semicolon) => (scan::trim(&value[..semicolon]), &value[semicolon..]),
        None => (value, &value[..0]),
    }
}

//! Parameters: `;name=value` behind a header value or inside a URI.

use std::borrow::Cow;

use bytes::Bytes;

use super::Invalid;
use super::scan;

/// Parameters, kept as they stand in the message and searched when asked.
///
/// Names compare without case. Where a name stands twice the first one counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Params {
    text: Bytes,
}

impl Params {
    /// Checks and keeps `;a=b;c`; empty text has no parameters.
    pub(crate) fn parse(text: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        let text = scan::trim(text);
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text[0] != b';' {
            return Err(Invalid("text stands where parameters should"));
        }
        let params = Self {
            text: source.slice_ref(text),
        };
        let mut rest = &text[1..];
        loop {
            let (param, next) = cut(rest);
            let (name, value) = split(param);
            // One semicolon too many at the very end is forgiven: real phones send it.
            if !(name.is_empty() && value.is_none() && next.is_none()) {
                check(name, value)?;
            }
            match next {
                Some(next) => rest = next,
                None => return Ok(params),
            }
        }
    }

    /// Each name with its value as it stands, quotes included; a flag has no value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut rest = self.text.get(1..);
        std::iter::from_fn(move || {
            let (param, next) = cut(rest?);
            rest = next;
            Some(split(param)).filter(|(name, _)| !name.is_empty())
        })
    }

    /// The value of `name` as it stands, quotes included; empty for a flag.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.first(name.as_bytes())
    }

    pub(crate) fn first(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// As [`Params::get`], as bytes that may outlive the message.
    pub fn get_bytes(&self, name: &str) -> Option<Bytes> {
        self.get(name).map(|value| self.text.slice_ref(value))
    }

    /// The value of `name` without quotes and backslashes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.get(name).map(unquote)
    }

    /// The value of `name` as a number; `None` also where it is not one.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        scan::number(self.get(name)?)
    }

    /// Whether `name` is there, as a flag or with a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text as it stands, from the first semicolon on.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

/// A value without its quotes and backslashes; any other value as it is.
pub fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = value else {
        return Cow::Borrowed(value);
    };
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        plain.extend(if *byte == b'\\' {
            bytes.next()
        } else {
            Some(byte)
        });
    }
    Cow::Owned(plain)
}

/// The parameter at the front of `text`, and what follows the semicolon behind it.
fn cut(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match scan::find_outside(text, b';', false) {
        Some(end) => (&text[..end], Some(&text[end + 1..])),
        None => (text, None),
    }
}

fn split(param: &[u8]) -> (&[u8], Option<&[u8]>) {
    match param.iter().position(|byte| *byte == b'=') {
        Some(equals) => (
            scan::trim(&param[..equals]),
            Some(scan::trim(&param[equals + 1..])),
        ),
        None => (scan::trim(param), None),
    }
}

fn check(name: &[u8], value: Option<&[u8]>) -> Result<(), Invalid> {
    if name.is_empty() {
        return Err(Invalid("a parameter has no name"));
    }
    // RFC 3261 section 25.1 wants a token; a URI parameter may also hold a few other characters.
    if name
        .iter()
        .any(|byte| *byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b',' | b'@' | 0x7f))
    {
        return Err(Invalid("a parameter's name holds what it must not"));
    }
    let Some(value) = value else { return Ok(()) };
    if value.first() == Some(&b'"') {
        return match scan::closing_quote(value) {
            Some(end) if end + 1 == value.len() => Ok(()),
            Some(_) => Err(Invalid("text follows a quoted parameter")),
            None => Err(Invalid("a quoted parameter has no end")),
        };
    }
    if value
        .iter()
        .any(|byte| *byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b',' | 0x7f))
    {
        return Err(Invalid("a parameter's value holds what it must not"));
    }
    Ok(())
}

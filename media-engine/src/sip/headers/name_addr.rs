//! `"Display" <uri>;params`: From, To, Contact, Route and their kin (RFC 3261 section 20.10).

use std::borrow::Cow;

use bytes::Bytes;

use super::params::unquote;
use super::{Invalid, Params, scan};
use crate::sip::uri::Uri;

/// A URI with a display name before it and header parameters behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    display: Bytes,
    uri: Uri,
    params: Params,
}

/// One Contact value of a REGISTER or of anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // `*` is rare: a box would cost each of the others
pub enum Contact {
    /// `*`: all bindings, to be removed (RFC 3261 section 10.2.2).
    All,
    /// One binding.
    Address(NameAddr),
}

impl NameAddr {
    /// Reads a header that holds exactly one (From, To, Refer-To, Referred-By).
    ///
    /// # Errors
    ///
    /// Where the value does not follow the grammar; unquoted display names may hold any words, with
    /// bytes beyond ASCII too, but no comma, semicolon or quote.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        Self::parse_element(value, value)
    }

    /// Reads the values of one header line, in order (Route, Record-Route, P-Asserted-Identity,
    /// Diversion, Path).
    pub fn parse_list(line: &Bytes) -> impl Iterator<Item = Result<Self, Invalid>> {
        scan::elements(line).map(|value| Self::parse_element(value, line))
    }

    pub(crate) fn parse_element(value: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        let value = scan::trim(value);
        let open = match value.first() {
            None => return Err(Invalid("an address is empty")),
            Some(b'"') => {
                let close = scan::closing_quote(value)
                    .ok_or(Invalid("a display name has no closing quote"))?;
                let open = close
                    + 1
                    + value[close + 1..]
                        .iter()
                        .take_while(|byte| scan::is_white(**byte))
                        .count();
                if value.get(open) != Some(&b'<') {
                    return Err(Invalid("no <URI> follows a quoted display name"));
                }
                Some(open)
            }
            Some(_) => value.iter().position(|byte| *byte == b'<'),
        };
        match open {
            Some(open) => Self::bracketed(value, open, source),
            None => Self::bare(value, source),
        }
    }

    fn bracketed(value: &[u8], open: usize, source: &Bytes) -> Result<Self, Invalid> {
        let display = scan::trim(&value[..open]);
        let quoted = display.first() == Some(&b'"');
        if !quoted
            && display
                .iter()
                .any(|byte| matches!(byte, b',' | b';' | b'"' | b'>'))
        {
            return Err(Invalid("a display name holds what must be quoted"));
        }
        let close = value[open..]
            .iter()
            .position(|byte| *byte == b'>')
            .ok_or(Invalid("a < has no >"))?;
        let close = open + close;
        Ok(Self {
            display: source.slice_ref(display),
            uri: Uri::parse(source.slice_ref(&value[open + 1..close]))?,
            params: Params::parse(&value[close + 1..], source)?,
        })
    }

    /// Without brackets every parameter is the header's, and the URI may hold no `?` or comma
    /// (RFC 3261 section 20).
    fn bare(value: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        let (uri, params) = match value.iter().position(|byte| *byte == b';') {
            Some(semicolon) => value.split_at(semicolon),
            None => (value, &value[..0]),
        };
        if uri.iter().any(|byte| matches!(byte, b'?' | b',')) {
            return Err(Invalid("a URI with ? or , must stand in brackets"));
        }
        Ok(Self {
            display: Bytes::new(),
            uri: Uri::parse(source.slice_ref(scan::trim(uri)))?,
            params: Params::parse(params, source)?,
        })
    }

    /// The display name without its quotes, as text; empty where there is none.
    pub fn display_name(&self) -> Cow<'_, str> {
        match unquote(&self.display) {
            Cow::Borrowed(name) => String::from_utf8_lossy(name),
            Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
        }
    }

    /// The URI.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The parameters behind the brackets.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The tag of a From or To, where there is one.
    pub fn tag(&self) -> Option<Bytes> {
        self.params.get_bytes("tag").filter(|tag| !tag.is_empty())
    }

    /// The `expires` of a Contact, in seconds. A number too large for 32 bits is their maximum
    /// (RFC 3261 section 20.19 allows up to 2^32 - 1); anything malformed is `None`.
    pub fn expires(&self) -> Option<u32> {
        super::values::seconds(self.params.get("expires")?)
    }

    /// The preference `q` of a Contact in thousandths, 0 to 1000; `None` where absent or malformed.
    pub fn q_permille(&self) -> Option<u16> {
        let q = self.params.get("q")?;
        let (whole, fraction) = match q.iter().position(|byte| *byte == b'.') {
            Some(point) => (&q[..point], &q[point + 1..]),
            None => (q, &q[..0]),
        };
        if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let whole: u16 = scan::number(whole)?;
        let digits = fraction.iter().chain(b"000").take(3);
        let thousandths = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        whole
            .checked_mul(1000)?
            .checked_add(thousandths)
            .filter(|q| *q <= 1000)
    }
}

impl Contact {
    /// Reads the values of one Contact line, in order.
    pub fn parse_list(line: &Bytes) -> impl Iterator<Item = Result<Self, Invalid>> {
        scan::elements(line).map(|value| Self::parse_element(value, line))
    }

    pub(crate) fn parse_element(value: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        match value {
            b"*" => Ok(Self::All),
            value => NameAddr::parse_element(value, source).map(Self::Address),
        }
    }
}

//! SIP and tel URIs (RFC 3261 section 19, RFC 3966).

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::headers::{Invalid, Params, scan};

/// What a URI names: a SIP resource, a telephone number, or something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`, every hop under TLS.
    Sips,
    /// `tel:`, RFC 3966.
    Tel,
    /// Any other scheme: kept as it came, and answered with 416 in a Request-URI.
    Other,
}

/// A host as it is written in a URI or a Via.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to look up. Compares by case here; [`Host::matches`] does not.
    Domain(Bytes),
    /// An address, IPv6 ones written in brackets.
    Ip(IpAddr),
}

/// A URI that owns its bytes: a slice of the message it stood in, or text of our own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    text: Bytes,
    scheme: Scheme,
    user: Option<Bytes>,
    password: Option<Bytes>,
    host: Option<Host>,
    port: Option<u16>,
    params: Params,
    headers: Bytes,
}

impl Uri {
    /// Reads a URI; `text` is all of it, without angle brackets.
    ///
    /// # Errors
    ///
    /// Where a part does not follow the grammar of RFC 3261 section 25.1 or RFC 3966 section 3.
    /// An unknown scheme is no error: see [`Scheme::Other`].
    pub fn parse(text: Bytes) -> Result<Self, Invalid> {
        if text
            .iter()
            .any(|byte| *byte <= b' ' || matches!(byte, b'<' | b'>' | b'"' | 0x7f))
        {
            return Err(Invalid(
                "a URI holds a space, a bracket, a quote or a control character",
            ));
        }
        let colon = text
            .iter()
            .position(|byte| *byte == b':')
            .ok_or(Invalid("a URI has no scheme"))?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        if scheme.eq_ignore_ascii_case(b"sip") {
            Self::parse_sip(&text, Scheme::Sip, rest)
        } else if scheme.eq_ignore_ascii_case(b"sips") {
            Self::parse_sip(&text, Scheme::Sips, rest)
        } else if scheme.eq_ignore_ascii_case(b"tel") {
            Self::parse_tel(&text, rest)
        } else if scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        {
            Ok(Self::bare(text.clone(), Scheme::Other))
        } else {
            Err(Invalid("a URI's scheme is not a word"))
        }
    }

    /// Makes a `sip:` URI of our own; the user part is escaped where it must be.
    ///
    /// # Errors
    ///
    /// Where `host` is neither a name nor an address.
    pub fn sip(user: Option<&str>, host: &str, port: Option<u16>) -> Result<Self, Invalid> {
        use fmt::Write as _;
        let mut text = String::with_capacity(48);
        text.push_str("sip:");
        if let Some(user) = user {
            text.push_str(&escape_user(user));
            text.push('@');
        }
        text.push_str(host);
        if let Some(port) = port {
            let _ = write!(text, ":{port}"); // writing to a String does not fail
        }
        Self::parse(Bytes::from(text))
    }

    fn bare(text: Bytes, scheme: Scheme) -> Self {
        Self {
            text,
            scheme,
            user: None,
            password: None,
            host: None,
            port: None,
            params: Params::default(),
            headers: Bytes::new(),
        }
    }

    fn parse_sip(text: &Bytes, scheme: Scheme, rest: &[u8]) -> Result<Self, Invalid> {
        let mut uri = Self::bare(text.clone(), scheme);
        // Neither parameters nor headers may hold an unescaped `@`, and the user part may hold
        // semicolons and question marks: the `@` decides first.
        let place = match rest.iter().position(|byte| *byte == b'@') {
            Some(at) => {
                uri.read_userinfo(&rest[..at])?;
                &rest[at + 1..]
            }
            None => rest,
        };
        if place.contains(&b'@') {
            return Err(Invalid("a URI holds two @"));
        }
        let (place, headers) = match place.iter().position(|byte| *byte == b'?') {
            Some(mark) => (&place[..mark], &place[mark + 1..]),
            None => (place, &place[..0]),
        };
        check_escapes(headers)?;
        uri.headers = text.slice_ref(headers);
        let (place, params) = match place.iter().position(|byte| *byte == b';') {
            Some(semicolon) => place.split_at(semicolon),
            None => (place, &place[..0]),
        };
        check_escapes(params)?;
        uri.params = Params::parse(params, text)?;
        let (host, port) = host_and_port(place, text)?;
        uri.host = Some(host);
        uri.port = port;
        Ok(uri)
    }

    fn read_userinfo(&mut self, userinfo: &[u8]) -> Result<(), Invalid> {
        check_escapes(userinfo)?;
        let (user, password) = match userinfo.iter().position(|byte| *byte == b':') {
            Some(colon) => (&userinfo[..colon], Some(&userinfo[colon + 1..])),
            None => (userinfo, None),
        };
        if user.is_empty() {
            return Err(Invalid("a URI has an @ but no user"));
        }
        self.user = Some(self.text.slice_ref(user));
        self.password = password.map(|password| self.text.slice_ref(password));
        Ok(())
    }

    fn parse_tel(text: &Bytes, rest: &[u8]) -> Result<Self, Invalid> {
        let (number, params) = match rest.iter().position(|byte| *byte == b';') {
            Some(semicolon) => rest.split_at(semicolon),
            None => (rest, &rest[..0]),
        };
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let allowed = |byte: &u8| {
            byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#' | b'-' | b'.' | b'(' | b')')
        };
        if digits.is_empty() || !digits.iter().all(allowed) {
            return Err(Invalid("a tel URI holds no telephone number"));
        }
        let mut uri = Self::bare(text.clone(), Scheme::Tel);
        uri.user = Some(text.slice_ref(number));
        uri.params = Params::parse(params, text)?;
        Ok(uri)
    }

    /// What kind of URI this is.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part as written, escapes included; of a tel URI the number with its separators.
    pub fn user(&self) -> Option<&[u8]> {
        self.user.as_deref()
    }

    /// The user part without escapes, as text; bytes that are not UTF-8 are replaced.
    pub fn user_text(&self) -> Option<String> {
        let user = self.user.as_deref()?;
        Some(String::from_utf8_lossy(&unescape(user)).into_owned())
    }

    /// The password, which nobody should send (RFC 3261 section 19.1.1).
    pub fn password(&self) -> Option<&[u8]> {
        self.password.as_deref()
    }

    /// The host; tel URIs and unknown schemes have none.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, where one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The parameters of the URI itself (`transport`, `lr`, `user`, `maddr` …).
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What stands behind the `?`, escapes included: header fields for a request to be made.
    pub fn headers(&self) -> &[u8] {
        &self.headers
    }

    /// The `transport` parameter, where it names a transport that we know.
    pub fn transport(&self) -> Option<super::Transport> {
        super::Transport::from_token(self.params.get("transport")?)
    }

    /// Whether the `lr` parameter is there (RFC 3261 section 16.12: a loose router).
    pub fn is_loose_router(&self) -> bool {
        self.params.has("lr")
    }

    /// The URI as it is written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The URI as it is written, sharing its bytes.
    pub fn to_bytes(&self) -> Bytes {
        self.text.clone()
    }

    /// Whether both URIs name the same resource (RFC 3261 section 19.1.4, RFC 3966 section 5).
    ///
    /// Not the same as `==`, which compares what is written.
    pub fn matches(&self, other: &Self) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Sip | Scheme::Sips => self.matches_sip(other),
            Scheme::Tel => self.matches_tel(other),
            Scheme::Other => self.text == other.text,
        }
    }

    fn matches_sip(&self, other: &Self) -> bool {
        let same_host = match (&self.host, &other.host) {
            (Some(ours), Some(theirs)) => ours.matches(theirs),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_host
            && self.port == other.port
            && same_escaped(self.user(), other.user())
            && same_escaped(self.password(), other.password())
            && self.same_params(other)
            && same_headers(&self.headers, &other.headers)
    }

    /// A parameter of both must have the same value; some of one alone make a difference.
    fn same_params(&self, other: &Self) -> bool {
        const DECIDING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        DECIDING
            .iter()
            .all(|name| self.params.has(name) == other.params.has(name))
            && self.params.iter().all(|(name, _)| {
                // Where a name stands twice the first one counts, on both sides.
                match (self.params.first(name), other.params.first(name)) {
                    (Some(ours), Some(theirs)) => {
                        unescape(ours).eq_ignore_ascii_case(&unescape(theirs))
                    }
                    (Some(_) | None, Some(_) | None) => true,
                }
            })
    }

    fn matches_tel(&self, other: &Self) -> bool {
        let digits = |uri: &Self| -> Vec<u8> {
            let number = uri.user().unwrap_or_default();
            let kept = number
                .iter()
                .filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')'));
            kept.map(u8::to_ascii_lowercase).collect()
        };
        let within = |one: &Self, two: &Self| {
            one.params.iter().all(|(name, value)| {
                two.params.iter().any(|(found, theirs)| {
                    found.eq_ignore_ascii_case(name)
                        && theirs
                            .unwrap_or_default()
                            .eq_ignore_ascii_case(value.unwrap_or_default())
                })
            })
        };
        digits(self) == digits(other) && within(self, other) && within(other, self)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}

impl std::str::FromStr for Uri {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl AsRef<[u8]> for Uri {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Host {
    /// Reads a host that stands alone, IPv6 addresses in brackets.
    pub(crate) fn parse(text: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        if let [b'[', inner @ .., b']'] = text {
            let address = std::str::from_utf8(inner)
                .ok()
                .and_then(|inner| inner.parse::<Ipv6Addr>().ok());
            return address
                .map(|address| Self::Ip(address.into()))
                .ok_or(Invalid("an IPv6 address is malformed"));
        }
        let allowed =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if text.is_empty() || !text.iter().all(allowed) {
            return Err(Invalid("a host is neither a name nor an address"));
        }
        // Only digits can begin an address, so names skip the attempt.
        if text[0].is_ascii_digit()
            && let Some(address) = std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse::<Ipv4Addr>().ok())
        {
            return Ok(Self::Ip(address.into()));
        }
        Ok(Self::Domain(source.slice_ref(text)))
    }

    /// Whether both are the same host; names compare without case.
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Domain(ours), Self::Domain(theirs)) => ours.eq_ignore_ascii_case(theirs),
            (Self::Ip(ours), Self::Ip(theirs)) => ours == theirs,
            (Self::Domain(_), Self::Ip(_)) | (Self::Ip(_), Self::Domain(_)) => false,
        }
    }

    /// The address, where the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Domain(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => f.write_str(&String::from_utf8_lossy(name)),
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Reads `host [":" port]`; white space may stand around the colon, as a Via allows.
pub(crate) fn host_and_port(text: &[u8], source: &Bytes) -> Result<(Host, Option<u16>), Invalid> {
    let bracket = text.iter().position(|byte| *byte == b']').unwrap_or(0);
    let colon = text[bracket..]
        .iter()
        .position(|byte| *byte == b':')
        .map(|colon| bracket + colon);
    let Some(colon) = colon else {
        return Ok((Host::parse(scan::trim(text), source)?, None));
    };
    let port = scan::number::<u16>(scan::trim(&text[colon + 1..]))
        .filter(|port| *port != 0)
        .ok_or(Invalid("a port is not a number from 1 to 65535"))?;
    Ok((Host::parse(scan::trim(&text[..colon]), source)?, Some(port)))
}

/// `text` with each `%HH` turned into the byte it stands for.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                plain.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => plain.push(*byte),
        }
    }
    Cow::Owned(plain)
}

/// `user` with everything escaped that may not stand in a user part (RFC 3261 section 25.1).
pub fn escape_user(user: &str) -> Cow<'_, str> {
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
    if user.bytes().all(stands) {
        return Cow::Borrowed(user);
    }
    let mut escaped = String::with_capacity(user.len() + 8);
    for byte in user.bytes() {
        if stands(byte) {
            escaped.push(char::from(byte));
        } else {
            use fmt::Write as _;
            let _ = write!(escaped, "%{byte:02X}"); // writing to a String does not fail
        }
    }
    Cow::Owned(escaped)
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.to_ascii_uppercase().saturating_sub(b'A') + 10,
    }
}

/// A `%` must be followed by two hexadecimal digits (RFC 3261 section 25.1, `escaped`).
fn check_escapes(text: &[u8]) -> Result<(), Invalid> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            Some(_) | None => {
                return Err(Invalid("a URI holds a % without two hexadecimal digits"));
            }
        }
    }
    Ok(())
}

fn same_escaped(ours: Option<&[u8]>, theirs: Option<&[u8]>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => unescape(ours) == unescape(theirs),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Header fields of a URI are never left out, in whatever order they stand.
fn same_headers(ours: &[u8], theirs: &[u8]) -> bool {
    let sorted = |headers: &[u8]| {
        let fields = headers
            .split(|byte| *byte == b'&')
            .filter(|field| !field.is_empty());
        let mut fields: Vec<(Vec<u8>, Vec<u8>)> = fields
            .map(|field| {
                let equals = field
                    .iter()
                    .position(|byte| *byte == b'=')
                    .unwrap_or(field.len());
                let value = field.get(equals + 1..).unwrap_or_default();
                (
                    unescape(&field[..equals]).to_ascii_lowercase(),
                    unescape(value).into_owned(),
                )
            })
            .collect();
        fields.sort();
        fields
    };
    sorted(ours) == sorted(theirs)
}

#[cfg(test)]
mod tests;

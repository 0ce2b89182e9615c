//! Via: where a request has been, and so where its response goes (RFC 3261 section 20.42).

use std::net::IpAddr;

use bytes::Bytes;

use super::{Invalid, Params, scan};
use crate::sip::Transport;
use crate::sip::uri::{Host, host_and_port};

/// One Via value. A header line may hold several: see [`Via::parse_list`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    transport: Bytes,
    sent_by: Bytes,
    host: Host,
    port: Option<u16>,
    params: Params,
}

impl Via {
    /// Reads the values of one header line, in order.
    pub fn parse_list(line: &Bytes) -> impl Iterator<Item = Result<Self, Invalid>> {
        scan::elements(line).map(|value| Self::parse(value, line))
    }

    /// Reads one value.
    pub(crate) fn parse(value: &[u8], source: &Bytes) -> Result<Self, Invalid> {
        const NOT_SIP: Invalid = Invalid("Via does not begin with SIP/2.0/TRANSPORT");
        // "SIP" SLASH "2.0" SLASH transport LWS sent-by *( SEMI via-params ), white space anywhere.
        let (name, rest) = slash(value).ok_or(NOT_SIP)?;
        let (version, rest) = slash(rest).ok_or(NOT_SIP)?;
        if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
            return Err(NOT_SIP);
        }
        let (transport, rest) = scan::word(rest);
        if !scan::is_token(transport) {
            return Err(NOT_SIP);
        }
        let (sent_by, params) = match rest.iter().position(|byte| *byte == b';') {
            Some(semicolon) => rest.split_at(semicolon),
            None => (rest, &rest[..0]),
        };
        let sent_by = scan::trim(sent_by);
        let (host, port) = host_and_port(sent_by, source)?;
        Ok(Self {
            transport: source.slice_ref(transport),
            sent_by: source.slice_ref(sent_by),
            host,
            port,
            params: Params::parse(params, source)?,
        })
    }

    /// The transport, where it is one that we know.
    pub fn transport(&self) -> Option<Transport> {
        Transport::from_token(&self.transport)
    }

    /// The transport's word as written.
    pub fn transport_token(&self) -> &[u8] {
        &self.transport
    }

    /// Host and port as written: a part of the transaction's key (RFC 3261 section 17.2.3).
    pub fn sent_by(&self) -> &[u8] {
        &self.sent_by
    }

    /// The host of sent-by.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port of sent-by, where one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch, which names the transaction.
    pub fn branch(&self) -> Option<&[u8]> {
        self.params
            .get("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// Whether the branch was made by the rules of RFC 3261 (section 8.1.1.7), and so is unique.
    ///
    /// The cookie alone is not: a sender that writes nothing behind it is matched the older way.
    pub fn has_magic_cookie(&self) -> bool {
        const COOKIE: &[u8] = b"z9hG4bK";
        // The cookie compares without case, as tokens do.
        self.branch()
            .and_then(|branch| branch.split_at_checked(COOKIE.len()))
            .is_some_and(|(cookie, rest)| cookie.eq_ignore_ascii_case(COOKIE) && !rest.is_empty())
    }

    /// The address that a server saw the request come from, where it wrote one.
    pub fn received(&self) -> Option<IpAddr> {
        let text = std::str::from_utf8(self.params.get("received")?).ok()?;
        // An IPv6 address stands here with brackets or without (RFC 5118 section 4.5).
        text.trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()
    }

    /// Whether the sender asks for the response on the port that it sent from (RFC 3581).
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The port that a server saw the request come from, where it wrote one (RFC 3581).
    pub fn rport(&self) -> Option<u16> {
        self.params.number("rport")
    }

    /// All parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// The word before the next slash, trimmed, and what follows the slash.
fn slash(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = text.iter().position(|byte| *byte == b'/')?;
    Some((scan::trim(&text[..slash]), &text[slash + 1..]))
}

//! Transfers in words (RFC 3515): what a REFER asks for, and how it is told what came of it.

use bytes::Bytes;

use super::event::{Referral, Replaced};
use crate::sip::CallId;
use crate::sip::headers::{Invalid, Name, NameAddr, Replaces};
use crate::sip::message::Message;
use crate::sip::uri::{Scheme, Uri, unescape};

/// Why a REFER asks for nothing that we could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sip) struct NoReferral {
    pub(in crate::sip) status: u16,
}

impl From<Invalid> for NoReferral {
    fn from(_: Invalid) -> Self {
        Self { status: 400 }
    }
}

/// The dialog that a Refer-To asks to be replaced (RFC 3891 section 6.1), with its escapes taken off.
pub(in crate::sip) fn replaces_of(refer: &Message) -> Option<Bytes> {
    let address = refer_to(refer).ok()?;
    let mut headers = address.uri().headers().split(|byte| *byte == b'&');
    headers.find_map(|header| {
        let equals = header.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&header[..equals], &header[equals + 1..]);
        let is_replaces = name.eq_ignore_ascii_case(b"Replaces");
        is_replaces.then(|| Bytes::from(unescape(value).into_owned()))
    })
}

/// What a REFER asks for. `named` is the call of ours that its Replaces names.
///
/// # Errors
///
/// Where it does not name one SIP resource that is to be called.
pub(super) fn read(refer: &Message, named: Option<CallId>) -> Result<Referral, NoReferral> {
    let address = refer_to(refer)?;
    let uri = address.uri();
    match uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => {}
        Scheme::Other => return Err(NoReferral { status: 416 }),
    }
    // A REFER may ask for any request (RFC 3515 section 2.1); we place calls.
    let method = uri.params().get("method");
    if method.is_some_and(|method| method != b"INVITE") {
        return Err(NoReferral { status: 501 });
    }
    let replaces = match (named, replaces_of(refer)) {
        (Some(call), _) => Some(Replaced::Ours(call)),
        (None, Some(value)) => {
            Replaces::parse(&value)?;
            Some(Replaced::Elsewhere(text(&value)))
        }
        (None, None) => None,
    };
    let referred_by = refer.header(Name::ReferredBy).map(text);
    Ok(Referral {
        to: uri.user_text().unwrap_or_default(),
        uri: without_headers(uri),
        replaces,
        referred_by,
    })
}

fn refer_to(refer: &Message) -> Result<NameAddr, Invalid> {
    let mut all = refer.addresses(Name::ReferTo);
    match (all.next(), all.next()) {
        (Some(address), None) => address,
        (Some(_) | None, _) => Err(Invalid("there is not exactly one Refer-To")),
    }
}

fn without_headers(uri: &Uri) -> String {
    let all = text(uri.as_bytes());
    match all.split_once('?') {
        Some((before, _)) if !uri.headers().is_empty() => before.to_owned(),
        Some(_) | None => all,
    }
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}

/// A status as a NOTIFY tells it (RFC 3420).
pub(super) fn fragment(status: u16) -> String {
    let phrase = crate::sip::status::reason_phrase(status);
    format!("SIP/2.0 {status} {phrase}\r\n")
}

/// The status in a NOTIFY, from 100 to 699.
pub(super) fn status_in(fragment: &[u8]) -> Option<u16> {
    let rest = fragment.strip_prefix(b"SIP/2.0 ")?;
    let digits = std::str::from_utf8(rest.get(..3)?).ok()?;
    let status = digits.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}

/// `text` as the value of a header in a URI: all escaped but letters, digits and what no URI reads as
/// its own (RFC 3261 section 25.1, `hvalue`).
pub(in crate::sip) fn escaped(text: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-_.!~*".contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}"); // writing to a String does not fail
        }
    }
    escaped
}

/// The type of a fragment.
pub(super) const FRAGMENT: &str = "message/sipfrag;version=2.0";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::{Parsed, parse};

    fn refer(headers: &str) -> Message {
        let text = format!(
            "REFER sip:ramal@192.0.2.1 SIP/2.0\n\
             Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\n\
             From: <sip:a@example.net>;tag=theirs\nTo: <sip:4000@192.0.2.1>;tag=ours\n\
             Call-ID: one\nCSeq: 7 REFER\n{headers}Content-Length: 0\n\n"
        );
        match parse(Bytes::from(text.replace('\n', "\r\n"))).expect("a message") {
            Parsed::Message(message) => message,
            Parsed::Keepalive => panic!("no message"),
        }
    }

    #[test]
    fn a_refer_names_whom_to_call_and_which_call_to_replace() {
        let headers = "Refer-To: <sip:4%3101@192.0.2.1;user=phone?\
            Subject=x&replaces=a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df>\n\
            Referred-By: <sip:ana@example.net>\n";
        let expected = Referral {
            to: "4101".into(),
            uri: "sip:4%3101@192.0.2.1;user=phone".into(),
            replaces: Some(Replaced::Elsewhere("a@b;to-tag=t;from-tag=f".into())),
            referred_by: Some("<sip:ana@example.net>".into()),
        };
        assert_eq!(read(&refer(headers), None), Ok(expected));
        let named = read(&refer(headers), Some(CallId(7))).expect("a referral");
        assert_eq!(named.replaces, Some(Replaced::Ours(CallId(7))));
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_the_reason() {
        for (headers, status) in [
            ("", 400),
            ("Refer-To: <sip:a@b>\nRefer-To: <sip:c@d>\n", 400),
            ("Refer-To: <sip:a@b>, <sip:c@d>\n", 400),
            ("Refer-To: <sip:a@b?Replaces=nothing>\n", 400),
            ("Refer-To: <http://example.net>\n", 416),
            ("Refer-To: <sip:a@b;method=BYE>\n", 501),
        ] {
            assert_eq!(
                read(&refer(headers), None),
                Err(NoReferral { status }),
                "{headers}"
            );
        }
    }

    #[test]
    fn a_status_is_told_and_read() {
        assert_eq!(fragment(180), "SIP/2.0 180 Ringing\r\n");
        assert_eq!(status_in(fragment(603).as_bytes()), Some(603));
        for other in [
            "",
            "SIP/2.0 ",
            "SIP/2.0 99 x",
            "SIP/2.0 700 x",
            "HTTP/1.1 200 OK",
        ] {
            assert_eq!(status_in(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_value_that_was_escaped_is_read_back_as_it_was() {
        let value = b"a@b;to-tag=1;from-tag=\"2\" &?";
        let escaped = escaped(value);
        assert!(!escaped.contains(['@', ';', '=', '&', '?', '"', ' ']));
        assert_eq!(unescape(escaped.as_bytes()).as_ref(), value);
    }
}

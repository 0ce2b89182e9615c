//! Bodies: which part of one is for us (RFC 3261 section 7.4, RFC 5621).
//!
//! A body is of a type that we read, or it is `multipart/mixed` and one of its parts is. What we do
//! not read may be passed over only where its sender says `handling=optional`.

use bytes::Bytes;

use super::headers::{Name, Word, scan};
use super::message::Message;
use super::method::Method;

/// The part of a message that is for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sip) struct Part {
    /// Its Content-Type as it stands there.
    pub(in crate::sip) content_type: Bytes,
    /// What it carries.
    pub(in crate::sip) bytes: Bytes,
}

/// A body, or a part of one, that must be understood and is not: answered with 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a body that is not understood")]
pub(in crate::sip) struct NotUnderstood;

/// The types that are read in requests of this method, as an Accept header names them.
pub(in crate::sip) fn accept(method: Option<&Method>) -> &'static str {
    match method {
        Some(Method::Info) => "application/dtmf-relay, application/dtmf, multipart/mixed",
        Some(Method::Notify) => "message/sipfrag",
        Some(_) | None => "application/sdp, multipart/mixed",
    }
}

/// What a message carries for us, by its method. `Ok(None)` where it carries nothing that we have to
/// read.
///
/// # Errors
///
/// Where its sender insists on something that we do not understand.
pub(in crate::sip) fn read(message: &Message) -> Result<Option<Part>, NotUnderstood> {
    let method = match message.method() {
        Some(method) => method.clone(),
        None => message.cseq().map_err(|_| NotUnderstood)?.method,
    };
    let types: &[&str] = match method {
        Method::Invite | Method::Ack | Method::Update | Method::Prack => &[SDP],
        Method::Info => &["application/dtmf-relay", "application/dtmf"],
        Method::Notify => &["message/sipfrag"],
        Method::Bye
        | Method::Cancel
        | Method::Options
        | Method::Register
        | Method::Refer
        | Method::Subscribe
        | Method::Message
        | Method::Publish
        | Method::Other(_) => return Ok(None),
    };
    let body = message.body();
    if body.is_empty() || is_trickle(message) {
        return Ok(None);
    }
    let whole = Entity {
        content_type: message.header_bytes(Name::ContentType).unwrap_or_default(),
        disposition: message.header_bytes(Name::ContentDisposition),
        is_plain: message
            .tokens(Name::ContentEncoding)
            .all(|encoding| encoding.eq_ignore_ascii_case(b"identity")),
        bytes: body,
    };
    match whole.boundary() {
        Some(boundary) => among(parts(&whole.bytes, &boundary)?, types),
        None => among(vec![whole], types),
    }
}

/// The Info-Package of candidates that come late (RFC 8840 section 5).
pub(in crate::sip) const TRICKLE: &str = "trickle-ice";

/// Whether a message tells of candidates that came late. A lite agent learns from the checks where its
/// peer is, and has nothing to read in it.
pub(in crate::sip) fn is_trickle(message: &Message) -> bool {
    let package = message.header(Name::InfoPackage);
    package.is_some_and(|package| {
        package
            .trim_ascii()
            .eq_ignore_ascii_case(TRICKLE.as_bytes())
    })
}

/// The session description in a message; `None` also where its body cannot be understood.
pub(in crate::sip) fn sdp(message: &Message) -> Option<Bytes> {
    read(message).ok().flatten().map(|part| part.bytes)
}

/// A body or a part of one, with the headers that say what it is.
#[derive(Debug)]
struct Entity {
    content_type: Bytes,
    disposition: Option<Bytes>,
    /// Whether its bytes are what they stand for.
    is_plain: bool,
    bytes: Bytes,
}

impl Entity {
    /// The boundary of a `multipart/mixed`.
    fn boundary(&self) -> Option<Vec<u8>> {
        let word = Word::parse(&self.content_type).ok()?;
        let boundary = word.params.unquoted("boundary")?;
        let is_sane = (1..=BOUNDARY_MAX).contains(&boundary.len());
        (word.is("multipart/mixed") && self.is_plain && is_sane).then(|| boundary.into_owned())
    }

    /// Whether it is of one of these types, and meant as what such types are for.
    fn is_one_of(&self, types: &[&str]) -> bool {
        let word = Word::parse(&self.content_type);
        let is_known = word.is_ok_and(|word| types.iter().any(|known| word.is(known)));
        // Early media in a session of their own are no description of ours (RFC 3959).
        is_known && self.is_plain && !self.disposition().is_some_and(|it| it.is("early-session"))
    }

    /// Whether it may be passed over (RFC 3261 section 20.11: else it may not).
    fn is_optional(&self) -> bool {
        self.disposition().is_some_and(|disposition| {
            let handling = disposition.params.get("handling").unwrap_or_default();
            handling.eq_ignore_ascii_case(b"optional")
        })
    }

    fn disposition(&self) -> Option<Word> {
        Word::parse(self.disposition.as_ref()?).ok()
    }
}

/// The first of `entities` that is of one of the types.
fn among(entities: Vec<Entity>, types: &[&str]) -> Result<Option<Part>, NotUnderstood> {
    let mut found = None;
    for entity in entities {
        if found.is_none() && entity.is_one_of(types) {
            found = Some(Part {
                content_type: entity.content_type,
                bytes: entity.bytes,
            });
        } else if !entity.is_optional() {
            return Err(NotUnderstood);
        }
    }
    Ok(found)
}

/// The parts of a multipart body (RFC 2046 section 5.1.1).
fn parts(body: &Bytes, boundary: &[u8]) -> Result<Vec<Entity>, NotUnderstood> {
    let delimiter = [b"--", boundary].concat();
    let mut parts = Vec::new();
    let mut begin: Option<usize> = None;
    for at in memchr::memmem::find_iter(body, &delimiter) {
        if at > 0 && body[at - 1] != b'\n' {
            continue; // Text of a part that looks like its end.
        }
        if let Some(begin) = begin {
            if parts.len() == PARTS_MAX {
                return Err(NotUnderstood);
            }
            parts.push(part(&body.slice(begin..at.max(begin))).ok_or(NotUnderstood)?);
        }
        let behind = &body[at + delimiter.len()..];
        if behind.starts_with(b"--") {
            return Ok(parts);
        }
        let line = memchr::memchr(b'\n', behind).ok_or(NotUnderstood)?;
        begin = Some(at + delimiter.len() + line + 1);
    }
    Err(NotUnderstood) // It has no end.
}

/// Cuts one part into its headers and what they are about.
fn part(text: &Bytes) -> Option<Entity> {
    let mut entity = Entity {
        content_type: Bytes::new(),
        disposition: None,
        is_plain: true,
        bytes: Bytes::new(),
    };
    let mut rest: &[u8] = text;
    loop {
        let end = line_end(rest)?;
        let line = &rest[..end];
        rest = &rest[end..];
        if scan::trim(line).is_empty() {
            break;
        }
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (scan::trim(&line[..colon]), scan::trim(&line[colon + 1..]));
        let known = Name::from_bytes(name);
        if known == Name::ContentType {
            entity.content_type = text.slice_ref(value);
        } else if known == Name::ContentDisposition {
            entity.disposition = Some(text.slice_ref(value));
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
            let is = |plain: &&[u8]| value.eq_ignore_ascii_case(plain);
            entity.is_plain &= [&b"binary"[..], b"8bit", b"7bit"].iter().any(is);
        }
    }
    // The line end before a boundary belongs to the boundary.
    let bytes = rest.strip_suffix(b"\n").unwrap_or(rest);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    entity.bytes = text.slice_ref(bytes);
    Some(entity)
}

/// Where the line at the front of `text` ends, the lines folded onto it included.
fn line_end(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + memchr::memchr(b'\n', &text[from..])? + 1;
        let is_blank = scan::trim(&text[..end]).is_empty();
        let is_folded = matches!(text.get(end), Some(b' ' | b'\t'));
        if is_blank || !is_folded {
            return Some(end);
        }
        from = end;
    }
}

/// The type of session descriptions.
const SDP: &str = "application/sdp";

/// The longest boundary (RFC 2046 section 5.1.1), in bytes.
const BOUNDARY_MAX: usize = 70;

/// Parts of one body that are looked at: SDP and what gateways put beside it are two or three.
const PARTS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::{Parsed, parse};

    fn message(method: &str, headers: &str, body: &str) -> Message {
        let body = body.replace('\n', "\r\n");
        let length = body.len();
        let head = format!(
            "{method} sip:4000@192.0.2.1 SIP/2.0\n\
             Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\n\
             From: <sip:a@example.net>;tag=theirs\nTo: <sip:4000@192.0.2.1>\n\
             Call-ID: one\nCSeq: 7 {method}\n{headers}Content-Length: {length}\n\n"
        );
        let text = head.replace('\n', "\r\n") + &body;
        match parse(Bytes::from(text)).expect("a message") {
            Parsed::Message(message) => message,
            Parsed::Keepalive => panic!("no message"),
        }
    }

    const MIXED: &str = "Content-Type: multipart/mixed;boundary=\"cut here\"\n";

    fn invite(body: &str) -> Result<Option<Part>, NotUnderstood> {
        read(&message("INVITE", MIXED, body))
    }

    fn found(sdp: &'static str) -> Result<Option<Part>, NotUnderstood> {
        Ok(Some(Part {
            content_type: Bytes::from_static(b"application/sdp"),
            bytes: Bytes::from_static(sdp.as_bytes()),
        }))
    }

    #[test]
    fn the_sdp_among_several_parts_is_found_whatever_stands_beside_it() {
        let isup = "--cut here\nContent-Type: application/isup;version=x\n\
            Content-Disposition: signal;\n handling=optional\n\nbinary --cut here\n";
        let sdp = "--cut here\nContent-Type: application/sdp\n\nv=0\ns=-\n";
        for body in [
            format!("preamble\n{isup}{sdp}--cut here--\nepilogue"),
            format!("{sdp}{isup}--cut here--"),
            format!("{sdp}--cut here--\n"),
        ] {
            assert_eq!(invite(&body), found("v=0\r\ns=-"), "{body}");
        }
        assert_eq!(
            invite(&format!("{isup}--cut here--")),
            Ok(None),
            "an offer is not there"
        );
    }

    #[test]
    fn a_part_that_must_be_understood_is_refused() {
        let sdp = "--cut here\nContent-Type: application/sdp\n\nv=0\n";
        for other in [
            "--cut here\nContent-Type: application/isup\n\nx\n",
            "--cut here\nContent-Type: application/isup\nContent-Disposition: signal;handling=required\n\nx\n",
            "--cut here\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\neA==\n",
            "--cut here\n\nno type\n",
        ] {
            let body = format!("{sdp}{other}--cut here--");
            assert_eq!(invite(&body), Err(NotUnderstood), "{other}");
        }
        let encoded = "--cut here\nContent-Type: application/sdp\n\
            Content-Transfer-Encoding: base64\n\ndj0w\n--cut here--";
        assert_eq!(invite(encoded), Err(NotUnderstood));
    }

    #[test]
    fn a_body_in_pieces_that_do_not_fit_is_refused() {
        for body in [
            "no boundary at all",
            "--cut here\nContent-Type: application/sdp\n\nv=0\n",
            "--cut here\nContent-Type: application/sdp\n--cut here--",
            "--cut here",
            "--cut here\nno colon\n\nv=0\n--cut here--",
        ] {
            assert_eq!(invite(body), Err(NotUnderstood), "{body}");
        }
        let many = "--cut here\nContent-Type: a/b\nContent-Disposition: x;handling=optional\n\n\n";
        let body = format!("{}--cut here--", many.repeat(PARTS_MAX + 1));
        assert_eq!(invite(&body), Err(NotUnderstood));
    }

    #[test]
    fn a_whole_body_that_may_be_passed_over_is_none() {
        let headers =
            "Content-Type: application/isup\nContent-Disposition: signal;handling=optional\n";
        assert_eq!(read(&message("INVITE", headers, "x")), Ok(None));
        let headers = "Content-Type: application/isup\n";
        assert_eq!(read(&message("INVITE", headers, "x")), Err(NotUnderstood));
        assert_eq!(read(&message("INVITE", "", "v=0")), Err(NotUnderstood));
        assert_eq!(read(&message("BYE", headers, "x")), Ok(None));
    }

    #[test]
    fn a_session_of_early_media_alone_is_no_description_of_the_session() {
        let headers = "Content-Type: application/sdp\n\
            Content-Disposition: early-session;handling=optional\n";
        assert_eq!(read(&message("INVITE", headers, "v=0")), Ok(None));
    }
}

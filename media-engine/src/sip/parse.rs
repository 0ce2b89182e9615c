//! The parser: one pass over the bytes, one allocation.
//!
//! It cuts the start line, the headers and the body, and checks what decides whether and how a
//! request can be answered: the version, Content-Length, and that Via, From, To, Call-ID and CSeq
//! are there once. All other values are read when somebody asks for them ([`Message::check`] asks
//! for those that every receiver needs).

use bytes::Bytes;

use super::headers::{Name, scan};
use super::message::{Fault, Header, Message, Span, Start};
use super::method::Method;

/// The largest message that is read, in bytes: what a UDP datagram can hold, for streams too, as
/// no honest signalling comes near it.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// The most header lines of a message. Long routes and histories stay below 60; the bound keeps
/// every look-up short.
pub const HEADERS_MAX: usize = 256;

/// Room for the headers of an ordinary message, so that the list is allocated once.
const HEADERS_USUAL: usize = 40;

/// What a datagram, or one message of a stream, turned out to be.
#[derive(Debug, Clone)]
pub enum Parsed {
    /// Nothing but line ends, NULs or blanks: somebody keeps a path through a NAT open (RFC 5626
    /// section 4.4.1). It asks for no answer here; streams answer in [`super::framing`].
    Keepalive,
    /// A message.
    Message(Message),
}

/// Why bytes are not a message that can be handled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ParseError {
    /// Nothing can be answered: no SIP at all, a broken response, a broken ACK, or no Via to answer
    /// to. Counted and dropped.
    #[error("not a SIP message: {0}")]
    Garbage(&'static str),
    /// A request that can be answered with [`Rejected::fault`], because its Via can be read.
    #[error("{}", .0.fault)]
    Rejected(Box<Rejected>),
}

/// A request that its sender must hear an error about.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The request as far as it could be cut: its top Via can be read, and From, To, Call-ID and
    /// CSeq are there as far as they were sent.
    pub message: Message,
    /// What is wrong, and the status that answers it.
    pub fault: Fault,
}

/// Parses a datagram, a WebSocket frame, or a message that [`super::framing`] cut from a stream.
///
/// Bytes behind the Content-Length are cut off (RFC 3261 section 18.3).
///
/// # Errors
///
/// [`ParseError::Rejected`] where the sender can be answered, else [`ParseError::Garbage`].
pub fn parse(bytes: Bytes) -> Result<Parsed, ParseError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(ParseError::Garbage("it is too large"));
    }
    // RFC 3261 section 7.5: line ends before the start line are passed over.
    let begin = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    if bytes[begin..]
        .iter()
        .all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0))
    {
        return Ok(Parsed::Keepalive);
    }
    let lines = Lines {
        bytes: &bytes,
        at: begin,
        bare: false,
    };
    let mut parser = Parser {
        bytes: &bytes,
        lines,
        fault: None,
    };
    let start = parser.start_line()?;
    let (headers, seen) = parser.headers();
    let mut message = Message {
        start,
        headers,
        body: span(parser.lines.at, bytes.len()),
        bytes: Bytes::new(),
    };
    let mut fault = parser.fault;
    message.bytes = bytes;
    if let Err(found) = cut_body(&mut message).and_then(|()| check_mandatory(&message, seen)) {
        fault.get_or_insert(found);
    }
    match fault {
        None => Ok(Parsed::Message(message)),
        Some(fault) => Err(reject(message, fault)),
    }
}

/// Parses, and reads what every receiver needs ([`Message::check`]): the one call that stands
/// before anything is done about a message.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_and_check(bytes: Bytes) -> Result<Parsed, ParseError> {
    match parse(bytes)? {
        Parsed::Keepalive => Ok(Parsed::Keepalive),
        Parsed::Message(message) => match message.check() {
            Ok(()) => Ok(Parsed::Message(message)),
            Err(fault) => Err(reject(message, fault)),
        },
    }
}

/// Decides whether a faulty message can be answered.
fn reject(message: Message, fault: Fault) -> ParseError {
    match message.method() {
        // A response is never answered, and neither is an ACK (RFC 3261 section 17).
        None | Some(Method::Ack) => ParseError::Garbage(fault.what),
        Some(_) if message.top_via().is_err() => ParseError::Garbage(fault.what),
        Some(_) => ParseError::Rejected(Box::new(Rejected { message, fault })),
    }
}

/// Cuts bytes into lines.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a line ended with CR or LF alone. Such a line still ends there, so that the rest can
    /// be cut, but it is a fault: readers that disagree about line ends are how one message is
    /// smuggled inside another.
    bare: bool,
}

impl<'a> Lines<'a> {
    /// The next line without its end; `None` where the bytes end before it does.
    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = memchr::memchr2(b'\r', b'\n', rest)?;
        let proper = rest[end..].starts_with(b"\r\n");
        self.bare |= !proper;
        self.at += end + if proper { 2 } else { 1 };
        Some(&rest[..end])
    }

    /// The next header line with what continues it: a line that begins with white space (RFC 3261
    /// section 7.3.1). The empty line that ends the headers is never continued.
    fn header_line(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let mut end = start + self.line()?.len();
        while end > start && matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) {
            let more = self.at;
            end = more + self.line()?.len();
        }
        Some(&self.bytes[start..end])
    }
}

/// The known headers of a head that begins with its start line and ends with an empty one; `Err` at
/// the end where a line ended with CR or LF alone.
pub(crate) fn header_lines(
    head: &[u8],
) -> impl Iterator<Item = Result<(Name, &[u8]), BareLineEnd>> {
    let mut lines = Lines {
        bytes: head,
        at: 0,
        bare: false,
    };
    let mut more = lines.line().is_some();
    std::iter::from_fn(move || {
        while more {
            match lines.header_line() {
                Some(line) if !line.is_empty() => {
                    if let Some((name, value)) = cut_header(line) {
                        return Some(Ok((Name::from_bytes(name), value)));
                    }
                }
                Some(_) | None => {
                    more = false;
                    return lines.bare.then_some(Err(BareLineEnd));
                }
            }
        }
        None
    })
}

/// A line of a head ends with CR or LF alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BareLineEnd;

/// Cuts `name HCOLON value`. A line that is no header is passed over, as malformed headers are
/// (RFC 3261 section 8.2): where it was needed, its absence is the fault.
fn cut_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = line
        .iter()
        .take_while(|byte| scan::is_token_byte(**byte))
        .count();
    let blanks = line[length..]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    if length == 0 || line.get(length + blanks) != Some(&b':') {
        return None;
    }
    Some((&line[..length], scan::trim(&line[length + blanks + 1..])))
}

struct Parser<'a> {
    bytes: &'a Bytes,
    lines: Lines<'a>,
    /// The first fault that still leaves a message to answer.
    fault: Option<Fault>,
}

/// A set of known names, one bit each.
type Seen = u128;

impl<'a> Parser<'a> {
    fn blame(&mut self, status: u16, what: &'static str) {
        self.fault.get_or_insert(Fault { status, what });
    }

    fn start_line(&mut self) -> Result<Start, ParseError> {
        let text = self
            .lines
            .line()
            .ok_or(ParseError::Garbage("the start line has no end"))?;
        if text
            .get(..4)
            .is_some_and(|front| front.eq_ignore_ascii_case(b"SIP/"))
        {
            self.status_line(text)
        } else {
            self.request_line(text)
        }
    }

    /// `SIP/2.0 SP code SP reason` (RFC 3261 section 7.2).
    fn status_line(&mut self, text: &'a [u8]) -> Result<Start, ParseError> {
        let mut parts = text.splitn(3, |byte| *byte == b' ');
        if !parts
            .next()
            .is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0"))
        {
            return Err(ParseError::Garbage("a response of an unknown version"));
        }
        let code = parts.next().filter(|code| code.len() == 3);
        let status = code
            .and_then(scan::number)
            .filter(|status| (100..=699).contains(status));
        let status = status.ok_or(ParseError::Garbage("a status code is not 100 to 699"))?;
        // The reason and even the space before it are forgiven when missing: nothing depends on it.
        let reason = self.span_of(parts.next().unwrap_or_default());
        Ok(Start::Response { status, reason })
    }

    /// `method SP URI SP SIP/2.0` (RFC 3261 section 7.1).
    fn request_line(&mut self, text: &'a [u8]) -> Result<Start, ParseError> {
        let trimmed = scan::trim(text);
        if trimmed.len() != text.len() {
            self.blame(400, "white space around the request line");
        }
        let first = trimmed.iter().position(|byte| *byte == b' ');
        let last = trimmed.iter().rposition(|byte| *byte == b' ');
        let (Some(first), Some(last)) = (first, last) else {
            return Err(ParseError::Garbage(
                "the start line is neither request nor response",
            ));
        };
        let (method, version) = (&trimmed[..first], &trimmed[last + 1..]);
        if !scan::is_token(method)
            || !version
                .get(..4)
                .is_some_and(|sip| sip.eq_ignore_ascii_case(b"SIP/"))
        {
            return Err(ParseError::Garbage(
                "the start line is neither request nor response",
            ));
        }
        if !version[4..].eq_ignore_ascii_case(b"2.0") {
            self.blame(505, "an unknown SIP version");
        }
        let uri = trimmed.get(first + 1..last).unwrap_or_default();
        if uri.is_empty() || uri.iter().any(|byte| scan::is_white(*byte)) {
            self.blame(400, "the Request-URI is not one word");
        }
        Ok(Start::Request {
            method: Method::from_token(method, self.bytes),
            uri: self.span_of(uri),
        })
    }

    fn headers(&mut self) -> (Vec<Header>, Seen) {
        let mut headers = Vec::with_capacity(HEADERS_USUAL);
        let mut seen: Seen = 0;
        loop {
            let Some(line) = self.lines.header_line() else {
                self.blame(400, "the headers have no end");
                self.lines.at = self.bytes.len();
                break;
            };
            if line.is_empty() {
                break;
            }
            let Some((spelling, value)) = cut_header(line) else {
                continue;
            };
            if headers.len() == HEADERS_MAX {
                self.blame(400, "too many headers");
                self.lines.at = self.bytes.len();
                break;
            }
            let name = Name::from_bytes(spelling);
            let bit = bit(name);
            if seen & bit & ONCE != 0 {
                self.blame(400, "a header that must stand once stands twice");
            }
            seen |= bit;
            headers.push(Header {
                name,
                spelling: self.span_of(spelling),
                value: self.span_of(value),
            });
        }
        if self.lines.bare {
            self.blame(400, "a line ends with CR or LF alone");
        }
        (headers, seen)
    }

    /// Where in the message `piece` stands; nothing stands nowhere in particular.
    fn span_of(&self, piece: &[u8]) -> Span {
        if piece.is_empty() {
            return span(0, 0);
        }
        let start = piece.as_ptr() as usize - self.bytes.as_ptr() as usize;
        span(start, start + piece.len())
    }
}

/// Names of which a message holds at most one line (RFC 3261 section 7.3.1: those whose grammar is
/// no list and whose meaning would be unclear).
const ONCE: Seen =
    bit(Name::From) | bit(Name::To) | bit(Name::CallId) | bit(Name::CSeq) | bit(Name::MaxForwards);

/// Names that every message holds (RFC 3261 section 8.1.1). Max-Forwards is forgiven: section 16.3
/// does so too.
const MANDATORY: Seen =
    bit(Name::Via) | bit(Name::From) | bit(Name::To) | bit(Name::CallId) | bit(Name::CSeq);

const fn bit(name: Name) -> Seen {
    1 << name as u8
}

/// Sets the body's end by Content-Length (RFC 3261 sections 18.3 and 20.14).
fn cut_body(message: &mut Message) -> Result<(), Fault> {
    let Some(length) = content_length(message)? else {
        return Ok(());
    };
    let start = message.body.start as usize;
    // RFC 3261 section 18.3: a datagram that ends before the body does is an error.
    if length > message.bytes.len() - start {
        return Err(Fault {
            status: 400,
            what: "the body is shorter than Content-Length",
        });
    }
    message.body = span(start, start + length);
    Ok(())
}

/// The Content-Length; repeated ones must agree.
fn content_length(message: &Message) -> Result<Option<usize>, Fault> {
    let mut agreed = None;
    for header in message
        .headers
        .iter()
        .filter(|header| header.name == Name::ContentLength)
    {
        let length = read_content_length(message.piece(header.value))?;
        if agreed.is_some_and(|earlier| earlier != length) {
            return Err(Fault {
                status: 400,
                what: "two Content-Length disagree",
            });
        }
        agreed = Some(length);
    }
    Ok(agreed)
}

/// A Content-Length value; one beyond any message is an error of the same kind as a malformed one.
pub(crate) fn read_content_length(value: &[u8]) -> Result<usize, Fault> {
    let length = scan::number(scan::trim(value)).filter(|length| *length <= MESSAGE_BYTES_MAX);
    length.ok_or(Fault {
        status: 400,
        what: "Content-Length is not a possible length",
    })
}

fn check_mandatory(message: &Message, seen: Seen) -> Result<(), Fault> {
    if seen & MANDATORY != MANDATORY {
        return Err(Fault {
            status: 400,
            what: "Via, From, To, Call-ID or CSeq is missing",
        });
    }
    let cseq = message.cseq()?;
    // RFC 3261 section 8.1.1.5.
    if message
        .method()
        .is_some_and(|method| *method != cseq.method)
    {
        return Err(Fault {
            status: 400,
            what: "CSeq names another method",
        });
    }
    Ok(())
}

fn span(start: usize, end: usize) -> Span {
    // Messages end below MESSAGE_BYTES_MAX, so neither number is ever cut off.
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span {
        start: place(start),
        end: place(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Message, ParseError> {
        match parse(Bytes::copy_from_slice(text.as_bytes()))? {
            Parsed::Message(message) => Ok(message),
            Parsed::Keepalive => Err(ParseError::Garbage("a keepalive")),
        }
    }

    fn invite(extra: &str) -> String {
        format!(
            "INVITE sip:4000@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n\
             To: <sip:4000@example.com>\r\nCall-ID: one@example.com\r\nCSeq: 1 INVITE\r\n{extra}\r\n"
        )
    }

    fn status(text: &str) -> Option<u16> {
        match parsed(text) {
            Err(ParseError::Rejected(rejected)) => Some(rejected.fault.status),
            Ok(_) | Err(ParseError::Garbage(_)) => None,
        }
    }

    #[test]
    fn an_invite_is_cut_into_its_parts() {
        let text = invite("Subject : one\r\n  two\r\nsubject: three\r\nl: 4\r\n");
        let message = parsed(&(text + "bodyrest")).expect("valid");
        assert_eq!(message.method(), Some(&Method::Invite));
        assert_eq!(
            message.request_uri().map(|uri| uri.to_string()),
            Ok("sip:4000@example.com".to_owned())
        );
        assert_eq!(
            message.header_text(Name::Subject).as_deref(),
            Some("one two")
        );
        assert_eq!(message.header_lines(Name::Subject).count(), 2);
        assert_eq!(message.body(), &b"body"[..]);
        assert_eq!(message.check(), Ok(()));
    }

    #[test]
    fn a_content_length_that_cannot_be_is_answered_with_400() {
        for lie in [
            "5",
            "-1",
            "18446744073709551616",
            "abc",
            "1\r\nContent-Length: 2",
        ] {
            assert_eq!(
                status(&invite(&format!("Content-Length: {lie}\r\n"))),
                Some(400),
                "{lie}"
            );
        }
        assert!(parsed(&invite("Content-Length: 0\r\nl: 0\r\n")).is_ok());
    }

    #[test]
    fn another_version_is_answered_with_505_and_another_protocol_is_dropped() {
        assert_eq!(
            status(&invite("").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")),
            Some(505)
        );
        assert!(matches!(
            parsed("GET / HTTP/1.1\r\n\r\n"),
            Err(ParseError::Garbage(_))
        ));
    }

    #[test]
    fn what_lacks_a_mandatory_header_is_answered_and_what_lacks_via_is_dropped() {
        assert_eq!(
            status(&invite("").replace("Call-ID: one@example.com\r\n", "")),
            Some(400)
        );
        assert!(matches!(
            parsed(&invite("").replace("Via:", "Vai:")),
            Err(ParseError::Garbage(_))
        ));
        assert_eq!(status(&invite("Call-ID: two\r\n")), Some(400));
    }

    #[test]
    fn a_line_end_that_is_not_crlf_is_refused() {
        assert_eq!(status(&invite("X: a\rVia: b\r\n")), Some(400));
        assert_eq!(status(&invite("X: a\nVia: b\r\n")), Some(400));
    }

    #[test]
    fn blanks_and_line_ends_alone_are_a_keepalive() {
        for text in ["", "\r\n\r\n", "\0\0\0\0", "\r\n"] {
            assert!(matches!(
                parse(Bytes::from_static(text.as_bytes())),
                Ok(Parsed::Keepalive)
            ));
        }
    }
}

//! The writer: a message straight into bytes.
//!
//! ```text
//! Writer::request(&Method::Options, &uri)          Writer::response_to(&request, 200, Some(b"tag"), source)
//!     .header(Name::CallId, "a84b4c76e66710")          .header(Name::Contact, "<sip:ramal@192.0.2.1>")
//!     .header_display(Name::CSeq, format_args!(…))     .finish_with_body("application/sdp", &sdp)
//!     .finish()
//! ```
//!
//! A value cannot end its line: CR, LF and NUL in it are written as spaces.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::headers::{Name, scan};
use super::message::Message;
use super::method::Method;
use super::status::reason_phrase;

/// Room for an ordinary message without a body, in bytes, so that one allocation does.
const USUAL_BYTES: usize = 1_024;

/// A message that is being written. Headers come out in the order in which they are added;
/// Content-Length is the writer's own.
#[derive(Debug)]
#[must_use = "a message exists when it is finished"]
pub struct Writer {
    buffer: BytesMut,
}

impl Writer {
    /// Begins a request to `uri`.
    pub fn request(method: &Method, uri: impl AsRef<[u8]>) -> Self {
        let mut writer = Self::empty();
        writer.value(method.as_bytes());
        writer.buffer.put_u8(b' ');
        writer.value(uri.as_ref());
        writer.buffer.put_slice(b" SIP/2.0\r\n");
        writer
    }

    /// Begins a response that answers no request in particular (tests, mostly).
    pub fn response(status: u16) -> Self {
        Self::response_with_phrase(status, reason_phrase(status))
    }

    fn response_with_phrase(status: u16, phrase: &str) -> Self {
        let mut writer = Self::empty();
        let _ = write!(writer.buffer, "SIP/2.0 {status} "); // writing to a BytesMut does not fail
        writer.value(phrase.as_bytes());
        writer.buffer.put_slice(b"\r\n");
        writer
    }

    /// Begins the response to `request` (RFC 3261 section 8.2.6): Via, From, To, Call-ID and CSeq
    /// are copied, and Record-Route where a dialog may come of it (section 12.1.1).
    ///
    /// `to_tag` is put behind To if that has none yet; a 100 needs none. `source` is where the
    /// request came from: it goes into the top Via as `received` and `rport` where RFC 3261 section
    /// 18.2.1 and RFC 3581 section 4 ask for them, replacing what the sender may have written there.
    ///
    /// Works on a rejected request too: what it lacks is left out.
    pub fn response_to(
        request: &Message,
        status: u16,
        to_tag: Option<&[u8]>,
        source: SocketAddr,
    ) -> Self {
        let mut writer = Self::response(status);
        for (at, line) in request.header_lines(Name::Via).enumerate() {
            writer.name("Via");
            if at == 0 {
                writer.top_via(&line, source);
            } else {
                writer.copied(&line);
            }
            writer.buffer.put_slice(b"\r\n");
        }
        writer.copy_first(request, Name::From);
        if let Some(to) = request.header(Name::To) {
            writer.name("To");
            writer.copied(to);
            if let Some(tag) = to_tag.filter(|_| request.to_tag().is_none()) {
                writer.buffer.put_slice(b";tag=");
                writer.value(tag);
            }
            writer.buffer.put_slice(b"\r\n");
        }
        writer.copy_first(request, Name::CallId);
        writer.copy_first(request, Name::CSeq);
        match status {
            100 => writer.copy(request, Name::Timestamp), // RFC 3261 section 8.2.6.1
            101..=299 => writer.copy(request, Name::RecordRoute),
            _ => writer,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: Name, value: impl AsRef<[u8]>) -> Self {
        self.line(name.as_str(), value.as_ref());
        self
    }

    /// Adds a header whose value is put together by `format_args!`, a number, or a typed value.
    pub fn header_display(mut self, name: Name, value: impl fmt::Display) -> Self {
        self.name(name.as_str());
        let _ = write!(Inert(&mut self.buffer), "{value}"); // writing to a BytesMut does not fail
        self.buffer.put_slice(b"\r\n");
        self
    }

    /// Adds a header that [`Name`] does not know. A name that is no token is left out, header and
    /// all.
    pub fn header_named(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if scan::is_token(name.as_bytes()) {
            self.line(name, value.as_ref());
        }
        self
    }

    /// Copies all headers of this name from `message`, in order; folds become spaces.
    pub fn copy(mut self, message: &Message, name: Name) -> Self {
        for value in message.header_lines(name) {
            self.name(name.as_str());
            self.copied(&value);
            self.buffer.put_slice(b"\r\n");
        }
        self
    }

    /// Copies a header that must stand once, from a request that may hold it twice.
    fn copy_first(&mut self, message: &Message, name: Name) {
        if let Some(value) = message.header(name) {
            self.name(name.as_str());
            self.copied(value);
            self.buffer.put_slice(b"\r\n");
        }
    }

    /// The message without a body.
    pub fn finish(mut self) -> Bytes {
        self.buffer.put_slice(b"Content-Length: 0\r\n\r\n");
        self.buffer.freeze()
    }

    /// The message with a body.
    pub fn finish_with_body(mut self, content_type: &str, body: &[u8]) -> Bytes {
        self.buffer.reserve(body.len() + content_type.len() + 64);
        self.line("Content-Type", content_type.as_bytes());
        let _ = write!(self.buffer, "Content-Length: {}\r\n\r\n", body.len());
        self.buffer.put_slice(body);
        self.buffer.freeze()
    }

    fn empty() -> Self {
        Self {
            buffer: BytesMut::with_capacity(USUAL_BYTES),
        }
    }

    fn name(&mut self, name: &str) {
        self.buffer.put_slice(name.as_bytes());
        self.buffer.put_slice(b": ");
    }

    fn line(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.value(value);
        self.buffer.put_slice(b"\r\n");
    }

    fn value(&mut self, value: &[u8]) {
        put_inert(&mut self.buffer, value);
    }

    /// A value that goes back to whoever sent it: only its folds are undone, so that a quoted NUL
    /// of theirs stays theirs.
    fn copied(&mut self, value: &[u8]) {
        self.buffer.extend(value.iter().map(|byte| match byte {
            b'\r' | b'\n' => b' ',
            byte => *byte,
        }));
    }

    /// The top Via with `received` and `rport` as we saw them. A Via that cannot be read is copied.
    fn top_via(&mut self, line: &Bytes, source: SocketAddr) {
        let Some(Ok(via)) = super::headers::Via::parse_list(line).next() else {
            return self.copied(line);
        };
        let end = scan::find_outside(line, b',', true).unwrap_or(line.len());
        let params = line[..end]
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(end);
        self.copied(scan::trim(&line[..params]));
        for (name, value) in via.params().iter() {
            if [&b"received"[..], b"rport"]
                .iter()
                .any(|ours| name.eq_ignore_ascii_case(ours))
            {
                continue;
            }
            self.buffer.put_u8(b';');
            self.copied(name);
            if let Some(value) = value {
                self.buffer.put_u8(b'=');
                self.copied(value);
            }
        }
        let address = source.ip().to_canonical();
        // RFC 3581 section 4: with rport, received is written even where it says nothing new.
        if via.wants_rport() || via.host().ip().map(|ip| ip.to_canonical()) != Some(address) {
            let _ = write!(self.buffer, ";received={address}"); // IPv6 without brackets, RFC 5118 section 4.5
        }
        if via.wants_rport() {
            let _ = write!(self.buffer, ";rport={}", source.port());
        }
        self.copied(&line[end..]);
    }
}

/// Writes text so that it cannot end its line.
struct Inert<'a>(&'a mut BytesMut);

impl fmt::Write for Inert<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put_inert(self.0, text.as_bytes());
        Ok(())
    }
}

fn put_inert(buffer: &mut BytesMut, value: &[u8]) {
    if memchr::memchr3(b'\r', b'\n', 0, value).is_none() {
        return buffer.put_slice(value);
    }
    buffer.extend(value.iter().map(|byte| match byte {
        b'\r' | b'\n' | 0 => b' ',
        byte => *byte,
    }));
}

/// `text` as a quoted string (RFC 3261 section 25.1): quotes and backslashes escaped, control
/// characters left out.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// An address as a host of a URI or Via: IPv6 in brackets.
pub fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Parsed, parse};
    use super::*;

    fn parsed(bytes: Bytes) -> Message {
        match parse(bytes).expect("our own writing parses") {
            Parsed::Message(message) => message,
            Parsed::Keepalive => panic!("not a keepalive"),
        }
    }

    fn request(via: &str) -> Message {
        let writer = Writer::request(&Method::Invite, "sip:4000@example.com")
            .header(Name::Via, via)
            .header(Name::Via, "SIP/2.0/UDP second.example.com;branch=z9hG4bK2")
            .header(Name::RecordRoute, "<sip:proxy.example.com;lr>")
            .header(Name::From, "<sip:a@example.com>;tag=1")
            .header(Name::To, "<sip:4000@example.com>")
            .header(Name::CallId, "one")
            .header_display(Name::CSeq, format_args!("{} {}", 7, Method::Invite));
        parsed(writer.finish_with_body("application/sdp", b"v=0\r\n"))
    }

    #[test]
    fn a_response_carries_what_the_request_named_and_where_it_came_from() {
        let request = request(
            "SIP/2.0/UDP 10.0.0.1;received=6.6.6.6;rport;branch=z9hG4bK1, SIP/2.0/TCP x;branch=z9hG4bK0",
        );
        let source = "192.0.2.9:5999".parse().expect("an address");
        let response = parsed(Writer::response_to(&request, 200, Some(b"ours"), source).finish());
        assert_eq!(response.status(), Some(200));
        assert_eq!(
            response.header(Name::Via),
            Some(&b"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.9;rport=5999, SIP/2.0/TCP x;branch=z9hG4bK0"[..])
        );
        assert_eq!(response.vias().count(), 3);
        assert_eq!(response.to_tag().as_deref(), Some(&b"ours"[..]));
        assert_eq!(response.cseq(), request.cseq());
        assert_eq!(response.addresses(Name::RecordRoute).count(), 1);
        assert_eq!(response.header(Name::ContentLength), Some(&b"0"[..]));
    }

    #[test]
    fn a_via_that_tells_the_truth_is_left_alone() {
        let request = request("SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1");
        let source = "192.0.2.9:5999".parse().expect("an address");
        let response = parsed(Writer::response_to(&request, 486, None, source).finish());
        assert_eq!(
            response.header(Name::Via),
            Some(&b"SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1"[..])
        );
        assert_eq!(response.header(Name::RecordRoute), None);
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        let evil = "x\r\nVia: evil\0\n";
        let writer = Writer::request(&Method::Options, "sip:a@example.com SIP/2.0\r\nX: y")
            .header(Name::Subject, evil)
            .header_display(Name::UserAgent, evil)
            .header_named("X-A: b\r\nVia", "c")
            .header_named("X-Ok", evil);
        let bytes = writer.finish_with_body("text/plain\r\nVia: z", b"");
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(
            text.lines().filter(|line| line.starts_with("Via")).count(),
            0,
            "{text}"
        );
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(!bytes.contains(&0));
    }

    #[test]
    fn quoting_cannot_be_broken_out_of() {
        assert_eq!(quoted("a\"b\\c\r\n"), r#""a\"b\\c""#);
    }
}

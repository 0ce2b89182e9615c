//! Messages out of a byte stream (RFC 3261 section 18.3).
//!
//! ```text
//!  bytes of TCP or TLS ─▶ Framer::push ─▶ Framer::poll ─▶ Message(bytes) ─▶ Endpoint::handle_message
//!                                                    └──▶ Ping: answer with PONG
//!                                                    └──▶ error: close the connection
//! ```
//!
//! Headers are cut by the same code that parses them, so the framer and the parser cannot disagree
//! about where a message ends. A WebSocket frame is one message (RFC 7118 section 5): [`frame`].

use bytes::{Buf as _, Bytes, BytesMut};

use super::headers::Name;
use super::parse::{MESSAGE_BYTES_MAX, header_lines, read_content_length};

/// The most bytes of start line and headers on a stream. An end that never comes costs no more.
pub const HEAD_BYTES_MAX: usize = 32_768;

/// What a [`Item::Ping`] is answered with (RFC 5626 section 3.5.1).
pub const PONG: &[u8] = b"\r\n";

/// What we send to keep a stream open, and to see that it is (RFC 5626 section 3.5.1).
pub const PING: &[u8] = b"\r\n\r\n";

/// What came out of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// One message, to be parsed.
    Message(Bytes),
    /// A double CRLF between messages: to be answered with [`PONG`].
    Ping,
    /// A single CRLF between messages: the answer to our [`PING`].
    Pong,
}

/// A stream that cannot be cut any further: its connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// Start line and headers did not end within [`HEAD_BYTES_MAX`].
    #[error("headers longer than {HEAD_BYTES_MAX} bytes")]
    HeadTooLong,
    /// No Content-Length: the end of the message is unknown (RFC 3261 section 20.14).
    #[error("no Content-Length")]
    NoLength,
    /// Content-Length is no number, stands twice with two values, or is beyond any message.
    #[error("Content-Length cannot be trusted")]
    BadLength,
    /// A line ends with CR or LF alone.
    #[error("a line ends with CR or LF alone")]
    BareLineEnd,
    /// The head and the body together are longer than [`MESSAGE_BYTES_MAX`].
    #[error("message longer than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
}

/// Cuts one stream into messages. Holds at most one unfinished message and what was pushed since.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How far the end of the headers has been looked for in vain.
    searched: usize,
    /// The length of the unfinished message, once its headers are there.
    awaited: Option<usize>,
    failed: Option<FramingError>,
    /// Whether the last item was a lone CRLF: if another follows, the two were a ping in two reads.
    half_ping: bool,
}

impl Framer {
    /// Makes a framer for a stream that has just been opened.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that were read from the stream. Poll until `None` before the next push, and the
    /// buffer stays below one message and one read.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether a message has begun and not ended: a peer that leaves it so for long is a slow one
    /// on purpose.
    pub fn is_within_message(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next message or keepalive.
    ///
    /// # Errors
    ///
    /// Once the stream cannot be cut any further; again and again from then on.
    pub fn poll(&mut self) -> Result<Option<Item>, FramingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.cut().inspect_err(|error| {
            self.failed = Some(*error);
            self.buffer = BytesMut::new();
        })
    }

    fn cut(&mut self) -> Result<Option<Item>, FramingError> {
        if let Some(keepalive) = self.keepalive() {
            return Ok(Some(keepalive));
        }
        let length = match self.awaited {
            Some(length) => length,
            None => match self.message_length()? {
                Some(length) => length,
                None => return Ok(None),
            },
        };
        self.awaited = Some(length);
        if self.buffer.len() < length {
            self.buffer.reserve(length - self.buffer.len());
            return Ok(None);
        }
        self.awaited = None;
        self.searched = 0;
        Ok(Some(Item::Message(self.buffer.split_to(length).freeze())))
    }

    /// A double CRLF is a ping, a lone one a pong. A ping that arrives in two reads is a pong and
    /// then a ping: the peer gets its answer, and a pong too many does no harm.
    fn keepalive(&mut self) -> Option<Item> {
        if self.awaited.is_some() || !self.buffer.starts_with(PONG) {
            self.half_ping &= self.buffer.is_empty() || self.buffer.as_ref() == b"\r";
            return None;
        }
        let ping = self.buffer.starts_with(PING);
        self.buffer
            .advance(if ping { PING.len() } else { PONG.len() });
        let item = if ping || self.half_ping {
            Item::Ping
        } else {
            Item::Pong
        };
        self.half_ping = item == Item::Pong;
        Some(item)
    }

    /// The length of the message at the front of the buffer, if its headers are there.
    fn message_length(&mut self) -> Result<Option<usize>, FramingError> {
        const END: &[u8] = b"\r\n\r\n";
        let from = self.searched.saturating_sub(END.len() - 1);
        let Some(end) = memchr::memmem::find(&self.buffer[from..], END) else {
            self.searched = self.buffer.len();
            return if self.buffer.len() > HEAD_BYTES_MAX {
                Err(FramingError::HeadTooLong)
            } else {
                Ok(None)
            };
        };
        let head = from + end + END.len();
        if head > HEAD_BYTES_MAX {
            return Err(FramingError::HeadTooLong);
        }
        let length = head + content_length(&self.buffer[..head])?;
        if length > MESSAGE_BYTES_MAX {
            return Err(FramingError::TooLong);
        }
        Ok(Some(length))
    }
}

/// One WebSocket frame as an item: a message (Content-Length may be missing, RFC 7118 section 5), or
/// a keepalive.
pub fn frame(bytes: Bytes) -> Item {
    match bytes.as_ref() {
        PING => Item::Ping,
        b"" | PONG => Item::Pong,
        _ => Item::Message(bytes),
    }
}

/// The Content-Length of a head that ends with an empty line.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut agreed = None;
    for line in header_lines(head) {
        let (name, value) = line.map_err(|_| FramingError::BareLineEnd)?;
        if name != Name::ContentLength {
            continue;
        }
        let length = read_content_length(value).map_err(|_| FramingError::BadLength)?;
        if agreed.is_some_and(|earlier| earlier != length) {
            return Err(FramingError::BadLength);
        }
        agreed = Some(length);
    }
    agreed.ok_or(FramingError::NoLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        b"OPTIONS sip:a@example.com SIP/2.0\r\nContent-Length : 4\r\nX: y\r\n\r\nbody";

    fn cut(chunks: &[&[u8]]) -> Result<Vec<Item>, FramingError> {
        let mut framer = Framer::new();
        let mut items = vec![];
        for chunk in chunks {
            framer.push(chunk);
            while let Some(item) = framer.poll()? {
                items.push(item);
            }
        }
        Ok(items)
    }

    #[test]
    fn messages_are_cut_alike_however_the_stream_is_split() {
        let stream = [b"\r\n\r\n", MESSAGE, b"\r\n", MESSAGE].concat();
        let message = Item::Message(Bytes::from_static(MESSAGE));
        let whole = vec![Item::Ping, message.clone(), Item::Pong, message];
        assert_eq!(cut(&[&stream]), Ok(whole.clone()));
        for at in 4..stream.len() {
            let (one, two) = stream.split_at(at);
            assert_eq!(cut(&[one, two]), Ok(whole.clone()), "split at {at}");
        }
    }

    #[test]
    fn a_ping_in_two_reads_is_answered() {
        assert_eq!(cut(&[b"\r\n", b"\r\n"]), Ok(vec![Item::Pong, Item::Ping]));
        assert_eq!(
            cut(&[b"\r", b"\n\r", b"\n"]),
            Ok(vec![Item::Pong, Item::Ping])
        );
    }

    #[test]
    fn a_length_that_cannot_be_trusted_closes_the_connection() {
        for (head, error) in [
            ("", FramingError::NoLength),
            ("Content-Length: 1\r\nl: 2\r\n", FramingError::BadLength),
            ("Content-Length: 2147483648\r\n", FramingError::BadLength),
            ("Content-Length: -1\r\n", FramingError::BadLength),
            ("Content-Length: 65535\r\n", FramingError::TooLong),
            ("X: a\nContent-Length: 1\r\n", FramingError::BareLineEnd),
        ] {
            let stream = format!("OPTIONS sip:a SIP/2.0\r\n{head}\r\n");
            assert_eq!(cut(&[stream.as_bytes()]), Err(error), "{head}");
        }
    }

    #[test]
    fn headers_without_an_end_close_the_connection() {
        let line = [b'a'; 1000];
        let mut framer = Framer::new();
        let mut pushed = 0;
        while let Ok(None) = framer.poll() {
            framer.push(&line);
            pushed += line.len();
        }
        assert!(pushed <= HEAD_BYTES_MAX + line.len());
        assert_eq!(framer.poll(), Err(FramingError::HeadTooLong));
    }
}

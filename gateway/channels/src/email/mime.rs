//! The shape of a message: heads, parts and bodies, taken apart without recursion into strangers' depths.
//!
//! Structure is ours, so that depth, number and size of parts have limits that hold; the words in a
//! head (addresses, dates, RFC 2047 and RFC 2231 text) are read by `mail-parser`. A message inside a
//! message is never descended into: it is a file, of which at most the head is looked at.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{ContentType, HeaderName, HeaderValue, Message, MessageParser};

use super::mail::{Address, Note};

/// The head of a message or part, its words decoded.
#[derive(Debug, Default)]
pub(super) struct Head(Option<Message<'static>>);

impl Head {
    /// Reads a block of header lines. Bytes that are not UTF-8 are taken for windows-1252, which is
    /// what programs that write raw accents mean.
    fn parse(parser: &MessageParser, lines: &[u8]) -> Self {
        let mut text: Vec<u8> = match std::str::from_utf8(lines) {
            Ok(_) => lines.to_vec(),
            Err(_) => encoding_rs::WINDOWS_1252
                .decode(lines)
                .0
                .into_owned()
                .into_bytes(),
        };
        // Without an end the last field would be taken for cut off.
        text.extend_from_slice(b"\r\n\r\n");
        Self(parser.parse_headers(&text).map(Message::into_owned))
    }

    /// Whether there is any field.
    pub(super) fn is_empty(&self) -> bool {
        self.fields().next().is_none()
    }

    fn fields(&self) -> impl Iterator<Item = &mail_parser::Header<'static>> {
        let part = self.0.as_ref().and_then(|message| message.parts.first());
        part.into_iter().flat_map(|part| part.headers.iter())
    }

    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s HeaderValue<'static>> {
        self.fields()
            .filter(move |field| field.name.as_str().eq_ignore_ascii_case(name))
            .map(|field| &field.value)
    }

    /// The first field of this name, as text on one line. An empty field is the empty text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// All fields of this name, as text on one line each.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.values(name)
            .map(|value| match value {
                HeaderValue::Text(text) => one_line(text),
                HeaderValue::TextList(texts) => one_line(&texts.join(" ")),
                HeaderValue::Address(_)
                | HeaderValue::DateTime(_)
                | HeaderValue::ContentType(_)
                | HeaderValue::Received(_)
                | HeaderValue::Empty => String::new(),
            })
            .collect()
    }

    /// Whether the field is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The ids of `Message-ID`, `In-Reply-To`, `References` or `Content-ID`, without their brackets.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        let mut ids = vec![];
        for value in self.values(name) {
            let texts: &[Cow<'_, str>] = match value {
                HeaderValue::Text(text) => std::slice::from_ref(text),
                HeaderValue::TextList(texts) => texts,
                HeaderValue::Address(_)
                | HeaderValue::DateTime(_)
                | HeaderValue::ContentType(_)
                | HeaderValue::Received(_)
                | HeaderValue::Empty => &[],
            };
            for id in texts.iter().flat_map(|text| text.split_whitespace()) {
                let id = id.trim_matches(['<', '>']);
                if !id.is_empty() && id.len() <= ID_BYTES_MAX {
                    ids.push(id.to_owned());
                }
            }
        }
        ids.truncate(IDS_MAX);
        ids
    }

    /// The addresses of a field, groups opened.
    pub(super) fn addresses(&self, name: &str) -> Vec<Address> {
        let mut addresses = vec![];
        for value in self.values(name) {
            let Some(list) = value.as_address() else {
                continue;
            };
            addresses.extend(list.iter().filter_map(|one| {
                let address = Address::parse(one.address.as_deref()?)?;
                Some(address.named(one.name.as_deref().map(one_line)))
            }));
        }
        addresses.truncate(ADDRESSES_MAX);
        addresses
    }

    /// The `Date`, in milliseconds since 1970 (UTC).
    pub(super) fn date_ms(&self) -> Option<i64> {
        let date = self.values("Date").find_map(HeaderValue::as_datetime)?;
        date.is_valid()
            .then(|| date.to_timestamp().saturating_mul(1_000))
    }

    fn content(&self, name: HeaderName<'_>) -> Option<&ContentType<'static>> {
        self.fields()
            .find(|field| field.name == name)
            .and_then(|field| field.value.as_content_type())
    }

    /// `type/subtype` in lower case, if one is told.
    pub(super) fn mime(&self) -> Option<String> {
        let kind = self.content(HeaderName::ContentType)?;
        let subtype = kind.subtype()?;
        Some(format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase())
    }

    /// A parameter of the content type, such as `charset`.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.content(HeaderName::ContentType)?.attribute(name)
    }

    /// Whether the part says of itself that it is a file.
    pub(super) fn is_attachment(&self) -> bool {
        self.content(HeaderName::ContentDisposition)
            .is_some_and(ContentType::is_attachment)
    }

    /// The name of the file, without any path.
    pub(super) fn file_name(&self) -> Option<String> {
        let name = self
            .content(HeaderName::ContentDisposition)
            .and_then(|disposition| disposition.attribute("filename"))
            .or_else(|| self.parameter("name"))?;
        file_name(name)
    }

    fn encoding(&self) -> Encoding {
        let name = self.text("Content-Transfer-Encoding").unwrap_or_default();
        match name.trim().to_ascii_lowercase().as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Plain,
        }
    }
}

/// A name that is safe to show and to save under: no path, no control characters, not too long.
pub(super) fn file_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = one_line(last).chars().take(FILE_NAME_MAX).collect();
    let clean = clean.trim_matches(['.', ' ']).to_owned();
    (!clean.is_empty()).then_some(clean)
}

/// Text on one line: white space is a single space, and what cannot be seen is gone. Characters that
/// turn the direction of writing would let `exe.fdp` be read as a PDF.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// How the body of a part was made fit for transport (RFC 2045 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    QuotedPrintable,
    Base64,
}

/// A part of a message.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) head: Head,
    /// `type/subtype`, with the default of the place where the part stands.
    pub(super) mime: String,
    pub(super) body: Body<'a>,
}

/// What a part holds.
#[derive(Debug)]
pub(super) enum Body<'a> {
    /// Bytes, as they were transported.
    Leaf(&'a [u8]),
    /// Parts.
    Multipart(Vec<Part<'a>>),
}

impl Part<'_> {
    /// The bytes of a leaf, decoded. What is broken in the encoding is passed over.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Body::Leaf(raw) = self.body else {
            return vec![];
        };
        match self.head.encoding() {
            Encoding::Plain => raw.to_vec(),
            Encoding::QuotedPrintable => quoted_printable(raw),
            Encoding::Base64 => base64(raw),
        }
    }

    /// The text of a leaf: decoded from its charset, with `\n` alone between lines.
    pub(super) fn text(&self) -> String {
        let bytes = self.bytes();
        let text = decode(&bytes, self.head.parameter("charset"));
        text.replace("\r\n", "\n").replace(['\r', '\0'], "")
    }

    /// The parts of a multipart; none of a leaf.
    pub(super) fn parts(&self) -> &[Self] {
        match &self.body {
            Body::Leaf(_) => &[],
            Body::Multipart(parts) => parts,
        }
    }
}

/// Takes messages apart, and notes what it had to leave out.
pub(super) struct Walker {
    parser: MessageParser,
    parts: usize,
    pub(super) notes: Vec<Note>,
}

impl Walker {
    pub(super) fn new() -> Self {
        let parser = MessageParser::new()
            .with_mime_headers()
            .with_date_headers()
            .with_address_headers()
            .with_message_ids()
            .header_text(HeaderName::Subject)
            .default_header_raw();
        Self {
            parser,
            parts: 0,
            notes: vec![],
        }
    }

    /// Reads the head at the beginning of `raw` alone.
    pub(super) fn head(&self, raw: &[u8]) -> Head {
        let (head, _) = split_head(raw);
        Head::parse(&self.parser, head.get(..HEAD_BYTES_MAX).unwrap_or(head))
    }

    /// Reads a block of fields that may not be the head of anything, as in delivery reports.
    pub(super) fn fields(&self, block: &[u8]) -> Head {
        Head::parse(&self.parser, block.get(..HEAD_BYTES_MAX).unwrap_or(block))
    }

    /// Takes a message apart.
    pub(super) fn walk<'a>(&mut self, raw: &'a [u8]) -> Part<'a> {
        self.part(raw, "text/plain", 0)
    }

    fn part<'a>(&mut self, raw: &'a [u8], usual: &str, depth: usize) -> Part<'a> {
        self.parts += 1;
        let (head, body) = split_head(raw);
        let head = Head::parse(&self.parser, head.get(..HEAD_BYTES_MAX).unwrap_or(head));
        let mime = head.mime().unwrap_or_else(|| usual.to_owned());
        if !mime.starts_with("multipart/") {
            let body = Body::Leaf(body);
            return Part { head, mime, body };
        }
        if depth >= DEPTH_MAX {
            self.note(Note::TooDeep);
            let body = Body::Leaf(body);
            return Part { head, mime, body };
        }
        let boundary = head.parameter("boundary").map(str::as_bytes);
        let boundary = boundary.filter(|b| !b.is_empty() && b.len() <= BOUNDARY_BYTES_MAX);
        let sections = boundary.map_or(vec![], |boundary| sections(body, boundary));
        if sections.is_empty() {
            // What should be parts is none: people can still read it as a text.
            self.note(Note::Broken);
            let (mime, body) = ("text/plain".to_owned(), Body::Leaf(body));
            return Part { head, mime, body };
        }
        let body = Body::Multipart(self.parts(&sections, &mime, depth));
        Part { head, mime, body }
    }

    fn parts<'a>(&mut self, sections: &[&'a [u8]], mime: &str, depth: usize) -> Vec<Part<'a>> {
        // RFC 2046 section 5.1.5: in a digest the parts are messages unless they say otherwise.
        let usual = if mime == "multipart/digest" {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let mut parts = vec![];
        for section in sections {
            if self.parts >= PARTS_MAX {
                self.note(Note::TooManyParts);
                break;
            }
            parts.push(self.part(section, usual, depth + 1));
        }
        parts
    }

    pub(super) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Head and body: divided by the first empty line. A part may begin with its empty line.
pub(super) fn split_head(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(rest) = raw.get(at..) {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..end).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        if line == b"\n" || line == b"\r\n" {
            return (
                raw.get(..at).unwrap_or_default(),
                rest.get(end..).unwrap_or_default(),
            );
        }
        at += end;
    }
    (raw, &[])
}

/// What stands between the lines of a boundary (RFC 2046 section 5.1.1). A missing last line is
/// forgiven: mail is cut off on its way more often than it is forged.
fn sections<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut sections = vec![];
    let mut begin = None;
    let mut at = 0;
    while at < body.len() {
        let rest = body.get(at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..end).unwrap_or_default();
        if let Some(last) = boundary_line(line, boundary) {
            if let Some(begin) = begin {
                sections.push(without_line_end(body.get(begin..at).unwrap_or_default()));
            }
            begin = (!last).then_some(at + end);
            if last || sections.len() > PARTS_MAX {
                break;
            }
        }
        at += end;
    }
    if let Some(begin) = begin.filter(|begin| *begin < body.len()) {
        sections.push(body.get(begin..).unwrap_or_default());
    }
    sections
}

/// Whether a line is a boundary, and then whether it is the last.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line
        .strip_prefix(b"--")?
        .strip_prefix(boundary)?
        .trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(section: &[u8]) -> &[u8] {
    let section = section.strip_suffix(b"\n").unwrap_or(section);
    section.strip_suffix(b"\r").unwrap_or(section)
}

/// RFC 2045 section 6.8, with whatever is not of the alphabet passed over, as it demands.
fn base64(raw: &[u8]) -> Vec<u8> {
    let mut letters: Vec<u8> = raw
        .iter()
        .copied()
        .filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        .collect();
    if letters.len() % 4 == 1 {
        letters.pop(); // Six bits alone are no byte: the end was cut off.
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    engine.decode(letters).unwrap_or_default()
}

/// RFC 2045 section 6.7; an `=` that begins nothing stands for itself.
fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|b| *b == b'\n') {
        let text = line.trim_ascii_end();
        let (text, soft) = match text.strip_suffix(b"=") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            let escaped = (*first == b'=')
                .then(|| after.split_at_checked(2))
                .flatten();
            let decoded = escaped.and_then(|(hex, tail)| Some((hex_byte(hex)?, tail)));
            let (byte, tail) = decoded.unwrap_or((*first, after));
            bytes.push(byte);
            rest = tail;
        }
        if !soft && line.ends_with(b"\n") {
            bytes.push(b'\n');
        }
    }
    bytes
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    u8::from_str_radix(text, 16).ok()
}

/// Text from bytes. A label is believed as browsers believe it (`iso-8859-1` means windows-1252);
/// without one it is UTF-8 if it can be, and windows-1252 if not.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    let label = label.unwrap_or_default().trim().to_ascii_lowercase();
    let plain = matches!(
        label.as_str(),
        "" | "us-ascii" | "ascii" | "utf-8" | "utf8" | "unknown-8bit"
    );
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes());
    match encoding.filter(|encoding| *encoding != encoding_rs::REPLACEMENT) {
        Some(encoding) if !plain => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        Some(_) | None => match charset_decoder(label.as_bytes()) {
            // Rare ones that browsers do not know, such as UTF-7 and code page 850.
            Some(decoder) if !plain => decoder(bytes),
            Some(_) | None => {
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                match std::str::from_utf8(bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) if label.starts_with("utf") => {
                        String::from_utf8_lossy(bytes).into_owned()
                    }
                    Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
                }
            }
        },
    }
}

/// Long lists of hops and signatures stay below 64 KiB; the rest is somebody's attempt.
pub(super) const HEAD_BYTES_MAX: usize = 256 * 1024;
/// Real mail nests 5 deep: mixed, signed, alternative, related, report.
const DEPTH_MAX: usize = 12;
/// A scan of a contract page by page has 100; a bomb has 50,000.
const PARTS_MAX: usize = 300;
/// RFC 2046 section 5.1.1 allows 70.
const BOUNDARY_BYTES_MAX: usize = 200;
/// Ids seen have up to 250 bytes.
const ID_BYTES_MAX: usize = 500;
/// A thread of years has 100 references; the newest and the first tell where it belongs.
const IDS_MAX: usize = 200;
/// More recipients than people write to.
const ADDRESSES_MAX: usize = 500;
/// What file systems take, in characters (255 bytes at two bytes each for accents, and an ending).
const FILE_NAME_MAX: usize = 120;

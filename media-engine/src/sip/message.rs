//! A SIP message: its bytes, and where in them each part stands.
//!
//! [`super::parse::parse`] makes one with a single allocation (the list of headers); nothing is
//! copied. Typed readings are made when asked for, from the bytes of that one header, so a header
//! that cannot be read harms itself alone.

use bytes::Bytes;

use super::headers::{CSeq, Contact, Invalid, Name, NameAddr, Via, scan, seconds, text, tokens};
use super::method::Method;
use super::uri::{Scheme, Uri};

/// A parsed message. Its parts are slices of the bytes it was parsed from.
#[derive(Debug, Clone)]
pub struct Message {
    pub(crate) bytes: Bytes,
    pub(crate) start: Start,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Span,
}

/// The start line.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    Request { method: Method, uri: Span },
    Response { status: u16, reason: Span },
}

/// One header line: a folded one is one line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) name: Name,
    pub(crate) spelling: Span,
    pub(crate) value: Span,
}

/// A piece of the message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A message that is well cut but says something it must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} (answered with {status})")]
pub struct Fault {
    /// What a request is answered with; a response with a fault is dropped.
    pub status: u16,
    /// What is wrong, for the log.
    pub what: &'static str,
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self {
            status: Invalid::STATUS,
            what: invalid.0,
        }
    }
}

impl Message {
    /// The method of a request; `None` for a response.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        self.method().is_some()
    }

    /// The status code of a response, 100 to 699; `None` for a request.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The reason phrase of a response, as written.
    pub fn reason_phrase(&self) -> &[u8] {
        match self.start {
            Start::Request { .. } => &[],
            Start::Response { reason, .. } => self.piece(reason),
        }
    }

    /// The Request-URI as written; empty for a response.
    pub fn request_uri_bytes(&self) -> &[u8] {
        match self.start {
            Start::Request { uri, .. } => self.piece(uri),
            Start::Response { .. } => &[],
        }
    }

    /// The Request-URI.
    ///
    /// # Errors
    ///
    /// Where it is malformed, or this is a response.
    pub fn request_uri(&self) -> Result<Uri, Invalid> {
        Uri::parse(self.bytes.slice_ref(self.request_uri_bytes()))
    }

    /// The value of the first header of this name, as written: folds still hold their line ends.
    pub fn header(&self, name: Name) -> Option<&[u8]> {
        let found = self.headers.iter().find(|header| header.name == name)?;
        Some(self.piece(found.value))
    }

    /// As [`Message::header`], as bytes that may outlive the message.
    pub fn header_bytes(&self, name: Name) -> Option<Bytes> {
        self.header(name).map(|value| self.bytes.slice_ref(value))
    }

    /// The first header of this name as text for people, unfolded; bytes that are not UTF-8 are
    /// replaced.
    pub fn header_text(&self, name: Name) -> Option<std::borrow::Cow<'_, str>> {
        self.header(name).map(text)
    }

    /// The values of all headers of this name, a line each, in order.
    pub fn header_lines(&self, name: Name) -> impl Iterator<Item = Bytes> {
        let lines = self
            .headers
            .iter()
            .filter(move |header| header.name == name);
        lines.map(|header| self.bytes.slice_ref(self.piece(header.value)))
    }

    /// The value of the first header spelled like this, for names that [`Name`] does not know.
    pub fn header_named(&self, name: &str) -> Option<&[u8]> {
        let known = Name::from_bytes(name.as_bytes());
        if known != Name::Other {
            return self.header(known);
        }
        let mut all = self.all_headers();
        all.find(|(_, spelling, _)| spelling.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, _, value)| value)
    }

    /// Every header line in order: its name, how that is spelled, and the value.
    pub fn all_headers(&self) -> impl Iterator<Item = (Name, &[u8], &[u8])> {
        let headers = self.headers.iter();
        headers.map(|header| {
            (
                header.name,
                self.piece(header.spelling),
                self.piece(header.value),
            )
        })
    }

    /// The comma-separated tokens of all headers of this name (Require, Supported, Allow …).
    pub fn tokens(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let lines = self
            .headers
            .iter()
            .filter(move |header| header.name == name);
        lines.flat_map(|header| tokens(self.piece(header.value)))
    }

    /// Whether `token` is listed in a header of this name, in any case.
    pub fn has_token(&self, name: Name, token: &str) -> bool {
        self.tokens(name)
            .any(|found| found.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// The topmost Via.
    ///
    /// # Errors
    ///
    /// Where there is none or it is malformed.
    pub fn top_via(&self) -> Result<Via, Invalid> {
        self.vias().next().ok_or(Invalid("there is no Via"))?
    }

    /// All Via values, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, Invalid>> {
        self.elements(Name::Via)
            .map(|value| Via::parse(value, &self.bytes))
    }

    /// The From header.
    ///
    /// # Errors
    ///
    /// Where there is none or it is malformed.
    pub fn from(&self) -> Result<NameAddr, Invalid> {
        NameAddr::parse(
            &self
                .header_bytes(Name::From)
                .ok_or(Invalid("there is no From"))?,
        )
    }

    /// The To header.
    ///
    /// # Errors
    ///
    /// Where there is none or it is malformed.
    pub fn to(&self) -> Result<NameAddr, Invalid> {
        NameAddr::parse(
            &self
                .header_bytes(Name::To)
                .ok_or(Invalid("there is no To"))?,
        )
    }

    /// The tag of From, where it can be read.
    pub fn from_tag(&self) -> Option<Bytes> {
        self.from().ok()?.tag()
    }

    /// The tag of To, where it can be read.
    pub fn to_tag(&self) -> Option<Bytes> {
        self.to().ok()?.tag()
    }

    /// The Call-ID, compared byte for byte (RFC 3261 section 20.8).
    ///
    /// # Errors
    ///
    /// Where there is none or it is more than one word.
    pub fn call_id(&self) -> Result<Bytes, Invalid> {
        let value = self
            .header_bytes(Name::CallId)
            .ok_or(Invalid("there is no Call-ID"))?;
        if value.is_empty() || value.iter().any(|byte| *byte <= b' ') {
            return Err(Invalid("Call-ID is not one word"));
        }
        Ok(value)
    }

    /// The CSeq.
    ///
    /// # Errors
    ///
    /// Where there is none or it is malformed.
    pub fn cseq(&self) -> Result<CSeq, Invalid> {
        let value = self.header(Name::CSeq);
        CSeq::parse_within(value.ok_or(Invalid("there is no CSeq"))?, &self.bytes)
    }

    /// All Contact values, in order.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact, Invalid>> {
        self.elements(Name::Contact)
            .map(|value| Contact::parse_element(value, &self.bytes))
    }

    /// The one Contact that opens or moves a dialog: the remote target.
    ///
    /// # Errors
    ///
    /// Where there is none, more than one, `*`, or a malformed one (RFC 3261 section 8.1.1.8).
    pub fn contact(&self) -> Result<NameAddr, Invalid> {
        let mut contacts = self.contacts();
        match (contacts.next(), contacts.next()) {
            (Some(Ok(Contact::Address(address))), None) => Ok(address),
            (Some(Err(invalid)), _) => Err(invalid),
            (None, _) => Err(Invalid("there is no Contact")),
            (Some(Ok(Contact::All | Contact::Address(_))), _) => {
                Err(Invalid("there is not exactly one Contact"))
            }
        }
    }

    /// The values of all headers of this name as addresses, in order (Route, Record-Route,
    /// P-Asserted-Identity, Diversion, Path …).
    pub fn addresses(&self, name: Name) -> impl Iterator<Item = Result<NameAddr, Invalid>> {
        self.elements(name)
            .map(|value| NameAddr::parse_element(value, &self.bytes))
    }

    /// Max-Forwards, where there is one.
    ///
    /// # Errors
    ///
    /// Where it is not a number from 0 to 255 (RFC 3261 section 20.22).
    pub fn max_forwards(&self) -> Result<Option<u8>, Invalid> {
        let Some(value) = self.header(Name::MaxForwards) else {
            return Ok(None);
        };
        let hops = scan::number(scan::trim(value));
        hops.map(Some)
            .ok_or(Invalid("Max-Forwards is not a number from 0 to 255"))
    }

    /// A header that holds a number of seconds: Expires, Min-Expires, Flow-Timer.
    pub fn seconds(&self, name: Name) -> Option<u32> {
        seconds(self.header(name)?)
    }

    /// The RSeq of a reliable provisional response (RFC 3262 section 7.1).
    pub fn rseq(&self) -> Option<u32> {
        scan::number(scan::trim(self.header(Name::RSeq)?))
    }

    /// The body, sharing the message's bytes; empty where there is none.
    pub fn body(&self) -> Bytes {
        self.bytes.slice_ref(self.piece(self.body))
    }

    /// All bytes of the message, body included.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Reads what every receiver needs, so that a request can be refused before any state is made.
    ///
    /// # Errors
    ///
    /// The first fault among the Request-URI, Via, From, To, Call-ID, Contact, Route,
    /// Record-Route and Max-Forwards, with the status that answers it.
    pub fn check(&self) -> Result<(), Fault> {
        if self.is_request() {
            let uri = self.request_uri()?;
            if uri.scheme() == Scheme::Other {
                return Err(Fault {
                    status: 416,
                    what: "the Request-URI's scheme is unknown",
                });
            }
            // RFC 3261 section 19.1.1: header fields are not allowed in a Request-URI.
            if !uri.headers().is_empty() {
                return Err(Fault {
                    status: 400,
                    what: "the Request-URI holds header fields",
                });
            }
        }
        self.vias().try_for_each(|via| via.map(drop))?;
        self.from()?;
        self.to()?;
        self.call_id()?;
        self.max_forwards()?;
        self.contacts().try_for_each(|contact| contact.map(drop))?;
        self.addresses(Name::Route)
            .try_for_each(|route| route.map(drop))?;
        self.addresses(Name::RecordRoute)
            .try_for_each(|route| route.map(drop))?;
        Ok(())
    }

    /// The elements of all headers of this name, whether they share lines or not.
    fn elements(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let lines = self
            .headers
            .iter()
            .filter(move |header| header.name == name);
        lines.flat_map(|header| scan::elements(self.piece(header.value)))
    }

    pub(crate) fn piece(&self, span: Span) -> &[u8] {
        &self.bytes[span.start as usize..span.end as usize]
    }
}

//! What a REGISTER says, read from the message once.

use bytes::Bytes;

use super::{Q_DEFAULT, Refused};
use crate::sip::Flow;
use crate::sip::headers::{Contact, Invalid, Name, NameAddr};
use crate::sip::message::Message;
use crate::sip::uri::{Scheme, Uri};

/// A REGISTER request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The user of the address of record, from To.
    pub user: String,
    /// The Call-ID.
    pub call_id: Bytes,
    /// The number of the CSeq.
    pub cseq: u32,
    /// The Expires header, in seconds.
    pub expires_s: Option<u32>,
    /// The contacts.
    pub contacts: Contacts,
    /// The Path headers, in order (RFC 3327).
    pub path: Vec<Bytes>,
    /// The User-Agent header, shortened.
    pub user_agent: Option<String>,
    /// The way it came.
    pub flow: Flow,
}

/// The Contact headers of a REGISTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all there are.
    All,
    /// These; none at all only asks what there is.
    Some(Vec<Binding>),
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where calls go.
    pub uri: Uri,
    /// Its own `expires`, in seconds.
    pub expires_s: Option<u32>,
    /// The preference in thousandths.
    pub q_permille: u16,
    /// `+sip.instance`: which device it is, whatever address it has (RFC 5626 section 4.1).
    pub instance: Option<Bytes>,
    /// `reg-id`: which of the device's flows it is (RFC 5626 section 4.2).
    pub reg_id: Option<u32>,
}

/// Why a REGISTER cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A header breaks its grammar. Answered with 400.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The headers are legal and what they ask is not.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Unreadable {
    /// The answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => Invalid::STATUS,
            Self::Refused(refused) => refused.status(),
        }
    }
}

impl Register {
    /// Reads a REGISTER that came by `flow`.
    ///
    /// # Errors
    ///
    /// Where a header it needs is malformed or a contact can be of no use.
    pub fn read(message: &Message, flow: Flow) -> Result<Self, Unreadable> {
        let to = message.to()?;
        Ok(Self {
            user: to.uri().user_text().unwrap_or_default(),
            call_id: message.call_id()?,
            cseq: message.cseq()?.number,
            expires_s: message.seconds(Name::Expires),
            contacts: read_contacts(message)?,
            path: read_path(message)?,
            user_agent: message.header_text(Name::UserAgent).map(|text| {
                let end = text.floor_char_boundary(USER_AGENT_MAX);
                text[..end].to_owned()
            }),
            flow,
        })
    }
}

impl Binding {
    /// Whether both are the same place: the same flow of the same device (RFC 5626 section 6),
    /// else the same URI (RFC 3261 section 10.3).
    pub(super) fn is_same_place(&self, other: &Self) -> bool {
        match (&self.instance, &other.instance) {
            (Some(ours), Some(theirs)) => {
                ours == theirs && self.reg_id.unwrap_or(0) == other.reg_id.unwrap_or(0)
            }
            (Some(_) | None, Some(_) | None) => self.uri.matches(&other.uri),
        }
    }

    fn read(address: &NameAddr) -> Result<Self, Refused> {
        let uri = address.uri();
        let usable = matches!(uri.scheme(), Scheme::Sip | Scheme::Sips)
            && uri.as_bytes().len() <= CONTACT_MAX;
        if !usable {
            return Err(Refused::BadContact);
        }
        let instance = address.params().unquoted("+sip.instance");
        Ok(Self {
            uri: owned(uri).ok_or(Refused::BadContact)?,
            expires_s: address.expires(),
            q_permille: address.q_permille().unwrap_or(Q_DEFAULT),
            instance: instance
                .filter(|instance| instance.len() <= CONTACT_MAX)
                .map(|instance| Bytes::copy_from_slice(&instance)),
            reg_id: address.params().number("reg-id"),
        })
    }
}

fn read_contacts(message: &Message) -> Result<Contacts, Unreadable> {
    let mut bindings = Vec::new();
    let mut all = false;
    for contact in message.contacts() {
        match contact? {
            Contact::All => all = true,
            Contact::Address(address) => {
                if bindings.len() == CONTACTS_MAX {
                    return Err(Refused::TooManyContacts.into());
                }
                bindings.push(Binding::read(&address)?);
            }
        }
    }
    match (all, bindings.is_empty()) {
        (false, _) => Ok(Contacts::Some(bindings)),
        (true, true) => Ok(Contacts::All),
        (true, false) => Err(Refused::BadWildcard.into()),
    }
}

fn read_path(message: &Message) -> Result<Vec<Bytes>, Unreadable> {
    let mut path = Vec::new();
    for line in message.header_lines(Name::Path) {
        if path.len() == PATH_MAX || line.len() > CONTACT_MAX {
            return Err(Refused::BadContact.into());
        }
        for address in NameAddr::parse_list(&line) {
            address?;
        }
        path.push(Bytes::copy_from_slice(&line));
    }
    Ok(path)
}

/// A copy with bytes of its own: a binding lives for an hour and must not hold the datagram.
fn owned(uri: &Uri) -> Option<Uri> {
    Uri::parse(Bytes::copy_from_slice(uri.as_bytes())).ok()
}

/// The longest contact, instance or Path line, in bytes: all of them go into our requests again.
const CONTACT_MAX: usize = 512;

/// How many contacts of a request are read before it is refused.
const CONTACTS_MAX: usize = 64;

/// How many Path lines a registration may have taken.
const PATH_MAX: usize = 8;

/// How much of a User-Agent is kept, in bytes.
const USER_AGENT_MAX: usize = 128;

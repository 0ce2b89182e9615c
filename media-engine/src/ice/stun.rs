//! STUN messages (RFC 8489) as connectivity checks use them (RFC 8445), read in place and written.
//!
//! ```text
//!   0 0 │ class and method │ length          ─┐ 20 bytes
//!   magic cookie │ transaction (96 bits)     ─┘
//!   type │ length │ value, padded to 4 bytes      … as often as there are attributes
//!   MESSAGE-INTEGRITY: HMAC-SHA1 of all before it    FINGERPRINT: CRC-32 of all before it
//! ```
//!
//! Anybody may send anything here. What is read is bounded by the datagram and by [`ATTRIBUTES_MAX`];
//! nothing is believed before [`Message::is_signed_with`] says so.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// The method of all that ICE sends.
pub const BINDING: u16 = 1;

/// Attributes of one message. A check has eight.
pub const ATTRIBUTES_MAX: usize = 32;

/// Bytes of a USERNAME (RFC 8489 section 14.3).
pub const USERNAME_MAX: usize = 508;

/// Attributes that must be understood and are not, of which an answer speaks.
pub const UNKNOWN_MAX: usize = 8;

/// What tells a request's answer from others: drawn at random by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub [u8; 12]);

/// What kind of message it is (RFC 8489 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// To be answered.
    Request,
    /// Not to be answered.
    Indication,
    /// The answer that it went well.
    Success,
    /// The answer that it did not.
    Error,
}

/// Who decides which pair of addresses is used (RFC 8445 section 7.1.3), as the sender sees itself.
/// The number decides when both claim the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// ICE-CONTROLLING
    Controlling(u64),
    /// ICE-CONTROLLED
    Controlled(u64),
}

/// ERROR-CODE
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// For people, in UTF-8 if the sender keeps to the rules.
    pub reason: &'a [u8],
}

/// A message read in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// What kind it is.
    pub class: Class,
    /// What it is about: [`BINDING`], or something that we do not do.
    pub method: u16,
    /// Its transaction.
    pub transaction: TransactionId,
    /// USERNAME: of a check the ufrag of who is asked, a colon, and that of who asks.
    pub username: Option<&'a [u8]>,
    /// XOR-MAPPED-ADDRESS: where the answerer saw the request come from.
    pub mapped: Option<SocketAddr>,
    /// PRIORITY of the candidate that a check would make known.
    pub priority: Option<u32>,
    /// ICE-CONTROLLING or ICE-CONTROLLED.
    pub role: Option<Role>,
    /// USE-CANDIDATE: this pair of addresses is to be used.
    pub is_nominated: bool,
    /// ERROR-CODE
    pub error: Option<ErrorCode<'a>>,
    /// Whether a FINGERPRINT is there; one that does not fit is refused when reading.
    pub has_fingerprint: bool,
    unknown: [u16; UNKNOWN_MAX],
    unknowns: usize,
    /// Where MESSAGE-INTEGRITY begins.
    integrity: Option<usize>,
}

/// The datagram is no STUN message. Counted and dropped: who sends it deserves no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Something else: RTP, DTLS, noise.
    #[error("no STUN")]
    NotStun,
    /// Lengths contradict each other.
    #[error("cut short")]
    Short,
    /// An attribute whose value is none of its kind.
    #[error("attribute {0:#06x} makes no sense")]
    Attribute(u16),
    /// More than [`ATTRIBUTES_MAX`].
    #[error("too many attributes")]
    TooMany,
    /// The checksum does not fit.
    #[error("the fingerprint does not fit")]
    Fingerprint,
}

/// Whether a datagram on a port that carries several protocols is meant to be STUN (RFC 7983: the
/// first byte is 0 to 3; RTP has 128 and more, DTLS 20 to 63).
#[must_use]
#[inline]
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[0] < 4 && datagram[4..8] == COOKIE.to_be_bytes()
}

impl<'a> Message<'a> {
    /// Reads a message that fills its datagram.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (kind, transaction) = read_header(bytes)?;
        let mut message = Self {
            bytes,
            class: class_of(kind),
            method: method_of(kind),
            transaction,
            username: None,
            mapped: None,
            priority: None,
            role: None,
            is_nominated: false,
            error: None,
            has_fingerprint: false,
            unknown: [0; UNKNOWN_MAX],
            unknowns: 0,
            integrity: None,
        };
        let mut at = HEADER;
        for _ in 0..ATTRIBUTES_MAX {
            if at == bytes.len() {
                return Ok(message);
            }
            at = message.read_attribute(at)?;
        }
        if at == bytes.len() {
            Ok(message)
        } else {
            Err(Malformed::TooMany)
        }
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with this key (RFC 8489 section 14.5): for a
    /// check the password of who is asked.
    #[must_use]
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let Some(at) = self.integrity else {
            return false;
        };
        let signature = &self.bytes[at + 4..at + 4 + SIGNATURE];
        signing(key, &self.bytes[..at])
            .verify_slice(signature)
            .is_ok()
    }

    /// Attributes that must be understood and are not (RFC 8489 section 6.3.1): a request that has some
    /// is answered with 420. At most [`UNKNOWN_MAX`] of them.
    #[must_use]
    pub fn unknown(&self) -> &[u16] {
        &self.unknown[..self.unknowns]
    }

    /// Reads the attribute at `at` and returns where the next one begins.
    fn read_attribute(&mut self, at: usize) -> Result<usize, Malformed> {
        let bytes = self.bytes;
        if self.has_fingerprint {
            return Err(Malformed::Attribute(FINGERPRINT)); // it is the last
        }
        let Some(&[t0, t1, l0, l1]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            return Err(Malformed::Short);
        };
        let (kind, length) = (
            u16::from_be_bytes([t0, t1]),
            usize::from(u16::from_be_bytes([l0, l1])),
        );
        let start = at + ATTRIBUTE_HEADER;
        let next = start + length.next_multiple_of(4);
        let Some(value) = bytes
            .get(start..start + length)
            .filter(|_| next <= bytes.len())
        else {
            return Err(Malformed::Short);
        };
        if kind == FINGERPRINT {
            self.check_fingerprint(at, value)?;
        } else if self.integrity.is_none() {
            // What stands behind the signature is not covered by it, and ignored.
            self.take(kind, at, value)
                .ok_or(Malformed::Attribute(kind))?;
        }
        Ok(next)
    }

    /// Takes an attribute; of several of a kind the first one counts. `None` if the value makes no sense.
    fn take(&mut self, kind: u16, at: usize, value: &'a [u8]) -> Option<()> {
        match kind {
            USERNAME => {
                (value.len() <= USERNAME_MAX).then_some(())?;
                self.username.get_or_insert(value);
            }
            XOR_MAPPED_ADDRESS => {
                let mapped = read_address(value, self.transaction)?;
                self.mapped.get_or_insert(mapped);
            }
            PRIORITY => {
                let number = u32::from_be_bytes(value.try_into().ok()?);
                self.priority.get_or_insert(number);
            }
            ICE_CONTROLLING => {
                let number = u64::from_be_bytes(value.try_into().ok()?);
                self.role.get_or_insert(Role::Controlling(number));
            }
            ICE_CONTROLLED => {
                let number = u64::from_be_bytes(value.try_into().ok()?);
                self.role.get_or_insert(Role::Controlled(number));
            }
            USE_CANDIDATE => {
                value.is_empty().then_some(())?;
                self.is_nominated = true;
            }
            ERROR_CODE => {
                let error = read_error(value)?;
                self.error.get_or_insert(error);
            }
            MESSAGE_INTEGRITY => {
                (value.len() == SIGNATURE).then_some(())?;
                self.integrity = Some(at);
            }
            MAPPED_ADDRESS | UNKNOWN_ATTRIBUTES | REALM | NONCE => {}
            OPTIONAL_FIRST.. => {}
            unknown => {
                if let Some(place) = self.unknown.get_mut(self.unknowns) {
                    *place = unknown;
                    self.unknowns += 1;
                }
            }
        }
        Some(())
    }

    fn check_fingerprint(&mut self, at: usize, value: &[u8]) -> Result<(), Malformed> {
        let found = value
            .try_into()
            .map_err(|_| Malformed::Attribute(FINGERPRINT))?;
        if u32::from_be_bytes(found) != fingerprint(&self.bytes[..at]) {
            return Err(Malformed::Fingerprint);
        }
        self.has_fingerprint = true;
        Ok(())
    }
}

/// A message that is being written.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    transaction: TransactionId,
}

impl Writer {
    /// Begins a message about [`BINDING`].
    #[must_use]
    pub fn new(class: Class, transaction: TransactionId) -> Self {
        let mut bytes = Vec::with_capacity(SIZE_USUAL);
        bytes.extend((class_bits(class) | BINDING).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(transaction.0);
        Self { bytes, transaction }
    }

    /// USERNAME; at most [`USERNAME_MAX`] bytes are written.
    #[must_use]
    pub fn username(self, name: &str) -> Self {
        let name = name.as_bytes();
        self.attribute(USERNAME, &name[..name.len().min(USERNAME_MAX)])
    }

    /// XOR-MAPPED-ADDRESS
    #[must_use]
    pub fn mapped(self, address: SocketAddr) -> Self {
        let mask = mask(self.transaction);
        let [c0, c1, ..] = mask;
        let [p0, p1] = address.port().to_be_bytes();
        let xor = |octets: &[u8]| -> Vec<u8> {
            let pairs = octets.iter().zip(&mask);
            pairs.map(|(octet, mask)| octet ^ mask).collect()
        };
        let (family, octets) = match address.ip() {
            IpAddr::V4(host) => (FAMILY_4, xor(&host.octets())),
            IpAddr::V6(host) => (FAMILY_6, xor(&host.octets())),
        };
        let value = [&[0, family, p0 ^ c0, p1 ^ c1], octets.as_slice()].concat();
        self.attribute(XOR_MAPPED_ADDRESS, &value)
    }

    /// PRIORITY
    #[must_use]
    pub fn priority(self, priority: u32) -> Self {
        self.attribute(PRIORITY, &priority.to_be_bytes())
    }

    /// ICE-CONTROLLING or ICE-CONTROLLED
    #[must_use]
    pub fn role(self, role: Role) -> Self {
        match role {
            Role::Controlling(number) => self.attribute(ICE_CONTROLLING, &number.to_be_bytes()),
            Role::Controlled(number) => self.attribute(ICE_CONTROLLED, &number.to_be_bytes()),
        }
    }

    /// USE-CANDIDATE
    #[must_use]
    pub fn nominate(self) -> Self {
        self.attribute(USE_CANDIDATE, &[])
    }

    /// ERROR-CODE: `code` is 300 to 699, `reason` a word or two.
    #[must_use]
    pub fn error(self, code: u16, reason: &str) -> Self {
        let [_, hundreds] = (code / 100).to_be_bytes();
        let [_, rest] = (code % 100).to_be_bytes();
        let value = [&[0, 0, hundreds, rest], reason.as_bytes()].concat();
        self.attribute(ERROR_CODE, &value)
    }

    /// UNKNOWN-ATTRIBUTES, beside a 420.
    #[must_use]
    pub fn unknown(self, attributes: &[u16]) -> Self {
        let value: Vec<u8> = attributes
            .iter()
            .flat_map(|kind| kind.to_be_bytes())
            .collect();
        self.attribute(UNKNOWN_ATTRIBUTES, &value)
    }

    /// Signs with this key and adds the fingerprint.
    #[must_use]
    pub fn finish(self, key: &[u8]) -> Vec<u8> {
        let signature: [u8; SIGNATURE] = signing(key, &self.bytes).finalize().into_bytes().into();
        self.attribute(MESSAGE_INTEGRITY, &signature)
            .finish_unsigned()
    }

    /// Adds the fingerprint alone.
    #[must_use]
    pub fn finish_unsigned(self) -> Vec<u8> {
        let sum = fingerprint(&self.bytes);
        self.attribute(FINGERPRINT, &sum.to_be_bytes()).bytes
    }

    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).unwrap_or(0);
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let whole = body_length(self.bytes.len() - HEADER);
        self.bytes[2..4].copy_from_slice(&whole);
        self
    }
}

/// Feeds arbitrary bytes to the reader. For fuzzing: it must return, believe nothing, and write what
/// it has read so that it is read alike.
pub fn fuzz(datagram: &[u8]) {
    let Ok(message) = Message::read(datagram) else {
        return;
    };
    assert!(is_stun(datagram), "read and not recognised");
    assert!(!message.is_signed_with(b"a key that nobody has"), "forged");
    let mut writer = Writer::new(message.class, message.transaction);
    let username = message
        .username
        .and_then(|name| std::str::from_utf8(name).ok());
    if let Some(username) = username {
        writer = writer.username(username);
    }
    if let Some(mapped) = message.mapped {
        writer = writer.mapped(mapped);
    }
    if let Some(priority) = message.priority {
        writer = writer.priority(priority);
    }
    if let Some(role) = message.role {
        writer = writer.role(role);
    }
    if message.is_nominated {
        writer = writer.nominate();
    }
    let written = writer.finish(b"key");
    let again = Message::read(&written).expect("our own message");
    assert!(again.is_signed_with(b"key") && again.has_fingerprint);
    assert_eq!(again.username, username.map(str::as_bytes));
    assert_eq!(
        (
            again.class,
            again.mapped,
            again.priority,
            again.role,
            again.is_nominated
        ),
        (
            message.class,
            message.mapped,
            message.priority,
            message.role,
            message.is_nominated
        )
    );
}

fn read_header(bytes: &[u8]) -> Result<(u16, TransactionId), Malformed> {
    if !is_stun(bytes) {
        return Err(Malformed::NotStun);
    }
    let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    if !length.is_multiple_of(4) || HEADER + length != bytes.len() {
        return Err(Malformed::Short);
    }
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&bytes[8..HEADER]);
    Ok((kind, TransactionId(transaction)))
}

/// RFC 8489 section 5: two bits of the class stand among those of the method.
fn class_of(kind: u16) -> Class {
    match (kind & 0x100 != 0, kind & 0x10 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    }
}

fn class_bits(class: Class) -> u16 {
    match class {
        Class::Request => 0,
        Class::Indication => 0x10,
        Class::Success => 0x100,
        Class::Error => 0x110,
    }
}

fn method_of(kind: u16) -> u16 {
    kind & 0xf | (kind & 0xe0) >> 1 | (kind & 0x3e00) >> 2
}

/// What addresses are masked with, so that no middle box rewrites them (RFC 8489 section 14.2).
fn mask(transaction: TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&transaction.0);
    mask
}

fn read_address(value: &[u8], transaction: TransactionId) -> Option<SocketAddr> {
    let mask = mask(transaction);
    let (&[_, family, p0, p1], octets) = value.split_first_chunk()?;
    let port = u16::from_be_bytes([p0 ^ mask[0], p1 ^ mask[1]]);
    let host: IpAddr = match family {
        FAMILY_4 => {
            let octets: [u8; 4] = octets.try_into().ok()?;
            std::array::from_fn::<u8, 4, _>(|i| octets[i] ^ mask[i]).into()
        }
        FAMILY_6 => {
            let octets: [u8; 16] = octets.try_into().ok()?;
            std::array::from_fn::<u8, 16, _>(|i| octets[i] ^ mask[i]).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(host, port))
}

fn read_error(value: &[u8]) -> Option<ErrorCode<'_>> {
    let (&[_, _, hundreds, rest], reason) = value.split_first_chunk()?;
    let (hundreds, rest) = (u16::from(hundreds & 7), u16::from(rest));
    let is_code = (3..=6).contains(&hundreds) && rest < 100 && reason.len() <= REASON_MAX;
    is_code.then_some(ErrorCode {
        code: 100 * hundreds + rest,
        reason,
    })
}

/// The HMAC of a message up to its signature, under the length that it has with it.
fn signing(key: &[u8], before: &[u8]) -> Hmac<Sha1> {
    let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    let length = body_length(before.len() - HEADER + ATTRIBUTE_HEADER + SIGNATURE);
    mac.update(&before[..2]);
    mac.update(&length);
    mac.update(&before[4..]);
    mac
}

/// The checksum of a message up to its fingerprint, under the length that it has with it.
fn fingerprint(before: &[u8]) -> u32 {
    let length = body_length(before.len() - HEADER + ATTRIBUTE_HEADER + 4);
    let parts = [&before[..2], &length, &before[4..]];
    let mut sum = u32::MAX;
    for byte in parts.into_iter().flatten() {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ (CRC_32 & 0u32.wrapping_sub(sum & 1));
        }
    }
    !sum ^ FINGERPRINT_MASK
}

fn body_length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(0).to_be_bytes()
}

const HEADER: usize = 20;
const ATTRIBUTE_HEADER: usize = 4;
const COOKIE: u32 = 0x2112_a442;

/// Bytes of an HMAC-SHA1.
const SIGNATURE: usize = 20;

/// Bytes of most messages: a check with user names of a browser.
const SIZE_USUAL: usize = 128;

/// Bytes of a reason phrase (RFC 8489 section 14.8).
const REASON_MAX: usize = 763;

/// The polynomial of ITU-T V.42, from the lowest bit on.
const CRC_32: u32 = 0xedb8_8320;

/// RFC 8489 section 14.7: so that no other protocol's checksum is taken for ours.
const FINGERPRINT_MASK: u32 = 0x5354_554e;

const FAMILY_4: u8 = 1;
const FAMILY_6: u8 = 2;

const MAPPED_ADDRESS: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;

/// From here on attributes may be ignored by who does not know them.
const OPTIONAL_FIRST: u16 = 0x8000;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;

#[cfg(test)]
mod tests;

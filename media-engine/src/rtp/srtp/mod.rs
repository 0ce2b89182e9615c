//! SRTP and SRTCP (RFC 3711) in place, with keys from the SDP (SDES, RFC 4568) or from DTLS (RFC 5764).
//!
//! ```text
//!  MasterKey ─▶ derive ─▶ session keys (encrypt, authenticate, salt) for RTP and for RTCP
//!  Protector:   packet ─▶ encrypt payload ─▶ append key identifier, if agreed on, and tag
//!  Unprotector: packet ─▶ key identifier ─▶ index by rollover ─▶ replay window ─▶ check tag ─▶ decrypt
//! ```
//!
//! AES in counter mode with HMAC-SHA1, which is what telephones and carriers speak, and AES-GCM (RFC
//! 7714), which browsers like best. Nothing is allocated per packet.

mod aead;
mod suite;

use aes::cipher::{BlockEncrypt, KeyInit, generic_array::GenericArray};
use aes::{Aes128, Aes256};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use aead::SealingKeys;
pub use suite::{KeyIdentifier, Keys, MasterKey, Secret, Suite};

use super::packet;

/// Room that [`Protector`] needs behind an RTCP packet: index, key identifier and tag. RTP needs less.
pub const TRAILER_MAX: usize = 4 + KeyIdentifier::LENGTH_MAX + aead::TAG;

/// Why a protected packet was dropped. Never the end of the call: a stranger can send anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Too short or no RTP/RTCP at all.
    #[error("no SRTP packet")]
    Malformed,
    /// The tag does not fit: forged, damaged or under another key.
    #[error("authentication tag does not fit")]
    BadTag,
    /// It names a key that was not agreed on (RFC 3711 section 3.3).
    #[error("under another key")]
    OtherKey,
    /// This packet, or one too old to know, was taken before.
    #[error("replayed")]
    Replayed,
}

/// Protects what we send.
pub struct Protector {
    rtp: Transform,
    rtcp: Transform,
    identifier: Option<KeyIdentifier>,
    tag: usize,
    /// The rollover count follows the sequence numbers that pass.
    index: Index,
    rtcp_index: u32,
}

/// Opens what the peer sends.
pub struct Unprotector {
    rtp: Transform,
    rtcp: Transform,
    identifier: Option<KeyIdentifier>,
    tag: usize,
    sources: [Option<Source>; SOURCES_MAX],
    next_place: usize,
    rtcp_window: Window,
}

struct Source {
    ssrc: u32,
    index: Index,
    window: Window,
}

impl Protector {
    /// Derives the session keys (RFC 3711 section 4.3).
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Transform::derive(master, Label::Rtp),
            rtcp: Transform::derive(master, Label::Rtcp),
            identifier: master.identifier(),
            tag: master.suite().rtp_tag(),
            index: Index::default(),
            rtcp_index: 0,
        }
    }

    /// The key goes by another identifier from now on, and everything else goes on.
    pub fn rename(&mut self, identifier: Option<KeyIdentifier>) {
        self.identifier = identifier;
    }

    /// Protects the RTP packet in the first `length` bytes and returns its new length. `buffer` needs
    /// [`TRAILER_MAX`] bytes of room behind it.
    ///
    /// # Panics
    ///
    /// If there is no room or no RTP header: packets and buffers are ours.
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> usize {
        let (header, start) = packet::read_header(&buffer[..length]).expect("our own packet");
        let index = self.index.estimate(header.sequence);
        self.index.advance(index);
        match &self.rtp {
            Transform::Counter(keys) => {
                keys.apply_keystream(header.ssrc, index, &mut buffer[start..length]);
                let rollover = rollover(index).to_be_bytes();
                let tag = keys.tag(&buffer[..length], &rollover);
                let end = append_identifier(self.identifier, buffer, length);
                buffer[end..end + self.tag].copy_from_slice(&tag[..self.tag]);
                end + self.tag
            }
            Transform::Sealing(keys) => {
                let (clear, secret) = buffer[..length].split_at_mut(start);
                let tag = keys.seal(header.ssrc, index, clear, secret);
                buffer[length..length + aead::TAG].copy_from_slice(&tag);
                append_identifier(self.identifier, buffer, length + aead::TAG)
            }
        }
    }

    /// Protects the compound RTCP packet in the first `length` bytes and returns its new length.
    ///
    /// # Panics
    ///
    /// As [`Protector::protect`].
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> usize {
        let ssrc = rtcp_ssrc(&buffer[..length]).expect("our own packet");
        self.rtcp_index = (self.rtcp_index + 1) & !ENCRYPTED;
        let index = u64::from(self.rtcp_index);
        let word = (self.rtcp_index | ENCRYPTED).to_be_bytes();
        match &self.rtcp {
            Transform::Counter(keys) => {
                keys.apply_keystream(ssrc, index, &mut buffer[RTCP_CLEAR..length]);
                let end = length + INDEX_WORD;
                buffer[length..end].copy_from_slice(&word);
                let tag = keys.tag(&buffer[..end], &[]);
                let end = append_identifier(self.identifier, buffer, end);
                buffer[end..end + TAG_RTCP].copy_from_slice(&tag[..TAG_RTCP]);
                end + TAG_RTCP
            }
            Transform::Sealing(keys) => {
                let (clear, secret) = buffer[..length].split_at_mut(RTCP_CLEAR);
                let tag = keys.seal(ssrc, index, &aead::clear_of_rtcp(clear, word), secret);
                let end = length + aead::TAG;
                buffer[length..end].copy_from_slice(&tag);
                buffer[end..end + INDEX_WORD].copy_from_slice(&word);
                append_identifier(self.identifier, buffer, end + INDEX_WORD)
            }
        }
    }
}

impl Unprotector {
    /// Derives the session keys (RFC 3711 section 4.3).
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Transform::derive(master, Label::Rtp),
            rtcp: Transform::derive(master, Label::Rtcp),
            identifier: master.identifier(),
            tag: master.suite().rtp_tag(),
            sources: [const { None }; SOURCES_MAX],
            next_place: 0,
            rtcp_window: Window::default(),
        }
    }

    /// The key goes by another identifier from now on, and everything else goes on.
    pub fn rename(&mut self, identifier: Option<KeyIdentifier>) {
        self.identifier = identifier;
    }

    /// Checks and decrypts an RTP packet in place and returns its length without key identifier and
    /// tag.
    ///
    /// # Errors
    ///
    /// [`Rejected`]; the datagram is as it was, and so is all state.
    pub fn unprotect(&mut self, datagram: &mut [u8]) -> Result<usize, Rejected> {
        let trailer = self.trailer(&self.rtp, datagram, self.tag)?;
        let length = trailer.length;
        let (header, start) =
            packet::read_header(&datagram[..length]).map_err(|_| Rejected::Malformed)?;
        let known = self.sources.iter().position(|source| {
            source
                .as_ref()
                .is_some_and(|source| source.ssrc == header.ssrc)
        });
        let (index, window) = match known.and_then(|place| self.sources[place].as_ref()) {
            Some(source) => (source.index.estimate(header.sequence), source.window),
            None => (u64::from(header.sequence), Window::default()),
        };
        if !window.is_new(index) {
            return Err(Rejected::Replayed);
        }
        let index = self.open(
            index,
            known.is_none(),
            (header.ssrc, start),
            trailer,
            datagram,
        )?;
        let place = known.unwrap_or_else(|| self.place_for(header.ssrc));
        if let Some(source) = &mut self.sources[place] {
            source.index.advance(index);
            source.window.take(index);
        }
        Ok(length)
    }

    /// Checks and decrypts a compound RTCP packet in place and returns its length without index, key
    /// identifier and tag.
    ///
    /// # Errors
    ///
    /// [`Rejected`]; the datagram is as it was, and so is all state.
    pub fn unprotect_rtcp(&mut self, datagram: &mut [u8]) -> Result<usize, Rejected> {
        let tag = match &self.rtcp {
            Transform::Counter(_) => TAG_RTCP,
            Transform::Sealing(_) => aead::TAG + INDEX_WORD,
        };
        let trailer = self.trailer(&self.rtcp, datagram, tag)?;
        let (length, word) = match &self.rtcp {
            // The index stands before the tag, and is under it.
            Transform::Counter(_) => {
                let word = trailer.length.checked_sub(INDEX_WORD);
                let word = word.ok_or(Rejected::Malformed)?;
                (word, word)
            }
            Transform::Sealing(_) => (trailer.length, trailer.tag + aead::TAG),
        };
        let ssrc = rtcp_ssrc(&datagram[..length]).ok_or(Rejected::Malformed)?;
        let word = datagram[word..]
            .first_chunk::<INDEX_WORD>()
            .ok_or(Rejected::Malformed)?;
        let word = u32::from_be_bytes(*word);
        let index = u64::from(word & !ENCRYPTED);
        if !self.rtcp_window.is_new(index) {
            return Err(Rejected::Replayed);
        }
        match &self.rtcp {
            Transform::Counter(keys) => {
                let tag = &datagram[trailer.tag..][..TAG_RTCP];
                keys.check(&datagram[..trailer.length], &[], tag)?;
                if word & ENCRYPTED != 0 {
                    keys.apply_keystream(ssrc, index, &mut datagram[RTCP_CLEAR..length]);
                }
            }
            Transform::Sealing(keys) => {
                // Who agreed on encryption encrypts its reports, too.
                if word & ENCRYPTED == 0 {
                    return Err(Rejected::BadTag);
                }
                let (clear, secret, tag) = trailer.split(datagram, RTCP_CLEAR);
                let clear = aead::clear_of_rtcp(clear, word.to_be_bytes());
                keys.open(ssrc, index, &clear, secret, tag)?;
            }
        }
        self.rtcp_window.take(index);
        Ok(length)
    }

    /// Where the packet ends and its tag begins, when `tag` bytes of it and the key identifier, which
    /// must be ours to open, stand behind it: the tag last, except that of AES-GCM, which is the end of
    /// what is encrypted.
    fn trailer(
        &self,
        transform: &Transform,
        datagram: &[u8],
        tag: usize,
    ) -> Result<Trailer, Rejected> {
        let name = self.identifier.map_or(0, KeyIdentifier::length);
        let length = datagram.len().checked_sub(tag + name);
        let length = length.ok_or(Rejected::Malformed)?;
        let (at, tag) = match transform {
            Transform::Counter(_) => (length, length + name),
            Transform::Sealing(_) => (length + tag, length),
        };
        match self.identifier {
            Some(identifier) if !identifier.is(&datagram[at..at + name]) => Err(Rejected::OtherKey),
            Some(_) | None => Ok(Trailer { length, tag }),
        }
    }

    /// Checks the tag, decrypts, and returns the index under which the tag fits.
    ///
    /// A peer that began just below 65,536 may have wrapped before we could hear it: keys come with
    /// the answer, media do not wait for it. So the first packet of a source is tried with a rollover
    /// count of 1 as well, which costs whoever sends rubbish one more tag of ours.
    fn open(
        &self,
        index: u64,
        is_unheard: bool,
        (ssrc, start): (u32, usize),
        trailer: Trailer,
        datagram: &mut [u8],
    ) -> Result<u64, Rejected> {
        let mut open = |index| match &self.rtp {
            Transform::Counter(keys) => {
                let tag = &datagram[trailer.tag..][..self.tag];
                let packet = &datagram[..trailer.length];
                keys.check(packet, &rollover(index).to_be_bytes(), tag)?;
                keys.apply_keystream(ssrc, index, &mut datagram[start..trailer.length]);
                Ok(index)
            }
            Transform::Sealing(keys) => {
                let (clear, secret, tag) = trailer.split(datagram, start);
                keys.open(ssrc, index, clear, secret, tag)?;
                Ok(index)
            }
        };
        match open(index) {
            Err(_) if is_unheard && index < CYCLE / 2 => open(index + CYCLE),
            opened => opened,
        }
    }

    /// A place for a source whose first packet has just proved itself.
    fn place_for(&mut self, ssrc: u32) -> usize {
        let place = self.next_place;
        self.next_place = (place + 1) % SOURCES_MAX;
        self.sources[place] = Some(Source {
            ssrc,
            index: Index::default(),
            window: Window::default(),
        });
        place
    }
}

/// Where things stand behind a protected packet.
#[derive(Clone, Copy)]
struct Trailer {
    /// What comes before all of it.
    length: usize,
    tag: usize,
}

impl Trailer {
    /// What is only authenticated, what is encrypted from `start` on, and the tag of AES-GCM.
    fn split(self, datagram: &mut [u8], start: usize) -> (&[u8], &mut [u8], &[u8]) {
        let (packet, behind) = datagram.split_at_mut(self.length);
        let (clear, secret) = packet.split_at_mut(start);
        (
            clear,
            secret,
            &behind[self.tag - self.length..][..aead::TAG],
        )
    }
}

/// Sequence numbers until the rollover count goes up.
const CYCLE: u64 = 1 << 16;

/// The 48-bit packet index: rollover count and sequence number (RFC 3711 section 3.3.1).
#[derive(Clone, Copy, Debug, Default)]
struct Index {
    highest: Option<u64>,
}

impl Index {
    /// The index of the packet with this sequence number: that which is nearest to the highest so far.
    fn estimate(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            return u64::from(sequence);
        };
        let same = highest - highest % CYCLE + u64::from(sequence);
        if same + CYCLE / 2 < highest {
            same + CYCLE
        } else if same > highest + CYCLE / 2 && same >= CYCLE {
            same - CYCLE
        } else {
            same
        }
    }

    fn advance(&mut self, index: u64) {
        self.highest = Some(self.highest.map_or(index, |highest| highest.max(index)));
    }
}

/// Which of the last [`WINDOW`] packets have been taken (RFC 3711 section 3.3.2).
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// One above the highest index taken; 0 before the first.
    next: u64,
    /// Bit 0 is the highest index taken.
    taken: u128,
}

impl Window {
    fn is_new(&self, index: u64) -> bool {
        match self.next.checked_sub(index + 1) {
            None => true,
            Some(back) => back < WINDOW && self.taken & (1 << back) == 0,
        }
    }

    fn take(&mut self, index: u64) {
        match (index + 1).checked_sub(self.next) {
            Some(forward) if forward > 0 => {
                self.taken = if forward < WINDOW {
                    self.taken << forward
                } else {
                    0
                } | 1;
                self.next = index + 1;
            }
            Some(_) | None => self.taken |= 1 << (self.next - index - 1).min(WINDOW - 1),
        }
    }
}

/// How packets are protected, in one direction of RTP or of RTCP.
enum Transform {
    /// Encrypted, then authenticated.
    Counter(SessionKeys),
    /// Both at once.
    Sealing(SealingKeys),
}

impl Transform {
    fn derive(master: &MasterKey, label: Label) -> Self {
        if master.suite().is_sealing() {
            Self::Sealing(SealingKeys::derive(master, label))
        } else {
            Self::Counter(SessionKeys::derive(master, label))
        }
    }
}

/// The keys of one direction of RTP or of RTCP, for AES in counter mode with HMAC-SHA1.
struct SessionKeys {
    cipher: Cipher,
    salt: [u8; SALT],
    authenticator: Hmac<Sha1>,
}

enum Cipher {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

#[derive(Clone, Copy)]
enum Label {
    Rtp,
    Rtcp,
}

/// What a session key is for: its place among the labels of RFC 3711 section 4.3.1.
#[derive(Clone, Copy)]
enum Purpose {
    Encrypt,
    Authenticate,
    Salt,
}

/// RFC 3711 section 4.3.1, with a key derivation rate of 0; for 256 bits RFC 6188 section 3, and for
/// the shorter salts of AES-GCM RFC 7714 section 11.
struct Derivation {
    root: Cipher,
    counter: [u8; 16],
    first: u8,
}

impl Derivation {
    fn new(master: &MasterKey, label: Label) -> Self {
        let mut counter = [0; 16];
        counter[..master.salt().len()].copy_from_slice(master.salt());
        Self {
            root: Cipher::new(master.key()),
            counter,
            first: match label {
                Label::Rtp => 0,
                Label::Rtcp => 3,
            },
        }
    }

    fn fill(&self, purpose: Purpose, out: &mut [u8]) {
        let mut counter = self.counter;
        counter[7] ^= self.first
            + match purpose {
                Purpose::Encrypt => 0,
                Purpose::Authenticate => 1,
                Purpose::Salt => 2,
            };
        self.root.apply(&counter, out);
    }
}

impl SessionKeys {
    fn derive(master: &MasterKey, label: Label) -> Self {
        let derivation = Derivation::new(master, label);
        let mut key = [0; 32];
        let key = &mut key[..master.key().len()];
        derivation.fill(Purpose::Encrypt, key);
        let mut secret = [0; 20];
        derivation.fill(Purpose::Authenticate, &mut secret);
        let mut salt = [0; SALT];
        derivation.fill(Purpose::Salt, &mut salt);
        let authenticator =
            <Hmac<Sha1> as Mac>::new_from_slice(&secret).expect("HMAC takes keys of any length");
        Self {
            cipher: Cipher::new(key),
            salt,
            authenticator,
        }
    }

    /// RFC 3711 section 4.1.1: the counter starts at salt ⊕ SSRC ⊕ index.
    fn apply_keystream(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        let mut counter = [0; 16];
        counter[..SALT].copy_from_slice(&self.salt);
        for (byte, other) in counter[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= other;
        }
        for (byte, other) in counter[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= other;
        }
        self.cipher.apply(&counter, bytes);
    }

    fn tag(&self, packet: &[u8], behind: &[u8]) -> [u8; 20] {
        let mut authenticator = self.authenticator.clone();
        authenticator.update(packet);
        authenticator.update(behind);
        authenticator.finalize().into_bytes().into()
    }

    fn check(&self, packet: &[u8], behind: &[u8], tag: &[u8]) -> Result<(), Rejected> {
        let mut authenticator = self.authenticator.clone();
        authenticator.update(packet);
        authenticator.update(behind);
        // Compares in constant time.
        authenticator
            .verify_truncated_left(tag)
            .map_err(|_| Rejected::BadTag)
    }
}

impl Cipher {
    fn new(key: &[u8]) -> Self {
        if key.len() == 32 {
            Self::Aes256(Box::new(Aes256::new(GenericArray::from_slice(key))))
        } else {
            Self::Aes128(Box::new(Aes128::new(GenericArray::from_slice(key))))
        }
    }

    /// Exclusive-ors the key stream from `start` on over `bytes`. Blocks are made eight at a time,
    /// which the processor works on side by side.
    fn apply(&self, start: &[u8; 16], bytes: &mut [u8]) {
        let mut counter = u128::from_be_bytes(*start);
        for chunk in bytes.chunks_mut(16 * BLOCKS) {
            let mut blocks = [GenericArray::from([0; 16]); BLOCKS];
            let blocks = &mut blocks[..chunk.len().div_ceil(16)];
            for block in blocks.iter_mut() {
                *block = counter.to_be_bytes().into();
                counter = counter.wrapping_add(1);
            }
            match self {
                Self::Aes128(cipher) => cipher.encrypt_blocks(blocks),
                Self::Aes256(cipher) => cipher.encrypt_blocks(blocks),
            }
            for (piece, block) in chunk.chunks_mut(16).zip(blocks) {
                for (byte, key) in piece.iter_mut().zip(block.iter()) {
                    *byte ^= key;
                }
            }
        }
    }
}

/// Writes the key identifier behind a packet, where there is one, and returns where it ends. It is no
/// part of what is authenticated (RFC 3711 section 3.1).
fn append_identifier(identifier: Option<KeyIdentifier>, buffer: &mut [u8], at: usize) -> usize {
    let Some(identifier) = identifier else {
        return at;
    };
    let end = at + identifier.length();
    identifier.write(&mut buffer[at..end]);
    end
}

/// Feeds arbitrary bytes to an opener under a fixed key. For fuzzing: it must return, and without the
/// key nothing may pass.
pub fn fuzz(datagram: &[u8]) {
    let master = MasterKey::new(Suite::Aes128Sha1_80, &[7; 30]).expect("30 bytes");
    let mut unprotector = Unprotector::new(&master);
    let mut copy = datagram.to_vec();
    assert!(unprotector.unprotect(&mut copy).is_err(), "a forged packet");
    assert!(
        unprotector.unprotect_rtcp(&mut copy).is_err(),
        "a forged report"
    );
}

fn rollover(index: u64) -> u32 {
    u32::try_from(index >> 16).unwrap_or(u32::MAX)
}

fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let clear = packet.first_chunk::<RTCP_CLEAR>()?;
    (clear[0] & 0xc0 == 0x80).then(|| u32::from_be_bytes([clear[4], clear[5], clear[6], clear[7]]))
}

/// RFC 3711 section 3.4: the first eight bytes of a compound RTCP packet stay readable.
const RTCP_CLEAR: usize = 8;

/// The E bit of the SRTCP index.
const ENCRYPTED: u32 = 1 << 31;

/// Bytes of the SRTCP index and its E bit.
const INDEX_WORD: usize = 4;

/// Bytes of an SRTCP tag with HMAC-SHA1, also in the suites whose RTP tag is 32 bits (RFC 4568 section
/// 6.2.2).
const TAG_RTCP: usize = 10;

/// Bytes of the salt for counter mode (RFC 3711 section 8.2).
const SALT: usize = 14;

/// Sources under one key that are followed at once: a peer that is transferred may come back.
const SOURCES_MAX: usize = 4;

/// Packets that a late one may be behind: RFC 3711 asks for 64 at least.
const WINDOW: u64 = 128;

/// Cipher blocks made at a time.
const BLOCKS: usize = 8;

#[cfg(test)]
mod tests;

//! What makes two messages part of one transaction (RFC 3261 sections 17.1.3 and 17.2.3).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rand::Rng;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::sip::headers::{Name, Via};
use crate::sip::message::Message;
use crate::sip::method::Method;

/// The name of a transaction or dialog: a keyed hash of what identifies it.
///
/// 128 bits under a secret key: nobody can aim at a collision, and among a million live names a
/// chance one is below 1 in 10^26, so the hash stands for the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// The least key, for ranges.
    pub const FIRST: Self = Self(0);
    /// The greatest key, for ranges.
    pub const LAST: Self = Self(u128::MAX);
}

/// A map under [`Key`]s, which are hashes already and are not hashed again.
pub type KeyMap<T> = HashMap<Key, T, BuildHasherDefault<AlreadyHashed>>;

/// Takes the low half of a [`Key`] as its hash.
#[derive(Debug, Default, Clone, Copy)]
pub struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        let [low, _high] = halves(key);
        self.0 = low;
    }
}

fn halves(key: u128) -> [u64; 2] {
    let bytes = key.to_le_bytes();
    let mut halves = [0; 2];
    for (half, chunk) in halves.iter_mut().zip(bytes.chunks_exact(8)) {
        *half = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
    }
    halves
}

/// Makes [`Key`]s under a secret of its own.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    secret: [u64; 2],
}

/// What a key is made from, so that no two kinds can meet.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Branch = 1,
    Old = 2,
    Merged = 3,
    Client = 4,
    Dialog = 5,
    Tag = 6,
}

impl Keys {
    /// Draws a secret.
    pub fn new(random: &mut impl Rng) -> Self {
        Self {
            secret: [random.random(), random.random()],
        }
    }

    /// The key of the server transaction that `request` belongs to; `via` is its top Via.
    ///
    /// ACK belongs to its INVITE; `method` is the request's own, or INVITE to find what a CANCEL
    /// cancels (RFC 3261 section 9.2).
    pub fn server(&self, request: &Message, via: &Via, method: &Method) -> Option<Key> {
        let method = if *method == Method::Ack {
            &Method::Invite
        } else {
            method
        };
        let branch = via.branch().filter(|_| via.has_magic_cookie());
        let Some(branch) = branch else {
            return self.old_server(request, method);
        };
        let sent_by = via.sent_by();
        Some(self.key(Kind::Branch, &[branch, sent_by, method.as_bytes()]))
    }

    /// The same by the rules of RFC 2543, for a peer that does not make unique branches.
    ///
    /// The To tag is left out: an ACK carries the one of our response, its INVITE none, and no other
    /// request that is the same in all the rest differs in that tag alone.
    fn old_server(&self, request: &Message, method: &Method) -> Option<Key> {
        let via = request.header(Name::Via)?;
        let from_tag = request.from_tag().unwrap_or_default();
        let call_id = request.call_id().ok()?;
        let number = request.cseq().ok()?.number.to_be_bytes();
        let uri = request.request_uri_bytes();
        Some(self.key(
            Kind::Old,
            &[via, uri, &from_tag, &call_id, &number, method.as_bytes()],
        ))
    }

    /// What is the same in the copies of one request that reached us by different ways (RFC 3261
    /// section 8.2.2.2).
    pub fn merged(&self, request: &Message) -> Option<Key> {
        let from_tag = request.from_tag()?;
        let call_id = request.call_id().ok()?;
        let cseq = request.cseq().ok()?;
        let number = cseq.number.to_be_bytes();
        Some(self.key(
            Kind::Merged,
            &[&from_tag, &call_id, &number, cseq.method.as_bytes()],
        ))
    }

    /// The key of a transaction of ours, by the branch that we made and the method.
    pub fn client(&self, branch: &[u8], method: &Method) -> Key {
        self.key(Kind::Client, &[branch, method.as_bytes()])
    }

    /// The key of a call's dialogs: the Call-ID and our tag.
    pub fn dialog(&self, call_id: &[u8], our_tag: &[u8]) -> Key {
        self.key(Kind::Dialog, &[call_id, our_tag])
    }

    /// The To tag of a response that is sent without keeping state: each copy of the request gets
    /// the same (RFC 3261 section 8.2.7).
    pub fn stateless_tag(&self, request: &Message) -> u64 {
        let via = request.header(Name::Via).unwrap_or_default();
        let from = request.header(Name::From).unwrap_or_default();
        let call_id = request.header(Name::CallId).unwrap_or_default();
        let [low, _high] = halves(self.key(Kind::Tag, &[via, from, call_id]).0);
        low
    }

    fn key(&self, kind: Kind, parts: &[&[u8]]) -> Key {
        let mut hasher = SipHasher13::new_with_keys(self.secret[0], self.secret[1]);
        hasher.write_u8(kind as u8);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        Key(hasher.finish128().as_u128())
    }
}

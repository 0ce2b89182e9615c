//! We ask: challenges for those who call or register here.
//!
//! A nonce is its own record: the time it was issued, a serial number, and a keyed hash over both
//! and the address it was issued to. Issuing one therefore costs no memory, whoever asks. Memory
//! is spent only on nonces that were *used with the right password*, to refuse replays, and it is
//! bounded: forgetting the oldest nonce makes it and everything older stale, never replayable.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Algorithm, HashFunction, Hashed, Parameters, Quality, Secret, hex, unhex};

/// The asking side: issues nonces and checks what comes back.
pub struct Challenger {
    realm: String,
    key: [u8; 32],
    /// Nonces carry the time since this moment, so a restart makes all of them stale.
    origin: Instant,
    serial: u32,
    used: BTreeMap<NonceId, CountWindow>,
    /// Nonces up to here were forgotten to make room, and count as stale.
    forgotten: Option<NonceId>,
}

/// The request that carries an Authorization or Proxy-Authorization header.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, as sent.
    pub method: &'a [u8],
    /// The Request-URI, as sent.
    pub uri: &'a [u8],
    /// Where it came from. A nonce is good only for the address it was issued to.
    pub source: IpAddr,
}

/// The outcome of [`Challenger::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The sender knows the password of `username`.
    Accepted {
        /// The user name that was proven.
        username: String,
    },
    /// Challenge again, with `stale` as [`Refusal::is_stale`] says.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The user name that was claimed, for the guard's back-off per account.
        username: Option<String>,
        /// Whether the nonce was one of ours for this address: the sender received our challenge,
        /// so the address is not forged.
        address_proven: bool,
    },
}

/// Why credentials were refused. For the audit; a peer sees only whether its nonce was stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No credentials for our realm: the usual first request.
    #[error("no credentials for this realm")]
    Missing,
    /// They cannot be read, or lack what RFC 7616 section 3.4 demands, or ask for what was not
    /// offered (`auth-int`, no `qop`, another algorithm).
    #[error("bad credentials: {0}")]
    Malformed(&'static str),
    /// The nonce is too old, forgotten, or not ours for this address.
    #[error("stale nonce")]
    Stale,
    /// The password is right and the nonce count was seen before.
    #[error("nonce count seen before")]
    Replayed,
    /// They were made for another Request-URI.
    #[error("made for another URI")]
    WrongUri,
    /// Unknown user or wrong password: one answer, one cost.
    #[error("wrong password or unknown user")]
    Wrong,
}

impl Refusal {
    /// Whether the next challenge says `stale=true`: the peer may try again by itself with the
    /// same password and the new nonce (RFC 7616 section 3.3).
    pub fn is_stale(self) -> bool {
        match self {
            Self::Stale | Self::Replayed => true,
            Self::Missing | Self::Malformed(_) | Self::WrongUri | Self::Wrong => false,
        }
    }
}

impl Challenger {
    /// Creates a challenger for one realm. `key` is 256 bits of chance, made anew at each start.
    ///
    /// # Panics
    ///
    /// If `realm` has quotes, backslashes or control characters: configuration is checked before
    /// it comes here.
    pub fn new(now: Instant, realm: &str, key: [u8; 32]) -> Self {
        assert!(
            !realm.chars().any(|c| c.is_control() || "\"\\".contains(c)),
            "realm {realm:?} cannot be quoted"
        );
        Self {
            realm: realm.to_owned(),
            key,
            origin: now,
            serial: 0,
            used: BTreeMap::new(),
            forgotten: None,
        }
    }

    /// The realm that user names and passwords belong to.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// How many used nonces are remembered; never above [`NONCES_MAX`].
    pub fn remembered(&self) -> usize {
        self.used.len()
    }

    /// The values of the WWW-Authenticate (or Proxy-Authenticate) headers of one answer, one
    /// header each, the strongest first (RFC 8760 section 2.4).
    pub fn challenge(&mut self, now: Instant, source: IpAddr, stale: bool) -> [String; 2] {
        let nonce = self.issue(now, source);
        let stale = if stale { ", stale=true" } else { "" };
        [Algorithm::SHA_256, Algorithm::MD5].map(|algorithm| {
            format!(
                "Digest realm=\"{}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}",
                self.realm,
                algorithm.as_str()
            )
        })
    }

    /// Checks the Authorization headers of a request; one for another realm is passed over.
    ///
    /// `secret` finds what is stored for a user name. An unknown user costs the same hashes as a
    /// known one, and gets the same refusal.
    pub fn verify<'s>(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        authorizations: impl IntoIterator<Item = impl AsRef<[u8]>>,
        secret: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Verdict {
        let mut first_fault = Refusal::Missing;
        for value in authorizations.into_iter().take(AUTHORIZATIONS_MAX) {
            match Parameters::read(value.as_ref()) {
                Ok(list) if list.find("realm") == Some(self.realm.as_bytes()) => {
                    return self.verify_ours(now, request, &list, secret);
                }
                Ok(_) => {}
                Err(what) => first_fault = Refusal::Malformed(what),
            }
        }
        Verdict::Refused {
            refusal: first_fault,
            username: None,
            address_proven: false,
        }
    }

    fn verify_ours<'s>(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        list: &Parameters,
        secret: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Verdict {
        self.forget_expired(now);
        let username = list.text("username").filter(|name| name.len() <= NAME_MAX);
        let nonce = list
            .find("nonce")
            .and_then(|text| self.own_nonce(text, request.source));
        let verdict = match (username, nonce) {
            (None, _) => Err(Refusal::Malformed("no usable username")),
            (Some(_), None) => Err(Refusal::Stale),
            (Some(username), Some(nonce)) => {
                self.verify_answer(now, request, list, nonce, secret(username), username)
            }
        };
        match (verdict, username) {
            (Ok(()), Some(username)) => Verdict::Accepted {
                username: username.to_owned(),
            },
            (Ok(()), None) => unreachable!("an answer without a user name is refused above"),
            (Err(refusal), username) => Verdict::Refused {
                refusal,
                username: username.map(str::to_owned),
                address_proven: nonce.is_some(),
            },
        }
    }

    fn verify_answer(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        list: &Parameters,
        nonce: NonceId,
        secret: Option<&Secret>,
        username: &str,
    ) -> Result<(), Refusal> {
        if !self.is_fresh(now, nonce) {
            return Err(Refusal::Stale);
        }
        let algorithm = match list.find("algorithm") {
            None => Algorithm::MD5,
            Some(value) => {
                Algorithm::read(value).ok_or(Refusal::Malformed("algorithm not offered"))?
            }
        };
        match list.find("qop") {
            Some(value) if value.eq_ignore_ascii_case(b"auth") => {}
            Some(_) => return Err(Refusal::Malformed("qop not offered")),
            None => return Err(Refusal::Malformed("no qop")),
        }
        let (count_text, count) = list
            .find("nc")
            .and_then(read_nonce_count)
            .ok_or(Refusal::Malformed("nc is not eight hexadecimal digits"))?;
        let client_nonce = list.find("cnonce").ok_or(Refusal::Malformed("no cnonce"))?;
        let uri = list.find("uri").ok_or(Refusal::Malformed("no uri"))?;
        let response = list
            .find("response")
            .ok_or(Refusal::Malformed("no response"))?;
        if !same_resource(uri, request.uri) {
            return Err(Refusal::WrongUri);
        }

        // A user we do not know is checked against a secret nobody has, for the same work.
        let decoy = self.decoy(username, algorithm.hash);
        let (known, stored) = match secret.and_then(|secret| secret.hash(algorithm.hash)) {
            Some(stored) => (true, stored),
            None => (false, decoy.as_str()),
        };
        let expected = Hashed {
            algorithm,
            secret: stored,
            method: request.method,
            uri,
            nonce: list.find("nonce").unwrap_or_default(),
            client_nonce,
            quality: Quality::Auth {
                nonce_count: count_text,
            },
        }
        .response();
        if !(same_secret(expected.as_bytes(), response) & known) {
            return Err(Refusal::Wrong);
        }
        self.count(nonce, count)
    }

    fn issue(&mut self, now: Instant, source: IpAddr) -> String {
        let since = now.saturating_duration_since(self.origin).as_millis();
        self.serial = self.serial.wrapping_add(1);
        let id = NonceId {
            issued_ms: u64::try_from(since).unwrap_or(u64::MAX),
            serial: self.serial,
        };
        let mac = self.mac(id, source);
        format!("{:016x}{:08x}{}", id.issued_ms, id.serial, hex(&mac))
    }

    /// Reads a nonce; `None` unless we made it for `source`.
    fn own_nonce(&self, text: &[u8], source: IpAddr) -> Option<NonceId> {
        let bytes: [u8; 28] = unhex(text)?;
        let (issued, rest) = bytes.split_first_chunk::<8>()?;
        let (serial, mac) = rest.split_first_chunk::<4>()?;
        let id = NonceId {
            issued_ms: u64::from_be_bytes(*issued),
            serial: u32::from_be_bytes(*serial),
        };
        same_secret(&self.mac(id, source), mac).then_some(id)
    }

    fn mac(&self, id: NonceId, source: IpAddr) -> [u8; 16] {
        let mut mac = keyed(&self.key);
        mac.update(b"nonce");
        mac.update(&id.issued_ms.to_be_bytes());
        mac.update(&id.serial.to_be_bytes());
        match source.to_canonical() {
            IpAddr::V4(address) => mac.update(&address.octets()),
            IpAddr::V6(address) => mac.update(&address.octets()),
        }
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        short
    }

    fn decoy(&self, username: &str, function: HashFunction) -> String {
        let mut mac = keyed(&self.key);
        mac.update(b"decoy");
        mac.update(username.as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        match function {
            HashFunction::Md5 => hex(&full[..16]),
            HashFunction::Sha256 => hex(&full),
        }
    }

    fn is_fresh(&self, now: Instant, nonce: NonceId) -> bool {
        nonce.issued_ms >= self.oldest_valid_ms(now)
            && self.forgotten.is_none_or(|forgotten| nonce > forgotten)
    }

    fn oldest_valid_ms(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.origin);
        u64::try_from(age.saturating_sub(NONCE_LIFETIME).as_millis()).unwrap_or(u64::MAX)
    }

    fn forget_expired(&mut self, now: Instant) {
        let oldest = NonceId {
            issued_ms: self.oldest_valid_ms(now),
            serial: 0,
        };
        while let Some(entry) = self.used.first_entry() {
            if *entry.key() >= oldest {
                break;
            }
            entry.remove();
        }
    }

    /// Takes a nonce count once (RFC 7616 section 3.4: the server may refuse a repeated one).
    fn count(&mut self, nonce: NonceId, count: u32) -> Result<(), Refusal> {
        if !self.used.contains_key(&nonce) && self.used.len() >= NONCES_MAX {
            self.forgotten = self.used.pop_first().map(|(oldest, _)| oldest);
            if self.forgotten.is_some_and(|forgotten| nonce <= forgotten) {
                return Err(Refusal::Stale);
            }
        }
        if self.used.entry(nonce).or_default().take(count) {
            Ok(())
        } else {
            Err(Refusal::Replayed)
        }
    }
}

/// Issue order is key order, so that the oldest is forgotten first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct NonceId {
    issued_ms: u64,
    serial: u32,
}

/// Which counts of one nonce were used: the highest, and a bit for each of the 64 below it, since
/// datagrams overtake one another.
#[derive(Default)]
struct CountWindow {
    highest: u32,
    seen: u64,
}

impl CountWindow {
    /// Whether `count` is new; it is not the next time.
    fn take(&mut self, count: u32) -> bool {
        if count > self.highest {
            // What was seen moves down, and the old highest moves into the window above it.
            let up = count - self.highest;
            self.seen =
                self.seen.checked_shl(up).unwrap_or(0) | 1_u64.checked_shl(up - 1).unwrap_or(0);
            self.highest = count;
            return true;
        }
        let below = self.highest - count;
        if !(1..=64).contains(&below) {
            return false;
        }
        let bit = 1_u64 << (below - 1);
        let new = self.seen & bit == 0;
        self.seen |= bit;
        new
    }
}

/// Exactly eight hexadecimal digits, hashed as sent, counted as their value. `00000000` is none:
/// counts begin at one (RFC 7616 section 3.4).
fn read_nonce_count(text: &[u8]) -> Option<(&[u8], u32)> {
    let value = u32::from_be_bytes(unhex::<4>(text)?);
    (value > 0).then_some((text, value))
}

/// Whether both URIs name one resource. Parameters are left out, because user agents differ in
/// whether `;transport=` belongs to the digest's URI; the user part is compared to the letter.
fn same_resource(claimed: &[u8], requested: &[u8]) -> bool {
    let (claimed_user, claimed_host) = split_resource(claimed);
    let (requested_user, requested_host) = split_resource(requested);
    claimed_user == requested_user && claimed_host.eq_ignore_ascii_case(requested_host)
}

/// The user part, and the rest without parameters and headers. The scheme is dropped with its
/// case; `sip` and `sips` stay apart by the port and transport they came on, not here.
fn split_resource(uri: &[u8]) -> (&[u8], &[u8]) {
    let bare = match uri.iter().position(|byte| *byte == b':') {
        Some(colon) => &uri[colon + 1..],
        None => uri,
    };
    let (user, host) = match bare.iter().position(|byte| *byte == b'@') {
        Some(at) => (&bare[..at], &bare[at + 1..]),
        None => (&bare[..0], bare),
    };
    let end = host.iter().position(|byte| b";?".contains(byte));
    (user, &host[..end.unwrap_or(host.len())])
}

/// Compares without telling by the time it takes where the first difference is.
fn same_secret(expected: &[u8], given: &[u8]) -> bool {
    if expected.len() != given.len() {
        return false;
    }
    let difference = expected
        .iter()
        .zip(given)
        .fold(0_u8, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    difference == 0
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

/// How long a nonce can be used. Long enough that a phone which registers each minute or so asks
/// for few, short enough that a stolen message is soon worthless.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// How many used nonces are remembered: about 4 MB, and 200 new ones each second of a lifetime.
pub const NONCES_MAX: usize = 65_536;

/// How many Authorization headers of a request are looked at.
const AUTHORIZATIONS_MAX: usize = 4;

/// The longest user name, in bytes.
const NAME_MAX: usize = 128;

#[cfg(test)]
mod tests;

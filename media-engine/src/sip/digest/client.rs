//! They ask: credentials for the carriers we call and register at.
//!
//! Credentials answer nobody but the peer they were configured for. Whoever gets us to send a
//! request (a caller who hangs up badly, so that we send BYE) could otherwise ask for a response
//! and guess the password at leisure, or relay the challenge of a carrier. So a challenge is
//! looked at only when it came from an address of the peer, and answered only in one realm.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use rand::RngCore;

use super::{Algorithm, Hashed, Parameters, Quality, hash, hex};
use crate::sip::trunk::Network;

/// What a carrier gave us to prove who we are.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name of the authentication, often but not always the user of the address.
    pub username: String,
    /// The password, in the clear: a client needs it for whatever realm the carrier names.
    pub password: String,
    /// The realm they are for; `None` binds them to the first realm the peer asks for.
    pub realm: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive() // A log is no place for the password.
    }
}

/// The answering side for one carrier.
#[derive(Debug)]
pub struct Answerer {
    credentials: Credentials,
    networks: Vec<Network>,
    addresses: BTreeSet<IpAddr>,
    origin: Option<Session>,
    proxy: Option<Session>,
}

/// How far one request has got with being challenged. A new request starts with the default.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    origin: Answered,
    proxy: Answered,
}

/// The request about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'a str,
    /// The Request-URI exactly as it will be written.
    pub uri: &'a str,
    /// The body, hashed when a peer insists on `auth-int`.
    pub body: &'a [u8],
    /// Where it goes.
    pub to: IpAddr,
}

/// One header to add to a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// `Authorization` or `Proxy-Authorization`.
    pub name: &'static str,
    /// The header value.
    pub value: String,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why a challenge is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// It came from an address that is not the peer's. Worth an audit entry.
    #[error("challenged by a stranger")]
    Stranger,
    /// The peer asks for a realm these credentials are not for.
    #[error("challenged for another realm")]
    OtherRealm,
    /// No challenge that we can read, in an algorithm and quality that we speak.
    #[error("no challenge that can be answered")]
    Unsupported,
    /// The peer refused the credentials: the password or the user name is wrong.
    #[error("credentials refused")]
    Rejected,
    /// A status that is no challenge. A bug on our side.
    #[error("status {0} is no challenge")]
    NoChallenge(u16),
}

/// What one request has seen of one kind of challenge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Answered {
    #[default]
    No,
    Once,
    /// Answered, told that the nonce was stale, and answered again. There is no third time.
    AgainAfterStale,
}

/// A challenge being answered, until the peer names a new nonce.
struct Session {
    algorithm: Algorithm,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    quality: Offered,
    /// Chosen once for each nonce: `-sess` keys are bound to it.
    client_nonce: String,
    /// The requests sent with this nonce.
    count: u32,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("realm", &self.realm)
            .field("algorithm", &self.algorithm)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Which protection the peer offered, the best we can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offered {
    /// Nothing: RFC 2069.
    None,
    Auth,
    AuthInt,
}

impl Answerer {
    /// Creates the answering side. `networks` are the configured addresses of the peer.
    pub fn new(credentials: Credentials, networks: Vec<Network>) -> Self {
        Self {
            credentials,
            networks,
            addresses: BTreeSet::new(),
            origin: None,
            proxy: None,
        }
    }

    /// Counts the addresses that the peer's name resolved to as the peer's, in place of the ones
    /// it resolved to before. At most [`ADDRESSES_MAX`] are kept.
    pub fn set_addresses(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.addresses = addresses
            .into_iter()
            .take(ADDRESSES_MAX)
            .map(|address| address.to_canonical())
            .collect();
    }

    /// Whether an address is the peer's.
    pub fn is_peer(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses.contains(&address)
            || self
                .networks
                .iter()
                .any(|network| network.contains(address))
    }

    /// Takes a 401 or 407 with its challenges, each one WWW-Authenticate or Proxy-Authenticate
    /// value. After `Ok` the request is sent again, with a new CSeq and what
    /// [`Answerer::authorize`] gives.
    pub fn handle_challenge(
        &mut self,
        attempt: &mut Attempt,
        from: IpAddr,
        status: u16,
        challenges: impl IntoIterator<Item = impl AsRef<[u8]>>,
        rng: &mut impl RngCore,
    ) -> Result<(), Unanswerable> {
        let (answered, session) = match status {
            401 => (&mut attempt.origin, &mut self.origin),
            407 => (&mut attempt.proxy, &mut self.proxy),
            other => return Err(Unanswerable::NoChallenge(other)),
        };
        let from = from.to_canonical();
        if !self.addresses.contains(&from)
            && !self.networks.iter().any(|network| network.contains(from))
        {
            return Err(Unanswerable::Stranger);
        }
        let challenge = strongest(challenges, self.credentials.realm.as_deref())?;
        let is_new_nonce = session
            .as_ref()
            .is_none_or(|session| session.nonce != challenge.nonce);
        *answered = match (*answered, challenge.stale && is_new_nonce) {
            // Credentials may have gone along from the start, with a nonce of an older request.
            (Answered::No, _) => Answered::Once,
            (Answered::Once, true) => Answered::AgainAfterStale,
            (Answered::Once, false) | (Answered::AgainAfterStale, _) => {
                *session = None;
                return Err(Unanswerable::Rejected);
            }
        };
        self.credentials
            .realm
            .get_or_insert_with(|| challenge.realm.clone());
        let mut chance = [0; 16];
        rng.fill_bytes(&mut chance);
        *session = Some(Session {
            algorithm: challenge.algorithm,
            realm: challenge.realm,
            nonce: challenge.nonce,
            opaque: challenge.opaque,
            quality: challenge.quality,
            client_nonce: hex(&chance),
            count: 0,
        });
        Ok(())
    }

    /// The headers for a request to the peer: none before the first challenge, and none to
    /// anybody else. Each call counts one request (`nc`), so ask once for each transmission that
    /// is not a repetition.
    pub fn authorize(&mut self, request: &Outgoing<'_>) -> Vec<Authorization> {
        if !self.is_peer(request.to) {
            return Vec::new();
        }
        let credentials = &self.credentials;
        [
            ("Authorization", &mut self.origin),
            ("Proxy-Authorization", &mut self.proxy),
        ]
        .into_iter()
        .filter_map(|(name, session)| {
            let value = session.as_mut()?.authorize(credentials, request)?;
            Some(Authorization { name, value })
        })
        .collect()
    }
}

impl Session {
    /// The header value; `None` when the nonce has been counted to its end.
    fn authorize(&mut self, credentials: &Credentials, request: &Outgoing<'_>) -> Option<String> {
        self.count = self.count.checked_add(1)?;
        let count = format!("{:08x}", self.count);
        let secret = hash(
            self.algorithm.hash,
            &[
                credentials.username.as_bytes(),
                self.realm.as_bytes(),
                credentials.password.as_bytes(),
            ],
        );
        let nonce_count = count.as_bytes();
        let response = Hashed {
            algorithm: self.algorithm,
            secret: &secret,
            method: request.method.as_bytes(),
            uri: request.uri.as_bytes(),
            nonce: self.nonce.as_bytes(),
            client_nonce: self.client_nonce.as_bytes(),
            quality: match self.quality {
                Offered::None => Quality::None,
                Offered::Auth => Quality::Auth { nonce_count },
                Offered::AuthInt => Quality::AuthInt {
                    nonce_count,
                    body: request.body,
                },
            },
        }
        .response();
        let mut value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{response}\", algorithm={}",
            credentials.username,
            self.realm,
            self.nonce,
            request.uri,
            self.algorithm.as_str(),
        );
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{opaque}\""));
        }
        let quality = match self.quality {
            Offered::None => None,
            Offered::Auth => Some("auth"),
            Offered::AuthInt => Some("auth-int"),
        };
        if let Some(quality) = quality {
            value.push_str(&format!(
                ", qop={quality}, nc={count}, cnonce=\"{}\"",
                self.client_nonce
            ));
        } else if self.algorithm.session {
            value.push_str(&format!(", cnonce=\"{}\"", self.client_nonce));
        }
        Some(value)
    }
}

/// A challenge that we are able to answer.
struct Challenge {
    algorithm: Algorithm,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    quality: Offered,
    stale: bool,
}

/// The strongest challenge for our realm (RFC 8760 section 2.5); of equals, the first.
fn strongest(
    challenges: impl IntoIterator<Item = impl AsRef<[u8]>>,
    realm: Option<&str>,
) -> Result<Challenge, Unanswerable> {
    let mut best: Option<Challenge> = None;
    let mut fault = Unanswerable::Unsupported;
    for challenge in challenges
        .into_iter()
        .take(CHALLENGES_MAX)
        .filter_map(|value| read_challenge(value.as_ref()))
    {
        if realm.is_some_and(|realm| realm != challenge.realm) {
            fault = Unanswerable::OtherRealm;
            continue;
        }
        let stronger = |best: &Challenge| challenge.algorithm.hash > best.algorithm.hash;
        if best.as_ref().is_none_or(stronger) {
            best = Some(challenge);
        }
    }
    best.ok_or(fault)
}

/// Reads one challenge; `None` when it is broken or asks for what we do not speak.
fn read_challenge(value: &[u8]) -> Option<Challenge> {
    let list = Parameters::read(value).ok()?;
    let text = |name| list.text(name).filter(|value| value.len() <= VALUE_MAX);
    let algorithm = match list.find("algorithm") {
        None => Algorithm::MD5,
        Some(value) => Algorithm::read(value)?,
    };
    let quality = match list.find("qop") {
        None => Offered::None,
        Some(options) => {
            let offers = |wanted: &[u8]| {
                options
                    .split(|byte| *byte == b',')
                    .any(|option| option.trim_ascii().eq_ignore_ascii_case(wanted))
            };
            match (offers(b"auth"), offers(b"auth-int")) {
                (true, _) => Offered::Auth,
                (false, true) => Offered::AuthInt,
                (false, false) => return None,
            }
        }
    };
    let opaque = match list.find("opaque") {
        None => None,
        Some(_) => Some(text("opaque")?.to_owned()),
    };
    Some(Challenge {
        algorithm,
        realm: text("realm")?.to_owned(),
        nonce: text("nonce")?.to_owned(),
        opaque,
        quality,
        stale: list
            .find("stale")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"true")),
    })
}

/// How many addresses a carrier's name may stand for.
pub const ADDRESSES_MAX: usize = 64;

/// How many challenges of one answer are looked at.
const CHALLENGES_MAX: usize = 8;

/// The longest realm, nonce or opaque we send back, in bytes: our request has to fit a datagram.
const VALUE_MAX: usize = 512;

#[cfg(test)]
mod tests;

//! DTLS-SRTP (RFC 5763, RFC 5764): the handshake that gives a browser leg its keys.
//!
//! ```text
//!  datagram ─▶ Association ─▶ Transmit        their certificate = the fingerprint of their SDP?
//!                   │                             yes: Secured(keys)    no: Failed
//!  deadline ────────┘ repeats what is lost
//! ```
//!
//! `dimpl` speaks DTLS 1.2 and 1.3 without sockets or a clock; here it gets its rules: certificates
//! count by the fingerprint in the session description and by nothing else, and a handshake is worth
//! nothing before it fits. The secrets of a handshake are the one thing in this crate that is not drawn
//! from a generator that was passed in: the cryptography beneath asks the system for them, so that no
//! seed of ours can ever give a key away.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, KeyingMaterial, SrtpProfile};
use sha2::{Digest, Sha256};

use crate::rtp::srtp::{Keys, MasterKey, Suite};

/// The SHA-256 of a certificate, as `a=fingerprint` carries it (RFC 8122 section 5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; FINGERPRINT]);

impl Fingerprint {
    /// Of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// Reads the value of `a=fingerprint`; `None` for another hash than SHA-256, which every browser has.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let (hash, digits) = value.trim().split_once(' ')?;
        if !hash.eq_ignore_ascii_case("sha-256") {
            return None;
        }
        let mut bytes = [0; FINGERPRINT];
        let mut pairs = digits.trim().split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2)?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    /// The value of `a=fingerprint`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sha-256")?;
        for (place, byte) in self.0.iter().enumerate() {
            write!(out, "{}{byte:02X}", if place == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Fingerprint({self})")
    }
}

/// What we show to all browsers: a self-signed certificate and its key, and how we shake hands.
#[derive(Clone)]
pub struct Identity {
    config: Arc<Config>,
    certificate: DtlsCertificate,
    fingerprint: Fingerprint,
}

impl Identity {
    /// Takes a certificate on a key of the curve P-256, and that key as PKCS#8, both in DER.
    #[must_use]
    pub fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Self {
        let config = Config::builder()
            .with_crypto_provider(dimpl::crypto::rust_crypto::default_provider())
            // ICE has proved the address already: a cookie would only cost a round trip.
            .use_server_cookie(false)
            .flight_start_rto(FIRST_REPEAT)
            .flight_retries(REPEATS)
            .handshake_timeout(HANDSHAKE_MAX)
            .build()
            .expect("settings that fit each other");
        Self {
            config: Arc::new(config),
            fingerprint: Fingerprint::of(&certificate),
            certificate: DtlsCertificate {
                certificate,
                private_key,
            },
        }
    }

    /// What our session descriptions say of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({})", self.fingerprint)
    }
}

/// Who begins the handshake (RFC 5763 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// They do: `a=setup:passive`.
    Server,
    /// We do: `a=setup:active`.
    Client,
}

/// What comes of a handshake.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Transmit(Vec<u8>),
    /// Their certificate fits; these are the keys of the media. Once.
    Secured(Keys),
    /// There is nobody, or nobody that we can trust: nothing comes after it.
    Failed(Failure),
    /// They have said goodbye: nothing comes after it.
    Closed,
}

/// Why there are no keys. It is never our fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Whoever answers is not who wrote the session description (RFC 5763 section 5).
    #[error("the certificate is not the one of the session description")]
    Stranger,
    /// They do not want SRTP, or no suite of ours.
    #[error("no SRTP was agreed on")]
    NoSrtp,
    /// The handshake broke off or took too long.
    #[error("the handshake failed: {0}")]
    Handshake(String),
}

/// One association with one browser.
pub struct Association {
    dtls: Dtls,
    role: Role,
    theirs: Fingerprint,
    state: State,
    deadline: Option<Instant>,
    outputs: VecDeque<Output>,
    record: Box<[u8; RECORD_MAX]>,
}

/// How far a handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody has shown a certificate.
    Unknown,
    /// Their certificate is the one that was announced.
    Known,
    /// The keys have been told.
    Secured,
    /// Failed or closed.
    Over,
}

impl Association {
    /// Begins. `theirs` is the fingerprint that their session description gives.
    #[must_use]
    pub fn new(now: Instant, identity: &Identity, role: Role, theirs: Fingerprint) -> Self {
        let (config, certificate) = (Arc::clone(&identity.config), identity.certificate.clone());
        let mut dtls = Dtls::new_auto(config, certificate, now);
        dtls.set_active(role == Role::Client);
        let mut association = Self {
            dtls,
            role,
            theirs,
            state: State::Unknown,
            deadline: None,
            outputs: VecDeque::new(),
            record: Box::new([0; RECORD_MAX]),
        };
        association.handle_timeout(now);
        association
    }

    /// Takes a datagram of theirs.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) {
        if self.state == State::Over {
            return;
        }
        let taken = self.dtls.handle_timeout(now);
        let taken = taken.and_then(|()| self.dtls.handle_packet(datagram));
        self.settle(taken);
    }

    /// Tells the time at [`Association::poll_timeout`]. Firing early is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.state == State::Over {
            return;
        }
        let taken = self.dtls.handle_timeout(now);
        self.settle(taken);
    }

    /// When something is to be repeated or given up.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The next thing to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the keys have been told.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        self.state == State::Secured
    }

    /// Takes everything that the machine beneath has to say.
    fn settle(&mut self, taken: Result<(), dimpl::Error>) {
        if let Err(error) = taken {
            return self.end(Output::Failed(Failure::Handshake(error.to_string())));
        }
        for _ in 0..OUTPUTS_MAX {
            match self.dtls.poll_output(self.record.as_mut_slice()) {
                dimpl::Output::Packet(packet) => {
                    self.outputs.push_back(Output::Transmit(packet.to_vec()));
                }
                dimpl::Output::Timeout(at) => {
                    self.deadline = Some(at);
                    return;
                }
                dimpl::Output::PeerCert(certificate) => {
                    if Fingerprint::of(certificate) != self.theirs {
                        return self.end(Output::Failed(Failure::Stranger));
                    }
                    self.state = State::Known;
                }
                dimpl::Output::KeyingMaterial(material, profile) => {
                    let keys = keys(self.role, &material, profile);
                    match keys.filter(|_| self.state == State::Known) {
                        Some(keys) => {
                            self.state = State::Secured;
                            self.outputs.push_back(Output::Secured(keys));
                        }
                        None => return self.end(Output::Failed(Failure::NoSrtp)),
                    }
                }
                dimpl::Output::CloseNotify => return self.end(Output::Closed),
                // Data channels are not for us.
                dimpl::Output::Connected | dimpl::Output::ApplicationData(_) => {}
                dimpl::Output::BufferTooSmall { .. } => break,
                _ => {}
            }
        }
        let broken = Failure::Handshake("no end of what is to be sent".to_owned());
        self.end(Output::Failed(broken));
    }

    fn end(&mut self, last: Output) {
        self.state = State::Over;
        self.deadline = None;
        self.outputs.push_back(last);
    }
}

/// RFC 5764 section 4.2: both keys, then both salts, the client's first.
fn keys(role: Role, material: &KeyingMaterial, profile: SrtpProfile) -> Option<Keys> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Suite::Aes128Sha1_80,
        SrtpProfile::AEAD_AES_128_GCM => Suite::Aes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => Suite::Aes256Gcm,
        _ => return None,
    };
    let key = suite.key_bytes();
    let salt = suite.master_bytes() - key;
    let master = |place: usize| {
        let key = material.get(place * key..)?.get(..key)?;
        let salt = material
            .get(2 * suite.key_bytes() + place * salt..)?
            .get(..salt)?;
        MasterKey::new(suite, &[key, salt].concat())
    };
    let (client, server) = (master(0)?, master(1)?);
    Some(match role {
        Role::Server => Keys {
            local: server,
            remote: client,
        },
        Role::Client => Keys {
            local: client,
            remote: server,
        },
    })
}

/// Whether a datagram on a port that carries several protocols is meant to be DTLS (RFC 7983).
#[must_use]
#[inline]
pub fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(20..=63))
}

/// Feeds arbitrary datagrams, each behind two bytes that tell its length, to one who waits for a browser.
/// For fuzzing: it must return, and give nobody keys who cannot sign.
pub fn fuzz(now: Instant, identity: &Identity, data: &[u8]) {
    let announced = Fingerprint::of(b"a certificate that nobody has");
    let mut association = Association::new(now, identity, Role::Server, announced);
    let (mut rest, mut now) = (data, now);
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (datagram, next) = behind.split_at(behind.len().min(length));
        association.handle_datagram(now, datagram);
        while let Some(output) = association.poll_output() {
            assert!(!matches!(output, Output::Secured(_)), "keys for a stranger");
        }
        rest = next;
        now += FIRST_REPEAT;
    }
}

/// Bytes of a SHA-256.
const FINGERPRINT: usize = 32;

/// Room for one datagram of ours: `dimpl` keeps below 1,150 bytes.
const RECORD_MAX: usize = 2_048;

/// What one datagram can set off is a flight of a few records; more would be a loop.
const OUTPUTS_MAX: usize = 64;

/// When a flight is repeated first; then after twice as long each time. RFC 6347 says a second for
/// strangers far away; ICE has seen this peer answer, and people wait to be heard.
const FIRST_REPEAT: Duration = Duration::from_millis(200);

/// Repetitions of a flight: 12 seconds of a bad network.
const REPEATS: usize = 6;

/// How long a handshake may take in all.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;

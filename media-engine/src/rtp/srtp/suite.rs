//! Crypto-suites and the keys that SDP carries (RFC 4568 section 6).

use std::fmt;

use rand::{CryptoRng, Rng};

/// A crypto-suite of SDES: AES in counter mode with HMAC-SHA1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`
    Aes128Sha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`
    Aes128Sha1_32,
    /// `AES_256_CM_HMAC_SHA1_80` (RFC 6188)
    Aes256Sha1_80,
    /// `AES_256_CM_HMAC_SHA1_32` (RFC 6188)
    Aes256Sha1_32,
}

impl Suite {
    /// All suites, the best first.
    pub const ALL: [Self; 4] = [
        Self::Aes256Sha1_80,
        Self::Aes128Sha1_80,
        Self::Aes256Sha1_32,
        Self::Aes128Sha1_32,
    ];

    /// The name in `a=crypto`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes128Sha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Aes256Sha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes256Sha1_32 => "AES_256_CM_HMAC_SHA1_32",
        }
    }

    /// The suite of a name in `a=crypto`, without regard to case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of key and salt together, as `inline:` carries them in base64.
    #[must_use]
    pub const fn master_bytes(self) -> usize {
        self.key_bytes() + super::SALT
    }

    /// Bytes of the tag behind an RTP packet.
    #[must_use]
    pub const fn rtp_tag(self) -> usize {
        match self {
            Self::Aes128Sha1_80 | Self::Aes256Sha1_80 => 10,
            Self::Aes128Sha1_32 | Self::Aes256Sha1_32 => 4,
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Sha1_80 | Self::Aes128Sha1_32 => 16,
            Self::Aes256Sha1_80 | Self::Aes256Sha1_32 => 32,
        }
    }
}

/// Master key and salt of one direction.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    bytes: [u8; MASTER_MAX],
}

impl MasterKey {
    /// Takes key and salt back to back, as base64 gave them; `None` if they have not the suite's
    /// [`Suite::master_bytes`].
    #[must_use]
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        if key_and_salt.len() != suite.master_bytes() {
            return None;
        }
        let mut bytes = [0; MASTER_MAX];
        bytes[..key_and_salt.len()].copy_from_slice(key_and_salt);
        Some(Self { suite, bytes })
    }

    /// Draws a fresh key for what we send. Each offer and each answer has its own.
    pub fn draw(suite: Suite, random: &mut (impl Rng + CryptoRng)) -> Self {
        let mut bytes = [0; MASTER_MAX];
        random.fill(&mut bytes[..suite.master_bytes()]);
        Self { suite, bytes }
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Key and salt back to back, for `inline:`.
    #[must_use]
    pub fn key_and_salt(&self) -> &[u8] {
        &self.bytes[..self.suite.master_bytes()]
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.bytes[..self.suite.key_bytes()]
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.bytes[self.suite.key_bytes()..self.suite.master_bytes()]
    }
}

impl fmt::Debug for MasterKey {
    /// Names the suite and keeps the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({})", self.suite.name())
    }
}

/// Both directions of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Protects what we send; our SDP carries it.
    pub local: MasterKey,
    /// Opens what the peer sends; its SDP carries it.
    pub remote: MasterKey,
}

/// A 256-bit key and its salt.
const MASTER_MAX: usize = 32 + super::SALT;

//! Crypto-suites and the keys that SDP carries (RFC 4568 section 6).

use std::fmt;

use rand::{CryptoRng, Rng};

/// A crypto-suite: AES in counter mode with HMAC-SHA1, or AES-GCM.
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
    /// `AEAD_AES_128_GCM` (RFC 7714)
    Aes128Gcm,
    /// `AEAD_AES_256_GCM` (RFC 7714)
    Aes256Gcm,
}

impl Suite {
    /// All suites, the best first.
    pub const ALL: [Self; 6] = [
        Self::Aes256Gcm,
        Self::Aes128Gcm,
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
            Self::Aes128Gcm => "AEAD_AES_128_GCM",
            Self::Aes256Gcm => "AEAD_AES_256_GCM",
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
        self.key_bytes() + self.salt_bytes()
    }

    /// Bytes of the tag behind an RTP packet.
    #[must_use]
    pub const fn rtp_tag(self) -> usize {
        match self {
            Self::Aes128Sha1_80 | Self::Aes256Sha1_80 => 10,
            Self::Aes128Sha1_32 | Self::Aes256Sha1_32 => 4,
            Self::Aes128Gcm | Self::Aes256Gcm => super::aead::TAG,
        }
    }

    /// Whether packets are encrypted and authenticated at once.
    pub(super) const fn is_sealing(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm)
    }

    const fn salt_bytes(self) -> usize {
        if self.is_sealing() {
            super::aead::SALT
        } else {
            super::SALT
        }
    }

    /// Bytes of a master key alone.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Sha1_80 | Self::Aes128Sha1_32 | Self::Aes128Gcm => 16,
            Self::Aes256Sha1_80 | Self::Aes256Sha1_32 | Self::Aes256Gcm => 32,
        }
    }
}

/// Master key and salt of one direction, and the name that they go by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    bytes: [u8; MASTER_MAX],
    identifier: Option<KeyIdentifier>,
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
        Some(Self {
            suite,
            bytes,
            identifier: None,
        })
    }

    /// Draws a fresh key for what we send. Each offer and each answer has its own.
    pub fn draw(suite: Suite, random: &mut (impl Rng + CryptoRng)) -> Self {
        let mut bytes = [0; MASTER_MAX];
        random.fill(&mut bytes);
        Secret::from_bytes(bytes).key(suite)
    }

    /// The same key under this identifier, which then stands in each packet.
    #[must_use]
    pub fn identified(self, identifier: Option<KeyIdentifier>) -> Self {
        Self { identifier, ..self }
    }

    /// The identifier in each packet, if there is to be one.
    #[must_use]
    pub fn identifier(&self) -> Option<KeyIdentifier> {
        self.identifier
    }

    /// Whether the packets of both are encrypted alike, whatever the keys are called.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        (self.suite, self.bytes) == (other.suite, other.bytes)
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

/// What tells which master key a packet is under (MKI, RFC 3711 section 3.1): a number that stands
/// before the tag in as many bytes as the session description says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyIdentifier {
    value: u64,
    length: usize,
}

impl KeyIdentifier {
    /// Bytes at most (RFC 4568 section 6.1); telephones use 1 or 4.
    pub const LENGTH_MAX: usize = 128;

    /// The number `value` in `length` bytes; `None` if it does not fit or the length is not 1 to
    /// [`KeyIdentifier::LENGTH_MAX`].
    #[must_use]
    pub fn new(value: u64, length: usize) -> Option<Self> {
        let bytes = size_of::<u64>();
        let fits = length >= bytes || value >> (8 * length) == 0;
        ((1..=Self::LENGTH_MAX).contains(&length) && fits).then_some(Self { value, length })
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> u64 {
        self.value
    }

    /// How many bytes it takes in each packet.
    #[must_use]
    pub fn length(self) -> usize {
        self.length
    }

    /// Writes it over `field`, which is [`KeyIdentifier::length`] bytes long.
    pub(super) fn write(self, field: &mut [u8]) {
        let mut value = self.value;
        for byte in field.iter_mut().rev() {
            [.., *byte] = value.to_be_bytes();
            value >>= 8;
        }
    }

    /// Whether `field` holds it.
    pub(super) fn is(self, field: &[u8]) -> bool {
        let mut value = self.value;
        field.len() == self.length
            && field.iter().rev().all(|byte| {
                let [.., low] = value.to_be_bytes();
                value >>= 8;
                *byte == low
            })
    }
}

/// Random bytes of one call, of which its key is made once the suite is agreed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; MASTER_MAX]);

impl Secret {
    /// Bytes that the longest key takes.
    pub const BYTES: usize = MASTER_MAX;

    /// Takes bytes from a generator whose next ones nobody can guess.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The key for this suite.
    #[must_use]
    pub fn key(&self, suite: Suite) -> MasterKey {
        let mut bytes = [0; MASTER_MAX];
        let length = suite.master_bytes();
        bytes[..length].copy_from_slice(&self.0[..length]);
        MasterKey {
            suite,
            bytes,
            identifier: None,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Both directions of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Protects what we send; our SDP carries it.
    pub local: MasterKey,
    /// Opens what the peer sends; its SDP carries it.
    pub remote: MasterKey,
}

/// A 256-bit key and the longest salt.
const MASTER_MAX: usize = 32 + super::SALT;

//! Keys for SRTP inside the description: SDES (RFC 4568).

use std::fmt;

/// How packets are encrypted and signed. Both suites use AES in counter mode with a key of 128 bits;
/// they differ in the length of the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// A tag of 80 bits: the one that everybody has (RFC 4568 section 6.2.1).
    AesCm128HmacSha1_80,
    /// A tag of 32 bits (RFC 4568 section 6.2.2); RTCP keeps 80 bits.
    AesCm128HmacSha1_32,
}

impl Suite {
    /// Ours, best first.
    pub const ALL: [Self; 2] = [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32];

    /// The name in the crypto attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Bytes of the tag behind an RTP packet.
    #[must_use]
    pub const fn tag_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 => 10,
            Self::AesCm128HmacSha1_32 => 4,
        }
    }
}

/// What a session's keys are derived from (RFC 3711 section 4.3). Never shown in a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey {
    /// The key.
    pub key: [u8; 16],
    /// The salt.
    pub salt: [u8; 14],
}

/// Bytes of key and salt together, as they stand in the attribute.
const KEY_BYTES: usize = 30;

/// Characters of [`KEY_BYTES`] in base64: a multiple of three bytes, so no padding.
const KEY_CHARACTERS: usize = 40;

impl MasterKey {
    /// Of 30 random bytes: key, then salt.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        let (mut key, mut salt) = ([0; 16], [0; 14]);
        key.copy_from_slice(&bytes[..16]);
        salt.copy_from_slice(&bytes[16..]);
        Self { key, salt }
    }

    /// Reads 40 characters of base64.
    fn from_base64(text: &str) -> Option<Self> {
        let text: &[u8; KEY_CHARACTERS] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; KEY_BYTES];
        for (out, quad) in bytes.chunks_exact_mut(3).zip(text.chunks_exact(4)) {
            let mut bits = 0u32;
            for character in quad {
                bits = bits << 6 | u32::from(sextet(*character)?);
            }
            out.copy_from_slice(&bits.to_be_bytes()[1..]);
        }
        Some(Self::from_bytes(bytes))
    }

    /// Writes 40 characters of base64.
    fn to_base64(self) -> String {
        let bytes: Vec<u8> = self.key.iter().chain(&self.salt).copied().collect();
        let mut text = String::with_capacity(KEY_CHARACTERS);
        for triple in bytes.chunks_exact(3) {
            let bits = u32::from_be_bytes([0, triple[0], triple[1], triple[2]]);
            for shift in [18, 12, 6, 0] {
                text.push(char::from(ALPHABET[(bits >> shift & 63) as usize]));
            }
        }
        text
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(…)")
    }
}

/// The keys of both directions: each side chooses the one that it sends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// How both are used.
    pub suite: Suite,
    /// For packets that we send.
    pub send: MasterKey,
    /// For packets that we receive.
    pub receive: MasterKey,
}

/// One crypto attribute that we can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// The number that an answer refers to.
    pub tag: u32,
    /// The suite.
    pub suite: Suite,
    /// The key that the writer sends with.
    pub key: MasterKey,
}

impl Crypto {
    /// Reads the value of a crypto attribute.
    ///
    /// `None` for what we do not do, which an answerer must then not choose (RFC 4568 section 5.1.2):
    /// other suites, several keys, key identifiers in each packet, and session parameters that change the packets.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let name = words.next()?;
        let suite = Suite::ALL
            .into_iter()
            .find(|suite| suite.name().eq_ignore_ascii_case(name))?;
        let mut parts = words.next()?.strip_prefix("inline:")?.split('|');
        let key = MasterKey::from_base64(parts.next()?)?;
        // What follows the key is a lifetime (a plain number or 2^n), which no call reaches, or a key
        // identifier `value:length`.
        let plain = parts.all(|part| !part.contains([':', ';']));
        let known = words.all(|word| word.starts_with("WSH="));
        (plain && known).then_some(Self { tag, suite, key })
    }

    /// The value of the attribute.
    #[must_use]
    pub fn write(&self) -> String {
        format!(
            "{} {} inline:{}",
            self.tag,
            self.suite.name(),
            self.key.to_base64()
        )
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_writing_and_reading() {
        for first in 0..=255 {
            let key = MasterKey::from_bytes(std::array::from_fn(|i| {
                u8::try_from(i * 7 % 256).expect("below 256") ^ first
            }));
            let crypto = Crypto {
                tag: 3,
                suite: Suite::AesCm128HmacSha1_32,
                key,
            };
            assert_eq!(Crypto::read(&crypto.write()), Some(crypto));
        }
        assert_eq!(MasterKey::from_bytes([0; 30]).to_base64(), "A".repeat(40));
        assert_eq!(MasterKey::from_bytes([255; 30]).to_base64(), "/".repeat(40));
    }

    #[test]
    fn what_we_cannot_do_is_not_read() {
        let key = "A".repeat(40);
        for good in [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31"),
            format!("1 aes_cm_128_hmac_sha1_32 inline:{key}|1048576 WSH=64"),
        ] {
            assert!(Crypto::read(&good).is_some(), "{good}");
        }
        for bad in [
            String::new(),
            "1".into(),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_256_CM_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", &key[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}!", &key[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key};inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key} UNENCRYPTED_SRTP"),
        ] {
            assert_eq!(Crypto::read(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(
            format!("{:?}", MasterKey::from_bytes([7; 30])),
            "MasterKey(…)"
        );
    }
}

//! Keys for SRTP inside the description: SDES (RFC 4568).

use crate::rtp::srtp::{KeyIdentifier, MasterKey, Suite};

/// One crypto attribute that we can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// The number that an answer refers to.
    pub tag: u32,
    /// The key that the writer sends with; it knows its suite and its identifier.
    pub key: MasterKey,
}

impl Crypto {
    /// Reads the value of a crypto attribute.
    ///
    /// `None` for what we do not do, which an answerer must then not choose (RFC 4568 section 5.1.2):
    /// other suites, several keys, and session parameters that change the packets.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let suite = Suite::from_name(words.next()?)?;
        let mut parts = words.next()?.strip_prefix("inline:")?.split('|');
        let key = key(suite, parts.next()?)?;
        let mut identifier = None;
        for part in parts {
            // What follows the key is a lifetime (a plain number or 2^n), which no call reaches, and
            // then perhaps the key's identifier (section 6.1).
            if identifier.is_some() || part.contains(';') {
                return None;
            }
            if let Some((value, length)) = part.split_once(':') {
                identifier = Some(KeyIdentifier::new(
                    value.parse().ok()?,
                    length.parse().ok()?,
                )?);
            }
        }
        let known = words.all(|word| word.starts_with("WSH="));
        let key = key.identified(identifier);
        known.then_some(Self { tag, key })
    }

    /// The value of the attribute.
    #[must_use]
    pub fn write(&self) -> String {
        let identifier = self
            .key
            .identifier()
            .map(|identifier| format!("|{}:{}", identifier.value(), identifier.length()));
        format!(
            "{} {} inline:{}{}",
            self.tag,
            self.key.suite().name(),
            to_base64(self.key.key_and_salt()),
            identifier.unwrap_or_default()
        )
    }
}

/// Reads base64 with or without its padding, which some leave out behind keys of 256 bits.
fn key(suite: Suite, text: &str) -> Option<MasterKey> {
    let wanted = suite.master_bytes();
    let text = text.trim_end_matches('=').as_bytes();
    if text.len() != (8 * wanted).div_ceil(6) {
        return None;
    }
    let mut bytes = Vec::with_capacity(wanted + 1);
    for quad in text.chunks(4) {
        let mut bits = 0u32;
        for place in 0..4 {
            bits = bits << 6 | quad.get(place).map_or(Some(0), |c| sextet(*c))?;
        }
        let [_, triple @ ..] = bits.to_be_bytes();
        bytes.extend(triple);
    }
    MasterKey::new(suite, bytes.get(..wanted)?)
}

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(4 * bytes.len().div_ceil(3));
    for triple in bytes.chunks(3) {
        let byte = |place: usize| triple.get(place).copied().unwrap_or(0);
        let bits = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let character = ALPHABET[(bits >> shift & 63) as usize];
            let is_padding = place > triple.len();
            text.push(if is_padding { '=' } else { character.into() });
        }
    }
    text
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn sextet(character: u8) -> Option<u32> {
    match character {
        b'A'..=b'Z' => Some(u32::from(character - b'A')),
        b'a'..=b'z' => Some(u32::from(character - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(character - b'0') + 52),
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
        for suite in Suite::ALL {
            for first in 0..=255 {
                let bytes: Vec<u8> = (0..suite.master_bytes())
                    .map(|i| u8::try_from(i * 7 % 256).expect("below 256") ^ first)
                    .collect();
                let identifier =
                    KeyIdentifier::new(u64::from(first) << 8, 4).filter(|_| first > 99);
                let key = MasterKey::new(suite, &bytes).expect("long enough");
                let key = key.identified(identifier);
                let crypto = Crypto { tag: 3, key };
                assert_eq!(Crypto::read(&crypto.write()), Some(crypto));
            }
        }
        assert_eq!(to_base64(&[0; 30]), "A".repeat(40));
        assert_eq!(to_base64(&[255; 30]), "/".repeat(40));
        assert_eq!(to_base64(&[255; 46]), "/".repeat(61) + "w==");
    }

    #[test]
    fn the_padding_of_a_long_key_may_be_missing() {
        let long = "A".repeat(62);
        for padding in ["", "=="] {
            let value = format!("1 AES_256_CM_HMAC_SHA1_80 inline:{long}{padding}|2^31");
            let crypto = Crypto::read(&value).expect("a key");
            assert_eq!(crypto.key.suite(), Suite::Aes256Sha1_80);
            assert_eq!(crypto.key.key_and_salt(), [0; 46]);
        }
    }

    #[test]
    fn a_key_identifier_is_a_number_and_its_length_in_each_packet() {
        let key = "A".repeat(40);
        for (text, value, length) in [
            ("|2^20|1:4", 1, 4),
            ("|1:1", 1, 1),
            ("|1048576|255:1", 255, 1),
            ("|2^31|18446744073709551615:128", u64::MAX, 128),
        ] {
            let crypto = Crypto::read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}{text}"))
                .unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                crypto.key.identifier(),
                KeyIdentifier::new(value, length),
                "{text}"
            );
            assert!(crypto.key.identifier().is_some(), "{text}");
        }
    }

    #[test]
    fn what_we_cannot_do_is_not_read() {
        let key = "A".repeat(40);
        for good in [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31"),
            format!("1 aes_cm_128_hmac_sha1_32 inline:{key}|1048576 WSH=64"),
        ] {
            let crypto = Crypto::read(&good).unwrap_or_else(|| panic!("{good}"));
            assert_eq!(crypto.key.identifier(), None, "{good}");
        }
        for bad in [
            String::new(),
            "1".into(),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_256_CM_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", &key[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}!", &key[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key};inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:4;inline:{key}|2:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|1:4;inline:{key}|2^31|2:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:0"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:129"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|256:1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|18446744073709551616:16"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:4|2^31"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:4|2:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key} UNENCRYPTED_SRTP"),
        ] {
            assert_eq!(Crypto::read(&bad), None, "{bad}");
        }
    }
}

//! Keys of other systems: `rml_<prefix>_<secret>`.
//!
//! The prefix is public: it finds the key in the database and recognises it in a list. The secret is
//! 160 bits of chance, shown once; the database has a hash of the whole key.

use rand::{CryptoRng, Rng};

use crate::files;

/// A new key.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The whole key, to be shown once.
    pub text: String,
    /// The public part.
    pub prefix: String,
    /// What the database keeps.
    pub hash: String,
}

/// Draws a key.
pub fn draw(random: &mut (impl Rng + CryptoRng)) -> NewKey {
    let prefix = letters(random, PREFIX_LENGTH);
    let text = format!("rml_{prefix}_{}", letters(random, SECRET_LENGTH));
    NewKey {
        hash: hash(&text),
        text,
        prefix,
    }
}

/// The prefix of a presented key; nothing when it cannot be one.
pub fn prefix(presented: &str) -> Option<&str> {
    let (prefix, secret) = presented.strip_prefix("rml_")?.split_once('_')?;
    (prefix.len() == PREFIX_LENGTH && secret.len() == SECRET_LENGTH).then_some(prefix)
}

/// What the database keeps of a key. A key is chance itself, so a fast hash is enough.
pub fn hash(text: &str) -> String {
    files::sha256(text.as_bytes())
}

/// Letters and digits that are not mistaken for each other, five bits each.
pub fn letters(random: &mut (impl Rng + CryptoRng), length: usize) -> String {
    (0..length)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect()
}

const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";

/// 40 bits: enough that no two keys of an installation share a prefix by chance.
const PREFIX_LENGTH: usize = 8;

const SECRET_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_key_is_found_by_its_prefix_and_proved_by_its_hash() {
        let key = draw(&mut StdRng::from_seed([1; 32]));
        assert_eq!(prefix(&key.text), Some(key.prefix.as_str()));
        assert_eq!(hash(&key.text), key.hash);
        assert_ne!(draw(&mut StdRng::from_seed([2; 32])).text, key.text);
        for stranger in [
            "",
            "rml_",
            "rml_short_x",
            "Bearer",
            "rml_abcdefgh",
            &key.text[1..],
        ] {
            assert_eq!(prefix(stranger), None, "{stranger}");
        }
    }
}

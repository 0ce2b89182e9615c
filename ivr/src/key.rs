//! The keys of a telephone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the sixteen keys: `0`–`9`, `*`, `#`, and `A`–`D`, which few telephones have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9*#A-D]$"))]
pub struct Key(char);

impl Key {
    /// The key `#`.
    pub const HASH: Self = Self('#');
    /// The key `*`.
    pub const STAR: Self = Self('*');

    /// The key with this face, unless no telephone has it. Lower-case `a`–`d` are taken as well.
    #[must_use]
    pub fn new(face: char) -> Option<Self> {
        let face = face.to_ascii_uppercase();
        matches!(face, '0'..='9' | '*' | '#' | 'A'..='D').then_some(Self(face))
    }

    /// What is printed on the key.
    #[must_use]
    pub fn face(self) -> char {
        self.0
    }

    /// Whether the key is one of `0`–`9`.
    #[must_use]
    pub fn is_digit(self) -> bool {
        self.0.is_ascii_digit()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

/// The text is not one key of a telephone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key: 0-9, *, # or A-D")]
pub struct NotAKey(String);

impl TryFrom<String> for Key {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        let mut faces = text.chars();
        match (faces.next().and_then(Self::new), faces.next()) {
            (Some(key), None) => Ok(key),
            (_, _) => Err(NotAKey(text)),
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_of_sixteen() {
        let faces: String = (0..=255u8)
            .filter_map(|byte| Key::new(char::from(byte)))
            .map(Key::face)
            .collect();
        assert_eq!(faces, "#*0123456789ABCDABCD");
        assert!(serde_json::from_str::<Key>("\"12\"").is_err());
        assert!(serde_json::from_str::<Key>("\"\"").is_err());
        assert_eq!(serde_json::from_str::<Key>("\"#\"").unwrap(), Key::HASH);
    }
}

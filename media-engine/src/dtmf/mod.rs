//! Keys: RFC 4733 events, SIP INFO and in-band tones become one `Key` per press.

pub mod event;
pub mod inband;
pub mod info;
pub mod pair;

use std::fmt;

/// A key of the telephone. The number of a variant is its RFC 4733 event code (section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// 0
    Zero,
    /// 1
    One,
    /// 2
    Two,
    /// 3
    Three,
    /// 4
    Four,
    /// 5
    Five,
    /// 6
    Six,
    /// 7
    Seven,
    /// 8
    Eight,
    /// 9
    Nine,
    /// \*
    Star,
    /// #
    Pound,
    /// A, on no telephone that a person owns
    A,
    /// B
    B,
    /// C
    C,
    /// D
    D,
}

impl Key {
    /// All keys, in the order of their event codes.
    pub const ALL: [Self; 16] = [
        Self::Zero,
        Self::One,
        Self::Two,
        Self::Three,
        Self::Four,
        Self::Five,
        Self::Six,
        Self::Seven,
        Self::Eight,
        Self::Nine,
        Self::Star,
        Self::Pound,
        Self::A,
        Self::B,
        Self::C,
        Self::D,
    ];

    /// The key of an RFC 4733 event code; `None` for codes that are no keys (16 is a hook flash).
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The RFC 4733 event code, 0 to 15.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The key that a character names: `0`–`9`, `*`, `#`, `A`–`D` in either case.
    #[must_use]
    pub fn from_char(character: char) -> Option<Self> {
        let place = CHARACTERS
            .iter()
            .position(|known| *known == character.to_ascii_uppercase())?;
        Self::ALL.get(place).copied()
    }

    /// The character on the key.
    #[must_use]
    pub const fn as_char(self) -> char {
        CHARACTERS[self as usize]
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.as_char())
    }
}

const CHARACTERS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_characters_name_the_same_key() {
        for (code, key) in (0..).zip(Key::ALL) {
            assert_eq!(key.code(), code);
            assert_eq!(Key::from_code(code), Some(key));
            assert_eq!(Key::from_char(key.as_char()), Some(key));
        }
        assert_eq!(Key::from_code(16), None);
        assert_eq!(Key::from_char('d'), Some(Key::D));
        assert_eq!(Key::from_char('x'), None);
    }
}

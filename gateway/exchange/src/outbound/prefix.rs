//! The beginning of numbers, as routes and permissions name it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The beginning of a number: `+5511`, `+55XX9` (any mobile of Brazil; `X` is any digit), `190`, or
/// nothing, which every number begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(String);

/// Text that is the beginning of no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is `+` and 1 to {LENGTH_MAX} digits or X, or the digits of a service")]
pub struct InvalidPrefix;

impl Prefix {
    /// Whether `number` (`+` and digits, or a service's digits) begins so.
    pub fn fits(&self, number: &str) -> bool {
        let fits = |(own, digit): (u8, u8)| own == digit || (own == b'X' && digit != b'+');
        self.0.len() <= number.len() && self.0.bytes().zip(number.bytes()).all(fits)
    }

    /// Which of two prefixes says more of the numbers that both fit: the longer one, then the one
    /// that leaves fewer digits open.
    pub fn cmp_precision(&self, other: &Self) -> Ordering {
        let precision = |prefix: &Self| {
            let open = prefix.0.bytes().filter(|byte| *byte == b'X').count();
            (prefix.0.len(), prefix.0.len() - open)
        };
        precision(self).cmp(&precision(other))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_right = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'X')
            && digits.len() <= LENGTH_MAX
            // A lone plus fits what the empty prefix fits, and looks like a slip.
            && (text.is_empty() || !digits.is_empty());
        is_right.then(|| Self(text.to_owned())).ok_or(InvalidPrefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Digits of a whole number (ITU-T E.164 section 6.1).
const LENGTH_MAX: usize = 15;

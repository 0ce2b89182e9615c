//! The token by which a visitor is known again: made and signed by us, kept by the visitor's browser.
//!
//! `1.{visitor}.{issued_ms}.{HMAC-SHA256 in base64url}`. The signature is over the channel, too: a token
//! of one channel opens no other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::error::ErrorCode;
use crate::proof;
use crate::secret::Secret;

/// For how long a token is good after it was issued, in milliseconds: 180 days. Each `welcome` issues a
/// new one.
pub const GOOD_FOR_MS: i64 = 180 * 24 * 3_600_000;

/// Somebody who opened the chat: nobody else can say to be them, and nothing else is known of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VisitorId(String);

impl VisitorId {
    /// A new visitor: 128 bits of chance.
    pub fn new(random: &mut impl RngCore) -> Self {
        let mut bytes = [0; 16];
        random.fill_bytes(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// As text: 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that is no id of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a visitor has 32 hexadecimal digits in lower case")]
pub struct InvalidVisitor;

impl TryFrom<String> for VisitorId {
    type Error = InvalidVisitor;

    fn try_from(text: String) -> Result<Self, InvalidVisitor> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_right = text.len() == 32 && text.bytes().all(is_digit);
        is_right.then_some(Self(text)).ok_or(InvalidVisitor)
    }
}

impl From<VisitorId> for String {
    fn from(id: VisitorId) -> Self {
        id.0
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Who.
    pub visitor: VisitorId,
    /// When it was issued, milliseconds since 1970 (UTC).
    pub issued_ms: i64,
}

/// A token that nobody is let in with. The visitor is told no more than `token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// We did not make it, or made it for another channel.
    #[error("the token is not ours")]
    Forged,
    /// It is older than [`GOOD_FOR_MS`], or from a future that is no clock's drift.
    #[error("the token is not good at this time")]
    Expired,
    /// There is no key. A mistake of ours: refused all the same.
    #[error("there is no key to check with")]
    NoKey,
}

impl From<Rejected> for ErrorCode {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Forged | Rejected::Expired => Self::Token,
            Rejected::NoKey => Self::Unavailable,
        }
    }
}

/// Makes the token of a visitor. None without a key, for then anybody could make one.
pub fn make(token: &Token, channel: &str, key: &Secret) -> Option<String> {
    if key.is_empty() {
        return None;
    }
    let said = said(token);
    let proof = URL_SAFE_NO_PAD.encode(proof(&said, channel, key));
    Some(format!("{said}.{proof}"))
}

/// Reads a token of a visitor of `channel`.
///
/// # Errors
///
/// [`Rejected`].
pub fn read(text: &str, channel: &str, key: &Secret, now_ms: i64) -> Result<Token, Rejected> {
    if key.is_empty() {
        return Err(Rejected::NoKey);
    }
    let token = parse(text, channel, key).ok_or(Rejected::Forged)?;
    let age_ms = now_ms.saturating_sub(token.issued_ms);
    (-DRIFT_MS..GOOD_FOR_MS)
        .contains(&age_ms)
        .then_some(token)
        .ok_or(Rejected::Expired)
}

fn parse(text: &str, channel: &str, key: &Secret) -> Option<Token> {
    if text.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (claimed, signature) = text.rsplit_once('.')?;
    let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
    proof::same(&given, &proof(claimed, channel, key)).ok()?;
    let (visitor, issued) = claimed.strip_prefix(PREFIX)?.split_once('.')?;
    let token = Token {
        visitor: visitor.to_owned().try_into().ok()?,
        issued_ms: issued.parse().ok()?,
    };
    // One token has one spelling.
    (said(&token) == claimed).then_some(token)
}

fn said(token: &Token) -> String {
    format!("{PREFIX}{}.{}", token.visitor.as_str(), token.issued_ms)
}

fn proof(said: &str, channel: &str, key: &Secret) -> Vec<u8> {
    let parts: [&[u8]; 4] = [
        b"webchat visitor\0",
        channel.as_bytes(),
        b"\0",
        said.as_bytes(),
    ];
    proof::hmac_sha256(key.expose().as_bytes(), &parts)
}

/// The version of the form of tokens.
const PREFIX: &str = "1.";
/// Two instances' clocks differ by no more, in milliseconds.
const DRIFT_MS: i64 = 5 * 60_000;
/// A token has 2 + 32 + 1 + 20 + 1 + 43 characters at most.
const TOKEN_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    const NOW_MS: i64 = 1_795_000_000_000;

    fn token() -> Token {
        Token {
            visitor: VisitorId::new(&mut SmallRng::seed_from_u64(1)),
            issued_ms: NOW_MS,
        }
    }

    #[test]
    fn a_token_is_known_again_for_180_days() {
        let key = Secret::new("k");
        let made = make(&token(), "c1", &key).expect("a token");
        let rows = [
            (NOW_MS, true),
            (NOW_MS + GOOD_FOR_MS - 1, true),
            (NOW_MS + GOOD_FOR_MS, false),
            (NOW_MS - DRIFT_MS, true),
            (NOW_MS - DRIFT_MS - 1, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ];
        for (now_ms, good) in rows {
            let expected = good.then(token).ok_or(Rejected::Expired);
            assert_eq!(read(&made, "c1", &key, now_ms), expected, "{now_ms}");
        }
        let most = Token {
            issued_ms: i64::MIN,
            ..token()
        };
        let longest = make(&most, "c1", &key).expect("a token");
        assert!(longest.len() <= TOKEN_BYTES_MAX, "{}", longest.len());
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_nobodys() {
        let key = Secret::new("k");
        let made = make(&token(), "c1", &key).expect("a token");
        let forged = Err(Rejected::Forged);
        assert_eq!(read(&made, "c2", &key, NOW_MS), forged, "another channel");
        assert_eq!(read(&made, "c1", &Secret::new("l"), NOW_MS), forged);
        for at in 0..made.len() {
            assert_eq!(read(&made[..at], "c1", &key, NOW_MS), forged, "cut at {at}");
            let mut bytes = made.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).expect("text");
            assert_eq!(
                read(&changed, "c1", &key, NOW_MS),
                forged,
                "changed at {at}"
            );
        }
        let long = format!("{made}{}", "A".repeat(1 << 20));
        for text in [
            "",
            ".",
            "1...",
            "é",
            &long,
            &format!(" {made}"),
            &format!("{made}="),
        ] {
            assert_eq!(read(text, "c1", &key, NOW_MS), forged, "{text:.20}");
        }
        // Signed by us, and yet not the one way to write it.
        let said = format!("1.{}.+{NOW_MS}", token().visitor.as_str());
        let proof = URL_SAFE_NO_PAD.encode(proof(&said, "c1", &key));
        assert_eq!(read(&format!("{said}.{proof}"), "c1", &key, NOW_MS), forged);
    }

    #[test]
    fn without_a_key_there_are_no_tokens() {
        let none = Secret::default();
        assert_eq!(make(&token(), "c1", &none), None);
        assert_eq!(read("1.a.1.b", "c1", &none, NOW_MS), Err(Rejected::NoKey));
        assert_eq!(ErrorCode::from(Rejected::NoKey), ErrorCode::Unavailable);
        assert_eq!(ErrorCode::from(Rejected::Expired), ErrorCode::Token);
    }
}

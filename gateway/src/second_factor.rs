//! The second factor of a log-in: codes of an authenticator app (TOTP, RFC 6238), and codes on paper for who
//! lost it.

use totp_rs::{Builder, Totp};

use crate::files;

/// A secret shared with an authenticator app.
pub struct SecondFactor(Totp);

/// The secret cannot be used: it is shorter than RFC 4226 section 4 wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret of a second factor is damaged")]
pub struct Damaged;

impl SecondFactor {
    /// By its secret; `account` is what the app shows.
    ///
    /// # Errors
    ///
    /// [`Damaged`].
    pub fn new(secret: &[u8], account: &str) -> Result<Self, Damaged> {
        let totp = Builder::new()
            .with_secret(secret.to_vec())
            .with_issuer(Some(ISSUER))
            .with_account_name(account.replace(':', " "))
            .build();
        totp.map(Self).map_err(|_| Damaged)
    }

    /// The step of time of a right code: that of now, of the 30 seconds before or of those behind. The
    /// caller sees to it that none counts twice.
    pub fn step(&self, code: &str, now_ms: i64) -> Option<i64> {
        let code: String = code
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        let now_s = u64::try_from(now_ms / 1_000).ok()?;
        let step = self.0.check(&code, now_s)?;
        i64::try_from(step).ok()
    }

    /// The code of a moment, as the app shows it.
    pub fn code(&self, now_ms: i64) -> String {
        let now_s = u64::try_from(now_ms / 1_000).unwrap_or_default();
        self.0.generate(now_s).to_string()
    }

    /// The secret for who types it into the app, in base 32.
    pub fn secret(&self) -> String {
        self.0.secret().to_base32()
    }

    /// What the app reads from a QR code.
    ///
    /// # Errors
    ///
    /// [`Damaged`] without an account.
    pub fn uri(&self) -> Result<String, Damaged> {
        self.0.to_url().map_err(|_| Damaged)
    }
}

/// A code on paper of ten bytes of chance, as it is shown: `k3n5-p7x2-…`.
pub fn recovery_code(chance: [u8; RECOVERY_BYTES]) -> String {
    let letters: Vec<char> = chance
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    groups.join("-")
}

/// What is kept of a code on paper, however it was typed. It has 60 bits of chance: a quick hash is enough.
pub fn recovery_hash(code: &str) -> String {
    let code = code.to_lowercase();
    let bare: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    files::sha256(bare.as_bytes())
}

/// A letter a byte.
pub const RECOVERY_BYTES: usize = 12;

/// RFC 4226 section 4 recommends 160 bits.
pub const SECRET_BYTES: usize = 20;

/// What apps show above the account.
const ISSUER: &str = "Ramal";

/// Letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238 appendix B, of which apps show the last six digits.
        let factor = SecondFactor::new(b"12345678901234567890", "ana@loja.example");
        let factor = factor.expect("a secret");
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            let now_ms = second * 1_000;
            assert_eq!(factor.code(now_ms), code);
            for around_ms in [-30_000, 0, 30_000] {
                assert_eq!(factor.step(code, now_ms + around_ms), Some(second / 30));
            }
            assert_eq!(factor.step(code, now_ms + 61_000), None);
        }
        assert_eq!(factor.step("287 082", 59_000), Some(1));
        for odd in ["", "28708", "2870820", "abcdef", "٢٨٧٠٨٢"] {
            assert_eq!(factor.step(odd, 59_000), None, "{odd}");
        }
        let uri = factor.uri().expect("an address");
        assert!(
            uri.starts_with("otpauth://totp/Ramal:ana%40loja.example?"),
            "{uri}"
        );
        assert!(
            uri.contains(&format!("secret={}", factor.secret())),
            "{uri}"
        );
        assert!(SecondFactor::new(b"short", "ana").is_err());
    }

    #[test]
    fn a_code_on_paper_is_the_same_however_it_is_typed() {
        let code = recovery_code([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 32]);
        assert_eq!(code, "abcd-efgh-jk9a");
        for typed in ["ABCD EFGH JK9A", "abcdefghjk9a", " abcd-efgh-jk9a\n"] {
            assert_eq!(recovery_hash(typed), recovery_hash(&code), "{typed}");
        }
        assert_ne!(recovery_hash("abcd-efgh-jk9b"), recovery_hash(&code));
    }
}

//! Passwords of people: Argon2id, as a PHC string.

use argon2::password_hash::{
    PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng,
};
use argon2::{Algorithm, Argon2, Params, Version};

/// Hashes a password. It takes about 20 ms of a core, on purpose: not on a task that serves calls.
///
/// # Errors
///
/// When the password is longer than Argon2 takes.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = hasher()
        .hash_password(password.as_bytes(), &salt)
        .map_err(|_| PasswordError)?;
    Ok(hash.to_string())
}

/// Whether this is the password of `phc`. As much work when it is not.
pub fn verify(password: &str, phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|known| {
        hasher()
            .verify_password(password.as_bytes(), &known)
            .is_ok()
    })
}

/// The password cannot be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this password cannot be used")]
pub struct PasswordError;

/// What OWASP recommends at the least: 19 MiB, two passes, one lane.
fn hasher() -> Argon2<'static> {
    let parameters = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let phc = hash("correto cavalo bateria").expect("a hash");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("correto cavalo bateria", &phc));
        assert!(!verify("Correto cavalo bateria", &phc));
        assert!(!verify("", &phc));
        assert!(!verify("x", "not a hash"));
        assert_ne!(
            hash("a").expect("a hash"),
            hash("a").expect("a hash"),
            "salted"
        );
    }
}

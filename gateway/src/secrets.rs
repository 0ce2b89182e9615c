//! Secrets at rest: encrypted with a key that is not in the database.
//!
//! The key is a file in the data folder, made at the first start. Who steals the database alone
//! has ciphertext; who restores a backup needs both.

use std::fs;
use std::io;
use std::path::Path;

use desk::identity::CpfKey;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::files;

/// Encrypts and decrypts secrets.
pub struct Secrets {
    key: LessSafeKey,
    cpf_key: CpfKey,
    bot_key: hmac::Key,
    random: SystemRandom,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets")
    }
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key file cannot be read or made.
    #[error("the key file {path}: {source}")]
    KeyFile {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The key file is not one of ours.
    #[error("the key file {0} does not hold {KEY_BYTES} bytes")]
    KeyLength(String),
    /// Another key made it, or it was tampered with.
    #[error("a secret cannot be decrypted: the key file is not the one it was made with")]
    Wrong,
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    NoChance,
}

impl Secrets {
    /// Reads the key from `folder`, and makes it when there is none.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn open(folder: &Path) -> Result<Self, SecretError> {
        let path = folder.join(KEY_FILE);
        let failed = |source| SecretError::KeyFile {
            path: path.display().to_string(),
            source,
        };
        let random = SystemRandom::new();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = vec![0; KEY_BYTES];
                random.fill(&mut bytes).map_err(|_| SecretError::NoChance)?;
                // Half a key on disk would never be a key again, and all secrets lost.
                files::write_whole(&path, &bytes).map_err(failed)?;
                bytes
            }
            Err(error) => return Err(failed(error)),
        };
        let key = UnboundKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| SecretError::KeyLength(path.display().to_string()))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            cpf_key: cpf_key(&bytes),
            bot_key: bot_key(&bytes),
            random,
        })
    }

    /// The key by which CPFs are hashed.
    pub fn cpf_key(&self) -> CpfKey {
        self.cpf_key.clone()
    }

    /// What proves to the bot of a channel that we ask: the same each time, and another for each channel.
    pub fn bot_token(&self, channel: &str) -> String {
        files::hexadecimal(hmac::sign(&self.bot_key, channel.as_bytes()).as_ref())
    }

    /// Encrypts `secret` for the row `owner`: nowhere else can it be decrypted.
    ///
    /// # Errors
    ///
    /// [`SecretError::NoChance`].
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>, SecretError> {
        let mut nonce = [0; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .map_err(|_| SecretError::NoChance)?;
        let mut sealed = secret.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(owner.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| SecretError::NoChance)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Decrypts what [`Secrets::seal`] made for `owner`.
    ///
    /// # Errors
    ///
    /// [`SecretError::Wrong`].
    pub fn open_sealed(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SecretError::Wrong)?;
        let mut sealed = sealed.to_vec();
        let secret = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(owner.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| SecretError::Wrong)?;
        Ok(secret.to_vec())
    }
}

/// A key of its own, from which nobody finds back to the one in the file.
fn cpf_key(bytes: &[u8]) -> CpfKey {
    let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
    let derived = hmac::sign(&key, b"cpf");
    let mut own = [0; KEY_BYTES];
    own.copy_from_slice(derived.as_ref());
    CpfKey::new(own)
}

fn bot_key(bytes: &[u8]) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, b"bot").as_ref())
}

const KEY_FILE: &str = "secret.key";
const KEY_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_whole_and_nobody_elses_whatever_an_earlier_start_left_half_done() {
        let folder = tempfile::tempdir().expect("a folder");
        for left in ["secret.0.unfinished", "secret.1.unfinished"] {
            fs::write(folder.path().join(left), b"half").expect("written");
        }
        Secrets::open(folder.path()).expect("a new key");
        let key = fs::metadata(folder.path().join(KEY_FILE)).expect("the key");
        assert_eq!(key.len(), KEY_BYTES as u64);
        let mode = std::os::unix::fs::PermissionsExt::mode(&key.permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_secret_opens_with_its_key_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = Secrets::open(folder.path()).expect("a new key");
        let sealed = secrets.seal("device-1", b"password").expect("sealed");
        assert!(!sealed.windows(8).any(|window| window == b"password"));

        let again = Secrets::open(folder.path()).expect("the same key");
        assert_eq!(
            again.open_sealed("device-1", &sealed).expect("opened"),
            b"password"
        );
        assert!(matches!(
            again.open_sealed("device-2", &sealed),
            Err(SecretError::Wrong)
        ));
        let mut damaged = sealed.clone();
        damaged[15] ^= 1;
        assert!(again.open_sealed("device-1", &damaged).is_err());
        assert!(again.open_sealed("device-1", b"short").is_err());

        let other = tempfile::tempdir().expect("a folder");
        let other = Secrets::open(other.path()).expect("another key");
        assert!(other.open_sealed("device-1", &sealed).is_err());
    }
}

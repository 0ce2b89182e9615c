//! SRTP and SRTCP with AES-GCM (RFC 7714).
//!
//! ```text
//!  RTP:  header │ encrypted payload │ tag │ key identifier     the header is authenticated
//!  RTCP: 8 bytes │ encrypted rest │ tag │ index │ key identifier   the index is, too
//! ```

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};

use super::{Derivation, INDEX_WORD, Label, MasterKey, Purpose, RTCP_CLEAR, Rejected};

/// Bytes of the tag, of RTP and RTCP alike (RFC 7714 section 13.2).
pub(super) const TAG: usize = 16;

/// Bytes of the salt (RFC 7714 section 12).
pub(super) const SALT: usize = 12;

/// The keys of one direction of RTP or of RTCP.
pub(super) struct SealingKeys {
    cipher: Cipher,
    salt: [u8; SALT],
}

enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
}

impl SealingKeys {
    pub(super) fn derive(master: &MasterKey, label: Label) -> Self {
        let derivation = Derivation::new(master, label);
        let mut key = [0; 32];
        let key = &mut key[..master.key().len()];
        derivation.fill(Purpose::Encrypt, key);
        let mut salt = [0; SALT];
        derivation.fill(Purpose::Salt, &mut salt);
        let cipher = if key.len() == 32 {
            Cipher::Aes256(Box::new(Aes256Gcm::new_from_slice(key).expect("32 bytes")))
        } else {
            Cipher::Aes128(Box::new(Aes128Gcm::new_from_slice(key).expect("16 bytes")))
        };
        Self { cipher, salt }
    }

    /// Encrypts `secret` in place and returns the tag over it and `clear`.
    pub(super) fn seal(&self, ssrc: u32, index: u64, clear: &[u8], secret: &mut [u8]) -> [u8; TAG] {
        let nonce = self.nonce(ssrc, index).into();
        let tag = match &self.cipher {
            Cipher::Aes128(cipher) => cipher.encrypt_in_place_detached(&nonce, clear, secret),
            Cipher::Aes256(cipher) => cipher.encrypt_in_place_detached(&nonce, clear, secret),
        };
        tag.expect("a datagram is shorter than AES-GCM allows")
            .into()
    }

    /// Checks the tag and decrypts `secret` in place; where the tag does not fit, nothing changes.
    pub(super) fn open(
        &self,
        ssrc: u32,
        index: u64,
        clear: &[u8],
        secret: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Rejected> {
        let tag: [u8; TAG] = tag.try_into().map_err(|_| Rejected::Malformed)?;
        let nonce = self.nonce(ssrc, index).into();
        let tag = tag.into();
        let opened = match &self.cipher {
            Cipher::Aes128(cipher) => cipher.decrypt_in_place_detached(&nonce, clear, secret, &tag),
            Cipher::Aes256(cipher) => cipher.decrypt_in_place_detached(&nonce, clear, secret, &tag),
        };
        opened.map_err(|_| Rejected::BadTag)
    }

    /// RFC 7714 sections 8.1 and 9.1: the salt ⊕ SSRC ⊕ index of 48 bits, which for RTP is rollover
    /// count and sequence number and for RTCP the index of SRTCP.
    fn nonce(&self, ssrc: u32, index: u64) -> [u8; SALT] {
        let mut nonce = self.salt;
        for (byte, other) in nonce[2..6].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= other;
        }
        for (byte, other) in nonce[6..].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= other;
        }
        nonce
    }
}

/// What of an RTCP packet is authenticated and not encrypted (RFC 7714 section 9.2): its first bytes,
/// and the word with its index.
pub(super) fn clear_of_rtcp(first: &[u8], word: [u8; INDEX_WORD]) -> [u8; RTCP_CLEAR + INDEX_WORD] {
    let mut clear = [0; RTCP_CLEAR + INDEX_WORD];
    clear[..RTCP_CLEAR].copy_from_slice(&first[..RTCP_CLEAR]);
    clear[RTCP_CLEAR..].copy_from_slice(&word);
    clear
}

//! Files that the simulator keeps, and the links under which they can be fetched for a while.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::provider::Provider;
use crate::wire::proof;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its type.
    pub mime: String,
    /// Its name.
    pub name: Option<String>,
    /// Itself.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// Until when it can be used by its id.
    pub until_ms: i64,
}

/// The files.
#[derive(Debug, Default)]
pub(crate) struct Media {
    kept: BTreeMap<String, Kept>,
    bytes: usize,
}

/// There is no room for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulator keeps no more than {FILES_BYTES_MAX} bytes of files")]
pub struct Full;

impl Media {
    pub(crate) fn keep(
        &mut self,
        id: String,
        (mime, name): (&str, Option<&str>),
        bytes: &[u8],
        until_ms: i64,
    ) -> Result<(), Full> {
        if self.bytes.saturating_add(bytes.len()) > FILES_BYTES_MAX {
            return Err(Full);
        }
        self.bytes += bytes.len();
        let kept = Kept {
            mime: mime.to_owned(),
            name: name.map(str::to_owned),
            bytes: bytes.into(),
            sha256: hex::encode(Sha256::digest(bytes)),
            until_ms,
        };
        self.kept.insert(id, kept);
        Ok(())
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Kept> {
        self.kept.get(id)
    }

    pub(crate) fn forget(&mut self, id: &str) -> bool {
        let forgotten = self.kept.remove(id);
        self.bytes -= forgotten.as_ref().map_or(0, |kept| kept.bytes.len());
        forgotten.is_some()
    }
}

/// A link to a file: it says itself until when it is good, and cannot be made by anybody else.
pub(crate) fn token(key: &[u8], provider: Provider, id: &str, until_ms: i64) -> String {
    let mac = mac(key, provider, id, until_ms);
    format!("{id}.{until_ms}.{mac}")
}

/// The file of a link that is good now.
pub(crate) fn of_token<'a>(
    key: &[u8],
    provider: Provider,
    token: &'a str,
    now_ms: i64,
) -> Option<&'a str> {
    let (head, given) = token.rsplit_once('.')?;
    let (id, until) = head.rsplit_once('.')?;
    let until_ms: i64 = until.parse().ok()?;
    (given == mac(key, provider, id, until_ms) && now_ms < until_ms).then_some(id)
}

fn mac(key: &[u8], provider: Provider, id: &str, until_ms: i64) -> String {
    let text = format!("{} {id} {until_ms}", provider.word());
    hex::encode(&proof::hmac_sha256(key, text.as_bytes())[..12])
}

/// Memory that files may take: a demo of some days.
const FILES_BYTES_MAX: usize = 512 << 20;

/// How long a link is good (reference: 5 minutes at Meta).
pub(crate) const LINK_MS: i64 = 300_000;

/// How long a file of a customer's can be asked for by its id.
pub(crate) const RECEIVED_MS: i64 = 7 * 86_400_000;

/// How long a file that the company laid down can be used.
pub(crate) const UPLOADED_MS: i64 = 30 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_until_its_time_at_its_provider_and_unchanged() {
        let token = token(b"key", Provider::Cloud, "123", 1_000);
        let read = |provider, token: &str, now_ms| {
            of_token(b"key", provider, token, now_ms).map(str::to_owned)
        };
        assert_eq!(read(Provider::Cloud, &token, 999), Some("123".to_owned()));
        assert_eq!(read(Provider::Cloud, &token, 1_000), None);
        assert_eq!(read(Provider::Twilio, &token, 999), None);
        assert_eq!(
            read(Provider::Cloud, &token.replacen("123", "124", 1), 999),
            None
        );
        assert_eq!(read(Provider::Cloud, "123", 999), None);
    }
}

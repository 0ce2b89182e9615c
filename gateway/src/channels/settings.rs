//! What can be set of a channel, and its secrets.

use channels::secret::Secret;
use desk::record::Medium;
use serde::{Deserialize, Serialize};

use crate::secrets::{SecretError, Secrets};

use super::life::LifeSettings;

/// What can be set of a generic channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GenericSettings {
    /// For how many hours after its end an interaction comes back when the customer writes again, with
    /// its protocol number and, if they are there, its agent. 0: never.
    #[schema(minimum = 0, maximum = 720)]
    pub reopen_hours: u32,
    /// Whether customers wait for each answer, as in a chat, or read it later, as in a ticket. Who waits
    /// counts more beside other work, and is sent away when the service's longest wait is over.
    pub customer_waits: bool,
    /// What it does by itself.
    pub life: LifeSettings,
}

impl Default for GenericSettings {
    fn default() -> Self {
        Self {
            reopen_hours: REOPEN_HOURS,
            customer_waits: false,
            life: LifeSettings::default(),
        }
    }
}

impl GenericSettings {
    /// The first field that cannot be taken, if any.
    pub fn wrong(&self) -> Option<&'static str> {
        (self.reopen_hours > REOPEN_HOURS_MAX)
            .then_some("reopen_hours")
            .or_else(|| self.life.wrong())
    }

    /// Those of a channel as the store has them.
    pub(crate) fn of(channel: &store::channels::Channel) -> Self {
        serde_json::from_value(channel.settings.clone()).unwrap_or_default()
    }

    /// How one talks there.
    pub(super) fn medium(&self) -> Medium {
        if self.customer_waits {
            Medium::Chat
        } else {
            Medium::Email
        }
    }

    /// The same in milliseconds.
    pub(super) fn reopen_ms(&self) -> i64 {
        i64::from(self.reopen_hours) * 3_600_000
    }
}

/// The secrets that sign what a channel's webhook is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSecrets {
    /// The one that counts.
    pub current: String,
    /// The one before, while the other side changes over; and until when, milliseconds since 1970.
    #[serde(default)]
    previous: Option<(String, i64)>,
}

impl SigningSecrets {
    /// This one alone.
    pub fn new(current: &Secret) -> Self {
        Self {
            current: current.expose().to_owned(),
            previous: None,
        }
    }

    /// Another one; the one before signs as well until `until_ms`.
    #[must_use]
    pub fn rotated(self, current: &Secret, until_ms: i64) -> Self {
        Self {
            previous: Some((self.current, until_ms)),
            ..Self::new(current)
        }
    }

    /// Those that sign now.
    pub(super) fn signing(&self, now_ms: i64) -> Vec<Secret> {
        let before = self.previous.iter().filter(|(_, until)| now_ms < *until);
        std::iter::once(&self.current)
            .chain(before.map(|(secret, _)| secret))
            .map(Secret::new)
            .collect()
    }

    /// Encrypts them for a channel.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn seal(&self, secrets: &Secrets, channel: &str) -> Result<Vec<u8>, SecretError> {
        // Text always becomes JSON.
        let plain = serde_json::to_vec(self).unwrap_or_default();
        secrets.seal(channel, &plain)
    }

    /// Decrypts those of a channel.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn open(secrets: &Secrets, channel: &str, sealed: &[u8]) -> Result<Self, SecretError> {
        let plain = secrets.open_sealed(channel, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SecretError::Wrong)
    }
}

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SigningSecrets")
    }
}

/// Until the next day at the same hour: who answers the answer means the same matter.
const REOPEN_HOURS: u32 = 24;

/// A month: what comes later is another matter.
const REOPEN_HOURS_MAX: u32 = 720;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_secrets_sign_while_one_takes_the_place_of_the_other() {
        let (old, new) = (Secret::new("whsec_b2xk"), Secret::new("whsec_bmV3"));
        let secrets = SigningSecrets::new(&old).rotated(&new, 10_000);
        assert_eq!(secrets.signing(9_999), [new.clone(), old]);
        assert_eq!(secrets.signing(10_000), [new]);
        assert_eq!(format!("{secrets:?}"), "SigningSecrets");
        let folder = tempfile::tempdir().expect("a folder");
        let key = Secrets::open(folder.path()).expect("a key");
        let sealed = secrets.seal(&key, "erp").expect("sealed");
        let opened = SigningSecrets::open(&key, "erp", &sealed).expect("opened");
        assert_eq!(opened, secrets);
        assert!(SigningSecrets::open(&key, "crm", &sealed).is_err());
    }
}

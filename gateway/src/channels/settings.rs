//! What can be set of a channel, and its secrets.

use channels::capabilities::Capabilities;
use channels::connector::Connector;
use channels::secret::Secret;
use channels::whatsapp;
use channels::whatsapp::cost::PriceCard;
use desk::record::Medium;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::channels::Channel;

use super::email::settings::EmailSettings;
use super::life::LifeSettings;
use crate::secrets::{SecretError, Secrets};

use super::webchat::{WEBCHAT, WebchatSettings};

/// Any system with an API.
pub const GENERIC: &str = "generic";

/// WhatsApp, whoever carries the number.
pub const WHATSAPP: &str = "whatsapp";

/// A mailbox.
pub const EMAIL: &str = "email";

/// What is the same for all channels, as it is set for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// For how long after its end an interaction comes back when the customer writes again, in
    /// milliseconds.
    pub(super) reopen_ms: i64,
    /// How one talks there.
    pub(super) medium: Medium,
}

impl Rules {
    /// Those of a channel as the store has them.
    pub(super) fn of(channel: &Channel) -> Self {
        let settings = channel.settings.clone();
        if channel.kind == WHATSAPP {
            let settings: WhatsAppSettings = serde_json::from_value(settings).unwrap_or_default();
            return Self {
                reopen_ms: i64::from(settings.reopen_hours) * 3_600_000,
                medium: Medium::Chat,
            };
        }
        if channel.kind == WEBCHAT {
            let settings = WebchatSettings::read(settings).unwrap_or_default();
            return Self {
                reopen_ms: settings.reopen_ms(),
                medium: Medium::Chat,
            };
        }
        if let (EMAIL, Some(settings)) = (channel.kind.as_str(), EmailSettings::of(channel)) {
            return Self {
                reopen_ms: settings.reopen_ms(),
                medium: Medium::Email,
            };
        }
        let settings: GenericSettings = serde_json::from_value(settings).unwrap_or_default();
        Self {
            reopen_ms: i64::from(settings.reopen_hours) * 3_600_000,
            medium: if settings.customer_waits {
                Medium::Chat
            } else {
                Medium::Email
            },
        }
    }
}

/// What a channel does by itself.
pub(crate) fn life(channel: &Channel) -> LifeSettings {
    let settings = channel.settings.get("life").cloned();
    settings
        .and_then(|life| serde_json::from_value(life).ok())
        .unwrap_or_default()
}

/// What the messages of a channel cost.
pub(super) fn prices(channel: &Channel) -> PriceCard {
    let prices = channel.settings.get("prices").cloned();
    prices
        .and_then(|prices| serde_json::from_value(prices).ok())
        .unwrap_or_default()
}

/// What can be set of a WhatsApp channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WhatsAppSettings {
    /// Who carries the number (*mensageria*) and what they must be told: `provider` is `cloud`,
    /// `dialog360`, `gupshup`, `zenvia` or `twilio`. Secrets in it are never shown again; one that is
    /// left out when the channel is changed stays as it is.
    ///
    /// `cloud`: `phone_number_id`, `waba_id`, `access_token`, `app_secret`, `verify_token`. `dialog360`:
    /// `api_key`, `portfolio_id`, `webhook_secret`. `gupshup`: `app`, `app_id`, `number`, `api_key`,
    /// `webhook_secret`. `zenvia`: `number`, `api_token`, `webhook_secret`. `twilio`: `account_sid`,
    /// `number`, `auth_token`. Any: `base_url` (and `content_url` of Twilio), where somebody stands in for
    /// the provider. Who signs nothing sends `webhook_secret` as `x-ramal-secret`.
    #[schema(value_type = Object, example = json!({"provider": "cloud", "phone_number_id": "106540352242922",
        "waba_id": "102290129340398", "access_token": "…", "app_secret": "…", "verify_token": "…"}))]
    pub account: Map<String, Value>,
    /// For how many hours after its end an interaction comes back when the customer writes again. 0:
    /// never.
    #[schema(minimum = 0, maximum = 720)]
    pub reopen_hours: u32,
    /// What messages cost: `country` (with what the numbers begin; empty: all others), `category`, `from`
    /// (the day from which it is so), `currency` (ISO 4217), `micros` (millionths of it). Nothing is priced
    /// without.
    #[schema(value_type = Vec<Object>, example = json!([{"country": "55", "category": "marketing",
        "from": "2026-01-01", "currency": "BRL", "micros": 360_000}]))]
    pub prices: PriceCard,
    /// Whether conversations may be begun with templates (HSM).
    pub templates: bool,
    /// Whether a template that begins a conversation opens an interaction.
    pub template_opens: bool,
    /// What it does by itself.
    pub life: LifeSettings,
}

impl Default for WhatsAppSettings {
    fn default() -> Self {
        Self {
            account: Map::new(),
            reopen_hours: REOPEN_HOURS,
            prices: PriceCard::default(),
            templates: true,
            template_opens: true,
            life: LifeSettings::default(),
        }
    }
}

impl WhatsAppSettings {
    /// The first field that cannot be taken, if any, and why.
    pub fn wrong(&self) -> Option<&'static str> {
        (self.reopen_hours > REOPEN_HOURS_MAX)
            .then_some("reopen_hours")
            .or_else(|| self.life.wrong())
    }

    /// Takes the secrets out of the account, beside those that stay from before.
    pub fn split(&mut self, before: Map<String, Value>) -> Map<String, Value> {
        let mut secrets = before;
        for name in ACCOUNT_SECRETS {
            match self.account.remove(name) {
                Some(Value::Null) | None => {}
                Some(secret) => {
                    secrets.insert(name.to_owned(), secret);
                }
            }
        }
        secrets
    }
}

/// Fields of an account that nobody is shown.
const ACCOUNT_SECRETS: [&str; 7] = [
    "access_token",
    "app_secret",
    "verify_token",
    "api_key",
    "api_token",
    "auth_token",
    "webhook_secret",
];

/// Why a channel cannot be spoken through.
#[derive(Debug, thiserror::Error)]
pub enum NotSetUp {
    /// Its secrets cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A field of its account is missing or is not what it should be.
    #[error("{0}")]
    Account(String),
    /// It has no provider.
    #[error("there is no provider behind it")]
    NoProvider,
}

/// What a channel carries; of one that is told to its webhook, what the generic channel does.
///
/// # Errors
///
/// [`NotSetUp`]: its provider cannot be spoken to.
pub fn capabilities(channel: &Channel, secrets: &Secrets) -> Result<Capabilities, NotSetUp> {
    match channel.kind.as_str() {
        EMAIL => Ok(channels::email::EMAIL),
        WEBCHAT => Ok(channels::webchat::WEBCHAT),
        WHATSAPP => Ok(connector(channel, secrets)?.capabilities().clone()),
        _ => Ok(channels::generic::GENERIC),
    }
}

/// What speaks with the provider of a channel.
///
/// # Errors
///
/// [`NotSetUp`].
pub fn connector(channel: &Channel, secrets: &Secrets) -> Result<Box<dyn Connector>, NotSetUp> {
    if channel.kind != WHATSAPP {
        return Err(NotSetUp::NoProvider);
    }
    let kept = AccountSecrets::of(channel, secrets)?;
    let settings = serde_json::from_value(channel.settings.clone());
    let settings: WhatsAppSettings =
        settings.map_err(|error| NotSetUp::Account(error.to_string()))?;
    whatsapp_connector(&settings, &kept.account)
}

/// What speaks with the provider of an account.
///
/// # Errors
///
/// [`NotSetUp::Account`] says which field.
pub fn whatsapp_connector(
    settings: &WhatsAppSettings,
    secrets: &Map<String, Value>,
) -> Result<Box<dyn Connector>, NotSetUp> {
    let mut account = settings.account.clone();
    account.extend(secrets.clone());
    // Fields of another provider, of before, are not this one's.
    let config: whatsapp::Config = serde_json::from_value(Value::Object(account))
        .map_err(|error| NotSetUp::Account(error.to_string()))?;
    whatsapp::connector(config).map_err(|error| NotSetUp::Account(error.to_string()))
}

/// The secrets of a channel with a provider, beside those that sign what its webhook is told.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AccountSecrets {
    /// Of the account.
    #[serde(default)]
    pub account: Map<String, Value>,
}

impl AccountSecrets {
    /// Those of a channel.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn of(channel: &Channel, secrets: &Secrets) -> Result<Self, SecretError> {
        let Some(sealed) = &channel.secrets else {
            return Ok(Self::default());
        };
        let plain = secrets.open_sealed(channel.id.as_str(), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SecretError::Wrong)
    }
}

impl std::fmt::Debug for AccountSecrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AccountSecrets")
    }
}

/// What can be set of a generic channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GenericSettings {
    /// For how many hours after its end an interaction comes back when the customer writes again, with
    /// its protocol number and, if they are there, its agent. 0: never.
    #[schema(minimum = 0, maximum = 720)]
    pub reopen_hours: u32,
    /// Whether customers wait for each answer, as in a chat, or read it later, as in a ticket. Who waits
    /// counts more beside other work. Nobody who writes is sent away for having waited too long.
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
}

/// The secrets that sign what a channel's webhook is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSecrets {
    /// The one that counts.
    pub current: String,
    /// The one before, while the other side changes over; and until when, milliseconds since 1970.
    #[serde(default)]
    previous: Option<(String, i64)>,
    /// What the provider of the channel must be told, where it has one.
    #[serde(default)]
    pub account: Map<String, Value>,
}

impl SigningSecrets {
    /// This one alone.
    pub fn new(current: &Secret) -> Self {
        Self {
            current: current.expose().to_owned(),
            previous: None,
            account: Map::new(),
        }
    }

    /// Another one; the one before signs as well until `until_ms`.
    #[must_use]
    pub fn rotated(self, current: &Secret, until_ms: i64) -> Self {
        Self {
            previous: Some((self.current, until_ms)),
            account: self.account,
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

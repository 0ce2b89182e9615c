//! Logging into mailboxes: by the password of the channel, or by tokens that are renewed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use channels::secret::Secret;
use desk::id::ChannelId;
use gateway_net::fetch::Fetcher;
use gateway_net::mail::Credential;
use gateway_net::mail::oauth::{self, App, Endpoints, OauthError, Provider, Tokens};
use media_engine_net::clock;
use serde_json::{Map, Value};
use store::Store;
use store::channels::{self as rows, Channel};

use super::super::SigningSecrets;
use super::settings::{EmailSettings, LoginKind, PASSWORD, REFRESH_TOKEN, secret};
use crate::secrets::{SecretError, Secrets};

/// What the operator registered at the providers of mailboxes.
#[derive(Debug, Clone, Default)]
pub struct Registrations {
    /// At Google.
    pub google: Option<Registration>,
    /// At Microsoft.
    pub microsoft: Option<Registration>,
    /// Where the browser comes back to.
    pub redirect: String,
}

/// What a provider knows us by.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Our id there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
    /// Where it is asked, if elsewhere than usual.
    pub endpoints: Option<Endpoints>,
}

impl Registrations {
    /// Who we are to a provider; none where the operator registered nothing.
    pub fn app(&self, provider: Provider, tenant: Option<&str>) -> Option<App> {
        let registration = match provider {
            Provider::Google => self.google.as_ref()?,
            Provider::Microsoft => self.microsoft.as_ref()?,
        };
        let usual = || provider.endpoints(tenant);
        Some(App {
            provider,
            endpoints: registration.endpoints.clone().unwrap_or_else(usual),
            client_id: registration.client_id.clone(),
            client_secret: registration.client_secret.clone(),
            redirect: self.redirect.clone(),
        })
    }
}

/// Gives credentials. Clones share the tokens.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    secrets: Arc<Secrets>,
    fetcher: Fetcher,
    registrations: Arc<Registrations>,
    /// Tokens that are good, and until when (milliseconds since 1970).
    tokens: Arc<Mutex<HashMap<ChannelId, (Secret, i64)>>>,
    /// Held while a token is renewed: what renews it may be good once.
    renewing: Arc<Mutex<HashMap<ChannelId, Arc<tokio::sync::Mutex<()>>>>>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Accounts")
    }
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum NoCredential {
    /// There is no password, or nobody allowed it yet.
    #[error("nobody has connected the account")]
    NotConnected,
    /// The operator registered nothing at the provider.
    #[error("this installation is not registered at the provider")]
    NotRegistered,
    /// The provider gave no token.
    #[error(transparent)]
    Provider(#[from] OauthError),
    /// The channel's secrets cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The database is away.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Accounts {
    /// What asks the providers, and keeps what they give with the channels' secrets.
    pub fn new(
        store: Store,
        secrets: Arc<Secrets>,
        fetcher: Fetcher,
        registrations: Registrations,
    ) -> Self {
        Self {
            store,
            secrets,
            fetcher,
            registrations: Arc::new(registrations),
            tokens: Arc::default(),
            renewing: Arc::default(),
        }
    }

    /// Who we are to the providers.
    pub fn registrations(&self) -> &Registrations {
        &self.registrations
    }

    /// Asks providers.
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// What to log in with.
    ///
    /// # Errors
    ///
    /// [`NoCredential`].
    pub async fn credential(
        &self,
        channel: &ChannelId,
        settings: &EmailSettings,
    ) -> Result<Credential, NoCredential> {
        let Some(provider) = settings.login.provider() else {
            let password = secret(&self.account(channel).await?, PASSWORD);
            if password.is_empty() {
                return Err(NoCredential::NotConnected);
            }
            return Ok(Credential::Password(password));
        };
        let alone = self.renewing().entry(channel.clone()).or_default().clone();
        let _alone = alone.lock().await;
        let known = self.tokens().get(channel).cloned();
        if let Some((token, until_ms)) = known
            && clock::wall().as_millisecond() < until_ms
        {
            return Ok(Credential::Token(token));
        }
        let app = self.registrations.app(provider, settings.tenant.as_deref());
        let app = app.ok_or(NoCredential::NotRegistered)?;
        let refresh_token = secret(&self.account(channel).await?, REFRESH_TOKEN);
        if refresh_token.is_empty() {
            return Err(NoCredential::NotConnected);
        }
        let tokens = oauth::refresh(&self.fetcher, &app, &refresh_token).await?;
        let token = tokens.access.clone();
        self.keep(channel, tokens).await?;
        Ok(Credential::Token(token))
    }

    /// The secrets of the account as they are now: tokens change while nobody looks.
    async fn account(&self, channel: &ChannelId) -> Result<Map<String, Value>, NoCredential> {
        let row = rows::of_work(self.store.pool(), channel).await?;
        Ok(self.kept(&row.ok_or(NoCredential::NotConnected)?)?.account)
    }

    /// A server refused the token: the next credential is a new one.
    pub fn refused(&self, channel: &ChannelId) {
        self.tokens().remove(channel);
    }

    /// Keeps what a provider gave. A new refresh token takes the place of the one before, which is void.
    ///
    /// # Errors
    ///
    /// [`NoCredential`].
    pub async fn keep(&self, channel: &ChannelId, tokens: Tokens) -> Result<(), NoCredential> {
        let lasts_ms = i64::try_from(tokens.lasts.as_millis()).unwrap_or(i64::MAX);
        let now_ms = clock::wall().as_millisecond();
        // Renewed before it ends: a conversation that began with it goes on.
        let until_ms = now_ms.saturating_add(lasts_ms - RENEW_BEFORE_MS);
        self.tokens()
            .insert(channel.clone(), (tokens.access, until_ms));
        let Some(refresh) = tokens.refresh else {
            return Ok(());
        };
        let token = Value::String(refresh.expose().to_owned());
        loop {
            let pool = self.store.pool();
            let Some(row) = rows::of_work(pool, channel).await? else {
                return Ok(());
            };
            let Some(before) = row.secrets.as_deref() else {
                return Ok(());
            };
            let mut kept = self.kept(&row)?;
            kept.account.insert(REFRESH_TOKEN.to_owned(), token.clone());
            let sealed = kept.seal(&self.secrets, channel.as_str())?;
            if rows::replace_secrets(pool, channel, (before, &sealed)).await? {
                return Ok(());
            }
        }
    }

    /// By what mails of a channel are known again.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn thread_key(&self, channel: &Channel) -> Result<Secret, SecretError> {
        Ok(secret(
            &self.kept(channel)?.account,
            super::settings::THREAD_KEY,
        ))
    }

    fn kept(&self, channel: &Channel) -> Result<SigningSecrets, SecretError> {
        let sealed = channel.secrets.as_deref().unwrap_or_default();
        SigningSecrets::open(&self.secrets, channel.id.as_str(), sealed)
    }

    fn renewing(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<ChannelId, Arc<tokio::sync::Mutex<()>>>> {
        self.renewing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<ChannelId, (Secret, i64)>> {
        // The map is whole whatever happened to who held it.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a log-in of this kind is by a token.
pub fn is_by_token(settings: &EmailSettings) -> bool {
    settings.login != LoginKind::Password
}

/// A look into a mailbox takes less.
const RENEW_BEFORE_MS: i64 = 5 * 60_000;

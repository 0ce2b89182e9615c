//! The first administrator and the first key, made at the terminal: without them nobody could use
//! the API to make others.

use desk::id::{ApiKeyId, CompanyId, UserId};
use media_engine_net::{chance, clock};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::Store;
use store::api_keys::ApiKey;
use store::users::{Role, User};

use crate::config::Config;
use crate::{api_key, passwords};

/// Why nobody was added.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    /// The store is away, or the address is taken.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The data folder cannot be made.
    #[error("the data folder: {0}")]
    Disk(#[from] std::io::Error),
    /// An e-mail address has an at sign between two other things.
    #[error("`{0}` is not an e-mail address")]
    Address(String),
    /// The company is not one.
    #[error("`{0}` is not the id of a company")]
    Company(String),
    /// The password cannot be hashed.
    #[error(transparent)]
    Password(#[from] passwords::PasswordError),
}

/// Adds an administrator, of the company or of the whole installation. Returns the password.
///
/// # Errors
///
/// [`FirstError`].
pub async fn add_administrator(
    config: &Config,
    email: &str,
    company: Option<&str>,
) -> Result<String, FirstError> {
    let email = email.trim().to_lowercase();
    if email
        .split_once('@')
        .is_none_or(|(name, host)| name.is_empty() || host.is_empty())
    {
        return Err(FirstError::Address(email));
    }
    let (store, mut random) = open(config).await?;
    let now_ms = clock::wall().as_millisecond();
    let password = api_key::letters(&mut random, PASSWORD_LENGTH);
    let user = User {
        id: UserId::new(now_ms, &mut random),
        company: company.map(company_of).transpose()?,
        name: email.clone(),
        email,
        password: Some(passwords::hash(&password)?),
        role: Role::Administrator,
        profile: None,
        locale: "pt-BR".to_owned(),
        disabled: false,
        created_ms: now_ms,
        last_login_ms: None,
    };
    let mut db = store.begin().await?;
    store::users::insert(&mut *db, &user).await?;
    db.commit().await?;
    store.close().await;
    Ok(password)
}

/// Adds a key, of the company or of the whole installation. Returns it; it is not shown again.
///
/// # Errors
///
/// [`FirstError`].
pub async fn add_key(
    config: &Config,
    name: &str,
    company: Option<&str>,
) -> Result<String, FirstError> {
    let (store, mut random) = open(config).await?;
    let now_ms = clock::wall().as_millisecond();
    let drawn = api_key::draw(&mut random);
    let key = ApiKey {
        id: ApiKeyId::new(now_ms, &mut random),
        company: company.map(company_of).transpose()?,
        name: name.to_owned(),
        prefix: drawn.prefix,
        hash: drawn.hash,
        scopes: ["read", "write", "admin"].map(str::to_owned).to_vec(),
        created_by: None,
        created_ms: now_ms,
        expires_ms: None,
        channel: None,
        last_used_ms: None,
        revoked_ms: None,
    };
    let mut db = store.begin().await?;
    store::api_keys::insert(&mut *db, &key).await?;
    db.commit().await?;
    store.close().await;
    Ok(drawn.text)
}

async fn open(config: &Config) -> Result<(Store, StdRng), FirstError> {
    std::fs::create_dir_all(&config.data)?;
    let store = Store::open(&config.database_url()).await?;
    Ok((store, StdRng::from_seed(chance::seed()?)))
}

fn company_of(id: &str) -> Result<CompanyId, FirstError> {
    id.parse().map_err(|_| FirstError::Company(id.to_owned()))
}

/// 80 bits.
const PASSWORD_LENGTH: usize = 16;

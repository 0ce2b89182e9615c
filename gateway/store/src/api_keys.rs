//! SQL of API keys: how other systems log in.

use desk::id::{ApiKeyId, ChannelId, CompanyId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// A key of another system. What it presents was shown once and is not here, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose data it opens; none administers the installation.
    pub company: Option<CompanyId>,
    /// The one channel that it opens, and nothing else; none opens what its scopes say.
    pub channel: Option<ChannelId>,
    /// What people call it.
    pub name: String,
    /// The public beginning of the key, by which it is looked up and recognised in a list.
    pub prefix: String,
    /// SHA-256 of the whole key, in lower-case hexadecimal.
    pub hash: String,
    /// What it may do, in the gateway's words.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_ms: i64,
    /// When it ends by itself; `None` is never.
    pub expires_ms: Option<i64>,
    /// When it was last used, as coarsely as the gateway tells it.
    pub last_used_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// Adds a key; its prefix must be free.
pub async fn insert(db: impl AnyExecutor<'_>, key: &ApiKey) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO api_keys (id, company, name, prefix, hash, scopes, created_by, created_ms,
                               expires_ms, last_used_ms, revoked_ms, channel)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(key.id.as_str())
    .bind(key.company.as_ref().map(CompanyId::as_str))
    .bind(&key.name)
    .bind(&key.prefix)
    .bind(&key.hash)
    .bind(json(&key.scopes)?)
    .bind(key.created_by.as_ref().map(UserId::as_str))
    .bind(key.created_ms)
    .bind(key.expires_ms)
    .bind(key.last_used_ms)
    .bind(key.revoked_ms)
    .bind(key.channel.as_ref().map(ChannelId::as_str))
    .execute(db)
    .await?;
    Ok(())
}

/// Finds a key by its prefix, when it is neither revoked nor over. Its hash is then to be
/// compared in constant time.
pub async fn by_prefix(
    db: impl AnyExecutor<'_>,
    prefix: &str,
    now_ms: i64,
) -> Result<Option<ApiKey>, Error> {
    let found = sqlx::query(
        "SELECT * FROM api_keys
          WHERE prefix = $1 AND revoked_ms IS NULL
            AND (expires_ms IS NULL OR expires_ms > $2)",
    )
    .bind(prefix)
    .bind(now_ms)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Lists the keys of a company (`None`: of the installation), revoked ones too, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
    page: &Page<ApiKeyId>,
) -> Result<Vec<ApiKey>, Error> {
    let found = sqlx::query(
        "SELECT * FROM api_keys
          WHERE company IS NOT DISTINCT FROM $1 AND id > COALESCE($2, '')
          ORDER BY id LIMIT $3",
    )
    .bind(company.map(CompanyId::as_str))
    .bind(page.after.as_ref().map(ApiKeyId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Lists the keys of a channel, revoked ones too, the oldest first.
pub async fn of_channel(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    page: &Page<ApiKeyId>,
) -> Result<Vec<ApiKey>, Error> {
    let found = sqlx::query(
        "SELECT * FROM api_keys WHERE channel = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(channel.as_str())
    .bind(page.after.as_ref().map(ApiKeyId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Remembers that a key was used.
pub async fn used(db: impl AnyExecutor<'_>, id: &ApiKeyId, at_ms: i64) -> Result<(), Error> {
    sqlx::query("UPDATE api_keys SET last_used_ms = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(at_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Revokes a key for good. Returns whether it was in force; the first time stays.
pub async fn revoke(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
    id: &ApiKeyId,
    at_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE api_keys SET revoked_ms = $3
          WHERE id = $1 AND company IS NOT DISTINCT FROM $2 AND revoked_ms IS NULL",
    )
    .bind(id.as_str())
    .bind(company.map(CompanyId::as_str))
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<ApiKey> {
    Ok(ApiKey {
        id: row.parsed("id")?,
        company: row.parsed_maybe("company")?,
        channel: row.parsed_maybe("channel")?,
        name: row.text("name")?,
        prefix: row.text("prefix")?,
        hash: row.text("hash")?,
        scopes: row.json("scopes")?,
        created_by: row.parsed_maybe("created_by")?,
        created_ms: row.whole("created_ms")?,
        expires_ms: row.whole_maybe("expires_ms")?,
        last_used_ms: row.whole_maybe("last_used_ms")?,
        revoked_ms: row.whole_maybe("revoked_ms")?,
    })
}

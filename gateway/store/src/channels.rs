//! SQL of channels: the ways by which customers write.

use desk::id::{ChannelId, CompanyId, ServiceId};
use serde_json::Value;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// A way by which customers write.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Whose it is.
    pub company: CompanyId,
    /// What it is, in the gateway's words.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Where what comes by it waits.
    pub service: ServiceId,
    /// What else can be set, in the gateway's words.
    pub settings: Value,
    /// Where the company is told of what happens.
    pub webhook: Option<String>,
    /// When the webhook said that it is no more: nothing is told until somebody sets it again.
    pub webhook_gone_ms: Option<i64>,
    /// The mailbox by which customers are sent what was written, once it is over.
    pub transcripts_by: Option<ChannelId>,
    /// Its passwords and keys, encrypted.
    pub secrets: Option<Vec<u8>>,
    /// Whether nothing comes or goes by it.
    pub disabled: bool,
    /// When it was made.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a channel; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, channel: &Channel) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO channels (id, company, kind, name, service, settings, webhook,
                               webhook_gone_ms, secrets, disabled, created_ms, updated_ms,
                               transcripts_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(channel.id.as_str())
    .bind(channel.company.as_str())
    .bind(&channel.kind)
    .bind(&channel.name)
    .bind(channel.service.as_str())
    .bind(json(&channel.settings)?)
    .bind(channel.webhook.as_deref())
    .bind(channel.webhook_gone_ms)
    .bind(channel.secrets.as_deref())
    .bind(i64::from(channel.disabled))
    .bind(channel.created_ms)
    .bind(channel.updated_ms)
    .bind(channel.transcripts_by.as_ref().map(ChannelId::as_str))
    .execute(db)
    .await?;
    Ok(())
}

/// Sets everything of a channel but what it is and when it was made. Returns whether there is one.
pub async fn update(db: impl AnyExecutor<'_>, channel: &Channel) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE channels
            SET name = $3, service = $4, settings = $5, webhook = $6, webhook_gone_ms = $7,
                secrets = $8, disabled = $9, updated_ms = $10, transcripts_by = $11
          WHERE id = $1 AND company = $2",
    )
    .bind(channel.id.as_str())
    .bind(channel.company.as_str())
    .bind(&channel.name)
    .bind(channel.service.as_str())
    .bind(json(&channel.settings)?)
    .bind(channel.webhook.as_deref())
    .bind(channel.webhook_gone_ms)
    .bind(channel.secrets.as_deref())
    .bind(i64::from(channel.disabled))
    .bind(channel.updated_ms)
    .bind(channel.transcripts_by.as_ref().map(ChannelId::as_str))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts other secrets in the place of these, unless somebody was faster.
///
/// The `WHERE` decides: what was set meanwhile is not lost.
pub async fn replace_secrets(
    db: impl AnyExecutor<'_>,
    id: &ChannelId,
    (before, after): (&[u8], &[u8]),
) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE channels SET secrets = $3 WHERE id = $1 AND secrets = $2")
        .bind(id.as_str())
        .bind(before)
        .bind(after)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that something about a channel changed that is not kept with it.
pub async fn touch(db: impl AnyExecutor<'_>, id: &ChannelId, now_ms: i64) -> Result<(), Error> {
    sqlx::query("UPDATE channels SET updated_ms = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Lists the channels of a company.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<ChannelId>,
) -> Result<Vec<Channel>, Error> {
    let found =
        sqlx::query("SELECT * FROM channels WHERE company = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(company.as_str())
            .bind(page.after.as_ref().map_or("", ChannelId::as_str))
            .bind(page.limit())
            .try_map(read)
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// Lists every channel by which something comes and goes.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Channel>, Error> {
    let found = sqlx::query("SELECT * FROM channels WHERE disabled = 0 ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Finds a channel of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ChannelId,
) -> Result<Option<Channel>, Error> {
    let found = sqlx::query("SELECT * FROM channels WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Finds a channel by what was stored for it: nobody asks, a worker goes on.
pub async fn of_work(db: impl AnyExecutor<'_>, id: &ChannelId) -> Result<Option<Channel>, Error> {
    let found = sqlx::query("SELECT * FROM channels WHERE id = $1")
        .bind(id.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Deletes a channel by which nobody ever wrote. Returns whether there was one.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ChannelId,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "DELETE FROM channels WHERE id = $1 AND company = $2
            AND NOT EXISTS (SELECT 1 FROM conversations WHERE channel = $1)",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) fn read(row: AnyRow) -> sqlx::Result<Channel> {
    Ok(Channel {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        kind: row.text("kind")?,
        name: row.text("name")?,
        service: row.parsed("service")?,
        settings: row.json("settings")?,
        webhook: row.text_maybe("webhook")?,
        webhook_gone_ms: row.whole_maybe("webhook_gone_ms")?,
        transcripts_by: row.parsed_maybe("transcripts_by")?,
        secrets: row.bytes_maybe("secrets")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

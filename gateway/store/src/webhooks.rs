//! SQL of webhooks: where a company is told of what happens, whatever the channel.

use desk::id::{ChannelId, CompanyId, ServiceId, WebhookId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::row::Columns;
use crate::{Error, Page};

/// Where a company is told of what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// Where.
    pub url: String,
    /// Of which events (`message.created`, `attendance.*`); none are all.
    pub events: Vec<String>,
    /// Of this channel alone.
    pub channel: Option<ChannelId>,
    /// Of this service alone.
    pub service: Option<ServiceId>,
    /// What it is signed with, encrypted.
    pub secrets: Vec<u8>,
    /// When it said that it is no more: nothing is told until somebody sets it again.
    pub gone_ms: Option<i64>,
    /// Whether nothing is told.
    pub disabled: bool,
    /// When it was made.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a webhook; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, webhook: &Webhook) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO webhooks (id, company, name, url, events, channel, service, secrets, gone_ms,
                               disabled, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(webhook.id.as_str())
    .bind(webhook.company.as_str())
    .bind(&webhook.name)
    .bind(&webhook.url)
    .bind(padded(&webhook.events))
    .bind(webhook.channel.as_ref().map(ChannelId::as_str))
    .bind(webhook.service.as_ref().map(ServiceId::as_str))
    .bind(&webhook.secrets)
    .bind(webhook.gone_ms)
    .bind(i64::from(webhook.disabled))
    .bind(webhook.created_ms)
    .bind(webhook.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Sets everything of a webhook but when it was made. Returns whether there is one.
pub async fn update(db: impl AnyExecutor<'_>, webhook: &Webhook) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE webhooks
            SET name = $3, url = $4, events = $5, channel = $6, service = $7, secrets = $8,
                gone_ms = $9, disabled = $10, updated_ms = $11
          WHERE id = $1 AND company = $2",
    )
    .bind(webhook.id.as_str())
    .bind(webhook.company.as_str())
    .bind(&webhook.name)
    .bind(&webhook.url)
    .bind(padded(&webhook.events))
    .bind(webhook.channel.as_ref().map(ChannelId::as_str))
    .bind(webhook.service.as_ref().map(ServiceId::as_str))
    .bind(&webhook.secrets)
    .bind(webhook.gone_ms)
    .bind(i64::from(webhook.disabled))
    .bind(webhook.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lists the webhooks of a company.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<WebhookId>,
) -> Result<Vec<Webhook>, Error> {
    let found =
        sqlx::query("SELECT * FROM webhooks WHERE company = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(company.as_str())
            .bind(page.after.as_ref().map_or("", WebhookId::as_str))
            .bind(page.limit())
            .try_map(read)
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// How many webhooks a company has.
pub async fn count(db: impl AnyExecutor<'_>, company: &CompanyId) -> Result<u64, Error> {
    let count = sqlx::query("SELECT COUNT(*) AS count FROM webhooks WHERE company = $1")
        .bind(company.as_str())
        .try_map(|row: AnyRow| row.count("count"))
        .fetch_one(db)
        .await?;
    Ok(count)
}

/// Finds a webhook of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &WebhookId,
) -> Result<Option<Webhook>, Error> {
    let found = sqlx::query("SELECT * FROM webhooks WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Deletes a webhook, and what it was told. Returns whether there was one.
pub async fn delete(
    db: &mut AnyConnection,
    company: &CompanyId,
    id: &WebhookId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM webhooks WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(&mut *db)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM deliveries WHERE target = $1")
        .bind(id.as_str())
        .execute(db)
        .await?;
    Ok(true)
}

fn read(row: AnyRow) -> sqlx::Result<Webhook> {
    let events = row.text_maybe("events")?.unwrap_or_default();
    Ok(Webhook {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        url: row.text("url")?,
        events: events.split_whitespace().map(str::to_owned).collect(),
        channel: row.parsed_maybe("channel")?,
        service: row.parsed_maybe("service")?,
        secrets: row.bytes("secrets")?,
        gone_ms: row.whole_maybe("gone_ms")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

/// Each name between blanks, so that one is found whole.
fn padded(events: &[String]) -> Option<String> {
    (!events.is_empty()).then(|| format!(" {} ", events.join(" ")))
}

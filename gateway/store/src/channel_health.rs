//! SQL of how channels do: when something last came and went, what went wrong, what providers told.

use desk::id::ChannelId;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::{Columns, json};

/// How a channel does. Times are milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelHealth {
    /// When the provider last told anything.
    pub event_ms: Option<i64>,
    /// When the provider last took a message.
    pub sent_ms: Option<i64>,
    /// When it last did not.
    pub failed_ms: Option<i64>,
    /// Why not, in the gateway's words.
    pub failure: Option<Value>,
    /// Since when nothing can be sent, until somebody mends it.
    pub broken_ms: Option<i64>,
    /// How many webhooks were not the provider's.
    pub forged: i64,
    /// When the last of them came.
    pub forged_ms: Option<i64>,
    /// How many nobody could read.
    pub unreadable: i64,
    /// When the last of them came.
    pub unreadable_ms: Option<i64>,
    /// When the token ends.
    pub token_expires_ms: Option<i64>,
}

/// Something that a provider told of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// Unique within the channel.
    pub key: String,
    /// When.
    pub at_ms: i64,
    /// `note`, `warning` or `alarm`.
    pub level: String,
    /// What they call it.
    pub what: String,
    /// What it says.
    pub text: String,
    /// All of it.
    pub raw: Value,
}

/// What happened to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The provider told something.
    Event,
    /// The provider took a message.
    Sent,
    /// A webhook was not the provider's.
    Forged,
    /// Nobody could read a webhook.
    Unreadable,
}

/// Notes that something happened.
pub async fn note(
    db: &mut AnyConnection,
    channel: &ChannelId,
    what: Happened,
    at_ms: i64,
) -> Result<(), Error> {
    begin(db, channel).await?;
    let sql = match what {
        Happened::Event => "UPDATE channel_health SET event_ms = $2 WHERE channel = $1",
        Happened::Sent => {
            "UPDATE channel_health SET sent_ms = $2, broken_ms = NULL WHERE channel = $1"
        }
        Happened::Forged => {
            "UPDATE channel_health SET forged = forged + 1, forged_ms = $2 WHERE channel = $1"
        }
        Happened::Unreadable => {
            "UPDATE channel_health SET unreadable = unreadable + 1, unreadable_ms = $2
              WHERE channel = $1"
        }
    };
    sqlx::query(sql)
        .bind(channel.as_str())
        .bind(at_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a message was not taken; `broken` says that none will be.
pub async fn failed(
    db: &mut AnyConnection,
    channel: &ChannelId,
    (failure, broken): (&Value, bool),
    at_ms: i64,
) -> Result<(), Error> {
    begin(db, channel).await?;
    sqlx::query(
        "UPDATE channel_health
            SET failed_ms = $2, failure = $3,
                broken_ms = CASE WHEN $4 = 1 THEN COALESCE(broken_ms, $2) ELSE broken_ms END
          WHERE channel = $1",
    )
    .bind(channel.as_str())
    .bind(at_ms)
    .bind(json(failure)?)
    .bind(i64::from(broken))
    .execute(db)
    .await?;
    Ok(())
}

/// Somebody mended a channel: it is tried again.
pub async fn mended(db: impl AnyExecutor<'_>, channel: &ChannelId) -> Result<(), Error> {
    sqlx::query("UPDATE channel_health SET broken_ms = NULL WHERE channel = $1")
        .bind(channel.as_str())
        .execute(db)
        .await?;
    Ok(())
}

async fn begin(db: &mut AnyConnection, channel: &ChannelId) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO channel_health (channel, forged, unreadable) VALUES ($1, 0, 0)
             ON CONFLICT (channel) DO NOTHING",
    )
    .bind(channel.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// How a channel does.
pub async fn of(db: impl AnyExecutor<'_>, channel: &ChannelId) -> Result<ChannelHealth, Error> {
    let found = sqlx::query("SELECT * FROM channel_health WHERE channel = $1")
        .bind(channel.as_str())
        .try_map(|row: AnyRow| {
            Ok(ChannelHealth {
                event_ms: row.whole_maybe("event_ms")?,
                sent_ms: row.whole_maybe("sent_ms")?,
                failed_ms: row.whole_maybe("failed_ms")?,
                failure: row.json_maybe("failure")?,
                broken_ms: row.whole_maybe("broken_ms")?,
                forged: row.whole("forged")?,
                forged_ms: row.whole_maybe("forged_ms")?,
                unreadable: row.whole("unreadable")?,
                unreadable_ms: row.whole_maybe("unreadable_ms")?,
                token_expires_ms: row.whole_maybe("token_expires_ms")?,
            })
        })
        .fetch_optional(db)
        .await?;
    Ok(found.unwrap_or_default())
}

/// Keeps news of an account; the same again changes nothing.
pub async fn tell(db: &mut AnyConnection, channel: &ChannelId, news: &News) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO channel_news (channel, key, at_ms, level, what, text, raw)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (channel, key) DO NOTHING",
    )
    .bind(channel.as_str())
    .bind(&news.key)
    .bind(news.at_ms)
    .bind(&news.level)
    .bind(&news.what)
    .bind(&news.text)
    .bind(json(&news.raw)?)
    .execute(db)
    .await?;
    Ok(())
}

/// The last news of an account, the newest first.
pub async fn news(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    limit: u32,
) -> Result<Vec<News>, Error> {
    let found = sqlx::query(
        "SELECT * FROM channel_news WHERE channel = $1 ORDER BY at_ms DESC, key LIMIT $2",
    )
    .bind(channel.as_str())
    .bind(i64::from(limit))
    .try_map(|row: AnyRow| {
        Ok(News {
            key: row.text("key")?,
            at_ms: row.whole("at_ms")?,
            level: row.text("level")?,
            what: row.text("what")?,
            text: row.text("text")?,
            raw: row.json("raw")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

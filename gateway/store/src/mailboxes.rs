//! SQL of mailboxes: up to where each was read, who reads it, and how the last look went.

use desk::id::{ChannelId, InstanceId};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor, AssertSqlSafe};

use crate::Error;
use crate::changes::values;
use crate::row::{Columns, json};

/// How a mailbox is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Mailbox {
    /// Of which channel.
    pub channel: ChannelId,
    /// Up to where, in the words of whoever reads it.
    pub cursor: Value,
    /// When it was last looked into without a failure.
    pub looked_ms: Option<i64>,
    /// When the last look failed.
    pub failed_ms: Option<i64>,
    /// Why, in the gateway's words.
    pub failure: Option<Value>,
}

/// Lists the channels of a kind that are not switched off, and when each was last changed.
pub async fn channels(
    db: impl AnyExecutor<'_>,
    kind: &str,
) -> Result<Vec<(ChannelId, i64)>, Error> {
    let found = sqlx::query(
        "SELECT id, updated_ms FROM channels WHERE kind = $1 AND disabled = 0 ORDER BY id",
    )
    .bind(kind)
    .try_map(|row: AnyRow| Ok((row.parsed("id")?, row.whole("updated_ms")?)))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Takes a mailbox for a process until a time, or keeps it; `cursor` is where a new one begins. None
/// while another process has it.
///
/// The `WHERE` decides: of two that ask at once one has it.
pub async fn claim(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    instance: &InstanceId,
    (now_ms, until_ms): (i64, i64),
    cursor: &Value,
) -> Result<Option<Mailbox>, Error> {
    let found = sqlx::query(
        "INSERT INTO mailboxes (channel, cursor, instance, until_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (channel) DO UPDATE SET instance = $3, until_ms = $4
                   WHERE mailboxes.instance = $3 OR mailboxes.until_ms < $5
                      OR mailboxes.instance IS NULL
         RETURNING *",
    )
    .bind(channel.as_str())
    .bind(json(cursor)?)
    .bind(instance.as_str())
    .bind(until_ms)
    .bind(now_ms)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Lets go of all mailboxes that a process has: the next need not wait.
pub async fn let_go(db: impl AnyExecutor<'_>, instance: &InstanceId) -> Result<(), Error> {
    sqlx::query("UPDATE mailboxes SET instance = NULL WHERE instance = $1")
        .bind(instance.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Finds how a mailbox is read.
pub async fn by_channel(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
) -> Result<Option<Mailbox>, Error> {
    let found = sqlx::query("SELECT * FROM mailboxes WHERE channel = $1")
        .bind(channel.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// It was looked into without a failure, and is read up to here.
pub async fn looked(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    cursor: &Value,
    now_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE mailboxes SET cursor = $2, looked_ms = $3, failed_ms = NULL, failure = NULL
          WHERE channel = $1",
    )
    .bind(channel.as_str())
    .bind(json(cursor)?)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Looking into it failed. The first failure of several in a row is when it began.
pub async fn failed(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    failure: &Value,
    now_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE mailboxes SET failed_ms = COALESCE(failed_ms, $3), failure = $2
          WHERE channel = $1",
    )
    .bind(channel.as_str())
    .bind(json(failure)?)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Begins a mailbox anew: it is another one than before. What was read of the old one says nothing of it.
pub async fn begin_anew(
    db: &mut AnyConnection,
    channel: &ChannelId,
    cursor: &Value,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE mailboxes SET cursor = $2, looked_ms = NULL, failed_ms = NULL, failure = NULL
          WHERE channel = $1",
    )
    .bind(channel.as_str())
    .bind(json(cursor)?)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM mailbox_keys WHERE channel = $1")
        .bind(channel.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that these were read. Those that were noted before stay.
pub async fn know(
    db: &mut AnyConnection,
    channel: &ChannelId,
    keys: &[String],
    now_ms: i64,
) -> Result<(), Error> {
    for part in keys.chunks(KEYS_MAX) {
        let sql = format!(
            "INSERT INTO mailbox_keys (channel, key, at_ms) VALUES {}
                 ON CONFLICT (channel, key) DO NOTHING",
            values(db, part.len(), 3),
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for key in part {
            query = query.bind(channel.as_str()).bind(key).bind(now_ms);
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Which of these were read.
pub async fn known(
    db: &mut AnyConnection,
    channel: &ChannelId,
    keys: &[String],
) -> Result<Vec<String>, Error> {
    let mut known = vec![];
    for part in keys.chunks(KEYS_MAX) {
        let places: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!(
            "SELECT key FROM mailbox_keys WHERE channel = $1 AND key IN ({})",
            places.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(channel.as_str());
        for key in part {
            query = query.bind(key);
        }
        let found = query
            .try_map(|row: AnyRow| row.text("key"))
            .fetch_all(&mut *db);
        known.extend(found.await?);
    }
    Ok(known)
}

fn read(row: AnyRow) -> sqlx::Result<Mailbox> {
    Ok(Mailbox {
        channel: row.parsed("channel")?,
        cursor: row.json("cursor")?,
        looked_ms: row.whole_maybe("looked_ms")?,
        failed_ms: row.whole_maybe("failed_ms")?,
        failure: row.json_maybe("failure")?,
    })
}

/// Keys in one statement.
const KEYS_MAX: usize = 200;

//! SQL of receipts: what came in, byte by byte, before anything was made of it; and what was taken in
//! already.

use desk::id::{ChannelId, InstanceId, MessageId, ReceiptId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor, AssertSqlSafe};

use crate::Error;
use crate::changes::values;
use crate::row::Columns;

/// Something that a channel brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub id: ReceiptId,
    /// Which channel.
    pub channel: ChannelId,
    /// The process that took it.
    pub instance: InstanceId,
    /// All of it.
    pub body: Vec<u8>,
    /// When it came.
    pub received_ms: i64,
}

/// Adds receipts in their order, the first with the number `seq`; many rows in a statement.
pub async fn insert(
    db: &mut AnyConnection,
    receipts: &[Receipt],
    mut seq: i64,
) -> Result<(), Error> {
    for part in receipts.chunks(ROWS_MAX) {
        let sql = format!(
            "INSERT INTO receipts (id, channel, instance, body, received_ms, seq) VALUES {}",
            values(db, part.len(), 6),
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for receipt in part {
            query = query
                .bind(receipt.id.as_str())
                .bind(receipt.channel.as_str())
                .bind(receipt.instance.as_str())
                .bind(&receipt.body)
                .bind(receipt.received_ms)
                .bind(seq);
            seq += 1;
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// The number behind all that this process took and did nothing about yet.
pub async fn next_seq(db: impl AnyExecutor<'_>, instance: &InstanceId) -> Result<i64, Error> {
    let next = sqlx::query(
        "SELECT COALESCE(MAX(seq), 0) + 1 AS next FROM receipts
          WHERE instance = $1 AND done_ms IS NULL",
    )
    .bind(instance.as_str())
    .try_map(|row: AnyRow| row.whole("next"))
    .fetch_one(db)
    .await?;
    Ok(next)
}

/// What this process took and did nothing about yet, in the order in which it came.
pub async fn open(
    db: impl AnyExecutor<'_>,
    instance: &InstanceId,
    limit: u32,
) -> Result<Vec<Receipt>, Error> {
    let found = sqlx::query(
        "SELECT id, channel, instance, body, received_ms FROM receipts
          WHERE instance = $1 AND done_ms IS NULL
          ORDER BY seq, id LIMIT $2",
    )
    .bind(instance.as_str())
    .bind(i64::from(limit))
    .try_map(|row: AnyRow| {
        Ok(Receipt {
            id: row.parsed("id")?,
            channel: row.parsed("channel")?,
            instance: row.parsed("instance")?,
            body: row.bytes("body")?,
            received_ms: row.whole("received_ms")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Something was made of a receipt, or nothing ever can be.
pub async fn done(
    db: impl AnyExecutor<'_>,
    id: &ReceiptId,
    now_ms: i64,
    error: Option<&str>,
) -> Result<(), Error> {
    sqlx::query("UPDATE receipts SET done_ms = $2, error = $3 WHERE id = $1")
        .bind(id.as_str())
        .bind(now_ms)
        .bind(error)
        .execute(db)
        .await?;
    Ok(())
}

/// Deletes what was done before a time; returns how many there were.
pub async fn forget(db: impl AnyExecutor<'_>, before_ms: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM receipts WHERE done_ms < $1")
        .bind(before_ms)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// What was taken in under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// SHA-256 of the body, in lower-case hexadecimal.
    pub hash: String,
    /// The message that it became.
    pub message: MessageId,
}

/// Takes in what comes under a key; where something was taken in under it already, that.
///
/// The key decides races: of two that come at once one is the first, and the other sees it.
pub async fn take_in(
    db: &mut AnyConnection,
    channel: &ChannelId,
    key: &str,
    event: &Known,
) -> Result<Option<Known>, Error> {
    let done = sqlx::query(
        "INSERT INTO channel_events (channel, key, hash, message) VALUES ($1, $2, $3, $4)
             ON CONFLICT (channel, key) DO NOTHING",
    )
    .bind(channel.as_str())
    .bind(key)
    .bind(&event.hash)
    .bind(event.message.as_str())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(None);
    }
    let found =
        sqlx::query("SELECT hash, message FROM channel_events WHERE channel = $1 AND key = $2")
            .bind(channel.as_str())
            .bind(key)
            .try_map(|row: AnyRow| {
                Ok(Known {
                    hash: row.text("hash")?,
                    message: row.parsed("message")?,
                })
            })
            .fetch_one(db)
            .await?;
    Ok(Some(found))
}

/// Rows in one statement.
const ROWS_MAX: usize = 32;

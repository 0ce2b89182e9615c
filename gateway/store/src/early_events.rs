//! SQL of what was told of a message before the message itself was known: providers promise no order.

use desk::id::ChannelId;
use serde_json::Value;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::{Columns, json};

/// Keeps an event until the message with this id of the channel is known.
pub async fn keep(
    db: &mut AnyConnection,
    channel: &ChannelId,
    external_id: &str,
    (key, event): (&str, &Value),
    at_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO early_events (channel, external_id, key, event, at_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, external_id, key) DO NOTHING",
    )
    .bind(channel.as_str())
    .bind(external_id)
    .bind(key)
    .bind(json(event)?)
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes out what was kept for a message that is known now, in the order in which it came.
pub async fn take(
    db: &mut AnyConnection,
    channel: &ChannelId,
    external_id: &str,
) -> Result<Vec<Value>, Error> {
    let found = sqlx::query(
        "SELECT event FROM early_events WHERE channel = $1 AND external_id = $2 ORDER BY at_ms, key",
    )
    .bind(channel.as_str())
    .bind(external_id)
    .try_map(|row: AnyRow| row.json("event"))
    .fetch_all(&mut *db)
    .await?;
    if !found.is_empty() {
        sqlx::query("DELETE FROM early_events WHERE channel = $1 AND external_id = $2")
            .bind(channel.as_str())
            .bind(external_id)
            .execute(db)
            .await?;
    }
    Ok(found)
}

/// Forgets what came before a time: its message never will.
pub async fn forget(db: &mut AnyConnection, before_ms: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM early_events WHERE at_ms < $1")
        .bind(before_ms)
        .execute(db)
        .await?;
    Ok(())
}

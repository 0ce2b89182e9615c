//! SQL of the outbox: messages that are to go to customers, in order within a conversation.
//!
//! A row stands from the transaction that wrote the message until the message went or never will. The
//! first of a conversation holds those behind it.

use desk::id::{ChannelId, ConversationId, MessageId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::messages::Message;
use crate::row::Columns;

/// A message that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub message: MessageId,
    /// By which channel.
    pub channel: ChannelId,
    /// In which thread.
    pub conversation: ConversationId,
    /// When it was to go.
    pub due_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
}

/// Puts a message into the outbox, with the transaction that writes it, where a provider is to be asked:
/// what other systems are told and what visitors fetch goes its own way.
pub async fn put(db: impl AnyExecutor<'_>, message: &Message) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO outbox (message, channel, conversation, seq, state, due_ms, attempts)
         SELECT $1, c.id, v.id, $3, 'waiting', $4, 0
           FROM conversations v JOIN channels c ON c.id = v.channel
          WHERE v.id = $2 AND c.kind NOT IN ('generic', 'webchat')",
    )
    .bind(message.id.as_str())
    .bind(message.conversation.as_str())
    .bind(i64::from(message.seq))
    .bind(message.at_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The channels by which something is due.
pub async fn channels_due(db: impl AnyExecutor<'_>, now_ms: i64) -> Result<Vec<ChannelId>, Error> {
    let found = sqlx::query(
        "SELECT DISTINCT o.channel FROM outbox o JOIN channels c ON c.id = o.channel
          WHERE o.due_ms <= $1 AND c.disabled = 0",
    )
    .bind(now_ms)
    .try_map(|row: AnyRow| row.parsed("channel"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is due by a channel: of each conversation the first, if it waits.
pub async fn due(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Due>, Error> {
    let found = sqlx::query(
        "SELECT * FROM outbox o
          WHERE o.channel = $1 AND o.state = 'waiting' AND o.due_ms <= $2
            AND NOT EXISTS (SELECT 1 FROM outbox e
                             WHERE e.conversation = o.conversation AND e.seq < o.seq)
          ORDER BY o.due_ms, o.message LIMIT $3",
    )
    .bind(channel.as_str())
    .bind(now_ms)
    .bind(i64::from(limit))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Takes a message to send it, unless somebody else did. Whoever has not said by `lease_ms` what became
/// of it is taken to be dead, and nobody knows.
pub async fn claim(db: impl AnyExecutor<'_>, due: &Due, lease_ms: i64) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE outbox SET state = 'sending', due_ms = $3, attempts = attempts + 1
          WHERE message = $1 AND due_ms = $2 AND state = 'waiting'",
    )
    .bind(due.message.as_str())
    .bind(due.due_ms)
    .bind(lease_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A message surely did not go, and is tried again at `due_ms`.
pub async fn again(
    db: impl AnyExecutor<'_>,
    message: &MessageId,
    due_ms: i64,
) -> Result<(), Error> {
    sqlx::query("UPDATE outbox SET state = 'waiting', due_ms = $2 WHERE message = $1")
        .bind(message.as_str())
        .bind(due_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// A message went or never will. Returns whether it was still there.
pub async fn remove(db: impl AnyExecutor<'_>, message: &MessageId) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM outbox WHERE message = $1")
        .bind(message.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Messages of which nobody says any more what became of them.
pub async fn lost(db: impl AnyExecutor<'_>, now_ms: i64) -> Result<Vec<Due>, Error> {
    let found = sqlx::query(
        "SELECT * FROM outbox WHERE state = 'sending' AND due_ms <= $1 ORDER BY message",
    )
    .bind(now_ms)
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

fn read(row: AnyRow) -> sqlx::Result<Due> {
    Ok(Due {
        message: row.parsed("message")?,
        channel: row.parsed("channel")?,
        conversation: row.parsed("conversation")?,
        due_ms: row.whole("due_ms")?,
        attempts: row.count("attempts")?,
    })
}

//! SQL of transcripts that customers are sent by mail when an interaction is over.

use desk::id::{ChannelId, InteractionId};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::{Columns, json};

/// A transcript that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Of which interaction.
    pub interaction: InteractionId,
    /// By which mailbox.
    pub mailbox: ChannelId,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it is due.
    pub due_ms: i64,
}

/// An interaction is over: its transcript is to be sent, if its channel says so.
pub(crate) async fn put(
    db: &mut AnyConnection,
    interaction: &InteractionId,
    at_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO transcripts (interaction, mailbox, state, attempts, due_ms)
         SELECT i.id, c.transcripts_by, 'waiting', 0, $2
           FROM interactions i JOIN conversations v ON v.id = i.conversation
           JOIN channels c ON c.id = v.channel
          WHERE i.id = $1 AND c.transcripts_by IS NOT NULL
             ON CONFLICT (interaction) DO NOTHING",
    )
    .bind(interaction.as_str())
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The mailboxes by which something is due.
pub async fn mailboxes(db: impl AnyExecutor<'_>, now_ms: i64) -> Result<Vec<ChannelId>, Error> {
    let found = sqlx::query(
        "SELECT DISTINCT t.mailbox FROM transcripts t JOIN channels c ON c.id = t.mailbox
          WHERE t.state = 'waiting' AND t.due_ms <= $1 AND c.disabled = 0",
    )
    .bind(now_ms)
    .try_map(|row: AnyRow| row.parsed("mailbox"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is due by a mailbox, the oldest first.
pub async fn due(
    db: impl AnyExecutor<'_>,
    mailbox: &ChannelId,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Due>, Error> {
    let found = sqlx::query(
        "SELECT interaction, attempts, due_ms FROM transcripts
          WHERE mailbox = $1 AND state = 'waiting' AND due_ms <= $2
          ORDER BY due_ms, interaction LIMIT $3",
    )
    .bind(mailbox.as_str())
    .bind(now_ms)
    .bind(i64::from(limit))
    .try_map(|row: AnyRow| {
        Ok(Due {
            interaction: row.parsed("interaction")?,
            mailbox: mailbox.clone(),
            attempts: row.count("attempts")?,
            due_ms: row.whole("due_ms")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Takes one to send it until then, unless somebody was faster: the `WHERE` decides.
pub async fn claim(db: impl AnyExecutor<'_>, due: &Due, until_ms: i64) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE transcripts SET due_ms = $3, attempts = attempts + 1
          WHERE interaction = $1 AND due_ms = $2 AND state = 'waiting'",
    )
    .bind(due.interaction.as_str())
    .bind(due.due_ms)
    .bind(until_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It is tried again then.
pub async fn later(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
    due_ms: i64,
) -> Result<(), Error> {
    sqlx::query("UPDATE transcripts SET due_ms = $2 WHERE interaction = $1 AND state = 'waiting'")
        .bind(interaction.as_str())
        .bind(due_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// It is not tried again: it is `sent`, there is `nobody` to send it to, or it `failed`.
pub async fn ended(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
    (state, failure): (&str, Option<&Value>),
) -> Result<(), Error> {
    let failure = failure.map(json).transpose()?;
    sqlx::query("UPDATE transcripts SET state = $2, failure = $3 WHERE interaction = $1")
        .bind(interaction.as_str())
        .bind(state)
        .bind(failure)
        .execute(db)
        .await?;
    Ok(())
}

/// How it ended, or `waiting`; none where none is sent.
pub async fn state(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
) -> Result<Option<String>, Error> {
    let found = sqlx::query("SELECT state FROM transcripts WHERE interaction = $1")
        .bind(interaction.as_str())
        .try_map(|row: AnyRow| row.text("state"))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

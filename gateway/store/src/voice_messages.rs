//! SQL of messages that callers left. They are added by [`crate::changes`].

use desk::id::{CompanyId, InteractionId, ServiceId, VoiceMessageId};
use serde::Serialize;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoiceMessage {
    /// Its id.
    pub id: VoiceMessageId,
    /// Whose it is.
    pub company: CompanyId,
    /// The call in which it was left.
    pub interaction: InteractionId,
    /// The service it is for.
    pub service: Option<ServiceId>,
    /// The name of the sound file, by which it is found on disk.
    pub file: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// How long it is.
    pub duration_ms: u64,
    /// When it was left.
    pub left_ms: i64,
    /// When somebody first listened to it.
    pub heard_ms: Option<i64>,
}

/// Lists the messages of a company, the oldest first; only those nobody listened to, if wanted.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    unheard_only: bool,
    page: &Page<VoiceMessageId>,
) -> Result<Vec<VoiceMessage>, Error> {
    let found = sqlx::query(
        "SELECT * FROM voice_messages
          WHERE company = $1 AND id > COALESCE($2, '') AND ($3 = 0 OR heard_ms IS NULL)
          ORDER BY id LIMIT $4",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(VoiceMessageId::as_str))
    .bind(i64::from(unheard_only))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The messages that were left in an interaction of a company, the oldest first.
pub async fn of_interaction(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<VoiceMessage>, Error> {
    let found = sqlx::query(
        "SELECT * FROM voice_messages WHERE company = $1 AND interaction = $2 ORDER BY id",
    )
    .bind(company.as_str())
    .bind(interaction.as_str())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Finds a message of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &VoiceMessageId,
) -> Result<Option<VoiceMessage>, Error> {
    let found = sqlx::query("SELECT * FROM voice_messages WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Remembers that somebody listened to a message; the first time stays.
pub async fn heard(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &VoiceMessageId,
    at_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE voice_messages SET heard_ms = $3
          WHERE id = $1 AND company = $2 AND heard_ms IS NULL",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<VoiceMessage> {
    Ok(VoiceMessage {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        interaction: row.parsed("interaction")?,
        service: row.parsed_maybe("service")?,
        file: row.text("file")?,
        bytes: row.count("bytes")?,
        duration_ms: row.count("duration_ms")?,
        left_ms: row.whole("left_ms")?,
        heard_ms: row.whole_maybe("heard_ms")?,
    })
}

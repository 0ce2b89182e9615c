//! SQL of attachments: files of messages, of which the bytes are in the store of files.

use desk::id::{AttachmentId, ChannelId, CompanyId, InteractionId, MessageId};
use desk::words;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::{Columns, json, whole};

words! {
    /// How far a file came.
    AttachmentState {
        /// It is still where its sender has it.
        Waiting = "waiting",
        /// It is in the store.
        Stored = "stored",
        /// It could not be had.
        Failed = "failed",
        /// It is not taken: it runs when it is opened, or is too long.
        Refused = "refused",
        /// Nobody is to see it any more; its bytes go soon.
        Forgotten = "forgotten",
    }
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// Whose it is.
    pub company: CompanyId,
    /// By which channel it came, or another system laid it down.
    pub channel: Option<ChannelId>,
    /// Of which interaction it is.
    pub interaction: Option<InteractionId>,
    /// Of which message; none while that is still to come.
    pub message: Option<MessageId>,
    /// Its place among the files of the message, from 0.
    pub place: u32,
    /// Where it is to be had, in the channels' words.
    pub source: Option<Value>,
    /// How far it came.
    pub state: AttachmentState,
    /// What is known of it once it is in the store.
    pub file: Option<StoredFile>,
    /// Its name, clean.
    pub name: Option<String>,
    /// How often it was tried to have it.
    pub attempts: u32,
    /// When it is tried next, milliseconds since 1970 (UTC).
    pub due_ms: i64,
    /// Why it is not there.
    pub error: Option<String>,
    /// When it came to be known.
    pub created_ms: i64,
}

/// A file in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// SHA-256 of its bytes, its name there.
    pub sha256: String,
    /// What its bytes say that it is.
    pub mime: String,
    /// Its length.
    pub bytes: u64,
    /// The name of a small picture of it, where there is one.
    pub thumbnail: Option<String>,
}

/// Adds an attachment.
pub async fn insert(db: impl AnyExecutor<'_>, row: &Attachment) -> Result<(), Error> {
    let file = row.file.as_ref();
    sqlx::query(
        "INSERT INTO attachments (id, company, channel, interaction, message, place, source, state,
                                  sha256, mime, bytes, name, thumbnail, attempts, due_ms, error, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(row.id.as_str())
    .bind(row.company.as_str())
    .bind(row.channel.as_ref().map(ChannelId::as_str))
    .bind(row.interaction.as_ref().map(InteractionId::as_str))
    .bind(row.message.as_ref().map(MessageId::as_str))
    .bind(i64::from(row.place))
    .bind(row.source.as_ref().map(json).transpose()?)
    .bind(row.state.as_str())
    .bind(file.map(|file| file.sha256.as_str()))
    .bind(file.map(|file| file.mime.as_str()))
    .bind(file.map(|file| whole(file.bytes)))
    .bind(row.name.as_deref())
    .bind(file.and_then(|file| file.thumbnail.as_deref()))
    .bind(i64::from(row.attempts))
    .bind(row.due_ms)
    .bind(row.error.as_deref())
    .bind(row.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Finds an attachment of a company that is not forgotten.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &AttachmentId,
) -> Result<Option<Attachment>, Error> {
    let found = sqlx::query(
        "SELECT * FROM attachments WHERE id = $1 AND company = $2 AND state <> 'forgotten'",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The first file of a message, once it is in the store of files.
pub async fn of_message(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    message: &MessageId,
) -> Result<Option<Attachment>, Error> {
    let found = sqlx::query(
        "SELECT * FROM attachments
          WHERE message = $1 AND company = $2 AND state = 'stored' ORDER BY place, id LIMIT 1",
    )
    .bind(message.as_str())
    .bind(company.as_str())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The files of all messages of an interaction, in their order.
pub async fn of_interaction(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<Attachment>, Error> {
    let found = sqlx::query(
        "SELECT * FROM attachments
          WHERE interaction = $1 AND company = $2 AND message IS NOT NULL AND state <> 'forgotten'
          ORDER BY message, place, id",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Where a file that was laid down goes.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Whose message it is.
    pub company: &'a CompanyId,
    /// The channel by which the message came, where it is a customer's: the file was laid down there.
    pub channel: Option<&'a ChannelId>,
    /// Its interaction: where an agent wrote the message, the file was laid down there.
    pub interaction: &'a InteractionId,
    /// The message.
    pub message: &'a MessageId,
    /// Which of its files.
    pub place: u32,
}

/// Puts a file that was laid down beforehand into a message; returns whether it is there.
///
/// The `WHERE` decides: a file goes into one message, and only where it was laid down.
pub async fn attach(
    db: impl AnyExecutor<'_>,
    upload: &AttachmentId,
    to: Place<'_>,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE attachments SET message = $3, place = $4, interaction = $5
          WHERE id = $1 AND company = $2 AND message IS NULL AND state = 'stored'
            AND (channel = $6 OR interaction = $5)",
    )
    .bind(upload.as_str())
    .bind(to.company.as_str())
    .bind(to.message.as_str())
    .bind(i64::from(to.place))
    .bind(to.interaction.as_str())
    .bind(to.channel.map(ChannelId::as_str))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The files of a message, in their places.
pub async fn in_message(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
    message: &MessageId,
) -> Result<Vec<Attachment>, Error> {
    let found = sqlx::query(
        "SELECT * FROM attachments
          WHERE interaction = $1 AND message = $2 AND state <> 'forgotten' ORDER BY place, id",
    )
    .bind(interaction.as_str())
    .bind(message.as_str())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is to be had now, the longest due first.
pub async fn due(
    db: impl AnyExecutor<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Attachment>, Error> {
    let found = sqlx::query(
        "SELECT * FROM attachments WHERE state = 'waiting' AND due_ms <= $1
          ORDER BY due_ms, id LIMIT $2",
    )
    .bind(now_ms)
    .bind(i64::from(limit))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Takes a try of it until `until_ms`, unless somebody else has; returns whether it is ours.
///
/// The `WHERE` decides between two processes that see it at once.
pub async fn claim(
    db: impl AnyExecutor<'_>,
    row: &Attachment,
    until_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE attachments SET due_ms = $3, attempts = attempts + 1
          WHERE id = $1 AND due_ms = $2 AND state = 'waiting'",
    )
    .bind(row.id.as_str())
    .bind(row.due_ms)
    .bind(until_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It is in the store; returns whether anybody still wants it.
pub async fn stored(
    db: impl AnyExecutor<'_>,
    id: &AttachmentId,
    file: &StoredFile,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE attachments SET state = 'stored', sha256 = $2, mime = $3, bytes = $4, thumbnail = $5,
                                error = NULL
          WHERE id = $1 AND state = 'waiting'",
    )
    .bind(id.as_str())
    .bind(&file.sha256)
    .bind(&file.mime)
    .bind(whole(file.bytes))
    .bind(file.thumbnail.as_deref())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It was not had: it waits until `due_ms`, or its state is another for good.
pub async fn not_had(
    db: impl AnyExecutor<'_>,
    id: &AttachmentId,
    state: AttachmentState,
    due_ms: i64,
    error: &str,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE attachments SET state = $2, due_ms = $3, error = $4
          WHERE id = $1 AND state = 'waiting'",
    )
    .bind(id.as_str())
    .bind(state.as_str())
    .bind(due_ms)
    .bind(error)
    .execute(db)
    .await?;
    Ok(())
}

/// Whether any attachment still is, or shows, the file of this name, or a mail is it.
pub async fn wants(db: impl AnyExecutor<'_>, sha256: &str) -> Result<bool, Error> {
    let found = sqlx::query(
        "SELECT id FROM attachments
          WHERE (sha256 = $1 OR thumbnail = $1) AND state <> 'forgotten'
         UNION ALL SELECT message AS id FROM mails WHERE file = $1 LIMIT 1",
    )
    .bind(sha256)
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Forgets what was laid down before a time and never used, and what was of messages that are gone.
pub async fn forget_left(db: &mut AnyConnection, before_ms: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE attachments SET state = 'forgotten', source = NULL, name = NULL, error = NULL
          WHERE message IS NULL AND created_ms < $1 AND state <> 'forgotten'",
    )
    .bind(before_ms)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "UPDATE attachments SET state = 'forgotten', source = NULL, name = NULL, error = NULL
          WHERE message IS NOT NULL AND state <> 'forgotten'
            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = attachments.message)",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets all files of an interaction.
pub(crate) async fn forget(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE attachments SET state = 'forgotten', source = NULL, name = NULL, error = NULL
          WHERE interaction = $1",
    )
    .bind(interaction.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// What is forgotten and still has a row.
pub async fn forgotten(db: impl AnyExecutor<'_>, limit: u32) -> Result<Vec<Attachment>, Error> {
    let found =
        sqlx::query("SELECT * FROM attachments WHERE state = 'forgotten' ORDER BY id LIMIT $1")
            .bind(i64::from(limit))
            .try_map(read)
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// Deletes what is forgotten, when its bytes are gone.
pub async fn delete(db: impl AnyExecutor<'_>, id: &AttachmentId) -> Result<(), Error> {
    sqlx::query("DELETE FROM attachments WHERE id = $1 AND state = 'forgotten'")
        .bind(id.as_str())
        .execute(db)
        .await?;
    Ok(())
}

fn read(row: AnyRow) -> sqlx::Result<Attachment> {
    let file = match row.text_maybe("sha256")? {
        Some(sha256) => Some(StoredFile {
            sha256,
            mime: row.text("mime")?,
            bytes: row.count("bytes")?,
            thumbnail: row.text_maybe("thumbnail")?,
        }),
        None => None,
    };
    Ok(Attachment {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        channel: row.parsed_maybe("channel")?,
        interaction: row.parsed_maybe("interaction")?,
        message: row.parsed_maybe("message")?,
        place: row.count("place")?,
        source: row.json_maybe("source")?,
        state: row.parsed("state")?,
        file,
        name: row.text_maybe("name")?,
        attempts: row.count("attempts")?,
        due_ms: row.whole("due_ms")?,
        error: row.text_maybe("error")?,
        created_ms: row.whole("created_ms")?,
    })
}

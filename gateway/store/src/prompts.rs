//! SQL of prompts: recordings, and texts with a voice.

use desk::id::{CompanyId, PromptId};
use serde::{Deserialize, Serialize};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, whole};
use crate::{Error, Page};

/// A recording, or a text with a voice. The sound lies on disk under its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its id.
    pub id: PromptId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// Where its sound comes from.
    pub kind: PromptKind,
    /// Whether callers hear it yet.
    pub state: PromptState,
    /// Its language, as BCP 47.
    pub language: String,
    /// The words that are spoken; for a recording, what the administrator noted, or empty.
    pub text: String,
    /// The voice that speaks; empty for a recording.
    pub voice: String,
    /// The voice's speed, in percent of its usual one.
    pub speed_percent: u32,
    /// SHA-256 of the original sound file in lower-case hexadecimal; `None` before it is made.
    pub file: Option<String>,
    /// The media type of the original file.
    pub mime: String,
    /// The size of the original file, in bytes.
    pub bytes: u64,
    /// How long it plays.
    pub duration_ms: u64,
    /// The loudness of the original, in LUFS; `None` when too short or silent to tell.
    pub loudness_lufs: Option<f64>,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

desk::words! {
    /// Where the sound of a prompt comes from.
    PromptKind {
        /// A file that was uploaded.
        Upload = "upload",
        /// A text, spoken by a voice.
        Text = "text",
    }
}

desk::words! {
    /// Whether callers hear a prompt.
    PromptState {
        /// Being listened to by the administrator.
        Draft = "draft",
        /// Callers hear it.
        Published = "published",
    }
}

/// Adds a prompt; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, prompt: &Prompt) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO prompts (id, company, name, kind, state, language, spoken, voice,
                             speed_percent, file, mime, bytes, duration_ms, loudness_lufs,
                             created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(prompt.id.as_str())
    .bind(prompt.company.as_str())
    .bind(&prompt.name)
    .bind(prompt.kind.as_str())
    .bind(prompt.state.as_str())
    .bind(&prompt.language)
    .bind(&prompt.text)
    .bind(&prompt.voice)
    .bind(i64::from(prompt.speed_percent))
    .bind(prompt.file.as_deref())
    .bind(&prompt.mime)
    .bind(whole(prompt.bytes))
    .bind(whole(prompt.duration_ms))
    .bind(prompt.loudness_lufs)
    .bind(prompt.created_ms)
    .bind(prompt.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a prompt but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, prompt: &Prompt) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE prompts
            SET name = $3, kind = $4, state = $5, language = $6, spoken = $7, voice = $8,
                speed_percent = $9, file = $10, mime = $11, bytes = $12, duration_ms = $13,
                loudness_lufs = $14, updated_ms = $15
          WHERE id = $1 AND company = $2",
    )
    .bind(prompt.id.as_str())
    .bind(prompt.company.as_str())
    .bind(&prompt.name)
    .bind(prompt.kind.as_str())
    .bind(prompt.state.as_str())
    .bind(&prompt.language)
    .bind(&prompt.text)
    .bind(&prompt.voice)
    .bind(i64::from(prompt.speed_percent))
    .bind(prompt.file.as_deref())
    .bind(&prompt.mime)
    .bind(whole(prompt.bytes))
    .bind(whole(prompt.duration_ms))
    .bind(prompt.loudness_lufs)
    .bind(prompt.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a prompt of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &PromptId,
) -> Result<Option<Prompt>, Error> {
    let found = sqlx::query("SELECT * FROM prompts WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the prompts of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<PromptId>,
) -> Result<Vec<Prompt>, Error> {
    let found = sqlx::query(
        "SELECT * FROM prompts
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(PromptId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All prompts of all companies, for the directory that calls are routed by.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Prompt>, Error> {
    let found = sqlx::query("SELECT * FROM prompts ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a prompt. Returns whether it existed; [`Error::Reference`] when something uses it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &PromptId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM prompts WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Publishes a draft.
///
/// Returns whether it is published now. The `WHERE` wants the very sound that was listened to:
/// when it was replaced meanwhile, nothing is published.
pub async fn publish(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &PromptId,
    file: &str,
    at_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE prompts SET state = 'published', updated_ms = $4
          WHERE id = $1 AND company = $2 AND file = $3",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(file)
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether any prompt still has the sound file of this hash; if not, it may be deleted.
pub async fn uses_file(db: impl AnyExecutor<'_>, file: &str) -> Result<bool, Error> {
    let found = sqlx::query("SELECT id FROM prompts WHERE file = $1 LIMIT 1")
        .bind(file)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

fn read(row: AnyRow) -> sqlx::Result<Prompt> {
    Ok(Prompt {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        kind: row.parsed("kind")?,
        state: row.parsed("state")?,
        language: row.text("language")?,
        text: row.text("spoken")?,
        voice: row.text("voice")?,
        speed_percent: row.count("speed_percent")?,
        file: row.text_maybe("file")?,
        mime: row.text("mime")?,
        bytes: row.count("bytes")?,
        duration_ms: row.count("duration_ms")?,
        loudness_lufs: row.real_maybe("loudness_lufs")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

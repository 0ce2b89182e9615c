//! SQL of recordings of calls, and of the rules by which they are kept.

use desk::id::{CompanyId, InteractionId, RecordingId, ServiceId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json, whole};
use crate::{Error, PAGE_MAX};

/// A recording that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Whose it is.
    pub company: CompanyId,
    /// The call that is heard.
    pub interaction: InteractionId,
    /// The service it was for when it was kept.
    pub service: Option<ServiceId>,
    /// The name of the sound file, which is this recording's alone.
    pub file: String,
    /// How it is written: `flac`, `opus` or `wav`.
    pub format: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// How long it is.
    pub duration_ms: u64,
    /// When it began.
    pub started_ms: i64,
    /// When it was put away.
    pub kept_ms: i64,
}

/// Adds a recording, unless there is one of this file; returns whether it was added.
pub async fn insert(db: impl AnyExecutor<'_>, recording: &Recording) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO recordings (id, company, interaction, service, file, format, bytes,
                             duration_ms, started_ms, kept_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (file) DO NOTHING",
    )
    .bind(recording.id.as_str())
    .bind(recording.company.as_str())
    .bind(recording.interaction.as_str())
    .bind(recording.service.as_ref().map(ServiceId::as_str))
    .bind(&recording.file)
    .bind(&recording.format)
    .bind(whole(recording.bytes))
    .bind(whole(recording.duration_ms))
    .bind(recording.started_ms)
    .bind(recording.kept_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whose a call is and what it is for, by its id alone: for files that a crash left behind.
pub async fn of_whom(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
) -> Result<Option<(CompanyId, Option<ServiceId>)>, Error> {
    let found = sqlx::query("SELECT company, service FROM interactions WHERE id = $1")
        .bind(interaction.as_str())
        .try_map(|row: AnyRow| Ok((row.parsed("company")?, row.parsed_maybe("service")?)))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Whether a recording of this file is kept.
pub async fn has_file(db: impl AnyExecutor<'_>, file: &str) -> Result<bool, Error> {
    let found = sqlx::query("SELECT id FROM recordings WHERE file = $1")
        .bind(file)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// The recordings of a call, the oldest first.
pub async fn of_interaction(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<Recording>, Error> {
    let found = sqlx::query(
        "SELECT * FROM recordings WHERE interaction = $1 AND company = $2
          ORDER BY started_ms, id LIMIT $3",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .bind(i64::from(PAGE_MAX))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Finds a recording of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &RecordingId,
) -> Result<Option<Recording>, Error> {
    let found = sqlx::query("SELECT * FROM recordings WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Recordings of a company that began before `before_ms`, in the order of their ids, behind `after`.
pub async fn older(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    before_ms: i64,
    after: Option<&RecordingId>,
) -> Result<Vec<Recording>, Error> {
    let found = sqlx::query(
        "SELECT * FROM recordings
          WHERE company = $1 AND started_ms < $2 AND id > COALESCE($3, '')
          ORDER BY id LIMIT $4",
    )
    .bind(company.as_str())
    .bind(before_ms)
    .bind(after.map(RecordingId::as_str))
    .bind(i64::from(PAGE_MAX))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Forgets a recording; returns whether it was there.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &RecordingId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM recordings WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The rules of a company, if it has set any.
pub async fn rules_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
) -> Result<Option<serde_json::Value>, Error> {
    let found = sqlx::query("SELECT rules FROM recording_rules WHERE company = $1")
        .bind(company.as_str())
        .try_map(|row: AnyRow| row.json("rules"))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// The rules of all companies that have set some.
pub async fn all_rules(
    db: impl AnyExecutor<'_>,
) -> Result<Vec<(CompanyId, serde_json::Value)>, Error> {
    let found = sqlx::query("SELECT company, rules FROM recording_rules ORDER BY company")
        .try_map(|row: AnyRow| Ok((row.parsed("company")?, row.json("rules")?)))
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Sets the rules of a company, whether there were any or not.
pub async fn put_rules(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    rules: &serde_json::Value,
    at_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO recording_rules (company, rules, updated_ms) VALUES ($1, $2, $3)
         ON CONFLICT (company) DO UPDATE SET rules = $2, updated_ms = $3",
    )
    .bind(company.as_str())
    .bind(json(rules)?)
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(())
}

fn read(row: AnyRow) -> sqlx::Result<Recording> {
    Ok(Recording {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        interaction: row.parsed("interaction")?,
        service: row.parsed_maybe("service")?,
        file: row.text("file")?,
        format: row.text("format")?,
        bytes: row.count("bytes")?,
        duration_ms: row.count("duration_ms")?,
        started_ms: row.whole("started_ms")?,
        kept_ms: row.whole("kept_ms")?,
    })
}

//! SQL of the trail: what happened to an interaction, step by step. Lines are appended by
//! [`crate::changes`], by [`append_later`] too, and never changed.

use desk::id::{CompanyId, InteractionId, UserId};
use desk::record::{TrailEntry, TrailKind};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, PAGE_MAX};

/// Lists the trail of an interaction, from line `from_seq` on: the lines of `limit` rows, each of
/// which holds those that were written together.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
    from_seq: u32,
    limit: u32,
) -> Result<Vec<TrailEntry>, Error> {
    let found = sqlx::query(
        "SELECT t.seq, t.at_ms, t.kind, t.detail
           FROM trail t JOIN interactions i ON i.id = t.interaction
          WHERE t.interaction = $1 AND i.company = $2 AND t.seq >= $3
          ORDER BY t.seq LIMIT $4",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .bind(i64::from(from_seq))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(lines)
    .fetch_all(db)
    .await?;
    let lines = found.into_iter().flatten();
    Ok(lines.filter(|line| line.seq >= from_seq).collect())
}

/// What was done with the record of an interaction, by [`append_later`]: the first of it.
pub async fn listed_later(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<TrailEntry>, Error> {
    let from = u32::try_from(LATER).unwrap_or(u32::MAX);
    list(db, company, interaction, from, PAGE_MAX).await
}

/// The lines of one kind of an interaction, in their order.
pub async fn of_kind(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
    kind: TrailKind,
) -> Result<Vec<TrailEntry>, Error> {
    // Lines that were written together stand in one row, whose kind is not that of all of them.
    let found = sqlx::query(
        "SELECT seq, at_ms, kind, detail FROM trail
          WHERE interaction = $1 AND (kind = $2 OR detail LIKE '[%') ORDER BY seq",
    )
    .bind(interaction.as_str())
    .bind(kind.as_str())
    .try_map(lines)
    .fetch_all(db)
    .await?;
    let lines = found.into_iter().flatten();
    Ok(lines.filter(|line| line.kind == kind).collect())
}

/// Whether a note about an interaction names somebody.
pub async fn mentions(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
    user: &UserId,
) -> Result<bool, Error> {
    let found = sqlx::query(
        "SELECT 1 FROM trail
          WHERE interaction = $1 AND kind = $2 AND seq >= $3 AND detail LIKE $4 LIMIT 1",
    )
    .bind(interaction.as_str())
    .bind(TrailKind::Noted.as_str())
    .bind(LATER)
    .bind(format!("%\"mentions\":[%\"{user}\"%"))
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Appends a line that is not the call's own: of what was done with its record. The call counts its
/// lines by itself, and may go on doing so; these have a range of their own behind all of its.
pub async fn append_later(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
    at_ms: i64,
    kind: TrailKind,
    detail: &serde_json::Value,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO trail (interaction, seq, at_ms, kind, detail)
         SELECT $1, COALESCE(MAX(seq) + 1, $2), $3, $4, $5
           FROM trail WHERE interaction = $1 AND seq >= $2",
    )
    .bind(interaction.as_str())
    .bind(LATER)
    .bind(at_ms)
    .bind(kind.as_str())
    .bind(json(detail)?)
    .execute(db)
    .await?;
    Ok(())
}

/// The first place of lines that are not the call's own. No call has so many lines.
const LATER: i64 = 1_000_000_000;

fn lines(row: AnyRow) -> sqlx::Result<Vec<TrailEntry>> {
    let detail: serde_json::Value = row.json("detail")?;
    if detail.is_array() {
        return row.json("detail");
    }
    Ok(vec![TrailEntry {
        seq: row.count("seq")?,
        at_ms: row.whole("at_ms")?,
        kind: row.parsed("kind")?,
        detail,
    }])
}

//! SQL of the trail: what happened to an interaction, step by step. Lines are appended by
//! [`crate::changes`] and never changed.

use desk::id::{CompanyId, InteractionId};
use desk::record::TrailEntry;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, PAGE_MAX};

/// Lists the trail of an interaction, from line `from_seq` on.
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
    .try_map(|row: AnyRow| {
        Ok(TrailEntry {
            seq: row.count("seq")?,
            at_ms: row.whole("at_ms")?,
            kind: row.parsed("kind")?,
            detail: row.json("detail")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

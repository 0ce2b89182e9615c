//! SQL of tags: words by which people find interactions again. There is no comma in them.

use desk::id::{CompanyId, InteractionId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Transaction};

/// A word, and on how many interactions it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The word.
    pub tag: String,
    /// How many.
    pub count: i64,
}

/// Lets an interaction have these tags and no others.
pub async fn set(
    db: &mut Transaction,
    company: &CompanyId,
    interaction: &InteractionId,
    tags: &[String],
) -> Result<(), Error> {
    sqlx::query("DELETE FROM tags WHERE interaction = $1 AND company = $2")
        .bind(interaction.as_str())
        .bind(company.as_str())
        .execute(&mut **db)
        .await?;
    for tag in tags {
        sqlx::query(
            "INSERT INTO tags (interaction, tag, company) VALUES ($1, $2, $3)
             ON CONFLICT (interaction, tag) DO NOTHING",
        )
        .bind(interaction.as_str())
        .bind(tag)
        .bind(company.as_str())
        .execute(&mut **db)
        .await?;
    }
    Ok(())
}

/// Lists the tags of an interaction by their letters.
pub async fn of_interaction(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<String>, Error> {
    let found =
        sqlx::query("SELECT tag FROM tags WHERE interaction = $1 AND company = $2 ORDER BY tag")
            .bind(interaction.as_str())
            .bind(company.as_str())
            .try_map(|row: AnyRow| row.text("tag"))
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// Lists the tags of a company, those of most interactions first; where somebody `seen_by` sees some
/// interactions alone, only those that stand on them.
pub async fn used(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    seen_by: Option<&UserId>,
    limit: u32,
) -> Result<Vec<Used>, Error> {
    let found = sqlx::query(
        "SELECT t.tag, COUNT(*) AS uses FROM tags t JOIN interactions i ON i.id = t.interaction
          WHERE t.company = $1
            AND ($2 IS NULL OR i.agent = $2
                 OR i.service IN (SELECT service FROM service_agents WHERE user_id = $2))
          GROUP BY t.tag ORDER BY uses DESC, t.tag LIMIT $3",
    )
    .bind(company.as_str())
    .bind(seen_by.map(UserId::as_str))
    .bind(i64::from(limit))
    .try_map(|row: AnyRow| {
        Ok(Used {
            tag: row.text("tag")?,
            count: row.whole("uses")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

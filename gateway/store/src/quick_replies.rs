//! SQL of quick replies: sentences that agents write by a few letters.

use desk::id::{CompanyId, QuickReplyId, ServiceId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// A sentence that agents write by a few letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickReply {
    /// Its id.
    pub id: QuickReplyId,
    /// Whose it is.
    pub company: CompanyId,
    /// The letters, unique in the company.
    pub shortcut: String,
    /// What is written.
    pub text: String,
    /// The services it is for; all where there are none.
    pub services: Vec<ServiceId>,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a quick reply; its shortcut must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, reply: &QuickReply) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO quick_replies (id, company, shortcut, text, services, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(reply.id.as_str())
    .bind(reply.company.as_str())
    .bind(&reply.shortcut)
    .bind(&reply.text)
    .bind(joined(&reply.services))
    .bind(reply.created_ms)
    .bind(reply.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a quick reply but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, reply: &QuickReply) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE quick_replies SET shortcut = $3, text = $4, services = $5, updated_ms = $6
          WHERE company = $1 AND id = $2",
    )
    .bind(reply.company.as_str())
    .bind(reply.id.as_str())
    .bind(&reply.shortcut)
    .bind(&reply.text)
    .bind(joined(&reply.services))
    .bind(reply.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a quick reply of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &QuickReplyId,
) -> Result<Option<QuickReply>, Error> {
    let found = sqlx::query("SELECT * FROM quick_replies WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the quick replies of a company, by their ids.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<QuickReplyId>,
) -> Result<Vec<QuickReply>, Error> {
    let found = sqlx::query(
        "SELECT * FROM quick_replies
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(QuickReplyId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Deletes a quick reply. Returns whether it existed.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &QuickReplyId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM quick_replies WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn joined(services: &[ServiceId]) -> String {
    let ids: Vec<&str> = services.iter().map(ServiceId::as_str).collect();
    ids.join(" ")
}

fn read(row: AnyRow) -> sqlx::Result<QuickReply> {
    let services = row.text("services")?;
    Ok(QuickReply {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        shortcut: row.text("shortcut")?,
        text: row.text("text")?,
        // Ids have no spaces.
        services: services
            .split_whitespace()
            .filter_map(|id| id.parse().ok())
            .collect(),
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

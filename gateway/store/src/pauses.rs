//! SQL of pauses: the reasons for which agents may stop taking work for a while.

use desk::id::{CompanyId, PauseId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// A reason for a pause. Its id is unique in its company alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Its id.
    pub id: PauseId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// How long it should last, in seconds; beyond it the supervisor is told. `None` is as long as it
    /// takes.
    pub limit_s: Option<u32>,
    /// Whether it counts as working time.
    pub paid: bool,
    /// Whether nobody may choose it any more.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a reason; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, pause: &Pause) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO pauses (company, id, name, limit_s, paid, disabled, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(pause.company.as_str())
    .bind(pause.id.as_str())
    .bind(&pause.name)
    .bind(pause.limit_s.map(i64::from))
    .bind(i64::from(pause.paid))
    .bind(i64::from(pause.disabled))
    .bind(pause.created_ms)
    .bind(pause.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a reason but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, pause: &Pause) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE pauses SET name = $3, limit_s = $4, paid = $5, disabled = $6, updated_ms = $7
          WHERE company = $1 AND id = $2",
    )
    .bind(pause.company.as_str())
    .bind(pause.id.as_str())
    .bind(&pause.name)
    .bind(pause.limit_s.map(i64::from))
    .bind(i64::from(pause.paid))
    .bind(i64::from(pause.disabled))
    .bind(pause.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a reason of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &PauseId,
) -> Result<Option<Pause>, Error> {
    let found = sqlx::query("SELECT * FROM pauses WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the reasons of a company, by their ids.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<PauseId>,
) -> Result<Vec<Pause>, Error> {
    let found = sqlx::query(
        "SELECT * FROM pauses
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(PauseId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All reasons of all companies, for the directory.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Pause>, Error> {
    let found = sqlx::query("SELECT * FROM pauses ORDER BY company, id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a reason. Returns whether it existed. Who pauses for it goes on pausing.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &PauseId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM pauses WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Pause> {
    Ok(Pause {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        limit_s: row.count_maybe("limit_s")?,
        paid: row.flag("paid")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

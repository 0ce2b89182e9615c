//! SQL of calendars: opening hours with a name.

use desk::id::{CalendarId, CompanyId};
use serde::{Deserialize, Serialize};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// Opening hours that numbers, flows and services share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its id.
    pub id: CalendarId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// The hours, as `ivr` understands them.
    pub hours: serde_json::Value,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a calendar; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, calendar: &Calendar) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO calendars (id, company, name, hours, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(calendar.id.as_str())
    .bind(calendar.company.as_str())
    .bind(&calendar.name)
    .bind(json(&calendar.hours)?)
    .bind(calendar.created_ms)
    .bind(calendar.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a calendar but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, calendar: &Calendar) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE calendars
            SET name = $3, hours = $4, updated_ms = $5
          WHERE id = $1 AND company = $2",
    )
    .bind(calendar.id.as_str())
    .bind(calendar.company.as_str())
    .bind(&calendar.name)
    .bind(json(&calendar.hours)?)
    .bind(calendar.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a calendar of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &CalendarId,
) -> Result<Option<Calendar>, Error> {
    let found = sqlx::query("SELECT * FROM calendars WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the calendars of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<CalendarId>,
) -> Result<Vec<Calendar>, Error> {
    let found = sqlx::query(
        "SELECT * FROM calendars
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(CalendarId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All calendars of all companies, for the directory that calls are routed by.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Calendar>, Error> {
    let found = sqlx::query("SELECT * FROM calendars ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a calendar. Returns whether it existed; [`Error::Reference`] when something uses it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &CalendarId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM calendars WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Calendar> {
    Ok(Calendar {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        hours: row.json("hours")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

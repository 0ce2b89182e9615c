//! SQL of numbers: what can be dialled.

use desk::id::{CompanyId, FlowId, NumberId, TrunkId};
use serde::{Deserialize, Serialize};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// A number or short extension that can be dialled, and the flow that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// Whose it is.
    pub company: CompanyId,
    /// E.164 with its plus (`+551140004000`) or a short extension (`4000`).
    pub number: String,
    /// What people call it.
    pub name: String,
    /// The carrier it comes in through; `None` is any of the company's, and its devices.
    pub trunk: Option<TrunkId>,
    /// The flow that answers; without one the call is refused.
    pub flow: Option<FlowId>,
    /// Points of priority for who calls it; each is worth a minute of waiting, or what the company
    /// says.
    pub priority: i16,
    /// Whether it is not answered.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a number; it must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, number: &Number) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO numbers (id, company, number, name, trunk, flow, disabled, created_ms,
                             updated_ms, priority)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(number.id.as_str())
    .bind(number.company.as_str())
    .bind(&number.number)
    .bind(&number.name)
    .bind(number.trunk.as_ref().map(TrunkId::as_str))
    .bind(number.flow.as_ref().map(FlowId::as_str))
    .bind(i64::from(number.disabled))
    .bind(number.created_ms)
    .bind(number.updated_ms)
    .bind(i64::from(number.priority))
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a number but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, number: &Number) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE numbers
            SET number = $3, name = $4, trunk = $5, flow = $6, disabled = $7, updated_ms = $8,
                priority = $9
          WHERE id = $1 AND company = $2",
    )
    .bind(number.id.as_str())
    .bind(number.company.as_str())
    .bind(&number.number)
    .bind(&number.name)
    .bind(number.trunk.as_ref().map(TrunkId::as_str))
    .bind(number.flow.as_ref().map(FlowId::as_str))
    .bind(i64::from(number.disabled))
    .bind(number.updated_ms)
    .bind(i64::from(number.priority))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a number of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &NumberId,
) -> Result<Option<Number>, Error> {
    let found = sqlx::query("SELECT * FROM numbers WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the numbers of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<NumberId>,
) -> Result<Vec<Number>, Error> {
    let found = sqlx::query(
        "SELECT * FROM numbers
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(NumberId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All numbers of all companies, for the directory that calls are routed by.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Number>, Error> {
    let found = sqlx::query("SELECT * FROM numbers ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a number. Returns whether it existed; [`Error::Reference`] when something uses it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &NumberId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM numbers WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Number> {
    Ok(Number {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        number: row.text("number")?,
        name: row.text("name")?,
        trunk: row.parsed_maybe("trunk")?,
        flow: row.parsed_maybe("flow")?,
        priority: row.count("priority")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

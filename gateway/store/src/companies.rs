//! SQL of companies, the tenants.

use desk::id::CompanyId;
use serde::{Deserialize, Serialize};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// What people call it.
    pub name: String,
    /// Its language, as BCP 47 (`pt-BR`).
    pub language: String,
    /// Its time zone, as in the IANA database (`America/Sao_Paulo`).
    pub time_zone: String,
    /// What else the administrators set, as the gateway understands it.
    pub settings: serde_json::Value,
    /// Whether its calls and log-ins are refused.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
}

/// Adds a company.
pub async fn insert(db: impl AnyExecutor<'_>, company: &Company) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO companies (id, name, language, time_zone, settings, disabled, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(company.id.as_str())
    .bind(&company.name)
    .bind(&company.language)
    .bind(&company.time_zone)
    .bind(json(&company.settings)?)
    .bind(i64::from(company.disabled))
    .bind(company.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a company but its id and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, company: &Company) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE companies
            SET name = $2, language = $3, time_zone = $4, settings = $5, disabled = $6
          WHERE id = $1",
    )
    .bind(company.id.as_str())
    .bind(&company.name)
    .bind(&company.language)
    .bind(&company.time_zone)
    .bind(json(&company.settings)?)
    .bind(i64::from(company.disabled))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a company.
pub async fn by_id(db: impl AnyExecutor<'_>, id: &CompanyId) -> Result<Option<Company>, Error> {
    let found = sqlx::query("SELECT * FROM companies WHERE id = $1")
        .bind(id.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists companies, the oldest first.
pub async fn list(db: impl AnyExecutor<'_>, page: &Page<CompanyId>) -> Result<Vec<Company>, Error> {
    let found =
        sqlx::query("SELECT * FROM companies WHERE id > COALESCE($1, '') ORDER BY id LIMIT $2")
            .bind(page.after.as_ref().map(CompanyId::as_str))
            .bind(page.limit())
            .try_map(read)
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// Whether there is no company at all: the demo is made only then.
pub async fn none_exists(db: impl AnyExecutor<'_>) -> Result<bool, Error> {
    let found = sqlx::query("SELECT id FROM companies LIMIT 1")
        .fetch_optional(db)
        .await?;
    Ok(found.is_none())
}

fn read(row: AnyRow) -> sqlx::Result<Company> {
    Ok(Company {
        id: row.parsed("id")?,
        name: row.text("name")?,
        language: row.text("language")?,
        time_zone: row.text("time_zone")?,
        settings: row.json("settings")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
    })
}

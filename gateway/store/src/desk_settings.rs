//! SQL of what all services of a company have in common at its desk, and of what single agents may
//! do with work.

use desk::id::{CompanyId, UserId};
use desk::rules::{Rules, Transfers};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::{Columns, json};

/// Writes what a company's desk goes by, in the place of what was. Services, agents and pauses have
/// rows of their own: what stands of them in `rules` is nothing.
pub async fn put(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    rules: &Rules,
    now_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO desk_settings (company, settings, updated_ms) VALUES ($1, $2, $3)
         ON CONFLICT (company) DO UPDATE
            SET settings = excluded.settings, updated_ms = excluded.updated_ms",
    )
    .bind(company.as_str())
    .bind(json(rules)?)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// What a company's desk goes by; nothing where that is the usual.
pub async fn of_company(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
) -> Result<Option<Rules>, Error> {
    let found = sqlx::query("SELECT settings FROM desk_settings WHERE company = $1")
        .bind(company.as_str())
        .try_map(|row: AnyRow| row.json("settings"))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// What all desks go by, where it is not the usual.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<(CompanyId, Rules)>, Error> {
    let found = sqlx::query("SELECT company, settings FROM desk_settings ORDER BY company")
        .try_map(|row: AnyRow| Ok((row.parsed("company")?, row.json("settings")?)))
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Writes where an agent may hand work to, in the place of what was. [`Error::Reference`] when they
/// are not of the company.
pub async fn put_transfers(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
    transfers: &Transfers,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO agent_rules (company, user_id, transfers) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET transfers = excluded.transfers",
    )
    .bind(company.as_str())
    .bind(user.as_str())
    .bind(json(transfers)?)
    .execute(db)
    .await?;
    Ok(())
}

/// Where an agent may hand work to; nothing where that is the usual.
pub async fn transfers_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
) -> Result<Option<Transfers>, Error> {
    let found =
        sqlx::query("SELECT transfers FROM agent_rules WHERE company = $1 AND user_id = $2")
            .bind(company.as_str())
            .bind(user.as_str())
            .try_map(|row: AnyRow| row.json("transfers"))
            .fetch_optional(db)
            .await?;
    Ok(found)
}

/// Where all agents may hand work to, where it is not the usual.
pub async fn transfers(db: impl AnyExecutor<'_>) -> Result<Vec<(UserId, Transfers)>, Error> {
    let found = sqlx::query("SELECT user_id, transfers FROM agent_rules ORDER BY user_id")
        .try_map(|row: AnyRow| Ok((row.parsed("user_id")?, row.json("transfers")?)))
        .fetch_all(db)
        .await?;
    Ok(found)
}

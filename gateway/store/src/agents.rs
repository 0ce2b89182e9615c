//! SQL of agents: who takes the work of which service.

use desk::id::{CompanyId, ServiceId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::Columns;

/// Somebody who takes the work of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Whose both are.
    pub company: CompanyId,
    /// Of which service.
    pub service: ServiceId,
    /// Who.
    pub user: UserId,
}

/// Lets a person take the work of a service, whether they did before or not. [`Error::Reference`]
/// when one of them is not of the company.
pub async fn add(db: impl AnyExecutor<'_>, member: &Member) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO service_agents (company, service, user_id) VALUES ($1, $2, $3)
         ON CONFLICT (service, user_id) DO NOTHING",
    )
    .bind(member.company.as_str())
    .bind(member.service.as_str())
    .bind(member.user.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// Lets nobody take the work of a service any more.
pub async fn clear(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    service: &ServiceId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM service_agents WHERE company = $1 AND service = $2")
        .bind(company.as_str())
        .bind(service.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Who takes the work of a service, the oldest first.
pub async fn of_service(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    service: &ServiceId,
) -> Result<Vec<UserId>, Error> {
    let found = sqlx::query(
        "SELECT user_id FROM service_agents WHERE company = $1 AND service = $2 ORDER BY user_id",
    )
    .bind(company.as_str())
    .bind(service.as_str())
    .try_map(|row: AnyRow| row.parsed("user_id"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Whose work somebody takes.
pub async fn services_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
) -> Result<Vec<ServiceId>, Error> {
    let found = sqlx::query(
        "SELECT service FROM service_agents WHERE company = $1 AND user_id = $2 ORDER BY service",
    )
    .bind(company.as_str())
    .bind(user.as_str())
    .try_map(|row: AnyRow| row.parsed("service"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The people who take the work of a service whose work somebody takes: they themselves among them.
pub async fn beside(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
) -> Result<Vec<UserId>, Error> {
    let found = sqlx::query(
        "SELECT DISTINCT user_id FROM service_agents
          WHERE company = $1
            AND service IN (SELECT service FROM service_agents WHERE company = $1 AND user_id = $2)",
    )
    .bind(company.as_str())
    .bind(user.as_str())
    .try_map(|row: AnyRow| row.parsed("user_id"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Who takes the work of which service in all companies, for the directory.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Member>, Error> {
    let read = |row: AnyRow| {
        Ok(Member {
            company: row.parsed("company")?,
            service: row.parsed("service")?,
            user: row.parsed("user_id")?,
        })
    };
    let found = sqlx::query("SELECT * FROM service_agents ORDER BY service, user_id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

//! SQL of the audit log: what administrators did. Lines are only ever appended.

use desk::id::{ApiKeyId, AuditId, CompanyId, UserId};
use serde::Serialize;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, PAGE_MAX};

/// One thing that somebody did, or tried to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its id.
    pub id: AuditId,
    /// In which company; none is the installation.
    pub company: Option<CompanyId>,
    /// Who, where a person did it. Kept when the person is gone.
    pub user: Option<UserId>,
    /// By which key, where another system did it.
    pub api_key: Option<ApiKeyId>,
    /// When.
    pub at_ms: i64,
    /// What, in one dotted word (`trunk.update`, `session.refused`).
    pub action: String,
    /// To what: the id of the thing, or empty.
    pub target: String,
    /// The particulars, without secrets.
    pub detail: serde_json::Value,
    /// From which address.
    pub remote: String,
}

/// Appends a line. In the transaction of what it tells, so that neither is there alone.
pub async fn append(db: impl AnyExecutor<'_>, line: &Line) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO audit (id, company, user_id, api_key, at_ms, action, target, detail, remote)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(line.id.as_str())
    .bind(line.company.as_ref().map(CompanyId::as_str))
    .bind(line.user.as_ref().map(UserId::as_str))
    .bind(line.api_key.as_ref().map(ApiKeyId::as_str))
    .bind(line.at_ms)
    .bind(&line.action)
    .bind(&line.target)
    .bind(json(&line.detail)?)
    .bind(&line.remote)
    .execute(db)
    .await?;
    Ok(())
}

/// Lists the lines of a company (`None`: of the installation), the newest first, older than
/// `before`.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
    before: Option<&AuditId>,
    limit: u32,
) -> Result<Vec<Line>, Error> {
    let found = sqlx::query(
        "SELECT * FROM audit
          WHERE company IS NOT DISTINCT FROM $1 AND ($2 IS NULL OR id < $2)
          ORDER BY id DESC LIMIT $3",
    )
    .bind(company.map(CompanyId::as_str))
    .bind(before.map(AuditId::as_str))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The latest line of one kind about one thing of a company.
pub async fn latest(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    action: &str,
    target: &str,
) -> Result<Option<Line>, Error> {
    let found = sqlx::query(
        "SELECT * FROM audit WHERE company = $1 AND action = $2 AND target = $3 ORDER BY id DESC LIMIT 1",
    )
    .bind(company.as_str())
    .bind(action)
    .bind(target)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

fn read(row: AnyRow) -> sqlx::Result<Line> {
    Ok(Line {
        id: row.parsed("id")?,
        company: row.parsed_maybe("company")?,
        user: row.parsed_maybe("user_id")?,
        api_key: row.parsed_maybe("api_key")?,
        at_ms: row.whole("at_ms")?,
        action: row.text("action")?,
        target: row.text("target")?,
        detail: row.json("detail")?,
        remote: row.text("remote")?,
    })
}

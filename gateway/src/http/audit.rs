//! `/audit`: what administrators did. Nobody changes it.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{ApiKeyId, AuditId, CompanyId, UserId};
use serde::Serialize;
use store::audit;

use super::App;
use super::body::{Asked, Listed, Paging};
use super::problem::{Problem, ProblemBody};
use super::who::Governs;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/audit", get(list))
}

/// One thing that somebody did, or tried to do.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AuditLine {
    #[schema(value_type = String)]
    id: AuditId,
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    #[schema(value_type = Option<String>)]
    api_key: Option<ApiKeyId>,
    at_ms: i64,
    /// In one dotted word: `trunk.update`.
    action: String,
    /// The id of the thing.
    target: String,
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// From which address.
    remote: String,
}

impl From<audit::Line> for AuditLine {
    fn from(row: audit::Line) -> Self {
        Self {
            id: row.id,
            company: row.company,
            user: row.user,
            api_key: row.api_key,
            at_ms: row.at_ms,
            action: row.action,
            target: row.target,
            detail: row.detail,
            remote: row.remote,
        }
    }
}

/// List what was done, the newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "records",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<AuditLine>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Governs(scope): Governs,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<AuditLine>>, Problem> {
    let before = paging.page()?.after;
    let company = scope.company.as_ref();
    let rows = audit::list(app.store.pool(), company, before.as_ref(), paging.limit()).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &audit::Line| {
        row.id.to_string()
    }))
}

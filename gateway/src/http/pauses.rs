//! `/pauses`: the reasons for which agents may stop taking work for a while.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, PauseId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::pauses;

use super::body::{Asked, Body, Id, Listed, Paging, name, within};
use super::problem::{Problem, ProblemBody};
use super::who::{Tenant, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/pauses", get(list).post(create))
        .route("/api/v1/pauses/{id}", get(read).put(update).delete(delete))
}

/// What can be set of a reason for pauses.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Almoço", "limit_min": 60, "paid": false}))]
pub(super) struct PauseSettings {
    name: String,
    /// How long it should last, in minutes; beyond it supervisors are told. As long as it takes when
    /// not set.
    #[serde(default)]
    limit_min: Option<u32>,
    /// Whether it counts as working time.
    #[serde(default)]
    paid: bool,
    /// Whether nobody may choose it any more.
    #[serde(default)]
    disabled: bool,
}

/// A reason for pauses.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Pause {
    #[schema(value_type = String)]
    id: PauseId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: PauseSettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<pauses::Pause> for Pause {
    fn from(row: pauses::Pause) -> Self {
        let settings = PauseSettings {
            name: row.name,
            limit_min: row.limit_s.map(|limit| limit.div_ceil(60)),
            paid: row.paid,
            disabled: row.disabled,
        };
        Self {
            id: row.id,
            company: row.company,
            settings,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

fn row(
    id: PauseId,
    company: &CompanyId,
    created_ms: i64,
    updated_ms: i64,
    asked: &PauseSettings,
) -> Result<pauses::Pause, Problem> {
    let limit_min = asked
        .limit_min
        .map(|limit| within(limit, 1, DAY_MIN, "limit_min"));
    Ok(pauses::Pause {
        id,
        company: company.clone(),
        name: name(&asked.name)?,
        limit_s: limit_min.transpose()?.map(|limit| limit * 60),
        paid: asked.paid,
        disabled: asked.disabled,
        created_ms,
        updated_ms,
    })
}

/// List the reasons for pauses
///
/// Everybody of the company may: whoever pauses chooses one.
#[utoipa::path(get, path = "/api/v1/pauses", tag = "agents",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Pause>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    tenant: Tenant,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Pause>>, Problem> {
    let rows = pauses::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &pauses::Pause| {
        row.id.to_string()
    }))
}

/// Read a reason for pauses
#[utoipa::path(get, path = "/api/v1/pauses/{id}", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Pause), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<PauseId>,
) -> Result<Json<Pause>, Problem> {
    let found = pauses::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a reason for pauses
#[utoipa::path(post, path = "/api/v1/pauses", tag = "agents", params(("company" = Option<String>, Query)),
    request_body = PauseSettings,
    responses((status = 201, body = Pause), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<PauseSettings>,
) -> Result<(StatusCode, Json<Pause>), Problem> {
    let now_ms = app.now_ms();
    let row = row(
        app.id(PauseId::new),
        &tenant.company,
        now_ms,
        now_ms,
        &asked,
    )?;
    let mut db = app.store.begin().await?;
    pauses::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("pause.create", &row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a reason for pauses
#[utoipa::path(put, path = "/api/v1/pauses/{id}", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = PauseSettings,
    responses((status = 200, body = Pause), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<PauseId>,
    Body(asked): Body<PauseSettings>,
) -> Result<Json<Pause>, Problem> {
    let mut db = app.store.begin().await?;
    let old = pauses::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(id, &tenant.company, old.created_ms, app.now_ms(), &asked)?;
    pauses::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("pause.update", &row)).await?;
    Ok(Json(row.into()))
}

/// Delete a reason for pauses
///
/// Who pauses for it goes on pausing.
#[utoipa::path(delete, path = "/api/v1/pauses/{id}", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<PauseId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if !pauses::delete(&mut *db, &tenant.company, &id).await? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "pause.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a pauses::Pause) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({ "name": row.name }),
    }
}

/// A pause of a day is an absence.
const DAY_MIN: u32 = 24 * 60;

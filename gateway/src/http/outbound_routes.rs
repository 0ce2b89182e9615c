//! `/outbound-routes`: by which carriers calls leave.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, OutboundRouteId, TrunkId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::outbound;

use super::body::{Asked, Body, Id, Listed, Paging, name, within};
use super::outbound_rules::refused;
use super::problem::{Problem, ProblemBody};
use super::who::Administers;
use super::{App, Deed};
use crate::setup;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/outbound-routes", get(list).post(create))
        .route(
            "/api/v1/outbound-routes/{id}",
            get(read).put(update).delete(delete),
        )
}

/// What can be set of a route.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Celulares", "trunk": "…", "prefix": "+55XX9", "cost_per_minute": 90}))]
pub(super) struct RouteSettings {
    name: String,
    /// The carrier.
    #[schema(value_type = String)]
    trunk: TrunkId,
    /// The beginning of the numbers it is for: `+` and digits, `X` being any digit, or the digits
    /// of a service (`190`); all numbers when not set. The longest that fits is tried first, the
    /// shorter ones behind it.
    #[serde(default)]
    prefix: String,
    /// Of several with the same prefix, the smallest is tried first: 0 to 1000.
    #[serde(default = "ten")]
    priority: u32,
    /// How often it is the first of those with the same prefix and priority, in proportion: 0 to
    /// 1000.
    #[serde(default = "one")]
    weight: u32,
    /// Calls at once.
    #[serde(default)]
    calls_max: Option<u32>,
    /// Calls that may begin in one second.
    #[serde(default)]
    calls_per_second_max: Option<u32>,
    /// What a minute costs, in thousandths of the currency. The first half minute is counted whole,
    /// then every tenth of a minute that has begun.
    #[serde(default)]
    cost_per_minute: u32,
    /// What the callee sees, where neither service nor number say it.
    #[serde(default)]
    caller_number: Option<String>,
    /// Whether nothing leaves by it.
    #[serde(default)]
    disabled: bool,
}

fn ten() -> u32 {
    10
}

fn one() -> u32 {
    1
}

/// A way by which calls leave.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OutboundRoute)]
pub(super) struct Route {
    #[schema(value_type = String)]
    id: OutboundRouteId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: RouteSettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<outbound::Route> for Route {
    fn from(row: outbound::Route) -> Self {
        Self {
            id: row.id,
            company: row.company,
            settings: RouteSettings {
                name: row.name,
                trunk: row.trunk,
                prefix: row.prefix,
                priority: row.priority.into(),
                weight: row.weight.into(),
                calls_max: row.calls_max,
                calls_per_second_max: row.calls_per_second_max,
                cost_per_minute: row.cost_per_minute,
                caller_number: row.caller_number,
                disabled: row.disabled,
            },
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

fn row(
    id: OutboundRouteId,
    company: &CompanyId,
    created_ms: i64,
    updated_ms: i64,
    asked: RouteSettings,
) -> Result<outbound::Route, Problem> {
    let rank = |value, field| {
        let value = within(value, 0, RANK_MAX, field)?;
        u16::try_from(value).map_err(|_| Problem::field(field, "out_of_range"))
    };
    let at_least_one = |value: Option<u32>, field| {
        value
            .map(|max| within(max, 1, CALLS_MAX, field))
            .transpose()
    };
    let row = outbound::Route {
        id,
        company: company.clone(),
        name: name(&asked.name)?,
        trunk: asked.trunk,
        prefix: asked.prefix,
        priority: rank(asked.priority, "priority")?,
        weight: rank(asked.weight, "weight")?,
        calls_max: at_least_one(asked.calls_max, "calls_max")?,
        calls_per_second_max: at_least_one(asked.calls_per_second_max, "calls_per_second_max")?,
        cost_per_minute: within(asked.cost_per_minute, 0, COST_MAX, "cost_per_minute")?,
        caller_number: asked.caller_number,
        disabled: asked.disabled,
        created_ms,
        updated_ms,
    };
    setup::outbound::route(&row).map_err(|wrong| refused(&wrong))?;
    Ok(row)
}

/// List outbound routes
#[utoipa::path(get, path = "/api/v1/outbound-routes", tag = "outbound",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Route>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Administers(tenant): Administers,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Route>>, Problem> {
    let rows = outbound::list_routes(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &outbound::Route| {
        row.id.to_string()
    }))
}

/// Read an outbound route
#[utoipa::path(get, path = "/api/v1/outbound-routes/{id}", tag = "outbound",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Route), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<OutboundRouteId>,
) -> Result<Json<Route>, Problem> {
    let found = outbound::route_by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add an outbound route
///
/// From the first route on, calls leave by routes alone.
#[utoipa::path(post, path = "/api/v1/outbound-routes", tag = "outbound", params(("company" = Option<String>, Query)),
    request_body = RouteSettings,
    responses((status = 201, body = Route), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(asked): Body<RouteSettings>,
) -> Result<(StatusCode, Json<Route>), Problem> {
    let now_ms = app.now_ms();
    let id = app.id(OutboundRouteId::new);
    let row = row(id, &tenant.company, now_ms, now_ms, asked)?;
    let mut db = app.store.begin().await?;
    outbound::insert_route(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("outbound_route.create", &row))
        .await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change an outbound route
///
/// What is not set gets its default.
#[utoipa::path(put, path = "/api/v1/outbound-routes/{id}", tag = "outbound",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = RouteSettings,
    responses((status = 200, body = Route), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<OutboundRouteId>,
    Body(asked): Body<RouteSettings>,
) -> Result<Json<Route>, Problem> {
    let mut db = app.store.begin().await?;
    let old = outbound::route_by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(id, &tenant.company, old.created_ms, app.now_ms(), asked)?;
    outbound::update_route(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("outbound_route.update", &row))
        .await?;
    Ok(Json(row.into()))
}

/// Delete an outbound route
#[utoipa::path(delete, path = "/api/v1/outbound-routes/{id}", tag = "outbound",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<OutboundRouteId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if !outbound::delete_route(&mut *db, &tenant.company, &id).await? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "outbound_route.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a outbound::Route) -> Deed<'a> {
    let detail = json!({ "name": row.name, "prefix": row.prefix, "trunk": row.trunk });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

/// Priorities and weights: more steps than anybody has carriers.
const RANK_MAX: u32 = 1_000;

/// More calls than one machine carries.
const CALLS_MAX: u32 = 100_000;

/// A thousand of the currency a minute: what satellites cost, and room for every currency.
const COST_MAX: u32 = 1_000_000;

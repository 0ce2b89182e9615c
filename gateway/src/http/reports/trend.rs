//! The day so far, by quarters of an hour: the lines of a wall.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use desk::id::ServiceId;
use serde::Serialize;
use store::reports::{By, Figures, Filter};

use super::super::App;
use super::super::body::Id;
use super::super::problem::{Problem, ProblemBody};
use super::super::who::{Reads, Tenant};
use super::figures::Counted;
use super::window::Window;
use super::zone;

/// The day of a service so far.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Trend {
    #[schema(value_type = String)]
    service: ServiceId,
    /// By quarters of an hour of the company's clock, from midnight until now; the last one is not over.
    quarters: Vec<TrendQuarter>,
}

/// A quarter of an hour.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct TrendQuarter {
    /// When it began, milliseconds since 1970 (UTC).
    from_ms: i64,
    /// Of the waits that began in it and are over.
    #[serde(flatten)]
    counted: Counted,
}

/// The days of services so far.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Trends {
    items: Vec<Trend>,
}

/// The day of a service so far, by quarters of an hour
#[utoipa::path(get, path = "/api/v1/services/{id}/trend", tag = "services",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Trend), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(in crate::http) async fn trend(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ServiceId>,
) -> Result<Json<Trend>, Problem> {
    let found = store::services::by_id(app.store.pool(), &tenant.company, &id).await?;
    found.ok_or_else(Problem::not_found)?;
    let today = Window::of(zone(&app, &tenant).await?, app.now_ms(), None, None)?;
    Ok(Json(of_service(&app, &tenant, id, &today).await?))
}

/// The days of all services so far, by quarters of an hour
#[utoipa::path(get, path = "/api/v1/trend", tag = "services", params(("company" = Option<String>, Query)),
    responses((status = 200, body = Trends), (status = 403, body = ProblemBody)))]
pub(in crate::http) async fn trends(
    State(app): State<App>,
    Reads(tenant): Reads,
) -> Result<Json<Trends>, Problem> {
    let today = Window::of(zone(&app, &tenant).await?, app.now_ms(), None, None)?;
    let services = store::services::all(app.store.pool()).await?.into_iter();
    let mut items = vec![];
    for service in services.filter(|row| {
        row.company == tenant.company && !row.disabled && tenant.reaches(Some(&row.id))
    }) {
        items.push(of_service(&app, &tenant, service.id, &today).await?);
    }
    Ok(Json(Trends { items }))
}

async fn of_service(
    app: &App,
    tenant: &Tenant,
    service: ServiceId,
    today: &Window,
) -> Result<Trend, Problem> {
    let filter = Filter {
        service: Some(service.clone()),
        ..Filter::default()
    };
    let db = app.store.pool();
    let now_ms = app.now_ms();
    let mut quarters = vec![];
    for stretch in today.stretches() {
        let counted =
            store::reports::count(db, &tenant.company, By::Quarter, &[stretch], &filter).await?;
        let mut from_ms = stretch.from_ms;
        while from_ms < stretch.until_ms.min(now_ms) {
            quarters.push(quarter(from_ms, &counted, stretch.offset_ms));
            from_ms += QUARTER_MS - (from_ms + stretch.offset_ms).rem_euclid(QUARTER_MS);
        }
    }
    Ok(Trend { service, quarters })
}

fn quarter(from_ms: i64, counted: &BTreeMap<String, Figures>, offset_ms: i64) -> TrendQuarter {
    let key = ((from_ms + offset_ms) / QUARTER_MS).to_string();
    let figures = counted.get(&key).copied().unwrap_or_default();
    TrendQuarter {
        from_ms,
        counted: Counted::of(&figures),
    }
}

const QUARTER_MS: i64 = 15 * 60 * 1000;

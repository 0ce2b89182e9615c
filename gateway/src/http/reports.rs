//! `/reports`: what was done, counted by service, agent, channel, hour and day, and what customers thought
//! of it; as JSON and, from the same count, as a table.

pub(super) mod agents;
mod figures;
pub(super) mod surveys;
mod table;
pub(super) mod trend;
pub(super) mod window;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{ServiceId, UserId};
use desk::record::Medium;
use jiff::civil::Date;
use serde::Deserialize;
use store::reports::{By, Figures, Filter};

use super::App;
use super::body::Asked;
use super::problem::{Problem, ProblemBody, Tongue};
use super::who::{Reads, Tenant};
use figures::{Report, ReportRow};
use window::Window;

use agents::{agents, agents_table};
use surveys::{surveys, surveys_table};
use trend::{trend, trends};

pub(super) fn routes() -> Router<App> {
    let at = |what: &str| format!("/api/v1/reports/{what}");
    Router::new()
        .route(&at("services"), get(services))
        .route(&at("services.csv"), get(services_table))
        .route(&at("agents"), get(agents))
        .route(&at("agents.csv"), get(agents_table))
        .route(&at("channels"), get(channels))
        .route(&at("channels.csv"), get(channels_table))
        .route(&at("hours"), get(hours))
        .route(&at("hours.csv"), get(hours_table))
        .route(&at("days"), get(days))
        .route(&at("days.csv"), get(days_table))
        .route(&at("surveys"), get(surveys))
        .route(&at("surveys.csv"), get(surveys_table))
        .route("/api/v1/trend", get(trends))
        .route("/api/v1/services/{id}/trend", get(trend))
}

/// What is counted; what is not set does not matter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The first day (`2026-11-01`), by the company's clock, or a moment: RFC 3339, or milliseconds since 1970.
    /// Today when not set.
    from: Option<String>,
    /// The last day, which is part of it, or the moment at which it ends. The day of `from` when not set.
    until: Option<String>,
    /// Of this service, by its id.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Of this agent, by their id.
    #[param(value_type = Option<String>)]
    agent: Option<UserId>,
    /// `phone`, `chat`, `email` or `task`.
    medium: Option<String>,
    /// On this channel or number, by its id.
    channel: Option<String>,
}

impl Wanted {
    fn filter(&self, tenant: &Tenant) -> Result<Filter, Problem> {
        let medium: Option<Medium> = self
            .medium
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| Problem::malformed("malformed").at("medium"))?;
        Ok(Filter {
            service: self.service.clone(),
            agent: self.agent.clone(),
            medium,
            channel: self.channel.clone(),
            seen_by: tenant.seen_by(),
        })
    }
}

/// Figures by service
///
/// Services that are open to customers stand there even with nothing to count.
#[utoipa::path(get, path = "/api/v1/reports/services", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Report), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn services(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(by_service(&app, &tenant, &wanted).await?))
}

/// Figures by service as a table
#[utoipa::path(get, path = "/api/v1/reports/services.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn services_table(
    State(app): State<App>,
    Reads(tenant): Reads,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let report = by_service(&app, &tenant, &wanted).await?;
    Ok(table::answer(
        "services",
        table::figures(&report, table::What::Service, tongue(&headers)),
    ))
}

async fn by_service(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<Report, Problem> {
    let (window, mut counted) = count(app, tenant, wanted, By::Service).await?;
    let all = store::services::all(app.store.pool()).await?.into_iter();
    let mut rows = vec![];
    let mut own: Vec<_> = all.filter(|row| row.company == tenant.company).collect();
    own.sort_by(|one, other| one.name.cmp(&other.name));
    for service in own {
        let figures = counted.remove(service.id.as_str());
        let is_asked = wanted.service.as_ref().is_none_or(|id| *id == service.id);
        let is_wanted = is_asked && tenant.reaches(Some(&service.id));
        if figures.is_some() || (!service.disabled && is_wanted) {
            rows.push(ReportRow {
                name: Some(service.name),
                target_ms: service.rules.targets.answer_ms,
                ..ReportRow::new(service.id.to_string(), &figures.unwrap_or_default())
            });
        }
    }
    // Those that are gone.
    rows.extend(
        counted
            .iter()
            .map(|(id, figures)| ReportRow::new(id.clone(), figures)),
    );
    Ok(Report::of(&window, rows))
}

/// Figures by channel
///
/// A channel is a way by which customers write, or a number that they call.
#[utoipa::path(get, path = "/api/v1/reports/channels", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Report), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn channels(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(by_channel(&app, &tenant, &wanted).await?))
}

/// Figures by channel as a table
#[utoipa::path(get, path = "/api/v1/reports/channels.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn channels_table(
    State(app): State<App>,
    Reads(tenant): Reads,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let report = by_channel(&app, &tenant, &wanted).await?;
    Ok(table::answer(
        "channels",
        table::figures(&report, table::What::Channel, tongue(&headers)),
    ))
}

async fn by_channel(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<Report, Problem> {
    let (window, counted) = count(app, tenant, wanted, By::Channel).await?;
    let db = app.store.pool();
    let channels = store::channels::all(db).await?.into_iter();
    let channels = channels.filter(|row| row.company == tenant.company);
    let mut names: BTreeMap<String, String> =
        channels.map(|row| (row.id.to_string(), row.name)).collect();
    let numbers = store::numbers::all(db).await?.into_iter();
    let numbers = numbers.filter(|row| row.company == tenant.company);
    names.extend(numbers.map(|row| (row.id.to_string(), format!("{} ({})", row.name, row.number))));
    let rows = counted.iter().map(|(key, figures)| {
        let (medium, channel) = key.split_once(':').unwrap_or((key, ""));
        ReportRow {
            name: names.get(channel).cloned(),
            medium: Some(medium.to_owned()),
            ..ReportRow::new(channel.to_owned(), figures)
        }
    });
    Ok(Report::of(&window, rows.collect()))
}

/// Figures by the hour of the day
///
/// All days together: `key` is the hour, `0` to `23`, by the company's clock.
#[utoipa::path(get, path = "/api/v1/reports/hours", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Report), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn hours(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(by_hour(&app, &tenant, &wanted).await?))
}

/// Figures by the hour of the day as a table
#[utoipa::path(get, path = "/api/v1/reports/hours.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn hours_table(
    State(app): State<App>,
    Reads(tenant): Reads,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let report = by_hour(&app, &tenant, &wanted).await?;
    Ok(table::answer(
        "hours",
        table::figures(&report, table::What::Hour, tongue(&headers)),
    ))
}

async fn by_hour(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<Report, Problem> {
    let (window, counted) = count(app, tenant, wanted, By::Hour).await?;
    let row = |hour: i8| {
        let key = hour.to_string();
        let figures = counted.get(&key).copied().unwrap_or_default();
        ReportRow::new(key, &figures)
    };
    Ok(Report::of(&window, (0..24).map(row).collect()))
}

/// Figures by day
///
/// `key` is the day (`2026-11-23`), by the company's clock; days with nothing to count stand there too.
#[utoipa::path(get, path = "/api/v1/reports/days", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Report), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn days(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(by_day(&app, &tenant, &wanted).await?))
}

/// Figures by day as a table
#[utoipa::path(get, path = "/api/v1/reports/days.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn days_table(
    State(app): State<App>,
    Reads(tenant): Reads,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let report = by_day(&app, &tenant, &wanted).await?;
    Ok(table::answer(
        "days",
        table::figures(&report, table::What::Day, tongue(&headers)),
    ))
}

async fn by_day(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<Report, Problem> {
    let (window, counted) = count(app, tenant, wanted, By::Day).await?;
    let epoch = Date::constant(1970, 1, 1);
    let rows = window.days().map(|day| {
        let since = day.since(epoch).map_or(0, |span| span.get_days());
        let figures = counted.get(&since.to_string()).copied().unwrap_or_default();
        ReportRow::new(day.to_string(), &figures)
    });
    Ok(Report::of(&window, rows.collect()))
}

/// Counts what is wanted.
async fn count(
    app: &App,
    tenant: &Tenant,
    wanted: &Wanted,
    by: By,
) -> Result<(Window, BTreeMap<String, Figures>), Problem> {
    let window = window(app, tenant, wanted).await?;
    let filter = wanted.filter(tenant)?;
    let (db, stretches) = (app.store.pool(), window.stretches());
    let counted = store::reports::count(db, &tenant.company, by, &stretches, &filter).await?;
    Ok((window, counted))
}

/// The time that is wanted, by the company's clock.
async fn window(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<Window, Problem> {
    let zone = zone(app, tenant).await?;
    Window::of(
        zone,
        app.now_ms(),
        wanted.from.as_deref(),
        wanted.until.as_deref(),
    )
}

pub(super) async fn zone(app: &App, tenant: &Tenant) -> Result<jiff::tz::TimeZone, Problem> {
    let company = store::companies::by_id(app.store.pool(), &tenant.company).await?;
    let company = company.ok_or_else(Problem::not_found)?;
    jiff::tz::TimeZone::get(&company.time_zone).map_err(|error| Problem::unavailable(&error))
}

/// What people are called.
async fn people(app: &App, tenant: &Tenant) -> Result<BTreeMap<UserId, String>, Problem> {
    let users = store::users::of_companies(app.store.pool())
        .await?
        .into_iter();
    let own = users.filter(|user| user.company.as_ref() == Some(&tenant.company));
    Ok(own.map(|user| (user.id, user.name)).collect())
}

fn tongue(headers: &HeaderMap) -> Tongue {
    Tongue::of(headers.get(header::ACCEPT_LANGUAGE))
}

//! `/calendars`: opening hours with a name.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CalendarId, CompanyId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::calendars;

use super::body::{Asked, Body, Id, Listed, Paging, moment, name};
use super::problem::{Problem, ProblemBody};
use super::who::{Reads, Writes};
use super::{App, Deed};

use ivr::hours::{Calendar as Hours, State as HoursState, Why};
use ivr::validate::{is_publishable, validate_calendar};
use media_engine_net::clock;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/calendars", get(list).post(create))
        .route(
            "/api/v1/calendars/{id}",
            get(read).put(update).delete(delete),
        )
        .route("/api/v1/calendars/{id}/state", get(state))
}

/// What can be set of a calendar.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Comercial", "hours": {
    "time_zone": "America/Sao_Paulo",
    "schedule": {"weekly": {"monday": [{"from": "08:00", "to": "12:00"}, {"from": "13:00", "to": "18:00"}]}},
    "holidays": "brazil",
    "dates": [{"name": "Aniversário da cidade", "on": "2027-01-25", "every_year": true, "hours": "closed"}]
}}))]
pub(super) struct CalendarSettings {
    name: String,
    /// Time zone, schedule (`"always"` or by weekday), holidays (`none`, `brazil`,
    /// `brazil-with-optional`) and dates of the company's own.
    #[schema(value_type = Object)]
    hours: serde_json::Value,
}

/// A calendar.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Calendar {
    #[schema(value_type = String)]
    id: CalendarId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: CalendarSettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<calendars::Calendar> for Calendar {
    fn from(row: calendars::Calendar) -> Self {
        let settings = CalendarSettings {
            name: row.name,
            hours: row.hours,
        };
        let (created_ms, updated_ms) = (row.created_ms, row.updated_ms);
        Self {
            id: row.id,
            company: row.company,
            settings,
            created_ms,
            updated_ms,
        }
    }
}

fn row(
    id: CalendarId,
    company: &CompanyId,
    created_ms: i64,
    updated_ms: i64,
    asked: CalendarSettings,
) -> Result<calendars::Calendar, Problem> {
    let findings = validate_calendar(&hours(asked.hours.clone())?);
    if !is_publishable(&findings) {
        return Err(Problem::field("hours", "findings").with_findings(findings));
    }
    let name = name(&asked.name)?;
    Ok(calendars::Calendar {
        id,
        company: company.clone(),
        name,
        hours: asked.hours,
        created_ms,
        updated_ms,
    })
}

fn hours(value: serde_json::Value) -> Result<Hours, Problem> {
    serde_json::from_value(value)
        .map_err(|error| Problem::field("hours", "invalid_hours").because(error))
}

/// Whether a calendar is open.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({"open": false, "opens_at": "2026-11-23T11:00:00Z", "why": "hours"}))]
pub(super) struct Openness {
    open: bool,
    /// While open: until when; nothing when there is no end in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    closes_at: Option<jiff::Timestamp>,
    /// While closed: until when; nothing when there is no opening in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    opens_at: Option<jiff::Timestamp>,
    /// While closed: `hours`, `holiday` or `date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// The name of that holiday or date.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
}

impl From<HoursState> for Openness {
    fn from(state: HoursState) -> Self {
        match state {
            HoursState::Open { closes_at } => Self {
                open: true,
                closes_at,
                opens_at: None,
                why: None,
                day: None,
            },
            HoursState::Closed { opens_at, why } => {
                let (why, day) = match why {
                    Why::Hours => ("hours", None),
                    Why::Holiday(name) => ("holiday", Some(name.to_owned())),
                    Why::OwnDate(name) => ("date", Some(name)),
                };
                Self {
                    open: false,
                    closes_at: None,
                    opens_at,
                    why: Some(why),
                    day,
                }
            }
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    /// The moment: RFC 3339, or milliseconds since 1970; now when not set.
    at: Option<String>,
}

/// Is it open?
#[utoipa::path(get, path = "/api/v1/calendars/{id}/state", tag = "calendars",
    params(("id" = String, Path), At, ("company" = Option<String>, Query)),
    responses((status = 200, body = Openness), (status = 404, body = ProblemBody)))]
pub(super) async fn state(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<CalendarId>,
    Asked(asked): Asked<At>,
) -> Result<Json<Openness>, Problem> {
    let at = asked
        .at
        .map_or_else(|| Ok(clock::wall()), |at| moment(&at, "at"))?;
    let found = calendars::by_id(app.store.pool(), &tenant.company, &id).await?;
    let calendar = hours(found.ok_or_else(Problem::not_found)?.hours)?;
    Ok(Json(calendar.state(at).into()))
}

/// List calendars
#[utoipa::path(get, path = "/api/v1/calendars", tag = "calendars",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Calendar>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Calendar>>, Problem> {
    let rows = calendars::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(
        rows,
        paging.limit(),
        |row: &calendars::Calendar| row.id.to_string(),
    ))
}

/// Read a calendar
#[utoipa::path(get, path = "/api/v1/calendars/{id}", tag = "calendars",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Calendar), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<CalendarId>,
) -> Result<Json<Calendar>, Problem> {
    let found = calendars::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a calendar
#[utoipa::path(post, path = "/api/v1/calendars", tag = "calendars", params(("company" = Option<String>, Query)),
    request_body = CalendarSettings,
    responses((status = 201, body = Calendar), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<CalendarSettings>,
) -> Result<(StatusCode, Json<Calendar>), Problem> {
    let now_ms = app.now_ms();
    let id = app.id(CalendarId::new);
    let row = row(id, &tenant.company, now_ms, now_ms, asked)?;
    let mut db = app.store.begin().await?;
    calendars::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("calendar.create", &row))
        .await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a calendar
///
/// What is not set gets its default.
#[utoipa::path(put, path = "/api/v1/calendars/{id}", tag = "calendars",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = CalendarSettings,
    responses((status = 200, body = Calendar), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<CalendarId>,
    Body(asked): Body<CalendarSettings>,
) -> Result<Json<Calendar>, Problem> {
    let mut db = app.store.begin().await?;
    let old = calendars::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(id, &tenant.company, old.created_ms, app.now_ms(), asked)?;
    calendars::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("calendar.update", &row))
        .await?;
    Ok(Json(row.into()))
}

/// Delete a calendar
#[utoipa::path(delete, path = "/api/v1/calendars/{id}", tag = "calendars",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<CalendarId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if super::flows::names(&mut db, id.as_str()).await? {
        return Err(Problem::conflict("in_use"));
    }
    let was = calendars::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let company = Some(&tenant.company);
    let deed = Deed {
        company,
        action: "calendar.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a calendars::Calendar) -> Deed<'a> {
    let detail = json!({ "name": row.name });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

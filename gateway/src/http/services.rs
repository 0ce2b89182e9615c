//! `/services`: what the customer chooses (Vendas, Suporte), each a line of its own.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CalendarId, CompanyId, PromptId, ServiceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::services::{self, CallSettings};

use super::body::{Asked, Body, Id, Listed, Paging, name, within};
use super::problem::{Problem, ProblemBody};
use super::service_rules::{self, ServiceCalls, WorkRules};
use super::who::{Reads, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/services", get(list).post(create))
        .route(
            "/api/v1/services/{id}",
            get(read).put(update).delete(delete),
        )
}

/// What can be set of a service.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Vendas", "wait_limit_s": 300, "say_position": true}))]
pub(super) struct ServiceSettings {
    name: String,
    /// How long one waits at most, in seconds.
    #[serde(default = "five_minutes")]
    wait_limit_s: u32,
    /// How many may wait at once.
    #[serde(default)]
    waiting_max: Option<u32>,
    /// What plays while one waits; the music that ships when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    music_prompt: Option<PromptId>,
    /// What is said between the music.
    #[serde(default)]
    announcements: Vec<Announcement>,
    /// Whether they are told how many are before them.
    #[serde(default)]
    say_position: bool,
    /// What plays when the limit is reached; the message that ships when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    unanswered_prompt: Option<PromptId>,
    /// When people are there; always when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    calendar: Option<CalendarId>,
    /// How long an agent's phones ring before the next one is asked, in seconds.
    #[serde(default = "four_rings")]
    ring_s: u32,
    /// How long an agent has after a call before the next one, in seconds.
    #[serde(default)]
    wrap_up_s: u32,
    /// How its work is treated.
    #[serde(default)]
    rules: WorkRules,
    /// How its calls are treated.
    #[serde(default)]
    calls: ServiceCalls,
    /// Whether nobody may choose it.
    #[serde(default)]
    disabled: bool,
}

fn five_minutes() -> u32 {
    300
}

fn four_rings() -> u32 {
    15
}

/// Something said to one who waits.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Announcement {
    #[schema(value_type = String)]
    prompt: PromptId,
    /// How long after the beginning of the wait it is said first, in seconds.
    after_s: u32,
    /// How often it is said from then on, in seconds; once when not set.
    #[serde(default)]
    every_s: Option<u32>,
}

/// A service.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Service {
    #[schema(value_type = String)]
    id: ServiceId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: ServiceSettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<services::Service> for Service {
    fn from(row: services::Service) -> Self {
        let calls = ServiceCalls::of(&row);
        let announcements = row.announcements.into_iter().map(|said| Announcement {
            prompt: said.prompt,
            after_s: said.after_s,
            every_s: said.every_s,
        });
        let settings = ServiceSettings {
            name: row.name,
            wait_limit_s: row.wait_limit_s,
            waiting_max: row.waiting_max,
            music_prompt: row.music_prompt,
            announcements: announcements.collect(),
            say_position: row.say_position,
            unanswered_prompt: row.unanswered_prompt,
            calendar: row.calendar,
            ring_s: row.ring_s,
            wrap_up_s: row.wrap_up_s,
            rules: WorkRules::of(row.rules),
            calls,
            disabled: row.disabled,
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
    id: ServiceId,
    company: &CompanyId,
    created_ms: i64,
    updated_ms: i64,
    asked: ServiceSettings,
) -> Result<services::Service, Problem> {
    if asked.announcements.len() > ANNOUNCEMENTS_MAX {
        return Err(Problem::field("announcements", "out_of_range"));
    }
    for said in &asked.announcements {
        within(said.after_s, 0, DAY_S, "announcements")?;
        // More often, and it would be all that one hears.
        within(said.every_s.unwrap_or(DAY_S), 5, DAY_S, "announcements")?;
    }
    let announcements = asked
        .announcements
        .into_iter()
        .map(|said| services::Announcement {
            prompt: said.prompt,
            after_s: said.after_s,
            every_s: said.every_s,
        });
    let mut row = services::Service {
        id,
        company: company.clone(),
        name: name(&asked.name)?,
        wait_limit_s: within(asked.wait_limit_s, 1, DAY_S, "wait_limit_s")?,
        waiting_max: asked
            .waiting_max
            .map(|max| within(max, 1, 10_000, "waiting_max"))
            .transpose()?,
        music_prompt: asked.music_prompt,
        announcements: announcements.collect(),
        say_position: asked.say_position,
        unanswered_prompt: asked.unanswered_prompt,
        calendar: asked.calendar,
        // A phone must ring once, and nobody waits for one that rings for minutes.
        ring_s: within(asked.ring_s, 5, 120, "ring_s")?,
        wrap_up_s: within(asked.wrap_up_s, 0, HOUR_S, "wrap_up_s")?,
        rules: asked.rules.read()?,
        calls: CallSettings::default(),
        recording_notice: None,
        survey: None,
        caller_number: None,
        disabled: asked.disabled,
        created_ms,
        updated_ms,
    };
    asked.calls.read(&mut row)?;
    Ok(row)
}

/// List services
#[utoipa::path(get, path = "/api/v1/services", tag = "services",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Service>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Service>>, Problem> {
    let rows = services::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(
        rows,
        paging.limit(),
        |row: &services::Service| row.id.to_string(),
    ))
}

/// Read a service
#[utoipa::path(get, path = "/api/v1/services/{id}", tag = "services",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Service), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ServiceId>,
) -> Result<Json<Service>, Problem> {
    let found = services::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a service
#[utoipa::path(post, path = "/api/v1/services", tag = "services", params(("company" = Option<String>, Query)),
    request_body = ServiceSettings,
    responses((status = 201, body = Service), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<ServiceSettings>,
) -> Result<(StatusCode, Json<Service>), Problem> {
    let now_ms = app.now_ms();
    let id = app.id(ServiceId::new);
    let row = row(id, &tenant.company, now_ms, now_ms, asked)?;
    let mut db = app.store.begin().await?;
    service_rules::check(&mut db, &tenant.company, &row).await?;
    services::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("service.create", &row))
        .await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a service
///
/// What is not set gets its default.
#[utoipa::path(put, path = "/api/v1/services/{id}", tag = "services",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = ServiceSettings,
    responses((status = 200, body = Service), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<ServiceId>,
    Body(asked): Body<ServiceSettings>,
) -> Result<Json<Service>, Problem> {
    let mut db = app.store.begin().await?;
    let old = services::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(id, &tenant.company, old.created_ms, app.now_ms(), asked)?;
    service_rules::check(&mut db, &tenant.company, &row).await?;
    services::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("service.update", &row))
        .await?;
    Ok(Json(row.into()))
}

/// Delete a service
#[utoipa::path(delete, path = "/api/v1/services/{id}", tag = "services",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<ServiceId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let is_named = super::flows::names(&mut db, id.as_str()).await?;
    if is_named || service_rules::is_named(&mut db, &tenant.company, &id).await? {
        return Err(Problem::conflict("in_use"));
    }
    let was = services::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let company = Some(&tenant.company);
    let deed = Deed {
        company,
        action: "service.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a services::Service) -> Deed<'a> {
    let detail = json!({ "name": row.name });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

/// Nobody waits longer for a person.
const DAY_S: u32 = 24 * 3_600;

/// Whoever has more to write after a call pauses.
const HOUR_S: u32 = 3_600;

/// What one who waits can bear to be told.
const ANNOUNCEMENTS_MAX: usize = 20;

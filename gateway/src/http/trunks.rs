//! `/trunks`: the carriers. Credentials go in and never come out.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, TrunkId};
use media_engine::sip::ping;
use media_engine::sip::registration::{Condition, Health};
use media_engine_net::clock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::trunks;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::problem::{Problem, ProblemBody};
use super::who::Administers;
use super::{App, Deed};
use crate::setup::{self, RowError, TrunkSecrets, TrunkSettings};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/trunks", get(list).post(create))
        .route("/api/v1/trunks/{id}", get(read).put(update).delete(delete))
}

/// What can be set of a carrier.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Operadora",
    "settings": {"host": "sip.operadora.example", "transport": "udp", "addresses": ["203.0.113.0/28"],
        "registration": {"registrar": "sip:sip.operadora.example", "address_of_record": "sip:551140004000@sip.operadora.example"}},
    "credentials": {"username": "551140004000", "password": "…"}
}))]
pub(super) struct TrunkRequest {
    name: String,
    #[serde(default)]
    settings: TrunkSettings,
    /// What to prove ourselves with; when not set, it stays as it is.
    #[serde(default)]
    credentials: Option<Credentials>,
    /// Forget the credentials there are.
    #[serde(default)]
    remove_credentials: bool,
    /// Whether it takes and carries no calls.
    #[serde(default)]
    disabled: bool,
}

/// A user name and a password at the carrier.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    username: String,
    password: String,
    /// The realm they are for; any when not set.
    #[serde(default)]
    realm: Option<String>,
}

/// How our registration at a carrier is doing.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RegistrationHealth {
    /// `stopped`, `trying`, `registered`, `failing` (nothing answers) or `rejected` (by its status).
    condition: &'static str,
    /// For how long it has been so, in seconds.
    since_s: u64,
    /// What went wrong last.
    last_error: Option<String>,
    /// When something is done next, in seconds from now: the refresh, or the next try.
    next_try_s: Option<u64>,
}

impl RegistrationHealth {
    fn of(health: &Health) -> Self {
        let now = clock::now();
        Self {
            condition: match health.condition {
                Condition::Stopped => "stopped",
                Condition::Trying => "trying",
                Condition::Registered => "registered",
                Condition::Failing => "failing",
                Condition::Rejected => "rejected",
            },
            since_s: now.saturating_duration_since(health.since).as_secs(),
            last_error: health.last_error.map(|error| error.to_string()),
            next_try_s: health
                .next_try
                .map(|at| at.saturating_duration_since(now).as_secs()),
        }
    }
}

/// How a carrier answers when it is asked whether it lives.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct PingHealth {
    /// `unknown`, `answering` or `silent`.
    condition: &'static str,
    /// For how long it has been so, in seconds.
    since_s: u64,
    /// How many questions in a row stayed without an answer.
    lost: u32,
    /// How long the last answer took, in milliseconds.
    round_trip_ms: Option<u64>,
}

impl PingHealth {
    fn of(health: &ping::Health) -> Self {
        let time = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            condition: match health.condition {
                ping::Condition::Unknown => "unknown",
                ping::Condition::Answering => "answering",
                ping::Condition::Silent => "silent",
            },
            since_s: clock::now()
                .saturating_duration_since(health.since)
                .as_secs(),
            lost: health.lost,
            round_trip_ms: health.round_trip.map(time),
        }
    }
}

/// A carrier.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Trunk {
    #[schema(value_type = String)]
    id: TrunkId,
    #[schema(value_type = String)]
    company: CompanyId,
    name: String,
    #[schema(value_type = TrunkSettings)]
    settings: serde_json::Value,
    has_credentials: bool,
    /// How our registration there is doing; only where one trunk is read and it registers.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<RegistrationHealth>,
    /// How it answers; only where one trunk is read and it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    ping: Option<PingHealth>,
    disabled: bool,
    created_ms: i64,
    updated_ms: i64,
}

impl From<trunks::Trunk> for Trunk {
    fn from(row: trunks::Trunk) -> Self {
        Self {
            id: row.id,
            company: row.company,
            name: row.name,
            settings: row.settings,
            has_credentials: row.secrets.is_some(),
            registration: None,
            ping: None,
            disabled: row.disabled,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// The row of what was asked, as telephony will understand it.
fn row(
    app: &App,
    id: TrunkId,
    company: &CompanyId,
    old: Option<trunks::Trunk>,
    asked: TrunkRequest,
) -> Result<trunks::Trunk, Problem> {
    let now_ms = app.now_ms();
    let created_ms = old.as_ref().map_or(now_ms, |old| old.created_ms);
    let kept = old
        .and_then(|old| old.secrets)
        .filter(|_| !asked.remove_credentials);
    let secrets = match asked.credentials {
        Some(Credentials {
            username,
            password,
            realm,
        }) => {
            let secrets = TrunkSecrets {
                username,
                password,
                realm,
            };
            let plain =
                serde_json::to_vec(&secrets).map_err(|error| Problem::unavailable(&error))?;
            let sealed = app.secrets.seal(id.as_str(), &plain);
            Some(sealed.map_err(|error| Problem::unavailable(&error))?)
        }
        None => kept,
    };
    let settings = serde_json::to_value(asked.settings);
    let row = trunks::Trunk {
        id,
        company: company.clone(),
        name: name(&asked.name)?,
        settings: settings.map_err(|error| Problem::unavailable(&error))?,
        secrets,
        disabled: asked.disabled,
        created_ms,
        updated_ms: now_ms,
    };
    setup::trunk(&row, &app.secrets).map_err(refused)?;
    Ok(row)
}

fn refused(error: RowError) -> Problem {
    match &error {
        RowError::Secret(error) => Problem::unavailable(error),
        RowError::Settings(_) | RowError::Address(_) | RowError::Transport(_) => {
            Problem::field("settings", "invalid_trunk").because(error)
        }
    }
}

/// List trunks
#[utoipa::path(get, path = "/api/v1/trunks", tag = "trunks",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Trunk>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Administers(tenant): Administers,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Trunk>>, Problem> {
    let rows = trunks::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &trunks::Trunk| {
        row.id.to_string()
    }))
}

/// Read a trunk
#[utoipa::path(get, path = "/api/v1/trunks/{id}", tag = "trunks",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Trunk), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<TrunkId>,
) -> Result<Json<Trunk>, Problem> {
    let found = trunks::by_id(app.store.pool(), &tenant.company, &id).await?;
    let mut trunk = Trunk::from(found.ok_or_else(Problem::not_found)?);
    let status = app.telephony.status().await;
    let status = status.map_err(|error| Problem::unavailable(&error))?;
    let health = status
        .registrations
        .iter()
        .find(|health| *health.trunk.0 == *id.as_str());
    trunk.registration = health.map(RegistrationHealth::of);
    let mut pings = status.pings.iter();
    let asked = pings.find(|health| *health.trunk.0 == *id.as_str());
    trunk.ping = asked.map(PingHealth::of);
    Ok(Json(trunk))
}

/// Add a trunk
#[utoipa::path(post, path = "/api/v1/trunks", tag = "trunks", params(("company" = Option<String>, Query)),
    request_body = TrunkRequest,
    responses((status = 201, body = Trunk), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(asked): Body<TrunkRequest>,
) -> Result<(StatusCode, Json<Trunk>), Problem> {
    let row = row(&app, app.id(TrunkId::new), &tenant.company, None, asked)?;
    let mut db = app.store.begin().await?;
    trunks::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("trunk.create", &row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a trunk
///
/// What is not set gets its default; credentials stay as they are.
#[utoipa::path(put, path = "/api/v1/trunks/{id}", tag = "trunks",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = TrunkRequest,
    responses((status = 200, body = Trunk), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<TrunkId>,
    Body(asked): Body<TrunkRequest>,
) -> Result<Json<Trunk>, Problem> {
    let mut db = app.store.begin().await?;
    let old = trunks::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(&app, id, &tenant.company, Some(old), asked)?;
    trunks::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("trunk.update", &row)).await?;
    Ok(Json(row.into()))
}

/// Delete a trunk
#[utoipa::path(delete, path = "/api/v1/trunks/{id}", tag = "trunks",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<TrunkId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let was = trunks::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let company = Some(&tenant.company);
    let deed = Deed {
        company,
        action: "trunk.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a trunks::Trunk) -> Deed<'a> {
    let detail = json!({ "name": row.name });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

//! `/trunks`: the carriers. Credentials go in and never come out.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, TrunkId};
use media_engine::sip::ping;
use media_engine::sip::registration::{Condition, Health};
use media_engine::sip::trunk::Network;
use media_engine::sip::uri::{Host, Uri};
use media_engine_net::clock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::trunks;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::problem::{Problem, ProblemBody};
use super::who::{Administers, Tenant};
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
    tenant: &Tenant,
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
        company: tenant.company.clone(),
        name: name(&asked.name)?,
        settings: settings.map_err(|error| Problem::unavailable(&error))?,
        secrets,
        disabled: asked.disabled,
        created_ms,
        updated_ms: now_ms,
    };
    let (trunk, _) = setup::trunk(&row, &app.secrets).map_err(refused)?;
    sensible(&trunk)?;
    if tenant.installation().is_err() {
        narrow(&trunk)?;
    }
    Ok(row)
}

/// Refuses what could be kept and never work.
fn sensible(trunk: &media_engine::sip::trunk::Trunk) -> Result<(), Problem> {
    let of = |field: &str, code| Problem::field(&format!("settings.{field}"), code);
    if let Some(host) = trunk.host.as_ref().filter(|host| !is_host(host)) {
        let why = format!("`{host}` is neither a host nor host:port");
        return Err(of("host", "invalid_trunk").because(why));
    }
    if trunk.calls_max == 0 {
        return Err(of("calls_max", "out_of_range").because("1 at least"));
    }
    let Some(ping) = &trunk.ping else {
        return Ok(());
    };
    if ping.every < ping::EVERY_MIN {
        let why = format!("{} at least", ping::EVERY_MIN.as_secs());
        return Err(of("ping.every_s", "out_of_range").because(why));
    }
    if ping.lost_max == 0 {
        return Err(of("ping.lost_max", "out_of_range").because("1 at least"));
    }
    if trunk.host.is_none() {
        return Err(of("host", "invalid_trunk").because("a ping needs a host"));
    }
    Ok(())
}

/// Refuses networks so wide that strangers would be taken for the carrier: what a company sets
/// holds for all companies of the installation.
fn narrow(trunk: &media_engine::sip::trunk::Trunk) -> Result<(), Problem> {
    let mut networks = trunk.addresses.iter().map(|address| &address.network);
    match networks.find(|network| is_wide(network)) {
        Some(network) => {
            let why = format!(
                "{network}: /{IPV4_LENGTH_MIN} (IPv6: /{IPV6_LENGTH_MIN}) is the widest that a company may set"
            );
            Err(Problem::field("settings.addresses", "network_too_wide").because(why))
        }
        None => Ok(()),
    }
}

fn is_wide(network: &Network) -> bool {
    // IPv6 alone is written with colons.
    let least = if network.to_string().contains(':') {
        IPV6_LENGTH_MIN
    } else {
        IPV4_LENGTH_MIN
    };
    network.length() < least
}

/// Whether a text is a host name or an address (IPv6 in brackets), maybe with a port, and no more
/// of a SIP URI.
fn is_host(text: &str) -> bool {
    if text.contains(['@', ';', '?']) {
        return false;
    }
    let Ok(uri) = Uri::sip(None, text, None) else {
        return false;
    };
    match uri.host() {
        Some(Host::Domain(name)) => name
            .strip_suffix(b".")
            .unwrap_or(name)
            .split(|byte| *byte == b'.')
            .all(|label| (1..=LABEL_LENGTH_MAX).contains(&label.len())),
        Some(Host::Ip(_)) => true,
        None => false,
    }
}

/// The widest IPv4 network of a carrier: the blocks that registries once gave away whole.
const IPV4_LENGTH_MIN: u8 = 8;

/// The widest IPv6 network of a carrier: no operator has a wider one.
const IPV6_LENGTH_MIN: u8 = 16;

/// Bytes of one part of a host name (RFC 1035 section 2.3.4).
const LABEL_LENGTH_MAX: usize = 63;

fn refused(error: RowError) -> Problem {
    match &error {
        RowError::Secret(error) => Problem::unavailable(error),
        RowError::Settings(_) | RowError::Address(_) | RowError::Transport(_) => {
            Problem::field("settings", "invalid_trunk").because(error)
        }
        RowError::Dial(wrong) => {
            let problem = super::outbound_rules::refused(wrong);
            problem.at(&format!("settings.{}", wrong.field))
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
    let row = row(&app, app.id(TrunkId::new), &tenant, None, asked)?;
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
    let row = row(&app, id, &tenant, Some(old), asked)?;
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

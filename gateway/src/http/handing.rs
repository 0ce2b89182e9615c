//! `/agents/me/targets`, `/interactions/{id}/transfer`, `/work/{id}/service`: handing on what is written,
//! and to whom anything may be handed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use desk::id::{InteractionId, ServiceId, UserId, WorkId};
use desk::output::{DeskError, Toward};
use exchange::voice::{AgentTarget, ServiceTarget, Targets};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::agents::{PresenceWord, myself, of_desk};
use super::body::{Body, Id};
use super::messages::author;
use super::notes;
use super::problem::{Problem, ProblemBody};
use super::who::{By, Supervises, Tenant};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/agents/me/targets", get(targets))
        .route("/api/v1/interactions/{id}/transfer", post(transfer))
        .route("/api/v1/work/{id}/service", put(move_work))
}

/// To whom one may hand what one has in hand.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TargetList {
    /// By name.
    services: Vec<ServiceToHandTo>,
    /// By name.
    agents: Vec<AgentToHandTo>,
}

/// A service that work may be handed to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ServiceToHandTo {
    #[schema(value_type = String)]
    id: ServiceId,
    name: String,
    /// How many wait there.
    waiting: usize,
    /// How many of its agents are there.
    available: usize,
}

/// A colleague whom work may be handed to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AgentToHandTo {
    #[schema(value_type = String)]
    id: UserId,
    name: String,
    /// Whose work they take.
    #[schema(value_type = Vec<String>)]
    services: Vec<ServiceId>,
    presence: PresenceWord,
    /// What they have in hand costs so much of their attention, in percent.
    load: u32,
}

impl From<Targets> for TargetList {
    fn from(targets: Targets) -> Self {
        let service = |one: ServiceTarget| ServiceToHandTo {
            id: one.service,
            name: one.name,
            waiting: one.waiting,
            available: one.available,
        };
        let agent = |one: AgentTarget| AgentToHandTo {
            id: one.agent,
            name: one.name,
            services: one.services,
            presence: (&one.presence).into(),
            load: one.load,
        };
        Self {
            services: targets.services.into_iter().map(service).collect(),
            agents: targets.agents.into_iter().map(agent).collect(),
        }
    }
}

/// To whom what is written goes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": {"service": "01JD…"}, "note": "Quer a segunda via do boleto"}))]
pub(super) struct Handing {
    to: HandTo,
    /// What whoever has it next should know, at most 4,000 characters: an internal note.
    #[serde(default)]
    note: Option<String>,
}

/// To whom.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum HandTo {
    /// To a colleague who is there. Who does not take it in 30 seconds is not waited for any longer.
    #[schema(value_type = String)]
    Agent(UserId),
    /// To the line of a service; who came earlier is still before who came later.
    #[schema(value_type = String)]
    Service(ServiceId),
}

/// List to whom one may hand work
///
/// By what the company allows oneself; what the service of a work forbids beside that is refused when it is
/// tried.
#[utoipa::path(get, path = "/api/v1/agents/me/targets", operation_id = "targets", tag = "agents",
    responses((status = 200, body = TargetList), (status = 403, body = ProblemBody)))]
pub(super) async fn targets(
    State(app): State<App>,
    tenant: Tenant,
) -> Result<Json<TargetList>, Problem> {
    let me = myself(&tenant)?;
    let company = tenant.company.clone();
    let seen = app
        .telephony
        .look(move |voice, now| voice.targets(now, &company, &me))
        .await;
    let seen = seen.map_err(|stopped| Problem::unavailable(&stopped))?;
    Ok(Json(seen.into()))
}

/// Hand on what is written
///
/// The agent who has it in hand is free then; a supervisor may do it for them, and have who waits wait for
/// another service. Calls go by `/calls/{id}/orders`.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/transfer", operation_id = "transfer_written", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Handing,
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn transfer(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<Handing>,
) -> Result<StatusCode, Problem> {
    let by = match &tenant.by {
        By::User { user, .. } if tenant.supervises().is_err() => Some(user.id.clone()),
        By::User { .. } | By::Key(_) => None,
    };
    if tenant.supervises().is_err() {
        author(&app, &tenant, &id).await?;
    }
    let note = asked.note.filter(|note| !note.trim().is_empty());
    let note = note.map(|text| notes::checked(text, vec![])).transpose()?;
    let known = store::interactions::by_id(app.store.pool(), &tenant.company, &id).await?;
    known.ok_or_else(Problem::not_found)?;
    let toward = match asked.to {
        HandTo::Service(service) => Toward::Service(service),
        HandTo::Agent(agent) => Toward::Agent {
            agent,
            wait_ms: AGENT_WAIT_MS,
        },
    };
    let (company, interaction) = (tenant.company.clone(), id.clone());
    let done = app
        .telephony
        .decide(move |voice, now| {
            voice.transfer_written(now, &company, &interaction, by.as_ref(), toward)
        })
        .await;
    let done = done.map_err(|error| Problem::unavailable(&error))?;
    done.map_err(|error| of_handing(error, "to"))?;
    if let Some(note) = note {
        notes::keep(&app, &tenant, &id, note).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// For which service something waits.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MovedTo {
    #[schema(value_type = String)]
    service: ServiceId,
}

/// Have who waits wait for another service
///
/// They keep when they came. Who is talked to already is handed on by transfer.
#[utoipa::path(put, path = "/api/v1/work/{id}/service", operation_id = "move_work", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = MovedTo,
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn move_work(
    State(app): State<App>,
    Supervises(tenant): Supervises,
    Id(id): Id<WorkId>,
    Body(asked): Body<MovedTo>,
) -> Result<StatusCode, Problem> {
    let detail = json!({ "service": asked.service });
    let (company, work) = (tenant.company.clone(), id.clone());
    let done = app
        .telephony
        .decide(move |voice, now| voice.move_work(now, &company, &work, &asked.service))
        .await;
    let done = done.map_err(|error| Problem::unavailable(&error))?;
    done.map_err(|error| of_handing(error, "service"))?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "work.move",
        target: id.as_str(),
        detail,
    };
    app.commit_quietly(app.store.begin().await?, &tenant, deed)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why it was not handed on; `field` names to whom.
fn of_handing(error: DeskError, field: &str) -> Problem {
    match error {
        DeskError::NoSuchAgent | DeskError::NoSuchService => Problem::field(field, "reference"),
        DeskError::Away => Problem::conflict("away").at(field),
        DeskError::Full => Problem::conflict("full").at(field),
        error @ (DeskError::NoSuchWork
        | DeskError::NoSuchPause
        | DeskError::OfferOver
        | DeskError::AlreadyHere
        | DeskError::NotNow { .. }
        | DeskError::NotYours
        | DeskError::NotAllowed
        | DeskError::NoRoom
        | DeskError::Disposition(_)) => of_desk(error),
    }
}

/// How long a colleague is waited for before their whole service may have it, in milliseconds.
const AGENT_WAIT_MS: i64 = 30_000;

//! `/agents`: the people who take work, whether they do now, and whose work. Who waits for whom.

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use desk::change::{PauseReason, Presence};
use desk::disposition::DispositionError;
use desk::id::{DeviceId, InteractionId, PauseId, ServiceId, UserId, WorkId};
use desk::output::DeskError;
use exchange::voice::{AgentSeen, WaitingSeen, Wish};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::agents::{self, Member};
use store::{services, users};

use super::body::{Body, Id};
use super::problem::{Problem, ProblemBody};
use super::who::{By, Reads, Supervises, Tenant, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/agents", get(list))
        .route("/api/v1/agents/me", get(read_me))
        .route("/api/v1/agents/me/presence", put(set_my_presence))
        .route("/api/v1/agents/{id}/presence", put(set_presence))
        .route(
            "/api/v1/services/{id}/agents",
            get(of_service).put(set_of_service),
        )
        .route("/api/v1/services/{id}/waiting", get(waiting))
}

/// Somebody who takes work.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Agent {
    #[schema(value_type = String)]
    id: UserId,
    name: String,
    /// Whose work they take.
    #[schema(value_type = Vec<String>)]
    services: Vec<ServiceId>,
    /// Their phones; all of them ring.
    #[schema(value_type = Vec<String>)]
    devices: Vec<DeviceId>,
    presence: PresenceWord,
    /// Why they are paused: what they chose, or `missed`, `busy`, `refused`, `unreachable` where it
    /// is because of their phone, or `leaving`.
    reason: Option<String>,
    /// Whether a supervisor chose so.
    forced: bool,
    /// Who did; not told on `/live`, where only that it is so is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    forced_by: Option<ForcedBy>,
    /// When they count as gone, while their connection is lost.
    lost_until_ms: Option<i64>,
    /// Since when they are paused.
    since_ms: Option<i64>,
    /// What they have in hand, the oldest first.
    in_hand: Vec<InHand>,
    /// What that costs of their attention, in percent.
    load: u32,
}

/// The supervisor who paused an agent.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ForcedBy {
    #[schema(value_type = String)]
    user: UserId,
    name: String,
    /// Why, in their own words; or empty.
    because: String,
}

/// Whether an agent takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum PresenceWord {
    /// Takes work.
    Available,
    /// Keeps what is in hand and takes nothing new.
    Paused,
    /// Is not there.
    Offline,
}

/// Something an agent has in hand.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct InHand {
    #[schema(value_type = String)]
    work: WorkId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = String)]
    service: ServiceId,
    /// When the customer came.
    arrived_ms: i64,
    medium: &'static str,
    /// `offered`, `handling`, `wrapping up` …
    doing: &'static str,
}

/// What an agent wants to be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"presence": "paused", "reason": "almoco"}))]
pub(super) struct Presents {
    presence: PresenceWord,
    /// For a pause: the id of its reason, as of `/pauses`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reason: Option<PauseId>,
}

/// The people who take the work of a service.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceAgents {
    #[schema(value_type = Vec<String>)]
    agents: Vec<UserId>,
}

/// A customer who waits for a service.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Waiting {
    #[schema(value_type = String)]
    work: WorkId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    medium: &'static str,
    /// When they came.
    arrived_ms: i64,
    /// How long they have waited for this service.
    waited_ms: i64,
    /// Points of priority, of who they are and of the number or channel together.
    priority: i32,
    /// Whose phones ring for them.
    #[schema(value_type = Vec<String>)]
    offered_to: Vec<UserId>,
}

/// Those who wait, the next to be served first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WaitingList {
    items: Vec<Waiting>,
}

/// All agents of a company.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AgentList {
    items: Vec<Agent>,
}

impl From<AgentSeen> for Agent {
    fn from(seen: AgentSeen) -> Self {
        let forced = matches!(
            seen.status.presence,
            Presence::Paused {
                reason: PauseReason::Forced(_),
                ..
            }
        );
        let (presence, reason, since_ms) = match seen.status.presence {
            Presence::Available => (PresenceWord::Available, None, None),
            Presence::Offline => (PresenceWord::Offline, None, None),
            Presence::Paused {
                reason, since_ms, ..
            } => (PresenceWord::Paused, Some(word(&reason)), Some(since_ms)),
        };
        let in_hand = seen.status.in_hand.into_iter().map(|held| InHand {
            work: held.work,
            interaction: held.interaction,
            service: held.service,
            arrived_ms: held.arrived_ms,
            medium: held.medium.as_str(),
            doing: held.doing,
        });
        Self {
            id: seen.id,
            name: seen.name,
            services: seen.services,
            devices: seen.devices,
            presence,
            reason,
            forced,
            forced_by: None,
            lost_until_ms: seen.status.lost_until_ms,
            since_ms,
            in_hand: in_hand.collect(),
            load: seen.status.load,
        }
    }
}

impl From<&Presence> for PresenceWord {
    fn from(presence: &Presence) -> Self {
        match presence {
            Presence::Available => Self::Available,
            Presence::Paused { .. } => Self::Paused,
            Presence::Offline => Self::Offline,
        }
    }
}

impl From<WaitingSeen> for Waiting {
    fn from(seen: WaitingSeen) -> Self {
        Self {
            work: seen.work,
            interaction: seen.interaction,
            medium: seen.medium.as_str(),
            arrived_ms: seen.arrived_ms,
            waited_ms: seen.waited_ms,
            priority: seen.priority,
            offered_to: seen.offered_to,
        }
    }
}

fn word(reason: &PauseReason) -> String {
    match reason {
        PauseReason::Chosen(pause) | PauseReason::Forced(pause) => pause.to_string(),
        PauseReason::Missed => "missed".to_owned(),
        PauseReason::Unreachable => "unreachable".to_owned(),
        PauseReason::Busy => "busy".to_owned(),
        PauseReason::Refused => "refused".to_owned(),
        PauseReason::Leaving => "leaving".to_owned(),
    }
}

/// List agents
///
/// All of them, with what each is doing now. Whoever watches some services alone sees those who take their work.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = AgentList), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
) -> Result<Json<AgentList>, Problem> {
    let watched = tenant.watched(&app).await?;
    let is_watched = |agent: &AgentSeen| {
        let watched = watched.as_ref();
        watched.is_none_or(|watched| watched.contains(&agent.id))
    };
    let items = seen(&app, &tenant).await?.into_iter().filter(is_watched);
    Ok(Json(AgentList {
        items: items.map(Agent::from).collect(),
    }))
}

/// Read oneself as an agent
#[utoipa::path(get, path = "/api/v1/agents/me", tag = "agents",
    responses((status = 200, body = Agent), (status = 404, body = ProblemBody)))]
pub(super) async fn read_me(
    State(app): State<App>,
    tenant: Tenant,
) -> Result<Json<Agent>, Problem> {
    let me = myself(&tenant)?;
    one(&app, &tenant, &me).await
}

/// Come, pause or go
///
/// With `available` one is offered work; with `paused` one keeps what is in hand; with `offline`
/// one is gone, after the conversation that one is in.
#[utoipa::path(put, path = "/api/v1/agents/me/presence", tag = "agents", request_body = Presents,
    responses((status = 200, body = Agent), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn set_my_presence(
    State(app): State<App>,
    tenant: Tenant,
    Body(asked): Body<Presents>,
) -> Result<Json<Agent>, Problem> {
    let me = myself(&tenant)?;
    let wish = wish(asked.presence, asked.reason)?;
    let company = tenant.company.clone();
    let agent = me.clone();
    let done = app
        .telephony
        .decide(move |voice, now| voice.set_presence(now, &company, &agent, wish))
        .await;
    let done = done.map_err(|error| Problem::unavailable(&error))?;
    done.map_err(of_desk)?;
    one(&app, &tenant, &me).await
}

fn wish(presence: PresenceWord, reason: Option<PauseId>) -> Result<Wish, Problem> {
    match (presence, reason) {
        (PresenceWord::Available, None) => Ok(Wish::Available),
        (PresenceWord::Offline, None) => Ok(Wish::Offline),
        (PresenceWord::Paused, Some(reason)) => Ok(Wish::Paused(reason)),
        (PresenceWord::Paused, None)
        | (PresenceWord::Available | PresenceWord::Offline, Some(_)) => {
            Err(Problem::field("reason", "invalid_reason"))
        }
    }
}

/// What a supervisor has an agent be, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"presence": "paused", "reason": "treinamento", "because": "reunião da equipe"}))]
pub(super) struct Ordered {
    presence: PresenceWord,
    /// For a pause: the id of its reason.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reason: Option<PauseId>,
    /// Why, in the supervisor's own words, for the audit log.
    #[serde(default)]
    because: String,
}

/// Have an agent come, pause or go
///
/// Nobody is taken off the line: who talks leaves after that.
#[utoipa::path(put, path = "/api/v1/agents/{id}/presence", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Ordered,
    responses((status = 200, body = Agent), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn set_presence(
    State(app): State<App>,
    Supervises(tenant): Supervises,
    Id(id): Id<UserId>,
    Body(asked): Body<Ordered>,
) -> Result<Json<Agent>, Problem> {
    if asked.because.chars().count() > BECAUSE_MAX {
        return Err(Problem::field("because", "out_of_range"));
    }
    let watched = tenant.watched(&app).await?;
    if watched.is_some_and(|watched| !watched.contains(&id)) {
        return Err(Problem::forbidden());
    }
    let detail = json!({
        "presence": asked.presence, "reason": asked.reason, "because": asked.because,
    });
    let wish = wish(asked.presence, asked.reason)?;
    let (company, agent) = (tenant.company.clone(), id.clone());
    let done = app
        .telephony
        .decide(move |voice, now| voice.order_presence(now, &company, &agent, wish))
        .await;
    let done = done.map_err(|error| Problem::unavailable(&error))?;
    done.map_err(of_desk)?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: ORDERED,
        target: id.as_str(),
        detail,
    };
    app.commit_quietly(app.store.begin().await?, &tenant, deed)
        .await?;
    one(&app, &tenant, &id).await
}

/// List the agents of a service
#[utoipa::path(get, path = "/api/v1/services/{id}/agents", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = ServiceAgents), (status = 404, body = ProblemBody)))]
pub(super) async fn of_service(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ServiceId>,
) -> Result<Json<ServiceAgents>, Problem> {
    exists(&app, &tenant, &id).await?;
    let agents = agents::of_service(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(ServiceAgents { agents }))
}

/// Say who takes the work of a service
///
/// Who is not in the list does not any more.
#[utoipa::path(put, path = "/api/v1/services/{id}/agents", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = ServiceAgents,
    responses((status = 200, body = ServiceAgents), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn set_of_service(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<ServiceId>,
    Body(asked): Body<ServiceAgents>,
) -> Result<Json<ServiceAgents>, Problem> {
    if asked.agents.len() > AGENTS_MAX {
        return Err(Problem::field("agents", "out_of_range"));
    }
    exists(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    agents::clear(&mut *db, &tenant.company, &id).await?;
    for user in &asked.agents {
        let member = Member {
            company: tenant.company.clone(),
            service: id.clone(),
            user: user.clone(),
        };
        agents::add(&mut *db, &member).await?;
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "service.agents",
        target: id.as_str(),
        detail: json!({ "agents": asked.agents }),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(Json(asked))
}

/// List who waits for a service
#[utoipa::path(get, path = "/api/v1/services/{id}/waiting", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = WaitingList), (status = 404, body = ProblemBody)))]
pub(super) async fn waiting(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ServiceId>,
) -> Result<Json<WaitingList>, Problem> {
    exists(&app, &tenant, &id).await?;
    let company = tenant.company.clone();
    let line = app
        .telephony
        .look(move |voice, now| voice.line(now, &company, &id))
        .await;
    let line = line.map_err(|stopped| Problem::unavailable(&stopped))?;
    let items = line.into_iter().map(Waiting::from).collect();
    Ok(Json(WaitingList { items }))
}

async fn exists(app: &App, tenant: &Tenant, id: &ServiceId) -> Result<(), Problem> {
    let found = services::by_id(app.store.pool(), &tenant.company, id).await?;
    found.map(|_| ()).ok_or_else(Problem::not_found)
}

async fn seen(app: &App, tenant: &Tenant) -> Result<Vec<AgentSeen>, Problem> {
    let company = tenant.company.clone();
    let seen = app
        .telephony
        .look(move |voice, now| voice.agents(now, &company))
        .await;
    seen.map_err(|stopped| Problem::unavailable(&stopped))
}

async fn one(app: &App, tenant: &Tenant, id: &UserId) -> Result<Json<Agent>, Problem> {
    let mut all = seen(app, tenant).await?.into_iter();
    let found = all.find(|agent| agent.id == *id);
    let mut agent = Agent::from(found.ok_or_else(Problem::not_found)?);
    if agent.forced {
        agent.forced_by = forced_by(app, tenant, id).await?;
    }
    Ok(Json(agent))
}

/// Who had an agent be as they are, as the audit log has it.
async fn forced_by(
    app: &App,
    tenant: &Tenant,
    agent: &UserId,
) -> Result<Option<ForcedBy>, Problem> {
    let (db, company) = (app.store.pool(), &tenant.company);
    let line = store::audit::latest(db, company, ORDERED, agent.as_str()).await?;
    let Some((user, detail)) = line.and_then(|line| Some((line.user?, line.detail))) else {
        return Ok(None);
    };
    let own = users::by_id(db, Some(company), &user).await?;
    let known = match own {
        Some(known) => Some(known),
        None => users::by_id(db, None, &user).await?,
    };
    Ok(Some(ForcedBy {
        user,
        name: known.map(|known| known.name).unwrap_or_default(),
        because: detail["because"].as_str().unwrap_or_default().to_owned(),
    }))
}

/// The person who asks; a key of another system is nobody's.
pub(super) fn myself(tenant: &Tenant) -> Result<UserId, Problem> {
    match &tenant.by {
        By::User { user, .. } => Ok(user.id.clone()),
        By::Key(_) => Err(Problem::forbidden()),
    }
}

/// Why the desk did not do it.
pub(super) fn of_desk(error: DeskError) -> Problem {
    match error {
        DeskError::NoSuchAgent | DeskError::NoSuchWork | DeskError::NoSuchService => {
            Problem::not_found()
        }
        DeskError::NoSuchPause => Problem::field("reason", "invalid_reason"),
        DeskError::NotYours | DeskError::NotAllowed => Problem::forbidden().because(error),
        DeskError::OfferOver => Problem::conflict("offer_over"),
        DeskError::Disposition(error) => {
            let field = match &error {
                DispositionError::Unknown | DispositionError::NotALeaf => "disposition".to_owned(),
                DispositionError::Missing(name)
                | DispositionError::Invalid(name)
                | DispositionError::UnknownField(name) => format!("fields.{name}"),
                DispositionError::ReopenDate => "reopen_ms".to_owned(),
            };
            Problem::field(&field, "invalid_disposition").because(error)
        }
        DeskError::NotNow { .. }
        | DeskError::AlreadyHere
        | DeskError::Away
        | DeskError::NoRoom
        | DeskError::Full => Problem::conflict("not_now").because(error),
    }
}

/// A supervisor had an agent come, pause or go: in the audit log.
const ORDERED: &str = "agent.presence";

/// A remark of a supervisor, in characters.
const BECAUSE_MAX: usize = 500;

/// People of one service: more than any contact centre has on one line.
const AGENTS_MAX: usize = 5_000;

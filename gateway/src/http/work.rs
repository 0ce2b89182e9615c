//! `/work`: what agents have in hand and do with it, and what supervisors do about the lines.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use desk::disposition::{Disposed, Disposition};
use desk::id::{ChannelId, CompanyId, ContactId, DispositionId, InteractionId, ServiceId, WorkId};
use desk::output::DeskError;
use exchange::voice::WorkSeen;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::agents::{myself, of_desk};
use super::body::{Body, Id};
use super::decisions::DecisionSeen;
use super::problem::{Problem, ProblemBody};
use super::who::{Reads, Supervises, Tenant};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/agents/me/work", get(my_work))
        .route("/api/v1/work/{id}/disposition", post(dispose))
        .route("/api/v1/work/{id}/end-wrap-up", post(end_wrap_up))
        .route("/api/v1/work/{id}/accept", post(accept))
        .route("/api/v1/work/{id}/refuse", post(refuse))
        .route("/api/v1/work/{id}/priority", put(set_priority))
        .route("/api/v1/work/{id}/explain", get(explain))
        .route("/api/v1/services/{id}/status", get(service_status))
}

/// Something an agent has in hand, or is offered.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Work {
    #[schema(value_type = String)]
    work: WorkId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = String)]
    service: ServiceId,
    /// What people call the service.
    service_name: String,
    /// The number that is read to the customer.
    protocol: String,
    /// What the customer is called; empty where nobody knows.
    customer: String,
    /// Who the customer is, where that is known.
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    /// The channel by which it is written; none of a call.
    channel: Option<ChannelOfWork>,
    medium: &'static str,
    /// `offered`, `handling`, `wrapping up` …
    doing: &'static str,
    /// Since when.
    since_ms: i64,
    /// When the customer came.
    began_ms: i64,
    /// When the offer lapses or the time for wrap-up is over.
    until_ms: Option<i64>,
    /// Whether a disposition must be chosen.
    disposition_mandatory: bool,
    /// Whether one was chosen while the call lasts.
    disposed: bool,
    /// The codes to choose from.
    #[schema(value_type = Vec<Object>)]
    dispositions: Vec<Disposition>,
    /// The number at which the customer is called back, where that was promised.
    callback: Option<String>,
    /// The work that it is asked about, where it is a consultation.
    #[schema(value_type = Option<String>)]
    about: Option<WorkId>,
}

/// The channel by which a work is written.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ChannelOfWork {
    #[schema(value_type = String)]
    id: ChannelId,
    /// `whatsapp`, `webchat`, `email`, `generic` …
    kind: String,
    /// What people call it.
    name: String,
}

/// What an agent has in hand, the oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WorkList {
    items: Vec<Work>,
}

/// How a conversation is closed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"disposition": "vendido", "fields": {"valor": "19.90"}, "note": ""}))]
pub(super) struct Closing {
    /// The code.
    #[schema(value_type = String)]
    disposition: DispositionId,
    /// What its fields hold, by their names.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// When the work comes back, milliseconds since 1970, where the code asks for it.
    #[serde(default)]
    reopen_ms: Option<i64>,
    /// A remark.
    #[serde(default)]
    note: String,
}

/// How urgent a work is beside others of the same age.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"priority": 5}))]
pub(super) struct WorkPriority {
    /// Points, each worth a minute of waiting, or what the company says; below zero less urgent.
    priority: i16,
}

/// How the line of a service is.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LineStatus {
    /// How many wait, those to be called back too.
    waiting: usize,
    /// How long the one who came first has waited.
    longest_ms: i64,
    /// How long a call that came now would probably wait; nothing where nobody is there.
    expected_ms: Option<i64>,
    /// How many of its agents are there, busy or not.
    agents_available: usize,
    /// How many of its agents are paused.
    agents_paused: usize,
}

/// A work with what the records say of it: agents may read no services, channels or interactions.
async fn told(app: &App, company: &CompanyId, seen: WorkSeen) -> Result<Work, Problem> {
    let db = app.store.pool();
    let service = store::services::by_id(db, company, &seen.service).await?;
    let record = store::interactions::by_id(db, company, &seen.interaction).await?;
    let talk = store::conversations::of_interaction(db, &seen.interaction).await?;
    let channel = match &talk {
        Some(talk) => store::channels::of_work(db, &talk.channel).await?,
        None => None,
    };
    let known = record.as_ref().and_then(|record| record.contact.clone());
    let contact = match &known {
        Some(known) => store::contacts::by_id(db, company, known).await?,
        None => None,
    };
    let record = record.as_ref();
    let called = record.map(|record| [&record.from_name, &record.from]);
    let called = called.into_iter().flatten().find(|name| !name.is_empty());
    let named = contact.map(|contact| contact.name);
    let named = named.filter(|name| !name.is_empty());
    Ok(Work {
        work: seen.work,
        interaction: seen.interaction,
        service: seen.service,
        service_name: service.map(|service| service.name).unwrap_or_default(),
        protocol: record.map_or_else(String::new, |record| record.protocol.clone()),
        customer: named.or_else(|| called.cloned()).unwrap_or_default(),
        contact: known,
        channel: channel.map(|channel| ChannelOfWork {
            id: channel.id,
            kind: channel.kind,
            name: channel.name,
        }),
        medium: seen.medium.as_str(),
        doing: seen.doing,
        since_ms: seen.since_ms,
        began_ms: record.map_or(seen.since_ms, |record| record.started_ms),
        until_ms: seen.until_ms,
        disposition_mandatory: seen.mandatory,
        disposed: seen.disposed,
        dispositions: seen.dispositions,
        callback: seen.callback,
        about: seen.about,
    })
}

/// List what one has in hand
#[utoipa::path(get, path = "/api/v1/agents/me/work", tag = "agents",
    responses((status = 200, body = WorkList), (status = 404, body = ProblemBody)))]
pub(super) async fn my_work(
    State(app): State<App>,
    tenant: Tenant,
) -> Result<Json<WorkList>, Problem> {
    let (me, company) = (myself(&tenant)?, tenant.company.clone());
    let seen = app
        .telephony
        .look(move |voice, now| voice.work_of(now, &company, &me))
        .await;
    let seen = seen.map_err(|stopped| Problem::unavailable(&stopped))?;
    let mut items = vec![];
    for seen in seen.map_err(of_desk)? {
        items.push(told(&app, &tenant.company, seen).await?);
    }
    Ok(Json(WorkList { items }))
}

/// Close a work with a disposition
///
/// In wrap-up, or in a written conversation, that is its end; in a call that still lasts it is kept
/// for the end.
#[utoipa::path(post, path = "/api/v1/work/{id}/disposition", tag = "agents",
    params(("id" = String, Path)), request_body = Closing,
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn dispose(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<WorkId>,
    Body(asked): Body<Closing>,
) -> Result<StatusCode, Problem> {
    let disposed = Disposed {
        id: asked.disposition,
        fields: asked.fields,
        reopen_ms: asked.reopen_ms,
        note: asked.note,
    };
    let (me, company) = (myself(&tenant)?, tenant.company.clone());
    let done = app
        .telephony
        .decide(move |voice, now| voice.dispose(now, &company, &me, &id, disposed))
        .await;
    settled(done)
}

/// End a wrap-up, or a task or conversation in hand, without a disposition
#[utoipa::path(post, path = "/api/v1/work/{id}/end-wrap-up", tag = "agents",
    params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn end_wrap_up(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<WorkId>,
) -> Result<StatusCode, Problem> {
    let (me, company) = (myself(&tenant)?, tenant.company.clone());
    let done = app
        .telephony
        .decide(move |voice, now| voice.end_wrap_up(now, &company, &me, &id))
        .await;
    settled(done)
}

/// Take what is offered
///
/// A call is taken at the phone that rings.
#[utoipa::path(post, path = "/api/v1/work/{id}/accept", tag = "agents",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn accept(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<WorkId>,
) -> Result<StatusCode, Problem> {
    answer(&app, &tenant, id, true).await
}

/// Refuse what is offered
///
/// It is offered to the next, and not to the same agent for a while.
#[utoipa::path(post, path = "/api/v1/work/{id}/refuse", tag = "agents",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn refuse(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<WorkId>,
) -> Result<StatusCode, Problem> {
    answer(&app, &tenant, id, false).await
}

async fn answer(
    app: &App,
    tenant: &Tenant,
    id: WorkId,
    takes: bool,
) -> Result<StatusCode, Problem> {
    let (me, company) = (myself(tenant)?, tenant.company.clone());
    let done = app
        .telephony
        .decide(move |voice, now| voice.answer_offer(now, &company, &me, &id, takes))
        .await;
    settled(done)
}

/// Make a work more or less urgent
#[utoipa::path(put, path = "/api/v1/work/{id}/priority", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = WorkPriority,
    responses((status = 200, body = WorkPriority), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn set_priority(
    State(app): State<App>,
    Supervises(tenant): Supervises,
    Id(id): Id<WorkId>,
    Body(asked): Body<WorkPriority>,
) -> Result<Json<WorkPriority>, Problem> {
    let (work, company, points) = (id.clone(), tenant.company.clone(), asked.priority);
    let done = app
        .telephony
        .decide(move |voice, now| voice.set_work_priority(now, &company, &work, points))
        .await;
    settled(done)?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "work.priority",
        target: id.as_str(),
        detail: json!(asked),
    };
    app.commit_quietly(app.store.begin().await?, &tenant, deed)
        .await?;
    Ok(Json(asked))
}

/// Read who would get a work now, and why nobody has it yet
#[utoipa::path(get, path = "/api/v1/work/{id}/explain", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = DecisionSeen), (status = 404, body = ProblemBody)))]
pub(super) async fn explain(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<WorkId>,
) -> Result<Json<DecisionSeen>, Problem> {
    let company = tenant.company.clone();
    let found = app
        .telephony
        .look(move |voice, now| voice.explain(now, &company, &id))
        .await;
    let found = found.map_err(|stopped| Problem::unavailable(&stopped))?;
    let (sentence, decision) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(DecisionSeen::of(sentence, decision)))
}

/// Read how the line of a service is
#[utoipa::path(get, path = "/api/v1/services/{id}/status", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = LineStatus), (status = 404, body = ProblemBody)))]
pub(super) async fn service_status(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ServiceId>,
) -> Result<Json<LineStatus>, Problem> {
    let company = tenant.company.clone();
    let found = app
        .telephony
        .look(move |voice, now| voice.service_status(now, &company, &id))
        .await;
    let found = found.map_err(|stopped| Problem::unavailable(&stopped))?;
    let status = found.ok_or_else(Problem::not_found)?;
    Ok(Json(LineStatus {
        waiting: status.waiting,
        longest_ms: status.longest_ms,
        expected_ms: status.expected_ms,
        agents_available: status.available,
        agents_paused: status.paused,
    }))
}

/// What came of a decision of the desk.
fn settled(
    done: Result<Result<(), DeskError>, crate::telephony::NotDone>,
) -> Result<StatusCode, Problem> {
    let done = done.map_err(|error| Problem::unavailable(&error))?;
    done.map_err(of_desk)?;
    Ok(StatusCode::NO_CONTENT)
}

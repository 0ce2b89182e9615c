//! `/calls`: the calls that are up, and what those who have them in hand do with them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::id::{DeviceId, InteractionId, ServiceId, UserId};
use desk::output::DeskError;
use exchange::voice::{
    Attention, CallOrder, CallSeen, Destination, KEYS_MAX, NOTE_LENGTH_MAX, OrderError,
};
use media_engine::dtmf::Key;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::agents::myself;
use super::body::{Body, Id};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, Tenant};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/calls", get(list).post(place))
        .route("/api/v1/calls/{id}/orders", post(order))
}

/// A call that is up.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Call {
    /// The interaction that it is.
    #[schema(value_type = String)]
    interaction: InteractionId,
    protocol: String,
    /// `ringing`, `flow`, `waiting`, `talking` or `ended`.
    state: &'static str,
    /// The customer's number; empty when withheld.
    customer: String,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Who has it in hand.
    #[schema(value_type = Option<String>)]
    agent: Option<UserId>,
    /// Who is on the line.
    parties: Vec<Party>,
    /// Whether somebody is being asked about it.
    asks: bool,
    /// How its recording stands: `off`, `on` or `paused`.
    recording: &'static str,
}

/// Somebody on the line of a call.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Party {
    /// `customer`, `agent`, `guest`; a supervisor is `listen`, `whisper` or `barge`.
    role: &'static str,
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    #[schema(value_type = Option<String>)]
    device: Option<DeviceId>,
    /// `together`, `aside` with the one who is asked, or `held` with music.
    place: &'static str,
    /// Nobody hears them.
    muted: bool,
}

/// Calls, the oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CallList {
    items: Vec<Call>,
}

/// Somebody to be called.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "11 5555-0100"}))]
pub(super) struct Placing {
    /// What one would dial: an extension or a number.
    to: String,
    /// For which service; the first of one's own when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
}

/// A call that is being placed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Placed {
    #[schema(value_type = String)]
    pub(super) interaction: InteractionId,
}

/// What a call is to do.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"order": "transfer", "to": {"service": "vendas"}}))]
pub(super) enum Order {
    /// The customer hears music, and nothing of what is said.
    Hold {},
    /// The customer is there again.
    Resume {},
    /// Nobody hears the agent.
    Mute {},
    /// The agent is heard again.
    Unmute {},
    /// These keys are pressed towards those whom the agent is with.
    Press {
        /// `0` to `9`, `*`, `#`, `A` to `D`; at most 32.
        keys: String,
    },
    /// The call goes there, and the agent is free.
    Transfer { to: To },
    /// Somebody is asked about it; the customer is held.
    Consult { to: To },
    /// From the customer to the one who is asked, or back; the other hears music.
    Switch {},
    /// All are together.
    Join {},
    /// The one who was asked has the call, and the agent is free.
    Complete {},
    /// Nobody is asked any more; the customer is there again.
    Cancel {},
    /// The agent leaves: to the one who was asked, or the call ends.
    HangUp {},
    /// The recording begins, is silent while card data is spoken, goes on, or ends.
    Record { what: Tape },
    /// Something to remember of it.
    Note {
        /// At most 4,000 characters.
        text: String,
    },
    /// A supervisor hears all who are together, and is heard by nobody.
    Listen {},
    /// A supervisor is heard by the agent alone.
    Whisper {},
    /// A supervisor is heard by all.
    Barge {},
    /// A supervisor has it in hand from here on.
    TakeOver {},
    /// Whoever has it in hand talks on another of their phones, which ring anew: the one that they had is gone.
    Bring {},
}

/// What a recording is to do.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tape {
    Start,
    Pause,
    Resume,
    Stop,
}

/// Where a call is taken to.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum To {
    /// An agent, whose phones ring as for an offer.
    #[schema(value_type = String)]
    Agent(UserId),
    /// The line of a service.
    #[schema(value_type = String)]
    Service(ServiceId),
    /// An extension, or a number outside, as one dials it.
    Number(String),
}

impl From<CallSeen> for Call {
    fn from(seen: CallSeen) -> Self {
        let parties = seen.parties.into_iter().map(|party| Party {
            role: party.role,
            user: party.user,
            device: party.device,
            place: party.place,
            muted: party.muted,
        });
        Self {
            interaction: seen.interaction,
            protocol: seen.protocol,
            state: seen.state.as_str(),
            customer: seen.customer,
            service: seen.service,
            agent: seen.agent,
            parties: parties.collect(),
            asks: seen.asks,
            recording: seen.recording,
        }
    }
}

impl From<To> for Destination {
    fn from(to: To) -> Self {
        match to {
            To::Agent(agent) => Self::Agent(agent),
            To::Service(service) => Self::Service(service),
            To::Number(dialled) => Self::Dialled(dialled),
        }
    }
}

impl Order {
    fn read(self) -> Result<CallOrder, Problem> {
        Ok(match self {
            Self::Hold {} => CallOrder::Hold,
            Self::Resume {} => CallOrder::Resume,
            Self::Mute {} => CallOrder::Mute(true),
            Self::Unmute {} => CallOrder::Mute(false),
            Self::Press { keys } => CallOrder::Press(read_keys(&keys)?),
            Self::Transfer { to } => CallOrder::Transfer(to.into()),
            Self::Consult { to } => CallOrder::Consult(to.into()),
            Self::Switch {} => CallOrder::Switch,
            Self::Join {} => CallOrder::Join,
            Self::Complete {} => CallOrder::Complete,
            Self::Cancel {} => CallOrder::Cancel,
            Self::HangUp {} => CallOrder::HangUp,
            Self::Record { what } => CallOrder::Record(match what {
                Tape::Start => exchange::voice::Tape::Start,
                Tape::Pause => exchange::voice::Tape::Pause,
                Tape::Resume => exchange::voice::Tape::Resume,
                Tape::Stop => exchange::voice::Tape::Stop,
            }),
            Self::Note { text } => {
                let text = text.trim().to_owned();
                if text.is_empty() || text.chars().count() > NOTE_LENGTH_MAX {
                    return Err(Problem::field("text", "out_of_range"));
                }
                CallOrder::Note(text)
            }
            Self::Listen {} => CallOrder::Attend(Attention::Listen),
            Self::Whisper {} => CallOrder::Attend(Attention::Whisper),
            Self::Barge {} => CallOrder::Attend(Attention::Barge),
            Self::TakeOver {} => CallOrder::TakeOver,
            Self::Bring {} => CallOrder::Bring,
        })
    }
}

fn read_keys(text: &str) -> Result<Vec<Key>, Problem> {
    let keys: Option<Vec<Key>> = text.chars().map(Key::from_char).collect();
    keys.filter(|keys| (1..=KEYS_MAX).contains(&keys.len()))
        .ok_or_else(|| Problem::field("keys", "out_of_range"))
}

/// List the calls that are up
///
/// An agent sees those they are on the line of.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = CallList)))]
pub(super) async fn list(
    State(app): State<App>,
    tenant: Tenant,
) -> Result<Json<CallList>, Problem> {
    let only = match tenant.may(Access::Read) {
        Ok(()) => None,
        Err(_) => Some(myself(&tenant)?),
    };
    let company = tenant.company.clone();
    let calls = app.telephony.look(move |voice, _| voice.calls_of(&company));
    let calls = calls.await.map_err(|error| Problem::unavailable(&error))?;
    let is_mine = |call: &CallSeen| {
        tenant.reaches(call.service.as_ref())
            && only.as_ref().is_none_or(|me| {
                call.agent.as_ref() == Some(me)
                    || call
                        .parties
                        .iter()
                        .any(|party| party.user.as_ref() == Some(me))
            })
    };
    let items = calls.into_iter().filter(is_mine).map(Call::from).collect();
    Ok(Json(CallList { items }))
}

/// Call somebody
///
/// One's own phones ring first; whoever answers there hears the other side ring.
#[utoipa::path(post, path = "/api/v1/calls", tag = "calls", params(("company" = Option<String>, Query)),
    request_body = Placing,
    responses((status = 201, body = Placed), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn place(
    State(app): State<App>,
    tenant: Tenant,
    Body(asked): Body<Placing>,
) -> Result<(StatusCode, Json<Placed>), Problem> {
    let me = myself(&tenant)?;
    let company = tenant.company.clone();
    let Placing { to, service } = asked;
    let placed = app
        .telephony
        .decide(move |voice, now| voice.dial(now, &company, &me, &to, service))
        .await;
    let placed = placed.map_err(|error| Problem::unavailable(&error))?;
    let interaction = placed.map_err(|error| of_order(error, "to"))?;
    Ok((StatusCode::CREATED, Json(Placed { interaction })))
}

/// Do something with a call
///
/// Who has it in hand holds, transfers, consults …; a supervisor listens, whispers, barges in or
/// takes it over.
#[utoipa::path(post, path = "/api/v1/calls/{id}/orders", tag = "calls",
    params(("id" = String, Path, description = "The interaction"), ("company" = Option<String>, Query)),
    request_body = Order,
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn order(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<Order>,
) -> Result<StatusCode, Problem> {
    let me = myself(&tenant)?;
    let order = asked.read()?;
    let supervision = if let CallOrder::Attend(attention) = &order {
        Some(attention.as_str())
    } else {
        (order == CallOrder::TakeOver).then_some("take_over")
    };
    if supervision.is_some() {
        tenant.supervises()?;
    }
    let (company, interaction) = (tenant.company.clone(), id.clone());
    let done = app
        .telephony
        .decide(move |voice, now| voice.order(now, &company, &me, &interaction, order))
        .await;
    let done = done.map_err(|error| Problem::unavailable(&error))?;
    done.map_err(|error| of_order(error, "to"))?;
    if let Some(how) = supervision {
        let deed = Deed {
            company: Some(&tenant.company),
            action: "call.supervised",
            target: id.as_str(),
            detail: json!({ "how": how }),
        };
        let db = app.store.begin().await?;
        app.commit_quietly(db, &tenant, deed).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn of_order(error: OrderError, field: &'static str) -> Problem {
    match &error {
        OrderError::NoSuchCall => Problem::not_found(),
        OrderError::NotYours | OrderError::Desk(DeskError::NotYours | DeskError::NotAllowed) => {
            Problem::forbidden()
        }
        OrderError::Nowhere => Problem::field(field, "nobody_there"),
        OrderError::Desk(DeskError::NoSuchAgent | DeskError::NoSuchService) => {
            Problem::field(field, "reference")
        }
        OrderError::Refused(_) => Problem::field(field, "not_dialled").because(error),
        OrderError::NotNow(_) | OrderError::Desk(_) => Problem::conflict("not_now").because(error),
    }
}

//! `/interactions/{id}/sip`: what each leg of a call said and heard in SIP.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::InteractionId;
use desk::record::{SipLadder, SipMessage};
use serde::{Deserialize, Serialize};
use store::{interactions, sip_ladders};

use super::App;
use super::body::{Asked, Id};
use super::problem::{Problem, ProblemBody};
use super::who::Reads;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/interactions/{id}/sip", get(ladder))
}

/// What to show.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Shown {
    /// Whether each message is shown whole.
    #[serde(default)]
    full: bool,
}

/// The legs of a call, the one that began first before the others.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SipLegs {
    legs: Vec<SipLeg>,
}

/// What one leg said and heard.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SipLeg {
    leg: u64,
    /// Its Call-ID.
    call_id: String,
    /// In the order in which they were sent and received.
    messages: Vec<Arrow>,
    /// How many messages of its middle were too many to keep.
    left_out: u32,
}

/// One message.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SipArrow)]
pub(super) struct Arrow {
    at_ms: i64,
    /// `sent` or `received`.
    direction: &'static str,
    /// `UDP`, `TCP`, `TLS`, `WS` or `WSS`.
    transport: String,
    /// The address at the other end.
    peer: String,
    /// Its first line: what is asked, or what is answered.
    line: String,
    cseq: String,
    /// All of it, without secrets; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl SipLeg {
    fn of(ladder: SipLadder, full: bool) -> Self {
        let mut ids = ladder
            .messages
            .iter()
            .map(|message| header(message, &["call-id", "i"]));
        let call_id = ids.next().unwrap_or_default().to_owned();
        let messages = ladder.messages.into_iter();
        Self {
            leg: ladder.leg,
            call_id,
            messages: messages.map(|message| Arrow::of(message, full)).collect(),
            left_out: ladder.left_out,
        }
    }
}

impl Arrow {
    fn of(message: SipMessage, full: bool) -> Self {
        let line = message.text.lines().next().unwrap_or_default().to_owned();
        Self {
            at_ms: message.at_ms,
            direction: if message.sent { "sent" } else { "received" },
            line,
            cseq: header(&message, &["cseq"]).to_owned(),
            transport: message.transport,
            peer: message.peer,
            text: full.then_some(message.text),
        }
    }
}

/// The value of a header by any of its names, lower case; empty where there is none.
fn header<'m>(message: &'m SipMessage, names: &[&str]) -> &'m str {
    let lines = message
        .text
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty());
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let found = headers.find(|(name, _)| {
        let name = name.trim().to_ascii_lowercase();
        names.contains(&name.as_str())
    });
    found.map_or("", |(_, value)| value.trim())
}

/// Read the SIP messages of a call
///
/// They are there when a leg is over. Passwords' proofs, media keys and keys pressed are not in them.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/sip", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query), Shown),
    responses((status = 200, body = SipLegs), (status = 404, body = ProblemBody)))]
pub(super) async fn ladder(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(shown): Asked<Shown>,
    Id(id): Id<InteractionId>,
) -> Result<Json<SipLegs>, Problem> {
    let known = interactions::by_id(app.store.pool(), &tenant.company, &id).await?;
    known.ok_or_else(Problem::not_found)?;
    let ladders = sip_ladders::of_interaction(app.store.pool(), &tenant.company, &id).await?;
    let legs = ladders.into_iter();
    Ok(Json(SipLegs {
        legs: legs.map(|ladder| SipLeg::of(ladder, shown.full)).collect(),
    }))
}

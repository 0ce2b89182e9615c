//! `/channels/{id}/receive_hook`: where other systems post what their customers write.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use channels::generic::FieldFault;
use channels::generic::events as told;
use channels::generic::receive;
use desk::id::{ChannelId, CompanyId, InteractionId, MessageId, ReceiptId};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use store::receipts::Receipt;

use super::App;
use super::problem::{Problem, ProblemBody};
use super::requests::{Known, noted};
use super::who::known_key;
use crate::channels::{NotReceived, Outcome};

pub(super) fn routes() -> Router<App> {
    let one = "/api/v1/channels/{id}";
    noted(
        Router::new()
            .route(&format!("{one}/receive_hook"), post(receive_hook))
            .route(&format!("{one}/receive_hook/batch"), post(batch))
            .route(&format!("{one}/events"), post(events)),
    )
}

/// Another system that showed a key of the channel in the path.
pub(super) struct ByChannelKey {
    pub(super) company: CompanyId,
    pub(super) channel: ChannelId,
    /// What the log shows of the request.
    known: Known,
}

impl FromRequestParts<App> for ByChannelKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let shown = shown(&parts.headers).ok_or_else(Problem::anonymous)?;
        let key = known_key(app, shown).await?;
        let (Some(company), Some(channel)) = (key.company, key.channel) else {
            return Err(Problem::forbidden());
        };
        let known = parts.extensions.get::<Known>().cloned().unwrap_or_default();
        known.is_of(app, &channel, &key.id);
        let path = Path::<BTreeMap<String, String>>::from_request_parts(parts, app).await;
        let asked = path.ok().and_then(|Path(mut path)| path.remove("id"));
        if asked.is_none_or(|asked| asked != channel.as_str()) {
            return Err(Problem::forbidden());
        }
        let found = store::channels::by_id(app.store.pool(), &company, &channel).await?;
        match found {
            Some(found) if !found.disabled => Ok(Self {
                company,
                channel,
                known,
            }),
            Some(_) | None => Err(Problem::forbidden()),
        }
    }
}

/// The key, in the header that other systems know, or as everywhere else.
fn shown(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok().map(str::trim);
    }
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// What became of a message that was posted.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({"message_id": "01kb…", "attendance_id": "01kb…",
    "protocol": "20261122000123", "status": "queued", "duplicate": false}))]
pub(super) struct Received {
    #[schema(value_type = String)]
    message_id: MessageId,
    /// The interaction that it belongs to.
    #[schema(value_type = String)]
    attendance_id: InteractionId,
    /// The number that is read to the customer.
    protocol: String,
    /// `queued`, `assigned` where an agent has it in hand, or `closed` where it was the answer to a survey.
    status: &'static str,
    /// Whether it was received before.
    duplicate: bool,
}

/// Post what a customer writes
///
/// With a key of the channel in `X-Api-Key`. The same `external_message_id` with the same body is the
/// same message: 200, and nothing is done twice. With another body it is refused: 409. What was answered
/// with 503, or not at all, is to be posted again.
#[utoipa::path(post, path = "/api/v1/channels/{id}/receive_hook", tag = "channels",
    params(("id" = String, Path)), request_body(content = Object, example = json!({
        "external_message_id": "TT-8812-0003", "external_conversation_id": "TT-8812",
        "customer": {"external_id": "C-991", "name": "Ana Souza", "email": "ana@exemplo.com.br"},
        "type": "text", "text": "Meu chamado continua aberto", "attributes": {"produto": "Fibra 500"}})),
    responses((status = 200, body = Received), (status = 202, body = Received), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn receive_hook(
    State(app): State<App>,
    ByChannelKey { channel, known, .. }: ByChannelKey,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let body = body?;
    if let Err(faults) = receive::read(&body, channel.as_str()) {
        return Err(wrong(&body, &faults));
    }
    let outcome = app.channels.receive(receipt(&app, channel, body.to_vec()));
    let (status, received) = received(outcome.await.map_err(later)?)?;
    known.became(&received.message_id);
    Ok((status, Json(received)))
}

/// What came of each message of a batch, in its order.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Batch {
    items: Vec<BatchItem>,
}

/// What came of one message of a batch.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BatchItem {
    /// 202, 200 where it was received before, or why it was not received.
    status: u16,
    received: Option<Received>,
    /// The code of the error.
    code: Option<&'static str>,
}

/// Post what customers write, many at once
///
/// `{"messages": […]}`, a hundred at most, each as for `receive_hook`. One whose form is wrong refuses all;
/// otherwise each has an answer of its own.
#[utoipa::path(post, path = "/api/v1/channels/{id}/receive_hook/batch", operation_id = "receive_batch", tag = "channels",
    params(("id" = String, Path)), request_body(content = Object),
    responses((status = 202, body = Batch), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn batch(
    State(app): State<App>,
    ByChannelKey { channel, .. }: ByChannelKey,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Batch>), Problem> {
    let body = body?;
    if let Err(faults) = receive::read_batch(&body, channel.as_str()) {
        return Err(wrong(&body, &faults));
    }
    let value: Value =
        serde_json::from_slice(&body).map_err(|_| Problem::malformed("malformed"))?;
    let messages = value["messages"].as_array().cloned().unwrap_or_default();
    // All are brought before the first is waited for: in their order, and in one commit.
    let outcomes = messages.iter().map(|message| {
        let receipt = receipt(&app, channel.clone(), message.to_string().into_bytes());
        app.channels.receive(receipt)
    });
    let outcomes = join_all(outcomes).await.into_iter();
    let items = outcomes.map(|outcome| match outcome.map_err(later).and_then(received) {
        Ok((status, received)) => BatchItem {
            status: status.as_u16(),
            received: Some(received),
            code: None,
        },
        Err(problem) => BatchItem {
            status: problem.status.as_u16(),
            received: None,
            code: Some(problem.code()),
        },
    });
    let items = items.collect();
    Ok((StatusCode::ACCEPTED, Json(Batch { items })))
}

/// Post what happens to a conversation
///
/// By `type`: `customer_closed`, `message_edited`, `message_deleted`, `read` (which of our messages, by its
/// id), `typing`. The end of a conversation that nobody knows is refused (422); what is told of a message
/// may come before it.
#[utoipa::path(post, path = "/api/v1/channels/{id}/events", operation_id = "receive_event", tag = "channels",
    params(("id" = String, Path)), request_body(content = Object, example = json!({
        "external_conversation_id": "TT-8812", "type": "customer_closed", "sent_at": "2026-11-22T13:05:00-03:00"})),
    responses((status = 202), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 413, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub(super) async fn events(
    State(app): State<App>,
    ByChannelKey { channel, .. }: ByChannelKey,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body?;
    if let Err(faults) = told::read(&body) {
        return Err(wrong(&body, &faults));
    }
    let outcome = app.channels.receive(receipt(&app, channel, body.to_vec()));
    match outcome.await.map_err(later)? {
        Outcome::Refused(field) => Err(Problem::field(field, "reference")),
        Outcome::Taken(_) | Outcome::Done | Outcome::Reused | Outcome::Blocked => {
            Ok(StatusCode::ACCEPTED)
        }
    }
}

fn receipt(app: &App, channel: ChannelId, body: Vec<u8>) -> Receipt {
    Receipt {
        id: app.id(ReceiptId::new),
        channel,
        instance: app.channels.instance().clone(),
        body,
        received_ms: app.now_ms(),
    }
}

/// What is wrong with what was posted, all of it.
fn wrong(body: &[u8], faults: &[FieldFault]) -> Problem {
    let first = faults.first().map(|fault| fault.field.clone());
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let problem = match serde_json::from_slice::<Value>(body) {
        Ok(_) => Problem::field(&first.unwrap_or_default(), "invalid"),
        Err(_) => Problem::malformed("malformed"),
    };
    problem.because(said.join("; "))
}

/// What the other system is told of a message.
fn received(outcome: Outcome) -> Result<(StatusCode, Received), Problem> {
    match outcome {
        Outcome::Taken(taken) => {
            let status = match taken.is_duplicate {
                true => StatusCode::OK,
                false => StatusCode::ACCEPTED,
            };
            let received = Received {
                message_id: taken.message,
                attendance_id: taken.interaction,
                protocol: taken.protocol,
                status: match (taken.is_over, taken.has_agent) {
                    (true, _) => "closed",
                    (false, true) => "assigned",
                    (false, false) => "queued",
                },
                duplicate: taken.is_duplicate,
            };
            Ok((status, received))
        }
        Outcome::Reused => Err(Problem::conflict("key_reused").at("external_message_id")),
        Outcome::Done => Err(Problem::unavailable(&NotReceived::Away)),
        Outcome::Refused(field) => Err(Problem::field(field, "reference")),
        Outcome::Blocked => Err(Problem::forbidden().at("customer")),
    }
}

fn later(error: NotReceived) -> Problem {
    Problem::unavailable(&error).retry_after(RETRY_AFTER_S)
}

/// As long as a restart of the database takes.
const RETRY_AFTER_S: u64 = 5;

//! `/channels/{id}/attendances/{protocol}`: how far it is with what another system brought.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{InteractionId, ServiceId, UserId};
use desk::record::{EndedBy, InteractionState};
use serde::Serialize;
use store::interactions::{self, Interaction};

use super::App;
use super::body::Asked;
use super::messages::{After, MessageList, shown};
use super::problem::{Problem, ProblemBody};
use super::receive_hook::ByChannelKey;
use super::requests::noted;

pub(super) fn routes() -> Router<App> {
    let one = "/api/v1/channels/{id}/attendances/{protocol}";
    noted(
        Router::new()
            .route(one, get(read))
            .route(&format!("{one}/messages"), get(messages)),
    )
}

/// How far it is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({"attendance_id": "01kb…", "protocol": "20261122000123", "status": "in_progress",
    "service": "suporte", "agent": "bruno", "opened_ms": 1_764_000_000_000_i64,
    "answered_ms": 1_764_000_060_000_i64, "closed_ms": null, "closed_by": null}))]
pub(super) struct Attendance {
    #[schema(value_type = String)]
    attendance_id: InteractionId,
    protocol: String,
    /// `queued`, `in_progress` or `closed`.
    status: &'static str,
    /// Where it waits or waited.
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Who has it, or had it last.
    #[schema(value_type = Option<String>)]
    agent: Option<UserId>,
    opened_ms: i64,
    answered_ms: Option<i64>,
    closed_ms: Option<i64>,
    /// `agent`, `customer`, `system` …
    #[schema(value_type = Option<String>)]
    closed_by: Option<EndedBy>,
}

impl From<Interaction> for Attendance {
    fn from(row: Interaction) -> Self {
        Self {
            attendance_id: row.id,
            protocol: row.protocol,
            status: match row.state {
                InteractionState::Ended => "closed",
                InteractionState::Talking => "in_progress",
                InteractionState::Ringing | InteractionState::Flow | InteractionState::Waiting => {
                    "queued"
                }
            },
            service: row.service,
            agent: row.agent,
            opened_ms: row.started_ms,
            answered_ms: row.answered_ms,
            closed_ms: row.ended_ms,
            closed_by: row.ended_by,
        }
    }
}

/// What was brought by this very channel.
async fn found(app: &App, by: &ByChannelKey, protocol: &str) -> Result<Interaction, Problem> {
    let pool = app.store.pool();
    let found = interactions::by_protocol(pool, &by.company, protocol).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let channel = store::conversations::channel_of(pool, &found.id).await?;
    match channel {
        Some(channel) if channel.id == by.channel => Ok(found),
        Some(_) | None => Err(Problem::not_found()),
    }
}

/// Read how far it is with what was posted
#[utoipa::path(get, path = "/api/v1/channels/{id}/attendances/{protocol}", operation_id = "read_attendance", tag = "channels",
    params(("id" = String, Path), ("protocol" = String, Path)),
    responses((status = 200, body = Attendance), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    by: ByChannelKey,
    Path((_channel, protocol)): Path<(String, String)>,
) -> Result<Json<Attendance>, Problem> {
    Ok(Json(found(&app, &by, &protocol).await?.into()))
}

/// List what was written, on both sides
#[utoipa::path(get, path = "/api/v1/channels/{id}/attendances/{protocol}/messages",
    operation_id = "list_attendance_messages", tag = "channels",
    params(("id" = String, Path), ("protocol" = String, Path), After),
    responses((status = 200, body = MessageList), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn messages(
    State(app): State<App>,
    by: ByChannelKey,
    Path((_channel, protocol)): Path<(String, String)>,
    Asked(after): Asked<After>,
) -> Result<Json<MessageList>, Problem> {
    let found = found(&app, &by, &protocol).await?;
    shown(&app, &by.company, &found.id, after).await
}

//! Bots that talk with customers before people do: what proves to one that we ask, and its word that a
//! customer is to go to a person.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::id::{ChannelId, InteractionId};
use exchange::voice::HandOver;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::App;
use super::body::{Body, Id};
use super::channels::found;
use super::problem::{Problem, ProblemBody};
use super::who::{Access, Tenant};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/channels/{id}/bot-token", get(token))
        .route("/api/v1/interactions/{id}/hand-over", post(hand_over))
}

/// What a bot sees in each question.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BotToken {
    /// It comes as `authorization: Bearer …`. It is always the same for a channel.
    token: String,
}

/// Where a bot's customer goes.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"service": "Vendas", "note": "Quer fibra de 500 Mb", "variables": {"cpf": "***"}}))]
pub(super) struct HandingOver {
    /// The service, by its id or its name; the channel's when not set, or not there.
    service: Option<String>,
    /// What the agent should know.
    note: Option<String>,
    /// What the bot found out, by name.
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
}

/// Read what proves to the bot that we ask
#[utoipa::path(get, path = "/api/v1/channels/{id}/bot-token", operation_id = "bot_token", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = BotToken), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn token(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<ChannelId>,
) -> Result<Json<BotToken>, Problem> {
    tenant.may(Access::Admin)?;
    let row = found(&app, &tenant, &id).await?;
    Ok(Json(BotToken {
        token: app.secrets.bot_token(row.id.as_str()),
    }))
}

/// Hand a bot's customer over to people
///
/// A bot may also say so in its answer. 409 where no bot has the customer.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/hand-over", operation_id = "hand_over", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = HandingOver,
    responses((status = 204, description = "The customer goes to the line."), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn hand_over(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<HandingOver>,
) -> Result<StatusCode, Problem> {
    tenant.may(Access::Write)?;
    let company = tenant.company.clone();
    let known = store::interactions::by_id(app.store.pool(), &company, &id).await?;
    known.ok_or_else(Problem::not_found)?;
    let to = HandOver {
        service: asked.service,
        note: asked.note,
        variables: asked.variables,
    };
    let done = app
        .telephony
        .look(move |voice, now| voice.hand_over(now, &company, &id, to));
    if done
        .await
        .map_err(|stopped| Problem::unavailable(&stopped))?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::conflict("no_bot"))
    }
}

//! `/interactions/{id}/decisions`: why work was offered to whom, for who wonders afterwards.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{InteractionId, ServiceId, UserId, WorkId};
use serde::Serialize;
use store::{desks, interactions};

use super::App;
use super::body::Id;
use super::problem::{Problem, ProblemBody};
use super::who::Reads;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/interactions/{id}/decisions", get(decisions))
}

/// Why work was offered to whom.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionSeen {
    #[schema(value_type = String)]
    work: WorkId,
    #[schema(value_type = String)]
    service: ServiceId,
    at_ms: i64,
    /// In the company's language, with the names that people had then: how the work came up, then
    /// each agent and why or why not.
    sentence: String,
    /// Who was looked at, the chosen first.
    #[schema(value_type = Vec<String>)]
    considered: Vec<UserId>,
}

impl DecisionSeen {
    pub(super) fn of(sentence: String, decision: desk::decision::Decision) -> Self {
        let considered = decision.considered.into_iter();
        Self {
            work: decision.work,
            service: decision.service,
            at_ms: decision.at_ms,
            sentence,
            considered: considered.map(|looked_at| looked_at.agent).collect(),
        }
    }
}

/// The decisions about an interaction.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Decisions {
    /// The first first; of work that was offered very often the latest.
    items: Vec<DecisionSeen>,
}

/// List why an interaction was offered to whom
#[utoipa::path(get, path = "/api/v1/interactions/{id}/decisions", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Decisions), (status = 404, body = ProblemBody)))]
pub(super) async fn decisions(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<InteractionId>,
) -> Result<Json<Decisions>, Problem> {
    let db = app.store.pool();
    let found = interactions::by_id(db, &tenant.company, &id).await?;
    found.ok_or_else(Problem::not_found)?;
    let rows = desks::decisions(db, &tenant.company, &id).await?;
    let items = rows
        .into_iter()
        .map(|row| DecisionSeen::of(row.sentence, row.decision));
    Ok(Json(Decisions {
        items: items.collect(),
    }))
}

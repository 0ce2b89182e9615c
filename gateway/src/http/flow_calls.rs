//! `/flows/{id}/call`: a flow that is not published, heard on one's own phone.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use desk::id::FlowId;
use ivr::validate;
use serde::Deserialize;
use serde_json::Value;

use super::App;
use super::agents::myself;
use super::body::{Body, Id};
use super::calls::{Placed, of_order};
use super::flows;
use super::problem::{Problem, ProblemBody};
use super::who::Writes;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/flows/{id}/call", post(call_flow))
}

/// What is to be heard.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(super) struct Hearing {
    /// The flow, by `/schemas/flow.json`; the draft when not set.
    #[schema(value_type = Option<Object>)]
    document: Option<Value>,
}

/// Hear a flow before it is published
///
/// One's own phones ring, and the draft talks with whoever answers there as with any caller: systems are
/// asked, people are dialled, the line of a service is waited in. Its steps are in the trail of the
/// interaction as they happen.
#[utoipa::path(post, path = "/api/v1/flows/{id}/call", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Hearing,
    responses((status = 201, body = Placed), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn call_flow(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<FlowId>,
    Body(asked): Body<Hearing>,
) -> Result<(StatusCode, Json<Placed>), Problem> {
    let row = flows::find(&app, &tenant, &id).await?;
    let me = myself(&tenant)?;
    let flow = flows::parse(asked.document.as_ref().unwrap_or(&row.draft))?;
    let findings = flows::judge(&app, &tenant, &id, &flow).await?;
    if !validate::is_publishable(&findings) {
        return Err(Problem::field("flow", "findings").with_findings(findings));
    }
    let company = tenant.company.clone();
    let heard = (ivr::FlowId::new(id.as_str()), flow);
    let placed = app
        .telephony
        .decide(move |voice, now| voice.try_flow(now, &company, &me, row.name, heard))
        .await;
    let placed = placed.map_err(|error| Problem::unavailable(&error))?;
    let interaction = placed.map_err(|error| of_order(error, "flow"))?;
    Ok((StatusCode::CREATED, Json(Placed { interaction })))
}

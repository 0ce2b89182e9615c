//! `/outbound-rules`: who may call whom and how much, and what callees see. One document a company.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use store::outbound;

use super::body::Body;
use super::problem::{Problem, ProblemBody};
use super::who::Administers;
use super::{App, Deed};
use crate::setup::outbound::{OutboundRules, Wrong, WrongWhy};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/outbound-rules", get(read).put(update))
}

/// Read the rules about outbound calls
///
/// A company that has set none calls the telephones of its own country, without limits, and nobody
/// abroad.
#[utoipa::path(get, path = "/api/v1/outbound-rules", tag = "outbound",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = OutboundRules), (status = 403, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Administers(tenant): Administers,
) -> Result<Json<OutboundRules>, Problem> {
    let found = outbound::rules_of(app.store.pool(), &tenant.company).await?;
    let rules = found.map(|found| serde_json::from_value(found.rules));
    let rules = rules
        .transpose()
        .map_err(|error| Problem::unavailable(&error))?;
    Ok(Json(rules.unwrap_or_default()))
}

/// Set the rules about outbound calls
///
/// They stand in the place of those before. What is not set is not limited, but calls abroad and
/// to expensive numbers need to be allowed.
#[utoipa::path(put, path = "/api/v1/outbound-rules", tag = "outbound",
    params(("company" = Option<String>, Query)), request_body = OutboundRules,
    responses((status = 200, body = OutboundRules), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(asked): Body<OutboundRules>,
) -> Result<Json<OutboundRules>, Problem> {
    asked.read().map_err(|wrong| refused(&wrong))?;
    let rules = serde_json::to_value(&asked).map_err(|error| Problem::unavailable(&error))?;
    let row = outbound::Rules {
        company: tenant.company.clone(),
        rules,
        updated_ms: app.now_ms(),
    };
    let mut db = app.store.begin().await?;
    for service in asked.caller_number_of_services.keys() {
        let found = store::services::by_id(&mut *db, &tenant.company, service).await?;
        found.ok_or_else(|| Problem::field("caller_number_of_services", "reference"))?;
    }
    for number in asked.caller_number_of_numbers.keys() {
        let found = store::numbers::by_id(&mut *db, &tenant.company, number).await?;
        found.ok_or_else(|| Problem::field("caller_number_of_numbers", "reference"))?;
    }
    outbound::put_rules(&mut *db, &row).await?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "outbound_rules.update",
        target: "",
        // Who opened the world to calls, and how far, is what is looked for after a fraud.
        detail: json!({ "rules": row.rules }),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(Json(asked))
}

/// What is answered to a setting that cannot be taken.
pub(super) fn refused(wrong: &Wrong) -> Problem {
    let code = match wrong.why {
        WrongWhy::Area => "invalid_area",
        WrongWhy::Number => "invalid_caller_number",
        WrongWhy::Prefix => "invalid_prefix",
        WrongWhy::Time => "invalid_time_of_day",
        WrongWhy::Operator => "invalid_operator",
        WrongWhy::TooMany => "out_of_range",
    };
    Problem::field(wrong.field, code).because(wrong.why)
}

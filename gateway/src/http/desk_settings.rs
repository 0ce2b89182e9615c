//! `/desk-settings`: what all services of a company have in common.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::record::Medium;
use desk::rules::{Costs, Rules, RulesError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::desk_settings;

use super::body::{Body, within};
use super::problem::{Problem, ProblemBody};
use super::who::{Reads, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/desk-settings", get(read).put(update))
}

/// What all services of a company have in common; what is not set is as usual.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"costs": {"phone": 100, "chat": 20, "email": 10, "task": 10}, "interrupts": {"phone": ["email", "task"]}}))]
pub(super) struct DeskSettings {
    /// What work costs of an agent's attention, out of 100.
    costs: MediumCosts,
    /// Which medium may come to an agent who is busy with which.
    #[schema(value_type = Object)]
    interrupts: BTreeMap<Medium, BTreeSet<Medium>>,
    /// How much earlier one seems to have come for each point of priority, in seconds.
    point_s: u32,
    /// How long an agent whose connection is lost keeps their work, in seconds.
    grace_s: u32,
    /// The same after a restart of the program.
    restart_grace_s: u32,
    /// How long work is not offered again to an agent who refused it, in seconds.
    refusal_rest_s: u32,
    /// After how many offers missed in a row an agent is paused.
    lapses_before_pause: u32,
}

/// What work costs of an agent's attention, out of 100.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MediumCosts {
    phone: u32,
    chat: u32,
    email: u32,
    task: u32,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self::of(Rules::default())
    }
}

impl DeskSettings {
    fn of(rules: Rules) -> Self {
        Self {
            costs: MediumCosts {
                phone: rules.costs.phone,
                chat: rules.costs.chat,
                email: rules.costs.email,
                task: rules.costs.task,
            },
            interrupts: rules.interrupts,
            point_s: seconds(rules.point_ms),
            grace_s: seconds(rules.grace_ms),
            restart_grace_s: seconds(rules.restart_grace_ms),
            refusal_rest_s: seconds(rules.refusal_rest_ms),
            lapses_before_pause: rules.lapses_before_pause,
        }
    }

    fn rules(&self) -> Result<Rules, Problem> {
        let span = |value: u32, field| {
            within(value, 0, HOUR_S, field).map(|value| i64::from(value) * 1_000)
        };
        let rules = Rules {
            costs: Costs {
                phone: self.costs.phone,
                chat: self.costs.chat,
                email: self.costs.email,
                task: self.costs.task,
            },
            interrupts: self.interrupts.clone(),
            point_ms: span(self.point_s, "point_s")?,
            grace_ms: span(self.grace_s, "grace_s")?,
            restart_grace_ms: span(self.restart_grace_s, "restart_grace_s")?,
            refusal_rest_ms: span(self.refusal_rest_s, "refusal_rest_s")?,
            lapses_before_pause: within(self.lapses_before_pause, 1, 100, "lapses_before_pause")?,
            ..Rules::default()
        };
        rules.check().map_err(|error| refused(&error, ""))?;
        Ok(rules)
    }
}

/// Rules that cannot work, with the field at fault below `above`.
pub(super) fn refused(error: &RulesError, above: &str) -> Problem {
    let field = match error {
        RulesError::Short { field, .. } => format!("{above}{field}_s"),
        RulesError::Cost(medium) => format!("{above}costs.{medium}"),
        RulesError::Weight(_)
        | RulesError::NoSuchService { .. }
        | RulesError::Order(_)
        | RulesError::TooMany(_)
        | RulesError::Dispositions(_)
        | RulesError::NothingToChoose(_) => format!("{above}{}", error.field()),
    };
    Problem::field(&field, "invalid_rules").because(error)
}

/// Milliseconds as whole seconds, as they were set.
pub(super) fn seconds(ms: i64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or_default()
}

/// Read what all services have in common
#[utoipa::path(get, path = "/api/v1/desk-settings", tag = "services",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = DeskSettings), (status = 403, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
) -> Result<Json<DeskSettings>, Problem> {
    let found = desk_settings::of_company(app.store.pool(), &tenant.company).await?;
    Ok(Json(DeskSettings::of(found.unwrap_or_default())))
}

/// Set what all services have in common
#[utoipa::path(put, path = "/api/v1/desk-settings", tag = "services",
    params(("company" = Option<String>, Query)), request_body = DeskSettings,
    responses((status = 200, body = DeskSettings), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<DeskSettings>,
) -> Result<Json<DeskSettings>, Problem> {
    let rules = asked.rules()?;
    let mut db = app.store.begin().await?;
    desk_settings::put(&mut *db, &tenant.company, &rules, app.now_ms()).await?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "desk.settings",
        target: tenant.company.as_str(),
        detail: json!(asked),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(Json(asked))
}

/// Nothing here is of hours.
const HOUR_S: u32 = 3_600;

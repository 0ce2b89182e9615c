//! `/survey-answers`: what customers answered after calls.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{InteractionId, ServiceId, UserId};
use desk::record::SurveyAnswer;
use serde::{Deserialize, Serialize};
use store::surveys;

use super::App;
use super::body::Asked;
use super::problem::{Problem, ProblemBody};
use super::who::Reads;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/survey-answers", get(list))
}

/// What a customer answered to one question.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Answer {
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = String)]
    service: ServiceId,
    /// Who had handled the call.
    #[schema(value_type = Option<String>)]
    agent: Option<UserId>,
    /// The flow that asked, and its node.
    flow: String,
    question: String,
    /// The key, or the digits.
    answer: String,
    at_ms: i64,
}

/// Answers, the oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AnswerList {
    items: Vec<Answer>,
}

/// Which answers: at most 5,000 of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// From this moment on, milliseconds since 1970.
    from_ms: Option<i64>,
    /// Before this moment.
    until_ms: Option<i64>,
    /// Of this interaction alone.
    #[param(value_type = Option<String>)]
    interaction: Option<InteractionId>,
}

impl From<SurveyAnswer> for Answer {
    fn from(answer: SurveyAnswer) -> Self {
        Self {
            interaction: answer.interaction,
            service: answer.service,
            agent: answer.agent,
            flow: answer.flow,
            question: answer.question,
            answer: answer.answer,
            at_ms: answer.at_ms,
        }
    }
}

/// List what customers answered after calls
#[utoipa::path(get, path = "/api/v1/survey-answers", tag = "records",
    params(Which, ("company" = Option<String>, Query)),
    responses((status = 200, body = AnswerList), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(which): Asked<Which>,
) -> Result<Json<AnswerList>, Problem> {
    let between = (
        which.from_ms.unwrap_or(i64::MIN),
        which.until_ms.unwrap_or(i64::MAX),
    );
    let interaction = which.interaction.as_ref();
    let found = surveys::list(
        app.store.pool(),
        &tenant.company,
        between,
        interaction,
        ANSWERS_MAX,
    )
    .await?;
    let seen = found.into_iter();
    let seen = seen.filter(|answer| tenant.reaches(Some(&answer.service)));
    Ok(Json(AnswerList {
        items: seen.map(Answer::from).collect(),
    }))
}

/// Answers in one list: a month of a busy service; more are asked for by their time.
const ANSWERS_MAX: i64 = 5_000;

//! `/interactions/{id}/transcript`: what was written, to be read outside of here.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::id::InteractionId;
use serde::Deserialize;

use super::App;
use super::body::{Asked, Id};
use super::messages::may_read;
use super::problem::{Problem, ProblemBody};
use super::who::Tenant;
use crate::transcript::Transcript;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/interactions/{id}/transcript", get(read))
}

/// In which form.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Printed {
    /// `text`, which is what is told when not set, or `html`.
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Text,
    Html,
}

/// Read a written interaction as one text
///
/// Who wrote what and when, in the company's time, as plain text or as a page of HTML.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/transcript", operation_id = "read_transcript", tag = "records",
    params(("id" = String, Path), Printed, ("company" = Option<String>, Query)),
    responses((status = 200, description = "The transcript", body = String), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Asked(form): Asked<Printed>,
) -> Result<Response, Problem> {
    may_read(&app, &tenant, &id).await?;
    let found = Transcript::of(&app.store, &tenant.company, &id).await?;
    let lines = found.ok_or_else(Problem::not_found)?;
    let (kind, body) = match form.format {
        Format::Text => ("text/plain; charset=utf-8", lines.text()),
        Format::Html => ("text/html; charset=utf-8", lines.html()),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        // It shows what strangers wrote: nothing in it runs, and nothing is fetched.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    Ok((headers, body).into_response())
}

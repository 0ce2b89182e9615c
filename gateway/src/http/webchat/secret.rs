//! `/channels/{id}/identity-secret`: with what a site proves who its users are.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use channels::webchat::identity;
use desk::id::ChannelId;
use serde::Serialize;
use store::channels::{self as rows, Channel};

use super::super::body::Id;
use super::super::channels::{deed, opened};
use super::super::problem::{Problem, ProblemBody};
use super::super::who::Administers;
use super::super::{App, generator};
use crate::channels::webchat::{WEBCHAT, rotate_identity};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/channels/{id}/identity-secret", post(rotate))
}

/// A secret of a web chat that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct IdentitySecret {
    /// With what the site proves who its users are. It is shown this one time.
    identity_secret: String,
}

/// Make another secret for the users of a web chat's site
///
/// What was proven with the one before is believed until the next one is made.
#[utoipa::path(post, path = "/api/v1/channels/{id}/identity-secret", operation_id = "rotate_identity",
    tag = "channels", params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = IdentitySecret), (status = 404, body = ProblemBody)))]
pub(in crate::http) async fn rotate(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
) -> Result<Json<IdentitySecret>, Problem> {
    let secret = identity::secret(&mut generator()?);
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.filter(|old| old.kind == WEBCHAT);
    let old = old.ok_or_else(Problem::not_found)?;
    let mut secrets = opened(&app, &old)?;
    rotate_identity(&mut secrets.account, &secret);
    let sealed = secrets.seal(&app.secrets, id.as_str());
    let row = Channel {
        secrets: Some(sealed.map_err(|error| Problem::unavailable(&error))?),
        updated_ms: app.now_ms(),
        ..old
    };
    rows::update(&mut *db, &row).await?;
    app.commit_quietly(db, &tenant, deed("channel.identity_secret", &row))
        .await?;
    Ok(Json(IdentitySecret {
        identity_secret: secret.expose().to_owned(),
    }))
}

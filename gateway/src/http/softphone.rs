//! `/agents/me/softphone`: the phone that one's window is. It registers over `/sip` of this server.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use desk::id::{CompanyId, DeviceId};
use serde::Serialize;
use store::devices;

use super::devices::{DeviceSettings, deed, password, row, seal};
use super::problem::{Problem, ProblemBody};
use super::who::{By, Tenant};
use super::{App, generator};
use crate::api_key;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/agents/me/softphone", post(ask))
}

/// With what a window registers.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Softphone {
    #[schema(value_type = String)]
    device: DeviceId,
    username: String,
    /// The same each time: several windows of a person are one phone at several places.
    password: String,
    display_name: String,
    /// The short number by which colleagues dial it, where it was given one.
    extension: Option<String>,
}

/// Get the phone that one's window is
///
/// It is made when it is first asked for; whoever administers the installation has one in each company. It registers by SIP over WebSocket (RFC 7118) at `/sip` of this
/// server.
#[utoipa::path(post, path = "/api/v1/agents/me/softphone", operation_id = "softphone", tag = "agents",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = Softphone), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn ask(
    State(app): State<App>,
    tenant: Tenant,
) -> Result<Json<Softphone>, Problem> {
    let By::User { user, .. } = &tenant.by else {
        return Err(Problem::forbidden());
    };
    let found = devices::browser_of(app.store.pool(), &tenant.company, &user.id).await?;
    let Some(row) = found else {
        return make(&app, &tenant, user).await;
    };
    let password = app.secrets.open_sealed(row.id.as_str(), &row.secrets);
    let password = password.map_err(|error| Problem::unavailable(&error))?;
    let password = String::from_utf8(password).map_err(|error| Problem::unavailable(&error))?;
    Ok(Json(softphone(row, password)))
}

async fn make(
    app: &App,
    tenant: &Tenant,
    user: &store::users::User,
) -> Result<Json<Softphone>, Problem> {
    let (row, password) = window(app, &tenant.company, user, None)?;
    let mut db = app.store.begin().await?;
    // Two windows at once: the one that comes second asks again.
    devices::insert(&mut *db, &row).await?;
    app.commit(db, tenant, deed("device.create", &row)).await?;
    Ok(Json(softphone(row, password)))
}

/// The phone that somebody's window is to be, and its password.
pub(super) fn window(
    app: &App,
    company: &CompanyId,
    user: &store::users::User,
    extension: Option<&str>,
) -> Result<(devices::Device, String), Problem> {
    let asked = DeviceSettings::window(
        format!("web-{}", api_key::letters(&mut generator()?, NAME_LETTERS)),
        user,
        extension,
    );
    let now_ms = app.now_ms();
    let id = app.id(DeviceId::new);
    let password = password()?;
    let secrets = seal(app, &id, &password)?;
    let row = devices::Device {
        secrets,
        browser: true,
        ..row(id, company, now_ms, now_ms, asked)?
    };
    Ok((row, password))
}

fn softphone(row: devices::Device, password: String) -> Softphone {
    Softphone {
        device: row.id,
        username: row.username,
        password,
        display_name: row.display_name,
        extension: row.extension,
    }
}

/// Enough that no two are the same in an installation.
const NAME_LETTERS: usize = 12;

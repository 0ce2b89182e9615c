//! `/devices`: SIP phones and browsers of people. A password is shown once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, DeviceId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::devices;

use super::body::{Asked, Body, Id, Listed, Paging};
use super::problem::{Problem, ProblemBody};
use super::who::Administers;
use super::{App, Deed, generator};
use crate::api_key;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/devices", get(list).post(create))
        .route("/api/v1/devices/{id}", get(read).put(update).delete(delete))
}

/// What can be set of a device.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "ana-empresa", "display_name": "Ana", "extension": "200"}))]
pub(super) struct DeviceSettings {
    /// With which it registers; unique in the installation.
    username: String,
    /// The name shown to those it calls.
    #[serde(default)]
    display_name: String,
    /// The short number by which colleagues dial it.
    #[serde(default)]
    extension: Option<String>,
    /// The number outside at which it is reached, an agent's mobile; it does not register then, and
    /// who answers there presses 1 to have the caller.
    #[serde(default)]
    number: Option<String>,
    /// The person it belongs to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    /// 12 to 200 characters. When not set, a new device gets one that is shown once; of an old one
    /// it stays as it is.
    #[serde(default)]
    password: Option<String>,
    /// Whether it may not register and call.
    #[serde(default)]
    disabled: bool,
}

/// A device.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Device {
    #[schema(value_type = String)]
    id: DeviceId,
    #[schema(value_type = String)]
    company: CompanyId,
    username: String,
    display_name: String,
    extension: Option<String>,
    number: Option<String>,
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    /// Whether it is the person's window (`/agents/me/softphone`).
    browser: bool,
    disabled: bool,
    created_ms: i64,
    updated_ms: i64,
}

/// A device that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct DeviceCreated {
    #[serde(flatten)]
    device: Device,
    /// Shown this one time.
    password: String,
}

impl From<devices::Device> for Device {
    fn from(row: devices::Device) -> Self {
        Self {
            id: row.id,
            company: row.company,
            username: row.username,
            display_name: row.display_name,
            extension: row.extension,
            number: row.number,
            user: row.user,
            browser: row.browser,
            disabled: row.disabled,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

impl DeviceSettings {
    /// Those of the phone that somebody's window is.
    pub(super) fn window(
        username: String,
        user: &store::users::User,
        extension: Option<&str>,
    ) -> Self {
        Self {
            username,
            display_name: user.name.clone(),
            extension: extension.map(str::to_owned),
            number: None,
            user: Some(user.id.clone()),
            password: None,
            disabled: false,
        }
    }
}

/// The row of what was asked, but for its secrets.
pub(super) fn row(
    id: DeviceId,
    company: &CompanyId,
    created_ms: i64,
    updated_ms: i64,
    asked: DeviceSettings,
) -> Result<devices::Device, Problem> {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=64).contains(&asked.username.len()) || !asked.username.bytes().all(sane) {
        return Err(Problem::field("username", "invalid_username"));
    }
    if asked.display_name.chars().count() > 100 || asked.display_name.chars().any(char::is_control)
    {
        return Err(Problem::field("display_name", "invalid_name"));
    }
    let extension = asked.extension.filter(|extension| !extension.is_empty());
    let dialled = |text: &String| {
        (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !extension.as_ref().is_none_or(dialled) {
        return Err(Problem::field("extension", "invalid_number"));
    }
    let number = asked.number.filter(|number| !number.is_empty());
    let outside = |text: &String| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !number.as_ref().is_none_or(outside) {
        return Err(Problem::field("number", "invalid_number"));
    }
    Ok(devices::Device {
        id,
        company: company.clone(),
        username: asked.username,
        display_name: asked.display_name,
        extension,
        number,
        user: asked.user,
        secrets: Vec::new(),
        browser: false,
        disabled: asked.disabled,
        created_ms,
        updated_ms,
    })
}

pub(super) fn seal(app: &App, id: &DeviceId, password: &str) -> Result<Vec<u8>, Problem> {
    super::users::check_password(password)?;
    let sealed = app.secrets.seal(id.as_str(), password.as_bytes());
    sealed.map_err(|error| Problem::unavailable(&error))
}

/// A password for a device: 80 bits, short enough for the keys of a telephone.
pub(super) fn password() -> Result<String, Problem> {
    Ok(api_key::letters(&mut generator()?, 16))
}

/// List devices
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Device>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Administers(tenant): Administers,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Device>>, Problem> {
    let rows = devices::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &devices::Device| {
        row.id.to_string()
    }))
}

/// Read a device
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Device), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<DeviceId>,
) -> Result<Json<Device>, Problem> {
    let found = devices::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a device
#[utoipa::path(post, path = "/api/v1/devices", tag = "devices", params(("company" = Option<String>, Query)),
    request_body = DeviceSettings,
    responses((status = 201, body = DeviceCreated), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(mut asked): Body<DeviceSettings>,
) -> Result<(StatusCode, Json<DeviceCreated>), Problem> {
    let now_ms = app.now_ms();
    let id = app.id(DeviceId::new);
    let password = asked.password.take().map_or_else(password, Ok)?;
    let secrets = seal(&app, &id, &password)?;
    let row = devices::Device {
        secrets,
        ..row(id, &tenant.company, now_ms, now_ms, asked)?
    };
    let mut db = app.store.begin().await?;
    devices::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("device.create", &row)).await?;
    Ok((
        StatusCode::CREATED,
        Json(DeviceCreated {
            device: row.into(),
            password,
        }),
    ))
}

/// Change a device
///
/// What is not set gets its default.
#[utoipa::path(put, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = DeviceSettings,
    responses((status = 200, body = Device), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<DeviceId>,
    Body(mut asked): Body<DeviceSettings>,
) -> Result<Json<Device>, Problem> {
    let mut db = app.store.begin().await?;
    let old = devices::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let secrets = match asked.password.take() {
        Some(password) => seal(&app, &id, &password)?,
        None => old.secrets,
    };
    let row = row(id, &tenant.company, old.created_ms, app.now_ms(), asked)?;
    let row = devices::Device {
        secrets,
        browser: old.browser,
        ..row
    };
    devices::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("device.update", &row)).await?;
    Ok(Json(row.into()))
}

/// Delete a device
#[utoipa::path(delete, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<DeviceId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let was = devices::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let company = Some(&tenant.company);
    let deed = Deed {
        company,
        action: "device.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn deed<'a>(action: &'a str, row: &'a devices::Device) -> Deed<'a> {
    let detail = json!({ "username": row.username });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

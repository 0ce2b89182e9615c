//! `/api-keys`: how other systems log in. A key is shown once; only its hash is kept.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use desk::id::{ApiKeyId, ChannelId, CompanyId, UserId};
use desk::permission::{Level, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::api_keys;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::problem::{Problem, ProblemBody};
use super::profiles::may_give;
use super::who::{Access, By, Governs};
use super::{App, Deed, generator};
use crate::api_key;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/api-keys", get(list).post(create))
        .route("/api/v1/api-keys/{id}", delete(revoke))
}

/// What can be set of a key, once.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "CRM", "scopes": ["read"]}))]
pub(super) struct ApiKeySettings {
    name: String,
    /// `read`, `write`, `admin`; each includes those before.
    scopes: Vec<String>,
    /// When it ends by itself; never when not set.
    #[serde(default)]
    expires_ms: Option<i64>,
}

/// A key, without its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ApiKey {
    #[schema(value_type = String)]
    id: ApiKeyId,
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// The one channel that it opens, and nothing else.
    #[schema(value_type = Option<String>)]
    channel: Option<ChannelId>,
    name: String,
    /// The beginning of the key, by which people recognise it.
    prefix: String,
    scopes: Vec<String>,
    #[schema(value_type = Option<String>)]
    created_by: Option<UserId>,
    created_ms: i64,
    expires_ms: Option<i64>,
    last_used_ms: Option<i64>,
    revoked_ms: Option<i64>,
}

/// A key that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ApiKeyCreated {
    #[serde(flatten)]
    api_key: ApiKey,
    /// What to send as `Authorization: Bearer …`. It is shown this one time.
    key: String,
}

impl ApiKeyCreated {
    pub(super) fn of(row: api_keys::ApiKey, key: String) -> Self {
        Self {
            api_key: row.into(),
            key,
        }
    }
}

impl From<api_keys::ApiKey> for ApiKey {
    fn from(row: api_keys::ApiKey) -> Self {
        Self {
            id: row.id,
            company: row.company,
            channel: row.channel,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            created_by: row.created_by,
            created_ms: row.created_ms,
            expires_ms: row.expires_ms,
            last_used_ms: row.last_used_ms,
            revoked_ms: row.revoked_ms,
        }
    }
}

/// List API keys
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "people",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<ApiKey>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Governs(scope): Governs,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<ApiKey>>, Problem> {
    let rows = api_keys::list(app.store.pool(), scope.company.as_ref(), &paging.page()?).await?;
    Ok(Listed::of(
        rows,
        paging.limit(),
        |row: &api_keys::ApiKey| row.id.to_string(),
    ))
}

/// Make an API key
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "people", params(("company" = Option<String>, Query)),
    request_body = ApiKeySettings,
    responses((status = 201, body = ApiKeyCreated), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Governs(scope): Governs,
    Body(asked): Body<ApiKeySettings>,
) -> Result<(StatusCode, Json<ApiKeyCreated>), Problem> {
    let known: Option<Vec<Access>> = asked
        .scopes
        .iter()
        .map(|scope| Access::of_scope(scope))
        .collect();
    let widest = known.filter(|known| known.len() <= 3);
    let widest = widest.and_then(|known| known.into_iter().max());
    let widest = widest.ok_or_else(|| Problem::field("scopes", "invalid_scope"))?;
    // A key in all areas is given by who may everything there.
    let level = match widest {
        Access::Own | Access::Read => Level::View,
        Access::Write | Access::Admin => Level::Change,
    };
    may_give(&scope.who, &Permissions::everywhere(level))?;
    let issued = api_key::draw(&mut generator()?);
    let created_by = match &scope.who.by {
        By::User { user, .. } => Some(user.id.clone()),
        By::Key(_) => None,
    };
    let row = api_keys::ApiKey {
        id: app.id(ApiKeyId::new),
        company: scope.company.clone(),
        name: name(&asked.name)?,
        prefix: issued.prefix,
        hash: issued.hash,
        scopes: asked.scopes,
        created_by,
        created_ms: app.now_ms(),
        expires_ms: asked.expires_ms,
        channel: None,
        last_used_ms: None,
        revoked_ms: None,
    };
    let mut db = app.store.begin().await?;
    api_keys::insert(&mut *db, &row).await?;
    let company = scope.company.as_ref();
    let detail = json!({ "name": row.name, "scopes": row.scopes });
    let deed = Deed {
        company,
        action: "api_key.create",
        target: row.id.as_str(),
        detail,
    };
    app.commit_quietly(db, &scope.who, deed).await?;
    Ok((
        StatusCode::CREATED,
        Json(ApiKeyCreated::of(row, issued.text)),
    ))
}

/// Revoke an API key
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn revoke(
    State(app): State<App>,
    Governs(scope): Governs,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if !api_keys::revoke(&mut *db, scope.company.as_ref(), &id, app.now_ms()).await? {
        return Err(Problem::not_found());
    }
    let company = scope.company.as_ref();
    let deed = Deed {
        company,
        action: "api_key.revoke",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &scope.who, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

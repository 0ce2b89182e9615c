//! `/profiles`: what people may do, under names of the company's own.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, ProfileId};
use desk::permission::{Area, Permissions, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::profiles as rows;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::problem::{Problem, ProblemBody};
use super::who::{Administers, Tenant, Who};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/profiles", get(list).post(create))
        .route(
            "/api/v1/profiles/{id}",
            get(read).put(update).delete(delete),
        )
}

/// What can be set of a profile.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Supervisão de vendas", "permissions": {
    "desk": {"level": "change", "scope": "services"}, "interactions": {"level": "view", "scope": "services"},
    "reports": {"level": "view", "scope": "services"}}}))]
pub(super) struct ProfileSettings {
    /// Unique in the company.
    name: String,
    /// By area: `interactions`, `recordings`, `desk`, `reports`, `contacts`, `services`, `flows`, `channels`,
    /// `people`, `integrations`, `audit`, `company`. In what is not named one has one's own work alone.
    #[schema(value_type = BTreeMap<String, Granted>)]
    permissions: Permissions,
}

/// What is allowed in an area.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "it describes what `Permissions` reads by itself")]
pub(super) struct Granted {
    level: LevelWord,
    /// About whose customers; `all` when not set.
    scope: Option<ScopeWord>,
}

/// How far somebody may go; each step includes those before.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what `Permissions` reads by itself")]
pub(super) enum LevelWord {
    /// What is one's own work.
    Own,
    /// Everything is seen.
    View,
    /// Everything is changed.
    Change,
}

/// About whose customers.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what `Permissions` reads by itself")]
pub(super) enum ScopeWord {
    /// Those of the services that one takes work of.
    Services,
    /// All.
    All,
}

/// What people may do, under a name.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Profile {
    #[schema(value_type = String)]
    id: ProfileId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: ProfileSettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<rows::Profile> for Profile {
    fn from(row: rows::Profile) -> Self {
        Self {
            id: row.id,
            company: row.company,
            settings: ProfileSettings {
                name: row.name,
                permissions: row.permissions,
            },
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// Refuses to give what one does not have oneself.
pub(super) fn may_give(who: &Who, given: &Permissions) -> Result<(), Problem> {
    if who.permissions.cover(given) {
        Ok(())
    } else {
        Err(Problem::forbidden())
    }
}

/// What is asked for, if a scope stands only where it means something.
fn checked(tenant: &Tenant, asked: Permissions) -> Result<Permissions, Problem> {
    for (area, grant) in &asked.0 {
        if grant.scope == Scope::Services && !OF_CUSTOMERS.contains(area) {
            let field = format!("permissions.{area}.scope");
            return Err(Problem::field(&field, "invalid"));
        }
    }
    may_give(tenant, &asked)?;
    Ok(asked)
}

/// The areas that are about customers of services.
const OF_CUSTOMERS: [Area; 4] = [
    Area::Interactions,
    Area::Recordings,
    Area::Desk,
    Area::Reports,
];

/// List profiles
#[utoipa::path(get, path = "/api/v1/profiles", operation_id = "list_profiles", tag = "people",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Profile>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Administers(tenant): Administers,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Profile>>, Problem> {
    let listed = rows::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    let place = |row: &rows::Profile| row.id.to_string();
    Ok(Listed::of(listed, paging.limit(), place))
}

/// Read a profile
#[utoipa::path(get, path = "/api/v1/profiles/{id}", operation_id = "read_profile", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Profile), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ProfileId>,
) -> Result<Json<Profile>, Problem> {
    let found = rows::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a profile
#[utoipa::path(post, path = "/api/v1/profiles", operation_id = "create_profile", tag = "people",
    params(("company" = Option<String>, Query)), request_body = ProfileSettings,
    responses((status = 201, body = Profile), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(asked): Body<ProfileSettings>,
) -> Result<(StatusCode, Json<Profile>), Problem> {
    let permissions = checked(&tenant, asked.permissions)?;
    let now_ms = app.now_ms();
    let row = rows::Profile {
        id: app.id(ProfileId::new),
        company: tenant.company.clone(),
        name: name(&asked.name)?,
        permissions,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let mut db = app.store.begin().await?;
    rows::insert(&mut *db, &row).await?;
    let deed = deed("profile.create", &row);
    app.commit_quietly(db, &tenant, deed).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a profile
///
/// Whoever has it may at once what it allows then.
#[utoipa::path(put, path = "/api/v1/profiles/{id}", operation_id = "update_profile", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = ProfileSettings,
    responses((status = 200, body = Profile), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ProfileId>,
    Body(asked): Body<ProfileSettings>,
) -> Result<Json<Profile>, Problem> {
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    may_give(&tenant, &old.permissions)?;
    let permissions = checked(&tenant, asked.permissions)?;
    let row = rows::Profile {
        name: name(&asked.name)?,
        permissions,
        updated_ms: app.now_ms(),
        ..old
    };
    rows::update(&mut *db, &row).await?;
    let deed = deed("profile.update", &row);
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(Json(row.into()))
}

/// Delete a profile
#[utoipa::path(delete, path = "/api/v1/profiles/{id}", operation_id = "delete_profile", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ProfileId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    may_give(&tenant, &old.permissions)?;
    let was = rows::delete(&mut *db, &tenant.company, &id).await;
    was.map_err(Problem::of_delete)?;
    let deed = deed("profile.delete", &old);
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a rows::Profile) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({ "name": row.name, "permissions": row.permissions }),
    }
}

//! `/users`: the people who log in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, ProfileId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::second_factors;
use store::users::{self, Role};

use super::body::{Asked, Body, Id, Listed, Paging, language, name};
use super::problem::{Problem, ProblemBody};
use super::profiles::may_give;
use super::session::hash;
use super::who::{By, Governs, Scoped, Who, permissions};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/users", get(list).post(create))
        .route("/api/v1/users/{id}", get(read).put(update).delete(delete))
}

/// What a person may do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleWord {
    /// Everything inside the company.
    Administrator,
    /// Watches.
    Supervisor,
    /// Takes work.
    Agent,
}

impl From<Role> for RoleWord {
    fn from(role: Role) -> Self {
        match role {
            Role::Administrator => Self::Administrator,
            Role::Supervisor => Self::Supervisor,
            Role::Agent => Self::Agent,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(role: RoleWord) -> Self {
        match role {
            RoleWord::Administrator => Self::Administrator,
            RoleWord::Supervisor => Self::Supervisor,
            RoleWord::Agent => Self::Agent,
        }
    }
}

/// What can be set of a person.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ana@empresa.example", "name": "Ana", "role": "agent", "password": "uma senha bem longa"}))]
pub(super) struct UserSettings {
    /// By which they log in; unique in the installation.
    email: String,
    name: String,
    role: RoleWord,
    /// What they may do (`/profiles`); what their role may when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    profile: Option<ProfileId>,
    /// The language of their screens.
    #[serde(default = "portuguese")]
    locale: String,
    /// 12 to 200 characters; when not set, it stays as it is. A new one ends their sessions.
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    disabled: bool,
}

fn portuguese() -> String {
    "pt-BR".to_owned()
}

/// A person.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct User {
    #[schema(value_type = String)]
    id: UserId,
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    email: String,
    name: String,
    role: RoleWord,
    #[schema(value_type = Option<String>)]
    profile: Option<ProfileId>,
    locale: String,
    disabled: bool,
    /// Whether they are asked for a code of their authenticator app.
    second_factor: bool,
    created_ms: i64,
    last_login_ms: Option<i64>,
}

impl User {
    fn of(row: users::User, second_factor: bool) -> Self {
        Self {
            second_factor,
            id: row.id,
            company: row.company,
            email: row.email,
            name: row.name,
            role: row.role.into(),
            profile: row.profile,
            locale: row.locale,
            disabled: row.disabled,
            created_ms: row.created_ms,
            last_login_ms: row.last_login_ms,
        }
    }
}

async fn shown(app: &App, row: users::User) -> Result<Json<User>, Problem> {
    let factor = second_factors::of_user(app.store.pool(), &row.id).await?;
    let is_asked = factor.is_some_and(|factor| factor.since_ms.is_some());
    Ok(Json(User::of(row, is_asked)))
}

/// Refuses passwords that are guessed or that nobody could have typed.
pub(super) fn check_password(password: &str) -> Result<(), Problem> {
    if (12..=200).contains(&password.chars().count()) {
        Ok(())
    } else {
        Err(Problem::field("password", "invalid_password"))
    }
}

pub(super) fn email(text: &str) -> Result<String, Problem> {
    let text = text.trim().to_lowercase();
    let sane = text.len() <= 254
        && text
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && host.len() > 2)
        && !text
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control());
    if sane {
        Ok(text)
    } else {
        Err(Problem::field("email", "invalid_email"))
    }
}

/// List people
#[utoipa::path(get, path = "/api/v1/users", tag = "people",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<User>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Governs(scope): Governs,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<User>>, Problem> {
    let rows = users::list(app.store.pool(), scope.company.as_ref(), &paging.page()?).await?;
    let asked = second_factors::asked(app.store.pool(), scope.company.as_ref()).await?;
    let rows = rows.into_iter().map(|row| {
        let second_factor = asked.contains(&row.id);
        User::of(row, second_factor)
    });
    Ok(Listed::of(rows.collect(), paging.limit(), |row: &User| {
        row.id.to_string()
    }))
}

/// Add a person
#[utoipa::path(post, path = "/api/v1/users", tag = "people", params(("company" = Option<String>, Query)),
    request_body = UserSettings,
    responses((status = 201, body = User), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Governs(scope): Governs,
    Body(asked): Body<UserSettings>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let password = new_password(&app, &asked).await?;
    let row = users::User {
        id: app.id(UserId::new),
        company: scope.company.clone(),
        email: email(&asked.email)?,
        name: name(&asked.name)?,
        password,
        role: asked.role.into(),
        profile: asked.profile,
        locale: language(&asked.locale, "locale")?,
        disabled: asked.disabled,
        created_ms: app.now_ms(),
        last_login_ms: None,
    };
    may_be(&app, &scope.who, &row).await?;
    let mut db = app.store.begin().await?;
    users::insert(&mut *db, &row).await?;
    app.commit(db, &scope.who, deed(&scope, "user.create", &row))
        .await?;
    Ok((StatusCode::CREATED, Json(User::of(row, false))))
}

/// Read a person
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = User), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Governs(scope): Governs,
    Id(id): Id<UserId>,
) -> Result<Json<User>, Problem> {
    let found = users::by_id(app.store.pool(), scope.company.as_ref(), &id).await?;
    shown(&app, found.ok_or_else(Problem::not_found)?).await
}

/// Change a person
#[utoipa::path(put, path = "/api/v1/users/{id}", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = UserSettings,
    responses((status = 200, body = User), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Governs(scope): Governs,
    Id(id): Id<UserId>,
    Body(asked): Body<UserSettings>,
) -> Result<Json<User>, Problem> {
    let password = new_password(&app, &asked).await?;
    let mut db = app.store.begin().await?;
    let old = users::by_id(&mut *db, scope.company.as_ref(), &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    // Who may less than they may does not take their password.
    may_be(&app, &scope.who, &old).await?;
    let role = Role::from(asked.role);
    let changes = role != old.role || asked.profile != old.profile;
    if is_oneself(&scope, &id) && (asked.disabled || changes) {
        return Err(Problem::conflict("yourself"));
    }
    let row = users::User {
        email: email(&asked.email)?,
        name: name(&asked.name)?,
        role,
        profile: asked.profile,
        locale: language(&asked.locale, "locale")?,
        disabled: asked.disabled,
        ..old
    };
    may_be(&app, &scope.who, &row).await?;
    users::update(&mut *db, &row).await?;
    if let Some(password) = password {
        users::set_password(&mut *db, &id, &password).await?;
        store::sessions::end_others(&mut *db, &id, None).await?;
    }
    app.commit(db, &scope.who, deed(&scope, "user.update", &row))
        .await?;
    shown(&app, row).await
}

/// Remove a person
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Governs(scope): Governs,
    Id(id): Id<UserId>,
) -> Result<StatusCode, Problem> {
    if is_oneself(&scope, &id) {
        return Err(Problem::conflict("yourself"));
    }
    let mut db = app.store.begin().await?;
    let old = users::by_id(&mut *db, scope.company.as_ref(), &id).await?;
    may_be(&app, &scope.who, &old.ok_or_else(Problem::not_found)?).await?;
    let was = users::delete(&mut *db, scope.company.as_ref(), &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let company = scope.company.as_ref();
    let deed = Deed {
        company,
        action: "user.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &scope.who, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses to have somebody be more than one is oneself.
pub(super) async fn may_be(app: &App, who: &Who, row: &users::User) -> Result<(), Problem> {
    if let Some(profile) = &row.profile {
        let company = row.company.as_ref();
        let company = company.ok_or_else(|| Problem::field("profile", "reference"))?;
        let found = store::profiles::by_id(app.store.pool(), company, profile).await?;
        found.ok_or_else(|| Problem::field("profile", "reference"))?;
    }
    may_give(who, &permissions(app, row).await?)
}

async fn new_password(app: &App, asked: &UserSettings) -> Result<Option<String>, Problem> {
    let Some(password) = &asked.password else {
        return Ok(None);
    };
    check_password(password)?;
    hash(app, password).await.map(Some)
}

pub(super) fn is_oneself(scope: &Scoped, id: &UserId) -> bool {
    matches!(&scope.who.by, By::User { user, .. } if user.id == *id)
}

fn deed<'a>(scope: &'a Scoped, action: &'a str, row: &'a users::User) -> Deed<'a> {
    let detail = json!({ "role": row.role, "disabled": row.disabled });
    Deed {
        company: scope.company.as_ref(),
        action,
        target: row.id.as_str(),
        detail,
    }
}

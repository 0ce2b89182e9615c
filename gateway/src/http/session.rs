//! `/session`: a person logs in and out.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use desk::id::{AuditId, CompanyId, SessionId, UserId};
use desk::permission::Permissions;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::sessions::Session;
use store::users::User;

use super::attempts::Source;
use super::body::Body;
use super::problem::{Problem, ProblemBody};
use super::users::{RoleWord, check_password};
use super::who::{By, SESSION_IDLE_MS, Who, cookie_name, permissions, remote};
use super::{App, Deed, second_factor, secret};
use crate::{files, passwords};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/session", get(read).post(log_in).delete(log_out))
        .route("/api/v1/session/password", put(change_password))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ana@empresa.example", "password": "uma senha bem longa"}))]
pub(super) struct Login {
    email: String,
    password: String,
    /// Of the authenticator app or on paper, where the person has set one: without it the answer is 401
    /// with the code `second_factor_required`.
    #[serde(default)]
    code: Option<String>,
}

/// Who is logged in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LoggedIn {
    #[schema(value_type = String)]
    user: UserId,
    name: String,
    email: String,
    role: RoleWord,
    /// What they may do, by area; in what is not named they have their own work alone.
    #[schema(value_type = BTreeMap<String, super::profiles::Granted>)]
    permissions: Permissions,
    /// The language of their screens.
    locale: String,
    /// Their company; nothing for administrators of the installation.
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// To be sent as X-CSRF-Token with POST, PUT, PATCH and DELETE.
    csrf: String,
    expires_ms: i64,
}

fn shown(user: &User, session: &Session, permissions: Permissions) -> LoggedIn {
    LoggedIn {
        user: user.id.clone(),
        name: user.name.clone(),
        email: user.email.clone(),
        role: user.role.into(),
        permissions,
        locale: user.locale.clone(),
        company: user.company.clone(),
        csrf: session.csrf.clone(),
        expires_ms: session.expires_ms,
    }
}

/// Log in
///
/// Sets a cookie. The answer is the same for an unknown address and a wrong password.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Login, security(()),
    responses((status = 201, body = LoggedIn), (status = 401, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn log_in(
    State(app): State<App>,
    headers: HeaderMap,
    parts: Parts,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let remote = remote(&parts);
    let user = authenticate(&app, &login, &remote).await?;
    second_factor::check(&app, &user, login.code.as_deref(), &remote).await?;
    let now_ms = app.now_ms();
    let token = secret()?;
    let session = Session {
        id: app.id(SessionId::new),
        user: user.id.clone(),
        token_hash: files::sha256(token.as_bytes()),
        csrf: secret()?,
        created_ms: now_ms,
        last_seen_ms: now_ms,
        expires_ms: now_ms + SESSION_IDLE_MS,
        remote: remote.clone(),
        user_agent: user_agent(&headers),
    };
    let mut db = app.store.begin().await?;
    store::sessions::sweep(&mut *db, now_ms).await?;
    store::sessions::insert(&mut *db, &session).await?;
    store::users::logged_in(&mut *db, &user.id, now_ms).await?;
    let permissions = permissions(&app, &user).await?;
    let answer = shown(&user, &session, permissions.clone());
    let who = Who {
        company: user.company.clone(),
        access: super::who::Access::Own,
        permissions,
        remote,
        by: By::User {
            user: Box::new(user),
            session: Box::new(session),
        },
    };
    let company = who.company.as_ref();
    let deed = Deed {
        company,
        action: "session.begin",
        target: answer.user.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &who, deed).await?;
    let cookie = set_cookie(&headers, &token, None);
    Ok((
        StatusCode::CREATED,
        [(header::SET_COOKIE, cookie)],
        Json(answer),
    )
        .into_response())
}

/// Whether this is the password of who asks.
pub(super) async fn authenticated(app: &App, who: &Who, password: String) -> Result<(), Problem> {
    let By::User { user, .. } = &who.by else {
        return Err(Problem::not_found());
    };
    let login = Login {
        email: user.email.clone(),
        password,
        code: None,
    };
    authenticate(app, &login, &who.remote).await?;
    Ok(())
}

/// The user of a right password; everything else is refused alike and takes as long.
async fn authenticate(app: &App, login: &Login, remote: &str) -> Result<User, Problem> {
    let source = Source {
        account: &login.email,
        address: remote,
    };
    app.begin_attempt(&source)?;
    let found = store::users::by_email(app.store.pool(), &login.email).await?;
    let known = found.as_ref().and_then(|user| user.password.clone());
    let right = verify(app, &login.password, known.clone()).await?;
    match found.filter(|user| right && !user.disabled) {
        Some(user) => {
            app.attempt_succeeded(&source);
            if let Some(old) = known {
                rehash(app, &user, &old, &login.password).await?;
            }
            Ok(user)
        }
        None => {
            refused(app, remote).await?;
            Err(Problem::bad_login())
        }
    }
}

/// A refused log-in is in the log of the installation, without the address that was tried: people
/// type their password there.
async fn refused(app: &App, remote: &str) -> Result<(), Problem> {
    let line = store::audit::Line {
        id: app.id(AuditId::new),
        company: None,
        user: None,
        api_key: None,
        at_ms: app.now_ms(),
        action: "session.refused".to_owned(),
        target: String::new(),
        detail: json!({}),
        remote: remote.to_owned(),
    };
    let mut db = app.store.begin().await?;
    store::audit::append(&mut *db, &line).await?;
    db.commit().await?;
    Ok(())
}

/// Whether `password` is that of `phc`. Where there is none, the work is done nevertheless.
async fn verify(app: &App, password: &str, phc: Option<String>) -> Result<bool, Problem> {
    let password = password.to_owned();
    hashing(app, move || {
        let exists = phc.is_some();
        let phc = phc.unwrap_or_else(|| NOBODY.to_owned());
        passwords::verify(&password, &phc) && exists
    })
    .await
}

async fn rehash(app: &App, user: &User, old: &str, password: &str) -> Result<(), Problem> {
    if old.starts_with(PARAMETERS) {
        return Ok(());
    }
    let new = hash(app, password).await?;
    let mut db = app.store.begin().await?;
    store::users::rehash_password(&mut *db, &user.id, old, &new).await?;
    db.commit().await?;
    Ok(())
}

/// Hashes a password away from the tasks that serve calls.
pub(super) async fn hash(app: &App, password: &str) -> Result<String, Problem> {
    let password = password.to_owned();
    let hashed = hashing(app, move || passwords::hash(&password)).await?;
    hashed.map_err(|_| Problem::field("password", "invalid_password"))
}

async fn hashing<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let _permit = app
        .hashing
        .acquire()
        .await
        .map_err(|error| Problem::unavailable(&error))?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::unavailable(&error))
}

/// Who am I?
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = LoggedIn), (status = 401, body = ProblemBody)))]
pub(super) async fn read(who: Who) -> Result<Json<LoggedIn>, Problem> {
    match &who.by {
        By::User { user, session } => Ok(Json(shown(user, session, who.permissions.clone()))),
        By::Key(_) => Err(Problem::not_found()),
    }
}

/// Log out
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub(super) async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
    who: Who,
) -> Result<Response, Problem> {
    let By::User { user, session } = &who.by else {
        return Err(Problem::not_found());
    };
    let mut db = app.store.begin().await?;
    store::sessions::end(&mut *db, &user.id, &session.id).await?;
    let company = who.company.as_ref();
    let deed = Deed {
        company,
        action: "session.end",
        target: user.id.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &who, deed).await?;
    let cookie = set_cookie(&headers, "", Some(0));
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// The password as it is.
    current: String,
    /// 12 to 200 characters.
    new: String,
}

/// Change one's own password
///
/// All other sessions of the person end.
#[utoipa::path(put, path = "/api/v1/session/password", tag = "session", request_body = NewPassword,
    responses((status = 204), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn change_password(
    State(app): State<App>,
    who: Who,
    Body(asked): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let By::User { user, session } = &who.by else {
        return Err(Problem::not_found());
    };
    check_password(&asked.new)?;
    authenticated(&app, &who, asked.current).await?;
    let new = hash(&app, &asked.new).await?;
    let mut db = app.store.begin().await?;
    store::users::set_password(&mut *db, &user.id, &new).await?;
    store::sessions::end_others(&mut *db, &user.id, Some(&session.id)).await?;
    let company = who.company.as_ref();
    let deed = Deed {
        company,
        action: "user.password",
        target: user.id.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &who, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn set_cookie(headers: &HeaderMap, token: &str, age_s: Option<u32>) -> HeaderValue {
    let name = cookie_name(headers);
    let secure = if name.starts_with("__Host-") {
        "; Secure"
    } else {
        ""
    };
    let age = age_s
        .map(|age| format!("; Max-Age={age}"))
        .unwrap_or_default();
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    // The token is hexadecimal, and the rest is ours.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn user_agent(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    text.unwrap_or_default().chars().take(200).collect()
}

/// How today's hashes begin; others are made anew when their password is known.
const PARAMETERS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// A hash of a password that nobody has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cmFtYWxyYW1hbHJhbWFs$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

//! `/session/second-factor`: who logs in shows a code of their authenticator app beside the password.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use desk::id::{CompanyId, UserId};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::second_factors as rows;
use store::users::User;

use super::attempts::Source;
use super::body::{Body, Id};
use super::problem::{Problem, ProblemBody};
use super::session::authenticated;
use super::users::{is_oneself, may_be};
use super::who::{By, Governs, Who};
use super::{App, Deed, generator};
use crate::second_factor::{
    RECOVERY_BYTES, SECRET_BYTES, SecondFactor, recovery_code, recovery_hash,
};

pub(super) fn routes() -> Router<App> {
    let own = "/api/v1/session/second-factor";
    Router::new()
        .route(own, get(read).post(offer).put(begin))
        .route(&format!("{own}/end"), post(end))
        .route("/api/v1/users/{id}/second-factor", delete(take_away))
}

/// The password, once more: who finds a computer unlocked has none.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnPassword {
    password: String,
}

/// A code of the app.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "123456"}))]
pub(super) struct ShownCode {
    code: String,
}

/// The second factor of who asks.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OwnSecondFactor {
    /// Since when it is asked for; nothing where it is not.
    since_ms: Option<i64>,
    /// How many codes on paper are left.
    recovery_codes_left: u32,
}

/// What the app is to know.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OfferedSecret {
    /// In base 32, for who types it.
    secret: String,
    /// For a QR code (`otpauth://…`).
    uri: String,
}

/// Codes on paper: each opens once, in place of the app's. They are shown this one time.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// See one's own second factor
#[utoipa::path(get, path = "/api/v1/session/second-factor", operation_id = "second_factor", tag = "session",
    responses((status = 200, body = OwnSecondFactor), (status = 401, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    who: Who,
) -> Result<Json<OwnSecondFactor>, Problem> {
    let user = user(&who)?;
    let pool = app.store.pool();
    let known = rows::of_user(pool, &user.id).await?;
    Ok(Json(OwnSecondFactor {
        since_ms: known.and_then(|known| known.since_ms),
        recovery_codes_left: rows::recovery_left(pool, &user.id).await?,
    }))
}

/// Be given a secret for an authenticator app
///
/// It counts once a code of it was shown by `PUT`.
#[utoipa::path(post, path = "/api/v1/session/second-factor", operation_id = "offer_second_factor", tag = "session",
    request_body = OwnPassword,
    responses((status = 201, body = OfferedSecret), (status = 401, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub(super) async fn offer(
    State(app): State<App>,
    who: Who,
    Body(asked): Body<OwnPassword>,
) -> Result<(StatusCode, Json<OfferedSecret>), Problem> {
    let user = user(&who)?;
    authenticated(&app, &who, asked.password).await?;
    let mut secret = [0; SECRET_BYTES];
    generator()?.fill(&mut secret);
    let factor = SecondFactor::new(&secret, &user.email);
    let factor = factor.map_err(|error| Problem::unavailable(&error))?;
    let sealed = app.secrets.seal(&owner(&user.id), &secret);
    let sealed = sealed.map_err(|error| Problem::unavailable(&error))?;
    if !rows::offer(app.store.pool(), &user.id, &sealed).await? {
        return Err(Problem::conflict("second_factor_set"));
    }
    let offered = OfferedSecret {
        secret: factor.secret(),
        uri: factor.uri().map_err(|error| Problem::unavailable(&error))?,
    };
    Ok((StatusCode::CREATED, Json(offered)))
}

/// Have one's second factor asked for
///
/// With a code of the secret that was given. The answer has the codes on paper.
#[utoipa::path(put, path = "/api/v1/session/second-factor", operation_id = "begin_second_factor", tag = "session",
    request_body = ShownCode,
    responses((status = 200, body = RecoveryCodes), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn begin(
    State(app): State<App>,
    who: Who,
    Body(shown): Body<ShownCode>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let user = user(&who)?;
    let known = rows::of_user(app.store.pool(), &user.id).await?;
    let known = known.ok_or_else(Problem::not_found)?;
    let step = counted(&app, user, &who.remote, async |now_ms| {
        Ok(factor(&app, user, &known)?.step(&shown.code, now_ms))
    });
    let step = step.await?;
    let mut chance = generator()?;
    let codes: Vec<String> = (0..RECOVERY_CODES)
        .map(|_| recovery_code(chance.random::<[u8; RECOVERY_BYTES]>()))
        .collect();
    let hashes: Vec<String> = codes.iter().map(|code| recovery_hash(code)).collect();
    let mut db = app.store.begin().await?;
    if !rows::begin(&mut db, &user.id, step, &hashes, app.now_ms()).await? {
        return Err(Problem::conflict("second_factor_set"));
    }
    let deed = Deed {
        company: who.company.as_ref(),
        action: "user.second_factor",
        target: user.id.as_str(),
        detail: json!({ "is_asked": true }),
    };
    app.commit_quietly(db, &who, deed).await?;
    Ok(Json(RecoveryCodes {
        recovery_codes: codes,
    }))
}

/// End one's second factor
#[utoipa::path(post, path = "/api/v1/session/second-factor/end", operation_id = "end_second_factor", tag = "session",
    request_body = OwnPassword,
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn end(
    State(app): State<App>,
    who: Who,
    Body(asked): Body<OwnPassword>,
) -> Result<StatusCode, Problem> {
    let user = user(&who)?;
    authenticated(&app, &who, asked.password).await?;
    removed(&app, &who, who.company.as_ref(), &user.id).await
}

/// Take the second factor from a user
///
/// For who lost the app and the codes on paper. They log in with the password alone until they set another.
#[utoipa::path(delete, path = "/api/v1/users/{id}/second-factor", operation_id = "remove_second_factor", tag = "people",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn take_away(
    State(app): State<App>,
    Governs(scope): Governs,
    Id(id): Id<UserId>,
) -> Result<StatusCode, Problem> {
    if is_oneself(&scope, &id) {
        return Err(Problem::conflict("yourself"));
    }
    let company = scope.company.as_ref();
    let found = store::users::by_id(app.store.pool(), company, &id).await?;
    may_be(&app, &scope.who, &found.ok_or_else(Problem::not_found)?).await?;
    removed(&app, &scope.who, company, &id).await
}

async fn removed(
    app: &App,
    who: &Who,
    company: Option<&CompanyId>,
    user: &UserId,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if !rows::remove(&mut *db, user).await? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company,
        action: "user.second_factor",
        target: user.as_str(),
        detail: json!({ "is_asked": false }),
    };
    app.commit_quietly(db, who, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether who showed the right password may log in: with a code of the app or on paper, where one is asked
/// for.
pub(super) async fn check(
    app: &App,
    user: &User,
    code: Option<&str>,
    remote: &str,
) -> Result<(), Problem> {
    let pool = app.store.pool();
    let known = rows::of_user(pool, &user.id).await?;
    let Some(known) = known.filter(|known| known.since_ms.is_some()) else {
        return Ok(());
    };
    let code = code.ok_or_else(|| Problem::second_factor("second_factor_required"))?;
    counted(app, user, remote, async |now_ms| {
        let step = factor(app, user, &known)?.step(code, now_ms);
        let counts = match step {
            Some(step) => rows::use_step(pool, &user.id, step).await?,
            None => rows::use_recovery(pool, &user.id, &recovery_hash(code)).await?,
        };
        Ok(counts.then_some(()))
    })
    .await
}

/// What a code proves, counted before it is looked at: a million codes are soon tried.
async fn counted<T>(
    app: &App,
    user: &User,
    remote: &str,
    prove: impl AsyncFnOnce(i64) -> Result<Option<T>, Problem>,
) -> Result<T, Problem> {
    let account = format!("{} second factor", user.email);
    let source = Source {
        account: &account,
        address: remote,
    };
    app.begin_attempt(&source)?;
    let proved = prove(app.now_ms()).await?;
    let proved = proved.ok_or_else(|| Problem::second_factor("second_factor_wrong"))?;
    app.attempt_succeeded(&source);
    Ok(proved)
}

fn factor(app: &App, user: &User, known: &rows::SecondFactor) -> Result<SecondFactor, Problem> {
    let secret = app.secrets.open_sealed(&owner(&user.id), &known.secret);
    let secret = secret.map_err(|error| Problem::unavailable(&error))?;
    SecondFactor::new(&secret, &user.email).map_err(|error| Problem::unavailable(&error))
}

fn user(who: &Who) -> Result<&User, Problem> {
    match &who.by {
        By::User { user, .. } => Ok(user),
        By::Key(_) => Err(Problem::not_found()),
    }
}

/// The row that the secret is encrypted for.
fn owner(user: &UserId) -> String {
    format!("second_factor:{}", user.as_str())
}

/// A sheet of paper; other services give as many.
const RECOVERY_CODES: usize = 10;

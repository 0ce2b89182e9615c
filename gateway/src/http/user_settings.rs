//! `/session/settings`: what somebody set for themselves, and only they read: searches that they keep, how their
//! pages are. What is in it is the window's own affair.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::App;
use super::body::Body;
use super::problem::{Problem, ProblemBody};
use super::who::{By, Who};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/session/settings/{name}", get(read).put(write))
}

/// What somebody set.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"value": [{"name": "Perdidas hoje", "search": {"outcome": "abandoned"}}]}))]
pub(super) struct OwnSetting {
    /// Any JSON of at most 16 KiB; `null` where nothing is set, and to forget it.
    #[schema(value_type = Object)]
    value: Value,
}

/// Read what one set for oneself
#[utoipa::path(get, path = "/api/v1/session/settings/{name}", operation_id = "read_own_setting", tag = "session",
    params(("name" = String, Path)),
    responses((status = 200, body = OwnSetting), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<OwnSetting>, Problem> {
    let me = myself(&who)?;
    named(&name)?;
    let found = store::user_settings::by_name(app.store.pool(), me, &name).await?;
    Ok(Json(OwnSetting {
        value: found.unwrap_or_default(),
    }))
}

/// Set something for oneself
///
/// Under at most 50 names of small letters, digits and hyphens.
#[utoipa::path(put, path = "/api/v1/session/settings/{name}", operation_id = "set_own_setting", tag = "session",
    params(("name" = String, Path)), request_body = OwnSetting,
    responses((status = 204), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn write(
    State(app): State<App>,
    who: Who,
    Path(name): Path<String>,
    Body(asked): Body<OwnSetting>,
) -> Result<StatusCode, Problem> {
    let me = myself(&who)?;
    named(&name)?;
    if asked.value.to_string().len() > VALUE_BYTES_MAX {
        return Err(Problem::field("value", "out_of_range"));
    }
    let mut db = app.store.begin().await?;
    let is_set = match &asked.value {
        Value::Null => {
            store::user_settings::delete(&mut *db, me, &name).await?;
            true
        }
        value @ (Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            let named = (name.as_str(), value);
            store::user_settings::put(&mut *db, me, named, NAMES_MAX, app.now_ms()).await?
        }
    };
    db.commit().await?;
    if is_set {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::field("name", "too_many"))
    }
}

fn myself(who: &Who) -> Result<&UserId, Problem> {
    match &who.by {
        By::User { user, .. } => Ok(&user.id),
        By::Key(_) => Err(Problem::forbidden()),
    }
}

/// Refuses what is no name.
fn named(name: &str) -> Result<(), Problem> {
    let is_name = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_name {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

/// A window keeps little here.
const NAMES_MAX: u32 = 50;

const NAME_CHARS_MAX: usize = 40;

const VALUE_BYTES_MAX: usize = 16 * 1024;

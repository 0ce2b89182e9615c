//! `/quick-replies`: sentences that agents write by a few letters.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, QuickReplyId, ServiceId};
use ivr::template::{Part, parts};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::quick_replies as rows;

use super::body::{Asked, Body, Id, Listed, Paging};
use super::problem::{Problem, ProblemBody};
use super::who::{Tenant, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/quick-replies", get(list).post(create))
        .route(
            "/api/v1/quick-replies/{id}",
            get(read).put(update).delete(delete),
        )
}

/// What can be set of a quick reply.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"shortcut": "ola", "text": "Olá, {{name}}! Aqui é {{agent}}. Como posso ajudar?"}))]
pub(super) struct QuickReplySettings {
    /// What is typed behind `/`: 1 to 30 letters, digits, `-` and `_`, unique in the company.
    shortcut: String,
    /// What is written then, 1 to 4,000 characters. `{{name}}` is the customer, `{{protocol}}` the number of
    /// the interaction, `{{agent}}` who writes, `{{service}}` for which service: the window in which it is
    /// written fills them in.
    text: String,
    /// For which services; for all where there are none.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    services: Vec<ServiceId>,
}

/// A sentence that agents write by a few letters.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct QuickReply {
    #[schema(value_type = String)]
    id: QuickReplyId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: QuickReplySettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<rows::QuickReply> for QuickReply {
    fn from(row: rows::QuickReply) -> Self {
        Self {
            id: row.id,
            company: row.company,
            settings: QuickReplySettings {
                shortcut: row.shortcut,
                text: row.text,
                services: row.services,
            },
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// A row of what was asked, or what is wrong with it.
async fn row(
    app: &App,
    (id, created_ms): (QuickReplyId, i64),
    company: &CompanyId,
    asked: QuickReplySettings,
) -> Result<rows::QuickReply, Problem> {
    let shortcut = asked.shortcut.trim().to_lowercase();
    let is_typed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let length = shortcut.chars().count();
    if !(1..=SHORTCUT_CHARS_MAX).contains(&length) || !shortcut.chars().all(is_typed) {
        return Err(Problem::field("shortcut", "invalid"));
    }
    let text = asked.text.trim().to_owned();
    if !(1..=TEXT_CHARS_MAX).contains(&text.chars().count()) {
        return Err(Problem::field("text", "invalid"));
    }
    let is_known = |part: &Part<'_>| match part {
        Part::Text(_) => true,
        Part::Variable(name) => NAMES.contains(name),
    };
    if !parts(&text).is_ok_and(|parts| parts.iter().all(is_known)) {
        return Err(Problem::field("text", "unknown_name").because(NAMES.join(", ")));
    }
    for service in &asked.services {
        let found = store::services::by_id(app.store.pool(), company, service).await?;
        found.ok_or_else(|| Problem::field("services", "reference"))?;
    }
    Ok(rows::QuickReply {
        id,
        company: company.clone(),
        shortcut,
        text,
        services: asked.services,
        created_ms,
        updated_ms: app.now_ms(),
    })
}

/// List the quick replies
///
/// Everybody of the company may: agents write by them.
#[utoipa::path(get, path = "/api/v1/quick-replies", operation_id = "list_quick_replies", tag = "agents",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<QuickReply>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    tenant: Tenant,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<QuickReply>>, Problem> {
    let listed = rows::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    let place = |row: &rows::QuickReply| row.id.to_string();
    Ok(Listed::of(listed, paging.limit(), place))
}

/// Read a quick reply
#[utoipa::path(get, path = "/api/v1/quick-replies/{id}", operation_id = "read_quick_reply", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = QuickReply), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<QuickReplyId>,
) -> Result<Json<QuickReply>, Problem> {
    let found = rows::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a quick reply
#[utoipa::path(post, path = "/api/v1/quick-replies", operation_id = "create_quick_reply", tag = "agents",
    params(("company" = Option<String>, Query)), request_body = QuickReplySettings,
    responses((status = 201, body = QuickReply), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<QuickReplySettings>,
) -> Result<(StatusCode, Json<QuickReply>), Problem> {
    let born = (app.id(QuickReplyId::new), app.now_ms());
    let row = row(&app, born, &tenant.company, asked).await?;
    let mut db = app.store.begin().await?;
    rows::insert(&mut *db, &row).await?;
    let deed = deed("quick_reply.create", &row);
    app.commit_quietly(db, &tenant, deed).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a quick reply
#[utoipa::path(put, path = "/api/v1/quick-replies/{id}", operation_id = "update_quick_reply", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = QuickReplySettings,
    responses((status = 200, body = QuickReply), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<QuickReplyId>,
    Body(asked): Body<QuickReplySettings>,
) -> Result<Json<QuickReply>, Problem> {
    let old = rows::by_id(app.store.pool(), &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(&app, (id, old.created_ms), &tenant.company, asked).await?;
    let mut db = app.store.begin().await?;
    rows::update(&mut *db, &row).await?;
    let deed = deed("quick_reply.update", &row);
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(Json(row.into()))
}

/// Delete a quick reply
#[utoipa::path(delete, path = "/api/v1/quick-replies/{id}", operation_id = "delete_quick_reply", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<QuickReplyId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if !rows::delete(&mut *db, &tenant.company, &id).await? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "quick_reply.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a rows::QuickReply) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({ "shortcut": row.shortcut }),
    }
}

/// What a text may hold.
const NAMES: [&str; 4] = ["name", "protocol", "agent", "service"];

/// Nobody types more to save typing.
const SHORTCUT_CHARS_MAX: usize = 30;

/// What every channel takes in one message.
const TEXT_CHARS_MAX: usize = 4_000;

//! `/interactions/{id}/notes`: what colleagues tell each other about a customer, who never sees it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{InteractionId, UserId};
use desk::record::{TrailEntry, TrailKind};
use exchange::voice::NOTE_LENGTH_MAX;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{interactions, trail, users};

use super::App;
use super::body::{Body, Id};
use super::messages::may_read;
use super::problem::{Problem, ProblemBody};
use super::voice_messages::may_hear;
use super::who::{Access, By, Tenant};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/interactions/{id}/notes", get(list).post(write))
}

/// Something that colleagues should know.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct InternalNote {
    at_ms: i64,
    /// Who wrote it; another system where nobody did.
    #[schema(value_type = Option<String>)]
    by: Option<UserId>,
    /// What they were called then.
    name: String,
    text: String,
    /// Who is to see it.
    #[schema(value_type = Vec<String>)]
    mentions: Vec<UserId>,
}

/// Notes, the oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NoteList {
    items: Vec<InternalNote>,
}

/// A note to write.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Confirma o endereço antes de enviar, @Bia?", "mentions": ["01JD…"]}))]
pub(super) struct Noting {
    /// 1 to 4,000 characters.
    text: String,
    /// People who are told of it at once, and may read the interaction from then on; at most 20.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    mentions: Vec<UserId>,
}

/// A note that can be kept.
pub(super) struct Noted {
    text: String,
    mentions: Vec<UserId>,
}

/// A note, if it is one.
pub(super) fn checked(text: String, mentions: Vec<UserId>) -> Result<Noted, Problem> {
    if text.trim().is_empty() || text.chars().count() > NOTE_LENGTH_MAX || text.contains('\0') {
        return Err(Problem::field("note", "invalid_text"));
    }
    if mentions.len() > MENTIONS_MAX {
        return Err(Problem::field("mentions", "too_many"));
    }
    Ok(Noted { text, mentions })
}

/// List what colleagues noted
#[utoipa::path(get, path = "/api/v1/interactions/{id}/notes", operation_id = "list_notes", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = NoteList), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
) -> Result<Json<NoteList>, Problem> {
    may_see(&app, &tenant, &id).await?;
    exists(&app, &tenant, &id).await?;
    let lines = trail::of_kind(app.store.pool(), &id, TrailKind::Noted).await?;
    let items = lines.into_iter().map(read);
    Ok(Json(NoteList {
        items: items.collect(),
    }))
}

/// Note something for colleagues
///
/// Whoever may read the interaction may note something about it, during it and afterwards. The customer never
/// sees it.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/notes", operation_id = "write_note", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Noting,
    responses((status = 201, body = InternalNote), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn write(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<Noting>,
) -> Result<(StatusCode, Json<InternalNote>), Problem> {
    match &tenant.by {
        By::User { .. } => may_see(&app, &tenant, &id).await?,
        By::Key(_) => tenant.may(Access::Write)?,
    }
    exists(&app, &tenant, &id).await?;
    let note = checked(asked.text, asked.mentions).map_err(|problem| match problem.at_field() {
        Some("note") => problem.at("text"),
        Some(_) | None => problem,
    })?;
    for mentioned in &note.mentions {
        let found = users::by_id(app.store.pool(), Some(&tenant.company), mentioned).await?;
        found.ok_or_else(|| Problem::field("mentions", "reference"))?;
    }
    Ok((
        StatusCode::CREATED,
        Json(keep(&app, &tenant, &id, note).await?),
    ))
}

/// Keeps a note, and tells who has the interaction on the screen and whom it mentions.
pub(super) async fn keep(
    app: &App,
    tenant: &Tenant,
    id: &InteractionId,
    note: Noted,
) -> Result<InternalNote, Problem> {
    let (by, name) = match &tenant.by {
        By::User { user, .. } => (Some(user.id.clone()), user.name.clone()),
        By::Key(_) => (None, String::new()),
    };
    let at_ms = app.now_ms();
    let detail = json!({ "by": by, "name": name, "text": note.text, "mentions": note.mentions });
    let mut db = app.store.begin().await?;
    trail::append_later(&mut *db, id, at_ms, TrailKind::Noted, &detail).await?;
    db.commit().await?;
    let (company, interaction) = (tenant.company.clone(), id.clone());
    let mentions = note.mentions.clone();
    let told = app
        .telephony
        .look(move |voice, now| voice.tell_note(now, &company, &interaction, mentions))
        .await;
    if let Err(error) = told {
        // It is kept all the same.
        tracing::warn!(%error, "nobody was told of a note");
    }
    Ok(InternalNote {
        at_ms,
        by,
        name,
        text: note.text,
        mentions: note.mentions,
    })
}

/// Refuses who may not know of it: it is theirs by what is written, or as a call that they have as work.
pub(super) async fn may_see(app: &App, tenant: &Tenant, id: &InteractionId) -> Result<(), Problem> {
    match may_read(app, tenant, id).await {
        Ok(()) => Ok(()),
        Err(_) => may_hear(app, tenant, id).await,
    }
}

pub(super) async fn exists(app: &App, tenant: &Tenant, id: &InteractionId) -> Result<(), Problem> {
    let found = interactions::by_id(app.store.pool(), &tenant.company, id).await?;
    found.map(|_| ()).ok_or_else(Problem::not_found)
}

/// A note as the trail has it: those taken in a call too.
fn read(line: TrailEntry) -> InternalNote {
    let detail = &line.detail;
    let text = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
    let mentions = detail["mentions"].as_array().into_iter().flatten();
    let mentions = mentions.filter_map(|id| id.as_str()?.parse().ok());
    InternalNote {
        at_ms: line.at_ms,
        by: detail["by"].as_str().and_then(|id| id.parse().ok()),
        name: text("name"),
        text: text("text"),
        mentions: mentions.collect(),
    }
}

/// More are a mail to all.
const MENTIONS_MAX: usize = 20;

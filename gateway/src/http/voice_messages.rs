//! `/voice-messages`: what callers left.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, InteractionId, ServiceId, VoiceMessageId};
use desk::record::TrailKind;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{trail, voice_messages};

use super::App;
use super::body::{Asked, Id, Listed, Paging};
use super::problem::{Problem, ProblemBody};
use super::recordings::by;
use super::who::{Access, By, Reads, Tenant};
use crate::messages;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/voice-messages", get(list))
        .route("/api/v1/voice-messages/{id}/audio", get(audio))
        .route("/api/v1/interactions/{id}/voice-messages", get(left_in))
}

/// A message that a caller left.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct VoiceMessage {
    #[schema(value_type = String)]
    id: VoiceMessageId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    bytes: u64,
    duration_ms: u64,
    left_ms: i64,
    /// When somebody first listened to it.
    heard_ms: Option<i64>,
}

impl From<voice_messages::VoiceMessage> for VoiceMessage {
    fn from(row: voice_messages::VoiceMessage) -> Self {
        Self {
            id: row.id,
            company: row.company,
            interaction: row.interaction,
            service: row.service,
            bytes: row.bytes,
            duration_ms: row.duration_ms,
            left_ms: row.left_ms,
            heard_ms: row.heard_ms,
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those that nobody listened to.
    #[serde(default)]
    unheard: bool,
}

/// List messages, the oldest first
#[utoipa::path(get, path = "/api/v1/voice-messages", tag = "records",
    params(Paging, Which, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<VoiceMessage>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
    Asked(which): Asked<Which>,
) -> Result<Json<Listed<VoiceMessage>>, Problem> {
    let page = paging.page()?;
    let rows =
        voice_messages::list(app.store.pool(), &tenant.company, which.unheard, &page).await?;
    let mut listed = Listed::of(
        rows,
        paging.limit(),
        |row: &voice_messages::VoiceMessage| row.id.to_string(),
    );
    let is_seen = |left: &VoiceMessage| tenant.reaches(left.service.as_ref());
    listed.0.items.retain(is_seen);
    Ok(listed)
}

/// List the messages that were left in a call, the oldest first
///
/// For those who read the company, and for the agent who has them as work.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/voice-messages", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<VoiceMessage>), (status = 403, body = ProblemBody)))]
pub(super) async fn left_in(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
) -> Result<Json<Listed<VoiceMessage>>, Problem> {
    may_hear(&app, &tenant, &id).await?;
    let rows = voice_messages::of_interaction(app.store.pool(), &tenant.company, &id).await?;
    let limit = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    Ok(Listed::of(
        rows,
        limit.saturating_add(1),
        |row: &voice_messages::VoiceMessage| row.id.to_string(),
    ))
}

/// Refuses who neither reads the company nor has this interaction as work.
pub(super) async fn may_hear(
    app: &App,
    tenant: &Tenant,
    interaction: &InteractionId,
) -> Result<(), Problem> {
    let By::User { user, .. } = &tenant.by else {
        return tenant.may(Access::Read);
    };
    if tenant.may(Access::Read).is_ok() && tenant.reach(app, interaction).await.is_ok() {
        return Ok(());
    }
    let (agent, company) = (user.id.clone(), tenant.company.clone());
    let works = app
        .telephony
        .look(move |voice, now| voice.work_of(now, &company, &agent))
        .await;
    let works = works.map_err(|stopped| Problem::unavailable(&stopped))?;
    let mut works = works.unwrap_or_default().into_iter();
    if works.any(|work| work.interaction == *interaction) {
        Ok(())
    } else {
        Err(Problem::forbidden())
    }
}

/// Listen to a message
///
/// For those who read the company, and for the agent who has it as work. The first time is
/// remembered; each time is in the trail of the call.
#[utoipa::path(get, path = "/api/v1/voice-messages/{id}/audio", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "audio/wav"), (status = 404, body = ProblemBody)))]
pub(super) async fn audio(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<VoiceMessageId>,
) -> Result<impl IntoResponse, Problem> {
    let found = voice_messages::by_id(app.store.pool(), &tenant.company, &id).await?;
    let may = match &found {
        Some(row) => may_hear(&app, &tenant, &row.interaction).await,
        None => tenant.may(Access::Read),
    };
    may?;
    let row = found.ok_or_else(Problem::not_found)?;
    let sound = tokio::fs::read(messages::path(&app.messages, &row.file)).await;
    let sound = sound.map_err(|error| Problem::unavailable(&error))?;
    let mut db = app.store.begin().await?;
    voice_messages::heard(&mut *db, &tenant.company, &id, app.now_ms()).await?;
    let detail = json!({ "voice_message": row.id, "by": by(&tenant) });
    let (call, now_ms) = (&row.interaction, app.now_ms());
    trail::append_later(&mut *db, call, now_ms, TrailKind::RecordingHeard, &detail).await?;
    db.commit().await?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], sound))
}

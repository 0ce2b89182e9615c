//! `/webhooks`: where a company is told of what happens, on every channel and of every call.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use channels::generic::delivery::{Answer, answered};
use channels::generic::notice::NoticeKind;
use channels::generic::signature;
use desk::id::{ChannelId, CompanyId, ServiceId, WebhookId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::deliveries::Of;
use store::webhooks as rows;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::deliveries::{self as told, Delivery, Listing, Replayed, WebhookSecret, Which};
use super::problem::{Problem, ProblemBody};
use super::who::{Administers, Tenant};
use super::{App, Deed, generator};
use crate::channels::{SigningSecrets, ping_text, tell, what_came};

pub(super) fn routes() -> Router<App> {
    let one = "/api/v1/webhooks/{id}";
    Router::new()
        .route("/api/v1/webhooks", get(list).post(create))
        .route(one, get(read).put(update).delete(delete))
        .route(&format!("{one}/secret"), post(rotate))
        .route(&format!("{one}/ping"), post(ping))
        .route(&format!("{one}/deliveries"), get(deliveries))
        .route(&format!("{one}/deliveries/replay"), post(replay))
}

/// What can be set of a webhook.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "CRM", "url": "https://crm.exemplo.com.br/ramal",
    "events": ["attendance.*", "tabulation.created", "survey.answered"]}))]
pub(super) struct WebhookRequest {
    name: String,
    /// Where it is told, signed by Standard Webhooks. One that was switched off by its own answer (410)
    /// is switched on again by setting it.
    url: String,
    /// Which events: `attendance.opened`, `.queued`, `.assigned`, `.transferred`, `.closed`, `.reopened`;
    /// `message.received`, `.created`, `.updated`, `.deleted`, `.status`; `tabulation.created`;
    /// `survey.answered`; or all of a kind, such as `message.*`. None are all.
    #[serde(default)]
    events: Vec<String>,
    /// Of this channel alone; calls have none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    channel: Option<ChannelId>,
    /// Of this service alone. Until it is known for which service somebody comes, nothing is told.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Whether nothing is told. What happens meanwhile is not told later.
    #[serde(default)]
    disabled: bool,
}

/// Where a company is told of what happens.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Webhook {
    #[schema(value_type = String)]
    id: WebhookId,
    #[schema(value_type = String)]
    company: CompanyId,
    name: String,
    url: String,
    events: Vec<String>,
    #[schema(value_type = Option<String>)]
    channel: Option<ChannelId>,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// When it answered that it is no more (410): what happens since waits until it is set again.
    gone_ms: Option<i64>,
    disabled: bool,
    created_ms: i64,
    updated_ms: i64,
}

/// A webhook that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WebhookCreated {
    #[serde(flatten)]
    webhook: Webhook,
    /// What to check signatures with. It is shown this one time.
    webhook_secret: String,
}

/// What came of a ping.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Pinged {
    /// Whether it was taken.
    taken: bool,
    /// The status that came back.
    status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    answer: String,
    /// How long that took, in milliseconds.
    took_ms: i64,
}

impl From<rows::Webhook> for Webhook {
    fn from(row: rows::Webhook) -> Self {
        Self {
            id: row.id,
            company: row.company,
            name: row.name,
            url: row.url,
            events: row.events,
            channel: row.channel,
            service: row.service,
            gone_ms: row.gone_ms,
            disabled: row.disabled,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// What is as it was, of a webhook that is made or changed.
struct Before {
    id: WebhookId,
    secrets: Vec<u8>,
    created_ms: i64,
}

fn row(
    app: &App,
    tenant: &Tenant,
    before: Before,
    asked: WebhookRequest,
) -> Result<rows::Webhook, Problem> {
    told::check_url(&asked.url, "url")?;
    if let Some(odd) = asked.events.iter().find(|event| !is_known(event)) {
        return Err(Problem::field("events", "out_of_range").because(odd));
    }
    let mut events = asked.events;
    events.sort();
    events.dedup();
    Ok(rows::Webhook {
        id: before.id,
        company: tenant.company.clone(),
        name: name(&asked.name)?,
        url: asked.url,
        events,
        channel: asked.channel,
        service: asked.service,
        secrets: before.secrets,
        gone_ms: None,
        disabled: asked.disabled,
        created_ms: before.created_ms,
        updated_ms: app.now_ms(),
    })
}

/// Whether this is an event that is told, or all of a kind.
fn is_known(event: &str) -> bool {
    match event.strip_suffix(".*") {
        Some(family) => TOLD.iter().any(|kind| {
            let own = kind.as_str().split_once('.');
            own.is_some_and(|(own, _)| own == family)
        }),
        None => TOLD.iter().any(|kind| kind.as_str() == event),
    }
}

async fn found(app: &App, tenant: &Tenant, id: &WebhookId) -> Result<rows::Webhook, Problem> {
    let found = rows::by_id(app.store.pool(), &tenant.company, id).await?;
    found.ok_or_else(Problem::not_found)
}

fn deed<'a>(action: &'a str, row: &'a rows::Webhook) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({ "name": row.name, "url": row.url, "events": row.events }),
    }
}

fn opened(app: &App, row: &rows::Webhook) -> Result<SigningSecrets, Problem> {
    let secrets = SigningSecrets::open(&app.secrets, row.id.as_str(), &row.secrets);
    secrets.map_err(|error| Problem::unavailable(&error))
}

/// List webhooks
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Webhook>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Administers(tenant): Administers,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Webhook>>, Problem> {
    let listed = rows::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    let place = |row: &rows::Webhook| row.id.to_string();
    Ok(Listed::of(listed, paging.limit(), place))
}

/// Read a webhook
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Webhook), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json(found(&app, &tenant, &id).await?.into()))
}

/// Add a webhook
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", params(("company" = Option<String>, Query)),
    request_body = WebhookRequest,
    responses((status = 201, body = WebhookCreated), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(asked): Body<WebhookRequest>,
) -> Result<(StatusCode, Json<WebhookCreated>), Problem> {
    let id = app.id(WebhookId::new);
    let secret = signature::secret(&mut generator()?);
    let sealed = SigningSecrets::new(&secret).seal(&app.secrets, id.as_str());
    let before = Before {
        id,
        secrets: sealed.map_err(|error| Problem::unavailable(&error))?,
        created_ms: app.now_ms(),
    };
    let row = row(&app, &tenant, before, asked)?;
    let mut db = app.store.begin().await?;
    if rows::count(&mut *db, &tenant.company).await? >= WEBHOOKS_MAX {
        return Err(Problem::conflict("too_many"));
    }
    rows::insert(&mut *db, &row).await?;
    app.commit_quietly(db, &tenant, deed("webhook.create", &row))
        .await?;
    let created = WebhookCreated {
        webhook: row.into(),
        webhook_secret: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Change a webhook
///
/// What is not set gets its default; the secret stays as it is.
#[utoipa::path(put, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = WebhookRequest,
    responses((status = 200, body = Webhook), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
    Body(asked): Body<WebhookRequest>,
) -> Result<Json<Webhook>, Problem> {
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let before = Before {
        id,
        secrets: old.secrets,
        created_ms: old.created_ms,
    };
    let row = row(&app, &tenant, before, asked)?;
    rows::update(&mut *db, &row).await?;
    app.commit_quietly(db, &tenant, deed("webhook.update", &row))
        .await?;
    app.channels.wake();
    Ok(Json(row.into()))
}

/// Remove a webhook, and the log of what it was told
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
) -> Result<StatusCode, Problem> {
    let row = found(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    rows::delete(&mut db, &tenant.company, &id).await?;
    app.commit_quietly(db, &tenant, deed("webhook.delete", &row))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make another secret
///
/// For a day what is told is signed with both.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/secret", operation_id = "rotate_webhook_secret", tag = "webhooks",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = WebhookSecret), (status = 404, body = ProblemBody)))]
pub(super) async fn rotate(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
) -> Result<Json<WebhookSecret>, Problem> {
    let secret = signature::secret(&mut generator()?);
    let until_ms = app.now_ms() + told::ROTATION_MS;
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let sealed = opened(&app, &old)?
        .rotated(&secret, until_ms)
        .seal(&app.secrets, id.as_str());
    let row = rows::Webhook {
        secrets: sealed.map_err(|error| Problem::unavailable(&error))?,
        updated_ms: app.now_ms(),
        ..old
    };
    rows::update(&mut *db, &row).await?;
    app.commit_quietly(db, &tenant, deed("webhook.secret", &row))
        .await?;
    Ok(Json(WebhookSecret {
        webhook_secret: secret.expose().to_owned(),
        previous_until_ms: until_ms,
    }))
}

/// Try a webhook
///
/// It is told `ping` at once, this one time, and what came back is shown.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/ping", tag = "webhooks",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Pinged), (status = 404, body = ProblemBody)))]
pub(super) async fn ping(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
) -> Result<Json<Pinged>, Problem> {
    let row = found(&app, &tenant, &id).await?;
    let secrets = opened(&app, &row)?;
    let now_ms = app.now_ms();
    let notice = format!("evt_{}", app.id(WebhookId::new));
    let at = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    let body = ping_text(&notice, &tenant.company, at);
    let came = tell(&app.fetcher, &row.url, (&secrets, &notice), body, now_ms).await;
    let taken = came.as_ref().map(answered);
    let (status, answer) = what_came(&came);
    Ok(Json(Pinged {
        taken: matches!(taken, Ok(Answer::Done { .. })),
        status,
        answer,
        took_ms: app.now_ms() - now_ms,
    }))
}

/// List what a webhook was and is told
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path), Paging, Listing, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Delivery>), (status = 404, body = ProblemBody)))]
pub(super) async fn deliveries(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
    Asked(paging): Asked<Paging>,
    Asked(asked): Asked<Listing>,
) -> Result<Json<Listed<Delivery>>, Problem> {
    let row = found(&app, &tenant, &id).await?;
    told::listed(&app, &tenant, &Of::Webhook(row.id), &paging, asked).await
}

/// Tell a webhook again
///
/// By id, by time, of one interaction, or all in a state (`parked` are those that failed); under the
/// same ids as before.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/replay", tag = "webhooks",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Which,
    responses((status = 200, body = Replayed), (status = 404, body = ProblemBody)))]
pub(super) async fn replay(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<WebhookId>,
    Body(asked): Body<Which>,
) -> Result<Json<Replayed>, Problem> {
    let row = found(&app, &tenant, &id).await?;
    told::replayed(&app, &tenant, &Of::Webhook(row.id), asked).await
}

/// What is told.
const TOLD: [NoticeKind; 13] = [
    NoticeKind::AttendanceOpened,
    NoticeKind::AttendanceQueued,
    NoticeKind::AttendanceAssigned,
    NoticeKind::AttendanceTransferred,
    NoticeKind::AttendanceClosed,
    NoticeKind::AttendanceReopened,
    NoticeKind::MessageReceived,
    NoticeKind::MessageCreated,
    NoticeKind::MessageUpdated,
    NoticeKind::MessageDeleted,
    NoticeKind::MessageStatus,
    NoticeKind::TabulationCreated,
    NoticeKind::SurveyAnswered,
];

/// Each is one row more for everything that happens.
const WEBHOOKS_MAX: u64 = 20;

#[cfg(test)]
mod tests {
    use desk::record::TrailKind;

    use super::*;

    #[test]
    fn what_a_trail_tells_can_be_asked_for() {
        for kind in TrailKind::ALL {
            if let Some(event) = kind.event(&json!({ "disposition": "resolvido" })) {
                assert!(is_known(event), "{event}");
            }
        }
        assert!(is_known("attendance.*") && is_known("survey.*"));
        for odd in [
            "ping",
            "*",
            "attendance",
            "attendance.",
            ".*",
            "typing.*",
            "message.* ",
        ] {
            assert!(!is_known(odd), "{odd}");
        }
    }
}

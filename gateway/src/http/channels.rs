//! `/channels`: the ways by which customers write, their keys and what their webhooks were told.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use channels::generic::signature;
use desk::id::{ApiKeyId, ChannelId, CompanyId, ServiceId};
use gateway_net::mail::mailbox::Cursor;
use rand::Rng as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::deliveries::Of;
use store::{api_keys, channel_health, channels as rows};

use super::api_keys::{ApiKey, ApiKeyCreated};
use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::deliveries::{self as told, Delivery, Listing, Replayed, WebhookSecret, Which};
use super::problem::{Problem, ProblemBody};
use super::who::{Administers, By, Reads, Tenant};
use super::{App, Deed, generator};
use crate::api_key;
use crate::channels::email::settings::{EmailSettings, THREAD_KEY, secret};
use crate::channels::settings::{EMAIL, GENERIC, WHATSAPP, life, whatsapp_connector};
use crate::channels::webchat::{IDENTITY_SECRET, WEBCHAT, WebchatSettings, make_secrets};
use crate::channels::{GenericSettings, SigningSecrets, WhatsAppSettings};

pub(super) fn routes() -> Router<App> {
    let one = "/api/v1/channels/{id}";
    Router::new()
        .route("/api/v1/channels", get(list).post(create))
        .route(one, get(read).put(update).delete(delete))
        .route(&format!("{one}/keys"), get(keys).post(create_key))
        .route(&format!("{one}/webhook-secret"), post(rotate_secret))
        .route(&format!("{one}/deliveries"), get(deliveries))
        .route(&format!("{one}/deliveries/replay"), post(replay))
}

/// What can be set of a channel.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ERP", "kind": "generic", "service": "suporte",
    "webhook": "https://erp.exemplo.com.br/ramal", "settings": {"reopen_hours": 24}}))]
pub(super) struct ChannelRequest {
    name: String,
    /// What it is: `generic`, `whatsapp`, `email` or `webchat`. It stays so.
    #[serde(default = "generic")]
    kind: String,
    /// Where what comes by it waits.
    #[schema(value_type = String)]
    service: ServiceId,
    /// Where what happens is told, signed by Standard Webhooks; nowhere when not set. One that was
    /// switched off by its own answer (410) is switched on again by setting it.
    #[serde(default)]
    webhook: Option<String>,
    /// The mailbox (a channel of e-mail) by which customers whose address is known are sent what was
    /// written, once it is over; nobody is when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    transcripts_by: Option<ChannelId>,
    /// By `kind`.
    #[serde(default)]
    #[schema(value_type = ChannelSettings)]
    settings: Value,
    /// Whether nothing comes or goes by it.
    #[serde(default)]
    disabled: bool,
}

fn generic() -> String {
    GENERIC.to_owned()
}

/// What can be set of a channel, by its kind; of a `webchat` it is `WebchatSettings`.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it describes what each kind reads by itself")]
pub(super) enum ChannelSettings {
    /// Of a `generic` one.
    Generic(Box<GenericSettings>),
    /// Of one of `whatsapp`.
    WhatsApp(Box<WhatsAppSettings>),
    /// Of a mailbox, `email`.
    Email(Box<EmailSettings>),
}

/// A way by which customers write.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Channel {
    #[schema(value_type = String)]
    id: ChannelId,
    #[schema(value_type = String)]
    company: CompanyId,
    kind: String,
    name: String,
    #[schema(value_type = String)]
    service: ServiceId,
    webhook: Option<String>,
    /// When the webhook answered that it is no more (410).
    webhook_gone_ms: Option<i64>,
    #[schema(value_type = Option<String>)]
    transcripts_by: Option<ChannelId>,
    #[schema(value_type = ChannelSettings)]
    settings: Value,
    /// Where the provider is to tell what happens, behind the address by which it reaches us.
    #[serde(skip_serializing_if = "Option::is_none")]
    receive_path: Option<String>,
    /// The script that puts a web chat on a page, behind the address of this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    widget_path: Option<String>,
    disabled: bool,
    created_ms: i64,
    updated_ms: i64,
}

/// A channel that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ChannelCreated {
    #[serde(flatten)]
    channel: Channel,
    /// What the webhook checks signatures with. It is shown this one time.
    webhook_secret: String,
    /// With what the site of a web chat proves who its users are. It is shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_secret: Option<String>,
}

/// What can be set of a key of a channel, once.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ERP"}))]
pub(super) struct ChannelKeySettings {
    name: String,
    /// When it ends by itself; never when not set.
    #[serde(default)]
    expires_ms: Option<i64>,
}

impl From<rows::Channel> for Channel {
    fn from(row: rows::Channel) -> Self {
        let (by_provider, is_chat) = (row.kind == WHATSAPP, row.kind == WEBCHAT);
        Self {
            receive_path: by_provider.then(|| format!("/webhooks/{}", row.id)),
            widget_path: is_chat.then(|| format!("/webchat/{}/widget.js", row.id)),
            id: row.id,
            company: row.company,
            kind: row.kind,
            name: row.name,
            service: row.service,
            webhook: row.webhook,
            webhook_gone_ms: row.webhook_gone_ms,
            transcripts_by: row.transcripts_by,
            settings: row.settings,
            disabled: row.disabled,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// What is as it was, of a channel that is made or changed.
struct Before {
    id: ChannelId,
    settings: Option<Value>,
    secrets: SigningSecrets,
    created_ms: i64,
}

/// The row of what was asked.
fn row(
    app: &App,
    tenant: &Tenant,
    before: Before,
    asked: ChannelRequest,
) -> Result<rows::Channel, Problem> {
    if let Some(url) = &asked.webhook {
        told::check_url(url, "webhook")?;
    }
    let mut secrets = before.secrets;
    let settings = match asked.kind.as_str() {
        GENERIC => generic_settings(asked.settings)?,
        WHATSAPP => whatsapp_settings(asked.settings, &mut secrets)?,
        EMAIL => email_settings(asked.settings, before.settings, &mut secrets)?,
        WEBCHAT => webchat_settings(asked.settings, &mut secrets)?,
        _ => {
            let kinds = format!("{GENERIC}, {WHATSAPP}, {EMAIL}, {WEBCHAT}");
            return Err(Problem::field("kind", "out_of_range").because(kinds));
        }
    };
    let sealed = secrets.seal(&app.secrets, before.id.as_str());
    Ok(rows::Channel {
        id: before.id,
        company: tenant.company.clone(),
        kind: asked.kind,
        name: name(&asked.name)?,
        service: asked.service,
        settings,
        webhook: asked.webhook,
        webhook_gone_ms: None,
        transcripts_by: asked.transcripts_by,
        secrets: Some(sealed.map_err(|error| Problem::unavailable(&error))?),
        disabled: asked.disabled,
        created_ms: before.created_ms,
        updated_ms: app.now_ms(),
    })
}

/// Settings of a kind, as they were asked for; none are the usual ones.
fn read_settings<S: DeserializeOwned + Default>(asked: Value) -> Result<S, Problem> {
    if asked.is_null() {
        return Ok(S::default());
    }
    serde_json::from_value(asked)
        .map_err(|error| Problem::field("settings", "invalid").because(error))
}

fn generic_settings(asked: Value) -> Result<Value, Problem> {
    let settings: GenericSettings = read_settings(asked)?;
    if let Some(field) = settings.wrong() {
        return Err(Problem::field(&format!("settings.{field}"), "out_of_range"));
    }
    Ok(json!(settings))
}

/// Takes the secrets of the mailbox to the others, and makes the one by which its mails are known again.
fn email_settings(
    asked: Value,
    before: Option<Value>,
    secrets: &mut SigningSecrets,
) -> Result<Value, Problem> {
    let settings = serde_json::from_value(asked);
    let mut settings: EmailSettings =
        settings.map_err(|error| Problem::field("settings", "invalid").because(error))?;
    if let Some(field) = settings.wrong() {
        return Err(Problem::field(&format!("settings.{field}"), "invalid"));
    }
    let before = before.and_then(|before| serde_json::from_value::<EmailSettings>(before).ok());
    let kept = std::mem::take(&mut secrets.account);
    secrets.account = settings.split(before.as_ref(), kept);
    if !settings.has_secret(&secrets.account) {
        return Err(Problem::field("settings.password", "required"));
    }
    if secret(&secrets.account, THREAD_KEY).is_empty() {
        let key: [u8; 32] = generator()?.random();
        let key = crate::files::hexadecimal(&key);
        secrets
            .account
            .insert(THREAD_KEY.to_owned(), Value::String(key));
    }
    Ok(json!(settings))
}

/// Takes the secrets of the account to the others, and sees whether the provider can be spoken to.
fn whatsapp_settings(asked: Value, secrets: &mut SigningSecrets) -> Result<Value, Problem> {
    let mut settings: WhatsAppSettings = read_settings(asked)?;
    if let Some(field) = settings.wrong() {
        return Err(Problem::field(&format!("settings.{field}"), "out_of_range"));
    }
    secrets.account = settings.split(std::mem::take(&mut secrets.account));
    whatsapp_connector(&settings, &secrets.account)
        .map_err(|error| Problem::field("settings.account", "invalid").because(error))?;
    Ok(json!(settings))
}

/// A web chat proves who its visitors are by secrets of its own, which it has from its beginning.
fn webchat_settings(asked: Value, secrets: &mut SigningSecrets) -> Result<Value, Problem> {
    let settings = WebchatSettings::read(asked)
        .map_err(|error| Problem::field("settings", "invalid").because(error))?;
    if let Some(field) = settings.wrong() {
        return Err(Problem::field(&format!("settings.{field}"), "out_of_range"));
    }
    make_secrets(&mut secrets.account, &mut generator()?);
    settings
        .value()
        .map_err(|error| Problem::unavailable(&error))
}

/// What talks first is a flow of the company, and what sends transcripts one of its mailboxes.
async fn check_others(db: &mut store::Transaction, row: &rows::Channel) -> Result<(), Problem> {
    if let Some(flow) = &life(row).flow {
        let found = store::flows::by_id(&mut **db, &row.company, flow).await?;
        found.ok_or_else(|| Problem::field("settings.life.flow", "reference"))?;
    }
    if let Some(mailbox) = &row.transcripts_by {
        let found = rows::by_id(&mut **db, &row.company, mailbox).await?;
        let found = found.filter(|found| found.kind == EMAIL);
        found.ok_or_else(|| Problem::field("transcripts_by", "reference"))?;
    }
    Ok(())
}

pub(super) async fn found(
    app: &App,
    tenant: &Tenant,
    id: &ChannelId,
) -> Result<rows::Channel, Problem> {
    let found = rows::by_id(app.store.pool(), &tenant.company, id).await?;
    found.ok_or_else(Problem::not_found)
}

pub(super) fn deed<'a>(action: &'a str, row: &'a rows::Channel) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({ "name": row.name, "webhook": row.webhook }),
    }
}

/// List channels
#[utoipa::path(get, path = "/api/v1/channels", tag = "channels",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Channel>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Channel>>, Problem> {
    let listed = rows::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    let place = |row: &rows::Channel| row.id.to_string();
    Ok(Listed::of(listed, paging.limit(), place))
}

/// Read a channel
#[utoipa::path(get, path = "/api/v1/channels/{id}", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Channel), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ChannelId>,
) -> Result<Json<Channel>, Problem> {
    Ok(Json(found(&app, &tenant, &id).await?.into()))
}

/// Add a channel
#[utoipa::path(post, path = "/api/v1/channels", tag = "channels", params(("company" = Option<String>, Query)),
    request_body = ChannelRequest,
    responses((status = 201, body = ChannelCreated), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administers(tenant): Administers,
    Body(asked): Body<ChannelRequest>,
) -> Result<(StatusCode, Json<ChannelCreated>), Problem> {
    let id = app.id(ChannelId::new);
    let secret = signature::secret(&mut generator()?);
    let before = Before {
        id,
        settings: None,
        secrets: SigningSecrets::new(&secret),
        created_ms: app.now_ms(),
    };
    let row = row(&app, &tenant, before, asked)?;
    let identity_secret = match row.kind.as_str() {
        WEBCHAT => opened(&app, &row)?.account.remove(IDENTITY_SECRET),
        _ => None,
    };
    let mut db = app.store.begin().await?;
    check_others(&mut db, &row).await?;
    rows::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("channel.create", &row))
        .await?;
    let created = ChannelCreated {
        channel: row.into(),
        webhook_secret: secret.expose().to_owned(),
        identity_secret: identity_secret.and_then(|secret| Some(secret.as_str()?.to_owned())),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// The secrets of a channel.
pub(super) fn opened(app: &App, row: &rows::Channel) -> Result<SigningSecrets, Problem> {
    let sealed = row.secrets.as_deref().unwrap_or_default();
    let secrets = SigningSecrets::open(&app.secrets, row.id.as_str(), sealed);
    secrets.map_err(|error| Problem::unavailable(&error))
}

/// Change a channel
///
/// What is not set gets its default; keys, the webhook's secret and the account's secrets that are left
/// out stay as they are.
#[utoipa::path(put, path = "/api/v1/channels/{id}", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = ChannelRequest,
    responses((status = 200, body = Channel), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
    Body(asked): Body<ChannelRequest>,
) -> Result<Json<Channel>, Problem> {
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    if old.kind != asked.kind {
        return Err(Problem::field("kind", "out_of_range").because(old.kind));
    }
    let before = Before {
        secrets: opened(&app, &old)?,
        id,
        settings: Some(old.settings.clone()),
        created_ms: old.created_ms,
    };
    let row = row(&app, &tenant, before, asked)?;
    check_others(&mut db, &row).await?;
    rows::update(&mut *db, &row).await?;
    if let (Some(old), Some(new)) = (EmailSettings::of(&old), EmailSettings::of(&row))
        && !new.is_same_mailbox(&old)
    {
        let start = Cursor::since(new.since_ms(app.now_ms()));
        store::mailboxes::begin_anew(&mut db, &row.id, &json!(start)).await?;
    }
    // Whatever broke it may be mended.
    channel_health::mended(&mut *db, &row.id).await?;
    app.commit(db, &tenant, deed("channel.update", &row))
        .await?;
    app.channels.wake();
    Ok(Json(row.into()))
}

/// Delete a channel by which nobody ever wrote
#[utoipa::path(delete, path = "/api/v1/channels/{id}", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
) -> Result<StatusCode, Problem> {
    let row = found(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    if !rows::delete(&mut *db, &tenant.company, &id).await? {
        return Err(Problem::conflict("in_use"));
    }
    app.commit_quietly(db, &tenant, deed("channel.delete", &row))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the keys of a channel
///
/// They are revoked like any other, at `/api-keys/{id}`.
#[utoipa::path(get, path = "/api/v1/channels/{id}/keys", tag = "channels",
    params(("id" = String, Path), Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<ApiKey>), (status = 404, body = ProblemBody)))]
pub(super) async fn keys(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<ApiKey>>, Problem> {
    let row = found(&app, &tenant, &id).await?;
    let listed = api_keys::of_channel(app.store.pool(), &row.id, &paging.page()?).await?;
    let place = |row: &api_keys::ApiKey| row.id.to_string();
    Ok(Listed::of(listed, paging.limit(), place))
}

/// Make a key for a channel
///
/// It opens this channel and nothing else.
#[utoipa::path(post, path = "/api/v1/channels/{id}/keys", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = ChannelKeySettings,
    responses((status = 201, body = ApiKeyCreated), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create_key(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
    Body(asked): Body<ChannelKeySettings>,
) -> Result<(StatusCode, Json<ApiKeyCreated>), Problem> {
    let channel = found(&app, &tenant, &id).await?;
    let issued = api_key::draw(&mut generator()?);
    let created_by = match &tenant.by {
        By::User { user, .. } => Some(user.id.clone()),
        By::Key(_) => None,
    };
    let row = api_keys::ApiKey {
        id: app.id(ApiKeyId::new),
        company: Some(tenant.company.clone()),
        channel: Some(channel.id.clone()),
        name: name(&asked.name)?,
        prefix: issued.prefix,
        hash: issued.hash,
        scopes: vec![],
        created_by,
        created_ms: app.now_ms(),
        expires_ms: asked.expires_ms,
        last_used_ms: None,
        revoked_ms: None,
    };
    let mut db = app.store.begin().await?;
    api_keys::insert(&mut *db, &row).await?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "channel.key",
        target: channel.id.as_str(),
        detail: json!({ "key": row.id, "name": row.name }),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    let created = ApiKeyCreated::of(row, issued.text);
    Ok((StatusCode::CREATED, Json(created)))
}

/// Make another secret for the webhook
///
/// For a day what is told is signed with both.
#[utoipa::path(post, path = "/api/v1/channels/{id}/webhook-secret", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = WebhookSecret), (status = 404, body = ProblemBody)))]
pub(super) async fn rotate_secret(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
) -> Result<Json<WebhookSecret>, Problem> {
    let secret = signature::secret(&mut generator()?);
    let until_ms = app.now_ms() + told::ROTATION_MS;
    let mut db = app.store.begin().await?;
    let old = rows::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let sealed = opened(&app, &old)?
        .rotated(&secret, until_ms)
        .seal(&app.secrets, id.as_str());
    let row = rows::Channel {
        secrets: Some(sealed.map_err(|error| Problem::unavailable(&error))?),
        updated_ms: app.now_ms(),
        ..old
    };
    rows::update(&mut *db, &row).await?;
    app.commit_quietly(db, &tenant, deed("channel.webhook_secret", &row))
        .await?;
    Ok(Json(WebhookSecret {
        webhook_secret: secret.expose().to_owned(),
        previous_until_ms: until_ms,
    }))
}

/// List what the webhook of a channel was and is told
#[utoipa::path(get, path = "/api/v1/channels/{id}/deliveries", tag = "channels",
    params(("id" = String, Path), Paging, Listing, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Delivery>), (status = 404, body = ProblemBody)))]
pub(super) async fn deliveries(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ChannelId>,
    Asked(paging): Asked<Paging>,
    Asked(asked): Asked<Listing>,
) -> Result<Json<Listed<Delivery>>, Problem> {
    let row = found(&app, &tenant, &id).await?;
    told::listed(&app, &tenant, &Of::Channel(row.id), &paging, asked).await
}

/// Tell a webhook again
///
/// By id, by time, or all in a state; under the same ids as before.
#[utoipa::path(post, path = "/api/v1/channels/{id}/deliveries/replay", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Which,
    responses((status = 200, body = Replayed), (status = 404, body = ProblemBody)))]
pub(super) async fn replay(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
    Body(asked): Body<Which>,
) -> Result<Json<Replayed>, Problem> {
    let channel = found(&app, &tenant, &id).await?;
    told::replayed(&app, &tenant, &Of::Channel(channel.id), asked).await
}

//! `/channels/{id}/health`, `/templates`, `/costs`, `/conversations`: what a channel with a provider has
//! besides.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use channels::connector::Connector;
use channels::peer::{IdentityKind, PeerId};
use channels::send::{OutContent, Request};
use channels::template::Template;
use desk::explain::Language;
use desk::id::{ChannelId, ContactId, ConversationId, InteractionId, MessageId, ServiceId};
use gateway_net::fetch::{Limits, Unanswered};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use store::channel_health;
use store::message_costs;

use super::App;
use super::body::{Asked, Body, Id, moment};
use super::channels::found;
use super::messages::{Filled, template, unwanted};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, Administers, By, Reads, Tenant};
use crate::channels::settings::{self, WhatsAppSettings};
use crate::channels::{Beginning, Begun};

pub(super) fn routes() -> Router<App> {
    let one = "/api/v1/channels/{id}";
    Router::new()
        .route(&format!("{one}/health"), get(health))
        .route(&format!("{one}/check"), post(check))
        .route(&format!("{one}/templates"), get(templates))
        .route(&format!("{one}/templates/refresh"), post(refresh))
        .route(&format!("{one}/templates/preview"), post(preview))
        .route(&format!("{one}/costs"), get(costs))
        .route(&format!("{one}/conversations"), post(begin))
}

/// How a channel does. Times are milliseconds since 1970 (UTC).
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ChannelHealth {
    /// `ok`, `broken` (nothing can be sent until somebody mends it), or `silent` (nothing ever came).
    state: &'static str,
    /// When the provider last told anything.
    event_ms: Option<i64>,
    /// When the provider last took a message.
    sent_ms: Option<i64>,
    /// When it last did not.
    failed_ms: Option<i64>,
    /// Why not, and in `sentence` what to do.
    #[schema(value_type = Option<Object>)]
    failure: Option<Value>,
    /// Since when nothing can be sent.
    broken_ms: Option<i64>,
    /// How many webhooks were not the provider's.
    forged: i64,
    forged_ms: Option<i64>,
    /// How many webhooks nobody could read.
    unreadable: i64,
    unreadable_ms: Option<i64>,
    /// What the provider told of the account, the newest first.
    news: Vec<News>,
}

/// Something that a provider told of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct News {
    at_ms: i64,
    /// `note`, `warning` or `alarm`.
    level: String,
    what: String,
    text: String,
    /// All of it.
    #[schema(value_type = Object)]
    raw: Value,
}

/// What the provider says of the account now.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Checked {
    /// Whether nothing stands in the way.
    ok: bool,
    items: Vec<CheckedItem>,
}

/// One thing that was asked.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CheckedItem {
    /// `account`, `token` or `subscription`.
    check: &'static str,
    ok: bool,
    /// What was found out: `fact`, `value`, `level`.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Value>,
    /// Why it could not be, and what to do.
    error: Option<String>,
}

/// A template as its provider lists it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ListedTemplate {
    name: String,
    language: String,
    listed_ms: i64,
    /// What the headline and the words ask for.
    header_names: Vec<String>,
    body_names: Vec<String>,
    /// All of it.
    #[schema(value_type = Object)]
    template: Value,
}

/// Templates, by name.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TemplateList {
    items: Vec<ListedTemplate>,
}

/// What the customer would see.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TemplatePreview {
    text: String,
}

/// In which time.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// From then on: RFC 3339, or milliseconds since 1970. A month ago when not set.
    from: Option<String>,
    /// Until then.
    until: Option<String>,
}

/// What a channel's messages were to the bill.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Costs {
    items: Vec<CostSum>,
}

/// Messages of one kind.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CostSum {
    /// `service`, `utility`, `marketing` …
    category: String,
    /// The calling code of the customers' country.
    country: Option<String>,
    messages: i64,
    /// How many of them are on the bill.
    billable: i64,
    /// In which currency (ISO 4217) they are priced by the channel's `prices`, if they are.
    currency: Option<String>,
    /// What they cost together, in millionths of it.
    micros: i64,
}

/// A conversation that we begin.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+55 11 90000-0001", "name": "Ana Souza",
    "template": {"name": "retorno_atendimento", "language": "pt_BR", "values": {"body": {"nome": "Ana"}}}}))]
pub(super) struct Beginner {
    /// The customer's telephone, with country and area.
    to: String,
    /// What they are called, if they are new.
    #[serde(default)]
    name: Option<String>,
    template: Filled,
    /// Where it belongs; the channel's own when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
}

/// A conversation that was begun.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BegunConversation {
    #[schema(value_type = String)]
    conversation: ConversationId,
    #[schema(value_type = String)]
    contact: ContactId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = String)]
    message: MessageId,
    protocol: String,
}

/// See how a channel does
#[utoipa::path(get, path = "/api/v1/channels/{id}/health", operation_id = "channel_health", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = ChannelHealth), (status = 404, body = ProblemBody)))]
pub(super) async fn health(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelHealth>, Problem> {
    let channel = found(&app, &tenant, &id).await?;
    let pool = app.store.pool();
    let known = channel_health::of(pool, &channel.id).await?;
    let news = channel_health::news(pool, &channel.id, NEWS_MAX).await?;
    let mut failure = known.failure.map(super::messages::explained);
    let (mut broken_ms, mut heard_ms) = (known.broken_ms, known.event_ms.or(known.sent_ms));
    if let Some(mailbox) = super::email::state(&app, &channel, Language::PtBr).await? {
        broken_ms = broken_ms.or(mailbox.failed_ms);
        heard_ms = heard_ms.or(mailbox.looked_ms);
        failure = mailbox.failure.or(failure);
    }
    let state = match (broken_ms, heard_ms) {
        (Some(_), _) => "broken",
        (None, Some(_)) => "ok",
        (None, None) => "silent",
    };
    Ok(Json(ChannelHealth {
        state,
        event_ms: known.event_ms,
        sent_ms: known.sent_ms,
        failed_ms: known.failed_ms,
        failure,
        broken_ms,
        forged: known.forged,
        forged_ms: known.forged_ms,
        unreadable: known.unreadable,
        unreadable_ms: known.unreadable_ms,
        news: news.into_iter().map(shown).collect(),
    }))
}

fn shown(news: channel_health::News) -> News {
    News {
        at_ms: news.at_ms,
        level: news.level,
        what: news.what,
        text: news.text,
        raw: news.raw,
    }
}

/// What speaks with the provider of a channel.
fn connector(app: &App, channel: &store::channels::Channel) -> Result<Box<dyn Connector>, Problem> {
    settings::connector(channel, &app.secrets)
        .map_err(|error| Problem::conflict("not_set_up").because(error))
}

async fn ask(app: &App, request: &Request) -> Result<channels::send::Response, Problem> {
    let answer = app.fetcher.carry_out(request, LIMITS, app.now_ms()).await;
    answer.map_err(|why| {
        let (Unanswered::NotSent(why) | Unanswered::Unknown(why)) = why;
        Problem::conflict("provider_away").because(format!("{}: {why:?}", request.host()))
    })
}

/// Ask the provider how the account stands
#[utoipa::path(post, path = "/api/v1/channels/{id}/check", operation_id = "check_channel", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Checked), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn check(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
) -> Result<Json<Checked>, Problem> {
    let channel = found(&app, &tenant, &id).await?;
    let connector = connector(&app, &channel)?;
    let mut items = vec![];
    for (check, request) in connector.checks() {
        let found = match ask(&app, &request).await {
            Ok(response) => connector
                .checked(check, &response)
                .map_err(|failure| failure.advice.sentence(Language::PtBr).to_owned()),
            Err(problem) => Err(problem.code().to_owned()),
        };
        items.push(CheckedItem {
            check: check.as_str(),
            ok: found.is_ok(),
            error: found.as_ref().err().cloned(),
            findings: found
                .unwrap_or_default()
                .iter()
                .map(|one| json!(one))
                .collect(),
        });
    }
    Ok(Json(Checked {
        ok: items.iter().all(|item| item.ok),
        items,
    }))
}

/// List the templates of a channel
///
/// As they were listed last; `refresh` asks the provider again.
#[utoipa::path(get, path = "/api/v1/channels/{id}/templates", operation_id = "list_templates", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = TemplateList), (status = 404, body = ProblemBody)))]
pub(super) async fn templates(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<ChannelId>,
) -> Result<Json<TemplateList>, Problem> {
    // Agents choose among them.
    if let By::Key(_) = &tenant.by {
        tenant.may(Access::Read)?;
    }
    let channel = found(&app, &tenant, &id).await?;
    listed(&app, &channel.id).await
}

async fn listed(app: &App, id: &ChannelId) -> Result<Json<TemplateList>, Problem> {
    let rows = store::templates::list(app.store.pool(), id).await?;
    let items = rows.into_iter().filter_map(|row| {
        let template: Template = serde_json::from_value(row.template.clone()).ok()?;
        Some(ListedTemplate {
            name: row.name,
            language: row.language,
            listed_ms: row.listed_ms,
            header_names: template.header_names(),
            body_names: template.body_names(),
            template: row.template,
        })
    });
    Ok(Json(TemplateList {
        items: items.collect(),
    }))
}

/// List the templates of a channel anew
#[utoipa::path(post, path = "/api/v1/channels/{id}/templates/refresh", operation_id = "refresh_templates", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = TemplateList), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn refresh(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
) -> Result<Json<TemplateList>, Problem> {
    let channel = found(&app, &tenant, &id).await?;
    let connector = connector(&app, &channel)?;
    let (mut all, mut after) = (vec![], None);
    for _ in 0..PAGES_MAX {
        let request = connector.templates(after.as_deref());
        let request =
            request.map_err(|refusal| Problem::conflict("unsupported").because(refusal))?;
        let response = ask(&app, &request).await?;
        let page = connector.templates_listed(&response).map_err(|failure| {
            let why = failure.advice.sentence(Language::PtBr);
            Problem::conflict("provider_away").because(format!("{why} ({})", failure.text))
        })?;
        all.extend(page.templates);
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    let listed_ms = app.now_ms();
    let rows: Vec<_> = all
        .into_iter()
        .map(|one| store::templates::Template {
            name: one.name.clone(),
            language: one.language.clone(),
            template: json!(one),
            listed_ms,
        })
        .collect();
    let mut db = app.store.begin().await?;
    store::templates::replace(&mut db, &channel.id, &rows).await?;
    db.commit().await?;
    listed(&app, &channel.id).await
}

/// See what the customer would see of a template
#[utoipa::path(post, path = "/api/v1/channels/{id}/templates/preview", operation_id = "preview_template", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Filled,
    responses((status = 200, body = TemplatePreview), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn preview(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<ChannelId>,
    Body(filled): Body<Filled>,
) -> Result<Json<TemplatePreview>, Problem> {
    if let By::Key(_) = &tenant.by {
        tenant.may(Access::Read)?;
    }
    let channel = found(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    let rows = store::templates::list(&mut *db, &channel.id).await?;
    let (name, language) = (filled.name.clone(), filled.language.clone());
    let out = template(&mut db, &channel, filled).await?;
    let row = rows
        .into_iter()
        .find(|row| row.name == name && row.language == language);
    let known: Option<Template> = row.and_then(|row| serde_json::from_value(row.template).ok());
    let known = known.ok_or_else(Problem::not_found)?;
    Ok(Json(TemplatePreview {
        text: known.preview(&out),
    }))
}

/// See what the messages of a channel were to the bill
#[utoipa::path(get, path = "/api/v1/channels/{id}/costs", operation_id = "channel_costs", tag = "channels",
    params(("id" = String, Path), Span, ("company" = Option<String>, Query)),
    responses((status = 200, body = Costs), (status = 404, body = ProblemBody)))]
pub(super) async fn costs(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ChannelId>,
    Asked(span): Asked<Span>,
) -> Result<Json<Costs>, Problem> {
    let channel = found(&app, &tenant, &id).await?;
    let time = |text: Option<String>, field: &str, usual: i64| match text {
        Some(text) => Ok(moment(&text, field)?.as_millisecond()),
        None => Ok::<_, Problem>(usual),
    };
    let from_ms = time(span.from, "from", app.now_ms() - MONTH_MS)?;
    let until_ms = time(span.until, "until", i64::MAX)?;
    let whose = (&tenant.company, &channel.id);
    let sums = message_costs::sums(app.store.pool(), whose, (from_ms, until_ms)).await?;
    let items = sums.into_iter().map(|sum| CostSum {
        category: sum.category,
        country: sum.country,
        messages: sum.messages,
        billable: sum.billable,
        currency: sum.currency,
        micros: sum.micros,
    });
    Ok(Json(Costs {
        items: items.collect(),
    }))
}

/// Begin a conversation with a template
///
/// Whoever has the right to write: the interaction is theirs to follow, and the customer's answer comes
/// into it.
#[utoipa::path(post, path = "/api/v1/channels/{id}/conversations", operation_id = "begin_conversation", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Beginner,
    responses((status = 201, body = BegunConversation), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn begin(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<ChannelId>,
    Body(asked): Body<Beginner>,
) -> Result<(StatusCode, Json<BegunConversation>), Problem> {
    let author = match &tenant.by {
        By::Key(key) => {
            tenant.may(Access::Write)?;
            json!({ "kind": "system", "id": key })
        }
        By::User { user, .. } => json!({ "kind": "agent", "id": user.id, "name": user.name }),
    };
    let channel = found(&app, &tenant, &id).await?;
    connector(&app, &channel)?;
    let settings: WhatsAppSettings =
        serde_json::from_value(channel.settings.clone()).unwrap_or_default();
    if !settings.templates {
        return Err(Problem::conflict("unsupported"));
    }
    let mut db = app.store.begin().await?;
    let out = template(&mut db, &channel, asked.template).await?;
    let beginning = Beginning {
        channel: &channel,
        to: PeerId::new(IdentityKind::Phone, asked.to),
        name: asked.name,
        service: asked.service,
        author,
        content: OutContent::Template(out),
        opens: settings.template_opens,
        at_ms: app.now_ms(),
    };
    let begun = app.channels.begin(&mut db, &app.secrets, beginning).await?;
    let begun = match begun {
        Begun::Done(begun) => begun,
        Begun::Unreadable => return Err(Problem::field("to", "invalid")),
        Begun::NoService => return Err(Problem::field("service", "reference")),
        Begun::Blocked => return Err(Problem::conflict("blocked")),
        Begun::Unwanted => return Err(unwanted()),
    };
    db.commit().await?;
    app.channels.wake();
    Ok((
        StatusCode::CREATED,
        Json(BegunConversation {
            conversation: begun.conversation,
            contact: begun.contact,
            interaction: begun.interaction,
            message: begun.message,
            protocol: begun.protocol,
        }),
    ))
}

/// News on the page of a channel's health.
const NEWS_MAX: u32 = 50;

/// A provider lists a hundred templates a page; nobody has thousands.
const PAGES_MAX: usize = 20;

/// A month.
const MONTH_MS: i64 = 30 * 24 * 3_600_000;

/// How long an administrator waits for a provider, and how long its answer may be.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    bytes: channels::connector::BODY_BYTES_MAX,
};

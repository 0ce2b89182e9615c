//! `/_sim`: the simulator's own API, for its page and for tests in other languages.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, api};
use crate::demo;
use crate::provider::Provider;
use crate::wire;
use crate::world::{Act, Chat, Customer, Fault, Message, Target, TemplateState, World, shown};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/state", get(state))
        .route("/_sim/clock", get(clock).post(advance))
        .route("/_sim/customers", get(customers).post(put_customer))
        .route("/_sim/customers/{id}/offline", put(offline))
        .route("/_sim/accounts/{provider}", put(account))
        .route("/_sim/messages", get(messages))
        .route("/_sim/chats/{provider}/{customer}", get(chat).post(act))
        .route("/_sim/files", post(keep))
        .route("/_sim/files/{id}", get(file))
        .route(
            "/_sim/faults",
            get(faults).post(add_fault).delete(clear_faults),
        )
        .route("/_sim/templates", get(templates).post(set_template))
        .route("/_sim/notices", get(notices))
        .route("/_sim/wire", get(exchanges))
        .route("/_sim/hurry", post(hurry))
}

type Here = State<Arc<Shared>>;

/// Something that the simulator's own API does not do, and why.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

fn provider_named(word: &str) -> Result<Provider, Refused> {
    let parsed = word.parse::<Provider>();
    parsed.map_err(|error| Refused(StatusCode::NOT_FOUND, error.to_string()))
}

async fn state(State(shared): Here) -> Json<Value> {
    let world = shared.world();
    let now_ms = shared.clock.now_ms();
    let providers: Vec<Value> = Provider::ALL
        .into_iter()
        .map(|provider| provider_state(&world, provider))
        .collect();
    let chats: Vec<Value> = world
        .chats
        .iter()
        .map(|((provider, customer), chat)| chat_state(&world, *provider, customer, chat, now_ms))
        .collect();
    Json(json!({
        "now_ms": now_ms,
        "moved_ms": shared.clock.moved_ms(),
        "company": demo::COMPANY,
        "target": shared.target(),
        "providers": providers,
        "customers": world.customers().map(customer_state).collect::<Vec<_>>(),
        "chats": chats,
        "faults": world.faults(),
        "under_way": world.under_way(),
        "notices": world.notices().len(),
    }))
}

fn customer_state(customer: &Customer) -> Value {
    let mut state = json!(customer);
    state["shown"] = json!(shown(&customer.phone));
    state
}

fn provider_state(world: &World, provider: Provider) -> Value {
    let account = world.account(provider);
    let retried: Vec<Value> = world
        .retried()
        .filter(|(of, ..)| *of == provider)
        .map(|(_, label, attempts, due_ms)| {
            json!({"label": label, "attempts": attempts, "due_ms": due_ms})
        })
        .collect();
    json!({
        "provider": provider,
        "name": provider.name(),
        "prefix": provider.prefix(),
        "number": shown(demo::number(provider)),
        "webhook": account.webhook,
        "statuses": account.statuses,
        "is_signed": account.signing_secret.is_some(),
        "retried": retried,
    })
}

fn chat_state(
    world: &World,
    provider: Provider,
    customer: &str,
    chat: &Chat,
    now_ms: i64,
) -> Value {
    let messages: Vec<&Message> = world.between(provider, customer).collect();
    let is_unread = |message: &&&Message| {
        message.is_ours() && message.progress == crate::world::Progress::Delivered
    };
    json!({
        "provider": provider,
        "customer": customer,
        "last": messages.last(),
        "unread": messages.iter().filter(is_unread).count(),
        "is_open": chat.is_open(now_ms),
        "chat": chat,
    })
}

async fn clock(State(shared): Here) -> Json<Value> {
    Json(json!({"now_ms": shared.clock.now_ms(), "moved_ms": shared.clock.moved_ms()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

async fn advance(state: Here, Json(by): Json<Advance>) -> Json<Value> {
    state.advance(Duration::from_millis(by.advance_ms));
    clock(state).await
}

async fn customers(State(shared): Here) -> Json<Value> {
    let world = shared.world();
    Json(world.customers().map(customer_state).collect())
}

async fn put_customer(
    State(shared): Here,
    Json(customer): Json<Customer>,
) -> Result<Json<Value>, Refused> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_word = !customer.id.is_empty() && customer.id.bytes().all(is_plain);
    let is_number = |digits: &str| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_word || !is_number(&customer.phone) {
        let why = "id: letters and digits; phone: digits with country and area";
        return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned()));
    }
    let id = customer.id.clone();
    let made = shared.with(|world, _| {
        world.put_customer(customer);
        world
            .customers()
            .find(|one| one.id == id)
            .map(customer_state)
    });
    Ok(Json(made.unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offline {
    offline: bool,
}

async fn offline(State(shared): Here, Path(id): Path<String>, Json(asked): Json<Offline>) {
    shared.with(|world, now_ms| world.set_offline(now_ms, &id, asked.offline));
}

/// Where a provider tells the company what happens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountSettings {
    #[serde(default)]
    webhook: Option<Target>,
    /// Where it tells how far messages came; the same place when not said.
    #[serde(default)]
    statuses: Option<Target>,
    /// With what the company signs what it tells the ERP.
    #[serde(default)]
    signing_secret: Option<String>,
}

async fn account(
    State(shared): Here,
    Path(word): Path<String>,
    Json(settings): Json<AccountSettings>,
) -> Result<Json<Value>, Refused> {
    let provider = provider_named(&word)?;
    let absolute = |target: Target| Target {
        url: shared.absolute(&target.url),
        ..target
    };
    let webhook = settings.webhook.map(absolute);
    let statuses = settings.statuses.map(absolute);
    // Meta asks first, and says what came of it; here the address is taken all the same, because the
    // company may be started later.
    let handshake = match &webhook {
        Some(target) if provider == Provider::Cloud => {
            let handshake = wire::challenge(&target.url, demo::VERIFY_TOKEN);
            Some(api::shakes(&handshake).await)
        }
        Some(_) | None => None,
    };
    let state = shared.with(|world, _| {
        world.set_webhook(provider, webhook);
        if statuses.is_some() {
            world.account_mut(provider).statuses = statuses;
        }
        if provider == Provider::Erp {
            world.set_signing_secret(settings.signing_secret);
        }
        provider_state(world, provider)
    });
    let handshake = handshake.map(|outcome| match outcome {
        Ok(()) => "ok".to_owned(),
        Err(why) => why,
    });
    Ok(Json(json!({"account": state, "handshake": handshake})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    provider: Option<String>,
    customer: Option<String>,
    /// Those behind this number alone.
    #[serde(default)]
    after: u64,
}

async fn messages(State(shared): Here, Query(which): Query<Which>) -> Result<Json<Value>, Refused> {
    let provider = which.provider.as_deref().map(provider_named).transpose()?;
    let world = shared.world();
    let found = world.messages().iter().filter(|message| {
        message.id > which.after
            && provider.is_none_or(|provider| message.provider == provider)
            && which
                .customer
                .as_ref()
                .is_none_or(|id| message.customer == *id)
    });
    Ok(Json(found.map(|message| json!(message)).collect()))
}

async fn chat(
    State(shared): Here,
    Path((word, customer)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let provider = provider_named(&word)?;
    let world = shared.world();
    let chat = world.chat(provider, &customer);
    let now_ms = shared.clock.now_ms();
    Ok(Json(json!({
        "provider": provider,
        "customer": customer,
        "now_ms": now_ms,
        "is_open": chat.is_open(now_ms),
        "chat": chat,
        "messages": world.between(provider, &customer).collect::<Vec<_>>(),
    })))
}

async fn act(
    State(shared): Here,
    Path((word, customer)): Path<(String, String)>,
    Json(act): Json<Act>,
) -> Result<Json<Value>, Refused> {
    let provider = provider_named(&word)?;
    let done = shared.with(|world, now_ms| world.act(now_ms, provider, &customer, act));
    match done {
        Ok(message) => Ok(Json(json!({"message": message}))),
        Err(cannot) => Err(Refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            cannot.to_string(),
        )),
    }
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

async fn keep(
    State(shared): Here,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let mime = headers.get(header::CONTENT_TYPE);
    let mime = mime.and_then(|mime| mime.to_str().ok());
    let mime = mime.unwrap_or("application/octet-stream");
    let kept = shared
        .with(|world, now_ms| world.keep_of_customer(now_ms, (mime, named.name.as_deref()), &body));
    let full =
        |full: crate::world::Full| Refused(StatusCode::INSUFFICIENT_STORAGE, full.to_string());
    Ok(Json(json!({"file": kept.map_err(full)?})))
}

async fn file(State(shared): Here, Path(id): Path<String>) -> Response {
    let kept = shared.world().file(&id).cloned();
    match kept {
        Some(kept) => {
            let headers = [
                (header::CONTENT_TYPE, kept.mime),
                // What anybody sent must not become a page of this server's.
                (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            ];
            (headers, kept.bytes.to_vec()).into_response()
        }
        None => api::plain(StatusCode::NOT_FOUND),
    }
}

async fn faults(State(shared): Here) -> Json<Value> {
    Json(json!(shared.world().faults()))
}

async fn add_fault(State(shared): Here, Json(fault): Json<Fault>) -> Json<Value> {
    shared.with(|world, _| {
        world.add_fault(fault);
        Json(json!(world.faults()))
    })
}

async fn clear_faults(
    State(shared): Here,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Refused> {
    let provider = which.provider.as_deref().map(provider_named).transpose()?;
    Ok(shared.with(|world, _| {
        world.clear_faults(provider);
        Json(json!(world.faults()))
    }))
}

async fn templates(
    State(shared): Here,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Refused> {
    let provider = which.provider.as_deref().map(provider_named).transpose()?;
    let world = shared.world();
    let found = world.templates().iter();
    let found = found.filter(|one| provider.is_none_or(|provider| one.provider == provider));
    Ok(Json(found.map(|template| json!(template)).collect()))
}

/// How a template stands from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    provider: Provider,
    id: String,
    state: TemplateState,
    #[serde(default)]
    reason: Option<String>,
}

async fn set_template(State(shared): Here, Json(verdict): Json<Verdict>) {
    shared.with(|world, now_ms| {
        let reason = verdict.reason.as_deref();
        world.set_template(now_ms, verdict.provider, &verdict.id, verdict.state, reason);
    });
}

async fn notices(State(shared): Here) -> Json<Value> {
    Json(json!(shared.world().notices()))
}

async fn exchanges(State(shared): Here, Query(which): Query<Which>) -> Json<Value> {
    let world = shared.world();
    Json(world.exchanges(which.after).map(|one| json!(one)).collect())
}

/// Tries at once what waits for another try.
async fn hurry(State(shared): Here) {
    shared.with(|world, now_ms| world.hurry(now_ms));
}

//! The requests that Meta and 360dialog answer.

use serde_json::{Value, json};

use super::asked::{self, Asked};
use super::errors::{answer, nothing_there, stranger};
use super::{ids, tell, templates};
use crate::demo;
use crate::provider::Provider;
use crate::wire::{ApiAnswer, ApiRequest, News, linked_file, list, maybe, multipart, proof, text};
use crate::world::problem::{invalid, missing};
use crate::world::{Problem, Progress, Recipient, Shape, Target, World, unfit};

/// An address that must answer a challenge before Meta tells it anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// What is to be fetched.
    pub url: String,
    /// What must come back, and nothing else.
    pub challenge: String,
}

/// The handshake that a request asks for, if it names an address.
pub(crate) fn handshake(provider: Provider, request: &ApiRequest) -> Option<Handshake> {
    let last = request.segments().last().copied().unwrap_or_default();
    let is_asked = provider == Provider::Cloud
        && request.method == "POST"
        && matches!(last, "subscriptions" | "subscribed_apps");
    let url = callback(request).filter(|_| is_asked)?;
    let token = parameter(request, "verify_token").unwrap_or_default();
    Some(challenge(&url, &token))
}

/// The handshake of an address.
pub(crate) fn challenge(url: &str, verify_token: &str) -> Handshake {
    let challenge = "1158201444".to_owned();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let mark = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{mark}{}", query.finish());
    Handshake { url, challenge }
}

/// Parameters of the Graph come in the query, in a form, or as JSON.
fn parameter(request: &ApiRequest, name: &str) -> Option<String> {
    let json = request.json().unwrap_or_default();
    maybe(&json, name)
        .or_else(|| request.asked(name))
        .or_else(|| request.form(name))
}

fn callback(request: &ApiRequest) -> Option<String> {
    parameter(request, "callback_url").or_else(|| parameter(request, "override_callback_uri"))
}

/// Answers a request to the Graph.
pub(crate) fn cloud(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let segments = request.segments();
    // The version may stand before everything else.
    let path: &[&str] = match segments.split_first() {
        Some((first, rest)) if first.starts_with('v') && first.contains('.') => rest,
        _ => &segments,
    };
    if !is_known(request, path) {
        return stranger(Provider::Cloud);
    }
    let (phone, waba) = ids(Provider::Cloud);
    match (request.method.as_str(), path) {
        ("GET", ["files", token]) => linked_file(world, now_ms, Provider::Cloud, token)
            .unwrap_or_else(|| ApiAnswer::empty(404)),
        ("POST", [id, "messages" | "marketing_messages"]) if *id == phone => {
            messages(world, now_ms, Provider::Cloud, request)
        }
        ("POST", [id, "media"]) if *id == phone => upload(world, now_ms, request),
        ("POST", [id, "register"]) if *id == phone => done("register"),
        (_, [id, "block_users"]) if *id == phone => block(world, Provider::Cloud, request),
        (_, [id, "message_templates"]) if *id == waba => {
            templates::handle(world, now_ms, Provider::Cloud, request)
        }
        (_, [id, "subscribed_apps"]) if *id == waba => subscribed_apps(world, request),
        ("POST", [id, "subscriptions"]) if *id == demo::APP_ID => subscribe(world, request),
        ("GET", [id, "phone_numbers"]) if *id == waba => {
            ApiAnswer::json(200, &json!({"data": [number()]})).labelled("number")
        }
        ("GET", ["debug_token"]) => debug_token(now_ms),
        ("GET", [id]) if *id == phone => ApiAnswer::json(200, &number()).labelled("number"),
        ("GET", [id]) => located(world, now_ms, Provider::Cloud, id)
            .unwrap_or_else(|| nothing_there(id, &request.method)),
        ("DELETE", [id]) if world.media.forget(id) => done("media"),
        (method, path) => nothing_there(path.first().copied().unwrap_or_default(), method),
    }
}

/// Whether the request shows a token that may do this, and the proof of it, where it shows one.
fn is_known(request: &ApiRequest, path: &[&str]) -> bool {
    let header = request.header("authorization").strip_prefix("Bearer ");
    let token = header
        .map(str::to_owned)
        .or_else(|| parameter(request, "access_token"));
    let Some(token) = token else { return false };
    if let Some(given) = request.asked("appsecret_proof") {
        let mac = proof::hmac_sha256(demo::APP_SECRET.as_bytes(), token.as_bytes());
        if given != hex::encode(mac) {
            return false;
        }
    }
    let app_token = format!("{}|{}", demo::APP_ID, demo::APP_SECRET);
    token == demo::ACCESS_TOKEN || (path.last() == Some(&"subscriptions") && token == app_token)
}

/// Answers a request to 360dialog.
pub(crate) fn dialog360(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let provider = Provider::Dialog360;
    if request.header("d360-api-key") != demo::D360_API_KEY {
        return stranger(provider);
    }
    let segments = request.segments();
    match (request.method.as_str(), &segments[..]) {
        ("POST", ["messages" | "marketing_messages"]) => messages(world, now_ms, provider, request),
        ("POST", ["media"]) => upload(world, now_ms, request),
        (_, ["block_users"]) => block(world, provider, request),
        ("GET", ["whatsapp_business", "attachments"]) => {
            let token = request.asked("hash").unwrap_or_default();
            linked_file(world, now_ms, provider, &token).unwrap_or_else(|| ApiAnswer::empty(404))
        }
        (_, ["v1", "configs", "templates", ..]) => {
            templates::handle(world, now_ms, provider, request)
        }
        ("GET", ["v1", "configs", "webhook"]) => {
            let webhook = world.account(provider).webhook.clone().unwrap_or_default();
            ApiAnswer::json(200, &json!(webhook)).labelled("webhook")
        }
        ("POST", ["v1", "configs", "webhook"]) => match target(request) {
            Some(target) => {
                let answer = ApiAnswer::json(200, &json!(target));
                world.set_webhook(provider, Some(target));
                answer.labelled("webhook")
            }
            None => answer(&missing("url")),
        },
        ("GET", [id]) => located(world, now_ms, provider, id)
            .unwrap_or_else(|| nothing_there(id, &request.method)),
        ("DELETE", [id]) if world.media.forget(id) => done("media"),
        (method, path) => nothing_there(path.first().copied().unwrap_or_default(), method),
    }
}

fn target(request: &ApiRequest) -> Option<Target> {
    let body = request.json()?;
    let url = maybe(&body, "url")?;
    let headers = body["headers"].as_object();
    let headers = headers.into_iter().flatten();
    let headers = headers
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    Some(Target { url, headers })
}

fn done(label: &str) -> ApiAnswer {
    ApiAnswer::json(200, &json!({"success": true})).labelled(label)
}

fn messages(world: &mut World, now_ms: i64, provider: Provider, request: &ApiRequest) -> ApiAnswer {
    let body = request.json().ok_or_else(|| invalid("not JSON"));
    let asked = body.and_then(|body| Ok((asked::read(world, provider, &body)?, body)));
    let answered = asked.and_then(|(asked, body)| match asked {
        Asked::Read { message, types } => world
            .mark_read(now_ms, provider, &message, types)
            .map(|()| done(if types { "typing" } else { "read" })),
        Asked::React {
            message,
            emoji,
            correlation,
        } => react(
            world,
            now_ms,
            provider,
            (&message, emoji.as_deref()),
            correlation,
        ),
        Asked::Send(sending) => send(world, now_ms, *sending, &body),
    });
    match answered {
        Ok(answer) => answer,
        Err(problem) => answer(&problem),
    }
}

fn send(
    world: &mut World,
    now_ms: i64,
    sending: crate::world::Sending,
    body: &Value,
) -> Result<ApiAnswer, Problem> {
    let to = sending.to.clone();
    let taken = world.send(now_ms, sending)?;
    let mut contact = match to {
        Recipient::Number(_) => json!({"input": text(body, "to")}),
        Recipient::UserId(id) => json!({"input": id}),
    };
    contact["user_id"] = json!(taken.user_id);
    if let Some(wa_id) = taken.wa_id {
        contact["wa_id"] = json!(wa_id);
    }
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": taken.wamid, "message_status": "accepted"}],
    });
    Ok(ApiAnswer::json(200, &answer).of_message())
}

/// Of reactions Meta tells that they were sent, and no more.
fn react(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    (to, emoji): (&str, Option<&str>),
    correlation: Option<String>,
) -> Result<ApiAnswer, Problem> {
    let id = world.react(provider, to, emoji)?;
    let Some(mut event) = world.message(id).cloned() else {
        return Err(invalid("message_id"));
    };
    let customer = world.customers.get(&event.customer).cloned();
    let wa_id = customer.map(|customer| customer.wa_id).unwrap_or_default();
    event.wamid = world.wamid(&wa_id, false);
    event.correlation = correlation;
    event.problem = None;
    let news = News::Status(&event, Progress::Sent);
    world.tell(now_ms, provider, &event.customer, None, &news);
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [{"input": wa_id, "wa_id": wa_id}],
        "messages": [{"id": event.wamid}],
    });
    Ok(ApiAnswer::json(200, &answer).labelled("reaction"))
}

fn upload(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let kept = multipart::parts(request.header("content-type"), &request.body)
        .ok_or_else(|| invalid("not multipart/form-data"))
        .and_then(|parts| keep(world, now_ms, &parts));
    match kept {
        Ok(id) => ApiAnswer::json(200, &json!({"id": id})).labelled("media"),
        Err(problem) => answer(&problem),
    }
}

fn keep(world: &mut World, now_ms: i64, parts: &[multipart::Part<'_>]) -> Result<String, Problem> {
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let product = part("messaging_product").map(|part| part.bytes);
    if product != Some(b"whatsapp") {
        return Err(missing("messaging_product"));
    }
    let file = part("file").ok_or_else(|| missing("file"))?;
    let declared = part("type").and_then(|part| std::str::from_utf8(part.bytes).ok());
    let mime = file.mime.as_deref().or(declared);
    let mime = mime.ok_or_else(|| missing("type"))?;
    let shape = Shape::of_mime(mime);
    if let Some(problem) = unfit(shape, mime, file.bytes.len()) {
        return Err(invalid(format!("Param file: {}", problem.details)));
    }
    world
        .keep_file(now_ms, (mime, file.file_name.as_deref()), file.bytes)
        .map_err(|full| Problem::new(131_053, full.to_string()))
}

/// Where a file is.
fn located(world: &World, now_ms: i64, provider: Provider, id: &str) -> Option<ApiAnswer> {
    let kept = world.file(id).filter(|kept| now_ms < kept.until_ms)?;
    let body = json!({
        "messaging_product": "whatsapp",
        "url": tell::link(world, now_ms, provider, id),
        "mime_type": kept.mime,
        "sha256": kept.sha256,
        "file_size": kept.bytes.len(),
        "id": id,
    });
    Some(ApiAnswer::json(200, &body).labelled("media"))
}

fn number() -> Value {
    json!({
        "id": demo::PHONE_NUMBER_ID,
        "display_phone_number": demo::number(Provider::Cloud),
        "verified_name": demo::COMPANY,
        "status": "CONNECTED",
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "name_status": "APPROVED",
        "messaging_limit_tier": "TIER_1K",
    })
}

fn debug_token(now_ms: i64) -> ApiAnswer {
    // Sixty days from whenever one asks.
    let expires = now_ms.div_euclid(1_000) + 60 * 86_400;
    let body = json!({"data": {
        "app_id": demo::APP_ID, "type": "SYSTEM_USER", "is_valid": true, "expires_at": expires,
        "scopes": ["whatsapp_business_management", "whatsapp_business_messaging"],
    }});
    ApiAnswer::json(200, &body).labelled("token")
}

fn subscribed_apps(world: &mut World, request: &ApiRequest) -> ApiAnswer {
    let provider = Provider::Cloud;
    match request.method.as_str() {
        "GET" => {
            let mut app = json!({"whatsapp_business_api_data": {
                "id": demo::APP_ID, "name": "Simulador", "link": "https://loja.example",
            }});
            if let Some(webhook) = &world.account(provider).webhook {
                app["override_callback_uri"] = json!(webhook.url);
            }
            ApiAnswer::json(200, &json!({"data": [app]})).labelled("subscription")
        }
        "POST" => subscribe(world, request),
        "DELETE" => {
            world.set_webhook(provider, None);
            done("subscription")
        }
        method => nothing_there(demo::WABA_ID, method),
    }
}

/// The company names the address of its webhook, which has been asked the challenge.
fn subscribe(world: &mut World, request: &ApiRequest) -> ApiAnswer {
    let Some(url) = callback(request) else {
        return done("subscription");
    };
    if request.handshake != Some(true) {
        return answer(&Problem::usual(2_200));
    }
    let headers = Default::default();
    world.set_webhook(Provider::Cloud, Some(Target { url, headers }));
    done("subscription")
}

fn block(world: &mut World, provider: Provider, request: &ApiRequest) -> ApiAnswer {
    let body = request.json().unwrap_or_default();
    let users: Vec<String> = list(&body, "block_users")
        .iter()
        .filter_map(|one| maybe(one, "user"))
        .collect();
    let digits = |user: &String| user.trim_start_matches('+').to_owned();
    let blocked = &mut world.account_mut(provider).blocked;
    match request.method.as_str() {
        "GET" => {
            let list: Vec<Value> = blocked
                .iter()
                .map(|user| json!({"messaging_product": "whatsapp", "wa_id": user}))
                .collect();
            return ApiAnswer::json(200, &json!({"data": list})).labelled("block");
        }
        "DELETE" => users.iter().for_each(|user| {
            blocked.remove(&digits(user));
        }),
        _ => blocked.extend(users.iter().map(digits)),
    }
    let word = if request.method == "DELETE" {
        "removed_users"
    } else {
        "added_users"
    };
    let users: Vec<Value> = users
        .iter()
        .map(|user| json!({"input": user, "wa_id": digits(user)}))
        .collect();
    let body = json!({"messaging_product": "whatsapp", "block_users": {word: users}});
    ApiAnswer::json(200, &body).labelled("block")
}

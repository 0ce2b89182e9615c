//! The providers' APIs over HTTP: each under its prefix.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

use super::{Shared, courier};
use crate::provider::Provider;
use crate::wire::{self, ApiAnswer, ApiRequest, Handshake};
use crate::world::{Exchange, FaultKind, World, beginning};

/// Answers whatever is asked of a provider.
pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((provider, path)) = provider_of(uri.path()) else {
        return plain(StatusCode::NOT_FOUND);
    };
    let mut request = ApiRequest {
        method: method.to_string(),
        path: path.to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: texts(&headers),
        body: body.to_vec(),
        handshake: None,
    };
    if let Some(handshake) = wire::handshake(provider, &request) {
        request.handshake = Some(shakes(&handshake).await.is_ok());
    }
    let (answer, fate) = shared.with(|world, now_ms| answer(world, now_ms, provider, &request));
    match fate {
        Fate::Answered => {}
        Fate::Late(ms) => tokio::time::sleep(Duration::from_millis(u64::from(ms))).await,
        // Whoever asks goes away by itself, and this with it.
        Fate::Silent => tokio::time::sleep(SILENCE).await,
    }
    response(answer)
}

/// The provider of a path, and the rest of it.
fn provider_of(path: &str) -> Option<(Provider, &str)> {
    let path = path.strip_prefix('/')?;
    let (prefix, rest) = match path.find('/') {
        Some(at) => path.split_at(at),
        None => (path, "/"),
    };
    let is_it = |provider: &&Provider| provider.prefix() == prefix;
    let provider = Provider::ALL.iter().find(is_it)?;
    Some((*provider, rest))
}

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let texts = headers.iter();
    texts
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// Whether an address answers the challenge as it must.
pub(super) async fn shakes(handshake: &Handshake) -> Result<(), String> {
    let answer = courier::get(&handshake.url, HANDSHAKE_WITHIN).await?;
    if answer.status != 200 {
        return Err(format!("it answered {}", answer.status));
    }
    if answer.body != handshake.challenge.as_bytes() {
        return Err("it answered something else than the challenge".to_owned());
    }
    Ok(())
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Late(u32),
    Silent,
}

fn answer(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    request: &ApiRequest,
) -> (ApiAnswer, Fate) {
    let refused = wire::is_sending(provider, request)
        .then(|| world.strikes(provider, is_refusal))
        .flatten();
    let (answer, note) = match refused {
        Some(FaultKind::TooMany { retry_after_s }) => (
            wire::refusal(provider, 429, Some(retry_after_s)),
            "429 (fault)",
        ),
        Some(_) => (wire::refusal(provider, 500, None), "500 (fault)"),
        None => (wire::handle(world, now_ms, provider, request), ""),
    };
    let struck = answer
        .took
        .then(|| world.strikes(provider, is_silence))
        .flatten();
    let (fate, note) = match struck {
        Some(FaultKind::NeverAnswer) => (Fate::Silent, "taken, never answered (fault)"),
        Some(FaultKind::SlowAnswer { ms }) => (Fate::Late(ms), "answered late (fault)"),
        _ => (Fate::Answered, note),
    };
    note_exchange(world, now_ms, provider, request, &answer, note);
    (answer, fate)
}

fn is_refusal(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::TooMany { .. } | FaultKind::ServerError)
}

fn is_silence(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::NeverAnswer | FaultKind::SlowAnswer { .. })
}

fn note_exchange(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    request: &ApiRequest,
    answer: &ApiAnswer,
    note: &str,
) {
    let mark = if request.query.is_empty() { "" } else { "?" };
    world.note(Exchange {
        id: 0,
        at_ms: now_ms,
        provider,
        direction: "in",
        label: answer.label.clone(),
        method: request.method.clone(),
        url: format!(
            "/{}{}{mark}{}",
            provider.prefix(),
            request.path,
            request.query
        ),
        body: beginning(&request.body),
        status: Some(answer.status),
        answer: beginning(&answer.body),
        note: note.to_owned(),
    });
}

fn response(answer: ApiAnswer) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.body))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

pub(super) fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// How long Meta waits for a challenge to be answered.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);

/// Longer than anybody waits for an answer.
const SILENCE: Duration = Duration::from_secs(600);

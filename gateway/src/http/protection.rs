//! What every request passes: an id, a time limit, security headers, a line in the log.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use media_engine_net::clock;

use super::problem::{Problem, Tongue};

/// The outermost layer.
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let began = clock::now();
    let id = REQUESTS.fetch_add(1, Relaxed);
    let method = request.method().clone();
    // The template, not the path: ids and queries stay out of the log.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "none".to_owned());
    let tongue = Tongue::of(request.headers().get(header::ACCEPT_LANGUAGE));
    let answering = tokio::time::timeout(time_limit(&route), next.run(request));
    let mut response = match answering.await {
        Ok(response) => response,
        Err(_) => Problem::timed_out().into_response(),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.answer(tongue);
    }
    secure(&mut response);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    let status = response.status().as_u16();
    let ms = clock::now().duration_since(began).as_millis();
    tracing::info!(request = id, %method, route, status, ms = u64::try_from(ms).unwrap_or(u64::MAX), "http");
    response
}

/// A page that other pages may show: its policy says which.
#[derive(Clone, Copy, Debug)]
pub(super) struct MayBeFramed;

fn secure(response: &mut Response) {
    let is_framed = response.extensions_mut().remove::<MayBeFramed>().is_some();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        if is_framed && name == "x-frame-options" {
            continue;
        }
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
}

/// Speech and uploads take their time; nothing else does.
fn time_limit(route: &str) -> Duration {
    if route.contains("/prompts")
        || route.contains("/voices")
        || route.ends_with(".csv")
        || route.ends_with("/import")
        || route.ends_with("/uploads")
    {
        Duration::from_secs(150)
    } else {
        Duration::from_secs(30)
    }
}

/// Answers are data, shown by nobody's browser and kept by no cache; pages say what they need.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Counts requests since the start, so that an answer finds its line in the log.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

//! `/api/docs`: a page to browse and try the API. It is ours, whole, and loads nothing from elsewhere.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/docs",
            get(async || page("text/html; charset=utf-8", HTML)),
        )
        .route(
            "/api/docs/docs.js",
            get(async || page("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route(
            "/api/docs/docs.css",
            get(async || page("text/css; charset=utf-8", STYLE)),
        )
        .merge(super::openapi::routes())
}

fn page(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let policy = (HeaderName::from_static("content-security-policy"), POLICY);
    (
        [
            (header::CONTENT_TYPE, kind),
            policy,
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    media-src 'self' blob:; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HTML: &str = include_str!("docs/docs.html");
const SCRIPT: &str = include_str!("docs/docs.js");
const STYLE: &str = include_str!("docs/docs.css");

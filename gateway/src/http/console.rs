//! The console: one page, whatever the address, and its scripts and styles. `console/app` makes them, and they
//! are in the program where they were made.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::get;
use include_dir::{Dir, include_dir};

use super::embedded::{Packed, asset, pack, sockets, text};
use super::problem::Problem;
use super::{App, secret};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(page))
        .route("/assets/{file}", get(part))
}

/// What `console/app` made.
static MADE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../console/app/dist");

static PACKED: LazyLock<Packed> = LazyLock::new(|| pack(&MADE));

/// An address that is nothing else's is a place in the console: it is the page that knows which.
pub(super) async fn anywhere(request: Request) -> Result<Response, Problem> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    let is_ours = NOT_PLACES.iter().any(|other| path.starts_with(other));
    if !is_read || is_ours || path.contains('.') {
        return Err(Problem::not_found());
    }
    page(request.headers().clone()).await
}

async fn page(headers: HeaderMap) -> Result<Response, Problem> {
    let nonce = secret()?;
    let page = MADE.get_file("index.html");
    let page = page.and_then(|page| page.contents_utf8());
    let page = page.unwrap_or(NOT_MADE).replace("{{nonce}}", &nonce);
    let sockets = sockets(&headers);
    // The parts of the page that know their size only when they are shown say so in styles of their own.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'{sockets}; frame-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Ok(text("text/html; charset=utf-8", &policy, page, &headers))
}

async fn part(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    asset((&MADE, &PACKED), &file, &headers)
}

/// Where programs ask, and the pages of others' browsers: what is not there is not there.
const NOT_PLACES: [&str; 7] = [
    "/api", "/assets", "/demo/", "/health", "/media", "/metrics", "/webchat",
];

/// What a program without the console answers.
const NOT_MADE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Ramal</title><p>This program was built without the console: run \
    <code>cargo xtask console</code> and build it again. The API works: see \
    <a href=\"/api/docs\">its description</a>.</p></html>";

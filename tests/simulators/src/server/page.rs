//! The page, on which a person plays customers.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::error::RecvError;

use super::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route(
            "/_sim/page/style.css",
            get(async || asset("text/css", STYLE)),
        )
        .route("/_sim/page/words.js", get(async || asset(SCRIPT, WORDS)))
        .route(
            "/_sim/page/bubbles.js",
            get(async || asset(SCRIPT, BUBBLES)),
        )
        .route("/_sim/page/voice.js", get(async || asset(SCRIPT, VOICE)))
        .route("/_sim/page/app.js", get(async || asset(SCRIPT, APP)))
        .route("/_sim/events", get(events))
}

fn asset(mime: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, mime),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// What changes, as it changes: lists of topics. The page asks for what it shows of them.
async fn events(
    State(shared): State<Arc<Shared>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = shared.changes.subscribe();
    let events = stream::unfold(changes, |mut changes| async {
        let text = match changes.recv().await {
            Ok(text) => text,
            // Too much at once: load all of it again.
            Err(RecvError::Lagged(_)) => r#"[{"topic":"everything"}]"#.to_owned(),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(Event::default().data(text)), changes))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const PAGE: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/style.css");
const WORDS: &str = include_str!("../page/words.js");
const BUBBLES: &str = include_str!("../page/bubbles.js");
const VOICE: &str = include_str!("../page/voice.js");
const APP: &str = include_str!("../page/app.js");

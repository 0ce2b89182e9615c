//! What a browser loads: the script of the shop's page, the frame, its script and style, and a shop to
//! try it in. All of it is made by `console/widget`, and in the program where it was made.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use axum::routing::get;
use channels::webchat::config::{Frame, Loader, Placed, in_script};
use channels::webchat::origin::frame_ancestors;
use desk::id::ChannelId;
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::super::App;
use super::super::body::{Asked, Id};
use super::super::embedded::{self, Packed, kind_of, pack, sockets, text};
use super::super::problem::Problem;
use super::super::protection::MayBeFramed;
use super::poll::refused;
use super::visit::enter;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/webchat/{channel}/widget.js", get(widget))
        .route("/webchat/{channel}/frame", get(frame))
        .route("/webchat/assets/{file}", get(asset))
        .route("/demo", get(demo))
        .route("/demo/{file}", get(demo_file))
}

/// What `console/widget` made.
static MADE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../console/widget/dist");

static PACKED: LazyLock<Packed> = LazyLock::new(|| pack(&MADE));

fn made(path: &str) -> Option<&'static str> {
    MADE.get_file(path)?.contents_utf8()
}

/// The script of the shop's page, with the look of the channel in it.
async fn widget(
    State(app): State<App>,
    Id(channel): Id<ChannelId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let chat = match enter(&app, &channel).await {
        Ok(chat) => chat,
        Err(error) => return Ok(refused(&error)),
    };
    let path = format!("/webchat/{channel}/frame");
    let names = Default::default();
    let placed = Placed {
        channel: channel.as_str(),
        name: &chat.row.name,
        frame: &path,
        logo: None,
        services: &names,
    };
    let config = in_script(&Loader::new(&chat.settings.chat, placed));
    let config = config.map_err(|error| Problem::unavailable(&error))?;
    let script = match made("widget.js") {
        Some(script) => script.replacen("__CONFIG__", &config, 1),
        None => NOT_MADE.to_owned(),
    };
    let mut response = text("text/javascript; charset=utf-8", "", script, &headers);
    let more = response.headers_mut();
    // It stands in pages of others, and what an administrator sets is there a little later.
    more.insert(CROSS_ORIGIN, "cross-origin".parse().map_err(odd)?);
    more.insert(
        header::CACHE_CONTROL,
        "public, max-age=300".parse().map_err(odd)?,
    );
    Ok(response)
}

/// The page of the iframe.
async fn frame(
    State(app): State<App>,
    Id(channel): Id<ChannelId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let chat = match enter(&app, &channel).await {
        Ok(chat) => chat,
        Err(error) => return Ok(refused(&error)),
    };
    let names = match chat.services(&app).await {
        Ok(names) => names,
        Err(error) => return Ok(refused(&error)),
    };
    let path = format!("/webchat/{channel}/frame");
    let placed = Placed {
        channel: channel.as_str(),
        name: &chat.row.name,
        frame: &path,
        logo: None,
        services: &names,
    };
    let config = in_script(&Frame::new(&chat.settings.chat, placed));
    let config = config.map_err(|error| Problem::unavailable(&error))?;
    let page = match made("frame.html") {
        Some(page) => page.replacen("{{config}}", &config, 1),
        None => NOT_MADE_PAGE.to_owned(),
    };
    // Our own pages may show it: the shop to try it in is one.
    let ancestors = frame_ancestors(&chat.settings.chat.origins);
    let ancestors = match chat.settings.chat.origins.is_empty() {
        true => "frame-ancestors 'self'".to_owned(),
        false => ancestors.replacen("frame-ancestors", "frame-ancestors 'self'", 1),
    };
    let sockets = sockets(&headers);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
         media-src 'self' blob:; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; \
         {ancestors}"
    );
    let mut response = text("text/html; charset=utf-8", &policy, page, &headers);
    response.extensions_mut().insert(MayBeFramed);
    Ok(response)
}

/// The frame's script or style.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    embedded::asset((&MADE, &PACKED), &file, &headers)
}

/// Which channel is shown in the shop.
#[derive(Debug, Deserialize)]
struct Shown {
    channel: Option<ChannelId>,
}

/// A shop with the chat on it: that of a channel, or of the first that there is.
async fn demo(
    State(app): State<App>,
    Asked(shown): Asked<Shown>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let channel = match shown.channel {
        Some(channel) => Some(channel),
        None => store::webchat::first(app.store.pool()).await?,
    };
    let tag = channel.map_or_else(String::new, |channel| {
        format!("<script async src=\"/webchat/{channel}/widget.js\"></script>")
    });
    let page = match made("demo/index.html") {
        Some(page) => page.replacen("{{widget}}", &tag, 1),
        None => NOT_MADE_PAGE.to_owned(),
    };
    Ok(text("text/html; charset=utf-8", SHOP, page, &headers))
}

async fn demo_file(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let is_page = file.ends_with(".html");
    let found = made(&format!("demo/{file}")).filter(|_| !is_page);
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(text(kind_of(&file), SHOP, found, &headers))
}

/// Our own words are headers.
fn odd(error: axum::http::header::InvalidHeaderValue) -> Problem {
    Problem::unavailable(&error)
}

const CROSS_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The shop is a page of ours, and shows nothing of others.
const SHOP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    frame-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What a program without the widget answers.
const NOT_MADE: &str = "console.error('ramal: this program was built without the chat widget: \
    run `cargo xtask widget` and build it again');";

/// The same, as a page.
const NOT_MADE_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Chat</title><p>This program was built without the chat widget: run \
    <code>cargo xtask widget</code> and build it again.</p></html>";

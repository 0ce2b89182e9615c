//! `/webchat`: the chat of a company's website, from the script in the shop's page to the visitor's
//! socket.
//!
//! ```text
//!  shop's page ─ widget.js ─▶ frame (our origin) ═ socket, or frames + poll ═ Visit ─▶ pipeline
//!                                                                               ▲
//!                                            live::Hub ─▶ Room (a visitor) ─bell─┘
//! ```
//!
//! `console/widget/PROTOCOL.md` says what is said; `channels::webchat` reads and writes it.
//!
//! Invariants:
//! - Nobody is a visitor before they say `hello`, and there is no conversation before the first message.
//! - Only the shop can say that somebody is one of its users; what is theirs is shown to nobody else.
//! - What a visitor writes goes the way of every channel's messages, and is acknowledged when it is
//!   durable.

mod bucket;
mod chat;
mod described;
mod files;
mod pages;
mod poll;
mod rooms;
mod said;
mod secret;
mod signals;
mod socket;
mod standing;
mod survey;
mod visit;
mod who;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::routing::{get, post};
use channels::webchat::POST_BYTES_MAX;

use super::App;
use super::problem::Problem;
use super::who::remote;

pub(super) use described::settings;
pub(super) use rooms::Rooms;
pub(super) use secret::*;
pub(super) use signals::*;

pub(super) fn routes() -> Router<App> {
    let one = "/webchat/{channel}";
    let posted = DefaultBodyLimit::max(POST_BYTES_MAX);
    Router::new()
        .route(&format!("{one}/socket"), get(socket::open))
        .route(
            &format!("{one}/frames"),
            get(poll::get).post(poll::post).layer(posted),
        )
        .route(
            &format!("{one}/uploads"),
            // How large a file may be, its channel says.
            post(files::upload).layer(DefaultBodyLimit::disable()),
        )
        .merge(pages::routes())
        .merge(secret::routes())
        .merge(signals::routes())
}

/// The address of who asks.
struct Address(String);

impl FromRequestParts<App> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(remote(parts)))
    }
}

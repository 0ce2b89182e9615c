//! The same without a WebSocket: frames are posted, and news are waited for.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use channels::webchat::server::{Posted, ServerFrame};
use channels::webchat::{ClientFrame, ErrorCode, FrameError, POLL_MS, client};
use desk::id::ChannelId;
use media_engine_net::clock;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::super::App;
use super::super::body::Id;
use super::Address;
use super::visit::{Visit, enter};

/// How far a page is.
#[derive(Debug, Deserialize)]
pub(super) struct Has {
    #[serde(default)]
    after_seq: u32,
    #[serde(default)]
    state: i64,
    #[serde(default)]
    conversation: Option<String>,
}

/// Frames that a page says, and what it is told at once.
pub(super) async fn post(
    State(app): State<App>,
    Id(channel): Id<ChannelId>,
    Address(address): Address,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else {
        return refused(&FrameError::new(ErrorCode::TooLarge));
    };
    match say(app, channel, address.into(), &headers, &body).await {
        Ok(frames) => Json(Posted { frames }).into_response(),
        Err(error) => refused(&error),
    }
}

async fn say(
    app: App,
    channel: ChannelId,
    address: Arc<str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<ServerFrame>, FrameError> {
    let asked = client::read_posted(body)?;
    let chat = enter(&app, &channel).await?;
    let mut asked = asked.into_iter().peekable();
    let (mut visit, mut told) = match asked.next_if(|one| matches!(one, Ok(ClientFrame::Hello(_))))
    {
        Some(Ok(ClientFrame::Hello(hello))) => Visit::begin(app, chat, &hello, address).await?,
        Some(Ok(_) | Err(_)) | None => {
            let token = shown(headers)?;
            let mut visit = Visit::again(app, chat, token, address).await?;
            // Where they are is for the poll to say; here they ask.
            visit.look().await?;
            (visit, vec![])
        }
    };
    // Messages come by the poll.
    told.retain(|frame| !matches!(frame, ServerFrame::Messages { .. }));
    for frame in asked {
        match frame {
            Ok(ClientFrame::Resume { .. }) => {}
            Ok(frame) => told.extend(visit.heard(frame).await),
            Err(error) => told.push(ServerFrame::Error(error)),
        }
    }
    visit.app.rooms.linger(clock::now(), visit.room.clone());
    Ok(told)
}

/// What there is that a page does not have, as soon as there is something.
pub(super) async fn get(
    State(app): State<App>,
    Id(channel): Id<ChannelId>,
    Address(address): Address,
    has: Result<Query<Has>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(has)) = has else {
        return refused(&FrameError::new(ErrorCode::BadFrame));
    };
    match wait(app, channel, address.into(), has, &headers).await {
        Ok(frames) => Json(Posted { frames }).into_response(),
        Err(error) => refused(&error),
    }
}

async fn wait(
    app: App,
    channel: ChannelId,
    address: Arc<str>,
    has: Has,
    headers: &HeaderMap,
) -> Result<Vec<ServerFrame>, FrameError> {
    let place = app.rooms.place(&address);
    let crowded = || FrameError::new(ErrorCode::TooFast).after_ms(POLL_MS);
    let _place = place.ok_or_else(crowded)?;
    let chat = enter(&app, &channel).await?;
    let mut visit = Visit::again(app, chat, shown(headers)?, address).await?;
    let seat = visit.room.sit();
    let mut bell = visit.room.listen();
    let until = Instant::from_std(clock::now()) + Duration::from_millis(POLL_MS);
    visit.look().await?;
    let here = visit.conversation.as_ref().map(ToString::to_string);
    // What is counted in another conversation is nothing in this.
    let is_this = here.is_some() && has.conversation == here;
    visit.has(if is_this { has.after_seq } else { 0 }, has.state);
    let frames = loop {
        let news = visit.news().await?;
        let again = visit
            .look_again
            .map(|wait| Instant::from_std(clock::now()) + wait);
        let next = again.map_or(until, |again| again.min(until));
        if !news.is_empty() || Instant::from_std(clock::now()) >= until {
            break news;
        }
        tokio::select! {
            _ = timeout_at(next, bell.changed()) => {}
            () = seat.replaced.notified() => {
                return Err(FrameError::new(ErrorCode::Replaced));
            }
        }
    };
    drop(seat);
    visit.app.rooms.linger(clock::now(), visit.room.clone());
    Ok(frames)
}

/// The token that a page shows.
pub(super) fn shown(headers: &HeaderMap) -> Result<&str, FrameError> {
    let value = headers.get(header::AUTHORIZATION);
    let text = value.and_then(|value| value.to_str().ok());
    let token = text.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.ok_or_else(|| FrameError::new(ErrorCode::Token))
}

/// A refusal, as a page reads it.
pub(super) fn refused(error: &FrameError) -> Response {
    let status = StatusCode::from_u16(error.code.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let frames = vec![ServerFrame::Error(error.clone())];
    (status, Json(Posted { frames })).into_response()
}

//! The WebSocket of a page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use channels::webchat::error::CLOSE_STATUS;
use channels::webchat::server::ServerFrame;
use channels::webchat::{
    ALIVE_EVERY_MS, ClientFrame, ErrorCode, FRAME_BYTES_MAX, FrameError, HELLO_WITHIN_MS,
    SILENCE_MS_MAX, client,
};
use desk::id::ChannelId;
use media_engine_net::clock;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::super::App;
use super::super::body::Id;
use super::super::live::is_own_page;
use super::super::problem::Problem;
use super::Address;
use super::poll::refused;
use super::rooms::{Place, Seat};
use super::visit::{Visit, enter};

/// Opens the socket of a page of ours.
pub(super) async fn open(
    State(app): State<App>,
    Id(channel): Id<ChannelId>,
    Address(address): Address,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade =
        upgrade.map_err(|error| Problem::malformed("malformed").because(error.body_text()))?;
    // The page is our frame, whoever shows it; a browser says so.
    if !is_own_page(&headers, true) {
        return Ok(refused(&FrameError::new(ErrorCode::Origin)));
    }
    let place = app.rooms.place(&address);
    let place = place.zip(app.telephony.live().place());
    let Some((place, of_all)) = place else {
        return Err(Problem::crowded());
    };
    let talk = Talk {
        app,
        channel,
        address: address.into(),
        _place: place,
    };
    // An idle socket is to cost kilobytes: what comes from there is next to nothing.
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX);
    let opened = upgrade.on_upgrade(move |socket| async move {
        talk.run(socket).await;
        drop(of_all);
    });
    Ok(opened.into_response())
}

/// A socket, from the first word to the last.
struct Talk {
    app: App,
    channel: ChannelId,
    address: Arc<str>,
    _place: Place,
}

/// Why it ends.
enum Over {
    /// They are gone.
    Gone,
    /// They are told why.
    Close(u16, &'static str),
}

impl From<ErrorCode> for Over {
    fn from(code: ErrorCode) -> Self {
        Self::Close(CLOSE_STATUS, code.as_str())
    }
}

impl Talk {
    async fn run(self, mut socket: WebSocket) {
        let over = match self.greet(&mut socket).await {
            Ok((visit, seat)) => go_on(&mut socket, visit, &seat).await,
            Err(over) => over,
        };
        if let Over::Close(code, reason) = over {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let _ = timeout(SEND_TIME, socket.send(Message::Close(Some(frame)))).await;
        }
    }

    /// Hears who it is, and answers.
    async fn greet(&self, socket: &mut WebSocket) -> Result<(Box<Visit>, Seat), Over> {
        let until = Instant::now() + Duration::from_millis(HELLO_WITHIN_MS);
        let hello = loop {
            let heard = tokio::time::timeout_at(until, socket.recv()).await;
            let heard = heard.map_err(|_| Over::from(ErrorCode::BadFrame))?;
            match frame_of(heard)? {
                Some(Ok(ClientFrame::Hello(hello))) => break hello,
                Some(Ok(_)) => return Err(ErrorCode::BadFrame.into()),
                Some(Err(error)) => {
                    let code = error.code;
                    send(socket, &ServerFrame::Error(error)).await?;
                    return Err(code.into());
                }
                None => {}
            }
        };
        let begun = Box::pin(async {
            let chat = enter(&self.app, &self.channel).await?;
            Visit::begin(self.app.clone(), chat, &hello, self.address.clone()).await
        });
        match begun.await {
            Ok((visit, frames)) => {
                let seat = visit.room.sit();
                for frame in &frames {
                    send(socket, frame).await?;
                }
                Ok((Box::new(visit), seat))
            }
            Err(error) => {
                let code = error.code;
                send(socket, &ServerFrame::Error(error)).await?;
                match code.closes() {
                    true => Err(code.into()),
                    // To come again later.
                    false => Err(Over::Close(close_code::AGAIN, code.as_str())),
                }
            }
        }
    }
}

async fn go_on(socket: &mut WebSocket, mut visit: Box<Visit>, seat: &Seat) -> Over {
    let mut bell = visit.room.listen();
    let now = Instant::from_std(clock::now());
    let mut beat = interval_at(now + ALIVE_EVERY, ALIVE_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = clock::now();
    loop {
        let look_again = visit.look_again;
        let frames = tokio::select! {
            _ = bell.changed() => Box::pin(visit.news()).await,
            () = sleep(look_again.unwrap_or(NEVER)), if look_again.is_some() => {
                Box::pin(visit.news()).await
            }
            message = socket.recv() => {
                heard = clock::now();
                match frame_of(message) {
                    Ok(Some(Ok(frame))) => {
                        let room = visit.room.clone();
                        let frames = Box::pin(visit.heard(frame)).await;
                        if !Arc::ptr_eq(&room, &visit.room) {
                            // They turned out to be somebody else.
                            bell = visit.room.listen();
                        }
                        Ok(frames)
                    }
                    Ok(Some(Err(error))) => Err(error),
                    Ok(None) => Ok(vec![]),
                    Err(over) => return over,
                }
            }
            () = seat.replaced.notified() => return ErrorCode::Replaced.into(),
            _ = beat.tick() => {
                if clock::now().duration_since(heard) > SILENCE_MAX {
                    return Over::Gone;
                }
                if send_text(socket, Message::Ping(Default::default())).await.is_err() {
                    return Over::Gone;
                }
                Ok(vec![ServerFrame::Alive {}])
            }
        };
        let frames = frames.unwrap_or_else(|error| vec![ServerFrame::Error(error)]);
        for frame in &frames {
            if let Err(over) = send(socket, frame).await {
                return over;
            }
            if let ServerFrame::Error(error) = frame
                && error.code.closes()
            {
                return error.code.into();
            }
        }
    }
}

/// What came: a frame, one that is wrong, or nothing for us.
fn frame_of(
    message: Option<Result<Message, axum::Error>>,
) -> Result<Option<Result<ClientFrame, FrameError>>, Over> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(client::read(text.as_bytes()))),
        Some(Ok(Message::Binary(_))) => Ok(Some(Err(FrameError::new(ErrorCode::BadFrame)))),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        // A message that is larger than any ends the connection, too.
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Over::Gone),
    }
}

async fn send(socket: &mut WebSocket, frame: &ServerFrame) -> Result<(), Over> {
    // Keys are text and numbers finite: this cannot fail.
    let text = serde_json::to_string(frame).unwrap_or_default();
    send_text(socket, Message::Text(Utf8Bytes::from(text))).await
}

async fn send_text(socket: &mut WebSocket, message: Message) -> Result<(), Over> {
    match timeout(SEND_TIME, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Over::Gone),
    }
}

const ALIVE_EVERY: Duration = Duration::from_millis(ALIVE_EVERY_MS);

const SILENCE_MAX: Duration = Duration::from_millis(SILENCE_MS_MAX);

/// Who does not take what they are sent is gone.
const SEND_TIME: Duration = Duration::from_secs(10);

/// Where nothing is to be looked at, nothing is waited for.
const NEVER: Duration = Duration::from_secs(1);

/// Frames are short.
const READ_BUFFER: usize = 1_024;

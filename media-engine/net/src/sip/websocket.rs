//! SIP over WebSocket (RFC 7118): one frame, one message.

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use media_engine::sip::framing::{Item, PONG, frame};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::connection::{End, Lines, Link};
use super::stream::ByteStream;
use super::{MESSAGE_BYTES_MAX, Origins};

/// How often we ping; browsers answer by themselves, so scripts need no timer of their own. Below
/// the minute after which proxies and NATs forget a quiet connection.
const PING_INTERVAL: Duration = Duration::from_secs(25);

/// A peer that answers neither of two pings is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Bytes that wait in the WebSocket's own buffer: one message and its frame, and pongs.
const WRITE_BUFFER_MAX: usize = 2 * MESSAGE_BYTES_MAX;

type Socket = WebSocketStream<ByteStream>;

/// Answers the handshake; `None` when it is none, or not one for us.
pub(super) async fn accept(stream: ByteStream, origins: &Origins) -> Option<Socket> {
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let check = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        match judge(request.headers(), origins) {
            Ok(protocol) => {
                let headers = response.headers_mut();
                headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
                Ok(response)
            }
            Err(status) => Err(refusal(status)),
        }
    };
    accept_hdr_async_with_config(stream, check, Some(limits()))
        .await
        .ok()
}

/// Takes over a stream on which the handshake is over.
pub(super) async fn take_over(stream: ByteStream) -> Socket {
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(limits())).await
}

/// Whether a handshake is for us: the subprotocol to answer with, or the refusal.
pub(super) fn judge(headers: &HeaderMap, origins: &Origins) -> Result<HeaderValue, StatusCode> {
    if !origins.allow(headers.get(ORIGIN).map(HeaderValue::as_bytes)) {
        return Err(StatusCode::FORBIDDEN);
    }
    if !offers_sip(headers) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(HeaderValue::from_static("sip"))
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0) // each message leaves at once
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
}

/// Whether the client asks for the subprotocol `sip` (RFC 7118 section 4).
fn offers_sip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut names = offers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    names.any(|name| name.trim() == "sip")
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response
}

/// Carries messages both ways until one side ends.
pub(super) async fn drive(socket: Socket, lines: Lines) -> End {
    let (sink, stream) = socket.split();
    let Lines { link, inbox } = lines;
    let patience = link.shared.config.patience;
    tokio::select! {
        end = read(stream, &link) => end,
        end = write(sink, inbox, patience) => end,
    }
}

async fn read(mut stream: SplitStream<Socket>, link: &Link) -> End {
    let config = &link.shared.config;
    // Pings are no messages: who only pings is shown out like who says nothing.
    let mut first_message = Some(Instant::now() + config.patience);
    let mut last_message = Instant::now();
    loop {
        let silent = Instant::now() + SILENCE_MAX;
        let idle = last_message + config.idle_max;
        let deadline = first_message.unwrap_or(idle).min(silent);
        let message = match timeout_at(deadline, stream.next()).await {
            Err(_) => return End::TimedOut,
            Ok(None | Some(Ok(Message::Close(_)))) => return End::Closed,
            Ok(Some(Err(error))) => return ended(&error),
            Ok(Some(Ok(message))) => message,
        };
        let bytes = match message {
            Message::Text(text) => Bytes::from(text),
            Message::Binary(bytes) => bytes,
            // Answered by the library; `Frame` is never read.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => continue,
        };
        last_message = Instant::now();
        match frame(bytes) {
            Item::Message(bytes) => {
                first_message = None;
                if let Err(end) = link.deliver(bytes).await {
                    return end;
                }
            }
            Item::Ping => link.answer(Bytes::from_static(PONG)),
            Item::Pong => {}
        }
    }
}

fn ended(error: &tokio_tungstenite::tungstenite::Error) -> End {
    use tokio_tungstenite::tungstenite::Error;
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_) | Error::Tls(_) => {
            End::Closed
        }
        Error::WriteBufferFull(_) => End::Slow, // pings without end, and no pong is read
        Error::Capacity(_)
        | Error::Protocol(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => End::Malformed,
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut inbox: mpsc::Receiver<Bytes>,
    patience: Duration,
) -> End {
    loop {
        let message = match timeout(PING_INTERVAL, inbox.recv()).await {
            Ok(None) => return End::Closed,
            Ok(Some(bytes)) => wrap(bytes),
            Err(_) => Message::Ping(Bytes::new()),
        };
        match timeout(patience, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Closed,
            Err(_) => return End::Slow,
        }
    }
}

/// Text where it is UTF-8, as all SIP should be; browsers' scripts read both.
fn wrap(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}

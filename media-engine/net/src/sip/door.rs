//! The way in for WebSockets that somebody else has accepted: the HTTP server, on its own port.
//!
//! A page reaches the host it came from whatever stands between, so users behind one reverse proxy
//! need one port and one certificate. The caps, the origins and the counters are those of our own
//! listeners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use media_engine::sip::{Flow, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::http::{Request, Response, StatusCode};

use super::connection::{self, Place, Shared};
use super::stream::ByteStream;
use super::websocket;

/// Takes WebSockets in; clones take them to the same place.
#[derive(Clone, Debug)]
pub struct Door {
    shared: Arc<Shared>,
}

/// One who may come in, and counts as a connection already.
#[derive(Debug)]
pub struct Guest {
    shared: Arc<Shared>,
    place: Place,
    remote: SocketAddr,
}

impl Door {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Judges the handshake of `remote`: the answer that accepts it, after which the stream is
    /// [`Guest::serve`]d, or the status that refuses it.
    ///
    /// # Errors
    ///
    /// 400 for what is no WebSocket for SIP (RFC 7118 section 4), 403 for a page that may not, 503 at a
    /// cap.
    pub fn welcome(
        &self,
        remote: SocketAddr,
        request: &Request<()>,
    ) -> Result<(Response<()>, Guest), StatusCode> {
        let shared = &self.shared;
        let malformed = |status| {
            shared.counters.malformed.fetch_add(1, Relaxed);
            status
        };
        let judged = websocket::judge(request.headers(), &shared.config.origins);
        let protocol = judged.map_err(malformed)?;
        let mut response =
            create_response(request).map_err(|_| malformed(StatusCode::BAD_REQUEST))?;
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        let Some(place) = shared.admit(remote) else {
            shared.counters.refused.fetch_add(1, Relaxed);
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        };
        shared.counters.accepted.fetch_add(1, Relaxed);
        let shared = Arc::clone(shared);
        let guest = Guest {
            shared,
            place,
            remote,
        };
        Ok((response, guest))
    }
}

impl Guest {
    /// Carries SIP both ways over the stream on which the handshake was answered, until one side ends.
    /// `local` is where it was accepted.
    pub async fn serve<S>(self, stream: S, local: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let flow = Flow {
            transport: Transport::Ws,
            local,
            remote: self.remote,
            connection: None,
        };
        let socket = websocket::take_over(Box::new(stream) as ByteStream).await;
        let drive = |lines| websocket::drive(socket, lines);
        connection::run(self.shared, flow, self.place, drive).await;
    }
}

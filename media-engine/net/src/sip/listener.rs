//! Accepting connections, up to the caps, and the handshakes that come before SIP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use media_engine::sip::{Flow, Transport};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Place, Shared};
use super::stream::{self, ByteStream};
use super::{BindError, tls, websocket};

/// Connections the kernel holds until we accept them.
const BACKLOG: i32 = 1024;

/// Pause after accepting failed, for want of files mostly: what waits in the backlog stays there.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// When the kernel asks whether a silent peer still lives: finds machines that vanished without a
/// word, long before [`super::TransportsConfig::idle_max`].
const KEEP_ALIVE: Duration = Duration::from_secs(60);

pub(super) fn bind(transport: Transport, address: SocketAddr) -> Result<TcpListener, BindError> {
    let bound = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?; // a restart must not wait for the last run's TIME_WAIT
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    bound().map_err(|error| BindError::Address {
        transport,
        address,
        error,
    })
}

pub(super) async fn accept(listener: TcpListener, transport: Transport, shared: Arc<Shared>) {
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%transport, %error, "cannot accept a SIP connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = shared.admit(remote) else {
            shared.counters.refused.fetch_add(1, Relaxed);
            continue; // dropped, hence closed
        };
        shared.counters.accepted.fetch_add(1, Relaxed);
        tokio::spawn(serve(stream, remote, transport, place, Arc::clone(&shared)));
    }
}

async fn serve(
    stream: TcpStream,
    remote: SocketAddr,
    transport: Transport,
    place: Place,
    shared: Arc<Shared>,
) {
    let Ok(local) = prepare(&stream) else { return };
    let flow = Flow {
        transport,
        local,
        remote,
        connection: None,
    };
    let secured = async {
        if !transport.is_secure() {
            return io::Result::Ok(Box::new(stream) as ByteStream);
        }
        let config = shared.tls.server().ok_or_else(tls::no_certificate)?;
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        Ok(Box::new(stream) as ByteStream)
    };
    let patience = shared.config.patience;
    match transport {
        Transport::Udp | Transport::Tcp | Transport::Tls => {
            match timeout(patience, secured).await {
                Ok(Ok(stream)) => {
                    let drive = |lines| stream::drive(stream, lines, stream::Role::Accepted);
                    connection::run(shared, flow, place, drive).await;
                }
                Ok(Err(_)) => drop(shared.counters.malformed.fetch_add(1, Relaxed)),
                Err(_) => drop(shared.counters.timed_out.fetch_add(1, Relaxed)),
            }
        }
        Transport::Ws | Transport::Wss => {
            let upgraded = async {
                let stream = secured.await.ok()?;
                websocket::accept(stream, &shared.config.origins).await
            };
            match timeout(patience, upgraded).await {
                Ok(Some(socket)) => {
                    let drive = |lines| websocket::drive(socket, lines);
                    connection::run(shared, flow, place, drive).await;
                }
                Ok(None) => drop(shared.counters.malformed.fetch_add(1, Relaxed)),
                Err(_) => drop(shared.counters.timed_out.fetch_add(1, Relaxed)),
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<SocketAddr> {
    stream.set_nodelay(true)?;
    let keep_alive = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE / 4);
    SockRef::from(stream).set_tcp_keepalive(&keep_alive)?;
    stream.local_addr()
}

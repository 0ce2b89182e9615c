//! SIP's sockets: datagrams, streams and WebSockets on every local address we were given.
//!
//! ```text
//!  UDP sockets ───────────────────────────▶┐
//!  listeners ─▶ a task a connection ─queue─▶┤ Transports::receive ─▶ the task that owns the endpoint
//!                    ▲ bounded queue ◀──────┴ Transports::send (never waits)
//! ```
//!
//! Datagrams are read by the owner's own task: one channel hop fewer for nearly all SIP there is. A
//! connection has a task of its own that cuts messages out of its stream; when the owner is slow its
//! queue fills and the connections wait, each holding back its own peer and nobody else.

mod connection;
mod door;
mod listener;
mod origin;
mod stream;
mod tls;
mod udp;
mod websocket;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use media_engine::sip::{ConnectionId, Flow, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use connection::{Connection, Shared, StreamEvent};
pub use door::{Door, Guest};
pub use origin::Origins;
pub use tls::{TlsError, TlsFiles};
use udp::UdpSockets;

/// The longest SIP message of a stream or WebSocket: what fits a datagram fits everything.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// Events a turn of [`Transports::receive`] takes from the connections, so that timers and commands
/// get their turn under a flood. (Datagrams: 32 from each socket.)
const STREAM_EVENTS_PER_TURN: usize = 32;

/// Messages of all connections that wait for the owner. Beyond it the connections wait.
const STREAM_EVENTS_MAX: usize = 1024;

/// Where SIP listens, and what it bears.
#[derive(Clone, Debug)]
pub struct TransportsConfig {
    /// Local addresses for datagrams; port 0 takes a free one.
    pub udp: Vec<SocketAddr>,
    /// Local addresses for streams in the clear.
    pub tcp: Vec<SocketAddr>,
    /// Local addresses for streams under TLS; needs `tls_files`.
    pub tls: Vec<SocketAddr>,
    /// Local addresses for WebSockets in the clear (behind a TLS proxy, or for tests).
    pub ws: Vec<SocketAddr>,
    /// Local addresses for WebSockets under TLS; needs `tls_files`.
    pub wss: Vec<SocketAddr>,
    /// Certificate chain and key of `tls` and `wss`.
    pub tls_files: Option<TlsFiles>,
    /// More authorities (PEM) that carriers' certificates may come from, beside the system's.
    pub tls_authorities: Option<std::path::PathBuf>,
    /// Which web pages may open a WebSocket.
    pub origins: Origins,
    /// Connections at one time, in all. One costs about 10 KiB, under TLS about 50 KiB.
    pub connections_max: usize,
    /// Connections at one time from one IPv4 address or one IPv6 /64. An office behind one address
    /// needs one for each of its phones.
    pub connections_per_source_max: usize,
    /// A connection over which nothing came for this long is closed. Phones send keep-alives every
    /// two minutes at most (RFC 5626 section 4.4.1).
    pub idle_max: Duration,
    /// How long a new connection may take for each of: its handshakes, its first message; and any
    /// connection for the rest of a message it began.
    pub patience: Duration,
}

impl Default for TransportsConfig {
    fn default() -> Self {
        Self {
            udp: Vec::new(),
            tcp: Vec::new(),
            tls: Vec::new(),
            ws: Vec::new(),
            wss: Vec::new(),
            tls_files: None,
            tls_authorities: None,
            origins: Origins::default(),
            connections_max: 4096,
            connections_per_source_max: 256,
            idle_max: Duration::from_secs(15 * 60),
            patience: Duration::from_secs(10),
        }
    }
}

/// Why SIP does not listen. The configuration is at fault, or another program.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken or not ours.
    #[error("cannot listen for SIP over {transport} on {address}: {error}")]
    Address {
        /// The transport of the address.
        transport: Transport,
        /// The address as configured.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A listener under TLS has no certificate.
    #[error("SIP over {0} needs a certificate and a key")]
    CertificateMissing(Transport),
    /// Certificate, key or authorities cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What came in.
#[derive(Debug)]
pub enum Event {
    /// A datagram, or one message out of a stream or WebSocket.
    Received {
        /// The way it came, and the way to answer.
        flow: Flow,
        /// The message, not yet parsed.
        bytes: Bytes,
    },
    /// A connection ended, whoever ended it.
    Closed {
        /// The connection; its number does not come again.
        connection: ConnectionId,
    },
    /// What was sent to `flow` did not and will not leave: no route, refused, connection gone, peer
    /// too slow.
    Failed {
        /// As it was given to [`Transports::send`].
        flow: Flow,
    },
}

/// Counters for metrics; all only rise.
#[derive(Debug, Default)]
pub struct TransportCounters {
    /// Messages received, of all transports.
    pub received: AtomicU64,
    /// Messages sent, of all transports.
    pub sent: AtomicU64,
    /// Datagrams too short to be SIP: keep-alives.
    pub keep_alives: AtomicU64,
    /// Datagrams dropped because the socket's buffer was full; SIP repeats them.
    pub send_buffer_full: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections refused at a cap.
    pub refused: AtomicU64,
    /// Connections closed because the peer read too slowly.
    pub slow: AtomicU64,
    /// Connections closed for silence or for messages that never ended.
    pub timed_out: AtomicU64,
    /// Handshakes (TLS, WebSocket) that failed, and bytes that are no SIP.
    pub malformed: AtomicU64,
}

/// All SIP sockets of the process, owned by the task that owns the endpoint.
///
/// Dropping it closes every socket.
#[derive(Debug)]
pub struct Transports {
    udp: UdpSockets,
    addresses: Vec<(Transport, SocketAddr)>,
    shared: Arc<Shared>,
    events: mpsc::Receiver<StreamEvent>,
    connections: HashMap<ConnectionId, Connection>,
    by_remote: HashMap<(Transport, SocketAddr), ConnectionId>,
    pending: VecDeque<Event>,
    _listeners: JoinSet<()>,
}

impl Transports {
    /// Binds every configured address.
    pub async fn bind(config: TransportsConfig) -> Result<Self, BindError> {
        let (sender, events) = mpsc::channel(STREAM_EVENTS_MAX);
        let udp = UdpSockets::bind(&config.udp).await?;
        let streams = [
            (Transport::Tcp, config.tcp.clone()),
            (Transport::Tls, config.tls.clone()),
            (Transport::Ws, config.ws.clone()),
            (Transport::Wss, config.wss.clone()),
        ];
        let shared = Arc::new(Shared::new(config, sender)?);
        let mut addresses: Vec<_> = udp
            .addresses()
            .map(|local| (Transport::Udp, local))
            .collect();
        let mut listeners = JoinSet::new();
        for (transport, wanted) in streams {
            for address in wanted {
                let listener = listener::bind(transport, address)?;
                let local = listener.local_addr();
                let local = local.map_err(|error| BindError::Address {
                    transport,
                    address,
                    error,
                })?;
                addresses.push((transport, local));
                listeners.spawn(listener::accept(listener, transport, Arc::clone(&shared)));
            }
        }
        Ok(Self {
            udp,
            addresses,
            shared,
            events,
            connections: HashMap::new(),
            by_remote: HashMap::new(),
            pending: VecDeque::new(),
            _listeners: listeners,
        })
    }

    /// What is bound, with the ports that were free where 0 was configured.
    pub fn addresses(&self) -> &[(Transport, SocketAddr)] {
        &self.addresses
    }

    /// The first local address of `transport`, of the same family as `like`.
    pub fn address_of(&self, transport: Transport, like: SocketAddr) -> Option<SocketAddr> {
        let fits = |(of, local): &&(Transport, SocketAddr)| {
            *of == transport && local.is_ipv4() == like.is_ipv4()
        };
        self.addresses.iter().find(fits).map(|(_, local)| *local)
    }

    /// Waits until something came in and appends it to `batch`: at least one event, at most a turn's
    /// worth. Nothing is lost when the future is dropped before it is ready.
    pub async fn receive(&mut self, batch: &mut Vec<Event>) {
        poll_fn(|cx| self.poll_receive(cx, batch)).await;
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, batch: &mut Vec<Event>) -> Poll<()> {
        let before = batch.len();
        batch.extend(self.pending.drain(..));
        let mut empty = self.udp.poll_receive(cx, batch, &self.shared.counters);
        empty &= self.poll_streams(cx, batch);
        if batch.len() > before {
            return Poll::Ready(());
        }
        if !empty {
            cx.waker().wake_by_ref(); // a turn full of keep-alives: others first, then go on
        }
        Poll::Pending
    }

    /// Takes a turn's worth of events from the connections; whether there are no more.
    fn poll_streams(&mut self, cx: &mut Context<'_>, batch: &mut Vec<Event>) -> bool {
        for _ in 0..STREAM_EVENTS_PER_TURN {
            match self.events.poll_recv(cx) {
                Poll::Ready(Some(event)) => self.handle_stream_event(event, batch),
                // `None` cannot come: we hold a sender ourselves.
                Poll::Ready(None) | Poll::Pending => return true,
            }
        }
        false
    }

    /// Sends one message to `flow`; never waits.
    ///
    /// A stream's flow without a connection uses the one that is open to that address and
    /// transport, and opens one otherwise; a TLS peer's certificate must then be for `server_name`
    /// (RFC 5922 section 4), or for its address when there is none. What cannot be sent comes back as
    /// [`Event::Failed`]; a connection whose peer does not read is closed.
    pub fn send(&mut self, flow: Flow, server_name: Option<&str>, bytes: Bytes) {
        let sent = match flow.transport {
            Transport::Udp => self.udp.send(&flow, &bytes, &self.shared.counters),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                self.send_stream(&flow, server_name, bytes)
            }
        };
        if sent {
            self.shared.counters.sent.fetch_add(1, Relaxed);
        } else {
            self.pending.push_back(Event::Failed { flow });
        }
    }

    /// Closes a connection, for instance one whose peer broke the protocol.
    pub fn close(&mut self, connection: ConnectionId) {
        if self.remove(connection) {
            self.pending.push_back(Event::Closed { connection });
        }
    }

    /// How many connections are open.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// The way in for WebSockets that others accept.
    pub fn door(&self) -> Door {
        Door::new(Arc::clone(&self.shared))
    }

    /// The counters; keep the handle to read them from elsewhere.
    pub fn counters(&self) -> Arc<TransportCounters> {
        Arc::clone(&self.shared.counters)
    }

    /// Reads certificate and key again; connections made from now on use them. On an error the old
    /// ones stay.
    pub fn reload_certificate(&self) -> Result<(), TlsError> {
        self.shared.tls.reload()
    }

    fn send_stream(&mut self, flow: &Flow, host: Option<&str>, bytes: Bytes) -> bool {
        let open = flow
            .connection
            .or_else(|| self.by_remote.get(&(flow.transport, flow.remote)).copied());
        let id = match (open, flow.connection) {
            (Some(id), _) => id,
            (None, Some(_)) => return false,
            (None, None) => match connection::open(&self.shared, flow, host) {
                Some((id, connection)) => {
                    self.insert(id, connection);
                    id
                }
                None => return false,
            },
        };
        let Some(connection) = self.connections.get(&id) else {
            return false;
        };
        match connection.outbox.try_send(bytes) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false, // its end is on the way to us
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.shared.counters.slow.fetch_add(1, Relaxed);
                self.close(id);
                false
            }
        }
    }

    fn handle_stream_event(&mut self, event: StreamEvent, batch: &mut Vec<Event>) {
        match event {
            StreamEvent::Opened { id, connection } => self.insert(id, connection),
            StreamEvent::Received { flow, bytes } => {
                // Messages of a connection that we closed meanwhile are not handed on: after
                // `Closed` its number means nothing.
                let known = flow
                    .connection
                    .is_some_and(|id| self.connections.contains_key(&id));
                if known {
                    self.shared.counters.received.fetch_add(1, Relaxed);
                    batch.push(Event::Received { flow, bytes });
                }
            }
            StreamEvent::Closed { id, unsent } => {
                if self.remove(id) {
                    batch.extend(unsent.map(|flow| Event::Failed { flow }));
                    batch.push(Event::Closed { connection: id });
                }
            }
        }
    }

    fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.by_remote
            .insert((connection.transport, connection.remote), id);
        self.connections.insert(id, connection);
    }

    fn remove(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.remove(&id) else {
            return false;
        };
        let key = (connection.transport, connection.remote);
        if self.by_remote.get(&key) == Some(&id) {
            self.by_remote.remove(&key);
        }
        true
    }
}

#[cfg(test)]
mod tests;

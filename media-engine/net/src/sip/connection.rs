//! What all connections share: their numbers, caps, queues and ends.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use media_engine::sip::{ConnectionId, Flow, Transport};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::stream::{self, ByteStream};
use super::tls::{self, Tls};
use super::{BindError, TransportCounters, TransportsConfig};

/// Messages that may wait to be written to one connection. A peer that lets more gather does not
/// read; a busy proxy answers within a round trip.
const OUTBOX_MAX: usize = 64;

/// An open connection, as the owner holds it. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) transport: Transport,
    pub(super) remote: SocketAddr,
    pub(super) outbox: mpsc::Sender<Bytes>,
    _open: oneshot::Sender<()>,
}

/// What a connection's task tells the owner, in this order.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// A peer connected (and finished its handshakes).
    Opened {
        id: ConnectionId,
        connection: Connection,
    },
    /// One message.
    Received { flow: Flow, bytes: Bytes },
    /// The end; `unsent` is the flow to report when the connection never came about.
    Closed {
        id: ConnectionId,
        unsent: Option<Flow>,
    },
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The peer closed it, the network broke it, or we did.
    Closed,
    /// Silence, or a message that did not end.
    TimedOut,
    /// The peer does not read.
    Slow,
    /// The peer sent what is no SIP (or no WebSocket, or no TLS).
    Malformed,
}

/// What every listener and connection task holds.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: TransportsConfig,
    pub(super) tls: Tls,
    pub(super) counters: Arc<TransportCounters>,
    events: mpsc::Sender<StreamEvent>,
    next_id: AtomicU64,
    sources: Mutex<Sources>,
}

#[derive(Debug, Default)]
struct Sources {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

impl Shared {
    pub(super) fn new(
        config: TransportsConfig,
        events: mpsc::Sender<StreamEvent>,
    ) -> Result<Self, BindError> {
        if config.tls_files.is_none() {
            for (transport, listens) in
                [(Transport::Tls, &config.tls), (Transport::Wss, &config.wss)]
            {
                if !listens.is_empty() {
                    return Err(BindError::CertificateMissing(transport));
                }
            }
        }
        let tls = Tls::new(config.tls_files.clone(), config.tls_authorities.as_ref())?;
        Ok(Self {
            config,
            tls,
            counters: Arc::default(),
            events,
            next_id: AtomicU64::new(1),
            sources: Mutex::default(),
        })
    }

    /// A place among the connections, or `None` at a cap.
    pub(super) fn admit(self: &Arc<Self>, remote: SocketAddr) -> Option<Place> {
        let source = source_of(remote.ip());
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.total >= self.config.connections_max {
            return None;
        }
        let count = sources.by_source.entry(source).or_insert(0);
        if *count >= self.config.connections_per_source_max {
            return None;
        }
        *count += 1;
        sources.total += 1;
        Some(Place {
            shared: Arc::clone(self),
            source,
        })
    }

    fn number(&self) -> ConnectionId {
        ConnectionId(self.next_id.fetch_add(1, Relaxed))
    }

    fn count_end(&self, end: &End) {
        match end {
            End::Closed => {}
            End::TimedOut => drop(self.counters.timed_out.fetch_add(1, Relaxed)),
            End::Slow => drop(self.counters.slow.fetch_add(1, Relaxed)),
            End::Malformed => drop(self.counters.malformed.fetch_add(1, Relaxed)),
        }
    }
}

/// One connection counted against the caps, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    source: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sources = self
            .shared
            .sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sources.total -= 1;
        if let Some(count) = sources.by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                sources.by_source.remove(&self.source);
            }
        }
    }
}

/// Who counts as one source: an IPv4 address, an IPv6 /64 (a household has one).
fn source_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

/// What a connection's task needs besides its stream.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) link: Link,
    /// What the owner sends.
    pub(super) inbox: mpsc::Receiver<Bytes>,
}

/// The reading half's way to the owner.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) flow: Flow,
    pub(super) shared: Arc<Shared>,
    outbox: mpsc::WeakSender<Bytes>,
}

impl Link {
    /// Hands one message to the owner, waiting while the owner is behind.
    pub(super) async fn deliver(&self, bytes: Bytes) -> Result<(), End> {
        let event = StreamEvent::Received {
            flow: self.flow,
            bytes,
        };
        self.shared
            .events
            .send(event)
            .await
            .map_err(|_| End::Closed)
    }

    /// Answers a keep-alive, if there is room: a peer that does not read needs none.
    pub(super) fn answer(&self, bytes: Bytes) {
        if let Some(outbox) = self.outbox.upgrade() {
            let _ = outbox.try_send(bytes);
        }
    }
}

/// A connection as its two ends hold it.
struct Wired {
    id: ConnectionId,
    connection: Connection,
    lines: Lines,
    closed: oneshot::Receiver<()>,
}

/// Numbers a connection and makes both ends of its lines.
fn wire(shared: &Arc<Shared>, mut flow: Flow) -> Wired {
    let id = shared.number();
    flow.connection = Some(id);
    let (outbox, inbox) = mpsc::channel(OUTBOX_MAX);
    let (open, closed) = oneshot::channel();
    let link = Link {
        flow,
        shared: Arc::clone(shared),
        outbox: outbox.downgrade(),
    };
    let connection = Connection {
        transport: flow.transport,
        remote: flow.remote,
        outbox,
        _open: open,
    };
    Wired {
        id,
        connection,
        lines: Lines { link, inbox },
        closed,
    }
}

/// Announces an accepted connection and runs `drive` over it until its end.
pub(super) async fn run<F>(
    shared: Arc<Shared>,
    flow: Flow,
    place: Place,
    drive: impl FnOnce(Lines) -> F,
) where
    F: Future<Output = End>,
{
    let Wired {
        id,
        connection,
        lines,
        closed,
    } = wire(&shared, flow);
    if shared
        .events
        .send(StreamEvent::Opened { id, connection })
        .await
        .is_err()
    {
        return; // we are shutting down
    }
    let end = until_closed(closed, drive(lines)).await;
    shared.count_end(&end);
    drop(place);
    let _ = shared
        .events
        .send(StreamEvent::Closed { id, unsent: None })
        .await;
}

/// Opens a connection for `flow`; messages sent before it stands wait in its queue.
pub(super) fn open(
    shared: &Arc<Shared>,
    flow: &Flow,
    host: Option<&str>,
) -> Option<(ConnectionId, Connection)> {
    let name = match flow.transport {
        Transport::Tcp => None,
        Transport::Tls => Some(tls::server_name(host, flow.remote.ip())?),
        // A WebSocket is opened by the client, and we are none (RFC 7118 section 5).
        Transport::Udp | Transport::Ws | Transport::Wss => return None,
    };
    let place = shared.admit(flow.remote)?;
    let Wired {
        id,
        connection,
        lines,
        closed,
    } = wire(shared, *flow);
    tokio::spawn(dial(Arc::clone(shared), *flow, name, lines, closed, place));
    Some((id, connection))
}

async fn dial(
    shared: Arc<Shared>,
    flow: Flow,
    name: Option<ServerName<'static>>,
    mut lines: Lines,
    closed: oneshot::Receiver<()>,
    place: Place,
) {
    let id = lines.link.flow.connection.unwrap_or(ConnectionId(0));
    let mut connected = false;
    let drive = async {
        let (stream, local) =
            match timeout(shared.config.patience, connect(&shared, flow.remote, name)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    tracing::info!(remote = %flow.remote, %error, "no SIP connection");
                    return End::Closed;
                }
                Err(_) => return End::TimedOut,
            };
        connected = true;
        lines.link.flow.local = local;
        stream::drive(stream, lines, stream::Role::Connected).await
    };
    let end = until_closed(closed, drive).await;
    shared.count_end(&end);
    drop(place);
    let unsent = (!connected).then_some(flow);
    let _ = shared.events.send(StreamEvent::Closed { id, unsent }).await;
}

async fn connect(
    shared: &Shared,
    remote: SocketAddr,
    name: Option<ServerName<'static>>,
) -> io::Result<(ByteStream, SocketAddr)> {
    let stream = TcpStream::connect(remote).await?;
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let stream: ByteStream = match name {
        None => Box::new(stream),
        Some(name) => Box::new(
            TlsConnector::from(shared.tls.client())
                .connect(name, stream)
                .await?,
        ),
    };
    Ok((stream, local))
}

/// Runs `drive` until it ends or the owner drops the connection. A panic ends this one alone.
async fn until_closed(closed: oneshot::Receiver<()>, drive: impl Future<Output = End>) -> End {
    let drive = AssertUnwindSafe(drive).catch_unwind();
    tokio::select! {
        _ = closed => End::Closed,
        end = drive => end.unwrap_or_else(|_| {
            tracing::error!("a SIP connection's task panicked");
            End::Malformed
        }),
    }
}

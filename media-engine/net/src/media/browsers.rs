//! The one UDP port of all browsers: a thread reads it, answers checks, shakes hands, and hands on.
//!
//! ```text
//!  socket ─▶ browser::Port ─┬▶ answers and handshakes ─▶ socket
//!                           ├▶ Selected, Secured ═ commands ═▶ the leg's media thread
//!                           └▶ RTP, RTCP ═ bounded channel ═▶ the leg's media thread ─▶ socket
//! ```
//!
//! One reader rather than a connected socket for each leg on the same port: until Linux 6.13 the kernel
//! finds the socket of a datagram by walking all that share the port, so that each packet would cost
//! what all legs together cost, and between binding and connecting such a socket gets what is
//! meant for others. A media thread finds its packets in a channel and copies them, and neither waits
//! nor allocates; handshakes, which do both, are not its business.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{
    Receiver as OrderReceiver, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use media_engine::browser::{Output, Port};
use media_engine::dtls::{Fingerprint, Identity};
use media_engine::ice::agent::Credentials;
use media_engine::leg::{DATAGRAM, LegEvent, LegId};
use media_engine::sdp::browser::Pairing;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::sync::mpsc;

use super::receive::{self, Receiver};
use super::worker::Command;
use super::{COMMANDS_MAX, CommandError, MediaEvent, News, StartError};
use crate::clock::{self, Stamps};
use crate::threads;

/// What the thread looks for at least so often: orders come without a bell, and a leg that is opened
/// is not described to anybody sooner than that.
const TURN: Duration = Duration::from_millis(5);

/// Datagrams read in one turn at most, before time and orders are looked at again.
const READS_PER_TURN: usize = 512;

/// Datagrams that wait for one media thread, which takes all of them every 5 ms: those of 4,000 legs
/// that speak at once in packets of 10 ms. What comes beyond is lost, and counted.
const ARRIVALS_MAX: usize = 2_048;

/// Kernel buffer of the port: 50 ms of 2,000 browsers, as the kernel counts packets.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// What came to the port since the start.
#[derive(Debug, Default)]
pub struct BrowserMetrics {
    /// Legs that are open.
    pub legs: AtomicU64,
    /// Datagrams received, whoever sent them.
    pub received: AtomicU64,
    /// Media and handshakes from addresses that no check has proved.
    pub foreign: AtomicU64,
    /// Checks that are none, for nobody, or not signed as they must be.
    pub unsigned: AtomicU64,
    /// Media that a media thread had no room for.
    pub lost: AtomicU64,
    /// Handshakes that came to nothing.
    pub failed: AtomicU64,
}

/// One datagram on its way to a media thread.
pub(super) struct Arrival {
    pub(super) leg: LegId,
    pub(super) source: SocketAddr,
    pub(super) at: Instant,
    length: usize,
    bytes: [u8; DATAGRAM],
}

impl Arrival {
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

/// Makes the channel over which a media thread gets what comes from browsers.
pub(super) fn arrivals() -> (SyncSender<Arrival>, OrderReceiver<Arrival>) {
    sync_channel(ARRIVALS_MAX)
}

/// How the port reaches one media thread.
pub(super) struct Line {
    pub(super) commands: SyncSender<Command>,
    pub(super) arrivals: SyncSender<Arrival>,
}

/// The handle to the port.
pub(super) struct Browsers {
    orders: SyncSender<Order>,
    pub(super) socket: Arc<UdpSocket>,
    pub(super) address: SocketAddr,
    pub(super) fingerprint: Fingerprint,
    pub(super) metrics: Arc<BrowserMetrics>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

/// What the control plane asks of the port.
enum Order {
    /// A leg whose media are for this thread.
    Open(LegId, Credentials, usize),
    Pair(LegId, Box<Pairing>),
    /// The leg's media are for this thread from now on.
    Move(LegId, usize),
    Close(LegId),
    End,
}

impl Browsers {
    /// Binds the port and starts its thread.
    pub(super) fn start(
        address: SocketAddr,
        threads: Vec<Line>,
        events: mpsc::Sender<MediaEvent>,
    ) -> Result<Self, StartError> {
        let failed = |error| StartError::Browsers { address, error };
        let socket = Arc::new(bind(address).map_err(failed)?);
        receive::stamp(&socket, true).map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        let identity = identity()?;
        let (orders, receiver) = sync_channel(COMMANDS_MAX);
        let metrics = Arc::new(BrowserMetrics::default());
        let fingerprint = identity.fingerprint();
        let reader = Reader {
            socket: Arc::clone(&socket),
            is_dual: bound.is_ipv6(),
            orders: receiver,
            port: Port::new(identity),
            legs: HashMap::new(),
            threads,
            events,
            metrics: Arc::clone(&metrics),
            receiver: Receiver::new(),
        };
        let handle = thread::Builder::new()
            .name("media-browsers".to_owned())
            .spawn(move || reader.run())?;
        Ok(Self {
            orders,
            socket,
            address: bound,
            fingerprint,
            metrics,
            handle: Mutex::new(Some(handle)),
        })
    }

    pub(super) fn open(
        &self,
        leg: LegId,
        ours: Credentials,
        thread: usize,
    ) -> Result<(), CommandError> {
        self.order(Order::Open(leg, ours, thread))
    }

    pub(super) fn pair(&self, leg: LegId, pairing: Box<Pairing>) -> Result<(), CommandError> {
        self.order(Order::Pair(leg, pairing))
    }

    /// Nothing to it where the leg is no browser's.
    pub(super) fn move_over(&self, leg: LegId, thread: usize) -> Result<(), CommandError> {
        self.order(Order::Move(leg, thread))
    }

    pub(super) fn close(&self, leg: LegId) -> Result<(), CommandError> {
        self.order(Order::Close(leg))
    }

    /// Ends the thread and waits for it.
    pub(super) fn end(&self) {
        let handle = super::lock(&self.handle).take();
        let _ = self.orders.send(Order::End);
        if let Some(handle) = handle {
            let _ = handle.join(); // a panic of the thread has been printed already
        }
    }

    fn order(&self, order: Order) -> Result<(), CommandError> {
        self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => CommandError::Stuck,
        })
    }
}

/// The thread's own side.
struct Reader {
    socket: Arc<UdpSocket>,
    /// It is for both families.
    is_dual: bool,
    orders: OrderReceiver<Order>,
    port: Port,
    /// The thread that each leg's media are for.
    legs: HashMap<LegId, usize>,
    threads: Vec<Line>,
    events: mpsc::Sender<MediaEvent>,
    metrics: Arc<BrowserMetrics>,
    receiver: Receiver,
}

impl Reader {
    fn run(mut self) {
        // On the core after the last media thread's, where there is one.
        threads::run_in_real_time(self.threads.len());
        loop {
            self.wait();
            let now = clock::now();
            if !self.take_orders(now) {
                return;
            }
            self.read(now);
            self.port.handle_timeout(now);
            self.act();
            self.count();
        }
    }

    /// Until something comes, or for one turn.
    fn wait(&self) {
        let turn = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(TURN.subsec_nanos()),
        };
        let mut fds = [PollFd::new(self.socket.as_ref(), PollFlags::IN)];
        // A signal is as good as a turn.
        let _ = poll(&mut fds, Some(&turn));
    }

    /// Returns whether there will be more.
    fn take_orders(&mut self, now: Instant) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Open(leg, ours, thread)) => {
                    if self.port.open(leg, ours) {
                        self.legs.insert(leg, thread);
                    } else {
                        // One chance in 2^48: the call ends without media.
                        tracing::error!(leg = leg.0, "the name of a browser's leg is taken");
                        self.give_up(leg);
                    }
                }
                Ok(Order::Pair(leg, pairing)) => self.port.pair(now, leg, &pairing),
                Ok(Order::Move(leg, to)) => {
                    if let Some(thread) = self.legs.get_mut(&leg) {
                        *thread = to;
                    }
                }
                Ok(Order::Close(leg)) => {
                    self.port.close(leg);
                    self.legs.remove(&leg);
                }
                Err(TryRecvError::Empty) => return true,
                Ok(Order::End) | Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn read(&mut self, now: Instant) {
        let stamps = Stamps::at(now);
        for _ in 0..READS_PER_TURN {
            let Some(read) = self.receiver.receive(&self.socket, now, &stamps) else {
                return;
            };
            self.metrics.received.fetch_add(1, Relaxed);
            // A port for both families shows IPv4 as a part of IPv6.
            let source = SocketAddr::new(read.source.ip().to_canonical(), read.source.port());
            let Some(leg) = self.port.handle_datagram(now, source, read.bytes) else {
                self.act();
                continue;
            };
            let (length, fits) = (read.bytes.len(), read.bytes.len() <= DATAGRAM);
            let line = self.legs.get(&leg).and_then(|at| self.threads.get(*at));
            let Some(line) = line.filter(|_| fits) else {
                continue; // longer than any audio
            };
            let mut bytes = [0; DATAGRAM];
            bytes[..length].copy_from_slice(read.bytes);
            let arrival = Arrival {
                leg,
                source: read.source,
                at: read.arrival,
                length,
                bytes,
            };
            if line.arrivals.try_send(arrival).is_err() {
                self.metrics.lost.fetch_add(1, Relaxed);
            }
        }
    }

    /// Does what the port wants done.
    fn act(&mut self) {
        while let Some(output) = self.port.poll_output() {
            match output {
                Output::Transmit { to, bytes } => {
                    // What is lost here is asked for again.
                    let _ = self.socket.send_to(&bytes, self.reachable(to));
                }
                Output::Selected { leg, address } => {
                    let address = address.map(|address| self.reachable(address));
                    self.command(leg, Command::Select(leg, address));
                    if address.is_none() {
                        self.give_up(leg);
                    }
                }
                Output::Secured { leg, keys } => self.command(leg, Command::Secure(leg, keys)),
                Output::Failed { leg, failure } => {
                    tracing::warn!(leg = leg.0, %failure, "no media with a browser");
                    self.metrics.failed.fetch_add(1, Relaxed);
                    self.give_up(leg);
                }
            }
        }
    }

    /// How our socket names an address: one for both families sends to IPv4 as a part of IPv6. Legs know
    /// addresses by this name, too.
    fn reachable(&self, address: SocketAddr) -> SocketAddr {
        match address {
            SocketAddr::V4(v4) if self.is_dual => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
            SocketAddr::V4(_) | SocketAddr::V6(_) => address,
        }
    }

    fn command(&self, leg: LegId, command: Command) {
        let line = self.legs.get(&leg).and_then(|at| self.threads.get(*at));
        if let Some(line) = line
            && line.commands.try_send(command).is_err()
        {
            self.give_up(leg);
        }
    }

    /// Nothing will be heard of this browser: its call need not wait for it.
    fn give_up(&self, leg: LegId) {
        let news = News::Leg(LegEvent::Silent);
        let _ = self.events.try_send(MediaEvent { leg, news });
    }

    fn count(&self) {
        let (counters, metrics) = (self.port.counters(), &self.metrics);
        let unsigned = counters.unsigned + counters.malformed + counters.taken;
        metrics.legs.store(self.port.legs() as u64, Relaxed);
        metrics.foreign.store(counters.foreign, Relaxed);
        metrics.unsigned.store(unsigned, Relaxed);
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // The system may allow less.
    SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    Ok(socket.into())
}

/// A certificate that nobody has signed, of this process: its fingerprint is what counts (RFC 5763).
fn identity() -> Result<Identity, StartError> {
    let made = rcgen::generate_simple_self_signed([])?;
    let (certificate, key) = (made.cert.der().to_vec(), made.signing_key.serialize_der());
    Ok(Identity::new(certificate, key))
}

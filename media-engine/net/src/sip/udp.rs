//! Datagrams: several sockets, read in batches by the task that owns the endpoint.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use bytes::Bytes;
use media_engine::sip::{Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::{BindError, Event, TransportCounters};

/// Datagrams read from one socket in a turn.
const DATAGRAMS_PER_TURN: usize = 32;

/// The largest datagram that UDP can carry.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// Shorter than the shortest possible SIP message; phones send such datagrams to keep a NAT open.
const SIP_BYTES_MIN: usize = 20;

/// Kernel buffers of a SIP socket: a burst of some 2,000 messages while the owner is busy.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

#[derive(Debug)]
pub(super) struct UdpSockets {
    sockets: Vec<(UdpSocket, SocketAddr)>,
    buffer: Box<[u8]>,
}

impl UdpSockets {
    pub(super) async fn bind(addresses: &[SocketAddr]) -> Result<Self, BindError> {
        let mut sockets = Vec::with_capacity(addresses.len());
        for &address in addresses {
            let failed = |error| BindError::Address {
                transport: Transport::Udp,
                address,
                error,
            };
            let socket = open(address).map_err(failed)?;
            // tokio knows a socket as writable only after it was asked once.
            socket.writable().await.map_err(failed)?;
            let local = socket.local_addr().map_err(failed)?;
            sockets.push((socket, local));
        }
        Ok(Self {
            sockets,
            buffer: vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(),
        })
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().map(|(_, local)| *local)
    }

    /// Reads each socket until it is empty or its turn is over; whether all are empty (only then
    /// does the next datagram wake the task).
    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Event>,
        counters: &TransportCounters,
    ) -> bool {
        let mut empty = 0;
        for (socket, local) in &self.sockets {
            for _ in 0..DATAGRAMS_PER_TURN {
                let mut buffer = ReadBuf::new(&mut self.buffer);
                let remote = match socket.poll_recv_from(cx, &mut buffer) {
                    Poll::Pending => {
                        empty += 1;
                        break;
                    }
                    Poll::Ready(Ok(remote)) => remote,
                    // An ICMP error of an earlier datagram; the next read is a new one.
                    Poll::Ready(Err(_)) => continue,
                };
                let datagram = buffer.filled();
                if datagram.len() < SIP_BYTES_MIN {
                    counters.keep_alives.fetch_add(1, Relaxed);
                    continue;
                }
                counters.received.fetch_add(1, Relaxed);
                let flow = Flow {
                    transport: Transport::Udp,
                    local: *local,
                    remote,
                    connection: None,
                };
                // A copy of its own: a call that keeps its INVITE must not keep a whole buffer.
                batch.push(Event::Received {
                    flow,
                    bytes: Bytes::copy_from_slice(datagram),
                });
            }
        }
        empty == self.sockets.len()
    }

    /// Whether the datagram left, or may be taken to have been lost on the way.
    pub(super) fn send(&self, flow: &Flow, bytes: &Bytes, counters: &TransportCounters) -> bool {
        let Some(socket) = self.socket_for(flow) else {
            return false;
        };
        match socket.try_send_to(bytes, flow.remote) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                counters.send_buffer_full.fetch_add(1, Relaxed);
                true
            }
            Err(_) => false,
        }
    }

    fn socket_for(&self, flow: &Flow) -> Option<&UdpSocket> {
        let exact = self.sockets.iter().find(|(_, local)| *local == flow.local);
        let same_family = || {
            self.sockets
                .iter()
                .find(|(_, local)| local.is_ipv4() == flow.remote.is_ipv4())
        };
        exact.or_else(same_family).map(|(socket, _)| socket)
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // so that 0.0.0.0 and [::] can both be ours
    }
    // The kernel grants at most net.core.rmem_max; less than we ask for is no error.
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

//! Reading a media socket: one datagram, its source, and when the kernel got it.

use std::io::IoSliceMut;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recv, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;

use crate::clock::Stamps;

/// The longest datagram we look at: beyond an Ethernet frame nothing is audio. What is longer is cut
/// by the kernel, and dropped here.
pub(super) const DATAGRAM_BYTES_MAX: usize = 2048;

/// Asks the kernel to stamp what arrives, or to stop it.
///
/// A packet is read at its leg's next visit, up to 20 ms after it came; jitter estimates and the
/// jitter buffer need to know when it came. Costs 0.3 to 0.5 µs of the 5 µs that a leg's visit takes
/// on the machine this was measured on (`benches`, program `limit`), so sockets that are read at the
/// tick behind each packet do without.
pub(super) fn stamp(socket: &UdpSocket, wanted: bool) -> std::io::Result<()> {
    setsockopt(socket, sockopt::ReceiveTimestampns, &wanted)?;
    Ok(())
}

/// What one read found.
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) source: SocketAddr,
    pub(super) arrival: Instant,
}

/// Buffers of a media thread for reading, made once.
pub(super) struct Receiver {
    buffer: Box<[u8; DATAGRAM_BYTES_MAX]>,
    control: Vec<u8>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self {
            buffer: Box::new([0; DATAGRAM_BYTES_MAX]),
            control: nix::cmsg_space!(TimeSpec),
        }
    }

    /// Reads one datagram, or `None` when there is none.
    ///
    /// A datagram longer than the buffer, or with a source that is no IP address, comes as an empty
    /// one: it was read, and is nothing.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        now: Instant,
        stamps: &Stamps,
    ) -> Option<Datagram<'_>> {
        let read = loop {
            let mut slices = [IoSliceMut::new(self.buffer.as_mut_slice())];
            let flags = MsgFlags::MSG_DONTWAIT;
            let message = recvmsg::<SockaddrStorage>(
                socket.as_raw_fd(),
                &mut slices,
                Some(&mut self.control),
                flags,
            );
            match message {
                Ok(message) => {
                    let whole = !message.flags.contains(MsgFlags::MSG_TRUNC);
                    let source = message.address.as_ref().and_then(address).filter(|_| whole);
                    let arrival = message
                        .cmsgs()
                        .ok()
                        .and_then(|all| all.into_iter().find_map(stamp_of));
                    break source.map(|source| (message.bytes, source, arrival));
                }
                // ECONNREFUSED is the ICMP error of a packet that we sent; what waits is behind it.
                Err(Errno::EINTR | Errno::ECONNREFUSED) => {}
                Err(_) => return None,
            }
        };
        let nothing = (
            0,
            SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
            None,
        );
        let (length, source, arrival) = read.unwrap_or(nothing);
        // The clock moved on since the visit began; a packet never arrives after `now`.
        let arrival = arrival.map_or(now, |stamp| stamps.arrival(stamp).min(now));
        Some(Datagram {
            bytes: &mut self.buffer[..length],
            source,
            arrival,
        })
    }

    /// The same for a socket that nothing but `peer` reaches, read as soon as something has come:
    /// neither source nor stamp is asked for.
    pub(super) fn receive_of(
        &mut self,
        peer: SocketAddr,
        socket: &UdpSocket,
        now: Instant,
    ) -> Option<Datagram<'_>> {
        // With `MSG_TRUNC` the kernel tells how long the datagram was.
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let length = loop {
            match recv(socket.as_raw_fd(), self.buffer.as_mut_slice(), flags) {
                Ok(length) => break length,
                Err(Errno::EINTR | Errno::ECONNREFUSED) => {}
                Err(_) => return None,
            }
        };
        let whole = self.buffer.get_mut(..length);
        Some(Datagram {
            bytes: whole.unwrap_or_default(),
            source: peer,
            arrival: now,
        })
    }
}

fn stamp_of(message: ControlMessageOwned) -> Option<Duration> {
    if let ControlMessageOwned::ScmTimestampns(stamp) = message {
        Some(stamp.into())
    } else {
        None
    }
}

fn address(source: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = source
        .as_sockaddr_in()
        .map(|v4| SocketAddrV4::from(*v4).into());
    v4.or_else(|| {
        source
            .as_sockaddr_in6()
            .map(|v6| SocketAddrV6::from(*v6).into())
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::clock;

    /// Sends a datagram, lets it wait for 20 ms, reads it, and returns how old it is said to be.
    fn age_of_one(socket: &UdpSocket, peer: &UdpSocket, receiver: &mut Receiver) -> Duration {
        peer.send_to(b"first", socket.local_addr().expect("bound"))
            .expect("sent");
        let sent = clock::now();
        while clock::now() < sent + Duration::from_millis(20) {}
        let now = clock::now();
        let read = receiver
            .receive(socket, now, &Stamps::at(now))
            .expect("one is there");
        assert_eq!(&*read.bytes, b"first");
        assert_eq!(read.source, peer.local_addr().expect("bound"));
        let age = now - read.arrival;
        assert!(receiver.receive(socket, now, &Stamps::at(now)).is_none());
        age
    }

    #[test]
    fn a_datagram_comes_with_its_source_and_the_time_it_arrived() {
        for local in [
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            (Ipv6Addr::LOCALHOST, 0).into(),
        ] {
            let Ok(socket) = UdpSocket::bind(local) else {
                continue;
            }; // no IPv6 here
            stamp(&socket, true).expect("Linux stamps");
            let peer = UdpSocket::bind(local).expect("free");
            let mut receiver = Receiver::new();
            // The kernel begins to stamp a moment after it was asked to, and until then takes the
            // time of the read.
            let stamped = Duration::from_millis(19);
            let seen = (0..100).any(|_| age_of_one(&socket, &peer, &mut receiver) >= stamped);
            assert!(seen, "never stamped on arrival");
        }
    }

    #[test]
    fn a_datagram_longer_than_audio_can_be_is_read_as_nothing() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
        peer.send_to(&[0x80; 3000], socket.local_addr().expect("bound"))
            .expect("sent");
        let now = clock::now();
        let mut receiver = Receiver::new();
        let read = receiver
            .receive(&socket, now, &Stamps::at(now))
            .expect("one is there");
        assert!(read.bytes.is_empty());
    }

    #[test]
    fn of_a_connected_socket_the_same_is_read() {
        let [socket, peer, stranger] =
            [(); 3].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free"));
        let [to, from] = [&socket, &peer].map(|one| one.local_addr().expect("bound"));
        socket.connect(from).expect("connected");
        let (now, mut receiver) = (clock::now(), Receiver::new());
        for (sender, bytes) in [(&peer, 100), (&stranger, 100), (&peer, 3_000)] {
            sender.send_to(&vec![7; bytes], to).expect("sent");
        }
        let mut lengths = vec![];
        while let Some(read) = receiver.receive_of(from, &socket, now) {
            assert_eq!((read.source, read.arrival), (from, now));
            lengths.push(read.bytes.len());
        }
        assert_eq!(lengths, [100, 0]);
    }
}

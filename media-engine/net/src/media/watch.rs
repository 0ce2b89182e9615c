//! Sockets whose packets are relayed: watched, so that what comes passes on at the next tick.
//!
//! A leg is visited every 20 ms, and the other party would hear that as delay. Reading every relayed
//! socket at every tick would find nothing seven times in eight, at a tenth of a visit each. The kernel
//! keeps a list of the sockets that have something, and one call returns it.

use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;

use rustix::event::{Timespec, epoll};

/// Sockets told of in one call; more wait for the next.
const READY_MAX: usize = 1024;

/// The sockets of one thread that are watched.
pub(super) struct Watch {
    list: OwnedFd,
    ready: Vec<epoll::Event>,
    watched: usize,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            list: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            ready: Vec::with_capacity(READY_MAX),
            watched: 0,
        })
    }

    /// How many are watched.
    pub(super) fn watched(&self) -> usize {
        self.watched
    }

    /// Watches a socket under this number. False if the system refuses: it is then read as others are.
    pub(super) fn add(&mut self, socket: &UdpSocket, number: usize) -> bool {
        // Told of once for each datagram, so that who reads one and leaves it at that is not told again.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(number as u64);
        let added = epoll::add(&self.list, socket, data, flags).is_ok();
        self.watched += usize::from(added);
        added
    }

    /// Watches a socket no longer.
    pub(super) fn remove(&mut self, socket: &UdpSocket) {
        // Fails only for one that is not in the list.
        if epoll::delete(&self.list, socket).is_ok() {
            self.watched -= 1;
        }
    }

    /// Looks which have something to read, each by its number, and returns how many.
    pub(super) fn look(&mut self) -> usize {
        self.ready.clear();
        if self.watched == 0 {
            return 0;
        }
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let room = rustix::buffer::spare_capacity(&mut self.ready);
        // A signal came: the next tick looks again.
        let _ = epoll::wait(&self.list, room, Some(&at_once));
        self.ready.len()
    }

    /// One of those that were found.
    pub(super) fn ready(&self, at: usize) -> Option<usize> {
        let number = self.ready.get(at)?.data.u64();
        usize::try_from(number).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_socket_is_told_of_when_something_comes() {
        let mut watch = Watch::new().expect("epoll");
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
        assert!(watch.add(&socket, 7));
        assert_eq!(watch.look(), 0);
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
        for _ in 0..2 {
            peer.send_to(b"x", socket.local_addr().expect("bound"))
                .expect("sent");
            assert_eq!((watch.look(), watch.ready(0)), (1, Some(7)));
            assert_eq!((watch.look(), watch.ready(0)), (0, None));
        }
        peer.send_to(b"x", socket.local_addr().expect("bound"))
            .expect("sent");
        watch.remove(&socket);
        assert_eq!((watch.look(), watch.watched()), (0, 0));
    }
}

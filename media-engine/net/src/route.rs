//! Which of our addresses a peer is reached from.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long an answer is believed. A laptop that changes its network is right again within this.
const FRESH: Duration = Duration::from_secs(1);

/// Peers whose answer is kept; carriers are few, and softphones call rarely.
const KEPT_MAX: usize = 256;

/// The system's routes, each asked for once a second at most: a carrier that sends a thousand calls
/// a second has one.
#[derive(Debug, Default)]
pub struct Routes {
    known: HashMap<IpAddr, (Instant, IpAddr)>,
}

impl Routes {
    /// As [`local_address`].
    ///
    /// # Errors
    ///
    /// When there is no route to `peer`.
    pub fn local_address(&mut self, now: Instant, peer: IpAddr) -> io::Result<IpAddr> {
        if let Some((asked, local)) = self.known.get(&peer)
            && now.saturating_duration_since(*asked) < FRESH
        {
            return Ok(*local);
        }
        let local = local_address(peer)?;
        if self.known.len() >= KEPT_MAX {
            self.known.clear();
        }
        self.known.insert(peer, (now, local));
        Ok(local)
    }
}

/// The local address that packets to `peer` leave from, by the system's routes. Nothing is sent.
///
/// # Errors
///
/// When there is no route to `peer`.
pub fn local_address(peer: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    // The port does not matter: connecting a datagram socket only asks for the route.
    socket.connect(SocketAddr::new(peer, 9))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_from_itself() {
        let mut routes = Routes::default();
        let now = crate::clock::now();
        for _ in 0..2 {
            let address = routes.local_address(now, Ipv4Addr::LOCALHOST.into());
            assert!(address.expect("a route").is_loopback());
        }
        assert_eq!(routes.known.len(), 1);
    }

    #[test]
    fn an_answer_is_believed_for_a_moment_only() {
        let (peer, wrong) = (
            Ipv4Addr::LOCALHOST.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        );
        let now = crate::clock::now();
        let mut routes = Routes::default();
        routes.known.insert(peer, (now, wrong));
        let just_before = now + FRESH - Duration::from_millis(1);
        assert_eq!(routes.local_address(just_before, peer).ok(), Some(wrong));
        assert_ne!(routes.local_address(now + FRESH, peer).ok(), Some(wrong));
    }

    #[test]
    fn peers_that_are_kept_are_bounded() {
        let mut routes = Routes::default();
        let now = crate::clock::now();
        for last in 0..=u8::MAX {
            for net in 0..2 {
                let peer = Ipv4Addr::new(127, 0, net, last);
                let _ = routes.local_address(now, peer.into());
            }
        }
        assert!(routes.known.len() <= KEPT_MAX);
    }
}

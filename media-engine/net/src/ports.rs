//! RTP port pairs out of a configured range (RFC 3550 section 11: RTP even, RTCP the next odd one).

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::SmallRng;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// How long a pair rests after its call: the old peer may still be sending, and a new caller should
/// not even be offered it. When no other pair is left, the one that has rested longest is given all
/// the same: a leg takes packets of its own peer only, and a refused call is worse.
pub const REUSE_DELAY: Duration = Duration::from_secs(10);

/// How many pairs one request tries: other programs may sit on ports of our range.
const ATTEMPTS_MAX: usize = 64;

/// Kernel buffer of one media socket: a second of 20 ms packets as the kernel counts them (about
/// 1 KiB each), so that a late thread finds all of them and a flood finds little room.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// Why there is no port pair.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Every pair of the range is in a call or somebody else's. Calls are refused with 503.
    #[error("all {pairs} RTP port pairs are in use")]
    Exhausted {
        /// How many pairs the range has.
        pairs: usize,
    },
    /// The process may open no more files, or the address is not ours.
    #[error("cannot bind an RTP socket on {address}: {error}")]
    Bind {
        /// Where binding failed.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The configuration holds no pair.
    #[error("the RTP port range {from}-{to} holds no even port followed by an odd one")]
    EmptyRange {
        /// The first port of the range.
        from: u16,
        /// The last port of the range.
        to: u16,
    },
}

/// The sockets of one leg.
#[derive(Debug)]
pub struct MediaSockets {
    /// RTP; RTCP as well when the peer multiplexes (RFC 5761).
    pub rtp: UdpSocket,
    /// RTCP, on the port above.
    pub rtcp: UdpSocket,
    /// The address of `rtp`.
    pub address: SocketAddr,
}

/// Hands out port pairs.
///
/// Both ports are always bound, as it is not known before the answer whether the peer multiplexes
/// RTCP, and a neighbour pair must not be given away twice. The order starts at random and goes
/// round, so a pair is reused as late as possible and not guessed from the last one's number alone.
#[derive(Debug)]
pub struct Ports {
    first: u16,
    pairs: Vec<Pair>,
    cursor: usize,
    resting: VecDeque<(Instant, usize)>,
    in_use: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    Free,
    InUse,
    /// Closed, and not yet given again.
    Resting,
}

impl Ports {
    /// A pool over `range`.
    pub fn new(range: RangeInclusive<u16>, random: &mut SmallRng) -> Result<Self, PortError> {
        let (from, to) = (*range.start(), *range.end());
        let first = from
            .checked_add(from % 2)
            .filter(|first| *first > 0 && *first < to);
        let Some(first) = first else {
            return Err(PortError::EmptyRange { from, to });
        };
        let pairs = (usize::from(to) - usize::from(first)).div_ceil(2);
        Ok(Self {
            first,
            pairs: vec![Pair::Free; pairs],
            cursor: random.random_range(0..pairs),
            resting: VecDeque::with_capacity(pairs),
            in_use: 0,
        })
    }

    /// Binds a free pair on `ip`, or the one that has rested longest.
    pub fn open(&mut self, now: Instant, ip: IpAddr) -> Result<MediaSockets, PortError> {
        self.wake(now);
        for _ in 0..ATTEMPTS_MAX {
            let Some(at) = self.next_free().or_else(|| self.next_rested()) else {
                break;
            };
            match self.bind(at, ip) {
                Ok(sockets) => {
                    self.pairs[at] = Pair::InUse;
                    self.in_use += 1;
                    return Ok(sockets);
                }
                // Somebody else's port: try the next, and this one again when it is its turn.
                Err(PortError::Bind { error, .. }) if error.kind() == io::ErrorKind::AddrInUse => {
                    self.rest(now, at);
                }
                Err(error) => return Err(error),
            }
        }
        let pairs = self.pairs.len();
        Err(PortError::Exhausted { pairs })
    }

    /// Takes back the pair whose RTP port is `port`; its sockets are closed already.
    pub fn close(&mut self, now: Instant, port: u16) {
        let Some(at) = port
            .checked_sub(self.first)
            .map(|above| usize::from(above / 2))
        else {
            return;
        };
        if self.pairs.get(at) == Some(&Pair::InUse) {
            self.in_use -= 1;
            self.rest(now, at);
        }
    }

    /// How many pairs are in calls.
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// How many pairs the range holds.
    pub fn capacity(&self) -> usize {
        self.pairs.len()
    }

    fn rest(&mut self, now: Instant, at: usize) {
        self.pairs[at] = Pair::Resting;
        self.resting.push_back((now + REUSE_DELAY, at));
    }

    /// The next free pair in the round.
    fn next_free(&mut self) -> Option<usize> {
        let pairs = self.pairs.len();
        if self.in_use + self.resting.len() >= pairs {
            return None;
        }
        for _ in 0..pairs {
            let at = self.cursor;
            self.cursor = (at + 1) % pairs;
            if self.pairs[at] == Pair::Free {
                return Some(at);
            }
        }
        None
    }

    fn next_rested(&mut self) -> Option<usize> {
        let (_, at) = self.resting.pop_front()?;
        self.pairs[at] = Pair::Free;
        Some(at)
    }

    fn wake(&mut self, now: Instant) {
        while let Some((until, at)) = self.resting.front().copied() {
            if until > now {
                break;
            }
            self.resting.pop_front();
            self.pairs[at] = Pair::Free;
        }
    }

    fn bind(&self, at: usize, ip: IpAddr) -> Result<MediaSockets, PortError> {
        let offset = u16::try_from(at * 2).unwrap_or(u16::MAX);
        let port = self.first.saturating_add(offset);
        let address = SocketAddr::new(ip, port);
        let above = SocketAddr::new(ip, port.saturating_add(1));
        let rtp = bind_media(address).map_err(|error| PortError::Bind { address, error })?;
        let rtcp = bind_media(above).map_err(|error| PortError::Bind {
            address: above,
            error,
        })?;
        Ok(MediaSockets { rtp, rtcp, address })
    }
}

fn bind_media(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, Ipv6Addr};

    use rand::SeedableRng;

    use super::*;

    /// An address of its own for each test, so that no two of them meet on a port.
    fn loopback(last: u8) -> IpAddr {
        Ipv4Addr::new(127, 77, 0, last).into()
    }

    fn pool(range: RangeInclusive<u16>) -> Ports {
        Ports::new(range, &mut SmallRng::seed_from_u64(7)).expect("range")
    }

    #[test]
    fn a_range_gives_each_even_port_once_and_then_says_it_is_exhausted() {
        let mut ports = pool(40_001..=40_010); // 40,002 to 40,009: four pairs; 40,010 has no odd above
        let now = crate::clock::now();
        let open: Vec<_> = (0..4)
            .map(|_| ports.open(now, loopback(1)).expect("free"))
            .collect();
        let numbers: HashSet<u16> = open.iter().map(|pair| pair.address.port()).collect();
        assert_eq!(numbers, HashSet::from([40_002, 40_004, 40_006, 40_008]));
        for pair in &open {
            let above = pair.rtcp.local_addr().expect("bound").port();
            assert_eq!(above, pair.address.port() + 1);
        }
        let refused = ports.open(now, loopback(1));
        assert!(
            matches!(refused, Err(PortError::Exhausted { pairs: 4 })),
            "{refused:?}"
        );
    }

    #[test]
    fn a_closed_pair_rests_while_there_is_another() {
        let mut ports = pool(40_020..=40_025);
        let now = crate::clock::now();
        let mut open = || ports.open(now, loopback(2)).expect("free");
        let (first, second) = (open(), open());
        let (one, two) = (first.address.port(), second.address.port());
        drop((first, second));
        for port in [two, one, one] {
            ports.close(now, port); // twice changes nothing
        }
        assert_eq!((ports.in_use(), ports.capacity()), (0, 3));
        let mut next = || ports.open(now, loopback(2)).expect("free").address.port();
        let fresh = next();
        assert!(fresh != one && fresh != two);
        assert_eq!(next(), two, "the one that has rested longest");
        assert_eq!(next(), one);
        assert!(ports.open(now, loopback(2)).is_err());
    }

    #[test]
    fn a_rested_pair_is_free_again() {
        let mut ports = pool(40_026..=40_029);
        let now = crate::clock::now();
        let port = ports.open(now, loopback(2)).expect("free").address.port();
        ports.close(now, port);
        let later = now + REUSE_DELAY;
        let open: HashSet<u16> = (0..2)
            .map(|_| ports.open(later, loopback(2)).expect("free").address.port())
            .collect();
        assert_eq!(open, HashSet::from([40_026, 40_028]));
    }

    #[test]
    fn a_port_that_somebody_else_holds_is_passed_over() {
        let squatter = UdpSocket::bind(SocketAddr::new(loopback(3), 40_031)).expect("free");
        let mut ports = pool(40_030..=40_033);
        let pair = ports
            .open(crate::clock::now(), loopback(3))
            .expect("the other pair");
        assert_eq!(pair.address.port(), 40_032);
        drop(squatter);
    }

    #[test]
    fn a_port_that_somebody_else_holds_is_in_nobodys_way() {
        let squatter = UdpSocket::bind(SocketAddr::new(loopback(3), 40_034)).expect("free");
        let mut ports = pool(40_034..=40_037);
        let now = crate::clock::now();
        for _ in 0..200 {
            let pair = ports.open(now, loopback(3)).expect("the other pair");
            let port = pair.address.port();
            assert_eq!(port, 40_036);
            drop(pair);
            ports.close(now, port);
        }
        drop(squatter);
    }

    #[test]
    fn an_address_that_is_not_ours_is_named_in_the_error() {
        let foreign = Ipv4Addr::new(192, 0, 2, 1);
        let error = pool(40_040..=40_049)
            .open(crate::clock::now(), foreign.into())
            .expect_err("refused");
        assert!(error.to_string().contains("192.0.2.1"), "{error}");
    }

    #[test]
    fn ipv6_pairs_bind_where_there_is_ipv6() {
        if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
            return; // a machine without IPv6
        }
        let pair = pool(40_050..=40_059).open(crate::clock::now(), Ipv6Addr::LOCALHOST.into());
        assert!(pair.expect("free").address.is_ipv6());
    }

    #[test]
    fn a_range_without_a_pair_is_refused() {
        for range in [5001..=5001, 5001..=5002, 0..=1, u16::MAX..=u16::MAX] {
            let refused = Ports::new(range, &mut SmallRng::seed_from_u64(1));
            assert!(
                matches!(refused, Err(PortError::EmptyRange { .. })),
                "{refused:?}"
            );
        }
    }
}

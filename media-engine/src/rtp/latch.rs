//! Whose packets are taken, and where ours go: symmetric RTP (RFC 4961) without the RTP bleed.
//!
//! ```text
//!            the address of the SDP sends                        it sends again
//!  Waiting ───────────────────────────────────────▶ Settled ◀────────────────┐
//!     │       an allowed host sends from elsewhere     │  nobody else is heard │
//!     └──────────── CANDIDATE_PACKETS in a row ───────┘                       │
//!        only within LEARNING_WINDOW                    (the SDP's address always wins)
//! ```
//!
//! A telephone behind NAT writes an address into its SDP that it does not send from. So for a short
//! while a source that the SDP did not name may prove itself, but only from a host that signalling
//! vouches for, only while the named address is silent, and only once. What is not taken is counted
//! and never answered: we send to the SDP's address until a source has settled.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Decides for each datagram whether its source is our peer.
#[derive(Debug)]
pub struct Latch {
    named: Option<SocketAddr>,
    host: Option<IpAddr>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody has settled. A candidate may be on its way to.
    Waiting {
        until: Instant,
        candidate: Option<Candidate>,
    },
    /// This source is the peer.
    Settled { source: SocketAddr },
}

#[derive(Debug)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    next_sequence: u16,
    packets: u8,
    heard: Instant,
}

/// What [`Latch::admit`] decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// From our peer.
    Peer,
    /// From our peer, and with this packet the source has settled: from here on we send to it.
    Settled,
    /// From somebody else, or from a candidate that has not proved itself: drop and count.
    Foreign,
}

impl Latch {
    /// Starts to learn. `named` is the address of the peer's SDP, `host` another address that
    /// packets may come from: the one that signalling came from (a telephone behind NAT).
    #[must_use]
    pub fn new(now: Instant, named: Option<SocketAddr>, host: Option<IpAddr>) -> Self {
        Self {
            named,
            host,
            state: State::waiting(now),
        }
    }

    /// Takes a new SDP. A settled source stays if neither address changed (a mere hold), else
    /// learning starts again.
    pub fn rename(&mut self, now: Instant, named: Option<SocketAddr>, host: Option<IpAddr>) {
        if (self.named, self.host) != (named, host) {
            *self = Self::new(now, named, host);
        }
    }

    /// Somebody who knows says where the peer is: nobody else can be learnt, not even from its host.
    /// With `None` it is nowhere.
    #[must_use]
    pub fn known(now: Instant, named: Option<SocketAddr>) -> Self {
        Self {
            named,
            host: None,
            state: State::Waiting {
                until: now,
                candidate: None,
            },
        }
    }

    /// Where to send: the settled source, else the SDP's address if it can be sent to.
    #[must_use]
    #[inline]
    pub fn destination(&self) -> Option<SocketAddr> {
        match self.state {
            State::Settled { source } => Some(source),
            State::Waiting { .. } => self.named.filter(is_destination),
        }
    }

    /// The source that has settled.
    #[must_use]
    pub fn settled(&self) -> Option<SocketAddr> {
        match self.state {
            State::Settled { source } => Some(source),
            State::Waiting { .. } => None,
        }
    }

    /// The source that has settled, if nobody else can be heard any more before the next SDP: it is
    /// the one that the SDP names.
    #[must_use]
    #[inline]
    pub fn only_source(&self) -> Option<SocketAddr> {
        self.settled().filter(|source| self.named == Some(*source))
    }

    /// Whether a datagram from `source` would be our peer's. Decides nothing: for what carries no
    /// sequence to prove itself by.
    #[must_use]
    #[inline]
    pub fn is_peer(&self, source: SocketAddr) -> bool {
        self.named == Some(source) || self.settled() == Some(source)
    }

    /// Whether a packet from `source` could be admitted at all: asked before it is worked on.
    #[must_use]
    #[inline]
    pub fn is_possible(&self, now: Instant, source: SocketAddr) -> bool {
        match self.state {
            State::Settled { source: settled } => settled == source || self.named == Some(source),
            State::Waiting { until, .. } => {
                self.named == Some(source) || (now < until && self.is_vouched(source.ip()))
            }
        }
    }

    /// Whether `host` may send us RTCP: the peer's host, whatever the port (NAT moves it).
    #[must_use]
    pub fn is_peer_host(&self, host: IpAddr) -> bool {
        match self.state {
            State::Settled { source } => source.ip() == host,
            State::Waiting { .. } => self.named.is_some_and(|named| named.ip() == host),
        }
    }

    /// Takes notice of an RTP packet (its authentication, if any, has passed).
    #[inline]
    pub fn admit(
        &mut self,
        now: Instant,
        source: SocketAddr,
        ssrc: u32,
        sequence: u16,
    ) -> Admission {
        if let State::Settled { source: settled } = self.state {
            if settled == source {
                return Admission::Peer;
            }
            // A source that had to be learnt yields to the one that the SDP names.
            if self.named == Some(source) {
                self.state = State::Settled { source };
                return Admission::Settled;
            }
            return Admission::Foreign;
        }
        self.prove(now, source, ssrc, sequence)
    }

    fn is_vouched(&self, host: IpAddr) -> bool {
        self.named.is_some_and(|named| named.ip() == host) || self.host == Some(host)
    }

    fn prove(&mut self, now: Instant, source: SocketAddr, ssrc: u32, sequence: u16) -> Admission {
        if self.named == Some(source) {
            self.state = State::Settled { source };
            return Admission::Settled;
        }
        let vouched = self.is_vouched(source.ip());
        let State::Waiting { until, candidate } = &mut self.state else {
            return Admission::Foreign;
        };
        if !vouched || now >= *until || !is_destination(&source) {
            return Admission::Foreign;
        }
        let next_sequence = sequence.wrapping_add(1);
        let fresh = Candidate {
            source,
            ssrc,
            next_sequence,
            packets: 1,
            heard: now,
        };
        match candidate {
            Some(held) if held.source == source && held.ssrc == ssrc => {
                let step = sequence.wrapping_sub(held.next_sequence);
                if step < CANDIDATE_GAP_MAX {
                    let packets = held.packets + 1;
                    *held = Candidate { packets, ..fresh };
                } else if step < u16::MAX - CANDIDATE_GAP_MAX {
                    *held = fresh; // numbers that jump prove nothing
                } // else late or doubled: neither helps nor hurts
                if held.packets < CANDIDATE_PACKETS {
                    return Admission::Foreign;
                }
                self.state = State::Settled { source };
                Admission::Settled
            }
            // Two strangers at once: the first keeps its place while it speaks.
            Some(held) if held.source != source && now < held.heard + CANDIDATE_PATIENCE => {
                Admission::Foreign
            }
            Some(_) | None => {
                *candidate = Some(fresh);
                Admission::Foreign
            }
        }
    }
}

impl State {
    fn waiting(now: Instant) -> Self {
        Self::Waiting {
            until: now + LEARNING_WINDOW,
            candidate: None,
        }
    }
}

/// Whether RTP may be sent there at all: no port 0, no multicast, no broadcast, no unspecified
/// address, so that an SDP cannot make a reflector of us.
#[must_use]
pub fn is_destination(address: &SocketAddr) -> bool {
    let host_is_good = match address.ip() {
        IpAddr::V4(host) => !host.is_unspecified() && !host.is_multicast() && !host.is_broadcast(),
        IpAddr::V6(host) => !host.is_unspecified() && !host.is_multicast(),
    };
    host_is_good && address.port() != 0
}

/// How long after an SDP a source may be learnt: a telephone sends within a second of the answer, and
/// one that rings through early media gets a new window with the answer's SDP.
pub const LEARNING_WINDOW: Duration = Duration::from_secs(15);

/// Packets in a row that make a candidate the peer: 80 ms, in which the SDP's own address would have
/// spoken up. More would cost the caller's first syllable.
const CANDIDATE_PACKETS: u8 = 4;

/// How long a silent candidate blocks another one: three packets of the longest packet time.
const CANDIDATE_PATIENCE: Duration = Duration::from_millis(180);

/// Packets that may be lost between two of a candidate.
const CANDIDATE_GAP_MAX: u16 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: &str = "192.0.2.1:4000";
    const ELSEWHERE: &str = "192.0.2.1:4444";
    const NAT: &str = "198.51.100.9:61000";
    const STRANGER: &str = "203.0.113.66:4000";

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn latch() -> (Instant, Latch) {
        let start = crate::rtp::origin();
        (
            start,
            Latch::new(start, Some(at(NAMED)), Some(at(NAT).ip())),
        )
    }

    #[test]
    fn the_address_of_the_sdp_settles_with_its_first_packet() {
        let (start, mut latch) = latch();
        assert_eq!(latch.destination(), Some(at(NAMED)));
        assert_eq!(latch.only_source(), None);
        assert_eq!(latch.admit(start, at(NAMED), 1, 9), Admission::Settled);
        assert_eq!(latch.only_source(), Some(at(NAMED)));
        assert_eq!(latch.admit(start, at(NAMED), 1, 10), Admission::Peer);
        assert_eq!(latch.admit(start, at(ELSEWHERE), 1, 11), Admission::Foreign);
    }

    #[test]
    fn a_telephone_behind_nat_settles_with_its_fourth_packet_and_is_then_the_only_one() {
        let (start, mut latch) = latch();
        for sequence in 0..3 {
            assert_eq!(latch.admit(start, at(NAT), 1, sequence), Admission::Foreign);
            assert_eq!(latch.destination(), Some(at(NAMED)));
        }
        assert_eq!(latch.admit(start, at(NAT), 1, 3), Admission::Settled);
        assert_eq!(latch.destination(), Some(at(NAT)));
        assert_eq!(latch.only_source(), None, "the SDP's address would win");
        for sequence in 0..100 {
            assert_eq!(
                latch.admit(start, at(ELSEWHERE), 1, sequence),
                Admission::Foreign
            );
        }
    }

    #[test]
    fn a_host_that_nobody_vouches_for_never_settles() {
        let (start, mut latch) = latch();
        for sequence in 0..1_000 {
            assert_eq!(
                latch.admit(start, at(STRANGER), 1, sequence),
                Admission::Foreign
            );
        }
        assert_eq!(latch.destination(), Some(at(NAMED)));
    }

    #[test]
    fn nothing_is_learnt_after_the_window() {
        let (start, mut latch) = latch();
        let late = start + LEARNING_WINDOW;
        for sequence in 0..10 {
            assert_eq!(latch.admit(late, at(NAT), 1, sequence), Admission::Foreign);
        }
        assert_eq!(
            latch.admit(late, at(NAMED), 1, 0),
            Admission::Settled,
            "the SDP's may come late"
        );
    }

    #[test]
    fn a_known_address_is_the_only_one_from_the_start() {
        let start = crate::rtp::origin();
        let mut latch = Latch::known(start, Some(at(NAMED)));
        assert_eq!(latch.destination(), Some(at(NAMED)));
        for sequence in 0..10 {
            assert!(!latch.is_possible(start, at(ELSEWHERE)));
            let admission = latch.admit(start, at(ELSEWHERE), 1, sequence);
            assert_eq!(admission, Admission::Foreign);
        }
        assert_eq!(latch.admit(start, at(NAMED), 1, 9), Admission::Settled);
        assert_eq!(Latch::known(start, None).destination(), None);
    }

    #[test]
    fn guessed_sequence_numbers_do_not_add_up() {
        let (start, mut latch) = latch();
        for turn in 0..1_000_u16 {
            let sequence = turn.wrapping_mul(7_919);
            assert_eq!(
                latch.admit(start, at(NAT), 1, sequence),
                Admission::Foreign,
                "{turn}"
            );
        }
    }

    #[test]
    fn the_sdp_address_wins_back_from_a_learnt_one() {
        let (start, mut latch) = latch();
        for sequence in 0..4 {
            latch.admit(start, at(ELSEWHERE), 1, sequence);
        }
        assert_eq!(latch.settled(), Some(at(ELSEWHERE)));
        assert_eq!(latch.admit(start, at(NAMED), 2, 0), Admission::Settled);
        assert_eq!(latch.admit(start, at(ELSEWHERE), 1, 5), Admission::Foreign);
    }

    #[test]
    fn a_hold_keeps_the_settled_source_and_a_new_address_does_not() {
        let (start, mut latch) = latch();
        latch.admit(start, at(NAMED), 1, 0);
        latch.rename(start, Some(at(NAMED)), Some(at(NAT).ip()));
        assert_eq!(latch.settled(), Some(at(NAMED)));
        latch.rename(start, Some(at(ELSEWHERE)), Some(at(NAT).ip()));
        assert_eq!(latch.settled(), None);
        assert_eq!(latch.destination(), Some(at(ELSEWHERE)));
    }

    #[test]
    fn multicast_broadcast_and_port_zero_are_no_destinations() {
        let refused = [
            "224.0.0.1:4000",
            "255.255.255.255:4000",
            "0.0.0.0:4000",
            "192.0.2.1:0",
            "[ff02::1]:4000",
            "[::]:4000",
        ];
        for address in refused {
            assert!(!is_destination(&at(address)), "{address}");
        }
        assert!(is_destination(&at("127.0.0.1:4000")));
        assert!(is_destination(&at("[2001:db8::1]:4000")));
    }
}

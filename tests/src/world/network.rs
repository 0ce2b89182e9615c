//! What the network does to what is sent.

use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;

/// How bad the ways between two places are, for one kind of packet.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Packets of a thousand that never arrive.
    pub loss_permille: u32,
    /// Packets of a thousand that arrive twice.
    pub duplicate_permille: u32,
    /// The longest a packet is under way. Each takes its own time, so that they overtake each other.
    pub delay_max: Duration,
}

impl Network {
    /// Nothing is lost, doubled or late.
    pub const GOOD: Self = Self {
        loss_permille: 0,
        duplicate_permille: 0,
        delay_max: Duration::from_millis(1),
    };

    /// How long each copy of one packet is under way.
    pub(super) fn copies(self, random: &mut StdRng) -> [Option<Duration>; 2] {
        let copy = |random: &mut StdRng, wanted: bool| {
            let lost = random.random_range(0..1000) < self.loss_permille;
            let micros = u64::try_from(self.delay_max.as_micros()).unwrap_or(u64::MAX);
            let delay = Duration::from_micros(random.random_range(0..=micros));
            (wanted && !lost).then_some(delay)
        };
        let doubled = random.random_range(0..1000) < self.duplicate_permille;
        [copy(random, true), copy(random, doubled)]
    }
}

/// What stops getting through between Ramal and one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Everything: a cable was pulled.
    All,
    /// The ACKs of the peer: a firewall that knows half of SIP.
    Acks,
}

/// A time in which something does not get through.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// The peer.
    pub peer: usize,
    /// What does not get through.
    pub missing: Missing,
    /// How long after the beginning it begins.
    pub from: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Outage {
    /// Whether this datagram of SIP, or of media without `sip`, is swallowed.
    pub(super) fn swallows(
        &self,
        start: Instant,
        now: Instant,
        peer: usize,
        sip: Option<&[u8]>,
    ) -> bool {
        let begins = start + self.from;
        let is_on = begins <= now && now < begins + self.lasts;
        is_on
            && peer == self.peer
            && match self.missing {
                Missing::All => true,
                Missing::Acks => sip.is_some_and(|bytes| bytes.starts_with(b"ACK ")),
            }
    }
}

//! How late packets come, and so how long audio must be held back.

use std::time::{Duration, Instant};

/// Learns the distribution of delays beyond the fastest packet's.
///
/// Each packet's transit (arrival minus timestamp) is compared with the least of the last seconds,
/// which follows the drift of the sender's clock. The differences fill a histogram that forgets; the
/// delay that all but one in a hundred packets keep is the target.
#[derive(Debug)]
pub(super) struct Delay {
    clock: u32,
    epoch: Instant,
    /// Least transit of the window before, and of the present one (nanoseconds).
    floor: Floor,
    shares: [f32; BUCKETS],
    packets: u32,
    target: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    before: Option<i64>,
    present: Option<i64>,
    since: i64,
}

impl Delay {
    pub(super) fn new(now: Instant, clock: u32) -> Self {
        Self {
            clock,
            epoch: now,
            floor: Floor::default(),
            shares: [0.0; BUCKETS],
            packets: 0,
            target: TARGET_FIRST,
        }
    }

    /// Forgets the transit, not its spread: the stream's timestamps began anew.
    pub(super) fn rebase(&mut self) {
        self.floor = Floor::default();
    }

    /// The same way, counted in another clock.
    pub(super) fn set_clock(&mut self, clock: u32) {
        self.clock = clock;
        self.rebase();
    }

    /// How long after the fastest possible arrival audio should be played.
    pub(super) fn target(&self) -> Duration {
        self.target
    }

    /// Takes notice of a packet with this extended timestamp.
    pub(super) fn note(&mut self, arrival: Instant, timestamp: i64) {
        let at = self.nanoseconds(arrival);
        let transit = at - self.sent(timestamp);
        if at - self.floor.since > WINDOW {
            self.floor = Floor {
                before: self.floor.present,
                present: None,
                since: at,
            };
        }
        let present = self
            .floor
            .present
            .map_or(transit, |least| least.min(transit));
        self.floor.present = Some(present);
        let beyond = transit
            - self
                .floor
                .before
                .map_or(present, |before| before.min(present));
        self.learn(beyond);
    }

    /// The delay at which audio of this extended timestamp would be played if it were played `now`:
    /// zero is the arrival of the fastest packet. Negative if it cannot have come yet.
    pub(super) fn at(&self, now: Instant, timestamp: i64) -> i64 {
        let least = match (self.floor.before, self.floor.present) {
            (Some(before), Some(present)) => before.min(present),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return 0,
        };
        self.nanoseconds(now) - self.sent(timestamp) - least
    }

    fn learn(&mut self, beyond: i64) {
        let bucket = usize::try_from(beyond / BUCKET)
            .unwrap_or(0)
            .min(BUCKETS - 1);
        self.packets = self.packets.saturating_add(1);
        // A plain mean at first, then one that forgets.
        let weight = MEMORY.min(self.packets);
        #[allow(clippy::cast_precision_loss)] // at most MEMORY
        let fresh = 1.0 / weight as f32;
        for share in &mut self.shares {
            *share *= 1.0 - fresh;
        }
        self.shares[bucket] += fresh;
        if self.packets >= PACKETS_MIN {
            self.target = self.quantile();
        }
    }

    fn quantile(&self) -> Duration {
        let mut beyond = 1.0;
        let mut delay = 0;
        for share in self.shares {
            beyond -= share;
            delay += BUCKET;
            if beyond <= LATE_SHARE {
                break;
            }
        }
        Duration::from_nanos(delay.unsigned_abs()).clamp(super::DELAY_MIN, super::DELAY_MAX)
    }

    fn nanoseconds(&self, at: Instant) -> i64 {
        let since = |later: Instant, earlier: Instant| {
            i64::try_from(later.saturating_duration_since(earlier).as_nanos())
                .unwrap_or(i64::MAX / 4)
        };
        since(at, self.epoch) - since(self.epoch, at)
    }

    fn sent(&self, timestamp: i64) -> i64 {
        // Every clock is whole kilohertz; in this order years of timestamps do not overflow.
        timestamp * 1_000_000 / i64::from(self.clock / 1_000)
    }
}

/// What is held back before anything is known: two packets of 20 ms.
const TARGET_FIRST: Duration = Duration::from_millis(40);

/// Packets before the histogram is believed.
const PACKETS_MIN: u32 = 10;

/// Packets that the histogram remembers: ten seconds of 20 ms packets.
const MEMORY: u32 = 500;

/// Share of packets that may come too late.
const LATE_SHARE: f32 = 0.01;

/// Width of a bucket in nanoseconds: 5 ms.
const BUCKET: i64 = 5_000_000;
const BUCKETS: usize = 64;

/// Length of each of the two windows over which the least transit is taken: 5 s, in which a clock that
/// is 200 ppm off drifts 1 ms.
const WINDOW: i64 = 5_000_000_000;

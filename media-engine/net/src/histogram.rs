//! A histogram of durations that one thread writes and any thread reads, without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Values below this many microseconds have a bucket each.
const EXACT: u64 = 16;
/// Buckets per doubling above that: a value is known within an eighth.
const STEPS: u64 = 8;
/// The last doubling, 2^23 µs to 2^24 µs (8 s to 17 s): anything longer counts as that.
const LAST_DOUBLING: u64 = 23;
const BUCKETS: usize = 16 + (23 - 4 + 1) * 8;

/// Counts of durations by microseconds, within 12.5 %.
///
/// Has one writer; a second one would lose counts (a plain add on an own cache line costs a
/// fifth of an atomic one, and a media thread does one per packet).
#[derive(Debug)]
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            sum_us: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Counts one duration. Only the owning thread calls this.
    pub fn record(&self, value: Duration) {
        let us = u64::try_from(value.as_micros()).unwrap_or(u64::MAX >> 16);
        let count = &self.counts[bucket(us)];
        count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
        self.sum_us
            .store(self.sum_us.load(Relaxed).wrapping_add(us), Relaxed);
    }

    /// A copy of the counts as they stand.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            counts: std::array::from_fn(|at| self.counts[at].load(Relaxed)),
            sum_us: self.sum_us.load(Relaxed),
        }
    }
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    counts: [u64; BUCKETS],
    sum_us: u64,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            sum_us: 0,
        }
    }
}

impl Snapshot {
    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all durations.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_us)
    }

    /// The duration that `permille` of 1,000 counted ones do not exceed (upper edge of its
    /// bucket): 500 is the median, 999 the 99.9th percentile. Zero when nothing was counted.
    pub fn permille(&self, permille: u64) -> Duration {
        let total = self.count();
        let wanted = (u128::from(total) * u128::from(permille)).div_ceil(1000);
        let mut seen = 0u128;
        for (at, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if *count > 0 && seen >= wanted {
                return Duration::from_micros(upper_edge(at));
            }
        }
        Duration::ZERO
    }

    /// How many counted durations are at most `limit`, within a bucket.
    pub fn count_up_to(&self, limit: Duration) -> u64 {
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        let within = |at: &usize| upper_edge(*at) <= limit;
        (0..BUCKETS)
            .take_while(within)
            .map(|at| self.counts[at])
            .sum()
    }

    /// What was counted after `earlier` was taken of the same histogram.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        Snapshot {
            counts: std::array::from_fn(|at| self.counts[at].wrapping_sub(earlier.counts[at])),
            sum_us: self.sum_us.wrapping_sub(earlier.sum_us),
        }
    }

    /// Adds the counts of another thread's histogram.
    pub fn merge(&mut self, other: &Snapshot) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.wrapping_add(*theirs);
        }
        self.sum_us = self.sum_us.wrapping_add(other.sum_us);
    }
}

fn bucket(us: u64) -> usize {
    let at = if us < EXACT {
        us
    } else {
        let doubling = u64::from(us.ilog2());
        if doubling > LAST_DOUBLING {
            return BUCKETS - 1;
        }
        EXACT + (doubling - 4) * STEPS + ((us >> (doubling - 3)) & (STEPS - 1))
    };
    usize::try_from(at).unwrap_or(BUCKETS - 1)
}

/// The largest value, in microseconds, that falls into bucket `at`.
fn upper_edge(at: usize) -> u64 {
    let at = at as u64;
    if at < EXACT {
        return at;
    }
    let (doubling, step) = ((at - EXACT) / STEPS + 4, (at - EXACT) % STEPS);
    (1 << doubling) + ((step + 1) << (doubling - 3)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_the_bucket_whose_edge_is_next_above_it() {
        for us in (0..100_000).chain([1 << 20, (1 << 24) - 1]) {
            let at = bucket(us);
            assert!(us <= upper_edge(at), "{us}");
            assert!(at == 0 || us > upper_edge(at - 1), "{us}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_within_an_eighth() {
        let histogram = Histogram::default();
        for us in 1..=1000 {
            histogram.record(Duration::from_micros(us));
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.count(), 1000);
        assert_eq!(snapshot.sum(), Duration::from_micros(500_500));
        for (permille, exact) in [(500, 500), (990, 990), (999, 999)] {
            let us = snapshot.permille(permille).as_micros();
            assert!((exact..=exact * 9 / 8).contains(&us), "{permille}: {us}");
        }
        let later = histogram.snapshot().since(&snapshot);
        assert_eq!((later.count(), later.permille(990)), (0, Duration::ZERO));
    }
}

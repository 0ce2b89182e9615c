//! How fast somebody may do something.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use channels::capabilities::Rate;

/// A bucket that runs empty by use and fills with time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// When it is or was full.
    full: Instant,
}

impl Bucket {
    pub(super) fn full(now: Instant) -> Self {
        Self { full: now }
    }

    /// Takes one out.
    ///
    /// # Errors
    ///
    /// How long to wait until there is one.
    pub(super) fn take(&mut self, now: Instant, rate: Rate) -> Result<(), Duration> {
        let each = Duration::from_micros(rate.every_us);
        let next = self.full.max(now) + each;
        let room = now + each * rate.burst;
        if next > room {
            return Err(next - room);
        }
        self.full = next;
        Ok(())
    }

    fn is_full(&self, now: Instant) -> bool {
        self.full <= now
    }
}

/// A bucket for each of many.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    each: HashMap<K, Bucket>,
    rate: Rate,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            each: HashMap::new(),
            rate,
        }
    }

    /// Takes one out of the bucket of somebody.
    ///
    /// # Errors
    ///
    /// How long to wait until there is one.
    pub(super) fn take(&mut self, now: Instant, who: &K) -> Result<(), Duration> {
        if self.each.len() >= COUNTED_MAX && !self.each.contains_key(who) {
            self.each.retain(|_, bucket| !bucket.is_full(now));
            if self.each.len() >= COUNTED_MAX {
                // So many at once are an attack: nobody new gets in before somebody old is still.
                return Err(Duration::from_micros(self.rate.every_us));
            }
        }
        let bucket = self.each.entry(who.clone());
        let bucket = bucket.or_insert_with(|| Bucket::full(now));
        bucket.take(now, self.rate)
    }
}

/// Buckets that are not full at once: some megabytes.
const COUNTED_MAX: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        every_us: 1_000_000,
        burst: 3,
    };

    #[test]
    fn so_many_at_once_and_then_one_in_a_while() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        let at = |ms| start + Duration::from_millis(ms);
        for _ in 0..3 {
            assert_eq!(bucket.take(start, RATE), Ok(()));
        }
        assert_eq!(bucket.take(start, RATE), Err(Duration::from_secs(1)));
        let left = Duration::from_millis(400);
        assert_eq!(bucket.take(at(600), RATE), Err(left));
        assert_eq!(bucket.take(at(1_000), RATE), Ok(()));
        assert_eq!(bucket.take(at(1_000), RATE), Err(Duration::from_secs(1)));
        for _ in 0..3 {
            assert_eq!(bucket.take(at(60_000), RATE), Ok(()));
        }
        assert!(bucket.take(at(60_000), RATE).is_err());
    }

    #[test]
    fn who_is_fast_slows_down_nobody_else() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATE);
        for _ in 0..3 {
            assert_eq!(buckets.take(start, &"ana"), Ok(()));
        }
        assert!(buckets.take(start, &"ana").is_err());
        assert_eq!(buckets.take(start, &"bruno"), Ok(()));
    }

    #[test]
    fn full_buckets_make_room_for_new_ones() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATE);
        for number in 0..COUNTED_MAX {
            assert_eq!(buckets.take(start, &number), Ok(()));
        }
        assert!(buckets.take(start, &COUNTED_MAX).is_err());
        let later = start + Duration::from_secs(1);
        assert_eq!(buckets.take(later, &COUNTED_MAX), Ok(()));
        assert_eq!(buckets.each.len(), 1);
    }
}

//! A token bucket: what may happen at once, and how fast that comes back.

use std::time::{Duration, Instant};

/// How much is allowed: `burst` at once, then `per_second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What comes back each second.
    pub per_second: u32,
    /// What may be used at once.
    pub burst: u32,
}

/// What is left of a rate. The rate is passed in, since it is the same for many buckets.
#[derive(Debug, Clone, Copy)]
pub(in crate::sip) struct Bucket {
    /// In thousandths, so that each millisecond adds a whole number of them.
    level_milli: u64,
    filled_at: Instant,
}

impl Bucket {
    /// A bucket from which nothing was taken.
    pub(in crate::sip) fn full(now: Instant, rate: Rate) -> Self {
        Self {
            level_milli: u64::from(rate.burst) * MILLI,
            filled_at: now,
        }
    }

    /// Takes `amount` if it is there, and nothing else.
    pub(in crate::sip) fn take(&mut self, now: Instant, rate: Rate, amount: u64) -> bool {
        self.fill(now, rate);
        match self.level_milli.checked_sub(amount.saturating_mul(MILLI)) {
            Some(rest) => {
                self.level_milli = rest;
                true
            }
            None => false,
        }
    }

    /// Gives `amount` back, up to the burst.
    pub(in crate::sip) fn put(&mut self, rate: Rate, amount: u64) {
        self.level_milli = self
            .level_milli
            .saturating_add(amount.saturating_mul(MILLI))
            .min(u64::from(rate.burst) * MILLI);
    }

    fn fill(&mut self, now: Instant, rate: Rate) {
        let passed = now.saturating_duration_since(self.filled_at);
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        // N a second are N thousandths in each millisecond.
        self.level_milli = self
            .level_milli
            .saturating_add(millis.saturating_mul(u64::from(rate.per_second)))
            .min(u64::from(rate.burst) * MILLI);
        // The part of a millisecond that was not counted stays for the next time.
        self.filled_at += Duration::from_millis(millis);
    }
}

const MILLI: u64 = 1000;

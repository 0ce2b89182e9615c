//! The simulated clock: it runs as the real one does, and can be moved on.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// The simulated clock.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    began_ms: i64,
    moved_ms: AtomicI64,
}

impl Clock {
    /// A clock that shows `began_ms` now, in milliseconds since 1970.
    pub(super) fn new(began_ms: i64) -> Self {
        Self {
            began: Instant::now(),
            began_ms,
            moved_ms: AtomicI64::new(0),
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        let since = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.began_ms
            .saturating_add(since)
            .saturating_add(self.moved_ms())
    }

    /// How far it was moved on.
    pub(super) fn moved_ms(&self) -> i64 {
        self.moved_ms.load(Ordering::Acquire)
    }

    /// Moves it on.
    pub(super) fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        // A century at most, so that times remain times.
        let by_ms = by_ms.min(100 * 365 * 86_400_000);
        self.moved_ms.fetch_add(by_ms, Ordering::AcqRel);
    }

    /// How long until it shows a time.
    pub(super) fn until(&self, at_ms: i64) -> Duration {
        let ms = at_ms.saturating_sub(self.now_ms());
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

//! What a media thread lets others read: plain atomics, written by it alone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::histogram::Histogram;

/// The figures of one media thread.
#[derive(Debug, Default)]
pub struct ThreadMetrics {
    /// How late visits are, against the schedule of their group.
    pub lateness: Histogram,
    /// Legs on the thread.
    pub legs: AtomicU64,
    /// RTP packets sent.
    pub sent: AtomicU64,
    /// Datagrams received on RTP ports, whoever sent them.
    pub received: AtomicU64,
    /// Packets that the kernel did not take.
    pub send_errors: AtomicU64,
    /// Ticks left out because the thread was too late for them.
    pub missed_ticks: AtomicU64,
    /// Events that found the channel full, and were sent later.
    pub events_delayed: AtomicU64,
    /// Events lost because even the thread's own list was full.
    pub events_lost: AtomicU64,
    /// Legs ended by a panic in their visit.
    pub panics: AtomicU64,
    /// Whether the kernel granted real-time scheduling.
    pub real_time: AtomicBool,
    /// Of each second, how many microseconds the thread was at work; smoothed.
    busy_us: AtomicU64,
    /// How many legs the thread had when that was measured.
    legs_at_measure: AtomicU64,
}

impl ThreadMetrics {
    /// The share of time that the thread is at work: 0 to 1.
    pub fn load(&self) -> f64 {
        // Below 2^53, as a second has 10^6 microseconds.
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let busy = self.busy_us.load(Relaxed) as f64;
        busy / 1e6
    }

    /// How many legs the thread had when its load was last measured.
    pub(super) fn legs_at_measure(&self) -> u64 {
        self.legs_at_measure.load(Relaxed)
    }

    /// Takes the work done in a past `window` into the smoothed load.
    pub(super) fn record_load(&self, busy: Duration, window: Duration) {
        let share = busy.as_micros() * 1_000_000 / window.as_micros().max(1);
        let share = u64::try_from(share).unwrap_or(u64::MAX).min(1_000_000);
        let before = self.busy_us.load(Relaxed);
        // Upwards at once, downwards by half: new calls are refused rather early than late.
        let after = if share > before {
            share
        } else {
            before.midpoint(share)
        };
        self.busy_us.store(after, Relaxed);
        self.legs_at_measure.store(self.legs.load(Relaxed), Relaxed);
    }
}

/// Adds to a counter that only this thread writes: cheaper than an atomic addition.
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

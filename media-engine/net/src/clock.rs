//! The one place that reads the clocks.
//!
//! Pure code is told the time; the shells that tell it take it from here, so that a search for
//! who reads a clock ends in this file.

use std::time::Instant;

/// The monotonic clock: never steps, and deadlines are points on it.
pub fn now() -> Instant {
    Instant::now()
}

/// The wall clock, for people and records; NTP may step it, so nothing is timed by it.
pub fn wall() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

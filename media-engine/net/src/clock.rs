//! The one place that reads the clocks.
//!
//! Pure code is told the time; the shells that tell it take it from here, so that a search for
//! who reads a clock ends in this file.

use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// The monotonic clock: never steps, and deadlines are points on it.
pub fn now() -> Instant {
    Instant::now()
}

/// The wall clock, for people and records; NTP may step it, so nothing is timed by it.
pub fn wall() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A pairing of [`Instant`] with the raw monotonic clock, to sleep until an absolute time.
///
/// A relative sleep is late by whatever happened between computing it and starting it; a media
/// thread's ticks must not drift by that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    instant: Instant,
    monotonic: Duration,
}

impl Alarm {
    /// Pairs the two views of the monotonic clock.
    pub(crate) fn new() -> std::io::Result<Self> {
        let instant = now();
        let raw = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
        Ok(Self {
            instant,
            monotonic: Duration::from(raw),
        })
    }

    /// Sleeps until `deadline`; returns at once when it has passed.
    pub(crate) fn sleep_until(&self, deadline: Instant) {
        let after = deadline.saturating_duration_since(self.instant);
        let until = TimeSpec::from_duration(self.monotonic + after);
        let absolute = ClockNanosleepFlags::TIMER_ABSTIME;
        while let Err(Errno::EINTR) = clock_nanosleep(ClockId::CLOCK_MONOTONIC, absolute, &until) {}
    }
}

/// A pairing of both clocks, to place the kernel's wall-clock receive time stamps on the monotonic
/// clock. Made afresh every tick, so a step of the wall clock spoils one tick at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    instant: Instant,
    wall: SystemTime,
}

/// A packet is never taken for older than this: an older stamp means that the wall clock stepped.
const STAMP_AGE_MAX: Duration = Duration::from_secs(1);

impl Stamps {
    /// Pairs `instant`, which was read just now, with the wall clock.
    pub(crate) fn at(instant: Instant) -> Self {
        Self {
            instant,
            wall: SystemTime::now(),
        }
    }

    /// When a packet arrived that the kernel stamped with `stamp` (time since the epoch).
    pub(crate) fn arrival(&self, stamp: Duration) -> Instant {
        let stamp = SystemTime::UNIX_EPOCH + stamp;
        match self.wall.duration_since(stamp) {
            Ok(age) if age <= STAMP_AGE_MAX => {
                self.instant.checked_sub(age).unwrap_or(self.instant)
            }
            Ok(_) => self.instant,
            // Arrived after this tick began: the two clocks run alike within a tick.
            Err(ahead) => self.instant + ahead.duration().min(STAMP_AGE_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_wakes_at_the_deadline_and_not_before() {
        let alarm = Alarm::new().expect("the monotonic clock reads");
        let deadline = now() + Duration::from_millis(7);
        alarm.sleep_until(deadline);
        assert!(now() >= deadline);
        alarm.sleep_until(deadline); // the past: returns at once
    }

    #[test]
    fn a_stamp_before_the_tick_is_as_old_as_the_wall_clock_says() {
        let stamps = Stamps::at(now());
        let wall = stamps
            .wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970");
        let earlier = stamps.arrival(wall - Duration::from_millis(8));
        assert_eq!(stamps.instant - earlier, Duration::from_millis(8));
        let stepped = stamps.arrival(wall - Duration::from_secs(3600));
        assert_eq!(stepped, stamps.instant);
    }
}

//! How what came from the peer fared from moment to moment, however long that goes on.
//!
//! ```text
//!  5 s   |.|.|.|.| … |.|   64 points, and all are taken:
//!  10 s  |: |: | … |: |    two become one, and each is twice as long from then on
//! ```
//!
//! So a long call takes no more memory than a short one, and nothing is allocated while it goes on.

use std::time::{Duration, Instant};

/// What came from the peer in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Packets that arrived.
    pub(super) received: u64,
    /// Packets that did not, or too late to be played.
    pub(super) missing: u64,
    /// Interarrival jitter at its worst end (RFC 3550 section 6.4.1).
    pub(super) jitter: Duration,
    /// The way to the peer and back at its worst end, if it sends RTCP.
    pub(super) round_trip: Option<Duration>,
}

/// The stretches of a leg so far.
#[derive(Debug)]
pub(super) struct Course {
    stretches: Vec<Stretch>,
    length: Duration,
    /// When the stretch ends that runs.
    until: Instant,
    /// What had come and what was missing when it began.
    before: (u64, u64),
}

impl Course {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            stretches: Vec::with_capacity(STRETCHES_MAX),
            length: LENGTH_FIRST,
            until: now + LENGTH_FIRST,
            before: (0, 0),
        }
    }

    /// Whether a stretch is over.
    #[inline]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.until
    }

    /// Ends the stretch that runs. `so_far` counts from the beginning of the leg.
    pub(super) fn end_stretch(&mut self, now: Instant, so_far: Stretch) {
        let (received, missing) = self.before;
        self.before = (so_far.received, so_far.missing);
        self.stretches.push(Stretch {
            received: so_far.received.saturating_sub(received),
            // What was only late may arrive after it was given up.
            missing: so_far.missing.saturating_sub(missing),
            ..so_far
        });
        if self.stretches.len() == STRETCHES_MAX {
            self.halve();
        }
        self.until = now + self.length;
    }

    /// How long each stretch is, and all of them, the oldest first.
    pub(super) fn stretches(&self) -> (Duration, &[Stretch]) {
        (self.length, &self.stretches)
    }

    fn halve(&mut self) {
        for place in 0..STRETCHES_MAX / 2 {
            let (one, other) = (self.stretches[2 * place], self.stretches[2 * place + 1]);
            self.stretches[place] = Stretch {
                received: one.received + other.received,
                missing: one.missing + other.missing,
                jitter: one.jitter.max(other.jitter),
                round_trip: one.round_trip.max(other.round_trip),
            };
        }
        self.stretches.truncate(STRETCHES_MAX / 2);
        self.length *= 2;
    }
}

/// How long the first stretches are: as often as RTCP comes.
const LENGTH_FIRST: Duration = Duration::from_secs(5);

/// What a picture of the width of a hand shows. Even, for two become one.
const STRETCHES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::origin;

    #[test]
    fn each_stretch_has_its_own_and_a_long_call_has_longer_ones() {
        let start = origin();
        let mut course = Course::new(start);
        let mut now = start;
        let mut so_far = Stretch::default();
        let mut ends = 0;
        while now < start + Duration::from_secs(3_600) {
            now += Duration::from_millis(20);
            so_far.received += 1;
            so_far.missing += u64::from(ends == 3);
            so_far.jitter = Duration::from_millis(if ends == 3 { 40 } else { 2 });
            if course.is_due(now) {
                course.end_stretch(now, so_far);
                ends += 1;
            }
            if ends == 10 && so_far.received == 2_500 {
                let (length, stretches) = course.stretches();
                assert_eq!((length, stretches.len()), (Duration::from_secs(5), 10));
                assert_eq!(stretches[3].missing, 250);
                assert_eq!(stretches[3].jitter, Duration::from_millis(40));
                assert_eq!((stretches[2].received, stretches[2].missing), (250, 0));
            }
        }
        let (length, stretches) = course.stretches();
        assert_eq!(length, Duration::from_secs(80));
        assert_eq!(stretches.len(), 45);
        let received: u64 = stretches.iter().map(|one| one.received).sum();
        assert_eq!(received, 180_000, "nothing is counted twice or left out");
        let missing: Vec<u64> = stretches.iter().map(|one| one.missing).collect();
        assert_eq!((missing[0], missing[1]), (250, 0));
    }
}

//! A 2xx of ours that the peer has not acknowledged yet (RFC 3261 section 13.3.1.4).

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::sip::transaction::key::Key;
use crate::sip::transaction::{GIVE_UP, T1, T2};

/// Repeats a 2xx until its ACK comes, over streams too, because the ACK goes end to end and a hop
/// on its way may lose it.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    /// The INVITE that it answers.
    pub(super) server: Key,
    /// The number of that INVITE, which the ACK repeats.
    pub(super) sequence: u32,
    /// The whole response.
    pub(super) response: Bytes,
    /// What the ACK means to the user of the call.
    pub(super) meaning: Meaning,
    repeat_at: Instant,
    interval: Duration,
    give_up_at: Instant,
}

/// What an ACK brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The call is up.
    Opened,
    /// The call is up, and the ACK brings the answer to the offer in our 2xx.
    OpenedWithOffer,
    /// A re-INVITE is done. Its offer was the peer's.
    Changed,
    /// A re-INVITE is done once the ACK brings the answer to the offer in our 2xx.
    Answers,
}

impl Meaning {
    /// Whether the 2xx opened the dialog.
    pub(super) fn opens(self) -> bool {
        match self {
            Self::Opened | Self::OpenedWithOffer => true,
            Self::Changed | Self::Answers => false,
        }
    }

    /// Whether an answer to an offer of ours is to come with the ACK.
    pub(super) fn expects_answer(self) -> bool {
        match self {
            Self::OpenedWithOffer | Self::Answers => true,
            Self::Opened | Self::Changed => false,
        }
    }
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Repeat,
    GiveUp,
}

impl Unacknowledged {
    /// A 2xx that was first sent at `now`.
    pub(super) fn new(
        now: Instant,
        server: Key,
        sequence: u32,
        response: Bytes,
        meaning: Meaning,
    ) -> Self {
        Self {
            server,
            sequence,
            response,
            meaning,
            repeat_at: now + T1,
            interval: T1,
            give_up_at: now + GIVE_UP,
        }
    }

    /// When something is due.
    pub(super) fn poll_timeout(&self) -> Instant {
        self.repeat_at.min(self.give_up_at)
    }

    /// What is due at `now`; a repetition moves the deadline.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.give_up_at <= now {
            return Due::GiveUp;
        }
        if self.repeat_at > now {
            return Due::Nothing;
        }
        self.interval = (self.interval * 2).min(T2);
        self.repeat_at = now + self.interval;
        Due::Repeat
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::transaction::key::Keys;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    /// The one clock read of these tests: only differences count.
    #[allow(clippy::disallowed_methods)]
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_2xx_without_ack_is_repeated_for_64_t1() {
        let start = origin();
        let key = Keys::new(&mut StdRng::seed_from_u64(1)).client(b"a", &crate::sip::Method::Bye);
        let mut waiting =
            Unacknowledged::new(start, key, 1, Bytes::from_static(b"200"), Meaning::Opened);
        let mut sent_at_ms = vec![0];
        let end = loop {
            let now = waiting.poll_timeout();
            match waiting.handle_timeout(now) {
                Due::Repeat => sent_at_ms.push((now - start).as_millis()),
                Due::GiveUp => break now - start,
                Due::Nothing => panic!("woken for nothing"),
            }
        };
        assert_eq!(
            sent_at_ms,
            [
                0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
            ]
        );
        assert_eq!(end, Duration::from_secs(32));
    }
}

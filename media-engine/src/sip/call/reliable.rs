//! Provisional responses that must arrive (RFC 3262 section 3), as the callee sends them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::sip::transaction::{GIVE_UP, T1};

/// The reliable provisional responses to one INVITE: one under way at a time, the others behind it.
#[derive(Debug)]
pub(super) struct Reliable {
    /// The RSeq of the next one.
    next: u32,
    waiting: Option<Waiting>,
    behind: VecDeque<Progress>,
}

/// A provisional response to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) status: u16,
    pub(super) sdp: Option<Bytes>,
}

/// One that was sent and is repeated until its PRACK.
#[derive(Debug)]
struct Waiting {
    number: u32,
    status: u16,
    has_sdp: bool,
    response: Bytes,
    repeat_at: Instant,
    interval: Duration,
    give_up_at: Instant,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Send it again.
    Repeat {
        status: u16,
        response: Bytes,
    },
    /// No PRACK came in 64·T1: the INVITE is refused.
    GiveUp,
}

/// A PRACK that belongs to the response under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Confirmed {
    /// Whether that response carried SDP: our answer has arrived.
    pub(super) has_sdp: bool,
}

impl Reliable {
    /// Starts with `first` as the first RSeq (RFC 3262 section 3 wants it by chance, and below 2^31).
    pub(super) fn new(first: u32) -> Self {
        Self {
            next: first,
            waiting: None,
            behind: VecDeque::new(),
        }
    }

    /// The RSeq to send `progress` under now; `None` puts it behind the one under way, or drops it
    /// where too many stand there.
    pub(super) fn begin(&mut self, progress: Progress) -> Option<u32> {
        if self.waiting.is_some() {
            if self.behind.len() < BEHIND_MAX {
                self.behind.push_back(progress);
            }
            return None;
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Some(number)
    }

    /// Notes what was sent under `number`.
    pub(super) fn sent(
        &mut self,
        now: Instant,
        number: u32,
        status: u16,
        has_sdp: bool,
        response: Bytes,
    ) {
        self.waiting = Some(Waiting {
            number,
            status,
            has_sdp,
            response,
            repeat_at: now + T1,
            interval: T1,
            give_up_at: now + GIVE_UP,
        });
    }

    /// Whether our SDP is under way and has not arrived: no 2xx may go out (RFC 3262 section 3).
    pub(super) fn holds_back_the_answer(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.has_sdp)
    }

    /// A PRACK for `number` came: `None` where that is not the one under way.
    pub(super) fn handle_prack(&mut self, number: u32) -> Option<Confirmed> {
        let waiting = self.waiting.take_if(|waiting| waiting.number == number)?;
        Some(Confirmed {
            has_sdp: waiting.has_sdp,
        })
    }

    /// The next one that waited behind; ask after a PRACK.
    pub(super) fn next_behind(&mut self) -> Option<Progress> {
        self.behind.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.as_ref()?;
        Some(waiting.repeat_at.min(waiting.give_up_at))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        let Some(waiting) = &mut self.waiting else {
            return Due::Nothing;
        };
        if waiting.give_up_at <= now {
            return Due::GiveUp;
        }
        if waiting.repeat_at > now {
            return Due::Nothing;
        }
        waiting.interval *= 2; // without a cap: RFC 3262 section 3
        waiting.repeat_at = now + waiting.interval;
        Due::Repeat {
            status: waiting.status,
            response: waiting.response.clone(),
        }
    }
}

/// Responses that wait behind one: 180, 183 and a change of it.
const BEHIND_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// The one clock read of these tests: only differences count.
    #[allow(clippy::disallowed_methods)]
    fn origin() -> Instant {
        Instant::now()
    }

    fn progress(status: u16) -> Progress {
        Progress { status, sdp: None }
    }

    #[test]
    fn a_response_without_prack_is_repeated_with_doubling_pauses_for_64_t1() {
        let start = origin();
        let mut reliable = Reliable::new(1);
        let number = reliable.begin(progress(183)).expect("nothing is under way");
        reliable.sent(start, number, 183, true, Bytes::from_static(b"183"));
        let mut sent_at_ms = vec![0];
        let end = loop {
            let now = reliable.poll_timeout().expect("it waits");
            match reliable.handle_timeout(now) {
                Due::Repeat { .. } => sent_at_ms.push((now - start).as_millis()),
                Due::GiveUp => break now - start,
                Due::Nothing => panic!("woken for nothing"),
            }
        };
        assert_eq!(sent_at_ms, [0, 500, 1500, 3500, 7500, 15500, 31500]);
        assert_eq!(end, Duration::from_secs(32));
    }

    #[test]
    fn one_is_under_way_at_a_time_and_the_numbers_rise_by_one() {
        let start = origin();
        let mut reliable = Reliable::new(7);
        assert_eq!(reliable.begin(progress(183)), Some(7));
        reliable.sent(start, 7, 183, true, Bytes::new());
        assert!(reliable.holds_back_the_answer());
        assert_eq!(reliable.begin(progress(180)), None);
        assert_eq!(reliable.handle_prack(6), None);
        assert_eq!(reliable.handle_prack(7), Some(Confirmed { has_sdp: true }));
        assert_eq!(
            reliable.handle_prack(7),
            None,
            "a second PRACK is for nothing"
        );
        assert!(!reliable.holds_back_the_answer());
        assert_eq!(reliable.next_behind(), Some(progress(180)));
        assert_eq!(reliable.begin(progress(180)), Some(8));
        assert_eq!(reliable.poll_timeout(), None);
    }
}

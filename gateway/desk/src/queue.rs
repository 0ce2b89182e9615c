//! The waiting lines: one for each service, in order of arrival, each wait with its limit.
//!
//! The desk knows work, not calls: whoever hands it a [`WorkId`] says what that stands for.
//!
//! ```text
//! enqueue ──▶ waiting ──▶ withdraw            (the customer left, or somebody took it)
//!                └─────▶ Output::Unanswered   (nobody was there within the service's limit)
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::id::ServiceId;

/// One interaction as the queue sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkId(pub u64);

/// What the queue tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nobody answered within the service's limit; the work no longer waits.
    Unanswered {
        /// The work that waited.
        work: WorkId,
        /// Where it waited.
        service: ServiceId,
        /// How long it waited.
        waited: Duration,
    },
}

/// Why work was not let into the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The line of this service has [`LINE_MAX`] places and all are taken.
    #[error("the line of this service is full")]
    Full,
    /// The same work waits already. A bug on our side.
    #[error("this work waits already")]
    AlreadyWaiting,
}

/// Places in one service's line. Memory stays bounded, and the ten-thousandth customer is better
/// told at once.
pub const LINE_MAX: usize = 10_000;

#[derive(Debug)]
struct Waiting {
    service: ServiceId,
    since: Instant,
    until: Instant,
}

/// All waiting lines of one company.
#[derive(Debug, Default)]
pub struct Queue {
    lines: BTreeMap<ServiceId, VecDeque<WorkId>>,
    waiting: BTreeMap<WorkId, Waiting>,
    /// The same deadlines as in `waiting`, in order of time.
    deadlines: BTreeSet<(Instant, WorkId)>,
    outputs: VecDeque<Output>,
}

impl Queue {
    /// How many wait for `service`.
    pub fn length(&self, service: &ServiceId) -> usize {
        self.lines.get(service).map_or(0, VecDeque::len)
    }

    /// The place of `work` in its line, 1 being the next to be served.
    pub fn position(&self, work: WorkId) -> Option<usize> {
        let line = self.lines.get(&self.waiting.get(&work)?.service)?;
        line.iter()
            .position(|other| *other == work)
            .map(|index| index + 1)
    }

    /// How long `work` has waited by `now`.
    pub fn waited(&self, now: Instant, work: WorkId) -> Option<Duration> {
        let waiting = self.waiting.get(&work)?;
        Some(now.saturating_duration_since(waiting.since))
    }

    /// Puts `work` at the end of the line of `service`, for at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Refused`] when the line is full or the work waits already.
    pub fn enqueue(
        &mut self,
        now: Instant,
        work: WorkId,
        service: ServiceId,
        limit: Duration,
    ) -> Result<(), Refused> {
        if self.waiting.contains_key(&work) {
            return Err(Refused::AlreadyWaiting);
        }
        let line = self.lines.entry(service.clone()).or_default();
        if line.len() >= LINE_MAX {
            return Err(Refused::Full);
        }
        line.push_back(work);
        let until = now + limit;
        self.deadlines.insert((until, work));
        self.waiting.insert(
            work,
            Waiting {
                service,
                since: now,
                until,
            },
        );
        Ok(())
    }

    /// Takes `work` out of its line; returns how long it waited, or nothing when it did not wait.
    pub fn withdraw(&mut self, now: Instant, work: WorkId) -> Option<Duration> {
        let waiting = self.waiting.remove(&work)?;
        self.deadlines.remove(&(waiting.until, work));
        if let Some(line) = self.lines.get_mut(&waiting.service) {
            line.retain(|other| *other != work);
            if line.is_empty() {
                self.lines.remove(&waiting.service);
            }
        }
        Some(now.saturating_duration_since(waiting.since))
    }

    /// Ends the waits whose limit has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(until, work)) = self.deadlines.first() {
            if until > now {
                break;
            }
            let service = self
                .waiting
                .get(&work)
                .map(|waiting| waiting.service.clone());
            let waited = self.withdraw(now, work);
            if let (Some(service), Some(waited)) = (service, waited) {
                self.outputs.push_back(Output::Unanswered {
                    work,
                    service,
                    waited,
                });
            }
        }
    }

    /// When [`Queue::handle_timeout`] is next due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// The next thing to tell, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[allow(clippy::disallowed_methods)] // the one clock read of this module: only differences count
    fn origin() -> Instant {
        Instant::now()
    }

    fn sales() -> ServiceId {
        "vendas".parse().expect("an id")
    }

    #[test]
    fn work_is_numbered_in_order_of_arrival_and_moves_up() {
        let start = origin();
        let mut queue = Queue::default();
        for work in 1..=3 {
            queue
                .enqueue(start, WorkId(work), sales(), MINUTE)
                .expect("room");
        }
        assert_eq!(queue.position(WorkId(3)), Some(3));
        assert_eq!(
            queue.withdraw(start + MINUTE / 2, WorkId(1)),
            Some(MINUTE / 2)
        );
        assert_eq!(queue.position(WorkId(3)), Some(2));
        assert_eq!(queue.position(WorkId(1)), None);
        assert_eq!(queue.length(&sales()), 2);
    }

    #[test]
    fn a_wait_ends_at_its_limit_and_once() {
        let start = origin();
        let mut queue = Queue::default();
        queue
            .enqueue(start, WorkId(1), sales(), MINUTE)
            .expect("room");
        queue.handle_timeout(start + MINUTE - Duration::from_millis(1));
        assert_eq!(queue.poll_output(), None);

        let due = queue.poll_timeout().expect("a wait has a limit");
        assert_eq!(due, start + MINUTE);
        queue.handle_timeout(due);
        queue.handle_timeout(due);
        assert_eq!(
            queue.poll_output(),
            Some(Output::Unanswered {
                work: WorkId(1),
                service: sales(),
                waited: MINUTE
            })
        );
        assert_eq!(queue.poll_output(), None);
        assert_eq!(queue.poll_timeout(), None);
        assert_eq!(queue.length(&sales()), 0);
    }

    #[test]
    fn the_same_work_waits_once_and_a_full_line_says_so() {
        let start = origin();
        let mut queue = Queue::default();
        for work in 0..LINE_MAX as u64 {
            queue
                .enqueue(start, WorkId(work), sales(), MINUTE)
                .expect("room");
        }
        assert_eq!(
            queue.enqueue(start, WorkId(0), sales(), MINUTE),
            Err(Refused::AlreadyWaiting)
        );
        assert_eq!(
            queue.enqueue(start, WorkId(u64::MAX), sales(), MINUTE),
            Err(Refused::Full)
        );
    }
}

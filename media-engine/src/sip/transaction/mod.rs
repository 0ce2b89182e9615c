//! The four transactions of RFC 3261 section 17, with RFC 6026.
//!
//! ```text
//!            request ─▶ ┌────────────────┐ ─▶ request ─▶ ┌────────────────┐
//!   caller              │ invite_client  │    network    │ invite_server  │              callee
//!            ◀─ status  │ client         │ ◀─ response ─ │ server         │ ◀─ response
//!                       └────────────────┘               └────────────────┘
//! ```
//!
//! A machine knows bytes and a status, not messages: what it repeats was written once. `key` says
//! which messages belong to one transaction.
//!
//! Invariants: a machine that is not terminated and waits for nobody but the network has a
//! deadline; a terminated one has none and says nothing more; firing a time-out early is harmless.

use std::time::{Duration, Instant};

use bytes::Bytes;
use smallvec::SmallVec;

pub mod client;
pub mod invite_client;
pub mod invite_server;
pub mod key;
pub mod server;

/// Estimate of a round trip, from which the other times follow (RFC 3261 section 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);

/// The longest pause between two copies of a non-INVITE request or of a response to INVITE
/// (RFC 3261 section 17.1.2.1).
pub const T2: Duration = Duration::from_secs(4);

/// How long a message may stay in the network (RFC 3261 section 17.1.2.2).
pub const T4: Duration = Duration::from_secs(5);

/// When a side gives up, 64·T1: timers B, D, F, H, J, L and M (RFC 3261 table 4, RFC 6026).
pub const GIVE_UP: Duration = Duration::from_secs(32);

/// What a transaction wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes to the peer of the transaction.
    Transmit(Bytes),
    /// The transaction ended without what it waited for.
    Failed(Failure),
}

/// Why a transaction ended without what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No response came in 64·T1 (timers B and F); its user sees a 408 (RFC 3261 section 8.1.3.1).
    TimedOut,
    /// No ACK to our 3xx-6xx came in 64·T1 (timer H).
    AckMissing,
    /// The transport could not send; its user sees a 503 (RFC 3261 section 8.1.3.1).
    Transport,
}

/// What the user of a client transaction does with a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is news: handle it.
    News,
    /// It is a copy, or came too late: the transaction has done what there was to do.
    Absorbed,
}

/// Outputs wait here for `poll_output`. No handler makes more than one, so one fits in place.
type Outputs = SmallVec<[Output; 1]>;

fn pop(outputs: &mut Outputs) -> Option<Output> {
    if outputs.is_empty() {
        None
    } else {
        Some(outputs.remove(0))
    }
}

/// A message that goes out again and again, each pause twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Repeat {
    at: Instant,
    interval: Duration,
}

impl Repeat {
    /// The schedule of a message first sent at `now`; a reliable transport needs none.
    fn unless_reliable(now: Instant, reliable: bool) -> Option<Self> {
        let first = Self {
            at: now + T1,
            interval: T1,
        };
        (!reliable).then_some(first)
    }

    /// Notes that a copy went out at `now`: the next pause is doubled, up to `longest`.
    fn sent(&mut self, now: Instant, longest: Duration) {
        self.interval = (self.interval * 2).min(longest);
        self.at = now + self.interval;
    }
}

/// The earlier of a repetition, where there is one, and an end.
fn earlier(repeat: Option<Repeat>, end: Instant) -> Instant {
    repeat.map_or(end, |repeat| repeat.at.min(end))
}

#[cfg(test)]
mod tests;

//! All deadlines of an endpoint in one place.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::sip::CallId;
use crate::sip::transaction::key::Key;

/// Whose deadline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A server transaction.
    Server(Key),
    /// A client transaction.
    Client(Key),
    /// A call.
    Call(CallId),
    /// The registrar: a contact expires.
    Registrar,
    /// The resolver: a question is given up.
    Resolver,
    /// A registration of ours, by its number.
    Registration(u32),
    /// The pings of a trunk, by their number.
    Ping(u32),
}

/// A deadline as its owner remembers it, so that it can be moved.
pub(super) type Armed = Option<Instant>;

/// All deadlines in order of time. Each owner has one at most, and an owner that ended has none:
/// nothing here is stale, so the earliest is the time that the shell sleeps until.
///
/// A balanced tree and not a binary heap, because nearly every deadline is moved or taken back
/// before it comes (an ACK, a response, a BYE), and a heap cannot take back.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    all: BTreeSet<(Instant, Owner)>,
}

impl Deadlines {
    /// Moves the deadline of `owner` from where `armed` says to `next`.
    pub(super) fn set(&mut self, owner: Owner, armed: &mut Armed, next: Option<Instant>) {
        if *armed == next {
            return;
        }
        if let Some(at) = armed.take() {
            self.all.remove(&(at, owner));
        }
        if let Some(at) = next {
            self.all.insert((at, owner));
        }
        *armed = next;
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<Instant> {
        self.all.first().map(|(at, _)| *at)
    }

    /// The owner of the earliest deadline, when it is due at `now`. Its deadline stays until the
    /// owner moves it.
    pub(super) fn due(&self, now: Instant) -> Option<Owner> {
        let (at, owner) = self.all.first()?;
        (*at <= now).then_some(*owner)
    }

    /// How many owners wait for something.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

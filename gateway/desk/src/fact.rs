//! What reports count: each fact is told once, when it is over, and never changes.
//!
//! Times are milliseconds since 1970 (UTC).

use crate::id::{CompanyId, DispositionId, InteractionId, ServiceId, UserId, WorkId};
use crate::record::Medium;
use crate::words;

/// Something that reports count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A customer waited for a service.
    Waited(Waited),
    /// An agent had a work in hand.
    Handled(Handled),
    /// An agent is there, or is not, from a moment on.
    Present(Present),
}

/// A customer waited for a service. The pair (work, service) and the beginning are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// Whose service.
    pub company: CompanyId,
    /// What waited.
    pub work: WorkId,
    /// The interaction it stands for.
    pub interaction: InteractionId,
    /// For which service.
    pub service: ServiceId,
    /// How one talks there.
    pub medium: Medium,
    /// When it began.
    pub entered_ms: i64,
    /// When it was over.
    pub ended_ms: i64,
    /// How it ended.
    pub result: WaitResult,
    /// Who answered.
    pub agent: Option<UserId>,
    /// Whether within the target that the service had then; whoever gave up missed it. None where there
    /// was no target, or the wait does not count.
    pub in_target: Option<bool>,
}

/// An agent had a work in hand. Work, agent and the beginning are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// Whose agent.
    pub company: CompanyId,
    /// Which work.
    pub work: WorkId,
    /// The interaction it stands for.
    pub interaction: InteractionId,
    /// Of which service.
    pub service: ServiceId,
    /// How one talks there.
    pub medium: Medium,
    /// Who.
    pub agent: UserId,
    /// When it came into their hands.
    pub began_ms: i64,
    /// When the conversation was over, or was handed on.
    pub talked_until_ms: i64,
    /// When the wrap-up was over; the same where there was none.
    pub ended_ms: i64,
    /// How long the customer was on hold.
    pub held_ms: i64,
    /// How it ended.
    pub result: HandledResult,
    /// The disposition that was chosen.
    pub disposition: Option<DispositionId>,
}

/// An agent is so from a moment on, until the next one. Agent and moment are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Whose agent.
    pub company: CompanyId,
    /// Who.
    pub agent: UserId,
    /// From when on.
    pub at_ms: i64,
    /// How they are.
    pub state: Attendance,
    /// Why they are paused: the id of the reason that was chosen, or what became of offers.
    pub reason: Option<String>,
}

words! {
    /// How a wait ended.
    WaitResult {
        /// An agent took it.
        Answered = "answered",
        /// The customer gave up.
        Abandoned = "abandoned",
        /// The customer left so soon that it does not count.
        LeftSoon = "left_soon",
        /// They were told that nobody can.
        Closed = "closed",
        /// It waits for another service.
        Moved = "moved",
    }
}

words! {
    /// How a work left the hands of an agent.
    HandledResult {
        /// It is done.
        Finished = "finished",
        /// It was handed on.
        Transferred = "transferred",
        /// It is in the line again: the agent left, or their phone did.
        Returned = "returned",
        /// It was a colleague's, who asked about it.
        Consulted = "consulted",
    }
}

words! {
    /// Whether an agent is there.
    Attendance {
        /// They take work.
        Available = "available",
        /// They take nothing new.
        Paused = "paused",
        /// Their connection is lost.
        Lost = "lost",
        /// They are not there.
        Offline = "offline",
    }
}

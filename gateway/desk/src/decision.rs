//! Why work was offered to whom, as data. [`crate::explain`] puts it into words.

use serde::{Deserialize, Serialize};

use crate::change::PauseReason;
use crate::id::{ServiceId, SkillId, UserId, WorkId};
use crate::rules::Routing;
use crate::work::Medium;

/// The number of an offer, unique in its desk. Later offers have higher numbers.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct OfferId(pub u64);

/// One decision to offer work, with what was looked at. Its key is the first of its offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was offered.
    pub work: WorkId,
    /// Where it waited.
    pub service: ServiceId,
    /// When, in milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// How the service chooses.
    pub routing: Routing,
    /// How the work came up.
    pub turn: Turn,
    /// Who was looked at, the chosen first, then in the order in which they would be chosen, then
    /// those who could not; at most [`CONSIDERED_MAX`].
    pub considered: Vec<Considered>,
    /// How many more agents of the service are not listed.
    pub more: usize,
}

/// Agents listed in a decision: what a supervisor reads in one look.
pub const CONSIDERED_MAX: usize = 12;

/// How work came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// How long it had waited in this service, in milliseconds.
    pub waited_ms: i64,
    /// All its points of priority.
    pub points: i32,
    /// The weight of the service.
    pub weight: u32,
    /// How many steps its wanted skills had relaxed; `None` when they were not needed any more.
    pub relaxed: Option<usize>,
}

/// One agent, as looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Who.
    pub agent: UserId,
    /// What came of it.
    pub verdict: Verdict,
    /// Without new work for so long, in milliseconds; 0 for who is not logged in.
    pub idle_ms: i64,
    /// What they had in hand, out of [`crate::rules::CAPACITY`].
    pub load: u32,
    /// What they handled since the day began.
    pub handled: u32,
    /// The wanted skills and how well they have them.
    pub skills: Vec<SkillFound>,
}

/// A wanted skill, and how well an agent has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillFound {
    /// Which.
    pub skill: SkillId,
    /// The least level, as far as it has relaxed.
    pub wanted: u8,
    /// The agent's level; 0 is not at all.
    pub has: u8,
}

/// What came of looking at an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The work was offered to them.
    Chosen {
        /// The offer.
        offer: OfferId,
        /// Whether it is because the customer should have this very agent.
        preferred: bool,
        /// What they had in hand that this interrupts.
        interrupts: Vec<WorkId>,
    },
    /// They could have had it; another was before them in the order of the routing.
    Behind,
    /// They could not.
    Unfit(Unfit),
}

/// Why an agent cannot be offered a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// Not logged in.
    Offline,
    /// The connection is lost, the grace time runs.
    Lost,
    /// Paused.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Since when, in milliseconds since 1970 (UTC).
        since_ms: i64,
    },
    /// Has wrap-up to do that leaves no room.
    WrappingUp,
    /// Too much in hand.
    Busy {
        /// How much, out of [`crate::rules::CAPACITY`].
        load: u32,
        /// What this work would add.
        cost: u32,
        /// What they are busy with, for most of it.
        with: Medium,
    },
    /// An offer is ringing that leaves no room.
    Ringing,
    /// Has no page open in which to see it.
    NoPage,
    /// Not good enough at something.
    Skill(SkillFound),
    /// Refused or handed on this work a moment ago.
    Refused {
        /// Until when it is not offered to them again, in milliseconds since 1970 (UTC).
        until_ms: i64,
    },
    /// Does not take work of this service.
    NotInService,
    /// The work waits for another agent, the preferred one.
    Reserved {
        /// For whom.
        agent: UserId,
        /// Until when, in milliseconds since 1970 (UTC).
        until_ms: i64,
    },
}

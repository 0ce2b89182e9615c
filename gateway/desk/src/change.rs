//! What the desk remembers, as plain data: each change goes out to be stored, and a desk is
//! restored from all of them.
//!
//! The state of a work or an agent *is* its record, so that nothing can be forgotten; indexes are
//! made anew. A record replaces the one of the same key. All times are milliseconds since
//! 1970 (UTC).

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, OfferId};
use crate::disposition::Disposed;
use crate::id::{PauseId, ServiceId, UserId, WorkId};
use crate::words;
use crate::work::Work;

/// Something that must be durable before the outputs behind it are performed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A work is new or changed; its id is the key.
    WorkSaved(Box<WorkRecord>),
    /// A work is over. Ignored when it is not known.
    WorkRemoved(WorkId),
    /// An agent changed; their id is the key.
    AgentSaved(Box<AgentRecord>),
    /// What a service learnt from its work; its id is the key.
    ServiceSaved(ServiceRecord),
    /// Why an offer was made. Kept for people, not needed to restore.
    Decided(Box<Decision>),
}

/// All that is needed to go on where a desk stopped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// All work that is not over, in order of `seq`.
    pub works: Vec<WorkRecord>,
    /// All agents, in order of their ids.
    pub agents: Vec<AgentRecord>,
    /// All services that learnt something, in order of their ids.
    pub services: Vec<ServiceRecord>,
    /// The highest number that an offer had: of all agents' last offers, those who do not exist
    /// any more too. No number is used twice.
    pub offer_last: OfferId,
}

/// A piece of work and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRecord {
    /// The work; its service is where it is at present.
    pub work: Work,
    /// Counts the works of a desk: the order among those that came in the same millisecond.
    pub seq: u64,
    /// What it is doing.
    pub state: WorkState,
    /// How its waiting goes, or went.
    pub wait: Wait,
    /// Agents to whom it is not offered for a while.
    pub rests: Vec<Rest>,
    /// The promise to call back, if one was given.
    pub callback: Option<Callback>,
    /// The work that an agent is asking about, when this is a consultation.
    pub about: Option<WorkId>,
    /// The disposition chosen while the call still lasts.
    pub disposed: Option<Disposed>,
}

/// What a work is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// In the line.
    Waiting,
    /// In the line, and offered: to one agent, or to several where all ring.
    Offered(Vec<Offer>),
    /// An agent is reserved and the customer is being called back.
    CallingBack {
        /// Who is reserved.
        agent: UserId,
        /// Since when.
        since_ms: i64,
    },
    /// The customer was not reached; in the line again later, at the old place.
    Resting {
        /// Until when.
        until_ms: i64,
    },
    /// An agent has it.
    Handling {
        /// Who.
        agent: UserId,
        /// Since when.
        since_ms: i64,
        /// When the customer wrote what nobody replied to.
        unanswered: Option<Unanswered>,
    },
    /// The conversation is over, the agent wraps up.
    WrapUp {
        /// Who.
        agent: UserId,
        /// When they began to handle it.
        handled_ms: i64,
        /// Since when.
        since_ms: i64,
        /// Until when; `None` when the limit has passed and a disposition is mandatory.
        until_ms: Option<i64>,
    },
    /// Closed with a date; comes back then.
    Scheduled {
        /// When.
        at_ms: i64,
    },
}

/// A reservation of one agent for one work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its number.
    pub id: OfferId,
    /// For whom.
    pub agent: UserId,
    /// When it lapses.
    pub until_ms: i64,
}

/// Something the customer wrote that nobody replied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// When they wrote it.
    pub since_ms: i64,
    /// Whether it was told that the target is missed.
    pub told: bool,
}

/// How the waiting of a work goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// When it entered the line of its present service.
    pub entered_ms: i64,
    /// Until when it waits for its preferred agent alone.
    pub preferred_until_ms: Option<i64>,
    /// How many steps its wanted skills have relaxed.
    pub relaxed: usize,
    /// Whether skills that are not fixed are not needed any more.
    pub skills_dropped: bool,
    /// How many of the service's overflow rules by time have acted.
    pub overflowed: usize,
    /// Whether it was told that the target for answering is missed.
    pub target_told: bool,
    /// How often it went over to another service by overflow.
    pub hops: u32,
}

/// An agent to whom a work is not offered for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// Who.
    pub agent: UserId,
    /// Until when.
    pub until_ms: i64,
}

/// The promise to call a customer back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Where, as validated and spoken back by the one who promised it.
    pub number: String,
    /// How often the customer was called.
    pub attempts: u32,
}

/// An agent and how they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRecord {
    /// Who.
    pub id: UserId,
    /// Whether they take work.
    pub presence: Presence,
    /// When they count as gone because their connection is lost.
    pub lost_until_ms: Option<i64>,
    /// Since when they are without new work: the end of the last one, or when they came.
    pub idle_since_ms: i64,
    /// What they took since the day began.
    pub handled: u32,
    /// The last offer they had; 0 is none.
    pub last_offer: OfferId,
    /// How many offers they missed in a row.
    pub lapses: u32,
}

/// Whether an agent takes work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Not logged in.
    Offline,
    /// Takes work.
    Available,
    /// Keeps what is in hand and takes nothing new.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Since when.
        since_ms: i64,
        /// Whether it was told that the pause is over its limit.
        told: bool,
    },
}

/// Why an agent is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The agent chose so.
    Chosen(PauseId),
    /// A supervisor chose so.
    Forced(PauseId),
    /// Offers were missed.
    Missed,
    /// The agent's phone could not be reached.
    Unreachable,
    /// The agent's phone was busy with something else.
    Busy,
    /// The agent refused what their phone rang for.
    Refused,
    /// The agent leaves when what they have in hand is done.
    Leaving,
}

/// What a service learnt from its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Which.
    pub id: ServiceId,
    /// How long work lasts from answer to the end of wrap-up, in milliseconds: a running mean for
    /// each medium, in the order of [`crate::work::Medium::ALL`]; `None` before the first.
    pub lasts_ms: Vec<Option<i64>>,
}

words! {
    /// Why an offer ended.
    OfferEnd {
        /// The agent took the work.
        Accepted = "accepted",
        /// The agent did not want it, or their phone was busy.
        Refused = "refused",
        /// The agent did nothing in time.
        Lapsed = "lapsed",
        /// The agent's phone could not be reached.
        Unreachable = "unreachable",
        /// The customer left, or the work ended otherwise.
        WorkGone = "work_gone",
        /// Another agent took it first.
        TakenByOther = "taken_by_other",
        /// The agent paused, logged off or lost the connection.
        AgentGone = "agent_gone",
        /// The agent began other work by themselves.
        AgentBusy = "agent_busy",
        /// The program was started again.
        Restart = "restart",
    }
}

impl PauseReason {
    /// The reason that was chosen, by whomever.
    pub fn chosen(&self) -> Option<&PauseId> {
        match self {
            Self::Chosen(pause) | Self::Forced(pause) => Some(pause),
            Self::Missed | Self::Unreachable | Self::Busy | Self::Refused | Self::Leaving => None,
        }
    }
}

impl WorkState {
    /// The agent who has the work in hand, beyond an offer.
    pub fn holder(&self) -> Option<&UserId> {
        match self {
            Self::CallingBack { agent, .. }
            | Self::Handling { agent, .. }
            | Self::WrapUp { agent, .. } => Some(agent),
            Self::Waiting | Self::Offered(_) | Self::Resting { .. } | Self::Scheduled { .. } => {
                None
            }
        }
    }

    /// Its name, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered(_) => "offered",
            Self::CallingBack { .. } => "calling back",
            Self::Resting { .. } => "resting",
            Self::Handling { .. } => "handling",
            Self::WrapUp { .. } => "wrapping up",
            Self::Scheduled { .. } => "scheduled",
        }
    }
}

impl Snapshot {
    /// Takes in a change, as a store would.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::WorkSaved(record) => {
                let key = record.seq;
                put(&mut self.works, *record, |work| work.seq.cmp(&key));
            }
            Change::WorkRemoved(id) => self.works.retain(|record| record.work.id != id),
            Change::AgentSaved(record) => {
                self.offer_last = self.offer_last.max(record.last_offer);
                let key = record.id.clone();
                put(&mut self.agents, *record, |agent| agent.id.cmp(&key));
            }
            Change::ServiceSaved(record) => {
                let key = record.id.clone();
                put(&mut self.services, record, |service| service.id.cmp(&key));
            }
            Change::Decided(_) => {}
        }
    }
}

fn put<T>(list: &mut Vec<T>, record: T, order: impl FnMut(&T) -> std::cmp::Ordering) {
    match list.binary_search_by(order) {
        Ok(at) => list[at] = record,
        Err(at) => list.insert(at, record),
    }
}

//! What is kept of a desk, as plain data: what it goes on from when the program begins again, and
//! what people read of it later.
//!
//! Keeping something twice is harmless: it stands in the place of what has the same key.

use serde_json::Value;

use crate::change::{AgentRecord, ServiceRecord, WorkRecord};
use crate::decision::Decision;
use crate::fact::Fact;
use crate::id::{CompanyId, InstanceId, InteractionId, MessageId, WorkId};
use crate::record::{InteractionEnd, InteractionUpdate, TrailKind};

/// Something that is kept of a desk.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// A work is so now; its id is the key.
    Work {
        /// Whose desk it is at.
        company: CompanyId,
        /// The process that handles it.
        instance: Option<InstanceId>,
        /// How it is.
        record: Box<WorkRecord>,
    },
    /// A work is over.
    WorkRemoved(WorkId),
    /// An agent is so now; their id is the key.
    Agent {
        /// How they are.
        record: Box<AgentRecord>,
        /// Since when, milliseconds since 1970 (UTC).
        at_ms: i64,
    },
    /// A service has learnt this; its id is the key.
    Service(ServiceRecord),
    /// Why an offer was made.
    Decision(Box<DecisionKept>),
    /// Something that reports count.
    Fact(Box<Fact>),
    /// A line of the trail of an interaction whose own record nobody writes any more, or not at
    /// present.
    Line(LateLine),
    /// A written interaction took a step.
    Step(Box<Step>),
    /// The customer of a written interaction is written to by nobody: a greeting, a warning. It is a
    /// message like any other.
    Said(Box<Said>),
    /// How far the automatic life of a written interaction is; the interaction is the key.
    Life {
        /// Whose.
        company: CompanyId,
        /// The process that leads it.
        instance: Option<InstanceId>,
        /// Which.
        interaction: InteractionId,
        /// How far it is, in the words of whoever leads it.
        record: Value,
    },
    /// The automatic life of a written interaction is over.
    LifeRemoved(InteractionId),
}

/// A message that no person wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its id.
    pub id: MessageId,
    /// Whose customer is written to.
    pub company: CompanyId,
    /// In which interaction; one that is over says nothing more.
    pub interaction: InteractionId,
    /// When.
    pub at_ms: i64,
    /// Who writes, as the author of a message.
    pub author: Value,
    /// What, as the content of a message.
    pub content: Value,
    /// What it is for (`greeting`), as the trail tells it.
    pub purpose: &'static str,
}

/// A step of a written interaction, whose record nobody but the desk keeps: what became known with it,
/// and the line that says so, both or neither.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is known now; what was first answered and queued stays.
    pub update: InteractionUpdate,
    /// Whether it is over.
    pub standing: Standing,
    /// The line.
    pub line: LateLine,
}

/// Whether a written interaction is over. Unlike a call it may come back.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It is not, even if it was before.
    Open,
    /// It is.
    Ended(Box<InteractionEnd>),
}

/// A decision as people read it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionKept {
    /// Whose it is.
    pub company: CompanyId,
    /// What it was about.
    pub interaction: InteractionId,
    /// Where it stands among those of its work, below [`DECISIONS_MAX`]; with the work it is the
    /// key.
    pub slot: u32,
    /// What was looked at.
    pub decision: Decision,
    /// The same in words, with the names that things had then.
    pub sentence: String,
}

/// Decisions that are kept of one work: of one that was offered more often the latest.
pub const DECISIONS_MAX: u32 = 50;

/// A line of a trail that comes after those of the interaction's own record. The store gives it its
/// place; a line that is there already, word by word, is not written again.
#[derive(Debug, Clone, PartialEq)]
pub struct LateLine {
    /// Whose trail.
    pub interaction: InteractionId,
    /// When it happened.
    pub at_ms: i64,
    /// What happened.
    pub kind: TrailKind,
    /// The particulars, as of [`crate::record::TrailEntry::detail`].
    pub detail: Value,
}

impl TrailKind {
    /// What other systems call such a line of a trail, where they are told of it at all.
    pub fn event(self, detail: &Value) -> Option<&'static str> {
        let (_, event) = EVENTS.iter().find(|(kind, _)| *kind == self)?;
        // Who closes without a disposition tells nothing but that it is closed.
        let is_told = self != Self::Finished || detail.get("disposition").is_some();
        is_told.then_some(event)
    }
}

/// What other systems are told of a trail.
const EVENTS: [(TrailKind, &str); 9] = [
    (TrailKind::Arrived, "attendance.opened"),
    (TrailKind::Queued, "attendance.queued"),
    (TrailKind::AgentAnswered, "attendance.assigned"),
    (TrailKind::Transferred, "attendance.transferred"),
    (TrailKind::MessageReceived, "message.received"),
    (TrailKind::MessageSent, "message.created"),
    (TrailKind::Finished, "tabulation.created"),
    (TrailKind::Ended, "attendance.closed"),
    (TrailKind::Reopened, "attendance.reopened"),
];

impl WorkRecord {
    /// Whether the customer is on the line, or was: such work does not outlive the process that
    /// carries the call, but for its wrap-up. Who was promised a callback has hung up.
    pub fn needs_call(&self) -> bool {
        self.work.medium == crate::work::Medium::Phone && self.callback.is_none()
    }
}

impl Step {
    /// A line, and what became known with it, of an interaction that goes on.
    pub fn open(line: LateLine, update: InteractionUpdate) -> Self {
        Self {
            update,
            standing: Standing::Open,
            line,
        }
    }
}

//! From what happened to what is remembered.

use desk::id::InteractionId;
use desk::record::{
    Change, EndedBy, InteractionEnd, InteractionUpdate, Quality, TrailEntry, TrailKind,
};
use ivr::Now;
use ivr::machine::{Did, Step};
use media_engine::sip::call::{End, Party};
use serde_json::{Value, json};

/// The record of one interaction, written line by line.
#[derive(Debug)]
pub(super) struct Record {
    interaction: InteractionId,
    seq: u32,
}

impl Record {
    pub(super) fn new(interaction: InteractionId) -> Self {
        Self {
            interaction,
            seq: 0,
        }
    }

    pub(super) fn interaction(&self) -> &InteractionId {
        &self.interaction
    }

    /// A line of the trail.
    pub(super) fn trail(&mut self, at_ms: i64, kind: TrailKind, detail: Value) -> Change {
        let entry = TrailEntry {
            seq: self.seq,
            at_ms,
            kind,
            detail,
        };
        self.seq += 1;
        Change::TrailAppended {
            interaction: self.interaction.clone(),
            entry,
        }
    }

    /// A step of the flow as a line of the trail.
    pub(super) fn step(&mut self, step: &Step) -> Change {
        let detail = serde_json::to_value(step).unwrap_or(Value::Null);
        self.trail(step.at.as_millisecond(), kind_of(&step.did), detail)
    }

    pub(super) fn update(&self, update: InteractionUpdate) -> Change {
        Change::InteractionUpdated {
            interaction: self.interaction.clone(),
            update: Box::new(update),
        }
    }

    /// The last two changes: the line of the trail and the end itself.
    pub(super) fn end(&mut self, end: InteractionEnd) -> [Change; 2] {
        let detail = json!({ "by": end.by, "cause": end.cause, "sip_status": end.sip_status });
        let line = self.trail(end.ended_ms, TrailKind::Ended, detail);
        [
            line,
            Change::InteractionEnded {
                interaction: self.interaction.clone(),
                end: Box::new(end),
            },
        ]
    }
}

/// How a call ended, in the words of the record. `cause` is ours, when we ended it.
pub(super) fn end_of(
    now: Now,
    end: &End,
    cause: Option<&str>,
    quality: Option<Quality>,
) -> InteractionEnd {
    let by = match end.by {
        Party::Peer => EndedBy::Customer,
        Party::Us => EndedBy::Ramal,
        Party::Network => EndedBy::Network,
    };
    let cause = match (cause, end.by) {
        (Some(cause), _) => cause.to_owned(),
        (None, Party::Peer) if end.status == Some(487) => "cancelled".to_owned(),
        (None, Party::Peer | Party::Us) => "hung_up".to_owned(),
        (None, Party::Network) => "connection_lost".to_owned(),
    };
    let reason = end.reason.as_ref().and_then(|reason| reason.cause);
    InteractionEnd {
        ended_ms: now.wall.as_millisecond(),
        by,
        cause,
        sip_status: end.status.or(reason),
        quality,
    }
}

fn kind_of(did: &Did) -> TrailKind {
    match did {
        Did::Entered { .. } => TrailKind::NodeEntered,
        Did::Heard { .. } => TrailKind::PromptEnded,
        Did::Pressed { .. } => TrailKind::OptionChosen,
        Did::Repeated { .. } => TrailKind::KeyPressed,
        Did::Collected { .. } => TrailKind::DigitsEntered,
        Did::Invalid { .. } | Did::GaveUp => TrailKind::InvalidInput,
        Did::Silent { .. } => TrailKind::NoInput,
        Did::Hours { .. } => TrailKind::HoursChecked,
        Did::Queued { .. } => TrailKind::Queued,
        Did::QueueEnded { .. } => TrailKind::QueueEnded,
        Did::Dialled { .. } => TrailKind::Dialled,
        Did::DialEnded { .. } => TrailKind::DialEnded,
        Did::LookedUp { .. } => TrailKind::Fetched,
        Did::Set { .. } => TrailKind::VariableSet,
        Did::Branched { .. } => TrailKind::ConditionChecked,
        Did::Recorded { .. } => TrailKind::MessageLeft,
        Did::WentTo { .. } | Did::Returned => TrailKind::FlowEntered,
        Did::Failed { .. } => TrailKind::Failed,
        Did::HungUp { .. } | Did::CallerLeft => TrailKind::FlowLeft,
    }
}

//! From what happened to what is remembered.
//!
//! What becomes known of a call is held for a moment and handed to the store together: a short call
//! is two changes, its opening and its end with everything between.

use std::time::{Duration, Instant};

use desk::id::InteractionId;
use desk::record::{Change, InteractionEnd, InteractionUpdate, Quality, TrailEntry, TrailKind};
use ivr::Now;
use ivr::machine::{Did, Step};
use media_engine::sdp::MediaParameters;
use serde_json::{Map, Value, json};

use super::ending::Ending;

/// The record of one interaction, written line by line.
#[derive(Debug)]
pub(super) struct Record {
    interaction: InteractionId,
    seq: u32,
    /// What is known and not handed out yet.
    update: Box<InteractionUpdate>,
    lines: Vec<TrailEntry>,
    /// When that is handed out at the latest.
    due: Option<Instant>,
    /// Where the flow was when it ended, and what it told the network, if it was the flow that did.
    place: Map<String, Value>,
}

impl Record {
    pub(super) fn new(interaction: InteractionId) -> Self {
        Self {
            interaction,
            seq: 0,
            update: Box::default(),
            lines: Vec::new(),
            due: None,
            place: Map::new(),
        }
    }

    /// The record of an interaction that another process began: its lines stand behind all of
    /// theirs, who wrote fewer than seconds had passed.
    pub(super) fn resumed(now: Now, interaction: InteractionId) -> Self {
        let seconds = now.wall.as_second().saturating_sub(EPOCH_S);
        Self {
            seq: u32::try_from(seconds).unwrap_or(u32::MAX / 2),
            ..Self::new(interaction)
        }
    }

    pub(super) fn interaction(&self) -> &InteractionId {
        &self.interaction
    }

    /// Facts became known.
    pub(super) fn learn(&mut self, now: Now, update: &InteractionUpdate) {
        self.update.merge(update);
        self.hold(now);
    }

    /// Something happened.
    pub(super) fn note(&mut self, now: Now, kind: TrailKind, detail: Value) {
        self.append(now, now.wall.as_millisecond(), kind, detail);
    }

    /// A flow made a step.
    pub(super) fn step(&mut self, now: Now, step: &Step) {
        let at_ms = step.at.as_millisecond();
        let (kind, detail) = told(step);
        if kind == TrailKind::FlowLeft {
            self.leave(detail); // The end of the call tells it, and who ended it.
        } else if is_at_once(&step.did) {
            self.complete(now, at_ms, kind, detail);
        } else {
            self.append(now, at_ms, kind, detail.into());
        }
    }

    /// When [`Record::hand_out`] has something to give.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// What is to be written by `now`, if anything is.
    pub(super) fn hand_out(&mut self, now: Instant) -> Option<Change> {
        self.due.take_if(|due| *due <= now)?;
        Some(Change::InteractionUpdated {
            interaction: self.interaction.clone(),
            update: std::mem::take(&mut self.update),
            trail: std::mem::take(&mut self.lines),
        })
    }

    /// The last change, with all that was held.
    pub(super) fn end(
        &mut self,
        now: Now,
        ended_ms: i64,
        ending: Ending,
        quality: Option<Quality>,
    ) -> Change {
        let mut detail = std::mem::take(&mut self.place);
        ending.describe(&mut detail);
        self.append(now, ended_ms, TrailKind::Ended, detail.into());
        self.due = None;
        Change::InteractionEnded {
            interaction: self.interaction.clone(),
            update: std::mem::take(&mut self.update),
            end: Box::new(InteractionEnd {
                ended_ms,
                by: ending.by,
                cause: ending.cause.to_owned(),
                sip_status: ending.sip_status,
                quality,
            }),
            trail: std::mem::take(&mut self.lines),
        }
    }

    /// What a node does at once comes with its being entered: one line tells both.
    fn complete(&mut self, now: Now, at_ms: i64, kind: TrailKind, mut detail: Map<String, Value>) {
        let entered = self.lines.last_mut().filter(|last| {
            last.kind == TrailKind::NodeEntered
                && last.at_ms == at_ms
                && last.detail["node"] == detail["node"]
                && last.detail["flow"] == detail["flow"]
        });
        let Some(last) = entered else {
            return self.append(now, at_ms, kind, detail.into());
        };
        detail.insert("entered".into(), last.detail["kind"].take());
        last.kind = kind;
        last.detail = detail.into();
    }

    fn leave(&mut self, mut detail: Map<String, Value>) {
        detail.remove("did");
        if let Some(cause) = detail.remove("cause") {
            detail.insert("told".into(), cause);
        }
        self.place = detail;
    }

    fn append(&mut self, now: Now, at_ms: i64, kind: TrailKind, detail: Value) {
        self.lines.push(TrailEntry {
            seq: self.seq,
            at_ms,
            kind,
            detail,
        });
        self.seq += 1;
        self.hold(now);
    }

    fn hold(&mut self, now: Now) {
        if self.lines.len() >= LINES_HELD_MAX {
            self.due = Some(now.instant);
        } else {
            self.due.get_or_insert(now.instant + HELD_MAX);
        }
    }
}

/// What is agreed on about the media of a party, for a line of the trail.
pub(super) fn media(party: Party, media: &MediaParameters) -> Value {
    let (codec, encrypted) = (media.codec.name(), media.srtp.is_some());
    party.of(json!({ "codec": codec, "encrypted": encrypted }))
}

/// What changed in the media of a party, by whoever's offer.
pub(super) fn media_changes(
    party: Party,
    before: &MediaParameters,
    after: &MediaParameters,
) -> Vec<(TrailKind, Value)> {
    let mut changes = Vec::new();
    if before.codec != after.codec || before.srtp.is_some() != after.srtp.is_some() {
        changes.push((TrailKind::MediaChanged, media(party, after)));
    }
    match (before.held, after.held) {
        (false, true) => changes.push((TrailKind::Held, party.of(json!({})))),
        (true, false) => changes.push((TrailKind::Resumed, party.of(json!({})))),
        (true, true) | (false, false) => {}
    }
    changes
}

/// Whom a line of the trail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// The caller, of whom every line is that says nothing else.
    Caller,
    /// Whom we dialled for the caller.
    Dialled,
}

impl Party {
    /// A detail about this party.
    pub(super) fn of(self, mut detail: Value) -> Value {
        match self {
            Self::Caller => {}
            Self::Dialled => detail["party"] = "dialled".into(),
        }
        detail
    }
}

/// A step of a flow as the trail tells it.
pub(super) fn told(step: &Step) -> (TrailKind, Map<String, Value>) {
    let mut detail = match serde_json::to_value(&step.did) {
        Ok(Value::Object(detail)) => detail,
        Ok(_) | Err(_) => Map::new(),
    };
    detail.insert("flow".into(), step.flow.as_str().into());
    detail.insert("node".into(), step.node.as_str().into());
    (kind_of(&step.did), detail)
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

/// Whether a node does this in the moment in which it is entered.
fn is_at_once(did: &Did) -> bool {
    match did {
        Did::Hours { .. }
        | Did::Queued { .. }
        | Did::Dialled { .. }
        | Did::Set { .. }
        | Did::Branched { .. }
        | Did::WentTo { .. } => true,
        Did::Entered { .. }
        | Did::Heard { .. }
        | Did::Pressed { .. }
        | Did::Repeated { .. }
        | Did::Collected { .. }
        | Did::Invalid { .. }
        | Did::GaveUp
        | Did::Silent { .. }
        | Did::QueueEnded { .. }
        | Did::DialEnded { .. }
        | Did::LookedUp { .. }
        | Did::Recorded { .. }
        | Did::Returned
        | Did::Failed { .. }
        | Did::HungUp { .. }
        | Did::CallerLeft => false,
    }
}

/// 2026-01-01, in seconds since 1970: no interaction is older.
const EPOCH_S: i64 = 1_767_225_600;

/// How long what became known of a call may wait for more of it: a crash takes no more than this
/// from a trail, and a list of calls is no older.
const HELD_MAX: Duration = Duration::from_secs(1);

/// Lines that are held at most: a flow that goes round in circles writes them by the hundred.
const LINES_HELD_MAX: usize = 64;

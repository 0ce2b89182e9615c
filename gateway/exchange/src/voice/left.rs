//! Those who are off the line, until their media have had their last word.

use desk::change::PauseReason;
use desk::id::{DeviceId, OutboundCallId};
use desk::record::{EndedBy, Quality};
use ivr::machine::DialResult;
use serde_json::{Map, Value, json};

use super::ending::Ending;
use super::line::Purpose;

/// One who is off the line.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) purpose: Purpose,
    /// What was counted and is not over: another way may be tried.
    pub(super) outside: Option<OutboundCallId>,
    pub(super) device: Option<DeviceId>,
    pub(super) result: DialResult,
    pub(super) ending: Ending,
    pub(super) codec: Option<&'static str>,
    pub(super) ended_ms: i64,
}

impl Left {
    /// What the trail remembers.
    pub(super) fn describe(&self, quality: Option<Quality>) -> Value {
        let mut detail = Map::new();
        self.ending.describe(&mut detail);
        match &self.purpose {
            Purpose::Agent(user) | Purpose::Fetched(user, _) => {
                detail.insert("agent".into(), user.as_str().into());
            }
            Purpose::Customer | Purpose::Flow(_) | Purpose::Ringing(_) | Purpose::Guest => {}
        }
        if let Some(device) = &self.device {
            detail.insert("device".into(), device.as_str().into());
        }
        detail.insert("ended_ms".into(), self.ended_ms.into());
        detail.insert("codec".into(), self.codec.into());
        if let Some(quality) = quality {
            detail.insert("quality".into(), json!(quality));
        }
        detail.into()
    }

    /// Whether they put the receiver down themselves.
    pub(super) fn hung_up(&self) -> bool {
        self.ending.by == EndedBy::Agent && self.result == DialResult::Ended
    }

    /// What it says of an agent that their phone is off the line without having been answered;
    /// nothing where the fault is ours.
    pub(super) fn not_taken(&self) -> Option<PauseReason> {
        match (self.ending.by, self.ending.cause) {
            (EndedBy::Agent, "busy") => Some(PauseReason::Busy),
            (EndedBy::Agent, "declined") => Some(PauseReason::Refused),
            (EndedBy::Agent, "no_answer") => Some(PauseReason::Missed),
            (EndedBy::Ramal, "no_media_capacity" | "media_failed") => None,
            (
                EndedBy::Agent
                | EndedBy::Customer
                | EndedBy::Ramal
                | EndedBy::Network
                | EndedBy::Restart,
                _,
            ) => Some(PauseReason::Unreachable),
        }
    }
}

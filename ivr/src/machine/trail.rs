//! What the trail remembers of a walk.

use jiff::Timestamp;
use serde::Serialize;

use super::{DialResult, FetchFailure, QueueResult};
use crate::{CalendarId, Cause, FlowId, Key, NodeId, ServiceId};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, by the clock on the wall.
    pub at: Timestamp,
    /// When, in milliseconds since the flow began.
    pub after_ms: u64,
    /// In which flow.
    pub flow: FlowId,
    /// At which node.
    pub node: NodeId,
    /// What.
    #[serde(flatten)]
    pub did: Did,
}

/// What happened at a node. No secret digit is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "did", rename_all = "kebab-case")]
pub enum Did {
    /// The node was entered.
    Entered {
        /// What kind of node it is.
        kind: &'static str,
    },
    /// What the node says has been said, or was cut short.
    Heard {
        /// Whether it was cut short by a key, or skipped for keys typed ahead.
        interrupted: bool,
    },
    /// A key was taken by a menu, or by the confirmation of digits.
    Pressed {
        /// The key.
        key: Key,
    },
    /// The caller asked for the question again.
    Repeated {
        /// By this key.
        key: Key,
    },
    /// Digits were taken.
    Collected {
        /// The digits, or as many `•` when they are a secret.
        digits: String,
    },
    /// The answer was not among those possible.
    Invalid {
        /// What was pressed, or as many `•` when it is a secret.
        digits: String,
        /// How many such answers there were so far at this node.
        times: u8,
    },
    /// No answer came.
    Silent {
        /// How often so far at this node.
        times: u8,
    },
    /// There were too many answers that were wrong or missing.
    GaveUp,
    /// The opening hours were read.
    Hours {
        /// Whether it is open.
        open: bool,
        /// The holiday or the date of the company's own that it is closed for.
        #[serde(skip_serializing_if = "Option::is_none")]
        holiday: Option<String>,
    },
    /// The caller was put into a queue.
    Queued {
        /// Of this service.
        service: ServiceId,
    },
    /// The wait has ended.
    QueueEnded {
        /// How.
        result: QueueResult,
    },
    /// Somebody was dialled.
    Dialled {
        /// Whom, or as many `•` when it is a secret.
        to: String,
    },
    /// The dialled party answered, did not, or has left.
    DialEnded {
        /// Which of these.
        result: DialResult,
    },
    /// A look-up was answered, or was not.
    LookedUp {
        /// The HTTP status, if there was an answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Why there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<FetchFailure>,
        /// Whether the flow went on by the branch of success.
        succeeded: bool,
        /// How long it took, milliseconds.
        took_ms: u64,
    },
    /// A variable was set.
    Set {
        /// Which.
        variable: String,
    },
    /// A condition was decided.
    Branched {
        /// The case that held, counted from 0, or none.
        case: Option<usize>,
    },
    /// A message was taken.
    Recorded {
        /// For this service.
        service: ServiceId,
        /// How long it is.
        seconds: u64,
    },
    /// Another flow was entered.
    WentTo {
        /// Which.
        flow: FlowId,
    },
    /// The flow went back to the one that had come to it.
    Returned,
    /// Something failed that has no branch of its own.
    Failed {
        /// What.
        #[serde(flatten)]
        why: Failure,
    },
    /// The flow ended the call.
    HungUp {
        /// Why, as the network is told.
        cause: Cause,
    },
    /// The caller ended the call.
    CallerLeft,
}

/// Why a flow took its failure exit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Failure {
    /// A target names no node of the flow.
    NoSuchNode,
    /// A flow that is not published was to be entered.
    NoSuchFlow {
        /// Which.
        flow: FlowId,
    },
    /// A calendar that does not exist was to be read.
    NoSuchCalendar {
        /// Which.
        calendar: CalendarId,
    },
    /// The node has no branch for what happened.
    NoBranch,
    /// More flows inside flows than [`super::DEPTH_MAX`].
    TooDeep,
    /// More nodes than [`super::STEPS_MAX`].
    TooManySteps,
    /// More nodes without input than [`super::STEPS_WITHOUT_INPUT_MAX`].
    LoopWithoutInput,
}

impl Failure {
    /// Whether a limit on the walk as a whole was met.
    pub(super) fn is_limit(&self) -> bool {
        match self {
            Self::TooManySteps | Self::LoopWithoutInput => true,
            Self::NoSuchNode
            | Self::NoSuchFlow { .. }
            | Self::NoSuchCalendar { .. }
            | Self::NoBranch
            | Self::TooDeep => false,
        }
    }
}

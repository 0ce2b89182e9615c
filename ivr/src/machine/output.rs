//! What a session wants done, and what it is told in answer.

use std::time::Duration;

use serde::Serialize;

use super::{Spoken, Step, Ticket};
use crate::{Cause, Destination, Key, Language, Method, ServiceId, SkillWanted};

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Say these, one after the other; then [`super::Session::handle_played`]. It takes the place of what
    /// is being said. What cannot be said is skipped.
    Play {
        /// For the answer.
        ticket: Ticket,
        /// The language of the words, and of texts whose voice does not decide it.
        language: Language,
        /// What to say.
        items: Vec<Spoken>,
    },
    /// Be silent at once. No answer is needed.
    StopPlaying {
        /// Of the [`Output::Play`] that ends.
        ticket: Ticket,
    },
    /// Put the caller into a queue; then [`super::Session::handle_queued`].
    Queue {
        /// For the answer.
        ticket: Ticket,
        /// Which queue.
        service: ServiceId,
        /// What an agent must be able to do.
        skills: Vec<SkillWanted>,
    },
    /// Take the caller out of the queue. No answer is needed.
    LeaveQueue {
        /// Of the [`Output::Queue`] that ends.
        ticket: Ticket,
    },
    /// Dial and, when answered, join the two parties; [`super::Session::handle_dialled`] for both its
    /// answer and its end.
    Dial {
        /// For the answers.
        ticket: Ticket,
        /// Whom.
        to: Destination,
        /// How long it may ring; the session itself ends the ringing by [`Output::CancelDial`].
        ring: Duration,
    },
    /// Give the dialled party up, ringing or joined. No answer is needed.
    CancelDial {
        /// Of the [`Output::Dial`] that ends.
        ticket: Ticket,
    },
    /// Ask over HTTP; then [`super::Session::handle_fetched`].
    Fetch {
        /// For the answer.
        ticket: Ticket,
        /// What to ask.
        request: Request,
    },
    /// The answer is not waited for any longer. No answer is needed.
    CancelFetch {
        /// Of the [`Output::Fetch`] that ends.
        ticket: Ticket,
    },
    /// Record the caller, beginning at once; then [`super::Session::handle_recorded`].
    Record {
        /// For the answer.
        ticket: Ticket,
        /// The service that gets the message.
        service: ServiceId,
        /// The longest message; the session itself ends it by [`Output::StopRecording`].
        max: Duration,
    },
    /// End the recording and keep it; then [`super::Session::handle_recorded`].
    StopRecording {
        /// Of the [`Output::Record`] that ends.
        ticket: Ticket,
    },
    /// End the call. It is the last thing to be done.
    HangUp {
        /// Why, as the network is told.
        cause: Cause,
    },
    /// Something happened that the trail remembers.
    Step(Step),
}

/// An HTTP request, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address. Whoever sends it guards against addresses inside the house.
    pub url: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    pub body: Option<String>,
    /// How long the answer may take; the session itself gives up by [`Output::CancelFetch`].
    pub timeout: Duration,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The body, [`super::FETCHED_BYTES_MAX`] at most.
    pub body: Vec<u8>,
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FetchFailure {
    /// The address may not be asked.
    Refused,
    /// Nobody answered there, or not in HTTP.
    Unreachable,
    /// The answer took too long.
    TimedOut,
    /// The answer is too large.
    TooLarge,
}

/// How the wait for an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueResult {
    /// An agent took the call: the flow is over.
    Answered,
    /// Nobody did in the service's time limit.
    Unanswered,
    /// The service takes nobody at this hour, or is full.
    Closed,
    /// The caller left by this key. Keys may as well be given to [`super::Session::handle_key`].
    LeftByKey(Key),
}

/// What became of a dialled call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialResult {
    /// It was answered and the parties are joined. [`DialResult::Ended`] follows.
    Answered,
    /// The other party is busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// It could not be made.
    Failed,
    /// The other party hung up after it had answered.
    Ended,
}

impl std::fmt::Debug for Request {
    /// Without the values that callers typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

//! One call's walk through a flow.
//!
//! ```text
//!            enter ┌────────────────────────────────────────────────┐ next node
//!  start ─────────▶│ Telling · Asking · Queued · Dialling/Connected │───────┐
//!                  │ Fetching · Recording                           │◀──────┘
//!                  └──────┬─────────────────────────────────────────┘
//!    keys, "it has played", answers, time                   Over ◀─ hang up, agent, caller left
//! ```
//!
//! [`Session`] is told what happens by `handle_*`, and says what is to be done by
//! [`Session::poll_output`]; drain it after every call. It knows nothing of sound: what it has said
//! may be played to a caller or shown to a chat visitor, and a key is a key or a letter typed.
//!
//! Whatever a flow does, the walk ends: nodes entered are counted ([`STEPS_MAX`],
//! [`STEPS_WITHOUT_INPUT_MAX`]), flows inside flows are counted ([`DEPTH_MAX`]), everything that is
//! waited for has a deadline here, but for an agent in a queue and the end of a joined call, whose
//! limits are the service's and the telephone's.

mod accept;
mod output;
mod question;
mod speech;
mod trail;
pub mod trial;
mod variables;
mod walk;
mod written;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use output::{DialResult, FetchFailure, Fetched, Output, QueueResult, Request};
pub use speech::Spoken;
pub use trail::{Did, Failure, Step};
pub use written::Choosable;

use crate::{Cause, Flow, FlowId, Key, Library, Node, NodeId, Say};
use question::Question;
use variables::Variables;

/// The moment at which something happens: one clock that only runs forward for deadlines, and the
/// one on the wall for opening hours and the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The clock that only runs forward.
    pub instant: Instant,
    /// The clock on the wall.
    pub wall: Timestamp,
}

/// Joins an output to the answer that it waits for. An answer with an old ticket is ignored, so
/// that whoever answers late does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// Who calls, as far as a flow may know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The caller's number, empty when withheld: `call.from`.
    pub from: String,
    /// The number dialled: `call.to`.
    pub to: String,
    /// The protocol number of the interaction: `call.protocol`.
    pub protocol: String,
}

/// Nothing can be walked: the library has no such flow. The caller of [`Session::new`] is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no published flow {0:?}")]
pub struct NoSuchFlow(pub FlowId);

/// One call's walk through a flow.
pub struct Session {
    library: Arc<Library>,
    /// The flows entered and not left, the one being walked last. Never empty.
    frames: Vec<Frame>,
    state: State,
    variables: Variables,
    /// Keys that no question has taken.
    typed: VecDeque<Key>,
    /// A terminator that is swallowed until then: the caller typed it after the last digit
    /// possible, which had already ended the answer.
    late_terminator: Option<(Key, Instant)>,
    started: Option<Instant>,
    tickets: u32,
    /// Nodes that may still be entered.
    steps_left: u16,
    steps_without_input: u16,
    limit_met: bool,
    /// Whether it is read and answered in writing; see [`Session::in_writing`].
    is_written: bool,
    outputs: VecDeque<Output>,
}

/// One flow on the way.
#[derive(Debug)]
struct Frame {
    id: FlowId,
    flow: Arc<Flow>,
    at: NodeId,
    /// Where the flow below goes on when this one returns.
    return_to: Option<NodeId>,
    /// Whether its failure exit has been taken since somebody last acted; it is taken once.
    failed: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing has been done yet.
    New,
    /// Something is being said that needs no answer.
    Telling {
        playing: Playing,
        barge_in: bool,
        then: Then,
    },
    /// A question is being said, or has been said and waits for its answer.
    Asking(Question),
    /// The caller waits for an agent. The service sets the limit.
    Queued { ticket: Ticket },
    /// The other party's telephone rings.
    Dialling { ticket: Ticket, until: Instant },
    /// The parties are joined.
    Connected { ticket: Ticket },
    /// A request is on its way.
    Fetching {
        ticket: Ticket,
        since: Instant,
        until: Instant,
    },
    /// The caller speaks a message.
    Recording { ticket: Ticket, until: Instant },
    /// The message is being put away.
    Keeping { ticket: Ticket, until: Instant },
    /// The flow has nothing more to do.
    Over,
}

/// Something that is being said, and when we no longer believe that it is.
#[derive(Clone, Copy, Debug)]
struct Playing {
    ticket: Ticket,
    until: Instant,
}

/// What follows something said.
#[derive(Clone, Debug)]
enum Then {
    Go(NodeId),
    Record,
    HangUp(Cause),
}

/// What follows something that happened.
#[derive(Debug)]
enum Onward {
    /// Wait.
    Stay,
    /// Enter this node.
    To(NodeId),
    /// Go back to the flow below.
    Back,
    /// Take the failure exit.
    Fail(Failure),
}

impl Session {
    /// A session that will begin in `flow`.
    ///
    /// # Errors
    ///
    /// If the library has no such flow.
    pub fn new(library: Arc<Library>, flow: &FlowId, caller: &Caller) -> Result<Self, NoSuchFlow> {
        let first = library
            .flows
            .get(flow)
            .ok_or_else(|| NoSuchFlow(flow.clone()))?
            .clone();
        let mut variables = Variables::of_call(caller);
        variables.declare(&first.variables);
        let at = first.entry.clone();
        Ok(Self {
            library,
            frames: vec![Frame {
                id: flow.clone(),
                flow: first,
                at,
                return_to: None,
                failed: false,
            }],
            state: State::New,
            variables,
            typed: VecDeque::new(),
            late_terminator: None,
            started: None,
            tickets: 0,
            steps_left: STEPS_MAX,
            steps_without_input: 0,
            limit_met: false,
            is_written: false,
            outputs: VecDeque::new(),
        })
    }

    /// Whether the flow has nothing more to do: it hung up, an agent took the call, or the caller
    /// left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The flow and the node where the caller is.
    #[must_use]
    pub fn place(&self) -> Option<(&FlowId, &NodeId)> {
        self.frames.last().map(|frame| (&frame.id, &frame.at))
    }

    /// The value of a variable, or of a name of the call.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.text(name)
    }

    /// Enters the first node. The caller is there and listens.
    pub fn start(&mut self, now: Now) {
        if !matches!(self.state, State::New) {
            return;
        }
        self.started = Some(now.instant);
        if let Some(frame) = self.frames.last() {
            let entry = frame.flow.entry.clone();
            self.proceed(now, Onward::To(entry));
        }
    }

    /// A key was pressed.
    pub fn handle_key(&mut self, now: Now, key: Key) {
        if self.swallows(now, key) {
            return;
        }
        let onward = match &mut self.state {
            State::Telling {
                barge_in: true,
                playing,
                then,
            } => {
                let (ticket, then) = (playing.ticket, then.clone());
                self.stop_playing(ticket);
                self.note(now, Did::Heard { interrupted: true });
                // A key that skips the words before a recording has done its work.
                if !matches!(then, Then::Record) {
                    self.type_ahead(key);
                }
                self.told(now, then)
            }
            State::Asking(question) if question.takes_keys() => {
                self.type_ahead(key);
                Onward::Stay
            }
            State::Fetching { .. } => {
                self.type_ahead(key);
                Onward::Stay
            }
            State::Queued { ticket } => {
                let ticket = *ticket;
                if self.leaves_queue_by(key).is_some() {
                    self.output(Output::LeaveQueue { ticket });
                    self.queue_ended(now, QueueResult::LeftByKey(key))
                } else {
                    Onward::Stay
                }
            }
            State::Recording { ticket, .. } => {
                let ticket = *ticket;
                if self.ends_recording(key) {
                    self.stop_recording(now, ticket);
                }
                Onward::Stay
            }
            State::New
            | State::Telling { .. }
            | State::Asking(_)
            | State::Dialling { .. }
            | State::Connected { .. }
            | State::Keeping { .. }
            | State::Over => Onward::Stay,
        };
        self.proceed(now, onward);
    }

    /// What [`Output::Play`] asked for has been said to its end.
    pub fn handle_played(&mut self, now: Now, ticket: Ticket) {
        let onward = match &mut self.state {
            State::Telling { playing, then, .. } if playing.ticket == ticket => {
                let then = then.clone();
                self.note(now, Did::Heard { interrupted: false });
                self.told(now, then)
            }
            State::Asking(question) if question.is_playing(ticket) => {
                self.question_heard(now);
                Onward::Stay
            }
            State::New
            | State::Telling { .. }
            | State::Asking(_)
            | State::Queued { .. }
            | State::Dialling { .. }
            | State::Connected { .. }
            | State::Fetching { .. }
            | State::Recording { .. }
            | State::Keeping { .. }
            | State::Over => Onward::Stay,
        };
        self.proceed(now, onward);
    }

    /// The answer to [`Output::Fetch`].
    pub fn handle_fetched(
        &mut self,
        now: Now,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
    ) {
        if let State::Fetching {
            ticket: awaited,
            since,
            ..
        } = self.state
            && awaited == ticket
        {
            let onward = self.fetched(now, since, answer);
            self.proceed(now, onward);
        }
    }

    /// What became of [`Output::Dial`].
    pub fn handle_dialled(&mut self, now: Now, ticket: Ticket, result: DialResult) {
        let onward = match self.state {
            State::Dialling {
                ticket: awaited, ..
            } if awaited == ticket => match result {
                DialResult::Answered => {
                    self.note(now, Did::DialEnded { result });
                    self.input_came();
                    self.state = State::Connected { ticket };
                    Onward::Stay
                }
                DialResult::Busy
                | DialResult::NoAnswer
                | DialResult::Failed
                | DialResult::Ended => self.dial_ended(now, result),
            },
            // Once joined there is one end, however it is called.
            State::Connected { ticket: awaited }
                if awaited == ticket && result != DialResult::Answered =>
            {
                self.dial_ended(now, DialResult::Ended)
            }
            State::New
            | State::Telling { .. }
            | State::Asking(_)
            | State::Queued { .. }
            | State::Dialling { .. }
            | State::Connected { .. }
            | State::Fetching { .. }
            | State::Recording { .. }
            | State::Keeping { .. }
            | State::Over => Onward::Stay,
        };
        self.proceed(now, onward);
    }

    /// How the wait that [`Output::Queue`] began has ended.
    pub fn handle_queued(&mut self, now: Now, ticket: Ticket, result: QueueResult) {
        if let State::Queued { ticket: awaited } = self.state
            && awaited == ticket
        {
            let onward = self.queue_ended(now, result);
            self.proceed(now, onward);
        }
    }

    /// The recording that [`Output::Record`] began has ended and is kept, `length` long; nothing
    /// was kept when that is zero.
    pub fn handle_recorded(&mut self, now: Now, ticket: Ticket, length: Duration) {
        if let State::Recording {
            ticket: awaited, ..
        }
        | State::Keeping {
            ticket: awaited, ..
        } = self.state
            && awaited == ticket
        {
            let onward = self.recorded(now, length);
            self.proceed(now, onward);
        }
    }

    /// The caller has left.
    pub fn handle_left(&mut self, now: Now) {
        if !self.is_over() {
            self.abandon();
            self.note(now, Did::CallerLeft);
            self.state = State::Over;
        }
    }

    /// Time has come to [`Session::poll_timeout`]. Firing early is harmless.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.poll_timeout().is_none_or(|due| now.instant < due) {
            return;
        }
        let onward = match &mut self.state {
            State::Telling { playing, then, .. } => {
                let (ticket, then) = (playing.ticket, then.clone());
                self.stop_playing(ticket);
                self.note(now, Did::Heard { interrupted: true });
                self.told(now, then)
            }
            State::Asking(question) => match question.playing() {
                Some(ticket) => {
                    self.stop_playing(ticket);
                    self.question_heard(now);
                    Onward::Stay
                }
                None => self.question_timed_out(now),
            },
            State::Dialling { ticket, .. } => {
                let ticket = *ticket;
                self.output(Output::CancelDial { ticket });
                self.dial_ended(now, DialResult::NoAnswer)
            }
            State::Fetching { ticket, since, .. } => {
                let (ticket, since) = (*ticket, *since);
                self.output(Output::CancelFetch { ticket });
                self.fetched(now, since, Err(FetchFailure::TimedOut))
            }
            State::Recording { ticket, .. } => {
                let ticket = *ticket;
                self.stop_recording(now, ticket);
                Onward::Stay
            }
            State::Keeping { .. } => self.recorded(now, Duration::ZERO),
            State::New | State::Queued { .. } | State::Connected { .. } | State::Over => {
                Onward::Stay
            }
        };
        self.proceed(now, onward);
    }

    /// When [`Session::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Telling { playing, .. } => Some(playing.until),
            // Who reads a question answers it when they like: whoever shows it sets the limit.
            State::Asking(_) if self.is_written => None,
            State::Asking(question) => Some(question.until()),
            State::Dialling { until, .. }
            | State::Fetching { until, .. }
            | State::Recording { until, .. }
            | State::Keeping { until, .. } => Some(*until),
            State::New | State::Queued { .. } | State::Connected { .. } | State::Over => None,
        }
    }

    /// The next thing to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}

/// Small things that the rest is made of.
impl Session {
    /// Begins to say something, unless there is nothing to say.
    fn play(&mut self, now: Now, say: &[Say]) -> Option<Playing> {
        let flow = self.flow();
        let items = if self.is_written {
            speech::written(&flow, say, &self.variables)
        } else {
            speech::spoken(&flow, say, &self.variables)
        };
        if items.is_empty() {
            return None;
        }
        let ticket = self.ticket();
        self.output(Output::Play {
            ticket,
            language: flow.language,
            items,
        });
        Some(Playing {
            ticket,
            until: now.instant + PLAY_MAX,
        })
    }

    fn stop_playing(&mut self, ticket: Ticket) {
        self.output(Output::StopPlaying { ticket });
    }

    /// Keeps a key for the next question; what is beyond the limit was pressed by no answer.
    fn type_ahead(&mut self, key: Key) {
        self.input_came();
        if self.typed.len() < TYPED_AHEAD_MAX {
            self.typed.push_back(key);
        }
    }

    fn typed_key_for_question(&mut self) -> Option<Key> {
        match &self.state {
            State::Asking(_) => self.typed.pop_front(),
            State::New
            | State::Telling { .. }
            | State::Queued { .. }
            | State::Dialling { .. }
            | State::Connected { .. }
            | State::Fetching { .. }
            | State::Recording { .. }
            | State::Keeping { .. }
            | State::Over => None,
        }
    }

    fn swallows(&mut self, now: Now, key: Key) -> bool {
        let late = self.late_terminator.take();
        late.is_some_and(|(terminator, until)| terminator == key && now.instant < until)
    }

    /// Counts a step, and says which limit it is beyond.
    fn spend_step(&mut self) -> Option<Failure> {
        let Some(left) = self.steps_left.checked_sub(1) else {
            return Some(Failure::TooManySteps);
        };
        self.steps_left = left;
        self.steps_without_input = self.steps_without_input.saturating_add(1);
        (self.steps_without_input > STEPS_WITHOUT_INPUT_MAX).then_some(Failure::LoopWithoutInput)
    }

    /// Somebody outside acted: whatever follows is no loop, and a failure exit may serve again.
    fn input_came(&mut self) {
        self.steps_without_input = 0;
        for frame in &mut self.frames {
            frame.failed = false;
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        Ticket(self.tickets)
    }

    fn flow(&self) -> Arc<Flow> {
        // There is always a frame; a flow without nodes would be a failure like any other.
        self.frames
            .last()
            .map(|frame| frame.flow.clone())
            .unwrap_or_else(|| Arc::new(Flow::empty()))
    }

    fn here(&self) -> NodeId {
        self.frames
            .last()
            .map_or_else(|| NodeId::new(""), |frame| frame.at.clone())
    }

    fn node(&self) -> Option<&Node> {
        self.frames
            .last()
            .and_then(|frame| frame.flow.nodes.get(&frame.at))
    }

    fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn note(&mut self, now: Now, did: Did) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let since = now
            .instant
            .saturating_duration_since(self.started.unwrap_or(now.instant));
        self.outputs.push_back(Output::Step(Step {
            at: now.wall,
            after_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            flow: frame.id.clone(),
            node: frame.at.clone(),
            did,
        }));
    }
}

impl fmt::Debug for Session {
    /// Without anything that a caller typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("place", &self.place())
            .field("steps_left", &self.steps_left)
            .field("variables", &self.variables)
            .field("outputs", &self.outputs.len())
            .finish_non_exhaustive()
    }
}

/// So many nodes a call may enter. A person who listens to a menu a hundred times over is not
/// served; a machine that presses keys must not hold a line for ever.
pub const STEPS_MAX: u16 = 1_000;

/// So many nodes may be entered without a key, a recording or the end of a wait: more is a loop.
pub const STEPS_WITHOUT_INPUT_MAX: u16 = 100;

/// So many nodes may be entered after a limit was met, to say goodbye.
pub const FAILURE_STEPS_MAX: u16 = 20;

/// So many flows may be entered and not left. Menus deeper than that are lost on people.
pub const DEPTH_MAX: usize = 16;

/// So many keys are kept for questions not yet asked: a card number and the menu before it.
pub const TYPED_AHEAD_MAX: usize = 32;

/// After so long we no longer believe that something is still being said.
pub const PLAY_MAX: Duration = Duration::from_secs(600);

/// A recording may take so long to be put away.
pub const KEEPING_MAX: Duration = Duration::from_secs(5);

/// The largest body of an answer that is read, bytes: an answer holds a few values.
pub const FETCHED_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;

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
mod question;
mod speech;
mod trail;
mod variables;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

pub use speech::Spoken;
pub use trail::{Did, Failure, Step};

use crate::hours::{State as Opening, Why};
use crate::template::Escape;
use crate::{
    CalendarRef, Cause, Destination, Dial, Flow, FlowId, GoToFlow, HangUp, Hours, Key, Language,
    Library, Lookup, Method, Node, NodeId, Prompt, Queue, Record, Say, ServiceId,
};
use question::{Asked, Question, Tally};
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

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Say these, one after the other; then [`Session::handle_played`]. It takes the place of what
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
    /// Put the caller into a queue; then [`Session::handle_queued`].
    Queue {
        /// For the answer.
        ticket: Ticket,
        /// Which queue.
        service: ServiceId,
    },
    /// Take the caller out of the queue. No answer is needed.
    LeaveQueue {
        /// Of the [`Output::Queue`] that ends.
        ticket: Ticket,
    },
    /// Dial and, when answered, join the two parties; [`Session::handle_dialled`] for both its
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
    /// Ask over HTTP; then [`Session::handle_fetched`].
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
    /// Record the caller, beginning at once; then [`Session::handle_recorded`].
    Record {
        /// For the answer.
        ticket: Ticket,
        /// The service that gets the message.
        service: ServiceId,
        /// The longest message; the session itself ends it by [`Output::StopRecording`].
        max: Duration,
    },
    /// End the recording and keep it; then [`Session::handle_recorded`].
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
    /// The body, [`FETCHED_BYTES_MAX`] at most.
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
    /// The caller left by this key. Keys may as well be given to [`Session::handle_key`].
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

/// Nothing can be walked: the library has no such flow. The caller of [`Session::new`] is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no published flow {0:?}")]
pub struct NoSuchFlow(pub FlowId);

/// One call's walk through a flow.
#[derive(Debug)]
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

/// The walk from node to node.
impl Session {
    fn proceed(&mut self, now: Now, mut onward: Onward) {
        loop {
            onward = match onward {
                Onward::To(node) => self.enter(now, node),
                Onward::Back => self.go_back(now),
                Onward::Fail(why) => self.fail(now, why),
                Onward::Stay => match self.typed_key_for_question() {
                    Some(key) => self.answer(now, key),
                    None => return,
                },
            }
        }
    }

    fn enter(&mut self, now: Now, id: NodeId) -> Onward {
        let Some(frame) = self.frames.last_mut() else {
            return Onward::Stay;
        };
        frame.at = id;
        let flow = frame.flow.clone();
        if let Some(limit) = self.spend_step() {
            return Onward::Fail(limit);
        }
        let Some(node) = flow.nodes.get(&self.here()) else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        self.note(now, Did::Entered { kind: node.kind() });
        match node {
            Node::Hours(hours) => self.enter_hours(now, hours),
            Node::Prompt(prompt) => self.enter_prompt(now, prompt),
            Node::Menu(menu) => self.ask(now, Asked::Choice, Tally::default(), &menu.say),
            Node::Collect(collect) => self.ask(now, Asked::Digits, Tally::default(), &collect.say),
            Node::Queue(queue) => self.enter_queue(now, queue),
            Node::Flow(go) => self.enter_flow(now, go),
            Node::Return(_) => Onward::Back,
            Node::Dial(dial) => self.enter_dial(now, dial),
            Node::Lookup(lookup) => self.enter_lookup(now, lookup),
            Node::Set(set) => {
                let value = self.variables.render(&set.value, Escape::None);
                self.variables.set(&set.variable, value);
                self.note(
                    now,
                    Did::Set {
                        variable: set.variable.clone(),
                    },
                );
                Onward::To(set.next.clone())
            }
            Node::Condition(condition) => {
                let case = condition
                    .cases
                    .iter()
                    .position(|case| self.variables.hold(&case.all));
                self.note(now, Did::Branched { case });
                let to = case
                    .and_then(|case| condition.cases.get(case))
                    .map(|case| &case.to);
                Onward::To(to.unwrap_or(&condition.otherwise).clone())
            }
            Node::Record(record) => self.enter_record(now, record),
            Node::HangUp(hang_up) => self.enter_hang_up(now, hang_up),
        }
    }

    fn enter_hours(&mut self, now: Now, hours: &Hours) -> Onward {
        let library = self.library.clone();
        let calendar = match &hours.calendar {
            CalendarRef::Inline(calendar) => calendar,
            CalendarRef::Id(id) => match library.calendars.get(id) {
                Some(calendar) => calendar.as_ref(),
                None => {
                    return Onward::Fail(Failure::NoSuchCalendar {
                        calendar: id.clone(),
                    });
                }
            },
        };
        let zone = calendar.time_zone.rules();
        let local = |at: Option<Timestamp>| at.map(|at| at.to_zoned(zone.clone()).to_string());
        let (opens_at, closes_at, holiday, to) = match calendar.state(now.wall) {
            Opening::Open { closes_at } => {
                self.note(
                    now,
                    Did::Hours {
                        open: true,
                        holiday: None,
                    },
                );
                (None, local(closes_at), None, &hours.open)
            }
            Opening::Closed { opens_at, why } => {
                let holiday = match why {
                    Why::Hours => None,
                    Why::Holiday(name) => Some(name.to_owned()),
                    Why::OwnDate(name) => Some(name),
                };
                self.note(
                    now,
                    Did::Hours {
                        open: false,
                        holiday: holiday.clone(),
                    },
                );
                let branch = hours.holiday.as_ref().filter(|_| holiday.is_some());
                (
                    local(opens_at),
                    None,
                    holiday,
                    branch.unwrap_or(&hours.closed),
                )
            }
        };
        self.variables
            .know("hours.opens_at", opens_at.unwrap_or_default());
        self.variables
            .know("hours.closes_at", closes_at.unwrap_or_default());
        self.variables
            .know("hours.holiday", holiday.unwrap_or_default());
        Onward::To(to.clone())
    }

    fn enter_prompt(&mut self, now: Now, prompt: &Prompt) -> Onward {
        if prompt.barge_in && !self.typed.is_empty() {
            // The caller has already answered what comes after it.
            self.note(now, Did::Heard { interrupted: true });
            return Onward::To(prompt.next.clone());
        }
        self.tell(
            now,
            &prompt.say,
            prompt.barge_in,
            Then::Go(prompt.next.clone()),
        )
    }

    fn enter_queue(&mut self, now: Now, queue: &Queue) -> Onward {
        self.typed.clear();
        let ticket = self.ticket();
        self.note(
            now,
            Did::Queued {
                service: queue.service.clone(),
            },
        );
        self.output(Output::Queue {
            ticket,
            service: queue.service.clone(),
        });
        self.state = State::Queued { ticket };
        Onward::Stay
    }

    fn enter_flow(&mut self, now: Now, go: &GoToFlow) -> Onward {
        let Some(flow) = self.library.flows.get(&go.flow).cloned() else {
            return Onward::Fail(Failure::NoSuchFlow {
                flow: go.flow.clone(),
            });
        };
        if go.next.is_some() && self.frames.len() >= DEPTH_MAX {
            return Onward::Fail(Failure::TooDeep);
        }
        self.note(
            now,
            Did::WentTo {
                flow: go.flow.clone(),
            },
        );
        // Without a way back the flow takes the place of this one, and returns where it would.
        let return_to = match &go.next {
            Some(next) => Some(next.clone()),
            None => self.frames.pop().and_then(|left| left.return_to),
        };
        self.variables.declare(&flow.variables);
        let entry = flow.entry.clone();
        self.frames.push(Frame {
            id: go.flow.clone(),
            flow,
            at: entry.clone(),
            return_to,
            failed: false,
        });
        Onward::To(entry)
    }

    fn enter_dial(&mut self, now: Now, dial: &Dial) -> Onward {
        let rendered = |text: &str| self.variables.render(text, Escape::None);
        let (to, shown) = match &dial.to {
            Destination::Number(text) => {
                let value = rendered(text);
                (Destination::Number(value.text.clone()), value.masked())
            }
            Destination::Extension(text) => {
                let value = rendered(text);
                (Destination::Extension(value.text.clone()), value.masked())
            }
        };
        self.typed.clear();
        let ticket = self.ticket();
        let ring = Duration::from_millis(dial.ring_ms.into());
        self.note(now, Did::Dialled { to: shown });
        self.output(Output::Dial { ticket, to, ring });
        self.state = State::Dialling {
            ticket,
            until: now.instant + ring,
        };
        Onward::Stay
    }

    fn enter_lookup(&mut self, now: Now, lookup: &Lookup) -> Onward {
        let values = &self.variables;
        let request = Request {
            method: lookup.method,
            url: values.render(&lookup.url, Escape::Url).text,
            headers: lookup
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), values.render(value, Escape::Header).text))
                .collect(),
            body: lookup
                .body
                .as_ref()
                .map(|body| values.render(body, Escape::Json).text),
            timeout: Duration::from_millis(lookup.timeout_ms.into()),
        };
        let ticket = self.ticket();
        self.state = State::Fetching {
            ticket,
            since: now.instant,
            until: now.instant + request.timeout,
        };
        self.output(Output::Fetch { ticket, request });
        Onward::Stay
    }

    fn enter_record(&mut self, now: Now, record: &Record) -> Onward {
        self.typed.clear();
        let mut say = record.say.clone();
        if record.beep {
            say.push(Say::sound(crate::words::BEEP));
        }
        self.tell(now, &say, true, Then::Record)
    }

    fn enter_hang_up(&mut self, now: Now, hang_up: &HangUp) -> Onward {
        self.typed.clear();
        self.tell(now, &hang_up.say, false, Then::HangUp(hang_up.cause))
    }

    fn go_back(&mut self, now: Now) -> Onward {
        let left = if self.frames.len() > 1 {
            self.frames.pop()
        } else {
            None
        };
        match left.and_then(|frame| frame.return_to) {
            Some(node) => {
                self.note(now, Did::Returned);
                Onward::To(node)
            }
            None => {
                self.hang_up(now, Cause::Normal);
                Onward::Stay
            }
        }
    }

    /// Takes the innermost failure exit that has not been taken. A limit is met once: whoever
    /// meets it again has had their chance to say goodbye.
    fn fail(&mut self, now: Now, why: Failure) -> Onward {
        let is_limit = why.is_limit();
        self.note(now, Did::Failed { why });
        if is_limit && self.limit_met {
            self.hang_up(now, Cause::Failure);
            return Onward::Stay;
        }
        if is_limit {
            self.limit_met = true;
            self.steps_left = FAILURE_STEPS_MAX;
            self.steps_without_input = 0;
        }
        while let Some(frame) = self.frames.last_mut() {
            if let Some(exit) = frame.flow.failure.clone().filter(|_| !frame.failed) {
                frame.failed = true;
                return Onward::To(exit);
            }
            if self.frames.len() == 1 {
                break;
            }
            self.frames.pop();
        }
        self.hang_up(now, Cause::Failure);
        Onward::Stay
    }
}

/// What happens inside a node.
impl Session {
    /// Says something that needs no answer.
    fn tell(&mut self, now: Now, say: &[Say], barge_in: bool, then: Then) -> Onward {
        if !barge_in {
            self.typed.clear();
        }
        match self.play(now, say) {
            Some(playing) => {
                self.state = State::Telling {
                    playing,
                    barge_in,
                    then,
                };
                Onward::Stay
            }
            None => self.told(now, then),
        }
    }

    fn told(&mut self, now: Now, then: Then) -> Onward {
        match then {
            Then::Go(node) => Onward::To(node),
            Then::HangUp(cause) => {
                self.hang_up(now, cause);
                Onward::Stay
            }
            Then::Record => self.begin_recording(now),
        }
    }

    fn begin_recording(&mut self, now: Now) -> Onward {
        let flow = self.flow();
        let Some(Node::Record(record)) = flow.nodes.get(&self.here()) else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        let ticket = self.ticket();
        let max = Duration::from_secs(record.max_seconds.into());
        self.output(Output::Record {
            ticket,
            service: record.service.clone(),
            max,
        });
        self.state = State::Recording {
            ticket,
            until: now.instant + max,
        };
        Onward::Stay
    }

    fn stop_recording(&mut self, now: Now, ticket: Ticket) {
        self.output(Output::StopRecording { ticket });
        self.state = State::Keeping {
            ticket,
            until: now.instant + KEEPING_MAX,
        };
    }

    fn recorded(&mut self, now: Now, length: Duration) -> Onward {
        let flow = self.flow();
        let Some(Node::Record(record)) = flow.nodes.get(&self.here()) else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        if !length.is_zero() {
            self.input_came();
        }
        self.note(
            now,
            Did::Recorded {
                service: record.service.clone(),
                seconds: length.as_secs(),
            },
        );
        self.variables
            .know("record.seconds", length.as_secs().to_string());
        Onward::To(record.next.clone())
    }

    fn ends_recording(&self, key: Key) -> bool {
        match self.node() {
            Some(Node::Record(record)) => record.terminator == Some(key),
            Some(_) | None => false,
        }
    }

    fn leaves_queue_by(&self, key: Key) -> Option<NodeId> {
        match self.node() {
            Some(Node::Queue(queue)) => queue
                .leave
                .iter()
                .find(|choice| choice.key == key)
                .map(|choice| choice.to.clone()),
            Some(_) | None => None,
        }
    }

    fn queue_ended(&mut self, now: Now, result: QueueResult) -> Onward {
        self.note(now, Did::QueueEnded { result });
        // A queue that is closed answers at once: going there again and again would be a loop.
        if result != QueueResult::Closed {
            self.input_came();
        }
        let flow = self.flow();
        let Some(Node::Queue(queue)) = flow.nodes.get(&self.here()) else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        let to = match result {
            QueueResult::Answered => {
                self.state = State::Over;
                return Onward::Stay;
            }
            QueueResult::Unanswered => queue.unanswered.clone(),
            QueueResult::Closed => queue.closed.clone().or_else(|| queue.unanswered.clone()),
            QueueResult::LeftByKey(key) => self
                .leaves_queue_by(key)
                .or_else(|| queue.unanswered.clone()),
        };
        to.map_or(Onward::Fail(Failure::NoBranch), Onward::To)
    }

    fn dial_ended(&mut self, now: Now, result: DialResult) -> Onward {
        self.note(now, Did::DialEnded { result });
        let flow = self.flow();
        let Some(Node::Dial(dial)) = flow.nodes.get(&self.here()) else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        let to = match result {
            DialResult::Busy => dial.busy.as_ref().or(dial.failed.as_ref()),
            DialResult::NoAnswer => dial.no_answer.as_ref().or(dial.failed.as_ref()),
            DialResult::Failed => dial.failed.as_ref(),
            DialResult::Answered | DialResult::Ended => match &dial.ended {
                Some(node) => Some(node),
                None => {
                    self.hang_up(now, Cause::Normal);
                    return Onward::Stay;
                }
            },
        };
        to.map_or(Onward::Fail(Failure::NoBranch), |node| {
            Onward::To(node.clone())
        })
    }

    fn fetched(
        &mut self,
        now: Now,
        since: Instant,
        answer: Result<Fetched, FetchFailure>,
    ) -> Onward {
        let flow = self.flow();
        let Some(Node::Lookup(lookup)) = flow.nodes.get(&self.here()) else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        let took = now.instant.saturating_duration_since(since);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let status = answer.as_ref().ok().map(|fetched| fetched.status);
        let failure = answer.as_ref().err().copied();
        self.variables.know(
            "lookup.status",
            status.map(|status| status.to_string()).unwrap_or_default(),
        );
        let succeeded = answer.is_ok_and(|fetched| self.variables.take_from(lookup, &fetched));
        self.note(
            now,
            Did::LookedUp {
                status,
                failure,
                succeeded,
                took_ms,
            },
        );
        match (succeeded, &lookup.failure) {
            (true, _) => Onward::To(lookup.success.clone()),
            (false, Some(node)) => Onward::To(node.clone()),
            (false, None) => Onward::Fail(Failure::NoBranch),
        }
    }

    fn hang_up(&mut self, now: Now, cause: Cause) {
        self.note(now, Did::HungUp { cause });
        self.output(Output::HangUp { cause });
        self.state = State::Over;
    }

    /// Gives up whatever is on its way outside.
    fn abandon(&mut self) {
        let output = match &self.state {
            State::Telling { playing, .. } => Some(Output::StopPlaying {
                ticket: playing.ticket,
            }),
            State::Asking(question) => question
                .playing()
                .map(|ticket| Output::StopPlaying { ticket }),
            State::Queued { ticket } => Some(Output::LeaveQueue { ticket: *ticket }),
            State::Dialling { ticket, .. } | State::Connected { ticket } => {
                Some(Output::CancelDial { ticket: *ticket })
            }
            State::Fetching { ticket, .. } => Some(Output::CancelFetch { ticket: *ticket }),
            State::Recording { ticket, .. } => Some(Output::StopRecording { ticket: *ticket }),
            State::New | State::Keeping { .. } | State::Over => None,
        };
        self.outputs.extend(output);
    }
}

/// Small things that the rest is made of.
impl Session {
    /// Begins to say something, unless there is nothing to say.
    fn play(&mut self, now: Now, say: &[Say]) -> Option<Playing> {
        let flow = self.flow();
        let items = speech::spoken(&flow, say, &self.variables);
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

impl std::fmt::Debug for Request {
    /// Without the values that callers typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("timeout", &self.timeout)
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

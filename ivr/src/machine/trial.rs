//! A flow tried without a call: walked in virtual time, with keys and answers written down before.
//!
//! What is said ends at once, nobody is dialled and no system is asked. Where the flow waits for
//! something that is not written down, the trial ends and says what it waits for.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    DialResult, Did, FetchFailure, Fetched, Now, Output, QueueResult, Session, Spoken, State, Step,
};
use crate::hours::State as Opening;
use crate::{
    CalendarId, CalendarRef, Cause, Destination, FlowId, Key, Language, Method, Node, NodeId,
    ServiceId,
};

/// What happens in a trial.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What is typed at each question, in order; nothing typed is silence.
    pub keys: VecDeque<Vec<Key>>,
    /// What happens outside at a node.
    pub exits: BTreeMap<NodeId, Exit>,
    /// The services that take callers, and by which calendar; without one, always.
    pub services: BTreeMap<ServiceId, Option<CalendarId>>,
}

/// What happens outside at a node. One that does not suit its node is as none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// An agent takes the call, or the dialled party answers and stays.
    Answered,
    /// Nobody of the service answers in time.
    Unanswered,
    /// The service takes nobody, whatever its hours are.
    Closed,
    /// The dialled party is busy.
    Busy,
    /// The dialled party does not answer.
    NoAnswer,
    /// The dialled call, or the look-up, fails.
    Failed,
    /// The dialled party answers, and hangs up before the caller does.
    Ended,
    /// The system that is asked answers so.
    Fetched {
        /// The HTTP status.
        status: u16,
        /// The JSON body.
        #[serde(default)]
        body: serde_json::Value,
    },
    /// The caller leaves a message of so many seconds.
    Recorded(u16),
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What happened, in order.
    pub steps: Vec<Tried>,
    /// How it ended.
    pub end: End,
    /// In which flow it ended, and at which node.
    pub place: Option<(FlowId, NodeId)>,
    /// How many entries of [`Script::keys`] were taken.
    pub keys_taken: usize,
}

/// One thing that happened in a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Tried {
    /// What the trail of a call would remember.
    Step {
        /// That.
        step: Step,
        /// Where hours were read: when that changes.
        until: Option<Timestamp>,
    },
    /// Something was said.
    Said {
        /// When and where; what it did is in `items`.
        at: Place,
        /// In which language.
        language: Language,
        /// What.
        items: Vec<Spoken>,
    },
    /// A system was not asked.
    NotAsked {
        /// When and where.
        at: Place,
        /// How it would have been asked.
        method: Method,
        /// And where.
        url: String,
    },
}

/// When and where something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// By the clock on the wall.
    pub at: Timestamp,
    /// Milliseconds since the flow began.
    pub after_ms: u64,
    /// In which flow.
    pub flow: FlowId,
    /// At which node.
    pub node: NodeId,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum End {
    /// A question waits, and no more keys are written down.
    WaitsForKey {
        /// The keys that lead somewhere; any digit where there are none.
        keys: Vec<Key>,
        /// Which digits, where several are asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        digits: Option<Digits>,
    },
    /// The caller waits for an agent.
    Queued {
        /// Of this service.
        service: ServiceId,
    },
    /// An agent took the call.
    Answered,
    /// Somebody is dialled, or joined with the caller.
    Dialled {
        /// Whom.
        to: Destination,
    },
    /// The flow ended the call.
    HungUp {
        /// Why, as the network is told.
        cause: Cause,
    },
    /// More was said than a trial shows ([`SAID_BYTES_MAX`]).
    TooLong,
}

/// Which digits a question asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digits {
    /// So many at least.
    pub min: u8,
    /// So many at most.
    pub max: u8,
    /// The key that ends them early.
    pub terminator: Option<Key>,
}

/// Tries the flow of a session that has not begun, at the moment `now`.
#[must_use]
pub fn run(session: Session, now: Now, script: Script) -> Trial {
    let keys = script.keys.len();
    let mut rehearsal = Rehearsal {
        session,
        now,
        script,
        typing: VecDeque::new(),
        steps: Vec::new(),
        said_bytes: 0,
        service: None,
        dialled: None,
        cause: None,
    };
    rehearsal.session.start(now);
    let end = loop {
        rehearsal.drain();
        if rehearsal.said_bytes > SAID_BYTES_MAX {
            break End::TooLong;
        }
        if let Some(end) = rehearsal.go_on() {
            break end;
        }
    };
    let place = rehearsal.session.place();
    Trial {
        place: place.map(|(flow, node)| (flow.clone(), node.clone())),
        keys_taken: keys - rehearsal.script.keys.len(),
        steps: rehearsal.steps,
        end,
    }
}

/// A trial under way.
struct Rehearsal {
    session: Session,
    now: Now,
    script: Script,
    /// What is left of the keys that are typed in one go.
    typing: VecDeque<Key>,
    steps: Vec<Tried>,
    said_bytes: usize,
    /// The service that the caller was last put into the queue of.
    service: Option<ServiceId>,
    dialled: Option<Destination>,
    cause: Option<Cause>,
}

impl Rehearsal {
    /// Takes what the session wants done.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Step(step) => {
                    let until = self.hours_until(&step);
                    self.steps.push(Tried::Step { step, until });
                }
                Output::Play {
                    items, language, ..
                } => {
                    self.said_bytes += items.iter().map(length).sum::<usize>();
                    let at = self.place();
                    self.steps.push(Tried::Said {
                        at,
                        language,
                        items,
                    });
                }
                Output::Fetch { request, .. } => {
                    self.said_bytes += request.url.len();
                    let at = self.place();
                    self.steps.push(Tried::NotAsked {
                        at,
                        method: request.method,
                        url: request.url,
                    });
                }
                Output::Queue { service, .. } => self.service = Some(service),
                Output::Dial { to, .. } => self.dialled = Some(to),
                Output::HangUp { cause } => self.cause = Some(cause),
                Output::StopPlaying { .. }
                | Output::LeaveQueue { .. }
                | Output::CancelDial { .. }
                | Output::CancelFetch { .. }
                | Output::Record { .. }
                | Output::StopRecording { .. } => {}
            }
        }
    }

    /// Where the session is. Whatever it says, it says before it goes on from there.
    fn place(&self) -> Place {
        let began = self.session.started.unwrap_or(self.now.instant);
        let after = self.now.instant.saturating_duration_since(began);
        let (flow, node) = match self.session.place() {
            Some((flow, node)) => (flow.clone(), node.clone()),
            None => (FlowId::new(""), NodeId::new("")),
        };
        Place {
            at: self.now.wall,
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            flow,
            node,
        }
    }

    /// When the hours that were read by `step` change.
    fn hours_until(&self, step: &Step) -> Option<Timestamp> {
        if !matches!(step.did, Did::Hours { .. }) {
            return None;
        }
        let library = &self.session.library;
        let node = library.flows.get(&step.flow)?.nodes.get(&step.node)?;
        let Node::Hours(hours) = node else {
            return None;
        };
        let calendar = match &hours.calendar {
            CalendarRef::Inline(calendar) => calendar,
            CalendarRef::Id(id) => library.calendars.get(id)?.as_ref(),
        };
        match calendar.state(step.at) {
            Opening::Open { closes_at } => closes_at,
            Opening::Closed { opens_at, .. } => opens_at,
        }
    }

    /// Lets the next thing happen; what ends the trial when nothing more can.
    fn go_on(&mut self) -> Option<End> {
        let now = self.now;
        match &self.session.state {
            State::Telling { playing, .. } => {
                let ticket = playing.ticket;
                match self.typing.pop_front() {
                    Some(key) => self.session.handle_key(now, key),
                    None => self.session.handle_played(now, ticket),
                }
                None
            }
            State::Asking(_) => self.answer(),
            State::Queued { ticket } => {
                let ticket = *ticket;
                self.leave_queue(ticket)
            }
            State::Dialling { ticket, .. } => {
                let ticket = *ticket;
                let result = match self.exit() {
                    Some(Exit::Busy) => DialResult::Busy,
                    Some(Exit::NoAnswer) => DialResult::NoAnswer,
                    Some(Exit::Failed) => DialResult::Failed,
                    Some(Exit::Answered | Exit::Ended) => DialResult::Answered,
                    Some(
                        Exit::Unanswered | Exit::Closed | Exit::Fetched { .. } | Exit::Recorded(_),
                    )
                    | None => return self.dialled(),
                };
                self.session.handle_dialled(now, ticket, result);
                None
            }
            State::Connected { ticket } => {
                let ticket = *ticket;
                if self.exit() != Some(&Exit::Ended) {
                    return self.dialled();
                }
                self.session.handle_dialled(now, ticket, DialResult::Ended);
                None
            }
            State::Fetching { ticket, .. } => {
                let ticket = *ticket;
                let answer = match self.exit() {
                    Some(Exit::Fetched { status, body }) => Ok(Fetched {
                        status: *status,
                        body: body.to_string().into_bytes(),
                    }),
                    Some(_) | None => Err(FetchFailure::Refused),
                };
                // What is typed in one go is there before the answer.
                while let Some(key) = self.typing.pop_front() {
                    self.session.handle_key(now, key);
                }
                self.session.handle_fetched(now, ticket, answer);
                None
            }
            State::Recording { ticket, .. } | State::Keeping { ticket, .. } => {
                let ticket = *ticket;
                let length = match self.exit() {
                    Some(Exit::Recorded(seconds)) => Duration::from_secs((*seconds).into()),
                    Some(_) | None => MESSAGE,
                };
                self.pass(length);
                self.session.handle_recorded(self.now, ticket, length);
                None
            }
            State::New | State::Over => Some(match self.cause {
                Some(cause) => End::HungUp { cause },
                None => End::Answered,
            }),
        }
    }

    /// Answers the question, or lets it be heard.
    fn answer(&mut self) -> Option<End> {
        let State::Asking(question) = &self.session.state else {
            return None;
        };
        let (playing, until) = (question.playing(), question.until());
        let is_begun = question.has_digits();
        if let Some(key) = self.typing.pop_front() {
            self.session.handle_key(self.now, key);
        } else if let Some(ticket) = playing {
            self.session.handle_played(self.now, ticket);
        } else if is_begun {
            self.pass(until.saturating_duration_since(self.now.instant));
            self.session.handle_timeout(self.now);
        } else {
            match self.script.keys.pop_front() {
                None => return Some(self.wanted()),
                Some(keys) if keys.is_empty() => {
                    self.pass(until.saturating_duration_since(self.now.instant));
                    self.session.handle_timeout(self.now);
                }
                Some(keys) => self.typing.extend(keys),
            }
        }
        None
    }

    /// Ends the wait for an agent as the service's hours, the script or a key says.
    fn leave_queue(&mut self, ticket: super::Ticket) -> Option<End> {
        let service = self.service.clone()?;
        let result = match self.exit() {
            _ if !self.takes_callers(&service) => QueueResult::Closed,
            Some(Exit::Answered) => QueueResult::Answered,
            Some(Exit::Unanswered) => QueueResult::Unanswered,
            Some(Exit::Closed) => QueueResult::Closed,
            Some(_) | None => {
                if let Some(key) = self.typing.pop_front() {
                    self.session.handle_key(self.now, key);
                    return None;
                }
                let Some(keys) = self.script.keys.pop_front() else {
                    return Some(End::Queued { service });
                };
                self.typing.extend(keys);
                return None;
            }
        };
        self.session.handle_queued(self.now, ticket, result);
        None
    }

    fn takes_callers(&self, service: &ServiceId) -> bool {
        match self.script.services.get(service) {
            None => false,
            Some(None) => true,
            Some(Some(calendar)) => {
                let calendar = self.session.library.calendars.get(calendar);
                calendar.is_none_or(|calendar| calendar.is_open(self.now.wall))
            }
        }
    }

    fn dialled(&self) -> Option<End> {
        let to = self.dialled.clone();
        Some(to.map_or(End::Answered, |to| End::Dialled { to }))
    }

    /// What the question waits for.
    fn wanted(&self) -> End {
        let State::Asking(question) = &self.session.state else {
            return End::Answered;
        };
        let (keys, digits) = match self.session.node() {
            Some(Node::Menu(menu)) => {
                let choices = menu.choices.iter().map(|choice| choice.key);
                (choices.chain(menu.repeat_key).collect(), None)
            }
            Some(Node::Collect(collect)) => match &collect.confirm {
                Some(confirm) if question.asks(super::question::Asked::Confirmation) => {
                    (vec![confirm.yes, confirm.no], None)
                }
                Some(_) | None => {
                    let digits = Digits {
                        min: collect.min,
                        max: collect.max,
                        terminator: collect.terminator,
                    };
                    (vec![], Some(digits))
                }
            },
            Some(_) | None => (vec![], None),
        };
        End::WaitsForKey { keys, digits }
    }

    fn exit(&self) -> Option<&Exit> {
        let (_, node) = self.session.place()?;
        self.script.exits.get(node)
    }

    /// Lets time pass.
    fn pass(&mut self, time: Duration) {
        self.now = Now {
            instant: self.now.instant + time,
            wall: self.now.wall.checked_add(time).unwrap_or(self.now.wall),
        };
    }
}

fn length(item: &Spoken) -> usize {
    match item {
        Spoken::Prompt(prompt) => prompt.as_str().len(),
        Spoken::Text { text, .. } => text.len(),
        Spoken::Word(word) => word.text.len(),
    }
}

/// The message that a caller leaves who is not told how long to speak.
const MESSAGE: Duration = Duration::from_secs(5);

/// So much may be said in a trial, bytes: more is a loop, or nobody would listen to it.
pub const SAID_BYTES_MAX: usize = 256 * 1024;

/// So many entries of keys a trial takes: nobody answers more questions in one call.
pub const KEYS_MAX: usize = 200;

#[cfg(test)]
mod tests;

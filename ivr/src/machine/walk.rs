//! The walk from node to node, and what happens inside a node that asks nothing.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::question::{Asked, Tally};
use super::{
    DEPTH_MAX, DialResult, Did, FAILURE_STEPS_MAX, Failure, FetchFailure, Fetched, Frame,
    KEEPING_MAX, Now, Onward, Output, QueueResult, Request, Session, State, Then, Ticket,
};
use crate::hours::{State as Opening, Why};
use crate::template::Escape;
use crate::{
    CalendarRef, Cause, Destination, Dial, GoToFlow, HangUp, Hours, Key, Lookup, Node, NodeId,
    Prompt, Queue, Record, Say,
};

/// The walk from node to node.
impl Session {
    pub(super) fn proceed(&mut self, now: Now, mut onward: Onward) {
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

    pub(super) fn enter(&mut self, now: Now, id: NodeId) -> Onward {
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

    pub(super) fn enter_hours(&mut self, now: Now, hours: &Hours) -> Onward {
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

    pub(super) fn enter_prompt(&mut self, now: Now, prompt: &Prompt) -> Onward {
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

    pub(super) fn enter_queue(&mut self, now: Now, queue: &Queue) -> Onward {
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
            skills: queue.skills.clone(),
        });
        self.state = State::Queued { ticket };
        Onward::Stay
    }

    pub(super) fn enter_flow(&mut self, now: Now, go: &GoToFlow) -> Onward {
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

    pub(super) fn enter_dial(&mut self, now: Now, dial: &Dial) -> Onward {
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

    pub(super) fn enter_lookup(&mut self, now: Now, lookup: &Lookup) -> Onward {
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

    pub(super) fn enter_record(&mut self, now: Now, record: &Record) -> Onward {
        self.typed.clear();
        let mut say = record.say.clone();
        if record.beep {
            say.push(Say::sound(crate::words::BEEP));
        }
        self.tell(now, &say, true, Then::Record)
    }

    pub(super) fn enter_hang_up(&mut self, now: Now, hang_up: &HangUp) -> Onward {
        self.typed.clear();
        self.tell(now, &hang_up.say, false, Then::HangUp(hang_up.cause))
    }

    pub(super) fn go_back(&mut self, now: Now) -> Onward {
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
    pub(super) fn fail(&mut self, now: Now, why: Failure) -> Onward {
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
    pub(super) fn tell(&mut self, now: Now, say: &[Say], barge_in: bool, then: Then) -> Onward {
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

    pub(super) fn told(&mut self, now: Now, then: Then) -> Onward {
        match then {
            Then::Go(node) => Onward::To(node),
            Then::HangUp(cause) => {
                self.hang_up(now, cause);
                Onward::Stay
            }
            Then::Record => self.begin_recording(now),
        }
    }

    pub(super) fn begin_recording(&mut self, now: Now) -> Onward {
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

    pub(super) fn stop_recording(&mut self, now: Now, ticket: Ticket) {
        self.output(Output::StopRecording { ticket });
        self.state = State::Keeping {
            ticket,
            until: now.instant + KEEPING_MAX,
        };
    }

    pub(super) fn recorded(&mut self, now: Now, length: Duration) -> Onward {
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

    pub(super) fn ends_recording(&self, key: Key) -> bool {
        match self.node() {
            Some(Node::Record(record)) => record.terminator == Some(key),
            Some(_) | None => false,
        }
    }

    pub(super) fn leaves_queue_by(&self, key: Key) -> Option<NodeId> {
        match self.node() {
            Some(Node::Queue(queue)) => queue
                .leave
                .iter()
                .find(|choice| choice.key == key)
                .map(|choice| choice.to.clone()),
            Some(_) | None => None,
        }
    }

    pub(super) fn queue_ended(&mut self, now: Now, result: QueueResult) -> Onward {
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

    pub(super) fn dial_ended(&mut self, now: Now, result: DialResult) -> Onward {
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

    pub(super) fn fetched(
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

    pub(super) fn hang_up(&mut self, now: Now, cause: Cause) {
        self.note(now, Did::HungUp { cause });
        self.output(Output::HangUp { cause });
        self.state = State::Over;
    }

    /// Gives up whatever is on its way outside.
    pub(super) fn abandon(&mut self) {
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

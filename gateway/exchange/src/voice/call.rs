//! One call: a customer, and whoever talks with them, from the first INVITE to the last line of the
//! record.
//!
//! ```text
//!  came in   Opening ─▶ Answering ─▶ Flow ─────────▶ Handled ─▶ HangingUp ─▶ Closing ─▶ (gone)
//!            record      200 sent    prompts, line    an agent
//!            durable,                of a service       ▲ │ transfer, agent lost: Flow again
//!  placed    port open ─▶ Calling ──────────────────────┘
//!                         the agent's phone, then the customer's
//! ```

mod agent;
mod answering;
mod callback;
mod calling;
mod closing;
mod engaged;
mod orders;
mod placing;
mod recording;
mod referral;
mod seen;
mod supervision;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::id::{InteractionId, ServiceId, UserId};
use desk::record::{
    EndedBy, InteractionOpened, InteractionState, InteractionUpdate, Medium, Quality, TrailKind,
};
use desk::work::Customer;
use ivr::machine::{self, Caller, Did, FetchFailure, Fetched, Session, Ticket};
use ivr::{Key, Now};
use media_engine::dtmf::{self, pair::Way};
use media_engine::leg::{LegId, PlayId};
use media_engine::sdp::MediaParameters;
use media_engine::sip::CallId;
use media_engine::sip::call::{Cause, End, Incoming, Party};
use serde_json::json;

use crate::directory::Company;

use super::admission::{Dialled, Serving, To, admit};
use super::ending::Ending;
use super::facts::Facts;
use super::flow::Walk;
use super::left::Left;
use super::line::{Line, News, Purpose};
use super::output::{Output, Recording, SipCommand};
use super::record::Record;
use super::talk::{self, Place, Role, Talk};
use super::{CallKey, Shared};
pub(super) use agent::Handled;
use callback::Promise;
pub use orders::{CallOrder, Destination, KEYS_MAX, NOTE_LENGTH_MAX, OrderError, Tape};
pub(super) use placing::Calling;
use recording::Taping;
use survey::Survey;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    facts: Facts,
    talk: Talk,
    stage: Stage,
    taping: Taping,
    /// About whom the customer is asked, since the agent has left.
    survey: Option<Survey>,
    /// Agents who are on the line without having it as work: nothing else is to ring for them.
    engaged: BTreeSet<UserId>,
    /// What the customer was promised, until they are on the line again.
    promised: Option<Promise>,
    /// Why we ended it, if we did.
    ours: Option<Ending>,
    /// When it ends, whoever still holds the line.
    length_limit: Instant,
    deadline: Option<Instant>,
}

#[derive(Debug)]
enum Stage {
    /// The record is being written and the port opened; nobody hears anything yet.
    Opening {
        then: Then,
        recorded: bool,
        until: Instant,
    },
    /// 200 is on its way; the flow begins when the ACK is here.
    Answering {
        serves: Serving,
        until: Instant,
    },
    /// A flow talks with the customer, or they wait for a person.
    Flow(Box<Walk>),
    /// The customer is being called.
    Calling(Box<Calling>),
    /// Somebody talks with the customer.
    Handled(Box<Handled>),
    /// Nobody is on the line; the customer will be called back in their turn.
    Promised,
    /// We asked for the end and wait for the other side to know.
    HangingUp {
        until: Instant,
    },
    /// The SIP side is over; the media have their last word until then.
    Closing {
        ended_ms: i64,
        ending: Ending,
        /// The customer's media had theirs; those of somebody else have not.
        heard: Option<Quality>,
        until: Instant,
    },
    Gone,
}

/// What a call does when its record is durable.
#[derive(Debug)]
enum Then {
    /// Answers, and lets this talk with the caller.
    Serve(Serving),
    /// Calls somebody.
    Call(Box<Calling>),
}

impl Call {
    /// A call came in. It is refused at once when nobody here has that number.
    pub(super) fn begin(
        now: Now,
        sip: CallId,
        invite: Incoming,
        calls: usize,
        shared: &mut Shared,
    ) -> Option<Self> {
        let dialled = match admit(&invite, calls, shared) {
            Ok(admitted) => admitted,
            Err(status) => {
                let retry_after = (status == 503).then_some(RETRY_AFTER);
                shared.sip(SipCommand::Reject {
                    call: sip,
                    status,
                    retry_after,
                });
                return None;
            }
        };
        let serves = match &dialled.to {
            To::Number { serves, .. } => serves.clone(),
            To::Device(_) | To::Outside(_) => {
                return Self::begin_from_device(now, sip, &invite, &dialled, shared);
            }
        };
        let interaction = InteractionId::new(now.wall.as_millisecond(), &mut shared.random);
        let opened = opened(now, &interaction, &invite, &dialled, shared);
        let company = dialled.company;
        let from = if invite.caller.private {
            ""
        } else {
            &invite.caller.number
        };
        let caller = Caller {
            from: from.to_owned(),
            to: invite.dialled.clone(),
            protocol: String::new(),
        };
        let mut call = Self::open(now, company, opened, caller, Then::Serve(serves), shared);
        let arrived = json!({
            "transport": invite.flow.transport.as_str(),
            "request_uri": invite.request_uri,
            "user_agent": invite.user_agent,
            "private": invite.caller.private,
            "diverted_from": invite.caller.diverted_from,
        });
        call.note(now, TrailKind::Arrived, arrived);
        let (key, peer) = (call.facts.key, invite.flow.remote);
        let mut line = Line::asked(key, Purpose::Customer, sip, invite.offer, peer);
        line.device = dialled.device;
        call.facts.leg = shared.take_line(line, None);
        call.settle(now, shared);
        Some(call)
    }

    /// A call whose record is being written.
    fn open(
        now: Now,
        company: Arc<Company>,
        opened: Box<InteractionOpened>,
        caller: Caller,
        then: Then,
        shared: &mut Shared,
    ) -> Self {
        let key = shared.new_call();
        let facts = Facts {
            key,
            leg: super::facts::NOBODY,
            others: BTreeSet::new(),
            company,
            record: Record::new(opened.id.clone()),
            caller,
            customer: None,
            messages: Vec::new(),
            left: BTreeMap::new(),
        };
        shared.outputs.push_back(Output::Open { call: key, opened });
        Self {
            facts,
            talk: Talk::default(),
            stage: Stage::Opening {
                then,
                recorded: false,
                until: now.instant + OPENING_MAX,
            },
            taping: Taping::default(),
            survey: None,
            engaged: BTreeSet::new(),
            promised: None,
            ours: None,
            length_limit: now.instant + LENGTH_MAX,
            deadline: None,
        }
    }

    pub(super) fn key(&self) -> CallKey {
        self.facts.key
    }

    /// Whether the call is over when this line is.
    pub(super) fn ends_with(&self, leg: LegId) -> bool {
        leg == self.facts.leg && !matches!(self.stage, Stage::Calling(_))
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    /// Whether nobody is on its line, and the customer will be called.
    pub(super) fn is_resting(&self) -> bool {
        matches!(self.stage, Stage::Promised)
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(&self.stage, Stage::Flow(walk) if walk.is_waiting())
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The record is durable.
    pub(super) fn handle_opened(
        &mut self,
        now: Now,
        protocol: String,
        customer: Option<Customer>,
        shared: &mut Shared,
    ) {
        self.facts.caller.protocol = protocol;
        if let Some(customer) = customer {
            self.meet(now, customer, shared);
        }
        if let Stage::Opening { recorded, .. } = &mut self.stage {
            *recorded = true;
            self.go_on(now, shared);
        }
    }

    /// The customer is a contact of the company, whom it may not want to hear of or to disturb.
    fn meet(&mut self, now: Now, customer: Customer, shared: &mut Shared) {
        let met = InteractionUpdate {
            contact: Some(customer.contact.clone()),
            ..InteractionUpdate::default()
        };
        self.facts.record.learn(now, &met);
        let blocked = match self.calling() {
            Some(_) => customer.blocked_out,
            None => customer.blocked_in,
        };
        self.facts.customer = Some(customer);
        if blocked && matches!(self.stage, Stage::Opening { .. }) {
            self.refuse(now, 603, "blocked", shared);
        }
    }

    /// The record could not be written. A call that is over already is only over.
    pub(super) fn handle_not_opened(&mut self, now: Now, shared: &mut Shared) {
        if matches!(self.stage, Stage::Opening { .. }) {
            self.refuse(now, 503, "not_recorded", shared);
        }
    }

    /// The port of a line that came in is open.
    pub(super) fn handle_port(&mut self, now: Now, shared: &mut Shared) {
        self.go_on(now, shared);
    }

    /// There is no port for the customer's line.
    pub(super) fn handle_no_port(&mut self, now: Now, shared: &mut Shared) {
        if matches!(self.stage, Stage::Opening { .. }) {
            self.refuse(now, 503, "no_media_capacity", shared);
        }
    }

    /// Begins, as soon as the record is durable.
    fn go_on(&mut self, now: Now, shared: &mut Shared) {
        let Stage::Opening {
            then,
            recorded: true,
            ..
        } = &self.stage
        else {
            return;
        };
        match then {
            Then::Serve(_) => self.answer(now, shared),
            Then::Call(_) => self.call_out(now, shared),
        }
    }

    /// A key was pressed; some telephones tell of each press on both ways.
    pub(super) fn handle_key(
        &mut self,
        now: Now,
        leg: LegId,
        key: dtmf::Key,
        way: Way,
        shared: &mut Shared,
    ) {
        let line = shared.lines.get_mut(&leg);
        if !line.is_some_and(|line| line.pressed.is_new(now.instant, key, way)) {
            return;
        }
        if leg == self.facts.leg {
            self.press(now, key, shared);
        }
        // What comes in the media goes on in the media.
        if way == Way::Info {
            self.pass_key(leg, key, shared);
        }
    }

    /// The customer's key is for the flow, or for the line that they wait in.
    fn press(&mut self, now: Now, key: dtmf::Key, shared: &mut Shared) {
        let Stage::Flow(walk) = &mut self.stage else {
            return;
        };
        let asked = walk.handle_key(now, key_of(key), &self.facts, shared);
        self.perform(now, shared);
        if let Some(number) = asked {
            self.promise(now, number, shared);
        }
    }

    pub(super) fn handle_played(&mut self, now: Now, play: PlayId, shared: &mut Shared) {
        if let Stage::Flow(walk) = &mut self.stage {
            walk.handle_played(now, play, self.facts.leg, shared);
        }
        self.perform(now, shared);
        self.leave_at_the_end(now, shared);
    }

    /// The desk has ended the wait without anybody.
    pub(super) fn handle_unanswered(&mut self, now: Now, shared: &mut Shared) {
        if matches!(self.stage, Stage::Promised) {
            return self.break_promise(now, shared);
        }
        if let Stage::Flow(walk) = &mut self.stage {
            walk.handle_unanswered(now, self.facts.leg, shared);
        }
        self.perform(now, shared);
        self.leave_at_the_end(now, shared);
    }

    /// A recording was put away. What was said is kept, however late that is known.
    pub(super) fn handle_recorded(
        &mut self,
        now: Now,
        ticket: Ticket,
        recording: Option<Recording>,
        shared: &mut Shared,
    ) {
        let Some(message) = self.facts.take_message(ticket) else {
            return;
        };
        let length = recording.as_ref().map(|recording| recording.length);
        if let Some(recording) = recording {
            if message.told || !matches!(self.stage, Stage::Flow(_)) {
                // The flow went on, or is over: it cannot tell any more.
                let detail = json!({ "seconds": recording.length.as_secs(), "late": true });
                self.note(now, TrailKind::MessageLeft, detail);
            }
            shared.keep(now, recording, message.service, self.facts.origin());
        }
        self.walk(now, shared, |walk| {
            walk.handle_recorded(now, ticket, length.unwrap_or_default());
        });
    }

    pub(super) fn handle_fetched(
        &mut self,
        now: Now,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
        shared: &mut Shared,
    ) {
        self.walk(now, shared, |walk| walk.handle_fetched(now, ticket, answer));
    }

    /// What became of somebody whom the flow dialled.
    pub(super) fn handle_dialled(
        &mut self,
        now: Now,
        ticket: Ticket,
        result: machine::DialResult,
        shared: &mut Shared,
    ) {
        if let Stage::Flow(walk) = &mut self.stage {
            walk.handle_dialled(now, ticket, result, self.facts.leg, shared);
        }
        self.perform(now, shared);
    }

    /// Somebody who is not the customer is off the line.
    pub(super) fn handle_left(&mut self, now: Now, leg: LegId, left: Left, shared: &mut Shared) {
        self.facts.others.remove(&leg);
        self.talk.leave(leg);
        let purpose = left.purpose.clone();
        match purpose {
            Purpose::Flow(ticket) => self.handle_dialled_left(now, leg, ticket, left, shared),
            Purpose::Agent(_) | Purpose::Guest | Purpose::Fetched(..) => {
                self.handle_party_left(now, leg, left, shared);
            }
            Purpose::Customer => self.handle_way_failed(now, leg, left, shared),
            // The desk's offer tells of it.
            Purpose::Ringing(_) => {}
        }
    }

    /// The one whom a flow dialled can be heard, answered or not.
    pub(super) fn hear_dialled(
        &mut self,
        now: Now,
        leg: LegId,
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        if !shared.run(leg, agreed) {
            return;
        }
        if let Stage::Flow(walk) = &mut self.stage {
            walk.silence_ringing(self.facts.leg, shared);
        }
        let guest = talk::Party::new(Role::Guest, Place::Together);
        self.talk.enter(leg, guest);
        self.note_media(now, agreed);
    }

    /// The one whom a flow dialled is off the line: the flow goes on, or ends with it.
    fn handle_dialled_left(
        &mut self,
        now: Now,
        leg: LegId,
        ticket: Ticket,
        left: Left,
        shared: &mut Shared,
    ) {
        let (result, hung_up) = (left.result, left.hung_up());
        self.facts.left.insert(leg, left);
        let was_ours = self.ours.is_some();
        self.handle_dialled(now, ticket, result, shared);
        // A flow that has nothing to say after it only passes the end on.
        if hung_up && !was_ours && self.ours.is_some() {
            self.ours = Some(Ending::by(EndedBy::Agent, "dialled_hung_up"));
        }
    }

    /// Something for the trail.
    pub(super) fn note(&mut self, now: Now, kind: TrailKind, detail: serde_json::Value) {
        self.facts.record.note(now, kind, detail);
    }

    /// Another agreement about the media of a line.
    pub(super) fn handle_news(&mut self, now: Now, leg: LegId, news: News, shared: &mut Shared) {
        let changed = !news.is_empty();
        for (kind, detail) in news {
            self.note(now, kind, detail);
        }
        let agreed = shared.lines.get(&leg).and_then(Line::agreed);
        let (held, codec) = agreed.map_or((false, None), |media| (media.held, Some(media.codec)));
        if let Some(party) = self.talk.get_mut(leg) {
            party.away = held;
        }
        if let Some(codec) = codec
            && changed
            && leg == self.facts.leg
        {
            self.learn_codec(now, codec);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Now, shared: &mut Shared) {
        self.deadline = None;
        let is_due = |until: &Instant| *until <= now.instant;
        match &mut self.stage {
            Stage::Opening { until, .. } if is_due(until) => {
                self.refuse(now, 503, "not_recorded", shared);
            }
            Stage::Answering { until, .. } if is_due(until) => {
                let ending = Ending::by(EndedBy::Network, "not_confirmed");
                self.hang_up(now, ending, Cause::Failure, shared);
            }
            Stage::Flow(_) | Stage::Calling(_) | Stage::Handled(_)
                if is_due(&self.length_limit) =>
            {
                self.give_up(now, "time_limit", shared);
            }
            Stage::Flow(walk) => {
                walk.handle_timeout(now, &mut self.facts, shared);
                self.perform(now, shared);
            }
            Stage::HangingUp { until } if is_due(until) => self.ended(now, UNCONFIRMED, shared),
            Stage::Closing { until, heard, .. } if is_due(until) => {
                let heard = heard.take();
                self.close(now, heard, shared);
            }
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Calling(_)
            | Stage::Handled(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => {}
        }
    }

    /// Enters the deadline that the call has now into the common list, and tells the media who hears
    /// whom.
    pub(super) fn settle(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Handled(_) | Stage::Flow(_) | Stage::Calling(_) = &self.stage {
            let music = self.music();
            self.talk.settle(music.as_ref(), shared);
        }
        self.engage(now, shared);
        if let Some(change) = self.facts.record.hand_out(now.instant) {
            shared.save(change);
        }
        let stage = match &self.stage {
            Stage::Flow(walk) => {
                let flow = walk.poll_timeout().unwrap_or(self.length_limit);
                Some(flow.min(self.length_limit))
            }
            Stage::Calling(_) | Stage::Handled(_) => Some(self.length_limit),
            Stage::Promised => None,
            Stage::Opening { until, .. }
            | Stage::Answering { until, .. }
            | Stage::HangingUp { until }
            | Stage::Closing { until, .. } => Some(*until),
            Stage::Gone => None,
        };
        let record = self.facts.record.poll_timeout();
        let record = record.filter(|_| !self.is_gone());
        let wanted = [stage, record].into_iter().flatten().min();
        if wanted == self.deadline {
            return;
        }
        if let Some(old) = self.deadline {
            shared.deadlines.remove(&(old, self.facts.key));
        }
        shared
            .deadlines
            .extend(wanted.map(|due| (due, self.facts.key)));
        self.deadline = wanted;
    }

    fn walk(&mut self, now: Now, shared: &mut Shared, step: impl FnOnce(&mut Walk)) {
        if let Stage::Flow(walk) = &mut self.stage {
            step(walk);
        }
        self.perform(now, shared);
    }

    /// Lets a published flow talk with the customer.
    fn begin_flow(&mut self, now: Now, serves: &Serving, shared: &mut Shared) -> bool {
        let Serving { library, flow } = serves;
        let Ok(mut session) = Session::new(Arc::clone(library), flow, &self.facts.caller) else {
            return false;
        };
        session.start(now);
        self.stage = Stage::Flow(Box::new(Walk::new(session)));
        self.perform(now, shared);
        true
    }

    /// Does what the flow wants done, until it wants nothing more.
    fn perform(&mut self, now: Now, shared: &mut Shared) {
        loop {
            let Stage::Flow(walk) = &mut self.stage else {
                return;
            };
            let Some(output) = walk.poll_output() else {
                return;
            };
            match output {
                machine::Output::Step(step) => {
                    if let Did::Recorded { .. } = step.did {
                        self.facts.told_of_messages();
                    }
                    self.facts.record.step(now, &step);
                    self.note_answer(now, &step, shared);
                }
                machine::Output::HangUp { cause } => {
                    self.hang_up(now, Ending::ours("flow_ended"), sip_cause(cause), shared);
                }
                machine::Output::Play { .. }
                | machine::Output::StopPlaying { .. }
                | machine::Output::Queue { .. }
                | machine::Output::LeaveQueue { .. }
                | machine::Output::Dial { .. }
                | machine::Output::CancelDial { .. }
                | machine::Output::Fetch { .. }
                | machine::Output::CancelFetch { .. }
                | machine::Output::Record { .. }
                | machine::Output::StopRecording { .. } => {
                    walk.perform(now, output, &mut self.facts, shared);
                }
            }
        }
    }

    /// The SIP call of the customer.
    fn sip(&self, shared: &Shared) -> Option<CallId> {
        shared.lines.get(&self.facts.leg)?.sip()
    }

    fn learn_state(&mut self, now: Now, state: InteractionState) {
        let update = InteractionUpdate {
            state: Some(state),
            ..InteractionUpdate::default()
        };
        self.facts.record.learn(now, &update);
    }

    fn learn_agent(&mut self, now: Now, agent: &UserId) {
        let update = InteractionUpdate {
            state: Some(InteractionState::Talking),
            agent: Some(agent.clone()),
            ..InteractionUpdate::default()
        };
        self.facts.record.learn(now, &update);
    }

    /// What the service plays to who is held.
    fn music(&self) -> Option<desk::id::PromptId> {
        let service = self.service()?;
        self.facts.company.services.get(service)?.music.clone()
    }

    fn service(&self) -> Option<&ServiceId> {
        match &self.stage {
            Stage::Handled(handled) => handled.service.as_ref(),
            Stage::Calling(calling) => calling.service.as_ref(),
            Stage::Promised => self.promised.as_ref().map(|promise| &promise.service),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => None,
        }
    }
}

fn hanging_up(now: Now) -> Stage {
    Stage::HangingUp {
        until: now.instant + HANGING_UP_MAX,
    }
}

fn opened(
    now: Now,
    interaction: &InteractionId,
    invite: &Incoming,
    dialled: &Dialled,
    shared: &Shared,
) -> Box<InteractionOpened> {
    let (number, flow) = match &dialled.to {
        To::Number { number, flow, .. } => (Some(number.clone()), Some(flow.clone())),
        To::Device(_) | To::Outside(_) => (None, None),
    };
    let Dialled {
        company,
        trunk,
        device,
        ..
    } = dialled;
    Box::new(InteractionOpened {
        id: interaction.clone(),
        company: company.id.clone(),
        instance: shared.config.instance.clone(),
        medium: Medium::Phone,
        direction: desk::record::Direction::Inbound,
        from: invite.caller.number.clone(),
        from_name: invite.caller.display_name.clone().unwrap_or_default(),
        to: invite.dialled.clone(),
        number,
        trunk: trunk.clone(),
        device: device.clone(),
        flow,
        sip_call_id: invite.sip_call_id.clone(),
        started_ms: now.wall.as_millisecond(),
        protocol_day: day(now, company),
    })
}

/// The key of a telephone, in the words of a flow.
fn key_of(key: dtmf::Key) -> Key {
    Key::new(key.as_char()).unwrap_or(Key::HASH)
}

fn sip_cause(cause: ivr::Cause) -> Cause {
    match cause {
        ivr::Cause::Normal => Cause::Normal,
        ivr::Cause::Busy => Cause::Busy,
        ivr::Cause::NoAnswer => Cause::NoAnswer,
        ivr::Cause::Rejected | ivr::Cause::Failure => Cause::Failure,
    }
}

/// The day in the company's zone, as YYYYMMDD.
fn day(now: Now, company: &Company) -> u32 {
    let date = now.wall.to_zoned(company.zone.clone()).date();
    let year = u32::from(date.year().unsigned_abs());
    year * 10_000
        + u32::from(date.month().unsigned_abs()) * 100
        + u32::from(date.day().unsigned_abs())
}

/// How a call ended whose end nobody confirmed.
const UNCONFIRMED: End = End {
    by: Party::Us,
    status: None,
    reason: None,
};

/// When a refused caller's carrier may try again: long enough for a wave to pass.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// How long the record may take to become durable. The store gives up after 5 s by itself; a caller
/// who hears nothing for longer than this has hung up.
const OPENING_MAX: Duration = Duration::from_secs(8);

/// How long the ACK may take. The endpoint gives up after 32 s by itself (64 times T1 of RFC 3261
/// section 13.3.1.4).
const ANSWERING_MAX: Duration = Duration::from_secs(40);

/// How long the endpoint may take to tell that a call is over: it tells at once, or has lost it.
const HANGING_UP_MAX: Duration = Duration::from_secs(40);

/// The longest call: nobody talks for longer, and a line that was forgotten must not cost a
/// carrier's minutes for ever.
const LENGTH_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// How long the media may take for their last report.
const LAST_WORD_MAX: Duration = Duration::from_secs(2);

/// How long the end of a call waits for its message to be put away, so that one record tells of
/// both; the message itself is kept whenever that is done.
const MESSAGE_KEPT_MAX: Duration = Duration::from_secs(30);

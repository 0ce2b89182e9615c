//! One inbound call, from the INVITE to the last line of its record.

mod agent;
mod media;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use desk::id::InteractionId;
use desk::record::{EndedBy, InteractionOpened, Medium, Quality, TrailKind};
use ivr::machine::{self, Caller, Did, FetchFailure, Fetched, Session, Ticket};
use ivr::{Key, Now};
use media_engine::dtmf::{
    self,
    pair::{Pairing, Way},
};
use media_engine::leg::{LegId, PlayId};
use media_engine::sdp::negotiate::Negotiation;
use media_engine::sip::CallId;
use media_engine::sip::call::{CallEvent, Cause, End, Incoming, Party};
use serde_json::json;

use crate::directory::Company;

use super::Shared;
use super::admission::{Dialled, Serving, admit};
use super::dialling::Left;
use super::ending::Ending;
use super::facts::Facts;
use super::flow::Walk;
use super::output::{MediaCommand, Output, Recording, SipCommand, Toward};
use super::record::Record;

/// One inbound call.
#[derive(Debug)]
pub(super) struct Call {
    facts: Facts,
    serves: Serving,
    peer: SocketAddr,
    stage: Stage,
    /// The agreement about its media, from the moment its port is open.
    negotiation: Option<Box<Negotiation>>,
    /// Whether its media run.
    started: bool,
    /// Why we ended it, if we did.
    ours: Option<Ending>,
    /// When it ends, whoever still holds the line.
    length_limit: Instant,
    deadline: Option<Instant>,
    pressed: Pairing,
}

#[derive(Debug)]
enum Stage {
    /// The record is being written and the port opened; the caller hears nothing yet.
    Opening {
        offer: Option<Bytes>,
        recorded: bool,
        address: Option<SocketAddr>,
        until: Instant,
    },
    /// 200 is on its way; the flow begins when the ACK is here.
    Answering {
        until: Instant,
    },
    /// The flow talks with the caller.
    Talking(Box<Walk>),
    /// We asked for the end and wait for the other side to know.
    HangingUp {
        until: Instant,
    },
    /// The SIP side is over; the media have their last word until then.
    Closing {
        ended_ms: i64,
        ending: Ending,
        /// The caller's media had theirs; those of somebody dialled have not.
        heard: Option<Quality>,
        until: Instant,
    },
    Gone,
}

impl Call {
    /// A call came in. It is refused at once when nobody here has that number.
    pub(super) fn begin(
        now: Now,
        id: CallId,
        invite: Incoming,
        calls: usize,
        shared: &mut Shared,
    ) -> Option<Self> {
        let dialled = match admit(&invite, calls, shared) {
            Ok(admitted) => admitted,
            Err(status) => {
                let retry_after = (status == 503).then_some(RETRY_AFTER);
                shared.sip(SipCommand::Reject {
                    call: id,
                    status,
                    retry_after,
                });
                return None;
            }
        };
        let interaction = InteractionId::new(now.wall.as_millisecond(), &mut shared.random);
        let mut opened = Box::new(opened(now, &interaction, &invite, &dialled));
        opened.instance = shared.config.instance.clone();
        shared.outputs.push_back(Output::Open { call: id, opened });
        let from = if invite.caller.private {
            ""
        } else {
            &invite.caller.number
        };
        let facts = Facts {
            id,
            leg: shared.new_leg(id),
            company: dialled.company,
            record: Record::new(interaction),
            caller: Caller {
                from: from.to_owned(),
                to: invite.dialled.clone(),
                protocol: String::new(),
            },
            messages: Vec::new(),
            left: BTreeMap::new(),
        };
        let mut call = Self {
            facts,
            serves: dialled.serves,
            peer: invite.flow.remote,
            stage: Stage::Opening {
                offer: invite.offer.clone(),
                recorded: false,
                address: None,
                until: now.instant + OPENING_MAX,
            },
            negotiation: None,
            started: false,
            ours: None,
            length_limit: now.instant + LENGTH_MAX,
            deadline: None,
            pressed: Pairing::default(),
        };
        let arrived = json!({
            "transport": invite.flow.transport.as_str(),
            "request_uri": invite.request_uri,
            "user_agent": invite.user_agent,
            "private": invite.caller.private,
            "diverted_from": invite.caller.diverted_from,
        });
        call.facts.record.note(now, TrailKind::Arrived, arrived);
        let toward = Toward::Address(call.peer.ip());
        let beside = None;
        shared.media(call.facts.leg, MediaCommand::Open { toward, beside });
        call.settle(now, shared);
        Some(call)
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(&self.stage, Stage::Talking(walk) if walk.is_waiting())
    }

    /// Something happened to its SIP side.
    pub(super) fn handle_event(&mut self, now: Now, event: CallEvent, shared: &mut Shared) {
        match event {
            CallEvent::Confirmed { sdp, .. } => self.confirmed(now, sdp.as_ref(), shared),
            CallEvent::Offered { sdp, .. } => self.offered(now, sdp.as_ref(), shared),
            CallEvent::OfferAnswered { sdp, .. } => self.agree(now, &sdp, shared),
            CallEvent::Info {
                content_type, body, ..
            } => {
                let content_type = String::from_utf8_lossy(&content_type);
                if let Some(pressed) = dtmf::info::read(&content_type, &body) {
                    self.handle_key(now, pressed.key, Way::Info, shared);
                }
            }
            // Nobody on this side of a call may have others called at the company's cost.
            CallEvent::Transfer { call, .. } => {
                shared.sip(SipCommand::RefuseTransfer { call, status: 603 });
            }
            CallEvent::Ended { end, .. } => self.ended(now, end, shared),
            // These tell of calls that we place.
            CallEvent::Incoming { .. }
            | CallEvent::Ringing { .. }
            | CallEvent::EarlyMedia { .. }
            | CallEvent::Answered { .. }
            | CallEvent::TransferProgress { .. }
            | CallEvent::OfferRejected { .. } => {}
        }
    }

    /// The record is durable.
    pub(super) fn handle_opened(&mut self, now: Now, protocol: String, shared: &mut Shared) {
        self.facts.caller.protocol = protocol;
        if let Stage::Opening { recorded, .. } = &mut self.stage {
            *recorded = true;
            self.answer(now, shared);
        }
    }

    /// The record could not be written. A call that is over already is only over.
    pub(super) fn handle_not_opened(&mut self, now: Now, shared: &mut Shared) {
        if matches!(self.stage, Stage::Opening { .. }) {
            self.refuse(now, 503, "not_recorded", shared);
        }
    }

    /// The port is open, or there is none.
    pub(super) fn handle_leg_opened(
        &mut self,
        now: Now,
        opened: Option<SocketAddr>,
        shared: &mut Shared,
    ) {
        let Stage::Opening { address, .. } = &mut self.stage else {
            return;
        };
        let Some(opened) = opened else {
            return self.refuse(now, 503, "no_media_capacity", shared);
        };
        *address = Some(opened);
        self.answer(now, shared);
    }

    /// A key was pressed; some telephones tell of each press on both ways.
    pub(super) fn handle_key(&mut self, now: Now, key: dtmf::Key, way: Way, shared: &mut Shared) {
        if !self.pressed.is_new(now.instant, key, way) {
            return;
        }
        let key = key_of(key);
        self.walk(now, shared, |walk| walk.session.handle_key(now, key));
    }

    pub(super) fn handle_played(&mut self, now: Now, play: PlayId, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_played(now, play, self.facts.leg, shared);
        }
        self.perform(now, shared);
        self.leave_at_the_end(now, shared);
    }

    pub(super) fn handle_unanswered(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_unanswered(now, self.facts.leg, shared);
        }
        self.perform(now, shared);
        self.leave_at_the_end(now, shared);
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
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
            if message.told || !matches!(self.stage, Stage::Talking(_)) {
                // The flow went on, or is over: it cannot tell any more.
                let detail = json!({ "seconds": recording.length.as_secs(), "late": true });
                self.facts.record.note(now, TrailKind::MessageLeft, detail);
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
        self.walk(now, shared, |walk| {
            walk.session.handle_fetched(now, ticket, answer)
        });
    }

    pub(super) fn handle_dialled(
        &mut self,
        now: Now,
        ticket: Ticket,
        result: machine::DialResult,
        shared: &mut Shared,
    ) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_dialled(now, ticket, result, self.facts.leg, shared);
        }
        self.perform(now, shared);
    }

    /// The one who was dialled is off the line: the flow goes on, or ends with it.
    pub(super) fn handle_dialled_left(
        &mut self,
        now: Now,
        leg: LegId,
        left: Left,
        shared: &mut Shared,
    ) {
        let (ticket, result) = (left.ticket(), left.result);
        let hung_up = left.ending.by == EndedBy::Agent && result == machine::DialResult::Ended;
        self.facts.left.insert(leg, left);
        let was_ours = self.ours.is_some();
        if let Some(ticket) = ticket {
            self.handle_dialled(now, ticket, result, shared);
        }
        // A flow that has nothing to say after it only passes the end on.
        if hung_up && !was_ours && self.ours.is_some() {
            self.ours = Some(Ending::by(EndedBy::Agent, "dialled_hung_up"));
        }
    }

    /// Something about the one who was dialled, for the trail.
    pub(super) fn note(&mut self, now: Now, kind: TrailKind, detail: serde_json::Value) {
        self.facts.record.note(now, kind, detail);
    }

    /// The called telephone rings: the caller hears it.
    pub(super) fn handle_ringing(&mut self, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_ringing(self.facts.leg, shared);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Now, shared: &mut Shared) {
        self.deadline = None;
        let is_due = |until: &Instant| *until <= now.instant;
        match &mut self.stage {
            Stage::Opening { until, .. } if is_due(until) => {
                self.refuse(now, 503, "not_recorded", shared);
            }
            Stage::Answering { until } if is_due(until) => {
                let ending = Ending::by(EndedBy::Network, "not_confirmed");
                self.hang_up(now, ending, Cause::Failure, shared);
            }
            Stage::Talking(_) if is_due(&self.length_limit) => {
                self.give_up(now, "time_limit", shared);
            }
            Stage::Talking(walk) => {
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
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => {}
        }
    }

    /// The media of a leg have had their last word: the caller's, or a dialled one's.
    pub(super) fn handle_leg_closed(
        &mut self,
        now: Now,
        leg: LegId,
        quality: Option<Quality>,
        shared: &mut Shared,
    ) {
        if leg != self.facts.leg {
            if let Some(left) = self.facts.left.remove(&leg) {
                self.note(now, TrailKind::DialledLeft, left.describe(quality));
            }
            if let Stage::Closing { heard, .. } = &mut self.stage
                && self.facts.left.is_empty()
                && let Some(heard) = heard.take()
            {
                self.close(now, Some(heard), shared);
            }
            return;
        }
        match &mut self.stage {
            Stage::Closing { heard, .. } if quality.is_some() && !self.facts.left.is_empty() => {
                *heard = quality;
            }
            Stage::Closing { .. }
            | Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Talking(_)
            | Stage::HangingUp { .. }
            | Stage::Gone => self.close(now, quality, shared),
        }
    }

    /// Refuses a call that was not answered yet.
    fn refuse(&mut self, now: Now, status: u16, cause: &'static str, shared: &mut Shared) {
        let retry_after = (status == 503).then_some(RETRY_AFTER);
        self.ours.get_or_insert(Ending::ours(cause));
        let detail = json!({ "status": status, "cause": cause });
        self.facts.record.note(now, TrailKind::Refused, detail);
        self.stage = hanging_up(now);
        shared.sip(SipCommand::Reject {
            call: self.facts.id,
            status,
            retry_after,
        });
    }

    /// Ends the call because something of ours wants it so.
    pub(super) fn give_up(&mut self, now: Now, cause: &'static str, shared: &mut Shared) {
        let ending = Ending::ours(cause);
        match &self.stage {
            Stage::Opening { .. } => self.refuse(now, 503, cause, shared),
            Stage::Answering { .. } => self.hang_up(now, ending, Cause::Failure, shared),
            Stage::Talking(_) => {
                self.leave_flow(now, shared);
                self.hang_up(now, ending, Cause::Normal, shared);
            }
            Stage::HangingUp { .. } | Stage::Closing { .. } | Stage::Gone => {}
        }
    }

    /// Enters the deadline that the call has now into the common list.
    pub(super) fn settle(&mut self, now: Now, shared: &mut Shared) {
        if let Some(change) = self.facts.record.hand_out(now.instant) {
            shared.save(change);
        }
        let stage = match &self.stage {
            Stage::Talking(walk) => {
                let flow = walk.poll_timeout().unwrap_or(self.length_limit);
                Some(flow.min(self.length_limit))
            }
            Stage::Opening { until, .. }
            | Stage::Answering { until }
            | Stage::HangingUp { until }
            | Stage::Closing { until, .. } => Some(*until),
            Stage::Gone => None,
        };
        let record = self.facts.record.poll_timeout();
        let wanted = stage.map(|stage| record.map_or(stage, |record| record.min(stage)));
        if wanted == self.deadline {
            return;
        }
        if let Some(old) = self.deadline {
            shared.deadlines.remove(&(old, self.facts.id));
        }
        shared
            .deadlines
            .extend(wanted.map(|due| (due, self.facts.id)));
        self.deadline = wanted;
    }

    /// The ACK is here: the caller listens.
    fn confirmed(&mut self, now: Now, sdp: Option<&Bytes>, shared: &mut Shared) {
        if !matches!(self.stage, Stage::Answering { .. }) {
            return;
        }
        if let Some(sdp) = sdp {
            self.agree(now, sdp, shared);
        }
        if !self.started {
            let ending = Ending::ours("no_common_media");
            return self.hang_up(now, ending, Cause::Media, shared);
        }
        let Serving { library, flow } = &self.serves;
        let Ok(mut session) = Session::new(Arc::clone(library), flow, &self.facts.caller) else {
            return self.hang_up(now, Ending::ours("no_flow"), Cause::Failure, shared);
        };
        session.start(now);
        self.stage = Stage::Talking(Box::new(Walk::new(session)));
        self.perform(now, shared);
    }

    fn walk(&mut self, now: Now, shared: &mut Shared, step: impl FnOnce(&mut Walk)) {
        if let Stage::Talking(walk) = &mut self.stage {
            step(walk);
        }
        self.perform(now, shared);
    }

    /// Does what the flow wants done, until it wants nothing more.
    fn perform(&mut self, now: Now, shared: &mut Shared) {
        loop {
            let Stage::Talking(walk) = &mut self.stage else {
                return;
            };
            let Some(output) = walk.session.poll_output() else {
                return;
            };
            match output {
                machine::Output::Step(step) => {
                    if let Did::Recorded { .. } = step.did {
                        self.facts.told_of_messages();
                    }
                    self.facts.record.step(now, &step);
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

    fn hang_up(&mut self, now: Now, ending: Ending, cause: Cause, shared: &mut Shared) {
        self.stop_doing(now, shared);
        self.ours.get_or_insert(ending);
        self.stage = hanging_up(now);
        shared.hang_up(self.facts.id, cause);
    }

    /// The flow is over before its end, whoever ended the call.
    fn leave_flow(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.session.handle_left(now);
        }
        self.perform(now, shared);
        self.stop_doing(now, shared);
    }

    /// Whatever the flow had begun ends with it.
    fn stop_doing(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.leave(now, &mut self.facts, shared);
        }
    }

    /// The SIP side is over.
    fn ended(&mut self, now: Now, end: End, shared: &mut Shared) {
        self.leave_flow(now, shared);
        shared.media(self.facts.leg, MediaCommand::Close);
        let patience = if self.facts.messages.is_empty() {
            LAST_WORD_MAX
        } else {
            MESSAGE_KEPT_MAX
        };
        self.stage = Stage::Closing {
            ended_ms: now.wall.as_millisecond(),
            ending: Ending::of_caller(end, self.ours.take()),
            heard: None,
            until: now.instant + patience,
        };
        if !self.started {
            self.close(now, None, shared); // Media that never ran have no last word.
        }
    }

    /// The last lines of the record.
    fn close(&mut self, now: Now, quality: Option<Quality>, shared: &mut Shared) {
        self.leave_flow(now, shared);
        let (ended_ms, ending) = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Closing {
                ended_ms, ending, ..
            } => (ended_ms, ending),
            Stage::Gone => return,
            // The media died under a call that is not over: the thread's fault, not the caller's.
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Talking(_)
            | Stage::HangingUp { .. } => {
                shared.hang_up(self.facts.id, Cause::Failure);
                let ours = self.ours.take();
                let ending = ours.unwrap_or_else(|| Ending::ours("media_failed"));
                (now.wall.as_millisecond(), ending)
            }
        };
        for (leg, left) in std::mem::take(&mut self.facts.left) {
            shared.parting.remove(&leg);
            self.note(now, TrailKind::DialledLeft, left.describe(None));
        }
        shared.forget(&mut self.facts);
        shared.save(self.facts.record.end(now, ended_ms, ending, quality));
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
) -> InteractionOpened {
    InteractionOpened {
        id: interaction.clone(),
        company: dialled.company.id.clone(),
        instance: None,
        medium: Medium::Phone,
        direction: desk::record::Direction::Inbound,
        from: invite.caller.number.clone(),
        from_name: invite.caller.display_name.clone().unwrap_or_default(),
        to: invite.dialled.clone(),
        number: dialled.number.clone(),
        trunk: dialled.trunk.clone(),
        device: dialled.device.clone(),
        flow: dialled.flow.clone(),
        sip_call_id: invite.sip_call_id.clone(),
        started_ms: now.wall.as_millisecond(),
        protocol_day: day(now, &dialled.company),
    }
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

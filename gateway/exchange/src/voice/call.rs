//! One inbound call, from the INVITE to the last line of its record.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use desk::id::{FlowId, InteractionId};
use desk::record::{
    EndedBy, InteractionEnd, InteractionOpened, InteractionState, InteractionUpdate, Medium,
    Quality, TrailKind,
};
use ivr::machine::{self, Caller, FetchFailure, Fetched, Session, Ticket};
use ivr::{Key, Now};
use media_engine::codec::Codec;
use media_engine::dtmf::{
    self,
    pair::{Pairing, Way},
};
use media_engine::leg::{LegId, PlayId};
use media_engine::sdp::MediaParameters;
use media_engine::sdp::negotiate::Negotiation;
use media_engine::sip::CallId;
use media_engine::sip::call::{CallEvent, Cause, End, Incoming};
use serde_json::json;

use crate::directory::Company;

use super::Shared;
use super::admission::admit;
use super::facts::{Facts, leg_config, local_media, offer_plain};
use super::flow::Walk;
use super::output::{MediaCommand, Output, Recording, SipCommand, Toward};
use super::record::{self, Record};

/// One inbound call.
#[derive(Debug)]
pub(super) struct Call {
    facts: Facts,
    flow: FlowId,
    peer: SocketAddr,
    stage: Stage,
    /// The agreement about its media, from the moment its port is open.
    negotiation: Option<Box<Negotiation>>,
    /// Whether its media run.
    started: bool,
    /// Why we ended it, in one word, if we did.
    cause: Option<&'static str>,
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
    },
    /// 200 is on its way; the flow begins when the ACK is here.
    Answering,
    /// The flow talks with the caller.
    Talking(Box<Walk>),
    /// We asked for the end and wait for the other side to know.
    HangingUp,
    /// The SIP side is over; the media have their last word until then.
    Closing {
        end: End,
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
        let (dialled, (flow, version)) = match admit(&invite, calls, shared) {
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
        let leg = shared.new_leg(id);
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
        let facts = Facts {
            id,
            leg,
            company: dialled.company,
            record: Record::new(interaction.clone()),
            caller,
            message: None,
        };
        let mut call = Self {
            facts,
            flow: flow.clone(),
            peer: invite.flow.remote,
            stage: Stage::Opening {
                offer: invite.offer.clone(),
                recorded: false,
                address: None,
            },
            negotiation: None,
            started: false,
            cause: None,
            deadline: None,
            pressed: Pairing::default(),
        };
        let opened = InteractionOpened {
            id: interaction,
            company: call.facts.company.id.clone(),
            medium: Medium::Phone,
            direction: desk::record::Direction::Inbound,
            from: invite.caller.number.clone(),
            from_name: invite.caller.display_name.clone().unwrap_or_default(),
            to: invite.dialled.clone(),
            number: Some(dialled.number),
            trunk: dialled.trunk,
            device: dialled.device,
            sip_call_id: invite.sip_call_id.clone(),
            started_ms: now.wall.as_millisecond(),
            protocol_day: day(now, &call.facts.company),
        };
        shared.outputs.push_back(Output::Open {
            call: id,
            opened: Box::new(opened),
        });
        let arrived = json!({
            "transport": invite.flow.transport.as_str(),
            "request_uri": invite.request_uri,
            "user_agent": invite.user_agent,
            "private": invite.caller.private,
            "diverted_from": invite.caller.diverted_from,
        });
        call.trail(now, TrailKind::Arrived, arrived, shared);
        let serves = InteractionUpdate {
            flow: Some((flow, version)),
            ..Default::default()
        };
        shared.save(call.facts.record.update(serves));
        shared.media(
            leg,
            MediaCommand::Open {
                toward: Toward::Address(call.peer.ip()),
                beside: None,
            },
        );
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
            CallEvent::Ended { end, .. } => self.ended(now, end, shared),
            // These tell of calls that we place.
            CallEvent::Incoming { .. }
            | CallEvent::Ringing { .. }
            | CallEvent::EarlyMedia { .. }
            | CallEvent::Answered { .. }
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

    /// The caller, or whoever was dialled for it, speaks another codec.
    pub(super) fn handle_codec(&mut self, now: Now, leg: LegId, codec: Codec, shared: &mut Shared) {
        let by = if leg == self.facts.leg {
            "caller"
        } else {
            "dialled"
        };
        let detail = json!({ "codec": codec.name(), "by": by });
        self.trail(now, TrailKind::MediaChanged, detail, shared);
    }

    pub(super) fn handle_played(&mut self, now: Now, play: PlayId, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_played(now, play, self.facts.leg, shared);
        }
        self.perform(now, shared);
    }

    pub(super) fn handle_unanswered(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_unanswered(now, self.facts.leg, shared);
        }
        self.perform(now, shared);
    }

    pub(super) fn handle_recorded(
        &mut self,
        now: Now,
        recording: Option<Recording>,
        shared: &mut Shared,
    ) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_recorded(now, recording, &mut self.facts, shared);
            self.perform(now, shared);
        } else if let (Some(message), Some(recording)) = (self.facts.message.take(), recording) {
            shared.keep(now, recording, message.service, &self.facts);
        }
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

    /// The called telephone rings: the caller hears it.
    pub(super) fn handle_ringing(&mut self, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_ringing(self.facts.leg, shared);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Now, shared: &mut Shared) {
        self.deadline = None;
        match &mut self.stage {
            Stage::Talking(walk) => {
                walk.handle_timeout(now, &mut self.facts, shared);
                self.perform(now, shared);
            }
            Stage::Closing { until, .. } if *until <= now.instant => self.close(now, None, shared),
            Stage::Closing { .. }
            | Stage::Opening { .. }
            | Stage::Answering
            | Stage::HangingUp
            | Stage::Gone => {}
        }
    }

    /// The media have had their last word.
    pub(super) fn handle_leg_closed(
        &mut self,
        now: Now,
        quality: Option<Quality>,
        shared: &mut Shared,
    ) {
        self.close(now, quality, shared);
    }

    /// Refuses a call that was not answered yet.
    fn refuse(&mut self, now: Now, status: u16, cause: &'static str, shared: &mut Shared) {
        let retry_after = (status == 503).then_some(RETRY_AFTER);
        self.cause.get_or_insert(cause);
        self.trail(
            now,
            TrailKind::Refused,
            json!({ "status": status, "cause": cause }),
            shared,
        );
        self.stage = Stage::HangingUp;
        shared.sip(SipCommand::Reject {
            call: self.facts.id,
            status,
            retry_after,
        });
    }

    /// Ends the call because something of ours wants it so.
    pub(super) fn give_up(&mut self, now: Now, cause: &'static str, shared: &mut Shared) {
        match &mut self.stage {
            Stage::Opening { .. } => self.refuse(now, 503, cause, shared),
            Stage::Answering => self.hang_up(now, cause, Cause::Failure, shared),
            Stage::Talking(walk) => {
                walk.session.handle_left(now);
                self.perform(now, shared);
                self.hang_up(now, cause, Cause::Normal, shared);
            }
            Stage::HangingUp | Stage::Closing { .. } | Stage::Gone => {}
        }
    }

    /// Enters the deadline that the call has now into the common list.
    pub(super) fn settle(&mut self, shared: &mut Shared) {
        let wanted = match &self.stage {
            Stage::Talking(walk) => walk.poll_timeout(),
            Stage::Closing { until, .. } => Some(*until),
            Stage::Opening { .. } | Stage::Answering | Stage::HangingUp | Stage::Gone => None,
        };
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

    /// Answers as soon as the record is durable and the port open.
    fn answer(&mut self, now: Now, shared: &mut Shared) {
        let Stage::Opening {
            offer,
            recorded: true,
            address: Some(address),
        } = &self.stage
        else {
            return;
        };
        let offer = offer.clone();
        let mut negotiation = Negotiation::new(local_media(*address, self.peer.ip(), shared));
        let sdp = match offer {
            None => offer_plain(&mut negotiation),
            Some(offer) => match negotiation.answer(&offer) {
                Ok(answer) => {
                    self.agreed(now, &answer.media, shared);
                    answer.sdp
                }
                Err(error) => return self.refuse(now, error.status(), "no_common_media", shared),
            },
        };
        self.negotiation = Some(Box::new(negotiation));
        self.stage = Stage::Answering;
        shared.sip(SipCommand::Answer {
            call: self.facts.id,
            sdp,
        });
    }

    /// The ACK is here: the caller listens.
    fn confirmed(&mut self, now: Now, sdp: Option<&Bytes>, shared: &mut Shared) {
        if !matches!(self.stage, Stage::Answering) {
            return;
        }
        if let Some(sdp) = sdp {
            self.agree(now, sdp, shared);
        }
        if !self.started {
            return self.hang_up(now, "no_common_media", Cause::Media, shared);
        }
        let library = self.facts.company.library.clone();
        let begun = Session::new(
            library,
            &ivr::FlowId::new(self.flow.as_str()),
            &self.facts.caller,
        );
        let Ok(mut session) = begun else {
            return self.hang_up(now, "no_flow", Cause::Failure, shared);
        };
        session.start(now);
        self.stage = Stage::Talking(Box::new(Walk::new(session)));
        self.perform(now, shared);
    }

    /// The peer answered an offer of ours.
    fn agree(&mut self, now: Now, sdp: &Bytes, shared: &mut Shared) {
        let Some(negotiation) = &mut self.negotiation else {
            return;
        };
        match negotiation.read_answer(sdp) {
            Ok(media) => self.agreed(now, &media, shared),
            Err(_) => self.hang_up(now, "no_common_media", Cause::Media, shared),
        }
    }

    /// The peer wants other media, or to hold us, or an offer of ours.
    fn offered(&mut self, now: Now, sdp: Option<&Bytes>, shared: &mut Shared) {
        let call = self.facts.id;
        let Some(negotiation) = &mut self.negotiation else {
            return shared.sip(SipCommand::RejectOffer { call, status: 488 });
        };
        let Some(sdp) = sdp else {
            let sdp = offer_plain(negotiation);
            return shared.sip(SipCommand::AcceptOffer { call, sdp });
        };
        let was_held = negotiation.agreed().is_some_and(|media| media.held);
        match negotiation.answer(sdp) {
            Ok(answer) => {
                let held = answer.media.held;
                shared.sip(SipCommand::AcceptOffer {
                    call,
                    sdp: answer.sdp,
                });
                self.agreed(now, &answer.media, shared);
                match (was_held, held) {
                    (false, true) => self.trail(now, TrailKind::Held, json!({}), shared),
                    (true, false) => self.trail(now, TrailKind::Resumed, json!({}), shared),
                    (true, true) | (false, false) => {}
                }
            }
            Err(error) => shared.sip(SipCommand::RejectOffer {
                call,
                status: error.status(),
            }),
        }
    }

    /// Tells the media what was agreed on.
    fn agreed(&mut self, now: Now, media: &MediaParameters, shared: &mut Shared) {
        let config = Box::new(leg_config(media, Some(self.peer), shared));
        let codec = config.codec.name();
        let detail = json!({ "codec": codec, "encrypted": config.srtp.is_some() });
        if std::mem::replace(&mut self.started, true) {
            shared.media(self.facts.leg, MediaCommand::Reconfigure(config));
            return self.trail(now, TrailKind::MediaChanged, detail, shared);
        }
        shared.media(self.facts.leg, MediaCommand::Start(config));
        let answered = InteractionUpdate {
            state: Some(InteractionState::Flow),
            answered_ms: Some(now.wall.as_millisecond()),
            codec: Some(codec.to_owned()),
            ..Default::default()
        };
        shared.save(self.facts.record.update(answered));
        self.trail(now, TrailKind::Answered, detail, shared);
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
                    let change = self.facts.record.step(&step);
                    shared.save(change);
                }
                machine::Output::HangUp { cause } => {
                    self.hang_up(now, "flow_ended", sip_cause(cause), shared);
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

    fn hang_up(&mut self, now: Now, why: &'static str, cause: Cause, shared: &mut Shared) {
        self.leave_flow(now, shared);
        self.cause.get_or_insert(why);
        self.stage = Stage::HangingUp;
        shared.hang_up(self.facts.id, cause);
    }

    /// Whatever the flow had begun ends with it.
    fn leave_flow(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.leave(now, &mut self.facts, shared);
        }
    }

    /// The SIP side is over.
    fn ended(&mut self, now: Now, end: End, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.session.handle_left(now);
        }
        self.perform(now, shared);
        self.leave_flow(now, shared);
        shared.media(self.facts.leg, MediaCommand::Close);
        let patience = match self.facts.message {
            Some(_) => MESSAGE_KEPT_MAX,
            None => LAST_WORD_MAX,
        };
        self.stage = Stage::Closing {
            end,
            until: now.instant + patience,
        };
        if !self.started {
            self.close(now, None, shared); // Media that never ran have no last word.
        }
    }

    /// The last lines of the record.
    fn close(&mut self, now: Now, quality: Option<Quality>, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.session.handle_left(now);
            self.perform(now, shared);
            self.leave_flow(now, shared);
        }
        let end = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Closing { end, .. } => record::end_of(now, &end, self.cause, quality),
            Stage::Gone => return,
            // The media died under a call that is not over: the thread's fault, not the caller's.
            Stage::Opening { .. } | Stage::Answering | Stage::Talking(_) | Stage::HangingUp => {
                shared.hang_up(self.facts.id, Cause::Failure);
                InteractionEnd {
                    ended_ms: now.wall.as_millisecond(),
                    by: EndedBy::Ramal,
                    cause: self.cause.unwrap_or("media_failed").to_owned(),
                    sip_status: None,
                    quality,
                }
            }
        };
        shared.legs.remove(&self.facts.leg);
        for change in self.facts.record.end(end) {
            shared.save(change);
        }
    }

    fn trail(&mut self, now: Now, kind: TrailKind, detail: serde_json::Value, shared: &mut Shared) {
        let line = self
            .facts
            .record
            .trail(now.wall.as_millisecond(), kind, detail);
        shared.save(line);
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

/// When a refused caller's carrier may try again: long enough for a wave to pass.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// How long the media may take for their last report.
const LAST_WORD_MAX: Duration = Duration::from_secs(2);

/// How long a message may take to be put away: a slow disk must not lose what somebody said.
const MESSAGE_KEPT_MAX: Duration = Duration::from_secs(30);

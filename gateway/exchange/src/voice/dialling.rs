//! Calls that we place for a flow or to an agent, and the joining of the two parties.
//!
//! ```text
//!  dial ─▶ OpeningPort ─▶ Asking ─▶ Dialled (ringing) ─▶ Joined ─▶ (gone)
//! ```
//!
//! For a flow the caller hears what the called telephone lets them hear; who waits for an agent hears
//! the waiting music until a phone was answered and its agent has the work.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use desk::change::PauseReason;
use desk::decision::OfferId;
use desk::id::{CompanyId, DeviceId, UserId};
use desk::record::{EndedBy, Quality, TrailKind};
use ivr::machine::{DialResult, Ticket};
use ivr::{Destination, Now};
use media_engine::leg::LegId;
use media_engine::sdp::negotiate::Negotiation;
use media_engine::sip::call::{CallEvent, Caller, Cause, Dial, End, Target};
use media_engine::sip::{AccountId, CallId, TrunkId};

use media_engine::sdp::MediaParameters;
use serde_json::{Map, Value, json};

use super::ending::Ending;
use super::facts::{Facts, leg_config, local_media, offer_plain};
use super::output::{MediaCommand, SipCommand, Toward};
use super::record::{self, Party};
use super::{Shared, Voice};

/// One call that we place.
#[derive(Debug)]
pub(super) struct Dialling {
    parent: CallId,
    parent_leg: LegId,
    purpose: Purpose,
    target: Target,
    caller: Caller,
    ring: Duration,
    stage: Stage,
    negotiation: Option<Box<Negotiation>>,
    /// Where the signalling of whoever answers comes from: their media may come from there too,
    /// whatever address their SDP names.
    peer: Option<SocketAddr>,
    /// Whether its media run already: they may before the answer.
    heard: bool,
}

/// For whom a call is placed.
#[derive(Clone, Debug)]
enum Purpose {
    /// For a flow, which is told by this ticket.
    Flow(Ticket),
    /// A phone of an agent rings.
    Ringing(Offered),
    /// An agent talks with the caller.
    Agent,
}

/// The offer for which a phone rings.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) company: CompanyId,
    pub(super) offer: OfferId,
    pub(super) agent: UserId,
}

#[derive(Debug)]
enum Stage {
    OpeningPort,
    /// The endpoint was asked and has not said the handle yet.
    Asking,
    Dialled(CallId),
    Joined(CallId),
    Over,
}

impl Shared {
    /// Begins to place a call; nothing when there is nobody to call or no way to them.
    pub(super) fn dial(
        &mut self,
        call: &Facts,
        ticket: Ticket,
        to: &Destination,
        ring: Duration,
    ) -> Option<LegId> {
        let company = call.company();
        let (target, number) = match to {
            Destination::Extension(extension) => {
                let device = company.extensions.get(extension.as_str())?;
                (
                    Target::Device(AccountId(device.as_str().into())),
                    call.from().to_owned(),
                )
            }
            Destination::Number(number) => {
                let outbound = company.outbound.as_ref()?;
                let trunk = TrunkId(outbound.trunk.as_str().into());
                (
                    Target::Trunk {
                        trunk,
                        number: number.clone(),
                    },
                    outbound.number.clone(),
                )
            }
        };
        let caller = Caller {
            number,
            ..Caller::default()
        };
        Some(self.place(call, Purpose::Flow(ticket), target, caller, ring))
    }

    /// Rings a phone of an agent to whom the caller is offered.
    pub(super) fn dial_device(
        &mut self,
        call: &Facts,
        device: &DeviceId,
        ring: Duration,
        offered: Offered,
    ) -> LegId {
        let target = Target::Device(AccountId(device.as_str().into()));
        let caller = Caller {
            number: call.from().to_owned(),
            ..Caller::default()
        };
        self.place(call, Purpose::Ringing(offered), target, caller, ring)
    }

    fn place(
        &mut self,
        call: &Facts,
        purpose: Purpose,
        target: Target,
        caller: Caller,
        ring: Duration,
    ) -> LegId {
        let leg = LegId(self.next_leg);
        self.next_leg += 1;
        let dialling = Dialling {
            parent: call.id,
            parent_leg: call.leg,
            purpose,
            target: target.clone(),
            caller,
            ring,
            stage: Stage::OpeningPort,
            negotiation: None,
            peer: None,
            heard: false,
        };
        self.dialling.insert(leg, dialling);
        self.media(
            leg,
            MediaCommand::Open {
                toward: Toward::Target(target),
                beside: Some(call.leg),
            },
        );
        leg
    }

    /// Gives up a call that we place, whatever it is doing.
    pub(super) fn cancel_dial(&mut self, now: Now, leg: LegId) -> Option<Left> {
        let cause = match self.dialling.get(&leg)?.stage {
            Stage::Joined(_) => "other_side_ended",
            Stage::OpeningPort | Stage::Asking | Stage::Dialled(_) | Stage::Over => "taken_back",
        };
        self.leave_dial(now, leg, DialResult::Ended, Ending::ours(cause))
    }

    /// Lets a call that we place be over. What there is to tell of it waits for its media.
    fn leave_dial(
        &mut self,
        now: Now,
        leg: LegId,
        result: DialResult,
        ending: Ending,
    ) -> Option<Left> {
        let dialling = self.dialling.remove(&leg)?;
        if let Some(call) = dialling.call() {
            self.dialled_calls.remove(&call);
            self.hang_up(call, Cause::Normal);
        }
        if dialling.heard {
            self.media(dialling.parent_leg, MediaCommand::Unbridge);
        }
        self.parting.insert(leg, dialling.parent);
        self.media(leg, MediaCommand::Close);
        let agreed = dialling.negotiation.as_ref();
        let agreed = agreed.and_then(|negotiation| negotiation.agreed());
        Some(Left {
            purpose: dialling.purpose,
            result,
            ending,
            codec: agreed.map(|media| media.codec.name()),
            ended_ms: now.wall.as_millisecond(),
        })
    }
}

/// One whom we dialled and who is off the line.
#[derive(Debug)]
pub(super) struct Left {
    purpose: Purpose,
    pub(super) result: DialResult,
    pub(super) ending: Ending,
    codec: Option<&'static str>,
    ended_ms: i64,
}

impl Left {
    /// The flow that dialled them is told by this ticket; an agent was dialled by none.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        match self.purpose {
            Purpose::Flow(ticket) => Some(ticket),
            Purpose::Ringing(_) | Purpose::Agent => None,
        }
    }

    /// What the trail remembers.
    pub(super) fn describe(&self, quality: Option<Quality>) -> Value {
        let mut detail = Map::new();
        self.ending.describe(&mut detail);
        detail.insert("ended_ms".into(), self.ended_ms.into());
        detail.insert("codec".into(), self.codec.into());
        if let Some(quality) = quality {
            detail.insert("quality".into(), json!(quality));
        }
        detail.into()
    }
}

impl Dialling {
    fn end(&mut self, end: &End) -> DialResult {
        let before = std::mem::replace(&mut self.stage, Stage::Over);
        match end.status {
            _ if matches!(before, Stage::Joined(_)) => DialResult::Ended,
            Some(486 | 600) => DialResult::Busy,
            Some(408 | 480 | 487 | 603) => DialResult::NoAnswer,
            Some(_) | None => DialResult::Failed,
        }
    }

    /// How the call ends when its media do.
    pub(super) fn without_media(&self) -> DialResult {
        match self.stage {
            Stage::Joined(_) => DialResult::Ended,
            Stage::OpeningPort | Stage::Asking | Stage::Dialled(_) | Stage::Over => {
                DialResult::Failed
            }
        }
    }

    /// The caller's call.
    pub(super) fn parent(&self) -> CallId {
        self.parent
    }

    /// The endpoint has said the handle of the call.
    pub(super) fn handle_call(&mut self, call: CallId) {
        self.stage = Stage::Dialled(call);
    }

    /// Somebody speaks for the callee from this address.
    fn meet(&mut self, peer: SocketAddr) {
        self.peer = Some(peer);
        if let Some(negotiation) = &mut self.negotiation {
            negotiation.local_mut().signalling = peer.ip();
        }
    }

    fn call(&self) -> Option<CallId> {
        match self.stage {
            Stage::Dialled(call) | Stage::Joined(call) => Some(call),
            Stage::OpeningPort | Stage::Asking | Stage::Over => None,
        }
    }
}

impl Voice {
    /// The port of a call that we place is open, or there is none.
    pub(super) fn handle_dialling_leg(
        &mut self,
        now: Now,
        leg: LegId,
        address: Option<SocketAddr>,
    ) {
        let Some(address) = address else {
            let ending = Ending::ours("no_media_capacity");
            return self.end_dialling(now, leg, DialResult::Failed, ending);
        };
        let media = local_media(address, address.ip(), &mut self.shared);
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let mut negotiation = Negotiation::new(media);
        let offer = offer_plain(&mut negotiation);
        dialling.negotiation = Some(Box::new(negotiation));
        dialling.stage = Stage::Asking;
        let dial = Box::new(Dial {
            target: dialling.target.clone(),
            caller: dialling.caller.clone(),
            offer,
            ring_limit: dialling.ring,
            referral: None,
        });
        self.shared.sip(SipCommand::Dial { leg, dial });
    }

    /// Something happened to a call that we place.
    pub(super) fn handle_dialled_call(&mut self, now: Now, leg: LegId, event: CallEvent) {
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let parent = dialling.parent;
        let offered = match &dialling.purpose {
            Purpose::Ringing(offered) => Some(offered.clone()),
            Purpose::Flow(_) | Purpose::Agent => None,
        };
        match (event, offered) {
            // Who waits hears music until an agent is there.
            (CallEvent::Ringing { .. }, Some(_)) => {}
            (CallEvent::EarlyMedia { sdp, flow, .. }, Some(_)) => {
                dialling.meet(flow.remote);
                self.read(leg, &sdp);
            }
            (CallEvent::Answered { sdp, flow, .. }, Some(offered)) => {
                dialling.meet(flow.remote);
                self.agent_answered(now, leg, offered, sdp.as_ref());
            }
            // Who hears the other side already hears it ring, or speak.
            (CallEvent::Ringing { .. }, None) if dialling.heard => {}
            (CallEvent::Ringing { .. }, None) => {
                self.with(now, parent, |call, shared| call.handle_ringing(shared))
            }
            (CallEvent::EarlyMedia { sdp, flow, .. }, None) => {
                dialling.meet(flow.remote);
                // Sound that cannot be understood before the answer is no reason to end the call.
                self.hear(now, leg, &sdp);
            }
            (CallEvent::Answered { sdp, flow, .. }, None) => {
                dialling.meet(flow.remote);
                self.answered(now, leg, sdp.as_ref());
            }
            (CallEvent::Offered { call, sdp }, _) => {
                self.dialled_offered(now, leg, call, sdp.as_ref())
            }
            (CallEvent::OfferAnswered { sdp, .. }, _) => {
                self.hear(now, leg, &sdp);
            }
            (CallEvent::Transfer { call, .. }, _) => {
                self.shared
                    .sip(SipCommand::RefuseTransfer { call, status: 603 });
            }
            (CallEvent::Ended { call, end }, _) => {
                self.shared.dialled_calls.remove(&call);
                let result = dialling.end(&end);
                self.end_dialling(now, leg, result, Ending::of_dialled(end));
            }
            // Keys of the other party are for the other party's machine; the rest cannot happen
            // to a call that we place.
            (
                CallEvent::Info { .. }
                | CallEvent::TransferProgress { .. }
                | CallEvent::OfferRejected { .. }
                | CallEvent::Confirmed { .. }
                | CallEvent::Incoming { .. },
                _,
            ) => {}
        }
    }

    /// A call that we place is over, or never was: the flow goes on.
    pub(super) fn end_dialling(
        &mut self,
        now: Now,
        leg: LegId,
        result: DialResult,
        ending: Ending,
    ) {
        let Some(dialling) = self.shared.dialling.get(&leg) else {
            return;
        };
        let parent = dialling.parent;
        let Some(left) = self.shared.leave_dial(now, leg, result, ending) else {
            return;
        };
        match &left.purpose {
            Purpose::Flow(_) => self.with(now, parent, |call, shared| {
                call.handle_dialled_left(now, leg, left, shared)
            }),
            Purpose::Ringing(offered) => {
                let reason = not_taken(&left.ending);
                self.handle_phone_left(now, &offered.clone(), leg, reason);
            }
            Purpose::Agent => self.with(now, parent, |call, shared| {
                call.handle_agent_left(now, leg, left, shared)
            }),
        }
    }

    /// A phone of an agent was answered: the two are joined, unless somebody was faster.
    fn agent_answered(&mut self, now: Now, leg: LegId, offered: Offered, sdp: Option<&Bytes>) {
        // Without SDP what was agreed on before the answer stands.
        let read = match sdp {
            Some(sdp) => self.read(leg, sdp).map(|(_, agreed)| agreed),
            None => self.agreed(leg),
        };
        let Some(agreed) = read else {
            let ending = Ending::ours("no_common_media");
            return self.end_dialling(now, leg, DialResult::Failed, ending);
        };
        if !self.accept(now, &offered, leg) {
            self.shared.cancel_dial(now, leg);
            return;
        }
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        if let Some(call) = dialling.call() {
            dialling.stage = Stage::Joined(call);
        }
        dialling.purpose = Purpose::Agent;
        let (parent, target) = (dialling.parent, dialling.target.clone());
        self.run(now, leg, None, &agreed);
        self.with(now, parent, |call, shared| {
            call.handle_agent(now, leg, &offered.agent, &target, shared);
        });
    }

    fn answered(&mut self, now: Now, leg: LegId, sdp: Option<&Bytes>) {
        // Without SDP what was agreed on before the answer stands.
        if sdp.is_some_and(|sdp| !self.hear(now, leg, sdp)) {
            let ending = Ending::ours("no_common_media");
            return self.end_dialling(now, leg, DialResult::Failed, ending);
        }
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        if let Some(call) = dialling.call() {
            dialling.stage = Stage::Joined(call);
        }
        let Purpose::Flow(ticket) = dialling.purpose else {
            return;
        };
        let parent = dialling.parent;
        self.with(now, parent, |call, shared| {
            call.handle_dialled(now, ticket, DialResult::Answered, shared);
        });
    }

    /// Takes an SDP answer of the other party and lets the two hear each other. Returns whether
    /// there is something to hear.
    fn hear(&mut self, now: Now, leg: LegId, sdp: &Bytes) -> bool {
        let Some((before, agreed)) = self.read(leg, sdp) else {
            return false;
        };
        self.run(now, leg, before.as_ref(), &agreed);
        true
    }

    /// Takes an SDP answer of the other party: what was agreed on before, and what is now.
    fn read(
        &mut self,
        leg: LegId,
        sdp: &Bytes,
    ) -> Option<(Option<MediaParameters>, MediaParameters)> {
        let negotiation = self.shared.dialling.get_mut(&leg)?.negotiation.as_mut()?;
        let before = negotiation.agreed().cloned();
        let agreed = negotiation.read_answer(sdp).ok()?;
        Some((before, agreed))
    }

    fn agreed(&self, leg: LegId) -> Option<MediaParameters> {
        let negotiation = self.shared.dialling.get(&leg)?.negotiation.as_ref()?;
        negotiation.agreed().cloned()
    }

    /// Lets the two hear each other, as is agreed on.
    fn run(
        &mut self,
        now: Now,
        leg: LegId,
        before: Option<&MediaParameters>,
        agreed: &MediaParameters,
    ) {
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let first = !std::mem::replace(&mut dialling.heard, true);
        let (parent, parent_leg) = (dialling.parent, dialling.parent_leg);
        let peer = dialling.peer;
        let config = Box::new(leg_config(agreed, peer, &self.shared));
        if first {
            self.shared.media(leg, MediaCommand::Start(config));
            self.shared.media(parent_leg, MediaCommand::Stop);
            self.shared.media(parent_leg, MediaCommand::Bridge(leg));
        } else {
            self.shared.media(leg, MediaCommand::Reconfigure(config));
        }
        self.note_media(now, parent, before, agreed);
    }

    /// Writes down what is agreed on with the dialled party, as far as it is new.
    fn note_media(
        &mut self,
        now: Now,
        parent: CallId,
        before: Option<&MediaParameters>,
        after: &MediaParameters,
    ) {
        let news = match before {
            Some(before) => record::media_changes(Party::Dialled, before, after),
            None => vec![(
                TrailKind::MediaChanged,
                record::media(Party::Dialled, after),
            )],
        };
        self.with(now, parent, |call, _| {
            for (kind, detail) in news {
                call.note(now, kind, detail);
            }
        });
    }

    fn dialled_offered(&mut self, now: Now, leg: LegId, call: CallId, sdp: Option<&Bytes>) {
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let Some(negotiation) = &mut dialling.negotiation else {
            return;
        };
        let Some(sdp) = sdp else {
            let sdp = offer_plain(negotiation);
            return self.shared.sip(SipCommand::AcceptOffer { call, sdp });
        };
        let before = negotiation.agreed().cloned();
        match negotiation.answer(sdp) {
            Ok(answer) => {
                let (parent, peer) = (dialling.parent, dialling.peer);
                let config = Box::new(leg_config(&answer.media, peer, &self.shared));
                self.shared.media(leg, MediaCommand::Reconfigure(config));
                self.shared.sip(SipCommand::AcceptOffer {
                    call,
                    sdp: answer.sdp,
                });
                self.note_media(now, parent, before.as_ref(), &answer.media);
            }
            Err(error) => {
                let status = error.status();
                self.shared.sip(SipCommand::RejectOffer { call, status });
            }
        }
    }
}

/// What it says of an agent that their phone is off the line without having been answered; nothing
/// where the fault is ours.
fn not_taken(ending: &Ending) -> Option<PauseReason> {
    match (ending.by, ending.cause) {
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

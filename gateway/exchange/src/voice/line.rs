//! One SIP call and its media, whoever it leads to: the caller, an agent's phone, a colleague.
//!
//! ```text
//!  came in  ─▶ Asked ────────────────────────────▶ Answered ─▶ Up
//!  placed   ─▶ Opening ─▶ Asking ─▶ Dialled ─────────────────▶ Up
//! ```
//!
//! A line knows what is agreed on about its media and nothing of what the call is for: a [`Call`]
//! holds one or several of them.
//!
//! [`Call`]: super::call::Call

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use desk::decision::OfferId;
use desk::id::{CompanyId, DeviceId, OutboundCallId, UserId, WorkId};
use desk::record::{Outbound, TrailKind};
use ivr::Now;
use ivr::machine::{DialResult, Ticket};
use media_engine::codec::Codec;
use media_engine::dtmf::pair::Pairing;
use media_engine::leg::LegId;
use media_engine::sdp::browser::{Inlet, is_browser};
use media_engine::sdp::negotiate::Negotiation;
use media_engine::sdp::{MediaParameters, SdpError};
use media_engine::sip::call::{Caller, Cause, Dial, End, Target};
use media_engine::sip::{AccountId, CallId};
use serde_json::Value;

use crate::outbound;

use super::ending::Ending;
use super::facts::{leg_config, local_media, offer_plain};
use super::left::Left;
use super::output::{MediaCommand, SipCommand, Toward};
use super::record::{self, Party};
use super::talk::Attention;
use super::{CallKey, Shared};

/// One SIP call and its media.
#[derive(Debug)]
pub(super) struct Line {
    /// The call that it is part of.
    pub(super) call: CallKey,
    pub(super) purpose: Purpose,
    /// The device at its other end, where it is one of ours.
    pub(super) device: Option<DeviceId>,
    /// What is counted and paid, where it leads out of the house.
    pub(super) outside: Option<OutboundCallId>,
    stage: Stage,
    came_in: bool,
    /// Whether its SIP call has ended.
    is_over: bool,
    /// Where its signalling comes from: its media may come from there too, whatever address its SDP
    /// names.
    peer: Option<SocketAddr>,
    negotiation: Option<Box<Negotiation>>,
    /// What the other party of the call speaks: nothing needs to be transcoded then.
    prefer: Option<Codec>,
    /// Whether its media run: they may before the answer.
    started: bool,
    pub(super) pressed: Pairing,
}

/// What a line is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// The one for whom there is a call.
    Customer,
    /// Whom a flow dialled for the customer; it is told by this ticket.
    Flow(Ticket),
    /// A phone of an agent that rings for an offer.
    Ringing(Offered),
    /// A phone of somebody who wants to call a number, or to watch a call, or to take it over.
    Fetched(UserId, Errand),
    /// An agent who handles the call, or is asked about it, or watches it.
    Agent(UserId),
    /// Somebody outside of the desk who is asked about the call, or to whom it is handed.
    Guest,
}

impl Purpose {
    /// The agent at the line, once they are there.
    pub(super) fn agent(&self) -> Option<&UserId> {
        match self {
            Self::Agent(agent) => Some(agent),
            Self::Customer | Self::Flow(_) | Self::Ringing(_) | Self::Fetched(..) | Self::Guest => {
                None
            }
        }
    }
}

/// Why somebody's own phone rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// To place a call.
    Dial,
    /// To watch a call.
    Attend(Attention),
    /// To take a call over.
    TakeOver,
    /// To go on with a call that they have in hand.
    Bring,
}

/// The offer for which a phone rings.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) company: CompanyId,
    pub(super) offer: OfferId,
    pub(super) work: WorkId,
    pub(super) agent: UserId,
}

#[derive(Debug)]
enum Stage {
    /// It came in, and waits for our answer.
    Asked {
        sip: CallId,
        offer: Option<Bytes>,
        address: Option<Inlet>,
    },
    /// Our answer is on its way.
    Answered(CallId),
    /// Its port is being opened, to place it then.
    Opening(Box<Order>),
    /// The endpoint was asked and has not said the handle yet.
    Asking,
    Dialled(CallId),
    Up(CallId),
}

/// What is needed to place a line.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) target: Target,
    pub(super) caller: Caller,
    pub(super) ring: Duration,
    /// The way out of the house that it takes.
    pub(super) way: Option<outbound::Way>,
}

/// What an agreement about media changed.
pub(super) type News = Vec<(TrailKind, Value)>;

impl Line {
    /// One that came in.
    pub(super) fn asked(
        call: CallKey,
        purpose: Purpose,
        sip: CallId,
        offer: Option<Bytes>,
        peer: SocketAddr,
    ) -> Self {
        let address = None;
        let stage = Stage::Asked {
            sip,
            offer,
            address,
        };
        Self {
            peer: Some(peer),
            came_in: true,
            ..Self::new(call, purpose, None, stage)
        }
    }

    fn new(call: CallKey, purpose: Purpose, device: Option<DeviceId>, stage: Stage) -> Self {
        Self {
            call,
            purpose,
            device,
            outside: None,
            stage,
            came_in: false,
            is_over: false,
            peer: None,
            negotiation: None,
            prefer: None,
            started: false,
            pressed: Pairing::default(),
        }
    }

    /// The handle of its SIP call, as soon as there is one.
    pub(super) fn sip(&self) -> Option<CallId> {
        match &self.stage {
            Stage::Asked { sip, .. }
            | Stage::Answered(sip)
            | Stage::Dialled(sip)
            | Stage::Up(sip) => Some(*sip),
            Stage::Opening(_) | Stage::Asking => None,
        }
    }

    /// The device that placed it.
    pub(super) fn at(self, device: DeviceId) -> Self {
        Self {
            device: Some(device),
            ..self
        }
    }

    /// Whether it came in, and was not placed by us.
    pub(super) fn came_in(&self) -> bool {
        self.came_in
    }

    /// Whether its port is open, where it came in.
    pub(super) fn has_port(&self) -> bool {
        matches!(
            self.stage,
            Stage::Asked {
                address: Some(_),
                ..
            }
        )
    }

    /// Its SIP call is over: there is nothing to hang up any more.
    pub(super) fn handle_ended(&mut self) {
        self.is_over = true;
    }

    /// Whether both sides have agreed to talk.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up(_))
    }

    /// What port it needs, whose signalling comes from here.
    fn toward(&self, signalling: IpAddr) -> Toward {
        match &self.stage {
            Stage::Asked {
                offer: Some(offer), ..
            } if is_browser(offer) => Toward::Browser(signalling),
            Stage::Asked { .. }
            | Stage::Opening(_)
            | Stage::Asking
            | Stage::Dialled(_)
            | Stage::Answered(_)
            | Stage::Up(_) => Toward::Address(signalling),
        }
    }

    /// Whether it came in and has no answer of ours.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Asked { .. })
    }

    /// Whether its media run.
    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    /// Somebody speaks for the callee from this address.
    pub(super) fn meet(&mut self, peer: SocketAddr) {
        self.peer = Some(peer);
        if let Some(negotiation) = &mut self.negotiation {
            negotiation.local_mut().signalling = peer.ip();
        }
    }

    /// The endpoint has said the handle of a call that we place.
    pub(super) fn handle_dialling(&mut self, sip: CallId) {
        self.stage = Stage::Dialled(sip);
    }

    pub(super) fn agreed(&self) -> Option<&MediaParameters> {
        self.negotiation.as_ref()?.agreed()
    }

    /// What the end of its SIP call means to whoever had it placed.
    pub(super) fn result(&self, end: &End) -> DialResult {
        match end.status {
            _ if self.is_up() => DialResult::Ended,
            Some(486 | 600) => DialResult::Busy,
            Some(408 | 480 | 487 | 603) => DialResult::NoAnswer,
            Some(_) | None => DialResult::Failed,
        }
    }

    /// What it means to them that its media are over.
    pub(super) fn without_media(&self) -> DialResult {
        if self.is_up() {
            DialResult::Ended
        } else {
            DialResult::Failed
        }
    }

    /// Who it is, for a line of the trail.
    pub(super) fn party(&self) -> Party {
        match self.purpose {
            Purpose::Customer => Party::Caller,
            Purpose::Flow(_)
            | Purpose::Ringing(_)
            | Purpose::Fetched(..)
            | Purpose::Agent(_)
            | Purpose::Guest => Party::Dialled,
        }
    }
}

impl Shared {
    /// Enters a line that came in, and has its port opened.
    pub(super) fn take_line(&mut self, line: Line, beside: Option<LegId>) -> LegId {
        let leg = self.new_leg();
        let toward = line.peer.map(|peer| line.toward(peer.ip()));
        if let Some(sip) = line.sip() {
            self.sips.insert(sip, leg);
        }
        self.lines.insert(leg, line);
        if let Some(toward) = toward {
            self.media(leg, MediaCommand::Open { toward, beside });
        }
        leg
    }

    /// Begins to place a line.
    pub(super) fn place(
        &mut self,
        call: CallKey,
        purpose: Purpose,
        order: Order,
        beside: Option<LegId>,
    ) -> LegId {
        let leg = self.new_leg();
        let toward = Toward::Target(order.target.clone());
        let device = match &order.target {
            Target::Device(account) => account.0.parse().ok(),
            Target::Trunk { .. } | Target::Uri(_) => None,
        };
        let stage = Stage::Opening(Box::new(order));
        let mut line = Line::new(call, purpose, device, stage);
        let other = beside.and_then(|leg| self.lines.get(&leg)?.agreed());
        line.prefer = other.map(|media| media.codec);
        self.lines.insert(leg, line);
        self.media(leg, MediaCommand::Open { toward, beside });
        leg
    }

    /// The port of a line is open: one that we place is placed. Returns whether one that came in may
    /// be answered now.
    pub(super) fn handle_port(&mut self, leg: LegId, opened: Inlet) -> bool {
        let Some(line) = self.lines.get_mut(&leg) else {
            return false;
        };
        if let Stage::Asked { address, .. } = &mut line.stage {
            *address = Some(opened);
            return true;
        }
        if !matches!(line.stage, Stage::Opening(_)) {
            return false;
        }
        let mut media = local_media(opened, opened.ip(), &self.config, &mut self.random);
        media.prefer = line.prefer;
        let mut negotiation = Negotiation::new(media);
        let offer = offer_plain(&mut negotiation);
        line.negotiation = Some(Box::new(negotiation));
        if let Stage::Opening(order) = std::mem::replace(&mut line.stage, Stage::Asking) {
            let dial = Box::new(Dial {
                target: order.target,
                caller: order.caller,
                offer,
                ring_limit: order.ring,
                referral: None,
            });
            self.sip(SipCommand::Dial { leg, dial });
        }
        false
    }

    /// A line that came in is about to be answered for this other one: it had best speak what that
    /// one does.
    pub(super) fn prefer_as(&mut self, leg: LegId, other: LegId) {
        let spoken = self.lines.get(&other).and_then(Line::agreed);
        let spoken = spoken.map(|media| media.codec);
        if let Some(line) = self.lines.get_mut(&leg) {
            line.prefer = spoken;
        }
    }

    /// Answers a line that came in: our SDP, and what is agreed on unless the peer is yet to answer
    /// an offer of ours. Nothing while its port is not open.
    ///
    /// # Errors
    ///
    /// [`SdpError`] where there is nothing in common.
    pub(super) fn answer_line(
        &mut self,
        leg: LegId,
    ) -> Option<Result<(Bytes, Option<MediaParameters>), SdpError>> {
        let line = self.lines.get_mut(&leg)?;
        let Stage::Asked {
            offer,
            address: Some(address),
            ..
        } = &line.stage
        else {
            return None;
        };
        if line.negotiation.is_none() {
            let signalling = line.peer.map_or(address.ip(), |peer| peer.ip());
            let mut media = local_media(*address, signalling, &self.config, &mut self.random);
            media.prefer = line.prefer;
            line.negotiation = Some(Box::new(Negotiation::new(media)));
        }
        let (negotiation, offer) = (line.negotiation.as_mut()?, offer.clone());
        // What was told before the answer is told again, word for word.
        Some(match offer {
            None => Ok((offer_plain(negotiation), None)),
            Some(offer) => negotiation
                .answer(&offer)
                .map(|answer| (answer.sdp, Some(answer.media))),
        })
    }

    /// Our answer to a line that came in is on its way.
    pub(super) fn answer_sent(&mut self, leg: LegId) {
        if let Some(line) = self.lines.get_mut(&leg)
            && let Some(sip) = line.sip()
        {
            line.stage = Stage::Answered(sip);
        }
    }

    /// Tells the media of a line what is agreed on; returns whether they begin with it.
    pub(super) fn run(&mut self, leg: LegId, agreed: &MediaParameters) -> bool {
        let Some(line) = self.lines.get_mut(&leg) else {
            return false;
        };
        let first = !std::mem::replace(&mut line.started, true);
        let config = Box::new(leg_config(agreed, line.peer, &self.config));
        let command = if first {
            MediaCommand::Start(config)
        } else {
            MediaCommand::Reconfigure(config)
        };
        self.media(leg, command);
        first
    }

    /// Takes the answer of the other side: what was agreed on before, and what is now. Nothing where
    /// it cannot be understood.
    pub(super) fn read_answer(
        &mut self,
        leg: LegId,
        sdp: &Bytes,
    ) -> Option<(Option<MediaParameters>, MediaParameters)> {
        let negotiation = self.lines.get_mut(&leg)?.negotiation.as_mut()?;
        let before = negotiation.agreed().cloned();
        let agreed = negotiation.read_answer(sdp).ok()?;
        Some((before, agreed))
    }

    /// The other side wants other media, or to hold us, or an offer of ours. Returns what changed.
    pub(super) fn handle_offer(&mut self, leg: LegId, sip: CallId, sdp: Option<&Bytes>) -> News {
        let reject = |status| SipCommand::RejectOffer { call: sip, status };
        let Some(line) = self.lines.get_mut(&leg) else {
            return vec![];
        };
        let party = line.party();
        let Some(negotiation) = &mut line.negotiation else {
            self.sip(reject(488));
            return vec![];
        };
        let Some(sdp) = sdp else {
            let sdp = offer_plain(negotiation);
            self.sip(SipCommand::AcceptOffer { call: sip, sdp });
            return vec![];
        };
        let before = negotiation.agreed().cloned();
        match negotiation.answer(sdp) {
            Ok(answer) => {
                let sdp = answer.sdp;
                self.sip(SipCommand::AcceptOffer { call: sip, sdp });
                self.run(leg, &answer.media);
                news(party, before.as_ref(), &answer.media)
            }
            Err(error) => {
                self.sip(reject(error.status()));
                vec![]
            }
        }
    }

    /// Lets a line be over. What there is to tell of it waits for its media.
    pub(super) fn leave(
        &mut self,
        now: Now,
        leg: LegId,
        result: DialResult,
        ending: Ending,
    ) -> Option<Left> {
        let line = self.lines.remove(&leg)?;
        if let Some(sip) = line.sip() {
            self.sips.remove(&sip);
            if !line.is_over {
                self.hang_up(sip, Cause::Normal);
            }
        }
        self.parting.insert(leg, line.call);
        self.media(leg, MediaCommand::Close);
        let mut outside = line.outside.clone();
        // Another way may be tried for a customer.
        if !matches!(line.purpose, Purpose::Customer) {
            self.end_outside(now, outside.take());
        }
        Some(Left {
            outside,
            codec: line.agreed().map(|media| media.codec.name()),
            purpose: line.purpose,
            device: line.device,
            result,
            ending,
            ended_ms: now.wall.as_millisecond(),
        })
    }

    /// A line of a device whose media run.
    pub(super) fn leg_at(&self, device: &DeviceId) -> Option<LegId> {
        let mut lines = self.lines.iter();
        let found = lines.find(|(_, line)| line.started && line.device.as_ref() == Some(device));
        found.map(|(leg, _)| *leg)
    }

    /// The device at the other end of a line.
    pub(super) fn device_of(&self, leg: LegId) -> Option<&DeviceId> {
        self.lines.get(&leg)?.device.as_ref()
    }

    /// Both sides of a line have agreed to talk: what leads out of the house costs from here on.
    pub(super) fn come_up(&mut self, now: Now, leg: LegId) {
        let Some(line) = self.lines.get_mut(&leg) else {
            return;
        };
        if line.is_up() {
            return; // an agent outside who was asked before
        }
        if let Some(sip) = line.sip() {
            line.stage = Stage::Up(sip);
        }
        if let Some(id) = line.outside.clone() {
            let answered = self.usage.answered(now, &id);
            self.tell_outbound(answered.map(Outbound::Call));
        }
    }

    /// Gives up a line, whatever it is doing.
    pub(super) fn take_back(&mut self, now: Now, leg: LegId) -> Option<Left> {
        let cause = match self.lines.get(&leg)?.is_up() {
            true => "other_side_ended",
            false => "taken_back",
        };
        self.leave(now, leg, DialResult::Ended, Ending::ours(cause))
    }
}

/// What changed for a party with an agreement.
pub(super) fn news(
    party: Party,
    before: Option<&MediaParameters>,
    after: &MediaParameters,
) -> News {
    match before {
        Some(before) => record::media_changes(party, before, after),
        None => vec![(TrailKind::MediaChanged, record::media(party, after))],
    }
}

/// How to ring a device.
pub(super) fn to_device(device: &DeviceId, number: &str, ring: Duration) -> Order {
    Order {
        target: Target::Device(AccountId(device.as_str().into())),
        caller: Caller {
            number: number.to_owned(),
            ..Caller::default()
        },
        ring,
        way: None,
    }
}

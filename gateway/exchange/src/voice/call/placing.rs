//! Calling somebody: from a phone, or by a click in the console.
//!
//! ```text
//!  a phone dials ────────────▶ the customer is called, over one carrier after the other ─▶ joined
//!  a click ─▶ the agent's phone rings, is answered ─▶ │
//! ```
//!
//! Who dials from a phone hears what the other side lets them hear, and is told the status that it
//! refused with.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use desk::id::{DeviceId, InteractionId, OutboundCallId, ServiceId, TrunkId, UserId, WorkId};
use desk::record::{
    Direction, InteractionOpened, InteractionState, InteractionUpdate, Medium, TrailKind,
};
use desk::work::{Priority, Work};
use ivr::Now;
use ivr::machine::Caller;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use media_engine::sip::CallId;
use media_engine::sip::call::{Cause, Incoming, Target};
use serde_json::json;

use super::super::Shared;
use super::super::admission::{Dialled, To};
use super::super::ending::Ending;
use super::super::facts::NOBODY;
use super::super::line::{Errand, Left, Line, Order, Purpose, by_way, to_device};
use super::super::output::{MediaCommand, SipCommand};
use super::super::record::{self, Party};
use super::super::talk::{self, HOLD_MUSIC, Place, Role};
use super::{Call, Handled, Stage, Then, day};
use crate::clip::Clip;
use crate::directory::{Company, Recording};
use crate::outbound::route::may_fail_over;
use crate::outbound::{Plan, Refusal, Wish};

/// The customer is being called.
#[derive(Clone, Debug)]
pub(in crate::voice) struct Calling {
    /// Who calls, where it is somebody of the desk.
    pub(super) agent: Option<UserId>,
    /// Their line; [`NOBODY`] before their phone is rung.
    pub(super) leg: LegId,
    /// As the desk knows it.
    pub(super) work: Option<WorkId>,
    pub(super) service: Option<ServiceId>,
    /// What they dialled.
    to: String,
    /// The ways to the customer that were not tried, the next one first.
    ways: VecDeque<Order>,
    /// How they are reached outside of the house.
    plan: Option<Box<Plan>>,
    /// Why they are not called at all.
    refused: Option<Refused>,
    /// Whether whoever calls hears it ring.
    rings: bool,
}

/// Why somebody is not called.
#[derive(Clone, Copy, Debug)]
struct Refused {
    status: u16,
    code: &'static str,
}

impl Call {
    /// A device dials another one, or a number outside.
    pub(super) fn begin_from_device(
        now: Now,
        sip: CallId,
        invite: &Incoming,
        dialled: &Dialled,
        shared: &mut Shared,
    ) -> Option<Self> {
        let refuse = |shared: &mut Shared, status| {
            shared.sip(SipCommand::Reject {
                call: sip,
                status,
                retry_after: None,
            });
            None
        };
        let Some(device) = &dialled.device else {
            return refuse(shared, 404);
        };
        let company = &dialled.company;
        let agent = company.owner(device).cloned();
        let interaction = InteractionId::new(now.wall.as_millisecond(), &mut shared.random);
        let calling = Calling::new(invite.dialled.clone(), agent, None);
        let from = (device, invite.caller.number.as_str());
        let way = calling.plan(now, company, &dialled.to, from, &interaction, shared);
        let calling = match way {
            Ok(calling) => calling,
            // It is written down: whoever watches over costs wants to know.
            Err((calling, refusal)) => calling.refuse(&refusal),
        };
        let dialled_by = (Some(device), invite.sip_call_id.as_str());
        let mut call = Self::begin_calling(
            now,
            company.clone(),
            interaction,
            calling,
            dialled_by,
            shared,
        );
        let arrived = json!({
            "transport": invite.flow.transport.as_str(),
            "request_uri": invite.request_uri,
            "user_agent": invite.user_agent,
        });
        call.note(now, TrailKind::Arrived, arrived);
        let purpose = match call.calling().and_then(|calling| calling.agent.clone()) {
            Some(agent) => Purpose::Agent(agent),
            None => Purpose::Guest,
        };
        let line = Line::asked(
            call.facts.key,
            purpose,
            sip,
            invite.offer.clone(),
            invite.flow.remote,
        );
        // What somebody has on two lines they may join: their media are on one thread then.
        let beside = shared.leg_at(device);
        let leg = shared.take_line(line.at(device.clone()), beside);
        call.set_caller_leg(leg);
        call.settle(now, shared);
        Some(call)
    }

    /// Somebody asks by a click for a call to be placed: their phones ring first.
    pub(in crate::voice) fn begin_by_click(
        now: Now,
        company: &Arc<Company>,
        agent: &UserId,
        device: &DeviceId,
        to: &To,
        service: Option<ServiceId>,
        shared: &mut Shared,
    ) -> Result<Self, Refusal> {
        let dialled = match to {
            To::Outside(number) => number.clone(),
            To::Device(device) => device.as_str().to_owned(),
            To::Number { number, .. } => number.as_str().to_owned(),
        };
        let interaction = InteractionId::new(now.wall.as_millisecond(), &mut shared.random);
        let calling = Calling::new(dialled, Some(agent.clone()), service);
        let planned = calling.plan(now, company, to, (device, ""), &interaction, shared);
        let calling = planned.map_err(|(_, refusal)| refusal)?;
        let by = (Some(device), "");
        let mut call = Self::begin_calling(now, company.clone(), interaction, calling, by, shared);
        call.note(
            now,
            TrailKind::Arrived,
            json!({ "agent": agent, "by": "click" }),
        );
        call.settle(now, shared);
        Ok(call)
    }

    fn begin_calling(
        now: Now,
        company: Arc<Company>,
        interaction: InteractionId,
        calling: Calling,
        (device, sip_call_id): (Option<&DeviceId>, &str),
        shared: &mut Shared,
    ) -> Self {
        let first = calling.ways.front();
        let from = first.map_or_else(String::new, |way| way.caller.number.clone());
        let trunk = first.and_then(|way| match &way.target {
            Target::Trunk { trunk, .. } => trunk.0.parse::<TrunkId>().ok(),
            Target::Device(_) | Target::Uri(_) => None,
        });
        let opened = Box::new(InteractionOpened {
            id: interaction,
            company: company.id.clone(),
            instance: shared.config.instance.clone(),
            medium: Medium::Phone,
            direction: Direction::Outbound,
            from: from.clone(),
            from_name: String::new(),
            to: calling.to.clone(),
            number: None,
            trunk,
            device: device.cloned(),
            flow: None,
            sip_call_id: sip_call_id.to_owned(),
            started_ms: now.wall.as_millisecond(),
            protocol_day: day(now, &company),
        });
        // A flow that talks with the customer later sees them as the one who is on the line.
        let caller = Caller {
            from: calling.to.clone(),
            to: from,
            protocol: String::new(),
        };
        let then = Then::Call(Box::new(calling));
        Self::open(now, company, opened, caller, then, shared)
    }

    fn calling(&self) -> Option<&Calling> {
        match &self.stage {
            Stage::Opening {
                then: Then::Call(calling),
                ..
            }
            | Stage::Calling(calling) => Some(calling),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Handled(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => None,
        }
    }

    fn set_caller_leg(&mut self, caller: LegId) {
        self.facts.others.insert(caller);
        if let Stage::Opening {
            then: Then::Call(calling),
            ..
        }
        | Stage::Calling(calling) = &mut self.stage
        {
            calling.leg = caller;
        }
    }

    /// The record is durable, and the port open where a phone dials: the customer is called, or the
    /// agent's phone first.
    pub(super) fn call_out(&mut self, now: Now, shared: &mut Shared) {
        let Some(calling) = self.calling().cloned() else {
            return;
        };
        if let Some(Refused { status, code }) = calling.refused {
            let detail = json!({ "status": status, "cause": code });
            self.note(now, TrailKind::Refused, detail);
            self.ours.get_or_insert(Ending::ours(code));
            return self.abandon(now, status, shared);
        }
        let is_click = calling.leg == NOBODY;
        if !is_click && !shared.lines.get(&calling.leg).is_some_and(Line::has_port) {
            return;
        }
        let agent = calling.agent.clone();
        self.stage = Stage::Calling(Box::new(calling));
        self.learn_state(now, InteractionState::Ringing);
        if let Some(agent) = &agent {
            self.take_up(now, agent, shared);
        }
        if !is_click {
            return self.try_next(now, None, shared);
        }
        let phones = agent.and_then(|agent| {
            let known = self.facts.company.agents.get(&agent)?;
            Some((agent, known.devices.clone()))
        });
        let Some((agent, devices)) = phones.filter(|(_, devices)| !devices.is_empty()) else {
            self.ours.get_or_insert(Ending::ours("no_phone"));
            return self.abandon(now, 480, shared);
        };
        let number = self.facts.caller.from.clone();
        for device in &devices {
            let purpose = Purpose::Fetched(agent.clone(), Errand::Dial);
            let order = to_device(device, &number, CALLER_RING_MAX);
            let leg = shared.place(self.facts.key, purpose, order, None);
            self.facts.others.insert(leg);
        }
    }

    /// The desk counts an agent who calls as one who has work in hand.
    fn take_up(&mut self, now: Now, agent: &UserId, shared: &mut Shared) {
        let company = self.facts.company.clone();
        let Stage::Calling(calling) = &self.stage else {
            return;
        };
        let own = company.agents.get(agent);
        let service = calling.service.clone();
        let service = service.or_else(|| own?.services.iter().next().cloned());
        let Some(service) = service else {
            return;
        };
        let work = self.begin_work(now, agent, service.clone(), shared);
        if let Stage::Calling(calling) = &mut self.stage
            && work.is_some()
        {
            calling.work = work;
            calling.service = Some(service);
        }
    }

    /// An agent of the desk has work in hand that never waited.
    pub(super) fn begin_work(
        &mut self,
        now: Now,
        agent: &UserId,
        service: ServiceId,
        shared: &mut Shared,
    ) -> Option<WorkId> {
        let arrived_ms = now.wall.as_millisecond();
        let id = WorkId::new(arrived_ms, &mut shared.random);
        let work = Work {
            id: id.clone(),
            interaction: self.facts.record.interaction().clone(),
            medium: Medium::Phone,
            service,
            contact: None,
            arrived_ms,
            priority: Priority::default(),
            skills: vec![],
            number: None,
            preferred: None,
        };
        let desk = shared.desk(now, &self.facts.company.id)?;
        desk.begin(now.instant, work, agent).ok()?;
        shared.remember_work(&id, self.facts.key);
        Some(id)
    }

    /// A phone of the agent who wants to call was answered: the others fall silent, and the customer
    /// is called.
    pub(super) fn handle_caller_ready(
        &mut self,
        now: Now,
        leg: LegId,
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        let others: Vec<LegId> = self.facts.others.iter().copied().collect();
        for other in others {
            if other != leg {
                self.drop_line(now, other, shared);
            }
        }
        let Some(agent) = self.calling().and_then(|calling| calling.agent.clone()) else {
            return;
        };
        if let Some(line) = shared.lines.get_mut(&leg) {
            line.purpose = Purpose::Agent(agent.clone());
        }
        shared.come_up(now, leg);
        self.set_caller_leg(leg);
        self.note_agent(now, leg, &agent, shared);
        shared.run(leg, agreed);
        self.note_media(now, agreed);
        let party = talk::Party::new(Role::Agent(agent), Place::Together);
        self.talk.enter(leg, party);
        self.try_next(now, None, shared);
    }

    /// Calls a customer whose agent is on the line.
    pub(super) fn call_customer(&mut self, now: Now, number: &str, shared: &mut Shared) {
        let Stage::Calling(calling) = &mut self.stage else {
            return;
        };
        let wish = Wish {
            dialled: number,
            by: None,
            service: calling.service.as_ref(),
            number: None,
        };
        let interaction = self.facts.record.interaction();
        match shared.plan(now, &self.facts.company, &wish, interaction) {
            Ok(plan) => {
                let ways = plan.ways.iter();
                calling.ways = ways.map(|way| by_way(way, RING_MAX)).collect();
                calling.plan = Some(Box::new(plan));
                self.try_next(now, None, shared);
            }
            Err(refusal) => {
                let detail = json!({ "cause": refusal.code() });
                self.note(now, TrailKind::Refused, detail);
                self.handle_not_reached(now, shared);
            }
        }
    }

    /// Calls the customer over the next way; `outside` is what is counted of the ways before.
    fn try_next(&mut self, now: Now, outside: Option<OutboundCallId>, shared: &mut Shared) {
        let Stage::Calling(calling) = &mut self.stage else {
            return;
        };
        let Some(order) = calling.ways.pop_front() else {
            return self.abandon(now, 503, shared);
        };
        let (beside, way) = (Some(calling.leg), order.way.clone());
        let detail = json!({ "to": calling.to, "over": way_name(&order.target) });
        let plan = calling.plan.clone();
        self.facts.leg = shared.place(self.facts.key, Purpose::Customer, order, beside);
        if let (Some(way), Some(plan)) = (way, plan) {
            let interaction = self.facts.record.interaction();
            let company = &self.facts.company;
            let id = outside.unwrap_or_else(|| {
                let random = &mut shared.random;
                shared.usage.begin(now, company, &plan, interaction, random)
            });
            shared.pay(now, self.facts.leg, id, &way);
        }
        self.note(now, TrailKind::Dialled, detail);
    }

    /// The phone of the customer, or of somebody whom a flow dialled, rings.
    pub(in crate::voice) fn handle_ringing(&mut self, leg: LegId, shared: &mut Shared) {
        match &mut self.stage {
            Stage::Flow(walk) => {
                if self.talk.get(leg).is_none() {
                    walk.handle_ringing(self.facts.leg, shared);
                }
            }
            Stage::Calling(calling) if leg == self.facts.leg && self.talk.get(leg).is_none() => {
                if std::mem::replace(&mut calling.rings, true) {
                    return;
                }
                let caller = calling.leg;
                let Some(line) = shared.lines.get(&caller) else {
                    return;
                };
                match line.sip() {
                    Some(sip) if line.is_asked() => shared.sip(SipCommand::Ring(sip)),
                    Some(_) | None => shared.media(caller, ringing_tone()),
                }
            }
            Stage::Handled(handled) => {
                let asks = handled.aside.as_ref();
                if asks.is_some_and(|aside| aside.leg == Some(leg) && !aside.is_transfer) {
                    shared.media(handled.leg, ringing_tone());
                } else if asks.is_some_and(|aside| aside.leg == Some(leg)) {
                    shared.media(self.facts.leg, ringing_tone());
                }
            }
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Calling(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => {}
        }
    }

    /// The customer's side lets something be heard before the answer.
    pub(in crate::voice) fn handle_customer_early(
        &mut self,
        now: Now,
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        if let Stage::Calling(calling) = &self.stage {
            let caller = calling.leg;
            self.let_caller_hear(now, caller, false, shared);
            self.let_customer_in(agreed, shared);
        }
    }

    /// The customer answered.
    pub(in crate::voice) fn handle_customer_answered(
        &mut self,
        now: Now,
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        let Stage::Calling(calling) = &self.stage else {
            return;
        };
        let calling = (**calling).clone();
        shared.come_up(now, self.facts.leg);
        if !self.let_caller_hear(now, calling.leg, true, shared) {
            self.ours.get_or_insert(Ending::ours("no_common_media"));
            return self.abandon(now, 488, shared);
        }
        self.let_customer_in(agreed, shared);
        self.keep_promise(now, shared);
        let answered = InteractionUpdate {
            state: Some(InteractionState::Talking),
            answered_ms: Some(now.wall.as_millisecond()),
            codec: Some(agreed.codec.name().to_owned()),
            service: calling.service.clone(),
            ..Default::default()
        };
        self.facts.record.learn(now, &answered);
        let detail = record::media(Party::Caller, agreed);
        self.note(now, TrailKind::Answered, detail);
        self.stage = Stage::Handled(Box::new(Handled {
            work: calling.work,
            service: calling.service,
            leg: calling.leg,
            agent: calling.agent,
            aside: None,
        }));
        let rules = self.call_rules().cloned().unwrap_or_default();
        let notice = rules.recording_notice;
        let notice = notice.filter(|_| rules.recording != Recording::Off);
        self.give_notice(notice, shared);
        self.record_by_rule(now, shared);
    }

    fn let_customer_in(&mut self, agreed: &MediaParameters, shared: &mut Shared) {
        let leg = self.facts.leg;
        if shared.run(leg, agreed) {
            let party = talk::Party::new(Role::Customer, Place::Together);
            self.talk.enter(leg, party);
        }
    }

    /// The one who calls hears the other side from here on, by what they were told before the answer
    /// or by the answer. Returns whether they can.
    fn let_caller_hear(
        &mut self,
        now: Now,
        caller: LegId,
        is_answer: bool,
        shared: &mut Shared,
    ) -> bool {
        let Some(line) = shared.lines.get(&caller) else {
            return false;
        };
        let (agent, sip) = (line.purpose.agent().cloned(), line.sip());
        if !line.is_asked() {
            shared.media(caller, MediaCommand::Stop);
            return true;
        }
        let (Some(call), Some(Ok((sdp, media)))) = (sip, shared.answer_line(caller)) else {
            return false;
        };
        if let Some(media) = media
            && shared.run(caller, &media)
        {
            let role = agent.map_or(Role::Guest, Role::Agent);
            self.talk
                .enter(caller, talk::Party::new(role, Place::Together));
            self.note_media(now, &media);
        }
        if is_answer {
            shared.answer_sent(caller);
            shared.sip(SipCommand::Answer { call, sdp });
        } else {
            shared.sip(SipCommand::EarlyMedia { call, sdp });
        }
        true
    }

    /// A way to the customer led nowhere: the next one, or the end.
    pub(super) fn handle_way_failed(
        &mut self,
        now: Now,
        leg: LegId,
        left: Left,
        shared: &mut Shared,
    ) {
        let (result, status) = (left.result, left.ending.sip_status);
        let (ending, outside) = (left.ending.clone(), left.outside.clone());
        self.note(
            now,
            TrailKind::DialEnded,
            json!({ "result": result, "sip_status": status }),
        );
        self.facts.left.insert(leg, left);
        self.facts.leg = NOBODY;
        let Stage::Calling(calling) = &mut self.stage else {
            return shared.end_outside(now, outside);
        };
        let rang = std::mem::take(&mut calling.rings);
        if !calling.ways.is_empty() && may_fail_over(status, rang) {
            return self.try_next(now, outside, shared);
        }
        shared.end_outside(now, outside);
        self.ours.get_or_insert(ending.as_end_of_call());
        self.abandon(now, status.unwrap_or(480), shared);
    }

    /// A call that we place comes to nothing: whoever calls is told `status`.
    pub(super) fn abandon(&mut self, now: Now, status: u16, shared: &mut Shared) {
        let Some(calling) = self.calling().cloned() else {
            return;
        };
        if self.promised.is_some() {
            return self.handle_not_reached(now, shared);
        }
        if let Some(work) = &calling.work {
            shared.work_over(now, &self.facts.company.id, work);
        }
        if let Some(line) = shared.lines.get_mut(&calling.leg)
            && line.is_asked()
            && let Some(call) = line.sip()
        {
            line.handle_ended();
            shared.sip(SipCommand::Reject {
                call,
                status,
                retry_after: None,
            });
        }
        if self.sip(shared).is_none() {
            let leg = self.facts.leg;
            if shared.lines.contains_key(&leg) {
                self.drop_line(now, leg, shared);
                self.facts.leg = NOBODY;
            }
        }
        let cause = cause_of(status);
        let ending = Ending::ours("not_reached");
        self.hang_up(now, ending, cause, shared);
    }
}

impl Calling {
    fn new(to: String, agent: Option<UserId>, service: Option<ServiceId>) -> Self {
        Self {
            agent,
            leg: NOBODY,
            work: None,
            service,
            to,
            ways: VecDeque::new(),
            plan: None,
            refused: None,
            rings: false,
        }
    }

    /// A customer who was promised a call is called by the agent on this line.
    pub(super) fn back(
        number: String,
        (agent, leg): (UserId, LegId),
        (work, service): (WorkId, ServiceId),
    ) -> Self {
        Self {
            leg,
            work: Some(work),
            ..Self::new(number, Some(agent), Some(service))
        }
    }

    fn refuse(self, refusal: &Refusal) -> Self {
        let refused = Refused {
            status: refusal.sip_status(),
            code: refusal.code(),
        };
        Self {
            refused: Some(refused),
            ..self
        }
    }

    /// Finds the ways to whom somebody dialled from a device.
    fn plan(
        mut self,
        now: Now,
        company: &Company,
        to: &To,
        (device, shown): (&DeviceId, &str),
        interaction: &InteractionId,
        shared: &mut Shared,
    ) -> Result<Self, (Self, Refusal)> {
        match to {
            To::Device(called) => {
                let number = company.extension_of(device).unwrap_or(shown);
                self.ways.push_back(to_device(called, number, RING_MAX));
            }
            To::Outside(dialled) => {
                let wish = Wish {
                    dialled,
                    by: self.agent.as_ref(),
                    service: self.service.as_ref(),
                    number: None,
                };
                let plan = match shared.plan(now, company, &wish, interaction) {
                    Ok(plan) => plan,
                    Err(refusal) => return Err((self, refusal)),
                };
                self.to.clone_from(&plan.callee.number);
                let ways = plan.ways.iter();
                self.ways = ways.map(|way| by_way(way, RING_MAX)).collect();
                self.plan = Some(Box::new(plan));
            }
            To::Number { .. } => return Err((self, Refusal::Inside)),
        }
        Ok(self)
    }
}

fn way_name(target: &Target) -> &str {
    match target {
        Target::Trunk { trunk, .. } => &trunk.0,
        Target::Device(account) => &account.0,
        Target::Uri(uri) => uri,
    }
}

fn cause_of(status: u16) -> Cause {
    match status {
        486 | 600 => Cause::Busy,
        408 | 480 | 487 => Cause::NoAnswer,
        _ => Cause::Failure,
    }
}

pub(super) fn ringing_tone() -> MediaCommand {
    MediaCommand::Play {
        play: HOLD_MUSIC,
        clips: vec![Clip::RingingTone],
        repeat: true,
    }
}

/// How long the phone of a customer rings: what carriers allow before they give up themselves.
const RING_MAX: Duration = Duration::from_secs(60);

/// How long the phones of somebody ring who has just asked for the call.
const CALLER_RING_MAX: Duration = Duration::from_secs(20);

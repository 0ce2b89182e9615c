//! Calling somebody: from a phone, or by a click in the console.
//!
//! ```text
//!  a phone dials ────────────▶ the customer is called, over one carrier after the other ─▶ joined
//!  a click ─▶ the agent's phone rings, is answered ─▶ │
//!                                                     └▶ or a flow of ours talks with the agent, as with any caller
//! ```
//!
//! Who dials from a phone hears what the other side lets them hear, and is told the status that it
//! refused with.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use desk::id::{DeviceId, FlowId, InteractionId, NumberId, ServiceId, TrunkId, UserId, WorkId};
use desk::record::{Direction, InteractionOpened, InteractionState, Medium, TrailKind};
use desk::work::{Priority, Work};
use ivr::Now;
use ivr::machine::Caller;
use media_engine::leg::LegId;
use media_engine::sip::CallId;
use media_engine::sip::call::{Incoming, Target};
use serde_json::json;

use super::super::Shared;
use super::super::admission::{Dialled, Serving, To};
use super::super::ending::Ending;
use super::super::facts::NOBODY;
use super::super::line::{Errand, Line, Order, Purpose, to_device};
use super::super::output::SipCommand;
use super::super::outside::by_way;
use super::{Call, Stage, Then, day};
use crate::directory::Company;
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
    pub(super) to: String,
    /// The ways to the customer that were not tried, the next one first.
    pub(super) ways: VecDeque<Order>,
    /// How they are reached outside of the house.
    pub(super) plan: Option<Box<Plan>>,
    /// What talks with the one who calls, where they call a number of ours.
    pub(super) inside: Option<Inside>,
    /// Why they are not called at all.
    refused: Option<Refused>,
    /// Whether whoever calls hears it ring.
    pub(super) rings: bool,
}

/// What of ours somebody calls by a click.
#[derive(Clone, Debug)]
pub(in crate::voice) struct Inside {
    /// Which number, where it is one.
    pub(super) number: Option<NumberId>,
    /// What answers there, and which published version; none for a draft.
    pub(super) flow: Option<(FlowId, u32)>,
    pub(super) serves: Serving,
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
        let mut calling = Calling::new(invite.dialled.clone(), agent, None);
        let from = (device, invite.caller.number.as_str());
        let planned = calling.plan(now, company, &dialled.to, from, &interaction, shared);
        if let Err(refusal) = planned {
            // It is written down: whoever watches over costs wants to know.
            calling.refuse(&refusal);
        }
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
        (dialled, to): (&str, &To),
        service: Option<ServiceId>,
        shared: &mut Shared,
    ) -> Result<Self, Refusal> {
        let dialled = match to {
            To::Outside(number) => number,
            To::Device(device) => device.as_str(),
            To::Number { .. } => dialled,
        };
        let interaction = InteractionId::new(now.wall.as_millisecond(), &mut shared.random);
        let mut calling = Calling::new(dialled.to_owned(), Some(agent.clone()), service);
        calling.plan(now, company, to, (device, ""), &interaction, shared)?;
        Ok(Self::begin_clicked(
            now,
            company,
            interaction,
            calling,
            device,
            shared,
        ))
    }

    /// Somebody asks by a click to hear a flow that is not published.
    pub(in crate::voice) fn begin_trial(
        now: Now,
        company: &Arc<Company>,
        agent: &UserId,
        device: &DeviceId,
        (name, serves): (String, Serving),
        shared: &mut Shared,
    ) -> Self {
        let interaction = InteractionId::new(now.wall.as_millisecond(), &mut shared.random);
        let mut calling = Calling::new(name, Some(agent.clone()), None);
        calling.inside = Some(Inside {
            number: None,
            flow: None,
            serves,
        });
        Self::begin_clicked(now, company, interaction, calling, device, shared)
    }

    fn begin_clicked(
        now: Now,
        company: &Arc<Company>,
        interaction: InteractionId,
        calling: Calling,
        device: &DeviceId,
        shared: &mut Shared,
    ) -> Self {
        let agent = calling.agent.clone();
        let by = (Some(device), "");
        let mut call = Self::begin_calling(now, company.clone(), interaction, calling, by, shared);
        call.note(
            now,
            TrailKind::Arrived,
            json!({ "agent": agent, "by": "click" }),
        );
        call.settle(now, shared);
        call
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
        let inside = calling.inside.as_ref();
        // Who calls a number of ours is its customer.
        let (direction, from, customer) = match inside {
            Some(_) => {
                let own = device.and_then(|device| company.extension_of(device));
                let own = own.unwrap_or_default().to_owned();
                (Direction::Inbound, own.clone(), own)
            }
            None => (Direction::Outbound, from, calling.to.clone()),
        };
        let opened = Box::new(InteractionOpened {
            id: interaction,
            company: company.id.clone(),
            instance: shared.config.instance.clone(),
            medium: Medium::Phone,
            direction,
            from: from.clone(),
            from_name: String::new(),
            to: calling.to.clone(),
            number: inside.and_then(|inside| inside.number.clone()),
            trunk,
            device: device.cloned(),
            flow: inside.and_then(|inside| inside.flow.clone()),
            sip_call_id: sip_call_id.to_owned(),
            started_ms: now.wall.as_millisecond(),
            protocol_day: day(now, &company),
        });
        // A flow that talks with the customer later sees them as the one who is on the line.
        let to = match inside {
            Some(_) => calling.to.clone(),
            None => from,
        };
        let caller = Caller {
            from: customer,
            to,
            protocol: String::new(),
        };
        let then = Then::Call(Box::new(calling));
        Self::open(now, company, opened, caller, then, shared)
    }

    pub(super) fn calling(&self) -> Option<&Calling> {
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

    pub(super) fn set_caller_leg(&mut self, caller: LegId) {
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
        let is_work = self
            .calling()
            .is_some_and(|calling| calling.inside.is_none());
        if let Some(agent) = agent.as_ref().filter(|_| is_work) {
            self.take_up(now, agent, shared);
        }
        if !is_click {
            return self.try_next(now, None, shared);
        }
        let Some(agent) = agent else {
            self.ours.get_or_insert(Ending::ours("no_phone"));
            return self.abandon(now, 480, shared);
        };
        let company = self.facts.company.clone();
        let devices: Vec<DeviceId> = match company.agents.get(&agent) {
            Some(known) => known.devices.to_vec(),
            None => company.devices_of(&agent).cloned().collect(),
        };
        for device in &devices {
            let purpose = Purpose::Fetched(agent.clone(), Errand::Dial);
            let leg = shared.ring_phone(now, &self.facts, purpose, device, CALLER_RING_MAX);
            self.facts.others.extend(leg);
        }
        if self.facts.others.is_empty() {
            self.ours.get_or_insert(Ending::ours("no_phone"));
            self.abandon(now, 480, shared);
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
        if let Stage::Calling(calling) = &mut self.stage {
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
            contact: self
                .facts
                .customer
                .as_ref()
                .map(|known| known.contact.clone()),
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
            inside: None,
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

    fn refuse(&mut self, refusal: &Refusal) {
        self.refused = Some(Refused {
            status: refusal.sip_status(),
            code: refusal.code(),
        });
    }

    /// Finds the ways to whom somebody dialled from a device.
    fn plan(
        &mut self,
        now: Now,
        company: &Company,
        to: &To,
        (device, shown): (&DeviceId, &str),
        interaction: &InteractionId,
        shared: &mut Shared,
    ) -> Result<(), Refusal> {
        match to {
            To::Device(called) => {
                let number = company.extension_of(device).unwrap_or(shown);
                self.ways.push_back(to_device(called, number, RING_MAX));
            }
            To::Outside(dialled) => {
                let own = self.agent.as_ref().and_then(|agent| {
                    let known = company.agents.get(agent)?;
                    known.services.iter().next()
                });
                let wish = Wish {
                    dialled,
                    by: self.agent.as_ref(),
                    service: self.service.as_ref().or(own),
                    number: None,
                };
                let plan = shared.plan(now, company, &wish, interaction)?;
                self.to.clone_from(&plan.callee.number);
                let ways = plan.ways.iter();
                self.ways = ways.map(|way| by_way(way, RING_MAX)).collect();
                self.plan = Some(Box::new(plan));
            }
            To::Number {
                number,
                flow,
                serves,
            } => {
                self.inside = Some(Inside {
                    number: Some(number.clone()),
                    flow: Some(flow.clone()),
                    serves: serves.clone(),
                });
            }
        }
        Ok(())
    }
}

/// How long the phone of a customer rings: what carriers allow before they give up themselves.
pub(super) const RING_MAX: Duration = Duration::from_secs(60);

/// How long the phones of somebody ring who has just asked for the call.
const CALLER_RING_MAX: Duration = Duration::from_secs(20);

//! Lines that lead out of the house, and what they cost.

use std::time::Duration;

use desk::id::{DeviceId, InteractionId, OutboundCallId};
use desk::record::{Change, Outbound};
use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sip;
use media_engine::sip::call::{Caller, Target};

use crate::directory::Company;
use crate::outbound;

use super::Shared;
use super::facts::{Facts, NOBODY};
use super::line::{Order, Purpose, to_device};

impl Shared {
    /// What leads out of the house costs no more.
    pub(super) fn end_outside(&mut self, now: Now, outside: Option<OutboundCallId>) {
        let ended = outside.and_then(|id| self.usage.end(now, &id));
        self.tell_outbound(ended.map(Outbound::Call));
    }

    pub(super) fn tell_outbound(&mut self, told: Option<Outbound>) {
        if let Some(told) = told {
            self.save(Change::Outbound(Box::new(told)));
        }
    }

    /// How somebody outside is reached, or why they are not.
    pub(super) fn plan(
        &mut self,
        now: Now,
        company: &Company,
        wish: &outbound::Wish<'_>,
        interaction: &InteractionId,
    ) -> Result<outbound::Plan, outbound::Refusal> {
        let planned = outbound::plan(company, wish, &self.usage, now, &mut self.random);
        if let Err(refusal) = &planned {
            let told = (wish, refusal);
            let random = &mut self.random;
            let alarm = self.usage.alarm(now, company, told, interaction, random);
            self.tell_outbound(alarm.map(Outbound::Alarm));
        }
        planned
    }

    /// Rings a phone, in the house or outside. Nothing where there is no way to it.
    pub(super) fn ring_phone(
        &mut self,
        now: Now,
        call: &Facts,
        purpose: Purpose,
        device: &DeviceId,
        ring: Duration,
    ) -> Option<LegId> {
        let directory = self.directory.clone();
        let company = directory.companies.get(&call.company.id)?;
        let Some(number) = company.outside_phones.get(device) else {
            let order = to_device(device, call.from(), ring);
            return Some(self.place(call.key, purpose, order, beside(call)));
        };
        let wish = outbound::Wish {
            dialled: number,
            by: company.owner(device),
            service: None,
            number: None,
        };
        let plan = self
            .plan(now, company, &wish, call.record.interaction())
            .ok()?;
        let leg = self.place_outside(now, call, purpose, (&plan, ring))?;
        if let Some(line) = self.lines.get_mut(&leg) {
            line.device = Some(device.clone());
        }
        Some(leg)
    }

    /// Places a line by the best way of a plan.
    pub(super) fn place_outside(
        &mut self,
        now: Now,
        call: &Facts,
        purpose: Purpose,
        (plan, ring): (&outbound::Plan, Duration),
    ) -> Option<LegId> {
        let way = plan.ways.first()?;
        let interaction = call.record.interaction();
        let random = &mut self.random;
        let id = self
            .usage
            .begin(now, &call.company, plan, interaction, random);
        let leg = self.place(call.key, purpose, by_way(way, ring), beside(call));
        self.pay(now, leg, id, way);
        Some(leg)
    }

    /// A line leads out of the house, by this way.
    pub(super) fn pay(&mut self, now: Now, leg: LegId, id: OutboundCallId, way: &outbound::Way) {
        self.usage.try_way(now, &id, way);
        if let Some(line) = self.lines.get_mut(&leg) {
            line.outside = Some(id);
        }
    }
}

/// Beside whose media those of another party of the call are best.
fn beside(call: &Facts) -> Option<LegId> {
    Some(call.leg).filter(|leg| *leg != NOBODY)
}

/// How to call somebody outside by one of the ways of a plan.
pub(super) fn by_way(way: &outbound::Way, ring: Duration) -> Order {
    Order {
        target: Target::Trunk {
            trunk: sip::TrunkId(way.trunk.as_str().into()),
            number: way.number.clone(),
        },
        caller: Caller {
            number: way.caller_number.clone(),
            ..Caller::default()
        },
        ring,
        way: Some(way.clone()),
    }
}

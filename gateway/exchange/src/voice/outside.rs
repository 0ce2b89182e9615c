//! Lines that lead out of the house, and what they cost.

use std::time::Duration;

use desk::id::{InteractionId, OutboundCallId};
use desk::record::{Change, Outbound};
use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sip;
use media_engine::sip::call::{Caller, Target};

use crate::directory::Company;
use crate::outbound;

use super::Shared;
use super::facts::Facts;
use super::line::{Order, Purpose};

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
        let beside = Some(call.leg);
        let leg = self.place(call.key, purpose, by_way(way, ring), beside);
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

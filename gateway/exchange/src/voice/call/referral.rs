//! Transfers that a phone asks for (RFC 3515): an agent's by their own keys.

use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sip::CallId;
use media_engine::sip::call::{Referral, Replaced};
use serde_json::json;

use desk::record::TrailKind;

use super::super::line::Purpose;
use super::super::output::SipCommand;
use super::super::talk::{self, Place, Role};
use super::super::{CallKey, Shared, Voice};
use super::orders::{CallOrder, Destination};
use super::{Call, Stage};
use crate::directory::Company;

impl Voice {
    /// A phone wants its call to be handed on. Customers may not: they would have others called at
    /// the company's cost.
    pub(in crate::voice) fn handle_referral(
        &mut self,
        now: Now,
        leg: LegId,
        sip: CallId,
        referral: &Referral,
    ) {
        let before = std::mem::take(&mut self.shared.outputs);
        let done = self.refer(now, leg, referral);
        // The phone is answered first: what follows may hang up on it.
        let follows = std::mem::replace(&mut self.shared.outputs, before);
        match done {
            Ok(()) => {
                self.shared.sip(SipCommand::AcceptTransfer(sip));
                let status = 200;
                self.shared
                    .sip(SipCommand::ReportTransfer { call: sip, status });
            }
            Err(status) => {
                let refuse = SipCommand::RefuseTransfer { call: sip, status };
                self.shared.sip(refuse);
            }
        }
        self.shared.outputs.extend(follows);
    }

    fn refer(&mut self, now: Now, leg: LegId, referral: &Referral) -> Result<(), u16> {
        let line = self.shared.lines.get(&leg).ok_or(603_u16)?;
        let (key, agent) = (line.call, line.purpose.agent().cloned());
        let call = self.calls.get(&key).ok_or(603_u16)?;
        if !call.is_held_by(leg) {
            return Err(603);
        }
        match &referral.replaces {
            Some(Replaced::Ours(other)) => self.merge(now, key, leg, *other),
            Some(Replaced::Elsewhere(_)) => Err(603),
            None => {
                let agent = agent.ok_or(603_u16)?;
                let to = destination(call.facts.company(), &referral.to);
                let order = CallOrder::Transfer(to);
                let mut done = Err(603);
                self.with(now, key, |call, shared| {
                    let ordered = call.handle_order(now, &agent, order, shared);
                    done = ordered.map_err(|_| 603);
                });
                done
            }
        }
    }

    /// The party of another call of the same phone takes the phone's place in this one; the other
    /// call is over.
    fn merge(&mut self, now: Now, key: CallKey, leg: LegId, other: CallId) -> Result<(), u16> {
        let other_leg = *self.shared.sips.get(&other).ok_or(481_u16)?;
        let other_key = self.shared.lines.get(&other_leg).ok_or(481_u16)?.call;
        let (Some(into), Some(from)) = (self.calls.get(&key), self.calls.get(&other_key)) else {
            return Err(481);
        };
        let is_theirs = other_key != key
            && from.facts.company.id == into.facts.company.id
            && self.shared.device_of(other_leg) == self.shared.device_of(leg);
        if !is_theirs || !from.is_held_by(other_leg) {
            return Err(603);
        }
        let moved = from.facts.leg;
        self.with(now, other_key, |call, shared| {
            call.give_away_customer(now, moved, shared);
        });
        self.with(now, key, |call, shared| {
            call.take_in(now, leg, moved, shared);
        });
        Ok(())
    }
}

impl Call {
    /// Whether the one at this line has the call in hand.
    fn is_held_by(&self, leg: LegId) -> bool {
        matches!(&self.stage, Stage::Handled(handled) if handled.leg == leg)
    }

    /// The one whom this call was for goes over to another call; this one is over.
    fn give_away_customer(&mut self, now: Now, leg: LegId, shared: &mut Shared) {
        self.talk.leave(leg);
        self.facts.leg = super::super::facts::NOBODY;
        self.note(now, TrailKind::Transferred, json!({ "attended": true }));
        let ending = super::Ending::ours("transferred");
        self.hang_up(now, ending, super::Cause::Normal, shared);
    }

    /// Somebody from another call takes the place of the one at `before`.
    fn take_in(&mut self, now: Now, before: LegId, leg: LegId, shared: &mut Shared) {
        let Stage::Handled(handled) = &self.stage else {
            return;
        };
        let handled = (**handled).clone();
        let giver = handled.agent.clone();
        let called = shared.lines.get(&leg).and_then(|line| line.device.clone());
        let company = self.facts.company.clone();
        let taker = called
            .as_ref()
            .and_then(|device| company.owner(device))
            .cloned();
        self.lay_down(now, &handled, shared);
        if let Some(line) = shared.lines.get_mut(&leg) {
            line.call = self.facts.key;
            line.purpose = taker.clone().map_or(Purpose::Guest, Purpose::Agent);
        }
        self.facts.others.insert(leg);
        let role = taker.clone().map_or(Role::Guest, Role::Agent);
        self.talk
            .enter(leg, talk::Party::new(role, Place::Together));
        let detail = json!({ "from": giver, "to": taker, "device": called, "attended": true });
        self.note(now, TrailKind::Transferred, detail);
        let work = match (&taker, handled.service) {
            (Some(taker), Some(service)) => self.begin_work(now, taker, service, shared),
            (Some(_), None) | (None, _) => None,
        };
        self.set_holder(now, leg, taker, work);
        self.drop_line(now, before, shared);
    }
}

/// Whom a phone means: an agent by their extension, or whatever one dials.
fn destination(company: &Company, dialled: &str) -> Destination {
    let device = company.extensions.get(dialled);
    let agent = device.and_then(|device| company.owner(device));
    match agent.filter(|agent| company.agents.contains_key(*agent)) {
        Some(agent) => Destination::Agent(agent.clone()),
        None => Destination::Dialled(dialled.to_owned()),
    }
}

//! On the way to a customer: their phone rings, over one carrier after the other, until they answer or
//! nobody can be reached.

use desk::id::OutboundCallId;
use desk::record::{InteractionState, InteractionUpdate, TrailKind};
use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use media_engine::sip::call::{Cause, Target};
use serde_json::json;

use super::super::Shared;
use super::super::admission::Serving;
use super::super::ending::Ending;
use super::super::facts::NOBODY;
use super::super::left::Left;
use super::super::line::Purpose;
use super::super::output::{MediaCommand, SipCommand};
use super::super::outside::by_way;
use super::super::record::{self, Party};
use super::super::talk::{self, HOLD_MUSIC, Place, Role};
use super::placing::RING_MAX;
use super::{Call, Handled, Stage};
use crate::clip::Clip;
use crate::directory::Recording;
use crate::outbound::Wish;
use crate::outbound::route::may_fail_over;

impl Call {
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
        let Some(calling) = self.calling() else {
            return;
        };
        if let Some(inside) = &calling.inside {
            let serves = inside.serves.clone();
            return self.serve_caller(now, leg, agreed, &serves, shared);
        }
        let Some(agent) = calling.agent.clone() else {
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

    /// Whoever wanted to call a number of ours is on the line: they are its customer from here on.
    fn serve_caller(
        &mut self,
        now: Now,
        leg: LegId,
        agreed: &MediaParameters,
        serves: &Serving,
        shared: &mut Shared,
    ) {
        if let Some(line) = shared.lines.get_mut(&leg) {
            line.purpose = Purpose::Customer;
        }
        self.facts.others.remove(&leg);
        self.facts.leg = leg;
        shared.come_up(now, leg);
        self.agreed(now, agreed, shared);
        if !self.begin_flow(now, serves, shared) {
            self.hang_up(now, Ending::ours("no_flow"), Cause::Failure, shared);
        }
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
    pub(super) fn try_next(
        &mut self,
        now: Now,
        outside: Option<OutboundCallId>,
        shared: &mut Shared,
    ) {
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
                if asks.is_some_and(|aside| aside.leg == Some(leg) && !aside.is_transfer()) {
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
            agent: calling.agent.clone(),
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
            joined: vec![],
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
        shared.prefer_as(caller, self.facts.leg);
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
        self.ours.get_or_insert(ending.told_of_the_call());
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

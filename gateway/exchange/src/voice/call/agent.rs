//! A customer and those who handle their call.
//!
//! ```text
//!  together: customer, agent                 transfer ─▶ the line of a service, or somebody outside
//!     │ consult                              agent hangs up ─▶ the call ends, or goes on with the one
//!     ▼                                                        who was asked
//!  held: customer   aside: agent, colleague ─ join ─▶ together: all three
//! ```

use desk::disposition::Action;
use desk::id::{ServiceId, UserId, WorkId};
use desk::record::{EndedBy, InteractionState, TrailKind};
use desk::work::Work;
use ivr::Now;
use media_engine::dtmf;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use media_engine::sip::call::Cause;
use serde_json::json;

use super::super::Shared;
use super::super::ending::Ending;
use super::super::facts::NOBODY;
use super::super::flow::Walk;
use super::super::left::Left;
use super::super::line::{Offered, Purpose};
use super::super::output::MediaCommand;
use super::super::record::{self, Party};
use super::super::talk::{self, Place, Role};
use super::super::waiting::Waiting;
use super::{Call, Stage};

/// Somebody talks with the customer.
#[derive(Clone, Debug)]
pub(in crate::voice) struct Handled {
    /// As the desk knows it; none where no agent of the desk has it.
    pub(in crate::voice) work: Option<WorkId>,
    /// Whose work it is.
    pub(super) service: Option<ServiceId>,
    /// The line of the one who has it in hand.
    pub(in crate::voice) leg: LegId,
    /// The agent who has it in hand; none where it was handed to somebody outside of the desk.
    pub(in crate::voice) agent: Option<UserId>,
    /// Who is asked about it.
    pub(super) aside: Option<Aside>,
    /// Those who were asked and talk with the customer, too.
    pub(super) joined: Vec<Aside>,
}

impl Handled {
    /// Who is asked and answered, or was asked last of those who talk with the customer.
    pub(super) fn asked(&self) -> Option<&Aside> {
        match &self.aside {
            Some(aside) => Some(aside).filter(|aside| aside.answered),
            None => self.joined.last(),
        }
    }

    /// All who were asked, with what the desk knows of each.
    pub(super) fn all_asked(&self) -> impl Iterator<Item = &Aside> {
        self.aside.iter().chain(&self.joined)
    }
}

/// Somebody who is asked about a call.
#[derive(Clone, Debug)]
pub(super) struct Aside {
    /// As the desk knows it; none for somebody outside of the desk.
    pub(super) work: Option<WorkId>,
    /// Their line; none while the desk looks for somebody.
    pub(super) leg: Option<LegId>,
    /// Whether they talk.
    pub(super) answered: bool,
    /// The work as it was, where the call is theirs as soon as they answer, and its customer goes back
    /// where they do not.
    pub(super) transfer: Option<Option<Box<Work>>>,
}

impl Aside {
    /// Whether the call is theirs as soon as they answer.
    pub(super) fn is_transfer(&self) -> bool {
        self.transfer.is_some()
    }
}

impl Call {
    /// An agent answered an offer, and has the work.
    pub(in crate::voice) fn handle_agent(
        &mut self,
        now: Now,
        leg: LegId,
        offered: &Offered,
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        self.facts.others.insert(leg);
        if let Some(line) = shared.lines.get_mut(&leg) {
            line.purpose = Purpose::Agent(offered.agent.clone());
        }
        shared.come_up(now, leg);
        self.note_agent(now, leg, &offered.agent, shared);
        shared.run(leg, agreed);
        self.note_media(now, agreed);
        let role = Role::Agent(offered.agent.clone());
        if let Stage::Handled(handled) = &mut self.stage
            && let Some(aside) = &mut handled.aside
            && aside.work.as_ref() == Some(&offered.work)
        {
            aside.leg = Some(leg);
            aside.answered = true;
            shared.media(handled.leg, MediaCommand::Stop); // the ringing tone
            self.talk.enter(leg, talk::Party::new(role, Place::Aside));
            return;
        }
        self.talk
            .enter(leg, talk::Party::new(role, Place::Together));
        if self.is_promised(&offered.work) && self.is_resting() {
            return self.begin_callback(now, leg, &offered.agent);
        }
        self.learn_agent(now, &offered.agent);
        let (mut service, mut notice) = (None, None);
        if let Stage::Flow(walk) = &mut self.stage
            && let Some((whose, owed)) = walk.handle_agent(now, self.facts.leg, shared)
        {
            (service, notice) = (Some(whose), owed);
        }
        self.perform(now, shared);
        self.stage = Stage::Handled(Box::new(Handled {
            work: Some(offered.work.clone()),
            service,
            leg,
            agent: Some(offered.agent.clone()),
            aside: None,
            joined: vec![],
        }));
        self.give_notice(notice, shared);
        self.record_by_rule(now, shared);
    }

    /// Who answered, for the trail.
    pub(super) fn note_agent(&mut self, now: Now, leg: LegId, agent: &UserId, shared: &Shared) {
        let company = shared.directory.companies.get(&self.facts.company.id);
        let known = company.and_then(|company| company.agents.get(agent));
        let device = shared.lines.get(&leg).and_then(|line| line.device.clone());
        let detail = json!({
            "agent": agent,
            "name": known.map(|known| known.name.as_str()),
            "device": device,
        });
        self.note(now, TrailKind::AgentAnswered, detail);
    }

    pub(super) fn note_media(&mut self, now: Now, agreed: &MediaParameters) {
        let detail = record::media(Party::Dialled, agreed);
        self.note(now, TrailKind::MediaChanged, detail);
    }

    /// Somebody who talked, or was to, is off the line.
    pub(super) fn handle_party_left(
        &mut self,
        now: Now,
        leg: LegId,
        left: Left,
        shared: &mut Shared,
    ) {
        let hung_up = left.hung_up();
        let result = left.result;
        if self.is_transfer_to(leg) {
            self.handle_transfer_failed(now, &left, shared);
            self.facts.left.insert(leg, left);
            return;
        }
        let ending = left.ending.clone();
        self.facts.left.insert(leg, left);
        match &self.stage {
            // None of the phones of whoever wants to call was answered.
            Stage::Calling(calling) if calling.leg == NOBODY => {
                if self.facts.others.is_empty() {
                    let status = ending.sip_status.unwrap_or(480);
                    self.ours.get_or_insert(ending);
                    self.abandon(now, status, shared);
                }
            }
            Stage::Calling(calling) if calling.leg == leg => {
                self.ours.get_or_insert(ending);
                self.abandon(now, 487, shared);
            }
            Stage::Handled(handled) if handled.leg == leg => {
                let handled = (**handled).clone();
                self.handle_holder_left(now, handled, hung_up, shared);
            }
            Stage::Handled(handled) => {
                let is_theirs = |asked: &&Aside| asked.leg == Some(leg);
                let asked = handled.all_asked().find(is_theirs).cloned();
                if let Some(asked) = asked {
                    self.handle_asked_left(now, &asked, result, shared);
                }
            }
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Calling(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => {}
        }
    }

    /// Whether the call is being handed to this line, which has not answered.
    fn is_transfer_to(&self, leg: LegId) -> bool {
        match &self.stage {
            Stage::Handled(handled) => handled.aside.as_ref().is_some_and(|aside| {
                aside.leg == Some(leg) && aside.is_transfer() && !aside.answered
            }),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Calling(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => false,
        }
    }

    /// The one who has the call in hand is off the line. Who hung up leaves it to whom they asked, or
    /// ends it; where the line broke the customer goes back to their place.
    pub(super) fn handle_holder_left(
        &mut self,
        now: Now,
        handled: Handled,
        hung_up: bool,
        shared: &mut Shared,
    ) {
        if let Some(asked) = handled.asked().cloned() {
            return self.hand_to(now, &asked, shared);
        }
        if let Some((heir, party)) = self.heir(handled.leg) {
            let agent = match party.role {
                Role::Agent(agent) => Some(agent),
                Role::Customer | Role::Guest | Role::Supervisor(..) => None,
            };
            if let Some(work) = &handled.work {
                shared.work_over(now, &self.facts.company.id, work);
            }
            self.set_holder(now, heir, agent, None);
            return;
        }
        let company = self.facts.company.id.clone();
        let returned = !hung_up
            && handled.work.as_ref().is_some_and(|work| {
                let desk = shared.desk(now, &company);
                desk.is_some_and(|desk| desk.handle_agent_leg_lost(now.instant, work).is_ok())
            });
        if returned {
            return;
        }
        let work = handled.work.as_ref();
        let wanted = work.map(|work| shared.wanted_after(now, &company, work));
        self.lay_down(now, &handled, shared);
        self.handle_service_done(now, &handled, &wanted.unwrap_or_default(), shared);
    }

    /// The agent is done with the customer, and may want something done by their disposition.
    fn handle_service_done(
        &mut self,
        now: Now,
        handled: &Handled,
        wanted: &[Action],
        shared: &mut Shared,
    ) {
        let goes_on = wanted.iter().any(|action| match action {
            Action::ReturnToBot(flow) => self.return_to_flow(now, flow, shared),
            Action::Survey(flow) => self.ask_by(now, handled, flow, shared),
            Action::Message(_) | Action::Reopen(_) => false,
        });
        if goes_on || self.ask_customer(now, handled, shared) {
            return;
        }
        let ending = Ending::by(EndedBy::Agent, "hung_up");
        self.hang_up(now, ending, Cause::Normal, shared);
    }

    /// Somebody who can go on with the customer when `leaving` leaves.
    fn heir(&self, leaving: LegId) -> Option<(LegId, talk::Party)> {
        let mut others = self.talk.iter().filter(|(leg, party)| {
            *leg != leaving
                && party.place == Place::Together
                && matches!(party.role, Role::Agent(_) | Role::Guest)
        });
        others.next().map(|(leg, party)| (leg, party.clone()))
    }

    /// Another has the call in hand.
    pub(super) fn set_holder(
        &mut self,
        now: Now,
        leg: LegId,
        agent: Option<UserId>,
        work: Option<WorkId>,
    ) {
        if let Some(agent) = &agent {
            self.learn_agent(now, agent);
        }
        if let Stage::Handled(handled) = &mut self.stage {
            handled.leg = leg;
            handled.agent = agent;
            handled.work = work;
            handled.aside = None;
            handled.joined.retain(|joined| joined.leg != Some(leg));
        }
        self.talk.gather();
    }

    /// The call is the one's who was asked about it.
    pub(super) fn hand_to(&mut self, now: Now, asked: &Aside, shared: &mut Shared) {
        let (Stage::Handled(handled), Some(leg)) = (&self.stage, asked.leg) else {
            return;
        };
        let (before, work) = (handled.leg, handled.work.clone());
        let giver = handled.agent.clone();
        let company = self.facts.company.id.clone();
        let taker = match self.talk.get(leg).map(|party| &party.role) {
            Some(Role::Agent(agent)) => Some(agent.clone()),
            Some(Role::Customer | Role::Guest | Role::Supervisor(..)) | None => None,
        };
        let handed = match (&asked.work, &giver) {
            (Some(consult), Some(giver)) => {
                let desk = shared.desk(now, &company);
                desk.is_some_and(|desk| desk.hand_over(now.instant, consult, giver).is_ok())
            }
            (Some(_), None) | (None, _) => false,
        };
        if !handed {
            for over in [&work, &asked.work].into_iter().flatten() {
                shared.work_over(now, &company, over);
            }
        } else if let Some(consult) = &asked.work {
            shared.forget_work(consult);
        }
        let detail = json!({ "from": giver, "to": taker, "attended": true });
        self.note(now, TrailKind::Transferred, detail);
        self.set_holder(now, leg, taker, work.filter(|_| handed));
        self.drop_line(now, before, shared);
    }

    /// The one who was asked is off the line, or did not answer: the agent has the customer again.
    fn handle_asked_left(
        &mut self,
        now: Now,
        asked: &Aside,
        result: ivr::machine::DialResult,
        shared: &mut Shared,
    ) {
        if let Some(work) = &asked.work {
            shared.work_over(now, &self.facts.company.id, work);
        }
        self.forget_asked(asked);
        if !asked.answered {
            self.note(now, TrailKind::DialEnded, json!({ "result": result }));
            if let Stage::Handled(handled) = &self.stage {
                shared.media(handled.leg, MediaCommand::Stop); // the ringing tone
            }
        }
        self.talk.gather();
    }

    /// Somebody who was asked is off the line.
    pub(super) fn forget_asked(&mut self, asked: &Aside) {
        if let Stage::Handled(handled) = &mut self.stage {
            let before = handled.joined.len();
            handled.joined.retain(|joined| joined.leg != asked.leg);
            if handled.joined.len() == before {
                handled.aside = None;
            }
        }
    }

    /// Nobody of the desk could be asked.
    pub(in crate::voice) fn handle_nobody_to_ask(&mut self, work: &WorkId, shared: &mut Shared) {
        if let Stage::Handled(handled) = &mut self.stage
            && handled.aside.as_ref().and_then(|aside| aside.work.as_ref()) == Some(work)
        {
            handled.aside = None;
            shared.media(handled.leg, MediaCommand::Stop); // the ringing tone
            self.talk.gather();
        }
    }

    /// Whether this is the work of the call itself, and not of a consultation.
    pub(in crate::voice) fn is_about(&self, work: &WorkId) -> bool {
        match &self.stage {
            Stage::Handled(handled) => handled.work.as_ref() == Some(work),
            Stage::Flow(walk) => walk.work() == Some(work),
            Stage::Calling(calling) => calling.work.as_ref() == Some(work),
            Stage::Promised => self.is_promised(work),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => false,
        }
    }

    /// The desk has put the customer into the line of a service, again or anew.
    pub(in crate::voice) fn handle_returned(
        &mut self,
        now: Now,
        work: &WorkId,
        service: &ServiceId,
        why: &str,
        shared: &mut Shared,
    ) {
        let Stage::Handled(handled) = &self.stage else {
            return;
        };
        if handled.work.as_ref() != Some(work) {
            return;
        }
        for asked in handled.clone().all_asked() {
            if let Some(work) = &asked.work {
                shared.work_over(now, &self.facts.company.id, work);
            }
        }
        self.drop_others(now, shared);
        self.talk.alone(self.facts.leg, shared);
        self.note(
            now,
            TrailKind::Queued,
            json!({ "returned": why, "service": service }),
        );
        self.learn_state(now, InteractionState::Waiting);
        let Some(rules) = self.facts.company.services.get(service).cloned() else {
            let ending = Ending::ours("unanswered");
            return self.hang_up(now, ending, Cause::Normal, shared);
        };
        let language = self.facts.company.language;
        let waiting = Waiting::new(work.clone(), None, service.clone(), rules, language);
        let mut walk = Walk::of_nobody();
        walk.wait(now, waiting, &mut self.facts, shared);
        self.stage = Stage::Flow(Box::new(walk));
    }

    /// What the desk has of a call that is over for whoever handled it.
    pub(super) fn lay_down(&mut self, now: Now, handled: &Handled, shared: &mut Shared) {
        let asked = handled.all_asked().filter_map(|asked| asked.work.as_ref());
        for work in handled.work.iter().chain(asked) {
            shared.work_over(now, &self.facts.company.id, work);
        }
        if let Stage::Handled(handled) = &mut self.stage {
            handled.work = None;
            handled.aside = None;
            handled.joined = vec![];
        }
    }

    /// A key that somebody pressed by a message goes on to those whom they are with.
    pub(super) fn pass_key(&self, from: LegId, key: dtmf::Key, shared: &mut Shared) {
        let Some(presser) = self.talk.get(from) else {
            return;
        };
        for (leg, party) in self.talk.iter() {
            if leg != from && party.place == presser.place && presser.is_with(party) {
                shared.media(leg, MediaCommand::Press(key));
            }
        }
    }
}

//! A call and the agent who takes it.

use desk::id::UserId;
use desk::record::{EndedBy, InteractionState, InteractionUpdate, TrailKind};
use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sip::call::{Cause, Target};
use serde_json::json;

use super::super::Shared;
use super::super::dialling::Left;
use super::super::ending::Ending;
use super::{Call, Stage};

impl Call {
    /// An agent answered, and hears the caller.
    pub(in crate::voice) fn handle_agent(
        &mut self,
        now: Now,
        leg: LegId,
        agent: &UserId,
        target: &Target,
        shared: &mut Shared,
    ) {
        let company = shared.directory.companies.get(&self.facts.company.id);
        let known = company.and_then(|company| company.agents.get(agent));
        let device = match target {
            Target::Device(account) => Some(account.0.as_ref()),
            Target::Trunk { .. } | Target::Uri(_) => None,
        };
        let detail = json!({
            "agent": agent,
            "name": known.map(|known| known.name.as_str()),
            "device": device,
        });
        self.note(now, TrailKind::AgentAnswered, detail);
        self.learn_state(now, InteractionState::Talking);
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_agent(now, leg);
        }
        self.perform(now, shared);
    }

    /// The agent is off the line. Who hung up ends the call; where the line broke the caller goes
    /// back to their place.
    pub(in crate::voice) fn handle_agent_left(
        &mut self,
        now: Now,
        leg: LegId,
        left: Left,
        shared: &mut Shared,
    ) {
        let hung_up = left.ending.by == EndedBy::Agent;
        self.facts.left.insert(leg, left);
        let Stage::Talking(walk) = &self.stage else {
            return;
        };
        let Some(work) = walk.work_with(leg).cloned() else {
            return;
        };
        let returned = !hung_up
            && shared
                .desk(now, &self.facts.company.id)
                .is_some_and(|desk| desk.handle_agent_leg_lost(now.instant, &work).is_ok());
        if !returned {
            let ending = Ending::by(EndedBy::Agent, "hung_up");
            self.hang_up(now, ending, Cause::Normal, shared);
        }
    }

    /// The desk has put the caller into the line again.
    pub(in crate::voice) fn handle_returned(&mut self, now: Now, why: &str, shared: &mut Shared) {
        if let Stage::Talking(walk) = &mut self.stage {
            walk.handle_returned(now, &mut self.facts, shared);
            self.note(now, TrailKind::Queued, json!({ "returned": why }));
            self.learn_state(now, InteractionState::Waiting);
        }
    }

    fn learn_state(&mut self, now: Now, state: InteractionState) {
        let update = InteractionUpdate {
            state: Some(state),
            ..InteractionUpdate::default()
        };
        self.facts.record.learn(now, &update);
    }

    /// Hangs up where the flow was over before and nobody came back to the caller.
    pub(super) fn leave_at_the_end(&mut self, now: Now, shared: &mut Shared) {
        if matches!(&self.stage, Stage::Talking(walk) if walk.is_at_its_end()) {
            let ending = Ending::ours("unanswered");
            self.hang_up(now, ending, Cause::Normal, shared);
        }
    }
}

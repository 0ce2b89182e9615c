//! What people see of a call.

use desk::id::UserId;
use desk::record::InteractionState;

use super::super::Shared;
use super::super::control::{CallSeen, PartySeen};
use super::super::talk::{Party, Place, Role};
use super::{Call, Stage};
use media_engine::leg::LegId;

impl Call {
    /// What people see of it.
    pub(in crate::voice) fn seen(&self, shared: &Shared) -> CallSeen {
        let parties = self.talk.iter();
        let agent = match &self.stage {
            Stage::Handled(handled) => handled.agent.clone(),
            Stage::Calling(calling) => calling.agent.clone(),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => None,
        };
        CallSeen {
            company: self.facts.company.id.clone(),
            interaction: self.facts.record.interaction().clone(),
            protocol: self.facts.caller.protocol.clone(),
            state: self.state(),
            customer: self.facts.from().to_owned(),
            service: self.service().cloned(),
            agent,
            parties: parties
                .map(|(leg, party)| self.party_seen(leg, party, shared))
                .collect(),
            recording: self.taping.as_str(),
            asks: matches!(&self.stage, Stage::Handled(handled) if handled.all_asked().next().is_some()),
        }
    }

    /// Whether somebody of ours is on its line, or calls for it.
    pub(in crate::voice) fn is_with(&self, who: &UserId) -> bool {
        let calls = match &self.stage {
            Stage::Calling(calling) => calling.agent.as_ref() == Some(who),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Handled(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => false,
        };
        calls || self.talk.leg_of(who).is_some()
    }

    /// Whether somebody of ours is its customer.
    pub(in crate::voice) fn is_customer(&self, who: &UserId, shared: &Shared) -> bool {
        let is_up = matches!(
            self.stage,
            Stage::Answering { .. } | Stage::Flow(_) | Stage::Handled(_)
        );
        let device = shared.device_of(self.facts.leg);
        is_up && device.and_then(|device| self.facts.company.owner(device)) == Some(who)
    }

    fn state(&self) -> InteractionState {
        match &self.stage {
            Stage::Opening { .. } | Stage::Answering { .. } | Stage::Calling(_) => {
                InteractionState::Ringing
            }
            Stage::Promised => InteractionState::Waiting,
            Stage::Flow(walk) if walk.is_waiting() => InteractionState::Waiting,
            Stage::Flow(_) => InteractionState::Flow,
            Stage::Handled(_) => InteractionState::Talking,
            Stage::HangingUp { .. } | Stage::Closing { .. } | Stage::Gone => {
                InteractionState::Ended
            }
        }
    }

    fn party_seen(&self, leg: LegId, party: &Party, shared: &Shared) -> PartySeen {
        let device = shared.device_of(leg).cloned();
        let (role, user) = match &party.role {
            // Whoever of ours calls a number of ours.
            Role::Customer => {
                let owner = device.as_ref();
                let owner = owner.and_then(|device| self.facts.company.owner(device));
                ("customer", owner.cloned())
            }
            Role::Guest => ("guest", None),
            Role::Agent(agent) => ("agent", Some(agent.clone())),
            Role::Supervisor(user, attention) => (attention.as_str(), Some(user.clone())),
        };
        PartySeen {
            role,
            user,
            device,
            place: match party.place {
                Place::Together => "together",
                Place::Aside => "aside",
                Place::Held => "held",
            },
            muted: party.muted,
        }
    }
}

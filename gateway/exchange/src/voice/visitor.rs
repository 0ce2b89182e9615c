//! What the customer in a written interaction may know of it, and that they type.

use desk::change::WorkState;
use desk::id::{CompanyId, InteractionId, ServiceId, UserId, WorkId};
use ivr::Now;
use ivr::hours::State as Opening;

use super::Voice;
use super::live::LiveEvent;
use super::written::Holder;

/// A written interaction as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSeen {
    /// The work that stands for it, under which the desk tells of it.
    pub work: Option<WorkId>,
    /// How it stands.
    pub standing: WrittenStanding,
}

/// How a written interaction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenStanding {
    /// A flow talks with the customer.
    Flow,
    /// It waits for an agent.
    Waiting {
        /// Its place among what is written, 1 being the next.
        position: Option<usize>,
        /// How long it will probably wait yet, in milliseconds.
        expected_ms: Option<i64>,
    },
    /// An agent has it.
    Agent {
        /// Who.
        id: UserId,
        /// What they are called.
        name: String,
    },
    /// Nobody answers any more: an agent only says yet what it was about.
    Over,
}

impl Voice {
    /// How a written interaction stands; nothing where no desk has it: it is over, or was not handed
    /// over yet.
    pub fn written_seen(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
    ) -> Option<WrittenSeen> {
        let Some(work) = self.shared.desks.written.get(interaction).cloned() else {
            let living = self.shared.lives.all.get(interaction)?;
            living.talk.as_ref()?;
            let (work, standing) = (None, WrittenStanding::Flow);
            return Some(WrittenSeen { work, standing });
        };
        let directory = self.shared.directory.clone();
        let desk = self.shared.desk(now, company)?;
        let standing = match &desk.work(&work)?.state {
            WorkState::Waiting
            | WorkState::Offered(_)
            | WorkState::CallingBack { .. }
            | WorkState::Resting { .. } => WrittenStanding::Waiting {
                position: desk.position(&work),
                expected_ms: desk.expected_wait_ms(&work),
            },
            WorkState::Handling { agent, .. } => {
                let known = directory.companies.get(company);
                let known = known.and_then(|known| known.agents.get(agent));
                WrittenStanding::Agent {
                    id: agent.clone(),
                    name: known.map_or_else(String::new, |known| known.name.clone()),
                }
            }
            WorkState::WrapUp { .. } | WorkState::Scheduled { .. } => WrittenStanding::Over,
        };
        let work = Some(work);
        Some(WrittenSeen { work, standing })
    }

    /// When a service opens again: nothing while it is open, `Some(None)` where it never does.
    pub fn service_opens_ms(
        &self,
        now: Now,
        company: &CompanyId,
        service: &ServiceId,
    ) -> Option<Option<i64>> {
        let known = self.shared.directory.companies.get(company)?;
        let calendar = known.services.get(service)?.calendar.as_ref()?;
        match calendar.state(now.wall) {
            Opening::Open { .. } => None,
            Opening::Closed { opens_at, .. } => Some(opens_at.map(|at| at.as_millisecond())),
        }
    }

    /// The customer of a written interaction types, or stopped: the agent who has it is told.
    pub fn handle_customer_typing(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        on: bool,
    ) {
        if let Holder::Agent(agent) = self.holder(now, company, interaction) {
            let event = LiveEvent::Typing {
                interaction: interaction.clone(),
                on,
                users: [agent].into(),
            };
            self.shared.tell(now, company, event);
        }
    }
}

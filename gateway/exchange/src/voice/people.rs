//! What people ask of a company's desk, and what they see of it.

use desk::Desk;
use desk::change::{PauseReason, WorkRecord, WorkState};
use desk::id::{CompanyId, DeviceId, InteractionId, PauseId, ServiceId, UserId, WorkId};
use desk::output::{DeskError, Status};
use desk::record::Medium;
use ivr::Now;

use crate::directory::Agent;

use super::Voice;

/// What an agent wants to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To take work.
    Available,
    /// To keep what is in hand and take nothing new, for this reason.
    Paused(PauseId),
    /// To be gone; with a customer on the line afterwards.
    Offline,
}

/// An agent as others see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSeen {
    /// Who.
    pub id: UserId,
    /// What people call them.
    pub name: String,
    /// Whose work they take.
    pub services: Vec<ServiceId>,
    /// Their phones.
    pub devices: Vec<DeviceId>,
    /// What they are doing.
    pub status: Status,
}

/// A work in the line of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingSeen {
    /// Which.
    pub work: WorkId,
    /// The interaction it stands for.
    pub interaction: InteractionId,
    /// How one talks there.
    pub medium: Medium,
    /// When the customer came, milliseconds since 1970 (UTC).
    pub arrived_ms: i64,
    /// How long they have waited for this service.
    pub waited_ms: i64,
    /// Points of priority, of who they are and of the number or channel together.
    pub priority: i32,
    /// Whose phones ring for it.
    pub offered_to: Vec<UserId>,
}

impl Voice {
    /// An agent comes, pauses or goes.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`], [`DeskError::NoSuchPause`]; [`DeskError::NotNow`] for a pause of
    /// somebody who is not there.
    pub fn set_presence(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        wish: Wish,
    ) -> Result<(), DeskError> {
        let done = self.present(now, company, agent, wish, PauseReason::Chosen);
        self.attend(now);
        done
    }

    /// The agents of a company.
    pub fn agents(&mut self, now: Now, company: &CompanyId) -> Vec<AgentSeen> {
        let directory = self.shared.directory.clone();
        let Some(known) = directory.companies.get(company) else {
            return vec![];
        };
        let Some(desk) = self.shared.desk(now, company) else {
            return vec![];
        };
        let seen = known.agents.iter();
        seen.filter_map(|(id, agent)| agent_seen(desk, id, agent))
            .collect()
    }

    /// The line of a service, the next to be served first.
    pub fn line(&mut self, now: Now, company: &CompanyId, service: &ServiceId) -> Vec<WaitingSeen> {
        let Some(desk) = self.shared.desk(now, company) else {
            return vec![];
        };
        desk.line(service)
            .map(|record| waiting_seen(desk, now, record))
            .collect()
    }
}

/// An agent as others see them; nothing of one whom the desk does not know.
pub(super) fn agent_seen(desk: &Desk, id: &UserId, agent: &Agent) -> Option<AgentSeen> {
    Some(AgentSeen {
        id: id.clone(),
        name: agent.name.clone(),
        services: agent.services.iter().cloned().collect(),
        devices: agent.devices.clone(),
        status: desk.status(id)?,
    })
}

/// A work in the line of a service, as others see it.
pub(super) fn waiting_seen(desk: &Desk, now: Now, record: &WorkRecord) -> WaitingSeen {
    WaitingSeen {
        work: record.work.id.clone(),
        interaction: record.work.interaction.clone(),
        medium: record.work.medium,
        arrived_ms: record.work.arrived_ms,
        waited_ms: desk
            .waited_ms(now.instant, &record.work.id)
            .unwrap_or_default(),
        priority: i32::from(record.work.priority.contact) + i32::from(record.work.priority.number),
        offered_to: match &record.state {
            WorkState::Offered(offers) => offers.iter().map(|offer| offer.agent.clone()).collect(),
            WorkState::Waiting
            | WorkState::CallingBack { .. }
            | WorkState::Resting { .. }
            | WorkState::Handling { .. }
            | WorkState::WrapUp { .. }
            | WorkState::Scheduled { .. } => vec![],
        },
    }
}

//! What people ask of a company's desk, and what they see of it.

use desk::change::WorkState;
use desk::change::{PauseReason, Presence};
use desk::id::{CompanyId, DeviceId, InteractionId, PauseId, ServiceId, UserId, WorkId};
use desk::output::{DeskError, Status};
use desk::record::Medium;
use ivr::Now;

use super::Voice;

/// What an agent wants to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To take work.
    Available,
    /// To keep what is in hand and take nothing new, for this reason.
    Paused(PauseId),
    /// To be gone.
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
    /// Whose phones ring for it.
    pub offered_to: Vec<UserId>,
}

impl Voice {
    /// An agent comes, pauses or goes.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`], [`DeskError::NoSuchPause`]; [`DeskError::NotNow`] for a pause of
    /// somebody who is not there, and for leaving with a customer on the line.
    pub fn set_presence(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        wish: Wish,
    ) -> Result<(), DeskError> {
        let done = self.wish(now, company, agent, wish);
        self.attend(now);
        done
    }

    fn wish(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        wish: Wish,
    ) -> Result<(), DeskError> {
        let at = now.instant;
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchAgent)?;
        let status = desk.status(agent).ok_or(DeskError::NoSuchAgent)?;
        match (wish, status.presence) {
            (Wish::Available, Presence::Paused { .. }) => desk.resume(at, agent),
            (Wish::Available, Presence::Offline | Presence::Available) => desk.log_in(at, agent),
            (Wish::Paused(reason), _) => desk.pause(at, agent, PauseReason::Chosen(reason)),
            (Wish::Offline, _) => {
                let mut held = status.in_hand.iter().map(|held| held.doing);
                if let Some(state) = held.find(|doing| *doing == TALKING) {
                    let command = "go offline";
                    return Err(DeskError::NotNow { command, state });
                }
                desk.log_off(at, agent)
            }
        }
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
        let seen = known.agents.iter().filter_map(|(id, agent)| {
            Some(AgentSeen {
                id: id.clone(),
                name: agent.name.clone(),
                services: agent.services.iter().cloned().collect(),
                devices: agent.devices.clone(),
                status: desk.status(id)?,
            })
        });
        seen.collect()
    }

    /// The line of a service, the next to be served first.
    pub fn line(&mut self, now: Now, company: &CompanyId, service: &ServiceId) -> Vec<WaitingSeen> {
        let Some(desk) = self.shared.desk(now, company) else {
            return vec![];
        };
        let seen = desk.line(service).map(|record| WaitingSeen {
            work: record.work.id.clone(),
            interaction: record.work.interaction.clone(),
            medium: record.work.medium,
            arrived_ms: record.work.arrived_ms,
            waited_ms: desk
                .waited_ms(now.instant, &record.work.id)
                .unwrap_or_default(),
            offered_to: match &record.state {
                WorkState::Offered(offers) => {
                    offers.iter().map(|offer| offer.agent.clone()).collect()
                }
                WorkState::Waiting
                | WorkState::CallingBack { .. }
                | WorkState::Resting { .. }
                | WorkState::Handling { .. }
                | WorkState::WrapUp { .. }
                | WorkState::Scheduled { .. } => vec![],
            },
        });
        seen.collect()
    }
}

/// The name of the state of work whose customer an agent talks with
/// ([`WorkState::name`]).
const TALKING: &str = "handling";

//! Handing on what is written, and to whom anything may be handed.

use std::collections::BTreeSet;

use desk::change::{Presence, WorkState};
use desk::id::{CompanyId, InteractionId, ServiceId, UserId};
use desk::output::{DeskError, Toward};
use ivr::Now;

use super::{Holder, LiveEvent, Voice};

/// Somewhere that work may be handed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    /// The service.
    pub service: ServiceId,
    /// What people call it.
    pub name: String,
    /// How many wait there.
    pub waiting: usize,
    /// How many of its agents are there.
    pub available: usize,
}

/// Somebody whom work may be handed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTarget {
    /// Who.
    pub agent: UserId,
    /// What they are called.
    pub name: String,
    /// Whose work they take.
    pub services: Vec<ServiceId>,
    /// Whether they are there, and how.
    pub presence: Presence,
    /// What they have in hand costs so much of their attention, in percent.
    pub load: u32,
}

/// To whom an agent may hand what they have, by what the company allows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Services, by name.
    pub services: Vec<ServiceTarget>,
    /// Colleagues, by name.
    pub agents: Vec<AgentTarget>,
}

impl Voice {
    /// To whom somebody may hand work. What the service of a work forbids is refused when it is tried.
    pub fn targets(&mut self, now: Now, company: &CompanyId, user: &UserId) -> Targets {
        let directory = self.shared.directory.clone();
        let Some(known) = directory.companies.get(company) else {
            return Targets::default();
        };
        let rights = known.agents.get(user).map(|agent| &agent.transfers);
        let Some(desk) = self.shared.desk(now, company) else {
            return Targets::default();
        };
        let allowed = known
            .services
            .iter()
            .filter(|(id, _)| rights.is_none_or(|rights| rights.allow(id)));
        let services = allowed.map(|(id, service)| {
            let status = desk.service_status(now.instant, id);
            ServiceTarget {
                service: id.clone(),
                name: service.name.clone(),
                waiting: status.as_ref().map_or(0, |status| status.waiting),
                available: status.as_ref().map_or(0, |status| status.available),
            }
        });
        let mut services: Vec<ServiceTarget> = services.collect();
        services.sort_by(|one, other| one.name.cmp(&other.name));
        let others = known
            .agents
            .iter()
            .filter(|(id, _)| *id != user && rights.is_none_or(|rights| rights.agents));
        let agents = others.filter_map(|(id, agent)| {
            let status = desk.status(id)?;
            Some(AgentTarget {
                agent: id.clone(),
                name: agent.name.clone(),
                services: agent.services.iter().cloned().collect(),
                presence: status.presence,
                load: status.load,
            })
        });
        let mut agents: Vec<AgentTarget> = agents.collect();
        agents.sort_by(|one, other| one.name.cmp(&other.name));
        Targets { services, agents }
    }

    /// The agent who has a written interaction hands it on; `by` is nobody where a supervisor does it for
    /// whoever has it.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchWork`] when it is in no line and in nobody's hand, and as of
    /// [`desk::Desk::transfer`].
    pub fn transfer_written(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        by: Option<&UserId>,
        toward: Toward,
    ) -> Result<(), DeskError> {
        let work = self.shared.desks.written.get(interaction).cloned();
        let work = work.ok_or(DeskError::NoSuchWork)?;
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchWork)?;
        let record = desk.work(&work).ok_or(DeskError::NoSuchWork)?;
        let holder = match &record.state {
            WorkState::Handling { agent, .. } => Some(agent.clone()),
            WorkState::Waiting
            | WorkState::Offered(_)
            | WorkState::CallingBack { .. }
            | WorkState::Resting { .. }
            | WorkState::WrapUp { .. }
            | WorkState::Scheduled { .. } => None,
        };
        let by = by.cloned().or(holder);
        let done = match (by, toward) {
            (Some(by), toward) => desk.transfer(now.instant, &work, &by, toward, vec![]),
            (None, Toward::Service(service)) => desk.move_to(now.instant, &work, &service),
            (None, Toward::Agent { .. }) => Err(DeskError::NotAllowed),
        };
        self.attend(now);
        done
    }

    /// Tells who has an interaction in hand, and those whom a note about it mentions, of that note.
    pub fn tell_note(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        mentions: Vec<UserId>,
    ) {
        let beside = self.before_whom(now, company, interaction);
        let mut calls = self.calls_of(company).into_iter();
        let on_call = calls.find(|call| call.interaction == *interaction);
        let mut users = on_call.map(|call| call.users()).unwrap_or_default();
        users.extend(beside);
        users.extend(mentions.iter().cloned());
        let event = LiveEvent::Noted {
            interaction: interaction.clone(),
            mentions,
            users,
        };
        self.shared.tell(now, company, event);
        self.attend(now);
    }

    /// Somebody reads a written interaction, writes in it, or has left it: those before whom it is are told,
    /// so that not two answer.
    pub fn tell_beside(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        (by, name): (&UserId, &str),
        doing: &'static str,
    ) {
        let beside = self.before_whom(now, company, interaction);
        let mut users: BTreeSet<UserId> = beside.into_iter().collect();
        users.remove(by);
        if users.is_empty() {
            return;
        }
        let event = LiveEvent::Beside {
            interaction: interaction.clone(),
            by: by.clone(),
            name: name.to_owned(),
            doing,
            users,
        };
        self.shared.tell(now, company, event);
        self.attend(now);
    }

    /// Who has an interaction in hand, or to whom it is offered.
    fn before_whom(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
    ) -> Vec<UserId> {
        match self.holder(now, company, interaction) {
            Holder::Agent(agent) => vec![agent],
            Holder::Offered(agents) => agents,
            Holder::Nobody => vec![],
        }
    }

    /// A supervisor has who waits wait for another service: written or on the line.
    ///
    /// # Errors
    ///
    /// As of [`desk::Desk::move_to`].
    pub fn move_work(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &desk::id::WorkId,
        service: &ServiceId,
    ) -> Result<(), DeskError> {
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchWork)?;
        let done = desk.move_to(now.instant, work, service);
        self.attend(now);
        done
    }
}

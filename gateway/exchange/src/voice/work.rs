//! Work as agents and supervisors see it and what they do with it, beside the calls.

use desk::ServiceStatus;
use desk::change::{WorkRecord, WorkState};
use desk::decision::Decision;
use desk::disposition::{Disposed, Disposition};
use desk::explain;
use desk::id::{CompanyId, InteractionId, ServiceId, UserId, WorkId};
use desk::output::DeskError;
use desk::record::Medium;
use desk::work::Priority;
use ivr::Now;

use super::Voice;
use super::kept::language;

/// Something an agent has in hand, as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkSeen {
    /// Which.
    pub work: WorkId,
    /// The interaction it stands for.
    pub interaction: InteractionId,
    /// For which service.
    pub service: ServiceId,
    /// How one talks there.
    pub medium: Medium,
    /// The state's name, as of [`WorkState::name`].
    pub doing: &'static str,
    /// Since when it is so, milliseconds since 1970 (UTC).
    pub since_ms: i64,
    /// When the offer lapses or the time for wrap-up is over.
    pub until_ms: Option<i64>,
    /// Whether the agent must choose a disposition.
    pub mandatory: bool,
    /// Whether one was chosen while the call lasts.
    pub disposed: bool,
    /// What there is to choose.
    pub dispositions: Vec<Disposition>,
    /// Where the customer is called back, when that was promised.
    pub callback: Option<String>,
    /// What it is asked about, when this is a consultation.
    pub about: Option<WorkId>,
}

impl Voice {
    /// What an agent has in hand and what is offered to them, the oldest first.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn work_of(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
    ) -> Result<Vec<WorkSeen>, DeskError> {
        let directory = self.shared.directory.clone();
        let known = directory.companies.get(company);
        let known = known.ok_or(DeskError::NoSuchAgent)?;
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchAgent)?;
        let status = desk.status(agent).ok_or(DeskError::NoSuchAgent)?;
        let seen = status.in_hand.iter().filter_map(|held| {
            let record = desk.work(&held.work)?;
            let (since_ms, until_ms) = times(record, agent);
            let service = known.services.get(&record.work.service);
            let rules = service.map(|service| &service.rules.wrap_up);
            Some(WorkSeen {
                work: held.work.clone(),
                interaction: record.work.interaction.clone(),
                service: record.work.service.clone(),
                medium: held.medium,
                doing: held.doing,
                since_ms,
                until_ms,
                mandatory: rules.is_some_and(|rules| rules.mandatory),
                disposed: record.disposed.is_some(),
                dispositions: rules.map_or_else(Vec::new, |rules| rules.dispositions.clone()),
                callback: record
                    .callback
                    .as_ref()
                    .map(|callback| callback.number.clone()),
                about: record.about.clone(),
            })
        });
        Ok(seen.collect())
    }

    /// An agent closes a work with a disposition.
    ///
    /// # Errors
    ///
    /// As of [`desk::Desk::dispose`].
    pub fn dispose(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        work: &WorkId,
        disposed: Disposed,
    ) -> Result<(), DeskError> {
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchWork)?;
        let done = desk.dispose(now.instant, work, agent, disposed);
        self.attend(now);
        done
    }

    /// An agent is done with a wrap-up that demands no disposition.
    ///
    /// # Errors
    ///
    /// As of [`desk::Desk::end_wrap_up`].
    pub fn end_wrap_up(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        work: &WorkId,
    ) -> Result<(), DeskError> {
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchWork)?;
        let done = desk.end_wrap_up(now.instant, work, agent);
        self.attend(now);
        done
    }

    /// An agent takes or refuses what is offered to them on the screen. A phone that rings can only
    /// be answered; refused it can be here too.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchWork`]; [`DeskError::OfferOver`] when it is not offered to them (any more);
    /// [`DeskError::NotNow`] for taking a phone call here.
    pub fn answer_offer(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        work: &WorkId,
        takes: bool,
    ) -> Result<(), DeskError> {
        let done = self.answer(now, company, agent, work, takes);
        self.attend(now);
        done
    }

    fn answer(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        work: &WorkId,
        takes: bool,
    ) -> Result<(), DeskError> {
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchWork)?;
        let record = desk.work(work).ok_or(DeskError::NoSuchWork)?;
        let WorkState::Offered(offers) = &record.state else {
            return Err(DeskError::OfferOver);
        };
        let mut offers = offers.iter();
        let mine = offers.find(|offer| offer.agent == *agent);
        let offer = mine.ok_or(DeskError::OfferOver)?.id;
        if !takes {
            return desk.refuse(now.instant, offer);
        }
        if record.work.medium == Medium::Phone {
            let (command, state) = ("accept", "ringing");
            return Err(DeskError::NotNow { command, state });
        }
        desk.accept(now.instant, offer)
    }

    /// Makes a work more or less urgent than others, for who the customer is.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchWork`].
    pub fn set_work_priority(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        points: i16,
    ) -> Result<(), DeskError> {
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchWork)?;
        let number = desk.work(work).ok_or(DeskError::NoSuchWork)?;
        let priority = Priority {
            contact: points,
            ..number.work.priority
        };
        let done = desk.set_priority(now.instant, work, priority);
        self.attend(now);
        done
    }

    /// Who would get a work now and why, in the company's language; nothing where there is no such
    /// work.
    pub fn explain(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
    ) -> Option<(String, Decision)> {
        let directory = self.shared.directory.clone();
        let known = directory.companies.get(company)?;
        let decision = self.shared.desk(now, company)?.explain(now.instant, work)?;
        let sentence = explain::decision(&decision, language(known.language), known.as_ref());
        Some((sentence, decision))
    }

    /// For which service a work is.
    pub fn service_of_work(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
    ) -> Option<ServiceId> {
        let desk = self.shared.desk(now, company)?;
        Some(desk.work(work)?.work.service.clone())
    }

    /// How the line of a service is.
    pub fn service_status(
        &mut self,
        now: Now,
        company: &CompanyId,
        service: &ServiceId,
    ) -> Option<ServiceStatus> {
        let desk = self.shared.desk(now, company)?;
        desk.service_status(now.instant, service)
    }
}

/// Since when a work is as it is for this agent, and until when.
fn times(record: &WorkRecord, agent: &UserId) -> (i64, Option<i64>) {
    match &record.state {
        WorkState::Offered(offers) => {
            let mut offers = offers.iter();
            let mine = offers.find(|offer| offer.agent == *agent);
            (record.wait.entered_ms, mine.map(|offer| offer.until_ms))
        }
        WorkState::CallingBack { since_ms, .. } | WorkState::Handling { since_ms, .. } => {
            (*since_ms, None)
        }
        WorkState::WrapUp {
            since_ms, until_ms, ..
        } => (*since_ms, *until_ms),
        WorkState::Waiting | WorkState::Resting { .. } | WorkState::Scheduled { .. } => {
            (record.wait.entered_ms, None)
        }
    }
}

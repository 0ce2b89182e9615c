//! Handing work on: transfers, consultations.

use std::time::Instant;

use crate::change::{OfferEnd, Presence, WorkState};
use crate::id::{ServiceId, UserId, WorkId};
use crate::output::{DeskError, Output, Toward, WhyClosed};
use crate::work::{Preferred, SkillWanted};

use super::Desk;
use super::agent::{AgentIndex, Held, HeldKind};

impl Desk {
    /// The agent hands a work on and is free. It keeps its arrival, so it stands before those who
    /// came later; `skills` is what it needs from now on.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotAllowed`] when the agent may not hand work there, [`DeskError::Away`] when
    /// the other agent is not there; the work stays where it is then.
    pub fn transfer(
        &mut self,
        now: Instant,
        work: &WorkId,
        by: &UserId,
        toward: Toward,
        skills: Vec<SkillWanted>,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let (seq, giver) = desk.in_hand_of(work, by, "transfer")?;
            desk.may_hand(seq, giver, &toward)?;
            desk.end_consult_about(at, seq);
            desk.release(at, seq);
            desk.event(Output::Transferred {
                work: work.clone(),
                from: by.clone(),
                toward: toward.clone(),
            });
            let service = match &toward {
                Toward::Service(service) => service.clone(),
                Toward::Agent { .. } => desk.job(seq).record.work.service.clone(),
            };
            desk.reassign(at, seq, &service);
            let record = &mut desk.job_mut(seq).record;
            record.work.skills = skills;
            record.work.skills.sort();
            record.disposed = None;
            desk.rest(at, seq, giver);
            desk.prefer(at, seq, &toward);
            desk.turn.arrivals.insert(seq);
            desk.enter_line(at, seq);
            Ok(())
        })
    }

    /// Somebody has a work that nobody has in hand wait for another service. It keeps its arrival.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] when somebody has it, [`DeskError::Full`] when the line there takes no more.
    pub fn move_to(
        &mut self,
        now: Instant,
        work: &WorkId,
        service: &ServiceId,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            if !matches!(job.record.state, WorkState::Waiting | WorkState::Offered(_)) {
                return Err(job.not_now("move"));
            }
            if job.record.work.service == *service {
                return Ok(());
            }
            desk.may_hand_to(true, service)?;
            desk.end_offers(seq, OfferEnd::WorkGone);
            desk.move_waiting(at, seq, service);
            Ok(())
        })
    }

    /// The agent asks a colleague about a work they have. The consultation is a work of its own,
    /// `consult`, that is offered like any other; whoever accepts it talks with the agent. When somebody
    /// did, another may be asked as well.
    /// [`Desk::hand_over`] makes a transfer of it, [`Desk::handle_over`] ends it.
    ///
    /// # Errors
    ///
    /// Like [`Desk::transfer`].
    pub fn consult(
        &mut self,
        now: Instant,
        work: &WorkId,
        by: &UserId,
        consult: WorkId,
        toward: Toward,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let (seq, asker) = desk.in_hand_of(work, by, "consult")?;
            desk.may_hand(seq, asker, &toward)?;
            let is_unanswered = |asked| desk.job(asked).record.state.holder().is_none();
            if desk.consult_about(work).is_some_and(is_unanswered) {
                let (command, state) = ("consult", "consulting");
                return Err(DeskError::NotNow { command, state });
            }
            let mut asked = desk.job(seq).record.work.clone();
            asked.id = consult.clone();
            asked.skills.clear();
            asked.preferred = None;
            if let Toward::Service(service) = &toward {
                asked.service = service.clone();
            }
            let service = desk.service(&asked.service)?;
            let seq = desk.insert(at, asked, Some(work.clone()), service)?;
            // Nobody consults themselves.
            desk.rest_until(i64::MAX, seq, asker);
            desk.prefer(at, seq, &toward);
            desk.enter_line(at, seq);
            Ok(())
        })
    }

    /// The consulted agent takes over what they were asked about; the agent who asked is free.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] unless both have their side in hand.
    pub fn hand_over(
        &mut self,
        now: Instant,
        consult: &WorkId,
        by: &UserId,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let asked = desk.seq(consult)?;
            let job = desk.job(asked);
            let about = job.record.about.clone();
            let (Some(about), WorkState::Handling { agent, .. }) = (about, &job.record.state)
            else {
                return Err(job.not_now("hand over"));
            };
            let taker = agent.clone();
            if taker == *by {
                return Err(DeskError::NotAllowed);
            }
            let (seq, _) = desk.in_hand_of(&about, by, "hand over")?;
            let index = desk.agent(&taker)?;
            desk.release(at, asked);
            desk.remove(asked);
            desk.release(at, seq);
            let medium = desk.job(seq).record.work.medium;
            let kind = HeldKind::InHand;
            desk.agents[index.0].held.insert(seq, Held { medium, kind });
            desk.touch_agent(index);
            desk.event(Output::Transferred {
                work: about,
                from: by.clone(),
                toward: Toward::Agent {
                    agent: taker.clone(),
                    wait_ms: 0,
                },
            });
            desk.begin_handling(at, seq, &taker);
            Ok(())
        })
    }

    /// Ends the consultation about a work, unless somebody already talks in it.
    pub(super) fn end_consult_about(&mut self, at: i64, seq: u64) {
        let Some(asked) = self.consult_about(&self.job(seq).record.work.id) else {
            return;
        };
        if self.job(asked).record.state.holder().is_none() {
            self.close(at, asked, WhyClosed::ConsultOver);
        }
    }

    fn consult_about(&self, work: &WorkId) -> Option<u64> {
        self.consults.get(work).copied()
    }

    /// The work and its agent, when `by` has it in hand.
    fn in_hand_of(
        &self,
        work: &WorkId,
        by: &UserId,
        command: &'static str,
    ) -> Result<(u64, AgentIndex), DeskError> {
        let seq = self.seq(work)?;
        let job = self.job(seq);
        match &job.record.state {
            WorkState::Handling { agent, .. } if agent == by => Ok((seq, self.agent(by)?)),
            WorkState::Handling { .. } => Err(DeskError::NotYours),
            WorkState::Waiting
            | WorkState::Offered(_)
            | WorkState::CallingBack { .. }
            | WorkState::Resting { .. }
            | WorkState::WrapUp { .. }
            | WorkState::Scheduled { .. } => Err(job.not_now(command)),
        }
    }

    /// Whether `giver` may hand work there, and somebody can have it there.
    fn may_hand(&self, seq: u64, giver: AgentIndex, toward: &Toward) -> Result<(), DeskError> {
        let giver = &self.agents[giver.0];
        let rights = &giver.rules.transfers;
        let of_service = &self.services[self.job(seq).service.0].rules.transfers;
        match toward {
            Toward::Service(service) => {
                let allowed = rights.allow(service) && of_service.allow(service);
                self.may_hand_to(allowed, service)
            }
            Toward::Agent { agent, .. } => {
                let other = &self.agents[self.agent(agent)?.0].record;
                let allowed = rights.agents && of_service.agents;
                if !allowed || *agent == giver.record.id {
                    return Err(DeskError::NotAllowed);
                }
                if other.presence != Presence::Available || other.lost_until_ms.is_some() {
                    return Err(DeskError::Away);
                }
                Ok(())
            }
        }
    }

    fn may_hand_to(&self, allowed: bool, service: &ServiceId) -> Result<(), DeskError> {
        let index = self.service(service)?;
        if !allowed {
            return Err(DeskError::NotAllowed);
        }
        let service = &self.services[index.0];
        if service.line.length() >= service.rules.line_max || service.gone {
            return Err(DeskError::Full);
        }
        Ok(())
    }

    /// Lets a work wait for the agent it is handed to.
    fn prefer(&mut self, at: i64, seq: u64, toward: &Toward) {
        if let Toward::Agent { agent, wait_ms } = toward {
            let record = &mut self.job_mut(seq).record;
            record.work.preferred = Some(Preferred {
                agent: agent.clone(),
                wait_ms: *wait_ms,
                even_away: false,
            });
            record.wait.preferred_until_ms = Some(at.saturating_add((*wait_ms).max(0)));
        }
    }
}

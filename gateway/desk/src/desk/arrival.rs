//! Into the line and out of it.

use std::time::Instant;

use crate::change::{OfferEnd, Wait, WorkRecord, WorkState};
use crate::id::WorkId;
use crate::output::{DeskError, Output, WaitEnd, WhyClosed};
use crate::rules::{LINE_MAX, ServiceRules};
use crate::work::{Priority, Work};

use super::line::{Needs, ServiceIndex};
use super::{Desk, Job, Standing};

impl Desk {
    /// Puts work into the line of its service, at the place of its arrival. An agent who is free
    /// is offered it in the same turn.
    ///
    /// # Errors
    ///
    /// [`DeskError::Full`] when the line takes no more, [`DeskError::AlreadyHere`] and
    /// [`DeskError::NoSuchService`].
    pub fn enqueue(&mut self, now: Instant, work: Work) -> Result<(), DeskError> {
        self.turn(now, |desk, at| desk.enqueue_at(at, work))
    }

    /// The customer left, or the conversation is over: called once for each work, whatever it is
    /// doing. Who waited has left the line; who talked goes on to wrap-up. A caller who was
    /// promised a callback hangs up without this.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchWork`].
    pub fn handle_over(&mut self, now: Instant, work: &WorkId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            desk.over(at, seq);
            Ok(())
        })
    }

    /// Makes a work more or less urgent. Where it waits its place is another at once.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchWork`].
    pub fn set_priority(
        &mut self,
        now: Instant,
        work: &WorkId,
        priority: Priority,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            let (service, before) = (job.service, job.place);
            let state = &job.record.state;
            let waits = *state == WorkState::Waiting;
            let rings = matches!(state, WorkState::Offered(_));
            if waits || rings {
                desk.leave_line(seq);
            }
            desk.job_mut(seq).record.work.priority = priority;
            let place = desk.place(service, &desk.job(seq).record);
            desk.job_mut(seq).place = place;
            desk.turn.works_to_match.remove(&before);
            if rings {
                desk.services[service.0].line.enter(place);
                desk.stand_offered(seq);
            }
            if waits {
                desk.enter_line(at, seq);
            }
            desk.touch_work(seq);
            Ok(())
        })
    }

    fn enqueue_at(&mut self, at: i64, work: Work) -> Result<(), DeskError> {
        let service = self.service(&work.service)?;
        let taken = self.services[service.0].line.length();
        if taken >= self.services[service.0].rules.line_max.min(LINE_MAX)
            || self.services[service.0].gone
        {
            return Err(DeskError::Full);
        }
        let seq = self.insert(at, work, None, service)?;
        self.turn.arrivals.insert(seq);
        self.enter_line(at, seq);
        Ok(())
    }

    /// Adds a work that stands nowhere yet.
    pub(super) fn insert(
        &mut self,
        at: i64,
        mut work: Work,
        about: Option<WorkId>,
        service: ServiceIndex,
    ) -> Result<u64, DeskError> {
        if self.work_index.contains_key(&work.id) {
            return Err(DeskError::AlreadyHere);
        }
        work.arrived_ms = work.arrived_ms.min(at);
        work.skills.sort();
        let seq = self.seq_next;
        self.seq_next += 1;
        self.work_index.insert(work.id.clone(), seq);
        if let Some(about) = &about {
            self.consults.insert(about.clone(), seq);
        }
        let record = WorkRecord {
            wait: fresh_wait(at, &work),
            work,
            seq,
            state: WorkState::Waiting,
            rests: vec![],
            callback: None,
            about,
            disposed: None,
        };
        let place = self.place(service, &record);
        let job = Job {
            record,
            service,
            place,
            standing: Standing::Out,
            due: None,
        };
        self.works.insert(seq, job);
        Ok(seq)
    }

    /// Puts a work that stands nowhere into the line of its service.
    pub(super) fn enter_line(&mut self, at: i64, seq: u64) {
        let job = self.job_mut(seq);
        job.record.state = WorkState::Waiting;
        let (service, place) = (job.service, job.place);
        if self.services[service.0].gone {
            self.close(at, seq, WhyClosed::ServiceGone);
            return;
        }
        self.services[service.0].line.enter(place);
        self.stand(at, seq);
        self.touch_work(seq);
    }

    /// Takes a work that is not being offered out of the line.
    pub(super) fn leave_line(&mut self, seq: u64) {
        self.unstand(seq);
        let job = self.job(seq);
        let (service, place) = (job.service, job.place);
        self.services[service.0].line.leave(place);
        self.turn.works_to_match.remove(&place);
    }

    /// Finds where a waiting work stands: with its preferred agent alone, or with all.
    pub(super) fn stand(&mut self, at: i64, seq: u64) {
        self.unstand(seq);
        let job = self.job(seq);
        let place = job.place;
        if let Some(index) = self.waits_for(at, job) {
            self.agents[index.0].preferred.insert(place);
            self.job_mut(seq).standing = Standing::Held(index);
        } else {
            let needs = self.needs(job);
            let service = job.service;
            let ready = needs.clone();
            self.services[service.0].line.make_ready(ready, place);
            let job = self.job_mut(seq);
            job.standing = Standing::Ready(needs);
            if job.record.wait.preferred_until_ms.take().is_some() {
                self.turn.works.insert(seq);
            }
        }
        self.turn.works_to_match.insert(place);
    }

    /// Notes that a work is being offered.
    pub(super) fn stand_offered(&mut self, seq: u64) {
        self.unstand(seq);
        let needs = self.needs(self.job(seq));
        let job = self.job_mut(seq);
        job.standing = Standing::Offered(needs);
        let (service, place) = (job.service, job.place);
        let alone = job.record.wait.preferred_until_ms.is_some();
        let service = &mut self.services[service.0];
        if service.rules.routing == crate::rules::Routing::RingAll && !alone {
            service.line.ring(place);
        }
        self.turn.works_to_match.remove(&place);
    }

    fn unstand(&mut self, seq: u64) {
        let job = self.job_mut(seq);
        let (service, place) = (job.service, job.place);
        match std::mem::replace(&mut job.standing, Standing::Out) {
            Standing::Out => {}
            Standing::Ready(needs) => self.services[service.0].line.unready(&needs, place),
            Standing::Held(index) => {
                self.agents[index.0].preferred.remove(&place);
            }
            Standing::Offered(_) => self.services[service.0].line.unring(place),
        }
    }

    /// The preferred agent for whom a work still waits alone.
    fn waits_for(&self, at: i64, job: &Job) -> Option<super::AgentIndex> {
        let preferred = job.record.work.preferred.as_ref()?;
        job.record
            .wait
            .preferred_until_ms
            .filter(|until| *until > at)?;
        let index = self.agent_index.get(&preferred.agent).copied()?;
        let present = self.agents[index.0].record.presence == crate::change::Presence::Available;
        (present || preferred.even_away).then_some(index)
    }

    /// What a work needs of an agent, as far as it has relaxed.
    pub(super) fn needs(&self, job: &Job) -> Needs {
        let record = &job.record;
        let rules = &self.services[job.service.0].rules;
        let lower = lowered(rules, record.wait.relaxed);
        let skills = record.work.skills.iter().filter_map(|wanted| {
            let level = if wanted.fixed {
                wanted.level
            } else if record.wait.skills_dropped {
                0
            } else {
                wanted.level.saturating_sub(lower)
            };
            (level > 0).then(|| (wanted.skill.clone(), level))
        });
        Needs {
            medium: record.work.medium,
            skills: skills.collect(),
        }
    }

    /// Ends the wait of a work without anybody.
    pub(super) fn close(&mut self, at: i64, seq: u64, why: WhyClosed) {
        self.end_offers(seq, OfferEnd::WorkGone);
        self.leave_line(seq);
        self.wait_ended(at, seq, WaitEnd::Closed(why));
        self.remove(seq);
    }

    fn over(&mut self, at: i64, seq: u64) {
        let job = self.job(seq);
        let consult = job.record.about.is_some();
        match job.record.state {
            WorkState::Waiting | WorkState::Offered(_) | WorkState::Resting { .. } => {
                self.end_offers(seq, OfferEnd::WorkGone);
                self.leave_line(seq);
                self.abandoned(at, seq);
            }
            WorkState::CallingBack { .. } => {
                self.release(at, seq);
                self.abandoned(at, seq);
            }
            WorkState::Handling { .. } if consult => {
                self.release(at, seq);
                self.remove(seq);
            }
            WorkState::Handling { .. } => self.conclude(at, seq),
            WorkState::WrapUp { .. } => {}
            WorkState::Scheduled { .. } => self.remove(seq),
        }
    }

    fn abandoned(&mut self, at: i64, seq: u64) {
        let job = self.job(seq);
        let waited = at.saturating_sub(job.record.wait.entered_ms);
        let short = self.services[job.service.0].rules.targets.abandon_ms;
        let counts = short.is_none_or(|short| waited >= short);
        self.wait_ended(at, seq, WaitEnd::Abandoned { counts });
        self.end_consult_about(at, seq);
        self.remove(seq);
    }

    pub(super) fn wait_ended(&mut self, at: i64, seq: u64, end: WaitEnd) {
        let record = &self.job(seq).record;
        let event = Output::WaitEnded {
            work: record.work.id.clone(),
            service: record.work.service.clone(),
            waited_ms: at.saturating_sub(record.wait.entered_ms),
            end,
        };
        self.event(event);
    }
}

/// How a wait begins at `at`.
pub(super) fn fresh_wait(at: i64, work: &Work) -> Wait {
    let preferred = work.preferred.as_ref();
    Wait {
        entered_ms: at,
        preferred_until_ms: preferred.map(|preferred| at.saturating_add(preferred.wait_ms.max(0))),
        ..Wait::default()
    }
}

/// By how many levels `steps` steps have lowered what is wanted.
fn lowered(rules: &ServiceRules, steps: usize) -> u8 {
    rules
        .relax
        .iter()
        .take(steps)
        .fold(0, |sum: u8, step| sum.saturating_add(step.by))
}

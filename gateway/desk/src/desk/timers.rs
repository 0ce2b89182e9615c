//! Deadlines: each work and each agent has one, the next of theirs; firing early is harmless.

use crate::change::{Presence, WorkState};
use crate::id::PauseId;
use crate::output::{Output, Target};

use super::agent::{Agent, AgentIndex};
use super::{Desk, Job};

/// Whose deadline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Agent(AgentIndex),
    Work(u64),
}

impl Desk {
    pub(super) fn run_timers(&mut self, at: i64) {
        while let Some(&(due, owner)) = self.timers.first() {
            if due > at {
                break;
            }
            self.timers.pop_first();
            match owner {
                Owner::Agent(index) => {
                    self.agents[index.0].due = None;
                    self.agent_due(at, index);
                }
                Owner::Work(seq) => {
                    self.job_mut(seq).due = None;
                    self.work_due(at, seq);
                }
            }
        }
    }

    pub(super) fn reset_timer(&mut self, owner: Owner, before: Option<i64>, due: Option<i64>) {
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, owner));
        }
        if let Some(due) = due {
            self.timers.insert((due, owner));
        }
    }

    /// When the next thing is due with a work.
    pub(super) fn work_next(&self, job: &Job) -> Option<i64> {
        let record = &job.record;
        match &record.state {
            WorkState::Waiting => self.waiting_next(job),
            WorkState::Offered(offers) => {
                let lapse = offers.iter().map(|offer| offer.until_ms).min();
                [lapse, self.answer_target(job)].into_iter().flatten().min()
            }
            WorkState::Resting { until_ms } => Some(*until_ms),
            WorkState::Handling { unanswered, .. } => {
                let since = unanswered.filter(|unanswered| !unanswered.told)?.since_ms;
                let target = self.services[job.service.0].rules.targets.message_ms?;
                Some(since.saturating_add(target))
            }
            WorkState::WrapUp { until_ms, .. } => *until_ms,
            WorkState::Scheduled { at_ms } => Some(*at_ms),
            WorkState::CallingBack { .. } => None,
        }
    }

    fn waiting_next(&self, job: &Job) -> Option<i64> {
        let wait = &job.record.wait;
        let service = &self.services[job.service.0];
        let relax = service.rules.relax.get(wait.relaxed);
        let relax = relax.map(|step| wait.entered_ms.saturating_add(step.after_ms));
        let overflow = service.overflow.get(wait.overflowed);
        let overflow = overflow.map(|(after, _)| wait.entered_ms.saturating_add(*after));
        let rest = job.record.rests.iter().map(|rest| rest.until_ms).min();
        let rest = rest.filter(|until| *until < i64::MAX);
        let target = self.answer_target(job);
        [wait.preferred_until_ms, relax, overflow, rest, target]
            .into_iter()
            .flatten()
            .min()
    }

    /// When the target for answering will be missed, unless that was told.
    fn answer_target(&self, job: &Job) -> Option<i64> {
        let wait = &job.record.wait;
        let target = self.services[job.service.0].rules.targets.answer_ms?;
        (!wait.target_told).then(|| wait.entered_ms.saturating_add(target))
    }

    /// When the next thing is due with an agent.
    pub(super) fn agent_next(&self, agent: &Agent) -> Option<i64> {
        let pause = match &agent.record.presence {
            Presence::Paused {
                reason,
                since_ms,
                told: false,
            } => reason
                .chosen()
                .and_then(|pause| self.pause_limit(pause))
                .map(|limit| since_ms.saturating_add(limit)),
            Presence::Paused { told: true, .. } | Presence::Available | Presence::Offline => None,
        };
        [agent.record.lost_until_ms, pause]
            .into_iter()
            .flatten()
            .min()
    }

    fn pause_limit(&self, pause: &PauseId) -> Option<i64> {
        self.rules.pauses.get(pause)?.limit_ms
    }

    fn agent_due(&mut self, at: i64, index: AgentIndex) {
        let record = &self.agents[index.0].record;
        if record.lost_until_ms.is_some_and(|until| until <= at) {
            self.leave(at, index);
            return;
        }
        let agent = &self.agents[index.0];
        let overdue = self.agent_next(agent).is_some_and(|due| due <= at);
        if let Presence::Paused { reason, told, .. } = &mut self.agents[index.0].record.presence
            && overdue
        {
            *told = true;
            let reason = reason.clone();
            let agent = self.agents[index.0].record.id.clone();
            self.event(Output::PauseOverdue { agent, reason });
        }
        self.touch_agent(index);
    }

    fn work_due(&mut self, at: i64, seq: u64) {
        match &self.job(seq).record.state {
            WorkState::Waiting => self.waiting_due(at, seq),
            WorkState::Offered(_) => {
                self.tell_answer_target(at, seq);
                self.lapse(at, seq);
            }
            WorkState::Resting { .. } => self.enter_line(at, seq),
            WorkState::Handling { .. } => self.tell_message_target(at, seq),
            WorkState::WrapUp { .. } => self.wrap_up_due(at, seq),
            WorkState::Scheduled { .. } => self.reopen(at, seq),
            WorkState::CallingBack { .. } => {}
        }
        if self.works.contains_key(&seq) {
            self.touch_work(seq);
        }
    }

    fn waiting_due(&mut self, at: i64, seq: u64) {
        self.tell_answer_target(at, seq);
        let before = self.job(seq).record.rests.len();
        self.job_mut(seq)
            .record
            .rests
            .retain(|rest| rest.until_ms > at);
        let job = self.job(seq);
        let rested = job.record.rests.len() < before;
        let preferred = job.record.wait.preferred_until_ms;
        let relaxed = self.relax(at, seq);
        if rested || relaxed || preferred.is_some_and(|until| until <= at) {
            self.stand(at, seq);
        }
        self.overflow_by_time(at, seq);
    }

    fn tell_answer_target(&mut self, at: i64, seq: u64) {
        let missed = self.answer_target(self.job(seq));
        if missed.is_some_and(|due| due <= at) {
            self.job_mut(seq).record.wait.target_told = true;
            self.target_missed(seq, Target::Answer);
        }
    }

    fn tell_message_target(&mut self, at: i64, seq: u64) {
        let missed = self.work_next(self.job(seq));
        if missed.is_none_or(|due| due > at) {
            return;
        }
        if let WorkState::Handling {
            unanswered: Some(unanswered),
            ..
        } = &mut self.job_mut(seq).record.state
        {
            unanswered.told = true;
            self.target_missed(seq, Target::Message);
        }
    }

    fn target_missed(&mut self, seq: u64, target: Target) {
        let work = &self.job(seq).record.work;
        let (work, service) = (work.id.clone(), work.service.clone());
        self.event(Output::TargetMissed {
            work,
            service,
            target,
        });
    }
}

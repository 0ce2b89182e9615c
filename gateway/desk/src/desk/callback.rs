//! Callbacks that keep the caller's place.
//!
//! A caller who asks for a callback hangs up and keeps waiting: the place goes on ageing, beside
//! those who stay on the line. When it comes up, an agent is offered it like any other work; only
//! when the agent has accepted is the customer called. So nobody jumps ahead, and nobody is
//! called without an agent who is there.

use std::time::Instant;

use crate::change::{Callback, WorkState};
use crate::id::{UserId, WorkId};
use crate::output::{CallResult, DeskError, Output, WhyClosed, WhyReturned};

use super::Desk;

impl Desk {
    /// Promises to call the customer back at `number`, which whoever asks has validated and spoken
    /// back. The place is kept.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] when the work does not wait.
    pub fn ask_callback(
        &mut self,
        now: Instant,
        work: &WorkId,
        number: String,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, _| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            if !job.is_waiting() {
                return Err(job.not_now("ask for a callback"));
            }
            let attempts = 0;
            desk.job_mut(seq).record.callback = Some(Callback { number, attempts });
            desk.touch_work(seq);
            Ok(())
        })
    }

    /// What came of calling a customer back, after [`Output::CallBack`].
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] when nobody is being called back: the customer hears an apology then.
    pub fn handle_called_back(
        &mut self,
        now: Instant,
        work: &WorkId,
        result: CallResult,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            let WorkState::CallingBack { agent, .. } = &job.record.state else {
                return Err(job.not_now("be called back"));
            };
            let agent = agent.clone();
            match result {
                CallResult::Answered => {
                    desk.job_mut(seq).record.callback = None;
                    desk.answered(at, seq, &agent);
                }
                CallResult::NotReached => desk.not_reached(at, seq, agent),
            }
            Ok(())
        })
    }

    /// The agent is reserved: let the customer be called.
    pub(super) fn call_back(&mut self, at: i64, seq: u64, agent: UserId) {
        let record = &mut self.job_mut(seq).record;
        record.state = WorkState::CallingBack {
            agent: agent.clone(),
            since_ms: at,
        };
        let Some(callback) = &mut record.callback else {
            return;
        };
        callback.attempts = callback.attempts.saturating_add(1);
        let event = Output::CallBack {
            work: record.work.id.clone(),
            agent,
            number: callback.number.clone(),
            attempt: callback.attempts,
        };
        self.event(event);
        self.touch_work(seq);
    }

    fn not_reached(&mut self, at: i64, seq: u64, agent: UserId) {
        self.release(at, seq);
        let job = self.job(seq);
        let rules = self.services[job.service.0].rules.callback;
        let work = job.record.work.id.clone();
        let attempts = job
            .record
            .callback
            .as_ref()
            .map_or(0, |callback| callback.attempts);
        let why = WhyReturned::NotReached;
        let returned = Output::Returned { work, agent, why };
        if attempts >= rules.attempts.max(1) {
            self.close(at, seq, WhyClosed::NotReached);
            return;
        }
        self.event(returned);
        let until_ms = at.saturating_add(rules.retry_ms.max(0));
        let record = &mut self.job_mut(seq).record;
        record.state = WorkState::Resting { until_ms };
        let event = Output::CallbackResting {
            work: record.work.id.clone(),
            attempts,
            until_ms,
        };
        self.event(event);
        self.touch_work(seq);
    }
}

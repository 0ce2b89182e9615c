//! What happens to those who wait too long or are too many.

use crate::id::ServiceId;
use crate::output::{Output, WaitEnd, WhyClosed};
use crate::rules::{LINE_MAX, OverflowThen};
use crate::work::Medium;

use super::Desk;
use super::arrival::fresh_wait;

/// How often overflow may hand one work on. Two services that overflow into each other would
/// otherwise play it back and forth.
const HOPS_MAX: u32 = 8;

impl Desk {
    /// Lowers what a waiting work wants, by the steps that are due. Returns whether any was.
    pub(super) fn relax(&mut self, at: i64, seq: u64) -> bool {
        let job = self.job(seq);
        let entered = job.record.wait.entered_ms;
        let steps = self.services[job.service.0].rules.relax.iter();
        let due = steps
            .take_while(|step| entered.saturating_add(step.after_ms) <= at)
            .count();
        if due <= job.record.wait.relaxed {
            return false;
        }
        self.job_mut(seq).record.wait.relaxed = due;
        self.skills_relaxed(seq);
        true
    }

    /// Does what the rules by time say for a waiting work.
    pub(super) fn overflow_by_time(&mut self, at: i64, seq: u64) {
        while let Some(job) = self.works.get(&seq) {
            let wait = &job.record.wait;
            let steps = &self.services[job.service.0].overflow;
            let Some((after, then)) = steps.get(wait.overflowed) else {
                return;
            };
            if wait.entered_ms.saturating_add(*after) > at || !job.is_waiting() {
                return;
            }
            let then = then.clone();
            self.job_mut(seq).record.wait.overflowed += 1;
            self.overflow(at, seq, &then);
        }
    }

    /// Does what the rules by length say for a work that has just entered its line and found
    /// nobody.
    pub(super) fn overflow_by_length(&mut self, at: i64, seq: u64) {
        let Some(job) = self.works.get(&seq).filter(|job| job.is_waiting()) else {
            return;
        };
        let service = &self.services[job.service.0];
        let before = service.line.length().saturating_sub(1);
        if let Some(then) = service.rules.overflow_by_length(before).cloned() {
            self.overflow(at, seq, &then);
        }
    }

    fn overflow(&mut self, at: i64, seq: u64, then: &OverflowThen) {
        let record = &self.job(seq).record;
        let promised = record.callback.is_some();
        match then {
            OverflowThen::RelaxSkills => {
                if !record.wait.skills_dropped && !record.work.skills.is_empty() {
                    self.job_mut(seq).record.wait.skills_dropped = true;
                    self.skills_relaxed(seq);
                    self.stand(at, seq);
                }
            }
            OverflowThen::Service(to) => {
                let to = to.clone();
                self.overflow_into(at, seq, &to);
            }
            OverflowThen::OfferCallback => {
                if !promised && record.work.medium == Medium::Phone {
                    let work = record.work.id.clone();
                    self.event(Output::CallbackSuggested { work });
                }
            }
            // Who was promised a callback is not on the line to hear that we are closed, and nobody
            // is who wrote: what is written waits until somebody reads it.
            OverflowThen::Close if promised || record.work.medium != Medium::Phone => {}
            OverflowThen::Close => {
                self.close(at, seq, WhyClosed::Overflow);
                return;
            }
        }
        self.touch_work(seq);
    }

    fn overflow_into(&mut self, at: i64, seq: u64, to: &ServiceId) {
        let job = self.job(seq);
        let Some(target) = self.service_index.get(to).copied() else {
            return;
        };
        let service = &self.services[target.0];
        let full = service.line.length() >= service.rules.line_max.min(LINE_MAX) || service.gone;
        if full || target == job.service || job.record.wait.hops >= HOPS_MAX {
            return;
        }
        self.move_waiting(at, seq, to);
    }

    /// Moves a waiting work into the line of another service.
    pub(super) fn move_waiting(&mut self, at: i64, seq: u64, to: &ServiceId) {
        self.leave_line(seq);
        self.wait_ended(at, seq, WaitEnd::Moved { to: to.clone() });
        let hops = self.job(seq).record.wait.hops + 1;
        self.reassign(at, seq, to);
        self.job_mut(seq).record.wait.hops = hops;
        self.turn.arrivals.insert(seq);
        self.enter_line(at, seq);
    }

    /// Gives a work that stands nowhere to another service, where its wait begins anew and its
    /// place is that of its arrival.
    pub(super) fn reassign(&mut self, at: i64, seq: u64, to: &ServiceId) {
        let Some(target) = self.service_index.get(to).copied() else {
            return;
        };
        let job = self.job_mut(seq);
        job.service = target;
        job.record.work.service = to.clone();
        job.record.work.preferred = None;
        job.record.wait = fresh_wait(at, &job.record.work);
        let place = self.place(target, &self.job(seq).record);
        self.job_mut(seq).place = place;
    }

    fn skills_relaxed(&mut self, seq: u64) {
        let work = self.job(seq).record.work.id.clone();
        self.event(Output::SkillsRelaxed { work });
    }
}

//! The end of a call, whoever wants it: what had begun ends, everybody is off the line, the media have
//! their last word, the record its last lines.

use desk::record::{Quality, TrailKind};
use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sip::call::{Cause, End};
use serde_json::json;

use super::super::Shared;
use super::super::ending::Ending;
use super::super::line::Line;
use super::super::output::{MediaCommand, SipCommand};
use super::{
    Call, LAST_WORD_MAX, MESSAGE_KEPT_MAX, RETRY_AFTER, Stage, Then, UNCONFIRMED, hanging_up,
};

impl Call {
    /// The media of a leg have had their last word: the customer's, or another's.
    pub(in crate::voice) fn handle_leg_closed(
        &mut self,
        now: Now,
        leg: LegId,
        quality: Option<Quality>,
        shared: &mut Shared,
    ) {
        if leg != self.facts.leg {
            if let Some(left) = self.facts.left.remove(&leg) {
                self.note(now, TrailKind::DialledLeft, left.describe(quality));
            }
            if let Stage::Closing { heard, .. } = &mut self.stage
                && self.facts.left.is_empty()
                && let Some(heard) = heard.take()
            {
                self.close(now, Some(heard), shared);
            }
            return;
        }
        match &mut self.stage {
            Stage::Closing { heard, .. } if quality.is_some() && !self.facts.left.is_empty() => {
                *heard = quality;
            }
            Stage::Closing { .. }
            | Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Calling(_)
            | Stage::Handled(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Gone => self.close(now, quality, shared),
        }
    }

    /// Refuses a call that was not answered yet.
    pub(super) fn refuse(
        &mut self,
        now: Now,
        status: u16,
        cause: &'static str,
        shared: &mut Shared,
    ) {
        self.ours.get_or_insert(Ending::ours(cause));
        let detail = json!({ "status": status, "cause": cause });
        self.note(now, TrailKind::Refused, detail);
        if let Stage::Opening {
            then: Then::Call(_),
            ..
        } = &self.stage
        {
            return self.abandon(now, status, shared);
        }
        self.stage = hanging_up(now);
        if let Some(call) = self.sip(shared) {
            let retry_after = (status == 503).then_some(RETRY_AFTER);
            shared.sip(SipCommand::Reject {
                call,
                status,
                retry_after,
            });
        }
    }

    /// Ends the call because something of ours wants it so.
    pub(in crate::voice) fn give_up(&mut self, now: Now, cause: &'static str, shared: &mut Shared) {
        let ending = Ending::ours(cause);
        match &self.stage {
            Stage::Opening { .. } => self.refuse(now, 503, cause, shared),
            Stage::Answering { .. } => self.hang_up(now, ending, Cause::Failure, shared),
            Stage::Calling(_) => {
                self.ours.get_or_insert(ending);
                self.abandon(now, 503, shared);
            }
            Stage::Flow(_) | Stage::Handled(_) => {
                self.leave_flow(now, shared);
                self.hang_up(now, ending, Cause::Normal, shared);
            }
            Stage::Promised | Stage::HangingUp { .. } | Stage::Closing { .. } | Stage::Gone => {}
        }
    }

    /// Hangs up on the customer, and on everybody else.
    pub(super) fn hang_up(&mut self, now: Now, ending: Ending, cause: Cause, shared: &mut Shared) {
        self.stop_doing(now, shared);
        self.ours.get_or_insert(ending);
        self.stage = hanging_up(now);
        match self.sip(shared) {
            Some(sip) => shared.hang_up(sip, cause),
            None => self.ended(now, UNCONFIRMED, shared),
        }
    }

    /// The flow is over before its end, whoever ended the call.
    pub(super) fn leave_flow(&mut self, now: Now, shared: &mut Shared) {
        if let Stage::Flow(walk) = &mut self.stage {
            walk.handle_left(now);
        }
        self.perform(now, shared);
        self.stop_doing(now, shared);
    }

    /// Whatever had begun for the customer ends, and nobody else stays on the line.
    pub(super) fn stop_doing(&mut self, now: Now, shared: &mut Shared) {
        match &mut self.stage {
            Stage::Flow(walk) => walk.leave(now, &mut self.facts, shared),
            Stage::Handled(handled) => {
                let handled = (**handled).clone();
                self.lay_down(now, &handled, shared);
            }
            Stage::Calling(calling) => {
                if let Some(work) = calling.work.take() {
                    shared.work_over(now, &self.facts.company.id, &work);
                }
            }
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => {}
        }
        self.drop_others(now, shared);
    }

    /// Everybody but the customer is off the line.
    pub(super) fn drop_others(&mut self, now: Now, shared: &mut Shared) {
        for leg in std::mem::take(&mut self.facts.others) {
            self.talk.leave(leg);
            if let Some(left) = shared.take_back(now, leg) {
                self.facts.left.insert(leg, left);
            }
        }
    }

    /// Somebody who is not the customer is taken off the line.
    pub(super) fn drop_line(&mut self, now: Now, leg: LegId, shared: &mut Shared) {
        self.facts.others.remove(&leg);
        self.talk.leave(leg);
        if let Some(left) = shared.take_back(now, leg) {
            self.facts.left.insert(leg, left);
        }
    }

    /// The SIP side of the customer is over.
    pub(in crate::voice) fn ended(&mut self, now: Now, end: End, shared: &mut Shared) {
        self.leave_flow(now, shared);
        if self.promised.is_some() {
            return self.rest(now, end, shared);
        }
        let line = shared.lines.remove(&self.facts.leg);
        if let Some(sip) = line.as_ref().and_then(Line::sip) {
            shared.sips.remove(&sip);
        }
        let was_heard = line.as_ref().is_some_and(Line::is_started);
        let outside = line.as_ref().and_then(|line| line.outside.clone());
        shared.end_outside(now, outside);
        if line.is_some() {
            shared.parting.insert(self.facts.leg, self.facts.key);
            shared.media(self.facts.leg, MediaCommand::Close);
        }
        let patience = if self.facts.messages.is_empty() {
            LAST_WORD_MAX
        } else {
            MESSAGE_KEPT_MAX
        };
        self.stage = Stage::Closing {
            ended_ms: now.wall.as_millisecond(),
            ending: Ending::of_caller(end, self.ours.take()),
            heard: None,
            until: now.instant + patience,
        };
        if !was_heard {
            self.close(now, None, shared); // Media that never ran have no last word.
        }
    }

    /// The last lines of the record.
    pub(super) fn close(&mut self, now: Now, quality: Option<Quality>, shared: &mut Shared) {
        self.leave_flow(now, shared);
        let (ended_ms, ending) = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Closing {
                ended_ms, ending, ..
            } => (ended_ms, ending),
            Stage::Gone => return,
            // The media died under a call that is not over: the thread's fault, not the caller's.
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Calling(_)
            | Stage::Handled(_)
            | Stage::Promised
            | Stage::HangingUp { .. } => {
                if let Some(line) = shared.lines.remove(&self.facts.leg) {
                    if let Some(sip) = line.sip() {
                        shared.sips.remove(&sip);
                        shared.hang_up(sip, Cause::Failure);
                    }
                    shared.end_outside(now, line.outside);
                }
                let ours = self.ours.take();
                let ending = ours.unwrap_or_else(|| Ending::ours("media_failed"));
                (now.wall.as_millisecond(), ending)
            }
        };
        for (leg, left) in std::mem::take(&mut self.facts.left) {
            shared.parting.remove(&leg);
            self.note(now, TrailKind::DialledLeft, left.describe(None));
        }
        shared.parting.remove(&self.facts.leg);
        shared.forget(&mut self.facts);
        shared.save(self.facts.record.end(now, ended_ms, ending, quality));
    }

    /// Hangs up where the flow was over before and nobody came back to the caller.
    pub(super) fn leave_at_the_end(&mut self, now: Now, shared: &mut Shared) {
        if matches!(&self.stage, Stage::Flow(walk) if walk.is_at_its_end()) {
            let cause = match self.promised {
                Some(_) => "called_back_later",
                None => "unanswered",
            };
            self.hang_up(now, Ending::ours(cause), Cause::Normal, shared);
        }
    }
}

//! Offers: reservations of an agent, and how they end. Each ends exactly once.

use std::time::Instant;

use crate::change::{OfferEnd, PauseReason, Presence, Rest, WorkState};
use crate::decision::OfferId;
use crate::id::UserId;
use crate::output::{DeskError, Output, WaitEnd};
use crate::rules::Routing;

use super::Desk;
use super::agent::{AgentIndex, Held, HeldKind};

impl Desk {
    /// The agent takes the work. Offers of the same work to others end.
    ///
    /// # Errors
    ///
    /// [`DeskError::OfferOver`] when somebody was faster or the time is over: the agent's phone is
    /// hung up then.
    pub fn accept(&mut self, now: Instant, offer: OfferId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let (seq, index) = desk.standing_offer(offer)?;
            desk.end_offer(seq, offer, OfferEnd::Accepted);
            desk.end_offers(seq, OfferEnd::TakenByOther);
            desk.assign(at, seq, index);
            Ok(())
        })
    }

    /// The agent does not want the work, or their phone is busy. It keeps its place and goes to
    /// the next; after [`Rules::refusal_rest_ms`](crate::rules::Rules::refusal_rest_ms) they may
    /// be asked again.
    ///
    /// # Errors
    ///
    /// [`DeskError::OfferOver`].
    pub fn refuse(&mut self, now: Instant, offer: OfferId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let (seq, index) = desk.standing_offer(offer)?;
            desk.rest(at, seq, index);
            desk.end_offer(seq, offer, OfferEnd::Refused);
            desk.back_when_unoffered(at, seq);
            Ok(())
        })
    }

    /// The agent's phone cannot be reached: they are paused, the work goes to the next.
    ///
    /// # Errors
    ///
    /// [`DeskError::OfferOver`].
    pub fn handle_unreachable(&mut self, now: Instant, offer: OfferId) -> Result<(), DeskError> {
        self.handle_not_taken(now, offer, PauseReason::Unreachable)
    }

    /// The agent's phone did not take the work, for this reason: they are paused with it, the work
    /// keeps its place and goes to the next.
    ///
    /// # Errors
    ///
    /// [`DeskError::OfferOver`].
    pub fn handle_not_taken(
        &mut self,
        now: Instant,
        offer: OfferId,
        reason: PauseReason,
    ) -> Result<(), DeskError> {
        let end = match reason {
            PauseReason::Missed => OfferEnd::Lapsed,
            PauseReason::Unreachable => OfferEnd::Unreachable,
            PauseReason::Busy
            | PauseReason::Refused
            | PauseReason::Leaving
            | PauseReason::Chosen(_)
            | PauseReason::Forced(_) => OfferEnd::Refused,
        };
        self.turn(now, |desk, at| {
            let (seq, index) = desk.standing_offer(offer)?;
            desk.end_offer(seq, offer, end);
            desk.pause_agent(at, index, reason);
            desk.back_when_unoffered(at, seq);
            Ok(())
        })
    }

    fn standing_offer(&self, offer: OfferId) -> Result<(u64, AgentIndex), DeskError> {
        let seq = self
            .offer_index
            .get(&offer)
            .copied()
            .ok_or(DeskError::OfferOver)?;
        let WorkState::Offered(offers) = &self.job(seq).record.state else {
            return Err(DeskError::OfferOver);
        };
        let found = offers.iter().find(|standing| standing.id == offer);
        let agent = &found.ok_or(DeskError::OfferOver)?.agent;
        Ok((seq, self.agent(agent)?))
    }

    /// Ends the offers of a work that have lapsed.
    pub(super) fn lapse(&mut self, at: i64, seq: u64) {
        let WorkState::Offered(offers) = &self.job(seq).record.state else {
            return;
        };
        let lapsed = offers.iter().filter(|offer| offer.until_ms <= at);
        let lapsed: Vec<OfferId> = lapsed.map(|offer| offer.id).collect();
        let job = self.job(seq);
        // Where all ring, nobody in particular missed it; the phones ring again.
        let all = self.services[job.service.0].rules.routing == Routing::RingAll
            && job.record.wait.preferred_until_ms.is_none();
        for offer in lapsed {
            let Ok((_, index)) = self.standing_offer(offer) else {
                continue;
            };
            self.end_offer(seq, offer, OfferEnd::Lapsed);
            if !all {
                self.missed(at, seq, index);
            }
        }
        self.back_when_unoffered(at, seq);
    }

    /// An agent missed an offer: they are paused, or at least not asked again at once.
    fn missed(&mut self, at: i64, seq: u64, index: AgentIndex) {
        let limit = self.rules.lapses_before_pause.max(1);
        let record = &mut self.agents[index.0].record;
        record.lapses += 1;
        if record.lapses >= limit {
            record.lapses = 0;
            self.pause_agent(at, index, PauseReason::Missed);
        } else {
            self.rest(at, seq, index);
        }
    }

    /// Keeps a work from an agent for a while, and lets all others have it.
    pub(super) fn rest(&mut self, at: i64, seq: u64, index: AgentIndex) {
        let until_ms = at.saturating_add(self.rules.refusal_rest_ms.max(1));
        self.rest_until(until_ms, seq, index);
    }

    pub(super) fn rest_until(&mut self, until_ms: i64, seq: u64, index: AgentIndex) {
        let agent = self.agents[index.0].record.id.clone();
        let record = &mut self.job_mut(seq).record;
        record.rests.retain(|rest| rest.agent != agent);
        record.rests.push(Rest { agent, until_ms });
        record.wait.preferred_until_ms = None;
    }

    /// Ends one offer and frees its agent. The work stays as it is.
    fn end_offer(&mut self, seq: u64, offer: OfferId, end: OfferEnd) {
        let job = self.job_mut(seq);
        let WorkState::Offered(offers) = &mut job.record.state else {
            return;
        };
        let Some(found) = offers.iter().position(|standing| standing.id == offer) else {
            return;
        };
        let ended = offers.remove(found);
        let work = job.record.work.id.clone();
        self.offer_index.remove(&offer);
        if let Ok(index) = self.agent(&ended.agent) {
            self.agents[index.0].held.remove(&seq);
            self.turn.agents_to_match.insert(index);
            self.touch_agent(index);
        }
        self.event(Output::OfferEnded {
            offer,
            work,
            agent: ended.agent,
            end,
        });
        self.touch_work(seq);
    }

    /// Ends all offers of a work.
    pub(super) fn end_offers(&mut self, seq: u64, end: OfferEnd) {
        let WorkState::Offered(offers) = &self.job(seq).record.state else {
            return;
        };
        let offers: Vec<OfferId> = offers.iter().map(|offer| offer.id).collect();
        for offer in offers {
            self.end_offer(seq, offer, end);
        }
    }

    /// Ends all offers to an agent; the works go back to where they stood.
    pub(super) fn end_offers_of(&mut self, at: i64, index: AgentIndex, end: OfferEnd) {
        for offer in self.agents[index.0].offers() {
            let Some(seq) = self.offer_index.get(&offer).copied() else {
                continue;
            };
            self.end_offer(seq, offer, end);
            self.back_when_unoffered(at, seq);
        }
    }

    /// Lets a work wait again when nobody is left to whom it is offered. Its place was kept.
    fn back_when_unoffered(&mut self, at: i64, seq: u64) {
        let job = self.job_mut(seq);
        if job.record.state == WorkState::Offered(vec![]) {
            job.record.state = WorkState::Waiting;
            self.stand(at, seq);
        }
        self.touch_work(seq);
    }

    /// Gives a work that is not being offered to an agent.
    pub(super) fn assign(&mut self, at: i64, seq: u64, index: AgentIndex) {
        self.leave_line(seq);
        self.turn.arrivals.remove(&seq);
        let agent = self.agents[index.0].record.id.clone();
        self.hold(at, seq, index);
        if self.job(seq).record.callback.is_some() {
            self.call_back(at, seq, agent);
            return;
        }
        self.answered(at, seq, &agent);
    }

    /// The customer has an agent.
    pub(super) fn answered(&mut self, at: i64, seq: u64, agent: &UserId) {
        let job = self.job(seq);
        let waited = at.saturating_sub(job.record.wait.entered_ms);
        let target = self.services[job.service.0].rules.targets.answer_ms;
        let in_target = target.map(|target| waited <= target);
        let end = WaitEnd::Answered {
            agent: agent.clone(),
            in_target,
        };
        self.wait_ended(at, seq, end);
        self.begin_handling(at, seq, agent);
    }

    pub(super) fn begin_handling(&mut self, at: i64, seq: u64, agent: &UserId) {
        let record = &mut self.job_mut(seq).record;
        record.rests.clear();
        record.state = WorkState::Handling {
            agent: agent.clone(),
            since_ms: at,
            unanswered: None,
        };
        self.touch_work(seq);
    }

    /// Puts a work into an agent's hands.
    pub(super) fn hold(&mut self, at: i64, seq: u64, index: AgentIndex) {
        let medium = self.job(seq).record.work.medium;
        let agent = &mut self.agents[index.0];
        let kind = HeldKind::InHand;
        agent.held.insert(seq, Held { medium, kind });
        agent.record.handled = agent.record.handled.saturating_add(1);
        agent.record.lapses = 0;
        agent.record.idle_since_ms = at;
        self.touch_agent(index);
    }

    /// Takes a work out of the hands of whoever has it.
    pub(super) fn release(&mut self, at: i64, seq: u64) {
        let Some(holder) = self.job(seq).record.state.holder() else {
            return;
        };
        let Ok(index) = self.agent(holder) else {
            return;
        };
        let agent = &mut self.agents[index.0];
        agent.held.remove(&seq);
        agent.record.idle_since_ms = at;
        self.turn.agents_to_match.insert(index);
        self.touch_agent(index);
    }

    pub(super) fn pause_agent(&mut self, at: i64, index: AgentIndex, reason: PauseReason) {
        self.agents[index.0].record.presence = Presence::Paused {
            reason,
            since_ms: at,
            told: false,
        };
        self.end_offers_of(at, index, OfferEnd::AgentGone);
        self.let_go_of_those_who_prefer(at, index);
        self.presence_changed(index);
    }
}

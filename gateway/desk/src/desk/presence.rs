//! Who is there: logging in and off, pauses, lost connections.

use std::time::Instant;

use crate::change::{OfferEnd, PauseReason, Presence, WorkState};
use crate::id::UserId;
use crate::output::{DeskError, Output, WhyReturned};

use super::Desk;
use super::agent::{AgentIndex, HeldKind};

impl Desk {
    /// The agent is there and takes work. For one who is there already it is
    /// [`Desk::handle_connected`].
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn log_in(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            if desk.agents[index.0].record.presence == Presence::Offline {
                let record = &mut desk.agents[index.0].record;
                record.lapses = 0;
                desk.available(at, index);
            } else {
                desk.found_again(index);
            }
            Ok(())
        })
    }

    /// The agent leaves. Offers go to others, what is in hand goes back to the lines at its places,
    /// wrap-up ends without disposition. The screen asks first whether to leave with work in hand.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn log_off(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            desk.leave(at, index);
            Ok(())
        })
    }

    /// The agent leaves as soon as nothing is in their hands any more, and takes nothing new until
    /// then.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn log_off_when_done(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            if desk.agents[index.0].record.presence != Presence::Offline {
                // The turn ends with their leaving where nothing is in hand.
                desk.pause_agent(at, index, PauseReason::Leaving);
            }
            Ok(())
        })
    }

    /// The agent has a page open in which they see what is offered, or has none any more.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn handle_page(
        &mut self,
        now: Instant,
        agent: &UserId,
        is_open: bool,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, _| {
            let index = desk.agent(agent)?;
            desk.agents[index.0].page = is_open || !desk.rules.pages;
            desk.index_agent(index);
            desk.turn.agents_to_match.insert(index);
            Ok(())
        })
    }

    /// The agent began a call that is no work of the desk: nothing rings for them that does not fit
    /// beside a call. As many times as this is told, [`Desk::handle_disengaged`] is.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn handle_engaged(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            let engaged = &mut desk.agents[index.0].engaged;
            *engaged = engaged.saturating_add(1);
            desk.make_room(at, index);
            desk.index_agent(index);
            Ok(())
        })
    }

    /// A call of the agent that was no work of the desk is over.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn handle_disengaged(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, _| {
            let index = desk.agent(agent)?;
            let engaged = &mut desk.agents[index.0].engaged;
            *engaged = engaged.saturating_sub(1);
            desk.index_agent(index);
            desk.turn.agents_to_match.insert(index);
            Ok(())
        })
    }

    /// Lets those go who wanted to leave and have nothing in hand any more. Returns whether there were
    /// any.
    pub(super) fn let_leave(&mut self, at: i64) -> bool {
        let leaving = |index: &&AgentIndex| {
            let agent = &self.agents[index.0];
            let wants = matches!(
                agent.record.presence,
                Presence::Paused {
                    reason: PauseReason::Leaving,
                    ..
                }
            );
            wants && agent.held.is_empty()
        };
        let gone: Vec<AgentIndex> = self.turn.agents.iter().filter(leaving).copied().collect();
        for index in &gone {
            self.leave(at, *index);
        }
        !gone.is_empty()
    }

    /// The agent takes nothing new, for this reason, and keeps what is in hand.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchPause`] for a reason that the company does not know,
    /// [`DeskError::NotNow`] for an agent who is offline.
    pub fn pause(
        &mut self,
        now: Instant,
        agent: &UserId,
        reason: PauseReason,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            let known = |pause| desk.rules.pauses.contains_key(pause);
            if !reason.chosen().is_none_or(known) {
                return Err(DeskError::NoSuchPause);
            }
            desk.online(index, "pause")?;
            desk.pause_agent(at, index, reason);
            Ok(())
        })
    }

    /// The pause is over.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] for an agent who is offline.
    pub fn resume(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            desk.online(index, "resume")?;
            if desk.agents[index.0].record.presence != Presence::Available {
                desk.available(at, index);
            }
            Ok(())
        })
    }

    /// The agent has a connection again, within the grace time: all is as it was.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn handle_connected(&mut self, now: Instant, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, _| {
            let index = desk.agent(agent)?;
            desk.found_again(index);
            Ok(())
        })
    }

    /// The agent has no connection left: no page is open, and no phone of theirs is in a call.
    /// They are offered nothing; after the grace time they have left.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`].
    pub fn handle_connection_lost(
        &mut self,
        now: Instant,
        agent: &UserId,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            let until = at.saturating_add(desk.rules.grace_ms.max(0));
            let record = &mut desk.agents[index.0].record;
            if record.presence == Presence::Offline || record.lost_until_ms.is_some() {
                return Ok(());
            }
            record.lost_until_ms = Some(until);
            desk.end_offers_of(at, index, OfferEnd::AgentGone);
            desk.presence_changed(index);
            Ok(())
        })
    }

    fn online(&self, index: AgentIndex, command: &'static str) -> Result<(), DeskError> {
        if self.agents[index.0].record.presence == Presence::Offline {
            let state = "offline";
            return Err(DeskError::NotNow { command, state });
        }
        Ok(())
    }

    fn available(&mut self, at: i64, index: AgentIndex) {
        let record = &mut self.agents[index.0].record;
        record.presence = Presence::Available;
        record.lost_until_ms = None;
        record.idle_since_ms = at;
        self.turn.agents_to_match.insert(index);
        self.presence_changed(index);
    }

    fn found_again(&mut self, index: AgentIndex) {
        let record = &mut self.agents[index.0].record;
        if record.lost_until_ms.take().is_some() {
            self.turn.agents_to_match.insert(index);
            self.presence_changed(index);
        }
    }

    /// The agent is gone, and nothing stays with them.
    pub(super) fn leave(&mut self, at: i64, index: AgentIndex) {
        if self.agents[index.0].record.presence == Presence::Offline {
            return;
        }
        let record = &mut self.agents[index.0].record;
        record.presence = Presence::Offline;
        record.lost_until_ms = None;
        self.end_offers_of(at, index, OfferEnd::AgentGone);
        for (seq, held) in self.agents[index.0].held.clone() {
            match held.kind {
                HeldKind::WrapUp => self.finish(at, seq, None),
                HeldKind::InHand => self.return_to_line(at, seq, WhyReturned::AgentLeft),
                HeldKind::Offered(_) => {}
            }
        }
        self.let_go_of_those_who_prefer(at, index);
        self.presence_changed(index);
    }

    /// Lets all have what waited for an agent who went away, where it need not wait for that.
    pub(super) fn let_go_of_those_who_prefer(&mut self, at: i64, index: AgentIndex) {
        for place in self.agents[index.0].preferred.clone() {
            self.stand(at, place.seq);
            self.touch_work(place.seq);
        }
    }

    pub(super) fn presence_changed(&mut self, index: AgentIndex) {
        self.touch_agent(index);
        let record = &self.agents[index.0].record;
        let event = Output::PresenceChanged {
            agent: record.id.clone(),
            presence: record.presence.clone(),
            lost_until_ms: record.lost_until_ms,
        };
        self.event(event);
    }

    /// Puts what an agent has in hand back into its line, at its place.
    pub(super) fn return_to_line(&mut self, at: i64, seq: u64, why: WhyReturned) {
        let record = &self.job(seq).record;
        let Some(agent) = record.state.holder().cloned() else {
            return;
        };
        let work = record.work.id.clone();
        let called_back = matches!(record.state, WorkState::CallingBack { .. });
        self.end_consult_about(at, seq);
        self.release(at, seq);
        self.event(Output::Returned { work, agent, why });
        if !called_back {
            let record = &mut self.job_mut(seq).record;
            record.work.preferred = None;
            record.wait = super::arrival::fresh_wait(at, &record.work);
        }
        self.enter_line(at, seq);
    }
}

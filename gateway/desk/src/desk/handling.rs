//! Work in an agent's hands, until its disposition.

use std::time::Instant;

use crate::change::{Callback, OfferEnd, Presence, Unanswered, WorkState};
use crate::disposition::{self, Action, Disposed};
use crate::id::{UserId, WorkId};
use crate::output::{DeskError, Output, Sender, WhyReturned};
use crate::work::{Medium, Preferred, Work};

use super::Desk;
use super::agent::{AgentIndex, HeldKind};

impl Desk {
    /// An agent begins work by themselves: a call they dial, a message they write first. It never
    /// waits, and it may go beyond their capacity; then what rings for them goes to others.
    ///
    /// # Errors
    ///
    /// [`DeskError::Away`] for an agent who is offline, [`DeskError::AlreadyHere`].
    pub fn begin(&mut self, now: Instant, work: Work, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            if desk.agents[index.0].record.presence == Presence::Offline {
                return Err(DeskError::Away);
            }
            let service = desk.service(&work.service)?;
            let seq = desk.insert(at, work, None, service)?;
            desk.hold(at, seq, index);
            desk.begin_handling(at, seq, agent);
            desk.make_room(at, index);
            Ok(())
        })
    }

    /// An agent takes a waiting work out of the line by themselves.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoRoom`] when they have too much in hand, [`DeskError::Away`] when they are
    /// offline or lost, [`DeskError::NotNow`] when the work does not wait.
    pub fn take(&mut self, now: Instant, work: &WorkId, agent: &UserId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let index = desk.agent(agent)?;
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            match job.record.state {
                WorkState::Waiting | WorkState::Offered(_) | WorkState::Resting { .. } => {}
                WorkState::CallingBack { .. }
                | WorkState::Handling { .. }
                | WorkState::WrapUp { .. }
                | WorkState::Scheduled { .. } => return Err(job.not_now("take")),
            }
            let medium = job.record.work.medium;
            let taker = &desk.agents[index.0];
            if taker.record.presence == Presence::Offline || taker.record.lost_until_ms.is_some() {
                return Err(DeskError::Away);
            }
            if !taker.has_room_beside_work(medium, &desk.capacity) {
                return Err(DeskError::NoRoom);
            }
            desk.end_offers(seq, OfferEnd::TakenByOther);
            desk.assign(at, seq, index);
            desk.make_room(at, index);
            Ok(())
        })
    }

    /// The agent's side of a call broke while the customer is still there: the work goes back
    /// into its line, at its place.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] unless an agent has it.
    pub fn handle_agent_leg_lost(&mut self, now: Instant, work: &WorkId) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            if !matches!(job.record.state, WorkState::Handling { .. }) {
                return Err(job.not_now("return to the line"));
            }
            desk.return_to_line(at, seq, WhyReturned::AgentLegLost);
            Ok(())
        })
    }

    /// Somebody wrote in a conversation that an agent has. Until the agent writes, the target for
    /// messages runs. What is written while nobody has it changes nothing.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchWork`].
    pub fn handle_message(
        &mut self,
        now: Instant,
        work: &WorkId,
        from: Sender,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            if let WorkState::Handling { unanswered, .. } = &mut desk.job_mut(seq).record.state {
                let since = Unanswered {
                    since_ms: at,
                    told: false,
                };
                *unanswered = match from {
                    Sender::Customer => Some(unanswered.unwrap_or(since)),
                    Sender::Agent => None,
                };
                desk.touch_work(seq);
            }
            Ok(())
        })
    }

    /// The agent closes a work with a disposition. In wrap-up, or in a written conversation, that
    /// is its end; in a call that still lasts it is kept for the end.
    ///
    /// # Errors
    ///
    /// [`DeskError::Disposition`] names what is wrong with it; [`DeskError::NotYours`],
    /// [`DeskError::NotNow`].
    pub fn dispose(
        &mut self,
        now: Instant,
        work: &WorkId,
        agent: &UserId,
        disposed: Disposed,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            if job
                .record
                .state
                .holder()
                .is_some_and(|holder| holder != agent)
            {
                return Err(DeskError::NotYours);
            }
            let tree = &desk.services[job.service.0].rules.wrap_up.dispositions;
            match job.record.state {
                WorkState::WrapUp { .. } => {
                    disposition::check(tree, &disposed, at)?;
                    desk.finish(at, seq, Some(disposed));
                }
                WorkState::Handling { .. } if job.record.about.is_none() => {
                    disposition::check(tree, &disposed, at)?;
                    let written = job.record.work.medium != Medium::Phone;
                    if written {
                        desk.finish(at, seq, Some(disposed));
                    } else {
                        desk.job_mut(seq).record.disposed = Some(disposed);
                        desk.touch_work(seq);
                    }
                }
                WorkState::Handling { .. }
                | WorkState::Waiting
                | WorkState::Offered(_)
                | WorkState::CallingBack { .. }
                | WorkState::Resting { .. }
                | WorkState::Scheduled { .. } => return Err(job.not_now("dispose")),
            }
            Ok(())
        })
    }

    /// The agent is done, with the wrap-up or with work that has no line, in a service that demands no
    /// disposition.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotNow`] unless the work is in wrap-up, or no call and in hand, and needs no
    /// disposition.
    pub fn end_wrap_up(
        &mut self,
        now: Instant,
        work: &WorkId,
        agent: &UserId,
    ) -> Result<(), DeskError> {
        self.turn(now, |desk, at| {
            let seq = desk.seq(work)?;
            let job = desk.job(seq);
            if job
                .record
                .state
                .holder()
                .is_some_and(|holder| holder != agent)
            {
                return Err(DeskError::NotYours);
            }
            let mandatory = desk.services[job.service.0].rules.wrap_up.mandatory;
            let may_end = match job.record.state {
                WorkState::WrapUp { .. } => true,
                // Nobody is on the line who could end it: a task that is done, a conversation.
                WorkState::Handling { .. } => {
                    job.record.work.medium != Medium::Phone && job.record.about.is_none()
                }
                WorkState::Waiting
                | WorkState::Offered(_)
                | WorkState::CallingBack { .. }
                | WorkState::Resting { .. }
                | WorkState::Scheduled { .. } => false,
            };
            if mandatory || !may_end {
                return Err(job.not_now("end wrap-up"));
            }
            desk.finish(at, seq, None);
            Ok(())
        })
    }

    /// The conversation is over: wrap-up, or the end.
    pub(super) fn conclude(&mut self, at: i64, seq: u64) {
        self.end_consult_about(at, seq);
        let job = self.job(seq);
        let rules = &self.services[job.service.0].rules.wrap_up;
        let (limit, mandatory) = (rules.limit_ms.max(0), rules.mandatory);
        let disposed = job.record.disposed.clone();
        let WorkState::Handling {
            agent, since_ms, ..
        } = &job.record.state
        else {
            return;
        };
        if disposed.is_some() || (limit == 0 && !mandatory) {
            self.finish(at, seq, disposed);
            return;
        }
        let (agent, handled_ms) = (agent.clone(), *since_ms);
        let until_ms = at.saturating_add(limit);
        if let Ok(index) = self.agent(&agent) {
            if let Some(held) = self.agents[index.0].held.get_mut(&seq) {
                held.kind = HeldKind::WrapUp;
            }
            self.touch_agent(index);
        }
        self.event(Output::WrapUpBegan {
            work: job_id(self, seq),
            agent: agent.clone(),
            until_ms,
            mandatory,
        });
        self.job_mut(seq).record.state = WorkState::WrapUp {
            agent,
            handled_ms,
            since_ms: at,
            until_ms: Some(until_ms),
        };
        self.touch_work(seq);
    }

    /// The time for wrap-up is over.
    pub(super) fn wrap_up_due(&mut self, at: i64, seq: u64) {
        let job = self.job_mut(seq);
        let service = job.service;
        let WorkState::WrapUp {
            agent, until_ms, ..
        } = &mut job.record.state
        else {
            return;
        };
        if until_ms.is_none_or(|until| until > at) {
            return;
        }
        *until_ms = None;
        let (agent, work) = (agent.clone(), job.record.work.id.clone());
        if self.services[service.0].rules.wrap_up.mandatory {
            self.event(Output::WrapUpOverdue { work, agent });
        } else {
            self.finish(at, seq, None);
        }
    }

    /// The agent is done with a work: it is over, or comes back at a date.
    pub(super) fn finish(&mut self, at: i64, seq: u64, disposed: Option<Disposed>) {
        let job = self.job(seq);
        let (service, medium) = (job.service, job.record.work.medium);
        let began = match &job.record.state {
            WorkState::Handling { since_ms, .. } => *since_ms,
            WorkState::WrapUp { handled_ms, .. } => *handled_ms,
            WorkState::Waiting
            | WorkState::Offered(_)
            | WorkState::CallingBack { .. }
            | WorkState::Resting { .. }
            | WorkState::Scheduled { .. } => return,
        };
        let Some(agent) = job.record.state.holder().cloned() else {
            return;
        };
        self.end_consult_about(at, seq);
        self.services[service.0].learn(medium, at.saturating_sub(began));
        self.turn.services.insert(service);
        self.release(at, seq);
        let (actions, reopens_ms) = self.consequences(at, seq, disposed.as_ref());
        self.event(Output::Finished {
            work: job_id(self, seq),
            agent: agent.clone(),
            disposition: disposed,
            actions,
            reopens_ms,
        });
        match reopens_ms {
            Some(at_ms) => self.schedule(seq, agent, at_ms),
            None => self.remove(seq),
        }
    }

    /// What a disposition brings about: actions for others, and when the work comes back.
    fn consequences(
        &self,
        at: i64,
        seq: u64,
        disposed: Option<&Disposed>,
    ) -> (Vec<Action>, Option<i64>) {
        let tree = &self.services[self.job(seq).service.0]
            .rules
            .wrap_up
            .dispositions;
        let Some(disposed) = disposed else {
            return (vec![], None);
        };
        // The tree may have changed since the agent chose; then only the choice is kept.
        let Ok(code) = disposition::check(tree, disposed, i64::MIN) else {
            return (vec![], None);
        };
        let reopens = disposition::reopens_at(code, disposed, at);
        (code.actions.clone(), reopens)
    }

    fn schedule(&mut self, seq: u64, agent: UserId, at_ms: i64) {
        let job = self.job(seq);
        let wait_ms = self.services[job.service.0].rules.reopen_wait_ms;
        let record = &mut self.job_mut(seq).record;
        record.state = WorkState::Scheduled { at_ms };
        record.callback = match record.work.medium {
            Medium::Phone => record.work.number.clone().map(|number| Callback {
                number,
                attempts: 0,
            }),
            Medium::Chat | Medium::Email | Medium::Task => None,
        };
        if record.work.medium == Medium::Phone && record.callback.is_none() {
            // Nobody will be on the line, and nobody can be called: it is something to do.
            record.work.medium = Medium::Task;
        }
        record.disposed = None;
        record.work.preferred = Some(Preferred {
            agent,
            wait_ms,
            even_away: false,
        });
        self.touch_work(seq);
    }

    /// Closed work comes back at its date.
    pub(super) fn reopen(&mut self, at: i64, seq: u64) {
        let job = self.job_mut(seq);
        job.record.work.arrived_ms = at;
        job.record.wait = super::arrival::fresh_wait(at, &job.record.work);
        let service = job.service;
        let place = self.place(service, &self.job(seq).record);
        self.job_mut(seq).place = place;
        self.event(Output::Reopened {
            work: job_id(self, seq),
        });
        self.enter_line(at, seq);
    }

    /// Lets go of what rings for an agent and does not fit beside what they began.
    pub(super) fn make_room(&mut self, at: i64, index: AgentIndex) {
        let agent = &self.agents[index.0];
        let mut offered = agent
            .held
            .values()
            .filter(|held| matches!(held.kind, HeldKind::Offered(_)));
        if !offered.all(|held| agent.has_room_beside_work(held.medium, &self.capacity)) {
            self.end_offers_of(at, index, OfferEnd::AgentBusy);
        }
    }
}

fn job_id(desk: &Desk, seq: u64) -> WorkId {
    desk.job(seq).record.work.id.clone()
}

//! What reports count: how long customers waited, how long agents had them, who was there.
//!
//! The desk tells it; here it becomes a fact as soon as it is over.

use std::collections::BTreeMap;

use desk::change::{PauseReason, Presence, WorkRecord, WorkState};
use desk::fact::{Attendance, Fact, Handled, HandledResult, Present, WaitResult, Waited};
use desk::id::{CompanyId, DispositionId, ServiceId, UserId, WorkId};
use desk::kept::Kept;
use desk::output::{Output as Told, WaitEnd};
use desk::record::Medium;
use ivr::Now;

use super::Shared;
use super::control::CallSeen;
use super::desks::Desks;
use super::output::Output;

/// What is counted of a work that is not over.
#[derive(Debug)]
pub(super) struct Counted {
    medium: Medium,
    /// Whether it is a question about another: no customer waits in it.
    is_consult: bool,
    /// Who has it in hand, and who had it until this turn.
    spells: BTreeMap<UserId, Spell>,
}

/// An agent has a work in hand.
#[derive(Debug)]
struct Spell {
    service: ServiceId,
    began_ms: i64,
    /// Since when they wrap up, and how long the customer had been on hold by then.
    wrap_up: Option<(i64, i64)>,
}

/// How long the customer of a call has been on hold since an agent took it.
#[derive(Debug, Default)]
pub(super) struct Hold {
    sum_ms: i64,
    since_ms: Option<i64>,
}

impl Counted {
    /// What is counted of a work from here on.
    pub(super) fn of(record: &WorkRecord) -> Self {
        let mut counted = Self {
            medium: record.work.medium,
            is_consult: record.about.is_some(),
            spells: BTreeMap::new(),
        };
        counted.stands(record);
        counted
    }

    /// A work stands so now.
    pub(super) fn stands(&mut self, record: &WorkRecord) {
        self.medium = record.work.medium;
        let (agent, began_ms, wrap_up) = match &record.state {
            WorkState::Handling {
                agent, since_ms, ..
            } => (agent, *since_ms, None),
            WorkState::WrapUp {
                agent,
                handled_ms,
                since_ms,
                ..
            } => (agent, *handled_ms, Some((*since_ms, 0))),
            WorkState::Waiting
            | WorkState::Offered(_)
            | WorkState::CallingBack { .. }
            | WorkState::Resting { .. }
            | WorkState::Scheduled { .. } => return,
        };
        let spell = self.spells.entry(agent.clone());
        let spell = spell.or_insert_with(|| Spell {
            service: record.work.service.clone(),
            began_ms,
            wrap_up,
        });
        spell.began_ms = began_ms;
        spell.wrap_up = spell.wrap_up.or(wrap_up);
    }
}

impl Hold {
    fn passed(&self, at_ms: i64) -> i64 {
        let running = self.since_ms.map_or(0, |since| (at_ms - since).max(0));
        self.sum_ms + running
    }
}

impl Desks {
    /// A call is so now.
    pub(super) fn count_hold(&mut self, now: Now, seen: &CallSeen) {
        let at_ms = now.wall.as_millisecond();
        let mut parties = seen.parties.iter();
        let is_held = parties.any(|party| party.role == "customer" && party.place == "held");
        if !is_held && !self.holds.contains_key(&seen.interaction) {
            return;
        }
        let hold = self.holds.entry(seen.interaction.clone()).or_default();
        match (is_held, hold.since_ms) {
            (true, None) => hold.since_ms = Some(at_ms),
            (false, Some(_)) => {
                hold.sum_ms = hold.passed(at_ms);
                hold.since_ms = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// How long the customer of a work was on hold since this was last asked.
    fn take_hold(&mut self, at_ms: i64, work: &WorkId) -> i64 {
        let interaction = self.interaction(work).cloned();
        let hold = interaction.and_then(|interaction| self.holds.get_mut(&interaction));
        hold.map_or(0, |hold| {
            let passed = hold.passed(at_ms);
            hold.sum_ms = 0;
            hold.since_ms = hold.since_ms.map(|_| at_ms);
            passed
        })
    }
}

impl Shared {
    /// The desk tells this: what of it is over is counted.
    pub(super) fn count(&mut self, now: Now, company: &CompanyId, told: &Told) {
        let at_ms = now.wall.as_millisecond();
        match told {
            Told::WaitEnded {
                work,
                service,
                waited_ms,
                end,
            } => self.count_wait(at_ms, company, work, (service, *waited_ms, end)),
            Told::WrapUpBegan { work, agent, .. } => {
                let held_ms = self.desks.take_hold(at_ms, work);
                let known = self.desks.works.get_mut(work);
                if let Some(spell) = known.and_then(|known| known.counted.spells.get_mut(agent)) {
                    let since_ms = spell.wrap_up.map_or(at_ms, |(since_ms, _)| since_ms);
                    spell.wrap_up = Some((since_ms, held_ms));
                }
            }
            Told::Finished {
                work,
                agent,
                disposition,
                ..
            } => {
                let chosen = disposition.as_ref().map(|disposed| disposed.id.clone());
                let end = (HandledResult::Finished, chosen);
                self.count_handled(at_ms, company, work, agent, end);
            }
            Told::Transferred { work, from, .. } => {
                let end = (HandledResult::Transferred, None);
                self.count_handled(at_ms, company, work, from, end);
            }
            Told::Returned { work, agent, .. } => {
                let end = (HandledResult::Returned, None);
                self.count_handled(at_ms, company, work, agent, end);
            }
            Told::PresenceChanged {
                agent,
                presence,
                lost_until_ms,
            } => {
                let (state, reason) = attendance(presence, lost_until_ms.is_some());
                self.keep_fact(Fact::Present(Present {
                    company: company.clone(),
                    agent: agent.clone(),
                    at_ms,
                    state,
                    reason,
                }));
            }
            Told::Save(_)
            | Told::Offered { .. }
            | Told::OfferEnded { .. }
            | Told::SkillsRelaxed { .. }
            | Told::CallbackSuggested { .. }
            | Told::CallBack { .. }
            | Told::CallbackResting { .. }
            | Told::TargetMissed { .. }
            | Told::WrapUpOverdue { .. }
            | Told::Reopened { .. }
            | Told::PauseOverdue { .. } => {}
        }
    }

    fn count_wait(
        &mut self,
        ended_ms: i64,
        company: &CompanyId,
        work: &WorkId,
        (service, waited_ms, end): (&ServiceId, i64, &WaitEnd),
    ) {
        let known = self.desks.works.get(work);
        let Some(known) = known.filter(|known| !known.counted.is_consult) else {
            return;
        };
        let rules = self.directory.companies.get(company);
        let rules = rules.and_then(|known| known.services.get(service));
        let has_target = rules.is_some_and(|known| known.rules.targets.answer_ms.is_some());
        let (result, agent, in_target) = match end {
            WaitEnd::Answered { agent, in_target } => {
                (WaitResult::Answered, Some(agent.clone()), *in_target)
            }
            WaitEnd::Abandoned { counts: true } => {
                (WaitResult::Abandoned, None, has_target.then_some(false))
            }
            WaitEnd::Abandoned { counts: false } => (WaitResult::LeftSoon, None, None),
            WaitEnd::Closed(_) => (WaitResult::Closed, None, None),
            WaitEnd::Moved { .. } => (WaitResult::Moved, None, None),
        };
        let waited = Waited {
            company: company.clone(),
            work: work.clone(),
            interaction: known.interaction.clone(),
            service: service.clone(),
            medium: known.counted.medium,
            entered_ms: ended_ms - waited_ms.max(0),
            ended_ms,
            result,
            agent,
            in_target,
        };
        self.keep_fact(Fact::Waited(waited));
    }

    /// A work has left the hands of an agent.
    fn count_handled(
        &mut self,
        at_ms: i64,
        company: &CompanyId,
        work: &WorkId,
        agent: &UserId,
        (result, disposition): (HandledResult, Option<DispositionId>),
    ) {
        let Some(known) = self.desks.works.get_mut(work) else {
            return;
        };
        // Nobody who was only reserved for a callback had it.
        let Some(spell) = known.counted.spells.remove(agent) else {
            return;
        };
        let result = match known.counted.is_consult {
            true => HandledResult::Consulted,
            false => result,
        };
        let (medium, interaction) = (known.counted.medium, known.interaction.clone());
        let (talked_until_ms, held_ms) = match spell.wrap_up {
            Some((since_ms, held_ms)) => (since_ms, held_ms),
            None if known.counted.is_consult => (at_ms, 0),
            None => (at_ms, self.desks.take_hold(at_ms, work)),
        };
        let talked_until_ms = talked_until_ms.max(spell.began_ms);
        self.keep_fact(Fact::Handled(Handled {
            company: company.clone(),
            work: work.clone(),
            interaction,
            service: spell.service,
            medium,
            agent: agent.clone(),
            began_ms: spell.began_ms,
            talked_until_ms,
            ended_ms: at_ms.max(talked_until_ms),
            held_ms,
            result,
            disposition,
        }));
    }

    /// A question about a work is over, whoever was asked.
    pub(super) fn count_consulted(&mut self, now: Now, company: &CompanyId, work: &WorkId) {
        let Some(known) = self.desks.works.get(work) else {
            return;
        };
        if !known.counted.is_consult {
            return;
        }
        let asked: Vec<UserId> = known.counted.spells.keys().cloned().collect();
        let at_ms = now.wall.as_millisecond();
        for agent in asked {
            let end = (HandledResult::Consulted, None);
            self.count_handled(at_ms, company, work, &agent, end);
        }
    }

    fn keep_fact(&mut self, fact: Fact) {
        let kept = Kept::Fact(Box::new(fact));
        self.outputs.push_back(Output::Kept(kept));
    }
}

/// How an agent is, and why.
fn attendance(presence: &Presence, is_lost: bool) -> (Attendance, Option<String>) {
    match presence {
        Presence::Offline => (Attendance::Offline, None),
        Presence::Available if is_lost => (Attendance::Lost, None),
        Presence::Available => (Attendance::Available, None),
        Presence::Paused { reason, .. } => {
            let reason = match reason {
                PauseReason::Chosen(pause) | PauseReason::Forced(pause) => pause.as_str(),
                PauseReason::Missed => "missed",
                PauseReason::Unreachable => "unreachable",
                PauseReason::Busy => "busy",
                PauseReason::Refused => "refused",
                PauseReason::Leaving => "leaving",
            };
            (Attendance::Paused, Some(reason.to_owned()))
        }
    }
}

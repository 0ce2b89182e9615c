//! What is kept of the desks, and how they go on from it when the program begins again.

use std::collections::BTreeMap;

use desk::Desk;
use desk::change::{Change, Snapshot, WorkRecord, WorkState};
use desk::decision::Decision;
use desk::explain::{self, Names};
use desk::id::{CompanyId, InteractionId, PauseId, ServiceId, SkillId, UserId, WorkId};
use desk::kept::{DECISIONS_MAX, DecisionKept, Kept, LateLine};
use desk::record::{Medium, TrailKind};
use ivr::{Language, Now};
use serde_json::Value;

use crate::directory::Company;

use super::counted::Counted;
use super::output::Output;
use super::presence::is_of_before;
use super::{Shared, Voice};

/// What the voice side knows of a work that is not over.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) interaction: InteractionId,
    /// Whether it is written, and not a question about it.
    is_written: bool,
    /// How many decisions were made about it.
    decided: u32,
    /// What reports count of it.
    pub(super) counted: Counted,
}

/// A desk that goes on from what was kept. Nobody is connected to the new program yet, and the
/// calls died with the one before: who waited has left, and whom they talked with wraps up.
pub(super) fn restored(
    now: Now,
    company: &Company,
    rules: desk::rules::Rules,
    kept: Snapshot,
) -> Desk {
    let last = kept.agents.iter().map(|agent| agent.idle_since_ms).max();
    let new_day = last.is_some_and(|last| is_of_before(last, now, &company.zone));
    let died: Vec<WorkId> = kept
        .works
        .iter()
        .filter(|record| died(record))
        .map(|record| record.work.id.clone())
        .collect();
    let begins = kept.works.is_empty() && kept.agents.is_empty();
    let at_ms = now.wall.as_millisecond();
    let mut desk = Desk::restore(now.instant, at_ms, rules, kept);
    if !begins {
        desk.handle_restart(now.instant);
    }
    if new_day {
        desk.handle_new_day(now.instant);
    }
    for work in died {
        // It may have ended with its service or with what it was about.
        let _ = desk.handle_over(now.instant, &work);
    }
    desk
}

fn died(record: &WorkRecord) -> bool {
    let after = matches!(
        record.state,
        WorkState::WrapUp { .. } | WorkState::Scheduled { .. }
    );
    record.needs_call() && !after
}

impl Voice {
    /// Lets the desks go on from what was kept when the program ran last. To be called before the
    /// first directory comes.
    pub fn restore(&mut self, kept: BTreeMap<CompanyId, Snapshot>) {
        for record in kept.values().flat_map(|snapshot| &snapshot.works) {
            self.shared.desks.known(record);
        }
        self.shared.desks.kept = kept;
    }

    /// Notes something about a work in the trail of its interaction: in the record of its call while
    /// there is one, behind it afterwards.
    pub(super) fn note_work(&mut self, now: Now, work: &WorkId, kind: TrailKind, detail: Value) {
        let Some(known) = self.shared.desks.works.get(work) else {
            return;
        };
        let call = self.shared.desks.calls.get(work).copied();
        if let Some(call) = call.filter(|call| self.calls.contains_key(call)) {
            return self.with(now, call, |call, _| call.note(now, kind, detail));
        }
        let line = LateLine {
            interaction: known.interaction.clone(),
            at_ms: now.wall.as_millisecond(),
            kind,
            detail,
        };
        self.shared
            .outputs
            .push_back(Output::Kept(Kept::Line(line)));
    }
}

impl Shared {
    /// Keeps a change of a desk.
    pub(super) fn keep_desk(&mut self, now: Now, company: CompanyId, change: Change) {
        let kept = match change {
            Change::WorkSaved(record) => {
                self.desks.known(&record);
                Kept::Work {
                    company,
                    instance: self.config.instance.clone(),
                    record,
                }
            }
            Change::WorkRemoved(work) => {
                self.count_consulted(now, &company, &work);
                // What is told in the same turn is still about it.
                self.desks.over.push(work.clone());
                Kept::WorkRemoved(work)
            }
            Change::AgentSaved(record) => {
                let known = self.directory.companies.get(&company);
                if let Some(known) = known.filter(|_| record.handled > 0) {
                    self.desks.midnights.await_of(now, &company, &known.zone);
                }
                Kept::Agent {
                    record,
                    at_ms: now.wall.as_millisecond(),
                }
            }
            Change::ServiceSaved(record) => Kept::Service(record),
            Change::Decided(decision) => match self.decision(company, *decision) {
                Some(kept) => Kept::Decision(Box::new(kept)),
                None => return,
            },
        };
        self.outputs.push_back(Output::Kept(kept));
    }

    fn decision(&mut self, company: CompanyId, decision: Decision) -> Option<DecisionKept> {
        let directory = self.directory.clone();
        let named = directory.companies.get(&company)?;
        let known = self.desks.works.get_mut(&decision.work)?;
        let slot = known.decided % DECISIONS_MAX;
        known.decided = known.decided.wrapping_add(1);
        Some(DecisionKept {
            company,
            interaction: known.interaction.clone(),
            slot,
            sentence: explain::decision(&decision, language(named.language), named.as_ref()),
            decision,
        })
    }
}

impl super::desks::Desks {
    /// The interaction of a work that is not over.
    pub(super) fn interaction(&self, work: &WorkId) -> Option<&InteractionId> {
        Some(&self.works.get(work)?.interaction)
    }

    /// The interaction of a work that is not over, where it is a written one.
    pub(super) fn written_of(&self, work: &WorkId) -> Option<&InteractionId> {
        let known = self.works.get(work)?;
        known.is_written.then_some(&known.interaction)
    }

    fn known(&mut self, record: &WorkRecord) {
        let (id, interaction) = (&record.work.id, &record.work.interaction);
        if let Some(known) = self.works.get_mut(id) {
            known.counted.stands(record);
            return;
        }
        let written = matches!(record.work.medium, Medium::Chat | Medium::Email);
        // One that an agent still wraps up is over for the customer, who fell silent.
        let is_over = matches!(record.state, WorkState::WrapUp { .. });
        let is_written = written && record.about.is_none() && !is_over;
        if is_written {
            self.written.insert(interaction.clone(), id.clone());
        }
        let known = Known {
            interaction: interaction.clone(),
            is_written,
            decided: 0,
            counted: Counted::of(record),
        };
        self.works.insert(id.clone(), known);
    }

    /// The written interaction of a work is over, whatever its agent still does.
    pub(super) fn part(&mut self, work: &WorkId) {
        if let Some(known) = self.works.get_mut(work) {
            known.is_written = false;
            self.written.remove(&known.interaction);
        }
    }

    /// All about a work was told.
    pub(super) fn forget(&mut self, work: &WorkId) {
        let known = self.works.remove(work);
        let interaction = known.map(|known| known.interaction);
        // It may have come back as another.
        if let Some(interaction) = interaction
            && self.written.get(&interaction) == Some(work)
        {
            self.written.remove(&interaction);
        }
    }
}

/// The language in which supervisors of a company read.
pub(super) fn language(language: Language) -> explain::Language {
    match language {
        Language::PtBr => explain::Language::PtBr,
        Language::En => explain::Language::En,
        Language::Es => explain::Language::Es,
    }
}

impl Names for Company {
    fn agent(&self, id: &UserId) -> String {
        let known = self.agents.get(id);
        known.map_or_else(|| id.to_string(), |agent| agent.name.clone())
    }

    fn skill(&self, id: &SkillId) -> String {
        let known = self.skills.get(id);
        known.map_or_else(|| id.to_string(), Clone::clone)
    }

    fn pause(&self, id: &PauseId) -> String {
        let known = self.pauses.get(id).filter(|pause| !pause.name.is_empty());
        known.map_or_else(|| id.to_string(), |pause| pause.name.clone())
    }

    fn service(&self, id: &ServiceId) -> String {
        let known = self.services.get(id);
        known.map_or_else(|| id.to_string(), |service| service.name.clone())
    }
}

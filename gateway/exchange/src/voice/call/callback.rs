//! A customer who will be called back, in their turn.
//!
//! ```text
//!  waits ─ promised ─▶ off the line ─ an agent is there ─▶ called ─ answers ─▶ handled
//!                          ▲                                  │
//!                          └──────── not reached ─────────────┘
//! ```
//!
//! The interaction goes on without anybody on the line: its record stays open, its work keeps its
//! place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use desk::change::WorkRecord;
use desk::id::{ServiceId, UserId, WorkId};
use desk::output::CallResult;
use desk::record::{InteractionState, TrailKind};
use ivr::Now;
use ivr::machine::{Caller, DialResult};
use media_engine::leg::LegId;
use media_engine::sip::call::End;
use serde_json::json;

use super::super::Shared;
use super::super::ending::Ending;
use super::super::facts::{Facts, NOBODY};
use super::super::record::Record;
use super::super::talk::Talk;
use super::{Call, Calling, LENGTH_MAX, Stage, Taping, UNCONFIRMED};
use crate::directory::Company;

/// What a customer was promised.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    pub(super) work: WorkId,
    pub(super) service: ServiceId,
    /// Where they are called, as it was read back to them.
    number: String,
}

impl Call {
    /// The customer wants to be called back at this number.
    pub(super) fn promise(&mut self, now: Now, number: String, shared: &mut Shared) {
        let Stage::Flow(walk) = &mut self.stage else {
            return;
        };
        let Some(work) = walk.work().cloned() else {
            return;
        };
        let desk = shared.desk(now, &self.facts.company.id);
        let asked = desk.map(|desk| desk.ask_callback(now.instant, &work, number.clone()));
        // Somebody's phone rings for them at this very moment: they will hear.
        if !matches!(asked, Some(Ok(()))) {
            return;
        }
        let Some((work, service)) = walk.promise(self.facts.leg, shared) else {
            return;
        };
        self.note(
            now,
            TrailKind::CallbackPromised,
            json!({ "number": number }),
        );
        self.promised = Some(Promise {
            work,
            service,
            number,
        });
    }

    /// The desk would have the customer called back: they are asked.
    pub(in crate::voice) fn suggest_callback(&mut self, now: Now) {
        if let Stage::Flow(walk) = &mut self.stage {
            walk.suggest_callback(now);
        }
    }

    /// A customer who was promised to be called back before the program began again.
    pub(in crate::voice) fn resume(
        now: Now,
        company: &Arc<Company>,
        record: &WorkRecord,
        shared: &mut Shared,
    ) -> Option<Self> {
        let callback = record.callback.as_ref()?;
        let key = shared.new_call();
        let facts = Facts {
            key,
            leg: NOBODY,
            others: BTreeSet::new(),
            company: company.clone(),
            record: Record::resumed(now, record.work.interaction.clone()),
            caller: Caller {
                from: callback.number.clone(),
                to: String::new(),
                protocol: String::new(),
            },
            customer: None,
            messages: Vec::new(),
            left: BTreeMap::new(),
        };
        shared.remember_work(&record.work.id, key);
        Some(Self {
            facts,
            talk: Talk::default(),
            stage: Stage::Promised,
            taping: Taping::default(),
            survey: None,
            engaged: BTreeSet::new(),
            promised: Some(Promise {
                work: record.work.id.clone(),
                service: record.work.service.clone(),
                number: callback.number.clone(),
            }),
            ours: None,
            length_limit: now.instant + LENGTH_MAX,
            deadline: None,
        })
    }

    /// The customer has hung up, and waits at home.
    pub(super) fn rest(&mut self, now: Now, end: End, shared: &mut Shared) {
        let leg = self.facts.leg;
        if let Some(line) = shared.lines.get_mut(&leg) {
            line.handle_ended();
        }
        let ending = Ending::of_caller(end, self.ours.take());
        if let Some(left) = shared.leave(now, leg, DialResult::Ended, ending) {
            self.facts.left.insert(leg, left);
        }
        self.facts.leg = NOBODY;
        self.talk = Talk::default();
        self.stage = Stage::Promised;
        self.learn_state(now, InteractionState::Waiting);
    }

    /// An agent is there for a customer who was promised a call.
    pub(super) fn begin_callback(&mut self, now: Now, leg: LegId, agent: &UserId) {
        let Some(promise) = &self.promised else {
            return;
        };
        let calling = Calling::back(
            promise.number.clone(),
            (agent.clone(), leg),
            (promise.work.clone(), promise.service.clone()),
        );
        self.length_limit = now.instant + LENGTH_MAX;
        self.stage = Stage::Calling(Box::new(calling));
    }

    /// The desk has reserved the agent: the customer is called.
    pub(in crate::voice) fn call_back(&mut self, now: Now, attempt: u32, shared: &mut Shared) {
        let Some(promise) = self.promised.clone() else {
            return;
        };
        self.note(
            now,
            TrailKind::CalledBack,
            json!({ "number": promise.number, "attempt": attempt }),
        );
        // Much may have changed since the promise: carriers, prices, who may call whom.
        let directory = shared.directory.clone();
        if let Some(company) = directory.companies.get(&self.facts.company.id) {
            self.facts.company = company.clone();
        }
        self.call_customer(now, &promise.number, shared);
    }

    /// The customer is on the line again.
    pub(super) fn keep_promise(&mut self, now: Now, shared: &mut Shared) {
        if let Some(promise) = self.promised.take() {
            self.told_desk(now, &promise.work, CallResult::Answered, shared);
        }
    }

    /// The customer was not reached: they keep their place, and the agent is free.
    pub(super) fn handle_not_reached(&mut self, now: Now, shared: &mut Shared) {
        let Some(promise) = self.promised.clone() else {
            return;
        };
        if shared.lines.contains_key(&self.facts.leg) {
            self.drop_line(now, self.facts.leg, shared);
        }
        self.facts.leg = NOBODY;
        self.drop_others(now, shared);
        self.talk = Talk::default();
        self.ours = None;
        self.stage = Stage::Promised;
        self.learn_state(now, InteractionState::Waiting);
        self.told_desk(now, &promise.work, CallResult::NotReached, shared);
    }

    /// The desk has given up calling the customer.
    pub(super) fn break_promise(&mut self, now: Now, shared: &mut Shared) {
        self.promised = None;
        self.ours.get_or_insert(Ending::ours("not_reached"));
        self.ended(now, UNCONFIRMED, shared);
    }

    fn told_desk(&mut self, now: Now, work: &WorkId, result: CallResult, shared: &mut Shared) {
        if let Some(desk) = shared.desk(now, &self.facts.company.id) {
            // The agent may have left at the same moment; the desk has said so.
            let _ = desk.handle_called_back(now.instant, work, result);
        }
    }

    /// Whether the customer will be called back for this work.
    pub(super) fn is_promised(&self, work: &WorkId) -> bool {
        self.promised
            .as_ref()
            .is_some_and(|promise| promise.work == *work)
    }
}

//! The desks of the companies, as calls and phones see them.
//!
//! ```text
//!  caller ─ wait ─▶ Desk ─ Offered ─▶ ring all phones of the agent ─ answered ─▶ accept ─▶ joined
//!                     ▲                    │ busy · refused · gone
//!                     └──── not taken ─────┘
//! ```
//!
//! The desk alone decides who gets what; what it tells is done in [`Voice::attend`], after each
//! event of a call or a phone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::Desk;
use desk::change::{OfferEnd, PauseReason, Snapshot};
use desk::decision::OfferId;
use desk::disposition::{self, Action};
use desk::id::{CompanyId, InteractionId, ServiceId, UserId, WorkId};
use desk::output::{DeskError, Output as Told, WaitEnd};
use desk::record::TrailKind;
use desk::rules::Rules;
use desk::work::{Medium, Priority, SkillWanted, Work};
use ivr::Now;
use media_engine::leg::LegId;
use serde_json::json;

use crate::directory::Company;

use super::call::Call;

use super::counted::Hold;
use super::facts::Facts;
use super::kept::{Known, restored};
use super::line::{Offered, Purpose};
use super::presence::{Links, Midnights};
use super::waiting::Standing;
use super::{CallKey, Shared, Voice};

/// The desks of all companies, and what on the phone's side belongs to what they tell.
#[derive(Debug, Default)]
pub(super) struct Desks {
    desks: BTreeMap<CompanyId, Kept>,
    /// What desks that have not begun yet go on from.
    pub(super) kept: BTreeMap<CompanyId, Snapshot>,
    /// Every work that is not over.
    pub(super) works: BTreeMap<WorkId, Known>,
    /// Those of them that written interactions stand as.
    pub(super) written: BTreeMap<InteractionId, WorkId>,
    /// Those of them that their customer ended, and the agent not yet.
    pub(super) left: BTreeSet<InteractionId>,
    /// The call of each of them that has or had one.
    pub(super) calls: BTreeMap<WorkId, CallKey>,
    /// How long the customers of calls have been on hold.
    pub(super) holds: BTreeMap<InteractionId, Hold>,
    /// Those that are over as soon as all about them was told.
    pub(super) over: Vec<WorkId>,
    /// What rings for each offer.
    ringing: BTreeMap<(CompanyId, OfferId), Ringing>,
    /// What connects agents with us.
    pub(super) links: Links,
    pub(super) midnights: Midnights,
    /// The desks that may have something to tell.
    touched: BTreeSet<CompanyId>,
    deadlines: BTreeSet<(Instant, CompanyId)>,
}

#[derive(Debug)]
struct Kept {
    desk: Desk,
    /// What it was told last, to see whether that has changed.
    rules: Rules,
    due: Option<Instant>,
}

/// The phones of an agent that ring for an offer.
#[derive(Debug)]
struct Ringing {
    legs: BTreeSet<LegId>,
    /// The most that is known of why the agent does not take it, while others still ring.
    reason: Option<PauseReason>,
}

impl Desks {
    fn begin(&mut self, now: Now, company: &Company) -> &mut Kept {
        self.touched.insert(company.id.clone());
        self.desks.entry(company.id.clone()).or_insert_with(|| {
            let rules = company.rules();
            let kept = self.kept.remove(&company.id).unwrap_or_default();
            let mut agents = kept.agents.iter();
            if agents.any(|agent| agent.handled > 0) {
                self.midnights.await_of(now, &company.id, &company.zone);
            }
            Kept {
                desk: restored(now, company, rules.clone(), kept),
                rules,
                due: None,
            }
        })
    }

    /// The next thing that a desk tells.
    fn poll(&mut self) -> Option<(CompanyId, Told)> {
        while let Some(company) = self.touched.first().cloned() {
            if let Some(kept) = self.desks.get_mut(&company) {
                if let Some(told) = kept.desk.poll_output() {
                    return Some((company, told));
                }
                let due = kept.desk.poll_timeout();
                let before = std::mem::replace(&mut kept.due, due);
                if before != due {
                    let entry = |due| (due, company.clone());
                    before.map(|due| self.deadlines.remove(&entry(due)));
                    self.deadlines.extend(due.map(entry));
                }
            }
            self.touched.remove(&company);
        }
        for work in std::mem::take(&mut self.over) {
            self.forget(&work);
            self.calls.remove(&work);
        }
        None
    }

    /// When a desk is next due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let desk = self.deadlines.first().map(|(due, _)| *due);
        [desk, self.midnights.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The place of a work in its line, 1 being the next to be served.
    pub(super) fn position(&self, company: &CompanyId, work: &WorkId) -> Option<usize> {
        self.desks.get(company)?.desk.position(work)
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(company) = self.midnights.pop(now) {
            if let Some(kept) = self.desks.get_mut(&company) {
                kept.desk.handle_new_day(now);
                self.touched.insert(company);
            }
        }
        while let Some((due, company)) = self.deadlines.first().cloned() {
            if due > now {
                return;
            }
            self.deadlines.pop_first();
            if let Some(kept) = self.desks.get_mut(&company) {
                kept.due = None;
                kept.desk.handle_timeout(now);
                self.touched.insert(company);
            }
        }
    }
}

impl Shared {
    /// The desk of a company; nothing when there is no such company (any more).
    pub(super) fn desk(&mut self, now: Now, company: &CompanyId) -> Option<&mut Desk> {
        if let Some(known) = self.directory.companies.get(company) {
            return Some(&mut self.desks.begin(now, known).desk);
        }
        self.desks.touched.insert(company.clone());
        self.desks.desks.get_mut(company).map(|kept| &mut kept.desk)
    }

    /// Puts a caller into the line of a service.
    pub(super) fn enqueue(
        &mut self,
        now: Now,
        call: &Facts,
        service: &ServiceId,
        skills: Vec<SkillWanted>,
    ) -> Result<WorkId, DeskError> {
        let work = self.work_of(now, call, service, skills);
        self.enter(now, call, work)
    }

    /// What a caller who comes now is to the desk.
    pub(super) fn work_of(
        &mut self,
        now: Now,
        call: &Facts,
        service: &ServiceId,
        skills: Vec<SkillWanted>,
    ) -> Work {
        let arrived_ms = now.wall.as_millisecond();
        let id = WorkId::new(arrived_ms, &mut self.random);
        let customer = call.customer.as_ref();
        let rules = call.company.services.get(service);
        let is_there = self.owner_is_there(now, &call.company.id, customer);
        let preferred = rules.and_then(|service| {
            let rules = &service.rules;
            rules.preferred(customer?, Medium::Phone, is_there)
        });
        Work {
            id,
            interaction: call.record.interaction().clone(),
            medium: Medium::Phone,
            service: service.clone(),
            contact: customer.map(|customer| customer.contact.clone()),
            number: Some(call.from().to_owned()).filter(|number| !number.is_empty()),
            arrived_ms,
            priority: Priority {
                contact: customer.map_or(0, |customer| customer.priority),
                number: call
                    .company()
                    .number(&call.caller.to, None)
                    .map_or(0, |number| number.priority),
            },
            skills,
            preferred,
        }
    }

    /// A work of this call waits from here on.
    pub(super) fn enter(
        &mut self,
        now: Now,
        call: &Facts,
        work: Work,
    ) -> Result<WorkId, DeskError> {
        let id = work.id.clone();
        let desk = self.desk(now, &call.company().id);
        desk.ok_or(DeskError::NoSuchService)?
            .enqueue(now.instant, work)?;
        self.desks.calls.insert(id.clone(), call.key);
        Ok(id)
    }

    /// The caller has left, or hung up on the agent.
    pub(super) fn work_over(&mut self, now: Now, company: &CompanyId, work: &WorkId) {
        if let Some(desk) = self.desk(now, company) {
            // It may be over at the desk already: closed, or its wrap-up done.
            let _ = desk.handle_over(now.instant, work);
        }
    }

    /// What the agent wants done when they leave, by the disposition that they gave meanwhile.
    pub(super) fn wanted_after(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
    ) -> Vec<Action> {
        let directory = self.directory.clone();
        let found = self.desk(now, company).and_then(|desk| desk.work(work));
        let chosen = found.and_then(|record| {
            let known = directory.companies.get(company)?;
            let service = known.services.get(&record.work.service)?;
            let tree = &service.rules.wrap_up.dispositions;
            disposition::check(tree, record.disposed.as_ref()?, i64::MIN).ok()
        });
        chosen.map_or_else(Vec::new, |code| code.actions.clone())
    }

    /// A work as it was handed to the desk.
    pub(super) fn work(&mut self, now: Now, company: &CompanyId, work: &WorkId) -> Option<Work> {
        let found = self.desk(now, company)?.work(work)?;
        Some(found.work.clone())
    }

    /// A work belongs to this call.
    pub(super) fn remember_work(&mut self, work: &WorkId, call: CallKey) {
        self.desks.calls.insert(work.clone(), call);
    }

    /// A work is over at the desk.
    pub(super) fn forget_work(&mut self, work: &WorkId) {
        self.desks.calls.remove(work);
    }

    /// How a caller stands in the line.
    pub(super) fn standing(&self, call: &Facts, work: &WorkId) -> Standing {
        let kept = self.desks.desks.get(&call.company().id);
        kept.map_or_else(Standing::default, |kept| Standing {
            position: kept.desk.position(work),
            expected_ms: kept.desk.expected_wait_ms(work),
        })
    }
}

impl Voice {
    /// Does what the desks tell, until they have nothing more to tell.
    pub(super) fn attend(&mut self, now: Now) {
        while let Some((company, told)) = self.shared.desks.poll() {
            self.shared.live.mark(&company, &told);
            self.shared.count(now, &company, &told);
            self.follow(now, company, told);
        }
        self.tell_live(now);
    }

    /// Gives each company that is there the desk it needs, with the rules it has now.
    pub(super) fn renew_desks(&mut self, now: Now) {
        let directory = self.shared.directory.clone();
        for company in directory.companies.values() {
            let rules = company.rules();
            self.resume_promised(now, company);
            let kept = self.shared.desks.begin(now, company);
            if kept.rules != rules {
                kept.rules = rules.clone();
                kept.desk.set_rules(now.instant, rules);
            }
        }
    }

    /// Those who were promised to be called back before the program began again have their calls.
    fn resume_promised(&mut self, now: Now, company: &Arc<Company>) {
        let Some(kept) = self.shared.desks.kept.get(&company.id) else {
            return;
        };
        let promised: Vec<_> = kept
            .works
            .iter()
            .filter(|record| record.callback.is_some())
            .cloned()
            .collect();
        for record in promised {
            let call = Call::resume(now, company, &record, &mut self.shared);
            self.calls.extend(call.map(|call| (call.key(), call)));
        }
    }

    /// The customer of a call that was closed with a date is to be called.
    fn resume_reopened(&mut self, now: Now, company: &CompanyId, work: &WorkId) {
        let directory = self.shared.directory.clone();
        let known = directory.companies.get(company);
        let desk = self.shared.desk(now, company);
        let record = desk.and_then(|desk| desk.work(work)).cloned();
        if let (Some(known), Some(record)) = (known, record) {
            let call = Call::resume(now, known, &record, &mut self.shared);
            self.calls.extend(call.map(|call| (call.key(), call)));
        }
    }

    pub(super) fn handle_desk_timeout(&mut self, now: Now) {
        self.shared.desks.handle_timeout(now.instant);
        self.attend(now);
    }

    fn follow(&mut self, now: Now, company: CompanyId, told: Told) {
        match told {
            Told::Save(change) => self.shared.keep_desk(now, company, change),
            Told::Offered {
                offer, work, agent, ..
            } => self.ring(now, (company, offer), &work, &agent),
            Told::OfferEnded {
                offer,
                work,
                agent,
                end,
            } => {
                self.stop_ringing(now, (company.clone(), offer));
                // Who answered has a line of their own.
                if end == OfferEnd::Accepted {
                    self.written_taken(now, &company, &work, &agent);
                } else {
                    let detail = json!({ "agent": agent, "end": end });
                    self.note_work(now, &work, TrailKind::OfferEnded, detail);
                }
            }
            Told::WaitEnded {
                work,
                end: WaitEnd::Closed(why),
                ..
            } => {
                self.written_ended(now, &work, Err(why));
                if let Some(call) = self.shared.desks.calls.remove(&work) {
                    self.with(now, call, |call, shared| match call.is_about(&work) {
                        true => call.handle_unanswered(now, shared),
                        false => call.handle_nobody_to_ask(&work, shared),
                    });
                }
            }
            Told::CallbackSuggested { work } => {
                if let Some(call) = self.shared.desks.calls.get(&work).copied() {
                    self.with(now, call, |call, _| call.suggest_callback(now));
                }
            }
            Told::CallBack { work, attempt, .. } => {
                if let Some(call) = self.shared.desks.calls.get(&work).copied() {
                    self.with(now, call, |call, shared| {
                        call.call_back(now, attempt, shared);
                    });
                }
            }
            Told::CallbackResting { work, until_ms, .. } => {
                let detail = json!({ "until_ms": until_ms });
                self.note_work(now, &work, TrailKind::CallbackResting, detail);
            }
            Told::Returned { work, why, agent } => {
                self.return_call(now, &company, &work, why.as_str());
                let detail = json!({ "agent": agent, "why": why });
                self.written_waits(now, &company, &work, (TrailKind::Queued, detail));
                self.talk_over(now, &company, &agent);
            }
            Told::Transferred { work, from, .. } => {
                self.return_call(now, &company, &work, "transferred");
                let told = (TrailKind::Transferred, json!({ "agent": from }));
                self.written_waits(now, &company, &work, told);
                self.talk_over(now, &company, &from);
            }
            Told::WaitEnded {
                work,
                service,
                end: WaitEnd::Moved { to },
                ..
            } => self.tell_moved(now, &company, &work, (&service, &to)),
            Told::SkillsRelaxed { work } => {
                self.note_work(now, &work, TrailKind::SkillsRelaxed, json!({}));
            }
            Told::TargetMissed {
                work,
                service,
                target,
            } => self.tell_target(now, &company, &work, (&service, target)),
            Told::WrapUpBegan {
                work,
                agent,
                until_ms,
                mandatory,
            } => {
                self.tell_wrap_up(now, &company, &work, (&agent, until_ms, mandatory));
                self.talk_over(now, &company, &agent);
            }
            Told::Finished {
                work,
                agent,
                disposition,
                reopens_ms,
                actions,
            } => {
                let chosen = (&agent, disposition.as_ref(), reopens_ms);
                self.tell_finished(now, &company, &work, chosen, &actions);
                if reopens_ms.is_none() {
                    self.written_ended(now, &work, Ok(()));
                }
                self.talk_over(now, &company, &agent);
            }
            Told::Reopened { work } => {
                self.note_work(now, &work, TrailKind::Reopened, json!({}));
                self.resume_reopened(now, &company, &work);
            }
            // A call is over, or told by what ends the offer; the rest is seen and not done.
            Told::WaitEnded {
                end: WaitEnd::Answered { .. } | WaitEnd::Abandoned { .. },
                ..
            }
            | Told::WrapUpOverdue { .. }
            | Told::PresenceChanged { .. }
            | Told::PauseOverdue { .. } => {}
        }
    }

    /// The caller of a work is in the line of a service again, unless another agent has them.
    fn return_call(&mut self, now: Now, company: &CompanyId, work: &WorkId, why: &str) {
        let desks = self.shared.desks.desks.get(company);
        let waiting = desks.and_then(|kept| {
            kept.desk.position(work)?;
            Some(kept.desk.work(work)?.work.service.clone())
        });
        let call = self.shared.desks.calls.get(work).copied();
        if let (Some(service), Some(call)) = (waiting, call) {
            self.with(now, call, |call, shared| {
                call.handle_returned(now, work, &service, why, shared);
            });
        }
    }

    /// Rings all phones of an agent for a work.
    fn ring(
        &mut self,
        now: Now,
        (company, offer): (CompanyId, OfferId),
        work: &WorkId,
        agent: &UserId,
    ) {
        let directory = self.shared.directory.clone();
        let known = directory.companies.get(&company);
        let phones = known.and_then(|known| known.agents.get(agent));
        let Some(phones) = phones else {
            return self.not_taken(now, &company, offer, Some(PauseReason::Unreachable));
        };
        let desk = self.shared.desk(now, &company);
        let found = desk.and_then(|desk| desk.work(work));
        if found.is_some_and(|record| record.work.medium != Medium::Phone) {
            // Nobody is on the line: it is shown to the agent, who takes it on the screen.
            let detail = json!({ "agent": agent, "name": phones.name });
            return self.note_work(now, work, TrailKind::Offered, detail);
        }
        let Some(call) = self.shared.desks.calls.get(work).copied() else {
            return self.not_taken(now, &company, offer, None);
        };
        let offered = Offered {
            company: company.clone(),
            offer,
            work: work.clone(),
            agent: agent.clone(),
        };
        let Some(caller) = self.calls.get(&call) else {
            return self.not_taken(now, &company, offer, None);
        };
        let mut legs = BTreeSet::new();
        for device in &phones.devices {
            let purpose = Purpose::Ringing(offered.clone());
            let facts = caller.facts();
            legs.extend(
                self.shared
                    .ring_phone(now, facts, purpose, device, RING_MAX),
            );
        }
        let detail = json!({ "agent": agent, "name": phones.name, "phones": legs.len() });
        let nobody = legs.is_empty();
        let ringing = Ringing { legs, reason: None };
        let key = (company.clone(), offer);
        self.shared.desks.ringing.insert(key, ringing);
        self.note_work(now, work, TrailKind::Offered, detail);
        if nobody {
            self.not_taken(now, &company, offer, Some(PauseReason::Unreachable));
        }
    }

    /// An offer is over: what still rings for it falls silent.
    fn stop_ringing(&mut self, now: Now, key: (CompanyId, OfferId)) {
        let ringing = self.shared.desks.ringing.remove(&key);
        for leg in ringing.into_iter().flat_map(|ringing| ringing.legs) {
            self.shared.take_back(now, leg);
        }
    }

    /// One of the phones that ring for an offer is off the line. `reason` is what that says of the
    /// agent; nothing where the fault is ours.
    pub(super) fn handle_phone_left(
        &mut self,
        now: Now,
        offered: &Offered,
        leg: LegId,
        reason: Option<PauseReason>,
    ) {
        let key = (offered.company.clone(), offered.offer);
        let Some(ringing) = self.shared.desks.ringing.get_mut(&key) else {
            return;
        };
        ringing.legs.remove(&leg);
        if rank(reason.as_ref()) > rank(ringing.reason.as_ref()) {
            ringing.reason = reason;
        }
        // Who refuses on one phone does not want the others to ring on.
        if ringing.legs.is_empty() || ringing.reason == Some(PauseReason::Refused) {
            let reason = ringing.reason.clone();
            self.not_taken(now, &offered.company, offered.offer, reason);
        }
    }

    fn not_taken(
        &mut self,
        now: Now,
        company: &CompanyId,
        offer: OfferId,
        reason: Option<PauseReason>,
    ) {
        let Some(desk) = self.shared.desk(now, company) else {
            return;
        };
        // The offer may have ended in the meantime.
        let _ = match reason {
            Some(reason) => desk.handle_not_taken(now.instant, offer, reason),
            None => desk.refuse(now.instant, offer),
        };
    }

    /// A phone was answered: whether its agent has the work now.
    pub(super) fn accept(&mut self, now: Now, offered: &Offered, leg: LegId) -> bool {
        let desk = self.shared.desk(now, &offered.company);
        let accepted = desk.is_some_and(|desk| desk.accept(now.instant, offered.offer).is_ok());
        let key = (offered.company.clone(), offered.offer);
        if let Some(ringing) = self.shared.desks.ringing.get_mut(&key) {
            ringing.legs.remove(&leg);
        }
        accepted
    }
}

/// How much a reason says of an agent: a phone that is switched off says less than one that rang.
fn rank(reason: Option<&PauseReason>) -> u8 {
    match reason {
        None => 0,
        Some(PauseReason::Unreachable) => 1,
        Some(PauseReason::Missed) => 2,
        Some(PauseReason::Busy) => 3,
        Some(
            PauseReason::Refused
            | PauseReason::Chosen(_)
            | PauseReason::Forced(_)
            | PauseReason::Leaving,
        ) => 4,
    }
}

/// How long the endpoint lets a phone ring: the desk ends an offer long before.
const RING_MAX: Duration = Duration::from_secs(180);

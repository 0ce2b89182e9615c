//! The desk in a bad world: customers who leave, agents who crash, lapse, pause and transfer, rules
//! that change, a program that is started again. What must hold whatever happens is checked after
//! every turn, beside the desk: from what it told and from its records, not with its own indexes.

#![allow(
    clippy::print_stderr,
    reason = "a seed that fails is worth nothing when it is not told"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use desk::Desk;
use desk::change::{Change, OfferEnd, PauseReason, Presence, Snapshot, WorkRecord, WorkState};
use desk::decision::OfferId;
use desk::disposition::{Action, Disposed, Disposition, ReopenWhen};
use desk::id::{ServiceId, SkillId, UserId, WorkId};
use desk::output::{CallResult, DeskError, Output, Sender, Toward};
use desk::rules::{
    AgentRules, Callbacks, Overflow, OverflowThen, OverflowWhen, PauseRules, Preference, Relax,
    Routing, Rules, ServiceRules, Targets, Transfers, WrapUp,
};
use desk::work::{Medium, Preferred, Priority, SkillWanted, Work};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// Seeds a test runs: as many as issue 3 asks for, or the one of `RAMAL_WORLD_SEED` alone.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let times = std::env::var("RAMAL_WORLD_TIMES").ok();
    let times = times.and_then(|text| text.parse().ok()).unwrap_or(1);
    let first = std::env::var("RAMAL_WORLD_SEED").ok();
    match first.and_then(|text| text.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..usual * times,
    }
}

/// The one clock read of these tests: only differences count.
fn origin() -> Instant {
    Instant::now()
}

/// What happened in a world, to see that it is rich enough to mean something.
#[derive(Debug, Default, Clone, PartialEq)]
struct Summary {
    counts: BTreeMap<&'static str, u64>,
}

impl Summary {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

#[test]
fn whatever_happens_the_rules_of_the_house_hold() {
    let mut all = Summary::default();
    let start = origin();
    for seed in seeds(1_000) {
        let one = catch_unwind(AssertUnwindSafe(|| World::new(start, seed).run()));
        let one = one.unwrap_or_else(|panic| {
            eprintln!("seed {seed} breaks: RAMAL_WORLD_SEED={seed}");
            resume_unwind(panic)
        });
        for (what, count) in one.counts {
            *all.counts.entry(what).or_default() += count;
        }
    }
    eprintln!("{all:?}");
    if std::env::var_os("RAMAL_WORLD_SEED").is_none() {
        let expected = [
            "offered",
            "accepted",
            "refused",
            "lapsed",
            "unreachable",
            "work_gone",
            "taken_by_other",
            "agent_gone",
            "agent_busy",
            "restart",
            "answered",
            "abandoned",
            "closed",
            "moved on",
            "agent_left",
            "agent_leg_lost",
            "not_reached",
            "relaxed",
            "callback suggested",
            "call back",
            "callback resting",
            "transferred",
            "target missed",
            "wrap-up",
            "wrap-up overdue",
            "finished",
            "reopened",
            "pause overdue",
            "twin",
            "rules",
            "interrupts",
            "preferred",
            "handed over",
        ];
        for what in expected {
            let count = all.counts.get(what).copied().unwrap_or(0);
            assert!(count >= 20, "too few of {what:?}: {all:?}");
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_history() {
    let start = origin();
    for seed in seeds(20) {
        let run = || World::new(start, seed).run();
        assert_eq!(run(), run(), "seed {seed}");
    }
}

/// Turns in a world.
const TURNS: usize = 150;

/// When every world begins, in milliseconds since 1970 (UTC).
const START_MS: i64 = 1_790_000_000_000;

struct World {
    random: StdRng,
    start: Instant,
    at_ms: i64,
    rules: Rules,
    desk: Desk,
    /// A desk restored from what the first one told; from then on both do the same.
    twin: Option<Desk>,
    /// What a store would hold.
    stored: Snapshot,
    offers: BTreeMap<OfferId, (WorkId, UserId)>,
    ended: BTreeSet<OfferId>,
    /// The offers that the last turn made.
    fresh: BTreeSet<OfferId>,
    hands: BTreeMap<UserId, BTreeMap<WorkId, Medium>>,
    media: BTreeMap<WorkId, Medium>,
    made: u64,
    summary: Summary,
}

impl World {
    fn new(start: Instant, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let rules = any_rules(&mut random);
        rules.check().expect("rules that can work");
        Self {
            desk: Desk::new(start, START_MS, rules.clone()),
            random,
            start,
            at_ms: START_MS,
            rules,
            twin: None,
            stored: Snapshot::default(),
            offers: BTreeMap::new(),
            ended: BTreeSet::new(),
            fresh: BTreeSet::new(),
            hands: BTreeMap::new(),
            media: BTreeMap::new(),
            made: 0,
            summary: Summary::default(),
        }
    }

    fn run(mut self) -> Summary {
        let twin_at = self.random.random_range(0..TURNS);
        for turn in 0..TURNS {
            self.pass_time();
            if turn == twin_at {
                self.make_twin();
            }
            self.act();
        }
        self.close_the_house();
        self.summary
    }

    fn now(&self) -> Instant {
        let passed = u64::try_from(self.at_ms - START_MS).expect("time goes forward");
        self.start + Duration::from_millis(passed)
    }

    /// Lets time pass, with the desk woken when it asked to be, or late.
    fn pass_time(&mut self) {
        let until = self.at_ms + self.random.random_range(0..6_000);
        let late = self.random.random_ratio(1, 10);
        for _ in 0..1_000 {
            let Some(due) = self.desk.poll_timeout() else {
                break;
            };
            let passed = due.saturating_duration_since(self.start).as_millis();
            let due = START_MS + i64::try_from(passed).expect("a near deadline");
            if late || due > until {
                break;
            }
            self.at_ms = due.max(self.at_ms);
            self.both(Desk::handle_timeout);
        }
        self.at_ms = until;
        self.both(Desk::handle_timeout);
    }

    /// Does something with the desk and its twin, and looks at what came of it.
    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        mut command: impl FnMut(&mut Desk, Instant) -> T,
    ) -> T {
        let now = self.now();
        let result = command(&mut self.desk, now);
        let outputs: Vec<Output> = std::iter::from_fn(|| self.desk.poll_output()).collect();
        if let Some(twin) = &mut self.twin {
            assert_eq!(
                command(twin, now),
                result,
                "the restored desk answers alike"
            );
            let told = std::iter::from_fn(|| twin.poll_output()).map(without_seq);
            let mut expected = outputs.iter().cloned().map(without_seq);
            for told in told {
                assert_eq!(
                    Some(told),
                    expected.next(),
                    "the restored desk does the same"
                );
            }
            assert_eq!(expected.next(), None, "the restored desk does all of it");
            assert_eq!(twin.poll_timeout(), self.desk.poll_timeout());
        }
        self.fresh.clear();
        for output in outputs {
            self.take_in(output);
        }
        self.check();
        result
    }

    fn make_twin(&mut self) {
        let text = serde_json::to_string(&self.stored).expect("a snapshot is JSON");
        let snapshot = serde_json::from_str(&text).expect("and can be read");
        let mut twin = Desk::restore(self.now(), self.at_ms, self.rules.clone(), snapshot);
        let told: Vec<Output> = std::iter::from_fn(|| twin.poll_output()).collect();
        assert_eq!(told, [], "a restored desk has nothing to say");
        self.twin = Some(twin);
        self.summary.count("twin");
    }

    fn take_in(&mut self, output: Output) {
        match output {
            Output::Save(change) => self.save(change),
            Output::Offered {
                offer,
                work,
                agent,
                until_ms,
            } => {
                self.summary.count("offered");
                assert!(until_ms > self.at_ms, "an offer stands for a while");
                self.offered(offer, work, agent);
            }
            Output::OfferEnded {
                offer,
                work,
                agent,
                end,
            } => {
                self.summary.count(end.as_str());
                let open = self.offers.remove(&offer);
                assert_eq!(
                    open,
                    Some((work.clone(), agent.clone())),
                    "an open offer ends"
                );
                assert!(self.ended.insert(offer), "an offer ends once");
                if end == OfferEnd::Accepted {
                    self.given(&agent, &work);
                }
            }
            Output::Finished { work, agent, .. } => {
                self.summary.count("finished");
                self.taken(&agent, &work);
            }
            Output::Returned { work, agent, why } => {
                self.summary.count(why.as_str());
                self.taken(&agent, &work);
            }
            Output::Transferred { work, from, .. } => {
                self.hands.entry(from).or_default().remove(&work);
                self.summary.count("transferred");
            }
            Output::WaitEnded { end, .. } => self.summary.count(match end {
                desk::output::WaitEnd::Answered { .. } => "answered",
                desk::output::WaitEnd::Abandoned { .. } => "abandoned",
                desk::output::WaitEnd::Closed(_) => "closed",
                desk::output::WaitEnd::Moved { .. } => "moved on",
            }),
            Output::SkillsRelaxed { .. } => self.summary.count("relaxed"),
            Output::CallbackSuggested { .. } => self.summary.count("callback suggested"),
            Output::CallBack { work, agent, .. } => {
                let holder = self.hands.get(&agent).and_then(|hand| hand.get(&work));
                assert!(
                    holder.is_some(),
                    "the agent is reserved before the customer is called"
                );
                self.summary.count("call back");
            }
            Output::CallbackResting { .. } => self.summary.count("callback resting"),
            Output::TargetMissed { .. } => self.summary.count("target missed"),
            Output::WrapUpBegan { .. } => self.summary.count("wrap-up"),
            Output::WrapUpOverdue { .. } => self.summary.count("wrap-up overdue"),
            Output::Reopened { .. } => self.summary.count("reopened"),
            Output::PresenceChanged { .. } => {}
            Output::PauseOverdue { .. } => self.summary.count("pause overdue"),
        }
    }

    fn save(&mut self, change: Change) {
        if let Change::WorkSaved(record) = &change {
            // A call that comes back at a date with nobody to call is something to do.
            self.media
                .insert(record.work.id.clone(), record.work.medium);
        }
        if let Change::WorkRemoved(work) = &change {
            for hand in self.hands.values_mut() {
                hand.remove(work);
            }
        }
        if let Change::Decided(decision) = &change {
            let chosen = &decision.considered[0];
            if let desk::decision::Verdict::Chosen {
                preferred,
                interrupts,
                ..
            } = &chosen.verdict
            {
                if *preferred {
                    self.summary.count("preferred");
                }
                if !interrupts.is_empty() {
                    self.summary.count("interrupts");
                }
            }
        }
        self.stored.apply(change);
    }

    fn offered(&mut self, offer: OfferId, work: WorkId, agent: UserId) {
        assert!(
            !self.ended.contains(&offer),
            "an offer's number is used once"
        );
        let held_by = self.hands.values().find(|hand| hand.contains_key(&work));
        assert!(held_by.is_none(), "{work} is offered while somebody has it");
        let record = self.desk.work(&work);
        let alone = record.is_none_or(|record| {
            self.rules
                .services
                .get(&record.work.service)
                .is_some_and(|service| service.routing != Routing::RingAll)
        });
        let twice = self.offers.values().any(|(other, _)| *other == work);
        assert!(!(alone && twice), "{work} is offered to two at once");
        let medium = self.media[&work];
        let load = self.load_against(&agent, medium);
        let cost = self.rules.costs.of(medium);
        assert!(
            load + cost <= 100,
            "{agent} has {load} and is offered {cost} more"
        );
        self.fresh.insert(offer);
        let before = self.offers.insert(offer, (work, agent));
        assert_eq!(before, None);
    }

    /// What `agent` has in hand or is offered that `medium` may not interrupt.
    fn load_against(&self, agent: &UserId, medium: Medium) -> u32 {
        let hand = self.hands.get(agent).into_iter().flatten();
        let hand = hand.map(|(_, held)| *held);
        let ringing = self.offers.values().filter(|(_, other)| other == agent);
        let ringing = ringing.map(|(work, _)| self.media[work]);
        let stays = |held: &Medium| {
            let may = self.rules.interrupts.get(&medium);
            !may.is_some_and(|may| may.contains(held))
        };
        let all = hand.chain(ringing).filter(stays);
        all.map(|held| self.rules.costs.of(held)).sum()
    }

    fn given(&mut self, agent: &UserId, work: &WorkId) {
        let other = self.hands.values().find(|hand| hand.contains_key(work));
        assert!(other.is_none(), "two agents got {work}");
        let medium = self.media[work];
        self.hands
            .entry(agent.clone())
            .or_default()
            .insert(work.clone(), medium);
    }

    fn taken(&mut self, agent: &UserId, work: &WorkId) {
        let hand = self.hands.entry(agent.clone()).or_default();
        let had = hand.remove(work);
        // A work that is over as well was taken off when its removal was saved.
        assert!(had.is_some() || self.desk.work(work).is_none());
    }

    /// What must hold between any two turns.
    fn check(&self) {
        let told = self.known(self.stored.clone());
        let held = self.known(self.desk.snapshot());
        // One by one, so that a failure can be read.
        for (told, held) in told.works.iter().zip(&held.works) {
            assert_eq!(told, held, "each work is saved as it is");
        }
        assert_eq!(told.works.len(), held.works.len());
        assert_eq!(told.agents, held.agents, "each agent is saved as they are");
        assert_eq!(told, held, "what was told to be saved is all there is");
        let agents: BTreeMap<&UserId, &desk::change::AgentRecord> =
            held.agents.iter().map(|agent| (&agent.id, agent)).collect();
        let here = |agent: &UserId| {
            let record = agents.get(agent);
            record.is_some_and(|record| record.presence != Presence::Offline)
        };
        let takes_work = |agent: &UserId| {
            let record = agents.get(agent);
            record.is_some_and(|record| {
                record.presence == Presence::Available && record.lost_until_ms.is_none()
            })
        };
        let mut hands: BTreeMap<UserId, BTreeMap<WorkId, Medium>> = BTreeMap::new();
        let mut open = 0;
        for record in &held.works {
            let work = &record.work;
            if let Some(holder) = record.state.holder() {
                assert!(here(holder), "{} is with {holder}, who left", work.id);
                let hand = hands.entry(holder.clone()).or_default();
                hand.insert(work.id.clone(), work.medium);
            }
            if let WorkState::Offered(offers) = &record.state {
                assert!(!offers.is_empty());
                for offer in offers {
                    assert!(takes_work(&offer.agent), "{} rings nobody", work.id);
                    assert_eq!(
                        self.offers[&offer.id],
                        (work.id.clone(), offer.agent.clone())
                    );
                    open += 1;
                }
            }
            if record.state == WorkState::Waiting {
                for agent in self.rules.agents.keys().filter(|agent| takes_work(agent)) {
                    assert!(
                        !self.fits(record, agent),
                        "{} waits while {agent} is free: {record:?}",
                        work.id
                    );
                }
            }
        }
        assert_eq!(open, self.offers.len(), "no offer is forgotten");
        let mut known = self.hands.clone();
        known.retain(|_, hand| !hand.is_empty());
        assert_eq!(known, hands, "who has what");
        self.check_order(&held);
    }

    /// A snapshot without what does not exist by the rules.
    fn known(&self, mut snapshot: Snapshot) -> Snapshot {
        let Rules {
            agents, services, ..
        } = &self.rules;
        snapshot
            .agents
            .retain(|agent| agents.contains_key(&agent.id));
        snapshot
            .services
            .retain(|service| services.contains_key(&service.id));
        snapshot
    }

    /// Whether `agent`, who takes work, could be given a waiting work.
    fn fits(&self, record: &WorkRecord, agent: &UserId) -> bool {
        self.may_have(record, agent)
            && self.load_against(agent, record.work.medium)
                + self.rules.costs.of(record.work.medium)
                <= 100
    }

    /// Whether `agent` could be given a waiting work, had they room.
    fn may_have(&self, record: &WorkRecord, agent: &UserId) -> bool {
        let work = &record.work;
        if record.rests.iter().any(|rest| rest.agent == *agent) {
            return false;
        }
        if record.wait.preferred_until_ms.is_some() {
            let preferred = work.preferred.as_ref().expect("it waits for somebody");
            return preferred.agent == *agent;
        }
        let rules = &self.rules.agents[agent];
        let service = &self.rules.services[&work.service];
        let waited = self.at_ms - record.wait.entered_ms;
        let lower: u32 = service
            .relax
            .iter()
            .take_while(|step| step.after_ms <= waited)
            .map(|step| u32::from(step.by))
            .sum();
        rules.services.contains(&work.service)
            && work.skills.iter().all(|wanted| {
                let has = u32::from(rules.skills.get(&wanted.skill).copied().unwrap_or(0));
                let needed = u32::from(wanted.level);
                match (wanted.fixed, record.wait.skills_dropped) {
                    (true, _) => has >= needed,
                    (false, true) => true,
                    (false, false) => has + lower >= needed,
                }
            })
    }

    /// Nobody is offered what came later while what came first in the same service, and needs the
    /// same, waits: called back or not.
    fn check_order(&self, held: &Snapshot) {
        let mut offered = held.works.iter().filter_map(|record| match &record.state {
            WorkState::Offered(offers) if record.wait.preferred_until_ms.is_none() => {
                Some((record, &offers[0]))
            }
            WorkState::Offered(_)
            | WorkState::Waiting
            | WorkState::Resting { .. }
            | WorkState::CallingBack { .. }
            | WorkState::Handling { .. }
            | WorkState::WrapUp { .. }
            | WorkState::Scheduled { .. } => None,
        });
        let place = |record: &WorkRecord| {
            let priority = record.work.priority;
            let points = i64::from(self.rules.services[&record.work.service].priority)
                + i64::from(priority.contact)
                + i64::from(priority.number);
            (
                record.work.arrived_ms - points * self.rules.point_ms,
                record.seq,
            )
        };
        let overtaken = offered.find_map(|(record, offer)| {
            if !self.fresh.contains(&offer.id) {
                return None;
            }
            let mut waiting = held.works.iter().filter(|other| {
                // What overflowed into this line in this turn may have come after the offer.
                let just_moved = other.wait.hops > 0 && other.wait.entered_ms == self.at_ms;
                other.state == WorkState::Waiting
                    && !just_moved
                    && other.work.service == record.work.service
                    && other.work.medium == record.work.medium
            });
            let first = waiting
                .find(|other| place(other) < place(record) && self.may_have(other, &offer.agent));
            first.map(|other| (record, other))
        });
        if let Some((record, other)) = overtaken {
            panic!("{record:?} was offered before {other:?}");
        }
    }

    fn act(&mut self) {
        match self.random.random_range(0..100) {
            0..17 => self.enqueue(),
            17..32 => self.someone_comes_or_goes(),
            32..58 => self.answer_an_offer(),
            58..67 => self.end_something(),
            67..80 => self.hand_something_on(),
            80..88 => self.call_back(),
            88..93 => self.write(),
            93..97 => self.act_alone(),
            97..99 => self.change_rules(),
            _ => {
                self.summary.count("restarts");
                self.both(Desk::handle_restart);
                self.both(Desk::handle_new_day);
            }
        }
    }

    fn enqueue(&mut self) {
        let work = self.any_work();
        let _ = self.both(|desk, now| desk.enqueue(now, work.clone()));
    }

    fn any_work(&mut self) -> Work {
        self.made += 1;
        let medium = *Medium::ALL.choose(&mut self.random).expect("media");
        let id: WorkId = id(format!("w{:05}", self.made));
        self.media.insert(id.clone(), medium);
        let skills = any_skills(&mut self.random, 3);
        let priority = Priority {
            contact: *[0, 0, 0, 2, -1].choose(&mut self.random).expect("one"),
            number: *[0, 0, 1].choose(&mut self.random).expect("one"),
        };
        let preferred = self.random.random_ratio(1, 5).then(|| Preferred {
            agent: self.any_agent(),
            wait_ms: self.random.random_range(0..60_000),
            even_away: self.random.random_ratio(1, 3),
        });
        Work {
            interaction: id_of("i", self.made),
            contact: None,
            medium,
            service: self.any_service(),
            arrived_ms: self.at_ms - self.random.random_range(0..30_000),
            priority,
            skills,
            number: (!self.made.is_multiple_of(3)).then(|| "+5511999990000".to_owned()),
            preferred,
            id,
        }
    }

    fn any_agent(&mut self) -> UserId {
        let agents: Vec<&UserId> = self.rules.agents.keys().collect();
        (*agents.choose(&mut self.random).expect("agents")).clone()
    }

    fn any_service(&mut self) -> ServiceId {
        let services: Vec<&ServiceId> = self.rules.services.keys().collect();
        (*services.choose(&mut self.random).expect("services")).clone()
    }

    fn someone_comes_or_goes(&mut self) {
        let agent = self.any_agent();
        let pause = ["almoco", "treino"].choose(&mut self.random).expect("one");
        let _ = match self.random.random_range(0..15) {
            0..5 => self.both(|desk, now| desk.log_in(now, &agent)),
            5 => self.both(|desk, now| desk.log_off(now, &agent)),
            6 => {
                let reason = PauseReason::Chosen(id((*pause).to_owned()));
                self.both(|desk, now| desk.pause(now, &agent, reason.clone()))
            }
            7..10 => self.both(|desk, now| desk.resume(now, &agent)),
            10 => self.both(|desk, now| desk.handle_connection_lost(now, &agent)),
            11 => self.both(|desk, now| desk.log_off_when_done(now, &agent)),
            _ => self.both(|desk, now| desk.handle_connected(now, &agent)),
        };
    }

    fn answer_an_offer(&mut self) {
        let offers: Vec<OfferId> = self.offers.keys().copied().collect();
        let Some(offer) = offers.choose(&mut self.random).copied() else {
            return;
        };
        let result = match self.random.random_range(0..10) {
            0..7 => self.both(|desk, now| desk.accept(now, offer)),
            7..9 => self.both(|desk, now| desk.refuse(now, offer)),
            _ => self.both(|desk, now| desk.handle_unreachable(now, offer)),
        };
        assert_eq!(result, Ok(()), "an open offer can be answered");
        let again = self.both(|desk, now| desk.accept(now, offer));
        assert_eq!(again, Err(DeskError::OfferOver), "but once");
    }

    fn any_of(&mut self, which: impl Fn(&WorkRecord) -> bool) -> Option<WorkRecord> {
        let works = self.stored.works.iter().filter(|record| which(record));
        let works: Vec<&WorkRecord> = works.collect();
        works
            .choose(&mut self.random)
            .map(|record| (*record).clone())
    }

    fn end_something(&mut self) {
        let wraps = |record: &WorkRecord| matches!(record.state, WorkState::WrapUp { .. });
        let handled = |record: &WorkRecord| matches!(record.state, WorkState::Handling { .. });
        let closing = self.random.random_ratio(1, 2);
        let found = if closing {
            self.any_of(|record| wraps(record) || handled(record))
        } else {
            self.any_of(|_| true)
        };
        let Some(record) = found else { return };
        let work = record.work.id;
        let Some(agent) = record.state.holder().filter(|_| closing).cloned() else {
            let _ = self.both(|desk, now| desk.handle_over(now, &work));
            return;
        };
        let code = ["feito", "retornar", "venda", "nada"];
        let code = code.choose(&mut self.random).expect("one");
        let disposed = Disposed {
            id: id((*code).to_owned()),
            fields: BTreeMap::new(),
            reopen_ms: Some(self.at_ms + self.random.random_range(0..60_000)),
            note: String::new(),
        };
        let _ = match self.random.random_range(0..4) {
            0 => self.both(|desk, now| desk.end_wrap_up(now, &work, &agent)),
            1 => self.both(|desk, now| desk.handle_over(now, &work)),
            _ => self.both(|desk, now| desk.dispose(now, &work, &agent, disposed.clone())),
        };
    }

    fn hand_something_on(&mut self) {
        let handled = |record: &WorkRecord| matches!(record.state, WorkState::Handling { .. });
        let asked = |record: &WorkRecord| handled(record) && record.about.is_some();
        let consulted = self.any_of(asked);
        if let Some(consult) = consulted.filter(|_| self.random.random_ratio(1, 2)) {
            self.hand_over(&consult);
            return;
        }
        let Some(record) = self.any_of(handled) else {
            return;
        };
        let work = record.work.id.clone();
        let by = record.state.holder().expect("it is handled").clone();
        let toward = if self.random.random_ratio(1, 2) {
            Toward::Service(self.any_service())
        } else {
            Toward::Agent {
                agent: self.any_agent(),
                wait_ms: self.random.random_range(0..60_000),
            }
        };
        match self.random.random_range(0..5) {
            0 => {
                let _ = self.both(|desk, now| desk.handle_agent_leg_lost(now, &work));
            }
            1 | 2 => {
                let skills = any_skills(&mut self.random, 1);
                let _ = self.both(|desk, now| {
                    desk.transfer(now, &work, &by, toward.clone(), skills.clone())
                });
            }
            _ => {
                self.made += 1;
                let consult: WorkId = id(format!("c{:05}", self.made));
                self.media.insert(consult.clone(), record.work.medium);
                let _ = self.both(|desk, now| {
                    desk.consult(now, &work, &by, consult.clone(), toward.clone())
                });
            }
        }
    }

    fn hand_over(&mut self, consult: &WorkRecord) {
        let about = consult.about.clone().expect("a consultation");
        let Some(holder) = self.desk.work(&about).and_then(|work| work.state.holder()) else {
            return;
        };
        let holder = holder.clone();
        let taker = consult.state.holder().expect("it is handled").clone();
        let handled = self.desk.work(&about).is_some_and(|record| {
            matches!(record.state, WorkState::Handling { .. }) && holder != taker
        });
        if handled {
            // Outputs are looked at when the work is with the other already.
            let medium = self.media[&about];
            self.hands.entry(holder.clone()).or_default().remove(&about);
            let hand = self.hands.entry(taker).or_default();
            hand.insert(about.clone(), medium);
            self.summary.count("handed over");
        }
        let result = self.both(|desk, now| {
            let result = desk.hand_over(now, &consult.work.id, &holder);
            assert_eq!(result.is_ok(), handled);
            result
        });
        assert_eq!(result.is_ok(), handled);
    }

    fn call_back(&mut self) {
        let calling = |record: &WorkRecord| matches!(record.state, WorkState::CallingBack { .. });
        let waits = |record: &WorkRecord| record.state == WorkState::Waiting;
        if let Some(record) = self.any_of(calling) {
            let results = [CallResult::Answered, CallResult::NotReached];
            let result = *results.choose(&mut self.random).expect("one");
            let work = record.work.id;
            let done = self.both(|desk, now| desk.handle_called_back(now, &work, result));
            assert_eq!(done, Ok(()));
        } else if let Some(record) = self.any_of(waits) {
            let (work, number) = (record.work.id, "551100000000".to_owned());
            let asked = self.both(|desk, now| desk.ask_callback(now, &work, number.clone()));
            assert_eq!(asked, Ok(()));
        }
    }

    fn write(&mut self) {
        if let Some(record) = self.any_of(|record| record.work.medium == Medium::Chat) {
            let from = *Sender::ALL.choose(&mut self.random).expect("one");
            let work = record.work.id;
            let _ = self.both(|desk, now| desk.handle_message(now, &work, from));
        }
    }

    /// An agent begins or takes something by themselves.
    fn act_alone(&mut self) {
        let agent = self.any_agent();
        if self.random.random_ratio(1, 4)
            && let Some(record) = self.any_of(|_| true)
        {
            let priority = Priority {
                contact: self.random.random_range(-1..3),
                number: 0,
            };
            let done = self.both(|desk, now| desk.set_priority(now, &record.work.id, priority));
            assert_eq!(done, Ok(()), "what is here can be made more urgent");
            self.summary.count("more urgent");
            return;
        }
        if self.random.random_ratio(1, 2) {
            let mut work = self.any_work();
            work.preferred = None;
            let id = work.id.clone();
            let there = self.desk.status(&agent).expect("an agent").presence != Presence::Offline;
            if there {
                self.given(&agent, &id);
            }
            let begun = self.both(|desk, now| desk.begin(now, work.clone(), &agent));
            assert_eq!(begun.is_ok(), there);
        } else if let Some(record) = self.any_of(|record| record.state.holder().is_none()) {
            let work = record.work.id;
            // Whether it is taken is known after the command, what it brings about is told with it.
            let mut trial = Desk::restore(
                self.now(),
                self.at_ms,
                self.rules.clone(),
                self.stored.clone(),
            );
            if trial.take(self.now(), &work, &agent).is_ok() {
                self.given(&agent, &work);
            }
            let _ = self.both(|desk, now| desk.take(now, &work, &agent));
        }
    }

    fn change_rules(&mut self) {
        let other = any_rules(&mut self.random);
        let changed = self.random.random_ratio(1, 2);
        if changed {
            self.rules.agents = other.agents;
        } else {
            self.rules
                .services
                .retain(|_, _| self.random.random_ratio(5, 6));
            for (id, service) in other.services {
                self.rules.services.entry(id).or_insert(service);
            }
        }
        self.summary.count("rules");
        let rules = self.rules.clone();
        self.both(|desk, now| desk.set_rules(now, rules.clone()));
        // A store deletes with an agent or a service what it knew of them.
        let Rules {
            agents, services, ..
        } = &self.rules;
        self.stored
            .agents
            .retain(|agent| agents.contains_key(&agent.id));
        self.stored
            .services
            .retain(|service| services.contains_key(&service.id));
    }

    /// Everyone goes home; then nothing is left of anything.
    fn close_the_house(&mut self) {
        for agent in self.rules.agents.keys().cloned().collect::<Vec<_>>() {
            let _ = self.both(|desk, now| desk.log_off(now, &agent));
        }
        assert_eq!(self.offers, BTreeMap::new(), "every offer has ended");
        let works: Vec<WorkId> = self
            .stored
            .works
            .iter()
            .map(|work| work.work.id.clone())
            .collect();
        for work in works {
            let _ = self.both(|desk, now| desk.handle_over(now, &work));
        }
        assert_eq!(self.stored.works, [], "nothing stays when all is over");
        assert_eq!(self.desk.poll_timeout(), None, "and nothing is due");
    }
}

fn id<T: std::str::FromStr>(text: String) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("an id")
}

fn id_of<T: std::str::FromStr>(kind: &str, number: u64) -> T
where
    T::Err: std::fmt::Debug,
{
    id(format!("{kind}{number}"))
}

/// The same, but for the count of works, which a restored desk begins where it can.
fn without_seq(output: Output) -> Output {
    if let Output::Save(Change::WorkSaved(mut record)) = output {
        record.seq = 0;
        return Output::Save(Change::WorkSaved(record));
    }
    output
}

fn any_skills(random: &mut StdRng, one_in: u32) -> Vec<SkillWanted> {
    let mut skills = vec![];
    for skill in ["fatura", "ingles"] {
        if random.random_ratio(1, one_in + 1) {
            skills.push(SkillWanted {
                skill: id::<SkillId>(skill.to_owned()),
                level: random.random_range(1..5),
                fixed: random.random_ratio(1, 4),
            });
        }
    }
    skills
}

fn any_rules(random: &mut StdRng) -> Rules {
    let mut rules = Rules {
        lapses_before_pause: random.random_range(1..3),
        grace_ms: random.random_range(0..20_000),
        restart_grace_ms: random.random_range(0..20_000),
        refusal_rest_ms: random.random_range(1_000..40_000),
        ..Rules::default()
    };
    for (pause, limit_ms) in [("almoco", Some(20_000)), ("treino", None)] {
        rules
            .pauses
            .insert(id(pause.to_owned()), PauseRules { limit_ms });
    }
    let services: Vec<ServiceId> = (0..4).map(|number| id_of("s", number)).collect();
    for service in &services {
        let rule = any_service_rules(random, &services);
        rules.services.insert(service.clone(), rule);
    }
    for number in 0..random.random_range(1..7) {
        let served = services
            .iter()
            .filter(|_| random.random_ratio(1, 2))
            .cloned()
            .collect();
        let mut agent = AgentRules {
            services: served,
            ..AgentRules::default()
        };
        for skill in ["fatura", "ingles"] {
            if random.random_ratio(2, 3) {
                agent
                    .skills
                    .insert(id(skill.to_owned()), random.random_range(1..5));
            }
        }
        rules.agents.insert(id_of("a", number), agent);
    }
    rules
}

fn any_service_rules(random: &mut StdRng, services: &[ServiceId]) -> ServiceRules {
    let mut overflow = vec![];
    for _ in 0..random.random_range(0..4) {
        let when = if random.random_ratio(1, 3) {
            OverflowWhen::Length(random.random_range(1..6))
        } else {
            OverflowWhen::WaitedMs(random.random_range(0..90_000))
        };
        let then = match random.random_range(0..5) {
            0 => OverflowThen::RelaxSkills,
            1 | 2 => OverflowThen::Service(services.choose(random).expect("one").clone()),
            3 => OverflowThen::OfferCallback,
            _ => OverflowThen::Close,
        };
        overflow.push(Overflow { when, then });
    }
    let mut relax = vec![];
    for step in 1..=random.random_range(0..3) {
        relax.push(Relax {
            after_ms: step * 15_000,
            by: 1,
        });
    }
    let seconds = |random: &mut StdRng| {
        random
            .random_ratio(1, 2)
            .then(|| random.random_range(1_000..30_000))
    };
    ServiceRules {
        preference: Preference::default(),
        routing: *Routing::ALL.choose(random).expect("routings"),
        priority: random.random_range(-1..2),
        weight: random.random_range(1..4),
        ring_ms: random.random_range(3_000..20_000),
        line_max: random.random_range(5..30),
        relax,
        overflow,
        targets: Targets {
            answer_ms: seconds(random),
            abandon_ms: seconds(random),
            message_ms: seconds(random),
        },
        wrap_up: WrapUp {
            limit_ms: random.random_range(0..2) * 15_000,
            mandatory: random.random_ratio(1, 3),
            dispositions: dispositions(),
        },
        callback: Callbacks {
            attempts: random.random_range(1..4),
            retry_ms: random.random_range(0..30_000),
        },
        transfers: Transfers {
            agents: random.random_ratio(4, 5),
            services: None,
        },
        reopen_wait_ms: random.random_range(0..30_000),
    }
}

fn dispositions() -> Vec<Disposition> {
    let leaf = |code: &str, actions| Disposition {
        id: id(code.to_owned()),
        name: code.to_owned(),
        children: vec![],
        fields: vec![],
        actions,
    };
    vec![
        Disposition {
            children: vec![leaf("feito", vec![Action::Survey("nps".to_owned())])],
            ..leaf("venda", vec![])
        },
        leaf("retornar", vec![Action::Reopen(ReopenWhen::Asked)]),
    ]
}

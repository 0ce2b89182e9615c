//! The queue model: who waits, who is there, and who gets what.
//!
//! ```text
//!                       refuse · lapse · agent gone (the place is kept)
//!                     ┌──────────────────────────────┐
//!  enqueue ──▶ Waiting ──Offered──▶ offered ──accept──┴▶ Handling ──over──▶ WrapUp ──dispose──▶ (gone)
//!                │  ▲                  │                  │  ▲                │
//!         closed │  │ at its place     │ callback         │  │ answered       │ reopen at a date
//!                ▼  └──── Resting ◀────┴─▶ CallingBack ───┼──┘                ▼
//!             (gone)   not reached                        │               Scheduled ──▶ Waiting
//!                              transfer · agent left ─────┴──▶ Waiting
//! ```
//!
//! What must always hold, whatever happens (`tests/tests/desk_world.rs` runs it over many seeds):
//! a work is in the hands of one agent at most; no work is with an agent who is gone; no work
//! waits while an agent who fits is free; each offer ends once; who came first is served first
//! among equals, called back or not; offers never fill an agent beyond capacity and interrupts; a
//! restored desk goes on as the old one would have.
//!
//! Every command is one turn: what is due by then happens first, then the command, then free
//! agents and waiting work are matched. A turn's [`Output::Save`]s stand before its other outputs.

mod agent;
mod arrival;
mod callback;
mod handing;
mod handling;
mod line;
mod load;
mod matching;
mod offers;
mod overflow;
mod presence;
#[cfg(test)]
mod tests;
mod timers;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::change::{Change, Snapshot, WorkRecord, WorkState};
use crate::decision::OfferId;
use crate::id::{ServiceId, UserId, WorkId};
use crate::output::{DeskError, Output};
use crate::rules::Rules;

use agent::{Agent, AgentIndex, Capacity};
use line::{MEDIA, Needs, Place, Service, ServiceIndex};
use timers::Owner;
pub use view::ServiceStatus;

/// The queue of one company.
#[derive(Debug)]
pub struct Desk {
    clock: Clock,
    rules: Rules,
    capacity: Capacity,
    services: Vec<Service>,
    agents: Vec<Agent>,
    works: BTreeMap<u64, Job>,
    service_index: HashMap<ServiceId, ServiceIndex>,
    agent_index: HashMap<UserId, AgentIndex>,
    work_index: HashMap<WorkId, u64>,
    offer_index: HashMap<OfferId, u64>,
    /// The last consultation about a work.
    consults: HashMap<WorkId, u64>,
    /// For each medium, who is there and has room for it.
    free: [BTreeSet<AgentIndex>; MEDIA],
    timers: BTreeSet<(i64, Owner)>,
    seq_next: u64,
    offer_next: u64,
    turn: Turn,
    outputs: VecDeque<Output>,
}

/// A work as the desk keeps it: its record, and where it stands in the indexes.
#[derive(Debug)]
struct Job {
    record: WorkRecord,
    service: ServiceIndex,
    place: Place,
    standing: Standing,
    due: Option<i64>,
}

/// Where a work stands in the indexes.
#[derive(Debug)]
enum Standing {
    /// In no line.
    Out,
    /// Anyone who has what it needs may have it.
    Ready(Needs),
    /// One agent alone may have it.
    Held(AgentIndex),
    /// It is being offered.
    Offered(Needs),
}

/// What this turn has changed, and what is to be looked at before it ends.
#[derive(Debug, Default)]
struct Turn {
    works: BTreeSet<u64>,
    agents: BTreeSet<AgentIndex>,
    services: BTreeSet<ServiceIndex>,
    removed: Vec<WorkId>,
    decided: Vec<Change>,
    events: Vec<Output>,
    works_to_match: BTreeSet<Place>,
    agents_to_match: BTreeSet<AgentIndex>,
    /// Works that have just entered a line, whose length may be too much.
    arrivals: BTreeSet<u64>,
}

/// Turns instants into milliseconds since 1970 (UTC) and back, from one moment at which both were
/// told. So a span is never wrong because somebody set the clock.
#[derive(Debug)]
struct Clock {
    instant: Instant,
    at_ms: i64,
    latest_ms: i64,
}

impl Clock {
    /// The time at `now`; it never goes back.
    fn advance(&mut self, now: Instant) -> i64 {
        self.latest_ms = self.latest_ms.max(self.at(now));
        self.latest_ms
    }

    fn at(&self, now: Instant) -> i64 {
        let passed = now.saturating_duration_since(self.instant).as_millis();
        self.at_ms
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// When it will be `at_ms`; the past is the moment of the beginning.
    fn instant(&self, at_ms: i64) -> Instant {
        let ahead = u64::try_from(at_ms.saturating_sub(self.at_ms)).unwrap_or(0);
        let ahead = Duration::from_millis(ahead).min(AHEAD_MAX);
        self.instant + ahead
    }
}

/// How far ahead a deadline is told: a date in the year 9999 must not overflow an instant, and
/// being woken early is harmless.
const AHEAD_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Desk {
    /// A desk without work, at `now`, which is `at_ms` milliseconds since 1970 (UTC).
    pub fn new(now: Instant, at_ms: i64, rules: Rules) -> Self {
        Self::restore(now, at_ms, rules, Snapshot::default())
    }

    /// A desk that goes on where the one that saved `snapshot` stopped. What became due in between
    /// happens at once. After the program was started again, [`Desk::handle_restart`] is next.
    pub fn restore(now: Instant, at_ms: i64, rules: Rules, snapshot: Snapshot) -> Self {
        let mut desk = Self {
            clock: Clock {
                instant: now,
                at_ms,
                latest_ms: at_ms,
            },
            capacity: Capacity::new(&rules),
            rules: Rules::default(),
            services: vec![],
            agents: vec![],
            works: BTreeMap::new(),
            service_index: HashMap::new(),
            agent_index: HashMap::new(),
            work_index: HashMap::new(),
            offer_index: HashMap::new(),
            consults: HashMap::new(),
            free: Default::default(),
            timers: BTreeSet::new(),
            seq_next: 0,
            offer_next: 1,
            turn: Turn::default(),
            outputs: VecDeque::new(),
        };
        desk.load(at_ms, rules, snapshot);
        desk.settle(at_ms);
        desk
    }

    /// Does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.turn(now, |_, _| ());
    }

    /// When [`Desk::handle_timeout`] is next due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| self.clock.instant(*due))
    }

    /// The next thing to tell, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// One turn: what is due, then `command`, then matching; then all is told.
    fn turn<T>(&mut self, now: Instant, command: impl FnOnce(&mut Self, i64) -> T) -> T {
        let at = self.clock.advance(now);
        self.run_timers(at);
        let result = command(self, at);
        self.settle(at);
        result
    }

    /// Matches until nothing more fits. Agents come first, because the best work for one who has
    /// become free may be older than what has just come.
    fn settle(&mut self, at: i64) {
        loop {
            self.run_timers(at);
            if let Some(agent) = self.turn.agents_to_match.pop_first() {
                while self.match_agent(at, agent) {}
            } else if let Some(place) = self.turn.works_to_match.pop_first() {
                self.match_place(at, place);
            } else if let Some(seq) = self.turn.arrivals.pop_first() {
                self.overflow_by_length(at, seq);
            } else if !self.let_leave(at) {
                break;
            }
        }
        self.tell();
    }

    /// Moves the turn's saves, then its events, to the outputs.
    fn tell(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        for index in turn.agents {
            let record = Box::new(self.agents[index.0].record.clone());
            self.outputs
                .push_back(Output::Save(Change::AgentSaved(record)));
        }
        for index in turn.services {
            let record = self.services[index.0].record();
            self.outputs
                .push_back(Output::Save(Change::ServiceSaved(record)));
        }
        for seq in turn.works {
            if let Some(job) = self.works.get(&seq) {
                let record = Box::new(job.record.clone());
                self.outputs
                    .push_back(Output::Save(Change::WorkSaved(record)));
            }
        }
        let removed = turn.removed.into_iter().map(Change::WorkRemoved);
        let saves = turn.decided.into_iter().chain(removed).map(Output::Save);
        self.outputs.extend(saves);
        self.outputs.extend(turn.events);
    }

    fn event(&mut self, event: Output) {
        self.turn.events.push(event);
    }

    fn agent(&self, id: &UserId) -> Result<AgentIndex, DeskError> {
        self.agent_index
            .get(id)
            .copied()
            .ok_or(DeskError::NoSuchAgent)
    }

    fn service(&self, id: &ServiceId) -> Result<ServiceIndex, DeskError> {
        self.service_index
            .get(id)
            .copied()
            .ok_or(DeskError::NoSuchService)
    }

    fn seq(&self, id: &WorkId) -> Result<u64, DeskError> {
        self.work_index
            .get(id)
            .copied()
            .ok_or(DeskError::NoSuchWork)
    }

    /// The work of a number that an index holds.
    ///
    /// # Panics
    ///
    /// If there is none: the indexes and the works are changed together, in [`Desk::remove`].
    fn job(&self, seq: u64) -> &Job {
        self.works
            .get(&seq)
            .expect("an index names a work that is there")
    }

    /// Like [`Desk::job`], to change it. [`Desk::touch_work`] follows.
    fn job_mut(&mut self, seq: u64) -> &mut Job {
        self.works
            .get_mut(&seq)
            .expect("an index names a work that is there")
    }

    /// Forgets a work that stands in no line and in nobody's hands.
    fn remove(&mut self, seq: u64) {
        let Some(job) = self.works.remove(&seq) else {
            return;
        };
        if let Some(due) = job.due {
            self.timers.remove(&(due, Owner::Work(seq)));
        }
        self.work_index.remove(&job.record.work.id);
        if let Some(about) = &job.record.about
            && self.consults.get(about) == Some(&seq)
        {
            self.consults.remove(about);
        }
        self.turn.works.remove(&seq);
        self.turn.arrivals.remove(&seq);
        self.turn.works_to_match.remove(&job.place);
        self.turn.removed.push(job.record.work.id);
    }

    /// Puts a change of a work in order: it is saved, and its next deadline is known.
    fn touch_work(&mut self, seq: u64) {
        self.turn.works.insert(seq);
        self.reschedule_work(seq);
    }

    fn reschedule_work(&mut self, seq: u64) {
        let due = self.work_next(self.job(seq));
        let job = self.job_mut(seq);
        let before = std::mem::replace(&mut job.due, due);
        self.reset_timer(Owner::Work(seq), before, due);
    }

    /// Puts a change of an agent in order: it is saved, their room and next deadline are known.
    fn touch_agent(&mut self, index: AgentIndex) {
        self.turn.agents.insert(index);
        self.index_agent(index);
    }

    fn index_agent(&mut self, index: AgentIndex) {
        let agent = &self.agents[index.0];
        let takes_work = agent.takes_work();
        for medium in crate::work::Medium::ALL {
            let free = takes_work && agent.has_room(*medium, &self.capacity);
            let set = &mut self.free[*medium as usize];
            if free {
                set.insert(index);
            } else {
                set.remove(&index);
            }
        }
        let due = self.agent_next(&self.agents[index.0]);
        let before = std::mem::replace(&mut self.agents[index.0].due, due);
        self.reset_timer(Owner::Agent(index), before, due);
    }
}

impl Job {
    /// Who has it in hand, or that nobody has.
    fn not_now(&self, command: &'static str) -> DeskError {
        DeskError::NotNow {
            command,
            state: self.record.state.name(),
        }
    }

    fn is_waiting(&self) -> bool {
        self.record.state == WorkState::Waiting
    }
}

//! What is told to those who watch: each change of an agent, a line, a call, as it happens.
//!
//! ```text
//!  desk tells, call changes ─▶ marked ─▶ at the end of the turn: how each looks now ─▶ Output::Live
//! ```
//!
//! What is told of an agent, a caller who waits or a call is always how it is now, whole: who missed
//! nothing and who got one thing twice know the same. Each company counts what it is told, so that
//! who was away can say what they heard last; [`Voice::live`] is everything at one count.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use desk::Desk;
use desk::change::{Change, WorkState};
use desk::decision::OfferId;
use desk::id::{CompanyId, InteractionId, ServiceId, UserId, WorkId};
use desk::output::{Output as Told, WaitEnd};
use ivr::Now;
use jiff::civil::Date;

use super::control::CallSeen;
use super::output::Output;
use super::people::{AgentSeen, WaitingSeen};
use super::{CallKey, Shared, Voice};

/// Something that those who watch a company are told.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveEvent {
    /// An agent is so now.
    Agent(Box<AgentSeen>),
    /// A service is so now; told at most once a second.
    Queue(QueueSeen),
    /// A customer waits so now, in the line of this service.
    Waiting {
        /// Of which service.
        service: ServiceId,
        /// Who, and how.
        seen: WaitingSeen,
    },
    /// A call is so now.
    Call {
        /// How.
        seen: Box<CallSeen>,
        /// Whose it is or was until now.
        users: BTreeSet<UserId>,
    },
    /// A call is over.
    CallEnded {
        /// Which.
        interaction: InteractionId,
        /// Whose it was.
        users: BTreeSet<UserId>,
    },
    /// There is another message in a written interaction.
    Message {
        /// Which.
        interaction: InteractionId,
        /// The number of the message.
        seq: u32,
        /// Who has it on their screens.
        users: BTreeSet<UserId>,
    },
    /// A colleague noted something about an interaction.
    Noted {
        /// Which.
        interaction: InteractionId,
        /// Who is to see it at once.
        mentions: Vec<UserId>,
        /// Who has it on their screens, and those.
        users: BTreeSet<UserId>,
    },
    /// The customer of a written interaction types, or stopped.
    Typing {
        /// In which.
        interaction: InteractionId,
        /// Whether they do. Believed for as long as people type between two pauses.
        on: bool,
        /// Who has it in hand.
        users: BTreeSet<UserId>,
    },
    /// Somebody else reads a written interaction, writes in it, or has left it.
    Beside {
        /// Which.
        interaction: InteractionId,
        /// Who.
        by: UserId,
        /// What they are called.
        name: String,
        /// `reading`, `typing` or `gone`. Believed for as long as people type between two pauses.
        doing: &'static str,
        /// Who has it in hand, or to whom it is offered.
        users: BTreeSet<UserId>,
    },
    /// Something is offered to an agent.
    Offered(OfferSeen),
    /// The desk tells of something that happened.
    Happened(Box<Told>),
}

/// An offer that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferSeen {
    /// The offer.
    pub offer: OfferId,
    /// What is offered.
    pub work: WorkId,
    /// The interaction it stands for.
    pub interaction: InteractionId,
    /// The service it waits for.
    pub service: ServiceId,
    /// To whom.
    pub agent: UserId,
    /// When it lapses, milliseconds since 1970 (UTC).
    pub until_ms: i64,
}

/// A service as a supervisor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSeen {
    /// Which.
    pub service: ServiceId,
    /// How many wait.
    pub waiting: usize,
    /// When the one came who waits longest, milliseconds since 1970 (UTC).
    pub oldest_ms: Option<i64>,
    /// How long the last in the line will probably wait yet.
    pub expected_ms: Option<i64>,
    /// Agents who take its work now.
    pub available: usize,
    /// Agents of it who are paused.
    pub paused: usize,
    /// What came of those who waited today.
    pub today: Today,
}

/// What came of those who waited for a service, today and since the program began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// An agent took them.
    pub answered: u32,
    /// Of these, within the target.
    pub in_target: u32,
    /// Of these, later.
    pub late: u32,
    /// They left.
    pub abandoned: u32,
    /// They were told that nobody can.
    pub closed: u32,
    /// They wait in another service.
    pub moved: u32,
}

/// Everything that can be seen of a company at one count of what is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSnapshot {
    /// The count: what is told next has a higher one.
    pub seq: u64,
    /// Its agents.
    pub agents: Vec<AgentSeen>,
    /// Its services.
    pub queues: Vec<QueueSeen>,
    /// Who waits, the next to be served first in each service.
    pub waiting: Vec<(ServiceId, WaitingSeen)>,
    /// The offers that stand.
    pub offers: Vec<OfferSeen>,
    /// The calls, the oldest first.
    pub calls: Vec<CallSeen>,
}

/// What is to be told.
#[derive(Debug, Default)]
pub(super) struct Live {
    feeds: BTreeMap<CompanyId, Feed>,
    /// Companies with something to tell.
    touched: BTreeSet<CompanyId>,
    /// Calls that may have changed.
    calls: BTreeSet<CallKey>,
    /// How each call was told last.
    shown: BTreeMap<CallKey, CallSeen>,
    due: BTreeSet<(Instant, CompanyId, ServiceId)>,
}

/// What a company is told.
#[derive(Debug, Default)]
struct Feed {
    /// The count of what was told last; 0 before the first.
    seq: u64,
    happened: Vec<Told>,
    agents: BTreeSet<UserId>,
    works: BTreeSet<WorkId>,
    queues: BTreeMap<ServiceId, Queue>,
}

/// When a service is told of, and what of its day.
#[derive(Debug, Default)]
struct Queue {
    told: Option<Instant>,
    due: Option<Instant>,
    day: Date,
    today: Today,
}

impl LiveEvent {
    /// Whose own it is: theirs to see, whatever else they may.
    pub fn users(&self) -> Vec<UserId> {
        match self {
            Self::Agent(seen) => vec![seen.id.clone()],
            Self::Call { users, .. }
            | Self::CallEnded { users, .. }
            | Self::Message { users, .. }
            | Self::Noted { users, .. }
            | Self::Typing { users, .. }
            | Self::Beside { users, .. } => users.iter().cloned().collect(),
            Self::Offered(offer) => vec![offer.agent.clone()],
            Self::Happened(told) => agent_of(told).cloned().into_iter().collect(),
            Self::Queue(_) | Self::Waiting { .. } => vec![],
        }
    }
}

impl LiveEvent {
    /// The services about whose customers or people it is.
    pub fn services(&self) -> Vec<ServiceId> {
        match self {
            Self::Agent(seen) => seen.services.clone(),
            Self::Queue(seen) => vec![seen.service.clone()],
            Self::Waiting { service, .. } => vec![service.clone()],
            Self::Call { seen, .. } => seen.service.iter().cloned().collect(),
            Self::Offered(offer) => vec![offer.service.clone()],
            Self::Happened(told) => match &**told {
                Told::WaitEnded { service, .. } | Told::TargetMissed { service, .. } => {
                    vec![service.clone()]
                }
                Told::Save(_)
                | Told::Offered { .. }
                | Told::OfferEnded { .. }
                | Told::Returned { .. }
                | Told::SkillsRelaxed { .. }
                | Told::CallbackSuggested { .. }
                | Told::CallBack { .. }
                | Told::CallbackResting { .. }
                | Told::Transferred { .. }
                | Told::WrapUpBegan { .. }
                | Told::WrapUpOverdue { .. }
                | Told::Finished { .. }
                | Told::Reopened { .. }
                | Told::PresenceChanged { .. }
                | Told::PauseOverdue { .. } => vec![],
            },
            Self::CallEnded { .. }
            | Self::Message { .. }
            | Self::Noted { .. }
            | Self::Typing { .. }
            | Self::Beside { .. } => vec![],
        }
    }

    /// The interaction and the work that it is about, for those who follow one of them.
    pub fn about(&self) -> (Option<&InteractionId>, Option<&WorkId>) {
        match self {
            Self::Call { seen, .. } => (Some(&seen.interaction), None),
            Self::CallEnded { interaction, .. }
            | Self::Message { interaction, .. }
            | Self::Noted { interaction, .. }
            | Self::Typing { interaction, .. }
            | Self::Beside { interaction, .. } => (Some(interaction), None),
            Self::Waiting { seen, .. } => (Some(&seen.interaction), Some(&seen.work)),
            Self::Offered(offer) => (Some(&offer.interaction), Some(&offer.work)),
            Self::Happened(told) => (None, work_of(told)),
            Self::Agent(_) | Self::Queue(_) => (None, None),
        }
    }
}

/// The work that the desk tells of.
fn work_of(told: &Told) -> Option<&WorkId> {
    match told {
        Told::Offered { work, .. }
        | Told::OfferEnded { work, .. }
        | Told::WaitEnded { work, .. }
        | Told::Returned { work, .. }
        | Told::SkillsRelaxed { work }
        | Told::CallbackSuggested { work }
        | Told::CallBack { work, .. }
        | Told::CallbackResting { work, .. }
        | Told::Transferred { work, .. }
        | Told::TargetMissed { work, .. }
        | Told::WrapUpBegan { work, .. }
        | Told::WrapUpOverdue { work, .. }
        | Told::Finished { work, .. }
        | Told::Reopened { work } => Some(work),
        Told::Save(_) | Told::PresenceChanged { .. } | Told::PauseOverdue { .. } => None,
    }
}

impl CallSeen {
    /// Who of us is on its line or has it in hand.
    pub fn users(&self) -> BTreeSet<UserId> {
        let parties = self.parties.iter().filter_map(|party| party.user.as_ref());
        parties.chain(&self.agent).cloned().collect()
    }
}

/// Whose doing it is that the desk tells of.
fn agent_of(told: &Told) -> Option<&UserId> {
    match told {
        Told::Offered { agent, .. }
        | Told::OfferEnded { agent, .. }
        | Told::Returned { agent, .. }
        | Told::CallBack { agent, .. }
        | Told::WrapUpBegan { agent, .. }
        | Told::WrapUpOverdue { agent, .. }
        | Told::Finished { agent, .. }
        | Told::PresenceChanged { agent, .. }
        | Told::PauseOverdue { agent, .. }
        | Told::Transferred { from: agent, .. }
        | Told::WaitEnded {
            end: WaitEnd::Answered { agent, .. },
            ..
        } => Some(agent),
        Told::Save(_)
        | Told::WaitEnded {
            end: WaitEnd::Abandoned { .. } | WaitEnd::Closed(_) | WaitEnd::Moved { .. },
            ..
        }
        | Told::SkillsRelaxed { .. }
        | Told::CallbackSuggested { .. }
        | Told::CallbackResting { .. }
        | Told::TargetMissed { .. }
        | Told::Reopened { .. } => None,
    }
}

impl Live {
    /// A desk tells this.
    pub(super) fn mark(&mut self, company: &CompanyId, told: &Told) {
        let feed = self.feeds.entry(company.clone()).or_default();
        self.touched.insert(company.clone());
        match told {
            Told::Save(Change::AgentSaved(record)) => {
                feed.agents.insert(record.id.clone());
            }
            Told::Save(Change::WorkSaved(record)) => {
                feed.works.insert(record.work.id.clone());
                feed.queues.entry(record.work.service.clone()).or_default();
            }
            Told::Save(Change::WorkRemoved(_) | Change::ServiceSaved(_) | Change::Decided(_)) => {}
            Told::WaitEnded { .. }
            | Told::Offered { .. }
            | Told::OfferEnded { .. }
            | Told::Returned { .. }
            | Told::SkillsRelaxed { .. }
            | Told::CallbackSuggested { .. }
            | Told::CallBack { .. }
            | Told::CallbackResting { .. }
            | Told::Transferred { .. }
            | Told::TargetMissed { .. }
            | Told::WrapUpBegan { .. }
            | Told::WrapUpOverdue { .. }
            | Told::Finished { .. }
            | Told::Reopened { .. }
            | Told::PresenceChanged { .. }
            | Told::PauseOverdue { .. } => {
                feed.agents.extend(agent_of(told).cloned());
                feed.happened.push(told.clone());
            }
        }
    }

    /// A call may have changed.
    pub(super) fn mark_call(&mut self, call: CallKey) {
        self.calls.insert(call);
    }

    /// When a service is to be told of.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(due, _, _)| *due)
    }

    /// The count of what a company was told last.
    fn seq(&mut self, now: Now, company: &CompanyId) -> u64 {
        let feed = self.feeds.entry(company.clone()).or_default();
        if feed.seq == 0 {
            feed.seq = first(now);
        }
        feed.seq
    }
}

/// Where a count begins: above all that a program before has counted, so that nobody who comes back
/// takes what they heard of it for what was told now. It fits the numbers of browsers (2^53).
fn first(now: Now) -> u64 {
    let at_ms = u64::try_from(now.wall.as_millisecond()).unwrap_or_default();
    at_ms.saturating_mul(TOLD_PER_MS)
}

impl Queue {
    fn count(&mut self, today: Date, end: &WaitEnd) {
        if self.day != today {
            self.day = today;
            self.today = Today::default();
        }
        let counted = match end {
            WaitEnd::Answered { in_target, .. } => {
                self.today.answered += 1;
                match in_target {
                    Some(true) => &mut self.today.in_target,
                    Some(false) => &mut self.today.late,
                    None => return,
                }
            }
            WaitEnd::Abandoned { counts: true } => &mut self.today.abandoned,
            WaitEnd::Abandoned { counts: false } => return,
            WaitEnd::Closed(_) => &mut self.today.closed,
            WaitEnd::Moved { .. } => &mut self.today.moved,
        };
        *counted += 1;
    }
}

impl Voice {
    /// Everything that can be seen of a company, and the count after which that changes.
    pub fn live(&mut self, now: Now, company: &CompanyId) -> LiveSnapshot {
        self.tell_live(now);
        let agents = self.agents(now, company);
        let known = self.shared.directory.companies.get(company);
        let services: Vec<ServiceId> = known
            .map(|known| known.services.keys().cloned().collect())
            .unwrap_or_default();
        let mut snapshot = LiveSnapshot {
            seq: self.shared.live.seq(now, company),
            agents,
            queues: vec![],
            waiting: vec![],
            offers: vec![],
            calls: self.calls_of(company),
        };
        for service in services {
            snapshot.queues.extend(self.queue(now, company, &service));
            if let Some(desk) = self.shared.desk(now, company) {
                snapshot.offers.extend(offers(desk, &service));
            }
            let line = self.line(now, company, &service);
            let line = line.into_iter().map(|seen| (service.clone(), seen));
            snapshot.waiting.extend(line);
        }
        snapshot
    }

    /// Tells what has changed, how it is now.
    pub(super) fn tell_live(&mut self, now: Now) {
        for call in std::mem::take(&mut self.shared.live.calls) {
            self.tell_call(now, call);
        }
        for company in std::mem::take(&mut self.shared.live.touched) {
            self.tell_company(now, &company);
        }
        while let Some((due, company, service)) = self.shared.live.due.first().cloned() {
            if due > now.instant {
                break;
            }
            self.shared.live.due.pop_first();
            self.tell_queue(now, &company, &service);
        }
    }

    fn tell_call(&mut self, now: Now, key: CallKey) {
        let before = self.shared.live.shown.remove(&key);
        let mut users = before.as_ref().map(CallSeen::users).unwrap_or_default();
        let Some(call) = self.calls.get(&key) else {
            if let Some((company, before)) = before.map(|before| (before.company.clone(), before)) {
                let interaction = before.interaction;
                self.shared.desks.holds.remove(&interaction);
                let ended = LiveEvent::CallEnded { interaction, users };
                self.shared.tell(now, &company, ended);
            }
            return;
        };
        let seen = call.seen(&self.shared);
        self.shared.desks.count_hold(now, &seen);
        if before.as_ref() != Some(&seen) {
            users.extend(seen.users());
            let company = seen.company.clone();
            let event = LiveEvent::Call {
                seen: Box::new(seen.clone()),
                users,
            };
            self.shared.tell(now, &company, event);
        }
        self.shared.live.shown.insert(key, seen);
    }

    fn tell_company(&mut self, now: Now, company: &CompanyId) {
        let directory = self.shared.directory.clone();
        let Some(feed) = self.shared.live.feeds.get_mut(company) else {
            return;
        };
        let (happened, agents, works) = (
            std::mem::take(&mut feed.happened),
            std::mem::take(&mut feed.agents),
            std::mem::take(&mut feed.works),
        );
        let known = directory.companies.get(company);
        let mut services: BTreeSet<ServiceId> = BTreeSet::new();
        for told in happened {
            if let Told::WaitEnded { service, end, .. } = &told {
                services.insert(service.clone());
                if let Some(known) = known {
                    let today = known.zone.to_datetime(now.wall).date();
                    feed_queue(&mut self.shared.live, company, service).count(today, end);
                }
            }
            let offered = self.offer(now, company, &told);
            let happened = || LiveEvent::Happened(Box::new(told));
            let event = offered.map_or_else(happened, LiveEvent::Offered);
            self.shared.tell(now, company, event);
        }
        for work in works {
            if let Some((service, seen)) = self.shared.desk(now, company).and_then(|desk| {
                let record = desk.work(&work)?;
                desk.position(&work)?;
                let seen = super::people::waiting_seen(desk, now, record);
                Some((record.work.service.clone(), seen))
            }) {
                services.insert(service.clone());
                let event = LiveEvent::Waiting { service, seen };
                self.shared.tell(now, company, event);
            }
        }
        for id in agents {
            let Some(agent) = known.and_then(|known| known.agents.get(&id)) else {
                continue;
            };
            services.extend(agent.services.iter().cloned());
            let desk = self.shared.desk(now, company);
            let seen = desk.and_then(|desk| super::people::agent_seen(desk, &id, agent));
            if let Some(seen) = seen {
                let event = LiveEvent::Agent(Box::new(seen));
                self.shared.tell(now, company, event);
            }
        }
        for service in services {
            self.tell_queue(now, company, &service);
        }
    }

    /// The offer that the desk tells of, if it still stands.
    fn offer(&mut self, now: Now, company: &CompanyId, told: &Told) -> Option<OfferSeen> {
        let Told::Offered { offer, work, .. } = told else {
            return None;
        };
        let desk = self.shared.desk(now, company)?;
        offers_of(desk.work(work)?).find(|seen| seen.offer == *offer)
    }

    /// Tells how a service is, unless it was told within the last second: then it is told when that
    /// is over.
    fn tell_queue(&mut self, now: Now, company: &CompanyId, service: &ServiceId) {
        let queue = feed_queue(&mut self.shared.live, company, service);
        let next = queue.told.map(|told| told + QUEUE_EVERY);
        let due = next.filter(|next| *next > now.instant);
        let before = std::mem::replace(&mut queue.due, due);
        if due.is_none() {
            queue.told = Some(now.instant);
        }
        let entry = |due| (due, company.clone(), service.clone());
        if let Some(before) = before {
            self.shared.live.due.remove(&entry(before));
        }
        match due {
            Some(due) => {
                self.shared.live.due.insert(entry(due));
            }
            None => {
                if let Some(seen) = self.queue(now, company, service) {
                    self.shared.tell(now, company, LiveEvent::Queue(seen));
                }
            }
        }
    }

    fn queue(&mut self, now: Now, company: &CompanyId, service: &ServiceId) -> Option<QueueSeen> {
        let known = self.shared.directory.companies.get(company)?;
        let today = known.zone.to_datetime(now.wall).date();
        let counted = feed_queue(&mut self.shared.live, company, service);
        let counted = match counted.day == today {
            true => counted.today,
            false => Today::default(),
        };
        let desk = self.shared.desk(now, company)?;
        let status = desk.service_status(now.instant, service)?;
        let last = desk.line(service).last().map(|record| &record.work.id);
        let oldest = desk.line(service).map(|record| record.work.arrived_ms);
        Some(QueueSeen {
            service: service.clone(),
            waiting: status.waiting,
            oldest_ms: oldest.min(),
            expected_ms: last.and_then(|work| desk.expected_wait_ms(work)),
            available: status.available,
            paused: status.paused,
            today: counted,
        })
    }
}

impl Shared {
    pub(super) fn tell(&mut self, now: Now, company: &CompanyId, event: LiveEvent) {
        let seq = self.live.seq(now, company) + 1;
        if let Some(feed) = self.live.feeds.get_mut(company) {
            feed.seq = seq;
        }
        self.outputs.push_back(Output::Live {
            company: company.clone(),
            seq,
            event: Box::new(event),
        });
    }
}

fn feed_queue<'l>(live: &'l mut Live, company: &CompanyId, service: &ServiceId) -> &'l mut Queue {
    let feed = live.feeds.entry(company.clone()).or_default();
    feed.queues.entry(service.clone()).or_default()
}

fn offers(desk: &Desk, service: &ServiceId) -> Vec<OfferSeen> {
    desk.line(service).flat_map(offers_of).collect()
}

fn offers_of(record: &desk::change::WorkRecord) -> impl Iterator<Item = OfferSeen> {
    let standing = match &record.state {
        WorkState::Offered(offers) => offers.as_slice(),
        WorkState::Waiting
        | WorkState::CallingBack { .. }
        | WorkState::Resting { .. }
        | WorkState::Handling { .. }
        | WorkState::WrapUp { .. }
        | WorkState::Scheduled { .. } => &[],
    };
    standing.iter().map(|offer| OfferSeen {
        offer: offer.id,
        work: record.work.id.clone(),
        interaction: record.work.interaction.clone(),
        service: record.work.service.clone(),
        agent: offer.agent.clone(),
        until_ms: offer.until_ms,
    })
}

/// How often the figures of a service are told at most: people read no faster.
const QUEUE_EVERY: Duration = Duration::from_secs(1);

/// How much can be told in a millisecond on average before the counts of two runs of the program
/// could meet: more than one machine can.
const TOLD_PER_MS: u64 = 1_024;

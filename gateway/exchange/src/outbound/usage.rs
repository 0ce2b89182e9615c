//! What calls have cost and how many there are: told in, asked for, restored after a restart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use desk::id::{
    AuditId, CompanyId, InteractionId, OutboundCallId, OutboundRouteId, TrunkId, UserId,
};
use desk::record::{OutboundAlarm, OutboundCall};
use ivr::Now;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rand::RngCore;

use crate::directory::Company;

use super::guard::Rule;
use super::route::Route;
use super::{Plan, Refusal, Way, Wish};

/// The calls that leave, of all companies: those that are up, and what those of today were.
#[derive(Debug, Default)]
pub struct Usage {
    companies: BTreeMap<CompanyId, Tally>,
    agents: BTreeMap<UserId, Tally>,
    routes: BTreeMap<OutboundRouteId, Load>,
    up: BTreeMap<OutboundCallId, Up>,
    /// Carriers that do not answer.
    silent: BTreeSet<TrunkId>,
    /// When each rule was last told of.
    alarms: BTreeMap<(CompanyId, Rule), i64>,
}

/// What somebody's calls were so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Calls that are up.
    pub calls_up: u32,
    /// Calls that began within the last hour, to the minute.
    pub calls_hour: u32,
    /// Calls that began today.
    pub calls_day: u32,
    /// What those of today cost so far, in thousandths of the currency.
    pub cost_day: u64,
}

/// What is counted of one company, or one agent.
#[derive(Debug, Default)]
struct Tally {
    up: u32,
    /// Calls by the minute in which they began, the oldest first; none older than an hour.
    minutes: VecDeque<(i64, u32)>,
    day: Date,
    calls_day: u32,
    cost_day: u64,
}

/// The calls of one route.
#[derive(Debug, Default)]
struct Load {
    up: u32,
    /// The second in which the last one began, and how many did in it.
    second: i64,
    begun: u32,
}

/// A call that is up.
#[derive(Debug)]
struct Up {
    call: OutboundCall,
    zone: TimeZone,
    route: Option<OutboundRouteId>,
    cost_per_minute: u32,
}

impl Up {
    fn cost(&self, at_ms: i64) -> u64 {
        let answered = self.call.answered_ms;
        answered.map_or(0, |answered| {
            cost(at_ms.saturating_sub(answered), self.cost_per_minute)
        })
    }
}

impl Usage {
    /// Takes what is remembered of a call of today, after a restart. One that was up when the
    /// program ended counts as long as it may have been, but no longer than [`LOST_MAX_MS`].
    pub fn restore(&mut self, now: Now, zone: &TimeZone, call: &OutboundCall) {
        let at_ms = now.wall.as_millisecond();
        let cost = match (call.answered_ms, call.ended_ms) {
            (Some(answered), None) => cost(
                at_ms.saturating_sub(answered).min(LOST_MAX_MS),
                call.cost_per_minute,
            ),
            (Some(_), Some(_)) | (None, _) => call.cost,
        };
        let today = day(zone, at_ms);
        for tally in self.tallies(&call.company, call.user.as_ref()) {
            tally.turn(today);
            tally.begin(zone, call.started_ms, at_ms);
            tally.up = tally.up.saturating_sub(1);
            if day(zone, call.started_ms) == today {
                tally.cost_day = tally.cost_day.saturating_add(cost);
            }
        }
    }

    /// A carrier answers our questions, or does not.
    pub fn set_silent(&mut self, trunk: &TrunkId, silent: bool) {
        if silent {
            self.silent.insert(trunk.clone());
        } else {
            self.silent.remove(trunk);
        }
    }

    /// A call begins as planned, by its first way. Every call that begins ends, by [`Usage::end`].
    pub fn begin(
        &mut self,
        now: Now,
        company: &Company,
        plan: &Plan,
        interaction: &InteractionId,
        random: &mut impl RngCore,
    ) -> OutboundCallId {
        let at_ms = now.wall.as_millisecond();
        let id = OutboundCallId::new(at_ms, random);
        let today = day(&company.zone, at_ms);
        if self
            .companies
            .get(&company.id)
            .is_none_or(|tally| tally.day != today)
        {
            // Whoever did nothing since yesterday is forgotten, once a day.
            self.agents
                .retain(|_, tally| tally.up > 0 || tally.day == today);
        }
        for tally in self.tallies(&company.id, plan.by.as_ref()) {
            tally.turn(today);
            tally.begin(&company.zone, at_ms, at_ms);
        }
        let call = OutboundCall {
            id: id.clone(),
            company: company.id.clone(),
            interaction: interaction.clone(),
            user: plan.by.clone(),
            service: plan.service.clone(),
            trunk: None,
            number: plan.callee.number.clone(),
            cost_per_minute: 0,
            started_ms: at_ms,
            answered_ms: None,
            ended_ms: None,
            cost: 0,
        };
        let up = Up {
            call,
            zone: company.zone.clone(),
            route: None,
            cost_per_minute: 0,
        };
        self.up.insert(id.clone(), up);
        id
    }

    /// A call is tried by this way, in place of the one before.
    pub fn try_way(&mut self, now: Now, id: &OutboundCallId, way: &Way) {
        let Some(up) = self.up.get_mut(id) else {
            return;
        };
        leave(&mut self.routes, up.route.take());
        up.call.trunk = Some(way.trunk.clone());
        up.call.cost_per_minute = way.cost_per_minute;
        up.cost_per_minute = way.cost_per_minute;
        if let Some(route) = &way.route {
            let second = now.wall.as_second();
            let load = self.routes.entry(route.clone()).or_default();
            load.begun = if load.second == second {
                load.begun + 1
            } else {
                1
            };
            load.second = second;
            load.up += 1;
            up.route = Some(route.clone());
        }
    }

    /// The callee answered: from here on the call costs. Returns what is to be remembered of it, so
    /// that a crash does not make it free.
    pub fn answered(&mut self, now: Now, id: &OutboundCallId) -> Option<OutboundCall> {
        let up = self.up.get_mut(id)?;
        up.call.answered_ms.get_or_insert(now.wall.as_millisecond());
        Some(up.call.clone())
    }

    /// A call is over. Returns what is to be remembered of it; nothing when it was over already.
    pub fn end(&mut self, now: Now, id: &OutboundCallId) -> Option<OutboundCall> {
        let mut up = self.up.remove(id)?;
        leave(&mut self.routes, up.route.take());
        let at_ms = now.wall.as_millisecond();
        let cost = up.cost(at_ms);
        let today = day(&up.zone, at_ms);
        for tally in self.tallies(&up.call.company, up.call.user.as_ref()) {
            tally.turn(today);
            tally.up = tally.up.saturating_sub(1);
            tally.cost_day = tally.cost_day.saturating_add(cost);
        }
        up.call.ended_ms = Some(at_ms);
        up.call.cost = cost;
        Some(up.call)
    }

    /// Whether somebody must be told of a refusal: of each rule of a company once an hour, and of
    /// nothing but broken rules.
    pub fn alarm(
        &mut self,
        now: Now,
        company: &Company,
        (wish, refusal): (&Wish<'_>, &Refusal),
        interaction: &InteractionId,
        random: &mut impl RngCore,
    ) -> Option<OutboundAlarm> {
        let Refusal::Forbidden(rule) = refusal else {
            return None;
        };
        let at_ms = now.wall.as_millisecond();
        let last = self.alarms.entry((company.id.clone(), *rule));
        let is_new = matches!(last, std::collections::btree_map::Entry::Vacant(_));
        let last = last.or_insert(at_ms);
        if !is_new && at_ms.saturating_sub(*last) < ALARM_EVERY_MS {
            return None;
        }
        *last = at_ms;
        Some(OutboundAlarm {
            id: AuditId::new(at_ms, random),
            company: company.id.clone(),
            interaction: interaction.clone(),
            user: wish.by.cloned(),
            at_ms,
            rule: rule.as_str().to_owned(),
            dialled: wish.dialled.chars().take(DIALLED_SHOWN_MAX).collect(),
        })
    }

    /// What a company's calls were so far.
    pub fn of_company(&self, now: Now, company: &Company) -> Spent {
        let is_its = |call: &OutboundCall| call.company == company.id;
        self.spent(now, &company.zone, self.companies.get(&company.id), is_its)
    }

    /// What an agent's calls were so far.
    pub fn of_agent(&self, now: Now, company: &Company, agent: &UserId) -> Spent {
        let is_theirs = |call: &OutboundCall| call.user.as_ref() == Some(agent);
        self.spent(now, &company.zone, self.agents.get(agent), is_theirs)
    }

    fn spent(
        &self,
        now: Now,
        zone: &TimeZone,
        tally: Option<&Tally>,
        is_theirs: impl Fn(&OutboundCall) -> bool,
    ) -> Spent {
        let at_ms = now.wall.as_millisecond();
        let today = day(zone, at_ms);
        let own = self.up.values().filter(|up| is_theirs(&up.call));
        let running: u64 = own.map(|up| up.cost(at_ms)).sum();
        tally.map_or_else(Spent::default, |tally| {
            let is_today = tally.day == today;
            let of_day = |count| if is_today { count } else { 0 };
            Spent {
                calls_up: tally.up,
                calls_hour: tally.within_hour(at_ms),
                calls_day: of_day(tally.calls_day),
                cost_day: if is_today { tally.cost_day } else { 0 } + running,
            }
        })
    }

    /// Whether a route may have one more call, now.
    pub(super) fn has_room(&self, route: &Route, at_ms: i64) -> bool {
        let Some(load) = self.routes.get(&route.id) else {
            return route.calls_max != Some(0) && route.calls_per_second_max != Some(0);
        };
        let this_second = if load.second == at_ms.div_euclid(1_000) {
            load.begun
        } else {
            0
        };
        route.calls_max.is_none_or(|max| load.up < max)
            && route
                .calls_per_second_max
                .is_none_or(|max| this_second < max)
    }

    pub(super) fn is_silent(&self, trunk: &TrunkId) -> bool {
        self.silent.contains(trunk)
    }

    fn tallies(
        &mut self,
        company: &CompanyId,
        agent: Option<&UserId>,
    ) -> impl Iterator<Item = &mut Tally> {
        let company = self.companies.entry(company.clone()).or_default();
        let agent = agent.map(|agent| self.agents.entry(agent.clone()).or_default());
        std::iter::once(company).chain(agent)
    }
}

impl Tally {
    /// Forgets what was of another day.
    fn turn(&mut self, today: Date) {
        if self.day != today {
            self.day = today;
            self.calls_day = 0;
            self.cost_day = 0;
        }
    }

    fn begin(&mut self, zone: &TimeZone, started_ms: i64, at_ms: i64) {
        self.up += 1;
        if day(zone, started_ms) == self.day {
            self.calls_day += 1;
        }
        let (minute, oldest) = (started_ms.div_euclid(MINUTE_MS), hour_before(at_ms));
        while self.minutes.front().is_some_and(|(of, _)| *of <= oldest) {
            self.minutes.pop_front();
        }
        if minute <= oldest {
            return;
        }
        match self.minutes.iter_mut().find(|(of, _)| *of == minute) {
            Some((_, count)) => *count += 1,
            None => self.minutes.push_back((minute, 1)),
        }
    }

    fn within_hour(&self, at_ms: i64) -> u32 {
        let oldest = hour_before(at_ms);
        let recent = self.minutes.iter().filter(|(of, _)| *of > oldest);
        recent.map(|(_, count)| count).sum()
    }
}

fn leave(routes: &mut BTreeMap<OutboundRouteId, Load>, route: Option<OutboundRouteId>) {
    if let Some(load) = route.and_then(|route| routes.get_mut(&route)) {
        load.up = load.up.saturating_sub(1);
    }
}

/// What a call of this length costs, in thousandths: the first [`BILLED_MIN_MS`] whole, then every
/// [`BILLED_STEP_MS`] that was begun.
fn cost(length_ms: i64, per_minute: u32) -> u64 {
    let length = u64::try_from(length_ms).unwrap_or_default();
    let billed = length.max(BILLED_MIN_MS).div_ceil(BILLED_STEP_MS) * BILLED_STEP_MS;
    (billed * u64::from(per_minute)).div_ceil(60_000)
}

fn day(zone: &TimeZone, at_ms: i64) -> Date {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    zone.to_datetime(at).date()
}

fn hour_before(at_ms: i64) -> i64 {
    at_ms.div_euclid(MINUTE_MS) - 60
}

const MINUTE_MS: i64 = 60_000;

/// Carriers in Brazil bill the first half minute whole …
const BILLED_MIN_MS: u64 = 30_000;

/// … and then in steps of a tenth of a minute.
const BILLED_STEP_MS: u64 = 6_000;

/// How long a call counts that was up when the program ended, at most: nobody knows how long the
/// carrier kept it.
pub const LOST_MAX_MS: i64 = 3_600_000;

/// How often the same rule is told of: who is asked to look has looked by then.
const ALARM_EVERY_MS: i64 = 3_600_000;

/// How much of what was dialled an alarm shows: a number and its prefixes.
const DIALLED_SHOWN_MAX: usize = 40;

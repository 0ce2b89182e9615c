//! Who gets what.
//!
//! A match is looked for when something changed: an agent has room, or a work is new, needs less
//! or may be offered again. Nothing else can make a match, so nobody waits while a fitting agent
//! is free, and no line is ever searched on a tick.

use crate::change::{Change, Offer, Presence, WorkState};
use crate::decision::{
    CONSIDERED_MAX, Considered, Decision, OfferId, SkillFound, Turn, Unfit, Verdict,
};
use crate::id::WorkId;
use crate::output::Output;
use crate::rules::Routing;
use crate::work::Medium;

use super::agent::{Agent, AgentIndex, Held, HeldKind};
use super::line::{MEDIA, Needs, Place, ServiceIndex};
use super::{Desk, Job, Standing};

/// How many phones ring for one work at most: each costs a call at the trunk or the browser.
const RING_ALL_MAX: usize = 50;

/// The order in which agents are chosen: without interrupting first, then by the routing.
type Rank = (bool, i64, i64, AgentIndex);

impl Desk {
    /// Finds the best work for `index`, and offers it to the best agent for it. Returns whether an
    /// offer was made; then there may be more.
    pub(super) fn match_agent(&mut self, at: i64, index: AgentIndex) -> bool {
        let Some(place) = self.best_for(at, &self.agents[index.0], index) else {
            return false;
        };
        match self.job(place.seq).standing {
            Standing::Offered(_) => self.join(at, place.seq, index),
            Standing::Ready(_) | Standing::Held(_) | Standing::Out => {
                self.match_work(at, place.seq)
            }
        }
    }

    /// Finds an agent for a work that is new in its line, or may be offered to more. Where other
    /// such work is there too, the agent decides by urgency which comes first.
    pub(super) fn match_place(&mut self, at: i64, place: Place) {
        if self.turn.works_to_match.is_empty() {
            self.match_work(at, place.seq);
            return;
        }
        while let Some(job) = self.works.get(&place.seq).filter(|job| job.is_waiting()) {
            let Some((.., first)) = self.candidates(job).into_iter().min() else {
                return;
            };
            if !self.match_agent(at, first) {
                return;
            }
        }
    }

    /// Offers a waiting work to the best agent who is free, or to all of them. Returns whether
    /// there was one.
    fn match_work(&mut self, at: i64, seq: u64) -> bool {
        let Some(job) = self.works.get(&seq).filter(|job| job.is_waiting()) else {
            return false;
        };
        let mut ranks = self.candidates(job);
        if ranks.is_empty() {
            return false;
        }
        let routing = self.services[job.service.0].rules.routing;
        let all = routing == Routing::RingAll && matches!(job.standing, Standing::Ready(_));
        let keep = if all { RING_ALL_MAX } else { CONSIDERED_MAX };
        if self.turn.agents_to_match.is_empty() {
            if ranks.len() > keep {
                ranks.select_nth_unstable(keep);
                ranks.truncate(keep);
            }
            ranks.sort_unstable();
        } else {
            ranks.sort_unstable();
            if !self.put_the_undisturbed_first(at, job.place, all, &mut ranks) {
                return false;
            }
            ranks.truncate(keep);
        }
        let chosen = if all { ranks.len() } else { 1 };
        let agents: Vec<AgentIndex> = ranks.iter().map(|(.., index)| *index).collect();
        let (chosen, behind) = agents.split_at(chosen);
        let mut decision = self.look_at(at, seq, chosen, behind);
        self.decide(&mut decision, chosen);
        let ring_ms = self.services[self.job(seq).service.0].rules.ring_ms();
        self.offer(seq, at.saturating_add(ring_ms), chosen);
        self.turn.decided.push(Change::Decided(Box::new(decision)));
        true
    }

    /// Passes over those who have become free in this turn as well and have something more urgent
    /// to do: they come to that. Of all who ring, they are left out; of others, the first who has
    /// not is put first. Returns whether anybody is left.
    fn put_the_undisturbed_first(
        &self,
        at: i64,
        place: Place,
        all: bool,
        ranks: &mut Vec<Rank>,
    ) -> bool {
        let undisturbed = |(.., index): &Rank| {
            let agent = &self.agents[index.0];
            !self.turn.agents_to_match.contains(index)
                || self.best_for(at, agent, *index) == Some(place)
        };
        if all {
            ranks.retain(undisturbed);
            return !ranks.is_empty();
        }
        let first = ranks.iter().position(undisturbed);
        if let Some(first) = first {
            ranks[..=first].rotate_right(1);
        }
        first.is_some()
    }

    /// Lets one who has become free ring for a work for which others ring.
    fn join(&mut self, at: i64, seq: u64, index: AgentIndex) -> bool {
        let WorkState::Offered(offers) = &self.job(seq).record.state else {
            return false;
        };
        let Some(until) = offers.first().map(|offer| offer.until_ms) else {
            return false;
        };
        let mut decision = self.look_at(at, seq, &[index], &[]);
        self.decide(&mut decision, &[index]);
        self.offer(seq, until, &[index]);
        self.turn.decided.push(Change::Decided(Box::new(decision)));
        true
    }

    /// The work that has waited for longest, by place and weight, of all that the agent may have.
    fn best_for(&self, at: i64, agent: &Agent, index: AgentIndex) -> Option<Place> {
        if !agent.takes_work() {
            return None;
        }
        let mut room = [false; MEDIA];
        for medium in Medium::ALL {
            room[*medium as usize] = agent.has_room(*medium, &self.capacity);
        }
        if !room.contains(&true) {
            return None;
        }
        let mut best = Best {
            urgency: i64::MIN,
            place: None,
        };
        for service in &agent.services {
            let line = &self.services[service.0].line;
            for (first, needs) in line.ready() {
                if self.urgency(at, *service, first) < best.urgency {
                    break;
                }
                if room[needs.medium as usize] && agent.can(needs) {
                    let mut places = line.ready_with(needs);
                    if let Some(place) = places.find(|place| !self.rests(place.seq, agent)) {
                        best.offer(self.urgency(at, *service, place), place);
                    }
                }
            }
            for place in line.ringing() {
                if self.can_join(place.seq, agent, &room) {
                    best.offer(self.urgency(at, *service, place), place);
                }
            }
        }
        for place in &agent.preferred {
            let job = self.job(place.seq);
            let mine = matches!(job.standing, Standing::Held(holder) if holder == index);
            if mine && room[job.record.work.medium as usize] && !self.rests(place.seq, agent) {
                best.offer(self.urgency(at, job.service, *place), *place);
            }
        }
        best.place
    }

    /// How urgent work at `place` is beside that of other services: its age, by the weight of its
    /// service.
    fn urgency(&self, at: i64, service: ServiceIndex, place: Place) -> i64 {
        let weight = i64::from(self.services[service.0].rules.weight.max(1));
        at.saturating_sub(place.key_ms).saturating_mul(weight)
    }

    fn can_join(&self, seq: u64, agent: &Agent, room: &[bool; MEDIA]) -> bool {
        let job = self.job(seq);
        let (Standing::Offered(needs), WorkState::Offered(offers)) =
            (&job.standing, &job.record.state)
        else {
            return false;
        };
        room[needs.medium as usize]
            && offers.len() < RING_ALL_MAX
            && !agent.held.contains_key(&seq)
            && agent.can(needs)
            && !self.rests(seq, agent)
    }

    /// Whether a work is not to be offered to this agent for a while.
    fn rests(&self, seq: u64, agent: &Agent) -> bool {
        let rests = &self.job(seq).record.rests;
        rests.iter().any(|rest| rest.agent == agent.record.id)
    }

    /// All who are free and could have a waiting work.
    fn candidates(&self, job: &Job) -> Vec<Rank> {
        let medium = job.record.work.medium;
        let free = &self.free[medium as usize];
        let seq = job.record.seq;
        let rank = |index: AgentIndex| self.rank(job, index);
        match &job.standing {
            Standing::Held(index) => {
                let agent = &self.agents[index.0];
                let can = free.contains(index) && !self.rests(seq, agent);
                can.then(|| rank(*index)).into_iter().collect()
            }
            Standing::Ready(needs) => {
                let fits = |index: &AgentIndex| {
                    let agent = &self.agents[index.0];
                    agent.can(needs) && !self.rests(seq, agent)
                };
                let members = &self.services[job.service.0].members;
                if free.len() < members.len() {
                    let serves = |index: &&AgentIndex| self.agents[index.0].serves(job.service);
                    let free = free.iter().filter(serves).copied();
                    free.filter(fits).map(rank).collect()
                } else {
                    let free = members.iter().filter(|index| free.contains(index)).copied();
                    free.filter(fits).map(rank).collect()
                }
            }
            Standing::Offered(_) | Standing::Out => vec![],
        }
    }

    fn rank(&self, job: &Job, index: AgentIndex) -> Rank {
        let agent = &self.agents[index.0];
        let record = &agent.record;
        let idle = record.idle_since_ms;
        let (first, second) = match self.services[job.service.0].rules.routing {
            Routing::LongestIdle | Routing::RingAll => (i64::from(!agent.held.is_empty()), idle),
            Routing::RoundRobin => (i64::try_from(record.last_offer.0).unwrap_or(i64::MAX), 0),
            Routing::LeastOccupied => (i64::from(agent.load(&self.capacity)), idle),
            Routing::FewestHandled => (i64::from(record.handled), idle),
        };
        let medium = job.record.work.medium;
        let interrupts = agent.would_interrupt(medium, &self.capacity);
        (interrupts, first, second, index)
    }

    /// Gives numbers to the offers of a decision.
    fn decide(&mut self, decision: &mut Decision, chosen: &[AgentIndex]) {
        let mut next = self.offer_next;
        for considered in decision.considered.iter_mut().take(chosen.len()) {
            if let Verdict::Chosen { offer, .. } = &mut considered.verdict {
                *offer = OfferId(next);
                next += 1;
            }
        }
    }

    /// Makes one offer for each of `agents`.
    fn offer(&mut self, seq: u64, until_ms: i64, agents: &[AgentIndex]) {
        let (medium, work) = {
            let work = &self.job(seq).record.work;
            (work.medium, work.id.clone())
        };
        for index in agents {
            let id = OfferId(self.offer_next);
            self.offer_next += 1;
            self.offer_index.insert(id, seq);
            let kind = HeldKind::Offered(id);
            let agent = &mut self.agents[index.0];
            agent.held.insert(seq, Held { medium, kind });
            agent.record.last_offer = id;
            let offer = Offer {
                id,
                agent: agent.record.id.clone(),
                until_ms,
            };
            self.event(Output::Offered {
                offer: id,
                work: work.clone(),
                agent: offer.agent.clone(),
                until_ms,
            });
            let state = &mut self.job_mut(seq).record.state;
            if let WorkState::Offered(offers) = state {
                offers.push(offer);
            } else {
                *state = WorkState::Offered(vec![offer]);
            }
            self.touch_agent(*index);
        }
        self.stand_offered(seq);
        self.touch_work(seq);
    }

    /// Looks at the agents of a work's service: those chosen, those behind them, and then those
    /// who cannot, until enough are listed.
    pub(super) fn look_at(
        &self,
        at: i64,
        seq: u64,
        chosen: &[AgentIndex],
        behind: &[AgentIndex],
    ) -> Decision {
        let job = self.job(seq);
        let needs = self.needs(job);
        let service = &self.services[job.service.0];
        let preferred = job.record.wait.preferred_until_ms.is_some();
        let mut considered: Vec<Considered> = vec![];
        for index in chosen.iter().take(CONSIDERED_MAX) {
            let verdict = Verdict::Chosen {
                offer: OfferId(0),
                preferred,
                interrupts: self.interrupted(*index, needs.medium),
            };
            considered.push(self.consider(at, *index, &needs, verdict));
        }
        for index in behind.iter().take(CONSIDERED_MAX - considered.len()) {
            considered.push(self.consider(at, *index, &needs, Verdict::Behind));
        }
        for index in &service.members {
            if considered.len() >= CONSIDERED_MAX {
                break;
            }
            if chosen.contains(index) || behind.contains(index) {
                continue;
            }
            let verdict = self
                .unfit(job, *index, &needs)
                .map_or(Verdict::Behind, Verdict::Unfit);
            considered.push(self.consider(at, *index, &needs, verdict));
        }
        let outside = chosen
            .iter()
            .filter(|index| !service.members.contains(index));
        let all = service.members.len() + outside.count();
        Decision {
            work: job.record.work.id.clone(),
            service: service.id.clone(),
            at_ms: at,
            routing: service.rules.routing,
            turn: self.how_it_came_up(at, job),
            more: all.saturating_sub(considered.len()),
            considered,
        }
    }

    fn how_it_came_up(&self, at: i64, job: &Job) -> Turn {
        let wait = &job.record.wait;
        Turn {
            waited_ms: at.saturating_sub(wait.entered_ms),
            points: self.points(job.service, &job.record),
            weight: self.services[job.service.0].rules.weight.max(1),
            relaxed: (!wait.skills_dropped).then_some(wait.relaxed),
        }
    }

    fn consider(&self, at: i64, index: AgentIndex, needs: &Needs, verdict: Verdict) -> Considered {
        let agent = &self.agents[index.0];
        let skills = needs.skills.iter();
        let skills = skills.map(|(skill, wanted)| SkillFound {
            skill: skill.clone(),
            wanted: *wanted,
            has: agent.level(skill),
        });
        let offline = agent.record.presence == Presence::Offline;
        let idle_ms = at.saturating_sub(agent.record.idle_since_ms);
        Considered {
            agent: agent.record.id.clone(),
            verdict,
            idle_ms: if offline { 0 } else { idle_ms },
            load: agent.load(&self.capacity),
            handled: agent.record.handled,
            skills: skills.collect(),
        }
    }

    /// What new work of `medium` would interrupt.
    fn interrupted(&self, index: AgentIndex, medium: Medium) -> Vec<WorkId> {
        let agent = &self.agents[index.0];
        if !agent.would_interrupt(medium, &self.capacity) {
            return vec![];
        }
        let held = agent.held.iter();
        held.filter(|(_, held)| self.capacity.interrupts(medium, held.medium))
            .map(|(seq, _)| self.job(*seq).record.work.id.clone())
            .collect()
    }

    /// Why an agent cannot have a work; nothing when they can.
    pub(super) fn unfit(&self, job: &Job, index: AgentIndex, needs: &Needs) -> Option<Unfit> {
        let agent = &self.agents[index.0];
        let record = &job.record;
        if let Standing::Held(holder) = job.standing
            && holder != index
        {
            return Some(Unfit::Reserved {
                agent: self.agents[holder.0].record.id.clone(),
                until_ms: record.wait.preferred_until_ms.unwrap_or_default(),
            });
        }
        match &agent.record.presence {
            Presence::Offline => return Some(Unfit::Offline),
            Presence::Paused {
                reason, since_ms, ..
            } => {
                return Some(Unfit::Paused {
                    reason: reason.clone(),
                    since_ms: *since_ms,
                });
            }
            Presence::Available => {}
        }
        if agent.record.lost_until_ms.is_some() {
            return Some(Unfit::Lost);
        }
        let held_alone = matches!(job.standing, Standing::Held(_));
        if !held_alone && !agent.serves(job.service) {
            return Some(Unfit::NotInService);
        }
        let mut rests = record.rests.iter();
        if let Some(rest) = rests.find(|rest| rest.agent == agent.record.id) {
            return Some(Unfit::Refused {
                until_ms: rest.until_ms,
            });
        }
        let mut lacking = needs.skills.iter();
        let lacking = lacking.find(|(skill, wanted)| agent.level(skill) < *wanted);
        if let Some((skill, wanted)) = lacking.filter(|_| !held_alone) {
            return Some(Unfit::Skill(SkillFound {
                skill: skill.clone(),
                wanted: *wanted,
                has: agent.level(skill),
            }));
        }
        if !agent.sees(needs.medium) {
            return Some(Unfit::NoPage);
        }
        (!agent.has_room(needs.medium, &self.capacity)).then(|| self.no_room(agent, needs.medium))
    }

    /// What keeps an agent from work of `medium`.
    fn no_room(&self, agent: &Agent, medium: Medium) -> Unfit {
        let costs = |held: &&Held| self.capacity.cost(held.medium);
        let in_the_way = |held: &&Held| !self.capacity.interrupts(medium, held.medium);
        let most = agent.held.values().filter(in_the_way).max_by_key(costs);
        match most.map(|held| (held.kind, held.medium)) {
            Some((HeldKind::Offered(_), _)) => Unfit::Ringing,
            Some((HeldKind::WrapUp, _)) => Unfit::WrappingUp,
            Some((HeldKind::InHand, with)) => self.busy(agent, medium, with),
            None => self.busy(agent, medium, Medium::Phone),
        }
    }

    fn busy(&self, agent: &Agent, medium: Medium, with: Medium) -> Unfit {
        Unfit::Busy {
            load: agent.load(&self.capacity),
            cost: self.capacity.cost(medium),
            with,
        }
    }
}

/// The most urgent of what was offered; of equals, the first by place.
#[derive(Debug)]
struct Best {
    urgency: i64,
    place: Option<Place>,
}

impl Best {
    fn offer(&mut self, urgency: i64, place: Place) {
        let better = self
            .place
            .is_none_or(|old| urgency > self.urgency || (urgency == self.urgency && place < old));
        if better {
            self.urgency = urgency;
            self.place = Some(place);
        }
    }
}

//! Beginning, restart and new rules: records in, indexes made anew.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::change::{
    AgentRecord, OfferEnd, Presence, ServiceRecord, Snapshot, WorkRecord, WorkState,
};
use crate::decision::OfferId;
use crate::id::{ServiceId, UserId};
use crate::output::{WhyClosed, WhyReturned};
use crate::rules::{Rules, ServiceRules};
use crate::work::Medium;

use super::agent::{Agent, AgentIndex, Capacity, Held, HeldKind};
use super::line::{MEDIA, Place, Service, ServiceIndex};
use super::{Desk, Job, Standing};

impl Desk {
    /// All that is needed to go on later; the same as all changes told so far amount to.
    pub fn snapshot(&self) -> Snapshot {
        let learnt = |service: &&Service| service.lasts_ms.iter().any(Option::is_some);
        Snapshot {
            works: self.works.values().map(|job| job.record.clone()).collect(),
            agents: self
                .agents
                .iter()
                .map(|agent| agent.record.clone())
                .filter(|record| *record != AgentRecord::new(record.id.clone()))
                .collect(),
            services: self
                .services
                .iter()
                .filter(learnt)
                .map(Service::record)
                .collect(),
            offer_last: OfferId(self.offer_next - 1),
        }
    }

    /// Takes new rules. Places, offers and work in hand stay as they are where the service and the
    /// agent still exist.
    pub fn set_rules(&mut self, now: Instant, rules: Rules) {
        self.turn(now, |desk, at| {
            for index in (0..desk.agents.len()).map(AgentIndex) {
                if !rules.agents.contains_key(&desk.agents[index.0].record.id) {
                    desk.leave(at, index);
                }
            }
            // The indexes of this turn mean other agents in a moment.
            desk.tell();
            let snapshot = desk.snapshot();
            desk.load(at, rules, snapshot);
        });
    }

    /// Takes in that the program was started again: nobody is connected yet, nothing rings, and
    /// no customer is being called back. Calls that died with the program end by
    /// [`Desk::handle_over`].
    pub fn handle_restart(&mut self, now: Instant) {
        self.turn(now, |desk, at| {
            for index in (0..desk.agents.len()).map(AgentIndex) {
                desk.end_offers_of(at, index, OfferEnd::Restart);
                let until = at.saturating_add(desk.rules.restart_grace_ms.max(0));
                let record = &mut desk.agents[index.0].record;
                if record.presence != Presence::Offline && record.lost_until_ms.is_none() {
                    record.lost_until_ms = Some(until);
                    desk.presence_changed(index);
                }
            }
            let calling: Vec<u64> = desk
                .works
                .iter()
                .filter(|(_, job)| matches!(job.record.state, WorkState::CallingBack { .. }))
                .map(|(seq, _)| *seq)
                .collect();
            for seq in calling {
                desk.return_to_line(at, seq, WhyReturned::NotReached);
            }
        });
    }

    /// Begins the agents' counts anew. Called at midnight where the company is.
    pub fn handle_new_day(&mut self, now: Instant) {
        self.turn(now, |desk, _| {
            for index in (0..desk.agents.len()).map(AgentIndex) {
                if desk.agents[index.0].record.handled > 0 {
                    desk.agents[index.0].record.handled = 0;
                    desk.touch_agent(index);
                }
            }
        });
    }

    /// Makes services, agents and indexes from `rules`, and fills them from `snapshot`.
    pub(super) fn load(&mut self, at: i64, mut rules: Rules, snapshot: Snapshot) {
        self.capacity = Capacity::new(&rules);
        self.timers.clear();
        self.free
            .iter_mut()
            .for_each(std::collections::BTreeSet::clear);
        self.works.clear();
        self.work_index.clear();
        self.offer_index.clear();
        self.consults.clear();
        self.offer_next = self.offer_next.max(snapshot.offer_last.0 + 1);
        self.load_services(std::mem::take(&mut rules.services), &snapshot);
        self.load_agents(&mut rules, snapshot.agents);
        self.rules = rules;
        for record in snapshot.works {
            self.load_work(at, record);
        }
        for index in (0..self.agents.len()).map(AgentIndex) {
            self.index_agent(index);
            self.turn.agents_to_match.insert(index);
        }
        let orphans: Vec<u64> = self
            .works
            .iter()
            .filter(|(_, job)| self.services[job.service.0].gone)
            .filter(|(_, job)| job.record.state.holder().is_none())
            .map(|(seq, _)| *seq)
            .collect();
        for seq in orphans {
            self.close(at, seq, WhyClosed::ServiceGone);
        }
    }

    fn load_services(&mut self, rules: BTreeMap<ServiceId, ServiceRules>, snapshot: &Snapshot) {
        let mut services: BTreeMap<ServiceId, Service> = rules
            .into_iter()
            .map(|(id, rules)| (id.clone(), Service::new(id, rules)))
            .collect();
        for record in &snapshot.works {
            // Whoever still has work of a service that is gone can finish it.
            let id = &record.work.service;
            services.entry(id.clone()).or_insert_with(|| Service {
                gone: true,
                ..Service::new(id.clone(), ServiceRules::default())
            });
        }
        self.services = services.into_values().collect();
        self.service_index = (0..)
            .map(ServiceIndex)
            .zip(&self.services)
            .map(|(index, service)| (service.id.clone(), index))
            .collect();
        for record in &snapshot.services {
            if let Some(index) = self.service_index.get(&record.id) {
                let lasts = record.lasts_ms.iter().take(MEDIA).enumerate();
                for (medium, lasts_ms) in lasts {
                    self.services[index.0].lasts_ms[medium] = *lasts_ms;
                }
            }
        }
    }

    fn load_agents(&mut self, rules: &mut Rules, records: Vec<AgentRecord>) {
        let before = std::mem::take(&mut self.agents);
        let before: BTreeMap<UserId, (u32, bool)> = before
            .into_iter()
            .map(|agent| (agent.record.id, (agent.engaged, agent.page)))
            .collect();
        self.agents = std::mem::take(&mut rules.agents)
            .into_iter()
            .map(|(id, rules)| Agent::new(id, rules))
            .collect();
        for agent in &mut self.agents {
            let known = before.get(&agent.record.id).copied();
            (agent.engaged, agent.page) = known.unwrap_or((0, !rules.pages));
        }
        self.agent_index = (0..)
            .map(AgentIndex)
            .zip(&self.agents)
            .map(|(index, agent)| (agent.record.id.clone(), index))
            .collect();
        for record in records {
            if let Some(index) = self.agent_index.get(&record.id) {
                self.agents[index.0].record = record;
            }
        }
        for index in (0..self.agents.len()).map(AgentIndex) {
            let agent = &mut self.agents[index.0];
            let known = agent.rules.services.iter();
            agent.services = known
                .filter_map(|service| self.service_index.get(service).copied())
                .collect();
            for service in &agent.services {
                self.services[service.0].members.push(index);
            }
        }
    }

    fn load_work(&mut self, at: i64, mut record: WorkRecord) {
        let Some(service) = self.service_index.get(&record.work.service).copied() else {
            return;
        };
        let seq = record.seq;
        self.seq_next = self.seq_next.max(seq + 1);
        match self.mend(&mut record) {
            Mended::Nothing => {}
            Mended::Returned => {
                self.turn.works.insert(seq);
            }
            Mended::Over => {
                self.turn.removed.push(record.work.id);
                return;
            }
        }
        self.work_index.insert(record.work.id.clone(), seq);
        if let Some(about) = &record.about {
            self.consults.insert(about.clone(), seq);
        }
        self.hold_again(&record);
        let in_line = matches!(record.state, WorkState::Waiting | WorkState::Offered(_));
        let waiting = record.state == WorkState::Waiting;
        let place = self.place(service, &record);
        let job = Job {
            record,
            service,
            place,
            standing: Standing::Out,
            due: None,
        };
        self.works.insert(seq, job);
        if in_line {
            self.services[service.0].line.enter(place);
        }
        if waiting {
            self.stand(at, seq);
        } else if in_line {
            self.stand_offered(seq);
        }
        self.reschedule_work(seq);
    }

    /// Returns to the line what is with agents who do not exist any more.
    fn mend(&self, record: &mut WorkRecord) -> Mended {
        let known = |agent: &UserId| self.agent_index.contains_key(agent);
        match &mut record.state {
            WorkState::Offered(offers) if offers.iter().all(|offer| known(&offer.agent)) => {
                Mended::Nothing
            }
            WorkState::Offered(offers) => {
                offers.retain(|offer| known(&offer.agent));
                if offers.is_empty() {
                    record.state = WorkState::Waiting;
                }
                Mended::Returned
            }
            WorkState::WrapUp { agent, .. } if !known(agent) => Mended::Over,
            WorkState::CallingBack { agent, .. } | WorkState::Handling { agent, .. }
                if !known(agent) =>
            {
                record.state = WorkState::Waiting;
                Mended::Returned
            }
            WorkState::CallingBack { .. }
            | WorkState::Handling { .. }
            | WorkState::WrapUp { .. }
            | WorkState::Waiting
            | WorkState::Resting { .. }
            | WorkState::Scheduled { .. } => Mended::Nothing,
        }
    }

    fn hold_again(&mut self, record: &WorkRecord) {
        let medium: Medium = record.work.medium;
        let mut hold = |agent: &UserId, kind| {
            if let Some(index) = self.agent_index.get(agent) {
                let held = Held { medium, kind };
                self.agents[index.0].held.insert(record.seq, held);
            }
        };
        match &record.state {
            WorkState::Offered(offers) => {
                for offer in offers {
                    hold(&offer.agent, HeldKind::Offered(offer.id));
                }
                for offer in offers {
                    self.offer_index.insert(offer.id, record.seq);
                }
            }
            WorkState::CallingBack { agent, .. } | WorkState::Handling { agent, .. } => {
                hold(agent, HeldKind::InHand);
            }
            WorkState::WrapUp { agent, .. } => hold(agent, HeldKind::WrapUp),
            WorkState::Waiting | WorkState::Resting { .. } | WorkState::Scheduled { .. } => {}
        }
    }

    /// The place of a work in the line of `service`.
    pub(super) fn place(&self, service: ServiceIndex, record: &WorkRecord) -> Place {
        let points = i64::from(self.points(service, record));
        Place {
            key_ms: record
                .work
                .arrived_ms
                .saturating_sub(points.saturating_mul(self.rules.point_ms.max(0))),
            seq: record.seq,
        }
    }

    /// All points of priority of a work in `service`.
    pub(super) fn points(&self, service: ServiceIndex, record: &WorkRecord) -> i32 {
        let priority = record.work.priority;
        i32::from(self.services[service.0].rules.priority)
            + i32::from(priority.contact)
            + i32::from(priority.number)
    }
}

impl Service {
    pub(super) fn record(&self) -> ServiceRecord {
        ServiceRecord {
            id: self.id.clone(),
            lasts_ms: self.lasts_ms.to_vec(),
        }
    }
}

impl AgentRecord {
    /// An agent of whom nothing is known yet.
    pub(super) fn new(id: UserId) -> Self {
        Self {
            id,
            presence: Presence::Offline,
            lost_until_ms: None,
            idle_since_ms: 0,
            handled: 0,
            last_offer: OfferId(0),
            lapses: 0,
        }
    }
}

/// What a record needed that was loaded beside other rules than it was saved beside.
enum Mended {
    Nothing,
    Returned,
    Over,
}

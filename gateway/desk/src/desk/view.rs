//! What can be asked of a desk.

use std::time::Instant;

use crate::change::{Presence, WorkRecord};
use crate::decision::Decision;
use crate::id::{ServiceId, UserId, WorkId};
use crate::output::{InHand, Status};
use crate::rules::CAPACITY;
use crate::work::Medium;

use super::Desk;
use super::agent::HeldKind;
use super::line::ServiceIndex;

/// How long work is taken to last before the first has ended, in milliseconds: a usual call.
const LASTS_MS: i64 = 180_000;

/// A service as a supervisor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceStatus {
    /// How many are in the line, those who are being offered and those who are to be called back
    /// too.
    pub waiting: usize,
    /// How long the one who came first has waited, in milliseconds.
    pub longest_ms: i64,
    /// How many of its agents are there, busy or not.
    pub available: usize,
    /// How many of its agents are paused.
    pub paused: usize,
    /// How long a call that came now would probably wait, in milliseconds; nothing when nobody is
    /// there.
    pub expected_ms: Option<i64>,
}

impl Desk {
    /// The place of a work in its line among those of its medium, 1 being the next: who calls does not
    /// wait for what is written. Who is being offered still has a place.
    pub fn position(&self, work: &WorkId) -> Option<usize> {
        let job = self.job(self.seq(work).ok()?);
        let medium = job.record.work.medium;
        let before = self.services[job.service.0].line.up_to(job.place)?;
        let alike = before.filter(|place| self.job(place.seq).record.work.medium == medium);
        Some(alike.count())
    }

    /// How long a work will probably wait yet, in milliseconds: as many as stand before it, at the
    /// pace at which the agents who are there end theirs. Nothing when nobody is there.
    ///
    /// It may go up when agents leave or urgent work comes; whoever speaks it must not say so.
    pub fn expected_wait_ms(&self, work: &WorkId) -> Option<i64> {
        let job = self.job(self.seq(work).ok()?);
        let medium = job.record.work.medium;
        self.expected_at(job.service, medium, self.position(work)?)
    }

    /// How long who stands at `position` of a line will probably wait, in milliseconds.
    fn expected_at(&self, service: ServiceIndex, medium: Medium, position: usize) -> Option<i64> {
        let position = i64::try_from(position).ok()?;
        let service = &self.services[service.0];
        let there = service.members.iter();
        let there = there
            .filter(|index| self.agents[index.0].takes_work())
            .count();
        let each = i64::from((CAPACITY / self.capacity.cost(medium)).max(1));
        let side_by_side = i64::try_from(there).ok()?.saturating_mul(each);
        if side_by_side == 0 {
            return None;
        }
        let lasts = service.lasts_ms[medium as usize].unwrap_or(LASTS_MS);
        Some(position.saturating_mul(lasts) / side_by_side)
    }

    /// How long a work has waited in its present line by `now`, in milliseconds.
    pub fn waited_ms(&self, now: Instant, work: &WorkId) -> Option<i64> {
        let job = self.job(self.seq(work).ok()?);
        self.position(work)?;
        let at = self.clock.at(now);
        Some(at.saturating_sub(job.record.wait.entered_ms).max(0))
    }

    /// How many are in the line of a service.
    pub fn length(&self, service: &ServiceId) -> usize {
        let index = self.service(service).ok();
        index.map_or(0, |index| self.services[index.0].line.length())
    }

    /// A work, wherever it stands.
    pub fn work(&self, work: &WorkId) -> Option<&WorkRecord> {
        Some(&self.job(self.seq(work).ok()?).record)
    }

    /// The works in the line of a service, in order of their places.
    pub fn line(&self, service: &ServiceId) -> impl Iterator<Item = &WorkRecord> {
        let index = self.service(service).ok();
        let service = index.map(|index| &self.services[index.0]);
        let places = service
            .into_iter()
            .flat_map(|service| service.line.places());
        places.map(|place| &self.job(place.seq).record)
    }

    /// A service as a supervisor sees it at `now`.
    pub fn service_status(&self, now: Instant, service: &ServiceId) -> Option<ServiceStatus> {
        let at = self.clock.at(now);
        let index = self.service(service).ok()?;
        let service = &self.services[index.0];
        let next = service.line.length() + 1;
        let somebody_free = service.members.iter().any(|agent| {
            let agent = &self.agents[agent.0];
            agent.takes_work() && agent.has_room(Medium::Phone, &self.capacity)
        });
        let expected_ms = if somebody_free && next == 1 {
            Some(0)
        } else {
            self.expected_at(index, Medium::Phone, next)
        };
        let arrivals = service.line.places();
        let first = arrivals
            .map(|place| self.job(place.seq).record.work.arrived_ms)
            .min();
        let agents = || service.members.iter().map(|index| &self.agents[index.0]);
        let paused =
            agents().filter(|agent| matches!(agent.record.presence, Presence::Paused { .. }));
        Some(ServiceStatus {
            waiting: service.line.length(),
            longest_ms: first.map_or(0, |first| at.saturating_sub(first)),
            available: agents().filter(|agent| agent.takes_work()).count(),
            paused: paused.count(),
            expected_ms,
        })
    }

    /// What an agent is doing.
    pub fn status(&self, agent: &UserId) -> Option<Status> {
        let agent = &self.agents[self.agent(agent).ok()?.0];
        let in_hand = agent.held.iter().map(|(seq, held)| {
            let record = &self.job(*seq).record;
            InHand {
                work: record.work.id.clone(),
                interaction: record.work.interaction.clone(),
                service: record.work.service.clone(),
                arrived_ms: record.work.arrived_ms,
                medium: held.medium,
                doing: match held.kind {
                    HeldKind::Offered(_) => "offered",
                    HeldKind::InHand | HeldKind::WrapUp => record.state.name(),
                },
            }
        });
        Some(Status {
            presence: agent.record.presence.clone(),
            lost_until_ms: agent.record.lost_until_ms,
            in_hand: in_hand.collect(),
            load: agent.load(&self.capacity),
        })
    }

    /// Why a work has nobody yet: the agents of its service and what keeps each from it. For
    /// what is being offered, the decision that was told says more.
    pub fn explain(&self, now: Instant, work: &WorkId) -> Option<Decision> {
        let seq = self.seq(work).ok()?;
        Some(self.look_at(self.clock.at(now), seq, &[], &[]))
    }
}

//! One agent as the desk keeps them: their record, what they have in hand, what fits beside it.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{AgentRecord, Presence};
use crate::decision::OfferId;
use crate::id::UserId;
use crate::rules::{AgentRules, CAPACITY, Rules};
use crate::work::Medium;

use super::line::{MEDIA, Needs, Place, ServiceIndex};

/// An agent, by their place among the agents in order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct AgentIndex(pub(super) usize);

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) record: AgentRecord,
    pub(super) rules: AgentRules,
    /// Sorted.
    pub(super) services: Vec<ServiceIndex>,
    /// What is offered to them or in their hands, by the number of the work.
    pub(super) held: BTreeMap<u64, Held>,
    /// Whether they see what is offered and is no call.
    pub(super) page: bool,
    /// In how many calls they are that are no work of the desk: they cannot take another.
    pub(super) engaged: u32,
    /// What waits for them alone.
    pub(super) preferred: BTreeSet<Place>,
    /// When the next thing is due with them.
    pub(super) due: Option<i64>,
}

/// Something an agent has in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) medium: Medium,
    pub(super) kind: HeldKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldKind {
    Offered(OfferId),
    InHand,
    WrapUp,
}

/// The rules of capacity, made ready.
#[derive(Debug)]
pub(super) struct Capacity {
    costs: [u32; MEDIA],
    /// `[new][held]`: whether new work does not mind what is held.
    interrupts: [[bool; MEDIA]; MEDIA],
}

impl Capacity {
    pub(super) fn new(rules: &Rules) -> Self {
        let mut capacity = Self {
            costs: [CAPACITY; MEDIA],
            interrupts: [[false; MEDIA]; MEDIA],
        };
        for medium in Medium::ALL {
            capacity.costs[*medium as usize] = rules.costs.of(*medium).clamp(1, CAPACITY);
        }
        for (new, held) in &rules.interrupts {
            for held in held {
                capacity.interrupts[*new as usize][*held as usize] = true;
            }
        }
        capacity
    }

    pub(super) fn cost(&self, medium: Medium) -> u32 {
        self.costs[medium as usize]
    }

    pub(super) fn interrupts(&self, new: Medium, held: Medium) -> bool {
        self.interrupts[new as usize][held as usize]
    }
}

impl Agent {
    pub(super) fn new(id: UserId, rules: AgentRules) -> Self {
        Self {
            record: AgentRecord::new(id),
            rules,
            services: vec![],
            held: BTreeMap::new(),
            page: true,
            engaged: 0,
            preferred: BTreeSet::new(),
            due: None,
        }
    }

    /// Whether they are there and take work.
    pub(super) fn takes_work(&self) -> bool {
        self.record.presence == Presence::Available && self.record.lost_until_ms.is_none()
    }

    pub(super) fn serves(&self, service: ServiceIndex) -> bool {
        self.services.binary_search(&service).is_ok()
    }

    /// What all they have in hand costs.
    pub(super) fn load(&self, capacity: &Capacity) -> u32 {
        let held = self.held.values().map(|held| capacity.cost(held.medium));
        held.sum::<u32>() + self.engagement(capacity)
    }

    /// What a call of their own costs.
    fn engagement(&self, capacity: &Capacity) -> u32 {
        if self.engaged > 0 {
            capacity.cost(Medium::Phone)
        } else {
            0
        }
    }

    /// What they have in hand that new work of `medium` must respect.
    fn load_against(
        &self,
        medium: Medium,
        capacity: &Capacity,
        counts: impl Fn(HeldKind) -> bool,
    ) -> u32 {
        let held = self
            .held
            .values()
            .filter(|held| counts(held.kind) && !capacity.interrupts(medium, held.medium))
            .map(|held| capacity.cost(held.medium));
        let own = if capacity.interrupts(medium, Medium::Phone) {
            0
        } else {
            self.engagement(capacity)
        };
        held.sum::<u32>() + own
    }

    /// Whether work of `medium` fits beside what they have in hand and what rings.
    pub(super) fn has_room(&self, medium: Medium, capacity: &Capacity) -> bool {
        self.sees(medium)
            && self.load_against(medium, capacity, |_| true) + capacity.cost(medium) <= CAPACITY
    }

    /// Whether an offer of `medium` reaches them.
    pub(super) fn sees(&self, medium: Medium) -> bool {
        self.page || medium == Medium::Phone
    }

    /// Whether work of `medium` fits beside what they have in hand, were nothing ringing.
    pub(super) fn has_room_beside_work(&self, medium: Medium, capacity: &Capacity) -> bool {
        let in_hand = |kind| !matches!(kind, HeldKind::Offered(_));
        self.load_against(medium, capacity, in_hand) + capacity.cost(medium) <= CAPACITY
    }

    /// Whether work of `medium` fits only because it may interrupt something.
    pub(super) fn would_interrupt(&self, medium: Medium, capacity: &Capacity) -> bool {
        self.load(capacity) + capacity.cost(medium) > CAPACITY
    }

    /// How well they have a skill; 0 is not at all.
    pub(super) fn level(&self, skill: &crate::id::SkillId) -> u8 {
        self.rules.skills.get(skill).copied().unwrap_or(0)
    }

    pub(super) fn can(&self, needs: &Needs) -> bool {
        needs
            .skills
            .iter()
            .all(|(skill, level)| self.level(skill) >= *level)
    }

    pub(super) fn offers(&self) -> Vec<OfferId> {
        self.held
            .values()
            .filter_map(|held| match held.kind {
                HeldKind::Offered(offer) => Some(offer),
                HeldKind::InHand | HeldKind::WrapUp => None,
            })
            .collect()
    }
}

//! The line of one service, and what is known of the service beside its rules.
//!
//! Works that need the same of an agent stand in one set, in order of their places, and the sets
//! stand in the order of their first. So the best work for an agent is found by looking at the sets
//! in this order until one fits: the cost grows with the different needs of those who came before
//! it, not with the number of those who wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::id::{ServiceId, SkillId};
use crate::rules::{OverflowThen, ServiceRules};
use crate::work::Medium;

use super::agent::AgentIndex;

/// The number of media: each has its own free agents and its own mean duration.
pub(super) const MEDIA: usize = Medium::ALL.len();

/// A service, by its place among the services in order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ServiceIndex(pub(super) usize);

/// A place in a line. It never changes while the work stays in the service, so ageing costs
/// nothing: points of priority are an earlier arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// When the work came, less what its points are worth, in milliseconds since 1970 (UTC).
    pub(super) key_ms: i64,
    /// The order among those of the same moment; names the work, too.
    pub(super) seq: u64,
}

/// What work needs of an agent, as far as it has relaxed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needs {
    pub(super) medium: Medium,
    /// Sorted, each with a level above 0.
    pub(super) skills: Vec<(SkillId, u8)>,
}

/// A service: its rules made ready, its people and its line.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) id: ServiceId,
    pub(super) rules: ServiceRules,
    pub(super) overflow: Vec<(i64, OverflowThen)>,
    /// In order of their ids.
    pub(super) members: Vec<AgentIndex>,
    pub(super) line: Line,
    /// How long work lasts, a running mean for each medium, in milliseconds.
    pub(super) lasts_ms: [Option<i64>; MEDIA],
    /// Whether it does not exist any more; work in hand is finished, nothing waits.
    pub(super) gone: bool,
}

impl Service {
    pub(super) fn new(id: ServiceId, rules: ServiceRules) -> Self {
        Self {
            id,
            overflow: rules.overflow_by_time(),
            rules,
            members: vec![],
            line: Line::default(),
            lasts_ms: [None; MEDIA],
            gone: false,
        }
    }

    /// Takes in how long one more work lasted. The mean follows in about eight works.
    pub(super) fn learn(&mut self, medium: Medium, lasted_ms: i64) {
        let mean = &mut self.lasts_ms[medium as usize];
        *mean = Some(mean.map_or(lasted_ms, |mean| mean + (lasted_ms - mean) / 8));
    }
}

/// Who waits for one service.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// All in the line, those who are being offered too: their place is theirs until they are
    /// answered.
    all: BTreeSet<Place>,
    /// Those who may be offered to anyone who has what they need.
    ready: BTreeMap<Arc<Needs>, BTreeSet<Place>>,
    /// The first of each set of `ready`.
    firsts: BTreeMap<Place, Arc<Needs>>,
    /// Those who ring at all who are free, so that one who becomes free rings too.
    ringing: BTreeSet<Place>,
}

impl Line {
    pub(super) fn enter(&mut self, place: Place) {
        self.all.insert(place);
    }

    pub(super) fn leave(&mut self, place: Place) {
        self.all.remove(&place);
    }

    pub(super) fn length(&self) -> usize {
        self.all.len()
    }

    /// Those who are not behind `place`, itself among them; nothing where nobody has it.
    pub(super) fn up_to(&self, place: Place) -> Option<impl Iterator<Item = Place>> {
        let known = self.all.contains(&place);
        known.then(|| self.all.range(..=place).copied())
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.all.iter().copied()
    }

    pub(super) fn make_ready(&mut self, needs: Needs, place: Place) {
        let needs = match self.ready.get_key_value(&needs) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(needs),
        };
        let set = self.ready.entry(Arc::clone(&needs)).or_default();
        let before = set.first().copied();
        set.insert(place);
        if before.is_none_or(|before| place < before) {
            if let Some(before) = before {
                self.firsts.remove(&before);
            }
            self.firsts.insert(place, needs);
        }
    }

    pub(super) fn unready(&mut self, needs: &Needs, place: Place) {
        let Some(set) = self.ready.get_mut(needs) else {
            return;
        };
        set.remove(&place);
        let next = set.first().copied();
        if let Some(needs) = self.firsts.remove(&place)
            && let Some(next) = next
        {
            self.firsts.insert(next, needs);
        }
        if next.is_none() {
            self.ready.remove(needs);
        }
    }

    /// What stands in sets of equal needs, the set with the earliest place first.
    pub(super) fn ready(&self) -> impl Iterator<Item = (Place, &Needs)> {
        self.firsts.iter().map(|(place, needs)| (*place, &**needs))
    }

    /// The places of those with these needs, in order.
    pub(super) fn ready_with(&self, needs: &Needs) -> impl Iterator<Item = Place> {
        self.ready.get(needs).into_iter().flatten().copied()
    }

    pub(super) fn ring(&mut self, place: Place) {
        self.ringing.insert(place);
    }

    pub(super) fn unring(&mut self, place: Place) {
        self.ringing.remove(&place);
    }

    pub(super) fn ringing(&self) -> impl Iterator<Item = Place> {
        self.ringing.iter().copied()
    }
}

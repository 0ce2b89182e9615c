//! A store in memory: groups of changes become durable in order, some time after they were given.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use desk::id::InteractionId;
use desk::record::{Change, TrailEntry, TrailKind};
use exchange::voice::CallKey;
use rand::Rng;
use rand::rngs::StdRng;

/// What the store does with a group that opens calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It is taken.
    Yes,
    /// There is no room: the changes stay where they are, the calls are refused.
    No,
}

/// A group under way.
struct Group {
    due: Instant,
    changes: Vec<Change>,
    opening: Vec<CallKey>,
    /// The disk is full: nothing of it is kept.
    fails: bool,
}

/// One interaction, as remembered.
#[derive(Default)]
struct Remembered {
    trail: Vec<TrailEntry>,
    ended: bool,
}

/// What came of a group.
pub(super) enum Came {
    /// The records of these calls are durable, with these protocol numbers.
    Opened(Vec<(CallKey, String)>),
    /// The records of these calls were lost.
    NotOpened(Vec<CallKey>),
}

/// The store.
pub(super) struct Store {
    refuse_permille: u32,
    groups: VecDeque<Group>,
    interactions: BTreeMap<InteractionId, Remembered>,
    /// Interactions whose opening was lost: nothing more of them is expected to be kept.
    lost: BTreeSet<InteractionId>,
    protocols: u64,
}

impl Store {
    pub(super) fn new(refuse_permille: u32) -> Self {
        Self {
            refuse_permille,
            groups: VecDeque::new(),
            interactions: BTreeMap::new(),
            lost: BTreeSet::new(),
            protocols: 0,
        }
    }

    /// Whether a group that opens calls finds room.
    pub(super) fn room(&self, random: &mut StdRng) -> Room {
        if random.random_range(0..1000) < self.refuse_permille {
            Room::No
        } else {
            Room::Yes
        }
    }

    pub(super) fn hand_over(
        &mut self,
        now: Instant,
        changes: Vec<Change>,
        opening: Vec<CallKey>,
        random: &mut StdRng,
    ) {
        let wait = Duration::from_millis(random.random_range(1..200));
        let before = self.groups.back().map_or(now, |group| group.due);
        let fails = !opening.is_empty() && random.random_range(0..1000) < self.refuse_permille;
        self.groups.push_back(Group {
            due: before.max(now + wait),
            changes,
            opening,
            fails,
        });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.groups.front().map(|group| group.due)
    }

    /// Writes the next group that is due.
    pub(super) fn commit(&mut self, now: Instant) -> Option<Came> {
        let group = self.groups.pop_front_if(|group| group.due <= now)?;
        for change in group.changes {
            if group.fails {
                self.lose(&change);
            } else {
                self.apply(change);
            }
        }
        if group.fails {
            return Some(Came::NotOpened(group.opening));
        }
        let mut opened = Vec::new();
        for call in group.opening {
            self.protocols += 1;
            opened.push((call, format!("20261123{:06}", self.protocols)));
        }
        Some(Came::Opened(opened))
    }

    /// Whether this interaction would survive a power cut.
    pub(super) fn is_durable(&self, interaction: &InteractionId) -> bool {
        self.interactions.contains_key(interaction)
    }

    fn lose(&mut self, change: &Change) {
        // Whatever it was, the story of this interaction has a hole from here on.
        let interaction = match change {
            Change::InteractionOpened(opened) => opened.id.clone(),
            Change::InteractionUpdated { interaction, .. }
            | Change::InteractionEnded { interaction, .. } => interaction.clone(),
            Change::VoiceMessageLeft(message) => message.interaction.clone(),
            Change::SurveyAnswered(answer) => answer.interaction.clone(),
            Change::Outbound(outbound) => outbound.interaction().clone(),
            Change::SipLadder(ladder) => ladder.interaction.clone(),
        };
        self.lost.insert(interaction);
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::InteractionOpened(opened) => {
                let before = self.interactions.insert(opened.id, Remembered::default());
                assert!(before.is_none(), "opened twice");
            }
            Change::InteractionUpdated {
                interaction, trail, ..
            } => {
                if let Some(known) = self.known(&interaction) {
                    assert!(!known.ended, "lines behind the end: {trail:?}");
                    known.trail.extend(trail);
                }
            }
            Change::InteractionEnded {
                interaction,
                end,
                trail,
                ..
            } => {
                if let Some(known) = self.known(&interaction) {
                    assert!(!known.ended, "ended twice: {end:?}");
                    known.ended = true;
                    known.trail.extend(trail);
                }
            }
            Change::VoiceMessageLeft(message) => {
                self.known(&message.interaction);
            }
            Change::SurveyAnswered(answer) => {
                self.known(&answer.interaction);
            }
            Change::Outbound(outbound) => {
                self.known(outbound.interaction());
            }
            Change::SipLadder(ladder) => {
                self.known(&ladder.interaction);
            }
        }
    }

    /// The interaction that a change is of: known, unless its opening was lost.
    fn known(&mut self, interaction: &InteractionId) -> Option<&mut Remembered> {
        if self.lost.contains(interaction) {
            return None;
        }
        let known = self.interactions.get_mut(interaction);
        assert!(known.is_some(), "a change of a stranger {interaction:?}");
        known
    }

    /// What must be true when the world has come to rest. Returns how many interactions there are.
    pub(super) fn check(&self) -> usize {
        assert!(self.groups.is_empty(), "changes are on their way for ever");
        for (interaction, known) in &self.interactions {
            if self.lost.contains(interaction) {
                continue;
            }
            assert!(known.ended, "{interaction:?} has no end");
            for (seq, entry) in known.trail.iter().enumerate() {
                assert_eq!(entry.seq as usize, seq, "a gap: {:?}", known.trail);
                let is_last = seq + 1 == known.trail.len();
                let is_end = entry.kind == TrailKind::Ended;
                assert_eq!(is_last, is_end, "{:?}", known.trail);
            }
            assert!(!known.trail.is_empty(), "{interaction:?} has no trail");
        }
        self.interactions.len()
    }
}

//! Who is on the line of a call, and who hears whom.
//!
//! ```text
//!  together   customer ◀▶ agent ◀▶ guest …      supervisor hears; is heard by nobody, by agents, by all
//!  aside      agent ◀▶ colleague                what is asked there the customer does not hear
//!  held       hears music
//! ```
//!
//! Whatever is done to a call changes where somebody is; who hears whom follows from that, and the
//! media are told what has changed.

use std::collections::{BTreeMap, BTreeSet};

use desk::id::{PromptId, UserId};
use media_engine::leg::{LegId, PlayId};

use crate::clip::Clip;

use super::Shared;
use super::output::MediaCommand;

/// Those who are on the line of a call.
#[derive(Debug, Default)]
pub(super) struct Talk {
    parties: BTreeMap<LegId, Party>,
    /// What the media were told last.
    told: BTreeMap<LegId, Heard>,
}

/// Somebody on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) role: Role,
    pub(super) place: Place,
    /// Nobody hears them.
    pub(super) muted: bool,
    /// Their phone has put the call on hold.
    pub(super) away: bool,
}

/// What somebody does on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The one for whom there is a call.
    Customer,
    /// Handles it, or is asked about it.
    Agent(UserId),
    /// Somebody outside of the desk: a device or a number.
    Guest,
    /// Watches over it.
    Supervisor(UserId, Attention),
}

/// How a supervisor takes part in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Hears all who are together, and is heard by nobody.
    Listen,
    /// Is heard by agents, and not by the customer.
    Whisper,
    /// Is heard by all.
    Barge,
}

/// With whom somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// With the customer.
    Together,
    /// With the one whom they ask about the call.
    Aside,
    /// With nobody: they hear music.
    Held,
}

/// What somebody hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Heard {
    of: BTreeSet<LegId>,
    music: bool,
}

impl Party {
    pub(super) fn new(role: Role, place: Place) -> Self {
        Self {
            role,
            place,
            muted: false,
            away: false,
        }
    }

    /// Whether `other`, who is in the same place, has them for company.
    pub(super) fn is_with(&self, other: &Self) -> bool {
        let is_meant = match (&self.role, &other.role) {
            (Role::Supervisor(_, Attention::Listen), _) => false,
            (Role::Supervisor(_, Attention::Whisper), other) => matches!(other, Role::Agent(_)),
            (
                Role::Supervisor(_, Attention::Barge)
                | Role::Customer
                | Role::Agent(_)
                | Role::Guest,
                _,
            ) => true,
        };
        // What a customer's phone sends while it holds us is theirs to hear: a colleague, music.
        let is_ours = matches!(self.role, Role::Agent(_) | Role::Supervisor(..));
        is_meant && !(self.away && is_ours)
    }

    /// Whether they are left to music when they hear nobody.
    fn is_guest_of_ours(&self) -> bool {
        matches!(self.role, Role::Customer | Role::Guest)
    }
}

impl Talk {
    /// Somebody is on the line, in place of what was known of their leg.
    pub(super) fn enter(&mut self, leg: LegId, party: Party) {
        self.parties.insert(leg, party);
    }

    /// Somebody is off the line.
    pub(super) fn leave(&mut self, leg: LegId) -> Option<Party> {
        self.told.remove(&leg);
        self.parties.remove(&leg)
    }

    pub(super) fn get(&self, leg: LegId) -> Option<&Party> {
        self.parties.get(&leg)
    }

    pub(super) fn get_mut(&mut self, leg: LegId) -> Option<&mut Party> {
        self.parties.get_mut(&leg)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LegId, &Party)> {
        self.parties.iter().map(|(leg, party)| (*leg, party))
    }

    /// Puts everybody who is somewhere else together.
    pub(super) fn gather(&mut self) {
        for party in self.parties.values_mut() {
            party.place = Place::Together;
        }
    }

    /// The leg of an agent.
    pub(super) fn leg_of(&self, agent: &UserId) -> Option<LegId> {
        let mut parties = self.parties.iter();
        let is_theirs = |party: &Party| matches!(&party.role, Role::Agent(user) | Role::Supervisor(user, _) if user == agent);
        parties.find_map(|(leg, party)| is_theirs(party).then_some(*leg))
    }

    fn hears(&self, leg: LegId, listener: &Party) -> Heard {
        let near = self.parties.iter().filter(|(other, party)| {
            listener.place != Place::Held
                && **other != leg
                && party.place == listener.place
                && party.is_with(listener)
        });
        let (mut of, mut is_alone) = (BTreeSet::new(), true);
        for (other, party) in near {
            is_alone = false;
            if !party.muted {
                of.insert(*other);
            }
        }
        let music = is_alone && listener.is_guest_of_ours() && self.parties.len() > 1;
        Heard { of, music }
    }

    /// Tells the media what has changed.
    pub(super) fn settle(&mut self, music: Option<&PromptId>, shared: &mut Shared) {
        let mut told = std::mem::take(&mut self.told);
        for (leg, party) in &self.parties {
            let heard = self.hears(*leg, party);
            let before = told.entry(*leg).or_default();
            if *before == heard {
                continue;
            }
            if before.music && !heard.music {
                shared.media(*leg, MediaCommand::Stop);
            }
            if before.of != heard.of {
                let sources = heard.of.iter().copied().collect();
                shared.media(*leg, MediaCommand::Hear(sources));
            }
            if heard.music && !before.music {
                let clip = music.cloned().map_or(Clip::Music, Clip::Prompt);
                let play = MediaCommand::Play {
                    play: HOLD_MUSIC,
                    clips: vec![clip],
                    repeat: true,
                };
                shared.media(*leg, play);
            }
            *before = heard;
        }
        self.told = told;
    }

    /// The customer is alone with a flow, or waits: what they hear is not for this to say.
    pub(super) fn alone(&mut self, customer: LegId, shared: &mut Shared) {
        self.parties.retain(|leg, _| *leg == customer);
        if let Some(party) = self.parties.get_mut(&customer) {
            party.place = Place::Together;
        }
        self.settle(None, shared);
    }
}

/// The music of those who are held; what a flow plays counts from 1.
pub(super) const HOLD_MUSIC: PlayId = PlayId(0);

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: LegId = LegId(1);
    const ANA: LegId = LegId(2);
    const BRUNO: LegId = LegId(3);
    const CHIEF: LegId = LegId(4);

    fn agent(name: &str) -> Role {
        Role::Agent(name.parse().expect("an id"))
    }

    fn chief(attention: Attention) -> Role {
        Role::Supervisor("chief".parse().expect("an id"), attention)
    }

    fn talk(parties: &[(LegId, Role, Place)]) -> Talk {
        let mut talk = Talk::default();
        for (leg, role, place) in parties {
            talk.enter(*leg, Party::new(role.clone(), *place));
        }
        talk
    }

    fn heard(talk: &Talk, leg: LegId) -> Vec<u64> {
        let heard = talk.hears(leg, talk.get(leg).expect("a party"));
        heard.of.iter().map(|leg| leg.0).collect()
    }

    fn has_music(talk: &Talk, leg: LegId) -> bool {
        talk.hears(leg, talk.get(leg).expect("a party")).music
    }

    #[test]
    fn those_who_are_together_hear_each_other_and_nobody_themselves() {
        let talk = talk(&[
            (CUSTOMER, Role::Customer, Place::Together),
            (ANA, agent("ana"), Place::Together),
            (BRUNO, Role::Guest, Place::Together),
        ]);
        assert_eq!(heard(&talk, CUSTOMER), [2, 3]);
        assert_eq!(heard(&talk, ANA), [1, 3]);
        assert_eq!(heard(&talk, BRUNO), [1, 2]);
    }

    #[test]
    fn a_customer_does_not_hear_what_is_asked_aside_but_music() {
        let talk = talk(&[
            (CUSTOMER, Role::Customer, Place::Held),
            (ANA, agent("ana"), Place::Aside),
            (BRUNO, agent("bruno"), Place::Aside),
        ]);
        assert_eq!(heard(&talk, CUSTOMER), [0; 0]);
        assert!(has_music(&talk, CUSTOMER));
        assert_eq!(heard(&talk, ANA), [3]);
        assert!(!has_music(&talk, ANA));
    }

    #[test]
    fn a_supervisor_is_heard_by_whom_they_mean_to_be() {
        for (attention, customer, ana) in [
            (Attention::Listen, &[2][..], &[1][..]),
            (Attention::Whisper, &[2], &[1, 4]),
            (Attention::Barge, &[2, 4], &[1, 4]),
        ] {
            let talk = talk(&[
                (CUSTOMER, Role::Customer, Place::Together),
                (ANA, agent("ana"), Place::Together),
                (CHIEF, chief(attention), Place::Together),
            ]);
            assert_eq!(heard(&talk, CUSTOMER), customer, "{attention:?}");
            assert_eq!(heard(&talk, ANA), ana, "{attention:?}");
            assert_eq!(heard(&talk, CHIEF), [1, 2], "{attention:?}");
        }
    }

    #[test]
    fn an_agent_whose_phone_holds_leaves_the_customer_to_music_and_a_muted_one_does_not() {
        let mut talk = talk(&[
            (CUSTOMER, Role::Customer, Place::Together),
            (ANA, agent("ana"), Place::Together),
        ]);
        talk.get_mut(ANA).expect("a party").away = true;
        assert!(has_music(&talk, CUSTOMER));
        let ana = talk.get_mut(ANA).expect("a party");
        (ana.away, ana.muted) = (false, true);
        assert_eq!(heard(&talk, CUSTOMER), [0; 0]);
        assert!(!has_music(&talk, CUSTOMER));
        assert_eq!(heard(&talk, ANA), [1]);
        // A customer who holds us is heard: their music is theirs.
        talk.get_mut(CUSTOMER).expect("a party").away = true;
        assert_eq!(heard(&talk, ANA), [1]);
    }
}

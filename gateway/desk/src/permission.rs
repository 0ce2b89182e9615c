//! What people may do: how far, in which areas, about whose customers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

crate::words! {
    /// What there is to do something with.
    Area {
        /// Records of interactions, and what was written in them.
        Interactions = "interactions",
        /// Recordings of calls, and messages that callers left.
        Recordings = "recordings",
        /// The lines and the people at work, as they are now: to see them is to watch; to change them is
        /// to listen, to move who waits, to have agents pause.
        Desk = "desk",
        /// Figures of what was.
        Reports = "reports",
        /// Who the customers are, beyond those whom one serves.
        Contacts = "contacts",
        /// Services, their hours, skills, pauses, quick replies.
        Services = "services",
        /// What callers and those who write are told and asked: flows and prompts.
        Flows = "flows",
        /// Numbers, carriers, devices, and the channels of what is written.
        Channels = "channels",
        /// The people and what they may do.
        People = "people",
        /// Keys and webhooks of other systems.
        Integrations = "integrations",
        /// Who changed what.
        Audit = "audit",
        /// The company itself.
        Company = "company",
    }
}

crate::words! {
    /// How far somebody may go in an area; each step includes those before.
    Level {
        /// What is their own work.
        Own = "own",
        /// Everything is seen.
        View = "view",
        /// Everything is changed.
        Change = "change",
    }
}

crate::words! {
    /// About whose customers, beyond one's own.
    Scope {
        /// Those of the services that one takes work of.
        Services = "services",
        /// All.
        All = "all",
    }
}

/// What is allowed in one area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// How far.
    pub level: Level,
    /// About whose customers.
    #[serde(default = "all")]
    pub scope: Scope,
}

fn all() -> Scope {
    Scope::All
}

impl Grant {
    /// What is one's own, and nothing else.
    pub const OWN: Self = Self {
        level: Level::Own,
        scope: Scope::All,
    };

    /// Whether it allows everything that `other` does.
    fn covers(self, other: Self) -> bool {
        let is_wide = self.scope == Scope::All || other.scope == Scope::Services;
        other.level == Level::Own || (self.level >= other.level && is_wide)
    }
}

/// What somebody may do. In areas that are not named it is [`Grant::OWN`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(pub BTreeMap<Area, Grant>);

impl Permissions {
    /// The same level in all areas, about all customers.
    pub fn everywhere(level: Level) -> Self {
        let grant = Grant {
            level,
            scope: Scope::All,
        };
        Self(Area::ALL.iter().map(|area| (*area, grant)).collect())
    }

    /// The same but for one area, about all customers.
    #[must_use]
    pub fn but(mut self, area: Area, level: Level) -> Self {
        let scope = Scope::All;
        self.0.insert(area, Grant { level, scope });
        self
    }

    /// What is allowed in an area.
    pub fn of(&self, area: Area) -> Grant {
        self.0.get(&area).copied().unwrap_or(Grant::OWN)
    }

    /// Whether they allow everything that `others` do: nobody gives what they do not have.
    pub fn cover(&self, others: &Self) -> bool {
        Area::ALL
            .iter()
            .all(|area| self.of(*area).covers(others.of(*area)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(area: Area, level: Level, scope: Scope) -> Permissions {
        Permissions([(area, Grant { level, scope })].into())
    }

    #[test]
    fn who_may_everything_covers_all_and_is_covered_by_nobody_else() {
        let all = Permissions::everywhere(Level::Change);
        let watches = Permissions::everywhere(Level::View).but(Area::Desk, Level::Change);
        let nothing = Permissions::default();
        assert!(all.cover(&watches) && watches.cover(&nothing) && nothing.cover(&nothing));
        assert!(!watches.cover(&all) && !nothing.cover(&watches));
    }

    #[test]
    fn a_level_about_some_services_does_not_cover_the_same_about_all() {
        let some = only(Area::Reports, Level::View, Scope::Services);
        let all = only(Area::Reports, Level::View, Scope::All);
        let changes = only(Area::Reports, Level::Change, Scope::Services);
        assert!(all.cover(&some) && some.cover(&some) && changes.cover(&some));
        assert!(!some.cover(&all) && !all.cover(&changes) && !changes.cover(&all));
    }

    #[test]
    fn permissions_are_read_as_they_are_written_and_a_scope_may_be_left_out() {
        let text = r#"{"desk":{"level":"change","scope":"services"},"audit":{"level":"view"}}"#;
        let read: Permissions = serde_json::from_str(text).expect("permissions");
        assert_eq!(read.of(Area::Desk).scope, Scope::Services);
        assert_eq!(read.of(Area::Audit).scope, Scope::All);
        assert_eq!(read.of(Area::Flows), Grant::OWN);
        let again = serde_json::to_string(&read).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Permissions>(&again).expect("again"),
            read
        );
        assert!(serde_json::from_str::<Permissions>(r#"{"gossip":{"level":"view"}}"#).is_err());
    }
}

//! Agents who are on the phone without it being work of the desk: a call of their own, a colleague's
//! question, somebody else's call that they watch.

use std::collections::BTreeSet;

use desk::id::UserId;
use ivr::Now;
use media_engine::leg::LegId;

use super::super::Shared;
use super::super::line::Line;
use super::{Call, Stage};

impl Call {
    /// Tells the desk who is on the phone with this call, and who no longer is.
    pub(super) fn engage(&mut self, now: Now, shared: &mut Shared) {
        let engaged = self.on_the_phone(shared);
        if engaged == self.engaged {
            return;
        }
        let before = std::mem::replace(&mut self.engaged, engaged);
        if let Some(desk) = shared.desk(now, &self.facts.company.id) {
            // Whoever is no agent (any more) is not counted there.
            for agent in self.engaged.difference(&before) {
                let _ = desk.handle_engaged(now.instant, agent);
            }
            for agent in before.difference(&self.engaged) {
                let _ = desk.handle_disengaged(now.instant, agent);
            }
        }
    }

    /// Those at its lines for whom it is no work.
    fn on_the_phone(&self, shared: &Shared) -> BTreeSet<UserId> {
        let legs = self.facts.others.iter().chain([&self.facts.leg]);
        let lines = legs.filter_map(|leg| Some((*leg, shared.lines.get(leg)?)));
        let talking = lines.filter(|(_, line)| line.is_up() || line.came_in());
        let works = self.worked_at();
        talking
            .filter(|(leg, _)| !works.contains(&Some(*leg)))
            .filter_map(|(_, line)| self.agent_at(line))
            .collect()
    }

    /// The agent at a line, by who they are or by whose phone it is.
    fn agent_at(&self, line: &Line) -> Option<UserId> {
        let named = line.purpose.agent().cloned();
        named.or_else(|| {
            let device = line.device.as_ref()?;
            self.facts.company.owner(device).cloned()
        })
    }

    /// The lines of those for whom it is work.
    fn worked_at(&self) -> Vec<Option<LegId>> {
        match &self.stage {
            Stage::Handled(handled) => {
                let asked = handled.all_asked();
                let asked = asked.filter(|aside| aside.work.is_some());
                let own = handled.work.as_ref().map(|_| handled.leg);
                asked.map(|aside| aside.leg).chain([own]).collect()
            }
            Stage::Calling(calling) => vec![calling.work.as_ref().map(|_| calling.leg)],
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => vec![],
        }
    }
}

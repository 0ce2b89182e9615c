//! What the desks tell that only people read: lines of trails, with names.

use desk::disposition::{Action, Disposed, Disposition};
use desk::explain::Names;
use desk::id::{CompanyId, DispositionId, ServiceId, UserId, WorkId};
use desk::output::Target;
use desk::record::{Change, InteractionUpdate, TrailKind};
use ivr::Now;
use serde_json::{Value, json};

use crate::directory::Company;

use super::Voice;

impl Voice {
    /// Work waits for another service now.
    pub(super) fn tell_moved(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        (from, to): (&ServiceId, &ServiceId),
    ) {
        let name = |service: &ServiceId| self.named(company, |known| known.service(service));
        let detail = json!({
            "from": from, "from_name": name(from), "to": to, "to_name": name(to),
        });
        self.note_work(now, work, TrailKind::Moved, detail);
        if let Some(interaction) = self.shared.desks.interaction(work).cloned() {
            let update = InteractionUpdate {
                service: Some(to.clone()),
                ..InteractionUpdate::default()
            };
            self.shared.save(Change::InteractionUpdated {
                interaction,
                update: Box::new(update),
                trail: vec![],
            });
        }
    }

    pub(super) fn tell_target(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        (service, target): (&ServiceId, Target),
    ) {
        let name = self.named(company, |known| known.service(service));
        let detail = json!({ "target": target, "service": service, "service_name": name });
        self.note_work(now, work, TrailKind::TargetMissed, detail);
    }

    pub(super) fn tell_wrap_up(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        (agent, until_ms, mandatory): (&UserId, i64, bool),
    ) {
        let name = self.named(company, |known| known.agent(agent));
        let detail = json!({
            "agent": agent, "name": name, "until_ms": until_ms, "mandatory": mandatory,
        });
        self.note_work(now, work, TrailKind::WrapUpBegan, detail);
    }

    pub(super) fn tell_finished(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        (agent, disposed, reopens_ms): (&UserId, Option<&Disposed>, Option<i64>),
        actions: &[Action],
    ) {
        let name = self.named(company, |known| known.agent(agent));
        let mut detail = json!({ "agent": agent, "name": name });
        if let Some(disposed) = disposed {
            let chosen = self.named(company, |known| title(known, &disposed.id));
            detail["disposition"] = json!(disposed.id);
            detail["disposition_name"] = json!(chosen);
            detail["fields"] = json!(disposed.fields);
            detail["note"] = json!(disposed.note);
            detail["actions"] = json!(actions);
        }
        if let Some(reopens_ms) = reopens_ms {
            detail["reopens_ms"] = reopens_ms.into();
        }
        self.note_work(now, work, TrailKind::Finished, detail);
    }

    /// What something is called in a company.
    fn named(&self, company: &CompanyId, name: impl FnOnce(&Company) -> String) -> Value {
        let known = self.shared.directory.companies.get(company);
        known.map_or(Value::Null, |known| name(known).into())
    }
}

/// A disposition with the headings above it: `Venda › Vendido`.
fn title(company: &Company, id: &DispositionId) -> String {
    fn path(tree: &[Disposition], id: &DispositionId) -> Option<String> {
        tree.iter().find_map(|node| {
            if node.id == *id {
                return Some(node.name.clone());
            }
            let below = path(&node.children, id)?;
            Some(format!("{} › {below}", node.name))
        })
    }
    let mut services = company.services.values();
    let found = services.find_map(|service| path(&service.rules.wrap_up.dispositions, id));
    found.unwrap_or_else(|| id.to_string())
}

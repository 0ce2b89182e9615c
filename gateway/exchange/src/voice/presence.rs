//! Whether agents are there: their pages, their phones, their days.
//!
//! An agent is lost, and gone after the grace time, when the last page is closed and the last phone
//! has left. Who never had either and said that they are there is believed: their phone may be
//! anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use desk::change::{PauseReason, Presence};
use desk::id::{CompanyId, DeviceId, UserId};
use desk::output::{DeskError, Status};
use desk::record::Medium;
use desk::work::Customer;
use ivr::Now;
use jiff::tz::TimeZone;

use super::people::Wish;
use super::{Shared, Voice};

/// What connects agents with us.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// How many pages each has open.
    pages: BTreeMap<(CompanyId, UserId), u32>,
    /// The phones that are registered.
    phones: BTreeSet<DeviceId>,
    /// Who lost the last link while they talked: the call is link enough, until it is over.
    doubtful: BTreeSet<(CompanyId, UserId)>,
}

impl Voice {
    /// An agent has opened a page, or has come back to it.
    pub fn agent_connected(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        let key = (company.clone(), agent.clone());
        let pages = self.shared.desks.links.pages.entry(key).or_default();
        *pages = pages.saturating_add(1);
        self.linked(now, company, agent);
        if let Some(desk) = self.shared.desk(now, company) {
            let _ = desk.handle_page(now.instant, agent, true);
        }
        self.attend(now);
    }

    /// A page of an agent is closed, or its connection has broken. As many times as
    /// [`Voice::agent_connected`] was told, this is.
    pub fn agent_connection_lost(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        let key = (company.clone(), agent.clone());
        let pages = &mut self.shared.desks.links.pages;
        if let Some(open) = pages.get_mut(&key) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                pages.remove(&key);
                if let Some(desk) = self.shared.desk(now, company) {
                    let _ = desk.handle_page(now.instant, agent, false);
                }
            }
        }
        self.perhaps_lost(now, company, agent);
        self.attend(now);
    }

    /// A phone has registered: an agent who was lost, or was paused because none could be reached, is
    /// there again.
    pub fn handle_registered(&mut self, now: Now, device: &DeviceId) {
        self.shared.desks.links.phones.insert(device.clone());
        if let Some((company, agent)) = self.owner(device) {
            let desk = self.shared.desk(now, &company);
            let status = desk.and_then(|desk| desk.status(&agent));
            if status.is_some_and(|status| is_unreachable(&status)) {
                let desk = self.shared.desk(now, &company);
                let _ = desk.map(|desk| desk.resume(now.instant, &agent));
            }
            self.linked(now, &company, &agent);
        }
        self.attend(now);
    }

    /// A phone has left, or has not been heard of for as long as it said.
    pub fn handle_unregistered(&mut self, now: Now, device: &DeviceId) {
        if !self.shared.desks.links.phones.remove(device) {
            return;
        }
        if let Some((company, agent)) = self.owner(device) {
            self.perhaps_lost(now, &company, &agent);
        }
        self.attend(now);
    }

    fn owner(&self, device: &DeviceId) -> Option<(CompanyId, UserId)> {
        let company = self.shared.directory.company_of_device(device)?;
        let mut agents = company.agents.iter();
        let (agent, _) = agents.find(|(_, agent)| agent.devices.contains(device))?;
        Some((company.id.clone(), agent.clone()))
    }

    fn linked(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        let key = (company.clone(), agent.clone());
        self.shared.desks.links.doubtful.remove(&key);
        if let Some(desk) = self.shared.desk(now, company) {
            // A page may be anybody's; who is no agent is not known here.
            let _ = desk.handle_connected(now.instant, agent);
        }
    }

    /// A link of an agent is gone: without any other they are lost.
    fn perhaps_lost(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        let key = (company.clone(), agent.clone());
        let known = self.shared.directory.companies.get(company);
        let links = &mut self.shared.desks.links;
        let phone = known.is_some_and(|company| {
            let agent = company.agents.get(agent).into_iter();
            agent.flat_map(|agent| &agent.devices).any(|one| {
                // A phone outside is there as far as anybody knows.
                links.phones.contains(one) || company.outside_phones.contains_key(one)
            })
        });
        if phone || links.pages.contains_key(&key) {
            return;
        }
        let Some(desk) = self.shared.desk(now, company) else {
            return;
        };
        if desk.status(agent).is_some_and(|status| is_talking(&status)) {
            self.shared.desks.links.doubtful.insert(key);
        } else {
            let _ = desk.handle_connection_lost(now.instant, agent);
        }
    }

    /// An agent's talk is over: who had lost every link meanwhile is lost now.
    pub(super) fn talk_over(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        let key = (company.clone(), agent.clone());
        if self.shared.desks.links.doubtful.remove(&key) {
            self.perhaps_lost(now, company, agent);
        }
    }

    /// A supervisor has an agent pause, come back or leave.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAgent`], [`DeskError::NoSuchPause`]; [`DeskError::NotNow`] for a pause of
    /// somebody who is not there.
    pub fn order_presence(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        wish: Wish,
    ) -> Result<(), DeskError> {
        let done = self.present(now, company, agent, wish, PauseReason::Forced);
        self.attend(now);
        done
    }

    /// Does what an agent, or a supervisor for them, wishes.
    pub(super) fn present(
        &mut self,
        now: Now,
        company: &CompanyId,
        agent: &UserId,
        wish: Wish,
        reason: impl FnOnce(desk::id::PauseId) -> PauseReason,
    ) -> Result<(), DeskError> {
        let at = now.instant;
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchAgent)?;
        let status = desk.status(agent).ok_or(DeskError::NoSuchAgent)?;
        match (wish, &status.presence) {
            (Wish::Available, Presence::Paused { .. }) => desk.resume(at, agent),
            (Wish::Available, Presence::Offline | Presence::Available) => desk.log_in(at, agent),
            (Wish::Paused(pause), _) => desk.pause(at, agent, reason(pause)),
            // Nobody is taken off the line: who talks leaves afterwards.
            (Wish::Offline, _) if is_handling(&status) => desk.log_off_when_done(at, agent),
            (Wish::Offline, _) => desk.log_off(at, agent),
        }
    }
}

impl Shared {
    /// Whether the agent whose customer somebody is takes work now.
    pub(super) fn owner_is_there(
        &mut self,
        now: Now,
        company: &CompanyId,
        customer: Option<&Customer>,
    ) -> bool {
        let Some(owner) = customer.and_then(|customer| customer.owner.as_ref()) else {
            return false;
        };
        let status = self.desk(now, company).and_then(|desk| desk.status(owner));
        status.is_some_and(|status| status.presence == Presence::Available)
    }

    /// An agent's phone is in a call that is no work of the desk: nothing rings for them that does
    /// not fit beside it. As many times as this is told, [`Shared::disengage`] is.
    #[expect(
        dead_code,
        reason = "the calls that are no work tell it as soon as they exist"
    )]
    pub(super) fn engage(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        if let Some(desk) = self.desk(now, company) {
            // Whoever is no agent is never rung.
            let _ = desk.handle_engaged(now.instant, agent);
        }
    }

    /// A call of an agent that was no work of the desk is over.
    #[expect(
        dead_code,
        reason = "the calls that are no work tell it as soon as they exist"
    )]
    pub(super) fn disengage(&mut self, now: Now, company: &CompanyId, agent: &UserId) {
        if let Some(desk) = self.desk(now, company) {
            let _ = desk.handle_disengaged(now.instant, agent);
        }
    }
}

/// How long it is until the next day begins in `zone`.
pub(super) fn until_midnight(now: Now, zone: &TimeZone) -> Option<Duration> {
    let today = now.wall.to_zoned(zone.clone());
    let tomorrow = today.tomorrow().ok()?.start_of_day().ok()?;
    let left = tomorrow.timestamp().duration_since(now.wall);
    Duration::try_from(left).ok()
}

/// Whether `at_ms`, milliseconds since 1970 (UTC), is of a day before `now` in `zone`.
pub(super) fn is_of_before(at_ms: i64, now: Now, zone: &TimeZone) -> bool {
    let Ok(at) = jiff::Timestamp::from_millisecond(at_ms) else {
        return true;
    };
    at.to_zoned(zone.clone()).date() < now.wall.to_zoned(zone.clone()).date()
}

fn is_unreachable(status: &Status) -> bool {
    matches!(
        status.presence,
        Presence::Paused {
            reason: PauseReason::Unreachable,
            ..
        }
    )
}

fn is_handling(status: &Status) -> bool {
    status.in_hand.iter().any(|held| held.doing == HANDLING)
}

fn is_talking(status: &Status) -> bool {
    let mut held = status.in_hand.iter();
    held.any(|held| held.doing == HANDLING && held.medium == Medium::Phone)
}

/// The name of the state of work whose customer an agent talks or writes with
/// ([`desk::change::WorkState::name`]).
const HANDLING: &str = "handling";

/// The deadlines of days.
#[derive(Debug, Default)]
pub(super) struct Midnights {
    /// When the day ends where a company is; only of those whose agents have counts to begin anew.
    due: BTreeMap<CompanyId, Instant>,
}

impl Midnights {
    /// Agents of this company have counts that begin anew at midnight.
    pub(super) fn await_of(&mut self, now: Now, company: &CompanyId, zone: &TimeZone) {
        if !self.due.contains_key(company)
            && let Some(left) = until_midnight(now, zone)
        {
            self.due.insert(company.clone(), now.instant + left);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// A company whose day is over.
    pub(super) fn pop(&mut self, now: Instant) -> Option<CompanyId> {
        let mut all = self.due.iter();
        let (company, _) = all.find(|(_, due)| **due <= now)?;
        let company = company.clone();
        self.due.remove(&company);
        Some(company)
    }
}

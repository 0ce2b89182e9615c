//! A supervisor watches a call, speaks to its agent, joins it, or takes it over.

use desk::id::UserId;
use desk::record::TrailKind;
use ivr::Now;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use serde_json::json;

use super::super::Shared;
use super::super::line::{Errand, Purpose};
use super::super::talk::{self, Attention, Place, Role};
use super::orders::OrderError;
use super::{Call, Stage};

impl Call {
    /// A supervisor takes part, or changes how: their phones ring first.
    pub(super) fn attend(
        &mut self,
        now: Now,
        by: &UserId,
        attention: Attention,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        if !matches!(self.stage, Stage::Handled(_)) {
            return Err(OrderError::NotNow("nobody talks with the customer"));
        }
        let leg = self.talk.leg_of(by);
        match leg.and_then(|leg| self.talk.get_mut(leg)) {
            Some(party) => match &mut party.role {
                Role::Supervisor(_, how) => {
                    *how = attention;
                    self.note_supervision(now, by, attention.as_str());
                    Ok(())
                }
                Role::Agent(_) | Role::Customer | Role::Guest => {
                    Err(OrderError::NotNow("you are on the line already"))
                }
            },
            None => self.fetch(now, by, Errand::Attend(attention), shared),
        }
    }

    /// A supervisor has the call in hand from here on; the agent is free to wrap up.
    pub(super) fn take_over(
        &mut self,
        now: Now,
        by: &UserId,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let Stage::Handled(handled) = &self.stage else {
            return Err(OrderError::NotNow("nobody talks with the customer"));
        };
        if handled.agent.as_ref() == Some(by) {
            return Err(OrderError::NotNow("the call is in your hands already"));
        }
        match self.talk.leg_of(by) {
            Some(leg) => {
                self.note_supervision(now, by, "take_over");
                self.change_hands(now, by, leg, shared);
                Ok(())
            }
            None => self.fetch(now, by, Errand::TakeOver, shared),
        }
    }

    /// Whoever has the call in hand goes on with it on another of their phones: the page that was one is gone.
    pub(super) fn bring(
        &mut self,
        now: Now,
        by: &UserId,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        self.in_hand_of(by)?;
        self.fetch(now, by, Errand::Bring, shared)
    }

    /// They have answered there: the phone that they had is silent from here on.
    fn change_phone(&mut self, now: Now, who: &UserId, leg: LegId, shared: &mut Shared) {
        let before = match self.in_hand_of(who) {
            Ok(handled) => handled.leg,
            // It went on to somebody else meanwhile.
            Err(_) => return self.drop_line(now, leg, shared),
        };
        let place = self
            .talk
            .get(before)
            .map_or(Place::Together, |party| party.place);
        self.drop_line(now, before, shared);
        let role = Role::Agent(who.clone());
        self.talk.enter(leg, talk::Party::new(role, place));
        if let Stage::Handled(handled) = &mut self.stage {
            handled.leg = leg;
        }
    }

    fn note_supervision(&mut self, now: Now, by: &UserId, how: &str) {
        let detail = json!({ "by": by, "how": how });
        self.note(now, TrailKind::Supervised, detail);
    }

    /// Rings somebody's own phones.
    fn fetch(
        &mut self,
        now: Now,
        who: &UserId,
        errand: Errand,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let directory = shared.directory.clone();
        let company = directory.companies.get(&self.facts.company.id);
        let devices: Vec<_> = company
            .map(|company| company.devices_of(who).cloned().collect())
            .unwrap_or_default();
        let rung: Vec<LegId> = devices
            .iter()
            .filter_map(|device| {
                let purpose = Purpose::Fetched(who.clone(), errand);
                shared.ring_phone(now, &self.facts, purpose, device, FETCH_RING_MAX)
            })
            .collect();
        if rung.is_empty() {
            return Err(OrderError::NotNow("you have no phone"));
        }
        self.facts.others.extend(rung);
        Ok(())
    }

    /// A phone of a supervisor was answered; their others fall silent.
    pub(in crate::voice) fn handle_fetched_phone(
        &mut self,
        now: Now,
        leg: LegId,
        (who, errand): (UserId, Errand),
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        if errand == Errand::Dial {
            return self.handle_caller_ready(now, leg, agreed, shared);
        }
        let others: Vec<LegId> = self.facts.others.iter().copied().collect();
        for other in others.into_iter().filter(|other| *other != leg) {
            let rings = shared.lines.get(&other).is_some_and(
                |line| matches!(&line.purpose, Purpose::Fetched(user, _) if *user == who),
            );
            if rings {
                self.drop_line(now, other, shared);
            }
        }
        if let Some(line) = shared.lines.get_mut(&leg) {
            line.purpose = Purpose::Agent(who.clone());
        }
        shared.come_up(now, leg);
        shared.run(leg, agreed);
        self.note_media(now, agreed);
        if errand == Errand::Bring {
            return self.change_phone(now, &who, leg, shared);
        }
        let attention = match errand {
            Errand::Attend(attention) => attention,
            Errand::TakeOver | Errand::Bring | Errand::Dial => Attention::Barge,
        };
        let role = Role::Supervisor(who.clone(), attention);
        self.talk
            .enter(leg, talk::Party::new(role, Place::Together));
        match errand {
            Errand::Attend(attention) => self.note_supervision(now, &who, attention.as_str()),
            Errand::TakeOver => self.note_supervision(now, &who, "take_over"),
            Errand::Bring | Errand::Dial => {}
        }
        if errand == Errand::TakeOver {
            self.change_hands(now, &who, leg, shared);
        }
    }

    fn change_hands(&mut self, now: Now, to: &UserId, leg: LegId, shared: &mut Shared) {
        let Stage::Handled(handled) = &self.stage else {
            return;
        };
        let (handled, service) = ((**handled).clone(), handled.service.clone());
        self.lay_down(now, &handled, shared);
        for asked in handled.all_asked().filter_map(|asked| asked.leg) {
            self.drop_line(now, asked, shared);
        }
        self.drop_line(now, handled.leg, shared);
        let role = Role::Agent(to.clone());
        self.talk
            .enter(leg, talk::Party::new(role, Place::Together));
        let work = service.and_then(|service| self.begin_work(now, to, service, shared));
        self.set_holder(now, leg, Some(to.clone()), work);
    }
}

/// How long the phones of somebody ring who has just asked for it.
const FETCH_RING_MAX: std::time::Duration = std::time::Duration::from_secs(20);

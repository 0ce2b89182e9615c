//! What the one who has a call in hand may ask of it.

use std::time::Duration;

use desk::id::{DeviceId, ServiceId, UserId, WorkId};
use desk::output::{DeskError, Toward};
use desk::record::{EndedBy, InteractionState, TrailKind};
use desk::work::{Preferred, Work};
use ivr::Now;
use media_engine::dtmf::Key;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use media_engine::sip::call::Cause;
use serde_json::json;

use super::super::Shared;
use super::super::admission::To;
use super::super::left::Left;
use super::super::line::{Purpose, to_device};
use super::super::output::MediaCommand;
use super::super::talk::{self, Attention, Place, Role};
use super::agent::Aside;
use super::calling::ringing_tone;
use super::{Call, Handled, Stage};
use crate::outbound::{Refusal, Wish};

/// What somebody asks of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOrder {
    /// The customer hears music, and nothing of what is said.
    Hold,
    /// The customer is there again.
    Resume,
    /// Nobody hears the agent, or does again.
    Mute(bool),
    /// These keys are pressed towards those whom the agent is with.
    Press(Vec<Key>),
    /// The call goes there, and the agent is free.
    Transfer(Destination),
    /// Somebody is asked about it; the customer is held.
    Consult(Destination),
    /// From the customer to the one who is asked, or back; the other hears music.
    Switch,
    /// All are together.
    Join,
    /// The one who was asked has the call, and the agent is free.
    Complete,
    /// Nobody is asked any more; the customer is there again.
    Cancel,
    /// The agent leaves: to the one who was asked, or the call ends.
    HangUp,
    /// What its recording is to do.
    Record(Tape),
    /// Something to remember of it.
    Note(String),
    /// A supervisor takes part, or changes how.
    Attend(Attention),
    /// A supervisor has it in hand from here on.
    TakeOver,
    /// Whoever has it in hand talks on another of their phones, which ring anew: the one that they had is gone.
    Bring,
}

/// What a recording is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tape {
    /// Begin.
    Start,
    /// Be silent: card data is spoken.
    Pause,
    /// Go on.
    Resume,
    /// End.
    Stop,
}

impl Tape {
    /// Its name, in trails and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
        }
    }
}

/// Where a call is taken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To an agent, whose phones ring as for an offer.
    Agent(UserId),
    /// To the line of a service.
    Service(ServiceId),
    /// To an extension, or a number outside, as one dials it.
    Dialled(String),
}

/// Why a call did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// There is no such call; it may just have ended. (404)
    #[error("there is no such call")]
    NoSuchCall,
    /// Somebody else has it in hand. (403)
    #[error("the call is in somebody else's hands")]
    NotYours,
    /// It cannot do this at present. (409)
    #[error("{0}")]
    NotNow(&'static str),
    /// What was dialled leads nowhere. (422)
    #[error("nobody is reached there")]
    Nowhere,
    /// The rules about calls that leave are against it, or no way leads there. (422)
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The desk refuses.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl Call {
    /// Does what somebody asks who has the call in hand.
    pub(in crate::voice) fn handle_order(
        &mut self,
        now: Now,
        by: &UserId,
        order: CallOrder,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        match order {
            CallOrder::Attend(attention) => return self.attend(now, by, attention, shared),
            CallOrder::TakeOver => return self.take_over(now, by, shared),
            CallOrder::Bring => return self.bring(now, by, shared),
            CallOrder::Record(wanted) if self.is_with(by) => {
                return self.order_tape(now, by, wanted, shared);
            }
            CallOrder::Record(_) => return Err(OrderError::NotYours),
            CallOrder::Note(text) => {
                if !self.is_with(by) {
                    return Err(OrderError::NotYours);
                }
                self.note(now, TrailKind::Noted, json!({ "by": by, "text": text }));
                return Ok(());
            }
            CallOrder::HangUp if matches!(self.stage, Stage::Calling(_)) => {
                return self.hang_up_early(now, by, shared);
            }
            CallOrder::Hold
            | CallOrder::Resume
            | CallOrder::Mute(_)
            | CallOrder::Press(_)
            | CallOrder::Transfer(_)
            | CallOrder::Consult(_)
            | CallOrder::Switch
            | CallOrder::Join
            | CallOrder::Complete
            | CallOrder::Cancel
            | CallOrder::HangUp => {}
        }
        let handled = match self.in_hand_of(by) {
            Ok(handled) => handled.clone(),
            Err(_) if self.is_customer(by, shared) => {
                return self.handle_own_order(now, order, shared);
            }
            Err(error) => return Err(error),
        };
        let asked = handled.asked().cloned();
        match order {
            CallOrder::Hold => self.hold(now, by, true),
            CallOrder::Resume => self.hold(now, by, false),
            CallOrder::Mute(muted) => {
                if let Some(party) = self.talk.get_mut(handled.leg) {
                    party.muted = muted;
                }
            }
            CallOrder::Press(keys) => {
                for key in keys {
                    self.pass_key(handled.leg, key, shared);
                }
            }
            CallOrder::Transfer(to) => return self.transfer(now, by, &handled, to, shared),
            CallOrder::Consult(to) => return self.consult(now, by, &handled, to, shared),
            CallOrder::Switch => self.switch(&asked.ok_or(NOBODY_ASKED)?, handled.leg),
            CallOrder::Join => {
                asked.ok_or(NOBODY_ASKED)?;
                if let Stage::Handled(handled) = &mut self.stage {
                    handled.joined.extend(handled.aside.take());
                }
                self.talk.gather();
                self.note(now, TrailKind::Joined, json!({ "by": by }));
            }
            CallOrder::Complete => self.hand_to(now, &asked.ok_or(NOBODY_ASKED)?, shared),
            CallOrder::Cancel => {
                let asked = handled.aside.or(asked).ok_or(NOBODY_ASKED)?;
                self.ask_nobody(now, &asked, shared);
            }
            CallOrder::HangUp => {
                self.drop_line(now, handled.leg, shared);
                self.handle_holder_left(now, handled, true, shared);
            }
            // Done above.
            CallOrder::Record(_)
            | CallOrder::Note(_)
            | CallOrder::Attend(_)
            | CallOrder::TakeOver
            | CallOrder::Bring => {}
        }
        Ok(())
    }

    pub(super) fn in_hand_of(&self, by: &UserId) -> Result<&Handled, OrderError> {
        match &self.stage {
            Stage::Handled(handled) if handled.agent.as_ref() == Some(by) => Ok(handled),
            Stage::Handled(_) => Err(OrderError::NotYours),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Calling(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => Err(OrderError::NotNow("nobody talks with the customer")),
        }
    }

    /// What somebody of ours asks of a call whose customer they are: they called a number of ours, or a
    /// colleague calls them.
    fn handle_own_order(
        &mut self,
        now: Now,
        order: CallOrder,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let leg = self.facts.leg;
        match order {
            CallOrder::Press(keys) => {
                for key in keys {
                    self.press(now, key, shared);
                    self.pass_key(leg, key, shared);
                }
            }
            CallOrder::Mute(muted) => {
                if let Some(party) = self.talk.get_mut(leg) {
                    party.muted = muted;
                }
            }
            CallOrder::HangUp => {
                let ending = super::Ending::by(EndedBy::Customer, "hung_up");
                self.hang_up(now, ending, Cause::Normal, shared);
            }
            CallOrder::Hold
            | CallOrder::Resume
            | CallOrder::Transfer(_)
            | CallOrder::Consult(_)
            | CallOrder::Switch
            | CallOrder::Join
            | CallOrder::Complete
            | CallOrder::Cancel
            | CallOrder::Record(_)
            | CallOrder::Note(_)
            | CallOrder::Attend(_)
            | CallOrder::TakeOver
            | CallOrder::Bring => {
                return Err(OrderError::NotNow("you are the one who is served"));
            }
        }
        Ok(())
    }

    /// Who calls gives up before the customer answers.
    fn hang_up_early(
        &mut self,
        now: Now,
        by: &UserId,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let Stage::Calling(calling) = &self.stage else {
            return Err(OrderError::NoSuchCall);
        };
        if calling.agent.as_ref() != Some(by) {
            return Err(OrderError::NotYours);
        }
        let ending = super::Ending::by(EndedBy::Agent, "hung_up");
        self.ours.get_or_insert(ending);
        self.abandon(now, 487, shared);
        Ok(())
    }

    fn hold(&mut self, now: Now, by: &UserId, held: bool) {
        let (place, kind) = match held {
            true => (Place::Held, TrailKind::Held),
            false => (Place::Together, TrailKind::Resumed),
        };
        if let Some(party) = self.talk.get_mut(self.facts.leg)
            && party.place != place
        {
            party.place = place;
            self.note(now, kind, json!({ "by": by }));
        }
    }

    /// The customer is left to music, and the agent with whom they ask.
    fn step_aside(&mut self, agent: LegId) {
        if let Some(customer) = self.talk.get_mut(self.facts.leg) {
            customer.place = Place::Held;
        }
        if let Some(agent) = self.talk.get_mut(agent) {
            agent.place = Place::Aside;
        }
    }

    fn switch(&mut self, asked: &Aside, agent: LegId) {
        let is_aside = self
            .talk
            .get(agent)
            .is_some_and(|party| party.place == Place::Aside);
        let (customer, agents, colleague) = match is_aside {
            true => (Place::Together, Place::Together, Place::Held),
            false => (Place::Held, Place::Aside, Place::Aside),
        };
        let legs = [
            (Some(self.facts.leg), customer),
            (Some(agent), agents),
            (asked.leg, colleague),
        ];
        for (leg, place) in legs {
            if let Some(party) = leg.and_then(|leg| self.talk.get_mut(leg)) {
                party.place = place;
            }
        }
    }

    fn transfer(
        &mut self,
        now: Now,
        by: &UserId,
        handled: &Handled,
        to: Destination,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let toward = match to {
            Destination::Dialled(dialled) => {
                return self.transfer_outside(now, by, handled, &dialled, shared);
            }
            Destination::Service(service) => Toward::Service(service),
            Destination::Agent(agent) => Toward::Agent {
                agent,
                wait_ms: AGENT_WAIT_MS,
            },
        };
        match &handled.work {
            Some(work) => {
                let desk = shared.desk(now, &self.facts.company.id);
                let desk = desk.ok_or(OrderError::NoSuchCall)?;
                desk.transfer(now.instant, work, by, toward.clone(), vec![])?;
            }
            None => self.hand_back(now, toward.clone(), shared)?,
        }
        let detail = match toward {
            Toward::Service(service) => json!({ "from": by, "service": service }),
            Toward::Agent { agent, .. } => json!({ "from": by, "to": agent }),
        };
        self.note(now, TrailKind::Transferred, detail);
        Ok(())
    }

    /// Somebody who has a call without it being work of the desk, a supervisor who took it over, gives it
    /// to the desk.
    fn hand_back(
        &mut self,
        now: Now,
        toward: Toward,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let (service, preferred) = match toward {
            Toward::Service(service) => (Some(service), None),
            Toward::Agent { agent, wait_ms } => {
                let even_away = false;
                let preferred = Preferred {
                    agent,
                    wait_ms,
                    even_away,
                };
                (None, Some(preferred))
            }
        };
        if let (Some(service), Stage::Handled(handled)) = (service, &mut self.stage) {
            handled.service = Some(service);
        }
        let (work, service) = self
            .enqueue_anew(now, preferred, shared)
            .ok_or(NOT_OF_THE_DESK)?;
        if let Stage::Handled(handled) = &mut self.stage {
            handled.work = Some(work.clone());
        }
        self.handle_returned(now, &work, &service, "transferred", shared);
        Ok(())
    }

    /// The customer goes into the line of the service that has the call.
    fn enqueue_anew(
        &self,
        now: Now,
        preferred: Option<Preferred>,
        shared: &mut Shared,
    ) -> Option<(WorkId, ServiceId)> {
        let service = self.service()?.clone();
        let mut work = shared.work_of(now, &self.facts, &service, vec![]);
        work.preferred = preferred.or(work.preferred);
        let id = shared.enter(now, &self.facts, work).ok()?;
        Some((id, service))
    }

    /// The customer goes back to the place in the line that they had.
    fn enqueue_again(
        &self,
        now: Now,
        before: Work,
        shared: &mut Shared,
    ) -> Option<(WorkId, ServiceId)> {
        let service = before.service.clone();
        let work = Work {
            id: WorkId::new(now.wall.as_millisecond(), &mut shared.random),
            ..before
        };
        let id = shared.enter(now, &self.facts, work).ok()?;
        Some((id, service))
    }

    /// The call goes to somebody who is no agent of the desk: the customer hears it ring.
    fn transfer_outside(
        &mut self,
        now: Now,
        by: &UserId,
        handled: &Handled,
        dialled: &str,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        let leg = self.call_guest(now, dialled, handled, shared)?;
        let work = handled.work.as_ref();
        let work = work.and_then(|work| shared.work(now, &self.facts.company.id, work));
        self.lay_down(now, handled, shared);
        self.facts.others.remove(&leg);
        self.drop_others(now, shared);
        self.facts.others.insert(leg);
        self.talk.alone(self.facts.leg, shared);
        let detail = json!({ "from": by, "dialled": dialled });
        self.note(now, TrailKind::Transferred, detail);
        if let Stage::Handled(handled) = &mut self.stage {
            handled.leg = leg;
            handled.agent = None;
            handled.aside = Some(Aside {
                work: None,
                leg: Some(leg),
                answered: false,
                transfer: Some(work.map(Box::new)),
            });
        }
        Ok(())
    }

    fn consult(
        &mut self,
        now: Now,
        by: &UserId,
        handled: &Handled,
        to: Destination,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        if handled.aside.is_some() {
            return Err(OrderError::NotNow("somebody is asked already"));
        }
        let (work, leg, detail) = match to {
            Destination::Dialled(dialled) => {
                let leg = self.call_guest(now, &dialled, handled, shared)?;
                (None, Some(leg), json!({ "by": by, "dialled": dialled }))
            }
            Destination::Service(service) => {
                let detail = json!({ "by": by, "service": service });
                let toward = Toward::Service(service);
                let work = self.ask_desk(now, by, handled, toward, shared)?;
                (Some(work), None, detail)
            }
            Destination::Agent(agent) => {
                let detail = json!({ "by": by, "agent": agent });
                let wait_ms = CONSULT_WAIT_MS;
                let toward = Toward::Agent { agent, wait_ms };
                let work = self.ask_desk(now, by, handled, toward, shared)?;
                (Some(work), None, detail)
            }
        };
        self.note(now, TrailKind::Consulted, detail);
        if let Stage::Handled(handled) = &mut self.stage {
            handled.aside = Some(Aside {
                work,
                leg,
                answered: false,
                transfer: None,
            });
        }
        self.step_aside(handled.leg);
        shared.media(handled.leg, ringing_tone());
        Ok(())
    }

    fn ask_desk(
        &mut self,
        now: Now,
        by: &UserId,
        handled: &Handled,
        toward: Toward,
        shared: &mut Shared,
    ) -> Result<WorkId, OrderError> {
        let work = handled.work.as_ref().ok_or(NOT_OF_THE_DESK)?;
        let id = WorkId::new(now.wall.as_millisecond(), &mut shared.random);
        let desk = shared.desk(now, &self.facts.company.id);
        let desk = desk.ok_or(OrderError::NoSuchCall)?;
        desk.consult(now.instant, work, by, id.clone(), toward)?;
        shared.remember_work(&id, self.facts.key);
        Ok(id)
    }

    /// Nobody is asked any more.
    pub(super) fn ask_nobody(&mut self, now: Now, asked: &Aside, shared: &mut Shared) {
        if let Some(leg) = asked.leg {
            self.drop_line(now, leg, shared);
        }
        if let Some(work) = &asked.work {
            shared.work_over(now, &self.facts.company.id, work);
        }
        self.forget_asked(asked);
        if let Stage::Handled(handled) = &self.stage {
            shared.media(handled.leg, MediaCommand::Stop);
        }
        self.talk.gather();
    }

    /// Calls somebody about the call, or to hand it to them.
    fn call_guest(
        &mut self,
        now: Now,
        dialled: &str,
        handled: &Handled,
        shared: &mut Shared,
    ) -> Result<LegId, OrderError> {
        let company = self.facts.company.clone();
        let device = self.device_of(handled).ok_or(OrderError::Nowhere)?;
        let to = company.to(dialled, None, Some(&device));
        let leg = match to.map_err(|_| OrderError::Nowhere)? {
            To::Number { .. } => {
                return Err(OrderError::NotNow(
                    "a number of ours is reached by its service",
                ));
            }
            To::Device(called) => {
                let order = to_device(&called, self.facts.from(), GUEST_RING_MAX);
                let beside = Some(self.facts.leg);
                shared.place(self.facts.key, Purpose::Guest, order, beside)
            }
            To::Outside(dialled) => {
                let wish = Wish {
                    dialled: &dialled,
                    by: handled.agent.as_ref(),
                    service: handled.service.as_ref(),
                    number: None,
                };
                let interaction = self.facts.record.interaction();
                let plan = shared.plan(now, &company, &wish, interaction)?;
                let way = (&plan, GUEST_RING_MAX);
                let placed = shared.place_outside(now, &self.facts, Purpose::Guest, way);
                placed.ok_or(OrderError::Nowhere)?
            }
        };
        self.facts.others.insert(leg);
        Ok(leg)
    }

    /// A device of the agent who has it in hand: what they may dial follows from it.
    fn device_of(&self, handled: &Handled) -> Option<DeviceId> {
        let company = &self.facts.company;
        company.devices_of(handled.agent.as_ref()?).next().cloned()
    }

    /// Somebody outside of the desk answered.
    pub(in crate::voice) fn handle_guest(
        &mut self,
        now: Now,
        leg: LegId,
        agreed: &MediaParameters,
        shared: &mut Shared,
    ) {
        shared.come_up(now, leg);
        if shared.run(leg, agreed) {
            self.note_media(now, agreed);
        }
        let Stage::Handled(handled) = &mut self.stage else {
            return;
        };
        let Some(aside) = handled
            .aside
            .as_mut()
            .filter(|aside| aside.leg == Some(leg))
        else {
            return;
        };
        aside.answered = true;
        let (is_transfer, asker) = (aside.is_transfer(), handled.leg);
        let place = match is_transfer {
            true => Place::Together,
            false => Place::Aside,
        };
        self.talk.enter(leg, talk::Party::new(Role::Guest, place));
        if is_transfer {
            shared.media(self.facts.leg, MediaCommand::Stop);
            self.set_holder(now, leg, None, None);
            self.learn_state(now, InteractionState::Talking);
        } else {
            shared.media(asker, MediaCommand::Stop);
        }
    }

    /// The one to whom the call was handed does not answer: the customer goes back into the line.
    pub(super) fn handle_transfer_failed(&mut self, now: Now, left: &Left, shared: &mut Shared) {
        let detail = json!({ "result": left.result, "sip_status": left.ending.sip_status });
        self.note(now, TrailKind::DialEnded, detail);
        shared.media(self.facts.leg, MediaCommand::Stop);
        let before = match &mut self.stage {
            Stage::Handled(handled) => handled.aside.take().and_then(|aside| aside.transfer),
            Stage::Opening { .. }
            | Stage::Answering { .. }
            | Stage::Flow(_)
            | Stage::Calling(_)
            | Stage::Promised
            | Stage::HangingUp { .. }
            | Stage::Closing { .. }
            | Stage::Gone => None,
        };
        let entered = match before.flatten() {
            Some(work) => self.enqueue_again(now, *work, shared),
            None => self.enqueue_anew(now, None, shared),
        };
        let Some((work, service)) = entered else {
            let ending = super::Ending::ours("not_transferred");
            return self.hang_up(now, ending, super::Cause::NoAnswer, shared);
        };
        if let Stage::Handled(handled) = &mut self.stage {
            handled.work = Some(work.clone());
            handled.aside = None;
        }
        self.handle_returned(now, &work, &service, "not_transferred", shared);
    }
}

const NOBODY_ASKED: OrderError = OrderError::NotNow("nobody is asked about this call");

const NOT_OF_THE_DESK: OrderError = OrderError::NotNow("the call is of no service");

/// How long a call that is handed to an agent waits for them before the whole service may have it,
/// in milliseconds: two rings of all their phones.
const AGENT_WAIT_MS: i64 = 30_000;

/// How long a question waits for the one who is asked, in milliseconds: the customer waits too.
const CONSULT_WAIT_MS: i64 = 30_000;

/// How long somebody outside of the desk is rung for a customer who waits.
const GUEST_RING_MAX: Duration = Duration::from_secs(45);

/// The longest note, in characters: a remark, not a report.
pub const NOTE_LENGTH_MAX: usize = 4_000;

/// The most keys that are pressed by one order: the longest card number and some.
pub const KEYS_MAX: usize = 32;

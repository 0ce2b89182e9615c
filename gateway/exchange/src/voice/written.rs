//! Written interactions at the desk, beside the calls.
//!
//! ```text
//!  stored ─ handle_written ─▶ Queued ─ offered ─▶ AgentAnswered ─ dispose ─▶ Finished, Ended
//!                 ▲   │                                │                        │
//!                 │   └─ somebody has it: told ────────┘ returned, transferred  │
//!                 └──────── the customer writes again within the rule ──────────┘
//! ```
//!
//! What was written is durable before it comes here; the desk's word on it is kept as a
//! [`Step`]: what is known of the interaction and the line of its trail, together with the work itself.

use desk::change::WorkState;
use desk::contact::OwnerFallback;
use desk::id::{ChannelId, CompanyId, ContactId, InteractionId, ServiceId, UserId, WorkId};
use desk::kept::{Kept, LateLine, Standing, Step};
use desk::output::{DeskError, Sender, WhyClosed};
use desk::record::{
    EndedBy, InteractionEnd, InteractionState, InteractionUpdate, Medium, TrailKind,
};
use desk::rules::PreferredAgent;
use desk::work::{Customer, Preferred, Priority, SkillWanted, Work};
use ivr::Now;
use serde_json::{Value, json};

use super::life::About;
use super::live::LiveEvent;
use super::output::Output;
use super::{Shared, Voice};

/// A customer has written: the interaction, as the desk takes it if it does not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Which.
    pub interaction: InteractionId,
    /// By which channel.
    pub channel: ChannelId,
    /// The number that is read to the customer.
    pub protocol: String,
    /// The language that they read, where that is known.
    pub language: Option<ivr::Language>,
    /// What they wrote, as far as it is words; nothing when this is told again.
    pub text: String,
    /// Whether nobody has had it yet.
    pub is_new: bool,
    /// How one talks there.
    pub medium: Medium,
    /// Whom it is for.
    pub service: ServiceId,
    /// Who wrote, where they are a contact of the company.
    pub customer: Option<Customer>,
    /// Who had it before, when it comes back.
    pub returns_to: Option<UserId>,
    /// When the customer came, milliseconds since 1970 (UTC).
    pub arrived_ms: i64,
    /// Points of priority beside who the customer is.
    pub priority: i16,
    /// The number of the message, for those who have it on their screens.
    pub seq: u32,
}

/// Who has a written interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody yet: it waits.
    Nobody,
    /// It is offered to these, who may read it.
    Offered(Vec<UserId>),
    /// This agent.
    Agent(UserId),
}

impl Voice {
    /// A customer has written, and it is durable. To be told again what was told is harmless.
    ///
    /// # Errors
    ///
    /// [`DeskError::Full`] and [`DeskError::NoSuchService`]: to be told again later.
    pub fn handle_written(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: Written,
    ) -> Result<Holder, DeskError> {
        let (interaction, seq) = (written.interaction.clone(), written.seq);
        // Who goes on has not left.
        self.shared.desks.left.remove(&interaction);
        let taken = self.take_written(now, company, written);
        self.attend(now);
        taken?;
        self.tell_message(now, company, &interaction, seq);
        Ok(self.holder(now, company, &interaction))
    }

    /// Who is to have a customer no longer: their owner, who is away, where that is what the contact says
    /// and the service goes by owners.
    pub fn unassigns(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: &Written,
    ) -> Option<(ContactId, UserId)> {
        let customer = written.customer.as_ref()?;
        let owner = customer.owner.clone()?;
        let known = self.shared.directory.companies.get(company)?;
        let whom = known.services.get(&written.service)?.rules.preference.whom;
        let counts = matches!(whom, PreferredAgent::Owner | PreferredAgent::OwnerOrLast);
        let comes = !self.shared.desks.written.contains_key(&written.interaction);
        let unassigns = customer.owner_fallback == OwnerFallback::Unassign && counts && comes;
        (unassigns && !self.shared.owner_is_there(now, company, Some(customer)))
            .then(|| (customer.contact.clone(), owner))
    }

    /// The agent has written to the customer, and it is durable.
    pub fn handle_reply(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        seq: u32,
    ) {
        if let Some(work) = self.shared.desks.written.get(interaction).cloned()
            && let Some(desk) = self.shared.desk(now, company)
        {
            // It may be over in the meantime.
            let _ = desk.handle_message(now.instant, &work, Sender::Agent);
        }
        let at_ms = now.wall.as_millisecond();
        self.shared
            .with_life(now, interaction, |life, _| life.handle_agent(at_ms));
        self.tell_message(now, company, interaction, seq);
        self.attend(now);
    }

    /// The customer ended a written interaction: who waits is in no line any more; an agent who has it
    /// closes it.
    pub fn handle_written_closed(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
    ) {
        let Some(work) = self.shared.desks.written.get(interaction).cloned() else {
            // A flow or a bot had them, or nobody any more.
            if self.shared.lives.all.contains_key(interaction) {
                self.shared.life_closed(now, interaction);
                let end = (EndedBy::Customer, "customer_left");
                self.shared.end_written(now, interaction.clone(), end);
                self.attend(now);
            }
            return;
        };
        let waited = !matches!(self.holder(now, company, interaction), Holder::Agent(_));
        if !waited {
            self.shared.desks.left.insert(interaction.clone());
        }
        if let Some(desk) = self.shared.desk(now, company) {
            // It may be over in the meantime.
            let _ = desk.handle_over(now.instant, &work);
        }
        if waited {
            self.shared.life_closed(now, interaction);
            let end = (EndedBy::Customer, "customer_left");
            self.shared.end_written(now, interaction.clone(), end);
        }
        self.attend(now);
    }

    /// Who has a written interaction, or is offered it.
    pub fn holder(&mut self, now: Now, company: &CompanyId, interaction: &InteractionId) -> Holder {
        let work = self.shared.desks.written.get(interaction).cloned();
        let found = work.and_then(|work| {
            let record = self.shared.desk(now, company)?.work(&work)?;
            if let WorkState::Offered(offers) = &record.state {
                let agents = offers.iter().map(|offer| offer.agent.clone());
                return Some(Holder::Offered(agents.collect()));
            }
            let holder = record.state.holder();
            Some(holder.map_or(Holder::Nobody, |agent| Holder::Agent(agent.clone())))
        });
        found.unwrap_or(Holder::Nobody)
    }

    fn take_written(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: Written,
    ) -> Result<(), DeskError> {
        let known = self.shared.desks.written.get(&written.interaction).cloned();
        let desk = self.shared.desk(now, company);
        let desk = desk.ok_or(DeskError::NoSuchService)?;
        if let Some(work) = known {
            let state = desk.work(&work).map(|record| &record.state);
            if let Some(WorkState::Scheduled { .. }) = state {
                // It was to come back at a date, and comes now.
                let _ = desk.handle_over(now.instant, &work);
            } else if state.is_some() {
                desk.handle_message(now.instant, &work, Sender::Customer)?;
                self.shared.customer_wrote(now, &written.interaction);
                return Ok(());
            }
        }
        if self.shared.handle_bot_heard(now, &written) {
            return Ok(());
        }
        if self
            .shared
            .handle_text(now, &written.interaction, &written.text)
        {
            return Ok(());
        }
        if let Some(bot) = self.shared.bot_of(company, &written) {
            self.shared.begin_bot(now, company, written, &bot);
            return Ok(());
        }
        match self.shared.flow_of(company, &written) {
            Some(flow) => {
                self.shared.begin_talk(now, company, written, &flow);
                Ok(())
            }
            None => self.shared.enqueue_written(now, company, written),
        }
    }

    /// Tells those who have it on their screens that there is another message, or that something about
    /// one changed.
    pub fn tell_message(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        seq: u32,
    ) {
        let agents = match self.holder(now, company, interaction) {
            Holder::Nobody => vec![],
            Holder::Offered(agents) => agents,
            Holder::Agent(agent) => vec![agent],
        };
        let event = LiveEvent::Message {
            interaction: interaction.clone(),
            seq,
            users: agents.into_iter().collect(),
        };
        self.shared.tell(now, company, event);
    }

    /// An agent took a written interaction on the screen.
    pub(super) fn written_taken(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        agent: &UserId,
    ) {
        let known = self.shared.directory.companies.get(company);
        let name = known.and_then(|known| Some(known.agents.get(agent)?.name.clone()));
        let update = InteractionUpdate {
            state: Some(InteractionState::Talking),
            agent: Some(agent.clone()),
            answered_ms: Some(now.wall.as_millisecond()),
            ..InteractionUpdate::default()
        };
        let told = (
            TrailKind::AgentAnswered,
            json!({ "agent": agent, "name": name }),
        );
        self.shared.step(now, work, update, told);
        if let Some(interaction) = self.shared.desks.written_of(work).cloned() {
            self.shared.end_talk(&interaction);
            self.shared
                .with_life(now, &interaction, |life, _| life.handle_taken());
        }
    }

    /// A written interaction waits again, at another service perhaps.
    pub(super) fn written_waits(
        &mut self,
        now: Now,
        company: &CompanyId,
        work: &WorkId,
        (kind, mut detail): (TrailKind, Value),
    ) {
        let desk = self.shared.desk(now, company);
        let service = desk.and_then(|desk| Some(desk.work(work)?.work.service.clone()));
        detail["service"] = json!(service);
        let update = InteractionUpdate {
            state: Some(InteractionState::Waiting),
            service: service.clone(),
            ..InteractionUpdate::default()
        };
        self.shared.step(now, work, update, (kind, detail));
        self.shared.life_returned(now, work, service);
    }

    /// A written interaction is over: an agent closed it, or nobody ever will.
    pub(super) fn written_ended(&mut self, now: Now, work: &WorkId, why: Result<(), WhyClosed>) {
        if let Some(interaction) = self.shared.desks.written_of(work).cloned() {
            let has_left = self.shared.desks.left.remove(&interaction);
            let (by, cause) = match why {
                Ok(()) if has_left => (EndedBy::Customer, "customer_left"),
                Ok(()) => (EndedBy::Agent, "closed"),
                Err(why) => (EndedBy::Ramal, why.as_str()),
            };
            if why.is_err() && self.shared.handle_unanswered(now, &interaction) {
                return;
            }
            self.shared.life_closed(now, &interaction);
            self.shared.end_written(now, interaction, (by, cause));
        }
    }
}

impl Shared {
    /// Keeps the end of a written interaction.
    pub(super) fn end_written(
        &mut self,
        now: Now,
        interaction: InteractionId,
        (by, cause): (EndedBy, &str),
    ) {
        let ended_ms = now.wall.as_millisecond();
        let end = InteractionEnd {
            ended_ms,
            by,
            cause: cause.to_owned(),
            sip_status: None,
            quality: None,
        };
        let step = Step {
            update: InteractionUpdate::default(),
            standing: Standing::Ended(Box::new(end)),
            line: LateLine {
                interaction,
                at_ms: ended_ms,
                kind: TrailKind::Ended,
                detail: json!({ "by": by, "cause": cause }),
            },
        };
        let kept = Kept::Step(Box::new(step));
        self.outputs.push_back(Output::Kept(kept));
    }

    fn enqueue_written(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: Written,
    ) -> Result<(), DeskError> {
        self.queue_written(now, company, &written, vec![])?;
        let about = About::of(&written);
        self.begin_life(now, company, written.interaction, about, written.is_new);
        Ok(())
    }

    /// Puts a written interaction into the line of its service.
    pub(super) fn queue_written(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: &Written,
        skills: Vec<SkillWanted>,
    ) -> Result<(), DeskError> {
        let at_ms = now.wall.as_millisecond();
        let customer = written.customer.as_ref();
        let is_there = self.owner_is_there(now, company, customer);
        let known = self.directory.companies.get(company);
        let service = known.and_then(|known| known.services.get(&written.service));
        let service = service.ok_or(DeskError::NoSuchService)?;
        let returns = written.returns_to.clone().map(|agent| Preferred {
            agent,
            wait_ms: service.rules.reopen_wait_ms,
            even_away: false,
        });
        let detail = json!({ "service": written.service, "name": service.name });
        let work = Work {
            id: WorkId::new(at_ms, &mut self.random),
            interaction: written.interaction.clone(),
            medium: written.medium,
            service: written.service.clone(),
            contact: customer.map(|customer| customer.contact.clone()),
            number: None,
            arrived_ms: written.arrived_ms,
            priority: Priority {
                contact: customer.map_or(0, |customer| customer.priority),
                number: written.priority,
            },
            skills,
            preferred: returns.or_else(|| {
                let rules = &service.rules;
                rules.preferred(customer?, written.medium, is_there)
            }),
        };
        let desk = self.desk(now, company).ok_or(DeskError::NoSuchService)?;
        desk.enqueue(now.instant, work)?;
        let update = InteractionUpdate {
            state: Some(InteractionState::Waiting),
            service: Some(written.service.clone()),
            queued_ms: Some(at_ms),
            ..InteractionUpdate::default()
        };
        let line = LateLine {
            interaction: written.interaction.clone(),
            at_ms,
            kind: TrailKind::Queued,
            detail,
        };
        let step = Box::new(Step::open(line, update));
        self.outputs.push_back(Output::Kept(Kept::Step(step)));
        Ok(())
    }

    /// Keeps a step of the written interaction that a work stands for; nothing of a call's.
    fn step(
        &mut self,
        now: Now,
        work: &WorkId,
        update: InteractionUpdate,
        (kind, detail): (TrailKind, Value),
    ) {
        if let Some(interaction) = self.desks.written_of(work).cloned() {
            let line = LateLine {
                interaction,
                at_ms: now.wall.as_millisecond(),
                kind,
                detail,
            };
            let step = Box::new(Step::open(line, update));
            self.outputs.push_back(Output::Kept(Kept::Step(step)));
        }
    }
}

//! The automatic lives of written interactions beside the desk: what they want said is kept as a message
//! in the same transaction as the work, before whatever ends the interaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use desk::id::{ChannelId, CompanyId, InteractionId, MessageId, ServiceId, WorkId};
use desk::kept::{Kept, Said};
use desk::record::EndedBy;
use ivr::hours::State as Opening;
use ivr::{Language, Now};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::directory::Company;
use crate::text::{Life, Output as Wanted, Purpose, Settings, Values};

use super::bot::Bot;
use super::output::Output;
use super::texting::Talk;
use super::written::Written;
use super::{Shared, Voice};

/// The automatic lives that are not over.
#[derive(Debug, Default)]
pub(super) struct Lives {
    pub(super) all: BTreeMap<InteractionId, Living>,
    deadlines: BTreeSet<(Instant, InteractionId)>,
}

#[derive(Debug)]
pub(super) struct Living {
    pub(super) company: CompanyId,
    pub(super) record: Record,
    /// The flow that talks with the customer, or goes on when nobody comes.
    pub(super) talk: Option<Box<Talk>>,
    /// The bot that talks with the customer.
    pub(super) bot: Option<Box<Bot>>,
    pub(super) due: Option<Instant>,
}

/// What is kept of a life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) about: About,
    pub(super) life: Life,
    /// What a bot wants to have back.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) variables: Map<String, Value>,
}

/// What of an interaction its automatic messages speak of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) channel: ChannelId,
    pub(super) protocol: String,
    pub(super) name: String,
    pub(super) language: Option<Language>,
    pub(super) service: ServiceId,
}

/// What a life may look at when something happens.
pub(super) struct Around<'a> {
    pub(super) settings: &'a Settings,
    /// Whether the service is open.
    pub(super) is_open: bool,
}

impl About {
    pub(super) fn of(written: &Written) -> Self {
        let customer = written.customer.as_ref();
        Self {
            channel: written.channel.clone(),
            protocol: written.protocol.clone(),
            name: customer.map_or_else(String::new, |customer| customer.name.clone()),
            language: written.language,
            service: written.service.clone(),
        }
    }

    /// When the service opens again, in the company's time; nothing while it is open.
    pub(super) fn closed(&self, now: Now, company: &Company) -> Option<String> {
        let service = company.services.get(&self.service)?;
        let calendar = service.calendar.as_ref()?;
        match calendar.state(now.wall) {
            Opening::Open { .. } => None,
            Opening::Closed { opens_at, .. } => {
                let local = opens_at.map(|at| at.to_zoned(company.zone.clone()));
                let format = match self.language(company) {
                    Language::PtBr | Language::Es => "%d/%m %H:%M",
                    Language::En => "%Y-%m-%d %H:%M",
                };
                Some(local.map_or_else(String::new, |at| at.strftime(format).to_string()))
            }
        }
    }

    fn language(&self, company: &Company) -> Language {
        self.language.unwrap_or(company.language)
    }

    fn values(&self, now: Now, company: &Company) -> Values {
        let service = company.services.get(&self.service);
        Values {
            name: self.name.clone(),
            protocol: self.protocol.clone(),
            service: service.map_or_else(String::new, |service| service.name.clone()),
            company: company.name.clone(),
            opens_at: self.closed(now, company).unwrap_or_default(),
            position: String::new(),
        }
    }
}

impl Lives {
    /// When a life is next due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    pub(super) fn remove(&mut self, interaction: &InteractionId) -> Option<Living> {
        let living = self.all.remove(interaction)?;
        if let Some(due) = living.due {
            self.deadlines.remove(&(due, interaction.clone()));
        }
        Some(living)
    }
}

impl Voice {
    /// Lets the automatic lives go on from what was kept when the program ran last. To be called before
    /// the first directory comes.
    pub fn restore_lives(&mut self, kept: Vec<(CompanyId, InteractionId, Value)>) {
        for (company, interaction, record) in kept {
            // What a newer program kept is not led any further: people write all the same.
            if let Ok(record) = serde_json::from_value(record) {
                let living = Living {
                    company,
                    record,
                    talk: None,
                    bot: None,
                    due: None,
                };
                self.shared.lives.all.insert(interaction, living);
            }
        }
    }

    pub(super) fn handle_life_timeout(&mut self, now: Now) {
        while let Some((due, interaction)) = self.shared.lives.deadlines.first().cloned() {
            if due > now.instant {
                break;
            }
            let at_ms = now.wall.as_millisecond();
            let position = self.shared.position_of(&interaction);
            self.shared.with_life(now, &interaction, |life, around| {
                life.handle_timeout(at_ms, around.settings, position);
            });
            self.shared.handle_talk_timeout(now, &interaction);
            self.shared.handle_bot_timeout(now, &interaction);
            if self
                .shared
                .lives
                .all
                .get(&interaction)
                .is_some_and(Living::is_over)
            {
                self.expire(now, &interaction);
            }
        }
        self.attend(now);
    }

    /// The customer is not waited for any longer. The agent may still have to say what it was about.
    fn expire(&mut self, now: Now, interaction: &InteractionId) {
        let Some(living) = self.shared.lives.remove(interaction) else {
            return;
        };
        self.shared.keep_no_life(interaction.clone());
        let by = (EndedBy::Ramal, "expired");
        self.shared.end_written(now, interaction.clone(), by);
        let Some(work) = self.shared.desks.written.get(interaction).cloned() else {
            return;
        };
        self.shared.desks.part(&work);
        self.shared.work_over(now, &living.company, &work);
    }
}

impl Living {
    fn is_over(&self) -> bool {
        self.record.life.is_over()
    }
}

impl Shared {
    /// An interaction waits for an agent, where its channel does something by itself.
    pub(super) fn begin_life(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: InteractionId,
        about: About,
        is_new: bool,
    ) {
        self.lives.remove(&interaction);
        let directory = self.directory.clone();
        let Some(known) = directory.companies.get(company) else {
            return;
        };
        let Some(settings) = known.channels.get(&about.channel) else {
            return;
        };
        let is_open = about.closed(now, known).is_none();
        let life = Life::begin(now.wall.as_millisecond(), settings, is_new, is_open);
        let living = Living {
            company: company.clone(),
            record: Record {
                about,
                life,
                variables: Map::new(),
            },
            talk: None,
            bot: None,
            due: None,
        };
        self.settle_life(now, interaction, living, None);
    }

    /// Tells a life, if there is one, what happened, and does what it wants done.
    pub(super) fn with_life(
        &mut self,
        now: Now,
        interaction: &InteractionId,
        change: impl FnOnce(&mut Life, &Around<'_>),
    ) {
        let Some(mut living) = self.lives.remove(interaction) else {
            return;
        };
        let before = living.record.clone();
        let directory = self.directory.clone();
        let known = directory.companies.get(&living.company);
        let nothing = Settings::default();
        let about = &living.record.about;
        let settings = known.and_then(|known| known.channels.get(&about.channel));
        let around = Around {
            settings: settings.unwrap_or(&nothing),
            is_open: known.is_none_or(|known| about.closed(now, known).is_none()),
        };
        change(&mut living.record.life, &around);
        self.settle_life(now, interaction.clone(), living, Some(&before));
    }

    pub(super) fn customer_wrote(&mut self, now: Now, interaction: &InteractionId) {
        self.with_life(now, interaction, |life, around| {
            life.handle_customer(around.settings, around.is_open);
        });
    }

    /// A written interaction waits again, at this service.
    pub(super) fn life_returned(&mut self, now: Now, work: &WorkId, service: Option<ServiceId>) {
        let Some(interaction) = self.desks.written_of(work).cloned() else {
            return;
        };
        if let Some(living) = self.lives.all.get_mut(&interaction)
            && let Some(service) = service
        {
            living.record.about.service = service;
        }
        let at_ms = now.wall.as_millisecond();
        self.with_life(now, &interaction, |life, _| life.handle_returned(at_ms));
    }

    /// A written interaction was closed: its last words are said, and its life is over.
    pub(super) fn life_closed(&mut self, now: Now, interaction: &InteractionId) {
        self.with_life(now, interaction, |life, around| {
            life.handle_closed(around.settings);
        });
        if self.lives.remove(interaction).is_some() {
            self.keep_no_life(interaction.clone());
        }
    }

    /// What channels do by themselves may be something else from here on.
    pub(super) fn renew_lives(&mut self, now: Now) {
        let all: Vec<InteractionId> = self.lives.all.keys().cloned().collect();
        for interaction in all {
            self.with_life(now, &interaction, |_, _| {});
        }
    }

    pub(super) fn keep_no_life(&mut self, interaction: InteractionId) {
        let kept = Kept::LifeRemoved(interaction);
        self.outputs.push_back(Output::Kept(kept));
    }

    /// Does what a life wants done, and remembers it where it is not as it was `before`.
    pub(super) fn settle_life(
        &mut self,
        now: Now,
        interaction: InteractionId,
        mut living: Living,
        before: Option<&Record>,
    ) {
        while let Some(wanted) = living.record.life.poll_output() {
            match wanted {
                Wanted::Say(purpose) => self.say(now, &interaction, &living, purpose),
                Wanted::Survey => self.survey(now, &interaction, &living),
                // Whoever told the time looks whether it is over.
                Wanted::Expire => {}
            }
        }
        if before != Some(&living.record) {
            self.outputs.push_back(Output::Kept(Kept::Life {
                company: living.company.clone(),
                instance: self.config.instance.clone(),
                interaction: interaction.clone(),
                // Text always becomes JSON.
                record: serde_json::to_value(&living.record).unwrap_or(Value::Null),
            }));
        }
        let directory = self.directory.clone();
        let known = directory.companies.get(&living.company);
        let settings = known.and_then(|known| known.channels.get(&living.record.about.channel));
        let due_ms = settings.and_then(|settings| living.record.life.poll_timeout(settings));
        let due = due_ms.map(|due_ms| {
            let left_ms = due_ms.saturating_sub(now.wall.as_millisecond());
            now.instant + Duration::from_millis(u64::try_from(left_ms).unwrap_or_default())
        });
        let asked = living.talk.as_ref().and_then(|talk| talk.poll_timeout());
        let bot = living.bot.as_ref().and_then(|bot| bot.poll_timeout());
        living.due = [due, asked, bot].into_iter().flatten().min();
        let deadline = living.due.map(|due| (due, interaction.clone()));
        self.lives.deadlines.extend(deadline);
        self.lives.all.insert(interaction, living);
    }

    /// The place of a written interaction in its line, 1 being the next to be served.
    fn position_of(&self, interaction: &InteractionId) -> Option<u32> {
        let company = &self.lives.all.get(interaction)?.company;
        let work = self.desks.written.get(interaction)?;
        let position = self.desks.position(company, work)?;
        u32::try_from(position).ok()
    }

    fn say(&mut self, now: Now, interaction: &InteractionId, living: &Living, purpose: Purpose) {
        let directory = self.directory.clone();
        let Some(known) = directory.companies.get(&living.company) else {
            return;
        };
        let about = &living.record.about;
        let settings = known.channels.get(&about.channel);
        let Some(words) = settings.and_then(|settings| settings.words(purpose)) else {
            return;
        };
        let mut values = about.values(now, known);
        if let Purpose::Position(position) = purpose {
            values.position = position.to_string();
        }
        let text = words.text(purpose, about.language(known), &values);
        let content = json!({ "kind": "text", "text": text });
        self.write(
            now,
            &living.company,
            interaction,
            (content, purpose.as_str()),
        );
    }

    fn survey(&mut self, now: Now, interaction: &InteractionId, living: &Living) {
        let known = self.directory.companies.get(&living.company);
        let settings = known.and_then(|known| known.channels.get(&living.record.about.channel));
        if let Some(question) = settings.and_then(|settings| settings.survey.clone()) {
            self.write(now, &living.company, interaction, (question, "survey"));
        }
    }

    /// Writes to the customer in the name of the company.
    pub(super) fn write(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        (content, purpose): (Value, &'static str),
    ) {
        let known = self.directory.companies.get(company);
        let name = known.map_or("", |known| known.name.as_str());
        let author = json!({ "kind": "system", "name": name });
        let at_ms = now.wall.as_millisecond();
        let said = Said {
            id: MessageId::new(at_ms, &mut self.random),
            company: company.clone(),
            interaction: interaction.clone(),
            at_ms,
            author,
            content,
            purpose,
        };
        let kept = Kept::Said(Box::new(said));
        self.outputs.push_back(Output::Kept(kept));
    }
}

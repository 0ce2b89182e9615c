//! Bots that talk with customers before people do: another system is asked what to say to each message,
//! until it hands the customer over to a service or closes.
//!
//! ```text
//!  message ─▶ waiting ─ one at a time ─▶ asked ─ answer ─▶ said; the customer's turn, or
//!                ▲                         │               the line of a service, or the end
//!                └─ again, once ◀─ failed ─┘ twice ─▶ the line of the channel's service
//! ```
//!
//! The bot keeps its own state, by the interaction; what it wants to have back is kept with the life
//! of the interaction (`variables`). A customer is never left with a bot that does not answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use desk::id::{CompanyId, InteractionId, ServiceId};
use desk::kept::{Kept, LateLine, Step};
use desk::output::DeskError;
use desk::record::{EndedBy, InteractionState, InteractionUpdate, TrailKind};
use ivr::machine::{FetchFailure, Fetched, Request, Ticket};
use ivr::{Method, Now};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::text::{BotSettings, Life, Settings};

use super::life::{About, Living, Record};
use super::output::Output;
use super::texting::question;
use super::written::Written;
use super::{Shared, Voice};

/// A bot that talks with a customer.
#[derive(Debug)]
pub(super) struct Bot {
    /// Who writes, for when they wait.
    written: Written,
    /// What the customer wrote and the bot has not answered: the first is asked about.
    waiting: VecDeque<Heard>,
    /// The question that is under way.
    asked: Option<Ticket>,
    tickets: u32,
    /// How often in a row it did not answer.
    failures: u32,
    /// When it is asked again, or the line is tried again.
    again: Option<Instant>,
    /// Where the customer goes as soon as there is room.
    leaving: Option<Leaving>,
}

/// Something that the customer wrote.
#[derive(Debug)]
struct Heard {
    seq: u32,
    text: String,
}

/// Why a customer leaves the bot, and for where.
#[derive(Clone, Debug)]
struct Leaving {
    service: Option<String>,
    detail: Value,
}

/// What a bot answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answered {
    messages: Vec<Says>,
    variables: Option<Map<String, Value>>,
    hand_over: Option<HandOver>,
    close: bool,
}

/// One thing that a bot says.
#[derive(Debug, Deserialize)]
struct Says {
    text: String,
    #[serde(default)]
    choices: Vec<Offered>,
}

/// Something to choose.
#[derive(Debug, Deserialize)]
struct Offered {
    id: String,
    title: String,
}

/// Where a bot sends a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HandOver {
    /// The service, by its id or its name; the channel's when not set, or not there.
    pub service: Option<String>,
    /// What the agent should know.
    pub note: Option<String>,
    /// What the bot found out, by name.
    pub variables: Map<String, Value>,
}

impl Bot {
    /// When it wants to be told the time.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.again
    }

    fn hears(&mut self, written: &Written) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(Heard {
                seq: written.seq,
                text: written.text.clone(),
            });
        }
    }
}

impl Voice {
    /// Another system says that the customer of a bot is to go to a service.
    ///
    /// Returns whether a bot had them.
    pub fn hand_over(
        &mut self,
        now: Now,
        company: &CompanyId,
        interaction: &InteractionId,
        to: HandOver,
    ) -> bool {
        let living = self.shared.lives.all.get(interaction);
        let known = living.filter(|living| living.company == *company && living.bot.is_some());
        let there = known.is_some();
        if there {
            self.shared.with_bot(now, interaction, |bot| {
                bot.asked = None;
                bot.leaving = Some(leaving(to));
            });
            self.attend(now);
        }
        there
    }
}

impl Shared {
    /// The bot that talks first with who writes, where there is one.
    pub(super) fn bot_of(&self, company: &CompanyId, written: &Written) -> Option<BotSettings> {
        let known = self.directory.companies.get(company)?;
        let bot = known.channels.get(&written.channel)?.bot.clone();
        bot.filter(|_| written.is_new)
    }

    /// Takes what a customer wrote to a bot. Returns whether one talks there.
    pub(super) fn handle_bot_heard(&mut self, now: Now, written: &Written) -> bool {
        let interaction = &written.interaction;
        let living = self.lives.all.get(interaction);
        let talks = living.is_some_and(|living| living.bot.is_some());
        if talks {
            self.customer_wrote(now, interaction);
            self.with_bot(now, interaction, |bot| bot.hears(written));
        }
        talks
    }

    /// A bot begins to talk with a customer.
    pub(super) fn begin_bot(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: Written,
        settings: &BotSettings,
    ) {
        let directory = self.directory.clone();
        let Some(known) = directory.companies.get(company) else {
            return;
        };
        let interaction = written.interaction.clone();
        let nothing = Settings::default();
        let channel = known.channels.get(&written.channel).unwrap_or(&nothing);
        // One that was begun before the program began again goes on, with what the bot knew.
        let before = self.lives.remove(&interaction);
        let variables = before
            .as_ref()
            .map(|before| before.record.variables.clone());
        let line = LateLine {
            interaction: interaction.clone(),
            at_ms: now.wall.as_millisecond(),
            kind: TrailKind::FlowEntered,
            detail: json!({ "bot": settings.id }),
        };
        let update = InteractionUpdate {
            state: Some(InteractionState::Flow),
            ..InteractionUpdate::default()
        };
        let step = Box::new(Step::open(line, update));
        self.outputs.push_back(Output::Kept(Kept::Step(step)));
        let mut bot = Bot {
            waiting: VecDeque::new(),
            asked: None,
            tickets: 0,
            failures: 0,
            again: None,
            leaving: None,
            written,
        };
        let first = bot.written.clone();
        bot.hears(&first);
        let living = Living {
            company: company.clone(),
            record: Record {
                about: About::of(&first),
                life: Life::begin_flow(channel, before.is_none()),
                variables: variables.unwrap_or_default(),
            },
            talk: None,
            bot: Some(Box::new(bot)),
            due: None,
        };
        self.settle_life(now, interaction.clone(), living, None);
        self.with_bot(now, &interaction, |_| {});
    }

    /// A bot answered, or did not. Returns whether the answer was for a bot.
    pub(super) fn handle_bot_answered(
        &mut self,
        now: Now,
        interaction: &InteractionId,
        ticket: Ticket,
        answer: &Result<Fetched, FetchFailure>,
    ) -> bool {
        let living = self.lives.all.get(interaction);
        let Some(bot) = living.and_then(|living| living.bot.as_ref()) else {
            return false;
        };
        if bot.asked != Some(ticket) {
            return true; // It was handed over in the meantime.
        }
        match answered(answer) {
            Ok(answered) => self.take_answer(now, interaction, answered),
            Err(why) => self.with_bot(now, interaction, |bot| {
                bot.asked = None;
                bot.failures += 1;
                if bot.failures > RETRIES {
                    bot.leaving = Some(Leaving {
                        service: None,
                        detail: json!({ "failed": why }),
                    });
                } else {
                    bot.again = Some(now.instant + RETRY_AFTER);
                }
            }),
        }
        true
    }

    pub(super) fn handle_bot_timeout(&mut self, now: Now, interaction: &InteractionId) {
        let living = self.lives.all.get(interaction);
        let due = living.and_then(|living| living.bot.as_ref()?.again);
        if due.is_some_and(|due| due <= now.instant) {
            self.with_bot(now, interaction, |bot| bot.again = None);
        }
    }

    fn take_answer(&mut self, now: Now, interaction: &InteractionId, answered: Answered) {
        let Some(living) = self.lives.all.get_mut(interaction) else {
            return;
        };
        let company = living.company.clone();
        if let Some(variables) = answered.variables {
            living.record.variables = variables;
        }
        let known = living.record.variables.clone();
        for says in answered.messages {
            let offered: Vec<(String, String)> = says
                .choices
                .into_iter()
                .map(|choice| (choice.id, choice.title))
                .collect();
            let content = question(says.text, &offered);
            self.write(now, &company, interaction, (content, "bot"));
        }
        if answered.close {
            self.lives.remove(interaction);
            self.keep_no_life(interaction.clone());
            let by = (EndedBy::Ramal, "bot_closed");
            return self.end_written(now, interaction.clone(), by);
        }
        let to = answered.hand_over.map(|to| {
            let mut variables = known;
            variables.extend(to.variables);
            leaving(HandOver { variables, ..to })
        });
        self.with_bot(now, interaction, |bot| {
            bot.asked = None;
            bot.failures = 0;
            bot.waiting.pop_front();
            bot.leaving = to;
        });
    }

    /// Changes a bot, and lets it do what is to be done next.
    fn with_bot(&mut self, now: Now, interaction: &InteractionId, change: impl FnOnce(&mut Bot)) {
        let Some(mut living) = self.lives.remove(interaction) else {
            return;
        };
        // What its life was before is not known here: it is kept again, which is harmless.
        if let Some(mut bot) = living.bot.take() {
            change(&mut bot);
            let has_left = self.leave_bot(now, &mut living, &mut bot);
            if !has_left {
                self.ask_bot(interaction, &living, &mut bot);
                let is_silent = bot.asked.is_none() && bot.waiting.is_empty();
                if is_silent {
                    living.record.life.handle_asked(now.wall.as_millisecond());
                }
                living.bot = Some(bot);
            }
        }
        self.settle_life(now, interaction.clone(), living, None);
    }

    /// Asks the bot about the first message that waits, unless it is being asked.
    fn ask_bot(&mut self, interaction: &InteractionId, living: &Living, bot: &mut Bot) {
        let directory = self.directory.clone();
        let known = directory.companies.get(&living.company);
        let settings = known.and_then(|known| known.channels.get(&bot.written.channel));
        let Some(settings) = settings.and_then(|settings| settings.bot.as_ref()) else {
            return; // It was taken away: whoever looks next hands over.
        };
        let idle = bot.asked.is_none() && bot.again.is_none() && bot.leaving.is_none();
        let (true, Some(heard)) = (idle, bot.waiting.front()) else {
            return;
        };
        bot.tickets += 1;
        let ticket = Ticket(bot.tickets);
        let request = Request {
            method: Method::Post,
            url: settings.url.clone(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                (
                    "authorization".to_owned(),
                    format!("Bearer {}", settings.token),
                ),
            ],
            body: Some(asking(settings, living, bot, heard).to_string()),
            timeout: ANSWER_WITHIN,
        };
        bot.asked = Some(ticket);
        self.outputs.push_back(Output::Ask {
            interaction: interaction.clone(),
            ticket,
            request: Box::new(request),
        });
    }

    /// Puts the customer into the line of a service, where the bot is done with them. Returns whether
    /// they are there.
    fn leave_bot(&mut self, now: Now, living: &mut Living, bot: &mut Bot) -> bool {
        let directory = self.directory.clone();
        let Some(known) = directory.companies.get(&living.company) else {
            return false;
        };
        let settings = known.channels.get(&bot.written.channel);
        let is_gone = settings.is_none_or(|settings| settings.bot.is_none());
        if is_gone && bot.leaving.is_none() {
            bot.leaving = Some(leaving(HandOver::default()));
        }
        let Some(leaving) = bot.leaving.clone().filter(|_| bot.again.is_none()) else {
            return false;
        };
        let wanted = leaving.service.as_deref().and_then(|wanted| {
            let id = wanted.parse::<ServiceId>().ok();
            let by_id = id.filter(|id| known.services.contains_key(id));
            by_id.or_else(|| {
                let wanted = wanted.trim().to_lowercase();
                let mut services = known.services.iter();
                let found = services.find(|(_, one)| one.name.to_lowercase() == wanted);
                found.map(|(id, _)| id.clone())
            })
        });
        if let Some(service) = wanted {
            bot.written.service = service;
        }
        match self.queue_written(now, &living.company, &bot.written, vec![]) {
            Ok(()) => {}
            // Somebody may leave the line; a service that is not there yet may come.
            Err(DeskError::Full | DeskError::NoSuchService) => {
                bot.again = Some(now.instant + LINE_AGAIN);
                return false;
            }
            Err(_) => return true, // It is there.
        }
        let mut detail = leaving.detail;
        detail["service"] = json!(bot.written.service);
        let line = LateLine {
            interaction: bot.written.interaction.clone(),
            at_ms: now.wall.as_millisecond(),
            kind: TrailKind::FlowLeft,
            detail,
        };
        self.outputs.push_back(Output::Kept(Kept::Line(line)));
        living.record.about.service = bot.written.service.clone();
        let is_open = living.record.about.closed(now, known).is_none();
        let nothing = Settings::default();
        let settings = settings.unwrap_or(&nothing);
        let at_ms = now.wall.as_millisecond();
        living.record.life.handle_queued(at_ms, settings, is_open);
        true
    }
}

fn leaving(to: HandOver) -> Leaving {
    Leaving {
        detail: json!({ "note": to.note, "variables": to.variables }),
        service: to.service,
    }
}

/// What a bot is asked.
fn asking(settings: &BotSettings, living: &Living, bot: &Bot, heard: &Heard) -> Value {
    let written = &bot.written;
    let customer = written.customer.as_ref();
    let customer = customer.map(|known| json!({ "contact": known.contact, "name": known.name }));
    // Told again after a start, it has no words: the bot reads them in the interaction, or asks.
    let kind = if heard.seq == 0 { "resumed" } else { "message" };
    json!({
        "type": kind,
        "bot": settings.id,
        "company": living.company,
        "channel": written.channel,
        "service": written.service,
        "interaction": written.interaction,
        "protocol": written.protocol,
        "language": written.language.map(ivr::Language::tag),
        "customer": customer,
        "message": { "seq": heard.seq, "text": heard.text },
        "variables": living.record.variables,
    })
}

/// An answer that can be done as it says, or why not.
fn answered(answer: &Result<Fetched, FetchFailure>) -> Result<Answered, String> {
    let fetched = match answer {
        Ok(fetched) if (200..300).contains(&fetched.status) => fetched,
        Ok(fetched) => return Err(format!("http {}", fetched.status)),
        Err(FetchFailure::Refused) => return Err("the address may not be asked".to_owned()),
        Err(FetchFailure::Unreachable) => return Err("nobody answers there".to_owned()),
        Err(FetchFailure::TimedOut) => return Err("no answer in time".to_owned()),
        Err(FetchFailure::TooLarge) => return Err("the answer is too large".to_owned()),
    };
    if fetched.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Answered::default()); // It answers later, by the API.
    }
    let answered: Answered =
        serde_json::from_slice(&fetched.body).map_err(|error| error.to_string())?;
    let is_odd = |says: &Says| {
        let is_text = |text: &str, bytes_max| {
            !text.trim().is_empty() && text.len() <= bytes_max && !text.contains('\0')
        };
        let is_choice = |one: &Offered| is_text(&one.id, ID_BYTES_MAX) && is_text(&one.title, 200);
        !is_text(&says.text, TEXT_BYTES_MAX)
            || says.choices.len() > CHOICES_MAX
            || !says.choices.iter().all(is_choice)
    };
    if answered.messages.len() > MESSAGES_MAX || answered.messages.iter().any(is_odd) {
        return Err("a message in the answer cannot be said".to_owned());
    }
    Ok(answered)
}

/// How long a bot may think; those with a language model need seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How often a bot that failed is asked again before a person takes over.
const RETRIES: u32 = 1;

/// Before it is asked again: longer than a restart of a small program.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// Before a line that is full is tried again.
const LINE_AGAIN: Duration = Duration::from_secs(5);

/// Messages that wait for the bot; who writes more meanwhile is read by whoever comes.
const WAITING_MAX: usize = 50;

/// Messages in one answer: more at once nobody reads.
const MESSAGES_MAX: usize = 10;

/// Choices of one message: as many as a list of WhatsApp holds.
const CHOICES_MAX: usize = 10;

/// What every channel carries in one message.
const TEXT_BYTES_MAX: usize = 4_096;

/// Of a choice: as WhatsApp has it.
const ID_BYTES_MAX: usize = 200;

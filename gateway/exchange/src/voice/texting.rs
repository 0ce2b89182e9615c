//! Flows that talk with customers in writing: what a flow says is a message, a menu is a question with
//! choices, and a queue is the line of a service. What only a telephone can do fails as it does there.

use std::time::{Duration, Instant};

use desk::id::{CompanyId, InteractionId, ServiceId};
use desk::kept::{Kept, LateLine, Step};
use desk::output::DeskError;
use desk::record::{EndedBy, InteractionState, InteractionUpdate, TrailKind};
use ivr::machine::{
    Caller, Choosable, DialResult, Did, FetchFailure, Fetched, Output as Wish, QueueResult, Spoken,
    Ticket,
};
use ivr::{FlowId, Language, Now, Session, SkillWanted};
use serde_json::{Map, Value, json};

use crate::directory::Company;
use crate::text::{Life, Settings};

use super::flow::wanted;
use super::life::{About, Living, Record};
use super::output::Output;
use super::record::told;
use super::written::Written;
use super::{Shared, Voice};

/// A flow that talks with a customer.
#[derive(Debug)]
pub(super) struct Talk {
    session: Session,
    /// The wait that the flow wants to hear the end of.
    queued: Option<Ticket>,
    /// What it says, until it waits for something; nothing of recordings that nobody wrote down.
    says: Option<(Language, Vec<String>)>,
    /// When it last said something.
    said: Option<Instant>,
    /// Who writes, for when they wait.
    written: Written,
}

/// What is left of a talk.
enum Left {
    /// It goes on.
    Talk,
    /// Nothing: it is over, and so is the interaction.
    Nothing,
    /// The customer waits for a person, and the flow wants no more.
    Wait,
}

impl Talk {
    /// When the flow wants to be told the time.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.session.poll_timeout()
    }
}

impl Voice {
    /// The answer to [`Output::Ask`].
    pub fn handle_asked(
        &mut self,
        now: Now,
        interaction: &InteractionId,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
    ) {
        let shared = &mut self.shared;
        if !shared.handle_bot_answered(now, interaction, ticket, &answer) {
            shared.talk(now, interaction, |talk| {
                talk.session.handle_fetched(now, ticket, answer);
            });
        }
        self.attend(now);
    }
}

impl Shared {
    /// The flow that talks first with who writes, where there is one.
    pub(super) fn flow_of(&self, company: &CompanyId, written: &Written) -> Option<FlowId> {
        let known = self.directory.companies.get(company)?;
        let flow = known.channels.get(&written.channel)?.flow.as_ref()?;
        let is_there = known.library.flows.contains_key(flow);
        (written.is_new && is_there).then(|| flow.clone())
    }

    /// A flow begins to talk with a customer.
    pub(super) fn begin_talk(
        &mut self,
        now: Now,
        company: &CompanyId,
        written: Written,
        flow: &FlowId,
    ) {
        let directory = self.directory.clone();
        let Some(known) = directory.companies.get(company) else {
            return;
        };
        let caller = Caller {
            protocol: written.protocol.clone(),
            ..Caller::default()
        };
        let Ok(session) = Session::new(known.library.clone(), flow, &caller) else {
            return;
        };
        let interaction = written.interaction.clone();
        // One that was begun before the program began again begins anew, without another greeting.
        let is_new = self.lives.remove(&interaction).is_none();
        let nothing = Settings::default();
        let settings = known.channels.get(&written.channel).unwrap_or(&nothing);
        let line = LateLine {
            interaction: interaction.clone(),
            at_ms: now.wall.as_millisecond(),
            kind: TrailKind::FlowEntered,
            detail: json!({ "flow": flow.as_str() }),
        };
        let update = InteractionUpdate {
            state: Some(InteractionState::Flow),
            ..InteractionUpdate::default()
        };
        let step = Box::new(Step::open(line, update));
        self.outputs.push_back(Output::Kept(Kept::Step(step)));
        let living = Living {
            company: company.clone(),
            record: Record {
                about: About::of(&written),
                life: Life::begin_flow(settings, is_new),
                variables: Map::new(),
            },
            bot: None,
            talk: Some(Box::new(Talk {
                session: session.in_writing(),
                queued: None,
                says: None,
                said: None,
                written,
            })),
            due: None,
        };
        self.settle_life(now, interaction.clone(), living, None);
        self.talk(now, &interaction, |talk| talk.session.start(now));
    }

    /// A customer wrote. Returns whether a flow talks with them, and took it.
    pub(super) fn handle_text(
        &mut self,
        now: Now,
        interaction: &InteractionId,
        text: &str,
    ) -> bool {
        let living = self.lives.all.get(interaction);
        let talks = living
            .and_then(|living| living.talk.as_ref())
            .is_some_and(|talk| talk.queued.is_none());
        if talks {
            let directory = self.directory.clone();
            let company = living.map(|living| living.company.clone());
            let known = company.and_then(|company| directory.companies.get(&company));
            self.customer_wrote(now, interaction);
            self.talk(now, interaction, |talk| {
                let choices = talk.session.choices();
                let named = named(&choices, text, known.map(|known| &**known));
                let text = named.as_deref().unwrap_or(text);
                let since = talk.said.map(|said| now.instant.duration_since(said));
                let is_hasty = since.is_some_and(|since| since < READING_TIME);
                // Written before the question was read: it answers nothing, and stands in the conversation.
                if !is_hasty || talk.session.may_answer(text) {
                    talk.session.handle_text(now, text);
                }
            });
        }
        talks
    }

    /// Nobody took an interaction in time. Returns whether a flow goes on with it.
    pub(super) fn handle_unanswered(&mut self, now: Now, interaction: &InteractionId) -> bool {
        let living = self.lives.all.get_mut(interaction);
        let talk = living.and_then(|living| living.talk.as_mut());
        let Some(ticket) = talk.and_then(|talk| talk.queued.take()) else {
            return false;
        };
        self.with_life(now, interaction, |life, _| life.handle_unanswered());
        self.talk(now, interaction, |talk| {
            let result = QueueResult::Unanswered;
            talk.session.handle_queued(now, ticket, result);
        });
        true
    }

    /// A person has it: the flow has nothing more to do.
    pub(super) fn end_talk(&mut self, interaction: &InteractionId) {
        if let Some(living) = self.lives.all.get_mut(interaction) {
            living.talk = None;
            living.bot = None;
        }
    }

    pub(super) fn handle_talk_timeout(&mut self, now: Now, interaction: &InteractionId) {
        let living = self.lives.all.get(interaction);
        let talk = living.and_then(|living| living.talk.as_ref());
        // Otherwise it is the customer whose time is over: nothing was asked anew.
        let is_due = |due: Instant| due <= now.instant;
        if talk
            .and_then(|talk| talk.poll_timeout())
            .is_some_and(is_due)
        {
            self.talk(now, interaction, |talk| talk.session.handle_timeout(now));
        }
    }

    /// Tells a flow, if one talks there, what happened, and does what it wants done.
    fn talk(&mut self, now: Now, interaction: &InteractionId, tell: impl FnOnce(&mut Talk)) {
        let Some(mut living) = self.lives.remove(interaction) else {
            return;
        };
        let before = living.record.clone();
        if let Some(mut talk) = living.talk.take() {
            tell(&mut talk);
            match self.perform_talk(now, interaction, &mut living, &mut talk) {
                Left::Nothing => {
                    self.keep_no_life(interaction.clone());
                    let by = (EndedBy::Ramal, "flow_ended");
                    return self.end_written(now, interaction.clone(), by);
                }
                Left::Wait => {}
                Left::Talk => {
                    if talk.session.is_asking() {
                        living.record.life.handle_asked(now.wall.as_millisecond());
                    }
                    living.talk = Some(talk);
                }
            }
        }
        self.settle_life(now, interaction.clone(), living, Some(&before));
    }

    /// Does what a flow wants done, until it wants nothing more. Who was not understood waits for a person
    /// when the flow ends, and is not sent away.
    fn perform_talk(
        &mut self,
        now: Now,
        interaction: &InteractionId,
        living: &mut Living,
        talk: &mut Talk,
    ) -> Left {
        let mut left = Left::Talk;
        let mut gave_up = false;
        while let Some(wish) = talk.session.poll_output() {
            match wish {
                Wish::Play {
                    ticket,
                    language,
                    items,
                } => {
                    let known = self.directory.companies.get(&living.company);
                    let said = items
                        .into_iter()
                        .filter_map(|item| words(item, known.map(|known| &**known)));
                    let (_, says) = talk.says.get_or_insert((language, vec![]));
                    says.extend(said);
                    talk.session.handle_played(now, ticket);
                }
                Wish::Queue {
                    ticket,
                    service,
                    skills,
                } => {
                    self.flush_talk(now, interaction, living, talk);
                    let queued = self.queue_talk(now, living, talk, (&service, &skills));
                    match queued {
                        Ok(()) => talk.queued = Some(ticket),
                        Err(_) => {
                            let result = QueueResult::Closed;
                            talk.session.handle_queued(now, ticket, result);
                        }
                    }
                }
                Wish::Dial { ticket, .. } => {
                    let result = DialResult::Failed;
                    talk.session.handle_dialled(now, ticket, result);
                }
                Wish::Record { ticket, .. } => {
                    talk.session.handle_recorded(now, ticket, Duration::ZERO);
                }
                Wish::Fetch { ticket, request } => self.outputs.push_back(Output::Ask {
                    interaction: interaction.clone(),
                    ticket,
                    request: Box::new(request),
                }),
                Wish::HangUp { .. } => left = Left::Nothing,
                Wish::Step(step) => {
                    gave_up |= matches!(step.did, Did::GaveUp);
                    self.note_talk(interaction, &step);
                }
                // What is written stands, and an answer that comes after all has an old ticket.
                Wish::StopPlaying { .. }
                | Wish::LeaveQueue { .. }
                | Wish::CancelDial { .. }
                | Wish::CancelFetch { .. }
                | Wish::StopRecording { .. } => {}
            }
        }
        if matches!(left, Left::Nothing) && gave_up {
            let service = ivr::ServiceId::new(talk.written.service.as_str());
            if self.queue_talk(now, living, talk, (&service, &[])).is_ok() {
                // The leave that it takes is none.
                talk.says = None;
                left = Left::Wait;
            }
        }
        self.flush_talk(now, interaction, living, talk);
        left
    }

    /// Puts a customer into the line of the service that the flow has found.
    fn queue_talk(
        &mut self,
        now: Now,
        living: &mut Living,
        talk: &mut Talk,
        (service, skills): (&ivr::ServiceId, &[SkillWanted]),
    ) -> Result<(), DeskError> {
        let service: Result<ServiceId, _> = service.as_str().parse();
        let service = service.map_err(|_| DeskError::NoSuchService)?;
        let directory = self.directory.clone();
        let known = directory.companies.get(&living.company);
        let known = known.ok_or(DeskError::NoSuchService)?;
        let settings = known.channels.get(&talk.written.channel);
        let nothing = Settings::default();
        let settings = settings.unwrap_or(&nothing);
        let about = About {
            service: service.clone(),
            ..living.record.about.clone()
        };
        let is_open = about.closed(now, known).is_none();
        if !is_open && settings.absence.is_none() {
            // Nobody would tell the customer: the flow has its own way.
            return Err(DeskError::Away);
        }
        talk.written.service = service;
        self.queue_written(now, &living.company, &talk.written, wanted(skills))?;
        living.record.about = about;
        let at_ms = now.wall.as_millisecond();
        living.record.life.handle_queued(at_ms, settings, is_open);
        Ok(())
    }

    /// Writes down what a flow has said; a question with its choices.
    fn flush_talk(
        &mut self,
        now: Now,
        interaction: &InteractionId,
        living: &Living,
        talk: &mut Talk,
    ) {
        let Some((language, says)) = talk.says.take() else {
            return;
        };
        talk.said = Some(now.instant);
        let directory = self.directory.clone();
        let known = directory.companies.get(&living.company);
        let offered = talk.session.choices();
        let offered = offered.iter().filter_map(|choice| {
            let title = title(choice, known.map(|known| &**known));
            (!title.is_empty()).then(|| (choice.key.to_string(), title))
        });
        let offered: Vec<_> = offered.collect();
        let body = match (says.is_empty(), offered.is_empty()) {
            (true, true) => return,
            (true, false) => choose(language).to_owned(),
            (false, _) => says.join("\n"),
        };
        let content = question(body, &offered);
        self.write(now, &living.company, interaction, (content, "flow"));
    }

    /// A line of the trail for a step of a flow, unless something else tells it: the desk that somebody
    /// waits, the message that something was said.
    fn note_talk(&mut self, interaction: &InteractionId, step: &ivr::machine::Step) {
        if let Did::Queued { .. } | Did::QueueEnded { .. } | Did::Heard { .. } = step.did {
            return;
        }
        let (kind, detail) = told(step);
        let line = LateLine {
            interaction: interaction.clone(),
            at_ms: step.at.as_millisecond(),
            kind,
            detail: Value::Object(detail),
        };
        self.outputs.push_back(Output::Kept(Kept::Line(line)));
    }
}

/// A question as it is written: what it offers to choose from stands below it, and beside it for channels
/// that show buttons.
pub(super) fn question(body: String, offered: &[(String, String)]) -> Value {
    let mut text = body.clone();
    for (id, title) in offered {
        // Many questions say their answers themselves.
        if !text.contains(title.as_str()) {
            text.push_str(&format!("\n{id} - {title}"));
        }
    }
    let mut content = json!({ "kind": "text", "text": text });
    if !offered.is_empty() {
        let choices = offered.iter();
        let choices = choices.map(|(id, title)| json!({ "id": id, "title": title }));
        content["body"] = json!(body);
        content["choices"] = Value::Array(choices.collect());
    }
    content
}

/// Asks what nobody wrote down: the question is a recording.
fn choose(language: Language) -> &'static str {
    match language {
        Language::PtBr => "Escolha uma opção:",
        Language::En => "Choose an option:",
        Language::Es => "Elija una opción:",
    }
}

/// What a choice is called: as the editor calls it, or as the service is.
fn title(choice: &Choosable, company: Option<&Company>) -> String {
    if !choice.title.is_empty() {
        return choice.title.clone();
    }
    let id = choice.service.as_ref();
    let id = id.and_then(|id| id.as_str().parse::<ServiceId>().ok());
    let service = id.and_then(|id| company?.services.get(&id));
    service.map_or_else(String::new, |service| service.name.clone())
}

/// The key of the choice that a customer named, alone or as the only one in what they wrote (`quero
/// Vendas`).
fn named(choices: &[Choosable], text: &str, company: Option<&Company>) -> Option<String> {
    let wanted = bare(text);
    let titles = choices
        .iter()
        .map(|choice| (choice, bare(&title(choice, company))))
        .filter(|(_, title)| !title.is_empty());
    let titles: Vec<_> = titles.collect();
    let exact = titles.iter().find(|(_, title)| *title == wanted);
    let padded = format!(" {wanted} ");
    let mut inside = titles
        .iter()
        .filter(|(_, title)| padded.contains(&format!(" {title} ")));
    let only = inside.next().filter(|_| inside.next().is_none());
    exact.or(only).map(|(choice, _)| choice.key.to_string())
}

/// The words of a text alone, in small letters.
fn bare(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join(" ")
}

/// What an item says to who reads; nothing of a recording of which nobody wrote down the words.
fn words(item: Spoken, company: Option<&Company>) -> Option<String> {
    match item {
        Spoken::Text { text, .. } => Some(text),
        Spoken::Word(word) => Some(word.text.into_owned()),
        Spoken::Prompt(prompt) => company?.prompts.get(prompt.as_str()).cloned(),
    }
}

/// Who writes in several lines has not read the question before the last of them.
const READING_TIME: Duration = Duration::from_secs(10);

//! The simulated world: customers with their telephones, the providers between them and the company, and
//! what is under way. Without a socket and without a clock.
//!
//! ```text
//!  a person, a test ── act ──▶ ┌───────┐ ── Output::Post ──▶ the company's webhook
//!  the company ── send … ────▶ │ World │ ◀──── answered ──────────┘
//!  time ── handle_timeout ───▶ └───────┘ ── Output::Fetch ─▶ a file that the company sends by its link
//! ```
//!
//! After each call the shell takes [`World::poll_output`] until there is none, and comes again at
//! [`World::poll_timeout`]. All times are milliseconds since 1970 by the simulated clock.

mod act;
mod chat;
pub(crate) mod content;
mod customer;
pub(crate) mod delivery;
mod exchange;
pub(crate) mod fault;
mod ids;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod problem;
mod progress;
mod send;
pub(crate) mod template;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

pub use act::{Act, Cannot};
pub use chat::{Chat, FREE_MS, WINDOW_MS};
pub use content::{
    Among, Card, Choice, Content, File, Filled, FilledButton, Question, Shape, Wanted,
};
pub(crate) use customer::with_nine;
pub use customer::{Customer, shown};
pub use delivery::Outcome;
use delivery::{Deliveries, End, Webhook};
pub use exchange::Exchange;
use exchange::Exchanges;
pub(crate) use exchange::beginning;
use fault::Faults;
pub use fault::{Fault, FaultKind};
use media::Media;
pub use media::{Full, Kept};
pub use message::{Author, Message, Progress, Reactions};
pub use problem::Problem;
use progress::Timer;
pub(crate) use send::unfit;
pub use send::{Recipient, Sending, Taken};
pub use template::{Button, Header, Template, TemplateState};

use crate::demo;
use crate::provider::Provider;

/// How long things take, and how much may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From taking a message to `sent`, in milliseconds.
    pub sent_ms: u32,
    /// From `sent` to `delivered`, in milliseconds.
    pub delivered_ms: u32,
    /// From making a template to its approval, in milliseconds.
    pub approval_ms: u32,
    /// How many messages may go to one customer at once, beside one in 6 s (131056).
    pub pair_burst: u32,
    /// How many messages of one number may go in a second (130429).
    pub per_second: u32,
}

impl Pace {
    /// As people know it. Meta lets 45 messages go to one customer at once and 80 in a second to all.
    pub const USUAL: Self = Self {
        sent_ms: 250,
        delivered_ms: 600,
        approval_ms: 3_000,
        pair_burst: 45,
        per_second: 80,
    };

    /// Without waiting and without bounds, for tests of other things.
    pub const AT_ONCE: Self = Self {
        sent_ms: 0,
        delivered_ms: 0,
        approval_ms: 0,
        pair_burst: 1_000_000,
        per_second: 1_000_000,
    };
}

/// Where a provider tells the company what happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The address.
    pub url: String,
    /// Headers that go along: a secret, for providers that sign nothing; the key of the API, for the ERP.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// The company's account at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Where it hears of messages.
    pub webhook: Option<Target>,
    /// Where it hears how far its own came, where that is another place.
    pub statuses: Option<Target>,
    /// With what its own webhook signs, at the ERP.
    #[serde(skip)]
    pub signing_secret: Option<String>,
    /// Customers that it does not want to hear.
    pub blocked: BTreeSet<String>,
    /// What it subscribed to, at Zenvia: id, kind of event, and where.
    #[serde(skip)]
    pub(crate) subscriptions: Vec<(String, String, Target)>,
    /// How many messages went in the second that began then.
    #[serde(skip)]
    pub(crate) this_second: (i64, u32),
}

/// What the company's own webhook told the ERP.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// The id under which it came (`webhook-id`).
    pub id: String,
    /// When: milliseconds since 1970, by the simulated clock.
    pub at_ms: i64,
    /// How often it came under that id.
    pub times: u32,
    /// Which attendance it is about.
    pub attendance: Option<String>,
    /// Its number within the attendance.
    pub seq: Option<i64>,
    /// What happened.
    pub event: String,
    /// All of it.
    pub body: serde_json::Value,
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Post this, and say by [`World::answered`] what came of it.
    Post(Attempt),
    /// Fetch this file, and give it to [`World::fetched`].
    Fetch {
        /// The message that it is in.
        message: u64,
        /// Where it is.
        url: String,
    },
}

/// A webhook to be posted now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its id for [`World::answered`].
    pub delivery: u64,
    /// Where.
    pub url: String,
    /// With what headers.
    pub headers: Vec<(String, String)>,
    /// What.
    pub body: Vec<u8>,
    /// How long to wait for an answer, in milliseconds of the real clock.
    pub timeout_ms: u64,
    /// Whether the answer is lost even if it comes.
    pub(crate) loses_answer: bool,
    /// What is remarkable about it.
    pub(crate) note: String,
}

/// What changed, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub enum Topic {
    /// What was said between a customer and the company.
    Chat {
        /// At whom.
        provider: Provider,
        /// With whom.
        customer: String,
    },
    /// Customers, accounts, templates, faults, the clock.
    State,
    /// What went over the wire.
    Wire,
}

/// The simulated world.
#[derive(Debug)]
pub struct World {
    pub(crate) random: StdRng,
    pub(crate) pace: Pace,
    pub(crate) base: String,
    /// With which links to files are made.
    pub(crate) link_key: [u8; 32],
    pub(crate) customers: BTreeMap<String, Customer>,
    pub(crate) accounts: BTreeMap<Provider, Account>,
    pub(crate) chats: BTreeMap<(Provider, String), Chat>,
    pub(crate) messages: Vec<Message>,
    pub(crate) templates: Vec<Template>,
    pub(crate) media: Media,
    pub(crate) notices: Vec<Notice>,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Deliveries,
    pub(crate) exchanges: Exchanges,
    timers: BTreeMap<(i64, u64), Timer>,
    timers_made: u64,
    outputs: VecDeque<Output>,
    changed: BTreeSet<Topic>,
}

impl World {
    /// The world of the demo, which the company reaches at `base`.
    pub fn new(pace: Pace, base: &str, seed: [u8; 32]) -> Self {
        let mut world = Self {
            random: StdRng::from_seed(seed),
            pace,
            base: base.to_owned(),
            link_key: seed,
            customers: BTreeMap::new(),
            accounts: Provider::ALL
                .map(|provider| (provider, Account::default()))
                .into(),
            chats: BTreeMap::new(),
            messages: vec![],
            templates: demo::templates(),
            media: Media::default(),
            notices: vec![],
            faults: Faults::default(),
            deliveries: Deliveries::default(),
            exchanges: Exchanges::default(),
            timers: BTreeMap::new(),
            timers_made: 0,
            outputs: VecDeque::new(),
            changed: BTreeSet::new(),
        };
        for (id, mime, name, bytes) in demo::SAMPLES {
            // They are a few kilobytes.
            let _ = world
                .media
                .keep(id.to_owned(), (mime, Some(name)), bytes, i64::MAX);
        }
        for customer in demo::customers() {
            world.put_customer(customer);
        }
        world
    }

    /// The customers.
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.customers.values()
    }

    /// Makes a customer, or changes one.
    pub fn put_customer(&mut self, mut customer: Customer) {
        if customer.wa_id.is_empty() {
            customer.wa_id.clone_from(&customer.phone);
        }
        if customer.user_id.is_empty() {
            let known = self.customers.get(&customer.id);
            customer.user_id = match known {
                Some(known) => known.user_id.clone(),
                None => self.user_id(),
            };
        }
        self.customers.insert(customer.id.clone(), customer);
        self.touch(Topic::State);
    }

    /// The company's account at a provider.
    pub fn account(&self, provider: Provider) -> &Account {
        // All were made with the world.
        &self.accounts[&provider]
    }

    pub(crate) fn account_mut(&mut self, provider: Provider) -> &mut Account {
        self.touch(Topic::State);
        self.accounts.entry(provider).or_default()
    }

    /// Says where a provider tells the company what happens; nowhere when `None`.
    pub fn set_webhook(&mut self, provider: Provider, target: Option<Target>) {
        let account = self.account_mut(provider);
        account.statuses.clone_from(&target);
        account.webhook = target;
    }

    /// Says with what the company's own webhook signs what it tells the ERP.
    pub fn set_signing_secret(&mut self, secret: Option<String>) {
        self.account_mut(Provider::Erp).signing_secret = secret;
    }

    /// What stands between a customer and the company.
    pub fn chat(&self, provider: Provider, customer: &str) -> Chat {
        let chat = self.chats.get(&(provider, customer.to_owned()));
        chat.cloned().unwrap_or_default()
    }

    pub(crate) fn chat_mut(&mut self, provider: Provider, customer: &str) -> &mut Chat {
        self.touch_chat(provider, customer);
        self.chats
            .entry((provider, customer.to_owned()))
            .or_default()
    }

    /// All messages, in the order in which they were written.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The messages between a customer and the company at a provider, in their order.
    pub fn between(&self, provider: Provider, customer: &str) -> impl Iterator<Item = &Message> {
        self.messages
            .iter()
            .filter(move |message| message.provider == provider && message.customer == customer)
    }

    /// The message with a number.
    pub fn message(&self, id: u64) -> Option<&Message> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.messages.get(index)
    }

    pub(crate) fn message_mut(&mut self, id: u64) -> Option<&mut Message> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        let message = self.messages.get_mut(index)?;
        self.changed.insert(Topic::Chat {
            provider: message.provider,
            customer: message.customer.clone(),
        });
        Some(message)
    }

    /// The message that a provider knows by an id.
    pub fn by_wire_id(&self, provider: Provider, id: &str) -> Option<&Message> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.provider == provider && message.has_wire_id(id))
    }

    /// The templates.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// A file that is kept.
    pub fn file(&self, id: &str) -> Option<&Kept> {
        self.media.by_id(id)
    }

    /// What the company's own webhook told the ERP.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The faults that are switched on.
    pub fn faults(&self) -> &[Fault] {
        self.faults.list()
    }

    /// Switches a fault on.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
        self.touch(Topic::State);
    }

    /// Switches faults off: those of one provider, or all.
    pub fn clear_faults(&mut self, provider: Option<Provider>) {
        self.faults.clear(provider);
        self.touch(Topic::State);
    }

    /// What went over the wire after an id, the latest last.
    pub fn exchanges(&self, after: u64) -> impl Iterator<Item = &Exchange> {
        self.exchanges.after(after)
    }

    pub(crate) fn note(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
        self.touch(Topic::Wire);
    }

    /// How many webhooks are under way, counting those that wait for another try.
    pub fn under_way(&self) -> usize {
        self.deliveries.len()
    }

    /// Webhooks that failed and are tried again: provider, what they tell, attempts so far, and when next.
    pub fn retried(&self) -> impl Iterator<Item = (Provider, &str, u32, Option<i64>)> {
        self.deliveries.retried()
    }

    /// Tries at once what waits for another try.
    pub fn hurry(&mut self, now_ms: i64) {
        self.deliveries.hurry(now_ms);
    }

    /// Something is due.
    pub fn handle_timeout(&mut self, now_ms: i64) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            let (at_ms, timer) = (entry.key().0, entry.remove());
            // By its own time: after the clock was moved on, things happened when they did.
            self.fire(at_ms, timer);
        }
        while let Some((id, delivery)) = self.deliveries.due(now_ms) {
            let provider = delivery.provider;
            let webhook = delivery.webhook.clone();
            self.attempt(now_ms, id, provider, &webhook);
        }
    }

    /// When something is due next.
    pub fn poll_timeout(&self) -> Option<i64> {
        let timer = self.timers.keys().next().map(|(due_ms, _)| *due_ms);
        [timer, self.deliveries.next_due_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What the shell is to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What changed since this was asked last.
    pub fn poll_changes(&mut self) -> BTreeSet<Topic> {
        std::mem::take(&mut self.changed)
    }

    pub(crate) fn touch(&mut self, topic: Topic) {
        self.changed.insert(topic);
    }

    pub(crate) fn touch_chat(&mut self, provider: Provider, customer: &str) {
        let customer = customer.to_owned();
        self.touch(Topic::Chat { provider, customer });
    }

    /// Says that the clock was moved.
    pub fn clock_moved(&mut self) {
        self.touch(Topic::State);
    }

    /// A link to a file, good for a while, under a provider's path.
    pub(crate) fn link(&self, provider: Provider, id: &str, now_ms: i64) -> String {
        let token = media::token(&self.link_key, provider, id, now_ms + media::LINK_MS);
        format!("{}/{}/files/{token}", self.base, provider.prefix())
    }

    fn push_output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn push_timer(&mut self, due_ms: i64, timer: Timer) {
        self.timers_made += 1;
        self.timers.insert((due_ms, self.timers_made), timer);
    }

    /// Sets webhooks on their way. `about`: the message of the customer that they carry.
    fn push_webhooks(
        &mut self,
        now_ms: i64,
        provider: Provider,
        (lane, about): (&str, Option<u64>),
        webhooks: Vec<Webhook>,
    ) {
        for webhook in webhooks {
            let fault = self.faults.strikes(provider, &mut self.random, |kind| {
                matches!(
                    kind,
                    FaultKind::Delay { .. } | FaultKind::Duplicate | FaultKind::Reorder
                )
            });
            self.deliveries
                .push(now_ms, provider, (lane, about), webhook, fault);
        }
        self.touch(Topic::State);
    }

    fn attempt(&mut self, now_ms: i64, id: u64, provider: Provider, webhook: &Webhook) {
        let mut strikes = |wanted: FaultKind| {
            let kind = self
                .faults
                .strikes(provider, &mut self.random, |kind| *kind == wanted);
            kind.is_some()
        };
        if strikes(FaultKind::Drop) {
            let outcome = Outcome::Silent("lost on its way (fault)".to_owned());
            self.note_attempt(now_ms, provider, webhook, &outcome, "drop");
            self.came_of(now_ms, id, &outcome);
            return;
        }
        let loses_answer = strikes(FaultKind::LoseAnswer);
        let wrong = strikes(FaultKind::WrongSignature);
        let (url, headers) = webhook.signing.seal(webhook, wrong);
        let note = match (loses_answer, wrong) {
            (_, true) => "wrong signature",
            (true, false) => "answer lost",
            (false, false) => "",
        };
        self.push_output(Output::Post(Attempt {
            delivery: id,
            url,
            headers,
            body: webhook.body.clone(),
            timeout_ms: provider.answer_within_ms(),
            loses_answer,
            note: note.to_owned(),
        }));
    }

    /// What came of an attempt.
    pub fn answered(&mut self, now_ms: i64, attempt: &Attempt, outcome: Outcome) {
        let outcome = match (attempt.loses_answer, outcome) {
            (true, Outcome::Answered { .. }) => {
                Outcome::Silent("the answer was lost (fault)".to_owned())
            }
            (_, outcome) => outcome,
        };
        let id = attempt.delivery;
        if let Some((provider, webhook)) = self.came_of(now_ms, id, &outcome) {
            self.note_attempt(now_ms, provider, &webhook, &outcome, &attempt.note);
        }
    }

    fn came_of(&mut self, now_ms: i64, id: u64, outcome: &Outcome) -> Option<(Provider, Webhook)> {
        let answered = self.deliveries.answered(now_ms, id, outcome)?;
        let delivery = answered.delivery;
        if let (Some(End::Told), Some(message)) = (answered.end, delivery.about) {
            if let Some(message) = self.message_mut(message) {
                message.advance(Progress::Delivered, now_ms);
            }
            self.told_erp(message, outcome);
        }
        self.touch(Topic::State);
        Some((delivery.provider, delivery.webhook))
    }

    /// The company's answer to the ERP says under which protocol the matter is.
    fn told_erp(&mut self, message: u64, outcome: &Outcome) {
        let Some(message) = self.message(message) else {
            return;
        };
        let Outcome::Answered { body, .. } = outcome else {
            return;
        };
        if message.provider != Provider::Erp {
            return;
        }
        let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let protocol = answer["protocol"].as_str().map(str::to_owned);
        let customer = message.customer.clone();
        let chat = self.chat_mut(Provider::Erp, &customer);
        chat.protocol = protocol.or(chat.protocol.take());
        let status = answer["status"].as_str().map(str::to_owned);
        chat.status = status.or(chat.status.take());
    }

    fn note_attempt(
        &mut self,
        now_ms: i64,
        provider: Provider,
        webhook: &Webhook,
        outcome: &Outcome,
        note: &str,
    ) {
        let (status, answer) = match outcome {
            Outcome::Answered { status, body } => (Some(*status), beginning(body)),
            Outcome::Silent(why) => (None, why.clone()),
        };
        self.note(Exchange {
            id: 0,
            at_ms: now_ms,
            provider,
            direction: "out",
            label: webhook.label.clone(),
            method: "POST".to_owned(),
            url: webhook.url.clone(),
            body: beginning(&webhook.body),
            status,
            answer,
            note: note.to_owned(),
        });
    }
}

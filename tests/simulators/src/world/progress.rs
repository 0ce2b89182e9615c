//! How messages come further, and what the company is told of it.

use super::template::TemplateState;
use super::{Progress, Topic, World};
use crate::provider::Provider;
use crate::wire::{self, News};

/// Something that happens by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A message of the company's goes to the customer's telephone, or fails.
    Goes { message: u64 },
    /// It arrives there.
    Arrives { message: u64 },
    /// Meta has looked at a template.
    Judged { provider: Provider, id: String },
}

impl World {
    pub(super) fn fire(&mut self, now_ms: i64, timer: Timer) {
        match timer {
            Timer::Goes { message } => self.goes(now_ms, message),
            Timer::Arrives { message } => self.arrives(now_ms, message),
            Timer::Judged { provider, id } => self.judged(now_ms, provider, &id),
        }
    }

    /// Tells the company what happened to a message, or a template.
    pub(crate) fn tell(
        &mut self,
        now_ms: i64,
        provider: Provider,
        customer: &str,
        about: Option<u64>,
        news: &News<'_>,
    ) {
        let webhooks = if self.is_blocked(provider, customer) {
            vec![]
        } else {
            wire::tell(self, now_ms, provider, customer, news)
        };
        if webhooks.is_empty()
            && let Some(message) = about.and_then(|id| self.message_mut(id))
        {
            message.untold = true;
        }
        self.push_webhooks(now_ms, provider, (customer, about), webhooks);
    }

    /// Whether the company does not want to hear a customer.
    fn is_blocked(&self, provider: Provider, customer: &str) -> bool {
        let blocked = &self.account(provider).blocked;
        let customer = self.customers.get(customer);
        customer.is_some_and(|customer| blocked.contains(&customer.wa_id))
    }

    /// Brings a message further, and tells the company if that is news.
    pub(super) fn advance(&mut self, now_ms: i64, id: u64, to: Progress) {
        let Some(message) = self.message_mut(id) else {
            return;
        };
        if !message.advance(to, now_ms) {
            return;
        }
        let message = message.clone();
        let news = News::Status(&message, to);
        self.tell(now_ms, message.provider, &message.customer, None, &news);
    }

    fn goes(&mut self, now_ms: i64, id: u64) {
        let Some(message) = self.message(id) else {
            return;
        };
        if message.problem.is_some() {
            return self.advance(now_ms, id, Progress::Failed);
        }
        // A file that the company sends by its link is fetched first: `fetched` goes on.
        if message
            .content
            .file()
            .is_some_and(|file| file.file.is_empty())
        {
            return;
        }
        self.advance(now_ms, id, Progress::Sent);
        let due_ms = now_ms + i64::from(self.pace.delivered_ms);
        self.push_timer(due_ms, Timer::Arrives { message: id });
    }

    fn arrives(&mut self, now_ms: i64, id: u64) {
        let customer = self
            .message(id)
            .and_then(|message| self.customers.get(&message.customer));
        if customer.is_some_and(|customer| !customer.offline) {
            self.advance(now_ms, id, Progress::Delivered);
        }
    }

    /// Sets a message of the company's on its way.
    pub(super) fn set_out(&mut self, now_ms: i64, message: u64) {
        let due_ms = now_ms + i64::from(self.pace.sent_ms);
        self.push_timer(due_ms, Timer::Goes { message });
    }

    /// The customer's telephone has a connection, or has none.
    pub fn set_offline(&mut self, now_ms: i64, customer: &str, offline: bool) {
        let Some(known) = self.customers.get_mut(customer) else {
            return;
        };
        known.offline = offline;
        self.touch(Topic::State);
        if offline {
            return;
        }
        let is_sent = |message: &&super::Message| {
            message.customer == customer && message.is_ours() && message.progress == Progress::Sent
        };
        let waiting: Vec<u64> = self
            .messages
            .iter()
            .filter(is_sent)
            .map(|message| message.id)
            .collect();
        for message in waiting {
            self.push_timer(now_ms, Timer::Arrives { message });
        }
    }

    /// Waits for Meta to look at a template.
    pub(crate) fn submit(&mut self, now_ms: i64, provider: Provider, id: &str) {
        let due_ms = now_ms + i64::from(self.pace.approval_ms);
        let id = id.to_owned();
        self.push_timer(due_ms, Timer::Judged { provider, id });
    }

    fn judged(&mut self, now_ms: i64, provider: Provider, id: &str) {
        let found = self
            .templates
            .iter()
            .find(|template| template.provider == provider && template.id == id);
        let Some(template) = found else { return };
        match template.verdict() {
            Some(reason) => {
                self.set_template(now_ms, provider, id, TemplateState::Rejected, Some(reason));
            }
            None => self.set_template(now_ms, provider, id, TemplateState::Approved, None),
        }
    }

    /// Says how a template stands, and tells the company.
    pub fn set_template(
        &mut self,
        now_ms: i64,
        provider: Provider,
        id: &str,
        state: TemplateState,
        reason: Option<&str>,
    ) {
        let found = self
            .templates
            .iter_mut()
            .find(|template| template.provider == provider && template.id == id);
        let Some(template) = found else { return };
        template.state = state;
        template.reason = reason.map(str::to_owned);
        let template = template.clone();
        self.touch(Topic::State);
        self.tell(now_ms, provider, "", None, &News::Template(&template));
    }
}

//! What the company sends.

use super::content::{Content, Shape};
use super::media::{self, Full};
use super::problem::{Problem, invalid};
use super::{
    Author, Customer, FaultKind, Message, Output, Progress, Reactions, Topic, World, with_nine,
};
use crate::demo;
use crate::provider::Provider;
use crate::wire::News;

/// A message as the company asks for it, whichever provider's words it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// By whom.
    pub provider: Provider,
    /// To whom.
    pub to: Recipient,
    /// What. A file that is to be fetched from a link has no id yet.
    pub content: Content,
    /// Where the file in it is, if it came by a link.
    pub link: Option<String>,
    /// The provider's id of the message to which it answers.
    pub reply_to: Option<String>,
    /// What the company calls it.
    pub correlation: Option<String>,
    /// Where it wants to hear how far it came, if not where it hears everything.
    pub status_url: Option<String>,
    /// What the provider calls it, where that is known; else an id is made up.
    pub own_id: Option<String>,
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A telephone, in digits.
    Number(String),
    /// An id within the company's portfolio.
    UserId(String),
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number in the simulator.
    pub message: u64,
    /// WhatsApp's id of it.
    pub wamid: String,
    /// The provider's id of it.
    pub own_id: String,
    /// The customer's number as WhatsApp has it, where the company may know it.
    pub wa_id: Option<String>,
    /// The customer's id in the portfolio.
    pub user_id: String,
}

impl World {
    /// Takes a message of the company's, or says why not.
    ///
    /// # Errors
    ///
    /// [`Problem`]: what the provider answers at once. What turns out later is told by a status.
    pub fn send(&mut self, now_ms: i64, sending: Sending) -> Result<Taken, Problem> {
        let provider = sending.provider;
        if let Some(FaultKind::Refuse { code }) =
            self.strikes(provider, |kind| matches!(kind, FaultKind::Refuse { .. }))
        {
            return Err(Problem::usual(code));
        }
        let customer = self.recipient(provider, &sending.to)?;
        self.is_within_rates(now_ms, provider, &customer)?;
        self.has_file(provider, now_ms, &sending)?;
        let problem = self.turns_out(now_ms, provider, &customer, &sending.content);
        let wamid = self.wamid(&customer.wa_id, false);
        let has_file = sending.content.file().is_some();
        let own_id = sending
            .own_id
            .unwrap_or_else(|| self.own_id(provider, &wamid, has_file));
        let quoted = sending.reply_to.as_deref();
        let quoted = quoted.and_then(|id| self.by_wire_id(provider, id));
        let reply_to = quoted.map(|message| message.id);
        let billable = self.is_billable(now_ms, provider, &customer.id, &sending.content);
        let id = self.push_message(Message {
            id: 0,
            provider,
            customer: customer.id.clone(),
            author: Author::Company,
            at_ms: now_ms,
            wamid: wamid.clone(),
            own_id: own_id.clone(),
            content: sending.content,
            reply_to,
            correlation: sending.correlation,
            progress: Progress::Accepted,
            steps: vec![(Progress::Accepted, now_ms)],
            problem,
            forwarded: false,
            from_ad: false,
            before: vec![],
            revoked: false,
            reactions: Reactions::default(),
            pressed: None,
            untold: false,
            status_url: sending.status_url,
            billable,
        });
        self.chat_mut(provider, &customer.id).typing_until_ms = None;
        let message = self.messages[self.messages.len() - 1].clone();
        self.tell(now_ms, provider, &customer.id, None, &News::Taken(&message));
        if let Some(url) = sending.link {
            self.push_output(Output::Fetch { message: id, url });
        }
        self.set_out(now_ms, id);
        Ok(Taken {
            message: id,
            wamid,
            own_id,
            wa_id: (!customer.hides_phone).then_some(customer.wa_id),
            user_id: customer.user_id,
        })
    }

    pub(crate) fn push_message(&mut self, mut message: Message) -> u64 {
        let id = u64::try_from(self.messages.len()).unwrap_or(u64::MAX) + 1;
        message.id = id;
        self.touch_chat(message.provider, &message.customer.clone());
        self.messages.push(message);
        id
    }

    /// The provider's own id of a message.
    pub(crate) fn own_id(&mut self, provider: Provider, wamid: &str, has_file: bool) -> String {
        match provider {
            Provider::Cloud | Provider::Dialog360 => wamid.to_owned(),
            Provider::Gupshup | Provider::Zenvia | Provider::Erp => self.uuid(),
            // Messages with files are multimedia to Twilio.
            Provider::Twilio => format!("{}{}", if has_file { "MM" } else { "SM" }, self.hex(32)),
        }
    }

    pub(crate) fn strikes(
        &mut self,
        provider: Provider,
        kinds: impl Fn(&FaultKind) -> bool,
    ) -> Option<FaultKind> {
        let struck = self.faults.strikes(provider, &mut self.random, kinds);
        if struck.is_some() {
            self.touch(Topic::State);
        }
        struck
    }

    /// Who is meant. A number that nobody knows is made a customer without WhatsApp, so that a person can
    /// see what became of the message.
    fn recipient(&mut self, provider: Provider, to: &Recipient) -> Result<Customer, Problem> {
        match to {
            Recipient::UserId(id) => {
                let found = self.customers.values().find(|one| one.user_id == *id);
                found
                    .cloned()
                    .ok_or_else(|| invalid(format!("recipient {id} is nobody of this portfolio")))
            }
            Recipient::Number(digits) => {
                let is_number = (7..=15).contains(&digits.len())
                    && digits.bytes().all(|byte| byte.is_ascii_digit());
                if !is_number {
                    return Err(invalid("to is not a telephone number"));
                }
                if with_nine(digits) == with_nine(demo::number(provider)) {
                    return Err(Problem::usual(131_021));
                }
                let found = self.customers.values().find(|one| one.has_number(digits));
                if let Some(customer) = found {
                    return Ok(customer.clone());
                }
                let name = super::shown(digits);
                let mut nobody = Customer::new(&format!("n{digits}"), &name, digits);
                nobody.no_whatsapp = true;
                // Only this form of the number is nobody's.
                nobody.exact_number_only = true;
                self.put_customer(nobody.clone());
                Ok(self.customers.get(&nobody.id).cloned().unwrap_or(nobody))
            }
        }
    }

    fn is_within_rates(
        &mut self,
        now_ms: i64,
        provider: Provider,
        customer: &Customer,
    ) -> Result<(), Problem> {
        if provider == Provider::Erp {
            return Ok(());
        }
        let pace = self.pace;
        let account = self.accounts.entry(provider).or_default();
        let (second, count) = &mut account.this_second;
        if *second != now_ms / 1_000 {
            (*second, *count) = (now_ms / 1_000, 0);
        }
        *count += 1;
        if *count > pace.per_second {
            return Err(Problem::usual(130_429));
        }
        let chat = self.chat_mut(provider, &customer.id);
        if chat.take(now_ms, pace.pair_burst) {
            Ok(())
        } else {
            Err(Problem::usual(131_056))
        }
    }

    /// A file that was laid down must be there.
    fn has_file(&self, provider: Provider, now_ms: i64, sending: &Sending) -> Result<(), Problem> {
        let Some(file) = sending.content.file() else {
            return Ok(());
        };
        if sending.link.is_some() {
            return Ok(());
        }
        let kept = self.media.by_id(&file.file);
        match kept.filter(|kept| now_ms < kept.until_ms) {
            Some(_) => Ok(()),
            None => Err(invalid(format!(
                "{} has no media {}",
                provider.name(),
                file.file
            ))),
        }
    }

    /// Why a message that was taken will not arrive.
    fn turns_out(
        &mut self,
        now_ms: i64,
        provider: Provider,
        customer: &Customer,
        content: &Content,
    ) -> Option<Problem> {
        if let Some(FaultKind::Fail { code }) =
            self.strikes(provider, |kind| matches!(kind, FaultKind::Fail { .. }))
        {
            return Some(Problem::usual(code));
        }
        if provider == Provider::Erp {
            return None;
        }
        if customer.no_whatsapp {
            return Some(Problem::usual(131_026));
        }
        let is_open = self.chat(provider, &customer.id).is_open(now_ms);
        if content.needs_window() && !is_open {
            return Some(Problem::usual(131_047));
        }
        let file = content.file()?;
        let kept = self.media.by_id(&file.file)?;
        unfit(file.shape, &kept.mime, kept.bytes.len())
    }

    /// Whether Meta asks money for a message: for templates always but for those of use while the window
    /// was open, for others from 1 October 2026; for nothing to whom an advertisement brought.
    fn is_billable(
        &self,
        now_ms: i64,
        provider: Provider,
        customer: &str,
        content: &Content,
    ) -> bool {
        let chat = self.chat(provider, customer);
        let is_free = chat.free_until_ms.is_some_and(|until_ms| now_ms < until_ms);
        let since = now_ms >= SERVICE_COSTS_FROM_MS;
        let is_charged = match content.category().as_str() {
            "service" => since,
            "utility" => since || !chat.is_open(now_ms),
            _ => true,
        };
        is_charged && !is_free
    }

    /// The file that a message was waiting for, or why it could not be had.
    pub fn fetched(&mut self, now_ms: i64, message: u64, file: Result<(String, Vec<u8>), String>) {
        let id = self.number_id();
        let kept = match file {
            Ok((mime, bytes)) => self.keep_fetched(now_ms, &id, message, &mime, &bytes),
            Err(why) => Err(Problem::new(131_053, why)),
        };
        let Some(message) = self.message_mut(message) else {
            return;
        };
        match kept {
            Ok(()) => {}
            Err(problem) => {
                message.problem.get_or_insert(problem);
            }
        }
        let id = message.id;
        self.set_out(now_ms, id);
    }

    fn keep_fetched(
        &mut self,
        now_ms: i64,
        id: &str,
        message: u64,
        mime: &str,
        bytes: &[u8],
    ) -> Result<(), Problem> {
        let until_ms = now_ms + media::UPLOADED_MS;
        let full = |full: Full| Problem::new(131_053, full.to_string());
        self.media
            .keep(id.to_owned(), (mime, None), bytes, until_ms)
            .map_err(full)?;
        let sha256 = self.media.by_id(id).map(|kept| kept.sha256.clone());
        let Some(message) = self.message_mut(message) else {
            return Ok(());
        };
        let provider = message.provider;
        let Some(file) = message.content.file_mut() else {
            return Ok(());
        };
        if file.mime.is_empty() {
            mime.clone_into(&mut file.mime);
            if provider == Provider::Twilio {
                // Who sends by Twilio does not say what a file is.
                file.shape = Shape::of_mime(mime);
            }
        }
        id.clone_into(&mut file.file);
        file.bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        file.sha256 = sha256.unwrap_or_default();
        let shape = file.shape;
        let unfit = unfit(shape, mime, bytes.len()).filter(|_| provider != Provider::Erp);
        unfit.map_or(Ok(()), Err)
    }

    /// Keeps a file that the company lays down, or a customer sends.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub fn keep_file(
        &mut self,
        now_ms: i64,
        (mime, name): (&str, Option<&str>),
        bytes: &[u8],
    ) -> Result<String, Full> {
        let id = self.number_id();
        let until_ms = now_ms + media::UPLOADED_MS;
        self.media.keep(id.clone(), (mime, name), bytes, until_ms)?;
        Ok(id)
    }

    /// The company thinks something of a message.
    ///
    /// # Errors
    ///
    /// [`Problem`] where there is no such message.
    pub fn react(
        &mut self,
        provider: Provider,
        id: &str,
        emoji: Option<&str>,
    ) -> Result<u64, Problem> {
        let message = self.by_wire_id(provider, id).map(|message| message.id);
        let message = message.and_then(|id| self.message_mut(id));
        let message = message.ok_or_else(|| invalid("message_id is no message of this number"))?;
        message.reactions.company = emoji.filter(|emoji| !emoji.is_empty()).map(str::to_owned);
        Ok(message.id)
    }

    /// The company has read a customer's message and all before it, and perhaps types.
    ///
    /// # Errors
    ///
    /// [`Problem`] where there is no such message.
    pub fn mark_read(
        &mut self,
        now_ms: i64,
        provider: Provider,
        id: &str,
        types: bool,
    ) -> Result<(), Problem> {
        let message = self.by_wire_id(provider, id);
        let message = message.filter(|message| !message.is_ours());
        let message = message.ok_or_else(|| invalid("message_id is no message of a customer"))?;
        let (last, customer) = (message.id, message.customer.clone());
        for message in &mut self.messages {
            let is_theirs = message.provider == provider && message.customer == customer;
            if is_theirs && !message.is_ours() && message.id <= last {
                message.advance(Progress::Read, now_ms);
            }
        }
        let chat = self.chat_mut(provider, &customer);
        chat.typing_until_ms = types.then_some(now_ms + TYPING_MS);
        Ok(())
    }
}

/// Why WhatsApp would not carry a file of this type and length, if so.
pub(crate) fn unfit(shape: Shape, mime: &str, bytes: usize) -> Option<Problem> {
    if !shape.takes(mime) {
        let details = format!("{mime} cannot be sent as {}", shape.word());
        return Some(Problem::new(131_053, details));
    }
    let bytes_max = shape.bytes_max();
    (u64::try_from(bytes).unwrap_or(u64::MAX) > bytes_max).then(|| {
        let details = format!(
            "{} may have {bytes_max} bytes, this has {bytes}",
            shape.word()
        );
        Problem::new(131_053, details)
    })
}

/// How long the company is shown as typing.
const TYPING_MS: i64 = 25_000;

/// 1 October 2026, from when on messages that are no templates cost money too.
const SERVICE_COSTS_FROM_MS: i64 = 1_790_812_800_000;

//! What customers do with their telephones.

use serde::Deserialize;

use super::chat::FREE_MS;
use super::content::{Among, Content, FilledButton};
use super::{Author, Customer, Message, Progress, Reactions, Topic, World, media};
use crate::provider::Provider;
use crate::wire::News;

/// What a customer does; or the company, on the telephone that has its number.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Writes.
    Write {
        /// What.
        content: Content,
        /// To which message it answers.
        #[serde(default)]
        reply_to: Option<u64>,
        /// Whether it was forwarded.
        #[serde(default)]
        forwarded: bool,
        /// Whether an advertisement brought the customer.
        #[serde(default)]
        from_ad: bool,
    },
    /// The company writes, on the telephone that has its number.
    WriteFromPhone {
        /// What.
        text: String,
    },
    /// Thinks something of a message; nothing any more when `emoji` is none.
    React {
        /// Of which.
        message: u64,
        /// What.
        emoji: Option<String>,
    },
    /// Writes a message anew.
    Edit {
        /// Which.
        message: u64,
        /// What it says now.
        text: String,
    },
    /// Takes a message back.
    Revoke {
        /// Which.
        message: u64,
    },
    /// Chooses one of the answers that stand below a message.
    Press {
        /// Below which.
        message: u64,
        /// Its id, or what stands on it.
        option: String,
    },
    /// Looks at the messages.
    Read,
    /// Hears a voice note.
    Play {
        /// Which.
        message: u64,
    },
    /// Has another number from now on.
    ChangeNumber {
        /// Which, in digits.
        phone: String,
    },
    /// Comes with another matter (ERP): what is written from now on is another conversation.
    NewTicket,
}

/// Why a customer cannot do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cannot {
    /// There is no such customer.
    #[error("there is no customer {0}")]
    NoCustomer(String),
    /// There is no such message between them and the company.
    #[error("there is no message {0} in this chat")]
    NoMessage(u64),
    /// There is no such file.
    #[error("there is no file {0}")]
    NoFile(String),
    /// It cannot be done with this message.
    #[error("{0}")]
    NotThis(&'static str),
}

impl World {
    /// Lets a customer do something. Returns the number of the message that came of it, if one did.
    ///
    /// # Errors
    ///
    /// [`Cannot`].
    pub fn act(
        &mut self,
        now_ms: i64,
        provider: Provider,
        customer: &str,
        act: Act,
    ) -> Result<Option<u64>, Cannot> {
        let who = self.customers.get(customer);
        let who = who.ok_or_else(|| Cannot::NoCustomer(customer.to_owned()))?;
        let chat = Place {
            now_ms,
            provider,
            customer: who.clone(),
        };
        match act {
            Act::Write {
                content,
                reply_to,
                forwarded,
                from_ad,
            } => {
                let draft = Draft {
                    content,
                    reply_to,
                    forwarded,
                    from_ad,
                };
                self.write(&chat, draft).map(Some)
            }
            Act::WriteFromPhone { text } => Ok(Some(self.write_from_phone(&chat, text))),
            Act::React { message, emoji } => self.think(&chat, message, emoji),
            Act::Edit { message, text } => self.edit(&chat, message, text),
            Act::Revoke { message } => self.revoke(&chat, message),
            Act::Press { message, option } => self.press(&chat, message, &option).map(Some),
            Act::Read => {
                self.read(&chat);
                Ok(None)
            }
            Act::Play { message } => {
                self.of(&chat, message)?;
                if !chat.customer.hides_reading {
                    self.advance(now_ms, message, Progress::Played);
                }
                Ok(None)
            }
            Act::ChangeNumber { phone } => {
                self.change_number(&chat, phone);
                Ok(None)
            }
            Act::NewTicket => {
                self.new_ticket(customer);
                Ok(None)
            }
        }
    }

    /// The message of a chat.
    fn of(&self, chat: &Place, id: u64) -> Result<&Message, Cannot> {
        let is_here = |message: &&Message| {
            message.provider == chat.provider && message.customer == chat.customer.id
        };
        let found = self.message(id).filter(is_here);
        found.ok_or(Cannot::NoMessage(id))
    }

    fn write(&mut self, chat: &Place, mut draft: Draft) -> Result<u64, Cannot> {
        if let Some(reply_to) = draft.reply_to {
            self.of(chat, reply_to)?;
        }
        if let Some(file) = draft.content.file_mut() {
            let kept = self.media.by_id(&file.file);
            let kept = kept.ok_or_else(|| Cannot::NoFile(file.file.clone()))?;
            file.mime.clone_from(&kept.mime);
            file.sha256.clone_from(&kept.sha256);
            file.bytes = u64::try_from(kept.bytes.len()).unwrap_or(u64::MAX);
            file.name = file.name.take().or_else(|| kept.name.clone());
        }
        if chat.provider == Provider::Erp {
            self.ticket(&chat.customer.id);
        }
        let message = self.message_of(chat, Author::Customer, draft);
        let id = self.push_message(message.clone());
        let entry = self.chat_mut(chat.provider, &chat.customer.id);
        entry.open(chat.now_ms);
        if message.from_ad {
            entry.free_until_ms = Some(chat.now_ms + FREE_MS);
        }
        let message = Message { id, ..message };
        self.tell_of(chat, Some(id), &News::Wrote(&message));
        Ok(id)
    }

    fn message_of(&mut self, chat: &Place, author: Author, draft: Draft) -> Message {
        let wamid = self.wamid(&chat.customer.wa_id, author == Author::Customer);
        let has_file = draft.content.file().is_some();
        let own_id = match chat.provider {
            // What customers write has no id at Gupshup but WhatsApp's.
            Provider::Gupshup => wamid.clone(),
            provider @ (Provider::Cloud
            | Provider::Dialog360
            | Provider::Zenvia
            | Provider::Twilio
            | Provider::Erp) => self.own_id(provider, &wamid, has_file),
        };
        Message {
            id: 0,
            provider: chat.provider,
            customer: chat.customer.id.clone(),
            author,
            at_ms: chat.now_ms,
            wamid,
            own_id,
            content: draft.content,
            reply_to: draft.reply_to,
            correlation: None,
            progress: Progress::Sent,
            steps: vec![(Progress::Sent, chat.now_ms)],
            problem: None,
            forwarded: draft.forwarded,
            from_ad: draft.from_ad,
            before: vec![],
            revoked: false,
            reactions: Reactions::default(),
            pressed: None,
            untold: false,
            status_url: None,
            billable: false,
        }
    }

    fn tell_of(&mut self, chat: &Place, about: Option<u64>, news: &News<'_>) {
        self.tell(chat.now_ms, chat.provider, &chat.customer.id, about, news);
    }

    fn write_from_phone(&mut self, chat: &Place, text: String) -> u64 {
        let draft = Draft {
            content: Content::Text { text },
            reply_to: None,
            forwarded: false,
            from_ad: false,
        };
        let mut message = self.message_of(chat, Author::Phone, draft);
        message.advance(Progress::Delivered, chat.now_ms);
        let id = self.push_message(message.clone());
        let message = Message { id, ..message };
        self.tell_of(chat, Some(id), &News::Echoed(&message));
        id
    }

    fn think(
        &mut self,
        chat: &Place,
        id: u64,
        emoji: Option<String>,
    ) -> Result<Option<u64>, Cannot> {
        let of = self.of(chat, id)?.clone();
        let emoji = emoji.filter(|emoji| !emoji.is_empty());
        let event = self.wamid(&chat.customer.wa_id, true);
        let news = News::Reacted {
            of: &of,
            emoji: emoji.as_deref(),
            id: &event,
        };
        self.tell_of(chat, None, &news);
        if let Some(message) = self.message_mut(id) {
            message.reactions.customer = emoji;
        }
        Ok(None)
    }

    fn edit(&mut self, chat: &Place, id: u64, text: String) -> Result<Option<u64>, Cannot> {
        let was = self.of(chat, id)?.clone();
        let Some(before) = was.content.text().filter(|_| !was.is_ours()) else {
            return Err(Cannot::NotThis("only words of one's own can be edited"));
        };
        if chat.now_ms - was.at_ms > EDIT_MS_MAX {
            return Err(Cannot::NotThis(
                "what is older than 15 minutes stays as it is",
            ));
        }
        let event = self.wamid(&chat.customer.wa_id, true);
        let news = News::Edited {
            of: &was,
            text: &text,
            id: &event,
        };
        self.tell_of(chat, Some(id), &news);
        if let Some(message) = self.message_mut(id) {
            message.before.push(before.to_owned());
            message.content = Content::Text { text };
        }
        Ok(None)
    }

    fn revoke(&mut self, chat: &Place, id: u64) -> Result<Option<u64>, Cannot> {
        let was = self.of(chat, id)?.clone();
        if was.is_ours() {
            return Err(Cannot::NotThis("only one's own can be taken back"));
        }
        if chat.now_ms - was.at_ms > REVOKE_MS_MAX {
            return Err(Cannot::NotThis("what is older than two days stays"));
        }
        let event = self.wamid(&chat.customer.wa_id, true);
        self.tell_of(
            chat,
            Some(id),
            &News::Revoked {
                of: &was,
                id: &event,
            },
        );
        if let Some(message) = self.message_mut(id) {
            message.revoked = true;
        }
        Ok(None)
    }

    fn press(&mut self, chat: &Place, id: u64, option: &str) -> Result<u64, Cannot> {
        let content = pressed(&self.of(chat, id)?.content, option)
            .ok_or(Cannot::NotThis("nothing of that kind can be pressed there"))?;
        let Content::Pressed { title, .. } = &content else {
            return Err(Cannot::NotThis("nothing of that kind can be pressed there"));
        };
        if let Some(message) = self.message_mut(id) {
            message.pressed = Some(title.clone());
        }
        let draft = Draft {
            content,
            reply_to: Some(id),
            forwarded: false,
            from_ad: false,
        };
        self.write(chat, draft)
    }

    fn read(&mut self, chat: &Place) {
        if chat.customer.hides_reading {
            return;
        }
        let unread: Vec<u64> = self
            .between(chat.provider, &chat.customer.id)
            .filter(|message| message.is_ours() && message.progress == Progress::Delivered)
            .map(|message| message.id)
            .collect();
        for id in unread {
            self.advance(chat.now_ms, id, Progress::Read);
        }
    }

    fn change_number(&mut self, chat: &Place, phone: String) {
        let was = chat.customer.clone();
        let user_id = self.user_id();
        let event = self.wamid(&was.wa_id, true);
        self.put_customer(Customer {
            wa_id: phone.clone(),
            phone,
            user_id,
            ..was.clone()
        });
        let news = News::NumberChanged {
            was: &was,
            id: &event,
        };
        self.tell_of(chat, None, &news);
    }

    /// The conversation that a customer's words belong to at the ERP; one is begun if there is none.
    fn ticket(&mut self, customer: &str) {
        if self.chat(Provider::Erp, customer).ticket.is_none() {
            self.new_ticket(customer);
        }
    }

    fn new_ticket(&mut self, customer: &str) {
        let chance = self.hex(4).to_ascii_uppercase();
        let chat = self.chat_mut(Provider::Erp, customer);
        chat.tickets += 1;
        // With chance in it, so that the company's memory of an earlier run is not of this one.
        chat.ticket = Some(format!("TT-{chance}-{}", chat.tickets));
        chat.protocol = None;
        chat.status = None;
        self.touch(Topic::State);
    }

    /// Keeps a file of a customer's.
    ///
    /// # Errors
    ///
    /// [`media::Full`].
    pub fn keep_of_customer(
        &mut self,
        now_ms: i64,
        (mime, name): (&str, Option<&str>),
        bytes: &[u8],
    ) -> Result<String, media::Full> {
        let id = self.number_id();
        let until_ms = now_ms + media::RECEIVED_MS;
        self.media.keep(id.clone(), (mime, name), bytes, until_ms)?;
        Ok(id)
    }
}

/// Where and when something is done.
struct Place {
    now_ms: i64,
    provider: Provider,
    customer: Customer,
}

/// A message that is being written.
struct Draft {
    content: Content,
    reply_to: Option<u64>,
    forwarded: bool,
    from_ad: bool,
}

/// What pressing an answer below a message says.
fn pressed(content: &Content, option: &str) -> Option<Content> {
    match content {
        Content::Question(question) => {
            let mut options = question.options.iter();
            let chosen = options.find(|choice| choice.id == option || choice.title == option)?;
            Some(Content::Pressed {
                among: question.among,
                id: chosen.id.clone(),
                title: chosen.title.clone(),
                description: chosen.description.clone(),
            })
        }
        Content::Template(filled) => filled.buttons.iter().find_map(|button| match button {
            FilledButton::Reply { text, payload } if text == option || payload == option => {
                Some(Content::Pressed {
                    among: Among::Template,
                    id: payload.clone(),
                    title: text.clone(),
                    description: None,
                })
            }
            FilledButton::Reply { .. }
            | FilledButton::Url { .. }
            | FilledButton::Copy { .. }
            | FilledButton::Phone { .. } => None,
        }),
        Content::Text { .. }
        | Content::File(_)
        | Content::Location { .. }
        | Content::Contacts { .. }
        | Content::Link { .. }
        | Content::Pressed { .. }
        | Content::Asks { .. }
        | Content::Unsupported { .. }
        | Content::Notice { .. } => None,
    }
}

/// How long one's own words can be edited (Meta: 15 minutes).
const EDIT_MS_MAX: i64 = 900_000;

/// How long one's own messages can be taken back (Meta: two days).
const REVOKE_MS_MAX: i64 = 2 * 86_400_000;

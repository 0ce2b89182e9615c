//! What a mail says: a message in the conversation to which it belongs, or what became of one of ours.

use std::collections::BTreeMap;

use channels::email::thread::{self, Apart, Found, Key, NoWork, Ours, Place, Traffic};
use channels::email::{Address, Mail};
use channels::event::{self, Event, EventKind, Incoming};
use desk::id::{ConversationId, MessageId};
use desk::record::{Direction, TrailKind};
use serde_json::{Value, json};
use store::channel_health::{self, Happened};
use store::channels::Channel;
use store::mails::{self, Candidate, Thread};
use store::messages::{self, Message};
use store::receipts::{self, Known, Receipt};
use store::{Error, conversations};

use super::super::attachments;
use super::super::matter::{Arriving, Kept, Made, Maker, Told};
use super::super::settings::EMAIL;
use super::super::{Outcome, SigningSecrets, Taken};
use super::mailboxes::Fetched;
use super::settings::{EmailSettings, THREAD_KEY, secret};

/// Where a mail goes.
struct Sorted {
    /// The conversation, if it is there.
    conversation: Option<ConversationId>,
    /// The channel's name of it.
    thread: String,
    /// What is known of it; nothing of a new one.
    about: Thread,
    /// What the agent is told of where it belongs.
    follows: Option<(ConversationId, Apart)>,
    /// Why it makes no work, if it makes none.
    quiet: Option<NoWork>,
}

impl Maker<'_> {
    /// A mail that was fetched.
    pub(in crate::channels) async fn of_mailbox(
        &mut self,
        channel: &Channel,
        receipt: &Receipt,
    ) -> Result<Made, Error> {
        let at_ms = receipt.received_ms;
        let fetched = serde_json::from_slice::<Fetched>(&receipt.body);
        let (Ok(fetched), Some(settings)) = (fetched, EmailSettings::of(channel)) else {
            return Ok(Made::nothing(Outcome::Refused(""))); // Of another program.
        };
        channel_health::note(self.db, &channel.id, Happened::Event, at_ms).await?;
        let mut told = vec![];
        let mut outcome = Outcome::Done;
        for event in &fetched.events {
            let EventKind::Message(message) = &event.kind else {
                told.extend(self.event(channel, event.clone(), at_ms).await?);
                continue;
            };
            let arrived = (&fetched, event, message);
            let made = self.mail(channel, &settings, arrived, at_ms).await?;
            told.extend(made.told);
            outcome = made.outcome;
        }
        Ok(Made { outcome, told })
    }

    async fn mail(
        &mut self,
        channel: &Channel,
        settings: &EmailSettings,
        (fetched, event, message): (&Fetched, &Event, &Incoming),
        at_ms: i64,
    ) -> Result<Made, Error> {
        let mail = fetched.mail.clone().unwrap_or_default();
        let sorted = self
            .sorted(channel, settings, (&mail, &event.key), at_ms)
            .await?;
        if let Some(why) = sorted.quiet {
            return self
                .quietly(channel, (fetched, event, message), &sorted, why, at_ms)
                .await;
        }
        let follows = sorted.follows.as_ref();
        let arriving = Arriving {
            thread: Some(sorted.thread.clone()),
            key: event.key.clone(),
            fingerprint: event.key.clone(),
            message: message.clone(),
            sent_ms: event.at_ms,
            service: None,
            priority: 0,
            attributes: json!({
                "subject": mail.subject,
                "follows": follows.map(|(conversation, _)| conversation),
                "follows_why": follows.map(|(_, why)| why),
            }),
        };
        let made = self.take(channel, &arriving, at_ms).await?;
        if let Outcome::Taken(Taken {
            message,
            is_duplicate: false,
            ..
        }) = &made.outcome
        {
            self.remember(channel, message, (fetched, &sorted.about), at_ms)
                .await?;
        }
        Ok(made)
    }

    /// What is not work for anybody is shown where it belongs, if that is anywhere; else its receipt
    /// says why nothing came of it.
    async fn quietly(
        &mut self,
        channel: &Channel,
        (fetched, event, message): (&Fetched, &Event, &Incoming),
        sorted: &Sorted,
        why: NoWork,
        at_ms: i64,
    ) -> Result<Made, Error> {
        let nothing = || Made::nothing(Outcome::Refused(why.as_str()));
        let id = MessageId::new(at_ms, self.random);
        let event_row = Known {
            hash: event.key.clone(),
            message: id.clone(),
        };
        let known = receipts::take_in(self.db, &channel.id, &event.key, &event_row).await?;
        let talk = match (&sorted.conversation, known) {
            (Some(conversation), None) => {
                conversations::next_in(&mut **self.db, conversation).await?
            }
            (_, _) => None,
        };
        let Some((talk, interaction)) = talk.and_then(|talk| {
            let interaction = talk.interaction.clone()?;
            Some((talk, interaction))
        }) else {
            return Ok(nothing());
        };
        let kept = Kept {
            content: &message.content,
            attachments: &message.attachments,
        };
        let row = Message {
            id,
            company: channel.company.clone(),
            conversation: talk.id,
            seq: talk.seq,
            interaction,
            direction: Direction::Inbound,
            author: json!({ "kind": "customer", "name": message.from.name, "why_no_work": why }),
            // Text always becomes JSON.
            content: serde_json::to_value(kept).unwrap_or(Value::Null),
            client_id: None,
            external_id: Some(message.id.clone()),
            reply_to: message.reply_to.clone(),
            sent_ms: event.at_ms,
            at_ms,
            state: None,
            failure: None,
            reactions: None,
            edits: None,
            revoked_ms: None,
        };
        messages::insert(&mut **self.db, &row).await?;
        attachments::of(self.db, self.random, channel, &row).await?;
        let told = (TrailKind::MessageReceived, &row.id, row.seq);
        conversations::say(self.db, &row.interaction, told, at_ms).await?;
        self.remember(channel, &row.id, (fetched, &sorted.about), at_ms)
            .await?;
        let told = Told::Changed(row.interaction, row.seq);
        Ok(Made {
            outcome: Outcome::Done,
            told: vec![(channel.company.clone(), told)],
        })
    }

    /// Keeps which mail a message is, and what its conversation is about from now on.
    async fn remember(
        &mut self,
        channel: &Channel,
        message: &MessageId,
        (fetched, about): (&Fetched, &Thread),
        at_ms: i64,
    ) -> Result<(), Error> {
        let row = messages::by_id(&mut **self.db, &channel.company, message).await?;
        let Some(row) = row else { return Ok(()) };
        let mail = fetched.mail.clone().unwrap_or_default();
        let author = mail.author().map(|author| author.address.to_lowercase());
        let kept = mails::Mail {
            message: message.clone(),
            channel: channel.id.clone(),
            conversation: row.conversation.clone(),
            mail_id: mail.message_id.as_deref().map(|id| event::key(&[id])),
            author: author.unwrap_or_default(),
            part: if fetched.head { "head" } else { "whole" }.to_owned(),
            file: fetched.file.clone(),
            at_ms,
        };
        mails::insert(&mut **self.db, &kept).await?;
        let about = joined(about, &mail);
        mails::set_thread(&mut **self.db, &row.conversation, &about).await
    }

    /// Where a mail belongs, and whether it is work.
    async fn sorted(
        &mut self,
        channel: &Channel,
        settings: &EmailSettings,
        (mail, key): (&Mail, &str),
        at_ms: i64,
    ) -> Result<Sorted, Error> {
        let sealed = channel.secrets.as_deref().unwrap_or_default();
        let kept = SigningSecrets::open(self.secrets, channel.id.as_str(), sealed);
        // Without its key no mail is known as ours; what it answers still says where it belongs.
        let key_of_threads = kept
            .map(|kept| secret(&kept.account, THREAD_KEY))
            .unwrap_or_default();
        let addresses =
            mails::addresses(&mut **self.db, &channel.company, (EMAIL, "address")).await?;
        let ours = Ours {
            addresses: &addresses,
            secret: &key_of_threads,
        };
        let author = mail.author().map(|author| author.address.to_lowercase());
        let since_ms = at_ms - HOUR_MS;
        let received_in_hour = match &author {
            Some(author) => {
                mails::received_since(&mut **self.db, &channel.id, author, since_ms).await?
            }
            None => 0,
        };
        let traffic = Traffic {
            answers_in_day: 0,
            received_in_hour,
        };
        let rules = settings.rules();
        let quiet = thread::makes_work(mail, &ours, traffic, &rules).err();
        let found = self.found(channel, mail, &ours).await?;
        let place = thread::place(mail, &found.0, at_ms, &rules);
        let there = |conversation: &ConversationId| {
            let known = found.1.get(conversation);
            Sorted {
                conversation: known.map(|known| known.conversation.clone()),
                thread: known.map_or_else(|| key.to_owned(), |known| known.thread.clone()),
                about: known.map(|known| known.about.clone()).unwrap_or_default(),
                follows: None,
                quiet,
            }
        };
        let alone = |follows| Sorted {
            conversation: None,
            thread: key.to_owned(),
            about: Thread::default(),
            follows,
            quiet,
        };
        Ok(match place {
            Place::Join {
                conversation,
                subject,
                ..
            } => {
                let mut sorted = there(&conversation);
                sorted.about.subject = subject.unwrap_or(sorted.about.subject);
                sorted
            }
            Place::Reopen { conversation, .. } => there(&conversation),
            Place::Follow { of, why } => alone(Some((of, why))),
            Place::New => alone(None),
        })
    }

    /// The conversations that the keys of a mail lead to, in their order.
    async fn found(
        &mut self,
        channel: &Channel,
        mail: &Mail,
        ours: &Ours<'_>,
    ) -> Result<
        (
            Vec<Found<ConversationId>>,
            BTreeMap<ConversationId, Candidate>,
        ),
        Error,
    > {
        let keys = thread::keys(mail, ours);
        let id = |key: &Key| match key {
            Key::MessageId(id) => Some(event::key(&[id])),
            Key::Conversation(_) | Key::Protocol(_) => None,
        };
        let ids: Vec<String> = keys.iter().filter_map(id).collect();
        let of_ids = mails::of_ids(self.db, &channel.id, &ids).await?;
        let (mut found, mut known) = (vec![], BTreeMap::new());
        for key in keys {
            let conversation = match &key {
                Key::MessageId(id) => {
                    let id = event::key(&[id]);
                    let of = of_ids.iter().find(|(other, _)| *other == id);
                    of.map(|(_, conversation)| conversation.clone())
                }
                Key::Conversation(id) => id.parse().ok(),
                Key::Protocol(protocol) => {
                    let (company, channel) = (&channel.company, &channel.id);
                    mails::of_protocol(&mut **self.db, company, channel, protocol).await?
                }
            };
            let Some(conversation) = conversation else {
                continue;
            };
            if !known.contains_key(&conversation) {
                let candidate = mails::candidate(&mut **self.db, &channel.id, &conversation);
                let Some(candidate) = candidate.await? else {
                    continue;
                };
                known.insert(conversation.clone(), candidate);
            }
            if let Some(candidate) = known.get(&conversation) {
                found.push(Found {
                    key,
                    conversation,
                    closed_at_ms: candidate.closed_at_ms,
                    subject: candidate.about.subject.clone(),
                    participants: candidate.about.participants.clone(),
                });
            }
        }
        Ok((found, known))
    }
}

/// What a conversation is about, with a mail more in it.
fn joined(about: &Thread, mail: &Mail) -> Thread {
    let mut about = about.clone();
    if about.subject.is_empty() {
        about.subject.clone_from(&mail.subject);
    }
    let everybody = [&mail.from, &mail.reply_to, &mail.to, &mail.cc];
    let known =
        |about: &Thread, address: &Address| about.participants.iter().any(|one| address.same(one));
    for address in everybody.into_iter().flatten() {
        if about.participants.len() < PARTICIPANTS_MAX && !known(&about, address) {
            about.participants.push(address.address.to_lowercase());
        }
    }
    about
}

/// In which a flood is seen.
const HOUR_MS: i64 = 3_600_000;

/// More have a copy of advertising alone.
const PARTICIPANTS_MAX: usize = 100;

//! A message becomes a mail, and leaves.
//!
//! The mail follows from the message alone: its id, its date and what it answers. So a second try is the
//! same mail as the first, and a server that has it already may know it.

use std::collections::BTreeMap;
use std::time::Duration;

use channels::connector::Refusal;
use channels::email::compose::{self, Automatic, Composed, Draft, Enclosed, Quoted, Stamp, Start};
use channels::email::document::Document;
use channels::email::thread::{self, Ours, Rules, Traffic};
use channels::email::{self, Address, Mail, events, token};
use channels::event::{self, MediaSource};
use channels::failure::{Advice, Failure, FailureClass};
use channels::peer::PeerId;
use channels::secret::Secret;
use channels::send::{Accepted, OutContent, Outgoing};
use desk::explain::Language;
use gateway_net::files::Files;
use gateway_net::mail::imap::Imap;
use gateway_net::mail::mailbox::Protocol;
use gateway_net::mail::smtp::{self, Parcel};
use gateway_net::mail::{Dialer, Journal, Login, Server};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::channels::Channel;
use store::companies::{self, Company};
use store::conversations::Conversation;
use store::messages::Message;
use store::{Store, attachments, interactions, mails};

use super::super::settings::EMAIL;
use super::accounts::{Accounts, NoCredential, is_by_token};
use super::heading::Heading;
use super::settings::{EmailSettings, LoginKind};

/// Makes mails and sends them. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Post {
    /// The state.
    pub store: Store,
    /// Logs in.
    pub accounts: Accounts,
    /// Reaches servers.
    pub dialer: Dialer,
    /// Has the mails that are answered, and the files that go along.
    pub files: Files,
}

/// All that a mail is made of.
struct Letter {
    draft: Draft,
    stamp: Stamp,
    pictures: BTreeMap<String, Enclosed>,
    enclosed: Vec<Enclosed>,
}

impl Post {
    /// Sends a message of ours.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub(in crate::channels) async fn send(
        &self,
        channel: &Channel,
        message: &Message,
        talk: &Conversation,
        peers: &[PeerId],
    ) -> Result<Accepted, Failure> {
        let settings = EmailSettings::of(channel);
        let settings = settings.ok_or_else(|| broken("settings", "the settings cannot be read"))?;
        let letter = self
            .letter(channel, &settings, (message, talk), peers)
            .await?;
        let Letter {
            draft,
            stamp,
            pictures,
            enclosed,
        } = &letter;
        let made = compose::compose(draft, stamp, pictures, enclosed);
        let made = made.map_err(|refusal| refused(&refusal))?;
        self.keep(channel, message, (&letter, &made))
            .await
            .map_err(|error| away(&error))?;
        let login = self.login(channel, &settings).await?;
        let server = settings
            .sending()
            .ok_or_else(|| broken("server", "no server"))?;
        let taken = self
            .hand_over(&server, login.as_ref(), &settings, &made)
            .await;
        let taken = taken.inspect_err(|failure| {
            if failure.class == FailureClass::RetryWithNewToken {
                self.accounts.refused(&channel.id);
            }
        })?;
        for refused in &taken.refused {
            // The others have it, so it is not sent again.
            let text = &refused.failure.text;
            tracing::warn!(message = %message.id, text, "a mail does not go to all it was for");
        }
        self.lay_with_sent(channel, settings, made.bytes);
        Ok(Accepted {
            id: letter.stamp.message_id,
            learned: vec![],
        })
    }

    /// Gives a mail to the server of the mailbox.
    pub(super) async fn hand_over(
        &self,
        server: &Server,
        login: Option<&Login>,
        settings: &EmailSettings,
        made: &Composed,
    ) -> Result<smtp::Taken, Failure> {
        let parcel = Parcel {
            from: made.envelope_from.as_deref(),
            own: &settings.address,
            to: &made.envelope_to,
            bytes: &made.bytes,
        };
        let sent = smtp::send(&self.dialer, server, login, &parcel);
        // Each step has its time; all of them together are shorter than the lease of the outbox.
        let sent = tokio::time::timeout(SENDING_TIME_MAX, sent).await;
        sent.unwrap_or_else(|_| Err(Failure::no_answer()))
    }

    /// With what the server that sends is logged into, if it wants that.
    pub(super) async fn login(
        &self,
        channel: &Channel,
        settings: &EmailSettings,
    ) -> Result<Option<Login>, Failure> {
        if !settings.sending_login && !is_by_token(settings) {
            return Ok(None);
        }
        match self.accounts.credential(&channel.id, settings).await {
            Ok(credential) => Ok(Some(settings.login_by(credential))),
            Err(NoCredential::Store(error)) => Err(away(&error)),
            Err(NoCredential::Provider(error)) if !error.is_over() => Err(away(&error)),
            Err(error) => {
                let (class, advice) = (FailureClass::ChannelBroken, Advice::TokenExpired);
                Err(Failure::new(class, advice, "login", &error.to_string()))
            }
        }
    }

    /// The mail that a message is to be.
    async fn letter(
        &self,
        channel: &Channel,
        settings: &EmailSettings,
        (message, talk): (&Message, &Conversation),
        peers: &[PeerId],
    ) -> Result<Letter, Failure> {
        let content = serde_json::from_value(message.content.clone());
        let content: OutContent = content.map_err(|error| ours("content", &error.to_string()))?;
        let key = self.accounts.thread_key(channel);
        let key = key.map_err(|error| broken("secrets", &error.to_string()))?;
        let answered = self
            .answered(message, talk)
            .await
            .map_err(|error| away(&error))?;
        let addresses = mails::addresses(self.store.pool(), &channel.company, (EMAIL, "address"));
        let addresses = addresses.await.map_err(|error| away(&error))?;
        let all_ours = Ours {
            addresses: &addresses,
            secret: &key,
        };
        let automatic = automatic(message, answered.as_ref());
        if let (Some(Automatic::Replied), Some(mail)) = (automatic, &answered) {
            self.may_answer(channel, message, (mail, &all_ours)).await?;
        }
        let to = peers
            .iter()
            .find(|peer| peer.kind == channels::peer::IdentityKind::Email);
        let (to, body) = match to {
            Some(to) => body(message, to, content.clone())?,
            None => return Err(refused(&Refusal::Address)),
        };
        let heading = Heading::of(&message.content);
        let start = match &answered {
            Some(mail) => compose::reply(mail, &all_ours, settings.reply_to_all),
            None => Start::default(),
        };
        let company = companies::by_id(self.store.pool(), &channel.company).await;
        let company = company.map_err(|error| away(&error))?;
        let found = interactions::by_id(self.store.pool(), &channel.company, &message.interaction);
        let found = found.await.map_err(|error| away(&error))?;
        let protocol = found
            .map(|found| found.protocol)
            .filter(|protocol| !protocol.is_empty());
        let subject = match heading.subject {
            Some(subject) => subject,
            None => self.subject(channel, settings, start.subject, talk).await?,
        };
        let draft = Draft {
            from: from(channel, settings).ok_or_else(|| broken("address", "no address"))?,
            reply_to: None,
            to: if start.to.is_empty() {
                vec![to]
            } else {
                start.to
            },
            cc: heading.cc.unwrap_or(start.cc),
            bcc: heading.bcc,
            subject,
            body,
            signature: (automatic.is_none()).then(|| settings.signature.clone()),
            quoted: answered
                .as_ref()
                .filter(|_| settings.quote && automatic.is_none())
                .map(|mail| quoted(mail, company.as_ref())),
            parent: start.parent,
            protocol,
            automatic,
        };
        Ok(Letter {
            stamp: stamp(message, &settings.address, &key)?,
            pictures: settings.enclosed(),
            enclosed: self.enclosed(message, &content).await?,
            draft,
        })
    }

    /// Nobody is answered by a program who is one, nor twice a day for the same reason.
    async fn may_answer(
        &self,
        channel: &Channel,
        message: &Message,
        (mail, ours): (&Mail, &Ours<'_>),
    ) -> Result<(), Failure> {
        let not_sent = |why: &str| {
            let (class, advice) = (FailureClass::Permanent, Advice::AutomaticNotSent);
            Failure::new(class, advice, "automatic", why)
        };
        let silence = thread::may_answer(mail, ours, Traffic::default(), &Rules::default());
        silence.map_err(|why| not_sent(&format!("{why:?}")))?;
        let purpose = message.author["purpose"].as_str().unwrap_or_default();
        if !ONCE_A_DAY.contains(&purpose) {
            return Ok(());
        }
        let author = mail.author().map(|author| author.address.to_lowercase());
        let address = event::key(&[&author.unwrap_or_default()]);
        let answer = mails::Automatic {
            channel: &channel.id,
            address: &address,
            purpose,
            message: &message.id,
            at_ms: message.at_ms,
        };
        let first = mails::may_answer(self.store.pool(), &answer, message.at_ms - DAY_MS).await;
        match first.map_err(|error| away(&error))? {
            true => Ok(()),
            false => Err(not_sent("TooOften")),
        }
    }

    /// What a mail is about that answers none: what the conversation is about, or who writes.
    async fn subject(
        &self,
        channel: &Channel,
        settings: &EmailSettings,
        answering: String,
        talk: &Conversation,
    ) -> Result<String, Failure> {
        if !answering.trim().is_empty() {
            return Ok(answering);
        }
        let known = mails::candidate(self.store.pool(), &channel.id, &talk.id).await;
        let known = known.map_err(|error| away(&error))?;
        let subject = known.map(|known| known.about.subject).unwrap_or_default();
        if !subject.is_empty() {
            return Ok(subject);
        }
        Ok(settings
            .sender_name
            .clone()
            .unwrap_or_else(|| channel.name.clone()))
    }

    /// The mail that is answered: the one that the message says, or the last that the customer wrote.
    async fn answered(
        &self,
        message: &Message,
        talk: &Conversation,
    ) -> Result<Option<Mail>, store::Error> {
        let pool = self.store.pool();
        let mut found = None;
        if let Some(id) = &message.reply_to {
            found = mails::in_conversation(pool, &talk.id, &event::key(&[id])).await?;
        }
        if found.is_none() {
            found = mails::last_received(pool, &talk.id).await?;
        }
        match found {
            Some(found) => Ok(self.read(&found).await),
            None => Ok(None),
        }
    }

    /// A mail from its file; none where the file or what is in it cannot be read.
    pub async fn read(&self, kept: &mails::Mail) -> Option<Mail> {
        let hash = kept.file.as_ref()?.parse().ok()?;
        let read = self.files.read(&hash, FILE_BYTES_MAX).await;
        let bytes = read
            .inspect_err(|error| tracing::warn!(%error, "a mail cannot be read from its file"))
            .ok()??;
        let head = kept.part == "head";
        let read = tokio::task::spawn_blocking(move || match head {
            true => email::read_head(&bytes),
            false => email::read(&bytes),
        });
        read.await.ok()?.ok()
    }

    /// The files that go along.
    async fn enclosed(
        &self,
        message: &Message,
        content: &OutContent,
    ) -> Result<Vec<Enclosed>, Failure> {
        if let OutContent::Media(media) = content
            && let MediaSource::Url(_) = media.source
        {
            return Err(refused(&Refusal::Unsupported { what: "media" }));
        }
        let pool = self.store.pool();
        let rows = attachments::in_message(pool, &message.interaction, &message.id).await;
        let rows = rows.map_err(|error| away(&error))?;
        let gone = || refused(&Refusal::Invalid { field: "media" });
        let bytes_max = compose::FILES_BYTES_MAX as u64;
        let sizes = rows.iter().filter_map(|row| Some(row.file.as_ref()?.bytes));
        if sizes.sum::<u64>() > bytes_max {
            let what = "files";
            return Err(refused(&Refusal::FileTooLarge { what, bytes_max }));
        }
        let mut files = Vec::with_capacity(rows.len());
        for row in rows {
            let file = row.file.ok_or_else(gone)?;
            let hash = file.sha256.parse().map_err(|_| gone())?;
            let bytes = self.files.read(&hash, bytes_max).await;
            files.push(Enclosed {
                name: row.name.unwrap_or_else(|| "arquivo".to_owned()),
                mime: file.mime,
                bytes: bytes.map_err(|error| away(&error))?.ok_or_else(gone)?,
            });
        }
        Ok(files)
    }

    /// Keeps the mail, and that its answers belong here: before it leaves, so that no answer is faster.
    async fn keep(
        &self,
        channel: &Channel,
        message: &Message,
        (letter, made): (&Letter, &Composed),
    ) -> Result<(), store::Error> {
        let stored = self.files.put(&made.bytes, made.bytes.len() as u64).await;
        // Without it the mail can be answered all the same.
        let stored = stored.inspect_err(|error| tracing::warn!(%error, "a sent mail is not kept"));
        let kept = mails::Mail {
            message: message.id.clone(),
            channel: channel.id.clone(),
            conversation: message.conversation.clone(),
            mail_id: Some(event::key(&[&letter.stamp.message_id])),
            author: letter.draft.from.address.to_lowercase(),
            part: "whole".to_owned(),
            file: stored.ok().map(|stored| stored.hash.as_str().to_owned()),
            at_ms: message.at_ms,
        };
        let pool = self.store.pool();
        mails::insert(pool, &kept).await?;
        let known = mails::candidate(pool, &channel.id, &message.conversation).await?;
        let mut about = known.map(|known| known.about).unwrap_or_default();
        if about.subject.is_empty() {
            about.subject.clone_from(&letter.draft.subject);
        }
        for address in letter.draft.to.iter().chain(&letter.draft.cc) {
            if !about.participants.iter().any(|one| address.same(one)) {
                about.participants.push(address.address.to_lowercase());
            }
        }
        mails::set_thread(pool, &message.conversation, &about).await
    }

    /// Lays a copy with the sent mails of the mailbox, where its provider does not. No copy is no harm.
    fn lay_with_sent(&self, channel: &Channel, settings: EmailSettings, mail: Vec<u8>) {
        let by_itself = settings.login != LoginKind::Password;
        if !settings.keep_sent || settings.protocol != Protocol::Imap || by_itself {
            return;
        }
        let (post, channel) = (self.clone(), channel.id.clone());
        tokio::spawn(async move {
            let laid = async {
                let credential = post.accounts.credential(&channel, &settings).await;
                let account = settings.account(credential.map_err(|error| error.to_string())?);
                let account = account.ok_or_else(|| "no server".to_owned())?;
                post.append(&account.server, &account.login, &mail)
                    .await
                    .map_err(|error| error.to_string())
            };
            let laid = tokio::time::timeout(SENDING_TIME_MAX, laid).await;
            if let Ok(Err(error)) = laid {
                tracing::warn!(%channel, error, "no copy lies with the sent mails");
            }
        });
    }

    async fn append(
        &self,
        server: &Server,
        login: &Login,
        mail: &[u8],
    ) -> Result<(), gateway_net::mail::Error> {
        let mut journal = Journal::default();
        let mut imap = Imap::open(&self.dialer, server, login, &mut journal).await?;
        if let Some(folder) = imap.sent_folder().await? {
            imap.append(&folder, mail).await?;
        }
        imap.logout().await;
        Ok(())
    }
}

/// From whom answers come.
pub fn from(channel: &Channel, settings: &EmailSettings) -> Option<Address> {
    let name = settings
        .sender_name
        .clone()
        .unwrap_or_else(|| channel.name.clone());
    Some(Address::parse(&settings.address)?.named(Some(name)))
}

fn body(
    message: &Message,
    to: &PeerId,
    content: OutContent,
) -> Result<(Address, Document), Failure> {
    let outgoing = Outgoing {
        message: message.id.to_string(),
        to: to.clone(),
        content,
        reply_to: None,
    };
    events::body_of(&outgoing).map_err(|refusal| refused(&refusal))
}

/// What makes a message this one mail.
fn stamp(message: &Message, address: &str, key: &Secret) -> Result<Stamp, Failure> {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let token = token::token(message.conversation.as_str(), key);
    let token = token.ok_or_else(|| broken("secrets", "no key for threads"))?;
    Ok(Stamp {
        message_id: token::message_id(message.id.as_str(), &token, domain),
        date_ms: message.at_ms,
    })
}

/// Whether a program wrote a message, rather than a person or another system for one.
fn automatic(message: &Message, answered: Option<&Mail>) -> Option<Automatic> {
    // Another system has a key, and its id.
    let is_by_itself = message.author["kind"] == "system" && message.author["id"].is_null();
    is_by_itself.then_some(match answered {
        Some(_) => Automatic::Replied,
        None => Automatic::Generated,
    })
}

/// The language in which a company writes.
pub(super) fn language(company: Option<&Company>) -> Language {
    match company.map_or("pt", |company| &company.language) {
        language if language.starts_with("en") => Language::En,
        language if language.starts_with("es") => Language::Es,
        _ => Language::PtBr,
    }
}

fn quoted(mail: &Mail, company: Option<&Company>) -> Quoted {
    let language = language(company);
    let zone = company.and_then(|company| TimeZone::get(&company.time_zone).ok());
    let at = Timestamp::from_millisecond(mail.date_ms.unwrap_or_default()).unwrap_or_default();
    let at = at.to_zoned(zone.unwrap_or(TimeZone::UTC));
    let when = match language {
        Language::PtBr => at.strftime("%d/%m/%Y às %H:%M").to_string(),
        Language::En => at.strftime("%Y-%m-%d at %H:%M").to_string(),
        Language::Es => at.strftime("%d/%m/%Y a las %H:%M").to_string(),
    };
    Quoted::answered(mail, &when, language)
}

pub(super) fn refused(refusal: &Refusal) -> Failure {
    let (class, advice) = (FailureClass::Permanent, Advice::KindRefused);
    Failure::new(class, advice, refusal.code(), &refusal.to_string())
}

pub(super) fn broken(code: &str, text: &str) -> Failure {
    Failure::new(FailureClass::ChannelBroken, Advice::Setup, code, text)
}

pub(super) fn ours(code: &str, text: &str) -> Failure {
    Failure::new(FailureClass::Permanent, Advice::OurMistake, code, text)
}

pub(super) fn away(error: &impl ToString) -> Failure {
    Failure::not_connected(&error.to_string())
}

/// What a kept mail has at most.
const FILE_BYTES_MAX: u64 = email::MAIL_BYTES_MAX as u64;

/// What each customer who writes is told by itself: two programs that do so would never end.
const ONCE_A_DAY: [&str; 3] = ["greeting", "absence", "closing"];

/// How long such an answer counts.
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

/// RFC 5321 section 4.5.3.2 gives the last answer 10 minutes alone.
const SENDING_TIME_MAX: Duration = Duration::from_secs(780);

/// Who has a mail in hand to send it has it for so long: longer than sending takes.
pub(in crate::channels) const LEASE_MS: i64 = 15 * 60_000;

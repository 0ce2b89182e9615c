//! Reads mailboxes: one task a mailbox, in one process of all.
//!
//! A mail is on disk, as it came, and its receipt in the database, before it is marked as read where it
//! was. Whatever happens in between, it is read again, and known again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use channels::email::{self, Mail, events};
use channels::event::{self, Event, EventKind, MediaSource};
use channels::peer::{IdentityKind, Peer, PeerId};
use desk::id::{AttachmentId, ChannelId, ReceiptId};
use gateway_net::files::clean_name;
use gateway_net::mail::mailbox::{Cursor, Letter, Mailbox, POLL, Protocol, Raw};
use gateway_net::mail::{self as net, Dialer, Step, advice};
use media_engine_net::clock;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::attachments::{Attachment, AttachmentState};
use store::channels::{self as rows, Channel};
use store::receipts::Receipt;
use store::{Store, mailboxes, mails};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::super::Channels;
use super::super::attachments::Attachments;
use super::super::settings::EMAIL;
use super::accounts::{Accounts, NoCredential};
use super::sending::DAY_MS;
use super::settings::EmailSettings;

/// What reading mailboxes needs of the rest of the program.
#[derive(Debug, Clone)]
pub struct Needs {
    /// The state.
    pub store: Store,
    /// Takes what was read.
    pub channels: Channels,
    /// Logs in.
    pub accounts: Accounts,
    /// Reaches servers.
    pub dialer: Dialer,
    /// Keeps mails, and the files in them.
    pub attachments: Attachments,
    /// What ids and pauses are made with.
    pub seed: [u8; 32],
}

/// A mail that was fetched, as its receipt has it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::channels) struct Fetched {
    /// All of it, or its head, by its SHA-256. None where the server could not give it.
    pub(in crate::channels) file: Option<String>,
    /// Whether that is its head alone.
    pub(in crate::channels) head: bool,
    /// What it says; none of what nobody could read.
    pub(in crate::channels) mail: Option<Mail>,
    /// What it tells.
    pub(in crate::channels) events: Vec<Event>,
}

/// Starts reading, and goes on until it is cut off, which may be at any time.
pub fn start(needs: Needs) -> JoinHandle<()> {
    tokio::spawn(run(needs))
}

async fn run(needs: Needs) {
    let mut random = StdRng::from_seed(needs.seed);
    let mut tasks: JoinSet<ChannelId> = JoinSet::new();
    // By channel, and when that was last changed: a mailbox of other settings is begun anew.
    let mut under_way: HashMap<(ChannelId, i64), AbortHandle> = HashMap::new();
    loop {
        match mailboxes::channels(needs.store.pool(), EMAIL).await {
            Ok(wanted) => {
                let wanted: BTreeSet<(ChannelId, i64)> = wanted.into_iter().collect();
                under_way.retain(|one, task| {
                    let stays = wanted.contains(one) && !task.is_finished();
                    if !stays {
                        task.abort();
                    }
                    stays
                });
                for one in wanted {
                    let channel = one.0.clone();
                    under_way.entry(one).or_insert_with(|| {
                        tasks.spawn(Reader::new(&needs, channel, random.random()).run())
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "it is not known which mailboxes are to be read"),
        }
        while tasks.try_join_next().is_some() {}
        forget(&needs).await;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Removes what is to be forgotten: the files of mails, and whom programs answered.
async fn forget(needs: &Needs) {
    let before_ms = clock::wall().as_millisecond() - DAY_MS;
    if let Err(error) = mails::forget_answers(needs.store.pool(), before_ms).await {
        tracing::warn!(%error, "whom programs answered stays known for now");
    }
    let left = match mails::leftovers(needs.store.pool(), LEFTOVERS_MAX).await {
        Ok(left) => left,
        Err(error) => return tracing::warn!(%error, "mails that are to be forgotten stay for now"),
    };
    for file in left {
        let Ok(hash) = file.parse() else { continue };
        let forgotten = async {
            needs.attachments.remove_unneeded(&hash).await;
            mails::forgotten(needs.store.pool(), &file).await
        };
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "a mail that is to be forgotten stays for now");
        }
    }
}

/// Reads one mailbox.
struct Reader {
    needs: Needs,
    channel: ChannelId,
    random: StdRng,
}

/// Why a look into a mailbox ended.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The server, or the way to it.
    #[error(transparent)]
    Mail(#[from] net::Error),
    /// The log-in.
    #[error(transparent)]
    Login(#[from] NoCredential),
    /// The database, or our own disk. Nothing is wrong with the mailbox.
    #[error("{0}")]
    Ours(String),
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        Self::Ours(error.to_string())
    }
}

impl Reader {
    fn new(needs: &Needs, channel: ChannelId, seed: [u8; 32]) -> Self {
        Self {
            needs: needs.clone(),
            channel,
            random: StdRng::from_seed(seed),
        }
    }

    /// Goes on until it is cut off, or the channel is gone.
    async fn run(mut self) -> ChannelId {
        let pool = self.needs.store.pool().clone();
        loop {
            let channel = match rows::of_work(&pool, &self.channel).await {
                Ok(Some(channel)) if !channel.disabled => channel,
                Ok(_) => return self.channel,
                Err(error) => {
                    tracing::warn!(channel = %self.channel, %error, "a mailbox waits");
                    tokio::time::sleep(OURS_PAUSE).await;
                    continue;
                }
            };
            let Some(settings) = EmailSettings::of(&channel) else {
                return self.channel; // Of another program.
            };
            let pause = self.tend(&channel, &settings).await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads until something fails; returns how long to wait then.
    async fn tend(&mut self, channel: &Channel, settings: &EmailSettings) -> Duration {
        let mut mailbox = None;
        match self.read(channel, settings, &mut mailbox).await {
            Ok(()) => Duration::ZERO,
            Err(Trouble::Ours(error)) => {
                tracing::warn!(channel = %channel.id, %error, "a mailbox waits");
                OURS_PAUSE
            }
            Err(trouble) => {
                tracing::warn!(channel = %channel.id, error = %trouble, "a mailbox cannot be read");
                let spread = self.random.random();
                let pause = mailbox.map_or(LOGIN_PAUSE, |mailbox: Mailbox| mailbox.pause(spread));
                self.note(channel, settings, &trouble).await;
                pause
            }
        }
    }

    async fn note(&self, channel: &Channel, settings: &EmailSettings, trouble: &Trouble) {
        let by_token = super::accounts::is_by_token(settings);
        let failure = match trouble {
            Trouble::Mail(error) => {
                if error.step == Step::Login {
                    self.needs.accounts.refused(&channel.id);
                }
                let security = settings
                    .receiving()
                    .map_or(net::Security::Tls, |at| at.security);
                let advice = advice::of(error, security, by_token);
                json!({ "step": error.step, "advice": advice, "text": error.cause.to_string() })
            }
            Trouble::Login(error) => {
                let advice = match by_token {
                    true => advice::Advice::TokenRefused,
                    false => advice::Advice::LoginInvalid,
                };
                json!({ "step": Step::Login, "advice": advice, "text": error.to_string() })
            }
            Trouble::Ours(_) => return,
        };
        let now_ms = clock::wall().as_millisecond();
        let pool = self.needs.store.pool();
        if let Err(error) = mailboxes::failed(pool, &channel.id, &failure, now_ms).await {
            tracing::warn!(channel = %channel.id, %error, "a failure is not written down");
        }
    }

    async fn read(
        &mut self,
        channel: &Channel,
        settings: &EmailSettings,
        kept: &mut Option<Mailbox>,
    ) -> Result<(), Trouble> {
        loop {
            let Some(cursor) = self.claim(channel, settings).await? else {
                tokio::time::sleep(CLAIM_PAUSE).await; // Another process reads it.
                return Ok(());
            };
            let credential = self
                .needs
                .accounts
                .credential(&channel.id, settings)
                .await?;
            let mailbox = match kept {
                Some(mailbox) => {
                    mailbox.renew(settings.login_by(credential));
                    mailbox
                }
                None => {
                    let account = settings.account(credential);
                    let account = account.ok_or_else(|| Trouble::Ours("no server".to_owned()))?;
                    kept.insert(Mailbox::new(self.needs.dialer.clone(), account, cursor))
                }
            };
            self.look(channel, settings, mailbox).await?;
            mailbox.wait(POLL).await?;
        }
    }

    /// Up to where it was read, if this process may read it.
    async fn claim(
        &self,
        channel: &Channel,
        settings: &EmailSettings,
    ) -> Result<Option<Cursor>, Trouble> {
        let now_ms = clock::wall().as_millisecond();
        let start = Cursor::since(settings.since_ms(channel.created_ms));
        let until = (now_ms, now_ms + CLAIM_MS);
        let (pool, instance) = (self.needs.store.pool(), self.needs.channels.instance());
        let row = mailboxes::claim(pool, &channel.id, instance, until, &json!(start)).await?;
        Ok(row.map(|row| serde_json::from_value(row.cursor).unwrap_or(start)))
    }

    /// Takes what is unread, until nothing is.
    async fn look(
        &mut self,
        channel: &Channel,
        settings: &EmailSettings,
        mailbox: &mut Mailbox,
    ) -> Result<(), Trouble> {
        loop {
            let known = self.known(channel, mailbox).await?;
            let listing = mailbox.list(&known).await?;
            let pool = self.needs.store.pool();
            self.know(channel, &listing.before).await?;
            if listing.letters.is_empty() {
                let now_ms = clock::wall().as_millisecond();
                let cursor = json!(mailbox.cursor());
                mailboxes::looked(pool, &channel.id, &cursor, now_ms).await?;
                return Ok(());
            }
            for letter in &listing.letters {
                self.take(channel, mailbox, letter).await?;
                if settings.protocol == Protocol::Pop3 {
                    self.know(channel, std::slice::from_ref(&letter.key))
                        .await?;
                }
                let now_ms = clock::wall().as_millisecond();
                let cursor = json!(letter.cursor);
                mailboxes::looked(self.needs.store.pool(), &channel.id, &cursor, now_ms).await?;
                mailbox.done(letter).await?;
                self.claim(channel, settings).await?;
            }
        }
    }

    async fn known(
        &self,
        channel: &Channel,
        mailbox: &mut Mailbox,
    ) -> Result<BTreeSet<String>, Trouble> {
        let keys = mailbox.keys().await?;
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut db = self.needs.store.begin().await?;
        let known = mailboxes::known(&mut db, &channel.id, &keys).await?;
        db.commit().await?;
        Ok(known.into_iter().collect())
    }

    async fn know(&self, channel: &Channel, keys: &[String]) -> Result<(), Trouble> {
        if keys.is_empty() {
            return Ok(());
        }
        let now_ms = clock::wall().as_millisecond();
        let mut db = self.needs.store.begin().await?;
        mailboxes::know(&mut db, &channel.id, keys, now_ms).await?;
        db.commit().await?;
        Ok(())
    }

    /// Makes a mail durable: the file, then the receipt.
    async fn take(
        &mut self,
        channel: &Channel,
        mailbox: &mut Mailbox,
        letter: &Letter,
    ) -> Result<(), Trouble> {
        if self.was_taken(channel, letter).await? {
            return Ok(());
        }
        let raw = mailbox.fetch(letter).await?;
        let Some(fetched) = self.fetched(channel, raw, &letter.key).await? else {
            return Ok(()); // Somebody took it away meanwhile.
        };
        let now_ms = clock::wall().as_millisecond();
        let receipt = Receipt {
            id: ReceiptId::new(now_ms, &mut self.random),
            channel: channel.id.clone(),
            instance: self.needs.channels.instance().clone(),
            // Text always becomes JSON.
            body: serde_json::to_vec(&fetched).unwrap_or_default(),
            received_ms: now_ms,
        };
        let kept = self.needs.channels.keep(receipt).await;
        kept.map_err(|error| Trouble::Ours(error.to_string()))
    }

    /// Whether a mail was read under its number of before. Its own id says so.
    async fn was_taken(&self, channel: &Channel, letter: &Letter) -> Result<bool, Trouble> {
        let Some(id) = &letter.message_id else {
            return Ok(false);
        };
        let mut db = self.needs.store.begin().await?;
        let ids = [event::key(&[id])];
        let found = mails::of_ids(&mut db, &channel.id, &ids).await?;
        db.commit().await?;
        Ok(!found.is_empty())
    }

    async fn fetched(
        &mut self,
        channel: &Channel,
        raw: Raw,
        key: &str,
    ) -> Result<Option<Fetched>, Trouble> {
        let (bytes, head) = match raw {
            Raw::Whole(bytes) => (bytes, false),
            Raw::Head(bytes) => (bytes, true),
            Raw::Gone => return Ok(None),
            Raw::Unreadable(text) => {
                let error = email::Unreadable::NotGiven { text };
                return Ok(Some(Fetched {
                    file: None,
                    head: false,
                    mail: None,
                    events: vec![heard(events::of_unreadable(&error, b"", key))],
                }));
            }
        };
        let files = self.needs.attachments.files();
        let stored = files.put(&bytes, bytes.len() as u64).await;
        let stored = stored.map_err(|error| Trouble::Ours(error.to_string()))?;
        let (mail, events, bytes) = read_apart(bytes, head, key).await;
        let mut heard_events = vec![];
        for event in events {
            let event = self
                .laid_down(channel, heard(event), (mail.as_ref(), &bytes))
                .await?;
            heard_events.push(event);
        }
        Ok(Some(Fetched {
            file: Some(stored.hash.as_str().to_owned()),
            head,
            mail,
            events: heard_events,
        }))
    }

    /// The files of a mail go where those of all messages are, to be shown and forgotten with them.
    async fn laid_down(
        &mut self,
        channel: &Channel,
        mut event: Event,
        (mail, bytes): (Option<&Mail>, &[u8]),
    ) -> Result<Event, Trouble> {
        let EventKind::Message(message) = &mut event.kind else {
            return Ok(event);
        };
        let nothing = Mail::default();
        for media in &mut message.attachments {
            let MediaSource::Id(id) = &media.source else {
                continue;
            };
            let Some(file) = events::file(mail.unwrap_or(&nothing), bytes, id) else {
                continue;
            };
            let id = self.lay_down(channel, media.name.as_deref(), file).await?;
            if let Some(id) = id {
                media.source = MediaSource::Id(id.to_string());
            }
        }
        Ok(event)
    }

    /// None of what is not taken: a program.
    async fn lay_down(
        &mut self,
        channel: &Channel,
        name: Option<&str>,
        bytes: &[u8],
    ) -> Result<Option<AttachmentId>, Trouble> {
        let attachments = &self.needs.attachments;
        let _held = attachments.hold().await;
        let stored = attachments.files().put(bytes, bytes.len() as u64).await;
        let stored = stored.map_err(|error| Trouble::Ours(error.to_string()))?;
        let name = name.map(clean_name);
        let Ok(file) = attachments.judged(&stored, name.as_deref()).await else {
            return Ok(None);
        };
        let now_ms = clock::wall().as_millisecond();
        let row = Attachment {
            id: AttachmentId::new(now_ms, &mut self.random),
            company: channel.company.clone(),
            channel: Some(channel.id.clone()),
            interaction: None,
            message: None,
            place: 0,
            source: None,
            state: AttachmentState::Stored,
            file: Some(file),
            name,
            attempts: 0,
            due_ms: now_ms,
            error: None,
            created_ms: now_ms,
        };
        store::attachments::insert(self.needs.store.pool(), &row).await?;
        Ok(Some(row.id))
    }
}

/// Reads a mail beside everything else: a large one takes a while, and if the reader breaks it is this
/// mail that is not read.
async fn read_apart(
    bytes: Vec<u8>,
    head: bool,
    place: &str,
) -> (Option<Mail>, Vec<Event>, Vec<u8>) {
    let place_of_it = place.to_owned();
    let bytes = Arc::new(bytes);
    let its_bytes = bytes.clone();
    let reading = tokio::task::spawn_blocking(move || read(&its_bytes, head, &place_of_it));
    let (mail, events) = reading.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a mail breaks the reader: a bug");
        let text = "the reader failed".to_owned();
        let error = email::Unreadable::NotGiven { text };
        (None, vec![events::of_unreadable(&error, &bytes, place)])
    });
    (mail, events, Arc::unwrap_or_clone(bytes))
}

fn read(bytes: &[u8], head: bool, place: &str) -> (Option<Mail>, Vec<Event>) {
    let read = match head {
        true => email::read_head(bytes),
        false => email::read(bytes),
    };
    match read {
        Ok(mail) => {
            let events = events::of_mail(&mail);
            (Some(mail), events)
        }
        Err(error) => (None, vec![events::of_unreadable(&error, bytes, place)]),
    }
}

/// Somebody wrote it, even if it does not say who: it is shown as theirs.
fn heard(event: Event) -> Event {
    let Event { kind, .. } = &event;
    let EventKind::Message(message) = kind else {
        return event;
    };
    if !message.from.ids.is_empty() {
        return event;
    }
    let mut message = message.clone();
    message.from = Peer {
        ids: vec![PeerId::new(IdentityKind::Email, NOBODY)],
        name: None,
    };
    Event {
        kind: EventKind::Message(message),
        ..event
    }
}

/// Who wrote what says not by whom. Nobody has this address (RFC 2606).
const NOBODY: &str = "desconhecido@remetente.invalid";

/// How often we look whether there are other mailboxes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Who reads a mailbox has it for so long: longer than a wait and the largest mail together.
const CLAIM_MS: i64 = 10 * 60_000;

/// How often we look whether another process has let a mailbox go.
const CLAIM_PAUSE: Duration = Duration::from_secs(30);

/// As long as a restart of the database takes.
const OURS_PAUSE: Duration = Duration::from_secs(5);

/// A log-in that nobody allowed is not allowed within seconds.
const LOGIN_PAUSE: Duration = Duration::from_secs(60);

/// Mails that are forgotten at once.
const LEFTOVERS_MAX: u32 = 100;

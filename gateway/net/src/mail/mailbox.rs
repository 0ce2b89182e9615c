//! A mailbox, read mail by mail: only what nobody has read, each in its turn, nothing lost when
//! anything breaks in between.
//!
//! ```text
//!  list ─▶ Letter, Letter …      (unread, the oldest first)
//!    fetch(letter) ─▶ Raw         the mailbox is as before
//!    … it is stored, with letter.cursor …
//!    done(letter)                 marked as read
//!  wait                           until something came, or 90 s
//! ```
//!
//! Where it was read to is a value ([`Cursor`]) that is stored with the mail itself. So a crash before
//! leaves the mail unread, to be read again; a crash after leaves it read here and unread there, and
//! the cursor goes beyond it. POP3 has no marks: there whoever stores the mails stores the ids of all
//! that was read, and asks for the others only.
//!
//! After an error the connection is dropped; the next call opens a new one. One mail that breaks
//! connections is given up after a few attempts, as [`Raw::Unreadable`], so that those behind it come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use desk::words;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::dial::{Dialer, Journal};
use super::error::{Cause, Error, Step};
use super::imap::{self, Extent, Folder, Imap, Unread};
use super::pop3::{self, Pop3};
use super::{Login, Server};

words! {
    /// How a mailbox is read.
    Protocol {
        /// IMAP: it knows what was read, and tells when something comes.
        Imap = "imap",
        /// POP3.
        Pop3 = "pop3",
    }
}

/// Where a mailbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// How it is read.
    pub protocol: Protocol,
    /// Where.
    pub server: Server,
    /// As whom.
    pub login: Login,
    /// Whether POP3 deletes what was stored. It is the only mark that POP3 has.
    pub delete: bool,
    /// Mails beyond this size in bytes come as their head.
    pub bytes_max: usize,
}

/// Up to where a mailbox was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// What came before this is left alone, unread or not. In milliseconds since 1970 (UTC).
    pub since_ms: i64,
    /// By IMAP: up to which mail. By POP3 the ids of all that was read say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Read>,
}

/// Up to which mail a folder was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Numbers mean something only together with this.
    pub validity: u32,
    /// The last number.
    pub last: u32,
    /// Mails up to this number were there when all were numbered anew: they may have been read under
    /// their old numbers. 0 in a folder that never did that.
    pub renumbered: u32,
}

impl Cursor {
    /// Of a mailbox of which nothing was read.
    pub fn since(since_ms: i64) -> Self {
        Self {
            since_ms,
            read: None,
        }
    }
}

/// An unread mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is called for ever in this mailbox: `UIDVALIDITY.UID`, or the id of POP3.
    pub key: String,
    /// Its own id, where the mailbox has numbered its mails anew: by it those are known that were read
    /// under their old numbers. None otherwise.
    pub message_id: Option<String>,
    /// Its size in bytes, as the server counts.
    pub bytes: usize,
    /// Up to where the mailbox is read once this is.
    pub cursor: Cursor,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Imap { validity: u32, uid: u32 },
    Pop3 { uid: String },
}

/// What a mail came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// All of it.
    Whole(Vec<u8>),
    /// Its head: it is too large.
    Head(Vec<u8>),
    /// The server cannot give it, or breaks off each time. To be shown as such, and left behind.
    Unreadable(String),
    /// Somebody took it away meanwhile.
    Gone,
}

/// What is unread, as far as one look sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The oldest first, at most [`LETTERS_MAX`].
    pub letters: Vec<Letter>,
    /// Keys of mails that are from before the time to start at: to be kept like those of what was
    /// read. Only by POP3.
    pub before: Vec<String>,
}

/// Reads a mailbox.
pub struct Mailbox {
    dialer: Dialer,
    account: Account,
    cursor: Cursor,
    session: Option<Session>,
    /// How often in a row no connection came about, or it broke.
    failures: u32,
    /// The last of them was a log-in that was refused.
    refused: bool,
    /// Of mails that could not be read: how often in a row, and why the last time.
    broken: BTreeMap<String, (u32, String)>,
}

enum Session {
    Imap {
        imap: Box<Imap>,
        /// As it was opened.
        folder: Folder,
    },
    Pop3 {
        pop3: Box<Pop3>,
        entries: Vec<pop3::Entry>,
    },
}

impl Mailbox {
    /// A mailbox that was read up to `cursor`. Nothing is connected yet.
    pub fn new(dialer: Dialer, account: Account, cursor: Cursor) -> Self {
        Self {
            dialer,
            account,
            cursor,
            session: None,
            failures: 0,
            refused: false,
            broken: BTreeMap::new(),
        }
    }

    /// Up to where it is read: as given, or as of the last letter that was done.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Logs in by this from the next connection on: a new token.
    pub fn renew(&mut self, login: Login) {
        self.account.login = login;
    }

    /// How long to wait after an error before the next call: longer each time, up to [`PAUSE_MAX`], and
    /// that at once where the log-in was refused, for servers lock out who insists. `chance` (0 to 1)
    /// spreads those who lost the same server at the same time.
    pub fn pause(&self, chance: f64) -> Duration {
        let doubled = PAUSE_MIN.saturating_mul(1 << self.failures.saturating_sub(1).min(10));
        let longest = if self.refused {
            PAUSE_MAX
        } else {
            doubled.min(PAUSE_MAX)
        };
        longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }

    /// What is unread. `known` are keys, of those of the last listing and before, that were read; only
    /// POP3 needs to be told.
    ///
    /// # Errors
    ///
    /// [`Error`]; the next call begins anew, best after [`Mailbox::pause`].
    pub async fn list(&mut self, known: &BTreeSet<String>) -> Result<Listing, Error> {
        let listed = self.try_list(known).await;
        self.noted(listed, None)
    }

    /// All keys that POP3 has now, to learn which of them are known. Empty for IMAP.
    ///
    /// # Errors
    ///
    /// As [`Mailbox::list`].
    pub async fn keys(&mut self) -> Result<Vec<String>, Error> {
        let keys = match self.connected().await {
            Ok(Session::Imap { .. }) => Ok(vec![]),
            Ok(Session::Pop3 { entries, .. }) => {
                Ok(entries.iter().map(|entry| entry.uid.clone()).collect())
            }
            Err(error) => Err(error),
        };
        self.noted(keys, None)
    }

    /// The bytes of a letter. The mailbox stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Mailbox::list`]. At the same letter not for ever: then it is [`Raw::Unreadable`].
    pub async fn fetch(&mut self, letter: &Letter) -> Result<Raw, Error> {
        let broken = self.broken.get(&letter.key);
        let attempts = broken.map_or(0, |(attempts, _)| *attempts);
        if let Some((ATTEMPTS_MAX.., text)) = broken {
            return Ok(Raw::Unreadable(text.clone()));
        }
        // What does not come as a whole may come as a head.
        let head = letter.bytes > self.account.bytes_max || attempts + 1 == ATTEMPTS_MAX;
        let fetched = self.try_fetch(letter, head).await;
        self.noted(fetched, Some(&letter.key))
    }

    /// Marks a letter as read, as far as the mailbox can. To be called once it is stored.
    ///
    /// # Errors
    ///
    /// As [`Mailbox::list`]. The mail is stored all the same and does not come again.
    pub async fn done(&mut self, letter: &Letter) -> Result<(), Error> {
        self.cursor = letter.cursor;
        self.broken.remove(&letter.key);
        let marked = match self.try_mark(letter).await {
            // A folder that is only to be read keeps no marks; the cursor is enough.
            Err(Error {
                step: Step::Reading,
                cause: Cause::No { .. },
            }) => Ok(()),
            marked => marked,
        };
        self.noted(marked, None)
    }

    /// Waits until something may have come: told by the server, or `time` later, mostly [`POLL`].
    ///
    /// # Errors
    ///
    /// As [`Mailbox::list`].
    pub async fn wait(&mut self, time: Duration) -> Result<(), Error> {
        let waited = match self.session.take() {
            Some(Session::Imap { mut imap, folder }) => {
                // Telling it again each time keeps the connection known to whatever stands between.
                let waited = imap.wait(time).await.map(drop);
                self.session = Some(Session::Imap { imap, folder });
                waited
            }
            // A session of POP3 shows nothing new, and others are locked out meanwhile.
            Some(Session::Pop3 { pop3, .. }) => {
                let left = pop3.quit().await;
                tokio::time::sleep(time).await;
                left
            }
            None => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        };
        self.noted(waited, None)
    }

    /// Takes leave: what POP3 is to delete is deleted by this.
    pub async fn close(mut self) {
        match self.session.take() {
            Some(Session::Imap { imap, .. }) => imap.logout().await,
            Some(Session::Pop3 { pop3, .. }) => drop(pop3.quit().await),
            None => {}
        }
    }

    /// After an error nothing is left of a connection.
    fn noted<T>(&mut self, result: Result<T, Error>, key: Option<&str>) -> Result<T, Error> {
        match &result {
            Ok(_) => self.failures = 0,
            Err(error) => {
                self.session = None;
                self.failures = self.failures.saturating_add(1);
                self.refused = error.step == Step::Login && matches!(error.cause, Cause::No { .. });
                if let (Some(key), Step::Reading) = (key, error.step) {
                    let (attempts, text) = self.broken.entry(key.to_owned()).or_default();
                    *attempts += 1;
                    *text = error.cause.to_string();
                }
            }
        }
        result
    }

    async fn connected(&mut self) -> Result<&mut Session, Error> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(self.session.insert(session))
    }

    async fn connect(&mut self) -> Result<Session, Error> {
        let Account {
            protocol,
            server,
            login,
            ..
        } = &self.account;
        let mut journal = Journal::default();
        match protocol {
            Protocol::Imap => {
                let mut imap = Imap::open(&self.dialer, server, login, &mut journal).await?;
                let folder = imap.select(INBOX).await?;
                let imap = Box::new(imap);
                Ok(Session::Imap { imap, folder })
            }
            Protocol::Pop3 => {
                let mut pop3 = Pop3::open(&self.dialer, server, login, &mut journal).await?;
                let entries = pop3.entries().await?;
                let pop3 = Box::new(pop3);
                Ok(Session::Pop3 { pop3, entries })
            }
        }
    }

    async fn try_list(&mut self, known: &BTreeSet<String>) -> Result<Listing, Error> {
        let cursor = self.cursor;
        match self.connected().await? {
            Session::Imap { imap, folder } => {
                let read = folder_read(cursor, *folder);
                let letters = list_imap(imap, cursor.since_ms, read).await?;
                if letters.is_empty() {
                    // Nothing is left up to where the folder was when it was opened.
                    let last = read.last.max(folder.next.saturating_sub(1));
                    self.cursor.read = Some(Read { last, ..read });
                }
                Ok(Listing {
                    letters,
                    before: vec![],
                })
            }
            Session::Pop3 { pop3, entries } => list_pop3(pop3, entries, cursor, known).await,
        }
    }

    async fn try_fetch(&mut self, letter: &Letter, head: bool) -> Result<Raw, Error> {
        let bytes_max = self.account.bytes_max;
        let extent = if head { Extent::Head } else { Extent::Whole };
        let fetched = match (self.connected().await?, &letter.place) {
            (Session::Imap { imap, folder, .. }, Place::Imap { validity, uid })
                if folder.validity == *validity =>
            {
                imap.fetch(*uid, extent, bytes_max).await?
            }
            (Session::Pop3 { pop3, entries, .. }, Place::Pop3 { uid }) => {
                match (entries.iter().find(|entry| entry.uid == *uid), extent) {
                    (Some(entry), Extent::Whole) => Some(pop3.retrieve(entry).await?),
                    (Some(entry), Extent::Head) => Some(pop3.head(entry).await?),
                    (None, _) => None,
                }
            }
            // It was numbered anew, and is listed anew.
            (Session::Imap { .. } | Session::Pop3 { .. }, _) => None,
        };
        Ok(match (fetched, extent) {
            (Some(bytes), Extent::Whole) => Raw::Whole(bytes),
            (Some(bytes), Extent::Head) => Raw::Head(bytes),
            (None, _) => Raw::Gone,
        })
    }

    async fn try_mark(&mut self, letter: &Letter) -> Result<(), Error> {
        let delete = self.account.delete;
        match (self.connected().await?, &letter.place) {
            (Session::Imap { imap, folder, .. }, Place::Imap { validity, uid })
                if folder.validity == *validity =>
            {
                imap.mark_seen(*uid).await
            }
            (Session::Pop3 { pop3, entries }, Place::Pop3 { uid }) if delete => {
                if let Some(entry) = entries.iter().find(|entry| entry.uid == *uid) {
                    pop3.delete(entry).await?;
                }
                Ok(())
            }
            (Session::Imap { .. } | Session::Pop3 { .. }, _) => Ok(()),
        }
    }
}

/// Up to where a folder was read. One that has other numbers than before was not read at all under
/// these.
fn folder_read(cursor: Cursor, folder: Folder) -> Read {
    let Folder { validity, next, .. } = folder;
    match cursor.read {
        Some(read) if read.validity == validity => read,
        Some(_) => Read {
            validity,
            last: 0,
            renumbered: next.saturating_sub(1),
        },
        None => Read {
            validity,
            last: 0,
            renumbered: 0,
        },
    }
}

async fn list_imap(imap: &mut Imap, since_ms: i64, read: Read) -> Result<Vec<Letter>, Error> {
    // Servers count days in zones of their own, so a day more is asked for.
    let since = Timestamp::from_millisecond(since_ms)
        .ok()
        .and_then(|since| since.to_zoned(TimeZone::UTC).date().yesterday().ok());
    let from = read.last.saturating_add(1);
    let uids = imap.unread(Unread { from, since }).await?;
    let mut letters = vec![];
    for uids in uids.chunks(LETTERS_MAX) {
        let with_ids = uids.iter().any(|uid| *uid <= read.renumbered);
        for entry in imap.describe(uids, with_ids).await? {
            if entry.came_ms.is_none_or(|came_ms| came_ms >= since_ms) {
                letters.push(letter(entry, since_ms, read));
            }
        }
        if !letters.is_empty() {
            break; // The others are for the next look.
        }
    }
    Ok(letters)
}

fn letter(entry: imap::Entry, since_ms: i64, read: Read) -> Letter {
    let (validity, uid) = (read.validity, entry.uid);
    let read = Some(Read { last: uid, ..read });
    Letter {
        key: format!("{validity}.{uid}"),
        message_id: entry.message_id,
        bytes: entry.bytes,
        cursor: Cursor { since_ms, read },
        place: Place::Imap { validity, uid },
    }
}

async fn list_pop3(
    pop3: &mut Pop3,
    entries: &[pop3::Entry],
    cursor: Cursor,
    known: &BTreeSet<String>,
) -> Result<Listing, Error> {
    let mut fresh: Vec<&pop3::Entry> = entries
        .iter()
        .filter(|entry| !known.contains(&entry.uid))
        .collect();
    let first = first_since(pop3, &fresh, cursor.since_ms).await?;
    let after = fresh.split_off(first);
    let letter = |entry: &pop3::Entry| Letter {
        key: entry.uid.clone(),
        message_id: None,
        bytes: entry.bytes,
        cursor,
        place: Place::Pop3 {
            uid: entry.uid.clone(),
        },
    };
    Ok(Listing {
        letters: after.into_iter().take(LETTERS_MAX).map(letter).collect(),
        before: fresh.iter().map(|entry| entry.uid.clone()).collect(),
    })
}

/// The first of the mails at the end of a maildrop that came since then. Looked for from the end, so
/// that of ten years of mails few are asked for.
async fn first_since(
    pop3: &mut Pop3,
    entries: &[&pop3::Entry],
    since_ms: i64,
) -> Result<usize, Error> {
    for (place, entry) in entries.iter().enumerate().rev() {
        if entries.len() - place > HEADS_MAX {
            return Ok(place + 1);
        }
        let head = pop3.head(entry).await?;
        let came_ms = arrival_ms(&head);
        if came_ms.is_some_and(|came_ms| came_ms < since_ms) {
            return Ok(place + 1);
        }
    }
    Ok(0)
}

/// When a server took a mail into the maildrop: the time in its own mark, the topmost `Received` (RFC
/// 5321 section 4.4). The author's `Date` where there is none.
fn arrival_ms(head: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(head);
    let text = text
        .replace("\r\n", "\n")
        .replace("\n ", " ")
        .replace("\n\t", " ");
    let received = text.lines().find_map(|line| {
        let name = line.get(..RECEIVED.len())?;
        name.eq_ignore_ascii_case(RECEIVED).then_some(line)
    });
    let marked = received
        .and_then(|line| line.rsplit_once(';'))
        .and_then(|(_, time)| {
            let time = jiff::fmt::rfc2822::parse(time.trim()).ok()?;
            Some(time.timestamp().as_millisecond())
        });
    marked.or_else(|| channels::email::read_head(head).ok()?.date_ms)
}

const RECEIVED: &str = "Received:";
/// The one folder that every mailbox has (RFC 3501 section 5.1).
const INBOX: &str = "INBOX";
/// `IDLE` must be said again before 29 minutes (RFC 2177), and before what stands between forgets the
/// connection, after 10. So often a look is due anyway: such connections die without a word.
pub const POLL: Duration = Duration::from_secs(90);
/// A look lists no more, so that what it lists is handled before it is old.
pub const LETTERS_MAX: usize = 100;
/// At one mail. Then it is left behind.
const ATTEMPTS_MAX: u32 = 3;
/// How many heads are asked for to find where to begin.
const HEADS_MAX: usize = 1_000;
/// A server that restarts needs a few seconds.
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// A customer's mail is not to lie longer because of a night's failure.
pub const PAUSE_MAX: Duration = Duration::from_secs(600);

//! IMAP (RFC 3501), as much of it as reading a mailbox takes: what is unread, its bytes, the mark of
//! having read it, and being told when something came (`IDLE`, RFC 2177).
//!
//! Nothing is marked by reading (`BODY.PEEK`): that is a command of its own, for when what was read is
//! kept.

mod reply;

use std::time::Duration;

use tokio::time::Instant;

use self::reply::{Condition, Reply, Status, Value};
use super::dial::{Dialer, Journal};
use super::error::{Cause, Error, Step};
use super::sasl::{self, Mechanism};
use super::wire::{Wire, transfer_time};
use super::{Credential, Login, Security, Server};

/// A conversation with a server that knows us.
pub struct Imap {
    wire: Wire,
    capabilities: Vec<String>,
    /// How many commands were said: each has a name of its own.
    commands: u32,
}

/// A folder, as it was when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folder {
    /// Numbers of mails mean something only together with this (RFC 3501 section 2.3.1.1).
    pub validity: u32,
    /// The number that the next mail will have, at least.
    pub next: u32,
    /// How many mails it holds.
    pub exists: u32,
}

/// A mail in the open folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub uid: u32,
    /// Its size in bytes, as the server counts.
    pub bytes: usize,
    /// When it came into the mailbox, in milliseconds since 1970 (UTC).
    pub came_ms: Option<i64>,
    /// Its `Message-ID`, if it was asked for and there is one.
    pub message_id: Option<String>,
}

/// How much of a mail is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its head.
    Head,
}

/// Which mails are looked for. Always those that nobody has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// From this number on.
    pub from: u32,
    /// That came on this day or later, as the server counts days.
    pub since: Option<jiff::civil::Date>,
}

/// What a command brought.
struct Done {
    data: Vec<Vec<Value>>,
    /// News beside it.
    news: Vec<Status>,
    status: Status,
}

/// A part of a command.
enum Said<'a> {
    Words(&'a str),
    /// Anything, told by its length.
    Literal(&'a [u8]),
}

impl Imap {
    /// Begins a conversation: everything up to the first folder.
    ///
    /// # Errors
    ///
    /// [`Error`] says at which step it ended, and why.
    pub async fn open(
        dialer: &Dialer,
        server: &Server,
        login: &Login,
        journal: &mut Journal,
    ) -> Result<Self, Error> {
        let mut imap = Self {
            wire: dialer.open(server, journal).await?,
            capabilities: vec![],
            commands: 0,
        };
        imap.wire.step = Step::Greeting;
        let greeting = imap.greeting().await?;
        if server.security == Security::StartTls {
            imap.ask_capabilities().await?;
            if !imap.can("STARTTLS") {
                return Err(Cause::NoStartTls.at(Step::Tls));
            }
            imap.wire.step = Step::Tls;
            imap.command("STARTTLS").await?;
            dialer.secure(&mut imap.wire, server, journal).await?;
            imap.wire.step = Step::Greeting;
        }
        imap.ask_capabilities().await?;
        journal.note(Step::Greeting, greeting);
        let welcome = imap.login(login).await?;
        journal.note(Step::Login, welcome);
        imap.ask_capabilities().await?;
        Ok(imap)
    }

    /// Opens a folder.
    ///
    /// # Errors
    ///
    /// [`Error`], also where the server gives its mails no lasting numbers.
    pub async fn select(&mut self, name: &str) -> Result<Folder, Error> {
        self.wire.step = Step::Folder;
        let done = self.command(&format!("SELECT {}", quoted(name)?)).await?;
        let coded = |word: &str| {
            let mut numbers = done.news.iter().filter_map(|news| {
                let (first, rest) = news.code.split_once(' ')?;
                first
                    .eq_ignore_ascii_case(word)
                    .then(|| rest.trim().parse::<u32>().ok())?
            });
            numbers.next_back()
        };
        let mut exists = done
            .data
            .iter()
            .filter_map(|values| match values.as_slice() {
                [number, word] if word.word().as_deref() == Some("EXISTS") => number.number(),
                _ => None,
            });
        let exists = exists.next_back().unwrap_or(0);
        let validity = coded("UIDVALIDITY").ok_or_else(|| self.misbehaved("no UIDVALIDITY"))?;
        let next = match coded("UIDNEXT") {
            Some(next) => next,
            None if exists == 0 => 1,
            // RFC 3501 section 6.3.1 lets a server keep silent about it.
            None => self
                .entries("*", false)
                .await?
                .last()
                .map_or(1, |last| last.uid + 1),
        };
        Ok(Folder {
            validity,
            next,
            exists,
        })
    }

    /// The numbers of unread mails of the open folder, ascending.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn unread(&mut self, which: Unread) -> Result<Vec<u32>, Error> {
        self.wire.step = Step::Reading;
        let mut command = format!("UID SEARCH UID {}:* UNSEEN UNDELETED", which.from);
        if let Some(since) = which.since {
            command.push_str(&format!(" SINCE {}", since.strftime("%-d-%b-%Y")));
        }
        let done = self.command(&command).await?;
        let mut found = vec![];
        for values in &done.data {
            if values.first().and_then(Value::word).as_deref() == Some("SEARCH") {
                found.extend(values.iter().skip(1).filter_map(Value::number::<u32>));
            }
        }
        // `n:*` is never empty: where all are below `n` it is the last (RFC 3501 section 6.4.8).
        found.retain(|uid| *uid >= which.from);
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// What is said of mails, ascending. Those that are gone meanwhile are missing.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn describe(&mut self, uids: &[u32], ids: bool) -> Result<Vec<Entry>, Error> {
        self.wire.step = Step::Reading;
        let list: Vec<String> = uids.iter().map(u32::to_string).collect();
        let mut entries = self.entries(&list.join(","), ids).await?;
        entries.retain(|entry| uids.contains(&entry.uid));
        entries.sort_unstable_by_key(|entry| entry.uid);
        entries.dedup_by_key(|entry| entry.uid);
        Ok(entries)
    }

    /// The bytes of a mail, without marking it as read. None if it is gone.
    ///
    /// # Errors
    ///
    /// [`Error`], also where it has more than `bytes_max`; then the conversation is over.
    pub async fn fetch(
        &mut self,
        uid: u32,
        extent: Extent,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.wire.step = Step::Reading;
        let what = match extent {
            Extent::Whole => "BODY.PEEK[]",
            Extent::Head => "BODY.PEEK[HEADER]",
        };
        let command = format!("UID FETCH {uid} (UID {what})");
        let bytes_max = bytes_max.saturating_add(REPLY_BYTES_MAX);
        let done = self.run(&[Said::Words(&command)], bytes_max).await?;
        let is_it = |items: &Items| items.uid == Some(uid);
        Ok(done
            .data
            .into_iter()
            .filter_map(items)
            .find(is_it)
            .and_then(|items| items.body))
    }

    /// Marks a mail as read.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn mark_seen(&mut self, uid: u32) -> Result<(), Error> {
        self.wire.step = Step::Reading;
        self.command(&format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)"))
            .await?;
        Ok(())
    }

    /// Waits until something came into the open folder, at most for `time`. Returns whether it did.
    /// Without `IDLE` it waits for all of it.
    ///
    /// # Errors
    ///
    /// [`Error`]: the connection is gone.
    pub async fn wait(&mut self, time: Duration) -> Result<bool, Error> {
        self.wire.step = Step::Reading;
        if !self.can("IDLE") {
            tokio::time::sleep(time).await;
            return Ok(false);
        }
        let until = Instant::now() + time;
        let tag = self.tag();
        self.wire.send(format!("{tag} IDLE\r\n").as_bytes()).await?;
        let mut woken = false;
        let mut idles = false;
        // The answer to `IDLE` has the time of any answer.
        let mut deadline = self.wire.deadline();
        loop {
            match self.reply(deadline, REPLY_BYTES_MAX).await {
                Ok(Reply::Continue(_)) => {
                    idles = true;
                    deadline = until;
                }
                Ok(Reply::Data(values)) => woken |= is_arrival(&values),
                Ok(Reply::Status(status)) if status.tag.is_some() => {
                    // It was refused, or ended by the server.
                    self.judge(status)?;
                    return Ok(woken);
                }
                Ok(Reply::Status(status)) => self.check_bye(&status)?,
                Err(Error {
                    cause: Cause::TimedOut,
                    ..
                }) if idles => break,
                Err(error) => return Err(error),
            }
            if woken && idles {
                break;
            }
        }
        self.wire.send(b"DONE\r\n").await?;
        let done = self.until_done(&tag, REPLY_BYTES_MAX).await?;
        woken |= done.data.iter().any(|values| is_arrival(values));
        self.judge(done.status)?;
        Ok(woken)
    }

    /// The folder of sent mails (RFC 6154), if the server says which it is.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn sent_folder(&mut self) -> Result<Option<String>, Error> {
        self.wire.step = Step::Folder;
        let done = self.command("LIST \"\" \"*\"").await?;
        let is_sent = |flag: &Value| flag.word().as_deref() == Some("\\SENT");
        Ok(done.data.iter().find_map(|values| match values.as_slice() {
            [word, flags, _, name] if word.word().as_deref() == Some("LIST") => {
                let sent = flags.list()?.iter().any(is_sent);
                sent.then(|| name.text())?
            }
            _ => None,
        }))
    }

    /// Puts a mail into a folder, as read.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn append(&mut self, folder: &str, mail: &[u8]) -> Result<(), Error> {
        self.wire.step = Step::Folder;
        let command = format!("APPEND {} (\\Seen) ", quoted(folder)?);
        let said = [Said::Words(&command), Said::Literal(mail)];
        self.run(&said, REPLY_BYTES_MAX).await?;
        Ok(())
    }

    /// Takes leave. Nothing depends on the answer.
    pub async fn logout(mut self) {
        let tag = self.tag();
        let _ = self.wire.send(format!("{tag} LOGOUT\r\n").as_bytes()).await;
    }

    /// What people read in the greeting.
    async fn greeting(&mut self) -> Result<String, Error> {
        match self.reply(self.wire.deadline(), REPLY_BYTES_MAX).await? {
            Reply::Status(status) if status.tag.is_none() && status.condition == Condition::Ok => {
                Ok(status.text)
            }
            Reply::Status(Status {
                condition: Condition::Bye,
                code,
                text,
                ..
            }) => Err(Cause::No { code, text }.at(self.wire.step)),
            // `PREAUTH` before TLS is how somebody in between has us skip it; without TLS nobody
            // offers it.
            Reply::Status(_) | Reply::Continue(_) | Reply::Data(_) => {
                Err(self.misbehaved("no greeting of IMAP"))
            }
        }
    }

    async fn ask_capabilities(&mut self) -> Result<(), Error> {
        let done = self.command("CAPABILITY").await?;
        let lists = done
            .data
            .iter()
            .filter(|values| values.first().and_then(Value::word).as_deref() == Some("CAPABILITY"));
        self.capabilities = lists.flatten().skip(1).filter_map(Value::word).collect();
        Ok(())
    }

    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|other| other == capability)
    }

    async fn login(&mut self, login: &Login) -> Result<String, Error> {
        self.wire.step = Step::Login;
        if !sasl::is_sayable(login) {
            return Err(Cause::Unsayable("this user or password").at(Step::Login));
        }
        let offered = self
            .capabilities
            .iter()
            .filter_map(|word| word.strip_prefix("AUTH="));
        let mechanism = Mechanism::choose(login, offered);
        match (&login.credential, mechanism) {
            (_, Some(mechanism)) => self.authenticate(mechanism, login).await,
            (Credential::Password(password), None) if !self.can("LOGINDISABLED") => {
                let (user, password) = (login.user.as_bytes(), password.expose().as_bytes());
                let said = [
                    Said::Words("LOGIN "),
                    Said::Literal(user),
                    Said::Words(" "),
                    Said::Literal(password),
                ];
                Ok(self.run(&said, REPLY_BYTES_MAX).await?.status.text)
            }
            (Credential::Password(_) | Credential::Token(_), None) => {
                Err(Cause::NoLogin(self.capabilities.join(" ")).at(Step::Login))
            }
        }
    }

    /// RFC 3501 section 6.2.2. What is said first waits to be asked for, as the oldest servers want it.
    async fn authenticate(&mut self, mechanism: Mechanism, login: &Login) -> Result<String, Error> {
        let mut said = match mechanism {
            Mechanism::Plain | Mechanism::XOauth2 => vec![sasl::initial(login)],
            Mechanism::Login => sasl::answers(login).to_vec(),
        }
        .into_iter();
        let tag = self.tag();
        let begun = format!("{tag} AUTHENTICATE {}\r\n", mechanism.name());
        self.wire.send(begun.as_bytes()).await?;
        let mut why = String::new();
        for _ in 0..REPLIES_MAX {
            match self.reply(self.wire.deadline(), REPLY_BYTES_MAX).await? {
                Reply::Continue(challenge) => {
                    let words = said.next().unwrap_or_else(|| {
                        why = sasl::refusal(&challenge).unwrap_or_default();
                        String::new()
                    });
                    self.wire.send(format!("{words}\r\n").as_bytes()).await?;
                }
                Reply::Status(mut status) if status.tag.is_some() => {
                    status.text = format!("{} {why}", status.text).trim().to_owned();
                    return self.judge(status);
                }
                Reply::Status(status) => self.check_bye(&status)?,
                Reply::Data(_) => {}
            }
        }
        Err(self.misbehaved("AUTHENTICATE without an end"))
    }

    async fn entries(&mut self, set: &str, ids: bool) -> Result<Vec<Entry>, Error> {
        let more = if ids {
            " BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
        } else {
            ""
        };
        let done = self
            .command(&format!(
                "UID FETCH {set} (UID RFC822.SIZE INTERNALDATE{more})"
            ))
            .await?;
        let entry = |items: Items| {
            let head = items.body.unwrap_or_default();
            Some(Entry {
                uid: items.uid?,
                bytes: items.bytes?,
                came_ms: items.came_ms,
                message_id: channels::email::read_head(&head)
                    .ok()
                    .and_then(|mail| mail.message_id),
            })
        };
        Ok(done
            .data
            .into_iter()
            .filter_map(items)
            .filter_map(entry)
            .collect())
    }

    fn tag(&mut self) -> String {
        self.commands = self.commands.wrapping_add(1);
        format!("a{}", self.commands)
    }

    async fn command(&mut self, words: &str) -> Result<Done, Error> {
        self.run(&[Said::Words(words)], REPLY_BYTES_MAX).await
    }

    /// Says a command and waits for its end, which must be a yes.
    async fn run(&mut self, said: &[Said<'_>], bytes_max: usize) -> Result<Done, Error> {
        let tag = self.tag();
        let mut line = format!("{tag} ").into_bytes();
        for part in said {
            match part {
                Said::Words(words) => line.extend_from_slice(words.as_bytes()),
                Said::Literal(bytes) => {
                    line.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
                    self.wire.send(&line).await?;
                    self.until_continue(&tag).await?;
                    line = bytes.to_vec();
                }
            }
        }
        line.extend_from_slice(b"\r\n");
        self.wire.send(&line).await?;
        let done = self.until_done(&tag, bytes_max).await?;
        self.judge(done.status.clone())?;
        Ok(done)
    }

    async fn until_continue(&mut self, tag: &str) -> Result<(), Error> {
        for _ in 0..REPLIES_MAX {
            match self.reply(self.wire.deadline(), REPLY_BYTES_MAX).await? {
                Reply::Continue(_) => return Ok(()),
                Reply::Status(status) if status.tag.as_deref() == Some(tag) => {
                    self.judge(status)?;
                    return Err(self.misbehaved("a yes to half a command"));
                }
                Reply::Status(status) => self.check_bye(&status)?,
                Reply::Data(_) => {}
            }
        }
        Err(self.misbehaved("no word to go on"))
    }

    async fn until_done(&mut self, tag: &str, bytes_max: usize) -> Result<Done, Error> {
        let (mut data, mut news) = (vec![], vec![]);
        let mut room = bytes_max;
        for _ in 0..REPLIES_MAX {
            let deadline = self.wire.deadline();
            let (reply, bytes) = self.reply_sized(deadline, room).await?;
            room = room.saturating_sub(bytes);
            match reply {
                Reply::Data(values) => data.push(values),
                Reply::Status(status) if status.tag.as_deref() == Some(tag) => {
                    return Ok(Done { data, news, status });
                }
                Reply::Status(status) => {
                    self.check_bye(&status)?;
                    news.push(status);
                }
                Reply::Continue(_) => return Err(self.misbehaved("a wish for more")),
            }
        }
        Err(Cause::TooLarge(bytes_max).at(self.wire.step))
    }

    async fn reply(&mut self, deadline: Instant, bytes_max: usize) -> Result<Reply, Error> {
        Ok(self.reply_sized(deadline, bytes_max).await?.0)
    }

    /// One reply, to begin before `deadline`, and its size.
    async fn reply_sized(
        &mut self,
        deadline: Instant,
        bytes_max: usize,
    ) -> Result<(Reply, usize), Error> {
        let (mut lines, mut literals) = (vec![], vec![]);
        let mut bytes = 0;
        let mut deadline = deadline;
        loop {
            let room = bytes_max.saturating_sub(bytes);
            let line = self.wire.line_before(deadline, room).await?;
            bytes += line.len();
            let literal = reply::literal(&line);
            lines.push(line);
            let Some(length) = literal else { break };
            if length > bytes_max.saturating_sub(bytes) || literals.len() >= LITERALS_MAX {
                return Err(Cause::TooLarge(bytes_max).at(self.wire.step));
            }
            literals.push(self.wire.exactly(length).await?);
            bytes += length;
            deadline = self.wire.deadline() + transfer_time(length);
        }
        let reply = reply::parse(&lines, literals).map_err(|error| self.misbehaved(error.0))?;
        Ok((reply, bytes))
    }

    /// The words of a yes, or the no.
    fn judge(&self, status: Status) -> Result<String, Error> {
        let Status {
            condition,
            code,
            text,
            ..
        } = status;
        match condition {
            Condition::Ok => Ok(text),
            Condition::No | Condition::Bye => {
                let code = code
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_ascii_uppercase();
                Err(Cause::No { code, text }.at(self.wire.step))
            }
            Condition::Bad | Condition::PreAuth => Err(self.misbehaved(&text)),
        }
    }

    fn check_bye(&self, status: &Status) -> Result<(), Error> {
        if status.condition == Condition::Bye {
            return Err(Cause::Lost(status.text.clone()).at(self.wire.step));
        }
        Ok(())
    }

    fn misbehaved(&self, what: &str) -> Error {
        self.wire.misbehaved(what)
    }
}

/// What is said of one mail.
#[derive(Default)]
struct Items {
    uid: Option<u32>,
    bytes: Option<usize>,
    came_ms: Option<i64>,
    body: Option<Vec<u8>>,
}

/// `* 12 FETCH (UID 7 …)`.
fn items(values: Vec<Value>) -> Option<Items> {
    let mut values = values.into_iter();
    let (_number, word) = (values.next()?, values.next()?);
    if word.word().as_deref() != Some("FETCH") {
        return None;
    }
    let Value::List(list) = values.next()? else {
        return None;
    };
    let mut items = Items::default();
    let mut list = list.into_iter();
    while let (Some(name), Some(value)) = (list.next(), list.next()) {
        match (name.word()?.as_str(), value) {
            ("UID", value) => items.uid = value.number(),
            ("RFC822.SIZE", value) => items.bytes = value.number(),
            ("INTERNALDATE", value) => items.came_ms = value.text().and_then(|text| time_ms(&text)),
            (name, Value::Text(text)) if name.starts_with("BODY[") => items.body = Some(text),
            _ => {}
        }
    }
    Some(items)
}

/// `" 7-Jul-2026 02:44:25 -0300"`.
fn time_ms(text: &str) -> Option<i64> {
    let time = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    Some(time.to_timestamp().ok()?.as_millisecond())
}

fn is_arrival(values: &[Value]) -> bool {
    values.get(1).and_then(Value::word).as_deref() == Some("EXISTS")
}

/// A name of a folder as it is said.
fn quoted(name: &str) -> Result<String, Error> {
    let is_sayable = name
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_control());
    if !is_sayable {
        return Err(Cause::Unsayable("this name of a folder").at(Step::Folder));
    }
    Ok(format!(
        "\"{}\"",
        name.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

/// All that is said to a command, beside a mail: half a million numbers of unread mails.
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A folder of this many mails that tells of all of them at once.
const REPLIES_MAX: usize = 200_000;
/// A reply of ours has one.
const LITERALS_MAX: usize = 16;

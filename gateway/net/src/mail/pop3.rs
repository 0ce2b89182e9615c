//! POP3 (RFC 1939): the maildrop as a list, and mails out of it. Nothing in it is marked as read, so who
//! reads keeps the ids of what was read.

use tokio::time::Instant;

use super::dial::{Dialer, Journal};
use super::error::{Cause, Error, Step};
use super::sasl::{self, Mechanism};
use super::wire::{Wire, transfer_time};
use super::{Credential, Login, Security, Server};

/// A session. While it lasts, the server shows nothing new and lets nobody else in.
pub struct Pop3 {
    wire: Wire,
    capabilities: Vec<String>,
}

/// A mail in the maildrop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in this session.
    pub number: u32,
    /// Its id for ever (`UIDL`).
    pub uid: String,
    /// Its size in bytes, as the server counts.
    pub bytes: usize,
}

impl Pop3 {
    /// Begins a session: everything up to the list.
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
        let mut pop3 = Self {
            wire: dialer.open(server, journal).await?,
            capabilities: vec![],
        };
        pop3.wire.step = Step::Greeting;
        let greeting = pop3.answer().await?;
        if server.security == Security::StartTls {
            pop3.wire.step = Step::Tls;
            match pop3.command("STLS").await {
                Err(Error {
                    cause: Cause::No { .. },
                    ..
                }) => {
                    return Err(Cause::NoStartTls.at(Step::Tls));
                }
                answer => drop(answer?),
            }
            dialer.secure(&mut pop3.wire, server, journal).await?;
            pop3.wire.step = Step::Greeting;
        }
        // Old servers do not know the question.
        pop3.capabilities = match pop3.list("CAPA").await {
            Ok(lines) => lines,
            Err(Error {
                cause: Cause::No { .. },
                ..
            }) => vec![],
            Err(error) => return Err(error),
        };
        journal.note(Step::Greeting, greeting);
        let welcome = pop3.login(login).await?;
        journal.note(Step::Login, welcome);
        Ok(pop3)
    }

    /// How many mails there are, and how many bytes.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn stat(&mut self) -> Result<(u32, u64), Error> {
        self.wire.step = Step::Folder;
        let answer = self.command("STAT").await?;
        let mut words = answer.split(' ');
        let count = words.next().and_then(|word| word.parse().ok());
        let bytes = words.next().and_then(|word| word.parse().ok());
        count.zip(bytes).ok_or_else(|| self.misbehaved("STAT"))
    }

    /// All mails of the maildrop, in its order.
    ///
    /// # Errors
    ///
    /// [`Error`]; a server that gives no ids (`UIDL`) cannot be read from.
    pub async fn entries(&mut self) -> Result<Vec<Entry>, Error> {
        self.wire.step = Step::Folder;
        let sizes = self.list("LIST").await?;
        let uids = self.list("UIDL").await?;
        let mut entries = Vec::with_capacity(uids.len());
        // Both lists are in the order of the numbers; what only one of them has is not there.
        let mut sizes = sizes
            .iter()
            .filter_map(|line| pair::<usize>(line))
            .peekable();
        for line in &uids {
            let Some((number, uid)) = pair::<String>(line) else {
                return Err(self.misbehaved("UIDL"));
            };
            while sizes.next_if(|(other, _)| *other < number).is_some() {}
            if let Some((_, bytes)) = sizes.next_if(|(other, _)| *other == number) {
                entries.push(Entry { number, uid, bytes });
            }
        }
        Ok(entries)
    }

    /// A whole mail.
    ///
    /// # Errors
    ///
    /// [`Error`], also where the mail is much larger than the list said.
    pub async fn retrieve(&mut self, entry: &Entry) -> Result<Vec<u8>, Error> {
        self.wire.step = Step::Reading;
        // Servers that keep lines by LF alone count them so.
        let bytes_max = entry.bytes.saturating_mul(2).saturating_add(LINE_BYTES_MAX);
        self.command(&format!("RETR {}", entry.number)).await?;
        self.lines(bytes_max, b"\r\n").await
    }

    /// The head of a mail.
    ///
    /// # Errors
    ///
    /// [`Error`], also where the server does not know how.
    pub async fn head(&mut self, entry: &Entry) -> Result<Vec<u8>, Error> {
        self.wire.step = Step::Reading;
        self.command(&format!("TOP {} 0", entry.number)).await?;
        self.lines(HEAD_BYTES_MAX, b"\r\n").await
    }

    /// Marks a mail to be deleted when the session ends well.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn delete(&mut self, entry: &Entry) -> Result<(), Error> {
        self.wire.step = Step::Reading;
        self.command(&format!("DELE {}", entry.number)).await?;
        Ok(())
    }

    /// Ends the session. What was marked is deleted, and others are let in at once.
    ///
    /// # Errors
    ///
    /// [`Error`]: what was marked may still be there.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.command("QUIT").await?;
        Ok(())
    }

    async fn login(&mut self, login: &Login) -> Result<String, Error> {
        self.wire.step = Step::Login;
        if !sasl::is_sayable(login) {
            return Err(Cause::Unsayable("this user or password").at(Step::Login));
        }
        let sasl = self
            .capabilities
            .iter()
            .find_map(|line| line.strip_prefix("SASL"));
        let offered = Mechanism::choose(login, sasl.unwrap_or_default().split(' '));
        let is_silent = self.capabilities.is_empty();
        let takes_user = is_silent || self.capabilities.iter().any(|line| line == "USER");
        match (&login.credential, offered) {
            (Credential::Token(_), Some(mechanism)) => self.authenticate(mechanism, login).await,
            (Credential::Password(password), _) if takes_user => {
                self.command(&format!("USER {}", login.user)).await?;
                self.command(&format!("PASS {}", password.expose())).await
            }
            (Credential::Password(_), Some(mechanism)) => self.authenticate(mechanism, login).await,
            (Credential::Token(_) | Credential::Password(_), None) => {
                Err(Cause::NoLogin(self.capabilities.join(", ")).at(Step::Login))
            }
        }
    }

    /// RFC 5034. The first words go on a line of their own: tokens are longer than a command may be.
    async fn authenticate(&mut self, mechanism: Mechanism, login: &Login) -> Result<String, Error> {
        let said = match mechanism {
            Mechanism::Plain | Mechanism::XOauth2 => vec![sasl::initial(login)],
            Mechanism::Login => sasl::answers(login).to_vec(),
        };
        let mut answer = self.exchange(&format!("AUTH {}", mechanism.name())).await?;
        for words in said {
            if !answer.starts_with('+') {
                break;
            }
            answer = self.exchange(&words).await?;
        }
        let mut why = String::new();
        if let Some(challenge) = answer.strip_prefix("+ ") {
            why = sasl::refusal(challenge).unwrap_or_default();
            answer = self.exchange("").await?;
        }
        self.judge(&answer).map_err(|error| match error {
            Error {
                step,
                cause: Cause::No { code, text },
            } => {
                let text = format!("{text} {why}").trim().to_owned();
                Cause::No { code, text }.at(step)
            }
            error => error,
        })
    }

    async fn exchange(&mut self, line: &str) -> Result<String, Error> {
        self.wire.send(format!("{line}\r\n").as_bytes()).await?;
        let answer = self.wire.line(LINE_BYTES_MAX).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn command(&mut self, line: &str) -> Result<String, Error> {
        let answer = self.exchange(line).await?;
        self.judge(&answer)
    }

    async fn answer(&mut self) -> Result<String, Error> {
        let answer = self.wire.line(LINE_BYTES_MAX).await?;
        self.judge(&String::from_utf8_lossy(&answer))
    }

    fn judge(&self, answer: &str) -> Result<String, Error> {
        if let Some(text) = answer.strip_prefix("+OK") {
            return Ok(text.trim().to_owned());
        }
        let Some(text) = answer.strip_prefix("-ERR") else {
            return Err(self.misbehaved("no answer of POP3"));
        };
        let text = text.trim();
        // RFC 2449 section 8.
        let coded = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (code, text) = coded.unwrap_or(("", text));
        let (code, text) = (code.to_ascii_uppercase(), text.trim().to_owned());
        Err(Cause::No { code, text }.at(self.wire.step))
    }

    async fn list(&mut self, command: &str) -> Result<Vec<String>, Error> {
        self.command(command).await?;
        let list = self.lines(LIST_BYTES_MAX, b"\n").await?;
        let list = String::from_utf8_lossy(&list);
        Ok(list.lines().map(str::to_owned).collect())
    }

    /// The lines up to the lone dot, with the doubled dots undone.
    async fn lines(&mut self, bytes_max: usize, end: &[u8]) -> Result<Vec<u8>, Error> {
        let deadline = Instant::now() + self.wire.patience + transfer_time(bytes_max);
        let mut out = vec![];
        loop {
            let room = bytes_max.saturating_sub(out.len());
            let line = self.wire.line_before(deadline, room).await?;
            match line.strip_prefix(b".") {
                Some([]) => return Ok(out),
                Some(rest) => out.extend_from_slice(rest),
                None => out.extend_from_slice(&line),
            }
            out.extend_from_slice(end);
        }
    }

    fn misbehaved(&self, what: &str) -> Error {
        self.wire.misbehaved(what)
    }
}

/// A line of a list: the number of a mail, and what is said of it.
fn pair<T: std::str::FromStr>(line: &str) -> Option<(u32, T)> {
    let (number, value) = line.trim().split_once(' ')?;
    Some((number.parse().ok()?, value.trim().parse().ok()?))
}

/// RFC 2449 section 4 allows 512 for an answer; a server that explains itself says more.
const LINE_BYTES_MAX: usize = 4_096;
/// As much as `channels::email` reads of a head.
const HEAD_BYTES_MAX: usize = 1024 * 1024;
/// A hundred thousand mails with ids of 70 characters, the longest that there are.
const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;

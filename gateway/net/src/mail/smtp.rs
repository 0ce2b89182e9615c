//! Sending: SMTP as it is spoken to the server that takes our mails (RFC 5321, RFC 6409).
//!
//! ```text
//!  greeting ─ EHLO ─ (STARTTLS ─ EHLO) ─ AUTH ─┬─ MAIL ─ RCPT … ─ DATA ─ the mail ═ "." ─ answer
//!                                              └─ QUIT
//! ```
//!
//! A mail was taken when the answer to its last line says so. Before that line nothing was; when it
//! was sent and no answer came, nobody knows: that is [`FailureClass::Uncertain`].
//!
//! [`FailureClass::Uncertain`]: channels::failure::FailureClass::Uncertain

use std::net::IpAddr;
use std::time::Duration;

use channels::email::answer::{self, Answer, Stage};
use channels::failure::{Advice, Failure, FailureClass};

use super::dial::{Dialer, Journal};
use super::error::{Cause, Error, Step};
use super::sasl::{self, Mechanism};
use super::wire::Wire;
use super::{Login, Security, Server};

/// A mail and its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// `MAIL FROM`. None is the empty path, for automatic answers.
    pub from: Option<&'a str>,
    /// Our own address: said instead of the empty path where a server does not take that.
    pub own: &'a str,
    /// `RCPT TO`, each once.
    pub to: &'a [String],
    /// The mail.
    pub bytes: &'a [u8],
}

/// A server took a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What it said: mostly its name for the mail, by which its people find it.
    pub text: String,
    /// To whom it will not bring it. The others get it.
    pub refused: Vec<Refused>,
}

/// A recipient whom a server does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The address.
    pub address: String,
    /// Why.
    pub failure: Failure,
}

/// Sends one mail over a connection of its own.
///
/// # Errors
///
/// [`Failure`]: nobody got it; or, where its class is uncertain, nobody knows.
pub async fn send(
    dialer: &Dialer,
    server: &Server,
    login: Option<&Login>,
    parcel: &Parcel<'_>,
) -> Result<Taken, Failure> {
    let by_token = login.is_some_and(Login::is_by_token);
    let mut journal = Journal::default();
    let mut smtp = Smtp::open(dialer, server, login, &mut journal)
        .await
        .map_err(|error| failure(&error, by_token))?;
    let taken = smtp
        .send(parcel)
        .await
        .map_err(|error| failure(&error, by_token))?;
    smtp.quit().await;
    Ok(taken)
}

/// A conversation with a server that knows us.
pub struct Smtp {
    wire: Wire,
    extensions: Vec<String>,
    by_token: bool,
}

impl Smtp {
    /// Begins a conversation: everything up to the first mail.
    ///
    /// # Errors
    ///
    /// [`Error`] says at which step it ended, and why.
    pub async fn open(
        dialer: &Dialer,
        server: &Server,
        login: Option<&Login>,
        journal: &mut Journal,
    ) -> Result<Self, Error> {
        let mut smtp = Self {
            wire: dialer.open(server, journal).await?,
            extensions: vec![],
            by_token: login.is_some_and(Login::is_by_token),
        };
        smtp.wire.step = Step::Greeting;
        let greeting = smtp.expect_answer().await?;
        smtp.hello().await?;
        if server.security == Security::StartTls {
            if smtp.extension("STARTTLS").is_none() {
                return Err(Cause::NoStartTls.at(Step::Tls));
            }
            smtp.wire.step = Step::Tls;
            smtp.command("STARTTLS").await?;
            dialer.secure(&mut smtp.wire, server, journal).await?;
            smtp.wire.step = Step::Greeting;
            // RFC 3207 section 4.2: what was said before TLS is forgotten.
            smtp.hello().await?;
        }
        journal.note(Step::Greeting, greeting.text);
        if let Some(login) = login {
            let answer = smtp.login(login).await?;
            journal.note(Step::Login, answer.text);
        }
        Ok(smtp)
    }

    /// Sends a mail. More may follow.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`failure`] says what follows from it.
    pub async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Taken, Error> {
        self.mail_from(parcel).await?;
        let refused = self.recipients(parcel.to).await?;
        self.wire.step = Step::Data;
        self.command("DATA").await?;
        let data = dotted(parcel.bytes);
        self.wire.send(&data).await?;
        // Only from here on can the server have taken it.
        self.wire.step = Step::Sent;
        self.wire.send(b".\r\n").await?;
        let patience = std::mem::replace(&mut self.wire.patience, TAKING_TIME);
        let answer = self.expect_answer().await;
        self.wire.patience = patience;
        Ok(Taken {
            text: answer?.text,
            refused,
        })
    }

    /// Asks whether a mail from an address to an address would be taken, and sends none.
    ///
    /// # Errors
    ///
    /// [`Error`] says which of the two the server does not take, and why.
    pub async fn probe(
        &mut self,
        from: &str,
        to: &str,
        journal: &mut Journal,
    ) -> Result<(), Error> {
        self.wire.step = Step::Sender;
        let answer = self
            .command(&format!("MAIL FROM:<{}>", path(from)?))
            .await?;
        journal.note(Step::Sender, answer.text);
        self.wire.step = Step::Recipient;
        let answer = self.command(&format!("RCPT TO:<{}>", path(to)?)).await?;
        journal.note(Step::Recipient, answer.text);
        self.command("RSET").await?;
        Ok(())
    }

    /// Takes leave. Nothing depends on the answer.
    pub async fn quit(mut self) {
        let _ = self.wire.send(b"QUIT\r\n").await;
    }

    async fn mail_from(&mut self, parcel: &Parcel<'_>) -> Result<(), Error> {
        self.wire.step = Step::Sender;
        let mut more = String::new();
        if let Some(max) = self.extension("SIZE") {
            let max: usize = max.trim().parse().unwrap_or(0);
            if max > 0 && parcel.bytes.len() > max {
                // What the server would say (RFC 1870 section 6.1), without sending it all.
                let text = format!("552 5.3.4 more than the {max} bytes that the server takes");
                return Err(self.refusal(&text));
            }
            more = format!(" SIZE={}", parcel.bytes.len());
        }
        if !parcel.bytes.is_ascii() && self.extension("8BITMIME").is_some() {
            more.push_str(" BODY=8BITMIME");
        }
        let from = parcel.from.map_or(Ok(""), path)?;
        let first = self.command(&format!("MAIL FROM:<{from}>{more}")).await;
        match first {
            // RFC 6409 section 6.1 lets a server insist on an address.
            Err(Error {
                cause: Cause::Answer(answer),
                ..
            }) if parcel.from.is_none() && answer.code >= 500 => {
                self.command("RSET").await?;
                let own = path(parcel.own)?;
                self.command(&format!("MAIL FROM:<{own}>{more}")).await?;
            }
            answer => drop(answer?),
        }
        Ok(())
    }

    /// Who is refused. An error where nobody is left.
    async fn recipients(&mut self, to: &[String]) -> Result<Vec<Refused>, Error> {
        self.wire.step = Step::Recipient;
        let mut refused = vec![];
        for address in to {
            match self.command(&format!("RCPT TO:<{}>", path(address)?)).await {
                Ok(_) => {}
                Err(
                    error @ Error {
                        cause: Cause::Answer(_),
                        ..
                    },
                ) => {
                    let address = address.clone();
                    refused.push((
                        Refused {
                            address,
                            failure: failure(&error, false),
                        },
                        error,
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        if refused.len() == to.len() {
            let first = refused.into_iter().next().map(|(_, error)| error);
            return Err(first.unwrap_or(Cause::Unsayable("a mail to nobody").at(Step::Recipient)));
        }
        Ok(refused.into_iter().map(|(refused, _)| refused).collect())
    }

    async fn hello(&mut self) -> Result<(), Error> {
        // We have no name that the server could look up; RFC 5321 section 4.1.4 lets us give an address.
        let name = match self.wire.local.map(|local| local.ip().to_canonical()) {
            Some(IpAddr::V4(address)) => format!("[{address}]"),
            Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            None => "localhost".to_owned(),
        };
        self.wire
            .send(format!("EHLO {name}\r\n").as_bytes())
            .await?;
        let lines = self.lines().await?;
        self.judge(&lines)?;
        let words = lines.lines().skip(1).filter_map(|line| line.get(4..));
        self.extensions = words.map(|words| words.trim().to_owned()).collect();
        Ok(())
    }

    /// What the server says of an extension of this name, if it has it.
    fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find_map(|extension| {
            let (first, rest) = extension.split_once([' ', '=']).unwrap_or((extension, ""));
            first.eq_ignore_ascii_case(name).then_some(rest)
        })
    }

    async fn login(&mut self, login: &Login) -> Result<Answer, Error> {
        self.wire.step = Step::Login;
        if !sasl::is_sayable(login) {
            return Err(Cause::Unsayable("this user or password").at(Step::Login));
        }
        let offered = self.extension("AUTH").unwrap_or_default();
        let Some(mechanism) = Mechanism::choose(login, offered.split(' ')) else {
            return Err(Cause::NoLogin(offered.to_owned()).at(Step::Login));
        };
        let name = mechanism.name();
        let initial = sasl::initial(login);
        let answer = match mechanism {
            Mechanism::Plain | Mechanism::XOauth2 if initial.len() <= INITIAL_BYTES_MAX => {
                self.command(&format!("AUTH {name} {initial}")).await?
            }
            Mechanism::Plain | Mechanism::XOauth2 => {
                self.command(&format!("AUTH {name}")).await?;
                self.command(&initial).await?
            }
            Mechanism::Login => {
                self.command("AUTH LOGIN").await?;
                let [user, password] = sasl::answers(login);
                self.command(&user).await?;
                self.command(&password).await?
            }
        };
        if answer.code != 334 {
            return Ok(answer);
        }
        // A token that is not taken: the reason first, and the no once we have heard it.
        let why = sasl::refusal(&answer.text).unwrap_or_default();
        match self.command("").await {
            Err(Error {
                step,
                cause: Cause::Answer(mut answer),
            }) => {
                answer.text = format!("{} {why}", answer.text).trim().to_owned();
                Err(Cause::Answer(answer).at(step))
            }
            Ok(_) => Err(self.misbehaved()),
            Err(error) => Err(error),
        }
    }

    /// Says a line and waits for a yes.
    async fn command(&mut self, line: &str) -> Result<Answer, Error> {
        self.wire.send(format!("{line}\r\n").as_bytes()).await?;
        self.expect_answer().await
    }

    async fn expect_answer(&mut self) -> Result<Answer, Error> {
        let lines = self.lines().await?;
        self.judge(&lines)
    }

    fn judge(&self, lines: &str) -> Result<Answer, Error> {
        match Answer::parse(lines) {
            Some(answer) if answer.is_positive() => Ok(answer),
            Some(answer) => Err(Cause::Answer(answer).at(self.wire.step)),
            None => Err(self.misbehaved()),
        }
    }

    fn refusal(&self, lines: &str) -> Error {
        self.judge(lines).err().unwrap_or_else(|| self.misbehaved())
    }

    fn misbehaved(&self) -> Error {
        self.wire.misbehaved("no answer of SMTP")
    }

    /// All lines of one answer: the last has no hyphen behind its code (RFC 5321 section 4.2.1).
    async fn lines(&mut self) -> Result<String, Error> {
        let mut lines = String::new();
        for _ in 0..LINES_MAX {
            let line = self.wire.line(LINE_BYTES_MAX).await?;
            let line = String::from_utf8_lossy(&line);
            lines.push_str(&line);
            lines.push('\n');
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(lines);
            }
        }
        Err(Cause::TooLarge(LINES_MAX * LINE_BYTES_MAX).at(self.wire.step))
    }

    /// What follows from an error of this conversation.
    pub fn failure(&self, error: &Error) -> Failure {
        failure(error, self.by_token)
    }
}

/// What follows from an error. `by_token` says that the log-in is by a token that can be renewed.
pub fn failure(error: &Error, by_token: bool) -> Failure {
    let stage = Stage::from(error.step);
    let text = error.to_string();
    let broken = |code: &str| Failure::new(FailureClass::ChannelBroken, Advice::Setup, code, &text);
    match &error.cause {
        Cause::Answer(answer) => answer::failure(stage, answer, by_token),
        Cause::NameUnknown(_) | Cause::Unreachable(_) | Cause::TimedOut | Cause::Lost(_) => {
            answer::lost(stage, &text)
        }
        // The last line was sent: whatever came then was no answer to it.
        _ if stage == Stage::Sent => answer::lost(stage, &text),
        Cause::NameInvalid | Cause::Inside => broken("server"),
        Cause::NotTls | Cause::Tls(_) | Cause::Untrusted { .. } | Cause::NoStartTls => {
            broken("tls")
        }
        Cause::NoLogin(_) => broken("login"),
        Cause::No { .. } | Cause::Misbehaved(_) | Cause::TooLarge(_) => broken("protocol"),
        Cause::Unsayable(_) => Failure::new(
            FailureClass::Permanent,
            Advice::OurMistake,
            "unsayable",
            &text,
        ),
    }
}

/// An address as it stands in an envelope. It was made by `compose`; here it is only kept from being
/// more than an address.
fn path(address: &str) -> Result<&str, Error> {
    let fits = address.len() <= PATH_BYTES_MAX
        && address.contains('@')
        && address
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    fits.then_some(address)
        .ok_or(Cause::Unsayable("this address").at(Step::Recipient))
}

/// A mail as its lines go over the wire (RFC 5321 section 4.5.2): each ends in CR LF, and a dot at the
/// beginning is doubled. No other end of a line is left, so that none hides a lone dot from one server
/// and shows it to the next.
fn dotted(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + mail.len() / 50 + 2);
    let mut begins = true;
    let mut bytes = mail.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' || byte == b'\n' {
            if byte == b'\r' {
                bytes.next_if_eq(&b'\n');
            }
            out.extend_from_slice(b"\r\n");
            begins = true;
            continue;
        }
        if begins && byte == b'.' {
            out.push(b'.');
        }
        out.push(byte);
        begins = false;
    }
    if !begins {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// RFC 5321 section 4.5.3.2.6: a server may take 10 minutes to judge a mail, and whoever does not wait
/// has it delivered twice.
const TAKING_TIME: Duration = Duration::from_secs(600);
/// RFC 5321 section 4.5.3.1.5 allows 512; real servers say more.
const LINE_BYTES_MAX: usize = 4_096;
/// Gmail's longest refusals have 10 lines, an EHLO of Exchange has 15.
const LINES_MAX: usize = 50;
/// RFC 4954 section 4: a command, with its initial response, is no longer than 512.
const INITIAL_BYTES_MAX: usize = 480;
/// RFC 5321 section 4.5.3.1.3, with room.
const PATH_BYTES_MAX: usize = 320;

//! A mail, as read: who, to whom, what, in answer to what, and what kind of mail it is.

use desk::words;
use serde::{Deserialize, Serialize};

use super::report::{Bounce, Complaint};

/// An address, and what its owner calls themselves there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// What is shown, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `local@domain`, the domain in lower case; no white space, no control characters.
    pub address: String,
}

impl Address {
    /// Takes an address apart and puts it together again: what holds white space, control characters
    /// or brackets, or is longer than mail servers take, is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let domain = domain.trim_end_matches('.').to_lowercase();
        let strange = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"' | '\\')
        };
        let fits = !local.is_empty()
            && local.len() <= LOCAL_BYTES_MAX
            && !domain.is_empty()
            && text.len() <= ADDRESS_BYTES_MAX;
        let domain_fits = domain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':'));
        if !fits || !domain_fits || local.contains(strange) || local.contains('@') {
            return None;
        }
        Some(Self {
            name: None,
            address: format!("{local}@{domain}"),
        })
    }

    /// With the name that is shown; an empty one is none, and so is the address again.
    #[must_use]
    pub fn named(mut self, name: Option<String>) -> Self {
        let name = name.map(|name| name.trim().trim_matches(['"', '\'']).trim().to_owned());
        self.name =
            name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(&self.address));
        self.name = self
            .name
            .map(|name| name.chars().take(NAME_CHARS_MAX).collect());
        self
    }

    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// Whether both are the same mailbox. Case does not count: no server in use tells them apart.
    pub fn same(&self, other: &str) -> bool {
        self.address.eq_ignore_ascii_case(other.trim())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// A mail, as read. Written down, it leaves out what its files hold: that is kept elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// `Message-ID` without its brackets. Two different mails may carry the same.
    pub message_id: Option<String>,
    /// `In-Reply-To`.
    pub in_reply_to: Vec<String>,
    /// `References`, the oldest first.
    pub references: Vec<String>,
    /// Who wrote it. Several are allowed, and rare.
    pub from: Vec<Address>,
    /// Who sent it for them.
    pub sender: Option<Address>,
    /// Where answers go, if elsewhere.
    pub reply_to: Vec<Address>,
    /// To whom.
    pub to: Vec<Address>,
    /// Who has a copy.
    pub cc: Vec<Address>,
    /// For which of our addresses the servers on its way took it (`Delivered-To`, `X-Original-To` …).
    pub delivered_to: Vec<Address>,
    /// `Return-Path`: the empty text is the empty path of bounces.
    pub return_path: Option<String>,
    /// `Date`, in milliseconds since 1970 (UTC): the clock of the sender.
    pub date_ms: Option<i64>,
    /// The subject on one line; empty if none.
    pub subject: String,
    /// The text, from the HTML if there is no other.
    pub text: String,
    /// The HTML as it came: not to be shown before [`super::html::clean`].
    pub html: Option<String>,
    /// Everything else.
    pub files: Vec<File>,
    /// What kind of mail it is.
    pub kind: Kind,
    /// The marks of mail that no person wrote.
    pub marks: Vec<Mark>,
    /// Signed or encrypted.
    pub protection: Option<Protection>,
    /// An invitation.
    pub meeting: Option<Meeting>,
    /// `Authentication-Results`, the newest first. Only those of our own server are worth anything:
    /// [`Mail::dmarc`].
    pub authentication: Vec<String>,
    /// The protocol number that our own mail carries in a field, if it is quoted back.
    pub protocol: Option<String>,
    /// What could not be read or was left out, for the agent to see.
    pub notes: Vec<Note>,
}

impl Mail {
    /// Who wrote it: the first of `From`, or `Sender`.
    pub fn author(&self) -> Option<&Address> {
        self.from.first().or(self.sender.as_ref())
    }

    /// Whether it passed DMARC by the word of our own server, whose name in `Authentication-Results` is
    /// `server` (RFC 8601 section 2.2). Without that server's word nothing is known.
    pub fn dmarc(&self, server: &str) -> Option<Verdict> {
        let ours = self.authentication.iter().find_map(|results| {
            let (name, results) = results.split_once(';')?;
            // A version may follow the name.
            let name = name.split_whitespace().next()?;
            name.eq_ignore_ascii_case(server).then_some(results)
        })?;
        let result = ours
            .split(';')
            .find_map(|method| method.trim().strip_prefix("dmarc="))?;
        let word = result.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
        Some(match word.to_ascii_lowercase().as_str() {
            "pass" | "bestguesspass" => Verdict::Passed,
            "fail" => Verdict::Failed,
            _ => Verdict::Unknown,
        })
    }
}

words! {
    /// Whether the sender is who they say, by DMARC.
    Verdict {
        /// They are of that domain.
        Passed = "passed",
        /// They are not: shown as "sender not verified".
        Failed = "failed",
        /// The domain says nothing, or could not be asked.
        Unknown = "unknown",
    }
}

/// What kind of mail it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody wrote, or some program did: see the marks.
    #[default]
    Ordinary,
    /// A mail of ours did not arrive, or is late.
    Bounce(Bounce),
    /// Somebody called a mail of ours spam (RFC 5965).
    Complaint(Complaint),
    /// A mail of ours was opened (RFC 8098).
    Receipt {
        /// The id of our mail.
        of: Option<String>,
    },
    /// A program answers for somebody: they are away, or a system took our mail.
    AutoReply,
}

words! {
    /// Why a mail is not by a person, and so must not be answered by a program (RFC 3834).
    Mark {
        /// `Auto-Submitted` is there and not `no`.
        AutoSubmitted = "auto_submitted",
        /// `Precedence` is `bulk`, `junk`, `list` or `auto_reply`.
        Precedence = "precedence",
        /// It came by a mailing list or is advertising (`List-Id`, `List-Unsubscribe`).
        List = "list",
        /// `X-Auto-Response-Suppress` forbids answers.
        AnswersSuppressed = "answers_suppressed",
        /// `X-Autoreply`, `X-Autorespond` and their like.
        AutoReply = "auto_reply",
        /// The return path is empty.
        EmptyReturnPath = "empty_return_path",
        /// The sender is a machine by its name (`mailer-daemon`, `no-reply` …).
        RoleSender = "role_sender",
        /// It is a report (`multipart/report`).
        Report = "report",
    }
}

words! {
    /// How a mail is protected.
    Protection {
        /// S/MIME signature.
        SmimeSigned = "smime_signed",
        /// S/MIME encryption: what it says is in the file alone.
        SmimeEncrypted = "smime_encrypted",
        /// PGP signature.
        PgpSigned = "pgp_signed",
        /// PGP encryption: what it says is in the file alone.
        PgpEncrypted = "pgp_encrypted",
    }
}

words! {
    /// What could not be read or was left out. The whole is kept as it came.
    Note {
        /// Parts within parts, too deep.
        TooDeep = "too_deep",
        /// More parts than mail has.
        TooManyParts = "too_many_parts",
        /// The text is longer than is shown.
        TextCut = "text_cut",
        /// The HTML is longer or more tangled than is shown; the text is shown.
        HtmlLeftOut = "html_left_out",
        /// The head alone was fetched: the mail is larger than the mailbox takes.
        HeadOnly = "head_only",
        /// Its structure is broken.
        Broken = "broken",
    }
}

/// Something that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is called: no path, no control characters.
    pub name: Option<String>,
    /// What it says it is. The shell looks at the bytes before it believes it.
    pub mime: String,
    /// By what the HTML refers to it, without its brackets.
    pub content_id: Option<String>,
    /// Whether the HTML shows it; then it is not listed as a file.
    pub shown: bool,
    /// What it is to us.
    pub kind: FileKind,
    /// What it holds, decoded.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// What a file is to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A file.
    Plain,
    /// Another mail, passed on whole.
    Mail {
        /// Who wrote that.
        from: Option<Address>,
        /// Its subject.
        subject: String,
        /// Its `Message-ID`.
        message_id: Option<String>,
    },
    /// Outlook's own wrapping (TNEF), kept as it is.
    Winmail,
    /// An invitation, which [`Mail::meeting`] tells.
    Calendar,
    /// A signature or what was encrypted.
    Protection,
}

/// An invitation (RFC 5545): enough for a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// `REQUEST`, `CANCEL`, `REPLY` …
    pub method: String,
    /// What it is about.
    pub summary: String,
    /// When it begins, as written: `20261130T140000` with its zone, or `20261130`.
    pub start: String,
    /// When it ends.
    pub end: String,
    /// In which zone the two are; `UTC`, a name, or empty for wherever one is.
    pub zone: String,
    /// Where.
    pub place: String,
    /// Who invites.
    pub organizer: Option<Address>,
}

/// RFC 5321 section 4.5.3.1.1 allows 64; addresses of lists and VERP are longer in practice.
const LOCAL_BYTES_MAX: usize = 128;
/// RFC 5321 section 4.5.3.1.3: a path has 256.
const ADDRESS_BYTES_MAX: usize = 256;
/// What fits a line on screen.
const NAME_CHARS_MAX: usize = 200;

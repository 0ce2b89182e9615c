//! At which step a conversation with a server of mail ended, and why.

use channels::email::answer::{Answer, Stage};
use desk::words;

use super::tls::Certificate;

words! {
    /// How far a conversation with a server was.
    Step {
        /// Looking its name up.
        Name = "dns",
        /// Reaching its port.
        Connect = "tcp",
        /// Agreeing on TLS, and believing its certificate.
        Tls = "tls",
        /// Its greeting, and what it can do.
        Greeting = "greeting",
        /// Logging in.
        Login = "login",
        /// Opening the folder or the maildrop.
        Folder = "folder",
        /// Reading in it.
        Reading = "reading",
        /// Telling from whom a mail is.
        Sender = "sender",
        /// Telling to whom it goes.
        Recipient = "recipient",
        /// Handing it over.
        Data = "data",
        /// It is handed over whole, the answer is to come.
        Sent = "sent",
    }
}

/// What is asked at a mailbox has no stage of its own: it is of the log-in.
impl From<Step> for Stage {
    fn from(step: Step) -> Self {
        match step {
            Step::Name | Step::Connect | Step::Tls | Step::Greeting => Self::Greeting,
            Step::Login | Step::Folder | Step::Reading => Self::Login,
            Step::Sender => Self::Sender,
            Step::Recipient => Self::Recipient,
            Step::Data => Self::Data,
            Step::Sent => Self::Sent,
        }
    }
}

/// A conversation that ended before its purpose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {cause}")]
pub struct Error {
    /// At which step.
    pub step: Step,
    /// Why.
    pub cause: Cause,
}

/// Why a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// What was typed is not a name of a machine.
    #[error("that is not the name of a server")]
    NameInvalid,
    /// No machine has that name, or nobody could be asked.
    #[error("the name is not known: {0}")]
    NameUnknown(String),
    /// The name leads into our own networks, where strangers have nothing to ask.
    #[error("the name leads to an address inside")]
    Inside,
    /// Nobody listens there.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Nothing came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended.
    #[error("the connection ended: {0}")]
    Lost(String),
    /// The port does not speak TLS.
    #[error("the port does not speak TLS")]
    NotTls,
    /// TLS failed, but not because of the certificate.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The certificate is not to be believed.
    #[error("the certificate is not valid: {flaw}")]
    Untrusted {
        /// What is wrong with it.
        flaw: Flaw,
        /// What it says.
        certificate: Option<Box<Certificate>>,
    },
    /// The server offers no `STARTTLS`, and is not to be spoken to without.
    #[error("the server offers no STARTTLS")]
    NoStartTls,
    /// The server offers no way to log in that we know, or not over this connection.
    #[error("the server offers no way to log in: {0}")]
    NoLogin(String),
    /// A mail server's no.
    #[error("{} {}", .0.code, .0.text)]
    Answer(Answer),
    /// The no of a server of mailboxes.
    #[error("{text}")]
    No {
        /// Its word for the reason (`AUTHENTICATIONFAILED`, RFC 5530; `IN-USE`, RFC 2449). Empty if it gave none.
        code: String,
        /// Its sentence.
        text: String,
    },
    /// The server does not speak the protocol, or breaks its rules.
    #[error("not understood: {0}")]
    Misbehaved(String),
    /// The server sends more than anybody needs.
    #[error("more than {0} bytes")]
    TooLarge(usize),
    /// We were given something that cannot be said in the protocol. The caller's mistake.
    #[error("{0} cannot be said to a server")]
    Unsayable(&'static str),
}

words! {
    /// What is wrong with a certificate.
    Flaw {
        /// Its time is over.
        Expired = "expired",
        /// Its time has not begun; or a clock is wrong.
        NotYet = "not_yet",
        /// It is another machine's.
        WrongName = "wrong_name",
        /// Nobody whom we believe vouches for it.
        UnknownIssuer = "unknown_issuer",
        /// Something else.
        Invalid = "invalid",
    }
}

impl Cause {
    /// The same, with where it happened.
    pub(super) fn at(self, step: Step) -> Error {
        Error { step, cause: self }
    }
}

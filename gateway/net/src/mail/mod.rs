//! E-mail over the network: reading mailboxes by IMAP and POP3, sending by SMTP, logging in by password
//! or by OAuth2, and telling an administrator which of all the steps does not work.
//!
//! What mails say is not looked at here: bytes come out and bytes go in (`channels::email` reads and
//! makes them). Nothing here stores anything either: how far a mailbox was read is a value that is
//! given in and comes back.
//!
//! ```text
//!  Server ─ Dialer ─▶ Wire ─┬─ Imap ─┐
//!                           ├─ Pop3 ─┴▶ Mailbox ─▶ Letter … raw bytes ─▶ (stored) ─▶ done
//!                           └─ Smtp ◀─ raw bytes
//!  check = the same steps, one after the other, each with its result
//! ```
//!
//! The three protocols are spoken by clients of our own: what is needed of them is small, all of it has
//! limits (the servers' names are typed by companies' administrators, so a server may be anybody's), and
//! each step gives the server's own sentence, which is what people need when it fails.

pub mod advice;
pub mod check;
mod dial;
mod error;
pub mod imap;
pub mod mailbox;
pub mod oauth;
pub mod pop3;
pub mod sasl;
pub mod smtp;
mod tls;
mod wire;

pub use self::dial::{Dialer, Journal, Passed, authorities};
pub use self::error::{Cause, Error, Flaw, Step};
pub use self::tls::Certificate;

use channels::secret::Secret;
use desk::words;
use serde::{Deserialize, Serialize};

/// A server of mail, as an administrator typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is kept from being listened to.
    pub security: Security,
}

words! {
    /// How a connection is protected. Certificates are always verified.
    Security {
        /// TLS from the first byte (RFC 8314): 465, 993 and 995.
        Tls = "tls",
        /// TLS after a plain beginning, or nothing at all: 587, 143 and 110.
        StartTls = "starttls",
        /// None. For servers of the house.
        None = "none",
    }
}

/// Who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user, mostly the address itself.
    pub user: String,
    /// The proof of it.
    pub credential: Credential,
}

/// How who logs in proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A password.
    Password(Secret),
    /// A token of OAuth2, which ends within the hour.
    Token(Secret),
}

impl Login {
    /// Whether a new token may help where this one was refused.
    pub fn is_by_token(&self) -> bool {
        matches!(self.credential, Credential::Token(_))
    }
}

#[cfg(test)]
mod tests;

//! E-mail: raw bytes to words and back. What is read, sent and waited for over IMAP, POP3 and SMTP is the
//! shell's; everything about the mails themselves is here.
//!
//! ```text
//!  raw ─ read ─▶ Mail ─ thread ─▶ where it belongs      (keys to look up, then a decision)
//!                     ─ html ───▶ what is shown
//!                     ─ quote ──▶ what was written now
//!                     ─ events ─▶ Event               (what the other channels tell too)
//!  Outgoing ─ compose ─▶ the bytes ═ SMTP ═▶ answer ─▶ Failure
//! ```

pub mod answer;
mod capabilities;
pub mod compose;
pub mod document;
pub mod events;
pub mod html;
mod mail;
mod marks;
mod meeting;
mod mime;
pub mod quote;
mod read;
mod report;
pub mod subject;
pub mod thread;
pub mod token;

pub use self::capabilities::EMAIL;
pub use self::mail::{
    Address, File, FileKind, Kind, Mail, Mark, Meeting, Note, Protection, Verdict,
};
pub use self::marks::is_role;
pub use self::read::{MAIL_BYTES_MAX, Unreadable, read, read_head};
pub use self::report::{Action, Bounce, Complaint, Recipient};

/// The field in which our mails carry the protocol number of what they are about.
pub const PROTOCOL_FIELD: &str = "X-Omni-Protocolo";

#[cfg(test)]
mod tests;

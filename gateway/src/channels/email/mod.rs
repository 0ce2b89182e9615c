//! E-mail: mailboxes that are read, mails that become messages, and messages that become mails.
//!
//! ```text
//!  mailbox ─ Mailboxes ─▶ the mail, as a file ─▶ receipt ─▶ Worker (reading) ─▶ message, conversation
//!                                      └─ only then is it marked as read there
//!  outbox ─ Sender (sending) ─▶ the mail, made ═ SMTP ═▶ accepted or failed
//! ```
//!
//! Each mail is kept whole in a file of its own, by its hash; messages have its words, and whatever else
//! is in it is read from the file again when somebody asks.

pub mod accounts;
pub mod heading;
pub mod mailboxes;
pub(super) mod reading;
pub mod sending;
pub mod settings;
pub mod transcripts;

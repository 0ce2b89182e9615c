//! E-mail with servers that are not ours: Dovecot for IMAP and POP3, Exim for SMTP, and what we send by
//! the one is read by the other.
//!
//! ```text
//!  mail::smtp ═SMTP, TLS═▶ Exim ═LMTP═▶ Dovecot ◀═IMAP, POP3, TLS═ mail::mailbox
//! ```
//!
//! Each test starts servers of its own, with users and certificates of its own, on free ports and in an
//! empty folder, so they run beside each other and beside servers that the machine has. Where they are
//! not installed a test says so and passes; `cargo xtask test` sets `RAMAL_TEST_INTEROP=require`, and
//! then their absence is a failure.

#![allow(
    clippy::print_stderr,
    reason = "a test that cannot run says what is missing"
)]

mod cast;
mod certificate;
mod checking;
mod house;
mod reading;
mod sending;
mod tokens;

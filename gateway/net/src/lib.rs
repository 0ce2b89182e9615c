//! How other systems are reached.
//!
//! What to say to them is decided elsewhere, by pure crates and by the program; here are the sockets.
//! [`fetch`] asks over HTTP without ever asking ourselves; [`files`] keeps what people send; [`mail`]
//! reads mailboxes and sends mails.

pub mod fetch;
pub mod files;
pub mod mail;

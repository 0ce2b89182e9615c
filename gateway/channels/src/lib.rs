//! Written channels: their words to our words and back, one folder a channel.
//!
//! ```text
//!  webhook ─ Connector::verify ─▶ stored raw ─ Connector::read ─▶ Event …   (what a channel tells us)
//!  Outgoing ─ Connector::send ─▶ Request ═ the shell ═▶ Response ─ Connector::answered ─▶ Accepted | Failure
//! ```
//!
//! Nothing here does I/O or reads a clock: bytes and values in, values out. The shell stores, sends,
//! waits and tries again; this crate says what was meant, what to send and what went wrong.
//!
//! [`event`] has what a channel tells us and [`send`] what we ask of it, in the same words for all
//! channels; [`peer`] who the customer is to a channel; [`failure`] why something was not sent and what
//! people should do about it; [`capabilities`] what a channel can carry, [`connector`] the one interface
//! behind which each provider stands, [`health`] whether its account
//! is well. [`template`] fills approved words with values and
//! shows them, [`proof`] tells who sent a webhook, [`secret`] keeps tokens out of logs.
//!
//! The channels: [`whatsapp`] through five providers, [`email`], [`webchat`], and [`generic`] for any system
//! with an API.

pub mod capabilities;
pub mod connector;
pub mod email;
pub mod event;
pub mod failure;
pub mod generic;
pub mod health;
mod json;
pub mod peer;
pub mod proof;
pub mod secret;
pub mod send;
pub mod template;
pub mod webchat;
pub mod whatsapp;

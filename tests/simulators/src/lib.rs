//! `ramal-sim`: plays the providers of WhatsApp, and another system of the company's, so that tests, demos
//! and people without credentials have somebody to talk to.
//!
//! It is a second opinion of the providers' formats: written from their documents, it shares no code with
//! the connectors, and `tests/tests/tidy.rs` keeps it so.
//!
//! ```text
//!  /          a telephone of each customer, to play them by hand
//!  /graph     Meta's Cloud API            Authorization: Bearer EAAB-simulador
//!  /360       360dialog                   D360-API-KEY: D360-simulador
//!  /gupshup   Gupshup                     apikey: gupshup-simulador
//!  /zenvia    Zenvia                      X-API-TOKEN: zenvia-simulador
//!  /twilio    Twilio                      Basic AC00000000000000000000000000000001:twilio-simulador
//!  /erp       an ERP at the generic channel, which hears at /erp/webhook
//!  /_sim      the simulator's own API: state, clock, faults, customers, webhooks
//! ```
//!
//! [`demo`] has the credentials, the customers and the templates; [`Simulator`] is what a test starts.
//!
//! # Rules
//!
//! - The [`world`] is a machine without sockets and clock; only `server` has them.
//! - Webhooks go again as their provider would send them, by the simulated clock, which can be moved.
//! - The window of 24 hours, the ninth digit, the rates, and what cannot be sent are enforced.
//! - Faults come by switch ([`world::FaultKind`]), and as often as was asked for.

pub mod demo;
pub mod provider;
mod server;
pub mod wire;
pub mod world;

pub use provider::Provider;
pub use server::{Config, Hand, NotConnected, NotStarted, Simulator, TimedOut};

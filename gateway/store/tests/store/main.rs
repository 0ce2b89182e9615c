//! Every function of the store, on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "all of this crate is a test"
)]

mod databases;
mod fixtures;

mod agents;
mod attachments;
mod configuration;
mod contacts;
mod desks;
mod killed;
mod mail;
mod outbound;
mod people;
mod records;
mod reports;
mod rules;
mod search;
mod sip_ladders;
mod webchat;
mod webhooks;
mod written;

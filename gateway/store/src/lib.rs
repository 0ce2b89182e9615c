//! All SQL: a file a noun, a function a statement.
//!
//! ```text
//!   handlers ─▶ Store::begin ─▶ nouns (companies, users, … ) ─▶ SQLite or PostgreSQL
//!   exchange ─▶ Change ─▶ Writer ─▶ changes, a group in one transaction ─▶ the same
//! ```
//!
//! One SQL serves both databases: `$1` parameters (a bare `?` in long statements on SQLite), text
//! ids, integer milliseconds, `RETURNING`, `ON CONFLICT`. No rule of the business is decided here;
//! where two writers may meet, the `WHERE` of the statement decides, and the function's doc says
//! what.
//!
//! Invariants:
//! - Every statement on a company's rows names the company: an id of another company finds
//!   nothing.
//! - What [`Writer::save`] acknowledged is on disk.
//! - `trail`, `audit` and `flow_versions` are only ever appended to; only who asks to be forgotten
//!   ([`anonymise`]) has what a trail says of them emptied.

pub mod agents;
pub mod anonymise;
pub mod api_keys;
pub mod attachments;
pub mod audit;
pub mod calendars;
pub mod changes;
pub mod channel_health;
pub mod channels;
pub mod companies;
pub mod contacts;
pub mod conversations;
mod database;
pub mod deliveries;
pub mod desk_settings;
pub mod desks;
pub mod devices;
pub mod early_events;
mod error;
mod facts;
pub mod flows;
pub mod identities;
pub mod interactions;
pub mod lives;
pub mod mailboxes;
pub mod mails;
pub mod merges;
pub mod message_costs;
pub mod messages;
pub mod notices;
pub mod numbers;
pub mod outbound;
pub mod outbox;
pub mod pauses;
pub mod profiles;
pub mod prompts;
pub mod quick_replies;
pub mod receipts;
pub mod recordings;
pub mod reports;
pub mod requests;
mod row;
pub mod second_factors;
pub mod services;
pub mod sessions;
pub mod settings;
pub mod sip_ladders;
pub mod skills;
pub mod surveys;
pub mod tags;
pub mod templates;
pub mod trail;
pub mod transcripts;
pub mod trunks;
pub mod user_settings;
pub mod users;
pub mod voice_messages;
pub mod webchat;
pub mod webhooks;
pub mod writer;

pub use database::{Kind, Store, Transaction, sqlite_url};
pub use error::Error;
pub use sqlx::AnyExecutor;
pub use writer::Writer;

/// The most rows that one page holds: a page is one answer of the API and lives in memory.
pub const PAGE_MAX: u32 = 500;

/// A part of a list: what comes after a row already seen.
#[derive(Debug, Clone)]
pub struct Page<Id> {
    /// The last id of the page before; `None` begins at the beginning.
    pub after: Option<Id>,
    /// How many rows at most; more than [`PAGE_MAX`] are never given.
    pub limit: u32,
}

impl<Id> Page<Id> {
    /// The first page, as long as a page can be.
    pub fn first() -> Self {
        Self {
            after: None,
            limit: PAGE_MAX,
        }
    }

    fn limit(&self) -> i64 {
        i64::from(self.limit.min(PAGE_MAX))
    }
}

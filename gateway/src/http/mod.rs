//! The HTTP API: a file a noun, a handler an endpoint.
//!
//! ```text
//!  request ─▶ protection (headers, time-out, log) ─▶ who (cookie or key, tenant) ─▶ handler ─▶ store
//!                                                                                     └─▶ changed: telephony
//! ```
//!
//! Invariants:
//! - A handler that reads or writes a company's rows has a tenant (`who.rs`): there is no other way to
//!   a company's id.
//! - Every change is committed together with its line of the audit log, and telephony hears of it
//!   before the answer leaves.
//! - What is refused is answered as a problem (`problem.rs`), in the language of the asker.

mod accounts;
mod agents;
mod api_keys;
mod areas;
mod attempts;
mod attendances;
mod audit;
mod body;
mod bots;
mod calendars;
mod calls;
mod channels;
mod companies;
mod company_webhooks;
mod console;
mod contacts;
mod decisions;
mod deliveries;
mod desk_settings;
mod devices;
mod docs;
mod email;
mod embedded;
mod enclosures;
mod files;
mod findings;
mod flow_calls;
mod flow_trials;
mod flows;
mod handing;
mod health;
mod interactions;
mod live;
mod messages;
mod metrics;
mod notes;
mod numbers;
mod openapi;
mod outbound_routes;
mod outbound_rules;
mod pauses;
mod people_table;
mod problem;
mod profiles;
mod prompts;
mod protection;
mod quick_replies;
mod receive_hook;
mod recordings;
mod reports;
mod requests;
mod second_factor;
mod service_rules;
mod services;
mod session;
mod sip;
mod sip_ladders;
mod skills;
mod softphone;
mod surveys;
mod tags;
mod transcript;
mod trunks;
mod user_settings;
mod users;
mod voice_messages;
mod voices;
mod webchat;
mod webhooks;
mod who;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use desk::id::{AuditId, CompanyId};
use gateway_net::fetch::Fetcher;
use media_engine_net::media::Media;
use media_engine_net::sip::{Door, TransportCounters};
use media_engine_net::{chance, clock};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{Store, Transaction};

use crate::channels::Channels;
use crate::channels::attachments::Attachments;
use crate::channels::email::sending::Post;
use crate::secrets::Secrets;
use crate::setup;
use crate::sound_files::SoundFiles;
use crate::telephony::Telephony;
use crate::voices::Voices;
use attempts::Attempts;
use problem::Problem;
use who::{By, Who};

pub(crate) use live::live_text;
pub use openapi::document;

/// What the API needs from the rest of the program.
pub struct Parts {
    /// The state.
    pub store: Store,
    /// The task that owns the calls.
    pub telephony: Telephony,
    /// The realm of the devices' passwords.
    pub realm: Arc<str>,
    /// What is written.
    pub channels: Channels,
    /// Mailboxes and mails.
    pub mail: Post,
    /// The files of what is written.
    pub attachments: Attachments,
    /// Asks providers.
    pub fetcher: Fetcher,
    /// Encrypts what must be had again.
    pub secrets: Arc<Secrets>,
    /// Who can speak.
    pub voices: Arc<Voices>,
    /// The sound of prompts.
    pub prompts: SoundFiles,
    /// The folder of messages that callers left.
    pub messages: PathBuf,
    /// The folder of recordings of calls.
    pub calls: PathBuf,
    /// The media threads, for their figures.
    pub media: Media,
    /// The SIP sockets' figures.
    pub transports: Arc<TransportCounters>,
    /// Where WebSockets of pages that came from here go.
    pub door: Door,
    /// Where we listen.
    pub http: SocketAddr,
    /// When the program began.
    pub started: Instant,
    /// What ids are made with.
    pub seed: [u8; 32],
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Parts")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// The state of the API; clones share it.
#[derive(Debug, Clone)]
pub struct App {
    parts: Arc<Parts>,
    random: Arc<Mutex<StdRng>>,
    /// One who reloads at a time: so the last change is what telephony hears last.
    reloading: Arc<tokio::sync::Mutex<()>>,
    attempts: Arc<Mutex<Attempts>>,
    /// Who chats.
    rooms: webchat::Rooms,
    /// A log-in takes memory and a core for 20 ms: only so many at once.
    hashing: Arc<tokio::sync::Semaphore>,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl App {
    /// The state of an API over `parts`.
    pub fn new(parts: Parts) -> Self {
        Self {
            random: Arc::new(Mutex::new(StdRng::from_seed(parts.seed))),
            parts: Arc::new(parts),
            reloading: Arc::default(),
            attempts: Arc::default(),
            rooms: webchat::Rooms::default(),
            hashing: Arc::new(tokio::sync::Semaphore::new(HASHES_AT_ONCE)),
        }
    }

    /// Hands telephony everything as the store has it now.
    ///
    /// A change that is committed and cannot be handed over stays committed: the next one brings
    /// it, and so does the next start.
    pub async fn changed(&self) {
        let _turn = self.reloading.lock().await;
        match setup::load(&self.store, &self.secrets, &self.realm).await {
            Ok(loaded) => {
                if let Err(error) = self.telephony.set_up(loaded).await {
                    tracing::error!(%error, "a change did not reach telephony");
                }
            }
            Err(error) => tracing::error!(%error, "a change could not be read back"),
        }
    }

    /// Milliseconds since 1970 (UTC).
    fn now_ms(&self) -> i64 {
        clock::wall().as_millisecond()
    }

    /// Makes an id with `make`, such as `TrunkId::new`.
    fn id<Id>(&self, make: impl FnOnce(i64, &mut StdRng) -> Id) -> Id {
        // The generator is whole whatever happened to who held it.
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        make(self.now_ms(), &mut random)
    }

    /// Commits a change with its line of the audit log, and tells telephony.
    async fn commit(&self, db: Transaction, who: &Who, what: Deed<'_>) -> Result<(), Problem> {
        self.commit_quietly(db, who, what).await?;
        self.changed().await;
        Ok(())
    }

    /// Commits a change that calls do not depend on, with its line of the audit log.
    async fn commit_quietly(
        &self,
        mut db: Transaction,
        who: &Who,
        what: Deed<'_>,
    ) -> Result<(), Problem> {
        let (user, api_key) = match &who.by {
            By::User { user, .. } => (Some(user.id.clone()), None),
            By::Key(key) => (None, Some(key.clone())),
        };
        let line = store::audit::Line {
            id: self.id(AuditId::new),
            company: what.company.cloned(),
            user,
            api_key,
            at_ms: self.now_ms(),
            action: what.action.to_owned(),
            target: what.target.to_owned(),
            detail: what.detail,
            remote: who.remote.clone(),
        };
        store::audit::append(&mut *db, &line).await?;
        db.commit().await?;
        Ok(())
    }
}

/// What an administrator did, for the audit log.
struct Deed<'a> {
    company: Option<&'a CompanyId>,
    action: &'a str,
    target: &'a str,
    detail: serde_json::Value,
}

/// The API and its pages.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(docs::routes())
        .merge(second_factor::routes())
        .merge(session::routes())
        .merge(sip::routes())
        .merge(companies::routes())
        .merge(contacts::routes())
        .merge(tags::routes())
        .merge(user_settings::routes())
        .merge(users::routes())
        .merge(api_keys::routes())
        .merge(services::routes())
        .merge(agents::routes())
        .merge(calls::routes())
        .merge(surveys::routes())
        .merge(work::routes())
        .merge(pauses::routes())
        .merge(quick_replies::routes())
        .merge(skills::routes())
        .merge(desk_settings::routes())
        .merge(calendars::routes())
        .merge(channels::routes())
        .merge(accounts::routes())
        .merge(company_webhooks::routes())
        .merge(receive_hook::routes())
        .merge(attendances::routes())
        .merge(requests::routes())
        .merge(messages::routes())
        .merge(files::routes())
        .merge(webhooks::routes())
        .merge(transcript::routes())
        .merge(email::routes())
        .merge(numbers::routes())
        .merge(trunks::routes())
        .merge(outbound_routes::routes())
        .merge(outbound_rules::routes())
        .merge(devices::routes())
        .merge(softphone::routes())
        .merge(handing::routes())
        .merge(notes::routes())
        .merge(profiles::routes())
        .merge(people_table::routes())
        .merge(prompts::routes())
        .merge(voices::routes())
        .merge(flows::routes())
        .merge(flow_calls::routes())
        .merge(flow_trials::routes())
        .merge(interactions::routes())
        .merge(reports::routes())
        .merge(sip_ladders::routes())
        .merge(live::routes())
        .merge(bots::routes())
        .merge(decisions::routes())
        .merge(recordings::routes())
        .merge(voice_messages::routes())
        .merge(audit::routes())
        .merge(webchat::routes())
        .merge(console::routes())
        .fallback(console::anywhere)
        .method_not_allowed_fallback(async || Problem::method())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(protection::protect))
        .with_state(app)
}

/// A secret nobody can guess, in hexadecimal.
fn secret() -> Result<String, Problem> {
    let bytes = chance::seed().map_err(|error| Problem::unavailable(&error))?;
    Ok(crate::files::hexadecimal(&bytes))
}

/// Chance for one secret, fresh from the system.
fn generator() -> Result<StdRng, Problem> {
    let seed = chance::seed().map_err(|error| Problem::unavailable(&error))?;
    Ok(StdRng::from_seed(seed))
}

/// JSON of the API: the largest flow is a tenth of it.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Password hashes computed at once: one leaves the other core to the calls.
const HASHES_AT_ONCE: usize = 1;

//! What webhooks are told, as it is shown and told again: of a channel's webhook and of a company's alike.

use std::collections::BTreeMap;

use axum::Json;
use channels::send::host;
use desk::id::InteractionId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::deliveries::{self as rows, Filter, Of};

use super::body::{Listed, Paging, moment};
use super::problem::Problem;
use super::who::Tenant;
use super::{App, Deed};

/// A secret that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WebhookSecret {
    /// What the webhook checks signatures with. It is shown this one time.
    pub(super) webhook_secret: String,
    /// Until when the one before signs as well.
    pub(super) previous_until_ms: i64,
}

/// Something that a webhook is or was told.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Delivery {
    /// What the webhook knows it by (`webhook-id`).
    id: String,
    /// `message.created`, `attendance.closed` …
    event: String,
    #[schema(value_type = String)]
    interaction: InteractionId,
    /// Its number within the interaction.
    seq: u32,
    /// `waiting`, `done` or `parked` (not taken for 72 hours).
    state: String,
    /// What is told, from the first attempt on.
    body: Option<String>,
    created_ms: i64,
    /// When it is tried next, while it waits.
    due_ms: i64,
    /// Since it was last asked for.
    attempts: u32,
    tried_ms: Option<i64>,
    /// The status that came back last.
    status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    answer: Option<String>,
    /// All attempts, the first of them first.
    tries: Vec<Try>,
}

/// One attempt to tell it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeliveryTry)]
struct Try {
    at_ms: i64,
    /// The status that came back.
    status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    answer: String,
}

/// Which deliveries: one of these at least; what is not set does not matter.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"state": "failed"}))]
pub(super) struct Which {
    /// In this state: `waiting`, `done`, `parked` (given up), or `failed`, which is all that were tried and
    /// did not arrive.
    state: Option<String>,
    /// Of what happened then or later: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Of what happened before.
    until: Option<String>,
    /// About this interaction.
    #[schema(value_type = Option<String>)]
    interaction: Option<InteractionId>,
    /// With this id.
    id: Option<String>,
}

/// How many are tried again.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Replayed {
    replayed: u64,
}

/// Which deliveries to list; what is not set does not matter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Listing {
    /// In this state: `waiting`, `done`, `parked` (given up), or `failed`, which is all that were tried and
    /// did not arrive.
    state: Option<String>,
    /// Of what happened then or later: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Of what happened before.
    until: Option<String>,
    /// With this id.
    id: Option<String>,
    /// About this interaction.
    #[param(value_type = Option<String>)]
    interaction: Option<InteractionId>,
}

impl Delivery {
    fn with(row: rows::Delivery, tries: Vec<Try>) -> Self {
        Self {
            tries,
            id: row.notice,
            event: row.event,
            interaction: row.interaction,
            seq: row.seq,
            state: row.state,
            body: row.body,
            created_ms: row.created_ms,
            due_ms: row.due_ms,
            attempts: row.attempts,
            tried_ms: row.tried_ms,
            status: row.status,
            answer: row.answer,
        }
    }
}

impl From<Listing> for Which {
    fn from(asked: Listing) -> Self {
        Self {
            state: asked.state,
            from: asked.from,
            until: asked.until,
            interaction: asked.interaction,
            id: asked.id,
        }
    }
}

impl Which {
    fn filter(self) -> Result<Filter, Problem> {
        let time = |text: Option<String>, field: &str| match text {
            Some(text) => Ok(Some(moment(&text, field)?.as_millisecond())),
            None => Ok::<_, Problem>(None),
        };
        let state = self.state.as_deref();
        if state.is_some_and(|state| !STATES.contains(&state)) {
            return Err(Problem::field("state", "invalid"));
        }
        Ok(Filter {
            state: self.state,
            interaction: self.interaction,
            from_ms: time(self.from, "from")?,
            until_ms: time(self.until, "until")?,
            id: self.id,
        })
    }
}

/// The deliveries to a webhook.
pub(super) async fn listed(
    app: &App,
    tenant: &Tenant,
    of: &Of,
    paging: &Paging,
    asked: Listing,
) -> Result<Json<Listed<Delivery>>, Problem> {
    let filter = Which::from(asked).filter()?;
    let whose = (&tenant.company, of);
    let (pool, before) = (app.store.pool(), paging.after());
    let listed = rows::list(pool, whose, &filter, before, paging.limit()).await?;
    let mut tries = BTreeMap::<String, Vec<Try>>::new();
    if let (Some(newest), Some(oldest)) = (listed.first(), listed.last()) {
        let between = (oldest.notice.as_str(), newest.notice.as_str());
        for one in rows::tries(pool, of, between).await? {
            tries.entry(one.notice).or_default().push(Try {
                at_ms: one.at_ms,
                status: one.status,
                answer: one.answer,
            });
        }
    }
    let shown = listed.into_iter().map(|row| {
        let tries = tries.remove(&row.notice).unwrap_or_default();
        Delivery::with(row, tries)
    });
    let place = |one: &Delivery| one.id.clone();
    Ok(Listed::of(shown.collect(), paging.limit(), place))
}

/// Has what was told told again.
pub(super) async fn replayed(
    app: &App,
    tenant: &Tenant,
    of: &Of,
    asked: Which,
) -> Result<Json<Replayed>, Problem> {
    let filter = asked.filter()?;
    if filter == Filter::default() {
        return Err(Problem::field("state", "required"));
    }
    let mut db = app.store.begin().await?;
    let whose = (&tenant.company, of);
    let replayed = rows::replay(&mut *db, whose, &filter, app.now_ms()).await?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: match of {
            Of::Channel(_) => "channel.replay",
            Of::Webhook(_) => "webhook.replay",
        },
        target: of.as_str(),
        detail: json!({ "replayed": replayed }),
    };
    app.commit_quietly(db, tenant, deed).await?;
    app.channels.wake();
    Ok(Json(Replayed { replayed }))
}

/// An address that can be told anything; whether it is one inside is seen whenever it is.
pub(super) fn check_url(url: &str, field: &str) -> Result<(), Problem> {
    match host(url).is_some() && url.len() <= URL_LENGTH_MAX {
        true => Ok(()),
        false => Err(Problem::field(field, "invalid_webhook")),
    }
}

/// In which deliveries may be looked for.
const STATES: [&str; 4] = ["waiting", "done", "parked", "failed"];

/// A link that a person can still copy.
const URL_LENGTH_MAX: usize = 2_000;

/// How long the secret before signs as well: a working day of whoever changes it over.
pub(super) const ROTATION_MS: i64 = 24 * 3_600_000;

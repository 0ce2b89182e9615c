//! SQL of deliveries: a notice to one target, until it took it or is given up.
//!
//! A target is the webhook of a channel, or one of a company. Of an interaction a target is told one
//! thing at a time, in order: what fails holds up what is behind it there, and nothing else.

use desk::id::{ChannelId, CompanyId, InteractionId, WebhookId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::Columns;

/// Whose deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Those to the webhook of a channel.
    Channel(ChannelId),
    /// Those to a webhook of the company.
    Webhook(WebhookId),
}

impl Of {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Channel(id) => id.as_str(),
            Self::Webhook(id) => id.as_str(),
        }
    }
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The id of the channel or of the webhook.
    pub id: String,
    /// Where it is told.
    pub url: String,
    /// What it is signed with, encrypted.
    pub secrets: Vec<u8>,
    /// Whether it is the webhook of a channel.
    pub is_channel: bool,
}

/// Something that a target is or was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who.
    pub target: String,
    /// The id of the notice: what the webhook knows it by.
    pub notice: String,
    /// The interaction that it is about.
    pub interaction: InteractionId,
    /// Its number there, from 1.
    pub seq: u32,
    /// What it is, such as `message.created`.
    pub event: String,
    /// `waiting`, `done` or `parked`.
    pub state: String,
    /// What is told, once it was told to anybody.
    pub body: Option<String>,
    /// When it happened.
    pub created_ms: i64,
    /// Since when it is tried: anew when somebody asks for it again.
    pub since_ms: i64,
    /// When it is tried next.
    pub due_ms: i64,
    /// Until when who is telling it has it.
    pub lease_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last.
    pub tried_ms: Option<i64>,
    /// The status of HTTP that came back last.
    pub status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    pub answer: Option<String>,
}

/// Those to whom something is due.
pub async fn targets_due(db: impl AnyExecutor<'_>, now_ms: i64) -> Result<Vec<Target>, Error> {
    let found = sqlx::query(
        "SELECT t.id, t.url, t.secrets, t.own FROM targets t
          WHERE t.gone_ms IS NULL
            AND EXISTS (SELECT 1 FROM deliveries d
                         WHERE d.target = t.id AND d.state = 'waiting' AND d.due_ms <= $1
                           AND d.lease_ms <= $1)",
    )
    .bind(now_ms)
    .try_map(|row: AnyRow| {
        Ok(Target {
            id: row.text("id")?,
            url: row.text("url")?,
            secrets: row.bytes_maybe("secrets")?.unwrap_or_default(),
            is_channel: row.flag("own")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is due to a target: of each interaction the first that waits.
pub async fn due(
    db: impl AnyExecutor<'_>,
    target: &str,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    let found = sqlx::query(
        "SELECT d.*, n.event, n.body, n.at_ms FROM deliveries d JOIN notices n ON n.id = d.notice
          WHERE d.target = $1 AND d.state = 'waiting' AND d.due_ms <= $2 AND d.lease_ms <= $2
            AND NOT EXISTS (SELECT 1 FROM deliveries e
                             WHERE e.target = d.target AND e.interaction = d.interaction
                               AND e.seq < d.seq AND e.state = 'waiting')
          ORDER BY d.due_ms, d.notice LIMIT $3",
    )
    .bind(target)
    .bind(now_ms)
    .bind(i64::from(limit))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Takes a delivery to try it, unless somebody else did. Until `lease_ms` nobody else may: whoever dies
/// with it in hand lets it be tried again.
pub async fn claim(
    db: impl AnyExecutor<'_>,
    delivery: &Delivery,
    lease_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE deliveries SET lease_ms = $4, attempts = attempts + 1
          WHERE target = $1 AND notice = $2 AND lease_ms = $3 AND due_ms = $5 AND state = 'waiting'",
    )
    .bind(&delivery.target)
    .bind(&delivery.notice)
    .bind(delivery.lease_ms)
    .bind(lease_ms)
    .bind(delivery.due_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// How it stands: `waiting`, `done` or `parked`.
    pub state: &'a str,
    /// When it is tried next, while it waits.
    pub due_ms: i64,
    /// When it was tried.
    pub at_ms: i64,
    /// The status that came back.
    pub status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    pub answer: &'a str,
}

/// One attempt of a delivery, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// The id of the notice that was told.
    pub notice: String,
    /// When.
    pub at_ms: i64,
    /// The status that came back.
    pub status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    pub answer: String,
}

/// Notes what came of an attempt; what is behind it waits with it, and goes on with it.
pub async fn tried(
    db: &mut AnyConnection,
    delivery: &Delivery,
    tried: Tried<'_>,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE deliveries
            SET state = $3, due_ms = $4, lease_ms = 0, tried_ms = $5, status = $6, answer = $7
          WHERE target = $1 AND notice = $2",
    )
    .bind(&delivery.target)
    .bind(&delivery.notice)
    .bind(tried.state)
    .bind(tried.due_ms)
    .bind(tried.at_ms)
    .bind(tried.status.map(i64::from))
    .bind(tried.answer)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "INSERT INTO delivery_tries (target, notice, at_ms, status, answer)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&delivery.target)
    .bind(&delivery.notice)
    .bind(tried.at_ms)
    .bind(tried.status.map(i64::from))
    .bind(tried.answer)
    .execute(&mut *db)
    .await?;
    let behind = match tried.state {
        "waiting" => {
            "UPDATE deliveries SET due_ms = $4
              WHERE target = $1 AND interaction = $2 AND seq > $3 AND state = 'waiting' AND due_ms < $4"
        }
        _ => {
            "UPDATE deliveries SET due_ms = $4
              WHERE target = $1 AND interaction = $2 AND seq > $3 AND state = 'waiting' AND due_ms > $4"
        }
    };
    sqlx::query(behind)
        .bind(&delivery.target)
        .bind(delivery.interaction.as_str())
        .bind(i64::from(delivery.seq))
        .bind(tried.due_ms)
        .execute(&mut *db)
        .await?;
    Ok(())
}

/// A target said that it is no more: nothing is told until somebody sets it again.
pub async fn gone(db: &mut AnyConnection, target: &Target, now_ms: i64) -> Result<(), Error> {
    let statement = match target.is_channel {
        true => "UPDATE channels SET webhook_gone_ms = $2 WHERE id = $1",
        false => "UPDATE webhooks SET gone_ms = $2 WHERE id = $1",
    };
    sqlx::query(statement)
        .bind(&target.id)
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Which deliveries of a target to list or to try again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state, or `failed`: it was tried and is not there, whether it is tried again or not.
    pub state: Option<String>,
    /// About this interaction.
    pub interaction: Option<InteractionId>,
    /// Of what happened at this time or later.
    pub from_ms: Option<i64>,
    /// Of what happened before this time.
    pub until_ms: Option<i64>,
    /// Of this notice.
    pub id: Option<String>,
}

/// Lists the deliveries to a target, the newest interaction first, from behind `before` on.
pub async fn list(
    db: impl AnyExecutor<'_>,
    (company, of): (&CompanyId, &Of),
    filter: &Filter,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    let found = sqlx::query(
        "SELECT d.*, n.event, n.body, n.at_ms FROM deliveries d JOIN notices n ON n.id = d.notice
          WHERE d.target = $1
            AND (EXISTS (SELECT 1 FROM channels WHERE id = $1 AND company = $2)
                 OR EXISTS (SELECT 1 FROM webhooks WHERE id = $1 AND company = $2))
            AND ($3 IS NULL OR d.state = $3
                 OR ($3 = 'failed' AND (d.state = 'parked' OR (d.state = 'waiting' AND d.attempts > 0))))
            AND ($4 IS NULL OR d.interaction = $4)
            AND n.at_ms >= $5 AND n.at_ms < $6 AND ($7 IS NULL OR d.notice = $7)
            AND ($8 IS NULL OR d.notice < $8)
          ORDER BY d.notice DESC LIMIT $9",
    )
    .bind(of.as_str())
    .bind(company.as_str())
    .bind(filter.state.as_deref())
    .bind(filter.interaction.as_ref().map(InteractionId::as_str))
    .bind(filter.from_ms.unwrap_or(i64::MIN))
    .bind(filter.until_ms.unwrap_or(i64::MAX))
    .bind(filter.id.as_deref())
    .bind(before)
    .bind(i64::from(limit.min(crate::PAGE_MAX)))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The attempts to tell a target the notices between these two, these among them; the first comes
/// first.
pub async fn tries(
    db: impl AnyExecutor<'_>,
    of: &Of,
    (first, last): (&str, &str),
) -> Result<Vec<Try>, Error> {
    let found = sqlx::query(
        "SELECT notice, at_ms, status, answer FROM delivery_tries
          WHERE target = $1 AND notice >= $2 AND notice <= $3
          ORDER BY notice, at_ms",
    )
    .bind(of.as_str())
    .bind(first)
    .bind(last)
    .try_map(|row: AnyRow| {
        Ok(Try {
            notice: row.text("notice")?,
            at_ms: row.whole("at_ms")?,
            status: row.count_maybe("status")?,
            answer: row.text("answer")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Has deliveries to a target tried again from now on, those too that were told already. Returns how
/// many.
pub async fn replay(
    db: impl AnyExecutor<'_>,
    (company, of): (&CompanyId, &Of),
    filter: &Filter,
    now_ms: i64,
) -> Result<u64, Error> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'waiting', since_ms = $8, due_ms = $8, attempts = 0
          WHERE target = $1
            AND (EXISTS (SELECT 1 FROM channels WHERE id = $1 AND company = $2)
                 OR EXISTS (SELECT 1 FROM webhooks WHERE id = $1 AND company = $2))
            AND ($3 IS NULL OR state = $3
                 OR ($3 = 'failed' AND (state = 'parked' OR (state = 'waiting' AND attempts > 0))))
            AND ($4 IS NULL OR interaction = $4)
            AND ($7 IS NULL OR notice = $7)
            AND notice IN (SELECT id FROM notices WHERE at_ms >= $5 AND at_ms < $6)",
    )
    .bind(of.as_str())
    .bind(company.as_str())
    .bind(filter.state.as_deref())
    .bind(filter.interaction.as_ref().map(InteractionId::as_str))
    .bind(filter.from_ms.unwrap_or(i64::MIN))
    .bind(filter.until_ms.unwrap_or(i64::MAX))
    .bind(filter.id.as_deref())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

fn read(row: AnyRow) -> sqlx::Result<Delivery> {
    Ok(Delivery {
        target: row.text("target")?,
        notice: row.text("notice")?,
        interaction: row.parsed("interaction")?,
        seq: row.count("seq")?,
        event: row.text("event")?,
        state: row.text("state")?,
        body: row.text_maybe("body")?,
        created_ms: row.whole("at_ms")?,
        since_ms: row.whole("since_ms")?,
        due_ms: row.whole("due_ms")?,
        lease_ms: row.whole("lease_ms")?,
        attempts: row.count("attempts")?,
        tried_ms: row.whole_maybe("tried_ms")?,
        status: row.count_maybe("status")?,
        answer: row.text_maybe("answer")?,
    })
}

//! SQL of notices: what other systems are told, in order within an interaction, and whom.
//!
//! A notice is written with what it tells, in one transaction, so that none is missing and none is there
//! twice. Its number within the interaction makes its id, which is the same for everybody who is told,
//! however often. Where nobody wants to know, nothing is written.

use desk::id::{ChannelId, CompanyId, ContactId, InteractionId, NumberId};
use desk::record::{Direction, Medium};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::{Columns, json};

/// Something that other systems are told of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happened<'a> {
    /// In which interaction.
    pub(crate) interaction: &'a InteractionId,
    /// When.
    pub(crate) at_ms: i64,
    /// What, such as `message.created`.
    pub(crate) event: &'a str,
    /// The particulars, as of the trail.
    pub(crate) detail: &'a Value,
}

/// A notice, and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its id: what everybody knows it by.
    pub id: String,
    /// What it is, such as `message.created`.
    pub event: String,
    /// The interaction that it is about.
    pub interaction: InteractionId,
    /// Its number there, from 1.
    pub seq: u32,
    /// When it happened.
    pub at_ms: i64,
    /// The particulars, as of the trail.
    pub detail: Value,
    /// What is told, once it was told to anybody.
    pub body: Option<String>,
    /// Whose.
    pub company: CompanyId,
    /// By which channel, of what is written.
    pub channel: Option<NoticedChannel>,
    /// How one talks there.
    pub medium: Medium,
    /// Who began.
    pub direction: Direction,
    /// The address of who began, and of who was reached.
    pub addresses: (String, String),
    /// The company's number, of a call.
    pub number: Option<NumberId>,
    /// The customer, where we know them.
    pub contact: Option<ContactId>,
    /// The number that is read to the customer.
    pub protocol: String,
    /// The id and the name of the service.
    pub service: Option<(String, String)>,
    /// How it stood then.
    pub stage: Stage,
    /// Who wrote last of the customer's side, in the gateway's words.
    pub customer: Option<Value>,
}

/// How an interaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A person is waited for, or a flow or a bot talks first.
    Queued,
    /// An agent has it.
    InProgress,
    /// It is over.
    Closed,
}

/// The channel of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticedChannel {
    /// Its id.
    pub id: ChannelId,
    /// What it is.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// What it calls the thread.
    pub thread: String,
}

/// Everybody who wants to know is to be told.
///
/// Must be called once for a thing that happened, in the transaction that writes it.
pub(crate) async fn tell(
    db: &mut AnyConnection,
    happened: Happened<'_>,
    seen: Seen,
) -> Result<(), Error> {
    let targets = targets(db, happened, seen).await?;
    if targets.is_empty() {
        return Ok(());
    }
    let (id, seq) = insert(db, happened).await?;
    for target in targets {
        // What is behind something that is tried later waits with it.
        sqlx::query(
            "INSERT INTO deliveries (target, notice, interaction, seq, state, since_ms, due_ms,
                                     lease_ms, attempts)
             SELECT $1, $2, $3, $4, 'waiting', $5, COALESCE(MAX(due_ms), $5), 0, 0 FROM deliveries
              WHERE target = $1 AND interaction = $3 AND state = 'waiting'",
        )
        .bind(target)
        .bind(&id)
        .bind(happened.interaction.as_str())
        .bind(seq)
        .bind(happened.at_ms)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Whether the other side of a channel can know of something by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It comes from there: the webhook of the channel is not told.
    There,
    /// It is ours.
    Here,
}

/// Whether any webhook of a company is to be told of anything: of calls nobody else is told.
pub(crate) async fn any(db: &mut AnyConnection) -> Result<bool, Error> {
    let found = sqlx::query("SELECT 1 AS one FROM webhooks WHERE disabled = 0 LIMIT 1")
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

async fn targets(
    db: &mut AnyConnection,
    happened: Happened<'_>,
    seen: Seen,
) -> Result<Vec<String>, Error> {
    let (family, _) = happened.event.split_once('.').unwrap_or_default();
    let found = sqlx::query(
        "SELECT t.id FROM interactions i LEFT JOIN conversations v ON v.id = i.conversation
           JOIN targets t ON t.company = i.company
          WHERE i.id = $1 AND (t.channel IS NULL OR t.channel = v.channel)
            AND (t.service IS NULL OR t.service = i.service)
            AND (t.events IS NULL OR t.events LIKE $2 OR t.events LIKE $3) AND t.own <= $4",
    )
    .bind(happened.interaction.as_str())
    .bind(format!("% {} %", happened.event))
    .bind(format!("% {family}.* %"))
    .bind(i64::from(seen == Seen::Here))
    .try_map(|row: AnyRow| row.text("id"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Where somebody else takes the number in the same moment, the next is tried.
async fn insert(db: &mut AnyConnection, happened: Happened<'_>) -> Result<(String, i64), Error> {
    let interaction = happened.interaction;
    for _ in 0..PLACES_TRIED_MAX {
        let seq = sqlx::query(
            "SELECT COALESCE(MAX(seq), 0) + 1 AS seq FROM notices WHERE interaction = $1",
        )
        .bind(interaction.as_str())
        .try_map(|row: AnyRow| row.whole("seq"))
        .fetch_one(&mut *db)
        .await?;
        let id = format!("evt_{interaction}_{seq:06}");
        let done = sqlx::query(
            "INSERT INTO notices (id, interaction, seq, event, at_ms, detail)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(interaction.as_str())
        .bind(seq)
        .bind(happened.event)
        .bind(happened.at_ms)
        .bind(json(happened.detail)?)
        .execute(&mut *db)
        .await?;
        if done.rows_affected() == 1 {
            return Ok((id, seq));
        }
    }
    Err(Error::Taken)
}

/// Finds a notice with what it is about.
pub async fn by_id(db: impl AnyExecutor<'_>, id: &str) -> Result<Option<Notice>, Error> {
    let found = sqlx::query(
        "SELECT n.*, i.company, i.medium, i.direction, i.from_address, i.to_address, i.number,
                i.contact, i.protocol, i.service, s.name AS service_name, v.thread,
                (SELECT t.kind FROM trail t
                  WHERE t.interaction = n.interaction AND t.at_ms <= n.at_ms
                    AND t.kind IN ('queued', 'reopened', 'agent_answered', 'ended')
                  ORDER BY t.seq DESC LIMIT 1) AS stage,
                c.id AS channel, c.name AS channel_name, c.kind AS channel_kind,
                (SELECT m.author FROM messages m
                  WHERE m.conversation = v.id AND m.direction = 'inbound'
                  ORDER BY m.seq DESC LIMIT 1) AS customer
           FROM notices n JOIN interactions i ON i.id = n.interaction
           LEFT JOIN conversations v ON v.id = i.conversation
           LEFT JOIN channels c ON c.id = v.channel
           LEFT JOIN services s ON s.id = i.service
          WHERE n.id = $1",
    )
    .bind(id)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Keeps what is told, for everybody who is told later and however often: the first stays.
pub async fn word(db: impl AnyExecutor<'_>, id: &str, body: &str) -> Result<String, Error> {
    let kept =
        sqlx::query("UPDATE notices SET body = COALESCE(body, $2) WHERE id = $1 RETURNING body")
            .bind(id)
            .bind(body)
            .try_map(|row: AnyRow| row.text("body"))
            .fetch_optional(db)
            .await?;
    Ok(kept.unwrap_or_else(|| body.to_owned()))
}

/// Takes out of what was told of an interaction who the customer was.
pub(crate) async fn empty(
    db: &mut AnyConnection,
    interaction: &InteractionId,
) -> Result<(), Error> {
    sqlx::query("UPDATE notices SET body = NULL, detail = '{}' WHERE interaction = $1")
        .bind(interaction.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Deletes what happened before a time, and who was told of it; returns how much there was.
pub async fn forget(db: impl AnyExecutor<'_>, before_ms: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM notices WHERE at_ms < $1")
        .bind(before_ms)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: AnyRow) -> sqlx::Result<Notice> {
    let channel = match row.parsed_maybe("channel")? {
        Some(id) => Some(NoticedChannel {
            id,
            kind: row.text("channel_kind")?,
            name: row.text("channel_name")?,
            thread: row.text("thread")?,
        }),
        None => None,
    };
    let service = row.text_maybe("service")?;
    Ok(Notice {
        id: row.text("id")?,
        event: row.text("event")?,
        interaction: row.parsed("interaction")?,
        seq: row.count("seq")?,
        at_ms: row.whole("at_ms")?,
        detail: row.json("detail")?,
        body: row.text_maybe("body")?,
        company: row.parsed("company")?,
        channel,
        medium: row.parsed("medium")?,
        direction: row.parsed("direction")?,
        addresses: (row.text("from_address")?, row.text("to_address")?),
        number: row.parsed_maybe("number")?,
        contact: row.parsed_maybe("contact")?,
        protocol: row.text("protocol")?,
        service: service.zip(row.text_maybe("service_name")?),
        stage: match row.text_maybe("stage")?.as_deref() {
            Some("agent_answered") => Stage::InProgress,
            Some("ended") => Stage::Closed,
            Some(_) | None => Stage::Queued,
        },
        customer: row.json_maybe("customer")?,
    })
}

/// Each try that fails is a notice that somebody else wrote in the same moment: more than so many at
/// once is a mistake of ours.
const PLACES_TRIED_MAX: usize = 64;

//! SQL of deliveries: what the webhooks of channels are told, in order within an interaction.
//!
//! A delivery is a line of a trail that is told outside as well; it is written with the line, so that
//! none is missing and none is there twice. Its number within the interaction makes its id, under which
//! it is told however often.

use desk::id::{ChannelId, CompanyId, InteractionId};
use desk::kept::LateLine;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::Columns;

/// Something that a webhook is or was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id: what the webhook knows it by.
    pub id: String,
    /// The channel whose webhook it is for.
    pub channel: ChannelId,
    /// The interaction that it is about.
    pub interaction: InteractionId,
    /// Its number there, from 1.
    pub seq: u32,
    /// The line of the trail that it tells.
    pub line: u32,
    /// What it is, such as `message.created`.
    pub event: String,
    /// `waiting`, `done` or `parked`.
    pub state: String,
    /// What is told, from the first attempt on.
    pub body: Option<String>,
    /// When it happened.
    pub created_ms: i64,
    /// Since when it is tried: anew when somebody asks for it again.
    pub since_ms: i64,
    /// When it is tried next.
    pub due_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last.
    pub tried_ms: Option<i64>,
    /// The status of HTTP that came back last.
    pub status: Option<u16>,
    /// The beginning of what came back, or why nothing did.
    pub answer: Option<String>,
}

/// The webhook of the channel, if there is one, is to be told of this line of a trail.
pub(crate) async fn tell(db: &mut AnyConnection, line: &LateLine, seq: i64) -> Result<(), Error> {
    let Some(event) = line.event() else {
        return Ok(());
    };
    // Who has the place of the line in the trail has the next number of what is told of it, but for
    // somebody who has the place behind it.
    for _ in 0..PLACES_TRIED_MAX {
        let next = sqlx::query(
            "SELECT c.id AS channel,
                    COALESCE((SELECT MAX(d.seq) FROM deliveries d WHERE d.interaction = $1), 0) + 1
                        AS next
               FROM interactions i JOIN conversations v ON v.id = i.conversation
               JOIN channels c ON c.id = v.channel
              WHERE i.id = $1 AND c.webhook IS NOT NULL",
        )
        .bind(line.interaction.as_str())
        .try_map(|row: AnyRow| Ok((row.text("channel")?, row.whole("next")?)))
        .fetch_optional(&mut *db)
        .await?;
        let Some((channel, next)) = next else {
            return Ok(()); // A call, or nobody wants to know.
        };
        let done = sqlx::query(
            "INSERT INTO deliveries (id, channel, interaction, seq, line, event, state, created_ms,
                                     since_ms, due_ms, attempts)
             VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $7, $7, 0)
                 ON CONFLICT (interaction, seq) DO NOTHING",
        )
        .bind(format!("evt_{}_{next:06}", line.interaction))
        .bind(channel)
        .bind(line.interaction.as_str())
        .bind(next)
        .bind(seq)
        .bind(event)
        .bind(line.at_ms)
        .execute(&mut *db)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
    }
    Err(Error::Taken)
}

/// The channels for whose webhooks something is due.
pub async fn channels_due(db: impl AnyExecutor<'_>, now_ms: i64) -> Result<Vec<ChannelId>, Error> {
    let found = sqlx::query(
        "SELECT DISTINCT d.channel FROM deliveries d JOIN channels c ON c.id = d.channel
          WHERE d.state = 'waiting' AND d.due_ms <= $1
            AND c.webhook IS NOT NULL AND c.webhook_gone_ms IS NULL AND c.disabled = 0",
    )
    .bind(now_ms)
    .try_map(|row: AnyRow| row.parsed("channel"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is due for the webhook of a channel: of each interaction the first that waits.
pub async fn due(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    let found = sqlx::query(
        "SELECT * FROM deliveries d
          WHERE d.channel = $1 AND d.state = 'waiting' AND d.due_ms <= $2
            AND NOT EXISTS (SELECT 1 FROM deliveries e
                             WHERE e.interaction = d.interaction AND e.seq < d.seq
                               AND e.state = 'waiting')
          ORDER BY d.due_ms, d.id LIMIT $3",
    )
    .bind(channel.as_str())
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
        "UPDATE deliveries SET due_ms = $3, attempts = attempts + 1, body = $4
          WHERE id = $1 AND due_ms = $2 AND state = 'waiting'",
    )
    .bind(&delivery.id)
    .bind(delivery.due_ms)
    .bind(lease_ms)
    .bind(delivery.body.as_deref())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What came of an attempt: its state, when it is tried next, and the answer.
pub async fn tried(
    db: impl AnyExecutor<'_>,
    id: &str,
    (state, due_ms): (&str, i64),
    now_ms: i64,
    (status, answer): (Option<u16>, &str),
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE deliveries
            SET state = $2, due_ms = $3, tried_ms = $4, status = $5, answer = $6 WHERE id = $1",
    )
    .bind(id)
    .bind(state)
    .bind(due_ms)
    .bind(now_ms)
    .bind(status.map(i64::from))
    .bind(answer)
    .execute(db)
    .await?;
    Ok(())
}

/// Which deliveries of a channel to list or to try again.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<String>,
    /// About this interaction.
    pub interaction: Option<InteractionId>,
    /// Of what happened at this time or later.
    pub from_ms: Option<i64>,
    /// Of what happened before this time.
    pub until_ms: Option<i64>,
    /// With this id.
    pub id: Option<String>,
}

/// Lists the deliveries of a channel, the newest interaction first, from behind `before` on.
pub async fn list(
    db: impl AnyExecutor<'_>,
    (company, channel): (&CompanyId, &ChannelId),
    filter: &Filter,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    let found = sqlx::query(
        "SELECT * FROM deliveries
          WHERE channel = (SELECT id FROM channels WHERE id = $1 AND company = $2)
            AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR interaction = $4)
            AND created_ms >= $5 AND created_ms < $6 AND ($7 IS NULL OR id = $7)
            AND ($8 IS NULL OR id < $8)
          ORDER BY id DESC LIMIT $9",
    )
    .bind(channel.as_str())
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

/// Has deliveries of a channel tried again from now on, those too that were told already. Returns how
/// many.
pub async fn replay(
    db: impl AnyExecutor<'_>,
    (company, channel): (&CompanyId, &ChannelId),
    filter: &Filter,
    now_ms: i64,
) -> Result<u64, Error> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'waiting', since_ms = $7, due_ms = $7, attempts = 0
          WHERE channel = (SELECT id FROM channels WHERE id = $1 AND company = $2)
            AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR id = $4)
            AND created_ms >= $5 AND created_ms < $6",
    )
    .bind(channel.as_str())
    .bind(company.as_str())
    .bind(filter.state.as_deref())
    .bind(filter.id.as_deref())
    .bind(filter.from_ms.unwrap_or(i64::MIN))
    .bind(filter.until_ms.unwrap_or(i64::MAX))
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// What a delivery is about, as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Whose.
    pub company: CompanyId,
    /// What the channel is called.
    pub channel_name: String,
    /// What the channel is.
    pub channel_kind: String,
    /// What the channel calls the thread.
    pub thread: String,
    /// The number that is read to the customer.
    pub protocol: String,
    /// The id and the name of the service.
    pub service: Option<(String, String)>,
    /// Who wrote last of the customer's side, in the gateway's words.
    pub customer: Option<Value>,
    /// When it happened.
    pub at_ms: i64,
    /// The particulars, as of the trail.
    pub detail: Value,
}

/// Finds what a delivery is about.
pub async fn about(db: impl AnyExecutor<'_>, delivery: &Delivery) -> Result<Option<About>, Error> {
    let found = sqlx::query(
        "SELECT i.company, c.name AS channel_name, c.kind AS channel_kind, v.thread, i.protocol,
                i.service, s.name AS service_name, t.at_ms, t.detail,
                (SELECT m.author FROM messages m
                  WHERE m.conversation = v.id AND m.direction = 'inbound'
                  ORDER BY m.seq DESC LIMIT 1) AS customer
           FROM interactions i JOIN conversations v ON v.id = i.conversation
           JOIN channels c ON c.id = v.channel
           JOIN trail t ON t.interaction = i.id AND t.seq = $2
           LEFT JOIN services s ON s.id = i.service
          WHERE i.id = $1",
    )
    .bind(delivery.interaction.as_str())
    .bind(i64::from(delivery.line))
    .try_map(|row: AnyRow| {
        let service = row.text_maybe("service")?;
        Ok(About {
            company: row.parsed("company")?,
            channel_name: row.text("channel_name")?,
            channel_kind: row.text("channel_kind")?,
            thread: row.text("thread")?,
            protocol: row.text("protocol")?,
            service: service.zip(row.text_maybe("service_name")?),
            customer: row.json_maybe("customer")?,
            at_ms: row.whole("at_ms")?,
            detail: row.json("detail")?,
        })
    })
    .fetch_optional(db)
    .await?;
    Ok(found)
}

fn read(row: AnyRow) -> sqlx::Result<Delivery> {
    Ok(Delivery {
        id: row.text("id")?,
        channel: row.parsed("channel")?,
        interaction: row.parsed("interaction")?,
        seq: row.count("seq")?,
        line: row.count("line")?,
        event: row.text("event")?,
        state: row.text("state")?,
        body: row.text_maybe("body")?,
        created_ms: row.whole("created_ms")?,
        since_ms: row.whole("since_ms")?,
        due_ms: row.whole("due_ms")?,
        attempts: row.count("attempts")?,
        tried_ms: row.whole_maybe("tried_ms")?,
        status: row.count_maybe("status")?,
        answer: row.text_maybe("answer")?,
    })
}

/// As for the line itself.
const PLACES_TRIED_MAX: usize = 64;

//! SQL of interactions: the records of calls. They are written by [`crate::changes`].

use desk::id::{
    ChannelId, CompanyId, ContactId, ConversationId, DeviceId, FlowId, InteractionId, NumberId,
    ServiceId, TrunkId, UserId,
};
use desk::record::{Direction, EndedBy, InteractionState, Medium, Quality};
use serde::Serialize;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, PAGE_MAX};

/// One matter that was or is handled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// Whose it is.
    pub company: CompanyId,
    /// The number that is read to the customer, unique in the company.
    pub protocol: String,
    /// How the two sides talk.
    pub medium: Medium,
    /// Who began it.
    pub direction: Direction,
    /// What it is doing.
    pub state: InteractionState,
    /// The customer's or caller's address; empty when withheld.
    pub from: String,
    /// The name that came with it, or empty.
    pub from_name: String,
    /// What was dialled.
    pub to: String,
    /// The number it came in on or went out by.
    pub number: Option<NumberId>,
    /// The carrier.
    pub trunk: Option<TrunkId>,
    /// The device that dialled.
    pub device: Option<DeviceId>,
    /// The peer's Call-ID header.
    pub sip_call_id: String,
    /// The flow that served it.
    pub flow: Option<FlowId>,
    /// The published version of that flow.
    pub flow_version: Option<u32>,
    /// What the customer chose.
    pub service: Option<ServiceId>,
    /// Who the customer is, where that is known.
    pub contact: Option<ContactId>,
    /// The agent who had it last.
    pub agent: Option<UserId>,
    /// The thread that it is written in.
    pub conversation: Option<ConversationId>,
    /// The codec, as in SDP.
    pub codec: Option<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it was answered.
    pub answered_ms: Option<i64>,
    /// When it began to wait for a person.
    pub queued_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Who ended it.
    pub ended_by: Option<EndedBy>,
    /// Why, in one word.
    pub cause: Option<String>,
    /// The SIP status that went with the end.
    pub sip_status: Option<u16>,
    /// How it sounded.
    pub quality: Option<Quality>,
}

/// Which interactions to list; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Begun at this time or later.
    pub from_ms: Option<i64>,
    /// Begun before this time.
    pub until_ms: Option<i64>,
    /// Came in on or went out by this number.
    pub number: Option<NumberId>,
    /// For this service.
    pub service: Option<ServiceId>,
    /// In this state.
    pub state: Option<InteractionState>,
    /// Whose protocol number begins so.
    pub protocol: Option<String>,
    /// With this text in an address or name, in any case.
    pub text: Option<String>,
    /// Older than this one, the last of the page before.
    pub before: Option<Position>,
}

/// A place in the list of interactions: they are sorted by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// [`Interaction::started_ms`] of the row.
    pub started_ms: i64,
    /// [`Interaction::id`] of the row.
    pub id: InteractionId,
}

/// Lists interactions of a company, the newest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Interaction>, Error> {
    let found = sqlx::query(
        "SELECT * FROM interactions
          WHERE company = $1
            AND started_ms >= $2 AND started_ms < $3
            AND (started_ms, id) < ($4, $5)
            AND ($6 IS NULL OR number = $6)
            AND ($7 IS NULL OR service = $7)
            AND ($8 IS NULL OR state = $8)
            AND ($9 IS NULL OR protocol LIKE $9 ESCAPE '!')
            AND ($10 IS NULL OR lower(from_address) LIKE $10 ESCAPE '!'
                 OR lower(to_address) LIKE $10 ESCAPE '!' OR lower(from_name) LIKE $10 ESCAPE '!')
          ORDER BY started_ms DESC, id DESC LIMIT $11",
    )
    .bind(company.as_str())
    .bind(filter.from_ms.unwrap_or(i64::MIN))
    .bind(filter.until_ms.unwrap_or(i64::MAX))
    .bind(
        filter
            .before
            .as_ref()
            .map_or(i64::MAX, |position| position.started_ms),
    )
    .bind(
        filter
            .before
            .as_ref()
            .map_or("", |position| position.id.as_str()),
    )
    .bind(filter.number.as_ref().map(NumberId::as_str))
    .bind(filter.service.as_ref().map(ServiceId::as_str))
    .bind(filter.state.map(InteractionState::as_str))
    .bind(
        filter
            .protocol
            .as_ref()
            .map(|text| format!("{}%", literal(text))),
    )
    .bind(
        filter
            .text
            .as_ref()
            .map(|text| format!("%{}%", literal(&text.to_lowercase()))),
    )
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Lists the interactions of a customer, the newest first.
pub async fn of_contact(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
    before: Option<&Position>,
    limit: u32,
) -> Result<Vec<Interaction>, Error> {
    let found = sqlx::query(
        "SELECT * FROM interactions
          WHERE contact = $1 AND company = $2 AND (started_ms, id) < ($3, $4)
          ORDER BY started_ms DESC, id DESC LIMIT $5",
    )
    .bind(contact.as_str())
    .bind(company.as_str())
    .bind(before.map_or(i64::MAX, |position| position.started_ms))
    .bind(before.map_or("", |position| position.id.as_str()))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The agent who had the customer's last interaction that anybody had, begun at `since_ms` or later.
pub async fn last_agent(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
    since_ms: i64,
) -> Result<Option<UserId>, Error> {
    let found = sqlx::query(
        "SELECT agent FROM interactions
          WHERE contact = $1 AND company = $2 AND started_ms >= $3 AND agent IS NOT NULL
          ORDER BY started_ms DESC, id DESC LIMIT 1",
    )
    .bind(contact.as_str())
    .bind(company.as_str())
    .bind(since_ms)
    .try_map(|row: AnyRow| row.parsed("agent"))
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The interaction that is open in a thread of a channel.
pub async fn open_in(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    thread: &str,
) -> Result<Option<InteractionId>, Error> {
    let found = sqlx::query(
        "SELECT i.id FROM conversations v JOIN interactions i ON i.id = v.interaction
          WHERE v.channel = $1 AND v.thread = $2 AND i.ended_ms IS NULL",
    )
    .bind(channel.as_str())
    .bind(thread)
    .try_map(|row: AnyRow| row.parsed("id"))
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Finds an interaction of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &InteractionId,
) -> Result<Option<Interaction>, Error> {
    let found = sqlx::query("SELECT * FROM interactions WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Finds an interaction by the number that was read to the customer.
pub async fn by_protocol(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    protocol: &str,
) -> Result<Option<Interaction>, Error> {
    let found = sqlx::query("SELECT * FROM interactions WHERE company = $1 AND protocol = $2")
        .bind(company.as_str())
        .bind(protocol)
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Text that LIKE takes as it is, with `!` as its escape.
fn literal(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

fn read(row: AnyRow) -> sqlx::Result<Interaction> {
    Ok(Interaction {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        protocol: row.text("protocol")?,
        medium: row.parsed("medium")?,
        direction: row.parsed("direction")?,
        state: row.parsed("state")?,
        from: row.text("from_address")?,
        from_name: row.text("from_name")?,
        to: row.text("to_address")?,
        number: row.parsed_maybe("number")?,
        trunk: row.parsed_maybe("trunk")?,
        device: row.parsed_maybe("device")?,
        sip_call_id: row.text("sip_call_id")?,
        flow: row.parsed_maybe("flow")?,
        flow_version: row.count_maybe("flow_version")?,
        service: row.parsed_maybe("service")?,
        contact: row.parsed_maybe("contact")?,
        agent: row.parsed_maybe("agent")?,
        conversation: row.parsed_maybe("conversation")?,
        codec: row.text_maybe("codec")?,
        started_ms: row.whole("started_ms")?,
        answered_ms: row.whole_maybe("answered_ms")?,
        queued_ms: row.whole_maybe("queued_ms")?,
        ended_ms: row.whole_maybe("ended_ms")?,
        ended_by: row.parsed_maybe("ended_by")?,
        cause: row.text_maybe("cause")?,
        sip_status: row.count_maybe("sip_status")?,
        quality: row.json_maybe("quality")?,
    })
}

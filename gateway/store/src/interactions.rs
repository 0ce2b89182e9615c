//! SQL of interactions: the records of calls. They are written by [`crate::changes`].

use desk::fact::WaitResult;
use desk::id::{
    ChannelId, CompanyId, ContactId, ConversationId, DeviceId, FlowId, InteractionId, NumberId,
    ServiceId, TrunkId, UserId,
};
use desk::record::{Direction, EndedBy, InteractionState, Medium, Quality};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyExecutor, AssertSqlSafe};

use crate::reports::Stretch;
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
    /// By which people find it again, by their letters.
    pub tags: Vec<String>,
}

impl Interaction {
    /// Without what is only read of one alone: how it sounded from moment to moment.
    #[must_use]
    pub fn in_short(mut self) -> Self {
        if let Some(quality) = &mut self.quality {
            quality.course = vec![];
        }
        self
    }
}

/// Which interactions; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Begun at this time or later.
    pub from_ms: Option<i64>,
    /// Begun before this time.
    pub until_ms: Option<i64>,
    /// Begun at these hours of the day.
    pub hours: Option<Hours>,
    /// By this medium.
    pub medium: Option<Medium>,
    /// Came in on or went out by this number.
    pub number: Option<NumberId>,
    /// Written in this channel.
    pub channel: Option<ChannelId>,
    /// For this service.
    pub service: Option<ServiceId>,
    /// In the hands of this agent, at the end or before.
    pub agent: Option<UserId>,
    /// In this state.
    pub state: Option<InteractionState>,
    /// Some wait of whose customer ended so.
    pub outcome: Option<WaitResult>,
    /// Some agent of which closed it by this code.
    pub disposition: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Whose protocol number begins so.
    pub protocol: Option<String>,
    /// With this text in an address or name, in any case.
    pub text: Option<String>,
    /// Only those that somebody may see who sees no others: of the services whose work they take, and what they
    /// had in hand last.
    pub seen_by: Option<UserId>,
    /// Older than this one, the last of the page before.
    pub before: Option<Position>,
}

/// Hours of the day by a clock on the wall: from `from` on and before `until`, past midnight where that is not
/// later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// 0 to 23.
    pub from: u8,
    /// 1 to 24.
    pub until: u8,
    /// How far that clock is ahead of UTC, in stretches that follow each other; the first and the last go on for
    /// ever.
    pub clock: Vec<Stretch>,
}

impl Hours {
    /// Whether an interaction began then, in SQL. Nothing in it but numbers of ours.
    fn sql(&self) -> String {
        let offset = match self.clock.as_slice() {
            [] => "0".to_owned(),
            [only] => only.offset_ms.to_string(),
            [earlier @ .., last] => {
                let whens = earlier.iter().map(|stretch| {
                    format!(
                        "WHEN started_ms < {} THEN {} ",
                        stretch.until_ms, stretch.offset_ms
                    )
                });
                format!(
                    "CASE {}ELSE {} END",
                    whens.collect::<String>(),
                    last.offset_ms
                )
            }
        };
        let hour = format!("((started_ms + {offset}) / {HOUR_MS}) % 24");
        let Self { from, until, .. } = self;
        let both = if from < until { "AND" } else { "OR" };
        format!("({hour} >= {from} {both} {hour} < {until})")
    }
}

/// A place in the list of interactions: they are sorted by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// [`Interaction::started_ms`] of the row.
    pub started_ms: i64,
    /// [`Interaction::id`] of the row.
    pub id: InteractionId,
}

/// Interactions with what stands on them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT interactions.*, (SELECT string_agg(t.tag, ',') FROM tags t
              WHERE t.interaction = interactions.id) AS tags
               FROM interactions ",
            $which
        )
    };
}

/// Lists interactions of a company, the newest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Interaction>, Error> {
    let sql = format!(
        select!("WHERE {} ORDER BY started_ms DESC, id DESC LIMIT $18"),
        filter.sql()
    );
    let found = filter
        .bound(sqlx::query(AssertSqlSafe(sql)), company)
        .bind(i64::from(limit.min(PAGE_MAX)))
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Counts interactions of a company, up to `max`.
pub async fn count(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    filter: &Filter,
    max: u32,
) -> Result<i64, Error> {
    let sql = format!(
        "SELECT COUNT(*) AS found FROM (SELECT 1 AS one FROM interactions WHERE {} LIMIT $18) AS part",
        filter.sql()
    );
    let found = filter
        .bound(sqlx::query(AssertSqlSafe(sql)), company)
        .bind(i64::from(max))
        .try_map(|row: AnyRow| row.whole("found"))
        .fetch_one(db)
        .await?;
    Ok(found)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

impl Filter {
    /// What must be so, of `$1` to `$17`.
    fn sql(&self) -> String {
        let hours = self.hours.as_ref().map(Hours::sql);
        let hours = hours.map(|sql| format!(" AND {sql}")).unwrap_or_default();
        format!(
            "company = $1 AND started_ms >= $2 AND started_ms < $3
            AND (started_ms, id) < ($4, $5)
            AND ($6 IS NULL OR number = $6)
            AND ($7 IS NULL OR service = $7)
            AND ($8 IS NULL OR state = $8)
            AND ($9 IS NULL OR protocol LIKE $9 ESCAPE '!')
            AND ($10 IS NULL OR lower(from_address) LIKE $10 ESCAPE '!'
                 OR lower(to_address) LIKE $10 ESCAPE '!' OR lower(from_name) LIKE $10 ESCAPE '!')
            AND ($11 IS NULL OR medium = $11)
            AND ($12 IS NULL OR EXISTS (SELECT 1 FROM conversations v
                 WHERE v.id = interactions.conversation AND v.channel = $12))
            AND ($13 IS NULL OR agent = $13 OR EXISTS (SELECT 1 FROM handlings h
                 WHERE h.interaction = interactions.id AND h.agent = $13))
            AND ($14 IS NULL OR EXISTS (SELECT 1 FROM waits w
                 WHERE w.interaction = interactions.id AND w.result = $14))
            AND ($15 IS NULL OR EXISTS (SELECT 1 FROM handlings h
                 WHERE h.interaction = interactions.id AND h.disposition = $15))
            AND ($16 IS NULL OR EXISTS (SELECT 1 FROM tags t
                 WHERE t.interaction = interactions.id AND t.tag = $16))
            AND ($17 IS NULL OR agent = $17
                 OR service IN (SELECT a.service FROM service_agents a WHERE a.user_id = $17)){hours}"
        )
    }

    fn bound<'q>(&'q self, query: Query<'q>, company: &'q CompanyId) -> Query<'q> {
        let before = self.before.as_ref();
        let begins = |text: &String| format!("{}%", literal(text));
        let has = |text: &String| format!("%{}%", literal(&text.to_lowercase()));
        query
            .bind(company.as_str())
            .bind(self.from_ms.unwrap_or(i64::MIN))
            .bind(self.until_ms.unwrap_or(i64::MAX))
            .bind(before.map_or(i64::MAX, |position| position.started_ms))
            .bind(before.map_or("", |position| position.id.as_str()))
            .bind(self.number.as_ref().map(NumberId::as_str))
            .bind(self.service.as_ref().map(ServiceId::as_str))
            .bind(self.state.map(InteractionState::as_str))
            .bind(self.protocol.as_ref().map(begins))
            .bind(self.text.as_ref().map(has))
            .bind(self.medium.map(Medium::as_str))
            .bind(self.channel.as_ref().map(ChannelId::as_str))
            .bind(self.agent.as_ref().map(UserId::as_str))
            .bind(self.outcome.map(WaitResult::as_str))
            .bind(self.disposition.as_deref())
            .bind(self.tag.as_deref())
            .bind(self.seen_by.as_ref().map(UserId::as_str))
    }
}

/// Lists the interactions of a customer, the newest first.
pub async fn of_contact(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
    before: Option<&Position>,
    limit: u32,
) -> Result<Vec<Interaction>, Error> {
    let found = sqlx::query(select!(
        "WHERE contact = $1 AND company = $2 AND (started_ms, id) < ($3, $4)
          ORDER BY started_ms DESC, id DESC LIMIT $5"
    ))
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
    let found = sqlx::query(select!("WHERE id = $1 AND company = $2"))
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
    let found = sqlx::query(select!("WHERE company = $1 AND protocol = $2"))
        .bind(company.as_str())
        .bind(protocol)
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

const HOUR_MS: i64 = 3_600_000;

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
        tags: {
            let tags = row.text_maybe("tags")?.unwrap_or_default();
            let tags = tags.split(',').filter(|tag| !tag.is_empty());
            let mut tags: Vec<String> = tags.map(str::to_owned).collect();
            tags.sort();
            tags
        },
    })
}

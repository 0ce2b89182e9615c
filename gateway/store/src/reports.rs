//! SQL of reports: facts, counted. One count serves the screen and the table.
//!
//! Hours and days are those of the company: a stretch of time in which its clock was not set goes with
//! its offset, and what falls into two stretches is added up here.

use std::collections::BTreeMap;

use desk::fact::{Attendance, HandledResult, WaitResult};
use desk::id::{CompanyId, ServiceId, UserId};
use desk::record::Medium;
use sqlx::any::AnyRow;
use sqlx::{AnyExecutor, AssertSqlSafe};

use crate::Error;
use crate::row::Columns;

/// By what facts are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The service: its id.
    Service,
    /// The agent: their id.
    Agent,
    /// Medium and channel or number: `chat:ID`; `phone:` where none is known.
    Channel,
    /// The hour of the day: `0` to `23`.
    Hour,
    /// The day: how many since 1970 began, by the company's clock.
    Day,
    /// The quarter of an hour: how many since 1970 began, by the company's clock.
    Quarter,
}

/// A stretch of time in which a clock on the wall was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From this moment on, milliseconds since 1970 (UTC).
    pub from_ms: i64,
    /// Before this moment.
    pub until_ms: i64,
    /// How much the clock is ahead of UTC, in milliseconds.
    pub offset_ms: i64,
}

/// Which facts; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Of this agent.
    pub agent: Option<UserId>,
    /// On this medium.
    pub medium: Option<Medium>,
    /// On this channel or number, by its id.
    pub channel: Option<String>,
    /// Only of the services whose work somebody takes who may see no others.
    pub seen_by: Option<UserId>,
}

/// What is counted. Times are milliseconds, summed up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Customers who began to wait.
    pub offered: i64,
    /// Of these, an agent took.
    pub answered: i64,
    /// Gave up.
    pub abandoned: i64,
    /// Left so soon that it does not count.
    pub left_soon: i64,
    /// Were told that nobody can.
    pub closed: i64,
    /// Wait for another service.
    pub moved: i64,
    /// Were answered or gave up where there was a target.
    pub targeted: i64,
    /// Of these, were answered within it.
    pub in_target: i64,
    /// How long those waited who were answered.
    pub waited_ms: i64,
    /// How long the one waited who was answered last of all.
    pub waited_max_ms: i64,
    /// How long those waited who gave up.
    pub abandoned_ms: i64,
    /// Works that agents had in hand.
    pub handled: i64,
    /// Of these, were handed on.
    pub transferred: i64,
    /// How long was talked, hold included.
    pub talked_ms: i64,
    /// How long customers were on hold.
    pub held_ms: i64,
    /// How long was wrapped up.
    pub wrapped_ms: i64,
}

impl Figures {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, more: &Self) {
        self.offered += more.offered;
        self.answered += more.answered;
        self.abandoned += more.abandoned;
        self.left_soon += more.left_soon;
        self.closed += more.closed;
        self.moved += more.moved;
        self.targeted += more.targeted;
        self.in_target += more.in_target;
        self.waited_ms += more.waited_ms;
        self.waited_max_ms = self.waited_max_ms.max(more.waited_max_ms);
        self.abandoned_ms += more.abandoned_ms;
        self.handled += more.handled;
        self.transferred += more.transferred;
        self.talked_ms += more.talked_ms;
        self.held_ms += more.held_ms;
        self.wrapped_ms += more.wrapped_ms;
    }
}

impl By {
    /// The key of a fact that began at `began`, `$8` being the offset of the clock.
    fn key(self, began: &str) -> String {
        match self {
            Self::Service => "service".to_owned(),
            Self::Agent => "COALESCE(agent, '')".to_owned(),
            Self::Channel => "medium || ':' || COALESCE(channel, '')".to_owned(),
            Self::Hour => format!("CAST((({began} + $8) / {HOUR_MS}) % 24 AS TEXT)"),
            Self::Day => format!("CAST(({began} + $8) / {DAY_MS} AS TEXT)"),
            Self::Quarter => format!("CAST(({began} + $8) / {QUARTER_MS} AS TEXT)"),
        }
    }

    /// Whether the key depends on the clock of the company.
    fn is_of_clock(self) -> bool {
        match self {
            Self::Service | Self::Agent | Self::Channel => false,
            Self::Hour | Self::Day | Self::Quarter => true,
        }
    }
}

/// Counts waits and works that began in these stretches of time, which touch each other. Nobody's (`""`) are,
/// by agent, the waits that nobody answered.
pub async fn count(
    db: &sqlx::AnyPool,
    company: &CompanyId,
    by: By,
    stretches: &[Stretch],
    filter: &Filter,
) -> Result<BTreeMap<String, Figures>, Error> {
    let whole = match (stretches.first(), stretches.last()) {
        (Some(first), Some(last)) if !by.is_of_clock() => vec![Stretch {
            until_ms: last.until_ms,
            ..*first
        }],
        _ => stretches.to_vec(),
    };
    let mut counted = BTreeMap::<String, Figures>::new();
    for stretch in &whole {
        for (key, figures) in waits(db, company, by, stretch, filter).await? {
            counted.entry(key).or_default().add(&figures);
        }
        for (key, figures) in handlings(db, company, by, stretch, filter).await? {
            counted.entry(key).or_default().add(&figures);
        }
    }
    Ok(counted)
}

type Counted = Vec<(String, Figures)>;

async fn waits(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    by: By,
    stretch: &Stretch,
    filter: &Filter,
) -> Result<Counted, Error> {
    let of = |result: WaitResult| format!("SUM(CASE WHEN result = '{result}' THEN 1 ELSE 0 END)");
    let lasted = |what: &str, result: WaitResult| {
        format!("{what}(CASE WHEN result = '{result}' THEN ended_ms - entered_ms ELSE 0 END)")
    };
    let sql = format!(
        "SELECT {key} AS key, COUNT(*) AS offered, {answered} AS answered,
                {abandoned} AS abandoned, {left_soon} AS left_soon, {closed} AS closed,
                {moved} AS moved, COUNT(in_target) AS targeted,
                CAST(COALESCE(SUM(in_target), 0) AS BIGINT) AS in_target,
                CAST({waited} AS BIGINT) AS waited_ms, {waited_max} AS waited_max_ms,
                CAST({gave_up} AS BIGINT) AS abandoned_ms
           FROM waits
          WHERE company = $1 AND entered_ms >= $2 AND entered_ms < $3
            AND ($4 IS NULL OR service = $4) AND ($5 IS NULL OR agent = $5)
            AND ($6 IS NULL OR medium = $6) AND ($7 IS NULL OR channel = $7) AND $8 = $8
            AND ($9 IS NULL OR service IN (SELECT service FROM service_agents WHERE user_id = $9))
          GROUP BY 1",
        key = by.key("entered_ms"),
        answered = of(WaitResult::Answered),
        abandoned = of(WaitResult::Abandoned),
        left_soon = of(WaitResult::LeftSoon),
        closed = of(WaitResult::Closed),
        moved = of(WaitResult::Moved),
        waited = lasted("SUM", WaitResult::Answered),
        waited_max = lasted("MAX", WaitResult::Answered),
        gave_up = lasted("SUM", WaitResult::Abandoned),
    );
    let found = bound(sqlx::query(AssertSqlSafe(sql)), company, stretch, filter)
        .try_map(|row: AnyRow| {
            let figures = Figures {
                offered: row.whole("offered")?,
                answered: row.whole("answered")?,
                abandoned: row.whole("abandoned")?,
                left_soon: row.whole("left_soon")?,
                closed: row.whole("closed")?,
                moved: row.whole("moved")?,
                targeted: row.whole("targeted")?,
                in_target: row.whole("in_target")?,
                waited_ms: row.whole("waited_ms")?,
                waited_max_ms: row.whole("waited_max_ms")?,
                abandoned_ms: row.whole("abandoned_ms")?,
                ..Figures::default()
            };
            Ok((row.text("key")?, figures))
        })
        .fetch_all(db)
        .await?;
    Ok(found)
}

async fn handlings(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    by: By,
    stretch: &Stretch,
    filter: &Filter,
) -> Result<Counted, Error> {
    let sql = format!(
        "SELECT {key} AS key, COUNT(*) AS handled,
                SUM(CASE WHEN result = '{transferred}' THEN 1 ELSE 0 END) AS transferred,
                CAST(SUM(talked_until_ms - began_ms) AS BIGINT) AS talked_ms,
                CAST(SUM(held_ms) AS BIGINT) AS held_ms,
                CAST(SUM(ended_ms - talked_until_ms) AS BIGINT) AS wrapped_ms
           FROM handlings
          WHERE company = $1 AND began_ms >= $2 AND began_ms < $3
            AND ($4 IS NULL OR service = $4) AND ($5 IS NULL OR agent = $5)
            AND ($6 IS NULL OR medium = $6) AND ($7 IS NULL OR channel = $7) AND $8 = $8
            AND ($9 IS NULL OR service IN (SELECT service FROM service_agents WHERE user_id = $9))
            AND result <> '{consulted}'
          GROUP BY 1",
        key = by.key("began_ms"),
        transferred = HandledResult::Transferred,
        consulted = HandledResult::Consulted,
    );
    let found = bound(sqlx::query(AssertSqlSafe(sql)), company, stretch, filter)
        .try_map(|row: AnyRow| {
            let figures = Figures {
                handled: row.whole("handled")?,
                transferred: row.whole("transferred")?,
                talked_ms: row.whole("talked_ms")?,
                held_ms: row.whole("held_ms")?,
                wrapped_ms: row.whole("wrapped_ms")?,
                ..Figures::default()
            };
            Ok((row.text("key")?, figures))
        })
        .fetch_all(db)
        .await?;
    Ok(found)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bound<'q>(
    query: Query<'q>,
    company: &'q CompanyId,
    stretch: &Stretch,
    filter: &'q Filter,
) -> Query<'q> {
    query
        .bind(company.as_str())
        .bind(stretch.from_ms)
        .bind(stretch.until_ms)
        .bind(filter.service.as_ref().map(ServiceId::as_str))
        .bind(filter.agent.as_ref().map(UserId::as_str))
        .bind(filter.medium.map(Medium::as_str))
        .bind(filter.channel.as_deref())
        .bind(stretch.offset_ms)
        .bind(filter.seen_by.as_ref().map(UserId::as_str))
}

/// How long an agent was so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Who.
    pub agent: UserId,
    /// How they were.
    pub state: Attendance,
    /// Why, where they were paused; else empty.
    pub reason: String,
    /// How long in all, milliseconds.
    pub spent_ms: i64,
}

/// How long each agent was in each state from `from_ms` until `until_ms`, which is not in the future.
pub async fn attendance(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    (from_ms, until_ms): (i64, i64),
    agent: Option<&UserId>,
) -> Result<Vec<Spent>, Error> {
    let found = sqlx::query(
        "SELECT agent, state, reason, CAST(SUM(until_ms - at_ms) AS BIGINT) AS spent_ms
           FROM (SELECT agent, state, reason, at_ms,
                        COALESCE(LEAD(at_ms) OVER (PARTITION BY agent ORDER BY at_ms), $3) AS until_ms
                   FROM (SELECT agent, state, COALESCE(reason, '') AS reason, at_ms
                           FROM presences
                          WHERE company = $1 AND at_ms >= $2 AND at_ms < $3
                          UNION ALL
                         SELECT p.agent, p.state, COALESCE(p.reason, ''), $2
                           FROM users u JOIN presences p ON p.agent = u.id
                            AND p.at_ms = (SELECT MAX(q.at_ms) FROM presences q
                                            WHERE q.agent = u.id AND q.at_ms < $2)
                          WHERE u.company = $1) AS changes) AS spells
          WHERE $4 IS NULL OR agent = $4
          GROUP BY agent, state, reason ORDER BY agent, state, reason",
    )
    .bind(company.as_str())
    .bind(from_ms)
    .bind(until_ms)
    .bind(agent.map(UserId::as_str))
    .try_map(|row: AnyRow| {
        Ok(Spent {
            agent: row.parsed("agent")?,
            state: row.parsed("state")?,
            reason: row.text("reason")?,
            spent_ms: row.whole("spent_ms")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// How long each agent had something in hand from `from_ms` until `until_ms`: what was in hand side by side
/// counts once.
pub async fn busy(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    (from_ms, until_ms): (i64, i64),
    agent: Option<&UserId>,
) -> Result<BTreeMap<UserId, i64>, Error> {
    let found = sqlx::query(
        "SELECT agent, CAST(SUM(CASE WHEN ended <= seen THEN 0 WHEN began >= seen THEN ended - began
                                     ELSE ended - seen END) AS BIGINT) AS busy_ms
           FROM (SELECT agent, began, ended,
                        COALESCE(MAX(ended) OVER (PARTITION BY agent ORDER BY began, ended
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS seen
                   FROM (SELECT agent, CASE WHEN began_ms < $2 THEN $2 ELSE began_ms END AS began,
                                CASE WHEN ended_ms > $3 THEN $3 ELSE ended_ms END AS ended
                           FROM handlings
                          WHERE company = $1 AND began_ms >= $2 - $4 AND began_ms < $3 AND ended_ms > $2
                            AND ($5 IS NULL OR agent = $5)) AS spells) AS beside
          GROUP BY agent",
    )
    .bind(company.as_str())
    .bind(from_ms)
    .bind(until_ms)
    .bind(SPELL_MS_MAX)
    .bind(agent.map(UserId::as_str))
    .try_map(|row: AnyRow| Ok((row.parsed("agent")?, row.whole("busy_ms")?)))
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().collect())
}

/// The calls that an agent placed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// How many.
    pub calls: i64,
    /// Of these, were answered.
    pub reached: i64,
    /// How long was talked, milliseconds.
    pub talked_ms: i64,
}

/// The calls that agents placed from `from_ms` until `until_ms` and that left by a carrier.
pub async fn placed(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    (from_ms, until_ms): (i64, i64),
    filter: &Filter,
) -> Result<BTreeMap<UserId, Placed>, Error> {
    let found = sqlx::query(
        "SELECT user_id, COUNT(*) AS calls, COUNT(answered_ms) AS reached,
                CAST(COALESCE(SUM(ended_ms - answered_ms), 0) AS BIGINT) AS talked_ms
           FROM outbound_calls
          WHERE company = $1 AND started_ms >= $2 AND started_ms < $3 AND user_id IS NOT NULL
            AND ($4 IS NULL OR service = $4) AND ($5 IS NULL OR user_id = $5)
            AND ($6 IS NULL OR service IN (SELECT service FROM service_agents a WHERE a.user_id = $6))
          GROUP BY user_id",
    )
    .bind(company.as_str())
    .bind(from_ms)
    .bind(until_ms)
    .bind(filter.service.as_ref().map(ServiceId::as_str))
    .bind(filter.agent.as_ref().map(UserId::as_str))
    .bind(filter.seen_by.as_ref().map(UserId::as_str))
    .try_map(|row: AnyRow| {
        let placed = Placed {
            calls: row.whole("calls")?,
            reached: row.whole("reached")?,
            talked_ms: row.whole("talked_ms")?,
        };
        Ok((row.parsed("user_id")?, placed))
    })
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().collect())
}

/// How often customers answered so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The flow or survey that asked.
    pub survey: String,
    /// Which question.
    pub question: String,
    /// The answer; empty for all that are longer than [`ANSWER_CHARS_MAX`].
    pub answer: String,
    /// How often.
    pub count: i64,
}

/// How often each answer was given from `from_ms` until `until_ms`, the most frequent first, at most
/// [`ANSWERS_MAX`] kinds.
pub async fn answers(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    (from_ms, until_ms): (i64, i64),
    filter: &Filter,
) -> Result<Vec<Answers>, Error> {
    let found = sqlx::query(
        "SELECT flow, question, CASE WHEN LENGTH(answer) <= $6 THEN answer ELSE '' END AS given,
                COUNT(*) AS given_times
           FROM survey_answers
          WHERE company = $1 AND at_ms >= $2 AND at_ms < $3
            AND ($4 IS NULL OR service = $4) AND ($5 IS NULL OR agent = $5)
            AND ($8 IS NULL OR service IN (SELECT service FROM service_agents WHERE user_id = $8))
          GROUP BY 1, 2, 3 ORDER BY given_times DESC, flow, question, given LIMIT $7",
    )
    .bind(company.as_str())
    .bind(from_ms)
    .bind(until_ms)
    .bind(filter.service.as_ref().map(ServiceId::as_str))
    .bind(filter.agent.as_ref().map(UserId::as_str))
    .bind(ANSWER_CHARS_MAX)
    .bind(ANSWERS_MAX)
    .bind(filter.seen_by.as_ref().map(UserId::as_str))
    .try_map(|row: AnyRow| {
        Ok(Answers {
            survey: row.text("flow")?,
            question: row.text("question")?,
            answer: row.text("given")?,
            count: row.whole("given_times")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

const QUARTER_MS: i64 = 15 * 60 * 1000;

const HOUR_MS: i64 = 4 * QUARTER_MS;

const DAY_MS: i64 = 24 * HOUR_MS;

/// How long a work is in the same hands at most: agents go home, and what they had goes back to its line.
const SPELL_MS_MAX: i64 = 2 * DAY_MS;

/// An answer that is told apart: digits, a key, the id of a choice.
pub const ANSWER_CHARS_MAX: i64 = 64;

/// Kinds of answers in one report.
pub const ANSWERS_MAX: i64 = 1_000;

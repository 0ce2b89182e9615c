//! `/interactions`: the records of what customers wanted. They are read here, and written by the calls and
//! conversations alone.

use std::str::FromStr;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{
    ChannelId, CompanyId, ContactId, ConversationId, DeviceId, FlowId, InteractionId, NumberId,
    ServiceId, TrunkId, UserId,
};
use desk::record::{Direction, EndedBy, InteractionState, Medium, Quality, TrailEntry};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::interactions::{self, Filter, Hours, Position};
use store::reports::Stretch;

use super::body::{Asked, Id, Listed, Paging, moment};
use super::problem::{Problem, ProblemBody};
use super::who::{Reads, Tenant};
use super::{App, reports};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/interactions", get(list))
        .route("/api/v1/interactions.csv", get(export))
        .route("/api/v1/interactions/count", get(count))
        .route("/api/v1/interactions/{id}", get(read))
}

/// The record of one call.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Interaction {
    #[schema(value_type = String)]
    id: InteractionId,
    #[schema(value_type = String)]
    company: CompanyId,
    /// The number that is read to the customer.
    protocol: String,
    #[schema(value_type = String)]
    medium: Medium,
    #[schema(value_type = String)]
    direction: Direction,
    #[schema(value_type = String)]
    state: InteractionState,
    /// Who called; empty when withheld.
    from: String,
    from_name: String,
    /// What was dialled.
    to: String,
    #[schema(value_type = Option<String>)]
    number: Option<NumberId>,
    #[schema(value_type = Option<String>)]
    trunk: Option<TrunkId>,
    #[schema(value_type = Option<String>)]
    device: Option<DeviceId>,
    sip_call_id: String,
    #[schema(value_type = Option<String>)]
    flow: Option<FlowId>,
    flow_version: Option<u32>,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Who the customer is, where that is known.
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    /// The agent who had it last.
    #[schema(value_type = Option<String>)]
    agent: Option<UserId>,
    /// The thread that it is written in; its messages are at `/interactions/{id}/messages`.
    #[schema(value_type = Option<String>)]
    conversation: Option<ConversationId>,
    codec: Option<String>,
    started_ms: i64,
    answered_ms: Option<i64>,
    queued_ms: Option<i64>,
    ended_ms: Option<i64>,
    #[schema(value_type = Option<String>)]
    ended_by: Option<EndedBy>,
    /// Why it ended, in one word.
    cause: Option<String>,
    sip_status: Option<u16>,
    /// Loss, jitter, round trip and MOS (ITU-T G.107); of one interaction also their `course`, a point every
    /// `course_every_ms`.
    #[schema(value_type = Option<Object>)]
    quality: Option<Quality>,
    /// Words by which people find it again, by their letters.
    tags: Vec<String>,
}

impl From<interactions::Interaction> for Interaction {
    fn from(row: interactions::Interaction) -> Self {
        Self {
            id: row.id,
            company: row.company,
            protocol: row.protocol,
            medium: row.medium,
            direction: row.direction,
            state: row.state,
            from: row.from,
            from_name: row.from_name,
            to: row.to,
            number: row.number,
            trunk: row.trunk,
            device: row.device,
            sip_call_id: row.sip_call_id,
            flow: row.flow,
            flow_version: row.flow_version,
            service: row.service,
            contact: row.contact,
            agent: row.agent,
            conversation: row.conversation,
            codec: row.codec,
            started_ms: row.started_ms,
            answered_ms: row.answered_ms,
            queued_ms: row.queued_ms,
            ended_ms: row.ended_ms,
            ended_by: row.ended_by,
            cause: row.cause,
            sip_status: row.sip_status,
            quality: row.quality,
            tags: row.tags,
        }
    }
}

/// Which interactions; what is not set does not matter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Begun then or later: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Begun before.
    until: Option<String>,
    /// Begun at this hour of the day or later, by the company's clock: 0 to 23.
    #[param(minimum = 0, maximum = 23)]
    hour_from: Option<u8>,
    /// And before this one, 1 to 24; on the day after where that is not later.
    #[param(minimum = 1, maximum = 24)]
    hour_until: Option<u8>,
    /// `phone`, `chat`, `email` or `task`.
    medium: Option<String>,
    /// Came in on this number, by its id.
    #[param(value_type = Option<String>)]
    number: Option<NumberId>,
    /// Written in this channel, by its id.
    #[param(value_type = Option<String>)]
    channel: Option<ChannelId>,
    /// For this service, by its id.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// In the hands of this agent, at the end or before, by their id.
    #[param(value_type = Option<String>)]
    agent: Option<UserId>,
    /// In this state.
    state: Option<String>,
    /// Where the customer waited, and that ended so: `answered`, `abandoned`, `left_soon`, `closed` or `moved`.
    outcome: Option<String>,
    /// Closed by this code.
    disposition: Option<String>,
    /// With this tag.
    tag: Option<String>,
    /// Whose protocol number begins so.
    protocol: Option<String>,
    /// With this text in an address or name.
    text: Option<String>,
}

impl Wanted {
    async fn filter(
        self,
        app: &App,
        tenant: &Tenant,
        after: Option<&str>,
    ) -> Result<Filter, Problem> {
        let time = |text: Option<String>, field: &str| match text {
            Some(text) => Ok(Some(moment(&text, field)?.as_millisecond())),
            None => Ok::<_, Problem>(None),
        };
        let from_ms = time(self.from, "from")?;
        let until_ms = time(self.until, "until")?;
        let hours = match (self.hour_from, self.hour_until) {
            (None, None) => None,
            (from, until) => {
                let (from, until) = (from.unwrap_or(0), until.unwrap_or(24));
                if from > 23 {
                    return Err(Problem::malformed("malformed").at("hour_from"));
                }
                if !(1..=24).contains(&until) {
                    return Err(Problem::malformed("malformed").at("hour_until"));
                }
                Some(Hours {
                    from,
                    until,
                    clock: clock(app, tenant, from_ms, until_ms).await?,
                })
            }
        };
        Ok(Filter {
            from_ms,
            until_ms,
            hours,
            medium: word(self.medium, "medium")?,
            number: self.number,
            channel: self.channel,
            service: self.service,
            agent: self.agent,
            state: word(self.state, "state")?,
            outcome: word(self.outcome, "outcome")?,
            disposition: self.disposition,
            tag: self.tag,
            protocol: self.protocol,
            text: self.text,
            seen_by: tenant.seen_by(),
            before: after.map(position).transpose()?,
        })
    }
}

/// One of our words, or the field that has another.
fn word<T: FromStr>(text: Option<String>, field: &str) -> Result<Option<T>, Problem> {
    let found = text.map(|text| text.parse()).transpose();
    found.map_err(|_| Problem::malformed("malformed").at(field))
}

/// How the company's clock was set in that time; where it has no end, as far as people look back.
async fn clock(
    app: &App,
    tenant: &Tenant,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
) -> Result<Vec<Stretch>, Problem> {
    let zone = reports::zone(app, tenant).await?;
    let now_ms = app.now_ms();
    let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or_default();
    let oldest_ms = now_ms - CLOCK_MS_MAX;
    let from = at(from_ms.unwrap_or(oldest_ms).clamp(oldest_ms, now_ms));
    let until = at(until_ms.unwrap_or(now_ms).clamp(oldest_ms, now_ms));
    Ok(reports::window::stretches(&zone, from, until))
}

/// `started_ms.id`, as the page before gave it.
pub(super) fn position(text: &str) -> Result<Position, Problem> {
    let wrong = || Problem::malformed("malformed").at("after");
    let (started_ms, id) = text.split_once('.').ok_or_else(wrong)?;
    let started_ms = started_ms.parse().map_err(|_| wrong())?;
    Ok(Position {
        started_ms,
        id: id.parse().map_err(|_| wrong())?,
    })
}

pub(super) fn place(row: &interactions::Interaction) -> String {
    format!("{}.{}", row.started_ms, row.id)
}

/// List interactions, the newest first
#[utoipa::path(get, path = "/api/v1/interactions", tag = "records",
    params(Paging, Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Interaction>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Listed<Interaction>>, Problem> {
    let filter = wanted.filter(&app, &tenant, paging.after()).await?;
    let rows =
        interactions::list(app.store.pool(), &tenant.company, &filter, paging.limit()).await?;
    let rows = rows
        .into_iter()
        .map(interactions::Interaction::in_short)
        .collect();
    Ok(Listed::of(rows, paging.limit(), place))
}

/// How many were found.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Found {
    /// At most 100,000.
    count: i64,
    /// Whether there are more than that.
    more: bool,
}

/// Count interactions
#[utoipa::path(get, path = "/api/v1/interactions/count", operation_id = "count_interactions", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Found), (status = 403, body = ProblemBody)))]
pub(super) async fn count(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Found>, Problem> {
    let filter = wanted.filter(&app, &tenant, None).await?;
    let (db, max) = (app.store.pool(), COUNT_MAX + 1);
    let found = interactions::count(db, &tenant.company, &filter, max).await?;
    Ok(Json(Found {
        count: found.min(i64::from(COUNT_MAX)),
        more: found > i64::from(COUNT_MAX),
    }))
}

/// The record of one call, and what happened in it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct InteractionWithTrail {
    #[serde(flatten)]
    interaction: Interaction,
    /// Step by step: `seq`, `at_ms`, `kind`, `detail`.
    #[schema(value_type = Vec<Object>)]
    trail: Vec<TrailEntry>,
}

/// Read a call with its trail
#[utoipa::path(get, path = "/api/v1/interactions/{id}", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = InteractionWithTrail), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<InteractionId>,
) -> Result<Json<InteractionWithTrail>, Problem> {
    let db = app.store.pool();
    let found = interactions::by_id(db, &tenant.company, &id).await?;
    let interaction = found.ok_or_else(Problem::not_found)?.into();
    let mut trail: Vec<TrailEntry> = Vec::new();
    loop {
        let from = trail.last().map_or(0, |last| last.seq + 1);
        let next = store::trail::list(db, &tenant.company, &id, from, store::PAGE_MAX).await?;
        let more = next.len() >= store::PAGE_MAX as usize;
        trail.extend(next);
        if !more || trail.len() >= TRAIL_MAX {
            return Ok(Json(InteractionWithTrail { interaction, trail }));
        }
    }
}

/// Calls as a table
///
/// At most the newest 50,000 that fit the filter.
#[utoipa::path(get, path = "/api/v1/interactions.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody)))]
pub(super) async fn export(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let mut filter = wanted.filter(&app, &tenant, None).await?;
    let mut table = String::from(COLUMNS);
    for _ in 0..EXPORT_ROWS_MAX / store::PAGE_MAX {
        let rows =
            interactions::list(app.store.pool(), &tenant.company, &filter, store::PAGE_MAX).await?;
        for row in &rows {
            table.push_str(&line(row));
        }
        match rows.last() {
            Some(last) if rows.len() >= store::PAGE_MAX as usize => {
                filter.before = Some(Position {
                    started_ms: last.started_ms,
                    id: last.id.clone(),
                });
            }
            Some(_) | None => break,
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"interactions.csv\"",
        ),
    ];
    Ok((headers, table))
}

fn line(row: &interactions::Interaction) -> String {
    let time = |at_ms: Option<i64>| {
        let at = at_ms.and_then(|at_ms| jiff::Timestamp::from_millisecond(at_ms).ok());
        at.map(|at| at.to_string()).unwrap_or_default()
    };
    let id = |id: Option<&str>| id.unwrap_or_default().to_owned();
    let cells = [
        row.protocol.clone(),
        row.direction.to_string(),
        row.state.to_string(),
        row.from.clone(),
        row.from_name.clone(),
        row.to.clone(),
        id(row.service.as_ref().map(ServiceId::as_str)),
        time(Some(row.started_ms)),
        time(row.answered_ms),
        time(row.queued_ms),
        time(row.ended_ms),
        row.ended_by.map(|by| by.to_string()).unwrap_or_default(),
        row.cause.clone().unwrap_or_default(),
        row.codec.clone().unwrap_or_default(),
        row.medium.to_string(),
        id(row.agent.as_ref().map(UserId::as_str)),
        row.tags.join(", "),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell that a spreadsheet shows and never computes: whoever calls chooses their own name.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

const COLUMNS: &str = "protocol,direction,state,from,from_name,to,service,started,answered,queued,ended,ended_by,cause,codec,medium,agent,tags\r\n";

/// People who found more than this narrow down what they look for.
const COUNT_MAX: u32 = 100_000;

/// How far back the hours of the day are looked for by the clock as it was set then: ten years, milliseconds.
const CLOCK_MS_MAX: i64 = 10 * 366 * 24 * 3_600_000;

/// Rows of one table: some 10 MB, and what a spreadsheet still opens.
const EXPORT_ROWS_MAX: u32 = 50_000;

/// Lines of one trail in one answer: a flow that goes in circles writes no more than this.
const TRAIL_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(cell("+5511"), "\"'+5511\"");
        assert_eq!(cell("Ana \"A\", Lda"), "\"Ana \"\"A\"\", Lda\"");
    }
}

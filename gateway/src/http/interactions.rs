//! `/interactions`: the records of calls. They are read here and written by the calls alone.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{
    CompanyId, ContactId, ConversationId, DeviceId, FlowId, InteractionId, NumberId, ServiceId,
    TrunkId, UserId,
};
use desk::record::{Direction, EndedBy, InteractionState, Medium, Quality, TrailEntry};
use serde::{Deserialize, Serialize};
use store::interactions::{self, Filter, Position};

use super::App;
use super::body::{Asked, Id, Listed, Paging, moment};
use super::problem::{Problem, ProblemBody};
use super::who::Reads;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/interactions", get(list))
        .route("/api/v1/interactions.csv", get(export))
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
    /// Loss, jitter, round trip and MOS (ITU-T G.107).
    #[schema(value_type = Option<Object>)]
    quality: Option<Quality>,
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
        }
    }
}

/// Which calls; what is not set does not matter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Begun then or later: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Begun before.
    until: Option<String>,
    /// Came in on this number, by its id.
    #[param(value_type = Option<String>)]
    number: Option<NumberId>,
    /// For this service, by its id.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// In this state.
    state: Option<String>,
    /// Whose protocol number begins so.
    protocol: Option<String>,
    /// With this text in an address or name.
    text: Option<String>,
}

impl Wanted {
    fn filter(self, after: Option<&str>) -> Result<Filter, Problem> {
        let time = |text: Option<String>, field: &str| match text {
            Some(text) => Ok(Some(moment(&text, field)?.as_millisecond())),
            None => Ok::<_, Problem>(None),
        };
        let state = self.state.map(|word| word.parse()).transpose();
        Ok(Filter {
            from_ms: time(self.from, "from")?,
            until_ms: time(self.until, "until")?,
            number: self.number,
            service: self.service,
            state: state.map_err(|_| Problem::malformed("malformed").at("state"))?,
            protocol: self.protocol,
            text: self.text,
            before: after.map(position).transpose()?,
        })
    }
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

/// List calls, the newest first
#[utoipa::path(get, path = "/api/v1/interactions", tag = "records",
    params(Paging, Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Interaction>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Listed<Interaction>>, Problem> {
    let filter = wanted.filter(paging.after())?;
    let rows =
        interactions::list(app.store.pool(), &tenant.company, &filter, paging.limit()).await?;
    Ok(Listed::of(rows, paging.limit(), place))
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
    let mut filter = wanted.filter(None)?;
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

const COLUMNS: &str = "protocol,direction,state,from,from_name,to,service,started,answered,queued,ended,ended_by,cause,codec\r\n";

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

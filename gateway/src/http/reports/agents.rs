//! Figures by agent, and how their time was spent.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use desk::fact::Attendance;
use desk::id::UserId;
use serde::Serialize;
use store::Page;
use store::reports::{By, Figures, Placed, Spent};

use super::super::App;
use super::super::body::Asked;
use super::super::problem::{Problem, ProblemBody};
use super::super::who::{Reads, Tenant};
use super::figures::{Report, ReportRow, share};
use super::{Wanted, count, people, table, tongue};

/// How the time of an agent was spent, milliseconds.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct AgentTime {
    /// Took work.
    pub(super) available_ms: i64,
    pub(super) paused_ms: i64,
    /// Was there, but for the connection.
    pub(super) lost_ms: i64,
    /// Had something in hand; what was side by side counts once.
    pub(super) busy_ms: i64,
    /// `busy_ms` of `available_ms`, 1 at most: what is in hand in a pause counts too.
    pub(super) occupancy: Option<f64>,
    /// Pauses by their reasons.
    pub(super) pauses: Vec<PauseTime>,
    /// Calls that they placed and that left by a carrier.
    pub(super) calls_placed: i64,
    /// Of these, were answered.
    pub(super) calls_reached: i64,
    pub(super) calls_talk_ms: i64,
}

/// How long pauses for one reason lasted.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct PauseTime {
    /// The id of the pause, or `missed`, `refused`, `busy`, `unreachable`, `leaving`.
    pub(super) reason: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) spent_ms: i64,
}

/// Figures by agent
///
/// With the time of each. Waits are those that they answered.
#[utoipa::path(get, path = "/api/v1/reports/agents", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Report), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::http) async fn agents(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(by_agent(&app, &tenant, &wanted).await?))
}

/// Figures by agent as a table
#[utoipa::path(get, path = "/api/v1/reports/agents.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::http) async fn agents_table(
    State(app): State<App>,
    Reads(tenant): Reads,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let report = by_agent(&app, &tenant, &wanted).await?;
    Ok(table::answer(
        "agents",
        table::figures(&report, table::What::Agent, tongue(&headers)),
    ))
}

async fn by_agent(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<Report, Problem> {
    let (window, mut counted) = count(app, tenant, wanted, By::Agent).await?;
    // Waits that nobody answered are nobody's.
    counted.remove("");
    let times = Times::load(app, tenant, wanted, window.ends_ms()).await?;
    let names = people(app, tenant).await?;
    let mut figures: BTreeMap<UserId, Figures> = counted
        .into_iter()
        .filter_map(|(id, figures)| Some((id.parse().ok()?, figures)))
        .collect();
    for agent in times.agents() {
        figures.entry(agent).or_default();
    }
    if let Some(watched) = tenant.watched(app).await? {
        figures.retain(|agent, _| watched.contains(agent));
    }
    let mut rows: Vec<ReportRow> = figures
        .iter()
        .map(|(agent, figures)| ReportRow {
            name: names.get(agent).cloned(),
            time: Some(times.of(agent)),
            ..ReportRow::new(agent.to_string(), figures)
        })
        .collect();
    rows.sort_by(|one, other| (&one.name, &one.key).cmp(&(&other.name, &other.key)));
    Ok(Report::of(&window, rows))
}

/// How the time of all agents was spent.
struct Times {
    attendance: Vec<Spent>,
    busy: BTreeMap<UserId, i64>,
    placed: BTreeMap<UserId, Placed>,
    pauses: BTreeMap<String, String>,
}

impl Times {
    async fn load(
        app: &App,
        tenant: &Tenant,
        wanted: &Wanted,
        (from_ms, until_ms): (i64, i64),
    ) -> Result<Self, Problem> {
        let (db, company) = (app.store.pool(), &tenant.company);
        let filter = wanted.filter(tenant)?;
        let agent = wanted.agent.as_ref();
        // Nobody's time has passed yet that is to come.
        let passed = (from_ms, until_ms.min(app.now_ms()).max(from_ms));
        let pauses = store::pauses::list(db, company, &Page::first())
            .await?
            .into_iter();
        Ok(Self {
            attendance: store::reports::attendance(db, company, passed, agent).await?,
            busy: store::reports::busy(db, company, passed, agent).await?,
            placed: store::reports::placed(db, company, (from_ms, until_ms), &filter).await?,
            pauses: pauses.map(|row| (row.id.to_string(), row.name)).collect(),
        })
    }

    /// Who was there or placed calls.
    fn agents(&self) -> BTreeSet<UserId> {
        let was_there = |spent: &&Spent| spent.state != Attendance::Offline;
        let there = self.attendance.iter().filter(was_there);
        let there = there.map(|spent| spent.agent.clone());
        there.chain(self.placed.keys().cloned()).collect()
    }

    fn of(&self, agent: &UserId) -> AgentTime {
        let own: Vec<&Spent> = self
            .attendance
            .iter()
            .filter(|spent| spent.agent == *agent)
            .collect();
        let sum = |state: Attendance| -> i64 {
            let so = own.iter().filter(|spent| spent.state == state);
            so.map(|spent| spent.spent_ms).sum()
        };
        let paused = own.iter().filter(|spent| spent.state == Attendance::Paused);
        let pauses = paused.map(|spent| PauseTime {
            reason: spent.reason.clone(),
            name: self.pauses.get(&spent.reason).cloned(),
            spent_ms: spent.spent_ms,
        });
        let busy_ms = self.busy.get(agent).copied().unwrap_or_default();
        let available_ms = sum(Attendance::Available);
        let placed = self.placed.get(agent).copied().unwrap_or_default();
        AgentTime {
            available_ms,
            paused_ms: sum(Attendance::Paused),
            lost_ms: sum(Attendance::Lost),
            busy_ms,
            occupancy: share(busy_ms.min(available_ms), available_ms),
            pauses: pauses.collect(),
            calls_placed: placed.calls,
            calls_reached: placed.reached,
            calls_talk_ms: placed.talked_ms,
        }
    }
}

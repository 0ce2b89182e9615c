//! SQL of outbound calls: by which carriers they leave, under which rules, and what they cost.

use desk::id::{CompanyId, OutboundRouteId, ServiceId, TrunkId, UserId};
use desk::record::{OutboundAlarm, OutboundCall};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json, whole};
use crate::{Error, Page, audit};

/// A way by which calls leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub id: OutboundRouteId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// The carrier.
    pub trunk: TrunkId,
    /// The beginning of the numbers it is for, as the exchange reads it.
    pub prefix: String,
    /// The smallest is tried first.
    pub priority: u16,
    /// How often it is the first among equals.
    pub weight: u16,
    /// Calls at once.
    pub calls_max: Option<u32>,
    /// Calls that may begin in one second.
    pub calls_per_second_max: Option<u32>,
    /// What a minute costs, in thousandths of the currency.
    pub cost_per_minute: u32,
    /// What the callee sees.
    pub caller_number: Option<String>,
    /// Whether nothing leaves by it.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a route; its name must be free in the company, and the trunk the company's.
pub async fn insert_route(db: impl AnyExecutor<'_>, route: &Route) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO outbound_routes (id, company, name, trunk, prefix, priority, weight, calls_max,
                             calls_per_second_max, cost_per_minute, caller_number, disabled,
                             created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(route.id.as_str())
    .bind(route.company.as_str())
    .bind(&route.name)
    .bind(route.trunk.as_str())
    .bind(&route.prefix)
    .bind(i64::from(route.priority))
    .bind(i64::from(route.weight))
    .bind(route.calls_max.map(i64::from))
    .bind(route.calls_per_second_max.map(i64::from))
    .bind(i64::from(route.cost_per_minute))
    .bind(route.caller_number.as_deref())
    .bind(i64::from(route.disabled))
    .bind(route.created_ms)
    .bind(route.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a route but its id, company and birth. Returns whether it exists.
pub async fn update_route(db: impl AnyExecutor<'_>, route: &Route) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE outbound_routes
            SET name = $3, trunk = $4, prefix = $5, priority = $6, weight = $7, calls_max = $8,
                calls_per_second_max = $9, cost_per_minute = $10, caller_number = $11,
                disabled = $12, updated_ms = $13
          WHERE id = $1 AND company = $2",
    )
    .bind(route.id.as_str())
    .bind(route.company.as_str())
    .bind(&route.name)
    .bind(route.trunk.as_str())
    .bind(&route.prefix)
    .bind(i64::from(route.priority))
    .bind(i64::from(route.weight))
    .bind(route.calls_max.map(i64::from))
    .bind(route.calls_per_second_max.map(i64::from))
    .bind(i64::from(route.cost_per_minute))
    .bind(route.caller_number.as_deref())
    .bind(i64::from(route.disabled))
    .bind(route.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a route of a company.
pub async fn route_by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &OutboundRouteId,
) -> Result<Option<Route>, Error> {
    let found = sqlx::query("SELECT * FROM outbound_routes WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read_route)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the routes of a company, the oldest first.
pub async fn list_routes(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<OutboundRouteId>,
) -> Result<Vec<Route>, Error> {
    let found = sqlx::query(
        "SELECT * FROM outbound_routes
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(OutboundRouteId::as_str))
    .bind(page.limit())
    .try_map(read_route)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All routes of all companies, for the directory that calls are routed by.
pub async fn all_routes(db: impl AnyExecutor<'_>) -> Result<Vec<Route>, Error> {
    let found = sqlx::query("SELECT * FROM outbound_routes ORDER BY id")
        .try_map(read_route)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a route. Returns whether it existed.
pub async fn delete_route(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &OutboundRouteId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM outbound_routes WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The rules of a company, as the gateway understands them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Whose they are.
    pub company: CompanyId,
    /// What they say.
    pub rules: serde_json::Value,
    /// When they were last changed.
    pub updated_ms: i64,
}

/// The rules of a company; nothing where it has set none.
pub async fn rules_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
) -> Result<Option<Rules>, Error> {
    let found = sqlx::query("SELECT * FROM outbound_rules WHERE company = $1")
        .bind(company.as_str())
        .try_map(read_rules)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// The rules of all companies that have set some.
pub async fn all_rules(db: impl AnyExecutor<'_>) -> Result<Vec<Rules>, Error> {
    let found = sqlx::query("SELECT * FROM outbound_rules ORDER BY company")
        .try_map(read_rules)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Sets the rules of a company, whether there were any or not.
pub async fn put_rules(db: impl AnyExecutor<'_>, rules: &Rules) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO outbound_rules (company, rules, updated_ms) VALUES ($1, $2, $3)
         ON CONFLICT (company) DO UPDATE SET rules = $2, updated_ms = $3",
    )
    .bind(rules.company.as_str())
    .bind(json(&rules.rules)?)
    .bind(rules.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Remembers what is known of a call now. What was remembered of its end stays.
pub(crate) async fn keep_call(db: impl AnyExecutor<'_>, call: &OutboundCall) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO outbound_calls (id, company, interaction, user_id, service, trunk, number,
                             cost_per_minute, started_ms, answered_ms, ended_ms, cost)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE
            SET trunk = $6, cost_per_minute = $8, answered_ms = $10, ended_ms = $11, cost = $12
          WHERE outbound_calls.ended_ms IS NULL",
    )
    .bind(call.id.as_str())
    .bind(call.company.as_str())
    .bind(call.interaction.as_str())
    .bind(call.user.as_ref().map(UserId::as_str))
    .bind(call.service.as_ref().map(ServiceId::as_str))
    .bind(call.trunk.as_ref().map(TrunkId::as_str))
    .bind(&call.number)
    .bind(i64::from(call.cost_per_minute))
    .bind(call.started_ms)
    .bind(call.answered_ms)
    .bind(call.ended_ms)
    .bind(whole(call.cost))
    .execute(db)
    .await?;
    Ok(())
}

/// The calls that began at `since_ms` or later, of all companies, the oldest first.
pub async fn calls_since(
    db: impl AnyExecutor<'_>,
    since_ms: i64,
) -> Result<Vec<OutboundCall>, Error> {
    let found =
        sqlx::query("SELECT * FROM outbound_calls WHERE started_ms >= $1 ORDER BY started_ms, id")
            .bind(since_ms)
            .try_map(read_call)
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// Puts an alarm into the audit log, once.
pub(crate) async fn keep_alarm(
    db: &mut sqlx::AnyConnection,
    alarm: &OutboundAlarm,
) -> Result<(), Error> {
    let is_known = sqlx::query("SELECT id FROM audit WHERE id = $1")
        .bind(alarm.id.as_str())
        .fetch_optional(&mut *db)
        .await?;
    if is_known.is_some() {
        return Ok(());
    }
    let line = audit::Line {
        id: alarm.id.clone(),
        company: Some(alarm.company.clone()),
        user: alarm.user.clone(),
        api_key: None,
        at_ms: alarm.at_ms,
        action: "outbound.refused".to_owned(),
        target: alarm.interaction.to_string(),
        detail: serde_json::json!({ "rule": alarm.rule, "dialled": alarm.dialled }),
        remote: String::new(),
    };
    audit::append(db, &line).await
}

fn read_route(row: AnyRow) -> sqlx::Result<Route> {
    Ok(Route {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        trunk: row.parsed("trunk")?,
        prefix: row.text("prefix")?,
        priority: row.count("priority")?,
        weight: row.count("weight")?,
        calls_max: row.count_maybe("calls_max")?,
        calls_per_second_max: row.count_maybe("calls_per_second_max")?,
        cost_per_minute: row.count("cost_per_minute")?,
        caller_number: row.text_maybe("caller_number")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

fn read_rules(row: AnyRow) -> sqlx::Result<Rules> {
    Ok(Rules {
        company: row.parsed("company")?,
        rules: row.json("rules")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

fn read_call(row: AnyRow) -> sqlx::Result<OutboundCall> {
    Ok(OutboundCall {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        interaction: row.parsed("interaction")?,
        user: row.parsed_maybe("user_id")?,
        service: row.parsed_maybe("service")?,
        trunk: row.parsed_maybe("trunk")?,
        number: row.text("number")?,
        cost_per_minute: row.count("cost_per_minute")?,
        started_ms: row.whole("started_ms")?,
        answered_ms: row.whole_maybe("answered_ms")?,
        ended_ms: row.whole_maybe("ended_ms")?,
        cost: row.count("cost")?,
    })
}

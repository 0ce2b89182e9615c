//! `/skills`: what agents can do better or worse, how well each can, and where they may hand work.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, ServiceId, SkillId, UserId};
use desk::rules::Transfers;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::skills::{self, Level};
use store::{desk_settings, services};

use super::body::{Asked, Body, Id, Listed, Paging, name, within};
use super::problem::{Problem, ProblemBody};
use super::who::{Reads, Tenant, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/skills", get(list).post(create))
        .route("/api/v1/skills/{id}", get(read).put(update).delete(delete))
        .route(
            "/api/v1/agents/{id}/skills",
            get(of_agent).put(set_of_agent),
        )
        .route(
            "/api/v1/agents/{id}/transfers",
            get(transfers).put(set_transfers),
        )
}

/// What can be set of a skill.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Inglês"}))]
pub(super) struct SkillSettings {
    name: String,
}

/// Something that agents can do better or worse.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Skill {
    #[schema(value_type = String)]
    id: SkillId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: SkillSettings,
    created_ms: i64,
    updated_ms: i64,
}

/// How well somebody can do something.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SkillLevel {
    #[schema(value_type = String)]
    skill: SkillId,
    /// 1 is a little, 255 the most.
    level: u8,
}

/// All that somebody can do.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentSkills {
    skills: Vec<SkillLevel>,
}

/// Where work may be handed to.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"agents": true, "services": null}))]
pub(super) struct TransferRights {
    /// Whether to other agents directly.
    pub(super) agents: bool,
    /// To which services; all when not set.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) services: Option<BTreeSet<ServiceId>>,
}

impl From<TransferRights> for Transfers {
    fn from(rights: TransferRights) -> Self {
        Self {
            agents: rights.agents,
            services: rights.services,
        }
    }
}

impl From<Transfers> for TransferRights {
    fn from(transfers: Transfers) -> Self {
        Self {
            agents: transfers.agents,
            services: transfers.services,
        }
    }
}

impl From<skills::Skill> for Skill {
    fn from(row: skills::Skill) -> Self {
        Self {
            id: row.id,
            company: row.company,
            settings: SkillSettings { name: row.name },
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// List skills
#[utoipa::path(get, path = "/api/v1/skills", tag = "agents",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Skill>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Skill>>, Problem> {
    let rows = skills::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &skills::Skill| {
        row.id.to_string()
    }))
}

/// Read a skill
#[utoipa::path(get, path = "/api/v1/skills/{id}", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Skill), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<SkillId>,
) -> Result<Json<Skill>, Problem> {
    let found = skills::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a skill
#[utoipa::path(post, path = "/api/v1/skills", tag = "agents", params(("company" = Option<String>, Query)),
    request_body = SkillSettings,
    responses((status = 201, body = Skill), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<SkillSettings>,
) -> Result<(StatusCode, Json<Skill>), Problem> {
    let now_ms = app.now_ms();
    let row = skills::Skill {
        id: app.id(SkillId::new),
        company: tenant.company.clone(),
        name: name(&asked.name)?,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let mut db = app.store.begin().await?;
    skills::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("skill.create", &row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a skill
#[utoipa::path(put, path = "/api/v1/skills/{id}", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = SkillSettings,
    responses((status = 200, body = Skill), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<SkillId>,
    Body(asked): Body<SkillSettings>,
) -> Result<Json<Skill>, Problem> {
    let mut db = app.store.begin().await?;
    let old = skills::by_id(&mut *db, &tenant.company, &id).await?;
    let row = skills::Skill {
        name: name(&asked.name)?,
        updated_ms: app.now_ms(),
        ..old.ok_or_else(Problem::not_found)?
    };
    skills::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("skill.update", &row)).await?;
    Ok(Json(row.into()))
}

/// Delete a skill
#[utoipa::path(delete, path = "/api/v1/skills/{id}", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<SkillId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    if super::flows::names(&mut db, id.as_str()).await? {
        return Err(Problem::conflict("in_use"));
    }
    let was = skills::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "skill.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what an agent can do
#[utoipa::path(get, path = "/api/v1/agents/{id}/skills", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = AgentSkills), (status = 404, body = ProblemBody)))]
pub(super) async fn of_agent(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<UserId>,
) -> Result<Json<AgentSkills>, Problem> {
    exists(&app, &tenant, &id).await?;
    let levels = skills::of_user(app.store.pool(), &tenant.company, &id).await?;
    let skills = levels.into_iter().map(|level| SkillLevel {
        skill: level.skill,
        level: level.level,
    });
    Ok(Json(AgentSkills {
        skills: skills.collect(),
    }))
}

/// Say what an agent can do
///
/// What is not in the list they cannot any more.
#[utoipa::path(put, path = "/api/v1/agents/{id}/skills", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = AgentSkills,
    responses((status = 200, body = AgentSkills), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn set_of_agent(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<UserId>,
    Body(asked): Body<AgentSkills>,
) -> Result<Json<AgentSkills>, Problem> {
    if asked.skills.len() > SKILLS_MAX {
        return Err(Problem::field("skills", "out_of_range"));
    }
    exists(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    skills::clear(&mut *db, &tenant.company, &id).await?;
    for given in &asked.skills {
        within(u32::from(given.level), 1, 255, "level")?;
        let level = Level {
            company: tenant.company.clone(),
            user: id.clone(),
            skill: given.skill.clone(),
            level: given.level,
        };
        skills::give(&mut *db, &level).await?;
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "agent.skills",
        target: id.as_str(),
        detail: json!({ "skills": asked.skills }),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(Json(asked))
}

/// Read where an agent may hand work to
#[utoipa::path(get, path = "/api/v1/agents/{id}/transfers", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = TransferRights), (status = 404, body = ProblemBody)))]
pub(super) async fn transfers(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<UserId>,
) -> Result<Json<TransferRights>, Problem> {
    exists(&app, &tenant, &id).await?;
    let found = desk_settings::transfers_of(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.unwrap_or_default().into()))
}

/// Say where an agent may hand work to
#[utoipa::path(put, path = "/api/v1/agents/{id}/transfers", tag = "agents",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = TransferRights,
    responses((status = 200, body = TransferRights), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn set_transfers(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<UserId>,
    Body(asked): Body<TransferRights>,
) -> Result<Json<TransferRights>, Problem> {
    exists(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    for service in asked.services.iter().flatten() {
        let found = services::by_id(&mut *db, &tenant.company, service).await?;
        found.ok_or_else(|| Problem::field("services", "reference"))?;
    }
    let transfers = Transfers::from(asked);
    desk_settings::put_transfers(&mut *db, &tenant.company, &id, &transfers).await?;
    let asked = TransferRights::from(transfers);
    let deed = Deed {
        company: Some(&tenant.company),
        action: "agent.transfers",
        target: id.as_str(),
        detail: json!(asked),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(Json(asked))
}

async fn exists(app: &App, tenant: &Tenant, id: &UserId) -> Result<(), Problem> {
    let found = store::users::by_id(app.store.pool(), Some(&tenant.company), id).await?;
    found.map(|_| ()).ok_or_else(Problem::not_found)
}

fn deed<'a>(action: &'a str, row: &'a skills::Skill) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({ "name": row.name }),
    }
}

/// What one person can do: more than anybody writes down.
const SKILLS_MAX: usize = 200;

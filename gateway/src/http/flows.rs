//! `/flows`: what callers hear and press: a draft that changes, versions that never do.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::id::{CompanyId, FlowId, UserId};
use ivr::simple::SimpleForm;
use ivr::validate::{self, Catalogue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Page;
use store::flows;
use store::prompts::PromptState;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::findings::{Finding, shown};
use super::problem::{Problem, ProblemBody, Tongue};
use super::who::{By, Reads, Tenant, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/flows", get(list).post(create))
        .route("/api/v1/flows/{id}", get(read).delete(delete))
        .route("/api/v1/flows/{id}/draft", get(read_draft).put(save_draft))
        .route(
            "/api/v1/flows/{id}/simple",
            get(read_simple).put(save_simple),
        )
        .route("/api/v1/flows/{id}/validate", post(validate))
        .route("/api/v1/flows/{id}/publish", post(publish))
        .route("/api/v1/flows/{id}/versions", get(versions))
        .route("/api/v1/flows/{id}/versions/{version}", get(version))
        .route("/api/v1/flows/{id}/roll-back", post(roll_back))
        .route("/api/v1/schemas/flow.json", get(flow_schema))
        .route("/api/v1/schemas/simple-form.json", get(simple_form_schema))
}

/// A flow, without what it says.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Flow {
    #[schema(value_type = String)]
    id: FlowId,
    #[schema(value_type = String)]
    company: CompanyId,
    name: String,
    /// Counts the changes of the draft.
    draft_revision: u32,
    /// The last version that was published, whether calls follow it or not.
    last_version: u32,
    /// The version that calls follow; nothing when none was published.
    published: Option<u32>,
    created_ms: i64,
    updated_ms: i64,
}

impl From<flows::Flow> for Flow {
    fn from(row: flows::Flow) -> Self {
        Self {
            id: row.id,
            company: row.company,
            name: row.name,
            draft_revision: row.draft_revision,
            last_version: row.last_version,
            published: row.published,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// A new flow: its first draft is a flow, a simple form, or empty.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Principal"}))]
pub(super) struct NewFlow {
    name: String,
    /// By `/schemas/flow.json`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    flow: Option<Value>,
    /// By `/schemas/simple-form.json`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    simple: Option<Value>,
}

/// A draft.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// The revision that was read; a newer one refuses this one with 409.
    revision: u32,
    /// A new name for the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// By `/schemas/flow.json`.
    #[schema(value_type = Object)]
    flow: Value,
}

/// The draft as a simple form.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"revision": 1, "form": {
    "hours": {"id": "01kb…"},
    "welcome": {"kind": "text", "text": "Olá! Você ligou para a Empresa Exemplo."},
    "closed": {"kind": "text", "text": "Estamos fechados."},
    "services": [{"service": "01kb…", "name": "Vendas"}, {"service": "01kb…", "name": "Suporte"}],
    "unanswered": {"kind": "text", "text": "No momento ninguém pôde atender."},
    "repeat_key": "9"
}}))]
pub(super) struct SimpleDraft {
    /// The revision that was read; a newer one refuses this one with 409.
    revision: u32,
    /// By `/schemas/simple-form.json`.
    #[schema(value_type = Object)]
    form: Value,
}

/// What is wrong with a draft.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Findings {
    revision: u32,
    /// Whether it may be published.
    publishable: bool,
    findings: Vec<Finding>,
}

pub(super) fn parse(value: &Value) -> Result<ivr::Flow, Problem> {
    ivr::Flow::deserialize(value)
        .map_err(|error| Problem::field("flow", "invalid_flow").because(error))
}

/// The flow of a simple form.
fn build(form: &Value) -> Result<Value, Problem> {
    let wrong = |error: &dyn std::error::Error| {
        Problem::field("form", "invalid_flow").because(error.to_string())
    };
    let form = SimpleForm::deserialize(form).map_err(|error| wrong(&error))?;
    let flow = form.build().map_err(|error| wrong(&error))?;
    serde_json::to_value(flow).map_err(|error| Problem::unavailable(&error))
}

pub(super) async fn find(app: &App, tenant: &Tenant, id: &FlowId) -> Result<flows::Flow, Problem> {
    let found = flows::by_id(app.store.pool(), &tenant.company, id).await?;
    found.ok_or_else(Problem::not_found)
}

/// What people call the flows of a company, as many as a page holds.
pub(super) async fn names_of(
    app: &App,
    tenant: &Tenant,
) -> Result<BTreeMap<String, String>, Problem> {
    let rows = flows::list(app.store.pool(), &tenant.company, &Page::first()).await?;
    let named = rows.into_iter().map(|row| (row.id.to_string(), row.name));
    Ok(named.collect())
}

/// Everything that is wrong with `flow` in its company.
pub(super) async fn judge(
    app: &App,
    tenant: &Tenant,
    id: &FlowId,
    flow: &ivr::Flow,
) -> Result<Vec<validate::Finding>, Problem> {
    let db = app.store.pool();
    let own = |company: &CompanyId| *company == tenant.company;
    let prompts = store::prompts::all(db).await?.into_iter();
    let published = prompts.filter(|row| own(&row.company) && row.state == PromptState::Published);
    let services = store::services::all(db)
        .await?
        .into_iter()
        .filter(|row| own(&row.company));
    let skills = store::skills::all(db).await?.into_iter();
    let skills = skills.filter(|row| own(&row.company));
    let calendars = store::calendars::all(db)
        .await?
        .into_iter()
        .filter(|row| own(&row.company));
    let flows = flows::all_published(db)
        .await?
        .into_iter()
        .filter(|row| own(&row.company));
    let calls = |row: flows::Published| {
        let calls = ivr::Flow::deserialize(&row.definition).map(|flow| validate::calls(&flow));
        (row.flow.as_str().into(), calls.unwrap_or_default())
    };
    let voices = app
        .voices
        .list()
        .into_iter()
        .map(|voice| voice.id.to_string().into());
    let catalogue = Catalogue {
        prompts: published.map(|row| row.id.as_str().into()).collect(),
        services: services.map(|row| row.id.as_str().into()).collect(),
        skills: skills.map(|row| row.id.as_str().into()).collect(),
        calendars: calendars.map(|row| row.id.as_str().into()).collect(),
        flows: flows.map(calls).collect(),
        voices: Some(voices.collect::<BTreeSet<_>>()),
    };
    Ok(validate::validate(
        flow,
        Some(&id.as_str().into()),
        &catalogue,
    ))
}

/// List flows
#[utoipa::path(get, path = "/api/v1/flows", tag = "flows",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Flow>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Flow>>, Problem> {
    let rows = flows::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &flows::Flow| {
        row.id.to_string()
    }))
}

/// Add a flow
#[utoipa::path(post, path = "/api/v1/flows", tag = "flows", params(("company" = Option<String>, Query)),
    request_body = NewFlow,
    responses((status = 201, body = Flow), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<NewFlow>,
) -> Result<(StatusCode, Json<Flow>), Problem> {
    let draft = match (asked.flow, asked.simple) {
        (Some(flow), None) => flow,
        (None, Some(form)) => build(&form)?,
        (None, None) => EMPTY
            .parse()
            .map_err(|error: serde_json::Error| Problem::unavailable(&error))?,
        (Some(_), Some(_)) => return Err(Problem::field("simple", "invalid")),
    };
    parse(&draft)?;
    let now_ms = app.now_ms();
    let row = flows::Flow {
        id: app.id(FlowId::new),
        company: tenant.company.clone(),
        name: name(&asked.name)?,
        draft,
        draft_revision: 1,
        last_version: 0,
        published: None,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let mut db = app.store.begin().await?;
    flows::insert(&mut *db, &row).await?;
    let deed = deed(&tenant, "flow.create", &row.id, json!({ "name": row.name }));
    app.commit_quietly(db, &tenant, deed).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Read a flow
#[utoipa::path(get, path = "/api/v1/flows/{id}", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Flow), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<FlowId>,
) -> Result<Json<Flow>, Problem> {
    Ok(Json(find(&app, &tenant, &id).await?.into()))
}

/// Delete a flow and its versions
///
/// Refused while a number is answered by it.
#[utoipa::path(delete, path = "/api/v1/flows/{id}", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<FlowId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let was = flows::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    app.commit(db, &tenant, deed(&tenant, "flow.delete", &id, json!({})))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read the draft
#[utoipa::path(get, path = "/api/v1/flows/{id}/draft", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Draft), (status = 404, body = ProblemBody)))]
pub(super) async fn read_draft(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<FlowId>,
) -> Result<Json<Draft>, Problem> {
    let row = find(&app, &tenant, &id).await?;
    Ok(Json(Draft {
        revision: row.draft_revision,
        name: Some(row.name),
        flow: row.draft,
    }))
}

/// Save the draft
#[utoipa::path(put, path = "/api/v1/flows/{id}/draft", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Draft,
    responses((status = 200, body = Draft), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn save_draft(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<FlowId>,
    Body(asked): Body<Draft>,
) -> Result<Json<Draft>, Problem> {
    parse(&asked.flow)?;
    let new_name = asked.name.as_deref().map(name).transpose()?;
    let (revision, name) = save(&app, &tenant, &id, asked.revision, new_name, &asked.flow).await?;
    Ok(Json(Draft {
        revision,
        name: Some(name),
        flow: asked.flow,
    }))
}

/// Saves a draft over revision `seen`; returns the new revision and the name.
async fn save(
    app: &App,
    tenant: &Tenant,
    id: &FlowId,
    seen: u32,
    new_name: Option<String>,
    flow: &Value,
) -> Result<(u32, String), Problem> {
    let mut db = app.store.begin().await?;
    let row = flows::by_id(&mut *db, &tenant.company, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let name = new_name.unwrap_or(row.name);
    let saved = flows::save_draft(
        &mut *db,
        &tenant.company,
        id,
        seen,
        &name,
        flow,
        app.now_ms(),
    )
    .await?;
    let revision = saved.ok_or_else(|| Problem::conflict("revision"))?;
    let deed = deed(tenant, "flow.draft", id, json!({ "revision": revision }));
    app.commit_quietly(db, tenant, deed).await?;
    Ok((revision, name))
}

/// Read the draft as a simple form
///
/// 409 when it was changed so that it has none.
#[utoipa::path(get, path = "/api/v1/flows/{id}/simple", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = SimpleDraft), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn read_simple(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<FlowId>,
) -> Result<Json<SimpleDraft>, Problem> {
    let row = find(&app, &tenant, &id).await?;
    let form =
        SimpleForm::of(&parse(&row.draft)?).ok_or_else(|| Problem::conflict("not_simple"))?;
    let form = serde_json::to_value(form).map_err(|error| Problem::unavailable(&error))?;
    Ok(Json(SimpleDraft {
        revision: row.draft_revision,
        form,
    }))
}

/// Save a simple form as the draft
#[utoipa::path(put, path = "/api/v1/flows/{id}/simple", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = SimpleDraft,
    responses((status = 200, body = SimpleDraft), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn save_simple(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<FlowId>,
    Body(asked): Body<SimpleDraft>,
) -> Result<Json<SimpleDraft>, Problem> {
    let flow = build(&asked.form)?;
    let (revision, _) = save(&app, &tenant, &id, asked.revision, None, &flow).await?;
    Ok(Json(SimpleDraft {
        revision,
        form: asked.form,
    }))
}

/// What is wrong with the draft?
#[utoipa::path(post, path = "/api/v1/flows/{id}/validate", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Findings), (status = 404, body = ProblemBody)))]
pub(super) async fn validate(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<FlowId>,
    headers: HeaderMap,
) -> Result<Json<Findings>, Problem> {
    let row = find(&app, &tenant, &id).await?;
    let findings = judge(&app, &tenant, &id, &parse(&row.draft)?).await?;
    let publishable = validate::is_publishable(&findings);
    Ok(Json(Findings {
        revision: row.draft_revision,
        publishable,
        findings: shown(&findings, Tongue::of(headers.get(header::ACCEPT_LANGUAGE))),
    }))
}

/// Publish the draft as a new version
///
/// New calls follow it at once; calls that run go on as they are.
#[utoipa::path(post, path = "/api/v1/flows/{id}/publish", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Flow), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn publish(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<FlowId>,
) -> Result<Json<Flow>, Problem> {
    let row = find(&app, &tenant, &id).await?;
    let findings = judge(&app, &tenant, &id, &parse(&row.draft)?).await?;
    if !validate::is_publishable(&findings) {
        return Err(Problem::field("flow", "findings").with_findings(findings));
    }
    let author = match &tenant.who.by {
        By::User { user, .. } => Some(&user.id),
        By::Key(_) => None,
    };
    let mut db = app.store.begin().await?;
    let seen = row.draft_revision;
    let version = flows::publish(&mut db, &tenant.company, &id, seen, author, app.now_ms()).await?;
    let version = version.ok_or_else(|| Problem::conflict("revision"))?;
    app.commit(
        db,
        &tenant,
        deed(&tenant, "flow.publish", &id, json!({ "version": version })),
    )
    .await?;
    Ok(Json(find(&app, &tenant, &id).await?.into()))
}

/// A published version; it never changes.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Version {
    /// Counted from 1.
    version: u32,
    /// What was published.
    #[schema(value_type = Object)]
    flow: Value,
    #[schema(value_type = Option<String>)]
    author: Option<UserId>,
    published_ms: i64,
}

impl From<flows::Version> for Version {
    fn from(row: flows::Version) -> Self {
        let (version, published_ms) = (row.version, row.published_ms);
        Self {
            version,
            flow: row.definition,
            author: row.author,
            published_ms,
        }
    }
}

/// List versions, the newest first
#[utoipa::path(get, path = "/api/v1/flows/{id}/versions", tag = "flows",
    params(("id" = String, Path), Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Version>), (status = 404, body = ProblemBody)))]
pub(super) async fn versions(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<FlowId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Version>>, Problem> {
    find(&app, &tenant, &id).await?;
    let rows = flows::versions(app.store.pool(), &tenant.company, &id, paging.limit()).await?;
    Ok(Listed::of(rows, u32::MAX, |row: &flows::Version| {
        row.version.to_string()
    }))
}

/// Read a version
#[utoipa::path(get, path = "/api/v1/flows/{id}/versions/{version}", tag = "flows",
    params(("id" = String, Path), ("version" = u32, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Version), (status = 404, body = ProblemBody)))]
pub(super) async fn version(
    State(app): State<App>,
    Reads(tenant): Reads,
    Path((id, version)): Path<(String, String)>,
) -> Result<Json<Version>, Problem> {
    let id: FlowId = id.parse().map_err(|_| Problem::not_found())?;
    let version = version.parse().map_err(|_| Problem::not_found())?;
    let found = flows::version(app.store.pool(), &tenant.company, &id, version).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Which version calls shall follow.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollBack {
    version: u32,
}

/// Let calls follow another version
#[utoipa::path(post, path = "/api/v1/flows/{id}/roll-back", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = RollBack,
    responses((status = 200, body = Flow), (status = 404, body = ProblemBody)))]
pub(super) async fn roll_back(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<FlowId>,
    Body(asked): Body<RollBack>,
) -> Result<Json<Flow>, Problem> {
    let mut db = app.store.begin().await?;
    let there =
        flows::roll_back(&mut *db, &tenant.company, &id, asked.version, app.now_ms()).await?;
    if !there {
        return Err(Problem::not_found());
    }
    let detail = json!({ "version": asked.version });
    app.commit(db, &tenant, deed(&tenant, "flow.roll_back", &id, detail))
        .await?;
    Ok(Json(find(&app, &tenant, &id).await?.into()))
}

/// The JSON Schema of flows
#[utoipa::path(get, path = "/api/v1/schemas/flow.json", tag = "flows", security(()),
    responses((status = 200, body = Object)))]
pub(super) async fn flow_schema() -> Json<Value> {
    Json(ivr::schema::flow())
}

/// The JSON Schema of simple forms
#[utoipa::path(get, path = "/api/v1/schemas/simple-form.json", tag = "flows", security(()),
    responses((status = 200, body = Object)))]
pub(super) async fn simple_form_schema() -> Json<Value> {
    Json(ivr::schema::simple_form())
}

fn deed<'a>(tenant: &'a Tenant, action: &'a str, id: &'a FlowId, detail: Value) -> Deed<'a> {
    Deed {
        company: Some(&tenant.company),
        action,
        target: id.as_str(),
        detail,
    }
}

/// A draft to begin with: it answers and hangs up.
const EMPTY: &str = r#"{"format": 1, "entry": "end", "nodes": {"end": {"kind": "hang-up"}}}"#;

/// Whether a published flow names this id anywhere: then callers depend on what it names.
pub(super) async fn names(db: &mut store::Transaction, id: &str) -> Result<bool, Problem> {
    let published = store::flows::all_published(&mut **db).await?;
    Ok(published.iter().any(|flow| holds(&flow.definition, id)))
}

fn holds(value: &serde_json::Value, id: &str) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text == id,
        Value::Array(values) => values.iter().any(|value| holds(value, id)),
        Value::Object(fields) => fields.values().any(|value| holds(value, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

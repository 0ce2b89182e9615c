//! `/companies`: the tenants. Administrators of the installation make them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::CompanyId;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::companies;

use super::body::{Asked, Body, Id, Listed, Paging, language, name};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, Administrator, Who};
use super::{App, Deed};
use crate::usual;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/companies", get(list).post(create))
        .route("/api/v1/companies/{id}", get(read).put(update))
}

/// What can be set of a company.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Empresa Exemplo", "language": "pt-BR", "time_zone": "America/Sao_Paulo"}))]
pub(super) struct CompanySettings {
    name: String,
    /// pt-BR, en or es.
    #[serde(default = "portuguese")]
    language: String,
    /// Of the IANA database.
    #[serde(default = "sao_paulo")]
    time_zone: String,
    /// Whether its calls and log-ins are refused.
    #[serde(default)]
    disabled: bool,
}

fn portuguese() -> String {
    "pt-BR".to_owned()
}

fn sao_paulo() -> String {
    "America/Sao_Paulo".to_owned()
}

/// A company.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Company {
    #[schema(value_type = String)]
    id: CompanyId,
    #[serde(flatten)]
    settings: CompanySettings,
    created_ms: i64,
}

impl From<companies::Company> for Company {
    fn from(row: companies::Company) -> Self {
        let settings = CompanySettings {
            name: row.name,
            language: row.language,
            time_zone: row.time_zone,
            disabled: row.disabled,
        };
        Self {
            id: row.id,
            settings,
            created_ms: row.created_ms,
        }
    }
}

fn row(
    id: CompanyId,
    created_ms: i64,
    asked: CompanySettings,
) -> Result<companies::Company, Problem> {
    let zone = TimeZone::get(&asked.time_zone);
    zone.map_err(|_| Problem::field("time_zone", "invalid_time_zone"))?;
    Ok(companies::Company {
        id,
        name: name(&asked.name)?,
        language: language(&asked.language, "language")?,
        time_zone: asked.time_zone,
        settings: json!({}),
        disabled: asked.disabled,
        created_ms,
    })
}

/// List companies
///
/// One's own; for administrators of the installation, all.
#[utoipa::path(get, path = "/api/v1/companies", tag = "companies", params(Paging),
    responses((status = 200, body = Listed<Company>), (status = 401, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    who: Who,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Company>>, Problem> {
    who.may(Access::Read)?;
    let rows = match &who.company {
        Some(own) => companies::by_id(app.store.pool(), own)
            .await?
            .into_iter()
            .collect(),
        None => companies::list(app.store.pool(), &paging.page()?).await?,
    };
    let limit = if who.company.is_some() {
        u32::MAX
    } else {
        paging.limit()
    };
    Ok(Listed::of(rows, limit, |row: &companies::Company| {
        row.id.to_string()
    }))
}

/// Create a company
#[utoipa::path(post, path = "/api/v1/companies", tag = "companies", request_body = CompanySettings,
    responses((status = 201, body = Company), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Administrator(who): Administrator,
    Body(asked): Body<CompanySettings>,
) -> Result<(StatusCode, Json<Company>), Problem> {
    who.installation()?;
    let row = row(app.id(CompanyId::new), app.now_ms(), asked)?;
    let mut db = app.store.begin().await?;
    companies::insert(&mut *db, &row).await?;
    for pause in usual::pauses(&row.id, &row.language, row.created_ms) {
        store::pauses::insert(&mut *db, &pause).await?;
    }
    app.commit(db, &who, deed("company.create", &row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Read a company
#[utoipa::path(get, path = "/api/v1/companies/{id}", tag = "companies", params(("id" = String, Path)),
    responses((status = 200, body = Company), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    who: Who,
    Id(id): Id<CompanyId>,
) -> Result<Json<Company>, Problem> {
    who.may(Access::Read)?;
    let found = companies::by_id(app.store.pool(), &visible(&who, id)?).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Change a company
#[utoipa::path(put, path = "/api/v1/companies/{id}", tag = "companies", params(("id" = String, Path)),
    request_body = CompanySettings,
    responses((status = 200, body = Company), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Administrator(who): Administrator,
    Id(id): Id<CompanyId>,
    Body(asked): Body<CompanySettings>,
) -> Result<Json<Company>, Problem> {
    let id = visible(&who, id)?;
    let mut db = app.store.begin().await?;
    let old = companies::by_id(&mut *db, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if asked.disabled != old.disabled {
        who.installation()?;
    }
    let row = companies::Company {
        settings: old.settings,
        ..row(id, old.created_ms, asked)?
    };
    companies::update(&mut *db, &row).await?;
    app.commit(db, &who, deed("company.update", &row)).await?;
    Ok(Json(row.into()))
}

/// Another company does not exist for who belongs to one.
fn visible(who: &Who, id: CompanyId) -> Result<CompanyId, Problem> {
    match &who.company {
        Some(own) if *own != id => Err(Problem::not_found()),
        Some(_) | None => Ok(id),
    }
}

fn deed<'a>(action: &'a str, row: &'a companies::Company) -> Deed<'a> {
    let detail = json!({ "name": row.name, "disabled": row.disabled });
    Deed {
        company: Some(&row.id),
        action,
        target: row.id.as_str(),
        detail,
    }
}

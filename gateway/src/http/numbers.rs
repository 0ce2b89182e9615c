//! `/numbers`: what can be dialled, and the flow that answers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{CompanyId, FlowId, NumberId, TrunkId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::numbers;

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::problem::{Problem, ProblemBody};
use super::who::{Reads, Writes};
use super::{App, Deed};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/numbers", get(list).post(create))
        .route("/api/v1/numbers/{id}", get(read).put(update).delete(delete))
}

/// What can be set of a number.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"number": "+551140004000", "name": "Principal", "flow": "01kb…"}))]
pub(super) struct NumberSettings {
    /// E.164 with its plus, or an extension of 2 to 8 digits.
    number: String,
    name: String,
    /// The carrier it comes in through; any when not set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    trunk: Option<TrunkId>,
    /// The flow that answers; without one the call is refused.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    flow: Option<FlowId>,
    /// Points of priority for who calls it.
    #[serde(default)]
    priority: i16,
    /// Whether it is not answered.
    #[serde(default)]
    disabled: bool,
}

/// A number.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Number {
    #[schema(value_type = String)]
    id: NumberId,
    #[schema(value_type = String)]
    company: CompanyId,
    #[serde(flatten)]
    settings: NumberSettings,
    created_ms: i64,
    updated_ms: i64,
}

impl From<numbers::Number> for Number {
    fn from(row: numbers::Number) -> Self {
        let settings = NumberSettings {
            number: row.number,
            name: row.name,
            trunk: row.trunk,
            flow: row.flow,
            priority: row.priority,
            disabled: row.disabled,
        };
        let (created_ms, updated_ms) = (row.created_ms, row.updated_ms);
        Self {
            id: row.id,
            company: row.company,
            settings,
            created_ms,
            updated_ms,
        }
    }
}

fn row(
    id: NumberId,
    company: &CompanyId,
    created_ms: i64,
    updated_ms: i64,
    asked: NumberSettings,
) -> Result<numbers::Number, Problem> {
    Ok(numbers::Number {
        id,
        company: company.clone(),
        number: dialled(&asked.number)?,
        name: name(&asked.name)?,
        trunk: asked.trunk,
        flow: asked.flow,
        priority: asked.priority,
        disabled: asked.disabled,
        created_ms,
        updated_ms,
    })
}

fn dialled(text: &str) -> Result<String, Problem> {
    let text: String = text
        .chars()
        .filter(|letter| !" .()-".contains(*letter))
        .collect();
    let (digits, lengths) = match text.strip_prefix('+') {
        Some(digits) => (digits, 8..=15), // ITU-T E.164 section 6.
        None => (text.as_str(), 2..=8),
    };
    let sane = lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if sane {
        Ok(text)
    } else {
        Err(Problem::field("number", "invalid_number"))
    }
}

/// List numbers
#[utoipa::path(get, path = "/api/v1/numbers", tag = "numbers",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Number>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Number>>, Problem> {
    let rows = numbers::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &numbers::Number| {
        row.id.to_string()
    }))
}

/// Read a number
#[utoipa::path(get, path = "/api/v1/numbers/{id}", tag = "numbers",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Number), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<NumberId>,
) -> Result<Json<Number>, Problem> {
    let found = numbers::by_id(app.store.pool(), &tenant.company, &id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Add a number
#[utoipa::path(post, path = "/api/v1/numbers", tag = "numbers", params(("company" = Option<String>, Query)),
    request_body = NumberSettings,
    responses((status = 201, body = Number), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<NumberSettings>,
) -> Result<(StatusCode, Json<Number>), Problem> {
    let now_ms = app.now_ms();
    let id = app.id(NumberId::new);
    let row = row(id, &tenant.company, now_ms, now_ms, asked)?;
    let mut db = app.store.begin().await?;
    numbers::insert(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("number.create", &row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Change a number
///
/// What is not set gets its default.
#[utoipa::path(put, path = "/api/v1/numbers/{id}", tag = "numbers",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = NumberSettings,
    responses((status = 200, body = Number), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<NumberId>,
    Body(asked): Body<NumberSettings>,
) -> Result<Json<Number>, Problem> {
    let mut db = app.store.begin().await?;
    let old = numbers::by_id(&mut *db, &tenant.company, &id).await?;
    let old = old.ok_or_else(Problem::not_found)?;
    let row = row(id, &tenant.company, old.created_ms, app.now_ms(), asked)?;
    numbers::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("number.update", &row)).await?;
    Ok(Json(row.into()))
}

/// Delete a number
#[utoipa::path(delete, path = "/api/v1/numbers/{id}", tag = "numbers",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<NumberId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let was = numbers::delete(&mut *db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let company = Some(&tenant.company);
    let deed = Deed {
        company,
        action: "number.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn deed<'a>(action: &'a str, row: &'a numbers::Number) -> Deed<'a> {
    let detail = json!({ "number": row.number, "flow": row.flow });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(
            dialled("+55 (11) 4000-4000").ok().as_deref(),
            Some("+551140004000")
        );
        assert_eq!(dialled("4000").ok().as_deref(), Some("4000"));
        for bad in [
            "",
            "+",
            "1",
            "+55114000400012345",
            "abc",
            "+55a1140004000",
            "١٢٣٤",
        ] {
            assert!(dialled(bad).is_err(), "{bad}");
        }
    }
}

//! Contacts that turned out to be one, and contacts that want to be forgotten.

use axum::Json;
use axum::extract::State;
use desk::id::{ContactId, MergeId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::anonymise::Anonymised;
use store::merges;

use super::{Contact, find};
use crate::http::body::{Asked, Body, Id, Listed, Paging};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::who::{Administers, By, Reads, Supervises};
use crate::http::{App, Deed, secret};

/// Who turned out to be the same customer.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Twin {
    /// The contact whose ids and interactions go over, and that is no more seen.
    #[schema(value_type = String)]
    contact: ContactId,
}

/// Two contacts that turned out to be one.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Merge {
    #[schema(value_type = String)]
    id: MergeId,
    #[schema(value_type = String)]
    kept: ContactId,
    #[schema(value_type = String)]
    absorbed: ContactId,
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    at_ms: i64,
    undone_ms: Option<i64>,
}

impl From<merges::Merge> for Merge {
    fn from(row: merges::Merge) -> Self {
        Self {
            id: row.id,
            kept: row.kept,
            absorbed: row.absorbed,
            user: row.user,
            at_ms: row.at_ms,
            undone_ms: row.undone_ms,
        }
    }
}

/// Make one contact of two
///
/// What the contact in the path says of itself stays; ids and interactions of the other go to it.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/merge", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Twin,
    responses((status = 200, body = Merge), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(crate) async fn merge(
    State(app): State<App>,
    Supervises(tenant): Supervises,
    Id(id): Id<ContactId>,
    Body(asked): Body<Twin>,
) -> Result<Json<Merge>, Problem> {
    find(&app, &tenant.company, &id).await?;
    find(&app, &tenant.company, &asked.contact).await?;
    let row = merges::Merge {
        id: app.id(MergeId::new),
        company: tenant.company.clone(),
        kept: id.clone(),
        absorbed: asked.contact,
        user: match &tenant.by {
            By::User { user, .. } => Some(user.id.clone()),
            By::Key(_) => None,
        },
        at_ms: app.now_ms(),
        undone_ms: None,
    };
    let mut db = app.store.begin().await?;
    if !merges::merge(&mut db, &row).await? {
        return Err(Problem::conflict("not_mergeable"));
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "contact.merge",
        target: id.as_str(),
        detail: json!({ "merge": row.id, "absorbed": row.absorbed }),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(Json(row.into()))
}

/// Which merge to undo.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undo {
    #[schema(value_type = String)]
    merge: MergeId,
}

/// Undo a merge
///
/// What came with the other contact is theirs again; what came since stays. Later merges of the
/// contact into others are undone first.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/unmerge", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Undo,
    responses((status = 200, body = Merge), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(crate) async fn unmerge(
    State(app): State<App>,
    Supervises(tenant): Supervises,
    Id(id): Id<ContactId>,
    Body(asked): Body<Undo>,
) -> Result<Json<Merge>, Problem> {
    find(&app, &tenant.company, &id).await?;
    let mut db = app.store.begin().await?;
    let undone = merges::undo(&mut db, &tenant.company, &asked.merge, app.now_ms()).await?;
    let undone = undone.filter(|row| row.kept == id);
    let undone = undone.ok_or_else(|| Problem::conflict("not_mergeable"))?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "contact.unmerge",
        target: id.as_str(),
        detail: json!({ "merge": undone.id, "absorbed": undone.absorbed }),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(Json(undone.into()))
}

/// List the merges into a contact, the oldest first
#[utoipa::path(get, path = "/api/v1/contacts/{id}/merges", tag = "contacts",
    params(("id" = String, Path), Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Merge>), (status = 404, body = ProblemBody)))]
pub(crate) async fn merges(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ContactId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Merge>>, Problem> {
    find(&app, &tenant.company, &id).await?;
    let page = paging.page()?;
    let rows = merges::of_contact(app.store.pool(), &tenant.company, &id, &page).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &merges::Merge| {
        row.id.to_string()
    }))
}

/// Make a contact nobody, for good
///
/// Name, ids, notes, addresses and what they said are gone from here and from their history; when
/// they were served, by whom and for how long stays. Not while something of theirs is open.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/anonymise", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Contact), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(crate) async fn anonymise(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ContactId>,
) -> Result<Json<Contact>, Problem> {
    let mask = secret()?;
    let mut db = app.store.begin().await?;
    let now_ms = app.now_ms();
    let done = store::anonymise::anonymise(&mut db, &tenant.company, &id, &mask, now_ms).await?;
    match done {
        Anonymised::Done => {}
        Anonymised::NotFound => return Err(Problem::not_found()),
        Anonymised::Open => return Err(Problem::conflict("contact_open")),
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "contact.anonymise",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    let row = find(&app, &tenant.company, &id).await?;
    Ok(Json(Contact::whole(&app, row).await?))
}

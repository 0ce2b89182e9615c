//! `/contacts`: the customers, and the ids under which channels know them.
//!
//! Whoever serves customers reads, adds and changes them; to merge, to import and to export takes a
//! supervisor, to delete and to anonymise an administrator. The audit log says what was done to whom
//! and never who they are: it is kept when they are forgotten.

pub(super) mod ids;
pub(super) mod merging;
pub(super) mod tables;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use desk::contact::OwnerFallback;
use desk::id::{CompanyId, ContactId, UserId};
use desk::identity::Identity;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::contacts::{self, Filter, OwnerFilter, Position};
use store::{identities, interactions, users};

use super::body::{Asked, Body, Id, Listed, Paging, name};
use super::interactions::Interaction;
use super::problem::{Problem, ProblemBody};
use super::who::{Knows, Serves, Writes};
use super::{App, Deed};
use ids::{IdentitySeen, IdentityText, Readings};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/contacts", get(list).post(create))
        .route("/api/v1/contacts/import", post(tables::import))
        .route("/api/v1/contacts/export", get(tables::export))
        .route(
            "/api/v1/contacts/{id}",
            get(read).put(update).delete(remove),
        )
        .route("/api/v1/contacts/{id}/interactions", get(history))
        .route("/api/v1/contacts/{id}/identities", post(ids::add_identity))
        .route(
            "/api/v1/contacts/{id}/identities/{identity}",
            delete(ids::remove_identity),
        )
        .route("/api/v1/contacts/{id}/merges", get(merging::merges))
        .route("/api/v1/contacts/{id}/merge", post(merging::merge))
        .route("/api/v1/contacts/{id}/unmerge", post(merging::unmerge))
        .route("/api/v1/contacts/{id}/anonymise", post(merging::anonymise))
}

/// What can be set of a contact.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Maria Souza", "priority": 5, "identities": [{"kind": "phone", "text": "(11) 98765-4321"}]}))]
pub(super) struct ContactSettings {
    name: String,
    /// The agent to whom they belong.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
    /// Who serves them while that one cannot: `{"kind": "queue"}`, `message`, `unassign`,
    /// `backup` with an `agent`, `follow_me` with a `number`.
    #[serde(default)]
    #[schema(value_type = Object)]
    owner_fallback: OwnerFallback,
    /// Points of priority of all their work; below zero they are less urgent.
    #[serde(default)]
    priority: i16,
    /// pt-BR, en or es.
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    notes: String,
    /// Fields of the company's own, by their names.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Whether what comes from them is refused.
    #[serde(default)]
    blocked_in: bool,
    /// Whether nothing may be sent to them, and nobody may call them.
    #[serde(default)]
    blocked_out: bool,
    /// The ids of a new contact; later they come and go one by one.
    #[serde(default, skip_serializing)]
    identities: Vec<IdentityText>,
}

/// A contact.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Contact {
    #[schema(value_type = String)]
    id: ContactId,
    #[schema(value_type = String)]
    company: CompanyId,
    name: String,
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
    #[schema(value_type = Object)]
    owner_fallback: OwnerFallback,
    priority: i16,
    language: Option<String>,
    notes: String,
    fields: BTreeMap<String, String>,
    blocked_in: bool,
    blocked_out: bool,
    /// The ids under which channels know them.
    identities: Vec<IdentitySeen>,
    /// Since when nobody can tell any more who they were.
    anonymised_ms: Option<i64>,
    /// The contact that they turned out to be.
    #[schema(value_type = Option<String>)]
    merged_into: Option<ContactId>,
    created_ms: i64,
    updated_ms: i64,
}

impl Contact {
    fn of(row: contacts::Contact, kept: impl Iterator<Item = identities::Kept>) -> Self {
        Self {
            id: row.id,
            company: row.company,
            name: row.name,
            owner: row.owner,
            owner_fallback: row.owner_fallback,
            priority: row.priority,
            language: row.language,
            notes: row.notes,
            fields: row.fields,
            blocked_in: row.blocked_in,
            blocked_out: row.blocked_out,
            identities: kept.map(Into::into).collect(),
            anonymised_ms: row.anonymised_ms,
            merged_into: row.merged_into,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }

    /// With its ids, as the store has them.
    async fn whole(app: &App, row: contacts::Contact) -> Result<Self, Problem> {
        let kept = identities::of_contact(app.store.pool(), &row.company, &row.id).await?;
        Ok(Self::of(row, kept.into_iter()))
    }
}

async fn find(
    app: &App,
    company: &CompanyId,
    id: &ContactId,
) -> Result<contacts::Contact, Problem> {
    let found = contacts::by_id(app.store.pool(), company, id).await?;
    found.ok_or_else(Problem::not_found)
}

/// Which contacts; what is not set does not matter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Whose name begins so, in any case and with any accents.
    name: Option<String>,
    /// One of whose ids begins so: a telephone, an address, a CPF, a CNPJ. The other filters do not
    /// count then.
    identity: Option<String>,
    /// Those of this agent, by their id; `nobody` for those of nobody.
    owner: Option<String>,
}

impl Wanted {
    fn filter(&self, after: Option<&str>) -> Result<Filter, Problem> {
        let wrong = |field: &str| Problem::malformed("malformed").at(field);
        let owner = match self.owner.as_deref() {
            None => OwnerFilter::Any,
            Some("nobody") => OwnerFilter::Nobody,
            Some(id) => OwnerFilter::Agent(id.parse().map_err(|_| wrong("owner"))?),
        };
        let position = |text: &str| {
            let (id, name) = text.split_once('.').ok_or_else(|| wrong("after"))?;
            let id = id.parse().map_err(|_| wrong("after"))?;
            let name = name.to_owned();
            Ok::<_, Problem>(Position { name, id })
        };
        Ok(Filter {
            name: self.name.clone().unwrap_or_default(),
            owner,
            after: after.map(position).transpose()?,
        })
    }
}

/// List or search contacts, by their names
#[utoipa::path(get, path = "/api/v1/contacts", tag = "contacts",
    params(Paging, Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Contact>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Serves(tenant): Serves,
    Asked(paging): Asked<Paging>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Listed<Contact>>, Problem> {
    let (company, db) = (&tenant.company, app.store.pool());
    if let Some(text) = &wanted.identity {
        return ids::search(&app, company, text, &paging).await;
    }
    let filter = wanted.filter(paging.after())?;
    let rows = contacts::list(db, company, &filter, paging.limit()).await?;
    let mut theirs: BTreeMap<ContactId, Vec<identities::Kept>> = BTreeMap::new();
    if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        let (first, last) = (first.position(), last.position());
        for kept in identities::between(db, company, &first, &last).await? {
            theirs.entry(kept.contact.clone()).or_default().push(kept);
        }
    }
    let place = |row: &Shown| format!("{}.{}", row.place.id, row.place.name);
    let rows = rows.into_iter().map(|row| Shown {
        place: row.position(),
        contact: {
            let kept = theirs.remove(&row.id).unwrap_or_default();
            Contact::of(row, kept.into_iter())
        },
    });
    Ok(Listed::of(rows.collect(), paging.limit(), place))
}

/// A contact in a list, with its place.
struct Shown {
    place: Position,
    contact: Contact,
}

impl From<Shown> for Contact {
    fn from(shown: Shown) -> Self {
        shown.contact
    }
}

/// Read a contact
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Contact), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Serves(tenant): Serves,
    Id(id): Id<ContactId>,
) -> Result<Json<Contact>, Problem> {
    let row = find(&app, &tenant.company, &id).await?;
    Ok(Json(Contact::whole(&app, row).await?))
}

/// Add a contact
#[utoipa::path(post, path = "/api/v1/contacts", tag = "contacts", params(("company" = Option<String>, Query)),
    request_body = ContactSettings,
    responses((status = 201, body = Contact), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    State(app): State<App>,
    Knows(tenant): Knows,
    Body(mut asked): Body<ContactSettings>,
) -> Result<(StatusCode, Json<Contact>), Problem> {
    let readings = Readings::of(&app, &tenant.company).await?;
    let read = |text: &IdentityText| readings.read(text);
    let own = std::mem::take(&mut asked.identities);
    if own.len() > IDENTITIES_MAX {
        return Err(Problem::field("identities", "out_of_range"));
    }
    let own: Vec<Identity> = own.iter().map(read).collect::<Result<_, _>>()?;
    let now_ms = app.now_ms();
    let row = row(
        &app,
        app.id(ContactId::new),
        &tenant.company,
        asked,
        &readings,
    )
    .await?;
    let row = contacts::Contact {
        created_ms: now_ms,
        updated_ms: now_ms,
        ..row
    };
    let mut db = app.store.begin().await?;
    contacts::insert(&mut *db, &row).await?;
    for identity in &own {
        let id = app.id(desk::id::IdentityId::new);
        let given = (&id, identity);
        identities::insert(&mut *db, &tenant.company, &row.id, given, now_ms).await?;
    }
    app.commit_quietly(db, &tenant, deed("contact.create", &row))
        .await?;
    Ok((StatusCode::CREATED, Json(Contact::whole(&app, row).await?)))
}

/// Change a contact
///
/// What is not set gets its default; ids come and go by `/identities`.
#[utoipa::path(put, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = ContactSettings,
    responses((status = 200, body = Contact), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Knows(tenant): Knows,
    Id(id): Id<ContactId>,
    Body(asked): Body<ContactSettings>,
) -> Result<Json<Contact>, Problem> {
    let old = find(&app, &tenant.company, &id).await?;
    if !asked.identities.is_empty() {
        return Err(Problem::field("identities", "invalid"));
    }
    let readings = Readings::of(&app, &tenant.company).await?;
    let row = row(&app, id, &tenant.company, asked, &readings).await?;
    let row = contacts::Contact {
        created_ms: old.created_ms,
        updated_ms: app.now_ms(),
        ..row
    };
    let mut db = app.store.begin().await?;
    if !contacts::update(&mut *db, &row).await? {
        // It is there, and merged or anonymised: nothing of it changes.
        return Err(Problem::conflict("contact_closed"));
    }
    app.commit_quietly(db, &tenant, deed("contact.update", &row))
        .await?;
    Ok(Json(Contact::whole(&app, row).await?))
}

/// Delete a contact
///
/// Only one without interactions, and who is no part of a merge; all others can be anonymised.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn remove(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<ContactId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let was = contacts::delete(&mut db, &tenant.company, &id).await;
    if !was.map_err(Problem::of_delete)? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "contact.delete",
        target: id.as_str(),
        detail: json!({}),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the interactions of a contact, the newest first
#[utoipa::path(get, path = "/api/v1/contacts/{id}/interactions", tag = "contacts",
    params(("id" = String, Path), Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Interaction>), (status = 404, body = ProblemBody)))]
pub(super) async fn history(
    State(app): State<App>,
    Serves(tenant): Serves,
    Id(id): Id<ContactId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Interaction>>, Problem> {
    find(&app, &tenant.company, &id).await?;
    let before = paging
        .after()
        .map(super::interactions::position)
        .transpose()?;
    let (db, limit) = (app.store.pool(), paging.limit());
    let rows = interactions::of_contact(db, &tenant.company, &id, before.as_ref(), limit).await?;
    let rows = rows.into_iter().map(interactions::Interaction::in_short);
    Ok(Listed::of(
        rows.collect::<Vec<_>>(),
        limit,
        super::interactions::place,
    ))
}

/// The row of what was asked, but for its times.
async fn row(
    app: &App,
    id: ContactId,
    company: &CompanyId,
    asked: ContactSettings,
    readings: &Readings,
) -> Result<contacts::Contact, Problem> {
    let language = asked.language.filter(|text| !text.is_empty());
    let language = language.map(|text| super::body::language(&text, "language"));
    if asked.notes.chars().count() > NOTES_LENGTH_MAX {
        return Err(Problem::field("notes", "out_of_range"));
    }
    if !are_short(&asked.fields) {
        return Err(Problem::field("fields", "out_of_range"));
    }
    Ok(contacts::Contact {
        id,
        company: company.clone(),
        name: name(&asked.name)?,
        owner: asked.owner,
        owner_fallback: fallback(app, company, asked.owner_fallback, readings).await?,
        priority: asked.priority,
        language: language.transpose()?,
        notes: asked.notes,
        fields: asked.fields,
        blocked_in: asked.blocked_in,
        blocked_out: asked.blocked_out,
        anonymised_ms: None,
        merged_into: None,
        created_ms: 0,
        updated_ms: 0,
    })
}

/// Whether fields of the company's own are few and short.
fn are_short(fields: &BTreeMap<String, String>) -> bool {
    let is_short = |(name, value): (&String, &String)| {
        (1..=FIELD_NAME_LENGTH_MAX).contains(&name.chars().count())
            && value.chars().count() <= FIELD_LENGTH_MAX
    };
    fields.len() <= FIELDS_MAX && fields.iter().all(is_short)
}

async fn fallback(
    app: &App,
    company: &CompanyId,
    asked: OwnerFallback,
    readings: &Readings,
) -> Result<OwnerFallback, Problem> {
    match asked {
        OwnerFallback::Backup { agent } => {
            let found = users::by_id(app.store.pool(), Some(company), &agent).await?;
            found.ok_or_else(|| Problem::field("owner_fallback", "reference"))?;
            Ok(OwnerFallback::Backup { agent })
        }
        OwnerFallback::FollowMe { number } => {
            let number = readings
                .phone(&number)
                .map_err(|wrong| wrong.at("owner_fallback"))?;
            Ok(OwnerFallback::FollowMe {
                number: number.external_id().to_owned(),
            })
        }
        OwnerFallback::Queue | OwnerFallback::Message | OwnerFallback::Unassign => Ok(asked),
    }
}

fn deed<'a>(action: &'a str, row: &'a contacts::Contact) -> Deed<'a> {
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail: json!({}),
    }
}

/// Ids of one contact at once: ten telephones and what every channel may add.
const IDENTITIES_MAX: usize = 50;

/// Letters of notes: some pages.
const NOTES_LENGTH_MAX: usize = 10_000;

/// Fields of a company's own: more is a database of its own.
const FIELDS_MAX: usize = 50;

/// Letters of the name of a field.
const FIELD_NAME_LENGTH_MAX: usize = 100;

/// Letters of a field.
const FIELD_LENGTH_MAX: usize = 1_000;

//! `/contacts/{id}/identities`: the ids under which channels know a contact.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use desk::id::{CompanyId, ContactId, IdentityId};
use desk::identity::{CpfKey, Identity, IdentityKind, InvalidIdentity, Reading};
use desk::numbering::{Place, brazil};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::identities;

use super::{Contact, find};
use crate::http::body::{Body, Id, Listed, Paging};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::who::Knows;
use crate::http::{App, Deed};
use crate::setup::COUNTRY_CODE;
use crate::setup::outbound::OutboundRules;

/// An id as people or channels write it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "phone", "text": "(11) 98765-4321"}))]
pub(crate) struct IdentityText {
    /// `phone`, `wa_id`, `wa_bsuid`, `wa_parent_bsuid`, `email`, `cpf`, `cnpj`, `psid`, `igsid`,
    /// `ml_user`, `tg_chat`, `x_user` or `generic`.
    #[schema(value_type = String)]
    kind: IdentityKind,
    /// The page, account, portfolio, site or channel, for the kinds that have one.
    #[serde(default)]
    scope: String,
    text: String,
}

/// An id of a contact.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct IdentitySeen {
    #[schema(value_type = String)]
    id: IdentityId,
    #[schema(value_type = String)]
    kind: IdentityKind,
    scope: String,
    /// As the channel wants it; of a CPF the last digits.
    external_id: String,
    created_ms: i64,
    /// Since when they want no advertising there: they said so, or the provider did.
    no_marketing_ms: Option<i64>,
}

impl From<identities::Kept> for IdentitySeen {
    fn from(row: identities::Kept) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            scope: row.scope,
            external_id: row.external_id,
            created_ms: row.created_ms,
            no_marketing_ms: row.no_marketing_ms,
        }
    }
}

/// How ids are read in a company.
pub(crate) struct Readings {
    area: Option<String>,
    cpf_key: CpfKey,
}

impl Readings {
    pub(crate) async fn of(app: &App, company: &CompanyId) -> Result<Self, Problem> {
        let rules = store::outbound::rules_of(app.store.pool(), company).await?;
        let rules = rules.and_then(|row| serde_json::from_value::<OutboundRules>(row.rules).ok());
        let rules = rules.unwrap_or_default();
        let shown = rules.caller_number.as_deref().and_then(brazil::area_of);
        Ok(Self {
            area: rules.area_code.clone().or_else(|| shown.map(str::to_owned)),
            cpf_key: app.secrets.cpf_key(),
        })
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            place: Place {
                country: COUNTRY_CODE,
                area: self.area.as_deref(),
            },
            cpf_key: &self.cpf_key,
        }
    }

    pub(crate) fn read(&self, text: &IdentityText) -> Result<Identity, Problem> {
        self.of_kind(text.kind, &text.scope, &text.text)
    }

    pub(crate) fn of_kind(
        &self,
        kind: IdentityKind,
        scope: &str,
        text: &str,
    ) -> Result<Identity, Problem> {
        Identity::read(kind, scope, text, self.reading()).map_err(refused)
    }

    pub(crate) fn phone(&self, text: &str) -> Result<Identity, Problem> {
        Identity::phone(text, self.reading().place).map_err(refused)
    }

    /// What the ids that begin so begin with in the store: whole numbers in their normal form, and
    /// what may be the beginning of one.
    fn beginnings(&self, text: &str) -> Vec<String> {
        let text = text.trim();
        let whole = [IdentityKind::Phone, IdentityKind::Cpf, IdentityKind::Cnpj];
        let whole = whole.iter().filter_map(|kind| {
            let identity = Identity::read(*kind, "", text, self.reading()).ok()?;
            Some(identity.lookup().to_owned())
        });
        let mut found: Vec<String> = whole.collect();
        if !found.is_empty() || text.is_empty() {
            return found;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_number = text
            .chars()
            .all(|letter| "+ -.()/".contains(letter) || letter.is_ascii_digit());
        found.push(match is_number {
            true if text.starts_with('+') => format!("+{digits}"),
            true => format!("+{COUNTRY_CODE}{digits}"),
            false => text.to_lowercase(),
        });
        // What other systems give is in their own case, and may be digits.
        found.push(text.to_owned());
        found.dedup();
        found
    }
}

fn refused(wrong: InvalidIdentity) -> Problem {
    Problem::field("identities", wrong.code()).because(wrong)
}

/// Contacts by how an id of theirs begins.
pub(super) async fn search(
    app: &App,
    company: &CompanyId,
    text: &str,
    paging: &Paging,
) -> Result<Json<Listed<Contact>>, Problem> {
    let after = paging.after().map(position).transpose()?;
    let (db, limit) = (app.store.pool(), paging.limit());
    let mut found = vec![];
    for begins in Readings::of(app, company).await?.beginnings(text) {
        found.extend(identities::search(db, company, &begins, after.as_ref(), limit).await?);
    }
    found.sort_by(|(_, one), (_, other)| (&one.lookup, &one.id).cmp(&(&other.lookup, &other.id)));
    found.dedup_by(|(_, one), (_, other)| one == other);
    found.truncate(limit as usize);
    let mut rows: Vec<Found> = vec![];
    for (row, place) in found {
        rows.push(Found {
            contact: Contact::whole(app, row).await?,
            place,
        });
    }
    let place = |row: &Found| format!("{}.{}", row.place.id, row.place.lookup);
    Ok(Listed::of(rows, limit, place))
}

/// A contact that a search found, with its place.
struct Found {
    place: identities::Position,
    contact: Contact,
}

impl From<Found> for Contact {
    fn from(found: Found) -> Self {
        found.contact
    }
}

/// `id.lookup`, as the page before gave it.
fn position(text: &str) -> Result<identities::Position, Problem> {
    let wrong = || Problem::malformed("malformed").at("after");
    let (id, lookup) = text.split_once('.').ok_or_else(wrong)?;
    Ok(identities::Position {
        lookup: lookup.to_owned(),
        id: id.parse().map_err(|_| wrong())?,
    })
}

/// Give a contact an id
#[utoipa::path(post, path = "/api/v1/contacts/{id}/identities", tag = "contacts",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = IdentityText,
    responses((status = 201, body = Contact), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn add_identity(
    State(app): State<App>,
    Knows(tenant): Knows,
    Id(id): Id<ContactId>,
    Body(asked): Body<IdentityText>,
) -> Result<(StatusCode, Json<Contact>), Problem> {
    let row = find(&app, &tenant.company, &id).await?;
    if row.merged_into.is_some() || row.anonymised_ms.is_some() {
        return Err(Problem::conflict("contact_closed"));
    }
    let identity = Readings::of(&app, &tenant.company).await?.read(&asked)?;
    let own = app.id(IdentityId::new);
    let mut db = app.store.begin().await?;
    let given = (&own, &identity);
    identities::insert(&mut *db, &tenant.company, &id, given, app.now_ms()).await?;
    let detail = json!({ "identity": own, "kind": identity.kind() });
    let deed = Deed {
        company: Some(&tenant.company),
        action: "contact.add_identity",
        target: id.as_str(),
        detail,
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok((StatusCode::CREATED, Json(Contact::whole(&app, row).await?)))
}

/// Take an id from a contact
#[utoipa::path(delete, path = "/api/v1/contacts/{id}/identities/{identity}", tag = "contacts",
    params(("id" = String, Path), ("identity" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(crate) async fn remove_identity(
    State(app): State<App>,
    Knows(tenant): Knows,
    Path((contact, identity)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let contact: ContactId = contact.parse().map_err(|_| Problem::not_found())?;
    let identity: IdentityId = identity.parse().map_err(|_| Problem::not_found())?;
    let mut db = app.store.begin().await?;
    if !identities::delete(&mut db, &tenant.company, &contact, &identity).await? {
        return Err(Problem::not_found());
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "contact.remove_identity",
        target: contact.as_str(),
        detail: json!({ "identity": identity }),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

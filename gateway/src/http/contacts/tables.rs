//! Many contacts at once: tables of spreadsheets in and out, a page of them in memory.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use desk::contact::table::{self, Columns, Line, PHONES_MAX, Person, Reader, TableError};
use desk::id::{CompanyId, ContactId, IdentityId, UserId};
use desk::identity::{Identity, IdentityKind};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::contacts::{self, Filter};
use store::{Store, Transaction, identities, users};

use super::{NOTES_LENGTH_MAX, Readings, are_short};
use crate::http::body::{Asked, language, name};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::who::{Reads, Supervises, Tenant};
use crate::http::{App, Deed};

/// What becomes of those who are known already.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Importing {
    /// Whether a line with a telephone, address, CPF or CNPJ that is known changes that contact;
    /// otherwise it is refused.
    #[serde(default)]
    update: bool,
}

/// What became of a table.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Imported {
    /// Lines that became contacts.
    created: u32,
    /// Lines that changed contacts.
    updated: u32,
    /// Lines that were refused.
    refused: u32,
    /// Why, of the first hundred.
    refusals: Vec<Refusal>,
    /// The line with which to go on, where the table is longer than one request may be.
    next_line: Option<u64>,
}

/// A line that was refused.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Refusal {
    /// Which line of the file, counted from 1.
    line: u64,
    /// Why, in one word: as of a refusal of one contact.
    code: &'static str,
}

/// Import contacts from a table
///
/// A CSV with `;` whose first line names the columns: `Nome` (needed), `Telefone1` … `Telefone10`,
/// `Email`, `CPF`, `CNPJ`, `Responsavel` (an agent's e-mail address), `Prioridade`, `Idioma`,
/// `Observacoes`, `Campos` (`["Campo","Valor"|"Campo2","Valor2"]`); any other column is a field of the
/// company's own. At most 20,000 lines at once: `next_line` says where to go on.
#[utoipa::path(post, path = "/api/v1/contacts/import", tag = "contacts",
    params(Importing, ("company" = Option<String>, Query)),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Imported), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn import(
    State(app): State<App>,
    Supervises(tenant): Supervises,
    Asked(asked): Asked<Importing>,
    body: Body,
) -> Result<Json<Imported>, Problem> {
    let mut import = Import {
        readings: Readings::of(&app, &tenant.company).await?,
        owners: owners(&app.store, &tenant.company).await?,
        app: &app,
        tenant: &tenant,
        may_update: asked.update,
        columns: None,
        lines: 0,
        done: Imported::default(),
    };
    let (mut reader, mut waiting) = (Reader::default(), vec![]);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece: Bytes = piece.map_err(|_| Problem::malformed("malformed"))?;
        for part in piece.chunks(PART_BYTES) {
            reader.push(part, &mut waiting).map_err(unreadable)?;
            while waiting.len() >= BATCH_LINES {
                import.take(waiting.drain(..BATCH_LINES).collect()).await?;
            }
            if import.done.next_line.is_some() {
                return Ok(Json(import.done));
            }
        }
    }
    waiting.extend(reader.finish().map_err(unreadable)?);
    import.take(waiting).await?;
    if import.columns.is_none() {
        return Err(unreadable(TableError::NoNames));
    }
    Ok(Json(import.done))
}

fn unreadable(why: TableError) -> Problem {
    Problem::field("file", "invalid_table").because(why)
}

/// The agents of a company by their addresses.
async fn owners(store: &Store, company: &CompanyId) -> Result<BTreeMap<String, UserId>, Problem> {
    let (mut owners, mut page) = (BTreeMap::new(), store::Page::first());
    loop {
        let found = users::list(store.pool(), Some(company), &page).await?;
        page.after = found.last().map(|user| user.id.clone());
        let is_last = found.len() < store::PAGE_MAX as usize;
        owners.extend(found.into_iter().map(|user| (user.email, user.id)));
        if is_last {
            return Ok(owners);
        }
    }
}

/// A table that comes in.
struct Import<'a> {
    app: &'a App,
    tenant: &'a Tenant,
    readings: Readings,
    owners: BTreeMap<String, UserId>,
    may_update: bool,
    /// What the columns hold, once the first line was there.
    columns: Option<Columns>,
    lines: usize,
    done: Imported,
}

impl Import<'_> {
    /// Takes lines in, in one transaction.
    async fn take(&mut self, lines: Vec<Line>) -> Result<(), Problem> {
        let mut lines = lines.into_iter();
        let columns = match self.columns.take() {
            Some(columns) => columns,
            None => match lines.next() {
                Some(first) => Columns::of(&first).map_err(unreadable)?,
                None => return Ok(()),
            },
        };
        let before = (self.done.created, self.done.updated);
        let mut db = self.app.store.begin().await?;
        for line in lines {
            if self.lines >= IMPORT_LINES_MAX {
                self.done.next_line = Some(line.number);
                break;
            }
            self.lines += 1;
            match self.person(&mut db, columns.person(&line)).await? {
                Ok(true) => self.done.created += 1,
                Ok(false) => self.done.updated += 1,
                Err(code) => self.refuse(line.number, code),
            }
        }
        self.columns = Some(columns);
        let deed = Deed {
            company: Some(&self.tenant.company),
            action: "contact.import",
            target: "",
            detail: json!({
                "created": self.done.created - before.0,
                "updated": self.done.updated - before.1,
            }),
        };
        self.app.commit_quietly(db, self.tenant, deed).await
    }

    fn refuse(&mut self, line: u64, code: &'static str) {
        self.done.refused += 1;
        if self.done.refusals.len() < REFUSALS_MAX {
            self.done.refusals.push(Refusal { line, code });
        }
    }

    /// One line: whether it became a contact or changed one, or why neither.
    async fn person(
        &self,
        db: &mut Transaction,
        person: Person,
    ) -> Result<Result<bool, &'static str>, Problem> {
        let (row, own) = match self.read(&person) {
            Ok(read) => read,
            Err(wrong) => return Ok(Err(wrong.code())),
        };
        let met = contacts::meet(db, &self.tenant.company, &own).await?;
        if let Some(met) = &met
            && (!self.may_update || !met.others.is_empty())
        {
            return Ok(Err("taken"));
        }
        let met = contacts::find_or_create(db, &row, &own).await?;
        if !met.is_new {
            contacts::update(&mut **db, &changed(met.contact, &person, row)).await?;
        }
        Ok(Ok(met.is_new))
    }

    fn read(
        &self,
        person: &Person,
    ) -> Result<(contacts::Contact, Vec<(IdentityId, Identity)>), Problem> {
        if person.phones.len() > PHONES_MAX || person.notes.chars().count() > NOTES_LENGTH_MAX {
            return Err(Problem::field("phones", "out_of_range"));
        }
        if !are_short(&person.fields) {
            return Err(Problem::field("fields", "out_of_range"));
        }
        let phones = person.phones.iter().map(|text| (IdentityKind::Phone, text));
        let emails = person.emails.iter().map(|text| (IdentityKind::Email, text));
        let numbers = [
            (IdentityKind::Cpf, &person.cpf),
            (IdentityKind::Cnpj, &person.cnpj),
        ];
        let all = phones.chain(emails).chain(numbers);
        let own = all
            .filter(|(_, text)| !text.is_empty())
            .map(|(kind, text)| {
                let id = self.app.id(IdentityId::new);
                Ok((id, self.readings.of_kind(kind, "", text)?))
            });
        let own = own.collect::<Result<Vec<_>, Problem>>()?;
        let owner = match person.owner.to_lowercase() {
            none if none.is_empty() => None,
            address => {
                let found = self.owners.get(&address).cloned();
                Some(found.ok_or_else(|| Problem::field("owner", "reference"))?)
            }
        };
        let priority = match person.priority.as_str() {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| Problem::field("priority", "out_of_range"))?,
        };
        let language = match person.language.as_str() {
            "" => None,
            text => Some(language(text, "language")?),
        };
        let now_ms = self.app.now_ms();
        let row = contacts::Contact {
            id: self.app.id(ContactId::new),
            company: self.tenant.company.clone(),
            name: name(&person.name)?,
            owner,
            owner_fallback: desk::contact::OwnerFallback::default(),
            priority,
            language,
            notes: person.notes.clone(),
            fields: person.fields.clone(),
            blocked_in: false,
            blocked_out: false,
            anonymised_ms: None,
            merged_into: None,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        Ok((row, own))
    }
}

/// A contact that is known, with what a line says anew; what the line leaves empty stays.
fn changed(
    mut known: contacts::Contact,
    person: &Person,
    row: contacts::Contact,
) -> contacts::Contact {
    known.name = row.name;
    known.owner = row.owner.or(known.owner);
    known.language = row.language.or(known.language);
    known.fields.extend(row.fields);
    known.updated_ms = row.updated_ms;
    if !person.priority.is_empty() {
        known.priority = row.priority;
    }
    if !person.notes.is_empty() {
        known.notes = row.notes;
    }
    known
}

/// All contacts as a table
///
/// As `/contacts/import` takes it. Of a CPF only a hash is known: it is not in the table.
#[utoipa::path(get, path = "/api/v1/contacts/export", tag = "contacts",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody)))]
pub(crate) async fn export(
    State(app): State<App>,
    Reads(tenant): Reads,
) -> Result<impl IntoResponse, Problem> {
    let owners = owners(&app.store, &tenant.company).await?;
    let owners = owners
        .into_iter()
        .map(|(address, id)| (id, address))
        .collect();
    let export = Export {
        store: app.store.clone(),
        company: tenant.company.clone(),
        owners,
        filter: Filter::default(),
        is_over: false,
    };
    let pages = stream::unfold(export, |mut export| async {
        let page = export.page().await.transpose()?;
        Some((page, export))
    });
    let header = stream::iter([Ok(format!("\u{feff}{}", table::header()))]);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"contacts.csv\"",
        ),
    ];
    Ok((headers, Body::from_stream(header.chain(pages))))
}

/// A table that goes out.
struct Export {
    store: Store,
    company: CompanyId,
    /// The agents' addresses.
    owners: BTreeMap<UserId, String>,
    /// With the place of the last page.
    filter: Filter,
    is_over: bool,
}

impl Export {
    /// The next lines; none behind the last ones.
    async fn page(&mut self) -> Result<Option<String>, store::Error> {
        if self.is_over {
            return Ok(None);
        }
        let db = self.store.pool();
        let rows = contacts::list(db, &self.company, &self.filter, store::PAGE_MAX).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(None);
        };
        let (first, last) = (first.position(), last.position());
        let mut theirs: BTreeMap<ContactId, Vec<identities::Kept>> = BTreeMap::new();
        for kept in identities::between(db, &self.company, &first, &last).await? {
            theirs.entry(kept.contact.clone()).or_default().push(kept);
        }
        self.filter.after = Some(last);
        self.is_over = rows.len() < store::PAGE_MAX as usize;
        let mut lines = String::new();
        for row in rows.iter().filter(|row| row.anonymised_ms.is_none()) {
            let kept = theirs.remove(&row.id).unwrap_or_default();
            lines.push_str(&table::line(&self.person(row, &kept)));
        }
        Ok(Some(lines))
    }

    fn person(&self, row: &contacts::Contact, kept: &[identities::Kept]) -> Person {
        let of_kind = |wanted: IdentityKind| {
            let own = kept.iter().filter(move |one| one.kind == wanted);
            own.map(|one| one.external_id.clone())
        };
        let owner = row.owner.as_ref().and_then(|owner| self.owners.get(owner));
        Person {
            name: row.name.clone(),
            phones: of_kind(IdentityKind::Phone).collect(),
            emails: of_kind(IdentityKind::Email).collect(),
            cpf: String::new(),
            cnpj: of_kind(IdentityKind::Cnpj).next().unwrap_or_default(),
            owner: owner.cloned().unwrap_or_default(),
            priority: row.priority.to_string(),
            language: row.language.clone().unwrap_or_default(),
            notes: row.notes.clone(),
            fields: row.fields.clone(),
        }
    }
}

/// Lines in one transaction: other writers wait no longer than for so many.
const BATCH_LINES: usize = 100;

/// Bytes that are cut into lines at once: no more lines than a batch or two.
const PART_BYTES: usize = 4096;

/// Lines in one request: what a slow disk takes in before it times out.
const IMPORT_LINES_MAX: usize = 20_000;

/// Refusals that are told one by one.
const REFUSALS_MAX: usize = 100;

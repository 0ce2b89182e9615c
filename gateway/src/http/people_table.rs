//! `/users/import`: many people at once, from a table of a spreadsheet.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use desk::contact::fold;
use desk::contact::table::{Line, Reader, TableError};
use desk::id::{ProfileId, ServiceId, UserId};
use serde::Serialize;
use serde_json::json;
use store::users::{self, Role};
use store::{Page, agents, devices, profiles, services};

use super::body::name;
use super::problem::{Problem, ProblemBody};
use super::session::hash;
use super::softphone::window;
use super::users::{check_password, email, may_be};
use super::who::{Administers, Tenant};
use super::{App, Deed, generator};
use crate::api_key;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/users/import", post(import))
}

/// What became of a table of people.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct PeopleImported {
    /// Who was added, with the passwords that were made up for them, which are shown this one time.
    made: Vec<PersonMade>,
    /// Lines that were refused; the others are in.
    refusals: Vec<PersonRefused>,
}

/// Somebody who was added.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PersonMade {
    #[schema(value_type = String)]
    id: UserId,
    email: String,
    /// Where the table had none.
    password: Option<String>,
}

/// A line that was refused.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PersonRefused {
    /// Which line of the file, counted from 1.
    line: u64,
    /// The column that is at fault, as of a person's fields.
    field: String,
    /// Why, in one word: as of a refusal of one person.
    code: String,
}

/// Import people from a table
///
/// A CSV with `;` whose first line names the columns: `Nome` and `Email` (needed), `Papel` (`agente`,
/// `supervisor`, `administrador`; an agent when empty), `Perfil` (a profile's name), `Servicos` (names,
/// with `,` between them), `Ramal`, `Senha` (made up when empty). At most 500 lines. A line that is refused
/// keeps no other from being taken.
#[utoipa::path(post, path = "/api/v1/users/import", operation_id = "import_users", tag = "people",
    params(("company" = Option<String>, Query)),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = PeopleImported), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn import(
    State(app): State<App>,
    Administers(tenant): Administers,
    body: Bytes,
) -> Result<Json<PeopleImported>, Problem> {
    let lines = lines(&body)?;
    let mut lines = lines.into_iter();
    let columns = Columns::of(&lines.next().ok_or_else(nameless)?)?;
    if lines.len() > LINES_MAX {
        return Err(Problem::field("file", "too_many"));
    }
    let known = Known::of(&app, &tenant).await?;
    let (mut done, mut rows) = (PeopleImported::default(), vec![]);
    let mut taken = BTreeSet::new();
    for line in lines.filter(|line| line.cells.iter().any(|cell| !cell.trim().is_empty())) {
        let cells = columns.cells(&line);
        match person(&app, &tenant, &known, &cells, &mut taken).await {
            Ok(person) => rows.push(person),
            Err(problem) => done.refusals.push(PersonRefused {
                line: line.number,
                field: problem.at_field().unwrap_or_default().to_owned(),
                code: problem.code().to_owned(),
            }),
        }
    }
    let mut db = app.store.begin().await?;
    for person in rows {
        insert(&mut db, &tenant, &person).await?;
        done.made.push(PersonMade {
            id: person.row.id,
            email: person.row.email,
            password: person.made_up,
        });
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "user.import",
        target: tenant.company.as_str(),
        detail: json!({ "created": done.made.len(), "refused": done.refusals.len() }),
    };
    app.commit(db, &tenant, deed).await?;
    Ok(Json(done))
}

/// What a table may name.
struct Known {
    services: BTreeMap<String, ServiceId>,
    profiles: BTreeMap<String, ProfileId>,
    /// Those that telephones have already.
    extensions: BTreeSet<String>,
}

impl Known {
    async fn of(app: &App, tenant: &Tenant) -> Result<Self, Problem> {
        let (pool, company) = (app.store.pool(), &tenant.company);
        let services = services::all(pool).await?.into_iter();
        let services = services.filter(|one| one.company == *company);
        let profiles = profiles::list(pool, company, &Page::first()).await?;
        let devices = devices::all(pool).await?.into_iter();
        let devices = devices.filter(|one| one.company == *company);
        Ok(Self {
            services: services.map(|one| (fold(&one.name), one.id)).collect(),
            profiles: profiles
                .into_iter()
                .map(|one| (fold(&one.name), one.id))
                .collect(),
            extensions: devices.filter_map(|one| one.extension).collect(),
        })
    }
}

/// Somebody to add.
struct Person {
    row: users::User,
    services: Vec<ServiceId>,
    /// Their window, where they are to have an extension.
    device: Option<devices::Device>,
    made_up: Option<String>,
}

async fn person(
    app: &App,
    tenant: &Tenant,
    known: &Known,
    cells: &BTreeMap<Column, String>,
    taken: &mut BTreeSet<String>,
) -> Result<Person, Problem> {
    let cell = |column| cells.get(&column).map_or("", String::as_str);
    let email = email(cell(Column::Email))?;
    let is_taken = users::by_email(app.store.pool(), &email).await?.is_some();
    if is_taken || !taken.insert(email.clone()) {
        return Err(Problem::field("email", "taken"));
    }
    let made_up = match cell(Column::Password) {
        "" => Some(api_key::letters(&mut generator()?, PASSWORD_LETTERS)),
        _ => None,
    };
    let password = made_up.as_deref().unwrap_or(cell(Column::Password));
    check_password(password)?;
    let found = |name: &str| known.services.get(&fold(name)).cloned();
    let names = cell(Column::Services).split(',').map(str::trim);
    let services: Option<Vec<ServiceId>> =
        names.filter(|name| !name.is_empty()).map(found).collect();
    let profile = match cell(Column::Profile) {
        "" => None,
        name => {
            let found = known.profiles.get(&fold(name)).cloned();
            Some(found.ok_or_else(|| Problem::field("profile", "reference"))?)
        }
    };
    let row = users::User {
        id: app.id(UserId::new),
        company: Some(tenant.company.clone()),
        email,
        name: name(cell(Column::Name))?,
        role: role(cell(Column::Role))?,
        profile,
        password: Some(hash(app, password).await?),
        locale: "pt-BR".to_owned(),
        disabled: false,
        created_ms: app.now_ms(),
        last_login_ms: None,
    };
    may_be(app, &tenant.who, &row).await?;
    let device = match cell(Column::Extension) {
        "" => None,
        extension => {
            let is_free = !known.extensions.contains(extension);
            if !is_free || !taken.insert(format!("extension {extension}")) {
                return Err(Problem::field("extension", "taken"));
            }
            Some(window(app, &tenant.company, &row, Some(extension))?.0)
        }
    };
    Ok(Person {
        services: services.ok_or_else(|| Problem::field("services", "reference"))?,
        row,
        device,
        made_up,
    })
}

async fn insert(
    db: &mut store::Transaction,
    tenant: &Tenant,
    person: &Person,
) -> Result<(), Problem> {
    users::insert(&mut **db, &person.row).await?;
    for service in &person.services {
        let member = agents::Member {
            company: tenant.company.clone(),
            service: service.clone(),
            user: person.row.id.clone(),
        };
        agents::add(&mut **db, &member).await?;
    }
    if let Some(device) = &person.device {
        devices::insert(&mut **db, device).await?;
    }
    Ok(())
}

fn role(cell: &str) -> Result<Role, Problem> {
    match fold(cell).as_str() {
        "" | "agente" | "agent" | "atendente" => Ok(Role::Agent),
        "supervisor" | "supervisora" => Ok(Role::Supervisor),
        "administrador" | "administradora" | "administrator" => Ok(Role::Administrator),
        _ => Err(Problem::field("role", "invalid")),
    }
}

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Name,
    Email,
    Role,
    Profile,
    Services,
    Extension,
    Password,
    /// Something of theirs, which is left out.
    Unknown,
}

/// What the columns of a table say, in their order.
struct Columns(Vec<Column>);

impl Columns {
    fn of(line: &Line) -> Result<Self, Problem> {
        let columns = line.cells.iter().map(|cell| match fold(cell).as_str() {
            "nome" | "name" | "nombre" => Column::Name,
            "email" | "e-mail" | "correo" => Column::Email,
            "papel" | "role" | "rol" => Column::Role,
            "perfil" | "profile" => Column::Profile,
            "servicos" | "services" | "servicios" => Column::Services,
            "ramal" | "extension" | "interno" => Column::Extension,
            "senha" | "password" | "contrasena" => Column::Password,
            _ => Column::Unknown,
        });
        let columns: Vec<Column> = columns.collect();
        let is_there = |column| columns.contains(&column);
        match is_there(Column::Name) && is_there(Column::Email) {
            true => Ok(Self(columns)),
            false => Err(nameless()),
        }
    }

    fn cells(&self, line: &Line) -> BTreeMap<Column, String> {
        let cells = self.0.iter().zip(&line.cells);
        cells
            .map(|(column, cell)| (*column, cell.trim().to_owned()))
            .collect()
    }
}

fn lines(body: &[u8]) -> Result<Vec<Line>, Problem> {
    let unreadable = |why: TableError| Problem::field("file", "invalid_table").because(why);
    let (mut reader, mut lines) = (Reader::default(), vec![]);
    reader.push(body, &mut lines).map_err(unreadable)?;
    lines.extend(reader.finish().map_err(unreadable)?);
    Ok(lines)
}

fn nameless() -> Problem {
    Problem::field("file", "invalid_table")
        .because("the first line names no column `Nome` or `Email`")
}

/// A password costs 20 ms to keep: a table may take as long as an upload does, not longer.
const LINES_MAX: usize = 500;

/// 60 bits.
const PASSWORD_LETTERS: usize = 12;

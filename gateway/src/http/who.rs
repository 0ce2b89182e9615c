//! Who asks, and in which company: a cookie of a person or a key of another system.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;

use axum::extract::{ConnectInfo, FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use desk::id::{ApiKeyId, CompanyId, InteractionId, ServiceId, UserId};
use desk::permission::{Area, Grant, Level, Permissions, Scope};
use serde::Deserialize;
use store::api_keys::ApiKey;
use store::sessions::Session;
use store::users::{Role, User};

use super::App;
use super::areas::{self, Limited};
use super::problem::Problem;
use crate::{api_key, files};

/// Who asks.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) by: By,
    /// Whose people they belong to; none administers the installation.
    pub(super) company: Option<CompanyId>,
    /// How far they may go in the area that they ask in.
    pub(super) access: Access,
    /// What they may do in all areas.
    pub(super) permissions: Permissions,
    /// The address they ask from.
    pub(super) remote: String,
}

/// How they showed who they are.
#[derive(Debug)]
pub(super) enum By {
    User {
        user: Box<User>,
        session: Box<Session>,
    },
    Key(ApiKeyId),
}

/// What one may do; each step includes those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// What is one's own.
    Own,
    /// Everything of the company but secrets.
    Read,
    /// Services, hours, numbers, prompts and flows.
    Write,
    /// People, keys, carriers and devices too.
    Admin,
}

/// What people may do who have no profile.
pub(super) fn permissions_of(role: Role) -> Permissions {
    match role {
        Role::Administrator => Permissions::everywhere(Level::Change),
        Role::Supervisor => Permissions::everywhere(Level::View).but(Area::Desk, Level::Change),
        Role::Agent => Permissions::default(),
    }
}

impl Access {
    fn of_level(level: Level) -> Self {
        match level {
            Level::Own => Self::Own,
            Level::View => Self::Read,
            Level::Change => Self::Admin,
        }
    }

    /// By the scopes of a key.
    pub(super) fn of_scope(scope: &str) -> Option<Self> {
        match scope {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

impl Who {
    /// Refuses who may do less.
    pub(super) fn may(&self, access: Access) -> Result<(), Problem> {
        if self.access >= access {
            Ok(())
        } else {
            Err(Problem::forbidden())
        }
    }

    /// Refuses who may not step in: have people pause, move who waits, listen to calls. Whoever watches by
    /// their role may; a profile says so by itself.
    pub(super) fn supervises(&self) -> Result<(), Problem> {
        self.may(match &self.by {
            By::User { user, .. } if user.profile.is_none() => Access::Read,
            By::User { .. } | By::Key(_) => Access::Write,
        })
    }

    /// Refuses who belongs to a company.
    pub(super) fn installation(&self) -> Result<(), Problem> {
        if self.company.is_none() {
            Ok(())
        } else {
            Err(Problem::forbidden())
        }
    }
}

impl FromRequestParts<App> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match bearer(&parts.headers) {
            Some(key) => by_key(app, key, remote(parts)).await,
            None => by_cookie(app, parts).await,
        }
    }
}

/// The key that somebody shows, if it is in force.
pub(super) async fn known_key(app: &App, key: &str) -> Result<ApiKey, Problem> {
    let now_ms = app.now_ms();
    let prefix = api_key::prefix(key).ok_or_else(Problem::anonymous)?;
    let found = store::api_keys::by_prefix(app.store.pool(), prefix, now_ms).await?;
    let known = found
        .filter(|known| equal(&known.hash, &api_key::hash(key)))
        .ok_or_else(Problem::anonymous)?;
    company_is_open(app, known.company.as_ref()).await?;
    if known
        .last_used_ms
        .is_none_or(|last| now_ms - last > SEEN_EVERY_MS)
    {
        let mut db = app.store.begin().await?;
        store::api_keys::used(&mut *db, &known.id, now_ms).await?;
        db.commit().await?;
    }
    Ok(known)
}

async fn by_key(app: &App, key: &str, remote: String) -> Result<Who, Problem> {
    let known = known_key(app, key).await?;
    if known.channel.is_some() {
        return Err(Problem::forbidden()); // It opens its channel alone.
    }
    let scopes = known
        .scopes
        .iter()
        .filter_map(|scope| Access::of_scope(scope));
    let access = scopes.max().unwrap_or(Access::Own);
    Ok(Who {
        by: By::Key(known.id),
        company: known.company,
        access,
        permissions: match access {
            Access::Admin => Permissions::everywhere(Level::Change),
            Access::Own | Access::Read | Access::Write => Permissions::default(),
        },
        remote,
    })
}

async fn by_cookie(app: &App, parts: &Parts) -> Result<Who, Problem> {
    let now_ms = app.now_ms();
    let token = cookie(&parts.headers).ok_or_else(Problem::anonymous)?;
    let found =
        store::sessions::by_token(app.store.pool(), &files::sha256(token.as_bytes()), now_ms)
            .await?;
    let (session, user) = found.ok_or_else(Problem::anonymous)?;
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let shown = parts
        .headers
        .get("x-csrf-token")
        .and_then(|value| value.to_str().ok());
    if !safe && !shown.is_some_and(|shown| equal(shown, &session.csrf)) {
        return Err(Problem::csrf());
    }
    company_is_open(app, user.company.as_ref()).await?;
    if now_ms - session.last_seen_ms > SEEN_EVERY_MS {
        let until = (now_ms + SESSION_IDLE_MS).min(session.created_ms + SESSION_MS_MAX);
        let mut db = app.store.begin().await?;
        store::sessions::seen(&mut *db, &session.id, now_ms, until).await?;
        db.commit().await?;
    }
    let permissions = permissions(app, &user).await?;
    Ok(Who {
        company: user.company.clone(),
        access: access_at(parts, &user, &permissions),
        permissions,
        by: By::User {
            user: Box::new(user),
            session: Box::new(session),
        },
        remote: remote(parts),
    })
}

/// What somebody may do.
pub(super) async fn permissions(app: &App, user: &User) -> Result<Permissions, Problem> {
    let (Some(profile), Some(company)) = (&user.profile, &user.company) else {
        return Ok(permissions_of(user.role));
    };
    let found = store::profiles::by_id(app.store.pool(), company, profile).await?;
    Ok(found.map(|profile| profile.permissions).unwrap_or_default())
}

/// How far somebody may go where they ask. What is governed is seen by who may see it, though others
/// need to govern it.
fn access_at(parts: &Parts, user: &User, permissions: &Permissions) -> Access {
    let path = parts.uri.path();
    let Some(area) = areas::area(path) else {
        return Access::Own;
    };
    let level = permissions.of(area).level;
    let sees = parts.method.is_safe() && level == Level::View && areas::is_governed(path);
    match sees && user.profile.is_some() {
        true => Access::Admin,
        false => Access::of_level(level),
    }
}

async fn company_is_open(app: &App, company: Option<&CompanyId>) -> Result<(), Problem> {
    let Some(company) = company else {
        return Ok(());
    };
    let found = store::companies::by_id(app.store.pool(), company).await?;
    match found {
        Some(company) if !company.disabled => Ok(()),
        Some(_) | None => Err(Problem::anonymous()),
    }
}

/// Somebody in a company: their own, or the one that an installation's administrator names.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) who: Who,
    pub(super) company: CompanyId,
    /// The services about whose customers they may ask; nothing where about all.
    pub(super) only: Option<Vec<ServiceId>>,
}

impl Tenant {
    /// Whether they may ask about the customers of a service.
    pub(super) fn reaches(&self, service: Option<&ServiceId>) -> bool {
        let within = |only: &Vec<ServiceId>| service.is_some_and(|service| only.contains(service));
        self.only.as_ref().is_none_or(within)
    }

    /// Whoever asks, where they may ask about some services alone: those of this person.
    pub(super) fn seen_by(&self) -> Option<UserId> {
        match &self.by {
            By::User { user, .. } if self.only.is_some() => Some(user.id.clone()),
            By::User { .. } | By::Key(_) => None,
        }
    }

    /// The people whom they may watch; nothing where all of the company.
    pub(super) async fn watched(&self, app: &App) -> Result<Option<Vec<UserId>>, Problem> {
        let Some(me) = self.seen_by() else {
            return Ok(None);
        };
        let beside = store::agents::beside(app.store.pool(), &self.company, &me);
        Ok(Some(beside.await?))
    }

    /// Refuses who may not ask about an interaction: it is of another service, and was never theirs.
    pub(super) async fn reach(&self, app: &App, id: &InteractionId) -> Result<(), Problem> {
        if self.only.is_none() {
            return Ok(());
        }
        let found = store::interactions::by_id(app.store.pool(), &self.company, id).await?;
        let found = found.ok_or_else(Problem::not_found)?;
        let me = match &self.by {
            By::User { user, .. } => Some(&user.id),
            By::Key(_) => None,
        };
        if self.reaches(found.service.as_ref()) || (me.is_some() && found.agent.as_ref() == me) {
            Ok(())
        } else {
            Err(Problem::forbidden())
        }
    }
}

impl Deref for Tenant {
    type Target = Who;

    fn deref(&self) -> &Who {
        &self.who
    }
}

impl FromRequestParts<App> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Scoped { who, company } = Scoped::from_request_parts(parts, app).await?;
        let company = company.ok_or_else(Problem::company_missing)?;
        let path = parts.uri.path().to_owned();
        let grant = areas::area(&path).map(|area| who.permissions.of(area));
        let is_limited = |grant: Grant| grant.level != Level::Own && grant.scope == Scope::Services;
        let only = match &who.by {
            By::User { user, .. } if grant.is_some_and(is_limited) => {
                let services = store::agents::services_of(app.store.pool(), &company, &user.id);
                Some(services.await?)
            }
            By::User { .. } | By::Key(_) => None,
        };
        let tenant = Self { who, company, only };
        let is_within = match areas::limited(&path) {
            _ if tenant.only.is_none() => true,
            Limited::Interaction(id) => {
                tenant.reach(app, &id).await?;
                true
            }
            Limited::Service(id) => tenant.reaches(Some(&id)),
            Limited::Work(id) => {
                let company = tenant.company.clone();
                let service = app
                    .telephony
                    .look(move |voice, now| voice.service_of_work(now, &company, &id));
                let service = service
                    .await
                    .map_err(|stopped| Problem::unavailable(&stopped))?;
                tenant.reaches(service.as_ref())
            }
            Limited::Asked => {
                let Query(asked) = Query::<OfService>::from_request_parts(parts, app).await?;
                let service = asked.service.as_ref();
                service.is_none_or(|service| tenant.reaches(Some(service)))
            }
            Limited::ByItself => true,
        };
        match is_within {
            true => Ok(tenant),
            false => Err(Problem::forbidden()),
        }
    }
}

/// Somebody in a company, or in none: the installation.
#[derive(Debug)]
pub(super) struct Scoped {
    pub(super) who: Who,
    pub(super) company: Option<CompanyId>,
}

impl FromRequestParts<App> for Scoped {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let who = Who::from_request_parts(parts, app).await?;
        let Query(Named { company }) = Query::from_request_parts(parts, app).await?;
        match (&who.company, company) {
            (Some(own), Some(named)) if *own != named => Err(Problem::forbidden()),
            (Some(own), _) => Ok(Self {
                company: Some(own.clone()),
                who,
            }),
            (None, Some(named)) => {
                let found = store::companies::by_id(app.store.pool(), &named).await?;
                found.ok_or_else(Problem::not_found)?;
                Ok(Self {
                    who,
                    company: Some(named),
                })
            }
            (None, None) => Ok(Self { who, company: None }),
        }
    }
}

#[derive(Deserialize)]
struct OfService {
    service: Option<ServiceId>,
}

#[derive(Deserialize)]
struct Named {
    company: Option<CompanyId>,
}

/// May change companies; looked at before the body is.
pub(super) struct Administrator(pub(super) Who);

impl FromRequestParts<App> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let who = Who::from_request_parts(parts, app).await?;
        who.may(Access::Admin)?;
        Ok(Self(who))
    }
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident($inner:ident) = $access:ident;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name(pub(super) $inner);

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                let inner = $inner::from_request_parts(parts, app).await?;
                inner.who.may(Access::$access)?;
                Ok(Self(inner))
            }
        }
    )*};
}

steps! {
    /// May read what the company has.
    Reads(Tenant) = Read;
    /// May change what callers meet.
    Writes(Tenant) = Write;
    /// May change carriers and devices.
    Administers(Tenant) = Admin;
    /// May change people and keys, of a company or of the installation.
    Governs(Scoped) = Admin;
}

/// May have agents pause and leave, and move who waits: supervisors, and other systems that may
/// write.
pub(super) struct Supervises(pub(super) Tenant);

impl FromRequestParts<App> for Supervises {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let tenant = Tenant::from_request_parts(parts, app).await?;
        tenant.who.supervises()?;
        Ok(Self(tenant))
    }
}

/// Who serves customers: every person of the company, and other systems by their scope.
macro_rules! serving {
    ($($(#[$doc:meta])* $name:ident = $access:ident;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name(pub(super) Tenant);

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                let tenant = Tenant::from_request_parts(parts, app).await?;
                tenant.who.may(match tenant.who.by {
                    By::User { .. } => Access::Own,
                    By::Key(_) => Access::$access,
                })?;
                Ok(Self(tenant))
            }
        }
    )*};
}

serving! {
    /// May read who the customers are.
    Serves = Read;
    /// May add customers and change what is known of them.
    Knows = Write;
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The secret in the cookie. A cookie without the strict name counts only where no other name can
/// be had: over plain HTTP on this very machine.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let wanted = cookie_name(headers);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// How the cookie is called for who sends these headers.
pub(super) fn cookie_name(headers: &HeaderMap) -> &'static str {
    if is_plain_loopback(headers) {
        PLAIN_COOKIE
    } else {
        STRICT_COOKIE
    }
}

/// A browser takes a cookie of this name over HTTPS alone, and from no other host of the domain.
pub(super) const STRICT_COOKIE: &str = "__Host-ramal";

/// Over plain HTTP on this very machine, where the strict name cannot be had.
pub(super) const PLAIN_COOKIE: &str = "ramal";

fn is_plain_loopback(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    if text(header::HeaderName::from_static("x-forwarded-proto"))
        .is_some_and(|scheme| scheme == "https")
    {
        return false;
    }
    let host = text(header::HOST).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The address of who asks; behind a proxy on this machine, the one that the proxy saw.
pub(super) fn remote(parts: &Parts) -> String {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let Some(peer) = peer else {
        return String::new();
    };
    let forwarded = parts
        .headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok());
    let seen = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    match seen {
        Some(seen) if peer.is_loopback() => seen.to_string(),
        Some(_) | None => peer.to_string(),
    }
}

/// Compares secrets in a time that does not tell where they differ.
fn equal(one: &str, other: &str) -> bool {
    let differ = |sum: u8, (a, b): (u8, u8)| sum | (a ^ b);
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, differ) == 0
}

/// How coarsely the last use of a session or key is known: a write a minute, not a request.
const SEEN_EVERY_MS: i64 = 60_000;

/// A session that nobody uses ends after a working day.
pub(super) const SESSION_IDLE_MS: i64 = 12 * 3_600_000;

/// However busy, a session ends after a week.
const SESSION_MS_MAX: i64 = 7 * 24 * 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_without_the_strict_name_counts_on_this_machine_alone() {
        let headers = |host: &'static str, cookie: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a host"));
            headers.insert(header::COOKIE, cookie.parse().expect("a cookie"));
            headers
        };
        assert_eq!(
            cookie(&headers("localhost:8080", "a=b; ramal=x")),
            Some("x")
        );
        assert_eq!(cookie(&headers("[::1]:8080", "ramal=x")), Some("x"));
        assert_eq!(cookie(&headers("ramal.example", "ramal=x")), None);
        assert_eq!(
            cookie(&headers("ramal.example", "ramal=x; __Host-ramal=y")),
            Some("y")
        );
        assert_eq!(cookie(&headers("127.0.0.1.evil.example", "ramal=x")), None);
        let mut behind = headers("localhost", "ramal=x");
        behind.insert("x-forwarded-proto", "https".parse().expect("a scheme"));
        assert_eq!(cookie(&behind), None);
    }

    #[test]
    fn secrets_are_equal_whole_or_not_at_all() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd") && !equal("abc", "ab") && !equal("", "a"));
    }
}

//! Who somebody is who says `hello`: a visitor that we know by their token, a user of the shop that the
//! shop has proven, or nobody yet.

use channels::webchat::form::Known;
use channels::webchat::identity::Identity;
use channels::webchat::token::VisitorId;
use channels::webchat::{ErrorCode, FrameError};
use serde_json::Value;
use store::webchat::{self, Visitor};

use super::super::{App, generator};
use super::chat::{Chat, Scope, unavailable};

/// Somebody who is here.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) visitor: VisitorId,
    /// How their token is made.
    pub(super) scope: Scope,
    /// Who they are to the shop, which has just proven it.
    pub(super) user: Option<String>,
    /// What the shop's page says of them beside, which proves nothing.
    pub(super) said: Said,
    /// What they told before.
    pub(super) known: Known,
    /// Whether all of that is written down.
    pub(super) is_kept: bool,
}

/// What a page says of somebody.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

/// Somebody, and what was wrong with what they showed.
pub(super) struct Met {
    pub(super) who: Who,
    /// The shop's proof does not hold: they are nobody to it.
    pub(super) is_refused: bool,
}

/// Finds out who it is.
///
/// # Errors
///
/// [`ErrorCode::Token`]: they begin anew, without it.
pub(super) async fn meet(
    app: &App,
    chat: &Chat,
    (token, identity): (Option<&str>, Option<&Identity>),
) -> Result<Met, FrameError> {
    let shown = match token {
        Some(token) => Some(chat.visitor(token, app.now_ms())?),
        None => None,
    };
    let proven = identity.filter(|one| one.prove(&chat.identity_secrets()).is_ok());
    let is_refused = identity.is_some() && proven.is_none();
    let who = match proven {
        Some(identity) => user(app, chat, shown, identity).await?,
        None => nobody(app, chat, shown).await?,
    };
    Ok(Met { who, is_refused })
}

/// Nobody to the shop: the visitor of the token, unless they are a user, whom only the shop can say to be
/// there.
async fn nobody(
    app: &App,
    chat: &Chat,
    shown: Option<(VisitorId, Scope)>,
) -> Result<Who, FrameError> {
    let row = match &shown {
        Some((visitor, _)) => row(app, chat, visitor).await?,
        None => None,
    };
    let is_users = row.as_ref().is_some_and(|row| row.user.is_some());
    let own = shown.filter(|(_, scope)| *scope == Scope::Visitor && !is_users);
    Ok(match own {
        Some((visitor, _)) => who(visitor, Scope::Visitor, None, row.as_ref()),
        None => who(new()?, Scope::Visitor, None, None),
    })
}

/// A user of the shop: the visitor that they are already, whatever this browser was; or else this one,
/// who is theirs from now on.
async fn user(
    app: &App,
    chat: &Chat,
    shown: Option<(VisitorId, Scope)>,
    identity: &Identity,
) -> Result<Who, FrameError> {
    let (pool, channel, user) = (app.store.pool(), &chat.row.id, &identity.user_id);
    let known = webchat::by_user(pool, channel, user).await;
    let known = known.map_err(|error| unavailable(&error))?;
    let own = match shown {
        Some((visitor, _)) => {
            let row = row(app, chat, &visitor).await?;
            // That of another user is not theirs.
            let theirs = row.as_ref().and_then(|row| row.user.as_ref());
            let is_free = theirs.is_none_or(|theirs| theirs == user);
            is_free.then_some((visitor, row))
        }
        None => None,
    };
    let named = Some(user.clone());
    let mut found = match (own, known) {
        (Some((visitor, row)), Some(known)) if known.id != visitor.as_str() => {
            if is_talking(app, chat, &visitor).await? {
                // This matter goes on first.
                who(visitor, Scope::Visitor, named, row.as_ref())
            } else {
                let visitor = visitor_of(&known)?;
                who(visitor, Scope::User, named, Some(&known))
            }
        }
        (Some((visitor, row)), _) => {
            if row.as_ref().is_some_and(|row| row.user.is_none()) {
                let bound = webchat::bind(pool, channel, visitor.as_str(), user).await;
                bound.map_err(|error| unavailable(&error))?;
            }
            who(visitor, Scope::User, named, row.as_ref())
        }
        (None, Some(known)) => who(visitor_of(&known)?, Scope::User, named, Some(&known)),
        (None, None) => who(new()?, Scope::User, named, None),
    };
    found.said = Said {
        name: identity.name.clone(),
        email: identity.email.clone(),
        phone: identity.phone.clone(),
    };
    Ok(found)
}

async fn is_talking(app: &App, chat: &Chat, visitor: &VisitorId) -> Result<bool, FrameError> {
    let thread = webchat::thread(app.store.pool(), &chat.row.id, visitor.as_str()).await;
    let thread = thread.map_err(|error| unavailable(&error))?;
    let matter = thread.and_then(|thread| thread.matter);
    Ok(matter.is_some_and(|matter| matter.ended_ms.is_none()))
}

pub(super) async fn row(
    app: &App,
    chat: &Chat,
    visitor: &VisitorId,
) -> Result<Option<Visitor>, FrameError> {
    let found = webchat::by_id(app.store.pool(), &chat.row.id, visitor.as_str()).await;
    found.map_err(|error| unavailable(&error))
}

fn visitor_of(row: &Visitor) -> Result<VisitorId, FrameError> {
    let visitor = VisitorId::try_from(row.id.clone());
    visitor.map_err(|error| unavailable(&error))
}

/// Whom nobody can guess: the token names them, and so do links to their files.
fn new() -> Result<VisitorId, FrameError> {
    let mut chance = generator().map_err(|_| FrameError::new(ErrorCode::Unavailable))?;
    Ok(VisitorId::new(&mut chance))
}

pub(super) fn who(
    visitor: VisitorId,
    scope: Scope,
    user: Option<String>,
    row: Option<&Visitor>,
) -> Who {
    let known = row.map_or_else(Known::default, |row| Known {
        name: row.name.clone(),
        email: row.email.clone(),
        phone: row.phone.clone(),
        consent: row.consent.as_ref().and_then(version),
    });
    let kept_user = row.map(|row| &row.user);
    Who {
        is_kept: kept_user.is_some_and(|kept| scope == Scope::Visitor || *kept == user),
        visitor,
        scope,
        user,
        said: Said::default(),
        known,
    }
}

/// The version of the text that somebody agreed to.
fn version(consent: &Value) -> Option<String> {
    consent["version"].as_str().map(str::to_owned)
}

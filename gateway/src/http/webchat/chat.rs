//! A channel as its visitors meet it.

use std::collections::BTreeMap;

use channels::secret::Secret;
use channels::webchat::settings::Secrets;
use channels::webchat::token::{self, Token, VisitorId};
use channels::webchat::{ErrorCode, FrameError};
use desk::id::{ChannelId, ServiceId};
use serde::Deserialize;
use store::channels::Channel;
use store::{Page, services};

use super::super::App;
use crate::channels::webchat::{WEBCHAT, WebchatSettings};

/// A web chat.
#[derive(Debug)]
pub(in crate::http) struct Chat {
    pub(super) row: Channel,
    pub(super) settings: WebchatSettings,
    secrets: Secrets,
}

/// How a token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// For nobody in particular: it is enough by itself.
    Visitor,
    /// For a user of the shop: it is good for as long as the shop says that they are there.
    User,
}

impl Chat {
    /// The web chat of this id, if it is on.
    pub(super) async fn find(app: &App, id: &ChannelId) -> Result<Option<Self>, FrameError> {
        let found = store::channels::of_work(app.store.pool(), id).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let Some(row) = found.filter(|row| row.kind == WEBCHAT && !row.disabled) else {
            return Ok(None);
        };
        let settings = WebchatSettings::read(row.settings.clone());
        let settings = settings.map_err(|error| unavailable(&error))?;
        Ok(Some(Self {
            secrets: secrets(app, &row)?,
            settings,
            row,
        }))
    }

    /// The secrets with which the shop proves its users.
    pub(super) fn identity_secrets(&self) -> [Secret; 2] {
        self.secrets.of_identity()
    }

    /// Makes the token of a visitor.
    pub(super) fn token(
        &self,
        visitor: &VisitorId,
        scope: Scope,
        now_ms: i64,
    ) -> Result<String, FrameError> {
        let token = Token {
            visitor: visitor.clone(),
            issued_ms: now_ms,
        };
        let made = token::make(&token, &self.scope(scope), &self.secrets.token);
        // Without a key nobody can be known again.
        made.ok_or_else(|| FrameError::new(ErrorCode::Unavailable))
    }

    /// Who shows this token.
    pub(super) fn visitor(
        &self,
        text: &str,
        now_ms: i64,
    ) -> Result<(VisitorId, Scope), FrameError> {
        let read = |scope| token::read(text, &self.scope(scope), &self.secrets.token, now_ms);
        let visitor = match read(Scope::Visitor) {
            Ok(token) => Ok((token.visitor, Scope::Visitor)),
            Err(_) => read(Scope::User).map(|token| (token.visitor, Scope::User)),
        };
        visitor.map_err(|rejected| FrameError::new(rejected.into()))
    }

    /// Who shows this token between two `hello`s.
    pub(super) fn present(&self, text: &str, now_ms: i64) -> Result<VisitorId, FrameError> {
        let (visitor, scope) = self.visitor(text, now_ms)?;
        let of_today = now_ms - PROOF_LASTS_MS;
        let is_fresh = || {
            let scope = self.scope(Scope::User);
            let token = token::read(text, &scope, &self.secrets.token, now_ms);
            token.is_ok_and(|token| token.issued_ms > of_today)
        };
        if scope == Scope::User && !is_fresh() {
            return Err(FrameError::new(ErrorCode::Token));
        }
        Ok(visitor)
    }

    /// For what a token is signed: neither can be made of the other.
    fn scope(&self, scope: Scope) -> String {
        match scope {
            Scope::Visitor => self.row.id.to_string(),
            Scope::User => format!("{}#user", self.row.id),
        }
    }

    /// The services of the company that are there, by their names.
    pub(super) async fn services(
        &self,
        app: &App,
    ) -> Result<BTreeMap<ServiceId, String>, FrameError> {
        let listed = services::list(app.store.pool(), &self.row.company, &Page::first()).await;
        let listed = listed.map_err(|error| unavailable(&error))?;
        let there = listed.into_iter().filter(|service| !service.disabled);
        Ok(there.map(|service| (service.id, service.name)).collect())
    }
}

/// What the browser's side is told when the store is away; the cause goes to the log.
pub(super) fn unavailable(error: &dyn std::error::Error) -> FrameError {
    tracing::warn!(%error, "a web chat cannot be served");
    FrameError::new(ErrorCode::Unavailable)
}

/// The secrets of a channel: those of its account, beside those that sign what its webhook is told.
fn secrets(app: &App, row: &Channel) -> Result<Secrets, FrameError> {
    #[derive(Default, Deserialize)]
    struct Kept {
        #[serde(default)]
        account: Secrets,
    }
    let Some(sealed) = &row.secrets else {
        return Ok(Secrets::default());
    };
    let plain = app.secrets.open_sealed(row.id.as_str(), sealed);
    let plain = plain.map_err(|error| unavailable(&error))?;
    let kept: Kept = serde_json::from_slice(&plain).map_err(|error| unavailable(&error))?;
    Ok(kept.account)
}

/// A user of the shop is there for so long after the shop said so last: each page of the shop says it
/// anew.
const PROOF_LASTS_MS: i64 = 24 * 3_600_000;

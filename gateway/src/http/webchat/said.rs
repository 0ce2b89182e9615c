//! Messages: how the visitor sees them, and how theirs go to the pipeline.

use std::collections::BTreeMap;

use channels::event::Content;
use channels::send::OutContent;
use channels::webchat::client::{ClientContent, Send};
use channels::webchat::form::Form;
use channels::webchat::server::{Author, AuthorKind, Said, ServerFrame, Shown};
use channels::webchat::{ClientMessageId, ErrorCode, FrameError};
use desk::id::{ReceiptId, ServiceId};
use desk::record::Direction;
use serde_json::json;
use store::messages::{self, Message};
use store::receipts::Receipt;
use store::webchat::{self, Visitor};

use super::chat::{Scope, unavailable};
use super::files;
use super::visit::{Visit, enter};
use crate::channels::webchat::{Brought, client_message_id};
use crate::channels::{Outcome, Taken, outbound};

/// Messages as the visitor sees them.
pub(super) async fn shown(visit: &Visit, rows: &[Message]) -> Result<Vec<Said>, FrameError> {
    let mut said = Vec::with_capacity(rows.len());
    for row in rows {
        said.push(one(visit, row).await?);
    }
    Ok(said)
}

async fn one(visit: &Visit, row: &Message) -> Result<Said, FrameError> {
    let author = author(row);
    if author.kind == AuthorKind::Agent {
        visit.room.replied(row.seq);
    }
    let id = row.external_id.as_deref().and_then(client_message_id);
    let id = id.filter(|_| row.direction == Direction::Inbound);
    Ok(Said {
        seq: row.seq,
        id: row.id.to_string(),
        interaction: row.interaction.to_string(),
        at_ms: row.at_ms,
        author,
        content: content(visit, row).await?,
        client_message_id: id.and_then(|id| ClientMessageId::try_from(id.to_owned()).ok()),
    })
}

fn author(row: &Message) -> Author {
    let text = |field: &str| row.author[field].as_str().map(str::to_owned);
    let kind = match (row.direction, text("kind").as_deref()) {
        (Direction::Inbound, _) => AuthorKind::Visitor,
        (Direction::Outbound, Some("agent")) => AuthorKind::Agent,
        (Direction::Outbound, Some("bot")) => AuthorKind::Bot,
        (Direction::Outbound, _) => AuthorKind::System,
    };
    Author {
        name: text("name").filter(|_| kind != AuthorKind::Visitor),
        avatar: None,
        kind,
    }
}

async fn content(visit: &Visit, row: &Message) -> Result<Shown, FrameError> {
    let stored = || row.content.clone();
    if let Some(question) = outbound::offered(&row.content) {
        return Ok(Shown::of_ours(&question, None));
    }
    if row.direction == Direction::Outbound
        && let Ok(ours) = serde_json::from_value::<OutContent>(stored())
    {
        let file = if let OutContent::Media(media) = &ours {
            files::of_ours(visit, media).await?
        } else {
            None
        };
        return Ok(Shown::of_ours(&ours, file));
    }
    let Ok(content) = serde_json::from_value::<Content>(stored()) else {
        return Ok(Shown::Unsupported {});
    };
    let file = if let Content::Media(_) = &content {
        files::of_message(visit, row).await?
    } else {
        None
    };
    Ok(Shown::of(&content, file))
}

impl Visit {
    /// The visitor writes.
    pub(super) async fn send(&mut self, send: Send) -> Result<Vec<ServerFrame>, FrameError> {
        self.count(&send)?;
        // It may have been switched off, or set otherwise, since the page was opened.
        self.chat = enter(&self.app, &self.chat.row.id).await?;
        let service = self.form(send.form.as_ref()).await?;
        let media = match &send.content {
            ClientContent::File { upload, .. } => Some(files::laid_down(self, upload).await?),
            ClientContent::Text { .. } | ClientContent::Choice { .. } => None,
        };
        self.remember(send.form.as_ref()).await?;
        let brought = Brought {
            visitor: self.who.visitor.clone(),
            user: self.who.user.clone(),
            name: self.who.known.name.clone().or(self.who.said.name.clone()),
            attributes: self.attributes(&send),
            media,
            service,
            send,
        };
        let receipt = Receipt {
            id: self.app.id(ReceiptId::new),
            channel: self.chat.row.id.clone(),
            instance: self.app.channels.instance().clone(),
            body: brought.body(),
            received_ms: self.app.now_ms(),
        };
        let outcome = self.app.channels.receive(receipt).await;
        let outcome = outcome.map_err(|error| unavailable(&error).after_ms(RETRY_MS))?;
        let taken = taken(outcome)?;
        let id = brought.send.client_message_id;
        let frames = self.acknowledged(id, &taken).await?;
        self.room.ring();
        Ok(frames)
    }

    async fn acknowledged(
        &self,
        id: ClientMessageId,
        taken: &Taken,
    ) -> Result<Vec<ServerFrame>, FrameError> {
        let (pool, company) = (self.app.store.pool(), &self.chat.row.company);
        let row = messages::by_id(pool, company, &taken.message).await;
        let row = row.map_err(|error| unavailable(&error))?;
        Ok(vec![ServerFrame::Ack {
            client_message_id: id,
            seq: row.as_ref().map(|row| row.seq),
            at_ms: row.map_or_else(|| self.app.now_ms(), |row| row.at_ms),
        }])
    }

    /// What was asked before the first message of a matter; returns what it is to be about.
    async fn form(&self, form: Option<&Form>) -> Result<Option<ServiceId>, FrameError> {
        let (pool, channel) = (self.app.store.pool(), &self.chat.row.id);
        let thread = webchat::thread(pool, channel, self.who.visitor.as_str()).await;
        let thread = thread.map_err(|error| unavailable(&error))?;
        let matter = thread.and_then(|thread| thread.matter);
        let goes_on = |matter: &webchat::Matter| match matter.ended_ms {
            None => true,
            Some(ended_ms) => self.chat.settings.comes_back(ended_ms, self.app.now_ms()),
        };
        if matter.as_ref().is_some_and(goes_on) || self.chat.settings.chat.form.is_none() {
            return Ok(None);
        }
        let names = self.chat.services(&self.app).await?;
        let settings = &self.chat.settings.chat;
        let offered = settings.offered(&names);
        let asked = settings.asked(&offered);
        let empty = Form::default();
        let form = form.unwrap_or(&empty);
        let is_away = self.opens_ms(&self.chat.row.service).await?.is_some();
        let missing = asked.missing(form, &self.who.known, is_away);
        if !missing.is_empty() {
            return Err(FrameError::new(ErrorCode::FormNeeded).fields(missing));
        }
        let service = asked.service(form);
        service.map_err(|field| FrameError::new(ErrorCode::Invalid).fields([field]))
    }

    /// Keeps what the visitor told, before anything is made of what they wrote.
    async fn remember(&mut self, form: Option<&Form>) -> Result<(), FrameError> {
        let empty = Form::default();
        let form = form.unwrap_or(&empty);
        if self.who.is_kept && *form == empty {
            return Ok(());
        }
        let now_ms = self.app.now_ms();
        let address = &*self.address;
        let consent = form.consent.as_ref().map(|given| {
            json!({ "version": given.version, "at_ms": given.at_ms, "kept_ms": now_ms,
                "address": address, "language": self.language.as_str() })
        });
        let row = Visitor {
            channel: self.chat.row.id.clone(),
            id: self.who.visitor.as_str().to_owned(),
            user: match self.who.scope {
                Scope::User => self.who.user.clone(),
                // The user is another visitor yet.
                Scope::Visitor => None,
            },
            name: form.name.clone(),
            email: form.email.clone(),
            phone: form.phone.clone(),
            consent,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        let saved = webchat::save(self.app.store.pool(), &row).await;
        match saved {
            // In the same moment the user wrote from another browser: there they are known.
            Ok(()) | Err(store::Error::Taken) => {}
            Err(error) => return Err(unavailable(&error)),
        }
        self.who.known = std::mem::take(&mut self.who.known).with(form);
        self.who.is_kept = true;
        Ok(())
    }

    /// What the agent is shown of who writes: what they or the page say, and where they are.
    fn attributes(&self, send: &Send) -> BTreeMap<String, String> {
        let (known, said) = (&self.who.known, &self.who.said);
        let page = send.page.as_ref();
        let rows = [
            ("user_id", self.who.user.clone()),
            ("email", known.email.clone().or(said.email.clone())),
            ("phone", known.phone.clone().or(said.phone.clone())),
            ("page", page.map(|page| page.url.clone())),
            ("page_title", page.map(|page| page.title.clone())),
            ("language", Some(self.language.as_str().to_owned())),
        ];
        let there = rows.into_iter().filter_map(|(name, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some((name.to_owned(), value))
        });
        there.collect()
    }
}

fn taken(outcome: Outcome) -> Result<Taken, FrameError> {
    let refused = |code| Err(FrameError::new(code));
    match outcome {
        Outcome::Taken(taken) => Ok(taken),
        Outcome::Reused => refused(ErrorCode::KeyReused),
        Outcome::Refused("service_id") => {
            Err(FrameError::new(ErrorCode::Invalid).fields(["service"]))
        }
        Outcome::Refused(_) | Outcome::Done => refused(ErrorCode::BadFrame),
        Outcome::Blocked => refused(ErrorCode::Blocked),
    }
}

/// As long as a restart of the database takes.
const RETRY_MS: u64 = 5_000;

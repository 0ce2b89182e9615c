//! One page of a visitor: what it is told, and what it asks.
//!
//! ```text
//!  frame ─▶ heard ─▶ receipt ─▶ pipeline (as any channel's)
//!  bell  ─▶ news  ─▶ state, if it is another; messages behind the cursor
//! ```
//!
//! The cursor is the page's: what it was told is never told twice, and what it says it lacks is told
//! again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use channels::webchat::client::{Hello, Send};
use channels::webchat::identity::Identity;
use channels::webchat::server::{ServerFrame, Welcome};
use channels::webchat::{
    CATCH_UP_MAX, ClientFrame, ClientMessageId, ErrorCode, FrameError, HISTORY_MAX,
};
use desk::explain::Language;
use desk::id::{ChannelId, ConversationId, ServiceId};
use media_engine_net::clock;
use store::webchat;

use super::super::App;
use super::chat::{Chat, unavailable};
use super::rooms::{Deed, Room};
use super::said::shown;
use super::standing::{Standing, stands};
use super::who::{self, Met, Who};

/// A page of a visitor.
pub(super) struct Visit {
    pub(super) app: App,
    pub(super) chat: Arc<Chat>,
    pub(super) who: Who,
    pub(super) room: Arc<Room>,
    pub(super) address: Arc<str>,
    pub(super) language: Language,
    /// The conversation, once there is one.
    pub(super) conversation: Option<ConversationId>,
    /// The number of the last message that the page was told.
    cursor: u32,
    /// The version of the last state that it was told.
    told: i64,
    /// What it said of what came and was seen.
    seen: (u32, u32),
    /// How it stood when it was last looked at.
    pub(super) look_again: Option<Duration>,
}

/// The web chat of a path.
pub(super) async fn enter(app: &App, channel: &ChannelId) -> Result<Arc<Chat>, FrameError> {
    let chat = Chat::find(app, channel).await?;
    let chat = chat.ok_or_else(|| FrameError::new(ErrorCode::Channel))?;
    Ok(app.rooms.chat(chat))
}

impl Visit {
    /// Somebody says `hello`: who they are, how everything is, and what they lack.
    pub(super) async fn begin(
        app: App,
        chat: Arc<Chat>,
        hello: &Hello,
        address: Arc<str>,
    ) -> Result<(Self, Vec<ServerFrame>), FrameError> {
        app.rooms
            .hello(clock::now(), &address)
            .map_err(|wait| slower(wait, None))?;
        let shown = (hello.token.as_deref(), hello.identity.as_ref());
        let Met { who, is_refused } = who::meet(&app, &chat, shown).await?;
        let room = app.rooms.room(&chat.row.id, &who.visitor);
        let mut visit = Self {
            app,
            chat,
            who,
            room,
            address,
            language: hello.language,
            conversation: None,
            cursor: 0,
            told: 0,
            seen: (0, 0),
            look_again: None,
        };
        let has = (hello.conversation.as_deref(), hello.after_seq);
        let mut frames = visit.welcome(has).await?;
        if is_refused {
            let refused = FrameError::new(ErrorCode::Identity);
            frames.push(ServerFrame::Error(refused));
        }
        Ok((visit, frames))
    }

    /// Somebody who said `hello` before, and asks by HTTP.
    pub(super) async fn again(
        app: App,
        chat: Arc<Chat>,
        token: &str,
        address: Arc<str>,
    ) -> Result<Self, FrameError> {
        let visitor = chat.present(token, app.now_ms())?;
        let row = who::row(&app, &chat, &visitor).await?;
        let user = row.as_ref().and_then(|row| row.user.clone());
        let scope = chat.visitor(token, app.now_ms())?.1;
        let room = app.rooms.room(&chat.row.id, &visitor);
        Ok(Self {
            who: who::who(visitor, scope, user, row.as_ref()),
            app,
            chat,
            room,
            address,
            language: Language::PtBr,
            conversation: None,
            cursor: 0,
            told: 0,
            seen: (0, 0),
            look_again: None,
        })
    }

    /// Goes on behind what a page says that it has.
    pub(super) fn has(&mut self, after_seq: u32, state: i64) {
        self.cursor = after_seq;
        self.told = state;
    }

    async fn welcome(
        &mut self,
        (conversation, after_seq): (Option<&str>, u32),
    ) -> Result<Vec<ServerFrame>, FrameError> {
        let now_ms = self.app.now_ms();
        let token = self.chat.token(&self.who.visitor, self.who.scope, now_ms)?;
        let stands = stands(self).await?;
        let mut welcome = Welcome::new(token, self.who.visitor.clone(), now_ms);
        welcome.known = self.who.known.clone();
        welcome.identified = self.who.user.is_some();
        if let Some(thread) = &stands.thread {
            welcome.conversation = Some(thread.conversation.to_string());
            welcome.last_seq = thread.seq;
        }
        let has_this = conversation.is_some() && conversation == welcome.conversation.as_deref();
        self.cursor = if has_this { after_seq } else { 0 };
        self.told = 0;
        let mut frames = vec![ServerFrame::Welcome(welcome)];
        frames.extend(self.tell(stands).await?);
        Ok(frames)
    }

    /// Looks how everything is, and tells nothing of it.
    pub(super) async fn look(&mut self) -> Result<(), FrameError> {
        let stands = stands(self).await?;
        if let Some(thread) = stands.thread {
            self.conversation = Some(thread.conversation);
            self.cursor = thread.seq;
        }
        Ok(())
    }

    /// What there is that the page was not told.
    pub(super) async fn news(&mut self) -> Result<Vec<ServerFrame>, FrameError> {
        let stands = stands(self).await?;
        self.tell(stands).await
    }

    async fn tell(&mut self, standing: Standing) -> Result<Vec<ServerFrame>, FrameError> {
        let mut frames = vec![];
        self.look_again = standing.look_again;
        let version = standing.state.version;
        if version != self.told {
            self.told = version;
            frames.push(ServerFrame::State(Box::new(standing.state)));
        }
        if let Some(thread) = standing.thread {
            self.conversation = Some(thread.conversation);
            frames.extend(self.messages(thread.seq).await?);
        }
        Ok(frames)
    }

    /// The messages behind the cursor, of which `last` is the last.
    async fn messages(&mut self, last: u32) -> Result<Vec<ServerFrame>, FrameError> {
        let Some(conversation) = self.conversation.clone() else {
            return Ok(vec![]);
        };
        let pool = self.app.store.pool();
        let is_fresh = self.cursor == 0;
        let is_far = last.saturating_sub(self.cursor) > CATCH_UP_MAX;
        let (after, rows) = if is_fresh || is_far {
            let rows = webchat::before(pool, &conversation, u32::MAX, HISTORY_MAX).await;
            let rows = rows.map_err(|error| unavailable(&error))?;
            let first = rows.first().map_or(0, |row| row.seq);
            let older = webchat::before(pool, &conversation, first, 1).await;
            let older = older.map_err(|error| unavailable(&error))?;
            (older.last().map_or(0, |row| row.seq), rows)
        } else {
            let rows = webchat::after(pool, &conversation, self.cursor, CATCH_UP_MAX).await;
            (self.cursor, rows.map_err(|error| unavailable(&error))?)
        };
        let Some(newest) = rows.last().map(|row| row.seq) else {
            return Ok(vec![]);
        };
        self.cursor = newest;
        Ok(vec![ServerFrame::Messages {
            conversation: conversation.to_string(),
            after,
            messages: shown(self, &rows).await?,
            reset: is_far && !is_fresh,
        }])
    }

    /// What a page asks, and what it is told.
    pub(super) async fn heard(&mut self, frame: ClientFrame) -> Vec<ServerFrame> {
        let id = frame.client_message_id().cloned();
        match self.act(frame).await {
            Ok(frames) => frames,
            Err(error) => {
                let id = error.client_message_id.clone().or(id);
                vec![ServerFrame::Error(error.to(id))]
            }
        }
    }

    async fn act(&mut self, frame: ClientFrame) -> Result<Vec<ServerFrame>, FrameError> {
        match frame {
            ClientFrame::Hello(_) => Err(FrameError::new(ErrorCode::BadFrame)),
            ClientFrame::Send(send) => self.send(send).await,
            ClientFrame::Typing { on } => self.types(on).await,
            ClientFrame::Seen { delivered, read } => self.sees(delivered, read).await,
            ClientFrame::Resume { after_seq } => {
                // 0 would be everything: a page that asks so has nothing, and begins anew.
                self.cursor = after_seq;
                self.news().await
            }
            ClientFrame::History { before_seq } => self.history(before_seq).await,
            ClientFrame::Survey(answers) => self.answers(answers).await,
            // No page shows it, for no channel can be set to mail anything.
            ClientFrame::Transcript { .. } => {
                Err(FrameError::new(ErrorCode::Invalid).fields(["transcript"]))
            }
            ClientFrame::Close { client_message_id } => self.close(client_message_id).await,
            ClientFrame::Identify { identity } => self.identify(identity).await,
        }
    }

    /// The shop says who this is, after `hello`.
    async fn identify(&mut self, identity: Identity) -> Result<Vec<ServerFrame>, FrameError> {
        let wait = self.app.rooms.hello(clock::now(), &self.address);
        wait.map_err(|wait| slower(wait, None))?;
        let now_ms = self.app.now_ms();
        let token = self.chat.token(&self.who.visitor, self.who.scope, now_ms)?;
        let shown = (Some(token.as_str()), Some(&identity));
        let Met { who, is_refused } = who::meet(&self.app, &self.chat, shown).await?;
        if is_refused {
            return Err(FrameError::new(ErrorCode::Identity));
        }
        let is_same = who.visitor == self.who.visitor;
        let had = (self.conversation.take(), self.cursor);
        self.room = self.app.rooms.room(&self.chat.row.id, &who.visitor);
        self.who = who;
        self.seen = (0, 0);
        let conversation = had.0.map(|had| had.to_string());
        let has = (conversation.as_deref().filter(|_| is_same), had.1);
        self.welcome(has).await
    }

    async fn types(&mut self, on: bool) -> Result<Vec<ServerFrame>, FrameError> {
        let wait = self.room.count(clock::now(), Deed::Typing);
        wait.map_err(|wait| slower(wait, None))?;
        if let Some(interaction) = self.room.interaction() {
            let company = self.chat.row.company.clone();
            let told = self.app.telephony.look(move |voice, now| {
                voice.handle_customer_typing(now, &company, &interaction, on);
            });
            told.await.map_err(|error| unavailable(&error))?;
        }
        Ok(vec![])
    }

    /// Messages came, and were seen.
    async fn sees(&mut self, delivered: u32, read: u32) -> Result<Vec<ServerFrame>, FrameError> {
        // Nobody has what they were not told.
        let (delivered, read) = (delivered.min(self.cursor), read.min(self.cursor));
        let Some(conversation) = self.conversation.clone() else {
            return Ok(vec![]);
        };
        if delivered <= self.seen.0 && read <= self.seen.1 {
            return Ok(vec![]);
        }
        self.seen = (self.seen.0.max(delivered), self.seen.1.max(read));
        let company = self.chat.row.company.clone();
        let reached = async {
            let mut db = self.app.store.begin().await?;
            let marks = (delivered, read);
            webchat::mark_visitor(&mut *db, &conversation, marks).await?;
            let seen = webchat::reach(&mut *db, &company, &conversation, (read, true)).await?;
            let came = (delivered, false);
            let came = webchat::reach(&mut *db, &company, &conversation, came).await?;
            db.commit().await?;
            Ok::<_, store::Error>([seen, came].concat())
        };
        let reached = reached.await.map_err(|error| unavailable(&error))?;
        if reached.is_empty() {
            return Ok(vec![]);
        }
        let told = self.app.telephony.look(move |voice, now| {
            for (interaction, seq) in reached {
                voice.tell_message(now, &company, &interaction, seq);
            }
        });
        told.await.map_err(|error| unavailable(&error))?;
        Ok(vec![])
    }

    async fn history(&mut self, before_seq: u32) -> Result<Vec<ServerFrame>, FrameError> {
        let Some(conversation) = self.conversation.clone() else {
            return Err(FrameError::new(ErrorCode::BadFrame));
        };
        let limit = HISTORY_MAX + 1;
        let rows = webchat::before(self.app.store.pool(), &conversation, before_seq, limit).await;
        let rows = rows.map_err(|error| unavailable(&error))?;
        let more = rows.len() > HISTORY_MAX as usize;
        Ok(vec![ServerFrame::History {
            before: before_seq,
            messages: shown(self, &rows[usize::from(more)..]).await?,
            more,
        }])
    }

    /// The visitor ends the conversation.
    async fn close(&mut self, id: ClientMessageId) -> Result<Vec<ServerFrame>, FrameError> {
        if let Some(interaction) = self.room.interaction() {
            let company = self.chat.row.company.clone();
            let closed = self.app.telephony.decide(move |voice, now| {
                voice.handle_written_closed(now, &company, &interaction);
            });
            closed.await.map_err(|error| unavailable(&error))?;
            self.room.ring();
        }
        Ok(vec![ServerFrame::Ack {
            client_message_id: id,
            seq: None,
            at_ms: self.app.now_ms(),
        }])
    }
}

/// Somebody is too fast.
pub(super) fn slower(wait: Duration, id: Option<ClientMessageId>) -> FrameError {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    FrameError::new(ErrorCode::TooFast)
        .to(id)
        .after_ms(wait_ms + 1)
}

impl Visit {
    /// Counts a message.
    pub(super) fn count(&self, send: &Send) -> Result<(), FrameError> {
        let wait = self.room.count(clock::now(), Deed::Send);
        wait.map_err(|wait| slower(wait, Some(send.client_message_id.clone())))
    }

    /// When a service opens again; nothing while it is open, `Some(None)` where nobody knows.
    pub(super) async fn opens_ms(
        &self,
        service: &ServiceId,
    ) -> Result<Option<Option<i64>>, FrameError> {
        let (company, service) = (self.chat.row.company.clone(), service.clone());
        let telephony = &self.app.telephony;
        let opens =
            telephony.look(move |voice, now| voice.service_opens_ms(now, &company, &service));
        opens.await.map_err(|error| unavailable(&error))
    }

    /// Until when somebody of the company is believed to type, from now on.
    pub(super) fn typing_until(&self) -> Option<Instant> {
        self.room.typing_until(clock::now())
    }
}

//! Files: laid down by visitors, and shown to them.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use channels::event::{Media, MediaKind, MediaSource};
use channels::send::OutMedia;
use channels::webchat::server::File;
use channels::webchat::token::VisitorId;
use channels::webchat::{ErrorCode, FrameError};
use desk::id::{AttachmentId, ChannelId};
use futures_util::StreamExt as _;
use gateway_net::files::{FilesError, clean_name};
use media_engine_net::clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::attachments::{self, Attachment, AttachmentState};
use store::messages::Message;

use super::super::App;
use super::super::body::{Asked, Id};
use super::Address;
use super::chat::{Chat, unavailable};
use super::poll::{refused, shown};
use super::rooms::Deed;
use super::visit::{Visit, enter, slower};
use crate::channels::attachments::NotKept;
use crate::channels::media_links;

/// How a file is called.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: Option<String>,
}

/// A file that was laid down.
#[derive(Debug, Serialize)]
struct Upload {
    id: AttachmentId,
    kind: MediaKind,
    name: Option<String>,
    mime: String,
    bytes: u64,
}

/// Takes a file for a message that is still to come. The body is the file.
pub(super) async fn upload(
    State(app): State<App>,
    Id(channel): Id<ChannelId>,
    Asked(named): Asked<Named>,
    Address(address): Address,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let name = named.name.as_deref().map(clean_name);
    match take(
        &app,
        &channel,
        (&address, &headers),
        name,
        request.into_body(),
    )
    .await
    {
        Ok(upload) => (StatusCode::CREATED, Json(upload)).into_response(),
        Err(error) => refused(&error),
    }
}

async fn take(
    app: &App,
    channel: &ChannelId,
    (address, headers): (&str, &HeaderMap),
    name: Option<String>,
    body: Body,
) -> Result<Upload, FrameError> {
    let chat = enter(app, channel).await?;
    let visitor = chat.present(shown(headers)?, app.now_ms())?;
    let Some(taken) = &chat.settings.chat.files else {
        return Err(FrameError::new(ErrorCode::FileType));
    };
    let now = clock::now();
    let wait = app.rooms.upload(now, address);
    wait.map_err(|wait| slower(wait, None))?;
    let wait = app.rooms.room(channel, &visitor).count(now, Deed::Upload);
    wait.map_err(|wait| slower(wait, None))?;
    let kept = keep(app, (&chat, &visitor), (name, taken.bytes_max), body).await;
    kept.map_err(|error| match error {
        NotKept::Runs => FrameError::new(ErrorCode::FileType),
        NotKept::Files(FilesError::TooLarge(_)) => FrameError::new(ErrorCode::TooLarge),
        NotKept::Files(error) => unavailable(&error),
        NotKept::Store(error) => unavailable(&error),
    })?
    .ok_or_else(|| FrameError::new(ErrorCode::FileType))
}

/// Keeps a file; nothing of one whose type the channel does not take.
async fn keep(
    app: &App,
    (chat, visitor): (&Chat, &VisitorId),
    (name, bytes_max): (Option<String>, u64),
    body: Body,
) -> Result<Option<Upload>, NotKept> {
    let mut incoming = app.attachments.files().incoming(bytes_max).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        // Who breaks off has laid nothing down.
        let piece = piece.map_err(|error| FilesError::Disk(std::io::Error::other(error)))?;
        incoming.write(&piece).await?;
    }
    let _held = app.attachments.hold().await;
    let stored = incoming.finish().await?;
    let file = app.attachments.judged(&stored, name.as_deref()).await?;
    let taken = chat.settings.chat.files.as_ref();
    let kind = taken.and_then(|taken| taken.kind_of(&file.mime));
    let now_ms = app.now_ms();
    let row = Attachment {
        id: app.id(AttachmentId::new),
        company: chat.row.company.clone(),
        channel: Some(chat.row.id.clone()),
        interaction: None,
        message: None,
        place: 0,
        source: Some(of_visitor(visitor)),
        state: match kind {
            Some(_) => AttachmentState::Stored,
            // Its bytes are there, and go with the others that nobody needs.
            None => AttachmentState::Forgotten,
        },
        file: Some(file.clone()),
        name: name.clone(),
        attempts: 0,
        due_ms: now_ms,
        error: None,
        created_ms: now_ms,
    };
    attachments::insert(app.store.pool(), &row).await?;
    Ok(kind.map(|kind| Upload {
        id: row.id,
        kind,
        name,
        mime: file.mime,
        bytes: file.bytes,
    }))
}

/// Who laid a file down: nobody else may send it.
fn of_visitor(visitor: &VisitorId) -> Value {
    json!({ "visitor": visitor })
}

/// A file that the visitor laid down before, for a message of theirs.
pub(super) async fn laid_down(visit: &Visit, upload: &str) -> Result<Media, FrameError> {
    let gone = || FrameError::new(ErrorCode::Upload);
    let id: AttachmentId = upload.parse().map_err(|_| gone())?;
    let (pool, company) = (visit.app.store.pool(), &visit.chat.row.company);
    let found = attachments::by_id(pool, company, &id).await;
    let found = found.map_err(|error| unavailable(&error))?;
    let is_theirs = |row: &Attachment| {
        let channel = row.channel.as_ref() == Some(&visit.chat.row.id);
        channel && row.source == Some(of_visitor(&visit.who.visitor))
    };
    let row = found.filter(is_theirs);
    let file = row.as_ref().and_then(|row| row.file.as_ref());
    let (row, file) = row.as_ref().zip(file).ok_or_else(gone)?;
    Ok(Media {
        kind: MediaKind::of_mime(&file.mime),
        source: MediaSource::Id(id.to_string()),
        mime: Some(file.mime.clone()),
        name: row.name.clone(),
        caption: None,
        voice: false,
        sha256: Some(file.sha256.clone()),
        bytes: Some(file.bytes),
    })
}

/// The file of a message that came, as its visitor sees it; none where it is not there, or not any more.
pub(super) async fn of_message(visit: &Visit, row: &Message) -> Result<Option<File>, FrameError> {
    let pool = visit.app.store.pool();
    let found = attachments::of_message(pool, &row.company, &row.id).await;
    let found = found.map_err(|error| unavailable(&error))?;
    Ok(found.as_ref().and_then(|found| seen(visit, found)))
}

/// The file of a message of ours.
pub(super) async fn of_ours(visit: &Visit, media: &OutMedia) -> Result<Option<File>, FrameError> {
    let MediaSource::Id(id) = &media.source else {
        // At a link of somebody else: a browser would tell them who reads.
        return Ok(None);
    };
    let Ok(id) = id.parse() else {
        return Ok(None);
    };
    let (pool, company) = (visit.app.store.pool(), &visit.chat.row.company);
    let found = attachments::by_id(pool, company, &id).await;
    let found = found.map_err(|error| unavailable(&error))?;
    Ok(found.as_ref().and_then(|found| seen(visit, found)))
}

fn seen(visit: &Visit, row: &Attachment) -> Option<File> {
    let file = row.file.as_ref()?;
    let until_ms = visit.app.now_ms() + LINK_LASTS_MS;
    let url = media_links::link(&visit.app.secrets, &row.company, &row.id, until_ms);
    let url = url.inspect_err(|error| tracing::warn!(%error, "a file has no link"));
    let url = url.ok()?;
    Some(File {
        kind: MediaKind::of_mime(&file.mime),
        name: row.name.clone().unwrap_or_default(),
        mime: file.mime.clone(),
        bytes: file.bytes,
        thumb: file.thumbnail.as_ref().map(|_| format!("{url}/thumbnail")),
        url,
        width: None,
        height: None,
    })
}

/// Somewhat longer than a page keeps messages.
const LINK_LASTS_MS: i64 = 24 * 3_600_000;

//! `/files`, uploads and `/media`: files of messages, to be seen, saved and laid down.
//!
//! What customers send is never shown as a page of ours: only pictures of dots, sound and film are shown
//! at all, everything else is saved, and whatever is opened is in a sandbox without scripts.

use std::collections::HashMap;
use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::id::{AttachmentId, ChannelId, CompanyId, InteractionId, MessageId};
use futures_util::StreamExt as _;
use gateway_net::files::thumbnail::small_mime;
use gateway_net::files::{FilesError, Hash, Reading, clean_name, may_show};
use serde::{Deserialize, Serialize};
use store::attachments::{self, Attachment, AttachmentState, StoredFile};

use super::App;
use super::body::{Asked, Id};
use super::messages::{author, may_read};
use super::problem::{Problem, ProblemBody};
use super::receive_hook::ByChannelKey;
use super::recordings::{Part, asked_part, behind_the_end};
use super::requests::noted;
use super::who::{Access, Tenant};
use crate::channels::attachments::{FILE_BYTES_MAX, NotKept};
use crate::channels::media_links;

pub(super) fn routes() -> Router<App> {
    let by_key = Router::new().route("/api/v1/channels/{id}/uploads", post(upload_by_key));
    Router::new()
        .route("/api/v1/files/{id}", get(file))
        .route("/api/v1/files/{id}/thumbnail", get(thumbnail))
        .route("/api/v1/interactions/{id}/uploads", post(upload))
        .route("/media/{token}", get(by_link))
        .route("/media/{token}/thumbnail", get(small_by_link))
        .merge(noted(by_key))
}

/// A file of a message.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FileOfMessage {
    #[schema(value_type = String)]
    id: AttachmentId,
    name: Option<String>,
    /// What its bytes say that it is, once it is here.
    mime: Option<String>,
    bytes: Option<u64>,
    /// `waiting` while it is still where its sender has it, `stored`, `failed`, or `refused`: it is a
    /// program, too long, or at an address inside.
    #[schema(value_type = String)]
    state: AttachmentState,
    /// Where it is, once it is here.
    url: Option<String>,
    /// Where a small picture of it is, where it has one.
    thumbnail_url: Option<String>,
}

impl From<Attachment> for FileOfMessage {
    fn from(row: Attachment) -> Self {
        let url = format!("/api/v1/files/{}", row.id);
        let file = row.file.as_ref();
        let thumbnail = file.and_then(|file| file.thumbnail.as_ref());
        Self {
            thumbnail_url: thumbnail.map(|_| format!("{url}/thumbnail")),
            url: file.map(|_| url),
            mime: file.map(|file| file.mime.clone()),
            bytes: file.map(|file| file.bytes),
            name: row.name,
            state: row.state,
            id: row.id,
        }
    }
}

/// The files of the messages of an interaction, by message.
pub(super) async fn of_interaction(
    app: &App,
    company: &CompanyId,
    id: &InteractionId,
) -> Result<HashMap<MessageId, Vec<FileOfMessage>>, Problem> {
    let rows = attachments::of_interaction(app.store.pool(), company, id).await?;
    let mut of: HashMap<MessageId, Vec<FileOfMessage>> = HashMap::new();
    for row in rows {
        if let Some(message) = row.message.clone() {
            of.entry(message).or_default().push(row.into());
        }
    }
    Ok(of)
}

/// A file that was laid down for a message that is still to come.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Upload {
    /// To be named in the message. It is forgotten after a day.
    #[schema(value_type = String)]
    upload_id: AttachmentId,
    name: Option<String>,
    mime: String,
    bytes: u64,
}

/// How a file that is laid down is called.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// Its name.
    #[serde(default)]
    name: Option<String>,
}

/// Read a file of a message
///
/// Pictures, sound and film may be shown; everything else is saved. A part of it by `Range`.
#[utoipa::path(get, path = "/api/v1/files/{id}", operation_id = "read", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 416, description = "Behind its end.")))]
pub(super) async fn file(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<AttachmentId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = readable(&app, &tenant, &id).await?;
    send(&app, &row, &headers).await
}

/// Read a small picture of a file
#[utoipa::path(get, path = "/api/v1/files/{id}/thumbnail", operation_id = "thumbnail", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn thumbnail(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<AttachmentId>,
) -> Result<Response, Problem> {
    let row = readable(&app, &tenant, &id).await?;
    send_small(&app, row).await
}

async fn send_small(app: &App, row: Attachment) -> Result<Response, Problem> {
    let small = row.file.and_then(|file| file.thumbnail);
    let hash: Hash = known(small.as_deref())?;
    let read = app.attachments.files().read(&hash, SMALL_BYTES_MAX).await;
    let bytes = read.map_err(|error| Problem::unavailable(&error))?;
    let bytes = bytes.ok_or_else(Problem::not_found)?;
    let kind = [(header::CONTENT_TYPE, small_mime(&bytes))];
    Ok((kind, [(header::CACHE_CONTROL, KEEP)], bytes).into_response())
}

/// Lay a file down for a message to a customer
///
/// The body is the file. By the agent who has the interaction in hand, or another system that may
/// write. A program is refused.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/uploads", operation_id = "upload", tag = "records",
    params(("id" = String, Path), Named, ("company" = Option<String>, Query)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Upload), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn upload(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Asked(named): Asked<Named>,
    request: Request,
) -> Result<(StatusCode, Json<Upload>), Problem> {
    author(&app, &tenant, &id).await?;
    let found = store::interactions::by_id(app.store.pool(), &tenant.company, &id).await?;
    found.ok_or_else(Problem::not_found)?;
    let whose = Whose {
        company: tenant.company.clone(),
        channel: None,
        interaction: Some(id),
    };
    take(&app, whose, named, request.into_body()).await
}

/// Lay a file down for what a customer writes
///
/// The body is the file. With a key of the channel; the `upload_id` stands in an attachment of a message
/// that is posted to `receive_hook`. A program is refused.
#[utoipa::path(post, path = "/api/v1/channels/{id}/uploads", operation_id = "upload", tag = "channels",
    params(("id" = String, Path), Named),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Upload), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn upload_by_key(
    State(app): State<App>,
    ByChannelKey { channel, .. }: ByChannelKey,
    Asked(named): Asked<Named>,
    request: Request,
) -> Result<(StatusCode, Json<Upload>), Problem> {
    let found = store::channels::of_work(app.store.pool(), &channel).await?;
    let whose = Whose {
        company: found.ok_or_else(Problem::not_found)?.company,
        channel: Some(channel),
        interaction: None,
    };
    take(&app, whose, named, request.into_body()).await
}

/// Read a file by a link that a provider was given
///
/// Whoever has the link has the file, for as long as the link lasts.
#[utoipa::path(get, path = "/media/{token}", operation_id = "read", tag = "records", security(()),
    params(("token" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, body = ProblemBody), (status = 416, description = "Behind its end.")))]
pub(super) async fn by_link(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (company, id) =
        media_links::opened(&app.secrets, &token, app.now_ms()).ok_or_else(Problem::not_found)?;
    let row = attachments::by_id(app.store.pool(), &company, &id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    let mut response = send(&app, &row, &headers).await?;
    // Who fetches goes by the type. A browser saves it all the same.
    let kind = row.file.and_then(|file| file.mime.parse().ok());
    if let Some(kind) = kind
        && response.status().is_success()
    {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// Read a small picture of a file by a link
#[utoipa::path(get, path = "/media/{token}/thumbnail", operation_id = "thumbnail", tag = "records", security(()),
    params(("token" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 404, body = ProblemBody)))]
pub(super) async fn small_by_link(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let (company, id) =
        media_links::opened(&app.secrets, &token, app.now_ms()).ok_or_else(Problem::not_found)?;
    let row = attachments::by_id(app.store.pool(), &company, &id).await?;
    send_small(&app, row.ok_or_else(Problem::not_found)?).await
}

/// Whose a file is that is laid down.
struct Whose {
    company: CompanyId,
    channel: Option<ChannelId>,
    interaction: Option<InteractionId>,
}

async fn take(
    app: &App,
    whose: Whose,
    named: Named,
    body: Body,
) -> Result<(StatusCode, Json<Upload>), Problem> {
    let name = named.name.as_deref().map(clean_name);
    let kept = keep(app, whose, name.clone(), body).await;
    let (id, file) = kept.map_err(|error| match error {
        NotKept::Runs => Problem::field("file", "program"),
        NotKept::Files(FilesError::TooLarge(_)) => Problem::too_large(),
        NotKept::Files(error) => Problem::unavailable(&error),
        NotKept::Store(error) => error.into(),
    })?;
    let upload = Upload {
        upload_id: id,
        name,
        mime: file.mime,
        bytes: file.bytes,
    };
    Ok((StatusCode::CREATED, Json(upload)))
}

async fn keep(
    app: &App,
    whose: Whose,
    name: Option<String>,
    body: Body,
) -> Result<(AttachmentId, StoredFile), NotKept> {
    let mut incoming = app.attachments.files().incoming(FILE_BYTES_MAX).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        // Who breaks off has laid nothing down.
        let piece = piece.map_err(|error| FilesError::Disk(std::io::Error::other(error)))?;
        incoming.write(&piece).await?;
    }
    let _held = app.attachments.hold().await;
    let stored = incoming.finish().await?;
    let file = app.attachments.judged(&stored, name.as_deref()).await?;
    let now_ms = app.now_ms();
    let row = Attachment {
        id: app.id(AttachmentId::new),
        company: whose.company,
        channel: whose.channel,
        interaction: whose.interaction,
        message: None,
        place: 0,
        source: None,
        state: AttachmentState::Stored,
        file: Some(file.clone()),
        name,
        attempts: 0,
        due_ms: now_ms,
        error: None,
        created_ms: now_ms,
    };
    attachments::insert(app.store.pool(), &row).await?;
    Ok((row.id, file))
}

/// A file that who asks may read.
async fn readable(app: &App, tenant: &Tenant, id: &AttachmentId) -> Result<Attachment, Problem> {
    let row = attachments::by_id(app.store.pool(), &tenant.company, id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    match &row.interaction {
        Some(interaction) => may_read(app, tenant, interaction).await?,
        None => tenant.may(Access::Read)?,
    }
    Ok(row)
}

fn known(hash: Option<&str>) -> Result<Hash, Problem> {
    let hash = hash.and_then(|hash| hash.parse().ok());
    hash.ok_or_else(Problem::not_found)
}

async fn send(app: &App, row: &Attachment, headers: &HeaderMap) -> Result<Response, Problem> {
    let file = row.file.as_ref().ok_or_else(Problem::not_found)?;
    let hash = known(Some(&file.sha256))?;
    let (part, whole) = match asked_part(headers, file.bytes) {
        Part::All => (0..file.bytes, true),
        Part::Some(part) => (part, false),
        Part::None => return Ok(behind_the_end(file.bytes)),
    };
    // Of an empty file no part can be asked for.
    let asked = (!whole).then(|| part.clone());
    let opened = app.attachments.files().open(&hash, asked).await;
    let opened = opened.map_err(|error| Problem::unavailable(&error))?;
    let Reading { pieces, .. } = opened.ok_or_else(Problem::not_found)?;
    let status = match whole {
        true => StatusCode::OK,
        false => StatusCode::PARTIAL_CONTENT,
    };
    let range = (!whole).then(|| {
        let Range { start, end } = &part;
        let range = format!("bytes {start}-{}/{}", end - 1, file.bytes);
        [(header::CONTENT_RANGE, range)]
    });
    let length = part.end - part.start;
    let headers = described(file, row.name.as_deref(), length);
    Ok((status, headers, range, Body::from_stream(pieces)).into_response())
}

fn described(file: &StoredFile, name: Option<&str>, length: u64) -> [(HeaderName, String); 6] {
    let shown = may_show(&file.mime);
    // A browser that does not know what it is cannot open it as anything.
    let kind = if shown {
        &file.mime
    } else {
        "application/octet-stream"
    };
    [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_DISPOSITION, disposition(shown, name)),
        (header::CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
        (header::CACHE_CONTROL, KEEP.to_owned()),
    ]
}

/// RFC 6266, with the name as RFC 8187 writes it: every browser of today reads that.
fn disposition(shown: bool, name: Option<&str>) -> String {
    let how = if shown { "inline" } else { "attachment" };
    let Some(name) = name else {
        return how.to_owned();
    };
    let mut text = format!("{how}; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Whatever it is, it runs nothing and asks nobody.
const SANDBOX: &str = "default-src 'none'; sandbox";

/// The same id is the same bytes for good; only who asked may keep them, and not for long.
const KEEP: &str = "private, max-age=3600";

/// More than any small picture has.
const SMALL_BYTES_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_sound_and_film_are_shown() {
        #[rustfmt::skip]
        let rows = [
            ("image/png", Some("a b.png"), "image/png", "inline; filename*=UTF-8''a%20b.png"),
            ("text/html", Some("çé\".html"), "application/octet-stream", "attachment; filename*=UTF-8''%C3%A7%C3%A9%22.html"),
            ("image/svg+xml", None, "application/octet-stream", "attachment"),
            ("application/pdf", None, "application/octet-stream", "attachment"),
        ];
        for (mime, name, kind, how) in rows {
            let file = StoredFile {
                sha256: String::new(),
                mime: mime.to_owned(),
                bytes: 1,
                thumbnail: None,
            };
            let headers = described(&file, name, 1);
            assert_eq!((headers[0].1.as_str(), headers[3].1.as_str()), (kind, how));
            assert!(headers[4].1.contains("sandbox"));
        }
    }
}

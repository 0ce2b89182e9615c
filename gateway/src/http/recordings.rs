//! `/recordings`: what was said in calls, and how it is kept. Whoever listens is written down.

use std::io::{self, SeekFrom};
use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete as delete_, get};
use axum::{Json, Router};
use desk::id::{InteractionId, RecordingId, ServiceId};
use desk::record::TrailKind;
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use store::{recordings, trail};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::body::{Body as Given, Id, Listed};
use super::problem::{Problem, ProblemBody};
use super::who::{Administers, By, Reads, Who};
use super::{App, Deed};
use crate::recordings::{RecordingRules, forget, path, remove};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/interactions/{id}/recordings", get(of_interaction))
        .route("/api/v1/recordings/{id}", delete_(delete))
        .route("/api/v1/recordings/{id}/audio", get(audio))
        .route("/api/v1/recording-rules", get(rules).put(set_rules))
}

/// A recording of a call: the customer on the left, whom they heard on the right.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Recording {
    #[schema(value_type = String)]
    id: RecordingId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// `flac`, `opus` or `wav`.
    format: String,
    bytes: u64,
    duration_ms: u64,
    started_ms: i64,
}

impl From<recordings::Recording> for Recording {
    fn from(row: recordings::Recording) -> Self {
        Self {
            id: row.id,
            interaction: row.interaction,
            service: row.service,
            format: row.format,
            bytes: row.bytes,
            duration_ms: row.duration_ms,
            started_ms: row.started_ms,
        }
    }
}

/// List the recordings of a call, the oldest first
///
/// A recording is there a moment after its call, when it has been put away.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/recordings", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Recording>), (status = 403, body = ProblemBody)))]
pub(super) async fn of_interaction(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<InteractionId>,
) -> Result<Json<Listed<Recording>>, Problem> {
    let rows = recordings::of_interaction(app.store.pool(), &tenant.company, &id).await?;
    let limit = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    Ok(Listed::of(
        rows,
        limit.saturating_add(1),
        |row: &recordings::Recording| row.id.to_string(),
    ))
}

/// Listen to a recording
///
/// A part of it by `Range`. Who listens is written into the trail of the call and the audit log: each
/// time that it is asked for from its beginning, and once an hour where parts are asked for.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/audio", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "audio/flac"),
        (status = 206, body = Vec<u8>, content_type = "audio/flac"),
        (status = 404, body = ProblemBody), (status = 416, description = "Behind its end.")))]
pub(super) async fn audio(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<RecordingId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = recordings::by_id(app.store.pool(), &tenant.company, &id).await?;
    let row = found.ok_or_else(Problem::not_found)?;
    tenant.reach(&app, &row.interaction).await?;
    let file = File::open(path(&app.calls, &row)).await;
    let mut file = file.map_err(|error| Problem::unavailable(&error))?;
    let length = file.metadata().await;
    let length = length.map_err(|error| Problem::unavailable(&error))?.len();
    let part = match asked_part(&headers, length) {
        Part::All => 0..length,
        Part::Some(part) => part,
        Part::None => return Ok(behind_the_end(length)),
    };
    if part.start == 0 || !has_just_listened(&app, &tenant, &row).await? {
        note_listener(&app, &tenant, &row).await?;
    }
    file.seek(SeekFrom::Start(part.start))
        .await
        .map_err(|error| Problem::unavailable(&error))?;
    Ok(send(file, part, length, &row.format))
}

/// Delete a recording
///
/// For good, its sound too. Who did it stays in the trail of the call and in the audit log.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<RecordingId>,
) -> Result<StatusCode, Problem> {
    let found = recordings::by_id(app.store.pool(), &tenant.company, &id).await?;
    let row = found.ok_or_else(Problem::not_found)?;
    let removed = remove(&app.calls, &row).await;
    removed.map_err(|error| Problem::unavailable(&error))?;
    let mut db = app.store.begin().await?;
    let detail = json!({ "recording": row.id, "by": by(&tenant) });
    if !forget(&mut db, &row, app.now_ms(), &detail).await? {
        return Err(Problem::not_found()); // somebody was faster
    }
    let deed = Deed {
        company: Some(&tenant.company),
        action: "recording.delete",
        target: row.id.as_str(),
        detail: json!({ "interaction": row.interaction, "duration_ms": row.duration_ms }),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read how recordings are kept
#[utoipa::path(get, path = "/api/v1/recording-rules", tag = "records",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = RecordingRules), (status = 403, body = ProblemBody)))]
pub(super) async fn rules(
    State(app): State<App>,
    Administers(tenant): Administers,
) -> Result<Json<RecordingRules>, Problem> {
    let found = recordings::rules_of(app.store.pool(), &tenant.company).await?;
    let rules = found.map(serde_json::from_value).transpose();
    let rules = rules.map_err(|error| Problem::unavailable(&error))?;
    Ok(Json(rules.unwrap_or_default()))
}

/// Set how recordings are kept
///
/// The form is that of recordings from now on. Days count for those that are there, too: what is older
/// is deleted within the hour, for good.
#[utoipa::path(put, path = "/api/v1/recording-rules", tag = "records",
    params(("company" = Option<String>, Query)), request_body = RecordingRules,
    responses((status = 200, body = RecordingRules), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn set_rules(
    State(app): State<App>,
    Administers(tenant): Administers,
    Given(asked): Given<RecordingRules>,
) -> Result<Json<RecordingRules>, Problem> {
    if let Some(field) = asked.wrong() {
        return Err(Problem::field(field, "out_of_range"));
    }
    let rules = serde_json::to_value(&asked).map_err(|error| Problem::unavailable(&error))?;
    let mut db = app.store.begin().await?;
    for service in asked.services.keys() {
        let found = store::services::by_id(&mut *db, &tenant.company, service).await?;
        found.ok_or_else(|| Problem::field("services", "reference"))?;
    }
    recordings::put_rules(&mut *db, &tenant.company, &rules, app.now_ms()).await?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "recording_rules.update",
        target: "",
        detail: json!({ "rules": rules }),
    };
    app.commit_quietly(db, &tenant, deed).await?;
    Ok(Json(asked))
}

async fn note_listener(app: &App, who: &Who, row: &recordings::Recording) -> Result<(), Problem> {
    let detail = json!({ "recording": row.id, "by": by(who) });
    let mut db = app.store.begin().await?;
    let (call, now_ms) = (&row.interaction, app.now_ms());
    trail::append_later(&mut *db, call, now_ms, TrailKind::RecordingHeard, &detail).await?;
    let deed = Deed {
        company: Some(&row.company),
        action: "recording.hear",
        target: row.id.as_str(),
        detail: json!({ "interaction": row.interaction }),
    };
    app.commit_quietly(db, who, deed).await
}

/// Whether somebody asks for the next part of what they listen to.
async fn has_just_listened(
    app: &App,
    who: &Who,
    row: &recordings::Recording,
) -> Result<bool, Problem> {
    let since_ms = app.now_ms() - LISTENING_MS;
    let detail = json!({ "recording": row.id, "by": by(who) });
    let lines = trail::listed_later(app.store.pool(), &row.company, &row.interaction).await?;
    let mut recent = lines.into_iter().filter(|line| line.at_ms >= since_ms);
    Ok(recent.any(|line| line.kind == TrailKind::RecordingHeard && line.detail == detail))
}

/// Parts that are asked for within an hour are one listening.
const LISTENING_MS: i64 = 3_600_000;

pub(super) fn by(who: &Who) -> serde_json::Value {
    match &who.by {
        By::User { user, .. } => json!({ "user": user.id }),
        By::Key(key) => json!({ "api_key": key }),
    }
}

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    Some(Range<u64>),
    /// It begins behind the end.
    None,
}

/// RFC 9110 section 14.2: a range that we do not understand, or several at once, is not one.
pub(super) fn asked_part(headers: &HeaderMap, length: u64) -> Part {
    let range = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let Some((first, last)) = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return Part::All;
    };
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(last)) if first.is_empty() => length.saturating_sub(last)..length,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => return Part::All,
    };
    if part.is_empty() {
        Part::None
    } else {
        Part::Some(part)
    }
}

pub(super) fn behind_the_end(length: u64) -> Response {
    let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
    (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response()
}

/// Sends a part of a file as it is read: it may be longer than the memory.
fn send(file: File, part: Range<u64>, length: u64, format: &str) -> Response {
    let whole = part == (0..length);
    let kind = match format {
        "flac" => "audio/flac",
        "opus" => "audio/ogg; codecs=opus",
        _ => "audio/wav",
    };
    let headers: [(HeaderName, String); 4] = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, (part.end - part.start).to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        // Whoever listens again is written down again.
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    let range = (!whole).then(|| {
        let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        [(header::CONTENT_RANGE, range)]
    });
    let status = if whole {
        StatusCode::OK
    } else {
        StatusCode::PARTIAL_CONTENT
    };
    let pieces = stream::try_unfold((file, part.end - part.start), next_piece);
    (status, headers, range, Body::from_stream(pieces)).into_response()
}

async fn next_piece((mut file, left): (File, u64)) -> io::Result<Option<(Bytes, (File, u64))>> {
    let mut piece = Vec::new();
    let read = (&mut file)
        .take(left.min(PIECE))
        .read_to_end(&mut piece)
        .await?;
    let left = left - u64::try_from(read).unwrap_or(left);
    Ok((read > 0).then_some((Bytes::from(piece), (file, left))))
}

/// Bytes that are read and sent at once.
const PIECE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_taken_as_the_rfc_says() {
        let cases = [
            ("bytes=0-", Part::Some(0..100)),
            ("bytes=10-19", Part::Some(10..20)),
            ("bytes=90-200", Part::Some(90..100)),
            ("bytes=-30", Part::Some(70..100)),
            ("bytes=-300", Part::Some(0..100)),
            ("bytes=100-", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=20-10", Part::All),
            ("bytes=0-1,5-6", Part::All),
            ("bytes=-", Part::All),
            ("lines=1-2", Part::All),
        ];
        for (range, part) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().expect("a header"));
            assert_eq!(asked_part(&headers, 100), part, "{range}");
        }
        assert_eq!(asked_part(&HeaderMap::new(), 100), Part::All);
    }
}

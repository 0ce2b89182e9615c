//! `/prompts`: recordings, and texts with a voice.

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use desk::id::{CompanyId, PromptId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::prompts::{self, PromptKind, PromptState};

use super::body::{Asked, Body, Id, Listed, Paging, language, name};
use super::problem::{Problem, ProblemBody};
use super::voices::{Spoken, speak};
use super::who::{Reads, Tenant, Writes};
use super::{App, Deed};
use crate::sound_files::{Imported, SoundError};

pub(super) fn routes() -> Router<App> {
    let upload = post(upload).layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX));
    Router::new()
        .route("/api/v1/prompts", get(list).merge(upload))
        .route("/api/v1/prompts/from-text", post(from_text))
        .route(
            "/api/v1/prompts/{id}",
            get(read).patch(update).delete(delete),
        )
        .route("/api/v1/prompts/{id}/publish", post(publish))
        .route("/api/v1/prompts/{id}/audio", get(audio))
        .route("/api/v1/prompts/{id}/original", get(original))
}

/// A recording, or a text with a voice.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Prompt {
    #[schema(value_type = String)]
    id: PromptId,
    #[schema(value_type = String)]
    company: CompanyId,
    name: String,
    /// `upload` or `text`.
    kind: &'static str,
    /// `draft` or `published`: callers hear what is published.
    state: &'static str,
    language: String,
    /// The words that are spoken; of a recording, a note.
    text: String,
    voice: String,
    speed_percent: u32,
    /// The media type of the original file.
    mime: String,
    /// The size of the original file.
    bytes: u64,
    duration_ms: u64,
    /// The loudness of the original, in LUFS; callers hear all prompts at one loudness.
    loudness_lufs: Option<f64>,
    created_ms: i64,
    updated_ms: i64,
}

impl From<prompts::Prompt> for Prompt {
    fn from(row: prompts::Prompt) -> Self {
        Self {
            id: row.id,
            company: row.company,
            name: row.name,
            kind: row.kind.as_str(),
            state: row.state.as_str(),
            language: row.language,
            text: row.text,
            voice: row.voice,
            speed_percent: row.speed_percent,
            mime: row.mime,
            bytes: row.bytes,
            duration_ms: row.duration_ms,
            loudness_lufs: row.loudness_lufs,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// List prompts
#[utoipa::path(get, path = "/api/v1/prompts", tag = "prompts",
    params(Paging, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<Prompt>), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Prompt>>, Problem> {
    let rows = prompts::list(app.store.pool(), &tenant.company, &paging.page()?).await?;
    Ok(Listed::of(rows, paging.limit(), |row: &prompts::Prompt| {
        row.id.to_string()
    }))
}

/// The parts of an upload.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it only describes the form")]
pub(super) struct UploadForm {
    /// mp3, wav, flac or ogg; at most 50 MiB.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    name: String,
    /// pt-BR, en or es.
    language: Option<String>,
    /// What is said in it, as a note.
    text: Option<String>,
}

#[derive(Default)]
struct Upload {
    file: Option<Bytes>,
    name: Option<String>,
    language: Option<String>,
    text: Option<String>,
}

/// Upload a recording
///
/// It is a draft until it is published.
#[utoipa::path(post, path = "/api/v1/prompts", tag = "prompts", params(("company" = Option<String>, Query)),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Prompt), (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn upload(
    State(app): State<App>,
    Writes(tenant): Writes,
    request: Request,
) -> Result<(StatusCode, Json<Prompt>), Problem> {
    let form = Multipart::from_request(request, &app).await;
    let upload = read_form(form.map_err(|_| Problem::malformed("malformed"))?).await?;
    let file = upload
        .file
        .ok_or_else(|| Problem::field("file", "file_missing"))?;
    let name = name(&upload.name.unwrap_or_default())?;
    let language = language(upload.language.as_deref().unwrap_or("pt-BR"), "language")?;
    let text = note(upload.text.unwrap_or_default())?;
    let mime = media_type(&file);
    let sound = app.prompts.import(file).await.map_err(refused)?;
    let made = Made {
        kind: PromptKind::Upload,
        name,
        language,
        text,
        voice: String::new(),
        speed_percent: 100,
        mime,
    };
    add(&app, &tenant, made, sound).await
}

async fn read_form(mut form: Multipart) -> Result<Upload, Problem> {
    let broken = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
        _ => Problem::malformed("malformed").because(error.body_text()),
    };
    let mut upload = Upload::default();
    for _ in 0..FIELDS_MAX {
        let Some(field) = form.next_field().await.map_err(broken)? else {
            break;
        };
        match field.name().unwrap_or_default() {
            "file" => upload.file = Some(field.bytes().await.map_err(broken)?),
            "name" => upload.name = Some(field.text().await.map_err(broken)?),
            "language" => upload.language = Some(field.text().await.map_err(broken)?),
            "text" => upload.text = Some(field.text().await.map_err(broken)?),
            other => return Err(Problem::field(other, "invalid")),
        }
    }
    Ok(upload)
}

/// A text that becomes a prompt.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(example = json!({"name": "Boas-vindas", "text": "Olá! Você ligou para a Empresa Exemplo.", "voice": "espeak:pt-br+f2"}))]
pub(super) struct TextPrompt {
    name: String,
    #[serde(flatten)]
    spoken: Spoken,
}

/// Make a prompt from text
#[utoipa::path(post, path = "/api/v1/prompts/from-text", tag = "prompts", params(("company" = Option<String>, Query)),
    request_body = TextPrompt,
    responses((status = 201, body = Prompt), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn from_text(
    State(app): State<App>,
    Writes(tenant): Writes,
    Body(asked): Body<TextPrompt>,
) -> Result<(StatusCode, Json<Prompt>), Problem> {
    let name = name(&asked.name)?;
    let (sound, voice) = say(&app, &asked.spoken).await?;
    let made = Made {
        kind: PromptKind::Text,
        name,
        language: asked.spoken.language,
        text: asked.spoken.text,
        voice,
        speed_percent: u32::from(asked.spoken.speed_percent),
        mime: "audio/wav",
    };
    add(&app, &tenant, made, sound).await
}

/// What is said goes the way of an upload from here on.
async fn say(app: &App, spoken: &Spoken) -> Result<(Imported, String), Problem> {
    let (said, voice) = speak(app, spoken).await?;
    let sound = app.prompts.import_speech(&said).await.map_err(refused)?;
    Ok((sound, voice.to_string()))
}

struct Made {
    kind: PromptKind,
    name: String,
    language: String,
    text: String,
    voice: String,
    speed_percent: u32,
    mime: &'static str,
}

async fn add(
    app: &App,
    tenant: &Tenant,
    made: Made,
    sound: Imported,
) -> Result<(StatusCode, Json<Prompt>), Problem> {
    let now_ms = app.now_ms();
    let row = prompts::Prompt {
        id: app.id(PromptId::new),
        company: tenant.company.clone(),
        name: made.name,
        kind: made.kind,
        state: PromptState::Draft,
        language: made.language,
        text: made.text,
        voice: made.voice,
        speed_percent: made.speed_percent,
        file: Some(sound.hash),
        mime: made.mime.to_owned(),
        bytes: sound.bytes,
        duration_ms: u64::try_from(sound.duration.as_millis()).unwrap_or(u64::MAX),
        loudness_lufs: sound.loudness_lufs,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let mut db = app.store.begin().await?;
    prompts::insert(&mut *db, &row).await?;
    app.commit(db, tenant, deed("prompt.create", &row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Read a prompt
#[utoipa::path(get, path = "/api/v1/prompts/{id}", tag = "prompts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Prompt), (status = 404, body = ProblemBody)))]
pub(super) async fn read(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<PromptId>,
) -> Result<Json<Prompt>, Problem> {
    Ok(Json(find(&app, &tenant, &id).await?.into()))
}

async fn find(app: &App, tenant: &Tenant, id: &PromptId) -> Result<prompts::Prompt, Problem> {
    let found = prompts::by_id(app.store.pool(), &tenant.company, id).await?;
    found.ok_or_else(Problem::not_found)
}

/// What can be changed of a prompt; what is not set stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PromptChanges {
    name: Option<String>,
    /// The words; a draft of a text is spoken anew.
    text: Option<String>,
    language: Option<String>,
    voice: Option<String>,
    speed_percent: Option<u16>,
}

/// Change a prompt
///
/// What a published prompt says does not change: make another one and publish it.
#[utoipa::path(patch, path = "/api/v1/prompts/{id}", tag = "prompts",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = PromptChanges,
    responses((status = 200, body = Prompt), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn update(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<PromptId>,
    Body(asked): Body<PromptChanges>,
) -> Result<Json<Prompt>, Problem> {
    let mut row = find(&app, &tenant, &id).await?;
    if let Some(text) = &asked.name {
        row.name = name(text)?;
    }
    match row.kind {
        PromptKind::Upload => {
            row.text = asked.text.map_or(Ok(row.text), note)?;
            row.language = asked
                .language
                .map_or(Ok(row.language), |text| language(&text, "language"))?;
        }
        PromptKind::Text => respeak(&app, &mut row, asked).await?,
    }
    row.updated_ms = app.now_ms();
    let mut db = app.store.begin().await?;
    prompts::update(&mut *db, &row).await?;
    app.commit(db, &tenant, deed("prompt.update", &row)).await?;
    Ok(Json(row.into()))
}

async fn respeak(
    app: &App,
    row: &mut prompts::Prompt,
    asked: PromptChanges,
) -> Result<(), Problem> {
    let PromptChanges {
        text,
        language,
        voice,
        speed_percent,
        name: _,
    } = asked;
    if text.is_none() && language.is_none() && voice.is_none() && speed_percent.is_none() {
        return Ok(());
    }
    if row.state == PromptState::Published {
        return Err(Problem::conflict("is_published"));
    }
    let spoken = Spoken {
        text: text.unwrap_or_else(|| row.text.clone()),
        language: language.unwrap_or_else(|| row.language.clone()),
        voice: Some(voice.unwrap_or_else(|| row.voice.clone())),
        speed_percent: speed_percent.unwrap_or(u16::try_from(row.speed_percent).unwrap_or(100)),
    };
    let (sound, voice) = say(app, &spoken).await?;
    row.text = spoken.text;
    row.language = spoken.language;
    row.voice = voice;
    row.speed_percent = u32::from(spoken.speed_percent);
    row.file = Some(sound.hash);
    row.bytes = sound.bytes;
    row.duration_ms = u64::try_from(sound.duration.as_millis()).unwrap_or(u64::MAX);
    row.loudness_lufs = sound.loudness_lufs;
    Ok(())
}

/// Publish a prompt
///
/// From here on flows may use it and callers hear it.
#[utoipa::path(post, path = "/api/v1/prompts/{id}/publish", tag = "prompts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Prompt), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn publish(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<PromptId>,
) -> Result<Json<Prompt>, Problem> {
    let mut row = find(&app, &tenant, &id).await?;
    let file = row
        .file
        .clone()
        .ok_or_else(|| Problem::conflict("not_ready"))?;
    let now_ms = app.now_ms();
    let mut db = app.store.begin().await?;
    if !prompts::publish(&mut *db, &tenant.company, &id, &file, now_ms).await? {
        return Err(Problem::conflict("revision"));
    }
    app.commit(db, &tenant, deed("prompt.publish", &row))
        .await?;
    row.state = PromptState::Published;
    row.updated_ms = now_ms;
    Ok(Json(row.into()))
}

/// Delete a prompt
///
/// Refused while a service or a published flow uses it.
#[utoipa::path(delete, path = "/api/v1/prompts/{id}", tag = "prompts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn delete(
    State(app): State<App>,
    Writes(tenant): Writes,
    Id(id): Id<PromptId>,
) -> Result<StatusCode, Problem> {
    let mut db = app.store.begin().await?;
    let row = prompts::by_id(&mut *db, &tenant.company, &id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    let services = store::services::all(&mut *db).await?;
    let announced = services
        .iter()
        .flat_map(|service| &service.announcements)
        .any(|said| said.prompt == id);
    if announced || super::flows::names(&mut db, id.as_str()).await? {
        return Err(Problem::conflict("in_use"));
    }
    prompts::delete(&mut *db, &tenant.company, &id)
        .await
        .map_err(Problem::of_delete)?;
    let unused = match &row.file {
        Some(file) => !prompts::uses_file(&mut *db, file).await?,
        None => false,
    };
    app.commit(db, &tenant, deed("prompt.delete", &row)).await?;
    if let Some(file) = row.file.filter(|_| unused)
        && let Err(error) = app.prompts.forget(&file).await
    {
        tracing::warn!(%error, "a sound nobody uses stays on disk");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Listen as callers do
///
/// A-law at 8 kHz.
#[utoipa::path(get, path = "/api/v1/prompts/{id}/audio", tag = "prompts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "audio/wav"), (status = 404, body = ProblemBody)))]
pub(super) async fn audio(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<PromptId>,
) -> Result<impl IntoResponse, Problem> {
    let file = find(&app, &tenant, &id)
        .await?
        .file
        .ok_or_else(Problem::not_found)?;
    let prompt = app.prompts.load(&file).await.map_err(refused)?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], prompt.as_heard()))
}

/// Download the original
#[utoipa::path(get, path = "/api/v1/prompts/{id}/original", tag = "prompts",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = ProblemBody)))]
pub(super) async fn original(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<PromptId>,
) -> Result<impl IntoResponse, Problem> {
    let row = find(&app, &tenant, &id).await?;
    let file = row.file.ok_or_else(Problem::not_found)?;
    let bytes = app
        .prompts
        .original(&file)
        .await
        .map_err(|error| Problem::unavailable(&error))?;
    // Its content is a stranger's: it is saved, never shown.
    let headers = [
        (header::CONTENT_TYPE, row.mime),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}\""),
        ),
    ];
    Ok((headers, bytes))
}

fn refused(error: SoundError) -> Problem {
    match &error {
        SoundError::Intake(fault) => {
            let code = match fault.code() {
                "empty" => "audio_empty",
                "too_large" => "audio_too_large",
                "too_long" => "audio_too_long",
                "unknown_kind" => "audio_unknown_kind",
                "unsupported" => "audio_unsupported",
                "rate" => "audio_rate",
                "channels" => "audio_channels",
                "truncated" => "audio_truncated",
                "silent" => "audio_silent",
                _ => "audio_damaged",
            };
            Problem::field("file", code).because(fault)
        }
        SoundError::Decoder => Problem::field("file", "audio_damaged"),
        SoundError::Disk(error) => Problem::unavailable(error),
    }
}

fn note(text: String) -> Result<String, Problem> {
    if text.len() <= crate::voices::TEXT_LENGTH_MAX {
        Ok(text)
    } else {
        Err(Problem::field("text", "voice_text"))
    }
}

/// By its first bytes; what the sender calls it is not believed.
fn media_type(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'R', b'I', b'F', b'F', ..] => "audio/wav",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

fn deed<'a>(action: &'a str, row: &'a prompts::Prompt) -> Deed<'a> {
    let detail = json!({ "name": row.name, "file": row.file });
    Deed {
        company: Some(&row.company),
        action,
        target: row.id.as_str(),
        detail,
    }
}

/// What `media_engine` takes in, and the form around it.
const UPLOAD_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Fields of an upload: more are none of ours.
const FIELDS_MAX: usize = 8;

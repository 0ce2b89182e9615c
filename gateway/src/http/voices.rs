//! `/voices`: who can speak here, and a taste of it.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use ivr::Language;
use media_engine::audio::Mono;
use serde::Deserialize;

use super::App;
use super::body::{Body, language};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, Who, Writes};
use crate::setup;
use crate::voices::{Speech, Voice, VoiceError, VoiceName};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/voices", get(list))
        .route("/api/v1/voices/preview", post(preview))
}

/// List voices
#[utoipa::path(get, path = "/api/v1/voices", tag = "prompts",
    responses((status = 200, body = Vec<Voice>), (status = 401, body = ProblemBody)))]
pub(super) async fn list(State(app): State<App>, who: Who) -> Result<Json<Vec<Voice>>, Problem> {
    who.may(Access::Read)?;
    Ok(Json(app.voices.list()))
}

/// A text, and who says it how.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Olá! Você ligou para a Empresa Exemplo.", "language": "pt-BR", "speed_percent": 100}))]
pub(super) struct Spoken {
    /// 1 to 4000 bytes.
    pub(super) text: String,
    /// pt-BR, en or es.
    #[serde(default = "portuguese")]
    pub(super) language: String,
    /// One of `/voices`; the best of the language when not set.
    #[serde(default)]
    pub(super) voice: Option<String>,
    /// Of the voice's own speed: 50 to 200.
    #[serde(default = "usual")]
    pub(super) speed_percent: u16,
}

fn portuguese() -> String {
    "pt-BR".to_owned()
}

fn usual() -> u16 {
    100
}

/// Listen to a voice
///
/// The 8 kHz version that callers would hear; nothing is stored.
#[utoipa::path(post, path = "/api/v1/voices/preview", tag = "prompts", request_body = Spoken,
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "audio/wav"), (status = 422, body = ProblemBody)))]
pub(super) async fn preview(
    State(app): State<App>,
    writes: Writes,
    Body(asked): Body<Spoken>,
) -> Result<impl IntoResponse, Problem> {
    drop(writes); // It is the right to it that counts.
    let (speech, _) = speak(&app, &asked).await?;
    let heard = app.prompts.as_heard(speech).await;
    let wav = heard.map_err(|error| Problem::unavailable(&error))?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav))
}

/// Says it; and by which voice.
pub(super) async fn speak(app: &App, asked: &Spoken) -> Result<(Mono, VoiceName), Problem> {
    let language: Language = setup::language(&language(&asked.language, "language")?);
    let voice = match &asked.voice {
        Some(name) => name
            .parse()
            .map_err(|_| Problem::field("voice", "voice_unknown"))?,
        None => app
            .voices
            .default_for(language)
            .ok_or_else(|| Problem::field("voice", "voice_engine"))?,
    };
    let speed = f32::from(asked.speed_percent) / 100.0;
    let text = asked.text.clone();
    let speech = Speech {
        text,
        language,
        voice: Some(voice.clone()),
        speed,
    };
    let said = app.voices.speak(&speech).await.map_err(refused)?;
    Ok((said, voice))
}

fn refused(error: VoiceError) -> Problem {
    match &error {
        VoiceError::TextLength => Problem::field("text", "voice_text"),
        VoiceError::Speed => Problem::field("speed_percent", "voice_speed"),
        VoiceError::UnknownVoice(_) => Problem::field("voice", "voice_unknown"),
        VoiceError::Engine { .. } | VoiceError::TooSlow { .. } => {
            tracing::warn!(%error, "a voice did not speak");
            Problem::field("voice", "voice_engine")
        }
    }
}

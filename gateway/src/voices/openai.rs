//! Voices of a server that speaks OpenAI's interface: theirs, or one in the house.
//!
//! `data/voices/openai.json` says where it is:
//!
//! ```json
//! {
//!   "url": "http://127.0.0.1:8880",
//!   "key": "only if it wants one",
//!   "model": "tts-1",
//!   "voices": [{ "voice": "alloy", "name": "Alloy", "language": "pt-BR" }]
//! }
//! ```
//!
//! The operator writes this file, never a company: so the server may be inside the house.

use std::path::Path;
use std::time::Duration;

use ivr::machine::{FetchFailure, Request};
use ivr::{Language, Method};
use media_engine::audio::Mono;
use media_engine::audio::intake;
use serde::Deserialize;

use super::{EngineKind, SPEAK_TIME_MAX, Voice, VoiceError, VoiceName};
use gateway_net::fetch::{Fetcher, Inside, Limits};

/// A server that was configured; whether it answers shows when it is asked.
#[derive(Debug)]
pub(super) struct OpenAi {
    url: String,
    key: Option<Key>,
    model: String,
    voices: Vec<Voice>,
    fetcher: Fetcher,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: String,
    key: Option<String>,
    model: String,
    voices: Vec<VoiceSettings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoiceSettings {
    voice: String,
    name: Option<String>,
    language: Language,
}

/// Never printed.
struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

impl OpenAi {
    /// Reads the settings. None are no error; wrong ones are said once and count as none.
    pub(super) async fn discover(data: &Path) -> Option<Self> {
        let file = data.join("voices/openai.json");
        let text = tokio::fs::read(&file).await.ok()?;
        match serde_json::from_slice(&text) {
            Ok(settings) => Some(Self::new(settings)),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a voice server's settings are wrong");
                None
            }
        }
    }

    fn new(settings: Settings) -> Self {
        let voice = |voice: VoiceSettings| {
            let id: VoiceName = match format!("openai:{}", voice.voice).parse() {
                Ok(id) => id,
                Err(error) => {
                    tracing::warn!(voice = voice.voice, %error, "a voice cannot be named so");
                    return None;
                }
            };
            Some(Voice {
                id,
                name: voice.name.unwrap_or(voice.voice),
                language: voice.language,
            })
        };
        let url = settings.url.trim_end_matches('/');
        let url = url.strip_suffix("/v1").unwrap_or(url);
        Self {
            url: format!("{url}/v1/audio/speech"),
            key: settings.key.map(Key),
            model: settings.model,
            voices: settings.voices.into_iter().filter_map(voice).collect(),
            fetcher: Fetcher::new(Inside::Allowed),
        }
    }

    /// The voices that the operator named.
    pub(super) fn voices(&self) -> impl Iterator<Item = Voice> {
        debug_assert!(
            self.voices
                .iter()
                .all(|voice| voice.id.engine == EngineKind::OpenAi)
        );
        self.voices.iter().cloned()
    }

    /// Has the server say `text`.
    pub(super) async fn speak(
        &self,
        voice: &str,
        text: &str,
        speed: f32,
    ) -> Result<Mono, VoiceError> {
        let answer = self
            .fetcher
            .fetch_within(&self.request(voice, text, speed), LIMITS)
            .await
            .map_err(|failure| failed(reason(failure).to_owned()))?;
        if answer.status != 200 {
            return Err(failed(format!("it answered with status {}", answer.status)));
        }
        // Decoding takes a core for a moment: not on a task that serves calls.
        let wav = with_true_lengths(answer.body);
        let decoding = tokio::task::spawn_blocking(move || intake::read(wav.into()));
        match decoding.await {
            Ok(Ok(upload)) => Ok(upload.audio),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("its sound cannot be decoded".to_owned())),
        }
    }

    fn request(&self, voice: &str, text: &str, speed: f32) -> Request {
        let body = serde_json::json!({
            "model": self.model,
            "voice": voice,
            "input": text,
            "speed": speed,
            "response_format": "wav",
        });
        let authorization = self
            .key
            .iter()
            .map(|Key(key)| ("Authorization".to_owned(), format!("Bearer {key}")));
        Request {
            method: Method::Post,
            url: self.url.clone(),
            headers: authorization.collect(),
            body: Some(body.to_string()),
            timeout: LIMITS.time,
        }
    }
}

/// A server that sends while it speaks does not know the lengths in the WAV's head: they are
/// corrected to what came.
fn with_true_lengths(mut wav: Vec<u8>) -> Vec<u8> {
    if !wav.starts_with(b"RIFF") {
        return wav;
    }
    let mut chunk = 12;
    while let Some(&[a, b, c, d, e, f, g, h]) = wav.get(chunk..chunk + 8) {
        let length = u32::from_le_bytes([e, f, g, h]);
        let there = wav.len() - chunk - 8;
        if [a, b, c, d] == *b"data" {
            if length as usize > there {
                set_length(&mut wav, chunk + 4, there);
                let whole = wav.len() - 8;
                set_length(&mut wav, 4, whole);
            }
            return wav;
        }
        // Chunks begin at even places.
        chunk += 8 + (length as usize).min(there).next_multiple_of(2);
    }
    wav
}

fn set_length(wav: &mut [u8], place: usize, length: usize) {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(field) = wav.get_mut(place..place + 4) {
        field.copy_from_slice(&length.to_le_bytes());
    }
}

fn reason(failure: FetchFailure) -> &'static str {
    match failure {
        FetchFailure::Refused => "its address cannot be asked",
        FetchFailure::Unreachable => "it cannot be reached",
        FetchFailure::TimedOut => "it did not answer in time",
        FetchFailure::TooLarge => "its answer is too large",
    }
}

fn failed(what: String) -> VoiceError {
    VoiceError::Engine {
        engine: EngineKind::OpenAi.name(),
        what,
    }
}

/// The longest text is four minutes of speech: at 48 kHz and 16 bits 23 MB. Twice that for a slow
/// voice; and a little less time than anybody waits, so that the reason is told.
const LIMITS: Limits = Limits {
    time: SPEAK_TIME_MAX.saturating_sub(Duration::from_secs(5)),
    bytes: 48 * 1024 * 1024,
};

#[cfg(test)]
mod tests {
    use super::*;
    use media_engine::audio::wav;
    use std::fmt::Write;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A server that answers once, and tells what it was asked.
    async fn server(status: u16, body: Vec<u8>) -> (OpenAi, tokio::task::JoinHandle<String>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut asked = String::new();
            let mut part = vec![0; 4_096];
            while !asked.ends_with('}') {
                let read = stream.read(&mut part).await.expect("a request");
                assert_ne!(read, 0, "the request ended early: {asked}");
                write!(asked, "{}", String::from_utf8_lossy(&part[..read])).expect("text");
            }
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
            asked
        });
        let text = format!(
            r#"{{"url": "http://{address}/v1/", "key": "k-1", "model": "tts-1", "voices": [
                {{"voice": "alloy", "language": "pt-BR"}},
                {{"voice": "not a name", "language": "en"}}]}}"#
        );
        let folder = tempfile::tempdir().expect("a folder");
        let voices = folder.path().join("voices");
        std::fs::create_dir(&voices).expect("a folder");
        std::fs::write(voices.join("openai.json"), text).expect("a file");
        let server = OpenAi::discover(folder.path()).await.expect("settings");
        (server, asked)
    }

    /// A second of a tone, with the length that a streaming server writes.
    fn tone() -> Vec<u8> {
        let samples: Vec<i16> = (0..16_000)
            .map(|index: i32| if index % 40 < 20 { 8_000 } else { -8_000 })
            .collect();
        let mut file = wav::pcm16(16_000, &samples);
        let data = file
            .windows(4)
            .position(|four| four == b"data")
            .expect("a chunk");
        file[4..8].fill(0xff);
        file[data + 4..data + 8].fill(0xff);
        file
    }

    #[tokio::test]
    async fn the_server_is_asked_for_a_wav_and_its_sound_is_read() {
        let (server, asked) = server(200, tone()).await;
        let names: Vec<String> = server.voices().map(|voice| voice.id.to_string()).collect();
        assert_eq!(names, ["openai:alloy"]);
        let spoken = server
            .speak("alloy", "\"Olá\"\n", 1.25)
            .await
            .expect("speech");
        assert_eq!(spoken.duration().as_millis(), 1_000);
        let asked = asked.await.expect("the server");
        assert!(
            asked.starts_with("POST /v1/audio/speech HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(
            asked
                .to_lowercase()
                .contains("authorization: bearer k-1\r\n"),
            "{asked}"
        );
        let body = asked.split_once("\r\n\r\n").expect("a body").1;
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({"model": "tts-1", "voice": "alloy", "input": "\"Olá\"\n",
                "speed": 1.25, "response_format": "wav"})
        );
        assert!(!format!("{server:?}").contains("k-1"));
    }

    #[tokio::test]
    async fn a_server_that_refuses_or_sends_no_sound_is_named() {
        for (status, body) in [(401, tone()), (200, b"<html>".to_vec()), (200, vec![])] {
            let (server, _asked) = server(status, body).await;
            let spoken = server.speak("alloy", "Olá", 1.0).await;
            assert!(
                matches!(spoken, Err(VoiceError::Engine { .. })),
                "{spoken:?}"
            );
        }
    }

    #[tokio::test]
    async fn no_settings_and_wrong_settings_are_no_server() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(OpenAi::discover(folder.path()).await.is_none());
        std::fs::create_dir(folder.path().join("voices")).expect("a folder");
        let file = folder.path().join("voices/openai.json");
        std::fs::write(&file, r#"{"url": 1}"#).expect("a file");
        assert!(OpenAi::discover(folder.path()).await.is_none());
    }
}

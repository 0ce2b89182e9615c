//! espeak-ng: formant synthesis, at once and everywhere.

use std::process::Stdio;

use ivr::Language;
use media_engine::audio::Mono;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{EngineKind, Voice, VoiceError, VoiceName};

/// espeak-ng, found on this machine.
#[derive(Debug)]
pub(super) struct Espeak(());

impl Espeak {
    /// Looks whether the program runs.
    pub(super) async fn discover() -> Option<Self> {
        let version = Command::new(PROGRAM)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .await
            .ok()?;
        version.status.success().then_some(Self(()))
    }

    /// The voices we offer: the clearest over a telephone, of each language a man's and a woman's.
    pub(super) fn voices(&self) -> impl Iterator<Item = Voice> {
        VOICES.iter().map(|(voice, name, language)| Voice {
            id: VoiceName {
                engine: EngineKind::Espeak,
                voice: (*voice).to_owned(),
            },
            name: (*name).to_owned(),
            language: *language,
        })
    }

    /// Says `text`.
    pub(super) async fn speak(
        &self,
        voice: &str,
        text: &str,
        speed: f32,
    ) -> Result<Mono, VoiceError> {
        let speed = words_per_minute(speed);
        let wav = run(&["-v", voice, "-s", &speed, "-p", PITCH, "--stdout"], text).await?;
        samples(&wav).ok_or_else(|| failed("it wrote no sound".to_owned()))
    }

    /// How `text` is pronounced, in IPA; `^` ties what is one sound.
    pub(super) async fn phonemes(&self, voice: &str, text: &str) -> Result<String, VoiceError> {
        let ipa = run(&["-v", voice, "-q", "--ipa", "--tie=^"], text).await?;
        Ok(String::from_utf8_lossy(&ipa).into_owned())
    }
}

/// Runs the program with `text` as its input.
async fn run(arguments: &[&str], text: &str) -> Result<Vec<u8>, VoiceError> {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .args(["--stdin", "-b", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // The text is far smaller than a pipe's buffer: this never waits for the reader.
        let written = input.write_all(text.as_bytes()).await;
        written.map_err(|error| failed(error.to_string()))?;
    }
    let output = child
        .wait_with_output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(output.stdout)
}

fn failed(what: String) -> VoiceError {
    VoiceError::Engine {
        engine: PROGRAM,
        what,
    }
}

/// Reads what espeak-ng writes: a WAV of 16-bit mono whose length fields are not to be believed,
/// because it is written as it is spoken.
fn samples(wav: &[u8]) -> Option<Mono> {
    let rate = u32::from_le_bytes(wav.get(24..28)?.try_into().ok()?);
    let data = wav.get(WAV_HEADER..).filter(|data| !data.is_empty())?;
    let samples = data
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    Some(Mono { rate, samples })
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the speed is checked: 72 to 290"
)]
fn words_per_minute(speed: f32) -> String {
    ((speed * WORDS_PER_MINUTE).round() as i32).to_string()
}

const PROGRAM: &str = "espeak-ng";

/// What espeak-ng calls its header: 44 bytes, always.
const WAV_HEADER: usize = 44;

/// Slower than its default of 175: over a telephone, the first time, to everybody.
const WORDS_PER_MINUTE: f32 = 145.0;

/// A little below the default of 50 it sounds less metallic at 8 kHz.
const PITCH: &str = "45";

const VOICES: &[(&str, &str, Language)] = &[
    ("pt-br+f2", "espeak-ng, feminina", Language::PtBr),
    ("pt-br", "espeak-ng, masculina", Language::PtBr),
    ("en-us+f2", "espeak-ng, female", Language::En),
    ("en-us", "espeak-ng, male", Language::En),
    ("es-419+f2", "espeak-ng, femenina", Language::Es),
    ("es-419", "espeak-ng, masculina", Language::Es),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_voice_we_offer_speaks() {
        let Some(espeak) = Espeak::discover().await else {
            return assert!(std::env::var_os("CI").is_none(), "CI must have espeak-ng");
        };
        for voice in espeak.voices() {
            let spoken = espeak
                .speak(&voice.id.voice, "Sete, 7.", 1.0)
                .await
                .expect("speech");
            assert_eq!(spoken.rate, 22_050, "{}", voice.id);
            let loud = spoken.samples.iter().any(|sample| sample.abs() > 0.05);
            assert!(loud && spoken.duration().as_millis() > 500, "{}", voice.id);
        }
    }

    #[tokio::test]
    async fn text_is_data_whatever_is_in_it() {
        let Some(espeak) = Espeak::discover().await else {
            return;
        };
        for text in ["-x --help $(id) `id`; ls", "[[a]] <speak>oi</speak>"] {
            espeak.speak("pt-br", text, 1.0).await.expect("speech");
        }
    }
}

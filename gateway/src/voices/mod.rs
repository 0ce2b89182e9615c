//! Text becomes speech.
//!
//! A voice is named `engine:voice` (`espeak:pt-br+f2`). espeak-ng works out of the box; Kokoro, a
//! neural voice, takes its place in [`Voices::default_for`] when its files are in the data folder; a
//! server that speaks OpenAI's interface is asked when somebody chooses one of its voices, or nobody
//! else is here. What is spoken goes the way of an uploaded file afterwards: one loudness, frames in
//! each codec, cached by text and voice.

pub mod edges;
mod espeak;
mod kokoro;
mod openai;
mod phonemes;

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use ivr::Language;
use media_engine::audio::Mono;
use serde::{Deserialize, Serialize};

use crate::flights::Flights;

/// A voice that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Voice {
    /// `engine:voice`, by which prompts and flows name it.
    #[schema(value_type = String, example = "espeak:pt-br+f2")]
    pub id: VoiceName,
    /// What people call it.
    pub name: String,
    /// The language it speaks best.
    #[schema(value_type = String, example = "pt-BR")]
    pub language: Language,
}

/// `engine:voice`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VoiceName {
    engine: EngineKind,
    voice: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum EngineKind {
    Espeak,
    Kokoro,
    OpenAi,
}

impl EngineKind {
    const ALL: [Self; 3] = [Self::Espeak, Self::Kokoro, Self::OpenAi];

    /// How voices are named.
    fn prefix(self) -> &'static str {
        match self {
            Self::Espeak => "espeak",
            Self::Kokoro => "kokoro",
            Self::OpenAi => "openai",
        }
    }

    /// What people call it.
    fn name(self) -> &'static str {
        match self {
            Self::Espeak => "espeak-ng",
            Self::Kokoro => "Kokoro",
            Self::OpenAi => "the voice server",
        }
    }
}

/// Text that names no voice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a voice is named engine:voice, such as espeak:pt-br+f2")]
pub struct InvalidVoiceName;

impl FromStr for VoiceName {
    type Err = InvalidVoiceName;

    fn from_str(text: &str) -> Result<Self, InvalidVoiceName> {
        let (engine, voice) = text.split_once(':').ok_or(InvalidVoiceName)?;
        let engine = EngineKind::ALL
            .into_iter()
            .find(|kind| kind.prefix() == engine)
            .ok_or(InvalidVoiceName)?;
        // The name becomes an argument of a program and part of a file's name.
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+');
        if voice.is_empty() || voice.len() > VOICE_LENGTH_MAX || !voice.bytes().all(sane) {
            return Err(InvalidVoiceName);
        }
        Ok(Self {
            engine,
            voice: voice.to_owned(),
        })
    }
}

impl TryFrom<String> for VoiceName {
    type Error = InvalidVoiceName;

    fn try_from(text: String) -> Result<Self, InvalidVoiceName> {
        text.parse()
    }
}

impl From<VoiceName> for String {
    fn from(name: VoiceName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for VoiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.engine.prefix(), self.voice)
    }
}

/// What is to be said, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Speech {
    /// The words; at most [`TEXT_LENGTH_MAX`] bytes.
    pub text: String,
    /// The language of the words.
    pub language: Language,
    /// Who says them; the best voice of the language when nobody is named.
    pub voice: Option<VoiceName>,
    /// 1.0 is the voice's own speed; from [`SPEED_MIN`] to [`SPEED_MAX`].
    pub speed: f32,
}

/// Why nothing was said.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VoiceError {
    /// There is nothing to say, or too much.
    #[error("the text must have 1 to {TEXT_LENGTH_MAX} bytes")]
    TextLength,
    /// The speed is not one.
    #[error("the speed must be from {SPEED_MIN} to {SPEED_MAX}")]
    Speed,
    /// There is no such voice here.
    #[error("there is no voice {0} here")]
    UnknownVoice(VoiceName),
    /// The engine is not installed or broke down.
    #[error("{engine} could not speak: {what}")]
    Engine {
        /// Which engine.
        engine: &'static str,
        /// What it said.
        what: String,
    },
    /// The engine took longer than [`SPEAK_TIME_MAX`].
    #[error("{engine} did not finish within {} s", SPEAK_TIME_MAX.as_secs())]
    TooSlow {
        /// Which engine.
        engine: &'static str,
    },
}

/// Everybody who can speak here.
#[derive(Debug)]
pub struct Voices {
    espeak: Option<espeak::Espeak>,
    kokoro: Option<kokoro::Kokoro>,
    server: Option<openai::OpenAi>,
    /// What is being said, by who says it how.
    under_way: Flights<(VoiceName, u32, String), Result<Mono, VoiceError>>,
}

impl Voices {
    /// Looks who is here; neural voices and the settings of a server are in `data/voices/`.
    pub async fn discover(data: &Path) -> Self {
        Self {
            espeak: espeak::Espeak::discover().await,
            kokoro: kokoro::Kokoro::discover(data).await,
            server: openai::OpenAi::discover(data).await,
            under_way: Flights::default(),
        }
    }

    /// All voices, the ones to be preferred first.
    pub fn list(&self) -> Vec<Voice> {
        // Kokoro is told by espeak-ng how words are pronounced.
        let kokoro = self.kokoro.iter().filter(|_| self.espeak.is_some());
        kokoro
            .flat_map(kokoro::Kokoro::voices)
            .chain(self.espeak.iter().flat_map(espeak::Espeak::voices))
            .chain(self.server.iter().flat_map(openai::OpenAi::voices))
            .collect()
    }

    /// Who speaks `language` when nobody is named.
    pub fn default_for(&self, language: Language) -> Option<VoiceName> {
        self.list()
            .into_iter()
            .find(|voice| voice.language == language)
            .map(|voice| voice.id)
    }

    /// Whether this voice is here.
    pub fn has(&self, name: &VoiceName) -> bool {
        self.list().iter().any(|voice| voice.id == *name)
    }

    /// Says it; when it is being said to somebody already, that is heard.
    ///
    /// # Errors
    ///
    /// [`VoiceError`]; what the caller did wrong comes before any work.
    pub async fn speak(&self, speech: &Speech) -> Result<Mono, VoiceError> {
        let text = speech.text.trim();
        if text.is_empty() || text.len() > TEXT_LENGTH_MAX {
            return Err(VoiceError::TextLength);
        }
        if !(SPEED_MIN..=SPEED_MAX).contains(&speech.speed) {
            return Err(VoiceError::Speed);
        }
        let name = speech
            .voice
            .clone()
            .or_else(|| self.default_for(speech.language));
        let Some(name) = name else {
            return Err(VoiceError::Engine {
                engine: "espeak-ng",
                what: "it is not installed (Debian: apt-get install espeak-ng)".to_owned(),
            });
        };
        let voice = self.list().into_iter().find(|voice| voice.id == name);
        let Some(voice) = voice else {
            return Err(VoiceError::UnknownVoice(name));
        };
        let key = (name.clone(), speech.speed.to_bits(), text.to_owned());
        let work = async {
            tokio::time::timeout(SPEAK_TIME_MAX, self.by(&voice, text, speech))
                .await
                .map_err(|_| VoiceError::TooSlow {
                    engine: name.engine.name(),
                })?
        };
        self.under_way.join(key, work).await
    }

    /// Says it in a voice that is here.
    async fn by(&self, voice: &Voice, text: &str, speech: &Speech) -> Result<Mono, VoiceError> {
        let name = &voice.id;
        let gone = || VoiceError::UnknownVoice(name.clone());
        let espeak = self.espeak.as_ref().ok_or_else(gone);
        match name.engine {
            EngineKind::Espeak => espeak?.speak(&name.voice, text, speech.speed).await,
            EngineKind::Kokoro => {
                let kokoro = self.kokoro.as_ref().ok_or_else(gone)?;
                kokoro.speak(espeak?, voice, text, speech.speed).await
            }
            EngineKind::OpenAi => {
                let server = self.server.as_ref().ok_or_else(gone)?;
                server.speak(&name.voice, text, speech.speed).await
            }
        }
    }
}

/// The longest text of one prompt, in bytes: about four minutes of speech.
pub const TEXT_LENGTH_MAX: usize = 4_000;

/// The slowest speech that people still follow.
pub const SPEED_MIN: f32 = 0.5;

/// The fastest speech that people still follow.
pub const SPEED_MAX: f32 = 2.0;

/// The longest time one prompt may take to make: a neural voice on one busy core needs about the
/// length of what it says.
pub const SPEAK_TIME_MAX: Duration = Duration::from_secs(120);

const VOICE_LENGTH_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_name_is_never_an_option_nor_a_path() {
        assert_eq!(
            "espeak:pt-br+f2".parse::<VoiceName>().unwrap().to_string(),
            "espeak:pt-br+f2"
        );
        for good in ["kokoro:pf_dora", "openai:alloy"] {
            assert_eq!(good.parse::<VoiceName>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "kokoro:../../etc/passwd",
            "kokoro:pf_dora.bin",
            "openai:a\nb",
            "espeak",
            "espeak:",
            "espeak:../x",
            "espeak:a b",
            "nobody:x",
            "espeak:\u{e9}",
        ] {
            assert_eq!(bad.parse::<VoiceName>(), Err(InvalidVoiceName), "{bad}");
        }
    }

    /// Nobody can speak.
    fn nobody() -> Voices {
        Voices {
            espeak: None,
            kokoro: None,
            server: None,
            under_way: Flights::default(),
        }
    }

    #[tokio::test]
    async fn what_cannot_be_said_is_refused_before_any_work() {
        let voices = nobody();
        let speech = |text: &str, speed| Speech {
            text: text.to_owned(),
            language: Language::PtBr,
            voice: None,
            speed,
        };
        let refused =
            async |text: &str, speed| voices.speak(&speech(text, speed)).await.unwrap_err();
        assert!(matches!(refused("  ", 1.0).await, VoiceError::TextLength));
        assert!(matches!(
            refused(&"a".repeat(4_001), 1.0).await,
            VoiceError::TextLength
        ));
        assert!(matches!(refused("oi", 0.1).await, VoiceError::Speed));
        assert!(matches!(refused("oi", f32::NAN).await, VoiceError::Speed));
        assert!(matches!(
            refused("oi", 1.0).await,
            VoiceError::Engine { .. }
        ));
    }

    #[tokio::test]
    async fn a_voice_that_is_not_here_is_refused_by_its_name() {
        for name in ["espeak:pt-br", "kokoro:pf_dora", "openai:alloy"] {
            let speech = Speech {
                text: "oi".to_owned(),
                language: Language::PtBr,
                voice: name.parse().ok(),
                speed: 1.0,
            };
            let refused = nobody().speak(&speech).await;
            assert!(
                matches!(refused, Err(VoiceError::UnknownVoice(_))),
                "{name}"
            );
        }
    }
}

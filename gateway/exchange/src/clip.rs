//! What can be played to a caller, by name: the shell turns it into sound.

use std::borrow::Cow;

use desk::id::PromptId;
use ivr::Language;

/// One thing to be heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clip {
    /// A prompt of the company.
    Prompt(PromptId),
    /// A sound that ships, `sounds/<language>/<name>`; where it does not exist, `text` is spoken.
    Sound {
        /// The language.
        language: Language,
        /// The name, such as `numbers/20-f`.
        name: Cow<'static, str>,
        /// The same in words.
        text: Cow<'static, str>,
    },
    /// A text in a voice.
    Speech {
        /// The language of the text.
        language: Language,
        /// The voice, by the name that the gateway gives it; the best one when not set.
        voice: Option<String>,
        /// The text.
        text: String,
    },
    /// Music that ships, for who waits.
    Music,
    /// What a caller hears while the called telephone rings: 425 Hz, one second in five, as in
    /// Brazil.
    RingingTone,
}

impl Clip {
    /// What kind of clip it is, for a log: texts may hold what a caller typed.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Prompt(_) => "prompt",
            Self::Sound { .. } => "sound",
            Self::Speech { .. } => "speech",
            Self::Music => "music",
            Self::RingingTone => "ringing tone",
        }
    }
}

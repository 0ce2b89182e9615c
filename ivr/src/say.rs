//! What a flow says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PromptId, VoiceId};

/// One thing that is said. Every text may hold variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Say {
    /// A prompt of the company.
    Prompt {
        /// Which.
        prompt: PromptId,
    },
    /// A text, spoken by a voice or shown to a chat visitor.
    Text {
        /// The text.
        text: String,
        /// The voice; else the flow's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<VoiceId>,
    },
    /// A sound that ships: a name of [`crate::words::catalogue`] or of [`crate::words::GENERATED`].
    Sound {
        /// Which.
        sound: String,
    },
    /// A whole number: "vinte e uma".
    Number {
        /// The number in digits.
        value: String,
        /// What it agrees with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gender: Option<Gender>,
    },
    /// A place in a row: "terceira".
    Ordinal {
        /// The number in digits.
        value: String,
        /// What it agrees with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gender: Option<Gender>,
    },
    /// Character by character.
    Digits {
        /// Digits and letters.
        value: String,
    },
    /// Character by character, in groups with a pause between them.
    Protocol {
        /// Digits and letters.
        value: String,
    },
    /// A date: "vinte e dois de novembro de dois mil e vinte e seis".
    Date {
        /// `2026-11-22`, or a time stamp that begins so.
        value: String,
    },
    /// A time of day: "quatorze horas e trinta minutos".
    Time {
        /// `14:30`, or a time stamp that holds it.
        value: String,
    },
    /// An amount of money: "dois reais e um centavo".
    Money {
        /// `1234.56`, or `1234,56`.
        value: String,
        /// Of what.
        #[serde(default)]
        currency: Currency,
    },
}

/// The grammatical gender of what is counted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Gender {
    /// "dois ramais"
    Masculine,
    /// "duas ligações"
    Feminine,
}

/// A currency that can be said.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// The Brazilian real.
    #[default]
    Brl,
    /// The dollar of the United States.
    Usd,
    /// The euro.
    Eur,
}

impl Say {
    /// A sound that ships.
    #[must_use]
    pub fn sound(name: &str) -> Self {
        Self::Sound {
            sound: name.to_owned(),
        }
    }

    /// A text in the flow's voice.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text {
            text: text.to_owned(),
            voice: None,
        }
    }

    /// A prompt of the company.
    #[must_use]
    pub fn prompt(id: &str) -> Self {
        Self::Prompt { prompt: id.into() }
    }
}

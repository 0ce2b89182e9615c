//! The languages that flows are spoken in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language with its own sounds and its own rules for saying numbers.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum Language {
    /// Brazilian Portuguese.
    #[default]
    #[serde(rename = "pt-BR")]
    PtBr,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Spanish.
    #[serde(rename = "es")]
    Es,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PtBr, Self::En, Self::Es];

    /// The tag, which is also the name of the folder under `sounds/`: `pt-BR`, `en`, `es`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::PtBr => "pt-BR",
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// The language with this tag.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }
}

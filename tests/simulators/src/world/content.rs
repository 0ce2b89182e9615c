//! What is in a message, as a telephone shows it.

use serde::{Deserialize, Serialize};

/// What is in a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Words.
    Text {
        /// Which.
        text: String,
    },
    /// A picture, a film, a sound, a document or a sticker.
    File(File),
    /// A place.
    Location {
        /// In degrees, north.
        latitude: f64,
        /// In degrees, east.
        longitude: f64,
        /// What it is called.
        #[serde(default)]
        name: Option<String>,
        /// Where it is.
        #[serde(default)]
        address: Option<String>,
    },
    /// Cards of people.
    Contacts {
        /// Which.
        cards: Vec<Card>,
    },
    /// A question of the company's with answers to choose from.
    Question(Question),
    /// Words of the company's with a link below.
    Link {
        /// The words.
        body: String,
        /// What stands on the link.
        title: String,
        /// Where it leads.
        url: String,
    },
    /// A filled template of the company's.
    Template(Box<Filled>),
    /// An answer that the customer chose.
    Pressed {
        /// Among what.
        among: Among,
        /// What the company called it.
        id: String,
        /// What stood on it.
        title: String,
        /// What stood below.
        #[serde(default)]
        description: Option<String>,
    },
    /// The company asks for the customer's number or place.
    Asks {
        /// For what.
        what: Wanted,
        /// In which words.
        text: String,
    },
    /// Something that the provider cannot carry to the company.
    Unsupported {
        /// What it is to the customer: `poll`, `view_once` …
        what: String,
    },
    /// Not a message: what the company's system says of the matter.
    Notice {
        /// Which event.
        event: String,
        /// Of what.
        text: String,
    },
}

/// A file in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Which of those that the simulator keeps.
    pub file: String,
    /// What it is to people.
    pub shape: Shape,
    /// Its type.
    #[serde(default)]
    pub mime: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// Whether it was spoken into the telephone.
    #[serde(default)]
    pub voice: bool,
    /// Its length in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    #[serde(default)]
    pub sha256: String,
}

/// What a file is to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// Anything else.
    Document,
    /// A small picture without a frame.
    Sticker,
}

impl Shape {
    /// Its word at Meta's.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// The one with this word of Meta's.
    pub fn of_word(word: &str) -> Option<Self> {
        [
            Self::Image,
            Self::Video,
            Self::Audio,
            Self::Document,
            Self::Sticker,
        ]
        .into_iter()
        .find(|shape| shape.word() == word)
    }

    /// What a file of a type is, where nobody says more.
    pub fn of_mime(mime: &str) -> Self {
        match mime.split('/').next().unwrap_or_default() {
            "image" if mime.starts_with("image/webp") => Self::Sticker,
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            _ => Self::Document,
        }
    }

    /// The largest that WhatsApp carries, in bytes.
    pub(crate) fn bytes_max(self) -> u64 {
        const MB: u64 = 1 << 20;
        match self {
            Self::Image => 5 * MB,
            Self::Video | Self::Audio => 16 * MB,
            Self::Document => 100 * MB,
            Self::Sticker => 500 << 10,
        }
    }

    /// Whether WhatsApp carries such a file of this type.
    pub(crate) fn takes(self, mime: &str) -> bool {
        let mime = mime.split(';').next().unwrap_or_default().trim();
        match self {
            Self::Image => matches!(mime, "image/jpeg" | "image/png"),
            Self::Video => matches!(mime, "video/mp4" | "video/3gpp"),
            Self::Audio => matches!(
                mime,
                "audio/aac" | "audio/mp4" | "audio/mpeg" | "audio/amr" | "audio/ogg"
            ),
            Self::Document => !mime.is_empty(),
            Self::Sticker => mime == "image/webp",
        }
    }
}

/// The card of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What they are called.
    pub name: String,
    /// Their telephones.
    #[serde(default)]
    pub phones: Vec<String>,
}

/// A question with answers to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Whether the answers stand below it as buttons, or in a list that is opened.
    pub among: Among,
    /// Above it.
    pub header: Option<String>,
    /// The question.
    pub body: String,
    /// Below it.
    pub footer: Option<String>,
    /// What opens the list.
    pub open: Option<String>,
    /// The answers.
    pub options: Vec<Choice>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the company calls it.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// What stands below.
    pub description: Option<String>,
}

/// Among what an answer was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Among {
    /// Buttons of a message.
    Buttons,
    /// Rows of a list.
    List,
    /// Buttons of a template.
    Template,
}

/// What the company asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The customer's number.
    Phone,
    /// Where they are.
    Location,
}

/// A filled template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// What it is for: `UTILITY`, `MARKETING` or `AUTHENTICATION`.
    pub category: String,
    /// Words above it.
    pub header: Option<String>,
    /// A file above it.
    pub file: Option<File>,
    /// Its words.
    pub body: String,
    /// Below it.
    pub footer: Option<String>,
    /// What can be pressed.
    pub buttons: Vec<FilledButton>,
}

/// A button of a filled template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum FilledButton {
    /// Answers the company.
    Reply {
        /// What stands on it.
        text: String,
        /// What the company is told.
        payload: String,
    },
    /// Opens a page.
    Url {
        /// What stands on it.
        text: String,
        /// Which.
        url: String,
    },
    /// Copies a code.
    Copy {
        /// Which.
        code: String,
    },
    /// Calls a number.
    Phone {
        /// What stands on it.
        text: String,
        /// Which.
        phone: String,
    },
}

impl Content {
    /// The words of a message, where it is nothing else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::File(_)
            | Self::Location { .. }
            | Self::Contacts { .. }
            | Self::Question(_)
            | Self::Link { .. }
            | Self::Template(_)
            | Self::Pressed { .. }
            | Self::Asks { .. }
            | Self::Unsupported { .. }
            | Self::Notice { .. } => None,
        }
    }

    /// Words.
    pub fn words(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The file in it, if any.
    pub fn file(&self) -> Option<&File> {
        match self {
            Self::File(file) => Some(file),
            Self::Template(filled) => filled.file.as_ref(),
            Self::Text { .. }
            | Self::Location { .. }
            | Self::Contacts { .. }
            | Self::Question(_)
            | Self::Link { .. }
            | Self::Pressed { .. }
            | Self::Asks { .. }
            | Self::Unsupported { .. }
            | Self::Notice { .. } => None,
        }
    }

    pub(crate) fn file_mut(&mut self) -> Option<&mut File> {
        match self {
            Self::File(file) => Some(file),
            Self::Template(filled) => filled.file.as_mut(),
            Self::Text { .. }
            | Self::Location { .. }
            | Self::Contacts { .. }
            | Self::Question(_)
            | Self::Link { .. }
            | Self::Pressed { .. }
            | Self::Asks { .. }
            | Self::Unsupported { .. }
            | Self::Notice { .. } => None,
        }
    }

    /// Whether it may be sent only while the window is open.
    pub(crate) fn needs_window(&self) -> bool {
        !matches!(self, Self::Template(_))
    }

    /// What it is for on the bill.
    pub(crate) fn category(&self) -> String {
        match self {
            Self::Template(filled) => filled.category.to_ascii_lowercase(),
            Self::Text { .. }
            | Self::File(_)
            | Self::Location { .. }
            | Self::Contacts { .. }
            | Self::Question(_)
            | Self::Link { .. }
            | Self::Pressed { .. }
            | Self::Asks { .. }
            | Self::Unsupported { .. }
            | Self::Notice { .. } => "service".to_owned(),
        }
    }
}

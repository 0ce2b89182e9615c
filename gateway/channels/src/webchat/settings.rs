//! What an administrator sets of a web chat.

use std::collections::BTreeMap;
use std::fmt;

use desk::explain::Language;
use desk::id::ServiceId;
use desk::words;
use serde::{Deserialize, Serialize};

use super::FILE_BYTES_MAX;
use super::form::{Ask, Asked, is_version};
use super::origin::Origin;
use crate::event::MediaKind;
use crate::secret::Secret;
use crate::send::host;

/// The same words in several languages. Where a language is not there, another is shown: that of the
/// company first.
pub type Words = BTreeMap<Language, String>;

/// What can be set of a web chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What the chat is called on the page; none is the channel's name.
    pub title: Option<String>,
    /// The company's logo: the id of a picture in the media store.
    pub logo: Option<String>,
    /// The company's colour.
    pub colour: Colour,
    /// At which edge of the page it stands.
    pub position: Position,
    /// Light or dark.
    pub theme: Theme,
    /// In which language it speaks.
    pub language: Speaks,
    /// The first words.
    pub greeting: Words,
    /// What is asked before the first message; none asks nothing.
    pub form: Option<FormSettings>,
    /// The sites on which it may be. None at all: nowhere.
    pub origins: Vec<Origin>,
    /// Which files visitors may send; none takes none.
    pub files: Option<FileSettings>,
    /// Whether visitors may have the conversation mailed to them.
    pub transcript: bool,
}

/// The secrets of a web chat, kept sealed beside its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// With what the shop's server proves its users: see [`super::identity`]. None: it has no users.
    pub identity: Secret,
    /// The one before, while the shop changes over.
    pub identity_before: Secret,
    /// With what we sign the tokens of visitors.
    pub token: Secret,
}

impl Secrets {
    /// The secrets that prove a user.
    pub fn of_identity(&self) -> [Secret; 2] {
        [self.identity.clone(), self.identity_before.clone()]
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: None,
            logo: None,
            colour: Colour::default(),
            position: Position::Right,
            theme: Theme::Auto,
            language: Speaks::Auto,
            greeting: Words::new(),
            form: None,
            origins: vec![],
            files: Some(FileSettings::default()),
            transcript: false,
        }
    }
}

impl Settings {
    /// The first field that cannot be taken, if any.
    pub fn wrong(&self) -> Option<&'static str> {
        let is_long = |text: &str, max: usize| text.chars().count() > max;
        let title = self.title.as_deref();
        let is_id = |logo: &str| logo.parse::<ServiceId>().is_ok();
        let rows = [
            (
                "title",
                title.is_some_and(|title| {
                    title.trim().is_empty() || is_long(title, TITLE_CHARS_MAX)
                }),
            ),
            (
                "logo",
                self.logo.as_deref().is_some_and(|logo| !is_id(logo)),
            ),
            (
                "greeting",
                self.greeting
                    .values()
                    .any(|words| is_long(words, GREETING_CHARS_MAX)),
            ),
            ("origins", self.origins.len() > ORIGINS_MAX),
        ];
        let wrong = rows
            .into_iter()
            .find(|(_, is_wrong)| *is_wrong)
            .map(|(field, _)| field);
        let form = || self.form.as_ref().and_then(FormSettings::wrong);
        let files = || self.files.as_ref().and_then(FileSettings::wrong);
        wrong.or_else(form).or_else(files)
    }

    /// The services to choose from, in their order: those that have a name, for the others are gone.
    pub fn offered(&self, names: &BTreeMap<ServiceId, String>) -> Vec<ServiceId> {
        let chosen = self.form.iter().flat_map(|form| &form.services);
        chosen
            .filter(|id| names.contains_key(id))
            .cloned()
            .collect()
    }

    /// What is asked before the first message of a matter; `services` are those [`Settings::offered`].
    pub fn asked<'a>(&'a self, services: &'a [ServiceId]) -> Asked<'a> {
        let form = self.form.as_ref();
        let ask = |of: fn(&FormSettings) -> Ask| form.map_or(Ask::No, of);
        let consent = form.and_then(|form| form.consent.as_ref());
        Asked {
            name: ask(|form| form.name),
            email: ask(|form| form.email),
            phone: ask(|form| form.phone),
            services,
            consent: consent.map(|consent| consent.version.as_str()),
        }
    }
}

words! {
    /// At which edge of the page the widget stands.
    Position {
        /// The left one.
        Left = "left",
        /// The right one.
        Right = "right",
    }
}

words! {
    /// Light or dark.
    Theme {
        /// As the visitor's system is.
        Auto = "auto",
        /// Light.
        Light = "light",
        /// Dark.
        Dark = "dark",
    }
}

words! {
    /// In which language the widget speaks.
    Speaks {
        /// The page's, or else the browser's.
        Auto = "auto",
        /// Brazilian Portuguese.
        PtBr = "pt-BR",
        /// English.
        En = "en",
        /// Spanish.
        Es = "es",
    }
}

/// A colour: `#` and six hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(String);

/// Text that is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is # and six hexadecimal digits, as in #176b5b")]
pub struct InvalidColour;

impl Default for Colour {
    fn default() -> Self {
        // Dark enough for white words on it (WCAG 2.2 section 1.4.3).
        Self("#176b5b".to_owned())
    }
}

impl TryFrom<String> for Colour {
    type Error = InvalidColour;

    fn try_from(text: String) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').ok_or(InvalidColour)?;
        let is_right = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_right
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or(InvalidColour)
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.0
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is asked before the first message of a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormSettings {
    /// The name.
    pub name: Ask,
    /// The e-mail.
    pub email: Ask,
    /// The telephone.
    pub phone: Ask,
    /// The services to choose from.
    pub services: Vec<ServiceId>,
    /// What to agree to.
    pub consent: Option<ConsentSettings>,
}

impl Default for FormSettings {
    fn default() -> Self {
        Self {
            name: Ask::Ask,
            email: Ask::Ask,
            phone: Ask::No,
            services: vec![],
            consent: None,
        }
    }
}

impl FormSettings {
    fn wrong(&self) -> Option<&'static str> {
        if self.services.len() > SERVICES_MAX {
            return Some("form.services");
        }
        self.consent.as_ref().and_then(ConsentSettings::wrong)
    }
}

/// What a visitor agrees to before writing (LGPD article 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentSettings {
    /// The version of the text: whoever agreed to another is asked again.
    pub version: String,
    /// The text.
    pub text: Words,
    /// Where all of it stands.
    #[serde(default)]
    pub url: Option<String>,
}

impl ConsentSettings {
    fn wrong(&self) -> Option<&'static str> {
        let is_text =
            |text: &String| !text.trim().is_empty() && text.chars().count() <= CONSENT_CHARS_MAX;
        let is_link = |url: &str| host(url).is_some() && url.len() <= URL_BYTES_MAX;
        let rows = [
            ("form.consent.version", is_version(&self.version)),
            (
                "form.consent.text",
                !self.text.is_empty() && self.text.values().all(is_text),
            ),
            ("form.consent.url", self.url.as_deref().is_none_or(is_link)),
        ];
        rows.into_iter()
            .find(|(_, is_right)| !is_right)
            .map(|(field, _)| field)
    }
}

/// Which files visitors may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileSettings {
    /// The largest, in bytes.
    pub bytes_max: u64,
    /// Of what kinds.
    pub kinds: Vec<MediaKind>,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self {
            bytes_max: FILE_BYTES_MAX,
            kinds: vec![
                MediaKind::Image,
                MediaKind::Audio,
                MediaKind::Video,
                MediaKind::Document,
            ],
        }
    }
}

impl FileSettings {
    fn wrong(&self) -> Option<&'static str> {
        if !(1..=FILE_BYTES_MAX).contains(&self.bytes_max) {
            return Some("files.bytes_max");
        }
        let is_taken = |kind: &MediaKind| !types(*kind).is_empty();
        let all = !self.kinds.is_empty() && self.kinds.iter().all(is_taken);
        (!all).then_some("files.kinds")
    }

    /// The types that are taken, as the file dialogue of a browser wants them.
    pub fn accept(&self) -> String {
        let types: Vec<&str> = self
            .kinds
            .iter()
            .flat_map(|kind| types(*kind))
            .copied()
            .collect();
        types.join(",")
    }

    /// What a file of this type, which its bytes told, is to people; none where it is not taken.
    pub fn kind_of(&self, mime: &str) -> Option<MediaKind> {
        let mime = mime.split(';').next().unwrap_or_default().trim();
        let takes = |kind: &&MediaKind| types(**kind).contains(&mime);
        self.kinds.iter().find(takes).copied()
    }
}

/// The types of a kind. What a browser would run (HTML, SVG), what a system would run, and archives that
/// hide either are not among them.
fn types(kind: MediaKind) -> &'static [&'static str] {
    match kind {
        MediaKind::Image => &["image/jpeg", "image/png", "image/gif", "image/webp"],
        MediaKind::Audio => &[
            "audio/mpeg",
            "audio/mp4",
            "audio/aac",
            "audio/ogg",
            "audio/webm",
            "audio/wav",
        ],
        MediaKind::Video => &["video/mp4", "video/webm", "video/quicktime", "video/3gpp"],
        MediaKind::Document => &[
            "application/pdf",
            "text/plain",
            "text/csv",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
        ],
        MediaKind::Sticker => &[],
    }
}

/// What fits the head of the window.
const TITLE_CHARS_MAX: usize = 60;
const GREETING_CHARS_MAX: usize = 500;
const CONSENT_CHARS_MAX: usize = 2_000;
/// A policy with more sites is longer than some proxies let a header be (8 kB).
const ORIGINS_MAX: usize = 50;
const SERVICES_MAX: usize = 30;
const URL_BYTES_MAX: usize = 1_000;

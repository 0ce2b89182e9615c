//! What the settings are to the browser: the look for the loader, the rest for the frame.

use std::collections::BTreeMap;

use desk::id::ServiceId;
use serde::Serialize;

use super::VERSION;
use super::form::Ask;
use super::origin::Origin;
use super::settings::{Colour, FormSettings, Position, Settings, Speaks, Theme, Words};

/// What the settings do not say.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The id of the channel.
    pub channel: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Where the frame is.
    pub frame: &'a str,
    /// Where the logo is.
    pub logo: Option<&'a str>,
    /// The names of the services: what is not there is left out of the form.
    pub services: &'a BTreeMap<ServiceId, String>,
}

/// What the loader knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loader<'a> {
    v: u8,
    channel: &'a str,
    name: &'a str,
    colour: &'a Colour,
    position: Position,
    theme: Theme,
    language: Speaks,
    frame: &'a str,
}

impl<'a> Loader<'a> {
    /// That of a channel.
    pub fn new(settings: &'a Settings, placed: Placed<'a>) -> Self {
        Self {
            v: VERSION,
            channel: placed.channel,
            name: settings.title.as_deref().unwrap_or(placed.name),
            colour: &settings.colour,
            position: settings.position,
            theme: settings.theme,
            language: settings.language,
            frame: placed.frame,
        }
    }
}

/// What the frame knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame<'a> {
    #[serde(flatten)]
    loader: Loader<'a>,
    logo: Option<&'a str>,
    origins: &'a [Origin],
    greeting: &'a Words,
    form: Option<Form<'a>>,
    files: Option<Files>,
    transcript: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Form<'a> {
    name: Ask,
    email: Ask,
    phone: Ask,
    services: Vec<Service<'a>>,
    consent: Option<Consent<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Service<'a> {
    id: &'a ServiceId,
    name: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Consent<'a> {
    version: &'a str,
    text: &'a Words,
    url: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Files {
    bytes_max: u64,
    accept: String,
}

impl<'a> Frame<'a> {
    /// That of a channel.
    pub fn new(settings: &'a Settings, placed: Placed<'a>) -> Self {
        Self {
            loader: Loader::new(settings, placed),
            logo: placed.logo,
            origins: &settings.origins,
            greeting: &settings.greeting,
            form: settings
                .form
                .as_ref()
                .map(|asked| form(asked, placed.services)),
            files: settings.files.as_ref().map(|files| Files {
                bytes_max: files.bytes_max,
                accept: files.accept(),
            }),
            transcript: settings.transcript,
        }
    }
}

fn form<'a>(asked: &'a FormSettings, names: &'a BTreeMap<ServiceId, String>) -> Form<'a> {
    let service = |id: &'a ServiceId| {
        let name = names.get(id)?;
        Some(Service { id, name })
    };
    let consent = asked.consent.as_ref().map(|consent| Consent {
        version: &consent.version,
        text: &consent.text,
        url: consent.url.as_deref(),
    });
    Form {
        name: asked.name,
        email: asked.email,
        phone: asked.phone,
        services: asked.services.iter().filter_map(service).collect(),
        consent,
    }
}

/// JSON that can stand inside a `<script>`, whatever an administrator wrote: no letter in it ends the
/// element, begins a comment or is a line's end to JavaScript.
pub fn in_script(config: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(config)?;
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => safe.push(letter),
        }
    }
    Ok(safe)
}

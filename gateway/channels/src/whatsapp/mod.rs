//! WhatsApp, through whichever company carries the number (*mensageria*): Meta itself, 360dialog,
//! Gupshup, Zenvia or Twilio.
//!
//! Five ways of saying the same: each folder turns one of them into our words and back. What is true of
//! WhatsApp whoever carries it stands beside them: [`window`] (when anything may be written),
//! [`number`] (the ninth digit of Brazilian mobiles), [`cost`] (what messages cost), the meaning of error
//! codes, what can be sent.

pub mod cloud;
pub mod cost;
pub mod dialog360;
mod errors;
pub mod gupshup;
mod meta;
pub mod number;
pub mod twilio;
pub mod window;
pub mod zenvia;

use serde::Deserialize;

use crate::capabilities::{Capabilities, ChoiceRules, MediaRule, Rate, Rates, TextMax};
use crate::connector::Connector;
use crate::event::MediaKind;
use crate::peer::{IdentityKind, PeerId};
use crate::secret::Secret;

/// Who carries a number, and how we prove to them who we are.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum Config {
    /// Meta's Cloud API.
    Cloud(cloud::Config),
    /// 360dialog.
    Dialog360(dialog360::Config),
    /// Gupshup.
    Gupshup(gupshup::Config),
    /// Zenvia.
    Zenvia(zenvia::Config),
    /// Twilio.
    Twilio(twilio::Config),
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// Something that is needed is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The number is not written in digits, with its country.
    #[error("number: digits only, with the country and the area")]
    Number,
    /// An address is not one of HTTP.
    #[error("{0} is not an address of HTTP")]
    Address(&'static str),
}

/// The connector of a configuration.
///
/// # Errors
///
/// [`InvalidConfig`] names the field. Without a secret to check webhooks with there is no connector.
pub fn connector(config: Config) -> Result<Box<dyn Connector>, InvalidConfig> {
    Ok(match config {
        Config::Cloud(config) => Box::new(cloud::Cloud::new(config)?),
        Config::Dialog360(config) => Box::new(dialog360::Dialog360::new(config)?),
        Config::Gupshup(config) => Box::new(gupshup::Gupshup::new(config)?),
        Config::Zenvia(config) => Box::new(zenvia::Zenvia::new(config)?),
        Config::Twilio(config) => Box::new(twilio::Twilio::new(config)?),
    })
}

/// Checks that fields of a configuration hold something.
fn filled(
    texts: &[(&'static str, &str)],
    secrets: &[(&'static str, &Secret)],
) -> Result<(), InvalidConfig> {
    let texts = texts
        .iter()
        .map(|(field, text)| (*field, text.trim().is_empty()));
    let secrets = secrets
        .iter()
        .map(|(field, secret)| (*field, secret.is_empty()));
    match texts.chain(secrets).find(|(_, is_empty)| *is_empty) {
        Some((field, _)) => Err(InvalidConfig::Empty(field)),
        None => Ok(()),
    }
}

/// Checks a number as the administrator's form asks for it: country, area and number, in digits.
fn is_number(number: &str) -> Result<(), InvalidConfig> {
    let is_right = (8..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_right.then_some(()).ok_or(InvalidConfig::Number)
}

/// The telephone among a customer's ids: first as WhatsApp writes it, which says whether the ninth digit
/// is there.
fn telephone(ids: &[PeerId]) -> Option<&PeerId> {
    let of_kind = |kind| ids.iter().find(|id| id.kind == kind);
    of_kind(IdentityKind::WaId).or_else(|| of_kind(IdentityKind::Phone))
}

/// Checks an address of a provider, which a simulator may stand for.
fn is_address(field: &'static str, url: &str) -> Result<(), InvalidConfig> {
    let is_right = crate::send::host(url).is_some() && !url.ends_with('/');
    is_right.then_some(()).ok_or(InvalidConfig::Address(field))
}

pub(crate) use errors::{of_answer as answer_of_meta, of_http as answer_of_others};
pub(crate) use meta::news::template_state;

/// What a file is to people, by its type, where the provider says no more.
fn kind_of_mime(mime: &str) -> MediaKind {
    // WhatsApp makes pictures JPEG or PNG; what is WebP was sent as a sticker.
    if mime.starts_with("image/webp") {
        return MediaKind::Sticker;
    }
    MediaKind::of_mime(mime)
}

/// A time of a provider in seconds since 1970, in milliseconds; none where it cannot be one.
fn seconds_ms(seconds: i64) -> Option<i64> {
    plausible(seconds.saturating_mul(1_000))
}

/// Milliseconds since 1970, of a time that may be in seconds: Gupshup writes both.
fn either_ms(time: i64) -> Option<i64> {
    // In milliseconds, 10¹¹ was in March 1973; in seconds it is the year 5138.
    if time < 100_000_000_000 {
        seconds_ms(time)
    } else {
        plausible(time)
    }
}

/// Times outside this century are nobody's, and would break calendars further on.
fn plausible(ms: i64) -> Option<i64> {
    (946_684_800_000..4_102_444_800_000)
        .contains(&ms)
        .then_some(ms)
}

/// What WhatsApp carries, through whomever.
const WHATSAPP: Capabilities = Capabilities {
    text_max: TextMax::Chars(4_096),
    caption_chars_max: 1_024,
    media: &MEDIA,
    files_max: 1,
    upload: false,
    choices: Some(CHOICES),
    location: true,
    replies: true,
    reactions: true,
    read_receipts: true,
    typing: true,
    templates: true,
    ask_phone: true,
    ask_location: true,
    correlation: true,
    costs: true,
    window_ms: Some(window::OPEN_MS),
    rates: Rates {
        // 80 messages a second for each number, and one in 6 seconds to the same customer, who may get
        // some at once (error 131056).
        identity: Rate {
            every_us: 12_500,
            burst: 80,
        },
        recipient: Some(Rate {
            every_us: 6_000_000,
            burst: 20,
        }),
    },
    answer_within_ms: 1_000,
    acknowledge: 200,
};

const MB: u64 = 1_000_000;

/// Files that WhatsApp takes. What browsers record (`audio/webm`) is not among them.
const MEDIA: [MediaRule; 5] = [
    MediaRule {
        kind: MediaKind::Image,
        mimes: &["image/jpeg", "image/png"],
        bytes_max: 5 * MB,
        caption: true,
    },
    MediaRule {
        kind: MediaKind::Audio,
        mimes: &[
            "audio/aac",
            "audio/mp4",
            "audio/mpeg",
            "audio/amr",
            "audio/ogg",
        ],
        bytes_max: 16 * MB,
        caption: false,
    },
    MediaRule {
        kind: MediaKind::Video,
        mimes: &["video/mp4", "video/3gpp"],
        bytes_max: 16 * MB,
        caption: true,
    },
    MediaRule {
        kind: MediaKind::Document,
        mimes: &[],
        bytes_max: 100 * MB,
        caption: true,
    },
    // Of an animated one; a still one has 100 kB.
    MediaRule {
        kind: MediaKind::Sticker,
        mimes: &["image/webp"],
        bytes_max: 500_000,
        caption: false,
    },
];

/// Answers to choose from.
const CHOICES: ChoiceRules = ChoiceRules {
    buttons_max: 3,
    button_chars_max: 20,
    rows_max: 10,
    row_chars_max: 24,
    description_chars_max: 72,
    id_chars_max: 200,
    body_chars_max: 1_024,
    footer_chars_max: 60,
};

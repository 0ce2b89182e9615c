//! Meta's Cloud API, and 360dialog, which speaks the same words under another roof and with another key.

mod api;
mod asked;
mod errors;
mod tell;
mod templates;

pub use api::Handshake;
pub(crate) use api::{challenge, cloud, dialog360, handshake};
pub(crate) use errors::refusal;
pub(crate) use tell::tell;

use serde_json::Value;

use crate::demo;
use crate::provider::Provider;

/// JSON as Meta sends and signs it: letters beyond ASCII as `\uXXXX`, and slashes with a backslash.
pub fn ascii(value: &Value) -> Vec<u8> {
    use std::fmt::Write as _;

    let mut text = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '/' => text.push_str("\\/"),
            ' '..='~' => text.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.into_bytes()
}

/// The ids of the company's number and account at a provider of Meta's words.
fn ids(provider: Provider) -> (&'static str, &'static str) {
    match provider {
        Provider::Dialog360 => (demo::D360_PHONE_NUMBER_ID, demo::D360_WABA_ID),
        Provider::Cloud
        | Provider::Gupshup
        | Provider::Zenvia
        | Provider::Twilio
        | Provider::Erp => (demo::PHONE_NUMBER_ID, demo::WABA_ID),
    }
}

//! The form before a matter: what the company asks, and what the visitor filled in.

use desk::id::ServiceId;
use desk::words;
use serde::{Deserialize, Serialize};

use super::client::{Faults, clean_line};
use crate::email::Address;

words! {
    /// Whether a field is asked for.
    Ask {
        /// It is not.
        No = "no",
        /// It may be left empty.
        Ask = "ask",
        /// It must be filled in.
        Must = "must",
    }
}

/// What the visitor filled in. Only filled fields are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The service that they chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// What they agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// To what a visitor agreed. Written down with their address, for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Which text.
    pub version: String,
    /// When, by the visitor's clock: milliseconds since 1970 (UTC).
    pub at_ms: i64,
}

/// What a visitor told before: with it the form is filled, and nothing is asked twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The version of the text that they agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
}

impl Known {
    /// With what was filled in now.
    #[must_use]
    pub fn with(self, form: &Form) -> Self {
        let consent = form.consent.as_ref().map(|consent| consent.version.clone());
        Self {
            name: form.name.clone().or(self.name),
            email: form.email.clone().or(self.email),
            phone: form.phone.clone().or(self.phone),
            consent: consent.or(self.consent),
        }
    }
}

/// What is asked before the first message of a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Their name.
    pub name: Ask,
    /// Their e-mail. Where nobody is there it is a must, unless it is not asked for at all.
    pub email: Ask,
    /// Their telephone.
    pub phone: Ask,
    /// The services to choose from; with none or one there is no choice.
    pub services: &'a [ServiceId],
    /// The version of the text to agree to.
    pub consent: Option<&'a str>,
}

impl Asked<'_> {
    /// The fields that are missing, as the form calls them: `form_needed` if there are any.
    pub fn missing(&self, form: &Form, known: &Known, is_away: bool) -> Vec<&'static str> {
        let told = known.clone().with(form);
        let email = match self.email {
            Ask::Ask if is_away => Ask::Must,
            Ask::No | Ask::Ask | Ask::Must => self.email,
        };
        let consent = told.consent.as_deref();
        let rows = [
            ("name", self.name == Ask::Must && told.name.is_none()),
            ("email", email == Ask::Must && told.email.is_none()),
            ("phone", self.phone == Ask::Must && told.phone.is_none()),
            ("service", self.services.len() > 1 && form.service.is_none()),
            ("consent", self.consent.is_some() && consent != self.consent),
        ];
        let missing = rows.into_iter().filter(|(_, is_missing)| *is_missing);
        missing.map(|(field, _)| field).collect()
    }

    /// The service that was chosen, or the only one.
    ///
    /// # Errors
    ///
    /// The field, where the service is none of those to choose from.
    pub fn service(&self, form: &Form) -> Result<Option<ServiceId>, &'static str> {
        match &form.service {
            Some(chosen) if self.services.contains(chosen) => Ok(Some(chosen.clone())),
            Some(_) => Err("service"),
            None => Ok(match self.services {
                [only] => Some(only.clone()),
                _ => None,
            }),
        }
    }
}

impl Form {
    /// Takes out what is not to be kept, and names the fields that cannot be taken.
    pub(super) fn tidy(&mut self, faults: &mut Faults) {
        clean_line(&mut self.name);
        clean_line(&mut self.email);
        clean_line(&mut self.phone);
        let wrong = [
            ("name", self.name.as_deref().is_some_and(is_long)),
            (
                "email",
                self.email.as_deref().is_some_and(|email| !is_email(email)),
            ),
            (
                "phone",
                self.phone.as_deref().is_some_and(|phone| !is_phone(phone)),
            ),
        ];
        faults.extend(
            wrong
                .into_iter()
                .filter(|(_, is_wrong)| *is_wrong)
                .map(|(field, _)| field),
        );
        let consent = self.consent.as_ref();
        if consent.is_some_and(|consent| !is_version(&consent.version)) {
            faults.push("consent");
        }
    }
}

/// Whether somebody can be written to there.
pub(super) fn is_email(text: &str) -> bool {
    let address = Address::parse(text);
    !is_long(text) && address.is_some_and(|address| address.domain().contains('.'))
}

/// Whether a text can name a version of a text to agree to.
pub(super) fn is_version(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.len() <= VERSION_BYTES_MAX && text.bytes().all(is_word)
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    // E.164 has 15 digits at most; the shortest that anybody can be called back at has 8.
    (8..=15).contains(&digits) && text.chars().count() <= PHONE_CHARS_MAX
}

fn is_long(text: &str) -> bool {
    text.chars().count() > LINE_CHARS_MAX
}

/// The longest name and e-mail, in characters.
const LINE_CHARS_MAX: usize = 200;
/// The longest telephone with what people write between digits, in characters.
const PHONE_CHARS_MAX: usize = 40;
const VERSION_BYTES_MAX: usize = 40;

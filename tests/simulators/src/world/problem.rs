//! Why a message is not taken, or does not arrive: in Meta's codes, which all carriers of WhatsApp pass on
//! in one form or another.

use serde::{Deserialize, Serialize};

/// Why a message is not taken, or does not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Meta's code.
    pub code: u32,
    /// What exactly, for a developer to read.
    pub details: String,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: u32, details: impl Into<String>) -> Self {
        let details = details.into();
        Self { code, details }
    }

    /// A problem of this code, with the words that usually go with it.
    pub fn usual(code: u32) -> Self {
        Self::new(code, known(code).2)
    }

    /// What the code is called.
    pub fn title(&self) -> &'static str {
        known(self.code).1
    }

    /// The status of HTTP that goes with the code.
    pub fn status(&self) -> u16 {
        known(self.code).0
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.code, 1 | 2 | 131_000 | 131_016 | 131_057)
    }
}

/// A parameter that cannot be taken.
pub(crate) fn invalid(details: impl Into<String>) -> Problem {
    Problem::new(100, details)
}

/// A parameter that is missing.
pub(crate) fn missing(what: &str) -> Problem {
    Problem::new(131_008, format!("{what} is required"))
}

/// A value that is out of its bounds.
pub(crate) fn out_of_bounds(details: impl Into<String>) -> Problem {
    Problem::new(131_009, details)
}

#[rustfmt::skip]
fn known(code: u32) -> (u16, &'static str, &'static str) {
    match code {
        4 => (400, "Application request limit reached", "Too many calls of the app"),
        10 => (403, "Application does not have permission for this action", "Permission missing"),
        100 => (400, "Invalid parameter", "A parameter cannot be taken"),
        190 => (401, "Invalid OAuth access token", "Authentication Error"),
        2_200 => (400, "Callback verification failed", "The callback did not answer the challenge"),
        130_429 => (429, "Rate limit hit", "Cloud API message throughput has been reached"),
        130_472 => (400, "User's number is part of an experiment", "The user is in a marketing experiment"),
        131_000 => (500, "Something went wrong", "Message failed to send due to an unknown error"),
        131_008 => (400, "Required parameter is missing", "A parameter is missing"),
        131_009 => (400, "Parameter value is not valid", "A value is out of its bounds"),
        131_016 => (500, "Service unavailable", "A service is temporarily unavailable"),
        131_021 => (400, "Recipient cannot be sender", "Sender and recipient phone number is the same"),
        131_026 => (400, "Message undeliverable", "The number is not on WhatsApp, or runs an old version of it"),
        131_031 => (403, "Business Account locked", "The account was restricted or disabled"),
        131_042 => (400, "Business eligibility payment issue", "There is a problem with the payment method"),
        131_047 => (400, "Re-engagement message", "More than 24 hours have passed since the customer last replied to this number"),
        131_048 => (429, "Spam rate limit hit", "Too many messages from this number were blocked or flagged"),
        131_049 => (400, "Meta chose not to deliver", "Not delivered to maintain a healthy ecosystem"),
        131_050 => (400, "User has stopped marketing messages", "The customer does not want advertising"),
        131_051 => (400, "Unsupported message type", "This type of message is not supported"),
        131_052 => (400, "Media download error", "The media of the user could not be downloaded"),
        131_053 => (400, "Media upload error", "The media used in the message could not be uploaded"),
        131_056 => (429, "(Business Account, Consumer Account) pair rate limit hit", "Too many messages from this number to the same number in a short time"),
        131_057 => (500, "Account in maintenance mode", "The account is in maintenance mode"),
        131_062 => (400, "Business-scoped user id is not allowed", "This type of message needs a telephone number"),
        132_000 => (400, "Number of parameters does not match the expected number of params", "Too many or too few parameters"),
        132_001 => (404, "Template name does not exist in the translation", "There is no such template in this language"),
        132_005 => (400, "Translated text too long", "The filled template is too long"),
        132_012 => (400, "Parameter format does not match format in the created template", "A parameter is of another kind"),
        132_015 => (400, "Template is paused", "The template is paused for its low quality"),
        132_016 => (400, "Template is disabled", "The template was paused too often and is disabled"),
        _ => (400, "Something went wrong", "The simulator was told to fail with this code"),
    }
}

//! What a mail can carry.

use super::compose::FILES_BYTES_MAX;
use super::document::CHARS_MAX;
use crate::capabilities::{Capabilities, MediaRule, Rate, Rates, TextMax, any_file};

/// What a mail can carry. Files count together, and a file's caption is the words of its mail.
pub const EMAIL: Capabilities = Capabilities {
    text_max: TextMax::Chars(CHARS_MAX),
    caption_chars_max: CHARS_MAX,
    media: &MEDIA,
    files_max: 10,
    upload: false,
    choices: None,
    location: false,
    replies: true,
    reactions: false,
    read_receipts: false,
    typing: false,
    templates: false,
    ask_phone: false,
    ask_location: false,
    // A bounce names our own id.
    correlation: true,
    costs: false,
    window_ms: None,
    rates: Rates {
        // The strictest of the large providers takes 30 mails a minute from a mailbox.
        identity: Rate {
            every_us: 2_000_000,
            burst: 30,
        },
        // Two programs that answer each other are stopped here, if nothing else knew them.
        recipient: Some(Rate {
            every_us: 10_000_000,
            burst: 10,
        }),
    },
    // Mails are fetched: nobody waits for an answer.
    answer_within_ms: 10_000,
    acknowledge: 200,
};

const MEDIA: [MediaRule; 4] = any_file(FILES_BYTES_MAX as u64);

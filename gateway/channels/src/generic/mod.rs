//! The generic channel (*Omni Channel*): any system with an API, such as an ERP, writes for its customers
//! and is told what becomes of it.
//!
//! ```text
//!  ERP ─ POST receive_hook (JSON) ─▶ receive ─▶ Received │ every wrong field, by its path
//!  ERP ◀─ webhook (JSON, signed) ── notice ◀── what happened to the attendance
//! ```
//!
//! [`receive`] reads what is posted, [`events`] what is told besides messages, [`notice`] is what goes
//! out and [`signature`] proves that it is ours; [`delivery`] says when it is tried again.

pub mod delivery;
pub mod events;
pub mod notice;
pub mod receive;
pub mod signature;

mod fields;
#[cfg(test)]
mod tests;

pub use fields::{Fault, FieldFault};

use crate::capabilities::{Capabilities, MediaRule, Rate, Rates, TextMax, any_file};

/// What another system is told of: words and files. What it does with them is its own matter.
pub const GENERIC: Capabilities = Capabilities {
    text_max: TextMax::Bytes(receive::TEXT_BYTES_MAX),
    caption_chars_max: receive::TEXT_BYTES_MAX / 4,
    media: &MEDIA,
    files_max: 10,
    upload: false,
    choices: None,
    location: false,
    replies: true,
    reactions: false,
    read_receipts: false,
    typing: true,
    templates: false,
    ask_phone: false,
    ask_location: false,
    correlation: true,
    costs: false,
    window_ms: None,
    rates: Rates {
        // Notices are sent one after another for each conversation; the line keeps two programs that
        // answer each other from filling the disk.
        identity: Rate {
            every_us: 10_000,
            burst: 1_000,
        },
        recipient: Some(Rate {
            every_us: 500_000,
            burst: 50,
        }),
    },
    answer_within_ms: 10_000,
    acknowledge: 202,
};

/// Any file: they fetch it at our link.
const MEDIA: [MediaRule; 4] = any_file(100_000_000);

//! Web chat: the words between the company's own widget and the server, version 1.
//!
//! ```text
//!  shop's page ─ loader ─▶ frame ═ WebSocket, or POST + long poll ═ server
//!                 │          │ ClientFrame ───────────────▶ client::read │ FrameError
//!                 │          ◀─────────────────────────────── ServerFrame │
//!                 config::Loader, config::Frame ◀── Settings
//! ```
//!
//! `console/widget/PROTOCOL.md` says what is meant and when it is said; here is how it is read, checked
//! and written. Three rules carry it: nothing is opened before the first message; what is said has a
//! number ([`server::Said::seq`]) and may be sent again under its id ([`client::ClientMessageId`]); what
//! merely is comes whole ([`server::State`]), and the newest version wins.
//!
//! # From the client
//!
//! Text of one JSON object with a `type`, at most [`FRAME_BYTES_MAX`] bytes, read by [`client::read`].
//! An unknown type, an unknown field or a field of another type is `bad_frame`; what a person typed too
//! long or wrongly is `invalid` with the names of the fields. Whatever is wrong, the answer carries the
//! `client_message_id` if one could be read, for the client waits for it.
//!
//! | `type` | fields | answered with |
//! |---|---|---|
//! | `hello` | `v`, `token?`, `identity?`, `language`, `after_seq`, `conversation?`, `page?` | `welcome`, `state`, `messages` |
//! | `send` | `client_message_id`, `content`, `form?`, `page?` | `ack` |
//! | `typing` | `on` | |
//! | `seen` | `delivered`, `read` | |
//! | `resume` | `after_seq` | `messages` |
//! | `history` | `before_seq` | `history` |
//! | `survey` | `client_message_id`, `survey`, `answers: [{question, value}]` | `ack` |
//! | `transcript` | `client_message_id`, `email` | `ack` |
//! | `close` | `client_message_id` | `ack` |
//! | `identify` | `identity` | `welcome` |
//!
//! # From the server
//!
//! `welcome`, `state`, `messages`, `history`, `ack`, `error`, `alive`: [`server::ServerFrame`].
//!
//! # Who is who
//!
//! A visitor is a [`token`] that we signed. A user of the shop is proven by [`identity`], an HMAC that
//! only the shop's server can make. Everything else that a page says of a person is shown to the agent
//! and joins nothing.

pub mod client;
pub mod config;
pub mod error;
pub mod form;
pub mod identity;
pub mod origin;
pub mod server;
pub mod settings;
pub mod survey;
pub mod token;

#[cfg(test)]
mod tests;

pub use client::{ClientFrame, ClientMessageId};
pub use error::{ErrorCode, FrameError};
pub use server::ServerFrame;
pub use settings::Settings;

use crate::capabilities::{Capabilities, ChoiceRules, MediaRule, Rate, Rates, TextMax, any_file};

/// The version of the protocol.
pub const VERSION: u8 = 1;

/// The longest frame, in bytes.
pub const FRAME_BYTES_MAX: usize = 32 << 10;
/// The longest body of frames that are posted, in bytes, and the most of them.
pub const POST_BYTES_MAX: usize = 64 << 10;
/// See [`POST_BYTES_MAX`].
pub const POST_FRAMES_MAX: usize = 20;

/// The longest text, in characters.
pub const TEXT_CHARS_MAX: usize = 4_000;
/// The longest words below a file, in characters.
pub const CAPTION_CHARS_MAX: usize = 1_000;
/// The longest answer to a question of a survey, in characters.
pub const ANSWER_CHARS_MAX: usize = 2_000;
/// The largest file, in bytes; a channel may say less.
pub const FILE_BYTES_MAX: u64 = 15 << 20;

/// The most older messages that `history` gives at once.
pub const HISTORY_MAX: u32 = 50;
/// Who is further behind begins anew with the newest so many.
pub const CATCH_UP_MAX: u32 = 200;

/// Within what time a socket must say `hello`, in milliseconds.
pub const HELLO_WITHIN_MS: u64 = 10_000;
/// After what silence of its own the server says `alive`, in milliseconds: proxies cut at 30 s.
pub const ALIVE_EVERY_MS: u64 = 25_000;
/// After what silence of the client its socket is dead, in milliseconds: three times [`ALIVE_EVERY_MS`].
pub const SILENCE_MS_MAX: u64 = 75_000;
/// For how long a poll waits, in milliseconds.
pub const POLL_MS: u64 = 25_000;
/// For how long a `typing` of the visitor is believed, in milliseconds.
pub const TYPING_MS: u64 = 6_000;

/// How fast a visitor may send: 20 at once, then one a second.
pub const SEND_RATE: Rate = Rate {
    every_us: 1_000_000,
    burst: 20,
};
/// How often a visitor may type.
pub const TYPING_RATE: Rate = Rate {
    every_us: 1_000_000,
    burst: 2,
};
/// How fast a visitor may attach files: 10 at once, then one in 6 seconds.
pub const UPLOAD_RATE: Rate = Rate {
    every_us: 6_000_000,
    burst: 10,
};
/// How fast files may come from an address, whatever visitors they are of: an office, and no full disk.
pub const ADDRESS_UPLOAD_RATE: Rate = Rate {
    every_us: 6_000_000,
    burst: 30,
};
/// How many `hello`s an address may say: 60 a minute.
pub const HELLO_RATE: Rate = Rate {
    every_us: 1_000_000,
    burst: 60,
};
/// The most sockets of an address: an office behind one.
pub const ADDRESS_SOCKETS_MAX: usize = 500;
/// The most sockets of a visitor: the oldest goes.
pub const VISITOR_SOCKETS_MAX: usize = 8;

/// What the widget can show.
pub const WEBCHAT: Capabilities = Capabilities {
    text_max: TextMax::Chars(TEXT_CHARS_MAX),
    caption_chars_max: CAPTION_CHARS_MAX,
    media: &MEDIA,
    files_max: 1,
    upload: false,
    choices: Some(CHOICES),
    location: true,
    replies: false,
    reactions: false,
    read_receipts: true,
    typing: true,
    templates: false,
    ask_phone: false,
    ask_location: false,
    correlation: true,
    costs: false,
    window_ms: None,
    rates: Rates {
        // Nobody is asked: it is our own server. The line keeps a loop of a bot from filling the disk.
        identity: Rate {
            every_us: 1_000,
            burst: 1_000,
        },
        recipient: Some(Rate {
            every_us: 200_000,
            burst: 50,
        }),
    },
    answer_within_ms: 10_000,
    acknowledge: 200,
};

/// Files that an agent may send: any, for the page shows what a browser can show and offers the rest.
const MEDIA: [MediaRule; 4] = any_file(FILE_BYTES_MAX);

/// Answers to choose from: what fits a telephone's screen without scrolling it away.
const CHOICES: ChoiceRules = ChoiceRules {
    buttons_max: 10,
    button_chars_max: 60,
    rows_max: 20,
    row_chars_max: 60,
    description_chars_max: 120,
    id_chars_max: 200,
    body_chars_max: TEXT_CHARS_MAX,
    footer_chars_max: 120,
};

//! Everything SIP under one owner: transactions, dialogs, calls, admission, registration.
//!
//! ```text
//!  handle_message ─▶ parse ─▶ transaction table ─▶ guard · digest · trunks ─▶ dialogs ─▶ calls ─▶ CallEvent
//!  commands (dial, answer, …) ─▶ calls ─▶ transaction table ─▶ Output::Transmit
//! ```

mod config;
mod output;

pub use config::{EndpointConfig, Limits, Listener};
pub use output::Output;

//! Joins calls, flows and desk.
//!
//! ```text
//!  CallEvent ─▶┌───────┐◀─▶ ivr::Session      what the caller hears and presses
//!  LegEvent  ─▶│ voice │◀─▶ desk::Desk        who waits, and who takes it
//!  answers   ─▶└───┬───┘
//!                  └─▶ Output: Save · Sip · Media · Fetch
//! ```
//!
//! [`voice::Voice`] is the one owner of what calls mean. It decides; the shell performs its outputs
//! in order and tells it what came of them.

pub mod clip;
pub mod directory;
pub mod outbound;
pub mod text;
pub mod voice;
mod words;

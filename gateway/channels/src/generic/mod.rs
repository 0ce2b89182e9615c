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

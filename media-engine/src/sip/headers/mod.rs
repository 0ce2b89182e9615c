//! Typed readings of header values.
//!
//! A reading is made when it is asked for and keeps slices of the message's bytes, so it costs a
//! scan of one value and may outlive the message. What cannot be read is [`Invalid`], which harms
//! that header alone: whoever needed it answers with [`Invalid::STATUS`].

pub use auth::Auth;
pub use name::Name;
pub use name_addr::{Contact, NameAddr};
pub use params::{Params, unquote};
pub use values::{
    CSeq, RAck, Reason, Refresher, Replaces, SessionExpires, Word, retry_after, seconds, text,
    tokens, unfold,
};
pub use via::Via;

mod auth;
mod name;
mod name_addr;
mod params;
pub(crate) mod scan;
mod values;
mod via;

#[cfg(test)]
mod tests;

/// A value that breaks its grammar. The fault is the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

impl Invalid {
    /// What a request with such a value is answered with, where the value was needed (RFC 3261
    /// section 21.4.1).
    pub const STATUS: u16 = 400;
}

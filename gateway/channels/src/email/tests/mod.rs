//! Mails that were read: one of each kind that programs and servers write, and broken ones.

mod bombs;
mod composed;
mod fixtures;
pub(super) use fixtures::mails;
mod places;
mod told;

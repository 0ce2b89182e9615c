//! People and their work: the queue model, and the words it is told in.
//!
//! [`id`] has a typed id for every noun; [`record`] has what is remembered of an interaction.
//! [`identity`] knows customers by the ids that channels give them, [`contact`] has what is said of
//! them, [`numbering`] reads telephone numbers as people write them.
//! [`Desk`] is the queue model: it is told [`rules`] and [`work`], who is there and what they do,
//! and says in [`output`] who is offered what; [`change`] is what it remembers, [`decision`] why it
//! chose, [`explain`] the words for that, [`disposition`] how work is closed, [`kept`] what of all that
//! is stored.

pub mod change;
pub mod contact;
pub mod decision;
mod desk;
pub mod disposition;
pub mod explain;
pub mod fact;
pub mod id;
pub mod identity;
pub mod kept;
pub mod numbering;
pub mod output;
pub mod permission;
pub mod record;
pub mod rules;
pub mod words;
pub mod work;

pub use crate::desk::{Desk, ServiceStatus};

//! People and their work: the queue model, and the words it is told in.
//!
//! [`id`] has a typed id for every noun; [`record`] has what is remembered of an interaction.

pub mod id;
pub mod record;

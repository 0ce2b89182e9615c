//! People and their work: the queue model, and the words it is told in.
//!
//! [`id`] has a typed id for every noun; [`record`] has what is remembered of an interaction;
//! [`queue`] is the waiting lines of the services.

pub mod id;
pub mod queue;
pub mod record;
pub mod words;

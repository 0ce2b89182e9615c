//! What people hear and press: flows, prompts as words, opening hours.

mod flow;
pub mod hours;
mod id;
mod key;
mod language;
mod library;
pub mod machine;
pub mod simple;
pub mod template;
pub mod validate;
pub mod words;

pub use flow::*;
pub use id::*;
pub use key::Key;
pub use language::Language;
pub use library::Library;
pub use machine::{Now, Session};

//! What people hear and press: flows, prompts as words, opening hours.
//!
//! ```text
//!  JSON of the API ─▶ Flow ─▶ validate ─▶ Library (what is published) ─┐
//!  simple form ─build─┘                                                ▼
//!                     keys, answers, time ─▶ Session ─▶ say · queue · dial · fetch · record · hang up
//!                                              │  ▲
//!                                  hours (is it open?)  words (how is 21 said?)
//! ```
//!
//! - `flow`: a flow as data; [`schema`] publishes it, [`validate`] judges it, [`simple`] makes it.
//! - [`machine`]: one call's walk through flows.
//! - [`hours`]: opening hours with holidays, in any time zone.
//! - [`words`]: numbers, dates and money as recordings and text, and the sentences that ship.
//! - [`template`]: text with variables in it.
//!
//! What holds:
//!
//! - Nothing here reads a clock, a file or a socket; whoever calls tells the time.
//! - A walk ends, whatever the flow says and whatever the caller does (see [`machine`]).
//! - What a flow reads from callers and from other systems is data: it never becomes a host that
//!   is asked, a header field, or part of a JSON document's structure.
//! - Digits that a flow calls sensitive are in no trail, and in no debug output of a session. What is
//!   to be said or dialled has to hold them: shells do not log outputs.
//!
//! # Example
//!
//! A menu with two services, and a caller who presses 2 before the question has ended:
//!
//! ```
//! use std::sync::Arc;
//!
//! use ivr::machine::{Caller, Output};
//! use ivr::{Flow, FlowId, Key, Library, Now, Session};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let flow: Flow = serde_json::from_str(
//!     r#"{
//!         "format": 1,
//!         "entry": "menu",
//!         "nodes": {
//!             "menu": {
//!                 "kind": "menu",
//!                 "say": [{"kind": "text", "text": "Para vendas, digite 1; para suporte, digite 2."}],
//!                 "choices": [{"key": "1", "to": "sales"}, {"key": "2", "to": "support"}],
//!                 "otherwise": "bye"
//!             },
//!             "sales": {"kind": "queue", "service": "sales", "unanswered": "bye"},
//!             "support": {"kind": "queue", "service": "support", "unanswered": "bye"},
//!             "bye": {"kind": "hang-up", "say": [{"kind": "sound", "sound": "sentences/goodbye"}]}
//!         }
//!     }"#,
//! )?;
//! let main = FlowId::new("main");
//! let library = Library { flows: [(main.clone(), Arc::new(flow))].into(), ..Library::default() };
//! let mut session = Session::new(Arc::new(library), &main, &Caller::default())?;
//!
//! # #[allow(clippy::disallowed_methods)]
//! let now = Now { instant: std::time::Instant::now(), wall: "2026-11-23T15:00:00Z".parse()? };
//! session.start(now);
//! session.handle_key(now, Key::new('2').ok_or("2 is a key")?);
//!
//! let mut done = Vec::new();
//! while let Some(output) = session.poll_output() {
//!     match output {
//!         Output::Play { .. } => done.push("play".to_owned()),
//!         Output::StopPlaying { .. } => done.push("stop".to_owned()),
//!         Output::Queue { service, .. } => done.push(format!("queue {service}")),
//!         Output::Step(_) => {} // for the trail
//!         other => panic!("{other:?}"),
//!     }
//! }
//! assert_eq!(done, ["play", "stop", "queue support"]);
//! # Ok(())
//! # }
//! ```

mod flow;
pub mod hours;
mod id;
mod key;
mod language;
mod library;
pub mod machine;
mod say;
pub mod schema;
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
pub use say::*;

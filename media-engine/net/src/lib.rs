//! The sockets, media threads, resolver and clock of the media engine.
//!
//! ```text
//!  SIP    datagram, stream ─▶ sip::Transports ─▶ the task that owns the endpoint ─▶ send, never waits
//!  names  resolve question ─▶ resolver::Resolver ─▶ answer
//!  media  media::Media (control plane) ═ commands ═▶ one thread a core ═ MediaEvent ═▶
//!                                                    visits its legs every 20 ms
//!         browsers: one port, one reader ═ packets ═▶ that thread
//! ```
//!
//! Everything in `media-engine` is told the time and handed bytes; this crate is where both come
//! from. SIP runs on tokio, media on plain threads (a tokio task for each leg costs twice the
//! CPU of a thread that visits its sockets), and nothing here decides what a message means.

pub mod chance;
pub mod clock;
pub mod histogram;
pub mod limits;
pub mod media;
pub mod ports;
pub mod resolver;
pub mod route;
pub mod sip;
pub mod threads;

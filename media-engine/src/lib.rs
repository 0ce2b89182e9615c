//! SIP and RTP without a socket.
//!
//! ```text
//!  datagram ─▶ sip::framing ─▶ sip::message ─▶ sip::transaction ─▶ sip::dialog ─▶ sip::call ═ CallEvent ═▶
//!                                     sip::endpoint owns them all        ◀═ CallCommand ═
//!  packet ───▶ rtp::packet ─▶ rtp::jitter ─▶ codec ─▶ dtmf, recording      leg owns them all
//!  check ────▶ browser::Port ─▶ ice::agent, dtls ─▶ which leg an address behind a shared port belongs
//!                               to, and its keys
//!  upload ───▶ audio::intake ─▶ audio::prompt (20 ms frames in each codec) ─▶ leg plays by copying
//! ```
//!
//! Nothing in here reads a clock, draws a random number of its own, opens a socket or starts a
//! thread: `now` and a seeded generator are passed in, bytes come in and go out. Every machine has
//! one shape: getters, `handle_*(now, …)`, commands in the imperative, `poll_timeout`,
//! `poll_output`; outputs are drained until empty after each mutation, and firing a time-out early
//! is harmless. One exception to the rule of chance is told where it is: the secrets of a handshake
//! (`dtls`).

pub mod audio;
pub mod browser;
pub mod codec;
pub mod dtls;
pub mod dtmf;
pub mod ice;
pub mod leg;
pub mod quality;
pub mod rtp;
pub mod sdp;
pub mod sip;

//! The codecs that calls use, behind one closed enum.

pub mod g711;

use std::time::Duration;

/// An audio codec that a leg can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// ITU-T G.711 A-law, 8 kHz, static payload type 8.
    Pcma,
    /// ITU-T G.711 µ-law, 8 kHz, static payload type 0.
    Pcmu,
    /// ITU-T G.722, sampled at 16 kHz, RTP clock 8 kHz (RFC 3551 section 4.5.2), static payload type 9.
    G722,
    /// ITU-T G.729 Annex A, 8 kHz, static payload type 18.
    G729,
    /// Opus (RFC 7587), run at 16 kHz inside, RTP clock 48 kHz, dynamic payload type.
    Opus,
}

/// The length of one frame: every prompt and every tick is cut in these.
pub const FRAME: Duration = Duration::from_millis(20);

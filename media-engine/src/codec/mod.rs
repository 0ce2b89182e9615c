//! The codecs that calls use, behind one closed enum.
//!
//! ```text
//!  i16 at Codec::sample_rate ─▶ Encoder::encode ─▶ payload ─▶ Decoder::decode ─▶ i16 at Codec::sample_rate
//!                                                  (lost) ─▶ Decoder::conceal ─▶ true: filled · false: conceal it yourself
//! ```
//!
//! G.711 is our own table. G.722 comes from `audio-codec`, G.729 from `g729-sys` (both plain Rust),
//! Opus from `opus-pure`. Everything a codec needs is allocated when it is made; the scratch space
//! of Opus grows in its first frames and is kept, so a running call allocates nothing.

mod decoder;
mod encoder;
pub mod g711;

use std::{fmt, sync::LazyLock, time::Duration};

pub use decoder::{BadPayload, Decoder};
pub use encoder::Encoder;

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

/// Frames in a second.
pub const FRAMES_PER_SECOND: u32 = 50;

/// Samples in the longest frame ([`FRAME`] at 16 kHz): the size of a PCM buffer for one frame.
pub const FRAME_SAMPLES_MAX: usize = 320;

/// Samples in the longest packet that [`Decoder::decode`] can be handed: 120 ms of Opus at 16 kHz
/// (RFC 6716 section 2.1.4). No other codec is offered with more than 60 ms a packet.
pub const PACKET_SAMPLES_MAX: usize = 1_920;

/// Bytes of the longest frame that [`Encoder::encode`] writes. Opus at [`OPUS_BITRATE`] stays far
/// below; the largest of the others is 160.
pub const FRAME_BYTES_MAX: usize = 400;

/// Bits per second that Opus may spend: wideband speech at this rate is as good as G.722 at 64 kbit/s.
pub const OPUS_BITRATE: i32 = 24_000;

impl Codec {
    /// All of them, in the order of [`Codec::index`].
    pub const ALL: [Self; 5] = [Self::Pcma, Self::Pcmu, Self::G722, Self::G729, Self::Opus];

    /// The place in [`Codec::ALL`], for tables with one entry a codec.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Pcma => 0,
            Self::Pcmu => 1,
            Self::G722 => 2,
            Self::G729 => 3,
            Self::Opus => 4,
        }
    }

    /// The encoding name of `a=rtpmap` (compared without regard to case).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::G729 => "G729",
            Self::Opus => "opus",
        }
    }

    /// Samples per second of the PCM that [`Encoder`] takes and [`Decoder`] gives.
    #[must_use]
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu | Self::G729 => 8_000,
            Self::G722 | Self::Opus => 16_000,
        }
    }

    /// Units per second of the RTP timestamp.
    #[must_use]
    pub const fn rtp_clock(self) -> u32 {
        match self {
            // RFC 3551 section 4.5.2: G.722 keeps the 8 kHz clock of an old mistake.
            Self::Pcma | Self::Pcmu | Self::G722 | Self::G729 => 8_000,
            // RFC 7587 section 4.1: always 48 kHz, whatever runs inside.
            Self::Opus => 48_000,
        }
    }

    /// PCM samples in one [`FRAME`].
    #[must_use]
    pub const fn frame_samples(self) -> usize {
        (self.sample_rate() / FRAMES_PER_SECOND) as usize
    }

    /// RTP timestamp units in one [`FRAME`].
    #[must_use]
    pub const fn frame_ticks(self) -> u32 {
        self.rtp_clock() / FRAMES_PER_SECOND
    }

    /// Payload bytes of one [`FRAME`]; `None` for Opus, whose frames differ in length.
    #[must_use]
    pub const fn frame_bytes(self) -> Option<usize> {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => Some(160),
            Self::G729 => Some(20),
            Self::Opus => None,
        }
    }

    /// The payload type that RFC 3551 section 6 fixes; `None` for Opus.
    #[must_use]
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcma => Some(8),
            Self::Pcmu => Some(0),
            Self::G722 => Some(9),
            Self::G729 => Some(18),
            Self::Opus => None,
        }
    }

    /// Samples (at [`Codec::sample_rate`]) by which decoded audio comes later than what was encoded:
    /// a prompt is followed by this much silence so that its end is heard.
    #[must_use]
    pub const fn delay_samples(self) -> usize {
        match self {
            Self::Pcma | Self::Pcmu => 0,
            // The two quadrature mirror filters, 11 samples each.
            Self::G722 => 22,
            // 5 ms of look-ahead.
            Self::G729 => 40,
            // 6.5 ms at 16 kHz: look-ahead and delay compensation of RFC 6716.
            Self::Opus => 104,
        }
    }

    /// One frame of silence, the same bytes each time: what is sent when there is nothing to say.
    #[must_use]
    pub fn silence(self) -> &'static [u8] {
        static SILENCE: LazyLock<[Vec<u8>; 5]> =
            LazyLock::new(|| Codec::ALL.map(encode_settled_silence));
        &SILENCE[self.index()]
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Frames of silence after which the adaptive codecs have calmed down.
const SETTLING_FRAMES: usize = 25;

fn encode_settled_silence(codec: Codec) -> Vec<u8> {
    let pcm = [0; FRAME_SAMPLES_MAX];
    let mut encoder = Encoder::new(codec);
    let mut payload = [0; FRAME_BYTES_MAX];
    let mut length = 0;
    for _ in 0..SETTLING_FRAMES {
        length = encoder.encode(&pcm[..codec.frame_samples()], &mut payload);
    }
    payload[..length].to_vec()
}

#[cfg(test)]
mod tests;

//! From PCM to payload.

use std::fmt;

use audio_codec::{Encoder as _, g722::G722Encoder};
use opus_pure::{Application, OpusEncoder, RateControl, Signal};

use super::{Codec, FRAME_SAMPLES_MAX, OPUS_BITRATE, g711};

/// Turns 20 ms of PCM at a time into one payload; keeps the state that a codec carries from frame to
/// frame, so there is one per direction of a leg.
pub enum Encoder {
    /// A-law, without state.
    Pcma,
    /// µ-law, without state.
    Pcmu,
    /// G.722 at 64 kbit/s.
    G722(Box<G722Encoder>),
    /// G.729 Annex A without the silence compression of Annex B.
    G729(Box<g729_sys::Encoder>),
    /// Opus, one channel at 16 kHz.
    Opus(Box<OpusEncoder>),
}

impl Encoder {
    /// Creates an encoder in its initial state. This allocates; encoding does not.
    ///
    /// # Panics
    ///
    /// Never: Opus refuses only rates and channel counts that are not asked for here.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::Pcma,
            Codec::Pcmu => Self::Pcmu,
            Codec::G722 => Self::G722(Box::new(G722Encoder::new())),
            Codec::G729 => Self::G729(Box::new(g729_sys::Encoder::new(false))),
            Codec::Opus => Self::Opus(Box::new(new_opus())),
        }
    }

    /// The codec of the payloads.
    #[must_use]
    pub fn codec(&self) -> Codec {
        match self {
            Self::Pcma => Codec::Pcma,
            Self::Pcmu => Codec::Pcmu,
            Self::G722(_) => Codec::G722,
            Self::G729(_) => Codec::G729,
            Self::Opus(_) => Codec::Opus,
        }
    }

    /// Encodes one frame and returns how many bytes of `payload` it filled.
    ///
    /// `pcm` has [`Codec::frame_samples`] samples at [`Codec::sample_rate`]; what is missing is taken
    /// as silence, what is too much is ignored. `payload` should have
    /// [`FRAME_BYTES_MAX`](super::FRAME_BYTES_MAX) bytes; when it is too short, 0 comes back.
    pub fn encode(&mut self, pcm: &[i16], payload: &mut [u8]) -> usize {
        let wanted = self.codec().frame_samples();
        if pcm.len() < wanted {
            let mut whole = [0; FRAME_SAMPLES_MAX];
            whole[..pcm.len()].copy_from_slice(pcm);
            return self.encode_frame(&whole[..wanted], payload);
        }
        self.encode_frame(&pcm[..wanted], payload)
    }

    fn encode_frame(&mut self, pcm: &[i16], payload: &mut [u8]) -> usize {
        if self
            .codec()
            .frame_bytes()
            .is_some_and(|bytes| payload.len() < bytes)
        {
            return 0;
        }
        match self {
            Self::Pcma => compress(pcm, payload, g711::alaw),
            Self::Pcmu => compress(pcm, payload, g711::ulaw),
            Self::G722(encoder) => encoder.encode_into(pcm, payload).unwrap_or(0),
            Self::G729(encoder) => encode_g729(encoder, pcm, payload),
            Self::Opus(encoder) => encoder.encode_s16(pcm, pcm.len(), payload).unwrap_or(0),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Encoder({})", self.codec())
    }
}

fn compress(pcm: &[i16], payload: &mut [u8], law: impl Fn(i16) -> u8) -> usize {
    for (byte, sample) in payload.iter_mut().zip(pcm) {
        *byte = law(*sample);
    }
    pcm.len()
}

/// G.729 codes 10 ms in 10 bytes; a payload is a row of them (RFC 3551 section 4.5.6).
fn encode_g729(encoder: &mut g729_sys::Encoder, pcm: &[i16], payload: &mut [u8]) -> usize {
    let (frames, _) = pcm.as_chunks::<{ g729_sys::FRAME_SAMPLES }>();
    let (outputs, _) = payload.as_chunks_mut::<{ g729_sys::VOICE_FRAME_BYTES }>();
    for (frame, output) in frames.iter().zip(outputs) {
        encoder.encode_into(frame, output);
    }
    frames.len() * g729_sys::VOICE_FRAME_BYTES
}

fn new_opus() -> OpusEncoder {
    let mut encoder =
        OpusEncoder::new(16_000, 1, Application::Voip).expect("Opus has 16 kHz and one channel");
    encoder.bitrate_bps = OPUS_BITRATE;
    // 5 of 10: half the CPU of 9 for 0.35 of a PESQ point. Opus encoding decides how many browser
    // calls a core carries.
    encoder.complexity = 5;
    encoder.rate_control = RateControl::ConstrainedVbr;
    encoder.signal_type = Some(Signal::Voice);
    encoder.use_inband_fec = false;
    encoder.use_dtx = false;
    encoder
}

//! From payload to PCM.

use std::fmt;

use audio_codec::{Decoder as _, g722::G722Decoder};
use opus_pure::OpusDecoder;

use super::{Codec, PACKET_SAMPLES_MAX, g711};

/// Turns payloads of one peer into PCM; keeps the state that a codec carries from frame to frame.
pub enum Decoder {
    /// A-law, without state.
    Pcma,
    /// µ-law, without state.
    Pcmu,
    /// G.722 at 64 kbit/s.
    G722(Box<G722Decoder>),
    /// G.729 Annex A, and the comfort noise of Annex B.
    G729(Box<g729_sys::Decoder>),
    /// Opus, decoded to one channel at 16 kHz.
    Opus(Box<OpusDecoder>),
}

/// The peer sent a payload that its codec cannot have made; treat the packet as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are no {codec} payload")]
pub struct BadPayload {
    /// What the payload should have been.
    pub codec: Codec,
    /// Its length.
    pub bytes: usize,
}

impl Decoder {
    /// Creates a decoder in its initial state. This allocates; decoding does not.
    ///
    /// # Panics
    ///
    /// Never: Opus refuses only rates and channel counts that are not asked for here.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::Pcma,
            Codec::Pcmu => Self::Pcmu,
            Codec::G722 => Self::G722(Box::new(G722Decoder::new())),
            Codec::G729 => Self::G729(Box::new(g729_sys::Decoder::new())),
            Codec::Opus => Self::Opus(Box::new(
                OpusDecoder::new(16_000, 1).expect("Opus has 16 kHz and one channel"),
            )),
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

    /// Decodes a payload of any packet time (10 to 60 ms, Opus to 120) and returns how many samples
    /// of `pcm` it filled.
    ///
    /// `pcm` should have [`PACKET_SAMPLES_MAX`] samples; audio that does not fit is dropped.
    ///
    /// # Errors
    ///
    /// [`BadPayload`] when the payload is empty or its codec cannot have made it.
    pub fn decode(&mut self, payload: &[u8], pcm: &mut [i16]) -> Result<usize, BadPayload> {
        let bad = BadPayload {
            codec: self.codec(),
            bytes: payload.len(),
        };
        if payload.is_empty() {
            return Err(bad);
        }
        match self {
            Self::Pcma => Ok(expand(payload, pcm, g711::from_alaw)),
            Self::Pcmu => Ok(expand(payload, pcm, g711::from_ulaw)),
            Self::G722(decoder) => {
                // Two samples a byte.
                let fitting = payload.len().min(pcm.len() / 2);
                decoder
                    .decode_into(&payload[..fitting], pcm)
                    .map_err(|_| bad)
            }
            Self::G729(decoder) => decode_g729(decoder, payload, pcm).ok_or(bad),
            Self::Opus(decoder) => {
                let room = pcm.len().min(PACKET_SAMPLES_MAX);
                decoder.decode_s16(payload, room, pcm).map_err(|_| bad)
            }
        }
    }

    /// Fills one lost frame ([`Codec::frame_samples`]) by the codec's own concealment.
    ///
    /// Returns false where the codec has none (G.711, G.722): `pcm` is untouched then, and the caller
    /// conceals from the audio it has.
    pub fn conceal(&mut self, pcm: &mut [i16]) -> bool {
        let wanted = self.codec().frame_samples();
        let Some(frame) = pcm.get_mut(..wanted) else {
            return false;
        };
        match self {
            Self::Pcma | Self::Pcmu | Self::G722(_) => false,
            Self::G729(decoder) => {
                for half in frame.chunks_exact_mut(g729_sys::FRAME_SAMPLES) {
                    half.copy_from_slice(&decoder.decode(&[], true, false, false));
                }
                true
            }
            Self::Opus(decoder) => decoder.decode_s16(&[], wanted, frame).is_ok(),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Decoder({})", self.codec())
    }
}

fn expand(payload: &[u8], pcm: &mut [i16], law: impl Fn(u8) -> i16) -> usize {
    for (sample, byte) in pcm.iter_mut().zip(payload) {
        *sample = law(*byte);
    }
    payload.len().min(pcm.len())
}

/// A silence descriptor of Annex B (RFC 3551 section 4.5.6): it may end a payload.
const SID_BYTES: usize = 2;

/// A G.729 payload is whole speech frames, then perhaps one silence descriptor. The peer sends the
/// latter only if we did not ask for `annexb=no`, but some do all the same.
fn decode_g729(decoder: &mut g729_sys::Decoder, payload: &[u8], pcm: &mut [i16]) -> Option<usize> {
    let (frames, rest) = payload.as_chunks::<{ g729_sys::VOICE_FRAME_BYTES }>();
    let (outputs, _) = pcm.as_chunks_mut::<{ g729_sys::FRAME_SAMPLES }>();
    if !matches!(rest.len(), 0 | SID_BYTES) {
        return None;
    }
    let mut outputs = outputs.iter_mut();
    let mut samples = 0;
    for (frame, output) in frames.iter().zip(outputs.by_ref()) {
        *output = decoder.decode(frame, false, false, false);
        samples += output.len();
    }
    if let (SID_BYTES, Some(output)) = (rest.len(), outputs.next()) {
        *output = decoder.decode(rest, false, true, false);
        samples += output.len();
    }
    Some(samples)
}

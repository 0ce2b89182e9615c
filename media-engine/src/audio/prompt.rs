//! A prompt: 20 ms frames in each codec that calls use. Playing one is copying.
//!
//! A prompt is made once, when it is uploaded or spoken, and lives in memory as 16-bit samples at 8
//! and 16 kHz. The 8 kHz version is always made from the 16 kHz version, so a prompt that is read back from its
//! stored form ([`Prompt::wav`]) is the same to the last bit.

use std::{fmt, time::Duration};

use crate::codec::{Codec, Encoder, FRAME, FRAME_BYTES_MAX};

use super::{
    Mono, duration_of, loudness,
    resample::{ResampleError, resample},
    to_f32, to_i16, wav,
};

/// Samples per second of the narrow version: G.711 and G.729.
pub const NARROW: u32 = 8_000;

/// Samples per second of the wide version: G.722, Opus, and the form that is stored.
pub const WIDE: u32 = 16_000;

/// A recording or a synthesised text, at one loudness, ready to be cut into frames.
#[derive(Clone, PartialEq)]
pub struct Prompt {
    narrow: Vec<i16>,
    wide: Vec<i16>,
}

impl Prompt {
    /// Makes a prompt of audio at any rate: resampled, and brought to [`loudness::TARGET`].
    ///
    /// # Errors
    ///
    /// [`ResampleError`] when `audio` names a rate of zero.
    pub fn new(audio: &Mono) -> Result<Self, ResampleError> {
        let mut wide = resample(audio, WIDE)?;
        loudness::normalise(&mut wide.samples, WIDE);
        Self::from_wide(wide.samples.into_iter().map(to_i16).collect())
    }

    /// Makes a prompt of what [`Prompt::wide`] gave: samples at [`WIDE`], whose loudness is final.
    ///
    /// # Errors
    ///
    /// [`ResampleError`] only by a bug of the resampler: both rates are fixed.
    pub fn from_wide(wide: Vec<i16>) -> Result<Self, ResampleError> {
        let audio = Mono {
            rate: WIDE,
            samples: wide.iter().copied().map(to_f32).collect(),
        };
        let narrow = resample(&audio, NARROW)?
            .samples
            .into_iter()
            .map(to_i16)
            .collect();
        Ok(Self { narrow, wide })
    }

    /// Reads back what [`Prompt::wav`] wrote; `None` when it is not that.
    #[must_use]
    pub fn from_wav(file: &[u8]) -> Option<Self> {
        Self::from_wide(wav::read_pcm16(WIDE, file)?).ok()
    }

    /// The samples at [`WIDE`].
    #[must_use]
    pub fn wide(&self) -> &[i16] {
        &self.wide
    }

    /// The samples at [`NARROW`].
    #[must_use]
    pub fn narrow(&self) -> &[i16] {
        &self.narrow
    }

    /// How long it plays.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(self.wide.len(), WIDE)
    }

    /// The form to store: a WAV file of 16-bit samples at [`WIDE`], which any program plays and
    /// [`Prompt::from_wav`] reads back exactly.
    #[must_use]
    pub fn wav(&self) -> Vec<u8> {
        wav::pcm16(WIDE, &self.wide)
    }

    /// As callers hear it: an A-law WAV file at [`NARROW`], for the administrator to listen to.
    #[must_use]
    pub fn as_heard(&self) -> Vec<u8> {
        wav::alaw(NARROW, &self.narrow)
    }

    /// Cuts the prompt into frames of `codec`. This encodes: keep the result, each call that
    /// plays it shares it.
    #[must_use]
    pub fn frames(&self, codec: Codec) -> Frames {
        let pcm = match codec.sample_rate() {
            WIDE => &self.wide,
            _ => &self.narrow,
        };
        Frames::encode(codec, pcm)
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Prompt({:?})", self.duration())
    }
}

/// A prompt in one codec: payloads of 20 ms, back to back in one piece of memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Frames {
    codec: Codec,
    payloads: Box<[u8]>,
    cut: Cut,
}

#[derive(Clone, PartialEq, Eq)]
enum Cut {
    /// All frames are equally long, in bytes.
    Every(usize),
    /// Where each frame ends in `payloads`.
    At(Box<[u32]>),
}

impl Frames {
    /// Encodes `pcm`, which is at the codec's own [`Codec::sample_rate`]. The last frame is filled up
    /// with silence, and another follows where the codec is late by more than fits.
    #[must_use]
    pub fn encode(codec: Codec, pcm: &[i16]) -> Self {
        let samples = codec.frame_samples();
        let count = match pcm.len() {
            0 => 0,
            length => (length + codec.delay_samples()).div_ceil(samples),
        };
        let mut encoder = Encoder::new(codec);
        let mut payloads = Vec::with_capacity(count * codec.frame_bytes().unwrap_or(0));
        let mut ends = vec![];
        let mut payload = [0; FRAME_BYTES_MAX];
        for index in 0..count {
            let rest = pcm.get(index * samples..).unwrap_or_default();
            let frame = &rest[..rest.len().min(samples)];
            let length = encoder.encode(frame, &mut payload);
            payloads.extend_from_slice(&payload[..length]);
            // 15 minutes of Opus are 3 MB: far from what 32 bits can say.
            ends.push(u32::try_from(payloads.len()).unwrap_or(u32::MAX));
        }
        let cut = codec
            .frame_bytes()
            .map_or_else(|| Cut::At(ends.into()), Cut::Every);
        Self {
            codec,
            payloads: payloads.into(),
            cut,
        }
    }

    /// The codec of the payloads.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How many frames there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.cut {
            Cut::Every(bytes) => self.payloads.len() / bytes,
            Cut::At(ends) => ends.len(),
        }
    }

    /// The payload of frame `index`, or `None` beyond the end.
    #[must_use]
    pub fn frame(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = match &self.cut {
            Cut::Every(bytes) => {
                let start = index.checked_mul(*bytes)?;
                (start, start.checked_add(*bytes)?)
            }
            Cut::At(ends) => {
                let end = *ends.get(index)?;
                let start = index.checked_sub(1).map_or(0, |before| ends[before]);
                (start as usize, end as usize)
            }
        };
        self.payloads.get(start..end)
    }

    /// How long the frames play.
    #[must_use]
    pub fn duration(&self) -> Duration {
        FRAME.saturating_mul(u32::try_from(self.count()).unwrap_or(u32::MAX))
    }

    /// Bytes of memory that the payloads take: for the cache that keeps them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.payloads.len()
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Frames({} × {})", self.count(), self.codec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Decoder, PACKET_SAMPLES_MAX};

    fn speech(rate: u32, seconds: f64) -> Mono {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small"
        )]
        let count = (f64::from(rate) * seconds) as u32;
        let samples = (0..count)
            .map(|n| {
                let t = f64::from(n) / f64::from(rate) * std::f64::consts::TAU;
                #[allow(clippy::cast_possible_truncation, reason = "precision is enough")]
                let sample = (0.05 * (t * 240.0).sin() + 0.03 * (t * 950.0).sin()) as f32;
                sample
            })
            .collect();
        Mono { rate, samples }
    }

    #[test]
    fn a_second_is_fifty_frames_and_perhaps_one_for_the_delay_of_the_codec() {
        let prompt = Prompt::new(&speech(44_100, 1.0)).expect("a rate");
        assert_eq!(prompt.duration(), Duration::from_secs(1));
        for codec in Codec::ALL {
            let frames = prompt.frames(codec);
            let late = usize::from(codec.delay_samples() > 0);
            assert_eq!(frames.count(), 50 + late, "{codec}");
            assert_eq!(frames.duration(), FRAME * 50 + FRAME * u32::from(late == 1));
            assert_eq!(frames.codec(), codec);
            assert!(frames.frame(frames.count()).is_none());
            assert!(frames.frame(usize::MAX).is_none());
            let total: usize = (0..frames.count())
                .map(|i| frames.frame(i).expect("there").len())
                .sum();
            assert_eq!(total, frames.bytes());
        }
    }

    #[test]
    fn frames_decode_to_the_prompt() {
        let prompt = Prompt::new(&speech(22_050, 0.5)).expect("a rate");
        for codec in Codec::ALL {
            let frames = prompt.frames(codec);
            let mut decoder = Decoder::new(codec);
            let mut pcm = [0; PACKET_SAMPLES_MAX];
            let mut power = 0.0;
            for index in 0..frames.count() {
                let payload = frames.frame(index).expect("there");
                let samples = decoder.decode(payload, &mut pcm).expect("our own");
                power += pcm[..samples]
                    .iter()
                    .map(|&s| f64::from(s).powi(2))
                    .sum::<f64>();
            }
            let source = if codec.sample_rate() == WIDE {
                prompt.wide()
            } else {
                prompt.narrow()
            };
            let wanted: f64 = source.iter().map(|&s| f64::from(s).powi(2)).sum();
            let db = 10.0 * (power / wanted).log10();
            assert!(db.abs() < 2.0, "{codec}: {db:.2} dB");
        }
    }

    #[test]
    fn the_stored_form_reads_back_to_the_same_prompt() {
        let prompt = Prompt::new(&speech(44_100, 0.7)).expect("a rate");
        let again = Prompt::from_wav(&prompt.wav()).expect("our own file");
        assert!(prompt == again);
        assert_eq!(Prompt::from_wav(&prompt.as_heard()), None);
    }

    #[test]
    fn both_versions_have_the_target_loudness() {
        let prompt = Prompt::new(&speech(48_000, 3.0)).expect("a rate");
        for (rate, samples) in [(WIDE, prompt.wide()), (NARROW, prompt.narrow())] {
            let samples: Vec<f32> = samples.iter().copied().map(to_f32).collect();
            let loudness = loudness::integrated(&samples, rate).expect("audible");
            assert!(
                (loudness - loudness::TARGET).abs() < 0.3,
                "{rate} Hz: {loudness:.2} LUFS"
            );
        }
    }

    #[test]
    fn an_empty_prompt_has_no_frames() {
        let prompt = Prompt::new(&Mono {
            rate: 8_000,
            samples: vec![],
        })
        .expect("a rate");
        for codec in Codec::ALL {
            assert_eq!(prompt.frames(codec).count(), 0);
            assert_eq!(prompt.frames(codec).frame(0), None);
        }
    }
}

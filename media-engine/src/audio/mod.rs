//! Uploaded and synthesised audio on its way to becoming a prompt.
//!
//! ```text
//!  file ─▶ intake::Intake ─▶ Mono ─▶ resample (16 kHz) ─▶ loudness ─▶ prompt::Prompt ─▶ Frames in each codec
//!  voice engine (any rate) ──▶ Mono                                     └──▶ wav: what callers will hear
//! ```

pub mod archive;
pub mod flac;
pub mod intake;
pub mod loudness;
pub mod prompt;
pub mod resample;
pub mod wav;

use std::time::Duration;

/// One channel of audio: full scale is ±1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mono {
    /// Samples per second.
    pub rate: u32,
    /// The samples; those beyond ±1 are only clipped when they become integers.
    pub samples: Vec<f32>,
}

impl Mono {
    /// How long it plays.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(self.samples.len(), self.rate)
    }
}

/// How long `samples` play at `rate` per second.
#[must_use]
pub(crate) fn duration_of(samples: usize, rate: u32) -> Duration {
    let (samples, rate) = (samples as u64, u64::from(rate.max(1)));
    let nanoseconds = samples % rate * 1_000_000_000 / rate;
    Duration::from_secs(samples / rate) + Duration::from_nanos(nanoseconds)
}

/// The nearest 16-bit sample, clipped at full scale.
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "a float cast saturates")]
pub fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

/// The float of a 16-bit sample: exact, and the inverse of [`to_i16`].
#[must_use]
pub(crate) fn to_f32(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

//! Sample rate conversion without audible aliases.
//!
//! A prompt with energy above half the new rate would fold it down into the voice band, where it is
//! heard as whistling. The FFT resampler of `rubato` suppresses it by more than 90 dB and is also the
//! fastest of its kind. It works on blocks and is late by half of one: [`Resampler`] takes samples
//! in any portions, drops that delay at the start and fetches it at the end, so that neither end of a
//! prompt is cut or shifted.

use rubato::{
    Fft, FixedSync, Resampler as _, ResamplerConstructionError,
    audioadapter_buffers::direct::SequentialSlice,
};

use super::Mono;

/// Samples a block on the side with the lower rate (more where the two rates ask for it): enough for a
/// filter that passes 3.4 kHz and stops 4.1 kHz, few enough for the cache.
const BLOCK: u32 = 256;

/// Converts a stream of samples from one rate to another.
pub struct Resampler {
    state: State,
    from: u32,
    to: u32,
    taken: u64,
    given: u64,
}

enum State {
    /// Both rates are the same.
    Copy,
    Convert {
        fft: Box<Fft<f32>>,
        /// Input that does not yet fill a block.
        pending: Vec<f32>,
        /// One block of output.
        block: Vec<f32>,
        /// Output that is still to be dropped, because it is only the filter filling up.
        late: usize,
    },
}

/// The conversion is not possible. Rates that [`intake`](super::intake) lets through never cause it;
/// a voice engine that names a rate of zero does.
#[derive(Debug, thiserror::Error)]
pub enum ResampleError {
    /// There is no conversion between these rates.
    #[error("cannot convert {from} Hz to {to} Hz")]
    Rates {
        /// The rate of the samples.
        from: u32,
        /// The rate asked for.
        to: u32,
        /// What the resampler said.
        source: ResamplerConstructionError,
    },
    /// The resampler stopped in the middle: a bug of ours or of its.
    #[error("resampling stopped: {0}")]
    Stopped(#[from] rubato::ResampleError),
}

/// Converts `audio` to `rate` samples per second.
///
/// The result is as long as `audio` within one sample; a sound at second 3 stays there.
///
/// # Errors
///
/// [`ResampleError`] when one of the rates is zero.
pub fn resample(audio: &Mono, rate: u32) -> Result<Mono, ResampleError> {
    let mut resampler = Resampler::new(audio.rate, rate)?;
    let mut samples = vec![];
    resampler.push(&audio.samples, &mut samples)?;
    resampler.finish(&mut samples)?;
    Ok(Mono { rate, samples })
}

impl Resampler {
    /// Prepares a conversion from `from` to `to` samples per second.
    ///
    /// # Errors
    ///
    /// [`ResampleError::Rates`] when one of them is zero.
    pub fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        let state = if from == to && from > 0 {
            State::Copy
        } else {
            let block = u64::from(BLOCK) * u64::from(from) / u64::from(from.min(to).max(1));
            let block = usize::try_from(block).unwrap_or(usize::MAX);
            let fft = Fft::new(from as usize, to as usize, block, 1, FixedSync::Both)
                .map_err(|source| ResampleError::Rates { from, to, source })?;
            State::Convert {
                pending: Vec::with_capacity(fft.input_frames_next()),
                block: vec![0.0; fft.output_frames_max()],
                late: fft.output_delay(),
                fft: Box::new(fft),
            }
        };
        Ok(Self {
            state,
            from,
            to,
            taken: 0,
            given: 0,
        })
    }

    /// Takes the next samples and appends what can be given already to `output`.
    ///
    /// # Errors
    ///
    /// [`ResampleError::Stopped`], which does not happen with valid rates.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) -> Result<(), ResampleError> {
        let before = output.len();
        self.convert(samples, output)?;
        self.taken += samples.len() as u64;
        self.given += (output.len() - before) as u64;
        Ok(())
    }

    /// Appends the rest. The output is then as long as the input, rounded up to a whole sample.
    ///
    /// # Errors
    ///
    /// [`ResampleError::Stopped`], which does not happen with valid rates.
    pub fn finish(mut self, output: &mut Vec<f32>) -> Result<(), ResampleError> {
        let total = (self.taken * u64::from(self.to)).div_ceil(u64::from(self.from));
        let before = output.len();
        let missing = usize::try_from(total.saturating_sub(self.given)).unwrap_or(0);
        while output.len() - before < missing {
            self.convert(&[0.0; BLOCK as usize], output)?;
        }
        output.truncate(before + missing);
        Ok(())
    }

    fn convert(&mut self, mut samples: &[f32], output: &mut Vec<f32>) -> Result<(), ResampleError> {
        let State::Convert {
            fft,
            pending,
            block,
            late,
        } = &mut self.state
        else {
            output.extend_from_slice(samples);
            return Ok(());
        };
        let wanted = fft.input_frames_next();
        while !samples.is_empty() {
            let (head, rest) = samples.split_at(samples.len().min(wanted - pending.len()));
            samples = rest;
            pending.extend_from_slice(head);
            if pending.len() < wanted {
                break;
            }
            let filled = convert_block(fft, pending, block)?;
            pending.clear();
            let fresh = block[..filled].get(*late..).unwrap_or_default();
            output.extend_from_slice(fresh);
            *late -= filled - fresh.len();
        }
        Ok(())
    }
}

fn convert_block(
    fft: &mut Fft<f32>,
    input: &[f32],
    output: &mut [f32],
) -> Result<usize, ResampleError> {
    let (taken, room) = (input.len(), output.len());
    let wrong_size = |_| rubato::ResampleError::InsufficientInputBufferSize {
        expected: taken,
        actual: taken,
    };
    let input = SequentialSlice::new(input, 1, taken).map_err(wrong_size)?;
    let mut output = SequentialSlice::new_mut(output, 1, room).map_err(wrong_size)?;
    let (_, filled) = fft.process_into_buffer(&input, &mut output, None)?;
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hertz: f64, seconds: f64) -> Mono {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small"
        )]
        let count = (f64::from(rate) * seconds) as u32;
        let sample = |n| (f64::from(n) / f64::from(rate) * hertz * std::f64::consts::TAU).sin();
        #[allow(clippy::cast_possible_truncation, reason = "precision is enough")]
        let samples = (0..count).map(|n| 0.5 * sample(n) as f32).collect();
        Mono { rate, samples }
    }

    /// Level relative to the input tone, away from both ends, in dB.
    fn level_db(audio: &Mono) -> f64 {
        let edge = audio.samples.len() / 4;
        let middle = &audio.samples[edge..audio.samples.len() - edge];
        let power = middle.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / middle.len() as f64;
        10.0 * (power / 0.125).log10()
    }

    #[test]
    fn tones_of_the_voice_band_pass_and_those_above_it_vanish() {
        for from in [44_100, 48_000, 16_000, 22_050, 96_000, 192_000] {
            for (hertz, expected) in [(300.0, 0.0), (1_000.0, 0.0), (3_000.0, 0.0), (3_400.0, 0.0)]
            {
                let out = resample(&tone(from, hertz, 2.0), 8_000).expect("rates");
                let level = level_db(&out);
                assert!(
                    (level - expected).abs() < 0.1,
                    "{from} Hz: {hertz} Hz at {level:.2} dB"
                );
            }
            let alias = level_db(&resample(&tone(from, 5_000.0, 2.0), 8_000).expect("rates"));
            println!("alias of 5 kHz from {from} Hz: {alias:.1} dB");
            assert!(alias <= -90.0, "{from} Hz: alias at {alias:.1} dB");
        }
        let alias = level_db(&resample(&tone(44_100, 9_500.0, 2.0), 16_000).expect("rates"));
        assert!(alias <= -90.0, "alias at {alias:.1} dB");
    }

    #[test]
    fn by_way_of_16_khz_the_alias_at_8_khz_is_as_low() {
        for from in [44_100, 48_000] {
            let wide = resample(&tone(from, 5_000.0, 2.0), 16_000).expect("rates");
            let alias = level_db(&resample(&wide, 8_000).expect("rates"));
            assert!(alias <= -90.0, "{from} Hz: alias at {alias:.1} dB");
        }
    }

    #[test]
    fn the_length_is_that_of_the_input_and_a_click_stays_where_it_was() {
        for from in [
            4_000, 8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000, 191_999,
        ] {
            for to in [8_000, 16_000] {
                for count in [1, 7, 1_023, from as usize] {
                    let mut samples = vec![0.0; count];
                    samples[count / 2] = 1.0;
                    let out = resample(
                        &Mono {
                            rate: from,
                            samples,
                        },
                        to,
                    )
                    .expect("rates")
                    .samples;
                    let expected = (count as u64 * u64::from(to)).div_ceil(u64::from(from));
                    assert_eq!(out.len() as u64, expected, "{count} from {from} to {to}");
                    let (at, _) = out
                        .iter()
                        .enumerate()
                        .max_by(|a, b| a.1.total_cmp(b.1))
                        .expect("one");
                    let click = (count / 2) as f64 / f64::from(from);
                    let off = (at as f64 / f64::from(to) - click).abs() * f64::from(to.min(from));
                    assert!(
                        off <= 1.0,
                        "{count} from {from} to {to}: off by {off} samples"
                    );
                }
            }
        }
    }

    #[test]
    fn portions_of_any_size_give_the_same_samples() {
        let audio = tone(44_100, 440.0, 0.5);
        let whole = resample(&audio, 8_000).expect("rates").samples;
        for portion in [1, 100, 4_096] {
            let mut resampler = Resampler::new(44_100, 8_000).expect("rates");
            let mut out = vec![];
            for chunk in audio.samples.chunks(portion) {
                resampler.push(chunk, &mut out).expect("a valid state");
            }
            resampler.finish(&mut out).expect("a valid state");
            assert_eq!(out, whole, "portions of {portion}");
        }
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        for (from, to) in [(0, 8_000), (8_000, 0), (0, 0)] {
            assert!(matches!(
                Resampler::new(from, to),
                Err(ResampleError::Rates { .. })
            ));
        }
    }
}

//! Every prompt at one loudness (ITU-R BS.1770).
//!
//! A menu mixes recordings of many hands: without this, the welcome shouts and the options whisper.
//! Loudness is measured as the recommendation has it: the ear's weighting (two filters), the power of
//! blocks of 400 ms every 100 ms, and two gates that leave pauses out. Then one gain moves the whole
//! prompt to [`TARGET`]; peaks limit that gain, so that nothing is clipped or compressed.

/// Where prompts are put, in LUFS.
///
/// Telephone speech sits at about −26 dBov active level (ITU-T P.56), and levels much above it drive
/// the codecs and the echo cancellers of carriers into clipping. −19 LUFS mono is the same loudness as
/// −16 LUFS stereo, the usual level of spoken audio on phones; with [`PEAK_MAX`] it leaves speech its
/// crests, and it is heard as clear beside a live agent, not louder than one.
pub const TARGET: f64 = -19.0;

/// The largest sample after normalising, in dBFS: G.711 clips at full scale and resampling to 8 kHz
/// can raise a peak by one or two dB.
pub const PEAK_MAX: f64 = -3.0;

/// The largest gain in dB: a prompt recorded more quietly than 30 dB below the target is mostly
/// noise, and lifting it all the way would play that noise.
pub const LIFT_MAX: f64 = 30.0;

/// The absolute gate of BS.1770-4, in LUFS: blocks below it are silence.
const GATE_ABSOLUTE: f64 = -70.0;

/// The relative gate of BS.1770-4: blocks this much (in LU) below the average are pauses.
const GATE_RELATIVE: f64 = -10.0;

/// What BS.1770-4 adds so that a 997 Hz sine at 0 dBFS in one channel reads −3.01 LUFS.
const OFFSET: f64 = -0.691;

/// Steps in a second: blocks start every 100 ms.
const STEPS_PER_SECOND: u32 = 10;

/// Steps a block: 400 ms, so blocks overlap by 75 %.
const STEPS_PER_BLOCK: usize = 4;

/// Integrated loudness of one channel in LUFS, or `None` when all of it is below the absolute gate
/// (silence) or there is none.
///
/// Shorter audio than one block is measured as one block of its own length: a prompt may be
/// a single word.
#[must_use]
pub fn integrated(samples: &[f32], rate: u32) -> Option<f64> {
    let steps = step_powers(samples, rate);
    let blocks: Vec<f64> = if steps.len() < STEPS_PER_BLOCK {
        (!steps.is_empty())
            .then(|| mean(&steps))
            .into_iter()
            .collect()
    } else {
        steps.windows(STEPS_PER_BLOCK).map(mean).collect()
    };
    let audible = above(&blocks, GATE_ABSOLUTE);
    if audible.is_empty() {
        return None;
    }
    let spoken = above(&audible, loudness(mean(&audible)) + GATE_RELATIVE);
    Some(loudness(mean(&spoken)))
}

/// The gain in dB that brings audio of this loudness and this peak to [`TARGET`], as far as
/// [`PEAK_MAX`] and [`LIFT_MAX`] allow. `peak` is the largest magnitude, full scale 1.
#[must_use]
pub fn gain(loudness: f64, peak: f32) -> f64 {
    let wanted = (TARGET - loudness).min(LIFT_MAX);
    let headroom = PEAK_MAX - 20.0 * f64::from(peak.max(f32::MIN_POSITIVE)).log10();
    wanted.min(headroom)
}

/// Brings `samples` to [`TARGET`] with one gain for all of them, and returns that gain in dB.
/// Silence stays as it is.
pub fn normalise(samples: &mut [f32], rate: u32) -> f64 {
    let Some(loudness) = integrated(samples, rate) else {
        return 0.0;
    };
    let peak = samples
        .iter()
        .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let gain = gain(loudness, peak);
    #[allow(clippy::cast_possible_truncation, reason = "a gain needs no 64 bits")]
    let factor = 10f64.powf(gain / 20.0) as f32;
    for sample in samples {
        *sample *= factor;
    }
    gain
}

/// The mean square after weighting of each 100 ms; a rest shorter than that counts by its own length
/// only when nothing longer is there.
fn step_powers(samples: &[f32], rate: u32) -> Vec<f64> {
    let step = (rate / STEPS_PER_SECOND).max(1) as usize;
    let mut weighting = Weighting::new(rate);
    let mut power = |chunk: &[f32]| {
        let sum: f64 = chunk
            .iter()
            .map(|&s| weighting.filter(f64::from(s)).powi(2))
            .sum();
        sum / chunk.len() as f64
    };
    let whole = samples.chunks_exact(step);
    let rest = whole.remainder();
    let mut powers: Vec<f64> = whole.map(&mut power).collect();
    if powers.is_empty() && !rest.is_empty() {
        powers.push(power(rest));
    }
    powers
}

fn mean(powers: &[f64]) -> f64 {
    powers.iter().sum::<f64>() / powers.len() as f64
}

fn above(powers: &[f64], gate: f64) -> Vec<f64> {
    powers
        .iter()
        .copied()
        .filter(|power| loudness(*power) > gate)
        .collect()
}

fn loudness(power: f64) -> f64 {
    OFFSET + 10.0 * power.log10()
}

/// The K-weighting of BS.1770: a shelf for the head, then a high-pass. The recommendation gives
/// coefficients for 48 kHz only; these are the analogue prototypes behind them, so that any rate
/// measures the same.
struct Weighting {
    shelf: Biquad,
    high_pass: Biquad,
}

impl Weighting {
    fn new(rate: u32) -> Self {
        let rate = f64::from(rate.max(1));
        Self {
            shelf: Biquad::head_shelf(rate),
            high_pass: Biquad::high_pass(rate),
        }
    }

    fn filter(&mut self, sample: f64) -> f64 {
        self.high_pass.filter(self.shelf.filter(sample))
    }
}

/// A second-order section in transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// +4 dB above about 1.7 kHz: what a head does to sound from the front.
    fn head_shelf(rate: f64) -> Self {
        const HERTZ: f64 = 1_681.974_450_955_533;
        const QUALITY: f64 = 0.707_175_236_955_419_6;
        const GAIN_DB: f64 = 3.999_843_853_973_347;
        const GAIN_EXPONENT: f64 = 0.499_666_774_154_541_6;
        let k = prewarp(HERTZ, rate);
        let high = 10f64.powf(GAIN_DB / 20.0);
        let middle = high.powf(GAIN_EXPONENT);
        let a0 = 1.0 + k / QUALITY + k * k;
        Self {
            b: [
                (high + middle * k / QUALITY + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - middle * k / QUALITY + k * k) / a0,
            ],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / QUALITY + k * k) / a0],
            state: [0.0; 2],
        }
    }

    /// The low end that the ear hardly counts, below about 40 Hz.
    fn high_pass(rate: f64) -> Self {
        const HERTZ: f64 = 38.135_470_876_024_44;
        const QUALITY: f64 = 0.500_327_037_323_877_3;
        let k = prewarp(HERTZ, rate);
        let a0 = 1.0 + k / QUALITY + k * k;
        Self {
            b: [1.0, -2.0, 1.0],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / QUALITY + k * k) / a0],
            state: [0.0; 2],
        }
    }

    fn filter(&mut self, sample: f64) -> f64 {
        let out = self.b[0] * sample + self.state[0];
        self.state[0] = self.b[1] * sample - self.a[0] * out + self.state[1];
        self.state[1] = self.b[2] * sample - self.a[1] * out;
        out
    }
}

fn prewarp(hertz: f64, rate: f64) -> f64 {
    // Below a rate of 4 kHz the shelf would pass half the rate; such audio is refused long before.
    (std::f64::consts::PI * (hertz / rate).min(0.49)).tan()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, hertz: f64, peak_dbfs: f64, seconds: u32) -> Vec<f32> {
        let peak = 10f64.powf(peak_dbfs / 20.0);
        (0..rate * seconds)
            .map(|n| {
                let phase = f64::from(n) / f64::from(rate) * hertz * std::f64::consts::TAU;
                #[allow(clippy::cast_possible_truncation, reason = "precision is enough")]
                let sample = (peak * phase.sin()) as f32;
                sample
            })
            .collect()
    }

    #[test]
    fn a_997_hz_sine_at_full_scale_in_one_channel_reads_minus_3_01() {
        for (rate, tolerance) in [(48_000, 0.01), (44_100, 0.02), (16_000, 0.1), (8_000, 0.25)] {
            let loudness = integrated(&sine(rate, 997.0, 0.0, 3), rate).expect("audible");
            println!("{rate} Hz: {loudness:.3} LUFS");
            assert!(
                (loudness + 3.01).abs() < tolerance,
                "{rate} Hz: {loudness:.3}"
            );
        }
    }

    #[test]
    fn the_filters_at_48_khz_have_the_coefficients_of_the_recommendation() {
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-10);
        let shelf = Biquad::head_shelf(48_000.0);
        assert!(close(
            &shelf.b,
            &[
                1.535_124_859_586_97,
                -2.691_696_189_406_38,
                1.198_392_810_852_85
            ]
        ));
        assert!(close(
            &shelf.a,
            &[-1.690_659_293_182_41, 0.732_480_774_215_85]
        ));
        let high_pass = Biquad::high_pass(48_000.0);
        assert!(close(
            &high_pass.a,
            &[-1.990_047_454_833_98, 0.990_072_250_366_21]
        ));
    }

    #[test]
    fn pauses_do_not_count() {
        let speech = sine(16_000, 997.0, -20.0, 4);
        let mut with_pauses = speech.clone();
        with_pauses.extend(sine(16_000, 997.0, -60.0, 4));
        with_pauses.extend(vec![0.0; 64_000]);
        let (plain, paused) = (
            integrated(&speech, 16_000),
            integrated(&with_pauses, 16_000),
        );
        let (plain, paused) = (plain.expect("audible"), paused.expect("audible"));
        assert!(
            (plain - paused).abs() < 0.25,
            "{plain:.2} against {paused:.2}"
        );
    }

    #[test]
    fn quiet_and_loud_end_at_the_target() {
        for dbfs in [-45.0, -30.0, -20.0, -5.0, 0.0] {
            let mut samples = sine(16_000, 997.0, dbfs, 2);
            normalise(&mut samples, 16_000);
            let loudness = integrated(&samples, 16_000).expect("audible");
            assert!(
                (loudness - TARGET).abs() < 0.1,
                "{dbfs} dBFS became {loudness:.2} LUFS"
            );
        }
    }

    #[test]
    fn a_whisper_is_lifted_only_so_far_and_silence_not_at_all() {
        assert!((normalise(&mut sine(16_000, 997.0, -65.0, 2), 16_000) - LIFT_MAX).abs() < 1e-9);
        let mut silence = vec![0.0; 16_000];
        assert!(normalise(&mut silence, 16_000).abs() < 1e-9);
        assert_eq!(silence, vec![0.0; 16_000]);
        assert_eq!(integrated(&[], 16_000), None);
    }

    #[test]
    fn peaks_hold_the_gain_back() {
        let mut samples = sine(16_000, 997.0, -40.0, 2);
        samples[8_000] = 0.5;
        normalise(&mut samples, 16_000);
        let peak = samples
            .iter()
            .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(
            (20.0 * f64::from(peak).log10() - PEAK_MAX).abs() < 0.01,
            "{peak}"
        );
    }

    #[test]
    fn one_short_word_is_measured_too() {
        let word = sine(16_000, 997.0, -20.0, 1);
        for length in [1_000, 3_000, 6_000] {
            let loudness = integrated(&word[..length], 16_000).expect("audible");
            assert!(
                (loudness + 23.0).abs() < 1.0,
                "{length} samples: {loudness:.2}"
            );
        }
    }
}

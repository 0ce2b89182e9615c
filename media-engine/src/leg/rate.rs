//! Between the two sample rates of calls, 8 and 16 kHz, without allocation: one half-band filter used
//! both ways.

use std::f32::consts::PI;

/// Changes a stream from 16 to 8 kHz.
#[derive(Debug)]
pub(super) struct Halver {
    filter: HalfBand,
}

/// Changes a stream from 8 to 16 kHz.
#[derive(Debug)]
pub(super) struct Doubler {
    filter: HalfBand,
}

/// A low-pass at a quarter of the rate. Every second tap but the middle one is zero, so only the odd
/// ones are kept.
#[derive(Debug)]
struct HalfBand {
    odd_taps: [f32; SIDE],
    /// The last samples before the present frame.
    before: [f32; BEFORE],
}

impl Halver {
    pub(super) fn new() -> Self {
        Self {
            filter: HalfBand::new(),
        }
    }

    /// Fills `narrow` from `wide`, which has twice its length and at most [`FRAME_MAX`] samples.
    pub(super) fn halve(&mut self, wide: &[i16], narrow: &mut [i16]) {
        let line = self.filter.line(wide);
        for (place, sample) in narrow.iter_mut().enumerate() {
            let middle = BEFORE / 2 + 2 * place;
            *sample = to_i16(0.5 * line[middle] + self.filter.sides(&line, middle, 2));
        }
        self.filter.keep(&line, wide.len());
    }
}

impl Doubler {
    pub(super) fn new() -> Self {
        Self {
            filter: HalfBand::new(),
        }
    }

    /// Fills `wide` from `narrow`, which has half its length and at most [`FRAME_MAX`] samples.
    pub(super) fn double(&mut self, narrow: &[i16], wide: &mut [i16]) {
        let line = self.filter.line(narrow);
        for (place, pair) in wide.chunks_exact_mut(2).enumerate() {
            // The sample itself, then the one between it and the next: the two phases of the filter.
            let middle = BEFORE / 2 + place;
            pair[0] = to_i16(line[middle]);
            pair[1] = to_i16(2.0 * self.filter.between(&line, middle));
        }
        self.filter.keep(&line, narrow.len());
    }
}

type Line = [f32; BEFORE + FRAME_MAX];

impl HalfBand {
    /// A windowed sinc (Blackman), scaled so that a constant passes unchanged.
    fn new() -> Self {
        let mut odd_taps = [0.0; SIDE];
        for (tap, distance) in odd_taps.iter_mut().zip((1_u16..).step_by(2)) {
            let distance = f32::from(distance);
            let reach = distance / REACH;
            let window = 0.42 + 0.5 * (PI * reach).cos() + 0.08 * (2.0 * PI * reach).cos();
            *tap = (PI * distance / 2.0).sin() / (PI * distance) * window;
        }
        let sum: f32 = odd_taps.iter().sum();
        odd_taps.iter_mut().for_each(|tap| *tap *= 0.25 / sum);
        Self {
            odd_taps,
            before: [0.0; BEFORE],
        }
    }

    fn line(&self, frame: &[i16]) -> Line {
        let mut line = [0.0; BEFORE + FRAME_MAX];
        line[..BEFORE].copy_from_slice(&self.before);
        for (place, sample) in line[BEFORE..].iter_mut().zip(frame) {
            *place = f32::from(*sample);
        }
        line
    }

    fn keep(&mut self, line: &Line, length: usize) {
        self.before.copy_from_slice(&line[length..length + BEFORE]);
    }

    /// The weighted samples at odd distances on both sides of `middle`.
    fn sides(&self, line: &Line, middle: usize, step: usize) -> f32 {
        self.odd_taps
            .iter()
            .zip((1..).step_by(step))
            .map(|(tap, distance)| tap * (line[middle - distance] + line[middle + distance]))
            .sum()
    }

    /// The sample half way between `middle` and the next.
    fn between(&self, line: &Line, middle: usize) -> f32 {
        self.odd_taps
            .iter()
            .zip(0..)
            .map(|(tap, distance)| tap * (line[middle - distance] + line[middle + 1 + distance]))
            .sum()
    }
}

#[allow(clippy::cast_possible_truncation)] // clamped
fn to_i16(sample: f32) -> i16 {
    sample
        .round()
        .clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

/// The longest frame: 20 ms at 16 kHz.
pub(super) const FRAME_MAX: usize = crate::codec::FRAME_SAMPLES_MAX;

/// Taps kept on each side: 3.4 kHz passes, 4.6 kHz and what is above is 54 dB down.
const SIDE: usize = 16;

/// Where the window ends: twice [`SIDE`] samples from the middle.
const REACH: f32 = 32.0;

/// Samples before a frame that its filtering needs, and by half of which it comes later (2 ms at 16 kHz).
const BEFORE: usize = 4 * SIDE;

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // synthesis
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(rate: f32, frequency: f32) -> Vec<i16> {
        (0..rate as usize)
            .map(|n| (10_000.0 * (TAU * frequency * n as f32 / rate).sin()) as i16)
            .collect()
    }

    fn level_db(pcm: &[i16]) -> f32 {
        let settled = &pcm[pcm.len() / 4..];
        let energy: f32 = settled
            .iter()
            .map(|sample| f32::from(*sample).powi(2))
            .sum();
        10.0 * (energy / settled.len() as f32 / (10_000.0_f32.powi(2) / 2.0))
            .max(1e-9)
            .log10()
    }

    fn halved(wide: &[i16]) -> Vec<i16> {
        let mut halver = Halver::new();
        let mut narrow = vec![0; wide.len() / 2];
        for (wide, narrow) in wide.chunks(320).zip(narrow.chunks_mut(160)) {
            halver.halve(wide, narrow);
        }
        narrow
    }

    fn doubled(narrow: &[i16]) -> Vec<i16> {
        let mut doubler = Doubler::new();
        let mut wide = vec![0; narrow.len() * 2];
        for (narrow, wide) in narrow.chunks(160).zip(wide.chunks_mut(320)) {
            doubler.double(narrow, wide);
        }
        wide
    }

    #[test]
    fn the_telephone_band_passes_and_its_mirror_does_not() {
        for frequency in [300.0, 1_000.0, 2_000.0, 3_400.0] {
            let level = level_db(&halved(&tone(16_000.0, frequency)));
            assert!(level.abs() < 0.2, "{frequency}: {level}");
            let level = level_db(&doubled(&tone(8_000.0, frequency)));
            assert!(level.abs() < 0.2, "{frequency}: {level}");
        }
        for frequency in [4_600.0, 5_000.0, 7_000.0] {
            let level = level_db(&halved(&tone(16_000.0, frequency)));
            assert!(level < -54.0, "{frequency}: {level}");
        }
    }

    #[test]
    fn there_and_back_is_the_same_sound_a_little_later() {
        let narrow = tone(8_000.0, 700.0);
        let back = halved(&doubled(&narrow));
        let delay = BEFORE / 2 + BEFORE / 4;
        for (then, sample) in narrow.iter().zip(&back[delay..]).skip(400) {
            assert!((then - sample).abs() < 100, "{then} {sample}");
        }
    }
}

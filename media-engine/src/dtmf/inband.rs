//! Keys as tones in the audio (ITU-T Q.23), found within the limits of Q.24.
//!
//! ```text
//!  8 kHz PCM ─▶ blocks of 5 ms ─▶ Goertzel at the eight frequencies ─▶ window of the last four blocks:
//!     level · two tones hold the energy · twist · frequency by the turn of the phase
//!  the same key in WINDOWS_ON windows ─▶ no harmonics? ─▶ the key, once, until WINDOWS_OFF without it
//! ```
//!
//! A window is 20 ms, so a tone of 40 ms fills at least four of them wherever it starts, and one of
//! 23 ms never does.

use std::f32::consts::{PI, TAU};

use super::Key;

/// Listens to one party.
#[derive(Debug)]
pub struct Detector {
    goertzel: Goertzel,
    /// The samples of the last window, for what is asked of a candidate alone.
    window: [f32; WINDOW],
    /// Where the next sample goes; always at a block's start between calls, blocks being whole.
    filled: usize,
    blocks: [Block; BLOCKS],
    state: State,
}

/// What a block of 5 ms holds at each of the eight frequencies.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    real: [f32; TONES],
    imaginary: [f32; TONES],
    energy: f32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Quiet,
    /// `key` has sounded in this many windows.
    Rising {
        key: Key,
        windows: u8,
    },
    /// `key` has been reported; it has been missing in this many windows.
    Down {
        key: Key,
        missing: u8,
    },
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            goertzel: Goertzel::new(),
            window: [0.0; WINDOW],
            filled: 0,
            blocks: [Block::default(); BLOCKS],
            state: State::Quiet,
        }
    }
}

impl Detector {
    /// Takes audio at 8 kHz (a frame; any length goes) and returns the key whose press became certain
    /// in it. Two presses cannot become certain within 40 ms.
    pub fn listen(&mut self, pcm: &[i16]) -> Option<Key> {
        let mut heard = None;
        for sample in pcm {
            self.window[self.filled] = f32::from(*sample);
            self.filled += 1;
            if self.filled.is_multiple_of(BLOCK) {
                heard = heard.or(self.end_block());
                self.filled %= WINDOW;
            }
        }
        heard
    }

    fn end_block(&mut self) -> Option<Key> {
        let newest = self
            .goertzel
            .block(&self.window[self.filled - BLOCK..self.filled]);
        self.blocks.rotate_left(1);
        self.blocks[BLOCKS - 1] = newest;
        let key = self.sounding();
        self.follow(key)
    }

    fn follow(&mut self, sounding: Option<Key>) -> Option<Key> {
        let (state, report) = match (self.state, sounding) {
            (State::Down { key, .. }, Some(same)) if same == key => {
                (State::Down { key, missing: 0 }, None)
            }
            (State::Down { key, missing }, _) if missing + 1 < WINDOWS_OFF => (
                State::Down {
                    key,
                    missing: missing + 1,
                },
                None,
            ),
            (State::Rising { key, windows }, Some(same)) if same == key => {
                if windows + 1 < WINDOWS_ON {
                    (
                        State::Rising {
                            key,
                            windows: windows + 1,
                        },
                        None,
                    )
                } else if self.has_harmonics(key) {
                    (State::Quiet, None)
                } else {
                    (State::Down { key, missing: 0 }, Some(key))
                }
            }
            (State::Quiet | State::Rising { .. } | State::Down { .. }, Some(key)) => {
                (State::Rising { key, windows: 1 }, None)
            }
            (State::Quiet | State::Rising { .. } | State::Down { .. }, None) => {
                (State::Quiet, None)
            }
        };
        self.state = state;
        report
    }

    /// The key whose two tones, and nothing else, fill the last window.
    fn sounding(&self) -> Option<Key> {
        let [a, b, c, d] = self.blocks.map(|block| block.energy);
        let (first, second) = (a + b, c + d);
        let energy = first + second;
        // A tone that fills one half alone is at its beginning or its end.
        if energy < 2.0 * LEVEL_MIN || first.min(second) < BALANCE_MIN * first.max(second) {
            return None;
        }
        let halves = self.halves();
        let (row, low) = loudest(&halves[..4])?;
        let (column, high) = loudest(&halves[4..])?;
        let low = low.energy_if_near(LOW[row])?;
        let high = high.energy_if_near(HIGH[column])?;
        let twist = high / low;
        let fits = low >= LEVEL_MIN
            && high >= LEVEL_MIN
            && low + high >= SHARE_MIN * energy
            && (TWIST_MIN..=TWIST_MAX).contains(&twist);
        fits.then_some(KEYS[row][column])
    }

    /// Each frequency over the two halves of the window.
    fn halves(&self) -> [Halves; TONES] {
        let [a, b, c, d] = &self.blocks;
        std::array::from_fn(|tone| {
            let turn = self.goertzel.turn[tone];
            let [first, second] = [(a, b), (c, d)].map(|(early, late)| {
                let turned = multiply((early.real[tone], early.imaginary[tone]), turn);
                (turned.0 + late.real[tone], turned.1 + late.imaginary[tone])
            });
            let expected = multiply(multiply(first, turn), turn);
            Halves {
                power: power(first) + power(second),
                expected,
                second,
            }
        })
    }

    /// Speech that happens to have two tones has their harmonics too (Q.24: digit simulation).
    fn has_harmonics(&self, key: Key) -> bool {
        let place = KEYS
            .iter()
            .flatten()
            .position(|other| *other == key)
            .unwrap_or(0);
        let (low, high) = (LOW[place / 4], HIGH[place % 4]);
        let limit = HARMONIC_MAX * (self.energy_at(low) + self.energy_at(high));
        // The low tone's harmonic can lie beside the high tone and then tells nothing.
        let low_is_clear = (2.0 * low - high).abs() > HARMONIC_CLEARANCE;
        (low_is_clear && self.energy_at(2.0 * low) > limit) || self.energy_at(2.0 * high) > limit
    }

    /// Energy at one frequency over the window. The order of its blocks does not matter, each is
    /// taken for itself.
    fn energy_at(&self, frequency: f32) -> f32 {
        let half = BLOCK * 2;
        let oldest = self.filled % WINDOW;
        let mut ordered = self.window;
        ordered.rotate_left(oldest);
        let twice_cosine = 2.0 * (TAU * frequency / RATE).cos();
        ordered
            .chunks_exact(half)
            .map(|samples| {
                let (mut last, mut before) = (0.0, 0.0);
                for sample in samples {
                    (last, before) = (sample + twice_cosine * last - before, last);
                }
                last * last + before * before - twice_cosine * last * before
            })
            .sum::<f32>()
            / POWER_PER_ENERGY
    }
}

/// One frequency over a window: what the second half should be if the frequency is exact, and what it is.
#[derive(Clone, Copy)]
struct Halves {
    power: f32,
    expected: (f32, f32),
    second: (f32, f32),
}

impl Halves {
    /// The energy of the tone, if its frequency is near enough to `nominal`: Q.24 has ±1.5 % accepted
    /// and ±3.5 % refused, the line is drawn half way.
    fn energy_if_near(&self, nominal: f32) -> Option<f32> {
        let (x, y) = self.expected;
        let turned = multiply(self.second, (x, -y));
        let cycles = turned.1.atan2(turned.0) / TAU;
        let off = cycles * RATE / HALF_LENGTH;
        if off.abs() > FREQUENCY_TOLERANCE * nominal {
            return None;
        }
        // What a window this short loses of a tone that is off its middle.
        let angle = PI * cycles;
        let loss = if angle.abs() < 1e-3 {
            1.0
        } else {
            (angle.sin() / angle).powi(2)
        };
        Some(self.power / POWER_PER_ENERGY / loss)
    }
}

/// The recursion for all eight frequencies side by side.
#[derive(Debug)]
struct Goertzel {
    twice_cosine: [f32; TONES],
    cosine: [f32; TONES],
    sine: [f32; TONES],
    /// How far each frequency turns in a block.
    turn: [(f32, f32); TONES],
}

impl Goertzel {
    fn new() -> Self {
        let frequencies: [f32; TONES] =
            std::array::from_fn(|tone| if tone < 4 { LOW[tone] } else { HIGH[tone - 4] });
        let angle = frequencies.map(|frequency| TAU * frequency / RATE);
        Self {
            twice_cosine: angle.map(|angle| 2.0 * angle.cos()),
            cosine: angle.map(f32::cos),
            sine: angle.map(f32::sin),
            turn: angle.map(|angle| {
                let (sine, cosine) = (angle * BLOCK_LENGTH).sin_cos();
                (cosine, sine)
            }),
        }
    }

    #[inline]
    fn block(&self, samples: &[f32]) -> Block {
        let mut last = [0.0_f32; TONES];
        let mut before = [0.0_f32; TONES];
        let mut energy = 0.0;
        for sample in samples {
            energy += sample * sample;
            for tone in 0..TONES {
                let next = sample + self.twice_cosine[tone] * last[tone] - before[tone];
                before[tone] = last[tone];
                last[tone] = next;
            }
        }
        Block {
            real: std::array::from_fn(|tone| last[tone] - self.cosine[tone] * before[tone]),
            imaginary: std::array::from_fn(|tone| self.sine[tone] * before[tone]),
            energy,
        }
    }
}

fn loudest(group: &[Halves]) -> Option<(usize, Halves)> {
    group
        .iter()
        .copied()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.power.total_cmp(&b.power))
}

fn multiply(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn power(a: (f32, f32)) -> f32 {
    a.0 * a.0 + a.1 * a.1
}

/// ITU-T Q.23.
const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[Key; 4]; 4] = [
    [Key::One, Key::Two, Key::Three, Key::A],
    [Key::Four, Key::Five, Key::Six, Key::B],
    [Key::Seven, Key::Eight, Key::Nine, Key::C],
    [Key::Star, Key::Zero, Key::Pound, Key::D],
];
const TONES: usize = 8;

const RATE: f32 = 8_000.0;

/// Samples in a block: 5 ms.
const BLOCK: usize = 40;
const BLOCK_LENGTH: f32 = 40.0;
const HALF_LENGTH: f32 = 80.0;

/// Blocks in a window: 20 ms.
const BLOCKS: usize = 4;
const WINDOW: usize = BLOCK * BLOCKS;

/// A tone's power at its own frequency, of two halves, for each unit of its energy in the window.
const POWER_PER_ENERGY: f32 = 40.0;

/// Energy of a tone in a window at −40 dBFS, which is −37 dBm0: Q.24 leaves the least to the
/// administration, all are above.
const LEVEL_MIN: f32 = 80.0 * 330.0 * 330.0;

/// Share of the energy that both tones must hold: it refuses speech, and windows that a tone does not
/// fill.
const SHARE_MIN: f32 = 0.8;

/// Energy of one half of a window to that of the other: a steady tone has the same in both, and one
/// that fills three quarters of the window half of it.
const BALANCE_MIN: f32 = 0.5;

/// High tone to low tone: +4 dB and −8 dB are accepted (Q.24, table A.1), with 1.2 dB for the noise
/// of measuring.
const TWIST_MAX: f32 = 3.3;
const TWIST_MIN: f32 = 0.12;

/// Half way between 1.5 and 3.5 per cent.
const FREQUENCY_TOLERANCE: f32 = 0.025;

/// Energy of a second harmonic to both tones together: −14 dB.
const HARMONIC_MAX: f32 = 0.04;

/// Hertz from a harmonic to the other tone within which it drowns.
const HARMONIC_CLEARANCE: f32 = 160.0;

/// Windows, 5 ms apart, that make a press.
const WINDOWS_ON: u8 = 4;

/// Windows without the key that end it: a break of 10 ms spoils at most five.
const WINDOWS_OFF: u8 = 6;

#[cfg(test)]
mod tests;

//! The music that waits with people: composed here, made of sines, ours.
//!
//! Sixteen bars of four beats in C major. A warm pad holds the chord, an electric piano breaks it
//! up in eighths, a bass marks the harmony, and a soft melody comes and goes. Whatever rings on
//! past the end rings on at the beginning: the loop has no seam. The notes keep to what a telephone
//! carries (300 to 3,400 Hz): the bass is heard by its overtones.

use std::f64::consts::TAU;

/// Samples per second of the music.
pub(crate) const RATE: u32 = 16_000;

/// The whole loop, once.
pub(crate) fn compose() -> Vec<i16> {
    let mut score = Loop::new();
    for (bar, chord) in CHORDS.iter().enumerate() {
        let start = bar as f64 * BAR_SECONDS;
        pad(&mut score, start, chord);
        bass(&mut score, start, chord);
        arpeggio(&mut score, start, chord, bar);
    }
    for &(beat, beats, note) in MELODY {
        flute(&mut score, beat * BEAT_SECONDS, beats * BEAT_SECONDS, note);
    }
    score.echo();
    score.finish()
}

/// A buffer whose end is its beginning.
struct Loop {
    samples: Vec<f64>,
}

impl Loop {
    fn new() -> Self {
        let bars = CHORDS.len() as f64;
        Self {
            samples: vec![0.0; samples_in(bars * BAR_SECONDS)],
        }
    }

    /// Adds a sound of `seconds` from `start` on; `sound` tells the sample at a time.
    fn add(&mut self, start: f64, seconds: f64, sound: impl Fn(f64) -> f64) {
        let first = samples_in(start.max(0.0));
        let length = self.samples.len();
        for index in 0..samples_in(seconds) {
            if let Some(sample) = self.samples.get_mut((first + index) % length) {
                *sample += sound(index as f64 / f64::from(RATE));
            }
        }
    }

    /// A room of four echoes, each quieter and darker.
    fn echo(&mut self) {
        let dry = self.samples.clone();
        let length = dry.len();
        for (delay, level) in [(0.113, 0.20), (0.241, 0.15), (0.377, 0.11), (0.563, 0.08)] {
            let delay = samples_in(delay);
            let mut dark = 0.0;
            // The first round only brings the filter to where the loop's end leaves it.
            for index in 0..2 * length {
                let source = dry
                    .get((index + length - delay) % length)
                    .copied()
                    .unwrap_or_default();
                dark += 0.35 * (source - dark);
                if index >= length
                    && let Some(sample) = self.samples.get_mut(index - length)
                {
                    *sample += level * dark;
                }
            }
        }
    }

    /// Brings the loop to [`LEVEL`].
    #[allow(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    fn finish(self) -> Vec<i16> {
        let power: f64 = self.samples.iter().map(|sample| sample * sample).sum();
        let level = (power / self.samples.len() as f64).sqrt();
        let gain = 32_768.0 * LEVEL / level;
        self.samples
            .iter()
            .map(|sample| (sample * gain).round() as i16)
            .collect()
    }
}

/// Slow, soft, and over the bar line: two slightly different tunings of each note make it warm.
fn pad(score: &mut Loop, start: f64, chord: &Chord) {
    let seconds = BAR_SECONDS + 1.6;
    for &note in &chord.pad {
        let hertz = hertz(note);
        score.add(start, seconds, |time| {
            let envelope = ease(time / 1.2) * ease((seconds - time) / 1.6);
            let voice = |detune: f64| {
                let phase = TAU * hertz * detune * time;
                phase.sin() + 0.28 * (2.0 * phase).sin() + 0.09 * (3.0 * phase).sin()
            };
            0.055 * envelope * (voice(0.9988) + voice(1.0013))
        });
    }
}

/// Long notes on the first and the third beat; the overtones carry them through a telephone.
fn bass(score: &mut Loop, start: f64, chord: &Chord) {
    for (beat, beats, note) in [(0.0, 2.4, chord.bass), (2.5, 1.5, chord.bass + 7)] {
        let hertz = hertz(note);
        let seconds = beats * BEAT_SECONDS;
        score.add(start + beat * BEAT_SECONDS, seconds, |time| {
            let envelope = ease(time / 0.03) * ease((seconds - time) / 0.25) * (-time / 1.4).exp();
            let phase = TAU * hertz * time;
            let tone = phase.sin() + 0.5 * (2.0 * phase).sin() + 0.22 * (3.0 * phase).sin();
            0.17 * envelope * tone
        });
    }
}

/// An electric piano in eighths; every other bar runs the other way.
fn arpeggio(score: &mut Loop, start: f64, chord: &Chord, bar: usize) {
    for (eighth, &step) in PATTERNS[bar % PATTERNS.len()].iter().enumerate() {
        let Some(&note) = step.and_then(|step| chord.arpeggio.get(step)) else {
            continue;
        };
        let hertz = hertz(note);
        let accent = if eighth % 4 == 0 { 1.0 } else { 0.78 };
        score.add(start + eighth as f64 * BEAT_SECONDS / 2.0, 2.4, |time| {
            let envelope = ease(time / 0.006) * (-time / 0.75).exp() * ease((2.4 - time) / 0.3);
            let phase = TAU * hertz * time;
            // The overtones die first, as those of a struck bar do.
            let bright = 0.9 * (-time / 0.16).exp() * (2.0 * phase).sin();
            0.12 * accent * envelope * (phase + bright).sin()
        });
    }
}

/// A round tone with a vibrato that grows.
fn flute(score: &mut Loop, start: f64, seconds: f64, note: i32) {
    let hertz = hertz(note);
    let seconds = seconds + 0.25;
    score.add(start, seconds, |time| {
        let envelope = ease(time / 0.09) * ease((seconds - time) / 0.3);
        let vibrato = 0.0009 * ease((time - 0.3) / 0.6) * (TAU * 4.8 * time).sin() / 4.8;
        let phase = TAU * hertz * (time + vibrato);
        0.105 * envelope * (phase.sin() + 0.16 * (2.0 * phase).sin() + 0.05 * (3.0 * phase).sin())
    });
}

/// From 0 to 1 and no corner.
fn ease(position: f64) -> f64 {
    let position = position.clamp(0.0, 1.0);
    position * position * (3.0 - 2.0 * position)
}

/// The frequency of a MIDI note: 69 is the A of 440 Hz.
fn hertz(note: i32) -> f64 {
    440.0 * 2f64.powf(f64::from(note - 69) / 12.0)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times of one loop: small and not negative"
)]
fn samples_in(seconds: f64) -> usize {
    (seconds * f64::from(RATE)).round() as usize
}

struct Chord {
    bass: i32,
    pad: [i32; 4],
    arpeggio: [i32; 5],
}

const fn chord(bass: i32, pad: [i32; 4], arpeggio: [i32; 5]) -> Chord {
    Chord {
        bass,
        pad,
        arpeggio,
    }
}

/// C, a minor, F, G and their relatives, with sevenths and ninths.
const CHORDS: [Chord; 16] = [
    chord(48, [60, 64, 67, 71], [67, 71, 72, 76, 79]), // C major 7
    chord(45, [57, 64, 67, 72], [64, 67, 72, 76, 79]), // A minor 7
    chord(41, [57, 60, 64, 65], [65, 69, 72, 76, 77]), // F major 7
    chord(43, [59, 62, 65, 69], [65, 67, 71, 74, 77]), // G 9
    chord(48, [60, 64, 67, 71], [67, 71, 72, 76, 79]), // C major 7
    chord(52, [59, 62, 64, 67], [64, 67, 71, 74, 76]), // E minor 7
    chord(41, [57, 60, 64, 67], [65, 69, 72, 76, 79]), // F major 9
    chord(43, [60, 62, 65, 67], [67, 69, 72, 74, 79]), // G suspended
    chord(45, [57, 60, 64, 67], [64, 69, 72, 76, 79]), // A minor 7
    chord(50, [57, 60, 62, 65], [65, 69, 72, 74, 77]), // D minor 7
    chord(43, [59, 62, 65, 67], [65, 67, 71, 74, 79]), // G 7
    chord(48, [60, 64, 67, 71], [67, 71, 72, 76, 79]), // C major 7
    chord(41, [57, 60, 64, 65], [65, 69, 72, 76, 77]), // F major 7
    chord(52, [59, 62, 64, 67], [64, 67, 71, 74, 76]), // E minor 7
    chord(50, [57, 60, 64, 65], [65, 69, 72, 74, 76]), // D minor 9
    chord(43, [60, 62, 65, 69], [67, 69, 72, 74, 77]), // G suspended, home again
];

/// Which note of the chord each eighth of a bar plays.
const PATTERNS: [[Option<usize>; 8]; 4] = [
    [
        Some(0),
        Some(2),
        Some(3),
        Some(4),
        Some(3),
        Some(2),
        Some(1),
        Some(2),
    ],
    [
        Some(0),
        Some(1),
        Some(2),
        Some(3),
        Some(4),
        None,
        Some(2),
        Some(1),
    ],
    [
        Some(4),
        Some(3),
        Some(2),
        Some(0),
        Some(2),
        Some(3),
        Some(1),
        None,
    ],
    [
        Some(0),
        Some(2),
        Some(4),
        Some(3),
        Some(2),
        Some(1),
        None,
        Some(2),
    ],
];

/// Beat from the beginning, length in beats, note.
const MELODY: &[(f64, f64, i32)] = &[
    (4.0, 1.5, 76),
    (5.5, 0.5, 74),
    (6.0, 2.0, 72),
    (8.0, 1.0, 69),
    (9.0, 1.0, 72),
    (10.0, 2.0, 76),
    (12.0, 3.0, 74),
    (20.0, 1.5, 79),
    (21.5, 0.5, 76),
    (22.0, 2.0, 74),
    (24.0, 1.0, 72),
    (25.0, 1.0, 76),
    (26.0, 2.0, 79),
    (28.0, 2.0, 74),
    (30.0, 1.5, 72),
    (40.0, 2.0, 71),
    (42.0, 1.0, 74),
    (43.0, 1.0, 77),
    (44.0, 3.0, 76),
    (48.0, 1.5, 72),
    (49.5, 0.5, 74),
    (50.0, 2.0, 76),
    (52.0, 1.0, 79),
    (53.0, 2.0, 76),
    (56.0, 1.5, 77),
    (57.5, 0.5, 76),
    (58.0, 2.0, 74),
    (60.0, 3.0, 72),
];

/// About fifty-six beats a minute, a slow walk: the loop is 68.64 s, whole frames of 20 ms.
const BEAT_SECONDS: f64 = 1.0725;
const BAR_SECONDS: f64 = 4.0 * BEAT_SECONDS;

/// The level of the whole: about −23 LUFS, below speech, so that announcements stand out.
const LEVEL: f64 = 0.072;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_has_whole_frames_no_seam_and_no_clipping() {
        let music = compose();
        assert_eq!(music.len() % 320, 0, "whole frames of 20 ms");
        assert!((60 * 16_000..90 * 16_000).contains(&music.len()));
        let peak = music.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(
            peak.is_some_and(|peak| (4_000..20_000).contains(&peak)),
            "{peak:?}"
        );
        // A click would be a step larger than any within the music.
        let step = |pair: [i16; 2]| (i32::from(pair[0]) - i32::from(pair[1])).abs();
        let largest = music.windows(2).map(|pair| step([pair[0], pair[1]])).max();
        let seam = step([music[music.len() - 1], music[0]]);
        assert!(Some(seam) <= largest, "{seam} {largest:?}");
    }

    #[test]
    fn no_part_of_it_is_silent() {
        for second in compose().chunks(16_000) {
            let power: f64 = second.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            assert!((power / second.len() as f64).sqrt() > 300.0);
        }
    }
}

//! The silence around what is spoken.
//!
//! Engines begin and end with pauses of their own taste, from nothing to half a second. Clips are
//! played one after the other, so the pauses are ours to set: none within a number, a breath after
//! a sentence.

use std::time::Duration;

use media_engine::audio::Mono;

/// Cuts the silence at both ends, then ends with the pause that the text asks for.
pub fn tidy(mut audio: Mono, text: &str) -> Mono {
    trim(&mut audio);
    rest(&mut audio, pause_after(text));
    audio
}

/// Cuts what is silent at both ends; what is left fades in and out within a few milliseconds.
/// Sound that is silent altogether becomes empty.
pub(super) fn trim(audio: &mut Mono) {
    let window = samples_in(audio.rate, WINDOW).max(1);
    let powers: Vec<f32> = audio.samples.chunks(window).map(power).collect();
    let loudest = powers.iter().fold(0.0f32, |most, power| most.max(*power));
    let spoken = |power: &f32| *power > loudest * SILENT && *power > 0.0;
    let (Some(first), Some(last)) = (
        powers.iter().position(spoken),
        powers.iter().rposition(spoken),
    ) else {
        audio.samples.clear();
        return;
    };
    let start = (first * window).saturating_sub(samples_in(audio.rate, BEFORE));
    let end = ((last + 1) * window + samples_in(audio.rate, AFTER)).min(audio.samples.len());
    audio.samples.truncate(end);
    audio.samples.drain(..start);
    fade(audio);
}

/// Adds silence.
pub(super) fn rest(audio: &mut Mono, pause: Duration) {
    let length = audio.samples.len() + samples_in(audio.rate, pause);
    audio.samples.resize(length, 0.0);
}

/// How long one pauses after this text: a sentence ends, a word goes on.
pub(super) fn pause_after(text: &str) -> Duration {
    match text.trim_end().chars().next_back() {
        Some('.' | '!' | '?' | '…') => SENTENCE,
        Some(',' | ';' | ':') => CLAUSE,
        Some(_) | None => Duration::ZERO,
    }
}

fn fade(audio: &mut Mono) {
    let length = samples_in(audio.rate, WINDOW).min(audio.samples.len() / 2);
    let step = 1.0 / length.max(1) as f32;
    for index in 0..length {
        let gain = index as f32 * step;
        let mirror = audio.samples.len() - 1 - index;
        for place in [index, mirror] {
            if let Some(sample) = audio.samples.get_mut(place) {
                *sample *= gain;
            }
        }
    }
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a pause of a second at most"
)]
fn samples_in(rate: u32, duration: Duration) -> usize {
    (f64::from(rate) * duration.as_secs_f64()) as usize
}

/// What counts as silent, as power beside the loudest part: −45 dB. A final "s" is at −30 dB.
const SILENT: f32 = 3.2e-5;

const WINDOW: Duration = Duration::from_millis(5);

/// Kept before the first sound: a plosive begins before it is loud.
const BEFORE: Duration = Duration::from_millis(10);

/// Kept after the last sound, for it to die away.
const AFTER: Duration = Duration::from_millis(25);

const SENTENCE: Duration = Duration::from_millis(280);
const CLAUSE: Duration = Duration::from_millis(140);

#[cfg(test)]
mod tests {
    use super::*;

    /// `quiet` samples, a loud tone of 100 ms, `quiet` samples, at 1 kHz.
    fn spoken(quiet: usize) -> Mono {
        let tone = (0..100).map(|index| if index % 2 == 0 { 0.5 } else { -0.5 });
        let silence = vec![0.0005; quiet];
        let samples = silence.iter().copied().chain(tone).chain(silence.clone());
        Mono {
            rate: 1_000,
            samples: samples.collect(),
        }
    }

    #[test]
    fn the_pause_is_the_texts_whatever_the_engine_left_around_it() {
        for quiet in [0, 50, 800] {
            let edges = if quiet == 0 { 0 } else { 10 + 25 };
            for (text, pause) in [("sete", 0), ("Olá!", 280), ("se sim,", 140), ("", 0)] {
                let length = tidy(spoken(quiet), text).samples.len();
                assert_eq!(length, 100 + edges + pause, "{quiet} {text}");
            }
        }
    }

    #[test]
    fn silence_becomes_nothing() {
        for samples in [vec![], vec![0.0; 1_000]] {
            let mut audio = Mono {
                rate: 16_000,
                samples,
            };
            trim(&mut audio);
            assert!(audio.samples.is_empty());
        }
    }
}

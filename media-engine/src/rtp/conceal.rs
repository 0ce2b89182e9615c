//! Packet loss concealment for codecs that have none of their own (G.711, G.722), in the spirit of
//! ITU-T G.711 Appendix I: the last pitch periods go on, quieter and quieter; and changing the length
//! of speech by whole pitch periods, which the jitter buffer asks for.

/// Goes on where the audio broke off.
#[derive(Debug)]
pub struct Concealer {
    /// Samples per millisecond: 8 or 16.
    per_ms: usize,
    /// What was played last, the newest at the end.
    history: [i16; HISTORY_MAX],
    /// The loss that goes on at present.
    gap: Option<Gap>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    /// Samples per pitch period.
    pitch: usize,
    /// Samples made so far.
    made: usize,
    /// Place within the repeated stretch.
    place: usize,
}

impl Concealer {
    /// Creates a concealer for audio of `rate` samples per second: 8,000 or 16,000.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        let per_ms = if rate >= 16_000 { 16 } else { 8 };
        Self {
            per_ms,
            history: [0; HISTORY_MAX],
            gap: None,
        }
    }

    /// Remembers good audio. After a loss its beginning is blended with what was made up.
    pub fn hear(&mut self, pcm: &mut [i16]) {
        if let Some(gap) = self.gap {
            // Appendix I: the longer the loss, the longer the blend, 4 to 10 ms.
            let lost_ms = gap.made / self.per_ms;
            let blend = (4 + lost_ms * 2 / 5).min(10) * self.per_ms;
            let mut made_up = [0; BLEND_MAX];
            let length = blend.min(pcm.len());
            self.conceal(&mut made_up[..length]);
            cross_fade(&made_up[..length], &mut pcm[..length]);
            self.gap = None;
        }
        self.remember(pcm);
    }

    /// Remembers audio that a codec concealed by itself.
    pub fn remember(&mut self, pcm: &[i16]) {
        let length = HISTORY * self.per_ms;
        let pcm = &pcm[pcm.len().saturating_sub(length)..];
        self.history.copy_within(pcm.len()..length, 0);
        self.history[length - pcm.len()..length].copy_from_slice(pcm);
    }

    /// Makes up `pcm` in place of audio that is missing: up to 60 ms, then silence.
    pub fn conceal(&mut self, pcm: &mut [i16]) {
        let length = HISTORY * self.per_ms;
        let mut gap = self.gap.unwrap_or_else(|| {
            let pitch = pitch(&self.history[..length], self.per_ms);
            Gap {
                pitch,
                made: 0,
                place: 0,
            }
        });
        for sample in pcm {
            let ms = gap.made / self.per_ms;
            // One period for 10 ms, then two, then three: a single one repeated for longer buzzes.
            let stretch = gap.pitch * (1 + ms / 10).min(PERIODS_MAX);
            if gap.place >= stretch {
                gap.place = 0;
            }
            *sample = faded(self.repeated(stretch, gap.place), gap.made, self.per_ms);
            gap.place += 1;
            gap.made = gap.made.saturating_add(1);
        }
        self.gap = Some(gap);
    }

    /// A sample of the last `stretch` samples, whose last quarter period runs over into what came
    /// before them, so that the repetition has no seam.
    fn repeated(&self, stretch: usize, place: usize) -> i16 {
        let length = HISTORY * self.per_ms;
        let overlap = (self.per_ms * QUARTER_MS).min(stretch / 4);
        let sample = i32::from(self.history[length - stretch + place]);
        let from_end = stretch - place;
        let before = (length + place).checked_sub(2 * stretch);
        let Some(before) = before.filter(|_| from_end <= overlap) else {
            return narrow(sample);
        };
        let other = i32::from(self.history[before]);
        let [weight, whole] = [from_end, overlap + 1].map(as_i32);
        narrow((sample * weight + other * (whole - weight)) / whole)
    }
}

/// Leaves one pitch period out of `pcm` (40 ms or more of speech) and returns the new length.
pub fn shorten(pcm: &mut [i16], rate: u32) -> usize {
    let per_ms = if rate >= 16_000 { 16 } else { 8 };
    let pitch = pitch_at_start(pcm, per_ms);
    let length = pcm.len();
    if length < 2 * pitch {
        return length;
    }
    let (first, second) = pcm.split_at_mut(pitch);
    cross_fade(first, &mut second[..pitch]);
    pcm.copy_within(pitch.., 0);
    length - pitch
}

/// Plays one pitch period of the first `length` samples of `pcm` twice and returns the new length.
/// `pcm` needs room for 15 ms more.
pub fn lengthen(pcm: &mut [i16], length: usize, rate: u32) -> usize {
    let per_ms = if rate >= 16_000 { 16 } else { 8 };
    let pitch = pitch_at_start(&pcm[..length], per_ms);
    if length < 2 * pitch || length + pitch > pcm.len() {
        return length;
    }
    // a b … becomes a, (b fading into a), b …: every seam joins samples a period apart.
    pcm.copy_within(pitch..length, 2 * pitch);
    let (first, rest) = pcm.split_at_mut(pitch);
    let (inserted, second) = rest.split_at_mut(pitch);
    inserted.copy_from_slice(first);
    cross_fade(&second[..pitch], inserted);
    length + pitch
}

/// Whether a frame holds nothing that anybody would miss.
#[must_use]
pub fn is_quiet(pcm: &[i16]) -> bool {
    let sum: u64 = pcm
        .iter()
        .map(|sample| u64::from(sample.unsigned_abs()))
        .sum();
    sum <= QUIET * pcm.len() as u64
}

/// The pitch period of the newest audio: the lag at which the last 20 ms resemble what was before.
fn pitch(history: &[i16], per_ms: usize) -> usize {
    let template = 20 * per_ms;
    let newest = history.len() - template;
    best_lag(per_ms, |lag| {
        correlation(&history[newest..], &history[newest - lag..], per_ms)
    })
}

fn pitch_at_start(pcm: &[i16], per_ms: usize) -> usize {
    let window = 10 * per_ms;
    best_lag(per_ms, |lag| match pcm.get(lag..lag + window) {
        Some(later) => correlation(&pcm[..window], later, per_ms),
        None => 0.0,
    })
}

fn best_lag(per_ms: usize, likeness: impl Fn(usize) -> f32) -> usize {
    let mut best = (PITCH_MAX_MS * per_ms, 0.0);
    // An eighth of a millisecond is fine enough: at 16 kHz every second lag.
    for lag in (PITCH_MIN_MS * per_ms..=PITCH_MAX_MS * per_ms).step_by(per_ms / 8) {
        let likeness = likeness(lag);
        if likeness > best.1 {
            best = (lag, likeness);
        }
    }
    best.0
}

/// How alike two stretches are, from the signal of every eighth of a millisecond.
fn correlation(a: &[i16], b: &[i16], per_ms: usize) -> f32 {
    let mut product = 0.0;
    let mut energy = 1.0;
    for (a, b) in a.iter().zip(b).step_by(per_ms / 8) {
        let (a, b) = (f32::from(*a), f32::from(*b));
        product += a * b;
        energy += b * b;
    }
    product / energy.sqrt()
}

/// Blends from `from` into `into`, linearly.
fn cross_fade(from: &[i16], into: &mut [i16]) {
    let whole = as_i32(from.len() + 1);
    for ((old, new), weight) in from.iter().zip(into).zip(1..) {
        *new = narrow((i32::from(*old) * (whole - weight) + i32::from(*new) * weight) / whole);
    }
}

/// Full for 10 ms, then a fifth less every 10 ms: nothing after 60.
fn faded(sample: i16, made: usize, per_ms: usize) -> i16 {
    let [made, full, silent] = [made, 10 * per_ms, 60 * per_ms].map(as_i32);
    let left = (silent - made).clamp(0, silent - full);
    narrow(i32::from(sample) * left / (silent - full))
}

fn as_i32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn narrow(sample: i32) -> i16 {
    i16::try_from(sample).unwrap_or(if sample < 0 { i16::MIN } else { i16::MAX })
}

/// Milliseconds of audio remembered: three of the longest periods and the overlap before them.
const HISTORY: usize = 50;
const HISTORY_MAX: usize = HISTORY * 16;

/// Voices from 66 to 200 Hz (Appendix I); higher ones are found at a multiple of their period.
const PITCH_MIN_MS: usize = 5;
const PITCH_MAX_MS: usize = 15;
const PERIODS_MAX: usize = 3;

/// The overlap at the seam, at most.
const QUARTER_MS: usize = 3;
const BLEND_MAX: usize = 10 * 16;

/// Mean magnitude below which a frame is silence: −56 dBFS, the noise of a quiet room on a telephone.
const QUIET: u64 = 50;

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // synthesis
mod tests {
    use super::*;

    /// A voice-like sound: 125 Hz with falling harmonics.
    fn voice(rate: u32, samples: usize) -> Vec<i16> {
        (0..samples)
            .map(|n| {
                let t = n as f32 / rate as f32;
                let sum: f32 = (1..8)
                    .map(|h| (std::f32::consts::TAU * 125.0 * h as f32 * t).sin() / h as f32)
                    .sum();
                (sum * 6_000.0) as i16
            })
            .collect()
    }

    fn energy(pcm: &[i16]) -> f64 {
        pcm.iter()
            .map(|sample| f64::from(*sample).powi(2))
            .sum::<f64>()
            / pcm.len() as f64
    }

    #[test]
    fn a_steady_voice_goes_on_almost_as_it_was() {
        for rate in [8_000_u32, 16_000] {
            let frame = rate as usize / 50;
            let voice = voice(rate, frame * 6);
            let mut concealer = Concealer::new(rate);
            for good in voice[..frame * 5].chunks(frame) {
                concealer.hear(&mut good.to_vec());
            }
            let mut made = vec![0; frame];
            concealer.conceal(&mut made);
            let lost = &voice[frame * 5..];
            let half = frame / 2; // before the fade begins
            let error: Vec<i16> = made[..half].iter().zip(lost).map(|(a, b)| a - b).collect();
            assert!(
                energy(&error) < energy(&lost[..half]) / 100.0,
                "20 dB below, at {rate}"
            );
        }
    }

    #[test]
    fn a_long_loss_fades_to_nothing_by_sixty_milliseconds() {
        let mut concealer = Concealer::new(8_000);
        concealer.hear(&mut voice(8_000, 800));
        let mut made = vec![0; 800];
        concealer.conceal(&mut made);
        assert!(made[480..].iter().all(|sample| *sample == 0));
        assert!(energy(&made[80..160]) > energy(&made[240..320]));
        assert!(energy(&made[240..320]) > energy(&made[400..480]));
    }

    #[test]
    fn coming_back_makes_no_step() {
        let voice = voice(8_000, 1_600);
        let mut concealer = Concealer::new(8_000);
        concealer.hear(&mut voice[..800].to_vec());
        let mut made = vec![0; 160];
        concealer.conceal(&mut made);
        let mut back = voice[960..1_120].to_vec();
        concealer.hear(&mut back);
        let steepest = voice.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max();
        let step = (back[0] - made[159]).abs();
        assert!(Some(step) <= steepest, "{step}");
        assert_eq!(back[140..], voice[960 + 140..1_120]);
    }

    #[test]
    fn silence_is_concealed_by_silence() {
        let mut concealer = Concealer::new(8_000);
        concealer.hear(&mut [0; 400]);
        let mut made = [77; 160];
        concealer.conceal(&mut made);
        assert_eq!(made, [0; 160]);
    }

    #[test]
    fn shorter_and_longer_by_one_period_sounds_the_same() {
        let period = 64; // 8 ms of 125 Hz
        let voice = voice(8_000, 640);
        let mut shorter = voice.clone();
        let length = shorten(&mut shorter, 8_000);
        assert_eq!((640 - length) % period, 0);
        assert!(length < 640);
        let mut longer = voice.clone();
        longer.extend([0; 120]);
        let stretched = lengthen(&mut longer, 640, 8_000);
        assert_eq!((stretched - 640) % period, 0);
        assert!(stretched > 640);
        for pcm in [&shorter[..length], &longer[..stretched]] {
            let error: Vec<i16> = pcm
                .iter()
                .zip(voice.iter().cycle())
                .map(|(a, b)| a - b)
                .collect();
            assert!(energy(&error) < energy(&voice) / 100.0);
        }
    }

    #[test]
    fn extreme_samples_do_not_overflow() {
        let mut concealer = Concealer::new(16_000);
        let mut square: Vec<i16> = (0..1_600)
            .map(|n| if n / 50 % 2 == 0 { i16::MIN } else { i16::MAX })
            .collect();
        concealer.hear(&mut square);
        concealer.conceal(&mut square);
        concealer.hear(&mut [i16::MIN; 320]);
        shorten(&mut square, 16_000);
        lengthen(&mut square, 640, 16_000);
    }
}

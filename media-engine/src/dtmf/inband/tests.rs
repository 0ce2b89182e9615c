#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;

/// Audio that is put together piece by piece, without clicks at round numbers.
#[derive(Default)]
struct Line {
    pcm: Vec<f32>,
}

#[derive(Clone, Copy)]
struct Press {
    key: Key,
    ms: f32,
    /// High tone over low tone.
    twist_db: f32,
    /// Of both tones.
    off: f32,
    level_dbfs: f32,
}

fn press(key: Key) -> Press {
    Press {
        key,
        ms: 40.0,
        twist_db: 0.0,
        off: 0.0,
        level_dbfs: -15.0,
    }
}

fn samples(ms: f32) -> usize {
    (ms * 8.0) as usize
}

fn frequencies(key: Key) -> (f32, f32) {
    let place = KEYS
        .iter()
        .flatten()
        .position(|other| *other == key)
        .expect("a key");
    (LOW[place / 4], HIGH[place % 4])
}

impl Line {
    fn silence(&mut self, ms: f32) -> &mut Self {
        self.pcm.extend(vec![0.0; samples(ms)]);
        self
    }

    fn press(&mut self, press: Press) -> &mut Self {
        let (low, high) = frequencies(press.key);
        let level = 32_768.0 * 10_f32.powf(press.level_dbfs / 20.0);
        let [low_level, high_level] = if press.twist_db > 0.0 {
            [level * 10_f32.powf(-press.twist_db / 20.0), level]
        } else {
            [level, level * 10_f32.powf(press.twist_db / 20.0)]
        };
        self.pcm.extend((0..samples(press.ms)).map(|n| {
            let t = n as f32 / RATE;
            low_level * (TAU * low * (1.0 + press.off) * t).sin()
                + high_level * (TAU * high * (1.0 + press.off) * t).sin()
        }));
        self
    }

    fn noise(&mut self, level_dbfs: f32, random: &mut SmallRng) -> &mut Self {
        let level = 32_768.0 * 10_f32.powf(level_dbfs / 20.0) * 3_f32.sqrt();
        self.pcm
            .iter_mut()
            .for_each(|sample| *sample += level * random.random_range(-1.0..1.0));
        self
    }

    /// What is heard, through A-law like on a line, frame by frame.
    fn keys(&self) -> Vec<Key> {
        use crate::codec::g711;
        let mut detector = Detector::default();
        let pcm: Vec<i16> = self
            .pcm
            .iter()
            .map(|sample| g711::from_alaw(g711::alaw(*sample as i16)))
            .collect();
        pcm.chunks(160)
            .filter_map(|frame| detector.listen(frame))
            .collect()
    }
}

/// Presses each key at each of 40 places in a block and returns how many were heard (of 640).
fn heard(template: Press) -> usize {
    let mut count = 0;
    for key in Key::ALL {
        for phase in 0..40_u8 {
            let mut line = Line::default();
            line.pcm.extend(vec![0.0; 400 + usize::from(phase)]);
            line.press(Press { key, ..template }).silence(60.0);
            let keys = line.keys();
            assert!(
                keys.len() <= 1 && keys.iter().all(|heard| *heard == key),
                "{key}: {keys:?}"
            );
            count += keys.len();
        }
    }
    count
}

#[test]
fn forty_milliseconds_on_and_off_are_keys_each_and_every_one() {
    for phase in 0..40_u8 {
        let mut line = Line::default();
        line.pcm.extend(vec![0.0; 80 + usize::from(phase)]);
        for key in Key::ALL {
            line.press(press(key)).silence(40.0);
            line.press(press(key)).silence(40.0);
        }
        let twice: Vec<Key> = Key::ALL.into_iter().flat_map(|key| [key, key]).collect();
        assert_eq!(line.silence(40.0).keys(), twice);
    }
}

#[test]
fn forty_milliseconds_are_accepted_and_twenty_refused() {
    assert_eq!(heard(press(Key::One)), 640);
    assert_eq!(
        heard(Press {
            ms: 20.0,
            ..press(Key::One)
        }),
        0
    );
    assert_eq!(
        heard(Press {
            ms: 10.0,
            ..press(Key::One)
        }),
        0
    );
    assert_eq!(
        heard(Press {
            ms: 200.0,
            ..press(Key::One)
        }),
        640
    );
}

#[test]
fn a_break_of_ten_milliseconds_does_not_double_a_key() {
    for phase in 0..40_u8 {
        let mut line = Line::default();
        line.pcm.extend(vec![0.0; 80 + usize::from(phase)]);
        line.press(press(Key::Six))
            .silence(10.0)
            .press(press(Key::Six))
            .silence(60.0);
        assert_eq!(line.keys(), [Key::Six], "{phase}");
    }
}

#[test]
fn twist_from_minus_eight_to_plus_four_is_accepted_and_much_more_refused() {
    for twist_db in [-8.0, -4.0, 4.0] {
        assert_eq!(
            heard(Press {
                twist_db,
                ..press(Key::One)
            }),
            640,
            "{twist_db} dB"
        );
    }
    for twist_db in [-12.0, 8.0] {
        assert_eq!(
            heard(Press {
                twist_db,
                ms: 100.0,
                ..press(Key::One)
            }),
            0,
            "{twist_db} dB"
        );
    }
}

#[test]
fn frequencies_off_by_one_and_a_half_per_cent_are_accepted_and_by_three_and_a_half_refused() {
    for off in [-0.015, 0.015] {
        assert_eq!(
            heard(Press {
                off,
                ..press(Key::One)
            }),
            640,
            "{off}"
        );
    }
    for off in [-0.05, -0.035, 0.035, 0.05] {
        assert_eq!(
            heard(Press {
                off,
                ms: 100.0,
                ..press(Key::One)
            }),
            0,
            "{off}"
        );
    }
}

#[test]
fn levels_from_full_to_minus_thirty_are_accepted_and_a_whisper_refused() {
    for level_dbfs in [-7.0, -20.0, -30.0] {
        assert_eq!(
            heard(Press {
                level_dbfs,
                ..press(Key::One)
            }),
            640,
            "{level_dbfs}"
        );
    }
    assert_eq!(
        heard(Press {
            level_dbfs: -50.0,
            ..press(Key::One)
        }),
        0
    );
}

#[test]
fn noise_fifteen_decibels_below_does_not_hide_a_key() {
    let mut random = SmallRng::seed_from_u64(1);
    let mut line = Line::default();
    line.silence(50.0);
    for _ in 0..20 {
        for key in Key::ALL {
            line.press(Press {
                ms: 60.0,
                ..press(key)
            })
            .silence(60.0);
        }
    }
    let keys = line.noise(-30.0, &mut random).keys();
    assert_eq!(keys.len(), 320);
}

#[test]
fn dial_tone_ringing_and_single_tones_are_no_keys() {
    let tones: [&[f32]; 7] = [
        &[425.0],
        &[350.0, 440.0],
        &[440.0, 480.0],
        &[697.0],
        &[1_209.0],
        &[697.0, 770.0],
        &[1_400.0, 2_060.0],
    ];
    for tones in tones {
        let mut line = Line::default();
        line.pcm.extend((0..16_000).map(|n| {
            let t = n as f32 / RATE;
            tones
                .iter()
                .map(|frequency| 5_000.0 * (TAU * frequency * t).sin())
                .sum::<f32>()
        }));
        assert_eq!(line.keys(), [], "{tones:?}");
    }
}

/// Speech-like sound: pulses at a gliding pitch through three gliding resonances, in syllables with
/// pauses, now and then a hiss.
fn babble(random: &mut SmallRng, seconds: usize) -> Vec<f32> {
    let mut pcm = Vec::with_capacity(seconds * 8_000);
    while pcm.len() < seconds * 8_000 {
        let length = random.random_range(800..3_200);
        let (pitch, glide) = (
            random.random_range(80.0..300.0_f32),
            random.random_range(-0.3..0.3),
        );
        let formants: [f32; 3] = [
            random.random_range(250.0..950.0),
            random.random_range(900.0..2_300.0),
            random.random_range(2_200.0..3_200.0),
        ];
        let voiced = random.random_range(0..5) > 0;
        let bandwidths: [f32; 3] = std::array::from_fn(|_| random.random_range(30.0..120.0));
        let mut memory = [[0.0_f32; 2]; 3];
        let mut phase = 0.0;
        let level = random.random_range(200.0..4_000.0);
        let from = pcm.len();
        for n in 0..length {
            let along = n as f32 / length as f32;
            phase += pitch * (1.0 + glide * along) / RATE;
            let mut excitation = 0.0;
            if !voiced {
                excitation = random.random_range(-0.3..0.3);
            } else if phase >= 1.0 {
                phase -= 1.0;
                excitation = 1.0;
            }
            let mut sum = 0.0;
            for ((memory, formant), bandwidth) in memory.iter_mut().zip(formants).zip(bandwidths) {
                let radius = (-PI * bandwidth / RATE).exp();
                let next = excitation + 2.0 * radius * (TAU * formant / RATE).cos() * memory[0]
                    - radius * radius * memory[1];
                *memory = [next, memory[0]];
                sum += next;
            }
            pcm.push(sum * (PI * along).sin());
        }
        let loudest = pcm[from..]
            .iter()
            .fold(1e-6_f32, |peak, sample| peak.max(sample.abs()));
        pcm[from..]
            .iter_mut()
            .for_each(|sample| *sample *= level * 3.0 / loudest);
        pcm.extend(vec![0.0; random.random_range(0..2_400)]);
    }
    pcm
}

/// Half an hour of it. The count is held as it is: fewer is better, more is a change for the worse.
#[test]
fn half_an_hour_of_babble_presses_hardly_a_key() {
    let mut random = SmallRng::seed_from_u64(7);
    let mut detector = Detector::default();
    let mut keys = 0;
    for _ in 0..30 {
        let pcm: Vec<i16> = babble(&mut random, 60)
            .iter()
            .map(|sample| *sample as i16)
            .collect();
        keys += pcm
            .chunks(160)
            .filter(|frame| detector.listen(frame).is_some())
            .count();
    }
    println!("keys in half an hour: {keys}");
    assert!(keys <= 2, "{keys}");
}

#[test]
fn extreme_samples_are_no_keys() {
    let mut detector = Detector::default();
    for pattern in [[i16::MIN; 160], [i16::MAX; 160]] {
        for _ in 0..100 {
            assert_eq!(detector.listen(&pattern), None);
        }
    }
}

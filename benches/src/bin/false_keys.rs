//! How often speech is taken for a key: hours of the sentences that ship, said by many voices.
//!
//! `false_keys [hours [seed]]`, by default 10 hours. Nothing plays: an hour takes seconds.
//!
//! Speed, pitch and level of each sentence are drawn at random; half of the time one person speaks,
//! else two or three at once, or six in the background. All of it passes through A-law, as on a line.

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "synthesis"
)]

use std::f32::consts::PI;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use media_engine::audio::{Mono, intake};
use media_engine::codec::g711;
use media_engine::dtmf::Key;
use media_engine::dtmf::inband::Detector;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// What is said at once, with how many voices, and in how many of 100 stretches.
const COMPANIES: [(&str, usize, u32); 3] = [("one", 1, 50), ("a few", 3, 35), ("a crowd", 6, 15)];

/// One stretch: a company speaks for so long before the next one.
const STRETCH: Duration = Duration::from_secs(20);

/// Speed and pitch against those of the recording: a slow bass to a hurried child.
const PACE: std::ops::Range<f32> = 0.7..1.5;

/// Peaks in dBFS, from a murmur to one who shouts into the microphone.
const LEVEL: std::ops::Range<f32> = -36.0..0.0;

const RATE: f32 = 8_000.0;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let hours: f32 = number(arguments.next(), 10.0)?;
    let seed: f32 = number(arguments.next(), 1.0)?;
    let sentences = sentences(Path::new(SOUNDS))?;
    let mut random = SmallRng::seed_from_u64(seed as u64);
    println!(
        "{} sentences and words, {hours} hours, seed {seed}",
        sentences.len()
    );
    println!(
        "control: {} of 16 keys heard when they are pressed",
        pressed()
    );
    let mut counts = [Count::default(); COMPANIES.len()];
    let stretches = (hours * 3_600.0 / STRETCH.as_secs_f32()).ceil() as u32;
    for _ in 0..stretches {
        let which = company(&mut random);
        let pcm = stretch(COMPANIES[which].1, &sentences, &mut random);
        counts[which].add(&pcm);
    }
    println!(
        "{:>10} {:>8} {:>6} {:>10}",
        "voices", "hours", "keys", "keys/hour"
    );
    let mut all = Count::default();
    for ((name, ..), count) in COMPANIES.iter().zip(&counts) {
        count.print(name);
        all.samples += count.samples;
        for (sum, keys) in all.keys.iter_mut().zip(count.keys) {
            *sum += keys;
        }
    }
    all.print("all");
    let keys: Vec<String> = Key::ALL
        .iter()
        .zip(all.keys)
        .filter(|(_, count)| *count > 0)
        .map(|(key, count)| format!("{key}: {count}"))
        .collect();
    println!("{}", keys.join(", "));
    Ok(())
}

fn number(text: Option<String>, usual: f32) -> io::Result<f32> {
    text.map_or(Ok(usual), |text| text.parse().map_err(io::Error::other))
}

/// How many of all keys, each pressed once, are heard: a detector that is deaf makes no mistakes.
fn pressed() -> usize {
    let rows = [697.0, 770.0, 852.0, 941.0];
    let columns = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    let mut count = Count::default();
    for (row, column) in rows
        .iter()
        .flat_map(|row| columns.map(|column| (row, column)))
    {
        let tone = |hertz: f32, n: usize| 0.1 * (2.0 * PI * hertz * n as f32 / RATE).sin();
        let sum: Vec<f32> = (0..800)
            .map(|n| {
                if n < 400 {
                    tone(*row, n) + tone(column, n)
                } else {
                    0.0
                }
            })
            .collect();
        count.add(&through_alaw(&sum));
    }
    count.keys.iter().filter(|heard| **heard == 1).count()
}

/// What was heard of one kind of company.
#[derive(Clone, Copy, Default)]
struct Count {
    samples: u64,
    keys: [u32; Key::ALL.len()],
}

impl Count {
    fn add(&mut self, pcm: &[i16]) {
        let mut detector = Detector::default();
        self.samples += pcm.len() as u64;
        for frame in pcm.chunks(160) {
            if let Some(key) = detector.listen(frame) {
                self.keys[usize::from(key.code())] += 1;
            }
        }
    }

    fn print(&self, name: &str) {
        let hours = self.samples as f32 / RATE / 3_600.0;
        let keys: u32 = self.keys.iter().sum();
        println!(
            "{name:>10} {hours:>8.2} {keys:>6} {:>10.2}",
            keys as f32 / hours
        );
    }
}

fn company(random: &mut SmallRng) -> usize {
    let mut left = random.random_range(0..100);
    for (place, (_, _, share)) in COMPANIES.iter().enumerate() {
        if left < *share {
            return place;
        }
        left -= share;
    }
    0
}

/// So many voices at once, through A-law.
fn stretch(voices: usize, sentences: &[Mono], random: &mut SmallRng) -> Vec<i16> {
    let length = (STRETCH.as_secs_f32() * RATE) as usize;
    let mut sum = vec![0.0_f32; length];
    for _ in 0..voices {
        let mut at = 0;
        let pace = random.random_range(PACE);
        while at < length {
            if let Some(sentence) = sentences.choose(random) {
                let level = 10_f32.powf(random.random_range(LEVEL) / 20.0);
                let spoken = said(sentence, pace * random.random_range(0.95..1.05));
                let peak = spoken
                    .iter()
                    .fold(1e-3_f32, |peak, sample| peak.max(sample.abs()));
                for (out, sample) in sum[at..].iter_mut().zip(&spoken) {
                    *out += sample * level / peak;
                }
                at += spoken.len();
            }
            at += random.random_range(400..4_000);
        }
    }
    through_alaw(&sum)
}

fn through_alaw(pcm: &[f32]) -> Vec<i16> {
    let line = |sample: &f32| {
        let pcm = (sample * 32_767.0).clamp(-32_768.0, 32_767.0) as i16;
        g711::from_alaw(g711::alaw(pcm))
    };
    pcm.iter().map(line).collect()
}

/// A sentence at this pace (and pitch), at 8 kHz: interpolated with a windowed sinc that leaves
/// nothing above 3,600 Hz.
fn said(sentence: &Mono, pace: f32) -> Vec<f32> {
    let step = sentence.rate as f32 / RATE * pace;
    let cutoff = 2.0 * 3_600.0 / RATE / step.max(2.0 * 3_600.0 / RATE);
    let table: Vec<[f32; TAPS]> = (0..PHASES)
        .map(|phase| {
            let offset = phase as f32 / PHASES as f32;
            std::array::from_fn(|tap| {
                let x = tap as f32 - (TAPS / 2 - 1) as f32 - offset;
                let window = (PI * x / TAPS as f32).cos().powi(2);
                cutoff * sinc(cutoff * x) * window
            })
        })
        .collect();
    let samples = &sentence.samples;
    let last = samples.len().saturating_sub(TAPS) as f32;
    let count = (last / step) as usize;
    (0..count)
        .map(|n| {
            let place = n as f32 * step;
            let whole = place as usize;
            let phase = ((place - whole as f32) * PHASES as f32) as usize;
            let taps = &table[phase.min(PHASES - 1)];
            let pieces = samples[whole..].iter().zip(taps);
            pieces.map(|(sample, tap)| sample * tap).sum()
        })
        .collect()
}

fn sinc(x: f32) -> f32 {
    if x.abs() < 1e-6 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// All that is said in the folder, in every language; music is no speech.
fn sentences(folder: &Path) -> io::Result<Vec<Mono>> {
    let mut files = vec![];
    collect(folder, &mut files)?;
    files.sort();
    let mut sentences = vec![];
    for file in files {
        let upload = intake::read(Bytes::from(fs::read(&file)?)).map_err(io::Error::other)?;
        sentences.push(upload.audio);
    }
    if sentences.is_empty() {
        return Err(io::Error::other("no sounds"));
    }
    Ok(sentences)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("music") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|kind| kind == "ogg") {
            files.push(path);
        }
    }
    Ok(())
}

const SOUNDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sounds");

/// Taps of the interpolation, and places between two samples that it knows.
const TAPS: usize = 32;
const PHASES: usize = 64;

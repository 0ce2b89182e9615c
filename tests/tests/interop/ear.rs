//! Everybody says a tone of their own, so that it can be told who hears whom.

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::chromium::Chromium;
use crate::server::until;
use crate::tones::tone;

/// What somebody says: a tone of so many hertz, above the keys and above most of the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Voice(u32);

/// Somebody who can be asked what they hear.
pub(crate) trait Hearer {
    /// Begins to listen: what came before is of no interest.
    fn ear(&self) -> Ear<'_>;
}

pub(crate) const CUSTOMER: Voice = Voice(1_870);
pub(crate) const ANA: Voice = Voice(2_210);
pub(crate) const BRUNO: Voice = Voice(2_570);
pub(crate) const CLARA: Voice = Voice(2_930);

/// What somebody is to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears<'a> {
    /// These, all of them, and nobody else.
    These(&'a [Voice]),
    /// Something, and nobody.
    Music,
    /// Nothing at all.
    Nothing,
}

/// What somebody hears for half a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    These(BTreeSet<Voice>),
    Music,
    Nothing,
    /// First this, then that.
    Changing,
}

/// Waits until each of them has heard for half a second, from now on, what they are to hear.
///
/// # Panics
///
/// When they do not.
pub(crate) fn they_hear(wanted: &[(&dyn Hearer, Hears)]) {
    let mut ears: Vec<Ear> = wanted.iter().map(|(phone, _)| phone.ear()).collect();
    let begun = Instant::now();
    loop {
        let heard: Vec<Heard> = ears.iter_mut().map(Ear::listen).collect();
        let fits = |(heard, (_, wanted)): (&Heard, &(&dyn Hearer, Hears))| match wanted {
            Hears::These(voices) => *heard == Heard::These(voices.iter().copied().collect()),
            Hears::Music => *heard == Heard::Music,
            Hears::Nothing => *heard == Heard::Nothing,
        };
        if heard.iter().zip(wanted).all(fits) {
            return;
        }
        let are_to_hear: Vec<_> = wanted.iter().map(|(_, hears)| hears).collect();
        assert!(
            begun.elapsed() < PATIENCE,
            "they hear {heard:?} and are to hear {are_to_hear:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What comes out of somebody's telephone.
pub(crate) enum Ear<'p> {
    File(Growing),
    Page { page: &'p Chromium, since: Instant },
}

impl Ear<'_> {
    /// Of a telephone that writes what its decoder gives into a file.
    pub(crate) fn of_file(file: impl Fn() -> Option<PathBuf>) -> Self {
        Self::File(Growing::new(until(PATIENCE, "it hears something", file)))
    }

    fn listen(&mut self) -> Heard {
        match self {
            Self::File(file) => file.listen(),
            Self::Page { since, .. } if since.elapsed() < Chromium::REMEMBERS => Heard::Changing,
            Self::Page { page, .. } => {
                let (rate, samples) = page.heard();
                heard(rate, &samples)
            }
        }
    }
}

/// A WAV file of 16 bits and 8 kHz that is being written.
pub(crate) struct Growing {
    file: PathBuf,
    /// What came before is of no interest.
    from: u64,
    /// How much there was, and since when there is no more.
    length: (u64, Instant),
}

impl Growing {
    fn new(file: PathBuf) -> Self {
        let from = length(&file);
        Self {
            file,
            from,
            length: (from, Instant::now()),
        }
    }

    fn listen(&mut self) -> Heard {
        let length = length(&self.file);
        if length > self.length.0 {
            self.length = (length, Instant::now());
        } else if self.length.1.elapsed() > Duration::from_secs(1) {
            return Heard::Nothing; // No packet comes.
        }
        if length < self.from + WINDOW {
            return Heard::Changing;
        }
        heard(8_000, &tail(&self.file, length - WINDOW))
    }
}

/// What these samples hold from their beginning to their end.
fn heard(rate: u32, samples: &[f64]) -> Heard {
    let mut voices = voices_by_tenth(rate, samples).into_iter();
    let Some(first) = voices.next() else {
        return Heard::Changing;
    };
    if voices.any(|others| others != first) {
        return Heard::Changing;
    }
    if !first.is_empty() {
        return Heard::These(first);
    }
    match samples.iter().any(|sample| sample.abs() > SILENCE_MAX) {
        true => Heard::Music,
        false => Heard::Nothing,
    }
}

/// Those who are heard in each tenth of a second.
pub(crate) fn voices_by_tenth(rate: u32, samples: &[f64]) -> Vec<BTreeSet<Voice>> {
    let part = usize::try_from(rate / 10).expect("short");
    let parts = samples.chunks_exact(part);
    parts.map(|part| voices_in(rate, part)).collect()
}

/// The source of a softphone that says this.
pub(crate) fn says(folder: &Path, voice: Voice) -> String {
    format!("aufile,{}", spoken(folder, voice, 8_000).display())
}

/// What is said, as a WAV file.
pub(crate) fn spoken(folder: &Path, Voice(hertz): Voice, rate: u32) -> PathBuf {
    tone(folder, f64::from(hertz), rate)
}

fn voices_in(rate: u32, part: &[f64]) -> BTreeSet<Voice> {
    let is_heard = |Voice(hertz): &Voice| {
        let (mut along, mut across) = (0.0, 0.0);
        for (sample, at) in part.iter().zip(0_u32..) {
            let angle = TAU * f64::from(*hertz) * f64::from(at) / f64::from(rate);
            along += sample * angle.cos();
            across += sample * angle.sin();
        }
        let length = f64::from(u32::try_from(part.len()).expect("short"));
        f64::hypot(along, across) * 2.0 / length > LOUDNESS / 4.0
    };
    let all = [CUSTOMER, ANA, BRUNO, CLARA];
    all.into_iter().filter(is_heard).collect()
}

fn length(file: &Path) -> u64 {
    let length = fs::metadata(file).map_or(0, |known| known.len());
    length - length % 2
}

fn tail(file: &Path, from: u64) -> Vec<f64> {
    let mut bytes = vec![];
    let mut file = File::open(file).expect("a recording");
    file.seek(SeekFrom::Start(from)).expect("a recording");
    file.take(WINDOW).read_to_end(&mut bytes).expect("samples");
    let samples = bytes.chunks_exact(2);
    let samples = samples.map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])));
    samples.collect()
}

/// How loud everybody speaks, of 32,767 ([`tone`]).
const LOUDNESS: f64 = 8_000.0;

/// What a decoder makes of silence is below.
const SILENCE_MAX: f64 = 64.0;

/// Half a second, in bytes.
const WINDOW: u64 = 8_000;

const PATIENCE: Duration = Duration::from_secs(20);

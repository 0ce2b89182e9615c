//! Everybody says a tone of their own, so that it can be told who hears whom.

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::baresip::Baresip;
use crate::server::until;
use crate::tones::tone;

/// What somebody says: a tone of so many hertz, above the keys and above most of the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Voice(u32);

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
pub(crate) fn they_hear(wanted: &[(&Baresip, Hears)]) {
    let mut ears: Vec<Ear> = wanted.iter().map(|(phone, _)| Ear::of(phone)).collect();
    let begun = Instant::now();
    loop {
        let heard: Vec<Heard> = ears.iter_mut().map(Ear::listen).collect();
        let fits = |(heard, (_, wanted)): (&Heard, &(&Baresip, Hears))| match wanted {
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

/// What the decoder of a telephone gives, as it comes.
struct Ear {
    file: PathBuf,
    /// What came before is of no interest.
    from: u64,
    /// How much there was, and since when there is no more.
    length: (u64, Instant),
}

impl Ear {
    fn of(phone: &Baresip) -> Self {
        let file = until(PATIENCE, "it hears something", || phone.hearing());
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
        let samples = tail(&self.file, length - WINDOW);
        let parts: Vec<&[f64]> = samples.chunks_exact(PART).collect();
        let mut voices = parts.iter().map(|part| voices_in(part));
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
}

/// The source of a softphone that says this.
pub(crate) fn says(folder: &Path, Voice(hertz): Voice) -> String {
    let said = tone(folder, f64::from(hertz), 8_000);
    format!("aufile,{}", said.display())
}

/// Those who are heard in a tenth of a second.
fn voices_in(part: &[f64]) -> BTreeSet<Voice> {
    let is_heard = |Voice(hertz): &Voice| {
        let (mut along, mut across) = (0.0, 0.0);
        for (sample, at) in part.iter().zip(0_u32..) {
            let angle = TAU * f64::from(*hertz) * f64::from(at) / 8_000.0;
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

/// A tenth of a second, in samples.
const PART: usize = 800;

/// Half a second, in bytes.
const WINDOW: u64 = 8_000;

const PATIENCE: Duration = Duration::from_secs(20);

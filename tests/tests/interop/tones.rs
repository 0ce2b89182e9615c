//! Tones by which those who talk are told apart.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

/// Three minutes of a tone of whole hertz as a WAV file of 16 bits: what somebody says, for longer than
/// any story takes.
pub(crate) fn tone(folder: &Path, hertz: f64, rate: u32) -> PathBuf {
    let angle = TAU * hertz / f64::from(rate);
    #[allow(clippy::cast_possible_truncation, reason = "8,000 fits")]
    let sample = |at: u32| ((angle * f64::from(at)).sin() * 8_000.0) as i16;
    // A second holds whole waves, and is followed by itself.
    let second: Vec<u8> = (0..rate).flat_map(|at| sample(at).to_le_bytes()).collect();
    let samples = second.repeat(180);
    let length = u32::try_from(samples.len()).expect("short");
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(rate.to_le_bytes());
    wav.extend((2 * rate).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    let file = folder.join(format!("{hertz}.wav"));
    fs::write(&file, wav).expect("a file of ours");
    file
}

//! Tones by which those who talk are told apart.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

/// A minute of a tone as a WAV file of 16 bits: what somebody says.
pub(crate) fn tone(folder: &Path, hertz: f64, rate: u32) -> PathBuf {
    let angle = TAU * hertz / f64::from(rate);
    #[allow(clippy::cast_possible_truncation, reason = "8,000 fits")]
    let sample = |at: u32| ((angle * f64::from(at)).sin() * 8_000.0) as i16;
    let samples: Vec<u8> = (0..60 * rate)
        .flat_map(|at| sample(at).to_le_bytes())
        .collect();
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

/// For how long a WAV file of 16 bits and 8 kHz holds this tone and little else.
pub(crate) fn seconds_of(hertz: f64, file: &Path) -> f64 {
    let bytes = fs::read(file).expect("a recording");
    let samples: Vec<f64> = bytes[44..]
        .chunks_exact(2)
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])))
        .collect();
    let is_tone = |part: &&[f64]| {
        let (mut along, mut across, mut all) = (0.0, 0.0, 0.0);
        for (sample, at) in part.iter().zip(0_u32..) {
            let angle = TAU * hertz * f64::from(at) / 8_000.0;
            along += sample * angle.cos();
            across += sample * angle.sin();
            all += sample * sample;
        }
        let length = f64::from(u32::try_from(part.len()).expect("short"));
        let tone = (along * along + across * across) * 2.0 / length;
        all / length > 10_000.0 && tone > 0.8 * all
    };
    let parts = samples.chunks_exact(800).filter(is_tone).count();
    f64::from(u32::try_from(parts).expect("short")) / 10.0
}

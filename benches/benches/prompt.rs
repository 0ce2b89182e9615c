//! A minute of CD audio on its way to becoming a prompt, beside `sox`.
//!
//! The same job is `read`: read the file, mix to one channel, resample to 16 kHz; `sox` does that to
//! 8 kHz and writes A-law, with the start of its process, because that is how one would use it. The
//! goal is to be faster. `prompt` is all that an upload costs: besides, the loudness is measured and
//! set, the 8 kHz version made, and A-law encoded.

#![allow(clippy::print_stdout, reason = "benches speak through their output")]

use std::{
    hint::black_box,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use media_engine::{
    audio::{intake, prompt::Prompt},
    codec::Codec,
};

/// How long the audio plays, in seconds.
const SECONDS: &str = "60";

fn prompt(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("ramal-bench-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        println!("no folder for the audio: {error}");
        return;
    }
    let mut group = criterion.benchmark_group("60 s of 44.1 kHz stereo to 8 kHz A-law");
    group.sample_size(10);
    for kind in ["wav", "mp3", "flac", "ogg"] {
        let file = folder.join(format!("noise.{kind}"));
        let bytes = match make(&file).and_then(|()| std::fs::read(&file)) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) => {
                println!("{kind}: sox cannot make it ({error})");
                continue;
            }
        };
        group.bench_function(format!("{kind}, read"), |b| {
            b.iter(|| intake::read(black_box(bytes.clone())))
        });
        group.bench_function(format!("{kind}, prompt"), |b| {
            b.iter(|| frames(black_box(&bytes)))
        });
        group.bench_function(format!("{kind}, sox"), |b| b.iter(|| sox(&file)));
    }
    group.finish();
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        println!("{} stays: {error}", folder.display());
    }
}

fn frames(bytes: &Bytes) -> usize {
    let upload = intake::read(bytes.clone()).expect("a file of sox");
    let prompt = Prompt::new(&upload.audio).expect("16 kHz");
    prompt.frames(Codec::Pcma).count()
}

/// Brown noise: like speech, most of it is low, and encoders have something to do.
fn make(file: &Path) -> io::Result<()> {
    let file = file.to_string_lossy();
    run(&[
        "-n",
        "-r",
        "44100",
        "-c",
        "2",
        &file,
        "synth",
        SECONDS,
        "brownnoise",
        "vol",
        "0.5",
    ])
}

fn sox(file: &Path) -> io::Result<()> {
    let out: PathBuf = file.with_extension("out.wav");
    let (file, out) = (file.to_string_lossy(), out.to_string_lossy());
    run(&[&file, "-r", "8000", "-c", "1", "-e", "a-law", &out])
}

fn run(arguments: &[&str]) -> io::Result<()> {
    let status = Command::new("sox")
        .args(arguments)
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(status.to_string()))
    }
}

criterion_group!(benches, prompt);
criterion_main!(benches);

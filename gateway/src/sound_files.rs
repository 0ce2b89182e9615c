//! The sound of prompts and messages on disk, each file named by the SHA-256 of its content.
//!
//! ```text
//!  data/prompts/ab/abcd….original    what was uploaded, byte for byte
//!  data/prompts/ab/abcd….wav         the same at one loudness, 16 kHz: what is played
//! ```

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use media_engine::audio::intake::{self, IntakeError};
use media_engine::audio::prompt::Prompt;
use media_engine::audio::{Mono, loudness, to_i16, wav};
use tokio::sync::Semaphore;

use crate::files;

/// Heavy work on sounds: one piece at a time, in the order in which it was asked for. Clones are
/// the same. Calls have one of their own, so that no caller waits behind an upload.
#[derive(Debug, Clone)]
pub struct Decoder(Arc<Semaphore>);

impl Default for Decoder {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE_MAX)))
    }
}

impl Decoder {
    /// Runs heavy work away from the tasks that serve calls; a panic of it stays there.
    ///
    /// # Errors
    ///
    /// What the work says; [`SoundError::Decoder`] when it broke down.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SoundError> + Send + 'static,
    ) -> Result<T, SoundError> {
        // The semaphore is never closed.
        let permit = self.0.clone().acquire_owned().await;
        let permit = permit.map_err(|_| SoundError::Decoder)?;
        let guarded = move || {
            // Who asked may be gone before the work is done: it counts all the same.
            let _permit = permit;
            catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(SoundError::Decoder))
        };
        tokio::task::spawn_blocking(guarded)
            .await
            .unwrap_or(Err(SoundError::Decoder))
    }
}

/// A folder of sounds.
#[derive(Debug, Clone)]
pub struct SoundFiles {
    folder: PathBuf,
    decoder: Decoder,
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
    pub fn new(folder: PathBuf, decoder: Decoder) -> Self {
        Self { folder, decoder }
    }

    /// Takes in an uploaded file.
    ///
    /// # Errors
    ///
    /// [`SoundError`]; nothing is kept of a file that cannot be played.
    pub async fn import(&self, original: Bytes) -> Result<Imported, SoundError> {
        let source = original.clone();
        let (hash, prompt, loudness_lufs) = self
            .decoder
            .run(move || {
                let audio = intake::read(source.clone())?.audio;
                let loudness = loudness::integrated(&audio.samples, audio.rate);
                let prompt = Prompt::new(&audio).map_err(|_| SoundError::Decoder)?;
                Ok((files::sha256(&source), prompt, loudness))
            })
            .await?;
        let bytes = original.len() as u64;
        let duration = prompt.duration();
        self.write(&hash, ORIGINAL, original).await?;
        // Last: a sound is here when the file that is played is.
        self.write(&hash, PLAYED, prompt.wav().into()).await?;
        Ok(Imported {
            hash,
            bytes,
            duration,
            loudness_lufs,
        })
    }

    /// Takes in what a voice said, as if it was uploaded.
    ///
    /// # Errors
    ///
    /// [`SoundError`].
    pub async fn import_speech(&self, speech: &Mono) -> Result<Imported, SoundError> {
        let samples: Vec<i16> = speech.samples.iter().copied().map(to_i16).collect();
        self.import(wav::pcm16(speech.rate, &samples).into()).await
    }

    /// What callers would hear of what a voice said; nothing is kept.
    ///
    /// # Errors
    ///
    /// [`SoundError`].
    pub async fn as_heard(&self, speech: Mono) -> Result<Vec<u8>, SoundError> {
        let made = move || Prompt::new(&speech).map_err(|_| SoundError::Decoder);
        self.decoder.run(move || Ok(made()?.as_heard())).await
    }

    /// Takes in what a voice said, under a name of the caller's.
    ///
    /// # Errors
    ///
    /// [`SoundError`].
    pub async fn keep_as(&self, name: &str, speech: Mono) -> Result<Prompt, SoundError> {
        let made = move || Prompt::new(&speech).map_err(|_| SoundError::Decoder);
        let prompt = self.decoder.run(made).await?;
        self.write(name, PLAYED, prompt.wav().into()).await?;
        Ok(prompt)
    }

    /// Reads a sound that was taken in.
    ///
    /// # Errors
    ///
    /// [`SoundError`], when it is not there or damaged.
    pub async fn load(&self, hash: &str) -> Result<Prompt, SoundError> {
        let bytes = tokio::fs::read(self.path(hash, PLAYED)).await?;
        self.decoder.run(move || played_as_it_is(&bytes)).await
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

    /// Remembers that a sound was asked for now, in the time of its file.
    pub async fn touch(&self, name: &str) {
        let path = self.path(name, PLAYED);
        let touch = move || {
            let file = std::fs::OpenOptions::new().append(true).open(path)?;
            file.set_modified(SystemTime::now())
        };
        let touched = tokio::task::spawn_blocking(touch).await;
        if let Ok(Err(error)) = touched {
            tracing::warn!(%error, "a sound counts as asked for longer ago than it was");
        }
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

    async fn write(&self, name: &str, kind: &str, bytes: Bytes) -> io::Result<()> {
        tokio::fs::create_dir_all(self.shelf(name)).await?;
        let path = self.path(name, kind);
        let write = move || files::write_whole(&path, &bytes);
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(io::Error::other)?
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

/// Any file whose loudness is final, as music that is meant to be softer than speech. Heavy, too.
///
/// # Errors
///
/// [`SoundError`].
pub fn played(bytes: Bytes) -> Result<Prompt, SoundError> {
    let audio = intake::read(bytes)?.audio;
    let wide = audio.samples.into_iter().map(to_i16).collect();
    Prompt::from_wide(wide).map_err(|_| SoundError::Decoder)
}

/// A file that we wrote.
fn played_as_it_is(file: &[u8]) -> Result<Prompt, SoundError> {
    Prompt::from_wav(file).ok_or(SoundError::Decoder)
}

const ORIGINAL: &str = "original";
const PLAYED: &str = "wav";

/// Pieces of work at once for each decoder: a large upload and a caller's prompt together, no more.
const AT_ONCE_MAX: usize = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_caller_does_not_wait_behind_an_upload() {
        let folder = tempfile::tempdir().expect("a folder");
        let (uploads, calls) = (Decoder::default(), Decoder::default());
        let known = SoundFiles::new(folder.path().to_owned(), calls);
        let speech = Mono {
            rate: 16_000,
            samples: (0..16_000u16).map(|n| f32::from(n % 80) / 160.0).collect(),
        };
        let kept = known.keep_as("abcd", speech).await.expect("kept");

        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let begin = |uploads: Decoder| async move {
            let work = move || {
                let _ = finished.recv();
                Ok(())
            };
            uploads.run(work).await
        };
        let upload = tokio::spawn(begin(uploads.clone()));
        tokio::task::yield_now().await;
        assert_eq!(uploads.0.available_permits(), 0, "the upload is at work");
        assert!(known.load("abcd").await.expect("loaded") == kept);
        finish.send(()).expect("the upload waits");
        upload.await.expect("no panic").expect("done");
    }

    #[tokio::test]
    async fn a_decoder_that_breaks_down_takes_the_next_piece_of_work() {
        let decoder = Decoder::default();
        let broken: Result<(), _> = decoder.run(|| panic!("a bad file")).await;
        assert!(matches!(broken, Err(SoundError::Decoder)));
        assert_eq!(decoder.run(|| Ok(1)).await.expect("works"), 1);
    }
}

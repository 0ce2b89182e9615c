//! From the name of a clip to its frames: what is in memory at once, the rest in the background.

use std::collections::{BTreeMap, HashMap};
use std::f32::consts::TAU;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use desk::id::PromptId;
use exchange::clip::Clip;
use include_dir::{Dir, include_dir};
use ivr::Language;
use ivr::words;
use media_engine::audio::prompt::{Frames, Prompt, WIDE};
use media_engine::codec::Codec;
use sha2::{Digest, Sha256};

use crate::sound_files::{self, SoundError, SoundFiles};
use crate::voices::{Speech, VoiceError, Voices};

/// Clips that are in memory, in the codecs that calls speak.
#[derive(Debug, Default)]
pub struct Shelf {
    clips: HashMap<(Clip, Codec), Kept>,
    bytes: usize,
    /// Counts look-ups, so that the one that was not asked for longest can be told.
    turn: u64,
}

#[derive(Debug)]
struct Kept {
    frames: Arc<Frames>,
    used: u64,
}

impl Shelf {
    /// All of `clips`, or nothing when one of them is not here.
    pub fn take(&mut self, clips: &[Clip], codec: Codec) -> Option<Vec<Arc<Frames>>> {
        self.turn += 1;
        let turn = self.turn;
        clips
            .iter()
            .map(|clip| {
                let kept = self.clips.get_mut(&(clip.clone(), codec))?;
                kept.used = turn;
                Some(kept.frames.clone())
            })
            .collect()
    }

    /// Whether a clip is here.
    pub fn has(&self, clip: &Clip, codec: Codec) -> bool {
        self.clips.contains_key(&(clip.clone(), codec))
    }

    /// Keeps a clip; when the shelf is full, what was not asked for longest makes room.
    pub fn keep(&mut self, clip: Clip, frames: Arc<Frames>) {
        let key = (clip, frames.codec());
        self.bytes += frames.bytes();
        let kept = Kept {
            frames,
            used: self.turn,
        };
        if let Some(replaced) = self.clips.insert(key, kept) {
            self.bytes -= replaced.frames.bytes();
        }
        while self.bytes > SHELF_BYTES_MAX && self.clips.len() > 1 {
            let oldest = self.clips.iter().min_by_key(|(_, kept)| kept.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if let Some(gone) = self.clips.remove(&key) {
                self.bytes -= gone.frames.bytes();
            }
        }
    }

    /// Forgets the prompts that have changed.
    pub fn forget_prompts(&mut self, changed: impl Fn(&PromptId) -> bool) {
        let bytes = &mut self.bytes;
        self.clips.retain(|(clip, _), kept| {
            let goes = matches!(clip, Clip::Prompt(id) if changed(id));
            if goes {
                *bytes -= kept.frames.bytes();
            }
            !goes
        });
    }

    /// Bytes of memory that the frames take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Where clips come from.
#[derive(Debug)]
pub struct Sources {
    /// The sound of prompts.
    pub prompts: SoundFiles,
    /// What was spoken before: the same text in the same voice is said once.
    pub speech: SoundFiles,
    /// Who can speak.
    pub voices: Arc<Voices>,
    /// A folder of sounds that go before the shipped ones.
    pub sounds: Option<PathBuf>,
}

/// Why a clip is not heard.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// The prompt has no sound: it was deleted, or never published.
    #[error("the prompt has no sound")]
    NoSound,
    /// Its file is at fault.
    #[error(transparent)]
    Sound(#[from] SoundError),
    /// Nobody could speak it.
    #[error(transparent)]
    Voice(#[from] VoiceError),
}

impl Sources {
    /// Brings one clip, whatever it takes. `files` tells the sound file of each prompt.
    ///
    /// # Errors
    ///
    /// [`ClipError`]; the caller goes on without it.
    pub async fn load(
        &self,
        clip: &Clip,
        files: &BTreeMap<PromptId, String>,
    ) -> Result<Prompt, ClipError> {
        match clip {
            Clip::Prompt(id) => {
                let hash = files.get(id).ok_or(ClipError::NoSound)?;
                Ok(self.prompts.load(hash).await?)
            }
            Clip::Sound {
                language,
                name,
                text,
            } => {
                if let Some(samples) = generated(name) {
                    return prompt_of(samples);
                }
                match self
                    .shipped(&format!("{}/{name}", folder_of(*language)))
                    .await
                {
                    Some(bytes) => decoded(bytes).await,
                    None => self.speak(*language, None, text).await,
                }
            }
            Clip::Speech {
                language,
                voice,
                text,
            } => self.speak(*language, voice.as_deref(), text).await,
            Clip::Music => match self.shipped("music/default").await {
                Some(bytes) => in_background(move || sound_files::played(bytes)).await,
                None => prompt_of(silence(1_000)),
            },
            Clip::RingingTone => prompt_of(ringing_tone()),
        }
    }

    /// A text in a voice, from disk when it was said before.
    async fn speak(
        &self,
        language: Language,
        voice: Option<&str>,
        text: &str,
    ) -> Result<Prompt, ClipError> {
        // A voice that is not here any more must not silence the flow.
        let wanted = voice
            .and_then(|name| name.parse().ok())
            .filter(|name| self.voices.has(name));
        let voice = wanted.or_else(|| self.voices.default_for(language));
        let speech = Speech {
            text: text.to_owned(),
            language,
            voice,
            speed: 1.0,
        };
        let key = key_of(&speech);
        if let Ok(prompt) = self.speech.load(&key).await {
            return Ok(prompt);
        }
        let audio = self.voices.speak(&speech).await?;
        Ok(self.speech.keep_as(&key, audio).await?)
    }

    async fn shipped(&self, name: &str) -> Option<Bytes> {
        for extension in ["wav", "flac", "ogg", "mp3"] {
            let file = format!("{name}.{extension}");
            if let Some(folder) = &self.sounds
                && let Ok(bytes) = tokio::fs::read(folder.join(&file)).await
            {
                return Some(bytes.into());
            }
            if let Some(file) = SOUNDS.get_file(&file) {
                return Some(Bytes::from_static(file.contents()));
            }
        }
        None
    }
}

/// The sounds that ship with the program.
static SOUNDS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../sounds");

async fn decoded(bytes: Bytes) -> Result<Prompt, ClipError> {
    in_background(move || sound_files::decode(bytes)).await
}

async fn in_background(
    work: impl FnOnce() -> Result<Prompt, SoundError> + Send + 'static,
) -> Result<Prompt, ClipError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.unwrap_or(Err(SoundError::Decoder))?)
}

fn prompt_of(samples: Vec<f32>) -> Result<Prompt, ClipError> {
    #[allow(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let wide = samples
        .into_iter()
        .map(|sample| (sample * 32_767.0) as i16)
        .collect();
    Ok(Prompt::from_wide(wide).map_err(|_| SoundError::Decoder)?)
}

/// A sound that is made, not spoken.
fn generated(name: &str) -> Option<Vec<f32>> {
    let (name, ms) = words::GENERATED.iter().find(|(known, _)| *known == name)?;
    Some(if *name == words::BEEP {
        tone(BEEP_HZ, *ms)
    } else {
        silence(*ms)
    })
}

/// One second of 425 Hz, four of silence: the ringing tone of Brazil (ITU-T E.180 supplement 2).
fn ringing_tone() -> Vec<f32> {
    let mut samples = tone(RINGING_HZ, 1_000);
    samples.extend(silence(4_000));
    samples
}

fn tone(hz: f32, ms: u32) -> Vec<f32> {
    let rate = WIDE as f32;
    let count = samples_in(ms);
    let fade = samples_in(FADE_MS).max(1) as f32;
    (0..count)
        .map(|index| {
            let edge = (index.min(count - 1 - index) as f32 / fade).min(1.0);
            TONE_LEVEL * edge * (TAU * hz * index as f32 / rate).sin()
        })
        .collect()
}

fn silence(ms: u32) -> Vec<f32> {
    vec![0.0; samples_in(ms)]
}

fn samples_in(ms: u32) -> usize {
    (ms * (WIDE / 1_000)) as usize
}

fn folder_of(language: Language) -> &'static str {
    match language {
        Language::PtBr => "pt-BR",
        Language::En => "en",
        Language::Es => "es",
    }
}

/// The same text in the same voice has the same name on disk.
fn key_of(speech: &Speech) -> String {
    let voice = speech
        .voice
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let whole = format!("{voice}\n{}\n{}", speech.speed, speech.text);
    Sha256::digest(whole.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Frames in memory: at 8 kB a second of G.711, eight hours of prompts.
const SHELF_BYTES_MAX: usize = 256 * 1024 * 1024;

const BEEP_HZ: f32 = 1_000.0;
const RINGING_HZ: f32 = 425.0;

/// −14 dBFS: clearly heard, and not louder than speech.
const TONE_LEVEL: f32 = 0.2;

/// A tone that begins at once clicks.
const FADE_MS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use media_engine::audio::{intake, loudness};

    #[test]
    fn every_word_of_the_catalogue_ships_and_plays() {
        for language in Language::ALL {
            for (name, text) in words::catalogue(language) {
                let file = format!("{}/{name}.ogg", folder_of(language));
                let sound = SOUNDS.get_file(&file);
                let sound = sound.unwrap_or_else(|| panic!("{file} ({text}) is missing"));
                // Decoding them all takes a while: one language stands for the rest.
                if language != Language::PtBr {
                    continue;
                }
                let upload = intake::read(Bytes::from_static(sound.contents()));
                let audio = upload
                    .unwrap_or_else(|error| panic!("{file}: {error}"))
                    .audio;
                let ms = audio.duration().as_millis();
                assert!((80..9_000).contains(&ms), "{file}: {ms} ms");
                let peak = audio
                    .samples
                    .iter()
                    .fold(0.0f32, |most, s| most.max(s.abs()));
                assert!((0.1..1.0).contains(&peak), "{file}: {peak}");
            }
        }
    }

    #[test]
    fn the_waiting_music_is_whole_frames_below_the_loudness_of_speech() {
        let file = SOUNDS.get_file("music/default.flac").expect("the music");
        let audio = intake::read(Bytes::from_static(file.contents()))
            .expect("a sound")
            .audio;
        assert_eq!(audio.samples.len() % 320, 0);
        let lufs = loudness::integrated(&audio.samples, audio.rate).expect("sound");
        assert!((-25.0..-21.0).contains(&lufs), "{lufs} LUFS");
    }
}

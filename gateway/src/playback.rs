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
use media_engine::audio::to_i16;
use media_engine::codec::Codec;

use crate::sound_files::{self, Decoder, SoundError, SoundFiles};
use crate::speech::{SpeechError, SpeechFiles};

/// Clips that are in memory, in the codecs that calls speak.
#[derive(Debug)]
pub struct Shelf {
    clips: HashMap<Key, Kept>,
    /// The clips by when they were asked for, the one that was not asked for longest first.
    order: BTreeMap<u64, Key>,
    bytes: usize,
    /// How many there may be, [`SHELF_BYTES_MAX`] but in tests.
    bytes_max: usize,
    /// Counts what is asked for.
    turn: u64,
}

type Key = (Clip, Codec);

#[derive(Debug)]
struct Kept {
    frames: Arc<Frames>,
    /// Its place in the order.
    used: u64,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            clips: HashMap::new(),
            order: BTreeMap::new(),
            bytes: 0,
            bytes_max: SHELF_BYTES_MAX,
            turn: 0,
        }
    }
}

impl Shelf {
    /// All of `clips`, or nothing when one of them is not here.
    pub fn take(&mut self, clips: &[Clip], codec: Codec) -> Option<Vec<Arc<Frames>>> {
        let take = |clip: &Clip| {
            let kept = self.clips.get_mut(&(clip.clone(), codec))?;
            self.turn += 1;
            if let Some(key) = self.order.remove(&kept.used) {
                self.order.insert(self.turn, key);
            }
            kept.used = self.turn;
            Some(kept.frames.clone())
        };
        clips.iter().map(take).collect()
    }

    /// Whether a clip is here.
    pub fn has(&self, clip: &Clip, codec: Codec) -> bool {
        self.clips.contains_key(&(clip.clone(), codec))
    }

    /// Keeps a clip; when the shelf is full, what was not asked for longest makes room.
    pub fn keep(&mut self, clip: Clip, frames: Arc<Frames>) {
        self.turn += 1;
        let key = (clip, frames.codec());
        let used = self.turn;
        self.bytes += frames.bytes();
        self.order.insert(used, key.clone());
        if let Some(replaced) = self.clips.insert(key, Kept { frames, used }) {
            self.bytes -= replaced.frames.bytes();
            self.order.remove(&replaced.used);
        }
        while self.bytes > self.bytes_max && self.order.len() > 1 {
            let oldest = self.order.pop_first();
            if let Some(gone) = oldest.and_then(|(_, key)| self.clips.remove(&key)) {
                self.bytes -= gone.frames.bytes();
            }
        }
    }

    /// Forgets the prompts that have changed.
    pub fn forget_prompts(&mut self, changed: impl Fn(&PromptId) -> bool) {
        let Self {
            clips,
            order,
            bytes,
            ..
        } = self;
        clips.retain(|(clip, _), kept| {
            let goes = matches!(clip, Clip::Prompt(id) if changed(id));
            if goes {
                *bytes -= kept.frames.bytes();
                order.remove(&kept.used);
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
    /// What voices say.
    pub speech: SpeechFiles,
    /// A folder of sounds that go before the shipped ones.
    pub sounds: Option<PathBuf>,
    /// Decodes for calls; no upload gets it.
    pub decoder: Decoder,
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
    Speech(#[from] Arc<SpeechError>),
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
                let (language, name) = (*language, name.clone());
                if let Some((tone_hz, ms)) = generated(&name) {
                    return self.made(move || tone(tone_hz, ms)).await;
                }
                match self
                    .shipped(&format!("{}/{name}", folder_of(language)))
                    .await
                {
                    Some(bytes) => self.decoded(move || sound_files::decode(bytes)).await,
                    None => Ok(self.speech.say(language, None, text).await?),
                }
            }
            Clip::Speech {
                language,
                voice,
                text,
            } => Ok(self.speech.say(*language, voice.as_deref(), text).await?),
            Clip::Music => match self.shipped("music/default").await {
                Some(bytes) => self.decoded(move || sound_files::played(bytes)).await,
                None => self.made(|| silence(1_000)).await,
            },
            Clip::RingingTone => self.made(ringing_tone).await,
        }
    }

    async fn decoded(
        &self,
        work: impl FnOnce() -> Result<Prompt, SoundError> + Send + 'static,
    ) -> Result<Prompt, ClipError> {
        Ok(self.decoder.run(work).await?)
    }

    /// A sound that is made, not spoken.
    async fn made(
        &self,
        make: impl FnOnce() -> Vec<f32> + Send + 'static,
    ) -> Result<Prompt, ClipError> {
        self.decoded(move || {
            let wide = make().into_iter().map(to_i16).collect();
            Prompt::from_wide(wide).map_err(|_| SoundError::Decoder)
        })
        .await
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

/// A sound that is made: its tone, 0 Hz for silence, and how long it lasts, in milliseconds.
fn generated(name: &str) -> Option<(f32, u32)> {
    let (name, ms) = words::GENERATED.iter().find(|(known, _)| *known == name)?;
    let hz = if *name == words::BEEP { BEEP_HZ } else { 0.0 };
    Some((hz, *ms))
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

    /// 20 ms of A-law each: 160 bytes.
    fn frames(count: usize) -> Arc<Frames> {
        let prompt = Prompt::from_wide(vec![0; count * 320]).expect("a rate");
        Arc::new(prompt.frames(Codec::Pcma))
    }

    fn prompt(name: &str) -> Clip {
        Clip::Prompt(name.parse().expect("an id"))
    }

    #[test]
    fn a_full_shelf_loses_what_was_not_asked_for_longest() {
        let mut shelf = Shelf {
            bytes_max: 4 * frames(1).bytes(),
            ..Shelf::default()
        };
        let names = ["a", "b", "c", "d"];
        for name in names {
            shelf.keep(prompt(name), frames(1));
        }
        assert!(shelf.take(&[prompt("a")], Codec::Pcma).is_some());
        shelf.keep(prompt("b"), frames(1));
        assert_eq!(shelf.bytes(), 4 * frames(1).bytes(), "a clip is kept once");
        shelf.keep(prompt("e"), frames(2));
        let kept = |shelf: &Shelf| {
            let has = |name: &&str| shelf.has(&prompt(name), Codec::Pcma);
            ["a", "b", "c", "d", "e"]
                .into_iter()
                .filter(has)
                .collect::<String>()
        };
        assert_eq!(kept(&shelf), "abe");

        shelf.forget_prompts(|id| id.as_str() == "a");
        assert_eq!(kept(&shelf), "be");
        assert_eq!(shelf.bytes(), 3 * frames(1).bytes());
        shelf.keep(prompt("f"), frames(100));
        assert_eq!(kept(&shelf), "", "what is too large alone is kept alone");
        assert_eq!((shelf.order.len(), shelf.clips.len()), (1, 1));
    }

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
                assert!((80..15_000).contains(&ms), "{file}: {ms} ms");
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

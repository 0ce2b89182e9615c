//! Kokoro-82M: a neural voice on one core, when its files are there.
//!
//! ```text
//!  data/voices/kokoro/model.onnx            the model (Apache-2.0), `cargo xtask voices` fetches it
//!                     libonnxruntime.so     what runs it
//!                     voices/pf_dora.bin    510 styles of 256 floats: one for each length of utterance
//! ```
//!
//! Nothing of it is loaded before somebody speaks. One utterance is made at a time, on one thread
//! that serves no call: the calls have the other cores.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ivr::Language;
use media_engine::audio::Mono;
use ort::session::Session;
use ort::value::Tensor;
use tokio::sync::Semaphore;

use super::espeak::Espeak;
use super::{EngineKind, Voice, VoiceError, VoiceName, edges, phonemes};

/// The model, found on this machine.
#[derive(Debug)]
pub(super) struct Kokoro {
    folder: PathBuf,
    voices: Vec<Voice>,
    model: Arc<Model>,
    /// One utterance at a time.
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Model {
    folder: PathBuf,
    session: Mutex<Option<Session>>,
}

impl Kokoro {
    /// Looks whether the files are there; what is missing is no error.
    pub(super) async fn discover(data: &Path) -> Option<Self> {
        let folder = data.join("voices/kokoro");
        for file in [MODEL, LIBRARY] {
            tokio::fs::metadata(folder.join(file)).await.ok()?;
        }
        let mut voices = Vec::new();
        for (voice, name, language) in VOICES {
            let file = tokio::fs::metadata(style_file(&folder, voice)).await;
            if file.is_ok_and(|file| file.len() == STYLE_FILE_BYTES) {
                voices.push(Voice {
                    id: VoiceName {
                        engine: EngineKind::Kokoro,
                        voice: (*voice).to_owned(),
                    },
                    name: (*name).to_owned(),
                    language: *language,
                });
            }
        }
        let model = Model {
            folder: folder.clone(),
            session: Mutex::new(None),
        };
        (!voices.is_empty()).then(|| Self {
            folder,
            voices,
            model: Arc::new(model),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// The voices whose files are there, the best of each language first.
    pub(super) fn voices(&self) -> impl Iterator<Item = Voice> {
        self.voices.iter().cloned()
    }

    /// Says `text`; `espeak` tells how it is pronounced.
    pub(super) async fn speak(
        &self,
        espeak: &Espeak,
        voice: &Voice,
        text: &str,
        speed: f32,
    ) -> Result<Mono, VoiceError> {
        let mut clauses = Vec::new();
        for clause in phonemes::clauses(text) {
            let ipa = espeak
                .phonemes(pronunciation(voice.language), &clause.text)
                .await?;
            clauses.push(phonemes::spoken(voice.language, &clause, &ipa));
        }
        let file = style_file(&self.folder, &voice.id.voice);
        let styles = tokio::fs::read(file)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let mut speech = Mono {
            rate: RATE,
            samples: vec![],
        };
        for tokens in phonemes::utterances(clauses) {
            // The model's own last pause is cut; the text says how long it is.
            if !speech.samples.is_empty() {
                edges::rest(&mut speech, edges::pause_after("."));
            }
            let style = style(&styles, tokens.len())
                .ok_or_else(|| failed("the voice's file is too short".to_owned()))?;
            speech
                .samples
                .extend(self.utter(tokens, style, speed).await?.samples);
        }
        if speech.samples.is_empty() {
            return Err(failed("there is nothing to say in this text".to_owned()));
        }
        edges::rest(&mut speech, edges::pause_after(text));
        Ok(speech)
    }

    /// Says one utterance. When nobody waits any more, the model still finishes it, and the next
    /// one waits for that.
    async fn utter(
        &self,
        tokens: Vec<i64>,
        style: Vec<f32>,
        speed: f32,
    ) -> Result<Mono, VoiceError> {
        let turn = self.turn.clone().acquire_owned().await;
        let model = self.model.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            model.run(tokens, style, speed)
        });
        match work.await {
            Ok(Ok(samples)) => {
                let mut speech = Mono {
                    rate: RATE,
                    samples,
                };
                edges::trim(&mut speech);
                Ok(speech)
            }
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl Model {
    /// Heavy: about a second of one core for each second of speech.
    fn run(&self, tokens: Vec<i64>, style: Vec<f32>, speed: f32) -> Result<Vec<f32>, RunError> {
        // A panic of an earlier run leaves a session that may be anything: it is loaded anew.
        let mut session = self.session.lock().unwrap_or_else(|poisoned| {
            let mut session = poisoned.into_inner();
            *session = None;
            session
        });
        let session = match &mut *session {
            Some(session) => session,
            none => none.insert(self.load()?),
        };
        let padded = [&[PAD][..], &tokens, &[PAD]].concat();
        let outputs = session.run(ort::inputs![
            "tokens" => Tensor::from_array(([1, padded.len()], padded))?,
            "style" => Tensor::from_array(([1, STYLE], style))?,
            "speed" => Tensor::from_array(([1], vec![speed]))?,
        ])?;
        let (_, samples) = outputs["audio"].try_extract_tensor::<f32>()?;
        Ok(samples.to_vec())
    }

    fn load(&self) -> Result<Session, RunError> {
        let environment = ort::init_from(self.folder.join(LIBRARY))?
            .with_name("ramal")
            .build()?;
        let builder = Session::builder(&environment)?;
        let builder = builder
            .with_intra_threads(1)
            .map_err(|error| error.to_string())?;
        let mut builder = builder
            .with_inter_threads(1)
            .map_err(|error| error.to_string())?;
        Ok(builder.commit_from_file(self.folder.join(MODEL))?)
    }
}

/// Whatever the model or what runs it says.
type RunError = Box<dyn std::error::Error + Send + Sync>;

/// The style for an utterance of so many tokens.
fn style(file: &[u8], tokens: usize) -> Option<Vec<f32>> {
    let row = tokens.min(phonemes::TOKENS_MAX - 1);
    let bytes = file.get(row * STYLE * 4..(row + 1) * STYLE * 4)?;
    let floats = bytes.chunks_exact(4);
    Some(
        floats
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect(),
    )
}

fn style_file(folder: &Path, voice: &str) -> PathBuf {
    folder.join("voices").join(format!("{voice}.bin"))
}

/// Who tells espeak-ng's pronunciation. Spanish is America's: our callers are there.
fn pronunciation(language: Language) -> &'static str {
    match language {
        Language::PtBr => "pt-br",
        Language::En => "en-us",
        Language::Es => "es-419",
    }
}

fn failed(what: String) -> VoiceError {
    VoiceError::Engine {
        engine: "Kokoro",
        what,
    }
}

const MODEL: &str = "model.onnx";
const LIBRARY: &str = "libonnxruntime.so";

/// What the model speaks at, in samples per second.
const RATE: u32 = 24_000;

/// Floats in a style.
const STYLE: usize = 256;

const STYLE_FILE_BYTES: u64 = (phonemes::TOKENS_MAX * STYLE * 4) as u64;

/// What stands at both ends of an utterance.
const PAD: i64 = 0;

const VOICES: &[(&str, &str, Language)] = &[
    ("pf_dora", "Dora", Language::PtBr),
    ("pm_alex", "Alex", Language::PtBr),
    ("pm_santa", "Santa", Language::PtBr),
    ("af_heart", "Heart", Language::En),
    ("am_michael", "Michael", Language::En),
    ("ef_dora", "Dora", Language::Es),
    ("em_alex", "Alex", Language::Es),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_its_files_the_engine_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Kokoro::discover(folder.path()).await.is_none());
        let kokoro = folder.path().join("voices/kokoro");
        std::fs::create_dir_all(kokoro.join("voices")).expect("a folder");
        for file in [MODEL, LIBRARY, "voices/pf_dora.bin"] {
            std::fs::write(kokoro.join(file), b"short").expect("a file");
        }
        assert!(Kokoro::discover(folder.path()).await.is_none());
    }

    #[tokio::test]
    async fn a_broken_library_is_an_error_and_no_crash() {
        let Some(espeak) = Espeak::discover().await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let kokoro = folder.path().join("voices/kokoro");
        std::fs::create_dir_all(kokoro.join("voices")).expect("a folder");
        for (file, length) in [(MODEL, 9), (LIBRARY, 9), ("voices/pf_dora.bin", 522_240)] {
            std::fs::write(kokoro.join(file), vec![1; length]).expect("a file");
        }
        let kokoro = Kokoro::discover(folder.path()).await.expect("its files");
        let voice = kokoro.voices().next().expect("a voice");
        let spoken = kokoro.speak(&espeak, &voice, "Olá.", 1.0).await;
        assert!(
            matches!(spoken, Err(VoiceError::Engine { .. })),
            "{spoken:?}"
        );
    }

    /// With the real model, where `RAMAL_TEST_VOICES` names a data folder that has it.
    #[tokio::test]
    async fn the_real_model_speaks_and_speed_is_speed() {
        let Some(data) = std::env::var_os("RAMAL_TEST_VOICES") else {
            return;
        };
        let espeak = Espeak::discover().await.expect("espeak-ng");
        let kokoro = Kokoro::discover(Path::new(&data)).await.expect("its files");
        let text = "Olá! Você ligou para a Empresa Exemplo. Para vendas, digite um.";
        for voice in kokoro.voices() {
            let normal = kokoro
                .speak(&espeak, &voice, text, 1.0)
                .await
                .expect("speech");
            let fast = kokoro
                .speak(&espeak, &voice, text, 1.5)
                .await
                .expect("speech");
            let ratio = normal.duration().as_secs_f32() / fast.duration().as_secs_f32();
            assert!((1.2..1.8).contains(&ratio), "{}: {ratio}", voice.id);
            let length = normal.duration().as_secs_f32();
            assert!((2.5..9.0).contains(&length), "{}: {length} s", voice.id);
            let loud = normal.samples.iter().any(|sample| sample.abs() > 0.1);
            let sane = normal.samples.iter().all(|sample| sample.abs() <= 1.5);
            assert!(loud && sane, "{}", voice.id);
        }
    }
}

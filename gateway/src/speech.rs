//! What voices said, kept on disk so that it is said once.
//!
//! ```text
//!  data/speech/ab/abcd….wav    named by voice, speed and text; touched whenever it is played from disk
//! ```
//!
//! The folder has a limit. Beyond it goes what was not asked for longest, but nothing that a
//! published flow says: whoever calls next shall not wait for a voice.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ivr::Language;
use media_engine::audio::prompt::Prompt;
use serde_json::Value;
use store::Store;
use tokio::sync::Mutex;

use crate::files;
use crate::flights::Flights;
use crate::sound_files::{Decoder, SoundError, SoundFiles};
use crate::voices::{Speech, VoiceError, VoiceName, Voices};

/// The folder of everything that voices said.
#[derive(Debug)]
pub struct SpeechFiles {
    folder: PathBuf,
    files: SoundFiles,
    voices: Arc<Voices>,
    /// Knows what published flows say.
    store: Store,
    under_way: Flights<String, Result<Prompt, Arc<SpeechError>>>,
    /// Bytes in the folder; nothing before they were counted.
    bytes: Mutex<Option<u64>>,
    /// How many there may be, [`BYTES_MAX`] but in tests.
    bytes_max: u64,
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// Nobody could say it.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// It could not be kept.
    #[error(transparent)]
    Sound(#[from] SoundError),
}

impl SpeechFiles {
    /// Keeps speech in `folder`, which is made when something is said first.
    pub fn new(folder: PathBuf, decoder: Decoder, voices: Arc<Voices>, store: Store) -> Self {
        Self {
            files: SoundFiles::new(folder.clone(), decoder),
            folder,
            voices,
            store,
            under_way: Flights::default(),
            bytes: Mutex::new(None),
            bytes_max: BYTES_MAX,
        }
    }

    /// A text in a voice, from disk when it was said before. The best voice of the language speaks
    /// where the wanted one is not here: a voice that went must not silence a flow.
    ///
    /// # Errors
    ///
    /// [`SpeechError`].
    pub async fn say(
        &self,
        language: Language,
        voice: Option<&str>,
        text: &str,
    ) -> Result<Prompt, Arc<SpeechError>> {
        let speech = self.speech(language, voice, text);
        let key = key_of(&speech);
        let work = async { self.find_or_speak(&key, &speech).await.map_err(Arc::new) };
        self.under_way.join(key.clone(), work).await
    }

    fn speech(&self, language: Language, voice: Option<&str>, text: &str) -> Speech {
        let wanted = voice
            .and_then(|name| name.parse::<VoiceName>().ok())
            .filter(|name| self.voices.has(name));
        Speech {
            text: text.to_owned(),
            language,
            voice: wanted.or_else(|| self.voices.default_for(language)),
            speed: 1.0,
        }
    }

    async fn find_or_speak(&self, key: &str, speech: &Speech) -> Result<Prompt, SpeechError> {
        if let Ok(prompt) = self.files.load(key).await {
            self.files.touch(key).await;
            return Ok(prompt);
        }
        let audio = self.voices.speak(speech).await?;
        let prompt = self.files.keep_as(key, audio).await?;
        self.make_room(key, prompt.wide().len() as u64 * 2).await;
        Ok(prompt)
    }

    /// `key` came, with so many bytes: what was not asked for longest goes, if it must.
    async fn make_room(&self, key: &str, came: u64) {
        let mut bytes = self.bytes.lock().await;
        match &mut *bytes {
            Some(counted) if *counted + came <= self.bytes_max => *counted += came,
            Some(_) | None => match self.clear(key).await {
                Ok(left) => *bytes = Some(left),
                Err(error) => tracing::error!(%error, "old speech stays on disk"),
            },
        }
    }

    /// Returns how many bytes are left. More than one file goes at a time, so that the folder is
    /// not read for each new one.
    async fn clear(&self, key: &str) -> Result<u64, ClearError> {
        let mut needed = self.published().await?;
        needed.insert(key.to_owned());
        let (folder, bytes_max) = (self.folder.clone(), self.bytes_max);
        let clear = move || clear(&folder, &needed, bytes_max);
        Ok(tokio::task::spawn_blocking(clear)
            .await
            .map_err(io::Error::other)??)
    }

    /// The names of all that published flows say in so many words.
    async fn published(&self) -> Result<HashSet<String>, store::Error> {
        let flows = store::flows::all_published(self.store.pool()).await?;
        let mut names = HashSet::new();
        for flow in flows {
            let definition = &flow.definition;
            let text = |name: &str| definition.get(name).and_then(Value::as_str);
            let language = text("language").and_then(Language::from_tag);
            let language = language.unwrap_or_default();
            let mut add = |said: &str, voice: Option<&str>| {
                let speech = self.speech(language, voice.or(text("voice")), said.trim());
                names.insert(key_of(&speech));
            };
            texts(definition, &mut add);
        }
        Ok(names)
    }
}

/// Why old speech was not cleared away.
#[derive(Debug, thiserror::Error)]
enum ClearError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Calls `each` with every text and voice that a flow says (`ivr::Say::Text`). A text with
/// variables is another one in each call: it is not among what is needed.
fn texts(value: &Value, each: &mut impl FnMut(&str, Option<&str>)) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| texts(value, each)),
        Value::Object(fields) => {
            let field = |name: &str| fields.get(name).and_then(Value::as_str);
            match (field("kind"), field("text")) {
                (Some("text"), Some(text)) if !text.contains("{{") => each(text, field("voice")),
                (_, _) => fields.values().for_each(|value| texts(value, each)),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes what was not asked for longest and is not `needed`, until a tenth below the limit.
/// Returns how many bytes are left.
fn clear(folder: &Path, needed: &HashSet<String>, bytes_max: u64) -> io::Result<u64> {
    let mut files = files_in(folder)?;
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    if bytes <= bytes_max {
        return Ok(bytes);
    }
    files.sort_by_key(|file| file.used);
    for file in files {
        if bytes <= bytes_max / 10 * 9 {
            break;
        }
        let name = file.path.file_stem().and_then(|name| name.to_str());
        if name.is_some_and(|name| needed.contains(name)) {
            continue;
        }
        std::fs::remove_file(&file.path)?;
        bytes -= file.bytes;
    }
    Ok(bytes)
}

struct SpeechFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn files_in(folder: &Path) -> io::Result<Vec<SpeechFile>> {
    let mut files = Vec::new();
    for shelf in std::fs::read_dir(folder)? {
        let shelf = shelf?;
        if !shelf.file_type()?.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(shelf.path())? {
            let entry = entry?;
            let found = entry.metadata()?;
            files.push(SpeechFile {
                path: entry.path(),
                bytes: found.len(),
                used: found.modified()?,
            });
        }
    }
    Ok(files)
}

/// The same text in the same voice has the same name on disk.
fn key_of(speech: &Speech) -> String {
    let voice = speech
        .voice
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let whole = format!("{voice}\n{}\n{}", speech.speed, speech.text);
    files::sha256(whole.as_bytes())
}

/// Bytes of speech on disk: at 16 kHz some nine hours, more than flows say and enough for names
/// and sums that come again.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use axum::Router;
    use axum::routing::post;
    use desk::id::{CompanyId, FlowId};
    use media_engine::audio::wav;
    use serde_json::json;
    use store::{companies, flows, sqlite_url};

    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        store: Store,
        speech: SpeechFiles,
        /// How often the server of the voice was asked.
        asked: Arc<AtomicUsize>,
    }

    impl Scene {
        async fn new(bytes_max: u64) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let asked = Arc::<AtomicUsize>::default();
            let counted = asked.clone();
            let answer = move || {
                counted.fetch_add(1, Ordering::Relaxed);
                let samples: Vec<i16> = (0..16_000).map(|n: i16| n % 80 * 100).collect();
                std::future::ready(wav::pcm16(16_000, &samples))
            };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let server = Router::new().route("/v1/audio/speech", post(answer));
            tokio::spawn(async move { axum::serve(listener, server).await });
            std::fs::create_dir(folder.path().join("voices")).expect("a folder");
            let settings = json!({
                "url": format!("http://{address}"), "model": "tts-1",
                "voices": [{ "voice": "alloy", "language": "pt-BR" }],
            });
            std::fs::write(
                folder.path().join("voices/openai.json"),
                settings.to_string(),
            )
            .expect("written");
            let store = Store::open(&sqlite_url(&folder.path().join("ramal.db"))).await;
            let store = store.expect("a store");
            let mut speech = SpeechFiles::new(
                folder.path().join("speech"),
                Decoder::default(),
                Arc::new(Voices::discover(folder.path()).await),
                store.clone(),
            );
            speech.bytes_max = bytes_max;
            Self {
                folder,
                store,
                speech,
                asked,
            }
        }

        async fn say(&self, text: &str) -> Prompt {
            let said = self.speech.say(Language::PtBr, Some(VOICE), text).await;
            said.expect("speech")
        }

        fn has(&self, text: &str) -> bool {
            self.path(text).exists()
        }

        fn path(&self, text: &str) -> PathBuf {
            let key = key_of(&self.speech.speech(Language::PtBr, Some(VOICE), text));
            let shelf = self.folder.path().join("speech").join(&key[..2]);
            shelf.join(format!("{key}.wav"))
        }

        /// Lets `text` be asked for last so many minutes ago.
        fn age(&self, text: &str, minutes: u64) {
            let file = std::fs::OpenOptions::new()
                .append(true)
                .open(self.path(text));
            let used = SystemTime::now() - Duration::from_secs(60 * minutes);
            file.expect("a file").set_modified(used).expect("a time");
        }
    }

    #[tokio::test]
    async fn what_many_want_said_at_once_is_said_once() {
        let scene = Scene::new(BYTES_MAX).await;
        let say = || scene.say("Um momento, por favor.");
        let (one, two, three) = tokio::join!(say(), say(), say());
        assert!(one == two && two == three);
        scene.say("Um momento, por favor.").await;
        assert_eq!(scene.asked.load(Ordering::Relaxed), 1);

        // And where nothing is kept, as for one who tries a voice.
        let voices = &scene.speech.voices;
        let taste = scene.speech.speech(Language::PtBr, Some(VOICE), "Olá.");
        let (one, two) = tokio::join!(voices.speak(&taste), voices.speak(&taste));
        assert_eq!(one.expect("speech"), two.expect("speech"));
        assert_eq!(scene.asked.load(Ordering::Relaxed), 2);
        let other = Speech {
            speed: 1.5,
            ..taste.clone()
        };
        let (_, _) = tokio::join!(voices.speak(&taste), voices.speak(&other));
        assert_eq!(scene.asked.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn beyond_the_limit_goes_what_was_not_asked_for_longest_and_no_flow_says() {
        // A second of speech is 32 kB: three and a half of them.
        let scene = Scene::new(112_000).await;
        publish(&scene.store).await;
        for (minutes, text) in [(50, "Do fluxo."), (40, "Velho."), (30, "Usado.")] {
            scene.say(text).await;
            scene.age(text, minutes);
        }
        scene.say("Usado.").await;
        scene.say("Novo.").await;
        let left = ["Do fluxo.", "Velho.", "Usado.", "Novo."].map(|text| scene.has(text));
        assert_eq!(left, [true, false, true, true]);

        scene.age("Novo.", 20);
        scene.say("Mais novo.").await;
        let left = ["Do fluxo.", "Usado.", "Novo.", "Mais novo."].map(|text| scene.has(text));
        assert_eq!(left, [true, true, false, true]);
        assert_eq!(scene.asked.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn a_text_with_variables_is_no_text_of_the_flow() {
        let flow = json!({ "nodes": { "a": { "say": [
            { "kind": "text", "text": "Olá.", "voice": "x" },
            { "kind": "text", "text": "Olá, {{name}}." },
            { "kind": "prompt", "prompt": "p" },
        ] } } });
        let mut found = vec![];
        texts(&flow, &mut |text, voice| {
            found.push((text.to_owned(), voice.map(str::to_owned)));
        });
        assert_eq!(found, [("Olá.".to_owned(), Some("x".to_owned()))]);
    }

    async fn publish(store: &Store) {
        let company: CompanyId = "a".parse().expect("an id");
        let flow: FlowId = "menu".parse().expect("an id");
        let row = companies::Company {
            id: company.clone(),
            name: "A".into(),
            language: "pt-BR".into(),
            time_zone: "America/Sao_Paulo".into(),
            settings: Value::Null,
            disabled: false,
            created_ms: 1,
        };
        let mut db = store.begin().await.expect("a transaction");
        companies::insert(&mut *db, &row).await.expect("a company");
        let draft = json!({
            "format": 1, "language": "pt-BR", "voice": VOICE, "entry": "a",
            "nodes": { "a": { "kind": "prompt", "say": [{ "kind": "text", "text": " Do fluxo. " }] } },
        });
        let row = flows::Flow {
            id: flow.clone(),
            company: company.clone(),
            name: "Menu".into(),
            draft,
            draft_revision: 1,
            last_version: 0,
            published: None,
            created_ms: 1,
            updated_ms: 1,
        };
        flows::insert(&mut *db, &row).await.expect("a flow");
        let version = flows::publish(&mut db, &company, &flow, 1, None, 1).await;
        assert_eq!(version.expect("published"), Some(1));
        db.commit().await.expect("committed");
    }

    const VOICE: &str = "openai:alloy";
}

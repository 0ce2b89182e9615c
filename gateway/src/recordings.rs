//! Recordings of calls, once the media threads have written them: made small, proved, put away, and
//! deleted when their time is over.
//!
//! ```text
//!  media: calls/NAME.wav ─▶ Archive (one thread, the least urgent) ─▶ NAME.flac or NAME.opus
//!                             decoded again and held against the WAV ─▶ row, trail ─▶ the WAV is deleted
//! ```
//!
//! A WAV that is there when the program begins was left behind by a crash, and is put away like any
//! other. One that cannot be made small, or not proved, is kept as it is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use desk::id::{AuditId, CompanyId, InteractionId, RecordingId, ServiceId};
use desk::record::TrailKind;
use media_engine::audio::archive::{self, ArchiveError, Keeping, Recorded};
use media_engine_net::{clock, threads};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::recordings::{self, Recording};
use store::{Store, audit, trail};
use tokio::runtime::Handle;

use crate::files;

/// How a company keeps its recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingRules {
    /// The form in which they are kept from now on.
    pub format: Format,
    /// After so many days they are deleted; without it they stay.
    #[schema(minimum = 1, maximum = 36_500)]
    pub keep_days: Option<u32>,
    /// Other days for the calls of these services, by their ids.
    #[schema(value_type = std::collections::BTreeMap<String, u32>)]
    pub services: BTreeMap<ServiceId, u32>,
}

/// The form of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The same to the bit, a third to a half of the size.
    #[default]
    Flac,
    /// A sixth of the size.
    Opus,
}

impl RecordingRules {
    /// The first field that cannot be taken, if any.
    pub fn wrong(&self) -> Option<&'static str> {
        let fits = |days: u32| (1..=DAYS_MAX).contains(&days);
        if self.keep_days.is_some_and(|days| !fits(days)) {
            return Some("keep_days");
        }
        let all_fit = self.services.values().all(|days| fits(*days));
        (!all_fit || self.services.len() > SERVICES_MAX).then_some("services")
    }

    /// By which rule a recording is to be deleted after how many days.
    fn days_of(&self, service: Option<&ServiceId>) -> Option<(&'static str, u32)> {
        let own = service.and_then(|service| self.services.get(service));
        own.map(|days| ("service", *days))
            .or(self.keep_days.map(|days| ("company", days)))
    }

    /// The shortest time that any recording is kept.
    fn shortest(&self) -> Option<u32> {
        self.services.values().copied().chain(self.keep_days).min()
    }
}

/// A century.
const DAYS_MAX: u32 = 36_500;

/// As many as a company has, and more.
const SERVICES_MAX: usize = 10_000;

/// Where a call is recorded that began at `started_ms`. No other recording has the name.
pub fn unfinished(folder: &Path, call: &InteractionId, started_ms: i64, leg: u64) -> PathBuf {
    folder.join(format!("{call}.{started_ms}.{leg}.wav"))
}

/// Where a recording is kept.
pub fn path(folder: &Path, recording: &Recording) -> PathBuf {
    folder.join(format!("{}.{}", recording.file, recording.format))
}

/// Puts recordings away, one at a time. Clones do the same work.
#[derive(Debug, Clone)]
pub struct Archive {
    written: Sender<PathBuf>,
}

impl Archive {
    /// Starts with what lies in the folder. The thread ends when every clone is gone.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn start(folder: PathBuf, store: Store, seed: [u8; 32]) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let (written, all) = channel();
        for path in left_behind(&folder)? {
            let _ = written.send(path); // the other end is here
        }
        let archivist = Archivist {
            folder,
            store,
            random: StdRng::from_seed(seed),
            runtime: Handle::current(),
        };
        thread::Builder::new()
            .name("archive".to_owned())
            .spawn(move || archivist.run(&all))?;
        Ok(Self { written })
    }

    /// Puts away what the media threads have finished.
    pub fn put_away(&self, wav: PathBuf) {
        // Without the thread it is found at the next start.
        let _ = self.written.send(wav);
    }
}

/// The WAVs of calls that died with the process; what was half made of them is deleted.
fn left_behind(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ends = |end| path.extension().is_some_and(|extension| extension == end);
        if ends("unfinished") {
            fs::remove_file(&path)?;
        } else if ends("wav") {
            left.push(path);
        }
    }
    left.sort();
    Ok(left)
}

struct Archivist {
    folder: PathBuf,
    store: Store,
    random: StdRng,
    runtime: Handle,
}

/// Why a recording stays as it is until the next start.
#[derive(Debug, thiserror::Error)]
enum Postponed {
    #[error("no call of this name is known")]
    Unknown,
    #[error(transparent)]
    Disk(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the rules cannot be read: {0}")]
    Rules(#[from] serde_json::Error),
}

impl Archivist {
    fn run(mut self, written: &Receiver<PathBuf>) {
        threads::yield_to_others();
        while let Ok(wav) = written.recv() {
            if let Err(error) = self.put_away(&wav) {
                let wav = wav.display();
                tracing::error!(%wav, %error, "a recording waits for the next start");
            }
        }
    }

    /// Every step may be the last before a crash: what is there is found again, and put away once.
    fn put_away(&mut self, wav: &Path) -> Result<(), Postponed> {
        let (call, started_ms, name) = read_name(wav).ok_or(Postponed::Unknown)?;
        let pool = self.store.pool();
        if self.runtime.block_on(recordings::has_file(pool, name))? {
            return self.discard(wav, name);
        }
        let found = self.runtime.block_on(recordings::of_whom(pool, &call))?;
        let (company, service) = found.ok_or(Postponed::Unknown)?;
        let rules = self
            .runtime
            .block_on(recordings::rules_of(pool, &company))?;
        let rules: RecordingRules =
            rules.map_or_else(|| Ok(RecordingRules::default()), serde_json::from_value)?;
        let Some((format, duration, bytes)) = shrink(wav, &self.folder, name, rules.format)? else {
            return Ok(fs::remove_file(wav)?); // nobody said anything
        };
        let now_ms = clock::wall().as_millisecond();
        let recording = Recording {
            id: RecordingId::new(now_ms, &mut self.random),
            company,
            interaction: call,
            service,
            file: name.to_owned(),
            format: format.to_owned(),
            bytes,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            started_ms,
            kept_ms: now_ms,
        };
        self.runtime.block_on(remember(&self.store, &recording))?;
        self.discard(wav, name)
    }

    /// Deletes the WAV of a recording that is kept in another form.
    fn discard(&self, wav: &Path, name: &str) -> Result<(), Postponed> {
        let has = |format: &str| self.folder.join(format!("{name}.{format}")).exists();
        if has("flac") || has("opus") {
            fs::remove_file(wav)?;
        }
        Ok(())
    }
}

/// The call, when its recording began, and the name without its end.
fn read_name(wav: &Path) -> Option<(InteractionId, i64, &str)> {
    let name = wav.file_stem()?.to_str()?;
    let mut parts = name.split('.');
    let call = parts.next()?.parse().ok()?;
    let started_ms = parts.next()?.parse().ok()?;
    Some((call, started_ms, name))
}

async fn remember(store: &Store, recording: &Recording) -> Result<(), store::Error> {
    let mut db = store.begin().await?;
    recordings::insert(&mut *db, recording).await?;
    let detail = json!({ "recording": recording.id, "seconds": recording.duration_ms / 1_000 });
    let (call, at_ms) = (&recording.interaction, recording.kept_ms);
    trail::append_later(&mut *db, call, at_ms, TrailKind::Recorded, &detail).await?;
    db.commit().await
}

type Shrunk = (&'static str, Duration, u64);

/// Writes a recording in another form beside the WAV and proves it; for good, when this returns. `None`
/// where there is nothing in it.
fn shrink(wav: &Path, folder: &Path, name: &str, format: Format) -> io::Result<Option<Shrunk>> {
    let (keeping, word) = match format {
        Format::Flac => (Keeping::Flac, "flac"),
        Format::Opus => (Keeping::Opus, "opus"),
    };
    let unfinished = folder.join(format!("{name}.{word}.unfinished"));
    let shrunk = write_and_prove(wav, &unfinished, keeping);
    match shrunk {
        Ok((samples, rate)) if samples > 0 => {
            files::put(&unfinished, &folder.join(format!("{name}.{word}")))?;
            let bytes = fs::metadata(folder.join(format!("{name}.{word}")))?.len();
            Ok(Some((word, duration(samples, rate), bytes)))
        }
        Ok(_) => fs::remove_file(&unfinished).map(|()| None),
        Err(ArchiveError::Io(error)) => Err(error),
        Err(error @ (ArchiveError::Foreign | ArchiveError::Unfaithful(_))) => {
            tracing::error!(%name, %error, "a recording stays a WAV file");
            let _ = fs::remove_file(&unfinished); // it may not be there
            let bytes = fs::metadata(wav)?.len();
            // Of one that is not even ours nothing is known but its size.
            let samples = bytes.saturating_sub(58) / 4;
            Ok(Some(("wav", duration(samples, 8_000), bytes)))
        }
    }
}

fn duration(samples: u64, rate: u32) -> Duration {
    Duration::from_millis(samples * 1_000 / u64::from(rate.max(1)))
}

fn write_and_prove(wav: &Path, kept: &Path, keeping: Keeping) -> Result<(u64, u32), ArchiveError> {
    let open = || -> Result<_, ArchiveError> {
        let file = File::open(wav)?;
        let recorded = Recorded::new(BufReader::new(file))?;
        Ok(recorded)
    };
    let mut recorded = open()?;
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.write(true).create(true).truncate(true).open(kept)?;
    let mut sink = BufWriter::new(file);
    let samples = archive::keep(&mut recorded, keeping, &mut sink)?;
    let file = sink.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    if samples > 0 {
        archive::prove(&mut open()?, keeping, BufReader::new(File::open(kept)?))?;
    }
    Ok((samples, recorded.rate))
}

/// Deletes what has been kept long enough, now and every hour.
pub async fn retain(folder: PathBuf, store: Store, seed: [u8; 32]) {
    let mut random = StdRng::from_seed(seed);
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        let now_ms = clock::wall().as_millisecond();
        match delete_old(&folder, &store, now_ms, &mut random).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "recordings were deleted, as their rules say"),
            Err(error) => tracing::error!(%error, "recordings wait an hour to be deleted"),
        }
    }
}

/// Deletes what is too old at `now_ms`; returns how many.
async fn delete_old(
    folder: &Path,
    store: &Store,
    now_ms: i64,
    random: &mut StdRng,
) -> Result<usize, Postponed> {
    let mut deleted = 0;
    for (company, rules) in recordings::all_rules(store.pool()).await? {
        let rules: RecordingRules = serde_json::from_value(rules)?;
        let Some(shortest) = rules.shortest() else {
            continue;
        };
        let mut after = None;
        loop {
            let before = days_before(now_ms, shortest);
            let page = recordings::older(store.pool(), &company, before, after.as_ref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for recording in page {
                let Some((rule, days)) = rules.days_of(recording.service.as_ref()) else {
                    continue;
                };
                if recording.started_ms >= days_before(now_ms, days) {
                    continue;
                }
                let by = json!({ "recording": recording.id, "rule": rule, "days": days });
                let line = audit_line(&recording, AuditId::new(now_ms, random), now_ms, &by);
                delete(folder, store, &recording, by, &line).await?;
                deleted += 1;
            }
        }
    }
    Ok(deleted)
}

fn days_before(now_ms: i64, days: u32) -> i64 {
    now_ms - i64::from(days) * 24 * 3_600_000
}

fn audit_line(
    recording: &Recording,
    id: AuditId,
    at_ms: i64,
    detail: &serde_json::Value,
) -> audit::Line {
    let company: CompanyId = recording.company.clone();
    audit::Line {
        id,
        company: Some(company),
        user: None,
        api_key: None,
        at_ms,
        action: "recording.expire".to_owned(),
        target: recording.id.to_string(),
        detail: detail.clone(),
        remote: String::new(),
    }
}

/// Deletes a recording for good: the file first, so that no row ever goes before what it names.
async fn delete(
    folder: &Path,
    store: &Store,
    recording: &Recording,
    detail: serde_json::Value,
    line: &audit::Line,
) -> Result<(), Postponed> {
    remove(folder, recording).await?;
    let mut db = store.begin().await?;
    if forget(&mut db, recording, line.at_ms, &detail).await? {
        audit::append(&mut *db, line).await?;
        db.commit().await?;
    }
    Ok(())
}

/// Removes the sound of a recording; nothing where it is gone.
///
/// # Errors
///
/// What the disk says.
pub async fn remove(folder: &Path, recording: &Recording) -> io::Result<()> {
    match tokio::fs::remove_file(path(folder, recording)).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Forgets a recording whose sound is removed, and tells the trail; returns whether it was there.
///
/// # Errors
///
/// What the database says.
pub async fn forget(
    db: &mut store::Transaction,
    recording: &Recording,
    at_ms: i64,
    detail: &serde_json::Value,
) -> Result<bool, store::Error> {
    if !recordings::delete(&mut **db, &recording.company, &recording.id).await? {
        return Ok(false);
    }
    let call = &recording.interaction;
    trail::append_later(&mut **db, call, at_ms, TrailKind::RecordingDeleted, detail).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use desk::record::{Change, Direction, InteractionOpened, Medium};
    use media_engine::audio::wav::{self, Encoding};
    use store::companies::{self, Company};
    use store::{Writer, sqlite_url};

    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        store: Store,
        company: CompanyId,
    }

    impl Scene {
        /// A company with one call.
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let url = sqlite_url(&folder.path().join("ramal.db"));
            let store = Store::open(&url).await.expect("a store");
            let company: CompanyId = "a".parse().expect("an id");
            let row = Company {
                id: company.clone(),
                name: "A".into(),
                language: "pt-BR".into(),
                time_zone: "America/Sao_Paulo".into(),
                settings: serde_json::Value::Null,
                disabled: false,
                created_ms: 1,
            };
            companies::insert(store.pool(), &row).await.expect("a row");
            let opened = InteractionOpened {
                id: "call-1".parse().expect("an id"),
                company: company.clone(),
                instance: None,
                medium: Medium::Phone,
                direction: Direction::Inbound,
                from: "+5511999990000".into(),
                from_name: String::new(),
                to: "4000".into(),
                number: None,
                trunk: None,
                device: None,
                flow: None,
                sip_call_id: "a@b".into(),
                started_ms: 1,
                protocol_day: 20_261_122,
            };
            let (writer, _) = Writer::start(store.clone());
            let change = Change::InteractionOpened(Box::new(opened));
            writer.save(vec![change]).await.expect("written");
            Self {
                folder,
                store,
                company,
            }
        }

        fn calls(&self) -> PathBuf {
            self.folder.path().join("calls")
        }

        /// A second of a recording whose process was killed: its head says that it is empty.
        fn leave_behind(&self, name: &str) {
            let format = wav::Format {
                encoding: Encoding::Pcm16,
                rate: 8_000,
                channels: 2,
            };
            let mut file = wav::header(format, 0).to_vec();
            for at in 0..8_000i16 {
                let heard = at % 20 * 800 - 7_600; // 400 Hz, which no codec of voices leaves out
                file.extend(heard.to_le_bytes());
                file.extend([0, 0]);
            }
            fs::create_dir_all(self.calls()).expect("a folder");
            fs::write(self.calls().join(name), file).expect("written");
        }

        async fn recordings(&self) -> Vec<Recording> {
            let call = "call-1".parse().expect("an id");
            let found = recordings::of_interaction(self.store.pool(), &self.company, &call).await;
            found.expect("an answer")
        }

        /// Starts the archive, and waits until no WAV is left.
        async fn put_away(&self) {
            let _archive =
                Archive::start(self.calls(), self.store.clone(), [1; 32]).expect("starts");
            while self.files().iter().any(|name| name.ends_with(".wav")) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }

        fn files(&self) -> Vec<String> {
            let entries = fs::read_dir(self.calls()).expect("a folder");
            let mut names: Vec<String> = entries
                .map(|entry| {
                    entry
                        .expect("one")
                        .file_name()
                        .to_string_lossy()
                        .into_owned()
                })
                .collect();
            names.sort();
            names
        }

        async fn trail(&self) -> Vec<TrailKind> {
            let call = "call-1".parse().expect("an id");
            let lines = trail::list(self.store.pool(), &self.company, &call, 0, 500).await;
            lines
                .expect("a trail")
                .into_iter()
                .map(|line| line.kind)
                .collect()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_crash_left_behind_is_put_away_once() {
        let scene = Scene::new().await;
        scene.leave_behind("call-1.1000.7.wav");
        fs::write(scene.calls().join("call-1.900.7.flac.unfinished"), b"half").expect("written");
        scene.put_away().await;
        // The process died again, behind the row and before the WAV was deleted.
        scene.leave_behind("call-1.1000.7.wav");
        scene.put_away().await;
        let kept = scene.recordings().await;
        let [recording] = &kept[..] else {
            panic!("{kept:?}")
        };
        assert_eq!(
            (recording.duration_ms, recording.started_ms),
            (1_000, 1_000)
        );
        assert_eq!(recording.format, "flac");
        assert_eq!(scene.files(), ["call-1.1000.7.flac"]);
        assert_eq!(scene.trail().await, [TrailKind::Recorded]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_company_that_wants_opus_has_it() {
        let scene = Scene::new().await;
        let rules = json!({ "format": "opus" });
        let put = recordings::put_rules(scene.store.pool(), &scene.company, &rules, 1).await;
        put.expect("set");
        scene.leave_behind("call-1.1000.7.wav");
        scene.put_away().await;
        assert_eq!(scene.files(), ["call-1.1000.7.opus"]);
        assert_eq!(scene.recordings().await[0].duration_ms, 1_000);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_recording_whose_days_are_over_is_deleted_with_its_sound_and_the_trail_says_by_which_rule()
     {
        const DAY: i64 = 24 * 3_600_000;
        let scene = Scene::new().await;
        scene.leave_behind("call-1.1000.7.wav");
        scene.put_away().await;
        let mut random = StdRng::from_seed([2; 32]);
        let rules = json!({ "keep_days": 30, "services": { "vendas": 10 } });
        let put = recordings::put_rules(scene.store.pool(), &scene.company, &rules, 1).await;
        put.expect("set");
        for (days, left) in [(11, 1), (30, 1), (31, 0), (32, 0)] {
            let now_ms = days * DAY + 999;
            let calls = scene.calls();
            let deleted = delete_old(&calls, &scene.store, now_ms, &mut random).await;
            assert_eq!(
                deleted.expect("a disk"),
                usize::from(days == 31),
                "day {days}"
            );
            assert_eq!(scene.recordings().await.len(), left, "day {days}");
            assert_eq!(scene.files().len(), left, "day {days}");
        }
        let kinds = [TrailKind::Recorded, TrailKind::RecordingDeleted];
        assert_eq!(scene.trail().await, kinds);
        let lines = audit::list(scene.store.pool(), Some(&scene.company), None, 10).await;
        let lines = lines.expect("a log");
        assert_eq!(lines[0].action, "recording.expire");
        assert_eq!(
            (&lines[0].detail["rule"], &lines[0].detail["days"]),
            (&json!("company"), &json!(30))
        );
    }

    #[test]
    fn the_rule_of_a_service_stands_before_that_of_the_company() {
        let rules: RecordingRules =
            serde_json::from_value(json!({ "keep_days": 30, "services": { "vendas": 10 } }))
                .expect("rules");
        let [sales, help] = ["vendas", "suporte"].map(|id| id.parse().expect("an id"));
        assert_eq!(rules.days_of(Some(&sales)), Some(("service", 10)));
        assert_eq!(rules.days_of(Some(&help)), Some(("company", 30)));
        assert_eq!(RecordingRules::default().days_of(Some(&sales)), None);
        assert_eq!(rules.wrong(), None);
        for wrong in [
            json!({ "keep_days": 0 }),
            json!({ "services": { "a": 40_000 } }),
        ] {
            let rules: RecordingRules = serde_json::from_value(wrong).expect("rules");
            assert!(rules.wrong().is_some());
        }
    }
}

//! How many saves a second this disk makes durable, beside what the disk itself can do.
//!
//! - `bare`: a file, 300 bytes appended and synced: the limit without any grouping.
//! - `saves`: [`store::Writer`] with one row a save; the more callers, the larger the groups.
//! - `calls`: a whole call as its records see it: opened, 12 lines of trail, two updates, ended;
//!   each turn a save of its own. `noted calls`: only the opening is waited for.
//! - `cpu`: the same, measured in CPU time of the whole process instead of wall time; a busy disk
//!   or machine hardly changes it.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use desk::id::{CompanyId, InteractionId};
use desk::record::{
    Change, Direction, EndedBy, InteractionEnd, InteractionOpened, InteractionState,
    InteractionUpdate, Medium, TrailEntry, TrailKind,
};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use store::companies::Company;
use store::writer::LINGER;
use store::{Store, Writer, companies};
use tokio::runtime::Runtime;

fn durable_saves(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    group.measurement_time(Duration::from_secs(3));

    let mut file = File::create(folder().join("bare")).expect("a file");
    group.bench_function("bare", |bencher| {
        bencher.iter(|| {
            file.write_all(&[7; 300])
                .and_then(|()| file.sync_data())
                .expect("a sync");
        });
    });

    let writer = runtime.block_on(open());
    for callers in [1, 16, 256, 1024] {
        let id = BenchmarkId::new("saves", callers);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                runtime
                    .block_on(share(&writer, callers, count, save_line))
                    .wall
            });
        });
        let id = BenchmarkId::new("cpu/saves", callers);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                runtime
                    .block_on(share(&writer, callers, count, save_line))
                    .cpu
            });
        });
    }
    for callers in [16, 256] {
        let id = BenchmarkId::new("calls", callers);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                runtime
                    .block_on(share(&writer, callers, count, save_call))
                    .wall
            });
        });
        let id = BenchmarkId::new("cpu/calls", callers);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                runtime
                    .block_on(share(&writer, callers, count, save_call))
                    .cpu
            });
        });
        let id = BenchmarkId::new("cpu/noted calls", callers);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                runtime
                    .block_on(share(&writer, callers, count, note_call))
                    .cpu
            });
        });
    }
}

/// What a piece of work took.
struct Took {
    wall: Duration,
    cpu: Duration,
}

/// Lets `callers` tasks do `count` pieces of work together.
async fn share<F: Future<Output = ()> + Send + 'static>(
    writer: &Writer,
    callers: usize,
    count: u64,
    work: fn(Writer) -> F,
) -> Took {
    let left = Arc::new(AtomicU64::new(count));
    let (begun, cpu) = (Instant::now(), cpu());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (writer, left) = (writer.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            let take = |left: u64| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
            {
                work(writer.clone()).await;
            }
        });
    }
    tasks.join_all().await;
    Took {
        wall: begun.elapsed(),
        cpu: self::cpu().saturating_sub(cpu),
    }
}

/// CPU time of this process so far, user and system, all its threads.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the usage of this process");
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(us).unwrap_or_default())
}

async fn save_line(writer: Writer) {
    save(&writer, line(&interaction(), 0)).await;
}

/// Every turn of the call waits for the disk.
async fn save_call(writer: Writer) {
    let id = interaction();
    save(&writer, opened(&id)).await;
    for change in after_opening(&id) {
        save(&writer, change).await;
    }
}

/// Only the opening of the call waits for the disk.
async fn note_call(writer: Writer) {
    let id = interaction();
    save(&writer, opened(&id)).await;
    for change in after_opening(&id) {
        while writer.note(vec![change.clone()]).is_err() {
            tokio::time::sleep(LINGER).await;
        }
    }
}

fn after_opening(id: &InteractionId) -> Vec<Change> {
    let states = [InteractionState::Flow, InteractionState::Waiting];
    let updates = states.map(|state| Change::InteractionUpdated {
        interaction: id.clone(),
        update: Box::new(InteractionUpdate {
            state: Some(state),
            answered_ms: Some(2),
            ..InteractionUpdate::default()
        }),
        trail: vec![],
    });
    let end = Change::InteractionEnded {
        interaction: id.clone(),
        update: Box::default(),
        trail: vec![],
        end: Box::new(InteractionEnd {
            ended_ms: 3,
            by: EndedBy::Customer,
            cause: "hung_up".into(),
            sip_status: Some(200),
            quality: None,
        }),
    };
    updates
        .into_iter()
        .chain((0..12).map(|seq| line(id, seq)))
        .chain([end])
        .collect()
}

async fn save(writer: &Writer, change: Change) {
    writer.save(vec![change]).await.expect("a save");
}

fn opened(id: &InteractionId) -> Change {
    Change::InteractionOpened(Box::new(InteractionOpened {
        id: id.clone(),
        company: company(),
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
        sip_call_id: "0123456789abcdef@192.0.2.1".into(),
        started_ms: 1,
        protocol_day: 20_261_122,
    }))
}

fn line(id: &InteractionId, seq: u32) -> Change {
    let detail = serde_json::json!({ "node": "menu", "key": "1", "how": "rfc4733" });
    let entry = TrailEntry {
        seq,
        at_ms: 1,
        kind: TrailKind::KeyPressed,
        detail,
    };
    Change::InteractionUpdated {
        interaction: id.clone(),
        update: Box::default(),
        trail: vec![entry],
    }
}

fn interaction() -> InteractionId {
    static COUNT: AtomicI64 = AtomicI64::new(0);
    let mut random = <rand::rngs::SmallRng as rand::SeedableRng>::seed_from_u64(1);
    InteractionId::new(COUNT.fetch_add(1, Ordering::Relaxed), &mut random)
}

fn company() -> CompanyId {
    "bench".parse().expect("an id")
}

async fn open() -> Writer {
    let url = format!("sqlite:{}/ramal.db", folder().display());
    let store = Store::open(&url).await.expect("a store");
    let company = Company {
        id: company(),
        name: "Bench".into(),
        language: "pt-BR".into(),
        time_zone: "America/Sao_Paulo".into(),
        settings: serde_json::Value::Null,
        disabled: false,
        created_ms: 1,
    };
    companies::insert(store.pool(), &company)
        .await
        .expect("a company");
    Writer::start(store).0
}

/// An empty folder on the disk of the build.
fn folder() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("bench_store_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

criterion_group!(benches, durable_saves);
criterion_main!(benches);

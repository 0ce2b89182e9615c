//! Webhooks by the thousand, doubled and out of order; half of the answers are never read, and the process
//! is killed again and again. Every message is there once, in its order, and none is missing.
//!
//! ```text
//!  deliveries ─▶ posters ──HTTP──▶ ramal serve (killed, started again on the same database)
//!       ▲            │
//!       └── again ───┘ until a 2xx is read, as providers do
//! ```
//!
//! `RAMAL_TEST_CHAOS` says how many messages; [`MESSAGES`] when it is not set.

#![allow(
    clippy::print_stderr,
    reason = "a test that takes its time says what it did with it"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use ring::hmac;
use serde_json::{Value, json};
use store::interactions::{Filter, Position};
use store::{PAGE_MAX, Page, Store};
use tempfile::TempDir;

#[test]
fn however_often_the_process_is_killed_every_message_is_there_once_and_in_order() {
    let many = std::env::var("RAMAL_TEST_CHAOS").ok();
    let many = many.map_or(MESSAGES, |many| many.parse().expect("a number"));
    let begun = Instant::now();
    let mut server = Server::start();
    let (world, mut random) = (World::of(&server, many), StdRng::seed_from_u64(7));
    let posted = Posted::new(server.http, world.deliveries(&mut random), many);
    let kills = (many / KILL_EVERY).clamp(KILLS_MIN, KILLS_MAX);
    thread::scope(|scope| {
        for _ in 0..POSTERS {
            scope.spawn(|| posted.post_all(&world));
        }
        for kill in 1..=kills {
            // The last comes before the last answers.
            posted.wait_for(many * kill / (kills + 1));
            server.kill_and_restart();
            posted.is_at(server.http);
        }
    });
    let answered = begun.elapsed();
    posted.last_of_all_is_made(&world);
    let made = begun.elapsed();
    let seen = seen(&server);
    world.is_whole(&seen, &posted);
    eprintln!(
        "{many} messages in {} conversations, {} requests, {} answers not read, {kills} kills: \
         all answered after {answered:.1?}, all made after {made:.1?}, checked after {:.1?}",
        world.talks,
        posted.requests.load(SeqCst),
        posted.unread.load(SeqCst),
        begun.elapsed(),
    );
}

/// What customers write, and where it is posted.
struct World {
    talks: usize,
    all: Vec<Envelope>,
    /// One more of the generic channel, which is answered when everything before it is made.
    last: Envelope,
}

/// One message as its provider posts it.
struct Envelope {
    /// Which conversation, and its number there.
    place: (usize, usize),
    request: Vec<u8>,
}

impl World {
    /// Channels of a company, and so many messages of their customers.
    fn of(server: &Server, many: usize) -> Self {
        let company = id(&server.ask("/api/v1/companies", &json!({ "name": "Loja Exemplo" })));
        let made = |path: &str, asked: &Value| {
            server.ask(&format!("/api/v1/{path}?company={company}"), asked)
        };
        // Nobody is sent away for having waited.
        let service = json!({ "name": "Suporte", "wait_limit_s": 86_400 });
        let service = id(&made("services", &service));
        let account = json!({ "provider": "cloud", "phone_number_id": NUMBER, "waba_id": "1022",
            "access_token": "EAAB-falso", "app_secret": SECRET, "verify_token": "combinado" });
        let whatsapp = json!({ "name": "Caos WhatsApp", "kind": "whatsapp", "service": service,
            "settings": { "account": account } });
        let whatsapp = id(&made("channels", &whatsapp));
        let erp = json!({ "name": "Caos ERP", "service": service });
        let erp = id(&made("channels", &erp));
        let key = made(&format!("channels/{erp}/keys"), &json!({ "name": "ERP" }));
        let key = key["key"].as_str().expect("shown");
        let envelope = |place: (usize, usize)| {
            let request = match place.0 % 5 {
                0 => generic(place, &erp, key),
                _ => cloud(place, &whatsapp),
            };
            Envelope { place, request }
        };
        // Everybody writes at the same time.
        let talks = many.div_ceil(TALK);
        let places = (0..many).map(|at| (at % talks, at / talks));
        Self {
            talks,
            all: places.map(envelope).collect(),
            last: Envelope {
                place: (talks, 0),
                request: generic((talks, 0), &erp, key),
            },
        }
    }

    /// Each message, some of them twice, near the place where it belongs; of every other the first answer
    /// is not read.
    fn deliveries(&self, random: &mut StdRng) -> VecDeque<Delivery> {
        let mut deliveries = vec![];
        for envelope in 0..self.all.len() {
            let first = Delivery {
                envelope,
                is_read: envelope % 2 == 0,
            };
            deliveries.push((envelope + random.random_range(0..OUT_OF_ORDER), first));
            if random.random_range(0..10) < 3 {
                let late = envelope + random.random_range(0..OUT_OF_ORDER * 8);
                let again = Delivery {
                    is_read: true,
                    ..first
                };
                deliveries.push((late, again));
            }
        }
        deliveries.sort_by_key(|(place, _)| *place);
        deliveries.into_iter().map(|(_, one)| one).collect()
    }

    fn is_whole(&self, seen: &BTreeMap<usize, Vec<Seen>>, posted: &Posted) {
        let mut expected = BTreeMap::<usize, BTreeSet<usize>>::new();
        for envelope in self.all.iter().chain([&self.last]) {
            expected
                .entry(envelope.place.0)
                .or_default()
                .insert(envelope.place.1);
        }
        assert_eq!(seen.len(), expected.len(), "conversations");
        for (talk, numbers) in expected {
            let messages = &seen[&talk];
            let known: BTreeSet<usize> = messages.iter().map(|one| one.number).collect();
            assert_eq!(known, numbers, "of conversation {talk}");
            assert_eq!(
                messages.len(),
                numbers.len(),
                "conversation {talk} has some twice"
            );
            let interactions: BTreeSet<&str> = messages
                .iter()
                .map(|one| one.interaction.as_str())
                .collect();
            assert_eq!(
                interactions.len(),
                1,
                "conversation {talk} was opened again"
            );
            // Numbered as they came, without gaps.
            let mut seqs: Vec<u32> = messages.iter().map(|one| one.seq).collect();
            seqs.sort_unstable();
            let counted: Vec<u32> = (1..).take(seqs.len()).collect();
            assert_eq!(seqs, counted, "of conversation {talk}");
            // Shown as they were written, whenever they came.
            let mut shown: Vec<&Seen> = messages.iter().collect();
            shown.sort_by_key(|one| (one.sent_ms, one.seq));
            let shown: Vec<usize> = shown.iter().map(|one| one.number).collect();
            assert!(shown.is_sorted(), "conversation {talk} reads {shown:?}");
        }
        posted.keeps_its_word(self, seen);
    }
}

/// A message in the records.
struct Seen {
    number: usize,
    interaction: String,
    seq: u32,
    sent_ms: Option<i64>,
}

#[derive(Clone, Copy)]
struct Delivery {
    envelope: usize,
    /// Whether the answer is waited for.
    is_read: bool,
}

/// What the posters share.
struct Posted {
    address: RwLock<SocketAddr>,
    deliveries: Mutex<VecDeque<Delivery>>,
    /// Those that still have to be answered.
    open: AtomicUsize,
    /// Whether a poster met what must not be.
    failed: AtomicBool,
    many: usize,
    requests: AtomicU64,
    unread: AtomicU64,
    /// Counts what happens.
    clock: AtomicU64,
    /// When each message was posted first, and when an answer to it was read first.
    times: Mutex<Vec<(Option<u64>, Option<u64>)>>,
}

impl Posted {
    fn new(address: SocketAddr, deliveries: VecDeque<Delivery>, many: usize) -> Self {
        Self {
            address: RwLock::new(address),
            open: AtomicUsize::new(deliveries.len()),
            failed: AtomicBool::new(false),
            deliveries: Mutex::new(deliveries),
            many,
            requests: AtomicU64::new(0),
            unread: AtomicU64::new(0),
            clock: AtomicU64::new(0),
            times: Mutex::new(vec![(None, None); many]),
        }
    }

    fn is_at(&self, address: SocketAddr) {
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
    }

    fn address(&self) -> SocketAddr {
        *self.address.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many messages were answered.
    fn wait_for(&self, many: usize) {
        until("webhooks are answered", || {
            let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
            let answered = times.iter().filter(|(_, answered)| answered.is_some());
            (answered.count() >= many.min(self.many) || self.is_over()).then_some(())
        });
    }

    fn post_all(&self, world: &World) {
        let mut stream = None;
        while !self.is_over() {
            let Some(delivery) = self.take() else {
                thread::sleep(PAUSE); // Others have the last in hand, and may bring them back.
                continue;
            };
            let envelope = &world.all[delivery.envelope];
            self.posted(delivery.envelope);
            let status = if delivery.is_read {
                self.post(&mut stream, &envelope.request)
            } else {
                self.post_and_leave(&envelope.request);
                None
            };
            if status.is_some_and(|status| (200..300).contains(&status)) {
                self.answered(delivery.envelope);
                self.open.fetch_sub(1, SeqCst);
                continue;
            }
            if status.is_some_and(|status| status != 429 && status != 503) {
                self.failed.store(true, SeqCst);
                panic!("{status:?} for {:?}", envelope.place);
            }
            self.again(Delivery {
                is_read: true,
                ..delivery
            });
            if delivery.is_read {
                thread::sleep(PAUSE);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.open.load(SeqCst) == 0 || self.failed.load(SeqCst)
    }

    fn take(&self) -> Option<Delivery> {
        let mut deliveries = self
            .deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        deliveries.pop_front()
    }

    /// Not at once: providers wait a while, too.
    fn again(&self, delivery: Delivery) {
        let mut deliveries = self
            .deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let place = deliveries.len().min(AGAIN_AFTER);
        deliveries.insert(place, delivery);
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst)
    }

    fn posted(&self, envelope: usize) {
        self.requests.fetch_add(1, SeqCst);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times[envelope].0.get_or_insert_with(|| self.tick());
    }

    fn answered(&self, envelope: usize) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times[envelope].1.get_or_insert_with(|| self.tick());
    }

    /// The status that came back; none where the process was killed in between.
    fn post(&self, kept: &mut Option<BufReader<TcpStream>>, request: &[u8]) -> Option<u16> {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => BufReader::new(connect(self.address())?),
        };
        stream.get_mut().write_all(request).ok()?;
        let (status, _) = answer(&mut stream)?;
        *kept = Some(stream);
        Some(status)
    }

    /// As somebody does whose connection breaks.
    fn post_and_leave(&self, request: &[u8]) {
        self.unread.fetch_add(1, SeqCst);
        if let Some(mut stream) = connect(self.address()) {
            // Nobody knows whether it came.
            let _ = stream.write_all(request);
        }
    }

    /// Everything that was received before is made when this is answered.
    fn last_of_all_is_made(&self, world: &World) {
        until("the last message is made", || {
            let status = self.post(&mut None, &world.last.request);
            status.filter(|status| (200..300).contains(status))
        });
    }

    /// What was answered before something else was posted stands before it.
    fn keeps_its_word(&self, world: &World, seen: &BTreeMap<usize, Vec<Seen>>) {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut talks = BTreeMap::<usize, Vec<(u32, u64, u64)>>::new();
        for (envelope, (posted, answered)) in world.all.iter().zip(&*times) {
            let (talk, number) = envelope.place;
            let one = seen[&talk].iter().find(|one| one.number == number);
            let seq = one.expect("it is there").seq;
            let (posted, answered) = (posted.expect("posted"), answered.expect("answered"));
            talks.entry(talk).or_default().push((seq, posted, answered));
        }
        for (talk, messages) in talks {
            for (seq, _, answered) in &messages {
                for (other, posted, _) in &messages {
                    let is_kept = answered > posted || seq < other;
                    assert!(
                        is_kept,
                        "in conversation {talk} {seq} stands behind {other}"
                    );
                }
            }
        }
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

/// The program on a folder of its own. Dropped, it is killed.
struct Server {
    process: Child,
    folder: TempDir,
    http: SocketAddr,
    key: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let added = Command::new(PROGRAM)
            .args(["key", "add", "caos"])
            .env("RAMAL_DATA", folder.path())
            .output()
            .expect("the program starts");
        let key = String::from_utf8(added.stdout).expect("text");
        let key = key.lines().next().expect("a key").to_owned();
        let (process, http) = launch(&folder);
        Self {
            process,
            folder,
            http,
            key,
        }
    }

    /// Ends the process as a power failure would, and starts it again on the same folder.
    fn kill_and_restart(&mut self) {
        self.process.kill().expect("the server runs");
        self.process.wait().expect("the server was killed");
        (self.process, self.http) = launch(&self.folder);
    }

    /// What is answered to an administrator, which is no refusal.
    fn ask(&self, path: &str, body: &Value) -> Value {
        let headers = format!("Authorization: Bearer {}\r\n", self.key);
        let request = request(path, &headers, &body.to_string());
        let stream = connect(self.http).expect("the server listens");
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(&request).expect("sent");
        let (status, body) = answer(&mut stream).expect("an answer");
        assert!((200..300).contains(&status), "{path}: {status}");
        serde_json::from_slice(&body).expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
            eprintln!("what the server logged:\n{log}");
        }
    }
}

/// The process, and where it listens for HTTP.
fn launch(folder: &TempDir) -> (Child, SocketAddr) {
    let greeting = folder.path().join("greeting.txt");
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.path().join(LOG));
    let process = Command::new(PROGRAM)
        .arg("serve")
        .env("RAMAL_DATA", folder.path())
        .env("RAMAL_SIP", "127.0.0.1:0")
        .env("RAMAL_HTTP", "127.0.0.1:0")
        .env("RAMAL_RTP_PORTS", "20000-31999")
        .env("RAMAL_BROWSER_MEDIA", "0.0.0.0:0")
        .env("RAMAL_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(File::create(&greeting).expect("a file of ours"))
        .stderr(log.expect("a file of ours"))
        .spawn()
        .expect("the program starts");
    let http = until("the server is up", || {
        let text = fs::read_to_string(&greeting).unwrap_or_default();
        let line = text.lines().find(|line| line.contains("http://"))?;
        let address = line.split("http://").nth(1)?.split_whitespace().next()?;
        address.parse().ok()
    });
    (process, http)
}

/// Tries until there is an answer.
///
/// # Panics
///
/// When there is none within [`PATIENCE`].
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        thread::sleep(PAUSE);
    }
}

/// A message as Meta posts it.
fn cloud((talk, number): (usize, usize), channel: &str) -> Vec<u8> {
    let from = format!("55119{talk:08}");
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "551140028922", "phone_number_id": NUMBER },
        "contacts": [{ "profile": { "name": "Ana Souza" }, "wa_id": from }],
        "messages": [{ "from": from, "id": format!("wamid.C{talk}N{number}"),
            "timestamp": written_s(number).to_string(), "type": "text",
            "text": { "body": words((talk, number)) } }],
    });
    let body = json!({ "object": "whatsapp_business_account", "entry": [{
        "id": "1022", "changes": [{ "field": "messages", "value": value }] }] });
    let body = body.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let headers = format!("X-Hub-Signature-256: sha256={hex}\r\n");
    request(&format!("/webhooks/{channel}"), &headers, &body)
}

/// A message as an ERP posts it.
fn generic((talk, number): (usize, usize), channel: &str, key: &str) -> Vec<u8> {
    let body = json!({
        "external_message_id": format!("C{talk}N{number}"),
        "external_conversation_id": format!("C{talk}"),
        "sent_at": jiff::Timestamp::from_second(written_s(number)).expect("a time").to_string(),
        "customer": { "external_id": format!("C-{talk}"), "name": "Ana Souza" },
        "text": words((talk, number)),
    });
    let path = format!("/api/v1/channels/{channel}/receive_hook");
    request(&path, &format!("X-Api-Key: {key}\r\n"), &body.to_string())
}

fn request(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: ramal\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

fn written_s(number: usize) -> i64 {
    WRITTEN_S + i64::try_from(number).expect("few")
}

fn words((talk, number): (usize, usize)) -> String {
    format!("conversa {talk} mensagem {number}")
}

/// Which message it is, by its words.
fn place(text: &str) -> Option<(usize, usize)> {
    let (talk, number) = text.strip_prefix("conversa ")?.split_once(" mensagem ")?;
    Some((talk.parse().ok()?, number.parse().ok()?))
}

fn connect(address: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

/// The status of an answer, and its body.
fn answer(stream: &mut BufReader<TcpStream>) -> Option<(u16, Vec<u8>)> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((status, body))
}

/// Every message in the records, by its conversation.
fn seen(server: &Server) -> BTreeMap<usize, Vec<Seen>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let url = store::sqlite_url(&server.folder.path().join("ramal.sqlite"));
    let found = runtime.block_on(async {
        let store = Store::open(&url).await?;
        let found = read(&store).await;
        store.close().await;
        found
    });
    found.expect("the database can be read")
}

async fn read(store: &Store) -> Result<BTreeMap<usize, Vec<Seen>>, store::Error> {
    let (pool, mut seen) = (store.pool(), BTreeMap::<usize, Vec<Seen>>::new());
    let companies = store::companies::list(pool, &Page::first()).await?;
    let company = &companies.first().expect("a company").id;
    let mut filter = Filter::default();
    loop {
        let found = store::interactions::list(pool, company, &filter, PAGE_MAX).await?;
        let Some(oldest) = found.last() else {
            return Ok(seen);
        };
        filter.before = Some(Position {
            started_ms: oldest.started_ms,
            id: oldest.id.clone(),
        });
        for one in found {
            for message in store::messages::list(pool, company, &one.id, 0, PAGE_MAX).await? {
                let text = message.content["text"].as_str().and_then(place);
                let (talk, number) = text.expect("words of ours");
                seen.entry(talk).or_default().push(Seen {
                    number,
                    interaction: one.id.to_string(),
                    seq: message.seq,
                    sent_ms: message.sent_ms,
                });
            }
        }
    }
}

/// As many as a test run bears: some seconds.
const MESSAGES: usize = 5_000;

/// Messages of one conversation.
const TALK: usize = 20;

/// Who post at once, as a provider does.
const POSTERS: usize = 16;

/// How far a message is from the place where it belongs.
const OUT_OF_ORDER: usize = 400;

/// How many others are posted before one that was not answered.
const AGAIN_AFTER: usize = 500;

/// One kill for so many messages, within bounds.
const KILL_EVERY: usize = 1_000;
const KILLS_MIN: usize = 5;
const KILLS_MAX: usize = 50;

/// When the first message of each conversation was written.
const WRITTEN_S: i64 = 1_795_000_000;

/// Before who was not answered asks again.
const PAUSE: Duration = Duration::from_millis(20);

const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Of the whole run: a machine that also compiles needs its time.
const PATIENCE: Duration = Duration::from_secs(1_800);

const NUMBER: &str = "106540352242999";

const SECRET: &str = "segredo-falso";

const PROGRAM: &str = env!("CARGO_BIN_EXE_ramal");

const LOG: &str = "log.txt";

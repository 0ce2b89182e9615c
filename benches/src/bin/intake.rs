//! How fast webhooks become durable, and how long their senders wait, beside bare rows on the same disk.
//!
//! `intake [webhooks] [database]`, by default 20,000 on SQLite in the temporary folder; or the address of an
//! empty database, `postgres://…`. It needs the program built beside it
//! (`cargo build --release -p ramal -p benches`).
//!
//! - `bare`: as many rows as there are webhooks, each a statement of its own and each awaited by somebody,
//!   in as few commits as that allows; by hand, over the same driver with the same settings.
//! - `ramal`: as many webhooks of WhatsApp, signed, over HTTP, each answered when it is on disk.
//!   Meanwhile the program makes messages of those before.
//! - `at half`: half as many a second as were answered before, each sent at its time whatever became
//!   of the others; how long each waited for its answer.

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use benches::server::Server;
use benches::usage;
use ring::hmac;
use serde_json::{Value, json};
use store::{Kind, Store};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let webhooks = words.next().and_then(|text| text.parse().ok());
    let webhooks: usize = webhooks.unwrap_or(20_000);
    let address = words.next();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(measure(webhooks, address.as_deref()))
}

async fn measure(webhooks: usize, address: Option<&str>) -> Result<(), Failure> {
    println!("load average {}", usage::load_average());
    println!("{:<8} {:>12} {:>8}", "", "a second", "ratio");
    let folder = tempfile::tempdir()?;
    let sqlite = store::sqlite_url(&folder.path().join("bare.sqlite"));
    let bare = Bare::open(address.unwrap_or(&sqlite)).await?;
    let server = Server::ramal_on(address)?;
    let door = Door::open(&server).await?;
    let mut first = 0;
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let limit = bare.rows(webhooks).await?;
        println!("{:<8} {limit:>12.0}", "bare");
        let rate = door.as_many_as_it_takes(first, webhooks).await?;
        println!("{:<8} {rate:>12.0} {:>8.2}", "ramal", rate / limit);
        best = best.max(rate);
        first += webhooks;
        let made = door.everything_is_made(first).await?;
        println!(
            "{:<8} {:>12.1} s until all are messages",
            "",
            made.as_secs_f64()
        );
        first += 1;
    }
    let waits = door.at(best / 2.0, first, webhooks / 2).await?;
    println!(
        "at half: {:.0} a second, milliseconds {}",
        best / 2.0,
        percentiles(waits)
    );
    let made = door.everything_is_made(first + webhooks).await?;
    println!(
        "{:<8} {:>12.1} s until all are messages",
        "",
        made.as_secs_f64()
    );
    println!("load average {}", usage::load_average());
    Ok(())
}

fn percentiles(mut waits: Vec<Duration>) -> String {
    waits.sort_unstable();
    let at = |thousandths: usize| {
        let place = (waits.len() * thousandths / 1_000).min(waits.len().saturating_sub(1));
        waits
            .get(place)
            .map_or(0.0, |wait| wait.as_secs_f64() * 1_000.0)
    };
    format!(
        "p50 {:.1}, p99 {:.1}, p99.9 {:.1}",
        at(500),
        at(990),
        at(999)
    )
}

/// Rows of a table of our own.
struct Bare {
    queue: mpsc::Sender<Row>,
    body: Arc<Vec<u8>>,
    numbers: AtomicUsize,
}

struct Row {
    id: String,
    body: Arc<Vec<u8>>,
    done: oneshot::Sender<()>,
}

impl Bare {
    async fn open(url: &str) -> Result<Self, Failure> {
        let store = Store::open(url).await?;
        let bytes = match store.kind() {
            Kind::Sqlite => "BLOB",
            Kind::Postgres => "BYTEA",
        };
        let mut db = store.begin().await?;
        let table = format!("CREATE TABLE bare (id TEXT PRIMARY KEY, body {bytes}, at_ms BIGINT)");
        sqlx::query(sqlx::AssertSqlSafe(table))
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        let (queue, rows) = mpsc::channel(GROUP_MAX);
        tokio::spawn(Self::write(store, rows));
        Ok(Self {
            queue,
            body: Arc::new(webhook(0).1.into_bytes()),
            numbers: AtomicUsize::new(0),
        })
    }

    async fn write(store: Store, mut rows: mpsc::Receiver<Row>) -> Result<(), store::Error> {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while rows.recv_many(&mut group, GROUP_MAX).await > 0 {
            let mut db = store.begin().await?;
            for row in &group {
                sqlx::query("INSERT INTO bare (id, body, at_ms) VALUES ($1, $2, $3)")
                    .bind(&row.id)
                    .bind(row.body.as_slice())
                    .bind(1_i64)
                    .execute(&mut *db)
                    .await?;
            }
            db.commit().await?;
            for row in group.drain(..) {
                // Whoever waited may be gone.
                let _ = row.done.send(());
            }
        }
        Ok(())
    }

    /// How many rows a second become durable while so many callers wait for one each.
    async fn rows(&self, many: usize) -> Result<f64, Failure> {
        let (begun, left) = (Instant::now(), Arc::new(AtomicUsize::new(many)));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (queue, body, left) = (self.queue.clone(), self.body.clone(), left.clone());
            let base = self.numbers.fetch_add(many, Relaxed);
            callers.spawn(async move {
                while let Some(number) = next(&left) {
                    let (done, written) = oneshot::channel();
                    let id = format!("{base:013}{number:013}");
                    let body = body.clone();
                    if queue.send(Row { id, body, done }).await.is_err() {
                        return;
                    }
                    if written.await.is_err() {
                        return;
                    }
                }
            });
        }
        callers.join_all().await;
        if self.queue.is_closed() {
            return Err("the database failed".into());
        }
        Ok(rate(many, begun))
    }
}

/// The server, and where its webhooks are posted.
struct Door {
    address: SocketAddr,
    channel: String,
    erp: String,
    key: String,
}

impl Door {
    /// Makes channels in the demo company.
    async fn open(server: &Server) -> Result<Self, Failure> {
        let address = server.http;
        let logins: Value = serde_json::from_str(&server.logins()?)?;
        let body = json!({ "email": logins["administrator"], "password": logins["password"] });
        let mut connection = Connection::open(address).await?;
        let asked = request("/api/v1/session", "", &body.to_string());
        let (head, body) = connection.ask_for_text(&asked).await?;
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next())
            .ok_or("no cookie")?
            .to_owned();
        let body: Value = serde_json::from_str(&body)?;
        let csrf = body["csrf"].as_str().ok_or("no token")?;
        let headers = format!("Cookie: {cookie}\r\nX-CSRF-Token: {csrf}\r\n");
        let companies = get("/api/v1/companies", &headers);
        let companies: Value = serde_json::from_str(&connection.ask_for_text(&companies).await?.1)?;
        let company = companies["items"][0]["id"].as_str().ok_or("no company")?;
        let services = get(&format!("/api/v1/services?company={company}"), &headers);
        let services: Value = serde_json::from_str(&connection.ask_for_text(&services).await?.1)?;
        let service = services["items"][0]["id"].as_str().ok_or("no service")?;
        let account = json!({ "provider": "cloud", "phone_number_id": NUMBER, "waba_id": "1022",
            "access_token": "EAAB-falso", "app_secret": SECRET, "verify_token": "combinado" });
        let mut made = vec![];
        let whatsapp = json!({ "name": "Carga", "kind": "whatsapp", "service": service,
            "settings": { "account": account } });
        let erp = json!({ "name": "Carga ERP", "service": service });
        for channel in [whatsapp, erp] {
            let path = format!("/api/v1/channels?company={company}");
            let asked = request(&path, &headers, &channel.to_string());
            let answer: Value = serde_json::from_str(&connection.ask_for_text(&asked).await?.1)?;
            made.push(answer["id"].as_str().ok_or("no channel")?.to_owned());
        }
        let path = format!("/api/v1/channels/{}/keys?company={company}", made[1]);
        let asked = request(&path, &headers, "{\"name\":\"ERP\"}");
        let key: Value = serde_json::from_str(&connection.ask_for_text(&asked).await?.1)?;
        let erp = made.pop().unwrap_or_default();
        Ok(Self {
            address,
            channel: made.pop().unwrap_or_default(),
            erp,
            key: key["key"].as_str().ok_or("no key")?.to_owned(),
        })
    }

    fn post(&self, number: usize) -> Vec<u8> {
        let (signature, body) = webhook(number);
        let headers = format!("X-Hub-Signature-256: sha256={signature}\r\n");
        request(&format!("/webhooks/{}", self.channel), &headers, &body)
    }

    /// How many webhooks a second are answered while so many senders wait for one answer each.
    async fn as_many_as_it_takes(&self, first: usize, many: usize) -> Result<f64, Failure> {
        let requests: Vec<_> = (first..first + many)
            .map(|number| self.post(number))
            .collect();
        let (requests, left) = (Arc::new(requests), Arc::new(AtomicUsize::new(many)));
        let begun = Instant::now();
        let mut senders = JoinSet::new();
        for _ in 0..CALLERS {
            let (requests, left, address) = (requests.clone(), left.clone(), self.address);
            senders.spawn(async move {
                let mut connection = Connection::open(address).await?;
                while let Some(number) = next(&left) {
                    while connection.ask(&requests[number]).await? != 200 {
                        tokio::time::sleep(AGAIN).await; // 503: as a provider does.
                    }
                }
                Ok::<_, io::Error>(())
            });
        }
        for done in senders.join_all().await {
            done?;
        }
        Ok(rate(many, begun))
    }

    /// How long each of so many webhooks waits for its answer, so many a second.
    async fn at(&self, rate: f64, first: usize, many: usize) -> Result<Vec<Duration>, Failure> {
        let requests: Vec<_> = (first..first + many)
            .map(|number| self.post(number))
            .collect();
        let (requests, left) = (Arc::new(requests), Arc::new(AtomicUsize::new(many)));
        let begun = Instant::now();
        let mut senders = JoinSet::new();
        for _ in 0..CALLERS {
            let (requests, left, address) = (requests.clone(), left.clone(), self.address);
            senders.spawn(async move {
                let mut waits = vec![];
                let mut connection = Connection::open(address).await?;
                while let Some(number) = next(&left) {
                    // They count down.
                    let place = u32::try_from(requests.len() - 1 - number).unwrap_or(u32::MAX);
                    let due = begun + Duration::from_secs_f64(f64::from(place) / rate);
                    tokio::time::sleep_until(due.into()).await;
                    while connection.ask(&requests[number]).await? != 200 {
                        tokio::time::sleep(AGAIN).await;
                    }
                    waits.push(due.elapsed());
                }
                Ok::<_, io::Error>(waits)
            });
        }
        let mut waits = vec![];
        for done in senders.join_all().await {
            waits.extend(done?);
        }
        Ok(waits)
    }

    /// How long it takes until a message that came behind all others is made.
    async fn everything_is_made(&self, number: usize) -> Result<Duration, Failure> {
        let body = json!({ "external_message_id": format!("M{number}"),
            "external_conversation_id": "fim", "customer": { "external_id": "C-1" }, "text": "fim" });
        let path = format!("/api/v1/channels/{}/receive_hook", self.erp);
        let headers = format!("X-Api-Key: {}\r\n", self.key);
        let asked = request(&path, &headers, &body.to_string());
        let begun = Instant::now();
        let mut connection = Connection::open(self.address).await?;
        while !(200..300).contains(&connection.ask(&asked).await?) {
            tokio::time::sleep(AGAIN).await;
        }
        Ok(begun.elapsed())
    }
}

/// A connection that is kept open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The status that comes back.
    async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        let (head, _) = self.ask_for_text(request).await?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        status.ok_or_else(|| io::Error::other("no status"))
    }

    async fn ask_for_text(&mut self, request: &[u8]) -> io::Result<(String, String)> {
        self.0.get_mut().write_all(request).await?;
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let at = head.len();
            if self.0.read_line(&mut head).await? == 0 {
                return Err(io::Error::other("the connection ended"));
            }
            let line = head[at..].trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok((head, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// A message of WhatsApp: its signature, and its body.
fn webhook(number: usize) -> (String, String) {
    let from = format!("55119{:08}", number / TALK);
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "551140028922", "phone_number_id": NUMBER },
        "contacts": [{ "profile": { "name": "Ana Souza" }, "wa_id": from }],
        "messages": [{ "from": from, "id": format!("wamid.N{number}"), "timestamp": "1795000000",
            "type": "text", "text": { "body": "Meu chamado continua aberto, alguém pode me ajudar?" } }],
    });
    let body = json!({ "object": "whatsapp_business_account", "entry": [{
        "id": "1022", "changes": [{ "field": "messages", "value": value }] }] });
    let body = body.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hex = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (hex, body)
}

fn request(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: ramal\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: ramal\r\n{headers}\r\n").into_bytes()
}

fn next(left: &AtomicUsize) -> Option<usize> {
    let before = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
    before.ok().map(|before| before - 1)
}

#[allow(clippy::cast_precision_loss, reason = "a few million at most")]
fn rate(many: usize, begun: Instant) -> f64 {
    many as f64 / begun.elapsed().as_secs_f64()
}

/// Bare rows and webhooks in turn: what else the machine does meets both.
const ROUNDS: usize = 3;

/// Who wait for an answer at the same time.
const CALLERS: usize = 64;

/// Rows in one commit.
const GROUP_MAX: usize = 512;

/// Messages of one conversation.
const TALK: usize = 20;

/// Before who was not taken asks again.
const AGAIN: Duration = Duration::from_millis(20);

const NUMBER: &str = "106540352242999";

const SECRET: &str = "segredo-falso";

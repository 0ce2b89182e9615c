//! What a chat costs: memory of an idle widget's socket, and how long a visitor's message takes to the
//! agents' socket; beside a bare relay of WebSockets, without a database, in the same run.
//!
//! `chat_load [sockets] [messages a second] [seconds]`, by default 10,000, 500 and 20. It needs the program
//! built beside it (`cargo build --release -p ramal -p benches`), and 2 open files a socket.

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use benches::server::{Server, resident_kib};
use benches::usage;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config, client_async_with_config};

/// Who writes: each slower than one message a second, which is what a visitor may.
const WRITERS_PER_MESSAGE: f64 = 1.25;

/// Opened before memory is measured, and kept open: what the start has freed is in use again then, so that
/// what comes after is new.
const WARM_UP: usize = 3_000;

/// Sockets that are being opened at once.
const OPENING: usize = 32;

/// Sockets behind one address: a visitor's address may say `hello` 60 times a minute.
const BEHIND_ADDRESS: usize = 40;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Socket = WebSocketStream<TcpStream>;

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1).peekable();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if words.peek().is_some_and(|word| word == "limit") {
        return runtime.block_on(relay());
    }
    let mut number = |usual: f64| {
        words
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(usual)
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of sockets"
    )]
    let load = Load {
        sockets: number(10_000.0) as usize,
        rate: number(500.0),
        lasts: Duration::from_secs_f64(number(20.0)),
    };
    println!("load average {}", usage::load_average());
    println!(
        "{:<8} {:>8} {:>12} {:>10} {:>9} {:>9} {:>9} {:>6}",
        "", "sockets", "bytes each", "messages", "p50 ms", "p99 ms", "longest", "lost"
    );
    let limit = runtime.block_on(of_limit(load))?;
    limit.print("limit");
    let ramal = runtime.block_on(of_ramal(load))?;
    ramal.print("ramal");
    println!(
        "a socket takes {:.1} times that of the limit; a message {:.1} ms more at p99",
        ramal.bytes_each / limit.bytes_each,
        ramal.wait_ms(0.99) - limit.wait_ms(0.99)
    );
    Ok(())
}

/// What is asked of a server.
#[derive(Clone, Copy, Debug)]
struct Load {
    sockets: usize,
    /// Messages a second of all together.
    rate: f64,
    lasts: Duration,
}

/// What it did.
struct Measured {
    sockets: usize,
    bytes_each: f64,
    waits: Vec<Duration>,
    lost: usize,
}

impl Measured {
    fn wait_ms(&self, part: f64) -> f64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list"
        )]
        let place = (self.waits.len() as f64 * part) as usize;
        let place = place.min(self.waits.len().saturating_sub(1));
        self.waits
            .get(place)
            .map_or(f64::NAN, |wait| wait.as_secs_f64() * 1_000.0)
    }

    fn print(&self, name: &str) {
        println!(
            "{name:<8} {:>8} {:>12.0} {:>10} {:>9.2} {:>9.2} {:>9.2} {:>6}",
            self.sockets,
            self.bytes_each,
            self.waits.len(),
            self.wait_ms(0.5),
            self.wait_ms(0.99),
            self.wait_ms(1.0),
            self.lost
        );
    }
}

/// When things were sent, and when they came.
#[derive(Default)]
struct Times<K>(Mutex<(HashMap<K, Instant>, HashMap<K, Instant>)>);

impl<K: Eq + std::hash::Hash> Times<K> {
    fn sent(&self, key: K, at: Instant) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        both.0.insert(key, at);
    }

    fn came(&self, key: K) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        both.1.entry(key).or_insert_with(Instant::now);
    }

    /// The waits of all that came, sorted, and how many did not.
    fn waits(&self) -> (Vec<Duration>, usize) {
        let both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (sent, came) = &*both;
        let wait = |(key, at): (&K, &Instant)| Some(came.get(key)?.duration_since(*at));
        let mut waits: Vec<Duration> = sent.iter().filter_map(wait).collect();
        waits.sort();
        let lost = sent.len() - waits.len();
        (waits, lost)
    }
}

// The limit.

/// A bare relay: whoever connects first hears what all others say.
async fn relay() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let (tell, mut telling) = mpsc::unbounded_channel::<Message>();
    let (stream, _) = listener.accept().await?;
    let mut watcher = accept_async_with_config(stream, Some(small())).await?;
    tokio::spawn(async move {
        while let Some(message) = telling.recv().await {
            if watcher.send(message).await.is_err() {
                return;
            }
        }
    });
    loop {
        let (stream, _) = listener.accept().await?;
        let tell = tell.clone();
        tokio::spawn(async move {
            let Ok(mut socket) = accept_async_with_config(stream, Some(small())).await else {
                return;
            };
            while let Some(Ok(message)) = socket.next().await {
                let _ = tell.send(message);
            }
        });
    }
}

/// As the program has it.
fn small() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1_024)
        .write_buffer_size(0)
}

async fn of_limit(load: Load) -> Result<Measured, Failure> {
    let (child, address) = Relay::start().await?;
    let mut watcher = connect(address, "/", &[]).await?;
    let open = async |number: usize| {
        let socket = connect(address, &format!("/{number}"), &[]).await?;
        Ok::<_, Failure>(socket)
    };
    let mut idle = JoinSet::new();
    for number in 0..WARM_UP {
        idle.spawn(stay(open(number).await?));
    }
    let before = resident_kib(child.id)?;
    for number in 0..load.sockets {
        idle.spawn(stay(open(number).await?));
    }
    let after = resident_kib(child.id)?;
    let times = Arc::<Times<String>>::default();
    let heard = times.clone();
    let watching = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = watcher.next().await {
            heard.came(text.to_string());
        }
    });
    let mut writing = vec![];
    for (writer, pace) in paces(load).enumerate() {
        let mut socket = open(writer).await?;
        let times = times.clone();
        writing.push(tokio::spawn(async move {
            let mut pace = pace;
            for number in 0.. {
                if !pace.next().await {
                    break;
                }
                let text = format!("{writer}-{number}");
                times.sent(text.clone(), Instant::now());
                socket.send(Message::text(text)).await?;
            }
            Ok::<_, Error>(socket)
        }));
    }
    for one in writing {
        one.await??;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    watching.abort();
    let (waits, lost) = times.waits();
    Ok(Measured {
        sockets: load.sockets,
        bytes_each: bytes_each((before, after), load.sockets),
        waits,
        lost,
    })
}

struct Relay {
    _child: Child,
    id: u32,
}

impl Relay {
    async fn start() -> Result<(Self, SocketAddr), Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("limit")
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(tokio::process::ChildStdout::from_std(output)?).lines();
        let address = lines.next_line().await?.ok_or("no address")?.parse()?;
        let id = child.id();
        Ok((Self { _child: child, id }, address))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self._child.kill();
        let _ = self._child.wait();
    }
}

// The program.

async fn of_ramal(load: Load) -> Result<Measured, Failure> {
    let server = tokio::task::spawn_blocking(Server::ramal).await??;
    let shop = Arc::new(Shop::find(&server).await?);
    let mut idle = JoinSet::new();
    for socket in shop.visits(0, WARM_UP).await? {
        idle.spawn(stay(socket));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = server.resident_kib()?;
    for socket in shop.visits(WARM_UP, load.sockets).await? {
        idle.spawn(stay(socket));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = server.resident_kib()?;

    let times = Arc::<Times<(String, u64)>>::default();
    let mut watcher = shop.desk().await?;
    let heard = times.clone();
    let watching = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = watcher.next().await {
            let told: Value = serde_json::from_str(&text).unwrap_or_default();
            if told["kind"] == "message"
                && let (Some(interaction), Some(seq)) =
                    (told["interaction"].as_str(), told["message_seq"].as_u64())
            {
                heard.came((interaction.to_owned(), seq));
            }
        }
    });
    let paces: Vec<Pace> = paces(load).collect();
    let first = WARM_UP + load.sockets;
    let mut writers = vec![];
    for socket in shop.visits(first, paces.len()).await? {
        writers.push(Writer::begin(socket, &shop.service).await?);
    }
    let mut writing = vec![];
    for (writer, pace) in writers.into_iter().zip(paces) {
        writing.push(tokio::spawn(writer.write(pace.again(), times.clone())));
    }
    for one in writing {
        one.await??;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    watching.abort();
    // Those that were cut off are not counted.
    while idle.try_join_next().is_some() {}
    let (waits, lost) = times.waits();
    Ok(Measured {
        sockets: idle.len().saturating_sub(WARM_UP),
        bytes_each: bytes_each((before, after), load.sockets),
        waits,
        lost,
    })
}

/// The demo's shop.
struct Shop {
    http: SocketAddr,
    channel: String,
    /// What its visitors write about.
    service: String,
    company: String,
    /// The administrator's.
    cookie: String,
}

impl Shop {
    async fn find(server: &Server) -> Result<Self, Failure> {
        let page = ask(server.http, "GET /demo", "", "").await?;
        let (_, rest) = page.split_once("/webchat/").ok_or("no chat in the shop")?;
        let (channel, _) = rest.split_once('/').ok_or("no chat in the shop")?;
        let logins: Value = serde_json::from_str(&server.logins()?)?;
        let login = json!({ "email": logins["administrator"], "password": logins["password"] });
        let answer = ask(server.http, "POST /api/v1/session", "", &login.to_string()).await?;
        let name = "set-cookie: ";
        let at = answer.to_lowercase().find(name).ok_or("not let in")? + name.len();
        let cookie = answer[at..].split(';').next().unwrap_or_default();
        let first = async |path: &str| {
            let headers = format!("cookie: {cookie}\r\n");
            let answer = ask(server.http, &format!("GET {path}"), &headers, "").await?;
            let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
            let listed: Value = serde_json::from_str(body)?;
            let id = listed["items"][0]["id"]
                .as_str()
                .ok_or("nothing is listed")?;
            Ok::<_, Failure>(id.to_owned())
        };
        let company = first("/api/v1/companies").await?;
        Ok(Self {
            http: server.http,
            channel: channel.to_owned(),
            service: first(&format!("/api/v1/services?company={company}")).await?,
            company,
            cookie: cookie.to_owned(),
        })
    }

    /// A page of a new visitor, who is welcome.
    async fn visit(&self, number: usize) -> Result<Socket, Failure> {
        let behind = number / BEHIND_ADDRESS;
        let address = format!("10.{}.{}.1", behind / 250, behind % 250);
        let origin = format!("http://{}", self.http);
        let path = format!("/webchat/{}/socket", self.channel);
        let headers = [("x-forwarded-for", &*address), ("origin", &*origin)];
        let mut socket = connect(self.http, &path, &headers).await?;
        let hello = json!({ "type": "hello", "v": 1, "language": "pt-BR", "after_seq": 0 });
        socket.send(Message::text(hello.to_string())).await?;
        until(&mut socket, "state").await?;
        Ok(socket)
    }

    async fn visits(self: &Arc<Self>, first: usize, count: usize) -> Result<Vec<Socket>, Failure> {
        let turns = Arc::new(Semaphore::new(OPENING));
        let coming = (first..first + count).map(|number| {
            let (shop, turns) = (self.clone(), turns.clone());
            tokio::spawn(async move {
                let _turn = turns.acquire().await?;
                shop.visit(number).await
            })
        });
        let coming: Vec<_> = coming.collect();
        let mut sockets = vec![];
        for one in coming {
            sockets.push(one.await??);
        }
        Ok(sockets)
    }

    /// A page on which all of the company is seen.
    async fn desk(&self) -> Result<Socket, Failure> {
        let origin = format!("http://{}", self.http);
        let path = format!("/api/v1/live?company={}", self.company);
        let headers = [("cookie", &*self.cookie), ("origin", &*origin)];
        connect(self.http, &path, &headers).await
    }
}

/// A visitor who writes.
struct Writer {
    socket: Socket,
    interaction: String,
}

impl Writer {
    /// Writes for the first time.
    async fn begin(mut socket: Socket, service: &str) -> Result<Self, Failure> {
        let first = json!({ "type": "send", "client_message_id": "first-000",
            "content": { "kind": "text", "text": "Oi" },
            "form": { "name": "Clara", "service": service } });
        socket.send(Message::text(first.to_string())).await?;
        loop {
            let frame = next(&mut socket).await?;
            if frame["type"] == "error" {
                return Err(frame.to_string().into());
            }
            if let Some(interaction) = frame["interaction"].as_str() {
                let interaction = interaction.to_owned();
                return Ok(Self {
                    socket,
                    interaction,
                });
            }
        }
    }

    async fn write(
        mut self,
        mut pace: Pace,
        times: Arc<Times<(String, u64)>>,
    ) -> Result<Socket, Failure> {
        for number in 0.. {
            if !pace.next().await {
                break;
            }
            let id = format!("number-{number:05}");
            let frame = json!({ "type": "send", "client_message_id": id,
                "content": { "kind": "text", "text": "Alguém aí?" } });
            let at = Instant::now();
            self.socket.send(Message::text(frame.to_string())).await?;
            let ack = until(&mut self.socket, "ack").await?;
            let seq = ack["seq"].as_u64().ok_or("no number")?;
            times.sent((self.interaction.clone(), seq), at);
        }
        Ok(self.socket)
    }
}

// Both.

/// When one writer writes: all of them together at the rate, each in their turn.
#[derive(Clone, Copy)]
struct Pace {
    due: Instant,
    every: Duration,
    /// For how long, from the first time.
    lasts: Duration,
    offset: Duration,
    until: Instant,
}

impl Pace {
    /// The same from now on.
    fn again(self) -> Self {
        let now = Instant::now() + Duration::from_millis(500);
        Self {
            due: now + self.offset,
            until: now + self.lasts,
            ..self
        }
    }

    /// Waits for the next time; nothing when it is over.
    async fn next(&mut self) -> bool {
        tokio::time::sleep_until(self.due.into()).await;
        let goes_on = self.due < self.until;
        self.due += self.every;
        goes_on
    }
}

fn paces(load: Load) -> impl Iterator<Item = Pace> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of writers"
    )]
    let writers = (load.rate * WRITERS_PER_MESSAGE).ceil() as u32;
    let every = Duration::from_secs_f64(f64::from(writers) / load.rate);
    (0..writers).map(move |writer| {
        let pace = Pace {
            due: Instant::now(),
            every,
            lasts: load.lasts,
            offset: every / writers * writer,
            until: Instant::now(),
        };
        pace.again()
    })
}

fn bytes_each((before, after): (u64, u64), sockets: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (grown, sockets) = (after.saturating_sub(before) as f64, sockets as f64);
    grown * 1_024.0 / sockets
}

async fn connect(
    address: SocketAddr,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Socket, Failure> {
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse()?);
    }
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = client_async_with_config(request, stream, Some(small())).await?;
    Ok(socket)
}

/// A page that nobody looks at: it answers pings.
async fn stay(mut socket: Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

async fn next(socket: &mut Socket) -> Result<Value, Failure> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => return Err(format!("the socket is closed: {other:?}").into()),
        }
    }
}

async fn until(socket: &mut Socket, kind: &str) -> Result<Value, Failure> {
    loop {
        let frame = next(socket).await?;
        if frame["type"] == kind {
            return Ok(frame);
        }
        if frame["type"] == "error" {
            return Err(frame.to_string().into());
        }
    }
}

/// One request by HTTP, and its whole answer.
async fn ask(http: SocketAddr, line: &str, headers: &str, body: &str) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(http).await?;
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

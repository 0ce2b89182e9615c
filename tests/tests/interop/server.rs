//! A server of one test: the real program with the demo company, in a folder of its own.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use desk::record::{InteractionState, TrailEntry, TrailKind};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use store::interactions::{Filter, Interaction};
use store::{PAGE_MAX, Page, Store};
use tempfile::TempDir;

/// A running server. Dropped, it is killed, and its folder removed.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    /// Where it listens for SIP over UDP.
    pub(crate) udp: SocketAddr,
    /// Where it listens for SIP over TCP.
    pub(crate) tcp: SocketAddr,
    /// Where it listens for HTTP.
    pub(crate) http: SocketAddr,
}

/// One call in the records.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) call: Interaction,
    pub(crate) trail: Vec<TrailEntry>,
}

impl Server {
    /// Starts the program with a demo company, for callers of this machine.
    pub(crate) fn start() -> Self {
        Self::start_at(ANYWHERE)
    }

    /// The same, listening for SIP on `sip`.
    pub(crate) fn start_at(sip: &str) -> Self {
        Self::start_with(sip, None)
    }

    /// The same, which may ask somebody on this machine, who plays a provider.
    pub(crate) fn start_beside(provider: SocketAddr) -> Self {
        Self::start_with(ANYWHERE, Some(provider))
    }

    fn start_with(sip: &str, provider: Option<SocketAddr>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (process, [udp, tcp, http]) = launch(folder.path(), sip, ANYWHERE, provider);
        Self {
            process,
            folder,
            udp,
            tcp,
            http,
        }
    }

    /// Ends the process as a power failure would, and starts it again on the same folder.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        (self.process, [self.udp, self.tcp, self.http]) =
            launch(self.folder.path(), ANYWHERE, ANYWHERE, None);
    }

    /// Ends the process as a power failure would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the server runs");
        self.process.wait().expect("the server was killed");
    }

    /// Starts it again after that, for browsers that still show its pages.
    pub(crate) fn restart(&mut self) {
        let http = self.http.to_string();
        (self.process, [self.udp, self.tcp, self.http]) =
            launch(self.folder.path(), ANYWHERE, &http, None);
    }

    /// Asks the process to end (SIGTERM).
    pub(crate) fn terminate(&self) {
        let process = i32::try_from(self.process.id()).expect("a process number");
        kill(Pid::from_raw(process), Signal::SIGTERM).expect("the server runs");
    }

    /// How it ended, within `limit`.
    pub(crate) fn ended(&mut self, limit: Duration) -> ExitStatus {
        let process = &mut self.process;
        until(limit, "the server ends", || {
            process.try_wait().expect("a child of ours")
        })
    }

    /// The sound of a prompt as callers hear it, at 16 kHz.
    pub(crate) fn prompt(&self, name: &str) -> PathBuf {
        let hash = self
            .with_store(async |store| {
                let prompts = store::prompts::all(store.pool()).await?;
                let named = prompts.into_iter().find(|prompt| prompt.name == name);
                Ok(named.and_then(|prompt| prompt.file))
            })
            .expect("a prompt of the demo with a sound");
        let folder = self.folder.path().join("prompts").join(&hash[..2]);
        folder.join(format!("{hash}.wav"))
    }

    /// Reads something in the database, beside the server.
    fn with_store<T>(&self, work: impl AsyncFnOnce(&Store) -> Result<T, store::Error>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let url = store::sqlite_url(&self.folder.path().join("ramal.sqlite"));
        let found = runtime.block_on(async {
            let store = Store::open(&url).await?;
            let found = work(&store).await;
            store.close().await;
            found
        });
        found.expect("the database can be read")
    }

    /// The password of the demo's devices.
    pub(crate) fn device_password(&self) -> String {
        self.login("device_password")
    }

    /// The password of the demo's agents.
    pub(crate) fn agent_password(&self) -> String {
        self.login("agent_password")
    }

    /// The password of the demo company's administrator.
    pub(crate) fn administrator_password(&self) -> String {
        self.login("password")
    }

    /// The file with the logins of the demo.
    pub(crate) fn logins(&self) -> PathBuf {
        self.folder.path().join("demo-logins.json")
    }

    fn login(&self, name: &str) -> String {
        let text = fs::read(self.logins()).expect("the demo's logins");
        let logins: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        logins[name].as_str().expect("a login").to_owned()
    }

    /// Logs in as this agent of the demo.
    pub(crate) fn log_in(&self, agent: &str) -> Person<'_> {
        self.log_in_with(agent, &self.login("agent_password"))
    }

    /// Logs in as the demo's administrator, who looks at the demo's company.
    pub(crate) fn administrator(&self) -> Person<'_> {
        let person = self.log_in_with("admin", &self.login("password"));
        let companies = person.ask("GET /api/v1/companies", &serde_json::Value::Null);
        let company = companies["items"][0]["id"].as_str().expect("a company");
        Person {
            company: format!("?company={company}"),
            ..person
        }
    }

    /// Logs in as somebody of the demo.
    pub(crate) fn log_in_with(&self, name: &str, password: &str) -> Person<'_> {
        let body = json!({ "email": format!("{name}@demo.example"), "password": password });
        let answer = self.ask("POST /api/v1/session", "", &body);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with("HTTP/1.1 201"), "{answer}");
        let cookie = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_cookie = name.eq_ignore_ascii_case("set-cookie");
            is_cookie.then(|| value.split(';').next().unwrap_or_default().to_owned())
        });
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        Person {
            server: self,
            cookie: cookie.expect("a cookie"),
            csrf: body["csrf"].as_str().expect("a token").to_owned(),
            company: String::new(),
        }
    }

    fn ask(&self, line: &str, headers: &str, body: &serde_json::Value) -> String {
        let answer = self.ask_bytes(line, headers, body);
        String::from_utf8(answer).expect("text")
    }

    fn ask_bytes(&self, line: &str, headers: &str, body: &serde_json::Value) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.http).expect("the server listens");
        let (host, body) = (self.http, body.to_string());
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = vec![];
        stream.read_to_end(&mut answer).expect("an answer");
        answer
    }

    /// Waits until no call is up, and no leg and nobody who waits is left of any.
    pub(crate) fn is_quiet(&self) {
        let mut left = String::new();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let answer = self.ask("GET /metrics", "", &serde_json::Value::Null);
            let lines = answer.lines().filter(|line| {
                ["ramal_calls ", "ramal_waiting ", "ramal_media_legs"]
                    .iter()
                    .any(|name| line.starts_with(name))
            });
            let up: Vec<&str> = lines.filter(|line| !line.ends_with(" 0")).collect();
            if up.is_empty() && answer.contains("ramal_media_legs") {
                return;
            }
            left = up.join(", ");
            thread::sleep(Duration::from_millis(100));
        }
        panic!("something is left of the calls: {left}");
    }

    /// What it wrote to its log.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// All calls of the records, the oldest first.
    pub(crate) fn records(&self) -> Vec<Recorded> {
        let mut records = self.with_store(read);
        records.reverse();
        records
    }

    /// Waits until the records hold `count` calls and all of them were answered.
    pub(crate) fn answered_records(&self, count: usize) {
        until(Duration::from_secs(20), "all calls are answered", || {
            let records = self.records();
            let answered = |recorded: &Recorded| recorded.call.answered_ms.is_some();
            (records.len() == count && records.iter().all(answered)).then_some(())
        });
    }

    /// The records, as soon as they hold `count` calls and all of them are over.
    pub(crate) fn ended_records(&self, count: usize) -> Vec<Recorded> {
        until(Duration::from_secs(20), "all calls are recorded", || {
            let records = self.records();
            let over = |recorded: &Recorded| recorded.call.state == InteractionState::Ended;
            (records.len() == count && records.iter().all(over)).then_some(records)
        })
    }

    /// The record of the one call to this number, as soon as it is over.
    pub(crate) fn ended_record_to(&self, number: &str) -> Recorded {
        until(Duration::from_secs(20), "the call is recorded", || {
            let mut records = self.records().into_iter();
            let over = |call: &Interaction| call.state == InteractionState::Ended;
            records.find(|recorded| recorded.call.to == number && over(&recorded.call))
        })
    }
}

/// Somebody who is logged in.
pub(crate) struct Person<'s> {
    server: &'s Server,
    cookie: String,
    csrf: String,
    /// The query that names the company, of those who belong to none.
    company: String,
}

impl Person<'_> {
    /// Comes or goes.
    pub(crate) fn is(&self, presence: &str) {
        let body = json!({ "presence": presence });
        let answer = self.ask("PUT /api/v1/agents/me/presence", &body);
        assert_eq!(answer["presence"], presence, "{answer}");
    }

    /// Takes nothing new for a while.
    pub(crate) fn pauses(&self) {
        let body = json!({ "presence": "paused", "reason": "descanso" });
        self.ask("PUT /api/v1/agents/me/presence", &body);
    }

    /// What they are doing now.
    pub(crate) fn state(&self) -> serde_json::Value {
        self.ask("GET /api/v1/agents/me", &serde_json::Value::Null)
    }

    /// Their id.
    pub(crate) fn id(&self) -> String {
        self.state()["id"].as_str().expect("an id").to_owned()
    }

    /// The calls that they see, the oldest first.
    pub(crate) fn calls(&self) -> Vec<serde_json::Value> {
        let answer = self.ask("GET /api/v1/calls", &serde_json::Value::Null);
        answer["items"].as_array().expect("a list").clone()
    }

    /// Has something done with a call.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub(crate) fn orders(&self, call: &str, order: &serde_json::Value) {
        let (status, answer) = self.request(&format!("POST /api/v1/calls/{call}/orders"), order);
        assert_eq!(status, 204, "{order}: {answer}");
    }

    /// What is answered, which is no refusal.
    pub(crate) fn ask(&self, line: &str, body: &serde_json::Value) -> serde_json::Value {
        let (status, answer) = self.request(line, body);
        assert!((200..300).contains(&status), "{line} {body}: {answer}");
        answer
    }

    /// The file at this path.
    pub(crate) fn download(&self, path: &str) -> Vec<u8> {
        let line = format!("GET {path}{}", self.company);
        let nothing = serde_json::Value::Null;
        let mut answer = self.server.ask_bytes(&line, &self.headers(), &nothing);
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let file = answer.split_off(head.expect("an answer") + 4);
        let head = String::from_utf8_lossy(&answer);
        assert!(head.starts_with("HTTP/1.1 200"), "{line}: {head}");
        file
    }

    fn headers(&self) -> String {
        format!("Cookie: {}\r\nX-CSRF-Token: {}\r\n", self.cookie, self.csrf)
    }

    /// The status and what is answered.
    pub(crate) fn request(&self, line: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        let line = format!("{line}{}", self.company);
        let answer = self.server.ask(&line, &self.headers(), body);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let body = match body {
            "" => serde_json::Value::Null,
            text => serde_json::from_str(text).expect("JSON"),
        };
        (status.expect("a status"), body)
    }
}

impl Recorded {
    /// When the first line of this kind was written.
    pub(crate) fn at_ms(&self, kind: TrailKind) -> i64 {
        let line = self.trail.iter().find(|entry| entry.kind == kind);
        line.unwrap_or_else(|| panic!("no {kind:?} in {self:?}"))
            .at_ms
    }

    /// The lines of this kind.
    pub(crate) fn lines(&self, kind: TrailKind) -> Vec<&serde_json::Value> {
        let lines = self.trail.iter().filter(|entry| entry.kind == kind);
        lines.map(|entry| &entry.detail).collect()
    }

    /// The nodes of the flow that it went through.
    pub(crate) fn path(&self) -> Vec<&str> {
        let entered = self.trail.iter().filter(|line| {
            // What a node does at once comes with its being entered.
            line.kind == TrailKind::NodeEntered || line.detail.get("entered").is_some()
        });
        entered
            .filter_map(|line| line.detail["node"].as_str())
            .collect()
    }

    /// How many packets the caller was sent.
    pub(crate) fn packets_sent(&self) -> u64 {
        let quality = self.call.quality.as_ref();
        quality.map_or(0, |quality| quality.packets_sent)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            let log = self.log();
            let lines = log.lines().filter(|line| !line.contains(" http request="));
            let said: Vec<&str> = lines.collect();
            eprintln!("what the server logged:\n{}", said.join("\n"));
            eprintln!("and wrote down:\n{:#?}", self.records());
        }
    }
}

/// Tries until there is an answer.
///
/// # Panics
///
/// When there is none within `limit`.
pub(crate) fn until<T>(limit: Duration, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The process, and where it listens for SIP over UDP, over TCP, and for HTTP.
fn launch(
    folder: &Path,
    sip: &str,
    http: &str,
    provider: Option<SocketAddr>,
) -> (Child, [SocketAddr; 3]) {
    let greeting = folder.join(GREETING);
    let out = File::create(&greeting).expect("a file of ours");
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join(LOG));
    let mut program = Command::new(program());
    if let Some(provider) = provider {
        program.env("RAMAL_INSIDE", provider.to_string());
    }
    let mut process = program
        .args(["serve", "--demo"])
        .env("RAMAL_DATA", folder)
        .env("RAMAL_SIP", sip)
        .env("RAMAL_HTTP", http)
        // Below the ports that the system gives to others.
        .env("RAMAL_RTP_PORTS", "20000-31999")
        .env("RAMAL_BROWSER_MEDIA", "0.0.0.0:0")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(log.expect("a file of ours"))
        .spawn()
        .expect("the program starts");
    let listening = until(START_PATIENCE, "the server is up", || {
        let text = fs::read_to_string(&greeting).unwrap_or_default();
        if let Ok(Some(status)) = process.try_wait() {
            let log = fs::read_to_string(folder.join(LOG)).unwrap_or_default();
            panic!("the server ended at once ({status}): {log}");
        }
        // The last line is there: so are the others.
        text.contains("4001").then_some(())?;
        Some([
            listens(&text, "UDP")?,
            listens(&text, "TCP")?,
            pages(&text)?,
        ])
    });
    (process, listening)
}

/// A port that is free.
const ANYWHERE: &str = "127.0.0.1:0";

/// The address in the line of the greeting that begins with SIP and this transport.
fn listens(greeting: &str, transport: &str) -> Option<SocketAddr> {
    let mut lines = greeting.lines().map(str::split_whitespace);
    lines.find_map(|mut words| {
        let ours = words.next() == Some("SIP") && words.next() == Some(transport);
        ours.then(|| words.next()?.parse().ok()).flatten()
    })
}

/// The address in the line of the greeting that begins with HTTP.
fn pages(greeting: &str) -> Option<SocketAddr> {
    let mut lines = greeting.lines().map(str::split_whitespace);
    lines.find_map(|mut words| {
        let ours = words.next() == Some("HTTP");
        ours.then(|| words.next()?.strip_prefix("http://")?.parse().ok())
            .flatten()
    })
}

/// The program under test: `RAMAL_TEST_PROGRAM`, or built now, which takes no time where it is fresh.
fn program() -> PathBuf {
    if let Some(built) = std::env::var_os("RAMAL_TEST_PROGRAM") {
        return built.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--package", "ramal", "--bin", "ramal"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().expect("cargo").success(), "ramal builds");
    // This test lies in target/<profile>/deps.
    let test = std::env::current_exe().expect("a path of our own");
    let profile = test.ancestors().nth(2).expect("a target folder");
    profile.join("ramal")
}

async fn read(store: &Store) -> Result<Vec<Recorded>, store::Error> {
    let mut records = vec![];
    for company in store::companies::list(store.pool(), &Page::first()).await? {
        let filter = Filter::default();
        let calls = store::interactions::list(store.pool(), &company.id, &filter, PAGE_MAX).await?;
        for call in calls {
            let trail =
                store::trail::list(store.pool(), &company.id, &call.id, 0, PAGE_MAX).await?;
            records.push(Recorded { call, trail });
        }
    }
    Ok(records)
}

const GREETING: &str = "greeting.txt";

const LOG: &str = "log.txt";

/// Speaking the demo's prompts takes a second; a machine that also compiles needs more.
const START_PATIENCE: Duration = Duration::from_secs(60);

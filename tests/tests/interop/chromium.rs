//! Chromium with JsSIP as the agent's phone: a page registers over WebSocket, and calls go both ways.
//!
//! ```text
//!  test ── orders ─▶ a little HTTP server ◀─ fetch ── page (phone.js, JsSIP) ══ SIP, DTLS-SRTP ══▶ ramal
//!       ◀─ what happened ─┘
//! ```
//!
//! The browser has a file for a microphone: a tone, which whoever it talks to must hear. The page keeps
//! the last half second of what comes out, for who asks.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use desk::record::TrailKind;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cast::{agent_in_browser, customer};
use crate::ear::{ANA, CUSTOMER, Ear, Hearer, Hears, Voice, spoken, they_hear};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn a_page_registers_calls_the_menu_hears_it_and_chooses_by_key() {
    if !can_browse() {
        return;
    }
    let server = Server::start();
    let browser = Chromium::start(&server, "ana", "opus", ANA);
    browser.order(&json!({ "do": "call", "to": format!("sip:4000@{}", server.udp) }));
    browser.wait_for("confirmed");
    let heard = browser.stats_when(|stats| number(stats, "received") > 100.0);
    assert!(number(&heard, "energy") > 0.0, "silence: {heard}");
    assert_eq!(heard["dtls"], "connected", "{heard}");
    eprintln!("{heard}");
    browser.order(&json!({ "do": "press", "key": "1" }));
    until(Duration::from_secs(20), "the key arrives", || {
        let records = server.records();
        records.first()?.path().contains(&"service-1").then_some(())
    });

    // A hold and its end, and ICE anew: the browser goes on hearing us.
    browser.order(&json!({ "do": "hold" }));
    browser.wait_for("held");
    browser.order(&json!({ "do": "resume" }));
    browser.wait_for("resumed");
    browser.order(&json!({ "do": "restart" }));
    browser.wait_for("restarted");
    let before = number(&browser.stats_when(|_| true), "received");
    browser.stats_when(|stats| number(stats, "received") > before + 100.0);

    browser.order(&json!({ "do": "hangup" }));
    browser.wait_for("ended");
    let records = server.ended_records(1);
    let recorded = &records[0];
    let chosen = recorded.lines(TrailKind::OptionChosen);
    assert_eq!(chosen.len(), 1, "{recorded:?}");
    assert_eq!(chosen[0]["key"], "1");
    assert_eq!(recorded.call.codec.as_deref(), Some("opus"));
    let quality = recorded.call.quality.as_ref().expect("there was sound");
    assert!(quality.packets_received > 50, "{quality:?}");
}

#[test]
fn a_page_takes_a_call_in_opus_and_both_hear_each_other() {
    takes_a_call("opus");
}

#[test]
fn a_page_takes_a_call_in_pcma_and_both_hear_each_other() {
    takes_a_call("PCMA");
}

fn takes_a_call(codec: &str) {
    if !can_browse() || !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent_in_browser(&server, "ana", codec);
    let mut customer = customer(&server);
    ana.person.is("available");
    ana.answers();
    ana.call_in_state("talking");
    they_hear(&[
        (&ana.phone, Hears::These(&[CUSTOMER])),
        (&customer, Hears::These(&[ANA])),
    ]);
    let heard = ana.phone.stats_when(|stats| number(stats, "sent") > 100.0);
    let mime = format!("audio/{codec}");
    let codecs = heard["codecs"].as_array().expect("a list");
    assert!(codecs.iter().any(|one| *one == mime.as_str()), "{heard}");
    eprintln!("{heard}");
    ana.phone.order(&json!({ "do": "hangup" }));
    ana.phone.wait_for("ended");
    customer.wait_for("CALL_CLOSED");
    let records = server.ended_records(1);
    let answered = records[0].lines(TrailKind::AgentAnswered);
    assert_eq!(answered[0]["name"], "Ana", "{records:?}");
}

fn number(stats: &Value, name: &str) -> f64 {
    stats[name].as_f64().unwrap_or_default()
}

/// A browser with the page. Dropped, it is killed.
pub(crate) struct Chromium {
    process: Child,
    folder: TempDir,
    page: Arc<Page>,
}

/// What the test and the page say to each other.
#[derive(Default)]
struct Page {
    orders: Mutex<VecDeque<String>>,
    told: Mutex<Vec<Value>>,
}

impl Chromium {
    /// How far the page remembers what it heard, and a little more.
    pub(crate) const REMEMBERS: Duration = Duration::from_millis(700);

    /// Starts it without a screen, with the account of this device of the demo, which registers; this is
    /// what its microphone gives.
    pub(crate) fn start(server: &Server, device: &str, codec: &str, voice: Voice) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let microphone = spoken(folder.path(), voice, 48_000);
        let page = Arc::new(Page::default());
        let address = serve(Arc::clone(&page));
        let query = [
            ("socket", format!("ws://{}/sip", server.http)),
            ("user", device.to_owned()),
            ("host", server.udp.to_string()),
            ("password", server.device_password()),
            ("codec", codec.to_owned()),
        ];
        let query = query
            .map(|(name, value)| format!("{name}={value}"))
            .join("&");
        let log = File::create(folder.path().join("log.txt")).expect("a file of ours");
        let process = Command::new("chromium")
            .args(FLAGS)
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .arg(format!(
                "--use-file-for-fake-audio-capture={}",
                microphone.display()
            ))
            .arg(format!("http://{address}/?{query}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file of ours"))
            .stderr(log)
            .spawn()
            .expect("chromium starts");
        let browser = Self {
            process,
            folder,
            page,
        };
        browser.wait_for("registered");
        browser
    }

    pub(crate) fn order(&self, order: &Value) {
        lock(&self.page.orders).push_back(order.to_string());
    }

    /// Waits until the page tells of this event, and forgets all up to it.
    pub(crate) fn wait_for(&self, event: &str) -> Value {
        until(Duration::from_secs(40), event, || {
            let mut told = lock(&self.page.told);
            let at = told.iter().position(|one| one["event"] == event)?;
            told.drain(..=at).next_back()
        })
    }

    /// The first figures of the call that are as wanted.
    fn stats_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        until(Duration::from_secs(40), "the figures are as wanted", || {
            self.order(&json!({ "do": "stats" }));
            let stats = self.wait_for("stats");
            wanted(&stats).then_some(stats)
        })
    }

    /// The last half second of what came out: samples a second, and samples of 16 bits.
    pub(crate) fn heard(&self) -> (u32, Vec<f64>) {
        self.order(&json!({ "do": "listen" }));
        let heard = self.wait_for("heard");
        let samples = heard["samples"].as_array().expect("samples").iter();
        let rate = heard["rate"].as_u64().and_then(|rate| rate.try_into().ok());
        (
            rate.expect("a rate"),
            samples.filter_map(Value::as_f64).collect(),
        )
    }
}

impl Hearer for Chromium {
    fn ear(&self) -> Ear<'_> {
        Ear::Page {
            page: self,
            since: Instant::now(),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default();
            let told = lock(&self.page.told);
            eprintln!("what chromium logged:\n{log}\nand what the page told: {told:?}");
        }
    }
}

/// Serves the page and its orders on a free port of this machine, for as long as the test runs.
fn serve(page: Arc<Page>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let page = Arc::clone(&page);
            thread::spawn(move || {
                // A browser that goes away is none of our business.
                let _ = answer(&stream, &page);
            });
        }
    });
    address
}

/// Answers one request.
fn answer(mut stream: &TcpStream, page: &Page) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = line.split_whitespace().nth(1).unwrap_or("/");
    let path = path.split('?').next().unwrap_or("/");
    let found = match path {
        "/told" => {
            lock(&page.told).extend(serde_json::from_slice::<Value>(&body));
            Some(vec![])
        }
        "/order" => next_order(page).map(String::into_bytes),
        path => file(path),
    };
    let (status, body) = match (found, path) {
        (Some(body), _) => ("200 OK", body),
        (None, "/order") => ("204 No Content", vec![]),
        (None, _) => ("404 Not Found", vec![]),
    };
    let kind = if path == "/" {
        "text/html"
    } else {
        "text/javascript"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// The next order, if one comes within a second.
fn next_order(page: &Page) -> Option<String> {
    for _ in 0..50 {
        if let Some(order) = lock(&page.orders).pop_front() {
            return Some(order);
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

/// A file of the page, or of what npm installed.
fn file(path: &str) -> Option<Vec<u8>> {
    let path = path.trim_start_matches('/');
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/page");
    let file = match path {
        "" => page.join("index.html"),
        path if path.starts_with("node_modules/") => modules().join(path),
        path => page.join(path),
    };
    fs::read(file).ok()
}

/// Where `cargo xtask test` has npm put JsSIP.
fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/jssip")
}

/// Whether the browser and JsSIP are there.
pub(crate) fn can_browse() -> bool {
    if !peers(&["chromium"]) {
        return false;
    }
    if modules().join("node_modules/jssip").is_dir() {
        return true;
    }
    let text = "the npm package jssip is missing; `cargo xtask test` installs it";
    assert!(
        std::env::var("RAMAL_TEST_INTEROP").as_deref() != Ok("require"),
        "{text}"
    );
    eprintln!("{text}");
    false
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No screen, no sandbox (tests may run as root), a microphone that is a file, and nobody asked.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=MediaRouter",
];

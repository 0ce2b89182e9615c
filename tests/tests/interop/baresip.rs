//! baresip as the softphone: it dials, records what it hears, and presses a key.
//!
//! What is compared is what its decoder gives (its module `sndfile` sits right behind it), so the
//! whole path is in it but a loudspeaker's clock: prompt file, our encoder, RTP over a real
//! socket, its jitter buffer, its decoder.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use desk::record::{EndedBy, TrailKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ear::{self, Ear, Hearer, Voice};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn a_softphone_registers_hears_the_welcome_as_it_is_and_chooses_by_key() {
    if !peers(&["baresip", "sox"]) {
        return;
    }
    let server = Server::start();
    let mut phone = Baresip::start(&server, "ana", ECHO);
    phone.wait_until_registered();
    phone.command("dial", &format!("sip:4000@{}", server.udp));
    phone.wait_for("CALL_ESTABLISHED");
    // The menu comes when the welcome was played to its end.
    until(Duration::from_secs(30), "the menu begins", || {
        let records = server.records();
        records.first()?.path().contains(&"menu").then_some(())
    });
    phone.command("sndcode", "1");
    until(Duration::from_secs(10), "the key arrives", || {
        let records = server.records();
        records.first()?.path().contains(&"service-1").then_some(())
    });
    phone.command("hangup", "");
    phone.wait_for("CALL_CLOSED");

    let records = server.ended_records(1);
    let recorded = &records[0];
    let chosen = recorded.lines(TrailKind::OptionChosen);
    assert_eq!(chosen.len(), 1, "{recorded:?}");
    assert_eq!(chosen[0]["key"], "1");
    assert!(recorded.lines(TrailKind::InvalidInput).is_empty());
    assert_eq!(recorded.call.ended_by, Some(EndedBy::Customer));
    assert_eq!(recorded.call.codec.as_deref(), Some("PCMA"));
    let quality = recorded.call.quality.as_ref().expect("there was sound");
    assert!(quality.packets_received > 50, "{quality:?}");

    let Some(compared) = compare(&server.prompt("Boas-vindas"), &phone.recording()) else {
        return;
    };
    let number = |name: &str| compared[name].as_f64().expect("a number");
    eprintln!("{compared}");
    assert!(number("fit") > 0.98, "another sound: {compared}");
    assert!(number("shift_ms") <= 20.0, "another length: {compared}");
    assert!(number("missing_ms") <= 20.0, "cut off: {compared}");
    assert!(
        number("pesq") >= number("pesq_alaw") - 0.05,
        "worse than sox's A-law of the same prompt: {compared}"
    );
}

/// A softphone at work. Dropped, it is killed.
pub(crate) struct Baresip {
    process: Child,
    folder: TempDir,
    control: TcpStream,
    /// Where it listens for SIP over UDP.
    pub(crate) listens: SocketAddr,
    /// What it told us and was not read yet.
    unread: Vec<u8>,
    /// What it told us so far.
    told: Vec<Value>,
    /// Up to where [`Self::wait_for`] has come in it.
    heeded: usize,
}

impl Baresip {
    /// Starts it with the account of this device of the demo; it says what `source` gives.
    pub(crate) fn start(server: &Server, device: &str, source: &str) -> Self {
        Self::of_device(server, device, |_| source.to_owned())
    }

    /// Starts it as a device of the demo, whose person says this, and registers.
    pub(crate) fn of(server: &Server, device: &str, voice: Voice) -> Self {
        let phone = Self::of_device(server, device, |folder| ear::says(folder, voice));
        phone.wait_until_registered();
        phone
    }

    fn of_device(server: &Server, device: &str, source: impl FnOnce(&Path) -> String) -> Self {
        let (at, password) = (server.udp, server.device_password());
        let account = |_| format!("<sip:{device}@{at}>;auth_pass={password};regint=60");
        Self::with_account(account, source)
    }

    /// Starts it as somebody in the world, who calls us by our carrier, and says this.
    pub(crate) fn caller(server: &Server, number: &str, voice: Voice) -> Self {
        let account = |_| format!("<sip:{number}@{}>;regint=0", server.udp);
        Self::with_account(account, |folder| ear::says(folder, voice))
    }

    /// Starts it as somebody in the world, whom our carrier reaches by this number, and who says
    /// this.
    pub(crate) fn callee(number: &str, voice: Voice) -> Self {
        let account = |listens| format!("<sip:{number}@{listens}>;regint=0");
        Self::with_account(account, |folder| ear::says(folder, voice))
    }

    /// Starts it without sound hardware, on ports that are free; somebody else may be faster.
    fn with_account(
        account: impl Fn(SocketAddr) -> String,
        source: impl FnOnce(&Path) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        let source = source(path);
        let (process, control, listens) = until(Duration::from_secs(20), "baresip starts", || {
            let (control, listens) = (free_tcp_port(), free_udp_port());
            let config = CONFIG
                .replace("@CONTROL@", &control.to_string())
                .replace("@LISTEN@", &listens.to_string())
                .replace("@SOURCE@", &source)
                .replace("@FOLDER@", &path.display().to_string());
            for (name, text) in [
                ("config", config),
                ("accounts", account(listens) + ";audio_codecs=PCMA/8000/1\n"),
                ("contacts", String::new()),
            ] {
                fs::write(path.join(name), text).expect("a file of ours");
            }
            let (process, control) = launch(path, control)?;
            Some((process, control, listens))
        });
        control
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a socket of ours");
        Self {
            process,
            folder,
            control,
            listens,
            unread: vec![],
            told: vec![],
            heeded: 0,
        }
    }

    /// Tells it to do something: a netstring with JSON inside (its module `ctrl_tcp`).
    pub(crate) fn command(&mut self, command: &str, params: &str) {
        let text = json!({ "command": command, "params": params }).to_string();
        let framed = format!("{}:{text},", text.len());
        self.control
            .write_all(framed.as_bytes())
            .expect("baresip listens");
    }

    /// Waits until it says that it has registered, which it may have done before we listened.
    pub(crate) fn wait_until_registered(&self) {
        until(Duration::from_secs(20), "baresip registers", || {
            self.log().contains("[1 binding]").then_some(())
        });
    }

    /// Waits until it tells of this event, after those that were waited for before. Returns what it
    /// told with it.
    pub(crate) fn wait_for(&mut self, event: &str) -> String {
        until(Duration::from_secs(20), event, || {
            self.read();
            let news = &self.told[self.heeded..];
            let at = news.iter().position(|told| told["type"] == event)?;
            self.heeded += at + 1;
            let param = &self.told[self.heeded - 1]["param"];
            Some(param.as_str().unwrap_or_default().to_owned())
        })
    }

    /// Whether it told of this event.
    pub(crate) fn told_of(&mut self, event: &str) -> bool {
        self.read();
        self.told.iter().any(|told| told["type"] == event)
    }

    /// Reads what it tells: netstrings with JSON inside.
    fn read(&mut self) {
        let mut bytes = [0; 4_096];
        if let Ok(length) = self.control.read(&mut bytes) {
            self.unread.extend(&bytes[..length]);
        }
        while let Some(colon) = self.unread.iter().position(|byte| *byte == b':') {
            let length = String::from_utf8_lossy(&self.unread[..colon]).parse::<usize>();
            let end = colon + 1 + length.expect("a length");
            if self.unread.len() <= end {
                return;
            }
            let told = serde_json::from_slice(&self.unread[colon + 1..end]).expect("JSON");
            self.told.push(told);
            self.unread.drain(..=end);
        }
    }

    /// Waits until it has heard so much more, silence among it.
    pub(crate) fn hears_for(&self, time: Duration) {
        let length = || {
            let file = self.hearing().and_then(|file| fs::metadata(file).ok());
            file.map_or(0, |known| u128::from(known.len()))
        };
        let enough = length() + time.as_millis() * 16; // 8 kHz of 16 bits
        until(time + Duration::from_secs(20), "it hears on", || {
            (length() >= enough).then_some(())
        });
    }

    /// What it logged, SIP messages among it.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// What it heard, as a WAV file.
    pub(crate) fn recording(&self) -> PathBuf {
        self.hearing().expect("a recording")
    }

    /// The WAV file of what it hears in its latest call.
    pub(crate) fn hearing(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.folder.path()).expect("a folder of ours");
        let paths = files.flatten().map(|entry| entry.path());
        let heard = paths.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        heard.max_by_key(|path| fs::metadata(path).and_then(|known| known.modified()).ok())
    }
}

impl Hearer for Baresip {
    fn ear(&self) -> Ear<'_> {
        Ear::of_file(|| self.hearing())
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let (log, told) = (self.log(), &self.told);
            eprintln!("what baresip logged:\n{log}\nand told:\n{told:?}");
        }
    }
}

/// The process and its control connection; nothing where it ended at once.
fn launch(folder: &Path, control: SocketAddr) -> Option<(Child, TcpStream)> {
    let log = File::create(folder.join(LOG)).expect("a file of ours");
    let mut process = Command::new("baresip")
        .args(["-4", "-s", "-f"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file of ours"))
        .stderr(log)
        .spawn()
        .expect("baresip starts");
    until(Duration::from_secs(20), "baresip listens", || {
        if let Ok(Some(status)) = process.try_wait() {
            let log = fs::read_to_string(folder.join(LOG)).unwrap_or_default();
            eprintln!("baresip ended at once ({status}): {log}");
            return Some(None);
        }
        TcpStream::connect(control).ok().map(Some)
    })
    .map(|stream| (process, stream))
}

fn free_tcp_port() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address")
}

/// A port that nobody has yet; the system gives it to nobody else soon.
pub(crate) fn free_udp_port() -> SocketAddr {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address")
}

/// Compares a recording with the prompt by `compare.py`, whose doc says what the numbers are.
/// Nothing where its Python packages are missing and need not be there.
pub(crate) fn compare(prompt: &Path, recording: &Path) -> Option<Value> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = tests.join("../target/pesq-venv/bin/python");
    if !python.is_file() {
        let text = "the Python package pesq is missing; `cargo xtask test` installs it";
        assert!(
            std::env::var("RAMAL_TEST_INTEROP").as_deref() != Ok("require"),
            "{text}"
        );
        eprintln!("{text}");
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (narrow, coded, decoded) = (
        folder.path().join("narrow.wav"),
        folder.path().join("coded.wav"),
        folder.path().join("decoded.wav"),
    );
    sox(prompt, &["-r", "8000", "-b", "16"], &narrow);
    sox(&narrow, &["-e", "a-law", "-b", "8"], &coded);
    sox(&coded, &["-e", "signed", "-b", "16"], &decoded);
    let compared = Command::new(python)
        .arg(tests.join("interop/compare.py"))
        .args([&narrow, &decoded])
        .arg(recording)
        .output()
        .expect("python");
    let said = String::from_utf8_lossy(&compared.stderr);
    assert!(compared.status.success(), "{said}");
    Some(serde_json::from_slice(&compared.stdout).expect("one line of JSON"))
}

fn sox(from: &Path, format: &[&str], to: &Path) {
    let made = Command::new("sox").arg(from).args(format).arg(to).status();
    assert!(made.expect("sox").success());
}

/// It says what it hears.
const ECHO: &str = "aubridge,loop";

const CONFIG: &str = include_str!("../../interop/baresip.config");

const LOG: &str = "log.txt";

//! linphone as an agent's telephone: its console program, with a file for a microphone and another for a
//! loudspeaker.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use desk::record::{EndedBy, TrailKind};
use tempfile::TempDir;

use crate::cast::{agent_at, customer};
use crate::ear::{CUSTOMER, Ear, Hearer, Hears, Voice, spoken, they_hear};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn linphone_registers_takes_a_call_and_both_hear_each_other() {
    if !peers(&["baresip", "linphonec"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent_at(&server, "ana", |voice| {
        Linphone::start(&server, "ana", voice)
    });
    let mut customer = customer(&server);
    ana.person.is("available");
    ana.phone.wait_for("Receiving new incoming call");
    ana.phone.command("answer");
    ana.call_in_state("talking");
    they_hear(&[
        (&customer, Hears::These(&[ana.voice])),
        (&ana.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.phone.command("pause");
    they_hear(&[(&customer, Hears::Music)]);
    ana.phone.command("resume");
    they_hear(&[(&customer, Hears::These(&[ana.voice]))]);
    ana.phone.command("terminate");
    customer.wait_for("CALL_CLOSED");
    ana.is_doing("wrapping up");
    server.is_quiet();
    let records = server.ended_records(1);
    assert_eq!(records[0].call.ended_by, Some(EndedBy::Agent));
    assert_eq!(records[0].lines(TrailKind::Held).len(), 1, "{records:?}");
    assert_eq!(records[0].lines(TrailKind::Resumed).len(), 1);
    let left = records[0].lines(TrailKind::DialledLeft);
    assert!(left[0]["quality"]["packets_received"].as_u64() > Some(50));
}

/// The telephone at work. Dropped, it is killed.
pub(crate) struct Linphone {
    process: Child,
    folder: TempDir,
}

impl Linphone {
    /// Starts it as a device of the demo, whose person says this, and registers.
    pub(crate) fn start(server: &Server, device: &str, voice: Voice) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        // It keeps its calls there, and does not begin without the folder.
        fs::create_dir_all(path.join(".local/share/linphone")).expect("a folder of ours");
        let config = CONFIG
            .replace("@DEVICE@", device)
            .replace("@SERVER@", &server.udp.to_string())
            .replace("@PASSWORD@", &server.device_password());
        let file = path.join("linphonerc");
        fs::write(&file, config).expect("a file of ours");
        let out = File::create(path.join(OUT)).expect("a file of ours");
        let process = Command::new("linphonec")
            .arg("-c")
            .arg(file)
            .args(["-d", "5", "-l"])
            .arg(path.join(LOG))
            .env("HOME", path)
            .stdin(Stdio::piped())
            .stdout(out.try_clone().expect("a file of ours"))
            .stderr(out)
            .spawn()
            .expect("linphonec starts");
        let said = spoken(path, voice, 8_000);
        let heard = path.join(HEARD);
        let mut phone = Self { process, folder };
        phone.command("soundcard use files");
        phone.command(&format!("play {}", said.display()));
        phone.command(&format!("record {}", heard.display()));
        until(Duration::from_secs(20), "linphone registers", || {
            let log = read(phone.folder.path(), LOG);
            log.contains("to [LinphoneRegistrationOk]").then_some(())
        });
        phone
    }

    /// Types a command.
    pub(crate) fn command(&mut self, command: &str) {
        let stdin = self.process.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{command}").expect("linphone listens");
    }

    /// Waits until it has told this.
    pub(crate) fn wait_for(&self, told: &str) {
        until(Duration::from_secs(20), told, || {
            let out = read(self.folder.path(), OUT);
            out.contains(told).then_some(())
        });
    }

    fn hearing(&self) -> Option<PathBuf> {
        let file = self.folder.path().join(HEARD);
        file.is_file().then_some(file)
    }
}

impl Hearer for Linphone {
    fn ear(&self) -> Ear<'_> {
        Ear::of_file(|| self.hearing())
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let path = self.folder.path();
            let (log, out) = (read(path, LOG), read(path, OUT));
            eprintln!("what linphone logged:\n{log}\nand told:\n{out}");
        }
    }
}

fn read(folder: &Path, name: &str) -> String {
    let bytes = fs::read(folder.join(name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

const CONFIG: &str = include_str!("../../interop/linphonerc");

const HEARD: &str = "heard.wav";

const LOG: &str = "log.txt";

const OUT: &str = "out.txt";

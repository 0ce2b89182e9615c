//! sipp as the caller: what it is told to do, and what it counted.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::baresip::free_udp_port;
use crate::ear::{self, Voice};
use crate::server::{Server, until};

/// A step in a call that was answered.
pub(crate) enum Step<'a> {
    /// Time goes by.
    Wait(Duration),
    /// A key, by SIP INFO.
    Info(char),
    /// This A-law file is sent as it is.
    Send(&'a Path),
    /// The caller hangs up.
    HangUp,
    /// The server hangs up, within this time.
    AwaitEnd(Duration),
}

/// Calls to be placed.
pub(crate) struct Calls<'a> {
    pub(crate) number: &'a str,
    pub(crate) count: u32,
    pub(crate) per_second: u32,
    pub(crate) tcp: bool,
    pub(crate) telephone_events: bool,
    pub(crate) source: IpAddr,
    pub(crate) outcome: Wanted<'a>,
}

/// What is to come of them.
pub(crate) enum Wanted<'a> {
    /// They are answered, and this happens.
    Answered(&'a [Step<'a>]),
    /// They are refused with this status.
    Refused(u16),
}

/// sipp at work. Dropped, it is killed.
pub(crate) struct Running {
    process: Child,
    folder: TempDir,
}

/// sipp as a carrier that puts no call through.
pub(crate) struct Carrier {
    /// Where it listens.
    pub(crate) at: SocketAddr,
    running: Running,
}

/// What sipp counted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) retransmissions: u64,
}

impl<'a> Calls<'a> {
    /// One call over UDP from this machine.
    pub(crate) fn one(number: &'a str, outcome: Wanted<'a>) -> Self {
        Self {
            number,
            count: 1,
            per_second: 1,
            tcp: false,
            telephone_events: true,
            source: [127, 0, 0, 1].into(),
            outcome,
        }
    }

    /// Has sipp place them.
    pub(crate) fn start(&self, server: &Server) -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let scenario = folder.path().join("scenario.xml");
        fs::write(&scenario, self.scenario()).expect("a file of ours");
        let (transport, server) = if self.tcp {
            ("t1", server.tcp)
        } else {
            ("u1", server.udp)
        };
        // The server may listen everywhere; then it has the address of its caller too.
        let server = match server.ip().is_unspecified() {
            true => (self.source, server.port()).into(),
            false => server,
        };
        let out = File::create(folder.path().join(OUT)).expect("a file of ours");
        let process = Command::new("sipp")
            .arg(server.to_string())
            .arg("-sf")
            .arg(&scenario)
            .args(["-s", self.number, "-t", transport])
            .args(["-i", &self.source.to_string()])
            .args(["-m", &self.count.to_string()])
            .args(["-r", &self.per_second.to_string()])
            .args(["-trace_stat", "-stf", STATISTICS, "-fd", "1"])
            .args(["-trace_err", "-error_file", ERRORS])
            .args(["-timeout", "120", "-timeout_error", "-nostdin"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp starts");
        Running { process, folder }
    }

    /// Has sipp place them, and waits until they are over.
    pub(crate) fn place(&self, server: &Server) -> Counted {
        self.start(server).counted()
    }

    fn scenario(&self) -> String {
        match self.outcome {
            Wanted::Refused(status) => REFUSED.replace("@STATUS@", &status.to_string()),
            Wanted::Answered(steps) => {
                let talk: String = steps.iter().map(step).collect();
                let media = if self.telephone_events {
                    "m=audio [media_port] RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000"
                } else {
                    "m=audio [media_port] RTP/AVP 8"
                };
                CALL.replace("@MEDIA@", media).replace("@TALK@", &talk)
            }
        }
    }
}

impl Carrier {
    /// Answers each call with this status.
    pub(crate) fn refusing(status: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::start(folder, &CARRIER.replace("@STATUS@", &status.to_string()))
    }

    /// Says this before the answer, which never comes.
    pub(crate) fn announcing(voice: Voice) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let said = ear::says(folder.path(), voice);
        let file = said.split_once(',').map_or("", |(_, file)| file);
        let coded = folder.path().join("said.al");
        let made = Command::new("sox")
            .arg(file)
            .args(["-t", "al"])
            .arg(&coded)
            .status();
        assert!(made.expect("sox").success());
        let scenario = ANNOUNCING.replace("@SAID@", &coded.display().to_string());
        Self::start(folder, &scenario)
    }

    fn start(folder: TempDir, text: &str) -> Self {
        let scenario = folder.path().join("scenario.xml");
        fs::write(&scenario, text).expect("a file of ours");
        let at = free_udp_port();
        let process = Command::new("sipp")
            .arg("-sf")
            .arg(&scenario)
            .args(["-t", "u1", "-i", "127.0.0.1", "-p", &at.port().to_string()])
            .args(["-trace_msg", "-message_file", MESSAGES, "-nostdin"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp starts");
        let running = Running { process, folder };
        Self { at, running }
    }

    /// What it was sent, and what it sent.
    pub(crate) fn messages(&self) -> String {
        self.running.read(MESSAGES)
    }
}

impl Running {
    /// What sipp counted when all calls were over.
    ///
    /// # Panics
    ///
    /// When they are not over in time.
    pub(crate) fn counted(mut self) -> Counted {
        let process = &mut self.process;
        until(Duration::from_secs(130), "sipp ends", || {
            process.try_wait().expect("a child of ours")
        });
        let counted = self.statistics().expect("the statistics of sipp");
        if counted.failed > 0 {
            eprintln!("sipp says:\n{}", self.read(ERRORS));
        }
        counted
    }

    /// What sipp has counted so far; it writes every second.
    fn statistics(&self) -> Option<Counted> {
        let text = self.read(STATISTICS);
        let names: Vec<&str> = text.lines().next()?.split(';').collect();
        let values: Vec<&str> = text.lines().last()?.split(';').collect();
        let value = |name| -> Option<u64> {
            let at = names.iter().position(|known| *known == name)?;
            values.get(at)?.parse().ok()
        };
        Some(Counted {
            succeeded: value("SuccessfulCall(C)")?,
            failed: value("FailedCall(C)")?,
            retransmissions: value("Retransmissions(C)")?,
        })
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn step(step: &Step) -> String {
    match step {
        Step::Wait(time) => format!("  <pause milliseconds=\"{}\"/>\n", time.as_millis()),
        Step::Info(key) => INFO.replace("@KEY@", &key.to_string()),
        Step::Send(file) => format!(
            "  <nop><action><exec rtp_stream=\"{},1,8\"/></action></nop>\n",
            file.display()
        ),
        Step::HangUp => HANG_UP.to_owned(),
        Step::AwaitEnd(limit) => AWAIT_BYE.replace("@LIMIT_MS@", &limit.as_millis().to_string()),
    }
}

const CALL: &str = include_str!("../../interop/call.xml");
const ANNOUNCING: &str = include_str!("../../interop/announcing.xml");
const CARRIER: &str = include_str!("../../interop/carrier.xml");
const REFUSED: &str = include_str!("../../interop/refused.xml");
const INFO: &str = include_str!("../../interop/info.xml");
const HANG_UP: &str = include_str!("../../interop/hang-up.xml");
const AWAIT_BYE: &str = include_str!("../../interop/await-bye.xml");

const OUT: &str = "out.txt";
const STATISTICS: &str = "statistics.csv";
const ERRORS: &str = "errors.txt";
const MESSAGES: &str = "messages.txt";

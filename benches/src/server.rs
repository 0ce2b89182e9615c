//! The programs under test, as processes of their own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server under load.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it takes calls.
    pub address: SocketAddr,
    /// Where its pages are.
    pub http: SocketAddr,
    data: Option<tempfile::TempDir>,
}

impl Server {
    /// `sipp -sn uas`, which answers every call and keeps no record of it.
    ///
    /// # Errors
    ///
    /// When there is no `sipp`.
    pub fn sipp() -> io::Result<Self> {
        let address = free_address()?;
        let port = address.port().to_string();
        let child = Command::new("sipp")
            .args(["-sn", "uas", "-i", "127.0.0.1", "-nostdin", "-p", &port])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self {
            child,
            address,
            http: address,
            data: None,
        })
    }

    /// Ramal with its demo company, whose trunk is this machine. The program stands beside this one:
    /// `cargo build --release -p ramal -p benches`.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn ramal() -> io::Result<Self> {
        Self::ramal_on(None)
    }

    /// The same on this database.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn ramal_on(database: Option<&str>) -> io::Result<Self> {
        let data = tempfile::tempdir()?;
        let program = std::env::current_exe()?.with_file_name("ramal");
        let mut child = Command::new(program)
            .args(["serve", "--demo"])
            .envs(database.map(|url| ("RAMAL_DATABASE", url)))
            .env("RAMAL_DATA", data.path())
            .env("RAMAL_SIP", "127.0.0.1:0")
            .env("RAMAL_HTTP", "127.0.0.1:0")
            .env("RAMAL_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no output"))?;
        let (mut sip, mut http) = (None, None);
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["SIP", "UDP", address, ..] => sip = address.parse().ok(),
                ["HTTP", page, ..] => {
                    http = page
                        .strip_prefix("http://")
                        .and_then(|page| page.parse().ok());
                }
                _ => {}
            }
            if line.contains("Try it") {
                break;
            }
        }
        let (Some(address), Some(http)) = (sip, http) else {
            return Err(io::Error::other("ramal did not start"));
        };
        Ok(Self {
            child,
            address,
            http,
            data: Some(data),
        })
    }

    /// CPU time so far, user and system, of all threads.
    ///
    /// # Errors
    ///
    /// When the process is gone.
    pub fn cpu(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold blanks; what follows it does not.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .split_whitespace()
            .collect();
        let ticks = |index: usize| {
            fields
                .get(index)
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
        };
        Ok(Duration::from_millis(
            (ticks(11) + ticks(12)) * 1_000 / TICKS_PER_SECOND,
        ))
    }

    /// Resident memory now, in KiB.
    ///
    /// # Errors
    ///
    /// When the process is gone.
    pub fn resident_kib(&self) -> io::Result<u64> {
        resident_kib(self.child.id())
    }

    /// How people get into the demo company, as JSON.
    ///
    /// # Errors
    ///
    /// When there is no demo.
    pub fn logins(&self) -> io::Result<String> {
        let data = self.data.as_ref().ok_or(io::ErrorKind::NotFound)?;
        fs::read_to_string(data.path().join("demo-logins.json"))
    }
}

/// Resident memory of a process now, in KiB.
///
/// # Errors
///
/// When the process is gone.
pub fn resident_kib(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> io::Result<SocketAddr> {
    UdpSocket::bind("127.0.0.1:0")?.local_addr()
}

/// The kernel's unit of CPU time for users, on every Linux machine there is.
const TICKS_PER_SECOND: u64 = 100;

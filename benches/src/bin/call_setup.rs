//! Call set-up: the whole program (SIP, flow, records on SQLite) beside `sipp -sn uas`, which
//! answers and forgets, under the same load in one run.
//!
//! `call_setup [calls per second] [calls]`, by default 1,000 and 10,000. It needs `sipp`, and the
//! program built beside it (`cargo build --release -p ramal -p benches`).

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use benches::usage;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rate = arguments.next().unwrap_or_else(|| "1000".to_owned());
    let calls = arguments.next().unwrap_or_else(|| "10000".to_owned());
    println!(
        "{calls} calls at {rate} per second; load average {}",
        usage::load_average()
    );
    println!(
        "{:<10} {:>12} {:>10} {:>16} {:>14}",
        "server", "CPU µs/call", "failed", "retransmissions", "memory KiB"
    );
    let reference = measure("sipp uas", &mut Server::sipp()?, &rate, &calls)?;
    let ramal = measure("ramal", &mut Server::ramal()?, &rate, &calls)?;
    println!("ratio {:.2}", ramal / reference);
    Ok(())
}

/// A server under load.
struct Server {
    child: Child,
    port: u16,
    _data: Option<tempfile::TempDir>,
}

impl Server {
    fn sipp() -> io::Result<Self> {
        let port = free_port()?;
        let child = Command::new("sipp")
            .args([
                "-sn",
                "uas",
                "-i",
                "127.0.0.1",
                "-nostdin",
                "-p",
                &port.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self {
            child,
            port,
            _data: None,
        })
    }

    /// The demo company, its trunk being this machine.
    fn ramal() -> io::Result<Self> {
        let (port, http) = (free_port()?, free_port()?);
        let data = tempfile::tempdir()?;
        let program = std::env::current_exe()?.with_file_name("ramal");
        let mut child = Command::new(program)
            .args(["serve", "--demo"])
            .env("RAMAL_DATA", data.path())
            .env("RAMAL_SIP", format!("127.0.0.1:{port}"))
            .env("RAMAL_HTTP", format!("127.0.0.1:{http}"))
            .env("RAMAL_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no output"))?;
        let up = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .any(|line| line.contains("Try it"));
        if !up {
            return Err(io::Error::other("ramal did not start"));
        }
        Ok(Self {
            child,
            port,
            _data: Some(data),
        })
    }

    /// CPU time so far, user and system, of all threads.
    fn cpu(&self) -> io::Result<Duration> {
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

    fn resident_kib(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        Ok(line
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or(0))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Loads a server and prints what it cost; returns the CPU per call in microseconds.
fn measure(name: &str, server: &mut Server, rate: &str, calls: &str) -> io::Result<f64> {
    let folder = tempfile::tempdir()?;
    let target = format!("127.0.0.1:{}", server.port);
    load(&target, rate, "500", folder.path())?; // warm
    let before = server.cpu()?;
    let (failed, repeated) = load(&target, rate, calls, folder.path())?;
    let spent = server.cpu()? - before;
    let count: f64 = calls.parse().map_err(io::Error::other)?;
    let per_call = spent.as_secs_f64() * 1e6 / count;
    let memory = server.resident_kib()?;
    println!("{name:<10} {per_call:>12.1} {failed:>10} {repeated:>16} {memory:>14}");
    Ok(per_call)
}

/// Calls, hangs up at once, and returns how many calls failed and how many messages were repeated.
fn load(target: &str, rate: &str, calls: &str, folder: &Path) -> io::Result<(u64, u64)> {
    let statistics = folder.join(format!("{calls}.csv"));
    Command::new("sipp")
        .args([
            "-sn",
            "uac",
            "-s",
            "4000",
            "-i",
            "127.0.0.1",
            "-nostdin",
            "-d",
            "0",
        ])
        .args([
            "-r",
            rate,
            "-m",
            calls,
            "-l",
            "20000",
            "-trace_stat",
            "-fd",
            "1",
            "-stf",
        ])
        .arg(&statistics)
        .arg(target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let text = fs::read_to_string(&statistics)?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or("").split(';').collect();
    let last: Vec<&str> = lines.last().unwrap_or("").split(';').collect();
    let value = |name: &str| {
        let index = names.iter().position(|other| *other == name);
        index
            .and_then(|index| last.get(index)?.parse().ok())
            .unwrap_or(u64::MAX)
    };
    Ok((value("FailedCall(C)"), value("Retransmissions(C)")))
}

fn free_port() -> io::Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The kernel's unit of CPU time for users, on every Linux machine there is.
const TICKS_PER_SECOND: u64 = 100;

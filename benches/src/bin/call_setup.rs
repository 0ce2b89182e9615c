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
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use benches::server::Server;
use benches::usage;

/// SIP keeps what a transaction was for 32 s after its end (RFC 3261 section 17, timers H, J, B), and
/// a port pair rests for less: then nothing of a call is left.
const TIMERS_RUN_OUT: Duration = Duration::from_secs(40);

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rate = arguments.next().unwrap_or_else(|| "1000".to_owned());
    let calls = arguments.next().unwrap_or_else(|| "10000".to_owned());
    println!(
        "{calls} calls at {rate} per second; load average {}",
        usage::load_average()
    );
    println!(
        "{:<10} {:>12} {:>8} {:>16} {:>12} {:>10} {:>16}",
        "server",
        "CPU µs/call",
        "failed",
        "retransmissions",
        "KiB before",
        "at the end",
        "timers run out"
    );
    let reference = measure("sipp uas", &Server::sipp()?, &rate, &calls)?;
    let ramal = measure("ramal", &Server::ramal()?, &rate, &calls)?;
    println!("ratio {:.2}", ramal / reference);
    Ok(())
}

/// Loads a server and prints what it cost; returns the CPU per call in microseconds.
fn measure(name: &str, server: &Server, rate: &str, calls: &str) -> io::Result<f64> {
    let folder = tempfile::tempdir()?;
    load(server.address, rate, calls, folder.path())?; // warm: every pool and cache has its size
    std::thread::sleep(TIMERS_RUN_OUT);
    let memory_before = server.resident_kib()?;
    let before = server.cpu()?;
    let (failed, repeated) = load(server.address, rate, calls, folder.path())?;
    let spent = server.cpu()?.saturating_sub(before);
    let memory_at_end = server.resident_kib()?;
    std::thread::sleep(TIMERS_RUN_OUT);
    let memory_after = server.resident_kib()?;
    let count: f64 = calls.parse().map_err(io::Error::other)?;
    let per_call = spent.as_secs_f64() * 1e6 / count;
    println!(
        "{name:<10} {per_call:>12.1} {failed:>8} {repeated:>16} {memory_before:>12} {memory_at_end:>10} {memory_after:>16}"
    );
    Ok(per_call)
}

/// Calls, hangs up at once, and returns how many calls failed and how many messages were repeated.
fn load(target: SocketAddr, rate: &str, calls: &str, folder: &Path) -> io::Result<(u64, u64)> {
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
        .arg(target.to_string())
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

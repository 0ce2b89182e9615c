//! Subject and peer as processes of their own, and the few lines they say to each other.
//!
//! ```text
//!  subject ─ "ports 20000 20002 …" ─▶ parent ─▶ peer      peer ─ "ready" ─▶ parent ─ "go" ─▶ subject
//!  subject ─ "result key=value …"  ─▶ parent, which then closes the peer's input: its end
//! ```

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use media_engine_net::histogram::Snapshot;

use crate::usage;
use crate::visits::{self, Method, Visits};

/// Where subjects listen; every peer has the same port one address further.
pub const SUBJECT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// Where peers listen.
pub const PEER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Traffic runs for so long before anything is counted.
pub const WARM_UP: Duration = Duration::from_secs(2);

/// The figures of one measured run, by name.
pub type Figures = BTreeMap<String, f64>;

/// Runs `subject` (arguments of this same program) against a peer, and returns what it measured.
pub fn measure(subject: &[&str]) -> io::Result<Figures> {
    Ok(measure_with(subject, &["peer"])?.0)
}

/// The same against this peer, with what that measured.
pub fn measure_with(subject: &[&str], peer: &[&str]) -> io::Result<(Figures, Figures)> {
    let mut subject = Side::start(subject)?;
    let ports = subject.expect("ports")?;
    let mut peer = Side::start(peer)?;
    peer.say(&ports)?;
    peer.expect("ready")?;
    subject.say("go")?;
    let result = subject.expect("result")?;
    drop(peer.input.take()); // and it ends
    let of_peer = peer.expect("result")?;
    Ok((figures(&result), figures(&of_peer)))
}

fn figures(line: &str) -> Figures {
    line.split(' ').skip(1).filter_map(figure).collect()
}

fn figure(pair: &str) -> Option<(String, f64)> {
    let (name, value) = pair.split_once('=')?;
    Some((name.to_owned(), value.parse().ok()?))
}

struct Side {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Side {
    fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| io::Error::other("no output"))?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let Some(input) = &mut self.input else {
            return Ok(());
        };
        writeln!(input, "{line}")
    }

    fn expect(&mut self, word: &str) -> io::Result<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line)? > 0 {
            if line.starts_with(word) {
                return Ok(line.trim().to_owned());
            }
            line.clear();
        }
        Err(io::Error::other(format!(
            "a process ended before it said '{word}'"
        )))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Says where the subject listens, and waits until the peer does as well.
pub fn meet(ports: &[u16]) -> io::Result<()> {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    println!("ports {}", ports.join(" "));
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}

/// The peer process: reads and sends for each port it is told, until its input ends.
pub fn peer(method: Method) -> io::Result<()> {
    media_engine_net::limits::raise_open_files()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let ports = line
        .split_whitespace()
        .skip(1)
        .filter_map(|port| port.parse::<u16>().ok());
    let mut legs = Vec::new();
    for port in ports {
        legs.push((
            UdpSocket::bind((PEER, port))?,
            SocketAddr::from((SUBJECT, port)),
        ));
    }
    let mut visits = Visits::new(legs, method)?;
    // Before we are real-time: a thread that inherited that would wait behind us for ever when the
    // core is full.
    let ended = std::thread::spawn(|| io::stdin().read_line(&mut String::new()).map(drop));
    visits::run_in_real_time(1);
    println!("ready");
    visits.run(WARM_UP)?;
    let mut delay = Snapshot::default();
    while !ended.is_finished() {
        let done = visits.run(Duration::from_millis(100))?;
        delay.merge(&done.delay.snapshot());
    }
    let us = |permille| delay.permille(permille).as_micros();
    println!(
        "result delay_p50={} delay_p99={} delay_p999={}",
        us(500),
        us(990),
        us(999)
    );
    Ok(())
}

/// The limit as a subject: the visit loop and nothing else.
pub fn limit_subject(legs: usize, window: Duration, method: Method) -> io::Result<()> {
    media_engine_net::limits::raise_open_files()?;
    let before_kib = usage::resident_kib()?;
    let mut sockets = Vec::new();
    let mut ports = Vec::new();
    let mut port = 20_000u16;
    while sockets.len() < legs {
        if let Ok(socket) = UdpSocket::bind((SUBJECT, port)) {
            sockets.push((socket, SocketAddr::from((PEER, port))));
            ports.push(port);
        }
        port = port
            .checked_add(2)
            .ok_or_else(|| io::Error::other("no more ports"))?;
    }
    let mut visits = Visits::new(sockets, method)?;
    meet(&ports)?;
    let real_time = visits::run_in_real_time(0);
    visits.run(WARM_UP)?;
    let before = usage::cpu()?;
    let done = visits.run(window)?;
    let used = usage::cpu()?.saturating_sub(before);
    let late = done.lateness.snapshot();
    let us = |permille| late.permille(permille).as_micros();
    println!(
        "result cpu_us={:.3} sent={} received={} p50={} p99={} p999={} kib={} real_time={}",
        used.as_secs_f64() * 1e6 / done.sent.max(1) as f64,
        done.sent,
        done.received,
        us(500),
        us(990),
        us(999),
        usage::resident_kib()?.saturating_sub(before_kib),
        u8::from(real_time),
    );
    Ok(())
}

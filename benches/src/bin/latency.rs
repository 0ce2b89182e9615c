//! How long a caller waits: INVITE to 200, and ACK to the first packet of sound, of callers who talk
//! and of callers who are silent.
//!
//! `latency [calls]`, by default 1,000 of each kind, from 20 telephones at once. It needs the program
//! built beside it (`cargo build --release -p ramal -p benches`).

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use benches::server::Server;
use benches::usage;

/// Telephones that call at the same time.
const TELEPHONES: usize = 20;

/// Between a telephone's calls: together about 150 calls a second.
const PAUSE: Duration = Duration::from_millis(100);

/// Longer than this is no answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// 20 ms of A-law silence behind an RTP header.
const PACKET_BYTES: usize = 172;

fn main() -> io::Result<()> {
    let calls = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let calls: usize = calls.unwrap_or(1_000);
    println!("load average {}", usage::load_average());
    println!(
        "{:<8} {:<20} {:>9} {:>9} {:>9}",
        "callers", "milliseconds", "p50", "p99", "longest"
    );
    let server = Server::ramal()?;
    let mut number = 0;
    for kind in [Kind::Warm, Kind::Silent, Kind::Talking] {
        let waits = call_from_all(server.address, kind, calls, &mut number)?;
        if kind != Kind::Warm {
            print(kind, "INVITE to 200", waits.iter().map(|wait| wait.answer));
            print(
                kind,
                "ACK to first packet",
                waits.iter().map(|wait| wait.sound),
            );
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Not counted: the first calls find cold caches.
    Warm,
    Silent,
    Talking,
}

/// What one caller waited.
#[derive(Clone, Copy, Debug)]
struct Wait {
    answer: Duration,
    sound: Duration,
}

fn call_from_all(
    server: SocketAddr,
    kind: Kind,
    calls: usize,
    number: &mut usize,
) -> io::Result<Vec<Wait>> {
    let each = calls.div_ceil(TELEPHONES);
    let telephones: Vec<_> = (0..TELEPHONES)
        .map(|_| {
            *number += 1;
            let number = *number;
            std::thread::spawn(move || Telephone::new(server, number)?.call(kind, each))
        })
        .collect();
    let mut waits = Vec::new();
    for telephone in telephones {
        let done = telephone
            .join()
            .map_err(|_| io::Error::other("a telephone broke"))?;
        waits.extend(done?);
    }
    Ok(waits)
}

struct Telephone {
    sip: UdpSocket,
    rtp: UdpSocket,
    number: usize,
}

impl Telephone {
    fn new(server: SocketAddr, number: usize) -> io::Result<Self> {
        let sip = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        sip.connect(server)?;
        sip.set_read_timeout(Some(PATIENCE))?;
        let rtp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        rtp.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { sip, rtp, number })
    }

    fn call(&self, kind: Kind, calls: usize) -> io::Result<Vec<Wait>> {
        // Not all at the same moment.
        std::thread::sleep(PAUSE / 20 * u32::try_from(self.number % 20).unwrap_or(0));
        let mut waits = Vec::with_capacity(calls);
        for call in 0..calls {
            waits.push(self.call_once(kind, call)?);
            std::thread::sleep(PAUSE);
        }
        Ok(waits)
    }

    fn call_once(&self, kind: Kind, call: usize) -> io::Result<Wait> {
        let invited = Instant::now();
        self.send("INVITE", 1, "", call, &self.offer()?)?;
        let answer = self.final_response()?;
        let answered = invited.elapsed();
        let tag = header_parameter(&answer, "To:", ";tag=");
        let media = media_address(&answer)
            .ok_or_else(|| io::Error::other("the answer names no address for media"))?;
        self.drain()?;
        let acknowledged = Instant::now();
        self.send("ACK", 1, &tag, call, "")?;
        if kind == Kind::Talking {
            let mut packet = [0xd5; PACKET_BYTES];
            packet[..12].copy_from_slice(&[0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
            self.rtp.send_to(&packet, media)?;
        }
        self.rtp.recv(&mut [0; 2048])?;
        let heard = acknowledged.elapsed();
        self.send("BYE", 2, &tag, call, "")?;
        self.final_response()?;
        Ok(Wait {
            answer: answered,
            sound: heard,
        })
    }

    /// Forgets packets of the call before.
    fn drain(&self) -> io::Result<()> {
        self.rtp.set_nonblocking(true)?;
        while self.rtp.recv(&mut [0; 2048]).is_ok() {}
        self.rtp.set_nonblocking(false)
    }

    fn offer(&self) -> io::Result<String> {
        let port = self.rtp.local_addr()?.port();
        Ok(format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
        ))
    }

    fn send(
        &self,
        method: &str,
        sequence: u32,
        to_tag: &str,
        call: usize,
        body: &str,
    ) -> io::Result<()> {
        let (local, server) = (self.sip.local_addr()?, self.sip.peer_addr()?);
        let number = self.number;
        let id = format!("{number}-{call}");
        let to_tag = if to_tag.is_empty() {
            String::new()
        } else {
            format!(";tag={to_tag}")
        };
        let content = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        let message = format!(
            "{method} sip:4000@{server} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch=z9hG4bK-{id}-{method}\r\n\
             From: <sip:caller{number}@{local}>;tag={id}\r\n\
             To: <sip:4000@{server}>{to_tag}\r\n\
             Call-ID: {id}@latency.invalid\r\n\
             CSeq: {sequence} {method}\r\n\
             Contact: <sip:caller{number}@{local}>\r\n\
             Max-Forwards: 70\r\n\
             {content}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.sip.send(message.as_bytes()).map(drop)
    }

    fn final_response(&self) -> io::Result<String> {
        let mut buffer = [0; 4096];
        loop {
            let length = self.sip.recv(&mut buffer)?;
            let text = String::from_utf8_lossy(&buffer[..length]);
            if text.starts_with("SIP/2.0 200") {
                return Ok(text.into_owned());
            }
            if !text.starts_with("SIP/2.0 1") && text.starts_with("SIP/2.0") {
                return Err(io::Error::other(
                    text.lines().next().unwrap_or("").to_owned(),
                ));
            }
        }
    }
}

/// The value of a parameter of a header, up to the end of its line.
fn header_parameter(message: &str, header: &str, parameter: &str) -> String {
    let line = message.lines().find(|line| line.starts_with(header));
    line.and_then(|line| line.split_once(parameter))
        .map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn media_address(answer: &str) -> Option<SocketAddr> {
    let line = |start| answer.lines().find_map(|line| line.strip_prefix(start));
    let host = line("c=IN IP4 ")?.trim().parse().ok()?;
    let port = line("m=audio ")?.split(' ').next()?.parse().ok()?;
    Some(SocketAddr::new(host, port))
}

fn print(kind: Kind, what: &str, waits: impl Iterator<Item = Duration>) {
    let mut waits: Vec<Duration> = waits.collect();
    waits.sort_unstable();
    let at = |permille: usize| {
        let index = (waits.len() * permille / 1000).min(waits.len().saturating_sub(1));
        waits
            .get(index)
            .map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e3)
    };
    let kind = match kind {
        Kind::Warm => "warm",
        Kind::Silent => "silent",
        Kind::Talking => "talking",
    };
    println!(
        "{kind:<8} {what:<20} {:>9.2} {:>9.2} {:>9.2}",
        at(500),
        at(990),
        at(1000)
    );
}

//! What the set-up and end of an inbound call cost: INVITE, 100, 180, 200, ACK, BYE, 200 through one
//! endpoint, without a socket. Time is the CPU time of the thread, so that a busy machine does not
//! count; the text of the peer's messages is made outside the measured part.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use media_engine::sip::call::CallEvent;
use media_engine::sip::endpoint::{Endpoint, EndpointConfig, Listener, Output};
use media_engine::sip::trunk::{Address, Numbers, Trunk};
use media_engine::sip::{CallId, Flow, Transport, TrunkId};
use nix::time::{ClockId, clock_gettime};

/// 500 calls a second: transactions of 32 s of calls lie about, as under load.
const BETWEEN_CALLS: Duration = Duration::from_millis(2);

/// SDP of an ordinary size.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 8 0 18 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

struct Line {
    endpoint: Endpoint,
    now: Instant,
    flow: Flow,
    calls: u64,
    sdp: Bytes,
}

fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .unwrap_or_default()
}

impl Line {
    fn new() -> Self {
        let local: SocketAddr = ([192, 0, 2, 1], 5060).into();
        let remote: SocketAddr = ([192, 0, 2, 9], 5060).into();
        let config = EndpointConfig {
            listeners: vec![Listener {
                transport: Transport::Udp,
                local,
                public_host: "192.0.2.1".into(),
                public_port: 5060,
            }],
            ..EndpointConfig::default()
        };
        let now = Instant::now();
        let mut endpoint = Endpoint::new(now, config, [1; 32]);
        endpoint.set_trunks(now, vec![trunk(remote)]);
        Self {
            endpoint,
            now,
            flow: Flow {
                transport: Transport::Udp,
                local,
                remote,
                connection: None,
            },
            calls: 0,
            sdp: Bytes::from_static(SDP.as_bytes()),
        }
    }

    /// One call from its INVITE to the answer to its BYE; the CPU time that the endpoint took.
    fn call(&mut self) -> Duration {
        self.calls += 1;
        self.now += BETWEEN_CALLS;
        let invite = self.request("INVITE", 1, "", SDP);
        let began = cpu();
        if self
            .endpoint
            .poll_timeout()
            .is_some_and(|at| at <= self.now)
        {
            self.endpoint.handle_timeout(self.now);
        }
        self.endpoint.handle_message(self.now, self.flow, invite);
        let call = self.drain().0.expect("the call came in");
        self.endpoint.ring(self.now, call).expect("it waits");
        let sdp = self.sdp.clone();
        self.endpoint.answer(self.now, call, sdp).expect("it waits");
        let (_, ok) = self.drain();
        let mut spent = cpu() - began;

        let tag = tag_of(&ok.expect("a 200"));
        let ack = self.request("ACK", 1, &tag, "");
        let bye = self.request("BYE", 2, &tag, "");
        let began = cpu();
        self.endpoint.handle_message(self.now, self.flow, ack);
        self.drain();
        self.endpoint.handle_message(self.now, self.flow, bye);
        self.drain();
        spent += cpu() - began;
        spent
    }

    /// Takes all outputs; the call that came in, and the last message that was sent.
    fn drain(&mut self) -> (Option<CallId>, Option<Bytes>) {
        let (mut incoming, mut last) = (None, None);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => last = Some(bytes),
                Output::Call(CallEvent::Incoming { call, .. }) => incoming = Some(call),
                Output::Call(_)
                | Output::Ask { .. }
                | Output::Device(_)
                | Output::Registration(_)
                | Output::Ping(_)
                | Output::Security(_)
                | Output::Traced(_) => {}
            }
        }
        (incoming, last)
    }

    fn request(&self, method: &str, cseq: u32, tag: &str, body: &str) -> Bytes {
        let call = self.calls;
        let to_tag = if tag.is_empty() {
            String::new()
        } else {
            format!(";tag={tag}")
        };
        let text = format!(
            "{method} sip:4000@192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{call}{method};rport\r\n\
             Max-Forwards: 70\r\n\
             From: \"Maria Silva\" <sip:5511987654321@192.0.2.9>;tag=from{call}\r\n\
             To: <sip:4000@192.0.2.1>{to_tag}\r\n\
             Call-ID: {call}-a84b4c76e66710@192.0.2.9\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:5511987654321@192.0.2.9:5060>\r\n\
             Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, PRACK\r\n\
             Supported: replaces, timer, 100rel\r\n\
             User-Agent: a carrier of ordinary habits\r\n\
             Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Bytes::from(text)
    }
}

fn trunk(remote: SocketAddr) -> Trunk {
    Trunk {
        id: TrunkId("carrier".into()),
        company: "company".into(),
        name: "carrier".into(),
        addresses: vec![Address {
            network: remote.ip().to_string().parse().expect("a network"),
            transport: None,
        }],
        host: None,
        transport: None,
        outbound_proxy: None,
        credentials: None,
        line: None,
        numbers: Numbers::default(),
        codecs: Vec::new(),
        calls_max: 1_000_000,
        calls_per_second_max: 1_000_000,
        trusted: true,
        ping: None,
    }
}

/// The To tag of a response of ours.
fn tag_of(response: &Bytes) -> String {
    let text = String::from_utf8_lossy(response);
    let to = text.lines().find(|line| line.starts_with("To:"));
    let tag = to.and_then(|to| to.split(";tag=").nth(1));
    tag.expect("a tag").to_owned()
}

fn calls(criterion: &mut Criterion) {
    let mut line = Line::new();
    // Fill the transactions that 32 s leave behind.
    for _ in 0..16_000 {
        line.call();
    }
    criterion.bench_function("inbound call, set-up and end (CPU)", |bencher| {
        bencher.iter_custom(|iterations| (0..iterations).map(|_| line.call()).sum());
    });
}

criterion_group!(benches, calls);
criterion_main!(benches);

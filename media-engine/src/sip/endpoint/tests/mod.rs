//! One endpoint against messages written by hand, in virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::sip::call::{CallEvent, Incoming, Party};
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::parse::{Parsed, parse};
use crate::sip::resolve::{QueryId, Question};
use crate::sip::trunk::{Address, Numbers};
use crate::sip::{Transport, TrunkId, call, ping};

mod devices;
mod outbound;
mod pings;
mod timed;
mod traced;
mod transfer;

/// An endpoint with one trunk at 192.0.2.9, and the words to speak with it.
pub(super) struct Bench {
    pub(super) endpoint: Endpoint,
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) sent: Vec<Sent>,
    pub(super) events: Vec<CallEvent>,
    pub(super) asked: Vec<(QueryId, Question)>,
    pub(super) pings: Vec<ping::Condition>,
    /// What was told of the messages of calls.
    pub(super) traced: Vec<Traced>,
}

/// A message that the endpoint sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) at_ms: u128,
    pub(super) flow: Flow,
    pub(super) message: Message,
}

impl Sent {
    pub(super) fn status(&self) -> u16 {
        self.message.status().unwrap_or(0)
    }

    pub(super) fn header(&self, name: Name) -> String {
        let value = self.message.header(name).unwrap_or_default();
        String::from_utf8_lossy(value).into_owned()
    }

    pub(super) fn tag(&self) -> String {
        let tag = self.message.to_tag().expect("a To tag");
        String::from_utf8_lossy(&tag).into_owned()
    }
}

pub(super) const TRUNK: &str = "192.0.2.9:5060";
pub(super) const US: &str = "192.0.2.1:5060";
pub(super) const OFFER: &str = "v=0 offer";
pub(super) const ANSWER: Bytes = Bytes::from_static(b"v=0 answer");

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub(super) fn trunk(id: &str, network: &str) -> Trunk {
    Trunk {
        id: TrunkId(id.into()),
        company: "company".into(),
        name: id.into(),
        addresses: vec![Address {
            network: network.parse().expect("a network"),
            transport: None,
        }],
        host: None,
        transport: None,
        outbound_proxy: None,
        credentials: None,
        line: None,
        numbers: Numbers::default(),
        codecs: Vec::new(),
        calls_max: 1000,
        calls_per_second_max: 1000,
        trusted: true,
        ping: None,
    }
}

pub(super) fn listener(transport: Transport) -> Listener {
    Listener {
        transport,
        local: address(US),
        public_host: "192.0.2.1".into(),
        public_port: 5060,
    }
}

pub(super) fn read(bytes: &Bytes) -> Message {
    match parse(bytes.clone()).expect("what we send can be read") {
        Parsed::Message(message) => message,
        Parsed::Keepalive => panic!("no message"),
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    /// The one clock read of these tests: only differences count.
    #[allow(clippy::disallowed_methods)]
    pub(super) fn with(limits: Limits) -> Self {
        let start = Instant::now();
        let config = EndpointConfig {
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            limits,
            trace: true,
            ..EndpointConfig::default()
        };
        let mut endpoint = Endpoint::new(start, config, [1; 32]);
        endpoint.set_trunks(start, vec![trunk("carrier", "192.0.2.9")]);
        Self {
            endpoint,
            start,
            now: start,
            sent: Vec::new(),
            events: Vec::new(),
            asked: Vec::new(),
            pings: Vec::new(),
            traced: Vec::new(),
        }
    }

    pub(super) fn flow(&self, remote: &str) -> Flow {
        Flow {
            transport: Transport::Udp,
            local: address(US),
            remote: address(remote),
            connection: None,
        }
    }

    /// Hands over a message from the trunk; lines end as they do here.
    pub(super) fn receive(&mut self, text: &str) {
        self.receive_from(TRUNK, text);
    }

    pub(super) fn receive_from(&mut self, remote: &str, text: &str) {
        let flow = self.flow(remote);
        self.receive_by(flow, text);
    }

    pub(super) fn receive_by(&mut self, flow: Flow, text: &str) {
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        self.endpoint.handle_message(self.now, flow, bytes);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes, .. } => self.sent.push(Sent {
                    at_ms: (self.now - self.start).as_millis(),
                    flow,
                    message: read(&bytes),
                }),
                Output::Call(event) => self.events.push(event),
                Output::Ask { query, question } => self.asked.push((query, question)),
                Output::Ping(health) => self.pings.push(health.condition),
                Output::Device(_) | Output::Registration(_) | Output::Security(_) => {}
                Output::Traced(traced) => self.traced.push(traced),
            }
        }
    }

    /// Lets time pass up to `ms` after the start, deadline by deadline.
    pub(super) fn run_until(&mut self, ms: u64) {
        let end = self.start + Duration::from_millis(ms);
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn incoming(&mut self) -> (CallId, Incoming) {
        let at = self
            .events
            .iter()
            .position(|event| matches!(event, CallEvent::Incoming { .. }));
        match at.map(|at| self.events.remove(at)) {
            Some(CallEvent::Incoming { call, invite }) => (call, *invite),
            other => panic!("no call came in: {other:?}"),
        }
    }

    pub(super) fn take_sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    pub(super) fn take_events(&mut self) -> Vec<CallEvent> {
        std::mem::take(&mut self.events)
    }

    pub(super) fn statuses(&self) -> Vec<u16> {
        self.sent.iter().map(Sent::status).collect()
    }

    /// A response of the trunk to a request of ours; `extra` are whole header lines.
    pub(super) fn reply(
        &mut self,
        request: &Sent,
        status: u16,
        tag: &str,
        extra: &str,
        body: &str,
    ) {
        let to = request.header(Name::To);
        let to = match tag {
            "" => to,
            _ if to.contains(";tag=") => to,
            tag => format!("{to};tag={tag}"),
        };
        let contact = if (101..300).contains(&status) {
            format!("Contact: <sip:{tag}@192.0.2.9:5060>\n")
        } else {
            String::new()
        };
        let content = match body {
            "" => String::new(),
            _ => "Content-Type: application/sdp\n".to_owned(),
        };
        let text = format!(
            "SIP/2.0 {status} Because\nVia: {}\nFrom: {}\nTo: {to}\nCall-ID: {}\nCSeq: {}\n\
             {contact}{extra}{content}Content-Length: {}\n\n{body}",
            request.header(Name::Via),
            request.header(Name::From),
            request.header(Name::CallId),
            request.header(Name::CSeq),
            body.len(),
        );
        let flow = request.flow;
        self.receive_by(flow, &text);
    }

    /// The methods and statuses of what was sent, in order.
    pub(super) fn log(&self) -> Vec<String> {
        let word = |sent: &Sent| match sent.message.method() {
            Some(method) => method.to_string(),
            None => sent.status().to_string(),
        };
        self.sent.iter().map(word).collect()
    }

    /// The last message that was sent.
    pub(super) fn last(&self) -> Sent {
        self.sent.last().expect("something was sent").clone()
    }

    /// A call that was answered and confirmed; its handle and our tag. Nothing is left to take.
    pub(super) fn answered(&mut self) -> (CallId, String) {
        self.receive(&invite("1", ""));
        let (call, _) = self.incoming();
        self.endpoint
            .answer(self.now, call, ANSWER)
            .expect("it waits for an answer");
        self.drain();
        let tag = self.sent.last().expect("a 200").tag();
        self.receive(&within("ACK", 1, "ack1", &tag, ""));
        let confirmed = self.take_events();
        assert_eq!(confirmed, [CallEvent::Confirmed { call, sdp: None }]);
        self.take_sent();
        (call, tag)
    }

    pub(super) fn ended(&self, call: CallId, by: Party, status: Option<u16>) -> CallEvent {
        let end = call::End {
            by,
            status,
            reason: None,
        };
        CallEvent::Ended { call, end }
    }

    /// Lets all timers run out and asserts that nothing is left.
    pub(super) fn assert_empty_in_the_end(&mut self) {
        self.run_until(200_000);
        assert_eq!(self.endpoint.poll_timeout(), None);
        assert_eq!(self.endpoint.calls(), 0);
        assert_eq!(self.endpoint.transactions(), 0);
        assert_eq!(self.endpoint.deadlines(), 0);
        assert!(self.endpoint.dialogs.is_empty());
        assert!(self.endpoint.early.is_empty());
        assert!(self.endpoint.connected.is_empty());
        assert!(self.endpoint.core.merged.is_empty());
        assert!(self.endpoint.core.ways.is_empty());
        assert_eq!(self.endpoint.trunks.calls(&TrunkId("carrier".into())), 0);
    }
}

/// An INVITE for 4000 with an offer, under `branch`; `extra` are whole header lines.
pub(super) fn invite(branch: &str, extra: &str) -> String {
    let length = OFFER.len();
    format!(
        "INVITE sip:4000@192.0.2.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{branch};rport\n\
         Max-Forwards: 70\n\
         From: \"Maria\" <sip:5511@192.0.2.9>;tag=theirs\n\
         To: <sip:4000@192.0.2.1>\n\
         Call-ID: call-one\n\
         CSeq: 1 INVITE\n\
         Contact: <sip:5511@192.0.2.9:5060>\n\
         User-Agent: a carrier\n\
         {extra}Content-Type: application/sdp\n\
         Content-Length: {length}\n\n\
         {OFFER}"
    )
}

/// A request without a body within the dialog that [`invite`] opened.
pub(super) fn within(method: &str, cseq: u32, branch: &str, tag: &str, extra: &str) -> String {
    format!(
        "{method} sip:ramal@192.0.2.1:5060 SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{branch};rport\n\
         Max-Forwards: 70\n\
         From: \"Maria\" <sip:5511@192.0.2.9>;tag=theirs\n\
         To: <sip:4000@192.0.2.1>;tag={tag}\n\
         Call-ID: call-one\n\
         CSeq: {cseq} {method}\n\
         {extra}Content-Length: 0\n\n"
    )
}

/// The same with SDP.
pub(super) fn within_with_sdp(
    method: &str,
    cseq: u32,
    branch: &str,
    tag: &str,
    sdp: &str,
) -> String {
    let length = sdp.len();
    within(
        method,
        cseq,
        branch,
        tag,
        "Contact: <sip:5511@192.0.2.9:5060>\nContent-Type: application/sdp\n",
    )
    .replace(
        "Content-Length: 0\n\n",
        &format!("Content-Length: {length}\n\n{sdp}"),
    )
}

#[test]
fn a_call_comes_in_is_answered_and_is_hung_up_by_the_caller() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    assert_eq!(bench.statuses(), [100]);
    let (call, invite) = bench.incoming();
    assert_eq!(
        invite.origin,
        call::Origin::Trunk(TrunkId("carrier".into()))
    );
    assert_eq!(invite.dialled, "4000");
    assert_eq!(invite.caller.number, "5511");
    assert_eq!(invite.caller.display_name.as_deref(), Some("Maria"));
    assert_eq!(invite.sip_call_id, "call-one");
    assert_eq!(invite.offer.as_deref(), Some(OFFER.as_bytes()));
    assert_eq!(invite.user_agent.as_deref(), Some("a carrier"));

    let now = bench.now;
    bench.endpoint.ring(now, call).expect("it waits");
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    assert_eq!(bench.statuses(), [100, 180, 200]);
    let ok = bench.sent[2].clone();
    assert_eq!(bench.sent[1].tag(), ok.tag());
    assert_eq!(ok.message.body(), ANSWER);
    assert_eq!(ok.header(Name::Contact), "<sip:ramal@192.0.2.1:5060>");
    assert_eq!(ok.flow.remote, address(TRUNK));

    bench.receive(&within("ACK", 1, "2", &ok.tag(), ""));
    bench.receive(&within(
        "BYE",
        2,
        "3",
        &ok.tag(),
        "Reason: Q.850;cause=16\n",
    ));
    assert_eq!(bench.statuses(), [100, 180, 200, 200]);
    let reason = Some(call::Reason {
        protocol: "Q.850".into(),
        cause: Some(16),
        text: None,
    });
    let end = call::End {
        by: Party::Peer,
        status: None,
        reason,
    };
    assert_eq!(
        bench.take_events(),
        [
            CallEvent::Confirmed { call, sdp: None },
            CallEvent::Ended { call, end }
        ]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn copies_of_each_request_get_the_same_answer_and_change_nothing() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    bench.receive(&invite("1", ""));
    assert_eq!(bench.statuses(), [100, 100]);
    let (call, _) = bench.incoming();
    assert!(bench.take_events().is_empty(), "one call came in, not two");
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let tag = bench.sent[2].tag();
    bench.take_sent();
    for _ in 0..3 {
        bench.receive(&within("ACK", 1, "2", &tag, ""));
    }
    for _ in 0..3 {
        bench.receive(&within("BYE", 2, "3", &tag, ""));
    }
    assert_eq!(bench.statuses(), [200, 200, 200]);
    assert_eq!(
        bench.take_events(),
        [
            CallEvent::Confirmed { call, sdp: None },
            bench.ended(call, Party::Peer, None)
        ]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn a_200_is_repeated_until_its_ack_and_then_no_more() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let tag = bench.sent[1].tag();
    bench.run_until(4000);
    let at: Vec<u128> = bench.sent.iter().map(|sent| sent.at_ms).collect();
    assert_eq!(at, [0, 0, 500, 1500, 3500]);
    bench.receive(&within("ACK", 1, "2", &tag, ""));
    bench.run_until(60_000);
    assert_eq!(bench.sent.len(), 5);
    assert_eq!(
        bench.take_events(),
        [CallEvent::Confirmed { call, sdp: None }]
    );
}

#[test]
fn a_200_that_is_never_acknowledged_ends_in_bye_and_one_end() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    bench.run_until(32_000);
    let at: Vec<u128> = bench.sent.iter().map(|sent| sent.at_ms).collect();
    assert_eq!(
        at,
        [
            0, 0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500, 32000
        ]
    );
    let bye = &bench.sent[12];
    assert_eq!(bye.message.method(), Some(&crate::sip::Method::Bye));
    assert_eq!(
        bye.header(Name::To),
        "\"Maria\" <sip:5511@192.0.2.9>;tag=theirs"
    );
    assert_eq!(bye.flow.remote, address(TRUNK));
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, None)]
    );
    bench.assert_empty_in_the_end();
    assert!(bench.take_events().is_empty());
}

#[test]
fn a_refused_call_gets_its_status_and_the_ack_stops_the_copies() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    let wait = Some(Duration::from_secs(30));
    bench
        .endpoint
        .reject(now, call, 486, wait)
        .expect("it waits");
    bench.drain();
    assert_eq!(bench.statuses(), [100, 486]);
    assert_eq!(bench.sent[1].header(Name::RetryAfter), "30");
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Us, Some(486))]
    );
    bench.run_until(600);
    assert_eq!(bench.statuses(), [100, 486, 486]);
    let tag = bench.sent[1].tag();
    bench.receive(&within("ACK", 1, "1", &tag, ""));
    bench.run_until(60_000);
    assert_eq!(bench.statuses(), [100, 486, 486]);
    assert!(bench.endpoint.ring(bench.now, call).is_err());
    bench.assert_empty_in_the_end();
}

#[test]
fn a_cancelled_call_hears_487_and_a_cancel_behind_the_200_does_nothing() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let cancel = within("CANCEL", 1, "1", "", "").replace(";tag=\n", "\n");
    bench.receive(&cancel);
    assert_eq!(bench.statuses(), [100, 200, 487]);
    assert_eq!(bench.sent[1].tag(), bench.sent[2].tag());
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(487))]
    );
    let tag = bench.sent[2].tag();
    bench.receive(&within("ACK", 1, "1", &tag, ""));
    bench.assert_empty_in_the_end();

    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.receive(&cancel);
    assert_eq!(bench.statuses(), [100, 200, 200]);
    let tag = bench.sent[1].tag();
    bench.receive(&within("ACK", 1, "2", &tag, ""));
    assert_eq!(
        bench.take_events(),
        [CallEvent::Confirmed { call, sdp: None }]
    );
}

#[test]
fn a_cancel_or_bye_for_nothing_gets_481_and_leaves_nothing() {
    let mut bench = Bench::new();
    bench.receive(&within("CANCEL", 1, "1", "", "").replace(";tag=\n", "\n"));
    bench.receive(&within("BYE", 2, "2", "unknown", ""));
    bench.receive(&within("ACK", 2, "3", "unknown", ""));
    bench.receive(&within("INFO", 2, "4", "unknown", ""));
    assert_eq!(bench.statuses(), [481, 481, 481]);
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn hanging_up_before_the_ack_waits_with_the_bye_until_it_comes() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.drain();
    assert_eq!(bench.statuses(), [100, 200]);
    assert_eq!(bench.take_events(), [bench.ended(call, Party::Us, None)]);
    bench.run_until(600);
    assert_eq!(
        bench.statuses(),
        [100, 200, 200],
        "the 200 is still repeated"
    );
    let tag = bench.sent[1].tag();
    bench.receive(&within("ACK", 1, "2", &tag, ""));
    let bye = bench.sent.last().expect("a BYE").clone();
    assert_eq!(bye.message.method(), Some(&crate::sip::Method::Bye));
    assert_eq!(bye.header(Name::CSeq), "1 BYE");
    assert!(bye.header(Name::Reason).starts_with("Q.850;cause=16"));
    let via = bye.header(Name::Via);
    bench.receive(&format!(
        "SIP/2.0 200 OK\nVia: {via}\nFrom: <sip:4000@192.0.2.1>;tag={tag}\n\
         To: <sip:5511@192.0.2.9>;tag=theirs\nCall-ID: call-one\nCSeq: 1 BYE\nContent-Length: 0\n\n"
    ));
    assert_eq!(bench.endpoint.calls(), 0);
    assert!(bench.take_events().is_empty());
    bench.assert_empty_in_the_end();
}

#[test]
fn a_stranger_gets_the_same_short_answer_for_everything_and_leaves_nothing() {
    let mut bench = Bench::new();
    for (at, method) in ["MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH", "FOO"]
        .into_iter()
        .enumerate()
    {
        let text = within(method, 1, &format!("m{at}"), "", "").replace(";tag=\n", "\n");
        bench.receive_from("198.51.100.7:5060", &text);
    }
    assert_eq!(bench.statuses(), [403; 6]);
    assert_eq!(bench.endpoint.transactions(), 0);
    assert!(bench.take_events().is_empty());

    let known = within("MESSAGE", 1, "t", "", "").replace(";tag=\n", "\n");
    bench.receive(&known);
    let last = bench.sent.last().expect("an answer");
    assert_eq!(last.status(), 405);
    assert!(last.header(Name::Allow).contains("INVITE"));
}

#[test]
fn what_we_do_not_have_is_named_in_the_answer() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", "Require: 100rel, teleport\nRequire: flux\n"));
    assert_eq!(bench.statuses(), [420]);
    assert_eq!(bench.sent[0].header(Name::Unsupported), "teleport, flux");
    bench.receive(&invite("2", "").replace("application/sdp", "text/plain"));
    assert_eq!(bench.statuses(), [420, 415]);
    assert_eq!(
        bench.sent[1].header(Name::Accept),
        "application/sdp, multipart/mixed"
    );
    bench.receive(&invite("3", "").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    bench.receive(&invite(
        "4",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours\n",
    ));
    assert_eq!(bench.statuses(), [420, 415, 483, 482]);
    assert_eq!(bench.endpoint.transactions(), 0);
    bench.receive(&within("OPTIONS", 1, "o", "", "").replace(";tag=\n", "\n"));
    let options = bench.last();
    assert_eq!(options.status(), 200);
    assert!(options.header(Name::Allow).contains("UPDATE"));
    assert!(options.header(Name::Supported).contains("100rel"));
    assert!(options.header(Name::Accept).contains("application/sdp"));
}

/// RFC 8840 section 5: a browser's late candidates are nothing that a lite agent has to read.
#[test]
fn candidates_that_come_late_are_acknowledged() {
    let mut bench = Bench::new();
    let (_, tag) = bench.answered();
    let body = "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host\n";
    let headers = "Info-Package: trickle-ice\nContent-Type: application/trickle-ice-sdpfrag\n\
                   Content-Disposition: Info-Package\n";
    let length = format!("Content-Length: {}\n\n{body}", body.len());
    let info = within("INFO", 2, "i2", &tag, headers).replace("Content-Length: 0\n\n", &length);
    bench.receive(&info);
    assert_eq!(bench.statuses(), [200]);
    assert_eq!(bench.take_events(), []);
}

#[test]
fn an_info_with_what_we_do_not_know_is_refused_and_the_call_goes_on() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    let info = |cseq: u32, headers: &str, body: &str| {
        let branch = format!("i{cseq}");
        let length = format!("Content-Length: {}\n\n{body}", body.len());
        within("INFO", cseq, &branch, &tag, headers).replace("Content-Length: 0\n\n", &length)
    };
    bench.receive(&info(2, "Content-Type: application/x-unknown\n", "?"));
    assert_eq!(bench.statuses(), [415]);
    assert_eq!(
        bench.last().header(Name::Accept),
        "application/dtmf-relay, application/dtmf, multipart/mixed"
    );
    bench.receive(&info(3, "Info-Package: g.3gpp.x\n", ""));
    assert_eq!(bench.statuses(), [415, 469]);
    assert_eq!(bench.last().header(Name::RecvInfo), "trickle-ice");
    let optional = "Content-Type: a/b\nContent-Disposition: signal;handling=optional\n";
    bench.receive(&info(4, optional, "?"));
    bench.receive(&info(5, "", ""));
    bench.receive(&info(6, "Require: teleport\n", ""));
    bench.receive(&within("FOO", 7, "f", &tag, ""));
    assert_eq!(bench.statuses(), [415, 469, 200, 200, 420, 405]);
    assert!(bench.last().header(Name::Allow).contains("INFO"));
    assert_eq!(bench.take_events(), []);

    bench.receive(&info(8, "Content-Type: application/dtmf\n", "5"));
    assert_eq!(
        bench.take_events(),
        [CallEvent::Info {
            call,
            content_type: Bytes::from_static(b"application/dtmf"),
            body: Bytes::from_static(b"5")
        }]
    );
}

#[test]
fn an_offer_among_several_parts_is_read_and_a_part_that_must_be_understood_refuses_the_call() {
    let isup =
        "--b\nContent-Type: application/isup\nContent-Disposition: signal;handling=optional\n\n?\n";
    let sdp = "--b\nContent-Type: application/sdp\n\nv=0\n";
    let with = |branch: &str, body: &str| {
        let old = format!("Content-Length: {}\n\n{OFFER}", OFFER.len());
        let length = body.replace('\n', "\r\n").len();
        let text = invite(branch, "").replace("application/sdp", "multipart/mixed;boundary=b");
        text.replace(&old, &format!("Content-Length: {length}\n\n{body}"))
    };
    let mut bench = Bench::new();
    bench.receive(&with("1", &format!("{isup}{sdp}--b--\n")));
    let (_, invite) = bench.incoming();
    assert_eq!(invite.offer.as_deref(), Some(&b"v=0"[..]));

    let mut bench = Bench::new();
    let isup = isup.replace("optional", "required");
    bench.receive(&with("1", &format!("{isup}{sdp}--b--\n")));
    assert_eq!(bench.statuses(), [415]);
    assert_eq!(bench.endpoint.calls(), 0);
}

/// All 256 bits of the seed count, down to the last: no part of it alone foretells a tag.
#[test]
fn tags_differ_when_any_byte_of_the_seed_does() {
    let tag = |seed| {
        let mut bench = Bench::new();
        let config = EndpointConfig {
            listeners: vec![listener(Transport::Udp)],
            ..EndpointConfig::default()
        };
        bench.endpoint = Endpoint::new(bench.start, config, seed);
        let trunks = vec![trunk("carrier", "192.0.2.9")];
        bench.endpoint.set_trunks(bench.start, trunks);
        bench.answered().1
    };
    let mut tags: BTreeSet<String> = (0..32)
        .map(|at| {
            let mut seed = [0; 32];
            seed[at] = 1;
            tag(seed)
        })
        .collect();
    assert_eq!(tag([0; 32]), tag([0; 32]), "the same seed, the same tag");
    tags.insert(tag([0; 32]));
    assert_eq!(tags.len(), 33);
}

#[test]
fn the_same_invite_by_another_way_is_merged() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    bench.receive(&invite("2", ""));
    assert_eq!(bench.statuses(), [100, 482]);
    assert_eq!(bench.endpoint.calls(), 1);
}

#[test]
fn beyond_each_limit_comes_503_with_the_time_to_wait() {
    let mut bench = Bench::with(Limits {
        early_calls_per_source: 1,
        ..Limits::default()
    });
    bench.receive(&invite("1", ""));
    bench.receive(&invite("2", "").replace("call-one", "call-two"));
    assert_eq!(bench.statuses(), [100, 503]);
    assert_eq!(bench.sent[1].header(Name::RetryAfter), "10");
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.receive(&invite("3", "").replace("call-one", "call-three"));
    assert_eq!(bench.sent.last().map(Sent::status), Some(100));
}

#[test]
fn a_peer_without_rport_is_answered_on_the_port_of_its_via() {
    let mut bench = Bench::new();
    let text = invite("1", "").replace(
        "192.0.2.9:5060;branch=z9hG4bK1;rport",
        "192.0.2.9:5099;branch=z9hG4bK1",
    );
    bench.receive_from("192.0.2.9:40000", &text);
    assert_eq!(bench.sent[0].flow.remote, address("192.0.2.9:5099"));
    bench.receive_from(
        "192.0.2.9:40000",
        &invite("2", "").replace("call-one", "call-two"),
    );
    assert_eq!(bench.sent[1].flow.remote, address("192.0.2.9:40000"));
}

#[test]
fn numbers_may_leave_gaps_and_going_back_gets_500() {
    let mut bench = Bench::new();
    let (_, tag) = bench.answered();
    bench.receive(&within("OPTIONS", 9, "a", &tag, ""));
    bench.receive(&within("OPTIONS", 8, "b", &tag, ""));
    bench.receive(&within("OPTIONS", 12, "c", &tag, ""));
    assert_eq!(bench.statuses(), [200, 500, 200]);
}

#[test]
fn a_key_by_info_reaches_the_user() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    let body = "Signal=5\nDuration=160\n".replace('\n', "\r\n");
    let text = within(
        "INFO",
        2,
        "a",
        &tag,
        "Content-Type: application/dtmf-relay\n",
    )
    .replace(
        "Content-Length: 0\n\n",
        &format!("Content-Length: {}\n\n", body.len()),
    );
    bench.receive(&format!("{text}Signal=5\nDuration=160\n"));
    assert_eq!(bench.statuses(), [200]);
    assert_eq!(
        bench.take_events(),
        [CallEvent::Info {
            call,
            content_type: Bytes::from_static(b"application/dtmf-relay"),
            body: Bytes::from(body)
        }]
    );
}

#[test]
fn a_re_invite_is_offered_answered_and_confirmed() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    bench.receive(&within_with_sdp("INVITE", 2, "re", &tag, "v=0 hold"));
    assert_eq!(bench.statuses(), [100]);
    let sdp = Some(Bytes::from_static(b"v=0 hold"));
    assert_eq!(bench.take_events(), [CallEvent::Offered { call, sdp }]);
    // One at a time.
    bench.receive(&within_with_sdp("INVITE", 3, "re2", &tag, "v=0 again"));
    assert_eq!(bench.statuses(), [100, 100, 500]);
    let now = bench.now;
    bench
        .endpoint
        .accept_offer(now, call, ANSWER)
        .expect("it was offered");
    bench.drain();
    assert_eq!(bench.statuses(), [100, 100, 500, 200]);
    bench.receive(&within("ACK", 2, "ack2", &tag, ""));
    bench.receive(&within("ACK", 3, "re2", &tag, ""));
    bench.run_until(20_000);
    assert_eq!(bench.sent.len(), 4);
    assert!(bench.take_events().is_empty());
}

#[test]
fn an_empty_re_invite_asks_us_to_offer_and_the_ack_answers() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    let contact = "Contact: <sip:5511@192.0.2.9:5060>\n";
    bench.receive(&within("INVITE", 2, "re", &tag, contact));
    assert_eq!(
        bench.take_events(),
        [CallEvent::Offered { call, sdp: None }]
    );
    let now = bench.now;
    bench
        .endpoint
        .accept_offer(now, call, ANSWER)
        .expect("it was offered");
    bench.drain();
    bench.receive(&within_with_sdp("ACK", 2, "ack2", &tag, "v=0 theirs"));
    let sdp = Bytes::from_static(b"v=0 theirs");
    assert_eq!(
        bench.take_events(),
        [CallEvent::OfferAnswered { call, sdp }]
    );
}

#[test]
fn an_update_is_answered_at_once_when_empty_and_by_the_user_when_it_offers() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    bench.receive(&within("UPDATE", 2, "u1", &tag, ""));
    assert_eq!(bench.statuses(), [200]);
    bench.receive(&within_with_sdp("UPDATE", 3, "u2", &tag, "v=0 hold"));
    let sdp = Some(Bytes::from_static(b"v=0 hold"));
    assert_eq!(bench.take_events(), [CallEvent::Offered { call, sdp }]);
    let now = bench.now;
    bench
        .endpoint
        .reject_offer(now, call, 488)
        .expect("it was offered");
    bench.drain();
    assert_eq!(bench.statuses(), [200, 488]);
}

#[test]
fn a_peer_that_hangs_up_while_we_think_about_its_offer_hears_487_to_that() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    bench.receive(&within_with_sdp("INVITE", 2, "re", &tag, "v=0 hold"));
    bench.take_events();
    bench.receive(&within("BYE", 3, "bye", &tag, ""));
    assert_eq!(bench.statuses(), [100, 200, 487]);
    assert_eq!(bench.take_events(), [bench.ended(call, Party::Peer, None)]);
    let now = bench.now;
    assert!(bench.endpoint.accept_offer(now, call, ANSWER).is_err());
    bench.assert_empty_in_the_end();
}

#[test]
fn a_browser_that_vanishes_is_waited_for_and_then_given_up() {
    let mut bench = Bench::new();
    let flow = Flow {
        transport: Transport::Wss,
        connection: Some(ConnectionId(5)),
        ..bench.flow(TRUNK)
    };
    bench.receive_by(flow, &invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let tag = bench.last().tag();
    bench.receive_by(flow, &within("ACK", 1, "a", &tag, ""));
    bench.take_events();
    bench
        .endpoint
        .handle_connection_closed(now, ConnectionId(5));
    bench.run_until(10_000);
    let back = Flow {
        connection: Some(ConnectionId(6)),
        ..flow
    };
    bench.receive_by(back, &within("OPTIONS", 2, "i", &tag, ""));
    bench.run_until(60_000);
    assert_eq!(bench.take_events(), [], "it came back");
    bench
        .endpoint
        .handle_connection_closed(bench.now, ConnectionId(6));
    bench.run_until(75_000);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, None)]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn a_flood_of_strangers_leaves_nothing_behind() {
    let mut bench = Bench::new();
    for number in 0..5_000 {
        let text = invite(&format!("f{number}"), "").replace("call-one", &format!("call-{number}"));
        let source = format!("203.0.113.{}:5060", number % 250);
        bench.receive_from(&source, &text);
        bench.now += Duration::from_millis(1);
    }
    assert_eq!(bench.endpoint.transactions(), 0);
    assert_eq!(bench.endpoint.calls(), 0);
    assert_eq!(bench.endpoint.poll_timeout(), None);
    assert!(bench.take_events().is_empty());
    assert!(bench.sent.iter().all(|sent| sent.status() == 401));
    // The carrier is served all the same.
    bench.receive(&invite("1", ""));
    assert_eq!(bench.last().status(), 100);
}

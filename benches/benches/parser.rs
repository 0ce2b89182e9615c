//! Reading and writing one ordinary INVITE, beside `rsip` in the same run.
//!
//! The goal is 0.5 µs and two allocations for the parse (allocations are asserted by
//! `media-engine/tests/allocations.rs`).

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media_engine::sip::framing::Framer;
use media_engine::sip::headers::Name;
use media_engine::sip::message::Message;
use media_engine::sip::parse::{Parsed, parse};
use media_engine::sip::write::Writer;
use rsip::prelude::*;

/// An INVITE of a softphone behind a proxy: 1.2 kB with its SDP.
const INVITE: &[u8] = include_bytes!("../../media-engine/tests/ordinary/invite.dat");

fn parser(criterion: &mut Criterion) {
    let datagram = Bytes::from_static(INVITE);
    let ours = message(&datagram);
    let source: SocketAddr = ([192, 0, 2, 10], 5060).into();
    let mut group = criterion.benchmark_group(format!("INVITE of {} bytes", INVITE.len()));
    group.throughput(Throughput::Elements(1));

    group.bench_function("parse", |b| b.iter(|| parse(black_box(&datagram).clone())));
    group.bench_function("parse, rsip", |b| {
        b.iter(|| rsip::SipMessage::try_from(black_box(INVITE)))
    });
    group.bench_function("parse and read", |b| {
        b.iter(|| read(&message(black_box(&datagram))))
    });
    group.bench_function("parse and read, rsip", |b| {
        b.iter(|| read_rsip(black_box(INVITE)))
    });
    group.bench_function("parse and check", |b| {
        b.iter(|| message(black_box(&datagram)).check())
    });
    group.bench_function("write its 200", |b| {
        b.iter(|| {
            Writer::response_to(black_box(&ours), 200, Some(b"314159"), source)
                .header(Name::Contact, "<sip:ramal@192.0.2.1:5060>")
                .finish_with_body("application/sdp", b"v=0\r\n")
        })
    });
    group.bench_function("frame from a stream", |b| {
        b.iter(|| {
            let mut framer = Framer::new();
            framer.push(black_box(INVITE));
            framer.poll()
        })
    });
    group.finish();
}

fn message(datagram: &Bytes) -> Message {
    match parse(datagram.clone()) {
        Ok(Parsed::Message(message)) => message,
        Ok(Parsed::Keepalive) | Err(_) => unreachable!("the INVITE is valid"),
    }
}

/// What a user agent reads of every INVITE.
fn read(message: &Message) -> impl Sized + use<> {
    (
        message.top_via(),
        message.from(),
        message.to(),
        message.cseq(),
        message.contact(),
    )
}

fn read_rsip(datagram: &[u8]) -> impl Sized + use<> {
    let message = rsip::SipMessage::try_from(datagram).ok()?;
    Some((
        message.via_header().ok()?.typed(),
        message.from_header().ok()?.typed(),
        message.to_header().ok()?.typed(),
        message.cseq_header().ok()?.typed(),
        message.contact_header().ok()?.typed(),
    ))
}

criterion_group!(benches, parser);
criterion_main!(benches);

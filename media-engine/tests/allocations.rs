//! What a message costs in memory: the goal is at most two allocations for a parse.

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use media_engine::sip::framing::Framer;
use media_engine::sip::message::Message;
use media_engine::sip::parse::{Parsed, parse};
use media_engine::sip::write::Writer;

const INVITE: &[u8] = include_bytes!("ordinary/invite.dat");

#[test]
fn parsing_an_invite_allocates_once() {
    let datagram = Bytes::copy_from_slice(INVITE);
    let _shared = datagram.clone(); // the first share makes the counter, as a socket's buffer has one
    let mut message = None;
    let cost = measure(|| message = Some(parsed(datagram.clone())));
    assert_eq!(cost.count_total, 1, "{cost:?}");
    assert!(message.is_some());
}

#[test]
fn reading_an_invite_allocates_nothing() {
    let message = parsed(Bytes::copy_from_slice(INVITE));
    let _ = message.top_via(); // the first share makes the counter
    let cost = measure(|| {
        let read = (
            message.top_via(),
            message.from(),
            message.to(),
            message.cseq(),
            message.contact(),
        );
        assert!(
            read.0.is_ok() && read.1.is_ok() && read.2.is_ok() && read.3.is_ok() && read.4.is_ok()
        );
        assert_eq!(message.check(), Ok(()));
    });
    assert_eq!(cost.count_total, 0, "{cost:?}");
}

#[test]
fn writing_a_response_allocates_its_buffer() {
    let message = parsed(Bytes::copy_from_slice(INVITE));
    let source = "198.51.100.20:5060".parse().expect("an address");
    let write = || {
        let response = Writer::response_to(&message, 180, Some(b"tag"), source).finish();
        assert!(response.len() > 300);
    };
    write(); // The first one pays for what the thread sets up once.
    let cost = measure(write);
    assert!(cost.count_total <= 2, "{cost:?}");
}

#[test]
fn a_slow_stream_costs_no_more_than_one_message() {
    let mut framer = Framer::new();
    let line = [b'a'; 1_000];
    let cost: AllocationInfo = measure(|| {
        for _ in 0..1_000 {
            framer.push(&line);
            let _ = framer.poll();
        }
    });
    assert!(cost.bytes_max < 200_000, "{cost:?}");
    assert!(cost.bytes_current < 1_000, "{cost:?}");
}

fn parsed(bytes: Bytes) -> Message {
    match parse(bytes).expect("the INVITE is valid") {
        Parsed::Message(message) => message,
        Parsed::Keepalive => panic!("not a keepalive"),
    }
}

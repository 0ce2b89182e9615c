//! The bodies of the fuzz targets: bytes from anywhere in, and a panic is a fault.
//!
//! `tests/fuzz` wraps each of them for libFuzzer; `tests/tests/corpus.rs` replays the committed
//! corpus through the same functions in every test run. A new target is a function here, a line in
//! [`TARGETS`], a file in `tests/fuzz/fuzz_targets` and a folder in `tests/fuzz/corpus`.

use std::net::Ipv4Addr;
use std::sync::OnceLock;

use bytes::Bytes;
use media_engine::audio::intake;
use media_engine::audio::prompt::Prompt;
use media_engine::codec::Codec;
use media_engine::dtls::{Fingerprint, Identity};
use media_engine::rtp::srtp::Secret;
use media_engine::sdp::Direction;
use media_engine::sdp::browser::{Entrance, SECRET};
use media_engine::sdp::negotiate::{Encryption, LocalMedia, Negotiation};
use media_engine::sdp::read::Description;
use media_engine::sip::framing::{Framer, FramingError, Item};
use media_engine::sip::headers::{
    Auth, CSeq, Contact, Name, NameAddr, RAck, Reason, Replaces, SessionExpires, Via, Word,
    retry_after, text, unfold,
};
use media_engine::sip::message::Message;
use media_engine::sip::parse::{ParseError, Parsed, parse_and_check};
use media_engine::sip::write::Writer;

/// Takes bytes as they came, and panics where an invariant breaks.
pub type Target = fn(&[u8]);

/// Each target under the name of its corpus folder and of its libFuzzer program.
pub const TARGETS: &[(&str, Target)] = &[
    ("intake", intake),
    ("sdp", sdp),
    ("dtls", dtls),
    ("rtcp", rtcp),
    ("rtp", rtp),
    ("sip_framing", sip_framing),
    ("sip_message", sip_message),
    ("stun", stun),
];

/// The media port: one packet read in the clear and under SRTP, and a row of datagrams (each behind a
/// byte with its length) into a leg that records. STUN, DTLS and noise come this way too.
pub fn rtp(data: &[u8]) {
    media_engine::rtp::packet::fuzz(data);
    media_engine::rtp::srtp::fuzz(data);
    media_engine::leg::fuzz(std::time::Instant::now(), data);
}

/// One compound of reports.
pub fn rtcp(data: &[u8]) {
    media_engine::rtp::rtcp::fuzz(data);
}

/// One datagram at a port that browsers know: read and written again, and taken for a check.
pub fn stun(data: &[u8]) {
    media_engine::ice::stun::fuzz(data);
    media_engine::ice::agent::fuzz(std::time::Instant::now(), data);
}

/// One datagram: parsed, read in every part, and answered.
pub fn sip_message(data: &[u8]) {
    handle_sip_message(Bytes::copy_from_slice(data));
}

/// The port of the browsers: one datagram as it comes, and a row of them (each behind two bytes with its
/// length) into a handshake.
pub fn dtls(data: &[u8]) {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    let identity = IDENTITY.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed([]).expect("a certificate");
        Identity::new(made.cert.der().to_vec(), made.signing_key.serialize_der())
    });
    let now = std::time::Instant::now();
    media_engine::browser::fuzz(now, identity, data);
    media_engine::dtls::fuzz(now, identity, data);
}

/// One session description, as an offer and as an answer, of a telephone and of a browser: what is
/// answered has a line for each stream of the offer, and one of them is switched on.
///
/// # Panics
///
/// Where that is not so.
pub fn sdp(data: &[u8]) {
    let entrance = Entrance::new(Fingerprint::of(b"ours"), [7; SECRET]);
    negotiate(data, None);
    negotiate(data, Some(entrance));
}

fn negotiate(data: &[u8], browser: Option<Entrance>) {
    let here = Ipv4Addr::LOCALHOST.into();
    let mut negotiation = Negotiation::new(LocalMedia {
        session_id: 1,
        address: here,
        port: 30_000,
        rtcp_mux: true,
        codecs: Codec::ALL.to_vec(),
        prefer: None,
        direction: Direction::SendRecv,
        encryption: Encryption::Optional(Secret::from_bytes([7; Secret::BYTES])),
        browser,
        signalling: here,
    });
    if let Ok(answer) = negotiation.answer(data) {
        let offer = Description::read(data).expect("it was answered");
        let ours = Description::read(&answer.sdp).expect("our own description");
        assert_eq!(ours.streams.len(), offer.streams.len());
        let on = ours.streams.iter().filter(|stream| stream.port != 0);
        assert_eq!(on.count(), 1);
    }
    negotiation.offer();
    let _ = negotiation.read_answer(data);
}

/// One upload: what is accepted becomes a prompt of the same length.
///
/// # Panics
///
/// Where it does not.
pub fn intake(data: &[u8]) {
    if let Ok(upload) = intake::read(Bytes::copy_from_slice(data)) {
        let prompt = Prompt::new(&upload.audio).expect("16 kHz");
        assert_eq!(prompt.duration(), upload.audio.duration());
    }
}

/// One stream: cut alike however it is split into reads.
pub fn sip_framing(data: &[u8]) {
    let whole = cut(data, data.len().max(1));
    for size in [1, 7, 64] {
        let pieces = cut(data, size);
        // A ping in two reads is a pong and a ping, so only the messages must be the same.
        let messages = |items: &[Item]| -> Vec<Item> {
            let messages = items.iter().filter(|item| matches!(item, Item::Message(_)));
            messages.cloned().collect()
        };
        assert_eq!(
            messages(&whole.0),
            messages(&pieces.0),
            "in reads of {size}"
        );
        assert_eq!(whole.1, pieces.1, "in reads of {size}");
    }
}

/// Reads all there is to read, and answers. Whether the message was accepted.
///
/// # Panics
///
/// Where an invariant breaks: an answer of ours that does not parse, a header that gets out of its
/// line.
pub fn handle_sip_message(bytes: Bytes) -> bool {
    let source = (std::net::Ipv6Addr::LOCALHOST, 5060).into();
    match parse_and_check(bytes) {
        Ok(Parsed::Message(message)) => {
            read(&message);
            if message.is_request() {
                let answer = Writer::response_to(&message, 200, Some(b"tag"), source).finish();
                match parse_and_check(answer) {
                    Ok(Parsed::Message(answer)) => {
                        assert_eq!(answer.cseq(), message.cseq());
                        assert_eq!(answer.vias().count(), message.vias().count());
                        assert!(answer.to_tag().is_some());
                    }
                    other => panic!("our answer does not parse: {other:?} to {message:?}"),
                }
            }
            true
        }
        Err(ParseError::Rejected(rejected)) => {
            read(&rejected.message);
            assert!(rejected.message.top_via().is_ok());
            let answer = Writer::response_to(&rejected.message, 400, None, source).finish();
            assert!(answer.ends_with(b"Content-Length: 0\r\n\r\n"));
            let ends = answer.windows(4).filter(|four| four == b"\r\n\r\n").count();
            assert_eq!(ends, 1, "an answer with two ends");
            false
        }
        Ok(Parsed::Keepalive) | Err(ParseError::Garbage(_)) => false,
    }
}

fn read(message: &Message) {
    let _ = (
        message.check(),
        message.contact(),
        message.body(),
        message.rseq(),
    );
    for (_, _, value) in message.all_headers() {
        let value = Bytes::copy_from_slice(value);
        let _ = (
            CSeq::parse(&value),
            RAck::parse(&value),
            Replaces::parse(&value),
        );
        let _ = (
            SessionExpires::parse(&value),
            retry_after(&value),
            text(&value),
            unfold(&value),
        );
        let _ = NameAddr::parse(&value).map(|address| {
            let uri = address.uri();
            assert!(uri.matches(uri));
            let _ = (
                address.display_name(),
                address.q_permille(),
                address.expires(),
            );
            let _ = (uri.user_text(), uri.transport(), uri.to_string());
        });
        for via in Via::parse_list(&value).flatten() {
            let _ = (
                via.received(),
                via.rport(),
                via.has_magic_cookie(),
                via.transport(),
            );
        }
        for auth in [Auth::parse(&value), Auth::parse_params(&value)]
            .into_iter()
            .flatten()
        {
            assert!(
                auth.iter()
                    .all(|(name, _)| auth.get(&String::from_utf8_lossy(name)).is_some())
            );
        }
        Contact::parse_list(&value).for_each(drop);
        Reason::parse_list(&value).for_each(drop);
        Word::parse_list(&value).for_each(drop);
    }
    for name in [Name::Via, Name::Route, Name::Supported] {
        message.tokens(name).for_each(drop);
        message.addresses(name).for_each(drop);
    }
}

fn cut(stream: &[u8], size: usize) -> (Vec<Item>, Option<FramingError>) {
    let mut framer = Framer::new();
    let mut items = vec![];
    for chunk in stream.chunks(size) {
        framer.push(chunk);
        loop {
            match framer.poll() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
    }
    (items, None)
}

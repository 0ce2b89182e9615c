//! Damaged messages: whatever arrives, nothing panics, and what is accepted can be written again.

mod mutate;

use bytes::Bytes;
use media_engine::sip::framing::{Framer, Item};
use media_engine::sip::headers::{
    Auth, CSeq, Contact, Name, NameAddr, RAck, Reason, Replaces, SessionExpires, Via, Word,
    retry_after, text, unfold,
};
use media_engine::sip::message::Message;
use media_engine::sip::parse::{ParseError, Parsed, parse_and_check};
use media_engine::sip::write::Writer;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

/// Quick enough for every run, and enough to find each fault that was planted to try it.
const ROUNDS: usize = 100_000;

#[test]
fn damaged_messages_harm_nobody() {
    let corpus = mutate::corpus();
    let mut random = SmallRng::seed_from_u64(1);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let mut message = corpus[round % corpus.len()].1.clone();
        mutate::mutate(&mut message, &corpus, &mut random);
        accepted += usize::from(handle(Bytes::from(message)));
    }
    // Damage that leaves nothing whole, or nothing broken, would try nothing.
    assert!(
        (ROUNDS / 20..ROUNDS * 9 / 10).contains(&accepted),
        "{accepted} accepted"
    );
}

#[test]
fn damaged_streams_are_cut_alike_however_they_arrive() {
    let corpus = mutate::corpus();
    let mut random = SmallRng::seed_from_u64(2);
    for round in 0..ROUNDS / 20 {
        let mut stream = corpus[round % corpus.len()].1.clone();
        stream.extend_from_slice(&corpus[(round * 7) % corpus.len()].1);
        mutate::mutate(&mut stream, &corpus, &mut random);
        let whole = cut(&stream, stream.len().max(1));
        for size in [1, 7, 64] {
            let pieces = cut(&stream, size);
            assert_eq!(messages(&whole), messages(&pieces), "round {round}");
            assert_eq!(whole.1, pieces.1, "round {round}");
        }
    }
}

/// Reads all there is to read, and answers. Whether the message was accepted.
fn handle(bytes: Bytes) -> bool {
    let source = "[2001:db8::9]:5060".parse().expect("an address");
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
            assert_eq!(memchr::memmem::find_iter(&answer, b"\r\n\r\n").count(), 1);
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

type Cut = (Vec<Item>, Option<media_engine::sip::framing::FramingError>);

fn cut(stream: &[u8], size: usize) -> Cut {
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

/// The messages alone: a ping in two reads is a pong and a ping.
fn messages(cut: &Cut) -> Vec<&Item> {
    let items = cut.0.iter();
    items
        .filter(|item| matches!(item, Item::Message(_)))
        .collect()
}

//! What is written is read back as it was meant, whatever it holds.

use bytes::Bytes;
use media_engine::sip::Method;
use media_engine::sip::framing::{Framer, Item};
use media_engine::sip::headers::{Name, NameAddr};
use media_engine::sip::message::Message;
use media_engine::sip::parse::{Parsed, parse, parse_and_check};
use media_engine::sip::uri::Uri;
use media_engine::sip::write::{Writer, quoted};
use proptest::collection::vec;
use proptest::prelude::*;

/// Text that tries to leave its place.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,12}",
        Just("\r\nVia: SIP/2.0/UDP evil;branch=z9hG4bKevil".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("\n \t\0\r".to_owned()),
        Just("\\\"<>;,@%:".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// What a value becomes on its way: it cannot end its line, and blanks around it are not its own.
fn inert(value: &str) -> String {
    let blank = |byte: char| matches!(byte, '\r' | '\n' | '\0');
    value
        .replace(blank, " ")
        .trim_matches([' ', '\t'])
        .to_owned()
}

fn written(subject: &str, unknown: &str, body: &[u8]) -> Bytes {
    Writer::request(&Method::Message, "sip:4000@example.com")
        .header(Name::Via, "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1;rport")
        .header(Name::From, "<sip:a@example.com>;tag=1")
        .header(Name::To, "<sip:4000@example.com>")
        .header(Name::CallId, "one")
        .header_display(Name::CSeq, format_args!("1 {}", Method::Message))
        .header(Name::Subject, subject)
        .header_named("X-Unknown", unknown)
        .finish_with_body("text/plain", body)
}

fn read(bytes: Bytes) -> Message {
    match parse_and_check(bytes).expect("our own writing is valid") {
        Parsed::Message(message) => message,
        Parsed::Keepalive => panic!("not a keepalive"),
    }
}

proptest! {
    #[test]
    fn values_and_body_come_back(subject in hostile_text(), unknown in hostile_text(), body in vec(any::<u8>(), 0..200)) {
        let message = read(written(&subject, &unknown, &body));
        prop_assert_eq!(message.header_bytes(Name::Subject), Some(Bytes::from(inert(&subject))));
        let found = message.header_named("x-unknown").map(Bytes::copy_from_slice);
        prop_assert_eq!(found, Some(Bytes::from(inert(&unknown))));
        prop_assert_eq!(message.vias().count(), 1);
        prop_assert_eq!(message.all_headers().count(), 9);
        prop_assert_eq!(&message.body()[..], &body[..]);
    }

    #[test]
    fn an_answer_carries_what_the_request_named(display in hostile_text(), tag in "[a-z0-9]{1,20}") {
        let request = Writer::request(&Method::Invite, "sip:4000@example.com")
            .header(Name::Via, "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport, SIP/2.0/UDP b;branch=z9hG4bK0")
            .header(Name::From, format!("{} <sip:a@example.com>;tag={tag}", quoted(&display)))
            .header(Name::To, "<sip:4000@example.com>")
            .header(Name::CallId, "one")
            .header(Name::CSeq, "1 INVITE")
            .finish();
        let request = read(request);
        let source = "192.0.2.7:4321".parse().expect("an address");
        let answer = read(Writer::response_to(&request, 200, Some(b"ours"), source).finish());
        prop_assert_eq!(answer.from(), request.from());
        prop_assert_eq!(answer.to_tag(), Some(Bytes::from_static(b"ours")));
        prop_assert_eq!(answer.vias().count(), 2);
        let via = answer.top_via().expect("a Via");
        prop_assert_eq!((via.received(), via.rport()), (Some(source.ip()), Some(4321)));
    }

    #[test]
    fn a_display_name_survives_its_quotes(display in hostile_text()) {
        let value = format!("{} <sip:a@example.com>;tag=1", quoted(&display));
        let address = NameAddr::parse(&Bytes::from(value)).expect("valid");
        let shown: String = display.chars().filter(|character| !character.is_control()).collect();
        prop_assert_eq!(address.display_name(), shown);
        prop_assert_eq!(address.tag(), Some(Bytes::from_static(b"1")));
    }

    #[test]
    fn a_user_part_survives_its_escapes(user in hostile_text()) {
        prop_assume!(!user.is_empty());
        let uri = Uri::sip(Some(&user), "example.com", None).expect("valid");
        prop_assert_eq!(uri.user_text(), Some(user));
        prop_assert!(uri.matches(&uri));
        let again: Uri = uri.to_string().parse().expect("valid");
        prop_assert_eq!(again, uri);
    }

    #[test]
    fn a_stream_is_cut_where_it_was_joined(bodies in vec(vec(any::<u8>(), 0..300), 1..5), size in 1usize..200) {
        let messages: Vec<Bytes> = bodies.iter().map(|body| written("one", "two", body)).collect();
        let mut framer = Framer::new();
        let mut cut = vec![];
        for chunk in messages.concat().chunks(size) {
            framer.push(chunk);
            while let Some(item) = framer.poll().expect("a stream that can be cut") {
                cut.push(item);
            }
        }
        let messages: Vec<Item> = messages.into_iter().map(Item::Message).collect();
        prop_assert_eq!(cut, messages);
        prop_assert!(!framer.is_within_message());
    }

    #[test]
    fn any_bytes_are_parsed_without_harm(bytes in vec(any::<u8>(), 0..600)) {
        let _ = parse(Bytes::from(bytes));
    }
}

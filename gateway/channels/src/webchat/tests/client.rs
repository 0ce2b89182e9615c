//! What the client says.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::ID;
use crate::event::{Content, Media, MediaSource};
use crate::peer::Peer;
use crate::webchat::client::{self, ClientContent, ClientFrame, ClientMessageId};
use crate::webchat::error::{ErrorCode, FrameError};
use crate::webchat::{FRAME_BYTES_MAX, POST_BYTES_MAX, TEXT_CHARS_MAX};

fn read(frame: &Value) -> Result<ClientFrame, FrameError> {
    client::read(frame.to_string().as_bytes())
}

/// Frames as the protocol has them, one of each.
fn frames() -> Vec<Value> {
    vec![
        json!({"type": "hello", "v": 1, "language": "pt-BR", "after_seq": 0}),
        json!({
            "type": "hello", "v": 1, "token": "1.a.2.b", "language": "en", "after_seq": 14,
            "identity": {"user_id": "C-991", "hash": "5f0c", "name": "Ana Souza", "email": "ana@exemplo.com.br"},
            "conversation": "01kb0000", "page": {"url": "https://loja.exemplo/tênis", "title": "Tênis"},
        }),
        json!({"type": "send", "client_message_id": ID, "content": {"kind": "text", "text": "Meu pedido não chegou"}}),
        json!({
            "type": "send", "client_message_id": ID, "content": {"kind": "file", "upload": "01kb0001", "caption": "a etiqueta"},
            "form": {
                "name": "Ana Souza", "email": "ana@exemplo.com.br", "phone": "+55 11 98765-4321", "service": "vendas",
                "consent": {"version": "2026-11", "at_ms": 1_795_000_000_000_i64},
            },
            "page": {"url": "https://loja.exemplo/", "title": "Loja"},
        }),
        json!({"type": "send", "client_message_id": ID, "content": {"kind": "choice", "of": 14, "id": "sales", "title": "Vendas"}}),
        json!({"type": "typing", "on": true}),
        json!({"type": "seen", "delivered": 14, "read": 12}),
        json!({"type": "resume", "after_seq": 14}),
        json!({"type": "history", "before_seq": 9}),
        json!({
            "type": "survey", "client_message_id": ID, "survey": "01kb0002",
            "answers": [{"question": "csat", "value": "5"}, {"question": "more", "value": "Muito bom"}],
        }),
        json!({"type": "transcript", "client_message_id": ID, "email": "ana@exemplo.com.br"}),
        json!({"type": "close", "client_message_id": ID}),
        json!({"type": "identify", "identity": {"user_id": "C-991", "hash": "5f0c"}}),
    ]
}

#[test]
fn every_frame_of_the_protocol_is_read_and_says_what_it_says() {
    for frame in frames() {
        let read = read(&frame).unwrap_or_else(|error| panic!("{error:?}: {frame}"));
        assert_eq!(serde_json::to_value(&read).expect("JSON"), frame);
        let id = frame["client_message_id"].as_str();
        assert_eq!(read.client_message_id().map(ClientMessageId::as_str), id);
    }
}

#[test]
fn what_a_page_made_wrongly_is_a_bad_frame_and_names_what_it_answers() {
    let send =
        |content: Value| json!({"type": "send", "client_message_id": ID, "content": content});
    let bad = FrameError::new(ErrorCode::BadFrame);
    let id: ClientMessageId = ID.to_owned().try_into().expect("an id");
    let bad_of = bad.clone().to(Some(id));
    #[rustfmt::skip]
    let rows = [
        (json!(null), &bad), (json!(7), &bad), (json!([]), &bad), (json!({}), &bad),
        (json!({"type": 7}), &bad), (json!({"type": "sneeze"}), &bad), (json!({"type": "Hello"}), &bad),
        (json!({"type": "typing"}), &bad), (json!({"type": "typing", "on": "yes"}), &bad),
        (json!({"type": "typing", "on": true, "more": 1}), &bad),
        (json!({"type": "resume", "after_seq": -1}), &bad), (json!({"type": "resume", "after_seq": 1.5}), &bad),
        (json!({"type": "resume", "after_seq": 4_294_967_296_u64}), &bad), (json!({"type": "resume", "after_seq": "14"}), &bad),
        (json!({"type": "hello", "v": 1, "language": "fr", "after_seq": 0}), &bad),
        (json!({"type": "hello", "language": "en", "after_seq": 0}), &bad),
        (json!({"type": "hello", "v": 1, "language": "en", "after_seq": 0, "token": "x".repeat(300)}), &bad),
        (json!({"type": "hello", "v": 1, "language": "en", "after_seq": 0, "conversation": "a/../b"}), &bad),
        (json!({"type": "identify", "identity": {"user_id": "", "hash": "5f"}}), &bad),
        (json!({"type": "identify", "identity": {"user_id": "x".repeat(201), "hash": "5f"}}), &bad),
        (json!({"type": "identify", "identity": {"user_id": "1", "hash": "5".repeat(200)}}), &bad),
        (json!({"type": "identify", "identity": {"user_id": "1", "hash": "5f", "admin": true}}), &bad),
        (json!({"type": "close", "client_message_id": "short"}), &bad),
        (json!({"type": "close", "client_message_id": "x".repeat(65)}), &bad),
        (json!({"type": "close", "client_message_id": "0192f0aa_8c1d"}), &bad),
        (json!({"type": "close", "client_message_id": ID, "why": "x"}), &bad_of),
        (send(json!("Oi")), &bad_of), (send(json!({"kind": "text"})), &bad_of),
        (send(json!({"kind": "text", "text": "Oi", "html": "<b>"})), &bad_of),
        (send(json!({"kind": "hologram"})), &bad_of),
        (send(json!({"kind": "file", "upload": "../../etc/passwd"})), &bad_of),
        (send(json!({"kind": "file", "upload": ""})), &bad_of),
        (send(json!({"kind": "choice", "of": 1, "id": "", "title": "x"})), &bad_of),
        (send(json!({"kind": "choice", "of": 1, "id": "x", "title": "x".repeat(801)})), &bad_of),
        (json!({"type": "send", "client_message_id": ID, "content": {"kind": "text", "text": "Oi"}, "author": "agent"}), &bad_of),
        (json!({"type": "send", "client_message_id": ID, "content": {"kind": "text", "text": "Oi"}, "form": {"cpf": "1"}}), &bad_of),
        (json!({"type": "survey", "client_message_id": ID, "survey": "s", "answers": vec![json!({"question": "q", "value": "1"}); 21]}), &bad_of),
        (json!({"type": "survey", "client_message_id": ID, "survey": "s", "answers": [{"question": "q q", "value": "1"}]}), &bad_of),
    ];
    for (frame, expected) in rows {
        assert_eq!(read(&frame).as_ref(), Err(expected), "{frame}");
    }
}

#[test]
fn what_a_person_typed_wrongly_is_told_with_its_fields() {
    let send = |text: &str, form: Value| json!({"type": "send", "client_message_id": ID, "content": {"kind": "text", "text": text}, "form": form});
    let file = |caption: &str| json!({"type": "send", "client_message_id": ID, "content": {"kind": "file", "upload": "u1", "caption": caption}});
    let transcript =
        |email: &str| json!({"type": "transcript", "client_message_id": ID, "email": email});
    let long = "é".repeat(201);
    #[rustfmt::skip]
    let rows: [(Value, &[&str]); 13] = [
        (send("", json!({})), &["text"]),
        (send(" \n\u{0}", json!({})), &["text"]),
        (send(&"é".repeat(TEXT_CHARS_MAX + 1), json!({})), &["text"]),
        (file(&"é".repeat(1_001)), &["caption"]),
        (send("Oi", json!({"name": long})), &["name"]),
        (send("Oi", json!({"email": "ana"})), &["email"]),
        (send("Oi", json!({"email": "ana@localhost"})), &["email"]),
        (send("Oi", json!({"phone": "123"})), &["phone"]),
        (send("Oi", json!({"phone": "1".repeat(41)})), &["phone"]),
        (send("Oi", json!({"consent": {"version": "<b>", "at_ms": 1}})), &["consent"]),
        (send("", json!({"name": long, "email": "@", "phone": "?"})), &["name", "email", "phone", "text"]),
        (transcript("ana@"), &["email"]),
        (json!({"type": "survey", "client_message_id": ID, "survey": "s", "answers": [{"question": "q", "value": "é".repeat(2_001)}]}), &["answers"]),
    ];
    for (frame, fields) in rows {
        let error = read(&frame).expect_err("an error");
        assert_eq!(
            (error.code, error.fields.as_slice()),
            (
                ErrorCode::Invalid,
                &fields
                    .iter()
                    .map(|field| (*field).to_owned())
                    .collect::<Vec<_>>()[..]
            ),
            "{frame:.200}"
        );
        assert_eq!(
            error
                .client_message_id
                .as_ref()
                .map(ClientMessageId::as_str),
            Some(ID)
        );
    }
    for good in [
        send(&"é".repeat(TEXT_CHARS_MAX), json!({})),
        file(&"é".repeat(1_000)),
    ] {
        assert!(read(&good).is_ok());
    }
}

#[test]
fn what_cannot_be_seen_or_kept_is_taken_out_and_nothing_is_lost_by_it() {
    let frame = json!({
        "type": "send", "client_message_id": ID, "content": {"kind": "text", "text": "linha um\n\u{0}linha dois"},
        "form": {"name": " Ana\u{0}\n Souza ", "email": " ana@exemplo.com.br", "phone": " "},
        "page": {"url": "https://loja.exemplo/p?token=segredo#x", "title": "t".repeat(300)},
    });
    let Ok(ClientFrame::Send(send)) = read(&frame) else {
        panic!("not a message")
    };
    let text = "linha um\nlinha dois".to_owned();
    assert_eq!(send.content, ClientContent::Text { text });
    let form = send.form.expect("a form");
    assert_eq!(form.name.as_deref(), Some("Ana Souza"));
    assert_eq!(form.email.as_deref(), Some("ana@exemplo.com.br"));
    assert_eq!(form.phone, None);
    let page = send.page.expect("a page");
    assert_eq!(page.url, "https://loja.exemplo/p");
    assert_eq!(page.title.len(), 200);
    for url in [
        "javascript:alert(1)",
        "file:///c",
        "",
        "https://ana:senha@loja.exemplo/",
    ] {
        let mut frame = frame.clone();
        frame["page"]["url"] = json!(url);
        let Ok(ClientFrame::Send(send)) = read(&frame) else {
            panic!("not a message")
        };
        assert_eq!(send.page, None, "{url}");
    }
    let seen = read(&json!({"type": "seen", "delivered": 3, "read": 9}));
    let (delivered, read) = (9, 9);
    assert_eq!(seen, Ok(ClientFrame::Seen { delivered, read }));
}

#[test]
fn a_page_of_another_version_is_told_so_whatever_else_it_says() {
    let version = FrameError::new(ErrorCode::Version);
    for v in [json!(0), json!(2), json!(u64::MAX)] {
        let frame = json!({"type": "hello", "v": v, "language": "tlh", "unknown": {}});
        assert_eq!(read(&frame), Err(version.clone()));
    }
}

#[test]
fn what_is_huge_deep_cut_off_or_no_text_is_refused() {
    let code = |text: &[u8]| client::read(text).map_err(|error| error.code);
    let huge = json!({"type": "send", "client_message_id": ID, "content": {"kind": "text", "text": "x".repeat(FRAME_BYTES_MAX)}});
    assert_eq!(code(huge.to_string().as_bytes()), Err(ErrorCode::TooLarge));
    let deep = "[".repeat(FRAME_BYTES_MAX / 2);
    let deep_field = format!("{{\"type\":\"typing\",\"on\":{deep}");
    for text in [
        b"" as &[u8],
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        deep.as_bytes(),
        deep_field.as_bytes(),
    ] {
        assert_eq!(code(text), Err(ErrorCode::BadFrame));
    }
    for frame in frames() {
        let text = frame.to_string();
        for end in 0..text.len() {
            assert_eq!(
                code(&text.as_bytes()[..end]),
                Err(ErrorCode::BadFrame),
                "{end} of {text}"
            );
        }
        let twice = format!("{text}{text}");
        assert_eq!(code(twice.as_bytes()), Err(ErrorCode::BadFrame));
    }
}

#[test]
fn whatever_is_changed_at_random_is_answered_by_one_of_the_codes() {
    let all: Vec<String> = frames().iter().map(Value::to_string).collect();
    let pieces = [
        "\"", "{", "}", "[", "null", "-1", "1e999", "\\u0000", "\\ud800", "\u{202e}", ":", ",",
        "\"type\"",
    ];
    let mut random = SmallRng::seed_from_u64(10);
    let mut answered = BTreeMap::<&str, u32>::new();
    for _ in 0..60_000 {
        let mut text = all[random.random_range(0..all.len())].clone().into_bytes();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..text.len());
            match random.random_range(0..4) {
                0 => text[at] = random.random(),
                1 => drop(text.remove(at)),
                2 => {
                    let piece = pieces[random.random_range(0..pieces.len())];
                    text.splice(at..at, piece.bytes());
                }
                _ => {
                    let other = all[random.random_range(0..all.len())].as_bytes();
                    let from = random.random_range(0..other.len());
                    text.splice(at.., other[from..].iter().copied());
                }
            }
        }
        let code = match client::read(&text) {
            Ok(frame) => {
                // What is taken can be written and read again.
                let again = serde_json::to_vec(&frame).expect("JSON");
                assert_eq!(client::read(&again), Ok(frame));
                "ok"
            }
            Err(error) => error.code.as_str(),
        };
        *answered.entry(code).or_default() += 1;
    }
    let codes: Vec<&str> = answered.keys().copied().collect();
    assert_eq!(
        codes,
        ["bad_frame", "invalid", "ok", "version"],
        "{answered:?}"
    );
}

#[test]
fn posted_frames_are_read_one_by_one() {
    let post = |body: Value| client::read_posted(body.to_string().as_bytes());
    let all = post(json!({"frames": frames()})).expect("frames");
    assert_eq!(all.len(), frames().len());
    assert!(all.iter().all(Result::is_ok));
    let mixed = post(json!({"frames": [{"type": "sneeze"}, {"type": "typing", "on": false}, 7]}));
    let codes: Vec<_> = mixed
        .expect("frames")
        .into_iter()
        .map(|frame| frame.is_ok())
        .collect();
    assert_eq!(codes, [false, true, false]);
    assert_eq!(post(json!({"frames": []})), Ok(vec![]));
    let typing = json!({"type": "typing", "on": true});
    assert_eq!(
        post(json!({"frames": vec![typing.clone(); 20]})).map(|all| all.len()),
        Ok(20)
    );
    let code = |body: &[u8]| client::read_posted(body).map_err(|error| error.code);
    let many = json!({"frames": vec![typing; 21]}).to_string();
    assert_eq!(code(many.as_bytes()), Err(ErrorCode::TooLarge));
    assert_eq!(
        code(&vec![b' '; POST_BYTES_MAX + 1]),
        Err(ErrorCode::TooLarge)
    );
    for body in [
        "",
        "[]",
        "{}",
        r#"{"frames":{}}"#,
        r#"{"frames":[],"x":1}"#,
        &"[".repeat(60_000),
    ] {
        assert_eq!(
            code(body.as_bytes()),
            Err(ErrorCode::BadFrame),
            "{body:.20}"
        );
    }
}

#[test]
fn a_message_of_a_visitor_is_a_message_like_any_other() {
    let incoming = |content: Value| {
        let frame = json!({"type": "send", "client_message_id": ID, "content": content});
        let Ok(ClientFrame::Send(send)) = read(&frame) else {
            panic!("not a message")
        };
        send.incoming(Peer::default())
    };
    let text = incoming(json!({"kind": "text", "text": "Oi"}));
    assert_eq!((text.id.as_str(), text.reply_to), (ID, None));
    assert_eq!(
        text.content,
        Content::Text {
            text: "Oi".to_owned()
        }
    );
    let file = incoming(json!({"kind": "file", "upload": "u1", "caption": "nota"})).content;
    let Content::Media(Media {
        source, caption, ..
    }) = file
    else {
        panic!("not a file")
    };
    assert_eq!(source, MediaSource::Id("u1".to_owned()));
    assert_eq!(caption.as_deref(), Some("nota"));
    let choice = incoming(json!({"kind": "choice", "of": 14, "id": "sales", "title": "Vendas"}));
    assert_eq!(choice.reply_to.as_deref(), Some("14"));
    assert!(matches!(choice.content, Content::Choice(choice) if choice.id == "sales"));
}

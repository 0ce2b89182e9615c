//! Frames as the protocol writes them, settings as an administrator does, and both as nobody should.

use std::collections::BTreeMap;

use desk::id::ServiceId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::client::{self, ClientContent, ClientFrame, ClientMessageId};
use super::config;
use super::error::{ErrorCode, FrameError};
use super::form::{Ask, Asked, Consent, Form, Known};
use super::server::{
    Agent, Author, AuthorKind, File, Hours, Matter, Named, Phase, Posted, Said, ServerFrame, Shown,
    State, Welcome, next_version,
};
use super::settings::{FileSettings, Settings};
use super::token::VisitorId;
use super::{FRAME_BYTES_MAX, POST_BYTES_MAX, TEXT_CHARS_MAX, WEBCHAT};
use crate::event::{Card, Content, Media, MediaKind, MediaSource};
use crate::peer::Peer;
use crate::send::{OutChoice, OutChoices, OutContent};

const ID: &str = "0192f0aa-8c1d-7000-9000-000000000001";

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

fn service(id: &str) -> ServiceId {
    id.parse().expect("an id")
}

#[test]
fn the_form_asks_for_what_is_missing_and_for_nothing_twice() {
    let services = [service("vendas"), service("suporte")];
    let asked = Asked {
        name: Ask::Must,
        email: Ask::Ask,
        phone: Ask::No,
        services: &services,
        consent: Some("2026-11"),
    };
    let empty = (Form::default(), Known::default());
    assert_eq!(
        asked.missing(&empty.0, &empty.1, false),
        ["name", "service", "consent"]
    );
    assert_eq!(
        asked.missing(&empty.0, &empty.1, true),
        ["name", "email", "service", "consent"]
    );
    let known = Known {
        name: Some("Ana".to_owned()),
        consent: Some("2026-10".to_owned()),
        ..Known::default()
    };
    let mut form = Form {
        service: Some(service("vendas")),
        ..Form::default()
    };
    assert_eq!(
        asked.missing(&form, &known, false),
        ["consent"],
        "another text"
    );
    form.consent = Some(Consent {
        version: "2026-11".to_owned(),
        at_ms: 1,
    });
    assert_eq!(asked.missing(&form, &known, false), [""; 0]);
    assert_eq!(asked.service(&form), Ok(Some(service("vendas"))));
    let known = known.with(&form);
    assert_eq!(known.consent.as_deref(), Some("2026-11"));
    assert_eq!(known.name.as_deref(), Some("Ana"));
    form.service = Some(service("cobranca"));
    assert_eq!(asked.service(&form), Err("service"));
    // Without a choice nobody is asked to choose.
    let only = Asked {
        services: &services[..1],
        consent: None,
        ..asked
    };
    assert_eq!(only.missing(&Form::default(), &known, false), [""; 0]);
    assert_eq!(only.service(&Form::default()), Ok(Some(service("vendas"))));
    let nothing = Settings {
        form: None,
        ..Settings::default()
    };
    assert_eq!(nothing.asked().missing(&empty.0, &empty.1, true), [""; 0]);
    assert_eq!(nothing.asked().service(&empty.0), Ok(None));
}

fn state(phase: Phase) -> State {
    State {
        version: 1_795_000_000_123,
        phase,
        matter: Some(Matter {
            interaction: "01kb0001".to_owned(),
            protocol: "20261122000123".to_owned(),
            service: Some(Named {
                id: "vendas".to_owned(),
                name: "Vendas".to_owned(),
            }),
        }),
        typing: false,
        read_seq: 12,
        hours: Hours::Open,
    }
}

#[test]
fn the_state_is_written_whole_and_flat() {
    let waiting = state(Phase::Waiting {
        position: Some(3),
        wait_ms: Some(120_000),
    });
    let written = serde_json::to_value(ServerFrame::State(Box::new(waiting))).expect("JSON");
    let expected = json!({
        "type": "state", "version": 1_795_000_000_123_i64, "phase": "waiting",
        "interaction": "01kb0001", "protocol": "20261122000123", "service": {"id": "vendas", "name": "Vendas"},
        "position": 3, "wait_ms": 120_000, "agent": null, "typing": false, "read_seq": 12,
        "open": true, "opens_ms": null, "away": null, "survey": null,
    });
    assert_eq!(written, expected);
    let bruno = Agent {
        name: "Bruno".to_owned(),
        avatar: None,
    };
    let phases = [
        Phase::Idle,
        Phase::Bot,
        Phase::Waiting {
            position: None,
            wait_ms: None,
        },
        Phase::Agent(bruno),
        Phase::Closed { survey: None },
    ];
    let away = Hours::Away {
        opens_ms: Some(5),
        message: Some("Voltamos às 8h".to_owned()),
    };
    for phase in phases {
        for hours in [Hours::Open, away.clone()] {
            let state = State {
                hours,
                ..state(phase.clone())
            };
            let written = serde_json::to_string(&state).expect("JSON");
            let fields: Value = serde_json::from_str(&written).expect("JSON");
            assert_eq!(fields.as_object().map(serde_json::Map::len), Some(14));
            assert_eq!(
                serde_json::from_str::<State>(&written).expect("a state"),
                state
            );
        }
    }
}

#[test]
fn a_newer_state_has_a_larger_version_whatever_the_clock_does() {
    let mut version = 0;
    for now_ms in [1_000, 1_000, 1_000, 900, 0, 2_000, i64::MIN] {
        let next = next_version(version, now_ms);
        assert!(next > version);
        version = next;
    }
    assert_eq!(version, 2_001);
    assert_eq!(next_version(i64::MAX, 0), i64::MAX);
}

#[test]
fn every_frame_of_the_server_has_the_shape_of_the_protocol() {
    let id: ClientMessageId = ID.to_owned().try_into().expect("an id");
    let visitor = VisitorId::new(&mut SmallRng::seed_from_u64(1));
    let said = Said {
        seq: 16,
        id: "01kb0003".to_owned(),
        interaction: "01kb0001".to_owned(),
        at_ms: 1_795_000_000_000,
        author: Author {
            kind: AuthorKind::Agent,
            name: Some("Bruno".to_owned()),
            avatar: None,
        },
        content: Shown::Text {
            text: "Bom dia! Vou verificar.".to_owned(),
        },
        client_message_id: None,
    };
    let said_json = json!({
        "seq": 16, "id": "01kb0003", "interaction": "01kb0001", "at_ms": 1_795_000_000_000_i64,
        "author": {"kind": "agent", "name": "Bruno"}, "content": {"kind": "text", "text": "Bom dia! Vou verificar."},
    });
    let error = FrameError::new(ErrorCode::FormNeeded)
        .to(Some(id.clone()))
        .fields(["email"]);
    let fast = FrameError::new(ErrorCode::TooFast).after_ms(900);
    let messages = |reset| ServerFrame::Messages {
        after: 14,
        messages: vec![said.clone()],
        reset,
    };
    #[rustfmt::skip]
    let rows = [
        (ServerFrame::Welcome(Welcome::new("t".to_owned(), visitor.clone(), 5)), json!({
            "type": "welcome", "v": 1, "token": "t", "visitor": visitor.as_str(), "last_seq": 0, "known": {},
            "identified": false, "now_ms": 5,
        })),
        (messages(false), json!({"type": "messages", "after": 14, "messages": [said_json.clone()]})),
        (messages(true), json!({"type": "messages", "after": 14, "messages": [said_json.clone()], "reset": true})),
        (ServerFrame::History { before: 9, messages: vec![], more: false }, json!({"type": "history", "before": 9, "messages": [], "more": false})),
        (ServerFrame::Ack { client_message_id: id.clone(), seq: Some(15), at_ms: 7 }, json!({"type": "ack", "client_message_id": ID, "seq": 15, "at_ms": 7})),
        (ServerFrame::Ack { client_message_id: id, seq: None, at_ms: 7 }, json!({"type": "ack", "client_message_id": ID, "at_ms": 7})),
        (ServerFrame::Error(error), json!({"type": "error", "code": "form_needed", "client_message_id": ID, "fields": ["email"]})),
        (ServerFrame::Error(fast), json!({"type": "error", "code": "too_fast", "retry_after_ms": 900})),
        (ServerFrame::Alive {}, json!({"type": "alive"})),
    ];
    for (frame, expected) in rows {
        let written = serde_json::to_value(&frame).expect("JSON");
        assert_eq!(written, expected);
        assert_eq!(
            serde_json::from_value::<ServerFrame>(written).expect("a frame"),
            frame
        );
    }
    assert_eq!(
        serde_json::to_value(Posted::default()).expect("JSON"),
        json!({"frames": []})
    );
}

#[test]
fn what_is_stored_is_shown_as_far_as_the_widget_can() {
    let file = File {
        kind: MediaKind::Image,
        name: "etiqueta.jpg".to_owned(),
        mime: "image/jpeg".to_owned(),
        bytes: 81_234,
        url: "/webchat/c1/files/01kb".to_owned(),
        thumb: None,
        width: Some(800),
        height: Some(600),
    };
    let media = Content::Media(Media {
        kind: MediaKind::Image,
        source: MediaSource::Id("u1".to_owned()),
        mime: None,
        name: None,
        caption: Some("a etiqueta".to_owned()),
        voice: false,
        sha256: None,
        bytes: None,
    });
    let json = |shown: Shown| serde_json::to_value(shown).expect("JSON");
    assert_eq!(
        json(Shown::of(&media, Some(file))),
        json!({
            "kind": "file", "caption": "a etiqueta",
            "file": {
                "kind": "image", "name": "etiqueta.jpg", "mime": "image/jpeg", "bytes": 81_234,
                "url": "/webchat/c1/files/01kb", "width": 800, "height": 600,
            },
        })
    );
    let unsupported = json!({"kind": "unsupported"});
    assert_eq!(
        json(Shown::of(&media, None)),
        unsupported,
        "it is not there"
    );
    let cards = Content::Contacts {
        cards: vec![Card::default()],
    };
    assert_eq!(json(Shown::of(&cards, None)), unsupported);
    let question = OutContent::Choices(OutChoices {
        body: "Sobre o que é?".to_owned(),
        footer: None,
        open: None,
        choices: vec![OutChoice {
            id: "sales".to_owned(),
            title: "Vendas".to_owned(),
            description: None,
        }],
    });
    assert_eq!(WEBCHAT.check(&question), Ok(()));
    assert_eq!(
        json(Shown::of_ours(&question, None)),
        json!({"kind": "choices", "text": "Sobre o que é?", "choices": [{"id": "sales", "title": "Vendas"}]})
    );
}

#[test]
fn codes_have_the_status_and_the_close_of_the_protocol() {
    let closing: Vec<&str> = ErrorCode::ALL
        .iter()
        .filter(|code| code.closes())
        .map(|code| code.as_str())
        .collect();
    assert_eq!(
        closing,
        [
            "version", "token", "blocked", "origin", "channel", "replaced"
        ]
    );
    let statuses: Vec<u16> = ErrorCode::ALL.iter().map(|code| code.status()).collect();
    assert_eq!(
        statuses,
        [
            400, 400, 401, 401, 403, 403, 404, 404, 409, 413, 415, 422, 422, 429, 503, 409
        ]
    );
}

/// Settings with everything in them, as an administrator's form posts them.
fn settings() -> Value {
    json!({
        "title": "Loja Aurora", "logo": "01kb0009", "colour": "#176B5B", "position": "left", "theme": "dark", "language": "auto",
        "greeting": {"pt-BR": "Oi! Como podemos ajudar?", "en": "Hi </script><script>alert(1)</script>"},
        "form": {
            "name": "must", "email": "ask", "phone": "no", "services": ["vendas", "suporte"],
            "consent": {"version": "2026-11", "text": {"pt-BR": "Aceito"}, "url": "https://loja.exemplo/lgpd"},
        },
        "origins": ["https://Loja.exemplo/"],
        "files": {"bytes_max": 1_000_000, "kinds": ["image"]},
        "transcript": false,
    })
}

#[test]
fn settings_that_cannot_be_taken_are_named() {
    let with = |pointer: &str, value: Value| {
        let mut settings = settings();
        *settings.pointer_mut(pointer).expect("a field") = value;
        serde_json::from_value::<Settings>(settings)
    };
    let whole: Settings = serde_json::from_value(settings()).expect("settings");
    assert_eq!(whole.wrong(), None);
    assert_eq!(Settings::default().wrong(), None);
    let stored = serde_json::to_value(&whole).expect("JSON");
    assert_eq!(
        serde_json::from_value::<Settings>(stored).expect("settings"),
        whole
    );
    #[rustfmt::skip]
    let wrong = [
        ("/title", json!(" "), "title"), ("/title", json!("x".repeat(61)), "title"),
        ("/logo", json!("../x"), "logo"),
        ("/greeting/en", json!("x".repeat(501)), "greeting"),
        ("/origins", json!(vec!["https://a.com"; 51]), "origins"),
        ("/form/services", json!(vec!["vendas"; 31]), "form.services"),
        ("/form/consent/version", json!(""), "form.consent.version"),
        ("/form/consent/text", json!({}), "form.consent.text"),
        ("/form/consent/text", json!({"en": " "}), "form.consent.text"),
        ("/form/consent/url", json!("javascript:alert(1)"), "form.consent.url"),
        ("/files/bytes_max", json!(0), "files.bytes_max"), ("/files/bytes_max", json!(15_728_641), "files.bytes_max"),
        ("/files/kinds", json!([]), "files.kinds"), ("/files/kinds", json!(["sticker"]), "files.kinds"),
    ];
    for (pointer, value, field) in wrong {
        let settings = with(pointer, value).expect("settings");
        assert_eq!(settings.wrong(), Some(field), "{pointer}");
    }
    #[rustfmt::skip]
    let unreadable = [
        ("/colour", json!("red")), ("/colour", json!("#12345")), ("/colour", json!("#12345g")), ("/colour", json!("#fff;}")),
        ("/position", json!("top")), ("/theme", json!("")), ("/language", json!("fr")), ("/greeting", json!({"fr": "Salut"})),
        ("/origins", json!(["https://a.com/x"])), ("/origins", json!(["*"])), ("/form/name", json!("maybe")),
        ("/form/services", json!(["a b"])), ("/form", json!({"cpf": "must"})), ("/files/bytes_max", json!(-1)),
    ];
    for (pointer, value) in unreadable {
        assert!(with(pointer, value.clone()).is_err(), "{pointer} {value}");
    }
    assert!(serde_json::from_value::<Settings>(json!({"color": "#fff"})).is_err());
}

#[test]
fn a_page_cannot_be_broken_out_of_by_what_an_administrator_wrote() {
    let settings: Settings = serde_json::from_value(settings()).expect("settings");
    let services = BTreeMap::from([(service("vendas"), "Vendas & <Trocas>".to_owned())]);
    let placed = config::Placed {
        channel: "c1",
        name: "Canal",
        frame: "https://chat.exemplo/webchat/c1/frame",
        logo: Some("/webchat/assets/logo"),
        services: &services,
    };
    let loader = serde_json::to_value(config::Loader::new(&settings, placed)).expect("JSON");
    assert_eq!(
        loader,
        json!({
            "v": 1, "channel": "c1", "name": "Loja Aurora", "colour": "#176b5b", "position": "left", "theme": "dark",
            "language": "auto", "frame": "https://chat.exemplo/webchat/c1/frame",
        })
    );
    let text = config::in_script(&config::Frame::new(&settings, placed)).expect("JSON");
    assert!(
        !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']),
        "{text}"
    );
    let mut expected = loader;
    let more = json!({
        "logo": "/webchat/assets/logo", "origins": ["https://loja.exemplo"],
        "greeting": {"pt-BR": "Oi! Como podemos ajudar?", "en": "Hi </script><script>alert(1)</script>"},
        "form": {
            // A service that is gone is not offered.
            "name": "must", "email": "ask", "phone": "no", "services": [{"id": "vendas", "name": "Vendas & <Trocas>"}],
            "consent": {"version": "2026-11", "text": {"pt-BR": "Aceito"}, "url": "https://loja.exemplo/lgpd"},
        },
        "files": {"bytes_max": 1_000_000, "accept": "image/jpeg,image/png,image/gif,image/webp"}, "transcript": false,
    });
    let fields = expected.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    assert_eq!(
        serde_json::from_str::<Value>(&text).expect("JSON"),
        expected
    );
    let lines = config::in_script(&"a\u{2028}b\u{2029}").expect("JSON");
    assert_eq!(lines, r#""a\u2028b\u2029""#);
}

#[test]
fn files_are_taken_by_their_type_and_nothing_that_runs_is() {
    let all = FileSettings::default();
    #[rustfmt::skip]
    let rows = [
        ("image/jpeg", Some(MediaKind::Image)), ("audio/webm; codecs=opus", Some(MediaKind::Audio)),
        ("video/mp4", Some(MediaKind::Video)), ("application/pdf", Some(MediaKind::Document)), ("text/csv", Some(MediaKind::Document)),
        ("image/svg+xml", None), ("text/html", None), ("application/xhtml+xml", None), ("application/x-msdownload", None),
        ("application/javascript", None), ("application/zip", None), ("application/octet-stream", None), ("", None),
    ];
    for (mime, kind) in rows {
        assert_eq!(all.kind_of(mime), kind, "{mime}");
    }
    let pictures = FileSettings {
        kinds: vec![MediaKind::Image],
        ..all
    };
    assert_eq!(pictures.kind_of("application/pdf"), None);
    assert_eq!(pictures.kind_of("image/png"), Some(MediaKind::Image));
}

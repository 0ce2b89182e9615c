//! What the server says.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::ID;
use crate::event::{Card, Content, Media, MediaKind, MediaSource};
use crate::send::{OutChoice, OutChoices, OutContent};
use crate::webchat::WEBCHAT;
use crate::webchat::client::ClientMessageId;
use crate::webchat::error::{ErrorCode, FrameError};
use crate::webchat::server::{
    Agent, Author, AuthorKind, File, Hours, Matter, Named, Phase, Posted, Said, ServerFrame, Shown,
    State, Welcome, next_version,
};
use crate::webchat::token::VisitorId;

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
        conversation: "01kb0000".to_owned(),
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
        (messages(false), json!({"type": "messages", "conversation": "01kb0000", "after": 14, "messages": [said_json.clone()]})),
        (messages(true), json!({"type": "messages", "conversation": "01kb0000", "after": 14, "messages": [said_json.clone()], "reset": true})),
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

//! Mails in the words that all channels share.

use super::fixtures::{mails, use_all};
use crate::connector::Refusal;
use crate::email::events::{body_of, file, of_mail, of_unreadable};
use crate::email::{Unreadable, read};
use crate::event::{Content, Delivery, Event, EventKind, Forwarded, MediaKind};
use crate::failure::{Advice, FailureClass};
use crate::peer::{IdentityKind, PeerId};
use crate::send::{OutChoice, OutChoices, OutContent, Outgoing};

fn raw(name: &str) -> Vec<u8> {
    mails()
        .into_iter()
        .find(|(found, _)| found == name)
        .expect("a fixture")
        .1
}

fn events(name: &str) -> Vec<Event> {
    of_mail(&read(&raw(name)).expect("a mail"))
}

#[test]
fn a_mail_is_a_message_with_its_files() {
    let mail = raw("outlook-cid");
    let events = events("outlook-cid");
    let [
        Event {
            kind: EventKind::Message(message),
            at_ms,
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(*at_ms, Some(1_795_518_000_000));
    assert_eq!(message.id, "001301dc5d1a$a1b2$@example.com");
    assert_eq!(
        message.from.ids,
        [PeerId::new(IdentityKind::Email, "bruno.prado@example.com")]
    );
    assert_eq!(message.from.name.as_deref(), Some("Prado, Bruno"));
    let kinds: Vec<_> = message
        .attachments
        .iter()
        .map(|media| (media.kind, media.name.as_deref()))
        .collect();
    assert_eq!(
        kinds,
        [
            (MediaKind::Image, Some("image001.png")),
            (MediaKind::Image, Some("image002.png")),
            (MediaKind::Document, Some("nota.pdf"))
        ]
    );
    let read = read(&mail).expect("a mail");
    assert!(file(&read, &mail, "file:2").is_some_and(|bytes| bytes.starts_with(b"%PDF")));
    assert_eq!(file(&read, &mail, "raw"), Some(mail.as_slice()));
    for none in ["file:3", "file:-1", "file:", "x", ""] {
        assert_eq!(file(&read, &mail, none), None, "{none}");
    }
}

#[test]
fn what_is_passed_on_says_so_and_an_answer_names_what_it_answers() {
    let forwarded = events("forward-gmail");
    let EventKind::Message(message) = &forwarded[0].kind else {
        panic!("{forwarded:?}")
    };
    assert_eq!(message.forwarded, Some(Forwarded::Once));
    let answers = events("gmail-reply-pt");
    let EventKind::Message(message) = &answers[0].kind else {
        panic!("{answers:?}")
    };
    assert_eq!(
        message.reply_to.as_deref(),
        Some("0192f0ac.k7@loja.example")
    );
}

#[test]
fn a_bounce_is_the_status_of_our_mail_for_each_recipient() {
    let failed = events("dsn-user-unknown");
    let EventKind::Status(status) = &failed[0].kind else {
        panic!("{failed:?}")
    };
    assert_eq!(
        (status.message.as_str(), status.correlation.as_deref()),
        ("0192f0b0.k9@loja.example", Some("0192f0b0"))
    );
    let failure = status.failure.as_ref().expect("a failure");
    assert_eq!(
        (status.state, failure.class, failure.advice),
        (
            Delivery::Failed,
            FailureClass::Permanent,
            Advice::AddressUnknown
        )
    );
    let late = events("dsn-delayed");
    let EventKind::Status(status) = &late[0].kind else {
        panic!("{late:?}")
    };
    assert_eq!((status.state, &status.failure), (Delivery::Accepted, &None));
    let opened = events("read-receipt");
    assert!(matches!(&opened[0].kind, EventKind::Status(status) if status.state == Delivery::Read));
    let lost = events("bounce-words-pt");
    assert!(
        matches!(&lost[0].kind, EventKind::Message(_)),
        "no mail of ours is named: people see it"
    );
    let complaint = events("complaint");
    assert!(matches!(&complaint[0].kind, EventKind::Consent(consent) if !consent.marketing));
}

#[test]
fn a_mail_that_came_twice_is_one_and_another_under_its_id_is_not_lost() {
    let [a, b] = [events("same-id-a"), events("same-id-b")];
    assert_ne!(a[0].key, b[0].key);
    let mut again =
        b"Received: from elsewhere.example by mx.loja.example; Thu, 26 Nov 2026 17:06:00 -0300\r\n"
            .to_vec();
    again.extend(raw("same-id-a"));
    assert_eq!(of_mail(&read(&again).expect("a mail")), a);
}

#[test]
fn every_mail_tells_something_and_no_two_tell_the_same() {
    let mut keys = std::collections::BTreeSet::new();
    for (name, raw) in mails() {
        use_all(&raw);
        let events = of_mail(&read(&raw).expect("a mail"));
        assert!(!events.is_empty(), "{name}");
        for event in events {
            assert!(keys.insert(event.key), "{name}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_shown_with_the_file() {
    let event = of_unreadable(&Unreadable::NoHead, b"xyz", "7/42");
    assert_eq!(event.key, "unreadable/7/42");
    let EventKind::Message(message) = event.kind else {
        panic!("a message")
    };
    assert!(
        matches!(&message.content, Content::Unsupported { kind, raw } if kind == "mail" && raw["error"] == "the mail has no head")
    );
    assert_eq!(message.attachments[0].bytes, Some(3));
}

#[test]
fn what_other_channels_send_is_said_in_a_mail_or_refused() {
    let outgoing = |kind, content| Outgoing {
        message: "m1".to_owned(),
        to: PeerId::new(kind, "Ana@Example.com"),
        content,
        reply_to: None,
    };
    let text = OutContent::Text {
        text: "Olá".to_owned(),
        preview: false,
    };
    let (to, body) = body_of(&outgoing(IdentityKind::Email, text.clone())).expect("a body");
    assert_eq!(
        (to.address.as_str(), body.text().as_str()),
        ("Ana@example.com", "Olá")
    );
    assert_eq!(
        body_of(&outgoing(IdentityKind::Phone, text)),
        Err(Refusal::Address)
    );
    let choice = |title: &str| OutChoice {
        id: title.to_owned(),
        title: title.to_owned(),
        description: None,
    };
    let choices = OutContent::Choices(OutChoices {
        body: "Escolha:".to_owned(),
        footer: Some("Responda com o número.".to_owned()),
        open: None,
        choices: vec![choice("Vendas"), choice("Suporte")],
    });
    let (_, body) = body_of(&outgoing(IdentityKind::Email, choices)).expect("a body");
    assert_eq!(
        body.text(),
        "Escolha:\n\n1 - Vendas\n2 - Suporte\n\nResponda com o número."
    );
    let reaction = OutContent::Reaction {
        message: "x".to_owned(),
        emoji: None,
    };
    assert_eq!(
        body_of(&outgoing(IdentityKind::Email, reaction)),
        Err(Refusal::Unsupported { what: "reaction" })
    );
}

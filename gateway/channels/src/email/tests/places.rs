//! Where mails belong, and who may answer them.

use crate::email::thread::{
    Apart, Found, Key, NoWork, Ours, Place, Rules, Silence, Traffic, alike, keys, makes_work,
    may_answer, place,
};
use crate::email::{Address, Kind, Mail, Mark, token};
use crate::secret::Secret;

const NOW_MS: i64 = 1_795_430_000_000;
const DAY_MS: i64 = 24 * 3_600_000;

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn mail(from: &str, subject: &str) -> Mail {
    Mail {
        from: vec![address(from)],
        subject: subject.to_owned(),
        ..Mail::default()
    }
}

fn found(key: Key, closed_at_ms: Option<i64>) -> Found<u32> {
    Found {
        key,
        conversation: 7,
        closed_at_ms,
        subject: "Pedido 123".to_owned(),
        participants: vec![
            "Ana@example.com".to_owned(),
            "compras@example.com".to_owned(),
        ],
    }
}

fn by_id(closed_at_ms: Option<i64>) -> Vec<Found<u32>> {
    vec![found(Key::MessageId("1@x".to_owned()), closed_at_ms)]
}

#[test]
fn keys_come_with_the_most_certain_first() {
    let secret = Secret::new("k");
    let addresses = ["sac@loja.example".to_owned()];
    let ours = Ours {
        addresses: &addresses,
        secret: &secret,
    };
    let made = token::token("c2", &secret).expect("a token");
    let mut mail = mail("ana@example.com", "Re: x [#20261122000123]");
    mail.in_reply_to = vec!["3@x".to_owned()];
    mail.references = vec![
        token::message_id("m", &made, "loja.example"),
        "2@x".to_owned(),
        "3@x".to_owned(),
    ];
    mail.to = vec![address("sac+forged.0000000000000000@loja.example")];
    mail.delivered_to = vec![address(&format!(
        "sac+{}@loja.example",
        token::token("c1", &secret).expect("a token")
    ))];
    assert_eq!(
        keys(&mail, &ours),
        [
            Key::MessageId("3@x".to_owned()),
            Key::MessageId("2@x".to_owned()),
            Key::MessageId(mail.references[0].clone()),
            Key::Conversation("c1".to_owned()),
            Key::Conversation("c2".to_owned()),
            Key::Protocol("20261122000123".to_owned()),
        ]
    );
}

#[test]
fn a_thread_of_years_is_asked_for_by_its_newest_references() {
    let secret = Secret::new("k");
    let ours = Ours {
        addresses: &[],
        secret: &secret,
    };
    let mut mail = mail("ana@example.com", "Re: x");
    mail.references = (0..200).map(|n| format!("{n}@x")).collect();
    let keys = keys(&mail, &ours);
    assert_eq!(keys.len(), 25);
    assert_eq!(keys[0], Key::MessageId("199@x".to_owned()));
}

#[test]
fn an_answer_to_an_open_matter_joins_it() {
    let rules = Rules::default();
    let answer = mail("ana@EXAMPLE.com", "RES: pedido 123");
    let joined = Place::Join {
        conversation: 7,
        subject: None,
        newcomer: false,
    };
    assert_eq!(place(&answer, &by_id(None), NOW_MS, &rules), joined);
    let colleague = mail("chefe@example.com", "Re: Pedido 123");
    let joined = Place::Join {
        conversation: 7,
        subject: None,
        newcomer: true,
    };
    assert_eq!(place(&colleague, &by_id(None), NOW_MS, &rules), joined);
    let renamed = mail("ana@example.com", "Re: Nota fiscal");
    let joined = Place::Join {
        conversation: 7,
        subject: Some("Re: Nota fiscal".to_owned()),
        newcomer: false,
    };
    assert_eq!(place(&renamed, &by_id(None), NOW_MS, &rules), joined);
}

#[test]
fn an_answer_to_a_closed_matter_brings_it_back_in_time_and_follows_it_later() {
    let rules = Rules::default();
    let answer = mail("ana@example.com", "Re: Pedido 123");
    let at = |closed_at_ms| place(&answer, &by_id(Some(closed_at_ms)), NOW_MS, &rules);
    assert_eq!(
        at(NOW_MS - 7 * DAY_MS),
        Place::Reopen {
            conversation: 7,
            newcomer: false
        }
    );
    assert_eq!(
        at(NOW_MS - 7 * DAY_MS - 1),
        Place::Follow {
            of: 7,
            why: Apart::TooLate
        }
    );
    assert_eq!(
        at(NOW_MS + DAY_MS),
        Place::Reopen {
            conversation: 7,
            newcomer: false
        },
        "clocks differ"
    );
    let renamed = mail("ana@example.com", "Nota fiscal");
    let place = place(&renamed, &by_id(Some(NOW_MS)), NOW_MS, &rules);
    assert_eq!(
        place,
        Place::Follow {
            of: 7,
            why: Apart::OtherSubject
        }
    );
}

#[test]
fn a_protocol_in_the_subject_counts_for_participants_alone() {
    let rules = Rules::default();
    let by_protocol = [found(Key::Protocol("20261122000123".to_owned()), None)];
    let guess = mail("ladrao@example.net", "Pedido 123 [#20261122000123]");
    assert_eq!(place(&guess, &by_protocol, NOW_MS, &rules), Place::New);
    let customer = mail("compras@example.com", "Pedido 123 [#20261122000123]");
    let joined = Place::Join {
        conversation: 7,
        subject: None,
        newcomer: false,
    };
    assert_eq!(place(&customer, &by_protocol, NOW_MS, &rules), joined);
}

#[test]
fn what_a_stranger_passes_on_is_another_matter() {
    let rules = Rules::default();
    let passed_on = mail("outro@example.net", "ENC: Pedido 123");
    let apart = Place::Follow {
        of: 7,
        why: Apart::PassedOn,
    };
    assert_eq!(place(&passed_on, &by_id(None), NOW_MS, &rules), apart);
    let by_customer = mail("ana@example.com", "ENC: Pedido 123");
    let joined = Place::Join {
        conversation: 7,
        subject: None,
        newcomer: false,
    };
    assert_eq!(place(&by_customer, &by_id(None), NOW_MS, &rules), joined);
}

#[test]
fn a_subject_alone_never_joins_and_is_offered() {
    let customer = mail("Ana@example.com", "Re: Pedido 123");
    assert_eq!(
        place::<u32>(&customer, &[], NOW_MS, &Rules::default()),
        Place::New
    );
    assert_eq!(
        alike(&customer),
        Some(("ana@example.com".to_owned(), "pedido 123".to_owned()))
    );
    assert_eq!(alike(&mail("ana@example.com", "Re: oi")), None);
}

#[test]
fn a_program_answers_a_person_once_a_day_and_no_program_ever() {
    let secret = Secret::new("k");
    let addresses = ["SAC@loja.example".to_owned()];
    let ours = Ours {
        addresses: &addresses,
        secret: &secret,
    };
    let (rules, quiet) = (Rules::default(), Traffic::default());
    let person = mail("ana@example.com", "Oi");
    let check = |mail: &Mail, traffic| may_answer(mail, &ours, traffic, &rules);
    assert_eq!(check(&person, quiet), Ok(()));
    assert_eq!(
        check(
            &person,
            Traffic {
                answers_in_day: 1,
                ..quiet
            }
        ),
        Err(Silence::TooOften)
    );
    assert_eq!(
        check(
            &person,
            Traffic {
                received_in_hour: 31,
                ..quiet
            }
        ),
        Err(Silence::TooOften)
    );
    assert_eq!(
        check(&mail("sac+x@LOJA.example", "Oi"), quiet),
        Err(Silence::OwnMail)
    );
    let to_us = Mail {
        reply_to: vec![address("sac@loja.example")],
        ..person.clone()
    };
    assert_eq!(
        check(&to_us, quiet),
        Err(Silence::OwnMail),
        "the answer would come to ourselves"
    );
    assert_eq!(check(&Mail::default(), quiet), Err(Silence::NoSender));
    for mark in Mark::ALL {
        let marked = Mail {
            marks: vec![*mark],
            ..person.clone()
        };
        assert_eq!(check(&marked, quiet), Err(Silence::Marked(*mark)));
    }
    assert_eq!(
        check(
            &Mail {
                kind: Kind::AutoReply,
                ..person
            },
            quiet
        ),
        Err(Silence::Machine)
    );
}

#[test]
fn our_own_mail_and_floods_make_no_work() {
    let secret = Secret::new("k");
    let addresses = ["sac@loja.example".to_owned()];
    let ours = Ours {
        addresses: &addresses,
        secret: &secret,
    };
    let (rules, quiet) = (Rules::default(), Traffic::default());
    let check = |mail: &Mail, traffic| makes_work(mail, &ours, traffic, &rules);
    let person = mail("ana@example.com", "Oi");
    assert_eq!(check(&person, quiet), Ok(()));
    assert_eq!(
        check(
            &person,
            Traffic {
                received_in_hour: 31,
                ..quiet
            }
        ),
        Err(NoWork::Flood)
    );
    let made = token::token("c1", &secret).expect("a token");
    let returned = Mail {
        message_id: Some(token::message_id("m", &made, "loja.example")),
        ..person
    };
    assert_eq!(check(&returned, quiet), Err(NoWork::OwnMail));
    let colleague = mail("sac@loja.example", "Escrito por uma pessoa");
    assert_eq!(
        check(&colleague, quiet),
        Ok(()),
        "a person writes from the same address"
    );
}

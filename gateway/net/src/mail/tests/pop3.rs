//! POP3 by the line.

use super::super::Journal;
use super::super::error::{Cause, Step};
use super::super::pop3::{Entry, Pop3};
use super::{Played, password, token};

#[tokio::test]
async fn a_maildrop_is_listed_and_read_and_its_dots_are_undone() {
    let played = Played::new(
        "S: +OK ready
         C: CAPA
         S: -ERR what?
         C: USER ana
         S: +OK
         C: PASS segredo
         S: +OK 2 messages
         C: STAT
         S: +OK 2 320
         C: LIST
         S: +OK 2 messages
         S: 1 120
         S: 2 200
         S: .
         C: UIDL
         S: +OK
         S: 1 whqtswO00WBw418f9t5JxYwZ
         S: 2 QhdPYR:00WBw1Ph7x7
         S: .
         C: RETR 1
         S: +OK 120 octets
         S: Subject: oi
         S: 
         S: ..
         S: ...x
         S: .
         C: TOP 2 0
         S: +OK
         S: Subject: tchau
         S: .
         C: DELE 1
         S: +OK
         C: QUIT
         S: +OK bye",
    )
    .await;
    let login = password();
    let mut journal = Journal::default();
    let mut pop3 = Pop3::open(&played.dialer, &played.server, &login, &mut journal)
        .await
        .expect("known");
    assert_eq!(pop3.stat().await, Ok((2, 320)));
    let entries = pop3.entries().await.expect("a list");
    let entry = |number, uid: &str, bytes| Entry {
        number,
        uid: uid.to_owned(),
        bytes,
    };
    let first = entry(1, "whqtswO00WBw418f9t5JxYwZ", 120);
    let second = entry(2, "QhdPYR:00WBw1Ph7x7", 200);
    assert_eq!(entries, [first.clone(), second.clone()]);
    let mail = pop3.retrieve(&first).await.expect("a mail");
    assert_eq!(mail, b"Subject: oi\r\n\r\n.\r\n..x\r\n");
    let head = pop3.head(&second).await.expect("a head");
    assert_eq!(head, b"Subject: tchau\r\n");
    pop3.delete(&first).await.expect("marked");
    pop3.quit().await.expect("left");
    let steps: Vec<Step> = journal.passed.iter().map(|passed| passed.step).collect();
    assert_eq!(
        steps,
        [Step::Name, Step::Connect, Step::Greeting, Step::Login]
    );
    played.ended().await;
}

#[tokio::test]
async fn the_way_to_log_in_is_one_that_the_server_offers() {
    let played = Played::new(
        "S: +OK ready
         C: CAPA
         S: +OK
         S: SASL PLAIN XOAUTH2
         S: .
         C: AUTH PLAIN
         S: + 
         C: AGFuYQBzZWdyZWRv
         S: +OK in
         ---
         S: +OK ready
         C: CAPA
         S: +OK
         S: USER
         S: SASL XOAUTH2
         S: .
         C: AUTH XOAUTH2
         S: + 
         C: dXNlcj1hQGIuYwFhdXRoPUJlYXJlciBUAQE=
         S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
         C: 
         S: -ERR [AUTH] refused
         ---
         S: +OK ready
         C: CAPA
         S: +OK
         S: SASL
         S: STLS
         S: .",
    )
    .await;
    let mut results = vec![];
    for login in [password(), token(), password()] {
        let mut journal = Journal::default();
        let opened = Pop3::open(&played.dialer, &played.server, &login, &mut journal).await;
        results.push(opened.map(drop));
    }
    let refused = Cause::No {
        code: "AUTH".to_owned(),
        text: "refused status 400 scope mail".to_owned(),
    };
    let none = Cause::NoLogin("SASL, STLS".to_owned());
    let expected = [
        Ok(()),
        Err(refused.at(Step::Login)),
        Err(none.at(Step::Login)),
    ];
    assert_eq!(results, expected);
    played.ended().await;
}

#[tokio::test]
async fn a_mail_without_end_is_not_read_to_the_end() {
    let script = format!(
        "S: +OK ready\nC: CAPA\nS: -ERR\nC: USER ana\nS: +OK\nC: PASS segredo\nS: +OK\nC: RETR 1\nS: +OK\n{}",
        "S: on and on\n".repeat(10_000)
    );
    let played = Played::new(Box::leak(script.into_boxed_str())).await;
    let login = password();
    let mut journal = Journal::default();
    let mut pop3 = Pop3::open(&played.dialer, &played.server, &login, &mut journal)
        .await
        .expect("known");
    let entry = Entry {
        number: 1,
        uid: "x".to_owned(),
        bytes: 20,
    };
    let error = pop3.retrieve(&entry).await.expect_err("too much");
    assert!(matches!(error.cause, Cause::TooLarge(_)), "{error}");
}

#[tokio::test]
async fn lists_that_are_none_are_refused_and_those_that_differ_are_joined() {
    let begun = "S: +OK ready\nC: CAPA\nS: -ERR\nC: USER ana\nS: +OK\nC: PASS segredo\nS: +OK\n";
    let rows = [
        (
            "C: LIST\nS: +OK\nS: 1 10\nS: 3 30\nS: .\nC: UIDL\nS: +OK\nS: 2 b\nS: 3 c\nS: .\n",
            Ok(1),
        ),
        (
            "C: LIST\nS: +OK\nS: .\nC: UIDL\nS: +OK\nS: one a\nS: .\n",
            Err("UIDL"),
        ),
        ("C: LIST\nS: +OK\nS: .\nC: UIDL\nS: -ERR\n", Err("")),
    ];
    for (lists, expected) in rows {
        let played = Played::new(Box::leak(format!("{begun}{lists}").into_boxed_str())).await;
        let login = password();
        let mut journal = Journal::default();
        let mut pop3 = Pop3::open(&played.dialer, &played.server, &login, &mut journal)
            .await
            .expect("known");
        match (pop3.entries().await, expected) {
            (Ok(entries), Ok(count)) => assert_eq!(entries.len(), count),
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
            (entries, _) => panic!("{lists}: {entries:?}"),
        }
        played.ended().await;
    }
}

#[tokio::test]
async fn without_stls_nothing_is_said_to_a_server_that_was_to_offer_it() {
    let played = Played::new("S: +OK ready\nC: STLS\nS: -ERR what?\n")
        .await
        .by_start_tls();
    let login = password();
    let mut journal = Journal::default();
    let opened = Pop3::open(&played.dialer, &played.server, &login, &mut journal).await;
    assert_eq!(opened.err(), Some(Cause::NoStartTls.at(Step::Tls)));
    played.ended().await;
}

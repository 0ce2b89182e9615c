//! IMAP by the line.

use std::time::Duration;

use super::super::Journal;
use super::super::error::{Cause, Error, Step};
use super::super::imap::{Entry, Extent, Folder, Imap, Unread};
use super::{Played, password, token};

const KNOWN: &str = "S: * OK ready
    C: a1 CAPABILITY
    S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
    S: a1 OK
    C: a2 AUTHENTICATE PLAIN
    S: + 
    C: AGFuYQBzZWdyZWRv
    S: a2 OK [CAPABILITY IMAP4rev1 IDLE] Logged in
    C: a3 CAPABILITY
    S: * CAPABILITY IMAP4rev1 IDLE
    S: a3 OK
";

/// A conversation that goes on as `script` has it.
async fn known(script: &str) -> (Imap, Played) {
    let script = Box::leak(format!("{KNOWN}{script}").into_boxed_str());
    let played = Played::new(script).await;
    let login = password();
    let mut journal = Journal::default();
    let opened = Imap::open(&played.dialer, &played.server, &login, &mut journal).await;
    (
        opened.map_err(|error| panic!("{error}")).expect("known"),
        played,
    )
}

#[tokio::test]
async fn a_folder_is_opened_searched_read_and_marked() {
    let (mut imap, played) = known(
        "C: a4 SELECT \"INBOX\"
         S: * 3 EXISTS
         S: * FLAGS (\\Seen)
         S: * OK [UNSEEN 2] first
         S: * OK [UIDVALIDITY 77] ok
         S: * OK [UIDNEXT 9] ok
         S: a4 OK [READ-WRITE] done
         C: a5 UID SEARCH UID 7:* UNSEEN UNDELETED SINCE 5-Mar-2026
         S: * SEARCH 8 7 4
         S: a5 OK
         C: a6 UID FETCH 7,8 (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])
         S: * 2 FETCH (UID 7 RFC822.SIZE 120 INTERNALDATE \" 5-Mar-2026 02:44:25 -0300\" BODY[HEADER.FIELDS (MESSAGE-ID)] {28}
         S: Message-ID: <um@example>
         S: 
         S: )
         S: * 1 FETCH (FLAGS (\\Seen))
         S: * 3 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] {0}
         S:  RFC822.SIZE 44 UID 8)
         S: a6 OK
         C: a7 UID FETCH 7 (UID BODY.PEEK[])
         S: * 2 FETCH (UID 7 BODY[] {13}
         S: Subject: oi
         S: )
         S: a7 OK
         C: a8 UID FETCH 8 (UID BODY.PEEK[HEADER])
         S: a8 OK it is gone
         C: a9 UID STORE 7 +FLAGS.SILENT (\\Seen)
         S: a9 OK",
    )
    .await;
    let folder = imap.select("INBOX").await;
    assert_eq!(
        folder,
        Ok(Folder {
            validity: 77,
            next: 9,
            exists: 3
        })
    );
    let since = Some(jiff::civil::date(2026, 3, 5));
    let found = imap.unread(Unread { from: 7, since }).await;
    assert_eq!(found, Ok(vec![7, 8]), "4 is below what was asked for");
    let entries = imap.describe(&[7, 8], true).await.expect("both");
    let expected = [
        Entry {
            uid: 7,
            bytes: 120,
            came_ms: Some(1_772_689_465_000),
            message_id: Some("um@example".to_owned()),
        },
        Entry {
            uid: 8,
            bytes: 44,
            came_ms: None,
            message_id: None,
        },
    ];
    assert_eq!(entries, expected);
    let mail = imap.fetch(7, Extent::Whole, 100).await;
    assert_eq!(mail, Ok(Some(b"Subject: oi\r\n".to_vec())));
    assert_eq!(imap.fetch(8, Extent::Head, 100).await, Ok(None));
    assert_eq!(imap.mark_seen(7).await, Ok(()));
    played.ended().await;
}

#[tokio::test]
async fn a_folder_without_its_next_number_is_asked_for_its_last() {
    let (mut imap, played) = known(
        "C: a4 SELECT \"INBOX\"
         S: * 3 EXISTS
         S: * OK [UIDVALIDITY 77] ok
         S: a4 OK
         C: a5 UID FETCH * (UID RFC822.SIZE INTERNALDATE)
         S: * 3 FETCH (UID 41 RFC822.SIZE 9)
         S: a5 OK",
    )
    .await;
    let folder = imap.select("INBOX").await;
    assert_eq!(
        folder,
        Ok(Folder {
            validity: 77,
            next: 42,
            exists: 3
        })
    );
    played.ended().await;
}

#[tokio::test]
async fn waiting_ends_when_something_comes_or_when_its_time_is_over() {
    let (mut imap, played) = known(
        "C: a4 IDLE
         S: + idling
         S: * OK Still here
         S: * 4 EXISTS
         C: DONE
         S: a4 OK
         C: a5 IDLE
         S: + idling
         C: DONE
         S: * 5 EXISTS
         S: a5 OK
         C: a6 IDLE
         S: + idling
         C: DONE
         S: a6 OK
         C: a7 IDLE
         S: + idling
         S: * BYE restart",
    )
    .await;
    assert_eq!(imap.wait(Duration::from_secs(60)).await, Ok(true));
    let short = Duration::from_millis(20);
    assert_eq!(imap.wait(short).await, Ok(true), "it came with the end");
    assert_eq!(imap.wait(short).await, Ok(false));
    let lost = imap.wait(Duration::from_secs(60)).await;
    assert_eq!(
        lost,
        Err(Error {
            step: Step::Reading,
            cause: Cause::Lost("restart".to_owned())
        })
    );
    played.ended().await;
}

#[tokio::test]
async fn a_password_that_needs_no_quotes_is_told_by_its_length() {
    let played = Played::new(
        "S: * OK ready
         C: a1 CAPABILITY
         S: * CAPABILITY IMAP4rev1
         S: a1 OK
         C: a2 LOGIN {3}
         S: + go on
         C: ana {7}
         S: + go on
         C: segredo
         S: a2 NO [AUTHENTICATIONFAILED] not you",
    )
    .await;
    let login = password();
    let mut journal = Journal::default();
    let opened = Imap::open(&played.dialer, &played.server, &login, &mut journal).await;
    let cause = Cause::No {
        code: "AUTHENTICATIONFAILED".to_owned(),
        text: "not you".to_owned(),
    };
    assert_eq!(opened.err(), Some(cause.at(Step::Login)));
    played.ended().await;
}

#[tokio::test]
async fn the_reason_why_a_token_is_refused_is_heard_out() {
    let played = Played::new(
        "S: * OK ready
         C: a1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED
         S: a1 OK
         C: a2 AUTHENTICATE XOAUTH2
         S: + 
         C: dXNlcj1hQGIuYwFhdXRoPUJlYXJlciBUAQE=
         S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
         C: 
         S: a2 NO [AUTHENTICATIONFAILED] Invalid credentials
         ---
         S: * OK ready
         C: a1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED
         S: a1 OK",
    )
    .await;
    let mut errors = vec![];
    for login in [token(), password()] {
        let mut journal = Journal::default();
        let opened = Imap::open(&played.dialer, &played.server, &login, &mut journal).await;
        errors.push(opened.err().expect("refused").to_string());
    }
    let expected = [
        "login: Invalid credentials status 400 scope mail",
        "login: the server offers no way to log in: IMAP4REV1 AUTH=XOAUTH2 LOGINDISABLED",
    ];
    assert_eq!(errors, expected);
    played.ended().await;
}

#[tokio::test]
async fn a_server_that_is_none_or_wants_us_to_skip_tls_is_left() {
    for (script, step) in [
        ("S: +OK POP3 ready", Step::Greeting),
        ("S: * PREAUTH welcome", Step::Greeting),
        ("S: * BYE full", Step::Greeting),
        (
            "S: * OK ready\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: a1 OK",
            Step::Tls,
        ),
        (
            "S: * OK ready\nC: a1 CAPABILITY\nS: * CAPABILITY STARTTLS\nS: a1 OK\nC: a2 STARTTLS\nS: a2 OK\nS: * CAPABILITY AUTH=PLAIN",
            Step::Tls,
        ),
    ] {
        let played = Played::new(script).await.by_start_tls();
        let login = password();
        let mut journal = Journal::default();
        let opened = Imap::open(&played.dialer, &played.server, &login, &mut journal).await;
        assert_eq!(opened.err().map(|error| error.step), Some(step), "{script}");
        played.ended().await;
    }
}

#[tokio::test]
async fn more_than_was_asked_for_is_not_kept() {
    for answer in [
        "S: * 1 FETCH (UID 7 BODY[] {4000000000}",
        "S: * 1 FETCH (UID 7 BODY[] {99999999999999999999}",
        "S: * 1 FETCH (UID 7 BODY[] {4200000}",
    ] {
        let (mut imap, played) =
            known(&format!("C: a4 UID FETCH 7 (UID BODY.PEEK[])\n{answer}")).await;
        let error = imap
            .fetch(7, Extent::Whole, 100)
            .await
            .expect_err("too much");
        assert!(matches!(error.cause, Cause::TooLarge(_)), "{error}");
        played.ended().await;
    }
}

#[tokio::test]
async fn the_folder_of_sent_mails_is_the_one_that_the_server_names_and_takes_a_copy() {
    let (mut imap, played) = known(
        "C: a4 LIST \"\" \"*\"
         S: * LIST (\\HasNoChildren) \"/\" INBOX
         S: * LIST (\\HasNoChildren \\Sent) \"/\" \"Itens \\\"enviados\\\"\"
         S: a4 OK
         C: a5 APPEND \"Itens \\\"enviados\\\"\" (\\Seen) {9}
         S: + go on
         C: To: x
         C: 
         C: 
         S: a5 OK [APPENDUID 1 2] kept",
    )
    .await;
    let folder = imap.sent_folder().await;
    assert_eq!(folder, Ok(Some("Itens \"enviados\"".to_owned())));
    let folder = folder.ok().flatten().expect("a folder");
    assert_eq!(imap.append(&folder, b"To: x\r\n\r\n").await, Ok(()));
    played.ended().await;
}

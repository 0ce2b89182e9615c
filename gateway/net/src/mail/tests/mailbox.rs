//! Reading a mailbox where something breaks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::mailbox::{Account, Cursor, Mailbox, PAUSE_MAX, Protocol, Raw, Read};
use super::{Played, password};

fn account(played: &Played, protocol: Protocol) -> Account {
    Account {
        protocol,
        server: played.server.clone(),
        login: password(),
        delete: false,
        bytes_max: 1_000,
    }
}

fn mailbox(played: &Played, protocol: Protocol, cursor: Cursor) -> Mailbox {
    Mailbox::new(played.dialer.clone(), account(played, protocol), cursor)
}

/// Up to the list of two unread mails.
const LISTED: &str = "S: * OK ready
    C: a1 CAPABILITY
    S: * CAPABILITY AUTH=PLAIN
    S: a1 OK
    C: a2 AUTHENTICATE PLAIN
    S: + 
    C: AGFuYQBzZWdyZWRv
    S: a2 OK
    C: a3 CAPABILITY
    S: a3 OK
    C: a4 SELECT \"INBOX\"
    S: * 2 EXISTS
    S: * OK [UIDVALIDITY 5] ok
    S: * OK [UIDNEXT 9] ok
    S: a4 OK
    C: a5 UID SEARCH UID 1:* UNSEEN UNDELETED SINCE 31-Dec-1969
    S: * SEARCH 7 8
    S: a5 OK
    C: a6 UID FETCH 7,8 (UID RFC822.SIZE INTERNALDATE)
    S: * 1 FETCH (UID 7 RFC822.SIZE 10)
    S: * 2 FETCH (UID 8 RFC822.SIZE 5000)
    S: a6 OK
";

#[tokio::test]
async fn a_mail_at_which_the_connection_breaks_is_left_behind_after_three_attempts() {
    let broken = format!("{LISTED}C: a7 UID FETCH 7 (UID BODY.PEEK[])\n");
    let as_head = format!("{LISTED}C: a7 UID FETCH 7 (UID BODY.PEEK[HEADER])\n");
    let last = format!(
        "{LISTED}C: a7 UID STORE 7 +FLAGS.SILENT (\\Seen)
         S: a7 OK
         C: a8 UID FETCH 8 (UID BODY.PEEK[HEADER])
         S: * 2 FETCH (UID 8 BODY[HEADER] {{13}}
         S: Subject: oi
         S: )
         S: a8 OK"
    );
    let script = [broken.as_str(), &broken, &as_head, &last].join("---\n");
    let played = Played::new(Box::leak(script.into_boxed_str())).await;
    let mut mailbox = mailbox(&played, Protocol::Imap, Cursor::since(0));
    let known = BTreeSet::new();
    let mut pauses = vec![];
    for _ in 0..3 {
        let listing = mailbox.list(&known).await.expect("a list");
        let first = listing.letters.first().expect("two are unread");
        mailbox.fetch(first).await.expect_err("it breaks");
        pauses.push(mailbox.pause(1.0));
    }
    assert_eq!(
        pauses,
        [Duration::from_secs(5); 3],
        "the connection itself is good"
    );
    let letters = mailbox.list(&known).await.expect("a list").letters;
    let [first, second] = letters.as_slice() else {
        panic!("{letters:?}");
    };
    let raw = mailbox.fetch(first).await.expect("given up");
    assert!(matches!(raw, Raw::Unreadable(_)), "{raw:?}");
    mailbox.done(first).await.expect("marked");
    let read = Read {
        validity: 5,
        last: 7,
        renumbered: 0,
    };
    assert_eq!(
        mailbox.cursor(),
        Cursor {
            since_ms: 0,
            read: Some(read)
        }
    );
    // The one behind it comes: its head, for it is larger than is wanted.
    let raw = mailbox.fetch(second).await.expect("a head");
    assert_eq!(raw, Raw::Head(b"Subject: oi\r\n".to_vec()));
    played.ended().await;
}

#[tokio::test]
async fn a_folder_that_numbers_its_mails_anew_is_read_from_its_first_with_their_own_ids() {
    let played = Played::new(
        "S: * OK ready
         C: a1 CAPABILITY
         S: * CAPABILITY AUTH=PLAIN
         S: a1 OK
         C: a2 AUTHENTICATE PLAIN
         S: + 
         C: AGFuYQBzZWdyZWRv
         S: a2 OK
         C: a3 CAPABILITY
         S: a3 OK
         C: a4 SELECT \"INBOX\"
         S: * 2 EXISTS
         S: * OK [UIDVALIDITY 6] ok
         S: * OK [UIDNEXT 3] ok
         S: a4 OK
         C: a5 UID SEARCH UID 1:* UNSEEN UNDELETED SINCE 31-Dec-1969
         S: * SEARCH 1 2
         S: a5 OK
         C: a6 UID FETCH 1,2 (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])
         S: * 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE \"01-Jan-1970 00:00:00 +0100\")
         S: * 2 FETCH (UID 2 RFC822.SIZE 10 BODY[HEADER.FIELDS (MESSAGE-ID)] {28}
         S: Message-ID: <um@example>
         S: 
         S: )
         S: a6 OK",
    )
    .await;
    let old = Read {
        validity: 5,
        last: 400,
        renumbered: 0,
    };
    let cursor = Cursor {
        since_ms: 0,
        read: Some(old),
    };
    let mut mailbox = mailbox(&played, Protocol::Imap, cursor);
    let letters = mailbox
        .list(&BTreeSet::new())
        .await
        .expect("a list")
        .letters;
    let [letter] = letters.as_slice() else {
        panic!("the first is from before the channel was: {letters:?}");
    };
    assert_eq!(
        (letter.key.as_str(), letter.message_id.as_deref()),
        ("6.2", Some("um@example"))
    );
    let read = Read {
        validity: 6,
        last: 2,
        renumbered: 2,
    };
    assert_eq!(
        letter.cursor,
        Cursor {
            since_ms: 0,
            read: Some(read)
        }
    );
    played.ended().await;
}

#[tokio::test]
async fn who_is_refused_does_not_insist() {
    let played = Played::new("S: +OK\nC: CAPA\nS: -ERR\nC: USER ana\nS: -ERR [AUTH] no\n").await;
    let mut mailbox = mailbox(&played, Protocol::Pop3, Cursor::since(0));
    mailbox.list(&BTreeSet::new()).await.expect_err("refused");
    assert_eq!(mailbox.pause(1.0), PAUSE_MAX);
    assert_eq!(mailbox.pause(0.0), PAUSE_MAX / 2);
    played.ended().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_less_and_less() {
    let played = Played::new("").await;
    let mut mailbox = mailbox(&played, Protocol::Imap, Cursor::since(0));
    played.script.abort(); // Nobody listens there any more.
    let mut pauses = vec![];
    for _ in 0..9 {
        mailbox
            .list(&BTreeSet::new())
            .await
            .expect_err("nobody is there");
        pauses.push(mailbox.pause(1.0).as_secs());
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
}

#[tokio::test]
async fn of_an_old_maildrop_only_what_came_since_then_is_read() {
    let played = Played::new(
        "S: +OK
         C: CAPA
         S: -ERR
         C: USER ana
         S: +OK
         C: PASS segredo
         S: +OK
         C: LIST
         S: +OK
         S: 1 10
         S: 2 10
         S: 3 10
         S: 4 10
         S: .
         C: UIDL
         S: +OK
         S: 1 a
         S: 2 b
         S: 3 c
         S: 4 d
         S: .
         C: TOP 4 0
         S: +OK
         S: Received: from a by b;
         S:  Mon, 2 Mar 2026 10:00:00 -0300 (BRT)
         S: Date: Thu, 1 Jan 1970 00:00:00 +0000
         S: .
         C: TOP 2 0
         S: +OK
         S: received: from a by b; Sun, 1 Mar 2026 10:00:00 -0300
         S: .",
    )
    .await;
    let since: jiff::Timestamp = "2026-03-02T00:00:00Z".parse().expect("a time");
    let cursor = Cursor::since(since.as_millisecond());
    let mut mailbox = mailbox(&played, Protocol::Pop3, cursor);
    assert_eq!(
        mailbox.keys().await,
        Ok(["a", "b", "c", "d"].map(str::to_owned).to_vec())
    );
    let known = BTreeSet::from(["c".to_owned()]);
    let listing = mailbox.list(&known).await.expect("a list");
    let keys: Vec<&str> = listing
        .letters
        .iter()
        .map(|letter| letter.key.as_str())
        .collect();
    assert_eq!(keys, ["d"]);
    assert_eq!(listing.before, ["a", "b"]);
    played.ended().await;
}

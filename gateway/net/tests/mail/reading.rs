//! Mailboxes of Dovecot, read mail by mail.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gateway_net::mail::imap::Imap;
use gateway_net::mail::mailbox::{Cursor, Mailbox, Protocol, Raw};
use gateway_net::mail::{Journal, Security};

use super::cast::{account, letters, mail, mailbox, mailbox_at, send_to_ana};
use super::house::{House, ana};

/// Nothing is known.
const NONE: BTreeSet<String> = BTreeSet::new();

#[tokio::test]
async fn only_what_nobody_has_read_is_taken_and_that_once() {
    let Some(house) = House::start() else { return };
    for name in ["um", "dois", "tres"] {
        send_to_ana(&house, name, name).await;
    }
    let mut reader = mailbox(&house, Protocol::Imap);
    let found = letters(&house, &mut reader, &NONE, 3).await;
    // A person reads one of them in another program.
    let login = ana();
    let (server, mut journal) = (house.imap(Security::Tls), Journal::default());
    let mut person = Imap::open(&house.dialer(), &server, &login, &mut journal)
        .await
        .expect("known");
    person.select("INBOX").await.expect("a folder");
    person.mark_seen(2).await.expect("marked");
    let keys: Vec<&str> = found.iter().map(|letter| letter.key.as_str()).collect();
    let left = letters(&house, &mut reader, &NONE, 2).await;
    let left_keys: Vec<&str> = left.iter().map(|letter| letter.key.as_str()).collect();
    assert_eq!(left_keys, [keys[0], keys[2]]);
    for letter in &left {
        mail(&mut reader, letter).await;
        reader.done(letter).await.expect("marked");
    }
    letters(&house, &mut reader, &NONE, 0).await;
    // For another program they are read now.
    let mut another = mailbox(&house, Protocol::Imap);
    letters(&house, &mut another, &NONE, 0).await;
}

#[tokio::test]
async fn a_crash_before_it_is_stored_leaves_a_mail_and_one_after_it_does_not_bring_it_back() {
    let Some(house) = House::start() else { return };
    send_to_ana(&house, "um", "um").await;
    send_to_ana(&house, "dois", "dois").await;
    let mut reader = mailbox(&house, Protocol::Imap);
    let found = letters(&house, &mut reader, &NONE, 2).await;
    let first = found.first().expect("two").clone();
    mail(&mut reader, &first).await;
    drop(reader); // Before it was stored.
    let mut reader = mailbox(&house, Protocol::Imap);
    let again = letters(&house, &mut reader, &NONE, 2).await;
    assert_eq!(again.first().map(|letter| &letter.key), Some(&first.key));
    mail(&mut reader, &first).await;
    let stored = first.cursor; // With the mail, and then the process ends.
    drop(reader);
    let mut reader = mailbox_at(&house, Protocol::Imap, stored);
    let left = letters(&house, &mut reader, &NONE, 1).await;
    let arrived = mail(&mut reader, left.first().expect("one")).await;
    assert_eq!(arrived.message_id.as_deref(), Some("dois@loja.example"));
}

#[tokio::test]
async fn a_mail_that_comes_while_we_wait_wakes_us() {
    let Some(house) = House::start() else { return };
    let mut reader = mailbox(&house, Protocol::Imap);
    letters(&house, &mut reader, &NONE, 0).await;
    let begun = Instant::now();
    let waited = async { reader.wait(Duration::from_secs(60)).await.expect("woken") };
    tokio::join!(waited, send_to_ana(&house, "um", "um"));
    assert!(
        begun.elapsed() < Duration::from_secs(50),
        "told, not looked for"
    );
    letters(&house, &mut reader, &NONE, 1).await;
}

#[tokio::test]
async fn by_pop3_what_is_known_is_not_read_again_and_may_be_deleted() {
    let Some(house) = House::start() else { return };
    for name in ["um", "dois"] {
        send_to_ana(&house, name, name).await;
    }
    let mut reader = mailbox(&house, Protocol::Pop3);
    let found = letters(&house, &mut reader, &NONE, 2).await;
    let first = found.first().expect("two");
    mail(&mut reader, first).await;
    reader.done(first).await.expect("marked");
    let known = BTreeSet::from([first.key.clone()]);
    let left = letters(&house, &mut reader, &known, 1).await;
    assert_ne!(left.first().map(|letter| &letter.key), Some(&first.key));
    reader.close().await;
    // A maildrop that is emptied.
    let mut account = account(&house, Protocol::Pop3, Security::StartTls);
    account.delete = true;
    let mut reader = Mailbox::new(house.dialer(), account, Cursor::since(0));
    for letter in letters(&house, &mut reader, &NONE, 2).await {
        mail(&mut reader, &letter).await;
        reader.done(&letter).await.expect("marked");
    }
    reader.close().await;
    letters(&house, &mut mailbox(&house, Protocol::Imap), &NONE, 0).await;
}

#[tokio::test]
async fn what_came_before_the_channel_was_is_left_alone() {
    let Some(house) = House::start() else { return };
    send_to_ana(&house, "um", "um").await;
    letters(&house, &mut mailbox(&house, Protocol::Imap), &NONE, 1).await;
    // Servers mark the time in seconds, and this machine has one clock.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let since = jiff::Timestamp::now().as_millisecond() - 1_000;
    send_to_ana(&house, "dois", "dois").await;
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let mut reader = mailbox_at(&house, protocol, Cursor::since(since));
        let found = letters(&house, &mut reader, &NONE, 1).await;
        let arrived = mail(&mut reader, found.first().expect("one")).await;
        assert_eq!(
            arrived.message_id.as_deref(),
            Some("dois@loja.example"),
            "{protocol}"
        );
        reader.close().await;
    }
}

#[tokio::test]
async fn of_a_mail_that_is_too_large_the_head_is_taken() {
    let Some(house) = House::start() else { return };
    send_to_ana(&house, "um", "Assunto").await;
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let mut account = account(&house, protocol, Security::StartTls);
        account.bytes_max = 300;
        let mut reader = Mailbox::new(house.dialer(), account, Cursor::since(0));
        let found = letters(&house, &mut reader, &NONE, 1).await;
        let raw = reader
            .fetch(found.first().expect("one"))
            .await
            .expect("a head");
        let Raw::Head(head) = raw else {
            panic!("{protocol}: {raw:?}");
        };
        let head = channels::email::read_head(&head).expect("a head");
        assert_eq!((head.subject.as_str(), head.text.as_str()), ("Assunto", ""));
        reader.close().await;
    }
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again_where_it_was_left() {
    let Some(mut house) = House::start() else {
        return;
    };
    send_to_ana(&house, "um", "um").await;
    let mut reader = mailbox(&house, Protocol::Imap);
    let found = letters(&house, &mut reader, &NONE, 1).await;
    let first = found.first().expect("one");
    mail(&mut reader, first).await;
    reader.done(first).await.expect("marked");
    house.stop_dovecot();
    reader.list(&NONE).await.expect_err("nobody is there");
    reader.list(&NONE).await.expect_err("nobody is there");
    assert_eq!(reader.pause(1.0), Duration::from_secs(10));
    house.start_dovecot();
    send_to_ana(&house, "dois", "dois").await;
    let found = letters(&house, &mut reader, &NONE, 1).await;
    let arrived = mail(&mut reader, found.first().expect("one")).await;
    assert_eq!(arrived.message_id.as_deref(), Some("dois@loja.example"));
}

#[tokio::test]
async fn a_mailbox_that_was_numbered_anew_is_read_on_by_the_ids_of_its_mails() {
    let Some(mut house) = House::start() else {
        return;
    };
    send_to_ana(&house, "um", "um").await;
    send_to_ana(&house, "dois", "dois").await;
    let mut reader = mailbox(&house, Protocol::Imap);
    let found = letters(&house, &mut reader, &NONE, 2).await;
    // The first is stored, and its mark is lost with the numbers.
    let stored = found.first().expect("two").cursor;
    drop(reader);
    // Numbers begin with the second of the day in which they were given.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    house.forget_numbers();
    let mut reader = mailbox_at(&house, Protocol::Imap, stored);
    let found = letters(&house, &mut reader, &NONE, 2).await;
    let mut ids: Vec<&str> = found
        .iter()
        .filter_map(|letter| letter.message_id.as_deref())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["dois@loja.example", "um@loja.example"]);
    for letter in &found {
        // Whoever knows the id marks the mail without reading it.
        reader.done(letter).await.expect("marked");
    }
    send_to_ana(&house, "tres", "tres").await;
    let found = letters(&house, &mut reader, &NONE, 1).await;
    assert_eq!(
        found.first().and_then(|letter| letter.message_id.clone()),
        None
    );
}

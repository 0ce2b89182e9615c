//! SMTP by the line.

use channels::failure::{Advice, Failure, FailureClass};

use super::super::error::{Cause, Step};
use super::super::smtp::{Parcel, Smtp, Taken, send};
use super::super::{Journal, Login};
use super::{Played, password, token};

fn parcel<'a>(to: &'a [String], bytes: &'a [u8]) -> Parcel<'a> {
    Parcel {
        from: Some("sac@loja.example"),
        own: "sac@loja.example",
        to,
        bytes,
    }
}

fn to(addresses: &[&str]) -> Vec<String> {
    addresses
        .iter()
        .map(|address| (*address).to_owned())
        .collect()
}

async fn sent(
    script: &'static str,
    login: Option<&Login>,
    parcel: &Parcel<'_>,
) -> Result<Taken, Failure> {
    let played = Played::new(script).await;
    let sent = send(&played.dialer, &played.server, login, parcel).await;
    played.ended().await;
    sent
}

#[tokio::test]
async fn a_mail_goes_out_line_by_line_and_its_dots_stay() {
    let to = to(&["cliente@example.com"]);
    let mail = b"Subject: oi\n\n.\n..\nlone \r end\r\n.x";
    let taken = sent(
        "S: 220 mail.loja.example ESMTP
         C: EHLO [127.0.0.1]
         S: 250-mail.loja.example
         S: 250-SIZE 35882577
         S: 250-AUTH LOGIN PLAIN
         S: 250 8BITMIME
         C: AUTH PLAIN AGFuYQBzZWdyZWRv
         S: 235 2.7.0 accepted
         C: MAIL FROM:<sac@loja.example> SIZE=32
         S: 250 2.1.0 ok
         C: RCPT TO:<cliente@example.com>
         S: 250 2.1.5 ok
         C: DATA
         S: 354 go on
         C: Subject: oi
         C: 
         C: ..
         C: ...
         C: lone 
         C:  end
         C: ..x
         C: .
         S: 250 2.0.0 queued as 4F2
         C: QUIT",
        Some(&password()),
        &parcel(&to, mail),
    )
    .await;
    let taken = taken.expect("taken");
    assert_eq!(
        (taken.text.as_str(), taken.refused.len()),
        ("queued as 4F2", 0)
    );
}

#[tokio::test]
async fn who_is_refused_is_told_apart_and_the_others_get_the_mail() {
    let to = to(&["a@example.com", "b@example.com"]);
    let taken = sent(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 hi
         C: MAIL FROM:<sac@loja.example>
         S: 250 ok
         C: RCPT TO:<a@example.com>
         S: 550 5.1.1 no such user
         C: RCPT TO:<b@example.com>
         S: 250 ok
         C: DATA
         S: 354 go on
         C: x
         C: .
         S: 250 ok
         C: QUIT",
        None,
        &parcel(&to, b"x"),
    )
    .await
    .expect("taken");
    let refused = taken.refused.first().expect("one is refused");
    assert_eq!(refused.address, "a@example.com");
    assert_eq!(refused.failure.class, FailureClass::Permanent);
    assert_eq!(refused.failure.advice, Advice::AddressUnknown);
}

#[tokio::test]
async fn a_mail_that_nobody_may_have_is_not_sent() {
    let to = to(&["a@example.com"]);
    let failure = sent(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 hi
         C: MAIL FROM:<sac@loja.example>
         S: 250 ok
         C: RCPT TO:<a@example.com>
         S: 450 4.7.1 greylisted",
        None,
        &parcel(&to, b"x"),
    )
    .await
    .expect_err("refused");
    assert_eq!(failure.class, FailureClass::Retry);
    assert_eq!(failure.retry_after_ms, Some(300_000));
}

#[tokio::test]
async fn a_connection_lost_before_the_last_line_is_tried_again_and_one_lost_after_it_never() {
    const BEGUN: &str = "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 hi
         C: MAIL FROM:<sac@loja.example>
         S: 250 ok
         C: RCPT TO:<a@example.com>
         S: 250 ok
         C: DATA
         ";
    const WHOLE: &str = "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 hi
         C: MAIL FROM:<sac@loja.example>
         S: 250 ok
         C: RCPT TO:<a@example.com>
         S: 250 ok
         C: DATA
         S: 354 go on
         C: x
         C: .
         ";
    let to = to(&["a@example.com"]);
    let parcel = parcel(&to, b"x");
    let before = sent(BEGUN, None, &parcel).await.expect_err("lost");
    assert_eq!(before.class, FailureClass::Retry);
    let after = sent(WHOLE, None, &parcel).await.expect_err("lost");
    assert_eq!(after.class, FailureClass::Uncertain);
}

#[tokio::test]
async fn a_no_to_the_mail_itself_is_a_no() {
    let to = to(&["a@example.com"]);
    let failure = sent(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 hi
         C: MAIL FROM:<sac@loja.example>
         S: 250 ok
         C: RCPT TO:<a@example.com>
         S: 250 ok
         C: DATA
         S: 354 go on
         C: x
         C: .
         S: 554 5.7.1 looks like spam",
        None,
        &parcel(&to, b"x"),
    )
    .await
    .expect_err("refused");
    assert_eq!(failure.class, FailureClass::Permanent);
    assert_eq!(failure.advice, Advice::ContentRefused);
}

#[tokio::test]
async fn an_automatic_answer_leaves_without_a_return_path_and_with_ours_where_that_is_refused() {
    let to = to(&["a@example.com"]);
    let parcel = Parcel {
        from: None,
        ..parcel(&to, b"x")
    };
    sent(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 hi
         C: MAIL FROM:<>
         S: 550 5.7.1 we want to know who you are
         C: RSET
         S: 250 ok
         C: MAIL FROM:<sac@loja.example>
         S: 250 ok
         C: RCPT TO:<a@example.com>
         S: 250 ok
         C: DATA
         S: 354 go on
         C: x
         C: .
         S: 250 ok
         C: QUIT",
        None,
        &parcel,
    )
    .await
    .expect("taken");
}

#[tokio::test]
async fn a_mail_larger_than_the_server_takes_is_not_sent_to_be_refused() {
    let to = to(&["a@example.com"]);
    let failure = sent(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250-hi
         S: 250 SIZE 3",
        None,
        &parcel(&to, b"four"),
    )
    .await
    .expect_err("too large");
    assert_eq!(
        (failure.class, failure.advice),
        (FailureClass::Permanent, Advice::File)
    );
}

#[tokio::test]
async fn an_address_is_never_more_than_an_address() {
    for address in [
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example> SIZE=1",
        "a b@c.example",
        "",
    ] {
        let to = to(&[address]);
        let failure = sent(
            "S: 220 hi
             C: EHLO [127.0.0.1]
             S: 250 hi
             C: MAIL FROM:<sac@loja.example>
             S: 250 ok",
            None,
            &parcel(&to, b"x"),
        )
        .await
        .expect_err("no address");
        assert_eq!(failure.advice, Advice::OurMistake, "{address:?}");
    }
}

#[tokio::test]
async fn the_reason_why_a_token_is_refused_is_heard_out() {
    let played = Played::new(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250-hi
         S: 250 AUTH XOAUTH2
         C: AUTH XOAUTH2 dXNlcj1hQGIuYwFhdXRoPUJlYXJlciBUAQE=
         S: 334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
         C: 
         S: 535-5.7.8 Username and Password not accepted
         S: 535 5.7.8 learn more",
    )
    .await;
    let login = token();
    let mut journal = Journal::default();
    let opened = Smtp::open(&played.dialer, &played.server, Some(&login), &mut journal).await;
    let error = opened.err().expect("refused");
    assert_eq!(error.step, Step::Login);
    assert!(
        error
            .to_string()
            .ends_with("learn more status 400 scope mail"),
        "{error}"
    );
    let failure = super::super::smtp::failure(&error, true);
    assert_eq!(failure.class, FailureClass::RetryWithNewToken);
    played.ended().await;
}

#[tokio::test]
async fn a_long_token_goes_on_a_line_of_its_own_and_old_servers_are_told_one_after_the_other() {
    let mut long = token();
    long.credential = super::Credential::Token(channels::secret::Secret::new("T".repeat(400)));
    let played = Played::new(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250-hi
         S: 250 AUTH XOAUTH2
         C: AUTH XOAUTH2
         S: 334 
         C: dXNlcj1hQGIuYwFhdXRoPUJlYXJlciBUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUAQE=
         S: 235 ok
         ---
         S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250-hi
         S: 250 AUTH=LOGIN
         C: AUTH LOGIN
         S: 334 VXNlcm5hbWU6
         C: YW5h
         S: 334 UGFzc3dvcmQ6
         C: c2VncmVkbw==
         S: 235 ok",
    )
    .await;
    let mut journal = Journal::default();
    for login in [long, password()] {
        Smtp::open(&played.dialer, &played.server, Some(&login), &mut journal)
            .await
            .map(drop)
            .expect("known");
    }
    played.ended().await;
}

#[tokio::test]
async fn what_is_said_before_tls_is_not_taken_for_what_is_said_within_it() {
    let played = Played::new(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250-hi
         S: 250 STARTTLS
         C: STARTTLS
         S: 220 go on
         S: 235 you are known",
    )
    .await
    .by_start_tls();
    let mut journal = Journal::default();
    let opened = Smtp::open(&played.dialer, &played.server, None, &mut journal).await;
    let error = opened.err().expect("no TLS");
    assert_eq!(error.step, Step::Tls);
    assert!(matches!(error.cause, Cause::Misbehaved(_)), "{error}");
    played.ended().await;
}

#[tokio::test]
async fn without_start_tls_nothing_is_said_to_a_server_that_was_to_offer_it() {
    let played = Played::new(
        "S: 220 hi
         C: EHLO [127.0.0.1]
         S: 250 AUTH PLAIN",
    )
    .await
    .by_start_tls();
    let login = password();
    let mut journal = Journal::default();
    let opened = Smtp::open(&played.dialer, &played.server, Some(&login), &mut journal).await;
    assert_eq!(opened.err(), Some(Cause::NoStartTls.at(Step::Tls)));
    played.ended().await;
}

#[tokio::test]
async fn a_server_that_is_none_or_says_too_much_is_left() {
    for (script, is_large) in [
        ("S: HTTP/1.1 400 Bad Request", false),
        ("S: * OK IMAP4rev1", false),
        ("S: 220-and\nS: 220-so\nS: 22", false),
    ] {
        let played = Played::new(script).await;
        let mut journal = Journal::default();
        let opened = Smtp::open(&played.dialer, &played.server, None, &mut journal).await;
        let error = opened.err().expect("no server of SMTP");
        assert_eq!(
            matches!(error.cause, Cause::TooLarge(_)),
            is_large,
            "{script}: {error}"
        );
        played.ended().await;
    }
    let endless: &'static str = Box::leak("S: 220-on and on\n".repeat(200).into_boxed_str());
    let played = Played::new(endless).await;
    let mut journal = Journal::default();
    let opened = Smtp::open(&played.dialer, &played.server, None, &mut journal).await;
    let error = opened.err().expect("too many lines");
    assert!(matches!(error.cause, Cause::TooLarge(_)), "{error}");
}

//! Mails that Exim takes, or does not.

use std::collections::BTreeSet;

use channels::email::compose::Enclosed;
use channels::failure::{Advice, FailureClass};
use channels::secret::Secret;
use gateway_net::mail::imap::Imap;
use gateway_net::mail::mailbox::Protocol;
use gateway_net::mail::{Credential, Journal, Login, Security};

use super::cast::{automatic, draft, hand_over, letters, made, mail, mailbox, send_to_ana};
use super::house::{ANA, House, TOKEN, ana};

#[tokio::test]
async fn what_is_sent_arrives_as_it_was_sent() {
    let Some(house) = House::start() else { return };
    let sent = send_to_ana(&house, "um", "Pedido nº 7 — orçamento").await;
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let mut mailbox = mailbox(&house, protocol);
        let found = letters(&house, &mut mailbox, &BTreeSet::new(), 1).await;
        let letter = found.first().expect("one");
        let arrived = mail(&mut mailbox, letter).await;
        let expected = channels::email::read(&sent.bytes).expect("a mail");
        assert_eq!(arrived.message_id.as_deref(), Some("um@loja.example"));
        assert_eq!(arrived.subject, "Pedido nº 7 — orçamento");
        assert_eq!(arrived.text, expected.text, "{protocol}");
        assert!(arrived.text.contains("\n.\n..fim"), "{}", arrived.text);
        assert_eq!(arrived.html, expected.html);
        assert_eq!(arrived.protocol.as_deref(), Some("20261122000123"));
        mailbox.close().await;
    }
}

#[tokio::test]
async fn every_way_in_that_a_server_offers_is_taken() {
    let Some(house) = House::start() else { return };
    let token = Login {
        user: ANA.to_owned(),
        credential: Credential::Token(Secret::new(TOKEN)),
    };
    let mail = made(&draft(ANA, "oi", "oi"), "um", &[]);
    for (security, login) in [
        (Security::Tls, ana()),
        (Security::StartTls, ana()),
        (Security::StartTls, token),
    ] {
        let taken = hand_over(&house, &house.smtp(security), Some(&login), &mail).await;
        let taken = taken.unwrap_or_else(|failure| panic!("{failure:?}\n{}", house.logs()));
        assert!(taken.text.starts_with("OK id="), "{}", taken.text);
    }
}

#[tokio::test]
async fn a_no_says_what_follows_from_it() {
    let Some(house) = House::start() else { return };
    let by_tls = house.smtp(Security::Tls);
    let wrong = Login {
        user: ANA.to_owned(),
        credential: Credential::Password(Secret::new("errada")),
    };
    let old = Login {
        user: ANA.to_owned(),
        credential: Credential::Token(Secret::new("the-first-token")),
    };
    let mut stranger = draft(ANA, "oi", "oi");
    stranger.from = super::cast::address("ana@outra.example");
    let large = Enclosed {
        name: "grande.bin".to_owned(),
        mime: "application/octet-stream".to_owned(),
        bytes: vec![7; 1_000_000],
    };
    let good = ana();
    use FailureClass::{ChannelBroken, Permanent, Retry, RetryWithNewToken};
    for (mail, login, class, advice) in [
        (
            made(&draft("ninguem@loja.example", "oi", "oi"), "a", &[]),
            Some(&good),
            Permanent,
            Advice::AddressUnknown,
        ),
        (
            made(&draft("depois@loja.example", "oi", "oi"), "b", &[]),
            Some(&good),
            Retry,
            Advice::ProviderAway,
        ),
        (
            made(&draft(ANA, "spam", "oi"), "c", &[]),
            Some(&good),
            Permanent,
            Advice::ContentRefused,
        ),
        (
            made(&stranger, "d", &[]),
            Some(&good),
            ChannelBroken,
            Advice::SenderRefused,
        ),
        (
            made(&draft(ANA, "oi", "oi"), "e", &[large]),
            Some(&good),
            Permanent,
            Advice::File,
        ),
        (
            made(&draft(ANA, "oi", "oi"), "f", &[]),
            Some(&wrong),
            ChannelBroken,
            Advice::LoginRefused,
        ),
        (
            made(&draft(ANA, "oi", "oi"), "g", &[]),
            Some(&old),
            RetryWithNewToken,
            Advice::TokenExpired,
        ),
        (
            made(&draft(ANA, "oi", "oi"), "h", &[]),
            None,
            ChannelBroken,
            Advice::Setup,
        ),
    ] {
        let failure = hand_over(&house, &by_tls, login, &mail)
            .await
            .expect_err("a no");
        assert_eq!(
            (failure.class, failure.advice),
            (class, advice),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn one_of_two_who_is_unknown_does_not_keep_the_mail_from_the_other() {
    let Some(house) = House::start() else { return };
    let mut to_both = draft(ANA, "aos dois", "oi");
    to_both.cc = vec![super::cast::address("ninguem@loja.example")];
    let mail = made(&to_both, "um", &[]);
    let login = ana();
    let taken = hand_over(&house, &house.smtp(Security::Tls), Some(&login), &mail).await;
    let taken = taken.expect("taken");
    let refused: Vec<&str> = taken
        .refused
        .iter()
        .map(|who| who.address.as_str())
        .collect();
    assert_eq!(refused, ["ninguem@loja.example"]);
    let mut mailbox = mailbox(&house, Protocol::Imap);
    letters(&house, &mut mailbox, &BTreeSet::new(), 1).await;
}

#[tokio::test]
async fn an_automatic_answer_arrives_without_a_way_back() {
    let Some(house) = House::start() else { return };
    let answer = made(&automatic(ANA), "um", &[]);
    assert_eq!(answer.envelope_from, None);
    let login = ana();
    hand_over(&house, &house.smtp(Security::Tls), Some(&login), &answer)
        .await
        .expect("taken");
    let mut mailbox = mailbox(&house, Protocol::Imap);
    let found = letters(&house, &mut mailbox, &BTreeSet::new(), 1).await;
    let arrived = mail(&mut mailbox, found.first().expect("one")).await;
    assert_eq!(arrived.return_path.as_deref(), Some(""));
    assert!(!arrived.marks.is_empty(), "it is known to be automatic");
}

#[tokio::test]
async fn a_copy_lies_with_what_was_sent() {
    let Some(house) = House::start() else { return };
    let mail = made(
        &draft("cliente@example.com", "resposta", "pronto"),
        "um",
        &[],
    );
    let login = ana();
    let mut journal = Journal::default();
    let server = house.imap(Security::Tls);
    let mut imap = Imap::open(&house.dialer(), &server, &login, &mut journal)
        .await
        .expect("known");
    let folder = imap.sent_folder().await.expect("a list").expect("a folder");
    assert_eq!(folder, "Enviados");
    imap.append(&folder, &mail.bytes).await.expect("kept");
    let folder = imap.select(&folder).await.expect("a folder");
    assert_eq!(folder.exists, 1);
    let unread = gateway_net::mail::imap::Unread {
        from: 1,
        since: None,
    };
    assert_eq!(
        imap.unread(unread).await,
        Ok(vec![]),
        "it is ours: it counts as read"
    );
}

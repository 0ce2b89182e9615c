//! What happens in the tests: mails that are made, sent, waited for and read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use channels::email::compose::{Automatic, Composed, Draft, Enclosed, Stamp, compose};
use channels::email::document::Document;
use channels::email::{Address, Mail};
use channels::failure::Failure;
use gateway_net::mail::mailbox::{Account, Cursor, Letter, Mailbox, Protocol, Raw};
use gateway_net::mail::smtp::{self, Parcel, Taken};
use gateway_net::mail::{Login, Security, Server};

use super::house::{ANA, House, ana};

/// A mail from Ana to `to`, that says `text` about `subject`.
pub(crate) fn draft(to: &str, subject: &str, text: &str) -> Draft {
    Draft {
        from: address(ANA),
        reply_to: None,
        to: vec![address(to)],
        cc: vec![],
        bcc: vec![],
        subject: subject.to_owned(),
        body: Document::from_text(text),
        signature: None,
        quoted: None,
        parent: None,
        protocol: Some("20261122000123".to_owned()),
        automatic: None,
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

/// The mail, made; its id is `name` at the shop.
pub(crate) fn made(draft: &Draft, name: &str, files: &[Enclosed]) -> Composed {
    let stamp = Stamp {
        message_id: format!("{name}@loja.example"),
        date_ms: 1_772_700_000_000,
    };
    compose(draft, &stamp, &BTreeMap::new(), files).expect("a mail")
}

/// Hands a mail to a server.
pub(crate) async fn hand_over(
    house: &House,
    server: &Server,
    login: Option<&Login>,
    mail: &Composed,
) -> Result<Taken, Failure> {
    let parcel = Parcel {
        from: mail.envelope_from.as_deref(),
        own: ANA,
        to: &mail.envelope_to,
        bytes: &mail.bytes,
    };
    smtp::send(&house.dialer(), server, login, &parcel).await
}

/// Sends Ana a mail.
pub(crate) async fn send_to_ana(house: &House, name: &str, subject: &str) -> Composed {
    let mail = made(&draft(ANA, subject, "Olá, tudo bem?\n.\n..fim"), name, &[]);
    let taken = hand_over(house, &house.smtp(Security::Tls), Some(&ana()), &mail).await;
    taken.unwrap_or_else(|failure| panic!("{failure:?}\n{}", house.logs()));
    mail
}

/// An automatic answer of Ana's.
pub(crate) fn automatic(to: &str) -> Draft {
    Draft {
        automatic: Some(Automatic::Replied),
        ..draft(to, "Recebemos sua mensagem", "Responderemos em breve.")
    }
}

pub(crate) fn account(house: &House, protocol: Protocol, security: Security) -> Account {
    Account {
        protocol,
        server: match protocol {
            Protocol::Imap => house.imap(security),
            Protocol::Pop3 => house.pop3(security),
        },
        login: ana(),
        delete: false,
        bytes_max: channels::email::MAIL_BYTES_MAX,
    }
}

/// A mailbox of which nothing was read.
pub(crate) fn mailbox(house: &House, protocol: Protocol) -> Mailbox {
    mailbox_at(house, protocol, Cursor::since(0))
}

pub(crate) fn mailbox_at(house: &House, protocol: Protocol, cursor: Cursor) -> Mailbox {
    let account = account(house, protocol, Security::Tls);
    Mailbox::new(house.dialer(), account, cursor)
}

/// Waits until `count` mails are listed, which are not `known`.
pub(crate) async fn letters(
    house: &House,
    mailbox: &mut Mailbox,
    known: &BTreeSet<String>,
    count: usize,
) -> Vec<Letter> {
    let begun = Instant::now();
    loop {
        let listed = mailbox.list(known).await;
        let listing = listed.unwrap_or_else(|error| panic!("{error}\n{}", house.logs()));
        if listing.letters.len() == count {
            return listing.letters;
        }
        let missing = format!("{:?}\n{}", listing.letters, house.logs());
        assert!(
            begun.elapsed() < PATIENCE,
            "{count} mails arrive: {missing}"
        );
        let step = Duration::from_millis(100);
        mailbox.wait(step).await.expect("a connection that lasts");
    }
}

/// A letter's mail.
pub(crate) async fn mail(mailbox: &mut Mailbox, letter: &Letter) -> Mail {
    let raw = mailbox.fetch(letter).await.expect("a mail");
    let Raw::Whole(bytes) = raw else {
        panic!("not whole: {raw:?}");
    };
    channels::email::read(&bytes).expect("a mail")
}

/// Dovecot has a mail within a second; a machine that also compiles needs more.
const PATIENCE: Duration = Duration::from_secs(30);

//! Mails made to exhaust whoever reads them. Each is read, refused or cut, quickly and within bounds.

use crate::email::{Kind, MAIL_BYTES_MAX, Mail, Note, Unreadable, read, read_head};

fn mail(head: &str, body: &str) -> Vec<u8> {
    format!("From: a@example.com\r\nTo: sac@loja.example\r\n{head}\r\n\r\n{body}").into_bytes()
}

fn read_mail(raw: &[u8]) -> Mail {
    read(raw).expect("a mail")
}

#[test]
fn ten_thousand_multiparts_within_each_other_are_cut_at_a_depth() {
    let mut body = String::new();
    for depth in 1..10_000 {
        body.push_str(&format!(
            "--b{}\r\nContent-Type: multipart/mixed; boundary=b{depth}\r\n\r\n",
            depth - 1
        ));
    }
    let mail = read_mail(&mail("Content-Type: multipart/mixed; boundary=b0", &body));
    assert_eq!(mail.notes, [Note::TooDeep]);
    assert_eq!(mail.files.len(), 1, "the rest is one file");
}

#[test]
fn the_same_boundary_at_every_depth_costs_no_more() {
    let body = "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(50_000);
    let mail = read_mail(&mail("Content-Type: multipart/mixed; boundary=b", &body));
    assert!(mail.notes.contains(&Note::TooManyParts), "{:?}", mail.notes);
}

#[test]
fn fifty_thousand_files_are_cut_at_a_number() {
    let body = "--b\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n".repeat(50_000) + "--b--";
    let mail = read_mail(&mail("Content-Type: multipart/mixed; boundary=b", &body));
    assert_eq!(mail.notes, [Note::TooManyParts]);
    assert_eq!(mail.files.len(), 299);
}

#[test]
fn a_hundred_mails_in_mails_are_one_file() {
    let mut inner = "Subject: last\r\n\r\nx".to_owned();
    for depth in 0..100 {
        inner = format!("Subject: {depth}\r\nContent-Type: message/rfc822\r\n\r\n{inner}");
    }
    let mail = read_mail(&mail("Content-Type: message/rfc822", &inner));
    assert_eq!(mail.files.len(), 1);
    assert_eq!(mail.files[0].name.as_deref(), Some("99.eml"));
    assert_eq!(mail.text, "");
}

#[test]
fn a_mail_beyond_the_limit_is_refused_by_its_size_and_its_head_can_be_read() {
    let mut raw = mail("Subject: grande", "");
    raw.resize(MAIL_BYTES_MAX + 1, b'x');
    let error = read(&raw).expect_err("too large");
    assert_eq!(
        error,
        Unreadable::TooLarge {
            bytes: MAIL_BYTES_MAX + 1
        }
    );
    assert!(error.to_string().contains("37748737"), "{error}");
    let head = read_head(&raw[..200]).expect("a head");
    assert_eq!(
        (head.subject.as_str(), head.notes.as_slice()),
        ("grande", [Note::HeadOnly].as_slice())
    );
}

#[test]
fn a_head_without_end_is_refused() {
    let raw = mail(&format!("X-Long: {}", "x".repeat(300_000)), "oi");
    assert!(matches!(read(&raw), Err(Unreadable::HeadTooLong { bytes }) if bytes > 300_000));
    assert!(matches!(
        read_head(&raw),
        Err(Unreadable::HeadTooLong { .. })
    ));
}

#[test]
fn thousands_of_fields_addresses_and_ids_are_kept_to_a_number() {
    let head = format!(
        "Cc: {}\r\nReferences: {}\r\nSubject: {}",
        "x@example.com, ".repeat(10_000),
        (0..5_000)
            .map(|n| format!("<{n}@x>"))
            .collect::<Vec<_>>()
            .join("\r\n "),
        "a".repeat(10_000),
    );
    let mail = read_mail(&mail(&head, "oi"));
    assert_eq!(mail.cc.len(), 500);
    assert_eq!(mail.references.len(), 200);
    assert_eq!(mail.subject.len(), 998);
}

#[test]
fn a_text_longer_than_anybody_reads_is_cut_and_says_so() {
    let mail = read_mail(&mail(
        "Content-Type: text/plain",
        &"palavra ".repeat(500_000),
    ));
    assert_eq!(mail.notes, [Note::TextCut]);
    assert_eq!(mail.text.chars().count(), 300_000);
}

#[test]
fn tangled_html_is_left_out_and_its_words_are_kept() {
    let formatting: String = (0..20_000).map(|n| format!("<b a={n}>")).collect();
    let html = format!("<p>{formatting}{}", "</p><p>x".repeat(50_000));
    for html in [
        html,
        "<div>".repeat(300_000),
        "<table><td>".repeat(100_000),
        "<a href='".repeat(400_000),
    ] {
        let mail = read_mail(&mail(
            "Content-Type: text/html",
            &format!("<p>Oi</p>{html}"),
        ));
        assert!(mail.html.is_none());
        assert_eq!(mail.notes, [Note::HtmlLeftOut]);
        assert!(
            mail.text.starts_with("Oi"),
            "{}",
            &mail.text[..40.min(mail.text.len())]
        );
    }
}

#[test]
fn a_report_about_ten_thousand_recipients_is_cut() {
    let groups = "\r\n\r\nFinal-Recipient: rfc822;a@example.com\r\nAction: failed\r\nStatus: 5.1.1"
        .repeat(10_000);
    let body = format!(
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;x{groups}\r\n--b--"
    );
    let mail = read_mail(&mail(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        &body,
    ));
    let Kind::Bounce(bounce) = mail.kind else {
        panic!("{:?}", mail.kind)
    };
    assert_eq!(bounce.recipients.len(), 100);
}

#[test]
fn bytes_that_are_no_mail_are_refused() {
    for raw in [
        &b""[..],
        b"\r\n\r\n",
        b"oi",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[0xff; 5_000],
        b"From ",
        b"From x\n",
    ] {
        assert_eq!(
            read(raw),
            Err(Unreadable::NoHead),
            "{:?}",
            String::from_utf8_lossy(raw)
        );
    }
}

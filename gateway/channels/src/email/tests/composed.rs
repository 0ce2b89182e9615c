//! Mails of ours, made and read again.

use std::collections::BTreeMap;

use desk::explain::Language;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::connector::Refusal;
use crate::email::compose::{
    Automatic, Composed, Draft, Enclosed, FILES_BYTES_MAX, Parent, Quoted, Stamp, compose, forward,
    reply,
};
use crate::email::document::{Document, Image, Paragraph, Run};
use crate::email::thread::{Ours, is_own};
use crate::email::{Address, Mail, html, quote, read, token};
use crate::secret::Secret;

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn draft() -> Draft {
    Draft {
        from: address("sac@loja.example").named(Some("Loja São João".to_owned())),
        reply_to: None,
        to: vec![address("ana@example.com").named(Some("Ana, a cliente".to_owned()))],
        cc: vec![],
        bcc: vec![],
        subject: "Re: Pedido nº 123".to_owned(),
        body: Document::from_text("Olá, Ana.\n\nSegue o boleto."),
        signature: None,
        quoted: None,
        parent: None,
        protocol: None,
        automatic: None,
    }
}

fn stamp() -> Stamp {
    let secret = Secret::new("k");
    let token = token::token("c1", &secret).expect("a token");
    Stamp {
        message_id: token::message_id("m1", &token, "loja.example"),
        date_ms: 1_795_430_000_123,
    }
}

fn picture(name: &str) -> Enclosed {
    Enclosed {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        bytes: vec![0x89, b'P', b'N', b'G', 0, 13, 10, 255],
    }
}

fn made(
    draft: &Draft,
    pictures: &BTreeMap<String, Enclosed>,
    files: &[Enclosed],
) -> (Composed, Mail) {
    let composed = compose(draft, &stamp(), pictures, files).expect("a mail");
    let mail = read(&composed.bytes).expect("our own mail");
    (composed, mail)
}

/// RFC 5322 section 2.1.1 and RFC 5321 section 2.3.8: lines of 998 in ASCII, and no line end but CRLF.
fn assert_fit_for_every_server(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("ASCII");
    assert!(text.is_ascii());
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    assert!(text.split("\r\n").all(|line| line.len() <= 998));
}

#[test]
fn the_same_draft_under_the_same_stamp_is_the_same_mail() {
    let (first, _) = made(&draft(), &BTreeMap::new(), &[picture("a.png")]);
    let (second, _) = made(&draft(), &BTreeMap::new(), &[picture("a.png")]);
    assert_eq!(first, second);
}

#[test]
fn a_plain_answer_is_this_to_the_last_byte() {
    let mut draft = draft();
    draft.to = vec![address("ana@example.com")];
    draft.from = address("sac@loja.example");
    draft.subject = "Re: Pedido 123".to_owned();
    draft.body = Document::from_text("Ok.");
    draft.parent = Some(Parent {
        message_id: "2@x".to_owned(),
        references: vec!["1@x".to_owned()],
    });
    draft.protocol = Some("20261122000123".to_owned());
    let stamp = Stamp {
        message_id: "m1@loja.example".to_owned(),
        date_ms: 1_795_430_000_123,
    };
    let composed = compose(&draft, &stamp, &BTreeMap::new(), &[]).expect("a mail");
    let text = String::from_utf8(composed.bytes).expect("ASCII");
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a boundary")
        .to_owned();
    assert_eq!(boundary.len(), 26);
    let expected = "Date: Mon, 23 Nov 2026 10:33:20 +0000\n\
        From: <sac@loja.example>\n\
        Message-ID: <m1@loja.example>\n\
        To: <ana@example.com>\n\
        Subject: Re: Pedido 123\n\
        In-Reply-To: <2@x>\n\
        References: <1@x> <2@x>\n\
        X-Omni-Protocolo: 20261122000123\n\
        MIME-Version: 1.0\n\
        Content-Type: multipart/alternative; boundary=\"BOUNDARY\"\n\
        \n\
        --BOUNDARY\n\
        Content-Type: text/plain; charset=\"utf-8\"\n\
        Content-Transfer-Encoding: 7bit\n\
        \n\
        Ok.\n\
        \n\
        --BOUNDARY\n\
        Content-Type: text/html; charset=\"utf-8\"\n\
        Content-Transfer-Encoding: 7bit\n\
        \n\
        <!doctype html>\n\
        <html><head><meta charset=\"utf-8\"></head>\n\
        <body style=\"font-family:sans-serif;font-size:14px\">\n\
        <p style=\"margin:0 0 1em\">Ok.</p>\n\
        </body></html>\n\
        \n\
        --BOUNDARY--\n";
    assert_eq!(
        text.replace("\r\n", "\n").replace(&boundary, "BOUNDARY"),
        expected
    );
    assert_eq!(composed.envelope_from.as_deref(), Some("sac@loja.example"));
    assert_eq!(composed.envelope_to, ["ana@example.com"]);
}

#[test]
fn what_was_made_is_read_as_it_was_meant() {
    let mut draft = draft();
    draft.cc = vec![address("compras@exämple.com").named(Some("Compras \"X\"".to_owned()))];
    draft.bcc = vec![address("chefe@loja.example"), address("ANA@example.com")];
    draft.reply_to = Some(address("sac+t.1@loja.example"));
    let image = Image {
        media: "logo1".to_owned(),
        alt: "Loja".to_owned(),
        width: Some(80),
    };
    draft.signature = Some(Document {
        paragraphs: vec![Paragraph {
            runs: vec![Run::Image(image)],
            ..Paragraph::default()
        }],
    });
    let pictures = [("logo1".to_owned(), picture("logo.png"))].into();
    let long = "Relatório de cobrança com um nome que não cabe em uma linha e continua até aqui – versão final.pdf";
    let files = [
        Enclosed {
            name: long.to_owned(),
            mime: "application/pdf".to_owned(),
            bytes: b"%PDF\n\r\n".to_vec(),
        },
        Enclosed {
            name: "a.txt".to_owned(),
            mime: "text/plain".to_owned(),
            bytes: b"uma\nduas\r\n".to_vec(),
        },
        Enclosed {
            name: "original.eml".to_owned(),
            mime: "message/rfc822".to_owned(),
            bytes: b"Subject: x\n\ny".to_vec(),
        },
    ];
    let (composed, mail) = made(&draft, &pictures, &files);
    assert_fit_for_every_server(&composed.bytes);
    assert_eq!(
        composed.envelope_to,
        [
            "ana@example.com",
            "compras@xn--exmple-cua.com",
            "chefe@loja.example"
        ]
    );
    assert!(
        !String::from_utf8_lossy(&composed.bytes).contains("chefe@"),
        "nobody else learns of it"
    );
    assert_eq!(mail.from, [draft.from.clone()]);
    assert_eq!(mail.to, draft.to);
    assert_eq!(
        mail.cc[0].name.as_deref(),
        Some("Compras \"X"),
        "a quote at the end is taken for one of its own"
    );
    assert_eq!(mail.reply_to, [address("sac+t.1@loja.example")]);
    assert_eq!(mail.subject, "Re: Pedido nº 123");
    assert_eq!(mail.date_ms, Some(1_795_430_000_000));
    assert_eq!(mail.text, "Olá, Ana.\n\nSegue o boleto.\n\n-- \n[Loja]");
    assert_eq!(quote::split(&mail.text).signature, Some("-- \n[Loja]"));
    let html = mail.html.as_deref().expect("HTML");
    assert!(
        html.contains("<img src=\"cid:logo1@loja.example\" alt=\"Loja\" width=\"80\">"),
        "{html}"
    );
    let told: Vec<_> = mail
        .files
        .iter()
        .map(|file| {
            (
                file.name.clone().unwrap_or_default(),
                file.shown,
                file.bytes.clone(),
            )
        })
        .collect();
    assert_eq!(told[0], ("logo.png".to_owned(), true, picture("x").bytes));
    for (told, file) in told[1..].iter().zip(&files) {
        assert_eq!(*told, (file.name.clone(), false, file.bytes.clone()));
    }
    let secret = Secret::new("k");
    assert!(is_own(
        &mail,
        &Ours {
            addresses: &[],
            secret: &secret
        }
    ));
}

#[test]
fn no_line_gets_in_that_was_not_meant() {
    let evil = "x\r\nBcc: evil@example.net\r\n\r\n<script>";
    let mut draft = draft();
    draft.subject = evil.to_owned();
    draft.from.name = Some(evil.to_owned());
    draft.to[0].name = Some(evil.to_owned());
    let files = [Enclosed {
        name: evil.to_owned(),
        mime: "application/pdf".to_owned(),
        bytes: vec![1],
    }];
    let (composed, mail) = made(&draft, &BTreeMap::new(), &files);
    let text = String::from_utf8(composed.bytes).expect("ASCII");
    assert!(!text.to_lowercase().contains("\nbcc:"), "{text}");
    assert_eq!(mail.subject, "x Bcc: evil@example.net <script>");
    let refused = |change: &dyn Fn(&mut Draft)| {
        let mut draft = self::draft();
        change(&mut draft);
        compose(&draft, &stamp(), &BTreeMap::new(), &[]).expect_err("a refusal")
    };
    let bad = |text: &str| Address {
        name: None,
        address: text.to_owned(),
    };
    for address in [
        "a\r\nRCPT TO:<b@example.com>@example.com",
        "a@example.com\r\nDATA",
        "a b@example.com",
        "é@example.com",
        "",
        "a@",
        "a@b/c",
    ] {
        assert_eq!(
            refused(&|draft| draft.to = vec![bad(address)]),
            Refusal::Address,
            "{address:?}"
        );
        assert_eq!(
            refused(&|draft| draft.bcc = vec![bad(address)]),
            Refusal::Address,
            "{address:?}"
        );
        assert_eq!(
            refused(&|draft| draft.from = bad(address)),
            Refusal::Address,
            "{address:?}"
        );
    }
    let protocol = |text: &str| refused(&|draft| draft.protocol = Some(text.to_owned()));
    assert_eq!(
        protocol("1\r\nX: y"),
        Refusal::Invalid { field: "protocol" }
    );
    let bad_stamp = Stamp {
        message_id: "a@b>\r\nX: y".to_owned(),
        date_ms: 0,
    };
    let error = compose(&self::draft(), &bad_stamp, &BTreeMap::new(), &[]).expect_err("a refusal");
    assert_eq!(
        error,
        Refusal::Invalid {
            field: "message_id"
        }
    );
    let mime = [Enclosed {
        mime: "a/b\r\nX: y".to_owned(),
        ..picture("a.png")
    }];
    let error = compose(&self::draft(), &stamp(), &BTreeMap::new(), &mime).expect_err("a refusal");
    assert_eq!(error, Refusal::Invalid { field: "mime" });
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_reason() {
    let mut nobody = draft();
    nobody.to.clear();
    let refused = |draft: &Draft, files: &[Enclosed]| {
        compose(draft, &stamp(), &BTreeMap::new(), files).expect_err("a refusal")
    };
    assert_eq!(
        refused(&nobody, &[]),
        Refusal::Empty {
            field: "recipients"
        }
    );
    let mut many = draft();
    many.cc = (0..101)
        .map(|n| address(&format!("a{n}@example.com")))
        .collect();
    assert_eq!(
        refused(&many, &[]),
        Refusal::TooMany {
            field: "recipients",
            max: 100
        }
    );
    let large = [Enclosed {
        bytes: vec![0; FILES_BYTES_MAX + 1],
        ..picture("a.png")
    }];
    assert_eq!(
        refused(&draft(), &large),
        Refusal::FileTooLarge {
            what: "files",
            bytes_max: FILES_BYTES_MAX as u64
        }
    );
    let mut missing = draft();
    let image = Image {
        media: "gone".to_owned(),
        ..Image::default()
    };
    missing.body = Document {
        paragraphs: vec![Paragraph {
            runs: vec![Run::Image(image)],
            ..Paragraph::default()
        }],
    };
    assert_eq!(refused(&missing, &[]), Refusal::Invalid { field: "media" });
}

#[test]
fn automatic_mails_say_that_they_are_and_answers_have_no_way_back() {
    let mut draft = draft();
    draft.automatic = Some(Automatic::Replied);
    let (composed, mail) = made(&draft, &BTreeMap::new(), &[]);
    assert_eq!(composed.envelope_from, None);
    assert_eq!(
        mail.marks,
        [
            crate::email::Mark::AutoSubmitted,
            crate::email::Mark::AnswersSuppressed
        ]
    );
    draft.automatic = Some(Automatic::Generated);
    let (composed, _) = made(&draft, &BTreeMap::new(), &[]);
    assert_eq!(composed.envelope_from.as_deref(), Some("sac@loja.example"));
    assert!(
        String::from_utf8_lossy(&composed.bytes).contains("Auto-Submitted: auto-generated\r\n")
    );
}

#[test]
fn an_answer_goes_to_its_author_and_one_to_all_never_to_us() {
    let secret = Secret::new("k");
    let addresses = [
        "sac@loja.example".to_owned(),
        "vendas@loja.example".to_owned(),
    ];
    let ours = Ours {
        addresses: &addresses,
        secret: &secret,
    };
    let mail = Mail {
        message_id: Some("3@x".to_owned()),
        references: vec!["1@x".to_owned(), "2@x".to_owned()],
        from: vec![address("ana@example.com")],
        to: vec![
            address("SAC+t@loja.example"),
            address("bia@example.com"),
            address("Ana@example.com"),
        ],
        cc: vec![
            address("vendas@loja.example"),
            address("caio@example.com"),
            address("bia@example.com"),
        ],
        subject: "RES: Pedido".to_owned(),
        ..Mail::default()
    };
    let one = reply(&mail, &ours, false);
    assert_eq!(
        (one.to, one.cc, one.subject.as_str()),
        (vec![address("ana@example.com")], vec![], "Re: Pedido")
    );
    let all = reply(&mail, &ours, true);
    assert_eq!(
        all.to,
        [address("ana@example.com"), address("bia@example.com")]
    );
    assert_eq!(all.cc, [address("caio@example.com")]);
    assert_eq!(
        all.parent.map(|parent| parent.references),
        Some(mail.references.clone())
    );
    let elsewhere = Mail {
        reply_to: vec![address("outra@example.com")],
        ..mail.clone()
    };
    assert_eq!(
        reply(&elsewhere, &ours, false).to,
        [address("outra@example.com")]
    );
    let own = Mail {
        from: vec![address("sac@loja.example")],
        to: vec![address("bia@example.com")],
        ..mail.clone()
    };
    assert_eq!(reply(&own, &ours, false).to, [address("bia@example.com")]);
    let forward = forward(&mail, Language::PtBr);
    assert_eq!(
        (forward.subject.as_str(), forward.parent),
        ("ENC: Pedido", None)
    );
}

#[test]
fn a_thread_of_years_keeps_its_first_and_its_last_references() {
    let mut draft = draft();
    let references = (0..50)
        .map(|n| format!("{n}@x"))
        .chain(["no good".to_owned(), "49@x".to_owned()])
        .collect();
    draft.parent = Some(Parent {
        message_id: "50@x".to_owned(),
        references,
    });
    let (_, mail) = made(&draft, &BTreeMap::new(), &[]);
    assert_eq!(mail.in_reply_to, ["50@x"]);
    assert_eq!(mail.references.len(), 20);
    assert_eq!(
        (mail.references[0].as_str(), mail.references[1].as_str()),
        ("0@x", "32@x")
    );
    assert_eq!(mail.references.last().map(String::as_str), Some("50@x"));
}

#[test]
fn what_is_quoted_is_told_from_the_answer_in_every_language_and_passed_on_whole() {
    let original = Mail {
        from: vec![address("ana@example.com").named(Some("Ana".to_owned()))],
        to: vec![address("sac@loja.example")],
        subject: "Pedido".to_owned(),
        text: "Onde está?\n> antes".to_owned(),
        html: Some("<p onclick=x>Onde <b>está</b>?<script>x</script><img src='https://x.example/a.png'><img src=cid:a></p>".to_owned()),
        ..Mail::default()
    };
    for language in Language::ALL {
        let mut draft = draft();
        draft.body = Document::from_text("A caminho.");
        draft.quoted = Some(Quoted::answered(&original, "23/11/2026 10:15", *language));
        let (composed, mail) = made(&draft, &BTreeMap::new(), &[]);
        assert_fit_for_every_server(&composed.bytes);
        let split = quote::split(&mail.text);
        assert_eq!(split.written, "A caminho.", "{language:?}");
        assert!(
            split
                .quoted
                .is_some_and(|quoted| quoted.ends_with("> Onde está?\n>> antes")),
            "{split:?}"
        );
        let html = mail.html.expect("HTML");
        assert!(
            html.contains("<b>está</b>") && html.contains("src=\"https://x.example/a.png\""),
            "{html}"
        );
        assert!(
            !html.contains("script") && !html.contains("onclick") && !html.contains("cid:"),
            "{html}"
        );
        draft.quoted = Some(Quoted::passed_on(&original, "23/11/2026 10:15", *language));
        let (_, mail) = made(&draft, &BTreeMap::new(), &[]);
        assert!(mail.text.ends_with("Onde está?\n> antes"), "{}", mail.text);
        assert_eq!(
            quote::split(&mail.text).written,
            "A caminho.",
            "{language:?}"
        );
    }
}

/// Whatever people write, in whatever script, arrives as written.
#[test]
fn any_text_subject_and_name_come_back_as_they_went() {
    const ALPHABET: &[&str] = &[
        "a",
        "B",
        " ",
        "é",
        "ç",
        "ã",
        "=",
        "?",
        "_",
        "\"",
        "\\",
        ",",
        "(",
        ")",
        "<",
        ">",
        "@",
        ";",
        ":",
        ".",
        "-",
        "%",
        "'",
        "&",
        "💬",
        "日本",
        "ß",
        "=?utf-8?Q?x?=",
        "--",
        "From ",
        "\u{301}",
        "مرحبا",
    ];
    for seed in 0..400 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut words = |max: usize| -> String {
            let length = random.random_range(1..max);
            let text: String = (0..length)
                .map(|_| ALPHABET[random.random_range(0..ALPHABET.len())])
                .collect();
            format!(
                "x{}x",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        };
        let mut draft = draft();
        let body = format!("{}\n.\n..{}\nFrom {}", words(400), words(2_000), words(20));
        (draft.subject, draft.body) = (words(120), Document::from_text(&body));
        let files = [Enclosed {
            name: words(40),
            ..picture("")
        }];
        let (composed, mail) = made(&draft, &BTreeMap::new(), &files);
        assert_fit_for_every_server(&composed.bytes);
        assert_eq!(mail.text, body, "seed {seed}");
        assert_eq!(
            html::text(mail.html.as_deref().expect("HTML")),
            body,
            "seed {seed}"
        );
        // What looks like an encoded word is taken for one, by us and by everybody.
        if !draft.subject.contains("=?") {
            assert_eq!(mail.subject, draft.subject, "seed {seed}");
        }
        if !files[0].name.contains("=?") {
            let name = crate::email::mime::file_name(&files[0].name);
            assert_eq!(mail.files[0].name, name, "seed {seed}");
        }
    }
}

//! Each `fixtures/email/*.eml` is read, and is what its `*.expect.json` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::email::html::{self, Images, View};
use crate::email::thread::{Ours, Rules, Traffic, keys, makes_work, may_answer};
use crate::email::{File, FileKind, Kind, Mail, quote, read, read_head, subject};
use crate::secret::Secret;

pub(super) const OUR_SERVER: &str = "mx.loja.example";

/// How many broken copies of each fixture are read.
const MUTATIONS: u64 = 120;

#[test]
fn every_mail_is_read_as_its_expectation_says() {
    let mut wrong = vec![];
    for (name, raw) in mails() {
        let expected =
            fs::read(folder().join(format!("{name}.expect.json"))).expect("an expectation");
        let expected: Value = serde_json::from_slice(&expected).expect("JSON");
        let got = read(&raw)
            .map(|mail| told(&mail))
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        compare(&name, &expected, &got, &mut wrong);
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn there_are_the_kinds_of_mail_that_a_mailbox_gets() {
    assert!(mails().len() >= 40, "{}", mails().len());
}

/// Bytes are changed, removed, doubled and spliced with those of other mails; whatever comes out is
/// read to the end, shown and sorted.
#[test]
fn no_broken_copy_of_a_mail_breaks_the_reader() {
    let mails = mails();
    for (at, (name, raw)) in mails.iter().enumerate() {
        for seed in 0..MUTATIONS {
            let mut random = SmallRng::seed_from_u64(seed ^ ((at as u64) << 32));
            let other = &mails[random.random_range(0..mails.len())].1;
            let broken = broken(raw, other, &mut random);
            let result = std::panic::catch_unwind(|| use_all(&broken));
            assert!(result.is_ok(), "{name} with seed {seed} panics");
        }
    }
}

/// Everything that the shell does with a mail, as far as it is pure.
pub(super) fn use_all(raw: &[u8]) {
    let _ = read_head(raw);
    let Ok(mail) = read(raw) else { return };
    told(&mail);
    assert!(
        !mail.subject.contains(['\r', '\n', '\0']),
        "{:?}",
        mail.subject
    );
    for address in mail
        .from
        .iter()
        .chain(&mail.to)
        .chain(&mail.cc)
        .chain(&mail.reply_to)
    {
        assert!(
            !address
                .address
                .contains(|c: char| c.is_whitespace() || c.is_control()),
            "{address:?}"
        );
    }
    for file in &mail.files {
        let name = file.name.as_deref().unwrap_or_default();
        assert!(
            !name.contains(['/', '\\', '\0', '\n']) && name != "..",
            "{name:?}"
        );
    }
}

fn broken(raw: &[u8], other: &[u8], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = raw.to_vec();
    for _ in 0..random.random_range(1..8) {
        let at = random.random_range(0..=bytes.len());
        let length = random.random_range(0..200).min(bytes.len() - at);
        match random.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] = random.random(),
            1 => drop(bytes.drain(at..at + length)),
            2 => bytes.truncate(at),
            3 => {
                let copy = bytes[at..at + length].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let from = random.random_range(0..=other.len());
                let to = (from + length).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                const SPICE: &[&[u8]] = &[
                    b"\0",
                    b"\r\n\r\n",
                    b"=?utf-8?B?",
                    b"--",
                    b"\xff\xfe",
                    b"<",
                    b"\"",
                    b";",
                    b":",
                    b"=",
                    b"%00",
                    b"cid:",
                    b"[#",
                    b"&",
                    b"(",
                    b"\\",
                    b"\n>",
                    b"Content-Type: multipart/mixed; boundary=x\n",
                ];
                let spice = SPICE[random.random_range(0..SPICE.len())];
                bytes.splice(at..at, spice.iter().copied());
            }
        }
    }
    bytes
}

/// What a mail says, as an expectation puts it.
fn told(mail: &Mail) -> Value {
    let split = quote::split(&mail.text);
    let secret = Secret::new("k");
    let addresses = [
        "sac@loja.example".to_owned(),
        "vendas@loja.example".to_owned(),
    ];
    let ours = Ours {
        addresses: &addresses,
        secret: &secret,
    };
    let (traffic, rules) = (Traffic::default(), Rules::default());
    keys(mail, &ours);
    let media: BTreeMap<String, String> = BTreeMap::new();
    let shown = mail.html.as_deref().map(|html| {
        html::clean(
            html,
            &View {
                media: &media,
                images: Images::Blocked,
            },
        )
    });
    let mut told = json!({
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": mail.references,
        "from": texts(&mail.from),
        "reply_to": texts(&mail.reply_to),
        "to": texts(&mail.to),
        "cc": texts(&mail.cc),
        "delivered_to": texts(&mail.delivered_to),
        "return_path": mail.return_path,
        "date_ms": mail.date_ms,
        "subject": mail.subject,
        "base_subject": subject::base_subject(&mail.subject),
        "subject_protocol": subject::protocol(&mail.subject),
        "is_forward": subject::is_forward(&mail.subject),
        "protocol": mail.protocol,
        "text": mail.text,
        "written": split.written,
        "signature": split.signature,
        "quoted": split.quoted,
        "has_html": mail.html.is_some(),
        "shown": shown.as_ref().map(|shown| &shown.html),
        "blocked": shown.as_ref().map(|shown| shown.blocked),
        "quotes_in_html": shown.as_ref().is_some_and(|shown| shown.quotes),
        "files": mail.files.iter().map(file).collect::<Vec<_>>(),
        "marks": mail.marks,
        "protection": mail.protection,
        "meeting": mail.meeting,
        "notes": mail.notes,
        "dmarc": mail.dmarc(OUR_SERVER),
        "may_answer": may_answer(mail, &ours, traffic, &rules).is_ok(),
        "opens_work": makes_work(mail, &ours, traffic, &rules).is_ok(),
    });
    let kind = kind(&mail.kind);
    if let (Value::Object(all), Value::Object(kind)) = (&mut told, kind) {
        all.extend(kind);
    }
    told
}

fn texts(addresses: &[crate::email::Address]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn file(file: &File) -> Value {
    let mut told = json!({
        "name": file.name, "mime": file.mime, "bytes": file.bytes.len(), "shown": file.shown,
        "kind": match &file.kind {
            FileKind::Plain => "plain",
            FileKind::Mail { .. } => "mail",
            FileKind::Winmail => "winmail",
            FileKind::Calendar => "calendar",
            FileKind::Protection => "protection",
        },
    });
    if let FileKind::Mail {
        from,
        subject,
        message_id,
    } = &file.kind
    {
        told["of"] = json!(from.as_ref().map(ToString::to_string));
        told["of_subject"] = json!(subject);
        told["of_id"] = json!(message_id);
    }
    told
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Ordinary => json!({"kind": "ordinary"}),
        Kind::AutoReply => json!({"kind": "auto_reply"}),
        Kind::Receipt { of } => json!({"kind": "receipt", "of": of.iter().collect::<Vec<_>>()}),
        Kind::Complaint(complaint) => json!({"kind": "complaint", "complaint": complaint}),
        Kind::Bounce(bounce) => {
            let dead: Vec<&str> = bounce
                .recipients
                .iter()
                .filter(|recipient| recipient.address_is_dead())
                .map(|recipient| recipient.address.as_str())
                .collect();
            json!({"kind": "bounce", "of": bounce.of, "recipients": bounce.recipients, "dead": dead})
        }
    }
}

/// Everything that is expected is there; what is not mentioned may be as it is.
fn compare(path: &str, expected: &Value, got: &Value, wrong: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(all)) => {
            for (key, value) in expected {
                let path = format!("{path}.{key}");
                let text = |key: &str| {
                    all.get(key)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                match key.as_str() {
                    "quoted_begins" => {
                        let begins = value.as_str().map_or(text("quoted").is_empty(), |begin| {
                            text("quoted").starts_with(begin)
                        });
                        if !begins {
                            wrong.push(format!("{path}: {:?}", text("quoted")));
                        }
                    }
                    "shown_has" | "shown_lacks" => {
                        for word in value.as_array().expect("a list") {
                            let word = word.as_str().expect("a text");
                            if text("shown").contains(word) != (key == "shown_has") {
                                wrong.push(format!("{path} {word:?}: {}", text("shown")));
                            }
                        }
                    }
                    _ => compare(&path, value, all.get(key).unwrap_or(&Value::Null), wrong),
                }
            }
        }
        (Value::Array(expected), Value::Array(all)) if expected.len() == all.len() => {
            for (at, (expected, got)) in expected.iter().zip(all).enumerate() {
                compare(&format!("{path}[{at}]"), expected, got, wrong);
            }
        }
        _ if expected == got => {}
        _ => wrong.push(format!("{path}: expected {expected}, got {got}")),
    }
}

/// All mails, in the order of their names.
pub(in crate::email) fn mails() -> Vec<(String, Vec<u8>)> {
    let mut mails: Vec<(String, Vec<u8>)> = fs::read_dir(folder())
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(&path).expect("a mail"))
        })
        .collect();
    mails.sort();
    mails
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/email")
}

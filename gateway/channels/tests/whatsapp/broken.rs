//! Webhooks and answers that are cut off, huge, nested, mistyped or changed at random. Nothing panics.

use channels::connector::{Headers, Unreadable, Webhook};
use channels::event::EventKind;
use channels::send::Response;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::fixtures::all;
use crate::{PROVIDERS, connector};

fn read(provider: &str, body: &[u8]) -> Result<Vec<channels::event::Event>, Unreadable> {
    let (url, headers) = ("https://ramal.exemplo/w", &Headers::default());
    connector(provider).read(&Webhook { url, headers, body })
}

#[test]
fn what_is_cut_off_huge_or_deep_is_refused() {
    let deep = [b"{\"object\":".repeat(10_000), b"[".repeat(100_000)].concat();
    let huge = vec![b'a'; (4 << 20) + 1];
    let many = format!("{{\"entry\":[{}0]}}", "[],".repeat(600_000));
    for provider in PROVIDERS {
        let told = read(provider, &huge);
        assert_eq!(told, Err(Unreadable::TooLong(huge.len())), "{provider}");
        for body in [&b""[..], b"{", b"null", b"[]", b"7", b"\xff\xfe", &deep] {
            let told = read(provider, body);
            assert!(told.is_err(), "{provider}: {told:?}");
        }
    }
    for provider in ["cloud", "dialog360", "gupshup", "zenvia"] {
        assert_eq!(read(provider, many.as_bytes()), Err(Unreadable::TooMany));
    }
    let many = "a=b&".repeat(2_000) + "MessageSid=SM1";
    assert_eq!(read("twilio", many.as_bytes()), Err(Unreadable::TooMany));
}

#[test]
fn a_webhook_that_is_cut_off_anywhere_is_refused_or_read() {
    for fixture in all().iter().filter(|fixture| fixture.body.len() < 3_000) {
        let is_json = fixture.provider != "twilio";
        for end in 0..fixture.body.len() {
            let told = read(fixture.provider, &fixture.body[..end]);
            let rest = fixture.body[end..].iter();
            let whole = rest.clone().all(u8::is_ascii_whitespace);
            assert!(
                !is_json || whole || told.is_err(),
                "{}",
                fixture.folder.display()
            );
        }
    }
}

#[test]
fn whatever_is_changed_at_random_nothing_panics() {
    let mut random = StdRng::seed_from_u64(20_261_122);
    let (mut readable, mut unreadable) = (0, 0);
    for fixture in all() {
        let connector = connector(fixture.provider);
        for _ in 0..CHANGES {
            let body = changed(&fixture.body, &mut random);
            let webhook = Webhook {
                body: &body,
                ..fixture.webhook()
            };
            if fixture.provider == "cloud" && body != fixture.body {
                assert!(connector.verify(&webhook).is_err());
            }
            match connector.read(&webhook) {
                Ok(_) => readable += 1,
                Err(_) => unreadable += 1,
            }
            let response = Response {
                status: random.random_range(100..600),
                retry_after_ms: random.random_bool(0.5).then(|| random.random()),
                body,
            };
            let _ = connector.answered(&response);
            let _ = connector.located(&response);
            let _ = connector.uploaded(&response);
            let _ = connector.templates_listed(&response);
        }
    }
    assert!(
        readable > 1_000 && unreadable > 1_000,
        "{readable} {unreadable}"
    );
}

#[test]
fn a_value_of_another_type_costs_its_message_at_most() {
    let mut random = StdRng::seed_from_u64(4);
    for fixture in all().iter().filter(|fixture| fixture.provider != "twilio") {
        let root: Value = serde_json::from_slice(&fixture.body).expect("JSON");
        for _ in 0..CHANGES {
            let mut root = root.clone();
            let paths = paths(&root, String::new());
            let path = &paths[random.random_range(0..paths.len())];
            let others = [
                json!(null),
                json!(-1),
                json!(1e300),
                json!(""),
                json!([]),
                json!({}),
                json!([[{}]]),
                json!(true),
            ];
            let other = others[random.random_range(0..others.len())].clone();
            *root.pointer_mut(path).expect("a value") = other;
            let told = read(fixture.provider, root.to_string().as_bytes());
            assert!(
                !matches!(told, Err(Unreadable::Syntax(_) | Unreadable::TooLong(_))),
                "{path}: {told:?}"
            );
        }
    }
}

#[test]
fn one_message_that_nobody_can_read_does_not_hide_the_others() {
    let folder = "fixtures/whatsapp/cloud/fifty_messages/raw.json";
    let raw = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .expect("a webhook");
    let mut root: Value = serde_json::from_slice(&raw).expect("JSON");
    let messages = root
        .pointer_mut("/entry/0/changes/0/value/messages")
        .expect("messages");
    messages[7] = json!("nothing");
    messages[8]["text"] = json!(["x"]);
    let events = read("cloud", root.to_string().as_bytes()).expect("events");
    assert_eq!(events.len(), 50);
    let is_strange = |kind: &EventKind| matches!(kind, EventKind::Unsupported { .. });
    let strange = events
        .iter()
        .filter(|event| is_strange(&event.kind))
        .count();
    assert_eq!(strange, 1);
}

#[test]
fn a_parameter_of_another_type_costs_its_message_at_most() {
    let values = [
        "",
        "many",
        "-1",
        "1e999",
        "99999999999999999999",
        "NaN",
        "inf",
        "%00",
        "%ff",
        "[]",
        "+",
    ];
    let mut told = 0;
    for fixture in all().iter().filter(|fixture| fixture.provider == "twilio") {
        let form = std::str::from_utf8(&fixture.body).expect("text");
        let parameters: Vec<&str> = form.split('&').collect();
        for (at, parameter) in parameters.iter().enumerate() {
            let (name, _) = parameter.split_once('=').expect("a value");
            for value in values {
                let mut parameters: Vec<String> =
                    parameters.iter().map(|one| (*one).to_owned()).collect();
                parameters[at] = format!("{name}={value}");
                let read = read("twilio", parameters.join("&").as_bytes());
                let read = read.unwrap_or_else(|error| panic!("{name}={value}: {error}"));
                assert_eq!(read.len(), 1, "{name}={value}");
                told += 1;
            }
        }
    }
    assert!(told > 1_000, "{told}");
}

#[test]
fn what_is_kept_of_a_deep_webhook_can_be_read_again() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let mut kept = 0;
    for levels in 1..130 {
        let nested = deep(levels);
        #[rustfmt::skip]
        let bodies = [
            ("cloud", format!(r#"{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"new","value":{nested}}}]}}]}}"#)),
            ("dialog360", format!(r#"{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"messages","value":{{"messages":[{{"id":"a","type":"new","new":{nested}}}]}}}}]}}]}}"#)),
            ("gupshup", format!(r#"{{"type":"new","payload":{nested}}}"#)),
            ("zenvia", format!(r#"{{"type":"new","message":{nested}}}"#)),
        ];
        for (provider, body) in bodies {
            let Ok(events) = read(provider, body.as_bytes()) else {
                assert!(levels > 50, "{provider} {levels}");
                continue;
            };
            kept += 1;
            let stored = serde_json::to_string(&events).expect("JSON");
            let again: Vec<channels::event::Event> = serde_json::from_str(&stored).expect("events");
            assert_eq!(again, events);
        }
        // The answers of a form are JSON within a text.
        let form = json!({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": {"messages": [{
            "id": "a", "type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": nested}},
        }]}}]}]});
        let events = read("cloud", form.to_string().as_bytes()).expect("events");
        let stored = serde_json::to_string(&events).expect("JSON");
        assert!(serde_json::from_str::<Vec<channels::event::Event>>(&stored).is_ok());
    }
    assert!(kept > 200, "{kept}");
}

/// The bytes with a few of them changed, cut out, doubled or put in.
fn changed(body: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..random.random_range(1..5) {
        if body.is_empty() {
            return body;
        }
        let at = random.random_range(0..body.len());
        let to = random.random_range(at..body.len().min(at + 40));
        match random.random_range(0..6) {
            0 => body[at] = random.random(),
            1 => body[at] = b"0123456789\"{}[],:\\-."[random.random_range(0..20)],
            2 => drop(body.drain(at..to)),
            3 => body.truncate(at),
            4 => {
                let copy = body[at..to].to_vec();
                body.splice(at..at, copy);
            }
            _ => {
                let token = TOKENS[random.random_range(0..TOKENS.len())].bytes();
                body.splice(at..at, token);
            }
        }
    }
    body
}

/// Where every value is.
fn paths(value: &Value, at: String) -> Vec<String> {
    let mut found = vec![];
    match value {
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                found.extend(paths(value, format!("{at}/{index}")));
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                found.extend(paths(value, format!("{at}/{name}")));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found.push(at);
    found
}

/// Changes of each webhook.
const CHANGES: usize = 150;

const TOKENS: [&str; 12] = [
    "null",
    "\"\"",
    "-1",
    "1e999",
    "99999999999999999999",
    "\\u0000",
    "\\ud800",
    "[[",
    "{}",
    "%00",
    "&=",
    "\u{202e}",
];

//! The same conversation, told by each of the five providers, is the same conversation.
//!
//! Each provider's words are written here a second time, from what happened; what the connector reads
//! must be what happened. [`LOST`] says which facts a provider cannot carry, and why.

use channels::connector::{Headers, Webhook};
use channels::event::{Delivery, EventKind};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::{PROVIDERS, connector};

/// What happened.
#[derive(Debug, Clone)]
enum Step {
    Text {
        text: String,
        reply_to: Option<String>,
    },
    File {
        media: &'static str,
        mime: &'static str,
        name: Option<String>,
        caption: Option<String>,
        voice: bool,
    },
    Place {
        name: Option<String>,
    },
    Card,
    Choice {
        among: &'static str,
        id: String,
        title: String,
    },
    Reaction {
        emoji: &'static str,
        of: String,
    },
    Status {
        of: String,
        word: &'static str,
    },
}

/// Facts that a provider cannot carry.
const LOST: &[(&str, &str, &str)] = &[
    (
        "gupshup",
        "/content/voice",
        "a voice note is any other sound",
    ),
    (
        "zenvia",
        "/content/voice",
        "a voice note is any other sound",
    ),
    (
        "zenvia",
        "/content/among",
        "a press is told with its id, and not on what",
    ),
    ("zenvia", "/reply_to", "what a message answers is not told"),
    (
        "twilio",
        "/content/voice",
        "a voice note is any other sound",
    ),
    ("twilio", "/content/name", "the names of files are not told"),
    ("twilio", "/at_ms", "times are not told"),
];

/// Events that a provider cannot carry at all.
const UNTOLD: &[(&str, &str, &str)] = &[
    ("zenvia", "reaction", "reactions are not told"),
    ("twilio", "reaction", "reactions are not told"),
    ("twilio", "contacts", "cards come as files"),
];

/// Of no weight: each provider has its own keys, ids of files and words for a failure.
const OWN: &[&str] = &[
    "/key",
    "/account",
    "/correlation",
    "/learned",
    "/content/source",
    "/failure/code",
    "/failure/text",
];

#[test]
fn the_same_conversation_is_the_same_through_any_provider() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let steps: Vec<Step> = (0..20).map(|_| step(&mut random)).collect();
        for provider in PROVIDERS {
            for (at, step) in steps.iter().enumerate() {
                check(
                    provider,
                    step,
                    at,
                    &format!("seed {seed}, step {at}, {provider}"),
                );
            }
        }
    }
}

#[test]
fn whatever_order_statuses_come_in_every_provider_ends_with_the_same_state() {
    for seed in 0..300 {
        let mut random = StdRng::seed_from_u64(seed);
        let words: Vec<&'static str> = (0..6).map(|_| pick(&WORDS, &mut random)).collect();
        let known = words.iter().map(|word| state(word)).reduce(Delivery::merge);
        for provider in PROVIDERS {
            let told = words.iter().enumerate().map(|(at, word)| {
                let of = "m1".to_owned();
                let body =
                    tell(provider, &Step::Status { of, word }, at).expect("statuses are told");
                let event = events(provider, &body).pop().expect("an event");
                let EventKind::Status(status) = event.kind else {
                    panic!("{:?}", event.kind)
                };
                status.state
            });
            assert_eq!(
                told.reduce(Delivery::merge),
                known,
                "seed {seed}, {provider}: {words:?}"
            );
        }
    }
}

fn check(provider: &str, step: &Step, at: usize, place: &str) {
    let expected = happened(step, at);
    let untold = |name: &str| {
        UNTOLD
            .iter()
            .any(|(of, what, _)| *of == provider && *what == name)
    };
    let content = expected["content"]["kind"].as_str().unwrap_or_default();
    if untold(expected["event"].as_str().expect("a word")) || untold(content) {
        return;
    }
    let body = tell(provider, step, at).unwrap_or_else(|| panic!("{place}: {step:?} is told"));
    let events = events(provider, &body);
    assert_eq!(events.len(), 1, "{place}: {step:?}");
    let told = serde_json::to_value(&events[0]).expect("JSON");
    if content == "media" {
        assert!(told.pointer("/content/source").is_some(), "{place}: {told}");
    }
    assert_eq!(
        facts(provider, told),
        facts(provider, expected),
        "{place}: {step:?}"
    );
}

fn events(provider: &str, body: &str) -> Vec<channels::event::Event> {
    let (url, headers) = ("https://ramal.exemplo/w", &Headers::default());
    let body = body.as_bytes();
    let read = connector(provider).read(&Webhook { url, headers, body });
    read.unwrap_or_else(|error| panic!("{provider}: {error}"))
}

/// An event without what a provider cannot carry.
fn facts(provider: &str, mut event: Value) -> Value {
    let lost = LOST.iter().filter(|(of, ..)| *of == provider);
    let lost = lost.map(|(_, path, _)| *path).chain(OWN.iter().copied());
    for path in lost {
        let (parent, name) = path.rsplit_once('/').expect("a path");
        if let Some(fields) = event.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.remove(name);
        }
    }
    event
}

/// What happened, in our words.
fn happened(step: &Step, at: usize) -> Value {
    let peer = json!({"ids": [{"kind": "wa_id", "value": ANA}], "name": "Ana"});
    let at_ms = (SINCE_S + at as i64) * 1_000;
    let message = |content: Value| json!({"event": "message", "id": id(at), "at_ms": at_ms, "from": peer, "content": content});
    match step {
        Step::Text { text, reply_to } => {
            let mut event = message(json!({"kind": "text", "text": text}));
            set(&mut event, "reply_to", reply_to);
            event
        }
        Step::File {
            media,
            mime,
            name,
            caption,
            voice,
        } => {
            let mut content = json!({"kind": "media", "media": media, "mime": mime});
            set(&mut content, "name", name);
            set(&mut content, "caption", caption);
            if *voice {
                content["voice"] = true.into();
            }
            message(content)
        }
        Step::Place { name } => {
            let mut content =
                json!({"kind": "location", "latitude": -23.5505, "longitude": -46.6333});
            set(&mut content, "name", name);
            message(content)
        }
        Step::Card => message(json!({
            "kind": "contacts", "cards": [{"name": "Bruno", "phones": ["+55 11 91234-5678"]}],
        })),
        Step::Choice { among, id, title } => {
            message(json!({"kind": "choice", "among": among, "id": id, "title": title}))
        }
        Step::Reaction { emoji, of } => json!({
            "event": "reaction", "at_ms": at_ms, "peer": peer, "by": "customer", "message": of, "emoji": emoji,
        }),
        Step::Status { of, word } => {
            let mut event =
                json!({"event": "status", "at_ms": at_ms, "message": of, "state": state(word)});
            if *word == "failed" {
                event["failure"] = json!({"class": "needs_template", "advice": "window_closed"});
            }
            event
        }
    }
}

/// The same in a provider's words; none where it has none.
fn tell(provider: &str, step: &Step, at: usize) -> Option<String> {
    match provider {
        "cloud" | "dialog360" => Some(meta(step, at).to_string()),
        "gupshup" => Some(gupshup(step, at).to_string()),
        "zenvia" => zenvia(step, at).map(|body| body.to_string()),
        "twilio" => twilio(step, at),
        other => panic!("no provider {other}"),
    }
}

fn meta(step: &Step, at: usize) -> Value {
    let time = (SINCE_S + at as i64).to_string();
    let value = if let Step::Status { of, word } = step {
        let mut status = json!({"id": of, "status": word, "timestamp": time, "recipient_id": ANA});
        if *word == "failed" {
            status["errors"] = json!([{"code": 131_047, "title": "Re-engagement message"}]);
        }
        json!({"metadata": {"phone_number_id": "106540352242922"}, "statuses": [status]})
    } else {
        let (kind, body) = meta_content(step);
        let mut message =
            json!({"from": ANA, "id": id(at), "timestamp": time, "type": kind, kind: body});
        if let Step::Text {
            reply_to: Some(reply_to),
            ..
        } = step
        {
            message["context"] = json!({"id": reply_to});
        }
        json!({
            "metadata": {"phone_number_id": "106540352242922"},
            "contacts": [{"profile": {"name": "Ana"}, "wa_id": ANA}], "messages": [message],
        })
    };
    let change = json!({"field": "messages", "value": value});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})
}

fn meta_content(step: &Step) -> (&'static str, Value) {
    match step {
        Step::Text { text, .. } => ("text", json!({"body": text})),
        Step::File {
            media,
            mime,
            name,
            caption,
            voice,
        } => {
            let mut body = json!({"id": "10033", "mime_type": mime, "voice": voice});
            set(&mut body, "filename", name);
            set(&mut body, "caption", caption);
            (media, body)
        }
        Step::Place { name } => {
            let mut body = json!({"latitude": -23.5505, "longitude": -46.6333});
            set(&mut body, "name", name);
            ("location", body)
        }
        Step::Card => (
            "contacts",
            json!([{"name": {"formatted_name": "Bruno"}, "phones": [{"phone": "+55 11 91234-5678"}]}]),
        ),
        Step::Choice { among, id, title } => match *among {
            "template" => ("button", json!({"payload": id, "text": title})),
            "list" => (
                "interactive",
                json!({"type": "list_reply", "list_reply": {"id": id, "title": title}}),
            ),
            _ => (
                "interactive",
                json!({"type": "button_reply", "button_reply": {"id": id, "title": title}}),
            ),
        },
        Step::Reaction { emoji, of } => ("reaction", json!({"message_id": of, "emoji": emoji})),
        Step::Status { .. } => panic!("a status is no message"),
    }
}

fn gupshup(step: &Step, at: usize) -> Value {
    let time_ms = (SINCE_S + at as i64) * 1_000;
    let (kind, payload) = if let Step::Status { of, word } = step {
        let mut details = json!({"ts": SINCE_S + at as i64});
        if *word == "failed" {
            details["code"] = 1_004.into();
        }
        let status = json!({
            "id": "wamid.X", "gsId": of, "type": word, "destination": ANA, "payload": details,
        });
        ("message-event", status)
    } else {
        let (kind, body) = gupshup_content(step);
        let mut payload = json!({
            "id": id(at), "source": ANA, "type": kind, "payload": body,
            "sender": {"phone": ANA, "name": "Ana"},
        });
        if let Step::Text {
            reply_to: Some(reply_to),
            ..
        } = step
        {
            payload["context"] = json!({"id": "gBEGV", "gsId": reply_to});
        }
        ("message", payload)
    };
    // What has a time of its own is told later.
    let told_ms = if kind == "message" {
        time_ms
    } else {
        time_ms + 5_000
    };
    json!({"app": "MinhaApp", "timestamp": told_ms, "version": 2, "type": kind, "payload": payload})
}

fn gupshup_content(step: &Step) -> (&'static str, Value) {
    match step {
        Step::Text { text, .. } => ("text", json!({"text": text})),
        Step::File {
            media,
            mime,
            name,
            caption,
            ..
        } => {
            let mut body = json!({"url": "https://arquivos.exemplo/1", "contentType": mime});
            set(&mut body, "name", name);
            set(&mut body, "caption", caption);
            (if *media == "document" { "file" } else { media }, body)
        }
        Step::Place { name } => {
            let mut body = json!({"latitude": "-23.5505", "longitude": "-46.6333"});
            set(&mut body, "name", name);
            ("location", body)
        }
        Step::Card => (
            "contact",
            json!({"contacts": [{"name": {"formatted_name": "Bruno"}, "phones": [{"phone": "+55 11 91234-5678"}]}]}),
        ),
        Step::Choice { among, id, title } => match *among {
            "template" => ("quick_reply", json!({"text": title, "postbackText": id})),
            "list" => (
                "list_reply",
                json!({"id": "q1", "title": title, "postbackText": id}),
            ),
            _ => (
                "button_reply",
                json!({"id": "q1", "title": title, "postbackText": id}),
            ),
        },
        Step::Reaction { emoji, of } => ("reaction", json!({"emoji": emoji, "gsId": of})),
        Step::Status { .. } => panic!("a status is no message"),
    }
}

fn zenvia(step: &Step, at: usize) -> Option<Value> {
    let time = format!("2026-11-23T10:33:{:02}-03:00", 20 + at);
    let content = match step {
        Step::Text { text, .. } => json!({"type": "text", "text": text}),
        Step::File {
            mime,
            name,
            caption,
            ..
        } => {
            let mut body = json!({"type": "file", "fileUrl": "https://arquivos.exemplo/1", "fileMimeType": mime});
            set(&mut body, "fileName", name);
            set(&mut body, "fileCaption", caption);
            body
        }
        Step::Place { name } => {
            let mut body = json!({"type": "location", "latitude": -23.5505, "longitude": -46.6333});
            set(&mut body, "name", name);
            body
        }
        Step::Card => json!({"type": "contacts", "contacts": [
            {"name": {"formattedName": "Bruno"}, "phones": [{"phone": "+55 11 91234-5678"}]},
        ]}),
        Step::Choice { id, title, .. } => json!({"type": "text", "text": title, "payload": id}),
        Step::Reaction { .. } => return None,
        Step::Status { of, word } => {
            let code = match *word {
                "failed" => "REJECTED",
                "sent" => "SENT",
                "delivered" => "DELIVERED",
                _ => "READ",
            };
            let status = json!({"timestamp": time, "code": code, "cause": "(131047) too late"});
            return Some(json!({
                "id": "e", "timestamp": "2026-11-24T00:00:00Z", "type": "MESSAGE_STATUS", "messageId": of,
                "contentIndex": 0, "messageStatus": status,
            }));
        }
    };
    Some(json!({
        "id": "e", "timestamp": time, "type": "MESSAGE", "direction": "IN",
        "message": {
            "id": id(at), "from": ANA, "to": "551140028922", "direction": "IN",
            "visitor": {"name": "Ana"}, "contents": [content],
        },
    }))
}

fn twilio(step: &Step, at: usize) -> Option<String> {
    let mut form: Vec<(&str, String)> = vec![];
    let own = |text: &str| text.to_owned();
    match step {
        Step::Status { of, word } => {
            let word = if *word == "failed" {
                "undelivered"
            } else {
                word
            };
            form.extend([
                ("MessageSid", of.clone()),
                ("MessageStatus", own(word)),
                ("To", own("whatsapp:+55")),
            ]);
            if word == "undelivered" {
                form.push(("ErrorCode", own("63016")));
            }
        }
        Step::Reaction { .. } | Step::Card => return None,
        Step::Text { text, reply_to } => {
            form.push(("Body", text.clone()));
            form.extend(
                reply_to
                    .clone()
                    .map(|reply_to| ("OriginalRepliedMessageSid", reply_to)),
            );
        }
        Step::File { mime, caption, .. } => {
            form.extend([("NumMedia", own("1")), ("MediaContentType0", own(mime))]);
            form.push(("MediaUrl0", own("https://api.twilio.com/1")));
            form.extend(caption.clone().map(|caption| ("Body", caption)));
        }
        Step::Place { name } => {
            form.extend([
                ("Latitude", own("-23.5505")),
                ("Longitude", own("-46.6333")),
            ]);
            form.extend(name.clone().map(|name| ("Label", name)));
        }
        Step::Choice { among, id, title } => {
            form.push(("Body", title.clone()));
            let (kind, fields) = match *among {
                "template" => ("button", ["ButtonPayload", "ButtonText"]),
                "list" => ("interactive", ["ListId", "ListTitle"]),
                _ => ("interactive", ["ButtonPayload", "ButtonText"]),
            };
            form.extend([
                ("MessageType", own(kind)),
                (fields[0], id.clone()),
                (fields[1], title.clone()),
            ]);
        }
    }
    if !matches!(step, Step::Status { .. }) {
        form.extend([
            ("MessageSid", id(at)),
            ("SmsStatus", own("received")),
            ("WaId", own(ANA)),
        ]);
        form.extend([
            ("ProfileName", own("Ana")),
            ("To", own("whatsapp:+551140028922")),
        ]);
    }
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    Some(body.finish())
}

fn step(random: &mut StdRng) -> Step {
    let some = |random: &mut StdRng| random.random_bool(0.5).then(|| words(random));
    match random.random_range(0..10) {
        0..3 => Step::Text {
            text: words(random),
            reply_to: random.random_bool(0.3).then(|| "ours-1".to_owned()),
        },
        3 | 4 => {
            let (media, mime, named, captioned) = pick(&FILES, random);
            Step::File {
                media,
                mime,
                name: named.then(|| words(random)),
                caption: some(random).filter(|_| captioned),
                voice: mime.contains("opus"),
            }
        }
        5 => Step::Place { name: some(random) },
        6 => Step::Card,
        7 => Step::Choice {
            among: pick(&["buttons", "list", "template"], random),
            id: words(random),
            title: words(random),
        },
        8 => Step::Reaction {
            emoji: pick(&["👍", "❤️", "🇧🇷"], random),
            of: "ours-1".to_owned(),
        },
        _ => Step::Status {
            of: "ours-1".to_owned(),
            word: pick(&WORDS, random),
        },
    }
}

/// Text as people write it, with all that a form or JSON must escape.
fn words(random: &mut StdRng) -> String {
    const PIECES: [&str; 16] = [
        "Olá", " ", "não", "👍🏽", "\"", "\\", "\n", "&", "=", "%41", "+", "{{1}}", "<b>",
        "R$ 10,50", "\u{200d}", "ção",
    ];
    let count = random.random_range(1..12);
    let text: String = (0..count).map(|_| pick(&PIECES, random)).collect();
    format!("{text}.")
}

fn pick<T: Copy>(list: &[T], random: &mut StdRng) -> T {
    list[random.random_range(0..list.len())]
}

fn state(word: &str) -> Delivery {
    word.parse().expect("a word of ours")
}

fn id(at: usize) -> String {
    format!("theirs-{at}")
}

fn set(value: &mut Value, field: &str, text: &Option<String>) {
    if let Some(text) = text {
        value[field] = text.clone().into();
    }
}

const ANA: &str = "5511987654321";

/// 2026-11-23 13:33:20 UTC.
const SINCE_S: i64 = 1_795_440_800;

const WORDS: [&str; 4] = ["sent", "delivered", "read", "failed"];

/// Kind, type, and whether such a file has a name and words.
const FILES: [(&str, &str, bool, bool); 6] = [
    ("image", "image/jpeg", false, true),
    ("video", "video/mp4", false, true),
    ("audio", "audio/mpeg", false, false),
    ("audio", "audio/ogg; codecs=opus", false, false),
    ("document", "application/pdf", true, true),
    ("sticker", "image/webp", false, false),
];

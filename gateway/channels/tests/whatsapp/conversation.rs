//! The same conversation, told by each of the five providers, is the same conversation.
//!
//! Conversations are made by chance. Each provider's words are written a second time in `told`, from what
//! happened; what the connector reads must be what happened: step by step, and as a whole after
//! everything was told twice, in another order and, where a provider does so, many things at once.
//! [`LOST`] says which facts a provider cannot carry, and why.

use std::collections::{BTreeMap, BTreeSet};

use channels::connector::{Headers, Webhook};
use channels::event::{Delivery, EventKind};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::told::{meta_value, tell};
use crate::{PROVIDERS, connector};

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Text {
        text: String,
        reply_to: Option<String>,
        forwarded: bool,
        by_ad: bool,
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
    /// None takes it away.
    Reaction {
        emoji: Option<&'static str>,
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
    (
        "zenvia",
        "/forwarded",
        "whether it was passed on is not told",
    ),
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

/// What is known of conversations once everything was told, in whatever order and however often.
#[derive(Debug, Default, PartialEq)]
struct Book {
    keys: BTreeSet<String>,
    messages: BTreeMap<String, Value>,
    /// Of each person on each message, the newest.
    reactions: BTreeMap<(String, String), (i64, Value)>,
    deliveries: BTreeMap<String, Delivery>,
    failures: BTreeMap<String, Value>,
}

impl Book {
    /// Takes an event in, unless it was told before.
    fn take(&mut self, provider: &str, event: Value) {
        let key = event["key"].as_str().expect("a key").to_owned();
        if !self.keys.insert(key) {
            return;
        }
        let event = facts(provider, event);
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        match text("event").as_str() {
            "message" => {
                let before = self.messages.insert(text("id"), event.clone());
                assert_eq!(before, None, "{provider}: told under two keys: {event}");
            }
            "reaction" => {
                let at_ms = event["at_ms"].as_i64().expect("a time");
                let by = event["peer"]["ids"][0]["value"].to_string();
                let told = self.reactions.entry((text("message"), by)).or_default();
                if told.0 < at_ms {
                    *told = (at_ms, event["emoji"].clone());
                }
            }
            "status" => {
                let state: Delivery = text("state").parse().expect("a state");
                let known = self.deliveries.entry(text("message")).or_insert(state);
                *known = known.merge(state);
                if let Some(failure) = event.get("failure") {
                    self.failures.insert(text("message"), failure.clone());
                }
            }
            other => panic!("{provider}: {other}"),
        }
    }
}

#[test]
fn a_conversation_told_twice_in_any_order_and_in_batches_is_the_same_through_any_provider() {
    for seed in 0..150 {
        let mut random = StdRng::seed_from_u64(seed);
        let steps: Vec<Step> = (0..30).map(|_| step(&mut random)).collect();
        for provider in PROVIDERS {
            let mut expected = Book::default();
            for (at, step) in steps.iter().enumerate() {
                let mut event = happened(step, at);
                // Of what has no id of its own, as many as there are: a provider's keys are its own.
                let key = if let Step::Status { of, word } = step {
                    format!("{of}/{word}")
                } else {
                    at.to_string()
                };
                event["key"] = key.into();
                if !is_untold(provider, &event) {
                    expected.take(provider, event);
                }
            }
            let mut bodies = bodies(provider, &steps, &mut random);
            let again: Vec<String> = bodies.iter().filter(|_| random.random()).cloned().collect();
            bodies.extend(again);
            shuffle(&mut bodies, &mut random);
            let mut told = Book::default();
            for body in &bodies {
                for event in events(provider, body) {
                    told.take(provider, serde_json::to_value(&event).expect("JSON"));
                }
            }
            let place = format!("seed {seed}, {provider}");
            assert_eq!(told.keys.len(), expected.keys.len(), "{place}");
            told.keys.clone_from(&expected.keys);
            assert_eq!(told, expected, "{place}");
        }
    }
}

/// Everything that a provider tells, as webhooks: Meta tells of several things in one.
fn bodies(provider: &str, steps: &[Step], random: &mut StdRng) -> Vec<String> {
    if !matches!(provider, "cloud" | "dialog360") {
        let told = steps.iter().enumerate();
        return told
            .filter_map(|(at, step)| tell(provider, step, at))
            .collect();
    }
    let mut left: Vec<(usize, &Step)> = steps.iter().enumerate().collect();
    let mut bodies = vec![];
    while !left.is_empty() {
        let count = random.random_range(1..=left.len().min(8));
        let mut entries = vec![];
        let mut changes = vec![];
        for (at, step) in left.drain(..count) {
            changes.push(json!({"field": "messages", "value": meta_value(step, at)}));
            if random.random() {
                entries.push(json!({"id": "1", "changes": std::mem::take(&mut changes)}));
            }
        }
        entries.push(json!({"id": "1", "changes": merged(changes)}));
        let body = json!({"object": "whatsapp_business_account", "entry": entries});
        bodies.push(body.to_string());
    }
    bodies
}

/// Several changes as one, whose contacts do not line up with its messages.
fn merged(changes: Vec<Value>) -> Value {
    let mut value = json!({"metadata": {"phone_number_id": "106540352242922"}});
    for list in ["messages", "statuses", "contacts"] {
        let all = changes.iter().rev();
        let all = all.filter_map(|change| change["value"][list].as_array());
        value[list] = all.flatten().cloned().collect();
    }
    json!([{"field": "messages", "value": value}])
}

fn shuffle<T>(list: &mut [T], random: &mut StdRng) {
    for at in (1..list.len()).rev() {
        list.swap(at, random.random_range(0..=at));
    }
}

/// Whether a provider cannot tell of an event at all.
fn is_untold(provider: &str, event: &Value) -> bool {
    let names = [&event["event"], &event["content"]["kind"]];
    let is = |name: &str| names.iter().any(|one| one.as_str() == Some(name));
    UNTOLD
        .iter()
        .any(|(of, what, _)| *of == provider && is(what))
}

fn check(provider: &str, step: &Step, at: usize, place: &str) {
    let expected = happened(step, at);
    if is_untold(provider, &expected) {
        return;
    }
    let content = expected["content"]["kind"].as_str().unwrap_or_default();
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
    let (number, name) = who(at);
    let peer = json!({"ids": [{"kind": "wa_id", "value": number}], "name": name});
    let at_ms = (SINCE_S + at as i64) * 1_000;
    let message = |content: Value| json!({"event": "message", "id": id(at), "at_ms": at_ms, "from": peer, "content": content});
    match step {
        Step::Text {
            text,
            reply_to,
            forwarded,
            by_ad,
        } => {
            let mut event = message(json!({"kind": "text", "text": text}));
            set(&mut event, "reply_to", reply_to);
            if *forwarded {
                event["forwarded"] = "once".into();
            }
            if *by_ad {
                event["referral"] = json!({"kind": "ad", "id": "120210", "headline": "Oferta"});
            }
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
        Step::Reaction { emoji, of } => {
            let mut event = json!({
                "event": "reaction", "at_ms": at_ms, "peer": peer, "by": "customer", "message": of,
            });
            if let Some(emoji) = emoji {
                event["emoji"] = (*emoji).into();
            }
            event
        }
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

fn step(random: &mut StdRng) -> Step {
    let some = |random: &mut StdRng| random.random_bool(0.5).then(|| words(random));
    match random.random_range(0..10) {
        0..3 => Step::Text {
            text: words(random),
            reply_to: random.random_bool(0.3).then(|| "ours-1".to_owned()),
            forwarded: random.random_bool(0.2),
            by_ad: random.random_bool(0.2),
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
            emoji: pick(&[Some("👍"), Some("❤️"), Some("🇧🇷"), None], random),
            of: ours(random),
        },
        _ => Step::Status {
            of: ours(random),
            word: pick(&WORDS, random),
        },
    }
}

/// One of the messages that we sent.
fn ours(random: &mut StdRng) -> String {
    format!("ours-{}", random.random_range(0..4))
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

pub(crate) fn id(at: usize) -> String {
    format!("theirs-{at}")
}

pub(crate) fn set(value: &mut Value, field: &str, text: &Option<String>) {
    if let Some(text) = text {
        value[field] = text.clone().into();
    }
}

/// Whose step it is: one of three people, of whom one has no ninth digit and one is abroad.
pub(crate) fn who(at: usize) -> (&'static str, &'static str) {
    const PEOPLE: [(&str, &str); 3] = [
        ("5511987654321", "Ana"),
        ("553196123456", "Bia"),
        ("4915112345678", "Çelik \"Ö\" & filhos"),
    ];
    PEOPLE[at % PEOPLE.len()]
}

/// 2026-11-23 13:33:20 UTC.
pub(crate) const SINCE_S: i64 = 1_795_440_800;

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

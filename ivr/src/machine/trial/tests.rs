use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::Library;
use crate::machine::Caller;

/// The one clock read of these tests: only differences count.
#[allow(clippy::disallowed_methods)]
fn at(wall: &str) -> Now {
    Now {
        instant: std::time::Instant::now(),
        wall: wall.parse().unwrap(),
    }
}

fn shop() -> Value {
    json!({
        "format": 1, "entry": "hours", "nodes": {
            "hours": {"kind": "hours", "calendar": {"id": "commercial"}, "open": "menu", "closed": "sorry"},
            "menu": {"kind": "menu", "say": [{"kind": "text", "text": "1 vendas, 2 pedido"}], "otherwise": "sorry",
                "choices": [{"key": "1", "to": "sales"}, {"key": "2", "to": "order"}], "repeat_key": "9"},
            "sales": {"kind": "queue", "service": "sales", "unanswered": "sorry", "leave": [{"key": "7", "to": "message"}]},
            "order": {"kind": "collect", "variable": "order", "min": 2, "max": 5, "say": [{"kind": "text", "text": "Pedido?"}], "next": "ask"},
            "ask": {"kind": "lookup", "url": "https://erp.example/{{order}}", "values": {"where": "/where"},
                "success": "told", "failure": "sales"},
            "told": {"kind": "prompt", "say": [{"kind": "text", "text": "Está em {{where}}"}], "next": "colleague"},
            "colleague": {"kind": "dial", "to": {"extension": "200"}, "no_answer": "sorry"},
            "message": {"kind": "record", "say": [], "beep": false, "service": "sales", "next": "sorry"},
            "sorry": {"kind": "hang-up", "say": [{"kind": "text", "text": "Tchau"}]}
        }
    })
}

/// Tries the shop's flow; the steps as text, and the rest.
fn tried(wall: &str, keys: &[&str], exits: Value) -> (Vec<String>, Trial) {
    let flow = serde_json::from_value(shop()).unwrap();
    let calendar = json!({
        "time_zone": "America/Sao_Paulo", "holidays": "brazil-with-optional",
        "schedule": {"weekly": {"monday": [{"from": "08:00", "to": "18:00"}], "tuesday": [{"from": "08:00", "to": "18:00"}]}}
    });
    let library = Library {
        flows: [(FlowId::new("shop"), Arc::new(flow))].into(),
        calendars: [(
            "commercial".into(),
            Arc::new(serde_json::from_value(calendar).unwrap()),
        )]
        .into(),
    };
    let session = Session::new(Arc::new(library), &FlowId::new("shop"), &Caller::default());
    let script = Script {
        keys: keys
            .iter()
            .map(|typed| typed.chars().filter_map(Key::new).collect())
            .collect(),
        exits: serde_json::from_value(exits).unwrap(),
        services: [("sales".into(), None)].into(),
    };
    let trial = run(session.unwrap(), at(wall), script);
    (trial.steps.iter().map(told).collect(), trial)
}

fn told(step: &Tried) -> String {
    match step {
        Tried::Step { step, until } => {
            let did = serde_json::to_value(&step.did).unwrap();
            let until = until.map_or(String::new(), |until| format!(" until {until}"));
            let rest = did.as_object().unwrap().iter();
            let rest = rest.filter(|(name, _)| *name != "did" && *name != "kind");
            let rest: Vec<String> = rest
                .map(|(name, value)| format!(" {name} {value}"))
                .collect();
            format!(
                "{} {}{}{until}",
                step.node,
                did["did"].as_str().unwrap(),
                rest.concat()
            )
        }
        Tried::Said { at, items, .. } => {
            let texts = items.iter().map(|item| match item {
                Spoken::Text { text, .. } => text.clone(),
                Spoken::Prompt(prompt) => prompt.to_string(),
                Spoken::Word(word) => word.text.to_string(),
            });
            format!("{} said: {}", at.node, texts.collect::<Vec<_>>().join(" "))
        }
        Tried::NotAsked { at, url, .. } => format!("{} not asked: {url}", at.node),
    }
}

/// A Monday.
const NOON: &str = "2026-11-23T12:00:00-03:00";

#[test]
fn a_trial_stops_at_the_first_question_without_keys() {
    let (steps, trial) = tried(NOON, &[], json!({}));
    assert_eq!(
        steps,
        [
            "hours entered",
            "hours hours open true until 2026-11-23T21:00:00Z",
            "menu entered",
            "menu said: 1 vendas, 2 pedido",
            "menu heard interrupted false",
        ]
    );
    let keys = ['1', '2', '9'].map(|face| Key::new(face).unwrap()).into();
    assert_eq!(trial.end, End::WaitsForKey { keys, digits: None });
    assert_eq!(trial.place, Some(("shop".into(), "menu".into())));
}

#[test]
fn on_carnaval_the_company_is_closed_and_the_trial_says_for_what() {
    let (steps, trial) = tried("2027-02-08T12:00:00-03:00", &["1"], json!({}));
    assert_eq!(
        steps[1],
        "hours hours holiday \"Carnaval\" open false until 2027-02-15T11:00:00Z"
    );
    assert_eq!(steps[3], "sorry said: Tchau");
    assert_eq!(
        trial.end,
        End::HungUp {
            cause: Cause::Normal
        }
    );
    assert_eq!(trial.keys_taken, 0);
}

#[test]
fn silence_and_a_wrong_key_are_answers_like_any() {
    let (steps, trial) = tried(NOON, &["", "5", "1"], json!({}));
    let answers: Vec<&String> = steps
        .iter()
        .filter(|step| {
            ["silent", "invalid", "pressed", "queued"]
                .iter()
                .any(|did| step.contains(did))
        })
        .collect();
    assert_eq!(
        answers,
        [
            "menu silent times 1",
            "menu invalid digits \"5\" times 1",
            "menu pressed key \"1\"",
            "sales queued service \"sales\"",
        ]
    );
    assert_eq!(
        trial.end,
        End::Queued {
            service: "sales".into()
        }
    );
    assert_eq!(trial.keys_taken, 3);
    // Five seconds of silence passed, and nothing else took time.
    let Some(Tried::Step { step, .. }) = trial.steps.last() else {
        unreachable!("the wait is a step")
    };
    assert_eq!(step.after_ms, 5_000);
}

#[test]
fn digits_that_nothing_ends_are_complete_after_the_pause() {
    let (steps, trial) = tried(NOON, &["2", "123"], json!({}));
    assert!(
        steps.contains(&"order collected digits \"123\"".to_owned()),
        "{steps:?}"
    );
    assert_eq!(
        trial.end,
        End::Queued {
            service: "sales".into()
        }
    );
    let (_, trial) = tried(NOON, &["2"], json!({}));
    let digits = Digits {
        min: 2,
        max: 5,
        terminator: Some(Key::HASH),
    };
    assert_eq!(
        trial.end,
        End::WaitsForKey {
            keys: vec![],
            digits: Some(digits)
        }
    );
}

#[test]
fn no_system_is_asked_and_the_trial_says_what_would_have_been() {
    let (steps, _) = tried(NOON, &["2", "12#"], json!({}));
    let at = steps
        .iter()
        .position(|step| step.starts_with("ask not asked"));
    let at = at.expect("it would have been asked");
    assert_eq!(steps[at], "ask not asked: https://erp.example/12");
    assert_eq!(
        steps[at + 1],
        "ask looked-up failure \"refused\" succeeded false took_ms 0"
    );
    assert_eq!(steps[at + 2], "sales entered");
}

#[test]
fn what_a_system_would_answer_can_be_written_down() {
    let exits = json!({"ask": {"fetched": {"status": 200, "body": {"where": "Recife"}}}});
    let (steps, trial) = tried(NOON, &["2", "12#"], exits.clone());
    assert!(
        steps.contains(&"told said: Está em Recife".to_owned()),
        "{steps:?}"
    );
    assert_eq!(
        trial.end,
        End::Dialled {
            to: Destination::Extension("200".into())
        }
    );

    let mut exits = exits;
    exits["colleague"] = json!("no-answer");
    let (steps, trial) = tried(NOON, &["2", "12#"], exits);
    assert!(
        steps.contains(&"colleague dial-ended result \"no-answer\"".to_owned()),
        "{steps:?}"
    );
    assert_eq!(
        trial.end,
        End::HungUp {
            cause: Cause::Normal
        }
    );
}

#[test]
fn who_waits_leaves_by_a_key_and_speaks_a_message() {
    let (steps, trial) = tried(NOON, &["1", "7"], json!({"message": {"recorded": 12}}));
    assert!(
        steps.contains(&"message recorded seconds 12 service \"sales\"".to_owned()),
        "{steps:?}"
    );
    assert_eq!(
        trial.end,
        End::HungUp {
            cause: Cause::Normal
        }
    );
    let (_, trial) = tried(NOON, &["1"], json!({"sales": "answered"}));
    assert_eq!(trial.end, End::Answered);
    let (steps, _) = tried(NOON, &["1"], json!({"sales": "unanswered"}));
    assert!(
        steps.contains(&"sales queue-ended result \"unanswered\"".to_owned()),
        "{steps:?}"
    );
}

#[test]
fn a_service_that_takes_nobody_is_closed() {
    let flow = json!({"format": 1, "entry": "q", "nodes": {
        "q": {"kind": "queue", "service": "gone", "closed": "bye"}, "bye": {"kind": "hang-up", "cause": "busy"}}});
    let library = Library {
        flows: [(
            FlowId::new("f"),
            Arc::new(serde_json::from_value(flow).unwrap()),
        )]
        .into(),
        ..Library::default()
    };
    let session = Session::new(Arc::new(library), &FlowId::new("f"), &Caller::default());
    let trial = run(session.unwrap(), at(NOON), Script::default());
    assert_eq!(trial.end, End::HungUp { cause: Cause::Busy });
}

#[test]
fn a_flow_that_says_without_end_is_cut_short() {
    let long = "a".repeat(60_000);
    let flow = json!({"format": 1, "entry": "a", "nodes": {
        "a": {"kind": "prompt", "say": [{"kind": "text", "text": long}], "next": "a"}}});
    let library = Library {
        flows: [(
            FlowId::new("f"),
            Arc::new(serde_json::from_value(flow).unwrap()),
        )]
        .into(),
        ..Library::default()
    };
    let session = Session::new(Arc::new(library), &FlowId::new("f"), &Caller::default());
    let trial = run(session.unwrap(), at(NOON), Script::default());
    assert_eq!(trial.end, End::TooLong);
    assert!(trial.steps.len() < 20, "{}", trial.steps.len());
}

//! The world: random flows, random callers, random answers. Whatever happens, the walk ends.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::*;
use crate::validate::{Catalogue, calls, is_publishable, validate};

/// So many things happen to a call at most: a step takes a few keys, an answer or a time-out.
const EVENTS_MAX: u32 = 100 * (STEPS_MAX as u32 + FAILURE_STEPS_MAX as u32);

fn say(rng: &mut StdRng) -> Value {
    let all = [
        json!([{"kind": "text", "text": "{{x}} {{y}}"}]),
        json!([{"kind": "prompt", "prompt": "p"}, {"kind": "number", "value": "{{x}}"}]),
        json!([{"kind": "money", "value": "{{x}}"}, {"kind": "protocol", "value": "{{call.protocol}}"}]),
        json!([{"kind": "date", "value": "{{hours.opens_at}}"}, {"kind": "time", "value": "{{x}}"}]),
        json!([]),
    ];
    all.choose(rng).cloned().unwrap_or_default()
}

fn node(rng: &mut StdRng, nodes: usize) -> Value {
    let to = |rng: &mut StdRng| Value::from(format!("n{}", rng.random_range(0..nodes)));
    let maybe = |rng: &mut StdRng, to: Value| {
        if rng.random_bool(0.6) {
            to
        } else {
            Value::Null
        }
    };
    let (a, b, c) = (to(rng), to(rng), to(rng));
    let (d, e) = (to(rng), to(rng));
    let (d, e) = (maybe(rng, d), maybe(rng, e));
    let confirm = json!({"say": say(rng), "yes": "1", "no": "2"});
    let barge_in = rng.random_bool(0.7);
    let retry = json!({"say": say(rng), "attempts": rng.random_range(1..4)});
    let calendar = json!({"inline": {
        "time_zone": "America/Sao_Paulo", "holidays": "brazil",
        "schedule": {"weekly": {"monday": [{"from": "12:00", "to": "12:10"}]}}
    }});
    match rng.random_range(0..16) {
        0 => json!({"kind": "hours", "calendar": calendar, "open": a, "closed": b, "holiday": d}),
        1 => json!({"kind": "prompt", "say": say(rng), "barge_in": barge_in, "next": a}),
        2..=5 => json!({
            "kind": "menu", "say": say(rng), "barge_in": barge_in, "otherwise": d, "repeat_key": "9",
            "invalid": retry, "no_input": retry,
            "choices": [{"key": "1", "to": a}, {"key": "2", "to": b}, {"key": "#", "to": c}],
        }),
        6 | 7 => json!({
            "kind": "collect", "say": say(rng), "variable": "x", "min": 1, "max": 3, "barge_in": barge_in,
            "sensitive": true, "invalid": retry, "no_input": retry, "next": a, "otherwise": d,
            "accept": maybe(rng, json!({"pattern": "ZX"})),
            "confirm": maybe(rng, confirm),
        }),
        8 => json!({
            "kind": "queue", "service": "s", "unanswered": d, "closed": e,
            "leave": [{"key": "1", "to": a}, {"key": "*", "to": b}],
        }),
        9 => json!({"kind": "flow", "flow": (["f0", "f1", "f2"].choose(rng)), "next": d}),
        10 => {
            json!({"kind": "dial", "to": {"number": "{{x}}"}, "busy": d, "no_answer": e, "ended": maybe(rng, a)})
        }
        11 => json!({
            "kind": "lookup", "url": "https://a.example/{{x}}", "values": {"y": "/y"}, "success": a, "failure": d,
        }),
        12 => json!({"kind": "set", "variable": "y", "value": "{{y}}{{x}}", "next": a}),
        13 => json!({
            "kind": "condition", "otherwise": b,
            "cases": [{"all": [{"variable": "x", "is": "less", "value": "5"}], "to": a}],
        }),
        14 => {
            json!({"kind": "record", "say": say(rng), "service": "s", "max_seconds": 20, "next": a})
        }
        _ => json!({"kind": (["return", "hang-up"].choose(rng))}),
    }
}

/// A flow that may be published, next to the others.
fn flow(rng: &mut StdRng, id: &FlowId, catalogue: &Catalogue) -> Flow {
    loop {
        let nodes = rng.random_range(1..12);
        let all: serde_json::Map<_, _> = (0..nodes)
            .map(|n| (format!("n{n}"), node(rng, nodes)))
            .collect();
        let failure = rng
            .random_bool(0.5)
            .then(|| format!("n{}", rng.random_range(0..nodes)));
        let value = json!({"format": 1, "entry": "n0", "failure": failure, "nodes": all});
        let flow = serde_json::from_value(value).unwrap();
        if is_publishable(&validate(&flow, Some(id), catalogue)) {
            return flow;
        }
    }
}

fn library(rng: &mut StdRng) -> Library {
    let ids = ["f0", "f1", "f2"].map(FlowId::new);
    let mut catalogue = Catalogue {
        prompts: ["p".into()].into(),
        services: ["s".into()].into(),
        flows: ids.iter().map(|id| (id.clone(), [].into())).collect(),
        ..Catalogue::default()
    };
    let mut flows = std::collections::BTreeMap::new();
    for id in ids {
        let flow = flow(rng, &id, &catalogue);
        catalogue.flows.insert(id.clone(), calls(&flow));
        flows.insert(id, Arc::new(flow));
    }
    Library {
        flows,
        ..Library::default()
    }
}

/// What is on its way outside, as a shell would know it.
#[derive(Default)]
struct Outside {
    playing: Option<Ticket>,
    queue: Option<Ticket>,
    dial: Option<(Ticket, bool)>,
    fetch: Option<Ticket>,
    /// A recording, and whether it is being put away: then it is not waited for without end.
    record: Option<(Ticket, bool)>,
    hang_ups: u32,
    entered: u32,
    steps: Vec<Step>,
}

impl Outside {
    fn perform(&mut self, session: &mut Session) {
        while let Some(output) = session.poll_output() {
            assert_eq!(self.hang_ups, 0, "nothing follows hanging up: {output:?}");
            match output {
                Output::Play { ticket, items, .. } => {
                    assert!(!items.is_empty());
                    self.playing = Some(ticket);
                }
                Output::StopPlaying { ticket } => assert_eq!(self.playing.take(), Some(ticket)),
                Output::Queue { ticket, .. } => assert_eq!(self.queue.replace(ticket), None),
                Output::LeaveQueue { ticket } => assert_eq!(self.queue.take(), Some(ticket)),
                Output::Dial { ticket, .. } => assert_eq!(self.dial.replace((ticket, false)), None),
                Output::CancelDial { ticket } => {
                    assert_eq!(self.dial.take().map(|(dial, _)| dial), Some(ticket))
                }
                Output::Fetch { ticket, .. } => assert_eq!(self.fetch.replace(ticket), None),
                Output::CancelFetch { ticket } => assert_eq!(self.fetch.take(), Some(ticket)),
                Output::Record { ticket, .. } => {
                    let before = self.record.replace((ticket, false));
                    assert!(before.is_none_or(|(_, stopped)| stopped));
                }
                Output::StopRecording { ticket } => {
                    assert_eq!(self.record.replace((ticket, true)), Some((ticket, false)));
                }
                Output::HangUp { .. } => self.hang_ups += 1,
                Output::Step(step) => {
                    self.entered += u32::from(matches!(step.did, Did::Entered { .. }));
                    self.steps.push(step);
                }
            }
        }
    }

    /// Answers one of the things asked for; whether there was any.
    fn answer(&mut self, rng: &mut StdRng, session: &mut Session, now: Now) -> bool {
        if let Some(ticket) = self.playing.take() {
            session.handle_played(now, ticket);
        } else if let Some(ticket) = self.queue.take() {
            let results = [
                QueueResult::Unanswered,
                QueueResult::Closed,
                QueueResult::Answered,
            ];
            session.handle_queued(
                now,
                ticket,
                results[usize::from(rng.random_range(0..20u8) / 8)],
            );
        } else if let Some((ticket, joined)) = self.dial.take() {
            let first = [
                DialResult::Answered,
                DialResult::Busy,
                DialResult::NoAnswer,
                DialResult::Failed,
            ];
            let result = if joined {
                DialResult::Ended
            } else {
                *first.choose(rng).unwrap()
            };
            self.dial = (result == DialResult::Answered).then_some((ticket, true));
            session.handle_dialled(now, ticket, result);
        } else if let Some(ticket) = self.fetch.take() {
            let answers = [
                Ok(Fetched {
                    status: 200,
                    body: br#"{"y": 3}"#.to_vec(),
                }),
                Ok(Fetched {
                    status: 200,
                    body: vec![0xff; 10],
                }),
                Ok(Fetched {
                    status: 500,
                    body: vec![],
                }),
                Err(FetchFailure::Unreachable),
            ];
            session.handle_fetched(now, ticket, answers.choose(rng).cloned().unwrap());
        } else if let Some((ticket, _)) = self.record.take() {
            session.handle_recorded(now, ticket, Duration::from_secs(rng.random_range(0..3)));
        } else {
            return false;
        }
        true
    }
}

/// Walks one call; `eagerness` is how often the caller presses a key rather than waits.
fn walk(seed: u64) -> Outside {
    let mut rng = StdRng::seed_from_u64(seed);
    let library = Arc::new(library(&mut rng));
    let mut session = Session::new(library, &FlowId::new("f0"), &Caller::default()).unwrap();
    let mut now = Now {
        instant: origin(),
        wall: monday_noon(),
    };
    let eagerness = *[0.0, 0.3, 0.9].choose(&mut rng).unwrap();
    let mut outside = Outside::default();
    session.start(now);
    for _ in 0..EVENTS_MAX {
        outside.perform(&mut session);
        if session.is_over() {
            assert_eq!(
                session.poll_timeout(),
                None,
                "no deadline outlives the walk"
            );
            return outside;
        }
        let pause = rng.random_range(0..1_000);
        now.instant += Duration::from_millis(pause);
        now.wall += jiff::SignedDuration::from_millis(pause.try_into().unwrap());
        if rng.random_bool(eagerness) {
            let face = *"0123456789*#"
                .chars()
                .collect::<Vec<_>>()
                .choose(&mut rng)
                .unwrap();
            session.handle_key(now, Key::new(face).unwrap());
        } else if rng.random_bool(0.8) && outside.answer(&mut rng, &mut session, now) {
            // Something was answered.
        } else if let Some(due) = session.poll_timeout() {
            now.instant = now.instant.max(due);
            session.handle_timeout(now);
        } else {
            assert!(
                outside.answer(&mut rng, &mut session, now),
                "seed {seed}: nothing is left to happen"
            );
        }
    }
    panic!("seed {seed}: the walk does not end");
}

#[test]
fn every_valid_flow_ends_within_its_limits_whatever_the_caller_does() {
    let mut longest = 0;
    let mut limits = 0;
    for seed in 0..1_000 {
        let outside = walk(seed);
        let entered_max = u32::from(STEPS_MAX) + u32::from(FAILURE_STEPS_MAX);
        assert!(
            outside.entered <= entered_max,
            "seed {seed}: {}",
            outside.entered
        );
        assert!(outside.hang_ups <= 1, "seed {seed}");
        let in_order = outside
            .steps
            .is_sorted_by_key(|step| (step.at, step.after_ms));
        assert!(in_order, "seed {seed}: the trail runs backwards");
        longest = longest.max(outside.entered);
        let limit = |step: &Step| matches!(&step.did, Did::Failed { why } if why.is_limit());
        limits += u32::from(outside.steps.iter().any(limit));
    }
    // The world must be wild enough to reach the limits, or it proves nothing.
    assert!(
        longest > 300 && limits > 10,
        "longest {longest}, limits met {limits}"
    );
}

#[test]
fn one_seed_is_one_walk() {
    assert_eq!(walk(7).steps, walk(7).steps);
}

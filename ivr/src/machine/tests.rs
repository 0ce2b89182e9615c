mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::hours::Zone;

/// A caller on a telephone, whose every second is told.
struct Call {
    start: Instant,
    now: Instant,
    session: Session,
    trail: Vec<Step>,
    /// What is being said, and the last things asked for.
    playing: Option<Ticket>,
    asked: Option<Ticket>,
}

/// The one clock read of these tests: only differences count.
#[allow(clippy::disallowed_methods)]
fn origin() -> Instant {
    Instant::now()
}

/// 2026-11-23 is a Monday; 12:00 in São Paulo.
fn monday_noon() -> Timestamp {
    "2026-11-23T12:00:00-03:00".parse().unwrap()
}

impl Call {
    fn new(flows: &[(&str, serde_json::Value)]) -> Self {
        let flows = flows
            .iter()
            .map(|(id, flow)| {
                (
                    FlowId::new(id),
                    Arc::new(serde_json::from_value(flow.clone()).unwrap()),
                )
            })
            .collect();
        let zone = Zone::named("America/Sao_Paulo").unwrap();
        let always = Arc::new(crate::hours::Calendar::always(zone));
        let library = Library {
            flows,
            calendars: [("always".into(), always)].into(),
        };
        let caller = Caller {
            from: "1140040000".to_owned(),
            to: "4000".to_owned(),
            protocol: "20261123000001".to_owned(),
        };
        let session = Session::new(Arc::new(library), &FlowId::new("main"), &caller).unwrap();
        let start = origin();
        Self {
            start,
            now: start,
            session,
            trail: vec![],
            playing: None,
            asked: None,
        }
    }

    /// A started call in a flow of these nodes, which begins at `a`.
    fn walk(nodes: serde_json::Value) -> (Self, Vec<String>) {
        let mut call = Self::new(&[(
            "main",
            serde_json::json!({"format": 1, "entry": "a", "nodes": nodes}),
        )]);
        let done = call.start();
        (call, done)
    }

    fn at(&self) -> Now {
        let since = jiff::SignedDuration::try_from(self.now - self.start).unwrap();
        Now {
            instant: self.now,
            wall: monday_noon() + since,
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    fn start(&mut self) -> Vec<String> {
        self.session.start(self.at());
        self.drain()
    }

    fn key(&mut self, face: char) -> Vec<String> {
        self.session.handle_key(self.at(), Key::new(face).unwrap());
        self.drain()
    }

    fn keys(&mut self, faces: &str) -> Vec<String> {
        faces.chars().flat_map(|face| self.key(face)).collect()
    }

    fn played(&mut self) -> Vec<String> {
        self.session
            .handle_played(self.at(), self.playing.expect("something is being said"));
        self.drain()
    }

    fn queued(&mut self, result: QueueResult) -> Vec<String> {
        self.session
            .handle_queued(self.at(), self.asked.expect("a wait"), result);
        self.drain()
    }

    fn dialled(&mut self, result: DialResult) -> Vec<String> {
        self.session
            .handle_dialled(self.at(), self.asked.expect("a dialled call"), result);
        self.drain()
    }

    fn fetched(&mut self, status: u16, body: &str) -> Vec<String> {
        let answer = Fetched {
            status,
            body: body.into(),
        };
        self.session
            .handle_fetched(self.at(), self.asked.expect("a request"), Ok(answer));
        self.drain()
    }

    fn recorded(&mut self, seconds: u64) -> Vec<String> {
        let ticket = self.asked.expect("a recording");
        self.session
            .handle_recorded(self.at(), ticket, Duration::from_secs(seconds));
        self.drain()
    }

    /// Lets time run to the next deadline, which must be `ms` away.
    fn time_out_after(&mut self, ms: u64) -> Vec<String> {
        let due = self.session.poll_timeout().expect("a deadline");
        assert_eq!(due - self.now, Duration::from_millis(ms));
        self.now = due - Duration::from_millis(1);
        self.session.handle_timeout(self.at());
        assert_eq!(self.drain(), [""; 0], "nothing happens a millisecond early");
        self.now = due;
        self.session.handle_timeout(self.at());
        self.drain()
    }

    /// What is to be done, in short; the trail is kept aside.
    fn drain(&mut self) -> Vec<String> {
        let mut done = vec![];
        while let Some(output) = self.session.poll_output() {
            done.push(match output {
                Output::Play { ticket, items, .. } => {
                    self.playing = Some(ticket);
                    let said: Vec<String> = items.iter().map(said).collect();
                    format!("say {}", said.join(" "))
                }
                Output::StopPlaying { ticket } => {
                    assert_eq!(self.playing.take(), Some(ticket));
                    "stop".to_owned()
                }
                Output::Queue {
                    ticket,
                    service,
                    skills,
                } => {
                    self.asked = Some(ticket);
                    let skills = skills.iter().map(|wanted| format!(" {}", wanted.skill));
                    format!("queue {service}{}", skills.collect::<String>())
                }
                Output::LeaveQueue { .. } => "leave queue".to_owned(),
                Output::Dial { ticket, to, ring } => {
                    self.asked = Some(ticket);
                    format!("dial {to:?} {ring:?}")
                }
                Output::CancelDial { .. } => "cancel dial".to_owned(),
                Output::Fetch { ticket, request } => {
                    self.asked = Some(ticket);
                    let Request {
                        method, url, body, ..
                    } = request;
                    format!("fetch {method:?} {url} {}", body.unwrap_or_default())
                        .trim()
                        .to_owned()
                }
                Output::CancelFetch { .. } => "cancel fetch".to_owned(),
                Output::Record {
                    ticket,
                    service,
                    max,
                } => {
                    self.asked = Some(ticket);
                    format!("record for {service} {max:?}")
                }
                Output::StopRecording { .. } => "stop recording".to_owned(),
                Output::HangUp { cause } => format!("hang up {cause:?}"),
                Output::Step(step) => {
                    self.trail.push(step);
                    continue;
                }
            });
        }
        done
    }

    /// The trail as `node: what`, without the entering of nodes.
    fn trail(&self) -> Vec<String> {
        let entered = |step: &&Step| !matches!(step.did, Did::Entered { .. });
        self.trail
            .iter()
            .filter(entered)
            .map(|step| format!("{} {}: {:?}", step.after_ms, step.node, step.did))
            .collect()
    }
}

fn said(item: &Spoken) -> String {
    match item {
        Spoken::Prompt(id) => format!("[{id}]"),
        Spoken::Text { text, .. } => text.clone(),
        Spoken::Word(word) => match word.name.as_ref() {
            "sentences/invalid-key" => "<invalid>".to_owned(),
            "sentences/no-input" => "<silent>".to_owned(),
            "generated/beep" => "<beep>".to_owned(),
            _ => word.text.to_string(),
        },
    }
}

/// A menu `a` with the key 1 to `sales`, 9 to repeat, and three attempts.
fn menu() -> serde_json::Value {
    serde_json::json!({
        "a": {
            "kind": "menu", "say": [{"kind": "text", "text": "Menu."}],
            "choices": [{"key": "1", "to": "sales"}], "repeat_key": "9", "otherwise": "bye"
        },
        "sales": {"kind": "queue", "service": "Vendas", "unanswered": "bye"},
        "bye": {"kind": "hang-up", "say": [{"kind": "prompt", "prompt": "bye"}]},
    })
}

#[test]
fn a_key_during_the_question_stops_it_and_is_its_answer() {
    let (mut call, done) = Call::walk(menu());
    assert_eq!(done, ["say Menu."]);
    call.pass(1_500);
    assert_eq!(call.key('1'), ["stop", "queue Vendas"]);
    assert_eq!(
        call.session.poll_timeout(),
        None,
        "the service sets the limit of the wait"
    );
    assert_eq!(
        call.trail(),
        [
            "1500 a: Heard { interrupted: true }",
            "1500 a: Pressed { key: Key(1) }",
            "1500 sales: Queued { service: \"Vendas\" }",
        ]
    );
}

#[test]
fn silence_is_counted_from_the_end_of_the_question_and_given_up_after_three_times() {
    let (mut call, _) = Call::walk(menu());
    call.pass(20_000);
    assert_eq!(call.played(), [""; 0]);
    assert_eq!(call.time_out_after(5_000), ["say <silent> Menu."]);
    call.pass(3_000);
    assert_eq!(call.played(), [""; 0]);
    assert_eq!(call.time_out_after(5_000), ["say <silent> Menu."]);
    assert_eq!(call.played(), [""; 0]);
    assert_eq!(call.time_out_after(5_000), ["say [bye]"]);
    assert_eq!(call.played(), ["hang up Normal"]);
    assert!(call.session.is_over());
    assert_eq!(call.session.poll_timeout(), None);
}

#[test]
fn nobody_answering_in_the_queue_goes_on_with_the_message_for_it() {
    let (mut call, _) = Call::walk(menu());
    call.key('1');
    call.pass(60_000);
    assert_eq!(call.queued(QueueResult::Unanswered), ["say [bye]"]);
    assert_eq!(call.played(), ["hang up Normal"]);
    assert_eq!(
        call.queued(QueueResult::Unanswered),
        [""; 0],
        "an old ticket does nothing"
    );
}

#[test]
fn an_agent_who_takes_the_call_ends_the_flow() {
    let (mut call, _) = Call::walk(menu());
    call.key('1');
    assert_eq!(call.queued(QueueResult::Answered), [""; 0]);
    assert!(call.session.is_over());
}

#[test]
fn digits_end_at_the_pause_the_terminator_or_the_last_one() {
    let collect = serde_json::json!({
        "a": {
            "kind": "collect", "say": [{"kind": "text", "text": "Code?"}], "variable": "code",
            "min": 2, "max": 4, "next": "b"
        },
        "b": {"kind": "hang-up", "say": [{"kind": "text", "text": "{{code}}!"}]},
    });
    let (mut call, done) = Call::walk(collect.clone());
    assert_eq!(done, ["say Code?"]);
    assert_eq!(call.keys("12"), ["stop"]);
    assert_eq!(call.time_out_after(3_000), ["say 12!"]);

    let (mut call, _) = Call::walk(collect.clone());
    assert_eq!(call.keys("123#"), ["stop", "say 123!"]);

    let (mut call, _) = Call::walk(collect);
    assert_eq!(call.keys("1#"), ["stop", "say <invalid> Code?"]);
    assert_eq!(call.keys("1234"), ["stop", "say 1234!"]);
}

#[test]
fn a_look_up_fills_variables_from_the_answer() {
    let (mut call, done) = Call::walk(serde_json::json!({
        "a": {
            "kind": "lookup", "url": "https://crm.example/c?n={{call.from}}&x={{y}}",
            "values": {"name": "/customer/0/name"}, "success": "b", "failure": "c"
        },
        "b": {"kind": "hang-up", "say": [{"kind": "text", "text": "Olá, {{name}}"}]},
        "c": {"kind": "hang-up", "cause": "failure"},
    }));
    assert_eq!(done, ["fetch Get https://crm.example/c?n=1140040000&x="]);
    call.pass(80);
    assert_eq!(
        call.fetched(200, r#"{"customer":[{"name":"Ana"}]}"#),
        ["say Olá, Ana"]
    );
}

#[test]
fn a_dialled_party_joins_and_its_leaving_ends_the_call() {
    let (mut call, done) = Call::walk(serde_json::json!({
        "a": {"kind": "dial", "to": {"extension": "200"}, "busy": "b"},
        "b": {"kind": "hang-up", "cause": "busy"},
    }));
    assert_eq!(done, ["dial Extension(\"200\") 30s"]);
    assert_eq!(call.dialled(DialResult::Answered), [""; 0]);
    assert_eq!(call.session.poll_timeout(), None);
    assert_eq!(call.dialled(DialResult::Ended), ["hang up Normal"]);
}

#[test]
fn a_message_is_recorded_after_the_beep_until_the_key() {
    let (mut call, done) = Call::walk(serde_json::json!({
        "a": {
            "kind": "record", "say": [{"kind": "text", "text": "Fale."}], "service": "Vendas",
            "max_seconds": 30, "next": "b"
        },
        "b": {"kind": "hang-up"},
    }));
    assert_eq!(done, ["say Fale. <beep>"]);
    call.pass(2_000);
    assert_eq!(call.played(), ["record for Vendas 30s"]);
    assert_eq!(call.key('5'), [""; 0]);
    assert_eq!(call.key('#'), ["stop recording"]);
    assert_eq!(call.recorded(4), ["hang up Normal"]);
    assert_eq!(call.session.variable("record.seconds"), Some("4"));
}

#[test]
fn keys_typed_ahead_pass_questions_and_prompts_that_may_be_interrupted() {
    let (mut call, done) = Call::walk(serde_json::json!({
        "a": {"kind": "prompt", "say": [{"kind": "text", "text": "Oi."}], "next": "b"},
        "b": {
            "kind": "menu", "say": [{"kind": "text", "text": "Menu."}],
            "choices": [{"key": "1", "to": "wait"}]
        },
        "wait": {"kind": "lookup", "url": "https://x.example/", "success": "c"},
        "c": {"kind": "prompt", "say": [{"kind": "text", "text": "Skipped."}], "next": "d"},
        "d": {
            "kind": "collect", "say": [{"kind": "text", "text": "Code?"}], "variable": "code",
            "min": 1, "max": 3, "next": "e"
        },
        "e": {"kind": "hang-up", "say": [{"kind": "text", "text": "{{code}}"}]},
    }));
    assert_eq!(done, ["say Oi."]);
    assert_eq!(
        call.key('1'),
        ["stop", "fetch Get https://x.example/"],
        "the menu was answered ahead"
    );
    assert_eq!(call.keys("42"), [""; 0]);
    assert_eq!(
        call.fetched(200, ""),
        [""; 0],
        "the question was answered ahead, and takes more"
    );
    assert_eq!(call.key('#'), ["say 42"]);
}

#[test]
fn a_prompt_without_barge_in_discards_the_keys_before_its_end() {
    let (mut call, done) = Call::walk(serde_json::json!({
        "a": {"kind": "lookup", "url": "https://x.example/", "success": "b"},
        "b": {"kind": "prompt", "say": [{"kind": "text", "text": "Lei."}], "barge_in": false, "next": "c"},
        "c": {
            "kind": "menu", "say": [{"kind": "text", "text": "Menu."}], "barge_in": false,
            "choices": [{"key": "1", "to": "d"}]
        },
        "d": {"kind": "hang-up"},
    }));
    assert_eq!(done, ["fetch Get https://x.example/"]);
    assert_eq!(call.key('1'), [""; 0]);
    assert_eq!(
        call.fetched(204, ""),
        ["say Lei."],
        "the key typed ahead does not skip it"
    );
    assert_eq!(call.key('1'), [""; 0]);
    assert_eq!(
        call.played(),
        ["say Menu."],
        "nor does it answer what comes after"
    );
    assert_eq!(
        call.key('1'),
        [""; 0],
        "the question is not to be interrupted either"
    );
    assert_eq!(call.played(), [""; 0]);
    assert_eq!(call.key('1'), ["hang up Normal"]);
}

#[test]
fn a_wrong_key_drops_what_was_typed_after_it() {
    let (mut call, _) = Call::walk(serde_json::json!({
        "a": {"kind": "lookup", "url": "https://x.example/", "success": "b"},
        "b": {
            "kind": "menu", "say": [{"kind": "text", "text": "Menu."}],
            "choices": [{"key": "1", "to": "c"}]
        },
        "c": {"kind": "hang-up"},
    }));
    call.keys("71");
    assert_eq!(call.fetched(204, ""), ["say <invalid> Menu."]);
}

#[test]
fn the_repeat_key_says_the_question_again_and_is_no_attempt() {
    let (mut call, _) = Call::walk(menu());
    for _ in 0..10 {
        assert_eq!(call.key('9'), ["stop", "say Menu."]);
    }
    assert_eq!(call.key('7'), ["stop", "say <invalid> Menu."]);
    assert_eq!(call.key('7'), ["stop", "say <invalid> Menu."]);
    assert_eq!(call.key('7'), ["stop", "say [bye]"]);
}

#[test]
fn wrong_answers_and_silence_are_counted_apart() {
    let (mut call, _) = Call::walk(menu());
    call.key('7');
    call.played();
    call.time_out_after(5_000);
    assert_eq!(call.key('7'), ["stop", "say <invalid> Menu."]);
    call.played();
    assert_eq!(call.time_out_after(5_000), ["say <silent> Menu."]);
    assert_eq!(call.key('1'), ["stop", "queue Vendas"]);
}

#[test]
fn a_terminator_after_the_last_digit_possible_is_swallowed() {
    let nodes = serde_json::json!({
        "a": {
            "kind": "collect", "say": [], "variable": "code", "min": 2, "max": 2, "next": "b"
        },
        "b": {
            "kind": "menu", "say": [{"kind": "text", "text": "Menu."}],
            "choices": [{"key": "#", "to": "c"}]
        },
        "c": {"kind": "hang-up"},
    });
    let (mut call, _) = Call::walk(nodes.clone());
    assert_eq!(call.keys("12"), ["say Menu."]);
    call.pass(2_999);
    assert_eq!(call.key('#'), [""; 0], "it was meant for the digits");
    assert_eq!(call.key('#'), ["stop", "hang up Normal"]);

    let (mut call, _) = Call::walk(nodes);
    call.keys("12");
    call.pass(3_000);
    assert_eq!(
        call.key('#'),
        ["stop", "hang up Normal"],
        "so late it is an answer"
    );
}

/// A sensitive code of four digits that is confirmed, then said and dialled.
fn secret() -> serde_json::Value {
    serde_json::json!({
        "a": {
            "kind": "collect", "say": [{"kind": "text", "text": "Senha?"}], "variable": "pin",
            "min": 4, "max": 4, "sensitive": true, "otherwise": "end",
            "accept": {"pattern": "ZXXX"}, "next": "b", "invalid": {"say": [], "attempts": 3},
            "confirm": {"say": [{"kind": "digits", "value": "{{pin}}"}], "yes": "1", "no": "2"}
        },
        "b": {"kind": "set", "variable": "copy", "value": "0{{pin}}", "next": "c"},
        "c": {"kind": "dial", "to": {"number": "{{copy}}"}},
        "end": {"kind": "hang-up"},
    })
}

#[test]
fn digits_are_confirmed_or_asked_for_again() {
    let (mut call, _) = Call::walk(secret());
    assert_eq!(call.keys("4711"), ["stop", "say quatro sete um um"]);
    assert_eq!(call.key('2'), ["stop", "say Senha?"]);
    assert_eq!(
        call.keys("0711"),
        ["stop", "say Senha?"],
        "the pattern wants no zero there"
    );
    assert_eq!(call.keys("8822"), ["stop", "say oito oito dois dois"]);
    assert_eq!(
        call.key('5'),
        ["stop", "hang up Normal"],
        "the third wrong answer"
    );

    let (mut call, _) = Call::walk(secret());
    call.keys("4711");
    assert_eq!(call.key('1'), ["stop", "dial Number(\"04711\") 30s"]);
}

#[test]
fn sensitive_digits_are_masked_wherever_they_go() {
    let (mut call, _) = Call::walk(secret());
    call.keys("0711");
    call.keys("4711");
    call.key('1');
    let trail = format!(
        "{:?} {}",
        call.trail,
        serde_json::to_string(&call.trail).unwrap()
    );
    assert!(trail.contains("••••"));
    assert!(!trail.contains("711"), "{trail}");
    assert!(
        !format!("{:?}", call.session).contains("711"),
        "{:?}",
        call.session
    );
}

#[test]
fn ringing_ends_in_time_and_a_late_answer_does_nothing() {
    let (mut call, _) = Call::walk(serde_json::json!({
        "a": {"kind": "dial", "to": {"number": "1"}, "ring_ms": 15_000, "no_answer": "b"},
        "b": {"kind": "hang-up", "cause": "no-answer"},
    }));
    assert_eq!(
        call.time_out_after(15_000),
        ["cancel dial", "hang up NoAnswer"]
    );
    assert_eq!(call.dialled(DialResult::Answered), [""; 0]);
}

#[test]
fn a_look_up_that_takes_too_long_or_is_not_json_has_failed() {
    let nodes = serde_json::json!({
        "a": {
            "kind": "lookup", "url": "https://x.example/", "timeout_ms": 700, "values": {"x": "/x"},
            "success": "b", "failure": "c"
        },
        "b": {"kind": "hang-up"},
        "c": {"kind": "hang-up", "cause": "failure"},
    });
    let (mut call, _) = Call::walk(nodes.clone());
    assert_eq!(
        call.time_out_after(700),
        ["cancel fetch", "hang up Failure"]
    );
    for (status, body) in [(200, "<html>"), (404, "{}"), (302, "{}")] {
        let (mut call, _) = Call::walk(nodes.clone());
        assert_eq!(
            call.fetched(status, body),
            ["hang up Failure"],
            "{status} {body}"
        );
        assert_eq!(
            call.session.variable("lookup.status"),
            Some(status.to_string().as_str())
        );
    }
    let (mut call, _) = Call::walk(nodes);
    assert_eq!(
        call.fetched(200, "{}"),
        ["hang up Normal"],
        "what is missing is empty"
    );
    assert_eq!(call.session.variable("x"), Some(""));
}

#[test]
fn a_recording_ends_at_its_limit_and_is_not_waited_for_long() {
    let (mut call, _) = Call::walk(serde_json::json!({
        "a": {"kind": "record", "say": [], "beep": false, "service": "Vendas", "max_seconds": 30, "next": "b"},
        "b": {"kind": "hang-up"},
    }));
    assert_eq!(call.time_out_after(30_000), ["stop recording"]);
    assert_eq!(call.time_out_after(5_000), ["hang up Normal"]);
}

#[test]
fn a_waiting_caller_leaves_the_queue_by_its_key_alone() {
    let (mut call, done) = Call::walk(serde_json::json!({
        "a": {"kind": "queue", "service": "Vendas", "skills": [{"skill": "fatura", "level": 2}],
            "leave": [{"key": "1", "to": "b"}]},
        "b": {"kind": "hang-up"},
    }));
    assert_eq!(done, ["queue Vendas fatura"]);
    assert_eq!(call.key('2'), [""; 0]);
    assert_eq!(call.key('1'), ["leave queue", "hang up Normal"]);
}

#[test]
fn a_closed_queue_goes_where_an_unanswered_one_would_unless_told_otherwise() {
    let (mut call, _) = Call::walk(menu());
    call.key('1');
    assert_eq!(call.queued(QueueResult::Closed), ["say [bye]"]);
}

#[test]
fn a_caller_who_leaves_ends_everything_that_is_on_its_way() {
    let (mut call, _) = Call::walk(menu());
    call.session.handle_left(call.at());
    assert_eq!(call.drain(), ["stop"]);
    let (mut call, _) = Call::walk(menu());
    call.key('1');
    call.session.handle_left(call.at());
    assert_eq!(call.drain(), ["leave queue"]);
    call.session.handle_left(call.at());
    call.key('1');
    assert_eq!(call.drain(), [""; 0]);
    assert_eq!(
        call.trail().last().map(String::as_str),
        Some("0 sales: CallerLeft")
    );
}

#[test]
fn hours_branch_and_leave_what_they_know() {
    let nodes = |holidays: &str, weekday: &str| {
        serde_json::json!({
            "a": {
                "kind": "hours", "open": "o", "closed": "c", "holiday": "h",
                "calendar": {"inline": {
                    "time_zone": "America/Sao_Paulo", "holidays": holidays,
                    "schedule": {"weekly": {weekday: [{"from": "08:00", "to": "18:00"}]}},
                    "dates": [{"name": "Aniversário", "on": "2027-11-23", "hours": "closed"}]
                }}
            },
            "o": {"kind": "hang-up", "say": [{"kind": "time", "value": "{{hours.closes_at}}"}]},
            "c": {"kind": "hang-up", "say": [{"kind": "date", "value": "{{hours.opens_at}}"}]},
            "h": {"kind": "hang-up", "say": [{"kind": "text", "text": "{{hours.holiday}}"}]},
        })
    };
    let (_, done) = Call::walk(nodes("brazil", "monday"));
    assert_eq!(done, ["say dezoito horas"]);
    let (_, done) = Call::walk(nodes("none", "tuesday"));
    assert_eq!(
        done,
        ["say vinte e quatro de novembro de dois mil e vinte e seis"]
    );
    let mut closed = nodes("brazil", "monday");
    closed["a"]["calendar"]["inline"]["dates"][0]["on"] = "2026-11-23".into();
    let (_, done) = Call::walk(closed);
    assert_eq!(done, ["say Aniversário"]);
}

#[test]
fn flows_go_into_each_other_and_come_back() {
    let flow = |nodes| serde_json::json!({"format": 1, "language": "en", "entry": "a", "variables": {"x": "1"}, "nodes": nodes});
    let mut call = Call::new(&[
        (
            "main",
            flow(serde_json::json!({
                "a": {"kind": "set", "variable": "x", "value": "7", "next": "b"},
                "b": {"kind": "flow", "flow": "sub", "next": "c"},
                "c": {"kind": "hang-up", "say": [{"kind": "text", "text": "{{x}} {{y}}"}]},
            })),
        ),
        (
            "sub",
            flow(serde_json::json!({
                "a": {"kind": "prompt", "say": [{"kind": "number", "value": "{{x}}"}], "next": "b"},
                "b": {"kind": "flow", "flow": "last"},
            })),
        ),
        (
            "last",
            flow(serde_json::json!({
                "a": {"kind": "set", "variable": "y", "value": "done", "next": "b"},
                "b": {"kind": "return"},
            })),
        ),
    ]);
    assert_eq!(call.start(), ["say seven"]);
    assert_eq!(call.session.place(), Some((&"sub".into(), &"a".into())));
    assert_eq!(call.played(), ["say 7 done"]);
    assert_eq!(call.played(), ["hang up Normal"]);
}

#[test]
fn a_failure_takes_the_innermost_exit_there_is() {
    let flow = |failure, nodes| serde_json::json!({"format": 1, "entry": "a", "failure": failure, "nodes": nodes});
    let sub = serde_json::json!({"a": {"kind": "flow", "flow": "missing"}});
    let main = serde_json::json!({
        "a": {"kind": "flow", "flow": "sub", "next": "a"},
        "f": {"kind": "hang-up", "say": [{"kind": "text", "text": "Desculpe."}], "cause": "failure"},
    });
    let mut call = Call::new(&[
        ("main", flow(Some("f"), main.clone())),
        ("sub", flow(None, sub.clone())),
    ]);
    assert_eq!(call.start(), ["say Desculpe."]);
    assert_eq!(call.played(), ["hang up Failure"]);
    let mut call = Call::new(&[("main", flow(None, main)), ("sub", flow(None, sub))]);
    assert_eq!(call.start(), ["hang up Failure"]);
}

#[test]
fn flows_that_call_each_other_for_ever_stop_at_the_depth_limit() {
    let nodes = serde_json::json!({"a": {"kind": "flow", "flow": "main", "next": "a"}});
    let mut call = Call::new(&[(
        "main",
        serde_json::json!({"format": 1, "entry": "a", "nodes": nodes}),
    )]);
    assert_eq!(call.start(), ["hang up Failure"]);
    let entered = call
        .trail
        .iter()
        .filter(|step| matches!(step.did, Did::Entered { .. }))
        .count();
    assert_eq!(entered, DEPTH_MAX);
}

#[test]
fn a_loop_that_waits_for_nobody_is_left_by_the_failure_exit() {
    let nodes = serde_json::json!({
        "a": {"kind": "set", "variable": "x", "value": "1", "next": "a"},
        "f": {"kind": "hang-up", "say": [{"kind": "text", "text": "Desculpe."}]},
    });
    let mut call = Call::new(&[(
        "main",
        serde_json::json!({"format": 1, "entry": "a", "failure": "f", "nodes": nodes}),
    )]);
    assert_eq!(call.start(), ["say Desculpe."]);
    let entered = call
        .trail
        .iter()
        .filter(|step| matches!(step.did, Did::Entered { .. }))
        .count();
    assert_eq!(entered, usize::from(STEPS_WITHOUT_INPUT_MAX) + 1);

    let nodes =
        serde_json::json!({"a": {"kind": "set", "variable": "x", "value": "1", "next": "a"}});
    let mut call = Call::new(&[(
        "main",
        serde_json::json!({"format": 1, "entry": "a", "failure": "a", "nodes": nodes}),
    )]);
    assert_eq!(
        call.start(),
        ["hang up Failure"],
        "a failure exit that fails as well ends the call"
    );
}

#[test]
fn something_said_that_never_ends_is_given_up() {
    let (mut call, _) = Call::walk(serde_json::json!({
        "a": {"kind": "hang-up", "say": [{"kind": "text", "text": "x"}]},
    }));
    assert_eq!(call.time_out_after(600_000), ["stop", "hang up Normal"]);
}

#[test]
fn what_cannot_be_said_as_a_number_is_read_as_text_and_nothing_is_not_said() {
    let (_, done) = Call::walk(serde_json::json!({
        "a": {"kind": "hang-up", "say": [
            {"kind": "number", "value": "{{call.to}}"}, {"kind": "number", "value": "doze"},
            {"kind": "money", "value": "{{nothing}}"}, {"kind": "text", "text": " {{nothing}} "}
        ]},
    }));
    assert_eq!(done, ["say quatro mil doze"]);
    let (_, done) = Call::walk(serde_json::json!({
        "a": {"kind": "hang-up", "say": [{"kind": "date", "value": "{{nothing}}"}]},
    }));
    assert_eq!(done, ["hang up Normal"], "nothing to say takes no time");
}

#[test]
fn the_trail_is_flat_json() {
    let (mut call, _) = Call::walk(serde_json::json!({
        "a": {"kind": "queue", "service": "Vendas"},
    }));
    call.pass(1_500);
    call.queued(QueueResult::LeftByKey(Key::STAR));
    let json: Vec<_> = call
        .trail
        .iter()
        .skip(2)
        .map(|step| serde_json::to_value(step).unwrap())
        .collect();
    let step = |rest: serde_json::Value| {
        let mut step = serde_json::json!({
            "at": "2026-11-23T15:00:01.5Z", "after_ms": 1_500, "flow": "main", "node": "a",
        });
        let fields = rest.as_object().unwrap().clone();
        step.as_object_mut().unwrap().extend(fields);
        step
    };
    assert_eq!(
        json,
        [
            step(serde_json::json!({"did": "queue-ended", "result": {"left-by-key": "*"}})),
            step(serde_json::json!({"did": "failed", "why": "no-branch"})),
            step(serde_json::json!({"did": "hung-up", "cause": "failure"})),
        ]
    );
}

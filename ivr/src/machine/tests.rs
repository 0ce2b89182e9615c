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
                Output::Queue { ticket, service } => {
                    self.asked = Some(ticket);
                    format!("queue {service}")
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

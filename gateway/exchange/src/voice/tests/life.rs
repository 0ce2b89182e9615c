//! What customers who write are told without anybody writing it, and when they are not waited for.

use desk::id::{CompanyId, InteractionId};
use desk::kept::{Said, Standing};
use desk::record::Medium;
use ivr::hours::Calendar;
use serde_json::Value;

use super::agents::*;
use super::written::{id, written_desk};
use super::*;
use crate::text::{Expiry, Settings, Words};
use crate::voice::Holder;

const MINUTE: u64 = 60;

/// From Monday to Friday from 13:00 to 18:00 UTC; the scene begins on a Monday at 12:00.
const AFTERNOONS: &str = r#"{ "time_zone": "UTC", "schedule": { "weekly": {
    "monday": [{ "from": "13:00", "to": "18:00" }] } }, "holidays": "none" }"#;

impl Scene {
    /// What nobody wrote, and the lines beside it, in order.
    pub(super) fn lines_said(&self) -> Vec<String> {
        let told = self.kept.iter().filter_map(|kept| match kept {
            Kept::Said(said) => Some(said.purpose.to_owned()),
            Kept::Step(step) => Some(match &step.standing {
                Standing::Open => step.line.kind.as_str().to_owned(),
                Standing::Ended(end) => format!("{} {}", end.by.as_str(), end.cause),
            }),
            _ => None,
        });
        told.collect()
    }

    fn said(&self) -> Vec<&Said> {
        let said = self.kept.iter().filter_map(|kept| match kept {
            Kept::Said(said) => Some(&**said),
            _ => None,
        });
        said.collect()
    }

    /// The lives that the store would have.
    pub(super) fn lives(&self) -> Vec<(CompanyId, InteractionId, Value)> {
        let mut lives = BTreeMap::new();
        for kept in &self.kept {
            match kept {
                Kept::Life {
                    company,
                    interaction,
                    record,
                    ..
                } => {
                    let life = (company.clone(), interaction.clone(), record.clone());
                    lives.insert(interaction.clone(), life);
                }
                Kept::LifeRemoved(interaction) => {
                    lives.remove(interaction);
                }
                _ => {}
            }
        }
        lives.into_values().collect()
    }

    fn replies(&mut self, interaction: &str, seq: u32) {
        self.voice
            .handle_reply(self.now, &company(), &id(interaction), seq);
        self.settle();
    }

    pub(super) fn minutes(&mut self, minutes: u64) {
        let passed = self.now.instant - self.start.instant;
        self.until(passed + Duration::from_secs(minutes * MINUTE));
    }
}

pub(super) fn lively() -> Scene {
    let mut scene = written_desk();
    scene.change(|company| {
        let words = Words::default;
        let settings = Settings {
            flow: None,
            bot: None,
            greeting: Some(words()),
            absence: Some(words()),
            position: None,
            waiting: None,
            expiry: Some(Expiry {
                warning: Some((Duration::from_secs(10 * MINUTE), words())),
                after: Duration::from_secs(15 * MINUTE),
                farewell: words(),
            }),
            closing: Some(words()),
            survey: None,
        };
        company.channels.insert(id("erp"), settings);
    });
    scene
}

/// The channel asks first which of two services it is about.
fn asking() -> Scene {
    let mut scene = lively();
    let flow: ivr::Flow = serde_json::from_str(QUESTION).expect("a flow");
    scene.change(|company| {
        let library = Arc::make_mut(&mut company.library);
        library.flows.insert("question".into(), Arc::new(flow));
        let settings = company.channels.values_mut().next().expect("one");
        settings.flow = Some("question".into());
        settings.greeting = None;
    });
    scene
}

const QUESTION: &str = r#"{ "format": 1, "language": "pt-BR", "entry": "welcome",
    "layout": { "bill": { "x": 0, "y": 0, "title": "Segunda via" } }, "nodes": {
    "welcome": { "kind": "prompt", "say": [{ "kind": "text", "text": "Bem-vindo!" }], "next": "menu" },
    "menu": { "kind": "menu", "say": [{ "kind": "text", "text": "Sobre o que é?" }],
        "choices": [{ "key": "1", "to": "sales" }, { "key": "2", "to": "bill" }], "otherwise": "bye" },
    "sales": { "kind": "queue", "service": "sales", "unanswered": "nobody", "closed": "nobody" },
    "bill": { "kind": "lookup", "url": "https://erp.example/bill", "values": { "bill": "/bill" },
        "success": "told", "failure": "sales" },
    "told": { "kind": "hang-up", "say": [{ "kind": "text", "text": "Seu boleto: {{bill}}" }] },
    "nobody": { "kind": "hang-up", "say": [{ "kind": "text", "text": "Ninguém pode atender agora." }] },
    "bye": { "kind": "hang-up" } } }"#;

fn closed_until_13(scene: &mut Scene) {
    scene.change(|company| {
        let calendar: Calendar = serde_json::from_str(AFTERNOONS).expect("a calendar");
        let service = company.services.values_mut().next().expect("one");
        service.calendar = Some(Arc::new(calendar));
    });
}

#[test]
fn who_writes_is_greeted_after_the_line_of_the_queue_and_hears_the_last_words_before_the_end() {
    let mut scene = lively();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    let work = scene.takes("ana");
    scene.writes("i1", 2).expect("it is in hand");
    scene.closes("ana", &work);
    let told = [
        "queued",
        "greeting",
        "agent_answered",
        "closing",
        "agent closed",
    ];
    assert_eq!(scene.lines_said(), told);
    let greeting = scene.said()[0];
    assert_eq!(
        greeting.author,
        serde_json::json!({ "kind": "system", "name": "Demo" })
    );
    let text = greeting.content["text"].as_str().expect("text");
    assert!(text.ends_with("Seu protocolo é 20261123000001."), "{text}");
    assert!(scene.lives().is_empty());
}

#[test]
fn who_writes_while_it_is_closed_is_told_when_it_opens() {
    let mut scene = lively();
    closed_until_13(&mut scene);
    scene.writes("i1", 1).expect("it waits all the same");
    scene.writes("i1", 2).expect("it waits");
    assert_eq!(scene.lines_said(), ["queued", "absence"]);
    let text = scene.said()[0].content["text"].as_str().expect("text");
    assert!(text.contains("voltamos em 23/11 13:00."), "{text}");
}

#[test]
fn who_does_not_answer_the_agent_is_warned_and_left_and_may_come_back() {
    let mut scene = lively();
    scene.writes("i1", 1).expect("room");
    scene.minutes(30);
    scene.sits_down("ana");
    scene.takes("ana");
    scene.minutes(60);
    assert_eq!(
        scene.lines_said().last().map(String::as_str),
        Some("agent_answered")
    );
    scene.replies("i1", 2);
    scene.minutes(9);
    assert_eq!(scene.lines_said().len(), 3, "{:?}", scene.lines_said());
    scene.minutes(1);
    assert_eq!(scene.lines_said()[3..], ["expiry_warning"]);
    scene.minutes(5);
    assert_eq!(scene.lines_said()[4..], ["expired", "ramal expired"]);
    assert!(scene.lives().is_empty());
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    let passed = scene.now.instant - scene.start.instant;
    scene.until(passed + Duration::from_secs(11));
    assert_eq!(scene.doing("ana"), [""; 0]);
    assert_eq!(scene.lines_said().len(), 6, "it ended once");
    assert_eq!(
        scene.writes("i1", 3),
        Ok(Holder::Offered(vec![agent("ana")]))
    );
    let back = scene.takes("ana");
    scene.closes("ana", &back);
    assert_eq!(
        scene.lines_said().last().map(String::as_str),
        Some("agent closed")
    );
}

#[test]
fn the_time_of_a_customer_runs_on_while_the_program_begins_again() {
    let mut scene = lively();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    scene.takes("ana");
    scene.replies("i1", 2);
    scene.minutes(4);
    let mut scene = scene.started_later(&[("ana", &[])], Duration::from_secs(MINUTE));
    let settings = lively().voice.shared.directory.companies[&company()]
        .channels
        .clone();
    scene.change(|company| company.channels = settings);
    scene.sits_down("ana");
    assert_eq!(scene.lines_said(), [""; 0]);
    scene.minutes(4);
    assert_eq!(scene.lines_said(), [""; 0]);
    scene.minutes(1);
    assert_eq!(scene.lines_said(), ["expiry_warning"]);
    scene.writes("i1", 3).expect("it is in hand");
    scene.minutes(60);
    assert_eq!(
        scene.lines_said(),
        ["expiry_warning"],
        "the agent is to answer"
    );
}

#[test]
fn a_channel_without_settings_says_nothing_and_keeps_nothing() {
    let mut scene = written_desk();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    scene.takes("ana");
    scene.replies("i1", 2);
    scene.minutes(600);
    assert_eq!(scene.lines_said(), ["queued", "agent_answered"]);
    assert!(scene.lives().is_empty());
}

impl Scene {
    pub(super) fn types(&mut self, seq: u32, text: &str) {
        let done = self.writes_words(Medium::Chat, ("sales", "i1"), seq, text);
        done.expect("room");
    }

    pub(super) fn texts(&self) -> Vec<&str> {
        let texts = self.said().into_iter();
        texts
            .map(|said| said.content["text"].as_str().expect("text"))
            .collect()
    }
}

const WELCOME: &str = "Bem-vindo!\nSobre o que é?\n1 - Vendas\n2 - Segunda via";

#[test]
fn a_flow_asks_first_and_the_name_of_a_service_leads_there() {
    let mut scene = asking();
    scene.sits_down("ana");
    scene.types(1, "oi");
    assert_eq!(scene.texts(), [WELCOME]);
    let choices = serde_json::json!([{ "id": "1", "title": "Vendas" },
        { "id": "2", "title": "Segunda via" }]);
    assert_eq!(scene.said()[0].content["choices"], choices);
    assert_eq!(scene.lines_said(), ["flow_entered", "flow"]);
    assert_eq!(scene.doing("ana"), [""; 0], "nobody is disturbed yet");
    scene.types(2, "tudo bem?");
    assert_eq!(scene.texts().len(), 1, "written before it was read");
    scene.minutes(1);
    scene.types(2, "quero falar");
    assert_eq!(scene.texts().len(), 2, "asked again");
    scene.types(3, "VENDAS");
    assert_eq!(scene.lines_said()[3..], ["queued"]);
    let work = scene.takes("ana");
    scene.types(4, "2");
    scene.closes("ana", &work);
    let told = ["agent_answered", "closing", "agent closed"];
    assert_eq!(scene.lines_said()[4..], told);
}

#[test]
fn a_choice_is_named_within_a_sentence_unless_two_are() {
    for (text, lines) in [
        ("Quero VENDAS, por favor", &["queued"][..]),
        ("vendas ou segunda via?", &["flow"]),
        ("revendas", &["flow"]),
    ] {
        let mut scene = asking();
        scene.types(1, "oi");
        scene.minutes(1);
        scene.types(2, text);
        assert_eq!(scene.lines_said()[2..], *lines, "{text}");
    }
}

#[test]
fn who_is_not_understood_waits_for_a_person() {
    let mut scene = asking();
    scene.types(1, "oi");
    for seq in 2..5 {
        scene.minutes(1);
        scene.types(seq, "meu pedido não chegou");
    }
    assert_eq!(
        scene.texts().len(),
        3,
        "asked twice more, and not sent away"
    );
    assert_eq!(
        scene.lines_said().last().map(String::as_str),
        Some("queued")
    );
    scene.types(5, "alô?");
    assert_eq!(scene.texts().len(), 3);
    scene.sits_down("ana");
    scene.takes("ana");
}

#[test]
fn a_flow_asks_another_system_answers_and_ends_without_a_person() {
    let mut scene = asking();
    scene.types(1, "oi");
    scene.types(2, "2");
    let Output::Ask {
        interaction,
        ticket,
        request,
    } = scene.next()
    else {
        panic!("nothing is asked");
    };
    assert_eq!(request.url, "https://erp.example/bill");
    let answer = ivr::machine::Fetched {
        status: 200,
        body: br#"{ "bill": "123" }"#.to_vec(),
    };
    scene
        .voice
        .handle_asked(scene.now, &interaction, ticket, Ok(answer));
    scene.settle();
    assert_eq!(scene.texts(), [WELCOME, "Seu boleto: 123"]);
    let told = ["flow_entered", "flow", "flow", "ramal flow_ended"];
    assert_eq!(scene.lines_said(), told);
    assert!(scene.lives().is_empty());
}

#[test]
fn who_writes_waits_until_somebody_comes_and_a_flow_goes_on_when_the_service_is_closed() {
    let mut scene = asking();
    scene.types(1, "oi");
    scene.types(2, "1");
    scene.minutes(24 * 60);
    assert_eq!(scene.texts(), [WELCOME], "a call would be over");
    scene.sits_down("ana");
    assert_eq!(scene.doing("ana"), ["offered"]);
    let sorry = "Ninguém pode atender agora.";

    let mut scene = asking();
    closed_until_13(&mut scene);
    scene.change(|company| {
        let settings = company.channels.values_mut().next().expect("one");
        settings.absence = None;
    });
    scene.types(1, "oi");
    scene.types(2, "1");
    assert_eq!(scene.texts(), [WELCOME, sorry], "nobody would tell them");
}

#[test]
fn a_prompt_is_read_by_what_it_says() {
    let mut scene = asking();
    let flow = QUESTION.replace(
        r#"{ "kind": "text", "text": "Bem-vindo!" }"#,
        r#"{ "kind": "prompt", "prompt": "hello" }, { "kind": "prompt", "prompt": "music" }"#,
    );
    let flow: ivr::Flow = serde_json::from_str(&flow).expect("a flow");
    scene.change(|company| {
        let library = Arc::make_mut(&mut company.library);
        library.flows.insert("question".into(), Arc::new(flow));
        let words = "Bem-vindo à loja!".to_owned();
        company.prompts.insert("hello".into(), words);
    });
    scene.types(1, "oi");
    let welcome = WELCOME.replace("Bem-vindo!", "Bem-vindo à loja!");
    assert_eq!(scene.texts(), [welcome.as_str()]);
}

#[test]
fn a_menu_whose_question_nobody_wrote_down_shows_what_there_is_to_choose() {
    let mut scene = asking();
    let recorded = r#"{ "kind": "prompt", "prompt": "recorded" }"#;
    let flow = QUESTION
        .replace(r#"{ "kind": "text", "text": "Bem-vindo!" }"#, recorded)
        .replace(r#"{ "kind": "text", "text": "Sobre o que é?" }"#, recorded);
    let flow: ivr::Flow = serde_json::from_str(&flow).expect("a flow");
    scene.change(|company| {
        let library = Arc::make_mut(&mut company.library);
        library.flows.insert("question".into(), Arc::new(flow));
    });
    scene.types(1, "oi");
    let shown = "Escolha uma opção:\n1 - Vendas\n2 - Segunda via";
    assert_eq!(scene.texts(), [shown]);
}

#[test]
fn who_does_not_answer_a_flow_is_left_and_a_flow_begins_anew_with_the_program() {
    let mut scene = asking();
    scene.types(1, "oi");
    let mut later = scene.started_later(&[], Duration::from_secs(5));
    let company_before = scene.voice.shared.directory.companies[&company()].clone();
    later.change(|company| {
        company.channels = company_before.channels.clone();
        company.library = company_before.library.clone();
    });
    later.types(1, "");
    assert_eq!(later.texts(), [WELCOME]);
    scene.minutes(10);
    assert_eq!(scene.lines_said()[2..], ["expiry_warning"]);
    scene.types(2, "1");
    assert_eq!(scene.lines_said()[3..], ["queued"]);
    later.minutes(15);
    let told = [
        "flow_entered",
        "flow",
        "expiry_warning",
        "expired",
        "ramal expired",
    ];
    assert_eq!(later.lines_said(), told);
}

#[test]
fn who_waits_is_told_the_place_in_the_line_and_that_it_goes_on() {
    let mut scene = lively();
    scene.line_max(5);
    scene.change(|company| {
        let settings = company.channels.values_mut().next().expect("one");
        settings.position = Some((Duration::from_secs(30), Words::default()));
        settings.waiting = Some((Duration::from_secs(5 * MINUTE), vec![Words::default()]));
    });
    scene.writes("i0", 1).expect("room");
    scene.writes("i1", 1).expect("room");
    scene.until(Duration::from_secs(10));
    let places = |scene: &Scene| {
        let said = scene
            .said()
            .into_iter()
            .filter(|said| said.purpose == "position");
        said.map(|said| {
            let text = said.content["text"].as_str().expect("text").to_owned();
            (said.interaction.to_string(), text)
        })
        .collect::<Vec<_>>()
    };
    let place = |interaction: &str, place: u32| {
        let text = format!("Você é o número {place} na fila.");
        (interaction.to_owned(), text)
    };
    assert_eq!(places(&scene), [place("i0", 1), place("i1", 2)]);
    scene.sits_down("ana");
    scene.takes("ana");
    scene.until(Duration::from_secs(40));
    let before = [place("i0", 1), place("i1", 2), place("i1", 1)];
    assert_eq!(places(&scene), before, "the next is the first");
    scene.minutes(5);
    let waiting = scene
        .said()
        .into_iter()
        .filter(|said| said.purpose == "waiting");
    assert_eq!(waiting.count(), 1);
}

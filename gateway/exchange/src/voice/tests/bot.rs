//! Bots that talk with customers before people do.

use ivr::machine::{FetchFailure, Fetched, Request, Ticket};
use serde_json::{Value, json};

use super::agents::*;
use super::life::lively;
use super::written::id;
use super::*;
use crate::text::BotSettings;
use crate::voice::HandOver;

fn with_bot() -> Scene {
    let mut scene = lively();
    scene.change(|company| {
        let settings = company.channels.values_mut().next().expect("one");
        settings.greeting = None;
        settings.bot = Some(BotSettings {
            url: "https://bot.example/ramal".into(),
            id: "vendas".into(),
            token: "segredo".into(),
        });
    });
    scene
}

impl Scene {
    fn bot_is_asked(&mut self) -> (Ticket, Box<Request>, Value) {
        let Output::Ask {
            ticket, request, ..
        } = self.next()
        else {
            panic!("nothing is asked");
        };
        let body = request.body.as_deref().expect("a body");
        let body = serde_json::from_str(body).expect("JSON");
        (ticket, request, body)
    }

    fn bot_says(&mut self, ticket: Ticket, body: &Value) {
        let fetched = Fetched {
            status: 200,
            body: body.to_string().into_bytes(),
        };
        self.bot_answers(ticket, Ok(fetched));
    }

    fn bot_answers(&mut self, ticket: Ticket, answer: Result<Fetched, FetchFailure>) {
        self.voice.handle_asked(self.now, &id("i1"), ticket, answer);
        self.settle();
    }
}

#[test]
fn a_bot_answers_one_message_after_the_other_and_hands_over_with_what_it_knows() {
    let mut scene = with_bot();
    scene.sits_down("ana");
    scene.types(1, "oi");
    let (first, request, body) = scene.bot_is_asked();
    assert_eq!(request.url, "https://bot.example/ramal");
    let proof = ("authorization".to_owned(), "Bearer segredo".to_owned());
    assert!(request.headers.contains(&proof), "{:?}", request.headers);
    assert_eq!(body["bot"], "vendas");
    assert_eq!(body["interaction"], "i1");
    assert_eq!(body["message"], json!({ "seq": 1, "text": "oi" }));
    assert_eq!(body["variables"], json!({}));
    // What comes while it thinks waits.
    scene.types(2, "sou eu, Ana");
    assert_eq!(scene.doing("ana"), [""; 0], "nobody is disturbed yet");
    let choices = json!([{ "id": "a", "title": "Comprar" }, { "id": "b", "title": "Outro" }]);
    scene.bot_says(
        first,
        &json!({ "messages": [{ "text": "Olá! O que deseja?", "choices": choices }],
            "variables": { "nome": "Ana" } }),
    );
    assert_eq!(
        scene.texts(),
        ["Olá! O que deseja?\na - Comprar\nb - Outro"]
    );
    let (second, _, body) = scene.bot_is_asked();
    assert_eq!(body["message"]["text"], "sou eu, Ana");
    assert_eq!(body["variables"], json!({ "nome": "Ana" }));
    scene.bot_says(
        second,
        &json!({ "messages": [{ "text": "Vou chamar alguém." }],
            "hand_over": { "service": "SALES", "note": "quer fibra", "variables": { "cidade": "Belém" } } }),
    );
    assert_eq!(scene.texts()[1..], ["Vou chamar alguém."]);
    let left = scene.kept.iter().find_map(|kept| match kept {
        Kept::Line(line) if line.kind == TrailKind::FlowLeft => Some(line.detail.clone()),
        _ => None,
    });
    let left = left.expect("a line");
    assert_eq!(left["note"], "quer fibra");
    assert_eq!(
        left["variables"],
        json!({ "nome": "Ana", "cidade": "Belém" })
    );
    assert_eq!(left["service"], "sales");
    scene.takes("ana");
    scene.types(3, "Oi, Ana aqui");
    assert_eq!(scene.texts().len(), 2, "the bot has nothing more to say");
}

#[test]
fn a_bot_that_does_not_answer_twice_gives_way_to_people() {
    let mut scene = with_bot();
    scene.sits_down("ana");
    scene.types(1, "oi");
    let (first, ..) = scene.bot_is_asked();
    scene.bot_answers(first, Err(FetchFailure::TimedOut));
    assert_eq!(scene.doing("ana"), [""; 0]);
    let passed = scene.now.instant - scene.start.instant;
    scene.until(passed + Duration::from_secs(4));
    let (second, _, body) = scene.bot_is_asked();
    assert_eq!(body["message"]["text"], "oi", "asked again");
    let answer = Fetched {
        status: 200,
        body: br#"{ "messages": [{ "text": "" }] }"#.to_vec(),
    };
    scene.bot_answers(second, Ok(answer));
    assert_eq!(scene.doing("ana"), ["offered"]);
    assert_eq!(scene.texts(), [""; 0]);
    // What it says now is too late.
    scene.bot_says(second, &json!({ "messages": [{ "text": "oi!" }] }));
    assert_eq!(scene.texts(), [""; 0]);
}

#[test]
fn a_bot_may_close_or_hand_over_later_and_who_falls_silent_with_it_is_left() {
    let mut scene = with_bot();
    scene.types(1, "oi");
    let (first, ..) = scene.bot_is_asked();
    scene.bot_says(
        first,
        &json!({ "messages": [{ "text": "Tchau!" }], "close": true }),
    );
    let told = ["flow_entered", "bot", "ramal bot_closed"];
    assert_eq!(scene.lines_said(), told);
    assert!(scene.lives().is_empty());

    let mut scene = with_bot();
    scene.sits_down("ana");
    scene.types(1, "oi");
    let (first, ..) = scene.bot_is_asked();
    let later = Fetched {
        status: 204,
        body: vec![],
    };
    scene.bot_answers(first, Ok(later));
    let to = HandOver::default;
    let nobody = scene
        .voice
        .hand_over(scene.now, &company(), &id("i2"), to());
    assert!(!nobody, "no bot has that one");
    assert!(
        scene
            .voice
            .hand_over(scene.now, &company(), &id("i1"), to())
    );
    scene.settle();
    assert_eq!(scene.doing("ana"), ["offered"]);

    let mut scene = with_bot();
    scene.types(1, "oi");
    let (first, ..) = scene.bot_is_asked();
    scene.bot_says(first, &json!({ "messages": [{ "text": "Qual o CPF?" }] }));
    scene.minutes(15);
    assert_eq!(
        scene.lines_said().last().map(String::as_str),
        Some("ramal expired")
    );
}

#[test]
fn what_a_bot_knew_outlives_the_program() {
    let mut scene = with_bot();
    scene.types(1, "oi");
    let (first, ..) = scene.bot_is_asked();
    scene.bot_says(first, &json!({ "variables": { "cpf": "1" } }));
    let lives = scene.lives();
    let mut again = with_bot();
    again.voice.restore_lives(lives);
    again.types(1, "e agora?");
    let (_, _, body) = again.bot_is_asked();
    assert_eq!(body["variables"], json!({ "cpf": "1" }));
}

//! A customer on a shop's page chats with an agent: the real program, the real widget, a real browser.
//!
//! ```text
//!  test ── orders ─▶ visitor.mjs (Playwright) ── Chromium: /demo ═ the widget's frame ═ WebSocket ══▶ ramal
//!    └──────────────────────────── as the agent, by the API ─────────────────────────────────────────▶
//! ```
//!
//! `RAMAL_TEST_SCREENS` names a folder for pictures of what the customer sees.

use std::time::Duration;

use desk::record::TrailKind;
use serde_json::{Value, json};

use crate::browser::{Browser, can_browse};
use crate::server::{Person, Server, until};

#[test]
fn a_customer_opens_the_chat_of_a_shop_is_answered_sends_a_picture_and_says_how_it_was() {
    if !can_chat() {
        return;
    }
    let server = Server::start();
    let ana = server.log_in("ana");
    let mut visitor = Visitor::comes(&server, &[]);
    visitor.desk(&server, "ana");
    ana.is("available");

    visitor.does(json!({ "do": "open" }));
    visitor.shot("1-form");
    let text = "Vocês entregam em Recife?";
    visitor.does(json!({ "do": "form", "name": "Clara", "service": "Vendas", "text": text }));
    visitor.shot("2-waiting");
    let work = taken(&ana);
    visitor.does(json!({ "do": "see", "text": "Ana" }));

    let signals = format!("POST /api/v1/interactions/{}/signals", work.interaction);
    ana.ask(&signals, &json!({ "kind": "typing", "on": true }));
    visitor.does(json!({ "do": "typing" }));
    let answer = "Oi, Clara! Entregamos, em até quatro dias úteis.";
    let sent = ana.ask(
        &work.messages(),
        &json!({ "client_message_id": "1", "text": answer }),
    );
    ana.ask(&signals, &json!({ "kind": "read", "seq": 1 }));
    visitor.does(json!({ "do": "see", "text": answer }));
    visitor.shot("3-answered");
    until(PATIENCE, "the agent knows that it was read", || {
        let read = work.read(&ana);
        let reply = read.iter().find(|one| one["id"] == sent["id"])?;
        (reply["state"] == "read").then_some(())
    });

    visitor.does(json!({ "do": "attach", "name": "etiqueta.png", "caption": "Este vaso aqui" }));
    visitor.does(json!({ "do": "picture", "count": 1 }));
    until(PATIENCE, "the picture is with the agent", || {
        let read = work.read(&ana);
        let file = read.iter().find_map(|one| one["attachments"].get(0))?;
        let url = file["url"].as_str()?;
        let picture = ana.download(url);
        picture.starts_with(b"\x89PNG").then_some(())
    });
    // What the agent lays down is offered to be saved.
    let uploads = format!(
        "POST /api/v1/interactions/{}/uploads?name=nota.txt",
        work.interaction
    );
    let upload = ana.ask(&uploads, &json!("Vaso torneado, 22 cm"));
    let file = json!({ "client_message_id": "2", "attachments": [upload["upload_id"]] });
    ana.ask(&work.messages(), &file);
    visitor.does(json!({ "do": "see", "text": "nota.txt" }));
    visitor.shot("4-files");

    // The page is loaded anew: the conversation is where it was.
    visitor.does(json!({ "do": "reload" }));
    visitor.does(json!({ "do": "open" }));
    visitor.does(json!({ "do": "see", "text": answer }));
    visitor.does(json!({ "do": "say", "text": "Obrigada!" }));
    until(PATIENCE, "the thanks are with the agent", || {
        let read = work.read(&ana);
        let thanks = read
            .iter()
            .filter(|one| one["content"]["text"] == "Obrigada!");
        (thanks.count() == 1).then_some(())
    });

    ana.ask(
        &format!("POST /api/v1/work/{}/end-wrap-up", work.id),
        &json!({}),
    );
    visitor.does(json!({ "do": "see", "text": "Como foi o atendimento?" }));
    visitor.shot("5-survey");
    visitor.does(json!({ "do": "rate", "stars": 5, "text": "Rápido e gentil" }));
    visitor.shot("6-thanks");
    let records = server.ended_records(1);
    let answered = records[0].lines(TrailKind::SurveyAnswered);
    assert_eq!(answered.len(), 1, "{records:?}");
    assert_eq!(
        answered[0]["answers"][0],
        json!({ "question": "csat", "value": "5" })
    );
    visitor.does(json!({ "do": "problems" }));
}

#[test]
fn on_a_phone_at_night_the_chat_fills_the_screen_and_is_dark() {
    if !can_chat() {
        return;
    }
    let server = Server::start();
    let mut visitor = Visitor::comes(&server, &["phone", "dark"]);
    visitor.desk(&server, "bruno");
    let bruno = server.log_in("bruno");
    bruno.is("available");
    visitor.does(json!({ "do": "open" }));
    visitor.shot("7-phone-form");
    let text = "Meu vaso chegou quebrado";
    visitor.does(json!({ "do": "form", "name": "Davi", "service": "Suporte", "text": text }));
    let work = taken(&bruno);
    let answer = "Que pena, Davi! Mandamos outro hoje mesmo.";
    bruno.ask(
        &work.messages(),
        &json!({ "client_message_id": "1", "text": answer }),
    );
    visitor.does(json!({ "do": "see", "text": answer }));
    visitor.shot("8-phone");
    visitor.does(json!({ "do": "problems" }));
}

/// What an agent has in hand.
struct Work {
    id: String,
    interaction: String,
}

impl Work {
    fn messages(&self) -> String {
        format!("POST /api/v1/interactions/{}/messages", self.interaction)
    }

    fn read(&self, agent: &Person<'_>) -> Vec<Value> {
        let path = format!("GET /api/v1/interactions/{}/messages", self.interaction);
        let read = agent.ask(&path, &Value::Null);
        read["items"].as_array().expect("messages").clone()
    }
}

/// Takes what is offered, once that is so.
fn taken(agent: &Person<'_>) -> Work {
    let offered = until(PATIENCE, "something is offered", || {
        let work = agent.ask("GET /api/v1/agents/me/work", &Value::Null);
        let offered = work["items"].get(0)?.clone();
        (offered["doing"] == "offered").then_some(offered)
    });
    let text = |field: &str| offered[field].as_str().expect("an id").to_owned();
    let (id, interaction) = (text("work"), text("interaction"));
    agent.ask(&format!("POST /api/v1/work/{id}/accept"), &json!({}));
    Work { id, interaction }
}

/// A customer with a browser.
struct Visitor(Browser);

impl Visitor {
    /// Opens the shop's page, with what is special about their device.
    fn comes(server: &Server, device: &[&str]) -> Self {
        let mut visitor = Self(Browser::starts("widget", "visitor.mjs"));
        let mut visit = json!({ "do": "visit", "url": format!("http://{}/demo", server.http) });
        for special in device {
            visit[*special] = json!(true);
        }
        visitor.does(visit);
        visitor
    }

    /// Opens the page of an agent of the demo.
    fn desk(&mut self, server: &Server, agent: &str) {
        let url = format!("http://{}/demo", server.http);
        let email = format!("{agent}@demo.example");
        let password = server.agent_password();
        self.does(json!({ "do": "desk", "url": url, "email": email, "password": password }));
    }

    fn does(&mut self, order: Value) {
        self.0.does(order);
    }

    fn shot(&mut self, name: &str) {
        self.0.shot(name);
    }
}

fn can_chat() -> bool {
    can_browse("widget", "dist/widget.js")
}

/// A browser starts slowly on a machine that also compiles.
const PATIENCE: Duration = Duration::from_secs(40);

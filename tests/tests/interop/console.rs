//! An agent works in the console while a customer chats from a shop's page: the real program, two real
//! browsers.
//!
//! ```text
//!  test ── orders ─▶ agent.mjs ──── Chromium: / ═ the console ═ WebSocket ══▶ ramal
//!    └──── orders ─▶ visitor.mjs ── Chromium: /demo ═ the widget ════════════▶
//! ```
//!
//! `RAMAL_TEST_SCREENS` names a folder for pictures of what the agent sees.

use std::net::SocketAddr;

use desk::record::TrailKind;
use serde_json::json;

use crate::browser::{Browser, can_browse};
use crate::cast::customer;
use crate::peers;
use crate::server::Server;

#[test]
fn an_agent_logs_in_takes_a_chat_answers_through_a_restart_and_closes_it_by_a_code() {
    if !can_work() {
        return;
    }
    let mut server = Server::start();
    let mut ana = comes(&server, &[]);
    ana.does(enters("ana", "errada de todo"));
    ana.does(json!({ "do": "mistake" }));
    ana.does(json!({ "do": "usable" }));
    ana.shot("console-1-login");
    ana.does(enters("ana", &server.agent_password()));
    ana.does(json!({ "do": "come" }));
    ana.does(json!({ "do": "usable" }));

    let mut clara = Browser::starts("widget", "visitor.mjs");
    let shop = format!("http://{}/demo", server.http);
    clara.does(json!({ "do": "visit", "url": shop }));
    clara.does(json!({ "do": "open" }));
    let asks = "Vocês entregam em Recife?";
    clara.does(json!({ "do": "form", "name": "Clara", "service": "Vendas", "text": asks }));

    ana.does(json!({ "do": "accept", "name": "Clara" }));
    ana.does(json!({ "do": "see", "text": asks }));
    let answer = "Oi, Clara! Entregamos, em até quatro dias úteis.";
    ana.does(json!({ "do": "say", "text": answer }));
    clara.does(json!({ "do": "see", "text": answer }));
    ana.does(json!({ "do": "read", "text": answer }));
    ana.does(json!({ "do": "attach", "name": "nota.txt" }));
    clara.does(json!({ "do": "see", "text": "nota.txt" }));
    ana.does(json!({ "do": "usable" }));
    ana.shot("console-2-talk");

    // The program goes away and comes back: what is written meanwhile arrives, once, and nothing is missing.
    server.kill();
    ana.does(json!({ "do": "lost" }));
    let late = "E o frete é grátis acima de cem reais.";
    ana.does(json!({ "do": "say", "text": late }));
    ana.shot("console-3-lost");
    server.restart();
    ana.does(json!({ "do": "found" }));
    clara.does(json!({ "do": "see", "text": late }));
    clara.does(json!({ "do": "say", "text": "Perfeito, obrigada!" }));
    ana.does(json!({ "do": "see", "text": "Perfeito, obrigada!" }));

    ana.does(json!({ "do": "note", "text": "Cliente de Recife: oferecer frete grátis." }));

    // By a few letters, with what is known filled in.
    ana.does(json!({ "do": "slash", "letters": "tch" }));
    ana.does(json!({ "do": "usable" }));
    ana.shot("console-5-quick");
    let bye = "Foi um prazer atender você, Clara. Se precisar, o protocolo é";
    ana.does(json!({ "do": "pick", "text": bye }));
    clara.does(json!({ "do": "see", "text": bye }));

    ana.does(json!({ "do": "close", "how": "Dúvida respondida" }));
    ana.does(json!({ "do": "idle" }));
    let records = server.ended_records(1);
    let finished = records[0].lines(TrailKind::Finished);
    assert_eq!(finished.len(), 1, "{records:?}");
    assert_eq!(finished[0]["disposition"], "duvida");
    ana.does(json!({ "do": "problems" }));
    ana.does(json!({ "do": "leave" }));
}

#[test]
fn on_a_phone_at_night_the_console_is_one_column_and_dark() {
    if !can_work() {
        return;
    }
    let server = Server::start();
    let mut bruno = comes(&server, &["phone", "dark"]);
    bruno.does(json!({ "do": "usable" }));
    bruno.does(enters("bruno", &server.agent_password()));
    bruno.does(json!({ "do": "come" }));
    bruno.does(json!({ "do": "usable" }));
    let mut davi = Browser::starts("widget", "visitor.mjs");
    let shop = format!("http://{}/demo", server.http);
    davi.does(json!({ "do": "visit", "url": shop }));
    davi.does(json!({ "do": "open" }));
    let asks = "Meu vaso chegou quebrado";
    davi.does(json!({ "do": "form", "name": "Davi", "service": "Suporte", "text": asks }));
    bruno.does(json!({ "do": "accept", "name": "Davi" }));
    bruno.does(json!({ "do": "say", "text": "Que pena, Davi! Mandamos outro hoje mesmo." }));
    bruno.does(json!({ "do": "usable" }));
    bruno.shot("console-4-phone");
    bruno.does(json!({ "do": "problems" }));
}

#[test]
fn an_agent_takes_a_call_in_the_window_asks_a_colleague_and_hands_it_over() {
    if !can_work() || !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let password = server.agent_password();
    let mut ana = comes(&server, &[]);
    ana.does(enters("ana", &password));
    ana.does(json!({ "do": "come" }));
    ana.does(json!({ "do": "ready" }));
    let mut bruno = comes(&server, &["dark"]);
    bruno.does(enters("bruno", &password));
    bruno.does(json!({ "do": "ready" }));

    let mut caller = customer(&server);
    ana.does(json!({ "do": "answer" }));
    ana.does(json!({ "do": "usable" }));
    ana.shot("console-6-call");
    ana.does(json!({ "do": "hold" }));
    ana.does(json!({ "do": "resume" }));
    ana.does(json!({ "do": "mute" }));
    ana.does(json!({ "do": "unmute" }));
    ana.does(json!({ "do": "bring" }));

    bruno.does(json!({ "do": "come" }));
    ana.does(json!({ "do": "consult", "whom": "Bruno" }));
    bruno.does(json!({ "do": "answer" }));
    ana.does(json!({ "do": "asks", "how": "Alternar" }));
    ana.does(json!({ "do": "asks", "how": "Conferência" }));
    ana.does(json!({ "do": "usable" }));
    ana.shot("console-7-conference");
    ana.does(json!({ "do": "asks", "how": "Concluir transferência" }));
    bruno.does(json!({ "do": "hang_up" }));
    caller.wait_for("CALL_CLOSED");
    bruno.does(json!({ "do": "over", "how": "Dúvida respondida" }));

    let records = server.ended_records(1);
    let answered = records[0].lines(TrailKind::AgentAnswered);
    assert_eq!(answered[0]["name"], "Ana", "{records:?}");
    ana.does(json!({ "do": "problems" }));
    bruno.does(json!({ "do": "problems" }));
}

pub(crate) fn comes(server: &Server, device: &[&str]) -> Browser {
    comes_by(server.http, device)
}

/// The same, by this address.
pub(crate) fn comes_by(http: SocketAddr, device: &[&str]) -> Browser {
    let mut agent = Browser::starts("app", "agent.mjs");
    let mut visit = json!({ "do": "visit", "url": format!("http://{http}/") });
    for special in device {
        visit[*special] = json!(true);
    }
    agent.does(visit);
    agent
}

pub(crate) fn enters(agent: &str, password: &str) -> serde_json::Value {
    let email = format!("{agent}@demo.example");
    json!({ "do": "enter", "email": email, "password": password })
}

pub(crate) fn can_work() -> bool {
    can_browse("app", "dist/index.html") && can_browse("widget", "dist/widget.js")
}

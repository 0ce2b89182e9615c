//! A day of an agent: whatever customers use, it comes into one window; and what the window does when the
//! network is not there.
//!
//! ```text
//!  baresip ───── SIP ────────▶        ┌─ WebSocket ─ cable ═ Chromium: / ◀─ orders ─ test
//!  Chromium: /demo ══════════▶ ramal ═┤
//!  ramal-sim ─── webhooks ───▶        └─ calls ────────────▶
//! ```

use std::time::Duration;

use desk::record::TrailKind;
use ramal_sim::world::Message;
use ramal_sim::{Config, Provider, Simulator};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::browser::Browser;
use crate::cable::Cable;
use crate::cast::customer;
use crate::console::{can_work, comes, comes_by, enters};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn an_agent_has_a_call_a_chat_and_two_of_whatsapp_and_whoever_comes_then_waits() {
    if !can_work() || !peers(&["baresip"]) {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let simulator = runtime.block_on(Simulator::start(Config::default()));
    let simulator = simulator.expect("a simulator");
    let server = Server::start_beside(simulator.address());
    simulator.set_target(&format!("http://{}", server.http));
    let connected = runtime.block_on(simulator.connect(&server.logins()));
    connected.expect("the demo is connected");
    // A call takes as much of one as two chats: with three of these nothing more comes.
    let administrator = server.administrator();
    let mut settings = administrator.ask("GET /api/v1/desk-settings", &Value::Null);
    settings["costs"]["phone"] = json!(40);
    administrator.ask("PUT /api/v1/desk-settings", &settings);

    let mut ana = comes(&server, &[]);
    ana.does(enters("ana", &server.agent_password()));
    ana.does(json!({ "do": "come" }));
    ana.does(json!({ "do": "ready" }));
    let mut caller = customer(&server);
    ana.does(json!({ "do": "answer" }));

    let mut clara = Browser::starts("widget", "visitor.mjs");
    let shop = format!("http://{}/demo", server.http);
    clara.does(json!({ "do": "visit", "url": shop }));
    clara.does(json!({ "do": "open" }));
    let asks = "Vocês entregam em Recife?";
    clara.does(json!({ "do": "form", "name": "Clara", "service": "Vendas", "text": asks }));
    ana.does(json!({ "do": "accept", "name": "Clara" }));
    let answer = "Entregamos, em até quatro dias úteis.";
    ana.does(json!({ "do": "say", "text": answer }));
    clara.does(json!({ "do": "see", "text": answer }));

    let writes = |provider, customer, text| {
        let customer = simulator.customer(provider, customer);
        customer.writes(text).expect("a customer of the simulator");
    };
    let reads = |provider, customer: &str, text: &str| {
        let is_it = |message: &Message| message.is_ours() && message.content.text() == Some(text);
        let read = simulator.wait_for(text, |world| {
            world.between(provider, customer).any(is_it).then_some(())
        });
        runtime.block_on(read).expect("it comes to the customer");
    };
    writes(Provider::Cloud, "marina", "Meu vaso chegou quebrado");
    ana.does(json!({ "do": "accept", "name": "Marina Alves" }));
    ana.does(json!({ "do": "say", "text": "Mandamos outro hoje mesmo, Marina." }));
    reads(
        Provider::Cloud,
        "marina",
        "Mandamos outro hoje mesmo, Marina.",
    );
    writes(Provider::Dialog360, "carlos", "Qual o horário da loja?");
    ana.does(json!({ "do": "accept", "name": "Carlos Lima" }));
    ana.does(json!({ "do": "say", "text": "Das 8 às 18h, Carlos." }));
    reads(Provider::Dialog360, "carlos", "Das 8 às 18h, Carlos.");

    // Four are in hand: the fifth waits, and it is plain why.
    writes(Provider::Cloud, "julia", "Bom dia");
    ana.does(json!({ "do": "full" }));
    waits(&server, 1);
    ana.does(json!({ "do": "full" }));
    ana.does(json!({ "do": "usable" }));
    ana.shot("console-8-day");

    let how = "Dúvida respondida";
    ana.does(json!({ "do": "finish", "name": "Carlos Lima", "how": how }));
    ana.does(json!({ "do": "accept", "name": "Júlia Prado" }));
    ana.does(json!({ "do": "say", "text": "Bom dia, Júlia!" }));
    reads(Provider::Cloud, "julia", "Bom dia, Júlia!");

    ana.does(json!({ "do": "open", "name": CALLER }));
    ana.does(json!({ "do": "hang_up" }));
    caller.wait_for("CALL_CLOSED");
    for name in [CALLER, "Clara", "Marina Alves", "Júlia Prado"] {
        ana.does(json!({ "do": "finish", "name": name, "how": how }));
    }
    ana.does(json!({ "do": "idle" }));

    for record in server.ended_records(5) {
        let finished = record.lines(TrailKind::Finished);
        assert_eq!(finished.len(), 1, "{record:?}");
        assert_eq!(finished[0]["disposition"], "duvida", "{record:?}");
    }
    ana.does(json!({ "do": "problems" }));
}

#[test]
fn what_an_agent_writes_without_a_network_arrives_once_and_nothing_is_missing() {
    if !can_work() {
        return;
    }
    let server = Server::start();
    let cable = Cable::to(server.http);
    let mut ana = comes_by(cable.end, &[]);
    ana.does(enters("ana", &server.agent_password()));
    ana.does(json!({ "do": "come" }));
    let mut clara = Browser::starts("widget", "visitor.mjs");
    let shop = format!("http://{}/demo", server.http);
    clara.does(json!({ "do": "visit", "url": shop }));
    clara.does(json!({ "do": "open" }));
    let asks = "Vocês entregam em Recife?";
    clara.does(json!({ "do": "form", "name": "Clara", "service": "Vendas", "text": asks }));
    ana.does(json!({ "do": "accept", "name": "Clara" }));
    let mut said = vec!["Oi, Clara!"];
    ana.does(json!({ "do": "say", "text": said[0] }));
    clara.does(json!({ "do": "see", "text": said[0] }));

    // She writes on, and begins a sentence; the customer does so, too.
    cable.pull();
    for text in ["Entregamos, sim.", "Em até quatro dias."] {
        ana.does(json!({ "do": "say", "text": text }));
        said.push(text);
    }
    ana.does(json!({ "do": "write", "text": "E o frete" }));
    clara.does(json!({ "do": "say", "text": "Ainda está aí?" }));
    ana.does(json!({ "do": "lost" }));
    ana.shot("console-9-offline");
    cable.plug();
    ana.does(json!({ "do": "found" }));
    ana.does(json!({ "do": "see", "text": "Ainda está aí?" }));
    ana.does(json!({ "do": "drafted", "text": "E o frete" }));
    clara.does(json!({ "do": "see", "text": "Em até quatro dias." }));
    ana.does(json!({ "do": "once", "texts": said }));

    // The page is loaded anew while something is still to go: that goes all the same, and once.
    cable.pull();
    ana.does(json!({ "do": "say", "text": "O frete é grátis." }));
    said.push("O frete é grátis.");
    cable.plug();
    ana.does(json!({ "do": "reload" }));
    clara.does(json!({ "do": "see", "text": "O frete é grátis." }));
    ana.does(json!({ "do": "once", "texts": said }));
    clara.does(json!({ "do": "once", "texts": said }));
    ana.does(json!({ "do": "problems" }));
}

#[test]
fn a_colleague_is_mentioned_answers_and_is_handed_the_chat_with_a_word() {
    if !can_work() {
        return;
    }
    let server = Server::start();
    let password = server.agent_password();
    let mut ana = comes(&server, &[]);
    ana.does(enters("ana", &password));
    ana.does(json!({ "do": "come" }));
    let mut clara = Browser::starts("widget", "visitor.mjs");
    let shop = format!("http://{}/demo", server.http);
    clara.does(json!({ "do": "visit", "url": shop }));
    clara.does(json!({ "do": "open" }));
    let asks = "Vocês entregam em Recife?";
    clara.does(json!({ "do": "form", "name": "Clara", "service": "Vendas", "text": asks }));
    ana.does(json!({ "do": "accept", "name": "Clara" }));
    let answer = "Oi, Clara! Vou ver o prazo.";
    ana.does(json!({ "do": "say", "text": answer }));

    // Nobody is handed anything who is not there; who is asked by name reads it without having it in hand.
    let mut bruno = comes(&server, &["dark"]);
    bruno.does(enters("bruno", &password));
    bruno.does(json!({ "do": "ready" }));
    ana.does(json!({ "do": "away", "name": "Bruno" }));
    let question = "qual é o prazo para Recife?";
    ana.does(json!({ "do": "mention", "letters": "br", "text": question }));
    let known = "Quatro dias úteis.";
    bruno.does(json!({ "do": "mentioned", "name": "Ana", "text": question, "answer": known }));
    ana.does(json!({ "do": "see", "text": known }));

    bruno.does(json!({ "do": "come" }));
    let word = "Ela quer saber do frete.";
    ana.does(json!({ "do": "hand", "to": "Bruno", "note": word }));
    bruno.does(json!({ "do": "word", "name": "Ana", "text": word }));
    bruno.does(json!({ "do": "accept", "name": "Clara" }));
    bruno.does(json!({ "do": "word", "name": "Ana", "text": word }));
    bruno.does(json!({ "do": "said", "name": "Ana", "text": answer }));
    bruno.does(json!({ "do": "usable" }));
    bruno.shot("console-10-word");
    let goes_on = "Oi, Clara, aqui é o Bruno. São quatro dias úteis.";
    bruno.does(json!({ "do": "say", "text": goes_on }));
    clara.does(json!({ "do": "see", "text": goes_on }));
    bruno.does(json!({ "do": "finish", "name": "Clara", "how": "Dúvida respondida" }));
    ana.does(json!({ "do": "problems" }));
    bruno.does(json!({ "do": "problems" }));
}

/// So many wait for anybody.
fn waits(server: &Server, count: u64) {
    let administrator = server.administrator();
    let services = administrator.ask("GET /api/v1/services", &Value::Null);
    until(Duration::from_secs(20), "somebody waits", || {
        let services = services["items"].as_array()?.iter();
        let waiting = services.map(|service| {
            let line = format!("GET /api/v1/services/{}/status", service["id"].as_str()?);
            administrator.ask(&line, &Value::Null)["waiting"].as_u64()
        });
        (waiting.flatten().sum::<u64>() == count).then_some(())
    });
}

/// How the number of the caller reads.
const CALLER: &str = "+55 11 95555-0100";

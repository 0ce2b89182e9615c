//! An administrator sets up a URA in the console, from nothing: the real program and a real browser.
//!
//! `RAMAL_TEST_SCREENS` names a folder for pictures of what they see.

use std::time::Duration;

use serde_json::{Value, json};

use crate::baresip::Baresip;
use crate::browser::{Browser, can_browse};
use crate::ear::{CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn an_administrator_sets_up_a_ura_leads_a_number_to_it_tries_it_in_its_drawing_and_hears_it() {
    if !can_browse("app", "dist/index.html") || !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut admin = comes(&server);
    admin.does(json!({ "do": "make", "name": "Filial" }));
    admin.does(json!({ "do": "usable" }));
    admin.does(json!({ "do": "down", "service": "Suporte" }));
    admin.does(json!({ "do": "order", "services": ["Vendas", "Suporte"] }));
    let welcome = "Olá! Você ligou para a Filial.";
    admin.does(json!({ "do": "greet", "text": welcome }));
    admin.does(json!({ "do": "listen" }));
    admin.does(json!({ "do": "lead", "number": "4001" }));
    admin.does(json!({ "do": "publish", "version": 1 }));
    admin.shot("ura-1-form");

    let person = server.administrator();
    let listed = |of: &str| person.ask(&format!("GET /api/v1/{of}"), &Value::Null)["items"].clone();
    let find = |items: &Value, field: &str, value: &str| -> Value {
        let items = items.as_array().expect("a list");
        items
            .iter()
            .find(|one| one[field] == value)
            .expect("it is listed")
            .clone()
    };
    let flow = find(&listed("flows"), "name", "Filial");
    assert_eq!(flow["published"], 1);
    assert_eq!(
        find(&listed("numbers"), "number", "4001")["flow"],
        flow["id"]
    );

    // Who calls the number hears it.
    let mut caller = Baresip::caller(&server, "5511955550188", CUSTOMER);
    caller.command("dial", &format!("sip:4001@{}", server.udp));
    caller.wait_for("CALL_ESTABLISHED");
    they_hear(&[(&caller, Hears::Music)]);
    caller.command("sndcode", "1");
    until(Duration::from_secs(20), "the call waits", || {
        let waits = server
            .records()
            .iter()
            .any(|one| one.call.queued_ms.is_some());
        waits.then_some(())
    });
    caller.command("hangup", "");
    let records = server.ended_records(1);
    assert_eq!(records[0].path()[..3], ["hours", "welcome", "menu"]);

    // What is drawn beyond the form is said, and undone it is a form again.
    admin.does(json!({ "do": "draw" }));
    admin.does(json!({ "do": "usable" }));
    admin.does(json!({ "do": "add", "kind": "Recado", "title": "Deixe seu recado" }));
    admin.does(json!({ "do": "outgrown" }));
    admin.does(json!({ "do": "usable" }));
    admin.shot("ura-2-flow");
    admin.does(json!({ "do": "undo", "times": 4 }));
    let end = "Esperando um atendente de Vendas";
    admin.does(json!({ "do": "try", "keys": ["1"], "hears": welcome, "end": end }));
    admin.does(json!({ "do": "usable" }));
    admin.shot("ura-3-try");

    // The administrator hears the draft in the window itself, and sees its path light up.
    admin.does(json!({ "do": "hear", "key": "1", "steps": ["Horário", "Menu", "Vendas"] }));
    admin.does(json!({ "do": "usable" }));
    let records = server.ended_records(2);
    assert!(records[1].path().contains(&"menu"), "{records:?}");
    admin.does(json!({ "do": "fits" }));
    admin.does(json!({ "do": "problems" }));
}

#[test]
fn an_administrator_writes_a_prompt_and_hears_what_the_telephone_gives() {
    if !can_browse("app", "dist/index.html") {
        return;
    }
    let server = Server::start();
    let mut admin = comes(&server);
    let text = "Hoje atendemos até as quinze horas.";
    admin.does(json!({ "do": "write", "name": "Aviso", "text": text }));
    admin.does(json!({ "do": "phone", "name": "Aviso" }));
    admin.does(json!({ "do": "usable" }));
    admin.shot("prompts-1");
    admin.does(json!({ "do": "problems" }));
}

fn comes(server: &Server) -> Browser {
    let mut admin = Browser::starts("app", "ura.mjs");
    admin.does(json!({ "do": "visit", "url": format!("http://{}/", server.http) }));
    let password = server.administrator_password();
    let email = "admin@demo.example";
    admin.does(json!({ "do": "enter", "email": email, "password": password }));
    admin
}

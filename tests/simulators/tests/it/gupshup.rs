//! Gupshup, version 2.

use ramal_sim::world::{Act, Pace, Progress};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, NOON_MS, json};

const GUPSHUP: Provider = Provider::Gupshup;
const KEY: (&str, &str) = ("apikey", "gupshup-simulador");

fn send(company: &mut Company, message: &Value) -> Value {
    let message = message.to_string().replace('&', "%26");
    let form = format!(
        "channel=whatsapp&source=551140000002&destination=5511987654321&src.name=LojaExemplo&message={message}"
    );
    json(&company.asks(GUPSHUP, ("POST", "/wa/api/v1/msg"), &[KEY], form.as_bytes()))
}

#[test]
fn a_customers_words_come_in_gupshups_envelope() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.writes(GUPSHUP, "marina", "Oi");
    let told = company.last();
    assert_eq!(told.header("x-ramal-secret"), demo::WEBHOOK_SECRET);
    assert_eq!(
        told.json(),
        json!({
            "app": "LojaExemplo", "timestamp": NOON_MS, "version": 2, "type": "message",
            "payload": {
                "id": company.message(id).wamid, "source": "5511987654321", "type": "text",
                "payload": {"text": "Oi"},
                "sender": {"phone": "5511987654321", "name": "Marina Alves", "country_code": "55",
                    "dial_code": "11987654321"},
            },
        })
    );
}

#[test]
fn a_message_has_an_id_of_gupshups_first_and_whatsapps_later() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(GUPSHUP, "marina", "Oi");
    company.told.clear();
    let answer = send(&mut company, &json!({"type": "text", "text": "Bom dia"}));
    assert_eq!(answer["status"], "submitted");
    let gs_id = answer["messageId"].clone();
    company.does(GUPSHUP, "marina", Act::Read);
    let events: Vec<(Value, Value, Value)> = company
        .told
        .iter()
        .map(|told| {
            let body = told.json();
            let payload = &body["payload"];
            (
                body["type"].clone(),
                payload["type"].clone(),
                payload["gsId"].clone(),
            )
        })
        .collect();
    let event = |word: &str, gs_id: &Value| (json!("message-event"), json!(word), gs_id.clone());
    assert_eq!(
        events,
        [
            event("enqueued", &json!(null)),
            event("sent", &gs_id),
            event("delivered", &gs_id),
            (json!("billing-event"), json!(null), json!(null)),
            event("read", &gs_id),
        ]
    );
    let wamid = &company.world.messages()[1].wamid;
    assert_eq!(company.told[0].json()["payload"]["id"], gs_id);
    assert_eq!(
        company.told[0].json()["payload"]["payload"]["whatsappMessageId"],
        json!(wamid)
    );
    assert_eq!(company.told[1].json()["payload"]["id"], json!(wamid));
    assert_eq!(
        company.told[3].json()["payload"]["references"]["gsId"],
        gs_id
    );
}

#[test]
fn failures_have_gupshups_codes() {
    let mut company = Company::new(Pace::AT_ONCE);
    send(&mut company, &json!({"type": "text", "text": "Bom dia"}));
    let payload = company.last().json()["payload"].clone();
    assert_eq!(
        (&payload["type"], &payload["payload"]["code"]),
        (&json!("failed"), &json!(1_005))
    );
    assert_eq!(payload["id"], payload["gsId"]);
}

#[test]
fn an_answer_that_is_pressed_comes_with_its_postback() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(GUPSHUP, "marina", "Oi");
    let question = json!({
        "type": "quick_reply", "content": {"type": "text", "text": "Sim?", "caption": ""},
        "options": [{"type": "text", "title": "Sim", "postbackText": "s"}],
    });
    let gs_id = send(&mut company, &question)["messageId"].clone();
    let message = company.world.messages().last().expect("sent").id;
    let option = "s".to_owned();
    company.does(GUPSHUP, "marina", Act::Press { message, option });
    let payload = company.last().json()["payload"].clone();
    assert_eq!(payload["type"], "button_reply");
    assert_eq!(
        (
            &payload["payload"]["title"],
            &payload["payload"]["postbackText"]
        ),
        (&json!("Sim"), &json!("s"))
    );
    assert_eq!(payload["context"]["gsId"], gs_id);
}

#[test]
fn templates_take_their_values_in_order() {
    let mut company = Company::new(Pace::AT_ONCE);
    let path = format!("/wa/app/{}/template", demo::GUPSHUP_APP_ID);
    let listed = json(&company.asks(GUPSHUP, ("GET", &path), &[KEY], b""));
    let templates = listed["templates"].as_array().expect("templates");
    let found = templates
        .iter()
        .find(|one| one["elementName"] == demo::TEMPLATE_DELIVERY);
    let found = found.expect("the template");
    assert_eq!(found["templateType"], "IMAGE");
    let container: Value =
        serde_json::from_str(found["containerMeta"].as_str().expect("JSON")).expect("JSON");
    assert_eq!(
        container["buttons"][0]["url"],
        "https://loja.example/pedidos/{{1}}"
    );
    let mut send = |params: &str, above: &str| {
        let id = found["id"].as_str().expect("an id");
        let form = format!(
            "channel=whatsapp&source=551140000002&destination=5511987654321&src.name=LojaExemplo\
             &template={{\"id\":\"{id}\",\"params\":{params}}}{above}"
        );
        company.asks(
            GUPSHUP,
            ("POST", "/wa/api/v1/template/msg"),
            &[KEY],
            form.as_bytes(),
        )
    };
    let above = r#"&message={"type":"image","image":{"link":"http://company.example/a.png"}}"#;
    assert_eq!(send(r#"["Ana","7","hoje"]"#, above).status, 400);
    assert_eq!(send(r#"["Ana","7","hoje","7"]"#, "").status, 400);
    assert_eq!(send(r#"["Ana","7","hoje","7"]"#, above).status, 202);
    let (message, _) = company.fetches.pop().expect("the picture");
    company.world.fetched(
        company.now_ms,
        message,
        Ok(("image/png".to_owned(), vec![1])),
    );
    company.settle();
    assert_eq!(company.message(message).progress, Progress::Delivered);
}

#[test]
fn strangers_and_others_numbers_are_refused() {
    let mut company = Company::new(Pace::AT_ONCE);
    let form =
        b"channel=whatsapp&source=1&destination=5511987654321&src.name=LojaExemplo&message={}";
    let refused = company.asks(GUPSHUP, ("POST", "/wa/api/v1/msg"), &[], form);
    assert_eq!(
        (refused.status, &json(&refused)["message"]),
        (401, &json!("Authentication Failed"))
    );
    let refused = company.asks(GUPSHUP, ("POST", "/wa/api/v1/msg"), &[KEY], form);
    assert_eq!(
        (refused.status, &json(&refused)["message"]),
        (400, &json!("Invalid Source Details"))
    );
}

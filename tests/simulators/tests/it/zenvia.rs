//! Zenvia, version 2.

use ramal_sim::world::{Act, Pace};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, json};

const ZENVIA: Provider = Provider::Zenvia;
const KEY: (&str, &str) = ("x-api-token", "zenvia-simulador");

fn send(company: &mut Company, contents: &Value) -> Value {
    let body = json!({"from": "551140000003", "to": "5511987654321", "contents": contents});
    let path = ("POST", "/v2/channels/whatsapp/messages");
    json(&company.asks(ZENVIA, path, &[KEY], body.to_string().as_bytes()))
}

#[test]
fn a_customers_words_come_in_zenvias_envelope() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.writes(ZENVIA, "marina", "Oi");
    let told = company.last().json();
    assert_eq!(
        company.last().header("x-ramal-secret"),
        demo::WEBHOOK_SECRET
    );
    assert_eq!(
        (&told["type"], &told["direction"]),
        (&json!("MESSAGE"), &json!("IN"))
    );
    assert_eq!(
        told["message"],
        json!({
            "id": company.message(id).own_id, "from": "5511987654321", "to": "551140000003",
            "direction": "IN", "channel": "whatsapp",
            "visitor": {"name": "Marina Alves", "firstName": "Marina", "lastName": "Alves"},
            "contents": [{"type": "text", "text": "Oi"}],
            "timestamp": "2026-11-24T12:00:00Z",
        })
    );
}

#[test]
fn each_content_of_a_message_comes_further_by_itself() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(ZENVIA, "marina", "Oi");
    company.told.clear();
    let contents = json!([{"type": "text", "text": "Um"}, {"type": "text", "text": "Dois"}]);
    let id = send(&mut company, &contents)["id"].clone();
    company.does(ZENVIA, "marina", Act::Read);
    let told: Vec<(Value, Value)> = company
        .told
        .iter()
        .map(|told| {
            let body = told.json();
            assert_eq!((&body["messageId"], &body["message"]["id"]), (&id, &id));
            (
                body["contentIndex"].clone(),
                body["messageStatus"]["code"].clone(),
            )
        })
        .collect();
    let expected = [
        (0, "SENT"),
        (1, "SENT"),
        (0, "DELIVERED"),
        (1, "DELIVERED"),
        (0, "READ"),
        (1, "READ"),
    ];
    assert_eq!(
        told,
        expected.map(|(index, code)| (json!(index), json!(code)))
    );
}

#[test]
fn failures_name_metas_code_as_their_cause() {
    let mut company = Company::new(Pace::AT_ONCE);
    send(&mut company, &json!([{"type": "text", "text": "Oi"}]));
    let status = company.last().json()["messageStatus"].clone();
    assert_eq!(
        (&status["code"], &status["causes"][0]["channelErrorCode"]),
        (&json!("REJECTED"), &json!("131047"))
    );
}

#[test]
fn replies_and_pressed_buttons_name_what_they_answer() {
    let mut company = Company::new(Pace::AT_ONCE);
    let first = company.writes(ZENVIA, "marina", "Oi");
    let question =
        json!([{"type": "button", "body": "Sim?", "buttons": [{"id": "s", "title": "Sim"}]}]);
    let id = send(&mut company, &question)["id"].clone();
    let message = company.world.messages().last().expect("sent").id;
    let option = "Sim".to_owned();
    company.does(ZENVIA, "marina", Act::Press { message, option });
    let told = company.last().json()["message"].clone();
    assert_eq!(
        told["contents"],
        json!([{"type": "text", "text": "Sim", "payload": "s"}])
    );
    assert_eq!(told["idRef"], id);
    let body = json!({"from": "551140000003", "to": "5511987654321",
        "idRef": company.message(first).own_id, "contents": [{"type": "text", "text": "Certo"}]});
    company.asks(
        ZENVIA,
        ("POST", "/v2/channels/whatsapp/messages"),
        &[KEY],
        body.to_string().as_bytes(),
    );
    assert_eq!(
        company.world.messages().last().expect("sent").reply_to,
        Some(first)
    );
}

#[test]
fn subscriptions_say_where_what_is_told() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.world.set_webhook(ZENVIA, None);
    let mut subscribe = |kind: &str| {
        let webhook = json!({"url": format!("http://company.example/{kind}"), "headers": {"X-Ramal-Secret": "s"}});
        let body =
            json!({"eventType": kind, "webhook": webhook, "criteria": {"channel": "whatsapp"}});
        json(&company.asks(
            ZENVIA,
            ("POST", "/v2/subscriptions"),
            &[KEY],
            body.to_string().as_bytes(),
        ))
    };
    let messages = subscribe("MESSAGE");
    subscribe("MESSAGE_STATUS");
    assert_eq!(messages["status"], "ACTIVE");
    company.writes(ZENVIA, "marina", "Oi");
    assert_eq!(company.last().attempt.url, "http://company.example/MESSAGE");
    assert_eq!(company.last().header("x-ramal-secret"), "s");
    send(&mut company, &json!([{"type": "text", "text": "Oi"}]));
    assert_eq!(
        company.last().attempt.url,
        "http://company.example/MESSAGE_STATUS"
    );
    let path = format!(
        "/v2/subscriptions/{}",
        messages["id"].as_str().expect("an id")
    );
    assert_eq!(
        company.asks(ZENVIA, ("DELETE", &path), &[KEY], b"").status,
        204
    );
    let told = company.told.len();
    company.writes(ZENVIA, "marina", "Oi");
    assert_eq!(company.told.len(), told);
}

#[test]
fn templates_take_their_values_by_name() {
    let mut company = Company::new(Pace::AT_ONCE);
    let listed = json(&company.asks(
        ZENVIA,
        ("GET", "/v2/templates?channel=WHATSAPP"),
        &[KEY],
        b"",
    ));
    let templates = listed.as_array().expect("templates");
    let found = templates
        .iter()
        .find(|one| one["name"] == demo::TEMPLATE_RETURN)
        .expect("it");
    assert_eq!(found["fields"], json!(["nome", "protocolo"]));
    assert_eq!(found["components"]["body"]["type"], "TEXT_TEMPLATE");
    let content =
        |fields: Value| json!([{"type": "template", "templateId": found["id"], "fields": fields}]);
    let refused = send(&mut company, &content(json!({"nome": "Ana"})));
    assert_eq!(refused["code"], "VALIDATION_ERROR");
    let taken = send(
        &mut company,
        &content(json!({"nome": "Ana", "protocolo": "7"})),
    );
    assert!(taken["id"].is_string(), "{taken}");
}

#[test]
fn strangers_are_refused() {
    let mut company = Company::new(Pace::AT_ONCE);
    let answer = company.asks(
        ZENVIA,
        ("GET", "/v2/templates"),
        &[("x-api-token", "outro")],
        b"",
    );
    assert_eq!(
        (answer.status, &json(&answer)["code"]),
        (401, &json!("AUTHENTICATION_ERROR"))
    );
}

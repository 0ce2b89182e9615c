//! 360dialog: Meta's words, another key, no signature.

use ramal_sim::world::{Content, File, Pace, Shape};
use ramal_sim::{Provider, demo};
use serde_json::json;

use crate::company::{Company, json};

const D360: Provider = Provider::Dialog360;
const KEY: (&str, &str) = ("d360-api-key", "D360-simulador");

#[test]
fn webhooks_are_metas_with_the_secret_that_was_given() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(D360, "marina", "Olá");
    let told = company.last();
    assert_eq!(told.header("x-ramal-secret"), demo::WEBHOOK_SECRET);
    assert_eq!(told.header("x-hub-signature-256"), "");
    let value = &told.json()["entry"][0]["changes"][0]["value"];
    assert_eq!(
        value["metadata"]["phone_number_id"],
        demo::D360_PHONE_NUMBER_ID
    );
    assert_eq!(value["messages"][0]["text"]["body"], "Olá");
}

#[test]
fn messages_go_without_the_number_in_the_path() {
    let mut company = Company::new(Pace::AT_ONCE);
    let body = json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": "text",
        "text": {"body": "Oi"}});
    let body = body.to_string();
    let answer = company.asks(D360, ("POST", "/messages"), &[KEY], body.as_bytes());
    let id = json(&answer)["messages"][0]["id"].clone();
    assert!(id.as_str().is_some_and(|id| id.starts_with("wamid.")));
    let stranger = company.asks(D360, ("POST", "/messages"), &[], body.as_bytes());
    assert_eq!(
        (stranger.status, &json(&stranger)["meta"]["success"]),
        (401, &json!(false))
    );
}

#[test]
fn links_are_at_metas_host_and_are_asked_for_at_360dialog() {
    let mut company = Company::new(Pace::AT_ONCE);
    let content = Content::File(File {
        file: demo::SAMPLE_PICTURE.to_owned(),
        shape: Shape::Image,
        mime: String::new(),
        name: None,
        caption: None,
        voice: false,
        bytes: 0,
        sha256: String::new(),
    });
    company.sends(D360, "marina", content);
    let path = format!("/{}", demo::SAMPLE_PICTURE);
    let located = json(&company.asks(D360, ("GET", &path), &[KEY], b""));
    let url = located["url"].as_str().expect("a link");
    let path = url
        .strip_prefix("https://lookaside.fbsbx.com")
        .expect("Meta's host");
    let file = company.asks(D360, ("GET", path), &[KEY], b"");
    assert!(file.body.starts_with(b"\x89PNG"));
    assert_eq!(company.asks(D360, ("GET", path), &[], b"").status, 401);
}

#[test]
fn templates_are_counted_and_the_webhook_can_be_set() {
    let mut company = Company::new(Pace::AT_ONCE);
    let path = "/v1/configs/templates?limit=2&offset=1";
    let listed = json(&company.asks(D360, ("GET", path), &[KEY], b""));
    assert_eq!(listed["waba_templates"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&listed["total"], &listed["offset"]),
        (&json!(9), &json!(1))
    );
    assert_eq!(listed["waba_templates"][0]["status"], "approved");
    let body = json!({"url": "http://company.example/360", "headers": {"X-Ramal-Secret": "outro"}});
    company.asks(
        D360,
        ("POST", "/v1/configs/webhook"),
        &[KEY],
        body.to_string().as_bytes(),
    );
    company.writes(D360, "marina", "Oi");
    assert_eq!(company.last().attempt.url, "http://company.example/360");
    assert_eq!(company.last().header("x-ramal-secret"), "outro");
}

//! Templates at Meta: listed, made, judged, filled and deleted.

use ramal_sim::world::{Act, Content, FilledButton, Pace, TemplateState};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, json};
use crate::graph::graph;

const CLOUD: Provider = Provider::Cloud;

fn templates() -> String {
    format!("/v25.0/{}/message_templates", demo::WABA_ID)
}

fn send(company: &mut Company, name: &str, language: &str, components: Value) -> Value {
    let path = format!("/{}/messages", demo::PHONE_NUMBER_ID);
    let template = json!({"name": name, "language": {"code": language}, "components": components});
    let body = json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": "template",
        "template": template});
    json(&graph(company, "POST", &path, &body))
}

#[test]
fn the_list_comes_page_by_page_with_all_kinds() {
    let mut company = Company::new(Pace::AT_ONCE);
    let mut found: Vec<Value> = vec![];
    let mut path = format!("{}?limit=4", templates());
    loop {
        let page = json(&graph(&mut company, "GET", &path, &json!({})));
        found.extend(page["data"].as_array().expect("templates").clone());
        let Some(next) = page["paging"]["next"].as_str() else {
            break;
        };
        path = next
            .strip_prefix("http://sim.example/graph")
            .expect("ours")
            .to_owned();
    }
    assert_eq!(found.len(), 9);
    let named = |name: &str| {
        found
            .iter()
            .find(|one| one["name"] == name)
            .expect("it")
            .clone()
    };
    assert_eq!(named(demo::TEMPLATE_RETURN)["parameter_format"], "NAMED");
    let delivery = named(demo::TEMPLATE_DELIVERY);
    assert_eq!(delivery["parameter_format"], "POSITIONAL");
    assert_eq!(
        delivery["components"][0],
        json!({"type": "HEADER", "format": "IMAGE"})
    );
    let url = json!({"type": "URL", "text": "Acompanhar pedido", "url": "https://loja.example/pedidos/{{1}}"});
    assert_eq!(delivery["components"][3]["buttons"], json!([url]));
    assert_eq!(named(demo::TEMPLATE_PAUSED)["status"], "PAUSED");
    assert_eq!(
        named(demo::TEMPLATE_REJECTED)["rejected_reason"],
        "INVALID_FORMAT"
    );
}

#[test]
fn a_template_is_judged_after_a_while_and_the_company_is_told() {
    let mut company = Company::new(Pace::USUAL);
    let mut create = |name: &str, body: &str| {
        let body = json!({"name": name, "language": "pt_BR", "category": "UTILITY",
            "components": [{"type": "BODY", "text": body}]});
        json(&graph(&mut company, "POST", &templates(), &body))
    };
    let made = create("aviso", "Olá, {{1}}, tudo certo.");
    assert_eq!(
        (&made["status"], &made["category"]),
        (&json!("PENDING"), &json!("UTILITY"))
    );
    create("vazio", "{{1}}{{2}}");
    assert_eq!(create("Aviso", "Olá.")["error"]["code"], 100);
    assert_eq!(create("aviso", "Olá.")["error"]["code"], 100);
    // Until then it cannot be sent.
    let value = json!([{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]);
    assert_eq!(
        send(&mut company, "aviso", "pt_BR", value.clone())["error"]["code"],
        132_001
    );
    company.pass(3_000);
    let told: Vec<Value> = company
        .told
        .iter()
        .map(|told| {
            let body = told.json();
            let change = &body["entry"][0]["changes"][0];
            assert_eq!(change["field"], "message_template_status_update");
            let value = &change["value"];
            json!([
                value["message_template_name"],
                value["event"],
                value["reason"]
            ])
        })
        .collect();
    let expected = [
        json!(["aviso", "APPROVED", "NONE"]),
        json!(["vazio", "REJECTED", "INVALID_FORMAT"]),
    ];
    assert_eq!(told, expected);
    assert!(send(&mut company, "aviso", "pt_BR", value)["messages"][0]["id"].is_string());
    let path = format!("{}?name=aviso", templates());
    assert_eq!(
        json(&graph(&mut company, "DELETE", &path, &json!({}))),
        json!({"success": true})
    );
    assert_eq!(
        json(&graph(&mut company, "DELETE", &path, &json!({})))["error"]["code"],
        132_001
    );
}

#[test]
fn what_does_not_fit_the_template_is_refused_with_its_code() {
    let mut company = Company::new(Pace::AT_ONCE);
    let named =
        |name: &str, text: &str| json!({"type": "text", "parameter_name": name, "text": text});
    let body = |parameters: Value| json!([{"type": "body", "parameters": parameters}]);
    let both = body(json!([named("nome", "Ana"), named("protocolo", "7")]));
    let rows = [
        (demo::TEMPLATE_RETURN, "fr", both.clone(), 132_001),
        ("nenhum", "pt_BR", both.clone(), 132_001),
        (
            demo::TEMPLATE_RETURN,
            "pt_BR",
            body(json!([named("nome", "Ana")])),
            132_000,
        ),
        (
            demo::TEMPLATE_RETURN,
            "pt_BR",
            body(json!([named("nome", "Ana"), named("outro", "7")])),
            132_000,
        ),
        (
            demo::TEMPLATE_RETURN,
            "pt_BR",
            body(json!([named("nome", "Ana"), named("protocolo", "")])),
            131_008,
        ),
        (
            demo::TEMPLATE_RETURN,
            "pt_BR",
            body(json!([named("nome", "Ana\n"), named("protocolo", "7")])),
            100,
        ),
        (
            demo::TEMPLATE_RETURN,
            "pt_BR",
            body(json!([{"type": "text", "text": "Ana"}, {"type": "text", "text": "7"}])),
            100,
        ),
        (
            demo::TEMPLATE_PAUSED,
            "pt_BR",
            body(json!([{"type": "text", "text": "Ana"}])),
            132_015,
        ),
        (
            demo::TEMPLATE_DELIVERY,
            "pt_BR",
            json!([{"type": "header", "parameters": [{"type": "text", "text": "x"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "7"}]}]),
            132_012,
        ),
    ];
    for (name, language, components, code) in rows {
        let answer = send(&mut company, name, language, components.clone());
        assert_eq!(
            answer["error"]["code"], code,
            "{name} {components}: {answer}"
        );
    }
    assert!(send(&mut company, demo::TEMPLATE_RETURN, "pt_BR", both)["messages"].is_array());
}

#[test]
fn all_parts_are_filled_and_a_quick_reply_says_what_the_company_called_it() {
    let mut company = Company::new(Pace::AT_ONCE);
    let components = json!([
        {"type": "header", "parameters": [{"type": "image", "image": {"id": demo::SAMPLE_PICTURE}}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "77"}, {"type": "text", "text": "hoje"}]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "77"}]},
    ]);
    send(&mut company, demo::TEMPLATE_DELIVERY, "pt_BR", components);
    let content = company
        .world
        .messages()
        .last()
        .expect("sent")
        .content
        .clone();
    let Content::Template(filled) = content else {
        panic!("no template")
    };
    assert_eq!(
        filled.body,
        "Oi, Ana! O pedido 77 saiu para entrega e chega hoje, até as 18h."
    );
    assert_eq!(
        filled.file.as_ref().map(|file| file.file.as_str()),
        Some(demo::SAMPLE_PICTURE)
    );
    let (text, url) = (
        "Acompanhar pedido".to_owned(),
        "https://loja.example/pedidos/77".to_owned(),
    );
    assert_eq!(filled.buttons, [FilledButton::Url { text, url }]);

    let components = json!([
        {"type": "header", "parameters": [{"type": "text", "text": "77"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "NOTA:5"}]},
    ]);
    send(&mut company, demo::TEMPLATE_SURVEY, "pt_BR", components);
    let message = company.world.messages().last().expect("sent").id;
    let option = "Ótimo".to_owned();
    company.does(CLOUD, "marina", Act::Press { message, option });
    let told = company.last().json();
    let message = &told["entry"][0]["changes"][0]["value"]["messages"][0];
    assert_eq!(
        (&message["type"], &message["button"]),
        (
            &json!("button"),
            &json!({"payload": "NOTA:5", "text": "Ótimo"})
        )
    );
}

#[test]
fn a_template_can_be_paused_by_hand() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.world.templates()[0].id.clone();
    company
        .world
        .set_template(company.now_ms, CLOUD, &id, TemplateState::Disabled, None);
    company.settle();
    let told = company.last().json();
    assert_eq!(told["entry"][0]["changes"][0]["value"]["event"], "DISABLED");
}

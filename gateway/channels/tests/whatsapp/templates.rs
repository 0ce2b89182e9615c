//! Templates from the list of each provider, filled, and as each of them is sent.

use channels::send::{OutContent, Outgoing, Response};
use channels::template::{Template, TemplatePage, Values};
use serde_json::{Value, json};

use crate::connector;

fn listed(provider: &str, body: &Value) -> TemplatePage {
    let response = Response {
        status: 200,
        retry_after_ms: None,
        body: body.to_string().into_bytes(),
    };
    connector(provider)
        .templates_listed(&response)
        .expect("templates")
}

/// The template as each provider lists it.
fn list(provider: &str) -> Value {
    let words = "Olá {{nome}}, protocolo {{protocolo}}";
    let meta = json!({
        "id": "12", "name": "retorno", "language": "pt_BR", "category": "UTILITY", "status": "APPROVED",
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Retorno"},
            {"type": "BODY", "text": words}, {"type": "FOOTER", "text": "Loja"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Reabrir"}, {"type": "URL", "text": "Ver", "url": "https://l.exemplo/{{1}}"}]},
        ],
    });
    match provider {
        "cloud" => {
            json!({"data": [meta], "paging": {"cursors": {"after": "MTAw"}, "next": "https://graph…"}})
        }
        "dialog360" => json!({"waba_templates": [meta], "count": 1, "offset": 0, "total": 7}),
        "gupshup" => {
            let container = json!({
                "header": "Retorno", "data": words, "footer": "Loja",
                "buttons": [{"type": "QUICK_REPLY", "text": "Reabrir"}, {"type": "URL", "text": "Ver", "url": "https://l.exemplo/{{1}}"}],
            });
            json!({"status": "success", "templates": [{
                "id": "12", "elementName": "retorno", "languageCode": "pt_BR", "category": "UTILITY",
                "status": "APPROVED", "templateType": "TEXT", "containerMeta": container.to_string(),
            }]})
        }
        "zenvia" => json!([{
            "id": "12", "name": "retorno", "locale": "pt_BR", "category": "UTILITY", "status": "APPROVED", "channel": "WHATSAPP",
            "components": {
                "header": {"type": "TEXT_TEMPLATE", "text": "Retorno"}, "body": {"type": "TEXT_TEMPLATE", "text": words},
                "footer": {"type": "TEXT_TEMPLATE", "text": "Loja"},
                "buttons": {"type": "MIXED", "items": [{"type": "QUICK_REPLY", "text": "Reabrir"}, {"type": "URL", "text": "Ver", "url": "https://l.exemplo/{{1}}"}]},
            },
        }]),
        "twilio" => json!({
            "contents": [{
                "sid": "12", "friendly_name": "x", "language": "pt_BR", "variables": {"nome": "Ana"},
                "types": {"whatsapp/card": {
                    "header_text": "Retorno", "body": words, "footer": "Loja",
                    "actions": [{"type": "QUICK_REPLY", "title": "Reabrir"}, {"type": "URL", "title": "Ver", "url": "https://l.exemplo/{{1}}"}],
                }},
                "approval_requests": {"name": "retorno", "category": "UTILITY", "status": "approved"},
            }],
            "meta": {"next_page_url": "https://content.twilio.com/v1/ContentAndApprovals?Page=1"},
        }),
        other => panic!("no provider {other}"),
    }
}

fn template() -> Template {
    serde_json::from_value(json!({
        "id": "12", "name": "retorno", "language": "pt_BR", "category": "UTILITY", "state": "approved",
        "header": {"text": "Retorno"}, "body": "Olá {{nome}}, protocolo {{protocolo}}", "footer": "Loja",
        "buttons": [
            {"text": "Reabrir", "kind": "quick_reply"},
            {"text": "Ver", "kind": "url", "url": "https://l.exemplo/{{1}}"},
        ],
    }))
    .expect("a template")
}

fn outgoing() -> Outgoing {
    let values: Values = serde_json::from_value(json!({
        "body": {"nome": "Ana", "protocolo": "123"}, "buttons": {"0": "REABRIR:123", "1": "abc"},
    }))
    .expect("values");
    let out = template().fill(&values).expect("filled");
    assert_eq!(
        template().preview(&out),
        "Retorno\nOlá Ana, protocolo 123\nLoja\n[Reabrir]\n[Ver]"
    );
    let mut message: Outgoing = serde_json::from_value(json!({
        "message": "msg_1", "to": {"kind": "wa_id", "value": "5511987654321"},
        "content": {"kind": "text", "text": ""},
    }))
    .expect("a message");
    message.content = OutContent::Template(out);
    message
}

#[test]
fn the_same_template_is_the_same_from_any_list() {
    for provider in crate::PROVIDERS {
        let page = listed(provider, &list(provider));
        assert_eq!(page.templates, [template()], "{provider}");
    }
}

#[test]
fn lists_are_asked_for_page_by_page() {
    let after = |provider: &str| listed(provider, &list(provider)).after;
    assert_eq!(after("cloud").as_deref(), Some("MTAw"));
    assert_eq!(after("dialog360").as_deref(), Some("1"));
    assert_eq!(after("gupshup"), None);
    let twilio = after("twilio").expect("a page");
    let next = connector("twilio")
        .templates(Some(&twilio))
        .expect("a request");
    assert_eq!(next.url, twilio);
    assert!(
        connector("twilio")
            .templates(Some("https://exemplo.com/"))
            .is_err()
    );
    let next = connector("cloud")
        .templates(Some("a&b"))
        .expect("a request");
    assert!(next.url.ends_with("&limit=100&after=a%26b"), "{}", next.url);
    let last = json!({"data": [], "paging": {"cursors": {"after": "MTAw"}}});
    assert_eq!(listed("cloud", &last).after, None);
    assert!(connector("dialog360").templates(Some("1&x=2")).is_err());
}

#[test]
fn what_nobody_can_read_is_left_out_and_what_is_not_approved_cannot_be_sent() {
    let page = listed(
        "cloud",
        &json!({"data": [7, {"name": "x"}, list("cloud")["data"][0].clone()]}),
    );
    assert_eq!(page.templates.len(), 1);
    let mut paused = list("cloud");
    paused["data"][0]["status"] = json!("PAUSED");
    let paused = listed("cloud", &paused).templates.remove(0);
    assert!(paused.fill(&Values::default()).is_err());
    let error = Response {
        status: 400,
        retry_after_ms: None,
        body: br#"{"error":{"code":190,"message":"expired"}}"#.to_vec(),
    };
    let failure = connector("cloud")
        .templates_listed(&error)
        .expect_err("a failure");
    assert_eq!(failure.advice.as_str(), "token_expired");
}

#[test]
fn a_filled_template_has_its_shape_with_each_provider() {
    let send = |provider: &str| connector(provider).send(&outgoing()).expect("a request");
    let json_of =
        |provider: &str| -> Value { serde_json::from_slice(&send(provider).body).expect("JSON") };
    let field = |provider: &str, name: &str| -> Value {
        let request = send(provider);
        let mut fields = form_urlencoded::parse(&request.body);
        let (_, value) = fields.find(|(key, _)| key == name).expect("a field");
        serde_json::from_str(&value).unwrap_or_else(|_| json!(value))
    };
    let named =
        |name: &str, text: &str| json!({"type": "text", "parameter_name": name, "text": text});
    assert_eq!(
        json_of("cloud")["template"],
        json!({
            "name": "retorno", "language": {"code": "pt_BR"},
            "components": [
                {"type": "body", "parameters": [named("nome", "Ana"), named("protocolo", "123")]},
                {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "REABRIR:123"}]},
                {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "abc"}]},
            ],
        })
    );
    assert_eq!(
        send("gupshup").url,
        "https://api.gupshup.io/wa/api/v1/template/msg"
    );
    assert_eq!(
        field("gupshup", "template"),
        json!({"id": "12", "params": ["Ana", "123", "REABRIR:123", "abc"]})
    );
    assert_eq!(
        json_of("zenvia")["contents"],
        json!([{"type": "template", "templateId": "12", "fields": {"nome": "Ana", "protocolo": "123", "1": "abc"}}])
    );
    assert_eq!(field("twilio", "ContentSid"), json!(12));
    assert_eq!(
        field("twilio", "ContentVariables"),
        json!({"nome": "Ana", "protocolo": "123", "1": "abc"})
    );
}

#[test]
fn values_that_have_places_go_without_names() {
    let mut template = template();
    template.body = "Olá {{1}}".to_owned();
    template.buttons.clear();
    let values: Values = serde_json::from_value(json!({"body": {"1": "Ana"}})).expect("values");
    let mut message = outgoing();
    message.content = OutContent::Template(template.fill(&values).expect("filled"));
    let request = connector("cloud").send(&message).expect("a request");
    let sent: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(
        sent["template"]["components"],
        json!([{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}])
    );
}

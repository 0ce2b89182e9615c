//! The account beside its messages: how it is set up, whether it is well, whom it reaches and whom it
//! keeps away.

use channels::connector::{Connector, Refusal};
use channels::event::HealthLevel;
use channels::health::{Check, Fact, Finding};
use channels::peer::PeerId;
use channels::send::{Outgoing, Request, Response};
use channels::whatsapp;
use serde_json::{Value, json};

use crate::{PROVIDERS, config, connector};

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn response(status: u16, body: &Value) -> Response {
    Response {
        status,
        retry_after_ms: None,
        body: body.to_string().into_bytes(),
    }
}

fn with(provider: &str, field: &str, value: Value) -> Box<dyn Connector> {
    let mut config = config(provider);
    config[field] = value;
    let config = serde_json::from_value(config).expect("a configuration");
    whatsapp::connector(config).expect("a connector")
}

fn id(kind: &str, scope: &str, value: &str) -> PeerId {
    serde_json::from_value(json!({"kind": kind, "scope": scope, "value": value})).expect("an id")
}

#[test]
fn providers_that_can_be_told_are_told_where_to_call() {
    let webhook = "https://ramal.exemplo/webhooks/c1";
    let told = |provider: &str| connector(provider).set_up(webhook);
    let cloud = told("cloud");
    assert_eq!(
        cloud[0].url,
        "https://graph.facebook.com/v25.0/102290129340398/subscribed_apps"
    );
    assert_eq!(
        body(&cloud[0]),
        json!({"override_callback_uri": webhook, "verify_token": "v3rify"})
    );
    let dialog = told("dialog360");
    assert_eq!(
        dialog[0].url,
        "https://waba-v2.360dialog.io/v1/configs/webhook"
    );
    assert_eq!(
        body(&dialog[0]),
        json!({"url": webhook, "headers": {"x-ramal-secret": "s3gr3do"}})
    );
    let counts = PROVIDERS.map(|provider| told(provider).len());
    assert_eq!(counts, [1, 1, 0, 2, 0]);
}

#[test]
fn an_account_that_is_well_says_so_and_one_that_is_not_raises_an_alarm() {
    use HealthLevel::{Alarm, Note, Warning};
    type Found = (Fact, &'static str, HealthLevel);
    let sub = |event: &str, status: &str| {
        json!({
            "eventType": event, "status": status, "criteria": {"channel": "whatsapp"},
            "webhook": {"url": "https://r.exemplo"},
        })
    };
    let (good, bad) = (
        json!({
            "status": "CONNECTED", "quality_rating": "GREEN", "name_status": "APPROVED", "verified_name": "Loja",
            "messaging_limit_tier": "TIER_1K",
        }),
        json!({"status": "BANNED", "quality_rating": "YELLOW"}),
    );
    let scopes = json!([
        "whatsapp_business_messaging",
        "whatsapp_business_management"
    ]);
    #[rustfmt::skip]
    let rows: [(&str, Check, Value, &[Found]); 12] = [
        ("cloud", Check::Account, good, &[
            (Fact::Status, "CONNECTED", Note), (Fact::Quality, "GREEN", Note), (Fact::Name, "Loja (APPROVED)", Note),
            (Fact::Limit, "TIER_1K", Note),
        ]),
        ("cloud", Check::Account, bad, &[(Fact::Status, "BANNED", Alarm), (Fact::Quality, "YELLOW", Warning)]),
        ("cloud", Check::Token, json!({"data": {"is_valid": true, "expires_at": 0, "scopes": scopes}}), &[(Fact::TokenExpires, "never", Note)]),
        ("cloud", Check::Token, json!({"data": {"is_valid": false, "expires_at": 1_795_430_000, "scopes": [scopes[0]]}}), &[
            (Fact::TokenExpires, "1795430000000", Alarm), (Fact::PermissionMissing, "whatsapp_business_management", Alarm),
        ]),
        ("cloud", Check::Subscription, json!({"data": [{"override_callback_uri": "https://r.exemplo"}]}), &[(Fact::Webhook, "https://r.exemplo", Note)]),
        ("cloud", Check::Subscription, json!({"data": [{"whatsapp_business_api_data": {"name": "App"}}]}), &[(Fact::Webhook, "App", Note)]),
        ("cloud", Check::Subscription, json!({"data": []}), &[(Fact::Webhook, "", Alarm)]),
        ("dialog360", Check::Subscription, json!({"url": "https://r.exemplo"}), &[(Fact::Webhook, "https://r.exemplo", Note)]),
        ("zenvia", Check::Subscription, json!([sub("MESSAGE", "ACTIVE"), sub("MESSAGE_STATUS", "INACTIVE")]), &[
            (Fact::Webhook, "MESSAGE https://r.exemplo", Note), (Fact::Webhook, "MESSAGE_STATUS", Alarm),
        ]),
        ("zenvia", Check::Subscription, json!([]), &[(Fact::Webhook, "MESSAGE", Alarm), (Fact::Webhook, "MESSAGE_STATUS", Alarm)]),
        ("twilio", Check::Account, json!({"status": "active"}), &[(Fact::Status, "active", Note)]),
        ("twilio", Check::Account, json!({"status": "suspended"}), &[(Fact::Status, "suspended", Alarm)]),
    ];
    for (provider, check, answer, expected) in rows {
        let connector = connector(provider);
        assert!(connector.checks().iter().any(|(asked, _)| *asked == check));
        let found = connector.checked(check, &response(200, &answer));
        let finding = |(fact, value, level): &Found| Finding::new(*fact, *value, *level);
        let expected: Vec<Finding> = expected.iter().map(finding).collect();
        assert_eq!(found, Ok(expected), "{provider} {answer}");
    }
}

#[test]
fn a_check_that_is_refused_says_why_and_shows_no_token() {
    for provider in PROVIDERS {
        let connector = connector(provider);
        for (check, request) in connector.checks() {
            let printed = format!("{request:?} {:?}", request.headers);
            assert!(!printed.contains("T0KEN") && !printed.contains("t0k3n"));
            let failure = connector
                .checked(check, &response(401, &json!({})))
                .expect_err("a failure");
            assert_eq!(failure.advice.as_str(), "token_expired", "{provider}");
        }
    }
    let expired = json!({"error": {"code": 190, "message": "expired"}});
    let failure = connector("cloud").checked(Check::Account, &response(400, &expired));
    let failure = failure.expect_err("a failure");
    assert!(failure.alarms());
    assert_eq!(failure.code, "190");
}

#[test]
fn a_customer_is_written_to_by_their_telephone_first_and_by_no_id_of_another_portfolio() {
    let phone = id("phone", "", "+5511987654321");
    let wa_id = id("wa_id", "", "551187654321");
    let user = id("wa_bsuid", "2729", "BR.777");
    let elsewhere = id("wa_bsuid", "1111", "BR.888");
    let email = id("email", "", "ana@exemplo.com");
    let all = [
        email.clone(),
        elsewhere.clone(),
        user.clone(),
        phone.clone(),
        wa_id.clone(),
    ];
    for provider in PROVIDERS {
        let connector = connector(provider);
        assert_eq!(connector.address(&all), Some(&wa_id), "{provider}");
        assert_eq!(connector.address(&all[..4]), Some(&phone), "{provider}");
        let knows_users = matches!(provider, "cloud" | "dialog360");
        let expected = knows_users.then_some(&user);
        assert_eq!(connector.address(&all[..3]), expected, "{provider}");
        assert_eq!(connector.address(&all[..2]), None, "{provider}");
        let mut message: Outgoing = serde_json::from_value(json!({
            "message": "m1", "to": {"kind": "phone", "value": "x"}, "content": {"kind": "text", "text": "Oi"},
        }))
        .expect("a message");
        message.to = elsewhere.clone();
        assert_eq!(connector.send(&message), Err(Refusal::Address));
    }
}

#[test]
fn codes_are_sent_to_telephones_alone() {
    let mut message: Outgoing = serde_json::from_value(json!({
        "message": "m1", "to": {"kind": "wa_bsuid", "scope": "2729", "value": "BR.777"},
        "content": {"kind": "template", "id": "1", "name": "codigo", "language": "pt_BR", "category": "AUTHENTICATION"},
    }))
    .expect("a message");
    let cloud = connector("cloud");
    assert_eq!(cloud.send(&message), Err(Refusal::Address));
    message.to = id("wa_id", "", "5511987654321");
    assert!(cloud.send(&message).is_ok());
}

#[test]
fn a_customer_is_kept_away_and_let_again() {
    let (wa_id, user) = (
        id("wa_id", "", "5511987654321"),
        id("wa_bsuid", "2729", "BR.777"),
    );
    let cloud = connector("cloud");
    let block = cloud.block(&wa_id, true).expect("a request");
    assert_eq!(
        (block.method.as_str(), block.url.as_str()),
        (
            "POST",
            "https://graph.facebook.com/v25.0/106540352242922/block_users"
        )
    );
    assert_eq!(
        body(&block),
        json!({"messaging_product": "whatsapp", "block_users": [{"user": "5511987654321"}]})
    );
    let again = connector("dialog360")
        .block(&user, false)
        .expect("a request");
    assert_eq!(again.method.as_str(), "DELETE");
    assert_eq!(body(&again)["block_users"], json!([{"user_id": "BR.777"}]));
    for provider in ["gupshup", "zenvia", "twilio"] {
        let what = "block";
        assert_eq!(
            connector(provider).block(&wa_id, true),
            Err(Refusal::Unsupported { what })
        );
    }
}

#[test]
fn an_app_that_asks_for_a_proof_of_its_secret_gets_it_with_every_request() {
    let cloud = with("cloud", "appsecret_proof", json!(true));
    // HMAC-SHA256 of `T0KEN` with the key `s3gr3do`.
    let proof = "appsecret_proof=c9167f3e9485766cb46043cae10892ca7ac0715edba4813299bb9971a36f837a";
    let requests = cloud.checks();
    assert!(requests[0].1.url.ends_with(&format!("&{proof}")));
    assert!(requests[2].1.url.ends_with(&format!("?{proof}")));
    let plain = connector("cloud").checks();
    assert!(
        plain
            .iter()
            .all(|(_, request)| !request.url.contains("proof"))
    );
}

#[test]
fn a_number_that_is_in_use_on_a_telephone_sends_more_slowly() {
    let every_us = |connector: &dyn Connector| connector.capabilities().rates.identity.every_us;
    let slow = with("cloud", "coexistence", json!(true));
    assert_eq!(every_us(connector("cloud").as_ref()), 12_500);
    assert_eq!(every_us(slow.as_ref()), 50_000);
}

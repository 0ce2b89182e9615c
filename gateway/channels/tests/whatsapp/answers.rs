//! What the answers of providers mean: the table of errors, and whether a message may be sent again.

use channels::failure::{Failure, FailureClass};
use channels::send::Response;
use serde_json::{Value, json};

use crate::{PROVIDERS, connector};

fn response(status: u16, body: &Value) -> Response {
    Response {
        status,
        retry_after_ms: None,
        body: body.to_string().into_bytes(),
    }
}

fn failed(provider: &str, status: u16, body: &Value) -> Failure {
    let answered = connector(provider).answered(&response(status, body));
    answered.expect_err("a failure")
}

#[test]
fn an_accepted_message_has_the_id_by_which_its_statuses_come() {
    let meta = json!({
        "messaging_product": "whatsapp", "contacts": [{"input": "5511987654321", "wa_id": "551187654321", "user_id": "BR.1"}],
        "messages": [{"id": "wamid.A", "message_status": "accepted"}],
    });
    for provider in ["cloud", "dialog360"] {
        let accepted = connector(provider)
            .answered(&response(200, &meta))
            .expect("accepted");
        assert_eq!(accepted.id, "wamid.A");
        // So is learned that this mobile goes without its ninth digit.
        assert_eq!(
            serde_json::to_value(&accepted.learned).expect("JSON"),
            json!([{"kind": "wa_bsuid", "scope": "2729", "value": "BR.1"}, {"kind": "wa_id", "value": "551187654321"}])
        );
    }
    #[rustfmt::skip]
    let rows = [
        ("gupshup", 202, json!({"status": "submitted", "messageId": "9b3f1a"}), "9b3f1a"),
        ("zenvia", 200, json!({"id": "zv-1", "direction": "OUT"}), "zv-1"),
        ("twilio", 201, json!({"sid": "SM1", "status": "queued", "error_code": null}), "SM1"),
    ];
    for (provider, status, body, id) in rows {
        let accepted = connector(provider)
            .answered(&response(status, &body))
            .expect("accepted");
        assert_eq!((accepted.id.as_str(), accepted.learned.len()), (id, 0));
    }
}

#[test]
fn every_code_of_meta_has_its_class_and_its_sentence() {
    #[rustfmt::skip]
    let rows: &[(&[i64], &str, &str)] = &[
        (&[0, 190], "channel_broken", "token_expired"),
        (&[3, 10, 200, 299, 131_005], "channel_broken", "permission_missing"),
        (&[4, 80_007, 130_429], "retry", "too_fast"),
        (&[131_056], "retry", "too_fast_to_one"),
        (&[131_048], "permanent", "spam_limit"),
        (&[131_049], "permanent", "withheld"),
        (&[131_050], "blocked_by_customer", "marketing_stopped"),
        (&[131_047], "needs_template", "window_closed"),
        (&[131_026], "permanent", "not_reachable"),
        (&[131_021], "permanent", "same_number"),
        (&[131_030, 131_063], "permanent", "setup"),
        (&[131_031, 368], "channel_broken", "account_locked"),
        (&[131_037, 131_045, 133_016], "channel_broken", "registration"),
        (&[131_042], "channel_broken", "payment"),
        (&[131_051], "permanent", "kind_refused"),
        (&[131_052, 131_053], "retry", "file"),
        (&[131_008, 131_009, 100], "permanent", "our_mistake"),
        (&[1, 2, 131_000, 131_016, 131_057], "retry", "provider_away"),
        (&[131_060], "permanent", "message_gone"),
        (&[131_062], "permanent", "phone_needed"),
        (&[131_064], "permanent", "template_violations"),
        (&[130_472], "permanent", "experiment"),
        (&[130_497], "permanent", "country"),
        (&[132_001], "permanent", "template_missing"),
        (&[132_000, 132_005, 132_012], "permanent", "template_values"),
        (&[132_007, 132_015, 132_016], "permanent", "template_unusable"),
        (&[135_000], "permanent", "unknown"),
        (&[137_000], "permanent", "identity_changed"),
        (&[138_000, 138_006, 138_018], "permanent", "call_refused"),
        (&[139_100, 139_103], "permanent", "blocked"),
    ];
    for (codes, class, advice) in rows {
        for code in *codes {
            let error = json!({"error": {
                "message": "(#1) Something", "code": code, "fbtrace_id": "AbC",
                "error_data": {"messaging_product": "whatsapp", "details": "In detail"},
            }});
            let failure = failed("cloud", 400, &error);
            assert_eq!(
                (failure.class.as_str(), failure.advice.as_str()),
                (*class, *advice),
                "{code}"
            );
            assert_eq!(failure.code, code.to_string());
            assert_eq!(failure.text, "In detail [fbtrace_id AbC]");
        }
    }
    let wait = |code: i64| failed("cloud", 400, &json!({"error": {"code": code}}));
    assert_eq!(wait(131_056).retry_after_ms, Some(6_000));
    assert_eq!(wait(130_429).retry_after_ms, Some(2_000));
    assert_eq!(wait(131_053).retries_max, Some(1));
    assert_eq!(wait(131_016).retries_max, None);
}

#[test]
fn an_unknown_code_is_tried_again_only_if_it_says_that_it_passes() {
    let error = |transient: bool| json!({"error": {"code": 999_999, "is_transient": transient}});
    assert_eq!(
        failed("cloud", 400, &error(true)).class,
        FailureClass::Retry
    );
    assert_eq!(
        failed("cloud", 400, &error(false)).class,
        FailureClass::Permanent
    );
    assert_eq!(
        failed("cloud", 500, &error(false)).class,
        FailureClass::Uncertain
    );
}

#[test]
fn what_may_have_been_sent_is_never_sent_again_by_itself() {
    let page = "<html>502 Bad Gateway</html>";
    for provider in PROVIDERS {
        let answered = |status: u16, body: &str, retry_after_ms: Option<u64>| {
            let body = body.as_bytes().to_vec();
            #[rustfmt::skip]
            let response = Response { status, retry_after_ms, body };
            connector(provider)
                .answered(&response)
                .expect_err("a failure")
        };
        #[rustfmt::skip]
        let rows = [
            (500, FailureClass::Uncertain), (502, FailureClass::Uncertain), (504, FailureClass::Uncertain),
            // Taken, and the id is lost.
            (200, FailureClass::Uncertain), (302, FailureClass::Uncertain),
            (400, FailureClass::Permanent), (404, FailureClass::Permanent), (413, FailureClass::Permanent),
            (401, FailureClass::ChannelBroken), (402, FailureClass::ChannelBroken), (403, FailureClass::ChannelBroken),
            (429, FailureClass::Retry),
        ];
        for (status, class) in rows {
            let failure = answered(status, page, None);
            assert_eq!(failure.class, class, "{provider} {status}");
            assert_eq!(failure.code, format!("http {status}"), "{provider}");
        }
        assert_eq!(
            answered(429, page, Some(30_000)).retry_after_ms,
            Some(30_000),
            "{provider}"
        );
        assert_eq!(
            answered(429, page, Some(1)).retry_after_ms,
            Some(2_000),
            "{provider}"
        );
    }
    assert_eq!(Failure::no_answer().class, FailureClass::Uncertain);
    assert_eq!(Failure::not_connected("refused").class, FailureClass::Retry);
}

#[test]
fn the_own_codes_of_twilio_and_gupshup_are_known() {
    #[rustfmt::skip]
    let rows = [
        (20_003, "channel_broken"), (20_429, "retry"), (21_211, "permanent"), (21_610, "blocked_by_customer"),
        (63_005, "permanent"), (63_010, "retry"), (63_016, "needs_template"), (63_018, "retry"),
        (63_024, "permanent"), (63_032, "permanent"), (63_049, "permanent"), (99_999, "permanent"),
    ];
    for (code, class) in rows {
        let error = json!({"code": code, "message": "Something", "status": 400});
        let failure = failed("twilio", 400, &error);
        assert_eq!(
            (failure.class.as_str(), failure.text.as_str()),
            (class, "Something"),
            "{code}"
        );
    }
    let refused = json!({"status": "error", "message": "Invalid App Details"});
    let failure = failed("gupshup", 202, &refused);
    assert_eq!(failure.class, FailureClass::Permanent);
    assert!(failure.text.contains("Invalid App Details"));
}

#[test]
fn where_a_file_is_is_said_by_its_id() {
    let cloud = connector("cloud");
    let link = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1";
    let found =
        json!({"url": link, "mime_type": "image/jpeg", "sha256": "ab", "file_size": 9, "id": "1"});
    let request = cloud.located(&response(200, &found)).expect("a request");
    assert_eq!(
        (request.url.as_str(), request.header_value("authorization")),
        (link, Some("Bearer T0KEN"))
    );
    let elsewhere = cloud
        .located(&response(200, &json!({"url": "https://exemplo.com/a"})))
        .expect("a request");
    assert_eq!(elsewhere.header_value("authorization"), None);
    for body in [
        json!({}),
        json!({"url": "file:///etc/passwd"}),
        json!({"url": 7}),
    ] {
        let failure = cloud.located(&response(200, &body)).expect_err("a failure");
        assert_eq!(failure.class, FailureClass::Permanent);
    }
    let gone = json!({"error": {"code": 100, "message": "Unsupported get request"}});
    assert_eq!(
        cloud
            .located(&response(400, &gone))
            .expect_err("a failure")
            .code,
        "100"
    );
    assert_eq!(
        cloud.uploaded(&response(200, &json!({"id": "99"}))),
        Ok("99".to_owned())
    );
}

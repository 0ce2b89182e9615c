//! Calls that people place: from a telephone, or by a click.

use std::time::Duration;

use desk::record::{EndedBy, TrailKind};
use serde_json::{Value, json};

use crate::baresip::Baresip;
use crate::cast::{OUR_NUMBER, agent, carrier, talk};
use crate::ear::{ANA, BRUNO, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::{Server, until};
use crate::sipp::Carrier;

#[test]
fn a_softphone_rings_another_which_refuses_or_is_given_up_or_answers() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = Baresip::of(&server, "ana", ANA);
    let mut bruno = Baresip::of(&server, "bruno", BRUNO);
    let to_bruno = format!("sip:201@{}", server.udp);

    ana.command("dial", &to_bruno);
    ana.wait_for("CALL_RINGING");
    bruno.wait_for("CALL_INCOMING");
    bruno.command("hangup", "");
    let why = ana.wait_for("CALL_CLOSED");
    assert!(why.starts_with("486"), "{why}");
    bruno.wait_for("CALL_CLOSED");
    server.is_quiet();

    ana.command("dial", &to_bruno);
    ana.wait_for("CALL_RINGING");
    bruno.wait_for("CALL_INCOMING");
    ana.command("hangup", "");
    bruno.wait_for("CALL_CLOSED");
    server.is_quiet();
    assert!(!ana.told_of("CALL_ESTABLISHED"));

    ana.command("dial", &to_bruno);
    ana.wait_for("CALL_RINGING");
    bruno.wait_for("CALL_INCOMING");
    bruno.command("accept", "");
    ana.wait_for("CALL_ESTABLISHED");
    they_hear(&[
        (&ana, Hears::These(&[BRUNO])),
        (&bruno, Hears::These(&[ANA])),
    ]);
    ana.command("hangup", "");
    bruno.wait_for("CALL_CLOSED");
    server.is_quiet();
    let causes: Vec<_> = server
        .ended_records(3)
        .into_iter()
        .map(|record| record.call.cause)
        .collect();
    let causes: Vec<_> = causes.iter().map(Option::as_deref).collect();
    assert_eq!(causes, [Some("busy"), Some("cancelled"), Some("hung_up")]);
}

#[test]
fn a_softphone_calls_a_number_outside_as_people_dial_it() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = Baresip::of(&server, "ana", ANA);
    let mut outside = Baresip::callee("+5511955550199", CUSTOMER);
    carrier(&server, "Operadora", outside.listens);
    ana.command("dial", &format!("sip:01511955550199@{}", server.udp));
    outside.wait_for("CALL_INCOMING");
    ana.wait_for("CALL_RINGING");
    outside.command("accept", "");
    ana.wait_for("CALL_ESTABLISHED");
    they_hear(&[
        (&ana, Hears::These(&[CUSTOMER])),
        (&outside, Hears::These(&[ANA])),
    ]);
    let asked = outside.log();
    assert!(asked.contains("INVITE sip:+5511955550199@"), "{asked}");
    assert!(asked.contains(&format!("<sip:{OUR_NUMBER}@")), "{asked}");
    outside.command("hangup", "");
    ana.wait_for("CALL_CLOSED");
    server.is_quiet();
    let record = &server.ended_records(1)[0];
    assert_eq!(record.call.to, "+5511955550199");
    assert_eq!(record.call.ended_by, Some(EndedBy::Customer));
}

#[test]
fn a_softphone_hears_what_the_carrier_says_before_the_answer() {
    if !peers(&["baresip", "sipp", "sox"]) {
        return;
    }
    let server = Server::start();
    let mut ana = Baresip::of(&server, "ana", ANA);
    let announcing = Carrier::announcing(CUSTOMER);
    carrier(&server, "Operadora", announcing.at);
    ana.command("dial", &format!("sip:11955550199@{}", server.udp));
    ana.wait_for("CALL_PROGRESS");
    they_hear(&[(&ana, Hears::These(&[CUSTOMER]))]);
    assert!(!ana.told_of("CALL_ESTABLISHED"));
    ana.command("hangup", "");
    server.is_quiet();
    assert!(announcing.messages().contains("\nCANCEL "));
    let record = &server.ended_records(1)[0];
    assert_eq!(record.call.cause.as_deref(), Some("cancelled"));
    assert!(record.call.answered_ms.is_none());
}

#[test]
fn what_a_carrier_refuses_with_is_told_to_the_phone_and_in_the_record() {
    if !peers(&["baresip", "sipp"]) {
        return;
    }
    let server = Server::start();
    let administrator = server.administrator();
    let mut ana = Baresip::of(&server, "ana", ANA);
    for (status, cause) in [(404, "refused"), (486, "busy"), (503, "refused")] {
        let refusing = Carrier::refusing(status);
        let trunk = carrier(&server, &format!("Operadora {status}"), refusing.at);
        let number = format!("+5511955550{status}");
        administrator.ask(
            "POST /api/v1/outbound-routes",
            &json!({ "name": number, "trunk": trunk, "prefix": number }),
        );
        ana.command("dial", &format!("sip:{number}@{}", server.udp));
        let why = ana.wait_for("CALL_CLOSED");
        assert!(why.starts_with(&status.to_string()), "{why}");
        let asked = refusing.messages();
        assert!(asked.contains(&format!("INVITE sip:{number}@")), "{asked}");
        let record = server.ended_record_to(&number);
        let ended = record.lines(TrailKind::DialEnded);
        assert_eq!(ended[0]["sip_status"], status, "{record:?}");
        assert_eq!(record.call.cause.as_deref(), Some(cause), "{record:?}");
    }
    server.is_quiet();
}

#[test]
fn a_call_goes_on_by_the_second_carrier_when_the_first_cannot() {
    if !peers(&["baresip", "sipp"]) {
        return;
    }
    let server = Server::start();
    let administrator = server.administrator();
    let mut ana = Baresip::of(&server, "ana", ANA);
    let (first, mut outside) = (
        Carrier::refusing(503),
        Baresip::callee("+5511955550199", CUSTOMER),
    );
    for (priority, name, at) in [(1, "Primeira", first.at), (2, "Segunda", outside.listens)] {
        let trunk = carrier(&server, name, at);
        administrator.ask(
            "POST /api/v1/outbound-routes",
            &json!({ "name": name, "trunk": trunk, "priority": priority }),
        );
    }
    ana.command("dial", &format!("sip:11955550199@{}", server.udp));
    outside.wait_for("CALL_INCOMING");
    assert!(first.messages().contains("INVITE sip:+5511955550199@"));
    outside.command("accept", "");
    ana.wait_for("CALL_ESTABLISHED");
    they_hear(&[
        (&ana, Hears::These(&[CUSTOMER])),
        (&outside, Hears::These(&[ANA])),
    ]);
    ana.command("hangup", "");
    server.is_quiet();
    let records = server.ended_records(1);
    assert_eq!(records[0].lines(TrailKind::Dialled).len(), 2, "{records:?}");
    let ended = records[0].lines(TrailKind::DialEnded);
    assert_eq!(ended[0]["sip_status"], 503, "{records:?}");
}

#[test]
fn a_call_abroad_is_refused_and_who_watches_over_costs_is_told() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let administrator = server.administrator();
    let mut ana = Baresip::of(&server, "ana", ANA);
    let mut outside = Baresip::callee("+12025550123", CUSTOMER);
    carrier(&server, "Operadora", outside.listens);
    ana.command("dial", &format!("sip:+12025550123@{}", server.udp));
    let why = ana.wait_for("CALL_CLOSED");
    assert!(why.starts_with("403"), "{why}");
    assert!(!outside.told_of("CALL_INCOMING"));
    let records = server.ended_records(1);
    let refused = records[0].lines(TrailKind::Refused);
    assert_eq!(refused[0]["status"], 403, "{records:?}");
    let alarm = until(Duration::from_secs(20), "the alarm is written down", || {
        let audit = administrator.ask("GET /api/v1/audit", &Value::Null);
        let lines = audit["items"].as_array()?;
        let alarm = lines
            .iter()
            .find(|line| line["action"] == "outbound.refused");
        alarm.cloned()
    });
    assert_eq!(alarm["detail"]["dialled"], "+12025550123", "{alarm}");
    server.is_quiet();
}

#[test]
fn who_clicks_to_call_is_rung_first_and_then_the_customer() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut outside = Baresip::callee("+5511955550199", CUSTOMER);
    carrier(&server, "Operadora", outside.listens);
    ana.person.is("available");
    let placed = ana
        .person
        .ask("POST /api/v1/calls", &json!({ "to": "(11) 95555-0199" }));
    ana.phone.wait_for("CALL_INCOMING");
    assert!(!outside.told_of("CALL_INCOMING"));
    ana.phone.command("accept", "");
    outside.wait_for("CALL_INCOMING");
    they_hear(&[(&ana.phone, Hears::Music)]);
    outside.command("accept", "");
    they_hear(&[
        (&ana.phone, Hears::These(&[CUSTOMER])),
        (&outside, Hears::These(&[ANA])),
    ]);
    ana.is_doing("handling");
    let call = placed["interaction"].as_str().expect("an id");
    assert_eq!(ana.call_in_state("talking"), call);
    ana.orders(call, "hang_up");
    outside.wait_for("CALL_CLOSED");
    ana.is_doing("wrapping up");
    server.is_quiet();
}

#[test]
fn keys_pressed_by_an_agent_or_by_the_customer_reach_the_other() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let (mut customer, call) = talk(&server, &mut ana);
    let order = json!({ "order": "press", "keys": "4*2" });
    ana.person.orders(&call, &order);
    for key in ["4", "*", "2"] {
        assert_eq!(customer.wait_for("CALL_DTMF_START"), key);
    }
    for key in ["7", "#"] {
        customer.command("sndcode", key);
        // The key that chose the service may still be pressed when so fast an agent answers.
        while ana.phone.wait_for("CALL_DTMF_START") != key {}
    }
    customer.command("hangup", "");
    server.is_quiet();
}

//! Calls that are handed on: over the API, or by a telephone's own keys (REFER).

use std::time::Duration;

use desk::record::TrailKind;
use serde_json::{Value, json};

use crate::baresip::Baresip;
use crate::cast::{Colleague, agent, carrier, reception, service, talk};
use crate::ear::{ANA, BRUNO, CLARA, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn a_call_is_handed_to_an_agent() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let bruno = agent(&server, "bruno");
    let (customer, call) = talk(&server, &mut ana);
    let to = json!({ "agent": bruno.person.id() });
    is_handed_over(&server, [ana, bruno], customer, &call, &to);
}

#[test]
fn a_call_is_handed_to_a_service() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let bruno = agent(&server, "bruno");
    let (customer, call) = talk(&server, &mut ana);
    let to = json!({ "service": service(&server, "Suporte") });
    is_handed_over(&server, [ana, bruno], customer, &call, &to);
}

fn is_handed_over(
    server: &Server,
    [mut ana, mut bruno]: [Colleague; 2],
    mut customer: Baresip,
    call: &str,
    to: &Value,
) {
    ana.person.pauses();
    bruno.person.is("available");
    ana.takes(call, "transfer", to);
    ana.phone.wait_for("CALL_CLOSED");
    // It is another's to wrap up.
    ana.is_doing("");
    bruno.answers();
    they_hear(&[
        (&customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    customer.command("hangup", "");
    bruno.phone.wait_for("CALL_CLOSED");
    server.is_quiet();
    let records = server.ended_records(1);
    let transferred = records[0].lines(TrailKind::Transferred);
    assert_eq!(transferred.len(), 1, "{records:?}");
}

#[test]
fn a_call_is_handed_to_a_telephone_outside_of_the_desk() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut reception = reception(&server, "300", CLARA);
    let (mut customer, call) = talk(&server, &mut ana);
    ana.takes(&call, "transfer", &json!({ "number": "300" }));
    ana.phone.wait_for("CALL_CLOSED");
    ana.is_doing("wrapping up");
    reception.wait_for("CALL_INCOMING");
    reception.command("accept", "");
    they_hear(&[
        (&customer, Hears::These(&[CLARA])),
        (&reception, Hears::These(&[CUSTOMER])),
    ]);
    customer.command("hangup", "");
    reception.wait_for("CALL_CLOSED");
    server.is_quiet();
}

#[test]
fn a_call_is_handed_to_a_number_outside_by_a_carrier() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut outside = Baresip::callee("+5511955550199", CLARA);
    carrier(&server, "Operadora", outside.listens);
    let (mut customer, call) = talk(&server, &mut ana);
    ana.takes(&call, "transfer", &json!({ "number": "(11) 95555-0199" }));
    ana.phone.wait_for("CALL_CLOSED");
    outside.wait_for("CALL_INCOMING");
    outside.command("accept", "");
    they_hear(&[
        (&customer, Hears::These(&[CLARA])),
        (&outside, Hears::These(&[CUSTOMER])),
    ]);
    outside.command("hangup", "");
    customer.wait_for("CALL_CLOSED");
    server.is_quiet();
}

#[test]
fn a_caller_whom_nobody_takes_over_is_back_in_the_line() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let mut reception = reception(&server, "300", CLARA);
    let (mut customer, call) = talk(&server, &mut ana);
    ana.takes(&call, "transfer", &json!({ "number": "300" }));
    reception.wait_for("CALL_INCOMING");
    reception.command("hangup", "");
    reception.wait_for("CALL_CLOSED");
    let administrator = server.administrator();
    until(Duration::from_secs(20), "the caller waits again", || {
        (administrator.calls().first()?["state"] == "waiting").then_some(())
    });
    they_hear(&[(&customer, Hears::Music)]);
    bruno.person.is("available");
    bruno.answers();
    they_hear(&[
        (&customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    customer.command("hangup", "");
    server.is_quiet();
    let records = server.ended_records(1);
    let ended = records[0].lines(TrailKind::DialEnded);
    assert_eq!(ended[0]["sip_status"], 486, "{records:?}");
}

#[test]
fn a_phone_hands_its_call_on_by_its_own_key() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let (mut customer, _) = talk(&server, &mut ana);
    bruno.person.is("available");
    ana.phone
        .command("transfer", &format!("sip:201@{}", server.udp));
    ana.phone.wait_for("CALL_CLOSED");
    bruno.answers();
    they_hear(&[
        (&customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    customer.command("hangup", "");
    server.is_quiet();
}

#[test]
fn a_phone_asks_a_colleague_and_joins_the_two_calls_that_it_has() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let (mut customer, _) = talk(&server, &mut ana);
    ana.phone.command("hold", "");
    they_hear(&[(&customer, Hears::Music)]);
    ana.phone
        .command("dial", &format!("sip:201@{}", server.udp));
    bruno.answers();
    ana.phone.wait_for("CALL_ESTABLISHED");
    they_hear(&[
        (&customer, Hears::Music),
        (&ana.phone, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[ANA])),
    ]);
    let replaces = second_call(&ana.phone.log());
    ana.phone.command("line", "1");
    let to = format!("<sip:201@{}?Replaces={replaces}>", server.udp);
    ana.phone.command("transfer", &to);
    ana.phone.wait_for("CALL_CLOSED");
    assert!(ana.phone.log().contains("SIP/2.0 202 "));
    they_hear(&[
        (&customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    customer.command("hangup", "");
    bruno.phone.wait_for("CALL_CLOSED");
    server.is_quiet();
}

/// What the header Replaces (RFC 3891) says of the call that a phone placed, as part of a URI.
fn second_call(log: &str) -> String {
    let answer = log.rsplit("SIP/2.0 200 ").find(|message| {
        let mut lines = message.lines();
        lines.any(|line| line.starts_with("CSeq:") && line.ends_with("INVITE"))
    });
    let header = |name: &str| {
        let mut lines = answer.expect("an answer to an INVITE").lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        line.expect("a header").trim().to_owned()
    };
    let tag = |name: &str| {
        let header = header(name);
        let tag = header.split_once(";tag=").map(|(_, tag)| tag.to_owned());
        tag.expect("a tag")
    };
    let (to, from) = (tag("To:"), tag("From:"));
    format!("{}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}", header("Call-ID:"))
}

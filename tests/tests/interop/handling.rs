//! What agents do with a call that they have in hand.

use desk::record::{EndedBy, TrailKind};
use serde_json::json;

use crate::cast::{agent, talk};
use crate::ear::{ANA, BRUNO, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::Server;

#[test]
fn an_agent_puts_the_caller_on_hold_who_hears_music_until_they_are_back() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let (customer, call) = talk(&server, &mut ana);
    ana.orders(&call, "hold");
    they_hear(&[(&customer, Hears::Music), (&ana.phone, Hears::Nothing)]);
    ana.orders(&call, "resume");
    they_hear(&[
        (&customer, Hears::These(&[ANA])),
        (&ana.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.orders(&call, "mute");
    they_hear(&[
        (&customer, Hears::Nothing),
        (&ana.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.orders(&call, "unmute");
    they_hear(&[(&customer, Hears::These(&[ANA]))]);
    ana.orders(&call, "hang_up");
    server.is_quiet();
    let records = server.ended_records(1);
    assert_eq!(records[0].lines(TrailKind::Held).len(), 1, "{records:?}");
    assert_eq!(records[0].lines(TrailKind::Resumed).len(), 1);
    assert_eq!(records[0].call.ended_by, Some(EndedBy::Agent));
}

#[test]
fn a_phone_that_holds_by_its_own_key_leaves_the_caller_to_music() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let (customer, _) = talk(&server, &mut ana);
    ana.phone.command("hold", "");
    they_hear(&[(&customer, Hears::Music)]);
    ana.phone.command("resume", "");
    // What is sent to it now baresip 1.0 does not play any more.
    they_hear(&[(&customer, Hears::These(&[ANA]))]);
    ana.phone.command("hangup", "");
    server.is_quiet();
}

#[test]
fn a_colleague_is_asked_while_the_caller_hears_music_and_gets_the_call() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let (mut customer, call) = talk(&server, &mut ana);
    bruno.person.is("available");
    ana.takes(&call, "consult", &json!({ "agent": bruno.person.id() }));
    they_hear(&[(&customer, Hears::Music)]);
    bruno.answers();
    they_hear(&[
        (&customer, Hears::Music),
        (&ana.phone, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[ANA])),
    ]);
    ana.orders(&call, "switch");
    they_hear(&[
        (&customer, Hears::These(&[ANA])),
        (&ana.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.orders(&call, "switch");
    they_hear(&[(&customer, Hears::Music)]);
    ana.orders(&call, "complete");
    ana.phone.wait_for("CALL_CLOSED");
    they_hear(&[
        (&customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.is_doing("");
    bruno.is_doing("handling");
    customer.command("hangup", "");
    bruno.phone.wait_for("CALL_CLOSED");
    server.is_quiet();
    let records = server.ended_records(1);
    assert_eq!(records[0].call.ended_by, Some(EndedBy::Customer));
    let transferred = records[0].lines(TrailKind::Transferred);
    assert_eq!(transferred[0]["attended"], true, "{records:?}");
}

#[test]
fn three_hear_each_other_and_when_one_leaves_two_stay() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let (mut customer, call) = talk(&server, &mut ana);
    bruno.person.is("available");
    ana.takes(&call, "consult", &json!({ "agent": bruno.person.id() }));
    bruno.answers();
    ana.orders(&call, "join");
    they_hear(&[
        (&customer, Hears::These(&[ANA, BRUNO])),
        (&ana.phone, Hears::These(&[CUSTOMER, BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER, ANA])),
    ]);
    ana.phone.command("hangup", "");
    they_hear(&[
        (&customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    customer.command("hangup", "");
    bruno.phone.wait_for("CALL_CLOSED");
    server.is_quiet();
}

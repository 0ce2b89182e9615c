//! A caller may hang up at any moment, whatever is being done for them.

use desk::record::EndedBy;
use serde_json::json;

use crate::baresip::Baresip;
use crate::cast::{Colleague, agent, reception, supervisor, talk, without_wrap_up};
use crate::ear::{self, Hears, they_hear};
use crate::peers;
use crate::server::Server;

#[test]
fn a_caller_who_hangs_up_while_held_or_while_a_colleague_is_asked_leaves_nothing_behind() {
    if !peers(&["baresip"]) {
        return;
    }
    let (server, mut ended) = (Server::start(), 0);
    without_wrap_up(&server);
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let to_bruno = json!({ "agent": bruno.person.id() });
    for moment in ["held", "rings", "asked", "joined"] {
        let (customer, call) = talk(&server, &mut ana);
        if moment == "held" {
            ana.orders(&call, "hold");
            they_hear(&[(&customer, Hears::Music)]);
        } else {
            bruno.person.is("available");
            ana.takes(&call, "consult", &to_bruno);
            bruno.phone.wait_for("CALL_INCOMING");
        }
        if matches!(moment, "asked" | "joined") {
            bruno.phone.command("accept", "");
            bruno.phone.wait_for("CALL_ESTABLISHED");
        }
        if moment == "joined" {
            ana.orders(&call, "join");
            they_hear(&[(&customer, Hears::These(&[ear::ANA, ear::BRUNO]))]);
        }
        hangs_up(&server, customer, &mut ended, moment);
        ana.phone.wait_for("CALL_CLOSED");
        ana.is_doing("");
        if moment != "held" {
            bruno.phone.wait_for("CALL_CLOSED");
            bruno.is_doing("");
            bruno.person.is("offline");
        }
    }
}

#[test]
fn a_caller_who_hangs_up_while_handed_on_leaves_nothing_behind() {
    if !peers(&["baresip"]) {
        return;
    }
    let (server, mut ended) = (Server::start(), 0);
    without_wrap_up(&server);
    let mut ana = agent(&server, "ana");
    let mut bruno = agent(&server, "bruno");
    let mut reception = reception(&server, "300", ear::CLARA);
    let (customer, call) = talk(&server, &mut ana);
    bruno.person.is("available");
    ana.takes(&call, "transfer", &json!({ "agent": bruno.person.id() }));
    bruno.phone.wait_for("CALL_INCOMING");
    hangs_up(&server, customer, &mut ended, "an agent rings");
    is_free(&mut ana);
    is_free(&mut bruno);
    bruno.person.is("offline");

    let (customer, call) = talk(&server, &mut ana);
    ana.takes(&call, "transfer", &json!({ "number": "300" }));
    reception.wait_for("CALL_INCOMING");
    hangs_up(&server, customer, &mut ended, "a telephone rings");
    reception.wait_for("CALL_CLOSED");
    is_free(&mut ana);
}

#[test]
fn a_caller_who_hangs_up_while_watched_leaves_nothing_behind() {
    if !peers(&["baresip"]) {
        return;
    }
    let (server, mut ended) = (Server::start(), 0);
    without_wrap_up(&server);
    let mut ana = agent(&server, "ana");
    let mut clara = supervisor(&server);
    let (customer, call) = talk(&server, &mut ana);
    clara.orders(&call, "listen");
    clara.phone.wait_for("CALL_INCOMING");
    hangs_up(&server, customer, &mut ended, "the supervisor rings");
    clara.phone.wait_for("CALL_CLOSED");
    is_free(&mut ana);

    let (customer, call) = talk(&server, &mut ana);
    clara.orders(&call, "barge");
    clara.answers();
    they_hear(&[(&customer, Hears::These(&[ear::ANA, ear::CLARA]))]);
    hangs_up(&server, customer, &mut ended, "the supervisor is there");
    clara.phone.wait_for("CALL_CLOSED");
    is_free(&mut ana);
}

fn is_free(colleague: &mut Colleague) {
    colleague.phone.wait_for("CALL_CLOSED");
    colleague.is_doing("");
}

/// The caller hangs up: nothing is left, and the record tells that it was they.
fn hangs_up(server: &Server, mut customer: Baresip, ended: &mut usize, moment: &str) {
    customer.command("hangup", "");
    server.is_quiet();
    *ended += 1;
    let records = server.ended_records(*ended);
    let call = &records.last().expect("a record").call;
    assert_eq!(call.ended_by, Some(EndedBy::Customer), "{moment}");
    assert_eq!(call.cause.as_deref(), Some("hung_up"), "{moment}");
}

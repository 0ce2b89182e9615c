//! A supervisor takes part in a call.

use desk::record::TrailKind;

use crate::cast::{agent, supervisor, talk};
use crate::ear::{ANA, CLARA, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::Server;

#[test]
fn a_supervisor_listens_whispers_barges_in_and_takes_the_call_over() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut clara = supervisor(&server);
    let (mut customer, call) = talk(&server, &mut ana);
    clara.orders(&call, "listen");
    clara.answers();
    for (order, customer_hears, ana_hears) in [
        ("listen", &[ANA][..], &[CUSTOMER][..]),
        ("whisper", &[ANA], &[CUSTOMER, CLARA]),
        ("barge", &[ANA, CLARA], &[CUSTOMER, CLARA]),
    ] {
        clara.orders(&call, order);
        they_hear(&[
            (&customer, Hears::These(customer_hears)),
            (&ana.phone, Hears::These(ana_hears)),
            (&clara.phone, Hears::These(&[CUSTOMER, ANA])),
        ]);
    }
    clara.orders(&call, "take_over");
    ana.phone.wait_for("CALL_CLOSED");
    they_hear(&[
        (&customer, Hears::These(&[CLARA])),
        (&clara.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.is_doing("wrapping up");
    customer.command("hangup", "");
    clara.phone.wait_for("CALL_CLOSED");
    server.is_quiet();
    let records = server.ended_records(1);
    let supervised = records[0].lines(TrailKind::Supervised);
    let how: Vec<_> = supervised.iter().map(|line| &line["how"]).collect();
    assert_eq!(how, ["listen", "listen", "whisper", "barge", "take_over"]);
}

#[test]
fn a_supervisor_takes_over_a_call_that_they_did_not_watch() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let mut clara = supervisor(&server);
    let (customer, call) = talk(&server, &mut ana);
    clara.orders(&call, "take_over");
    clara.answers();
    ana.phone.wait_for("CALL_CLOSED");
    they_hear(&[
        (&customer, Hears::These(&[CLARA])),
        (&clara.phone, Hears::These(&[CUSTOMER])),
    ]);
    clara.phone.command("hangup", "");
    server.is_quiet();
}

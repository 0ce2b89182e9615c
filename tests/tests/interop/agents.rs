//! A caller reaches a person: two softphones, one of them an agent's.

use std::time::Duration;

use desk::record::{EndedBy, InteractionState, TrailKind};

use crate::baresip::Baresip;
use crate::ear::{ANA, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::{Server, until};

#[test]
fn a_caller_waits_an_agent_answers_they_hear_each_other_and_either_hangs_up() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let agent = server.log_in("ana");
    assert_eq!(agent.state()["presence"], "offline");
    let mut phone = Baresip::of(&server, "ana", ANA);
    let mut caller = Baresip::of(&server, "bruno", CUSTOMER);
    caller.command("dial", &format!("sip:4000@{}", server.udp));
    caller.wait_for("CALL_ESTABLISHED");
    caller.command("sndcode", "1");
    until(Duration::from_secs(20), "the caller waits", || {
        let records = server.records();
        let call = &records.first()?.call;
        (call.state == InteractionState::Waiting).then_some(())
    });

    agent.is("available");
    phone.wait_for("CALL_INCOMING");
    assert_eq!(agent.state()["in_hand"][0]["doing"], "offered");
    phone.command("accept", "");
    phone.wait_for("CALL_ESTABLISHED");
    until(Duration::from_secs(20), "they talk", || {
        let records = server.records();
        let call = &records.first()?.call;
        (call.state == InteractionState::Talking).then_some(())
    });
    // Nobody hears themselves.
    they_hear(&[
        (&phone, Hears::These(&[CUSTOMER])),
        (&caller, Hears::These(&[ANA])),
    ]);
    phone.command("hangup", "");
    caller.wait_for("CALL_CLOSED");
    assert_eq!(agent.state()["in_hand"][0]["doing"], "wrapping up");
    until(Duration::from_secs(20), "she is free again", || {
        let state = agent.state();
        let free = state["in_hand"].as_array()?.is_empty();
        (free && state["presence"] == "available").then_some(())
    });

    let records = server.ended_records(1);
    let recorded = &records[0];
    assert_eq!(recorded.call.ended_by, Some(EndedBy::Agent));
    assert_eq!(recorded.call.cause.as_deref(), Some("hung_up"));
    let answered = recorded.lines(TrailKind::AgentAnswered);
    assert_eq!(answered[0]["name"], "Ana", "{recorded:?}");
}

//! A caller reaches a person: two softphones, one of them an agent's.

use std::path::Path;
use std::time::Duration;

use desk::record::{EndedBy, InteractionState, TrailKind};

use crate::baresip::Baresip;
use crate::peers;
use crate::server::{Server, until};
use crate::tones::{seconds_of, tone};

#[test]
fn a_caller_waits_an_agent_answers_they_hear_each_other_and_either_hangs_up() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let agent = server.log_in("ana");
    assert_eq!(agent.state()["presence"], "offline");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut phone = Baresip::start(&server, "ana", &says(folder.path(), AGENT_HZ));
    phone.wait_until_registered();
    let mut caller = Baresip::start(&server, "bruno", &says(folder.path(), CALLER_HZ));
    caller.wait_until_registered();
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
    std::thread::sleep(TALK);
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
    let (heard_by_agent, heard_by_caller) = (phone.recording(), caller.recording());
    for (heard, said) in [(&heard_by_agent, CALLER_HZ), (&heard_by_caller, AGENT_HZ)] {
        let seconds = seconds_of(said, heard);
        assert!(seconds > 1.5, "{said} Hz for {seconds} s in {heard:?}");
    }
    // Nobody hears themselves.
    assert!(seconds_of(AGENT_HZ, &heard_by_agent) < 0.2);
    assert!(seconds_of(CALLER_HZ, &heard_by_caller) < 0.2);
}

/// The source of a softphone that says a tone.
fn says(folder: &Path, hertz: f64) -> String {
    format!("aufile,{}", tone(folder, hertz, 8_000).display())
}

const TALK: Duration = Duration::from_secs(3);

const CALLER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;

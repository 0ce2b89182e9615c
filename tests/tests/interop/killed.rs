//! The process is killed in the middle of its calls: what was said is there, what was promised is kept.

use std::time::{Duration, SystemTime};

use desk::record::{EndedBy, InteractionState, TrailKind};
use serde_json::{Value, json};

use crate::baresip::Baresip;
use crate::cast::{agent, carrier, customer, service, set_service, talk};
use crate::ear::{ANA, BRUNO, CLARA, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::recording::{Recording, speakers, tenths_of};
use crate::server::{Recorded, Server, until};

#[test]
fn a_killed_process_loses_no_more_than_a_second_of_a_recording_and_none_of_its_promises() {
    if !peers(&["baresip", "sox"]) {
        return;
    }
    let mut server = Server::start();
    let settings = json!({
        "wait_limit_s": 300,
        "wrap_up_s": 300,
        "announcements": [],
        "calls": { "recording": "always", "callback_key": "2" },
    });
    set_service(&server, "Vendas", &settings);
    let mut at_home = Baresip::callee(AT_HOME, CLARA);
    carrier(&server, "Operadora", at_home.listens);
    let mut ana = agent(&server, "ana");
    let (talks, call) = talk(&server, &mut ana);
    let promised = is_promised_a_call(&server);
    let waits = customer(&server);
    is_waiting(&server, 3);
    let (phone, voice) = (ana.phone, ana.voice);
    they_hear(&[
        (&talks, Hears::These(&[voice])),
        (&phone, Hears::These(&[CUSTOMER])),
    ]);
    let killed_ms = now_ms();
    server.kill_and_restart();
    drop((talks, phone, waits));

    let administrator = server.administrator();
    let recording = Recording::of(&administrator, &call);
    let until_ms = recording.started_ms + recording.duration_ms;
    let lost_ms = killed_ms - until_ms;
    eprintln!("{lost_ms} ms are lost of {} ms", recording.duration_ms);
    assert!((-500..1_500).contains(&lost_ms), "{lost_ms} ms are lost");
    assert_eq!(speakers(&recording.left), [CUSTOMER]);
    assert_eq!(speakers(&recording.right), [ANA]);
    // Both spoke without a pause, up to the end.
    let tenths = usize::try_from(recording.duration_ms / 100).expect("short");
    for (voice, side) in [(CUSTOMER, &recording.left), (ANA, &recording.right)] {
        let heard = tenths_of(voice, side);
        assert!(
            heard + 10 >= tenths,
            "{voice:?} for {heard} tenths of {tenths}"
        );
    }
    assert_eq!(
        server.log_in("ana").state()["in_hand"][0]["doing"],
        "wrapping up"
    );
    the_calls_died_but_for(&server, &promised);
    gets_the_call(&server, &mut at_home, &promised);
}

/// A customer calls, asks to be called back while they wait, and is let go. Returns their interaction.
fn is_promised_a_call(server: &Server) -> String {
    let mut caller = Baresip::caller(server, AT_HOME, CLARA);
    caller.command("dial", &format!("sip:4000@{}", server.udp));
    caller.wait_for("CALL_ESTABLISHED");
    caller.command("sndcode", "1");
    is_waiting(server, 2);
    caller.command("sndcode", "2");
    let call = until(Duration::from_secs(20), "a call is promised", || {
        // Nobody hears it before the question.
        caller.command("sndcode", "1");
        let record = server.records().pop()?;
        let promised = record.lines(TrailKind::CallbackPromised);
        let number = &promised.first()?["number"];
        assert_eq!(*number, AT_HOME, "{record:?}");
        Some(record.call.id.to_string())
    });
    caller.wait_for("CALL_CLOSED");
    call
}

/// Waits until so many have called, and the last of them waits.
fn is_waiting(server: &Server, count: usize) {
    until(Duration::from_secs(20), "the caller waits", || {
        let records = server.records();
        let waits = |record: &Recorded| record.call.state == InteractionState::Waiting;
        (records.len() == count && records.last().is_some_and(waits)).then_some(())
    });
}

/// Those who were on the line are off it; who was promised a call has their place.
fn the_calls_died_but_for(server: &Server, promised: &str) {
    let records = server.records();
    assert_eq!(records.len(), 3, "{records:?}");
    for record in &records {
        if record.call.id.as_str() == promised {
            assert_eq!(record.call.state, InteractionState::Waiting, "{record:?}");
        } else {
            assert_eq!(record.call.ended_by, Some(EndedBy::Restart), "{record:?}");
            assert_eq!(record.call.cause.as_deref(), Some("closed_by_restart"));
        }
    }
    let sales = service(server, "Vendas");
    let line = format!("GET /api/v1/services/{sales}/waiting");
    let waiting = server.administrator().ask(&line, &Value::Null);
    let waiting = waiting["items"].as_array().expect("a list");
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["interaction"], promised, "{waiting:?}");
}

/// Bruno comes, and the customer at home is called.
fn gets_the_call(server: &Server, at_home: &mut Baresip, promised: &str) {
    let mut bruno = agent(server, "bruno");
    bruno.person.is("available");
    bruno.answers();
    at_home.wait_for("CALL_INCOMING");
    at_home.command("accept", "");
    assert_eq!(bruno.call_in_state("talking"), promised);
    they_hear(&[
        (at_home, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CLARA])),
    ]);
    bruno.phone.command("hangup", "");
    at_home.wait_for("CALL_CLOSED");
    server.is_quiet();
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ms = now.expect("after 1970").as_millis();
    ms.try_into().expect("before the year 292,277,026")
}

/// The number of a customer who would rather not wait.
const AT_HOME: &str = "+5511955550188";

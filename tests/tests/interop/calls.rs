//! Calls from beginning to end.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use desk::record::{EndedBy, TrailKind};
use serde_json::json;

use crate::cast::set_service;
use crate::peers;
use crate::server::Server;
use crate::sipp::{Calls, Counted, Step, Wanted};

fn twenty_callers_hear_the_menu(tcp: bool) {
    if !peers(&["sipp"]) {
        return;
    }
    let server = Server::start();
    let steps = [Step::Wait(Duration::from_secs(2)), Step::HangUp];
    let calls = Calls {
        count: 20,
        per_second: 10,
        tcp,
        ..Calls::one("4000", Wanted::Answered(&steps))
    };
    let counted = calls.place(&server);
    assert_eq!((counted.succeeded, counted.failed), (20, 0));
    for recorded in server.ended_records(20) {
        let call = &recorded.call;
        assert_eq!(call.to, "4000");
        assert_eq!(call.from, "+551140040000");
        assert!(call.trunk.is_some());
        assert_eq!(call.codec.as_deref(), Some("PCMA"));
        assert_eq!(call.ended_by, Some(EndedBy::Customer));
        assert_eq!(call.cause.as_deref(), Some("hung_up"));
        assert_eq!(recorded.path()[..2], ["hours", "welcome"]);
        // 50 packets a second; a crowded machine may hold sipp's BYE up, never bring it forward.
        assert!(recorded.packets_sent() >= 95, "{recorded:?}");
    }
}

#[test]
fn twenty_callers_over_udp_hear_the_menu_and_are_in_the_records() {
    twenty_callers_hear_the_menu(false);
}

#[test]
fn twenty_callers_over_tcp_hear_the_menu_and_are_in_the_records() {
    twenty_callers_hear_the_menu(true);
}

#[test]
fn a_closed_company_says_so_and_hangs_up() {
    if !peers(&["sipp"]) {
        return;
    }
    let server = Server::start();
    let steps = [Step::AwaitEnd(Duration::from_secs(60))];
    let counted = Calls::one("4001", Wanted::Answered(&steps)).place(&server);
    assert_eq!((counted.succeeded, counted.failed), (1, 0));
    let records = server.ended_records(1);
    let recorded = &records[0];
    assert_eq!(recorded.path(), ["hours", "closed"]);
    assert_eq!(recorded.lines(TrailKind::HoursChecked)[0]["open"], false);
    assert_eq!(
        recorded.lines(TrailKind::PromptEnded)[0]["interrupted"],
        false
    );
    assert_eq!(recorded.call.ended_by, Some(EndedBy::Ramal));
    assert_eq!(recorded.call.cause.as_deref(), Some("flow_ended"));
}

#[test]
fn a_number_that_nobody_has_is_answered_404_and_leaves_no_record() {
    if !peers(&["sipp"]) {
        return;
    }
    let server = Server::start();
    let counted = Calls::one("9999", Wanted::Refused(404)).place(&server);
    let wanted = Counted {
        succeeded: 1,
        failed: 0,
        retransmissions: 0,
    };
    assert_eq!(counted, wanted);
    assert!(server.records().is_empty());
}

#[test]
fn who_waits_in_vain_for_a_service_hears_so_and_the_call_ends() {
    if !peers(&["sipp"]) {
        return;
    }
    let server = Server::start();
    set_service(&server, "Suporte", &json!({ "wait_limit_s": 6 }));
    let steps = [
        Step::Wait(Duration::from_secs(1)),
        Step::Info('2'),
        Step::AwaitEnd(Duration::from_secs(60)),
    ];
    let counted = Calls::one("4000", Wanted::Answered(&steps)).place(&server);
    assert_eq!((counted.succeeded, counted.failed), (1, 0));
    let records = server.ended_records(1);
    let recorded = &records[0];
    assert_eq!(recorded.lines(TrailKind::OptionChosen)[0]["key"], "2");
    assert_eq!(
        recorded.path()[..4],
        ["hours", "welcome", "menu", "service-2"]
    );
    assert!(recorded.call.service.is_some());
    assert!(!recorded.lines(TrailKind::Announced).is_empty());
    let (queued, over) = (
        recorded.at_ms(TrailKind::Queued),
        recorded.at_ms(TrailKind::QueueEnded),
    );
    // Waiting is timed by one clock and written down by another, in whole milliseconds.
    assert!((5_990..9_000).contains(&(over - queued)), "{recorded:?}");
    // The last words take their time, and are sent to their end.
    let ended = recorded.at_ms(TrailKind::Ended);
    assert!(ended - over > 2_000, "{recorded:?}");
    let seconds = (ended - recorded.at_ms(TrailKind::Answered)) / 1_000;
    assert!(recorded.packets_sent() >= u64::try_from(seconds * 49).expect("a length"));
    assert_eq!(recorded.call.ended_by, Some(EndedBy::Ramal));
    assert_eq!(recorded.call.cause.as_deref(), Some("flow_ended"));
}

#[test]
fn calls_that_die_with_the_process_are_in_the_records_and_new_ones_work() {
    if !peers(&["sipp"]) {
        return;
    }
    let mut server = Server::start();
    let steps = [Step::Wait(Duration::from_secs(60)), Step::HangUp];
    let ten = Calls {
        count: 10,
        per_second: 10,
        ..Calls::one("4000", Wanted::Answered(&steps))
    };
    let running = ten.start(&server);
    server.answered_records(10);
    server.kill_and_restart();
    drop(running);
    for recorded in server.ended_records(10) {
        assert_eq!(recorded.call.ended_by, Some(EndedBy::Restart));
        assert_eq!(recorded.call.cause.as_deref(), Some("closed_by_restart"));
    }
    let steps = [Step::Wait(Duration::from_secs(1)), Step::HangUp];
    let counted = Calls::one("4000", Wanted::Answered(&steps)).place(&server);
    assert_eq!((counted.succeeded, counted.failed), (1, 0));
    let newest = server.ended_records(11).pop().expect("eleven");
    assert_eq!(newest.call.cause.as_deref(), Some("hung_up"));
    assert!(newest.packets_sent() > 0);
}

#[test]
fn a_server_told_to_end_lets_a_hundred_calls_go_on_to_their_end() {
    if !peers(&["sipp"]) {
        return;
    }
    let mut server = Server::start();
    let steps = [Step::Wait(Duration::from_secs(5)), Step::HangUp];
    let hundred = Calls {
        count: 100,
        per_second: 50,
        ..Calls::one("4000", Wanted::Answered(&steps))
    };
    let running = hundred.start(&server);
    server.answered_records(100);
    server.terminate();
    let counted = running.counted();
    assert_eq!((counted.succeeded, counted.failed), (100, 0));
    assert_eq!(counted.retransmissions, 0);
    assert!(server.ended(Duration::from_secs(20)).success());
    for recorded in server.ended_records(100) {
        assert_eq!(recorded.call.cause.as_deref(), Some("hung_up"));
        assert!(recorded.packets_sent() >= 240, "{recorded:?}");
    }
}

#[test]
fn a_stranger_gets_one_answer_whether_the_number_exists_or_not() {
    // Not the demo's trunk, which is the loopback network: an address that this machine has too.
    let Some(address) = own_address().filter(|_| peers(&["sipp"])) else {
        eprintln!("this machine has no address but its own loopback");
        return;
    };
    let server = Server::start_at("0.0.0.0:0");
    for number in ["4000", "9999"] {
        let call = Calls {
            source: address,
            ..Calls::one(number, Wanted::Refused(401))
        };
        let counted = call.place(&server);
        assert_eq!((counted.succeeded, counted.failed), (1, 0), "{number}");
    }
    assert!(server.records().is_empty());
}

/// The address of this machine towards others. Nothing is sent to find it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // A documentation address (RFC 5737): the route to it is the route to anybody.
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

//! Calls from beginning to end.

use std::time::Duration;

use desk::record::{EndedBy, TrailKind};

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

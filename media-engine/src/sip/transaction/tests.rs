//! Exact tables of what is sent when, for the four machines.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::client::Client;
use super::invite_client::InviteClient;
use super::invite_server::InviteServer;
use super::server::Server;
use super::{Failure, Heard, Output};

/// The one clock read of these tests: only differences count.
#[allow(clippy::disallowed_methods)]
fn origin() -> Instant {
    Instant::now()
}

fn ms(at: u64) -> Duration {
    Duration::from_millis(at)
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// Runs a machine by its own deadlines until it has none, and notes when it sent and failed.
macro_rules! run {
    ($machine:expr, $start:expr) => {{
        let (mut sent_at_ms, mut failed, mut ended) = (vec![], None, $start);
        loop {
            match $machine.poll_output() {
                Some(Output::Transmit(_)) => sent_at_ms.push((ended - $start).as_millis()),
                Some(Output::Failed(failure)) => {
                    assert_eq!(failed.replace(failure), None, "a transaction fails once");
                }
                None => match $machine.poll_timeout() {
                    Some(at) => {
                        $machine.handle_timeout(at);
                        ended = at;
                    }
                    None => break,
                },
            }
        }
        (sent_at_ms, failed, ended - $start)
    }};
}

#[test]
fn unacknowledged_486_is_repeated_for_64_t1_then_reported() {
    let start = origin();
    let mut transaction = InviteServer::new(false);
    transaction.respond(start, 486, text("486"));
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!(
        sent,
        [
            0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
        ]
    );
    assert_eq!(failed, Some(Failure::AckMissing));
    assert_eq!(took, Duration::from_secs(32));
    assert!(transaction.is_terminated());
}

#[test]
fn unacknowledged_486_over_a_stream_is_sent_once_and_reported() {
    let start = origin();
    let mut transaction = InviteServer::new(true);
    transaction.respond(start, 486, text("486"));
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!(sent, [0]);
    assert_eq!(failed, Some(Failure::AckMissing));
    assert_eq!(took, Duration::from_secs(32));
}

#[test]
fn acknowledged_486_absorbs_copies_for_t4_and_is_not_repeated() {
    let start = origin();
    let mut transaction = InviteServer::new(false);
    transaction.respond(start, 486, text("486"));
    transaction.handle_ack(start + ms(100));
    transaction.handle_request(start + ms(200)); // an old copy of the INVITE
    transaction.handle_ack(start + ms(300));
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!(sent, [0]);
    assert_eq!(failed, None);
    assert_eq!(took, ms(5100));
}

#[test]
fn acknowledged_486_over_a_stream_is_forgotten_at_once() {
    let start = origin();
    let mut transaction = InviteServer::new(true);
    transaction.respond(start, 486, text("486"));
    transaction.handle_ack(start + ms(100));
    assert!(transaction.is_terminated());
}

#[test]
fn copies_of_an_invite_get_the_last_response_again_while_it_is_not_a_2xx() {
    let start = origin();
    let mut transaction = InviteServer::new(false);
    transaction.handle_request(start);
    assert_eq!(transaction.poll_output(), None, "nothing to repeat yet");
    transaction.respond(start, 100, text("100"));
    transaction.respond(start, 180, text("180"));
    transaction.handle_request(start);
    let sent: Vec<_> = std::iter::from_fn(|| transaction.poll_output()).collect();
    assert_eq!(
        sent,
        [
            Output::Transmit(text("100")),
            Output::Transmit(text("180")),
            Output::Transmit(text("180"))
        ]
    );
    transaction.respond(start, 200, text("200"));
    transaction.handle_request(start + ms(10));
    transaction.respond(start + ms(500), 200, text("200")); // the call repeats it
    transaction.respond(start + ms(600), 180, text("180")); // too late, as is any other answer
    transaction.respond(start + ms(600), 486, text("486"));
    let sent: Vec<_> = std::iter::from_fn(|| transaction.poll_output()).collect();
    assert_eq!(
        sent,
        [Output::Transmit(text("200")), Output::Transmit(text("200"))]
    );
    assert_eq!(
        transaction.poll_timeout(),
        Some(start + Duration::from_secs(32))
    );
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!((sent.len(), failed, took), (0, None, ms(32_000)));
}

#[test]
fn unanswered_invite_is_repeated_with_doubling_pauses_until_timer_b() {
    let start = origin();
    let mut transaction = InviteClient::new(start, text("INVITE"), false);
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!(sent, [0, 500, 1500, 3500, 7500, 15500, 31500]);
    assert_eq!(failed, Some(Failure::TimedOut));
    assert_eq!(took, Duration::from_secs(32));
}

#[test]
fn unanswered_invite_over_a_stream_is_sent_once_and_times_out() {
    let start = origin();
    let mut transaction = InviteClient::new(start, text("INVITE"), true);
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!(sent, [0]);
    assert_eq!(failed, Some(Failure::TimedOut));
    assert_eq!(took, Duration::from_secs(32));
}

#[test]
fn a_provisional_response_stops_all_timers_of_an_invite() {
    let start = origin();
    let mut transaction = InviteClient::new(start, text("INVITE"), false);
    let heard = transaction.handle_response(start + ms(700), 100, || unreachable!("no ACK to 100"));
    assert_eq!(heard, Heard::News);
    assert!(transaction.is_proceeding());
    assert_eq!(transaction.poll_timeout(), None);
}

#[test]
fn each_copy_of_a_486_gets_the_same_ack_until_timer_d() {
    let start = origin();
    let mut transaction = InviteClient::new(start, text("INVITE"), false);
    assert_eq!(
        transaction.poll_output(),
        Some(Output::Transmit(text("INVITE")))
    );
    assert_eq!(
        transaction.handle_response(start + ms(100), 486, || text("ACK")),
        Heard::News
    );
    for copy in [600, 1600] {
        let again = transaction.handle_response(start + ms(copy), 486, || {
            unreachable!("the ACK is written once")
        });
        assert_eq!(again, Heard::Absorbed);
    }
    let acks: Vec<_> = std::iter::from_fn(|| transaction.poll_output()).collect();
    assert_eq!(
        acks,
        [
            Output::Transmit(text("ACK")),
            Output::Transmit(text("ACK")),
            Output::Transmit(text("ACK"))
        ]
    );
    let (_, failed, took) = run!(transaction, start);
    assert_eq!((failed, took), (None, ms(32_100)));
}

#[test]
fn every_2xx_is_handed_up_until_timer_m_and_nothing_else_is() {
    let start = origin();
    let mut transaction = InviteClient::new(start, text("INVITE"), false);
    let no_ack = || unreachable!("the call acknowledges a 2xx");
    assert_eq!(transaction.handle_response(start, 200, no_ack), Heard::News);
    assert_eq!(
        transaction.handle_response(start + ms(500), 200, no_ack),
        Heard::News
    );
    for late in [180, 486] {
        assert_eq!(
            transaction.handle_response(start + ms(600), late, no_ack),
            Heard::Absorbed
        );
    }
    transaction.handle_transport_error(start + ms(700));
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!((sent.len(), failed, took), (1, None, ms(32_000)));
    assert_eq!(
        transaction.handle_response(start + ms(33_000), 200, no_ack),
        Heard::Absorbed
    );
}

#[test]
fn unanswered_bye_is_repeated_with_pauses_up_to_t2_until_timer_f() {
    let start = origin();
    let mut transaction = Client::new(start, text("BYE"), false);
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!(
        sent,
        [
            0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
        ]
    );
    assert_eq!(failed, Some(Failure::TimedOut));
    assert_eq!(took, Duration::from_secs(32));
}

#[test]
fn a_request_that_is_worked_on_is_repeated_every_t2() {
    let start = origin();
    let mut transaction = Client::new(start, text("BYE"), false);
    assert_eq!(
        transaction.handle_response(start + ms(100), 100),
        Heard::News
    );
    let (sent, failed, _) = run!(transaction, start);
    assert_eq!(
        sent,
        [0, 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500]
    );
    assert_eq!(failed, Some(Failure::TimedOut));
}

#[test]
fn copies_of_a_response_are_absorbed_for_t4() {
    let start = origin();
    let mut transaction = Client::new(start, text("BYE"), false);
    assert_eq!(
        transaction.handle_response(start + ms(100), 200),
        Heard::News
    );
    assert_eq!(
        transaction.handle_response(start + ms(200), 200),
        Heard::Absorbed
    );
    let (sent, failed, took) = run!(transaction, start);
    assert_eq!((sent, failed, took), (vec![0], None, ms(5100)));

    let mut over_stream = Client::new(start, text("BYE"), true);
    over_stream.handle_response(start, 200);
    assert!(over_stream.is_terminated());
}

#[test]
fn an_answered_request_is_answered_again_for_each_copy_until_timer_j() {
    let start = origin();
    let mut transaction = Server::new(false);
    transaction.handle_request(start); // a copy before the answer is absorbed
    transaction.respond(start + ms(10), 200, text("200"));
    transaction.respond(start + ms(20), 500, text("500")); // one final response only
    transaction.handle_request(start + ms(8000));
    let sent: Vec<_> = std::iter::from_fn(|| transaction.poll_output()).collect();
    assert_eq!(
        sent,
        [Output::Transmit(text("200")), Output::Transmit(text("200"))]
    );
    let (_, failed, took) = run!(transaction, start);
    assert_eq!((failed, took), (None, ms(32_010)));

    let mut over_stream = Server::new(true);
    over_stream.respond(start, 200, text("200"));
    assert!(over_stream.is_terminated());
}

#[test]
fn a_transport_error_fails_a_waiting_request_once() {
    let start = origin();
    let mut bye = Client::new(start, text("BYE"), true);
    bye.handle_transport_error(start);
    bye.handle_transport_error(start);
    let (_, failed, _) = run!(bye, start);
    assert_eq!(failed, Some(Failure::Transport));

    let mut invite = InviteClient::new(start, text("INVITE"), true);
    invite.handle_transport_error(start);
    invite.handle_transport_error(start);
    let (_, failed, _) = run!(invite, start);
    assert_eq!(failed, Some(Failure::Transport));
}

#[test]
fn firing_early_is_harmless() {
    let start = origin();
    let mut invite = InviteClient::new(start, text("INVITE"), false);
    let mut bye = Client::new(start, text("BYE"), false);
    let mut busy = InviteServer::new(false);
    busy.respond(start, 486, text("486"));
    for machine_time in [0, 1, 499] {
        invite.handle_timeout(start + ms(machine_time));
        bye.handle_timeout(start + ms(machine_time));
        busy.handle_timeout(start + ms(machine_time));
    }
    assert_eq!(std::iter::from_fn(|| invite.poll_output()).count(), 1);
    assert_eq!(std::iter::from_fn(|| bye.poll_output()).count(), 1);
    assert_eq!(std::iter::from_fn(|| busy.poll_output()).count(), 1);
}

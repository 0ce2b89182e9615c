//! What calls say and hear is told, each message once and in order.

use super::*;
use crate::sip::endpoint::TracedWay;

impl Bench {
    /// What was told since this was asked last: of which call, which way, and what.
    fn ladder(&mut self) -> Vec<(CallId, String)> {
        let told = std::mem::take(&mut self.traced).into_iter();
        told.map(|traced| match traced {
            Traced::Message {
                call, way, bytes, ..
            } => {
                let arrow = match way {
                    TracedWay::Sent => "<-",
                    TracedWay::Received => "->",
                };
                let message = read(&bytes);
                let word = match message.method() {
                    Some(method) => method.to_string(),
                    None => message.status().unwrap_or_default().to_string(),
                };
                (call, format!("{arrow} {word}"))
            }
            Traced::Over(call) => (call, "over".to_owned()),
        })
        .collect()
    }
}

fn words(call: CallId, words: &[&str]) -> Vec<(CallId, String)> {
    words
        .iter()
        .map(|word| (call, (*word).to_owned()))
        .collect()
}

#[test]
fn a_call_that_comes_in_is_told_from_its_invite_to_the_answer_to_its_bye() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    assert_eq!(bench.ladder(), words(call, &["-> INVITE", "<- 100"]));
    bench.receive(&invite("1", ""));
    assert_eq!(
        bench.ladder(),
        words(call, &["-> INVITE", "<- 100"]),
        "a copy"
    );
    bench.endpoint.ring(bench.now, call).expect("it waits");
    bench
        .endpoint
        .answer(bench.now, call, ANSWER)
        .expect("it waits");
    bench.drain();
    let tag = bench.last().tag();
    assert_eq!(bench.ladder(), words(call, &["<- 180", "<- 200"]));
    bench.receive(&within("ACK", 1, "ack1", &tag, ""));
    bench.receive(&within("BYE", 2, "bye1", &tag, ""));
    let last = words(call, &["-> ACK", "-> BYE", "<- 200", "over"]);
    assert_eq!(bench.ladder(), last);
    bench.assert_empty_in_the_end();
}

#[test]
fn a_call_that_is_taken_back_is_told_with_both_answers() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    bench.ladder();
    let cancel = invite("1", "")
        .replace("INVITE sip", "CANCEL sip")
        .replace("1 INVITE", "1 CANCEL");
    let (head, _) = cancel.split_once("Content-Type").expect("a body");
    bench.receive(&format!("{head}Content-Length: 0\n\n"));
    let told = bench.ladder();
    assert_eq!(told[..3], words(call, &["-> CANCEL", "<- 200", "<- 487"]));
    bench.run_until(200_000);
    let over = (call, "over".to_owned());
    let rest = bench.ladder();
    let ends = told.iter().chain(&rest).filter(|told| **told == over);
    assert_eq!(ends.count(), 1);
}

#[test]
fn an_invite_that_is_no_call_is_not_told() {
    let mut bench = Bench::new();
    bench.receive_from("192.0.2.77:5060", &invite("1", ""));
    bench.receive(&invite("2", "Require: magic\n"));
    bench.receive(&within("BYE", 2, "bye1", "nobody", ""));
    assert_eq!(bench.ladder(), []);
}

#[test]
fn nothing_is_told_where_nobody_asked_for_it() {
    let mut bench = Bench::new();
    bench.endpoint.core.config.trace = false;
    bench.answered();
    assert_eq!(bench.ladder(), []);
}

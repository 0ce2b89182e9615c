//! Callbacks keep the caller's place.

use super::*;
use crate::output::{CallResult, WaitEnd, WhyClosed};

fn asks(floor: &mut Floor, name: &str) {
    floor
        .does(|desk, now| desk.ask_callback(now, &id(name), "5511900000000".to_owned()))
        .expect("it waits");
}

fn called(floor: &mut Floor, name: &str, result: CallResult) {
    floor
        .does(|desk, now| desk.handle_called_back(now, &id(name), result))
        .expect("they are being called");
}

/// Whom an agent gets, one after the other, who talks for 10 s with each.
fn served(floor: &mut Floor, count: usize) -> Vec<String> {
    let mut order = vec![];
    for _ in 0..count {
        let (work, _) = floor.offers().pop().expect("somebody waits");
        let offer = floor.offer_of(&work);
        floor.accepts(offer);
        if floor.doing(&work) == "calling back" {
            called(floor, &work, CallResult::Answered);
        }
        floor.passes(10_000);
        floor.leaves(&work);
        order.push(work);
    }
    order
}

#[test]
fn five_who_wait_and_two_to_call_back_are_served_by_arrival() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    let names = ["w1", "w2", "w3", "w4", "w5", "w6", "w7"];
    for name in names {
        floor.waits(work(name));
        floor.passes(1_000);
    }
    asks(&mut floor, "w2");
    asks(&mut floor, "w6");
    assert_eq!(floor.desk.position(&id("w2")), Some(2));
    floor.comes("ana");
    assert_eq!(served(&mut floor, 7), names);
}

#[test]
fn the_agent_is_reserved_first_and_then_the_customer_is_called() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.waits(work("w1"));
    asks(&mut floor, "w1");
    floor.events();
    floor.comes("ana");
    let offer = floor.offer_of("w1");
    let early = floor
        .events()
        .into_iter()
        .any(|event| matches!(event, Output::CallBack { .. }));
    assert!(!early, "nobody is called before an agent has accepted");
    floor.accepts(offer);
    assert!(floor.events().contains(&Output::CallBack {
        work: id("w1"),
        agent: id("ana"),
        number: "5511900000000".to_owned(),
        attempt: 1,
    }));
    floor.waits(work("w2"));
    assert_eq!(floor.offers(), [], "she is reserved while it rings");
    called(&mut floor, "w1", CallResult::Answered);
    assert_eq!(floor.doing("w1"), "handling");
}

#[test]
fn who_is_not_reached_is_called_again_later_at_the_old_place_and_at_last_given_up() {
    let tries = |service: &mut ServiceRules| {
        service.callback.attempts = 2;
        service.callback.retry_ms = 60_000;
    };
    let mut floor = Floor::new(sales(&["ana"], tries));
    floor.waits(work("w1"));
    asks(&mut floor, "w1");
    floor.passes(1_000);
    floor.waits(work("w2"));
    floor.comes("ana");
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    called(&mut floor, "w1", CallResult::NotReached);
    // While it rests she has the next.
    let offer = floor.offer_of("w2");
    floor.accepts(offer);
    assert_eq!(floor.doing("w1"), "resting");
    floor.waits(work("w3"));
    floor.passes(60_000);
    assert_eq!(
        floor.desk.position(&id("w1")),
        Some(1),
        "before who came later"
    );
    floor.leaves("w2");
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor.events();
    called(&mut floor, "w1", CallResult::NotReached);
    assert!(floor.events().iter().any(|event| matches!(
        event,
        Output::WaitEnded {
            end: WaitEnd::Closed(WhyClosed::NotReached),
            ..
        }
    )));
    assert_eq!(floor.doing("w1"), "gone");
    assert_eq!(floor.doing("w3"), "offered");
}

#[test]
fn an_agent_who_leaves_while_the_customer_is_called_gives_the_place_back() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.waits(work("w1"));
    asks(&mut floor, "w1");
    floor.comes("ana");
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor
        .does(|desk, now| desk.log_off(now, &id("ana")))
        .expect("she is there");
    assert_eq!(floor.doing("w1"), "waiting");
    let late =
        floor.does(|desk, now| desk.handle_called_back(now, &id("w1"), CallResult::Answered));
    assert!(matches!(late, Err(DeskError::NotNow { .. })));
    floor.comes("bruno");
    assert_eq!(floor.doing("w1"), "offered");
}

#[test]
fn who_was_promised_a_callback_is_not_closed_for_having_waited() {
    use crate::rules::{Overflow, OverflowThen, OverflowWhen};
    let close = |service: &mut ServiceRules| {
        service.overflow = vec![Overflow {
            when: OverflowWhen::WaitedMs(60_000),
            then: OverflowThen::Close,
        }];
    };
    let mut floor = Floor::new(sales(&[], close));
    floor.waits(work("stays"));
    floor.waits(work("promised"));
    asks(&mut floor, "promised");
    floor.passes(60_000);
    assert_eq!(floor.doing("stays"), "gone");
    assert_eq!(floor.doing("promised"), "waiting");
}

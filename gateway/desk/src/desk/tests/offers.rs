//! Offers end once, and the work keeps its place.

use super::*;
use crate::change::{PauseReason, Presence};

fn ends(floor: &mut Floor) -> Vec<(String, OfferEnd)> {
    floor
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Output::OfferEnded { work, end, .. } => Some((work.to_string(), end)),
            _ => None,
        })
        .collect()
}

fn paused_for(floor: &Floor, agent: &str) -> Option<PauseReason> {
    match floor.desk.status(&id(agent)).expect("an agent").presence {
        Presence::Paused { reason, .. } => Some(reason),
        Presence::Available | Presence::Offline => None,
    }
}

#[test]
fn a_lapsed_offer_pauses_the_agent_and_the_work_keeps_its_place() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.waits(work("w2"));
    floor.passes(14_999);
    assert_eq!(ends(&mut floor), []);
    floor.passes(1);
    assert_eq!(ends(&mut floor), [("w1".to_owned(), OfferEnd::Lapsed)]);
    assert_eq!(paused_for(&floor, "ana"), Some(PauseReason::Missed));
    assert_eq!(floor.desk.position(&id("w1")), Some(1));
    floor.comes("bruno");
    assert_eq!(floor.offers(), pairs(&[("w1", "bruno")]));
}

#[test]
fn where_two_may_be_missed_the_first_goes_to_another() {
    let mut rules = sales(&["ana", "bruno"], |_| {});
    rules.lapses_before_pause = 2;
    let mut floor = Floor::new(rules);
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.passes(15_000);
    assert_eq!(paused_for(&floor, "ana"), None);
    assert_eq!(floor.doing("w1"), "waiting");
    floor.waits(work("w2"));
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w2", "ana")]));
    floor.passes(15_000);
    assert_eq!(paused_for(&floor, "ana"), Some(PauseReason::Missed));
}

#[test]
fn refused_work_goes_to_the_next_and_comes_again_after_a_rest() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.passes(1);
    floor.comes("bruno");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor
        .does(|desk, now| desk.refuse(now, offer))
        .expect("it stands");
    let second = floor.offer_of("w1");
    floor
        .does(|desk, now| desk.refuse(now, second))
        .expect("it stands");
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w1", "bruno")]));
    assert_eq!(floor.doing("w1"), "waiting");
    floor.passes(30_000);
    assert_eq!(floor.offers(), pairs(&[("w1", "ana")]));
}

#[test]
fn a_phone_that_cannot_be_reached_pauses_its_agent() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.passes(1);
    floor.comes("bruno");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor
        .does(|desk, now| desk.handle_unreachable(now, offer))
        .expect("it stands");
    assert_eq!(paused_for(&floor, "ana"), Some(PauseReason::Unreachable));
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w1", "bruno")]));
}

#[test]
fn a_phone_that_does_not_take_the_work_pauses_its_agent_with_its_reason() {
    for (reason, end) in [
        (PauseReason::Busy, OfferEnd::Refused),
        (PauseReason::Refused, OfferEnd::Refused),
        (PauseReason::Missed, OfferEnd::Lapsed),
        (PauseReason::Unreachable, OfferEnd::Unreachable),
    ] {
        let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
        floor.comes("ana");
        floor.passes(1);
        floor.comes("bruno");
        floor.waits(work("w1"));
        let offer = floor.offer_of("w1");
        let told = reason.clone();
        floor
            .does(|desk, now| desk.handle_not_taken(now, offer, told))
            .expect("it stands");
        assert_eq!(ends(&mut floor), [("w1".to_owned(), end)]);
        assert_eq!(paused_for(&floor, "ana"), Some(reason.clone()));
        assert_eq!(floor.desk.position(&id("w1")), Some(1));
        let again = floor.does(|desk, now| desk.handle_not_taken(now, offer, reason));
        assert_eq!(again, Err(DeskError::OfferOver));
        assert_eq!(paused_for(&floor, "bruno"), None);
        assert_eq!(floor.doing("w1"), "offered");
    }
}

#[test]
fn an_acceptance_at_the_last_moment_counts_and_one_after_it_does_not() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.at_ms += 15_000;
    // Nobody woke the desk at the deadline; the offer has lapsed all the same.
    let late = floor.does(|desk, now| desk.accept(now, offer));
    assert_eq!(late, Err(DeskError::OfferOver));
    floor
        .does(|desk, now| desk.resume(now, &id("ana")))
        .expect("she is there");
    let offer = floor.offer_of("w1");
    floor.at_ms += 14_999;
    floor.accepts(offer);
    assert_eq!(floor.holder("w1").as_deref(), Some("ana"));
}

#[test]
fn the_same_work_is_here_once_and_a_full_line_says_so() {
    let mut floor = Floor::new(sales(&[], |service| service.line_max = 2));
    floor.waits(work("w1"));
    let again = floor.does(|desk, now| desk.enqueue(now, work("w1")));
    assert_eq!(again, Err(DeskError::AlreadyHere));
    floor.waits(work("w2"));
    let third = floor.does(|desk, now| desk.enqueue(now, work("w3")));
    assert_eq!(third, Err(DeskError::Full));
    let elsewhere = Work {
        service: id("nada"),
        ..work("w4")
    };
    let nowhere = floor.does(|desk, now| desk.enqueue(now, elsewhere));
    assert_eq!(nowhere, Err(DeskError::NoSuchService));
}

#[test]
fn what_a_turn_saves_stands_before_what_it_tells() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    floor.told.clear();
    floor.waits(work("w1"));
    let saves = floor
        .told
        .iter()
        .take_while(|output| matches!(output, Output::Save(_)));
    let saves = saves.count();
    assert_eq!(saves, 3, "the agent, the work and the decision");
    assert_eq!(floor.events().len(), 1, "then the offer");
}

//! Who is there, and what becomes of work when they are not.

use super::*;
use crate::change::{PauseReason, Presence};
use crate::output::WhyReturned;

fn busy() -> Floor {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor.events();
    floor
}

#[test]
fn a_page_that_is_loaded_again_within_the_grace_time_loses_nothing() {
    let mut floor = busy();
    floor
        .does(|desk, now| desk.handle_connection_lost(now, &id("ana")))
        .expect("she is there");
    floor.passes(29_999);
    floor
        .does(|desk, now| desk.handle_connected(now, &id("ana")))
        .expect("she is there");
    floor.passes(60_000);
    assert_eq!(floor.holder("w1").as_deref(), Some("ana"));
    let status = floor.desk.status(&id("ana")).expect("she is there");
    assert_eq!(status.presence, Presence::Available);
}

#[test]
fn after_the_grace_time_the_work_is_in_the_line_at_its_place() {
    let mut floor = busy();
    floor.waits(work("w2"));
    floor
        .does(|desk, now| desk.handle_connection_lost(now, &id("ana")))
        .expect("she is there");
    floor.passes(30_000);
    assert!(floor.events().contains(&Output::Returned {
        work: id("w1"),
        agent: id("ana"),
        why: WhyReturned::AgentLeft,
    }));
    assert_eq!(floor.desk.position(&id("w1")), Some(1));
    floor.comes("bruno");
    assert_eq!(floor.offers(), pairs(&[("w1", "bruno")]));
}

#[test]
fn who_is_lost_is_offered_nothing_and_what_rang_rings_elsewhere() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.passes(1);
    floor.comes("bruno");
    floor.waits(work("w1"));
    floor
        .does(|desk, now| desk.handle_connection_lost(now, &id("ana")))
        .expect("she is there");
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w1", "bruno")]));
    floor.waits(work("w2"));
    assert_eq!(floor.doing("w2"), "waiting");
    floor
        .does(|desk, now| desk.handle_connected(now, &id("ana")))
        .expect("she is there");
    assert_eq!(floor.offers(), pairs(&[("w2", "ana")]));
}

#[test]
fn a_pause_has_a_known_reason_keeps_what_is_in_hand_and_may_last_too_long() {
    let mut rules = sales(&["ana", "bruno"], |_| {});
    rules.pauses.entry(id("almoco")).or_default().limit_ms = Some(3_600_000);
    let mut floor = Floor::new(rules);
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    let unknown = PauseReason::Chosen(id("praia"));
    let result = floor.does(|desk, now| desk.pause(now, &id("ana"), unknown));
    assert_eq!(result, Err(DeskError::NoSuchPause));
    let lunch = PauseReason::Chosen(id("almoco"));
    let nobody = floor.does(|desk, now| desk.pause(now, &id("bruno"), lunch.clone()));
    assert!(
        matches!(nobody, Err(DeskError::NotNow { .. })),
        "he is offline"
    );
    floor
        .does(|desk, now| desk.pause(now, &id("ana"), lunch.clone()))
        .expect("known");
    assert_eq!(floor.holder("w1").as_deref(), Some("ana"));
    floor.leaves("w1");
    floor.waits(work("w2"));
    assert_eq!(floor.doing("w2"), "waiting");
    floor.events();
    floor.passes(3_600_000);
    assert_eq!(
        floor.events(),
        [Output::PauseOverdue {
            agent: id("ana"),
            reason: lunch
        }]
    );
    floor
        .does(|desk, now| desk.resume(now, &id("ana")))
        .expect("she is there");
    assert_eq!(floor.doing("w2"), "offered");
}

#[test]
fn the_call_of_an_agent_whose_phone_broke_goes_to_the_next() {
    let mut floor = busy();
    floor.comes("bruno");
    floor
        .does(|desk, now| desk.pause(now, &id("ana"), PauseReason::Chosen(id("almoco"))))
        .expect("known");
    floor.events();
    floor
        .does(|desk, now| desk.handle_agent_leg_lost(now, &id("w1")))
        .expect("she had it");
    assert_eq!(floor.offers(), pairs(&[("w1", "bruno")]));
}

#[test]
fn an_expected_wait_follows_the_agents_who_are_there() {
    let mut floor = busy();
    floor.passes(60_000);
    floor.leaves("w1");
    // Ana needs a minute for each.
    floor.waits(work("w2"));
    let offer = floor.offer_of("w2");
    floor.accepts(offer);
    floor.waits(work("w3"));
    floor.waits(work("w4"));
    assert_eq!(floor.desk.expected_wait_ms(&id("w3")), Some(60_000));
    assert_eq!(floor.desk.expected_wait_ms(&id("w4")), Some(120_000));
    floor.comes("bruno");
    assert_eq!(floor.desk.expected_wait_ms(&id("w4")), Some(60_000));
    for agent in ["ana", "bruno"] {
        floor
            .does(|desk, now| desk.log_off(now, &id(agent)))
            .expect("they are there");
    }
    assert_eq!(floor.desk.expected_wait_ms(&id("w4")), None);
    let now = floor.now();
    let status = floor
        .desk
        .service_status(now, &id("vendas"))
        .expect("a service");
    assert_eq!((status.waiting, status.available), (3, 0));
}

#[test]
fn an_agent_in_a_call_of_their_own_is_not_rung_and_takes_what_waits_when_it_is_over() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    for _ in 0..2 {
        floor
            .does(|desk, now| desk.handle_engaged(now, &id("ana")))
            .expect("she is there");
    }
    floor.waits(work("w1"));
    assert_eq!(floor.offers(), pairs(&[]));
    let status = floor.desk.status(&id("ana")).expect("she is there");
    assert_eq!(status.load, 100);
    let rules = sales(&["ana"], |service| service.ring_ms = 20_000);
    floor.does(|desk, now| desk.set_rules(now, rules));
    let over = |floor: &mut Floor| {
        floor
            .does(|desk, now| desk.handle_disengaged(now, &id("ana")))
            .expect("she is there");
        floor.offers()
    };
    assert_eq!(over(&mut floor), pairs(&[]), "one of two calls is over");
    assert_eq!(over(&mut floor), pairs(&[("w1", "ana")]));
}

#[test]
fn a_call_of_ones_own_silences_what_rings_and_the_next_gets_it() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.passes(1);
    floor.comes("bruno");
    floor.waits(work("w1"));
    floor
        .does(|desk, now| desk.handle_engaged(now, &id("ana")))
        .expect("she is there");
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w1", "bruno")]));
    assert_eq!(floor.doing("w1"), "offered");
}

#[test]
fn who_wants_to_leave_leaves_when_nothing_is_in_hand_and_gets_nothing_new_until_then() {
    let mut floor = Floor::new(sales(&["ana"], |service| service.wrap_up.limit_ms = 10_000));
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor
        .does(|desk, now| desk.log_off_when_done(now, &id("ana")))
        .expect("an agent");
    let presence = |floor: &Floor| {
        let status = floor.desk.status(&id("ana"));
        status.expect("an agent").presence
    };
    assert!(matches!(
        presence(&floor),
        Presence::Paused {
            reason: PauseReason::Leaving,
            ..
        }
    ));
    floor.waits(work("w2"));
    floor.leaves("w1");
    assert_eq!(floor.doing("w1"), "wrapping up");
    floor.passes(10_000);
    assert_eq!(presence(&floor), Presence::Offline);
    assert_eq!(floor.doing("w2"), "waiting");
    floor.comes("ana");
    floor
        .does(|desk, now| desk.log_off_when_done(now, &id("ana")))
        .expect("an agent");
    assert_eq!(
        presence(&floor),
        Presence::Offline,
        "only rang, goes at once"
    );
    assert_eq!(floor.doing("w2"), "waiting");
}

#[test]
fn what_is_no_call_is_offered_to_those_alone_who_have_a_page_open() {
    let mut rules = sales(&["ana"], |_| {});
    rules.pages = true;
    let mut floor = Floor::new(rules.clone());
    floor.comes("ana");
    floor.waits(Work {
        medium: Medium::Task,
        ..work("t1")
    });
    floor.waits(work("w1"));
    assert_eq!(floor.offers(), pairs(&[("w1", "ana")]), "a phone rings");
    floor.leaves("w1");
    let page = |floor: &mut Floor, is_open| {
        floor
            .does(|desk, now| desk.handle_page(now, &id("ana"), is_open))
            .expect("an agent");
    };
    page(&mut floor, true);
    floor.does(|desk, now| desk.set_rules(now, rules));
    assert_eq!(floor.offers(), pairs(&[("t1", "ana")]));
    page(&mut floor, false);
    let offer = floor.offer_of("t1");
    floor
        .does(|desk, now| desk.refuse(now, offer))
        .expect("it stands");
    floor.passes(60_000);
    assert_eq!(floor.offers(), pairs(&[]), "nobody sees it");
}

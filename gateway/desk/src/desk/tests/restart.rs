//! A program that is started again, and rules that change.

use super::*;
use crate::change::{PauseReason, Presence, Snapshot};

/// What a store would have of what was told.
fn stored(floor: &Floor) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for output in &floor.told {
        if let Output::Save(change) = output {
            snapshot.apply(change.clone());
        }
    }
    snapshot
}

fn started_again(floor: &mut Floor, rules: Rules) {
    let snapshot = stored(floor);
    assert_eq!(snapshot, floor.desk.snapshot());
    floor.at_ms += 5_000;
    floor.desk = Desk::restore(floor.start, START_MS + floor.at_ms, rules, snapshot);
    // The new program's clock begins with it.
    floor.at_ms = 0;
    floor.collect();
}

#[test]
fn places_offers_pauses_and_work_in_hand_survive() {
    let rules = || sales(&["ana", "bruno", "carla"], |_| {});
    let mut floor = Floor::new(rules());
    floor.comes("carla");
    let lunch = PauseReason::Chosen(id("almoco"));
    floor
        .does(|desk, now| desk.pause(now, &id("carla"), lunch.clone()))
        .expect("known");
    floor.comes("ana");
    floor.waits(work("held"));
    let offer = floor.offer_of("held");
    floor.accepts(offer);
    floor.comes("bruno");
    for name in ["rings", "w1", "w2"] {
        floor.waits(work(name));
        floor.passes(1_000);
    }
    started_again(&mut floor, rules());
    assert_eq!(floor.holder("held").as_deref(), Some("ana"));
    assert_eq!(floor.doing("rings"), "offered");
    assert_eq!(floor.desk.position(&id("w2")), Some(3));
    let carla = floor.desk.status(&id("carla")).expect("she is there");
    assert!(matches!(carla.presence, Presence::Paused { reason, .. } if reason == lunch));

    floor.does(Desk::handle_restart);
    assert_eq!(
        floor.doing("rings"),
        "waiting",
        "no phone rings in a new program"
    );
    // The call died with the program, Bruno's browser comes back, Ana's does not.
    floor.leaves("held");
    floor.events();
    floor
        .does(|desk, now| desk.handle_connected(now, &id("bruno")))
        .expect("he is there");
    assert_eq!(
        floor.offers(),
        pairs(&[("rings", "bruno")]),
        "he did not miss it"
    );
    floor.passes(300_000);
    let ana = floor.desk.status(&id("ana")).expect("an agent");
    assert_eq!(ana.presence, Presence::Offline);
}

#[test]
fn an_offer_number_is_never_used_again() {
    let rules = || sales(&["ana"], |_| {});
    let mut floor = Floor::new(rules());
    floor.comes("ana");
    floor.waits(work("w1"));
    let before = floor.offer_of("w1");
    floor.leaves("w1");
    started_again(&mut floor, rules());
    floor.waits(work("w2"));
    assert!(floor.offer_of("w2") > before);
}

#[test]
fn new_rules_take_nothing_from_those_who_stay() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.waits(work("w2"));
    let offer = floor.offer_of("w1");
    let other = sales(&["ana", "carla"], |service| service.ring_ms = 60_000);
    floor.does(|desk, now| desk.set_rules(now, other));
    assert_eq!(floor.desk.position(&id("w2")), Some(2));
    floor.accepts(offer);
    floor.comes("carla");
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w2", "carla")]));
}

#[test]
fn who_and_what_exists_no_more_lets_go_of_work() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor.comes("bruno");
    floor.does(|desk, now| desk.set_rules(now, sales(&["bruno"], |_| {})));
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w1", "bruno")]));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor.waits(work("w2"));
    let mut nothing = sales(&["bruno"], |_| {});
    nothing.services.clear();
    floor.does(|desk, now| desk.set_rules(now, nothing));
    assert_eq!(floor.doing("w2"), "gone");
    assert_eq!(
        floor.holder("w1").as_deref(),
        Some("bruno"),
        "a call goes on"
    );
    floor.leaves("w1");
    assert_eq!(floor.doing("w1"), "gone");
}

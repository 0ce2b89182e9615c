//! What fits beside what an agent has in hand: written work is work.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::output::{Sender, Target};

fn written(name: &str, medium: Medium) -> Work {
    Work {
        medium,
        ..work(name)
    }
}

#[test]
fn five_chats_fit_and_a_call_does_not_come_on_top() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    for number in 1..=6 {
        floor.waits(written(&format!("c{number}"), Medium::Chat));
    }
    floor.waits(work("call"));
    assert_eq!(floor.offers().len(), 5);
    for number in 1..=5 {
        let offer = floor.offer_of(&format!("c{number}"));
        floor.accepts(offer);
    }
    assert_eq!(
        floor.desk.status(&id("ana")).expect("she is there").load,
        100
    );
    assert_eq!(
        (floor.doing("c6"), floor.doing("call")),
        ("waiting", "waiting")
    );
    floor.leaves("c1");
    assert_eq!(floor.offers(), pairs(&[("c6", "ana")]));
}

#[test]
fn a_call_interrupts_an_e_mail_but_not_another_call_nor_a_chat() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    floor.waits(written("mail", Medium::Email));
    let offer = floor.offer_of("mail");
    floor.accepts(offer);
    floor.waits(work("call"));
    let offer = floor.offer_of("call");
    floor.accepts(offer);
    floor.waits(work("call2"));
    floor.waits(written("mail2", Medium::Email));
    assert_eq!(floor.offers(), pairs(&[("mail", "ana"), ("call", "ana")]));
    floor.leaves("call");
    let offer = floor.offer_of("call2");
    floor
        .does(|desk, now| desk.refuse(now, offer))
        .expect("it stands");
    floor.waits(written("chat", Medium::Chat));
    let offer = floor.offer_of("chat");
    floor.accepts(offer);
    floor.waits(work("call3"));
    assert_eq!(floor.doing("call3"), "waiting");
}

#[test]
fn who_need_not_be_interrupted_is_asked_first() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(written("mail", Medium::Email));
    let offer = floor.offer_of("mail");
    floor.accepts(offer);
    floor.passes(60_000);
    floor.comes("bruno");
    floor.waits(work("call"));
    floor.waits(work("call2"));
    let expected = [("mail", "ana"), ("call", "bruno"), ("call2", "ana")];
    assert_eq!(floor.offers(), pairs(&expected));
}

#[test]
fn a_company_may_set_its_own_costs_and_interrupts() {
    let mut rules = sales(&["ana"], |_| {});
    rules.costs.chat = 50;
    rules.interrupts = BTreeMap::from([(Medium::Phone, BTreeSet::from([Medium::Chat]))]);
    let mut floor = Floor::new(rules);
    floor.comes("ana");
    for number in 1..=3 {
        floor.waits(written(&format!("c{number}"), Medium::Chat));
    }
    assert_eq!(floor.offers(), pairs(&[("c1", "ana"), ("c2", "ana")]));
    floor.waits(work("call"));
    assert_eq!(floor.offers(), pairs(&[("call", "ana")]));
}

#[test]
fn a_customer_who_wrote_is_to_be_answered_within_the_target() {
    let target = |service: &mut ServiceRules| service.targets.message_ms = Some(60_000);
    let mut floor = Floor::new(sales(&["ana"], target));
    floor.comes("ana");
    floor.waits(written("chat", Medium::Chat));
    let offer = floor.offer_of("chat");
    floor.accepts(offer);
    let writes = |floor: &mut Floor, from| {
        floor
            .does(|desk, now| desk.handle_message(now, &id("chat"), from))
            .expect("it is here");
    };
    writes(&mut floor, Sender::Customer);
    floor.passes(59_000);
    writes(&mut floor, Sender::Agent);
    floor.passes(59_000);
    writes(&mut floor, Sender::Customer);
    floor.passes(30_000);
    writes(&mut floor, Sender::Customer);
    floor.events();
    floor.passes(29_999);
    assert_eq!(floor.events(), []);
    floor.passes(600_000);
    assert_eq!(
        floor.events(),
        [Output::TargetMissed {
            work: id("chat"),
            service: id("vendas"),
            target: Target::Message
        }]
    );
}

#[test]
fn what_an_agent_begins_themselves_may_be_too_much_and_sends_away_what_rings() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("call"));
    floor
        .does(|desk, now| desk.begin(now, work("dialled"), &id("ana")))
        .expect("she is there");
    assert_eq!(floor.doing("call"), "waiting");
    assert_eq!(floor.holder("dialled").as_deref(), Some("ana"));
    floor.comes("bruno");
    assert_eq!(floor.offers(), pairs(&[("call", "ana"), ("call", "bruno")]));
    let away = floor.does(|desk, now| desk.begin(now, work("other"), &id("nada")));
    assert_eq!(away, Err(DeskError::NoSuchAgent));
}

#[test]
fn an_agent_may_take_what_waits_as_far_as_they_have_room() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.waits(work("w2"));
    floor.comes("bruno");
    // It rings for Bruno; Ana, for whom the first rings, takes it.
    floor
        .does(|desk, now| desk.take(now, &id("w2"), &id("ana")))
        .expect("room");
    assert_eq!(floor.holder("w2").as_deref(), Some("ana"));
    assert_eq!(
        floor.offers(),
        pairs(&[("w1", "ana"), ("w2", "bruno"), ("w1", "bruno")])
    );
    let full = floor.does(|desk, now| desk.take(now, &id("w1"), &id("ana")));
    assert_eq!(full, Err(DeskError::NoRoom));
}

//! Who of those who are free, and what of what waits.

use super::*;
use crate::rules::{Relax, Routing};
use crate::work::Preferred;

#[test]
fn the_one_who_is_idle_for_longest_gets_it() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("bruno");
    floor.passes(1_000);
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.waits(work("w2"));
    assert_eq!(floor.offers(), pairs(&[("w1", "bruno"), ("w2", "ana")]));
}

#[test]
fn in_turn_means_the_one_who_was_asked_longest_ago() {
    let in_turn = |service: &mut ServiceRules| service.routing = Routing::RoundRobin;
    let mut floor = Floor::new(sales(&["ana", "bruno", "carla"], in_turn));
    for agent in ["carla", "bruno", "ana"] {
        floor.comes(agent);
    }
    for name in ["w1", "w2", "w3", "w4"] {
        floor.waits(work(name));
        floor.handles(name);
    }
    let expected = [
        ("w1", "ana"),
        ("w2", "bruno"),
        ("w3", "carla"),
        ("w4", "ana"),
    ];
    assert_eq!(floor.offers(), pairs(&expected));
}

#[test]
fn the_least_occupied_gets_it() {
    let least = |service: &mut ServiceRules| service.routing = Routing::LeastOccupied;
    let mut floor = Floor::new(sales(&["ana", "bruno"], least));
    floor.comes("ana");
    floor.comes("bruno");
    let written = |name: &str, medium| Work {
        medium,
        ..work(name)
    };
    floor.waits(written("chat1", Medium::Chat));
    floor.waits(written("mail", Medium::Email));
    floor.waits(written("chat2", Medium::Chat));
    floor.waits(written("chat3", Medium::Chat));
    let expected = [
        ("chat1", "ana"),
        ("mail", "bruno"),
        ("chat2", "bruno"),
        ("chat3", "ana"),
    ];
    assert_eq!(floor.offers(), pairs(&expected));
}

#[test]
fn the_one_who_handled_least_today_gets_it_and_the_day_begins_anew() {
    let fewest = |service: &mut ServiceRules| service.routing = Routing::FewestHandled;
    let mut floor = Floor::new(sales(&["ana", "bruno"], fewest));
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.handles("w1");
    floor.passes(1_000);
    floor.comes("bruno");
    floor.waits(work("w2"));
    floor.leaves("w2");
    floor.does(Desk::handle_new_day);
    floor.waits(work("w3"));
    assert_eq!(
        floor.offers(),
        pairs(&[("w1", "ana"), ("w2", "bruno"), ("w3", "ana")])
    );
}

#[test]
fn all_ring_the_first_who_accepts_has_it_and_who_comes_rings_too() {
    let all = |service: &mut ServiceRules| service.routing = Routing::RingAll;
    let mut floor = Floor::new(sales(&["ana", "bruno", "carla"], all));
    floor.comes("ana");
    floor.comes("bruno");
    floor.waits(work("w1"));
    floor.passes(2_000);
    floor.comes("carla");
    assert_eq!(
        floor.offers(),
        pairs(&[("w1", "ana"), ("w1", "bruno"), ("w1", "carla")])
    );
    let second = OfferId(floor.offer_of("w1").0 + 1);
    floor.accepts(second);
    assert_eq!(floor.holder("w1").as_deref(), Some("bruno"));
    let ends: Vec<_> = floor
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Output::OfferEnded { agent, end, .. } => Some((agent.to_string(), end)),
            _ => None,
        })
        .collect();
    assert_eq!(
        ends,
        [
            ("bruno".to_owned(), OfferEnd::Accepted),
            ("ana".to_owned(), OfferEnd::TakenByOther),
            ("carla".to_owned(), OfferEnd::TakenByOther),
        ]
    );
}

#[test]
fn nobody_answered_where_all_ring_and_all_ring_again() {
    let all = |service: &mut ServiceRules| service.routing = Routing::RingAll;
    let mut floor = Floor::new(sales(&["ana", "bruno"], all));
    floor.comes("ana");
    floor.comes("bruno");
    floor.waits(work("w1"));
    floor.passes(15_000);
    let rung = [
        ("w1", "ana"),
        ("w1", "bruno"),
        ("w1", "ana"),
        ("w1", "bruno"),
    ];
    assert_eq!(floor.offers(), pairs(&rung));
}

#[test]
fn skills_are_needed_at_their_level_and_relax_with_waiting() {
    let mut rules = rules(
        &["vendas"],
        &[
            ("ana", &["vendas"], &[("fatura", 1)]),
            ("bruno", &["vendas"], &[("fatura", 2)]),
        ],
    );
    let relax = |after_ms, by| Relax { after_ms, by };
    let service = rules.services.get_mut(&id("vendas")).expect("it is there");
    service.relax = vec![relax(20_000, 1), relax(40_000, 1)];
    let mut floor = Floor::new(rules);
    floor.comes("ana");
    floor.comes("bruno");
    let skilled = |name: &str, level, fixed| Work {
        skills: vec![SkillWanted {
            fixed,
            ..wanted("fatura", level)
        }],
        ..work(name)
    };
    floor.waits(skilled("two", 2, false));
    assert_eq!(floor.offers(), pairs(&[("two", "bruno")]));
    floor.handles_on("two");
    floor.waits(skilled("three", 3, false));
    floor.waits(skilled("fixed", 3, true));
    floor.passes(39_999);
    assert_eq!(floor.offers(), []);
    floor.passes(1);
    // Bruno is busy; Ana has level 1 of the 3 less 2.
    assert_eq!(floor.offers(), pairs(&[("three", "ana")]));
    assert_eq!(floor.doing("fixed"), "waiting");
}

#[test]
fn a_point_of_priority_is_worth_a_minute_of_waiting() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    let urgent = |name: &str, contact, number| Work {
        priority: Priority { contact, number },
        ..work(name)
    };
    floor.waits(urgent("plain", 0, 0));
    floor.passes(90_000);
    floor.waits(urgent("one", 1, 0));
    floor.waits(urgent("two", 1, 1));
    floor.waits(urgent("late", 0, 0));
    let position = |name| floor.desk.position(&id(name));
    let order = ["two", "plain", "one", "late"].map(position);
    assert_eq!(order, [Some(1), Some(2), Some(3), Some(4)]);
    floor.comes("ana");
    assert_eq!(floor.offers(), pairs(&[("two", "ana")]));
}

#[test]
fn who_calls_does_not_stand_behind_what_is_written() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    let task = Work {
        medium: Medium::Task,
        ..work("task")
    };
    floor.waits(task);
    floor.waits(work("first"));
    floor.waits(work("second"));
    let position = |name| floor.desk.position(&id(name));
    let places = ["task", "first", "second"].map(position);
    assert_eq!(places, [Some(1), Some(1), Some(2)]);
}

#[test]
fn between_services_waiting_counts_by_weight() {
    let mut rules = rules(
        &["vendas", "suporte"],
        &[("ana", &["vendas", "suporte"], &[])],
    );
    let service = rules.services.get_mut(&id("suporte")).expect("it is there");
    service.weight = 3;
    let mut floor = Floor::new(rules);
    let support = |name: &str| Work {
        service: id("suporte"),
        ..work(name)
    };
    floor.waits(work("sold"));
    floor.passes(20_000);
    floor.waits(support("broken"));
    floor.passes(9_000);
    floor.comes("ana");
    // 29 s of sales beside three times 9 s of support.
    floor.handles("sold");
    floor.handles("broken");
    floor.waits(work("sold2"));
    floor.handles("sold2");
    assert_eq!(
        floor.offers(),
        pairs(&[("sold", "ana"), ("broken", "ana"), ("sold2", "ana")])
    );

    floor
        .does(|desk, now| desk.log_off(now, &id("ana")))
        .expect("she is there");
    floor.waits(work("sold3"));
    floor.passes(20_000);
    floor.waits(support("broken3"));
    floor.passes(11_000);
    floor.comes("ana");
    assert_eq!(floor.offers(), pairs(&[("broken3", "ana")]));
}

#[test]
fn the_preferred_agent_is_waited_for_so_long_and_then_all_may_have_it() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("ana");
    floor.waits(work("busy"));
    floor.handles_on("busy");
    floor.comes("bruno");
    let prefers = |name: &str, even_away| Work {
        preferred: Some(Preferred {
            agent: id("ana"),
            wait_ms: 30_000,
            even_away,
        }),
        ..work(name)
    };
    floor.waits(prefers("w1", false));
    floor.passes(29_999);
    assert_eq!(floor.offers(), pairs(&[("busy", "ana")]));
    floor.passes(1);
    assert_eq!(floor.offers(), pairs(&[("w1", "bruno")]));
    floor.waits(prefers("w2", false));
    floor.leaves("busy");
    assert_eq!(floor.offers(), pairs(&[("w2", "ana")]));
}

#[test]
fn a_preferred_agent_who_is_away_is_not_waited_for_unless_that_is_wished() {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |_| {}));
    floor.comes("bruno");
    let prefers = |name: &str, even_away| Work {
        preferred: Some(Preferred {
            agent: id("ana"),
            wait_ms: 3_600_000,
            even_away,
        }),
        ..work(name)
    };
    floor.waits(prefers("kept", true));
    assert_eq!(floor.offers(), []);
    floor.waits(prefers("free", false));
    assert_eq!(floor.offers(), pairs(&[("free", "bruno")]));
    floor.comes("ana");
    assert_eq!(floor.offers(), pairs(&[("kept", "ana")]));
}

impl Floor {
    /// The agent takes what is offered and is busy with it.
    fn handles_on(&mut self, work: &str) {
        let offer = self.offer_of(work);
        self.accepts(offer);
    }
}

#[test]
fn who_is_made_more_urgent_goes_to_the_front_and_one_who_is_offered_stays_so() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    for name in ["w1", "w2", "w3"] {
        floor.waits(work(name));
        floor.passes(1_000);
    }
    let urgent = crate::work::Priority {
        contact: 0,
        number: 1,
    };
    floor
        .does(|desk, now| desk.set_priority(now, &id("w3"), urgent))
        .expect("it waits");
    assert_eq!(floor.desk.position(&id("w3")), Some(1));
    floor.comes("ana");
    assert_eq!(floor.offers(), pairs(&[("w3", "ana")]));
    floor
        .does(|desk, now| desk.set_priority(now, &id("w3"), Default::default()))
        .expect("it rings");
    assert_eq!(floor.desk.position(&id("w3")), Some(3));
    assert_eq!(floor.doing("w3"), "offered");
    let offer = floor.offer_of("w3");
    floor.accepts(offer);
    assert_eq!(floor.desk.length(&id("vendas")), 2);
}

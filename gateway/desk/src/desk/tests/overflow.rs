//! Too long, too many.

use super::*;
use crate::output::{Target, WaitEnd, WhyClosed};
use crate::rules::{Overflow, OverflowThen, OverflowWhen};

fn after(ms: i64, then: OverflowThen) -> Overflow {
    let when = OverflowWhen::WaitedMs(ms);
    Overflow { when, then }
}

fn longer(length: usize, then: OverflowThen) -> Overflow {
    let when = OverflowWhen::Length(length);
    Overflow { when, then }
}

#[test]
fn a_long_wait_goes_through_the_steps_in_their_order() {
    let agents: &[Person] = &[("ana", &["suporte"], &[])];
    let mut rules = rules(&["vendas", "suporte"], agents);
    let service = rules.services.get_mut(&id("vendas")).expect("it is there");
    service.overflow = vec![
        after(90_000, OverflowThen::Service(id("suporte"))),
        after(30_000, OverflowThen::RelaxSkills),
        after(60_000, OverflowThen::OfferCallback),
    ];
    let mut floor = Floor::new(rules);
    floor.waits(Work {
        skills: vec![wanted("fatura", 3)],
        ..work("w1")
    });
    let name: WorkId = id("w1");
    floor.passes(30_000);
    assert_eq!(
        floor.events(),
        [Output::SkillsRelaxed { work: name.clone() }]
    );
    floor.passes(30_000);
    assert_eq!(
        floor.events(),
        [Output::CallbackSuggested { work: name.clone() }]
    );
    floor.passes(30_000);
    assert_eq!(
        floor.events(),
        [Output::WaitEnded {
            work: name.clone(),
            service: id("vendas"),
            waited_ms: 90_000,
            end: WaitEnd::Moved { to: id("suporte") },
        }]
    );
    // What came earlier there was younger: the place is by arrival.
    floor.waits(Work {
        service: id("suporte"),
        ..work("w2")
    });
    assert_eq!(floor.desk.position(&name), Some(1));
    assert_eq!(floor.desk.waited_ms(floor.now(), &name), Some(0));
}

#[test]
fn the_one_too_many_overflows_unless_somebody_is_free() {
    let full = |service: &mut ServiceRules| {
        service.overflow = vec![longer(2, OverflowThen::Close)];
    };
    let mut floor = Floor::new(sales(&["ana"], full));
    for name in ["w1", "w2"] {
        floor.waits(work(name));
    }
    floor.events();
    floor.waits(work("w3"));
    assert_eq!(
        floor.events(),
        [Output::WaitEnded {
            work: id("w3"),
            service: id("vendas"),
            waited_ms: 0,
            end: WaitEnd::Closed(WhyClosed::Overflow),
        }]
    );
    let mut floor = Floor::new(sales(&["ana"], |service| {
        service.overflow = vec![longer(0, OverflowThen::Close)];
    }));
    floor.comes("ana");
    floor.waits(work("w1"));
    assert_eq!(floor.doing("w1"), "offered");
}

#[test]
fn services_that_overflow_into_each_other_do_not_play_forever() {
    let mut rules = rules(&["vendas", "suporte"], &[]);
    for (from, to) in [("vendas", "suporte"), ("suporte", "vendas")] {
        let service = rules.services.get_mut(&id(from)).expect("it is there");
        service.overflow = vec![longer(0, OverflowThen::Service(id(to)))];
    }
    let mut floor = Floor::new(rules);
    floor.waits(work("w1"));
    assert_eq!(floor.doing("w1"), "waiting");
    assert!(floor.events().len() <= 8);
}

#[test]
fn a_missed_target_is_told_once_and_the_answer_says_whether_it_was_in_time() {
    let target = |service: &mut ServiceRules| {
        service.targets.answer_ms = Some(20_000);
        service.targets.abandon_ms = Some(5_000);
    };
    let mut floor = Floor::new(sales(&["ana"], target));
    for name in ["w1", "w2", "w3"] {
        floor.waits(work(name));
    }
    floor.passes(4_999);
    floor.leaves("w2");
    floor.passes(1);
    floor.leaves("w3");
    let counts: Vec<bool> = floor
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Output::WaitEnded {
                end: WaitEnd::Abandoned { counts },
                ..
            } => Some(counts),
            _ => None,
        })
        .collect();
    assert_eq!(
        counts,
        [false, true],
        "a wrong number is not an abandoned call"
    );
    floor.passes(600_000);
    assert_eq!(
        floor.events(),
        [Output::TargetMissed {
            work: id("w1"),
            service: id("vendas"),
            target: Target::Answer
        }]
    );
    floor.comes("ana");
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    assert!(floor.events().iter().any(|event| matches!(
        event,
        Output::WaitEnded {
            end: WaitEnd::Answered {
                in_target: Some(false),
                ..
            },
            ..
        }
    )));
}

#[test]
fn what_is_written_is_never_closed_by_waiting() {
    let mut floor = Floor::new(sales(&["ana"], |service| {
        service.overflow = vec![after(60_000, OverflowThen::Close)];
    }));
    for (name, medium) in [("mail", Medium::Email), ("task", Medium::Task)] {
        floor.waits(Work {
            medium,
            ..work(name)
        });
    }
    floor.waits(Work {
        medium: Medium::Chat,
        ..work("chat")
    });
    floor.passes(600_000);
    let doing = ["mail", "task", "chat"].map(|name| floor.doing(name));
    assert_eq!(doing, ["waiting", "waiting", "waiting"]);
}

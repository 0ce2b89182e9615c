//! What users of other queues complain of, one test for each complaint that a queue model can
//! answer. The numbers are those of the public reports.

use super::*;
use crate::change::{PauseReason, Presence};
use crate::output::WaitEnd;
use crate::rules::Routing;

/// mod_callcenter 1062: "freezes".
#[test]
fn the_queue_never_freezes_after_everybody_was_gone() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    for round in 0..50 {
        let name = format!("w{round}");
        floor.waits(work(&name));
        floor.comes("ana");
        match round % 3 {
            0 => floor.passes(15_000),
            1 => floor
                .does(|desk, now| desk.handle_connection_lost(now, &id("ana")))
                .expect("she is there"),
            _ => floor
                .does(|desk, now| desk.log_off(now, &id("ana")))
                .expect("she is there"),
        }
        floor.passes(60_000);
    }
    floor.comes("ana");
    floor
        .does(|desk, now| desk.resume(now, &id("ana")))
        .expect("she is there");
    for round in 0..50 {
        floor.handles(&format!("w{round}"));
    }
    assert_eq!(floor.desk.length(&id("vendas")), 0);
}

/// mod_callcenter 1216: the queue stops when the last agent of the list is on a break.
#[test]
fn a_pause_of_the_last_agent_of_the_list_stops_nobody_else() {
    for routing in Routing::ALL {
        let mut floor = Floor::new(sales(&["ana", "bruno", "zeca"], |service| {
            service.routing = *routing;
        }));
        for agent in ["ana", "bruno", "zeca"] {
            floor.comes(agent);
        }
        let lunch = PauseReason::Chosen(id("almoco"));
        floor
            .does(|desk, now| desk.pause(now, &id("zeca"), lunch))
            .expect("known");
        for name in ["w1", "w2", "w3", "w4"] {
            floor.waits(work(name));
            floor.handles(name);
        }
        assert_eq!(floor.desk.length(&id("vendas")), 0, "{routing}");
    }
}

/// mod_callcenter 2511: the order is not by score.
#[test]
fn callers_are_served_by_their_score() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    let scores = [0, 3, -1, 5, 1, 3];
    for (number, contact) in scores.into_iter().enumerate() {
        floor.waits(Work {
            priority: Priority { contact, number: 0 },
            ..work(&format!("w{number}"))
        });
        floor.passes(1_000);
    }
    floor.comes("ana");
    for name in ["w3", "w1", "w5", "w4", "w0", "w2"] {
        floor.handles(name);
    }
}

/// mod_callcenter 1973: members stay "answered" although they are gone.
#[test]
fn nobody_stays_answered_who_is_gone() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    floor.handles("w1");
    assert!(floor.desk.work(&id("w1")).is_none());
    let status = floor.desk.status(&id("ana")).expect("she is there");
    assert_eq!((status.in_hand.len(), status.load), (0, 0));
    let again = floor.does(|desk, now| desk.handle_over(now, &id("w1")));
    assert_eq!(again, Err(DeskError::NoSuchWork));
}

/// mod_callcenter 2529: the caller hangs up while the agent's phone rings, and a call stays.
#[test]
fn when_the_caller_hangs_up_the_agents_phone_stops_at_once() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.events();
    floor.leaves("w1");
    let ended = Output::OfferEnded {
        offer,
        work: id("w1"),
        agent: id("ana"),
        end: OfferEnd::WorkGone,
    };
    assert_eq!(floor.events().first(), Some(&ended), "in the same turn");
    let late = floor.does(|desk, now| desk.accept(now, offer));
    assert_eq!(late, Err(DeskError::OfferOver));
}

/// mod_callcenter 2540: an agent stays reserved, and gets nothing any more.
#[test]
fn no_agent_stays_reserved_for_what_is_gone() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    for name in ["w1", "w2", "w3"] {
        floor.waits(work(name));
        assert_eq!(floor.doing(name), "offered");
        floor.leaves(name);
    }
    let status = floor.desk.status(&id("ana")).expect("she is there");
    assert_eq!((status.presence, status.load), (Presence::Available, 0));
}

/// Asterisk 176: two agents answer at the same time, and both have the caller.
#[test]
fn of_two_who_answer_at_once_one_has_the_caller() {
    let all = |service: &mut ServiceRules| service.routing = Routing::RingAll;
    let mut floor = Floor::new(sales(&["ana", "bruno"], all));
    floor.comes("ana");
    floor.comes("bruno");
    floor.waits(work("w1"));
    let first = floor.offer_of("w1");
    let second = OfferId(first.0 + 1);
    let both = [second, first].map(|offer| floor.does(|desk, now| desk.accept(now, offer)));
    assert_eq!(both, [Ok(()), Err(DeskError::OfferOver)]);
    assert_eq!(floor.holder("w1").as_deref(), Some("bruno"));
    assert_eq!(floor.desk.status(&id("ana")).expect("she is there").load, 0);
}

/// Asterisk 1557: where all ring, one who declines silences all.
#[test]
fn one_who_declines_does_not_silence_the_others() {
    let all = |service: &mut ServiceRules| service.routing = Routing::RingAll;
    let mut floor = Floor::new(sales(&["ana", "bruno", "carla"], all));
    for agent in ["ana", "bruno", "carla"] {
        floor.comes(agent);
    }
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.events();
    floor
        .does(|desk, now| desk.refuse(now, offer))
        .expect("it stands");
    assert_eq!(floor.events().len(), 1, "hers alone has ended");
    let third = OfferId(offer.0 + 2);
    floor.accepts(third);
    assert_eq!(floor.holder("w1").as_deref(), Some("carla"));
}

/// Asterisk 1691 and 1693: with weights, calls are not offered any more.
#[test]
fn a_heavy_service_without_agents_keeps_no_call_of_a_light_one() {
    let agents: &[Person] = &[
        ("ana", &["vendas", "vip"], &[]),
        ("bruno", &["vendas"], &[]),
    ];
    let mut rules = rules(&["vendas", "vip"], agents);
    rules
        .services
        .get_mut(&id("vip"))
        .expect("it is there")
        .weight = 1_000;
    let mut floor = Floor::new(rules);
    floor.waits(Work {
        service: id("vip"),
        skills: vec![wanted("ingles", 9)],
        ..work("v1")
    });
    floor.passes(600_000);
    floor.waits(work("w1"));
    floor.waits(work("w2"));
    floor.comes("ana");
    floor.comes("bruno");
    assert_eq!(floor.offers(), pairs(&[("w1", "ana"), ("w2", "bruno")]));
}

/// Asterisk 1736: with agents in many queues, calls are counted twice.
#[test]
fn a_call_counts_once_for_an_agent_of_many_services() {
    let names: Vec<String> = (0..50).map(|number| format!("s{number}")).collect();
    let mut services: Vec<&str> = names.iter().map(String::as_str).collect();
    services.push("vendas");
    let mut floor = Floor::new(rules(&services, &[("ana", &services, &[])]));
    floor.comes("ana");
    for number in 0..20 {
        let name = format!("w{number}");
        floor.waits(work(&name));
        floor.handles(&name);
    }
    let handled: Vec<u32> = floor
        .desk
        .snapshot()
        .agents
        .iter()
        .map(|a| a.handled)
        .collect();
    assert_eq!(handled, [20]);
    let answered = floor.events().into_iter().filter(|event| {
        matches!(
            event,
            Output::WaitEnded {
                end: WaitEnd::Answered { .. },
                ..
            }
        )
    });
    assert_eq!(answered.count(), 20);
}

/// Asterisk 1386: a position that has got worse; 1568: none while nobody is rung.
#[test]
fn a_place_is_known_from_the_first_moment_and_a_missed_offer_makes_it_no_worse() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.waits(work("w1"));
    floor.waits(work("w2"));
    assert_eq!(floor.desk.position(&id("w1")), Some(1), "nobody is there");
    let mut seen = vec![];
    for _ in 0..5 {
        floor.comes("ana");
        floor
            .does(|desk, now| desk.resume(now, &id("ana")))
            .expect("she is there");
        seen.push(floor.desk.position(&id("w2")));
        floor.passes(15_000);
        seen.push(floor.desk.position(&id("w2")));
    }
    assert!(seen.iter().all(|position| *position == Some(2)), "{seen:?}");
}

/// FreePBX 621, queued-callbacks 9: callbacks jump ahead, several at once without a free agent.
#[test]
fn no_callback_jumps_ahead_and_none_is_dialled_without_a_free_agent() {
    let mut floor = Floor::new(sales(&["ana"], |_| {}));
    floor.comes("ana");
    floor.waits(work("talks"));
    let offer = floor.offer_of("talks");
    floor.accepts(offer);
    floor.passes(1_000);
    for name in ["w1", "back1", "w2", "back2"] {
        floor.waits(work(name));
        floor.passes(1_000);
    }
    for name in ["back1", "back2"] {
        floor
            .does(|desk, now| desk.ask_callback(now, &id(name), "551100000000".to_owned()))
            .expect("it waits");
    }
    floor.events();
    floor.passes(600_000);
    let dialled = floor
        .events()
        .into_iter()
        .any(|event| matches!(event, Output::CallBack { .. }));
    assert!(!dialled, "she talks");
    floor.leaves("talks");
    for name in ["w1", "back1", "w2", "back2"] {
        let offer = floor.offer_of(name);
        floor.accepts(offer);
        floor.leaves(name);
    }
}

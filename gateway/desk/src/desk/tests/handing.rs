//! Transfers and consultations.

use super::*;
use crate::output::Toward;
use crate::rules::Transfers;

/// Ana sells, Bruno and Carla repair; Ana has a call.
fn talking() -> Floor {
    let agents: &[Person] = &[
        ("ana", &["vendas"], &[]),
        ("bruno", &["suporte"], &[("rede", 1)]),
        ("carla", &["suporte"], &[("rede", 3)]),
    ];
    let mut floor = Floor::new(rules(&["vendas", "suporte"], agents));
    floor.comes("ana");
    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor.events();
    floor
}

fn to_service(service: &str) -> Toward {
    Toward::Service(id(service))
}

fn to_agent(agent: &str) -> Toward {
    Toward::Agent {
        agent: id(agent),
        wait_ms: 30_000,
    }
}

fn transfer(floor: &mut Floor, toward: Toward) -> Result<(), DeskError> {
    floor.does(|desk, now| desk.transfer(now, &id("w1"), &id("ana"), toward, vec![]))
}

fn consult(floor: &mut Floor, toward: Toward) -> Result<(), DeskError> {
    floor.does(|desk, now| desk.consult(now, &id("w1"), &id("ana"), id("c1"), toward))
}

#[test]
fn a_transfer_to_a_service_frees_the_agent_and_keeps_the_arrival() {
    let mut floor = talking();
    floor.passes(60_000);
    floor.waits(Work {
        service: id("suporte"),
        ..work("w2")
    });
    let skills = vec![wanted("rede", 2)];
    floor
        .does(|desk, now| desk.transfer(now, &id("w1"), &id("ana"), to_service("suporte"), skills))
        .expect("she may");
    assert_eq!(floor.desk.position(&id("w1")), Some(1), "it came first");
    assert_eq!(
        floor.desk.status(&id("ana")).expect("she is there").in_hand,
        []
    );
    floor.comes("bruno");
    floor.comes("carla");
    assert_eq!(floor.offers(), pairs(&[("w2", "bruno"), ("w1", "carla")]));
}

#[test]
fn a_transfer_to_an_agent_waits_for_them_and_then_goes_to_the_service() {
    let mut floor = talking();
    assert_eq!(
        transfer(&mut floor, to_agent("carla")),
        Err(DeskError::Away)
    );
    assert_eq!(
        floor.holder("w1").as_deref(),
        Some("ana"),
        "it stays with her"
    );
    floor.comes("carla");
    transfer(&mut floor, to_agent("carla")).expect("she is there");
    assert_eq!(floor.offers(), pairs(&[("w1", "carla")]));
    let offer = floor.offer_of("w1");
    floor
        .does(|desk, now| desk.refuse(now, offer))
        .expect("it stands");
    // Ana handed it on a moment ago; after the rest she may have it like anybody of the service.
    assert_eq!(floor.doing("w1"), "waiting");
    floor.passes(30_000);
    assert_eq!(floor.offers(), pairs(&[("w1", "ana")]));
}

#[test]
fn only_who_may_hands_work_on() {
    let mut floor = talking();
    floor.comes("carla");
    let mut rules = floor_rules();
    let ana = rules.agents.get_mut(&id("ana")).expect("she is there");
    ana.transfers = Transfers {
        agents: false,
        services: Some([id("vendas")].into()),
    };
    floor.does(|desk, now| desk.set_rules(now, rules));
    assert_eq!(
        transfer(&mut floor, to_service("suporte")),
        Err(DeskError::NotAllowed)
    );
    assert_eq!(
        transfer(&mut floor, to_agent("carla")),
        Err(DeskError::NotAllowed)
    );
    assert_eq!(
        transfer(&mut floor, to_service("nada")),
        Err(DeskError::NoSuchService)
    );
    let other = floor.does(|desk, now| {
        desk.transfer(now, &id("w1"), &id("carla"), to_service("vendas"), vec![])
    });
    assert_eq!(other, Err(DeskError::NotYours));
    assert_eq!(transfer(&mut floor, to_service("vendas")), Ok(()));
}

fn floor_rules() -> Rules {
    let agents: &[Person] = &[("ana", &["vendas"], &[]), ("carla", &["suporte"], &[])];
    rules(&["vendas", "suporte"], agents)
}

#[test]
fn who_was_consulted_takes_over_and_the_one_who_asked_is_free() {
    let mut floor = talking();
    floor.comes("carla");
    consult(&mut floor, to_service("suporte")).expect("she may");
    let twice = consult(&mut floor, to_service("suporte"));
    assert!(matches!(twice, Err(DeskError::NotNow { .. })));
    assert_eq!(floor.offers(), pairs(&[("c1", "carla")]));
    let early = floor.does(|desk, now| desk.hand_over(now, &id("c1"), &id("ana")));
    assert!(matches!(early, Err(DeskError::NotNow { .. })));
    let offer = floor.offer_of("c1");
    floor.accepts(offer);
    assert_eq!(floor.holder("w1").as_deref(), Some("ana"), "still hers");
    floor
        .does(|desk, now| desk.hand_over(now, &id("c1"), &id("ana")))
        .expect("both are there");
    assert_eq!(floor.holder("w1").as_deref(), Some("carla"));
    assert_eq!(floor.doing("c1"), "gone");
    assert_eq!(floor.desk.status(&id("ana")).expect("she is there").load, 0);
    assert_eq!(
        floor.desk.status(&id("carla")).expect("she is there").load,
        100
    );
}

#[test]
fn a_consultation_ends_alone_and_stops_ringing_when_the_customer_leaves() {
    let mut floor = talking();
    floor.comes("carla");
    consult(&mut floor, to_agent("carla")).expect("she is there");
    floor.leaves("w1");
    assert_eq!(floor.doing("c1"), "gone");
    let stopped = floor.events().into_iter().any(|event| {
        matches!(
            event,
            Output::OfferEnded {
                end: OfferEnd::WorkGone,
                ..
            }
        )
    });
    assert!(stopped, "her phone rings no more");

    floor.waits(work("w1"));
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    consult(&mut floor, to_agent("carla")).expect("she is there");
    let offer = floor.offer_of("c1");
    floor.accepts(offer);
    floor.leaves("c1");
    assert_eq!(floor.holder("w1").as_deref(), Some("ana"));
    assert_eq!(
        floor.desk.status(&id("carla")).expect("she is there").load,
        0
    );
}

#[test]
fn the_service_says_too_where_its_work_may_go() {
    let mut floor = talking();
    floor.comes("carla");
    let mut rules = rules(
        &["vendas", "suporte"],
        &[("ana", &["vendas"], &[]), ("carla", &["suporte"], &[])],
    );
    rules
        .services
        .get_mut(&id("vendas"))
        .expect("it is there")
        .transfers = Transfers {
        agents: false,
        services: Some([id("vendas")].into()),
    };
    floor.does(|desk, now| desk.set_rules(now, rules));
    for toward in [to_service("suporte"), to_agent("carla")] {
        assert_eq!(
            transfer(&mut floor, toward.clone()),
            Err(DeskError::NotAllowed)
        );
        assert_eq!(consult(&mut floor, toward), Err(DeskError::NotAllowed));
    }
    transfer(&mut floor, to_service("vendas")).expect("she may");
}

//! Which carrier is tried first, second and not at all.

use super::super::route::may_fail_over;
use super::*;

fn scene(routes: Vec<Route>) -> Scene {
    Scene::new(Rules {
        routes,
        ..Rules::default()
    })
}

#[test]
fn the_longest_prefix_goes_first_and_the_shorter_ones_stand_behind_it() {
    let mut scene = scene(vec![
        route("any", "any", "", 1, 1),
        route("brazil", "brazil", "+55", 1, 1),
        route("city", "city", "+5511", 1, 1),
        route("mobile", "mobile", "+55XX9", 1, 1),
        route("rio", "rio", "+5521", 1, 1),
    ]);
    assert_eq!(scene.trunks("11 3123-4567"), ["city", "brazil", "any"]);
    assert_eq!(
        scene.trunks("11 91234-5678"),
        ["mobile", "city", "brazil", "any"]
    );
    assert_eq!(scene.trunks("21 2345-6789"), ["rio", "brazil", "any"]);
    assert_eq!(scene.trunks("190"), ["any"]);
}

#[test]
fn a_number_that_no_route_is_for_has_no_way() {
    let mut scene = scene(vec![route("city", "city", "+5511", 1, 1)]);
    assert_eq!(scene.plan("21 2345-6789"), Err(Refusal::NoWay));
    assert_eq!(scene.plan("190"), Err(Refusal::NoWay));
}

#[test]
fn of_the_same_prefix_the_smaller_priority_goes_first_and_a_carrier_stands_once() {
    let mut scene = scene(vec![
        route("b", "b", "+55", 2, 100),
        route("a", "a", "+55", 1, 1),
        route("again", "a", "", 1, 1),
        route("c", "c", "+55", 3, 100),
    ]);
    for _ in 0..50 {
        assert_eq!(scene.trunks("1131234567"), ["a", "b", "c"]);
    }
}

#[test]
fn equals_share_by_weight_and_a_carrier_without_weight_stands_behind() {
    let mut scene = scene(vec![
        route("spare", "spare", "", 1, 0),
        route("three", "three", "", 1, 3),
        route("one", "one", "", 1, 1),
    ]);
    let mut first = BTreeMap::<String, u32>::new();
    for _ in 0..10_000 {
        let trunks = scene.trunks("1131234567");
        assert_eq!(trunks.len(), 3);
        assert_eq!(trunks[2], "spare");
        *first.entry(trunks[0].clone()).or_default() += 1;
    }
    // Three quarters of 10,000, give or take five standard deviations of 43.
    assert!((7_285..=7_715).contains(&first["three"]), "{first:?}");
}

#[test]
fn a_carrier_that_does_not_answer_is_tried_last() {
    let mut scene = scene(vec![
        route("a", "a", "+55", 1, 1),
        route("b", "b", "+55", 2, 1),
        route("c", "c", "", 1, 1),
    ]);
    scene.usage.set_silent(&id("a"), true);
    assert_eq!(scene.trunks("1131234567"), ["b", "c", "a"]);
    scene.usage.set_silent(&id("b"), true);
    assert_eq!(scene.trunks("1131234567"), ["c", "a", "b"]);
    scene.usage.set_silent(&id("a"), false);
    assert_eq!(scene.trunks("1131234567"), ["a", "c", "b"]);
}

#[test]
fn a_full_route_is_passed_over_until_a_call_ends_but_not_by_an_emergency() {
    let mut one = route("one", "one", "", 1, 1);
    one.calls_max = Some(1);
    let mut scene = scene(vec![one, route("two", "two", "+55", 2, 1)]);
    scene.company.outbound_rules = Arc::new(Rules {
        routes: vec![scene.company.outbound_rules.routes[0].clone()],
        ..Rules::default()
    });
    let planned = scene.plan("1131234567").expect("a plan");
    let call = scene.begin(&planned);
    assert_eq!(scene.plan("1131234567"), Err(Refusal::AllFull));
    assert_eq!(scene.trunks("190"), ["one"]);
    scene.usage.end(scene.now, &call).expect("it was up");
    assert_eq!(scene.trunks("1131234567"), ["one"]);
    assert!(
        scene.usage.end(scene.now, &call).is_none(),
        "it is over once"
    );
}

#[test]
fn a_route_takes_so_many_calls_a_second_and_again_in_the_next() {
    let mut one = route("one", "one", "", 1, 1);
    one.calls_per_second_max = Some(2);
    let mut scene = scene(vec![one]);
    for _ in 0..2 {
        let planned = scene.plan("1131234567").expect("a plan");
        let call = scene.begin(&planned);
        scene.usage.end(scene.now, &call);
    }
    scene.pass(Duration::from_millis(999));
    assert_eq!(scene.plan("1131234567"), Err(Refusal::AllFull));
    scene.pass(Duration::from_millis(1));
    assert!(scene.plan("1131234567").is_ok());
}

#[test]
fn a_call_that_goes_on_by_another_carrier_leaves_the_first_ones_room() {
    let limited = |name: &str, priority| Route {
        calls_max: Some(1),
        ..route(name, name, "", priority, 1)
    };
    let mut scene = scene(vec![limited("a", 1), limited("b", 2)]);
    let planned = scene.plan("1131234567").expect("a plan");
    let call = scene.begin(&planned);
    assert_eq!(scene.trunks("1131234567"), ["b"]);
    scene.usage.try_way(scene.now, &call, &planned.ways[1]);
    assert_eq!(scene.trunks("1131234567"), ["a"]);
}

#[test]
fn the_next_carrier_is_tried_for_what_is_the_carriers_and_not_for_what_is_the_callees() {
    for status in [
        None,
        Some(302),
        Some(401),
        Some(402),
        Some(403),
        Some(407),
        Some(408),
        Some(415),
        Some(482),
        Some(483),
        Some(488),
        Some(500),
        Some(502),
        Some(503),
        Some(504),
        Some(580),
    ] {
        assert!(may_fail_over(status, false), "{status:?}");
        assert!(!may_fail_over(status, true), "{status:?} after ringing");
    }
    for status in [
        404, 410, 480, 484, 485, 486, 487, 491, 600, 603, 604, 606, 607, 200, 180,
    ] {
        assert!(!may_fail_over(Some(status), false), "{status}");
    }
}

#[test]
fn each_carrier_is_dialled_in_its_own_way() {
    let mut rules = Rules {
        routes: vec![route("a", "a", "", 1, 1), route("b", "b", "", 2, 1)],
        ..Rules::default()
    };
    rules.trunks.insert(
        id("b"),
        TrunkRules {
            format: Format {
                style: desk::numbering::Style::National,
                ..Format::default()
            },
            caller_number: None,
        },
    );
    let planned = Scene::new(rules).plan("21 8123 4567").expect("a plan");
    let dialled: Vec<&str> = planned.ways.iter().map(|way| way.number.as_str()).collect();
    assert_eq!(dialled, ["+5521981234567", "021981234567"]);
}

#[test]
fn prefixes_are_read_and_others_refused() {
    for right in ["", "+5511", "+55XX9", "190", "0", "+XXXXXXXXXXXXXXX"] {
        assert!(right.parse::<prefix::Prefix>().is_ok(), "{right}");
    }
    for wrong in ["+", "+55x", "55 11", "*", "+1234567890123456", "++55", "é"] {
        assert!(wrong.parse::<prefix::Prefix>().is_err(), "{wrong}");
    }
    let any: prefix::Prefix = "X".parse().expect("a prefix");
    assert!(any.fits("190") && !any.fits("+55"), "X is no plus");
}

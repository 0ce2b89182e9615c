//! What is refused, by which rule, and who hears of it.

use super::super::guard::{Limits, Night};
use super::*;

fn prefixes(list: &[&str]) -> Vec<prefix::Prefix> {
    let read = |text: &&str| text.parse().expect("a prefix");
    list.iter().map(read).collect()
}

fn guarded(permissions: Permissions) -> Scene {
    let mut one = route("one", "one", "", 1, 1);
    one.cost_per_minute = 600;
    Scene::new(Rules {
        area_code: Some("11".into()),
        routes: vec![one],
        permissions,
        ..Rules::default()
    })
}

fn by<'a>(agent: &'a UserId, dialled: &'a str) -> Wish<'a> {
    Wish {
        dialled,
        by: Some(agent),
        ..Wish::default()
    }
}

#[test]
fn the_longest_prefix_says_who_may_be_called() {
    let mut scene = guarded(Permissions {
        allowed: prefixes(&["+1", "+351", "+44", "+4420", "+5585"]),
        refused: prefixes(&["+442", "+55858", "+5521"]),
        ..Permissions::default()
    });
    for may in [
        "3123-4567",
        "4004-1234",
        "0800 123 4567",
        "0300 123 4567",
        "155",
        "190",
        "+1 202 555 0100",
        "+351 21 123 4567",
        "+44 20 7946 0958",
        "85 3123 4567",
    ] {
        assert!(scene.plan(may).is_ok(), "{may}");
    }
    for may_not in [
        "+44 29 2018 0000",
        "21 2345 6789",
        "+33 1 23 45 67 89",
        "+870 773 123 456",
        // Nobody who allows the United States means their islands or premium numbers.
        "+1 876 555 0100",
        "+1 809 555 0100",
        "+1 900 555 0100",
        "0900 123 4567",
        "0500 123 4567",
    ] {
        let refused = scene.plan(may_not);
        assert_eq!(
            refused,
            Err(Refusal::Forbidden(Rule::Destination)),
            "{may_not}"
        );
    }
}

#[test]
fn what_is_dear_is_allowed_by_its_own_prefix_alone() {
    for (allowed, may) in [
        ("", false),
        ("+55", false),
        ("+559", false),
        ("+55900", true),
        ("+559001", true),
    ] {
        let mut scene = guarded(Permissions {
            allowed: prefixes(&[allowed]),
            ..Permissions::default()
        });
        assert_eq!(scene.plan("0900 123 4567").is_ok(), may, "{allowed:?}");
    }
    for (allowed, may) in [("+1", false), ("+18", false), ("+1876", true)] {
        let mut scene = guarded(Permissions {
            allowed: prefixes(&[allowed]),
            ..Permissions::default()
        });
        assert_eq!(scene.plan("+18765550100").is_ok(), may, "{allowed:?}");
    }
}

#[test]
fn what_is_refused_stands_before_what_is_allowed_by_the_same_prefix() {
    let mut scene = guarded(Permissions {
        allowed: prefixes(&["+44"]),
        refused: prefixes(&["+44"]),
        ..Permissions::default()
    });
    assert!(scene.plan("+442079460958").is_err());
}

#[test]
fn at_night_only_what_the_night_allows_is_called() {
    let mut scene = guarded(Permissions {
        night: Some(Night {
            from: "22:00".parse().expect("a time"),
            until: "06:30".parse().expect("a time"),
            allowed: prefixes(&["+5511"]),
        }),
        ..Permissions::default()
    });
    for (at, is_night) in [
        ("21:59:59", false),
        ("22:00:00", true),
        ("23:59:59", true),
        ("00:00:00", true),
        ("06:29:59", true),
        ("06:30:00", false),
        ("12:00:00", false),
    ] {
        let wall = format!("2026-11-22T{at}-03:00").parse();
        scene.now.wall = wall.expect("a moment");
        let far = scene.plan("21 2345 6789");
        let refused = far == Err(Refusal::Forbidden(Rule::Night));
        assert_eq!(refused, is_night, "{at}: {far:?}");
        assert!(scene.plan("3123-4567").is_ok(), "{at}");
        assert!(scene.plan("193").is_ok(), "{at}");
    }
}

#[test]
fn a_night_may_lie_within_one_day() {
    let mut scene = guarded(Permissions {
        night: Some(Night {
            from: "12:00".parse().expect("a time"),
            until: "13:00".parse().expect("a time"),
            allowed: vec![],
        }),
        ..Permissions::default()
    });
    assert!(scene.plan("3123-4567").is_err());
    scene.pass(Duration::from_secs(3_600));
    assert!(scene.plan("3123-4567").is_ok());
}

#[test]
fn an_agent_has_so_many_calls_at_once_and_others_have_theirs() {
    let (ana, bruno) = (id("ana"), id("bruno"));
    let mut scene = guarded(Permissions {
        agent: Limits {
            calls_at_once: Some(1),
            ..Limits::default()
        },
        ..Permissions::default()
    });
    let planned = scene.plan_for(&by(&ana, "3123-4567")).expect("a plan");
    let call = scene.begin(&planned);
    let second = scene.plan_for(&by(&ana, "3123-4567"));
    assert_eq!(second, Err(Refusal::Forbidden(Rule::AgentCallsAtOnce)));
    assert!(scene.plan_for(&by(&ana, "190")).is_ok(), "an emergency");
    assert!(scene.plan_for(&by(&bruno, "3123-4567")).is_ok());
    assert!(scene.plan("3123-4567").is_ok(), "a flow is no agent");
    scene.usage.end(scene.now, &call);
    assert!(scene.plan_for(&by(&ana, "3123-4567")).is_ok());
}

#[test]
fn calls_of_the_last_hour_and_of_today_are_counted() {
    let limits = |hour, day| Limits {
        calls_per_hour: hour,
        calls_per_day: day,
        ..Limits::default()
    };
    let mut scene = guarded(Permissions {
        company: limits(Some(2), Some(3)),
        ..Permissions::default()
    });
    let call = |scene: &mut Scene| match scene.plan("3123-4567") {
        Ok(planned) => {
            let call = scene.begin(&planned);
            scene.usage.end(scene.now, &call);
            Ok(())
        }
        Err(refusal) => Err(refusal),
    };
    assert_eq!([call(&mut scene), call(&mut scene)], [Ok(()); 2]);
    let per_hour = Err(Refusal::Forbidden(Rule::CompanyCallsPerHour));
    assert_eq!(call(&mut scene), per_hour);
    scene.pass(Duration::from_secs(59 * 60 + 59));
    assert_eq!(call(&mut scene), per_hour);
    scene.pass(Duration::from_secs(1));
    assert_eq!(call(&mut scene), Ok(()));
    scene.pass(Duration::from_secs(2 * 3_600));
    let per_day = Err(Refusal::Forbidden(Rule::CompanyCallsPerDay));
    assert_eq!(call(&mut scene), per_day);
    // 15:00; the day ends at midnight in São Paulo, nine hours later.
    scene.pass(Duration::from_secs(9 * 3_600 - 1));
    assert_eq!(call(&mut scene), per_day);
    scene.pass(Duration::from_secs(1));
    assert_eq!(call(&mut scene), Ok(()));
}

#[test]
fn cost_is_counted_while_a_call_runs_and_billed_by_tenths_of_a_minute() {
    let ana = id("ana");
    let mut scene = guarded(Permissions {
        agent: Limits {
            cost_per_day: Some(1_200),
            ..Limits::default()
        },
        ..Permissions::default()
    });
    let planned = scene.plan_for(&by(&ana, "3123-4567")).expect("a plan");
    let call = scene.begin(&planned);
    scene.pass(Duration::from_secs(40));
    let spent = |scene: &Scene| {
        let agent = scene.usage.of_agent(scene.now, &scene.company, &ana);
        let company = scene.usage.of_company(scene.now, &scene.company);
        assert_eq!(agent, company);
        agent.cost_day
    };
    assert_eq!(spent(&scene), 0, "ringing is free");
    scene.usage.answered(scene.now, &call).expect("it is up");
    assert_eq!(spent(&scene), 300, "half a minute at least");
    scene.pass(Duration::from_secs(30));
    assert_eq!(spent(&scene), 300);
    scene.pass(Duration::from_secs(1));
    assert_eq!(spent(&scene), 360);
    scene.pass(Duration::from_secs(89));
    assert_eq!(spent(&scene), 1_200);
    let refused = Err(Refusal::Forbidden(Rule::AgentCostPerDay));
    assert_eq!(scene.plan_for(&by(&ana, "3123-4567")), refused);
    let free = scene.plan_for(&by(&ana, "0800 123 4567"));
    assert!(free.is_ok(), "it costs nothing");
    let over = scene.usage.end(scene.now, &call).expect("it was up");
    assert_eq!(over.cost, 1_200);
    assert_eq!(spent(&scene), 1_200);
    scene.pass(Duration::from_secs(12 * 3_600));
    assert_eq!(spent(&scene), 0, "a new day");
}

#[test]
fn what_was_spent_today_survives_a_restart() {
    let ana = id("ana");
    let mut scene = guarded(Permissions::default());
    let mut kept = vec![];
    for seconds in [60, 120] {
        let planned = scene.plan_for(&by(&ana, "3123-4567")).expect("a plan");
        let call = scene.begin(&planned);
        scene.usage.answered(scene.now, &call);
        scene.pass(Duration::from_secs(seconds));
        kept.extend(scene.usage.end(scene.now, &call));
    }
    // One that nobody answered, and one that runs when the program is killed.
    let planned = scene.plan("3123-4567").expect("a plan");
    let call = scene.begin(&planned);
    kept.extend(scene.usage.end(scene.now, &call));
    let call = scene.begin(&planned);
    kept.extend(scene.usage.answered(scene.now, &call));
    scene.pass(Duration::from_secs(300));
    let mut after = Usage::default();
    for call in &kept {
        after.restore(scene.now, &scene.company.zone, call);
    }
    let of_ana = after.of_agent(scene.now, &scene.company, &ana);
    assert_eq!(
        of_ana,
        scene.usage.of_agent(scene.now, &scene.company, &ana)
    );
    assert_eq!(of_ana.cost_day, 1_800);
    let company = after.of_company(scene.now, &scene.company);
    let before = scene.usage.of_company(scene.now, &scene.company);
    assert_eq!(before.calls_up, 1);
    assert_eq!(
        company,
        Spent {
            calls_up: 0,
            ..before
        },
        "it died with the program"
    );
    assert_eq!(company.cost_day, 4_800);
}

#[test]
fn what_was_of_yesterday_is_not_restored() {
    let mut scene = guarded(Permissions::default());
    let planned = scene.plan("3123-4567").expect("a plan");
    let call = scene.begin(&planned);
    scene.usage.answered(scene.now, &call);
    scene.pass(Duration::from_secs(60));
    let kept = scene.usage.end(scene.now, &call).expect("it was up");
    scene.pass(Duration::from_secs(24 * 3_600));
    let mut after = Usage::default();
    after.restore(scene.now, &scene.company.zone, &kept);
    let spent = after.of_company(scene.now, &scene.company);
    assert_eq!(spent, Spent::default());
}

#[test]
fn a_broken_rule_is_told_once_an_hour_and_each_rule_for_itself() {
    let mut scene = guarded(Permissions::default());
    let alarm = |scene: &mut Scene, refusal| {
        let wish = Wish {
            dialled: "+44 20 7946 0958",
            ..Wish::default()
        };
        let (now, random) = (scene.now, &mut scene.random);
        let told = (&wish, &refusal);
        scene
            .usage
            .alarm(now, &scene.company, told, &id("i"), random)
    };
    let abroad = Refusal::Forbidden(Rule::Destination);
    let told = alarm(&mut scene, abroad).expect("the first is told");
    assert_eq!(told.rule, "destination");
    assert_eq!(told.dialled, "+44 20 7946 0958");
    assert_eq!(alarm(&mut scene, abroad), None);
    assert!(alarm(&mut scene, Refusal::Forbidden(Rule::Night)).is_some());
    scene.pass(Duration::from_millis(3_599_999));
    assert_eq!(alarm(&mut scene, abroad), None);
    scene.pass(Duration::from_millis(1));
    assert!(alarm(&mut scene, abroad).is_some());
    for harmless in [
        Refusal::NoWay,
        Refusal::AllFull,
        Refusal::Inside,
        Refusal::NotANumber(NotANumber::Length),
    ] {
        assert_eq!(alarm(&mut scene, harmless), None, "{harmless}");
    }
}

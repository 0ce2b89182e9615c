//! Companies that dial, exact.

mod guarding;
mod routing;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ivr::{Language, Now};
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::directory::Outbound;

/// A company that may dial, with what it used so far and a clock.
struct Scene {
    company: Company,
    usage: Usage,
    now: Now,
    random: StdRng,
}

fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

impl Scene {
    /// At noon of a Sunday in São Paulo.
    fn new(rules: Rules) -> Self {
        Self {
            company: company(rules),
            usage: Usage::default(),
            now: Now {
                instant: origin(),
                wall: "2026-11-22T12:00:00-03:00".parse().expect("a moment"),
            },
            random: StdRng::seed_from_u64(1),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.wall += time;
    }

    fn plan(&mut self, dialled: &str) -> Result<Plan, Refusal> {
        self.plan_for(&Wish {
            dialled,
            ..Wish::default()
        })
    }

    fn plan_for(&mut self, wish: &Wish<'_>) -> Result<Plan, Refusal> {
        let (now, random) = (self.now, &mut self.random);
        plan(&self.company, wish, &self.usage, now, random)
    }

    /// Begins a call by its first way.
    fn begin(&mut self, plan: &Plan) -> desk::id::OutboundCallId {
        let interaction = id("i");
        let (now, random) = (self.now, &mut self.random);
        let call = self
            .usage
            .begin(now, &self.company, plan, &interaction, random);
        self.usage.try_way(now, &call, &plan.ways[0]);
        call
    }

    /// The carriers that a number would be tried at, in order.
    fn trunks(&mut self, dialled: &str) -> Vec<String> {
        let ways = self.plan(dialled).expect("a plan").ways;
        ways.iter().map(|way| way.trunk.to_string()).collect()
    }
}

/// The one clock read of these tests: only differences count.
#[allow(clippy::disallowed_methods)]
fn origin() -> Instant {
    Instant::now()
}

fn company(rules: Rules) -> Company {
    Company {
        id: id("demo"),
        name: "Demo".into(),
        language: Language::PtBr,
        zone: TimeZone::get("America/Sao_Paulo").expect("a zone"),
        country_code: "55".into(),
        numbers: BTreeMap::from([(
            "+551140000000".to_owned(),
            crate::directory::Number {
                id: id("main"),
                trunk: None,
                flow: None,
                priority: 0,
            },
        )]),
        extensions: BTreeMap::from([
            ("200".to_owned(), id("device")),
            ("156".to_owned(), id("device")),
            ("190".to_owned(), id("device")),
        ]),
        owners: BTreeMap::new(),
        outside_phones: BTreeMap::new(),
        outbound: Some(Outbound {
            trunk: id("carrier"),
            number: "+551140000000".into(),
        }),
        outbound_rules: Arc::new(rules),
        channels: BTreeMap::new(),
        services: BTreeMap::new(),
        agents: BTreeMap::new(),
        pauses: BTreeMap::new(),
        skills: BTreeMap::new(),
        desk: Arc::default(),
        prompts: BTreeMap::new(),
        library: Arc::default(),
    }
}

fn route(name: &str, trunk: &str, prefix: &str, priority: u16, weight: u16) -> Route {
    Route {
        id: id(name),
        trunk: id(trunk),
        prefix: prefix.parse().expect("a prefix"),
        priority,
        weight,
        calls_max: None,
        calls_per_second_max: None,
        cost_per_minute: 0,
        caller_number: None,
    }
}

#[test]
fn who_has_set_nothing_calls_their_country_by_the_one_carrier() {
    let mut scene = Scene::new(Rules::default());
    let planned = scene.plan("0 15 21 2345-6789").expect("a plan");
    assert_eq!(planned.callee.number, "+552123456789");
    let [way] = planned.ways.as_slice() else {
        panic!("{planned:?}");
    };
    assert_eq!(way.trunk, id("carrier"));
    assert_eq!(way.number, "+552123456789");
    assert_eq!(way.caller_number, "+551140000000");
    assert_eq!(way.route, None);
    assert_eq!(
        scene.plan("+12025550100"),
        Err(Refusal::Forbidden(Rule::Destination))
    );
}

#[test]
fn without_a_carrier_there_is_no_way() {
    let mut scene = Scene::new(Rules::default());
    scene.company.outbound = None;
    assert_eq!(scene.plan("11 3123-4567"), Err(Refusal::NoWay));
}

#[test]
fn the_companys_own_are_reached_without_a_carrier_but_never_in_place_of_the_police() {
    let mut scene = Scene::new(Rules::default());
    for own in [
        "200",
        "156",
        "+551140000000",
        "11 4000-0000",
        "011 40000000",
    ] {
        assert_eq!(scene.plan(own), Err(Refusal::Inside), "{own}");
    }
    let police = scene.plan("190").expect("a plan");
    assert_eq!(police.callee.kind, Kind::Emergency);
    assert_eq!(police.ways[0].number, "190");
}

#[test]
fn the_callee_sees_what_is_said_closest_to_the_call() {
    let rules = |steps: usize| {
        let mut rules = Rules {
            caller_number: (steps > 1).then(|| "company".into()),
            ..Rules::default()
        };
        let own = TrunkRules {
            caller_number: (steps > 2).then(|| "trunk".into()),
            ..TrunkRules::default()
        };
        rules.trunks.insert(id("one"), own);
        let mut one = route("r", "one", "", 1, 1);
        one.caller_number = (steps > 3).then(|| "route".into());
        rules.routes = vec![one];
        if steps > 4 {
            rules.of_numbers.insert(id("main"), "number".into());
        }
        if steps > 5 {
            rules.of_services.insert(id("sales"), "service".into());
        }
        rules
    };
    let seen = [
        "+551140000000",
        "company",
        "trunk",
        "route",
        "number",
        "service",
    ];
    for (steps, seen) in (1..).zip(seen) {
        let mut scene = Scene::new(rules(steps));
        let planned = scene.plan_for(&Wish {
            dialled: "1131234567",
            service: Some(&id("sales")),
            number: Some(&id("main")),
            ..Wish::default()
        });
        let planned = planned.expect("a plan");
        assert_eq!(planned.ways[0].caller_number, seen);
    }
}

//! Who calls matters: contacts of the company, what they need, whom they know.

use desk::contact::OwnerFallback;
use desk::record::Medium;
use desk::rules::{Preference, PreferredAgent};
use desk::work::Customer;

use super::agents::{agent, company, staffed};
use super::written::id;
use super::*;
use crate::voice::{Holder, Written};

/// A customer of Bruno's, with so many points of priority.
fn known(priority: i16) -> Customer {
    Customer {
        contact: "c1".parse().expect("an id"),
        name: "Clara".into(),
        priority,
        owner: Some(agent("bruno")),
        owner_fallback: OwnerFallback::Queue,
        last_agent: Some(agent("ana")),
        blocked_in: false,
        blocked_out: false,
    }
}

/// Ana is idle for longer than Bruno.
fn both() -> Scene {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.pass(Duration::from_secs(60));
    scene.comes("bruno");
    scene
}

impl Scene {
    fn rings(&mut self) -> Vec<String> {
        self.phones().into_iter().map(|(name, ..)| name).collect()
    }
}

#[test]
fn a_stranger_has_whoever_is_idle_for_longest_and_a_customer_their_own_agent() {
    let mut scene = both();
    scene.waits();
    assert_eq!(scene.rings(), ["ana-phone"]);
    let mut scene = both();
    scene.customer = Some(known(0));
    scene.waits();
    assert_eq!(scene.rings(), ["bruno-phone"]);
}

#[test]
fn who_is_blocked_is_refused_and_the_record_says_why() {
    let mut scene = both();
    scene.customer = Some(Customer {
        blocked_in: true,
        ..known(0)
    });
    scene.call("4000");
    assert!(scene.wanted.iter().any(|output| matches!(
        output,
        Output::Sip(SipCommand::Reject {
            call: CALL,
            status: 603,
            ..
        })
    )));
    scene.ended(Party::Us);
    assert_eq!(scene.details(TrailKind::Refused)[0]["cause"], "blocked");
}

#[test]
fn a_call_is_of_its_contact() {
    let mut scene = both();
    scene.customer = Some(known(0));
    scene.waits();
    scene.until(Duration::from_secs(62));
    let mut contacts = scene.changes.iter().filter_map(|change| match change {
        Change::InteractionUpdated { update, .. } => update.contact.clone(),
        _ => None,
    });
    assert_eq!(contacts.next(), Some(known(0).contact));
}

#[test]
fn a_service_may_want_the_last_agent_or_none_in_particular() {
    for (whom, rings) in [
        (PreferredAgent::Last, "ana-phone"),
        (PreferredAgent::OwnerOrLast, "bruno-phone"),
        (PreferredAgent::Nobody, "ana-phone"),
    ] {
        let mut scene = both();
        scene.change(|company| {
            let service = company.services.values_mut().next().expect("one");
            service.rules.preference.whom = whom;
        });
        scene.customer = Some(known(0));
        scene.waits();
        assert_eq!(scene.rings(), [rings], "{whom:?}");
    }
}

#[test]
fn who_waits_for_their_own_agent_has_another_when_that_took_too_long() {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.change(|company| {
        let service = company.services.values_mut().next().expect("one");
        service.rules.preference = Preference {
            wait_ms: 20_000,
            even_away: true,
            ..Preference::default()
        };
    });
    scene.customer = Some(known(0));
    scene.waits();
    assert_eq!(scene.rings(), [""; 0], "Bruno is away");
    scene.until(Duration::from_secs(19));
    assert_eq!(scene.rings(), [""; 0]);
    scene.until(Duration::from_secs(20));
    assert_eq!(scene.rings(), ["ana-phone"]);
}

#[test]
fn a_customer_with_points_goes_before_who_came_a_moment_earlier() {
    let mut scene = staffed(&[]);
    scene.line_max(10);
    let early = scene.task("t1", vec![]);
    scene.until(Duration::from_secs(100));
    scene.customer = Some(known(2));
    scene.waits();
    let sales = "sales".parse().expect("an id");
    let line = scene.voice.line(scene.now, &company(), &sales);
    assert_eq!((line.len(), &line[1].work), (2, &early));
}

#[test]
fn a_menu_that_asks_for_a_language_finds_who_speaks_it() {
    let menu = MENU.replace(
        r#""service": "sales", "un"#,
        r#""service": "sales", "skills": [{"skill": "english", "level": 2, "fixed": true}], "un"#,
    );
    assert_ne!(menu, MENU);
    let mut scene = both();
    scene.change(|company| {
        let flow: ivr::Flow = serde_json::from_str(&menu).expect("a flow");
        let mut library = ivr::Library::clone(&company.library);
        library.flows.insert("menu".into(), Arc::new(flow));
        company.library = Arc::new(library);
        for (name, level) in [("ana", 1), ("bruno", 2)] {
            let known = company.agents.get_mut(&agent(name)).expect("an agent");
            known.skills = [("english".parse().expect("an id"), level)].into();
        }
    });
    scene.waits();
    assert_eq!(scene.rings(), ["bruno-phone"]);
}

/// Bruno's customer writes while Bruno is away: who is offered it, and who loses them.
fn writes_to_bruno(fallback: OwnerFallback, bruno_comes: bool) -> (Holder, Option<String>) {
    let mut scene = staffed(&[("ana", &[]), ("bruno", &[]), ("carla", &[])]);
    scene.change(|company| {
        let service = company.services.values_mut().next().expect("one");
        service.rules.preference.whom = PreferredAgent::Owner;
    });
    scene.sits_down("ana");
    scene.pass(Duration::from_secs(60));
    scene.sits_down("carla");
    let written = Written {
        interaction: id("i1"),
        channel: id("erp"),
        protocol: "20261123000001".into(),
        language: None,
        text: String::new(),
        is_new: true,
        medium: Medium::Email,
        service: id("sales"),
        customer: Some(Customer {
            owner_fallback: fallback,
            ..known(0)
        }),
        returns_to: None,
        arrived_ms: scene.now.wall.as_millisecond(),
        priority: 0,
        seq: 1,
    };
    let lost = scene.voice.unassigns(scene.now, &company(), &written);
    let done = scene.voice.handle_written(scene.now, &company(), written);
    done.expect("room");
    scene.settle();
    if bruno_comes {
        let passed = scene.now.instant - scene.start.instant;
        scene.until(passed + Duration::from_secs(3_600));
        scene.sits_down("bruno");
        scene.settle();
    }
    let holder = scene.voice.holder(scene.now, &company(), &id("i1"));
    (holder, lost.map(|(_, owner)| owner.to_string()))
}

#[test]
fn while_the_owner_is_away_their_fallback_says_who_reads_what_is_written() {
    let offered = |name: &str| Holder::Offered(vec![agent(name)]);
    let backup = OwnerFallback::Backup {
        agent: agent("carla"),
    };
    for (fallback, holder, lost) in [
        (OwnerFallback::Queue, offered("ana"), None),
        (backup, offered("carla"), None),
        (OwnerFallback::Message, Holder::Nobody, None),
        (
            OwnerFallback::Unassign,
            offered("ana"),
            Some("bruno".to_owned()),
        ),
    ] {
        let found = writes_to_bruno(fallback.clone(), false);
        assert_eq!(found, (holder, lost), "{fallback:?}");
    }
    let (holder, _) = writes_to_bruno(OwnerFallback::Message, true);
    assert_eq!(holder, offered("bruno"), "it waited for its owner");
}

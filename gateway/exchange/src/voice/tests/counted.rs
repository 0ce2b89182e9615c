//! What reports count of calls and agents.

use desk::fact::{Attendance, Fact, Handled, HandledResult, WaitResult, Waited};
use desk::rules::Targets;

use super::agents::*;
use super::*;
use crate::voice::{CallOrder, Destination, Wish};

impl Scene {
    fn facts(&self) -> Vec<&Fact> {
        let facts = self.kept.iter().filter_map(|kept| match kept {
            Kept::Fact(fact) => Some(&**fact),
            _ => None,
        });
        facts.collect()
    }

    fn waited(&self) -> Vec<&Waited> {
        let facts = self.facts().into_iter().filter_map(|fact| match fact {
            Fact::Waited(waited) => Some(waited),
            Fact::Handled(_) | Fact::Present(_) => None,
        });
        facts.collect()
    }

    fn spells(&self) -> Vec<&Handled> {
        let facts = self.facts().into_iter().filter_map(|fact| match fact {
            Fact::Handled(handled) => Some(handled),
            Fact::Waited(_) | Fact::Present(_) => None,
        });
        facts.collect()
    }

    /// A service that wants its customers answered in ten seconds, and whose agents have half a minute after.
    fn with_target(agents: &[(&str, &[&str])]) -> Self {
        let mut scene = staffed(agents);
        scene.change(|company| {
            let service = company.services.values_mut().next().expect("one");
            service.wrap_up = Duration::from_secs(30);
            service.rules.targets = Targets {
                answer_ms: Some(10_000),
                abandon_ms: Some(5_000),
                message_ms: None,
            };
        });
        scene
    }
}

#[test]
fn a_call_is_counted_with_its_wait_its_talk_its_hold_and_its_wrap_up() {
    let mut scene = Scene::with_target(&[("ana", &["ana-phone"])]);
    scene.waits();
    let entered_ms = scene.now.wall.as_millisecond();
    scene.pass(Duration::from_secs(7));
    scene.comes("ana");
    let phone = scene.phone();
    scene.pass(Duration::from_secs(1));
    scene.picks_up(phone);
    scene.pass(Duration::from_secs(20));
    scene.does("ana", CallOrder::Hold);
    scene.pass(Duration::from_secs(9));
    scene.does("ana", CallOrder::Resume);
    scene.pass(Duration::from_secs(1));
    scene.does("ana", CallOrder::Hold);
    scene.pass(Duration::from_secs(2));
    assert!(scene.spells().is_empty(), "it is not over");
    scene.ended(Party::Peer);
    let talked_until_ms = scene.now.wall.as_millisecond();
    scene.until(Duration::from_secs(120));

    let waits = scene.waited();
    assert_eq!(waits.len(), 1, "{waits:?}");
    let wait = waits[0];
    assert_eq!(
        (wait.entered_ms, wait.ended_ms),
        (entered_ms, entered_ms + 8_000)
    );
    assert_eq!(
        (wait.result, wait.in_target),
        (WaitResult::Answered, Some(true))
    );
    assert_eq!(wait.agent, Some(agent("ana")));

    let handled = scene.spells();
    assert_eq!(handled.len(), 1, "{handled:?}");
    let handled = handled[0];
    assert_eq!(handled.agent, agent("ana"));
    assert_eq!(
        (handled.began_ms, handled.talked_until_ms),
        (entered_ms + 8_000, talked_until_ms)
    );
    assert_eq!(handled.talked_until_ms - handled.began_ms, 32_000);
    assert_eq!(
        (handled.held_ms, handled.ended_ms),
        (11_000, talked_until_ms + 30_000)
    );
    assert_eq!(handled.result, HandledResult::Finished);
    assert_eq!(handled.work, wait.work);
}

#[test]
fn who_gives_up_missed_the_target_and_who_leaves_at_once_does_not_count() {
    for (seconds, result, in_target) in [
        (4, WaitResult::LeftSoon, None),
        (6, WaitResult::Abandoned, Some(false)),
    ] {
        let mut scene = Scene::with_target(&[("ana", &["ana-phone"])]);
        scene.waits();
        scene.pass(Duration::from_secs(seconds));
        scene.ended(Party::Peer);
        let waits = scene.waited();
        assert_eq!(waits.len(), 1, "{waits:?}");
        assert_eq!((waits[0].result, waits[0].in_target), (result, in_target));
        assert!(scene.spells().is_empty());
    }
}

#[test]
fn a_colleague_who_was_asked_and_takes_over_is_counted_for_both() {
    let mut scene = Scene::with_target(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.waits();
    let ana = scene.phone();
    scene.picks_up(ana);
    scene.comes("bruno");
    scene.pass(Duration::from_secs(10));
    scene.does(
        "ana",
        CallOrder::Consult(Destination::Agent(agent("bruno"))),
    );
    let bruno = scene.phone();
    scene.pass(Duration::from_secs(3));
    scene.picks_up(bruno);
    scene.pass(Duration::from_secs(5));
    scene.does("ana", CallOrder::Complete);
    scene.pass(Duration::from_secs(20));
    scene.ended(Party::Peer);
    scene.until(Duration::from_secs(120));

    // A question is no customer who waits.
    assert_eq!(scene.waited().len(), 1);
    let seen: Vec<_> = scene
        .spells()
        .iter()
        .map(|handled| {
            let talked = handled.talked_until_ms - handled.began_ms;
            (
                handled.agent.to_string(),
                handled.result,
                talked,
                handled.held_ms,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("bruno".to_owned(), HandledResult::Consulted, 5_000, 0),
            ("ana".to_owned(), HandledResult::Transferred, 18_000, 8_000),
            ("bruno".to_owned(), HandledResult::Finished, 20_000, 0),
        ]
    );
}

#[test]
fn who_comes_pauses_and_goes_is_counted_from_moment_to_moment() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.pass(Duration::from_secs(60));
    scene
        .wish("ana", Wish::Paused("almoco".parse().expect("an id")))
        .expect("a pause");
    scene.pass(Duration::from_secs(60));
    scene.wish("ana", Wish::Offline).expect("an agent");
    let start = scene.start.wall.as_millisecond();
    let seen: Vec<_> = scene
        .facts()
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Present(present) => Some((
                present.at_ms - start,
                present.state,
                present.reason.as_deref(),
            )),
            Fact::Waited(_) | Fact::Handled(_) => None,
        })
        .collect();
    assert_eq!(
        seen,
        [
            (0, Attendance::Available, None),
            (60_000, Attendance::Paused, Some("almoco")),
            (120_000, Attendance::Offline, None),
        ]
    );
}

#[test]
fn a_call_that_died_with_the_program_is_counted_until_the_next_one_knows() {
    let mut scene = Scene::with_target(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.pass(Duration::from_secs(60));
    let mut again = scene.started_later(&[("ana", &["ana-phone"])], Duration::from_secs(5));
    again.until(Duration::from_secs(240));
    let handled = again.spells();
    assert_eq!(handled.len(), 1, "{handled:?}");
    assert_eq!(handled[0].talked_until_ms - handled[0].began_ms, 65_000);
}

//! The program is started again: desks go on from what was kept.

use desk::change::{AgentRecord, PauseReason, Presence, Snapshot};
use desk::id::WorkId;

use super::agents::*;
use super::*;
use crate::voice::Wish;

impl Scene {
    /// What the store would have of the one company.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for kept in &self.kept {
            snapshot.apply(match kept.clone() {
                Kept::Work { record, .. } => desk::change::Change::WorkSaved(record),
                Kept::WorkRemoved(work) => desk::change::Change::WorkRemoved(work),
                Kept::Agent { record, .. } => desk::change::Change::AgentSaved(record),
                Kept::Service(record) => desk::change::Change::ServiceSaved(record),
                Kept::Decision(_)
                | Kept::Fact(_)
                | Kept::Line(_)
                | Kept::Step(_)
                | Kept::Said(_)
                | Kept::Life { .. }
                | Kept::LifeRemoved(_) => continue,
            });
        }
        snapshot
    }

    pub(super) fn late_lines(&self, kind: TrailKind) -> Vec<(String, serde_json::Value)> {
        let lines = self.kept.iter().filter_map(|kept| match kept {
            Kept::Line(line) if line.kind == kind => {
                Some((line.interaction.to_string(), line.detail.clone()))
            }
            _ => None,
        });
        lines.collect()
    }

    /// The same company in a new program, a moment later.
    fn started_again(&self, agents: &[(&str, &[&str])]) -> Scene {
        self.started_later(agents, Duration::from_secs(5))
    }

    /// The same, after so much time.
    pub(super) fn started_later(&self, agents: &[(&str, &[&str])], later: Duration) -> Scene {
        let mut scene = Scene::new(MENU);
        scene.start.wall = self.now.wall;
        scene.pass(later);
        scene
            .voice
            .restore(BTreeMap::from([(company(), self.snapshot())]));
        scene.voice.restore_lives(self.lives());
        scene.staff(agents);
        scene
    }
}

const TEAM: &[(&str, &[&str])] = &[
    ("ana", &["ana-phone"]),
    ("bruno", &["bruno-phone"]),
    ("carla", &["carla-phone"]),
];

/// Puts a customer into the line who is not on the phone.
fn promised(scene: &mut Scene, name: &str) -> WorkId {
    let work: WorkId = name.parse().expect("an id");
    let now = scene.now;
    let at = scene.now.wall.as_millisecond();
    let desk = scene.voice.shared.desk(now, &company()).expect("a desk");
    let waits = desk::work::Work {
        id: work.clone(),
        interaction: format!("i-{name}").parse().expect("an id"),
        medium: desk::record::Medium::Phone,
        service: "sales".parse().expect("an id"),
        contact: None,
        number: None,
        arrived_ms: at,
        priority: desk::work::Priority::default(),
        skills: vec![],
        preferred: None,
    };
    desk.enqueue(now.instant, waits).expect("room");
    desk.ask_callback(now.instant, &work, "+5511999990000".into())
        .expect("it waits");
    let record = desk.work(&work).expect("it waits").clone();
    let known = scene.voice.shared.directory.companies[&company()].clone();
    let call = call::Call::resume(now, &known, &record, &mut scene.voice.shared);
    let call = call.expect("a promise");
    scene.voice.calls.insert(call.key(), call);
    scene.voice.attend(now);
    scene.settle();
    work
}

#[test]
fn places_offers_pauses_wrap_ups_and_promises_outlive_the_process_and_calls_do_not() {
    let mut scene = staffed(TEAM);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.wanted.clear();
    scene.leaves(phone, Party::Peer, None);
    scene.ended(Party::Us);
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    scene.comes("carla");
    let lunch = PauseReason::Chosen("almoco".parse().expect("an id"));
    scene
        .wish("carla", Wish::Paused("almoco".parse().expect("an id")))
        .expect("known");
    scene.line_max(10);
    let first = promised(&mut scene, "first");
    scene.pass(Duration::from_secs(1));
    scene.wanted.clear();
    let second = promised(&mut scene, "second");
    scene.comes("bruno");

    let mut after = scene.started_again(TEAM);
    after.line_max(10);
    let place = |scene: &Scene, work| scene.voice.shared.desks.position(&company(), work);
    assert_eq!(place(&after, &first), Some(1));
    assert_eq!(place(&after, &second), Some(2));
    assert_eq!(after.paused("carla"), Some(lunch));
    assert_eq!(after.doing("ana"), ["wrapping up"]);
    assert_eq!(after.doing("bruno"), [""; 0], "no phone rings any more");
    assert_eq!(after.presence("bruno"), Presence::Available);
    after.until(Duration::from_secs(10));
    let ended = after.details(TrailKind::OfferEnded);
    let expected = serde_json::json!({ "agent": "bruno", "end": "restart" });
    assert_eq!(
        ended,
        [&expected],
        "in the record of the one who was promised a call"
    );
    assert_eq!(after.voice.calls(), 0, "nobody is on the line");
}

#[test]
fn who_waited_on_the_line_is_gone_and_whom_they_talked_with_wraps_up() {
    let mut scene = staffed(TEAM);
    scene.line_max(10);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    let agents: Vec<AgentRecord> = scene.snapshot().agents;
    assert_eq!(agents.len(), 1);

    let mut after = scene.started_again(TEAM);
    assert_eq!(after.doing("ana"), ["wrapping up"]);
    let sales = "sales".parse().expect("an id");
    let line = after.voice.line(after.now, &company(), &sales);
    assert_eq!(line, []);

    // Nobody answered the one who waits: with the process the wait is over.
    let mut scene = staffed(TEAM);
    scene.waits();
    assert_eq!(scene.snapshot().works.len(), 1);
    let mut after = scene.started_again(TEAM);
    assert_eq!(after.voice.line(after.now, &company(), &sales), []);
    let removed = |kept: &Kept| matches!(kept, Kept::WorkRemoved(_));
    assert!(after.kept.iter().any(removed), "the store forgets it too");
}

#[test]
fn who_comes_back_within_the_grace_time_goes_on_and_who_does_not_is_offline() {
    let mut scene = staffed(TEAM);
    scene.comes("ana");
    scene.comes("bruno");
    let mut after = scene.started_again(TEAM);
    let device = "ana-phone".parse().expect("an id");
    after.voice.handle_registered(after.now, &device);
    after.settle();
    after.until(Duration::from_secs(5 + 300));
    assert_eq!(after.presence("ana"), Presence::Available);
    assert_eq!(after.presence("bruno"), Presence::Offline);
}

#[test]
fn why_an_offer_was_made_is_kept_in_the_companys_language() {
    let mut scene = staffed(TEAM);
    scene.comes("ana");
    scene.comes("bruno");
    scene.waits();
    let kept = scene.kept.iter().filter_map(|kept| match kept {
        Kept::Decision(decision) => Some(decision),
        _ => None,
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].slot, 0);
    assert_eq!(
        kept[0].sentence,
        "Vendas, mais tempo ocioso, esperou 0 s · ana: atende, ocioso há 0 s \
         · bruno: livre, depois na ordem, ocioso há 0 s · carla: desconectado"
    );
    let opened = scene.opened.as_ref().expect("a call");
    assert_eq!(kept[0].interaction, opened.id);
}

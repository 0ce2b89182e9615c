//! What agents and supervisors do with work beside the calls.

use desk::disposition::{Action, Disposed, Disposition, Field, FieldKind, ReopenWhen};
use desk::id::WorkId;
use desk::output::DeskError;
use desk::rules::{Overflow, OverflowThen, OverflowWhen, Relax, Targets};
use desk::work::SkillWanted;

use super::agents::*;
use super::*;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

fn tree() -> Vec<Disposition> {
    let code = |name: &str, fields, actions| Disposition {
        id: id(name),
        name: name.to_uppercase(),
        children: vec![],
        fields,
        actions,
    };
    let amount = Field {
        name: "valor".into(),
        required: true,
        kind: FieldKind::Number,
    };
    let again = vec![Action::Reopen(ReopenWhen::AfterMs(60_000))];
    vec![Disposition {
        children: vec![
            code("vendido", vec![amount], vec![]),
            code("depois", vec![], again),
        ],
        ..code("venda", vec![], vec![])
    }]
}

fn disposed(code: &str, amount: Option<&str>) -> Disposed {
    let amount = amount.map(|amount| ("valor".to_owned(), amount.to_owned()));
    Disposed {
        id: id(code),
        fields: amount.into_iter().collect(),
        reopen_ms: None,
        note: "pagou à vista".into(),
    }
}

impl Scene {
    fn only_work(&mut self, name: &str) -> crate::voice::WorkSeen {
        let mut all = self
            .voice
            .work_of(self.now, &company(), &agent(name))
            .expect("an agent");
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    fn dispose(&mut self, name: &str, work: &WorkId, disposed: Disposed) -> Result<(), DeskError> {
        let done = self
            .voice
            .dispose(self.now, &company(), &agent(name), work, disposed);
        self.settle();
        done
    }

    /// Ana has a call in wrap-up of a service that demands a disposition.
    fn wraps_up() -> (Self, WorkId) {
        let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &[])]);
        scene.change(|company| {
            let service = company.services.values_mut().next().expect("one");
            service.rules.wrap_up.mandatory = true;
            service.rules.wrap_up.dispositions = tree();
        });
        scene.comes("ana");
        scene.waits();
        let phone = scene.phone();
        scene.picks_up(phone);
        scene.ended(Party::Peer);
        let work = scene.only_work("ana").work;
        (scene, work)
    }

    /// Something to do waits for the service, with nobody on the line.
    pub(super) fn task(&mut self, name: &str, skills: Vec<SkillWanted>) -> WorkId {
        let now = self.now;
        let work = desk::work::Work {
            id: id(name),
            interaction: id(&format!("i-{name}")),
            medium: desk::record::Medium::Task,
            service: id("sales"),
            contact: None,
            number: None,
            arrived_ms: now.wall.as_millisecond(),
            priority: desk::work::Priority::default(),
            skills,
            preferred: None,
        };
        let desk = self.voice.shared.desk(now, &company()).expect("a desk");
        desk.enqueue(now.instant, work).expect("room");
        self.voice.attend(now);
        self.settle();
        id(name)
    }
}

#[test]
fn an_agent_closes_a_call_with_a_disposition_and_the_trail_says_which() {
    let (mut scene, work) = Scene::wraps_up();
    let seen = scene.only_work("ana");
    assert_eq!(seen.doing, "wrapping up");
    assert_eq!(seen.until_ms, Some(seen.since_ms + 10_000));
    assert!(seen.mandatory && !seen.disposed);
    assert_eq!(seen.dispositions, tree());

    let end = scene
        .voice
        .end_wrap_up(scene.now, &company(), &agent("ana"), &work);
    assert!(matches!(end, Err(DeskError::NotNow { .. })), "{end:?}");
    let missing = scene.dispose("ana", &work, disposed("vendido", None));
    assert!(matches!(missing, Err(DeskError::Disposition(_))));
    let stranger = scene.dispose("bruno", &work, disposed("vendido", Some("9.90")));
    assert_eq!(stranger, Err(DeskError::NotYours));
    scene
        .dispose("ana", &work, disposed("vendido", Some("9.90")))
        .expect("complete");
    assert_eq!(scene.doing("ana"), [""; 0]);

    let began = scene.details(TrailKind::WrapUpBegan);
    assert_eq!(
        (&began[0]["name"], &began[0]["mandatory"]),
        (&"ana".into(), &true.into())
    );
    let finished = scene.late_lines(TrailKind::Finished);
    let opened = scene.opened.as_ref().expect("a call").id.to_string();
    assert_eq!(finished[0].0, opened);
    let detail = &finished[0].1;
    assert_eq!(detail["disposition_name"], "VENDA › VENDIDO");
    assert_eq!(detail["fields"]["valor"], "9.90");
    assert_eq!(detail["note"], "pagou à vista");
}

#[test]
fn a_call_closed_with_a_date_comes_back_as_a_callback_to_the_number_that_called() {
    let (mut scene, work) = Scene::wraps_up();
    scene
        .dispose("ana", &work, disposed("depois", None))
        .expect("complete");
    scene.ended(Party::Us);
    assert!(scene.voice.calls.is_empty(), "the call is over");
    scene.comes("bruno");
    scene.wanted.clear();
    scene.until(Duration::from_secs(60));
    let (rings, ana) = scene.phones().remove(0);
    assert_eq!(rings, "ana-phone", "she knows the customer");
    scene.picks_up(ana);
    let is_dialled = |output: &Output| match output {
        Output::Sip(SipCommand::Dial { dial, .. }) => matches!(
            &dial.target,
            media_engine::sip::call::Target::Trunk { number, .. } if number == "+551140000001"
        ),
        _ => false,
    };
    assert!(scene.wanted.iter().any(is_dialled), "{:?}", scene.wanted);
    assert_eq!(scene.late_lines(TrailKind::Reopened).len(), 1);
    let desk = scene.voice.shared.desk(scene.now, &company()).expect("one");
    let record = desk.work(&work).expect("it waits");
    let callback = record.callback.as_ref().expect("a callback");
    assert_eq!(callback.number, "+551140000001");
}

#[test]
fn a_task_is_taken_or_refused_on_the_screen_and_no_phone_rings_for_it() {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.pass(Duration::from_secs(1));
    scene.comes("bruno");
    let work = scene.task("t1", vec![]);
    assert_eq!(scene.doing("ana"), [""; 0], "no page shows it to her");
    scene.page("ana", true);
    scene.page("bruno", true);
    assert!(scene.phones().is_empty());
    let answer = |scene: &mut Scene, name, takes| {
        let (company, agent, work) = (company(), agent(name), id("t1"));
        let done = scene
            .voice
            .answer_offer(scene.now, &company, &agent, &work, takes);
        scene.settle();
        done
    };
    assert_eq!(scene.only_work("ana").doing, "offered");
    assert_eq!(answer(&mut scene, "bruno", true), Err(DeskError::OfferOver));
    answer(&mut scene, "ana", false).expect("it is offered to her");
    answer(&mut scene, "bruno", true).expect("the next is asked");
    assert_eq!(scene.only_work("bruno").doing, "handling");
    assert_eq!(scene.only_work("bruno").work, work);
    assert_eq!(answer(&mut scene, "bruno", true), Err(DeskError::OfferOver));
    let done = scene
        .voice
        .end_wrap_up(scene.now, &company(), &agent("bruno"), &work);
    done.expect("nobody demands a disposition");
    assert_eq!(scene.doing("bruno"), [""; 0]);
}

#[test]
fn a_phone_that_rings_is_not_taken_on_the_screen_but_refused() {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.pass(Duration::from_secs(1));
    scene.comes("bruno");
    scene.waits();
    let phone = scene.phone();
    let work = scene.only_work("ana").work;
    let taken = scene
        .voice
        .answer_offer(scene.now, &company(), &agent("ana"), &work, true);
    assert!(matches!(taken, Err(DeskError::NotNow { .. })));
    scene
        .voice
        .answer_offer(scene.now, &company(), &agent("ana"), &work, false)
        .expect("it is offered to her");
    scene.settle();
    assert!(hangs_up(&scene, phone.call));
    assert_eq!(scene.phones()[0].0, "bruno-phone");
}

#[test]
fn a_supervisor_sees_the_line_moves_who_waits_forward_and_reads_why_nobody_has_it() {
    let mut scene = staffed(&[("ana", &[])]);
    scene.line_max(10);
    scene.task("t1", vec![]);
    scene.pass(Duration::from_secs(5));
    let second = scene.task("t2", vec![]);
    let sales = id("sales");
    let status = scene.voice.service_status(scene.now, &company(), &sales);
    let status = status.expect("a service");
    assert_eq!(
        (status.waiting, status.longest_ms, status.available),
        (2, 5_000, 0)
    );
    assert_eq!(status.expected_ms, None, "nobody is there");
    scene
        .voice
        .set_work_priority(scene.now, &company(), &second, 1)
        .expect("it waits");
    let line = scene.voice.line(scene.now, &company(), &sales);
    assert_eq!(line[0].work, second);
    let (sentence, decision) = scene
        .voice
        .explain(scene.now, &company(), &second)
        .expect("it waits");
    assert_eq!(
        sentence,
        "Vendas, mais tempo ocioso, esperou 0 s, prioridade 1 · ana: desconectado"
    );
    assert_eq!(decision.work, second);
    let nothing = scene.voice.explain(scene.now, &company(), &id("none"));
    assert_eq!(nothing, None);
}

#[test]
fn who_waits_too_long_moves_on_and_the_trail_says_when_targets_were_missed_and_skills_relaxed() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.change(|company| {
        let other = company.services[&id("sales")].clone();
        let mut other = crate::directory::Service {
            name: "Suporte".into(),
            ..other
        };
        other.wait_limit = Duration::from_secs(600);
        company.services.insert(id("support"), other);
        let service = company.services.get_mut(&id("sales")).expect("one");
        service.wait_limit = Duration::from_secs(600);
        service.rules.targets = Targets {
            answer_ms: Some(10_000),
            ..Targets::default()
        };
        service.rules.relax = vec![Relax {
            after_ms: 20_000,
            by: 1,
        }];
        service.rules.overflow = vec![Overflow {
            when: OverflowWhen::WaitedMs(30_000),
            then: OverflowThen::Service(id("support")),
        }];
        let ana = company.agents.get_mut(&agent("ana")).expect("an agent");
        ana.services = [id("support")].into();
    });
    scene.comes("ana");
    scene.waits();
    assert!(scene.phones().is_empty(), "she does not take its work");
    scene.until(Duration::from_secs(29));
    let missed = scene.details(TrailKind::TargetMissed);
    assert_eq!(
        (&missed[0]["target"], &missed[0]["service_name"]),
        (&"answer".into(), &"Vendas".into())
    );
    assert_eq!(scene.details(TrailKind::SkillsRelaxed).len(), 1);
    scene.until(Duration::from_secs(30));
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.ended(Party::Peer);
    let moved = scene.details(TrailKind::Moved);
    assert_eq!(
        (&moved[0]["from_name"], &moved[0]["to_name"]),
        (&"Vendas".into(), &"Suporte".into())
    );
    let mut services = scene.changes.iter().filter_map(|change| match change {
        Change::InteractionUpdated { update, .. } => update.service.clone(),
        _ => None,
    });
    assert_eq!(services.next_back(), Some(id("support")));
}

#[test]
fn who_calls_the_number_for_the_best_customers_goes_before_who_came_a_moment_earlier() {
    let mut scene = staffed(&[]);
    scene.line_max(10);
    scene.change(|company| {
        let number = company.numbers.get_mut("4000").expect("a number");
        number.priority = 2;
    });
    let early = scene.task("t1", vec![]);
    scene.until(Duration::from_secs(100));
    scene.waits();
    let line = scene.voice.line(scene.now, &company(), &id("sales"));
    assert_eq!(line.len(), 2);
    assert_eq!(line[1].work, early);
}

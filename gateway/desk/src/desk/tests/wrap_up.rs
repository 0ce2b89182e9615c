//! Wrap-up and dispositions.

use std::collections::BTreeMap;

use super::*;
use crate::disposition::{Action, Disposed, Disposition, DispositionError, ReopenWhen};
use crate::rules::WrapUp;

fn tree() -> Vec<Disposition> {
    let leaf = |name: &str, actions| Disposition {
        id: id(name),
        name: name.to_owned(),
        children: vec![],
        fields: vec![],
        actions,
    };
    vec![
        leaf("vendido", vec![Action::Survey("nps".to_owned())]),
        leaf("retornar", vec![Action::Reopen(ReopenWhen::Asked)]),
    ]
}

fn disposed(code: &str, reopen_ms: Option<i64>) -> Disposed {
    Disposed {
        id: id(code),
        fields: BTreeMap::new(),
        reopen_ms,
        note: String::new(),
    }
}

fn talking(medium: Medium, limit_ms: i64, mandatory: bool) -> Floor {
    let mut floor = Floor::new(sales(&["ana", "bruno"], |service| {
        service.wrap_up = WrapUp {
            limit_ms,
            mandatory,
            dispositions: tree(),
        };
    }));
    floor.comes("ana");
    floor.waits(Work {
        medium,
        ..work("w1")
    });
    let offer = floor.offer_of("w1");
    floor.accepts(offer);
    floor.events();
    floor
}

fn dispose(floor: &mut Floor, filled: Disposed) -> Result<(), DeskError> {
    floor.does(|desk, now| desk.dispose(now, &id("w1"), &id("ana"), filled))
}

fn finished(floor: &mut Floor) -> Vec<(Option<Disposed>, Vec<Action>, Option<i64>)> {
    floor
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Output::Finished {
                disposition,
                actions,
                reopens_ms,
                ..
            } => Some((disposition, actions, reopens_ms)),
            _ => None,
        })
        .collect()
}

#[test]
fn wrap_up_keeps_the_agent_until_its_limit() {
    let mut floor = talking(Medium::Phone, 30_000, false);
    floor.leaves("w1");
    assert_eq!(floor.doing("w1"), "wrapping up");
    floor.waits(work("w2"));
    assert_eq!(floor.doing("w2"), "waiting");
    floor.passes(29_999);
    assert_eq!(finished(&mut floor), []);
    floor.passes(1);
    assert_eq!(finished(&mut floor), [(None, vec![], None)]);
    assert_eq!(floor.doing("w2"), "offered");
}

#[test]
fn a_disposition_ends_wrap_up_and_says_what_is_to_be_done() {
    let mut floor = talking(Medium::Phone, 30_000, true);
    floor.leaves("w1");
    let wrong = dispose(&mut floor, disposed("nada", None));
    assert_eq!(
        wrong,
        Err(DeskError::Disposition(DispositionError::Unknown))
    );
    dispose(&mut floor, disposed("vendido", None)).expect("complete");
    let survey = vec![Action::Survey("nps".to_owned())];
    let expected = [(Some(disposed("vendido", None)), survey, None)];
    assert_eq!(finished(&mut floor), expected);
    assert_eq!(floor.doing("w1"), "gone");
}

#[test]
fn a_mandatory_disposition_is_waited_for_and_told_when_it_is_late() {
    let mut floor = talking(Medium::Phone, 30_000, true);
    floor.leaves("w1");
    floor.events();
    floor.passes(3_600_000);
    assert_eq!(
        floor.events(),
        [Output::WrapUpOverdue {
            work: id("w1"),
            agent: id("ana")
        }]
    );
    let refused = floor.does(|desk, now| desk.end_wrap_up(now, &id("w1"), &id("ana")));
    assert!(matches!(refused, Err(DeskError::NotNow { .. })));
    // But nothing stays with an agent who left.
    floor
        .does(|desk, now| desk.log_off(now, &id("ana")))
        .expect("she is there");
    assert_eq!(finished(&mut floor), [(None, vec![], None)]);
}

#[test]
fn a_disposition_during_the_call_is_kept_for_its_end() {
    let mut floor = talking(Medium::Phone, 30_000, true);
    dispose(&mut floor, disposed("vendido", None)).expect("complete");
    assert_eq!(floor.doing("w1"), "handling");
    floor.leaves("w1");
    assert_eq!(floor.doing("w1"), "gone");
    assert_eq!(finished(&mut floor)[0].0, Some(disposed("vendido", None)));
}

#[test]
fn a_written_conversation_leaves_the_screen_with_its_tag() {
    let mut floor = talking(Medium::Chat, 30_000, true);
    dispose(&mut floor, disposed("vendido", None)).expect("complete");
    assert_eq!(floor.doing("w1"), "gone");
    assert_eq!(floor.desk.status(&id("ana")).expect("she is there").load, 0);
}

#[test]
fn reopened_work_comes_back_at_its_date_to_the_same_agent_first() {
    let mut floor = talking(Medium::Email, 0, false);
    floor.comes("bruno");
    let date = START_MS + 3_600_000;
    dispose(&mut floor, disposed("retornar", Some(date))).expect("complete");
    assert_eq!(finished(&mut floor)[0].2, Some(date));
    assert_eq!(floor.doing("w1"), "scheduled");
    floor.passes(3_599_999);
    assert_eq!(floor.events(), []);
    floor.passes(1);
    assert_eq!(floor.offers(), pairs(&[("w1", "ana")]));
    let record = floor.desk.work(&id("w1")).expect("it is back");
    assert_eq!(
        record.work.arrived_ms, date,
        "it does not overtake who waits"
    );
}

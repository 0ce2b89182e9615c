//! What desks go on from, and why they chose.

use desk::change::{
    AgentRecord, Callback, Offer, PauseReason, Presence, ServiceRecord, Wait, WorkRecord, WorkState,
};
use desk::decision::{OfferId, Turn};
use desk::id::{CompanyId, InstanceId, UserId};
use desk::kept::{DecisionKept, Kept, LateLine};
use desk::record::{Medium, TrailKind};
use desk::rules::Routing;
use desk::work::{Priority, Work};
use serde_json::json;
use store::{Store, changes, desks, interactions, services, trail, users};

use crate::agents::service;
use crate::databases::on_both;
use crate::fixtures::{company, id, line, opened, user};

fn work(name: &str, seq: u64, callback: bool) -> WorkRecord {
    WorkRecord {
        work: Work {
            id: id(name),
            interaction: id(&format!("i-{name}")),
            medium: Medium::Phone,
            service: id("sales"),
            contact: None,
            number: Some("+5511999990000".into()),
            arrived_ms: 5,
            priority: Priority::default(),
            skills: vec![],
            preferred: None,
        },
        seq,
        state: WorkState::Offered(vec![Offer {
            id: OfferId(3),
            agent: id("ana"),
            until_ms: 9,
        }]),
        wait: Wait::default(),
        rests: vec![],
        callback: callback.then(|| Callback {
            number: "+5511999990000".into(),
            attempts: 1,
        }),
        about: None,
        disposed: None,
    }
}

fn kept(company: &CompanyId, instance: Option<&InstanceId>, record: &WorkRecord) -> Kept {
    Kept::Work {
        company: company.clone(),
        instance: instance.cloned(),
        record: Box::new(record.clone()),
    }
}

fn agent(user: &UserId, handled: u32) -> AgentRecord {
    AgentRecord {
        id: user.clone(),
        presence: Presence::Paused {
            reason: PauseReason::Chosen(id("almoco")),
            since_ms: 11,
            told: false,
        },
        lost_until_ms: None,
        idle_since_ms: 5,
        handled,
        last_offer: OfferId(7),
        lapses: 0,
    }
}

async fn apply(store: &Store, kept: &[Kept]) {
    let mut db = store.begin().await.unwrap();
    desks::apply(&mut db, kept).await.unwrap();
    db.commit().await.unwrap();
}

on_both! {
    async fn a_desk_goes_on_from_the_last_that_was_kept_of_each(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (ana, root) = (user(store, Some(&a), "ana").await, user(store, None, "root").await);
        services::insert(store.pool(), &service(&a, "sales")).await.unwrap();
        let (here, there): (InstanceId, InstanceId) = (id("here"), id("there"));
        let mut changed = work("w2", 2, false);
        let lasts = |ms| ServiceRecord { id: id("sales"), lasts_ms: vec![Some(ms), None] };
        let at_ms = 12;
        apply(store, &[
            kept(&a, Some(&here), &work("w9", 1, false)),
            kept(&a, Some(&here), &changed),
            kept(&a, Some(&here), &work("gone", 3, false)),
            kept(&a, Some(&there), &work("elsewhere", 4, false)),
            kept(&b, None, &work("nameless", 1, true)),
            Kept::WorkRemoved(id("gone")),
            Kept::WorkRemoved(id("never")),
            Kept::Agent { record: Box::new(agent(&ana, 1)), at_ms },
            Kept::Agent { record: Box::new(agent(&ana, 2)), at_ms },
            Kept::Agent { record: Box::new(agent(&root, 1)), at_ms },
            Kept::Agent { record: Box::new(agent(&id("nobody"), 1)), at_ms },
            Kept::Service(lasts(1)),
            Kept::Service(ServiceRecord { id: id("none"), ..lasts(1) }),
        ]).await;
        changed.state = WorkState::Waiting;
        apply(store, &[kept(&a, Some(&here), &changed), Kept::Service(lasts(2))]).await;

        let mut db = store.begin().await.unwrap();
        let mut found = desks::snapshots(&mut db, &here).await.unwrap();
        db.commit().await.unwrap();
        let of_a = found.remove(&a).unwrap();
        assert_eq!(of_a.works, [work("w9", 1, false), changed]);
        assert_eq!(of_a.agents, [agent(&ana, 2)]);
        assert_eq!(of_a.offer_last, OfferId(7));
        assert_eq!(of_a.services, [lasts(2)]);
        assert_eq!(found.remove(&b).unwrap().works, [work("nameless", 1, true)]);
        assert!(found.is_empty());

        users::delete(store.pool(), Some(&a), &ana).await.unwrap();
        services::delete(store.pool(), &a, &id("sales")).await.unwrap();
        let mut db = store.begin().await.unwrap();
        let found = desks::snapshots(&mut db, &here).await.unwrap();
        assert!(found[&a].agents.is_empty() && found[&a].services.is_empty());
    }
}

on_both! {
    async fn a_callback_keeps_its_interaction_open_where_a_call_dies_with_the_process(store: &Store) {
        let a = company(store, "a").await;
        let here: InstanceId = id("here");
        let mut db = store.begin().await.unwrap();
        let begun = [opened(&a, "i-calls", 1), opened(&a, "i-promised", 2)];
        changes::apply(&mut db, &begun).await.unwrap();
        let works = [
            kept(&a, Some(&here), &work("calls", 1, false)),
            kept(&a, Some(&here), &work("promised", 2, true)),
        ];
        desks::apply(&mut db, &works).await.unwrap();
        db.commit().await.unwrap();
        let mut db = store.begin().await.unwrap();
        assert_eq!(changes::close_left_open(&mut db, &here, 10).await.unwrap(), 1);
        db.commit().await.unwrap();
        let ended = async |name: &str| {
            let found = interactions::by_id(store.pool(), &a, &id(name)).await.unwrap();
            found.unwrap().ended_ms.is_some()
        };
        assert!(ended("i-calls").await && !ended("i-promised").await);
    }
}

on_both! {
    async fn decisions_are_read_by_their_interaction_and_bounded_by_their_slots(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let decided = |slot: u32, at_ms: i64| {
            Kept::Decision(Box::new(DecisionKept {
                company: a.clone(),
                interaction: id("i-w1"),
                slot,
                decision: desk::decision::Decision {
                    work: id("w1"),
                    service: id("sales"),
                    at_ms,
                    routing: Routing::LongestIdle,
                    turn: Turn { waited_ms: 1, points: 0, weight: 1, relaxed: Some(0) },
                    considered: vec![],
                    more: 0,
                },
                sentence: format!("às {at_ms}"),
            }))
        };
        apply(store, &[decided(1, 20), decided(0, 10), decided(1, 30)]).await;
        apply(store, &[decided(0, 40), decided(0, 40)]).await;
        let read = async |company| {
            let found = desks::decisions(store.pool(), company, &id("i-w1")).await.unwrap();
            found.into_iter().map(|one| one.sentence).collect::<Vec<_>>()
        };
        assert_eq!(read(&a).await, ["às 30", "às 40"]);
        assert_eq!(read(&b).await, [""; 0]);
    }
}

on_both! {
    async fn a_late_line_stands_behind_all_others_once(store: &Store) {
        let a = company(store, "a").await;
        let mut db = store.begin().await.unwrap();
        changes::apply(&mut db, &[opened(&a, "one", 1), line(&id("one"), 4, 2)]).await.unwrap();
        db.commit().await.unwrap();
        let late = |at_ms| Kept::Line(LateLine {
            interaction: id("one"),
            at_ms,
            kind: TrailKind::Offered,
            detail: json!({ "agent": "ana" }),
        });
        apply(store, &[late(7), late(8), late(7)]).await;
        apply(store, &[late(8)]).await;
        let lines = trail::list(store.pool(), &a, &id("one"), 0, 500).await.unwrap();
        let lines: Vec<_> = lines.iter().map(|line| (line.seq, line.at_ms)).collect();
        assert_eq!(lines, [(4, 2), (5, 7), (6, 8)]);
    }
}

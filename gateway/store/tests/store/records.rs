//! Interactions, trail, voice messages: written by the writer.

use desk::id::{CompanyId, InstanceId, InteractionId};
use desk::record::{
    Change, EndedBy, InteractionEnd, InteractionState, InteractionUpdate, Quality, QualityPoint,
    TrailEntry, TrailKind, VoiceMessageLeft,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use store::interactions::{Filter, Interaction, Position};
use store::writer::{LINGER, SaveError};
use store::{Page, Store, Writer, changes, interactions, trail, voice_messages};

use crate::databases::{Postgres, Sqlite, on_both};
use crate::fixtures::{an_entry, company, id, line, opened};

fn ended(interaction: &InteractionId, by: EndedBy, ended_ms: i64) -> Change {
    let quality = Quality {
        packets_received: 500,
        packets_sent: 501,
        packets_lost: 1,
        packets_lost_by_peer: None,
        jitter_ms: 0.25,
        round_trip_ms: Some(12.0),
        mos: Some(4.4),
        mos_at_peer: None,
        course: vec![QualityPoint {
            loss: 0.25,
            jitter_ms: 3.5,
            round_trip_ms: None,
            mos: Some(3.25),
        }],
        course_every_ms: 5_000,
    };
    Change::InteractionEnded {
        interaction: interaction.clone(),
        update: Box::default(),
        trail: vec![],
        end: Box::new(InteractionEnd {
            ended_ms,
            by,
            cause: "hung_up".into(),
            sip_status: Some(200),
            quality: Some(quality),
        }),
    }
}

fn updated(interaction: &InteractionId) -> Change {
    Change::InteractionUpdated {
        interaction: interaction.clone(),
        update: Box::new(InteractionUpdate {
            state: Some(InteractionState::Waiting),
            flow: Some((id("menu"), 3)),
            contact: Some(id("maria")),
            agent: Some(id("ana")),
            service: Some(id("sales")),
            answered_ms: Some(11),
            queued_ms: Some(20),
            codec: Some("PCMA".into()),
        }),
        trail: vec![],
    }
}

on_both! {
    async fn a_call_is_remembered_from_its_begin_to_its_end(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (writer, task) = Writer::start(store.clone());
        let call: InteractionId = id("call");
        let given = writer.save(vec![opened(&a, "call", 10), line(&call, 0, 10)]).await.unwrap();
        assert_eq!((&given[0].interaction, given[0].number.as_str()), (&call, "20261122000001"));
        writer.save(vec![updated(&call), line(&call, 1, 21)]).await.unwrap();
        let partly = InteractionUpdate { codec: Some("opus".into()), ..Default::default() };
        let partly = Change::InteractionUpdated { interaction: call.clone(), update: Box::new(partly), trail: vec![] };
        writer.save(vec![partly]).await.unwrap();
        writer.save(vec![ended(&call, EndedBy::Customer, 30)]).await.unwrap();

        let found = interactions::by_id(store.pool(), &a, &call).await.unwrap().unwrap();
        assert_eq!(found.state, InteractionState::Ended);
        assert_eq!((found.flow, found.flow_version), (Some(id("menu")), Some(3)));
        assert_eq!((found.answered_ms, found.queued_ms, found.ended_ms), (Some(11), Some(20), Some(30)));
        assert_eq!((found.codec.as_deref(), found.ended_by), (Some("opus"), Some(EndedBy::Customer)));
        assert_eq!((found.contact, found.agent), (Some(id("maria")), Some(id("ana"))));
        assert_eq!((found.sip_status, found.quality.unwrap().mos), (Some(200), Some(4.4)));
        assert_eq!(found.from_name, "Conceição");
        assert!(interactions::by_id(store.pool(), &b, &call).await.unwrap().is_none());
        let by_protocol = |company| interactions::by_protocol(store.pool(), company, "20261122000001");
        assert!(by_protocol(&a).await.unwrap().is_some());
        assert!(by_protocol(&b).await.unwrap().is_none());

        let lines = trail::list(store.pool(), &a, &call, 0, 100).await.unwrap();
        assert_eq!(lines.iter().map(|line| (line.seq, line.at_ms)).collect::<Vec<_>>(), [(0, 10), (1, 21)]);
        assert_eq!(lines[0].kind, TrailKind::KeyPressed);
        assert_eq!(trail::list(store.pool(), &a, &call, 1, 100).await.unwrap().len(), 1);
        assert!(trail::list(store.pool(), &b, &call, 0, 100).await.unwrap().is_empty());
        drop(writer);
        task.await.unwrap();
    }
}

on_both! {
    async fn an_end_brings_what_was_not_told_before_and_lines_stay_apart(store: &Store) {
        let a = company(store, "a").await;
        let (writer, _task) = Writer::start(store.clone());
        let call: InteractionId = id("call");
        writer.save(vec![opened(&a, "call", 10)]).await.unwrap();
        let together = Change::InteractionUpdated {
            interaction: call.clone(),
            update: Box::default(),
            trail: vec![an_entry(0, 10), an_entry(1, 11), an_entry(2, 12)],
        };
        writer.save(vec![together.clone(), line(&call, 3, 13)]).await.unwrap();
        writer.save(vec![together]).await.unwrap();
        let Change::InteractionEnded { interaction, end, .. } = ended(&call, EndedBy::Customer, 30) else {
            panic!("an end");
        };
        let update = InteractionUpdate { answered_ms: Some(11), codec: Some("PCMA".into()), ..Default::default() };
        let trail = vec![an_entry(4, 29), an_entry(5, 30)];
        writer.save(vec![Change::InteractionEnded { interaction, update: Box::new(update), end, trail }]).await.unwrap();

        let found = interactions::by_id(store.pool(), &a, &call).await.unwrap().unwrap();
        assert_eq!((found.answered_ms, found.codec.as_deref(), found.ended_ms), (Some(11), Some("PCMA"), Some(30)));
        let lines = trail::list(store.pool(), &a, &call, 0, 100).await.unwrap();
        let expected = (0..4).map(|n| an_entry(n, 10 + i64::from(n))).chain([an_entry(4, 29), an_entry(5, 30)]);
        assert_eq!(lines, expected.collect::<Vec<_>>());
        let rest = trail::list(store.pool(), &a, &call, 1, 1).await.unwrap();
        assert_eq!(rest.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2], "the rest of one row");
    }
}

on_both! {
    async fn saving_everything_twice_is_saving_it_once(store: &Store) {
        let a = company(store, "a").await;
        let (writer, _task) = Writer::start(store.clone());
        let call: InteractionId = id("call");
        let all = vec![
            opened(&a, "call", 10),
            line(&call, 0, 10),
            updated(&call),
            Change::VoiceMessageLeft(Box::new(VoiceMessageLeft {
                id: id("vm"),
                company: a.clone(),
                interaction: call.clone(),
                service: None,
                file: "ab".repeat(32),
                bytes: 99,
                duration_ms: 3000,
                left_ms: 25,
            })),
            ended(&call, EndedBy::Customer, 30),
        ];
        let first = writer.save(all.clone()).await.unwrap();
        let once = interactions::by_id(store.pool(), &a, &call).await.unwrap();
        let second = writer.save(all).await.unwrap();
        assert_eq!(first, second);
        let late = vec![updated(&call), ended(&call, EndedBy::Network, 99)];
        writer.save(late).await.unwrap();
        assert_eq!(interactions::by_id(store.pool(), &a, &call).await.unwrap(), once);
        assert_eq!(trail::list(store.pool(), &a, &call, 0, 9).await.unwrap().len(), 1);

        let page = Page::first();
        let left = voice_messages::list(store.pool(), &a, true, &page).await.unwrap();
        assert_eq!((left.len(), left[0].duration_ms), (1, 3000));
        assert!(voice_messages::heard(store.pool(), &a, &left[0].id, 40).await.unwrap());
        assert!(!voice_messages::heard(store.pool(), &a, &left[0].id, 50).await.unwrap());
        assert!(voice_messages::list(store.pool(), &a, true, &page).await.unwrap().is_empty());
        let heard = voice_messages::by_id(store.pool(), &a, &left[0].id).await.unwrap().unwrap();
        assert_eq!(heard.heard_ms, Some(40));

        let next = writer.save(vec![opened(&a, "next", 40)]).await.unwrap();
        assert!(next[0].number > first[0].number, "{next:?}");
    }
}

on_both! {
    async fn notes_are_written_with_the_next_save_or_soon_or_at_the_end(store: &Store) {
        let a = company(store, "a").await;
        let (writer, task) = Writer::start(store.clone());
        let call: InteractionId = id("call");
        let lines = async || trail::list(store.pool(), &a, &call, 0, 100).await.unwrap().len();
        writer.note(vec![opened(&a, "call", 1), line(&call, 0, 1)]).unwrap();
        writer.save(vec![line(&call, 1, 2)]).await.unwrap();
        assert_eq!(lines().await, 2, "what came before a save is saved with it");

        writer.note(vec![line(&call, 2, 3)]).unwrap();
        while lines().await < 3 {
            tokio::time::sleep(LINGER).await;
        }

        writer.note(vec![line(&call, 3, 4)]).unwrap();
        drop(writer);
        task.await.unwrap();
        assert_eq!(lines().await, 4, "the writer stops when all is written");
    }
}

on_both! {
    async fn calls_that_open_at_once_get_different_protocol_numbers(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        // Two writers, as two processes on one database would have.
        let writers = [Writer::start(store.clone()).0, Writer::start(store.clone()).0];
        let mut pending = vec![];
        for n in 0..200 {
            let company = if n % 4 == 0 { &b } else { &a };
            let change = opened(company, &format!("call{n}"), n);
            pending.push(writers[usize::from(n % 2 == 0)].hand_over(vec![change]).unwrap());
        }
        for save in pending {
            save.wait().await.unwrap();
        }
        for (company, count) in [(&a, 150), (&b, 50)] {
            let calls = interactions::list(store.pool(), company, &Filter::default(), 500).await.unwrap();
            let mut numbers: Vec<_> = calls.into_iter().map(|call| call.protocol).collect();
            numbers.sort();
            let expected: Vec<_> = (1..=count).map(|n| desk::record::protocol(20_261_122, n)).collect();
            assert_eq!(numbers, expected);
        }
    }
}

on_both! {
    async fn a_refused_save_does_not_take_its_group_with_it(store: &Store) {
        let a = company(store, "a").await;
        let (writer, _task) = Writer::start(store.clone());
        let nobody = id("nobody");
        let good = writer.hand_over(vec![opened(&a, "good", 1)]).unwrap();
        // Its line would be taken; its company is none.
        let bad = vec![opened(&a, "half", 1), line(&id("half"), 0, 1), opened(&nobody, "bad", 1)];
        let bad = writer.hand_over(bad).unwrap();
        writer.note(vec![line(&id("good"), 0, 1)]).unwrap();
        let also = writer.hand_over(vec![opened(&a, "also", 1)]).unwrap();
        let given = [good.wait().await.unwrap(), also.wait().await.unwrap()].concat();
        let given: Vec<_> = given.iter().map(|given| (given.interaction.as_str(), given.number.as_str())).collect();
        assert_eq!(given, [("good", "20261122000001"), ("also", "20261122000002")]);
        assert!(matches!(bad.wait().await, Err(SaveError::Refused(store::Error::Reference))));
        let calls = interactions::list(store.pool(), &a, &Filter::default(), 9).await.unwrap();
        assert_eq!(calls.len(), 2, "all or none of a save");
        let (lines,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM trail").fetch_one(store.pool()).await.unwrap();
        assert_eq!(lines, 1, "the line of the good one");
    }
}

on_both! {
    async fn what_a_crash_left_open_is_closed_as_such(store: &Store) {
        let a = company(store, "a").await;
        let (writer, _task) = Writer::start(store.clone());
        let (open, over): (InteractionId, InteractionId) = (id("open"), id("over"));
        writer.save(vec![opened(&a, "open", 10), line(&open, 0, 10), line(&open, 1, 25)]).await.unwrap();
        writer.save(vec![opened(&a, "bare", 12)]).await.unwrap();
        writer.save(vec![opened(&a, "over", 10), ended(&over, EndedBy::Customer, 20)]).await.unwrap();
        for (call, instance) in [("ours", "one"), ("theirs", "two")] {
            let Change::InteractionOpened(mut begun) = opened(&a, call, 10) else {
                panic!("an opening");
            };
            begun.instance = Some(id(instance));
            writer.save(vec![Change::InteractionOpened(begun)]).await.unwrap();
        }

        let one: InstanceId = id("one");
        let mut db = store.begin().await.unwrap();
        assert_eq!(changes::close_left_open(&mut db, &one, 100).await.unwrap(), 3);
        assert_eq!(changes::close_left_open(&mut db, &one, 100).await.unwrap(), 0);
        db.commit().await.unwrap();
        for (call, state) in [("ours", InteractionState::Ended), ("theirs", InteractionState::Ringing)] {
            let found = interactions::by_id(store.pool(), &a, &id(call)).await.unwrap().unwrap();
            assert_eq!(found.state, state, "{call}");
        }

        let found = interactions::by_id(store.pool(), &a, &open).await.unwrap().unwrap();
        assert_eq!((found.ended_by, found.ended_ms), (Some(EndedBy::Restart), Some(25)));
        assert_eq!(found.cause.as_deref(), Some("closed_by_restart"));
        let lines = trail::list(store.pool(), &a, &open, 2, 9).await.unwrap();
        assert_eq!((lines[0].seq, lines[0].kind, lines[0].at_ms), (2, TrailKind::Ended, 100));
        let bare = interactions::by_id(store.pool(), &a, &id("bare")).await.unwrap().unwrap();
        assert_eq!(bare.ended_ms, Some(12));
        let over = interactions::by_id(store.pool(), &a, &over).await.unwrap().unwrap();
        assert_eq!(over.ended_by, Some(EndedBy::Customer));
    }
}

on_both! {
    async fn records_are_found_by_what_people_ask_for(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (writer, _task) = Writer::start(store.clone());
        for n in 0..25 {
            // Pairs begin in the same millisecond.
            writer.save(vec![opened(&a, &format!("call{n:02}"), n / 2)]).await.unwrap();
        }
        writer.save(vec![opened(&b, "other", 5), updated(&id("call07"))]).await.unwrap();
        let count = |filter: Filter| {
            let (store, a) = (store.clone(), a.clone());
            async move { interactions::list(store.pool(), &a, &filter, 500).await.unwrap().len() }
        };
        assert_eq!(count(Filter::default()).await, 25);
        assert_eq!(count(Filter { from_ms: Some(2), until_ms: Some(4), ..Default::default() }).await, 4);
        assert_eq!(count(Filter { service: Some(id("sales")), ..Default::default() }).await, 1);
        assert_eq!(count(Filter { number: Some(id("n")), ..Default::default() }).await, 0);
        let waiting = Some(InteractionState::Waiting);
        assert_eq!(count(Filter { state: waiting, ..Default::default() }).await, 1);
        let protocol = Some("2026112200002".into());
        assert_eq!(count(Filter { protocol, ..Default::default() }).await, 6);
        assert_eq!(count(Filter { text: Some("99999".into()), ..Default::default() }).await, 25);
        assert_eq!(count(Filter { text: Some("CONCEI".into()), ..Default::default() }).await, 25);
        assert_eq!(count(Filter { text: Some("%".into()), ..Default::default() }).await, 0);

        let mut filter = Filter::default();
        let mut seen = vec![];
        loop {
            let part = interactions::list(store.pool(), &a, &filter, 7).await.unwrap();
            let Some(last) = part.last() else { break };
            filter.before = Some(Position { started_ms: last.started_ms, id: last.id.clone() });
            seen.extend(part.into_iter().map(|call| call.id.to_string()));
        }
        let expected: Vec<_> = (0..25).rev().map(|n| format!("call{n:02}")).collect();
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn when_the_disk_does_not_keep_up_saves_are_refused_and_not_hoarded() {
    let database = Sqlite::new();
    let store = Store::open(&database.url()).await.unwrap();
    let a = company(&store, "a").await;
    let (writer, _task) = Writer::start(store.clone());
    let busy = store.begin().await.unwrap();
    let mut pending = vec![];
    let refused = loop {
        let change = opened(&a, &format!("call{}", pending.len()), 1);
        match writer.hand_over(vec![change]) {
            Ok(save) => pending.push(save),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, SaveError::Overloaded));
    drop(busy);
    for save in pending {
        save.wait().await.unwrap();
    }
    writer.save(vec![opened(&a, "after", 1)]).await.unwrap();
}

#[tokio::test]
async fn saves_wait_for_a_postgresql_that_drops_its_connections() {
    let Some(database) = Postgres::new() else {
        return;
    };
    let store = Store::open(&database.url()).await.unwrap();
    let a = company(&store, "a").await;
    let (writer, _task) = Writer::start(store.clone());
    let other = Store::open(&database.url()).await.unwrap();
    for round in 0..20 {
        let calls = (0..50).map(|n| vec![opened(&a, &format!("call{round}-{n}"), 1)]);
        let saves: Vec<_> = calls.map(|call| writer.hand_over(call).unwrap()).collect();
        // Whether it finds any to end does not matter: the rounds differ.
        let _ = sqlx::query(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(other.pool())
        .await;
        for save in saves {
            save.wait().await.unwrap();
        }
    }
    let (calls,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM interactions")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(calls, 1000);
}

on_both! {
    async fn a_group_of_changes_has_the_outcome_of_one_by_one(store: &Store) {
        let a = company(store, "a").await;
        for seed in 0..20 {
            let mut db = store.begin().await.unwrap();
            changes::apply(&mut db, &some_changes(&a, "group", seed)).await.unwrap();
            for change in some_changes(&a, "alone", seed) {
                changes::apply(&mut db, [&change]).await.unwrap();
            }
            db.commit().await.unwrap();
            for call in 0..CALLS {
                let group = outcome(store, &a, &format!("group-{seed}-{call}")).await;
                let alone = outcome(store, &a, &format!("alone-{seed}-{call}")).await;
                assert_eq!(group, alone, "seed {seed}, call {call}");
            }
        }
    }
}

/// So few calls that a hundred changes meet on each.
const CALLS: u32 = 3;

/// Changes of a few calls in any order, as no machine would emit them.
fn some_changes(company: &CompanyId, prefix: &str, seed: u64) -> Vec<Change> {
    let mut random = SmallRng::seed_from_u64(seed);
    let call = |n: u32| -> InteractionId { id(&format!("{prefix}-{seed}-{n}")) };
    let mut changes: Vec<_> = (0..CALLS)
        .map(|n| opened(company, call(n).as_str(), i64::from(n)))
        .collect();
    for n in 0..100 {
        let call = call(random.random_range(0..CALLS));
        let some = |random: &mut SmallRng| random.random_bool(0.3);
        changes.push(match random.random_range(0..20) {
            0 => opened(company, call.as_str(), n),
            1 => ended(&call, EndedBy::Network, n),
            2..10 => line(&call, random.random_range(0..40), n),
            _ => Change::InteractionUpdated {
                interaction: call,
                update: Box::new(InteractionUpdate {
                    state: some(&mut random).then_some(InteractionState::Flow),
                    flow: some(&mut random).then(|| (id("menu"), 3)),
                    service: some(&mut random).then(|| id(&format!("service{n}"))),
                    contact: some(&mut random).then(|| id(&format!("contact{n}"))),
                    agent: some(&mut random).then(|| id(&format!("agent{n}"))),
                    answered_ms: some(&mut random).then_some(n),
                    queued_ms: some(&mut random).then_some(n),
                    codec: some(&mut random).then(|| format!("codec{n}")),
                }),
                trail: vec![],
            },
        });
    }
    changes
}

/// All that is remembered of a call but what must differ.
async fn outcome(store: &Store, company: &CompanyId, call: &str) -> (Interaction, Vec<TrailEntry>) {
    let call: InteractionId = id(call);
    let mut found = interactions::by_id(store.pool(), company, &call)
        .await
        .unwrap()
        .unwrap();
    found.id = id("any");
    found.protocol.clear();
    (
        found,
        trail::list(store.pool(), company, &call, 0, 100)
            .await
            .unwrap(),
    )
}

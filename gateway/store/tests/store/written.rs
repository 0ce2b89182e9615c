//! What is written: receipts, conversations, messages, and what webhooks are told.

use desk::id::{CompanyId, ConversationId, InteractionId, ServiceId};
use desk::kept::{Kept, LateLine, Said, Standing, Step};
use desk::record::{
    Change, Direction, EndedBy, InteractionEnd, InteractionOpened, InteractionState,
    InteractionUpdate, Medium, TrailKind,
};
use serde_json::{Value, json};
use store::channels::Channel;
use store::conversations::{self, Newcomer};
use store::deliveries::{self, Filter, Of};
use store::messages::{self, Message};
use store::receipts::{self, Known, Receipt};
use store::services::Service;
use store::{Store, Writer, channels, desks, interactions, lives, services, trail};

use crate::databases::on_both;
use crate::fixtures::{company, id, opened};

pub(crate) async fn channel(store: &Store, company: &CompanyId, webhook: Option<&str>) -> Channel {
    let service: ServiceId = id("support");
    let row = Service {
        id: service.clone(),
        company: company.clone(),
        name: "Suporte".into(),
        wait_limit_s: 60,
        waiting_max: None,
        music_prompt: None,
        announcements: vec![],
        say_position: false,
        unanswered_prompt: None,
        calendar: None,
        ring_s: 15,
        wrap_up_s: 0,
        rules: Default::default(),
        calls: Default::default(),
        recording_notice: None,
        survey: None,
        caller_number: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    };
    services::insert(store.pool(), &row).await.unwrap();
    let channel = Channel {
        id: id("erp"),
        company: company.clone(),
        kind: "generic".into(),
        name: "ERP".into(),
        service,
        settings: json!({}),
        webhook: webhook.map(str::to_owned),
        webhook_gone_ms: None,
        transcripts_by: None,
        secrets: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    };
    channels::insert(store.pool(), &channel).await.unwrap();
    channel
}

pub(crate) fn line(interaction: &str, at_ms: i64, kind: TrailKind, detail: Value) -> LateLine {
    LateLine {
        interaction: id(interaction),
        at_ms,
        kind,
        detail,
    }
}

fn step(interaction: &str, at_ms: i64, kind: TrailKind, state: InteractionState) -> Step {
    let update = InteractionUpdate {
        state: Some(state),
        ..InteractionUpdate::default()
    };
    Step::open(line(interaction, at_ms, kind, json!({})), update)
}

pub(crate) fn ended(interaction: &str, at_ms: i64) -> Step {
    let end = InteractionEnd {
        ended_ms: at_ms,
        by: EndedBy::Agent,
        cause: "closed".into(),
        sip_status: None,
        quality: None,
    };
    Step {
        standing: Standing::Ended(Box::new(end)),
        ..step(
            interaction,
            at_ms,
            TrailKind::Ended,
            InteractionState::Talking,
        )
    }
}

fn written(company: &CompanyId, interaction: &str) -> InteractionOpened {
    let Change::InteractionOpened(opened) = opened(company, interaction, 5) else {
        unreachable!()
    };
    InteractionOpened {
        medium: Medium::Chat,
        instance: Some(id("here")),
        ..*opened
    }
}

/// A conversation with an open interaction.
pub(crate) async fn begun(store: &Store, company: &CompanyId, interaction: &str) -> ConversationId {
    let mut db = store.begin().await.unwrap();
    let newcomer = Newcomer {
        id: &id("talk"),
        company,
        channel: &id("erp"),
        thread: "TT-1",
        now_ms: 5,
    };
    let talk = conversations::next(&mut *db, &newcomer).await.unwrap();
    let arrived = step(
        interaction,
        5,
        TrailKind::Arrived,
        InteractionState::Waiting,
    );
    let opened = written(company, interaction);
    let number = conversations::open(&mut db, &talk.id, &opened, arrived)
        .await
        .unwrap();
    assert_eq!(number, "20261122000001");
    db.commit().await.unwrap();
    talk.id
}

pub(crate) async fn keep(store: &Store, kept: &[Kept]) {
    let mut db = store.begin().await.unwrap();
    desks::apply(&mut db, kept).await.unwrap();
    db.commit().await.unwrap();
}

async fn state(store: &Store, company: &CompanyId, interaction: &str) -> interactions::Interaction {
    let found = interactions::by_id(store.pool(), company, &id(interaction)).await;
    found.unwrap().unwrap()
}

on_both! {
    async fn a_receipt_is_there_until_something_is_made_of_it(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let receipt = |name: &str| Receipt {
            id: id(name),
            channel: id("erp"),
            instance: id("here"),
            body: vec![0, 159, 146, 150],
            received_ms: 7,
        };
        let all: Vec<Receipt> = (0..70).rev().map(|n| receipt(&format!("r{n:02}"))).collect();
        let mut db = store.begin().await.unwrap();
        receipts::insert(&mut db, &all, 1).await.unwrap();
        db.commit().await.unwrap();
        let open = receipts::open(store.pool(), &id("here"), 500).await.unwrap();
        assert_eq!(open, all);
        assert_eq!(receipts::open(store.pool(), &id("elsewhere"), 500).await.unwrap(), []);
        receipts::done(store.pool(), &id("r69"), 9, Some("unreadable")).await.unwrap();
        let open = receipts::open(store.pool(), &id("here"), 500).await.unwrap();
        assert_eq!(open, all[1..]);
        assert_eq!(receipts::next_seq(store.pool(), &id("here")).await.unwrap(), 71);
        assert_eq!(receipts::next_seq(store.pool(), &id("elsewhere")).await.unwrap(), 1);
        assert_eq!(receipts::forget(store.pool(), 9).await.unwrap(), 0);
        assert_eq!(receipts::forget(store.pool(), 10).await.unwrap(), 1);
    }
}

on_both! {
    async fn what_comes_under_a_key_again_is_known(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let mut db = store.begin().await.unwrap();
        let known = |hash: &str, message: &str| Known { hash: hash.into(), message: id(message) };
        let first = known("h1", "m1");
        assert_eq!(receipts::take_in(&mut db, &id("erp"), "k", &first).await.unwrap(), None);
        let again = receipts::take_in(&mut db, &id("erp"), "k", &known("h2", "m2")).await.unwrap();
        assert_eq!(again, Some(first));
        assert_eq!(receipts::take_in(&mut db, &id("erp"), "l", &known("h2", "m2")).await.unwrap(), None);
    }
}

on_both! {
    async fn a_conversation_counts_its_messages_and_keeps_their_order(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let talk = begun(store, &company, "i1").await;
        let stranger = conversations::next_of(store.pool(), &id("b"), &id("i1")).await.unwrap();
        assert_eq!(stranger, None);
        for seq in [2, 3] {
            let mut db = store.begin().await.unwrap();
            let next = conversations::next_of(&mut *db, &company, &id("i1")).await.unwrap().unwrap();
            assert_eq!((next.seq, next.id == talk), (seq, true));
            let message = Message {
                id: id(&format!("m{seq}")),
                company: company.clone(),
                conversation: next.id,
                seq,
                interaction: id("i1"),
                direction: Direction::Outbound,
                author: json!({ "kind": "agent" }),
                content: json!({ "kind": "text", "text": "Olá" }),
                client_id: Some(format!("c{seq}")),
                external_id: None,
                reply_to: None,
                sent_ms: None,
                at_ms: 8,
                state: Some("queued".into()),
                failure: None,
                reactions: None,
                edits: None,
                revoked_ms: None,
            };
            messages::insert(&mut *db, &message).await.unwrap();
            db.commit().await.unwrap();
        }
        let pool = store.pool();
        let listed = messages::list(pool, &company, &id("i1"), 2, 10).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.seq).collect::<Vec<_>>(), [3]);
        let same = messages::by_client_id(pool, &company, &id("i1"), "c3").await.unwrap();
        assert_eq!(same.unwrap(), listed[0]);
        let mut db = store.begin().await.unwrap();
        for (to, failure) in [("accepted", None), ("failed", Some(json!({})))] {
            let step = ("queued", to);
            messages::advance(&mut db, &listed[0], step, failure.as_ref(), 9).await.unwrap();
        }
        db.commit().await.unwrap();
        let now = messages::by_id(pool, &company, &id("m3")).await.unwrap().unwrap();
        assert_eq!((now.state.as_deref(), now.failure), (Some("accepted"), None));
    }
}

on_both! {
    async fn a_written_interaction_ends_once_and_may_come_back(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        begun(store, &company, "i1").await;
        let talks = step("i1", 6, TrailKind::AgentAnswered, InteractionState::Talking);
        let talks = Step {
            update: InteractionUpdate { answered_ms: Some(6), agent: Some(id("ana")), ..talks.update },
            ..talks
        };
        let end = Kept::Step(Box::new(ended("i1", 7)));
        let later = Kept::Step(Box::new(ended("i1", 8)));
        keep(store, &[Kept::Step(Box::new(talks)), end.clone(), end, later]).await;
        let now = state(store, &company, "i1").await;
        assert_eq!((now.state, now.ended_ms), (InteractionState::Ended, Some(7)));
        assert_eq!((now.cause.as_deref(), now.agent), (Some("closed"), Some(id("ana"))));
        let none = conversations::next_of(store.pool(), &company, &id("i1")).await.unwrap();
        assert_eq!(none, None);

        let back = step("i1", 9, TrailKind::Reopened, InteractionState::Waiting);
        keep(store, &[Kept::Step(Box::new(back))]).await;
        let now = state(store, &company, "i1").await;
        assert_eq!((now.state, now.ended_ms, now.cause), (InteractionState::Waiting, None, None));
        assert_eq!(now.protocol, "20261122000001");
        let told = trail::list(store.pool(), &company, &id("i1"), 0, 100).await.unwrap();
        let kinds: Vec<_> = told.iter().map(|line| (line.seq, line.kind)).collect();
        // Said twice it stands once; the second end changed nothing and is in the trail.
        let expected = [
            TrailKind::Arrived, TrailKind::AgentAnswered, TrailKind::Ended, TrailKind::Ended,
            TrailKind::Reopened,
        ];
        assert_eq!(kinds, (0..).zip(expected).collect::<Vec<_>>());
    }
}

on_both! {
    async fn what_is_written_outlives_the_process_and_is_found_again(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        begun(store, &company, "i1").await;
        let mut db = store.begin().await.unwrap();
        assert_eq!(store::changes::close_left_open(&mut db, &id("here"), 9).await.unwrap(), 0);
        db.commit().await.unwrap();
        let left = conversations::without_work(store.pool(), &id("here")).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].interaction, id::<InteractionId>("i1"));
        let left = conversations::without_work(store.pool(), &id("elsewhere")).await.unwrap();
        assert_eq!(left, []);
    }
}

on_both! {
    async fn two_who_write_to_one_trail_at_once_both_get_a_place(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, Some("https://erp.example/hook")).await;
        begun(store, &company, "i1").await;
        let (writer, writing) = Writer::start(store.clone());
        let mut all = vec![];
        for n in 0..20 {
            let detail = json!({ "message": format!("m{n}"), "seq": n });
            let kept = vec![Kept::Line(line("i1", 6, TrailKind::MessageSent, detail.clone()))];
            let here = Kept::Line(line("i1", 7, TrailKind::MessageSent, detail));
            let (store, pending) = (store.clone(), writer.keep(kept).unwrap());
            all.push(tokio::spawn(async move {
                keep(&store, &[here]).await;
                pending.wait().await.unwrap();
            }));
        }
        for one in all {
            one.await.unwrap();
        }
        drop(writer);
        writing.await.unwrap();
        let lines = trail::list(store.pool(), &company, &id("i1"), 0, 100).await.unwrap();
        assert_eq!(lines.len(), 41);
        let erp = Of::Channel(id("erp"));
        let (whose, all) = ((&company, &erp), Filter::default());
        let told = deliveries::list(store.pool(), whose, &all, None, 100).await.unwrap();
        assert_eq!(told.len(), 41);
    }
}

on_both! {
    async fn what_nobody_wrote_stands_in_the_conversation_until_it_is_over(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        begun(store, &company, "i1").await;
        let said = |message: &str, at_ms| Kept::Said(Box::new(Said {
            id: id(message),
            company: id("a"),
            interaction: id("i1"),
            at_ms,
            author: json!({ "kind": "system" }),
            content: json!({ "kind": "text", "text": "Olá" }),
            purpose: "greeting",
        }));
        let end = Kept::Step(Box::new(ended("i1", 7)));
        keep(store, &[said("m2", 6), end, said("m3", 8)]).await;
        let listed = messages::list(store.pool(), &company, &id("i1"), 1, 10).await.unwrap();
        let ids: Vec<_> = listed.iter().map(|one| (one.id.as_str(), one.seq)).collect();
        assert_eq!(ids, [("m2", 2)]);
        assert_eq!(listed[0].state.as_deref(), Some("queued"));
        let told = trail::list(store.pool(), &company, &id("i1"), 0, 100).await.unwrap();
        let line = told.iter().find(|line| line.kind == TrailKind::MessageSent).unwrap();
        assert_eq!(line.detail, json!({ "message": "m2", "seq": 2, "purpose": "greeting" }));
    }
}

on_both! {
    async fn a_life_goes_on_where_it_was_until_it_is_over(store: &Store) {
        let company = company(store, "a").await;
        let life = |name: &str, record: Value| Kept::Life {
            company: company.clone(),
            instance: Some(id("here")),
            interaction: id(name),
            record,
        };
        let (first, later) = (json!({ "at": 1 }), json!({ "at": 2 }));
        keep(store, &[life("i1", first.clone()), life("i2", first.clone())]).await;
        keep(store, &[life("i1", later.clone()), Kept::LifeRemoved(id("i2"))]).await;
        let led = lives::of(store.pool(), &id("here")).await.unwrap();
        assert_eq!(led.iter().map(|life| &life.record).collect::<Vec<_>>(), [&later]);
        assert_eq!(lives::of(store.pool(), &id("there")).await.unwrap(), []);
    }
}

//! What webhooks are told: of channels and of companies, of what is written and of calls.

use desk::id::CompanyId;
use desk::kept::Kept;
use desk::record::{Change, SurveyAnswer, TrailEntry, TrailKind};
use serde_json::json;
use store::deliveries::{self, Delivery, Filter, Of, Target, Tried};
use store::messages;
use store::notices;
use store::requests::{self, Request};
use store::webhooks::{self, Webhook};
use store::{Store, Writer};

use crate::databases::on_both;
use crate::fixtures::{company, id, opened};
use crate::written::{begun, channel, ended, keep, line};

fn webhook(company: &CompanyId, name: &str, events: &[&str]) -> Webhook {
    Webhook {
        id: id(name),
        company: company.clone(),
        name: name.into(),
        url: format!("https://{name}.example/hook"),
        events: events.iter().map(|&event| event.to_owned()).collect(),
        channel: None,
        service: None,
        secrets: vec![1],
        gone_ms: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    }
}

/// What a target is told, in the order in which it is: each is taken at once.
async fn told(store: &Store, target: &str, now_ms: i64) -> Vec<(String, String)> {
    let mut told = vec![];
    loop {
        let due = deliveries::due(store.pool(), target, now_ms, 10)
            .await
            .unwrap();
        let Some(first) = due.into_iter().next() else {
            return told;
        };
        assert!(
            deliveries::claim(store.pool(), &first, now_ms + 50)
                .await
                .unwrap()
        );
        came(store, &first, ("done", now_ms), now_ms).await;
        told.push((first.notice, first.event));
    }
}

async fn came(store: &Store, due: &Delivery, (state, due_ms): (&str, i64), at_ms: i64) {
    let tried = Tried {
        state,
        due_ms,
        at_ms,
        status: Some(200),
        answer: "ok",
    };
    let mut db = store.begin().await.unwrap();
    deliveries::tried(&mut db, due, tried).await.unwrap();
    db.commit().await.unwrap();
}

async fn targets_due(store: &Store, now_ms: i64) -> Vec<String> {
    let due = deliveries::targets_due(store.pool(), now_ms).await.unwrap();
    let mut ids: Vec<String> = due.into_iter().map(|target| target.id).collect();
    ids.sort();
    ids
}

fn words(told: &[(String, String)]) -> Vec<(&str, &str)> {
    told.iter()
        .map(|(id, event)| (id.as_str(), event.as_str()))
        .collect()
}

on_both! {
    async fn a_webhook_is_told_each_line_once_and_in_order(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, Some("https://erp.example/hook")).await;
        begun(store, &company, "i1").await;
        let sent = line("i1", 6, TrailKind::MessageSent, json!({ "message": "m1", "seq": 2 }));
        let silent = line("i1", 6, TrailKind::Offered, json!({}));
        let kept = [Kept::Line(silent), Kept::Line(sent.clone()), Kept::Line(sent)];
        keep(store, &kept).await;
        keep(store, &[Kept::Step(Box::new(ended("i1", 7)))]).await;
        let pool = store.pool();
        assert_eq!(targets_due(store, 4).await, [""; 0]);
        assert_eq!(targets_due(store, 9).await, ["erp"]);
        let due = deliveries::due(pool, "erp", 9, 10).await.unwrap();
        let [first]: [Delivery; 1] = due.try_into().unwrap();
        assert!(deliveries::claim(pool, &first, 50).await.unwrap());
        assert!(!deliveries::claim(pool, &first, 60).await.unwrap());
        // While somebody has it in hand, neither it nor what is behind it is due.
        assert_eq!(deliveries::due(pool, "erp", 9, 10).await.unwrap(), []);
        assert_eq!(targets_due(store, 9).await, ["erp"]);
        // Who dies with it in hand lets it be told again.
        assert_eq!(deliveries::due(pool, "erp", 50, 10).await.unwrap().len(), 1);
        let notice = notices::by_id(pool, &first.notice).await.unwrap().unwrap();
        let thread = notice.channel.as_ref().map(|channel| channel.thread.as_str());
        assert_eq!((thread, notice.protocol.as_str()), (Some("TT-1"), "20261122000001"));
        let told = told(store, "erp", 50).await;
        let expected = [
            ("evt_i1_000001", "attendance.opened"),
            ("evt_i1_000002", "message.created"),
            ("evt_i1_000003", "attendance.closed"),
        ];
        assert_eq!(words(&told), expected);

        let erp = Of::Channel(id("erp"));
        let whose = (&company, &erp);
        let second = Filter { id: Some("evt_i1_000002".into()), ..Filter::default() };
        let other = deliveries::replay(pool, (&id("b"), &erp), &second, 70).await.unwrap();
        assert_eq!(other, 0);
        assert_eq!(deliveries::replay(pool, whose, &second, 70).await.unwrap(), 1);
        let again = deliveries::due(pool, "erp", 70, 10).await.unwrap();
        assert_eq!((again.len(), again[0].attempts), (1, 0));
        let waiting = Filter { state: Some("waiting".into()), ..Filter::default() };
        assert_eq!(deliveries::list(pool, whose, &waiting, None, 10).await.unwrap().len(), 1);
        let all = deliveries::list(pool, whose, &Filter::default(), None, 10).await.unwrap();
        assert_eq!(all.len(), 3);
        let target = Target {
            id: "erp".into(),
            url: String::new(),
            secrets: vec![],
            is_channel: true,
        };
        let mut db = store.begin().await.unwrap();
        deliveries::gone(&mut db, &target, 71).await.unwrap();
        db.commit().await.unwrap();
        assert_eq!(targets_due(store, 99).await, [""; 0]);
        assert_eq!(notices::forget(pool, 7).await.unwrap(), 2);
        let left = deliveries::list(pool, whose, &Filter::default(), None, 10).await.unwrap();
        assert_eq!(left.len(), 1);
    }
}

on_both! {
    async fn each_webhook_is_told_what_it_asked_for_under_the_same_ids(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, Some("https://erp.example/hook")).await;
        let other = self::company(store, "b").await;
        let off = Webhook { disabled: true, ..webhook(&company, "off", &[]) };
        let elsewhere = Webhook { channel: Some(id("erp")), ..webhook(&company, "one", &[]) };
        let served = Webhook { service: Some(id("support")), ..webhook(&company, "service", &[]) };
        for one in [
            webhook(&company, "all", &[]),
            webhook(&company, "ends", &["attendance.closed", "survey.answered"]),
            webhook(&company, "words", &["message.*"]),
            webhook(&other, "foreign", &[]),
            off, elsewhere, served,
        ] {
            webhooks::insert(store.pool(), &one).await.unwrap();
        }
        begun(store, &company, "i1").await;
        let came = line("i1", 6, TrailKind::MessageReceived, json!({ "message": "m1", "seq": 1 }));
        let sent = line("i1", 6, TrailKind::MessageSent, json!({ "message": "m2", "seq": 2 }));
        keep(store, &[Kept::Line(came), Kept::Line(sent)]).await;
        keep(store, &[Kept::Step(Box::new(ended("i1", 7)))]).await;
        let opened = ("evt_i1_000001", "attendance.opened");
        let received = ("evt_i1_000002", "message.received");
        let created = ("evt_i1_000003", "message.created");
        let closed = ("evt_i1_000004", "attendance.closed");
        for (target, expected) in [
            ("all", vec![opened, received, created, closed]),
            ("one", vec![opened, received, created, closed]),
            ("ends", vec![closed]),
            ("words", vec![received, created]),
            // What comes from the other system itself, it is not told.
            ("erp", vec![opened, created, closed]),
            ("foreign", vec![]),
            ("off", vec![]),
            // Nobody has said yet what it is about.
            ("service", vec![]),
        ] {
            assert_eq!(words(&told(store, target, 9).await), expected, "{target}");
        }
        // They say the same, whoever is told first.
        let body = notices::word(store.pool(), opened.0, "{\"a\":1}").await.unwrap();
        assert_eq!(body, "{\"a\":1}");
        let body = notices::word(store.pool(), opened.0, "{\"a\":2}").await.unwrap();
        assert_eq!(body, "{\"a\":1}");
        let mut db = store.begin().await.unwrap();
        assert!(!webhooks::delete(&mut db, &other, &id("all")).await.unwrap());
        assert!(webhooks::delete(&mut db, &company, &id("all")).await.unwrap());
        db.commit().await.unwrap();
        let gone = Of::Webhook(id("all"));
        let left = deliveries::list(store.pool(), (&company, &gone), &Filter::default(), None, 9).await;
        assert_eq!(left.unwrap(), []);
    }
}

on_both! {
    async fn what_is_behind_a_failure_waits_with_it_and_goes_on_with_it(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        webhooks::insert(store.pool(), &webhook(&company, "dead", &[])).await.unwrap();
        webhooks::insert(store.pool(), &webhook(&company, "well", &[])).await.unwrap();
        begun(store, &company, "i1").await;
        let sent = |message: &str| {
            Kept::Line(line("i1", 6, TrailKind::MessageSent, json!({ "message": message })))
        };
        keep(store, &[sent("m2")]).await;
        let first = deliveries::due(store.pool(), "dead", 9, 10).await.unwrap().remove(0);
        assert!(deliveries::claim(store.pool(), &first, 50).await.unwrap());
        // It comes while the first is under way, and is not held up by that.
        keep(store, &[sent("m3")]).await;
        came(store, &first, ("waiting", 5_000), 10).await;
        keep(store, &[sent("m4")]).await;
        // Nothing of it is even looked at, and nobody else waits.
        assert_eq!(targets_due(store, 4_999).await, ["well"]);
        assert_eq!(told(store, "well", 20).await.len(), 4);
        assert_eq!(targets_due(store, 5_000).await, ["dead"]);
        let first = deliveries::due(store.pool(), "dead", 5_000, 10).await.unwrap().remove(0);
        assert_eq!(first.attempts, 1);
        came(store, &first, ("parked", 5_000), 5_000).await;
        let told = told(store, "dead", 5_000).await;
        let ids = ["evt_i1_000002", "evt_i1_000003", "evt_i1_000004"];
        assert_eq!(told.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ids);
        // All that failed are told again.
        let dead = Of::Webhook(id("dead"));
        let failed = Filter { state: Some("parked".into()), ..Filter::default() };
        let again = deliveries::replay(store.pool(), (&company, &dead), &failed, 6_000).await;
        assert_eq!(again.unwrap(), 1);
        assert_eq!(targets_due(store, 6_000).await, ["dead"]);
    }
}

on_both! {
    async fn calls_and_what_their_customers_answered_are_told_once(store: &Store) {
        let company = company(store, "a").await;
        let entry = |seq, kind| TrailEntry { seq, at_ms: 6, kind, detail: json!({}) };
        let lines = |trail| Change::InteractionUpdated {
            interaction: id("c1"),
            update: Box::default(),
            trail,
        };
        let answer = SurveyAnswer {
            company: company.clone(),
            interaction: id("c1"),
            service: id("support"),
            agent: None,
            flow: "nota".into(),
            question: "nota".into(),
            answer: "9".into(),
            at_ms: 8,
        };
        let changes = vec![
            opened(&company, "c1", 5),
            lines(vec![entry(0, TrailKind::Arrived), entry(1, TrailKind::Answered)]),
            lines(vec![entry(2, TrailKind::Queued), entry(3, TrailKind::AgentAnswered)]),
            Change::SurveyAnswered(Box::new(answer)),
        ];
        let (writer, writing) = Writer::start(store.clone());
        // Of what happened before somebody wanted to know, nothing is told.
        let before = vec![opened(&company, "c0", 5)];
        writer.save(before).await.unwrap();
        webhooks::insert(store.pool(), &webhook(&company, "all", &[])).await.unwrap();
        // The answer to a commit may be lost: it is written again.
        writer.save(changes.clone()).await.unwrap();
        writer.save(changes).await.unwrap();
        drop(writer);
        writing.await.unwrap();
        let told = told(store, "all", 9).await;
        let expected = [
            ("evt_c1_000001", "attendance.opened"),
            ("evt_c1_000002", "attendance.queued"),
            ("evt_c1_000003", "attendance.assigned"),
            ("evt_c1_000004", "survey.answered"),
        ];
        assert_eq!(words(&told), expected);
        let notice = notices::by_id(store.pool(), "evt_c1_000004").await.unwrap().unwrap();
        assert_eq!((notice.channel, notice.detail["answer"].as_str()), (None, Some("9")));
    }
}

on_both! {
    async fn how_far_a_message_came_is_told_once_a_step(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, Some("https://erp.example/hook")).await;
        begun(store, &company, "i1").await;
        let said = Kept::Said(Box::new(desk::kept::Said {
            id: id("m2"),
            company: company.clone(),
            interaction: id("i1"),
            at_ms: 6,
            author: json!({ "kind": "system" }),
            content: json!({ "kind": "text", "text": "Olá" }),
            purpose: "greeting",
        }));
        keep(store, &[said]).await;
        let message = messages::by_id(store.pool(), &company, &id("m2")).await.unwrap().unwrap();
        let mut db = store.begin().await.unwrap();
        for (step, news) in [
            (("queued", "accepted"), true),
            (("queued", "accepted"), false),
            (("accepted", "read"), true),
        ] {
            let done = messages::advance(&mut db, &message, step, None, 8).await.unwrap();
            assert_eq!(done, news, "{step:?}");
        }
        db.commit().await.unwrap();
        let told = told(store, "erp", 9).await;
        let events: Vec<&str> = told.iter().map(|(_, event)| event.as_str()).collect();
        assert_eq!(
            events,
            ["attendance.opened", "message.created", "message.status", "message.status"]
        );
        let last = notices::by_id(store.pool(), &told[3].0).await.unwrap().unwrap();
        assert_eq!(last.detail, json!({ "message": "m2", "seq": 2, "status": "read" }));
    }
}

on_both! {
    async fn the_log_of_requests_forgets_what_is_old_and_what_is_too_much(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let request = |number: u16| Request {
            id: id(&format!("r{number}")),
            channel: id("erp"),
            api_key: id("key"),
            at_ms: i64::from(number),
            what: "POST receive_hook".into(),
            status: 400 + number,
            code: None,
            field: None,
            message: None,
            took_ms: 1,
        };
        let all: Vec<Request> = (1..=6).map(request).collect();
        let mut db = store.begin().await.unwrap();
        requests::insert(&mut db, &all).await.unwrap();
        db.commit().await.unwrap();
        let erp = id("erp");
        let listed = async |filter: requests::Filter, before: Option<&str>| {
            let whose = (&company, &erp);
            let listed = requests::list(store.pool(), whose, &filter, before, 9).await.unwrap();
            listed.into_iter().map(|one| one.at_ms).collect::<Vec<_>>()
        };
        let none = requests::Filter::default;
        assert_eq!(listed(none(), None).await, [6, 5, 4, 3, 2, 1]);
        assert_eq!(listed(none(), Some("r3")).await, [2, 1]);
        let some = requests::Filter {
            status_min: Some(402),
            until_ms: Some(4),
            ..none()
        };
        assert_eq!(listed(some, None).await, [3, 2]);
        let other = requests::Filter { api_key: Some(id("other")), ..none() };
        assert_eq!(listed(other, None).await, [0; 0]);
        let mut db = store.begin().await.unwrap();
        requests::forget(&mut db, 2, 3).await.unwrap();
        db.commit().await.unwrap();
        assert_eq!(listed(none(), None).await, [6, 5, 4]);
    }
}

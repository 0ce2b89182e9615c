//! Visitors of web chats, and how far both sides of a conversation have come.

use desk::id::{CompanyId, InteractionId};
use desk::kept::Kept;
use desk::record::Direction;
use serde_json::json;
use store::messages::{self, Message};
use store::webchat::{self, Visitor};
use store::{Store, contacts};

use crate::databases::on_both;
use crate::fixtures::{company, id};
use crate::written::{begun, channel, ended, keep};

fn visitor(name: &str, at_ms: i64) -> Visitor {
    Visitor {
        channel: id("erp"),
        id: name.to_owned(),
        user: None,
        name: None,
        email: None,
        phone: None,
        consent: None,
        created_ms: at_ms,
        updated_ms: at_ms,
    }
}

async fn wrote(store: &Store, company: &CompanyId, seq: u32, state: Option<&str>) {
    let message = Message {
        id: id(&format!("m{seq}")),
        company: company.clone(),
        conversation: id("talk"),
        seq,
        interaction: id("i1"),
        direction: match state {
            Some(_) => Direction::Outbound,
            None => Direction::Inbound,
        },
        author: json!({}),
        content: json!({ "kind": "text", "text": seq.to_string() }),
        client_id: None,
        external_id: None,
        reply_to: None,
        sent_ms: None,
        at_ms: 5,
        state: state.map(str::to_owned),
        failure: None,
        reactions: None,
        edits: None,
        revoked_ms: None,
    };
    messages::insert(store.pool(), &message).await.unwrap();
}

on_both! {
    async fn what_a_visitor_tells_is_kept_beside_what_they_told(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let first = Visitor {
            name: Some("Ana".into()),
            consent: Some(json!({ "version": "1" })),
            ..visitor("v1", 5)
        };
        webchat::save(store.pool(), &first).await.unwrap();
        let later = Visitor {
            email: Some("ana@exemplo.com.br".into()),
            user: Some("C-991".into()),
            ..visitor("v1", 9)
        };
        webchat::save(store.pool(), &later).await.unwrap();
        let other = Visitor { user: Some("C-992".into()), ..visitor("v1", 11) };
        webchat::save(store.pool(), &other).await.unwrap();
        let expected = Visitor {
            email: later.email,
            user: later.user,
            updated_ms: 11,
            ..first
        };
        let found = webchat::by_id(store.pool(), &id("erp"), "v1").await.unwrap();
        assert_eq!(found, Some(expected));
        assert_eq!(webchat::by_id(store.pool(), &id("crm"), "v1").await.unwrap(), None);
    }
}

on_both! {
    async fn a_user_of_the_shop_is_one_visitor_and_a_visitor_one_user(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        for name in ["v1", "v2"] {
            webchat::save(store.pool(), &visitor(name, 5)).await.unwrap();
        }
        let bind = async |name: &str, user: &str| {
            webchat::bind(store.pool(), &id("erp"), name, user).await.unwrap()
        };
        assert!(bind("v1", "C-991").await);
        assert!(!bind("v1", "C-992").await);
        assert!(!bind("v2", "C-991").await);
        assert!(!bind("v3", "C-993").await);
        let found = webchat::by_user(store.pool(), &id("erp"), "C-991").await.unwrap();
        assert_eq!(found.map(|found| found.id), Some("v1".into()));
        assert_eq!(webchat::by_user(store.pool(), &id("crm"), "C-991").await.unwrap(), None);
    }
}

on_both! {
    async fn a_thread_knows_its_matter_and_its_marks_only_grow(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let thread = async || webchat::thread(store.pool(), &id("erp"), "TT-1").await.unwrap();
        assert_eq!(thread().await, None);
        let talk = begun(store, &company, "i1").await;
        let found = thread().await.unwrap();
        let matter = found.matter.unwrap();
        assert_eq!((&found.conversation, found.seq, found.answered), (&talk, 1, 0));
        assert_eq!(matter.interaction, id::<InteractionId>("i1"));
        assert_eq!((matter.protocol.as_str(), matter.ended_ms), ("20261122000001", None));
        let mark = async |answered| {
            webchat::mark_company(store.pool(), &talk, answered).await.unwrap()
        };
        assert!(mark(2).await);
        assert!(!mark(2).await);
        assert!(!mark(1).await);
        for marks in [(5, 3), (4, 4), (1, 1)] {
            webchat::mark_visitor(store.pool(), &talk, marks).await.unwrap();
        }
        let asked = async || {
            webchat::mark_surveyed(store.pool(), &talk, &id("i1")).await.unwrap()
        };
        assert!(asked().await);
        assert!(!asked().await);
        let now = thread().await.unwrap();
        assert_eq!((now.answered, now.surveyed), (2, Some(id("i1"))));
        keep(store, &[Kept::Step(Box::new(ended("i1", 9)))]).await;
        assert!(thread().await.unwrap().matter.unwrap().ended_ms.is_some());
    }
}

on_both! {
    async fn a_page_of_messages_is_what_comes_next_or_what_was_before(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let talk = begun(store, &company, "i1").await;
        for seq in [1, 2, 4, 5] {
            wrote(store, &company, seq, None).await;
        }
        let seqs = |found: Vec<Message>| found.iter().map(|one| one.seq).collect::<Vec<_>>();
        let after = async |seq, limit| {
            seqs(webchat::after(store.pool(), &talk, seq, limit).await.unwrap())
        };
        let before = async |seq, limit| {
            seqs(webchat::before(store.pool(), &talk, seq, limit).await.unwrap())
        };
        assert_eq!(after(0, 9).await, [1, 2, 4, 5]);
        assert_eq!(after(2, 1).await, [4]);
        assert_eq!(after(5, 9).await, [0; 0]);
        assert_eq!(before(5, 2).await, [2, 4]);
        assert_eq!(before(u32::MAX, 3).await, [2, 4, 5]);
        assert_eq!(before(1, 9).await, [0; 0]);
    }
}

on_both! {
    async fn what_we_wrote_comes_and_is_seen_once_and_never_goes_back(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let talk = begun(store, &company, "i1").await;
        wrote(store, &company, 1, None).await;
        for (seq, state) in [(2, "queued"), (3, "failed"), (4, "read"), (5, "queued")] {
            wrote(store, &company, seq, Some(state)).await;
        }
        let reach = async |seq, is_seen| {
            let reached = webchat::reach(store.pool(), &company, &talk, (seq, is_seen)).await;
            let mut seqs: Vec<u32> = reached.unwrap().iter().map(|(_, seq)| *seq).collect();
            seqs.sort_unstable();
            seqs
        };
        assert_eq!(webchat::reach(store.pool(), &id("b"), &talk, (9, true)).await.unwrap(), []);
        assert_eq!(reach(4, false).await, [2, 3]);
        assert_eq!(reach(4, false).await, [0; 0]);
        assert_eq!(reach(3, true).await, [2, 3]);
        assert_eq!(reach(3, false).await, [0; 0]);
        assert_eq!(reach(9, true).await, [5]);
    }
}

on_both! {
    async fn who_is_forgotten_has_told_nothing(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        begun(store, &company, "i1").await;
        for name in ["TT-1", "TT-2"] {
            webchat::save(store.pool(), &visitor(name, 5)).await.unwrap();
        }
        let ana = crate::contacts::contact(&company, "ana");
        contacts::insert(store.pool(), &ana).await.unwrap();
        let mut step = ended("i1", 9);
        step.update.contact = Some(ana.id.clone());
        keep(store, &[Kept::Step(Box::new(step))]).await;
        let mut db = store.begin().await.unwrap();
        store::anonymise::anonymise(&mut db, &company, &ana.id, "mask", 20).await.unwrap();
        db.commit().await.unwrap();
        let there = async |name: &str| {
            webchat::by_id(store.pool(), &id("erp"), name).await.unwrap().is_some()
        };
        assert!(!there("TT-1").await);
        assert!(there("TT-2").await);
    }
}

//! Mailboxes and mails: who reads which and up to where, where a mail belongs, and whom no program answers
//! twice.

use desk::id::{ChannelId, CompanyId, ConversationId, InstanceId};
use desk::kept::Kept;
use desk::record::Direction;
use serde_json::{Value, json};
use store::mails::{self, Automatic, Mail, Thread};
use store::messages::{self, Message};
use store::{Store, channels, mailboxes, transcripts};

use crate::databases::on_both;
use crate::fixtures::{company, id};
use crate::written::{begun, channel, ended, keep};

fn mail(message: &str, conversation: &ConversationId, mail_id: &str, at_ms: i64) -> Mail {
    Mail {
        message: id(message),
        channel: id("erp"),
        conversation: conversation.clone(),
        mail_id: Some(mail_id.into()),
        author: "carla@cliente.example".into(),
        part: "whole".into(),
        file: Some(format!("file-{message}")),
        at_ms,
    }
}

/// A mail with its message.
async fn write(store: &Store, company: &CompanyId, mail: &Mail, (seq, author): (u32, Value)) {
    let ours = author["kind"] == "agent";
    let row = Message {
        id: mail.message.clone(),
        company: company.clone(),
        conversation: mail.conversation.clone(),
        seq,
        interaction: id("i1"),
        direction: if ours {
            Direction::Outbound
        } else {
            Direction::Inbound
        },
        author,
        content: json!({ "kind": "text", "text": "Oi" }),
        client_id: None,
        external_id: None,
        reply_to: None,
        sent_ms: None,
        at_ms: mail.at_ms,
        state: None,
        failure: None,
        reactions: None,
        edits: None,
        revoked_ms: None,
    };
    messages::insert(store.pool(), &row).await.unwrap();
    mails::insert(store.pool(), mail).await.unwrap();
}

on_both! {
    async fn a_mailbox_is_read_by_one_process_until_it_lets_go_or_is_gone(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let erp: ChannelId = id("erp");
        let (here, there): (InstanceId, InstanceId) = (id("here"), id("there"));
        let pool = store.pool();
        assert_eq!(mailboxes::channels(pool, "generic").await.unwrap(), [(erp.clone(), 1)]);
        assert_eq!(mailboxes::channels(pool, "email").await.unwrap(), []);
        let start = json!({ "since_ms": 1 });
        let claim = async |who: &InstanceId, now_ms| {
            mailboxes::claim(pool, &erp, who, (now_ms, now_ms + 10), &start).await.unwrap()
        };
        assert_eq!(claim(&here, 100).await.map(|row| row.cursor), Some(start.clone()));
        assert_eq!(claim(&there, 105).await, None);
        mailboxes::looked(pool, &erp, &json!({ "last": 7 }), 106).await.unwrap();
        // Who has it keeps it, and it goes on where it was.
        assert_eq!(claim(&here, 108).await.map(|row| row.cursor), Some(json!({ "last": 7 })));
        assert_eq!(claim(&there, 118).await, None);
        assert!(claim(&there, 119).await.is_some(), "nobody has heard of the other since");
        assert_eq!(claim(&here, 120).await, None);
        mailboxes::let_go(pool, &here).await.unwrap();
        assert_eq!(claim(&here, 120).await, None, "it was not theirs to let go");
        mailboxes::let_go(pool, &there).await.unwrap();
        assert!(claim(&here, 121).await.is_some());
    }
}

on_both! {
    async fn a_mailbox_says_since_when_it_cannot_be_read_and_another_is_begun_anew(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let erp: ChannelId = id("erp");
        let pool = store.pool();
        mailboxes::claim(pool, &erp, &id("here"), (1, 9), &json!({})).await.unwrap();
        for at_ms in [5, 6] {
            mailboxes::failed(pool, &erp, &json!({ "step": "login" }), at_ms).await.unwrap();
        }
        let row = mailboxes::by_channel(pool, &erp).await.unwrap().unwrap();
        assert_eq!((row.failed_ms, row.failure), (Some(5), Some(json!({ "step": "login" }))));
        mailboxes::looked(pool, &erp, &json!({ "last": 7 }), 8).await.unwrap();
        let row = mailboxes::by_channel(pool, &erp).await.unwrap().unwrap();
        assert_eq!((row.looked_ms, row.failed_ms, row.failure), (Some(8), None, None));

        let keys: Vec<String> = (0..450).map(|n| format!("uidl-{n}")).collect();
        let mut db = store.begin().await.unwrap();
        mailboxes::know(&mut db, &erp, &keys[..400], 9).await.unwrap();
        mailboxes::know(&mut db, &erp, &keys[399..400], 9).await.unwrap();
        let known = mailboxes::known(&mut db, &erp, &keys).await.unwrap();
        assert_eq!(known.len(), 400);
        mailboxes::begin_anew(&mut db, &erp, &json!({ "since_ms": 3 })).await.unwrap();
        assert_eq!(mailboxes::known(&mut db, &erp, &keys).await.unwrap(), [""; 0]);
        db.commit().await.unwrap();
        let row = mailboxes::by_channel(pool, &erp).await.unwrap().unwrap();
        assert_eq!((row.cursor, row.looked_ms), (json!({ "since_ms": 3 }), None));
    }
}

on_both! {
    async fn a_mail_is_found_by_its_id_its_protocol_and_as_the_last_that_a_person_wrote(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let talk = begun(store, &company, "i1").await;
        let pool = store.pool();
        let (customer, machine) = (json!({ "kind": "customer" }), json!({ "kind": "customer", "why_no_work": "auto_reply" }));
        let first = mail("m1", &talk, "h1", 10);
        write(store, &company, &first, (1, customer.clone())).await;
        write(store, &company, &mail("m2", &talk, "h2", 20), (2, json!({ "kind": "agent" }))).await;
        write(store, &company, &mail("m3", &talk, "h3", 30), (3, machine)).await;
        assert_eq!(mails::last_received(pool, &talk).await.unwrap(), Some(first.clone()));
        let second = mail("m4", &talk, "h4", 40);
        write(store, &company, &second, (4, customer)).await;
        assert_eq!(mails::last_received(pool, &talk).await.unwrap(), Some(second));
        assert_eq!(mails::in_conversation(pool, &talk, "h1").await.unwrap(), Some(first.clone()));
        assert_eq!(mails::in_conversation(pool, &talk, "h9").await.unwrap(), None);
        assert_eq!(mails::by_message(pool, &company, &id("m1")).await.unwrap(), Some(first));
        assert_eq!(mails::by_message(pool, &id("b"), &id("m1")).await.unwrap(), None);

        let mut db = store.begin().await.unwrap();
        let ids = ["h9".into(), "h2".into()];
        let found = mails::of_ids(&mut db, &id("erp"), &ids).await.unwrap();
        assert_eq!(found, [("h2".into(), talk.clone())]);
        assert_eq!(mails::of_ids(&mut db, &id("other"), &ids).await.unwrap(), []);
        db.commit().await.unwrap();
        let by_protocol = async |company: &str, protocol: &str| {
            mails::of_protocol(pool, &id(company), &id("erp"), protocol).await.unwrap()
        };
        assert_eq!(by_protocol("a", "20261122000001").await, Some(talk.clone()));
        assert_eq!(by_protocol("a", "20261122000002").await, None);
        assert_eq!(by_protocol("b", "20261122000001").await, None);
        let since = async |since_ms| {
            mails::received_since(pool, &id("erp"), "carla@cliente.example", since_ms).await.unwrap()
        };
        assert_eq!((since(0).await, since(20).await, since(41).await), (4, 3, 0));

        let about = Thread { subject: "Pedido".into(), participants: vec!["carla@cliente.example".into()] };
        mails::set_thread(pool, &talk, &Thread::default()).await.unwrap();
        mails::set_thread(pool, &talk, &about).await.unwrap();
        let candidate = mails::candidate(pool, &id("erp"), &talk).await.unwrap().unwrap();
        assert_eq!((candidate.thread.as_str(), candidate.closed_at_ms), ("TT-1", None));
        assert_eq!(candidate.about, about);
    }
}

on_both! {
    async fn a_program_answers_an_address_once_a_day_for_each_purpose(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        let may = async |address: &str, purpose: &str, message: &str, at_ms: i64| {
            let answer = Automatic {
                channel: &id("erp"), address, purpose, message: &id(message), at_ms,
            };
            mails::may_answer(store.pool(), &answer, at_ms - 100).await.unwrap()
        };
        assert!(may("x", "greeting", "m1", 1_000).await);
        assert!(may("x", "greeting", "m1", 1_000).await, "it is tried again");
        assert!(!may("x", "greeting", "m2", 1_100).await);
        assert!(may("x", "absence", "m3", 1_050).await && may("y", "greeting", "m4", 1_050).await);
        assert!(may("x", "greeting", "m5", 1_101).await);
        mails::forget_answers(store.pool(), 1_101).await.unwrap();
        assert!(!may("x", "greeting", "m6", 1_102).await);
        assert!(may("y", "greeting", "m7", 1_102).await);
    }
}

on_both! {
    async fn secrets_are_replaced_by_whoever_has_seen_the_last(store: &Store) {
        let company = company(store, "a").await;
        let row = channel(store, &company, None).await;
        let row = channels::Channel { secrets: Some(b"one".to_vec()), ..row };
        assert!(channels::update(store.pool(), &row).await.unwrap());
        let replace = async |before: &[u8], after: &[u8]| {
            channels::replace_secrets(store.pool(), &row.id, (before, after)).await.unwrap()
        };
        assert!(replace(b"one", b"two").await);
        assert!(!replace(b"one", b"three").await);
        let kept = channels::of_work(store.pool(), &row.id).await.unwrap().unwrap();
        assert_eq!(kept.secrets.as_deref(), Some(b"two".as_slice()));
    }
}

on_both! {
    async fn a_transcript_is_due_once_the_interaction_is_over_and_sent_by_one(store: &Store) {
        let company = company(store, "a").await;
        let row = channel(store, &company, None).await;
        let erp = row.id.clone();
        begun(store, &company, "i1").await;
        let pool = store.pool();
        let end = [Kept::Step(Box::new(ended("i1", 7)))];
        let by_itself = channels::Channel { transcripts_by: Some(erp.clone()), ..row };
        assert!(channels::update(pool, &by_itself).await.unwrap());
        assert_eq!(transcripts::state(pool, &id("i1")).await.unwrap(), None);
        keep(store, &end).await;
        keep(store, &end).await;
        assert_eq!(transcripts::mailboxes(pool, 6).await.unwrap(), []);
        assert_eq!(transcripts::mailboxes(pool, 7).await.unwrap(), std::slice::from_ref(&erp));
        let due = transcripts::due(pool, &erp, 7, 9).await.unwrap();
        assert_eq!(due.len(), 1);
        assert!(transcripts::claim(pool, &due[0], 100).await.unwrap());
        assert!(!transcripts::claim(pool, &due[0], 100).await.unwrap());
        assert_eq!(transcripts::due(pool, &erp, 99, 9).await.unwrap(), []);
        transcripts::later(pool, &id("i1"), 50).await.unwrap();
        let due = transcripts::due(pool, &erp, 50, 9).await.unwrap();
        assert_eq!(due[0].attempts, 1);
        let why = json!({ "code": "x" });
        transcripts::ended(pool, &id("i1"), ("failed", Some(&why))).await.unwrap();
        assert_eq!(transcripts::state(pool, &id("i1")).await.unwrap().as_deref(), Some("failed"));
        assert_eq!(transcripts::mailboxes(pool, 99).await.unwrap(), []);
    }
}

on_both! {
    async fn nobody_is_sent_a_transcript_where_the_channel_says_nothing(store: &Store) {
        let company = company(store, "a").await;
        channel(store, &company, None).await;
        begun(store, &company, "i1").await;
        keep(store, &[Kept::Step(Box::new(ended("i1", 7)))]).await;
        assert_eq!(transcripts::state(store.pool(), &id("i1")).await.unwrap(), None);
    }
}

//! Files of messages: who has which, and who gets to have one.

use desk::id::CompanyId;
use serde_json::json;
use store::attachments::{self, Attachment, AttachmentState, Place, StoredFile};

use crate::databases::on_both;
use crate::fixtures::{company, id};

fn file(hash: &str) -> StoredFile {
    StoredFile {
        sha256: hash.into(),
        mime: "image/png".into(),
        bytes: 7,
        thumbnail: Some(format!("small-{hash}")),
    }
}

fn waiting(company: &CompanyId, name: &str, due_ms: i64) -> Attachment {
    Attachment {
        id: id(name),
        company: company.clone(),
        channel: Some(id("erp")),
        interaction: Some(id("i1")),
        message: Some(id("m1")),
        place: 0,
        source: Some(json!({ "url": "https://a.example/x" })),
        state: AttachmentState::Waiting,
        file: None,
        name: Some("foto.png".into()),
        attempts: 0,
        due_ms,
        error: None,
        created_ms: 1,
    }
}

fn laid_down(company: &CompanyId, name: &str, created_ms: i64) -> Attachment {
    Attachment {
        interaction: None,
        message: None,
        source: None,
        state: AttachmentState::Stored,
        file: Some(file("h1")),
        created_ms,
        ..waiting(company, name, 1)
    }
}

on_both! {
    async fn a_file_that_is_due_is_had_by_one(store: &Store) {
        let company = company(store, "a").await;
        let row = waiting(&company, "f1", 5);
        attachments::insert(store.pool(), &row).await.unwrap();
        attachments::insert(store.pool(), &waiting(&company, "f2", 9)).await.unwrap();
        assert_eq!(attachments::due(store.pool(), 8, 10).await.unwrap(), std::slice::from_ref(&row));
        assert!(attachments::claim(store.pool(), &row, 100).await.unwrap());
        assert!(!attachments::claim(store.pool(), &row, 100).await.unwrap());
        assert_eq!(attachments::due(store.pool(), 8, 10).await.unwrap(), []);

        assert!(attachments::stored(store.pool(), &row.id, &file("h1")).await.unwrap());
        let listed = attachments::of_interaction(store.pool(), &company, &id("i1")).await.unwrap();
        assert_eq!((listed.len(), &listed[0].file, listed[0].attempts), (2, &Some(file("h1")), 1));
        let stranger = attachments::by_id(store.pool(), &id("b"), &row.id).await.unwrap();
        assert_eq!(stranger, None);
        for (name, wanted) in [("h1", true), ("small-h1", true), ("h2", false)] {
            assert_eq!(attachments::wants(store.pool(), name).await.unwrap(), wanted, "{name}");
        }
    }
}

on_both! {
    async fn what_is_laid_down_goes_into_one_message_of_its_channel(store: &Store) {
        let company = company(store, "a").await;
        attachments::insert(store.pool(), &laid_down(&company, "f1", 1)).await.unwrap();
        let (erp, other) = (id("erp"), id("other"));
        let (interaction, message) = (id("i1"), id("m1"));
        let place = |channel| Place {
            company: &company,
            channel,
            interaction: &interaction,
            message: &message,
            place: 3,
        };
        for (channel, goes) in [(None, false), (Some(&other), false), (Some(&erp), true), (Some(&erp), false)] {
            let went = attachments::attach(store.pool(), &id("f1"), place(channel)).await.unwrap();
            assert_eq!(went, goes, "{channel:?}");
        }
        let found = attachments::by_id(store.pool(), &company, &id("f1")).await.unwrap().unwrap();
        assert_eq!((found.message, found.interaction, found.place), (Some(message.clone()), Some(interaction.clone()), 3));
    }
}

on_both! {
    async fn what_nobody_used_or_has_any_more_is_forgotten_and_then_gone(store: &Store) {
        let company = company(store, "a").await;
        // Of its message nothing is known.
        attachments::insert(store.pool(), &waiting(&company, "f1", 5)).await.unwrap();
        attachments::insert(store.pool(), &laid_down(&company, "f2", 10)).await.unwrap();
        attachments::insert(store.pool(), &laid_down(&company, "f3", 20)).await.unwrap();
        let mut db = store.begin().await.unwrap();
        attachments::forget_left(&mut db, 20).await.unwrap();
        db.commit().await.unwrap();
        let gone = attachments::forgotten(store.pool(), 10).await.unwrap();
        assert_eq!(gone.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["f1", "f2"]);
        assert!(gone.iter().all(|row| row.source.is_none() && row.name.is_none()));
        // The third has the same bytes as the second.
        assert!(attachments::wants(store.pool(), "h1").await.unwrap());
        for row in &gone {
            assert_eq!(attachments::by_id(store.pool(), &company, &row.id).await.unwrap(), None);
            attachments::delete(store.pool(), &row.id).await.unwrap();
        }
        attachments::delete(store.pool(), &id("f3")).await.unwrap();
        assert_eq!(attachments::forgotten(store.pool(), 10).await.unwrap(), []);
        assert!(attachments::by_id(store.pool(), &company, &id("f3")).await.unwrap().is_some());
    }
}

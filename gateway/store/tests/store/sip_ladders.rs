//! What legs said and heard, kept with their interaction.

use desk::id::InteractionId;
use desk::record::{Change, SipLadder, SipMessage};
use store::{changes, sip_ladders};

use crate::databases::on_both;
use crate::fixtures::{company, id};

fn ladder(leg: u64, text: &str) -> SipLadder {
    SipLadder {
        company: id("a"),
        interaction: id("i"),
        leg,
        messages: vec![SipMessage {
            at_ms: 7,
            sent: true,
            transport: "UDP".into(),
            peer: "192.0.2.9:5060".into(),
            text: text.to_owned(),
        }],
        left_out: 3,
    }
}

on_both! {
    async fn each_leg_is_kept_once_and_read_by_its_company_alone(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let mut db = store.begin().await.unwrap();
        let told = [ladder(2, "second"), ladder(1, "first"), ladder(1, "again")];
        let told = told.map(|ladder| Change::SipLadder(Box::new(ladder)));
        changes::apply(&mut db, &told).await.unwrap();
        db.commit().await.unwrap();
        let kept = sip_ladders::of_interaction(store.pool(), &a, &id("i")).await.unwrap();
        assert_eq!(kept, [ladder(1, "first"), ladder(2, "second")]);
        let foreign = sip_ladders::of_interaction(store.pool(), &b, &id("i")).await.unwrap();
        assert_eq!(foreign, []);
        let other = sip_ladders::of_interaction(store.pool(), &a, &id("j")).await.unwrap();
        assert_eq!(other, []);
    }
}

on_both! {
    async fn ladders_of_old_interactions_are_deleted_and_no_others(store: &Store) {
        let a = company(store, "a").await;
        let (old, new) = (InteractionId::earliest(1_000_000), InteractionId::earliest(2_000_000));
        let of = |interaction: &InteractionId| SipLadder {
            interaction: interaction.clone(),
            ..ladder(1, "first")
        };
        let mut db = store.begin().await.unwrap();
        let told = [of(&old), of(&new)].map(|ladder| Change::SipLadder(Box::new(ladder)));
        changes::apply(&mut db, &told).await.unwrap();
        db.commit().await.unwrap();
        let before = InteractionId::earliest(1_500_000);
        assert_eq!(sip_ladders::delete_before(store.pool(), &before).await.unwrap(), 1);
        assert_eq!(sip_ladders::delete_before(store.pool(), &before).await.unwrap(), 0);
        let kept = |interaction| sip_ladders::of_interaction(store.pool(), &a, interaction);
        assert_eq!(kept(&old).await.unwrap(), []);
        assert_eq!(kept(&new).await.unwrap().len(), 1);
    }
}

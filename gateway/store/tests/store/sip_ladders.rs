//! What legs said and heard, kept with their interaction.

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

//! What is kept of desks, as supervisors read it.

use desk::decision::{Considered, Decision, OfferId, Turn, Verdict};
use desk::kept::{DecisionKept, Kept};
use desk::record::{Change, Direction, InteractionOpened, Medium};
use desk::rules::Routing;
use serde_json::json;

use crate::world::World;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

fn opened(company: &str, interaction: &str) -> Change {
    Change::InteractionOpened(Box::new(InteractionOpened {
        id: id(interaction),
        company: id(company),
        instance: None,
        medium: Medium::Phone,
        direction: Direction::Inbound,
        from: String::new(),
        from_name: String::new(),
        to: "4000".into(),
        number: None,
        trunk: None,
        device: None,
        flow: None,
        sip_call_id: "a@b".into(),
        started_ms: 1,
        protocol_day: 20_261_122,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_reads_why_an_interaction_was_offered_to_whom() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let reader = world.key(Some("a"), &["read"]).await;
    let stranger = world.key(Some("b"), &["admin"]).await;
    let chosen = Considered {
        agent: id("bruno"),
        verdict: Verdict::Chosen {
            offer: OfferId(1),
            preferred: false,
            interrupts: vec![],
        },
        idle_ms: 240_000,
        load: 0,
        handled: 0,
        skills: vec![],
    };
    let decision = Decision {
        work: id("w1"),
        service: id("sales"),
        at_ms: 20,
        routing: Routing::LongestIdle,
        turn: Turn {
            waited_ms: 5,
            points: 0,
            weight: 1,
            relaxed: Some(0),
        },
        considered: vec![chosen],
        more: 0,
    };
    let kept = Kept::Decision(Box::new(DecisionKept {
        company: id("a"),
        interaction: id("one"),
        slot: 0,
        decision,
        sentence: "Bruno: atende, ocioso há 4 min".into(),
    }));
    let mut db = world.store.begin().await.expect("a transaction");
    let changes = [opened("a", "one")];
    store::changes::apply(&mut db, &changes)
        .await
        .expect("kept");
    store::desks::apply(&mut db, &[kept]).await.expect("kept");
    db.commit().await.expect("kept");

    let path = "/api/v1/interactions/one/decisions";
    let read = world.get(&reader, path).await.expect(200);
    let expected = json!([{
        "work": "w1", "service": "sales", "at_ms": 20,
        "sentence": "Bruno: atende, ocioso há 4 min", "considered": ["bruno"],
    }]);
    assert_eq!(read["items"], expected);
    world.get(&stranger, path).await.expect(404);
    let none = "/api/v1/interactions/two/decisions";
    world.get(&reader, none).await.expect(404);
}

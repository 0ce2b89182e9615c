//! The SIP messages of a call, as supervisors read them.

use desk::record::{Change, Direction, InteractionOpened, Medium, SipLadder, SipMessage};
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_of_a_call_are_read_leg_by_leg_and_whole_where_that_is_asked_for() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let reader = world.key(Some("a"), &["read"]).await;
    let other = world.key(Some("b"), &["read"]).await;
    let interaction: desk::id::InteractionId = "call".parse().expect("an id");
    let opened = InteractionOpened {
        id: interaction.clone(),
        company: "a".parse().expect("an id"),
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
        sip_call_id: "x@y".into(),
        started_ms: 1,
        protocol_day: 20_261_122,
    };
    let text = "INVITE sip:4000@192.0.2.1 SIP/2.0\r\ni: x@y\r\nCSeq: 1 INVITE\r\n\r\nCall-ID: no";
    let ladder = SipLadder {
        company: "a".parse().expect("an id"),
        interaction,
        leg: 4,
        messages: vec![SipMessage {
            at_ms: 7,
            sent: false,
            transport: "UDP".into(),
            peer: "192.0.2.9:5060".into(),
            text: text.into(),
        }],
        left_out: 2,
    };
    let mut db = world.store.begin().await.expect("a store");
    let changes = [
        Change::InteractionOpened(Box::new(opened)),
        Change::SipLadder(Box::new(ladder)),
    ];
    store::changes::apply(&mut db, &changes)
        .await
        .expect("kept");
    db.commit().await.expect("kept");
    let path = "/api/v1/interactions/call/sip";
    let shown = world.get(&reader, path).await.expect(200);
    let mut arrow = json!({
        "at_ms": 7, "direction": "received", "transport": "UDP", "peer": "192.0.2.9:5060",
        "line": "INVITE sip:4000@192.0.2.1 SIP/2.0", "cseq": "1 INVITE"
    });
    let leg = json!({ "leg": 4, "call_id": "x@y", "messages": [arrow], "left_out": 2 });
    assert_eq!(shown, json!({ "legs": [leg] }));
    let full = world
        .get(&reader, &format!("{path}?full=true"))
        .await
        .expect(200);
    arrow["text"] = text.into();
    assert_eq!(full["legs"][0]["messages"], json!([arrow]));
    assert_eq!(world.get(&other, path).await.code(404), "not_found");
    let nothing = world.get(&reader, "/api/v1/interactions/none/sip").await;
    assert_eq!(nothing.code(404), "not_found");
}

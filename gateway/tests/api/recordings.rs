//! Recordings of calls: listed, listened to, deleted, and all of that written down.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use desk::record::{Change, Direction, InteractionOpened, Medium};
use media_engine::audio::wav::{self, Encoding};
use serde_json::json;
use store::Writer;

use crate::world::{Answer, As, World};

const CALL: &str = "01jd0000000000000000000001";

/// A call of company `a` whose recording of two seconds has been put away; the recording's id.
async fn recorded(world: &World, admin: &As) -> String {
    let opened = InteractionOpened {
        id: CALL.parse().expect("an id"),
        company: "a".parse().expect("an id"),
        instance: None,
        medium: Medium::Phone,
        direction: Direction::Inbound,
        from: "+5511999990000".into(),
        from_name: String::new(),
        to: "4000".into(),
        number: None,
        trunk: None,
        device: None,
        flow: None,
        sip_call_id: "a@b".into(),
        started_ms: 1,
        protocol_day: 20_261_122,
    };
    let (writer, _) = Writer::start(world.store.clone());
    let change = Change::InteractionOpened(Box::new(opened));
    writer.save(vec![change]).await.expect("written");

    let format = wav::Format {
        encoding: Encoding::Pcm16,
        rate: 8_000,
        channels: 2,
    };
    let mut file = wav::header(format, 64_000).to_vec();
    file.extend((0..32_000i16).flat_map(|at| (at % 400).to_le_bytes()));
    let path = world.calls.join(format!("{CALL}.5000.1.wav"));
    std::fs::write(&path, file).expect("written");
    world.archive.put_away(path);
    let list = format!("/api/v1/interactions/{CALL}/recordings");
    loop {
        let listed = world.get(admin, &list).await.expect(200);
        if let Some(id) = listed["items"][0]["id"].as_str() {
            assert_eq!(listed["items"][0]["duration_ms"], 2_000);
            return id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn listen(world: &World, who: &As, id: &str, range: &str) -> Answer {
    let request = Request::get(format!("/api/v1/recordings/{id}/audio"))
        .header(header::RANGE, range)
        .body(Body::empty());
    world.send(who, request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_to_a_recording_and_who_deletes_it_is_written_down() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let supervisor = world.key(Some("a"), &["read"]).await;
    let stranger = world.key(Some("b"), &["admin"]).await;
    let id = recorded(&world, &admin).await;
    let (own, audio) = (
        format!("/api/v1/recordings/{id}"),
        format!("/api/v1/recordings/{id}/audio"),
    );

    let whole = world.get(&supervisor, &audio).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.headers[header::CONTENT_TYPE], "audio/flac");
    assert!(whole.bytes.starts_with(b"fLaC"));
    let length = whole.bytes.len();
    let part = listen(&world, &supervisor, &id, "bytes=100-199").await;
    assert_eq!(
        (part.status.as_u16(), &part.bytes[..]),
        (206, &whole.bytes[100..200])
    );
    assert_eq!(
        part.headers[header::CONTENT_RANGE],
        format!("bytes 100-199/{length}")
    );
    // Who leaves out the first byte has listened as well, once for all the parts.
    let other = world.key(Some("a"), &["read"]).await;
    for range in ["bytes=1-", "bytes=2-"] {
        let most = listen(&world, &other, &id, range).await;
        assert_eq!(most.status, 206);
    }
    let behind = listen(&world, &supervisor, &id, &format!("bytes={length}-")).await;
    assert_eq!(behind.status, 416);
    assert_eq!(world.get(&stranger, &audio).await.code(404), "not_found");
    assert_eq!(
        world
            .ask(&stranger, Method::DELETE, &own, None)
            .await
            .code(404),
        "not_found"
    );
    assert_eq!(
        world
            .ask(&supervisor, Method::DELETE, &own, None)
            .await
            .code(403),
        "forbidden"
    );

    world
        .ask(&admin, Method::DELETE, &own, None)
        .await
        .expect(204);
    assert_eq!(world.get(&admin, &audio).await.code(404), "not_found");
    let left = std::fs::read_dir(&world.calls).expect("a folder").count();
    assert_eq!(left, 0, "the sound is gone, too");

    let call = world
        .get(&admin, &format!("/api/v1/interactions/{CALL}"))
        .await
        .expect(200);
    let kinds: Vec<&str> = call["trail"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["kind"].as_str())
        .collect();
    let heard = "recording_heard";
    assert_eq!(kinds, ["recorded", heard, heard, "recording_deleted"]);
    let audit = world.get(&admin, "/api/v1/audit").await.expect(200);
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["action"].as_str())
        .collect();
    let heard = "recording.hear";
    assert_eq!(actions, ["recording.delete", heard, heard]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_recordings_are_set_by_administrators_and_checked() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let supervisor = world.key(Some("a"), &["read"]).await;
    let path = "/api/v1/recording-rules";
    let none = json!({ "format": "flac", "keep_days": null, "services": {} });
    assert_eq!(world.get(&admin, path).await.expect(200), none);
    let sales = json!({ "name": "Vendas" });
    let sales = world.post(&admin, "/api/v1/services", sales).await;
    let sales = sales.expect(201)["id"].as_str().expect("an id").to_owned();
    let asked = json!({ "format": "opus", "keep_days": 180, "services": { sales: 30 } });
    let ghost = json!({ "services": { "nada": 30 } });
    assert_eq!(world.put(&admin, path, ghost).await.code(422), "reference");
    assert_eq!(
        world.put(&supervisor, path, asked.clone()).await.code(403),
        "forbidden"
    );
    assert_eq!(
        world.put(&admin, path, asked.clone()).await.expect(200),
        asked
    );
    assert_eq!(world.get(&admin, path).await.expect(200), asked);
    let never = json!({ "keep_days": 0 });
    assert_eq!(
        world.put(&admin, path, never).await.code(422),
        "out_of_range"
    );
}

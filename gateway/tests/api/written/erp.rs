//! What another system sees of what it brought, with nothing but the key of its channel.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scene, id_of};
use crate::world::{Answer, As};

async fn ask(scene: &Scene, key: &str, path: &str) -> Answer {
    let path = format!("/api/v1/channels/{}/{path}", scene.channel);
    scene.world.get(&As::Key(key.to_owned()), &path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_system_follows_what_it_brought_by_its_protocol() {
    let scene = Scene::new(0).await;
    let first = scene.write(1, "Olá").await.expect(202);
    let one = format!("attendances/{}", id_of(&first, "protocol"));
    let read = ask(&scene, &scene.key, &one).await.expect(200);
    assert_eq!(read["attendance_id"], first["attendance_id"]);
    assert_eq!(
        (&read["status"], &read["agent"]),
        (&json!("queued"), &Value::Null)
    );

    let ana = scene.agent("ana").await;
    let (work, interaction) = scene.take(&ana).await;
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let reply = json!({ "client_message_id": "c-1", "text": "Vou verificar" });
    scene.world.post(&ana, &path, reply).await.expect(201);
    let read = ask(&scene, &scene.key, &one).await.expect(200);
    assert_eq!(read["status"], "in_progress");
    assert!(read["agent"].is_string(), "{read}");
    let said = ask(&scene, &scene.key, &format!("{one}/messages?after_seq=1")).await;
    let said = said.expect(200);
    assert_eq!(said["items"][0]["content"]["text"], "Vou verificar");
    assert_eq!(said["items"].as_array().map(Vec::len), Some(1));

    let close = format!("/api/v1/work/{work}/disposition");
    let closing = json!({ "disposition": "resolvido" });
    scene.world.post(&ana, &close, closing).await.expect(204);
    let mut read = Value::Null;
    for _ in 0..200 {
        read = ask(&scene, &scene.key, &one).await.expect(200);
        if read["status"] == "closed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(read["closed_by"], "agent");

    // Nothing of what another channel brought, nor for another key.
    assert_eq!(
        ask(&scene, &scene.key, "attendances/1").await.code(404),
        "not_found"
    );
    let service = scene.service.clone();
    let other = json!({ "name": "CRM", "service": service });
    let other = scene
        .world
        .post(&scene.admin, "/api/v1/channels", other)
        .await;
    let path = format!("/api/v1/channels/{}", id_of(&other.expect(201), "id"));
    let key = scene
        .world
        .post(
            &scene.admin,
            &format!("{path}/keys"),
            json!({ "name": "CRM" }),
        )
        .await;
    let key = id_of(&key.expect(201), "key");
    assert_eq!(ask(&scene, &key, &one).await.code(403), "forbidden");
    let other = format!("{path}/{one}");
    assert_eq!(
        scene.world.get(&As::Key(key), &other).await.code(404),
        "not_found"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_by_the_keys_of_a_channel_stands_in_its_log() {
    let scene = Scene::new(0).await;
    let first = scene.write(1, "Olá").await.expect(202);
    scene.post(&scene.key, "{}").await.expect(422);
    scene.write(1, "Outra coisa").await.expect(409);
    let odd = json!({ "external_conversation_id": "TT-1", "type": "sneezed" });
    scene.post_to("events", &odd.to_string()).await.expect(422);
    ask(&scene, &scene.key, "attendances/1").await.expect(404);
    scene.post("", "{}").await.expect(401);
    let path = format!("/api/v1/channels/{}/requests", scene.channel);
    let mut items = vec![];
    for _ in 0..200 {
        let listed = scene.world.get(&scene.admin, &path).await.expect(200);
        items = listed["items"].as_array().expect("a list").clone();
        if items.len() == 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    items.reverse();
    items.sort_by_key(|item| item["at_ms"].as_i64());
    let seen: Vec<_> = items
        .iter()
        .map(|item| {
            (
                &item["what"],
                &item["status"],
                &item["code"],
                &item["field"],
            )
        })
        .collect();
    let null = Value::Null;
    let hook = json!("POST receive_hook");
    let (invalid, id) = (json!("invalid"), json!("external_message_id"));
    let expected = [
        (&hook, &json!(202), &null, &null),
        (&hook, &json!(422), &invalid, &id),
        (&hook, &json!(409), &json!("key_reused"), &id),
        (&json!("POST events"), &json!(422), &invalid, &json!("type")),
        (
            &json!("GET attendances/1"),
            &json!(404),
            &json!("not_found"),
            &null,
        ),
    ];
    assert_eq!(seen, expected);
    assert_eq!(items[0]["message"], first["message_id"]);
    let refused = format!("{path}?status_min=409&limit=1");
    let refused = scene.world.get(&scene.admin, &refused).await.expect(200);
    assert_eq!(refused["items"].as_array().map(Vec::len), Some(1));
    assert!(refused["next"].is_string());
}

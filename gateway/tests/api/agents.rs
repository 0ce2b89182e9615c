//! Agents: whose work they take, whether they do now, who waits.

use serde_json::{Value, json};
use store::users::Role;

use crate::world::World;

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_a_service_comes_pauses_and_goes() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    world
        .user("boss@a.example", Some("a"), Role::Supervisor)
        .await;
    let person = |email: &str| json!({ "email": email, "name": "Ana", "role": "agent", "password": crate::world::PASSWORD });
    let ana = world
        .post(&admin, "/api/v1/users", person("ana@a.example"))
        .await;
    let ana = id(&ana.expect(201));
    let service = json!({ "name": "Vendas", "ring_s": 20, "wrap_up_s": 30 });
    let service = world
        .post(&admin, "/api/v1/services", service)
        .await
        .expect(201);
    assert_eq!(
        (&service["ring_s"], &service["wrap_up_s"]),
        (&json!(20), &json!(30))
    );
    let service = id(&service);
    let device = json!({ "username": "ana-phone", "user": ana });
    let device = world.post(&admin, "/api/v1/devices", device).await;
    let device = id(&device.expect(201));

    let agents = format!("/api/v1/services/{service}/agents");
    assert_eq!(
        world.get(&admin, &agents).await.expect(200)["agents"],
        json!([])
    );
    let set = world.put(&admin, &agents, json!({ "agents": [ana] })).await;
    assert_eq!(set.expect(200)["agents"], json!([ana]));
    let stranger = world
        .put(&admin, &agents, json!({ "agents": ["nobody"] }))
        .await;
    assert_eq!(stranger.code(422), "reference");
    assert_eq!(
        world.get(&admin, &agents).await.expect(200)["agents"],
        json!([ana])
    );

    let seen = world.get(&admin, "/api/v1/agents").await.expect(200);
    let expected = json!({
        "id": ana, "name": "Ana", "services": [service], "devices": [device],
        "presence": "offline", "reason": null, "forced": false, "lost_until_ms": null,
        "since_ms": null, "in_hand": [], "load": 0,
    });
    assert_eq!(seen["items"], json!([expected]));

    let me = world.log_in("ana@a.example").await;
    let presence = "/api/v1/agents/me/presence";
    let wish = async |body: Value| world.put(&me, presence, body).await;
    assert_eq!(
        wish(json!({ "presence": "available" })).await.expect(200)["presence"],
        "available"
    );
    let lunch = wish(json!({ "presence": "paused", "reason": "almoco" }))
        .await
        .expect(200);
    assert_eq!(
        (&lunch["presence"], &lunch["reason"]),
        (&json!("paused"), &json!("almoco"))
    );
    assert!(lunch["since_ms"].is_i64());
    for body in [
        json!({ "presence": "paused" }),
        json!({ "presence": "paused", "reason": "praia" }),
        json!({ "presence": "available", "reason": "almoco" }),
    ] {
        assert_eq!(wish(body).await.code(422), "invalid_reason");
    }
    assert_eq!(
        wish(json!({ "presence": "offline" })).await.expect(200)["presence"],
        "offline"
    );
    let absent = wish(json!({ "presence": "paused", "reason": "almoco" })).await;
    assert_eq!(absent.code(409), "not_now");
    assert_eq!(
        world.get(&me, "/api/v1/agents/me").await.expect(200)["id"],
        json!(ana)
    );

    // Who may see and do what.
    world.get(&me, "/api/v1/agents").await.expect(403);
    world
        .put(&me, &agents, json!({ "agents": [] }))
        .await
        .expect(403);
    let boss = world.log_in("boss@a.example").await;
    world.get(&boss, "/api/v1/agents").await.expect(200);
    world
        .put(&boss, &agents, json!({ "agents": [] }))
        .await
        .expect(403);
    world
        .put(&boss, presence, json!({ "presence": "available" }))
        .await
        .expect(404);
    world
        .put(&admin, presence, json!({ "presence": "available" }))
        .await
        .expect(403);
    let line = format!("/api/v1/services/{service}/waiting");
    assert_eq!(
        world.get(&boss, &line).await.expect(200)["items"],
        json!([])
    );
    let other = world.key(Some("b"), &["admin"]).await;
    world.get(&other, &line).await.expect(404);
    world
        .put(&other, &agents, json!({ "agents": [] }))
        .await
        .expect(404);
    assert_eq!(
        world.get(&other, "/api/v1/agents").await.expect(200)["items"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_one_phone_of_its_person_made_when_it_is_first_asked_for() {
    let mut world = World::new().await;
    world.company("a").await;
    world.user("ana@a.example", Some("a"), Role::Agent).await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let ana = world.log_in("ana@a.example").await;
    let path = "/api/v1/agents/me/softphone";
    let phone = world.post(&ana, path, json!({})).await.expect(200);
    let again = world.post(&ana, path, json!({})).await.expect(200);
    assert_eq!(phone, again);
    world.post(&admin, path, json!({})).await.expect(403);
    let devices = world.get(&admin, "/api/v1/devices").await.expect(200);
    let devices = devices["items"].as_array().expect("a list").clone();
    assert_eq!(devices.len(), 1);
    assert_eq!(
        (&devices[0]["id"], &devices[0]["browser"]),
        (&phone["device"], &json!(true))
    );
    // What the administrator changes about it, its password too, leaves it a window.
    let path_of = format!("/api/v1/devices/{}", id(&devices[0]));
    let changed = json!({ "username": phone["username"], "extension": "31",
        "user": devices[0]["user"], "password": "outra-senha-de-telefone" });
    world.put(&admin, &path_of, changed).await.expect(200);
    let changed = world.post(&ana, path, json!({})).await.expect(200);
    assert_eq!(
        (
            &changed["device"],
            &changed["extension"],
            &changed["password"]
        ),
        (
            &phone["device"],
            &json!("31"),
            &json!("outra-senha-de-telefone")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_administers_the_installation_has_a_window_in_each_company() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    world
        .user("root@ramal.example", None, Role::Administrator)
        .await;
    let root = world.log_in("root@ramal.example").await;
    let mut seen = vec![];
    for company in ["a", "b"] {
        let path = format!("/api/v1/agents/me/softphone?company={company}");
        let phone = world.post(&root, &path, json!({})).await.expect(200);
        let again = world.post(&root, &path, json!({})).await.expect(200);
        assert_eq!(phone, again);
        let path = format!("/api/v1/calls?company={company}");
        let placed = world.post(&root, &path, json!({ "to": "nada" })).await;
        assert_eq!(placed.code(422), "nobody_there", "the phone is there");
        seen.push(phone["device"].clone());
    }
    assert_ne!(seen[0], seen[1]);
}

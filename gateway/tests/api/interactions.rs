//! How interactions are found, tagged, and what people keep of that for themselves.

use serde_json::{Value, json};
use store::users::Role;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_the_records_is_understood_or_refused_at_its_field() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let understood = [
        "medium=chat",
        "channel=site&number=n",
        "agent=ana",
        "outcome=left_soon",
        "disposition=sold&tag=vip",
        "hour_from=22&hour_until=6",
        "hour_from=9",
        "from=2020-01-01T00:00:00Z&hour_until=24",
    ];
    for query in understood {
        for noun in ["interactions", "interactions.csv", "interactions/count"] {
            let path = format!("/api/v1/{noun}?{query}");
            assert_eq!(world.get(&admin, &path).await.status, 200, "{path}");
        }
    }
    let refused = [
        ("medium=fax", "medium"),
        ("outcome=lost", "outcome"),
        ("hour_from=24", "hour_from"),
        ("hour_until=0", "hour_until"),
    ];
    for (query, field) in refused {
        let path = format!("/api/v1/interactions/count?{query}");
        let answer = world.get(&admin, &path).await.expect(400);
        assert_eq!(answer["field"], field, "{query}");
    }
    let none = world.get(&admin, "/api/v1/interactions/count").await;
    assert_eq!(none.expect(200), json!({ "count": 0, "more": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interaction_is_tagged_by_who_may_read_it() {
    let mut world = World::new().await;
    world.company("a").await;
    world
        .user("rui@a.example", Some("a"), Role::Administrator)
        .await;
    world.user("ana@a.example", Some("a"), Role::Agent).await;
    let (rui, ana) = (
        world.log_in("rui@a.example").await,
        world.log_in("ana@a.example").await,
    );
    let service = json!({ "name": "Vendas" });
    world
        .post(&rui, "/api/v1/services", service)
        .await
        .expect(201);
    let softphone = "/api/v1/agents/me/softphone";
    world.post(&rui, softphone, json!({})).await.expect(200);
    let flow = json!({ "format": 1, "entry": "bye", "nodes": { "bye": { "kind": "hang-up" } } });
    let body = json!({ "name": "Principal", "flow": flow });
    let flow = world.post(&rui, "/api/v1/flows", body).await.expect(201);
    let path = format!("/api/v1/flows/{}/call", flow["id"].as_str().expect("an id"));
    let placed = world.post(&rui, &path, json!({})).await.expect(201);
    let id = placed["interaction"].as_str().expect("an id").to_owned();
    let one = format!("/api/v1/interactions/{id}");
    while world.get(&rui, &one).await.status == 404 {
        tokio::task::yield_now().await; // It is being written down.
    }

    let path = format!("{one}/tags");
    let tags = json!({ "tags": ["VIP", "garantia "] });
    let kept = world.put(&rui, &path, tags.clone()).await.expect(200);
    assert_eq!(kept, json!({ "tags": ["garantia", "vip"] }));
    assert_eq!(world.put(&ana, &path, tags).await.code(403), "forbidden");
    let wrong = world.put(&rui, &path, json!({ "tags": ["a,b"] })).await;
    assert_eq!(wrong.code(422), "invalid_text");
    let nowhere = "/api/v1/interactions/nobody/tags";
    let nowhere = world.put(&rui, nowhere, json!({ "tags": [] })).await;
    assert_eq!(nowhere.code(404), "not_found");

    let found = world.get(&rui, "/api/v1/interactions?tag=vip").await;
    let found = found.expect(200);
    assert_eq!(found["items"][0]["id"], json!(id));
    assert_eq!(found["items"][0]["tags"], kept["tags"]);
    let none = world
        .get(&rui, "/api/v1/interactions/count?tag=outra")
        .await;
    assert_eq!(none.expect(200)["count"], 0);
    let used = world.get(&rui, "/api/v1/tags").await.expect(200);
    let used = used["items"].as_array().expect("a list");
    let used: Vec<&Value> = used.iter().map(|one| &one["tag"]).collect();
    assert_eq!(used, ["garantia", "vip"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_keep_for_themselves_what_their_window_wants() {
    let mut world = World::new().await;
    world.company("a").await;
    world.user("ana@a.example", Some("a"), Role::Agent).await;
    world.user("bia@a.example", Some("a"), Role::Agent).await;
    let (ana, bia) = (
        world.log_in("ana@a.example").await,
        world.log_in("bia@a.example").await,
    );
    let path = "/api/v1/session/settings/trace-filters";
    let none = json!({ "value": null });
    assert_eq!(world.get(&ana, path).await.expect(200), none);
    let kept = json!({ "value": [{ "name": "Perdidas", "search": { "outcome": "abandoned" } }] });
    world.put(&ana, path, kept.clone()).await.expect(204);
    assert_eq!(world.get(&ana, path).await.expect(200), kept);
    assert_eq!(world.get(&bia, path).await.expect(200), none);
    world.put(&ana, path, none.clone()).await.expect(204);
    assert_eq!(world.get(&ana, path).await.expect(200), none);
    let large = json!({ "value": "x".repeat(16 * 1024) });
    assert_eq!(world.put(&ana, path, large).await.code(422), "out_of_range");
    let odd = "/api/v1/session/settings/No_name";
    assert_eq!(
        world.put(&ana, odd, kept.clone()).await.code(404),
        "not_found"
    );
    for count in 0..50 {
        let path = format!("/api/v1/session/settings/n{count}");
        world.put(&ana, &path, kept.clone()).await.expect(204);
    }
    assert_eq!(world.put(&ana, path, kept).await.code(422), "too_many");
}

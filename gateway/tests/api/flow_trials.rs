//! Flows that are tried without a call, or heard before they are published.

use std::time::Duration;

use axum::http::Method;
use desk::id::{CompanyId, PromptId};
use serde_json::{Value, json};
use store::prompts::{Prompt, PromptKind, PromptState};
use store::users::Role;

use crate::world::{As, World};

/// A Monday in São Paulo, 12:00.
const NOON_MS: i64 = 1_795_446_000_000;

async fn made(world: &World, admin: &As, noun: &str, body: Value) -> String {
    let answer = world.post(admin, &format!("/api/v1/{noun}"), body).await;
    answer.expect(201)["id"].as_str().expect("an id").to_owned()
}

async fn prompt(world: &World) -> String {
    let row = Prompt {
        id: "welcome".parse::<PromptId>().expect("an id"),
        company: "a".parse::<CompanyId>().expect("an id"),
        name: "Boas-vindas".to_owned(),
        kind: PromptKind::Text,
        state: PromptState::Published,
        language: "pt-BR".to_owned(),
        text: "Bem-vindo à loja.".to_owned(),
        voice: String::new(),
        speed_percent: 100,
        file: None,
        mime: String::new(),
        bytes: 0,
        duration_ms: 0,
        loudness_lufs: None,
        created_ms: 0,
        updated_ms: 0,
    };
    let mut db = world.store.begin().await.expect("a transaction");
    store::prompts::insert(&mut *db, &row).await.expect("room");
    db.commit().await.expect("a commit");
    row.id.to_string()
}

/// What was done where, a line a step.
fn told(outcome: &Value) -> Vec<String> {
    let steps = outcome["steps"].as_array().expect("steps").iter();
    let line = |step: &Value| {
        format!(
            "{} {}",
            step["node"].as_str().expect("a node"),
            step["did"].as_str().expect("a word")
        )
    };
    steps.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_tried_at_any_moment_with_keys_written_down() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let reader = world.key(Some("a"), &["read"]).await;
    let hours = json!({ "time_zone": "America/Sao_Paulo", "holidays": "brazil-with-optional",
        "schedule": { "weekly": { "monday": [{ "from": "08:00", "to": "18:00" }] } } });
    let calendar = made(
        &world,
        &admin,
        "calendars",
        json!({ "name": "Comercial", "hours": hours }),
    )
    .await;
    let sales = made(&world, &admin, "services", json!({ "name": "Vendas" })).await;
    let night = json!({ "name": "Plantão", "calendar": calendar });
    let night = made(&world, &admin, "services", night).await;
    let welcome = prompt(&world).await;
    let flow = json!({ "format": 1, "entry": "hours", "nodes": {
        "hours": { "kind": "hours", "calendar": { "id": calendar }, "open": "menu", "closed": "night" },
        "menu": { "kind": "menu", "say": [{ "kind": "prompt", "prompt": welcome }, { "kind": "number", "value": "21" }],
            "choices": [{ "key": "1", "to": "sales" }, { "key": "2", "to": "order" }], "otherwise": "bye" },
        "order": { "kind": "collect", "variable": "order", "min": 1, "max": 5, "say": [{ "kind": "text", "text": "Pedido?" }], "next": "ask", "otherwise": "bye" },
        "ask": { "kind": "lookup", "url": "https://erp.example/{{order}}", "success": "bye", "failure": "sales" },
        "sales": { "kind": "queue", "service": sales, "unanswered": "bye" },
        "night": { "kind": "queue", "service": night, "closed": "bye", "unanswered": "bye" },
        "bye": { "kind": "hang-up" }
    }});
    let id = made(
        &world,
        &admin,
        "flows",
        json!({ "name": "Principal", "flow": flow }),
    )
    .await;
    let path = format!("/api/v1/flows/{id}/try");

    // To try is to read; nothing waits for a key that was not given.
    let outcome = world
        .post(&reader, &path, json!({ "at_ms": NOON_MS }))
        .await
        .expect(200);
    assert_eq!(
        told(&outcome),
        [
            "hours entered",
            "hours hours",
            "menu entered",
            "menu said",
            "menu heard"
        ]
    );
    assert_eq!(outcome["steps"][1]["until_ms"], NOON_MS + 6 * 3_600_000);
    let said = &outcome["steps"][3]["say"];
    assert_eq!(
        said[0],
        json!({ "kind": "prompt", "prompt": "welcome", "name": "Boas-vindas", "text": "Bem-vindo à loja." })
    );
    assert_eq!(said[1], json!({ "kind": "words", "text": "vinte e um" }));
    assert_eq!(
        outcome["end"],
        json!({ "how": "waits-for-key", "flow": id, "node": "menu", "keys": ["1", "2"] })
    );
    assert_eq!(
        (&outcome["keys_taken"], &outcome["findings"]),
        (&json!(0), &json!([]))
    );

    // No system is asked, and the trial says which would have been.
    let body = json!({ "at_ms": NOON_MS, "keys": ["", "2", "77#", "9"] });
    let outcome = world.post(&reader, &path, body.clone()).await.expect(200);
    let steps = outcome["steps"].as_array().expect("steps");
    let asked = steps
        .iter()
        .find(|step| step["did"] == "not-asked")
        .expect("it would have been");
    assert_eq!(
        (&asked["method"], &asked["url"]),
        (&json!("GET"), &json!("https://erp.example/77"))
    );
    let end =
        json!({ "how": "queued", "flow": id, "node": "sales", "service": sales, "name": "Vendas" });
    assert_eq!(outcome["end"], end);
    let mut body = body;
    body["exits"] = json!({ "ask": { "fetched": { "status": 204 } } });
    let outcome = world.post(&reader, &path, body).await.expect(200);
    assert_eq!(
        outcome["end"],
        json!({ "how": "hung-up", "flow": id, "node": "bye", "cause": "normal" })
    );
    assert_eq!(outcome["keys_taken"], 3);

    // On Carnaval, a Monday, the company is closed, and so is the service that has the same hours.
    let carnaval_ms = 1_802_098_800_000_i64;
    let outcome = world
        .post(&reader, &path, json!({ "at_ms": carnaval_ms }))
        .await
        .expect(200);
    assert_eq!(outcome["steps"][1]["holiday"], "Carnaval");
    assert_eq!(outcome["steps"][3]["name"], "Plantão");
    assert_eq!(outcome["steps"][4]["result"], "closed");
    assert_eq!(outcome["end"]["node"], "bye");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_tried_before_it_is_saved_and_says_what_is_wrong_with_it() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let id = made(&world, &admin, "flows", json!({ "name": "Principal" })).await;
    let path = format!("/api/v1/flows/{id}/try");
    let document = json!({ "format": 1, "entry": "go", "nodes": { "go": { "kind": "flow", "flow": "nowhere" } } });
    let outcome = world
        .post(&admin, &path, json!({ "document": document }))
        .await
        .expect(200);
    assert_eq!(told(&outcome), ["go entered", "go failed", "go hung-up"]);
    assert_eq!(
        (&outcome["steps"][1]["why"], &outcome["steps"][1]["target"]),
        (&json!("no-such-flow"), &json!("nowhere"))
    );
    let codes = outcome["findings"].as_array().expect("findings").iter();
    let codes: Vec<&str> = codes
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    assert_eq!(codes, ["no-such-flow"]);
    // The draft is as it was.
    let draft = world
        .get(&admin, &format!("/api/v1/flows/{id}/draft"))
        .await
        .expect(200);
    assert_eq!(draft["flow"]["entry"], "end");

    let keys: Vec<&str> = vec!["1"; 201];
    for (body, field, code) in [
        (
            json!({ "document": { "format": 1 } }),
            "flow",
            "invalid_flow",
        ),
        (json!({ "keys": ["x"] }), "keys", "invalid"),
        (json!({ "keys": keys }), "keys", "out_of_range"),
        (json!({ "at_ms": i64::MAX }), "at_ms", "invalid_time"),
    ] {
        let refused = world.ask(&admin, Method::POST, &path, Some(body)).await;
        assert_eq!(refused.code(422), code);
        assert_eq!(refused.json()["field"], field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_heard_by_people_with_a_phone_once_nothing_is_wrong_with_it() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    world
        .user("rui@a.example", Some("a"), Role::Administrator)
        .await;
    let rui = world.log_in("rui@a.example").await;
    let flow = json!({ "format": 1, "entry": "bye", "nodes": { "bye": { "kind": "hang-up" } } });
    let body = json!({ "name": "Principal", "flow": flow });
    let id = made(&world, &admin, "flows", body).await;
    let path = format!("/api/v1/flows/{id}/call");
    // What is made is known to the calls from then on.
    made(&world, &admin, "services", json!({ "name": "Vendas" })).await;
    world.post(&admin, &path, json!({})).await.expect(403);
    let refused = world.post(&rui, &path, json!({})).await;
    assert_eq!(refused.code(409), "not_now");
    let softphone = "/api/v1/agents/me/softphone";
    world.post(&rui, softphone, json!({})).await.expect(200);
    let wrong = json!({ "format": 1, "entry": "bye", "nodes": {
        "bye": { "kind": "hang-up" }, "lost": { "kind": "queue", "service": "nobody", "unanswered": "bye" } } });
    let refused = world.post(&rui, &path, json!({ "document": wrong })).await;
    assert_eq!(refused.code(422), "findings");
    // Nobody has opened the window: its phone cannot ring, and the record says so.
    let placed = world.post(&rui, &path, json!({})).await.expect(201);
    let interaction = placed["interaction"].as_str().expect("an id");
    let path = format!("/api/v1/interactions/{interaction}");
    for _ in 0..400 {
        // Until it is written down it is not found.
        let found = world.get(&admin, &path).await.json();
        if found["state"] == "ended" {
            assert_eq!(
                (&found["to"], &found["direction"]),
                (&json!("Principal"), &json!("inbound"))
            );
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never ends");
}

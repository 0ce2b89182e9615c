//! Where a company is told of what happens, on every channel.

use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Erp, Scene, id, id_of};
use crate::world::As;

const ALL: &str = "/api/v1/webhooks";

/// A webhook of the company of a scene: its path and its secret.
async fn made(scene: &Scene, asked: Value) -> (String, String) {
    let made = scene.world.post(&scene.admin, ALL, asked).await.expect(201);
    (
        format!("{ALL}/{}", id(&made)),
        id_of(&made, "webhook_secret"),
    )
}

/// Somebody who takes the connection, and never answers.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let hook = post(async || std::future::pending::<StatusCode>().await);
    let app = Router::new().route("/", hook);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn listed(scene: &Scene, path: &str, query: &str) -> Vec<Value> {
    let log = format!("{path}/deliveries{query}");
    let listed = scene.world.get(&scene.admin, &log).await.expect(200);
    listed["items"].as_array().expect("a list").clone()
}

/// The log of a webhook, once it holds so many.
async fn log(scene: &Scene, path: &str, query: &str, many: usize) -> Vec<Value> {
    for _ in 0..400 {
        let listed = listed(scene, path, query).await;
        if listed.len() == many {
            return listed;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("there are never {many} of {query}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_hears_what_it_asked_for_whoever_else_is_dead() {
    let mut scene = Scene::new(0).await;
    let (_, _) = made(&scene, json!({ "name": "Morto", "url": dead().await })).await;
    let mut crm = Erp::new(0).await;
    let events = ["attendance.*", "message.received", "message.status"];
    let asked =
        json!({ "name": "CRM", "url": crm.url, "events": events, "channel": scene.channel });
    let (path, secret) = made(&scene, asked).await;
    let first = scene.write(1, "Olá").await.expect(202);
    let opened = crm.told(&secret).await;
    let received = crm.told(&secret).await;
    let queued = crm.told(&secret).await;
    let kinds = [&opened, &received, &queued].map(|told| id_of(told, "type"));
    assert_eq!(
        kinds,
        ["attendance.opened", "message.received", "attendance.queued"]
    );
    assert_eq!(opened["attendance"]["protocol"], first["protocol"]);
    assert_eq!(opened["attendance"]["medium"], "email");
    assert_eq!(opened["channel"]["name"], "ERP");
    assert_eq!(received["message"]["text"], "Olá");
    assert_eq!(received["message"]["direction"], "inbound");
    assert!(received["customer"]["contact_id"].is_string(), "{received}");
    // Everybody knows the same thing by the same id; what the other system said, it is not told.
    assert_eq!(scene.told().await, opened);
    assert_eq!(scene.told().await, queued);

    let log = log(&scene, &path, "?state=done", 3).await;
    let ids: Vec<&Value> = log.iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&queued["id"], &received["id"], &opened["id"]]);
    assert_eq!(log[0]["status"], 204);
    let again = json!({ "id": received["id"] });
    let replay = format!("{path}/deliveries/replay");
    let replayed = scene
        .world
        .post(&scene.admin, &replay, again)
        .await
        .expect(200);
    assert_eq!(replayed["replayed"], 1);
    assert_eq!(crm.told(&secret).await, received);
    for bad in [
        json!({ "stat": "parked" }),
        json!({ "state": "banana" }),
        json!({}),
    ] {
        let refused = scene.world.post(&scene.admin, &replay, bad).await;
        refused.expect(422);
    }
    // All that failed: nothing did.
    let failed = json!({ "state": "failed" });
    let replayed = scene.world.post(&scene.admin, &replay, failed).await;
    assert_eq!(replayed.expect(200)["replayed"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_tried_and_its_secret_changed_while_both_sign() {
    let scene = Scene::new(0).await;
    let mut crm = Erp::new(0).await;
    let asked = json!({ "name": "CRM", "url": crm.url, "events": ["attendance.opened"] });
    let (path, first) = made(&scene, asked).await;
    let try_it = format!("{path}/ping");
    let came = scene
        .world
        .post(&scene.admin, &try_it, json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&came["taken"], &came["status"]),
        (&json!(true), &json!(204))
    );
    let told = crm.told(&first).await;
    assert_eq!(
        (&told["type"], &told["company_id"]),
        (&json!("ping"), &json!("a"))
    );
    let rotate = format!("{path}/secret");
    let rotated = scene
        .world
        .post(&scene.admin, &rotate, json!({}))
        .await
        .expect(200);
    let second = id_of(&rotated, "webhook_secret");
    assert_ne!(first, second);
    scene.write(1, "Olá").await.expect(202);
    let (headers, _) = crm.next().await;
    let signatures = headers["webhook-signature"].to_str().expect("text");
    assert_eq!(signatures.split(' ').count(), 2);
    // Where nobody is, that is what is shown.
    let away = json!({ "name": "CRM", "url": "http://127.0.0.1:1/" });
    scene.world.put(&scene.admin, &path, away).await.expect(200);
    let came = scene
        .world
        .post(&scene.admin, &try_it, json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&came["taken"], &came["status"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_no_more_is_left_alone_until_it_is_set_again() {
    let scene = Scene::new(0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let app = Router::new().route("/", post(async || StatusCode::GONE));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let events = ["attendance.opened", "attendance.queued"];
    let (path, secret) = made(
        &scene,
        json!({ "name": "CRM", "url": url, "events": events }),
    )
    .await;
    scene.write(1, "Olá").await.expect(202);
    let mut waiting = log(&scene, &path, "?state=waiting", 2).await;
    while waiting[1]["status"].is_null() {
        waiting = log(&scene, &path, "?state=waiting", 2).await;
    }
    assert_eq!(waiting[1]["status"], 410);
    let now = scene.world.get(&scene.admin, &path).await.expect(200);
    assert!(now["gone_ms"].is_number(), "{now}");
    let mut crm = Erp::new(0).await;
    let again = json!({ "name": "CRM", "url": crm.url, "events": events });
    let set = scene
        .world
        .put(&scene.admin, &path, again)
        .await
        .expect(200);
    assert_eq!(set["gone_ms"], Value::Null);
    assert_eq!(crm.told(&secret).await["type"], "attendance.opened");
    assert_eq!(crm.told(&secret).await["type"], "attendance.queued");
    scene
        .world
        .ask(&scene.admin, Method::DELETE, &path, None)
        .await
        .expect(204);
    scene.world.get(&scene.admin, &path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_cannot_be_is_refused() {
    let mut scene = Scene::new(0).await;
    let url = "https://crm.example/hook";
    for (asked, field) in [
        (json!({ "name": "CRM", "url": "ftp://crm.example/" }), "url"),
        (json!({ "name": "", "url": url }), "name"),
        (
            json!({ "name": "CRM", "url": url, "events": ["attendance.opened", "typing"] }),
            "events",
        ),
    ] {
        let refused = scene.world.post(&scene.admin, ALL, asked).await.expect(422);
        assert_eq!(refused["field"], field);
    }
    let nowhere = json!({ "name": "CRM", "url": url, "channel": "nowhere" });
    assert_eq!(
        scene.world.post(&scene.admin, ALL, nowhere).await.code(422),
        "reference"
    );
    let (path, _) = made(&scene, json!({ "name": "CRM", "url": url })).await;
    let same = json!({ "name": "CRM", "url": url });
    assert_eq!(
        scene.world.post(&scene.admin, ALL, same).await.code(409),
        "taken"
    );
    scene.world.company("b").await;
    let other: As = scene.world.key(Some("b"), &["admin"]).await;
    scene.world.get(&other, &path).await.expect(404);
    scene
        .world
        .ask(&other, Method::DELETE, &path, None)
        .await
        .expect(404);
    let replay = format!("{path}/deliveries/replay");
    scene
        .world
        .post(&other, &replay, json!({}))
        .await
        .expect(404);
    for number in 0..19 {
        let name = format!("{number}");
        made(&scene, json!({ "name": name, "url": url })).await;
    }
    let one_more = json!({ "name": "21", "url": url });
    assert_eq!(
        scene
            .world
            .post(&scene.admin, ALL, one_more)
            .await
            .code(409),
        "too_many"
    );
}

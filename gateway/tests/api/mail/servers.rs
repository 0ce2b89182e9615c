//! Mailboxes by POP3, beside servers that are dead, and behind servers that restart.

use std::net::TcpListener;

use gateway_net::mail::Security;
use serde_json::{Value, json};

use super::{Scene, draft, text};

async fn health(scene: &Scene, channel: &str) -> Value {
    let path = format!("/api/v1/channels/{channel}/health");
    scene.world.get(&scene.admin, &path).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_by_pop3_is_read_once_whoever_read_it_before() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.write(&draft("um", "Oi"), "um", &[]).await;
    scene.interactions(1).await;
    let pop3 = scene.house.pop3(Security::Tls);
    scene
        .set(json!({ "protocol": "pop3", "receiving": pop3 }))
        .await;
    scene.write(&draft("dois", "Oi"), "dois", &[]).await;
    scene.interactions(2).await;
    scene.write(&draft("tres", "Oi"), "tres", &[]).await;
    scene.world = scene.world.killed().await;
    scene.interactions(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_delays_no_other_mailbox() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut dead = vec![];
    for name in ["a", "b", "c"] {
        let mut form = scene.form();
        let address = format!("{name}@loja.example");
        (form["name"], form["settings"]["address"]) = (json!(name), json!(address));
        form["settings"]["receiving"] =
            json!({ "host": "127.0.0.1", "port": port, "security": "none" });
        let made = scene
            .world
            .post(&scene.admin, "/api/v1/channels", form)
            .await;
        dead.push(text(&made.expect(201), "id"));
    }
    scene.write(&draft("um", "Oi"), "um", &[]).await;
    scene.interactions(1).await;
    assert_eq!(health(&scene, &scene.channel).await["state"], "ok");
    for channel in dead {
        let broken = scene
            .until("a failure", async || {
                let health = health(&scene, &channel).await;
                (health["state"] == "broken").then_some(health)
            })
            .await;
        let failure = &broken["failure"];
        assert!(!text(failure, "sentence").is_empty(), "{broken}");
        assert_eq!(broken["event_ms"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_read_again_and_the_health_says_so() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.write(&draft("um", "Oi"), "um", &[]).await;
    scene.interactions(1).await;
    scene.house.stop_dovecot();
    scene
        .until("a failure", async || {
            let health = health(&scene, &scene.channel).await;
            (health["state"] == "broken").then_some(())
        })
        .await;
    scene.house.start_dovecot();
    scene.write(&draft("dois", "Oi"), "dois", &[]).await;
    scene.interactions(2).await;
    let health = health(&scene, &scene.channel).await;
    assert_eq!(
        (&health["state"], &health["broken_ms"]),
        (&json!("ok"), &Value::Null)
    );
    assert!(health["event_ms"].is_i64(), "{health}");
}

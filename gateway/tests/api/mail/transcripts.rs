//! What was written, sent to the customer once it is over.

use serde_json::json;

use super::house::CLIENT;
use super::{Scene, text};
use crate::world::As;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whose_address_is_known_is_sent_what_was_written_once_it_is_over() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let path = "/api/v1/channels";
    let mut form = json!({ "name": "ERP", "service": scene.service, "transcripts_by": "nobody" });
    let refused = scene.world.post(&scene.admin, path, form.clone()).await;
    assert_eq!(refused.code(422), "reference");
    form["transcripts_by"] = json!(scene.channel);
    let made = scene.world.post(&scene.admin, path, form).await.expect(201);
    assert_eq!(made["transcripts_by"], json!(scene.channel));
    let erp = text(&made, "id");
    let path = format!("/api/v1/channels/{erp}/keys");
    let key = json!({ "name": "ERP" });
    let key = scene.world.post(&scene.admin, &path, key).await.expect(201);
    let key = As::Key(text(&key, "key"));
    let path = format!("/api/v1/channels/{erp}/receive_hook");
    let said = json!({
        "external_message_id": "TT-1-1", "external_conversation_id": "TT-1",
        "customer": { "external_id": "C-1", "name": "Carla", "email": CLIENT },
        "text": "Onde está meu <pedido>?",
    });
    scene.world.post(&key, &path, said).await.expect(202);
    let interaction = scene.interactions(1).await[0].clone();
    let agent = scene.take().await;
    let path = format!("/api/v1/interactions/{}/messages", text(&interaction, "id"));
    let reply = json!({ "client_message_id": "c-1", "text": "Já saiu." });
    scene.world.post(&agent, &path, reply).await.expect(201);
    let work = scene.world.get(&agent, "/api/v1/agents/me/work").await;
    let work = text(&work.expect(200)["items"][0], "work");
    let path = format!("/api/v1/work/{work}/disposition");
    let closing = json!({ "disposition": "resolvido" });
    scene.world.post(&agent, &path, closing).await.expect(204);

    let (mail, bytes) = scene.arrived().await;
    let protocol = text(&interaction, "protocol");
    assert!(mail.subject.contains(&protocol), "{}", mail.subject);
    for words in ["Carla:\nOnde está meu <pedido>?", "Ana:\nJá saiu."] {
        assert!(mail.text.contains(words), "{}", mail.text);
    }
    let head = String::from_utf8_lossy(&bytes);
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    let id = text(&interaction, "id").parse().expect("an id");
    scene
        .until("its end", async || {
            let state = store::transcripts::state(scene.world.store.pool(), &id).await;
            (state.expect("a state").as_deref() == Some("sent")).then_some(())
        })
        .await;
}

//! What machines write to each other: words by themselves, lists, and reports on what did not arrive.

use serde_json::{Value, json};

use super::house::CLIENT;
use super::{Scene, draft, text};

/// The message of ours in an interaction, once it is no longer on its way.
async fn greeting(scene: &Scene, interaction: &Value) -> Value {
    scene.sent(&text(interaction, "id"), 2).await
}

/// The one interaction of these that is not among those.
fn newest(now: &[Value], before: &[Value]) -> Value {
    let is_new = |one: &&Value| !before.iter().any(|old| old["id"] == one["id"]);
    now.iter().find(is_new).expect("a new one").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_of_our_own_goes_to_people_once_a_day_and_to_no_machine() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let life = json!({ "greeting": { "pt-BR": "Olá, {{name}}! Já respondemos." } });
    scene.set(json!({ "life": life })).await;
    let list = "From: Ofertas <ofertas@loja.example>\r\nTo: ana@loja.example\r\nSubject: Ofertas\r\n\
         Message-ID: <promo@cliente.example>\r\nList-Id: <ofertas.cliente.example>\r\n\r\nCompre!\r\n";
    scene.post(Some(CLIENT), list.as_bytes()).await;
    let first = scene.interactions(1).await;
    let refused = greeting(&scene, &first[0]).await;
    assert_eq!(
        (&refused["state"], &refused["failure"]["advice"]),
        (&json!("failed"), &json!("automatic_not_sent"))
    );

    scene
        .write(&draft("Meu pedido", "Onde está?"), "um", &[])
        .await;
    let second = scene.interactions(2).await;
    let told = greeting(&scene, &newest(&second, &first)).await;
    assert_eq!(told["state"], "accepted", "{told}");
    assert_eq!(told["author"]["purpose"], "greeting");
    let (mail, bytes) = scene.arrived().await;
    assert!(
        mail.text.starts_with("Olá, Carla Cliente! Já respondemos."),
        "{}",
        mail.text
    );
    assert_eq!(mail.in_reply_to, ["um@cliente.example"]);
    // A machine that gets it knows that one wrote it, and has nowhere to answer to.
    let head = String::from_utf8_lossy(&bytes);
    assert!(head.contains("Auto-Submitted: auto-replied"), "{head}");
    assert_eq!(mail.return_path.as_deref(), Some(""), "{head}");

    scene
        .write(&draft("Outro pedido", "E este?"), "dois", &[])
        .await;
    let third = scene.interactions(3).await;
    let refused = greeting(&scene, &newest(&third, &second)).await;
    assert_eq!(
        (&refused["state"], &refused["failure"]["advice"]),
        (&json!("failed"), &json!("automatic_not_sent"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_a_mail_did_not_arrive_is_told_at_it_with_what_to_do() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene
        .write(&draft("Meu pedido", "Onde está?"), "um", &[])
        .await;
    let interaction = text(&scene.interactions(1).await[0], "id");
    let agent = scene.take().await;
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let reply = json!({ "client_message_id": "c-1", "text": "Já saiu." });
    scene.world.post(&agent, &path, reply).await.expect(201);
    let sent = scene.sent(&interaction, 2).await;
    assert_eq!(sent["state"], "accepted", "{sent}");
    let report = format!(
        "From: Mail Delivery System <MAILER-DAEMON@mail.loja.example>\r\n\
         To: ana@loja.example\r\nSubject: Undelivered Mail Returned to Sender\r\n\
         Message-ID: <report@mail.loja.example>\r\nAuto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mail.loja.example\r\n\r\n\
         Final-Recipient: rfc822; {CLIENT}\r\nAction: failed\r\nStatus: 5.2.2\r\n\
         Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{}>\r\n\r\n--b--\r\n",
        text(&sent, "external_id")
    );
    scene.post(None, report.as_bytes()).await;
    let failed = scene
        .until("the failure", async || {
            let listed = scene.world.get(&scene.admin, &path).await.expect(200);
            let message = listed["items"][1].clone();
            (message["state"] == "failed").then_some(message)
        })
        .await;
    let failure = &failed["failure"];
    assert_eq!(failure["advice"], "mailbox_full", "{failure}");
    assert!(!text(failure, "sentence").is_empty(), "{failure}");
    // It is no work, and not in the conversation.
    assert_eq!(scene.messages(&interaction, 2).await.len(), 2);
    scene.interactions(1).await;
}

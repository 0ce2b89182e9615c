//! What is set of mailboxes, tried and shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{DOT, Scene, mailbox, text};
use crate::world::{As, World};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_tried_before_they_are_saved_and_say_what_is_wrong() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let path = "/api/v1/email/check";
    let mut settings = mailbox(&scene.house);
    let asked = json!({ "settings": settings });
    let report = scene
        .world
        .post(&scene.admin, path, asked)
        .await
        .expect(200);
    assert_eq!(
        (&report["ok"], &report["headline"]),
        (&json!(true), &json!("Configurações OK"))
    );
    settings["password"] = json!("errada");
    let asked = json!({ "settings": settings });
    let report = scene
        .world
        .post(&scene.admin, path, asked)
        .await
        .expect(200);
    assert_eq!(report["ok"], false);
    assert_eq!(
        report["headline"],
        "O servidor recusou o usuário ou a senha: confira os dois."
    );
    let steps = report["steps"].as_array().expect("a list");
    let failed: Vec<_> = steps
        .iter()
        .filter(|step| step["outcome"] == "failed")
        .map(|step| (text(step, "side"), text(step, "step"), text(step, "advice")))
        .collect();
    let login = |side: &str| {
        (
            side.to_owned(),
            "login".to_owned(),
            "login_refused".to_owned(),
        )
    };
    assert_eq!(failed, [login("receiving"), login("sending")]);

    // Those of a channel: its password where server and user are the same, and nowhere else.
    let mut settings = mailbox(&scene.house);
    settings
        .as_object_mut()
        .expect("an object")
        .remove("password");
    let asked = json!({ "settings": settings, "channel": scene.channel });
    let report = scene
        .world
        .post(&scene.admin, path, asked)
        .await
        .expect(200);
    assert_eq!(report["ok"], true);
    settings["receiving"]["host"] = json!("127.0.0.1");
    let asked = json!({ "settings": settings, "channel": scene.channel });
    assert_eq!(
        scene.world.post(&scene.admin, path, asked).await.code(422),
        "required"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_kept_and_never_shown_nor_carried_elsewhere() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let path = format!("/api/v1/channels/{}", scene.channel);
    let shown = scene.world.get(&scene.admin, &path).await.expect(200);
    assert_eq!(shown["settings"]["password"], json!(null));
    assert!(!shown.to_string().contains("s3gr3do"), "{shown}");
    let mut form = scene.form();
    form["settings"]
        .as_object_mut()
        .expect("an object")
        .remove("password");
    form["settings"]["reply_to_all"] = json!(true);
    scene
        .world
        .put(&scene.admin, &path, form.clone())
        .await
        .expect(200);
    form["settings"]["sending"]["host"] = json!("mail.outra.example");
    assert_eq!(
        scene
            .world
            .put(&scene.admin, &path, form.clone())
            .await
            .code(422),
        "required"
    );
    form["settings"]["password"] = json!("outra");
    scene.world.put(&scene.admin, &path, form).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_cannot_be_read_says_so_and_is_read_once_it_is_mended() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let path = format!("/api/v1/channels/{}", scene.channel);
    let mut form = scene.form();
    form["settings"]["password"] = json!("errada");
    scene.world.put(&scene.admin, &path, form).await.expect(200);
    let state = format!("{path}/email");
    let failing = scene
        .until("a failure", async || {
            let state = scene.world.get(&scene.admin, &state).await.expect(200);
            (state["state"] == "failing").then_some(state)
        })
        .await;
    let failure = &failing["failure"];
    assert_eq!(
        (&failure["step"], &failure["advice"]),
        (&json!("login"), &json!("login_refused"))
    );
    assert!(text(failure, "sentence").contains("senha"), "{failure}");
    scene
        .world
        .put(&scene.admin, &path, scene.form())
        .await
        .expect(200);
    scene
        .until("a look", async || {
            let state = scene.world.get(&scene.admin, &state).await.expect(200);
            (state["state"] == "ok").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_shown_as_the_mail_that_would_be_sent() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let server = |port| json!({ "host": "mail.loja.example", "port": port, "security": "tls" });
    let runs = json!([
        { "kind": "text", "text": "Loja Exemplo", "bold": true, "color": "#aa0000", "size": 18 },
        { "kind": "break" },
        { "kind": "image", "media": "logo", "alt": "Logo" },
    ]);
    let mut settings = json!({
        "address": "sac@loja.example", "sender_name": "SAC", "protocol": "imap",
        "receiving": server(993), "sending": server(465),
        "signature": { "paragraphs": [{ "align": "center", "runs": runs }] },
        "pictures": { "logo": { "name": "logo.png", "data": DOT } },
    });
    let path = "/api/v1/email/preview";
    let shown = world
        .post(&admin, path, json!({ "settings": settings }))
        .await
        .expect(200);
    let original = STANDARD.decode(text(&shown, "original")).expect("base64");
    let mail = channels::email::read(&original).expect("a mail");
    assert_eq!(
        mail.author().map(ToString::to_string).as_deref(),
        Some("SAC <sac@loja.example>")
    );
    assert!(
        mail.files
            .iter()
            .any(|file| file.shown && file.mime == "image/png")
    );
    let page = text(&shown, "page");
    assert!(page.contains("color:#aa0000"), "{page}");
    assert!(
        page.contains(&format!("data:image/png;base64,{DOT}")),
        "{page}"
    );
    assert!(
        text(&shown, "text").ends_with("-- \nLoja Exemplo\n[Logo]"),
        "{shown}"
    );
    // A picture that is none, and one that is not there.
    settings["pictures"]["logo"]["data"] = json!("PHNjcmlwdD4=");
    let asked = json!({ "settings": settings });
    assert_eq!(
        world.post(&admin, path, asked).await.expect(422)["field"],
        "settings.pictures"
    );
    settings["pictures"] = json!({});
    let asked = json!({ "settings": settings });
    assert_eq!(
        world.post(&admin, path, asked).await.expect(422)["field"],
        "settings.signature"
    );
    assert_eq!(
        world.post(&As::Nobody, path, json!({})).await.code(401),
        "unauthorized"
    );
}

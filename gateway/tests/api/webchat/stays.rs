//! Who somebody is, and what an administrator sets.

use channels::secret::Secret;
use channels::webchat::identity;
use serde_json::{Value, json};

use super::{Shop, hello, text_of, texts};
use crate::world::As;

fn user(secret: &str, user: &str) -> Value {
    let hash = identity::hash(user, &Secret::new(secret));
    json!({ "user_id": user, "hash": hash, "name": "Ana Souza" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_shop_is_the_same_in_every_browser_and_nobody_else_is() {
    let shop = Shop::new().await;
    let secret = text_of(&shop.made["identity_secret"]);
    let mut phone = shop.page().await;
    let identity = json!({ "identity": user(&secret, "C-991") });
    phone.say(hello(identity.clone())).await;
    assert_eq!(phone.until("welcome").await["identified"], true);
    phone.write("00000001", "Do telefone").await;

    let mut desktop = shop.page().await;
    desktop.say(hello(identity)).await;
    desktop.until("welcome").await;
    assert_eq!(texts(&desktop.until("messages").await), ["Do telefone"]);

    // Who cannot prove it is nobody, and is shown nothing.
    let mut thief = shop.page().await;
    thief
        .say(hello(json!({ "identity": user("outro", "C-991") })))
        .await;
    let welcome = thief.until("welcome").await;
    assert_eq!(
        (&welcome["identified"], &welcome["last_seq"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(thief.until("error").await["code"], "identity");

    // A secret that was made anew proves, and so does the one before it.
    let path = format!("/api/v1/channels/{}/identity-secret", shop.channel);
    let made = shop
        .world
        .post(&shop.admin, &path, json!({}))
        .await
        .expect(200);
    let other = text_of(&made["identity_secret"]);
    assert_ne!(other, secret);
    for secret in [&secret, &other] {
        let mut page = shop.page().await;
        page.say(hello(json!({ "identity": user(secret, "C-991") })))
            .await;
        assert_eq!(page.until("welcome").await["identified"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_turns_out_to_be_a_user_keeps_what_they_wrote_before() {
    let shop = Shop::new().await;
    let secret = text_of(&shop.made["identity_secret"]);
    let (mut page, _) = shop.visitor().await;
    page.write("00000001", "Antes de entrar").await;
    page.say(json!({ "type": "identify", "identity": user(&secret, "C-1") }))
        .await;
    let welcome = page.until("welcome").await;
    assert_eq!(
        (&welcome["identified"], &welcome["last_seq"]),
        (&json!(true), &json!(1))
    );
    let token = text_of(&welcome["token"]);
    drop(page);
    // Without the shop's word their token opens nothing: it is a shared computer.
    let mut page = shop.page().await;
    page.say(hello(json!({ "token": token }))).await;
    let welcome = page.until("welcome").await;
    assert_eq!(
        (&welcome["identified"], &welcome["last_seq"]),
        (&json!(false), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_asked_for_before_the_first_message_and_kept() {
    let consent = json!({ "version": "2026-11", "text": { "pt-BR": "Concordo" } });
    let form = json!({ "name": "must", "email": "ask", "phone": "no", "consent": consent });
    let shop = Shop::with(json!({ "form": form })).await;
    let (mut page, token) = shop.visitor().await;
    page.say(super::send("00000001", "Oi")).await;
    let error = page.until("error").await;
    assert_eq!(error["code"], "form_needed");
    assert_eq!(error["fields"], json!(["name", "consent"]));
    let mut send = super::send("00000001", "Oi");
    send["form"] = json!({ "name": "Ana Souza", "email": "ana@exemplo.com.br",
        "consent": { "version": "2026-11", "at_ms": 1 } });
    page.say(send).await;
    page.until("ack").await;
    let mut page = shop.page().await;
    page.say(hello(json!({ "token": token }))).await;
    let known = &page.until("welcome").await["known"];
    assert_eq!(known["name"], "Ana Souza");
    assert_eq!(known["consent"], "2026-11");
    let (ana, _) = shop.ana().await;
    let (_, interaction) = shop.take(&ana).await;
    let path = format!("/api/v1/interactions/{interaction}");
    let read = shop.world.get(&shop.admin, &path).await.expect(200);
    let shown = read.to_string();
    assert!(shown.contains("ana@exemplo.com.br"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_shown_once_and_settings_that_make_no_sense_are_refused() {
    let shop = Shop::new().await;
    assert_eq!(text_of(&shop.made["identity_secret"]).len(), 64);
    let script = format!("/webchat/{}/widget.js", shop.channel);
    assert_eq!(shop.made["widget_path"], json!(script));
    let path = format!("/api/v1/channels/{}", shop.channel);
    let read = shop.world.get(&shop.admin, &path).await.expect(200);
    let secret = text_of(&shop.made["identity_secret"]);
    assert!(!read.to_string().contains(&secret));
    let list = shop
        .world
        .get(&shop.admin, "/api/v1/channels")
        .await
        .expect(200);
    assert!(!list.to_string().contains(&secret));
    for settings in [
        json!({ "colour": "red" }),
        json!({ "origins": ["loja.exemplo.com.br"] }),
        json!({ "origins": ["https://loja.exemplo.com.br/pagina"] }),
        json!({ "files": { "bytes_max": 0, "kinds": ["image"] } }),
        json!({ "title": "x".repeat(100) }),
        json!({ "life": { "survey": { "id": "s", "questions": [] } } }),
        json!({ "unknown": 1 }),
        json!({ "transcript": true }),
        json!({ "logo": "01kb0000000000000000000000" }),
        json!({ "reopen_minutes": 100_000 }),
        json!([]),
    ] {
        let channel = json!({ "kind": "webchat", "name": "x", "service": shop.service,
            "settings": settings });
        let answer = shop.world.put(&shop.admin, &path, channel).await;
        assert_eq!(answer.status, 422, "{settings}");
    }
    // What is set stays proven by the same secret.
    let channel = json!({ "kind": "webchat", "name": "Loja", "service": shop.service,
        "settings": { "colour": "#112233" } });
    shop.world
        .put(&shop.admin, &path, channel)
        .await
        .expect(200);
    let mut page = shop.page().await;
    page.say(hello(json!({ "identity": user(&secret, "C-1") })))
        .await;
    assert_eq!(page.until("welcome").await["identified"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pages_on_the_list_may_show_the_frame() {
    let shop = Shop::with(json!({ "origins": ["https://loja.exemplo.com.br"] })).await;
    let path = format!("/webchat/{}/frame", shop.channel);
    let frame = shop.world.get(&As::Nobody, &path).await;
    assert_eq!(frame.status, 200);
    let policy = frame.headers["content-security-policy"]
        .to_str()
        .expect("text");
    let ancestors = "frame-ancestors 'self' https://loja.exemplo.com.br";
    assert!(policy.contains(ancestors), "{policy}");
    assert!(!frame.headers.contains_key("x-frame-options"));
    // The socket is the frame's own, wherever it is shown.
    for (origin, status) in [(Some("https://loja.exemplo.com.br"), 403), (None, 403)] {
        let refused = shop.page_from(origin).await.err();
        assert_eq!(refused, Some(status), "{origin:?}");
    }
    let shut = Shop::new().await;
    let path = format!("/webchat/{}/frame", shut.channel);
    let frame = shut.world.get(&As::Nobody, &path).await;
    let policy = frame.headers["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(policy.ends_with("frame-ancestors 'self'"), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_in_time_goes_on_with_the_same_matter_without_a_form() {
    let form = json!({ "name": "must", "email": "no", "phone": "no" });
    let shop = Shop::with(json!({ "reopen_minutes": 60, "form": form })).await;
    let (mut page, _) = shop.visitor().await;
    let mut send = super::send("00000001", "Oi");
    send["form"] = json!({ "name": "Ana Souza" });
    page.say(send).await;
    page.until("ack").await;
    let (ana, _) = shop.ana().await;
    let (work, interaction) = shop.take(&ana).await;
    shop.close(&ana, &work).await;
    page.until_phase("closed").await;
    page.write("00000002", "Mais uma coisa").await;
    let (_, again) = shop.take(&ana).await;
    assert_eq!(again, interaction, "the same matter");
}

//! What a browser never sends.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{Shop, hello, send};
use crate::world::As;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_frame_is_answered_and_the_conversation_goes_on() {
    let shop = Shop::new().await;
    let (mut page, _) = shop.visitor().await;
    let deep = "[".repeat(20_000);
    let wrong: Vec<(Message, &str)> = vec![
        (Message::text("nada"), "bad_frame"),
        (Message::text(""), "bad_frame"),
        (Message::text("null"), "bad_frame"),
        (Message::text("[1]"), "bad_frame"),
        (Message::text(deep), "bad_frame"),
        (Message::binary(vec![0_u8, 159, 146, 150]), "bad_frame"),
        (Message::text(r#"{"type":"unknown"}"#), "bad_frame"),
        (Message::text(r#"{"type":"send"}"#), "bad_frame"),
        (Message::text(hello(json!({})).to_string()), "bad_frame"),
        (Message::text(send("curto", "Oi").to_string()), "bad_frame"),
        (Message::text(send("00000001", "").to_string()), "invalid"),
        (
            Message::text(send("00000001", &"x".repeat(4_001)).to_string()),
            "invalid",
        ),
        (
            Message::text(json!({ "type": "resume", "after_seq": -1 }).to_string()),
            "bad_frame",
        ),
        (
            Message::text(json!({ "type": "history", "before_seq": 5 }).to_string()),
            "bad_frame",
        ),
        (
            Message::text(
                json!({ "type": "send", "client_message_id": "00000001",
            "content": { "kind": "file", "upload": "../../etc/passwd" } })
                .to_string(),
            ),
            "bad_frame",
        ),
        (
            Message::text(
                json!({ "type": "send", "client_message_id": "00000001",
            "content": { "kind": "file", "upload": "01kb0000000000000000000000" } })
                .to_string(),
            ),
            "upload",
        ),
        (
            Message::text(
                json!({ "type": "transcript", "client_message_id": "00000001",
            "email": "ana@exemplo.com.br" })
                .to_string(),
            ),
            "invalid",
        ),
    ];
    for (message, code) in wrong {
        let said = message.to_string();
        page.raw(message).await;
        let error = page.until("error").await;
        assert_eq!(error["code"], code, "{said:.80}");
    }
    assert_eq!(page.write("00000001", &"é".repeat(4_000)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_say_hello_as_one_says_it_is_told_why_and_is_gone() {
    let shop = Shop::new().await;
    let forged = format!("{}x", "a".repeat(60));
    for (first, code) in [
        (hello(json!({ "v": 2 })), "version"),
        (hello(json!({ "token": forged })), "token"),
        (json!({ "type": "typing", "on": true }), "bad_frame"),
        (json!({}), "bad_frame"),
    ] {
        let mut page = shop.page().await;
        page.say(first.clone()).await;
        let mut told = vec![];
        let over = loop {
            match page.next().await {
                Ok(frame) => told.push(frame["code"].clone()),
                Err(over) => break over,
            }
        };
        assert_eq!(over, format!("4000 {code}"), "{first}: {told:?}");
    }
    // A frame that is larger than any ends the connection, and nothing else.
    let mut page = shop.page().await;
    page.raw(Message::text("x".repeat(40_000))).await;
    assert!(page.next().await.is_err());
    shop.visitor().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_channel_is_nobodys() {
    let shop = Shop::new().await;
    let (_, token) = shop.visitor().await;
    let channel = json!({ "kind": "webchat", "name": "Outra", "service": shop.service });
    let other = shop
        .world
        .post(&shop.admin, "/api/v1/channels", channel)
        .await;
    let other = super::text_of(&other.expect(201)["id"]);
    let path = format!("/webchat/{other}/frames");
    let ask = |token: &str| {
        let value = format!("Bearer {token}");
        axum::http::Request::get(&path).header("authorization", value)
    };
    for shown in [token.as_str(), "", "x", "á"] {
        let request = ask(shown).body(axum::body::Body::empty());
        let Ok(request) = request else { continue };
        let answer = shop.world.send(&As::Nobody, request).await;
        assert_eq!(answer.expect(401)["frames"][0]["code"], "token", "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_too_fast_waits_and_nobody_else_does() {
    let shop = Shop::new().await;
    let (mut page, _) = shop.visitor().await;
    let mut refused = None;
    for number in 0..30 {
        page.say(send(&format!("{number:08}"), "Oi")).await;
        let told = page
            .until_it(|frame| frame["type"] == "ack" || frame["type"] == "error")
            .await;
        if told["type"] == "error" {
            refused = Some(told);
            break;
        }
    }
    let refused = refused.expect("somebody who is too fast is told so");
    assert_eq!(refused["code"], "too_fast");
    assert!(
        refused["retry_after_ms"]
            .as_u64()
            .is_some_and(|wait| wait <= 1_001)
    );
    let (mut other, _) = shop.visitor().await;
    other.write("00000001", "Oi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ninth_page_of_a_visitor_takes_the_place_of_the_first() {
    let shop = Shop::new().await;
    let (mut first, token) = shop.visitor().await;
    let mut pages = vec![];
    for _ in 0..8 {
        let mut page = shop.page().await;
        page.say(hello(json!({ "token": token }))).await;
        page.until("welcome").await;
        pages.push(page);
    }
    let over = loop {
        if let Err(over) = first.next().await {
            break over;
        }
    };
    assert_eq!(over, "4000 replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_is_bounded_and_refused_in_the_same_words() {
    let shop = Shop::new().await;
    let first = shop.posted("", json!([hello(json!({}))])).await.expect(200);
    let token = super::text_of(&first["frames"][0]["token"]);
    let many: Vec<Value> = (0..21)
        .map(|_| json!({ "type": "typing", "on": true }))
        .collect();
    for (frames, status, code) in [
        (json!("nada"), 400, "bad_frame"),
        (json!(many), 413, "too_large"),
        (json!(["x".repeat(70_000)]), 413, "too_large"),
    ] {
        let answer = shop.posted(&token, frames).await;
        assert_eq!(answer.expect(status)["frames"][0]["code"], code);
    }
    let answer = shop.posted("", json!([send("00000001", "Oi")])).await;
    assert_eq!(answer.expect(401)["frames"][0]["code"], "token");
    for path in [
        "/webchat/%00/frame",
        "/webchat/none/frame",
        "/webchat/none/widget.js",
        "/webchat/assets/../frame.html",
        "/webchat/assets/none.js",
        "/demo/none.js",
        "/demo/index.html",
        "/media/00/thumbnail",
    ] {
        let answer = shop.world.get(&As::Nobody, path).await;
        let is_refused = [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&answer.status);
        assert!(is_refused, "{path}: {}", answer.status);
    }
    for query in ["after_seq=x", "after_seq=-1", "state=99999999999999999999"] {
        let answer = shop.polled(&token, query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["frames"][0]["code"], "bad_frame", "{query}");
    }
}

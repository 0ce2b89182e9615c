//! Bad files are refused with a reason, and nothing is kept of them.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::world::{World, tone};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_upload_is_refused_with_its_reason() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["write"]).await;
    let whole = tone();
    let silent: Vec<u8> = whole
        .iter()
        .enumerate()
        .map(|(at, byte)| if at < 44 { *byte } else { 0 })
        .collect();
    let cases: [(&str, &[u8], &str); 4] = [
        ("empty", b"", "audio_empty"),
        (
            "text",
            b"this is no sound at all, whatever its name says",
            "audio_unknown_kind",
        ),
        ("truncated", &whole[..whole.len() / 2], "audio_truncated"),
        ("silent", &silent, "audio_silent"),
    ];
    for (name, file, code) in cases {
        let answer = world.upload(&admin, name, file).await;
        assert_eq!(answer.code(422), code, "{name}");
        assert_eq!(answer.json()["field"], "file");
        assert!(
            !answer.json()["message"]
                .as_str()
                .unwrap_or_default()
                .is_empty()
        );
    }
    assert_eq!(
        world.get(&admin, "/api/v1/prompts").await.expect(200)["items"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_413_and_one_that_is_no_json_is_400() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["write"]).await;
    let large = json!({ "name": "x".repeat(2 * 1024 * 1024) });
    assert_eq!(
        world
            .post(&admin, "/api/v1/services", large)
            .await
            .code(413),
        "too_large"
    );
    let send = async |kind: &str, body: &'static str| {
        let request = Request::post("/api/v1/services")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body));
        world.send(&admin, request.expect("a request")).await
    };
    assert_eq!(send("application/json", "{").await.code(400), "malformed");
    assert_eq!(send("text/plain", "{}").await.code(415), "not_json");
    assert_eq!(
        send("application/json", "{\"nome\": 1}").await.code(422),
        "invalid"
    );
    let nested = format!("{{\"announcements\": {}", "[".repeat(100_000));
    let request = Request::post("/api/v1/services")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(nested));
    let answer = world.send(&admin, request.expect("a request")).await;
    assert_eq!(answer.code(422), "invalid");
}

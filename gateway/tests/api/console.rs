//! The console: the page that is in the program, and the description of the API from which it knows the API.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, Request, header};

use crate::world::{Answer, As, World};

async fn page(world: &World, path: &str, packed: bool) -> Answer {
    let mut request = Request::get(path);
    if packed {
        request = request.header(header::ACCEPT_ENCODING, "br, gzip");
    }
    let request = request.body(Body::empty()).expect("a request");
    world.send(&As::Nobody, request).await
}

fn header_of(answer: &Answer, name: &str) -> String {
    let value = answer.headers.get(name);
    let value = value.and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// What follows `before` in `text`, up to a quotation mark.
fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let parts = text.split(before).skip(1);
    parts
        .filter_map(|part| part.split(['"', '\'']).next())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_in_the_console_is_one_page_that_runs_nothing_of_others() {
    let world = World::new().await;
    let mut nonces = vec![];
    for path in ["/", "/login", "/work/w1?x=1"] {
        let answer = page(&world, path, false).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert_eq!(
            header_of(&answer, "content-type"),
            "text/html; charset=utf-8"
        );
        assert_eq!(header_of(&answer, "cache-control"), "no-cache");
        assert_eq!(header_of(&answer, "x-frame-options"), "DENY");
        let policy = header_of(&answer, "content-security-policy");
        assert!(
            policy.contains("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        let nonce = quoted(&policy, "'nonce-")[0].to_owned();
        let text = String::from_utf8(answer.bytes).expect("text");
        assert!(!text.contains("{{nonce}}"), "{text}");
        // A program that was built without the console says how to build it.
        assert!(
            text.contains(&format!("content=\"{nonce}\"")) || text.contains("cargo xtask console"),
            "{text}"
        );
        nonces.push(nonce);
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "each page has its own: {nonces:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scripts_and_styles_of_the_console_are_packed_and_kept_for_ever() {
    let world = World::new().await;
    let text = String::from_utf8(page(&world, "/", false).await.bytes).expect("text");
    let assets = quoted(&text, "=\"/assets/");
    let was_built = !text.contains("cargo xtask console");
    assert_eq!(!assets.is_empty(), was_built, "{text}");
    for asset in assets {
        let path = format!("/assets/{asset}");
        let plain = page(&world, &path, false).await;
        let packed = page(&world, &path, true).await;
        for answer in [&plain, &packed] {
            assert_eq!(answer.status.as_u16(), 200, "{path}");
            assert_eq!(
                header_of(answer, "cache-control"),
                "public, max-age=31536000, immutable"
            );
            assert_eq!(header_of(answer, "vary"), "accept-encoding");
        }
        assert_eq!(header_of(&plain, "content-encoding"), "");
        assert_eq!(header_of(&packed, "content-encoding"), "gzip");
        assert!(packed.bytes.len() < plain.bytes.len(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_place_in_the_console_is_still_not_there() {
    let world = World::new().await;
    for path in [
        "/api/v1/nothing",
        "/api",
        "/assets/nothing.js",
        "/media/nothing/more/of/it",
        "/webchat/nothing",
        "/favicon.ico",
        "/.env",
    ] {
        let answer = page(&world, path, false).await;
        assert_eq!(answer.code(404), "not_found", "{path}");
    }
    let request = Request::builder().method(Method::POST).uri("/work/w1");
    let request = request.body(Body::empty()).expect("a request");
    world.send(&As::Nobody, request).await.expect(404);
}

#[test]
fn the_console_knows_the_api_as_it_is() {
    let api = serde_json::to_string_pretty(&ramal::http::document());
    let schemas = [
        ("openapi.json", api),
        (
            "schemas/flow.json",
            serde_json::to_string_pretty(&ivr::schema::flow()),
        ),
        (
            "schemas/simple-form.json",
            serde_json::to_string_pretty(&ivr::schema::simple_form()),
        ),
    ];
    for (name, document) in schemas {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../console/app")
            .join(name);
        let document = document.expect("JSON") + "\n";
        if std::env::var_os("RAMAL_TEST_WRITE_OPENAPI").is_some() {
            std::fs::write(&path, &document).expect("written");
        }
        let known = std::fs::read_to_string(&path).expect("a description");
        assert!(
            known == document,
            "console/app/{name} is old: RAMAL_TEST_WRITE_OPENAPI=1 cargo nextest run --workspace \
             -E 'test(the_console_knows_the_api)' writes it anew"
        );
    }
}

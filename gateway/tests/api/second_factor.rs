//! Who logs in shows a code of their authenticator app beside the password.

use axum::http::Method;
use ramal::second_factor::SecondFactor;
use serde_json::json;
use store::users::Role;

use crate::world::{Answer, As, PASSWORD, World};

const OWN: &str = "/api/v1/session/second-factor";

async fn log_in(world: &World, code: Option<&str>) -> Answer {
    let mut body = json!({ "email": "ana@a.example", "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    world.post(&As::Nobody, "/api/v1/session", body).await
}

/// Ana sets her second factor: her app, the code that she showed, and her codes on paper.
async fn set(world: &World, ana: &As) -> (SecondFactor, String, Vec<String>) {
    let password = json!({ "password": PASSWORD });
    let offered = world.post(ana, OWN, password).await.expect(201);
    let secret = offered["secret"].as_str().expect("a secret");
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base 32");
    let app = SecondFactor::new(secret.as_bytes(), "ana@a.example").expect("a secret");
    let code = app.code(now_ms());
    let shown = json!({ "code": code });
    let begun = world.ask(ana, Method::PUT, OWN, Some(shown)).await;
    let codes = begun.expect(200)["recovery_codes"].clone();
    (app, code, serde_json::from_value(codes).expect("codes"))
}

fn now_ms() -> i64 {
    media_engine_net::clock::wall().as_millisecond()
}

async fn world() -> (World, As) {
    let mut world = World::new().await;
    world.company("a").await;
    world.user("ana@a.example", Some("a"), Role::Agent).await;
    let ana = world.log_in("ana@a.example").await;
    (world, ana)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_set_one_is_asked_for_it_and_no_code_counts_twice() {
    let (world, ana) = world().await;
    let wrong = world
        .post(&ana, OWN, json!({ "password": "not the password" }))
        .await;
    assert_eq!(wrong.code(401), "bad_login");
    let early = world
        .ask(&ana, Method::PUT, OWN, Some(json!({ "code": "000000" })))
        .await;
    early.expect(404);
    let (app, used, codes) = set(&world, &ana).await;
    assert_eq!(codes.len(), 10);
    let known = world.get(&ana, OWN).await.expect(200);
    assert!(
        known["since_ms"].is_i64() && known["recovery_codes_left"] == 10,
        "{known}"
    );

    assert_eq!(
        log_in(&world, None).await.code(401),
        "second_factor_required"
    );
    assert_eq!(
        log_in(&world, Some(&used)).await.code(401),
        "second_factor_wrong"
    );
    // An app may be half a minute ahead.
    let next = app.code(now_ms() + 30_000);
    log_in(&world, Some(&next)).await.expect(201);
    assert_eq!(
        log_in(&world, Some(&next)).await.code(401),
        "second_factor_wrong"
    );
    let typed = codes[3].to_uppercase().replace('-', " ");
    log_in(&world, Some(&typed)).await.expect(201);
    assert_eq!(
        log_in(&world, Some(&typed)).await.code(401),
        "second_factor_wrong"
    );

    let again = world.post(&ana, OWN, json!({ "password": PASSWORD })).await;
    assert_eq!(again.code(409), "second_factor_set");
    let end = format!("{OWN}/end");
    assert_eq!(
        world
            .post(&ana, &end, json!({ "password": "x" }))
            .await
            .code(401),
        "bad_login"
    );
    world
        .post(&ana, &end, json!({ "password": PASSWORD }))
        .await
        .expect(204);
    log_in(&world, None).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_codes_waits_and_an_administrator_helps_who_lost_them() {
    let (mut world, ana) = world().await;
    world.company("b").await;
    let (_, _, codes) = set(&world, &ana).await;
    let mut waits = 0;
    for guess in 0..20 {
        let answer = log_in(&world, Some(&format!("palpite {guess}"))).await;
        waits += u32::from(answer.status == 429);
    }
    assert!(waits >= 5, "{waits}");
    assert_eq!(
        log_in(&world, Some(&codes[0])).await.status,
        429,
        "with a right one too"
    );

    let me = world.get(&ana, "/api/v1/session").await.expect(200);
    let path = format!(
        "/api/v1/users/{}/second-factor",
        me["user"].as_str().expect("an id")
    );
    for (administrator, company, status) in
        [("chefe@b.example", "b", 404), ("chefe@a.example", "a", 204)]
    {
        world
            .user(administrator, Some(company), Role::Administrator)
            .await;
        let administrator = world.log_in(administrator).await;
        assert_eq!(
            world.ask(&ana, Method::DELETE, &path, None).await.status,
            403
        );
        let person = path.trim_end_matches("/second-factor");
        let before = world.get(&administrator, person).await;
        let answer = world.ask(&administrator, Method::DELETE, &path, None).await;
        assert_eq!(answer.status, status);
        if status == 204 {
            assert_eq!(before.expect(200)["second_factor"], true);
            let after = world.get(&administrator, "/api/v1/users").await.expect(200);
            let mut people = after["items"].as_array().expect("a list").iter();
            assert!(people.all(|person| person["second_factor"] == false));
        }
    }
    log_in(&world, None).await.expect(201);
}

//! Connecting a mailbox by OAuth2, with a provider of the test.

use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json};
use axum::routing::post;
use channels::secret::Secret;
use gateway_net::fetch::Inside;
use gateway_net::mail::Dialer;
use gateway_net::mail::oauth::Endpoints;
use ramal::channels::email::accounts::{Registration, Registrations};
use serde_json::{Value, json};
use std::collections::HashMap;
use store::users::Role;
use tokio::net::TcpListener;
use url::Url;

use super::text;
use crate::world::{MailAround, World};

/// A provider that gives tokens for one code.
async fn provider() -> String {
    async fn token(Form(form): Form<HashMap<String, String>>) -> axum::response::Response {
        let has = |name: &str, value: &str| form.get(name).is_some_and(|is| is == value);
        if has("code", "the-code") && has("client_secret", "secret") {
            assert_eq!(
                form["redirect_uri"],
                "https://omni.loja.example/oauth/email"
            );
            assert!(form["code_verifier"].len() >= 43);
            let granted = json!({ "access_token": "a", "refresh_token": "r", "expires_in": 3600 });
            return Json(granted).into_response();
        }
        let denied = json!({ "error": "invalid_grant", "error_description": "no" });
        (StatusCode::BAD_REQUEST, Json(denied)).into_response()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new().route("/token", post(token));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn state(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    let found = url.query_pairs().find(|(name, _)| name == "state");
    found.expect("a state").1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_connected_by_the_person_who_was_sent_there_and_by_nobody_else() {
    let provider = provider().await;
    let registration = Registration {
        client_id: "id".to_owned(),
        client_secret: Secret::new("secret"),
        endpoints: Some(Endpoints {
            authorise: format!("{provider}/authorise"),
            token: format!("{provider}/token"),
        }),
    };
    let around = MailAround {
        dialer: Dialer::new(Inside::Refused, vec![]),
        registrations: Registrations {
            google: Some(registration),
            microsoft: None,
            redirect: "https://omni.loja.example/oauth/email".to_owned(),
        },
    };
    let mut world = World::with_mail(around).await;
    world.company("a").await;
    world
        .user("chefe@a.example", Some("a"), Role::Administrator)
        .await;
    world
        .user("outra@a.example", Some("a"), Role::Administrator)
        .await;
    let chief = world.log_in("chefe@a.example").await;
    let other = world.log_in("outra@a.example").await;
    let service = json!({ "name": "Suporte" });
    let service = world
        .post(&chief, "/api/v1/services", service)
        .await
        .expect(201);
    let form = |login: &str| {
        json!({ "name": login, "kind": "email", "service": service["id"], "settings":
            { "address": "sac@loja.example", "protocol": "imap", "login": login } })
    };
    let made = world
        .post(&chief, "/api/v1/channels", form("google"))
        .await
        .expect(201);
    let channel = text(&made, "id");
    let authorise = format!("/api/v1/channels/{channel}/email/authorise");
    let sent = world.post(&chief, &authorise, json!({})).await.expect(200);
    let url = text(&sent, "url");
    assert!(
        url.starts_with(&format!(
            "{provider}/authorise?response_type=code&client_id=id"
        )),
        "{url}"
    );
    let state = state(&url);

    let back = |state: &str, code: &str| format!("/oauth/email?state={state}&code={code}");
    // Another person, a state that is not ours, a code that is none.
    world
        .get(&other, &back(&state, "the-code"))
        .await
        .expect(403);
    world
        .get(&chief, &back("AAAA", "the-code"))
        .await
        .expect(403);
    assert_eq!(
        world.get(&chief, &back(&state, "x")).await.code(409),
        "not_authorised"
    );
    let denied = format!("/oauth/email?state={state}&error=access_denied");
    assert_eq!(world.get(&chief, &denied).await.code(409), "not_authorised");

    let done = world.get(&chief, &back(&state, "the-code")).await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&done.bytes).starts_with("Conta conectada"));
    let path = format!("/api/v1/channels/{channel}");
    let shown = world.get(&chief, &path).await.expect(200);
    assert_eq!(shown["settings"]["login"], "google");

    // Where nothing is registered nobody is sent.
    let made = world
        .post(&chief, "/api/v1/channels", form("microsoft"))
        .await
        .expect(201);
    let authorise = format!("/api/v1/channels/{}/email/authorise", text(&made, "id"));
    let refused = world.post(&chief, &authorise, json!({})).await;
    assert_eq!(refused.code(409), "not_registered");
    let kept: Value = made["settings"]["password"].clone();
    assert_eq!(kept, Value::Null);
}

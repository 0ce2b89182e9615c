//! Connecting a mailbox by OAuth2, with a provider of the test.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json};
use axum::routing::{get, post};
use channels::secret::Secret;
use gateway_net::fetch::Inside;
use gateway_net::mail::Dialer;
use gateway_net::mail::oauth::Endpoints;
use ramal::channels::email::accounts::{Registration, Registrations};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use store::users::Role;
use tokio::net::TcpListener;
use url::Url;

use super::certificate::Time;
use super::house::{ANA, House, Plan, TOKEN};
use super::{Scene, draft, text};
use crate::world::{As, MailAround, World};

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

/// A provider whose tokens Dovecot and Exim know: each is void within a minute, and what renews one is
/// good once.
#[derive(Clone, Default)]
struct Renewing {
    renewed: Arc<Mutex<u32>>,
}

impl Renewing {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new()
            .route("/token", post(grant))
            .route("/introspect", get(judge))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn count(&self) -> u32 {
        *self.renewed.lock().expect("nobody panicked")
    }
}

async fn grant(
    State(provider): State<Renewing>,
    Form(form): Form<HashMap<String, String>>,
) -> axum::response::Response {
    let mut renewed = provider.renewed.lock().expect("nobody panicked");
    let expected = format!("refresh-{renewed}");
    let access = match form["grant_type"].as_str() {
        "authorization_code" => "of the first minute",
        _ if form["refresh_token"] == expected => {
            *renewed += 1;
            TOKEN
        }
        _ => {
            let denied = json!({ "error": "invalid_grant" });
            return (StatusCode::BAD_REQUEST, Json(denied)).into_response();
        }
    };
    let refresh = format!("refresh-{renewed}");
    let granted = json!({ "access_token": access, "refresh_token": refresh, "expires_in": 60 });
    Json(granted).into_response()
}

async fn judge(Query(asked): Query<HashMap<String, String>>) -> Json<Value> {
    let active = asked.get("token").is_some_and(|token| token == TOKEN);
    Json(json!({ "active": active, "email": ANA }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_read_and_answered_from_by_tokens_that_are_renewed_again_and_again() {
    let provider = Renewing::default();
    let url = provider.start().await;
    let plan = Plan {
        certificate: Time::Good,
        introspection: Some(format!("{url}/introspect?token=")),
    };
    let Some(house) = House::start_as(&plan) else {
        return;
    };
    let registration = Registration {
        client_id: "id".to_owned(),
        client_secret: Secret::new("secret"),
        endpoints: Some(Endpoints {
            authorise: format!("{url}/authorise"),
            token: format!("{url}/token"),
        }),
    };
    let around = MailAround {
        dialer: house.dialer(),
        registrations: Registrations {
            google: None,
            microsoft: Some(registration),
            redirect: "https://omni.loja.example/oauth/email".to_owned(),
        },
    };
    let scene = Scene::over(house, around).await;
    scene.set(json!({ "login": "microsoft" })).await;
    let health = format!("/api/v1/channels/{}/health", scene.channel);
    let broken = scene
        .until("a failure", async || {
            let health = scene.world.get(&scene.admin, &health).await.expect(200);
            (health["state"] == "broken").then_some(health)
        })
        .await;
    assert_eq!(broken["failure"]["advice"], "token_refused", "{broken}");

    connect(&scene, &scene.admin).await;
    scene.write(&draft("um", "Oi"), "um", &[]).await;
    let interaction = text(&scene.interactions(1).await[0], "id");
    let health = scene.world.get(&scene.admin, &health).await.expect(200);
    assert_eq!(health["state"], "ok", "{health}");
    let agent = scene.take().await;
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let reply = json!({ "client_message_id": "c-1", "text": "Oi!" });
    scene.world.post(&agent, &path, reply).await.expect(201);
    let sent = scene.sent(&interaction, 2).await;
    assert_eq!(sent["state"], "accepted", "{sent}");
    assert!(provider.count() >= 2, "{}", provider.count());
}

/// What the owner of a mailbox does at their provider.
async fn connect(scene: &Scene, who: &As) {
    let authorise = format!("/api/v1/channels/{}/email/authorise", scene.channel);
    let sent = scene.world.post(who, &authorise, json!({})).await;
    let state = state(&text(&sent.expect(200), "url"));
    let back = format!("/oauth/email?state={state}&code=any");
    let done = scene.world.get(who, &back).await;
    assert_eq!(done.status, StatusCode::OK);
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

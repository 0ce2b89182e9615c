//! A customer on WhatsApp, a provider that is not to be relied on, and an agent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use media_engine_net::clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::live::{open, serve};
use crate::world::{Answer, As, PASSWORD, World};

/// What the provider does with the next message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// Takes it.
    Takes,
    /// Says that it is busy.
    Busy,
    /// Takes the request and never answers: the connection breaks.
    Silent,
}

#[derive(Clone, Default)]
struct Graph {
    asked: Arc<Mutex<Vec<Value>>>,
    moods: Arc<Mutex<VecDeque<Mood>>>,
}

impl Graph {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new()
            .route("/v25.0/{id}/messages", post(take))
            .route("/v25.0/{id}/message_templates", get(templates))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn next(&self, mood: Mood) {
        self.moods.lock().expect("whole").push_back(mood);
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().expect("whole").clone()
    }
}

async fn take(State(graph): State<Graph>, Json(asked): Json<Value>) -> Response {
    let number = {
        let mut all = graph.asked.lock().expect("whole");
        all.push(asked);
        all.len()
    };
    let mood = graph.moods.lock().expect("whole").pop_front();
    match mood.unwrap_or(Mood::Takes) {
        Mood::Takes => Json(json!({
            "messaging_product": "whatsapp",
            "contacts": [{ "input": "5511900000001", "wa_id": "5511900000001" }],
            "messages": [{ "id": format!("wamid.OUT{number}") }],
        }))
        .into_response(),
        Mood::Busy => {
            let error = json!({ "error": { "code": 130_429, "message": "Rate limit hit" } });
            (StatusCode::TOO_MANY_REQUESTS, Json(error)).into_response()
        }
        Mood::Silent => panic!("the connection breaks"),
    }
}

async fn templates() -> Json<Value> {
    Json(json!({ "data": [{
        "id": "900", "name": "retorno", "language": "pt_BR", "status": "APPROVED",
        "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Olá {{1}}, podemos falar?" }],
    }, {
        "id": "901", "name": "ofertas", "language": "pt_BR", "status": "APPROVED",
        "category": "MARKETING",
        "components": [{ "type": "BODY", "text": "Olá {{1}}, temos uma oferta!" }],
    }] }))
}

struct Scene {
    world: World,
    graph: Graph,
    admin: As,
    channel: String,
}

fn text_of(value: &Value, field: &str) -> String {
    value[field].as_str().expect("text").to_owned()
}

impl Scene {
    async fn new() -> Self {
        let mut world = World::new().await;
        world.company("a").await;
        let admin = world.key(Some("a"), &["admin"]).await;
        let graph = Graph::default();
        let base_url = graph.start().await;
        let code = json!({ "id": "resolvido", "name": "Resolvido", "fields": [], "actions": [] });
        let service = json!({ "name": "Suporte", "rules": { "dispositions": [code] } });
        let service = world.post(&admin, "/api/v1/services", service).await;
        let service = text_of(&service.expect(201), "id");
        let ana = json!({ "email": "ana@a.example", "name": "ana", "role": "agent",
            "password": PASSWORD });
        let ana = world.post(&admin, "/api/v1/users", ana).await.expect(201);
        let agents = json!({ "agents": [text_of(&ana, "id")] });
        let path = format!("/api/v1/services/{service}/agents");
        world.put(&admin, &path, agents).await.expect(200);
        let channel = json!({
            "name": "WhatsApp", "kind": "whatsapp", "service": service,
            "settings": { "account": {
                "provider": "cloud", "phone_number_id": "106540352242922", "waba_id": "1022",
                "access_token": "EAAB-token", "app_secret": "s3gr3do", "verify_token": "combinado",
                "base_url": base_url,
            } },
        });
        let made = world.post(&admin, "/api/v1/channels", channel).await;
        let made = made.expect(201);
        assert!(!made.to_string().contains("s3gr3do"), "{made}");
        let channel = text_of(&made, "id");
        Self {
            world,
            graph,
            admin,
            channel,
        }
    }

    async fn agent(&self) -> As {
        let agent = self.world.log_in("ana@a.example").await;
        let address = serve(&self.world).await;
        let origin = format!("http://{address}");
        let page = open(address, &agent, "", Some(&origin)).await;
        page.expect("a page").stay_open();
        let available = json!({ "presence": "available" });
        let path = "/api/v1/agents/me/presence";
        self.world.put(&agent, path, available).await.expect(200);
        agent
    }

    /// A webhook, signed with a secret.
    async fn tell(&self, value: &Value, secret: &str) -> Answer {
        self.tell_of("messages", value, secret).await
    }

    async fn tell_of(&self, field: &str, value: &Value, secret: &str) -> Answer {
        let body = json!({ "object": "whatsapp_business_account", "entry": [{
            "id": "1022", "changes": [{ "field": field, "value": value }] }] });
        let body = body.to_string();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let signature = ring::hmac::sign(&key, body.as_bytes());
        let hex: String = signature
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let request = Request::post(format!("/webhooks/{}", self.channel))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-hub-signature-256", format!("sha256={hex}"))
            .body(Body::from(body));
        self.world
            .send(&As::Nobody, request.expect("a request"))
            .await
    }

    async fn writes(&self, id: &str, text: &str, at_s: i64) -> Answer {
        let value = with_metadata(json!({
            "contacts": [{ "profile": { "name": "Ana Souza" }, "wa_id": "5511900000001" }],
            "messages": [{ "from": "5511900000001", "id": id, "timestamp": at_s.to_string(),
                "type": "text", "text": { "body": text } }],
        }));
        self.tell(&value, "s3gr3do").await
    }

    async fn status(&self, id: &str, status: &str) -> Answer {
        let value = with_metadata(json!({ "statuses": [{ "id": id, "status": status,
            "timestamp": now_s().to_string(), "recipient_id": "5511900000001" }] }));
        self.tell(&value, "s3gr3do").await
    }

    async fn take(&self, agent: &As) -> String {
        let work = self.eventually("an offer", async || {
            let work = self.world.get(agent, "/api/v1/agents/me/work").await;
            let work = work.expect(200)["items"][0].clone();
            (work["doing"] == "offered").then_some(work)
        });
        let work = work.await;
        let path = format!("/api/v1/work/{}/accept", text_of(&work, "work"));
        self.world.post(agent, &path, json!({})).await.expect(204);
        text_of(&work, "interaction")
    }

    async fn messages(&self, interaction: &str) -> Vec<Value> {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        let found = self.world.get(&self.admin, &path).await.expect(200);
        found["items"].as_array().expect("a list").clone()
    }

    /// The message with this number once it has come so far.
    async fn reaches(&self, interaction: &str, seq: u32, state: &str) -> Value {
        self.eventually(state, async || {
            let all = self.messages(interaction).await;
            let one = all.into_iter().find(|one| one["seq"] == seq);
            one.filter(|one| one["state"] == state)
        })
        .await
    }

    async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..400 {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{what}: it never is so");
    }

    async fn reply(&self, agent: &As, interaction: &str, body: Value) -> Answer {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        self.world.post(agent, &path, body).await
    }
}

fn with_metadata(mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] =
        json!({ "display_phone_number": "551140028922", "phone_number_id": "106540352242922" });
    value
}

fn now_s() -> i64 {
    clock::wall().as_second()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_writes_on_whatsapp_and_is_answered_and_each_tick_is_seen() {
    let scene = Scene::new().await;
    let ana = scene.agent().await;
    scene
        .writes("wamid.IN1", "Meu pedido não chegou", now_s())
        .await
        .expect(200);
    // Told again, it is the same.
    scene
        .writes("wamid.IN1", "Meu pedido não chegou", now_s())
        .await
        .expect(200);
    let interaction = scene.take(&ana).await;
    let all = scene.messages(&interaction).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["content"]["text"], "Meu pedido não chegou");
    assert_eq!(all[0]["author"]["name"], "Ana Souza");

    let path = format!("/api/v1/interactions/{interaction}/composer");
    let composer = scene.world.get(&ana, &path).await.expect(200);
    assert_eq!(composer["kind"], "whatsapp");
    assert_eq!(composer["open"], true);
    assert!(composer["open_left_ms"].as_i64().expect("a window") > 23 * 3_600_000);

    // The provider is busy at first: it is tried again, once.
    scene.graph.next(Mood::Busy);
    let body = json!({ "client_message_id": "c-1", "text": "Vou verificar" });
    scene
        .reply(&ana, &interaction, body.clone())
        .await
        .expect(201);
    scene.reply(&ana, &interaction, body).await.expect(200);
    let sent = scene.reaches(&interaction, 2, "accepted").await;
    assert_eq!(sent["external_id"], "wamid.OUT2");
    let asked = scene.graph.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1]["to"], "5511900000001");
    assert_eq!(asked[1]["text"]["body"], "Vou verificar");
    assert_eq!(asked[1]["biz_opaque_callback_data"], sent["id"]);

    // What became of it comes in any order, and never goes back.
    scene.status("wamid.OUT2", "read").await.expect(200);
    scene.reaches(&interaction, 2, "read").await;
    scene.status("wamid.OUT2", "delivered").await.expect(200);
    scene
        .writes("wamid.IN2", "Obrigada", now_s())
        .await
        .expect(200);
    scene
        .eventually("the answer", async || {
            (scene.messages(&interaction).await.len() == 3).then_some(())
        })
        .await;
    assert_eq!(scene.messages(&interaction).await[1]["state"], "read");

    // A reaction is told before the message to which it belongs.
    let reaction = with_metadata(
        json!({ "messages": [{ "from": "5511900000001", "id": "wamid.R1",
        "timestamp": now_s().to_string(), "type": "reaction",
        "reaction": { "message_id": "wamid.OUT3", "emoji": "👍" } }] }),
    );
    scene.tell(&reaction, "s3gr3do").await.expect(200);
    let body = json!({ "client_message_id": "c-2", "text": "De nada" });
    scene.reply(&ana, &interaction, body).await.expect(201);
    scene
        .eventually("the reaction", async || {
            let all = scene.messages(&interaction).await;
            (all.len() == 4 && all[3]["reactions"]["customer"] == "👍").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_gone_is_not_sent_again_until_a_person_says_so() {
    let scene = Scene::new().await;
    let ana = scene.agent().await;
    scene.writes("wamid.IN1", "Oi", now_s()).await.expect(200);
    let interaction = scene.take(&ana).await;
    scene.graph.next(Mood::Silent);
    let body = json!({ "client_message_id": "c-1", "text": "Boleto" });
    let sent = scene.reply(&ana, &interaction, body).await.expect(201);
    let uncertain = scene.reaches(&interaction, 2, "uncertain").await;
    assert_eq!(uncertain["failure"]["advice"], "outcome_unknown");
    assert!(
        uncertain["failure"]["sentence"]
            .as_str()
            .expect("advice")
            .contains("confira")
    );
    assert_eq!(scene.graph.asked().len(), 1);

    let path = format!(
        "/api/v1/interactions/{interaction}/messages/{}/resend",
        text_of(&sent, "id")
    );
    scene.world.post(&ana, &path, json!({})).await.expect(204);
    scene.reaches(&interaction, 2, "accepted").await;
    assert_eq!(scene.graph.asked().len(), 2);
    assert_eq!(
        scene.world.post(&ana, &path, json!({})).await.code(409),
        "not_failed"
    );
    let other = json!({ "client_message_id": "c-1", "text": "Outro boleto" });
    assert_eq!(
        scene.reply(&ana, &interaction, other).await.code(409),
        "key_reused"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_of_silence_only_a_template_goes() {
    let scene = Scene::new().await;
    let ana = scene.agent().await;
    // It was told two days late.
    scene
        .writes("wamid.IN1", "Oi", now_s() - 2 * 86_400)
        .await
        .expect(200);
    let interaction = scene.take(&ana).await;
    let body = json!({ "client_message_id": "c-1", "text": "Olá" });
    let refused = scene.reply(&ana, &interaction, body).await;
    assert_eq!(refused.code(409), "window_closed");
    let path = format!("/api/v1/channels/{}/templates/refresh", scene.channel);
    let listed = scene
        .world
        .post(&scene.admin, &path, json!({}))
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["body_names"], json!(["1"]));
    let filled = |name: &str| {
        json!({ "client_message_id": "c-2", "template": { "name": "retorno", "language": "pt_BR",
            "values": { "body": { "1": name } } } })
    };
    let empty = scene
        .reply(&ana, &interaction, filled(""))
        .await
        .expect(422);
    assert_eq!(empty["field"], "template.values.body.1");
    scene
        .reply(&ana, &interaction, filled("Ana"))
        .await
        .expect(201);
    scene.reaches(&interaction, 2, "accepted").await;
    let asked = scene.graph.asked();
    assert_eq!(asked[0]["template"]["name"], "retorno");

    // And a conversation is begun with one.
    let path = format!("/api/v1/channels/{}/conversations", scene.channel);
    let begin = json!({ "to": "+55 11 90000-0002", "name": "Bia", "template": {
        "name": "retorno", "language": "pt_BR", "values": { "body": { "1": "Bia" } } } });
    let begun = scene
        .world
        .post(&scene.admin, &path, begin)
        .await
        .expect(201);
    let begun = text_of(&begun, "interaction");
    scene.reaches(&begun, 1, "accepted").await;
    assert_eq!(scene.graph.asked()[1]["to"], "5511900000002");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_offers_gets_none_and_everything_else() {
    let scene = Scene::new().await;
    let ana = scene.agent().await;
    scene
        .writes("wamid.IN1", "Chega!", now_s())
        .await
        .expect(200);
    let interaction = scene.take(&ana).await;
    let path = format!("/api/v1/channels/{}/templates/refresh", scene.channel);
    scene
        .world
        .post(&scene.admin, &path, json!({}))
        .await
        .expect(200);
    let wants = async |what: &str, id: &str| {
        let value = with_metadata(json!({ "user_preferences": [{ "wa_id": "5511900000001",
            "category": "marketing_messages", "value": what, "timestamp": now_s() }] }));
        let told = scene.tell_of("user_preferences", &value, "s3gr3do").await;
        told.expect(200);
        // What comes behind is worked on behind.
        scene.writes(id, what, now_s()).await.expect(200);
        scene
            .eventually("what came behind", async || {
                let all = scene.messages(&interaction).await;
                all.iter()
                    .any(|one| one["content"]["text"] == what)
                    .then_some(())
            })
            .await;
    };
    let filled = |id: &str, template: &str| {
        json!({ "client_message_id": id, "template": { "name": template, "language": "pt_BR",
            "values": { "body": { "1": "Ana" } } } })
    };
    wants("stop", "wamid.IN2").await;
    let refused = scene
        .reply(&ana, &interaction, filled("c-1", "ofertas"))
        .await;
    assert_eq!(refused.code(409), "marketing_stopped");
    let begin = json!({ "to": "+55 11 90000-0001", "template": filled("", "ofertas")["template"] });
    let path = format!("/api/v1/channels/{}/conversations", scene.channel);
    let refused = scene.world.post(&scene.admin, &path, begin).await;
    assert_eq!(refused.code(409), "marketing_stopped");
    scene
        .reply(&ana, &interaction, filled("c-2", "retorno"))
        .await
        .expect(201);
    wants("resume", "wamid.IN3").await;
    let offer = scene
        .reply(&ana, &interaction, filled("c-3", "ofertas"))
        .await;
    let seq = offer.expect(201)["seq"].as_u64().expect("a number");
    let seq = u32::try_from(seq).expect("a small one");
    scene.reaches(&interaction, seq, "accepted").await;
    // Nor after the word below an offer.
    scene
        .writes("wamid.IN4", "Parar de receber", now_s())
        .await
        .expect(200);
    scene
        .eventually("the word", async || {
            let all = scene.messages(&interaction).await;
            all.iter()
                .any(|one| one["content"]["text"] == "Parar de receber")
                .then_some(())
        })
        .await;
    let refused = scene
        .reply(&ana, &interaction, filled("c-4", "ofertas"))
        .await;
    assert_eq!(refused.code(409), "marketing_stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_provider_tells_anything() {
    let scene = Scene::new().await;
    let path = format!(
        "/webhooks/{}?hub.mode=subscribe&hub.verify_token=combinado&hub.challenge=12345",
        scene.channel
    );
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = scene.world.send(&As::Nobody, request).await;
    assert_eq!(answer.status, 200);
    let wrong = format!(
        "/webhooks/{}?hub.mode=subscribe&hub.verify_token=outro&hub.challenge=1",
        scene.channel
    );
    assert_eq!(scene.world.get(&As::Nobody, &wrong).await.status, 403);
    let value = with_metadata(
        json!({ "messages": [{ "from": "5511900000001", "id": "wamid.F",
        "timestamp": "1795430001", "type": "text", "text": { "body": "falso" } }] }),
    );
    assert_eq!(scene.tell(&value, "outro").await.status, 401);
    let none = "/webhooks/01kb0000000000000000000000";
    let request = Request::post(none)
        .body(Body::from("{}"))
        .expect("a request");
    assert_eq!(scene.world.send(&As::Nobody, request).await.status, 404);
    // A kind that nobody knows is there for who looks.
    let odd = with_metadata(
        json!({ "messages": [{ "from": "5511900000001", "id": "wamid.ODD",
        "timestamp": now_s().to_string(), "type": "hologram", "hologram": { "x": 1 } }] }),
    );
    scene.tell(&odd, "s3gr3do").await.expect(200);
    let path = format!("/api/v1/channels/{}/health", scene.channel);
    let health = scene
        .eventually("the event", async || {
            let health = scene.world.get(&scene.admin, &path).await.expect(200);
            (!health["event_ms"].is_null()).then_some(health)
        })
        .await;
    assert_eq!(
        (&health["forged"], &health["state"]),
        (&json!(1), &json!("ok"))
    );
    let listed = scene
        .world
        .get(&scene.admin, "/api/v1/interactions")
        .await
        .expect(200);
    let interaction = text_of(&listed["items"][0], "id");
    let all = scene.messages(&interaction).await;
    assert_eq!(all[0]["content"]["kind"], "unsupported");
    assert_eq!(all[0]["content"]["raw"]["hologram"]["x"], 1);
}

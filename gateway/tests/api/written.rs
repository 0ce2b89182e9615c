//! The whole story of a written interaction: another system posts, an agent answers, the other system is
//! told; and what of it outlives a process that is killed.

mod bots;
mod erp;
mod files;
mod handing;
mod surveys;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::post;
use channels::generic::signature;
use channels::secret::Secret;
use desk::change::WorkState;
use desk::kept::Kept;
use serde_json::{Value, json};
use store::receipts::{self, Receipt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::live::{Watcher, open, serve};
use crate::world::{Answer, As, PASSWORD, World, kept};

/// Another system that hears what happens.
struct Erp {
    url: String,
    heard: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
}

impl Erp {
    /// It answers the first `refused` times that it cannot.
    async fn new(refused: usize) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let times = Arc::new(AtomicUsize::new(0));
        let hook = move |headers: HeaderMap, body: Bytes| {
            let time = times.fetch_add(1, Ordering::SeqCst);
            let _ = tell.send((headers, body));
            async move {
                match time < refused {
                    true => StatusCode::SERVICE_UNAVAILABLE,
                    false => StatusCode::NO_CONTENT,
                }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let app = Router::new().route("/hook", post(hook));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, heard }
    }

    async fn next(&mut self) -> (HeaderMap, Bytes) {
        let heard = tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await;
        heard.expect("something is told").expect("a notice")
    }

    /// The next thing that it is told, if it is signed with this secret.
    async fn told(&mut self, secret: &str) -> Value {
        let (headers, body) = self.next().await;
        let text = |name: &str| headers[name].to_str().expect("text");
        let at_s = text("webhook-timestamp").parse().expect("a time");
        let secrets = [Secret::new(secret)];
        let [id, _, signed] = signature::headers(&secrets, text("webhook-id"), at_s, &body);
        assert_eq!(text("webhook-signature"), signed.1);
        let told: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(told["id"], id.1);
        told
    }
}

/// A company with an agent, a service, a channel and its key.
struct Scene {
    world: World,
    admin: As,
    erp: Erp,
    service: String,
    channel: String,
    secret: String,
    key: String,
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

impl Scene {
    async fn new(refused: usize) -> Self {
        let mut world = World::new().await;
        world.company("a").await;
        let admin = world.key(Some("a"), &["admin"]).await;
        let erp = Erp::new(refused).await;
        let code = json!({ "id": "resolvido", "name": "Resolvido", "fields": [], "actions": [] });
        let service = json!({ "name": "Suporte", "rules": { "dispositions": [code] } });
        let service = world.post(&admin, "/api/v1/services", service).await;
        let service = id(&service.expect(201));
        for name in ["ana", "bruno"] {
            let person = json!({ "email": format!("{name}@a.example"), "name": name,
                "role": "agent", "password": PASSWORD });
            let made = world
                .post(&admin, "/api/v1/users", person)
                .await
                .expect(201);
            if name == "ana" {
                let path = format!("/api/v1/services/{service}/agents");
                let agents = json!({ "agents": [id(&made)] });
                world.put(&admin, &path, agents).await.expect(200);
            }
        }
        let channel = json!({ "name": "ERP", "service": service, "webhook": erp.url });
        let channel = world.post(&admin, "/api/v1/channels", channel).await;
        let channel = channel.expect(201);
        let secret = channel["webhook_secret"]
            .as_str()
            .expect("shown")
            .to_owned();
        let channel = id(&channel);
        let path = format!("/api/v1/channels/{channel}/keys");
        let key = world
            .post(&admin, &path, json!({ "name": "ERP" }))
            .await
            .expect(201);
        let key = key["key"].as_str().expect("shown").to_owned();
        Self {
            world,
            admin,
            erp,
            service,
            channel,
            secret,
            key,
        }
    }

    async fn post(&self, key: &str, body: &str) -> Answer {
        self.post_with(key, "receive_hook", body).await
    }

    async fn post_to(&self, place: &str, body: &str) -> Answer {
        self.post_with(&self.key, place, body).await
    }

    async fn post_with(&self, key: &str, place: &str, body: &str) -> Answer {
        let path = format!("/api/v1/channels/{}/{place}", self.channel);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-api-key", key)
            .body(Body::from(body.to_owned()));
        self.world
            .send(&As::Nobody, request.expect("a request"))
            .await
    }

    async fn write(&self, number: u32, text: &str) -> Answer {
        self.post(&self.key, &message(number, text)).await
    }

    /// Somebody who is there with a page open: who has none is offered nothing that is written.
    async fn agent(&self, name: &str) -> As {
        let agent = self.world.log_in(&format!("{name}@a.example")).await;
        self.page(&agent).await.stay_open();
        let available = json!({ "presence": "available" });
        let path = "/api/v1/agents/me/presence";
        self.world.put(&agent, path, available).await.expect(200);
        agent
    }

    /// A page that an agent has open.
    async fn page(&self, agent: &As) -> Watcher {
        let address = serve(&self.world).await;
        let origin = format!("http://{address}");
        let page = open(address, agent, "", Some(&origin)).await;
        page.expect("a page")
    }

    /// What the agent has in hand or is offered, once that is so.
    async fn work(&self, agent: &As, doing: &str) -> Value {
        for _ in 0..200 {
            let work = self
                .world
                .get(agent, "/api/v1/agents/me/work")
                .await
                .expect(200);
            if work["items"][0]["doing"] == doing {
                return work["items"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nothing is {doing}");
    }

    async fn take(&self, agent: &As) -> (String, String) {
        let work = self.work(agent, "offered").await;
        let path = format!("/api/v1/work/{}/accept", id_of(&work, "work"));
        self.world.post(agent, &path, json!({})).await.expect(204);
        (id_of(&work, "work"), id_of(&work, "interaction"))
    }

    async fn interaction(&self, id: &str) -> Value {
        let path = format!("/api/v1/interactions/{id}");
        self.world.get(&self.admin, &path).await.expect(200)
    }

    async fn messages(&self, who: &As, interaction: &str, after: u32) -> Answer {
        let path = format!("/api/v1/interactions/{interaction}/messages?after_seq={after}");
        self.world.get(who, &path).await
    }

    async fn told(&mut self) -> Value {
        self.erp.told(&self.secret).await
    }

    /// Waits until the webhook's answers are known: else they are told again when the lease of a process
    /// that was killed is over.
    async fn all_is_taken(&self) {
        let path = format!("/api/v1/channels/{}/deliveries", self.channel);
        for _ in 0..400 {
            let log = self.world.get(&self.admin, &path).await.expect(200);
            let all = log["items"].as_array().expect("a list");
            if all.iter().all(|one| one["state"] == "done") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("something waits still");
    }

    /// The kinds of what is told next, but for how far messages came: that comes when it comes.
    async fn kinds(&mut self, many: usize) -> Vec<String> {
        let mut kinds = vec![];
        while kinds.len() < many {
            let kind = id_of(&self.told().await, "type");
            if kind != "message.status" {
                kinds.push(kind);
            }
        }
        kinds
    }
}

fn id_of(value: &Value, field: &str) -> String {
    value[field].as_str().expect("text").to_owned()
}

fn message(number: u32, text: &str) -> String {
    let message = json!({
        "external_message_id": format!("TT-1-{number}"), "external_conversation_id": "TT-1",
        "customer": { "external_id": "C-991", "name": "Ana Souza", "email": "ana@exemplo.com.br" },
        "text": text, "attributes": { "produto": "Fibra 500" },
    });
    message.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_system_opens_follows_and_closes_an_interaction() {
    let mut scene = Scene::new(0).await;
    let first = scene
        .write(1, "Meu chamado continua aberto")
        .await
        .expect(202);
    assert_eq!(
        (&first["status"], &first["duplicate"]),
        (&json!("queued"), &json!(false))
    );
    let interaction = id_of(&first, "attendance_id");

    // The same again is the same; something else under its id is not.
    let again = scene
        .write(1, "Meu chamado continua aberto")
        .await
        .expect(200);
    for field in ["message_id", "attendance_id", "protocol"] {
        assert_eq!(again[field], first[field]);
    }
    assert_eq!(again["duplicate"], true);
    assert_eq!(scene.write(1, "Outra coisa").await.code(409), "key_reused");

    let ana = scene.agent("ana").await;
    let bruno = scene.agent("bruno").await;
    let mut page = scene.page(&ana).await;
    let offered = scene.work(&ana, "offered").await;
    assert_eq!(
        (&offered["medium"], &offered["interaction"]),
        (&json!("email"), &json!(interaction))
    );
    scene.messages(&ana, &interaction, 0).await.expect(200);
    scene.messages(&bruno, &interaction, 0).await.expect(403);
    let (work, _) = scene.take(&ana).await;

    let second = scene.write(2, "Alguém aí?").await.expect(202);
    assert_eq!(
        (&second["status"], &second["attendance_id"]),
        (&json!("assigned"), &json!(interaction))
    );
    let told = page
        .until(|told| told["kind"] == "message" && told["message_seq"] == 2)
        .await;
    assert_eq!(told["interaction"], json!(interaction));
    let read = scene.messages(&ana, &interaction, 1).await.expect(200);
    assert_eq!(
        read["items"][0]["content"],
        json!({ "kind": "text", "text": "Alguém aí?" })
    );
    assert_eq!(read["items"][0]["author"]["name"], "Ana Souza");

    let path = format!("/api/v1/interactions/{interaction}/messages");
    let answered = read["items"][0]["id"].clone();
    let reply =
        json!({ "client_message_id": "c-1", "text": "Vou verificar", "reply_to": answered });
    scene
        .world
        .post(&bruno, &path, reply.clone())
        .await
        .expect(403);
    let sent = scene
        .world
        .post(&ana, &path, reply.clone())
        .await
        .expect(201);
    let same = scene.world.post(&ana, &path, reply).await.expect(200);
    assert_eq!((&same["id"], &sent["seq"]), (&sent["id"], &json!(3)));

    let events = [
        "attendance.opened",
        "attendance.queued",
        "attendance.assigned",
    ];
    assert_eq!(scene.kinds(3).await, events);
    let told = scene.told().await;
    assert_eq!(
        (&told["type"], &told["seq"]),
        (&json!("message.created"), &json!(4))
    );
    assert_eq!(told["message"]["text"], "Vou verificar");
    assert_eq!(told["message"]["author"]["name"], "ana");
    assert_eq!(told["message"]["reply_to_external_message_id"], "TT-1-2");
    assert_eq!(told["attendance"]["protocol"], first["protocol"]);
    assert_eq!(told["external_conversation_id"], "TT-1");
    assert_eq!(told["customer"]["external_id"], "C-991");
    let told = scene.told().await;
    assert_eq!(
        (&told["type"], &told["message"]["status"]),
        (&json!("message.status"), &json!("accepted"))
    );

    let closing = json!({ "disposition": "resolvido", "note": "Tudo certo" });
    let close = format!("/api/v1/work/{work}/disposition");
    scene.world.post(&ana, &close, closing).await.expect(204);
    assert_eq!(
        scene.kinds(2).await,
        ["tabulation.created", "attendance.closed"]
    );
    let over = scene.interaction(&interaction).await;
    assert_eq!(
        (&over["state"], &over["cause"]),
        (&json!("ended"), &json!("closed"))
    );
    assert_eq!(over["medium"], "email");
    let late = json!({ "client_message_id": "c-2", "text": "Mais uma coisa" });
    assert_eq!(
        scene.world.post(&scene.admin, &path, late).await.code(409),
        "not_open"
    );

    // Who writes again the same day means the same matter.
    let third = scene.write(3, "Voltou a cair").await.expect(202);
    assert_eq!(
        (&third["attendance_id"], &third["protocol"]),
        (&first["attendance_id"], &first["protocol"])
    );
    assert_eq!(
        scene.kinds(2).await,
        ["attendance.reopened", "attendance.queued"]
    );
    let (_, back) = scene.take(&ana).await;
    assert_eq!(back, interaction);
    let read = scene.messages(&ana, &interaction, 0).await.expect(200);
    let said: Vec<_> = read["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["content"]["text"])
        .collect();
    assert_eq!(
        said,
        [
            "Meu chamado continua aberto",
            "Alguém aí?",
            "Vou verificar",
            "Voltou a cair"
        ]
    );
    let seen = scene.interaction(&interaction).await;
    assert_eq!(
        (&seen["state"], &seen["ended_ms"]),
        (&json!("talking"), &Value::Null)
    );
    let kinds: Vec<_> = seen["trail"]
        .as_array()
        .expect("a trail")
        .iter()
        .map(|line| &line["kind"])
        .collect();
    let expected = [
        "arrived",
        "message_received",
        "queued",
        "offered",
        "agent_answered",
        "message_received",
        "message_sent",
        "finished",
        "ended",
        "reopened",
        "message_received",
        "queued",
        "offered",
        "agent_answered",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_are_posted_at_once_and_the_customer_may_close() {
    let scene = Scene::new(0).await;
    let messages: Vec<Value> = [(1, "Olá"), (2, "Alguém?"), (1, "Olá")]
        .iter()
        .map(|(number, text)| serde_json::from_str(&message(*number, text)).expect("JSON"))
        .collect();
    let batch = json!({ "messages": messages }).to_string();
    let answer = scene
        .post_to("receive_hook/batch", &batch)
        .await
        .expect(202);
    let statuses: Vec<_> = (0..3)
        .map(|place| &answer["items"][place]["status"])
        .collect();
    assert_eq!(statuses, [&json!(202), &json!(202), &json!(200)]);
    let interaction = id_of(&answer["items"][1]["received"], "attendance_id");
    let said = scene
        .messages(&scene.admin, &interaction, 0)
        .await
        .expect(200);
    assert_eq!(said["items"][1]["content"]["text"], "Alguém?");
    let broken = json!({ "messages": [messages[0], { "text": "?" }] }).to_string();
    assert_eq!(
        scene.post_to("receive_hook/batch", &broken).await.status,
        422
    );

    let edited = json!({ "external_conversation_id": "TT-1", "type": "message_edited",
        "external_message_id": "TT-1-2", "text": "Alguém aí?" });
    scene
        .post_to("events", &edited.to_string())
        .await
        .expect(202);
    let said = scene
        .messages(&scene.admin, &interaction, 0)
        .await
        .expect(200);
    assert_eq!(said["items"][1]["content"]["text"], "Alguém aí?");
    assert_eq!(said["items"][1]["edits"][0]["content"]["text"], "Alguém?");
    let odd = json!({ "external_conversation_id": "TT-1", "type": "sneezed" });
    assert_eq!(scene.post_to("events", &odd.to_string()).await.status, 422);
    let unknown = json!({ "external_conversation_id": "TT-2", "type": "customer_closed" });
    let refused = scene.post_to("events", &unknown.to_string()).await;
    assert_eq!(refused.code(422), "reference");
    let closed = json!({ "external_conversation_id": "TT-1", "type": "customer_closed" });
    scene
        .post_to("events", &closed.to_string())
        .await
        .expect(202);
    for _ in 0..200 {
        if scene.interaction(&interaction).await["state"] == "ended" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let over = scene.interaction(&interaction).await;
    assert_eq!(
        (&over["state"], &over["ended_by"]),
        (&json!("ended"), &json!("customer"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_is_refused_and_says_why() {
    let scene = Scene::new(0).await;
    let good = message(1, "Olá");
    assert_eq!(scene.post("", &good).await.code(401), "unauthorized");
    let wrong = scene.key.replace(&scene.key[scene.key.len() - 4..], "zzzz");
    assert_eq!(scene.post(&wrong, &good).await.code(401), "unauthorized");
    let As::Key(company) = &scene.admin else {
        panic!("a key")
    };
    assert_eq!(scene.post(company, &good).await.code(403), "forbidden");
    let everywhere = As::Key(scene.key.clone());
    for path in [
        "/api/v1/interactions",
        "/api/v1/agents/me/work",
        "/api/v1/channels",
    ] {
        assert_eq!(
            scene.world.get(&everywhere, path).await.code(403),
            "forbidden"
        );
    }
    assert_eq!(scene.post(&scene.key, "{").await.code(400), "malformed");
    let deep = "[".repeat(100_000);
    assert_eq!(scene.post(&scene.key, &deep).await.code(400), "malformed");
    let none = scene.post(&scene.key, "{}").await.expect(422);
    assert_eq!(
        (&none["code"], &none["field"]),
        (&json!("invalid"), &json!("external_message_id"))
    );
    let large = message(1, &"a".repeat(2 << 20));
    assert_eq!(scene.post(&scene.key, &large).await.code(413), "too_large");
    let mut other: Value = serde_json::from_str(&good).expect("JSON");
    other["service_id"] = json!("nowhere");
    let refused = scene.post(&scene.key, &other.to_string()).await.expect(422);
    assert_eq!(refused["field"], "service_id");
    // What was refused has not used up its id.
    scene.post(&scene.key, &good).await.expect(202);
    let path = format!("/api/v1/channels/{}", scene.channel);
    let off = json!({ "name": "ERP", "service": scene.service, "disabled": true });
    scene.world.put(&scene.admin, &path, off).await.expect(200);
    assert_eq!(
        scene.post(&scene.key, &message(2, "Oi")).await.code(403),
        "forbidden"
    );
    assert_eq!(
        scene
            .world
            .ask(&scene.admin, axum::http::Method::DELETE, &path, None)
            .await
            .code(409),
        "in_use"
    );
    let bad = json!({ "name": "X", "service": scene.service, "webhook": "ftp://a.example" });
    assert_eq!(
        scene
            .world
            .post(&scene.admin, "/api/v1/channels", bad)
            .await
            .code(422),
        "invalid_webhook"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_is_told_again_in_order_under_the_same_id() {
    let mut scene = Scene::new(1).await;
    scene.write(1, "Olá").await.expect(202);
    let refused = scene.told().await;
    let again = scene.told().await;
    assert_eq!(refused, again);
    assert_eq!(refused["type"], "attendance.opened");
    let next = scene.told().await;
    assert_eq!(
        (&next["type"], &next["seq"]),
        (&json!("attendance.queued"), &json!(2))
    );
    let log = format!("/api/v1/channels/{}/deliveries", scene.channel);
    for _ in 0..100 {
        let listed = scene
            .world
            .get(&scene.admin, &format!("{log}?state=done"))
            .await
            .expect(200);
        let items = listed["items"].as_array().expect("a list");
        if items.len() == 2 {
            assert_eq!(
                (&items[1]["attempts"], &items[1]["status"]),
                (&json!(2), &json!(204))
            );
            let tries = items[1]["tries"].as_array().expect("a log");
            let statuses: Vec<&Value> = tries.iter().map(|one| &one["status"]).collect();
            assert_eq!(statuses, [&json!(503), &json!(204)]);
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    // Told again because somebody asks for it.
    let which = json!({ "id": refused["id"] });
    let replay = format!("{log}/replay");
    let replayed = scene
        .world
        .post(&scene.admin, &replay, which)
        .await
        .expect(200);
    assert_eq!(replayed["replayed"], 1);
    assert_eq!(scene.told().await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_and_not_worked_on_is_worked_on_after_the_crash() {
    let mut scene = Scene::new(0).await;
    let receipt = Receipt {
        id: "r1".parse().expect("an id"),
        channel: scene.channel.parse().expect("an id"),
        instance: "here".parse().expect("an id"),
        body: message(1, "Olá").into_bytes(),
        received_ms: 1_764_000_000_000,
    };
    let mut db = scene.world.store.begin().await.expect("a turn");
    receipts::insert(&mut db, &[receipt], 1)
        .await
        .expect("kept");
    db.commit().await.expect("kept");
    scene.world = scene.world.killed().await;
    assert_eq!(
        scene.kinds(2).await,
        ["attendance.opened", "attendance.queued"]
    );
    // Nobody was answered; who asks again hears that it was received.
    let again = scene.write(1, "Olá").await.expect(200);
    assert_eq!(again["duplicate"], true);
    let ana = scene.agent("ana").await;
    let (_, interaction) = scene.take(&ana).await;
    assert_eq!(json!(interaction), again["attendance_id"]);
    let read = scene.messages(&ana, &interaction, 0).await.expect(200);
    assert_eq!(read["items"].as_array().map(Vec::len), Some(1));
    // Once is enough.
    scene.world = scene.world.killed().await;
    let read = scene
        .messages(&scene.admin, &interaction, 0)
        .await
        .expect(200);
    assert_eq!(read["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_desk_did_not_hear_of_it_hears_after_the_crash() {
    let mut scene = Scene::new(0).await;
    let first = scene.write(1, "Olá").await.expect(202);
    assert_eq!(
        scene.kinds(2).await,
        ["attendance.opened", "attendance.queued"]
    );
    let ana = scene.agent("ana").await;
    let work = scene.work(&ana, "offered").await;
    // What is on its way to the disk would be there again.
    for _ in 0..200 {
        let desks = kept(&scene.world.store).await;
        let mut works = desks.values().flat_map(|desk| &desk.works);
        if works.any(|work| matches!(work.state, WorkState::Offered(_))) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    // As if the process had been killed before the desk heard of it.
    let removed = Kept::WorkRemoved(id_of(&work, "work").parse().expect("an id"));
    let mut db = scene.world.store.begin().await.expect("a turn");
    store::desks::apply(&mut db, [&removed])
        .await
        .expect("removed");
    db.commit().await.expect("removed");
    scene.world = scene.world.killed().await;
    let ana = scene.agent("ana").await;
    let (_, interaction) = scene.take(&ana).await;
    assert_eq!(json!(interaction), first["attendance_id"]);
    // One that the desk has is not handed over twice.
    scene.world = scene.world.killed().await;
    let ana = scene.agent("ana").await;
    let held = scene.work(&ana, "handling").await;
    assert_eq!(held["interaction"], json!(interaction));
    let all = scene
        .world
        .get(&ana, "/api/v1/agents/me/work")
        .await
        .expect(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_greets_who_writes_and_takes_leave_before_the_end_in_the_words_that_were_set() {
    let mut scene = Scene::new(0).await;
    let path = format!("/api/v1/channels/{}", scene.channel);
    let life = |warn: u32| {
        json!({ "greeting": { "pt-BR": "Olá, {{name}}! Protocolo {{protocol}}." }, "closing": {},
            "expiry": { "warn_minutes": warn, "close_minutes": 15 } })
    };
    let settings = |warn: u32| {
        json!({ "name": "ERP", "service": scene.service, "webhook": scene.erp.url,
            "settings": { "life": life(warn) } })
    };
    let refused = scene.world.put(&scene.admin, &path, settings(15)).await;
    assert_eq!(
        refused.expect(422)["field"],
        "settings.life.expiry.warn_minutes"
    );
    let set = scene.world.put(&scene.admin, &path, settings(10)).await;
    assert_eq!(
        set.expect(200)["settings"]["life"]["expiry"]["warn_minutes"],
        10
    );

    let first = scene.write(1, "Bom dia").await.expect(202);
    assert_eq!(
        scene.kinds(2).await,
        ["attendance.opened", "attendance.queued"]
    );
    let greeting = scene.told().await;
    assert_eq!(greeting["type"], "message.created");
    let protocol = id_of(&first, "protocol");
    assert_eq!(
        greeting["message"]["text"],
        format!("Olá, Ana Souza! Protocolo {protocol}.")
    );
    assert_eq!(greeting["message"]["author"]["kind"], "system");

    let ana = scene.agent("ana").await;
    let (work, interaction) = scene.take(&ana).await;
    let close = format!("/api/v1/work/{work}/disposition");
    let closing = json!({ "disposition": "resolvido" });
    scene.world.post(&ana, &close, closing).await.expect(204);
    let kinds = [
        "attendance.assigned",
        "tabulation.created",
        "message.created",
        "attendance.closed",
    ];
    assert_eq!(scene.kinds(4).await, kinds);
    let read = scene.messages(&scene.admin, &interaction, 0).await;
    let read = read.expect(200);
    let said = &read["items"][2]["content"]["text"];
    assert!(said.as_str().is_some_and(|said| said.contains(&protocol)));
    let seen = scene.interaction(&interaction).await;
    let purposes: Vec<_> = seen["trail"]
        .as_array()
        .expect("a trail")
        .iter()
        .filter_map(|line| line["detail"]["purpose"].as_str())
        .collect();
    assert_eq!(purposes, ["greeting", "closing"]);

    // A stranger may write anything: the transcript shows it and runs nothing.
    let path = format!("/api/v1/interactions/{interaction}/transcript");
    let read = scene.world.get(&scene.admin, &path).await;
    let text = String::from_utf8(read.bytes).expect("text");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], protocol);
    assert!(lines[2].ends_with("] Ana Souza:"), "{text}");
    assert_eq!(lines[3], "Bom dia");
    let page = format!("{path}?format=html");
    let read = scene.world.get(&scene.admin, &page).await;
    assert_eq!(
        read.headers[header::CONTENT_SECURITY_POLICY],
        "default-src 'none'"
    );
    let html = String::from_utf8(read.bytes).expect("text");
    assert!(html.contains("<b>Ana Souza</b>"), "{html}");
    let stranger = scene.agent("bruno").await;
    let refused = scene.world.get(&stranger, &path).await;
    assert_eq!(refused.code(403), "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_of_the_same_editor_as_for_calls_asks_who_writes_for_the_service() {
    let mut scene = Scene::new(0).await;
    // With one service there would be nothing to ask.
    let other = json!({ "name": "Vendas" });
    let other = scene
        .world
        .post(&scene.admin, "/api/v1/services", other)
        .await;
    let other = id(&other.expect(201));
    let flow = json!({ "name": "Menu" });
    let flow = scene.world.post(&scene.admin, "/api/v1/flows", flow).await;
    let flow = id(&flow.expect(201));
    let at = |rest: &str| format!("/api/v1/flows/{flow}{rest}");
    let form = json!({
        "hours": { "inline": { "time_zone": "America/Sao_Paulo", "schedule": "always" } },
        "welcome": { "kind": "text", "text": "Olá!" },
        "closed": { "kind": "text", "text": "Fechado." },
        "services": [{ "service": scene.service, "name": "Suporte" },
                     { "service": other, "name": "Vendas" }],
        "unanswered": { "kind": "text", "text": "Ninguém pôde atender." }
    });
    let form = json!({ "revision": 1, "form": form });
    let saved = scene.world.put(&scene.admin, &at("/simple"), form).await;
    saved.expect(200);
    let post = axum::http::Method::POST;
    let publish = at("/publish");
    let published = scene.world.ask(&scene.admin, post, &publish, None).await;
    published.expect(200);

    let path = format!("/api/v1/channels/{}", scene.channel);
    let settings = |flow: &str| {
        json!({ "name": "ERP", "service": scene.service, "webhook": scene.erp.url,
            "settings": { "life": { "flow": flow } } })
    };
    let foreign = scene.world.put(&scene.admin, &path, settings("x")).await;
    assert_eq!(foreign.expect(422)["field"], "settings.life.flow");
    let set = scene.world.put(&scene.admin, &path, settings(&flow)).await;
    set.expect(200);

    let first = scene.write(1, "Oi").await.expect(202);
    assert_eq!(
        scene.kinds(2).await,
        ["attendance.opened", "message.created"]
    );
    let interaction = id_of(&first, "attendance_id");
    assert_eq!(scene.interaction(&interaction).await["state"], "flow");
    scene.all_is_taken().await;
    // The process ends before the answer comes: the question is asked again.
    scene.world = scene.world.killed().await;
    let mut question = scene.told().await;
    while question["type"] != "message.created" {
        question = scene.told().await;
    }
    let text = id_of(&question["message"], "text");
    assert!(text.starts_with("Olá!"), "{text}");
    scene.write(2, "suporte").await.expect(202);
    assert_eq!(scene.kinds(1).await, ["attendance.queued"]);
    let ana = scene.agent("ana").await;
    let (_, taken) = scene.take(&ana).await;
    assert_eq!(taken, interaction);
}

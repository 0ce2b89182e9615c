//! The whole over HTTP: a company that listens, and the simulator beside it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use ramal_sim::wire::proof;
use ramal_sim::world::{Content, FaultKind, Progress};
use ramal_sim::{Config, Provider, Simulator, demo};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const CLOUD: Provider = Provider::Cloud;

/// A company that takes webhooks and remembers them.
struct Company {
    url: String,
    heard: watch::Receiver<Vec<Heard>>,
    answers: Arc<Mutex<StatusCode>>,
}

#[derive(Clone)]
struct Heard {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone)]
struct Ears {
    heard: Arc<watch::Sender<Vec<Heard>>>,
    answers: Arc<Mutex<StatusCode>>,
}

impl Company {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, heard) = watch::channel(vec![]);
        let answers = Arc::new(Mutex::new(StatusCode::OK));
        let ears = Ears {
            heard: Arc::new(sender),
            answers: answers.clone(),
        };
        let router = Router::new()
            .route("/webhook", routing::get(challenge).post(hear))
            .route("/picture.png", routing::get(picture))
            .with_state(ears);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            heard,
            answers,
        }
    }

    /// The first webhook that is as asked.
    async fn hears(&mut self, is_it: impl Fn(&Heard) -> bool) -> Heard {
        let found = self.heard.wait_for(|heard| heard.iter().any(&is_it));
        let heard = tokio::time::timeout(Duration::from_secs(20), found).await;
        let heard = heard.expect("in time").expect("the company lives");
        heard
            .iter()
            .find(|one| is_it(one))
            .cloned()
            .expect("it was there")
    }

    fn count(&self) -> usize {
        self.heard.borrow().len()
    }
}

async fn challenge(uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    if !query.contains("hub.verify_token=verificacao-simulada") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let field = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("hub.challenge="));
    field.unwrap_or_default().to_owned().into_response()
}

async fn hear(State(ears): State<Ears>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    ears.heard
        .send_modify(|heard| heard.push(Heard { uri, headers, body }));
    *ears.answers.lock().expect("nobody panics")
}

async fn picture() -> impl IntoResponse {
    ([("content-type", "image/png")], &b"\x89PNG"[..])
}

/// Asks the simulator for something.
async fn ask(
    simulator: &Simulator,
    method: &str,
    path: &str,
    body: Value,
) -> (u16, HeaderMap, Bytes) {
    let stream = TcpStream::connect(simulator.address())
        .await
        .expect("connected");
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
        .await
        .expect("HTTP");
    tokio::spawn(connection);
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "sim")
        .header("content-type", "application/json")
        .header("authorization", "Bearer EAAB-simulador")
        .body(Body::from(body))
        .expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("all of it").to_bytes();
    (parts.status.as_u16(), parts.headers, body)
}

async fn asked(simulator: &Simulator, method: &str, path: &str, body: Value) -> Value {
    let (status, _, body) = ask(simulator, method, path, body).await;
    let text = String::from_utf8_lossy(&body).into_owned();
    assert!((200..300).contains(&status), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn text(to: &str, body: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}})
}

fn messages() -> String {
    format!("/graph/v25.0/{}/messages", demo::PHONE_NUMBER_ID)
}

async fn start() -> (Simulator, Company) {
    let company = Company::start().await;
    let config = Config {
        target: company.url.clone(),
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.expect("started");
    (simulator, company)
}

#[tokio::test]
async fn a_customer_writes_the_company_answers_and_both_see_it() {
    let (simulator, mut company) = start().await;
    simulator.tells(CLOUD, "/webhook?canal=1", &[]);
    let marina = simulator.customer(CLOUD, "marina");
    let written = marina.writes("Olá").expect("written");
    let heard = company.hears(|_| true).await;
    assert_eq!(heard.uri.query(), Some("canal=1"));
    let signature = proof::meta(demo::APP_SECRET, &heard.body);
    assert_eq!(heard.headers["x-hub-signature-256"], signature);
    let took = simulator.wait_for("two ticks", |world| {
        let message = world.message(written)?;
        (message.progress == Progress::Delivered).then_some(())
    });
    took.await.expect("taken");
    asked(
        &simulator,
        "POST",
        &messages(),
        text("5511987654321", "Bom dia!"),
    )
    .await;
    let is_text =
        |message: &ramal_sim::world::Message| message.content == Content::words("Bom dia!");
    let got = marina.gets(|message| is_text(message) && message.progress == Progress::Delivered);
    got.await.expect("delivered");
    marina.reads().expect("read");
    company
        .hears(|heard| heard.body.windows(6).any(|part| part == b"\"read\""))
        .await;
    assert_eq!(marina.sees().len(), 2);
}

#[tokio::test]
async fn what_is_not_taken_comes_again_when_the_clock_is_moved() {
    let (simulator, mut company) = start().await;
    simulator.tells(CLOUD, "/webhook", &[]);
    *company.answers.lock().expect("nobody panics") = StatusCode::SERVICE_UNAVAILABLE;
    simulator
        .customer(CLOUD, "marina")
        .writes("Olá")
        .expect("written");
    company.hears(|_| true).await;
    let noted = simulator.wait_for("the refusal", |world| {
        let mut retried = world.retried();
        retried
            .next()
            .filter(|(.., due_ms)| due_ms.is_some())
            .map(|_| ())
    });
    noted.await.expect("noted");
    assert_eq!(company.count(), 1);
    *company.answers.lock().expect("nobody panics") = StatusCode::OK;
    let moved = asked(
        &simulator,
        "POST",
        "/_sim/clock",
        json!({"advance_ms": 10_000}),
    )
    .await;
    assert_eq!(moved["moved_ms"], 10_000);
    let done = simulator.wait_for("the second try", |world| {
        (world.under_way() == 0).then_some(())
    });
    done.await.expect("taken");
    assert_eq!(company.count(), 2);
}

#[tokio::test]
async fn nobody_at_the_webhook_is_tried_again_too() {
    let simulator = Simulator::start(Config::default()).await.expect("started");
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "http://{}/webhook",
        listener.local_addr().expect("an address")
    );
    drop(listener);
    simulator.tells(
        Provider::Zenvia,
        &url,
        &[("x-ramal-secret", demo::WEBHOOK_SECRET)],
    );
    simulator
        .customer(Provider::Zenvia, "marina")
        .writes("Olá")
        .expect("written");
    let noted = simulator.wait_for("a failure", |world| {
        let attempts = world.retried().next().map(|(_, _, attempts, _)| attempts);
        attempts.filter(|_| world.exchanges(0).any(|one| one.status.is_none()))
    });
    assert_eq!(noted.await.expect("noted"), 1);
}

#[tokio::test]
async fn faults_of_answers_are_those_of_http() {
    let (simulator, _company) = start().await;
    simulator.tells(CLOUD, "/webhook", &[]);
    simulator
        .customer(CLOUD, "marina")
        .writes("Oi")
        .expect("written");
    simulator.fault(CLOUD, FaultKind::TooMany { retry_after_s: 7 }, 1);
    let body = || text("5511987654321", "Oi");
    let (status, headers, _) = ask(&simulator, "POST", &messages(), body()).await;
    assert_eq!(
        (status, &headers["retry-after"]),
        (429, &"7".parse().expect("a value"))
    );
    simulator.fault(CLOUD, FaultKind::ServerError, 1);
    let (status, ..) = ask(&simulator, "POST", &messages(), body()).await;
    assert_eq!(status, 500);
    let taken = |simulator: &Simulator| simulator.with(|world, _| world.messages().len());
    assert_eq!(taken(&simulator), 1);
    // Taken, and never answered: whoever asks goes away.
    simulator.fault(CLOUD, FaultKind::NeverAnswer, 1);
    let path = messages();
    let never = tokio::time::timeout(
        Duration::from_millis(300),
        ask(&simulator, "POST", &path, body()),
    );
    assert!(never.await.is_err());
    assert_eq!(taken(&simulator), 2);
    simulator.fault(CLOUD, FaultKind::SlowAnswer { ms: 50 }, 1);
    let (status, ..) = ask(&simulator, "POST", &messages(), body()).await;
    assert_eq!((status, taken(&simulator)), (200, 3));
}

#[tokio::test]
async fn meta_tells_nobody_who_did_not_answer_the_challenge() {
    let (simulator, mut company) = start().await;
    let path = format!("/graph/v25.0/{}/subscribed_apps", demo::WABA_ID);
    let subscribe = |token: &str| json!({"override_callback_uri": format!("{}/webhook", company.url), "verify_token": token});
    let (wrong, right) = (subscribe("outra"), subscribe(demo::VERIFY_TOKEN));
    let (status, _, body) = ask(&simulator, "POST", &path, wrong).await;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, &body["error"]["code"]), (400, &json!(2_200)));
    let done = asked(&simulator, "POST", &path, right).await;
    assert_eq!(done, json!({"success": true}));
    simulator
        .customer(CLOUD, "marina")
        .writes("Oi")
        .expect("written");
    company.hears(|_| true).await;
}

#[tokio::test]
async fn a_file_is_fetched_from_the_companys_link() {
    let (simulator, company) = start().await;
    simulator.tells(CLOUD, "/webhook", &[]);
    let marina = simulator.customer(CLOUD, "marina");
    marina.writes("Oi").expect("written");
    let send = |path: &str| {
        json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": "image",
            "image": {"link": format!("{}{path}", company.url)}})
    };
    asked(&simulator, "POST", &messages(), send("/picture.png")).await;
    let got = marina
        .gets(|message| message.progress == Progress::Delivered)
        .await
        .expect("delivered");
    let file = got.content.file().expect("a picture").clone();
    assert_eq!((file.mime.as_str(), file.bytes), ("image/png", 4));
    let (status, headers, bytes) = ask(
        &simulator,
        "GET",
        &format!("/_sim/files/{}", file.file),
        Value::Null,
    )
    .await;
    assert_eq!((status, &bytes[..]), (200, &b"\x89PNG"[..]));
    assert_eq!(headers["content-type"], "image/png");
    asked(&simulator, "POST", &messages(), send("/404.png")).await;
    let failed = marina
        .gets(|message| message.progress == Progress::Failed)
        .await
        .expect("failed");
    assert_eq!(failed.problem.map(|problem| problem.code), Some(131_053));
}

#[tokio::test]
async fn a_person_can_do_all_of_it_by_the_simulators_own_api() {
    let (simulator, mut company) = start().await;
    let account = json!({"webhook": {"url": "/webhook"}});
    let set = asked(&simulator, "PUT", "/_sim/accounts/cloud", account).await;
    assert_eq!(set["handshake"], "ok");
    let customer = json!({"id": "rita", "name": "Rita", "phone": "5511912340000"});
    let made = asked(&simulator, "POST", "/_sim/customers", customer).await;
    assert_eq!(made["shown"], "+55 11 91234-0000");
    let write = json!({"act": "write", "content": {"kind": "text", "text": "Oi"}});
    let written = asked(&simulator, "POST", "/_sim/chats/cloud/rita", write).await;
    assert_eq!(written["message"], 1);
    company.hears(|_| true).await;
    let fault = json!({"provider": "cloud", "fault": "delay", "ms": 1000, "times": 1});
    asked(&simulator, "POST", "/_sim/faults", fault).await;
    let state = asked(&simulator, "GET", "/_sim/state", Value::Null).await;
    assert_eq!(state["faults"][0]["fault"], "delay");
    assert_eq!(state["chats"][0]["last"]["content"]["text"], "Oi");
    assert_eq!(state["providers"].as_array().map(Vec::len), Some(6));
    let seen = asked(
        &simulator,
        "GET",
        "/_sim/messages?provider=cloud&customer=rita",
        Value::Null,
    )
    .await;
    assert_eq!(seen[0]["content"], json!({"kind": "text", "text": "Oi"}));
    let wire = asked(&simulator, "GET", "/_sim/wire", Value::Null).await;
    assert_eq!(
        (&wire[0]["direction"], &wire[0]["label"]),
        (&json!("out"), &json!("message"))
    );
    assert_eq!(
        asked(&simulator, "DELETE", "/_sim/faults", Value::Null).await,
        json!([])
    );
    let (status, _, why) = ask(
        &simulator,
        "POST",
        "/_sim/chats/cloud/ninguem",
        json!({"act": "read"}),
    )
    .await;
    assert_eq!(
        (status, &why[..]),
        (422, &br#"{"error":"there is no customer ninguem"}"#[..])
    );
    let (status, ..) = ask(&simulator, "GET", "/_sim/chats/infobip/rita", Value::Null).await;
    assert_eq!(status, 404);
    let (status, ..) = ask(&simulator, "GET", "/nothing", Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_page_is_there_and_hears_what_changes() {
    let (simulator, _company) = start().await;
    for path in [
        "/",
        "/?lang=en",
        "/_sim/page/app.js",
        "/_sim/page/words.js",
        "/_sim/page/style.css",
    ] {
        let (status, _, body) = ask(&simulator, "GET", path, Value::Null).await;
        assert!(status == 200 && body.len() > 500, "{path}: {status}");
    }
    let stream = TcpStream::connect(simulator.address())
        .await
        .expect("connected");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("HTTP");
    tokio::spawn(connection);
    let request = Request::get("/_sim/events")
        .header("host", "sim")
        .body(Body::empty());
    let mut events = sender
        .send_request(request.expect("a request"))
        .await
        .expect("events")
        .into_body();
    simulator
        .customer(CLOUD, "marina")
        .writes("Oi")
        .expect("written");
    let frame = tokio::time::timeout(Duration::from_secs(20), events.frame()).await;
    let frame = frame.expect("in time").expect("an event").expect("whole");
    let text = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
    let topic = r#"{"topic":"chat","provider":"cloud","customer":"marina"}"#;
    assert!(
        text.starts_with("data: [") && text.contains(topic),
        "{text}"
    );
}

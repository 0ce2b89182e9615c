//! A visitor of a shop's page chats with an agent: as their browser does it, over the socket and without.

mod bad_input;
mod stays;

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::live::{Watcher, open, serve};
use crate::world::{Answer, As, PASSWORD, World};

/// A company with a web chat, and an agent.
struct Shop {
    world: World,
    admin: As,
    address: SocketAddr,
    service: String,
    channel: String,
    /// What the channel was answered with when it was made.
    made: Value,
}

/// A page of a visitor.
struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

fn text_of(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

impl Shop {
    async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// A web chat that is set so.
    async fn with(settings: Value) -> Self {
        let mut world = World::new().await;
        world.company("a").await;
        let admin = world.key(Some("a"), &["admin"]).await;
        let code = json!({ "id": "resolvido", "name": "Resolvido", "fields": [], "actions": [] });
        let service = json!({ "name": "Vendas", "rules": { "dispositions": [code] } });
        let service = world.post(&admin, "/api/v1/services", service).await;
        let service = text_of(&service.expect(201)["id"]);
        let person = json!({ "email": "ana@a.example", "name": "Ana", "role": "agent",
            "password": PASSWORD });
        let person = world.post(&admin, "/api/v1/users", person).await;
        let agents = json!({ "agents": [person.expect(201)["id"]] });
        let path = format!("/api/v1/services/{service}/agents");
        world.put(&admin, &path, agents).await.expect(200);
        let channel = json!({ "kind": "webchat", "name": "Loja", "service": service,
            "settings": settings });
        let made = world.post(&admin, "/api/v1/channels", channel).await;
        let made = made.expect(201);
        let address = serve(&world).await;
        Self {
            channel: text_of(&made["id"]),
            world,
            admin,
            address,
            service,
            made,
        }
    }

    /// The agent, with a page open and there.
    async fn ana(&self) -> (As, Watcher) {
        let ana = self.world.log_in("ana@a.example").await;
        let page = self.page_of(&ana).await;
        self.page_of(&ana).await.stay_open();
        let available = json!({ "presence": "available" });
        let path = "/api/v1/agents/me/presence";
        self.world.put(&ana, path, available).await.expect(200);
        (ana, page)
    }

    async fn page_of(&self, who: &As) -> Watcher {
        let origin = format!("http://{}", self.address);
        let page = open(self.address, who, "", Some(&origin)).await;
        page.expect("a page")
    }

    /// A page of somebody, before they said a word.
    async fn page(&self) -> Page {
        let origin = format!("http://{}", self.address);
        self.page_from(Some(&origin)).await.expect("a socket")
    }

    async fn page_from(&self, origin: Option<&str>) -> Result<Page, u16> {
        let path = format!("ws://{}/webchat/{}/socket", self.address, self.channel);
        let mut request = path.into_client_request().expect("a request");
        if let Some(origin) = origin {
            let origin = origin.parse().expect("an origin");
            request.headers_mut().insert("origin", origin);
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Page(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A page of somebody new, and their token.
    async fn visitor(&self) -> (Page, String) {
        let mut page = self.page().await;
        page.say(hello(json!({}))).await;
        let token = text_of(&page.until("welcome").await["token"]);
        page.until("state").await;
        (page, token)
    }

    /// Frames without a socket.
    async fn posted(&self, token: &str, frames: Value) -> Answer {
        let path = format!("/webchat/{}/frames", self.channel);
        let frames = json!({ "frames": frames });
        let body = Body::from(frames.to_string());
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.sent(token, request.body(body).expect("a request"))
            .await
    }

    /// What there is behind this, without a socket.
    async fn polled(&self, token: &str, query: &str) -> Answer {
        let path = format!("/webchat/{}/frames?{query}", self.channel);
        let request = Request::get(path).body(Body::empty());
        self.sent(token, request.expect("a request")).await
    }

    async fn uploaded(&self, token: &str, name: &str, file: &[u8]) -> Answer {
        let path = format!("/webchat/{}/uploads?name={name}", self.channel);
        let request = Request::post(path).body(Body::from(file.to_vec()));
        self.sent(token, request.expect("a request")).await
    }

    async fn sent(&self, token: &str, mut request: Request<Body>) -> Answer {
        if !token.is_empty() {
            let token = format!("Bearer {token}").parse().expect("a token");
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        self.world.send(&As::Nobody, request).await
    }

    /// What the agent has in hand or is offered, once that is so.
    async fn work(&self, agent: &As, doing: &str) -> Value {
        for _ in 0..200 {
            let work = self.world.get(agent, "/api/v1/agents/me/work").await;
            let work = work.expect(200);
            if work["items"][0]["doing"] == doing {
                return work["items"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nothing is {doing}");
    }

    /// Takes what is offered: the work and the interaction.
    async fn take(&self, agent: &As) -> (String, String) {
        let work = self.work(agent, "offered").await;
        let (work, interaction) = (text_of(&work["work"]), text_of(&work["interaction"]));
        let path = format!("/api/v1/work/{work}/accept");
        self.world.post(agent, &path, json!({})).await.expect(204);
        (work, interaction)
    }

    /// The interaction, once it is over.
    async fn ended(&self, interaction: &str) -> Value {
        let path = format!("/api/v1/interactions/{interaction}");
        for _ in 0..200 {
            let read = self.world.get(&self.admin, &path).await.expect(200);
            if read["state"] == "ended" {
                return read;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it is not over");
    }

    async fn reply(&self, agent: &As, interaction: &str, text: &str) -> Value {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        let reply = json!({ "client_message_id": format!("c-{}", text.len()), "text": text });
        self.world.post(agent, &path, reply).await.expect(201)
    }

    async fn close(&self, agent: &As, work: &str) {
        let path = format!("/api/v1/work/{work}/disposition");
        let code = json!({ "disposition": "resolvido" });
        self.world.post(agent, &path, code).await.expect(204);
    }

    async fn signal(&self, agent: &As, interaction: &str, signal: Value) {
        let path = format!("/api/v1/interactions/{interaction}/signals");
        self.world.post(agent, &path, signal).await.expect(204);
    }

    /// Waits until the visitor has read this message.
    async fn is_read(&self, interaction: &str, message: &Value) {
        for _ in 0..200 {
            let said = self.messages(interaction).await;
            let it = said.iter().find(|one| one["id"] == *message);
            if it.is_some_and(|it| it["state"] == "read") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nobody reads it");
    }

    async fn messages(&self, interaction: &str) -> Vec<Value> {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        let read = self.world.get(&self.admin, &path).await.expect(200);
        read["items"].as_array().expect("messages").clone()
    }
}

impl Page {
    async fn say(&mut self, frame: Value) {
        self.raw(Message::Text(frame.to_string().into())).await;
    }

    async fn raw(&mut self, message: Message) {
        self.0.send(message).await.expect("it is sent");
    }

    /// What comes next; an error with the code where the socket is closed.
    async fn next(&mut self) -> Result<Value, String> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await;
            match next.expect("something is told") {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(format!("{} {}", frame.code, frame.reason));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err(format!("{other:?}")),
            }
        }
    }

    /// Reads on until a frame of this type.
    async fn until(&mut self, kind: &str) -> Value {
        self.until_it(|frame| frame["type"] == kind).await
    }

    async fn until_it(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("a frame");
            if is_it(&frame) {
                return frame;
            }
        }
    }

    async fn until_phase(&mut self, phase: &str) -> Value {
        self.until_it(|frame| frame["phase"] == phase).await
    }

    /// Writes, and waits until that is acknowledged: with which number.
    async fn write(&mut self, id: &str, text: &str) -> u64 {
        self.say(send(id, text)).await;
        let ack = self.until("ack").await;
        assert_eq!(ack["client_message_id"], id);
        ack["seq"].as_u64().expect("a number")
    }
}

fn hello(with: Value) -> Value {
    let mut hello = json!({ "type": "hello", "v": 1, "language": "pt-BR", "after_seq": 0 });
    for (name, value) in with.as_object().expect("fields") {
        hello[name] = value.clone();
    }
    hello
}

fn send(id: &str, text: &str) -> Value {
    json!({ "type": "send", "client_message_id": id, "content": { "kind": "text", "text": text } })
}

/// The texts of a frame of messages.
fn texts(frame: &Value) -> Vec<String> {
    let messages = frame["messages"].as_array().expect("messages");
    let text = |one: &Value| one["content"]["text"].as_str().map(str::to_owned);
    messages.iter().filter_map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_writes_an_agent_answers_and_both_see_what_the_other_does() {
    let shop = Shop::new().await;
    let (mut page, _) = shop.visitor().await;
    page.say(send("00000001", "Meu pedido não chegou")).await;
    let ack = page.until("ack").await;
    assert_eq!(
        (&ack["client_message_id"], &ack["seq"]),
        (&json!("00000001"), &json!(1))
    );
    let waiting = page.until_phase("waiting").await;
    assert_eq!(waiting["service"]["name"], "Vendas");

    let (ana, mut desk) = shop.ana().await;
    let (work, interaction) = shop.take(&ana).await;
    let with = page.until_phase("agent").await;
    assert_eq!(with["agent"]["name"], "Ana");
    assert_eq!(with["interaction"], json!(interaction));

    // Who types is seen by the other side; so is what was read.
    page.say(json!({ "type": "typing", "on": true })).await;
    let typing = |told: &Value| told["kind"] == "typing";
    let told = desk.until(typing).await;
    assert_eq!(
        (&told["interaction"], &told["on"]),
        (&json!(interaction), &json!(true))
    );
    let held = shop.work(&ana, "handling").await;
    assert_eq!(
        (&held["service_name"], &held["channel"]["name"]),
        (&json!("Vendas"), &json!("Loja"))
    );
    assert_eq!(
        (&held["channel"]["kind"], &held["channel"]["id"]),
        (&json!("webchat"), &json!(shop.channel))
    );
    let record = format!("/api/v1/interactions/{interaction}");
    let record = shop.world.get(&shop.admin, &record).await.expect(200);
    assert_eq!(
        (&held["protocol"], &held["contact"], &held["began_ms"]),
        (
            &record["protocol"],
            &record["contact"],
            &record["started_ms"]
        )
    );
    let contact = format!("/api/v1/contacts/{}", text_of(&held["contact"]));
    let contact = shop.world.get(&ana, &contact).await.expect(200);
    assert_eq!(held["customer"], contact["name"]);
    shop.signal(&ana, &interaction, json!({ "kind": "typing", "on": true }))
        .await;
    page.until_it(|frame| frame["typing"] == true).await;
    shop.signal(&ana, &interaction, json!({ "kind": "read", "seq": 1 }))
        .await;
    page.until_it(|frame| frame["read_seq"] == 1).await;

    let sent = shop
        .reply(&ana, &interaction, "Bom dia! Vou verificar.")
        .await;
    let told = page.until_it(|frame| {
        frame["type"] == "messages" && texts(frame).contains(&"Bom dia! Vou verificar.".to_owned())
    });
    let told = told.await;
    let said = told["messages"]
        .as_array()
        .expect("messages")
        .last()
        .cloned();
    let said = said.expect("a message");
    assert_eq!(said["author"], json!({ "kind": "agent", "name": "Ana" }));
    assert_eq!(said["seq"], sent["seq"]);
    page.say(json!({ "type": "seen", "delivered": said["seq"], "read": said["seq"] }))
        .await;
    shop.is_read(&interaction, &sent["id"]).await;

    shop.close(&ana, &work).await;
    let over = page.until_phase("closed").await;
    assert_eq!(over["survey"], Value::Null, "nothing is asked");
    // Who comes back begins another matter in the same conversation.
    page.write("00000002", "E agora?").await;
    let (_, next) = shop.take(&ana).await;
    assert_ne!(next, interaction);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_the_same_message_and_nothing_else_is_under_its_name() {
    let shop = Shop::new().await;
    let (mut page, token) = shop.visitor().await;
    let first = page.write("00000001", "Oi").await;
    assert_eq!(page.write("00000001", "Oi").await, first);
    page.say(send("00000001", "Tchau")).await;
    let error = page.until("error").await;
    assert_eq!(error["code"], "key_reused");
    assert_eq!(error["client_message_id"], "00000001");
    // What one visitor calls theirs is no business of another's.
    let (mut other, _) = shop.visitor().await;
    assert_eq!(other.write("00000001", "Oi").await, 1);
    drop(page);

    // The browser was away, and does not know what came through: it sends all of it again.
    let mut page = shop.page().await;
    page.say(hello(json!({ "token": token }))).await;
    let welcome = page.until("welcome").await;
    assert_eq!(welcome["last_seq"], json!(first));
    for (id, text) in [("00000001", "Oi"), ("00000002", "Alguém aí?")] {
        page.write(id, text).await;
        page.write(id, text).await;
    }
    let (ana, _) = shop.ana().await;
    let (_, interaction) = shop.take(&ana).await;
    let said = shop.messages(&interaction).await;
    let said: Vec<&Value> = said.iter().map(|one| &one["content"]["text"]).collect();
    // Ana is offered whichever came first; either has its messages once.
    assert!(said == ["Oi", "Alguém aí?"] || said == ["Oi"], "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_socket_gets_what_came_since_and_nothing_twice() {
    let shop = Shop::new().await;
    let (mut page, token) = shop.visitor().await;
    page.write("00000001", "Oi").await;
    let (ana, _) = shop.ana().await;
    let (_, interaction) = shop.take(&ana).await;
    shop.reply(&ana, &interaction, "um").await;
    let told = page
        .until_it(|frame| frame["type"] == "messages" && texts(frame).contains(&"um".to_owned()))
        .await;
    let conversation = told["conversation"].clone();
    let last = told["messages"]
        .as_array()
        .expect("messages")
        .last()
        .cloned();
    let last = last.expect("a message")["seq"].clone();
    drop(page);
    shop.reply(&ana, &interaction, "dois").await;
    shop.reply(&ana, &interaction, "três").await;

    let mut page = shop.page().await;
    let again = json!({ "token": token, "conversation": conversation, "after_seq": last });
    page.say(hello(again)).await;
    let missed = page.until("messages").await;
    assert_eq!(texts(&missed), ["dois", "três"]);
    assert_eq!(missed["after"], last);
    // Of another conversation the number means nothing.
    let mut page = shop.page().await;
    let odd = json!({ "token": token, "conversation": "other", "after_seq": 2 });
    page.say(hello(odd)).await;
    let all = page.until("messages").await;
    assert_eq!(texts(&all), ["Oi", "um", "dois", "três"]);
    page.say(json!({ "type": "resume", "after_seq": last }))
        .await;
    assert_eq!(texts(&page.until("messages").await), ["dois", "três"]);
    page.say(json!({ "type": "history", "before_seq": last }))
        .await;
    let older = page.until("history").await;
    assert_eq!(
        (texts(&older), &older["more"]),
        (vec!["Oi".to_owned()], &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_visitor_is_shown_to_both_and_that_of_another_to_nobody() {
    let shop = Shop::new().await;
    let (mut page, token) = shop.visitor().await;
    let picture = picture();
    let up = shop
        .uploaded(&token, "etiqueta.png", &picture)
        .await
        .expect(201);
    assert_eq!(
        (&up["kind"], &up["mime"]),
        (&json!("image"), &json!("image/png"))
    );
    let file = json!({ "kind": "file", "upload": up["id"], "caption": "a etiqueta" });
    let frame = json!({ "type": "send", "client_message_id": "00000001", "content": file });

    // Another visitor cannot send it as theirs.
    let (mut other, stranger) = shop.visitor().await;
    other.say(frame.clone()).await;
    assert_eq!(other.until("error").await["code"], "upload");

    page.say(frame).await;
    let told = page.until("messages").await;
    let shown = &told["messages"][0]["content"];
    assert_eq!(shown["caption"], "a etiqueta");
    assert_eq!(shown["file"]["name"], "etiqueta.png");
    for url in ["url", "thumb"] {
        let url = text_of(&shown["file"][url]);
        let read = shop.world.get(&As::Nobody, &url).await;
        assert_eq!(read.status, 200, "{url}");
        assert!(!read.bytes.is_empty());
    }
    // A program is not taken, whatever it is called, nor is what the channel does not take.
    for file in [
        &b"MZ\x90\0"[..],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04",
    ] {
        let refused = shop.uploaded(&stranger, "foto.png", file).await;
        assert_eq!(refused.expect(415)["frames"][0]["code"], "file_type");
    }
    let refused = shop.uploaded("", "foto.png", &picture).await;
    assert_eq!(refused.expect(401)["frames"][0]["code"], "token");
}

/// A picture that browsers show.
fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    let picture = image::RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([
            u8::try_from(x * 3).unwrap_or(0),
            u8::try_from(y * 5).unwrap_or(0),
            90,
        ])
    });
    let written = picture.write_to(&mut bytes, image::ImageFormat::Png);
    written.expect("a picture");
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_visitor_thinks_is_kept_once_with_a_line_of_the_trail() {
    let questions = json!([
        { "id": "csat", "kind": "stars", "text": "Como foi o atendimento?", "required": true },
        { "id": "more", "kind": "text", "text": "Quer contar mais?", "required": false },
    ]);
    let shop =
        Shop::with(json!({ "life": { "survey": { "id": "s1", "questions": questions } } })).await;
    let (mut page, _) = shop.visitor().await;
    page.write("00000001", "Oi").await;
    let (ana, _) = shop.ana().await;
    let (work, interaction) = shop.take(&ana).await;
    shop.close(&ana, &work).await;
    let asked = page.until_it(|frame| frame["survey"]["id"] == "s1").await;
    assert_eq!(asked["phase"], "closed");
    assert_eq!(asked["survey"]["questions"], questions);

    let answers = |answers: Value| {
        json!({ "type": "survey", "client_message_id": "00000009",
        "survey": "s1", "answers": answers })
    };
    for wrong in [
        json!([{ "question": "csat", "value": "6" }]),
        json!([{ "question": "other", "value": "5" }]),
        json!([{ "question": "more", "value": "nada" }]),
    ] {
        page.say(answers(wrong)).await;
        assert_eq!(page.until("error").await["code"], "invalid");
    }
    let right =
        json!([{ "question": "csat", "value": "5" }, { "question": "more", "value": "Bom!" }]);
    for _ in 0..2 {
        page.say(answers(right.clone())).await;
        page.until("ack").await;
    }
    let kept = shop.world.get(&shop.admin, "/api/v1/survey-answers").await;
    let kept = kept.expect(200);
    let mut rows: Vec<(String, String)> = kept["items"]
        .as_array()
        .expect("answers")
        .iter()
        .inspect(|row| assert_eq!(row["interaction"], json!(interaction)))
        .map(|row| (text_of(&row["question"]), text_of(&row["answer"])))
        .collect();
    rows.sort();
    let expected = [("csat", "5"), ("more", "Bom!")];
    assert_eq!(
        rows,
        expected.map(|(one, other)| (one.to_owned(), other.to_owned()))
    );
    let path = format!("/api/v1/interactions/{interaction}");
    let read = shop.world.get(&shop.admin, &path).await.expect(200);
    let lines = read["trail"].as_array().expect("a trail");
    let lines = lines
        .iter()
        .filter(|line| line["kind"] == "survey_answered");
    assert_eq!(lines.count(), 1, "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_visitor_ends_it_while_waiting_or_talking() {
    let shop = Shop::new().await;
    let (mut page, _) = shop.visitor().await;
    let close = |id: &str| json!({ "type": "close", "client_message_id": id });
    page.write("00000001", "Oi").await;
    page.until_phase("waiting").await;
    page.say(close("00000002")).await;
    page.until("ack").await;
    page.until_phase("closed").await;

    page.write("00000003", "Voltei").await;
    let (ana, _) = shop.ana().await;
    let (_, interaction) = shop.take(&ana).await;
    page.until_phase("agent").await;
    page.say(close("00000004")).await;
    page.until_phase("closed").await;
    let over = shop.ended(&interaction).await;
    assert_eq!(over["ended_by"], "customer");
    // What is over is ended again without harm.
    page.say(close("00000004")).await;
    page.until("ack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_socket_frames_are_posted_and_news_are_waited_for() {
    let shop = Shop::new().await;
    let first = shop.posted("", json!([hello(json!({}))])).await.expect(200);
    let welcome = &first["frames"][0];
    assert_eq!(welcome["type"], "welcome");
    let token = text_of(&welcome["token"]);
    let frames = json!([send("00000001", "Oi"), send("00000001", "Oi")]);
    let told = shop.posted(&token, frames).await.expect(200);
    let acks = told["frames"].as_array().expect("frames").iter();
    let acks = acks.filter(|frame| frame["type"] == "ack" && frame["seq"] == 1);
    assert_eq!(acks.count(), 2, "{told}");
    let told = shop.polled(&token, "after_seq=0&state=0").await.expect(200);
    let frames = told["frames"].as_array().expect("frames").clone();
    let of = |kind: &str| frames.iter().find(|frame| frame["type"] == kind).cloned();
    let (state, messages) = (
        of("state").expect("a state"),
        of("messages").expect("messages"),
    );
    assert_eq!(texts(&messages), ["Oi"]);

    let (ana, _) = shop.ana().await;
    let (_, interaction) = shop.take(&ana).await;
    let conversation = text_of(&messages["conversation"]);
    let mut version = state["version"].clone();
    shop.reply(&ana, &interaction, "Olá").await;
    loop {
        let query = format!("after_seq=1&state={version}&conversation={conversation}");
        let told = shop.polled(&token, &query).await.expect(200);
        let frames = told["frames"].as_array().expect("frames");
        assert!(!frames.is_empty(), "something came");
        if let Some(state) = frames.iter().find(|frame| frame["type"] == "state") {
            version = state["version"].clone();
        }
        if let Some(messages) = frames.iter().find(|frame| frame["type"] == "messages") {
            assert_eq!(texts(messages), ["Olá"]);
            break;
        }
    }
    let again = shop
        .world
        .ask(&As::Nobody, Method::GET, "/webchat/none/frames", None)
        .await;
    assert_eq!(again.expect(404)["frames"][0]["code"], "channel");
}

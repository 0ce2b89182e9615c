//! Somebody watches over a WebSocket, and misses nothing when the connection is lost.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use store::users::Role;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::world::{As, World};

/// A socket on which somebody watches.
pub(crate) struct Watcher(WebSocketStream<MaybeTlsStream<TcpStream>>);

pub(crate) async fn serve(world: &World) -> SocketAddr {
    let listener = world.listener.try_clone().expect("a socket");
    listener.set_nonblocking(true).expect("a socket");
    let listener = TcpListener::from_std(listener).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let service = world.router.clone();
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

pub(crate) async fn open(
    address: SocketAddr,
    who: &As,
    query: &str,
    origin: Option<&str>,
) -> Result<Watcher, u16> {
    let mut request = format!("ws://{address}/api/v1/live{query}")
        .into_client_request()
        .expect("a request");
    let headers = request.headers_mut();
    match who {
        As::Nobody => {}
        As::Key(key) => {
            let value = format!("Bearer {key}").parse().expect("a key");
            headers.insert("authorization", value);
        }
        As::Cookie { cookie, .. } => {
            headers.insert("cookie", cookie.parse().expect("a cookie"));
        }
    }
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().expect("an origin"));
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(Watcher(socket)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl Watcher {
    /// Leaves the page open for as long as the test runs; nobody looks at it.
    pub(crate) fn stay_open(mut self) {
        tokio::spawn(async move { while self.0.next().await.is_some() {} });
    }

    /// The next thing that is told.
    async fn next(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await;
            let message = next.expect("something is told").expect("a message");
            match message.expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                    panic!("{other:?}")
                }
            }
        }
    }

    /// Reads on until something of this kind comes; how many of others came before.
    pub(crate) async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let told = self.next().await;
            if is_it(&told) {
                return told;
            }
        }
    }
}

fn seq(told: &Value) -> u64 {
    told["seq"].as_u64().expect("a count")
}

fn is_agent(presence: &'static str) -> impl Fn(&Value) -> bool {
    move |told| told["kind"] == "agent" && told["agent"]["presence"] == presence
}

async fn staffed() -> (World, As, SocketAddr) {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    world.user("ana@a.example", Some("a"), Role::Agent).await;
    let address = serve(&world).await;
    let service = json!({ "name": "Vendas" });
    // Any change hands telephony the people that were put into the store.
    world
        .post(&admin, "/api/v1/services", service)
        .await
        .expect(201);
    (world, admin, address)
}

async fn set_presence(world: &World, who: &As, presence: Value) {
    let path = "/api/v1/agents/me/presence";
    world.put(who, path, presence).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_connection_goes_on_where_they_were_and_misses_nothing() {
    let (mut world, _, address) = staffed().await;
    let reader = world.key(Some("a"), &["read"]).await;
    let ana = world.log_in("ana@a.example").await;
    let mut watcher = open(address, &reader, "", None).await.expect("a socket");
    let first = watcher.next().await;
    assert_eq!(first["kind"], "snapshot");
    assert_eq!(first["agents"][0]["presence"], "offline");
    assert_eq!(first["queues"][0]["waiting"], 0);
    set_presence(&world, &ana, json!({ "presence": "available" })).await;
    let came = watcher.until(is_agent("available")).await;
    assert!(seq(&came) > seq(&first));
    drop(watcher);
    let pause = json!({ "presence": "paused", "reason": "almoco" });
    set_presence(&world, &ana, pause).await;
    set_presence(&world, &ana, json!({ "presence": "available" })).await;
    set_presence(&world, &ana, json!({ "presence": "offline" })).await;
    let since = format!("?since={}", seq(&came));
    let mut watcher = open(address, &reader, &since, None)
        .await
        .expect("a socket");
    let mut last = seq(&came);
    let mut presences = vec![];
    while presences.last() != Some(&json!("offline")) {
        let told = watcher.next().await;
        assert_ne!(told["kind"], "snapshot");
        assert_eq!(seq(&told), last + 1, "nothing is missing: {told}");
        last = seq(&told);
        if told["kind"] == "agent" {
            presences.push(told["agent"]["presence"].clone());
        }
    }
    presences.dedup();
    let missed = ["paused", "available", "offline"].map(|word| json!(word));
    let at = presences.len() - missed.len();
    assert_eq!(presences[at..], missed);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_with_a_count_that_is_not_held_gets_everything_anew() {
    let (mut world, _, address) = staffed().await;
    let reader = world.key(Some("a"), &["read"]).await;
    for since in ["0", "1", "9007199254740991", "18446744073709551615"] {
        let query = format!("?since={since}");
        let mut watcher = open(address, &reader, &query, None)
            .await
            .expect("a socket");
        assert_eq!(watcher.next().await["kind"], "snapshot", "{since}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_see_their_own_and_nobody_sees_another_company() {
    let (mut world, admin, address) = staffed().await;
    world.user("bruno@a.example", Some("a"), Role::Agent).await;
    let service = json!({ "name": "Suporte" });
    world
        .post(&admin, "/api/v1/services", service)
        .await
        .expect(201);
    let (ana, bruno) = (
        world.log_in("ana@a.example").await,
        world.log_in("bruno@a.example").await,
    );
    let other = world.key(Some("b"), &["read"]).await;
    let page = format!("http://{address}");
    let mut own = open(address, &ana, "", Some(&page))
        .await
        .expect("a socket");
    let mut foreign = open(address, &other, "", None).await.expect("a socket");
    let seen = own.next().await;
    assert_eq!(seen["agents"].as_array().expect("agents").len(), 1);
    assert_eq!(seen["queues"], json!([]));
    assert_eq!(foreign.next().await["agents"], json!([]));
    set_presence(&world, &bruno, json!({ "presence": "available" })).await;
    set_presence(&world, &ana, json!({ "presence": "available" })).await;
    let mine = own.until(is_agent("available")).await;
    assert_eq!(mine["agent"]["name"], "ana@a.example");
    let silent = tokio::time::timeout(Duration::from_millis(300), foreign.0.next()).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_opened_by_nobody_who_may_not_and_from_no_other_page() {
    let (mut world, _, address) = staffed().await;
    let ana = world.log_in("ana@a.example").await;
    let key = world.key(Some("a"), &["read"]).await;
    let weak = world.key(Some("a"), &[]).await;
    let own = format!("http://{address}");
    let cases = [
        (&As::Nobody, Some(own.as_str()), Err(401)),
        (&ana, Some(own.as_str()), Ok(())),
        (&ana, None, Err(403)),
        (&ana, Some("http://evil.example"), Err(403)),
        (&ana, Some("null"), Err(403)),
        (&key, None, Ok(())),
        (&key, Some("http://evil.example"), Err(403)),
        (&weak, None, Err(403)),
    ];
    for (who, origin, wanted) in cases {
        let opened = open(address, who, "", origin).await.map(|_| ());
        assert_eq!(opened, wanted, "{who:?} {origin:?}");
    }
    let plain = world.get(&key, "/api/v1/live").await;
    assert_eq!(plain.code(400), "malformed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_is_hung_up_on_and_who_says_goodbye_is_gone() {
    let (mut world, _, address) = staffed().await;
    let key = world.key(Some("a"), &["read"]).await;
    let mut loud = open(address, &key, "", None).await.expect("a socket");
    loud.next().await;
    let text = "x".repeat(100_000);
    let _ = loud.0.send(Message::Text(text.into())).await;
    let over = async { while let Some(Ok(_)) = loud.0.next().await {} };
    let over = tokio::time::timeout(Duration::from_secs(10), over).await;
    over.expect("the socket is closed");
    let mut polite = open(address, &key, "", None).await.expect("a socket");
    polite.next().await;
    polite.0.close(None).await.expect("a goodbye");
    let text = || async {
        let answer = world.get(&As::Nobody, "/metrics").await;
        String::from_utf8(answer.bytes).expect("text")
    };
    for _ in 0..100 {
        if text().await.contains("ramal_live_sockets 0\n") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", text().await);
}

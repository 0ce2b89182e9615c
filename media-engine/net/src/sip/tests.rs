//! Over real sockets of the loopback: every wait is for something to happen, none for a time.

use std::net::{Ipv4Addr, Ipv6Addr};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{self, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;

/// Longer than anything here takes on a busy machine: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const OPTIONS: &[u8] = b"OPTIONS sip:ramal SIP/2.0\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

fn any() -> Vec<SocketAddr> {
    vec![(Ipv4Addr::LOCALHOST, 0).into()]
}

async fn bind(config: TransportsConfig) -> Transports {
    Transports::bind(config).await.expect("loopback binds")
}

/// The events up to and with the first that `wanted` takes.
async fn until(transports: &mut Transports, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut seen = Vec::new();
    let look = async {
        loop {
            transports.receive(&mut seen).await;
            if seen.iter().any(&wanted) {
                break;
            }
        }
    };
    assert!(timeout(PATIENCE, look).await.is_ok(), "only {:?}", seen);
    seen
}

fn is_received(event: &Event) -> bool {
    matches!(event, Event::Received { .. })
}

fn is_closed(event: &Event) -> bool {
    matches!(event, Event::Closed { .. })
}

async fn received(transports: &mut Transports) -> (Flow, Bytes) {
    let events = until(transports, is_received).await;
    let found = events.into_iter().find_map(|event| match event {
        Event::Received { flow, bytes } => Some((flow, bytes)),
        Event::Closed { .. } | Event::Failed { .. } => None,
    });
    found.expect("there is one")
}

#[tokio::test]
async fn a_datagram_is_answered_from_the_socket_it_came_to() {
    let udp = vec![
        (Ipv4Addr::LOCALHOST, 0).into(),
        (Ipv4Addr::new(127, 0, 0, 2), 0).into(),
    ];
    let mut transports = bind(TransportsConfig {
        udp,
        ..Default::default()
    })
    .await;
    let phone = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 3), 0))
        .await
        .expect("free");
    for (_, local) in transports.addresses().to_vec() {
        phone.send_to(b"\r\n\r\n", local).await.expect("sent"); // a keep-alive is no message
        phone.send_to(OPTIONS, local).await.expect("sent");
        let (flow, bytes) = received(&mut transports).await;
        assert_eq!(flow.local, local);
        assert_eq!(flow.remote, phone.local_addr().expect("bound"));
        assert_eq!(bytes, OPTIONS);

        transports.send(flow, None, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
        let mut answer = [0; 100];
        let (length, from) = phone.recv_from(&mut answer).await.expect("answered");
        assert_eq!(
            (&answer[..length], from),
            (&b"SIP/2.0 200 OK\r\n\r\n"[..], local)
        );
    }
    assert_eq!(transports.counters().keep_alives.load(Relaxed), 2);
}

#[tokio::test]
async fn a_burst_of_datagrams_comes_in_batches_and_none_is_lost() {
    let mut transports = bind(TransportsConfig {
        udp: any(),
        ..Default::default()
    })
    .await;
    let local = transports.addresses()[0].1;
    let phone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("free");
    for _ in 0..100 {
        phone.send_to(OPTIONS, local).await.expect("sent");
    }
    let mut batch = Vec::new();
    let mut turns = 0;
    while batch.len() < 100 {
        timeout(PATIENCE, transports.receive(&mut batch))
            .await
            .expect("all arrive");
        turns += 1;
    }
    assert!(turns < 50, "{turns} turns");
}

#[tokio::test]
async fn ipv6_datagrams_come_and_go_where_there_is_ipv6() {
    let udp = vec![(Ipv6Addr::LOCALHOST, 0).into()];
    let Ok(mut transports) = Transports::bind(TransportsConfig {
        udp,
        ..Default::default()
    })
    .await
    else {
        return; // a machine without IPv6
    };
    let phone = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0))
        .await
        .expect("free");
    phone
        .send_to(OPTIONS, transports.addresses()[0].1)
        .await
        .expect("sent");
    let (flow, _) = received(&mut transports).await;
    transports.send(flow, None, Bytes::from_static(OPTIONS));
    let mut answer = [0; 100];
    assert_eq!(
        phone.recv(&mut answer).await.expect("answered"),
        OPTIONS.len()
    );
}

#[tokio::test]
async fn what_cannot_be_routed_comes_back_as_failed() {
    let mut transports = bind(TransportsConfig {
        udp: any(),
        ..Default::default()
    })
    .await;
    let local = transports.addresses()[0].1;
    let remote = (Ipv6Addr::LOCALHOST, 5060).into(); // no IPv6 socket of ours
    let flow = Flow {
        transport: Transport::Udp,
        local,
        remote,
        connection: None,
    };
    transports.send(flow, None, Bytes::from_static(OPTIONS));
    let events = until(&mut transports, |event| !is_received(event)).await;
    assert!(matches!(events[0], Event::Failed { flow: failed } if failed == flow));
}

#[tokio::test]
async fn a_stream_is_cut_into_messages_and_answered_on_the_same_connection() {
    let mut transports = bind(TransportsConfig {
        tcp: any(),
        ..Default::default()
    })
    .await;
    let mut phone = TcpStream::connect(transports.addresses()[0].1)
        .await
        .expect("listens");
    let (head, tail) = OPTIONS.split_at(30);
    phone
        .write_all(&[b"\r\n\r\n", OPTIONS, head].concat())
        .await
        .expect("sent");
    let (flow, bytes) = received(&mut transports).await;
    assert_eq!((bytes.as_ref(), flow.transport), (OPTIONS, Transport::Tcp));
    phone.write_all(tail).await.expect("sent");
    let (again, bytes) = received(&mut transports).await;
    assert_eq!((bytes.as_ref(), again), (OPTIONS, flow));

    // Without the connection's number, the open one to that address is used.
    transports.send(
        Flow {
            connection: None,
            ..flow
        },
        None,
        Bytes::from_static(b"pong pong"),
    );
    let mut answer = [0; 11];
    phone.read_exact(&mut answer).await.expect("answered");
    assert_eq!(&answer, b"\r\npong pong"); // the keep-alive was answered before

    drop(phone);
    until(&mut transports, is_closed).await;
    assert_eq!(transports.connection_count(), 0);
    transports.send(flow, None, Bytes::from_static(OPTIONS)); // a number that is gone is not reopened
    let events = until(&mut transports, |event| !is_received(event)).await;
    assert!(
        matches!(events[0], Event::Failed { flow: failed } if failed == flow),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_connection_is_opened_on_demand_and_reused() {
    let carrier = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("free");
    let remote = carrier.local_addr().expect("bound");
    let mut transports = bind(TransportsConfig {
        udp: any(),
        ..Default::default()
    })
    .await;
    let local = transports.addresses()[0].1;
    let flow = Flow {
        transport: Transport::Tcp,
        local,
        remote,
        connection: None,
    };
    transports.send(flow, None, Bytes::from_static(OPTIONS));
    transports.send(flow, None, Bytes::from_static(OPTIONS));
    let (mut peer, _) = carrier.accept().await.expect("connected");
    let mut both = vec![0; 2 * OPTIONS.len()];
    peer.read_exact(&mut both)
        .await
        .expect("both on one connection");
    assert_eq!(transports.connection_count(), 1);
    peer.write_all(OPTIONS).await.expect("sent");
    let (flow, _) = received(&mut transports).await;
    assert_eq!((flow.remote, flow.connection.is_some()), (remote, true));
}

#[tokio::test]
async fn a_refused_connection_reports_the_flow_and_its_end() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("free");
    let remote = gone.local_addr().expect("bound");
    drop(gone);
    let mut transports = bind(TransportsConfig {
        udp: any(),
        ..Default::default()
    })
    .await;
    let local = transports.addresses()[0].1;
    let flow = Flow {
        transport: Transport::Tcp,
        local,
        remote,
        connection: None,
    };
    transports.send(flow, None, Bytes::from_static(OPTIONS));
    let events = until(&mut transports, is_closed).await;
    let failed = |event: &Event| matches!(event, Event::Failed { flow: failed } if *failed == flow);
    assert!(events.iter().any(failed), "{events:?}");
}

#[tokio::test]
async fn bytes_that_are_no_sip_close_the_connection() {
    let mut transports = bind(TransportsConfig {
        tcp: any(),
        ..Default::default()
    })
    .await;
    let mut phone = TcpStream::connect(transports.addresses()[0].1)
        .await
        .expect("listens");
    let lie = b"INVITE sip:a SIP/2.0\r\nContent-Length: 18446744073709551615\r\n\r\n";
    phone.write_all(lie).await.expect("sent");
    until(&mut transports, is_closed).await;
    assert_eq!(phone.read(&mut [0; 10]).await.unwrap_or(0), 0);
    assert_eq!(transports.counters().malformed.load(Relaxed), 1);
}

#[tokio::test]
async fn silent_and_dripping_peers_are_shown_out() {
    let config = TransportsConfig {
        tcp: any(),
        patience: Duration::from_millis(100),
        ..Default::default()
    };
    let mut transports = bind(config).await;
    let local = transports.addresses()[0].1;
    let silent = TcpStream::connect(local).await.expect("listens");
    let mut dripping = TcpStream::connect(local).await.expect("listens");
    let drip = async {
        // One byte at a time until the other side had enough.
        while dripping.write_all(b"O").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ends = async {
        let mut seen = Vec::new();
        while seen.iter().filter(|event| is_closed(event)).count() < 2 {
            transports.receive(&mut seen).await;
        }
    };
    let (ended, dripped) = tokio::join!(timeout(PATIENCE, ends), timeout(PATIENCE, drip));
    assert!(ended.is_ok() && dripped.is_ok());
    assert_eq!(transports.counters().timed_out.load(Relaxed), 2);
    drop(silent);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_closed_and_nobody_waits() {
    let mut transports = bind(TransportsConfig {
        tcp: any(),
        ..Default::default()
    })
    .await;
    let mut phone = TcpStream::connect(transports.addresses()[0].1)
        .await
        .expect("listens");
    phone.write_all(OPTIONS).await.expect("sent");
    let (flow, _) = received(&mut transports).await;
    let large = Bytes::from(vec![b'x'; 60_000]);
    let mut sent = 0;
    while transports.connection_count() == 1 {
        transports.send(flow, None, large.clone());
        sent += 1;
        assert!(sent < 10_000, "the queue has no end");
        tokio::task::yield_now().await;
    }
    until(&mut transports, is_closed).await;
    assert_eq!(transports.counters().slow.load(Relaxed), 1);
}

#[tokio::test]
async fn caps_hold_and_ended_connections_leave_no_file_open() {
    let config = TransportsConfig {
        tcp: any(),
        connections_per_source_max: 3,
        ..Default::default()
    };
    let mut transports = bind(config).await;
    let local = transports.addresses()[0].1;
    for _round in 0..50 {
        let mut phones = Vec::new();
        for _ in 0..3 {
            let mut phone = TcpStream::connect(local).await.expect("listens");
            phone.write_all(OPTIONS).await.expect("sent");
            received(&mut transports).await;
            phones.push(phone);
        }
        let mut refused = TcpStream::connect(local).await.expect("the kernel accepts");
        assert_eq!(refused.read(&mut [0; 1]).await.unwrap_or(0), 0);
        phones.clear();
        while transports.connection_count() > 0 {
            until(&mut transports, is_closed).await;
        }
    }
    assert_eq!(transports.counters().refused.load(Relaxed), 50);
    assert_eq!(open_streams(local.port()), 0);
}

/// How many TCP sockets of this machine are open on `port` and connected, or half closed.
fn open_streams(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let local = format!(":{port:04X}");
    let open = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        let ours = fields
            .next()
            .is_some_and(|address| address.ends_with(&local));
        ours && fields
            .nth(1)
            .is_some_and(|state| state == "01" || state == "08")
    };
    table.lines().filter(open).count()
}

fn websocket_request(
    address: SocketAddr,
    protocol: &'static str,
    origin: Option<&'static str>,
) -> impl IntoClientRequest + Unpin {
    let mut request = format!("ws://{address}/")
        .into_client_request()
        .expect("a URL");
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
    if let Some(origin) = origin {
        headers.insert("origin", HeaderValue::from_static(origin));
    }
    request
}

#[tokio::test]
async fn a_browser_speaks_sip_over_websocket_both_ways() {
    let mut transports = bind(TransportsConfig {
        ws: any(),
        ..Default::default()
    })
    .await;
    let local = transports.addresses()[0].1;
    let request = websocket_request(local, "chat, sip", Some("https://console.example"));
    let (mut browser, response) = tokio_tungstenite::connect_async(request)
        .await
        .expect("accepted");
    assert_eq!(response.headers()["sec-websocket-protocol"], "sip");
    let text = String::from_utf8(OPTIONS.to_vec()).expect("ASCII");
    browser.send(Message::text(text)).await.expect("sent");
    let (flow, bytes) = received(&mut transports).await;
    assert_eq!((bytes.as_ref(), flow.transport), (OPTIONS, Transport::Ws));
    transports.send(flow, None, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    let answer = browser.next().await.expect("open").expect("a frame");
    assert_eq!(
        answer.into_data(),
        Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n")
    );
    browser.close(None).await.expect("closed");
    until(&mut transports, is_closed).await;
}

fn handshake(protocol: &'static str, origin: &'static str) -> http::Request<()> {
    let request = http::Request::builder()
        .uri("/sip")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", protocol)
        .header("origin", origin);
    request.body(()).expect("a request")
}

#[tokio::test]
async fn a_page_comes_in_by_the_door_of_another_server_under_the_same_rules() {
    let page = "https://console.example";
    let config = TransportsConfig {
        origins: Origins::Only(vec![page.into()]),
        connections_per_source_max: 1,
        ..Default::default()
    };
    let mut transports = bind(config).await;
    let door = transports.door();
    let remote = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    for (request, status) in [
        (handshake("sip", "https://evil.example"), 403),
        (handshake("chat", page), 400),
        (http::Request::new(()), 400),
    ] {
        let refused = door.welcome(remote, &request).map(|_| ());
        assert_eq!(refused.map_err(|refused| refused.as_u16()), Err(status));
    }

    let (response, guest) = door.welcome(remote, &handshake("sip", page)).expect("in");
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-protocol"], "sip");
    assert_eq!(
        response.headers()["sec-websocket-accept"],
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
    let crowd = door.welcome(remote, &handshake("sip", page)).map(|_| ());
    assert_eq!(crowd.map_err(|refused| refused.as_u16()), Err(503));

    let (ours, theirs) = tokio::io::duplex(4096);
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let serving = tokio::spawn(guest.serve(ours, local));
    let mut browser = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    let text = String::from_utf8(OPTIONS.to_vec()).expect("ASCII");
    browser.send(Message::text(text)).await.expect("sent");
    let (flow, bytes) = received(&mut transports).await;
    assert_eq!((bytes.as_ref(), flow.transport), (OPTIONS, Transport::Ws));
    assert_eq!((flow.local, flow.remote), (local, remote));
    transports.send(flow, None, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    let answer = browser.next().await.expect("open").expect("a frame");
    assert_eq!(answer.into_data().as_ref(), b"SIP/2.0 200 OK\r\n\r\n");
    drop(browser);
    until(&mut transports, is_closed).await;
    serving.await.expect("it ends");
    let again = door.welcome(remote, &handshake("sip", page));
    assert!(again.is_ok(), "the place is free again");
}

/// Pages are closed, laptops shut, networks gone: a thousand browsers, four hundred at a time, that say
/// something and go without a word, half of them by a reset. Each leaves nothing open.
#[tokio::test]
async fn a_thousand_browsers_that_vanish_leave_no_file_open() {
    crate::limits::raise_open_files().expect("a process may raise its soft limit");
    let config = TransportsConfig {
        ws: any(),
        connections_per_source_max: 400,
        ..Default::default()
    };
    let mut transports = bind(config).await;
    let local = transports.addresses()[0].1;
    let hello = String::from_utf8(OPTIONS.to_vec()).expect("ASCII");
    for wave in [400, 400, 200] {
        let mut browsers = Vec::new();
        for _ in 0..wave {
            let request = websocket_request(local, "sip", None);
            let connected = tokio_tungstenite::connect_async(request).await;
            let (mut browser, _) = connected.expect("accepted");
            browser.send(Message::text(&hello)).await.expect("sent");
            received(&mut transports).await;
            browsers.push(browser);
        }
        assert_eq!(transports.connection_count(), wave);
        for (number, browser) in browsers.into_iter().enumerate() {
            if let (0, MaybeTlsStream::Plain(stream)) = (number % 2, browser.get_ref()) {
                let socket = socket2::SockRef::from(stream);
                socket.set_linger(Some(Duration::ZERO)).expect("a reset");
            }
        }
        while transports.connection_count() > 0 {
            until(&mut transports, is_closed).await;
        }
    }
    assert_eq!(transports.counters().refused.load(Relaxed), 0);
    assert_eq!(open_streams(local.port()), 0);
}

#[tokio::test]
async fn a_websocket_of_a_foreign_page_or_another_protocol_is_refused() {
    let origins = Origins::Only(vec!["https://console.example".into()]);
    let transports = bind(TransportsConfig {
        ws: any(),
        origins,
        ..Default::default()
    })
    .await;
    let local = transports.addresses()[0].1;
    for (protocol, origin, status) in [
        ("sip", "https://evil.example", 403),
        ("chat", "https://console.example", 400),
    ] {
        let request = websocket_request(local, protocol, Some(origin));
        match tokio_tungstenite::connect_async(request).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_oversized_frame_closes_the_websocket() {
    let mut transports = bind(TransportsConfig {
        ws: any(),
        ..Default::default()
    })
    .await;
    let request = websocket_request(transports.addresses()[0].1, "sip", None);
    let (mut browser, _) = tokio_tungstenite::connect_async(request)
        .await
        .expect("accepted");
    let _ = browser
        .send(Message::binary(vec![b'x'; MESSAGE_BYTES_MAX + 1]))
        .await;
    until(&mut transports, is_closed).await;
    assert_eq!(transports.counters().malformed.load(Relaxed), 1);
}

struct Certificates {
    folder: std::path::PathBuf,
}

impl Certificates {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ramal-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let certificates = Self { folder };
        certificates.make("sip.example");
        certificates
    }

    fn make(&self, name: &str) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("made");
        std::fs::write(self.files().certificate, made.cert.pem()).expect("written");
        std::fs::write(self.files().key, made.signing_key.serialize_pem()).expect("written");
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.join("cert.pem"),
            key: self.folder.join("key.pem"),
        }
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn tls_carries_messages_to_a_peer_whose_certificate_is_for_the_host_asked_for() {
    let certificates = Certificates::new("both-ways");
    let server = TransportsConfig {
        tls: any(),
        tls_files: Some(certificates.files()),
        ..Default::default()
    };
    let mut server = bind(server).await;
    let authorities = Some(certificates.files().certificate);
    let mut client = bind(TransportsConfig {
        tls_authorities: authorities,
        ..Default::default()
    })
    .await;
    let (_, remote) = server.addresses()[0];
    let local = (Ipv4Addr::LOCALHOST, 0).into();
    let flow = Flow {
        transport: Transport::Tls,
        local,
        remote,
        connection: None,
    };
    client.send(flow, Some("sip.example"), Bytes::from_static(OPTIONS));
    let (back, bytes) = received(&mut server).await;
    assert_eq!((bytes.as_ref(), back.transport), (OPTIONS, Transport::Tls));
    server.send(back, None, Bytes::from_static(OPTIONS));
    let ((forth, bytes), _) = tokio::join!(received(&mut client), async {});
    assert_eq!((bytes.as_ref(), forth.remote), (OPTIONS, remote));

    client.close(forth.connection.expect("a stream"));
    until(&mut client, is_closed).await;
    client.send(flow, Some("carrier.example"), Bytes::from_static(OPTIONS));
    let events = until(&mut client, is_closed).await;
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Failed { .. })),
        "{events:?}"
    );

    certificates.make("carrier.example"); // renewed, for another name
    server.reload_certificate().expect("usable");
    let authorities = Some(certificates.files().certificate);
    let mut client = bind(TransportsConfig {
        tls_authorities: authorities,
        ..Default::default()
    })
    .await;
    client.send(flow, Some("carrier.example"), Bytes::from_static(OPTIONS));
    received(&mut server).await;
}

#[tokio::test]
async fn listening_under_tls_without_a_certificate_is_a_clear_error() {
    let refused = Transports::bind(TransportsConfig {
        tls: any(),
        ..Default::default()
    })
    .await;
    let error = refused.expect_err("refused").to_string();
    assert_eq!(error, "SIP over TLS needs a certificate and a key");
    let files = TlsFiles {
        certificate: "/nowhere/cert.pem".into(),
        key: "/nowhere/key.pem".into(),
    };
    let config = TransportsConfig {
        wss: any(),
        tls_files: Some(files),
        ..Default::default()
    };
    let error = Transports::bind(config)
        .await
        .expect_err("refused")
        .to_string();
    assert!(error.contains("/nowhere/cert.pem"), "{error}");
}

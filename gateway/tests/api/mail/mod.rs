//! The whole story of a mail, with Dovecot and Exim: a customer writes, an agent answers, the customer
//! answers that; and what goes wrong on the way.

#[allow(dead_code, reason = "other tests of these servers use the rest")]
#[path = "../../../net/tests/mail/certificate.rs"]
mod certificate;
#[allow(dead_code, reason = "other tests of these servers use the rest")]
#[allow(
    clippy::print_stderr,
    reason = "a test that cannot run says what is missing"
)]
#[path = "../../../net/tests/mail/house.rs"]
mod house;
mod machines;
mod oauth;
mod servers;
mod settings;
mod transcripts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channels::email::compose::{Automatic, Draft, Enclosed, Parent, Stamp, compose};
use channels::email::document::Document;
use channels::email::{Address, Mail};
use gateway_net::mail::imap::{Extent, Imap, Unread};
use gateway_net::mail::smtp::{self, Parcel};
use gateway_net::mail::{Credential, Journal, Login, Security};
use ramal::channels::email::accounts::Registrations;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::house::{ANA, CLIENT, House, PASSWORD, ana};
use crate::live::{open, serve};
use crate::world::{As, MailAround, PASSWORD as LOGIN, World};

/// A picture of one dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A company with a mailbox and an agent.
struct Scene {
    house: House,
    world: World,
    admin: As,
    service: String,
    channel: String,
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().expect("text").to_owned()
}

/// What is set of the mailbox of the house.
fn mailbox(house: &House) -> Value {
    json!({
        "address": ANA,
        "sender_name": "Loja Exemplo",
        "password": PASSWORD,
        "protocol": "imap",
        "receiving": house.imap(Security::Tls),
        "sending": house.smtp(Security::StartTls),
        "signature": { "paragraphs": [{ "runs": [{ "kind": "text", "text": "Loja Exemplo", "bold": true }] }] },
    })
}

fn around(house: &House) -> MailAround {
    MailAround {
        dialer: house.dialer(),
        registrations: Registrations::default(),
    }
}

impl Scene {
    /// None where the servers are not installed.
    async fn new() -> Option<Self> {
        let house = House::start()?;
        let around = around(&house);
        Some(Self::over(house, around).await)
    }

    /// The same with other servers.
    async fn over(house: House, around: MailAround) -> Self {
        let mut world = World::with_mail(around).await;
        world.company("a").await;
        let admin = world.key(Some("a"), &["admin"]).await;
        let code = json!({ "id": "resolvido", "name": "Resolvido", "fields": [], "actions": [] });
        let service = json!({ "name": "Suporte", "rules": { "dispositions": [code] } });
        let service = world.post(&admin, "/api/v1/services", service).await;
        let service = text(&service.expect(201), "id");
        let person =
            json!({ "email": "ana@a.example", "name": "Ana", "role": "agent", "password": LOGIN });
        let made = world
            .post(&admin, "/api/v1/users", person)
            .await
            .expect(201);
        let agents = json!({ "agents": [text(&made, "id")] });
        let path = format!("/api/v1/services/{service}/agents");
        world.put(&admin, &path, agents).await.expect(200);
        let mut scene = Self {
            house,
            world,
            admin,
            service,
            channel: String::new(),
        };
        let made = scene
            .world
            .post(&scene.admin, "/api/v1/channels", scene.form())
            .await;
        scene.channel = text(&made.expect(201), "id");
        scene
    }

    /// Sets more of the mailbox.
    async fn set(&self, more: Value) {
        let mut form = self.form();
        let settings = form["settings"].as_object_mut().expect("an object");
        settings.extend(more.as_object().expect("an object").clone());
        let path = format!("/api/v1/channels/{}", self.channel);
        self.world.put(&self.admin, &path, form).await.expect(200);
    }

    fn form(&self) -> Value {
        json!({ "name": "Atendimento", "kind": "email", "service": self.service,
            "settings": mailbox(&self.house) })
    }

    /// Somebody writes to the mailbox.
    async fn write(&self, draft: &Draft, name: &str, files: &[Enclosed]) {
        let stamp = Stamp {
            message_id: format!("{name}@cliente.example"),
            date_ms: 1_772_700_000_000,
        };
        let made = compose(draft, &stamp, &BTreeMap::new(), files).expect("a mail");
        self.post(made.envelope_from.as_deref(), &made.bytes).await;
    }

    /// The same, byte by byte.
    async fn post(&self, from: Option<&str>, mail: &[u8]) {
        let parcel = Parcel {
            from,
            own: CLIENT,
            to: &[ANA.to_owned()],
            bytes: mail,
        };
        let (server, login) = (self.house.smtp(Security::Tls), ana());
        let sent = smtp::send(&self.house.dialer(), &server, Some(&login), &parcel).await;
        sent.unwrap_or_else(|failure| panic!("{failure:?}\n{}", self.house.logs()));
    }

    /// The interactions, once there are so many.
    async fn interactions(&self, many: usize) -> Vec<Value> {
        self.until("interactions", async || {
            let listed = self
                .world
                .get(&self.admin, "/api/v1/interactions")
                .await
                .expect(200);
            let items = listed["items"].as_array().expect("a list").clone();
            (items.len() == many).then_some(items)
        })
        .await
    }

    /// The messages of an interaction, once there are so many.
    async fn messages(&self, interaction: &str, many: usize) -> Vec<Value> {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        self.until("messages", async || {
            let listed = self.world.get(&self.admin, &path).await.expect(200);
            let items = listed["items"].as_array().expect("a list").clone();
            (items.len() == many).then_some(items)
        })
        .await
    }

    /// A message of ours, once it is no longer on its way.
    async fn sent(&self, interaction: &str, seq: u32) -> Value {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        self.until("an end", async || {
            let listed = self.world.get(&self.admin, &path).await.expect(200);
            let found = listed["items"]
                .as_array()?
                .iter()
                .find(|item| item["seq"] == seq)?;
            (found["state"] != "queued").then(|| found.clone())
        })
        .await
    }

    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            let state = format!("/api/v1/channels/{}/email", self.channel);
            let state = self.world.get(&self.admin, &state).await.json();
            let late = begun.elapsed() > Duration::from_secs(30);
            assert!(!late, "{what} did not come: {state}\n{}", self.house.logs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The agent takes what is offered.
    async fn take(&self) -> As {
        let agent = self.world.log_in("ana@a.example").await;
        let address = serve(&self.world).await;
        let origin = format!("http://{address}");
        let page = open(address, &agent, "", Some(&origin)).await;
        page.expect("a page").stay_open();
        let available = json!({ "presence": "available" });
        let path = "/api/v1/agents/me/presence";
        self.world.put(&agent, path, available).await.expect(200);
        let work = self
            .until("an offer", async || {
                let work = self
                    .world
                    .get(&agent, "/api/v1/agents/me/work")
                    .await
                    .expect(200);
                let first = work["items"][0].clone();
                (first["doing"] == "offered").then_some(first)
            })
            .await;
        let path = format!("/api/v1/work/{}/accept", text(&work, "work"));
        self.world.post(&agent, &path, json!({})).await.expect(204);
        agent
    }

    /// The one mail in the mailbox of the client, once it is there.
    async fn arrived(&self) -> (Mail, Vec<u8>) {
        let login = Login {
            user: CLIENT.to_owned(),
            credential: Credential::Password(channels::secret::Secret::new(PASSWORD)),
        };
        let bytes = self
            .until("a mail", async || {
                let mut imap = self.imap(&login).await;
                let all = Unread {
                    from: 1,
                    since: None,
                };
                let found = imap.unread(all).await.expect("a search");
                let first = found.last()?;
                let mail = imap
                    .fetch(*first, Extent::Whole, 1_000_000)
                    .await
                    .expect("a mail");
                imap.mark_seen(*first).await.expect("marked");
                mail
            })
            .await;
        (channels::email::read(&bytes).expect("a mail"), bytes)
    }

    async fn imap(&self, login: &Login) -> Imap {
        let (server, mut journal) = (self.house.imap(Security::Tls), Journal::default());
        let mut imap = Imap::open(&self.house.dialer(), &server, login, &mut journal)
            .await
            .expect("known");
        imap.select("INBOX").await.expect("a folder");
        imap
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

/// A mail of the client to the shop.
fn draft(subject: &str, says: &str) -> Draft {
    Draft {
        from: address(CLIENT).named(Some("Carla Cliente".to_owned())),
        reply_to: None,
        to: vec![address(ANA)],
        cc: vec![],
        bcc: vec![],
        subject: subject.to_owned(),
        body: Document::from_text(says),
        signature: None,
        quoted: None,
        parent: None,
        protocol: None,
        automatic: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_becomes_work_its_answer_a_mail_and_the_answer_to_that_the_same_work() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let note = Enclosed {
        name: "nota.txt".to_owned(),
        mime: "text/plain".to_owned(),
        bytes: b"um, dois".to_vec(),
    };
    let first = draft("Meu pedido", "Onde está meu pedido?");
    scene.write(&first, "um", &[note]).await;

    // It is work, with its words and its file.
    let found = scene.interactions(1).await;
    let interaction = text(&found[0], "id");
    assert_eq!(found[0]["medium"], "email");
    let read = scene.messages(&interaction, 1).await;
    assert_eq!(read[0]["content"]["text"], "Onde está meu pedido?");
    assert_eq!(read[0]["author"]["name"], "Carla Cliente");
    let file = &read[0]["attachments"][0];
    assert_eq!(
        (&file["name"], &file["state"]),
        (&json!("nota.txt"), &json!("stored"))
    );
    let bytes = scene.world.get(&scene.admin, &text(file, "url")).await;
    assert_eq!(bytes.bytes, b"um, dois");
    let path = format!("/api/v1/messages/{}/mail", text(&read[0], "id"));
    let shown = scene.world.get(&scene.admin, &path).await.expect(200);
    assert_eq!(shown["subject"], "Meu pedido");
    assert_eq!(shown["from"][0]["address"], CLIENT);
    assert!(
        text(&shown, "page").contains("Onde está meu pedido?"),
        "{shown}"
    );
    assert_eq!(
        (&shown["blocked"], &shown["verified"]),
        (&json!(0), &Value::Null)
    );
    let original = scene
        .world
        .get(&scene.admin, &text(&shown, "original_url"))
        .await;
    let original = channels::email::read(&original.bytes).expect("a mail");
    assert_eq!(original.message_id.as_deref(), Some("um@cliente.example"));

    // It is marked as read where it was.
    let login = ana();
    scene
        .until("the mark", async || {
            let all = Unread {
                from: 1,
                since: None,
            };
            let left = scene
                .imap(&login)
                .await
                .unread(all)
                .await
                .expect("a search");
            left.is_empty().then_some(())
        })
        .await;

    // The agent answers.
    let agent = scene.take().await;
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let reply = json!({ "client_message_id": "c-1", "text": "Já saiu para entrega." });
    scene.world.post(&agent, &path, reply).await.expect(201);
    let sent = scene.sent(&interaction, 2).await;
    assert_eq!(sent["state"], "accepted", "{sent}");
    let (answer, bytes) = scene.arrived().await;
    assert_eq!(answer.subject, "Re: Meu pedido");
    assert_eq!(
        answer.author().map(ToString::to_string).as_deref(),
        Some("Loja Exemplo <ana@loja.example>")
    );
    assert_eq!(answer.in_reply_to, ["um@cliente.example"]);
    assert_eq!(answer.message_id.as_deref(), sent["external_id"].as_str());
    assert_eq!(answer.protocol.as_deref(), found[0]["protocol"].as_str());
    assert!(
        answer.marks.is_empty(),
        "a person wrote it: {:?}",
        answer.marks
    );
    let written = channels::email::quote::split(&answer.text);
    assert_eq!(written.written, "Já saiu para entrega.");
    assert_eq!(written.signature, Some("-- \nLoja Exemplo"));
    assert!(
        answer.text.contains("> Onde está meu pedido?"),
        "{}",
        answer.text
    );
    // The mail that is kept is the mail that was sent, but for what servers put above it.
    let path = format!("/api/v1/messages/{}/mail/original", text(&sent, "id"));
    let kept = scene.world.get(&scene.admin, &path).await;
    assert!(
        bytes.ends_with(&kept.bytes),
        "{}",
        String::from_utf8_lossy(&bytes)
    );

    // For a frame it is a page that runs nothing, whoever shows it.
    let path = format!("/api/v1/messages/{}/mail/page", text(&sent, "id"));
    let page = scene.world.get(&scene.admin, &path).await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("sandbox allow-popups"), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
    assert!(page.headers.get("x-frame-options").is_none());
    let shown = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(shown.contains("Já saiu para entrega."), "{shown}");

    // The customer answers that, under another subject: the same conversation.
    let again = Draft {
        parent: Some(Parent {
            message_id: answer.message_id.clone().expect("an id"),
            references: answer.references.clone(),
        }),
        ..draft("RES: entrega", "Obrigada!")
    };
    scene.write(&again, "dois", &[]).await;
    let read = scene.messages(&interaction, 3).await;
    assert_eq!(read[2]["content"]["text"], "Obrigada!");
    // A mail that answers nothing is another matter, whatever its subject.
    scene
        .write(&draft("Meu pedido", "Outro assunto"), "tres", &[])
        .await;
    scene.interactions(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_an_answer_go_along_in_one_mail() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.write(&draft("Boleto", "Qual é?"), "um", &[]).await;
    let interaction = text(&scene.interactions(1).await[0], "id");
    let agent = scene.take().await;
    let mut laid = vec![];
    for (name, bytes) in [("boleto.txt", "001"), ("nota.txt", "002")] {
        let path = format!("/api/v1/interactions/{interaction}/uploads?name={name}");
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::from(bytes));
        let made = scene.world.send(&agent, request.expect("a request")).await;
        laid.push(text(&made.expect(201), "upload_id"));
    }
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let reply =
        json!({ "client_message_id": "c-1", "text": "Seguem os dois.", "attachments": laid });
    scene.world.post(&agent, &path, reply).await.expect(201);
    let sent = scene.sent(&interaction, 2).await;
    assert_eq!(sent["state"], "accepted", "{sent}");
    let (mail, _) = scene.arrived().await;
    assert!(mail.text.starts_with("Seguem os dois."), "{}", mail.text);
    assert_eq!(mail.subject, "Re: Boleto");
    let files: Vec<_> = mail
        .files
        .iter()
        .map(|file| (file.name.as_deref(), file.bytes.as_slice()))
        .collect();
    assert_eq!(
        files,
        [
            (Some("boleto.txt"), b"001".as_slice()),
            (Some("nota.txt"), b"002".as_slice())
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_says_what_an_answer_is_about_and_who_else_gets_it() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.write(&draft("Boleto", "Qual é?"), "um", &[]).await;
    let interaction = text(&scene.interactions(1).await[0], "id");
    let agent = scene.take().await;
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let says = |mail: Value| json!({ "client_message_id": "c-1", "text": "Segue.", "mail": mail });
    for (mail, field) in [
        (
            json!({ "subject": "a\r\nBcc: x@y.example" }),
            "mail.subject",
        ),
        (json!({ "cc": ["ninguém"] }), "mail.cc"),
        (json!({ "bcc": ["a@b", "c d@e.example"] }), "mail.bcc"),
    ] {
        let refused = scene.world.post(&agent, &path, says(mail)).await;
        assert_eq!(refused.expect(422)["field"], field);
    }
    // The client, too, is on the server of this house: it comes once for each.
    let mail =
        json!({ "subject": "Segunda via", "cc": ["chefe@cliente.example"], "bcc": [CLIENT] });
    scene
        .world
        .post(&agent, &path, says(mail))
        .await
        .expect(201);
    let sent = scene.sent(&interaction, 2).await;
    assert_eq!(sent["state"], "accepted", "{sent}");
    let (mail, bytes) = scene.arrived().await;
    assert_eq!(mail.subject, "Segunda via");
    assert_eq!(
        mail.in_reply_to,
        ["um@cliente.example"],
        "of the same conversation"
    );
    let cc: Vec<&str> = mail.cc.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(cc, ["chefe@cliente.example"]);
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    assert!(!head.contains("\nbcc:"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_machines_write_is_no_work_and_an_address_that_is_none_is_told_at_the_message() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let absent = Draft {
        automatic: Some(Automatic::Replied),
        ..draft("Ausente", "Volto na segunda.")
    };
    scene.write(&absent, "ausente", &[]).await;
    // Whose address does not exist: its answer is refused.
    let stranger = Draft {
        from: address("ninguem@loja.example"),
        ..draft("Oi", "Tem alguém?")
    };
    scene.write(&stranger, "oi", &[]).await;
    let found = scene.interactions(1).await;
    let interaction = text(&found[0], "id");
    let agent = scene.take().await;
    let path = format!("/api/v1/interactions/{interaction}/messages");
    let reply = json!({ "client_message_id": "c-1", "text": "Sim" });
    scene.world.post(&agent, &path, reply).await.expect(201);
    let failed = scene.sent(&interaction, 2).await;
    assert_eq!(
        (&failed["state"], &failed["failure"]["advice"]),
        (&json!("failed"), &json!("address_unknown"))
    );

    // The answer of the absent to a mail of ours is shown there, and begins nothing.
    let reply = json!({ "client_message_id": "c-2", "text": "Ainda aí?" });
    let made = scene.world.post(&agent, &path, reply).await.expect(201);
    scene.sent(&interaction, 3).await;
    let id = text(&made, "id");
    let kept = format!("/api/v1/messages/{id}/mail/original");
    let ours = scene.world.get(&scene.admin, &kept).await;
    let ours = channels::email::read(&ours.bytes).expect("a mail");
    let absent = Draft {
        parent: Some(Parent {
            message_id: ours.message_id.expect("an id"),
            references: vec![],
        }),
        ..absent
    };
    scene.write(&absent, "ausente-2", &[]).await;
    let read = scene.messages(&interaction, 4).await;
    assert_eq!(read[3]["content"]["text"], "Volto na segunda.");
    scene.interactions(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_takes_each_mail_once() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    for turn in 0..3 {
        let name = format!("mail-{turn}");
        scene.write(&draft(&name, "Oi"), &name, &[]).await;
        scene.world = scene.world.killed().await;
    }
    scene.interactions(3).await;
    // Forgotten where it was read to, and its marks: they are known by what they say.
    let mut db = scene.world.store.begin().await.expect("a turn");
    let channel = scene.channel.parse().expect("an id");
    store::mailboxes::begin_anew(&mut db, &channel, &json!({ "since_ms": 0 }))
        .await
        .expect("done");
    db.commit().await.expect("done");
    scene.house.forget_numbers();
    scene.world = scene.world.killed().await;
    scene.write(&draft("mail-3", "Oi"), "mail-3", &[]).await;
    scene.interactions(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_elsewhere_are_shown_when_the_agent_asks_and_a_forged_sender_is_told() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene
        .set(json!({ "authentication_server": "mail.loja.example" }))
        .await;
    let dot = STANDARD.decode(DOT).expect("base64");
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let web = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new()
        .route(
            "/dot.png",
            get(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                std::future::ready(dot.clone())
            }),
        )
        .route(
            "/page",
            get(|| std::future::ready("<script>alert(1)</script>")),
        );
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mail = format!(
        "From: Banco <{CLIENT}>\r\nTo: {ANA}\r\nSubject: Senha\r\nMessage-ID: <h@cliente.example>\r\n\
         Authentication-Results: mail.loja.example; dmarc=fail header.from=loja.example\r\n\
         Content-Type: text/html\r\n\r\n\
         <p>Oi<script>alert(1)</script><img src=\"{web}/dot.png\"><img src=\"{web}/page\"></p>\r\n"
    );
    scene.post(Some(CLIENT), mail.as_bytes()).await;
    let interaction = text(&scene.interactions(1).await[0], "id");
    let read = scene.messages(&interaction, 1).await;
    let path = format!("/api/v1/messages/{}/mail", text(&read[0], "id"));
    let shown = scene.world.get(&scene.admin, &path).await.expect(200);
    assert_eq!(
        (&shown["blocked"], &shown["verified"]),
        (&json!(2), &json!("failed"))
    );
    assert_eq!(
        asked.load(Ordering::Relaxed),
        0,
        "nobody is told that it is read"
    );
    let path = format!("{path}?pictures=true");
    let shown = scene.world.get(&scene.admin, &path).await.expect(200);
    assert_eq!(
        (&shown["blocked"], asked.load(Ordering::Relaxed)),
        (&json!(1), 1)
    );
    let page = text(&shown, "page");
    assert!(
        page.contains(&format!("src=\"data:image/png;base64,{DOT}\"")),
        "{page}"
    );
    assert!(!page.contains("alert"), "{page}");
}

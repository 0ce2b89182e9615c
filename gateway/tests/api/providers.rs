//! Customers on their telephones, whichever company carries their messages, and an agent: the providers
//! are played by `ramal-sim`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use media_engine_net::clock;
use ramal_sim::world::{Act, Content, Fault, FaultKind, Message, Progress};
use ramal_sim::{Config, Provider, Simulator, demo};
use serde_json::{Value, json};

use crate::live::{open, serve};
use crate::world::{Answer, As, PASSWORD, World};

/// A company with a channel at each provider, and its agent.
struct Scene {
    world: World,
    simulator: Simulator,
    admin: As,
    ana: As,
    channels: BTreeMap<Provider, String>,
}

fn text_of(value: &Value, field: &str) -> String {
    value[field].as_str().expect("text").to_owned()
}

impl Scene {
    /// Everything happens now, by both clocks.
    async fn new(providers: &[Provider]) -> Self {
        Self::at(providers, 0).await
    }

    /// The simulated clock is so far behind ours.
    async fn at(providers: &[Provider], behind_ms: i64) -> Self {
        let mut world = World::new().await;
        world.company("a").await;
        let admin = world.key(Some("a"), &["admin"]).await;
        let address = serve(&world).await;
        let config = Config {
            target: format!("http://{address}"),
            start_ms: Some(clock::wall().as_millisecond() - behind_ms),
            ..Config::default()
        };
        let simulator = Simulator::start(config).await.expect("a simulator");
        let service = world.post(&admin, "/api/v1/services", json!({ "name": "Suporte" }));
        let service = text_of(&service.await.expect(201), "id");
        let ana = json!({ "email": "ana@a.example", "name": "ana", "role": "agent",
            "password": PASSWORD });
        let ana = world.post(&admin, "/api/v1/users", ana).await.expect(201);
        let agents = json!({ "agents": [text_of(&ana, "id")] });
        let path = format!("/api/v1/services/{service}/agents");
        world.put(&admin, &path, agents).await.expect(200);
        let mut scene = Self {
            ana: world.log_in("ana@a.example").await,
            world,
            simulator,
            admin,
            channels: BTreeMap::new(),
        };
        for provider in providers {
            scene.connect(*provider, &service).await;
        }
        let origin = format!("http://{address}");
        let page = open(address, &scene.ana, "", Some(&origin)).await;
        page.expect("a page").stay_open();
        let available = json!({ "presence": "available" });
        let path = "/api/v1/agents/me/presence";
        scene
            .world
            .put(&scene.ana, path, available)
            .await
            .expect(200);
        scene
    }

    async fn connect(&mut self, provider: Provider, service: &str) {
        let api = self.simulator.api(provider);
        let asked = match demo::account(provider, &api) {
            Some(account) => json!({ "name": provider.name(), "kind": "whatsapp",
                "service": service, "settings": { "account": account } }),
            None => json!({ "name": provider.name(), "kind": "generic", "service": service,
                "webhook": format!("{api}/webhook") }),
        };
        let made = self
            .world
            .post(&self.admin, "/api/v1/channels", asked)
            .await;
        let made = made.expect(201);
        let id = text_of(&made, "id");
        if provider == Provider::Erp {
            let path = format!("/api/v1/channels/{id}");
            let key = json!({ "name": "ERP" });
            let key = self
                .world
                .post(&self.admin, &format!("{path}/keys"), key)
                .await;
            let key = text_of(&key.expect(201), "key");
            let hook = format!("{path}/receive_hook");
            self.simulator
                .tells(provider, &hook, &[("x-api-key", &key)]);
            let secret = text_of(&made, "webhook_secret");
            self.simulator
                .with(|world, _| world.set_signing_secret(Some(secret)));
        } else {
            let path = text_of(&made, "receive_path");
            let headers = demo::webhook_headers(provider);
            self.simulator.tells(provider, &path, headers);
        }
        self.channels.insert(provider, id);
    }

    /// The interaction that Ana is offered next, and takes.
    async fn take(&self) -> String {
        let work = self.eventually("an offer", async || {
            let work = self.world.get(&self.ana, "/api/v1/agents/me/work").await;
            let work = work.expect(200);
            let mut items = work["items"].as_array().expect("a list").iter();
            items.find(|one| one["doing"] == "offered").cloned()
        });
        let work = work.await;
        let path = format!("/api/v1/work/{}/accept", text_of(&work, "work"));
        let taken = self.world.post(&self.ana, &path, json!({})).await;
        taken.expect(204);
        text_of(&work, "interaction")
    }

    async fn messages(&self, interaction: &str) -> Vec<Value> {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        let found = self.world.get(&self.admin, &path).await.expect(200);
        found["items"].as_array().expect("a list").clone()
    }

    /// The message with these words once it has come so far.
    async fn reaches(&self, interaction: &str, text: &str, state: &str) -> Value {
        let what = format!("{text:?} is {state}");
        self.eventually(&what, async || {
            let all = self.messages(interaction).await;
            let one = all.into_iter().find(|one| one["content"]["text"] == text);
            one.filter(|one| one["state"] == state)
        })
        .await
    }

    async fn reply(&self, interaction: &str, body: Value) -> Answer {
        let path = format!("/api/v1/interactions/{interaction}/messages");
        self.world.post(&self.ana, &path, body).await
    }

    async fn lays_down(&self, interaction: &str, name: &str, bytes: &'static [u8]) -> String {
        let path = format!("/api/v1/interactions/{interaction}/uploads?name={name}");
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::from(bytes));
        let laid = self.world.send(&self.ana, request.expect("a request"));
        text_of(&laid.await.expect(201), "upload_id")
    }

    async fn says(&self, interaction: &str, text: &str) {
        let id: String = text
            .chars()
            .filter(|one| one.is_alphanumeric())
            .take(32)
            .collect();
        let body = json!({ "client_message_id": id, "text": text });
        self.reply(interaction, body).await.expect(201);
    }

    async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..800 {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let wire = self.simulator.with(|world, _| {
            let all: Vec<String> = world.exchanges(0).map(|one| format!("{one:?}")).collect();
            all[all.len().saturating_sub(6)..].join("\n")
        });
        panic!("{what}: it never is so\n{wire}");
    }

    /// Waits until every webhook has been taken; those that were lost are tried at once.
    async fn settle(&self) {
        self.eventually("all is told", async || {
            self.simulator.with(|world, now_ms| {
                world.hurry(now_ms);
                (world.under_way() == 0).then_some(())
            })
        })
        .await;
    }
}

fn words(message: &Message) -> &str {
    message.content.text().unwrap_or_default()
}

/// A customer writes, is answered, and each side sees how far it came.
async fn both_ways(provider: Provider) {
    let scene = Scene::new(&[provider]).await;
    let marina = scene.simulator.customer(provider, "marina");
    let written = marina.writes("Meu pedido não chegou 😕").expect("written");
    let interaction = scene.take().await;
    let all = scene.messages(&interaction).await;
    assert_eq!(all[0]["content"]["text"], "Meu pedido não chegou 😕");
    assert_eq!(all[0]["author"]["name"], "Marina Alves");
    let took = scene.simulator.wait_for("two ticks", |world| {
        let message = world.message(written)?;
        (message.progress >= Progress::Delivered).then_some(())
    });
    took.await.expect("taken");
    scene.says(&interaction, "Vou verificar, Marina.").await;
    let is_it = |message: &Message| words(message) == "Vou verificar, Marina.";
    let got = marina.gets(|one| is_it(one) && one.progress == Progress::Delivered);
    got.await.expect("delivered");
    scene
        .reaches(&interaction, "Vou verificar, Marina.", "delivered")
        .await;
    marina.reads().expect("read");
    scene
        .reaches(&interaction, "Vou verificar, Marina.", "read")
        .await;
    let thanks = marina.writes("Obrigada!").expect("written");
    scene
        .eventually("the thanks", async || {
            let all = scene.messages(&interaction).await;
            (all.len() == 3 && all[2]["content"]["text"] == "Obrigada!").then_some(())
        })
        .await;
    assert_eq!(marina.sees().len(), 3, "nothing came twice");
    assert_eq!(marina.sees()[2].id, thanks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_answered_through_meta() {
    both_ways(Provider::Cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_answered_through_360dialog() {
    both_ways(Provider::Dialog360).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_answered_through_gupshup() {
    both_ways(Provider::Gupshup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_answered_through_zenvia() {
    both_ways(Provider::Zenvia).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_answered_through_twilio() {
    both_ways(Provider::Twilio).await;
}

/// An agent lays a file down, writes a word below it, and the customer has both.
async fn a_file_goes_out(provider: Provider) {
    let scene = Scene::new(&[provider]).await;
    let marina = scene.simulator.customer(provider, "marina");
    marina.writes("Pode mandar o boleto?").expect("written");
    let interaction = scene.take().await;
    let upload = scene.lays_down(&interaction, "boleto.pdf", PDF).await;
    let body = json!({ "client_message_id": "boleto", "attachments": [upload],
        "text": "Vence na sexta." });
    let sent = scene.reply(&interaction, body).await.expect(201);
    assert_eq!(sent["attachments"][0]["name"], "boleto.pdf", "{sent}");
    assert_eq!(sent["attachments"][0]["mime"], "application/pdf", "{sent}");
    let has_it = |message: &Message| message.content.file().is_some();
    let got = marina.gets(has_it).await.expect("a file");
    let file = got.content.file().expect("a file");
    assert_eq!(file.caption.as_deref(), Some("Vence na sexta."));
    let same = scene.simulator.wait_for("its bytes", |world| {
        let message = world.message(got.id)?;
        let file = world.file(&message.content.file()?.file)?;
        Some(*file.bytes == *PDF && file.mime == "application/pdf")
    });
    assert!(same.await.expect("the bytes"));
    // A file is in one message only.
    let again = json!({ "client_message_id": "outra", "attachments": [upload] });
    let refused = scene.reply(&interaction, again).await;
    assert_eq!(refused.code(422), "reference");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_laid_down_at_meta() {
    a_file_goes_out(Provider::Cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_laid_down_at_360dialog() {
    a_file_goes_out(Provider::Dialog360).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gupshup_fetches_a_file_at_our_link() {
    a_file_goes_out(Provider::Gupshup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zenvia_fetches_a_file_at_our_link() {
    a_file_goes_out(Provider::Zenvia).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twilio_fetches_a_file_at_our_link() {
    a_file_goes_out(Provider::Twilio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erp_is_told_where_it_finds_a_file() {
    a_file_goes_out(Provider::Erp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_whatsapp_does_not_carry_is_refused_before_it_goes() {
    let scene = Scene::new(&[Provider::Cloud]).await;
    let marina = scene.simulator.customer(Provider::Cloud, "marina");
    marina.writes("Oi").expect("written");
    let interaction = scene.take().await;
    let first = scene.lays_down(&interaction, "um.pdf", PDF).await;
    let second = scene.lays_down(&interaction, "dois.pdf", PDF).await;
    let both = json!({ "client_message_id": "a", "attachments": [first, second] });
    let refused = scene.reply(&interaction, both).await;
    assert_eq!(refused.code(422), "too_many_files");
    let stolen = json!({ "client_message_id": "b", "content": { "kind": "media",
        "media": "document", "source": { "id": first }, "mime": "application/pdf", "bytes": 9 } });
    assert_eq!(
        scene.reply(&interaction, stolen).await.code(422),
        "reference"
    );
    let unknown = json!({ "client_message_id": "c", "attachments": ["att-nada"] });
    assert_eq!(
        scene.reply(&interaction, unknown).await.code(422),
        "reference"
    );
    let mixed = json!({ "client_message_id": "d", "attachments": [first],
        "content": { "kind": "location", "latitude": 1.0, "longitude": 1.0 } });
    assert_eq!(
        scene.reply(&interaction, mixed).await.code(422),
        "invalid_text"
    );
}

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_erp_hears_what_the_agent_answers_once_and_in_order() {
    let provider = Provider::Erp;
    let scene = Scene::new(&[provider]).await;
    let marina = scene.simulator.customer(provider, "marina");
    marina
        .writes("Meu chamado continua aberto")
        .expect("written");
    let interaction = scene.take().await;
    let told = scene.simulator.wait_for("the protocol number", |world| {
        world.chat(provider, "marina").protocol
    });
    let protocol = told.await.expect("told");
    assert_eq!(protocol.len(), 14, "{protocol}");
    for text in ["um", "dois", "três"] {
        scene.says(&interaction, text).await;
    }
    marina.gets(|one| words(one) == "três").await.expect("told");
    let said: Vec<String> = marina.sees().iter().map(words).map(str::to_owned).collect();
    let said: Vec<&String> = said.iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(said, ["Meu chamado continua aberto", "um", "dois", "três"]);
    scene.simulator.with(|world, _| {
        let seqs: Vec<i64> = world.notices().iter().filter_map(|one| one.seq).collect();
        assert!(seqs.is_sorted(), "{seqs:?}");
        assert!(world.notices().iter().all(|one| one.times == 1));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_window_a_template_goes_and_its_quick_reply_opens_it() {
    let provider = Provider::Cloud;
    let scene = Scene::at(&[provider], 2 * 86_400_000).await;
    let carlos = scene.simulator.customer(provider, "carlos");
    carlos.writes("Vocês abrem no sábado?").expect("written");
    let interaction = scene.take().await;
    // Two days are over, there as well.
    scene.simulator.advance(Duration::from_secs(2 * 86_400));
    let late = json!({ "client_message_id": "tarde", "text": "Abrimos!" });
    assert_eq!(
        scene.reply(&interaction, late).await.code(409),
        "window_closed"
    );
    let path = format!(
        "/api/v1/channels/{}/templates/refresh",
        scene.channels[&provider]
    );
    let listed = scene.world.post(&scene.admin, &path, json!({})).await;
    assert_eq!(
        listed.expect(200)["items"].as_array().map(Vec::len),
        Some(9)
    );
    let values = json!({ "body": { "nome": "Carlos", "protocolo": "77" } });
    let template = json!({ "client_message_id": "modelo", "template": {
        "name": demo::TEMPLATE_RETURN, "language": "pt_BR", "values": values } });
    scene.reply(&interaction, template).await.expect(201);
    let got = carlos
        .gets(|one| one.progress == Progress::Delivered)
        .await
        .expect("delivered");
    let Content::Template(filled) = &got.content else {
        panic!("no template but {:?}", got.content)
    };
    assert!(filled.body.starts_with("Olá, Carlos!"), "{}", filled.body);
    carlos.presses(got.id, "Sim, continuar").expect("pressed");
    scene
        .eventually("the answer", async || {
            let all = scene.messages(&interaction).await;
            all.iter()
                .any(|one| one["content"]["title"] == "Sim, continuar")
                .then_some(())
        })
        .await;
    scene.says(&interaction, "Abrimos das 9h às 14h.").await;
    let is_it = |one: &Message| words(one) == "Abrimos das 9h às 14h.";
    carlos
        .gets(|one| is_it(one) && one.progress == Progress::Delivered)
        .await
        .expect("delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_word_shuts_the_window_whatever_our_clock_says() {
    let provider = Provider::Cloud;
    let scene = Scene::new(&[provider]).await;
    let carlos = scene.simulator.customer(provider, "carlos");
    carlos.writes("Oi").expect("written");
    let interaction = scene.take().await;
    let path = format!("/api/v1/interactions/{interaction}/composer");
    let composer = scene.world.get(&scene.ana, &path).await.expect(200);
    assert_eq!(composer["open"], true, "{composer}");
    scene.simulator.advance(Duration::from_secs(25 * 3_600));
    scene.says(&interaction, "Ainda está aí?").await;
    let failed = scene
        .reaches(&interaction, "Ainda está aí?", "failed")
        .await;
    assert_eq!(failed["failure"]["class"], "needs_template", "{failed}");
    let composer = scene.world.get(&scene.ana, &path).await.expect(200);
    assert_eq!(composer["open"], false, "{composer}");
    carlos.writes("Estou!").expect("written");
    scene
        .eventually("it is open again", async || {
            let composer = scene.world.get(&scene.ana, &path).await.expect(200);
            (composer["open"] == true).then_some(())
        })
        .await;
    let long = json!({ "client_message_id": "longa", "text": "a".repeat(4_097) });
    assert_eq!(scene.reply(&interaction, long).await.code(422), "too_long");
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_edits_and_revokes_reach_the_message_that_they_are_about() {
    let provider = Provider::Cloud;
    let scene = Scene::new(&[provider]).await;
    let julia = scene.simulator.customer(provider, "julia");
    let first = julia.writes("Oi, vim pelo Instagram").expect("written");
    let interaction = scene.take().await;
    scene.says(&interaction, "Olá, Júlia!").await;
    let got = julia
        .gets(|one| one.progress == Progress::Delivered)
        .await
        .expect("delivered");
    let emoji = Some("❤️".to_owned());
    julia
        .does(Act::React {
            message: got.id,
            emoji,
        })
        .expect("done");
    let text = "Oi, vim pelo anúncio".to_owned();
    julia
        .does(Act::Edit {
            message: first,
            text,
        })
        .expect("done");
    scene
        .eventually("both", async || {
            let all = scene.messages(&interaction).await;
            let is_edited = all[0]["content"]["text"] == "Oi, vim pelo anúncio";
            (is_edited && all[1]["reactions"]["customer"] == "❤️").then_some(())
        })
        .await;
    for (field, message, emoji) in [
        ("content.emoji", json!("qualquer"), "hello"),
        ("content.message", json!("nada"), "👍"),
    ] {
        let odd = json!({ "client_message_id": "estranha", "content": {
            "kind": "reaction", "message": message, "emoji": emoji } });
        let refused = scene.reply(&interaction, odd).await.expect(422);
        assert_eq!(refused["field"], field);
    }
    // The agent's own reaction, by the id that the agent's page knows.
    let hers = scene.messages(&interaction).await[0]["id"].clone();
    let thumb = json!({ "client_message_id": "joinha", "content": {
        "kind": "reaction", "message": hers, "emoji": "👍" } });
    scene.reply(&interaction, thumb).await.expect(201);
    scene
        .eventually("our reaction", async || {
            let all = scene.messages(&interaction).await;
            (all[0]["reactions"]["company"] == "👍").then_some(())
        })
        .await;
    julia.does(Act::Revoke { message: first }).expect("done");
    scene
        .eventually("it was taken back", async || {
            let all = scene.messages(&interaction).await;
            all[0]["revoked_ms"].is_i64().then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_lose_nothing_and_double_nothing() {
    let provider = Provider::Cloud;
    let scene = Scene::new(&[provider]).await;
    let marina = scene.simulator.customer(provider, "marina");
    marina.writes("0").expect("written");
    let interaction = scene.take().await;
    let kinds = [
        FaultKind::Drop,
        FaultKind::LoseAnswer,
        FaultKind::Duplicate,
        FaultKind::Reorder,
        FaultKind::WrongSignature,
        FaultKind::TooMany { retry_after_s: 1 },
    ];
    for kind in kinds {
        let fault = Fault {
            provider: None,
            // Each of these is waited out, twice as long each time: not for longer than a test may last.
            times: matches!(kind, FaultKind::TooMany { .. }).then_some(2),
            kind,
            permille: 150,
        };
        scene.simulator.with(|world, _| world.add_fault(fault));
    }
    for count in 1..40 {
        marina.writes(&count.to_string()).expect("written");
        if count % 4 == 0 {
            scene.says(&interaction, &format!("resposta {count}")).await;
        }
    }
    let is_reply = |one: &Message| one.is_ours() && words(one).starts_with("resposta");
    scene
        .eventually("all was answered", async || {
            scene.settle().await;
            let replies = marina.sees();
            let delivered = |one: &&Message| is_reply(one) && one.progress == Progress::Delivered;
            (replies.iter().filter(delivered).count() >= 9).then_some(())
        })
        .await;
    scene.simulator.with(|world, _| world.clear_faults(None));
    scene.settle().await;
    // Each of the customer's messages came once.
    scene
        .eventually("all came", async || {
            let all = scene.messages(&interaction).await;
            (all.len() >= 49).then_some(())
        })
        .await;
    let all = scene.messages(&interaction).await;
    let side = |direction: &str| -> Vec<String> {
        let all = all.iter().filter(|one| one["direction"] == direction);
        all.map(|one| text_of(&one["content"], "text")).collect()
    };
    let mut heard: Vec<u32> = side("inbound")
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    heard.sort_unstable();
    assert_eq!(heard, (0..40).collect::<Vec<u32>>());
    // And each of ours, in the order in which they were written.
    let expected: Vec<String> = (1..10)
        .map(|count| format!("resposta {}", count * 4))
        .collect();
    assert_eq!(side("outbound"), expected);
    let got = marina.sees();
    let got: Vec<&str> = got.iter().filter(|one| is_reply(one)).map(words).collect();
    assert_eq!(got, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_took_without_a_word_is_found_again_by_its_status() {
    let provider = Provider::Cloud;
    let scene = Scene::new(&[provider]).await;
    let marina = scene.simulator.customer(provider, "marina");
    marina.writes("Oi").expect("written");
    let interaction = scene.take().await;
    // Nobody hears how it went, and its statuses come.
    scene.simulator.fault(provider, FaultKind::NeverAnswer, 1);
    scene.says(&interaction, "Um momento").await;
    marina
        .gets(|one| words(one) == "Um momento")
        .await
        .expect("it went");
    let sent = scene.reaches(&interaction, "Um momento", "delivered").await;
    assert!(sent["external_id"].is_string(), "{sent}");
    scene.says(&interaction, "Encontrei").await;
    marina
        .gets(|one| words(one) == "Encontrei")
        .await
        .expect("the next goes too");
    let twice = marina
        .sees()
        .iter()
        .filter(|one| words(one) == "Um momento")
        .count();
    assert_eq!(twice, 1);
}

//! What an administrator does from an empty installation to a number that answers.

use axum::http::{Method, header};
use serde_json::{Value, json};

use crate::world::{As, World, tone};

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_empty_installation_to_a_number_that_answers() {
    let mut world = World::new().await;
    let root = world.key(None, &["admin"]).await;
    let company = id(&world
        .post(&root, "/api/v1/companies", json!({ "name": "Exemplo" }))
        .await
        .expect(201));
    let admin = world.key(Some(&company), &["admin"]).await;

    let hours = json!({
        "time_zone": "America/Sao_Paulo",
        "schedule": { "weekly": { "monday": [{ "from": "08:00", "to": "18:00" }] } },
        "holidays": "brazil"
    });
    let calendar = json!({ "name": "Comercial", "hours": hours });
    let calendar = id(&world
        .post(&admin, "/api/v1/calendars", calendar)
        .await
        .expect(201));
    let state = async |at: &str| {
        world
            .get(
                &admin,
                &format!("/api/v1/calendars/{calendar}/state?at={at}"),
            )
            .await
            .expect(200)
    };
    let monday = state("2026-11-23T15:00:00Z").await;
    assert_eq!(
        (monday["open"].as_bool(), monday["closes_at"].as_str()),
        (Some(true), Some("2026-11-23T21:00:00Z"))
    );
    let sunday = state("2026-11-22T15:00:00Z").await;
    assert_eq!(
        (sunday["open"].as_bool(), sunday["why"].as_str()),
        (Some(false), Some("hours"))
    );
    assert_eq!(sunday["opens_at"], "2026-11-23T11:00:00Z");

    let service = async |name: &str| {
        let asked =
            json!({ "name": name, "wait_limit_s": 60, "say_position": true, "calendar": calendar });
        id(&world
            .post(&admin, "/api/v1/services", asked)
            .await
            .expect(201))
    };
    let (sales, support) = (service("Vendas").await, service("Suporte").await);

    let prompt = world.upload(&admin, "Fechado", &tone()).await.expect(201);
    assert_eq!(
        (prompt["state"].as_str(), prompt["duration_ms"].as_u64()),
        (Some("draft"), Some(1_000))
    );
    let prompt = id(&prompt);
    let heard = world
        .get(&admin, &format!("/api/v1/prompts/{prompt}/audio"))
        .await;
    heard.expect(200);
    assert_eq!(heard.headers[header::CONTENT_TYPE], "audio/wav");
    // RFC 2361: 6 is A-law.
    assert_eq!((&heard.bytes[..4], heard.bytes[20]), (&b"RIFF"[..], 6));

    let form = json!({
        "hours": { "id": calendar },
        "welcome": { "kind": "text", "text": "Olá!" },
        "closed": { "kind": "prompt", "prompt": prompt },
        "services": [{ "service": sales, "name": "Vendas" }, { "service": support, "name": "Suporte" }],
        "unanswered": { "kind": "text", "text": "Ninguém pôde atender." },
        "repeat_key": "9"
    });
    let flow = id(&world
        .post(&admin, "/api/v1/flows", json!({ "name": "Principal" }))
        .await
        .expect(201));
    let at = |rest: &str| format!("/api/v1/flows/{flow}{rest}");
    let saved = world
        .put(
            &admin,
            &at("/simple"),
            json!({ "revision": 1, "form": form }),
        )
        .await
        .expect(200);
    assert_eq!(saved["revision"], 2);
    let late = world
        .put(
            &admin,
            &at("/simple"),
            json!({ "revision": 1, "form": form }),
        )
        .await;
    assert_eq!(late.code(409), "revision");
    assert_eq!(
        world.get(&admin, &at("/simple")).await.expect(200)["form"]["repeat_key"],
        "9"
    );

    // The prompt is a draft: nobody would hear it.
    let judged = world
        .ask(&admin, Method::POST, &at("/validate"), None)
        .await
        .expect(200);
    assert_eq!(
        (
            judged["publishable"].as_bool(),
            judged["findings"][0]["code"].as_str()
        ),
        (Some(false), Some("no-such-prompt"))
    );
    assert_eq!(
        judged["findings"][0]["sentence"],
        "este áudio não existe ou não está publicado"
    );
    let refused = world.ask(&admin, Method::POST, &at("/publish"), None).await;
    assert_eq!(refused.code(422), "findings");
    world
        .ask(
            &admin,
            Method::POST,
            &format!("/api/v1/prompts/{prompt}/publish"),
            None,
        )
        .await
        .expect(200);
    let published = world
        .ask(&admin, Method::POST, &at("/publish"), None)
        .await
        .expect(200);
    assert_eq!(published["published"], 1);
    world
        .ask(&admin, Method::POST, &at("/publish"), None)
        .await
        .expect(200);
    let back = world
        .post(&admin, &at("/roll-back"), json!({ "version": 1 }))
        .await
        .expect(200);
    assert_eq!(
        (back["published"].as_u64(), back["last_version"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(
        world.get(&admin, &at("/versions")).await.expect(200)["items"][0]["version"],
        2
    );
    world
        .post(&admin, &at("/roll-back"), json!({ "version": 3 }))
        .await
        .expect(404);

    let number = json!({ "number": "+55 11 4000-4000", "name": "Principal", "flow": flow });
    let number = world
        .post(&admin, "/api/v1/numbers", number)
        .await
        .expect(201);
    assert_eq!(number["number"], "+551140004000");

    // What is in use stays.
    for path in [
        format!("/api/v1/prompts/{prompt}"),
        at(""),
        format!("/api/v1/calendars/{calendar}"),
    ] {
        let refused = world.ask(&admin, Method::DELETE, &path, None).await;
        assert_eq!(refused.code(409), "in_use", "{path}");
    }
    let audit = world
        .get(&admin, "/api/v1/audit?limit=500")
        .await
        .expect(200);
    let done: Vec<_> = audit["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|line| line["action"].to_string())
        .collect();
    assert!(
        done.contains(&"\"flow.publish\"".to_owned())
            && done.contains(&"\"number.create\"".to_owned()),
        "{done:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_s_trunk_spans_no_network_that_strangers_are_in() {
    let mut world = World::new().await;
    world.company("a").await;
    let company = world.key(Some("a"), &["admin"]).await;
    let installation = world.key(None, &["admin"]).await;
    let asked = |network: &str| {
        let name = format!("T {network}");
        json!({ "name": name, "settings": { "addresses": ["192.0.2.1", network] } })
    };
    for network in [
        "0.0.0.0/0",
        "64.0.0.0/7",
        "::ffff:64.0.0.0/7",
        "::/0",
        "2000::/15",
    ] {
        let refused = world.post(&company, "/api/v1/trunks", asked(network)).await;
        assert_eq!(refused.code(422), "network_too_wide", "{network}");
        assert_eq!(refused.json()["field"], "settings.addresses");
        let path = "/api/v1/trunks?company=a";
        let made = world.post(&installation, path, asked(network)).await;
        let path = format!("/api/v1/trunks/{}", id(&made.expect(201)));
        let kept = world.put(&company, &path, asked(network)).await;
        assert_eq!(kept.code(422), "network_too_wide", "{network}");
    }
    for network in ["10.0.0.0/8", "2001::/16", "2001:db8::/32"] {
        let made = world.post(&company, "/api/v1/trunks", asked(network)).await;
        made.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_that_could_not_work_is_refused_by_the_field_at_fault() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let host = "sip.operadora.example";
    let refused = [
        (
            "ping.every_s",
            json!({ "host": host, "ping": { "every_s": 9 } }),
        ),
        (
            "ping.lost_max",
            json!({ "host": host, "ping": { "every_s": 10, "lost_max": 0 } }),
        ),
        ("host", json!({ "ping": { "every_s": 10 } })),
        ("calls_max", json!({ "calls_max": 0 })),
        ("host", json!({ "host": "bad host!!" })),
        ("host", json!({ "host": "" })),
        ("host", json!({ "host": "sip..example" })),
        ("host", json!({ "host": "ana@sip.example" })),
        ("host", json!({ "host": "sip.example;lr" })),
        ("host", json!({ "host": "2001:db8::1" })),
        ("host", json!({ "host": "sip.example:0" })),
    ];
    for (field, settings) in refused {
        let asked = json!({ "name": "T", "settings": settings });
        let answer = world.post(&admin, "/api/v1/trunks", asked).await;
        let field = format!("settings.{field}");
        assert_eq!(answer.expect(422)["field"], field, "{settings}");
    }
    let taken = [
        json!({ "host": host, "ping": { "every_s": 10, "lost_max": 1 }, "calls_max": 1 }),
        json!({ "host": "sip.example.:5061" }),
        json!({ "host": "203.0.113.9:5060" }),
        json!({ "host": "[2001:db8::1]:5060" }),
    ];
    for (at, settings) in taken.into_iter().enumerate() {
        let asked = json!({ "name": format!("T{at}"), "settings": settings });
        world
            .post(&admin, "/api/v1/trunks", asked)
            .await
            .expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn carriers_and_devices_keep_their_secrets_to_themselves() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let trunk = json!({
        "name": "Operadora",
        "settings": { "addresses": ["203.0.113.0/28"], "host": "sip.operadora.example", "transport": "udp" },
        "credentials": { "username": "551140004000", "password": "segredo-da-operadora" }
    });
    let made = world.post(&admin, "/api/v1/trunks", trunk.clone()).await;
    assert_eq!(made.expect(201)["has_credentials"], true);
    assert!(!String::from_utf8_lossy(&made.bytes).contains("segredo"));
    let mut without = trunk;
    without["credentials"] = Value::Null;
    let path = format!("/api/v1/trunks/{}", id(&made.json()));
    assert_eq!(
        world.put(&admin, &path, without.clone()).await.expect(200)["has_credentials"],
        true
    );
    without["remove_credentials"] = true.into();
    assert_eq!(
        world.put(&admin, &path, without).await.expect(200)["has_credentials"],
        false
    );
    let asked = json!({ "name": "Outra", "settings": { "host": "203.0.113.9", "ping": { "every_s": 60 } } });
    let made = world.post(&admin, "/api/v1/trunks", asked).await;
    let path = format!("/api/v1/trunks/{}", id(&made.expect(201)));
    let read = world.get(&admin, &path).await.expect(200);
    assert_eq!(read["settings"]["ping"]["every_s"], 60);
    assert_eq!(read["ping"]["condition"], "unknown");
    let bad = json!({ "name": "x", "settings": { "addresses": ["not an address"] } });
    assert_eq!(
        world.post(&admin, "/api/v1/trunks", bad).await.code(422),
        "invalid_trunk"
    );

    let device = json!({ "username": "ana", "display_name": "Ana", "extension": "200" });
    let made = world
        .post(&admin, "/api/v1/devices", device.clone())
        .await
        .expect(201);
    assert_eq!(made["password"].as_str().map(str::len), Some(16));
    assert_eq!(
        world
            .post(&admin, "/api/v1/devices", device)
            .await
            .code(409),
        "taken"
    );
    let mobile = |number: &str| json!({ "username": "ana-mobile", "number": number });
    for wrong in ["200", "+55 11 98765", "sip:ana@example.com"] {
        let refused = world.post(&admin, "/api/v1/devices", mobile(wrong)).await;
        assert_eq!(refused.code(422), "invalid_number", "{wrong}");
    }
    let mobile = mobile("+5511900000000");
    let outside = world.post(&admin, "/api/v1/devices", mobile).await;
    assert_eq!(outside.expect(201)["number"], "+5511900000000");
    let read = world
        .get(&admin, &format!("/api/v1/devices/{}", id(&made)))
        .await
        .expect(200);
    assert!(
        read.get("password").is_none() && read.get("secrets").is_none(),
        "{read}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["write"]).await;
    for number in 100..125 {
        let body = json!({ "number": number.to_string(), "name": "x" });
        world
            .post(&admin, "/api/v1/numbers", body)
            .await
            .expect(201);
    }
    let (mut seen, mut path) = (vec![], "/api/v1/numbers?limit=10".to_owned());
    loop {
        let page = world.get(&admin, &path).await.expect(200);
        let items = page["items"].as_array().cloned().unwrap_or_default();
        assert!(items.len() <= 10);
        seen.extend(items.into_iter().map(|item| item["number"].to_string()));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/numbers?limit=10&after={next}"),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_becomes_a_prompt_where_somebody_can_speak() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["write"]).await;
    let voices = world.get(&admin, "/api/v1/voices").await.expect(200);
    let asked = json!({ "name": "Olá", "text": "Olá! Boa tarde.", "speed_percent": 110 });
    let made = world.post(&admin, "/api/v1/prompts/from-text", asked).await;
    if voices.as_array().is_some_and(Vec::is_empty) {
        // No voice is installed on this machine.
        assert_eq!(made.code(422), "voice_engine");
        return;
    }
    let made = made.expect(201);
    assert_eq!(
        (made["kind"].as_str(), made["state"].as_str()),
        (Some("text"), Some("draft"))
    );
    let changed = world
        .ask(
            &admin,
            Method::PATCH,
            &format!("/api/v1/prompts/{}", id(&made)),
            Some(json!({ "text": "Outra coisa." })),
        )
        .await
        .expect(200);
    assert_eq!(changed["text"], "Outra coisa.");
    let preview = world
        .post(&admin, "/api/v1/voices/preview", json!({ "text": "Oi." }))
        .await;
    preview.expect(200);
    assert!(preview.bytes.starts_with(b"RIFF"));
    let wrong = world
        .post(
            &admin,
            "/api/v1/voices/preview",
            json!({ "text": "Oi.", "voice": "espeak:nobody" }),
        )
        .await;
    assert_eq!(wrong.code(422), "voice_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_how_it_is() {
    let world = World::new().await;
    assert_eq!(
        world.get(&As::Nobody, "/health").await.expect(200)["healthy"],
        true
    );
    let metrics = world.get(&As::Nobody, "/metrics").await;
    let text = String::from_utf8_lossy(&metrics.bytes).into_owned();
    for name in [
        "ramal_calls 0",
        "ramal_media_lateness_seconds_bucket{thread=\"0\",le=\"+Inf\"}",
        "ramal_sip_received_total 0",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
    let page = world.get(&As::Nobody, "/api/docs").await;
    page.expect(200);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .expect("text");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let schema = world
        .get(&As::Nobody, "/api/v1/schemas/flow.json")
        .await
        .expect(200);
    assert_eq!(schema["title"], "Flow");
}

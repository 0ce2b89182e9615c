//! Who may do what: every endpoint, and everybody who may not.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::json;
use store::users::Role;

use crate::world::{As, PASSWORD, World};

/// Operations that everybody may ask.
const OPEN: &[(&str, &str)] = &[
    ("get", "/health"),
    ("get", "/metrics"),
    ("post", "/api/v1/session"),
    ("get", "/api/v1/schemas/flow.json"),
    ("get", "/api/v1/schemas/simple-form.json"),
    // Whoever has the link has the file.
    ("get", "/media/{token}"),
    ("get", "/media/{token}/thumbnail"),
];

/// Every described operation, with ids of the other company's things in its path.
fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(ramal::http::document()).expect("JSON");
    let mut all = vec![];
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            if !OPEN.contains(&(method.as_str(), path.as_str())) {
                let method = method.to_uppercase().parse().expect("a method");
                all.push((
                    method,
                    path.replace("{id}", "b-thing")
                        .replace("{version}", "1")
                        .replace("{identity}", "1")
                        .replace("{protocol}", "1"),
                ));
            }
        }
    }
    assert!(all.len() > 60, "{}", all.len());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_refuses_the_anonymous_and_those_with_a_wrong_key() {
    let world = World::new().await;
    let strangers = [
        As::Nobody,
        As::Key("rml_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into()),
        As::Key("x".into()),
        As::Cookie {
            cookie: "ramal=00".into(),
            csrf: Some("00".into()),
        },
    ];
    for (method, path) in operations() {
        for who in &strangers {
            let answer = world.ask(who, method.clone(), &path, Some(json!({}))).await;
            assert_eq!(answer.code(401), "unauthorized", "{method} {path} {who:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_keeps_agents_and_weak_keys_from_what_is_not_theirs() {
    let mut world = World::new().await;
    world.company("a").await;
    world.user("agente@a.example", Some("a"), Role::Agent).await;
    let agent = world.log_in("agente@a.example").await;
    let reader = world.key(Some("a"), &["read"]).await;
    let writer = world.key(Some("a"), &["write"]).await;
    for (method, path) in operations() {
        // What is one's own, and what only a key of the channel itself opens.
        let own = [
            "/session",
            "/agents/me",
            "/live",
            "/calls",
            "/work/",
            "/receive_hook",
            "/channels/b-thing/events",
            "/channels/b-thing/uploads",
            "/channels/b-thing/attendances",
            "/interactions/b-thing/uploads",
            "/files/",
            // What nobody has is not found; whose it is decides over the rest.
            "/messages/b-thing/mail",
        ];
        if own.iter().any(|noun| path.contains(noun)) {
            continue;
        }
        // Agents choose templates and begin conversations with them.
        let begins = ["/conversations", "/templates", "/templates/preview"];
        if begins.iter().any(|noun| path.ends_with(noun)) {
            continue;
        }
        // Who has it in hand writes.
        let writes = [
            "/messages",
            "/notes",
            "/resend",
            "/signals",
            "/tags",
            "/transfer",
        ];
        if method != Method::GET
            && path.contains("/interactions/")
            && writes.iter().any(|noun| path.ends_with(noun))
        {
            continue;
        }
        // Whoever serves customers knows them; below it stands what takes more.
        let knows = path.contains("/contacts")
            && !["/import", "/export", "/merge", "/unmerge", "/anonymise"]
                .iter()
                .any(|above| path.contains(above))
            && (method != Method::DELETE || path.contains("/identities"));
        if knows {
            let answer = world
                .ask(&agent, method.clone(), &path, Some(json!({})))
                .await;
            assert_ne!(answer.status, 403, "agent {method} {path}");
            if method != Method::GET {
                let answer = world
                    .ask(&reader, method.clone(), &path, Some(json!({})))
                    .await;
                assert_eq!(answer.code(403), "forbidden", "read {method} {path}");
            }
            continue;
        }
        // Whoever pauses chooses a reason, and agents write by a few letters and choose tags.
        let chosen = ["/pauses", "/quick-replies", "/tags"];
        if method != Method::GET || !chosen.iter().any(|noun| path.contains(noun)) {
            let answer = world
                .ask(&agent, method.clone(), &path, Some(json!({})))
                .await;
            assert_eq!(answer.code(403), "forbidden", "agent {method} {path}");
        }
        // To see what is wrong with a flow, and to try it, is to read it.
        let changes =
            method != Method::GET && !path.ends_with("/validate") && !path.ends_with("/try");
        let governs = [
            "/users",
            "/api-keys",
            "/trunks",
            "/devices",
            "/audit",
            "/outbound-",
            "/anonymise",
        ];
        let governs = governs.iter().any(|noun| path.contains(noun))
            || (changes && path.contains("/companies"));
        if changes || governs {
            let answer = world
                .ask(&reader, method.clone(), &path, Some(json!({})))
                .await;
            assert_eq!(answer.code(403), "forbidden", "read {method} {path}");
        }
        if governs {
            let answer = world
                .ask(&writer, method.clone(), &path, Some(json!({})))
                .await;
            assert_eq!(answer.code(403), "forbidden", "write {method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_company_s_administrator_finds_nothing() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let (ours, theirs) = (
        world.key(Some("b"), &["admin"]).await,
        world.key(Some("a"), &["admin"]).await,
    );
    let made = [
        ("services", json!({ "name": "x" })),
        ("numbers", json!({ "number": "4000", "name": "x" })),
        (
            "calendars",
            json!({ "name": "x", "hours": { "time_zone": "America/Sao_Paulo", "schedule": "always" } }),
        ),
        ("trunks", json!({ "name": "x" })),
        ("devices", json!({ "username": "x" })),
        ("flows", json!({ "name": "x" })),
        (
            "users",
            json!({ "email": "x@b.example", "name": "x", "role": "agent" }),
        ),
        ("api-keys", json!({ "name": "x", "scopes": ["read"] })),
        ("contacts", json!({ "name": "x" })),
    ];
    let mut ids = vec![];
    for (noun, body) in &made {
        let answer = world
            .post(&ours, &format!("/api/v1/{noun}"), body.clone())
            .await
            .expect(201);
        let id = answer["id"].as_str().expect("an id").to_owned();
        for (method, path) in operations() {
            let Some(rest) = path.strip_prefix(&format!("/api/v1/{noun}/b-thing")) else {
                continue;
            };
            let path = format!("/api/v1/{noun}/{id}{rest}");
            let body = if rest == "/roll-back" {
                json!({ "version": 1 })
            } else {
                body.clone()
            };
            let body = match rest {
                "/draft" => {
                    json!({ "revision": 1, "flow": { "format": 1, "entry": "e", "nodes": { "e": { "kind": "hang-up" } } } })
                }
                "/try" => json!({ "keys": [] }),
                "/call" => json!({}),
                "/agents" => json!({ "agents": [] }),
                "/identities" => json!({ "kind": "phone", "text": "11 3123-4567" }),
                "/merge" => json!({ "contact": "other" }),
                "/unmerge" => json!({ "merge": "other" }),
                "/simple" if method == Method::PUT => continue, // The form is looked at first.
                _ => body,
            };
            let answer = world
                .ask(&theirs, method.clone(), &path, Some(body.clone()))
                .await;
            assert_eq!(answer.code(404), "not_found", "{method} {path}");
            let named = world
                .ask(
                    &theirs,
                    method.clone(),
                    &format!("{path}?company=b"),
                    Some(body),
                )
                .await;
            assert_eq!(named.code(403), "forbidden", "{method} {path}?company=b");
        }
        ids.push((noun, id));
    }
    for (noun, id) in &ids {
        let seen = world.get(&theirs, &format!("/api/v1/{noun}")).await;
        seen.expect(200);
        assert!(!String::from_utf8_lossy(&seen.bytes).contains(id), "{noun}");
    }
    // Nor may one's own things lead to another's.
    let flow = ids
        .iter()
        .find(|(noun, _)| **noun == "flows")
        .map(|(_, id)| id.clone());
    let stolen = json!({ "number": "4001", "name": "x", "flow": flow });
    assert_eq!(
        world
            .post(&theirs, "/api/v1/numbers", stolen)
            .await
            .code(422),
        "reference"
    );
    assert_eq!(
        world.get(&theirs, "/api/v1/companies/b").await.code(404),
        "not_found"
    );
    assert_eq!(
        world.get(&theirs, "/api/v1/companies").await.expect(200)["items"][0]["id"],
        "a"
    );
    assert_eq!(
        world
            .post(&theirs, "/api/v1/companies", json!({ "name": "c" }))
            .await
            .code(403),
        "forbidden"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_of_the_installation_name_the_company() {
    let mut world = World::new().await;
    world.company("a").await;
    let root = world.key(None, &["admin"]).await;
    assert_eq!(
        world.get(&root, "/api/v1/services").await.code(400),
        "company_missing"
    );
    world
        .get(&root, "/api/v1/services?company=a")
        .await
        .expect(200);
    assert_eq!(
        world
            .get(&root, "/api/v1/services?company=nobody")
            .await
            .code(404),
        "not_found"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_alone_changes_nothing() {
    let mut world = World::new().await;
    world.company("a").await;
    world
        .user("ana@a.example", Some("a"), Role::Administrator)
        .await;
    let ana = world.log_in("ANA@a.example").await;
    let As::Cookie { cookie, csrf } = &ana else {
        unreachable!("a person")
    };
    assert!(cookie.starts_with("ramal="), "plain HTTP on this machine");
    for csrf in [None, Some("0".repeat(64)), Some(String::new())] {
        let forged = As::Cookie {
            cookie: cookie.clone(),
            csrf,
        };
        world.get(&forged, "/api/v1/services").await.expect(200);
        assert_eq!(
            world
                .post(&forged, "/api/v1/services", json!({ "name": "x" }))
                .await
                .code(403),
            "csrf"
        );
    }
    world
        .post(&ana, "/api/v1/services", json!({ "name": "x" }))
        .await
        .expect(201);
    assert_eq!(
        world.get(&ana, "/api/v1/session").await.expect(200)["csrf"].as_str(),
        csrf.as_deref()
    );
    world
        .ask(&ana, Method::DELETE, "/api/v1/session", None)
        .await
        .expect(204);
    assert_eq!(
        world.get(&ana, "/api/v1/services").await.code(401),
        "unauthorized"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_for_a_public_name_is_bound_to_it_and_to_https() {
    let mut world = World::new().await;
    world
        .user("root@ramal.example", None, Role::Administrator)
        .await;
    let body = json!({ "email": "root@ramal.example", "password": PASSWORD }).to_string();
    let request = Request::post("/api/v1/session")
        .header("x-forwarded-proto", "https")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body));
    let answer = world.send(&As::Nobody, request.expect("a request")).await;
    answer.expect(201);
    let cookie = answer.headers[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.starts_with("__Host-ramal="), "{cookie}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_people_and_wrong_passwords_get_one_answer_and_then_wait() {
    let mut world = World::new().await;
    world.user("ana@a.example", None, Role::Administrator).await;
    let log_in = async |email: &str| {
        let body = json!({ "email": email, "password": "not the password" });
        world.post(&As::Nobody, "/api/v1/session", body).await
    };
    let (known, unknown) = (
        log_in("ana@a.example").await,
        log_in("nobody@a.example").await,
    );
    assert_eq!(known.code(401), "bad_login");
    assert_eq!((known.status, known.bytes), (unknown.status, unknown.bytes));
    for _ in 0..9 {
        log_in("ana@a.example").await.expect(401);
    }
    let waits = log_in("ana@a.example").await;
    assert_eq!(waits.code(429), "too_many_attempts");
    assert!(waits.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_ends_when_it_is_revoked() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let made = world
        .post(
            &admin,
            "/api/v1/api-keys",
            json!({ "name": "CRM", "scopes": ["read"] }),
        )
        .await
        .expect(201);
    let key = As::Key(made["key"].as_str().expect("a key").to_owned());
    world.get(&key, "/api/v1/services").await.expect(200);
    let listed = world.get(&admin, "/api/v1/api-keys").await;
    let secret = made["key"]
        .as_str()
        .unwrap_or_default()
        .rsplit('_')
        .next()
        .unwrap_or_default()
        .to_owned();
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(&secret));
    let path = format!(
        "/api/v1/api-keys/{}",
        made["id"].as_str().unwrap_or_default()
    );
    world
        .ask(&admin, Method::DELETE, &path, None)
        .await
        .expect(204);
    assert_eq!(
        world.get(&key, "/api/v1/services").await.code(401),
        "unauthorized"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_speaks_the_language_of_the_asker() {
    let world = World::new().await;
    for (language, sentence) in [
        ("en", "There is no such thing here."),
        ("es", "Esto no existe aquí."),
        ("pt-BR", "Isto não existe aqui."),
    ] {
        let request = Request::get("/api/nothing")
            .header(header::ACCEPT_LANGUAGE, language)
            .body(Body::empty());
        let answer = world.send(&As::Nobody, request.expect("a request")).await;
        assert_eq!(answer.expect(404)["message"], sentence);
    }
}

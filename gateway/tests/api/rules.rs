//! What services and people go by, and what agents do with their work.

use axum::http::Method;
use serde_json::{Value, json};
use store::users::Role;

use crate::world::{As, World};

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

async fn service(world: &World, admin: &As, body: Value) -> Value {
    let made = world.post(admin, "/api/v1/services", body).await;
    made.expect(201)
}

async fn agent(world: &World, admin: &As, email: &str) -> String {
    let person = json!({ "email": email, "name": email, "role": "agent", "password": crate::world::PASSWORD });
    id(&world.post(admin, "/api/v1/users", person).await.expect(201))
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_write_by_a_few_letters_what_their_company_has_set() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let other = world.key(Some("b"), &["admin"]).await;
    agent(&world, &admin, "ana@a.example").await;
    let me = world.log_in("ana@a.example").await;
    let replies = "/api/v1/quick-replies";
    let hello = json!({ "shortcut": " Ola ", "text": "Olá, {{name}}! Aqui é {{agent}}." });
    world.post(&me, replies, hello.clone()).await.expect(403);
    let made = world.post(&admin, replies, hello.clone()).await.expect(201);
    assert_eq!(made["shortcut"], "ola");
    assert_eq!(world.post(&admin, replies, hello).await.code(409), "taken");
    for (field, code, wrong) in [
        (
            "shortcut",
            "invalid",
            json!({ "shortcut": "a b", "text": "Oi" }),
        ),
        (
            "shortcut",
            "invalid",
            json!({ "shortcut": "", "text": "Oi" }),
        ),
        ("text", "invalid", json!({ "shortcut": "a", "text": " " })),
        (
            "text",
            "unknown_name",
            json!({ "shortcut": "a", "text": "{{senha}}" }),
        ),
        (
            "text",
            "unknown_name",
            json!({ "shortcut": "a", "text": "{{name" }),
        ),
        (
            "services",
            "reference",
            json!({ "shortcut": "a", "text": "Oi", "services": ["nada"] }),
        ),
    ] {
        let refused = world.post(&admin, replies, wrong).await;
        assert_eq!(refused.code(422), code);
        assert_eq!(refused.expect(422)["field"], field);
    }
    let listed = world.get(&me, replies).await.expect(200);
    assert_eq!(listed["items"], json!([made]));
    let path = format!("{replies}/{}", made["id"].as_str().expect("an id"));
    world.get(&other, &path).await.expect(404);
    let bye = json!({ "shortcut": "tchau", "text": "Até logo!" });
    let changed = world.put(&admin, &path, bye).await.expect(200);
    assert_eq!(changed["text"], "Até logo!");
    world
        .ask(&other, Method::DELETE, &path, None)
        .await
        .expect(404);
    world
        .ask(&admin, Method::DELETE, &path, None)
        .await
        .expect(204);
    assert_eq!(
        world.get(&me, replies).await.expect(200)["items"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_has_its_own_reasons_for_pauses() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let other = world.key(Some("b"), &["admin"]).await;
    agent(&world, &admin, "ana@a.example").await;
    let me = world.log_in("ana@a.example").await;

    let usual = world.get(&me, "/api/v1/pauses").await.expect(200);
    assert_eq!(usual["items"][0]["name"], "Almoço");
    assert_eq!(usual["items"][0]["limit_min"], 60);
    let gym = json!({ "name": "Ginástica laboral", "limit_min": 15, "paid": true });
    world
        .post(&me, "/api/v1/pauses", gym.clone())
        .await
        .expect(403);
    let made = world.post(&admin, "/api/v1/pauses", gym.clone()).await;
    let pause = id(&made.expect(201));
    let twin = world.post(&admin, "/api/v1/pauses", gym).await;
    assert_eq!(twin.code(409), "taken");
    let presence = "/api/v1/agents/me/presence";
    let wish = async |body: Value| world.put(&me, presence, body).await;
    wish(json!({ "presence": "available" })).await.expect(200);
    let paused = wish(json!({ "presence": "paused", "reason": pause })).await;
    assert_eq!(paused.expect(200)["reason"], json!(pause));

    let path = format!("/api/v1/pauses/{pause}");
    world.get(&other, &path).await.expect(404);
    let off = json!({ "name": "Ginástica", "disabled": true });
    let changed = world.put(&admin, &path, off).await.expect(200);
    assert_eq!(changed["limit_min"], Value::Null);
    wish(json!({ "presence": "available" })).await.expect(200);
    let disabled = wish(json!({ "presence": "paused", "reason": pause })).await;
    assert_eq!(disabled.code(422), "invalid_reason");
    let gone = world.ask(&admin, Method::DELETE, &path, None).await;
    gone.expect(204);
    world.get(&admin, &path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_cannot_work_are_refused_with_their_field() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let support = service(&world, &admin, json!({ "name": "Suporte" })).await;
    let support = id(&support);
    let code = |id: &str| json!({ "id": id, "name": id });
    let good = json!({
        "routing": "ring_all", "priority": 2, "weight": 3,
        "targets": { "answer_s": 20, "abandon_s": 5 },
        "relax": [{ "after_s": 10, "by": 1 }, { "after_s": 20, "by": 2 }],
        "overflow": [{ "after_s": 60, "then": "callback" },
                     { "length": 5, "then": "service", "service": support }],
        "disposition_mandatory": true,
        "dispositions": [{ "id": "venda", "name": "Venda", "children": [code("vendido")] }],
        "callback": { "attempts": 2, "retry_s": 60 },
        "preferred": { "agent": "owner_or_last", "wait_s": 20, "even_away": true },
        "transfers": { "agents": false, "services": [support] },
        "reopen_wait_s": 30,
    });
    let calls = json!({ "recording": "on_demand", "callback_key": "7" });
    let body = json!({ "name": "Vendas", "rules": good, "calls": calls });
    let made = service(&world, &admin, body).await;
    let sales = format!("/api/v1/services/{}", id(&made));
    let read = world.get(&admin, &sales).await.expect(200);
    assert_eq!(read["rules"]["routing"], "ring_all");
    assert_eq!(read["rules"]["overflow"], good["overflow"]);
    assert_eq!(read["rules"]["relax"], good["relax"]);
    assert_eq!(read["rules"]["targets"]["abandon_s"], 5);
    assert_eq!(read["rules"]["preferred"], good["preferred"]);
    assert_eq!(read["rules"]["transfers"], good["transfers"]);
    assert_eq!(read["calls"]["recording"], "on_demand");
    assert_eq!(read["calls"]["callback_key"], "7");

    for (rules, field) in [
        (json!({ "weight": 0 }), "rules.weight"),
        (
            json!({ "relax": [{ "after_s": 9, "by": 1 }, { "after_s": 1, "by": 1 }] }),
            "rules.relax",
        ),
        (
            json!({ "overflow": [{ "then": "close" }] }),
            "rules.overflow.after_s",
        ),
        (
            json!({ "overflow": [{ "after_s": 1, "then": "service" }] }),
            "rules.overflow.service",
        ),
        (
            json!({ "overflow": [{ "after_s": 1, "then": "service", "service": "nada" }] }),
            "rules.overflow.service",
        ),
        (
            json!({ "disposition_mandatory": true }),
            "rules.dispositions",
        ),
        (
            json!({ "dispositions": [code("x"), code("x")] }),
            "rules.dispositions",
        ),
        (
            json!({ "dispositions": [{ "id": "x", "name": " " }] }),
            "rules.dispositions",
        ),
        (
            json!({ "transfers": { "agents": true, "services": ["nada"] } }),
            "rules.transfers.services",
        ),
        (
            json!({ "callback": { "attempts": 0, "retry_s": 1 } }),
            "rules.callback.attempts",
        ),
    ] {
        let refused = world
            .put(&admin, &sales, json!({ "name": "Vendas", "rules": rules }))
            .await
            .expect(422);
        assert_eq!(refused["field"], field, "{refused}");
    }
    for (calls, field) in [
        (json!({ "callback_key": "77" }), "calls.callback_key"),
        (json!({ "survey": "nada" }), "calls.survey"),
        (
            json!({ "recording_notice": "nada" }),
            "calls.recording_notice",
        ),
        (json!({ "caller_number": "nada" }), "calls.caller_number"),
    ] {
        let refused = world
            .put(&admin, &sales, json!({ "name": "Vendas", "calls": calls }))
            .await
            .expect(422);
        assert_eq!(refused["field"], field, "{refused}");
    }
    let path = format!("/api/v1/services/{support}");
    let named = world.ask(&admin, Method::DELETE, &path, None).await;
    assert_eq!(named.code(409), "in_use");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_services_have_in_common_is_set_for_a_company() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let other = world.key(Some("b"), &["read"]).await;
    let path = "/api/v1/desk-settings";
    let usual = world.get(&other, path).await.expect(200);
    assert_eq!(
        usual["costs"],
        json!({ "phone": 100, "chat": 20, "email": 10, "task": 10 })
    );
    assert_eq!(usual["interrupts"], json!({ "phone": ["email", "task"] }));
    let set = json!({ "grace_s": 10, "interrupts": { "chat": ["task"] } });
    let set = world.put(&admin, path, set).await.expect(200);
    assert_eq!(
        (&set["grace_s"], &set["refusal_rest_s"]),
        (&json!(10), &json!(30))
    );
    let read = world.get(&admin, path).await.expect(200);
    assert_eq!(read["interrupts"], json!({ "chat": ["task"] }));
    assert_eq!(world.get(&other, path).await.expect(200), usual);
    for (body, field) in [
        (
            json!({ "costs": { "phone": 100, "chat": 0, "email": 10, "task": 10 } }),
            "costs.chat",
        ),
        (json!({ "refusal_rest_s": 0 }), "refusal_rest_s"),
        (json!({ "lapses_before_pause": 0 }), "lapses_before_pause"),
    ] {
        let refused = world.put(&admin, path, body).await.expect(422);
        assert_eq!(refused["field"], field);
    }
    world.put(&other, path, json!({})).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_skills_and_rights_of_their_company_alone() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let other = world.key(Some("b"), &["admin"]).await;
    let ana = agent(&world, &admin, "ana@a.example").await;
    let made = world
        .post(&admin, "/api/v1/skills", json!({ "name": "Inglês" }))
        .await;
    let english = id(&made.expect(201));
    let path = format!("/api/v1/agents/{ana}/skills");
    let set = json!({ "skills": [{ "skill": english, "level": 3 }] });
    assert_eq!(world.put(&admin, &path, set.clone()).await.expect(200), set);
    assert_eq!(world.get(&admin, &path).await.expect(200), set);
    let none = json!({ "skills": [{ "skill": english, "level": 0 }] });
    world.put(&admin, &path, none).await.expect(422);
    let nothing = json!({ "skills": [{ "skill": "nada", "level": 1 }] });
    assert_eq!(
        world.put(&admin, &path, nothing).await.code(422),
        "reference"
    );
    assert_eq!(world.get(&admin, &path).await.expect(200), set);
    world.put(&other, &path, set).await.expect(404);
    let skill = format!("/api/v1/skills/{english}");
    let used = world.ask(&admin, Method::DELETE, &skill, None).await;
    assert_eq!(used.code(409), "in_use");
    world.get(&other, &skill).await.expect(404);

    let path = format!("/api/v1/agents/{ana}/transfers");
    let usual = world.get(&admin, &path).await.expect(200);
    assert_eq!(usual, json!({ "agents": true, "services": null }));
    let nowhere = json!({ "agents": true, "services": ["nada"] });
    assert_eq!(
        world.put(&admin, &path, nowhere).await.code(422),
        "reference"
    );
    let none = json!({ "agents": false, "services": [] });
    world.put(&admin, &path, none.clone()).await.expect(200);
    assert_eq!(world.get(&admin, &path).await.expect(200), none);
    world.get(&other, &path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_has_an_agent_pause_and_that_is_written_down() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let reader = world.key(Some("a"), &["read"]).await;
    let other = world.key(Some("b"), &["admin"]).await;
    let ana = agent(&world, &admin, "ana@a.example").await;
    world
        .user("boss@a.example", Some("a"), Role::Supervisor)
        .await;
    let boss = world.log_in("boss@a.example").await;
    let me = world.log_in("ana@a.example").await;
    world
        .put(
            &me,
            "/api/v1/agents/me/presence",
            json!({ "presence": "available" }),
        )
        .await
        .expect(200);
    let path = format!("/api/v1/agents/{ana}/presence");
    let order = json!({ "presence": "paused", "reason": "reuniao", "because": "equipe" });
    for (who, status) in [(&me, 403), (&reader, 403), (&other, 404)] {
        world.put(who, &path, order.clone()).await.expect(status);
    }
    let paused = world.put(&boss, &path, order).await.expect(200);
    assert_eq!(
        (&paused["reason"], &paused["forced"]),
        (&json!("reuniao"), &json!(true))
    );
    // Who is paused is told by whom.
    let told = world.get(&me, "/api/v1/agents/me").await.expect(200);
    let by = &told["forced_by"];
    let by = (&by["name"], &by["because"]);
    assert_eq!(by, (&json!("boss@a.example"), &json!("equipe")), "{told}");
    let audit = world
        .get(&admin, "/api/v1/audit?limit=500")
        .await
        .expect(200);
    let lines = audit["items"].as_array().expect("lines");
    let line = lines.iter().find(|line| line["action"] == "agent.presence");
    let line = line.expect("it is written down");
    assert_eq!(
        (&line["target"], &line["detail"]["because"]),
        (&json!(ana), &json!("equipe"))
    );
    let back = json!({ "presence": "available" });
    let back = world.put(&boss, &path, back).await.expect(200);
    assert_eq!(back["presence"], "available");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_their_work_and_nobody_closes_what_is_not_theirs() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    agent(&world, &admin, "ana@a.example").await;
    let me = world.log_in("ana@a.example").await;
    let mine = world.get(&me, "/api/v1/agents/me/work").await.expect(200);
    assert_eq!(mine["items"], json!([]));
    world
        .get(&admin, "/api/v1/agents/me/work")
        .await
        .expect(403);
    let closing = json!({ "disposition": "vendido" });
    for (path, body) in [
        ("/api/v1/work/w1/disposition", closing),
        ("/api/v1/work/w1/end-wrap-up", json!({})),
        ("/api/v1/work/w1/accept", json!({})),
        ("/api/v1/work/w1/refuse", json!({})),
    ] {
        world.post(&me, path, body.clone()).await.expect(404);
        world.post(&admin, path, body).await.expect(403);
    }
    let priority = "/api/v1/work/w1/priority";
    let points = json!({ "priority": 3 });
    world.put(&me, priority, points.clone()).await.expect(403);
    world.put(&admin, priority, points).await.expect(404);
    world
        .get(&admin, "/api/v1/work/w1/explain")
        .await
        .expect(404);
    let sales = service(&world, &admin, json!({ "name": "Vendas" })).await;
    let status = format!("/api/v1/services/{}/status", id(&sales));
    let status = world.get(&admin, &status).await.expect(200);
    let expected = json!({
        "waiting": 0, "longest_ms": 0, "expected_ms": null,
        "agents_available": 0, "agents_paused": 0,
    });
    assert_eq!(status, expected);
}

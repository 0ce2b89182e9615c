//! Profiles: what people may do, in which areas, about whose customers.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use store::users::Role;

use crate::world::{Answer, As, PASSWORD, World};

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

async fn import(world: &World, who: &As, table: &str) -> Answer {
    let request = Request::post("/api/v1/users/import")
        .header(header::CONTENT_TYPE, "text/csv")
        .body(Body::from(table.to_owned()));
    world.send(who, request.expect("a request")).await
}

/// Adds somebody with these permissions, who is logged in, and their profile.
async fn somebody(world: &mut World, admin: &As, name: &str, permissions: Value) -> (As, String) {
    let profile = json!({ "name": format!("Perfil de {name}"), "permissions": permissions });
    let profile = world.post(admin, "/api/v1/profiles", profile).await;
    let profile = id(&profile.expect(201));
    let email = format!("{name}@a.example");
    let person = json!({ "email": email, "name": name, "role": "agent", "profile": profile,
        "password": PASSWORD });
    world.post(admin, "/api/v1/users", person).await.expect(201);
    (world.log_in(&email).await, profile)
}

async fn scene() -> (World, As) {
    let mut world = World::new().await;
    world.company("a").await;
    world
        .user("chefe@a.example", Some("a"), Role::Administrator)
        .await;
    let admin = world.log_in("chefe@a.example").await;
    (world, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_area_is_open_as_far_as_the_profile_says_and_no_further() {
    let (mut world, admin) = scene().await;
    // One path to see and one to change for each area, with what it takes to be understood.
    let quick = json!({ "shortcut": "oi", "text": "Olá!" });
    let person = json!({ "email": "x@a.example", "name": "x", "role": "agent" });
    let matrix = [
        ("interactions", "/api/v1/interactions", None),
        ("recordings", "/api/v1/voice-messages", None),
        ("desk", "/api/v1/agents", None),
        (
            "services",
            "/api/v1/services",
            Some(("/api/v1/quick-replies", quick)),
        ),
        (
            "flows",
            "/api/v1/flows",
            Some(("/api/v1/flows", json!({ "name": "x" }))),
        ),
        (
            "channels",
            "/api/v1/trunks",
            Some(("/api/v1/trunks", json!({ "name": "x" }))),
        ),
        ("people", "/api/v1/users", Some(("/api/v1/users", person))),
        ("integrations", "/api/v1/api-keys", None),
        ("audit", "/api/v1/audit", None),
    ];
    for (area, _, _) in &matrix {
        let (who, profile) = somebody(&mut world, &admin, area, json!({})).await;
        for level in ["own", "view", "change"] {
            let name = format!("{area} {level}");
            let granted = json!({ "name": name, "permissions": { *area: { "level": level } } });
            let path = format!("/api/v1/profiles/{profile}");
            // At once, for who is logged in.
            world.put(&admin, &path, granted).await.expect(200);
            for (other, seen, changed) in &matrix {
                let may_see = other == area && level != "own";
                let answer = world.get(&who, seen).await;
                assert_eq!(answer.status == 200, may_see, "{name} sees {other}");
                let may_change = other == area && level == "change";
                if let Some((path, body)) = changed {
                    let answer = world.post(&who, path, body.clone()).await;
                    let status = if may_change { 201 } else { 403 };
                    assert_eq!(answer.status, status, "{name} changes {other}");
                }
            }
            let session = world.get(&who, "/api/v1/session").await.expect(200);
            assert_eq!(session["permissions"][*area]["level"], level);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_or_takes_what_is_more_than_their_own() {
    let (mut world, admin) = scene().await;
    let people = json!({ "people": { "level": "change" }, "integrations": { "level": "change" } });
    let (hr, _) = somebody(&mut world, &admin, "rh", people.clone()).await;
    let chief = world.get(&admin, "/api/v1/session").await.expect(200);
    let chief = chief["user"].as_str().expect("an id").to_owned();

    // No administrator is made, no profile that may more, no key that may everything.
    let new = json!({ "email": "n@a.example", "name": "n", "role": "administrator" });
    let made = world.post(&hr, "/api/v1/users", new).await;
    assert_eq!(made.code(403), "forbidden");
    let more = json!({ "name": "Mais", "permissions": { "audit": { "level": "view" } } });
    let more_of_it = world.post(&hr, "/api/v1/profiles", more).await;
    assert_eq!(more_of_it.code(403), "forbidden");
    let key = json!({ "name": "k", "scopes": ["read"] });
    let key = world.post(&hr, "/api/v1/api-keys", key).await;
    assert_eq!(key.code(403), "forbidden");
    // Nor is the administrator's password set, their second factor taken, or they themselves removed.
    let path = format!("/api/v1/users/{chief}");
    let takes = json!({ "email": "chefe@a.example", "name": "x", "role": "administrator",
        "password": "outra senha bem longa" });
    assert_eq!(world.put(&hr, &path, takes).await.code(403), "forbidden");
    let factor = format!("{path}/second-factor");
    for path in [&path, &factor] {
        let gone = world.ask(&hr, Method::DELETE, path, None).await;
        assert_eq!(gone.code(403), "forbidden");
    }
    // What is within one's own is given.
    let equal = json!({ "name": "Outro RH", "permissions": people });
    let equal = world.post(&hr, "/api/v1/profiles", equal).await.expect(201);
    let person =
        json!({ "email": "m@a.example", "name": "m", "role": "agent", "profile": equal["id"] });
    world.post(&hr, "/api/v1/users", person).await.expect(201);
    let path = format!("/api/v1/profiles/{}", id(&equal));
    let held = world.ask(&admin, Method::DELETE, &path, None).await;
    assert_eq!(held.code(409), "in_use");
    let odd = json!({ "name": "x", "permissions": { "flows": { "level": "view", "scope": "services" } } });
    let odd = world.post(&admin, "/api/v1/profiles", odd).await;
    assert_eq!(odd.code(422), "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_some_services_sees_nothing_of_the_others() {
    let (mut world, admin) = scene().await;
    let mut services = vec![];
    for name in ["Vendas", "Suporte"] {
        let made = world
            .post(&admin, "/api/v1/services", json!({ "name": name }))
            .await;
        services.push(id(&made.expect(201)));
    }
    let some = json!({ "level": "change", "scope": "services" });
    let permissions = json!({ "desk": some, "interactions": some, "recordings": some });
    let (who, _) = somebody(&mut world, &admin, "bia", permissions).await;
    let me = world.get(&who, "/api/v1/session").await.expect(200);
    let path = format!("/api/v1/services/{}/agents", services[0]);
    let agents = json!({ "agents": [me["user"]] });
    world.put(&admin, &path, agents).await.expect(200);

    for (service, expected) in services.iter().zip([200, 403]) {
        for noun in ["waiting", "status"] {
            let path = format!("/api/v1/services/{service}/{noun}");
            assert_eq!(world.get(&who, &path).await.status, expected, "{path}");
        }
    }
    // Of many they are told of those that are theirs.
    for noun in ["interactions", "interactions.csv", "interactions/count"] {
        let path = format!("/api/v1/{noun}");
        assert_eq!(world.get(&who, &path).await.status, 200, "{path}");
        for (service, expected) in services.iter().zip([200, 403]) {
            let path = format!("{path}?service={service}");
            assert_eq!(world.get(&who, &path).await.status, expected, "{path}");
        }
    }
    // Nor do they see or stop people of the others.
    let person = json!({ "email": "rui@a.example", "name": "rui", "role": "agent" });
    let rui = id(&world
        .post(&admin, "/api/v1/users", person)
        .await
        .expect(201));
    let path = format!("/api/v1/services/{}/agents", services[1]);
    let agents = json!({ "agents": [rui] });
    world.put(&admin, &path, agents).await.expect(200);
    let seen = world.get(&who, "/api/v1/agents").await.expect(200);
    let seen: Vec<&Value> = seen["items"].as_array().expect("a list").iter().collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0]["id"], me["user"]);
    let path = format!("/api/v1/agents/{rui}/presence");
    let gone = json!({ "presence": "offline" });
    assert_eq!(world.put(&who, &path, gone).await.code(403), "forbidden");
    let trends = world.get(&who, "/api/v1/trend").await.expect(200);
    let seen = trends["items"].as_array().expect("a list");
    assert_eq!(seen.len(), 1, "{trends}");
    let reports = format!("/api/v1/reports/services?service={}", services[0]);
    assert_eq!(
        world.get(&who, &reports).await.status,
        403,
        "of reports they have none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_people_is_taken_line_by_line_with_passwords_made_up() {
    let (world, admin) = scene().await;
    let sales = json!({ "name": "Vendas" });
    let sales = id(&world
        .post(&admin, "/api/v1/services", sales)
        .await
        .expect(201));
    let table = "Nome;E-mail;Papel;Serviços;Ramal;Senha\n\
        Ana Lima;ana@a.example;agente;vendas;21;\n\
        Bia Reis;bia@a.example;Supervisora;;;uma senha bem longa\n\
        Caio;ana@a.example;;;;\n\
        Davi;davi@a.example;;Cobrança;;\n\
        Eva;eva@a.example;;;21;\n\
        Fabio;fabio@a.example;gerente;;;\n";
    let done = import(&world, &admin, table).await.expect(200);
    let made = done["made"].as_array().expect("a list");
    assert_eq!(made.len(), 2, "{done}");
    assert_eq!(made[1]["password"], Value::Null);
    let refused: Vec<(u64, &str, &str)> = done["refusals"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (
                one["line"].as_u64().expect("a line"),
                one["field"].as_str().expect("text"),
                one["code"].as_str().expect("text"),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (4, "email", "taken"),
            (5, "services", "reference"),
            (6, "extension", "taken"),
            (7, "role", "invalid")
        ]
    );
    let agents = format!("/api/v1/services/{sales}/agents");
    let agents = world.get(&admin, &agents).await.expect(200);
    assert_eq!(agents["agents"], json!([made[0]["id"]]));
    // Who was made up a password logs in by it, and has the extension in the window.
    let password = made[0]["password"].as_str().expect("shown");
    let ana = world.log_in_by("ana@a.example", password).await;
    let phone = world
        .post(&ana, "/api/v1/agents/me/softphone", json!({}))
        .await
        .expect(200);
    assert_eq!(phone["extension"], "21");
    let nameless = import(&world, &admin, "Nome;Ramal\nAna;1\n").await;
    assert_eq!(nameless.code(422), "invalid_table");
}

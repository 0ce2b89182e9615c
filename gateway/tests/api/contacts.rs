//! Customers: who finds, changes, merges, imports and forgets them.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use store::users::Role;

use crate::world::{Answer, As, World};

/// A company with an administrator, a supervisor and an agent.
async fn staffed() -> (World, As, As, As) {
    let mut world = World::new().await;
    world.company("a").await;
    let people = [
        ("chefe@a.example", Role::Administrator),
        ("vera@a.example", Role::Supervisor),
        ("ana@a.example", Role::Agent),
    ];
    for (address, role) in people {
        world.user(address, Some("a"), role).await;
    }
    let chief = world.log_in("chefe@a.example").await;
    let vera = world.log_in("vera@a.example").await;
    let ana = world.log_in("ana@a.example").await;
    (world, chief, vera, ana)
}

async fn add(world: &World, who: &As, name: &str, phone: &str) -> String {
    let asked = json!({ "name": name, "identities": [{ "kind": "phone", "text": phone }] });
    let made = world.post(who, "/api/v1/contacts", asked).await.expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn names(world: &World, who: &As, query: &str) -> Vec<String> {
    let found = world
        .get(who, &format!("/api/v1/contacts?{query}"))
        .await
        .expect(200);
    let items = found["items"].as_array().expect("a list");
    let name = |item: &Value| item["name"].as_str().expect("a name").to_owned();
    items.iter().map(name).collect()
}

async fn import(world: &World, who: &As, query: &str, table: &str) -> Answer {
    let request = Request::post(format!("/api/v1/contacts/import?{query}"))
        .header(header::CONTENT_TYPE, "text/csv")
        .body(Body::from(table.to_owned()));
    world.send(who, request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_adds_finds_and_changes_a_customer() {
    let (world, _, _, ana) = staffed().await;
    let asked = json!({
        "name": "José da Conceição", "language": "es", "priority": -2, "fields": { "Plano": "Ouro" },
        "owner_fallback": { "kind": "follow_me", "number": "(11) 3123-4567" },
        "identities": [
            { "kind": "phone", "text": "(21) 8765-4321" }, { "kind": "email", "text": "Jose@B.COM" },
            { "kind": "cpf", "text": "529.982.247-25" }, { "kind": "cnpj", "text": "12.abc.345/01DE-35" },
            { "kind": "psid", "scope": "page-1", "text": "7041776" },
        ],
    });
    let made = world
        .post(&ana, "/api/v1/contacts", asked)
        .await
        .expect(201);
    assert_eq!(
        made["owner_fallback"],
        json!({ "kind": "follow_me", "number": "+551131234567" })
    );
    let shown: Vec<&Value> = made["identities"]
        .as_array()
        .expect("ids")
        .iter()
        .map(|own| &own["external_id"])
        .collect();
    assert_eq!(shown.len(), 5);
    for known in [
        "+5521987654321",
        "Jose@b.com",
        "***.***.*47-25",
        "12ABC34501DE35",
        "7041776",
    ] {
        assert!(
            shown.iter().any(|own| *own == known),
            "{known} in {shown:?}"
        );
    }
    for query in [
        "name=jose%20da",
        "name=JOS%C3%89",
        "identity=%2B5521987",
        "identity=21%2098765-4321",
        "identity=21%208765-4321",
        "identity=jose%40",
        "identity=529.982.247-25",
        "identity=52998224725",
        "identity=12.ABC.345%2F01DE-35",
        "identity=704",
        "owner=nobody",
    ] {
        assert_eq!(
            names(&world, &ana, query).await,
            ["José da Conceição"],
            "{query}"
        );
    }
    for query in [
        "name=conce",
        "identity=%2B5511",
        "identity=529.982.247",
        "owner=somebody",
        "identity=%25",
    ] {
        assert!(names(&world, &ana, query).await.is_empty(), "{query}");
    }
    let path = format!("/api/v1/contacts/{}", made["id"].as_str().expect("an id"));
    let changed = json!({ "name": "José", "blocked_in": true });
    let changed = world
        .ask(&ana, Method::PUT, &path, Some(changed))
        .await
        .expect(200);
    assert_eq!(
        (&changed["blocked_in"], &changed["priority"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(changed["identities"].as_array().map(Vec::len), Some(5));
    assert_eq!(world.get(&ana, &path).await.expect(200), changed);

    let more = json!({ "kind": "wa_id", "text": "552187654321" });
    world
        .post(&ana, &format!("{path}/identities"), more.clone())
        .await
        .expect(201);
    let again = world.post(&ana, &format!("{path}/identities"), more).await;
    assert_eq!(again.code(409), "taken");
    let whole = world.get(&ana, &path).await.expect(200);
    let wa = whole["identities"]
        .as_array()
        .expect("ids")
        .iter()
        .find(|own| own["kind"] == "wa_id")
        .expect("WhatsApp's")
        .clone();
    let own = format!("{path}/identities/{}", wa["id"].as_str().expect("an id"));
    world
        .ask(&ana, Method::DELETE, &own, None)
        .await
        .expect(204);
    assert_eq!(
        world.ask(&ana, Method::DELETE, &own, None).await.code(404),
        "not_found"
    );
    world
        .get(&ana, &format!("{path}/interactions"))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_customer_is_said() {
    let (world, chief, ..) = staffed().await;
    let with = |kind: &str, scope: &str, text: &str| json!({ "name": "x", "identities": [{ "kind": kind, "scope": scope, "text": text }] });
    let rows = [
        (with("phone", "", "190"), "invalid_phone"),
        (with("phone", "", "3123-4567"), "invalid_phone"),
        (with("wa_id", "", "abc"), "invalid_phone"),
        (with("email", "", "a@b"), "invalid_email"),
        (with("cpf", "", "529.982.247-24"), "invalid_cpf"),
        (with("cnpj", "", "12ABC34501DE36"), "invalid_cnpj"),
        (with("psid", "", "1"), "invalid_identity_scope"),
        (with("phone", "x", "11 3123-4567"), "invalid_identity_scope"),
        (with("generic", "x", "a b"), "invalid_identity"),
        (with("fax", "", "1"), "invalid"),
        (json!({ "name": " " }), "invalid_name"),
        (json!({ "name": "x", "language": "fr" }), "invalid_language"),
        (json!({ "name": "x", "owner": "nobody" }), "reference"),
        (
            json!({ "name": "x", "owner_fallback": { "kind": "backup", "agent": "nobody" } }),
            "reference",
        ),
        (
            json!({ "name": "x", "owner_fallback": { "kind": "follow_me", "number": "1" } }),
            "invalid_phone",
        ),
        (json!({ "name": "x", "priority": 40_000 }), "invalid"),
        (
            json!({ "name": "x", "notes": "x".repeat(10_001) }),
            "out_of_range",
        ),
        (
            json!({ "name": "x", "fields": { "": "x" } }),
            "out_of_range",
        ),
        (json!({ "name": "x", "unknown": 1 }), "invalid"),
    ];
    for (asked, code) in rows {
        let answer = world.post(&chief, "/api/v1/contacts", asked.clone()).await;
        assert_eq!(answer.code(422), code, "{asked}");
    }
    assert!(
        names(&world, &chief, "").await.is_empty(),
        "nothing is kept of them"
    );
    add(&world, &chief, "Maria", "21 98765-4321").await;
    let twin = with("phone", "", "+55 21 8765 4321");
    assert_eq!(
        world.post(&chief, "/api/v1/contacts", twin).await.code(409),
        "taken"
    );
    assert_eq!(names(&world, &chief, "").await, ["Maria"]);
    assert_eq!(
        world
            .get(&chief, "/api/v1/contacts?after=x")
            .await
            .code(400),
        "malformed"
    );
    assert_eq!(
        world
            .get(&chief, "/api/v1/contacts?identity=%2B55&after=x")
            .await
            .code(400),
        "malformed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_broke_off() {
    let (world, _, _, ana) = staffed().await;
    for n in 0..5 {
        add(
            &world,
            &ana,
            &format!("Área {}", n / 2),
            &format!("11 3123-000{n}"),
        )
        .await;
    }
    for query in ["name=area", "identity=%2B55113123"] {
        let (mut seen, mut after) = (vec![], String::new());
        for _ in 0..4 {
            let path = format!("/api/v1/contacts?{query}&limit=2{after}");
            let page = world.get(&ana, &path).await.expect(200);
            seen.extend(page["items"].as_array().expect("a list").clone());
            let Some(next) = page["next"].as_str() else {
                break;
            };
            after = format!("&after={}", next.replace('+', "%2B").replace(' ', "%20"));
        }
        let names: Vec<&str> = seen.iter().filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(
            names,
            ["Área 0", "Área 0", "Área 1", "Área 1", "Área 2"],
            "{query}"
        );
        assert!(
            seen.iter()
                .all(|one| one["identities"].as_array().map(Vec::len) == Some(1))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_makes_one_of_two_and_two_of_one() {
    let (world, _, vera, ana) = staffed().await;
    let maria = add(&world, &ana, "Maria", "11 3123-0001").await;
    let mary = add(&world, &ana, "Mary", "11 3123-0002").await;
    let path = format!("/api/v1/contacts/{maria}");
    let twin = json!({ "contact": mary });
    let refused = world
        .post(&ana, &format!("{path}/merge"), twin.clone())
        .await;
    assert_eq!(refused.code(403), "forbidden");
    let merged = world
        .post(&vera, &format!("{path}/merge"), twin.clone())
        .await
        .expect(200);
    assert_eq!(
        (&merged["kept"], &merged["absorbed"]),
        (&json!(maria), &json!(mary))
    );
    assert_eq!(
        names(&world, &ana, "identity=11%203123-0002").await,
        ["Maria"]
    );
    assert_eq!(names(&world, &ana, "").await, ["Maria"]);
    let again = world.post(&vera, &format!("{path}/merge"), twin).await;
    assert_eq!(again.code(409), "not_mergeable");
    let gone = world
        .ask(
            &ana,
            Method::PUT,
            &format!("/api/v1/contacts/{mary}"),
            Some(json!({ "name": "x" })),
        )
        .await;
    assert_eq!(gone.code(409), "contact_closed");
    let listed = world
        .get(&vera, &format!("{path}/merges"))
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["id"], merged["id"]);

    let undo = json!({ "merge": merged["id"] });
    let wrong = world
        .post(
            &vera,
            &format!("/api/v1/contacts/{mary}/unmerge"),
            undo.clone(),
        )
        .await;
    assert_eq!(wrong.code(409), "not_mergeable", "it is another's merge");
    world
        .post(&vera, &format!("{path}/unmerge"), undo.clone())
        .await
        .expect(200);
    assert_eq!(
        names(&world, &ana, "identity=11%203123-0002").await,
        ["Mary"]
    );
    assert_eq!(
        world
            .post(&vera, &format!("{path}/unmerge"), undo)
            .await
            .code(409),
        "not_mergeable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_be_forgotten_is_and_the_audit_log_never_knew_them() {
    let (world, chief, vera, ana) = staffed().await;
    let maria = add(&world, &ana, "Maria Souza", "11 3123-0001").await;
    let path = format!("/api/v1/contacts/{maria}");
    for who in [&vera, &ana] {
        let refused = world
            .post(who, &format!("{path}/anonymise"), json!({}))
            .await;
        assert_eq!(refused.code(403), "forbidden");
        assert_eq!(
            world.ask(who, Method::DELETE, &path, None).await.code(403),
            "forbidden"
        );
    }
    let nobody = world
        .post(&chief, &format!("{path}/anonymise"), json!({}))
        .await
        .expect(200);
    let name = nobody["name"].as_str().expect("a name");
    assert!(
        name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{name}"
    );
    assert!(nobody["anonymised_ms"].is_i64() && nobody["identities"] == json!([]));
    assert_eq!(
        world
            .post(&chief, &format!("{path}/anonymise"), json!({}))
            .await
            .code(404),
        "not_found"
    );
    assert!(names(&world, &ana, "name=maria").await.is_empty());
    let log = world.get(&chief, "/api/v1/audit").await;
    let log = String::from_utf8_lossy(&log.bytes).into_owned();
    assert!(
        log.contains("contact.anonymise") && log.contains("contact.create"),
        "{log}"
    );
    assert!(!log.contains("Maria") && !log.contains("3123"), "{log}");
    world
        .ask(&chief, Method::DELETE, &path, None)
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_comes_in_line_by_line_and_goes_out_again() {
    let (world, _, vera, ana) = staffed().await;
    let table = "Nome;Telefone1;Telefone2;Email;CPF;Responsavel;Prioridade;Gênero;Campos\r\n\
        Maria;(21) 8765-4321;11 3123-4567;m@b.com;529.982.247-25;ANA@a.example;7;Female;[\"Plano\",\"Ouro\"|\"Loja\",\"12\"]\r\n\
        ;11 3123-0000;;;;;;;\r\n\
        Rui;123;;;;;;;\r\n\
        \"Eva; filha\";+55 21 98765-4321;;;;;;;\r\n\
        Zé;;;;;nobody@a.example;;;\r\n\
        =1+1;;;z@b.com;;;;;\r\n";
    assert_eq!(import(&world, &ana, "", table).await.code(403), "forbidden");
    let done = import(&world, &vera, "", table).await.expect(200);
    assert_eq!(
        (&done["created"], &done["updated"], &done["refused"]),
        (&json!(2), &json!(0), &json!(4))
    );
    let expected = json!([
        { "line": 3, "code": "invalid_name" }, { "line": 4, "code": "invalid_phone" },
        { "line": 5, "code": "taken" }, { "line": 6, "code": "reference" },
    ]);
    assert_eq!(done["refusals"], expected);
    assert_eq!(names(&world, &ana, "").await, ["=1+1", "Maria"]);
    let found = world
        .get(&ana, "/api/v1/contacts?identity=529.982.247-25")
        .await
        .expect(200);
    let maria = &found["items"][0];
    assert_eq!(
        maria["fields"],
        json!({ "Gênero": "Female", "Loja": "12", "Plano": "Ouro" })
    );
    assert_eq!(
        (
            &maria["priority"],
            maria["identities"].as_array().map(Vec::len)
        ),
        (&json!(7), Some(4))
    );

    let again = import(
        &world,
        &vera,
        "update=true",
        "nome;telefone;Plano\nMaria S.;21 98765-4321;Prata\n",
    )
    .await;
    assert_eq!(again.expect(200)["updated"], 1);
    assert_eq!(
        world.get(&ana, "/api/v1/contacts/export").await.code(403),
        "forbidden"
    );
    let out = world.get(&vera, "/api/v1/contacts/export").await;
    out.expect(200);
    let text = String::from_utf8(out.bytes).expect("text");
    assert!(
        text.contains("\"'=1+1\";")
            && text.contains("\"Maria S.\";\"'+5521987654321\";\"'+551131234567\";"),
        "{text}"
    );
    assert!(
        text.contains("ana@a.example")
            && text.contains("\"\"Plano\"\",\"\"Prata\"\"")
            && !text.contains("52998"),
        "{text}"
    );

    // What goes out comes in elsewhere, all of it.
    let mut other = World::new().await;
    other.company("b").await;
    let writer = other.key(Some("b"), &["write"]).await;
    let moved = import(&other, &writer, "", &text.replace("ana@a.example", ""))
        .await
        .expect(200);
    assert_eq!(
        (&moved["created"], &moved["refused"]),
        (&json!(2), &json!(0)),
        "{moved}"
    );
    assert_eq!(names(&other, &writer, "").await, ["=1+1", "Maria S."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_read_is_refused_and_a_long_one_says_where_to_go_on() {
    let (world, _, vera, _) = staffed().await;
    for table in ["", "Telefone\n11 3123-4567\n", "\"nome"] {
        assert_eq!(
            import(&world, &vera, "", table).await.code(422),
            "invalid_table",
            "{table:?}"
        );
    }
    let endless = format!("nome\n\"{}", "x".repeat(100_000));
    assert_eq!(
        import(&world, &vera, "", &endless).await.code(422),
        "invalid_table"
    );
    let long = format!("nome\n{}", ";\n".repeat(3) + &"!;\n".repeat(300));
    let done = import(&world, &vera, "", &long).await.expect(200);
    assert_eq!(
        (&done["created"], &done["next_line"]),
        (&json!(300), &Value::Null)
    );
}

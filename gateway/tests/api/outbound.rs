//! What is set about the calls that leave.

use serde_json::{Value, json};

use crate::world::{As, World};

async fn trunk(world: &World, admin: &As, settings: Value) -> String {
    let name = format!("T {settings}");
    let asked = json!({ "name": &name[..name.len().min(90)], "settings": settings });
    let made = world.post(admin, "/api/v1/trunks", asked).await.expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_are_made_changed_and_deleted_and_hold_their_trunk() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let other = world.key(Some("b"), &["admin"]).await;
    let trunk = trunk(&world, &admin, json!({ "host": "sip.operadora.example" })).await;
    let path = "/api/v1/outbound-routes";
    let asked =
        json!({ "name": "Celulares", "trunk": trunk, "prefix": "+55XX9", "cost_per_minute": 90 });
    let made = world.post(&admin, path, asked.clone()).await.expect(201);
    assert_eq!(made["priority"], 10);
    assert_eq!(made["weight"], 1);
    assert_eq!(made["prefix"], "+55XX9");
    let again = world.post(&admin, path, asked.clone()).await;
    assert_eq!(again.code(409), "taken");
    let foreign = world.post(&other, path, asked).await;
    assert_eq!(
        foreign.code(422),
        "reference",
        "the trunk of another company"
    );
    let own = format!("{path}/{}", made["id"].as_str().expect("an id"));
    assert_eq!(world.get(&other, &own).await.code(404), "not_found");
    let changed = json!({ "name": "Celulares", "trunk": trunk, "calls_max": 30, "caller_number": "+551140040000" });
    let changed = world.put(&admin, &own, changed).await.expect(200);
    assert_eq!(changed["calls_max"], 30);
    assert_eq!(changed["prefix"], "");
    assert_eq!(changed["created_ms"], made["created_ms"]);
    let listed = world.get(&admin, path).await.expect(200);
    assert_eq!(listed["items"], json!([changed]));
    let of_trunk = format!("/api/v1/trunks/{trunk}");
    let delete = axum::http::Method::DELETE;
    let held = world.ask(&admin, delete.clone(), &of_trunk, None).await;
    assert_eq!(held.code(409), "in_use");
    let gone = world.ask(&admin, delete.clone(), &own, None).await;
    gone.expect(204);
    assert_eq!(world.get(&admin, &own).await.code(404), "not_found");
    world.ask(&admin, delete, &of_trunk, None).await.expect(204);
    let audit = world.get(&admin, "/api/v1/audit").await.expect(200);
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["action"].as_str())
        .filter(|action| action.starts_with("outbound_route."))
        .collect();
    let expected = [
        "outbound_route.delete",
        "outbound_route.update",
        "outbound_route.create",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_call_could_leave_by_is_refused_by_the_field_at_fault() {
    let mut world = World::new().await;
    world.company("a").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let trunk_id = trunk(&world, &admin, json!({ "host": "sip.operadora.example" })).await;
    for (field, value) in [
        ("prefix", json!("55 11")),
        ("prefix", json!("+")),
        ("priority", json!(1_001)),
        ("weight", json!(1_001)),
        ("calls_max", json!(0)),
        ("calls_per_second_max", json!(0)),
        ("cost_per_minute", json!(1_000_001)),
        ("caller_number", json!("ana")),
        ("name", json!("")),
    ] {
        let mut asked = json!({ "name": "R", "trunk": trunk_id });
        asked[field] = value;
        let answer = world
            .post(&admin, "/api/v1/outbound-routes", asked.clone())
            .await;
        assert_eq!(answer.expect(422)["field"], field, "{asked}");
    }
    for dial in [
        json!({ "style": "plus", "operator": "15" }),
        json!({ "style": "national", "operator": "1" }),
        json!({ "style": "national", "operator": "10" }),
        json!({ "add": "sip:" }),
        json!({ "strip": "0".repeat(21) }),
    ] {
        let asked = json!({ "name": "D", "settings": { "dial": dial } });
        let answer = world.post(&admin, "/api/v1/trunks", asked).await;
        let field = answer.expect(422)["field"].clone();
        assert!(
            field
                .as_str()
                .is_some_and(|field| field.starts_with("settings.dial.")),
            "{dial} {field}"
        );
    }
    trunk(
        &world,
        &admin,
        json!({ "dial": { "style": "national", "operator": "15", "add": "7788#" } }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_a_company_are_one_document_and_every_change_is_on_record() {
    let mut world = World::new().await;
    world.company("a").await;
    world.company("b").await;
    let admin = world.key(Some("a"), &["admin"]).await;
    let other = world.key(Some("b"), &["admin"]).await;
    let path = "/api/v1/outbound-rules";
    let before = world.get(&admin, path).await.expect(200);
    assert_eq!(before["allowed"], json!([]));
    let sales = json!({ "name": "Vendas" });
    let sales = world.post(&admin, "/api/v1/services", sales).await;
    let sales = sales.expect(201)["id"].as_str().expect("an id").to_owned();
    let asked = json!({
        "area_code": "21", "caller_number": "+552140040000",
        "caller_number_of_services": { sales: "+552140040001" },
        "allowed": ["+351", "+1876"], "refused": ["+55XX9"],
        "night": { "from": "22:00", "until": "06:30", "allowed": ["+5521"] },
        "agent_limits": { "calls_at_once": 2, "cost_per_day": 50_000 },
        "company_limits": { "calls_per_hour": 500 }
    });
    let kept = world.put(&admin, path, asked.clone()).await.expect(200);
    assert_eq!(kept["night"], asked["night"]);
    assert_eq!(world.get(&admin, path).await.expect(200), kept);
    let others = world.get(&other, path).await.expect(200);
    assert_eq!(others, before, "another company's");
    for (field, code, wrong) in [
        ("area_code", "invalid_area", json!({ "area_code": "20" })),
        (
            "caller_number",
            "invalid_caller_number",
            json!({ "caller_number": "x" }),
        ),
        (
            "caller_number_of_services",
            "invalid_caller_number",
            json!({ "caller_number_of_services": { "s": "" } }),
        ),
        (
            "caller_number_of_services",
            "reference",
            json!({ "caller_number_of_services": { "nada": "+552140040001" } }),
        ),
        ("allowed", "invalid_prefix", json!({ "allowed": [""] })),
        ("allowed", "invalid_prefix", json!({ "allowed": ["+"] })),
        ("allowed", "invalid_prefix", json!({ "allowed": ["+X"] })),
        ("allowed", "invalid_prefix", json!({ "allowed": ["+35"] })),
        ("refused", "invalid_prefix", json!({ "refused": ["abc"] })),
        (
            "night.from",
            "invalid_time_of_day",
            json!({ "night": { "from": "25:00", "until": "06:00" } }),
        ),
        (
            "night.until",
            "invalid_time_of_day",
            json!({ "night": { "from": "22:00", "until": "cedo" } }),
        ),
    ] {
        let answer = world.put(&admin, path, wrong.clone()).await;
        assert_eq!(answer.code(422), code, "{wrong}");
        assert_eq!(answer.json()["field"], field, "{wrong}");
    }
    assert_eq!(world.get(&admin, path).await.expect(200), kept);
    let audit = world.get(&admin, "/api/v1/audit").await.expect(200);
    let line = &audit["items"][0];
    assert_eq!(line["action"], "outbound_rules.update");
    assert_eq!(line["detail"]["rules"]["allowed"], json!(["+351", "+1876"]));
}

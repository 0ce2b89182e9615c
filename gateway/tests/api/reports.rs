//! What was done, counted.

use axum::http::{Request, header};
use desk::fact::{Attendance, Fact, Handled, HandledResult, Present, WaitResult, Waited};
use desk::id::CompanyId;
use desk::kept::Kept;
use desk::record::{Medium, SurveyAnswer};
use serde_json::{Value, json};
use store::users::Role;

use crate::world::{As, World};

/// 2020-03-02, 00:00 in São Paulo.
const MIDNIGHT: i64 = 1_583_118_000_000;

const HOUR: i64 = 3_600_000;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

struct Scene {
    world: World,
    reader: As,
    sales: String,
    ana: String,
}

impl Scene {
    /// Company `a` on a Monday: two customers are answered by Ana, one late, one gives up; she pauses for an hour.
    async fn new() -> Self {
        let mut world = World::new().await;
        world.company("a").await;
        let company: CompanyId = id("a");
        let admin = world.key(Some("a"), &["admin"]).await;
        let reader = world.key(Some("a"), &["read"]).await;
        let made = world
            .post(&admin, "/api/v1/services", json!({ "name": "Vendas" }))
            .await
            .expect(201);
        let sales = made["id"].as_str().expect("an id").to_owned();
        world.user("ana@a.example", Some("a"), Role::Agent).await;
        let users = world.get(&admin, "/api/v1/users").await.expect(200);
        let ana = users["items"][0]["id"].as_str().expect("an id").to_owned();
        let scene = Self {
            world,
            reader,
            sales,
            ana,
        };
        scene.keep(&company).await;
        scene
    }

    async fn keep(&self, company: &CompanyId) {
        let wait = |work: &str, entered_ms: i64, seconds: i64, result: WaitResult| {
            Fact::Waited(Waited {
                company: company.clone(),
                work: id(work),
                interaction: id(work),
                service: id(&self.sales),
                medium: Medium::Phone,
                entered_ms,
                ended_ms: entered_ms + seconds * 1000,
                result,
                agent: (result == WaitResult::Answered).then(|| id(&self.ana)),
                in_target: Some(result == WaitResult::Answered && seconds <= 20),
            })
        };
        let handled = |work: &str, began_ms: i64| {
            Fact::Handled(Handled {
                company: company.clone(),
                work: id(work),
                interaction: id(work),
                service: id(&self.sales),
                medium: Medium::Phone,
                agent: id(&self.ana),
                began_ms,
                talked_until_ms: began_ms + 300_000,
                ended_ms: began_ms + 360_000,
                held_ms: 30_000,
                result: HandledResult::Finished,
                disposition: None,
            })
        };
        let present = |at_ms, state, reason: Option<&str>| {
            Fact::Present(Present {
                company: company.clone(),
                agent: id(&self.ana),
                at_ms,
                state,
                reason: reason.map(str::to_owned),
            })
        };
        let facts = [
            wait("w1", MIDNIGHT + 9 * HOUR, 10, WaitResult::Answered),
            wait("w2", MIDNIGHT + 9 * HOUR, 50, WaitResult::Answered),
            wait("w3", MIDNIGHT + 14 * HOUR, 60, WaitResult::Abandoned),
            handled("w1", MIDNIGHT + 9 * HOUR + 10_000),
            handled("w2", MIDNIGHT + 9 * HOUR + 420_000),
            present(MIDNIGHT + 8 * HOUR, Attendance::Available, None),
            present(MIDNIGHT + 12 * HOUR, Attendance::Paused, Some("almoco")),
            present(MIDNIGHT + 13 * HOUR, Attendance::Available, None),
            present(MIDNIGHT + 17 * HOUR, Attendance::Offline, None),
        ];
        let kept = facts.map(|fact| Kept::Fact(Box::new(fact)));
        let mut db = self.world.store.begin().await.expect("a transaction");
        store::desks::apply(&mut db, &kept).await.expect("room");
        for (interaction, question, answer) in [
            ("w1", "csat", "5"),
            ("w2", "csat", "2"),
            ("w1", "nps", "10"),
        ] {
            let change = desk::record::Change::SurveyAnswered(Box::new(SurveyAnswer {
                company: company.clone(),
                interaction: id(interaction),
                service: id(&self.sales),
                agent: Some(id(&self.ana)),
                flow: "s1".into(),
                question: question.into(),
                answer: answer.into(),
                at_ms: MIDNIGHT + 10 * HOUR,
            }));
            store::changes::apply(&mut db, [&change])
                .await
                .expect("room");
        }
        db.commit().await.expect("a commit");
    }

    async fn report(&self, what: &str) -> Value {
        let path = format!("/api/v1/reports/{what}from=2020-03-02");
        self.world.get(&self.reader, &path).await.expect(200)
    }

    /// The lines of a table, in a language.
    async fn table(&self, what: &str, language: &str) -> Vec<String> {
        let request = Request::get(format!("/api/v1/reports/{what}.csv?from=2020-03-02"))
            .header(header::ACCEPT_LANGUAGE, language)
            .body(axum::body::Body::empty())
            .expect("a request");
        let answer = self.world.send(&self.reader, request).await;
        answer.expect(200);
        let text = String::from_utf8(answer.bytes).expect("text");
        let text = text.strip_prefix('\u{feff}').expect("a mark");
        text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_counted_by_service_agent_hour_and_day() {
    let scene = Scene::new().await;
    let services = scene.report("services?").await;
    assert_eq!(
        (
            &services["from_ms"],
            &services["until_ms"],
            &services["time_zone"]
        ),
        (
            &json!(MIDNIGHT),
            &json!(MIDNIGHT + 24 * HOUR),
            &json!("America/Sao_Paulo")
        )
    );
    let row = &services["items"][0];
    assert_eq!(
        (&row["key"], &row["name"]),
        (&json!(scene.sales), &json!("Vendas"))
    );
    for (field, value) in [
        ("arrived", json!(3)),
        ("answered", json!(2)),
        ("abandoned", json!(1)),
        ("in_target", json!(1)),
        ("late", json!(2)),
        ("waited_ms", json!(60_000)),
        ("waited_max_ms", json!(50_000)),
        ("abandoned_ms", json!(60_000)),
        ("handled", json!(2)),
        ("held_ms", json!(60_000)),
        ("handled_ms", json!(720_000)),
    ] {
        assert_eq!((field, &row[field]), (field, &value));
        assert_eq!((field, &services["total"][field]), (field, &value));
    }

    let agents = scene.report("agents?").await;
    let row = &agents["items"][0];
    assert_eq!(
        (&row["key"], &row["answered"]),
        (&json!(scene.ana), &json!(2))
    );
    let time = &row["time"];
    assert_eq!(
        (&time["available_ms"], &time["paused_ms"], &time["busy_ms"]),
        (&json!(8 * HOUR), &json!(HOUR), &json!(720_000))
    );
    assert_eq!(time["occupancy"], 0.025);
    let lunch = json!({ "reason": "almoco", "name": "Almoço", "spent_ms": HOUR });
    assert_eq!(time["pauses"], json!([lunch]));

    let hours = scene.report("hours?").await;
    let offered = |hour: usize| hours["items"][hour]["arrived"].clone();
    assert_eq!(
        (
            hours["items"].as_array().map(Vec::len),
            offered(9),
            offered(14),
            offered(0)
        ),
        (Some(24), json!(2), json!(1), json!(0))
    );
    let days = scene.report("days?until=2020-03-03&").await;
    let rows = days["items"].as_array().expect("rows").iter();
    let rows: Vec<_> = rows
        .map(|row| (row["key"].as_str().expect("a day"), row["arrived"].as_i64()))
        .collect();
    assert_eq!(rows, [("2020-03-02", Some(3)), ("2020-03-03", Some(0))]);
    let channels = scene.report("channels?medium=phone&").await;
    assert_eq!(
        (
            &channels["items"][0]["medium"],
            &channels["items"][0]["arrived"]
        ),
        (&json!("phone"), &json!(3))
    );
    let none = scene.report("services?medium=chat&").await;
    assert_eq!(none["total"]["arrived"], 0);
    let wrong = scene
        .world
        .get(&scene.reader, "/api/v1/reports/services?medium=fax")
        .await;
    assert_eq!(wrong.code(400), "malformed");
    let wrong = scene
        .world
        .get(
            &scene.reader,
            "/api/v1/reports/services?from=2024-01-01&until=2026-01-01",
        )
        .await;
    assert_eq!(wrong.code(422), "out_of_range");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_hold_what_the_screen_shows_in_the_language_of_whoever_asks() {
    let scene = Scene::new().await;
    let lines = scene.table("services", "pt-BR").await;
    assert!(
        lines[0].starts_with("\"Serviço\";\"Oferecidos\";\"Atendidos\""),
        "{lines:?}"
    );
    assert_eq!(
        lines[1],
        "\"Vendas\";\"3\";\"2\";\"1\";\"0\";\"0\";\"0\";\"33,3%\";\"33,3%\";\"00:00:30\";\"00:00:50\";\"00:01:00\";\
         \"2\";\"0\";\"00:05:00\";\"00:00:30\";\"00:01:00\";\"00:06:00\""
    );
    assert!(lines[2].starts_with("\"Total\";\"3\";"), "{lines:?}");
    let lines = scene.table("agents", "en").await;
    assert!(
        lines[0].ends_with("\"Calls placed\";\"Calls reached\";\"Time in calls placed\""),
        "{lines:?}"
    );
    assert!(
        lines[1].ends_with(
            "\"08:00:00\";\"01:00:00\";\"00:00:00\";\"00:12:00\";\"2.5%\";\"0\";\"0\";\"00:00:00\""
        ),
        "{lines:?}"
    );
    let lines = scene.table("hours", "es").await;
    assert_eq!(lines.len(), 26);
    assert!(lines[10].starts_with("\"09:00\";\"2\";"), "{lines:?}");
    let lines = scene.table("surveys", "pt-BR").await;
    assert_eq!(
        lines[1],
        "\"s1\";\"csat\";\"Estrelas\";\"2\";\"3,50\";\"50,0%\";\"\";\"2: 1, 5: 1\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn surveys_are_counted_by_question() {
    let scene = Scene::new().await;
    let surveys = scene.report("surveys?").await;
    let rows = surveys["items"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (
            &rows[0]["question"],
            &rows[0]["kind"],
            &rows[0]["csat"],
            &rows[0]["nps"]
        ),
        (&json!("csat"), &json!("stars"), &json!(0.5), &Value::Null)
    );
    assert_eq!(
        (
            &rows[1]["question"],
            &rows[1]["kind"],
            &rows[1]["answers"],
            &rows[1]["nps"]
        ),
        (&json!("nps"), &json!("nps"), &json!(1), &json!(100.0))
    );
    let none = scene.report("surveys?agent=nobody&").await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_shows_the_day_so_far_by_quarters() {
    let scene = Scene::new().await;
    let path = format!("/api/v1/services/{}/trend", scene.sales);
    let trend = scene.world.get(&scene.reader, &path).await.expect(200);
    let quarters = trend["quarters"].as_array().expect("quarters");
    assert!((1..=100).contains(&quarters.len()), "{}", quarters.len());
    // The facts are of another day.
    assert!(quarters.iter().all(|quarter| quarter["arrived"] == 0));
    let steps = quarters.windows(2).map(|two| {
        two[1]["from_ms"].as_i64().expect("a time") - two[0]["from_ms"].as_i64().expect("a time")
    });
    assert!(steps.into_iter().all(|step| step == 900_000));
    let all = scene
        .world
        .get(&scene.reader, "/api/v1/trend")
        .await
        .expect(200);
    assert_eq!(all["items"][0]["service"], json!(scene.sales));
    scene
        .world
        .get(&scene.reader, "/api/v1/services/none/trend")
        .await
        .expect(404);
}

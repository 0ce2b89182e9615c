//! A bot of another system talks first, and hands over to people.

use std::sync::Mutex;

use axum::Json;
use axum::extract::State;

use super::*;

/// The other system: it answers in order what it was told to answer.
#[derive(Clone, Default)]
struct Bot {
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answers: Arc<Mutex<std::collections::VecDeque<Value>>>,
}

impl Bot {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/bot", listener.local_addr().expect("an address"));
        let app = Router::new()
            .route("/bot", post(answer))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn answers(&self, answer: Value) {
        self.answers.lock().expect("whole").push_back(answer);
    }

    async fn was_asked(&self, times: usize) -> (HeaderMap, Value) {
        for _ in 0..400 {
            if let Some(asked) = self.asked.lock().expect("whole").get(times - 1) {
                return asked.clone();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the bot is not asked");
    }
}

async fn answer(
    State(bot): State<Bot>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Json<Value> {
    bot.asked.lock().expect("whole").push((headers, asked));
    let answer = bot.answers.lock().expect("whole").pop_front();
    Json(answer.unwrap_or_else(|| json!({})))
}

impl Scene {
    async fn with_bot(url: &str) -> Self {
        let scene = Self::new(0).await;
        let path = format!("/api/v1/channels/{}", scene.channel);
        let bot = json!({ "url": url, "id": "triagem", "returns": true });
        let body = json!({ "name": "ERP", "service": scene.service, "webhook": scene.erp.url,
            "settings": { "life": { "bot": bot } } });
        scene.world.put(&scene.admin, &path, body).await.expect(200);
        scene
    }

    async fn says(&self, interaction: &str, many: usize) -> Vec<String> {
        for _ in 0..400 {
            let read = self.messages(&self.admin, interaction, 0).await.expect(200);
            let all = read["items"].as_array().expect("a list").iter();
            let texts: Vec<String> = all.map(|one| id_of(&one["content"], "text")).collect();
            if texts.len() >= many {
                return texts;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("there never are {many} messages");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_answers_hands_over_and_has_the_customer_back_afterwards() {
    let bot = Bot::default();
    let scene = Scene::with_bot(&bot.start().await).await;
    let ana = scene.agent("ana").await;
    bot.answers(
        json!({ "messages": [{ "text": "Qual o seu CPF?" }], "variables": { "passo": 1 } }),
    );
    let first = scene.write(1, "Bom dia").await.expect(202);
    let interaction = id_of(&first, "attendance_id");
    let (headers, asked) = bot.was_asked(1).await;
    let path = format!("/api/v1/channels/{}/bot-token", scene.channel);
    let token = scene.world.get(&scene.admin, &path).await.expect(200);
    let proof = format!("Bearer {}", id_of(&token, "token"));
    assert_eq!(headers[header::AUTHORIZATION], proof.as_str());
    assert_eq!(asked["bot"], "triagem");
    assert_eq!(asked["interaction"], interaction.as_str());
    assert_eq!(asked["message"]["text"], "Bom dia");
    assert_eq!(asked["customer"]["name"], "Ana Souza");
    let texts = scene.says(&interaction, 2).await;
    assert_eq!(texts[1], "Qual o seu CPF?");

    bot.answers(json!({ "hand_over": { "service": "suporte", "note": "CPF conferido" } }));
    scene.write(2, "111.444.777-35").await.expect(202);
    let (_, asked) = bot.was_asked(2).await;
    assert_eq!(asked["variables"], json!({ "passo": 1 }));
    let (work, taken) = scene.take(&ana).await;
    assert_eq!(taken, interaction);
    let seen = scene.interaction(&interaction).await;
    let trail = seen["trail"].as_array().expect("a trail");
    let left = trail.iter().find(|line| line["kind"] == "flow_left");
    let left = left.expect("a line");
    assert_eq!(left["detail"]["note"], "CPF conferido", "{left}");
    assert_eq!(left["detail"]["variables"], json!({ "passo": 1 }));

    // Closed, the customer comes to the bot again, under another protocol number.
    let close = format!("/api/v1/work/{work}/disposition");
    let closing = json!({ "disposition": "resolvido" });
    scene.world.post(&ana, &close, closing).await.expect(204);
    for _ in 0..200 {
        if scene.interaction(&interaction).await["ended_ms"].is_i64() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let again = scene.write(3, "Mais uma coisa").await.expect(202);
    assert_ne!(again["protocol"], first["protocol"]);
    let (_, asked) = bot.was_asked(3).await;
    assert_eq!(asked["message"]["text"], "Mais uma coisa");

    // It may also hand over later, by the API.
    let second = id_of(&again, "attendance_id");
    let path = format!("/api/v1/interactions/{second}/hand-over");
    let to = json!({ "note": "demorou" });
    scene
        .world
        .post(&scene.admin, &path, to.clone())
        .await
        .expect(204);
    assert_eq!(scene.take(&ana).await.1, second);
    let nobody = scene.world.post(&scene.admin, &path, to).await;
    assert_eq!(nobody.code(409), "no_bot");
}

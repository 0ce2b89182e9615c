//! Customers are asked in writing how it was, once an agent has closed.

use super::*;

fn survey() -> Value {
    json!({ "id": "atendimento", "questions": [
        { "id": "csat", "kind": "stars", "text": "Como foi o atendimento?" },
        { "id": "nps", "kind": "nps", "text": "De 0 a 10, você nos recomendaria?" },
        { "id": "mais", "kind": "text", "text": "Quer contar mais?" },
    ] })
}

impl Scene {
    async fn asks_afterwards(&self, survey: Value) -> Answer {
        let path = format!("/api/v1/channels/{}", self.channel);
        let body = json!({ "name": "ERP", "service": self.service, "webhook": self.erp.url,
            "settings": { "life": { "survey": survey } } });
        self.world.put(&self.admin, &path, body).await
    }

    /// An agent takes what waits and closes it; the last message is what the customer is asked.
    async fn is_closed(&self, agent: &As) -> String {
        let (work, interaction) = self.take(agent).await;
        let close = format!("/api/v1/work/{work}/disposition");
        let closing = json!({ "disposition": "resolvido" });
        self.world.post(agent, &close, closing).await.expect(204);
        for _ in 0..200 {
            if self.interaction(&interaction).await["ended_ms"].is_i64() {
                return interaction;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it never is over");
    }

    async fn last_said(&self, interaction: &str) -> String {
        let read = self.messages(&self.admin, interaction, 0).await.expect(200);
        let all = read["items"].as_array().expect("a list");
        id_of(&all.last().expect("a message")["content"], "text")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_with_an_agent_is_asked_and_each_answer_brings_the_next_question() {
    let scene = Scene::new(0).await;
    scene.asks_afterwards(survey()).await.expect(200);
    let ana = scene.agent("ana").await;
    scene.write(1, "Bom dia").await.expect(202);
    let interaction = scene.is_closed(&ana).await;
    let asked = scene.last_said(&interaction).await;
    assert_eq!(asked, "Como foi o atendimento? (1–5)");

    let answered = scene.write(2, "nota 5").await.expect(202);
    assert_eq!(
        answered["attendance_id"],
        interaction.as_str(),
        "{answered}"
    );
    assert_eq!(answered["status"], "closed");
    let asked = scene.last_said(&interaction).await;
    assert_eq!(asked, "De 0 a 10, você nos recomendaria? (0–10)");
    scene.write(3, "9").await.expect(202);
    // Told again, it is the same answer.
    scene.write(3, "9").await.expect(200);
    let asked = scene.last_said(&interaction).await;
    assert_eq!(asked, "Quer contar mais?");
    scene.write(4, "Rápido e gentil.").await.expect(202);
    let thanks = scene.last_said(&interaction).await;
    assert!(thanks.starts_with("Obrigado por responder!"), "{thanks}");

    let kept = scene
        .world
        .get(&scene.admin, "/api/v1/survey-answers")
        .await;
    let kept = kept.expect(200);
    let kept: Vec<_> = kept["items"].as_array().expect("a list").iter().collect();
    let pairs = kept
        .iter()
        .map(|one| (id_of(one, "question"), id_of(one, "answer")));
    let pairs: std::collections::BTreeMap<_, _> = pairs.collect();
    let given = [("csat", "5"), ("mais", "Rápido e gentil."), ("nps", "9")];
    let given = given.map(|(question, answer)| (question.to_owned(), answer.to_owned()));
    assert_eq!(pairs, given.into());
    assert!(
        kept.iter()
            .all(|one| one["interaction"] == interaction.as_str())
    );
    assert!(kept.iter().all(|one| one["agent"].is_string()), "{kept:?}");
    // Nobody was called back for it.
    assert!(scene.interaction(&interaction).await["ended_ms"].is_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_with_another_matter_is_heard_by_an_agent() {
    let scene = Scene::new(0).await;
    scene.asks_afterwards(survey()).await.expect(200);
    let ana = scene.agent("ana").await;
    scene.write(1, "Bom dia").await.expect(202);
    let interaction = scene.is_closed(&ana).await;
    scene
        .write(2, "Esperem, ainda não funciona!")
        .await
        .expect(202);
    let (_, again) = scene.take(&ana).await;
    assert_eq!(again, interaction, "it comes back with its protocol number");
    let kept = scene
        .world
        .get(&scene.admin, "/api/v1/survey-answers")
        .await;
    assert_eq!(kept.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remark_has_the_question_asked_once_more_and_calls_nobody() {
    let scene = Scene::new(0).await;
    scene.asks_afterwards(survey()).await.expect(200);
    let ana = scene.agent("ana").await;
    scene.write(1, "Bom dia").await.expect(202);
    let interaction = scene.is_closed(&ana).await;
    let thanked = scene.write(2, "muito obrigada").await.expect(202);
    assert_eq!(thanked["status"], "closed");
    let asked = scene.last_said(&interaction).await;
    assert!(
        asked.starts_with("Não entendi") && asked.ends_with("\nComo foi o atendimento? (1–5)"),
        "{asked}"
    );
    scene.write(3, "4").await.expect(202);
    let asked = scene.last_said(&interaction).await;
    assert_eq!(asked, "De 0 a 10, você nos recomendaria? (0–10)");
    scene.write(4, "ok").await.expect(202);
    scene.write(5, "alô?").await.expect(202);
    let (_, again) = scene.take(&ana).await;
    assert_eq!(again, interaction, "who insists is heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_that_cannot_be_asked_is_refused() {
    let scene = Scene::new(0).await;
    for bad in [
        json!({ "id": "a", "questions": [] }),
        json!({ "id": "a", "questions": [{ "id": "q", "kind": "choice", "text": "Qual?" }] }),
        json!({ "id": "", "questions": survey()["questions"] }),
    ] {
        let refused = scene.asks_afterwards(bad.clone()).await.expect(422);
        assert_eq!(refused["field"], "settings.life.survey", "{bad}");
    }
}

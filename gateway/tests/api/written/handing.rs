//! Handing on what is written, and what colleagues tell each other about it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_handed_to_a_colleague_who_is_there_with_a_note() {
    let scene = Scene::new(0).await;
    scene.write(1, "Quero falar da fatura").await.expect(202);
    let ana = scene.agent("ana").await;
    let (_, interaction) = scene.take(&ana).await;
    let targets = scene.world.get(&ana, "/api/v1/agents/me/targets").await;
    let targets = targets.expect(200);
    assert_eq!(targets["services"][0]["name"], "Suporte");
    assert_eq!(targets["services"][0]["available"], 1);
    let colleagues = targets["agents"].as_array().expect("a list");
    assert_eq!(colleagues.len(), 1, "not oneself: {targets}");
    assert_eq!(
        (&colleagues[0]["name"], &colleagues[0]["presence"]),
        (&json!("bruno"), &json!("offline"))
    );
    let path = format!("/api/v1/interactions/{interaction}/transfer");
    let note = "É a segunda via";
    let to_bruno = json!({ "to": { "agent": colleagues[0]["id"] }, "note": note });
    let away = scene.world.post(&ana, &path, to_bruno.clone()).await;
    assert_eq!(away.code(409), "away");
    let nobody = json!({ "to": { "service": "01JDAAAAAAAAAAAAAAAAAAAAAA" } });
    let nobody = scene.world.post(&ana, &path, nobody).await;
    assert_eq!(nobody.code(422), "reference");

    let bruno = scene.agent("bruno").await;
    let foreign = scene.world.post(&bruno, &path, to_bruno.clone()).await;
    assert_eq!(foreign.code(403), "forbidden");
    let mut his = scene.page(&bruno).await;
    scene.world.post(&ana, &path, to_bruno).await.expect(204);
    // Before he takes it he is told that there is a note.
    let told = his.until(|told| told["kind"] == "note").await;
    assert_eq!(told["interaction"], json!(interaction));
    let (_, taken) = scene.take(&bruno).await;
    assert_eq!(taken, interaction);
    scene.messages(&ana, &interaction, 0).await.expect(403);
    let signals = format!("/api/v1/interactions/{interaction}/signals");
    let types = json!({ "kind": "beside", "doing": "typing" });
    let refused = scene.world.post(&ana, &signals, types.clone()).await;
    assert_eq!(refused.code(403), "forbidden");
    let path = format!("/api/v1/interactions/{interaction}/notes");
    let notes = scene.world.get(&bruno, &path).await.expect(200);
    let items = notes["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1);
    assert_eq!(
        (&items[0]["text"], &items[0]["name"]),
        (&json!(note), &json!("ana"))
    );

    // Who is mentioned hears of it at once, and may read from then on.
    let mut page = scene.page(&ana).await;
    let me = scene.world.get(&ana, "/api/v1/agents/me").await.expect(200);
    let asks = json!({ "text": "Já foi paga, @ana?", "mentions": [me["id"]] });
    let noted = scene.world.post(&bruno, &path, asks).await.expect(201);
    assert_eq!(noted["mentions"], json!([me["id"]]));
    let told = page.until(|told| told["kind"] == "note").await;
    assert_eq!(told["interaction"], json!(interaction));
    scene.messages(&ana, &interaction, 0).await.expect(200);
    let stranger = json!({ "text": "?", "mentions": ["01JDAAAAAAAAAAAAAAAAAAAAAA"] });
    let stranger = scene.world.post(&bruno, &path, stranger).await;
    assert_eq!(stranger.code(422), "reference");
    let empty = scene
        .world
        .post(&bruno, &path, json!({ "text": " " }))
        .await;
    assert_eq!(empty.code(422), "invalid_text");

    // Whoever has it learns that she writes in it too.
    scene.world.post(&ana, &signals, types).await.expect(204);
    let told = his.until(|told| told["kind"] == "beside").await;
    assert_eq!(
        (&told["name"], &told["doing"], &told["by"]),
        (&json!("ana"), &json!("typing"), &me["id"])
    );

    let trail = scene.interaction(&interaction).await["trail"].clone();
    let kinds = trail.as_array().expect("a list").iter();
    let handed = kinds.filter(|line| line["kind"] == "transferred").count();
    assert_eq!(handed, 1, "{trail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_has_who_waits_wait_elsewhere_and_takes_work_from_who_has_it() {
    let scene = Scene::new(0).await;
    let (world, admin) = (&scene.world, &scene.admin);
    let other = json!({ "name": "Cobrança" });
    let other = id(&world
        .post(admin, "/api/v1/services", other)
        .await
        .expect(201));
    scene.write(1, "Boa tarde").await.expect(202);
    let waiting = format!("/api/v1/services/{}/waiting", scene.service);
    let line = world.get(admin, &waiting).await.expect(200);
    let work = id_of(&line["items"][0], "work");
    let interaction = id_of(&line["items"][0], "interaction");

    let path = format!("/api/v1/work/{work}/service");
    let ana = scene.agent("ana").await;
    let move_there = json!({ "service": other });
    let refused = world.put(&ana, &path, move_there.clone()).await;
    assert_eq!(refused.code(403), "forbidden");
    let nowhere = json!({ "service": "01JDAAAAAAAAAAAAAAAAAAAAAA" });
    let nowhere = world.put(admin, &path, nowhere).await;
    assert_eq!(nowhere.code(422), "reference");
    world
        .put(admin, &path, move_there.clone())
        .await
        .expect(204);
    let line = world.get(admin, &waiting).await.expect(200);
    assert_eq!(line["items"], json!([]));

    // Back again, to who is there; and away from her, whatever she does.
    let back = json!({ "service": scene.service });
    world.put(admin, &path, back).await.expect(204);
    scene.take(&ana).await;
    let held = world.put(admin, &path, move_there.clone()).await;
    assert_eq!(held.code(409), "not_now");
    let path = format!("/api/v1/interactions/{interaction}/transfer");
    let away = json!({ "to": move_there });
    world.post(admin, &path, away).await.expect(204);
    let mine = world.get(&ana, "/api/v1/agents/me/work").await.expect(200);
    assert_eq!(mine["items"], json!([]));
    let waiting = format!("/api/v1/services/{other}/waiting");
    let line = world.get(admin, &waiting).await.expect(200);
    assert_eq!(line["items"][0]["interaction"], json!(interaction));
    assert_eq!(
        scene.interaction(&interaction).await["service"],
        json!(other)
    );
}

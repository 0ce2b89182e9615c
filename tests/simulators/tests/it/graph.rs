//! Meta's Cloud API.

use ramal_sim::wire::{ApiAnswer, ascii, proof};
use ramal_sim::world::{Act, Card, Content, File, Pace, Progress, Shape, Wanted};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, NOON_MS, json};

const CLOUD: Provider = Provider::Cloud;
const BEARER: (&str, &str) = ("authorization", "Bearer EAAB-simulador");

/// Asks the Graph with the token.
pub(crate) fn graph(company: &mut Company, method: &str, path: &str, body: &Value) -> ApiAnswer {
    let body = body.to_string();
    company.asks(CLOUD, (method, path), &[BEARER], body.as_bytes())
}

/// Sends something to a number.
fn send(company: &mut Company, to: &str, kind: &str, part: Value) -> ApiAnswer {
    let body = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": kind,
        kind: part, "biz_opaque_callback_data": "nossa-1",
    });
    let path = format!("/v25.0/{}/messages", demo::PHONE_NUMBER_ID);
    graph(company, "POST", &path, &body)
}

fn value(told: &Value) -> &Value {
    &told["entry"][0]["changes"][0]["value"]
}

#[test]
fn a_customers_words_come_in_metas_envelope_escaped_and_signed() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.writes(CLOUD, "marina", "Olá, não chegou 😕 a/b");
    let told = company.last();
    let body = String::from_utf8(told.attempt.body.clone()).expect("text");
    assert!(body.is_ascii(), "{body}");
    assert!(
        body.contains(r"Ol\u00e1, n\u00e3o chegou \ud83d\ude15 a\/b"),
        "{body}"
    );
    let signature = proof::meta(demo::APP_SECRET, body.as_bytes());
    assert_eq!(told.header("x-hub-signature-256"), signature);
    let wamid = company.message(id).wamid.clone();
    assert!(wamid.starts_with("wamid.HBgN"), "{wamid}");
    assert_eq!(
        told.json(),
        json!({
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [{"field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "551140028922", "phone_number_id": "106540352242922"},
                "contacts": [{
                    "profile": {"name": "Marina Alves"}, "wa_id": "5511987654321",
                    "user_id": "BR.1502576394655840",
                }],
                "messages": [{
                    "from": "5511987654321", "from_user_id": "BR.1502576394655840", "id": wamid,
                    "timestamp": "1795521600", "type": "text",
                    "text": {"body": "Olá, não chegou 😕 a/b"},
                }],
            }}]}],
        })
    );
    // The company took it: two ticks on the customer's telephone.
    assert_eq!(company.message(id).progress, Progress::Delivered);
}

#[test]
fn escapes_are_those_that_meta_signs() {
    let text = ascii(&json!({"a": "é/\u{1F600}\n\u{7f}"}));
    assert_eq!(
        String::from_utf8(text).expect("text"),
        r#"{"a":"\u00e9\/\ud83d\ude00\n\u007f"}"#
    );
}

#[test]
fn every_kind_of_content_has_its_shape() {
    let mut company = Company::new(Pace::AT_ONCE);
    let file = |shape, file: &str, caption: Option<&str>, voice| {
        Content::File(File {
            file: file.to_owned(),
            shape,
            mime: String::new(),
            name: None,
            caption: caption.map(str::to_owned),
            voice,
            bytes: 0,
            sha256: String::new(),
        })
    };
    let place = Content::Location {
        latitude: -23.55,
        longitude: -46.63,
        name: Some("Praça da Sé".to_owned()),
        address: None,
    };
    let cards = vec![Card {
        name: "Bruno Lima".to_owned(),
        phones: vec!["+55 11 91234-5678".to_owned()],
    }];
    let what = "poll".to_owned();
    let rows = [
        (
            file(Shape::Image, demo::SAMPLE_PICTURE, Some("Veja"), false),
            "image",
        ),
        (file(Shape::Audio, demo::SAMPLE_VOICE, None, true), "audio"),
        (
            file(Shape::Document, demo::SAMPLE_DOCUMENT, None, false),
            "document",
        ),
        (place, "location"),
        (Content::Contacts { cards }, "contacts"),
        (Content::Unsupported { what }, "unsupported"),
    ];
    let mut parts = vec![];
    for (content, kind) in rows {
        company.sends(CLOUD, "marina", content);
        let told = company.last().json();
        let message = &value(&told)["messages"][0];
        assert_eq!(message["type"], kind);
        parts.push(message[kind].clone());
    }
    assert_eq!(parts[0]["mime_type"], "image/png");
    assert_eq!(parts[0]["caption"], "Veja");
    assert_eq!(parts[0]["id"], demo::SAMPLE_PICTURE);
    assert_eq!(parts[1]["mime_type"], "audio/ogg; codecs=opus");
    assert_eq!(parts[1]["voice"], true);
    assert_eq!(parts[2]["filename"], "boleto.pdf");
    assert_eq!(
        parts[3],
        json!({"latitude": -23.55, "longitude": -46.63, "name": "Praça da Sé"})
    );
    assert_eq!(parts[4][0]["name"]["formatted_name"], "Bruno Lima");
    assert_eq!(parts[4][0]["phones"][0]["wa_id"], "5511912345678");
}

#[test]
fn replies_reactions_edits_and_revokes_name_the_message_that_they_are_about() {
    let mut company = Company::new(Pace::AT_ONCE);
    let first = company.writes(CLOUD, "marina", "Oi");
    let answer = send(
        &mut company,
        "5511987654321",
        "text",
        json!({"body": "Bom dia!"}),
    );
    let sent = json(&answer)["messages"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let sent_id = company.world.by_wire_id(CLOUD, &sent).expect("sent").id;
    let told = |company: &Company| {
        let told = company.last().json();
        value(&told)["messages"][0].clone()
    };
    let content = Content::words("Tudo bem");
    company.does(
        CLOUD,
        "marina",
        Act::Write {
            content,
            reply_to: Some(sent_id),
            forwarded: false,
            from_ad: false,
        },
    );
    let context = json!({"from": "551140028922", "id": sent});
    assert_eq!(told(&company)["context"], context);
    let emoji = Some("👍".to_owned());
    company.does(
        CLOUD,
        "marina",
        Act::React {
            message: sent_id,
            emoji,
        },
    );
    assert_eq!(
        told(&company)["reaction"],
        json!({"message_id": sent, "emoji": "👍"})
    );
    company.does(
        CLOUD,
        "marina",
        Act::React {
            message: sent_id,
            emoji: None,
        },
    );
    assert_eq!(told(&company)["reaction"], json!({"message_id": sent}));
    let wamid = company.message(first).wamid.clone();
    let text = "Oi!".to_owned();
    company.does(
        CLOUD,
        "marina",
        Act::Edit {
            message: first,
            text,
        },
    );
    let edit = told(&company)["edit"].clone();
    assert_eq!(edit["original_message_id"], json!(wamid));
    assert_eq!(edit["message"]["text"]["body"], "Oi!");
    assert_eq!(company.message(first).before, ["Oi"]);
    company.does(CLOUD, "marina", Act::Revoke { message: first });
    assert_eq!(
        told(&company)["revoke"],
        json!({"original_message_id": wamid})
    );
}

#[test]
fn what_the_company_sends_comes_further_step_by_step() {
    let mut company = Company::new(Pace::USUAL);
    company.writes(CLOUD, "marina", "Oi");
    company.told.clear();
    let answer = send(
        &mut company,
        "5511987654321",
        "text",
        json!({"body": "Bom dia!"}),
    );
    assert_eq!(answer.status, 200);
    let answer = json(&answer);
    assert_eq!(answer["contacts"][0]["wa_id"], "5511987654321");
    let wamid = answer["messages"][0]["id"].clone();
    assert_eq!(company.told.len(), 0);
    company.pass(5_000);
    company.does(CLOUD, "marina", Act::Read);
    let steps: Vec<(Value, i64)> = company
        .told
        .iter()
        .map(|told| {
            let body = told.json();
            let status = value(&body)["statuses"][0].clone();
            assert_eq!(status["id"], wamid);
            assert_eq!(status["biz_opaque_callback_data"], "nossa-1");
            assert_eq!(status["recipient_id"], "5511987654321");
            (status["status"].clone(), told.at_ms - NOON_MS)
        })
        .collect();
    assert_eq!(
        steps,
        [
            (json!("sent"), 250),
            (json!("delivered"), 850),
            (json!("read"), 5_000)
        ]
    );
    // From 1 October 2026 on such messages cost money.
    let delivered = company.told[1].json();
    let pricing = &value(&delivered)["statuses"][0]["pricing"];
    assert_eq!(pricing["billable"], true);
    assert_eq!(pricing["category"], "service");
}

#[test]
fn a_telephone_without_connection_gets_it_later_and_whoever_hides_reading_never_tells() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(CLOUD, "antonio", "Oi");
    company.world.set_offline(company.now_ms, "antonio", true);
    let answer = send(
        &mut company,
        "5511912345678",
        "text",
        json!({"body": "Bom dia!"}),
    );
    let wamid = json(&answer)["messages"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let progress = |company: &Company| {
        company
            .world
            .by_wire_id(CLOUD, &wamid)
            .expect("sent")
            .progress
    };
    assert_eq!(progress(&company), Progress::Sent);
    company.world.set_offline(company.now_ms, "antonio", false);
    company.settle();
    assert_eq!(progress(&company), Progress::Delivered);
    company.does(CLOUD, "antonio", Act::Read);
    assert_eq!(progress(&company), Progress::Delivered);
}

#[test]
fn the_answer_says_under_which_number_whatsapp_has_the_customer() {
    let mut company = Company::new(Pace::AT_ONCE);
    let text = || json!({"body": "Oi"});
    let contact = |answer: &ApiAnswer| json(answer)["contacts"][0].clone();
    let answer = send(&mut company, "5531961234567", "text", text());
    assert_eq!(contact(&answer)["input"], "5531961234567");
    assert_eq!(contact(&answer)["wa_id"], "553161234567");
    // Who hides their number is reached by their id, and stays without a number.
    let body = json!({
        "messaging_product": "whatsapp", "recipient": "BR.1502576394655842", "type": "text",
        "text": {"body": "Oi"},
    });
    let path = format!("/{}/messages", demo::PHONE_NUMBER_ID);
    let answer = graph(&mut company, "POST", &path, &body);
    assert_eq!(
        contact(&answer),
        json!({"input": "BR.1502576394655842", "user_id": "BR.1502576394655842"})
    );
    company.writes(CLOUD, "julia", "Oi");
    let told = company.last().json();
    let message = &value(&told)["messages"][0];
    assert_eq!(
        (
            message.get("from"),
            value(&told)["contacts"][0].get("wa_id")
        ),
        (None, None)
    );
    assert_eq!(
        value(&told)["contacts"][0]["profile"]["username"],
        "julia.prado"
    );
}

#[test]
fn a_number_without_whatsapp_fails_by_a_status() {
    let mut company = Company::new(Pace::AT_ONCE);
    let answer = send(&mut company, "5511900000000", "text", json!({"body": "Oi"}));
    assert_eq!(answer.status, 200);
    let told = company.last().json();
    let status = &value(&told)["statuses"][0];
    assert_eq!(
        (&status["status"], &status["errors"][0]["code"]),
        (&json!("failed"), &json!(131_026))
    );
}

#[test]
fn what_meta_does_not_take_it_says_at_once_with_its_code() {
    let mut company = Company::new(Pace::AT_ONCE);
    let long = "a".repeat(4_097);
    let button = |title: &str| json!({"type": "reply", "reply": {"id": title, "title": title}});
    let buttons = |titles: &[&str]| {
        let buttons: Vec<Value> = titles.iter().map(|title| button(title)).collect();
        json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}})
    };
    let rows = [
        ("5511987654321", "text", json!({}), 131_008),
        ("5511987654321", "text", json!({"body": long}), 131_009),
        ("123", "text", json!({"body": "Oi"}), 100),
        ("551140028922", "text", json!({"body": "Oi"}), 131_021),
        ("5511987654321", "poll", json!({"name": "?"}), 131_051),
        ("5511987654321", "image", json!({}), 131_008),
        ("5511987654321", "image", json!({"id": "404"}), 100),
        (
            "5511987654321",
            "interactive",
            buttons(&["a", "b", "c", "d"]),
            131_009,
        ),
        (
            "5511987654321",
            "interactive",
            buttons(&["mais de vinte letras aqui"]),
            131_009,
        ),
        (
            "5511987654321",
            "interactive",
            buttons(&["a", "a"]),
            131_009,
        ),
        (
            "5511987654321",
            "reaction",
            json!({"message_id": "wamid.x", "emoji": "👍"}),
            100,
        ),
    ];
    for (to, kind, part, code) in rows {
        let answer = send(&mut company, to, kind, part.clone());
        let error = &json(&answer)["error"];
        assert_eq!(error["code"], code, "{kind} {part}: {error}");
        assert!(
            answer.status >= 400 && error["fbtrace_id"].is_string(),
            "{error}"
        );
    }
    assert_eq!(company.world.messages(), []);
}

#[test]
fn without_the_token_nothing_is_done() {
    let mut company = Company::new(Pace::AT_ONCE);
    let path = format!("/v25.0/{}/messages", demo::PHONE_NUMBER_ID);
    for headers in [&[][..], &[("authorization", "Bearer EAAB-outro")][..]] {
        let answer = company.asks(CLOUD, ("POST", &path), headers, b"{}");
        assert_eq!(
            (answer.status, &json(&answer)["error"]["code"]),
            (401, &json!(190))
        );
    }
    // The proof of the token is checked where it is given.
    let mac = "7b".repeat(32);
    let path = format!("/{}?appsecret_proof={mac}", demo::PHONE_NUMBER_ID);
    assert_eq!(
        company.asks(CLOUD, ("GET", &path), &[BEARER], b"").status,
        401
    );
    // What is not ours does not exist.
    let answer = company.asks(CLOUD, ("GET", "/v25.0/404"), &[BEARER], b"");
    assert_eq!(json(&answer)["error"]["error_subcode"], 33);
}

#[test]
fn a_button_that_is_pressed_comes_back_with_its_id() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(CLOUD, "marina", "Oi");
    let rows = json!([{"id": "vendas", "title": "Vendas", "description": "Comprar"}]);
    let list = json!({"type": "list", "body": {"text": "Com quem?"},
        "action": {"button": "Menu", "sections": [{"title": "Setores", "rows": rows}]}});
    let buttons = json!({"type": "button", "body": {"text": "Sim?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "s", "title": "Sim"}}]}});
    let mut press = |part: Value, option: &str| {
        let answer = send(&mut company, "5511987654321", "interactive", part);
        let wamid = json(&answer)["messages"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let message = company.world.by_wire_id(CLOUD, &wamid).expect("sent").id;
        let option = option.to_owned();
        company.does(CLOUD, "marina", Act::Press { message, option });
        let told = company.last().json();
        let message = value(&told)["messages"][0].clone();
        assert_eq!(message["context"]["id"], json!(wamid));
        message["interactive"].clone()
    };
    let reply = json!({"id": "vendas", "title": "Vendas", "description": "Comprar"});
    assert_eq!(
        press(list, "vendas"),
        json!({"type": "list_reply", "list_reply": reply})
    );
    let reply = json!({"id": "s", "title": "Sim"});
    assert_eq!(
        press(buttons, "Sim"),
        json!({"type": "button_reply", "button_reply": reply})
    );
}

#[test]
fn the_company_reads_types_reacts_and_asks() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.writes(CLOUD, "marina", "Oi");
    let wamid = company.message(id).wamid.clone();
    let path = format!("/v25.0/{}/messages", demo::PHONE_NUMBER_ID);
    let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid,
        "typing_indicator": {"type": "text"}});
    assert_eq!(
        json(&graph(&mut company, "POST", &path, &body)),
        json!({"success": true})
    );
    assert_eq!(company.message(id).progress, Progress::Read);
    let types_until = company.world.chat(CLOUD, "marina").typing_until_ms;
    assert_eq!(types_until, Some(NOON_MS + 25_000));
    company.told.clear();
    let part = json!({"message_id": wamid, "emoji": "❤️"});
    let answer = send(&mut company, "5511987654321", "reaction", part);
    let event = json(&answer)["messages"][0]["id"].clone();
    assert_eq!(company.message(id).reactions.company.as_deref(), Some("❤️"));
    // Of reactions it is told that they were sent, and nothing more.
    let told: Vec<Value> = company
        .told
        .iter()
        .map(|told| value(&told.json())["statuses"][0].clone())
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["id"], &told[0]["status"]),
        (&event, &json!("sent"))
    );
    let part = json!({"type": "location_request_message", "body": {"text": "Onde?"}, "action": {"name": "send_location"}});
    send(&mut company, "5511987654321", "interactive", part);
    let asked = company
        .world
        .messages()
        .last()
        .expect("asked")
        .content
        .clone();
    let text = "Onde?".to_owned();
    assert_eq!(
        asked,
        Content::Asks {
            what: Wanted::Location,
            text
        }
    );
    assert_eq!(company.world.chat(CLOUD, "marina").typing_until_ms, None);
}

#[test]
fn files_go_both_ways_by_ids_and_links_that_end() {
    let mut company = Company::new(Pace::AT_ONCE);
    let content = Content::File(File {
        file: demo::SAMPLE_VOICE.to_owned(),
        shape: Shape::Audio,
        mime: String::new(),
        name: None,
        caption: None,
        voice: true,
        bytes: 0,
        sha256: String::new(),
    });
    company.sends(CLOUD, "marina", content);
    let path = format!(
        "/v25.0/{}?phone_number_id={}",
        demo::SAMPLE_VOICE,
        demo::PHONE_NUMBER_ID
    );
    let located = json(&company.asks(CLOUD, ("GET", &path), &[BEARER], b""));
    assert_eq!(located["mime_type"], "audio/ogg; codecs=opus");
    assert_eq!(located["sha256"].as_str().map(str::len), Some(64));
    let url = located["url"].as_str().expect("a link").to_owned();
    let path = url
        .strip_prefix("http://sim.example/graph")
        .expect("ours")
        .to_owned();
    let file = company.asks(CLOUD, ("GET", &path), &[BEARER], b"");
    assert_eq!(json!(file.body.len()), located["file_size"]);
    assert!(file.body.starts_with(b"OggS"));
    // A link asks for the token too, and is good for five minutes.
    assert_eq!(company.asks(CLOUD, ("GET", &path), &[], b"").status, 401);
    company.pass(300_000);
    assert_eq!(
        company.asks(CLOUD, ("GET", &path), &[BEARER], b"").status,
        404
    );

    let form = |mime: &str| {
        format!(
            "--x\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--x\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: {mime}\r\n\r\n\
             bytes\r\n--x--\r\n"
        )
    };
    let path = format!("/v25.0/{}/media", demo::PHONE_NUMBER_ID);
    let headers = [BEARER, ("content-type", "multipart/form-data; boundary=x")];
    let mut upload =
        |mime: &str| company.asks(CLOUD, ("POST", &path), &headers, form(mime).as_bytes());
    let refused = upload("audio/webm");
    assert_eq!(json(&refused)["error"]["code"], 100);
    let id = json(&upload("image/png"))["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let answer = send(
        &mut company,
        "5511987654321",
        "image",
        json!({"id": id, "caption": "Foto"}),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        company.world.messages().last().expect("sent").progress,
        Progress::Delivered
    );
}

#[test]
fn a_file_that_is_sent_by_its_link_is_fetched_before_it_goes_and_fails_if_it_cannot_be() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(CLOUD, "marina", "Oi");
    let mut sent = |file: Result<(String, Vec<u8>), String>| {
        send(
            &mut company,
            "5511987654321",
            "image",
            json!({"link": "http://company.example/a.png"}),
        );
        let (message, url) = company.fetches.pop().expect("to be fetched");
        assert_eq!(url, "http://company.example/a.png");
        assert_eq!(company.message(message).progress, Progress::Accepted);
        company.world.fetched(company.now_ms, message, file);
        company.settle();
        let message = company.message(message);
        (
            message.progress,
            message.problem.as_ref().map(|problem| problem.code),
        )
    };
    let png = || "image/png".to_owned();
    assert_eq!(sent(Ok((png(), vec![1]))), (Progress::Delivered, None));
    let failed = (Progress::Failed, Some(131_053));
    assert_eq!(sent(Err("404".to_owned())), failed);
    assert_eq!(sent(Ok(("image/gif".to_owned(), vec![1]))), failed);
    assert_eq!(sent(Ok((png(), vec![0; (5 << 20) + 1]))), failed);
}

#[test]
fn whoever_writes_on_the_companys_telephone_is_echoed() {
    let mut company = Company::new(Pace::AT_ONCE);
    let text = "Respondi do celular".to_owned();
    company.does(CLOUD, "marina", Act::WriteFromPhone { text });
    let told = company.last().json();
    let change = &told["entry"][0]["changes"][0];
    assert_eq!(change["field"], "smb_message_echoes");
    let echo = &change["value"]["message_echoes"][0];
    assert_eq!(
        (&echo["from"], &echo["to"]),
        (&json!("551140028922"), &json!("5511987654321"))
    );
    assert_eq!(echo["text"]["body"], "Respondi do celular");
}

#[test]
fn a_customer_with_another_number_is_told_of_with_the_ids_before() {
    let mut company = Company::new(Pace::AT_ONCE);
    let phone = "5511912340000".to_owned();
    company.does(CLOUD, "marina", Act::ChangeNumber { phone });
    let told = company.last().json();
    let message = &value(&told)["messages"][0];
    assert_eq!(
        (&message["type"], &message["from"]),
        (&json!("system"), &json!("5511987654321"))
    );
    let system = &message["system"];
    assert_eq!(system["type"], "user_changed_number");
    assert_eq!(system["wa_id"], "5511912340000");
    assert_eq!(system["previous_user_id"], "BR.1502576394655840");
    assert_ne!(system["user_id"], system["previous_user_id"]);
}

#[test]
fn who_is_blocked_is_not_heard() {
    let mut company = Company::new(Pace::AT_ONCE);
    let path = format!("/v25.0/{}/block_users", demo::PHONE_NUMBER_ID);
    let users =
        json!({"messaging_product": "whatsapp", "block_users": [{"user": "+5511987654321"}]});
    graph(&mut company, "POST", &path, &users);
    let id = company.writes(CLOUD, "marina", "Oi");
    assert!(company.told.is_empty() && company.message(id).untold);
    graph(&mut company, "DELETE", &path, &users);
    company.writes(CLOUD, "marina", "Oi");
    assert_eq!(company.told.len(), 1);
}

#[test]
fn the_rates_of_a_number_and_of_a_customer_are_kept() {
    let pace = Pace {
        pair_burst: 2,
        per_second: 3,
        ..Pace::AT_ONCE
    };
    let mut company = Company::new(pace);
    let code = |company: &mut Company, to: &str| {
        json(&send(company, to, "text", json!({"body": "Oi"})))["error"]["code"].clone()
    };
    let codes = [
        "5511987654321",
        "5511987654321",
        "5511987654321",
        "5531961234567",
    ]
    .map(|to| code(&mut company, to));
    assert_eq!(
        codes,
        [json!(null), json!(null), json!(131_056), json!(130_429)]
    );
    company.pass(6_000);
    assert_eq!(code(&mut company, "5511987654321"), json!(null));
}

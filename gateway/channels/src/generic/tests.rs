//! What an ERP posts, rightly and wrongly, and what it is told.

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::*;
use crate::event::{Content, EventKind, MediaSource};
use crate::peer::{IdentityKind, PeerId};
use crate::secret::Secret;
use crate::send::Response;

fn posted() -> Value {
    json!({
        "external_message_id": "TT-8812-0003",
        "external_conversation_id": "TT-8812",
        "sent_at": "2026-11-22T13:05:00-03:00",
        "customer": {
            "external_id": "C-991", "name": "Ana Souza", "email": "ana@exemplo.com",
            "phone": "+5511987654321", "document": "000.000.001-91",
        },
        "service_id": "suporte",
        "priority": 0,
        "type": "text",
        "text": "Meu chamado continua aberto",
        "attachments": [{
            "url": "https://erp.exemplo/anexo/1", "filename": "foto.jpg", "mime_type": "image/jpeg",
            "size": 51234, "sha256": "A".repeat(64),
        }],
        "reply_to_external_message_id": null,
        "attributes": {"contrato": "123", "produto": "Fibra 500", "ativo": true, "linhas": 2},
    })
}

fn read(value: &Value) -> Result<receive::Received, Vec<String>> {
    let read = receive::read(value.to_string().as_bytes(), "erp");
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// The faults of the message with a field of it set.
fn faults(pointer: &str, value: Value) -> Vec<String> {
    let mut posted = posted();
    *posted.pointer_mut(pointer).expect("a field") = value;
    read(&posted).expect_err("faults")
}

#[test]
fn what_an_erp_posts_is_a_message_of_its_customer() {
    let received = read(&posted()).expect("a message");
    assert_eq!(received.conversation, "TT-8812");
    assert_eq!(received.sent_at_ms, Some(1_795_363_500_000));
    assert_eq!(
        received.service.map(|id| id.to_string()).as_deref(),
        Some("suporte")
    );
    let message = received.message;
    assert_eq!(message.id, "TT-8812-0003");
    assert_eq!(message.from.name.as_deref(), Some("Ana Souza"));
    assert_eq!(
        message.from.ids,
        [
            PeerId::scoped(IdentityKind::Generic, "erp", "C-991"),
            PeerId::new(IdentityKind::Cpf, "00000000191"),
            PeerId::new(IdentityKind::Phone, "+5511987654321"),
            PeerId::new(IdentityKind::Email, "ana@exemplo.com"),
        ]
    );
    let text = "Meu chamado continua aberto".to_owned();
    assert_eq!(message.content, Content::Text { text });
    assert_eq!(message.attachments.len(), 1);
    assert_eq!(message.attachments[0].bytes, Some(51_234));
    assert_eq!(
        message.attachments[0].sha256.as_deref(),
        Some("a".repeat(64).as_str())
    );
    let attributes: Vec<_> = received
        .attributes
        .iter()
        .map(|(k, v)| (&**k, &**v))
        .collect();
    #[rustfmt::skip]
    assert_eq!(attributes, [("ativo", "true"), ("contrato", "123"), ("linhas", "2"), ("produto", "Fibra 500")]);
}

#[test]
fn a_file_without_words_is_the_message() {
    let mut posted = posted();
    posted["text"] = Value::Null;
    posted["attachments"][0] = json!({"upload_id": "up1"});
    let message = read(&posted).expect("a message").message;
    let Content::Media(file) = message.content else {
        panic!("not a file")
    };
    assert_eq!(file.source, MediaSource::Id("up1".to_owned()));
    assert!(message.attachments.is_empty());
}

#[test]
fn every_fault_names_its_field() {
    let long = "x".repeat(201);
    #[rustfmt::skip]
    let rows = [
        ("/external_message_id", json!(null), "external_message_id: missing"),
        ("/external_message_id", json!(""), "external_message_id: missing"),
        ("/external_message_id", json!(7), "external_message_id: must be text"),
        ("/external_conversation_id", json!(long), "external_conversation_id: more than 200"),
        ("/sent_at", json!("ontem"), "sent_at: must be a time with its offset, as in 2026-11-22T13:05:00-03:00"),
        ("/sent_at", json!("2026-11-22T13:05:00"), "sent_at: must be a time with its offset, as in 2026-11-22T13:05:00-03:00"),
        ("/customer", json!(null), "customer: missing"),
        ("/customer", json!([]), "customer: must be an object"),
        ("/customer", json!({"name": "Ana"}), "customer.external_id: missing"),
        ("/customer", json!({"external_id": "1", "emial": "a@b.c"}), "customer.emial: unknown field"),
        ("/customer", json!({"document": "123"}), "customer.document: must be a CPF of 11 digits or a CNPJ of 14 letters and digits"),
        ("/customer/email", json!("ana"), "customer.email: must be an e-mail address"),
        ("/customer/phone", json!("12"), "customer.phone: must be a telephone, as in +5511987654321"),
        ("/customer/document", json!("123"), "customer.document: must be a CPF of 11 digits or a CNPJ of 14 letters and digits"),
        ("/service_id", json!("a b"), "service_id: must be the id of a service"),
        ("/priority", json!(11), "priority: must be a whole number from -10 to 10"),
        ("/priority", json!(0.5), "priority: must be a whole number from -10 to 10"),
        ("/type", json!("carrier pigeon"), "type: must be text or file"),
        ("/text", json!({"body": "x"}), "text: must be text"),
        ("/text", json!("é".repeat(40_000)), "text: more than 65536"),
        ("/attachments", json!({}), "attachments: must be a list"),
        ("/attachments", json!(vec![json!({"upload_id": "u"}); 21]), "attachments: more than 20"),
        ("/attachments/0/url", json!("file:///etc/passwd"), "attachments[0].url: must be a link of HTTP"),
        ("/attachments/0", json!(7), "attachments[0]: must be an object"),
        ("/attachments/0/url", json!(null), "attachments[0].url: missing"),
        ("/attachments/0/url", json!(7), "attachments[0].url: must be text"),
        ("/attachments/0/size", json!(-1), "attachments[0].size: must be a number of bytes"),
        ("/attachments/0/sha256", json!("zz"), "attachments[0].sha256: must be 64 hexadecimal digits"),
        ("/attachments/0", json!({"url": "https://a.b/c", "upload_id": "u"}), "attachments[0].url: must be left out, for there is an upload_id"),
        ("/attributes", json!([]), "attributes: must be an object"),
        ("/attributes/contrato", json!([1]), "attributes.contrato: must be text, a number, true or false"),
        ("/attributes/contrato", json!("x".repeat(1_001)), "attributes.contrato: more than 1000"),
    ];
    for (pointer, value, fault) in rows {
        assert_eq!(faults(pointer, value), [fault]);
    }
    let mut many = posted();
    many["texto"] = json!("Oi");
    many["customer"]["email"] = json!("x");
    assert_eq!(
        read(&many).expect_err("faults"),
        [
            "customer.email: must be an e-mail address",
            "texto: unknown field"
        ]
    );
    let mut empty = posted();
    empty["text"] = Value::Null;
    empty["attachments"] = json!([]);
    assert_eq!(read(&empty).expect_err("faults"), ["text: missing"]);
}

#[test]
fn what_is_no_json_is_a_fault_of_the_whole() {
    let syntax = "the body: must be JSON, nested 64 levels deep at most";
    let deep = "[".repeat(5_000);
    for body in ["", "{", "nada", "\u{feff}", &deep] {
        let faults = receive::read(body.as_bytes(), "erp").expect_err("faults");
        assert_eq!(faults[0].to_string(), syntax, "{body:.9}");
    }
    let huge = vec![b' '; 5 << 20];
    let faults = receive::read(&huge, "erp").expect_err("faults");
    assert_eq!(faults[0].to_string(), "the body: more than 4194304");
    assert_eq!(
        read(&json!(7)).expect_err("faults"),
        ["the body: must be an object"]
    );
}

#[test]
fn the_same_body_is_the_same_however_it_is_written() {
    let first = read(&posted()).expect("a message").fingerprint;
    let spaced = serde_json::to_string_pretty(&posted()).expect("JSON");
    let again = receive::read(spaced.as_bytes(), "erp").expect("a message");
    assert_eq!(again.fingerprint, first);
    let mut other = posted();
    other["text"] = json!("Outro texto");
    assert_ne!(read(&other).expect("a message").fingerprint, first);
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let batch = |messages: Vec<Value>| {
        let body = json!({"messages": messages}).to_string();
        let read = receive::read_batch(body.as_bytes(), "erp");
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(batch(vec![posted(); 100]).map(|all| all.len()), Ok(100));
    assert_eq!(
        batch(vec![posted(); 101]),
        Err(vec!["messages: more than 100".to_owned()])
    );
    assert_eq!(batch(vec![]), Err(vec!["messages: missing".to_owned()]));
    let mut wrong = posted();
    wrong["text"] = json!(1);
    let fault = "messages[1].text: must be text".to_owned();
    assert_eq!(batch(vec![posted(), wrong]), Err(vec![fault]));
}

#[test]
fn what_happens_besides_messages_is_told_by_its_conversation() {
    let read = |value: Value| {
        let read = events::read(value.to_string().as_bytes());
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let of = |kind: &str| json!({"external_conversation_id": "TT-8812", "type": kind});
    let told = read(of("typing")).expect("an event");
    assert_eq!(told.conversation, "TT-8812");
    assert!(matches!(told.event.kind, EventKind::Typing(typing) if typing.on));
    let told = read(of("customer_closed")).expect("an event");
    assert!(matches!(told.event.kind, EventKind::Closed { .. }));
    let mut edited = of("message_edited");
    edited["external_message_id"] = json!("TT-8812-0003");
    edited["text"] = json!("Corrigido");
    let told = read(edited).expect("an event");
    assert!(
        matches!(told.event.kind, EventKind::Edited(edited) if edited.message == "TT-8812-0003")
    );
    let faults = read(of("message_deleted")).expect_err("faults");
    assert_eq!(faults, ["external_message_id: missing"]);
    let faults = read(of("sneeze")).expect_err("faults");
    assert_eq!(
        faults,
        ["type: must be typing, read, customer_closed, message_edited or message_deleted"]
    );
    let faults = read(json!({})).expect_err("faults");
    assert_eq!(
        faults,
        ["external_conversation_id: missing", "type: missing"]
    );
}

#[test]
fn what_goes_out_is_signed_as_standard_webhooks_has_it() {
    // The example of the specification.
    let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
    let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let headers = signature::headers(std::slice::from_ref(&secret), id, 1_614_265_330, body);
    assert_eq!(headers[0], ("webhook-id", id.to_owned()));
    assert_eq!(headers[1], ("webhook-timestamp", "1614265330".to_owned()));
    assert_eq!(headers[2], ("webhook-signature", expected.to_owned()));
    // While the secret is changed, both sign.
    let mut random = StdRng::seed_from_u64(1);
    let new = signature::secret(&mut random);
    assert_eq!(new.expose().len(), "whsec_".len() + 32);
    let [_, _, (_, both)] = signature::headers(&[new, secret], id, 1_614_265_330, body);
    let both: Vec<&str> = both.split(' ').collect();
    assert_eq!(both.len(), 2);
    assert_eq!(both[1], expected);
    assert_ne!(both[0], expected);
}

#[test]
fn a_notice_has_the_shape_of_the_documentation() {
    let text = |text: &str| text.to_owned();
    let notice = notice::Notice {
        id: text("evt_01JDV9"),
        kind: notice::NoticeKind::MessageCreated,
        occurred_at: text("2026-11-22T16:05:12.345Z"),
        seq: 42,
        company_id: text("demo"),
        channel: notice::NoticeChannel {
            id: Some(text("erp")),
            kind: text("generic"),
            name: text("ERP"),
        },
        attendance: Some(notice::NoticeAttendance {
            id: text("a1"),
            protocol: text("20261122000123"),
            medium: "email",
            direction: "inbound",
            service: Some(notice::NoticeName {
                id: text("suporte"),
                name: text("Suporte"),
            }),
            status: text("in_progress"),
        }),
        external_conversation_id: Some(text("TT-8812")),
        customer: Some(notice::NoticeCustomer {
            external_id: Some(text("C-991")),
            contact_id: None,
            address: None,
        }),
        message: Some(notice::NoticeMessage {
            id: text("m1"),
            direction: "outbound",
            author: notice::NoticeAuthor {
                kind: "agent",
                id: Some(text("bruno")),
                name: Some(text("Bruno")),
            },
            kind: "text",
            text: Some(text("Vou verificar")),
            attachments: vec![],
            reply_to_external_message_id: Some(text("TT-8812-0003")),
            content: None,
            status: None,
        }),
        more: serde_json::Map::new(),
    };
    assert_eq!(
        serde_json::to_value(&notice).expect("JSON"),
        json!({
            "id": "evt_01JDV9", "type": "message.created", "occurred_at": "2026-11-22T16:05:12.345Z",
            "seq": 42, "company_id": "demo",
            "channel": {"id": "erp", "kind": "generic", "name": "ERP"},
            "attendance": {
                "id": "a1", "protocol": "20261122000123", "medium": "email", "direction": "inbound",
                "service": {"id": "suporte", "name": "Suporte"}, "status": "in_progress",
            },
            "external_conversation_id": "TT-8812", "customer": {"external_id": "C-991"},
            "message": {
                "id": "m1", "direction": "outbound",
                "author": {"kind": "agent", "id": "bruno", "name": "Bruno"}, "type": "text",
                "text": "Vou verificar", "attachments": [],
                "reply_to_external_message_id": "TT-8812-0003",
            },
        })
    );
}

#[test]
fn a_notice_that_fails_waits_longer_and_longer_and_a_410_ends_it() {
    let mut random = StdRng::seed_from_u64(7);
    let table_s = [
        5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400,
    ];
    for (tries, wait_s) in (1..).zip(table_s) {
        let wait_ms = delivery::wait_ms(tries, &mut random);
        assert!(
            (wait_s * 1_000..wait_s * 1_100).contains(&wait_ms),
            "{tries}: {wait_ms}"
        );
    }
    let answer = |status, body: &str, retry_after_ms| {
        let body = body.as_bytes().to_vec();
        #[rustfmt::skip]
        let response = Response { status, retry_after_ms, body };
        delivery::answered(&response)
    };
    let done = |reply: Option<&str>| delivery::Answer::Done {
        reply: reply.map(str::to_owned),
    };
    assert_eq!(answer(204, "", None), done(None));
    assert_eq!(answer(200, "<html>", None), done(None));
    assert_eq!(
        answer(200, r#"{"reply":{"text":"Oi"}}"#, None),
        done(Some("Oi"))
    );
    assert_eq!(answer(410, "", None), delivery::Answer::SwitchOff);
    let again = |after_ms| delivery::Answer::Again { after_ms };
    assert_eq!(answer(500, "", None), again(0));
    assert_eq!(answer(429, "", Some(9_000)), again(9_000));
    assert_eq!(
        answer(302, "", None),
        again(0),
        "redirects are not followed"
    );
}

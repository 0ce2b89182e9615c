//! The ERP at the generic channel.

use ramal_sim::wire::proof;
use ramal_sim::world::{Act, Content, File, Outcome, Output, Pace, Shape};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, json};

const ERP: Provider = Provider::Erp;
const SECRET: &str = "whsec_c2VncmVkbyBkbyBFUlAgc2ltdWxhZG8=";

fn notice(company: &mut Company, id: &str, body: &Value) -> u16 {
    let body = body.to_string();
    let signature = proof::standard(SECRET, id, "1795521600", body.as_bytes());
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", "1795521600"),
        ("webhook-signature", signature.as_str()),
    ];
    company
        .asks(ERP, ("POST", "/webhook"), &headers, body.as_bytes())
        .status
}

#[test]
fn what_a_customer_writes_is_posted_to_receive_hook_with_the_key() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.writes(ERP, "marina", "Meu chamado continua aberto");
    let told = company.last();
    assert_eq!(told.header("x-api-key"), "chave");
    let ticket = company.world.chat(ERP, "marina").ticket.expect("a ticket");
    assert_eq!(
        told.json(),
        json!({
            "external_message_id": company.message(id).own_id, "external_conversation_id": ticket,
            "sent_at": "2026-11-24T12:00:00Z",
            "customer": {"external_id": "C-marina", "name": "Marina Alves", "phone": "+5511987654321"},
            "type": "text", "text": "Meu chamado continua aberto",
            "attributes": {"origem": "simulador"},
        })
    );
    // Another matter is another conversation.
    company.does(ERP, "marina", Act::NewTicket);
    company.writes(ERP, "marina", "Outra coisa");
    assert_ne!(
        company.last().json()["external_conversation_id"],
        json!(ticket)
    );
}

#[test]
fn files_are_posted_as_links_with_their_digest() {
    let mut company = Company::new(Pace::AT_ONCE);
    let content = Content::File(File {
        file: demo::SAMPLE_DOCUMENT.to_owned(),
        shape: Shape::Document,
        mime: String::new(),
        name: None,
        caption: None,
        voice: false,
        bytes: 0,
        sha256: String::new(),
    });
    company.sends(ERP, "marina", content);
    let file = company.last().json()["attachments"][0].clone();
    assert_eq!(
        (&file["filename"], &file["mime_type"]),
        (&json!("boleto.pdf"), &json!("application/pdf"))
    );
    let path = file["url"]
        .as_str()
        .expect("a link")
        .strip_prefix("http://sim.example/erp")
        .expect("ours")
        .to_owned();
    let bytes = company.asks(ERP, ("GET", &path), &[], b"").body;
    assert!(bytes.starts_with(b"%PDF"));
    assert_eq!(file["size"], json!(bytes.len()));
}

#[test]
fn the_protocol_number_in_the_answer_is_kept() {
    let mut company = Company::new(Pace::AT_ONCE);
    let act = Act::Write {
        content: Content::words("Oi"),
        reply_to: None,
        forwarded: false,
        from_ad: false,
    };
    company
        .world
        .act(company.now_ms, ERP, "marina", act)
        .expect("written");
    company.world.handle_timeout(company.now_ms);
    let Some(Output::Post(attempt)) = company.world.poll_output() else {
        panic!("nothing is posted")
    };
    let body = br#"{"protocol":"20261124000001","status":"queued","duplicate":false}"#.to_vec();
    let outcome = Outcome::Answered { status: 202, body };
    company.world.answered(company.now_ms, &attempt, outcome);
    let chat = company.world.chat(ERP, "marina");
    assert_eq!(
        (chat.protocol.as_deref(), chat.status.as_deref()),
        (Some("20261124000001"), Some("queued"))
    );
}

#[test]
fn notices_are_checked_counted_once_and_shown() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(ERP, "marina", "Oi");
    let ticket = company.world.chat(ERP, "marina").ticket.expect("a ticket");
    let attendance = json!({"id": "a1", "protocol": "20261124000001", "status": "in_progress",
        "service": {"id": "s1", "name": "Suporte"}});
    let body = |event: &str, seq: i64, message: Value| {
        json!({"id": format!("evt_{seq}"), "type": event, "seq": seq, "attendance": attendance,
            "external_conversation_id": ticket, "message": message})
    };
    let reply = json!({"id": "m9", "direction": "outbound", "type": "text", "text": "Vou verificar",
        "author": {"kind": "agent", "name": "Bruno"}, "attachments": []});
    // Nobody told the simulator the secret.
    assert_eq!(
        notice(
            &mut company,
            "evt_1",
            &body("attendance.assigned", 1, json!(null))
        ),
        401
    );
    company.world.set_signing_secret(Some(SECRET.to_owned()));
    assert_eq!(
        notice(
            &mut company,
            "evt_1",
            &body("attendance.assigned", 1, json!(null))
        ),
        204
    );
    assert_eq!(
        notice(
            &mut company,
            "evt_2",
            &body("message.created", 2, reply.clone())
        ),
        204
    );
    assert_eq!(
        notice(&mut company, "evt_2", &body("message.created", 2, reply)),
        204
    );
    let seen: Vec<(String, u32)> = company
        .world
        .notices()
        .iter()
        .map(|notice| (notice.event.clone(), notice.times))
        .collect();
    assert_eq!(
        seen,
        [
            ("attendance.assigned".to_owned(), 1),
            ("message.created".to_owned(), 2)
        ]
    );
    let shown: Vec<Content> = company
        .world
        .between(ERP, "marina")
        .filter(|message| message.is_ours())
        .map(|message| message.content.clone())
        .collect();
    let event = "attendance.assigned".to_owned();
    let text = "Suporte".to_owned();
    assert_eq!(
        shown,
        [
            Content::Notice { event, text },
            Content::words("Vou verificar")
        ]
    );
    assert_eq!(
        company.world.chat(ERP, "marina").protocol.as_deref(),
        Some("20261124000001")
    );
    let forged = company.asks(
        ERP,
        ("POST", "/webhook"),
        &[("webhook-id", "x"), ("webhook-timestamp", "1")],
        b"{}",
    );
    assert_eq!(
        (forged.status, &json(&forged)["error"]),
        (401, &json!("the signature is another"))
    );
}

#[test]
fn what_was_refused_is_not_posted_again() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.answers = Some(422);
    company.writes(ERP, "marina", "Oi");
    company.pass(86_400_000);
    assert_eq!(company.told.len(), 1);
    company.answers = Some(503);
    company.writes(ERP, "marina", "Oi");
    company.pass(20_000);
    assert_eq!(company.told.len(), 4);
}

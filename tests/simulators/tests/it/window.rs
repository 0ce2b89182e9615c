//! The window of 24 hours, by a clock that is told.

use ramal_sim::world::{Act, Content, Pace, Progress, WINDOW_MS};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, json};
use crate::graph::graph;

const CLOUD: Provider = Provider::Cloud;

/// Writes to the customer, and returns the code with which it failed.
fn written(company: &mut Company, kind: &str, part: Value) -> Option<u32> {
    let path = format!("/{}/messages", demo::PHONE_NUMBER_ID);
    let body =
        json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": kind, kind: part});
    let answer = graph(company, "POST", &path, &body);
    assert_eq!(answer.status, 200, "{}", json(&answer));
    let message = company.world.messages().last().expect("sent");
    let failed = message.problem.as_ref().map(|problem| problem.code);
    assert_eq!(message.progress == Progress::Failed, failed.is_some());
    failed
}

fn text(company: &mut Company) -> Option<u32> {
    written(company, "text", json!({"body": "Oi"}))
}

#[test]
fn words_go_for_24_hours_after_the_customers_last_and_then_only_templates() {
    let mut company = Company::new(Pace::AT_ONCE);
    assert_eq!(text(&mut company), Some(131_047));
    company.writes(CLOUD, "marina", "Oi");
    assert_eq!(text(&mut company), None);
    company.pass(WINDOW_MS - 1);
    assert_eq!(text(&mut company), None);
    company.pass(1);
    assert_eq!(text(&mut company), Some(131_047));
    let parameters = json!([
        {"type": "text", "parameter_name": "nome", "text": "Marina"},
        {"type": "text", "parameter_name": "protocolo", "text": "7"},
    ]);
    let template = json!({"name": demo::TEMPLATE_RETURN, "language": {"code": "pt_BR"},
        "components": [{"type": "body", "parameters": parameters}]});
    assert_eq!(written(&mut company, "template", template), None);
    // A template alone opens nothing; its quick reply does.
    assert_eq!(text(&mut company), Some(131_047));
    let message = company.world.messages()[5].id;
    let option = "Sim, continuar".to_owned();
    company.does(CLOUD, "marina", Act::Press { message, option });
    assert_eq!(text(&mut company), None);
}

#[test]
fn a_reaction_opens_nothing() {
    let mut company = Company::new(Pace::AT_ONCE);
    let message = company.writes(CLOUD, "marina", "Oi");
    company.pass(WINDOW_MS);
    let emoji = Some("👍".to_owned());
    company.does(CLOUD, "marina", Act::React { message, emoji });
    assert_eq!(text(&mut company), Some(131_047));
}

#[test]
fn each_provider_has_its_own_window_and_whom_an_ad_brought_costs_nothing_for_72_hours() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(Provider::Twilio, "marina", "Oi");
    assert_eq!(text(&mut company), Some(131_047));
    let content = Content::words("Vi o anúncio");
    company.does(
        CLOUD,
        "marina",
        Act::Write {
            content,
            reply_to: None,
            forwarded: false,
            from_ad: true,
        },
    );
    let told = company.last().json();
    assert_eq!(
        told["entry"][0]["changes"][0]["value"]["messages"][0]["referral"]["source_type"],
        "ad"
    );
    let billable = |company: &Company| {
        let told = company.last().json();
        told["entry"][0]["changes"][0]["value"]["statuses"][0]["pricing"]["billable"].clone()
    };
    assert_eq!(text(&mut company), None);
    assert_eq!(billable(&company), json!(false));
    company.pass(2 * WINDOW_MS);
    company.writes(CLOUD, "marina", "Oi");
    company.pass(WINDOW_MS - 1);
    assert_eq!(text(&mut company), None);
    assert_eq!(billable(&company), json!(false));
    company.writes(CLOUD, "marina", "Oi");
    company.pass(1);
    assert_eq!(text(&mut company), None);
    assert_eq!(billable(&company), json!(true));
}

#[test]
fn words_are_edited_for_15_minutes_and_taken_back_for_two_days() {
    let mut company = Company::new(Pace::AT_ONCE);
    let message = company.writes(CLOUD, "marina", "Oi");
    company.pass(900_001);
    let text = "Olá".to_owned();
    let late = company
        .world
        .act(company.now_ms, CLOUD, "marina", Act::Edit { message, text });
    assert!(late.is_err());
    company.pass(2 * 86_400_000);
    let late = company
        .world
        .act(company.now_ms, CLOUD, "marina", Act::Revoke { message });
    assert!(late.is_err());
}

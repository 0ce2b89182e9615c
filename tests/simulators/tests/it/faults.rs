//! Faults by switch.

use ramal_sim::world::{Fault, FaultKind, Pace, Progress};
use ramal_sim::{Provider, demo};
use serde_json::json;

use crate::company::{Company, NOON_MS};
use crate::graph::graph;

const CLOUD: Provider = Provider::Cloud;

fn strike(company: &mut Company, kind: FaultKind) {
    company.world.add_fault(Fault {
        provider: Some(CLOUD),
        kind,
        times: Some(1),
        permille: 1_000,
    });
}

/// The words of customers that came, with when.
fn heard(company: &Company) -> Vec<(String, i64)> {
    let told = company.told.iter();
    told.map(|told| {
        let body = told.json();
        let message = &body["entry"][0]["changes"][0]["value"]["messages"][0];
        let text = message["text"]["body"].as_str().expect("words").to_owned();
        (text, told.at_ms - NOON_MS)
    })
    .collect()
}

fn words(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter()
        .map(|(text, ms)| ((*text).to_owned(), *ms))
        .collect()
}

#[test]
fn a_webhook_that_is_lost_on_its_way_comes_with_the_next_try() {
    let mut company = Company::new(Pace::AT_ONCE);
    strike(&mut company, FaultKind::Drop);
    company.writes(CLOUD, "marina", "um");
    company.writes(CLOUD, "marina", "dois");
    company.pass(60_000);
    assert_eq!(heard(&company), words(&[("dois", 0), ("um", 5_000)]));
}

#[test]
fn a_webhook_whose_answer_is_lost_comes_again() {
    let mut company = Company::new(Pace::AT_ONCE);
    strike(&mut company, FaultKind::LoseAnswer);
    let id = company.writes(CLOUD, "marina", "um");
    assert_eq!(company.message(id).progress, Progress::Sent);
    company.pass(60_000);
    assert_eq!(heard(&company), words(&[("um", 0), ("um", 5_000)]));
    assert_eq!(company.message(id).progress, Progress::Delivered);
}

#[test]
fn webhooks_are_delayed_doubled_and_turned_around() {
    let mut company = Company::new(Pace::AT_ONCE);
    strike(&mut company, FaultKind::Delay { ms: 3_000 });
    company.writes(CLOUD, "marina", "um");
    company.writes(CLOUD, "marina", "dois");
    company.pass(10_000);
    assert_eq!(heard(&company), words(&[("dois", 0), ("um", 3_000)]));
    company.told.clear();
    strike(&mut company, FaultKind::Duplicate);
    company.writes(CLOUD, "marina", "três");
    assert_eq!(
        heard(&company),
        words(&[("três", 10_000), ("três", 10_000)])
    );
    company.told.clear();
    strike(&mut company, FaultKind::Reorder);
    company.writes(CLOUD, "marina", "quatro");
    company.pass(1_000);
    company.writes(CLOUD, "marina", "cinco");
    assert_eq!(
        heard(&company),
        words(&[("cinco", 11_000), ("quatro", 11_000)])
    );
    // Where none follows it goes by itself.
    company.told.clear();
    strike(&mut company, FaultKind::Reorder);
    company.writes(CLOUD, "marina", "seis");
    company.pass(10_000);
    assert_eq!(heard(&company), words(&[("seis", 16_000)]));
}

#[test]
fn a_wrong_signature_is_right_the_next_time() {
    let mut company = Company::new(Pace::AT_ONCE);
    strike(&mut company, FaultKind::WrongSignature);
    company.answers = Some(401);
    company.writes(CLOUD, "marina", "um");
    company.answers = Some(200);
    company.pass(10_000);
    let signatures: Vec<&str> = company
        .told
        .iter()
        .map(|told| told.header("x-hub-signature-256"))
        .collect();
    assert_eq!(signatures.len(), 2);
    assert_ne!(signatures[0], signatures[1]);
}

#[test]
fn codes_are_refused_at_once_or_fail_afterwards() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(CLOUD, "marina", "Oi");
    let path = format!("/{}/messages", demo::PHONE_NUMBER_ID);
    let body = json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": "text", "text": {"body": "Oi"}});
    for code in [131_047, 131_026, 131_056] {
        strike(&mut company, FaultKind::Refuse { code });
        assert!(graph(&mut company, "POST", &path, &body).status >= 400);
        strike(&mut company, FaultKind::Fail { code });
        assert_eq!(graph(&mut company, "POST", &path, &body).status, 200);
        let told = company.last().json();
        let status = &told["entry"][0]["changes"][0]["value"]["statuses"][0];
        assert_eq!(status["errors"][0]["code"], code);
    }
    assert_eq!(graph(&mut company, "POST", &path, &body).status, 200);
    assert_eq!(company.world.faults(), []);
}

#[test]
fn whatever_is_lost_doubled_delayed_and_turned_around_comes_in_the_end() {
    let mut company = Company::new(Pace::AT_ONCE);
    let kinds = [
        FaultKind::Drop,
        FaultKind::LoseAnswer,
        FaultKind::Delay { ms: 700 },
        FaultKind::Duplicate,
        FaultKind::Reorder,
    ];
    for kind in kinds {
        company.world.add_fault(Fault {
            provider: None,
            kind,
            times: None,
            permille: 200,
        });
    }
    for count in 0..200 {
        company.writes(CLOUD, "marina", &count.to_string());
        company.pass(100);
    }
    company.pass(86_400_000);
    let mut heard: Vec<u32> = heard(&company)
        .iter()
        .map(|(text, _)| text.parse().expect("a number"))
        .collect();
    let came = heard.len();
    assert!(!heard.is_sorted(), "nothing was turned around");
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard, (0..200).collect::<Vec<u32>>());
    assert!(came > 220, "only {came} came: nothing was doubled");
    assert_eq!(company.world.under_way(), 0);
}

//! Twilio.

use ramal_sim::wire::{ApiAnswer, proof};
use ramal_sim::world::{Act, Card, Content, File, Pace, Progress, Shape};
use ramal_sim::{Provider, demo};
use serde_json::json;

use crate::company::{Company, json};

const TWILIO: Provider = Provider::Twilio;
/// The account and its token in base64.
const LOGIN: (&str, &str) = (
    "authorization",
    "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTp0d2lsaW8tc2ltdWxhZG9y",
);
const MESSAGES: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";

fn send(company: &mut Company, more: &str) -> ApiAnswer {
    let form = format!("From=whatsapp%3A%2B551140000004&To=whatsapp%3A%2B5511987654321{more}");
    company.asks(TWILIO, ("POST", MESSAGES), &[LOGIN], form.as_bytes())
}

#[test]
fn a_customers_words_come_as_a_form_signed_with_the_address() {
    let mut company = Company::new(Pace::AT_ONCE);
    let id = company.writes(TWILIO, "marina", "Olá & até + já");
    let told = company.last();
    let form = told.form();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(field("MessageSid"), company.message(id).own_id);
    assert_eq!(field("Body"), "Olá & até + já");
    assert_eq!(field("From"), "whatsapp:+5511987654321");
    assert_eq!(
        (field("WaId"), field("ProfileName")),
        ("5511987654321", "Marina Alves")
    );
    assert_eq!((field("NumMedia"), field("MessageType")), ("0", "text"));
    let parameters: Vec<(String, String)> = form.clone().into_iter().collect();
    let signature = proof::twilio(demo::TWILIO_AUTH_TOKEN, &told.attempt.url, &parameters);
    assert_eq!(told.header("x-twilio-signature"), signature);
}

#[test]
fn files_are_behind_a_login_and_a_redirection() {
    let mut company = Company::new(Pace::AT_ONCE);
    let content = Content::File(File {
        file: demo::SAMPLE_PICTURE.to_owned(),
        shape: Shape::Image,
        mime: String::new(),
        name: None,
        caption: Some("Veja".to_owned()),
        voice: false,
        bytes: 0,
        sha256: String::new(),
    });
    company.sends(TWILIO, "marina", content);
    let form = company.last().form();
    assert_eq!(
        (form["NumMedia"].as_str(), form["Body"].as_str()),
        ("1", "Veja")
    );
    assert_eq!(form["MediaContentType0"], "image/png");
    assert!(form["MessageSid"].starts_with("MM"));
    let path = form["MediaUrl0"]
        .strip_prefix("http://sim.example/twilio")
        .expect("ours")
        .to_owned();
    assert_eq!(company.asks(TWILIO, ("GET", &path), &[], b"").status, 401);
    let moved = company.asks(TWILIO, ("GET", &path), &[LOGIN], b"");
    assert_eq!(moved.status, 307);
    let (_, link) = moved
        .headers
        .iter()
        .find(|(name, _)| name == "location")
        .expect("a place");
    let path = link
        .strip_prefix("http://sim.example/twilio")
        .expect("ours")
        .to_owned();
    assert!(
        company
            .asks(TWILIO, ("GET", &path), &[], b"")
            .body
            .starts_with(b"\x89PNG")
    );
    // Cards of people are files too.
    let cards = vec![Card {
        name: "Bruno".to_owned(),
        phones: vec!["+5511912345678".to_owned()],
    }];
    company.sends(TWILIO, "marina", Content::Contacts { cards });
    assert_eq!(company.last().form()["MediaContentType0"], "text/vcard");
}

#[test]
fn places_and_answers_have_their_fields() {
    let mut company = Company::new(Pace::AT_ONCE);
    let place = Content::Location {
        latitude: -23.5,
        longitude: -46.5,
        name: Some("Sé".to_owned()),
        address: None,
    };
    company.sends(TWILIO, "marina", place);
    let form = company.last().form();
    assert_eq!(
        (form["Latitude"].as_str(), form["Label"].as_str()),
        ("-23.5", "Sé")
    );
    let sid = format!("HX{:032}", 1);
    let more =
        format!("&ContentSid={sid}&ContentVariables=%7B%221%22%3A%22Ana%22%2C%222%22%3A%227%22%7D");
    let sent = json(&send(&mut company, &more));
    let message = company.world.messages().last().expect("sent").id;
    let option = "Sim, continuar".to_owned();
    company.does(TWILIO, "marina", Act::Press { message, option });
    let form = company.last().form();
    assert_eq!(
        (form["MessageType"].as_str(), form["ButtonText"].as_str()),
        ("button", "Sim, continuar")
    );
    assert_eq!(json!(form["OriginalRepliedMessageSid"]), sent["sid"]);
}

#[test]
fn statuses_go_where_the_message_says() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(TWILIO, "marina", "Oi");
    company.told.clear();
    let answer = send(
        &mut company,
        "&Body=Bom+dia&StatusCallback=http%3A%2F%2Fcompany.example%2Fstatus",
    );
    assert_eq!(answer.status, 201);
    let answer = json(&answer);
    assert_eq!(
        (&answer["status"], &answer["direction"]),
        (&json!("queued"), &json!("outbound-api"))
    );
    company.does(TWILIO, "marina", Act::Read);
    let steps: Vec<String> = company
        .told
        .iter()
        .map(|told| {
            assert_eq!(told.attempt.url, "http://company.example/status");
            let form = told.form();
            assert_eq!(json!(form["MessageSid"]), answer["sid"]);
            form["MessageStatus"].clone()
        })
        .collect();
    assert_eq!(steps, ["sent", "delivered", "read"]);
}

#[test]
fn outside_the_window_it_fails_with_63016() {
    let mut company = Company::new(Pace::AT_ONCE);
    send(&mut company, "&Body=Oi");
    let form = company.last().form();
    assert_eq!(
        (form["MessageStatus"].as_str(), form["ErrorCode"].as_str()),
        ("failed", "63016")
    );
}

#[test]
fn a_file_is_what_its_type_says() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.writes(TWILIO, "marina", "Oi");
    send(
        &mut company,
        "&MediaUrl=http%3A%2F%2Fcompany.example%2Fa&Body=Veja",
    );
    let (message, _) = company.fetches.pop().expect("the file");
    company.world.fetched(
        company.now_ms,
        message,
        Ok(("image/png".to_owned(), vec![1])),
    );
    company.settle();
    let message = company.message(message);
    assert_eq!(
        message.content.file().map(|file| file.shape),
        Some(Shape::Image)
    );
    assert_eq!(message.progress, Progress::Delivered);
}

#[test]
fn refusals_have_twilios_codes() {
    let mut company = Company::new(Pace::AT_ONCE);
    let long = format!("&Body={}", "a".repeat(1_601));
    let rows = [("", 21_619), (long.as_str(), 21_617)];
    for (more, code) in rows {
        let refused = send(&mut company, more);
        assert_eq!(
            (refused.status, &json(&refused)["code"]),
            (400, &json!(code))
        );
    }
    let stranger = company.asks(TWILIO, ("POST", MESSAGES), &[], b"");
    assert_eq!(
        (stranger.status, &json(&stranger)["code"]),
        (401, &json!(20_003))
    );
}

#[test]
fn templates_come_page_by_page() {
    let mut company = Company::new(Pace::AT_ONCE);
    let listed = json(&company.asks(
        TWILIO,
        ("GET", "/v1/ContentAndApprovals?PageSize=8"),
        &[LOGIN],
        b"",
    ));
    assert_eq!(listed["contents"].as_array().map(Vec::len), Some(8));
    let next = listed["meta"]["next_page_url"]
        .as_str()
        .expect("more")
        .to_owned();
    let path = next
        .strip_prefix("http://sim.example/twilio")
        .expect("ours")
        .to_owned();
    let listed = json(&company.asks(TWILIO, ("GET", &path), &[LOGIN], b""));
    assert_eq!(
        listed["contents"][0]["friendly_name"],
        demo::TEMPLATE_REJECTED
    );
    assert_eq!(listed["meta"]["next_page_url"], json!(null));
}

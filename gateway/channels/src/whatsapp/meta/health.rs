//! How Meta says that a number, a token and a subscription stand; and 360dialog where it calls us.

use serde_json::Value;

use crate::event::HealthLevel;
use crate::failure::Failure;
use crate::health::{Check, Fact, Finding};
use crate::json::{self, Fields};
use crate::send::Response;
use crate::whatsapp::{errors, seconds_ms};

/// What the answer to a check says.
pub(crate) fn found(check: Check, response: &Response) -> Result<Vec<Finding>, Failure> {
    let body = json::parse(&response.body).ok();
    let body = body.filter(|_| (200..=299).contains(&response.status));
    let body = body.ok_or_else(|| errors::of_answer(response))?;
    Ok(match check {
        Check::Account => number(&body),
        Check::Token => token(body.at("data")),
        Check::Subscription => vec![subscription(&body)],
    })
}

fn number(body: &Value) -> Vec<Finding> {
    let level = |word: &str| match word {
        "CONNECTED" | "GREEN" | "UNKNOWN" | "APPROVED" | "AVAILABLE_WITHOUT_REVIEW" => {
            HealthLevel::Note
        }
        "RED" | "BANNED" | "DISCONNECTED" | "DELETED" | "RESTRICTED" | "OFFLINE" => {
            HealthLevel::Alarm
        }
        _ => HealthLevel::Warning,
    };
    let judged = [
        (Fact::Status, "status"),
        (Fact::Quality, "quality_rating"),
        (Fact::Name, "name_status"),
    ];
    let judged = judged.into_iter().filter_map(|(fact, field)| {
        let word = body.text(field)?;
        let level = level(&word);
        let name = body.text("verified_name").filter(|_| fact == Fact::Name);
        let value = name.map_or_else(|| word.clone(), |name| format!("{name} ({word})"));
        Some(Finding::new(fact, value, level))
    });
    let limit = body.text("messaging_limit_tier");
    let limit = limit.map(|limit| Finding::new(Fact::Limit, limit, HealthLevel::Note));
    judged.chain(limit).collect()
}

fn token(data: &Value) -> Vec<Finding> {
    let is_valid = data.flag("is_valid");
    let expires = match data.whole("expires_at").unwrap_or(0) {
        0 => "never".to_owned(),
        seconds => seconds_ms(seconds).map_or_else(|| "?".to_owned(), |ms| ms.to_string()),
    };
    let level = match is_valid {
        true => HealthLevel::Note,
        false => HealthLevel::Alarm,
    };
    let mut found = vec![Finding::new(Fact::TokenExpires, expires, level)];
    let scopes = data.list("scopes");
    let lacks = |scope: &&&str| !scopes.iter().any(|one| one.as_str() == Some(**scope));
    let missing = SCOPES.iter().filter(lacks);
    found.extend(
        missing.map(|scope| Finding::new(Fact::PermissionMissing, *scope, HealthLevel::Alarm)),
    );
    found
}

/// Meta lists the apps that are told; 360dialog the address that it calls.
fn subscription(body: &Value) -> Finding {
    let first = body.list("data").first();
    let app = first.map(|app| {
        let own = app.text("override_callback_uri");
        let name = app.at("whatsapp_business_api_data").text("name");
        own.or(name).unwrap_or_default()
    });
    match app.or_else(|| body.text("url")) {
        Some(told) => Finding::new(Fact::Webhook, told, HealthLevel::Note),
        None => Finding::new(Fact::Webhook, "", HealthLevel::Alarm),
    }
}

/// What a token must allow for messages and templates.
const SCOPES: [&str; 2] = [
    "whatsapp_business_messaging",
    "whatsapp_business_management",
];

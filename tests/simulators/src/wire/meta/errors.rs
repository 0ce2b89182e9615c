//! What Meta says when it does not do what was asked.

use serde_json::{Value, json};

use crate::provider::Provider;
use crate::wire::ApiAnswer;
use crate::world::Problem;

/// The answer for a problem.
pub(super) fn answer(problem: &Problem) -> ApiAnswer {
    ApiAnswer::json(problem.status(), &body(problem, "")).labelled("error")
}

/// The same for something that does not exist, or that the token may not see: Meta does not tell which.
pub(super) fn nothing_there(id: &str, method: &str) -> ApiAnswer {
    let text = format!(
        "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
         permissions, or does not support this operation.",
        method.to_ascii_lowercase()
    );
    let mut body = body(&Problem::new(100, text.clone()), &text);
    body["error"]["error_subcode"] = json!(33);
    body["error"]["type"] = json!("GraphMethodException");
    ApiAnswer::json(400, &body).labelled("error")
}

/// Whoever asks has no key, or another one.
pub(super) fn stranger(provider: Provider) -> ApiAnswer {
    let answer = match provider {
        Provider::Dialog360 => ApiAnswer::json(
            401,
            &json!({"meta": {"success": false, "http_code": 401, "developer_message": "Invalid api key"}}),
        ),
        Provider::Cloud
        | Provider::Gupshup
        | Provider::Zenvia
        | Provider::Twilio
        | Provider::Erp => {
            let problem = Problem::usual(190);
            let text = "Error validating access token: the session is invalid.";
            let mut body = body(&problem, text);
            body["error"]["type"] = json!("OAuthException");
            ApiAnswer::json(401, &body)
        }
    };
    answer.labelled("error")
}

/// Too many requests, or broken.
pub(crate) fn refusal(status: u16) -> ApiAnswer {
    let code = if status == 429 { 130_429 } else { 131_000 };
    let problem = Problem::usual(code);
    ApiAnswer::json(status, &body(&problem, "")).labelled("error")
}

fn body(problem: &Problem, message: &str) -> Value {
    let message = if message.is_empty() {
        format!("(#{}) {}", problem.code, problem.title())
    } else {
        message.to_owned()
    };
    json!({"error": {
        "message": message,
        "type": "OAuthException",
        "code": problem.code,
        "is_transient": problem.is_transient(),
        "error_data": {"messaging_product": "whatsapp", "details": problem.details},
        "fbtrace_id": "A-simulador-fbtrace",
    }})
}

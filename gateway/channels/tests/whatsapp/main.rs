//! WhatsApp through five providers: what they tell, what we send, and what they answer.

mod account;
mod answers;
mod broken;
mod conversation;
mod fixtures;
mod late;
mod proofs;
mod sending;
mod templates;
mod told;

use channels::connector::Connector;
use channels::whatsapp::{self, Config};
use serde_json::{Value, json};

/// The providers, by the names of their folders and of their configurations.
const PROVIDERS: [&str; 5] = ["cloud", "dialog360", "gupshup", "zenvia", "twilio"];

/// The connector of a provider as the fixtures have it.
fn connector(provider: &str) -> Box<dyn Connector> {
    let config: Config = serde_json::from_value(config(provider)).expect("a configuration");
    whatsapp::connector(config).expect("a connector")
}

fn config(provider: &str) -> Value {
    let mut config = match provider {
        "cloud" => json!({
            "phone_number_id": "106540352242922", "waba_id": "102290129340398", "portfolio_id": "2729",
            "access_token": "T0KEN", "app_secret": "s3gr3do", "verify_token": "v3rify",
        }),
        "dialog360" => {
            json!({"api_key": "T0KEN", "webhook_secret": "s3gr3do", "portfolio_id": "2729"})
        }
        "gupshup" => json!({
            "app": "MinhaApp", "app_id": "a1b2", "number": "551140028922", "api_key": "T0KEN",
            "webhook_secret": "s3gr3do", "portfolio_id": "2729",
        }),
        "zenvia" => json!({
            "number": "551140028922", "api_token": "T0KEN", "webhook_secret": "s3gr3do",
        }),
        "twilio" => {
            json!({"account_sid": "AC0123", "auth_token": "t0k3n", "number": "551140028922"})
        }
        other => panic!("no provider {other}"),
    };
    config["provider"] = provider.into();
    config
}

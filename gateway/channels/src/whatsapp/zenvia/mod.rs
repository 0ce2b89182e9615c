//! WhatsApp as Zenvia carries it.

mod read;
mod write;

use serde::Deserialize;

use crate::capabilities::Capabilities;
use crate::connector::{Connector, Fetch, Forged, Refusal, Unreadable, Webhook};
use crate::event::{Event, MediaSource};
use crate::failure::Failure;
use crate::health::{Check, Finding};
use crate::json::{self, Fields};
use crate::peer::PeerId;
use crate::proof;
use crate::secret::Secret;
use crate::send::{Accepted, Method, Outgoing, Request, Response};
use crate::template::{Template, TemplatePage};
use crate::whatsapp::meta::answer;
use crate::whatsapp::{InvalidConfig, WHATSAPP, errors, filled, is_address, is_number, telephone};

/// What Zenvia must be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number, in digits with country and area.
    pub number: String,
    /// The token of the account.
    pub api_token: Secret,
    /// What we made up for webhooks, which are not signed: the subscription sends it in a header.
    pub webhook_secret: Secret,
    /// Where Zenvia is. A simulator may stand for it.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://api.zenvia.com".to_owned()
}

/// One number at Zenvia.
#[derive(Debug)]
pub struct Zenvia {
    config: Config,
    capabilities: Capabilities,
}

impl Zenvia {
    /// Takes the configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn new(config: Config) -> Result<Self, InvalidConfig> {
        let secrets = [
            ("api_token", &config.api_token),
            ("webhook_secret", &config.webhook_secret),
        ];
        filled(&[], &secrets)?;
        is_number(&config.number)?;
        is_address("base_url", &config.base_url)?;
        let capabilities = Capabilities {
            reactions: false,
            read_receipts: false,
            typing: false,
            ask_location: false,
            costs: false,
            answer_within_ms: 3_000,
            ..WHATSAPP
        };
        Ok(Self {
            config,
            capabilities,
        })
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.config.base_url);
        Request::new(method, url).secret_header("x-api-token", self.config.api_token.expose())
    }
}

impl Connector for Zenvia {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn account(&self) -> Option<&str> {
        Some(&self.config.number)
    }

    fn verify(&self, webhook: &Webhook<'_>) -> Result<(), Forged> {
        proof::shared_secret(webhook, &self.config.webhook_secret)
    }

    fn address<'a>(&self, ids: &'a [PeerId]) -> Option<&'a PeerId> {
        telephone(ids)
    }

    fn read(&self, webhook: &Webhook<'_>) -> Result<Vec<Event>, Unreadable> {
        read::read(webhook.body)
    }

    fn send(&self, message: &Outgoing) -> Result<Request, Refusal> {
        self.capabilities.check(&message.content)?;
        let body = write::message(&self.config.number, message)?;
        let request = self.request(Method::Post, "/v2/channels/whatsapp/messages");
        Ok(request.body(JSON, body.to_string()))
    }

    fn answered(&self, response: &Response) -> Result<Accepted, Failure> {
        let body = json::parse(&response.body).unwrap_or_default();
        match (response.status, body.id("id")) {
            (200..=299, Some(id)) => Ok(Accepted {
                id,
                learned: vec![],
            }),
            _ => Err(errors::of_http(response)),
        }
    }

    fn media(&self, source: &MediaSource) -> Result<Fetch, Refusal> {
        match source {
            MediaSource::Url(url) => Ok(answer::plain(url)),
            MediaSource::Id(_) => Err(Refusal::Invalid { field: "media" }),
        }
    }

    /// One subscription for messages, one for statuses. Each carries the secret, the only proof of where
    /// a webhook comes from.
    fn set_up(&self, webhook: &str) -> Vec<Request> {
        let subscribe = |event: &str| {
            let body = write::subscription(event, webhook, self.config.webhook_secret.expose());
            let request = self.request(Method::Post, "/v2/subscriptions");
            request.body(JSON, body.to_string())
        };
        vec![subscribe("MESSAGE"), subscribe("MESSAGE_STATUS")]
    }

    fn checks(&self) -> Vec<(Check, Request)> {
        let request = self.request(Method::Get, "/v2/subscriptions");
        vec![(Check::Subscription, request)]
    }

    fn checked(&self, _check: Check, response: &Response) -> Result<Vec<Finding>, Failure> {
        read::subscriptions(response)
    }

    fn templates(&self, _after: Option<&str>) -> Result<Request, Refusal> {
        Ok(self.request(Method::Get, "/v2/templates?channel=WHATSAPP"))
    }

    fn templates_listed(&self, response: &Response) -> Result<TemplatePage, Failure> {
        Template::listed_by_zenvia(response)
    }
}

const JSON: &str = "application/json";

//! WhatsApp as 360dialog carries it: Meta's words under another roof and with another key.

use serde::Deserialize;
use serde_json::json;

use crate::capabilities::Capabilities;
use crate::connector::{Connector, Fetch, Forged, Refusal, Unreadable, Webhook};
use crate::event::{Event, MediaSource};
use crate::failure::Failure;
use crate::health::{Check, Finding};
use crate::peer::PeerId;
use crate::proof::{self, SECRET_HEADER};
use crate::secret::Secret;
use crate::send::{Accepted, Method, Outgoing, Request, Response, Signal, host};
use crate::template::{Template, TemplatePage};
use crate::whatsapp::meta::read::Scope;
use crate::whatsapp::meta::{answer, health, read, write};
use crate::whatsapp::{InvalidConfig, WHATSAPP, filled, is_address};

/// What 360dialog must be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The key of the number.
    pub api_key: Secret,
    /// What we made up for webhooks, which are not signed: 360dialog sends it in a header that it is
    /// given, or the address ends with `?secret=…`.
    pub webhook_secret: Secret,
    /// The id of the number. Empty: whatever is told is told of it.
    #[serde(default)]
    pub phone_number_id: String,
    /// The business portfolio, within which the ids of users are theirs.
    pub portfolio_id: String,
    /// The parent of portfolios, where there is one.
    #[serde(default)]
    pub parent_portfolio_id: String,
    /// Where 360dialog is. A simulator may stand for it.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://waba-v2.360dialog.io".to_owned()
}

/// One number at 360dialog.
#[derive(Debug)]
pub struct Dialog360 {
    config: Config,
    capabilities: Capabilities,
}

impl Dialog360 {
    /// Takes the configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn new(mut config: Config) -> Result<Self, InvalidConfig> {
        let secrets = [
            ("api_key", &config.api_key),
            ("webhook_secret", &config.webhook_secret),
        ];
        filled(&[("portfolio_id", &config.portfolio_id)], &secrets)?;
        is_address("base_url", &config.base_url)?;
        if config.parent_portfolio_id.is_empty() {
            config.parent_portfolio_id.clone_from(&config.portfolio_id);
        }
        let capabilities = Capabilities {
            upload: true,
            answer_within_ms: 5_000,
            ..WHATSAPP
        };
        Ok(Self {
            config,
            capabilities,
        })
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            portfolio: &self.config.portfolio_id,
            parent: &self.config.parent_portfolio_id,
        }
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.config.base_url);
        Request::new(method, url).secret_header("d360-api-key", self.config.api_key.expose())
    }

    /// A file of Meta is fetched through 360dialog, under the same path; any other as it is.
    fn fetch(&self, url: &str) -> Request {
        let is_meta = |host: &str| host == "lookaside.fbsbx.com";
        match host(url) {
            Some(asked) if is_meta(asked) || host(&self.config.base_url) == Some(asked) => {
                let path = url.splitn(4, '/').nth(3).unwrap_or_default();
                self.request(Method::Get, &format!("/{path}"))
            }
            _ => Request::new(Method::Get, url),
        }
    }
}

impl Connector for Dialog360 {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn account(&self) -> Option<&str> {
        let id = self.config.phone_number_id.as_str();
        (!id.is_empty()).then_some(id)
    }

    fn verify(&self, webhook: &Webhook<'_>) -> Result<(), Forged> {
        proof::shared_secret(webhook, &self.config.webhook_secret)
    }

    fn address<'a>(&self, ids: &'a [PeerId]) -> Option<&'a PeerId> {
        write::address(ids, self.scope())
    }

    fn read(&self, webhook: &Webhook<'_>) -> Result<Vec<Event>, Unreadable> {
        read::read(webhook.body, self.scope())
    }

    fn send(&self, message: &Outgoing) -> Result<Request, Refusal> {
        self.capabilities.check(&message.content)?;
        let body = write::message(message, self.scope())?.to_string();
        Ok(self.request(Method::Post, "/messages").body(JSON, body))
    }

    fn answered(&self, response: &Response) -> Result<Accepted, Failure> {
        answer::accepted(response, self.scope())
    }

    fn signal(&self, signal: &Signal) -> Result<Request, Refusal> {
        let body = write::signal(signal).to_string();
        Ok(self.request(Method::Post, "/messages").body(JSON, body))
    }

    fn media(&self, source: &MediaSource) -> Result<Fetch, Refusal> {
        match source {
            MediaSource::Id(id) => {
                let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
                if !is_id {
                    return Err(Refusal::Invalid { field: "media" });
                }
                Ok(Fetch::Locate(self.request(Method::Get, &format!("/{id}"))))
            }
            MediaSource::Url(url) => Ok(Fetch::File(self.fetch(url))),
        }
    }

    fn located(&self, response: &Response) -> Result<Request, Failure> {
        answer::link(response).map(|url| self.fetch(&url))
    }

    fn upload(&self, mime: &str, name: &str, bytes: &[u8]) -> Result<Request, Refusal> {
        Ok(answer::form(
            self.request(Method::Post, "/media"),
            mime,
            name,
            bytes,
        ))
    }

    fn uploaded(&self, response: &Response) -> Result<String, Failure> {
        answer::uploaded(response)
    }

    fn block(&self, customer: &PeerId, blocked: bool) -> Result<Request, Refusal> {
        let method = if blocked {
            Method::Post
        } else {
            Method::Delete
        };
        let body = write::block(customer, self.scope())?.to_string();
        Ok(self.request(method, "/block_users").body(JSON, body))
    }

    fn set_up(&self, webhook: &str) -> Vec<Request> {
        let secret = self.config.webhook_secret.expose();
        let body = json!({"url": webhook, "headers": {SECRET_HEADER: secret}});
        let request = self.request(Method::Post, WEBHOOK_PATH);
        vec![request.body(JSON, body.to_string())]
    }

    fn checks(&self) -> Vec<(Check, Request)> {
        vec![(Check::Subscription, self.request(Method::Get, WEBHOOK_PATH))]
    }

    fn checked(&self, check: Check, response: &Response) -> Result<Vec<Finding>, Failure> {
        health::found(check, response)
    }

    fn templates(&self, after: Option<&str>) -> Result<Request, Refusal> {
        let offset = after.unwrap_or("0");
        if !offset.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::Invalid { field: "after" });
        }
        let path = format!("/v1/configs/templates?limit=100&offset={offset}");
        Ok(self.request(Method::Get, &path))
    }

    fn templates_listed(&self, response: &Response) -> Result<TemplatePage, Failure> {
        Template::listed_by_meta(response)
    }
}

const WEBHOOK_PATH: &str = "/v1/configs/webhook";
const JSON: &str = "application/json";

//! WhatsApp as Gupshup carries it (version 2 of its webhooks; version 3 is Meta's words).

mod read;
mod write;

use serde::Deserialize;

use crate::capabilities::Capabilities;
use crate::connector::{Connector, Fetch, Forged, Refusal, Unreadable, Webhook};
use crate::event::{Event, MediaSource};
use crate::failure::Failure;
use crate::json::{self, Fields};
use crate::peer::PeerId;
use crate::proof;
use crate::secret::Secret;
use crate::send::{Accepted, Method, OutContent, Outgoing, Request, Response};
use crate::template::{Template, TemplatePage};
use crate::whatsapp::meta::answer;
use crate::whatsapp::meta::read::Scope;
use crate::whatsapp::{InvalidConfig, WHATSAPP, errors, filled, is_address, is_number, telephone};

/// What Gupshup must be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the app.
    pub app: String,
    /// The id of the app, which has the templates. Empty: they are not listed.
    #[serde(default)]
    pub app_id: String,
    /// The number, in digits with country and area.
    pub number: String,
    /// The key of the account.
    pub api_key: Secret,
    /// What we made up for webhooks, which are not signed: Gupshup sends it in a header that it is
    /// given, or the address ends with `?secret=…`.
    pub webhook_secret: Secret,
    /// The business portfolio, within which the ids of users are theirs. Empty: the app.
    #[serde(default)]
    pub portfolio_id: String,
    /// Where Gupshup is. A simulator may stand for it.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://api.gupshup.io".to_owned()
}

/// One app at Gupshup.
#[derive(Debug)]
pub struct Gupshup {
    config: Config,
    capabilities: Capabilities,
}

impl Gupshup {
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
        filled(&[("app", &config.app)], &secrets)?;
        is_number(&config.number)?;
        is_address("base_url", &config.base_url)?;
        if config.portfolio_id.is_empty() {
            config.portfolio_id.clone_from(&config.app);
        }
        let capabilities = Capabilities {
            read_receipts: false,
            typing: false,
            ask_phone: false,
            ask_location: false,
            correlation: false,
            answer_within_ms: 10_000,
            ..WHATSAPP
        };
        Ok(Self {
            config,
            capabilities,
        })
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.config.base_url);
        Request::new(method, url).secret_header("apikey", self.config.api_key.expose())
    }
}

impl Connector for Gupshup {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn account(&self) -> Option<&str> {
        Some(&self.config.app)
    }

    fn verify(&self, webhook: &Webhook<'_>) -> Result<(), Forged> {
        proof::shared_secret(webhook, &self.config.webhook_secret)
    }

    fn address<'a>(&self, ids: &'a [PeerId]) -> Option<&'a PeerId> {
        telephone(ids)
    }

    fn read(&self, webhook: &Webhook<'_>) -> Result<Vec<Event>, Unreadable> {
        let portfolio = self.config.portfolio_id.as_str();
        let parent = portfolio;
        let scope = Scope { portfolio, parent };
        read::read(webhook.body, &self.config.app, scope)
    }

    fn send(&self, message: &Outgoing) -> Result<Request, Refusal> {
        self.capabilities.check(&message.content)?;
        let form = write::form(&self.config, message)?;
        let is_template = matches!(message.content, OutContent::Template(_));
        let path = if is_template {
            "/wa/api/v1/template/msg"
        } else {
            "/wa/api/v1/msg"
        };
        let form_type = "application/x-www-form-urlencoded";
        Ok(self.request(Method::Post, path).body(form_type, form))
    }

    fn answered(&self, response: &Response) -> Result<Accepted, Failure> {
        let body = json::parse(&response.body).unwrap_or_default();
        match (response.status, body.id("messageId")) {
            (200..=299, Some(id)) => Ok(Accepted {
                id,
                learned: vec![],
            }),
            // Refusals come with 2xx as well, and say so.
            (200..=299, None) if body.text("status").as_deref() == Some("error") => {
                Err(errors::of_http(&Response {
                    status: 400,
                    ..response.clone()
                }))
            }
            _ => Err(errors::of_http(response)),
        }
    }

    fn media(&self, source: &MediaSource) -> Result<Fetch, Refusal> {
        match source {
            MediaSource::Url(url) => Ok(answer::plain(url)),
            MediaSource::Id(_) => Err(Refusal::Invalid { field: "media" }),
        }
    }

    fn templates(&self, _after: Option<&str>) -> Result<Request, Refusal> {
        if self.config.app_id.is_empty() {
            return Err(Refusal::Empty { field: "app_id" });
        }
        let path = format!("/wa/app/{}/template", self.config.app_id);
        Ok(self.request(Method::Get, &path))
    }

    fn templates_listed(&self, response: &Response) -> Result<TemplatePage, Failure> {
        Template::listed_by_gupshup(response)
    }
}

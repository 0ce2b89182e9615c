//! WhatsApp as Twilio carries it: forms instead of JSON, and a signature over the address.

mod read;
mod write;

use serde::Deserialize;

use crate::capabilities::{Capabilities, TextMax};
use crate::connector::{Connector, Fetch, Forged, Refusal, Unreadable, Webhook};
use crate::event::{Event, HealthLevel, MediaSource};
use crate::failure::Failure;
use crate::health::{Check, Fact, Finding};
use crate::json::{self, Fields};
use crate::peer::PeerId;
use crate::proof;
use crate::secret::Secret;
use crate::send::{Accepted, Method, Outgoing, Request, Response, host};
use crate::template::{Template, TemplatePage};
use crate::whatsapp::{InvalidConfig, WHATSAPP, errors, filled, is_address, is_number, telephone};

/// What Twilio must be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The id of the account (`AC…`).
    pub account_sid: String,
    /// Its token, with which webhooks are signed.
    pub auth_token: Secret,
    /// The number, in digits with country and area.
    pub number: String,
    /// The public address of the webhook, to which statuses are sent. Empty: as the account says.
    #[serde(default)]
    pub status_url: String,
    /// Where messages go. A simulator may stand for it.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// Where templates are. A simulator may stand for it.
    #[serde(default = "content_url")]
    pub content_url: String,
}

fn base_url() -> String {
    "https://api.twilio.com".to_owned()
}

fn content_url() -> String {
    "https://content.twilio.com".to_owned()
}

/// One number at Twilio.
#[derive(Debug)]
pub struct Twilio {
    config: Config,
    capabilities: Capabilities,
}

impl Twilio {
    /// Takes the configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn new(config: Config) -> Result<Self, InvalidConfig> {
        let secrets = [("auth_token", &config.auth_token)];
        filled(&[("account_sid", &config.account_sid)], &secrets)?;
        is_number(&config.number)?;
        is_address("base_url", &config.base_url)?;
        is_address("content_url", &config.content_url)?;
        let capabilities = Capabilities {
            text_max: TextMax::Chars(1_600),
            choices: None,
            replies: false,
            reactions: false,
            read_receipts: false,
            typing: false,
            ask_phone: false,
            ask_location: false,
            correlation: false,
            costs: false,
            answer_within_ms: 15_000,
            acknowledge: 204,
            ..WHATSAPP
        };
        Ok(Self {
            config,
            capabilities,
        })
    }

    fn request(&self, method: Method, url: impl Into<String>) -> Request {
        let Config {
            account_sid,
            auth_token,
            ..
        } = &self.config;
        let login = format!("{account_sid}:{}", auth_token.expose());
        let login = format!("Basic {}", proof::base64(login.as_bytes()));
        Request::new(method, url).secret_header("authorization", login)
    }
}

impl Connector for Twilio {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn account(&self) -> Option<&str> {
        Some(&self.config.number)
    }

    /// The signature is over the public address and every parameter, known to us or not.
    fn verify(&self, webhook: &Webhook<'_>) -> Result<(), Forged> {
        let given = webhook.headers.one(SIGNATURE);
        let given = given.ok_or(Forged::Missing(SIGNATURE))?;
        let given = proof::from_base64(given).ok_or(Forged::Malformed(SIGNATURE))?;
        let parameters = form_urlencoded::parse(webhook.body);
        let mut parameters: Vec<_> = parameters.take(FIELDS_MAX + 1).collect();
        // Whoever sends more is not Twilio, and shall not have us sort millions of them.
        if parameters.len() > FIELDS_MAX {
            return Err(Forged::Wrong);
        }
        parameters.sort();
        parameters.dedup();
        let mut signed = webhook.url.to_owned();
        for (name, value) in &parameters {
            signed.push_str(name);
            signed.push_str(value);
        }
        let key = self.config.auth_token.expose().as_bytes();
        proof::same(&given, &proof::hmac_sha1(key, signed.as_bytes()))
    }

    fn address<'a>(&self, ids: &'a [PeerId]) -> Option<&'a PeerId> {
        telephone(ids)
    }

    fn read(&self, webhook: &Webhook<'_>) -> Result<Vec<Event>, Unreadable> {
        read::read(webhook.body)
    }

    fn send(&self, message: &Outgoing) -> Result<Request, Refusal> {
        self.capabilities.check(&message.content)?;
        let form = write::form(&self.config, message)?;
        let Config {
            base_url,
            account_sid,
            ..
        } = &self.config;
        let url = format!("{base_url}/2010-04-01/Accounts/{account_sid}/Messages.json");
        let form_type = "application/x-www-form-urlencoded";
        Ok(self.request(Method::Post, url).body(form_type, form))
    }

    fn answered(&self, response: &Response) -> Result<Accepted, Failure> {
        let body = json::parse(&response.body).unwrap_or_default();
        if let (200..=299, Some(id)) = (response.status, body.id("sid")) {
            let learned = vec![];
            return Ok(Accepted { id, learned });
        }
        let Some(code) = body.whole("code") else {
            return Err(errors::of_http(response));
        };
        let meaning = errors::known(response.status, errors::twilio(code));
        let text = body.text("message").unwrap_or_default();
        let failure = meaning.failure(code.to_string(), &text);
        Err(errors::with_wait(response, failure))
    }

    fn media(&self, source: &MediaSource) -> Result<Fetch, Refusal> {
        match source {
            // The login goes to Twilio alone, and not along to where it redirects.
            MediaSource::Url(url)
                if host(url).is_some_and(|asked| host(&self.config.base_url) == Some(asked)) =>
            {
                Ok(Fetch::File(self.request(Method::Get, url)))
            }
            MediaSource::Url(url) => Ok(Fetch::File(Request::new(Method::Get, url))),
            MediaSource::Id(_) => Err(Refusal::Invalid { field: "media" }),
        }
    }

    fn checks(&self) -> Vec<(Check, Request)> {
        let Config {
            base_url,
            account_sid,
            ..
        } = &self.config;
        let url = format!("{base_url}/2010-04-01/Accounts/{account_sid}.json");
        vec![(Check::Account, self.request(Method::Get, url))]
    }

    fn checked(&self, _check: Check, response: &Response) -> Result<Vec<Finding>, Failure> {
        let body = json::parse(&response.body).unwrap_or_default();
        match (response.status, body.text("status")) {
            (200..=299, Some(status)) => {
                let level = match status.as_str() {
                    "active" => HealthLevel::Note,
                    _ => HealthLevel::Alarm,
                };
                Ok(vec![Finding::new(Fact::Status, status, level)])
            }
            _ => Err(errors::of_http(response)),
        }
    }

    fn templates(&self, after: Option<&str>) -> Result<Request, Refusal> {
        let base = &self.config.content_url;
        match after {
            None => {
                let url = format!("{base}/v1/ContentAndApprovals?PageSize=100");
                Ok(self.request(Method::Get, url))
            }
            Some(next) if host(next).is_some_and(|asked| host(base) == Some(asked)) => {
                Ok(self.request(Method::Get, next))
            }
            Some(_) => Err(Refusal::Invalid { field: "after" }),
        }
    }

    fn templates_listed(&self, response: &Response) -> Result<TemplatePage, Failure> {
        Template::listed_by_twilio(response)
    }
}

const SIGNATURE: &str = "x-twilio-signature";

/// Twilio sends some forty parameters.
const FIELDS_MAX: usize = 1_000;

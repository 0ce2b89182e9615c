//! WhatsApp as Meta itself carries it: the Cloud API of the Graph.

use serde::Deserialize;
use serde_json::json;

use crate::capabilities::{Capabilities, Rate};
use crate::connector::{Connector, Fetch, Forged, Refusal, Unreadable, Webhook};
use crate::event::{Event, MediaSource};
use crate::failure::Failure;
use crate::health::{Check, Finding};
use crate::peer::PeerId;
use crate::proof;
use crate::secret::Secret;
use crate::send::{Accepted, Method, OutContent, Outgoing, Request, Response, Signal, host};
use crate::template::{Template, TemplatePage};
use crate::whatsapp::meta::read::Scope;
use crate::whatsapp::meta::{answer, health, read, write};
use crate::whatsapp::{InvalidConfig, WHATSAPP, filled, is_address};

/// What the Cloud API must be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The id of the number.
    pub phone_number_id: String,
    /// The id of the business account, which has the templates.
    pub waba_id: String,
    /// The business portfolio, within which the ids of users are theirs. Empty: the account.
    #[serde(default)]
    pub portfolio_id: String,
    /// The parent of portfolios, where there is one.
    #[serde(default)]
    pub parent_portfolio_id: String,
    /// The token of a system user with `whatsapp_business_messaging` and `whatsapp_business_management`.
    pub access_token: Secret,
    /// The secret of the app, with which webhooks are signed.
    pub app_secret: Secret,
    /// What we made up for the handshake.
    pub verify_token: Secret,
    /// Whether advertising goes by the Marketing Messages API (error 131063 asks for it).
    #[serde(default)]
    pub marketing_messages: bool,
    /// Whether the app asks for a proof of its secret beside the token.
    #[serde(default)]
    pub appsecret_proof: bool,
    /// Whether the number is in use on a telephone as well, and so may send 20 messages a second.
    #[serde(default)]
    pub coexistence: bool,
    /// The version of the Graph.
    #[serde(default = "graph_version")]
    pub graph_version: String,
    /// Where the Graph is. A simulator may stand for it.
    #[serde(default = "graph_url")]
    pub base_url: String,
}

fn graph_version() -> String {
    "v25.0".to_owned()
}

fn graph_url() -> String {
    "https://graph.facebook.com".to_owned()
}

/// The Cloud API of one number.
#[derive(Debug)]
pub struct Cloud {
    config: Config,
    capabilities: Capabilities,
}

impl Cloud {
    /// Takes the configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn new(mut config: Config) -> Result<Self, InvalidConfig> {
        let texts = [
            ("phone_number_id", config.phone_number_id.as_str()),
            ("waba_id", &config.waba_id),
            ("graph_version", &config.graph_version),
        ];
        let secrets = [
            ("access_token", &config.access_token),
            ("app_secret", &config.app_secret),
            ("verify_token", &config.verify_token),
        ];
        filled(&texts, &secrets)?;
        is_address("base_url", &config.base_url)?;
        if config.portfolio_id.is_empty() {
            config.portfolio_id.clone_from(&config.waba_id);
        }
        if config.parent_portfolio_id.is_empty() {
            config.parent_portfolio_id.clone_from(&config.portfolio_id);
        }
        let mut capabilities = Capabilities {
            upload: true,
            ..WHATSAPP
        };
        if config.coexistence {
            capabilities.rates.identity = COEXISTENCE_RATE;
        }
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
        let Config {
            base_url,
            graph_version,
            access_token,
            app_secret,
            appsecret_proof,
            ..
        } = &self.config;
        let mut url = format!("{base_url}/{graph_version}/{path}");
        if *appsecret_proof {
            let key = app_secret.expose().as_bytes();
            let proof = proof::hmac_sha256(key, &[access_token.expose().as_bytes()]);
            url.push(if path.contains('?') { '&' } else { '?' });
            url.push_str("appsecret_proof=");
            url.push_str(&hex::encode(proof));
        }
        let token = format!("Bearer {}", access_token.expose());
        Request::new(method, url).secret_header("authorization", token)
    }

    /// Whether the token may go to a host: Meta's, or that of the simulator.
    fn is_theirs(&self, url: &str) -> bool {
        let Some(asked) = host(url) else { return false };
        let is_meta = |domain: &str| asked == domain || asked.ends_with(&format!(".{domain}"));
        let meta = url.starts_with("https://")
            && ["facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net"]
                .into_iter()
                .any(is_meta);
        meta || host(&self.config.base_url) == Some(asked)
    }
}

impl Connector for Cloud {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn account(&self) -> Option<&str> {
        Some(&self.config.phone_number_id)
    }

    fn verify(&self, webhook: &Webhook<'_>) -> Result<(), Forged> {
        let given = webhook.headers.one(SIGNATURE);
        let given = given.ok_or(Forged::Missing(SIGNATURE))?;
        let is_lower = |text: &&str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let given = given
            .strip_prefix("sha256=")
            .filter(is_lower)
            .and_then(|text| hex::decode(text).ok());
        let given = given.ok_or(Forged::Malformed(SIGNATURE))?;
        let key = self.config.app_secret.expose().as_bytes();
        proof::same(&given, &proof::hmac_sha256(key, &[webhook.body]))
    }

    fn address<'a>(&self, ids: &'a [PeerId]) -> Option<&'a PeerId> {
        write::address(ids, self.scope())
    }

    fn handshake(&self, query: &str) -> Option<String> {
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(query.as_bytes());
            fields
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let token = field("hub.verify_token")?;
        let expected = self.config.verify_token.expose();
        proof::same(token.as_bytes(), expected.as_bytes()).ok()?;
        let challenge =
            field("hub.challenge").filter(|_| field("hub.mode").as_deref() == Some("subscribe"))?;
        // It is sent back as it is: nothing but what they send, so that nobody can have a page of ours.
        let is_plain = challenge.len() <= CHALLENGE_MAX
            && challenge.bytes().all(|b| b.is_ascii_alphanumeric());
        is_plain.then_some(challenge)
    }

    fn read(&self, webhook: &Webhook<'_>) -> Result<Vec<Event>, Unreadable> {
        read::read(webhook.body, self.scope())
    }

    fn send(&self, message: &Outgoing) -> Result<Request, Refusal> {
        self.capabilities.check(&message.content)?;
        let number = &self.config.phone_number_id;
        let is_marketing = matches!(&message.content, OutContent::Template(template)
            if template.category.eq_ignore_ascii_case("marketing"));
        let kind = if self.config.marketing_messages && is_marketing {
            "marketing_messages"
        } else {
            "messages"
        };
        let path = format!("{number}/{kind}");
        let body = write::message(message, self.scope())?;
        Ok(self
            .request(Method::Post, &path)
            .body(JSON, body.to_string()))
    }

    fn answered(&self, response: &Response) -> Result<Accepted, Failure> {
        answer::accepted(response, self.scope())
    }

    fn signal(&self, signal: &Signal) -> Result<Request, Refusal> {
        let path = format!("{}/messages", self.config.phone_number_id);
        let body = write::signal(signal).to_string();
        Ok(self.request(Method::Post, &path).body(JSON, body))
    }

    fn media(&self, source: &MediaSource) -> Result<Fetch, Refusal> {
        match source {
            MediaSource::Id(id) => {
                let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
                if !is_id {
                    return Err(Refusal::Invalid { field: "media" });
                }
                let path = format!("{id}?phone_number_id={}", self.config.phone_number_id);
                Ok(Fetch::Locate(self.request(Method::Get, &path)))
            }
            MediaSource::Url(url) => Ok(Fetch::File(self.fetch(url))),
        }
    }

    fn located(&self, response: &Response) -> Result<Request, Failure> {
        answer::link(response).map(|url| self.fetch(&url))
    }

    fn upload(&self, mime: &str, name: &str, bytes: &[u8]) -> Result<Request, Refusal> {
        let path = format!("{}/media", self.config.phone_number_id);
        Ok(answer::form(
            self.request(Method::Post, &path),
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
        let path = format!("{}/block_users", self.config.phone_number_id);
        let body = write::block(customer, self.scope())?.to_string();
        Ok(self.request(method, &path).body(JSON, body))
    }

    fn set_up(&self, webhook: &str) -> Vec<Request> {
        let path = format!("{}/subscribed_apps", self.config.waba_id);
        let verify_token = self.config.verify_token.expose();
        let body = json!({"override_callback_uri": webhook, "verify_token": verify_token});
        vec![
            self.request(Method::Post, &path)
                .body(JSON, body.to_string()),
        ]
    }

    fn checks(&self) -> Vec<(Check, Request)> {
        let Config {
            phone_number_id,
            waba_id,
            access_token,
            ..
        } = &self.config;
        let token: String =
            form_urlencoded::byte_serialize(access_token.expose().as_bytes()).collect();
        let asked = [
            (
                Check::Account,
                format!("{phone_number_id}?fields={NUMBER_FIELDS}"),
            ),
            (Check::Token, format!("debug_token?input_token={token}")),
            (Check::Subscription, format!("{waba_id}/subscribed_apps")),
        ];
        let request = |(check, path): (Check, String)| (check, self.request(Method::Get, &path));
        asked.into_iter().map(request).collect()
    }

    fn checked(&self, check: Check, response: &Response) -> Result<Vec<Finding>, Failure> {
        health::found(check, response)
    }

    fn templates(&self, after: Option<&str>) -> Result<Request, Refusal> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("fields", TEMPLATE_FIELDS)
            .append_pair("limit", "100");
        if let Some(after) = after {
            query.append_pair("after", after);
        }
        let path = format!(
            "{}/message_templates?{}",
            self.config.waba_id,
            query.finish()
        );
        Ok(self.request(Method::Get, &path))
    }

    fn templates_listed(&self, response: &Response) -> Result<TemplatePage, Failure> {
        Template::listed_by_meta(response)
    }
}

impl Cloud {
    /// A file at a link; the token goes along to Meta alone.
    fn fetch(&self, url: &str) -> Request {
        let request = Request::new(Method::Get, url);
        if !self.is_theirs(url) {
            return request;
        }
        let token = format!("Bearer {}", self.config.access_token.expose());
        request.secret_header("authorization", token)
    }
}

const SIGNATURE: &str = "x-hub-signature-256";
const JSON: &str = "application/json";
const NUMBER_FIELDS: &str = "display_phone_number,verified_name,name_status,quality_rating,\
     messaging_limit_tier,status,throughput";
const TEMPLATE_FIELDS: &str =
    "id,name,language,status,category,parameter_format,quality_score,components";

/// What a number sends that is in use on a telephone as well: 20 messages a second.
const COEXISTENCE_RATE: Rate = Rate {
    every_us: 50_000,
    burst: 20,
};

/// Meta's challenges have some ten digits.
const CHALLENGE_MAX: usize = 128;

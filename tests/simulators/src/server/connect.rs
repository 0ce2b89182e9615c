//! Connects the demo company to the simulator, by the company's own API: what anybody would do by hand.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Simulator, courier};
use crate::demo;
use crate::provider::Provider;

/// Why the demo company is not connected.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// Its program made no logins there.
    #[error("{0}: no logins of a demo company")]
    NoLogins(String),
    /// Nobody answers, or not as expected.
    #[error("{0}")]
    Company(String),
}

impl Simulator {
    /// Waits for the company's program, logs in as `logins` say (`demo-logins.json` of its data folder),
    /// makes the channels that are missing, and has each provider tell it what happens.
    ///
    /// # Errors
    ///
    /// [`NotConnected`].
    pub async fn connect(&self, logins: &Path) -> Result<(), NotConnected> {
        let mut company = Company::log_in(&self.shared.target(), logins).await?;
        let service = company.service().await?;
        for provider in Provider::WHATSAPP {
            let channel = company.channel(self, provider, &service).await?;
            let path = channel["receive_path"].as_str().unwrap_or_default();
            self.tells(provider, path, demo::webhook_headers(provider));
            let path = format!(
                "/api/v1/channels/{}/templates/refresh",
                text(&channel, "id")?
            );
            company.post(path, json!({})).await?;
        }
        self.connect_erp(&mut company, &service).await
    }

    async fn connect_erp(&self, company: &mut Company, service: &str) -> Result<(), NotConnected> {
        let channel = company.channel(self, Provider::Erp, service).await?;
        let id = text(&channel, "id")?;
        let path = format!("/api/v1/channels/{id}");
        // Secrets are shown once; whoever forgot them asks for others.
        let rotated = company.post(format!("{path}/webhook-secret"), json!({}));
        let secret = text(&rotated.await?, "webhook_secret")?;
        let key = company.new_key(&format!("{path}/keys")).await?;
        let path = format!("{path}/receive_hook");
        self.tells(Provider::Erp, &path, &[("x-api-key", &key)]);
        self.with(|world, _| world.set_signing_secret(Some(secret)));
        Ok(())
    }
}

/// The company's program, as its administrator sees it.
struct Company {
    url: String,
    headers: Vec<(String, String)>,
    company: String,
}

impl Company {
    async fn log_in(url: &str, logins: &Path) -> Result<Self, NotConnected> {
        let mut company = Self {
            url: url.trim_end_matches('/').to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            company: String::new(),
        };
        company.is_there().await?;
        let known = tokio::fs::read(logins).await.unwrap_or_default();
        let known: Value = serde_json::from_slice(&known).unwrap_or_default();
        let none = || NotConnected::NoLogins(logins.display().to_string());
        let email = known["administrator"].as_str().ok_or_else(none)?;
        let login = json!({"email": email, "password": known["password"]});
        let answer = company.ask("POST", "/api/v1/session", Some(&login)).await?;
        let cookie = answer.cookie.split(';').next().unwrap_or_default();
        company
            .headers
            .push(("cookie".to_owned(), cookie.to_owned()));
        let csrf = text(&json_of(&answer)?, "csrf")?;
        company.headers.push(("x-csrf-token".to_owned(), csrf));
        let companies = company.get("/api/v1/companies").await?;
        let mut companies = items(&companies).iter();
        let ours = companies.find(|one| one["name"] == demo::COMPANY);
        company.company = text(ours.unwrap_or(&Value::Null), "id")?;
        Ok(company)
    }

    /// Waits until somebody answers.
    async fn is_there(&self) -> Result<(), NotConnected> {
        let url = format!("{}/health", self.url);
        for _ in 0..TRIES {
            let answer = courier::get(&url, ANSWER_WITHIN).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        Err(NotConnected::Company(format!("nobody answers at {url}")))
    }

    /// The service to which those who write come.
    async fn service(&mut self) -> Result<String, NotConnected> {
        let services = self.get("/api/v1/services").await?;
        let items = items(&services);
        let support = items.iter().find(|one| one["name"] == "Suporte");
        text(support.or(items.first()).unwrap_or(&Value::Null), "id")
    }

    /// The channel of a provider, which is made if it is missing and changed if the simulator is
    /// elsewhere than it was.
    async fn channel(
        &mut self,
        simulator: &Simulator,
        provider: Provider,
        service: &str,
    ) -> Result<Value, NotConnected> {
        let asked = wanted(simulator, provider, service);
        let channels = self.get("/api/v1/channels").await?;
        let mut channels = items(&channels).iter();
        let known = channels.find(|one| one["name"] == asked["name"]);
        match known {
            Some(known) if is_here(known, &asked) => Ok(known.clone()),
            Some(known) => {
                let path = format!("/api/v1/channels/{}", text(known, "id")?);
                self.answered("PUT", &path, Some(&asked)).await
            }
            None => self.post("/api/v1/channels".to_owned(), asked).await,
        }
    }

    /// A new key, in the place of those of earlier runs.
    async fn new_key(&self, path: &str) -> Result<String, NotConnected> {
        let keys = self.get(path).await?;
        let old = items(&keys).iter().filter(|key| key["name"] == KEY_NAME);
        for key in old {
            let path = format!("/api/v1/api-keys/{}", text(key, "id")?);
            self.ask("DELETE", &path, None).await?;
        }
        let key = self
            .post(path.to_owned(), json!({"name": KEY_NAME}))
            .await?;
        text(&key, "key")
    }

    async fn get(&self, path: &str) -> Result<Value, NotConnected> {
        self.answered("GET", path, None).await
    }

    async fn post(&self, path: String, body: Value) -> Result<Value, NotConnected> {
        self.answered("POST", &path, Some(&body)).await
    }

    async fn answered(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, NotConnected> {
        json_of(&self.ask(method, path, body).await?)
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<courier::Answer, NotConnected> {
        let company = &self.company;
        let scope = if company.is_empty() {
            String::new()
        } else {
            format!("?company={company}")
        };
        let url = format!("{}{path}{scope}", self.url);
        let body = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let answer = courier::ask(method, &url, &self.headers, body, ANSWER_WITHIN).await;
        let answer = answer.map_err(NotConnected::Company)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let said = String::from_utf8_lossy(&answer.body);
        let text = format!("{method} {url} was answered {}: {said}", answer.status);
        Err(NotConnected::Company(text))
    }
}

/// What is asked of the company's program for a provider's channel.
fn wanted(simulator: &Simulator, provider: Provider, service: &str) -> Value {
    let life = json!({
        "greeting": {}, "closing": {},
        "expiry": {"warn_minutes": 20, "close_minutes": 30},
    });
    match demo::account(provider, &simulator.api(provider)) {
        Some(account) => json!({
            "name": format!("WhatsApp · {} (simulador)", provider.name()),
            "kind": "whatsapp", "service": service,
            "settings": {"account": account, "life": life},
        }),
        None => json!({
            "name": "ERP (simulador)", "kind": "generic", "service": service,
            "webhook": format!("{}/webhook", simulator.api(provider)),
        }),
    }
}

/// Whether a channel leads to this simulator. What else was set of it is left as it is.
fn is_here(known: &Value, wanted: &Value) -> bool {
    let base = |channel: &Value| channel["settings"]["account"]["base_url"].clone();
    base(known) == base(wanted) && (known["webhook"] == wanted["webhook"])
}

fn json_of(answer: &courier::Answer) -> Result<Value, NotConnected> {
    let json = serde_json::from_slice(&answer.body);
    json.map_err(|error| NotConnected::Company(error.to_string()))
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[], Vec::as_slice)
}

fn text(node: &Value, field: &str) -> Result<String, NotConnected> {
    let text = node[field].as_str().map(str::to_owned);
    text.ok_or_else(|| NotConnected::Company(format!("there is no {field} in {node}")))
}

/// What the keys of the ERP are called.
const KEY_NAME: &str = "Simulador";

/// A program that builds, makes its database and speaks its prompts takes minutes.
const TRIES: u32 = 1_200;
const TRY_EVERY: Duration = Duration::from_millis(500);

/// How long an answer may take: logging in is slow on purpose.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

//! What can be set of a channel of e-mail.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channels::email::compose::Enclosed;
use channels::email::document::Document;
use channels::email::thread::Rules;
use channels::email::{Address, MAIL_BYTES_MAX};
use channels::secret::Secret;
use desk::words;
use gateway_net::files::HEAD_BYTES;
use gateway_net::mail::mailbox::{Account, Protocol};
use gateway_net::mail::oauth::Provider;
use gateway_net::mail::{Credential, Login, Server};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::life::LifeSettings;

/// What can be set of a channel of e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailSettings {
    /// The address that customers write to, and that answers come from.
    pub address: String,
    /// What answers say that they are from; the channel's name when not set.
    #[serde(default)]
    pub sender_name: Option<String>,
    /// Who logs in; the address when not set.
    #[serde(default)]
    pub user: Option<String>,
    /// How: `password`, or by OAuth2 at `google` or `microsoft`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub login: LoginKind,
    /// Never shown again; one that is left out stays as it is.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
    /// The directory of the company at Microsoft, for OAuth2; any when not set.
    #[serde(default)]
    pub tenant: Option<String>,
    /// How mails are read: `imap` or `pop3`.
    #[schema(value_type = String)]
    pub protocol: Protocol,
    /// Where mails are read: `host`, `port`, `security` (`tls`, `starttls` or `none`). The provider's own
    /// when not set.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub receiving: Option<Server>,
    /// Where mails are sent. The provider's own when not set.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub sending: Option<Server>,
    /// Whether the server that sends wants user and password, as nearly all do.
    #[serde(default = "yes")]
    pub sending_login: bool,
    /// What stands below each answer: `paragraphs`, each with `align` (`left`, `center`, `right`, `justify`)
    /// and `runs`. A run is `{"kind": "text", "text"}` with `bold`, `italic`, `underline`, `size` (8 to 48
    /// pixels), `color` (`#1a2b3c`) and `link`; `{"kind": "image", "media", "alt", "width"}`, `media` being
    /// a name in `pictures`; or `{"kind": "break"}`.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"paragraphs": [{"align": "left", "runs": [
        {"kind": "text", "text": "Ana Souza", "bold": true, "size": 14, "color": "#176b5b"}, {"kind": "break"},
        {"kind": "text", "text": "Atendimento", "italic": true}, {"kind": "image", "media": "logo", "alt": "Loja"}]}]}))]
    pub signature: Document,
    /// The pictures in it, by the name under which it shows them (`media`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pictures: BTreeMap<String, Picture>,
    /// Whether answers go to all who had the customer's mail, rather than to its author alone.
    #[serde(default)]
    pub reply_to_all: bool,
    /// Whether answers show below what they answer.
    #[serde(default = "yes")]
    pub quote: bool,
    /// For how many hours after its end an interaction comes back when the customer answers. 0: never.
    #[serde(default = "reopen_hours")]
    #[schema(minimum = 0, maximum = 720)]
    pub reopen_hours: u32,
    /// Of a mailbox that was never read: how many days before the channel was made unread mails are
    /// taken from.
    #[serde(default = "since_days")]
    #[schema(minimum = 0, maximum = 365)]
    pub since_days: u32,
    /// Whether mails are deleted from the mailbox once they are here (POP3 alone).
    #[serde(default)]
    pub delete_read: bool,
    /// Whether a copy of each answer is laid with the sent mails of the mailbox (IMAP alone; Google and
    /// Microsoft do so by themselves).
    #[serde(default = "yes")]
    pub keep_sent: bool,
    /// Whether reports that a mail did not arrive make work, where we do not know the mail.
    #[serde(default)]
    pub bounces_make_work: bool,
    /// Whether answers of those who are absent make work.
    #[serde(default)]
    pub auto_replies_make_work: bool,
    /// What the company's own server calls itself in `Authentication-Results`: by its word alone a sender
    /// is shown as verified. Google's own where one logs in there.
    #[serde(default)]
    pub authentication_server: Option<String>,
    /// What is answered by itself. Programs are never answered.
    #[serde(default)]
    pub life: LifeSettings,
}

/// A picture of a signature: PNG, JPEG or GIF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// What it is called.
    pub name: String,
    /// Its bytes, in base64.
    pub data: String,
}

impl Picture {
    /// As it goes into a mail; none of what is no picture.
    pub fn enclosed(&self) -> Option<Enclosed> {
        let bytes = STANDARD.decode(&self.data).ok()?;
        let mime = gateway_net::files::sniff(bytes.get(..HEAD_BYTES).unwrap_or(&bytes));
        let is_picture = matches!(mime, "image/png" | "image/jpeg" | "image/gif");
        is_picture.then(|| Enclosed {
            name: self.name.clone(),
            mime: mime.to_owned(),
            bytes,
        })
    }
}

words! {
    /// How a mailbox is logged into.
    #[derive(Default)]
    LoginKind {
        /// By user and password.
        #[default]
        Password = "password",
        /// By OAuth2 at Google.
        Google = "google",
        /// By OAuth2 at Microsoft.
        Microsoft = "microsoft",
    }
}

impl LoginKind {
    /// Who gives the tokens.
    pub fn provider(self) -> Option<Provider> {
        match self {
            Self::Password => None,
            Self::Google => Some(Provider::Google),
            Self::Microsoft => Some(Provider::Microsoft),
        }
    }
}

impl EmailSettings {
    /// Those of a channel as the store has them.
    pub fn of(channel: &store::channels::Channel) -> Option<Self> {
        serde_json::from_value(channel.settings.clone()).ok()
    }

    /// The first field that cannot be taken, if any.
    pub fn wrong(&self) -> Option<&'static str> {
        let is_named = |server: &Server| !server.host.trim().is_empty() && server.port > 0;
        let is_provided = self.login != LoginKind::Password;
        if Address::parse(&self.address).is_none() {
            return Some("address");
        }
        if self.reopen_hours > REOPEN_HOURS_MAX {
            return Some("reopen_hours");
        }
        if self.since_days > SINCE_DAYS_MAX {
            return Some("since_days");
        }
        if !self.receiving.as_ref().map_or(is_provided, is_named) {
            return Some("receiving");
        }
        if !self.sending.as_ref().map_or(is_provided, is_named) {
            return Some("sending");
        }
        let bytes: usize = self
            .pictures
            .values()
            .map(|picture| picture.data.len())
            .sum();
        let is_picture = |picture: &Picture| picture.enclosed().is_some();
        if bytes > PICTURES_BYTES_MAX || !self.pictures.values().all(is_picture) {
            return Some("pictures");
        }
        let has = |name: &&str| self.pictures.contains_key(*name);
        if self.signature.check().is_err() || !self.signature.pictures().iter().all(has) {
            return Some("signature");
        }
        // Microsoft takes no passwords from programs any more, so what is asked for cannot work.
        let at_microsoft = [&self.receiving, &self.sending]
            .into_iter()
            .flatten()
            .any(|server| {
                let host = server
                    .host
                    .trim()
                    .trim_end_matches('.')
                    .to_ascii_lowercase();
                host.ends_with(".office365.com") || host.ends_with(".outlook.com")
            });
        let cannot_login = self.login == LoginKind::Password && at_microsoft;
        cannot_login
            .then_some("login")
            .or_else(|| self.life.wrong())
    }

    /// Takes the secrets out, beside those that stay from before. A password stays with the server and
    /// the user that it was given for: who may change these is not to learn it by that.
    pub fn split(&mut self, before: Option<&Self>, kept: Map<String, Value>) -> Map<String, Value> {
        let mut secrets = kept;
        let moved = before.is_some_and(|before| {
            !self.is_same_mailbox(before)
                || before.login != self.login
                || before.sending() != self.sending()
                || before.address != self.address
        });
        if moved {
            secrets.remove(PASSWORD);
            secrets.remove(REFRESH_TOKEN);
        }
        if let Some(password) = self.password.take() {
            secrets.insert(PASSWORD.to_owned(), Value::String(password));
        }
        secrets
    }

    /// Whether mails are read where they were.
    pub fn is_same_mailbox(&self, before: &Self) -> bool {
        before.protocol == self.protocol
            && before.receiving() == self.receiving()
            && before.user() == self.user()
    }

    /// Whether there is what it takes to log in.
    pub fn has_secret(&self, secrets: &Map<String, Value>) -> bool {
        // The permission of a provider is given afterwards.
        self.login != LoginKind::Password || !secret(secrets, PASSWORD).is_empty()
    }

    /// Who logs in.
    pub fn user(&self) -> &str {
        self.user.as_deref().unwrap_or(&self.address)
    }

    /// The server by whose word senders are verified.
    pub fn verifier(&self) -> Option<&str> {
        let usual = (self.login == LoginKind::Google).then_some("mx.google.com");
        self.authentication_server.as_deref().or(usual)
    }

    /// Where mails are read.
    pub fn receiving(&self) -> Option<Server> {
        let provided = || {
            let [imap, pop3, _] = self.login.provider()?.servers();
            Some(match self.protocol {
                Protocol::Imap => imap,
                Protocol::Pop3 => pop3,
            })
        };
        self.receiving.clone().or_else(provided)
    }

    /// Where mails are sent.
    pub fn sending(&self) -> Option<Server> {
        let provided = || {
            let [_, _, smtp] = self.login.provider()?.servers();
            Some(smtp)
        };
        self.sending.clone().or_else(provided)
    }

    /// The mailbox, for whoever has this credential.
    pub fn account(&self, credential: Credential) -> Option<Account> {
        Some(Account {
            protocol: self.protocol,
            server: self.receiving()?,
            login: self.login_by(credential),
            delete: self.delete_read && self.protocol == Protocol::Pop3,
            bytes_max: MAIL_BYTES_MAX,
        })
    }

    /// Who logs in, with this credential.
    pub fn login_by(&self, credential: Credential) -> Login {
        Login {
            user: self.user().to_owned(),
            credential,
        }
    }

    /// The pictures of the signature, as they go into a mail.
    pub fn enclosed(&self) -> BTreeMap<String, Enclosed> {
        let enclosed =
            |(name, picture): (&String, &Picture)| Some((name.clone(), picture.enclosed()?));
        self.pictures.iter().filter_map(enclosed).collect()
    }

    /// How mails are sorted.
    pub fn rules(&self) -> Rules {
        Rules {
            reopen_ms: self.reopen_ms(),
            bounces_make_work: self.bounces_make_work,
            auto_replies_make_work: self.auto_replies_make_work,
            ..Rules::default()
        }
    }

    /// For how long an interaction comes back, in milliseconds.
    pub fn reopen_ms(&self) -> i64 {
        i64::from(self.reopen_hours) * 3_600_000
    }

    /// From when on unread mails are taken, of a channel that was made then.
    pub fn since_ms(&self, created_ms: i64) -> i64 {
        created_ms - i64::from(self.since_days) * 24 * 3_600_000
    }
}

/// A secret of an account; empty where there is none.
pub fn secret(secrets: &Map<String, Value>, name: &str) -> Secret {
    let text = secrets.get(name).and_then(Value::as_str);
    Secret::new(text.unwrap_or_default())
}

/// The password of a mailbox among the secrets of its channel.
pub const PASSWORD: &str = "password";

/// By which new tokens are asked for.
pub const REFRESH_TOKEN: &str = "refresh_token";

/// By which our own mails are known again.
pub const THREAD_KEY: &str = "thread_key";

fn yes() -> bool {
    true
}

/// A week, as people answer mails.
fn reopen_hours() -> u32 {
    168
}

/// Who tries a channel out has sent a mail before.
fn since_days() -> u32 {
    1
}

/// A month: what comes later is another matter.
const REOPEN_HOURS_MAX: u32 = 720;

/// In base64. It goes with every answer.
const PICTURES_BYTES_MAX: usize = 512 * 1024;

/// A year of unread mails is nobody's work any more.
const SINCE_DAYS_MAX: u32 = 365;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(more: Value) -> EmailSettings {
        let mut all = json!({
            "address": "sac@loja.example",
            "protocol": "imap",
            "receiving": {"host": "imap.loja.example", "port": 993, "security": "tls"},
            "sending": {"host": "smtp.loja.example", "port": 465, "security": "tls"},
        });
        if let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        serde_json::from_value(all).expect("settings")
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_field() {
        let host = |host: &str| json!({"host": host, "port": 993, "security": "tls"});
        #[rustfmt::skip]
        let rows = [
            (json!({}), None),
            (json!({"address": "sac"}), Some("address")),
            (json!({"reopen_hours": 721}), Some("reopen_hours")),
            (json!({"since_days": 366}), Some("since_days")),
            (json!({"receiving": host(" ")}), Some("receiving")),
            (json!({"sending": null}), Some("sending")),
            (json!({"login": "google", "sending": null, "receiving": null}), None),
            (json!({"receiving": host("outlook.office365.com")}), Some("login")),
            (json!({"receiving": host("outlook.office365.com"), "login": "microsoft"}), None),
            (json!({"signature": {"paragraphs": [{"runs": [{"kind": "text", "text": "x", "color": "red"}]}]}}), Some("signature")),
        ];
        for (more, wrong) in rows {
            assert_eq!(settings(more.clone()).wrong(), wrong, "{more}");
        }
    }

    #[test]
    fn a_password_is_never_shown_and_stays_where_it_was_given_for() {
        let mut first = settings(json!({"password": "segredo"}));
        let secrets = first.split(None, Map::new());
        assert_eq!(secret(&secrets, PASSWORD).expose(), "segredo");
        assert!(first.has_secret(&secrets));
        assert!(!json!(first).to_string().contains("segredo"));
        // Without another word it stays.
        let mut same = settings(json!({"reopen_hours": 1}));
        let kept = same.split(Some(&first), secrets.clone());
        assert_eq!(kept, secrets);
        // It is not carried to another server, nor to another user.
        for more in [
            json!({"receiving": {"host": "imap.outra.example", "port": 993, "security": "tls"}}),
            json!({"sending": {"host": "smtp.loja.example", "port": 25, "security": "none"}}),
            json!({"user": "outra"}),
            json!({"login": "google"}),
        ] {
            let mut other = settings(more.clone());
            let kept = other.split(Some(&first), secrets.clone());
            assert!(secret(&kept, PASSWORD).is_empty(), "{more}");
        }
    }
}

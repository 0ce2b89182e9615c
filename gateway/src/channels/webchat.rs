//! What the web chat brings: the body of its receipts, and what it says to the pipeline.

use std::collections::BTreeMap;

use channels::event::{Content, Media};
use channels::generic::receive::Received;
use channels::secret::Secret;
use channels::webchat::Settings;
use channels::webchat::client::Send;
use channels::webchat::identity;
use channels::webchat::token::VisitorId;
use desk::id::ServiceId;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::life::LifeSettings;

/// What channels of web chats are to the API.
pub const WEBCHAT: &str = "webchat";

/// What can be set of a web chat: how it looks and what it asks (the channel's words), and what it does by
/// itself.
#[derive(Clone, Debug, Default)]
pub struct WebchatSettings {
    /// How it looks and what it asks.
    pub chat: Settings,
    /// For how many minutes after its end a matter comes back when the visitor writes again. 0: never;
    /// they begin anew, and say what it is about.
    pub reopen_minutes: u32,
    /// What it does by itself. What it asks in the end, its window asks.
    pub life: LifeSettings,
}

impl WebchatSettings {
    /// Those that were asked for; none are the usual ones.
    ///
    /// # Errors
    ///
    /// What is wrong with their form.
    pub fn read(asked: Value) -> Result<Self, serde_json::Error> {
        let asked: Option<Map<String, Value>> = serde_json::from_value(asked)?;
        let mut asked = asked.unwrap_or_default();
        let (life, reopen) = (asked.remove("life"), asked.remove("reopen_minutes"));
        Ok(Self {
            chat: serde_json::from_value(Value::Object(asked))?,
            reopen_minutes: reopen.map_or_else(|| Ok(0), serde_json::from_value)?,
            life: life.map_or_else(|| Ok(LifeSettings::default()), serde_json::from_value)?,
        })
    }

    /// The same as they are kept and shown.
    ///
    /// # Errors
    ///
    /// None: text always becomes JSON.
    pub fn value(&self) -> Result<Value, serde_json::Error> {
        let mut value = serde_json::to_value(&self.chat)?;
        value["reopen_minutes"] = self.reopen_minutes.into();
        value["life"] = serde_json::to_value(&self.life)?;
        Ok(value)
    }

    /// The first field that cannot be taken, if any.
    pub fn wrong(&self) -> Option<&'static str> {
        let reopens_late = self.reopen_minutes > REOPEN_MINUTES_MAX;
        // Nothing mails it and nothing keeps its picture: who sets it is not to believe so.
        let unmade = [
            ("transcript", self.chat.transcript),
            ("logo", self.chat.logo.is_some()),
        ];
        let unmade = unmade.into_iter().find(|(_, is_set)| *is_set);
        self.chat
            .wrong()
            .or(unmade.map(|(field, _)| field))
            .or(reopens_late.then_some("reopen_minutes"))
            .or_else(|| self.life.wrong())
    }
}

impl WebchatSettings {
    /// For how long after its end a matter comes back, in milliseconds.
    pub fn reopen_ms(&self) -> i64 {
        i64::from(self.reopen_minutes) * 60_000
    }

    /// Whether a matter that ended then comes back when the visitor writes now.
    pub fn comes_back(&self, ended_ms: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(ended_ms) < self.reopen_ms()
    }
}

/// Makes the secrets that a web chat has from its beginning, unless they are there.
pub fn make_secrets(account: &mut Map<String, Value>, random: &mut impl RngCore) {
    for name in [TOKEN_SECRET, IDENTITY_SECRET] {
        let secret = || Value::String(identity::secret(random).expose().to_owned());
        account.entry(name).or_insert_with(secret);
    }
}

/// Puts another secret in the place of that by which the site proves its users, which proves still.
pub fn rotate_identity(account: &mut Map<String, Value>, secret: &Secret) {
    let secret = Value::String(secret.expose().to_owned());
    if let Some(before) = account.insert(IDENTITY_SECRET.to_owned(), secret) {
        account.insert(IDENTITY_SECRET_BEFORE.to_owned(), before);
    }
}

/// A message of a visitor, with what is known of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Brought {
    /// Who.
    pub visitor: VisitorId,
    /// Who they are to the shop, which has proven it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Their name, as they told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they sent.
    pub send: Send,
    /// The file of it, as it is in our store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// What they chose to talk about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// What the agent is shown of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Brought {
    /// The body of a receipt.
    pub fn body(&self) -> Vec<u8> {
        // Text always becomes JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The same as any channel brings it; nothing of a body that is none.
    pub(super) fn received(body: &[u8], channel: &str) -> Option<Received> {
        let brought: Self = serde_json::from_slice(body).ok()?;
        let (visitor, user) = (brought.visitor.clone(), brought.user.as_deref());
        let peer = identity::peer(channel, &visitor, user, brought.name.clone());
        let mut message = brought.send.incoming(peer);
        message.id = key(&visitor, &message.id);
        if let (Content::Media(asked), Some(media)) = (&message.content, brought.media) {
            let caption = asked.caption.clone();
            message.content = Content::Media(Media { caption, ..media });
        }
        // Whatever page it was sent from, and whatever was filled in: it is the same message.
        let said = serde_json::to_vec(&brought.send.content).ok()?;
        let digest = Sha256::digest(said);
        Some(Received {
            conversation: visitor.as_str().to_owned(),
            message,
            sent_at_ms: None,
            service: brought.service,
            priority: 0,
            attributes: brought.attributes,
            fingerprint: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

/// Under which a message of a visitor is known on its channel: what one visitor calls theirs is no
/// business of another's.
pub fn key(visitor: &VisitorId, client_message_id: &str) -> String {
    format!("{}:{client_message_id}", visitor.as_str())
}

/// What the visitor called a message that is known so.
pub fn client_message_id(key: &str) -> Option<&str> {
    key.split_once(':').map(|(_, id)| id)
}

/// With what the tokens of visitors are signed, among a web chat's secrets.
const TOKEN_SECRET: &str = "token";

/// With what the site of a web chat proves its users, and the one before it.
pub const IDENTITY_SECRET: &str = "identity";
const IDENTITY_SECRET_BEFORE: &str = "identity_before";

/// The longest after its end that a matter comes back: 30 days, as on other channels.
const REOPEN_MINUTES_MAX: u32 = 30 * 24 * 60;

#[cfg(test)]
mod tests {
    use channels::webchat::client::{ClientContent, Page};
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn brought(text: &str, page: Option<&str>) -> Brought {
        let id = "0123456789abcdef".to_owned();
        Brought {
            visitor: VisitorId::new(&mut StdRng::seed_from_u64(1)),
            user: Some("C-991".to_owned()),
            name: Some("Ana".to_owned()),
            send: Send {
                client_message_id: id.try_into().expect("an id"),
                content: ClientContent::Text {
                    text: text.to_owned(),
                },
                form: None,
                page: page.map(|url| Page {
                    url: url.to_owned(),
                    title: String::new(),
                }),
            },
            media: None,
            service: None,
            attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn a_message_is_the_same_from_whatever_page_it_is_sent_again() {
        let read = |brought: &Brought| Brought::received(&brought.body(), "c1").expect("a message");
        let one = read(&brought("oi", None));
        let again = read(&brought("oi", Some("https://loja.exemplo.com.br/")));
        let other = read(&brought("olá", None));
        assert_eq!(one.message.id, again.message.id);
        assert_eq!(one.fingerprint, again.fingerprint);
        assert_ne!(one.fingerprint, other.fingerprint);
        assert_eq!(one.conversation, brought("oi", None).visitor.as_str());
        assert_eq!(client_message_id(&one.message.id), Some("0123456789abcdef"));
        assert_eq!(one.message.from.ids.len(), 2, "the user and the visitor");
    }

    #[test]
    fn what_is_no_message_of_ours_is_none() {
        for body in ["", "{}", "null", "{\"visitor\":\"x\"}"] {
            assert!(Brought::received(body.as_bytes(), "c1").is_none(), "{body}");
        }
    }
}

//! What a channel tells us, in the same words for every channel.
//!
//! One webhook may hold many events. Each has a [`Event::key`] that is the same whenever the provider
//! tells it again, so that a unique index makes "again" harmless. No provider promises an order.

use desk::words;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::peer::{Peer, PeerId};

/// Something that happened at a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique within a channel. See [`key`].
    pub key: String,
    /// Which of the company's accounts it happened to (a phone number id, a page, a mailbox), as the
    /// provider calls it. Events are routed by it, for one webhook may tell of several accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When, by the provider's clock: milliseconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The customer wrote.
    Message(Incoming),
    /// Our side wrote: by us, or by a person in the provider's own app.
    Echo(Echo),
    /// What became of a message of ours.
    Status(Status),
    /// What a message of ours cost. Told once a message.
    Billed(Billed),
    /// A reaction was put on a message, or taken away. Opens no interaction.
    Reaction(Reaction),
    /// A message was written anew.
    Edited(Edited),
    /// A message was taken back.
    Revoked(Revoked),
    /// The customer read up to a point (channels that do not tell it of each message).
    Read(Read),
    /// The customer types, or stopped.
    Typing(Typing),
    /// The customer opened the chat for the first time and has not written.
    Arrived {
        /// Who.
        peer: Peer,
    },
    /// The customer ended the conversation.
    Closed {
        /// Who.
        peer: Peer,
    },
    /// A customer has another id, number or device.
    Identified(Identified),
    /// A customer allows or forbids advertising.
    Consent(Consent),
    /// Something about a message template.
    Template(TemplateNews),
    /// Something about the account, number or token: for the page of the channel's health.
    Health(Health),
    /// Something about a call over a written channel.
    Call(Call),
    /// Nothing that we know. Kept and counted; shown where it concerns a conversation.
    Unsupported {
        /// What they call it.
        kind: String,
        /// All of it.
        raw: Value,
    },
}

/// Which side of a conversation did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The customer.
    Customer,
    /// Us, or a person of the company in the provider's own app.
    Company,
}

/// What a customer wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incoming {
    /// The provider's id.
    pub id: String,
    /// Who wrote.
    pub from: Peer,
    /// What.
    pub content: Content,
    /// Files beside the content, on channels where one message has a text and files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Media>,
    /// The provider's id of the message to which this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// How it was passed on, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Forwarded>,
    /// The advertisement that brought them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
}

/// A message was not written by whom it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forwarded {
    /// Passed on.
    Once,
    /// Passed on by many.
    Often,
}

/// What our side wrote, as the provider reports it.
///
/// If its id or correlation is one of ours, it only confirms what is known; if not, a person wrote it
/// elsewhere, and it is stored and never sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// The provider's id.
    pub id: String,
    /// Our id, where they give it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// To whom.
    pub to: Peer,
    /// What.
    pub content: Content,
    /// The provider's id of the message to which it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// What is in a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A file.
    Media(Media),
    /// A place.
    Location(Location),
    /// Cards of people.
    Contacts {
        /// The cards.
        cards: Vec<Card>,
    },
    /// An answer chosen among those that were offered.
    Choice(Choice),
    /// Goods ordered from the catalogue.
    Order(Order),
    /// A kind that we do not know, or could not read: shown as such, never dropped.
    Unsupported {
        /// What they call it.
        #[serde(rename = "type")]
        kind: String,
        /// All of it.
        raw: Value,
    },
}

words! {
    /// What a file is to people.
    MediaKind {
        /// A picture.
        Image = "image",
        /// Moving pictures.
        Video = "video",
        /// Sound.
        Audio = "audio",
        /// Anything to open or print.
        Document = "document",
        /// A small picture that stands for a word.
        Sticker = "sticker",
    }
}

impl MediaKind {
    /// What a file of this type is, where nobody says more.
    pub fn of_mime(mime: &str) -> Self {
        match mime.split('/').next() {
            Some("image") => Self::Image,
            Some("video") => Self::Video,
            Some("audio") => Self::Audio,
            Some(_) | None => Self::Document,
        }
    }
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What it is to people, by the channel's words.
    #[serde(rename = "media")]
    pub kind: MediaKind,
    /// Where it is.
    pub source: MediaSource,
    /// Its type as the sender states it. The bytes decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Its name as the sender states it. Not a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Words below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Spoken into the telephone for this message, rather than a file that was at hand.
    #[serde(default, skip_serializing_if = "is_false")]
    pub voice: bool,
    /// SHA-256 of its bytes as the provider states it, in hexadecimal or base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its length as the provider states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Where a file is. Links die within minutes to days: fetch soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// At a link, which a stranger may have written: the shell guards against addresses inside.
    Url(String),
    /// By an id: at the provider; or where it was laid down with us beforehand, by ours.
    Id(String),
}

/// A place on earth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The card of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What they are called.
    pub name: String,
    /// Their telephones, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Their e-mail addresses, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// The company they work for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
}

/// An answer that was chosen rather than typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Among what it was chosen.
    pub among: ChoiceKind,
    /// What we called it.
    pub id: String,
    /// What the customer saw.
    pub title: String,
    /// What was filled in, of a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Value>,
}

words! {
    /// Among what an answer was chosen.
    ChoiceKind {
        /// Buttons below a message.
        Buttons = "buttons",
        /// A list.
        List = "list",
        /// Buttons of a template.
        Template = "template",
        /// A form inside the chat.
        Form = "form",
        /// Whether we may call.
        CallPermission = "call_permission",
    }
}

/// Goods ordered from a catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Which catalogue.
    pub catalog: String,
    /// What the customer wrote with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The goods.
    pub items: Vec<OrderItem>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderItem {
    /// The company's own number of the product.
    pub product: String,
    /// How many.
    pub quantity: u64,
    /// What one costs, in thousandths of the currency.
    pub price_milli: i64,
    /// ISO 4217.
    pub currency: String,
}

/// The advertisement or post by which a customer came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Referral {
    /// `ad` or `post`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its id at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// Its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its picture or film.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_url: Option<String>,
    /// The click, for whoever pays for the advertisement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click: Option<String>,
}

/// What became of a message of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The provider's id of the message: what [`crate::send::Accepted::id`] was.
    pub message: String,
    /// Our id, where they give it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// How far it came.
    pub state: Delivery,
    /// Why no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Which part of the message it is about, counted from 0, where a provider makes parts of one
    /// message and tells of each. See [`Delivery::of_parts`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
    /// The ids of the customer that this told us.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learned: Vec<PeerId>,
}

words! {
    /// How far a message of ours came. It is never shown to have gone back: see [`Delivery::merge`].
    ///
    /// The order is that of the variants. `failed` stands before `delivered`, because a customer with
    /// several devices can give both, and then the message is there.
    Delivery {
        /// We hold it.
        Queued = "queued",
        /// We tried and do not know: never sent again by itself.
        Uncertain = "uncertain",
        /// The provider holds it.
        Accepted = "accepted",
        /// The provider sent it on.
        Sent = "sent",
        /// It will not arrive.
        Failed = "failed",
        /// It is on a device of the customer.
        Delivered = "delivered",
        /// The customer saw it.
        Read = "read",
        /// The customer listened to it.
        Played = "played",
    }
}

impl Delivery {
    /// What is known once both are told, in whatever order and however often: the further of the two.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.max(other)
    }

    /// What a message came to of whose parts each came to its own: the worst of them, so that a part
    /// that is lost is not hidden by one that arrived. None of no parts.
    pub fn of_parts(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let worse = |a: Self, b: Self| match (a, b) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Uncertain, _) | (_, Self::Uncertain) => Self::Uncertain,
            _ => a.min(b),
        };
        parts.into_iter().reduce(worse)
    }
}

/// What a message of ours cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Billed {
    /// The provider's id of the message.
    pub message: String,
    /// Our id, where they give it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// Of what kind it was to the bill (`service`, `utility`, `marketing` …).
    pub category: String,
    /// Whether it is on the bill.
    pub billable: bool,
    /// By what rule (`PMP` by message, `CBP` by conversation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// On what ground it costs or is free (`regular`, `free_customer_service`, `free_entry_point`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
}

/// A reaction, such as a heart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reaction {
    /// With whom the conversation is.
    pub peer: Peer,
    /// Who reacted.
    pub by: Side,
    /// The provider's id of the message reacted to.
    pub message: String,
    /// The reaction; none takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
}

/// A message that was written anew. What it was before is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// With whom the conversation is.
    pub peer: Peer,
    /// Who wrote it anew.
    pub by: Side,
    /// The provider's id of the message as it was first written.
    pub message: String,
    /// What it says.
    pub content: Content,
}

/// A message that was taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revoked {
    /// With whom the conversation is.
    pub peer: Peer,
    /// Who took it back.
    pub by: Side,
    /// The provider's id of it.
    pub message: String,
}

/// The customer read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Who.
    pub peer: Peer,
    /// The provider's id of the last message read, where they name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Everything sent until then is read: milliseconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// The customer types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Typing {
    /// Who.
    pub peer: Peer,
    /// Whether they do, or stopped.
    pub on: bool,
}

/// A customer whose ids changed. The old ids stay theirs, as history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identified {
    /// Who they are from then on.
    pub peer: Peer,
    /// Ids they had.
    pub was: Vec<PeerId>,
    /// What changed.
    pub change: IdentityChange,
}

/// What changed about who a customer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityChange {
    /// Their telephone.
    Number,
    /// The id that the provider gives them.
    Id,
    /// Their device or keys: it may be somebody else. The provider's mark for them as they are.
    Keys(String),
}

/// Whether a customer wants advertising.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    /// Who.
    pub peer: Peer,
    /// Whether they do.
    pub marketing: bool,
}

/// Something about a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateNews {
    /// The provider's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What.
    pub change: TemplateChange,
}

/// What changed about a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateChange {
    /// Whether it can be sent.
    State {
        /// How it stands.
        state: TemplateState,
        /// Why, in the provider's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// How customers take it (`GREEN`, `YELLOW`, `RED`).
    Quality(String),
    /// What it is to the bill, and so what it costs.
    Category(String),
    /// What it says: read the list again.
    Contents,
}

words! {
    /// Whether a template can be sent.
    TemplateState {
        /// The provider looks at it.
        Pending = "pending",
        /// It can be sent.
        Approved = "approved",
        /// It was refused.
        Rejected = "rejected",
        /// Customers complained: it rests for hours.
        Paused = "paused",
        /// Customers complained too often.
        Disabled = "disabled",
        /// It may soon be paused.
        Flagged = "flagged",
        /// It is gone.
        Deleted = "deleted",
    }
}

/// Something about the account itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// How much it matters.
    pub level: HealthLevel,
    /// What they call it.
    pub what: String,
    /// What it says, for people.
    pub text: String,
    /// All of it.
    pub raw: Value,
}

words! {
    /// How much news about an account matters.
    HealthLevel {
        /// To be seen by whoever looks.
        Note = "note",
        /// Worth an administrator's attention.
        Warning = "warning",
        /// The channel does not work, or soon will not.
        Alarm = "alarm",
    }
}

/// A call over a written channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The provider's id of the call.
    pub id: String,
    /// With whom.
    pub peer: Peer,
    /// Who called.
    pub by: Side,
    /// How far it is.
    pub stage: CallStage,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// A session is offered (SDP), to be answered.
    Offered(String),
    /// Our offer is answered (SDP).
    Answered(String),
    /// It rings.
    Ringing,
    /// The customer took it.
    Accepted,
    /// The customer did not want it.
    Rejected,
    /// It is over.
    Ended {
        /// Whether people spoke.
        completed: bool,
        /// For how long, in seconds.
        duration_s: u64,
    },
}

/// A key for an event, unique within a channel: the parts joined by `/`.
///
/// What a stranger wrote may be megabytes long, and a unique index takes 2,700 bytes at most: a long
/// key is replaced by its hash.
pub fn key(parts: &[&str]) -> String {
    let joined = parts.join("/");
    if joined.len() <= KEY_BYTES_MAX {
        return joined;
    }
    format!("sha256:{}", hex::encode(Sha256::digest(joined)))
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Ids of providers are shorter than 200 bytes; an index page of PostgreSQL takes a key of 2,704.
const KEY_BYTES_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delivery_of_a_message_is_the_same_in_whatever_order_it_is_told() {
        for a in Delivery::ALL {
            assert_eq!(a.merge(*a), *a);
            for b in Delivery::ALL {
                assert_eq!(a.merge(*b), b.merge(*a));
                for c in Delivery::ALL {
                    assert_eq!(a.merge(*b).merge(*c), a.merge(b.merge(*c)));
                }
            }
        }
    }

    #[test]
    fn a_message_never_goes_back_and_one_that_arrived_has_not_failed() {
        use Delivery::*;
        #[rustfmt::skip]
        let rows: &[(&[Delivery], Delivery)] = &[
            (&[Queued, Accepted, Sent, Delivered, Read], Read),
            (&[Read, Sent, Delivered], Read),
            (&[Sent, Failed], Failed),
            (&[Failed, Sent], Failed),
            (&[Sent, Failed, Delivered], Delivered),
            (&[Read, Failed], Read),
            (&[Uncertain, Accepted], Accepted),
            (&[Queued, Uncertain], Uncertain),
            (&[Uncertain, Failed], Failed),
            (&[Sent, Read, Played], Played),
        ];
        for (told, known) in rows {
            let merged = told.iter().copied().reduce(Delivery::merge);
            assert_eq!(merged, Some(*known), "{told:?}");
        }
    }

    #[test]
    fn a_message_of_several_parts_is_as_far_as_the_worst_of_them() {
        use Delivery::*;
        #[rustfmt::skip]
        let rows: &[(&[Delivery], Option<Delivery>)] = &[
            (&[], None),
            (&[Read], Some(Read)),
            (&[Read, Sent], Some(Sent)),
            (&[Delivered, Failed], Some(Failed)),
            (&[Failed, Played, Queued], Some(Failed)),
            (&[Queued, Uncertain, Read], Some(Uncertain)),
        ];
        for (parts, whole) in rows {
            assert_eq!(Delivery::of_parts(parts.iter().copied()), *whole);
            assert_eq!(Delivery::of_parts(parts.iter().rev().copied()), *whole);
        }
    }

    #[test]
    fn a_key_is_readable_until_it_would_not_fit_an_index() {
        assert_eq!(key(&["wamid.A", "read"]), "wamid.A/read");
        let long = "a".repeat(5_000_000);
        let hashed = key(&[&long, "read"]);
        assert_eq!(hashed.len(), 7 + 64);
        assert_ne!(hashed, key(&[&long, "sent"]));
    }

    #[test]
    fn an_event_is_the_same_after_it_was_stored() {
        let event = Event {
            key: "wamid.A".to_owned(),
            account: Some("106".to_owned()),
            at_ms: Some(1_795_430_000_000),
            kind: EventKind::Message(Incoming {
                id: "wamid.A".to_owned(),
                from: Peer::default(),
                content: Content::Unsupported {
                    kind: "hologram".to_owned(),
                    raw: serde_json::json!({"type": "hologram"}),
                },
                attachments: vec![],
                reply_to: None,
                forwarded: Some(Forwarded::Often),
                referral: None,
            }),
        };
        let stored = serde_json::to_string(&event).expect("JSON");
        assert_eq!(
            stored,
            r#"{"key":"wamid.A","account":"106","at_ms":1795430000000,"event":"message","id":"wamid.A","from":{"ids":[]},"content":{"kind":"unsupported","type":"hologram","raw":{"type":"hologram"}},"forwarded":"often"}"#
        );
        assert_eq!(
            serde_json::from_str::<Event>(&stored).expect("an event"),
            event
        );
    }
}

//! Webhooks of Meta: messages, statuses and echoes. What is told of accounts stands in [`super::news`].
//!
//! ```text
//!  { entry: [ { id: account, time, changes: [ { field, value: { metadata, contacts, messages, statuses … } } ] } ] }
//! ```

use serde_json::Value;

use crate::connector::Unreadable;
use crate::event::{
    Billed, Call, CallStage, Delivery, Echo, Edited, Event, EventKind, Identified, IdentityChange,
    Incoming, Reaction, Revoked, Side, Status, key,
};
use crate::json::{self, Fields};
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::whatsapp::meta::{content, news};
use crate::whatsapp::{errors, seconds_ms};

/// Within what the ids of users are theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The business portfolio.
    pub(crate) portfolio: &'a str,
    /// The parent of portfolios.
    pub(crate) parent: &'a str,
}

/// Reads a webhook.
pub(crate) fn read(body: &[u8], scope: Scope<'_>) -> Result<Vec<Event>, Unreadable> {
    let root = json::parse(body)?;
    events(&root, scope)
}

/// Reads a webhook that was parsed.
pub(crate) fn events(root: &Value, scope: Scope<'_>) -> Result<Vec<Event>, Unreadable> {
    if root.text("object").as_deref() != Some("whatsapp_business_account") {
        return Err(Unreadable::Shape("a webhook of WhatsApp"));
    }
    let mut events = vec![];
    for entry in root.list("entry") {
        for change in entry.list("changes") {
            let value = change.at("value");
            let change = Change {
                business: entry.id("id"),
                account: value.at("metadata").id("phone_number_id"),
                at_ms: entry.whole("time").and_then(seconds_ms),
                field: change.text("field").unwrap_or_else(|| "?".to_owned()),
                value,
                scope,
            };
            change.read(&mut events);
        }
    }
    Ok(events)
}

/// One change of one account.
pub(crate) struct Change<'a> {
    /// The business account, to which news without a number belong.
    business: Option<String>,
    /// The number.
    account: Option<String>,
    pub(crate) at_ms: Option<i64>,
    pub(crate) field: String,
    pub(crate) value: &'a Value,
    scope: Scope<'a>,
}

impl Change<'_> {
    fn read(&self, events: &mut Vec<Event>) {
        let each = |list: &str| self.value.list(list).iter();
        match self.field.as_str() {
            "messages" => {
                events.extend(each("messages").map(|message| self.message(message)));
                each("statuses").for_each(|status| self.status(status, events));
                events.extend(each("errors").map(|error| news::account_error(self, error)));
            }
            "calls" => {
                events.extend(each("calls").map(|call| self.call(call)));
                events.extend(each("statuses").map(|status| self.call_status(status)));
            }
            "smb_message_echoes" => {
                events.extend(each("message_echoes").map(|message| self.echo(message)));
            }
            "user_id_update" => {
                events.extend(each("user_id_update").map(|update| self.new_id(update)));
            }
            "user_preferences" => {
                let news = each("user_preferences");
                events.extend(news.map(|preference| news::consent(self, preference)));
            }
            _ => events.push(news::of(self)),
        }
    }

    /// An event of this change, in time.
    pub(crate) fn event(&self, key: String, at: &Value, kind: EventKind) -> Event {
        Event {
            key,
            account: self.account.clone().or_else(|| self.business.clone()),
            at_ms: at.whole("timestamp").and_then(seconds_ms).or(self.at_ms),
            kind,
        }
    }

    /// What nobody understands, kept.
    pub(crate) fn unsupported(&self, kind: &str, raw: &Value) -> Event {
        let key = key(&[kind, &json::fingerprint(raw)]);
        let kind = EventKind::Unsupported {
            kind: kind.to_owned(),
            raw: raw.clone(),
        };
        self.event(key, raw, kind)
    }

    fn message(&self, message: &Value) -> Event {
        let Some(id) = message.id("id") else {
            return self.unsupported("message", message);
        };
        let peer = self.peer(message, ["from", "from_user_id", "from_parent_user_id"]);
        let kind = self.utterance(message, &id, peer, Side::Customer);
        self.event(key(&[&id]), message, kind)
    }

    fn echo(&self, message: &Value) -> Event {
        let Some(id) = message.id("id") else {
            return self.unsupported("echo", message);
        };
        let peer = self.peer(message, ["to", "to_user_id", "to_parent_user_id"]);
        let kind = self.utterance(message, &id, peer, Side::Company);
        self.event(key(&[&id]), message, kind)
    }

    /// What a message is, whichever side wrote it.
    fn utterance(&self, message: &Value, id: &str, peer: Peer, by: Side) -> EventKind {
        let kind = message.text("type").unwrap_or_default();
        let body = message.at(&kind);
        let of = body
            .id("message_id")
            .or_else(|| body.id("original_message_id"));
        match (kind.as_str(), of) {
            ("reaction", Some(message)) => EventKind::Reaction(Reaction {
                peer,
                by,
                message,
                emoji: body.text("emoji"),
            }),
            ("edit", Some(message)) => EventKind::Edited(Edited {
                peer,
                by,
                message,
                content: content::content(body.at("message")),
            }),
            ("revoke", Some(message)) => EventKind::Revoked(Revoked { peer, by, message }),
            ("system", _) => self.system(message, peer),
            ("request_welcome", _) => EventKind::Arrived { peer },
            _ => match by {
                Side::Customer => EventKind::Message(incoming(message, id, peer)),
                Side::Company => EventKind::Echo(Echo {
                    id: id.to_owned(),
                    correlation: message.text("biz_opaque_callback_data"),
                    to: peer,
                    content: content::content(message),
                    reply_to: message.at("context").id("id"),
                }),
            },
        }
    }

    /// A customer has another number, id or device.
    fn system(&self, message: &Value, was: Peer) -> EventKind {
        let system = message.at("system");
        let identity = [system.at("identity"), message.at("identity")];
        let hash = identity.iter().find_map(|identity| identity.text("hash"));
        let fields = ["user_id", "parent_user_id"];
        let mut new = self.ids(system, fields, None);
        let number = system.id("wa_id").or_else(|| system.id("new_wa_id"));
        self.push_id(&mut new, IdentityKind::WaId, number);
        let mut old = self.ids(system, fields, Some("previous_"));
        let (ids, was_ids, change) = match (system.text("type").as_deref(), hash) {
            (Some("customer_identity_changed"), Some(hash)) => {
                (was.ids, vec![], IdentityChange::Keys(hash))
            }
            (Some("user_changed_number" | "customer_changed_number"), _) if !new.is_empty() => {
                let known = was.ids.into_iter().filter(|id| !new.contains(id));
                let unsaid: Vec<PeerId> = known.filter(|id| !old.contains(id)).collect();
                old.extend(unsaid);
                (new, old, IdentityChange::Number)
            }
            (Some("user_changed_user_id"), _) if !new.is_empty() => (new, old, IdentityChange::Id),
            _ => {
                let (kind, raw) = ("system".to_owned(), message.clone());
                return EventKind::Unsupported { kind, raw };
            }
        };
        let name = was.name;
        EventKind::Identified(Identified {
            peer: Peer { ids, name },
            was: was_ids,
            change,
        })
    }

    fn new_id(&self, update: &Value) -> Event {
        let (mut ids, mut was) = (vec![], vec![]);
        let kinds = [
            (IdentityKind::WaBsuid, "user_id"),
            (IdentityKind::WaParentBsuid, "parent_user_id"),
        ];
        for (kind, field) in kinds {
            let (pair, flat) = (update.at(field), format!("previous_{field}"));
            self.push_id(
                &mut ids,
                kind,
                pair.id("current").or_else(|| update.id(field)),
            );
            self.push_id(
                &mut was,
                kind,
                pair.id("previous").or_else(|| update.id(&flat)),
            );
        }
        if ids.is_empty() || was.is_empty() {
            return self.unsupported("user_id_update", update);
        }
        self.push_id(&mut ids, IdentityKind::WaId, update.id("wa_id"));
        let key = key(&["user_id_update", &json::fingerprint(update)]);
        let kind = EventKind::Identified(Identified {
            peer: Peer { ids, name: None },
            was,
            change: IdentityChange::Id,
        });
        self.event(key, update, kind)
    }

    fn status(&self, status: &Value, events: &mut Vec<Event>) {
        if status.text("type").as_deref() == Some("call") {
            return events.push(self.call_status(status));
        }
        let word = status.text("status").unwrap_or_default();
        let state = match word.as_str() {
            "sent" => Delivery::Sent,
            "delivered" => Delivery::Delivered,
            "read" => Delivery::Read,
            "played" => Delivery::Played,
            "failed" => Delivery::Failed,
            _ => return events.push(self.unsupported("status", status)),
        };
        // A provider between may have given the message an id of its own.
        let Some(message) = status.id("gs_id").or_else(|| status.id("id")) else {
            return events.push(self.unsupported("status", status));
        };
        let correlation = status.text("biz_opaque_callback_data");
        // Only what arrives is on the bill; a ledger takes the first of these and no other.
        let pricing = status.at("pricing");
        let arrived = state > Delivery::Failed;
        if let Some(category) = pricing.text("category").filter(|_| arrived) {
            let billed = EventKind::Billed(Billed {
                message: message.clone(),
                correlation: correlation.clone(),
                category,
                billable: pricing.flag("billable"),
                model: pricing.text("pricing_model"),
                ground: pricing.text("type"),
            });
            events.push(self.event(key(&[&message, "billed"]), status, billed));
        }
        let key = key(&[&message, &word]);
        let failed = state == Delivery::Failed;
        // A failure repeats the number that we asked for, which may not exist.
        let learned = if failed {
            vec![]
        } else {
            self.peer(status, RECIPIENT).ids
        };
        let kind = EventKind::Status(Status {
            message,
            correlation,
            state,
            failure: failed.then(|| errors::of_status(status)),
            part: 0,
            learned,
        });
        events.push(self.event(key, status, kind));
    }

    fn call(&self, call: &Value) -> Event {
        let (id, word) = (call.id("id"), call.text("event"));
        let session = call.at("session");
        let sdp = session.text("sdp");
        let stage = match (word.as_deref(), session.text("sdp_type").as_deref()) {
            (Some("connect"), Some("offer")) => sdp.map(CallStage::Offered),
            (Some("connect"), Some("answer")) => sdp.map(CallStage::Answered),
            (Some("terminate"), _) => Some(CallStage::Ended {
                completed: call.text("status").as_deref() == Some("COMPLETED"),
                duration_s: call.whole("duration").unwrap_or(0).unsigned_abs(),
            }),
            _ => None,
        };
        let (Some(id), Some(word), Some(stage)) = (id, word, stage) else {
            return self.unsupported("call", call);
        };
        let (by, fields) = match call.text("direction").as_deref() {
            Some("BUSINESS_INITIATED") => {
                (Side::Company, ["to", "to_user_id", "to_parent_user_id"])
            }
            _ => (
                Side::Customer,
                ["from", "from_user_id", "from_parent_user_id"],
            ),
        };
        let key = key(&[&id, &word]);
        let peer = self.peer(call, fields);
        self.event(
            key,
            call,
            EventKind::Call(Call {
                id,
                peer,
                by,
                stage,
            }),
        )
    }

    fn call_status(&self, status: &Value) -> Event {
        let (id, word) = (status.id("id"), status.text("status"));
        let stage = match word.as_deref() {
            Some("RINGING") => Some(CallStage::Ringing),
            Some("ACCEPTED") => Some(CallStage::Accepted),
            Some("REJECTED") => Some(CallStage::Rejected),
            _ => None,
        };
        let (Some(id), Some(word), Some(stage)) = (id, word, stage) else {
            return self.unsupported("call status", status);
        };
        let key = key(&[&id, &word]);
        let (peer, by) = (self.peer(status, RECIPIENT), Side::Company);
        self.event(
            key,
            status,
            EventKind::Call(Call {
                id,
                peer,
                by,
                stage,
            }),
        )
    }

    /// Who a message is from or to: by its own fields (number, id, id of the parent), and by the
    /// contact beside it that has one of them. Contacts do not line up with messages.
    pub(crate) fn peer(&self, node: &Value, [number, id, parent]: [&str; 3]) -> Peer {
        let (number, id, parent) = (node.id(number), node.id(id), node.id(parent));
        let contacts = self.value.list("contacts");
        let is_them = |contact: &&Value| {
            let same =
                |theirs: Option<String>, ours: &Option<String>| theirs.is_some() && theirs == *ours;
            same(contact.id("wa_id"), &number) || same(contact.id("user_id"), &id)
        };
        let contact = contacts
            .iter()
            .take(CONTACTS_MAX)
            .find(is_them)
            .or_else(|| {
                // Alone in the webhook, and it contradicts nothing that the message says.
                let [only] = contacts else { return None };
                let other_number = number.is_some() && only.id("wa_id").is_some();
                let other_id = id.is_some() && only.id("user_id").is_some();
                (!other_number && !other_id).then_some(only)
            });
        let contact = contact.unwrap_or(&Value::Null);
        let mut ids = vec![];
        let id = id.or_else(|| contact.id("user_id"));
        let parent = parent.or_else(|| contact.id("parent_user_id"));
        let number = number.or_else(|| contact.id("wa_id"));
        self.push_id(&mut ids, IdentityKind::WaBsuid, id);
        self.push_id(&mut ids, IdentityKind::WaParentBsuid, parent);
        self.push_id(&mut ids, IdentityKind::WaId, number);
        let profile = contact.at("profile");
        let name = profile.text("name").or_else(|| profile.text("username"));
        Peer { ids, name }
    }

    /// The business-scoped ids in a node, perhaps those that were.
    fn ids(&self, node: &Value, [id, parent]: [&str; 2], prefix: Option<&str>) -> Vec<PeerId> {
        let prefix = prefix.unwrap_or_default();
        let mut ids = vec![];
        self.push_id(
            &mut ids,
            IdentityKind::WaBsuid,
            node.id(&format!("{prefix}{id}")),
        );
        let parent = node.id(&format!("{prefix}{parent}"));
        self.push_id(&mut ids, IdentityKind::WaParentBsuid, parent);
        ids
    }

    fn push_id(&self, ids: &mut Vec<PeerId>, kind: IdentityKind, value: Option<String>) {
        let Some(value) = value else { return };
        let scope = if kind == IdentityKind::WaBsuid {
            self.scope.portfolio
        } else if kind == IdentityKind::WaParentBsuid {
            self.scope.parent
        } else {
            ""
        };
        ids.push(PeerId::scoped(kind, scope, value));
    }
}

fn incoming(message: &Value, id: &str, from: Peer) -> Incoming {
    let context = message.at("context");
    Incoming {
        id: id.to_owned(),
        from,
        content: content::content(message),
        attachments: vec![],
        reply_to: context.id("id"),
        forwarded: content::forwarded(context),
        referral: content::referral(message.at("referral")),
    }
}

/// The largest webhooks tell of a thousand people; each message is looked for among all of them.
const CONTACTS_MAX: usize = 2_000;

/// The fields of a status that say to whom the message went.
const RECIPIENT: [&str; 3] = [
    "recipient_id",
    "recipient_user_id",
    "recipient_parent_user_id",
];

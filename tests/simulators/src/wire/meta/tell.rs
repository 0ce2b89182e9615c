//! What Meta tells the company.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{ascii, ids};
use crate::demo;
use crate::provider::Provider;
use crate::wire::proof::Signing;
use crate::wire::{News, seconds, webhook};
use crate::world::delivery::Webhook;
use crate::world::template::Template;
use crate::world::{
    Among, Author, Card, Content, Customer, File, Message, Problem, Progress, Shape, World,
};

/// The webhook that tells something.
pub(crate) fn tell(
    world: &World,
    now_ms: i64,
    provider: Provider,
    customer: Option<&Customer>,
    news: &News<'_>,
) -> Option<Webhook> {
    let target = world.account(provider).webhook.clone()?;
    let teller = Teller {
        world,
        now_ms,
        provider,
        customer,
    };
    let (field, value, label) = teller.change(news)?;
    let mut entry = json!({
        "id": ids(provider).1,
        "changes": [{"field": field, "value": value}],
    });
    if field != "messages" {
        entry["time"] = json!(now_ms.div_euclid(1_000));
    }
    let body = json!({"object": "whatsapp_business_account", "entry": [entry]});
    let signing = match provider {
        Provider::Cloud => Signing::Meta(demo::APP_SECRET),
        Provider::Dialog360
        | Provider::Gupshup
        | Provider::Zenvia
        | Provider::Twilio
        | Provider::Erp => Signing::Shared,
    };
    Some(webhook(&target, ascii(&body), signing, &label))
}

struct Teller<'a> {
    world: &'a World,
    now_ms: i64,
    provider: Provider,
    customer: Option<&'a Customer>,
}

impl Teller<'_> {
    /// The field that changed, how, and what it is in one word.
    fn change(&self, news: &News<'_>) -> Option<(&'static str, Value, String)> {
        let messages = |value: Value, label: &str| Some(("messages", value, label.to_owned()));
        match news {
            News::Taken(_) => None,
            News::Wrote(message) => messages(self.received(self.message(message)), "message"),
            News::Reacted { of, emoji, id } => {
                let mut reaction = json!({"message_id": of.wamid});
                if let Some(emoji) = emoji {
                    reaction["emoji"] = json!(emoji);
                }
                messages(
                    self.received(self.event(id, "reaction", reaction)),
                    "reaction",
                )
            }
            News::Edited { of, text, id } => {
                let message =
                    json!({"context": {"id": of.wamid}, "type": "text", "text": {"body": text}});
                let edit = json!({"original_message_id": of.wamid, "message": message});
                messages(self.received(self.event(id, "edit", edit)), "edit")
            }
            News::Revoked { of, id } => {
                let revoke = json!({"original_message_id": of.wamid});
                messages(self.received(self.event(id, "revoke", revoke)), "revoke")
            }
            News::NumberChanged { was, id } => messages(self.new_number(was, id), "system"),
            News::Status(message, progress) => {
                let word = progress.word()?;
                messages(self.status(message, *progress, word), word)
            }
            News::Echoed(message) => {
                let mut value = self.metadata();
                value.insert("message_echoes".to_owned(), json!([self.echo(message)]));
                let label = "echo".to_owned();
                Some(("smb_message_echoes", Value::Object(value), label))
            }
            News::Template(template) => Some((
                "message_template_status_update",
                of_template(template),
                "template".to_owned(),
            )),
        }
    }

    fn metadata(&self) -> Map<String, Value> {
        let mut value = Map::new();
        value.insert("messaging_product".to_owned(), json!("whatsapp"));
        value.insert(
            "metadata".to_owned(),
            json!({
                "display_phone_number": demo::number(self.provider),
                "phone_number_id": ids(self.provider).0,
            }),
        );
        value
    }

    /// A message of the customer, with who they are.
    fn received(&self, message: Value) -> Value {
        let mut value = self.metadata();
        value.insert("contacts".to_owned(), json!([self.contact()]));
        value.insert("messages".to_owned(), json!([message]));
        Value::Object(value)
    }

    fn contact(&self) -> Value {
        let Some(customer) = self.customer else {
            return json!({});
        };
        let mut profile = json!({"name": customer.name});
        if let Some(username) = &customer.username {
            profile["username"] = json!(username);
        }
        let mut contact = json!({"profile": profile, "user_id": customer.user_id});
        if !customer.hides_phone {
            contact["wa_id"] = json!(customer.wa_id);
        }
        contact
    }

    /// An utterance of the customer without what it says.
    fn head(&self, id: &str) -> Value {
        let mut message = json!({"id": id, "timestamp": seconds(self.now_ms)});
        if let Some(customer) = self.customer {
            message["from_user_id"] = json!(customer.user_id);
            if !customer.hides_phone {
                message["from"] = json!(customer.wa_id);
            }
        }
        message
    }

    fn event(&self, id: &str, kind: &str, body: Value) -> Value {
        let mut message = self.head(id);
        message["type"] = json!(kind);
        message[kind] = body;
        message
    }

    fn message(&self, message: &Message) -> Value {
        let mut told = self.head(&message.wamid);
        told["timestamp"] = json!(seconds(message.at_ms));
        self.content(&mut told, &message.content);
        let quoted = message.reply_to.and_then(|id| self.world.message(id));
        if let Some(quoted) = quoted {
            let from = match quoted.author {
                Author::Customer => self.customer.map_or("", |customer| customer.wa_id.as_str()),
                Author::Company | Author::Phone => demo::number(self.provider),
            };
            told["context"] = json!({"from": from, "id": quoted.wamid});
        }
        if message.forwarded {
            told["context"]["forwarded"] = json!(true);
        }
        if message.from_ad {
            told["referral"] = json!({
                "source_url": "https://fb.me/simulador",
                "source_id": "120200000000000001",
                "source_type": "ad",
                "headline": "Ofertas da Loja Exemplo",
                "body": "Fale com a gente pelo WhatsApp",
                "media_type": "image",
                "image_url": "https://loja.example/anuncio.jpg",
                "ctwa_clid": "clique-simulado",
            });
        }
        told
    }

    fn content(&self, told: &mut Value, content: &Content) {
        let (kind, body) = match content {
            Content::Text { text } => ("text", json!({"body": text})),
            Content::File(file) => (file.shape.word(), self.file(file)),
            Content::Location {
                latitude,
                longitude,
                name,
                address,
            } => {
                let mut place = json!({"latitude": latitude, "longitude": longitude});
                set(&mut place, "name", name.as_deref());
                set(&mut place, "address", address.as_deref());
                ("location", place)
            }
            Content::Contacts { cards } => ("contacts", cards.iter().map(card).collect()),
            Content::Pressed {
                among: Among::Template,
                id,
                title,
                ..
            } => ("button", json!({"payload": id, "text": title})),
            Content::Pressed {
                among,
                id,
                title,
                description,
            } => {
                let kind = match among {
                    Among::List => "list_reply",
                    Among::Buttons | Among::Template => "button_reply",
                };
                let mut reply = json!({"id": id, "title": title});
                set(&mut reply, "description", description.as_deref());
                ("interactive", json!({"type": kind, kind: reply}))
            }
            Content::Unsupported { what } => {
                told["errors"] = json!([{
                    "code": 131_051,
                    "title": "Message type unknown",
                    "message": "Message type unknown",
                    "error_data": {"details": "Message type is currently not supported."},
                }]);
                ("unsupported", json!({"type": what}))
            }
            Content::Question(_)
            | Content::Link { .. }
            | Content::Template(_)
            | Content::Asks { .. }
            | Content::Notice { .. } => ("unsupported", json!({"type": "unknown"})),
        };
        told["type"] = json!(kind);
        told[kind] = body;
    }

    fn file(&self, file: &File) -> Value {
        // In webhooks the digest is in base64; where one asks for the file it is in hexadecimal.
        let digest = hex::decode(&file.sha256).unwrap_or_default();
        let mut body = json!({
            "id": file.file,
            "mime_type": file.mime,
            "sha256": STANDARD.encode(digest),
            "url": link(self.world, self.now_ms, self.provider, &file.file),
        });
        set(&mut body, "caption", file.caption.as_deref());
        match file.shape {
            Shape::Audio => body["voice"] = json!(file.voice),
            Shape::Document => set(&mut body, "filename", file.name.as_deref()),
            Shape::Sticker => body["animated"] = json!(false),
            Shape::Image | Shape::Video => {}
        }
        body
    }

    fn echo(&self, message: &Message) -> Value {
        let mut told = json!({
            "from": demo::number(self.provider),
            "id": message.wamid,
            "timestamp": seconds(message.at_ms),
        });
        if let Some(customer) = self.customer {
            told["to_user_id"] = json!(customer.user_id);
            if !customer.hides_phone {
                told["to"] = json!(customer.wa_id);
            }
        }
        self.content(&mut told, &message.content);
        told
    }

    fn new_number(&self, was: &Customer, id: &str) -> Value {
        let Some(customer) = self.customer else {
            return json!({});
        };
        let mut message = json!({
            "from": was.wa_id,
            "from_user_id": was.user_id,
            "id": id,
            "timestamp": seconds(self.now_ms),
            "type": "system",
        });
        message["system"] = json!({
            "type": "user_changed_number",
            "body": format!("{} changed from {} to {}", customer.name, was.wa_id, customer.wa_id),
            "wa_id": customer.wa_id,
            "user_id": customer.user_id,
            "previous_user_id": was.user_id,
        });
        self.received(message)
    }

    fn status(&self, message: &Message, progress: Progress, word: &str) -> Value {
        let mut status = json!({
            "id": message.wamid,
            "status": word,
            "timestamp": seconds(self.now_ms),
        });
        if let Some(customer) = self.customer {
            status["recipient_user_id"] = json!(customer.user_id);
            if !customer.hides_phone {
                status["recipient_id"] = json!(customer.wa_id);
            }
        }
        set(
            &mut status,
            "biz_opaque_callback_data",
            message.correlation.as_deref(),
        );
        let category = message.content.category();
        match (progress, &message.problem) {
            (Progress::Failed, problem) => {
                let unknown = Problem::usual(131_000);
                status["errors"] = json!([error(problem.as_ref().unwrap_or(&unknown))]);
            }
            (Progress::Sent | Progress::Delivered, _) => {
                status["conversation"] = self.conversation(message, &category);
                status["pricing"] = json!({
                    "billable": message.billable,
                    "pricing_model": "PMP",
                    "category": category,
                    "type": if message.billable { "regular" } else { "free_customer_service" },
                });
            }
            (Progress::Accepted | Progress::Read | Progress::Played, _) => {}
        }
        let mut value = self.metadata();
        value.insert("statuses".to_owned(), json!([status]));
        Value::Object(value)
    }

    fn conversation(&self, message: &Message, category: &str) -> Value {
        let chat = self.world.chat(self.provider, &message.customer);
        let mut conversation = json!({
            "id": format!("conversa-{}", message.customer),
            "origin": {"type": category},
        });
        if let Some(until_ms) = chat.open_until_ms {
            conversation["expiration_timestamp"] = json!(seconds(until_ms));
        }
        conversation
    }
}

/// A link to a file: at Meta's own host for 360dialog, whose customers must know to ask 360dialog for it.
pub(super) fn link(world: &World, now_ms: i64, provider: Provider, id: &str) -> String {
    let own = world.link(provider, id, now_ms);
    if provider != Provider::Dialog360 {
        return own;
    }
    let token = own.rsplit('/').next().unwrap_or_default();
    format!(
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={id}&source=getMedia&hash={token}"
    )
}

fn card(card: &Card) -> Value {
    let phone = |phone: &String| {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        json!({"phone": phone, "type": "CELL", "wa_id": digits})
    };
    let first = card.name.split(' ').next().unwrap_or_default();
    json!({
        "name": {"formatted_name": card.name, "first_name": first},
        "phones": card.phones.iter().map(phone).collect::<Vec<_>>(),
    })
}

fn error(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "title": problem.title(),
        "message": problem.title(),
        "error_data": {"details": problem.details},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    })
}

fn of_template(template: &Template) -> Value {
    json!({
        "event": template.state.word(),
        "message_template_id": template.meta_id.parse::<u64>().unwrap_or_default(),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category,
        "reason": template.reason.as_deref().unwrap_or("NONE"),
    })
}

fn set(node: &mut Value, field: &str, value: Option<&str>) {
    if let Some(value) = value {
        node[field] = json!(value);
    }
}

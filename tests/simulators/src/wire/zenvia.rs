//! Zenvia, version 2: one way of writing for all its channels, of which we play WhatsApp.

use serde_json::{Value, json};

use super::bounds::{bounded, choices};
use super::meta::ascii;
use super::proof::Signing;
use super::{
    ApiAnswer, ApiRequest, News, linked_file, list, maybe, number, rfc3339, text, webhook,
};
use crate::demo;
use crate::provider::Provider;
use crate::world::delivery::Webhook;
use crate::world::problem::{invalid, missing};
use crate::world::template::{Button, Header, Part, Template};
use crate::world::{
    Among, Card, Choice, Content, Customer, File, Message, Problem, Progress, Question, Recipient,
    Sending, Shape, Target, Wanted, World,
};

const ZENVIA: Provider = Provider::Zenvia;

/// The webhook that tells something.
pub(super) fn tell(
    world: &mut World,
    now_ms: i64,
    customer: Option<&Customer>,
    news: &News<'_>,
) -> Option<Webhook> {
    let customer = customer?;
    let event = world.uuid();
    let account = world.account(ZENVIA);
    let (target, body, label) = match news {
        News::Wrote(message) => {
            let body = received(world, now_ms, &event, customer, message);
            (account.webhook.clone()?, body, "message")
        }
        News::Status(message, progress) => {
            let target = account.statuses.clone()?;
            let (body, label) = status(now_ms, &event, customer, message, *progress)?;
            (target, body, label)
        }
        // There are no words for them.
        News::Taken(_)
        | News::Reacted { .. }
        | News::Edited { .. }
        | News::Revoked { .. }
        | News::Echoed(_)
        | News::NumberChanged { .. }
        | News::Template(_) => return None,
    };
    Some(webhook(&target, ascii(&body), Signing::Shared, label))
}

fn received(
    world: &World,
    now_ms: i64,
    event: &str,
    customer: &Customer,
    message: &Message,
) -> Value {
    let (first, last) = customer
        .name
        .split_once(' ')
        .unwrap_or((&customer.name, ""));
    let mut told = json!({
        "id": message.own_id,
        "from": customer.wa_id,
        "to": demo::number(ZENVIA),
        "direction": "IN",
        "channel": "whatsapp",
        "visitor": {"name": customer.name, "firstName": first, "lastName": last},
        "contents": [content(world, now_ms, &message.content)],
        "timestamp": rfc3339(message.at_ms),
    });
    if let Some(quoted) = message.reply_to.and_then(|id| world.message(id)) {
        let (id, part) = parts(&quoted.own_id);
        told["idRef"] = json!(id);
        told["contentRef"] = json!(part);
    }
    if message.from_ad {
        told["referral"] = json!({
            "headline": "Ofertas da Loja Exemplo", "body": "Fale com a gente pelo WhatsApp",
            "source": {"id": "120200000000000001", "type": "ad", "url": "https://fb.me/simulador"},
            "ctwaId": "clique-simulado",
        });
    }
    json!({
        "id": event,
        "timestamp": rfc3339(now_ms),
        "type": "MESSAGE",
        "subscriptionId": subscription(world, "MESSAGE"),
        "channel": "whatsapp",
        "direction": "IN",
        "message": told,
    })
}

fn subscription(world: &World, kind: &str) -> String {
    let subscriptions = world.account(ZENVIA).subscriptions.iter();
    let mut of_kind = subscriptions.filter(|(_, event, _)| event == kind);
    of_kind
        .next()
        .map_or_else(|| "painel".to_owned(), |(id, ..)| id.clone())
}

fn content(world: &World, now_ms: i64, content: &Content) -> Value {
    match content {
        Content::Text { text } => json!({"type": "text", "text": text}),
        Content::File(file) => {
            let mut told = json!({
                "type": "file",
                "fileUrl": world.link(ZENVIA, &file.file, now_ms),
                "fileMimeType": file.mime,
            });
            set(&mut told, "fileCaption", file.caption.as_deref());
            set(&mut told, "fileName", file.name.as_deref());
            told
        }
        Content::Location {
            latitude,
            longitude,
            name,
            address,
        } => {
            let mut told =
                json!({"type": "location", "latitude": latitude, "longitude": longitude});
            set(&mut told, "name", name.as_deref());
            set(&mut told, "address", address.as_deref());
            told
        }
        Content::Contacts { cards } => {
            let cards: Vec<Value> = cards.iter().map(card).collect();
            json!({"type": "contacts", "contacts": cards})
        }
        // Whatever was pressed is a text with what the company called it.
        Content::Pressed { id, title, .. } => {
            json!({"type": "text", "text": title, "payload": id})
        }
        Content::Unsupported { .. }
        | Content::Question(_)
        | Content::Link { .. }
        | Content::Template(_)
        | Content::Asks { .. }
        | Content::Notice { .. } => json!({"type": "unsupported"}),
    }
}

fn card(card: &Card) -> Value {
    let phone = |phone: &String| json!({"phone": phone, "type": "CELL"});
    let phones: Vec<Value> = card.phones.iter().map(phone).collect();
    let first = card.name.split(' ').next().unwrap_or_default();
    json!({"name": {"formattedName": card.name, "firstName": first}, "phones": phones})
}

fn status(
    now_ms: i64,
    event: &str,
    customer: &Customer,
    message: &Message,
    progress: Progress,
) -> Option<(Value, &'static str)> {
    let (code, description) = match (progress, &message.problem) {
        (Progress::Sent, _) => ("SENT", "The message has been forwarded to the provider"),
        (Progress::Delivered, _) => ("DELIVERED", "The message has been delivered"),
        (Progress::Read, _) => ("READ", "The message has been read"),
        // What WhatsApp would not take was rejected; what it took and did not bring was not delivered.
        (Progress::Failed, Some(problem)) if problem.code == 131_026 => {
            ("NOT_DELIVERED", "The message could not be delivered")
        }
        (Progress::Failed, _) => ("REJECTED", "The message has been rejected"),
        (Progress::Accepted | Progress::Played, _) => return None,
    };
    let mut status = json!({
        "timestamp": rfc3339(now_ms), "code": code, "description": description,
        "channel": "whatsapp", "direction": "OUT",
    });
    if let (Progress::Failed, Some(problem)) = (progress, &message.problem) {
        status["causes"] = json!([{
            "channelErrorCode": problem.code.to_string(),
            "reason": problem.title(),
            "details": problem.details,
        }]);
    }
    let (id, index) = parts(&message.own_id);
    let mut told = json!({
        "id": event,
        "timestamp": rfc3339(now_ms),
        "type": "MESSAGE_STATUS",
        "channel": "whatsapp",
        "messageId": id,
        "contentIndex": index,
        "message": {
            "id": id, "contentIndex": index, "direction": "OUT",
            "from": demo::number(ZENVIA), "to": customer.wa_id,
        },
        "messageStatus": status,
    });
    if let Some(external) = &message.correlation {
        told["message"]["externalId"] = json!(external);
    }
    Some((told, code))
}

/// The id of a message and which of its contents it is: each content is a message to us.
fn parts(own_id: &str) -> (&str, usize) {
    let Some((id, index)) = own_id.split_once('/') else {
        return (own_id, 0);
    };
    (id, index.parse().unwrap_or(0))
}

/// Answers a request of the company's.
pub(super) fn handle(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let segments = request.segments();
    if let ("GET", ["files", token]) = (request.method.as_str(), &segments[..]) {
        let file = linked_file(world, now_ms, ZENVIA, token);
        return file.unwrap_or_else(|| ApiAnswer::empty(404));
    }
    if request.header("x-api-token") != demo::ZENVIA_API_TOKEN {
        return refusal(401);
    }
    match (request.method.as_str(), &segments[..]) {
        ("POST", ["v2", "channels", "whatsapp", "messages"]) => {
            match send(world, now_ms, request) {
                Ok(answer) => answer,
                Err(problem) => wrong(&problem),
            }
        }
        ("GET", ["v2", "templates"]) => listed(world),
        ("GET", ["v2", "templates", id]) => {
            let mut templates = world.templates().iter();
            match templates.find(|one| one.provider == ZENVIA && one.id == *id) {
                Some(template) => ApiAnswer::json(200, &written(template)).labelled("templates"),
                None => refusal(404),
            }
        }
        (_, ["v2", "subscriptions", rest @ ..]) => {
            subscriptions(world, request, rest.first().copied())
        }
        _ => refusal(404),
    }
}

/// What Zenvia says when it does not do what was asked.
pub(super) fn refusal(status: u16) -> ApiAnswer {
    let (code, message) = match status {
        401 => ("AUTHENTICATION_ERROR", "No authorization token was found"),
        404 => ("NOT_FOUND", "Not found"),
        429 => ("TOO_MANY_REQUESTS", "Too many requests"),
        _ => ("INTERNAL_ERROR", "Internal error"),
    };
    ApiAnswer::json(status, &json!({"code": code, "message": message})).labelled("error")
}

fn wrong(problem: &Problem) -> ApiAnswer {
    if problem.status() == 429 {
        return refusal(429);
    }
    let body = json!({
        "code": "VALIDATION_ERROR",
        "message": "Validation error",
        "details": [{"code": problem.code.to_string(), "path": "contents", "message": problem.details}],
    });
    ApiAnswer::json(400, &body).labelled("error")
}

fn send(world: &mut World, now_ms: i64, request: &ApiRequest) -> Result<ApiAnswer, Problem> {
    let body = request.json().ok_or_else(|| invalid("not JSON"))?;
    if text(&body, "from") != demo::number(ZENVIA) {
        return Err(invalid("from is no sender of this account"));
    }
    let to = maybe(&body, "to").ok_or_else(|| missing("to"))?;
    let contents = list(&body, "contents");
    if contents.is_empty() {
        return Err(missing("contents"));
    }
    let asked: Vec<(Content, Option<String>)> = contents
        .iter()
        .map(|content| asked(world, content))
        .collect::<Result<_, _>>()?;
    let id = world.uuid();
    for (index, (content, link)) in asked.into_iter().enumerate() {
        let own_id = if index == 0 {
            id.clone()
        } else {
            format!("{id}/{index}")
        };
        let sending = Sending {
            provider: ZENVIA,
            to: Recipient::Number(to.clone()),
            content,
            link,
            reply_to: reply_to(&body),
            correlation: maybe(&body, "externalId"),
            status_url: None,
            own_id: Some(own_id),
        };
        world.send(now_ms, sending)?;
    }
    let mut answer = body.clone();
    answer["id"] = json!(id);
    answer["direction"] = json!("OUT");
    answer["channel"] = json!("whatsapp");
    answer["timestamp"] = json!(rfc3339(now_ms));
    Ok(ApiAnswer::json(200, &answer).of_message())
}

/// The message that it answers, and which of its contents.
fn reply_to(body: &Value) -> Option<String> {
    let id = maybe(body, "idRef")?;
    Some(match body["contentRef"].as_u64() {
        Some(part @ 1..) => format!("{id}/{part}"),
        Some(0) | None => id,
    })
}

fn asked(world: &World, content: &Value) -> Result<(Content, Option<String>), Problem> {
    let needed = |name: &str| maybe(content, name).ok_or_else(|| missing(name));
    let asked = match text(content, "type") {
        "text" => Content::Text {
            text: bounded(content, "text", 4_096)?,
        },
        "file" => {
            let link = needed("fileUrl")?;
            let mime = text(content, "fileMimeType").to_owned();
            let file = File {
                file: String::new(),
                shape: Shape::of_mime(&mime),
                mime,
                name: maybe(content, "fileName"),
                caption: maybe(content, "fileCaption"),
                voice: false,
                bytes: 0,
                sha256: String::new(),
            };
            return Ok((Content::File(file), Some(link)));
        }
        "location" => Content::Location {
            latitude: number(content, "latitude").ok_or_else(|| missing("latitude"))?,
            longitude: number(content, "longitude").ok_or_else(|| missing("longitude"))?,
            name: maybe(content, "name"),
            address: maybe(content, "address"),
        },
        "contacts" => Content::Contacts {
            cards: list(content, "contacts")
                .iter()
                .map(|card| Card {
                    name: text(&card["name"], "formattedName").to_owned(),
                    phones: list(card, "phones")
                        .iter()
                        .filter_map(|phone| maybe(phone, "phone"))
                        .collect(),
                })
                .collect(),
        },
        "contact_request" => Content::Asks {
            what: Wanted::Phone,
            text: text(content, "body").to_owned(),
        },
        "button" => question(content, Among::Buttons)?,
        "list" => question(content, Among::List)?,
        "template" => return template(world, content),
        _ => return Err(invalid("contents: no such type")),
    };
    Ok((asked, None))
}

fn question(content: &Value, among: Among) -> Result<Content, Problem> {
    let options: Vec<Choice> = match among {
        Among::Buttons | Among::Template => {
            choices(list(content, "buttons").iter(), (10, 20, 256))?
        }
        Among::List => {
            let sections = list(content, "sections").iter();
            let rows = sections.flat_map(|section| list(section, "rows"));
            choices(rows, (10, 24, 200))?
        }
    };
    let header = maybe(&content["header"], "text").or_else(|| maybe(content, "header"));
    Ok(Content::Question(Question {
        among,
        header,
        body: bounded(content, "body", 1_024)?,
        footer: maybe(content, "footer"),
        open: maybe(content, "button"),
        options,
    }))
}

/// A template by its id, with values by their names.
fn template(world: &World, content: &Value) -> Result<(Content, Option<String>), Problem> {
    let id = text(content, "templateId");
    let mut templates = world.templates().iter();
    let template = templates.find(|one| one.provider == ZENVIA && one.id == id);
    let template = template.ok_or_else(|| invalid("templateId: there is no such template"))?;
    template.is_usable()?;
    let fields = &content["fields"];
    let value = |_: Part, _: usize, name: &str| {
        let value = &fields[name];
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.as_f64().map(|number| number.to_string()))
    };
    let mut filled = template.fill(value, |index| match template.buttons.get(index) {
        // What a quick reply is called is fixed with the template.
        Some(Button::QuickReply { text }) => Some(payload(text)),
        Some(Button::Url { .. } | Button::CopyCode { .. } | Button::PhoneNumber { .. }) | None => {
            None
        }
    })?;
    let Some(Header::File(shape)) = template.header else {
        return Ok((Content::Template(Box::new(filled)), None));
    };
    let field = match shape {
        Shape::Image | Shape::Sticker => "imageUrl",
        Shape::Video => "videoUrl",
        Shape::Audio | Shape::Document => "documentUrl",
    };
    let link = maybe(fields, field).ok_or_else(|| missing(field))?;
    filled.file = Some(File {
        file: String::new(),
        shape,
        mime: String::new(),
        name: maybe(fields, "documentFilename"),
        caption: None,
        voice: false,
        bytes: 0,
        sha256: String::new(),
    });
    Ok((Content::Template(Box::new(filled)), Some(link)))
}

fn payload(text: &str) -> String {
    text.to_uppercase().replace(' ', "_")
}

fn listed(world: &World) -> ApiAnswer {
    let templates = world.templates().iter();
    let templates = templates.filter(|template| template.provider == ZENVIA);
    let templates: Vec<Value> = templates.map(written).collect();
    ApiAnswer::json(200, &json!(templates)).labelled("templates")
}

fn written(template: &Template) -> Value {
    let kind = |text: &str| {
        if text.contains("{{") {
            "TEXT_TEMPLATE"
        } else {
            "TEXT_FIXED"
        }
    };
    let mut components = json!({"body": {"type": kind(&template.body), "text": template.body}});
    match &template.header {
        Some(Header::Text(text)) => {
            components["header"] = json!({"type": kind(text), "text": text});
        }
        Some(Header::File(shape)) => {
            let kind = format!("MEDIA_{}", shape.word().to_ascii_uppercase());
            components["header"] = json!({"type": kind});
        }
        None => {}
    }
    if let Some(footer) = &template.footer {
        components["footer"] = json!({"type": "TEXT_FIXED", "text": footer});
    }
    let buttons: Vec<Value> = template.buttons.iter().map(button).collect();
    if !buttons.is_empty() {
        components["buttons"] = json!({"type": "MIXED", "items": buttons});
    }
    let parts = [Part::Header, Part::Body].into_iter();
    let parts = parts.chain((0..template.buttons.len()).map(Part::Button));
    let mut fields: Vec<String> = vec![];
    for field in parts.flat_map(|part| template.values_of(part)) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    json!({
        "id": template.id, "name": template.name, "locale": template.language,
        "channel": "WHATSAPP", "senderId": demo::number(ZENVIA), "category": template.category,
        "components": components, "text": template.body, "fields": fields,
        "status": state(template),
    })
}

fn button(button: &Button) -> Value {
    match button {
        Button::QuickReply { text } => {
            json!({"type": "QUICK_REPLY", "text": text, "payload": payload(text)})
        }
        Button::Url { text, url } => json!({"type": "URL", "text": text, "url": url}),
        Button::CopyCode { example } => json!({"type": "COPY_CODE", "example": example}),
        Button::PhoneNumber { text, phone_number } => {
            json!({"type": "PHONE_NUMBER", "text": text, "phoneNumber": phone_number})
        }
    }
}

fn state(template: &Template) -> &'static str {
    match template.state.word() {
        "PENDING" => "WAITING_APPROVAL",
        word => word,
    }
}

fn subscriptions(world: &mut World, request: &ApiRequest, id: Option<&str>) -> ApiAnswer {
    let answer = match (request.method.as_str(), id) {
        ("GET", None) => {
            let list = &world.account(ZENVIA).subscriptions;
            let list: Vec<Value> = list.iter().map(subscribed).collect();
            ApiAnswer::json(200, &json!(list))
        }
        ("POST", None) => subscribe(world, request),
        ("DELETE", Some(id)) => {
            let account = world.account_mut(ZENVIA);
            account.subscriptions.retain(|(known, ..)| known != id);
            resubscribe(world);
            ApiAnswer::empty(204)
        }
        _ => refusal(404),
    };
    answer.labelled("subscription")
}

fn subscribe(world: &mut World, request: &ApiRequest) -> ApiAnswer {
    let body = request.json().unwrap_or_default();
    let kind = text(&body, "eventType").to_owned();
    let url = text(&body["webhook"], "url").to_owned();
    if !matches!(kind.as_str(), "MESSAGE" | "MESSAGE_STATUS") || url.is_empty() {
        return wrong(&invalid(
            "eventType: MESSAGE or MESSAGE_STATUS; webhook.url",
        ));
    }
    let headers = body["webhook"]["headers"].as_object().into_iter().flatten();
    let headers = headers
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let id = world.uuid();
    let subscription = (id, kind, Target { url, headers });
    let answer = ApiAnswer::json(200, &subscribed(&subscription));
    world.account_mut(ZENVIA).subscriptions.push(subscription);
    resubscribe(world);
    answer
}

/// The webhooks are where the latest subscriptions say.
fn resubscribe(world: &mut World) {
    let account = world.account_mut(ZENVIA);
    let latest = |kind: &str| {
        let subscriptions = account.subscriptions.iter().rev();
        let mut of_kind = subscriptions.filter(|(_, event, _)| event == kind);
        of_kind.next().map(|(.., target)| target.clone())
    };
    let (messages, statuses) = (latest("MESSAGE"), latest("MESSAGE_STATUS"));
    account.webhook = messages;
    account.statuses = statuses;
}

fn subscribed((id, kind, target): &(String, String, Target)) -> Value {
    json!({
        "id": id, "eventType": kind, "webhook": target,
        "criteria": {"channel": "whatsapp"}, "status": "ACTIVE", "version": "v2",
    })
}

fn set(node: &mut Value, field: &str, value: Option<&str>) {
    if let Some(value) = value {
        node[field] = json!(value);
    }
}

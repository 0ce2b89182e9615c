//! Twilio: forms both ways, and a signature over the address and all parameters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::proof::Signing;
use super::{ApiAnswer, ApiRequest, News, linked_file};
use crate::demo;
use crate::provider::Provider;
use crate::world::delivery::Webhook;
use crate::world::problem::invalid;
use crate::world::template::{Button, Header, Part, Template, TemplateState};
use crate::world::{
    Among, Card, Content, Customer, File, Message, Problem, Progress, Recipient, Sending, Shape,
    Target, World,
};

const TWILIO: Provider = Provider::Twilio;

/// The webhook that tells something.
pub(super) fn tell(
    world: &mut World,
    now_ms: i64,
    customer: Option<&Customer>,
    news: &News<'_>,
) -> Option<Webhook> {
    let customer = customer?;
    let account = world.account(TWILIO);
    match news {
        News::Wrote(message) => {
            let target = account.webhook.clone()?;
            let form = received(world, now_ms, customer, message);
            Some(webhook(&target, &form, "message"))
        }
        News::Status(message, progress) => {
            let own = message.status_url.clone().map(|url| Target {
                url,
                headers: Default::default(),
            });
            let target = own.or_else(|| account.statuses.clone())?;
            let (form, word) = status(customer, message, *progress)?;
            Some(webhook(&target, &form, word))
        }
        // There are no words for them.
        News::Taken(_)
        | News::Reacted { .. }
        | News::Edited { .. }
        | News::Revoked { .. }
        | News::Echoed(_)
        | News::NumberChanged { .. }
        | News::Template(_) => None,
    }
}

type Form = Vec<(String, String)>;

fn webhook(target: &Target, form: &Form, label: &str) -> Webhook {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let mut headers = vec![(
        "content-type".to_owned(),
        "application/x-www-form-urlencoded; charset=UTF-8".to_owned(),
    )];
    headers.extend(target.headers.clone());
    Webhook {
        url: target.url.clone(),
        headers,
        body: body.finish().into_bytes(),
        signing: Signing::Twilio(demo::TWILIO_AUTH_TOKEN),
        label: label.to_owned(),
    }
}

fn push(form: &mut Form, fields: &[(&str, &str)]) {
    let fields = fields.iter();
    form.extend(fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
}

fn address(digits: &str) -> String {
    format!("whatsapp:+{digits}")
}

fn received(world: &mut World, now_ms: i64, customer: &Customer, message: &Message) -> Form {
    let mut form = vec![];
    let sid = message.own_id.as_str();
    let (from, to) = (address(&customer.wa_id), address(demo::number(TWILIO)));
    push(
        &mut form,
        &[
            ("SmsMessageSid", sid),
            ("MessageSid", sid),
            ("SmsSid", sid),
            ("SmsStatus", "received"),
            ("AccountSid", demo::TWILIO_ACCOUNT_SID),
            ("ApiVersion", "2010-04-01"),
            ("From", &from),
            ("To", &to),
            ("WaId", &customer.wa_id),
            ("ProfileName", &customer.name),
            ("NumSegments", "1"),
            ("ReferralNumMedia", "0"),
        ],
    );
    content(world, now_ms, &mut form, sid, &message.content);
    if let Some(quoted) = message.reply_to.and_then(|id| world.message(id)) {
        let sender = if quoted.is_ours() { &to } else { &from };
        push(
            &mut form,
            &[
                ("OriginalRepliedMessageSid", &quoted.own_id),
                ("OriginalRepliedMessageSender", sender),
            ],
        );
    }
    if message.forwarded {
        push(&mut form, &[("Forwarded", "true")]);
    }
    if message.from_ad {
        push(
            &mut form,
            &[
                ("ReferralSourceId", "120200000000000001"),
                ("ReferralSourceType", "ad"),
                ("ReferralSourceUrl", "https://fb.me/simulador"),
                ("ReferralHeadline", "Ofertas da Loja Exemplo"),
                ("ReferralBody", "Fale com a gente pelo WhatsApp"),
                ("ReferralCtwaClid", "clique-simulado"),
            ],
        );
    }
    form
}

fn content(world: &mut World, now_ms: i64, form: &mut Form, sid: &str, content: &Content) {
    match content {
        Content::Text { text } => {
            push(
                form,
                &[("MessageType", "text"), ("Body", text), ("NumMedia", "0")],
            );
        }
        Content::File(file) => {
            let body = file.caption.as_deref().unwrap_or_default();
            let kind = file.shape.word();
            media(world, form, (sid, kind), body, (&file.file, &file.mime));
        }
        Content::Contacts { cards } => {
            // Cards of people come as files.
            let file = vcards(cards);
            let kept = world.keep_of_customer(now_ms, ("text/vcard", None), file.as_bytes());
            if let Ok(id) = kept {
                media(world, form, (sid, "contacts"), "", (&id, "text/vcard"));
            }
        }
        Content::Location {
            latitude,
            longitude,
            name,
            address,
        } => {
            let (latitude, longitude) = (latitude.to_string(), longitude.to_string());
            push(
                form,
                &[
                    ("MessageType", "location"),
                    ("Body", ""),
                    ("NumMedia", "0"),
                    ("Latitude", &latitude),
                    ("Longitude", &longitude),
                ],
            );
            if let Some(name) = name {
                push(form, &[("Label", name)]);
            }
            if let Some(address) = address {
                push(form, &[("Address", address)]);
            }
        }
        Content::Pressed {
            among: Among::List,
            id,
            title,
            description,
        } => {
            push(
                form,
                &[
                    ("MessageType", "interactive"),
                    ("Body", title),
                    ("NumMedia", "0"),
                    ("ListId", id),
                    ("ListTitle", title),
                ],
            );
            if let Some(description) = description {
                push(form, &[("ListDescription", description)]);
            }
        }
        Content::Pressed {
            among, id, title, ..
        } => {
            let kind = match among {
                Among::Template => "button",
                Among::Buttons | Among::List => "interactive",
            };
            push(
                form,
                &[
                    ("MessageType", kind),
                    ("Body", title),
                    ("NumMedia", "0"),
                    ("ButtonText", title),
                    ("ButtonPayload", id),
                ],
            );
        }
        Content::Unsupported { .. }
        | Content::Question(_)
        | Content::Link { .. }
        | Content::Template(_)
        | Content::Asks { .. }
        | Content::Notice { .. } => {
            push(
                form,
                &[
                    ("MessageType", "unsupported"),
                    ("Body", ""),
                    ("NumMedia", "0"),
                ],
            );
        }
    }
}

fn media(
    world: &World,
    form: &mut Form,
    (sid, kind): (&str, &str),
    body: &str,
    (file, mime): (&str, &str),
) {
    let (base, account) = (&world.base, demo::TWILIO_ACCOUNT_SID);
    let url = format!("{base}/twilio/2010-04-01/Accounts/{account}/Messages/{sid}/Media/ME{file}");
    push(
        form,
        &[
            ("MessageType", kind),
            ("Body", body),
            ("NumMedia", "1"),
            ("MediaUrl0", &url),
            ("MediaContentType0", mime),
        ],
    );
}

fn vcards(cards: &[Card]) -> String {
    let mut text = String::new();
    for card in cards {
        let phones = card.phones.iter();
        let phones: String = phones
            .map(|phone| format!("TEL;TYPE=CELL:{phone}\r\n"))
            .collect();
        text.push_str(&format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{}\r\n{phones}END:VCARD\r\n",
            card.name
        ));
    }
    text
}

fn status(
    customer: &Customer,
    message: &Message,
    progress: Progress,
) -> Option<(Form, &'static str)> {
    let word = match (progress, &message.problem) {
        (Progress::Sent, _) => "sent",
        (Progress::Delivered, _) => "delivered",
        (Progress::Read, _) => "read",
        (Progress::Failed, Some(problem)) if problem.code == 131_047 => "failed",
        (Progress::Failed, _) => "undelivered",
        (Progress::Accepted | Progress::Played, _) => return None,
    };
    let mut form = vec![];
    let sid = message.own_id.as_str();
    let (from, to) = (address(demo::number(TWILIO)), address(&customer.wa_id));
    push(
        &mut form,
        &[
            ("MessageSid", sid),
            ("SmsSid", sid),
            ("MessageStatus", word),
            ("SmsStatus", word),
            ("AccountSid", demo::TWILIO_ACCOUNT_SID),
            ("ApiVersion", "2010-04-01"),
            ("ChannelPrefix", "whatsapp"),
            ("ChannelInstallSid", "XE00000000000000000000000000000001"),
            ("StructuredMessage", "false"),
            ("ChannelToAddress", &format!("+{}", customer.wa_id)),
            ("From", &from),
            ("To", &to),
        ],
    );
    if progress == Progress::Read {
        push(&mut form, &[("EventType", "READ")]);
    }
    if let (Progress::Failed, Some(problem)) = (progress, &message.problem) {
        let code = code(problem).to_string();
        push(
            &mut form,
            &[
                ("EventType", "UNDELIVERED"),
                ("ErrorCode", &code),
                ("ErrorMessage", &problem.details),
                ("ChannelStatusMessage", problem.title()),
            ],
        );
    }
    Some((form, word))
}

/// Twilio's code for a problem.
fn code(problem: &Problem) -> u32 {
    match problem.code {
        130_429 | 131_048 | 131_056 => 63_018,
        131_021 => 63_031,
        131_026 => 63_024,
        131_047 => 63_016,
        131_049 => 63_049,
        130_472 => 63_032,
        131_053 => 63_019,
        131_031 => 63_007,
        132_000..=132_999 => 63_005,
        100 => 21_211,
        _ => 63_012,
    }
}

/// Answers a request of the company's.
pub(super) fn handle(world: &mut World, now_ms: i64, request: &ApiRequest) -> ApiAnswer {
    let segments = request.segments();
    if let ("GET", ["files", token]) = (request.method.as_str(), &segments[..]) {
        let file = linked_file(world, now_ms, TWILIO, token);
        return file.unwrap_or_else(|| ApiAnswer::empty(404));
    }
    let login = format!("{}:{}", demo::TWILIO_ACCOUNT_SID, demo::TWILIO_AUTH_TOKEN);
    if request.header("authorization") != format!("Basic {}", STANDARD.encode(login)) {
        return refusal(401);
    }
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["v1", "ContentAndApprovals"]) => listed(world, request),
        ("GET", ["2010-04-01", "Accounts", file])
            if file.strip_suffix(".json") == Some(demo::TWILIO_ACCOUNT_SID) =>
        {
            let body = json!({
                "sid": demo::TWILIO_ACCOUNT_SID, "friendly_name": demo::COMPANY, "status": "active",
                "type": "Full",
            });
            ApiAnswer::json(200, &body).labelled("account")
        }
        (method, ["2010-04-01", "Accounts", account, rest @ ..])
            if *account == demo::TWILIO_ACCOUNT_SID =>
        {
            match (method, rest) {
                ("POST", ["Messages.json"]) => match send(world, now_ms, request) {
                    Ok(answer) => answer,
                    Err(problem) => wrong(&problem),
                },
                ("GET", ["Messages", sid]) => found(world, sid.trim_end_matches(".json")),
                // Files are elsewhere: there one needs no login, and must show none.
                ("GET", ["Messages", _, "Media", media]) => {
                    let id = media.trim_start_matches("ME");
                    let link = world.link(TWILIO, id, now_ms);
                    match world.file(id) {
                        Some(_) => ApiAnswer::empty(307).with_header("location", link),
                        None => refusal(404),
                    }
                }
                _ => refusal(404),
            }
        }
        _ => refusal(404),
    }
}

/// What Twilio says when it does not do what was asked.
pub(super) fn refusal(status: u16) -> ApiAnswer {
    let (code, message) = match status {
        401 => (20_003, "Authenticate"),
        404 => (20_404, "The requested resource was not found"),
        429 => (20_429, "Too Many Requests"),
        _ => (20_500, "Internal Server Error"),
    };
    error(status, code, message)
}

fn error(status: u16, code: u32, message: &str) -> ApiAnswer {
    let body = json!({
        "code": code, "message": message, "status": status,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    });
    ApiAnswer::json(status, &body).labelled("error")
}

fn wrong(problem: &Problem) -> ApiAnswer {
    let code = code(problem);
    let status = if code == 63_018 { 429 } else { 400 };
    error(status, code, &problem.details)
}

fn send(world: &mut World, now_ms: i64, request: &ApiRequest) -> Result<ApiAnswer, Problem> {
    let number = |name: &str| {
        let address = request.form(name).unwrap_or_default();
        let digits = address.strip_prefix("whatsapp:+").map(str::to_owned);
        digits.ok_or_else(|| invalid(format!("'{name}' is not a valid WhatsApp address")))
    };
    if number("From")? != demo::number(TWILIO) {
        return Ok(error(
            400,
            63_007,
            "Twilio could not find a Channel with the specified From address",
        ));
    }
    let to = number("To")?;
    let body = request.form("Body");
    if body
        .as_ref()
        .is_some_and(|body| body.chars().count() > 1_600)
    {
        let message = "The concatenated message body exceeds the 1600 character limit";
        return Ok(error(400, 21_617, message));
    }
    let Some((content, link)) = asked(world, request)? else {
        return Ok(error(
            400,
            21_619,
            "A text message body or media urls must be specified.",
        ));
    };
    let has_file = link.is_some();
    let sending = Sending {
        provider: TWILIO,
        to: Recipient::Number(to),
        content,
        link,
        reply_to: None,
        correlation: None,
        status_url: request.form("StatusCallback"),
        own_id: None,
    };
    let taken = world.send(now_ms, sending)?;
    let Some(message) = world.message(taken.message) else {
        return Ok(refusal(500));
    };
    let mut body = written(message);
    // Who sends files hears "accepted" before they were fetched.
    body["status"] = json!(if has_file { "accepted" } else { "queued" });
    Ok(ApiAnswer::json(201, &body).of_message())
}

type Asked = Option<(Content, Option<String>)>;

fn asked(world: &World, request: &ApiRequest) -> Result<Asked, Problem> {
    if let Some(sid) = request.form("ContentSid") {
        return template(world, request, &sid).map(Some);
    }
    let body = request.form("Body").filter(|body| !body.is_empty());
    if let Some(url) = request.form("MediaUrl") {
        let file = File {
            file: String::new(),
            // Nobody knows before it is fetched; the type decides.
            shape: Shape::Document,
            mime: String::new(),
            name: None,
            caption: body,
            voice: false,
            bytes: 0,
            sha256: String::new(),
        };
        return Ok(Some((Content::File(file), Some(url))));
    }
    if let Some(place) = request.form("PersistentAction") {
        return place_of(&place).map(|place| Some((place, None)));
    }
    Ok(body.map(|text| (Content::Text { text }, None)))
}

/// `geo:latitude,longitude|label`
fn place_of(action: &str) -> Result<Content, Problem> {
    let bad = || invalid("PersistentAction is no place");
    let place = action.strip_prefix("geo:").ok_or_else(bad)?;
    let (degrees, label) = place.split_once('|').unwrap_or((place, ""));
    let (latitude, longitude) = degrees.split_once(',').ok_or_else(bad)?;
    Ok(Content::Location {
        latitude: latitude.parse().map_err(|_| bad())?,
        longitude: longitude.parse().map_err(|_| bad())?,
        name: (!label.is_empty()).then(|| label.to_owned()),
        address: None,
    })
}

/// A template by its sid, with values by their numbers, which count through all parts of it.
fn template(
    world: &World,
    request: &ApiRequest,
    sid: &str,
) -> Result<(Content, Option<String>), Problem> {
    let mut templates = world.templates().iter();
    let template = templates.find(|one| one.provider == TWILIO && one.id == sid);
    let template = template.ok_or_else(|| Problem::usual(132_001))?;
    template.is_usable()?;
    let variables = request.form("ContentVariables").unwrap_or_default();
    let variables: Value = serde_json::from_str(&variables).unwrap_or_default();
    let value = |_: Part, _: usize, name: &str| variables[name].as_str().map(str::to_owned);
    let mut filled = template.fill(value, |_| None)?;
    let Some(Header::File(shape)) = template.header else {
        return Ok((Content::Template(Box::new(filled)), None));
    };
    // The file above it was laid down with the template.
    filled.file = Some(File {
        file: demo::sample_file(shape).to_owned(),
        shape,
        mime: String::new(),
        name: None,
        caption: None,
        voice: false,
        bytes: 0,
        sha256: String::new(),
    });
    Ok((Content::Template(Box::new(filled)), None))
}

fn found(world: &World, sid: &str) -> ApiAnswer {
    match world.by_wire_id(TWILIO, sid) {
        Some(message) => ApiAnswer::json(200, &written(message)).labelled("message read"),
        None => refusal(404),
    }
}

fn written(message: &Message) -> Value {
    let customer = &message.customer;
    let (status, problem) = match message.progress {
        Progress::Accepted => ("queued", None),
        Progress::Sent => ("sent", None),
        Progress::Delivered => ("delivered", None),
        Progress::Read | Progress::Played => ("read", None),
        Progress::Failed => ("undelivered", message.problem.as_ref()),
    };
    let account = demo::TWILIO_ACCOUNT_SID;
    let sid = &message.own_id;
    json!({
        "sid": sid, "account_sid": account, "api_version": "2010-04-01",
        "from": address(demo::number(TWILIO)), "to": customer,
        "body": message.content.text().unwrap_or_default(),
        "direction": if message.is_ours() { "outbound-api" } else { "inbound" },
        "num_media": if message.content.file().is_some() { "1" } else { "0" },
        "num_segments": "1", "status": status, "price": null, "price_unit": null,
        "error_code": problem.map(code),
        "error_message": problem.map(|problem| problem.details.clone()),
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{sid}.json"),
    })
}

fn listed(world: &World, request: &ApiRequest) -> ApiAnswer {
    let size: usize = request
        .asked("PageSize")
        .and_then(|size| size.parse().ok())
        .unwrap_or(50);
    let page: usize = request
        .asked("Page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(0);
    let size = size.clamp(1, 500);
    let all = world.templates().iter();
    let all: Vec<&Template> = all.filter(|template| template.provider == TWILIO).collect();
    let contents: Vec<Value> = all
        .iter()
        .skip(page.saturating_mul(size))
        .take(size)
        .map(|template| of_template(template))
        .collect();
    let url = |page: usize| {
        let base = &world.base;
        format!("{base}/twilio/v1/ContentAndApprovals?PageSize={size}&Page={page}")
    };
    let has_more = page.saturating_add(1).saturating_mul(size) < all.len();
    let body = json!({
        "contents": contents,
        "meta": {
            "page": page, "page_size": size, "key": "contents", "url": url(page),
            "first_page_url": url(0),
            "previous_page_url": (page > 0).then(|| url(page - 1)),
            "next_page_url": has_more.then(|| url(page + 1)),
        },
    });
    ApiAnswer::json(200, &body).labelled("templates")
}

fn of_template(template: &Template) -> Value {
    let (kind, shape) = shape(template);
    let mut variables = json!({});
    let parts = [Part::Header, Part::Body].into_iter();
    for part in parts.chain((0..template.buttons.len()).map(Part::Button)) {
        for name in template.values_of(part) {
            variables[name] = json!("exemplo");
        }
    }
    let status = match template.state {
        TemplateState::Pending => "pending",
        TemplateState::Approved => "approved",
        TemplateState::Rejected => "rejected",
        TemplateState::Paused => "paused",
        TemplateState::Disabled => "disabled",
    };
    json!({
        "sid": template.id, "account_sid": demo::TWILIO_ACCOUNT_SID,
        "friendly_name": template.name, "language": template.language, "variables": variables,
        "types": {kind: shape},
        "approval_requests": {
            "name": template.name, "category": template.category, "content_type": kind,
            "status": status, "rejection_reason": template.reason.clone().unwrap_or_default(),
            "allow_category_change": true,
        },
    })
}

fn shape(template: &Template) -> (&'static str, Value) {
    let actions: Vec<Value> = template.buttons.iter().map(action).collect();
    let mut body = json!({"body": template.body});
    if !actions.is_empty() {
        body["actions"] = json!(actions);
    }
    if template.header.is_some() || template.footer.is_some() {
        match &template.header {
            Some(Header::Text(text)) => body["header_text"] = json!(text),
            Some(Header::File(shape)) => {
                body["media"] = json!([format!("https://loja.example/{}", shape.word())]);
            }
            None => {}
        }
        if let Some(footer) = &template.footer {
            body["footer"] = json!(footer);
        }
        return ("whatsapp/card", body);
    }
    let is_reply = |button: &Button| matches!(button, Button::QuickReply { .. });
    match (
        template.buttons.is_empty(),
        template.buttons.iter().all(is_reply),
    ) {
        (true, _) => ("twilio/text", body),
        (false, true) => ("twilio/quick-reply", body),
        (false, false) => ("twilio/call-to-action", body),
    }
}

fn action(button: &Button) -> Value {
    match button {
        Button::QuickReply { text } => json!({"type": "QUICK_REPLY", "title": text, "id": text}),
        Button::Url { text, url } => json!({"type": "URL", "title": text, "url": url}),
        Button::CopyCode { example } => json!({"type": "COPY_CODE", "title": "", "code": example}),
        Button::PhoneNumber { text, phone_number } => {
            json!({"type": "PHONE_NUMBER", "title": text, "phone": phone_number})
        }
    }
}

//! Templates in Meta's words.

use serde_json::{Value, json};

use super::asked;
use super::errors::answer;
use crate::provider::Provider;
use crate::wire::bounds::bounded;
use crate::wire::{ApiAnswer, ApiRequest, list, maybe, text};
use crate::world::problem::{invalid, missing};
use crate::world::template::{Button, Header, Part, Template, TemplateState};
use crate::world::{Content, Problem, Shape, Topic, World};

/// A template that the company asks to be sent, filled; and the link to the file above it.
pub(super) fn filled(
    world: &World,
    provider: Provider,
    part: &Value,
) -> Result<(Content, Option<String>), Problem> {
    let name = maybe(part, "name").ok_or_else(|| missing("template.name"))?;
    let language = maybe(&part["language"], "code");
    let language = language.ok_or_else(|| missing("template.language.code"))?;
    let template = found(world, provider, &name, &language);
    let template = template.ok_or_else(|| {
        let details = format!("template name ({name}) does not exist in {language}");
        Problem::new(132_001, details)
    })?;
    template.is_usable()?;
    let components = list(part, "components");
    check(template, components)?;
    let value = |at: Part, index: usize, name: &str| {
        let parameters = parameters(components, at);
        let parameter = if template.is_named() && !matches!(at, Part::Button(_)) {
            parameters
                .iter()
                .find(|one| text(one, "parameter_name") == name)
        } else {
            parameters.get(index)
        };
        let parameter = parameter?;
        let value = match at {
            Part::Button(_) if parameter.get("coupon_code").is_some() => &parameter["coupon_code"],
            Part::Header | Part::Body | Part::Button(_) => &parameter["text"],
        };
        Some(value.as_str().unwrap_or_default().to_owned())
    };
    let payload = |index: usize| {
        let parameters = parameters(components, Part::Button(index));
        parameters.first().and_then(|one| maybe(one, "payload"))
    };
    let mut filled = template.fill(value, payload)?;
    let Some(Header::File(shape)) = template.header else {
        return Ok((Content::Template(Box::new(filled)), None));
    };
    let (file, link) = header_file(world, shape, components)?;
    filled.file = Some(file);
    Ok((Content::Template(Box::new(filled)), link))
}

fn found<'a>(
    world: &'a World,
    provider: Provider,
    name: &str,
    language: &str,
) -> Option<&'a Template> {
    world.templates().iter().find(|template| {
        template.provider == provider && template.name == name && template.language == language
    })
}

/// Nothing may be said of parts that the template does not have, and of no part too much.
fn check(template: &Template, components: &[Value]) -> Result<(), Problem> {
    for component in components {
        let at = part_of(component)?;
        let given = list(component, "parameters").len();
        let expected = match (at, &template.header) {
            (Part::Header, Some(Header::File(_))) => 1,
            (Part::Header | Part::Body, _) => template.values_of(at).len(),
            // A payload for a quick reply, or the end of an address.
            (Part::Button(index), _) if index < template.buttons.len() => 1,
            (Part::Button(_), _) => 0,
        };
        if given != expected {
            let word = text(component, "type");
            let details = format!(
                "{word}: number of localizable_params ({given}) does not match the expected number of \
                 params ({expected})"
            );
            return Err(Problem::new(132_000, details));
        }
        let is_nameless = |one: &Value| text(one, "parameter_name").is_empty();
        let needs_names = template.is_named() && at == Part::Body;
        if needs_names && list(component, "parameters").iter().any(is_nameless) {
            return Err(invalid("Parameter name is missing or empty"));
        }
    }
    Ok(())
}

fn part_of(component: &Value) -> Result<Part, Problem> {
    let kind = text(component, "type").to_ascii_lowercase();
    match kind.as_str() {
        "header" => Ok(Part::Header),
        "body" => Ok(Part::Body),
        "button" => {
            let index = &component["index"];
            let index = match index.as_str() {
                Some(text) => text.parse().ok(),
                None => index.as_u64(),
            };
            let index = index.and_then(|index| usize::try_from(index).ok());
            index.map(Part::Button).ok_or_else(|| missing("index"))
        }
        _ => Err(invalid(format!("components: no such type {kind:?}"))),
    }
}

fn parameters(components: &[Value], at: Part) -> &[Value] {
    let component = components
        .iter()
        .find(|component| part_of(component) == Ok(at));
    component.map_or(&[], |component| list(component, "parameters"))
}

fn header_file(
    world: &World,
    shape: Shape,
    components: &[Value],
) -> Result<(crate::world::File, Option<String>), Problem> {
    let given = parameters(components, Part::Header).first();
    let given = given.ok_or_else(|| {
        let details = format!(
            "header: Format mismatch, expected {}, received UNKNOWN",
            shape.word()
        );
        Problem::new(132_012, details)
    })?;
    let kind = text(given, "type");
    if !kind.eq_ignore_ascii_case(shape.word()) {
        let expected = shape.word();
        let details = format!("header: Format mismatch, expected {expected}, received {kind}");
        return Err(Problem::new(132_012, details));
    }
    asked::file(world, shape, &given[shape.word()])
}

/// `message_templates` of an account: listed, made and deleted.
pub(super) fn handle(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    request: &ApiRequest,
) -> ApiAnswer {
    let answered = match request.method.as_str() {
        "GET" => Ok(listed(world, provider, request)),
        "POST" => create(world, now_ms, provider, request),
        "DELETE" => delete(world, provider, request),
        _ => Err(invalid("Unsupported request")),
    };
    answered
        .unwrap_or_else(|problem| answer(&problem))
        .labelled("templates")
}

fn listed(world: &World, provider: Provider, request: &ApiRequest) -> ApiAnswer {
    let whole = |name: &str| -> Option<usize> { request.asked(name)?.parse().ok() };
    let limit = whole("limit").unwrap_or(25).clamp(1, 1_000);
    let name = request.asked("name");
    let templates: Vec<Value> = world
        .templates()
        .iter()
        .filter(|template| template.provider == provider)
        .filter(|template| {
            name.as_ref()
                .is_none_or(|name| template.name.contains(name))
        })
        .map(|template| written(template, provider))
        .collect();
    if provider == Provider::Dialog360 {
        let offset = whole("offset").unwrap_or(0).min(templates.len());
        let page: Vec<&Value> = templates.iter().skip(offset).take(limit).collect();
        return ApiAnswer::json(
            200,
            &json!({
                "count": page.len(), "filters": {}, "limit": limit, "offset": offset,
                "sort": ["id"], "total": templates.len(), "waba_templates": page,
            }),
        );
    }
    // The cursor is how many were seen.
    let after = whole("after").unwrap_or(0).min(templates.len());
    let page: Vec<&Value> = templates.iter().skip(after).take(limit).collect();
    let seen = after + page.len();
    let mut body = json!({
        "data": page,
        "paging": {"cursors": {"before": after.to_string(), "after": seen.to_string()}},
    });
    if seen < templates.len() {
        let (base, waba) = (&world.base, super::ids(provider).1);
        let next = format!("{base}/graph/{waba}/message_templates?limit={limit}&after={seen}");
        body["paging"]["next"] = json!(next);
    }
    ApiAnswer::json(200, &body)
}

fn written(template: &Template, provider: Provider) -> Value {
    let mut components = vec![];
    match &template.header {
        Some(Header::Text(text)) => {
            components.push(json!({"type": "HEADER", "format": "TEXT", "text": text}));
        }
        Some(Header::File(shape)) => {
            let format = shape.word().to_ascii_uppercase();
            components.push(json!({"type": "HEADER", "format": format}));
        }
        None => {}
    }
    components.push(json!({"type": "BODY", "text": template.body}));
    if let Some(footer) = &template.footer {
        components.push(json!({"type": "FOOTER", "text": footer}));
    }
    if !template.buttons.is_empty() {
        components.push(json!({"type": "BUTTONS", "buttons": template.buttons}));
    }
    // 360dialog writes states in small letters.
    let status = match provider {
        Provider::Dialog360 => template.state.word().to_ascii_lowercase(),
        Provider::Cloud
        | Provider::Gupshup
        | Provider::Zenvia
        | Provider::Twilio
        | Provider::Erp => template.state.word().to_owned(),
    };
    json!({
        "id": template.meta_id,
        "name": template.name,
        "language": template.language,
        "status": status,
        "category": template.category,
        "parameter_format": if template.is_named() { "NAMED" } else { "POSITIONAL" },
        "rejected_reason": template.reason.as_deref().unwrap_or("NONE"),
        "quality_score": {"score": "GREEN"},
        "components": components,
    })
}

fn create(
    world: &mut World,
    now_ms: i64,
    provider: Provider,
    request: &ApiRequest,
) -> Result<ApiAnswer, Problem> {
    let body = request.json().ok_or_else(|| invalid("not JSON"))?;
    let id = world.number_id();
    let template = read(&body, provider, &id)?;
    if found(world, provider, &template.name, &template.language).is_some() {
        let details = "There is already content in this language for this template";
        return Err(invalid(details));
    }
    let answer = json!({"id": id, "status": "PENDING", "category": template.category});
    world.templates.push(template);
    world.touch(Topic::State);
    world.submit(now_ms, provider, &id);
    Ok(ApiAnswer::json(200, &answer))
}

fn read(body: &Value, provider: Provider, id: &str) -> Result<Template, Problem> {
    let needed = |field: &str| maybe(body, field).ok_or_else(|| missing(field));
    let name = needed("name")?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() > 512 || !name.bytes().all(is_plain) {
        return Err(invalid("name: lower-case letters, digits and underscores"));
    }
    let category = needed("category")?.to_ascii_uppercase();
    if !["UTILITY", "MARKETING", "AUTHENTICATION"].contains(&category.as_str()) {
        return Err(invalid("category: UTILITY, MARKETING or AUTHENTICATION"));
    }
    let mut template = Template {
        id: id.to_owned(),
        meta_id: id.to_owned(),
        provider,
        name,
        language: needed("language")?,
        category,
        state: TemplateState::Pending,
        reason: None,
        header: None,
        body: String::new(),
        footer: None,
        buttons: vec![],
    };
    for component in list(body, "components") {
        match text(component, "type").to_ascii_uppercase().as_str() {
            "HEADER" => template.header = Some(header(component)?),
            "BODY" => template.body = bounded(component, "text", 1_024)?,
            "FOOTER" => template.footer = Some(bounded(component, "text", 60)?),
            "BUTTONS" => {
                let buttons = list(component, "buttons").iter().map(button);
                template.buttons = buttons.collect::<Result<_, _>>()?;
            }
            other => return Err(invalid(format!("components: no such type {other:?}"))),
        }
    }
    if template.body.is_empty() {
        return Err(missing("components: BODY"));
    }
    Ok(template)
}

fn header(component: &Value) -> Result<Header, Problem> {
    let format = text(component, "format").to_ascii_lowercase();
    if format == "text" {
        return bounded(component, "text", 60).map(Header::Text);
    }
    let shape = Shape::of_word(&format);
    let shape = shape.filter(|shape| !matches!(shape, Shape::Audio | Shape::Sticker));
    let shape = shape.ok_or_else(|| invalid("format: TEXT, IMAGE, VIDEO or DOCUMENT"))?;
    Ok(Header::File(shape))
}

fn button(button: &Value) -> Result<Button, Problem> {
    let title = || bounded(button, "text", 25);
    Ok(match text(button, "type").to_ascii_uppercase().as_str() {
        "QUICK_REPLY" => Button::QuickReply { text: title()? },
        "URL" => Button::Url {
            text: title()?,
            url: bounded(button, "url", 2_000)?,
        },
        "PHONE_NUMBER" => Button::PhoneNumber {
            text: title()?,
            phone_number: bounded(button, "phone_number", 20)?,
        },
        "COPY_CODE" => Button::CopyCode {
            example: text(button, "example").to_owned(),
        },
        other => return Err(invalid(format!("buttons: no such type {other:?}"))),
    })
}

fn delete(
    world: &mut World,
    provider: Provider,
    request: &ApiRequest,
) -> Result<ApiAnswer, Problem> {
    // 360dialog has the name in the path.
    let name = request.asked("name");
    let name = name.or_else(|| request.segments().get(3).map(|one| (*one).to_owned()));
    let name = name.ok_or_else(|| missing("name"))?;
    let id = request.asked("hsm_id");
    let is_it = |template: &Template| {
        template.provider == provider
            && template.name == name
            && id.as_ref().is_none_or(|id| template.meta_id == *id)
    };
    let before = world.templates.len();
    world.templates.retain(|template| !is_it(template));
    if world.templates.len() == before {
        return Err(Problem::new(132_001, "there is no template of this name"));
    }
    world.touch(Topic::State);
    Ok(ApiAnswer::json(200, &json!({"success": true})))
}

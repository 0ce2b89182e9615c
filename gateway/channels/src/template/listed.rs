//! Lists of templates, in the words of each provider. What cannot be read is left out: it cannot be
//! sent either.

use serde_json::Value;

use crate::event::{MediaKind, TemplateState};
use crate::failure::Failure;
use crate::json::{self, Fields};
use crate::send::{ButtonKind, Response};
use crate::template::{Template, TemplateButtonShape, TemplateHeader, TemplatePage};
use crate::whatsapp::{answer_of_meta, answer_of_others, template_state};

impl Template {
    /// Meta's list, and 360dialog's.
    pub(crate) fn listed_by_meta(response: &Response) -> Result<TemplatePage, Failure> {
        let body = parsed(response).ok_or_else(|| answer_of_meta(response))?;
        // 360dialog calls it so, and counts instead of pointing.
        let dialog360 = body.list("waba_templates");
        let list = if dialog360.is_empty() {
            body.list("data")
        } else {
            dialog360
        };
        let (offset, total) = (body.whole("offset").unwrap_or(0), body.whole("total"));
        let seen = offset.saturating_add(i64::try_from(list.len()).unwrap_or(i64::MAX));
        let paging = body.at("paging");
        let has_more = !paging.at("next").is_null();
        let after = match total {
            Some(total) => (seen < total && !list.is_empty()).then(|| seen.to_string()),
            None => paging.at("cursors").text("after").filter(|_| has_more),
        };
        Ok(TemplatePage {
            templates: list.iter().filter_map(of_meta).collect(),
            after,
        })
    }

    /// Gupshup's list.
    pub(crate) fn listed_by_gupshup(response: &Response) -> Result<TemplatePage, Failure> {
        let body = parsed(response).ok_or_else(|| answer_of_others(response))?;
        let templates = body.list("templates").iter().filter_map(of_gupshup);
        Ok(TemplatePage {
            templates: templates.collect(),
            after: None,
        })
    }

    /// Zenvia's list.
    pub(crate) fn listed_by_zenvia(response: &Response) -> Result<TemplatePage, Failure> {
        let body = parsed(response).ok_or_else(|| answer_of_others(response))?;
        let list = body.as_array().map_or(&[][..], Vec::as_slice);
        Ok(TemplatePage {
            templates: list.iter().filter_map(of_zenvia).collect(),
            after: None,
        })
    }

    /// Twilio's list.
    pub(crate) fn listed_by_twilio(response: &Response) -> Result<TemplatePage, Failure> {
        let body = parsed(response).ok_or_else(|| answer_of_others(response))?;
        let templates = body.list("contents").iter().filter_map(of_twilio);
        Ok(TemplatePage {
            templates: templates.collect(),
            after: body.at("meta").text("next_page_url"),
        })
    }
}

fn parsed(response: &Response) -> Option<Value> {
    let is_good = (200..=299).contains(&response.status);
    json::parse(&response.body).ok().filter(|_| is_good)
}

fn of_meta(template: &Value) -> Option<Template> {
    let components = template.list("components");
    let component = |kind: &str| {
        let is_it = |one: &&Value| {
            one.text("type")
                .is_some_and(|it| it.eq_ignore_ascii_case(kind))
        };
        components.iter().find(is_it).unwrap_or(&Value::Null)
    };
    let header = component("HEADER");
    let name = template.text("name")?;
    Some(Template {
        id: template.id("id").unwrap_or_else(|| name.clone()),
        language: template.text("language")?,
        category: template
            .text("category")
            .unwrap_or_default()
            .to_ascii_uppercase(),
        state: state(template, "status"),
        header: header_of(
            &header.text("format").unwrap_or_default(),
            header.text("text"),
        ),
        body: component("BODY").text("text")?,
        footer: component("FOOTER").text("text"),
        buttons: buttons(component("BUTTONS").list("buttons")),
        name,
    })
}

fn of_gupshup(template: &Value) -> Option<Template> {
    // The template itself is JSON within a string.
    let meta = template.text("containerMeta")?;
    let meta = json::parse(meta.as_bytes()).ok()?;
    let kind = template.text("templateType").unwrap_or_default();
    Some(Template {
        id: template.id("id")?,
        name: template.text("elementName")?,
        language: template.text("languageCode")?,
        category: template.text("category").unwrap_or_default(),
        state: state(template, "status"),
        header: header_of(&kind, meta.text("header")),
        body: meta.text("data")?,
        footer: meta.text("footer"),
        buttons: buttons(meta.list("buttons")),
    })
}

fn of_zenvia(template: &Value) -> Option<Template> {
    let components = template.at("components");
    let header = components.at("header");
    let kind = header.text("type").unwrap_or_default();
    let kind = kind
        .trim_start_matches("MEDIA_")
        .trim_end_matches("_TEMPLATE");
    Some(Template {
        id: template.id("id")?,
        name: template.text("name")?,
        language: template.text("locale")?,
        category: template.text("category").unwrap_or_default(),
        state: state(template, "status"),
        header: header_of(kind, header.text("text")),
        body: components.at("body").text("text")?,
        footer: components.at("footer").text("text"),
        buttons: buttons(components.at("buttons").list("items")),
    })
}

fn of_twilio(template: &Value) -> Option<Template> {
    let types = template.at("types").as_object()?;
    let body = types.values().find_map(|kind| kind.text("body"))?;
    let actions = types
        .values()
        .find_map(|kind| kind.at("actions").as_array());
    let approval = template.at("approval_requests");
    let header = types.values().find_map(|kind| kind.text("header_text"));
    Some(Template {
        id: template.text("sid")?,
        name: approval
            .text("name")
            .or_else(|| template.text("friendly_name"))?,
        language: template.text("language")?,
        category: approval.text("category").unwrap_or_default(),
        state: state(approval, "status"),
        header: header.map(TemplateHeader::Text),
        body,
        footer: types.values().find_map(|kind| kind.text("footer")),
        buttons: buttons(actions.map_or(&[], Vec::as_slice)),
    })
}

/// How it stands; what is said in a word that nobody knows cannot be sent.
fn state(node: &Value, field: &str) -> TemplateState {
    let word = node.text(field).unwrap_or_default();
    template_state(&word).unwrap_or(TemplateState::Pending)
}

fn header_of(format: &str, text: Option<String>) -> Option<TemplateHeader> {
    match format.to_ascii_uppercase().as_str() {
        "IMAGE" => Some(TemplateHeader::Media(MediaKind::Image)),
        "VIDEO" => Some(TemplateHeader::Media(MediaKind::Video)),
        "DOCUMENT" => Some(TemplateHeader::Media(MediaKind::Document)),
        _ => text.map(TemplateHeader::Text),
    }
}

fn buttons(list: &[Value]) -> Vec<TemplateButtonShape> {
    let button = |button: &Value| {
        let kind = button.text("type").unwrap_or_default();
        let kind = match kind.to_ascii_uppercase().as_str() {
            // Twilio's quick replies have no type, and their ids are fixed with the template.
            "QUICK_REPLY" => Some(ButtonKind::QuickReply),
            "URL" => Some(ButtonKind::Url),
            "COPY_CODE" => Some(ButtonKind::CopyCode),
            _ => None,
        };
        TemplateButtonShape {
            text: button
                .text("text")
                .or_else(|| button.text("title"))
                .unwrap_or_default(),
            kind,
            url: button.text("url"),
        }
    };
    list.iter().map(button).collect()
}

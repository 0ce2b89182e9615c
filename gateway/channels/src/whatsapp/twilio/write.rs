//! What we send, in Twilio's words.

use serde_json::{Map, Value};

use super::Config;
use crate::connector::Refusal;
use crate::event::{MediaKind, MediaSource};
use crate::send::{OutContent, OutMedia, OutTemplate, Outgoing};
use crate::whatsapp::meta::write::digits;

pub(super) fn form(config: &Config, message: &Outgoing) -> Result<String, Refusal> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("From", &format!("whatsapp:+{}", config.number))
        .append_pair("To", &format!("whatsapp:+{}", digits(&message.to)?));
    match &message.content {
        OutContent::Text { text, .. } => {
            form.append_pair("Body", text);
        }
        OutContent::Media(media) => {
            form.append_pair("MediaUrl", link(media)?);
            let has_caption = !matches!(media.kind, MediaKind::Audio | MediaKind::Sticker);
            if let Some(caption) = media.caption.as_deref().filter(|_| has_caption) {
                form.append_pair("Body", caption);
            }
        }
        OutContent::Location(place) => {
            let name = place.name.as_deref().unwrap_or("📍");
            let geo = format!("geo:{},{}|{name}", place.latitude, place.longitude);
            form.append_pair("Body", name)
                .append_pair("PersistentAction", &geo);
        }
        OutContent::Template(template) => {
            form.append_pair("ContentSid", &template.id)
                .append_pair("ContentVariables", &variables(template)?.to_string());
        }
        OutContent::Choices(_)
        | OutContent::Reaction { .. }
        | OutContent::AskPhone { .. }
        | OutContent::AskLocation { .. } => {
            let what = message.content.what();
            return Err(Refusal::Unsupported { what });
        }
    }
    if !config.status_url.is_empty() {
        form.append_pair("StatusCallback", &config.status_url);
    }
    Ok(form.finish())
}

fn link(media: &OutMedia) -> Result<&str, Refusal> {
    match &media.source {
        MediaSource::Url(url) => Ok(url),
        MediaSource::Id(_) => Err(Refusal::Invalid { field: "media" }),
    }
}

/// Values by the names of their gaps, which are numbered through the whole template.
fn variables(template: &OutTemplate) -> Result<Value, Refusal> {
    if template.header_media.is_some() {
        // Files of templates are fixed with them, or variables within links.
        return Err(Refusal::Unsupported {
            what: "header_media",
        });
    }
    let mut variables = Map::new();
    for value in template.header.iter().chain(&template.body) {
        variables.insert(value.name.clone(), value.text.clone().into());
    }
    for button in &template.buttons {
        if let Some(name) = &button.name {
            variables.insert(name.clone(), button.value.clone().into());
        }
    }
    Ok(Value::Object(variables))
}

//! What can be set of a web chat, for the description of the API.

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Schema};

/// The settings of a channel of kind `webchat`.
pub(in crate::http) fn settings() -> Schema {
    let object = ObjectBuilder::new()
        .description(Some("What can be set of a channel of kind `webchat`."))
        .examples([example()]);
    let described = FIELDS.into_iter().fold(object, |object, (name, words)| {
        let field = ObjectBuilder::new().description(Some(words));
        // A field may be an object, a list, a number or a text: its words say which.
        let any = utoipa::openapi::schema::SchemaType::AnyValue;
        object.property(name, field.schema_type(any))
    });
    described.into()
}

/// Settings that can be taken as they are, but for the ids of services.
fn example() -> Value {
    json!({
        "origins": ["https://loja.exemplo.com.br"], "title": "Casa Aurora", "colour": "#176b5b",
        "position": "right", "theme": "auto", "language": "auto",
        "greeting": { "pt-BR": "Oi! Como podemos ajudar?", "en": "Hi! How can we help?" },
        "form": { "name": "must", "email": "ask", "phone": "no", "services": [],
            "consent": { "version": "2026-11", "text": { "pt-BR": "Concordo com o uso dos meus dados." },
                "url": "https://loja.exemplo.com.br/privacidade" } },
        "files": { "bytes_max": 5_000_000, "kinds": ["image", "document"] },
        "reopen_minutes": 60,
        "life": { "closing": {}, "survey": { "id": "s1", "questions": [
            { "id": "csat", "kind": "stars", "text": "Que nota você dá?", "required": true }] } },
    })
}

const FIELDS: [(&str, &str); 13] = [
    (
        "origins",
        "The sites whose pages may show the window, as `https://host` each. None: only our own `/demo`.",
    ),
    (
        "title",
        "What the window is called; the channel's name when not set.",
    ),
    (
        "logo",
        "A picture: null, for none is kept yet. The window shows the initials.",
    ),
    ("colour", "`#rrggbb`."),
    (
        "position",
        "`left` or `right`: at which edge of the page it stands.",
    ),
    (
        "theme",
        "`light`, `dark`, or `auto`: as the visitor's system is.",
    ),
    (
        "language",
        "`pt-BR`, `en`, `es`, or `auto`: that of the page, or else of the browser.",
    ),
    ("greeting", "The first words, by language."),
    (
        "form",
        "What is asked before the first message of a matter; nothing when null. `name`, `email` and `phone` are \
         `no`, `ask` or `must`; `services` are those to choose from; `consent` has a `version`, a `text` by \
         language and an `url`.",
    ),
    (
        "files",
        "Which files visitors may send; none when null. `bytes_max`, and `kinds` of `image`, `audio`, `video` \
         and `document`.",
    ),
    (
        "transcript",
        "Whether visitors may have the conversation mailed to them: `false`, for nothing mails it yet.",
    ),
    (
        "reopen_minutes",
        "For how many minutes after its end a matter comes back when the visitor writes again; 0: never.",
    ),
    (
        "life",
        "What it does by itself (`LifeSettings`). Its survey is asked in the window.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::channels::webchat::WebchatSettings;

    #[test]
    fn all_that_can_be_set_is_described_and_the_example_can_be_set() {
        let value = WebchatSettings::default().value().expect("JSON");
        let fields = value.as_object().expect("an object").keys();
        let fields: BTreeSet<&str> = fields.map(String::as_str).collect();
        let described: BTreeSet<&str> = FIELDS.into_iter().map(|(name, _)| name).collect();
        assert_eq!(fields, described);
        let settings = WebchatSettings::read(example()).expect("settings");
        assert_eq!(settings.wrong(), None);
        assert!(settings.chat.form.is_some() && settings.life.survey.is_some());
    }
}

//! `/api/openapi.json`: OpenAPI 3.1, generated from the handlers.

use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::who::{PLAIN_COOKIE, STRICT_COOKIE};
use super::{
    App, agents, api_keys, audit, calendars, companies, devices, flows, health, interactions,
    metrics, numbers, prompts, services, session, trunks, users, voice_messages, voices,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/openapi.json", get(async || Json(document())))
}

/// The description of the API.
pub fn document() -> Document {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Ramal", description = "The API of a contact centre. Lists are paged: send `next` as `after`. \
        Administrators of the installation name the company as `?company=`. A browser logs in by \
        `POST /api/v1/session` and sends `X-CSRF-Token` with every change; other systems send an API key.",
        license(name = "MIT OR Apache-2.0")),
    paths(
        health::health, metrics::metrics,
        session::log_in, session::read, session::log_out, session::change_password,
        companies::list, companies::create, companies::read, companies::update,
        users::list, users::create, users::read, users::update, users::delete,
        api_keys::list, api_keys::create, api_keys::revoke,
        services::list, services::create, services::read, services::update, services::delete,
        agents::list, agents::read_me, agents::set_my_presence, agents::of_service,
        agents::set_of_service, agents::waiting,
        calendars::list, calendars::create, calendars::read, calendars::update, calendars::delete, calendars::state,
        numbers::list, numbers::create, numbers::read, numbers::update, numbers::delete,
        trunks::list, trunks::create, trunks::read, trunks::update, trunks::delete,
        devices::list, devices::create, devices::read, devices::update, devices::delete,
        prompts::list, prompts::upload, prompts::from_text, prompts::read, prompts::update,
        prompts::delete, prompts::publish, prompts::audio, prompts::original,
        voices::list, voices::preview,
        flows::list, flows::create, flows::read, flows::delete, flows::read_draft, flows::save_draft,
        flows::read_simple, flows::save_simple, flows::validate, flows::publish, flows::versions,
        flows::version, flows::roll_back, flows::flow_schema, flows::simple_form_schema,
        interactions::list, interactions::export, interactions::read,
        voice_messages::list, voice_messages::audio,
        audit::list,
    ),
    tags(
        (name = "session", description = "A person logs in and out."),
        (name = "companies", description = "The tenants."),
        (name = "people", description = "Who logs in: people, and other systems by their keys."),
        (name = "services", description = "What the customer chooses: each a line of its own."),
        (name = "agents", description = "Who takes work, whether they do now, and who waits."),
        (name = "calendars", description = "Opening hours and holidays."),
        (name = "numbers", description = "What can be dialled."),
        (name = "trunks", description = "The carriers."),
        (name = "devices", description = "SIP phones and browsers."),
        (name = "prompts", description = "Recordings and spoken texts."),
        (name = "flows", description = "What callers hear and press."),
        (name = "records", description = "What happened."),
        (name = "operation", description = "How the program is."),
    ),
    security(("key" = []), ("cookie" = []), ("plain_cookie" = [])),
    modifiers(&Schemes, &Names),
)]
struct Described;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("rml_<prefix>_<secret>")
            .build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        for (scheme, name, place) in [
            ("cookie", STRICT_COOKIE, "Over HTTPS."),
            (
                "plain_cookie",
                PLAIN_COOKIE,
                "Over plain HTTP on the machine itself.",
            ),
        ] {
            let cookie = ApiKey::Cookie(ApiKeyValue::with_description(name, place));
            components.add_security_scheme(scheme, SecurityScheme::ApiKey(cookie));
        }
    }
}

/// Makes the names of operations unique: what is done, behind what it is done to. Generators of
/// clients make a function of each.
struct Names;

impl Modify for Names {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            let path = path.trim_start_matches("/api/v1");
            let noun = path.split('/').nth(1).unwrap_or_default().replace('-', "_");
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                let done = operation.operation_id.take().unwrap_or_default();
                operation.operation_id = Some(format!("{noun}_{done}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_way_to_log_in_is_described_by_its_name() {
        let document = serde_json::to_value(super::document()).expect("JSON");
        let schemes = &document["components"]["securitySchemes"];
        for (scheme, name) in [("cookie", "__Host-ramal"), ("plain_cookie", "ramal")] {
            assert_eq!(schemes[scheme]["name"], name);
            assert_eq!(schemes[scheme]["in"], "cookie");
        }
        let offered = document["security"].as_array().expect("a list");
        assert_eq!(offered.len(), 3, "{offered:?}");
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = serde_json::to_value(super::document()).expect("JSON");
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let name = operation["operationId"]
                    .as_str()
                    .expect("a name")
                    .to_owned();
                assert!(names.insert(name), "{method} {path}");
            }
        }
    }
}

//! `/api/openapi.json`: OpenAPI 3.1, generated from the handlers.

use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr};
use utoipa::{Modify, OpenApi};

use super::who::{PLAIN_COOKIE, STRICT_COOKIE};
use super::{
    App, accounts, agents, api_keys, attendances, audit, bots, calendars, calls, channels,
    companies, company_webhooks, contacts, decisions, desk_settings, devices, email, files,
    flow_calls, flow_trials, flows, handing, health, interactions, live, messages, metrics, notes,
    numbers, outbound_routes, outbound_rules, pauses, people_table, profiles, prompts,
    quick_replies, receive_hook, recordings, reports, requests, second_factor, services, session,
    sip_ladders, skills, softphone, surveys, tags, transcript, trunks, user_settings, users,
    voice_messages, voices, webchat, work,
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
        second_factor::read, second_factor::offer, second_factor::begin, second_factor::end, second_factor::take_away,
        companies::list, companies::create, companies::read, companies::update,
        contacts::list, contacts::create, contacts::read, contacts::update, contacts::remove, contacts::history,
        contacts::ids::add_identity, contacts::ids::remove_identity, contacts::merging::merges,
        contacts::merging::merge, contacts::merging::unmerge, contacts::merging::anonymise,
        contacts::tables::import, contacts::tables::export,
        users::list, users::create, users::read, users::update, users::delete,
        api_keys::list, api_keys::create, api_keys::revoke,
        services::list, services::create, services::read, services::update, services::delete,
        agents::list, agents::read_me, agents::set_my_presence, agents::of_service,
        agents::set_of_service, agents::waiting, agents::set_presence,
        work::my_work, work::dispose, work::end_wrap_up, work::accept, work::refuse, work::set_priority,
        work::explain, work::service_status,
        quick_replies::list, quick_replies::create, quick_replies::read, quick_replies::update, quick_replies::delete,
        pauses::list, pauses::create, pauses::read, pauses::update, pauses::delete,
        skills::list, skills::create, skills::read, skills::update, skills::delete,
        skills::of_agent, skills::set_of_agent, skills::transfers, skills::set_transfers,
        desk_settings::read, desk_settings::update,
        calls::list, calls::place, calls::order,
        channels::list, channels::create, channels::read, channels::update, channels::delete, channels::keys,
        channels::create_key, channels::rotate_secret, channels::deliveries, channels::replay,
        company_webhooks::list, company_webhooks::create, company_webhooks::read, company_webhooks::update,
        company_webhooks::delete, company_webhooks::rotate, company_webhooks::ping, company_webhooks::deliveries,
        company_webhooks::replay,
        receive_hook::receive_hook, receive_hook::batch, receive_hook::events,
        attendances::read, attendances::messages, requests::list, messages::list, messages::send, transcript::read, messages::composer, messages::resend, webchat::signal, webchat::rotate, accounts::health, accounts::check, accounts::templates,
        accounts::refresh, accounts::preview, accounts::costs, accounts::begin,
        email::check_settings, email::mailbox, email::preview, email::authorise, email::mail, email::show, email::original,
        calendars::list, calendars::create, calendars::read, calendars::update, calendars::delete, calendars::state,
        numbers::list, numbers::create, numbers::read, numbers::update, numbers::delete,
        trunks::list, trunks::create, trunks::read, trunks::update, trunks::delete,
        outbound_routes::list, outbound_routes::create, outbound_routes::read, outbound_routes::update,
        outbound_routes::delete, outbound_rules::read, outbound_rules::update,
        devices::list, devices::create, devices::read, devices::update, devices::delete, softphone::ask,
        handing::targets, handing::transfer, handing::move_work, notes::list, notes::write, people_table::import, profiles::list, profiles::create, profiles::read, profiles::update, profiles::delete,
        prompts::list, prompts::upload, prompts::from_text, prompts::read, prompts::update,
        prompts::delete, prompts::publish, prompts::audio, prompts::original,
        voices::list, voices::preview,
        flows::list, flows::create, flows::read, flows::delete, flows::read_draft, flows::save_draft,
        flows::read_simple, flows::save_simple, flows::validate, flow_calls::call_flow, flow_trials::try_flow, flows::publish, flows::versions,
        flows::version, flows::roll_back, flows::flow_schema, flows::simple_form_schema,
        interactions::list, interactions::count, interactions::export, tags::list, tags::set, user_settings::read, user_settings::write, interactions::read, decisions::decisions,
        reports::services, reports::services_table, reports::agents::agents, reports::agents::agents_table,
        reports::channels, reports::channels_table, reports::hours, reports::hours_table, reports::days,
        reports::days_table, reports::surveys::surveys, reports::surveys::surveys_table, reports::trend::trend,
        reports::trend::trends,
        files::file, files::thumbnail, files::upload, files::upload_by_key, files::by_link, files::small_by_link,
        bots::token, bots::hand_over,
        recordings::of_interaction, recordings::audio, recordings::delete,
        recordings::rules, recordings::set_rules,
        sip_ladders::ladder, live::watch, voice_messages::list, voice_messages::left_in, voice_messages::audio, surveys::list,
        audit::list,
    ),
    tags(
        (name = "session", description = "A person logs in and out."),
        (name = "companies", description = "The tenants."),
        (name = "people", description = "Who logs in: people, and other systems by their keys."),
        (name = "contacts", description = "The customers, and the ids under which channels know them."),
        (name = "services", description = "What the customer chooses: each a line of its own."),
        (name = "agents", description = "Who takes work, whether they do now, and who waits."),
        (name = "calls", description = "The calls that are up: hold, consult, transfer, listen, call somebody."),
        (name = "channels", description = "The ways by which customers write, and what other systems are told."),
        (name = "webhooks", description = "Where a company is told of what happens, on every channel and of every call."),
        (name = "calendars", description = "Opening hours and holidays."),
        (name = "numbers", description = "What can be dialled."),
        (name = "trunks", description = "The carriers."),
        (name = "outbound", description = "By which carriers calls leave, who may call whom, and how much."),
        (name = "devices", description = "SIP phones and browsers."),
        (name = "prompts", description = "Recordings and spoken texts."),
        (name = "flows", description = "What callers hear and press."),
        (name = "records", description = "What happened."),
        (name = "operation", description = "How the program is."),
    ),
    security(("key" = []), ("cookie" = []), ("plain_cookie" = [])),
    modifiers(&Schemes, &Names, &Answers),
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
        let chat = RefOr::T(webchat::settings());
        components
            .schemas
            .insert("WebchatSettings".to_owned(), chat);
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
            for operation in operations(item) {
                let done = operation.operation_id.take().unwrap_or_default();
                operation.operation_id = Some(format!("{noun}_{done}"));
            }
        }
    }
}

/// Says of every answer what its status means, where its handler says nothing: OpenAPI 3.1 wants
/// a description of each.
struct Answers;

impl Modify for Answers {
    fn modify(&self, document: &mut Document) {
        let operations = document.paths.paths.values_mut().flat_map(operations);
        for (status, answer) in operations.flat_map(|one| &mut one.responses.responses) {
            match answer {
                RefOr::T(answer) if answer.description.is_empty() => {
                    meaning(status).clone_into(&mut answer.description);
                }
                RefOr::T(_) | RefOr::Ref(_) => {}
            }
        }
    }
}

/// What an answer of this status says here; nothing for one that no handler describes.
fn meaning(status: &str) -> &'static str {
    match status {
        "101" => "The connection is another from here on.",
        "200" => "What was asked for.",
        "201" => "It was made.",
        "202" => "It was received, and is worked on.",
        "204" => "It is done; there is nothing to show.",
        "206" => "The part of it that was asked for.",
        "400" => "It cannot be read.",
        "401" => "Nobody is logged in, or the key or password is wrong.",
        "403" => "Who asks may not do this.",
        "404" => "There is no such thing here.",
        "409" => "What is there already stands in its way.",
        "413" => "What was sent is too large.",
        "422" => "A value cannot be taken; the body names what is wrong.",
        "429" => "Too many attempts; Retry-After says how long to wait.",
        "503" => "Something that this needs is away.",
        _ => "",
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ];
    all.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

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

    #[test]
    fn every_answer_is_described() {
        let document = serde_json::to_value(super::document()).expect("JSON");
        let mut seen = 0;
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let answers = operation["responses"].as_object().expect("answers");
                assert!(!answers.is_empty(), "{method} {path}");
                for (status, answer) in answers {
                    let description = answer["description"].as_str().unwrap_or_default();
                    assert!(!description.trim().is_empty(), "{method} {path} {status}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 150, "{seen}");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(super::document()).expect("JSON");
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        assert!(references.contains("#/components/schemas/Problem"));
        for reference in references {
            let place = reference.strip_prefix('#').expect("of this document");
            assert!(document.pointer(place).is_some(), "{reference}");
        }
    }

    /// What `$ref` names, wherever it stands.
    fn collect<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            into.insert(reference);
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(fields) => fields.values().for_each(|field| collect(field, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

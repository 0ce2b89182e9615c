//! What Meta tells of accounts, numbers, templates and wishes.

use serde_json::Value;

use crate::event::{
    Consent, Event, EventKind, Health, HealthLevel, TemplateChange, TemplateNews, TemplateState,
    key,
};
use crate::json::{self, Fields};
use crate::whatsapp::meta::read::Change;

/// News that is no message. What nobody understands is kept.
pub(crate) fn of(change: &Change<'_>) -> Event {
    let value = change.value;
    let kind = match change.field.as_str() {
        "message_template_status_update" => template(value, state(value)),
        "message_template_quality_update" => {
            let quality = value.text("new_quality_score");
            template(value, quality.map(TemplateChange::Quality))
        }
        "message_template_components_update" => template(value, Some(TemplateChange::Contents)),
        "template_category_update" => {
            let category = value
                .text("new_category")
                .or_else(|| value.text("correct_category"));
            template(value, category.map(TemplateChange::Category))
        }
        "account_update"
        | "account_alerts"
        | "account_review_update"
        | "business_capability_update"
        | "phone_number_quality_update"
        | "phone_number_name_update"
        | "security" => Some(health(&change.field, value)),
        _ => None,
    };
    let Some(kind) = kind else {
        return change.unsupported(&change.field, value);
    };
    // News has no id: the same news at the same second is the same.
    let time = change.at_ms.unwrap_or_default().to_string();
    let key = key(&[&change.field, &time, &json::fingerprint(value)]);
    change.event(key, value, kind)
}

/// An error that concerns the account and no message.
pub(crate) fn account_error(change: &Change<'_>, error: &Value) -> Event {
    let time = change.at_ms.unwrap_or_default().to_string();
    let key = key(&["error", &time, &json::fingerprint(error)]);
    let code = error.id("code").unwrap_or_else(|| "?".to_owned());
    let title = error.text("title").or_else(|| error.text("message"));
    let kind = EventKind::Health(Health {
        level: HealthLevel::Warning,
        what: format!("error {code}"),
        text: title.unwrap_or_default(),
        raw: error.clone(),
    });
    change.event(key, error, kind)
}

/// A customer allowed or forbade advertising.
pub(crate) fn consent(change: &Change<'_>, preference: &Value) -> Event {
    let marketing = match preference.text("value").as_deref() {
        Some("stop") => false,
        Some("resume") => true,
        _ => return change.unsupported("user_preferences", preference),
    };
    let peer = change.peer(preference, ["wa_id", "user_id", "parent_user_id"]);
    let key = key(&["user_preferences", &json::fingerprint(preference)]);
    let kind = EventKind::Consent(Consent { peer, marketing });
    change.event(key, preference, kind)
}

fn template(value: &Value, change: Option<TemplateChange>) -> Option<EventKind> {
    Some(EventKind::Template(TemplateNews {
        id: value.id("message_template_id"),
        name: value.text("message_template_name")?,
        language: value.text("message_template_language"),
        change: change?,
    }))
}

fn state(value: &Value) -> Option<TemplateChange> {
    let state = template_state(&value.text("event")?)?;
    let reason = value.text("reason").filter(|reason| reason != "NONE");
    let details = value.at("rejection_info").text("reason");
    let reason = details.or(reason);
    Some(TemplateChange::State { state, reason })
}

/// How a template stands, in the words of all five providers.
pub(crate) fn template_state(word: &str) -> Option<TemplateState> {
    Some(match word.to_ascii_uppercase().as_str() {
        "APPROVED" | "REINSTATED" | "ENABLED" => TemplateState::Approved,
        "REJECTED" | "FAILED" => TemplateState::Rejected,
        "PENDING"
        | "IN_APPEAL"
        | "PENDING_REVIEW"
        | "RECEIVED"
        | "UNSUBMITTED"
        | "SUBMITTED"
        | "WAITING_REVIEW"
        | "WAITING_APPROVAL"
        | "WAITING_WHATSAPP_SUBMISSION"
        | "WAITING_WHATSAPP_REVIEW" => TemplateState::Pending,
        "PAUSED" => TemplateState::Paused,
        "DISABLED" | "LIMIT_EXCEEDED" => TemplateState::Disabled,
        "FLAGGED" => TemplateState::Flagged,
        "DELETED" | "PENDING_DELETION" | "ARCHIVED" | "CANCELED" => TemplateState::Deleted,
        _ => return None,
    })
}

fn health(field: &str, value: &Value) -> EventKind {
    let words = ["event", "decision", "alert_type", "current_limit"];
    let word = words.iter().find_map(|key| value.text(key));
    let word = word.unwrap_or_default();
    let level = match word.as_str() {
        "DISABLED_UPDATE"
        | "ACCOUNT_RESTRICTION"
        | "ACCOUNT_DELETED"
        | "ACCOUNT_OFFBOARDED"
        | "PARTNER_REMOVED"
        | "PHONE_NUMBER_REMOVED"
        | "BANNED" => HealthLevel::Alarm,
        "ACCOUNT_VIOLATION" | "FLAGGED" | "DOWNGRADE" | "REJECTED" | "DEFERRED" => {
            HealthLevel::Warning
        }
        _ => HealthLevel::Note,
    };
    let number = value.text("display_phone_number").unwrap_or_default();
    let limit = value.text("current_limit").filter(|limit| *limit != word);
    let parts = [word, number, limit.unwrap_or_default()];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    EventKind::Health(Health {
        level,
        what: field.to_owned(),
        text: parts.join(" "),
        raw: value.clone(),
    })
}

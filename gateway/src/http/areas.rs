//! Which area of what people may do an address belongs to, and whose customers it is about.

use desk::id::{InteractionId, ServiceId, WorkId};
use desk::permission::Area;

/// About whose customers an address is, for those who may ask about some alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Limited {
    /// About this one.
    Interaction(InteractionId),
    /// About those of a service.
    Service(ServiceId),
    /// About the one of a work that waits.
    Work(WorkId),
    /// About many: whoever answers leaves out the others, or it is about no customer.
    ByItself,
    /// About those of the service that is asked for by `service`, and else about all whom they may see: whoever
    /// answers leaves out the others.
    Asked,
}

/// About whose customers a path is.
pub(super) fn limited(path: &str) -> Limited {
    let path = path.strip_prefix("/api/v1/").unwrap_or(path);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let (id, last) = rest.split_once('/').unwrap_or((rest, ""));
    let found = match (first, last) {
        ("interactions", "") if id.is_empty() || id == "count" => Ok(Limited::Asked),
        ("interactions" | "calls", _) if !id.is_empty() => id.parse().map(Limited::Interaction),
        ("services", "status" | "trend" | "waiting") => id.parse().map(Limited::Service),
        ("work", "explain" | "priority" | "service") => id.parse().map(Limited::Work),
        ("interactions.csv" | "reports", _) => Ok(Limited::Asked),
        _ => Ok(Limited::ByItself),
    };
    // What is no id is nobody's, and is not found by whoever looks for it.
    found.unwrap_or(Limited::ByItself)
}

/// What is seen by those alone who govern it, where their role says so.
pub(super) fn is_governed(path: &str) -> bool {
    let path = path.strip_prefix("/api/v1/").unwrap_or(path);
    let first = path.split('/').next().unwrap_or_default();
    let governed = [
        "api-keys",
        "audit",
        "devices",
        "outbound-routes",
        "outbound-rules",
        "profiles",
        "trunks",
        "users",
        "webhooks",
    ];
    governed.contains(&first)
}

/// The area of a path; none of what everybody may ask, or of one's own session.
pub(super) fn area(path: &str) -> Option<Area> {
    if path == "/oauth/email" {
        return Some(Area::Channels); // Where a provider sends back who connects a mailbox.
    }
    let path = path.strip_prefix("/api/v1/")?;
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let last = rest.rsplit('/').next().unwrap_or_default();
    Some(match first {
        "interactions" if last == "transfer" => Area::Desk,
        "interactions" if last == "recordings" || last == "voice-messages" => Area::Recordings,
        "recordings" | "voice-messages" => Area::Recordings,
        "interactions" | "interactions.csv" | "messages" | "files" | "survey-answers" | "tags" => {
            Area::Interactions
        }
        "agents" if last == "skills" || last == "transfers" => Area::People,
        "services" if matches!(last, "status" | "trend" | "waiting") => Area::Desk,
        "agents" | "calls" | "live" | "trend" | "work" => Area::Desk,
        "reports" => Area::Reports,
        "contacts" => Area::Contacts,
        "calendars" | "desk-settings" | "pauses" | "quick-replies" | "services" | "skills" => {
            Area::Services
        }
        "flows" | "prompts" | "voices" => Area::Flows,
        "channels" | "devices" | "email" | "numbers" | "outbound-routes" | "outbound-rules"
        | "recording-rules" | "trunks" => Area::Channels,
        "profiles" | "users" => Area::People,
        "api-keys" | "webhooks" => Area::Integrations,
        "audit" => Area::Audit,
        "companies" => Area::Company,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_described_path_has_an_area_but_what_is_one_s_own_or_everybody_s() {
        let document = serde_json::to_value(crate::http::document()).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let without: Vec<&String> = paths.keys().filter(|path| area(path).is_none()).collect();
        let free = [
            "/health",
            "/media",
            "/metrics",
            "/api/v1/session",
            "/api/v1/schemas",
        ];
        for path in without {
            assert!(
                free.iter().any(|free| path.starts_with(free)),
                "{path} has none"
            );
        }
        assert_eq!(
            area("/api/v1/interactions/1/recordings"),
            Some(Area::Recordings)
        );
        assert_eq!(area("/api/v1/services/1/waiting"), Some(Area::Desk));
        assert_eq!(area("/api/v1/services/1"), Some(Area::Services));
    }
}

//! What the desks go by, from its rows: pauses, skills, what a company has set and what agents may.

use std::sync::Arc;
use std::time::Duration;

use exchange::directory::{Pause, Recording};
use ivr::Key;
use store::Store;

use super::{Companies, SetupError};

/// Gives each company its pauses, its skills and the common rules of its desk.
pub(super) async fn add(store: &Store, companies: &mut Companies) -> Result<(), SetupError> {
    for row in store::pauses::all(store.pool()).await? {
        let Some(company) = companies.get_mut(&row.company).filter(|_| !row.disabled) else {
            continue;
        };
        let pause = Pause {
            name: row.name,
            limit: row
                .limit_s
                .map(|limit| Duration::from_secs(u64::from(limit))),
        };
        company.pauses.insert(row.id, pause);
    }
    for row in store::skills::all(store.pool()).await? {
        if let Some(company) = companies.get_mut(&row.company) {
            company.skills.insert(row.id, row.name);
        }
    }
    for (company, rules) in store::desk_settings::all(store.pool()).await? {
        if let Some(company) = companies.get_mut(&company) {
            company.desk = Arc::new(rules);
        }
    }
    Ok(())
}

/// Gives each agent what they can and what they may do.
pub(super) async fn add_rights(store: &Store, companies: &mut Companies) -> Result<(), SetupError> {
    for row in store::skills::levels(store.pool()).await? {
        let company = companies.get_mut(&row.company);
        if let Some(agent) = company.and_then(|company| company.agents.get_mut(&row.user)) {
            agent.skills.insert(row.skill, row.level);
        }
    }
    for (user, transfers) in store::desk_settings::transfers(store.pool()).await? {
        let mut all = companies.values_mut();
        if let Some(agent) = all.find_map(|company| company.agents.get_mut(&user)) {
            agent.transfers = transfers;
        }
    }
    Ok(())
}

/// Whether calls are recorded, by its word.
pub(super) fn recording(word: &str) -> Recording {
    match word {
        "always" => Recording::Always,
        "on_demand" => Recording::OnDemand,
        _ => Recording::Off,
    }
}

/// The key of a telephone, by its sign.
pub(super) fn key(text: &str) -> Option<Key> {
    let mut signs = text.chars();
    let key = signs.next().and_then(Key::new)?;
    signs.next().is_none().then_some(key)
}

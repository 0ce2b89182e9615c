//! Rows that the tests begin with.

use desk::id::{CompanyId, InteractionId, UserId};
use desk::record::{Change, Direction, InteractionOpened, Medium, TrailEntry, TrailKind};
use serde_json::json;
use store::companies::Company;
use store::users::{Role, User};
use store::{Store, companies, users};

/// An id from readable text.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) async fn company(store: &Store, name: &str) -> CompanyId {
    let company = Company {
        id: id(name),
        name: name.to_owned(),
        language: "pt-BR".into(),
        time_zone: "America/Sao_Paulo".into(),
        settings: json!({ "greeting": "Olá" }),
        disabled: false,
        created_ms: 1,
    };
    companies::insert(store.pool(), &company).await.unwrap();
    company.id
}

pub(crate) async fn user(store: &Store, company: Option<&CompanyId>, name: &str) -> UserId {
    let user = a_user(company, name);
    users::insert(store.pool(), &user).await.unwrap();
    user.id
}

pub(crate) fn a_user(company: Option<&CompanyId>, name: &str) -> User {
    User {
        id: id(name),
        company: company.cloned(),
        email: format!("{name}@example.com"),
        name: name.to_owned(),
        password: Some("$argon2id$old".into()),
        role: Role::Administrator,
        profile: None,
        locale: "pt-BR".into(),
        disabled: false,
        created_ms: 1,
        last_login_ms: None,
    }
}

pub(crate) fn opened(company: &CompanyId, interaction: &str, started_ms: i64) -> Change {
    Change::InteractionOpened(Box::new(InteractionOpened {
        id: id(interaction),
        company: company.clone(),
        instance: None,
        medium: Medium::Phone,
        direction: Direction::Inbound,
        from: "+5511999990000".into(),
        from_name: "Conceição".into(),
        to: "4000".into(),
        number: None,
        trunk: None,
        device: None,
        flow: None,
        sip_call_id: "a@b".into(),
        started_ms,
        protocol_day: 20_261_122,
    }))
}

pub(crate) fn line(interaction: &InteractionId, seq: u32, at_ms: i64) -> Change {
    Change::InteractionUpdated {
        interaction: interaction.clone(),
        update: Box::default(),
        trail: vec![an_entry(seq, at_ms)],
    }
}

pub(crate) fn an_entry(seq: u32, at_ms: i64) -> TrailEntry {
    TrailEntry {
        seq,
        at_ms,
        kind: TrailKind::KeyPressed,
        detail: json!({ "key": "1" }),
    }
}

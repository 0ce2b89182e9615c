//! Dispositions: the tree of wrap-up codes of a service, and what an agent filled in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::DispositionId;

/// A code, or a heading with codes below it. Only a code without children can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Its id, unique in the tree.
    pub id: DispositionId,
    /// What the agent reads.
    pub name: String,
    /// What is below this heading.
    #[serde(default)]
    pub children: Vec<Disposition>,
    /// What the agent is asked when they choose it.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// What happens when it is chosen.
    #[serde(default)]
    pub actions: Vec<Action>,
}

/// Something the agent is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, unique in its code.
    pub name: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// What may be filled in.
    pub kind: FieldKind,
}

/// What may be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Any text of at most [`TEXT_LENGTH_MAX`] characters.
    Text,
    /// A number, with an optional sign and fraction.
    Number,
    /// One of these.
    Choice(Vec<String>),
}

/// What happens when a code is chosen. The desk itself does `Reopen`; the others are told to its
/// owner with the end of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Send the customer this text.
    Message(String),
    /// Ask the customer this survey, by its name.
    Survey(String),
    /// The work comes back by itself, to the same agent first.
    Reopen(ReopenWhen),
    /// Give the customer back to this flow or bot, by its name.
    ReturnToBot(String),
}

/// When work comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReopenWhen {
    /// So many milliseconds after the disposition.
    AfterMs(i64),
    /// At the date that the agent chose: [`Disposed::reopen_ms`].
    Asked,
}

/// What an agent filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposed {
    /// The code.
    pub id: DispositionId,
    /// The fields, by name.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// When the work comes back, in milliseconds since 1970 (UTC), where the code asks for it.
    #[serde(default)]
    pub reopen_ms: Option<i64>,
    /// A remark, at most [`TEXT_LENGTH_MAX`] characters.
    #[serde(default)]
    pub note: String,
}

/// What is wrong with a disposition. The agent's screen shows it at the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispositionError {
    /// The service has no such code.
    #[error("the service has no such disposition")]
    Unknown,
    /// It is a heading.
    #[error("this is a heading: choose a disposition below it")]
    NotALeaf,
    /// A required field is empty.
    #[error("the field {0:?} is required")]
    Missing(String),
    /// A field holds what it may not hold.
    #[error("the field {0:?} has a value that it may not have")]
    Invalid(String),
    /// The code has no such field.
    #[error("the disposition has no field {0:?}")]
    UnknownField(String),
    /// The code asks for the date of reopening, in the future.
    #[error("the date of reopening is missing or past")]
    ReopenDate,
}

/// The longest text in a field or a note, in characters: a remark, not a report.
pub const TEXT_LENGTH_MAX: usize = 4_000;

/// The deepest tree: people choose from it while a customer waits.
pub const DEPTH_MAX: usize = 6;

/// Finds what was chosen in `tree` and checks what was filled in at `at_ms`.
///
/// # Errors
///
/// [`DispositionError`], which names the field.
pub fn check<'a>(
    tree: &'a [Disposition],
    disposed: &Disposed,
    at_ms: i64,
) -> Result<&'a Disposition, DispositionError> {
    let found = find(tree, &disposed.id).ok_or(DispositionError::Unknown)?;
    if !found.children.is_empty() {
        return Err(DispositionError::NotALeaf);
    }
    for field in &found.fields {
        let value = disposed.fields.get(&field.name).map_or("", String::as_str);
        if value.is_empty() {
            if field.required {
                return Err(DispositionError::Missing(field.name.clone()));
            }
        } else if !field.kind.holds(value) {
            return Err(DispositionError::Invalid(field.name.clone()));
        }
    }
    let known: BTreeSet<&String> = found.fields.iter().map(|field| &field.name).collect();
    if let Some(name) = disposed.fields.keys().find(|name| !known.contains(name)) {
        return Err(DispositionError::UnknownField(name.clone()));
    }
    if disposed.note.chars().count() > TEXT_LENGTH_MAX {
        return Err(DispositionError::Invalid("note".to_owned()));
    }
    let asked = Action::Reopen(ReopenWhen::Asked);
    if found.actions.contains(&asked) && disposed.reopen_ms.is_none_or(|date| date <= at_ms) {
        return Err(DispositionError::ReopenDate);
    }
    Ok(found)
}

/// When work closed with `code` at `at_ms` comes back, if it does.
pub fn reopens_at(code: &Disposition, disposed: &Disposed, at_ms: i64) -> Option<i64> {
    code.actions.iter().find_map(|action| match action {
        Action::Reopen(ReopenWhen::AfterMs(after)) => Some(at_ms.saturating_add((*after).max(0))),
        Action::Reopen(ReopenWhen::Asked) => disposed.reopen_ms,
        Action::Message(_) | Action::Survey(_) | Action::ReturnToBot(_) => None,
    })
}

impl FieldKind {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Text => value.chars().count() <= TEXT_LENGTH_MAX,
            Self::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Choice(choices) => choices.iter().any(|choice| choice == value),
        }
    }
}

fn find<'a>(tree: &'a [Disposition], id: &DispositionId) -> Option<&'a Disposition> {
    tree.iter().find_map(|node| {
        if node.id == *id {
            Some(node)
        } else {
            find(&node.children, id)
        }
    })
}

/// Whether `tree` is one that people can choose from: ids once, not deeper than [`DEPTH_MAX`].
pub(crate) fn is_sound(tree: &[Disposition]) -> bool {
    fn visit<'a>(
        tree: &'a [Disposition],
        depth: usize,
        ids: &mut BTreeSet<&'a DispositionId>,
    ) -> bool {
        depth <= DEPTH_MAX
            && tree
                .iter()
                .all(|node| ids.insert(&node.id) && visit(&node.children, depth + 1, ids))
    }
    visit(tree, 1, &mut BTreeSet::new()) || tree.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DispositionId {
        text.parse().expect("an id")
    }

    fn leaf(text: &str, fields: Vec<Field>, actions: Vec<Action>) -> Disposition {
        Disposition {
            id: id(text),
            name: text.to_owned(),
            children: vec![],
            fields,
            actions,
        }
    }

    fn tree() -> Vec<Disposition> {
        let amount = Field {
            name: "valor".to_owned(),
            required: true,
            kind: FieldKind::Number,
        };
        let product = Field {
            name: "produto".to_owned(),
            required: false,
            kind: FieldKind::Choice(vec!["fibra".to_owned(), "móvel".to_owned()]),
        };
        vec![Disposition {
            children: vec![
                leaf("vendido", vec![amount, product], vec![]),
                leaf("retornar", vec![], vec![Action::Reopen(ReopenWhen::Asked)]),
            ],
            ..leaf("venda", vec![], vec![])
        }]
    }

    fn disposed(text: &str, fields: &[(&str, &str)]) -> Disposed {
        Disposed {
            id: id(text),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            reopen_ms: None,
            note: String::new(),
        }
    }

    #[test]
    fn what_was_filled_in_is_checked_field_by_field() {
        let tree = tree();
        let error = |filled: &Disposed| check(&tree, filled, 1_000).err();
        let text = |name: &str| name.to_owned();
        assert_eq!(error(&disposed("vendido", &[("valor", "19.90")])), None);
        assert_eq!(
            error(&disposed("vendido", &[])),
            Some(DispositionError::Missing(text("valor")))
        );
        assert_eq!(
            error(&disposed("vendido", &[("valor", "muito")])),
            Some(DispositionError::Invalid(text("valor")))
        );
        assert_eq!(
            error(&disposed("vendido", &[("valor", "1"), ("produto", "tv")])),
            Some(DispositionError::Invalid(text("produto")))
        );
        assert_eq!(
            error(&disposed("vendido", &[("valor", "1"), ("cor", "azul")])),
            Some(DispositionError::UnknownField(text("cor")))
        );
        assert_eq!(
            error(&disposed("venda", &[])),
            Some(DispositionError::NotALeaf)
        );
        assert_eq!(
            error(&disposed("nada", &[])),
            Some(DispositionError::Unknown)
        );
    }

    #[test]
    fn a_code_that_reopens_asks_for_a_date_to_come() {
        let tree = tree();
        let mut filled = disposed("retornar", &[]);
        for past in [None, Some(999), Some(1_000)] {
            filled.reopen_ms = past;
            assert_eq!(
                check(&tree, &filled, 1_000).err(),
                Some(DispositionError::ReopenDate)
            );
        }
        filled.reopen_ms = Some(1_001);
        let code = check(&tree, &filled, 1_000).expect("complete");
        assert_eq!(reopens_at(code, &filled, 1_000), Some(1_001));
    }

    #[test]
    fn a_tree_with_an_id_twice_or_too_deep_is_not_sound() {
        assert!(is_sound(&tree()));
        let mut twice = tree();
        twice.push(leaf("vendido", vec![], vec![]));
        assert!(!is_sound(&twice));
        let mut deep = leaf("n0", vec![], vec![]);
        for level in 1..=DEPTH_MAX {
            deep = Disposition {
                children: vec![deep],
                ..leaf(&format!("n{level}"), vec![], vec![])
            };
        }
        assert!(!is_sound(&[deep]));
    }
}

//! What an agent says above a mail: what it is about, and who else gets it.
//!
//! It stands in the message beside its words, under `mail`, so that a second try is the same mail.

use std::collections::BTreeSet;

use channels::email::Address;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands above a mail of ours instead of what would by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// What it is about; what its conversation is about where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who else gets it for all to see; those whom the customer wrote to, as the mailbox is set, where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<Address>>,
    /// Who else gets it without the others knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<Address>,
}

/// Why something cannot stand above a mail: the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} cannot stand above a mail")]
pub struct Odd(pub &'static str);

impl Heading {
    /// What an agent typed.
    ///
    /// # Errors
    ///
    /// [`Odd`] with the field: a subject of more than [`SUBJECT_CHARS_MAX`] characters or lines, addresses that
    /// are none, or more than [`ADDRESSES_MAX`] of them.
    pub fn read(
        subject: Option<String>,
        cc: Option<Vec<String>>,
        bcc: &[String],
    ) -> Result<Self, Odd> {
        let subject = subject.map(|text| text.trim().to_owned());
        let subject = subject.filter(|text| !text.is_empty());
        let is_long = |text: &String| {
            text.chars().count() > SUBJECT_CHARS_MAX || text.contains(char::is_control)
        };
        if subject.as_ref().is_some_and(is_long) {
            return Err(Odd("subject"));
        }
        Ok(Self {
            subject,
            cc: cc.map(|cc| addresses(&cc, "cc")).transpose()?,
            bcc: addresses(bcc, "bcc")?,
        })
    }

    /// As it stands in a message.
    pub(super) fn of(content: &Value) -> Self {
        let heading = content.get("mail").cloned();
        let heading = heading.and_then(|heading| serde_json::from_value(heading).ok());
        heading.unwrap_or_default()
    }
}

/// Each address once.
fn addresses(texts: &[String], field: &'static str) -> Result<Vec<Address>, Odd> {
    let found: Option<BTreeSet<Address>> = texts.iter().map(|text| Address::parse(text)).collect();
    let found = found.filter(|found| found.len() <= ADDRESSES_MAX);
    Ok(found.ok_or(Odd(field))?.into_iter().collect())
}

/// What mail programs still show.
pub const SUBJECT_CHARS_MAX: usize = 250;

/// More are a circular.
pub const ADDRESSES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_above_a_mail_is_read_or_refused_at_its_field() {
        let typed = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let heading = Heading::read(
            Some(" Segunda via ".to_owned()),
            Some(typed(&[
                "Rui@Loja.example",
                " rui@loja.example",
                "Rui@loja.example",
            ])),
            &typed(&["chefe@loja.example"]),
        );
        let heading = heading.expect("a heading");
        assert_eq!(heading.subject.as_deref(), Some("Segunda via"));
        assert_eq!(
            heading.cc.as_ref().map(Vec::len),
            Some(2),
            "names are as they are written: {heading:?}"
        );
        assert_eq!(
            Heading::of(&json!({ "text": "x", "mail": heading })),
            heading
        );
        assert_eq!(Heading::of(&json!({ "text": "x" })), Heading::default());
        assert_eq!(
            Heading::read(Some("  ".into()), None, &[]),
            Ok(Heading::default())
        );
        let long = "x".repeat(SUBJECT_CHARS_MAX + 1);
        for subject in ["a\r\nBcc: b@c.example", &long] {
            assert_eq!(
                Heading::read(Some(subject.into()), None, &[]),
                Err(Odd("subject"))
            );
        }
        assert_eq!(
            Heading::read(None, Some(typed(&["ninguém"])), &[]),
            Err(Odd("cc"))
        );
        let many: Vec<String> = (0..21).map(|count| format!("a{count}@b.example")).collect();
        assert_eq!(Heading::read(None, None, &many), Err(Odd("bcc")));
    }
}

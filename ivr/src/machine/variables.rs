//! The variables of a walk.
//!
//! All flows of one walk share them, so that a flow can be called with values and leave some.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Caller, FETCHED_BYTES_MAX, Fetched};
use crate::template::{self, Escape};
use crate::{Comparison, Lookup, Operator};

/// A value, and whether it came from what a caller typed in secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    secret: bool,
}

impl Value {
    /// The text as the trail may show it.
    pub(super) fn masked(&self) -> String {
        if self.secret {
            mask(&self.text)
        } else {
            self.text.clone()
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The variables by their names.
#[derive(Debug)]
pub(super) struct Variables {
    values: BTreeMap<String, Value>,
}

impl Variables {
    pub(super) fn of_call(caller: &Caller) -> Self {
        let mut variables = Self {
            values: BTreeMap::new(),
        };
        variables.know("call.from", caller.from.clone());
        variables.know("call.to", caller.to.clone());
        variables.know("call.protocol", caller.protocol.clone());
        variables
    }

    /// Gives a flow's variables their first values, where another flow has not set them.
    pub(super) fn declare(&mut self, variables: &BTreeMap<String, String>) {
        for (name, text) in variables {
            if !self.values.contains_key(name) {
                self.set(
                    name,
                    Value {
                        text: text.clone(),
                        secret: false,
                    },
                );
            }
        }
    }

    /// Sets a name of the call.
    pub(super) fn know(&mut self, name: &'static str, text: String) {
        self.values.insert(
            name.to_owned(),
            Value {
                text: cut(text),
                secret: false,
            },
        );
    }

    pub(super) fn collect(&mut self, name: &str, digits: &str, secret: bool) {
        self.set(
            name,
            Value {
                text: digits.to_owned(),
                secret,
            },
        );
    }

    /// Sets a variable. Beyond [`VARIABLES_MAX`] new ones are not taken.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        if self.values.len() < VARIABLES_MAX || self.values.contains_key(name) {
            let Value { text, secret } = value;
            self.values.insert(
                name.to_owned(),
                Value {
                    text: cut(text),
                    secret,
                },
            );
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// Fills a template in; what holds a secret is one.
    pub(super) fn render(&self, template: &str, escape: Escape) -> Value {
        let text = template::render(template, escape, |name| self.text(name).map(Cow::Borrowed));
        let secret = template::parts(template).is_ok_and(|parts| {
            parts.iter().any(|part| match part {
                template::Part::Variable(name) => {
                    self.values.get(*name).is_some_and(|value| value.secret)
                }
                template::Part::Text(_) => false,
            })
        });
        Value { text, secret }
    }

    /// Whether all comparisons hold.
    pub(super) fn hold(&self, all: &[Comparison]) -> bool {
        all.iter().all(|comparison| {
            let left = self.text(&comparison.variable).unwrap_or_default();
            let right = self.render(&comparison.value, Escape::None).text;
            compare(left, comparison.is, &right)
        })
    }

    /// Takes from an answer what the look-up wants; whether that succeeded.
    pub(super) fn take_from(&mut self, lookup: &Lookup, fetched: &Fetched) -> bool {
        if !(200..300).contains(&fetched.status) {
            return false;
        }
        if lookup.values.is_empty() {
            return true;
        }
        if fetched.body.len() > FETCHED_BYTES_MAX {
            return false;
        }
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&fetched.body) else {
            return false;
        };
        for (variable, pointer) in &lookup.values {
            let text = match body.pointer(pointer) {
                None | Some(serde_json::Value::Null) => String::new(),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            self.set(
                variable,
                Value {
                    text,
                    secret: false,
                },
            );
        }
        true
    }
}

/// As many dots as there are characters.
pub(super) fn mask(text: &str) -> String {
    text.chars().map(|_| '•').collect()
}

fn compare(left: &str, is: Operator, right: &str) -> bool {
    let numbers = left
        .trim()
        .parse::<f64>()
        .ok()
        .zip(right.trim().parse::<f64>().ok());
    let ordered =
        |holds: fn(f64, f64) -> bool| numbers.is_some_and(|(left, right)| holds(left, right));
    match is {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => !equal(left, right),
        Operator::Less => ordered(|left, right| left < right),
        Operator::AtMost => ordered(|left, right| left <= right),
        Operator::Greater => ordered(|left, right| left > right),
        Operator::AtLeast => ordered(|left, right| left >= right),
        Operator::StartsWith => left.starts_with(right),
        Operator::EndsWith => left.ends_with(right),
        Operator::Contains => left.contains(right),
        Operator::Empty => left.is_empty(),
        Operator::NotEmpty => !left.is_empty(),
    }
}

/// Text for text. `007` and `7` differ: what callers type are codes more often than quantities.
fn equal(left: &str, right: &str) -> bool {
    left == right
}

/// A value cut to [`VALUE_BYTES_MAX`], at the end of a character.
fn cut(mut text: String) -> String {
    if text.len() > VALUE_BYTES_MAX {
        let end = (0..=VALUE_BYTES_MAX)
            .rev()
            .find(|&end| text.is_char_boundary(end))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// So many variables a walk may have, the names of the call among them.
const VARIABLES_MAX: usize = 128;

/// The longest value, bytes: a sentence that an address look-up gives fits in a quarter of it.
const VALUE_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_numbers_and_codes_compared_as_text() {
        assert!(compare("9", Operator::Less, "10"));
        assert!(compare("10.50", Operator::AtLeast, "10.5"));
        assert!(!compare("abc", Operator::Less, "10"));
        assert!(!compare("", Operator::AtMost, "0"));
        assert!(compare("007", Operator::NotEqual, "7"));
        assert!(compare("11912", Operator::StartsWith, "11"));
    }

    #[test]
    fn a_value_is_cut_at_the_end_of_a_character() {
        assert_eq!(cut("é".repeat(VALUE_BYTES_MAX)).len(), VALUE_BYTES_MAX);
        assert_eq!(
            cut(format!("a{}", "é".repeat(VALUE_BYTES_MAX))).len(),
            VALUE_BYTES_MAX - 1
        );
    }

    #[test]
    fn a_secret_stays_one_where_it_is_copied_to() {
        let mut variables = Variables::of_call(&Caller::default());
        variables.collect("pin", "1234", true);
        let copy = variables.render("x{{pin}}", Escape::None);
        variables.set("copy", copy);
        assert_eq!(variables.text("copy"), Some("x1234"));
        assert_eq!(variables.render("{{copy}}", Escape::None).masked(), "•••••");
        assert!(!format!("{variables:?}").contains("1234"));
    }
}

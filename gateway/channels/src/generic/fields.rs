//! Fields of what another system posts: each is read with its path, so that every fault names it.

use serde::Serialize;
use serde_json::{Map, Value};

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{}: {fault}", if field.is_empty() { "the body" } else { field })]
pub struct FieldFault {
    /// Where, as in `attachments[0].url`. Empty: the whole.
    pub field: String,
    /// What.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Fault {
    /// It is needed.
    #[error("missing")]
    Missing,
    /// There is no such field: most often a slip of the pen.
    #[error("unknown field")]
    Unknown,
    /// It is of another type.
    #[error("must be {expected}")]
    Type {
        /// What it must be.
        expected: &'static str,
    },
    /// It is not written as it must be.
    #[error("must be {expected}")]
    Format {
        /// How it must be written.
        expected: &'static str,
    },
    /// It is longer than it may be.
    #[error("more than {max}")]
    TooLong {
        /// How many characters, elements or bytes there may be.
        max: usize,
    },
}

/// An object that is read field by field. What was not asked for is unknown.
pub(super) struct Reader<'a> {
    path: String,
    fields: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
}

/// The faults found so far.
pub(super) type Faults = Vec<FieldFault>;

impl<'a> Reader<'a> {
    /// Reads an object that stands at `path`.
    pub(super) fn new(path: String, value: &'a Value, faults: &mut Faults) -> Self {
        let fields = value.as_object();
        if fields.is_none() {
            let expected = "an object";
            push(faults, &path, Fault::Type { expected });
        }
        let known = vec![];
        Self {
            path,
            fields,
            known,
        }
    }

    /// The path of a field.
    pub(super) fn path(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// A field that is there and not null.
    pub(super) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.fields?.get(name).filter(|value| !value.is_null())
    }

    /// Text of `max` characters at most, without NUL.
    pub(super) fn text(
        &mut self,
        name: &'static str,
        max: usize,
        faults: &mut Faults,
    ) -> Option<String> {
        let value = self.value(name)?;
        let path = self.path(name);
        let Some(text) = value.as_str() else {
            let expected = "text";
            push(faults, &path, Fault::Type { expected });
            return None;
        };
        if text.chars().count() > max {
            push(faults, &path, Fault::TooLong { max });
            return None;
        }
        crate::json::clean(text)
    }

    /// Text that must be there.
    pub(super) fn needed(&mut self, name: &'static str, max: usize, faults: &mut Faults) -> String {
        let before = faults.len();
        let text = self.text(name, max, faults);
        if text.is_none() && faults.len() == before {
            self.missing(name, faults);
        }
        text.unwrap_or_default()
    }

    /// Says that a field is missing, unless it is already said that there are no fields at all.
    pub(super) fn missing(&self, name: &str, faults: &mut Faults) {
        if self.fields.is_some() {
            push(faults, &self.path(name), Fault::Missing);
        }
    }

    /// A whole number within bounds.
    pub(super) fn whole(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<i64>,
        expected: &'static str,
        faults: &mut Faults,
    ) -> Option<i64> {
        let value = self.value(name)?;
        let number = value.as_i64().filter(|number| bounds.contains(number));
        if number.is_none() {
            push(faults, &self.path(name), Fault::Type { expected });
        }
        number
    }

    /// A time, in milliseconds since 1970 (UTC).
    pub(super) fn time_ms(&mut self, name: &'static str, faults: &mut Faults) -> Option<i64> {
        let text = self.text(name, TIME_CHARS_MAX, faults)?;
        let time: Option<jiff::Timestamp> = text.parse().ok();
        if time.is_none() {
            let expected = "a time with its offset, as in 2026-11-22T13:05:00-03:00";
            push(faults, &self.path(name), Fault::Format { expected });
        }
        time.map(jiff::Timestamp::as_millisecond)
    }

    /// A list of `max` elements at most, each with its path.
    pub(super) fn list(
        &mut self,
        name: &'static str,
        max: usize,
        faults: &mut Faults,
    ) -> Vec<(String, &'a Value)> {
        let Some(value) = self.value(name) else {
            return vec![];
        };
        let path = self.path(name);
        let Some(list) = value.as_array() else {
            let expected = "a list";
            push(faults, &path, Fault::Type { expected });
            return vec![];
        };
        if list.len() > max {
            push(faults, &path, Fault::TooLong { max });
            return vec![];
        }
        let elements = list.iter().enumerate();
        elements
            .map(|(at, value)| (format!("{path}[{at}]"), value))
            .collect()
    }

    /// All fields were asked for: any other is unknown.
    pub(super) fn end(self, faults: &mut Faults) {
        let names = self.fields.into_iter().flat_map(Map::keys);
        let unknown = names.filter(|name| !self.known.contains(&name.as_str()));
        for name in unknown.take(UNKNOWN_MAX) {
            // A stranger's name may be as long as the body.
            let name: String = name.chars().take(NAME_CHARS_MAX).collect();
            push(faults, &self.path(&name), Fault::Unknown);
        }
    }
}

pub(super) fn push(faults: &mut Faults, field: &str, fault: Fault) {
    let field = field.to_owned();
    faults.push(FieldFault { field, fault });
}

/// RFC 3339 with nanoseconds has 35 characters.
const TIME_CHARS_MAX: usize = 64;
/// A person mends so many at once.
const UNKNOWN_MAX: usize = 20;
const NAME_CHARS_MAX: usize = 64;

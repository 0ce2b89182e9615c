//! JSON of strangers: bounded, and read field by field, so that one field of another type costs that
//! field and not the whole webhook.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::connector::{BODY_BYTES_MAX, Unreadable};

/// Reads JSON.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Unreadable::TooLong(body.len()));
    }
    // Two bytes can make a value of 32: `[[],[],…`. Counting before parsing bounds the memory.
    let opens_a_value = |byte: &&u8| matches!(byte, b',' | b'[' | b'{');
    if body.iter().filter(opens_a_value).count() > VALUES_MAX {
        return Err(Unreadable::TooMany);
    }
    let value = serde_json::from_slice(body);
    let value = value.map_err(|error| Unreadable::Syntax(error.to_string()))?;
    if is_deeper(&value, DEPTH_MAX) {
        return Err(Unreadable::Syntax("nested too deeply".to_owned()));
    }
    Ok(value)
}

/// Whether lists and objects are nested more than `depth` levels deep. The parser went no deeper than 128.
fn is_deeper(value: &Value, depth: usize) -> bool {
    let is_inner = |value: &Value| is_deeper(value, depth - 1);
    match value {
        Value::Array(list) => depth == 0 || list.iter().any(is_inner),
        Value::Object(fields) => depth == 0 || fields.values().any(is_inner),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// SHA-256 of a value, for what has no id of its own.
pub(crate) fn fingerprint(value: &Value) -> String {
    hex::encode(Sha256::digest(value.to_string()))
}

/// Fields of a value that may be anything.
pub(crate) trait Fields {
    /// The field, or null.
    fn at(&self, key: &str) -> &Value;

    /// The text of a field, where it is text and not empty. NUL is taken out: databases refuse it.
    fn text(&self, key: &str) -> Option<String>;

    /// An id: text, or a whole number.
    fn id(&self, key: &str) -> Option<String>;

    /// A whole number, or text that is one.
    fn whole(&self, key: &str) -> Option<i64>;

    /// A number, or text that is one.
    fn number(&self, key: &str) -> Option<f64>;

    /// Whether the field is `true`.
    fn flag(&self, key: &str) -> bool;

    /// The elements of a list, or none.
    fn list(&self, key: &str) -> &[Value];
}

impl Fields for Value {
    fn at(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&Value::Null)
    }

    fn text(&self, key: &str) -> Option<String> {
        clean(self.at(key).as_str()?)
    }

    fn id(&self, key: &str) -> Option<String> {
        match self.at(key) {
            Value::String(text) => clean(text),
            Value::Number(number) => number.as_u64().map(|id| id.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn whole(&self, key: &str) -> Option<i64> {
        match self.at(key) {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => number.as_i64(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn number(&self, key: &str) -> Option<f64> {
        let number = match self.at(key) {
            Value::String(text) => text.trim().parse().ok()?,
            Value::Number(number) => number.as_f64()?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        f64::is_finite(number).then_some(number)
    }

    fn flag(&self, key: &str) -> bool {
        self.at(key) == &Value::Bool(true)
    }

    fn list(&self, key: &str) -> &[Value] {
        self.at(key).as_array().map_or(&[], Vec::as_slice)
    }
}

/// Text without NUL, unless nothing is left.
pub(crate) fn clean(text: &str) -> Option<String> {
    let clean = text.replace('\0', "");
    (!clean.is_empty()).then_some(clean)
}

/// Webhooks are nested some 12 levels deep. What nobody understands is kept within an event, and must be
/// read again by a parser that goes 128 levels deep.
const DEPTH_MAX: usize = 64;

/// The largest webhooks hold a thousand messages of some 50 values.
const VALUES_MAX: usize = 500_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_would_fill_the_memory_is_refused_before_it_does() {
        let long = vec![b' '; BODY_BYTES_MAX + 1];
        assert_eq!(parse(&long), Err(Unreadable::TooLong(BODY_BYTES_MAX + 1)));
        let many = format!("[{}0]", "0,".repeat(600_000));
        assert_eq!(parse(many.as_bytes()), Err(Unreadable::TooMany));
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(matches!(parse(deep.as_bytes()), Err(Unreadable::Syntax(_))));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(parse(nested(DEPTH_MAX + 1).as_bytes()).is_err());
        let fields = "{\"a\":".repeat(65) + "1" + &"}".repeat(65);
        assert!(parse(fields.as_bytes()).is_err());
        assert!(matches!(parse(b"{\"a\":"), Err(Unreadable::Syntax(_))));
        assert!(parse(format!("[{}0]", "0,".repeat(1_000)).as_bytes()).is_ok());
    }

    #[test]
    fn a_field_of_another_type_is_a_field_that_is_not_there() {
        let value = serde_json::json!({
            "text": "a\u{0}b", "empty": "", "number": 7, "digits": " 42 ", "half": 0.5, "list": [1], "yes": true,
        });
        assert_eq!(value.text("text").as_deref(), Some("ab"));
        assert_eq!(value.text("empty"), None);
        assert_eq!(value.text("number"), None);
        assert_eq!(value.id("number").as_deref(), Some("7"));
        assert_eq!(value.id("half"), None);
        assert_eq!(value.whole("digits"), Some(42));
        assert_eq!(value.whole("half"), None);
        assert_eq!(value.number("half"), Some(0.5));
        assert_eq!(value.list("list").len(), 1);
        assert!(value.list("text").is_empty());
        assert!(value.flag("yes") && !value.flag("number"));
        assert!(value.at("text").at("deeper").is_null());
    }
}

//! Text with variables in it: `Olá, {{name}}`.
//!
//! There is one construct, `{{name}}`; everything else is text. A name is `[a-z][a-z0-9_]*`, or
//! one of the names of the call, which have a dot (`call.from`).

use std::borrow::Cow;

/// One piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Said as it is.
    Text(&'a str),
    /// Replaced by the value of the variable of this name.
    Variable(&'a str),
}

/// Why a text is no template. Offsets are bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` has no `}}`.
    #[error("`{{{{` at byte {0} is never closed")]
    Unclosed(usize),
    /// What stands between the braces is no name.
    #[error("`{0}` is not the name of a variable")]
    NotAName(String),
}

/// How a value is written into the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    None,
    /// Percent-encoded, all but the unreserved characters of RFC 3986 section 2.3.
    Url,
    /// As the inside of a JSON string, RFC 8259 section 7.
    Json,
    /// Without control characters, which would begin another header field (RFC 9110 section 5.5).
    Header,
}

/// Cuts `template` into its parts.
///
/// # Errors
///
/// If braces are not closed, or do not hold a name.
pub fn parts(template: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find("{{") {
        let (before, after) = rest.split_at(open);
        let inside = after.get(2..).unwrap_or_default();
        let offset = template.len().saturating_sub(after.len());
        let close = inside.find("}}").ok_or(TemplateError::Unclosed(offset))?;
        let name = inside.get(..close).unwrap_or_default().trim();
        if !is_readable_name(name) {
            return Err(TemplateError::NotAName(name.to_owned()));
        }
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Variable(name));
        rest = inside.get(close.saturating_add(2)..).unwrap_or_default();
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

/// Fills `template` in; a variable that `value` does not know is empty.
///
/// A text that is no template is taken as it is: validation has already told its author, and a
/// caller who waits is better served with the text than with nothing.
pub fn render<'v>(
    template: &str,
    escape: Escape,
    value: impl Fn(&str) -> Option<Cow<'v, str>>,
) -> String {
    let Ok(parts) = parts(template) else {
        return template.to_owned();
    };
    let mut text = String::with_capacity(template.len());
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Variable(name) => {
                if let Some(value) = value(name) {
                    push_escaped(&mut text, &value, escape);
                }
            }
        }
    }
    text
}

/// Whether a flow may set a variable of this name: `[a-z][a-z0-9_]*`, 32 characters at most.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Whether a template may read this name: a variable, or one of [`CALL_VARIABLES`].
fn is_readable_name(name: &str) -> bool {
    is_variable_name(name) || CALL_VARIABLES.contains(&name)
}

fn push_escaped(text: &mut String, value: &str, escape: Escape) {
    match escape {
        Escape::None => text.push_str(value),
        Escape::Url => {
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    text.push(char::from(byte));
                } else {
                    text.push('%');
                    text.push(hex_digit(byte >> 4));
                    text.push(hex_digit(byte & 0x0f));
                }
            }
        }
        Escape::Header => text.extend(value.chars().filter(|c| !c.is_control())),
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            text.push_str(
                quoted
                    .get(1..quoted.len().saturating_sub(1))
                    .unwrap_or_default(),
            );
        }
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

/// A variable's name has at most so many characters: it is typed by people and shown in tables.
pub const NAME_CHARS_MAX: usize = 32;

/// The names that every call has. A flow reads them and cannot set them.
pub const CALL_VARIABLES: [&str; 8] = [
    // Who calls, whom they dialled, and the protocol number of the interaction.
    "call.from",
    "call.to",
    "call.protocol",
    // When the last `hours` node will open or close, in the calendar's time zone, and the holiday.
    "hours.opens_at",
    "hours.closes_at",
    "hours.holiday",
    // The HTTP status of the last look-up, empty when no answer came.
    "lookup.status",
    // Seconds that the last recording lasted.
    "record.seconds",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, escape: Escape) -> String {
        render(template, escape, |name| {
            (name == "a").then_some(Cow::Borrowed("x y\"/é"))
        })
    }

    #[test]
    fn values_are_escaped_for_the_place_they_go_to() {
        assert_eq!(fill("<{{a}}>{{b}}", Escape::None), "<x y\"/é>");
        assert_eq!(fill("/q={{ a }}", Escape::Url), "/q=x%20y%22%2F%C3%A9");
        assert_eq!(
            fill("{\"q\":\"{{a}}\"}", Escape::Json),
            r#"{"q":"x y\"/é"}"#
        );
    }

    #[test]
    fn bad_templates_say_what_is_bad() {
        assert_eq!(parts("ab {{x"), Err(TemplateError::Unclosed(3)));
        assert_eq!(parts("{{X}}"), Err(TemplateError::NotAName("X".into())));
        assert_eq!(
            parts("{{call.nothing}}"),
            Err(TemplateError::NotAName("call.nothing".into()))
        );
        assert_eq!(
            parts("{{call.from}}"),
            Ok(vec![Part::Variable("call.from")])
        );
        assert_eq!(parts("a } b {"), Ok(vec![Part::Text("a } b {")]));
    }
}

//! Reads what the sanitizer wrote: well-formed tags, attributes in double quotes, few entities.
//!
//! It is not for HTML of strangers.

use std::borrow::Cow;

/// A piece of clean HTML.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Text, its entities resolved.
    Text(Cow<'a, str>),
    /// The beginning of an element.
    Open {
        /// Its name, in lower case.
        name: &'a str,
        /// Its attributes, their entities resolved.
        attributes: Vec<(&'a str, Cow<'a, str>)>,
    },
    /// The end of an element.
    Close(&'a str),
}

/// The pieces of clean HTML, in order.
pub(super) fn tokens(clean: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = clean;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at_checked(end)?;
            rest = after;
            return Some(Token::Text(unescape(text)));
        };
        let end = tag_end(tag);
        let (inside, after) = tag.split_at_checked(end)?;
        rest = after.strip_prefix('>').unwrap_or(after);
        if let Some(name) = inside.strip_prefix('/') {
            return Some(Token::Close(name.trim()));
        }
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        Some(Token::Open {
            name,
            attributes: read_attributes(attributes),
        })
    })
}

/// Where a tag ends: at the first `>` outside of quotes.
fn tag_end(tag: &str) -> usize {
    let mut quoted = false;
    tag.char_indices()
        .find_map(|(at, c)| {
            quoted ^= c == '"';
            (c == '>' && !quoted).then_some(at)
        })
        .unwrap_or(tag.len())
}

fn read_attributes(mut rest: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut attributes = vec![];
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap_or((after, ""));
        attributes.push((name.trim(), unescape(value)));
        rest = after;
    }
    attributes
}

/// Resolves the entities that a serializer writes (HTML section 13.3, "escaping a string").
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    // The ampersand last, or `&amp;lt;` would become a bracket.
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&");
    Cow::Owned(text)
}

/// Text as it stands in an attribute or between tags.
pub(in crate::email) fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\u{a0}' => into.push_str("&nbsp;"),
            _ => into.push(c),
        }
    }
}

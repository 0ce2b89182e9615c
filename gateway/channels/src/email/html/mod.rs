//! HTML of strangers: made harmless to show, and turned into text.
//!
//! ```text
//!  their HTML ─ guard ─▶ ammonia (what may stay) ─ tags ─▶ view  (images, links, quotations)
//!                                                     └──▶ text  (what is searched and quoted)
//! ```
//!
//! Three walls stand behind each other: what is not on a list goes; what is left loads nothing by
//! itself; and it is shown in a frame that runs no script ([`FRAME_SANDBOX`], [`FRAME_POLICY`]).

mod guard;
mod tags;
mod text;
mod view;

use std::collections::{BTreeSet, HashMap, HashSet};

use ammonia::{Builder, UrlRelative};
use percent_encoding::percent_decode_str;

pub(super) use self::tags::escape;

pub use self::guard::is_safe_to_parse;
pub use self::text::text;
pub use self::view::{Clean, FRAME_POLICY, FRAME_SANDBOX, Images, View, clean, page};

/// HTML that says what a text says.
pub fn of_text(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 32);
    html.push_str("<div>");
    for (at, line) in text.trim_end().split('\n').enumerate() {
        if at > 0 {
            html.push_str("<br>\n");
        }
        escape(line, &mut html);
    }
    html.push_str("</div>");
    html
}

/// Text of HTML that is too tangled to be parsed: what stands outside of angle brackets.
pub(super) fn crude_text(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars().take(CRUDE_CHARS_MAX) {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    super::mime::one_line(&tags::unescape(&text))
}

/// The content ids to which the HTML refers.
pub(super) fn content_ids(html: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut rest = html;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"cid:") {
        rest = rest.get(at + "cid:".len()..).unwrap_or_default();
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | '>' | '<'))
            .unwrap_or(rest.len());
        ids.insert(content_id(&tags::unescape(
            rest.get(..end).unwrap_or_default(),
        )));
    }
    ids
}

/// A content id as it stands in a `cid:` address (RFC 2392), without its escapes.
fn content_id(address: &str) -> String {
    percent_decode_str(address).decode_utf8_lossy().into_owned()
}

/// What may stay of HTML: what makes text readable, nothing that acts or loads.
fn sanitizer() -> Builder<'static> {
    let set = |words: &[&'static str]| words.iter().copied().collect::<HashSet<_>>();
    let table: &[&str] = &["align", "valign", "bgcolor", "width", "height"];
    let cell: &[&str] = &[
        "align", "valign", "bgcolor", "width", "height", "colspan", "rowspan",
    ];
    let attributes: HashMap<&'static str, HashSet<&'static str>> = [
        ("a", set(&["href", "name"])),
        ("img", set(&["src", "alt", "width", "height", "align"])),
        (
            "table",
            set(&[
                "align",
                "bgcolor",
                "width",
                "height",
                "border",
                "cellpadding",
                "cellspacing",
            ]),
        ),
        ("tr", set(table)),
        ("td", set(cell)),
        ("th", set(cell)),
        ("col", set(&["width", "span"])),
        ("font", set(&["color", "face", "size"])),
        ("ol", set(&["start", "type"])),
        ("ul", set(&["type"])),
        ("p", set(&["align"])),
        ("div", set(&["align"])),
        ("blockquote", set(&["type"])),
    ]
    .into();
    let mut builder = Builder::empty();
    builder
        .tags(set(TAGS))
        .clean_content_tags(set(&[
            "script", "style", "title", "template", "object", "noembed", "noframes", "iframe",
        ]))
        .tag_attributes(attributes)
        .generic_attributes(set(&["style", "title", "dir", "lang", "class", "id"]))
        .filter_style_properties(set(STYLE_PROPERTIES))
        .url_schemes(set(&["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .strip_comments(true);
    builder
}

const TAGS: &[&str] = &[
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];

/// Nothing that loads (`background` takes an address) and nothing that leaves its place (`position`).
const STYLE_PROPERTIES: &[&str] = &[
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "color",
    "direction",
    "display",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-wrap",
];

/// A crude text is an emergency; the file is there.
const CRUDE_CHARS_MAX: usize = 400_000;

#[cfg(test)]
mod tests;

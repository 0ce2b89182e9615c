//! HTML as it is shown to an agent.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::tags::{Token, escape, tokens};
use super::{content_id, sanitizer};

/// The `sandbox` of the frame in which mail is shown: no scripts, no forms, no origin; links open
/// beside it, free of it.
pub const FRAME_SANDBOX: &str = "allow-popups allow-popups-to-escape-sandbox";

/// The policy of that frame, in its head: nothing is loaded but what is ours.
pub const FRAME_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

/// How HTML is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Where the files of the mail are, by their content id.
    pub media: &'a BTreeMap<String, String>,
    /// What becomes of pictures elsewhere.
    pub images: Images<'a>,
}

/// What becomes of pictures that lie elsewhere: to load one tells the sender who reads, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images<'a> {
    /// They are not loaded; their address waits in `data-src`.
    Blocked,
    /// The agent allowed them, and we have fetched them: what stands for each address. The others are
    /// not loaded.
    Had(&'a BTreeMap<String, String>),
    /// They stay where they are: for a quotation in a mail of ours.
    Kept,
}

/// HTML that can be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clean {
    /// The HTML: a fragment, for [`page`].
    pub html: String,
    /// How many pictures were not loaded.
    pub blocked: usize,
    /// Their addresses.
    pub elsewhere: BTreeSet<String>,
    /// Whether some of it is marked as quoted.
    pub quotes: bool,
}

/// Makes HTML harmless. Ask [`super::is_safe_to_parse`] first: this trusts that it was asked, and
/// gives nothing if the answer was no.
pub fn clean(html: &str, view: &View<'_>) -> Clean {
    let mut clean = Clean::default();
    if !super::is_safe_to_parse(html) {
        return clean;
    }
    let sanitized = sanitizer().clean(html).to_string();
    let mut pieces = tokens(&sanitized).peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Token::Text(text) => escape(&text, &mut clean.html),
            Token::Close(name) => {
                clean.html.push_str("</");
                clean.html.push_str(name);
                clean.html.push('>');
            }
            Token::Open { name, attributes } => {
                let next = match pieces.peek() {
                    Some(Token::Text(text)) => text.as_ref(),
                    Some(Token::Open { .. } | Token::Close(_)) | None => "",
                };
                let attributes = rewrite(name, &attributes, next, view, &mut clean);
                clean.html.push('<');
                clean.html.push_str(name);
                for (name, value) in attributes {
                    clean.html.push(' ');
                    clean.html.push_str(name);
                    clean.html.push_str("=\"");
                    escape(&value, &mut clean.html);
                    clean.html.push('"');
                }
                clean.html.push('>');
            }
        }
    }
    clean
}

/// A page to be the `srcdoc` of the frame. `folded` hides what is quoted.
pub fn page(clean: &Clean, folded: bool) -> String {
    let fold = if folded {
        ".quoted,.quoted-below,.quoted-below~*{display:none}"
    } else {
        ""
    };
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{FRAME_POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\"><base target=\"_blank\">\
         <style>body{{font:14px sans-serif;margin:0;overflow-wrap:anywhere}}img{{max-width:100%}}\
         a.other-host::after{{content:\" (\" attr(data-host) \")\"}}{fold}</style></head><body>{}</body></html>",
        clean.html
    )
}

type Attributes = Vec<(&'static str, String)>;

fn rewrite(
    name: &str,
    attributes: &[(&str, std::borrow::Cow<'_, str>)],
    text: &str,
    view: &View<'_>,
    clean: &mut Clean,
) -> Attributes {
    let value = |wanted: &str| {
        attributes
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_ref())
    };
    let mut kept: Attributes = KEPT
        .iter()
        .filter_map(|name| Some((*name, value(name)?.to_owned())))
        .collect();
    if let Some(style) = value("style").map(style).filter(|style| !style.is_empty()) {
        kept.push(("style", style));
    }
    if let Some(class) = quotation(name, value("class"), value("id"), value("type")) {
        kept.push(("class", class.to_owned()));
        clean.quotes |= class != "signature";
    }
    match name {
        "img" => kept.extend(image(value("src"), view, clean)),
        "a" => kept.extend(link(value("href"), text)),
        _ => {}
    }
    kept
}

/// Marks what quotes or signs, by what mail programs write there.
fn quotation(
    name: &str,
    class: Option<&str>,
    id: Option<&str>,
    kind: Option<&str>,
) -> Option<&'static str> {
    let id = id.unwrap_or_default().trim_start_matches("x_");
    let classes = || {
        class
            .unwrap_or_default()
            .split_whitespace()
            .map(|class| class.trim_start_matches("x_"))
    };
    let has = |wanted: &[&str]| classes().any(|class| wanted.contains(&class));
    if has(&[
        "gmail_quote",
        "gmail_extra",
        "yahoo_quoted",
        "moz-cite-prefix",
        "protonmail_quote",
        "zmail_extra",
    ]) || (name == "blockquote" && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("cite")))
    {
        Some("quoted")
    } else if matches!(
        id,
        "divRplyFwdMsg" | "appendonsend" | "mail-editor-reference-message-container"
    ) || has(&["OutlookMessageHeader"])
    {
        Some("quoted-below")
    } else if id.eq_ignore_ascii_case("signature")
        || has(&[
            "gmail_signature",
            "moz-signature",
            "ms-outlook-mobile-signature",
        ])
    {
        Some("signature")
    } else {
        None
    }
}

/// The declarations of a style that load nothing. A value that holds a function with an address, an
/// escape or a comment says something that this does not want to understand.
fn style(style: &str) -> String {
    let harmless = |declaration: &&str| {
        let lower = declaration.to_ascii_lowercase();
        let loads = [
            "url",
            "image",
            "expression",
            "@",
            "\\",
            "/*",
            "element(",
            "src(",
        ];
        !declaration.trim().is_empty() && !loads.iter().any(|word| lower.contains(word))
    };
    let declarations: Vec<&str> = style.split(';').filter(harmless).map(str::trim).collect();
    declarations.join(";")
}

fn image(source: Option<&str>, view: &View<'_>, clean: &mut Clean) -> Attributes {
    let Some(source) = source.map(str::trim) else {
        return vec![];
    };
    if let Some(id) = source
        .get(4..)
        .filter(|_| source.to_ascii_lowercase().starts_with("cid:"))
    {
        let here = view.media.get(&content_id(id));
        return here.map(|here| ("src", here.clone())).into_iter().collect();
    }
    if source.to_ascii_lowercase().starts_with("data:") {
        let picture = DATA_PICTURES.iter().any(|kind| source.starts_with(kind));
        return picture
            .then(|| ("src", source.to_owned()))
            .into_iter()
            .collect();
    }
    let Some((address, _)) = web(source) else {
        return vec![];
    };
    let had = match view.images {
        Images::Kept => return vec![("src", address)],
        Images::Had(had) => had.get(&address),
        Images::Blocked => None,
    };
    if let Some(here) = had {
        return vec![("src", here.clone())];
    }
    clean.blocked += 1;
    clean.elsewhere.insert(address.clone());
    vec![("data-src", address)]
}

/// An address of the web, and its host. What a browser would read otherwise than we do is none.
fn web(address: &str) -> Option<(String, String)> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.to_owned();
    matches!(url.scheme(), "http" | "https").then(|| (url.to_string(), host))
}

fn link(address: Option<&str>, text: &str) -> Attributes {
    let Some(address) = address.map(str::trim) else {
        return vec![];
    };
    if let Some((address, host)) = web(address) {
        let class = if shows_other_host(text, &host) {
            "other-host"
        } else {
            "link"
        };
        return vec![
            ("href", address),
            ("data-host", host),
            ("class", class.to_owned()),
            ("rel", "noopener noreferrer nofollow".to_owned()),
            ("target", "_blank".to_owned()),
        ];
    }
    let lower = address.to_ascii_lowercase();
    let harmless = lower.starts_with("mailto:") || lower.starts_with("tel:");
    harmless
        .then(|| ("href", address.to_owned()))
        .into_iter()
        .collect()
}

/// Whether a link says that it goes to one host and goes to another.
fn shows_other_host(text: &str, host: &str) -> bool {
    let shown = text.trim().to_lowercase();
    let shown = shown
        .split_once("://")
        .map_or(shown.as_str(), |(_, rest)| rest);
    let shown = shown.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let looks_like_host = shown.contains('.')
        && !shown.ends_with('.')
        && !shown.contains(|c: char| c.is_whitespace() || c == '@');
    let plain = |host: &str| host.trim_start_matches("www.").to_owned();
    looks_like_host && plain(shown) != plain(host)
}

/// Attributes that mean nothing but how it looks. Their values load nothing.
const KEPT: &[&str] = &[
    "align",
    "valign",
    "bgcolor",
    "width",
    "height",
    "border",
    "cellpadding",
    "cellspacing",
    "colspan",
    "rowspan",
    "span",
    "color",
    "face",
    "size",
    "start",
    "type",
    "title",
    "alt",
    "dir",
    "lang",
];

/// Pictures within an address. SVG is not among them: it is a document.
const DATA_PICTURES: &[&str] = &[
    "data:image/png;",
    "data:image/jpeg;",
    "data:image/gif;",
    "data:image/webp;",
];

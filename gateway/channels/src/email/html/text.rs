//! Text that says what HTML says: for search, for quoting, for readers without HTML.

use super::sanitizer;
use super::tags::{Token, tokens};

/// The text of HTML. Gives nothing of HTML that is not [`super::is_safe_to_parse`].
pub fn text(html: &str) -> String {
    if !super::is_safe_to_parse(html) {
        return String::new();
    }
    let clean = sanitizer().clean(html).to_string();
    let mut writer = Writer::default();
    for token in tokens(&clean) {
        match token {
            Token::Text(text) => writer.text(&text),
            Token::Open { name, attributes } => {
                let value = |wanted: &str| {
                    let found = attributes.iter().find(|(name, _)| *name == wanted);
                    found.map(|(_, value)| value.to_string())
                };
                writer.open(name, value("href"), value("alt"));
            }
            Token::Close(name) => writer.close(name),
        }
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    lines: Vec<String>,
    line: String,
    /// Depth of quotation.
    quoted: usize,
    /// Inside of how many elements white space counts.
    verbatim: usize,
    /// Where the open link goes, and where its text begins in the line.
    link: Option<(String, String)>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if let Some((_, said)) = &mut self.link {
            said.push_str(text);
        }
        if self.verbatim > 0 {
            for (at, line) in text.split('\n').enumerate() {
                if at > 0 {
                    self.end_line();
                }
                self.line.push_str(line);
            }
            return;
        }
        for c in text.chars() {
            match c {
                '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' => {} // Seen by nobody.
                _ if c.is_whitespace() => {
                    if !self.line.is_empty() && !self.line.ends_with(' ') {
                        self.line.push(' ');
                    }
                }
                _ => self.line.push(c),
            }
        }
    }

    fn open(&mut self, name: &str, href: Option<String>, alt: Option<String>) {
        match name {
            "br" => self.end_line(),
            "hr" => {
                self.begin_block();
                self.line.push_str("----------");
                self.end_line();
            }
            "li" => {
                self.begin_block();
                self.line.push_str("- ");
            }
            "td" | "th" if !self.line.is_empty() && !self.line.ends_with(' ') => {
                self.line.push(' ')
            }
            "img" => {
                if let Some(alt) = alt.filter(|alt| !alt.trim().is_empty()) {
                    self.text(&format!("[{}]", alt.trim()));
                }
            }
            "a" => self.link = href.map(|href| (href, String::new())),
            "blockquote" => {
                self.begin_block();
                self.quoted += 1;
            }
            "pre" => {
                self.begin_block();
                self.verbatim += 1;
            }
            _ if is_paragraph(name) => self.begin_paragraph(),
            _ if is_block(name) => self.begin_block(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "a" => self.end_link(),
            "blockquote" => {
                self.begin_block();
                self.quoted = self.quoted.saturating_sub(1);
            }
            "pre" => {
                self.begin_block();
                self.verbatim = self.verbatim.saturating_sub(1);
            }
            _ if is_paragraph(name) => self.begin_paragraph(),
            _ if is_block(name) => self.begin_block(),
            _ => {}
        }
    }

    /// A link whose text does not tell where it goes is told.
    fn end_link(&mut self) {
        let Some((href, said)) = self.link.take() else {
            return;
        };
        let bare = href
            .trim_start_matches("mailto:")
            .trim_start_matches("tel:");
        let told = said.trim().trim_end_matches('/');
        let known = bare.trim_end_matches('/');
        let known = known.split_once("://").map_or(known, |(_, rest)| rest);
        let said_so = !known.is_empty() && told.to_lowercase().contains(&known.to_lowercase());
        let telling = ["http://", "https://", "mailto:"]
            .iter()
            .any(|scheme| href.starts_with(scheme));
        if telling && !said_so && !told.is_empty() && href.len() <= HREF_BYTES_MAX {
            self.line.push_str(&format!(" ({bare})"));
        }
    }

    fn begin_block(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
    }

    fn begin_paragraph(&mut self) {
        self.begin_block();
        if self
            .lines
            .last()
            .is_some_and(|line| !line.trim_matches(['>', ' ']).is_empty())
        {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mark = "> ".repeat(self.quoted.min(QUOTED_MAX));
        self.lines
            .push(format!("{mark}{}", line.trim_end()).trim_end().to_owned());
    }

    /// The lines, without those that are empty at both ends and with at most one between two.
    fn finish(mut self) -> String {
        self.begin_block();
        let mut text = String::new();
        let mut empty = 0;
        for line in &self.lines {
            if line.is_empty() {
                empty += 1;
                continue;
            }
            if !text.is_empty() {
                text.push_str(if empty > 0 { "\n\n" } else { "\n" });
            }
            empty = 0;
            text.push_str(line);
        }
        text
    }
}

fn is_paragraph(name: &str) -> bool {
    matches!(
        name,
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "tr"
            | "li"
            | "dt"
            | "dd"
            | "caption"
            | "article"
            | "section"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "figure"
            | "figcaption"
            | "address"
            | "center"
            | "tbody"
            | "thead"
            | "tfoot"
    )
}

/// Addresses for tracking have hundreds of characters and tell nobody anything.
const HREF_BYTES_MAX: usize = 120;
/// Deeper quotations are marked no further.
const QUOTED_MAX: usize = 20;

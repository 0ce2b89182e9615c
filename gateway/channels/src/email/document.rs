//! Text with a little form, as the editor of signatures and answers gives it: paragraphs of runs.
//!
//! It is data, so that it can be checked, translated to HTML and to text, and written by nobody as
//! HTML.

use std::collections::BTreeSet;

use desk::words;
use serde::{Deserialize, Serialize};

use crate::connector::Refusal;

/// Paragraphs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// From above to below.
    pub paragraphs: Vec<Paragraph>,
}

/// A paragraph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    /// How its lines stand.
    #[serde(default)]
    pub align: Align,
    /// What is in it.
    pub runs: Vec<Run>,
}

words! {
    /// How the lines of a paragraph stand.
    #[derive(Default)]
    Align {
        /// At the left.
        #[default]
        Left = "left",
        /// In the middle.
        Center = "center",
        /// At the right.
        Right = "right",
        /// From side to side.
        Justify = "justify",
    }
}

/// A piece of a paragraph that looks alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Run {
    /// Words.
    Text(Text),
    /// A picture.
    Image(Image),
    /// The line ends, the paragraph does not.
    Break,
}

/// Words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Text {
    /// The words.
    pub text: String,
    /// Whether they are bold.
    #[serde(skip_serializing_if = "is_false")]
    pub bold: bool,
    /// Whether they are italic.
    #[serde(skip_serializing_if = "is_false")]
    pub italic: bool,
    /// Whether a line is below them.
    #[serde(skip_serializing_if = "is_false")]
    pub underline: bool,
    /// How high they are, in pixels: 8 to 48.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u8>,
    /// Their colour: `#1a2b3c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Where they lead: `https:`, `http:`, `mailto:` or `tel:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A picture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The id of the file in our store.
    pub media: String,
    /// What it says to who does not see it.
    #[serde(default)]
    pub alt: String,
    /// How wide it is shown, in pixels: 1 to 1200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
}

impl Document {
    /// A text without form: an empty line begins a paragraph.
    pub fn from_text(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let paragraphs = text.trim_matches('\n').split("\n\n").map(|paragraph| {
            let mut runs = vec![];
            for (at, line) in paragraph.split('\n').enumerate() {
                if at > 0 {
                    runs.push(Run::Break);
                }
                let text = Text {
                    text: line.to_owned(),
                    ..Text::default()
                };
                runs.push(Run::Text(text));
            }
            Paragraph {
                align: Align::Left,
                runs,
            }
        });
        Self {
            paragraphs: paragraphs.collect(),
        }
    }

    /// Checks what an editor gave.
    ///
    /// # Errors
    ///
    /// [`Refusal::Invalid`], [`Refusal::TooLong`] or [`Refusal::TooMany`].
    pub fn check(&self) -> Result<(), Refusal> {
        let (field, max) = ("paragraphs", PARAGRAPHS_MAX);
        if self.paragraphs.len() > max {
            return Err(Refusal::TooMany { field, max });
        }
        let mut chars = 0;
        let mut runs = 0;
        for run in self.paragraphs.iter().flat_map(|paragraph| &paragraph.runs) {
            runs += 1;
            match run {
                Run::Text(text) => {
                    chars += text.text.chars().count();
                    text.check()?;
                }
                Run::Image(image) => image.check()?,
                Run::Break => {}
            }
        }
        if runs > RUNS_MAX {
            let (field, max) = ("runs", RUNS_MAX);
            return Err(Refusal::TooMany { field, max });
        }
        if chars > CHARS_MAX {
            let (field, max) = ("text", CHARS_MAX);
            return Err(Refusal::TooLong { field, max });
        }
        Ok(())
    }

    /// Whether it says and shows nothing.
    pub fn is_empty(&self) -> bool {
        self.paragraphs
            .iter()
            .flat_map(|paragraph| &paragraph.runs)
            .all(|run| match run {
                Run::Text(text) => text.text.trim().is_empty(),
                Run::Image(_) => false,
                Run::Break => true,
            })
    }

    /// The ids of its pictures.
    pub fn pictures(&self) -> BTreeSet<&str> {
        let runs = self.paragraphs.iter().flat_map(|paragraph| &paragraph.runs);
        runs.filter_map(|run| match run {
            Run::Image(image) => Some(image.media.as_str()),
            Run::Text(_) | Run::Break => None,
        })
        .collect()
    }

    /// As HTML. A picture is where `place` says, by its id.
    pub fn html(&self, place: &dyn Fn(&str) -> String) -> String {
        let mut html = String::new();
        for paragraph in &self.paragraphs {
            let align = match paragraph.align {
                Align::Left => String::new(),
                Align::Center | Align::Right | Align::Justify => {
                    format!(";text-align:{}", paragraph.align)
                }
            };
            html.push_str(&format!("<p style=\"margin:0 0 1em{align}\">"));
            for run in &paragraph.runs {
                match run {
                    Run::Text(text) => text.html(&mut html),
                    Run::Image(image) => image.html(&place(&image.media), &mut html),
                    Run::Break => html.push_str("<br>"),
                }
            }
            html.push_str("</p>\n");
        }
        html
    }

    /// As text.
    pub fn text(&self) -> String {
        let paragraphs = self.paragraphs.iter().map(|paragraph| {
            let mut line = String::new();
            for run in &paragraph.runs {
                match run {
                    Run::Text(text) => text.plain(&mut line),
                    Run::Image(image) if !image.alt.trim().is_empty() => {
                        line.push_str(&format!("[{}]", image.alt.trim()))
                    }
                    Run::Image(_) => {}
                    Run::Break => line.push('\n'),
                }
            }
            line
        });
        let paragraphs: Vec<String> = paragraphs
            .filter(|paragraph| !paragraph.trim().is_empty())
            .collect();
        paragraphs.join("\n\n")
    }
}

impl Text {
    fn check(&self) -> Result<(), Refusal> {
        let invalid = |field| Err(Refusal::Invalid { field });
        if self
            .size
            .is_some_and(|size| !(SIZE_MIN..=SIZE_MAX).contains(&size))
        {
            return invalid("size");
        }
        let is_color = |color: &String| {
            color
                .strip_prefix('#')
                .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        if self.color.as_ref().is_some_and(|color| !is_color(color)) {
            return invalid("color");
        }
        let is_link = |link: &String| {
            let schemes = ["https://", "http://", "mailto:", "tel:"];
            let plain = link
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '<' | '>'));
            plain
                && link.len() <= LINK_BYTES_MAX
                && schemes.iter().any(|scheme| link.starts_with(scheme))
        };
        if self.link.as_ref().is_some_and(|link| !is_link(link)) {
            return invalid("link");
        }
        Ok(())
    }

    fn html(&self, html: &mut String) {
        let mut style = vec![];
        if self.bold {
            style.push("font-weight:bold".to_owned());
        }
        if self.italic {
            style.push("font-style:italic".to_owned());
        }
        if self.underline {
            style.push("text-decoration:underline".to_owned());
        }
        style.extend(self.size.map(|size| format!("font-size:{size}px")));
        style.extend(self.color.as_ref().map(|color| format!("color:{color}")));
        let mut words = String::new();
        super::html::escape(&self.text, &mut words);
        if !style.is_empty() {
            words = format!("<span style=\"{}\">{words}</span>", style.join(";"));
        }
        if let Some(link) = &self.link {
            html.push_str("<a href=\"");
            super::html::escape(link, html);
            words = format!("\">{words}</a>");
        }
        html.push_str(&words);
    }

    fn plain(&self, line: &mut String) {
        line.push_str(&self.text);
        let Some(link) = &self.link else { return };
        let bare = link
            .trim_start_matches("mailto:")
            .trim_start_matches("tel:");
        if !self
            .text
            .contains(bare.split_once("://").map_or(bare, |(_, rest)| rest))
        {
            line.push_str(&format!(" ({bare})"));
        }
    }
}

impl Image {
    fn check(&self) -> Result<(), Refusal> {
        let is_id = !self.media.is_empty()
            && self.media.len() <= desk::id::ID_LENGTH_MAX
            && self
                .media
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_id {
            return Err(Refusal::Invalid { field: "media" });
        }
        if self
            .width
            .is_some_and(|width| !(1..=WIDTH_MAX).contains(&width))
        {
            return Err(Refusal::Invalid { field: "width" });
        }
        let (field, max) = ("alt", ALT_CHARS_MAX);
        if self.alt.chars().count() > max {
            return Err(Refusal::TooLong { field, max });
        }
        Ok(())
    }

    fn html(&self, place: &str, html: &mut String) {
        html.push_str("<img src=\"");
        super::html::escape(place, html);
        html.push_str("\" alt=\"");
        super::html::escape(&self.alt, html);
        html.push('"');
        if let Some(width) = self.width {
            html.push_str(&format!(" width=\"{width}\""));
        }
        html.push('>');
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Nobody writes more in an answer.
const PARAGRAPHS_MAX: usize = 2_000;
/// A word each in another colour, on ten pages.
const RUNS_MAX: usize = 10_000;
/// Sixty pages.
pub(super) const CHARS_MAX: usize = 200_000;
/// Smaller cannot be read.
const SIZE_MIN: u8 = 8;
/// Larger is for posters.
const SIZE_MAX: u8 = 48;
/// Wider than mail programs show.
const WIDTH_MAX: u16 = 1_200;
/// A sentence.
const ALT_CHARS_MAX: usize = 300;
/// What browsers take for sure.
const LINK_BYTES_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn document(json: &str) -> Document {
        serde_json::from_str(json).expect("a document")
    }

    const SIGNATURE: &str = r##"{"paragraphs":[{"align":"center","runs":[
        {"kind":"text","text":"Ana <Souza> & Cia","bold":true,"italic":true,"underline":true,"size":16,"color":"#1a2b3c"},{"kind":"break"},
        {"kind":"text","text":"nosso site","link":"https://loja.example/?a=1&b=2"},{"kind":"image","media":"m1","alt":"Loja \"X\"","width":120}]}]}"##;

    #[test]
    fn a_signature_is_html_and_text() {
        let signature = document(SIGNATURE);
        assert_eq!(signature.check(), Ok(()));
        assert_eq!(
            signature.html(&|media| format!("cid:{media}@loja.example")),
            "<p style=\"margin:0 0 1em;text-align:center\"><span style=\"font-weight:bold;font-style:italic;text-decoration:underline;font-size:16px;color:#1a2b3c\">Ana &lt;Souza&gt; &amp; Cia</span><br><a href=\"https://loja.example/?a=1&amp;b=2\">nosso site</a><img src=\"cid:m1@loja.example\" alt=\"Loja &quot;X&quot;\" width=\"120\"></p>\n"
        );
        assert_eq!(
            signature.text(),
            "Ana <Souza> & Cia\nnosso site (https://loja.example/?a=1&b=2)[Loja \"X\"]"
        );
        assert_eq!(signature.pictures().into_iter().collect::<Vec<_>>(), ["m1"]);
        let kept = serde_json::to_string(&signature).expect("JSON");
        assert_eq!(document(&kept), signature);
    }

    #[test]
    fn what_an_editor_should_not_give_is_refused() {
        for (run, field) in [
            (
                r##"{"kind":"text","text":"x","color":"red;position:fixed"}"##,
                "color",
            ),
            (r##"{"kind":"text","text":"x","color":"#12345g"}"##, "color"),
            (r#"{"kind":"text","text":"x","size":7}"#, "size"),
            (r#"{"kind":"text","text":"x","size":49}"#, "size"),
            (
                r#"{"kind":"text","text":"x","link":"javascript:alert(1)"}"#,
                "link",
            ),
            (
                r#"{"kind":"text","text":"x","link":"https://a\" onclick=\""}"#,
                "link",
            ),
            (r#"{"kind":"image","media":"../x"}"#, "media"),
            (r#"{"kind":"image","media":"m","width":1201}"#, "width"),
        ] {
            let document = document(&format!(r#"{{"paragraphs":[{{"runs":[{run}]}}]}}"#));
            assert_eq!(document.check(), Err(Refusal::Invalid { field }), "{run}");
        }
        for text in [
            r#"{"paragraphs":[{"runs":[{"kind":"html","text":"x"}]}]}"#,
            r#"{"paragraphs":[{"runs":[{"kind":"text","text":"x","onclick":"y"}]}]}"#,
            r#"{"paragraphs":[],"script":"x"}"#,
        ] {
            assert!(serde_json::from_str::<Document>(text).is_err(), "{text}");
        }
        let long = Document::from_text(&"x".repeat(CHARS_MAX + 1));
        assert_eq!(
            long.check(),
            Err(Refusal::TooLong {
                field: "text",
                max: CHARS_MAX
            })
        );
        let many = Document::from_text(&"x\n\n".repeat(PARAGRAPHS_MAX + 2));
        assert_eq!(
            many.check(),
            Err(Refusal::TooMany {
                field: "paragraphs",
                max: PARAGRAPHS_MAX
            })
        );
    }

    #[test]
    fn a_text_stays_what_it_was() {
        let text = "Olá,\ntudo bem?\n\nAté logo";
        assert_eq!(Document::from_text(text).text(), text);
        assert!(Document::from_text(" \n\n").is_empty() && !Document::from_text("a").is_empty());
    }
}

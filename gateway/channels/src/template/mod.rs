//! Words that were approved beforehand (HSM): what they are, how they are filled and what the customer
//! will see.
//!
//! ```text
//!  "Olá {{nome}}, seu protocolo é {{protocolo}}." ─ fill({nome: Ana, …}) ─▶ OutTemplate ─ preview ─▶ "Olá Ana, …"
//!                                                        └─▶ every problem, each with its field
//! ```

mod listed;

use std::collections::{BTreeMap, BTreeSet};

use desk::explain::Language;
use serde::{Deserialize, Serialize};

use crate::event::{MediaKind, TemplateState};
use crate::send::{ButtonKind, OutMedia, OutTemplate, TemplateButton, TemplateValue};

/// A template, as its provider lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The provider's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language, as the provider writes it (`pt_BR`).
    pub language: String,
    /// What it is to the bill (`UTILITY`, `MARKETING`, `AUTHENTICATION`).
    pub category: String,
    /// Whether it can be sent.
    pub state: TemplateState,
    /// What stands above the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<TemplateHeader>,
    /// The words, with `{{1}}` or `{{nome}}` where values go.
    pub body: String,
    /// Small words below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// The buttons, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<TemplateButtonShape>,
}

/// What stands above the words of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateHeader {
    /// A headline, perhaps with a value in it.
    Text(String),
    /// A file.
    Media(MediaKind),
}

/// A button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateButtonShape {
    /// What stands on it.
    pub text: String,
    /// What it does, where it takes a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ButtonKind>,
    /// The link, perhaps with a value at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Some of the templates of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplatePage {
    /// The templates.
    pub templates: Vec<Template>,
    /// What to ask for to have more.
    pub after: Option<String>,
}

/// What an agent filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Values {
    /// For the headline, by name or place (`1`).
    pub header: BTreeMap<String, String>,
    /// The file above the words.
    pub header_media: Option<OutMedia>,
    /// For the words, by name or place.
    pub body: BTreeMap<String, String>,
    /// For the buttons, by their place from 0.
    pub buttons: BTreeMap<u32, String>,
}

/// Why a template cannot be sent as it was filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{field}: {fault}")]
pub struct TemplateProblem {
    /// Where, as in `body.nome`.
    pub field: String,
    /// What.
    #[serde(flatten)]
    pub fault: TemplateFault,
}

/// What is wrong with a value of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum TemplateFault {
    /// The template cannot be sent at all.
    #[error("the template is {state}")]
    State {
        /// How it stands.
        state: TemplateState,
    },
    /// The value or file is missing or empty. Providers refuse the whole message.
    #[error("a value is missing")]
    Missing,
    /// The template has no such value.
    #[error("the template has no such value")]
    Unknown,
    /// A value may hold no line end, no tab and no more than four spaces in a row.
    #[error("line ends, tabs and more than 4 spaces in a row are not taken")]
    Whitespace,
    /// What results is too long.
    #[error("more than {max} characters")]
    TooLong {
        /// The most, in characters.
        max: usize,
    },
    /// The file is not of the kind that the template has.
    #[error("the file must be of the kind {kind}")]
    MediaKind {
        /// The kind.
        kind: MediaKind,
    },
}

impl TemplateProblem {
    /// What the agent is told.
    pub fn sentence(&self, language: Language) -> String {
        let field = &self.field;
        let [pt, en, es] = match self.fault {
            TemplateFault::State { .. } => [
                "O modelo não está aprovado: escolha outro.".to_owned(),
                "The template is not approved: choose another.".to_owned(),
                "La plantilla no está aprobada: elija otra.".to_owned(),
            ],
            TemplateFault::Missing => [
                format!("Falta o valor de {field}: preencha-o."),
                format!("The value of {field} is missing: fill it in."),
                format!("Falta el valor de {field}: complételo."),
            ],
            TemplateFault::Unknown => [
                format!("O modelo não tem {field}: atualize a lista de modelos."),
                format!("The template has no {field}: refresh the list of templates."),
                format!("La plantilla no tiene {field}: actualice la lista de plantillas."),
            ],
            TemplateFault::Whitespace => [
                format!(
                    "O valor de {field} tem quebras de linha, tabulações ou muitos espaços: retire-os."
                ),
                format!("The value of {field} has line ends, tabs or many spaces: take them out."),
                format!(
                    "El valor de {field} tiene saltos de línea, tabulaciones o muchos espacios: quítelos."
                ),
            ],
            TemplateFault::TooLong { max } => [
                format!("Com os valores, {field} passa de {max} caracteres: encurte-os."),
                format!("With its values, {field} has more than {max} characters: shorten them."),
                format!("Con los valores, {field} pasa de {max} caracteres: acórtelos."),
            ],
            TemplateFault::MediaKind { kind } => [
                format!("O arquivo de {field} deve ser do tipo {kind}: escolha outro."),
                format!("The file of {field} must be of the kind {kind}: choose another."),
                format!("El archivo de {field} debe ser del tipo {kind}: elija otro."),
            ],
        };
        match language {
            Language::PtBr => pt,
            Language::En => en,
            Language::Es => es,
        }
    }
}

impl Template {
    /// What the headline asks for.
    pub fn header_names(&self) -> Vec<String> {
        match &self.header {
            Some(TemplateHeader::Text(text)) => names(text),
            Some(TemplateHeader::Media(_)) | None => vec![],
        }
    }

    /// What the words ask for, in the order in which providers count it.
    pub fn body_names(&self) -> Vec<String> {
        names(&self.body)
    }

    /// Whether a button asks for a value: a link with a gap, a code, and, if we want to know more than
    /// that it was pressed, an answer.
    fn button_needs(button: &TemplateButtonShape) -> bool {
        match button.kind {
            Some(ButtonKind::Url) => !names(button.url.as_deref().unwrap_or_default()).is_empty(),
            Some(ButtonKind::CopyCode) => true,
            Some(ButtonKind::QuickReply) | None => false,
        }
    }

    /// The template with its values, ready to send.
    ///
    /// # Errors
    ///
    /// All problems, each with its field.
    pub fn fill(&self, values: &Values) -> Result<OutTemplate, Vec<TemplateProblem>> {
        let mut problems = vec![];
        if self.state != TemplateState::Approved && self.state != TemplateState::Flagged {
            let state = self.state;
            problem(
                &mut problems,
                "template".to_owned(),
                TemplateFault::State { state },
            );
        }
        let header = filled(
            "header",
            &self.header_names(),
            &values.header,
            &mut problems,
        );
        let body = filled("body", &self.body_names(), &values.body, &mut problems);
        self.check_media(values.header_media.as_ref(), &mut problems);
        let buttons = self.fill_buttons(&values.buttons, &mut problems);
        let too_long = |text: &str, max: usize| text.chars().count() > max;
        if too_long(&with(&self.body, &body), BODY_CHARS_MAX) {
            let max = BODY_CHARS_MAX;
            problem(
                &mut problems,
                "body".to_owned(),
                TemplateFault::TooLong { max },
            );
        }
        if let Some(TemplateHeader::Text(text)) = &self.header
            && too_long(&with(text, &header), HEADER_CHARS_MAX)
        {
            let max = HEADER_CHARS_MAX;
            problem(
                &mut problems,
                "header".to_owned(),
                TemplateFault::TooLong { max },
            );
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(OutTemplate {
            id: self.id.clone(),
            name: self.name.clone(),
            category: self.category.clone(),
            language: self.language.clone(),
            header,
            header_media: values.header_media.clone(),
            body,
            buttons,
        })
    }

    fn check_media(&self, media: Option<&OutMedia>, problems: &mut Vec<TemplateProblem>) {
        let wanted = match &self.header {
            Some(TemplateHeader::Media(kind)) => Some(*kind),
            Some(TemplateHeader::Text(_)) | None => None,
        };
        let fault = match (wanted, media) {
            (Some(kind), Some(media)) if media.kind != kind => TemplateFault::MediaKind { kind },
            (Some(_), None) => TemplateFault::Missing,
            (None, Some(_)) => TemplateFault::Unknown,
            (Some(_), Some(_)) | (None, None) => return,
        };
        problem(problems, "header_media".to_owned(), fault);
    }

    fn fill_buttons(
        &self,
        values: &BTreeMap<u32, String>,
        problems: &mut Vec<TemplateProblem>,
    ) -> Vec<TemplateButton> {
        let mut buttons = vec![];
        for (index, button) in (0_u32..).zip(&self.buttons) {
            let field = format!("buttons.{index}");
            match (button.kind, values.get(&index)) {
                (Some(kind), Some(value)) => {
                    check_value(&field, value, problems);
                    let name = names(button.url.as_deref().unwrap_or_default()).pop();
                    let value = value.clone();
                    #[rustfmt::skip]
                    buttons.push(TemplateButton { index, kind, name, value });
                }
                (None, Some(_)) => problem(problems, field, TemplateFault::Unknown),
                (_, None) if Self::button_needs(button) => {
                    problem(problems, field, TemplateFault::Missing);
                }
                (_, None) => {}
            }
        }
        for index in values
            .keys()
            .filter(|index| **index as usize >= self.buttons.len())
        {
            problem(problems, format!("buttons.{index}"), TemplateFault::Unknown);
        }
        buttons
    }

    /// What the customer will see, as text. Gaps without a value stay gaps.
    pub fn preview(&self, out: &OutTemplate) -> String {
        let mut lines = vec![];
        match (&self.header, &out.header_media) {
            (Some(TemplateHeader::Text(text)), _) => lines.push(with(text, &out.header)),
            (Some(TemplateHeader::Media(kind)), media) => {
                let name = media.as_ref().and_then(|media| media.name.as_deref());
                lines.push(format!("[{}]", name.unwrap_or(kind.as_str())));
            }
            (None, _) => {}
        }
        lines.push(with(&self.body, &out.body));
        lines.extend(self.footer.clone());
        let button = |button: &TemplateButtonShape| format!("[{}]", button.text);
        lines.extend(self.buttons.iter().map(button));
        lines.join("\n")
    }
}

/// The values of one part, in the order of its gaps, and what is wrong with them.
fn filled(
    part: &str,
    names: &[String],
    values: &BTreeMap<String, String>,
    problems: &mut Vec<TemplateProblem>,
) -> Vec<TemplateValue> {
    let mut filled = vec![];
    for name in names {
        let field = format!("{part}.{name}");
        let text = values.get(name).cloned().unwrap_or_default();
        check_value(&field, &text, problems);
        filled.push(TemplateValue {
            name: name.clone(),
            text,
        });
    }
    for name in values.keys().filter(|name| !names.contains(name)) {
        problem(problems, format!("{part}.{name}"), TemplateFault::Unknown);
    }
    filled
}

fn check_value(field: &str, text: &str, problems: &mut Vec<TemplateProblem>) {
    let fault = if text.trim().is_empty() {
        TemplateFault::Missing
    } else if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
        TemplateFault::Whitespace
    } else {
        return;
    };
    problem(problems, field.to_owned(), fault);
}

fn problem(problems: &mut Vec<TemplateProblem>, field: String, fault: TemplateFault) {
    problems.push(TemplateProblem { field, fault });
}

/// A text cut at its gaps.
enum Piece<'a> {
    Text(&'a str),
    /// `{{name}}`, with all of it.
    Gap {
        name: &'a str,
        whole: &'a str,
    },
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![];
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let Some(length) = rest[open..].find("}}") else {
            break;
        };
        let whole = &rest[open..open + length + 2];
        let name = whole[2..length].trim();
        let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            // Braces that are no gap: go on behind the first of them.
            pieces.push(Piece::Text(&rest[..=open]));
            rest = &rest[open + 1..];
            continue;
        }
        pieces.push(Piece::Text(&rest[..open]));
        pieces.push(Piece::Gap { name, whole });
        rest = &rest[open + length + 2..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The gaps of a text, each once: places in their order, names as they come.
fn names(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut names: Vec<&str> = pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Gap { name, .. } => seen.insert(name).then_some(name),
            Piece::Text(_) => None,
        })
        .collect();
    let place = |name: &&str| name.parse::<u32>().unwrap_or(u32::MAX);
    names.sort_by_key(place);
    names.into_iter().map(str::to_owned).collect()
}

/// A text with its gaps filled. A value that looks like a gap stays a value.
fn with(text: &str, values: &[TemplateValue]) -> String {
    let value = |name: &str| values.iter().find(|value| value.name == name);
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Gap { name, whole } => {
                let text = value(name).map(|value| value.text.as_str());
                text.filter(|text| !text.is_empty()).unwrap_or(whole)
            }
        })
        .collect()
}

/// What WhatsApp takes for the words of a template with their values.
const BODY_CHARS_MAX: usize = 1_024;
/// And for its headline.
const HEADER_CHARS_MAX: usize = 60;

#[cfg(test)]
mod tests;

//! Templates: what a company may write first.

use serde::Serialize;

use super::content::{Filled, FilledButton, Shape};
use super::problem::{Problem, invalid};
use crate::provider::Provider;

/// A template at one provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Template {
    /// Its id at the provider.
    pub id: String,
    /// Its id at Meta.
    pub meta_id: String,
    /// Where it stands.
    pub provider: Provider,
    /// Its name.
    pub name: String,
    /// Its language, as in `pt_BR`.
    pub language: String,
    /// `UTILITY`, `MARKETING` or `AUTHENTICATION`.
    pub category: String,
    /// How it stands.
    pub state: TemplateState,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// What stands above its words.
    pub header: Option<Header>,
    /// Its words, with `{{…}}` where values go.
    pub body: String,
    /// What stands below them.
    pub footer: Option<String>,
    /// What can be pressed.
    pub buttons: Vec<Button>,
}

/// How a template stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TemplateState {
    /// Nobody has looked at it.
    Pending,
    /// It may be sent.
    Approved,
    /// It may not.
    Rejected,
    /// Not now: customers did not like it.
    Paused,
    /// No more.
    Disabled,
}

impl TemplateState {
    /// Meta's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Paused => "PAUSED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// What stands above the words of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// More words.
    Text(String),
    /// A file, which comes with each message.
    File(Shape),
}

/// What can be pressed below a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Button {
    /// An answer.
    QuickReply {
        /// What stands on it.
        text: String,
    },
    /// A page.
    Url {
        /// What stands on it.
        text: String,
        /// Which; may end with a value.
        url: String,
    },
    /// A code to copy.
    CopyCode {
        /// An example.
        example: String,
    },
    /// A number to call.
    PhoneNumber {
        /// What stands on it.
        text: String,
        /// Which.
        phone_number: String,
    },
}

/// Where in a template a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Header,
    Body,
    Button(usize),
}

impl Template {
    /// The names of the values that a part takes, in their order.
    pub(crate) fn values_of(&self, part: Part) -> Vec<String> {
        match part {
            Part::Header => match &self.header {
                Some(Header::Text(text)) => placeholders(text),
                Some(Header::File(_)) | None => vec![],
            },
            Part::Body => placeholders(&self.body),
            Part::Button(index) => match self.buttons.get(index) {
                Some(Button::Url { url, .. }) => placeholders(url),
                Some(Button::CopyCode { .. }) => vec!["code".to_owned()],
                Some(Button::QuickReply { .. } | Button::PhoneNumber { .. }) | None => vec![],
            },
        }
    }

    /// Whether its values have names, not numbers.
    pub(crate) fn is_named(&self) -> bool {
        let names = self.values_of(Part::Header).into_iter();
        names
            .chain(self.values_of(Part::Body))
            .any(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Whether it may be sent.
    pub(crate) fn is_usable(&self) -> Result<(), Problem> {
        match self.state {
            TemplateState::Approved => Ok(()),
            TemplateState::Pending | TemplateState::Rejected => Err(Problem::usual(132_001)),
            TemplateState::Paused => Err(Problem::usual(132_015)),
            TemplateState::Disabled => Err(Problem::usual(132_016)),
        }
    }

    /// Fills it. `value` knows what goes where; `payload` what the company calls the quick reply at an
    /// index. A file above it comes apart, in the message.
    pub(crate) fn fill(
        &self,
        value: impl Fn(Part, usize, &str) -> Option<String>,
        payload: impl Fn(usize) -> Option<String>,
    ) -> Result<Filled, Problem> {
        let fill = |part: Part, text: &str| -> Result<String, Problem> {
            let names = placeholders(text);
            let mut filled = text.to_owned();
            for (index, name) in names.iter().enumerate() {
                let value = value(part, index, name).ok_or_else(|| {
                    let details = format!(
                        "number of localizable_params does not match the expected number of params ({})",
                        names.len()
                    );
                    Problem::new(132_000, details)
                })?;
                is_value(&value)?;
                filled = filled.replace(&format!("{{{{{name}}}}}"), &value);
            }
            Ok(filled)
        };
        let header = match &self.header {
            Some(Header::Text(text)) => Some(fill(Part::Header, text)?),
            Some(Header::File(_)) | None => None,
        };
        let body = fill(Part::Body, &self.body)?;
        if body.chars().count() > BODY_CHARS_MAX {
            return Err(Problem::usual(132_005));
        }
        let buttons = self.buttons.iter().enumerate();
        let buttons = buttons.map(|(index, button)| {
            Ok(match button {
                Button::QuickReply { text } => FilledButton::Reply {
                    text: text.clone(),
                    payload: payload(index).unwrap_or_else(|| text.clone()),
                },
                Button::Url { text, url } => FilledButton::Url {
                    text: text.clone(),
                    url: fill(Part::Button(index), url)?,
                },
                Button::CopyCode { .. } => FilledButton::Copy {
                    code: fill(Part::Button(index), "{{code}}")?,
                },
                Button::PhoneNumber { text, phone_number } => FilledButton::Phone {
                    text: text.clone(),
                    phone: phone_number.clone(),
                },
            })
        });
        Ok(Filled {
            name: self.name.clone(),
            language: self.language.clone(),
            category: self.category.clone(),
            header,
            file: None,
            body,
            footer: self.footer.clone(),
            buttons: buttons.collect::<Result<_, Problem>>()?,
        })
    }

    /// The same with numbers in the place of names. `through`: whether they count on from the header to
    /// the buttons, as Twilio has it, or begin anew in each part.
    pub(crate) fn numbered(mut self, through: bool) -> Self {
        let mut count = 0;
        let mut number = |text: &mut String| {
            if !through {
                count = 0;
            }
            // Marked first, so that a number that was put in is not taken for a name.
            for name in placeholders(text) {
                count += 1;
                *text = text.replace(&format!("{{{{{name}}}}}"), &format!("\u{1}{count}\u{2}"));
            }
            *text = text.replace('\u{1}', "{{").replace('\u{2}', "}}");
        };
        if let Some(Header::Text(text)) = &mut self.header {
            number(text);
        }
        number(&mut self.body);
        for button in &mut self.buttons {
            if let Button::Url { url, .. } = button {
                number(url);
            }
        }
        self
    }

    /// Why Meta's reviewers would not have it, if so: what begins or ends with a value, or has two of them
    /// side by side, says nothing.
    pub(crate) fn verdict(&self) -> Option<&'static str> {
        let body = self.body.trim();
        let is_bad = body.starts_with("{{") || body.ends_with("}}") || body.contains("}}{{");
        is_bad.then_some("INVALID_FORMAT")
    }
}

/// A value must not be empty, nor tear the template apart.
fn is_value(value: &str) -> Result<(), Problem> {
    if value.trim().is_empty() {
        let details = "Parameter of type text is missing text value";
        return Err(Problem::new(131_008, details));
    }
    if value.contains(['\n', '\t']) || value.contains("     ") {
        let details =
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(invalid(details));
    }
    Ok(())
}

/// The names between `{{` and `}}`, in order, each once.
pub(crate) fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for piece in text.split("{{").skip(1) {
        if let Some((name, _)) = piece.split_once("}}") {
            let name = name.trim().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// WhatsApp's bound for the words of a filled template, in characters.
const BODY_CHARS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        Template {
            id: "1".to_owned(),
            meta_id: "1".to_owned(),
            provider: Provider::Cloud,
            name: "aviso".to_owned(),
            language: "pt_BR".to_owned(),
            category: "UTILITY".to_owned(),
            state: TemplateState::Approved,
            reason: None,
            header: Some(Header::Text("Pedido {{numero}}".to_owned())),
            body: "Olá, {{nome}}! {{nome}}, o pedido {{numero}} saiu.".to_owned(),
            footer: None,
            buttons: vec![Button::Url {
                text: "Ver".to_owned(),
                url: "https://loja.example/{{codigo}}".to_owned(),
            }],
        }
    }

    #[test]
    fn a_template_is_filled_by_name_and_the_same_name_twice_is_one_value() {
        let value = |_: Part, _: usize, name: &str| Some(format!("<{name}>"));
        let filled = template().fill(value, |_| None).expect("filled");
        assert_eq!(filled.header.as_deref(), Some("Pedido <numero>"));
        assert_eq!(filled.body, "Olá, <nome>! <nome>, o pedido <numero> saiu.");
        let url = "https://loja.example/<codigo>".to_owned();
        let text = "Ver".to_owned();
        assert_eq!(filled.buttons, [FilledButton::Url { text, url }]);
    }

    #[test]
    fn what_is_missing_empty_or_torn_apart_is_refused_with_metas_code() {
        let codes = [None, Some(""), Some("a\nb"), Some("a     b")].map(|value| {
            let value = value.map(str::to_owned);
            let refused = template().fill(|_, _, _| value.clone(), |_| None);
            refused.expect_err("refused").code
        });
        assert_eq!(codes, [132_000, 131_008, 100, 100]);
    }

    #[test]
    fn names_become_numbers_part_by_part_or_through_all_parts() {
        let parts = |template: Template| {
            let Some(Header::Text(header)) = template.header else {
                panic!("no header")
            };
            let Some(Button::Url { url, .. }) = template.buttons.first() else {
                panic!("no button")
            };
            (header, template.body, url.clone())
        };
        let (header, body, url) = parts(template().numbered(false));
        assert_eq!(header, "Pedido {{1}}");
        assert_eq!(body, "Olá, {{1}}! {{1}}, o pedido {{2}} saiu.");
        assert_eq!(url, "https://loja.example/{{1}}");
        let (header, body, url) = parts(template().numbered(true));
        assert_eq!(header, "Pedido {{1}}");
        assert_eq!(body, "Olá, {{2}}! {{2}}, o pedido {{3}} saiu.");
        assert_eq!(url, "https://loja.example/{{4}}");
    }

    #[test]
    fn only_approved_templates_are_usable() {
        let states = [
            TemplateState::Approved,
            TemplateState::Pending,
            TemplateState::Rejected,
            TemplateState::Paused,
            TemplateState::Disabled,
        ];
        let codes = states.map(|state| {
            let template = Template {
                state,
                ..template()
            };
            template.is_usable().err().map(|problem| problem.code)
        });
        let absent = Some(132_001);
        assert_eq!(codes, [None, absent, absent, Some(132_015), Some(132_016)]);
    }
}

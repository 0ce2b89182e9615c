//! From what a flow says to what is played.

use jiff::civil::{Date, Time};

use super::variables::Variables;
use crate::template::Escape;
use crate::words::{self, Word};
use crate::{Currency, Flow, Language, PromptId, Say, VoiceId};

/// One thing to play, with nothing left to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// A prompt of the company.
    Prompt(PromptId),
    /// A text for the synthesiser.
    Text {
        /// The text.
        text: String,
        /// The voice; none means the company's default.
        voice: Option<VoiceId>,
    },
    /// A word or a sentence that ships as a recording; where the recording is missing its text is
    /// for the synthesiser.
    Word(Word),
}

/// Everything in `say`, with values filled in. What comes out empty is left out.
pub(super) fn spoken(flow: &Flow, say: &[Say], variables: &Variables) -> Vec<Spoken> {
    let mut items = Vec::with_capacity(say.len());
    for one in say {
        push(&mut items, flow, one, variables);
    }
    items
}

/// Everything in `say` as it is written: texts with numbers, dates and money as people write them, one
/// for all that stand beside each other, and the company's prompts, of which it may have the words.
pub(super) fn written(flow: &Flow, say: &[Say], variables: &Variables) -> Vec<Spoken> {
    let mut items = vec![];
    for one in say {
        if let Say::Prompt { prompt } = one {
            items.push(Spoken::Prompt(prompt.clone()));
            continue;
        }
        let Some(more) = text(flow, one, variables).filter(|text| !text.is_empty()) else {
            continue;
        };
        if let Some(Spoken::Text { text, .. }) = items.last_mut() {
            text.push(' ');
            text.push_str(&more);
        } else {
            items.push(Spoken::Text {
                text: more,
                voice: None,
            });
        }
    }
    items
}

fn text(flow: &Flow, say: &Say, variables: &Variables) -> Option<String> {
    let fill = |template: &str| {
        let text = variables.render(template, Escape::None).text;
        text.trim().to_owned()
    };
    Some(match say {
        Say::Prompt { .. } => return None,
        Say::Text { text, .. } => fill(text),
        Say::Sound { sound } => {
            let is_spoken = !words::GENERATED.iter().any(|(name, _)| name == sound);
            let word = words::sound(flow.language, sound).filter(|_| is_spoken)?;
            word.text.into_owned()
        }
        Say::Number { value, .. }
        | Say::Ordinal { value, .. }
        | Say::Digits { value }
        | Say::Protocol { value } => fill(value),
        Say::Date { value } => {
            let value = fill(value);
            let date = value.parse::<Date>().map(|date| match flow.language {
                Language::PtBr | Language::Es => date.strftime("%d/%m/%Y").to_string(),
                Language::En => date.strftime("%Y-%m-%d").to_string(),
            });
            date.unwrap_or(value)
        }
        Say::Time { value } => {
            let value = fill(value);
            let time = value.parse::<Time>();
            time.map_or(value, |time| time.strftime("%H:%M").to_string())
        }
        Say::Money { value, currency } => {
            let value = fill(value);
            let cents = words::cents(&value);
            cents.map_or(value, |cents| money(flow.language, cents, *currency))
        }
    })
}

/// An amount as it is written: `R$ 1.234,56`, `US$ 1,234.56`.
fn money(language: Language, cents: i64, currency: Currency) -> String {
    let sign = match currency {
        Currency::Brl => "R$",
        Currency::Usd => "US$",
        Currency::Eur => "€",
    };
    let (group, point) = match language {
        Language::PtBr | Language::Es => ('.', ','),
        Language::En => (',', '.'),
    };
    let whole = (cents.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(group);
        }
        grouped.push(digit);
    }
    let minus = if cents < 0 { "-" } else { "" };
    format!(
        "{minus}{sign} {grouped}{point}{:02}",
        cents.unsigned_abs() % 100
    )
}

fn push(items: &mut Vec<Spoken>, flow: &Flow, say: &Say, variables: &Variables) {
    let language = flow.language;
    let fill = |template: &str| {
        variables
            .render(template, Escape::None)
            .text
            .trim()
            .to_owned()
    };
    let (value, words) = match say {
        Say::Prompt { prompt } => return items.push(Spoken::Prompt(prompt.clone())),
        Say::Text { text, voice } => {
            let text = fill(text);
            if !text.is_empty() {
                items.push(Spoken::Text {
                    text,
                    voice: voice.clone().or_else(|| flow.voice.clone()),
                });
            }
            return;
        }
        Say::Sound { sound } => (
            String::new(),
            words::sound(language, sound).map(|word| vec![word]),
        ),
        Say::Number { value, gender } => {
            let value = fill(value);
            let number = value.parse().ok();
            (
                value,
                number.and_then(|number| words::cardinal(language, number, *gender)),
            )
        }
        Say::Ordinal { value, gender } => {
            let value = fill(value);
            let number = value.parse().ok();
            (
                value,
                number.and_then(|number| words::ordinal(language, number, *gender)),
            )
        }
        Say::Digits { value } => {
            let value = fill(value);
            let words = words::characters(language, &value);
            (value, Some(words))
        }
        Say::Protocol { value } => {
            let value = fill(value);
            let words = words::protocol(language, &value);
            (value, Some(words))
        }
        Say::Date { value } => {
            let value = fill(value);
            let date = value.parse::<Date>().ok();
            (value, date.and_then(|date| words::date(language, date)))
        }
        Say::Time { value } => {
            let value = fill(value);
            let time = value.parse::<Time>().ok();
            (value, time.map(|time| words::time(language, time)))
        }
        Say::Money { value, currency } => {
            let value = fill(value);
            let cents = words::cents(&value);
            (
                value,
                cents.and_then(|cents| words::money(language, cents, *currency)),
            )
        }
    };
    match words {
        Some(words) => items.extend(words.into_iter().map(Spoken::Word)),
        // Not what it should be: the synthesiser makes the best of it.
        None if !value.is_empty() => {
            items.push(Spoken::Text {
                text: value,
                voice: flow.voice.clone(),
            });
        }
        None => {}
    }
}

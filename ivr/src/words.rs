//! Numbers, dates, times and money as words, each of which is a recording under
//! `sounds/<language>/` and a text for the synthesiser where the recording is missing.
//!
//! [`catalogue`] lists every word that a language needs: a script renders
//! `sounds/<language>/<name>.wav` from it.

mod en;
mod es;
mod pt_br;
mod sentences;

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use serde::Serialize;

use crate::{Currency, Gender, Language};

/// One word, or a few that are always said together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Word {
    /// The name of the recording, without folder of the language and without extension:
    /// `numbers/21-f`. Names do not change once they have shipped.
    pub name: Cow<'static, str>,
    /// What is said.
    pub text: Cow<'static, str>,
}

/// The beep before a recording. It is generated, not spoken.
pub const BEEP: &str = "generated/beep";

/// The pause between two groups of digits. It is generated, not spoken.
pub const PAUSE: &str = "generated/pause";

/// Sounds that no catalogue has, because they are not spoken: their names, and how long they
/// last in milliseconds.
pub const GENERATED: [(&str, u32); 2] = [(BEEP, 400), (PAUSE, 300)];

/// The greatest number that is said; beyond it the synthesiser reads digits.
pub const NUMBER_MAX: u64 = 999_999_999_999;

/// Every word and sentence that `language` needs, as name and text, each name once.
pub fn catalogue(
    language: Language,
) -> impl Iterator<Item = (Cow<'static, str>, Cow<'static, str>)> {
    let words = match language {
        Language::PtBr => pt_br::vocabulary(),
        Language::En => en::vocabulary(),
        Language::Es => es::vocabulary(),
    };
    words
        .into_iter()
        .chain(sentences::all(language))
        .map(|word| (word.name, word.text))
}

/// The sound of this name: of the catalogue, or one of [`GENERATED`].
#[must_use]
pub fn sound(language: Language, name: &str) -> Option<Word> {
    if let Some((name, _)) = GENERATED.iter().find(|(generated, _)| *generated == name) {
        return Some(generated(name));
    }
    // Flows name sentences; a single word of a number is an exception.
    sentences::named(language, name).or_else(|| {
        catalogue(language)
            .find(|(known, _)| known == name)
            .map(|(name, text)| Word { name, text })
    })
}

/// A whole number, agreeing with what is counted; nothing beyond [`NUMBER_MAX`].
#[must_use]
pub fn cardinal(language: Language, number: i64, gender: Option<Gender>) -> Option<Vec<Word>> {
    let size = number.unsigned_abs();
    if size > NUMBER_MAX {
        return None;
    }
    let mut words = Vec::new();
    if number < 0 {
        words.push(minus(language));
    }
    match language {
        Language::PtBr => pt_br::cardinal(size, gender, &mut words),
        Language::En => en::cardinal(size, &mut words),
        Language::Es => es::cardinal(size, es::Form::of(gender), &mut words),
    }
    Some(words)
}

/// A place in a row, agreeing with what stands in it; beyond 999, and for 0, the whole number.
#[must_use]
pub fn ordinal(language: Language, number: i64, gender: Option<Gender>) -> Option<Vec<Word>> {
    let Some(place) = u32::try_from(number)
        .ok()
        .filter(|place| (1..=999).contains(place))
    else {
        return cardinal(language, number, gender);
    };
    let mut words = Vec::new();
    match language {
        Language::PtBr => pt_br::ordinal(place, gender, &mut words),
        Language::En => en::ordinal(place, &mut words),
        Language::Es => es::ordinal(place, es::Form::of(gender), &mut words),
    }
    Some(words)
}

/// Digits and letters one by one; what is neither is left out, but for `*`, `#` and `+`.
#[must_use]
pub fn characters(language: Language, text: &str) -> Vec<Word> {
    text.chars()
        .filter_map(|c| character(language, c))
        .collect()
}

/// Digits and letters one by one, in groups with a pause between them: as the text groups them
/// itself, and nothing longer than [`GROUP_MAX`].
#[must_use]
pub fn protocol(language: Language, text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for part in text.split(|c: char| !c.is_alphanumeric()) {
        let part: Vec<char> = part.chars().collect();
        let mut rest = part.as_slice();
        while !rest.is_empty() {
            // Nobody says a single digit at the end: five are three and two.
            let length = if rest.len() == GROUP_MAX + 1 {
                GROUP_MAX - 1
            } else {
                GROUP_MAX.min(rest.len())
            };
            let (group, after) = rest.split_at(length);
            if !words.is_empty() {
                words.push(generated(PAUSE));
            }
            words.extend(group.iter().filter_map(|&c| character(language, c)));
            rest = after;
        }
    }
    words
}

/// A date with its year.
#[must_use]
pub fn date(language: Language, date: Date) -> Option<Vec<Word>> {
    let (year, month, day) = (
        u64::try_from(date.year()).ok()?,
        month(language, date),
        date.day().unsigned_abs(),
    );
    let mut words = Vec::new();
    match language {
        Language::PtBr => pt_br::date(year, month, day, &mut words),
        Language::En => en::date(year, month, day, &mut words),
        Language::Es => es::date(year, month, day, &mut words),
    }
    Some(words)
}

/// A time of day in hours and minutes.
#[must_use]
pub fn time(language: Language, time: Time) -> Vec<Word> {
    let (hour, minute) = (
        time.hour().unsigned_abs().into(),
        time.minute().unsigned_abs().into(),
    );
    let mut words = Vec::new();
    match language {
        Language::PtBr => pt_br::time(hour, minute, &mut words),
        Language::En => en::time(hour, minute, &mut words),
        Language::Es => es::time(hour, minute, &mut words),
    }
    words
}

/// An amount of money in hundredths; nothing beyond [`NUMBER_MAX`].
#[must_use]
pub fn money(language: Language, cents: i64, currency: Currency) -> Option<Vec<Word>> {
    let (whole, hundredths) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    if whole > NUMBER_MAX {
        return None;
    }
    let mut words = Vec::new();
    if cents < 0 {
        words.push(minus(language));
    }
    match language {
        Language::PtBr => pt_br::money(whole, hundredths, currency, &mut words),
        Language::En => en::money(whole, hundredths, currency, &mut words),
        Language::Es => es::money(whole, hundredths, currency, &mut words),
    }
    Some(words)
}

/// "Você é o terceiro da fila." `place` counts from 1.
#[must_use]
pub fn position(language: Language, place: u32) -> Vec<Word> {
    let place = i64::from(place);
    // Portuguese ordinals are everyday words up to the twentieth.
    let by_ordinal = language == Language::PtBr && (1..=20).contains(&place);
    let (before, number) = if by_ordinal {
        (
            "queue/you-are",
            ordinal(language, place, Some(Gender::Masculine)),
        )
    } else {
        ("queue/you-are-number", cardinal(language, place, None))
    };
    let mut words: Vec<Word> = sentences::named(language, before).into_iter().collect();
    words.extend(number.unwrap_or_default());
    words.extend(sentences::named(language, "queue/in-line"));
    words
}

/// "O tempo estimado de espera é de dois minutos."
#[must_use]
pub fn wait(language: Language, minutes: u32) -> Vec<Word> {
    let mut words: Vec<Word> = sentences::named(language, "queue/wait-is")
        .into_iter()
        .collect();
    words.extend(cardinal(language, minutes.into(), Some(Gender::Masculine)).unwrap_or_default());
    words.push(minutes_word(language, minutes.into()));
    words
}

/// The hundredths in a decimal number with at most two places after a point or a comma.
///
/// `1.234,56` and `1,234.56` are no such numbers: which of the two signs is the decimal one is
/// for whoever writes the value to settle.
#[must_use]
pub fn cents(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let hundredths = fraction
        .parse::<i64>()
        .ok()?
        .checked_mul(if fraction.len() == 1 { 10 } else { 1 })?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(hundredths)?
        .checked_mul(sign)
}

/// The longest run of digits that is said without a pause.
pub const GROUP_MAX: usize = 4;

fn word(name: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Word {
    Word {
        name: name.into(),
        text: text.into(),
    }
}

/// A generated sound; where a text stands in for it, a comma makes the synthesiser pause.
fn generated(name: &'static str) -> Word {
    word(name, ",")
}

fn minus(language: Language) -> Word {
    word(
        "numbers/minus",
        match language {
            Language::PtBr => "menos",
            Language::En => "minus",
            Language::Es => "menos",
        },
    )
}

fn minutes_word(language: Language, minutes: u64) -> Word {
    let (one, many) = match language {
        Language::PtBr | Language::Es => ("minuto", "minutos"),
        Language::En => ("minute", "minutes"),
    };
    if minutes == 1 {
        word("times/minute", one)
    } else {
        word("times/minutes", many)
    }
}

/// The month of a date, with the "de" before it where the language has one.
fn month(language: Language, date: Date) -> Word {
    let month = usize::from(date.month().unsigned_abs());
    word(
        format!("months/{month}"),
        months(language)
            .get(month.saturating_sub(1))
            .copied()
            .unwrap_or_default(),
    )
}

fn months(language: Language) -> [&'static str; 12] {
    match language {
        Language::PtBr => pt_br::MONTHS,
        Language::En => en::MONTHS,
        Language::Es => es::MONTHS,
    }
}

/// A digit, a letter or one of `*`, `#` and `+`.
fn character(language: Language, c: char) -> Option<Word> {
    let small = c.to_ascii_lowercase();
    match (small, small.to_digit(10)) {
        (_, Some(digit)) => {
            let mut words = cardinal(language, digit.into(), None)?;
            words.pop()
        }
        ('a'..='z', None) => {
            let place = usize::from(u8::try_from(small).ok()?.checked_sub(b'a')?);
            Some(word(
                format!("letters/{small}"),
                *letters(language).get(place)?,
            ))
        }
        (_, None) => symbols(language)
            .into_iter()
            .find(|(symbol, ..)| *symbol == c)
            .map(|(_, name, text)| word(name, text)),
    }
}

fn letters(language: Language) -> [&'static str; 26] {
    match language {
        Language::PtBr => pt_br::LETTERS,
        Language::En => en::LETTERS,
        Language::Es => es::LETTERS,
    }
}

fn symbols(language: Language) -> [(char, &'static str, &'static str); 3] {
    let [star, hash, plus] = match language {
        Language::PtBr => ["asterisco", "jogo da velha", "mais"],
        Language::En => ["star", "pound", "plus"],
        Language::Es => ["asterisco", "numeral", "más"],
    };
    [
        ('*', "letters/star", star),
        ('#', "letters/hash", hash),
        ('+', "letters/plus", plus),
    ]
}

/// The words that every language has in the same way.
fn common_vocabulary(language: Language) -> Vec<Word> {
    let mut words = vec![
        minus(language),
        minutes_word(language, 1),
        minutes_word(language, 2),
    ];
    words.extend(
        (1..=12)
            .zip(months(language))
            .map(|(month, text)| word(format!("months/{month}"), text)),
    );
    words.extend(('a'..='z').filter_map(|letter| character(language, letter)));
    words.extend(symbols(language).map(|(_, name, text)| word(name, text)));
    words
}

#[cfg(test)]
mod tests;

//! English, as North America says it.

use super::{Word, common_vocabulary, word};
use crate::{Currency, Language};

/// "one hundred two": below a hundred a number is one recording.
pub(super) fn cardinal(number: u64, words: &mut Vec<Word>) {
    if number == 0 {
        return words.push(below_hundred(0));
    }
    let groups = [
        (number / 1_000_000_000, Some(("numbers/billion", "billion"))),
        (
            number / 1_000_000 % 1_000,
            Some(("numbers/million", "million")),
        ),
        (
            number / 1_000 % 1_000,
            Some(("numbers/thousand", "thousand")),
        ),
        (number % 1_000, None),
    ];
    for (group, scale) in groups {
        if group == 0 {
            continue;
        }
        if group >= 100 {
            words.extend([below_hundred(group / 100), hundred()]);
        }
        if group % 100 > 0 {
            words.push(below_hundred(group % 100));
        }
        words.extend(scale.map(|(name, text)| word(name, text)));
    }
}

/// "one hundred twenty-first", 1 to 999.
pub(super) fn ordinal(number: u32, words: &mut Vec<Word>) {
    let (hundreds, rest) = (u64::from(number / 100), u64::from(number % 100));
    if hundreds > 0 {
        words.extend([
            below_hundred(hundreds),
            if rest == 0 { hundredth() } else { hundred() },
        ]);
    }
    if rest > 0 {
        words.push(ordinal_below_hundred(rest));
    }
}

/// "November twenty-second, twenty twenty-six"
pub(super) fn date(year: u64, month: Word, day: u8, words: &mut Vec<Word>) {
    words.extend([month, ordinal_below_hundred(day.into())]);
    match (year / 100, year % 100) {
        (20, 0..=9) | (0..=10 | 21.., _) => cardinal(year, words),
        (century, 0) => words.extend([below_hundred(century), hundred()]),
        (century, rest @ 1..=9) => {
            words.extend([below_hundred(century), oh(), below_hundred(rest)])
        }
        (century, rest) => words.extend([below_hundred(century), below_hundred(rest)]),
    }
}

/// "two thirty p.m."
pub(super) fn time(hour: u64, minute: u64, words: &mut Vec<Word>) {
    match (hour, minute) {
        (0, 0) => return words.push(word("times/midnight", "midnight")),
        (12, 0) => return words.push(word("times/noon", "noon")),
        (_, _) => words.push(below_hundred(if hour.is_multiple_of(12) {
            12
        } else {
            hour % 12
        })),
    }
    match minute {
        0 => {}
        1..=9 => words.extend([oh(), below_hundred(minute)]),
        _ => words.push(below_hundred(minute)),
    }
    words.push(if hour < 12 {
        word("times/am", "a.m.")
    } else {
        word("times/pm", "p.m.")
    });
}

/// "two dollars and one cent"
pub(super) fn money(whole: u64, hundredths: u64, currency: Currency, words: &mut Vec<Word>) {
    if whole > 0 || hundredths == 0 {
        cardinal(whole, words);
        words.push(unit(currency, whole == 1));
    }
    if hundredths > 0 {
        if whole > 0 {
            words.push(and());
        }
        words.extend([below_hundred(hundredths), cent(currency, hundredths == 1)]);
    }
}

/// Every word that this file can say.
pub(super) fn vocabulary() -> Vec<Word> {
    let mut words = common_vocabulary(Language::En);
    words.extend((0..100).map(below_hundred));
    words.extend((1..100).map(ordinal_below_hundred));
    words.extend([
        hundred(),
        hundredth(),
        word("numbers/thousand", "thousand"),
        word("numbers/million", "million"),
        word("numbers/billion", "billion"),
        and(),
        oh(),
        word("times/midnight", "midnight"),
        word("times/noon", "noon"),
        word("times/am", "a.m."),
        word("times/pm", "p.m."),
    ]);
    for currency in [Currency::Brl, Currency::Usd, Currency::Eur] {
        words.extend([unit(currency, true), unit(currency, false)]);
    }
    for currency in [Currency::Brl, Currency::Usd] {
        words.extend([cent(currency, true), cent(currency, false)]);
    }
    words
}

fn below_hundred(number: u64) -> Word {
    word(format!("numbers/{number}"), cardinal_text(number))
}

fn cardinal_text(number: u64) -> String {
    let pick = |row: &[&'static str], place: u64| {
        usize::try_from(place)
            .ok()
            .and_then(|place| row.get(place))
            .copied()
            .unwrap_or_default()
    };
    match (number / 10, number % 10) {
        (0 | 1, _) => pick(&UNITS, number).to_owned(),
        (ten, 0) => pick(&TENS, ten).to_owned(),
        (ten, unit) => format!("{}-{}", pick(&TENS, ten), pick(&UNITS, unit)),
    }
}

/// The ordinal of the last word, made from the cardinal: most take "th".
fn ordinal_below_hundred(number: u64) -> Word {
    let cardinal = cardinal_text(number);
    let (before, last) = match cardinal.rsplit_once('-') {
        Some((ten, unit)) => (format!("{ten}-"), unit.to_owned()),
        None => (String::new(), cardinal),
    };
    let last = match last.as_str() {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        other => match other.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{other}th"),
        },
    };
    word(format!("ordinals/{number}"), format!("{before}{last}"))
}

fn unit(currency: Currency, one: bool) -> Word {
    match (currency, one) {
        (Currency::Brl, true) => word("money/brl-1", "real"),
        (Currency::Brl, false) => word("money/brl", "reais"),
        (Currency::Usd, true) => word("money/usd-1", "dollar"),
        (Currency::Usd, false) => word("money/usd", "dollars"),
        (Currency::Eur, true) => word("money/eur-1", "euro"),
        (Currency::Eur, false) => word("money/eur", "euros"),
    }
}

fn cent(currency: Currency, one: bool) -> Word {
    match (currency, one) {
        (Currency::Brl, true) => word("money/centavo", "centavo"),
        (Currency::Brl, false) => word("money/centavos", "centavos"),
        (Currency::Usd | Currency::Eur, true) => word("money/cent", "cent"),
        (Currency::Usd | Currency::Eur, false) => word("money/cents", "cents"),
    }
}

fn hundred() -> Word {
    word("numbers/hundred", "hundred")
}

fn hundredth() -> Word {
    word("ordinals/hundredth", "hundredth")
}

fn and() -> Word {
    word("numbers/and", "and")
}

/// The zero in "two oh five".
fn oh() -> Word {
    word("numbers/oh", "oh")
}

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const LETTERS: [&str; 26] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S",
    "T", "U", "V", "W", "X", "Y", "Z",
];

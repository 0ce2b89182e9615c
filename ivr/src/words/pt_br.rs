//! Brazilian Portuguese.

use super::{Word, common_vocabulary, minutes_word, word};
use crate::{Currency, Gender, Language};

/// "vinte e uma": below a hundred a number is one recording; hundreds that go on have their "e".
pub(super) fn cardinal(number: u64, gender: Option<Gender>, words: &mut Vec<Word>) {
    if number == 0 {
        return words.push(below_hundred(0, None));
    }
    let mut divisor = 1_000_000_000;
    let mut rest = number;
    let mut first = true;
    while divisor > 0 {
        let group = rest / divisor;
        rest %= divisor;
        if group > 0 {
            // "mil e cem", "mil e dois", "mil duzentos e três": the last group takes an "e" when it
            // is a single word of hundreds, or has none.
            if !first && rest == 0 && (group <= 100 || group.is_multiple_of(100)) {
                words.push(and());
            }
            // Milhões and bilhões are nouns themselves and masculine, whatever is counted.
            match divisor {
                1_000_000_000 => {
                    below_thousand(group, None, words);
                    words.push(if group == 1 { billion() } else { billions() });
                }
                1_000_000 => {
                    below_thousand(group, None, words);
                    words.push(if group == 1 { million() } else { millions() });
                }
                1_000 => {
                    if group > 1 {
                        below_thousand(group, gender, words);
                    }
                    words.push(thousand());
                }
                _ => below_thousand(group, gender, words),
            }
            first = false;
        }
        divisor /= 1_000;
    }
}

/// "centésima vigésima primeira", 1 to 999.
pub(super) fn ordinal(number: u32, gender: Option<Gender>, words: &mut Vec<Word>) {
    for (part, unit) in [
        (number / 100 % 10, 100),
        (number / 10 % 10, 10),
        (number % 10, 1),
    ] {
        if part > 0 {
            words.push(ordinal_part(part, unit, gender));
        }
    }
}

/// "vinte e dois de novembro de dois mil e vinte e seis"
pub(super) fn date(year: u64, month: Word, day: u8, words: &mut Vec<Word>) {
    match day {
        1 => ordinal(1, None, words),
        _ => cardinal(day.into(), None, words),
    }
    words.extend([month, of()]);
    cardinal(year, None, words);
}

/// "quatorze horas e trinta minutos"
pub(super) fn time(hour: u64, minute: u64, words: &mut Vec<Word>) {
    match hour {
        0 => words.push(word("times/midnight", "meia-noite")),
        12 => words.push(word("times/noon", "meio-dia")),
        _ => {
            cardinal(hour, Some(Gender::Feminine), words);
            words.push(if hour == 1 {
                word("times/hour", "hora")
            } else {
                word("times/hours", "horas")
            });
        }
    }
    if minute > 0 {
        words.push(and());
        cardinal(minute, None, words);
        words.push(minutes_word(Language::PtBr, minute));
    }
}

/// "um milhão de reais", "dois reais e um centavo", "cinquenta centavos"
pub(super) fn money(whole: u64, hundredths: u64, currency: Currency, words: &mut Vec<Word>) {
    if whole > 0 || hundredths == 0 {
        cardinal(whole, None, words);
        if whole >= 1_000_000 && whole.is_multiple_of(1_000_000) {
            words.push(of());
        }
        words.push(unit(currency, whole == 1));
    }
    if hundredths > 0 {
        if whole > 0 {
            words.push(and());
        }
        cardinal(hundredths, None, words);
        words.push(cent(hundredths == 1));
    }
}

/// Every word that this file can say.
pub(super) fn vocabulary() -> Vec<Word> {
    let feminine = Some(Gender::Feminine);
    let mut words = common_vocabulary(Language::PtBr);
    words.extend((0..100).map(|number| below_hundred(number, None)));
    words.extend(
        (0..100)
            .filter(|&number| has_feminine(number))
            .map(|number| below_hundred(number, feminine)),
    );
    words.push(hundreds(1, None, false));
    for hundred in 1..=9 {
        words.push(hundreds(hundred, None, true));
    }
    for hundred in 2..=9 {
        words.extend([
            hundreds(hundred, None, false),
            hundreds(hundred, feminine, false),
            hundreds(hundred, feminine, true),
        ]);
    }
    for unit in [1, 10, 100] {
        for part in 1..=9 {
            words.extend([
                ordinal_part(part, unit, None),
                ordinal_part(part, unit, feminine),
            ]);
        }
    }
    words.extend([
        and(),
        of(),
        thousand(),
        million(),
        millions(),
        billion(),
        billions(),
    ]);
    words.extend([
        word("times/midnight", "meia-noite"),
        word("times/noon", "meio-dia"),
        word("times/hour", "hora"),
        word("times/hours", "horas"),
        cent(true),
        cent(false),
    ]);
    for currency in [Currency::Brl, Currency::Usd, Currency::Eur] {
        words.extend([unit(currency, true), unit(currency, false)]);
    }
    words
}

fn below_thousand(number: u64, gender: Option<Gender>, words: &mut Vec<Word>) {
    let (hundred, rest) = (number / 100, number % 100);
    if hundred > 0 {
        words.push(hundreds(hundred, gender, rest > 0));
    }
    if rest > 0 {
        words.push(below_hundred(rest, gender));
    }
}

/// "cem", "duzentas"; before more "cento e", "duzentas e".
fn hundreds(hundred: u64, gender: Option<Gender>, goes_on: bool) -> Word {
    let feminine = gender == Some(Gender::Feminine) && hundred > 1;
    let stem = match hundred {
        1 if goes_on => "cento",
        1 => "cem",
        2 => "duzentos",
        3 => "trezentos",
        4 => "quatrocentos",
        5 => "quinhentos",
        6 => "seiscentos",
        7 => "setecentos",
        8 => "oitocentos",
        _ => "novecentos",
    };
    let text = if feminine {
        stem.replace("os", "as")
    } else {
        stem.to_owned()
    };
    let gender = if feminine { "-f" } else { "" };
    match goes_on {
        true => word(
            format!("numbers/{hundred}00{gender}-and"),
            format!("{text} e"),
        ),
        false => word(format!("numbers/{hundred}00{gender}"), text),
    }
}

fn below_hundred(number: u64, gender: Option<Gender>) -> Word {
    let feminine = gender == Some(Gender::Feminine) && has_feminine(number);
    let units = |unit: u64| match (unit, feminine) {
        (1, true) => "uma",
        (2, true) => "duas",
        (_, _) => usize::try_from(unit)
            .ok()
            .and_then(|unit| UNITS.get(unit))
            .copied()
            .unwrap_or_default(),
    };
    let text = match (number / 10, number % 10) {
        (0 | 1, _) => units(number).to_owned(),
        (ten, unit) => {
            let ten = usize::try_from(ten)
                .ok()
                .and_then(|ten| TENS.get(ten))
                .copied()
                .unwrap_or_default();
            if unit == 0 {
                ten.to_owned()
            } else {
                format!("{ten} e {}", units(unit))
            }
        }
    };
    word(
        format!("numbers/{number}{}", if feminine { "-f" } else { "" }),
        text,
    )
}

/// Whether the number ends in "um" or "dois": eleven and twelve do not.
fn has_feminine(number: u64) -> bool {
    matches!(number % 10, 1 | 2) && number / 10 != 1
}

fn ordinal_part(part: u32, unit: u32, gender: Option<Gender>) -> Word {
    let row = match unit {
        1 => ORDINAL_UNITS,
        10 => ORDINAL_TENS,
        _ => ORDINAL_HUNDREDS,
    };
    let masculine = usize::try_from(part)
        .ok()
        .and_then(|part| row.get(part.saturating_sub(1)))
        .copied()
        .unwrap_or_default();
    let number = part * unit;
    match gender {
        Some(Gender::Feminine) => {
            let stem = masculine.strip_suffix('o').unwrap_or(masculine);
            word(format!("ordinals/{number}-f"), format!("{stem}a"))
        }
        Some(Gender::Masculine) | None => word(format!("ordinals/{number}"), masculine),
    }
}

fn unit(currency: Currency, one: bool) -> Word {
    match (currency, one) {
        (Currency::Brl, true) => word("money/brl-1", "real"),
        (Currency::Brl, false) => word("money/brl", "reais"),
        (Currency::Usd, true) => word("money/usd-1", "dólar"),
        (Currency::Usd, false) => word("money/usd", "dólares"),
        (Currency::Eur, true) => word("money/eur-1", "euro"),
        (Currency::Eur, false) => word("money/eur", "euros"),
    }
}

fn cent(one: bool) -> Word {
    if one {
        word("money/cent", "centavo")
    } else {
        word("money/cents", "centavos")
    }
}

fn and() -> Word {
    word("numbers/and", "e")
}

fn of() -> Word {
    word("numbers/of", "de")
}

fn thousand() -> Word {
    word("numbers/thousand", "mil")
}

fn million() -> Word {
    word("numbers/million", "milhão")
}

fn millions() -> Word {
    word("numbers/millions", "milhões")
}

fn billion() -> Word {
    word("numbers/billion", "bilhão")
}

fn billions() -> Word {
    word("numbers/billions", "bilhões")
}

const UNITS: [&str; 20] = [
    "zero",
    "um",
    "dois",
    "três",
    "quatro",
    "cinco",
    "seis",
    "sete",
    "oito",
    "nove",
    "dez",
    "onze",
    "doze",
    "treze",
    "quatorze",
    "quinze",
    "dezesseis",
    "dezessete",
    "dezoito",
    "dezenove",
];

const TENS: [&str; 10] = [
    "",
    "",
    "vinte",
    "trinta",
    "quarenta",
    "cinquenta",
    "sessenta",
    "setenta",
    "oitenta",
    "noventa",
];

const ORDINAL_UNITS: [&str; 9] = [
    "primeiro", "segundo", "terceiro", "quarto", "quinto", "sexto", "sétimo", "oitavo", "nono",
];

const ORDINAL_TENS: [&str; 9] = [
    "décimo",
    "vigésimo",
    "trigésimo",
    "quadragésimo",
    "quinquagésimo",
    "sexagésimo",
    "septuagésimo",
    "octogésimo",
    "nonagésimo",
];

const ORDINAL_HUNDREDS: [&str; 9] = [
    "centésimo",
    "ducentésimo",
    "tricentésimo",
    "quadringentésimo",
    "quingentésimo",
    "sexcentésimo",
    "septingentésimo",
    "octingentésimo",
    "noningentésimo",
];

/// With the "de" before them, which is said with the month.
pub(super) const MONTHS: [&str; 12] = [
    "de janeiro",
    "de fevereiro",
    "de março",
    "de abril",
    "de maio",
    "de junho",
    "de julho",
    "de agosto",
    "de setembro",
    "de outubro",
    "de novembro",
    "de dezembro",
];

pub(super) const LETTERS: [&str; 26] = [
    "á", "bê", "cê", "dê", "é", "efe", "gê", "agá", "í", "jota", "cá", "ele", "eme", "ene", "ó",
    "pê", "quê", "erre", "esse", "tê", "u", "vê", "dáblio", "xis", "ípsilon", "zê",
];

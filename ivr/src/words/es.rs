//! Spanish, as Latin America says it.

use super::{Word, common_vocabulary, minutes_word, word};
use crate::{Currency, Gender, Language};

/// The form of a number: alone, or before a noun of either gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// "uno", "primero"
    Alone,
    /// "un", "primer"
    Masculine,
    /// "una", "primera"
    Feminine,
}

impl Form {
    pub(super) fn of(gender: Option<Gender>) -> Self {
        match gender {
            None => Self::Alone,
            Some(Gender::Masculine) => Self::Masculine,
            Some(Gender::Feminine) => Self::Feminine,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Alone => "",
            Self::Masculine => "-m",
            Self::Feminine => "-f",
        }
    }
}

/// "doscientas veintiuna": below a hundred a number is one recording.
pub(super) fn cardinal(number: u64, form: Form, words: &mut Vec<Word>) {
    if number == 0 {
        return words.push(below_hundred(0, Form::Alone));
    }
    // A billion is a thousand millions, so millions count to 999,999 themselves.
    let (millions, thousands, rest) = (number / 1_000_000, number / 1_000 % 1_000, number % 1_000);
    if millions > 0 {
        cardinal(millions, Form::Masculine, words);
        words.push(if millions == 1 {
            million()
        } else {
            millions_word()
        });
    }
    if thousands > 0 {
        if thousands > 1 {
            let form = if form == Form::Feminine {
                Form::Feminine
            } else {
                Form::Masculine
            };
            below_thousand(thousands, form, words);
        }
        words.push(thousand());
    }
    below_thousand(rest, form, words);
}

/// "centésimo vigésimo primer", 1 to 999.
pub(super) fn ordinal(number: u32, form: Form, words: &mut Vec<Word>) {
    if number >= 100 {
        words.push(ordinal_part(number / 100 * 100, form));
    }
    match number % 100 {
        0 => {}
        rest @ (11 | 12) => words.push(ordinal_part(rest, form)),
        rest => {
            for part in [rest / 10 * 10, rest % 10] {
                if part > 0 {
                    words.push(ordinal_part(part, form));
                }
            }
        }
    }
}

/// "veintidós de noviembre de dos mil veintiséis"
pub(super) fn date(year: u64, month: Word, day: u8, words: &mut Vec<Word>) {
    match day {
        1 => ordinal(1, Form::Alone, words),
        _ => cardinal(day.into(), Form::Alone, words),
    }
    words.extend([month, of()]);
    cardinal(year, Form::Alone, words);
}

/// "catorce horas y treinta minutos"
pub(super) fn time(hour: u64, minute: u64, words: &mut Vec<Word>) {
    match hour {
        0 => words.push(word("times/midnight", "medianoche")),
        12 => words.push(word("times/noon", "mediodía")),
        _ => {
            cardinal(hour, Form::Feminine, words);
            words.push(if hour == 1 {
                word("times/hour", "hora")
            } else {
                word("times/hours", "horas")
            });
        }
    }
    if minute > 0 {
        words.push(and());
        cardinal(minute, Form::Masculine, words);
        words.push(minutes_word(Language::Es, minute));
    }
}

/// "un millón de dólares", "dos dólares con un centavo"
pub(super) fn money(whole: u64, hundredths: u64, currency: Currency, words: &mut Vec<Word>) {
    if whole > 0 || hundredths == 0 {
        cardinal(whole, Form::Masculine, words);
        if whole >= 1_000_000 && whole.is_multiple_of(1_000_000) {
            words.push(of());
        }
        words.push(unit(currency, whole == 1));
    }
    if hundredths > 0 {
        if whole > 0 {
            words.push(with());
        }
        cardinal(hundredths, Form::Masculine, words);
        words.push(cent(currency, hundredths == 1));
    }
}

/// Every word that this file can say.
pub(super) fn vocabulary() -> Vec<Word> {
    let mut words = common_vocabulary(Language::Es);
    for number in 0..100 {
        words.push(below_hundred(number, Form::Alone));
        if ends_in_one(number) {
            words.extend([
                below_hundred(number, Form::Masculine),
                below_hundred(number, Form::Feminine),
            ]);
        }
    }
    words.extend([
        hundreds(1, Form::Alone, false),
        hundreds(1, Form::Alone, true),
    ]);
    for hundred in 2..=9 {
        words.extend([
            hundreds(hundred, Form::Alone, false),
            hundreds(hundred, Form::Feminine, false),
        ]);
    }
    let places = (1..10)
        .chain([11, 12])
        .chain((10..100).step_by(10))
        .chain((100..1_000).step_by(100));
    for place in places {
        words.extend([
            ordinal_part(place, Form::Alone),
            ordinal_part(place, Form::Feminine),
        ]);
        if loses_its_end(place) {
            words.push(ordinal_part(place, Form::Masculine));
        }
    }
    words.extend([and(), of(), with(), thousand(), million(), millions_word()]);
    words.extend([
        word("times/midnight", "medianoche"),
        word("times/noon", "mediodía"),
        word("times/hour", "hora"),
        word("times/hours", "horas"),
    ]);
    for currency in [Currency::Brl, Currency::Usd, Currency::Eur] {
        words.extend([unit(currency, true), unit(currency, false)]);
    }
    for currency in [Currency::Brl, Currency::Eur] {
        words.extend([cent(currency, true), cent(currency, false)]);
    }
    words
}

fn below_thousand(number: u64, form: Form, words: &mut Vec<Word>) {
    let (hundred, rest) = (number / 100, number % 100);
    if hundred > 0 {
        words.push(hundreds(hundred, form, rest > 0));
    }
    if rest > 0 {
        words.push(below_hundred(rest, form));
    }
}

/// "cien", before more "ciento"; the others have a feminine.
fn hundreds(hundred: u64, form: Form, goes_on: bool) -> Word {
    let text = match hundred {
        1 if goes_on => return word("numbers/100-and", "ciento"),
        1 => return word("numbers/100", "cien"),
        2 => "doscientos",
        3 => "trescientos",
        4 => "cuatrocientos",
        5 => "quinientos",
        6 => "seiscientos",
        7 => "setecientos",
        8 => "ochocientos",
        _ => "novecientos",
    };
    match form {
        Form::Feminine => {
            let stem = text.strip_suffix("os").unwrap_or(text);
            word(format!("numbers/{hundred}00-f"), format!("{stem}as"))
        }
        Form::Alone | Form::Masculine => word(format!("numbers/{hundred}00"), text),
    }
}

fn below_hundred(number: u64, form: Form) -> Word {
    let pick = |row: &[&'static str], place: u64| {
        usize::try_from(place)
            .ok()
            .and_then(|place| row.get(place))
            .copied()
            .unwrap_or_default()
    };
    let alone = match (number / 10, number % 10) {
        (0..=2, _) => pick(&UNITS, number).to_owned(),
        (ten, 0) => pick(&TENS, ten).to_owned(),
        (ten, unit) => format!("{} y {}", pick(&TENS, ten), pick(&UNITS, unit)),
    };
    if !ends_in_one(number) {
        return word(format!("numbers/{number}"), alone);
    }
    let stem = alone.strip_suffix("uno").unwrap_or(&alone);
    let text = match form {
        Form::Alone => alone.clone(),
        Form::Masculine if number == 21 => format!("{stem}ún"),
        Form::Masculine => format!("{stem}un"),
        Form::Feminine => format!("{stem}una"),
    };
    word(format!("numbers/{number}{}", form.suffix()), text)
}

fn ends_in_one(number: u64) -> bool {
    number % 10 == 1 && number != 11
}

/// One word of an ordinal: 1 to 9, 11, 12, a ten or a hundred.
fn ordinal_part(place: u32, form: Form) -> Word {
    let pick = |row: &[&'static str; 9], part: u32| {
        usize::try_from(part)
            .ok()
            .and_then(|part| row.get(part.saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    let alone = match place {
        1..=9 => pick(&ORDINAL_UNITS, place),
        11 => "undécimo",
        12 => "duodécimo",
        10..=99 => pick(&ORDINAL_TENS, place / 10),
        _ => pick(&ORDINAL_HUNDREDS, place / 100),
    };
    let stem = alone.strip_suffix('o').unwrap_or(alone);
    match form {
        Form::Feminine => word(format!("ordinals/{place}-f"), format!("{stem}a")),
        Form::Masculine if loses_its_end(place) => {
            word(format!("ordinals/{place}-m"), stem.to_owned())
        }
        Form::Alone | Form::Masculine => word(format!("ordinals/{place}"), alone),
    }
}

/// "primer" and "tercer" before a masculine noun.
fn loses_its_end(place: u32) -> bool {
    matches!(place, 1 | 3)
}

fn unit(currency: Currency, one: bool) -> Word {
    match (currency, one) {
        (Currency::Brl, true) => word("money/brl-1", "real"),
        (Currency::Brl, false) => word("money/brl", "reales"),
        (Currency::Usd, true) => word("money/usd-1", "dólar"),
        (Currency::Usd, false) => word("money/usd", "dólares"),
        (Currency::Eur, true) => word("money/eur-1", "euro"),
        (Currency::Eur, false) => word("money/eur", "euros"),
    }
}

fn cent(currency: Currency, one: bool) -> Word {
    match (currency, one) {
        (Currency::Brl | Currency::Usd, true) => word("money/cent", "centavo"),
        (Currency::Brl | Currency::Usd, false) => word("money/cents", "centavos"),
        (Currency::Eur, true) => word("money/eur-cent", "céntimo"),
        (Currency::Eur, false) => word("money/eur-cents", "céntimos"),
    }
}

fn and() -> Word {
    word("numbers/and", "y")
}

fn of() -> Word {
    word("numbers/of", "de")
}

fn with() -> Word {
    word("money/with", "con")
}

fn thousand() -> Word {
    word("numbers/thousand", "mil")
}

fn million() -> Word {
    word("numbers/million", "millón")
}

fn millions_word() -> Word {
    word("numbers/millions", "millones")
}

const UNITS: [&str; 30] = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];

const TENS: [&str; 10] = [
    "",
    "",
    "",
    "treinta",
    "cuarenta",
    "cincuenta",
    "sesenta",
    "setenta",
    "ochenta",
    "noventa",
];

const ORDINAL_UNITS: [&str; 9] = [
    "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno",
];

const ORDINAL_TENS: [&str; 9] = [
    "décimo",
    "vigésimo",
    "trigésimo",
    "cuadragésimo",
    "quincuagésimo",
    "sexagésimo",
    "septuagésimo",
    "octogésimo",
    "nonagésimo",
];

const ORDINAL_HUNDREDS: [&str; 9] = [
    "centésimo",
    "ducentésimo",
    "tricentésimo",
    "cuadringentésimo",
    "quingentésimo",
    "sexcentésimo",
    "septingentésimo",
    "octingentésimo",
    "noningentésimo",
];

/// With the "de" before them, which is said with the month.
pub(super) const MONTHS: [&str; 12] = [
    "de enero",
    "de febrero",
    "de marzo",
    "de abril",
    "de mayo",
    "de junio",
    "de julio",
    "de agosto",
    "de septiembre",
    "de octubre",
    "de noviembre",
    "de diciembre",
];

pub(super) const LETTERS: [&str; 26] = [
    "a",
    "be",
    "ce",
    "de",
    "e",
    "efe",
    "ge",
    "hache",
    "i",
    "jota",
    "ka",
    "ele",
    "eme",
    "ene",
    "o",
    "pe",
    "cu",
    "erre",
    "ese",
    "te",
    "u",
    "uve",
    "doble uve",
    "equis",
    "i griega",
    "zeta",
];

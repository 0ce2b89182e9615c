use std::collections::BTreeMap;

use jiff::civil::{date as day, time as clock};

use super::*;
use Gender::{Feminine, Masculine};
use Language::{En, Es, PtBr};

fn text(words: impl IntoIterator<Item = Word>) -> String {
    words
        .into_iter()
        .map(|word| word.text)
        .collect::<Vec<_>>()
        .join(" ")
}

fn number(language: Language, number: i64, gender: Option<Gender>) -> String {
    text(cardinal(language, number, gender).unwrap())
}

#[test]
fn portuguese_numbers_agree_and_take_their_e() {
    let table = [
        (0, None, "zero"),
        (2, Some(Feminine), "duas"),
        (11, Some(Feminine), "onze"),
        (21, Some(Feminine), "vinte e uma"),
        (21, None, "vinte e um"),
        (100, None, "cem"),
        (102, None, "cento e dois"),
        (110, None, "cento e dez"),
        (200, Some(Feminine), "duzentas"),
        (342, Some(Feminine), "trezentas e quarenta e duas"),
        (1_000, None, "mil"),
        (1_001, None, "mil e um"),
        (1_100, None, "mil e cem"),
        (1_101, None, "mil cento e um"),
        (1_200, None, "mil e duzentos"),
        (1_234, None, "mil duzentos e trinta e quatro"),
        (2_000, Some(Feminine), "duas mil"),
        (2_026, None, "dois mil e vinte e seis"),
        (21_500, Some(Feminine), "vinte e uma mil e quinhentas"),
        (100_000, None, "cem mil"),
        (1_000_000, None, "um milhão"),
        (1_000_001, Some(Feminine), "um milhão e uma"),
        (2_300_000, None, "dois milhões e trezentos mil"),
        (
            2_345_678,
            None,
            "dois milhões trezentos e quarenta e cinco mil seiscentos e setenta e oito",
        ),
        (200_000_000, Some(Feminine), "duzentos milhões"),
        (1_000_000_000, None, "um bilhão"),
        (3_000_002_000, None, "três bilhões e dois mil"),
        (-16, None, "menos dezesseis"),
    ];
    for (value, gender, expected) in table {
        assert_eq!(number(PtBr, value, gender), expected, "{value}");
    }
    assert_eq!(cardinal(PtBr, 1_000_000_000_000, None), None);
    assert_eq!(cardinal(PtBr, i64::MIN, None), None);
}

#[test]
fn english_numbers() {
    let table = [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (1_105, "one thousand one hundred five"),
        (1_000_012, "one million twelve"),
        (
            999_999_999_999,
            "nine hundred ninety-nine billion nine hundred ninety-nine million nine hundred ninety-nine thousand nine hundred ninety-nine",
        ),
    ];
    for (value, expected) in table {
        assert_eq!(number(En, value, Some(Feminine)), expected, "{value}");
    }
}

#[test]
fn spanish_numbers_agree_and_lose_their_end_before_nouns() {
    let table = [
        (1, None, "uno"),
        (1, Some(Masculine), "un"),
        (1, Some(Feminine), "una"),
        (21, None, "veintiuno"),
        (21, Some(Masculine), "veintiún"),
        (31, Some(Feminine), "treinta y una"),
        (100, None, "cien"),
        (101, None, "ciento uno"),
        (500, Some(Feminine), "quinientas"),
        (1_000, None, "mil"),
        (21_000, None, "veintiún mil"),
        (200_000, Some(Feminine), "doscientas mil"),
        (700_916, None, "setecientos mil novecientos dieciséis"),
        (1_000_000, None, "un millón"),
        (101_000_001, Some(Feminine), "ciento un millones una"),
        (1_000_000_000, None, "mil millones"),
        (21_000_000, None, "veintiún millones"),
    ];
    for (value, gender, expected) in table {
        assert_eq!(number(Es, value, gender), expected, "{value}");
    }
}

#[test]
fn ordinals() {
    let said = |language, value, gender| text(ordinal(language, value, gender).unwrap());
    assert_eq!(said(PtBr, 1, Some(Feminine)), "primeira");
    assert_eq!(said(PtBr, 11, None), "décimo primeiro");
    assert_eq!(
        said(PtBr, 999, Some(Feminine)),
        "noningentésima nonagésima nona"
    );
    assert_eq!(said(PtBr, 1_000, None), "mil");
    assert_eq!(said(PtBr, 0, None), "zero");
    assert_eq!(said(En, 12, None), "twelfth");
    assert_eq!(said(En, 20, None), "twentieth");
    assert_eq!(said(En, 100, None), "one hundredth");
    assert_eq!(said(En, 221, None), "two hundred twenty-first");
    assert_eq!(said(Es, 3, Some(Masculine)), "tercer");
    assert_eq!(said(Es, 11, Some(Feminine)), "undécima");
    assert_eq!(said(Es, 121, None), "centésimo vigésimo primero");
}

#[test]
fn dates_and_years() {
    let said = |language, date: Date| text(super::date(language, date).unwrap());
    assert_eq!(
        said(PtBr, day(2026, 11, 22)),
        "vinte e dois de novembro de dois mil e vinte e seis"
    );
    assert_eq!(
        said(PtBr, day(1999, 5, 1)),
        "primeiro de maio de mil novecentos e noventa e nove"
    );
    assert_eq!(
        said(En, day(2026, 11, 22)),
        "November twenty-second twenty twenty-six"
    );
    assert_eq!(said(En, day(2005, 7, 4)), "July fourth two thousand five");
    assert_eq!(said(En, day(1905, 7, 4)), "July fourth nineteen oh five");
    assert_eq!(said(En, day(1900, 7, 4)), "July fourth nineteen hundred");
    assert_eq!(
        said(Es, day(2021, 1, 1)),
        "primero de enero de dos mil veintiuno"
    );
    assert_eq!(super::date(PtBr, day(-1, 1, 1)), None);
}

#[test]
fn times_of_day() {
    let said = |language, hour, minute| text(time(language, clock(hour, minute, 59, 0)));
    assert_eq!(said(PtBr, 14, 30), "quatorze horas e trinta minutos");
    assert_eq!(said(PtBr, 1, 1), "uma hora e um minuto");
    assert_eq!(said(PtBr, 22, 0), "vinte e duas horas");
    assert_eq!(said(PtBr, 0, 5), "meia-noite e cinco minutos");
    assert_eq!(said(PtBr, 12, 0), "meio-dia");
    assert_eq!(said(En, 0, 0), "midnight");
    assert_eq!(said(En, 0, 5), "twelve oh five a.m.");
    assert_eq!(said(En, 12, 30), "twelve thirty p.m.");
    assert_eq!(said(En, 14, 0), "two p.m.");
    assert_eq!(said(Es, 21, 21), "veintiuna horas y veintiún minutos");
}

#[test]
fn money() {
    let said = |language, cents, currency| text(super::money(language, cents, currency).unwrap());
    use Currency::{Brl, Eur, Usd};
    assert_eq!(said(PtBr, 0, Brl), "zero reais");
    assert_eq!(said(PtBr, 1, Brl), "um centavo");
    assert_eq!(said(PtBr, 100, Brl), "um real");
    assert_eq!(said(PtBr, 201, Brl), "dois reais e um centavo");
    assert_eq!(said(PtBr, 100_000, Brl), "mil reais");
    assert_eq!(said(PtBr, 100_000_000, Brl), "um milhão de reais");
    assert_eq!(
        said(PtBr, 250_000_000, Brl),
        "dois milhões e quinhentos mil reais"
    );
    assert_eq!(said(PtBr, -150, Usd), "menos um dólar e cinquenta centavos");
    assert_eq!(said(En, 201, Usd), "two dollars and one cent");
    assert_eq!(said(En, 150, Brl), "one real and fifty centavos");
    assert_eq!(said(Es, 2_121, Eur), "veintiún euros con veintiún céntimos");
    assert_eq!(said(Es, 200_000_000, Usd), "dos millones de dólares");
    assert_eq!(super::money(PtBr, i64::MIN, Brl), None);
}

#[test]
fn amounts_are_read_with_point_or_comma() {
    assert_eq!(cents("12"), Some(1_200));
    assert_eq!(cents("12.5"), Some(1_250));
    assert_eq!(cents("12,05"), Some(1_205));
    assert_eq!(cents("-0,01"), Some(-1));
    for bad in [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "1.234",
        "1.2.3",
        "1e3",
        "+1",
        "99999999999999999999",
    ] {
        assert_eq!(cents(bad), None, "{bad}");
    }
}

#[test]
fn protocol_numbers_are_said_in_groups_and_never_end_with_one_digit() {
    let groups = |value: &str| {
        text(
            protocol(PtBr, value)
                .into_iter()
                .filter(|word| word.name == PAUSE),
        )
        .len()
    };
    assert_eq!(text(protocol(En, "12345")), "one two three , four five");
    assert_eq!(text(protocol(En, "2026-A1")), "two zero two six , A one");
    assert_eq!(
        text(protocol(PtBr, "123456789")),
        "um dois três quatro , cinco seis sete , oito nove"
    );
    assert_eq!(groups("1234"), 0);
    assert_eq!(text(protocol(PtBr, "é")), "");
    assert_eq!(text(characters(PtBr, "1*#")), "um asterisco jogo da velha");
}

#[test]
fn position_and_wait() {
    assert_eq!(text(position(PtBr, 3)), "Você é o terceiro da fila.");
    assert_eq!(
        text(position(PtBr, 32)),
        "Você é o número trinta e dois da fila."
    );
    assert_eq!(text(position(En, 2)), "You are number two in line.");
    assert_eq!(text(position(Es, 1)), "Usted es el número uno de la fila.");
    assert_eq!(
        text(wait(PtBr, 1)),
        "O tempo estimado de espera é de um minuto"
    );
    assert_eq!(
        text(wait(Es, 21)),
        "El tiempo estimado de espera es de veintiún minutos"
    );
}

/// Whatever is said is in the catalogue under the same name with the same text, so that every
/// recording a caller needs has been made.
#[test]
fn the_catalogue_has_every_word_that_is_ever_said() {
    for language in Language::ALL {
        let mut known = BTreeMap::new();
        for (name, text) in catalogue(language) {
            assert!(!text.is_empty(), "{name} says nothing");
            let is_file_name = name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/-".contains(&b));
            assert!(is_file_name, "{name} is no file name");
            assert_eq!(
                known.insert(name.clone(), text),
                None,
                "{name} stands twice"
            );
        }
        let check = |words: Vec<Word>| {
            for word in words.into_iter().filter(|word| word.name != PAUSE) {
                assert_eq!(
                    known.get(&word.name),
                    Some(&word.text),
                    "{language:?} {}",
                    word.name
                );
            }
        };
        for gender in [None, Some(Masculine), Some(Feminine)] {
            let numbers = (0..2_500).chain([
                21_121,
                1_001_001,
                2_121_221,
                342_000_000,
                1_000_000_000,
                2_000_100_100,
            ]);
            for value in numbers {
                check(cardinal(language, value, gender).unwrap());
                check(ordinal(language, value, gender).unwrap());
            }
        }
        for currency in [Currency::Brl, Currency::Usd, Currency::Eur] {
            for value in (-1..500).chain([100_000_000, 12_345_678_901]) {
                check(super::money(language, value, currency).unwrap());
            }
        }
        for minute in 0..24 * 60 {
            check(time(
                language,
                Time::midnight().wrapping_add(jiff::SignedDuration::from_mins(minute)),
            ));
        }
        for date in day(1899, 12, 25).series(jiff::ToSpan::days(29)).take(2_000) {
            check(super::date(language, date).unwrap());
        }
        check(protocol(language, "abcdefghijklmnopqrstuvwxyz0123456789"));
        check(characters(language, "*#+"));
        for place in 0..50 {
            check(position(language, place));
            check(wait(language, place));
        }
        for sentence in sentences::all(language) {
            assert_eq!(sound(language, &sentence.name), Some(sentence.clone()));
        }
    }
}

#[test]
fn generated_sounds_are_found_and_unknown_ones_are_not() {
    assert!(sound(PtBr, BEEP).is_some());
    assert_eq!(sound(En, "numbers/21").unwrap().text, "twenty-one");
    assert_eq!(sound(PtBr, "sentences/nothing"), None);
}

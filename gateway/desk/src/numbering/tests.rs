//! What is dialled, as a table.

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use super::*;

const PAULISTA: Place<'static> = Place {
    country: "55",
    area: Some("11"),
};

#[test]
fn what_people_in_brazil_dial_is_read() {
    use Kind::*;
    #[rustfmt::skip]
    let rows: &[(&str, &str, Kind)] = &[
        // Telephones of one's own area.
        ("3123-4567", "+551131234567", Subscriber),
        ("2123 4567", "+551121234567", Subscriber),
        ("5123.4567", "+551151234567", Subscriber),
        ("91234-5678", "+5511912345678", Subscriber),
        // The ninth digit of mobile telephones is added where it lacks …
        ("8123-4567", "+5511981234567", Subscriber),
        ("9123-4567", "+5511991234567", Subscriber),
        ("6123-4567", "+5511961234567", Subscriber),
        ("7123-4567", "+5511971234567", Subscriber),
        ("11 8123-4567", "+5511981234567", Subscriber),
        ("0 15 21 8123 4567", "+5521981234567", Subscriber),
        ("+55 21 8123 4567", "+5521981234567", Subscriber),
        // … but not of trunked radio, which kept its eight.
        ("7812-3456", "+551178123456", Subscriber),
        ("7012-3456", "+551170123456", Subscriber),
        // Other areas, with and without zero and operator.
        ("21 2345-6789", "+552123456789", Subscriber),
        ("(21) 91234-5678", "+5521912345678", Subscriber),
        ("021 2345-6789", "+552123456789", Subscriber),
        ("0 21 91234-5678", "+5521912345678", Subscriber),
        ("0 15 21 2345-6789", "+552123456789", Subscriber),
        ("0 21 21 2345-6789", "+552123456789", Subscriber),
        ("0 41 85 91234-5678", "+5585912345678", Subscriber),
        ("0 99 99 91234-5678", "+5599912345678", Subscriber),
        // The area of Santa Maria looks like the country.
        ("55 3221-1234", "+555532211234", Subscriber),
        ("55 99123-4567", "+5555991234567", Subscriber),
        ("055 3221-1234", "+555532211234", Subscriber),
        ("55 55 3221-1234", "+555532211234", Subscriber),
        // With the country.
        ("+55 11 3123-4567", "+551131234567", Subscriber),
        ("+55 (0) 11 3123-4567", "+551131234567", Subscriber),
        ("551131234567", "+551131234567", Subscriber),
        ("5511912345678", "+5511912345678", Subscriber),
        ("00 15 55 11 3123-4567", "+551131234567", Subscriber),
        // A company in São Paulo whose number begins as the nationwide ones do.
        ("11 4004-0000", "+551140040000", Subscriber),
        // Numbers without an area.
        ("4004-1234", "+5540041234", Nationwide),
        ("3003-1234", "+5530031234", Nationwide),
        ("4003 1234", "+5540031234", Nationwide),
        ("4020 1234", "+5540201234", Nationwide),
        ("+55 4004 1234", "+5540041234", Nationwide),
        ("0800 123 4567", "+558001234567", Free),
        ("0800 123 456", "+55800123456", Free),
        ("+55 800 123 4567", "+558001234567", Free),
        ("+55 0800 123 4567", "+558001234567", Free),
        ("0300 123 4567", "+553001234567", SharedCost),
        ("0303 123 4567", "+553031234567", SharedCost),
        ("0500 123 4567", "+555001234567", Premium),
        ("0900 123 4567", "+559001234567", Premium),
        ("+55 900 123 4567", "+559001234567", Premium),
        // Services.
        ("190", "190", Emergency),
        ("192", "192", Emergency),
        ("193", "193", Emergency),
        ("112", "112", Emergency),
        ("911", "911", Emergency),
        ("188", "188", Emergency),
        ("156", "156", PublicService),
        ("100", "100", PublicService),
        ("1052", "1052", PublicService),
        ("10315", "10315", PublicService),
        // Abroad.
        ("+1 202 555 0100", "+12025550100", Abroad),
        ("00 15 1 202 555 0100", "+12025550100", Abroad),
        ("00 21 351 21 123 4567", "+351211234567", Abroad),
        ("+44 20 7946 0958", "+442079460958", Abroad),
        ("+595 21 123 456", "+59521123456", Abroad),
    ];
    for (dialled, number, kind) in rows {
        let callee = read(dialled, PAULISTA);
        let number = (*number).to_owned();
        assert_eq!(
            callee,
            Ok(Callee {
                number,
                kind: *kind
            }),
            "{dialled}"
        );
    }
}

#[test]
fn what_is_nobodys_number_is_refused_with_what_is_wrong() {
    use NotANumber::*;
    #[rustfmt::skip]
    let rows: &[(&str, NotANumber)] = &[
        ("", Characters), ("+", Characters), ("ana", Characters), ("*72", Characters),
        ("+55+11", Characters), ("11 9123-45x8", Characters), ("１９０", Characters),
        ("1", Length), ("12", Length), ("31234", Length), ("312345", Length), ("3123456", Length),
        ("0", Length), ("01131234", Length), ("0111312345678901", Length),
        ("111111111111", Length), ("00151202555010000001", Length), ("+5511", Length),
        ("+1234567890123456", Length),
        ("23 3123-4567", Area), ("10 3123-4567", Area), ("20 91234-5678", Area),
        ("0 15 36 3123-4567", Area), ("52 3123 4567", Area), ("+55 26 3123 4567", Area),
        ("76 3123 4567", Area), ("78 3123 4567", Area), ("800 1234567", Area),
        ("1123-4567", Subscriber), ("11 0123-4567", Subscriber), ("11 1123-4567", Subscriber),
        ("81234-5678", Subscriber), ("11 81234-5678", Subscriber), ("+55 11 31234 5678", Subscriber),
        ("+1 202 555 010", Length), ("0 10 21 2345-6789", Operator), ("0 05 21 2345 6789", Length),
        ("00 1 202 555 0100", Country), ("00 10 44 20 7946 0958", Operator), ("000", Operator),
        ("+0 11 1234 5678", Country), ("00", Operator),
        ("9090 3123-4567", Collect), ("9090 91234-5678", Collect),
        ("90 15 21 2345-6789", Collect), ("90 15 21 91234-5678", Collect),
    ];
    for (dialled, why) in rows {
        assert_eq!(read(dialled, PAULISTA), Err(*why), "{dialled}");
    }
    let anywhere = Place {
        area: None,
        ..PAULISTA
    };
    assert_eq!(read("3123-4567", anywhere), Err(AreaMissing));
    assert!(read("4004-1234", anywhere).is_ok(), "it needs no area");
}

#[test]
fn there_are_67_areas_in_brazil() {
    let areas = (0..100).filter(|code| brazil::is_area(&format!("{code:02}")));
    assert_eq!(areas.count(), 67);
    assert!(!brazil::is_area("1") && !brazil::is_area("111") && !brazil::is_area(""));
}

#[test]
fn what_is_dialled_elsewhere_is_read_by_the_general_rule() {
    #[rustfmt::skip]
    let rows: &[(&str, Option<&str>, &str, &str)] = &[
        ("1", Some("202"), "555-0100", "+12025550100"),
        ("1", Some("202"), "202 555 0100", "+12025550100"),
        ("1", None, "1 202 555 0100", "+12025550100"),
        ("1", None, "011 55 11 3123-4567", "+551131234567"),
        ("1", None, "+55 11 3123-4567", "+551131234567"),
        ("44", Some("20"), "7946 0958", "+442079460958"),
        ("44", None, "020 7946 0958", "+442079460958"),
        ("44", None, "00 55 11 3123 4567", "+551131234567"),
        ("351", None, "21 123 4567", "+351211234567"),
        ("54", None, "011 4123 4567", "+541141234567"),
        ("44", None, "999", "999"),
        ("1", None, "911", "911"),
        ("49", None, "115", "115"),
    ];
    for (country, area, dialled, number) in rows {
        let place = Place {
            country,
            area: *area,
        };
        let callee = read(dialled, place).map(|callee| callee.number);
        assert_eq!(callee.as_deref(), Ok(*number), "{country} {dialled}");
    }
}

#[test]
fn a_number_is_written_as_each_carrier_wants_it() {
    let operator = || Style::Operator("15".parse().expect("an operator"));
    let format = |style, strip: &str, add: &str| Format {
        style,
        strip: strip.into(),
        add: add.into(),
    };
    let plus = format(Style::Plus, "", "");
    let digits = format(Style::Digits, "", "");
    let national = format(Style::National, "", "");
    let through = format(operator(), "", "");
    let marked = format(Style::Digits, "", "7788#");
    let bare = format(Style::National, "0", "");
    #[rustfmt::skip]
    let rows: &[(&str, [&str; 6])] = &[
        ("11 91234-5678", ["+5511912345678", "5511912345678", "011912345678", "01511912345678", "7788#5511912345678", "11912345678"]),
        ("21 2345-6789", ["+552123456789", "552123456789", "02123456789", "0152123456789", "7788#552123456789", "2123456789"]),
        ("4004-1234", ["+5540041234", "5540041234", "40041234", "40041234", "7788#5540041234", "40041234"]),
        ("0800 123 4567", ["+558001234567", "558001234567", "08001234567", "08001234567", "7788#558001234567", "8001234567"]),
        ("190", ["190", "190", "190", "190", "7788#190", "190"]),
        ("+1 202 555 0100", ["+12025550100", "12025550100", "0012025550100", "001512025550100", "7788#12025550100", "012025550100"]),
    ];
    for (dialled, written) in rows {
        let callee = read(dialled, PAULISTA).expect("a number");
        let formats = [&plus, &digits, &national, &through, &marked, &bare];
        for (format, expected) in formats.into_iter().zip(written) {
            assert_eq!(
                format.write(&callee, "55"),
                *expected,
                "{dialled} {format:?}"
            );
        }
    }
}

#[test]
fn what_a_brazilian_carrier_is_dialled_is_read_back_as_the_same_number() {
    let styles = [
        Style::Plus,
        Style::Digits,
        Style::National,
        Style::Operator("21".parse().expect("an operator")),
    ];
    for dialled in [
        "1131234567",
        "21912345678",
        "40041234",
        "08001234567",
        "190",
        "55991234567",
    ] {
        let callee = read(dialled, PAULISTA).expect("a number");
        for style in &styles {
            let format = Format {
                style: style.clone(),
                ..Format::default()
            };
            // Digits alone cannot tell the nationwide numbers of a country from an area in it.
            if callee.kind == Kind::Nationwide && *style == Style::Digits {
                continue;
            }
            let written = format.write(&callee, "55");
            assert_eq!(read(&written, PAULISTA).as_ref(), Ok(&callee), "{written}");
        }
    }
}

#[test]
fn country_codes_have_one_two_or_three_digits() {
    for (digits, code) in [
        ("12025550100", "1"),
        ("79161234567", "7"),
        ("551131234567", "55"),
        ("351211234567", "351"),
        ("870773123456", "870"),
        ("442079460958", "44"),
    ] {
        assert_eq!(country_of(digits), Some(code));
    }
    assert_eq!(country_of(""), None);
    assert_eq!(country_of("0123"), None);
    assert_eq!(country_of("35"), None);
}

#[test]
fn whatever_is_dialled_is_read_or_refused_and_never_written_beyond_its_length() {
    let mut random = StdRng::seed_from_u64(7);
    let letters: Vec<char> = "0123456789012345678901234567899055110+ -(X*é"
        .chars()
        .collect();
    for _ in 0..200_000 {
        let length = random.next_u32() as usize % 24;
        let dialled: String = (0..length)
            .map(|_| letters[random.next_u32() as usize % letters.len()])
            .collect();
        for country in ["55", "1", "44"] {
            let place = Place {
                country,
                area: Some("11"),
            };
            let Ok(callee) = read(&dialled, place) else {
                continue;
            };
            let digits = callee.number.strip_prefix('+').unwrap_or(&callee.number);
            assert!((3..=15).contains(&digits.len()), "{dialled} {callee:?}");
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
            if callee.number.starts_with('+') {
                let again = read(&callee.number, place);
                assert_eq!(again.as_ref(), Ok(&callee), "{dialled}");
            }
        }
    }
}

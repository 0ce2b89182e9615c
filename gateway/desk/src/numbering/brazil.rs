//! The numbers of Brazil and how they are dialled there (ANATEL, Resolução 749/2022, with the tables
//! of the plans that it took over; ninth digit: Resolução 553/2010).
//!
//! | dialled | what it is |
//! |---|---|
//! | `190`, `192`, `156` | an emergency, a public service |
//! | `3123-4567`, `91234-5678` | a telephone of one's own area |
//! | `4004-1234`, `3003-1234` | one number for the whole country |
//! | `11 91234-5678`, `0 11 …` | a telephone of any area (DDD), as private exchanges take it |
//! | `0 15 11 91234-5678` | the same through an operator (CSP) |
//! | `0800 …`, `0300 …`, `0500 …` | numbers without an area |
//! | `00 15 1 202 555 0100` | another country through an operator |
//! | `9090 …`, `90 15 11 …` | collect calls: refused |
//!
//! The length decides between them: no two of these forms share one, but where the first digits
//! tell them apart.

use super::{Callee, Kind, NotANumber, international};

/// Brazil's country calling code.
pub const COUNTRY: &str = "55";

/// What somebody in Brazil dials, in digits.
pub(super) fn read(digits: &str, area: Option<&str>) -> Result<Callee, NotANumber> {
    if let Some(kind) = service(digits) {
        return Ok(Callee {
            number: digits.to_owned(),
            kind,
        });
    }
    if let Some(rest) = digits.strip_prefix("00") {
        return international(behind_operator(rest)?, COUNTRY);
    }
    if digits.starts_with("90") && digits.len() >= COLLECT_LENGTH_MIN {
        return Err(NotANumber::Collect);
    }
    if let Some(rest) = digits.strip_prefix('0') {
        return long_distance(rest);
    }
    match digits.len() {
        8 | 9 => local(digits, area),
        10 | 11 => with_area(digits),
        12 | 13 => {
            let rest = digits.strip_prefix(COUNTRY).ok_or(NotANumber::Length)?;
            national(rest)
        }
        _ => Err(NotANumber::Length),
    }
}

/// A number of Brazil without its country code.
pub(super) fn national(digits: &str) -> Result<Callee, NotANumber> {
    if let Some(kind) = without_area(digits) {
        return Ok(callee(digits, kind));
    }
    if digits.len() == 8 && is_nationwide(digits) {
        return Ok(callee(digits, Kind::Nationwide));
    }
    with_area(digits)
}

/// Whether two digits can be an operator's (CSP): neither of them is zero. Which operator has which
/// changes every year, and the carrier knows.
pub(super) fn is_operator(code: &str) -> bool {
    matches!(code.as_bytes(), [b'1'..=b'9', b'1'..=b'9'])
}

/// Whether two digits are an area (DDD).
pub fn is_area(code: &str) -> bool {
    match code.as_bytes() {
        [b'1' | b'4' | b'6' | b'8' | b'9', b'1'..=b'9'] => true,
        [b'2', second] => matches!(second, b'1' | b'2' | b'4' | b'7' | b'8'),
        [b'3', second] => matches!(second, b'1'..=b'5' | b'7' | b'8'),
        [b'5', second] => matches!(second, b'1' | b'3'..=b'5'),
        [b'7', second] => matches!(second, b'1' | b'3'..=b'5' | b'7' | b'9'),
        _ => false,
    }
}

/// The area of a number of Brazil.
pub fn area_of(number: &str) -> Option<&str> {
    let national = number.strip_prefix('+')?.strip_prefix(COUNTRY)?;
    let (area, _) = national.split_at_checked(2)?;
    is_area(area).then_some(area)
}

/// A number (`+` and digits) with the ninth digit that mobile telephones of Brazil have, should it
/// lack. WhatsApp leaves it away for many, so both spellings are one person's; to it, and since 2018
/// to everybody, what was trunked radio is a mobile like any other.
pub fn with_ninth_digit(number: &str) -> String {
    let is_mobile = |local: &str| local.len() == 8 && local.starts_with(['6', '7', '8', '9']);
    match area_of(number).map(|area| (area, &number[5..])) {
        Some((area, local)) if is_mobile(local) => format!("+{COUNTRY}{area}9{local}"),
        Some(_) | None => number.to_owned(),
    }
}

/// Public services have three digits, those of the carriers themselves four or five.
fn service(digits: &str) -> Option<Kind> {
    if EMERGENCIES.contains(&digits) {
        return Some(Kind::Emergency);
    }
    let of_carrier = ["103", "105", "106"]
        .iter()
        .any(|own| digits.starts_with(own));
    match digits.len() {
        3 if digits.starts_with('1') => Some(Kind::PublicService),
        4 | 5 if of_carrier => Some(Kind::PublicService),
        _ => None,
    }
}

/// Behind the zero: an area, or an operator and an area, or a number that has no area.
fn long_distance(rest: &str) -> Result<Callee, NotANumber> {
    if let Some(kind) = without_area(rest) {
        return Ok(callee(rest, kind));
    }
    match rest.len() {
        10 | 11 => with_area(rest),
        12 | 13 => with_area(behind_operator(rest)?),
        _ => Err(NotANumber::Length),
    }
}

fn behind_operator(digits: &str) -> Result<&str, NotANumber> {
    match digits.split_at_checked(2) {
        Some((code, rest)) if is_operator(code) => Ok(rest),
        Some(_) | None => Err(NotANumber::Operator),
    }
}

/// A number without an area, by its first three digits. None of these is an area's beginning.
fn without_area(national: &str) -> Option<Kind> {
    let (series, rest) = national.split_at_checked(3)?;
    let kind = match series {
        "800" => Kind::Free,
        "300" | "303" => Kind::SharedCost,
        "500" | "900" => Kind::Premium,
        _ => return None,
    };
    // Six digits are the older ones.
    matches!(rest.len(), 6 | 7).then_some(kind)
}

fn is_nationwide(local: &str) -> bool {
    ["300", "400"]
        .iter()
        .any(|series| local.starts_with(series))
        || local.starts_with("4020")
}

fn local(digits: &str, area: Option<&str>) -> Result<Callee, NotANumber> {
    if digits.len() == 8 && is_nationwide(digits) {
        return Ok(callee(digits, Kind::Nationwide));
    }
    let area = area.ok_or(NotANumber::AreaMissing)?;
    with_area(&format!("{area}{digits}"))
}

/// An area and a telephone in it. Mobile numbers get the ninth digit that they lack.
fn with_area(digits: &str) -> Result<Callee, NotANumber> {
    let (area, telephone) = digits.split_at_checked(2).ok_or(NotANumber::Length)?;
    if !matches!(telephone.len(), 8 | 9) {
        return Err(NotANumber::Length);
    }
    if !is_area(area) {
        return Err(NotANumber::Area);
    }
    let missing = match telephone.as_bytes() {
        [b'9', _, _, _, _, _, _, _, _] => "",
        // Fixed.
        [b'2'..=b'5', _, _, _, _, _, _, _] => "",
        // Trunked radio kept its eight digits.
        [b'7', b'0' | b'7'..=b'9', _, _, _, _, _, _] => "",
        [b'6'..=b'9', _, _, _, _, _, _, _] => "9",
        _ => return Err(NotANumber::Subscriber),
    };
    let national = format!("{area}{missing}{telephone}");
    Ok(callee(&national, Kind::Subscriber))
}

fn callee(national: &str, kind: Kind) -> Callee {
    Callee {
        number: format!("+{COUNTRY}{national}"),
        kind,
    }
}

/// Police, road police, ambulance, fire brigade, federal, state and civil police, civil defence;
/// the numbers of Mercosur, Europe and North America, which lead to them; the navy's rescue; help
/// against violence and suicide.
const EMERGENCIES: &[&str] = &[
    "112", "128", "180", "185", "188", "190", "191", "192", "193", "194", "197", "198", "199",
    "911",
];

/// Digits of the shortest collect call: 9090 and a fixed telephone of one's own area. Telephones
/// that begin with 90 are shorter.
const COLLECT_LENGTH_MIN: usize = 12;

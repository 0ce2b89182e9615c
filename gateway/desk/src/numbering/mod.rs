//! What a person dials, and which number of the world it is; and how a carrier wants it written.
//!
//! ```text
//!  "0 15 11 91234-5678" ─ read ─▶ Callee { +5511912345678, Subscriber } ─ write ─▶ "01511912345678"
//! ```
//!
//! Brazil has rules of its own ([`brazil`]); every other country has the general one: `+` or
//! the international prefix, the national prefix, or the number as neighbours dial it.

pub mod brazil;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use crate::words;

/// Somebody who is reached through a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callee {
    /// `+` and digits (E.164), or the short digits of a service that has no such number (`190`).
    pub number: String,
    /// What kind of number that is.
    pub kind: Kind,
}

words! {
    /// What kind of number it is, as far as it decides who may call it and how it is written.
    Kind {
        /// A telephone of the company's own country, fixed or mobile.
        Subscriber = "subscriber",
        /// One number for the whole country, dialled without an area (4004, 3003).
        Nationwide = "nationwide",
        /// Whoever is called pays (0800).
        Free = "free",
        /// Both pay (0300, 0303).
        SharedCost = "shared_cost",
        /// The caller pays for more than the call (0500, 0900).
        Premium = "premium",
        /// A public service or a carrier's own (156, 10315).
        PublicService = "public_service",
        /// Police, fire brigade, ambulance: never refused.
        Emergency = "emergency",
        /// A telephone of another country.
        Abroad = "abroad",
    }
}

/// Why what was dialled is nobody's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANumber {
    /// There is something in it besides digits and what people write between them.
    #[error("it holds more than digits")]
    Characters,
    /// So many digits are no number.
    #[error("no number has so many digits")]
    Length,
    /// No such area (DDD).
    #[error("there is no such area code")]
    Area,
    /// It has no area code, and the company has not said in which area it is.
    #[error("it has no area code, and the company has set none")]
    AreaMissing,
    /// No telephone of the country begins so.
    #[error("no telephone number begins so")]
    Subscriber,
    /// No operator has this code (CSP).
    #[error("there is no such operator code")]
    Operator,
    /// No country has this code.
    #[error("there is no such country code")]
    Country,
    /// A collect call (90, 9090): nobody here may make others pay.
    #[error("collect calls are not placed")]
    Collect,
}

/// Where somebody dials.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The country calling code, digits only (`55`).
    pub country: &'a str,
    /// The area code (`11`), where the company has said it.
    pub area: Option<&'a str>,
}

/// The number of the world that somebody dials.
///
/// # Errors
///
/// [`NotANumber`].
pub fn read(dialled: &str, place: Place<'_>) -> Result<Callee, NotANumber> {
    let text = dialled.trim();
    let (text, is_international) = match text.strip_prefix('+') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let digits = digits(text)?;
    if digits.len() > DIALLED_LENGTH_MAX {
        return Err(NotANumber::Length);
    }
    if is_international {
        international(&digits, place.country)
    } else if place.country == brazil::COUNTRY {
        brazil::read(&digits, place.area)
    } else {
        general(&digits, place)
    }
}

fn digits(text: &str) -> Result<String, NotANumber> {
    let written = |letter: &char| !matches!(letter, ' ' | '-' | '.' | '(' | ')' | '/');
    let digits: String = text.chars().filter(written).collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotANumber::Characters);
    }
    Ok(digits)
}

/// A number behind `+`, or behind the international prefix.
pub(super) fn international(digits: &str, own_country: &str) -> Result<Callee, NotANumber> {
    let country = country_of(digits).ok_or(NotANumber::Country)?;
    let national = &digits[country.len()..];
    if country != own_country {
        return abroad(country, national);
    }
    if own_country == brazil::COUNTRY {
        // Many write the zero that is dialled inside the country: +55 (0) 11 …
        return brazil::national(national.strip_prefix('0').unwrap_or(national));
    }
    subscriber(own_country, national)
}

fn abroad(country: &str, national: &str) -> Result<Callee, NotANumber> {
    let callee = subscriber(country, national)?;
    Ok(Callee {
        kind: Kind::Abroad,
        ..callee
    })
}

/// The rule for countries without one of their own.
fn general(digits: &str, place: Place<'_>) -> Result<Callee, NotANumber> {
    let service = |kind| {
        let number = digits.to_owned();
        Ok(Callee { number, kind })
    };
    if EMERGENCIES.contains(&digits) {
        return service(Kind::Emergency);
    }
    if digits.len() == 3 && digits.starts_with(['1', '9']) {
        return service(Kind::PublicService);
    }
    if let Some(rest) = digits.strip_prefix(international_prefix(place.country)) {
        return international(rest, place.country);
    }
    let prefix = national_prefix(place.country);
    if let Some(national) = digits.strip_prefix(prefix).filter(|_| !prefix.is_empty()) {
        return subscriber(place.country, national);
    }
    let area = match place.country {
        // Ten digits are a whole number in North America, and seven are one of the area.
        "1" if digits.len() == NANP_LENGTH => "",
        _ => place.area.unwrap_or_default(),
    };
    subscriber(place.country, &format!("{area}{digits}"))
}

fn subscriber(country: &str, national: &str) -> Result<Callee, NotANumber> {
    let number = format!("+{country}{national}");
    let is_right = match country {
        "1" => national.len() == NANP_LENGTH,
        _ => (E164_LENGTH_MIN..=E164_LENGTH_MAX).contains(&(number.len() - 1)),
    };
    if !is_right {
        return Err(NotANumber::Length);
    }
    Ok(Callee {
        number,
        kind: Kind::Subscriber,
    })
}

/// The country calling code that digits begin with (ITU-T E.164, list of assigned codes): two
/// codes of one digit, those of two digits below, and three digits for the rest.
pub fn country_of(digits: &str) -> Option<&str> {
    let length = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'0', ..] | [] => return None,
        [first, second, ..] if TWO_DIGIT_COUNTRIES.contains(&[*first, *second]) => 2,
        [_, ..] => 3,
    };
    digits.get(..length)
}

/// How a carrier wants to be dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// How a number is written.
    pub style: Style,
    /// Digits that are taken from the beginning of that, where they are there.
    pub strip: String,
    /// What is put before it: a prefix that the carrier gave.
    pub add: String,
}

/// How a number is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `+5511912345678`.
    #[default]
    Plus,
    /// `5511912345678`.
    Digits,
    /// As dialled inside the country: `011912345678`; abroad with the international prefix.
    National,
    /// As dialled inside Brazil through an operator (CSP): `01511912345678`, `00151…` abroad.
    Operator(OperatorCode),
}

/// The two digits of an operator in Brazil (CSP).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorCode(String);

impl FromStr for OperatorCode {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        if brazil::is_operator(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotANumber::Operator)
        }
    }
}

impl Format {
    /// What is dialled at the carrier to reach `callee` from a company in `country`.
    pub fn write(&self, callee: &Callee, country: &str) -> String {
        let written = self.style.write(callee, country);
        let rest = written.strip_prefix(&self.strip).unwrap_or(&written);
        format!("{}{rest}", self.add)
    }
}

impl Style {
    fn write(&self, callee: &Callee, country: &str) -> String {
        let Some(digits) = callee.number.strip_prefix('+') else {
            return callee.number.clone(); // 190 is 190 everywhere.
        };
        let operator = match self {
            Self::Plus => return callee.number.clone(),
            Self::Digits => return digits.to_owned(),
            Self::National => "",
            Self::Operator(code) => code.0.as_str(),
        };
        let Some(national) = digits.strip_prefix(country) else {
            return format!("{}{operator}{digits}", international_prefix(country));
        };
        let prefix = national_prefix(country);
        match callee.kind {
            Kind::Nationwide => national.to_owned(),
            // Numbers without an area are dialled without an operator, too.
            Kind::Free | Kind::SharedCost | Kind::Premium => format!("{prefix}{national}"),
            Kind::Subscriber | Kind::PublicService | Kind::Emergency | Kind::Abroad => {
                format!("{prefix}{operator}{national}")
            }
        }
    }
}

fn international_prefix(country: &str) -> &'static str {
    if country == "1" { "011" } else { "00" }
}

/// What is dialled before an area code inside a country (ITU-T E.164 supplement 2).
fn national_prefix(country: &str) -> &'static str {
    match country {
        "1" => "1",
        // Area codes are a part of the number in these countries, or are gone.
        "30" | "34" | "39" | "45" | "47" | "48" | "52" | "56" | "57" | "351" | "352" | "420" => "",
        _ => "0",
    }
}

/// Country codes of two digits. Those of one digit are 1 and 7, all others have three.
#[rustfmt::skip]
const TWO_DIGIT_COUNTRIES: &[[u8; 2]] = &[
    *b"20", *b"27", *b"30", *b"31", *b"32", *b"33", *b"34", *b"36", *b"39", *b"40", *b"41", *b"43", *b"44",
    *b"45", *b"46", *b"47", *b"48", *b"49", *b"51", *b"52", *b"53", *b"54", *b"55", *b"56", *b"57", *b"58",
    *b"60", *b"61", *b"62", *b"63", *b"64", *b"65", *b"66", *b"81", *b"82", *b"84", *b"86", *b"90", *b"91",
    *b"92", *b"93", *b"94", *b"95", *b"98",
];

/// What is an emergency somewhere outside Brazil, in three digits.
const EMERGENCIES: &[&str] = &[
    "000", "110", "111", "112", "117", "118", "119", "911", "999",
];

/// Digits of the longest thing that is dialled: `00`, an operator and a number of 15 digits.
const DIALLED_LENGTH_MAX: usize = 19;

/// Digits of a number with its country (ITU-T E.164 section 6.1).
const E164_LENGTH_MAX: usize = 15;

/// The shortest numbers of the world with their country: four digits behind three, as on islands.
const E164_LENGTH_MIN: usize = 7;

/// Digits of a number in North America.
const NANP_LENGTH: usize = 10;
